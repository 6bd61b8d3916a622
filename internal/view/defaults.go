package view

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
)

// alternatives are groups of fields of which only one can be used: where the composite resource uses one, the defaults of
// the others do not apply.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	clusterAlternatives = []string{"clusterName", "clusterNameRef", "clusterNameSelector"}
	ownRole             = []string{"permissions", "roleName", "importRole"}
)

// applyDefaults of the Input to a composite resource's spec, which wins field by field.
func applyDefaults(spec, defaults map[string]any) {
	defaults = runtime.DeepCopyJSON(defaults)
	if slices.ContainsFunc(clusterAlternatives, func(f string) bool { return spec[f] != nil }) {
		drop(defaults, clusterAlternatives...)
	}
	applyServiceDefaults(spec["services"], defaults["services"])
	delete(defaults, "services")
	merge(spec, defaults)
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
		if m["roleArn"] != nil {
			drop(d, ownRole...)
		}
		if slices.ContainsFunc(ownRole, func(f string) bool { return m[f] != nil }) {
			drop(d, "roleArn")
		}
		merge(m, d)
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
	if in.TTL != nil && (in.TTL.Duration < minTTL || in.TTL.Duration > maxTTL) {
		errs = append(errs, field.Invalid(at.Child("ttl"), in.TTL.Duration.String(), "must be from 1m to 1h"))
	}
	// A guardrail that is not enforced must not look as if it were.
	if in.Guardrails != nil {
		errs = append(errs, field.Forbidden(at.Child("guardrails"), "guardrails are not available in this version"))
	}
	if in.APIVersion != "" && in.APIVersion != "podidentity.fn.crossplane.io/v1beta1" {
		errs = append(errs, field.NotSupported(at.Child("apiVersion"), in.APIVersion, []string{"podidentity.fn.crossplane.io/v1beta1"}))
	}
	if in.Kind != "" && in.Kind != "Input" {
		errs = append(errs, field.NotSupported(at.Child("kind"), in.Kind, []string{"Input"}))
	}
	return errs
}
