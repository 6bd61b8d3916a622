package identity

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// TenantsSuffix marks the policy that lets a service's provider assume the roles of tenants. It is an object of its own, so that
// sharing can be set and removed without changing anything else.
const TenantsSuffix = ".tenants"

// maxRolePath leaves room for a namespace and a slash.
const maxRolePath = iam.MaxPath - 64

//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	rolePathPattern  = regexp.MustCompile(`^/([A-Za-z0-9_+=,.@-]+/)+$`)
	namespacePattern = regexp.MustCompile(`^[a-z0-9*?]([-a-z0-9*?]*[a-z0-9*?])?$`)
)

// Sharing holds the settings of a host for its tenants.
type Sharing struct {
	// RolePath below which the roles of tenants are; empty while the cluster is not known.
	RolePath string
	// NamePrefix of the roles of tenants.
	NamePrefix string
	// Accounts that roles of tenants may be in, besides the cluster's own.
	Accounts []string
	// Namespaces whose claims may be tenants, as patterns; none for all.
	Namespaces []string
}

// sharing returns the settings of the spec; nil for none. Roles of tenants stay below the path that they were given.
func (id *Identity) sharing(exists *made, at *field.Path) *Sharing {
	s := id.Spec.Sharing
	if s == nil {
		return nil
	}
	out := &Sharing{RolePath: s.RolePath, NamePrefix: id.namePrefix(), Accounts: s.Accounts, Namespaces: s.Namespaces}
	if out.RolePath == "" && id.Cluster != "" {
		out.RolePath = "/" + out.NamePrefix + "/" + id.Cluster + "/"
	}
	if known := knownRolePath(exists.v); out.RolePath != "" && known != "" {
		out.RolePath = exists.keep(at.Child("sharing", "rolePath"), exists.own("sharing", "rolePath"), out.RolePath, known)
	}
	return out
}

// knownRolePath is the path below which tenants have their roles so far: that in the status or, without it, in the policies that let
// providers assume them. Empty if neither has it.
func knownRolePath(v *view.View) string {
	if known := v.XR.String("status", "sharing", "rolePath"); rolePathPattern.MatchString(known) {
		return known
	}
	for _, key := range v.ObservedWithPrefix(PolicyKey("")) {
		if !strings.HasSuffix(key, TenantsSuffix) {
			continue
		}
		for _, pattern := range iam.TenantRoles(v.Observed(key).String("spec", "forProvider", "policy")) {
			_, path, _ := strings.Cut(pattern, ":role")
			if path = strings.TrimSuffix(path, "*"); rolePathPattern.MatchString(path) {
				return path
			}
		}
	}
	return ""
}

// TenantsPolicy lets a service's provider assume the roles of tenants; nil if nothing is shared. It has no document while their path or
// account is not known. They are in the account of the service's own role, which only IAM knows for sure, and in those that the spec
// adds. Kept are patterns of roles that it granted before and cannot remove yet.
func (id *Identity) TenantsPolicy(s *Service, roleARN string, kept ...string) *Policy {
	if id.Sharing == nil {
		return nil
	}
	p := &Policy{Suffix: TenantsSuffix}
	account := cmp.Or(iam.ARNAccount(cmp.Or(s.RoleARN, roleARN)), id.Spec.AccountID)
	if account == "" || id.Sharing.RolePath == "" {
		return p
	}
	var resources iam.StringSet
	for _, a := range append([]string{account}, id.Sharing.Accounts...) {
		resources = append(resources, fmt.Sprintf("arn:%s:iam::%s:role%s*", id.Partition, a, id.Sharing.RolePath))
	}
	for _, pattern := range kept {
		if !slices.Contains(resources, pattern) {
			resources = append(resources, pattern)
		}
	}
	p.Document = iam.NewDocument(iam.AssumeStatements(resources, !s.DisableSessionTags)).String()
	return p
}

// validateSharing checks a host's settings for tenants.
func validateSharing(at *field.Path, spec *v1alpha1.PodIdentityProviderSpec) field.ErrorList {
	s := spec.Sharing
	if s == nil {
		return nil
	}
	errs := field.ErrorList{}
	in := at.Child("sharing")
	errs = append(errs, matches(in.Child("rolePath"), s.RolePath, rolePathPattern, "must begin and end with /, with letters, digits and +=,.@_- between the slashes, such as /crossplane/prod/")...)
	if len(s.RolePath) > maxRolePath {
		errs = append(errs, field.TooLong(in.Child("rolePath"), field.OmitValueType{}, maxRolePath))
	}
	errs = append(errs, validateAccounts(in.Child("accounts"), s.Accounts)...)
	if len(s.Namespaces) > maxNamespaces {
		errs = append(errs, field.TooMany(in.Child("namespaces"), len(s.Namespaces), maxNamespaces))
		return errs
	}
	for i, n := range s.Namespaces {
		errs = append(errs, matches(in.Child("namespaces").Index(i), cmp.Or(n, "-"), namespacePattern, "must be a namespace or a pattern such as team-*: lower-case letters, digits, -, * and ?")...)
	}
	for i, svc := range spec.Services {
		if len(errs) > view.MaxErrors {
			break
		}
		if svc.TargetRoleARN != "" {
			errs = append(errs, field.Forbidden(at.Child("services").Index(i).Child("targetRoleArn"), "cannot be used together with sharing: the provider would run as that role, and tenants trust the service's own"))
		}
	}
	return errs
}

// maxAccounts is also the limit of the schema.
const maxAccounts = 20

func validateAccounts(at *field.Path, accounts []string) field.ErrorList {
	if len(accounts) > maxAccounts {
		return field.ErrorList{field.TooMany(at, len(accounts), maxAccounts)}
	}
	errs := field.ErrorList{}
	for i, a := range accounts {
		errs = append(errs, matches(at.Index(i), cmp.Or(a, "none"), accountPattern, "must be an AWS account id of 12 digits")...)
		if slices.Contains(accounts[:i], a) {
			errs = append(errs, field.Duplicate(at.Index(i), a))
		}
	}
	return errs
}
