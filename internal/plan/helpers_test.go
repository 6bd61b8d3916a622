package plan

import (
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/resources"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A world is what a composite resource meets, in YAML. What is not observed was not asked for yet, unless the Input says
// otherwise.
type world struct {
	// Spec is merged into that of the smallest composite resource; null takes a field out.
	Spec string
	// Input of the function.
	Input string
	// Observed composed resources by key.
	Observed map[string]string
	// Answers to what is required, a list of objects each.
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

// resolve the world's composite resource, which must be valid.
func (w world) resolve(t testing.TB) (*view.View, *identity.Identity) {
	t.Helper()
	xr := parse(t, smallest)
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
	id, errs := identity.Resolve(v)
	if len(errs) > 0 {
		t.Fatalf("identity.Resolve(...): %v", errs.ToAggregate())
	}
	return v, id
}

// plan of a world that must be possible.
func (w world) plan(t testing.TB) *Plan {
	t.Helper()
	p, err := New(w.resolve(t))
	if err != nil {
		t.Fatalf("New(...): %v", err)
	}
	return p
}

// A state of a resource that tests make up.
type state struct {
	wait      *resources.Wait
	readiness resources.Readiness
}

func waiting(reason v1alpha1.Reason, subject, message string) state {
	return state{wait: &resources.Wait{Reason: reason, Subject: subject, Message: message}}
}

func creating() state { return state{readiness: resources.Readiness{Message: "being created"}} }

func failed(message string) state {
	return state{readiness: resources.Readiness{Failed: true, Message: message}}
}

func ready() state { return state{readiness: resources.Readiness{Ready: true}} }

// outcomeOf a Role of a service in that state.
func outcomeOf(service string, s state) *Outcome {
	o := &Outcome{
		Resource: &resources.Resource{
			Key: "role/" + service, Service: service, Name: "r-" + service, Wait: s.wait,
			Condition: v1alpha1.ConditionIdentityReady, Kind: schema.GroupVersionKind{Kind: "Role"},
		},
		Readiness: s.readiness,
	}
	if s.wait == nil {
		o.Desired = &structpb.Struct{}
	}
	return o
}

// as changes what kind of resource an outcome is of.
func (o *Outcome) as(kind string, c v1alpha1.ConditionType) *Outcome {
	o.Kind.Kind, o.Condition = kind, c
	return o
}

// check that is not as it must be for a reason; ready without one.
func check(service string, reason v1alpha1.Reason, subject, message string) *Outcome {
	r := &resources.Resource{Key: "check/" + service, Service: service, Condition: v1alpha1.ConditionProvidersReady}
	if reason != "" {
		r.Wait = &resources.Wait{Reason: reason, Subject: subject, Message: message}
	}
	return &Outcome{Resource: r, Readiness: resources.Readiness{Ready: r.Wait == nil}}
}

// planOf outcomes that tests make up.
func planOf(os ...*Outcome) *Plan {
	return &Plan{
		Outcomes: os,
		identity: &identity.Identity{BootstrapConfig: "boot", Teardown: v1alpha1.TeardownUnordered},
		input:    &v1beta1.Input{},
	}
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
