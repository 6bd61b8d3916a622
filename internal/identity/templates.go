package identity

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	pkgv1beta1 "github.com/crossplane/crossplane/v2/apis/pkg/v1beta1"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/runtimeconfig"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

//nolint:gochecknoglobals // A constant in all but the keyword.
var runtimeConfigKind = view.Kind{GroupVersionKind: pkgv1beta1.DeploymentRuntimeConfigGroupVersionKind, Plural: "deploymentruntimeconfigs"}

// A Flaw is an error in a part of a service's runtime that becomes a part of its DeploymentRuntimeConfig.
//
// There are two kinds of mistakes in a raw template. One that would take away the identity, or anything that it depends on, endangers
// the whole object, and is refused with it (validateTemplates). One that the schema of a DeploymentRuntimeConfig does not allow affects
// only the services that use the template, and must not hold back the others. So it is not an error of the composite resource: Resolve
// leaves it with the service, and package resources keeps the service's DeploymentRuntimeConfig as it is, or creates neither that nor
// the Provider. The same holds for the fields of a runtime that are as in a pod: this function may know newer ones than the Crossplane
// that runs.
type Flaw struct {
	// Part that it is in, such as deploymentTemplate.
	Part string
	// Errors with their field paths; none while it is not known whether the Crossplane that runs has all fields of the part.
	Errors field.ErrorList
}

// A part of a runtime that becomes a part of a DeploymentRuntimeConfig as it is.
type part struct {
	name string
	// path below the spec of a DeploymentRuntimeConfig.
	path []string
	// of returns its value in a runtime, and a pointer that identifies it; nil if the runtime has none.
	of func(r *v1alpha1.Runtime) (value, pointer any)
}

// parts lists the parts of a runtime.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var parts = []part{
	{runtimeconfig.DeploymentTemplate, []string{runtimeconfig.DeploymentTemplate}, func(r *v1alpha1.Runtime) (any, any) { return ofPointer(r.DeploymentTemplate) }},
	{runtimeconfig.ServiceAccountTemplate, []string{runtimeconfig.ServiceAccountTemplate}, func(r *v1alpha1.Runtime) (any, any) { return ofPointer(r.ServiceAccountTemplate) }},
	{"env", inPod("containers", "[]", "env"), func(r *v1alpha1.Runtime) (any, any) { return ofList(r.Env) }},
	{"resources", inPod("containers", "[]", "resources"), func(r *v1alpha1.Runtime) (any, any) { return ofPointer(r.Resources) }},
	{"tolerations", inPod("tolerations"), func(r *v1alpha1.Runtime) (any, any) { return ofList(r.Tolerations) }},
	{"affinity", inPod("affinity"), func(r *v1alpha1.Runtime) (any, any) { return ofPointer(r.Affinity) }},
}

func inPod(path ...string) []string {
	return append([]string{runtimeconfig.DeploymentTemplate, "spec", "template", "spec"}, path...)
}

func ofPointer[T any](p *T) (value, pointer any) {
	if p == nil {
		return nil, nil
	}
	return p, p
}

func ofList[T any](l []T) (value, pointer any) {
	if len(l) == 0 {
		return nil, nil
	}
	return l, &l[0]
}

// checkRuntimes checks the runtimes of providers: the settings of each service, and those for all.
func (id *Identity) checkRuntimes(v *view.View, at *field.Path) {
	// Most services share the parts that are set for all.
	done := map[any]checked{}
	for i, s := range id.Services {
		if !s.Managed {
			// Its runtime is not used.
			continue
		}
		own := id.Spec.Services[i].Runtime
		if own == nil {
			own = &v1alpha1.Runtime{}
		}
		templates := map[string]map[string]any{}
		for _, p := range parts {
			value, pointer := p.of(&s.Runtime)
			if pointer == nil {
				continue
			}
			c, ok := done[pointer]
			if !ok {
				from := at
				if _, set := p.of(own); set != nil {
					from = at.Child("services").Index(i)
				}
				c = check(from.Child("runtime", p.name), value, p.path)
				done[pointer] = c
			}
			missing, asking := lacking(v, v.Observed(RuntimeConfigKey(s.Name)), c.fields)
			if errs := slices.Concat(c.errs, missing); len(errs) > 0 || asking {
				s.Flaws = append(s.Flaws, Flaw{Part: p.name, Errors: errs})
			}
			templates[p.name], _ = c.value.(map[string]any)
		}
		s.Notes = notes(s.Runtime.Env, templates[runtimeconfig.DeploymentTemplate], templates[runtimeconfig.ServiceAccountTemplate])
	}
}

