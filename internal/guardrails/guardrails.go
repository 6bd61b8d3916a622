// Package guardrails holds a composite resource to what the platform team allows. A violation names the rule, the field and
// the value. One rule, one function.
//
// Rules that limit a value look at the result, the Input's own defaults included. Rules that forbid a field look at the fields that the
// composite resource itself sets: the platform team may use fields in its defaults that it forbids to others.
//
// An empty list of allowed values allows nothing.
package guardrails

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A rule returns its violations.
type rule func(*request) field.ErrorList

// rules by the name that the Input gives them.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var rules = map[string]rule{
	"allowedServices":             allowedServices,
	"allowedServiceAccounts":      allowedServiceAccounts,
	"protectedServiceAccounts":    protectedServiceAccounts,
	"allowedProviders":            allowedProviders,
	"allowedRegions":              allowedRegions,
	"allowedClusters":             allowedClusters,
	"allowedRegistries":           allowedRegistries,
	"allowedManagedPolicyArns":    allowedManagedPolicyARNs,
	"allowedTargetAccounts":       allowedTargetAccounts,
	"deniedActions":               deniedActions,
	"requiredKinds":               requiredKinds,
	"requiredPermissionsBoundary": requiredPermissionsBoundary,
	"requiredTags":                requiredTags,
	"forbidCustomPermissions":     forbidCustomPermissions,
	"forbidRuntimeTemplates":      forbidRuntimeTemplates,
	"forbidBringYourOwnRole":      forbidBringYourOwnRole,
}

// always applies, regardless of the platform team's configuration: a service that uses a ServiceAccount of Crossplane, or of the
// providers that create all identities, acts as them or takes their identity away.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var always = &v1beta1.Guardrails{ProtectedServiceAccounts: []string{"crossplane", "rbac-manager", "default", "provider-aws-iam", "provider-aws-eks"}}

// A request is a composite resource, with the guardrails to check it against.
type request struct {
	*v1beta1.Guardrails

	spec *v1alpha1.PodIdentityProviderSpec
	id   *identity.Identity
	view *view.View
	xr   view.Object
	at   *field.Path
}

// Check checks a composite resource against every set of guardrails that applies. It returns all violations.
func Check(v *view.View, id *identity.Identity) field.ErrorList { return check(rules, v, id) }

// check applies each set on its own: the list of one set does not extend the list of another.
func check(rules map[string]rule, v *view.View, id *identity.Identity) field.ErrorList {
	errs := field.ErrorList{}
	for _, g := range append([]*v1beta1.Guardrails{always}, v.Guardrails...) {
		r := &request{Guardrails: g, spec: v.Spec, id: id, view: v, xr: v.XR, at: field.NewPath("spec")}
		for _, name := range slices.Sorted(maps.Keys(rules)) {
			errs = append(errs, rules[name](r)...)
		}
	}
	return errs
}

// matchesAny says whether one of the patterns matches.
func matchesAny(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return iam.Match(p, s) })
}

func (r *request) service(i int) *field.Path { return r.at.Child("services").Index(i) }

func notOneOf(at *field.Path, rule, value string, allowed []string) *field.Error {
	if len(allowed) == 0 {
		return violation(at, rule, value, "none is allowed")
	}
	return violation(at, rule, value, "allowed: "+strings.Join(allowed, ", "))
}

func violation(at *field.Path, rule, value, why string) *field.Error {
	return field.Forbidden(at, fmt.Sprintf("guardrail %s: %q: %s", rule, value, why))
}
