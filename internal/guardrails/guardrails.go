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
	"unicode"

	"google.golang.org/protobuf/types/known/structpb"
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

func allowedServices(r *request) field.ErrorList {
	if r.AllowedServices == nil {
		return nil
	}
	errs := r.claimedTemplates("allowedServices")
	for i, s := range r.id.Services {
		at := r.service(i)
		if !slices.Contains(r.AllowedServices, s.Name) {
			errs = append(errs, notOneOf(at.Child("name"), "allowedServices", s.Name, r.AllowedServices))
		}
		// Another service's package under an allowed name would be another service.
		if want := "provider-aws-" + s.Name; r.id.Tenant == nil && !strings.HasSuffix(s.Provider.Repository, "/"+want) {
			errs = append(errs, violation(at.Child("package"), "allowedServices", s.Provider.Repository, "must end in /"+want))
		}
	}
	return errs
}

func allowedServiceAccounts(r *request) field.ErrorList {
	if r.AllowedServiceAccounts == nil || r.id.Tenant != nil {
		// A tenant uses the host's providers.
		return nil
	}
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		if !matchesAny(r.AllowedServiceAccounts, s.ServiceAccount) {
			errs = append(errs, notOneOf(r.service(i).Child("serviceAccountName"), "allowedServiceAccounts", s.ServiceAccount, r.AllowedServiceAccounts))
		}
	}
	return errs
}

// protectedServiceAccounts may not be used, but the service iam may use that of provider-aws-iam, and likewise eks.
func protectedServiceAccounts(r *request) field.ErrorList {
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		own := s.Bootstrap && s.ServiceAccount == "provider-aws-"+s.Name
		if !own && matchesAny(r.ProtectedServiceAccounts, s.ServiceAccount) {
			errs = append(errs, violation(r.service(i).Child("serviceAccountName"), "protectedServiceAccounts", s.ServiceAccount, "it is the identity of something else in the cluster; use another ServiceAccount"))
		}
	}
	return errs
}

// matchesAny says whether one of the patterns matches.
func matchesAny(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return iam.Match(p, s) })
}

func allowedRegions(r *request) field.ErrorList {
	if r.AllowedRegions == nil || slices.Contains(r.AllowedRegions, r.id.Region) {
		return nil
	}
	at := r.at.Child("region")
	if r.id.Tenant != nil {
		if r.id.Region == "" {
			// Nothing is created before the host is known.
			return nil
		}
		at = r.at.Child("providerRef")
	}
	return field.ErrorList{notOneOf(at, "allowedRegions", r.id.Region, r.AllowedRegions)}
}

func allowedProviders(r *request) field.ErrorList {
	if r.AllowedProviders == nil || r.id.Tenant == nil || matchesAny(r.AllowedProviders, r.id.Tenant.Host.Name) {
		return nil
	}
	return field.ErrorList{notOneOf(r.at.Child("providerRef", "name"), "allowedProviders", r.id.Tenant.Host.Name, r.AllowedProviders)}
}

// allowedClusters refuses nothing while the cluster is not known: package resources creates nothing then.
func allowedClusters(r *request) field.ErrorList {
	if r.AllowedClusters == nil || r.id.Cluster == "" || slices.Contains(r.AllowedClusters, r.id.Cluster) {
		return nil
	}
	at := r.at.Child("clusterName")
	switch {
	case r.id.Tenant != nil:
		at = r.at.Child("providerRef")
	case r.spec.ClusterNameRef != nil:
		at = r.at.Child("clusterNameRef")
	case r.spec.ClusterNameSelector != nil:
		at = r.at.Child("clusterNameSelector")
	}
	return field.ErrorList{notOneOf(at, "allowedClusters", r.id.Cluster, r.AllowedClusters)}
}

