package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// A runtimeNode is what the function's package runtimeconfig knows about one value in a DeploymentRuntimeConfig. Nodes refer to each other
// by number, and equal nodes are written once: a pod's containers are described three times.
type runtimeNode struct {
	Type       string         `json:"type"`
	Properties map[string]int `json:"properties,omitempty"`
	// Newer are the properties that only some releases have.
	Newer    []string `json:"newer,omitempty"`
	Required []string `json:"required,omitempty"`
	// Values of an object that is a map.
	Values int `json:"values,omitempty"`
	// Items of a list, whether they are unique, the keys that identify them, and the defaults of these keys.
	Items    int               `json:"items,omitempty"`
	Set      bool              `json:"set,omitempty"`
	Keys     []string          `json:"keys,omitempty"`
	Defaults map[string]string `json:"defaults,omitempty"`
}

// runtimeSchema writes the schema of a DeploymentRuntimeConfig's spec, from the CustomResourceDefinitions of several releases of
// Crossplane, the oldest first. The last node is the spec.
func runtimeSchema(from []string, to string) error {
	specs := make([]*extv1.JSONSchemaProps, 0, len(from))
	for _, path := range from {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		crd := &extv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(b, crd); err != nil {
			return fmt.Errorf("cannot parse %s: %w", path, err)
		}
		spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
		specs = append(specs, &spec)
	}
	// Number 0 is not a node: it stands for one that does not exist.
	w := &runtimeWriter{lines: []string{"{}"}, numbers: map[string]int{}}
	if _, err := w.add("spec", specs); err != nil {
		return err
	}
	out := bytes.NewBufferString("[\n")
	out.WriteString(strings.Join(w.lines, ",\n"))
	out.WriteString("\n]\n")
	return os.WriteFile(to, out.Bytes(), 0o644)
}

type runtimeWriter struct {
	lines   []string
	numbers map[string]int
}

// add writes the node of one value as the releases describe it, after the nodes of the values in it.
func (w *runtimeWriter) add(at string, releases []*extv1.JSONSchemaProps) (int, error) {
	newest := releases[len(releases)-1]
	n := runtimeNode{Type: newest.Type, Keys: newest.XListMapKeys}
	for _, name := range newest.Required {
		// The API server sets defaults before it checks for required fields.
		if newest.Properties[name].Default == nil {
			n.Required = append(n.Required, name)
		}
	}
	switch {
	case newest.XIntOrString && newest.Pattern != "":
		n.Type = "quantity"
	case newest.XIntOrString:
		n.Type = "int-or-string"
	case newest.Type == "integer":
		n.Type = newest.Format
	case newest.Type == "":
		return 0, fmt.Errorf("%s: neither has a type", at)
	}
	n.Set = newest.XListType != nil && *newest.XListType == "set"
	var err error
	if len(newest.Properties) > 0 {
		n.Properties = map[string]int{}
	}
	for _, name := range slices.Sorted(maps.Keys(newest.Properties)) {
		var in []*extv1.JSONSchemaProps
		for _, r := range releases {
			if p, ok := r.Properties[name]; ok {
				in = append(in, &p)
			}
		}
		if len(in) < len(releases) {
			n.Newer = append(n.Newer, name)
		}
		if n.Properties[name], err = w.add(at+"."+name, in); err != nil {
			return 0, err
		}
	}
	if newest.Items != nil {
		if n.Items, err = w.inner(at+"[]", releases, func(r *extv1.JSONSchemaProps) *extv1.JSONSchemaProps { return r.Items.Schema }); err != nil {
			return 0, err
		}
		n.Defaults = keyDefaults(newest)
	}
	if newest.AdditionalProperties != nil {
		if n.Values, err = w.inner(at+"{}", releases, func(r *extv1.JSONSchemaProps) *extv1.JSONSchemaProps { return r.AdditionalProperties.Schema }); err != nil {
			return 0, err
		}
	}
	return w.number(n)
}

func (w *runtimeWriter) inner(at string, releases []*extv1.JSONSchemaProps, part func(*extv1.JSONSchemaProps) *extv1.JSONSchemaProps) (int, error) {
	in := make([]*extv1.JSONSchemaProps, 0, len(releases))
	for _, r := range releases {
		in = append(in, part(r))
	}
	return w.add(at, in)
}

// number returns the number of a node, and writes the node unless it is written already.
func (w *runtimeWriter) number(n runtimeNode) (int, error) {
	b, err := json.Marshal(n)
	if err != nil {
		return 0, err
	}
	line := string(b)
	if i, ok := w.numbers[line]; ok {
		return i, nil
	}
	w.numbers[line] = len(w.lines)
	w.lines = append(w.lines, line)
	return w.numbers[line], nil
}

// keyDefaults returns the defaults of the keys of a list's items.
func keyDefaults(list *extv1.JSONSchemaProps) map[string]string {
	out := map[string]string{}
	for _, key := range list.XListMapKeys {
		if d := list.Items.Schema.Properties[key].Default; d != nil {
			var v string
			if json.Unmarshal(d.Raw, &v) == nil {
				out[key] = v
			}
		}
	}
	return out
}
