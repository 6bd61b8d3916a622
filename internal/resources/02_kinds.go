package resources

import (
	"fmt"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

// Kinds checks the kinds that a service's permissions follow: some must be active, and newly active kinds must be granted. Nil if the
// permissions follow nothing, or if both hold.
func Kinds(s *identity.Service) *Resource {
	w, condition := unknownKinds(s), v1alpha1.ConditionIdentityReady
	if w == nil {
		w, condition = refusedKinds(s), v1alpha1.ConditionPrerequisitesReady
	}
	if w == nil {
		return nil
	}
	return &Resource{Key: "kinds/" + s.Name, Service: s.Name, Condition: condition, Kind: policyKind.GroupVersionKind, Wait: w}
}

// unknownKinds waits until a kind is known to be active. Until then, missing resources are not created: the provider could do nothing.
func unknownKinds(s *identity.Service) *Wait {
	switch a := s.Activation; {
	case a == nil || a.Problem == "":
		return nil
	case a.Pending:
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: a.Problem}
	default:
		return &Wait{Reason: v1alpha1.ReasonMissing, Message: a.Problem}
	}
}

// refusedKinds waits indefinitely if newly active kinds cannot be granted.
func refusedKinds(s *identity.Service) *Wait {
	a := s.Activation
	if a == nil || len(a.Refused) == 0 {
		return nil
	}
	return &Wait{
		Reason:  v1alpha1.ReasonInvalidSpec,
		Message: fmt.Sprintf("newly active kinds are not granted (%s): %s. %sallow that, or list kinds in place of Active", enumerate(a.Refused), strings.TrimRight(a.Why, "."), ToDo),
	}
}

// holdBack makes missing resources wait, unless they wait for something else already.
func holdBack(rs []*Resource, w *Wait) []*Resource {
	for _, r := range rs {
		if w != nil && r.Wait == nil && !r.Check() {
			r.Wait = w
		}
	}
	return rs
}