func allowedRegistries(r *request) field.ErrorList {
	if r.AllowedRegistries == nil {
		return nil
	}
	allowed := func(repository string) bool {
		return slices.ContainsFunc(r.AllowedRegistries, func(a string) bool { return strings.HasPrefix(repository, strings.TrimSuffix(a, "/")+"/") })
	}
	errs := r.claimedTemplates("allowedRegistries")
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
	if r.AllowedManagedPolicyARNs == nil {
		return nil
	}
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		for j, arn := range s.ManagedPolicyARNs {
			if !matchesAny(r.AllowedManagedPolicyARNs, arn) {
				errs = append(errs, notOneOf(r.service(i).Child("permissions", "managedPolicyArns").Index(j), "allowedManagedPolicyArns", arn, r.AllowedManagedPolicyARNs))
			}
		}
	}
	return errs
}

func allowedTargetAccounts(r *request) field.ErrorList {
	if r.AllowedTargetAccounts == nil {
		return nil
	}
	errs := field.ErrorList{}
	if s := r.spec.Sharing; s != nil {
		for i, a := range s.Accounts {
			if !slices.Contains(r.AllowedTargetAccounts, a) {
				errs = append(errs, notOneOf(r.at.Child("sharing", "accounts").Index(i), "allowedTargetAccounts", a, r.AllowedTargetAccounts))
			}
		}
	}
	errs = append(errs, r.composedElsewhere()...)
	for _, f := range r.rolesOfOthers() {
		// EKS accepts only a roleArn of the cluster's own account; that of a tenant may be in another.
		if strings.HasSuffix(f.at.String(), ".roleArn") && (r.id.Tenant == nil || r.inHostAccount(f.arn)) {
			continue
		}
		if !slices.Contains(r.AllowedTargetAccounts, iam.ARNAccount(f.arn)) {
			errs = append(errs, notOneOf(f.at, "allowedTargetAccounts", f.arn, r.AllowedTargetAccounts))
		}
	}
	return errs
}

// composedElsewhere refuses a tenant's role that turns out to be in another account, by way of the bootstrap identity.
func (r *request) composedElsewhere() field.ErrorList {
	if r.id.Tenant == nil {
		return nil
	}
	arn := r.view.Observed(identity.RoleKey(identity.TenantName)).String("status", "atProvider", "arn")
	if account := iam.ARNAccount(arn); account == "" || r.inHostAccount(arn) || slices.Contains(r.AllowedTargetAccounts, account) {
		return nil
	}
	return field.ErrorList{notOneOf(r.at.Child("providerConfigRef"), "allowedTargetAccounts", arn, r.AllowedTargetAccounts)}
}

// inHostAccount says whether a tenant's role is in the account of the host's cluster. While that is being looked up, nothing is
// refused: Crossplane does not answer the requirements of a refusal, and resources that are composed before it answers are never
// applied.
func (r *request) inHostAccount(arn string) bool {
	account := r.id.Tenant.Host.Account()
	return account == "" && r.view.Requirements.Unanswered() || account != "" && iam.ARNAccount(arn) == account
}

// deniedActions checks every composed statement, those of the catalogue included. Policies and roles that cannot be read are refused.
func deniedActions(r *request) field.ErrorList {
	if len(r.DeniedActions) == 0 {
		return nil
	}
	const rule = "deniedActions"
	errs := append(r.unreadable(rule), r.unwritten(rule)...)
	errs = append(errs, r.claimedTemplates(rule)...)
	errs = append(errs, r.importedRoles(rule)...)
	errs = append(errs, r.deniedSharing(rule)...)
	for i, s := range r.id.Services {
		for _, v := range iam.Denied(s.Statements, r.DeniedActions) {
			errs = append(errs, violation(r.service(i).Child("permissions"), rule, v.Value, fmt.Sprintf("%s allows what %s denies", v.Element, v.Denied)))
		}
	}
	return errs
}

