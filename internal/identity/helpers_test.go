package identity

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// paths returns the paths and types of errors.
var paths = testutil.Paths

// A world is the environment of a composite resource, in YAML.
type world testutil.World

// resolve resolves the identity of a world's composite resource.
func (w world) resolve(t testing.TB) (*Identity, *view.View, field.ErrorList) {
	t.Helper()
	v, errs := view.From(testutil.World(w).Request(t), nil, testutil.Now())
	if len(errs) > 0 {
		t.Fatalf("view.From(...): %v", errs.ToAggregate())
	}
	id, errs := Resolve(v)
	return id, v, errs
}

// mustResolve resolves the identity of a world's composite resource, which must be valid.
func (w world) mustResolve(t testing.TB) *Identity {
	t.Helper()
	id, _, errs := w.resolve(t)
	if len(errs) > 0 {
		t.Fatalf("Resolve(...): %v", errs.ToAggregate())
	}
	return id
}
