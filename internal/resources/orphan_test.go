package resources

import (
	"slices"
	"testing"

	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

// TestOrphan checks both fields that decide whether a provider deletes in AWS: management policies with Delete override deletionPolicy.
func TestOrphan(t *testing.T) {
	cases := map[string]struct {
		reason   string
		deletion v1alpha1.DeletionPolicy
		policies []v1alpha1.ManagementAction
		deletes  bool
	}{
		"Delete":   {reason: "With deletion policy Delete, the resource is deleted.", deletion: "Delete", deletes: true},
		"Orphan":   {reason: "With deletion policy Orphan, it stays, even though the default management policies include Delete.", deletion: "Orphan"},
		"Explicit": {reason: "The same applies if the user's policies include Delete.", deletion: "Orphan", policies: []v1alpha1.ManagementAction{"Observe", "Create", "Delete"}},
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

// TestPoliciesNeverGrow checks that a provider never gets more management policies than the spec allows, regardless of the owner of the
// resource in AWS, but may always observe. An empty list would mean the default of the managed resource, which allows everything.
func TestPoliciesNeverGrow(t *testing.T) {
	every := []v1alpha1.ManagementAction{"Observe", "Create", "Update", "Delete", "LateInitialize", "*"}
	for set := 1; set < 1<<len(every); set++ {
		var given []v1alpha1.ManagementAction
		for i, action := range every {
			if set&(1<<i) != 0 {
				given = append(given, action)
			}
		}
		for _, deletion := range []v1alpha1.DeletionPolicy{"Delete", "Orphan"} {
			c := &Context{Identity: &identity.Identity{Spec: &v1alpha1.PodIdentityProviderSpec{}}}
			c.Identity.Spec.DeletionPolicy, c.Identity.Spec.ManagementPolicies = deletion, given
			for _, b := range []belonging{unknown, ours, strangers} {
				for what, got := range map[string]xpv1.ResourceSpec{"claimed": claimed(c.resourceSpec(), b), "watched": limited(c.resourceSpec(), watch), "kept": orphaned(c.resourceSpec())} {
					policies := got.ManagementPolicies
					if len(policies) == 0 {
						t.Fatalf("%v, %s, %s (%d): no policies are left, which would allow everything", given, deletion, what, b)
					}
					for _, action := range policies {
						if action != xpv1.ManagementActionObserve && !slices.Contains(given, v1alpha1.ManagementAction(action)) && !slices.Contains(given, "*") {
							t.Errorf("%v, %s, %s (%d): %s is not allowed by the spec: %v", given, deletion, what, b, action, policies)
						}
					}
					if got.DeletionPolicy == xpv1.DeletionOrphan && slices.Contains(policies, xpv1.ManagementActionDelete) {
						t.Errorf("%v, %s, %s (%d): the resource would be deleted in AWS: %v", given, deletion, what, b, policies)
					}
				}
			}
		}
	}
}

// TestOrphaned covers how crossplane-runtime combines both policies: management policies with Delete take precedence.
func TestOrphaned(t *testing.T) {
	type actions = xpv1.ManagementPolicies
	cases := map[string]struct {
		reason   string
		in, want actions
	}{
		"Default":    {"By default, the deletion policy counts.", nil, nil},
		"All":        {"The same applies to *.", actions{"*"}, actions{"*"}},
		"Delete":     {"Otherwise, Delete must be removed.", actions{"Observe", "Create", "Delete"}, actions{"Observe", "Create"}},
		"OnlyDelete": {"An empty list would be the default, which allows everything.", actions{"Delete"}, actions{"Observe"}},
		"NoDelete":   {"Without Delete, nothing changes.", actions{"Observe", "Update"}, actions{"Observe", "Update"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := xpv1.ResourceSpec{ManagementPolicies: tc.in, DeletionPolicy: xpv1.DeletionDelete, ProviderConfigReference: &xpv1.Reference{Name: "a"}}
			want := xpv1.ResourceSpec{ManagementPolicies: tc.want, DeletionPolicy: xpv1.DeletionOrphan, ProviderConfigReference: &xpv1.Reference{Name: "a"}}
			if diff := cmp.Diff(want, orphaned(in)); diff != "" {
				t.Errorf("%s\norphaned(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