// checked is a part of a runtime, with its errors, and fields that may be errors.
type checked struct {
	value  any
	errs   field.ErrorList
	fields []runtimeconfig.Field
}

func check(at *field.Path, value any, path []string) checked {
	c := checked{}
	raw, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(raw, &c.value)
	}
	if err != nil || c.value == nil {
		// It was refused before.
		return checked{}
	}
	c.errs, c.fields = runtimeconfig.Check(at, c.value, path...)
	return c
}

// lacking returns errors for fields that the Crossplane that runs does not have, and whether it has not answered for some yet. It has
// every field that it stored already.
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

// holds says whether there is a value at a path; [] stands for any item of a list.
func holds(v *structpb.Value, path []string) bool {
	if len(path) == 0 {
		return v != nil
	}
	if path[0] == "[]" {
		return slices.ContainsFunc(v.GetListValue().GetValues(), func(i *structpb.Value) bool { return holds(i, path[1:]) })
	}
	return holds(v.GetStructValue().GetFields()[path[0]], path[1:])
}

// validateTemplates refuses settings that would take the identity away from all services that use a template.
func validateTemplates(at *field.Path, r *v1alpha1.Runtime) field.ErrorList {
	errs := field.ErrorList{}
	if t := r.DeploymentTemplate; t != nil {
		at := at.Child(runtimeconfig.DeploymentTemplate)
		m, terrs := validateTemplate(at, t.Raw,
			owned{[]string{"metadata", "name"}, "Crossplane names the Deployment: leave it out"},
			owned{[]string{"spec", "template", "spec", "serviceAccountName"}, ownAccount},
			owned{[]string{"spec", "template", "spec", "serviceAccount"}, ownAccount})
		errs = append(errs, terrs...)
		for _, name := range []string{"annotations", "labels"} {
			path := []string{"spec", "template", "metadata", name}
			errs = append(errs, reserved(at.Child(path[0], path[1:]...), texts(m, path...))...)
		}
	}
	if t := r.ServiceAccountTemplate; t != nil {
		_, terrs := validateTemplate(at.Child(runtimeconfig.ServiceAccountTemplate), t.Raw, owned{[]string{"metadata", "name"}, ownAccount})
		errs = append(errs, terrs...)
	}
	return errs
}

// ownAccount says where the name of a ServiceAccount belongs.
const ownAccount = "the identity depends on it: leave it out, and name the ServiceAccount in services[].serviceAccountName"

// An owned path of a template cannot be set by users.
type owned struct {
	path []string
	why  string
}

// validateTemplate refuses paths that the identity depends on, and directives that could remove other parts.
func validateTemplate(at *field.Path, raw []byte, forbidden ...owned) (map[string]any, field.ErrorList) {
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, field.ErrorList{field.Invalid(at, field.OmitValueType{}, "must be an object")}
	}
	errs := field.ErrorList{}
	directives(at, m, &errs)
	for _, f := range forbidden {
		last := len(f.path) - 1
		if inner(m, f.path[:last]...)[f.path[last]] != nil {
			errs = append(errs, field.Forbidden(at.Child(f.path[0], f.path[1:]...), f.why))
		}
	}
	return m, errs
}

// inner returns the object at a path; nil if there is none.
func inner(m map[string]any, path ...string) map[string]any {
	for _, name := range path {
		m, _ = m[name].(map[string]any)
	}
	return m
}

// texts returns those of an object at a path. A value that is not a text is a flaw of the template, and counts as empty here.
func texts(m map[string]any, path ...string) map[string]string {
	out := map[string]string{}
	for k, v := range inner(m, path...) {
		out[k], _ = v.(string)
	}
	return out
}

// directives adds merge directives to the errors, until there are too many.
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
