package identity

import (
	"maps"
	"slices"
	"strings"

	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

// validateRuntime checks how providers run, and refuses settings that would take the identity away from them.
func validateRuntime(at *field.Path, r *v1alpha1.Runtime) field.ErrorList {
	if r == nil {
		return nil
	}
	errs := field.ErrorList{}
	if r.Replicas != nil && *r.Replicas < 0 {
		errs = append(errs, field.Invalid(at.Child("replicas"), *r.Replicas, "must not be negative"))
	}
	if n := r.AssociationSettleSeconds; n != nil && (*n < 0 || *n > 300) {
		errs = append(errs, field.Invalid(at.Child("associationSettleSeconds"), *n, "must be from 0 to 300"))
	}
	errs = append(errs, metavalidation.ValidateLabels(r.PodLabels, at.Child("podLabels"))...)
	errs = append(errs, metavalidation.ValidateLabels(r.NodeSelector, at.Child("nodeSelector"))...)
	for _, k := range slices.Sorted(maps.Keys(r.PodAnnotations)) {
		errs = append(errs, problems(at.Child("podAnnotations").Key(k), strings.ToLower(k), validation.IsQualifiedName)...)
	}
	errs = append(errs, reserved(at.Child("podAnnotations"), r.PodAnnotations)...)
	errs = append(errs, reserved(at.Child("podLabels"), r.PodLabels)...)
	seen := make(map[string]bool, len(r.Env))
	for i, e := range r.Env {
		if e.Name == "" || strings.Contains(e.Name, "=") {
			errs = append(errs, field.Invalid(at.Child("env").Index(i).Child("name"), e.Name, "must be a name without ="))
		}
		if seen[e.Name] {
			errs = append(errs, field.Duplicate(at.Child("env").Index(i).Child("name"), e.Name))
		}
		seen[e.Name] = true
	}
	return append(errs, validateTemplates(at, r)...)
}

// keysOf has prefixes of labels and annotations, in lower case: of those that give a pod its identity, and of Crossplane's package
// manager. A pod of a provider that has one could lose its credentials, or be taken for another's.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var keysOf = map[string]string{
	"eks.amazonaws.com": "EKS uses it to decide whether and how a pod gets credentials",
	"iam.amazonaws.com": "agents that replace the identity of pods use it",
	"pkg.crossplane.io": "Crossplane uses it to find the pods of packages",
}

// reserved refuses labels and annotations of pods that users may not set. Kubernetes accepts the prefix of an annotation in any letter
// case.
func reserved(at *field.Path, m map[string]string) field.ErrorList {
	errs := field.ErrorList{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		prefix, _, _ := strings.Cut(strings.ToLower(k), "/")
		why := keysOf[prefix]
		switch {
		case strings.EqualFold(k, AnnotationIdentity):
			why = "leave it out: the function uses it to restart the provider when credentials change"
		case strings.EqualFold(k, AnnotationRestart):
			why = "leave it out: the function uses it to restart pods without credentials"
		case k == "app" && m[k] == "crossplane":
			why = "Crossplane's own Service sends requests to pods with it"
		}
		if why != "" {
			errs = append(errs, field.Forbidden(at.Key(k), why))
		}
	}
	return errs
}
