package plan

import (
	"testing"

	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/resources"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A world is the environment of a composite resource, in YAML. Resources that are not observed have not been required yet, unless the
// Input says otherwise.
type world testutil.World

// resolve resolves the world's composite resource, which must be valid.
func (w world) resolve(t testing.TB) (*view.View, *identity.Identity) {
	t.Helper()
	v, errs := view.From(testutil.World(w).Request(t), nil, testutil.Now())
	if len(errs) > 0 {
		t.Fatalf("view.From(...): %v", errs.ToAggregate())
	}
	id, errs := identity.Resolve(v)
	if len(errs) > 0 {
		t.Fatalf("identity.Resolve(...): %v", errs.ToAggregate())
	}
	return v, id
}

// plan returns the plan of a world, which must be valid.
func (w world) plan(t testing.TB) *Plan {
	t.Helper()
	p, err := New(w.resolve(t))
	if err != nil {
		t.Fatalf("New(...): %v", err)
	}
	return p
}

// A state is a made-up state of a resource.
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

// outcomeOf returns the outcome of a service's Role in a state.
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

// as changes the kind of resource that an outcome belongs to.
func (o *Outcome) as(kind string, c v1alpha1.ConditionType) *Outcome {
	o.Kind.Kind, o.Condition = kind, c
	return o
}

// check returns the outcome of a check that waits for a reason, or is ready without one.
func check(service string, reason v1alpha1.Reason, subject, message string) *Outcome {
	r := &resources.Resource{Key: "check/" + service, Service: service, Condition: v1alpha1.ConditionProvidersReady}
	if reason != "" {
		r.Wait = &resources.Wait{Reason: reason, Subject: subject, Message: message}
	}
	return &Outcome{Resource: r, Readiness: resources.Readiness{Ready: r.Wait == nil}}
}

// planOf returns a plan with made-up outcomes.
func planOf(os ...*Outcome) *Plan {
	return &Plan{
		Outcomes: os,
		identity: &identity.Identity{BootstrapConfig: "boot", Teardown: v1alpha1.TeardownUnordered},
		input:    &v1beta1.Input{},
	}
}
