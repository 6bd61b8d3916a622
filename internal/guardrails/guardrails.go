// Package guardrails holds a composite resource to what the platform team allows. A violation names the rule, the field and
// the value. One rule, one function.
//
// Rules that limit a value look at what results, the Input's own defaults included. Rules that forbid a field look at what
// the composite resource itself sets: the platform team may use in its defaults what it forbids to others.
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
	"allowedRegions":              allowedRegions,
	"allowedClusters":             allowedClusters,
	"allowedRegistries":           allowedRegistries,
	"allowedManagedPolicyArns":    allowedManagedPolicyARNs,
	"allowedTargetAccounts":       allowedTargetAccounts,
	"deniedActions":               deniedActions,
	"requiredPermissionsBoundary": requiredPermissionsBoundary,
	"requiredTags":                requiredTags,
	"forbidCustomPermissions":     forbidCustomPermissions,
	"forbidRuntimeTemplates":      forbidRuntimeTemplates,
	"forbidBringYourOwnRole":      forbidBringYourOwnRole,
}

// A request is what a composite resource asks for.
type request struct {
	*v1beta1.Guardrails

	spec *v1alpha1.PodIdentityProviderSpec
	id   *identity.Identity
	xr   view.Object
	at   *field.Path
}

// Check what a composite resource asks for against every set of guardrails that applies. It returns all violations.
func Check(v *view.View, id *identity.Identity) field.ErrorList { return check(rules, v, id) }

// check each set by itself: a list that one set allows does not make that of another longer.
func check(rules map[string]rule, v *view.View, id *identity.Identity) field.ErrorList {
	errs := field.ErrorList{}
	for _, g := range v.Guardrails {
		r := &request{Guardrails: g, spec: v.Spec, id: id, xr: v.XR, at: field.NewPath("spec")}
		for _, name := range slices.Sorted(maps.Keys(rules)) {
			errs = append(errs, rules[name](r)...)
		}
	}
	return errs
}

func allowedServices(r *request) field.ErrorList {
	if len(r.AllowedServices) == 0 {
		return nil
	}
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		at := r.service(i)
		if !slices.Contains(r.AllowedServices, s.Name) {
			errs = append(errs, notOneOf(at.Child("name"), "allowedServices", s.Name, r.AllowedServices))
		}
		// Another service's package under an allowed name would be another service.
		if want := "provider-aws-" + s.Name; !strings.HasSuffix(s.Provider.Repository, "/"+want) {
			errs = append(errs, violation(at.Child("package"), "allowedServices", s.Provider.Repository, "must end in /"+want))
		}
	}
	return errs
}

func allowedRegions(r *request) field.ErrorList {
	if len(r.AllowedRegions) == 0 || slices.Contains(r.AllowedRegions, r.id.Region) {
		return nil
	}
	return field.ErrorList{notOneOf(r.at.Child("region"), "allowedRegions", r.id.Region, r.AllowedRegions)}
}

// allowedClusters has nothing to say while the cluster is not known: nothing is created then.
func allowedClusters(r *request) field.ErrorList {
	if len(r.AllowedClusters) == 0 || r.id.Cluster == "" || slices.Contains(r.AllowedClusters, r.id.Cluster) {
		return nil
	}
	at := r.at.Child("clusterName")
	switch {
	case r.spec.ClusterNameRef != nil:
		at = r.at.Child("clusterNameRef")
	case r.spec.ClusterNameSelector != nil:
		at = r.at.Child("clusterNameSelector")
	}
	return field.ErrorList{notOneOf(at, "allowedClusters", r.id.Cluster, r.AllowedClusters)}
}

func allowedRegistries(r *request) field.ErrorList {
	if len(r.AllowedRegistries) == 0 {
		return nil
	}
	allowed := func(repository string) bool {
		return slices.ContainsFunc(r.AllowedRegistries, func(a string) bool { return strings.HasPrefix(repository, strings.TrimSuffix(a, "/")+"/") })
	}
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		if !s.Managed || allowed(s.Provider.Repository) {
			continue
		}
		at := r.at.Child("provider", "registry")
		if r.spec.Services[i].Package != "" {
			at = r.service(i).Child("package")
		}
		errs = append(errs, notOneOf(at, "allowedRegistries", s.Provider.Repository, r.AllowedRegistries))
	}
	if f := r.id.Family; f != nil && !allowed(f.Repository) {
		errs = append(errs, notOneOf(r.at.Child("provider", "registry"), "allowedRegistries", f.Repository, r.AllowedRegistries))
	}
	return errs
}

func allowedManagedPolicyARNs(r *request) field.ErrorList {
	if len(r.AllowedManagedPolicyARNs) == 0 {
		return nil
	}
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		for j, arn := range s.ManagedPolicyARNs {
			if !slices.ContainsFunc(r.AllowedManagedPolicyARNs, func(p string) bool { return iam.Match(p, arn) }) {
				errs = append(errs, notOneOf(r.service(i).Child("permissions", "managedPolicyArns").Index(j), "allowedManagedPolicyArns", arn, r.AllowedManagedPolicyARNs))
			}
		}
	}
	return errs
}

