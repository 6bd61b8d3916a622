// Package plan decides what to compose now: of the full plan, every resource that exists already and every one whose gate is open. It
// reports the state of the rest in conditions and status.
package plan

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/resources"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A Plan is the full plan of a composite resource, with the state of each resource.
type Plan struct {
	// Outcomes in the order in which the resources come to exist.
	Outcomes []*Outcome
	// Conditions of the composite resource and its claim.
	Conditions []Condition
	// Status of the composite resource, without conditions. For a PodIdentityTenant it has the fields that a PodIdentityProvider has,
	// too.
	Status v1alpha1.PodIdentityProviderStatus
	// Warnings of real problems.
	Warnings []string

	// before says which of the optional conditions the composite resource has already.
	before map[v1alpha1.ConditionType]bool

	identity *identity.Identity
	input    *v1beta1.Input
}

// An Outcome is the state of one resource.
type Outcome struct {
	*resources.Resource
	// Observed is the observed object; it does not exist while the resource waits or was just created. For a check it is the object
	// that was seen.
	Observed view.Object
	// Desired is the object to compose; nil while it waits, and always for a check.
	Desired *structpb.Struct
	// Readiness of the object.
	Readiness resources.Readiness
}

// New returns the plan for a composite resource.
func New(v *view.View, id *identity.Identity) (*Plan, error) {
	p := &Plan{identity: id, input: v.Input, before: map[v1alpha1.ConditionType]bool{}}
	for _, r := range resources.All(v, id) {
		o, err := outcome(v, id, r)
		if err != nil {
			return nil, err
		}
		p.Outcomes = append(p.Outcomes, o)
	}
	for c := range former {
		p.before[c] = v.XR.Condition(string(c)).Status != ""
	}
	p.Conditions = p.conditions()
	p.Status = p.status()
	p.Status.PlatformConfiguration = v.Platform
	if v.Input.Preview {
		p.Warnings = append(p.Warnings, "preview: this is the full eventual set of resources; on a cluster they are created one after the other, as each becomes possible")
	}
	return p, nil
}

// outcome returns the state of a resource. An existing resource is composed again even if its gate is closed: leaving it out would
// delete it. A check is never composed, even if an object was observed under its key.
func outcome(v *view.View, id *identity.Identity, r *resources.Resource) (*Outcome, error) {
	if r.Check() {
		return &Outcome{Resource: r, Observed: r.Seen, Readiness: resources.Readiness{Ready: r.Wait == nil}}, nil
	}
	o := &Outcome{Resource: r, Observed: v.Observed(r.Key)}
	exists := o.Observed.Exists()
	if r.Wait != nil && !exists {
		o.Readiness.Ready = r.Covered
		return o, nil
	}
	switch {
	case id.Cluster != "" || r.Condition != v1alpha1.ConditionIdentityReady:
	case v.Requirements.Unanswered():
		// Crossplane calls again with the answers, which it would not do after a fatal result.
		o.Desired, o.Readiness.Message = o.Observed.Applied(), id.ClusterProblem
		return o, nil
	default:
		// A missing resource waits for the cluster, and returned above.
		return nil, fmt.Errorf("cannot tell what %s %s should be: %s", r.Kind.Kind, o.Observed.Name(), id.ClusterProblem)
	}
	desired, err := r.Build()
	if err != nil {
		return nil, fmt.Errorf("cannot build %s %s: %w", r.Kind.Kind, r.Name, err)
	}
	o.Desired = desired
	o.Readiness = resources.Readiness{Ready: r.Covered, Message: "being created"}
	if exists {
		o.Readiness = r.Ready(o.Observed)
	}
	return o, nil
}

// Ready says whether every resource of the full plan is ready.
func (p *Plan) Ready() bool {
	for _, o := range p.Outcomes {
		if !o.Readiness.Ready {
			return false
		}
	}
	return true
}

// waiting says whether the resource may not be created yet, or its check failed.
func (o *Outcome) waiting() bool { return o.Desired == nil }

// reason is why the resource is not ready.
func (o *Outcome) reason() v1alpha1.Reason {
	switch {
	case o.Readiness.Ready:
		return v1alpha1.ReasonReady
	case o.Readiness.Failed:
		return v1alpha1.ReasonFailed
	case o.Readiness.Conflict:
		return v1alpha1.ReasonConflict
	case o.Readiness.ActionRequired:
		return v1alpha1.ReasonActionRequired
	case o.Readiness.Removing:
		return v1alpha1.ReasonRemoving
	case o.waiting():
		return o.Wait.Reason
	}
	return v1alpha1.ReasonCreating
}

// why says what a resource that is not ready is about, and what is wrong with it. If a user must do something, it says what.
func (p *Plan) why(o *Outcome) (subject, message string) {
	subject, message = o.Kind.Kind+" "+o.Name, o.Readiness.Message
	if o.waiting() {
		subject, message = o.Wait.Subject, o.Wait.Message
	}
	if o.reason() != v1alpha1.ReasonFailed || strings.Contains(message, resources.ToDo) {
		// Nothing failed, or it says what to do already.
		return subject, message
	}
	if hint := resources.Hint(message, p.identity.BootstrapConfig); hint != "" {
		message = strings.TrimRight(message, ".") + ". " + resources.ToDo + hint
	}
	return subject, message
}
