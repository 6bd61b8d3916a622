package identity

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

func validateService(at *field.Path, s *v1alpha1.Service, h home) field.ErrorList {
	errs := matches(at.Child("name"), cmp.Or(s.Name, "_"), servicePattern, "must have 1 to 40 lower-case letters, digits and -")
	if len(errs) == 0 {
		errs = append(errs, validateKnown(at, s)...)
	}
	errs = append(errs, oneOf(at.Child("management"), s.Management, v1alpha1.ServiceManaged, v1alpha1.ServiceObserved)...)
	if s.ServiceAccountName != "" {
		errs = append(errs, problems(at.Child("serviceAccountName"), s.ServiceAccountName, validation.IsDNS1123Subdomain)...)
	}
	errs = append(errs, matches(at.Child("roleName"), s.RoleName, iamNamePattern, "must have 1 to 64 letters, digits and +=,.@_-")...)
	errs = append(errs, matches(at.Child("associationId"), s.AssociationID, associationPattern, "must be an association's id such as a-0123456789abcdef0")...)
	errs = append(errs, h.ownRole(at.Child("roleArn"), s.RoleARN)...)
	if s.RoleARN != "" && (s.Permissions != nil || s.RoleName != "" || isTrue(s.ImportRole)) {
		errs = append(errs, field.Forbidden(at.Child("roleArn"), "brings its own permissions and name: it excludes permissions, roleName and importRole"))
	}
	if s.Permissions != nil {
		errs = append(errs, validateManaged(at, s.Permissions.ManagedPolicyARNs, h)...)
	}
	if s.Runtime != nil {
		errs = append(errs, validateRuntime(at.Child("runtime"), s.Runtime)...)
	}
	errs = append(errs, h.role(at.Child("targetRoleArn"), s.TargetRoleARN)...)
	if isTrue(s.AdoptExistingProvider) && s.Management == v1alpha1.ServiceObserved {
		errs = append(errs, field.Forbidden(at.Child("adoptExistingProvider"), "management: Observe leaves the Provider to its owner: set Managed to adopt it"))
	}
	if s.AssociationID != "" && isTrue(s.AdoptExistingAssociation) {
		errs = append(errs, field.Forbidden(at.Child("adoptExistingAssociation"), "associationId names the association already"))
	}
	return errs
}

// validateManaged checks the existing policies of a service.
func validateManaged(at *field.Path, arns []string, h home) field.ErrorList {
	errs := field.ErrorList{}
	seen := make(map[string]bool, len(arns))
	for i, a := range arns {
		at := at.Child("permissions", "managedPolicyArns").Index(i)
		errs = append(errs, h.policy(at, cmp.Or(a, "none"))...)
		if seen[a] {
			errs = append(errs, field.Duplicate(at, a))
		}
		seen[a] = true
	}
	return errs
}

// maxKinds is how many kinds may be listed. No package has that many.
const maxKinds = 200

// validateKinds checks that the catalogue knows the kinds of a service.
func validateKinds(at *field.Path, entry catalogue.Service, kinds v1alpha1.Kinds) field.ErrorList {
	switch {
	case kinds.Active() && len(entry.Kinds()) == 0:
		return field.ErrorList{field.Invalid(at, v1alpha1.KindsActive, "the function knows no kind of provider-aws-"+entry.Name+": use statements, or leave the field out for everything of the service")}
	case kinds.Active():
		return nil
	case len(kinds) == 0:
		return field.ErrorList{field.Required(at, "list at least one kind, or leave the field out for everything of the service")}
	case len(kinds) > maxKinds:
		return field.ErrorList{field.TooMany(at, len(kinds), maxKinds)}
	}
	errs := field.ErrorList{}
	for i, name := range kinds {
		if _, ok := entry.Kind(name); ok {
			if slices.Contains(kinds[:i], name) {
				errs = append(errs, field.Duplicate(at.Index(i), name))
			}
			continue
		}
		hint := "is not a kind of provider-aws-" + entry.Name + " that the function knows"
		if near := entry.KindHint(name); near != "" {
			hint += " (" + near + ")"
		}
		errs = append(errs, field.Invalid(at.Index(i), name, hint+": docs/kinds.md lists them; use statements for others"))
	}
	return errs
}

