package identity

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	pkgv1beta1 "github.com/crossplane/crossplane/v2/apis/pkg/v1beta1"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/runtimeconfig"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

//nolint:gochecknoglobals // A constant in all but the keyword.
var runtimeConfigKind = view.Kind{GroupVersionKind: pkgv1beta1.DeploymentRuntimeConfigGroupVersionKind, Plural: "deploymentruntimeconfigs"}

// A Flaw is what is wrong with a raw template of a service's runtime.
//
// There are two kinds of mistakes in a template. One that would take the identity away, or what it depends on, is an attempt at
// the whole object, and refused with it (validateTemplates). One that the schema of a DeploymentRuntimeConfig does not allow is
// a slip that concerns those who use the template, and must not hold back the other services. So it is no error of the
// composite resource: Resolve leaves it with the service, and package resources keeps the service's DeploymentRuntimeConfig as it
// is, or does not create it, and nor the Provider.
type Flaw struct {
	// Template that it is in, such as deploymentTemplate.
	Template string
	// Errors with their field paths; none while nobody knows whether the Crossplane that runs has all fields of the template.
	Errors field.ErrorList
}

// checkTemplates that services run with, their own or those of all services.
func (id *Identity) checkTemplates(v *view.View, at *field.Path) {
	// Most services have the template of all.
	done := map[*runtime.RawExtension]checked{}
	for i, s := range id.Services {
		if !s.Managed {
			// Nobody reads them.
			continue
		}
		own := id.Spec.Services[i].Runtime
		if own == nil {
			own = &v1alpha1.Runtime{}
		}
		path := func(own *runtime.RawExtension) *field.Path {
			if own == nil {
				return at.Child("runtime")
			}
			return at.Child("services").Index(i).Child("runtime")
		}
		deployment := s.check(v, done, path(own.DeploymentTemplate), runtimeconfig.DeploymentTemplate, s.Runtime.DeploymentTemplate)
		account := s.check(v, done, path(own.ServiceAccountTemplate), runtimeconfig.ServiceAccountTemplate, s.Runtime.ServiceAccountTemplate)
		s.Notes = notes(s.Runtime.Env, deployment, account)
	}
}

// check one template for flaws, and return it.
func (s *Service) check(v *view.View, done map[*runtime.RawExtension]checked, at *field.Path, name string, raw *runtime.RawExtension) map[string]any {
	if raw == nil {
		return nil
	}
	c, ok := done[raw]
	if !ok {
		c = check(at.Child(name), name, raw)
		done[raw] = c
	}
	missing, asking := lacking(v, v.Observed(RuntimeConfigKey(s.Name)), c.fields)
	if errs := slices.Concat(c.errs, missing); len(errs) > 0 || asking {
		s.Flaws = append(s.Flaws, Flaw{Template: name, Errors: errs})
	}
	return c.template
}

// checked is a template, what is wrong with it, and what may be.
type checked struct {
	template map[string]any
	errs     field.ErrorList
	fields   []runtimeconfig.Field
}

func check(at *field.Path, name string, raw *runtime.RawExtension) checked {
	c := checked{}
	if err := json.Unmarshal(raw.Raw, &c.template); err != nil {
		// What is no object was refused before.
		return checked{}
	}
	c.errs, c.fields = runtimeconfig.Check(at, name, c.template)
	return c
}

// lacking are the fields that the Crossplane that runs does not have, and whether it still has to tell of some. What it stored
// already it has.
func lacking(v *view.View, observed view.Object, fields []runtimeconfig.Field) (errs field.ErrorList, asking bool) {
	assumed := v.Input.Preview || v.Input.Prerequisites == v1beta1.PrerequisitesAssume
	for _, f := range fields {
		if holds(observed.Value("spec"), f.Path) || f.Known && assumed {
			continue
		}
		switch answer := v.Requirements.HasField(runtimeConfigKind, append([]string{"spec"}, f.Path...)...); {
		case answer == view.Yes:
		case answer == view.Unanswered && f.Known:
			asking = true
		default:
			errs = append(errs, f.Err)
		}
	}
	return errs, asking
}

// holds says whether there is anything at a path; [] stands for any item of a list.
func holds(v *structpb.Value, path []string) bool {
	if len(path) == 0 {
		return v != nil
	}
	if path[0] == "[]" {
		return slices.ContainsFunc(v.GetListValue().GetValues(), func(i *structpb.Value) bool { return holds(i, path[1:]) })
	}
	return holds(v.GetStructValue().GetFields()[path[0]], path[1:])
}

// validateTemplates refuses what would take the identity away from all who use a template.
func validateTemplates(at *field.Path, r *v1alpha1.Runtime) field.ErrorList {
	errs := field.ErrorList{}
	if t := r.DeploymentTemplate; t != nil {
		at := at.Child(runtimeconfig.DeploymentTemplate)
		m, terrs := validateTemplate(at, t.Raw, []string{"metadata", "name"}, []string{"spec", "template", "spec", "serviceAccountName"}, []string{"spec", "template", "spec", "serviceAccount"})
		errs = append(errs, terrs...)
		for _, name := range []string{"annotations", "labels"} {
			path := []string{"spec", "template", "metadata", name}
			errs = append(errs, reserved(at.Child(path[0], path[1:]...), texts(m, path...))...)
		}
	}
	if t := r.ServiceAccountTemplate; t != nil {
		_, terrs := validateTemplate(at.Child(runtimeconfig.ServiceAccountTemplate), t.Raw, []string{"metadata", "name"})
		errs = append(errs, terrs...)
	}
	return errs
}

// validateTemplate refuses paths that the identity depends on, and directives that could take other parts out.
func validateTemplate(at *field.Path, raw []byte, forbidden ...[]string) (map[string]any, field.ErrorList) {
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, field.ErrorList{field.Invalid(at, field.OmitValueType{}, "must be an object")}
	}
	errs := field.ErrorList{}
	directives(at, m, &errs)
	for _, path := range forbidden {
		o := inner(m, path[:len(path)-1]...)
		if o[path[len(path)-1]] != nil {
			errs = append(errs, field.Forbidden(at.Child(path[0], path[1:]...), "the identity depends on it; services[].serviceAccountName is the place to name a ServiceAccount"))
		}
	}
	return m, errs
}

// inner object at a path; nil if there is none.
func inner(m map[string]any, path ...string) map[string]any {
	for _, name := range path {
		m, _ = m[name].(map[string]any)
	}
	return m
}

// texts of an object at a path. What is no text is a flaw of the template, and counts as empty here.
func texts(m map[string]any, path ...string) map[string]string {
	out := map[string]string{}
	for k, v := range inner(m, path...) {
		out[k], _ = v.(string)
	}
	return out
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
