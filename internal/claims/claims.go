// Package claims keeps claims to the fields that they may set. A claim is closed by default: a field that no decision opens is refused.
package claims

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/nearest"
)

// crossplane are Crossplane's own fields in the spec of a composite resource. They are not ours to refuse.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var crossplane = map[string]bool{
	"claimRef": true, "compositeDeletePolicy": true, "compositionRef": true, "compositionRevisionRef": true, "compositionRevisionSelector": true,
	"compositionSelector": true, "compositionUpdatePolicy": true, "crossplane": true, "environmentConfigRefs": true,
	"publishConnectionDetailsTo": true, "resourceRef": true, "resourceRefs": true, "writeConnectionSecretToRef": true,
}

// maxErrors is the number of errors after which a check stops.
const maxErrors = 100

// list follows the name of a list in a path.
const list = "[]"

// A Policy says which fields of a spec a claim may set.
type Policy struct {
	// fields that hold a value, by their path: whether a claim may set them.
	fields map[string]bool
	// parents of the fields, by their path: whether a claim may set any field in them.
	parents map[string]bool
	// named are the top-level fields of a spec that are opened only by a pattern that names them.
	named map[string]bool
}

// PodIdentityProvider is the Policy of that kind.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var PodIdentityProvider = newPolicy(v1alpha1.DecisionsFor(v1alpha1.Kind))

// PodIdentityTenant is the Policy of that kind.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var PodIdentityTenant = newPolicy(v1alpha1.DecisionsFor(v1alpha1.TenantKind))

func newPolicy(decisions []v1alpha1.Decision) *Policy {
	p := &Policy{fields: map[string]bool{}, parents: map[string]bool{}, named: map[string]bool{}}
	for _, d := range decisions {
		for _, path := range d.Fields {
			p.fields[path] = d.Claims
			if d.Named {
				p.named[top(path)] = true
			}
			for _, parent := range parents(path) {
				p.parents[parent] = p.parents[parent] || d.Claims
			}
		}
	}
	return p
}

// top returns the top-level field of the spec that a path is in.
func top(path string) string {
	if end := strings.IndexAny(path, ".["); end >= 0 {
		return path[:end]
	}
	return path
}

// opens says whether a pattern opens a path.
func (p *Policy) opens(pattern, path string) bool {
	return iam.Match(pattern, path) && (!p.named[top(path)] || top(pattern) == top(path))
}

// parents returns the parents of a path: of a.b[].c they are a, a.b and a.b[].
func parents(path string) []string {
	var out []string
	for i, c := range path {
		switch {
		case c == '.':
			out = append(out, path[:i])
		case strings.HasPrefix(path[i:], list):
			out = append(out, path[:i])
		}
	}
	return out
}

// Validate checks patterns of fields to open: each must match some field of one of the kinds.
func Validate(at *field.Path, patterns []string, kinds ...*Policy) field.ErrorList {
	errs := field.ErrorList{}
	for i, pattern := range patterns {
		known := func(path string) bool { return iam.Match(clean(pattern), path) }
		if pattern != "" && slices.ContainsFunc(kinds, func(p *Policy) bool {
			return slices.ContainsFunc(slices.Collect(maps.Keys(p.fields)), known) || slices.ContainsFunc(slices.Collect(maps.Keys(p.parents)), known)
		}) {
			continue
		}
		hint := "is not a field of the spec: write a path such as services[].runtime.resources, or a pattern such as runtime.*"
		if near := nearest.Hint(clean(pattern), fieldsOf(kinds)); near != "" {
			hint += "; " + near
		}
		errs = append(errs, field.Invalid(at.Index(i), pattern, hint))
	}
	return errs
}

// fieldsOf returns the fields of some kinds, sorted.
func fieldsOf(kinds []*Policy) []string {
	all := map[string]bool{}
	for _, p := range kinds {
		maps.Copy(all, p.fields)
	}
	return slices.Sorted(maps.Keys(all))
}

// clean returns the form of a pattern without spec at its beginning, and with [] for [*].
func clean(pattern string) string {
	return strings.ReplaceAll(strings.TrimPrefix(pattern, "spec."), "[*]", list)
}

// Check reports every field that a claim sets in its spec and may not set. A further field is open if every one of the lists opens it.
// Without lists, none is.
func (p *Policy) Check(at *field.Path, spec *structpb.Struct, open ...[]string) field.ErrorList {
	c := &check{policy: p}
	for _, patterns := range open {
		cleaned := make([]string, 0, len(patterns))
		for _, pattern := range patterns {
			cleaned = append(cleaned, clean(pattern))
		}
		c.open = append(c.open, cleaned)
	}
	for _, name := range slices.Sorted(maps.Keys(spec.GetFields())) {
		if !crossplane[name] {
			c.lookAt(at, "", name, spec.GetFields()[name])
		}
	}
	return c.errs
}

// A check of one spec.
type check struct {
	policy *Policy
	open   [][]string
	errs   field.ErrorList
}

// lookAt checks a field of an object. A name that looks like a path is not one.
func (c *check) lookAt(at *field.Path, parent, name string, v *structpb.Value) {
	if strings.ContainsAny(name, ".[]") {
		name = strconv.Quote(name)
	}
	c.look(at.Child(name), parent+name, v)
}

// look checks a value, by its path for users and its path in the policy. Everything below an open path is open.
func (c *check) look(at *field.Path, path string, v *structpb.Value) {
	if len(c.errs) > maxErrors || c.policy.fields[path] || c.opened(path) {
		return
	}
	if _, parent := c.policy.parents[path]; !parent {
		c.refuse(at, path)
		return
	}
	switch v := v.GetKind().(type) {
	case *structpb.Value_StructValue:
		for _, name := range slices.Sorted(maps.Keys(v.StructValue.GetFields())) {
			c.lookAt(at, path+".", name, v.StructValue.GetFields()[name])
		}
		if len(v.StructValue.GetFields()) > 0 {
			return
		}
	case *structpb.Value_ListValue:
		for i, e := range v.ListValue.GetValues() {
			c.look(at.Index(i), path+list, e)
		}
		if len(v.ListValue.GetValues()) > 0 {
			return
		}
	}
	// The value is empty, or has the wrong type. The latter is an error of its own, unless a claim may set nothing there.
	if !c.policy.parents[path] && !c.opensBelow(path) {
		c.refuse(at, path)
	}
}

// opened says whether all lists open a path.
func (c *check) opened(path string) bool {
	for _, patterns := range c.open {
		if !slices.ContainsFunc(patterns, func(p string) bool { return c.policy.opens(p, path) }) {
			return false
		}
	}
	return len(c.open) > 0
}

// opensBelow says whether the lists open any field below a path.
func (c *check) opensBelow(path string) bool {
	for f := range c.policy.fields {
		if (strings.HasPrefix(f, path+".") || strings.HasPrefix(f, path+list)) && c.opened(f) {
			return true
		}
	}
	return false
}

func (c *check) refuse(at *field.Path, path string) {
	_, isField := c.policy.fields[path]
	_, isParent := c.policy.parents[path]
	if !isField && !isParent {
		c.errs = append(c.errs, field.Forbidden(at, "unknown field"))
		return
	}
	c.errs = append(c.errs, field.Forbidden(at, fmt.Sprintf("a claim cannot set this field. Ask your platform team: it can set a default, or add %s to claims.allowedFields", path)))
}