// deniedSharing refuses sharing if its permissions are denied: shared providers assume the roles of tenants.
func (r *request) deniedSharing(rule string) field.ErrorList {
	if r.id.Sharing == nil {
		return nil
	}
	errs := field.ErrorList{}
	for _, v := range iam.Denied([]iam.Statement{iam.AssumeStatements(iam.StringSet{"*"}, true)}, r.DeniedActions) {
		errs = append(errs, violation(r.at.Child("sharing"), rule, v.Value, "providers that are shared take on the roles of tenants, which "+v.Denied+" denies"))
	}
	return errs
}

func requiredPermissionsBoundary(r *request) field.ErrorList {
	if r.RequiredPermissionsBoundary == "" {
		return nil
	}
	const rule = "requiredPermissionsBoundary"
	errs := append(r.unreadable(rule), r.unwritten(rule)...)
	errs = append(errs, r.claimedTemplates(rule)...)
	own := slices.ContainsFunc(r.id.Services, func(s *identity.Service) bool { return s.RoleARN == "" })
	got := ""
	if r.spec.Role != nil {
		got = r.spec.Role.PermissionsBoundary
	}
	if own && got != r.RequiredPermissionsBoundary {
		errs = append(errs, violation(r.at.Child("role", "permissionsBoundary"), rule, got, "must be "+r.RequiredPermissionsBoundary))
	}
	return errs
}

// requiredKinds refuses access to a whole service, wherever it may come from.
func requiredKinds(r *request) field.ErrorList {
	if !r.RequiredKinds {
		return nil
	}
	const rule = "requiredKinds"
	errs := append(r.unreadable(rule), r.unwritten(rule)...)
	errs = append(errs, r.claimedTemplates(rule)...)
	errs = append(errs, r.importedRoles(rule)...)
	for i := range r.spec.Services {
		s := &r.spec.Services[i]
		at := r.service(i).Child("permissions")
		switch {
		case s.RoleARN != "":
		case identity.ServiceWide(s.Permissions):
			errs = append(errs, violation(at.Child("kinds"), rule, "", "must list the kinds that are used; docs/kinds.md has their names"))
		case s.Permissions.Kinds.Active():
			errs = append(errs, violation(at.Child("kinds"), rule, v1alpha1.KindsActive, "must list the kinds that are used, or anyone who may activate kinds would decide; docs/kinds.md has their names"))
		}
		if s.Permissions != nil {
			errs = append(errs, serviceWide(at, rule, s.Permissions)...)
		}
	}
	return errs
}

// serviceWide refuses custom statements that allow all actions of a service. A document that cannot be parsed is reported elsewhere.
func serviceWide(at *field.Path, rule string, p *v1alpha1.Permissions) field.ErrorList {
	const why = "allows all actions of a service: list kinds, or the actions that are used"
	errs := field.ErrorList{}
	for i, s := range p.Statements {
		if s.Effect != iam.Deny && (len(s.NotActions) > 0 || slices.ContainsFunc(s.Actions, isServiceWide)) {
			errs = append(errs, violation(at.Child("statements").Index(i), rule, strings.Join(s.Actions, ", "), why))
		}
	}
	if d, err := iam.ParseDocument(p.PolicyDocument); err == nil {
		for _, s := range d.Statement {
			if s.Effect != iam.Deny && (len(s.NotAction) > 0 || slices.ContainsFunc(s.Action, isServiceWide)) {
				errs = append(errs, violation(at.Child("policyDocument"), rule, strings.Join(s.Action, ", "), why))
			}
		}
	}
	return errs
}

// isServiceWide says whether a pattern of actions names no action: s3:*, or *.
func isServiceWide(action string) bool {
	_, name, ok := strings.Cut(action, ":")
	return !ok || strings.Trim(name, "*?") == ""
}

func requiredTags(r *request) field.ErrorList {
	if len(r.RequiredTags) == 0 {
		return nil
	}
	errs := r.unwritten("requiredTags")
	for _, key := range r.RequiredTags {
		if blank(r.spec.Tags[key]) {
			errs = append(errs, field.Required(r.at.Child("tags").Key(key), "guardrail requiredTags: the tag must have a value"))
		}
	}
	return errs
}

