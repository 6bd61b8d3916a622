package identity

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Forms that AWS prescribes. The schema has the same; local renders do not check it, and defaults do not pass through it.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	regionPattern       = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]+$`)
	clusterPattern      = regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$`)
	accountPattern      = regexp.MustCompile(`^[0-9]{12}$`)
	servicePattern      = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$`)
	iamNamePattern      = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	pathPattern         = regexp.MustCompile(`^/([!-)+->@-~]+/)?$`)
	addonVersionPattern = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)
	associationPattern  = regexp.MustCompile(`^a-[a-z0-9]+$`)
	externalIDPattern   = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]*$`)
	tagPattern          = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

// agentManaged is the management of a composed agent.
const agentManaged = "Managed"

// validate checks the fields that concern the whole spec.
func validate(at *field.Path, s *v1alpha1.PodIdentityProviderSpec) field.ErrorList {
	errs := field.ErrorList{}
	if s.Region == "" {
		errs = append(errs, field.Required(at.Child("region"), "set it here or in the platform team's defaults"))
	} else {
		errs = append(errs, matches(at.Child("region"), s.Region, regionPattern, "must be an AWS region such as eu-west-1")...)
	}
	errs = append(errs, validateCluster(at, s)...)
	errs = append(errs, matches(at.Child("accountId"), s.AccountID, accountPattern, "must be an AWS account id of 12 digits")...)
	if len(s.Services) == 0 {
		errs = append(errs, field.Required(at.Child("services"), "name at least one service"))
	}
	errs = append(errs, validateCommon(at, s, homeOf(s))...)
	errs = append(errs, validateSessionTags(at, s)...)
	errs = append(errs, validateSharing(at, s)...)
	errs = append(errs, validateProvider(at.Child("provider"), s.Provider)...)
	errs = append(errs, validateRuntime(at.Child("runtime"), s.Runtime)...)
	if a := s.PodIdentityAgent; a != nil {
		errs = append(errs, oneOf(at.Child("podIdentityAgent", "management"), a.Management, "None", agentManaged)...)
		errs = append(errs, matches(at.Child("podIdentityAgent", "version"), a.Version, addonVersionPattern, "must be a version of the add-on such as v1.3.4-eksbuild.1")...)
	}
	if s.CrossplaneNamespace != "" {
		errs = append(errs, problems(at.Child("crossplaneNamespace"), s.CrossplaneNamespace, validation.IsDNS1123Label)...)
	}
	return errs
}

// validateCommon checks the fields that all kinds have.
func validateCommon(at *field.Path, s *v1alpha1.PodIdentityProviderSpec, h home) field.ErrorList {
	errs := validateTags(at.Child("tags"), s.Tags)
	errs = append(errs, validateRole(at.Child("role"), s.Role, h)...)
	errs = append(errs, validateProviderConfig(at.Child("providerConfig"), s.ProviderConfig, h)...)
	if r := s.ProviderConfigRef; r != nil && len(r.Name) > MaxProviderConfigName {
		errs = append(errs, field.TooLong(at.Child("providerConfigRef", "name"), field.OmitValueType{}, MaxProviderConfigName))
	}
	for i, p := range s.ManagementPolicies {
		errs = append(errs, oneOf(at.Child("managementPolicies").Index(i), p, "Observe", "Create", "Update", "Delete", "LateInitialize", "*")...)
	}
	errs = append(errs, oneOf(at.Child("deletionPolicy"), s.DeletionPolicy, v1alpha1.DeletionDelete, v1alpha1.DeletionOrphan)...)
	return append(errs, oneOf(at.Child("teardown"), s.Teardown, v1alpha1.TeardownOrdered, v1alpha1.TeardownUnordered)...)
}