func allowedTargetAccounts(r *request) field.ErrorList {
	if len(r.AllowedTargetAccounts) == 0 {
		return nil
	}
	errs := field.ErrorList{}
	check := func(at *field.Path, arn string) {
		if arn != "" && !slices.Contains(r.AllowedTargetAccounts, iam.ARNAccount(arn)) {
			errs = append(errs, notOneOf(at, "allowedTargetAccounts", arn, r.AllowedTargetAccounts))
		}
	}
	for i, s := range r.spec.Services {
		check(r.service(i).Child("targetRoleArn"), s.TargetRoleARN)
	}
	if pc := r.spec.ProviderConfig; pc != nil {
		for i, a := range pc.AssumeRoleChain {
			check(r.at.Child("providerConfig", "assumeRoleChain").Index(i).Child("roleARN"), a.RoleARN)
		}
	}
	return errs
}

// deniedActions looks at every statement that is composed, those of the catalogue included. What cannot be looked into, the
// policies that are attached to a composed role by ARN or were attached to it before, is neutralised by a statement that
// denies the actions (package identity). Somebody else's role can be neither read nor neutralised.
func deniedActions(r *request) field.ErrorList {
	if len(r.DeniedActions) == 0 {
		return nil
	}
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		if s.RoleARN != "" {
			errs = append(errs, violation(r.service(i).Child("roleArn"), "deniedActions", s.RoleARN, "nobody can tell what somebody else's role may do"))
		}
		for _, v := range iam.Denied(s.Statements, r.DeniedActions) {
			errs = append(errs, violation(r.service(i).Child("permissions"), "deniedActions", v.Value, fmt.Sprintf("%s allows what %s denies", v.Element, v.Denied)))
		}
	}
	return errs
}

func requiredPermissionsBoundary(r *request) field.ErrorList {
	if r.RequiredPermissionsBoundary == "" {
		return nil
	}
	errs := field.ErrorList{}
	own := false
	for i, s := range r.id.Services {
		own = own || s.RoleARN == ""
		if s.RoleARN != "" {
			errs = append(errs, violation(r.service(i).Child("roleArn"), "requiredPermissionsBoundary", s.RoleARN, "nobody can tell which boundary somebody else's role has"))
		}
	}
	got := ""
	if r.spec.Role != nil {
		got = r.spec.Role.PermissionsBoundary
	}
	if own && got != r.RequiredPermissionsBoundary {
		errs = append(errs, violation(r.at.Child("role", "permissionsBoundary"), "requiredPermissionsBoundary", got, "must be "+r.RequiredPermissionsBoundary))
	}
	return errs
}

func requiredTags(r *request) field.ErrorList {
	errs := field.ErrorList{}
	for _, key := range r.RequiredTags {
		if r.spec.Tags[key] == "" {
			errs = append(errs, violation(r.at.Child("tags").Key(key), "requiredTags", "", "must be set"))
		}
	}
	return errs
}

func forbidCustomPermissions(r *request) field.ErrorList {
	if !r.ForbidCustomPermissions {
		return nil
	}
	return r.forbidInServices("forbidCustomPermissions", "only permissions from the catalogue are allowed",
		[]string{"permissions", "statements"}, []string{"permissions", "policyDocument"}, []string{"permissions", "managedPolicyArns"}, []string{"roleArn"})
}

func forbidRuntimeTemplates(r *request) field.ErrorList {
	if !r.ForbidRuntimeTemplates {
		return nil
	}
	const why = "raw templates are not allowed"
	errs := r.forbidInServices("forbidRuntimeTemplates", why, []string{"runtime", "deploymentTemplate"}, []string{"runtime", "serviceAccountTemplate"})
	for _, f := range []string{"deploymentTemplate", "serviceAccountTemplate"} {
		if r.xr.Value("spec", "runtime", f) != nil {
			errs = append(errs, violation(r.at.Child("runtime", f), "forbidRuntimeTemplates", f, why))
		}
	}
	return errs
}

// forbidBringYourOwnRole forbids everything that may hand an existing role over. A role name does: where a role of that name
// exists, the provider takes it over with all that it may do.
func forbidBringYourOwnRole(r *request) field.ErrorList {
	if !r.ForbidBringYourOwnRole {
		return nil
	}
	return r.forbidInServices("forbidBringYourOwnRole", "existing roles are not allowed, and a role of that name may exist", []string{"roleArn"}, []string{"roleName"}, []string{"importRole"})
}

// forbidInServices forbids fields that a composite resource sets for a service.
func (r *request) forbidInServices(rule, why string, paths ...[]string) field.ErrorList {
	errs := field.ErrorList{}
	for i, s := range r.xr.List("spec", "services") {
		for _, p := range paths {
			if v := s.Value(p...); v != nil {
				errs = append(errs, violation(r.service(i).Child(p[0], p[1:]...), rule, short(v.AsInterface()), why))
			}
		}
	}
	return errs
}

func (r *request) service(i int) *field.Path { return r.at.Child("services").Index(i) }

func notOneOf(at *field.Path, rule, value string, allowed []string) *field.Error {
	return violation(at, rule, value, "allowed: "+strings.Join(allowed, ", "))
}

func violation(at *field.Path, rule, value, why string) *field.Error {
	return field.Forbidden(at, fmt.Sprintf("guardrail %s: %q: %s", rule, value, why))
}

// short form of a value. Policies do not belong in messages.
func short(v any) string {
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(strings.TrimSpace(v), "{") {
			return "a document"
		}
		return v
	case bool:
		return fmt.Sprint(v)
	case []any:
		return fmt.Sprintf("%d entries", len(v))
	}
	return "an object"
}
