package identity

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// annotationKey is where Crossplane keeps the composition-resource name of an object.
const annotationKey = "crossplane.io/composition-resource-name"

// usagePrefix begins the composition-resource names of Usages.
const usagePrefix = "usage/"

// keys are the first parts of the composition-resource names that the function gives.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var keys = []string{"role", "policy", "attachment", "association", "runtimeconfig", "provider", FamilyKey, ProviderConfigKey, "clusterproviderconfig", "usage", AgentKey}

// misplaced finds composed objects in namespaces that have the composition-resource name of another object. Crossplane takes that name
// from an annotation, and anyone who may edit objects in a namespace can change it: a ProviderConfig would pass for a role, with
// annotations of the editor's choice, or give its name to another object.
func misplaced(v *view.View) field.ErrorList {
	errs := field.ErrorList{}
	for _, key := range v.ObservedKeys() {
		o := v.Observed(key)
		first, _, _ := strings.Cut(key, "/")
		want := placeOf(o)
		if want == "" || !slices.Contains(keys, first) || strings.HasPrefix(key, want) && (want == usagePrefix || key == want) {
			continue
		}
		errs = append(errs, field.Forbidden(field.NewPath("observed", "resources").Key(key), fmt.Sprintf(
			"is %s %s/%s, which is composed as %s: its annotation %s was changed. Nothing changes until you restore it", o.Kind(), o.Namespace(), o.Name(), want, annotationKey)))
		if len(errs) > view.MaxErrors {
			break
		}
	}
	return errs
}

// placeOf is the composition-resource name that an object in a namespace must have, or the beginning of that of a Usage; empty for
// everything that is not composed in namespaces.
func placeOf(o view.Object) string {
	group, _, _ := strings.Cut(o.APIVersion(), "/")
	switch {
	case o.Namespace() == "":
		return ""
	case group == "aws.m.upbound.io" && o.Kind() == "ProviderConfig":
		return ProviderConfigKey + "/" + o.Namespace()
	case group == "protection.crossplane.io" && o.Kind() == "Usage":
		return usagePrefix
	}
	return ""
}