func validateCluster(at *field.Path, s *v1alpha1.PodIdentityProviderSpec) field.ErrorList {
	n := 0
	for _, set := range []bool{s.ClusterName != "", s.ClusterNameRef != nil, s.ClusterNameSelector != nil} {
		if set {
			n++
		}
	}
	const hint = "exactly one of clusterName, clusterNameRef and clusterNameSelector must be set, here or in the platform team's defaults"
	switch {
	case n == 0:
		return field.ErrorList{field.Required(at.Child("clusterName"), hint)}
	case n > 1:
		return field.ErrorList{field.Forbidden(at.Child("clusterName"), hint)}
	case s.ClusterName != "":
		return matches(at.Child("clusterName"), s.ClusterName, clusterPattern, "must be an EKS cluster name: 1 to 100 letters, digits, - and _")
	case s.ClusterNameRef != nil:
		return problems(at.Child("clusterNameRef", "name"), s.ClusterNameRef.Name, validation.IsDNS1123Subdomain)
	}
	sel := s.ClusterNameSelector
	if len(sel.MatchLabels) == 0 && (sel.MatchControllerRef == nil || !*sel.MatchControllerRef) {
		return field.ErrorList{field.Required(at.Child("clusterNameSelector", "matchLabels"), "a selector needs matchLabels or matchControllerRef")}
	}
	return metavalidation.ValidateLabels(sel.MatchLabels, at.Child("clusterNameSelector", "matchLabels"))
}

func validateRole(at *field.Path, r *v1alpha1.Role, h home) field.ErrorList {
	if r == nil {
		return nil
	}
	errs := field.ErrorList{}
	errs = append(errs, matches(at.Child("namePrefix"), r.NamePrefix, iamNamePattern, "may have letters, digits and +=,.@_-")...)
	if len(r.NamePrefix) > 32 {
		errs = append(errs, field.TooLong(at.Child("namePrefix"), r.NamePrefix, 32))
	}
	errs = append(errs, matches(at.Child("path"), r.Path, pathPattern, "must begin and end with /, without * and ?")...)
	// Not part of the pattern: a regexp that counts to 512 takes 10 ms to compile.
	if len(r.Path) > iam.MaxPath {
		errs = append(errs, field.TooLong(at.Child("path"), field.OmitValueType{}, iam.MaxPath))
	}
	if len([]rune(r.Description)) > 1000 {
		errs = append(errs, field.TooLong(at.Child("description"), field.OmitValueType{}, 1000))
	}
	// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
	if strings.ContainsFunc(r.Description, func(c rune) bool {
		return !strings.ContainsRune("\t\n\r", c) && (c < ' ' || c > '~' && c < 0xA1 || c > 0xFF)
	}) {
		errs = append(errs, field.Invalid(at.Child("description"), r.Description, "may have only printable Latin-1 characters, without no-break spaces"))
	}
	errs = append(errs, validateTrust(at, conditions(r.TrustConditions), h)...)
	errs = append(errs, h.policy(at.Child("permissionsBoundary"), r.PermissionsBoundary)...)
	if d := r.MaxSessionDuration; d != nil && (*d < 3600 || *d > 43200) {
		errs = append(errs, field.Invalid(at.Child("maxSessionDuration"), *d, "must be from 3600 to 43200 seconds"))
	}
	return errs
}

func validateProvider(at *field.Path, p *v1alpha1.Provider) field.ErrorList {
	if p == nil {
		return nil
	}
	errs := field.ErrorList{}
	errs = append(errs, matches(at.Child("registry"), p.Registry, repositoryPattern, repositoryHint)...)
	errs = append(errs, matches(at.Child("version"), p.Version, versionPattern, versionHint)...)
	errs = append(errs, oneOf(at.Child("family"), p.Family, v1alpha1.FamilyObserve, v1alpha1.FamilyManage)...)
	if p.Family == v1alpha1.FamilyManage && p.Version == "" {
		errs = append(errs, field.Required(at.Child("version"), "family: Manage needs a version of provider-family-aws"))
	}
	errs = append(errs, oneOf(at.Child("packagePullPolicy"), p.PackagePullPolicy, "Always", "IfNotPresent", "Never")...)
	errs = append(errs, oneOf(at.Child("revisionActivationPolicy"), p.RevisionActivationPolicy, "Automatic", "Manual")...)
	if n := p.RevisionHistoryLimit; n != nil && *n < 0 {
		errs = append(errs, field.Invalid(at.Child("revisionHistoryLimit"), *n, "must not be negative"))
	}
	for i, s := range p.PackagePullSecrets {
		errs = append(errs, problems(at.Child("packagePullSecrets").Index(i).Child("name"), s.Name, validation.IsDNS1123Subdomain)...)
	}
	return append(errs, metavalidation.ValidateLabels(p.CommonLabels, at.Child("commonLabels"))...)
}

