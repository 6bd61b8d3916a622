package guardrails

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

// Rules about what a role may do, and about what every role and policy must have.

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
		errs = append(errs, violation(r.at.Child("sharing"), rule, v.Value, "providers that are shared assume the roles of tenants, which "+v.Denied+" denies"))
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