// blank says whether a text is invisible. Some letters are, such as U+3164, with which languages fill a gap.
func blank(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsSpace(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
	})
}

func forbidCustomPermissions(r *request) field.ErrorList {
	if !r.ForbidCustomPermissions {
		return nil
	}
	const rule, why = "forbidCustomPermissions", "only permissions from the catalogue are allowed"
	errs := r.forbidInServices(rule, why, []string{"permissions", "statements"}, []string{"permissions", "policyDocument"}, []string{"permissions", "managedPolicyArns"})
	return append(errs, r.forbidRolesOfOthers(rule, why)...)
}

func forbidRuntimeTemplates(r *request) field.ErrorList {
	if !r.ForbidRuntimeTemplates {
		return nil
	}
	return r.forbidTemplates("forbidRuntimeTemplates", "raw templates are not allowed")
}

// claimedTemplates refuses the raw templates of a claim. They can carry other images, and credentials of another role.
func (r *request) claimedTemplates(rule string) field.ErrorList {
	if _, claim := r.view.Claim(); claim == "" || r.ForbidRuntimeTemplates {
		return nil
	}
	return r.forbidTemplates(rule, "a raw template can bring other images and credentials")
}

func (r *request) forbidTemplates(rule, why string) field.ErrorList {
	errs := r.forbidInServices(rule, why, []string{"runtime", "deploymentTemplate"}, []string{"runtime", "serviceAccountTemplate"})
	return append(errs, r.forbid(rule, why, []string{"runtime", "deploymentTemplate"}, []string{"runtime", "serviceAccountTemplate"})...)
}

// forbidBringYourOwnRole forbids everything that may hand an existing role over. A role name does: if a role of that name exists, the
// provider adopts it with all its permissions.
func forbidBringYourOwnRole(r *request) field.ErrorList {
	if !r.ForbidBringYourOwnRole {
		return nil
	}
	const rule, why = "forbidBringYourOwnRole", "existing roles are not allowed, and a role of that name may exist"
	errs := r.forbidRolesOfOthers(rule, "existing roles are not allowed")
	errs = append(errs, r.forbidInServices(rule, why, []string{"roleName"}, []string{"importRole"})...)
	return append(errs, r.forbid(rule, why, []string{"role", "namePrefix"}, []string{"role", "path"}, []string{"adoptExisting"})...)
}

// foreign is a role that is managed elsewhere, and whose credentials providers get, directly or through a chain.
type foreign struct {
	at  *field.Path
	arn string
}

// rolesOfOthers returns the foreign roles that result, wherever they are named.
func (r *request) rolesOfOthers() []foreign {
	var out []foreign
	if t := r.id.Tenant; t != nil {
		out = append(out, foreign{r.at.Child("roleArn"), t.Role.RoleARN})
	}
	for i, s := range r.spec.Services {
		if r.id.Tenant != nil {
			break
		}
		out = append(out, foreign{r.service(i).Child("roleArn"), s.RoleARN}, foreign{r.service(i).Child("targetRoleArn"), s.TargetRoleARN})
	}
	if pc := r.spec.ProviderConfig; pc != nil {
		for i, a := range pc.AssumeRoleChain {
			out = append(out, foreign{r.at.Child("providerConfig", "assumeRoleChain").Index(i).Child("roleARN"), a.RoleARN})
		}
	}
	return slices.DeleteFunc(out, func(f foreign) bool { return f.arn == "" })
}

// forbidRolesOfOthers refuses those that a composite resource itself names.
func (r *request) forbidRolesOfOthers(rule, why string) field.ErrorList {
	errs := r.forbidInServices(rule, why, []string{"roleArn"}, []string{"targetRoleArn"})
	if r.id.Tenant != nil {
		errs = append(errs, r.forbid(rule, why, []string{"roleArn"})...)
	}
	return append(errs, r.forbid(rule, why, []string{"providerConfig", "assumeRoleChain"})...)
}

