package resources

import (
	"slices"
	"testing"

	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

// TestOrphan holds both fields that decide whether a provider deletes in AWS: management policies that name Delete win.
func TestOrphan(t *testing.T) {
	cases := map[string]struct {
		reason   string
		deletion v1alpha1.DeletionPolicy
		policies []v1alpha1.ManagementAction
		deletes  bool
	}{
		"Delete":   {reason: "What is to be deleted is.", deletion: "Delete", deletes: true},
		"Orphan":   {reason: "What is to stay stays, though the usual policies name Delete.", deletion: "Orphan"},
		"Explicit": {reason: "So it does where the user's policies name Delete, too.", deletion: "Orphan", policies: []v1alpha1.ManagementAction{"Observe", "Create", "Delete"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := &Context{Identity: &identity.Identity{Spec: &v1alpha1.PodIdentityProviderSpec{}}}
			c.Identity.Spec.DeletionPolicy = tc.deletion
			c.Identity.Spec.ManagementPolicies = tc.policies
			spec := c.resourceSpec()
			if got := slices.Contains(spec.ManagementPolicies, xpv1.ManagementActionDelete); got != tc.deletes || string(spec.DeletionPolicy) != string(tc.deletion) {
				t.Errorf("%s want Delete among the policies: %t, got %v with deletionPolicy %s", tc.reason, tc.deletes, spec.ManagementPolicies, spec.DeletionPolicy)
			}
		})
	}
}