// validateKnown checks that the catalogue knows the service, or that the service has everything that the catalogue would give.
func validateKnown(at *field.Path, s *v1alpha1.Service) field.ErrorList {
	if _, ok := catalogue.Lookup(s.Name); ok {
		return nil
	}
	if (s.RoleARN != "" || withoutCatalogue(s.Permissions)) && s.Package != "" {
		return nil
	}
	return field.ErrorList{field.Invalid(at.Child("name"), s.Name, unknown(s.Name)+": for any other service give both package and its own permissions, without an accessLevel")}
}

// unknown says that the catalogue does not have a service, and suggests similar ones.
func unknown(name string) string {
	if near := catalogue.Nearest(name); len(near) > 0 {
		return "is not in the catalogue (did you mean " + strings.Join(near, ", ") + "?)"
	}
	return "is not in the catalogue"
}

// withoutCatalogue says whether permissions are given, and none of them come from the catalogue.
func withoutCatalogue(p *v1alpha1.Permissions) bool {
	return p != nil && p.Kinds == nil && accessLevel(p) == v1alpha1.AccessNone
}

// validateUnique checks that no two services share a name, a ServiceAccount, a role, a package or an association.
func validateUnique(at *field.Path, specs []v1alpha1.Service, services []*Service, shared bool) field.ErrorList {
	errs := field.ErrorList{}
	seen := map[string]bool{}
	unique := func(at *field.Path, kind, v string, why ...string) bool {
		again := seen[kind+v]
		if v != "" && again {
			err := field.Duplicate(at, v)
			err.Detail = strings.Join(why, "")
			errs = append(errs, err)
		}
		seen[kind+v] = true
		return !again
	}
	for i, s := range services {
		at := at.Index(i)
		if !unique(at.Child("name"), "name ", s.Name) {
			continue
		}
		unique(at.Child("serviceAccountName"), "serviceaccount ", s.ServiceAccount,
			"EKS gives a ServiceAccount one association, and so one role: give each service a ServiceAccount of its own, or leave the field out")
		if s.RoleARN == "" {
			// IAM ignores the letter case of names.
			name := strings.ToLower(cmp.Or(s.RoleName, specs[i].RoleName))
			again := !unique(at.Child("roleName"), "role ", name)
			for _, p := range s.policies(shared) {
				// The second policy of one role may have the name of the first of another.
				again = again || !unique(at.Child("roleName"), "policy ", withSuffix(name, p.Suffix))
			}
		}
		unique(at.Child("associationId"), "association ", s.AssociationID)
		if s.Managed {
			// The same provider from another registry would fight over the same kinds.
			unique(at.Child("package"), "package ", path.Base(s.Provider.Repository))
		}
	}
	return errs
}

// validatePolicyNames checks that no composed policy has the name of one that is only referred to: a permissions boundary, or a policy
// to attach. It would be overwritten. IAM ignores letter case and path when it compares names.
func (id *Identity) validatePolicyNames(v *view.View, at *field.Path) field.ErrorList {
	others := map[string]string{}
	refer := func(arn string) {
		parts := strings.SplitN(arn, ":", 6)
		if len(parts) == 6 && parts[4] != "aws" {
			others[strings.ToLower(path.Base(parts[5]))] = arn
		}
	}
	if id.Spec.Role != nil {
		refer(id.Spec.Role.PermissionsBoundary)
	}
	for _, g := range v.Guardrails {
		refer(g.RequiredPermissionsBoundary)
	}
	for _, s := range id.Services {
		for _, arn := range s.ManagedPolicyARNs {
			refer(arn)
		}
	}
	errs := field.ErrorList{}
	for i, s := range id.Services {
		for _, p := range s.policies(id.Sharing != nil) {
			if arn := others[strings.ToLower(p.NameInAWS(s))]; arn != "" && s.RoleName != "" {
				errs = append(errs, field.Invalid(at.Index(i).Child("roleName"), s.RoleName,
					fmt.Sprintf("the policy of the role would be %s, which is a permissions boundary or attached to a role: it would be overwritten. Choose another roleName", arn)))
			}
		}
	}
	return errs
}
