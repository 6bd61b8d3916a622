package identity

import (
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A world is what a composite resource meets, in YAML.
type world struct {
	// Spec is merged into that of the smallest composite resource; null takes a field out.
	Spec string
	// XR is merged into the composite resource.
	XR string
	// Input of the function.
	Input string
	// Observed composed resources by key.
	Observed map[string]string
	// Answers of Crossplane to what is required, a list of objects each.
	Answers map[string]string
}

const smallest = `
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: storage, uid: u-1}
spec:
  region: eu-west-1
  clusterName: prod
  provider: {version: v2.5.0}
  services: [{name: s3}]
`

// resolve what the composite resource of a world asks for.
func (w world) resolve(t testing.TB) (*Identity, *view.View, field.ErrorList) {
	t.Helper()
	xr := parse(t, smallest)
	mergePatch(xr, parse(t, w.XR))
	mergePatch(xr, map[string]any{"spec": parse(t, w.Spec)})
	req := &fnv1.RunFunctionRequest{
		Observed:       &fnv1.State{Composite: &fnv1.Resource{Resource: object(t, xr)}, Resources: map[string]*fnv1.Resource{}},
		ExtraResources: map[string]*fnv1.Resources{},
	}
	if w.Input != "" {
		req.Input = object(t, parse(t, w.Input))
	}
	for key, doc := range w.Observed {
		req.Observed.Resources[key] = &fnv1.Resource{Resource: object(t, parse(t, doc))}
	}
	for key, doc := range w.Answers {
		answer := &fnv1.Resources{}
		items, _ := parse(t, "items: "+doc)["items"].([]any)
		for _, i := range items {
			answer.Items = append(answer.Items, &fnv1.Resource{Resource: object(t, i.(map[string]any))})
		}
		req.ExtraResources[key] = answer //nolint:staticcheck // Callers before 2.2 know no other.
	}
	v, errs := view.From(req, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if len(errs) > 0 {
		t.Fatalf("view.From(...): %v", errs.ToAggregate())
	}
	id, errs := Resolve(v)
	return id, v, errs
}

// mustResolve what the composite resource of a world asks for, which must be valid.
func (w world) mustResolve(t testing.TB) *Identity {
	t.Helper()
	id, _, errs := w.resolve(t)
	if len(errs) > 0 {
		t.Fatalf("Resolve(...): %v", errs.ToAggregate())
	}
	return id
}

func parse(t testing.TB, doc string) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(doc), &m); err != nil {
		t.Fatalf("%v in:\n%s", err, doc)
	}
	return m
}

func object(t testing.TB, m map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mergePatch as in RFC 7386.
func mergePatch(dst, patch map[string]any) {
	for k, v := range patch {
		dm, dok := dst[k].(map[string]any)
		pm, pok := v.(map[string]any)
		switch {
		case v == nil:
			delete(dst, k)
		case dok && pok:
			mergePatch(dm, pm)
		default:
			dst[k] = v
		}
	}
}

// paths that errors are about, with their types: what a test cares for.
func paths(errs field.ErrorList) []string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Field+": "+string(e.Type))
	}
	return out
}
