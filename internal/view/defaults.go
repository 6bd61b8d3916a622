package view

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/claims"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// alternatives are groups of fields of which only one can be used: where the composite resource uses one, the defaults of
// the others do not apply.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	clusterAlternatives = []string{"clusterName", "clusterNameRef", "clusterNameSelector"}
	ownRole             = []string{"permissions", "roleName", "importRole"}
)

// applyDefaults applies those of the Input to a composite resource's spec, which wins field by field.
func (k *kind) applyDefaults(spec, defaults map[string]any) {
	defaults = runtime.DeepCopyJSON(defaults)
	drop(defaults, k.without...)
	if k == tenantKind && isSet(spec["roleArn"]) {
		// An existing role has its own.
		drop(defaults, "role", "services")
	}
	if slices.ContainsFunc(clusterAlternatives, func(f string) bool { return isSet(spec[f]) }) {
		drop(defaults, clusterAlternatives...)
	}
	applyServiceDefaults(spec["services"], defaults["services"])
	delete(defaults, "services")
	merge(spec, defaults, k.spec)
}

// applyServiceDefaults gives each service the defaults of the service of that name.
func applyServiceDefaults(services, defaults any) {
	byName := map[string]map[string]any{}
	ds, _ := defaults.([]any)
	for _, d := range ds {
		if m, ok := d.(map[string]any); ok {
			name, _ := m["name"].(string)
			byName[name] = m
		}
	}
	ss, _ := services.([]any)
	for _, s := range ss {
		m, ok := s.(map[string]any)
		if !ok {
			continue
		}
		name, _ := m["name"].(string)
		d := maps.Clone(byName[name])
		if isSet(m["roleArn"]) {
			drop(d, ownRole...)
		}
		if slices.ContainsFunc(ownRole, func(f string) bool { return isSet(m[f]) }) {
			drop(d, "roleArn")
		}
		merge(m, d, reflect.TypeFor[v1alpha1.Service]())
	}
}

func drop(m map[string]any, fields ...string) {
	for _, f := range fields {
		delete(m, f)
	}
}

func validateInput(at *field.Path, in *v1beta1.Input) field.ErrorList {
	errs := field.ErrorList{}
	switch in.Prerequisites {
	case "", v1beta1.PrerequisitesVerify, v1beta1.PrerequisitesAssume:
	default:
		errs = append(errs, field.NotSupported(at.Child("prerequisites"), in.Prerequisites, []v1beta1.Prerequisites{v1beta1.PrerequisitesVerify, v1beta1.PrerequisitesAssume}))
	}
	switch in.UsageKind {
	case "", v1beta1.UsageKindUsage, v1beta1.UsageKindClusterUsage:
	default:
		errs = append(errs, field.NotSupported(at.Child("usageKind"), in.UsageKind, []v1beta1.UsageKind{v1beta1.UsageKindUsage, v1beta1.UsageKindClusterUsage}))
	}
	if in.TTL != nil && (in.TTL.Duration < minTTL || in.TTL.Duration > maxTTL) {
		errs = append(errs, field.Invalid(at.Child("ttl"), in.TTL.Duration.String(), "must be from 1m to 1h"))
	}
	errs = append(errs, validateGuardrails(at.Child("guardrails"), in.Guardrails)...)
	for i, n := range in.Namespaces {
		at := at.Child("namespaces").Index(i)
		errs = append(errs, validateMatch(at.Child("match"), n.Match)...)
		errs = append(errs, validateGuardrails(at.Child("guardrails"), n.Guardrails)...)
	}
	if in.Claims != nil {
		errs = append(errs, claims.Validate(at.Child("claims", "allowedFields"), in.Claims.AllowedFields, claims.PodIdentityProvider, claims.PodIdentityTenant)...)
	}
	if in.APIVersion != "" && in.APIVersion != "podidentity.fn.crossplane.io/v1beta1" {
		errs = append(errs, field.NotSupported(at.Child("apiVersion"), in.APIVersion, []string{"podidentity.fn.crossplane.io/v1beta1"}))
	}
	if in.Kind != "" && in.Kind != "Input" {
		errs = append(errs, field.NotSupported(at.Child("kind"), in.Kind, []string{"Input"}))
	}
	return errs
}

// validateMatch checks patterns of namespaces.
func validateMatch(at *field.Path, match []string) field.ErrorList {
	if len(match) == 0 {
		return field.ErrorList{field.Required(at, "list the namespaces, or patterns of them such as team-*, whose claims the entry is for")}
	}
	return validatePatterns(at, match, namePattern("-"), "must be a namespace or a pattern such as team-*: lower-case letters, digits, -, * and ?")
}

// namePattern returns the characters that patterns of names may have.
func namePattern(more string) string { return "abcdefghijklmnopqrstuvwxyz0123456789*?" + more }

// validatePatterns checks that names can match at all.
func validatePatterns(at *field.Path, patterns []string, characters, hint string) field.ErrorList {
	errs := field.ErrorList{}
	for i, p := range patterns {
		if p == "" || strings.Trim(p, characters) != "" {
			errs = append(errs, field.Invalid(at.Index(i), p, hint))
		}
	}
	return errs
}

// validateGuardrails checks that a guardrail can have an effect: one that matches nothing would protect nothing.
func validateGuardrails(at *field.Path, g *v1beta1.Guardrails) field.ErrorList {
	if g == nil {
		return nil
	}
	errs := field.ErrorList{}
	for i, a := range g.DeniedActions {
		if problem := iam.CheckAction(a); problem != "" {
			errs = append(errs, field.Invalid(at.Child("deniedActions").Index(i), a, problem+": no action matches it, so it would deny nothing. Write one action or pattern in each entry, such as iam:PassRole or iam:*"))
		}
	}
	const serviceAccounts = "must be a ServiceAccount or a pattern such as provider-aws-*: lower-case letters, digits, -, ., * and ?"
	errs = append(errs, validatePatterns(at.Child("allowedServiceAccounts"), g.AllowedServiceAccounts, namePattern("-."), serviceAccounts)...)
	errs = append(errs, validatePatterns(at.Child("protectedServiceAccounts"), g.ProtectedServiceAccounts, namePattern("-."), serviceAccounts)...)
	for i, a := range g.AllowedTargetAccounts {
		if len(a) != 12 || strings.Trim(a, "0123456789") != "" {
			errs = append(errs, field.Invalid(at.Child("allowedTargetAccounts").Index(i), a, "must be an AWS account id of 12 digits"))
		}
	}
	for i, a := range g.AllowedManagedPolicyARNs {
		if a != "*" && !strings.HasPrefix(a, "arn:") {
			errs = append(errs, field.Invalid(at.Child("allowedManagedPolicyArns").Index(i), a, "must be a pattern of ARNs, such as arn:aws:iam::aws:policy/*"))
		}
	}
	if b := g.RequiredPermissionsBoundary; b != "" {
		if problem := iam.CheckPolicyARN(b, iam.ARNPartition(b)); problem != "" {
			errs = append(errs, field.Invalid(at.Child("requiredPermissionsBoundary"), b, "must be the ARN of an IAM policy, such as arn:aws:iam::123456789012:policy/boundary"))
		}
	}
	return errs
}
