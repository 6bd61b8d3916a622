package view

import (
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
)

// now is the time of every test, and paths returns the paths of errors.
var (
	now   = testutil.Now
	paths = testutil.Paths
)

// object parses an object from YAML; nil if the document is empty.
func object(t testing.TB, doc string) *structpb.Struct {
	t.Helper()
	m := testutil.Parse(t, doc)
	if len(m) == 0 {
		return nil
	}
	return testutil.Struct(t, m)
}

// newRequest returns a request with a composite resource and an Input, either of which may be empty.
func newRequest(t testing.TB, xr, input string) *fnv1.RunFunctionRequest {
	t.Helper()
	return &fnv1.RunFunctionRequest{
		Input:    object(t, input),
		Observed: &fnv1.State{Composite: &fnv1.Resource{Resource: object(t, xr)}, Resources: map[string]*fnv1.Resource{}},
	}
}

// observe adds an observed composed resource to a request.
func observe(t testing.TB, req *fnv1.RunFunctionRequest, key, doc string) {
	t.Helper()
	req.Observed.Resources[key] = &fnv1.Resource{Resource: object(t, doc)}
}

// mustView returns the view of a request, which must be valid.
func mustView(t testing.TB, req *fnv1.RunFunctionRequest) *View {
	t.Helper()
	v, errs := From(req, nil, now())
	if len(errs) > 0 {
		t.Fatalf("From(...): %v", errs.ToAggregate())
	}
	return v
}

// configuration returns the configuration of a platform.
func configuration(t testing.TB, doc string) *Configuration {
	t.Helper()
	c, errs := ParseConfiguration(nil, object(t, doc))
	if len(errs) > 0 {
		t.Fatalf("ParseConfiguration(...): %v", errs.ToAggregate())
	}
	return c
}
