// Package runtimeconfig knows what a DeploymentRuntimeConfig may hold. If a field is unknown, or an item of a list lacks its key, the
// API server does not return a refusal that Crossplane could report: the apply fails as a whole, and with it everything that Crossplane
// would have done after it. So user input is checked against the schema first.
package runtimeconfig

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:embed schema.json
var file []byte

// A node is the schema of one value. Nodes refer to each other by number; 0 is none.
type node struct {
	// Type is object, array, string, boolean, int32, int64, int-or-string or quantity.
	Type string `json:"type"`
	// Properties of an object, those of them that only newer releases of Crossplane have, and those that are required.
	Properties map[string]int `json:"properties"`
	Newer      []string       `json:"newer"`
	Required   []string       `json:"required"`
	// Values of an object that is a map.
	Values int `json:"values"`
	// Items of a list, whether each may occur only once, the keys that identify them, and the values that keys have by default.
	Items    int               `json:"items"`
	Set      bool              `json:"set"`
	Keys     []string          `json:"keys"`
	Defaults map[string]string `json:"defaults"`
}

// schema has the nodes of a DeploymentRuntimeConfig's spec. The last one is the spec itself. It is read on first use.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var schema = sync.OnceValue(func() []node {
	var nodes []node
	if err := json.Unmarshal(file, &nodes); err != nil {
		// The file is part of the program, and tests read it.
		panic(fmt.Errorf("cannot parse the schema: %w", err))
	}
	return nodes
})

func get(n int) *node { return &schema()[n] }

func root() *node { return get(len(schema()) - 1) }

// child returns a child of a value: a property, or the items of a list. Nil if there is none.
func (n *node) child(name string) *node {
	i := n.Properties[name]
	if name == items {
		i = n.Items
	}
	if i == 0 {
		return nil
	}
	return get(i)
}

// items stands for the items of a list in a path.
const items = "[]"

// A place is where a field is found in the spec of a DeploymentRuntimeConfig.
type place []string

// String returns the place as users write it, such as deploymentTemplate.spec.template.spec.containers[].args.
func (p place) String() string { return strings.ReplaceAll(strings.Join(p, "."), "."+items, items) }

// places has the places of fields, by their names: for each name the least deep one.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var places = sync.OnceValue(func() map[string]place {
	out := map[string]place{}
	type step struct {
		node *node
		at   place
	}
	for level := []step{{node: root()}}; len(level) > 0; {
		var next []step
		for _, s := range level {
			for _, name := range slices.Sorted(maps.Keys(s.node.Properties)) {
				at := append(slices.Clip(s.at), name)
				if _, ok := out[name]; !ok {
					out[name] = at
				}
				next = append(next, step{node: s.node.child(name), at: at})
			}
			if s.node.Items != 0 {
				next = append(next, step{node: get(s.node.Items), at: append(slices.Clip(s.at), items)})
			}
		}
		// Fields of every pod come before those of some of its containers.
		slices.SortStableFunc(next, func(a, b step) int { return cmp.Compare(len(a.at), len(b.at)) })
		level = next
	}
	return out
})
