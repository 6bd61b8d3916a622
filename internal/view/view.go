// Package view gives typed, read-only access to what Crossplane sends with a call: the function's Input, the composite
// resource with the Input's defaults applied, the observed composed resources, and the answers to what the function asked
// for.
package view

import (
	"maps"
	"slices"
	"strings"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
)

// finalizer that Crossplane puts on every composite resource of a live cluster before it calls a function.
const finalizer = "composite.apiextensions.crossplane.io"

// A View of one call.
type View struct {
	// Input of the function.
	Input *v1beta1.Input
	// Guardrails that apply, each with its own rules: a composite resource must keep to all of them.
	Guardrails []*v1beta1.Guardrails
	// XR is the composite resource.
	XR Object
	// Spec of the composite resource with the Input's defaults applied.
	Spec *v1alpha1.PodIdentityProviderSpec
	// Requirements are what the function asks Crossplane for.
	Requirements *Requirements
	// Now is the time of the call. It may only open gates: nothing derived from it is ever written.
	Now time.Time

	observed map[string]*fnv1.Resource
	// keys of what is observed, sorted when they are first asked for.
	keys []string
}

// From returns the View of a request. It fails with all errors of the Input and the composite resource that make it
// impossible to understand them.
func From(req *fnv1.RunFunctionRequest, now time.Time) (*View, field.ErrorList) {
	v := &View{
		XR:           NewObject(req.GetObserved().GetComposite().GetResource()),
		Requirements: newRequirements(req),
		Now:          now,
		observed:     req.GetObserved().GetResources(),
	}
	if !v.XR.Exists() {
		return nil, field.ErrorList{field.Required(field.NewPath("observed", "composite"), "Crossplane sent no composite resource")}
	}
	for _, r := range v.observed {
		o := NewObject(r.GetResource())
		v.Requirements.proven[schema.FromAPIVersionAndKind(o.APIVersion(), o.Kind())] = true
	}

	spec, defaults := v.XR.Value("spec").GetStructValue(), req.GetInput().GetFields()["defaults"].GetStructValue()
	errs := append(longNames(v), tooLarge(field.NewPath("spec"), spec)...)
	errs = append(errs, tooLarge(field.NewPath("input", "defaults"), defaults)...)
	errs = append(errs, atMost(field.NewPath("input", "guardrails"), req.GetInput().GetFields()["guardrails"], maxPart)...)
	if len(errs) == 0 {
		errs = tooMuchShared(field.NewPath("spec", "services"), spec, defaults)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	if errs := v.decode(req.GetInput()); len(errs) > 0 {
		return nil, errs
	}
	return v, nil
}

// decode the Input and the composite resource.
func (v *View) decode(input *structpb.Struct) field.ErrorList {
	in, defaults, errs := decodeInput(input)
	v.Input = in
	if in != nil && in.Guardrails != nil {
		v.Guardrails = append(v.Guardrails, in.Guardrails)
	}
	spec, serrs := decodeSpec(v.XR, defaults)
	v.Spec = spec
	return append(errs, serrs...)
}

// Observed composed resource of that composition-resource name.
func (v *View) Observed(key string) Object { return NewObject(v.observed[key].GetResource()) }

// ObservedKeys are the composition-resource names of all observed resources, sorted. Do not change them.
func (v *View) ObservedKeys() []string {
	if v.keys == nil {
		v.keys = slices.Sorted(maps.Keys(v.observed))
	}
	return v.keys
}

// ObservedWithPrefix are the composition-resource names of observed resources that begin with the prefix, sorted. Do not change
// them.
func (v *View) ObservedWithPrefix(prefix string) []string {
	keys := v.ObservedKeys()
	begin, _ := slices.BinarySearch(keys, prefix)
	end := begin
	for end < len(keys) && strings.HasPrefix(keys[end], prefix) {
		end++
	}
	return keys[begin:end]
}

// ObservedAnnotation is the value of an annotation that all observed composed resources share that have it.
func (v *View) ObservedAnnotation(name string) string {
	first := ""
	for _, r := range v.observed {
		if a := NewObject(r.GetResource()).Annotation(name); a != "" && (first == "" || a < first) {
			first = a
		}
	}
	return first
}

// Live says whether the composite resource is one of a real cluster, not of a local render.
func (v *View) Live() bool {
	for _, f := range v.XR.Value("metadata", "finalizers").GetListValue().GetValues() {
		if f.GetStringValue() == finalizer {
			return true
		}
	}
	return false
}

// Claim that the composite resource was made for; empty if there is none.
func (v *View) Claim() (namespace, name string) {
	ref := []string{"spec", "claimRef"}
	if ns, n := v.XR.String(append(ref, "namespace")...), v.XR.String(append(ref, "name")...); n != "" {
		return ns, n
	}
	return v.XR.Label("crossplane.io/claim-namespace"), v.XR.Label("crossplane.io/claim-name")
}

func decodeInput(s *structpb.Struct) (*v1beta1.Input, map[string]any, field.ErrorList) {
	in := &v1beta1.Input{}
	if s == nil {
		return in, nil, nil
	}
	at := field.NewPath("input")
	m := s.AsMap()
	if errs := decode(at, m, in, true); len(errs) > 0 {
		return nil, nil, errs
	}
	defaults, _ := m["defaults"].(map[string]any)
	return in, defaults, validateInput(at, in)
}

func decodeSpec(xr Object, defaults map[string]any) (*v1alpha1.PodIdentityProviderSpec, field.ErrorList) {
	at := field.NewPath("spec")
	v := xr.Value("spec")
	if _, ok := v.GetKind().(*structpb.Value_StructValue); v != nil && !ok {
		return nil, field.ErrorList{field.TypeInvalid(at, v.AsInterface(), "must be an object")}
	}
	m := v.GetStructValue().AsMap()
	if defaults != nil {
		applyDefaults(m, defaults)
	}
	spec := &v1alpha1.PodIdentityProviderSpec{}
	return spec, decode(at, m, spec, false)
}
