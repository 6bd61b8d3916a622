package view

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/encode"
)

// seeds returns a part of the examples' YAML files, in JSON.
func seeds(f *testing.F, pattern string, part ...string) [][]byte {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", pattern))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in %s: %v", pattern, err)
	}
	var out [][]byte
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var v any
		if err := yaml.Unmarshal(b, &v); err != nil {
			f.Fatalf("%s: %v", file, err)
		}
		for _, name := range part {
			switch x := v.(type) {
			case map[string]any:
				v = x[name]
			case []any:
				v = x[0].(map[string]any)[name]
			}
		}
		b, err = json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// FuzzDecodeSpec checks that a composite resource is either decoded, or refused with the paths of all errors. A decoded one must decode
// to the same value after it is written again.
func FuzzDecodeSpec(f *testing.F) {
	for _, s := range seeds(f, "example/*/xr.yaml", "spec") {
		f.Add(s)
	}
	f.Add([]byte(`{"services":[{"name":"s3","runtime":{"replicas":1,"resources":{"limits":{"cpu":"100m","memory":1.5}},"deploymentTemplate":{"a":[1,null,{"b":1e99}]}}},null]}`))
	f.Add([]byte(`{"region":1,"tags":{"a":null,"b":[]},"services":{"name":"s3"},"runtime":{"tolerations":[{"tolerationSeconds":9007199254740993}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		decodeAs[v1alpha1.PodIdentityProviderSpec](t, "spec", b, false)
	})
}

// FuzzDecodeInput does the same for Inputs, in which every field must be known.
func FuzzDecodeInput(f *testing.F) {
	for _, s := range seeds(f, "configuration/apis/composition.yaml", "spec", "pipeline", "input") {
		f.Add(s)
	}
	for _, s := range seeds(f, "example/*/*/composition.yaml", "spec", "pipeline", "input") {
		f.Add(s)
	}
	for _, s := range seeds(f, "example/*/xr.yaml", "spec") {
		f.Add([]byte(`{"ttl":"1m30s","prerequisites":"Assume","guardrails":{"deniedActions":["iam:*"],"requiredTags":["a"]},"defaults":` + string(s) + `}`))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		decodeAs[v1beta1.Input](t, "input", b, true)
	})
}

func decodeAs[T any](t *testing.T, at string, b []byte, strict bool) {
	t.Helper()
	s := &structpb.Struct{}
	if s.UnmarshalJSON(b) != nil {
		t.Skip("not an object")
	}
	first := new(T)
	if errs := decode(field.NewPath(at), s.AsMap(), first, strict); len(errs) > 0 {
		checkPaths(t, at, errs)
		return
	}
	v, err := new(encode.Encoder).Status(first)
	if err != nil {
		t.Fatalf("a decoded value cannot be written again: %v", err)
	}
	second := new(T)
	if errs := decode(field.NewPath(at), v.GetStructValue().AsMap(), second, strict); len(errs) > 0 {
		t.Fatalf("a decoded value is refused after it was written again: %v\n%s", errs.ToAggregate(), v)
	}
	if diff := cmp.Diff(first, second, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("a decoded value changed after it was written again: -first, +second:\n%s", diff)
	}
}

func checkPaths(t *testing.T, at string, errs field.ErrorList) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range errs {
		if e.Field != at && !strings.HasPrefix(e.Field, at+".") {
			t.Fatalf("an error has no path: %v", e)
		}
		if seen[e.Field] {
			t.Fatalf("there are two errors at %s: %v", e.Field, errs.ToAggregate())
		}
		seen[e.Field] = true
	}
}

// FuzzDefaults checks that defaults in an Input change no field that a composite resource sets, and that invalid defaults can be read.
func FuzzDefaults(f *testing.F) {
	specs := seeds(f, "example/*/xr.yaml", "spec")
	for i, s := range specs {
		f.Add(s, specs[(i+1)%len(specs)])
	}
	f.Add([]byte(`{"services":[null,1,{"name":null},{"name":"s3","roleArn":"x"}],"tags":[]}`), []byte(`{"services":[{"name":"s3","permissions":{}},{}],"tags":{"a":"b"}}`))
	f.Fuzz(func(t *testing.T, spec, defaults []byte) {
		s, d := &structpb.Struct{}, &structpb.Struct{}
		if s.UnmarshalJSON(spec) != nil || d.UnmarshalJSON(defaults) != nil {
			t.Skip("not objects")
		}
		want, before := s.AsMap(), d.AsMap()
		got, after := s.AsMap(), d.AsMap()
		providerKind.applyDefaults(got, after)
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("the defaults changed from %v to %v", before, after)
		}
		if path := lost(want, got); path != "" {
			t.Fatalf("%s of the composite resource changed: %v, was %v", path, got, want)
		}
	})
}

// lost returns the path of a value in want that differs in got. Null counts as unset.
func lost(want, got any) string {
	switch w := want.(type) {
	case nil:
		return ""
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return "."
		}
		for k, v := range w {
			if path := lost(v, g[k]); path != "" {
				return "." + k + path
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return "[]"
		}
		for i, v := range w {
			if path := lost(v, g[i]); path != "" {
				return "[]" + path
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, got) {
		return "="
	}
	return ""
}
