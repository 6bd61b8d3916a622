package identity

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// templates that would take the identity away from a provider.
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
		switch k {
		case AnnotationIdentity:
			errs = append(errs, field.Forbidden(at.Child("podAnnotations").Key(k), "it restarts the provider when its credentials change"))
		case AnnotationRestart:
			errs = append(errs, field.Forbidden(at.Child("podAnnotations").Key(k), "it restarts the provider where its pods have no credentials"))
		}
	}
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
	if r.DeploymentTemplate != nil {
		errs = append(errs, validateTemplate(at.Child("deploymentTemplate"), r.DeploymentTemplate.Raw, &appsv1.Deployment{},
			[]string{"spec", "template", "metadata", "annotations", AnnotationIdentity},
			[]string{"spec", "template", "metadata", "annotations", AnnotationRestart},
			[]string{"metadata", "name"}, []string{"spec", "template", "spec", "serviceAccountName"}, []string{"spec", "template", "spec", "serviceAccount"})...)
	}
	if r.ServiceAccountTemplate != nil {
		errs = append(errs, validateTemplate(at.Child("serviceAccountTemplate"), r.ServiceAccountTemplate.Raw, &corev1.ServiceAccount{}, []string{"metadata", "name"})...)
	}
	return errs
}

// validateTemplate refuses paths that the identity depends on, and directives that could take other parts out.
func validateTemplate(at *field.Path, raw []byte, as any, forbidden ...[]string) field.ErrorList {
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return field.ErrorList{field.Invalid(at, field.OmitValueType{}, "must be an object")}
	}
	if err := json.Unmarshal(raw, as); err != nil {
		return field.ErrorList{field.Invalid(at, field.OmitValueType{}, err.Error())}
	}
	errs := field.ErrorList{}
	directives(at, m, &errs)
	for _, path := range forbidden {
		o := m
		for i, name := range path {
			if i == len(path)-1 && o[name] != nil {
				errs = append(errs, field.Forbidden(at.Child(path[0], path[1:]...), "the identity depends on it; services[].serviceAccountName is the place to name a ServiceAccount"))
			}
			o, _ = o[name].(map[string]any)
		}
	}
	return errs
}

// directives adds them to the errors, until there are too many.
func directives(at *field.Path, v any, errs *field.ErrorList) {
	if len(*errs) > view.MaxErrors {
		return
	}
	switch v := v.(type) {
	case nil:
		*errs = append(*errs, field.Forbidden(at, "null removes a field, which could be one that the identity depends on"))
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if strings.HasPrefix(k, "$") {
				*errs = append(*errs, field.Forbidden(at.Child(k), "merge directives could remove what the identity depends on"))
			}
			directives(at.Child(k), v[k], errs)
		}
	case []any:
		for i, e := range v {
			directives(at.Index(i), e, errs)
		}
	}
}
