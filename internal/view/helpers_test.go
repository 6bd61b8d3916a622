package view

import (
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// now of every test.
func now() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// object of a YAML document; nil if that is empty.
func object(t testing.TB, doc string) *structpb.Struct {
	t.Helper()
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(doc), &m); err != nil {
		t.Fatalf("%v in:\n%s", err, doc)
	}
	if len(m) == 0 {
		return nil
	}
	s, err := structpb.NewStruct(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newRequest with a composite resource and an Input, either of which may be empty.
func newRequest(t testing.TB, xr, input string) *fnv1.RunFunctionRequest {
	t.Helper()
	return &fnv1.RunFunctionRequest{
		Input:    object(t, input),
		Observed: &fnv1.State{Composite: &fnv1.Resource{Resource: object(t, xr)}, Resources: map[string]*fnv1.Resource{}},
	}
}

// observe a composed resource in a request.
func observe(t testing.TB, req *fnv1.RunFunctionRequest, key, doc string) {
	t.Helper()
	req.Observed.Resources[key] = &fnv1.Resource{Resource: object(t, doc)}
}

// mustView of a request that must be understood.
func mustView(t testing.TB, req *fnv1.RunFunctionRequest) *View {
	t.Helper()
	v, errs := From(req, now())
	if len(errs) > 0 {
		t.Fatalf("From(...): %v", errs.ToAggregate())
	}
	return v
}

// paths that errors are about, with their types: what a test cares for.
func paths(errs field.ErrorList) []string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Field+": "+string(e.Type))
	}
	return out
}

//go:fix inline
