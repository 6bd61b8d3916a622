package guardrails

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Rules that forbid fields.

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
