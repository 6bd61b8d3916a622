package kinds

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
)

// TestFields holds the scenarios against the CRDs: each field is set in a step, also those inside of others, or the scenario says why
// it is not.
func TestFields(t *testing.T) {
	crds := crdsOf(t)
	set, unset := map[string]map[string]bool{}, map[string]map[string]string{}
	for _, s := range scenarios {
		if set[s.kind] == nil {
			set[s.kind], unset[s.kind] = map[string]bool{}, map[string]string{}
		}
		maps.Copy(unset[s.kind], s.unset)
		for _, st := range s.steps {
			fields := map[string]any{}
			if err := yaml.Unmarshal([]byte(st.fields), &fields); err != nil {
				t.Fatalf("%s: %s: %v", s.kind, st.fields, err)
			}
			mark(fields, "", set[s.kind])
		}
	}
	checked := map[string]bool{}
	for _, s := range scenarios {
		if checked[s.kind] {
			continue
		}
		checked[s.kind] = true
		t.Run(s.kind, func(t *testing.T) {
			want := map[string]bool{}
			fieldsOf(t, filepath.Join(crds, s.crd()+".yaml")).leaves("", want)
			for path, reason := range unset[s.kind] {
				known := len(want)
				maps.DeleteFunc(want, func(f string, _ bool) bool { return f == path || strings.HasPrefix(f, path+".") })
				if known == len(want) {
					t.Errorf("there is no field %s, or another reason names it, too: %s", path, reason)
				}
			}
			t.Logf("%d fields are set, %d are not", len(want), len(unset[s.kind]))
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(set[s.kind]))); diff != "" {
				t.Errorf("fields that no step sets (-), or that do not exist or are said to be unset (+):\n%s", diff)
			}
		})
	}
}

// crdsOf the provider: the directory.
func crdsOf(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	b := binaries.Builder{Root: root}
	dir, err := b.Source(t.Context(), filepath.Join("tools", "provider-aws"), "github.com/upbound/provider-aws/v2", "")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "package", "crds")
}

// A schema of OpenAPI, as far as it has fields.
type schema struct {
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
}

// fieldsOf forProvider in the version that the scenarios use.
func fieldsOf(t *testing.T, file string) *schema {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // A file of the provider's module.
	if err != nil {
		t.Fatal(err)
	}
	crd := struct {
		Spec struct {
			Versions []struct {
				Name   string `json:"name"`
				Schema struct {
					OpenAPIV3Schema *schema `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}{}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	for _, v := range crd.Spec.Versions {
		if v.Name == version {
			return v.Schema.OpenAPIV3Schema.Properties["spec"].Properties["forProvider"]
		}
	}
	t.Fatalf("%s has no version %s", file, version)
	return nil
}

// leaves are the fields that have no fields of their own. References and selectors are not among them: Crossplane resolves these, and
// AWS sees only the result.
func (s *schema) leaves(at string, out map[string]bool) {
	for name, f := range s.Properties {
		switch {
		case strings.HasSuffix(name, "Ref"), strings.HasSuffix(name, "Refs"), strings.HasSuffix(name, "Selector"):
		case len(f.Properties) > 0:
			f.leaves(at+name+".", out)
		case f.Items != nil && len(f.Items.Properties) > 0:
			f.Items.leaves(at+name+".", out)
		default:
			out[at+name] = true
		}
	}
}

// mark the fields that have a value. Tags have keys of their own, which are not fields.
func mark(fields map[string]any, at string, out map[string]bool) {
	for name, v := range fields {
		items, _ := v.([]any)
		if m, ok := v.(map[string]any); ok && name != "tags" {
			items = []any{m}
		}
		inside := false
		for _, i := range items {
			if m, ok := i.(map[string]any); ok && len(m) > 0 {
				inside = true
				mark(m, at+name+".", out)
			}
		}
		if v != nil && !inside {
			out[at+name] = true
		}
	}
}