func validateProviderConfig(at *field.Path, p *v1alpha1.ProviderConfig, h home) field.ErrorList {
	if p == nil {
		return nil
	}
	errs := field.ErrorList{}
	if p.Name != "" {
		errs = append(errs, problems(at.Child("name"), p.Name, validation.IsDNS1123Subdomain)...)
	}
	for i, r := range p.AssumeRoleChain {
		at := at.Child("assumeRoleChain").Index(i)
		errs = append(errs, h.role(at.Child("roleARN"), cmp.Or(r.RoleARN, "none"))...)
		errs = append(errs, validateSession(at, r)...)
	}
	return append(errs, validateNamespaces(at.Child("namespaces"), p.Namespaces)...)
}

// maxNamespaces bounds how many objects a composite resource composes.
const maxNamespaces = 100

func validateNamespaces(at *field.Path, namespaces []string) field.ErrorList {
	errs := field.ErrorList{}
	if len(namespaces) > maxNamespaces {
		return append(errs, field.TooMany(at, len(namespaces), maxNamespaces))
	}
	seen := make(map[string]bool, len(namespaces))
	for i, ns := range namespaces {
		errs = append(errs, problems(at.Index(i), ns, validation.IsDNS1123Label)...)
		if seen[ns] {
			errs = append(errs, field.Duplicate(at.Index(i), ns))
		}
		seen[ns] = true
	}
	return errs
}

// validateProviderConfigName keeps the composed ProviderConfig apart from the one that its own prerequisites use.
func validateProviderConfigName(at *field.Path, v *view.View, id *Identity) field.ErrorList {
	observed := v.Observed(ProviderConfigKey).Name()
	if observed == "" && len(id.ProviderConfig) > MaxProviderConfigName {
		return field.ErrorList{field.TooLong(at.Child("providerConfig", "name"), field.OmitValueType{}, MaxProviderConfigName)}
	}
	if id.ProviderConfig == id.BootstrapConfig {
		return field.ErrorList{field.Invalid(at.Child("providerConfig", "name"), id.ProviderConfig,
			"is also spec.providerConfigRef, the identity that the IAM and EKS resources themselves use: it cannot depend on what it creates")}
	}
	return nil
}

func immutable(at *field.Path, want, got string) *field.Error {
	return field.Invalid(at, want, fmt.Sprintf("is immutable: existing resources keep %q; set it back", got))
}

func matches(at *field.Path, v string, p *regexp.Regexp, hint string) field.ErrorList {
	if v == "" || p.MatchString(v) {
		return nil
	}
	return field.ErrorList{field.Invalid(at, v, hint)}
}

func problems(at *field.Path, v string, check func(string) []string) field.ErrorList {
	errs := field.ErrorList{}
	for _, p := range check(v) {
		errs = append(errs, field.Invalid(at, v, p))
	}
	return errs
}

func oneOf[T ~string](at *field.Path, v T, allowed ...T) field.ErrorList {
	if v == "" || slices.Contains(allowed, v) {
		return nil
	}
	return field.ErrorList{field.NotSupported(at, v, allowed)}
}

func isTrue(b *bool) bool { return b != nil && *b }