// importedRoles refuses imported roles, whose policies cannot be read, unless the platform team lists their ARNs.
func (r *request) importedRoles(rule string) field.ErrorList {
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		at := r.service(i).Child("importRole")
		switch adopt := r.spec.AdoptExisting; {
		case r.id.Tenant != nil, s.RoleARN != "", s.RoleName == "", r.named(iam.RoleARN(r.id.Partition, r.spec.AccountID, s.RoleName)):
			// While the cluster is not known there is no name, and nothing is created.
			continue
		case r.spec.Services[i].ImportRole != nil && *r.spec.Services[i].ImportRole:
		case adopt != nil && *adopt:
			at = r.at.Child("adoptExisting")
		default:
			continue
		}
		errs = append(errs, violation(at, rule, "true", "the function cannot read what a role that exists may do"+wayOut))
	}
	return errs
}

const wayOut = "; ask the platform team to list its ARN in allowedManagedPolicyArns"

// unreadable refuses policies and roles that cannot be read, and that the platform team did not name.
func (r *request) unreadable(rule string) field.ErrorList {
	errs := field.ErrorList{}
	for _, f := range r.rolesOfOthers() {
		if !r.named(f.arn) {
			errs = append(errs, violation(f.at, rule, f.arn, "the function cannot read what this role may do"+wayOut))
		}
	}
	if r.AllowedManagedPolicyARNs != nil {
		// That rule refuses the policies that it does not list.
		return errs
	}
	for i, s := range r.id.Services {
		for j, arn := range s.ManagedPolicyARNs {
			errs = append(errs, violation(r.service(i).Child("permissions", "managedPolicyArns").Index(j), rule, arn, "the function cannot read what this policy allows, now or later"+wayOut))
		}
	}
	return errs
}

// named says whether the platform team lists another owner's role. A pattern without :role/ is about policies.
func (r *request) named(role string) bool {
	return slices.ContainsFunc(r.AllowedManagedPolicyARNs, func(p string) bool { return strings.Contains(p, ":role/") && iam.Match(p, role) })
}

// unwritten refuses management policies that keep required settings from ever reaching AWS.
func (r *request) unwritten(rule string) field.ErrorList {
	has := func(a v1alpha1.ManagementAction) bool { return slices.Contains(r.spec.ManagementPolicies, a) }
	if len(r.spec.ManagementPolicies) == 0 || has("*") || has("Create") && has("Update") {
		return nil
	}
	value := fmt.Sprint(r.spec.ManagementPolicies)
	return field.ErrorList{violation(r.at.Child("managementPolicies"), rule, value, "must have Create and Update, or *: without them what the rule requires never reaches AWS")}
}

// forbid refuses fields that a composite resource sets.
func (r *request) forbid(rule, why string, paths ...[]string) field.ErrorList {
	errs := field.ErrorList{}
	for _, p := range paths {
		if v := r.xr.Value(append([]string{"spec"}, p...)...); isSet(v) {
			errs = append(errs, violation(r.at.Child(p[0], p[1:]...), rule, short(v.AsInterface()), why))
		}
	}
	return errs
}

// isSet says whether a field has a value. An empty text is not one, as for defaults.
func isSet(v *structpb.Value) bool {
	switch k := v.GetKind().(type) {
	case nil, *structpb.Value_NullValue:
		return false
	case *structpb.Value_StringValue:
		return k.StringValue != ""
	}
	return true
}

// forbidInServices refuses fields that a composite resource sets for a service.
func (r *request) forbidInServices(rule, why string, paths ...[]string) field.ErrorList {
	errs := field.ErrorList{}
	for i, s := range r.xr.List("spec", "services") {
		for _, p := range paths {
			if v := s.Value(p...); isSet(v) {
				errs = append(errs, violation(r.service(i).Child(p[0], p[1:]...), rule, short(v.AsInterface()), why))
			}
		}
	}
	return errs
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

// short returns a short form of a value. Policies do not belong in messages.
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
