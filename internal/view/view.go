// Package view gives typed, read-only access to what Crossplane sends with a call: the function's Input, the composite resource with
// the Input's defaults applied, the observed composed resources, and the answers to the function's requirements.
package view

import (
	"maps"
	"slices"
	"strings"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
)

// finalizer is the one that Crossplane puts on every composite resource of a live cluster before it calls a function.
const finalizer = "composite.apiextensions.crossplane.io"

// The labels that Crossplane puts on a claim's resources.
const (
	labelClaimNamespace = "crossplane.io/claim-namespace"
	labelClaimName      = "crossplane.io/claim-name"
)

// A View shows one call.
type View struct {
	// Input is the result of the function's own configuration and that of the Composition, without defaults, guardrails and claims:
	// these are applied.
	Input *v1beta1.Input
	// Platform is the hash of the function's own configuration; empty if it has none.
	Platform string
	// Guardrails that apply, each with its own rules: a composite resource must satisfy all of them.
	Guardrails []*v1beta1.Guardrails
	// XR is the composite resource.
	XR Object
	// Spec of the composite resource with the Input's defaults applied. For a PodIdentityTenant it has the fields that a
	// PodIdentityProvider has, too.
	Spec *v1alpha1.PodIdentityProviderSpec
	// Tenant is the whole spec of a PodIdentityTenant; nil for a PodIdentityProvider.
	Tenant *v1alpha1.PodIdentityTenantSpec
	// Requirements are the function's questions to Crossplane.
	Requirements *Requirements
	// Now is the time of the call. It may only open gates: nothing derived from it is ever written.
	Now time.Time

	observed map[string]*fnv1.Resource
	// earlier is the desired state of earlier functions of the pipeline.
	earlier map[string]*fnv1.Resource
	// keys of the observed resources, sorted on first use.
	keys []string
}

// From returns the View of a request, with the function's own configuration; nil if it has none. It fails with all errors of the Input
// and the composite resource that make it impossible to understand them.
func From(req *fnv1.RunFunctionRequest, platform *Configuration, now time.Time) (*View, field.ErrorList) {
	v := &View{
		XR:           NewObject(req.GetObserved().GetComposite().GetResource()),
		Requirements: newRequirements(req),
		Now:          now,
		observed:     req.GetObserved().GetResources(),
		earlier:      req.GetDesired().GetResources(),
	}
	if !v.XR.Exists() {
		return nil, field.ErrorList{field.Required(field.NewPath("observed", "composite"), "Crossplane sent no composite resource")}
	}
	v.Requirements.prove(v.XR)
	for _, r := range v.observed {
		v.Requirements.prove(NewObject(r.GetResource()))
	}

	errs := append(longNames(v), tooLarge(field.NewPath("spec"), v.XR.Value("spec").GetStructValue())...)
	in, ierrs := ParseConfiguration(field.NewPath("input"), req.GetInput())
	switch {
	case len(errs) > 0:
		return nil, append(errs, ierrs...)
	case len(ierrs) > 0:
		// All errors at once, as far as the defaults are not needed to find them.
		return nil, append(ierrs, v.decodeSpec(nil)...)
	}
	cs := configurations{in}
	if platform != nil {
		cs, v.Platform = configurations{platform, in}, platform.Hash
	}
	if errs := v.decode(cs); len(errs) > 0 {
		return nil, errs
	}
	return v, nil
}

// decode decodes the composite resource, with the configurations that apply.
func (v *View) decode(cs configurations) field.ErrorList {
	spec := v.XR.Value("spec").GetStructValue()
	if v.ofClaim() {
		// Before anything else: a field that a claim may not set is not even looked at.
		if errs := kindOf(v.XR).policy.Check(field.NewPath("spec"), spec, cs.openFields()...); len(errs) > 0 {
			return errs
		}
	}
	namespace, _ := v.Claim()
	layers := cs.layers(namespace)
	if errs := tooMuchShared(field.NewPath("spec", "services"), spec, layers); len(errs) > 0 {
		return errs
	}
	v.Input = cs.input()
	for _, l := range layers {
		if l.guardrails != nil {
			v.Guardrails = append(v.Guardrails, l.guardrails)
		}
	}
	return v.decodeSpec(layers)
}

// Earlier says whether an earlier function of the pipeline desires something under that composition-resource name. Then it belongs to
// that function, even if an object was observed under the name: it is not Observed, and must not be composed.
func (v *View) Earlier(key string) bool {
	_, ok := v.earlier[key]
	return ok
}

// Observed returns the observed composed resource of that composition-resource name.
func (v *View) Observed(key string) Object {
	if v.Earlier(key) {
		return Object{}
	}
	return NewObject(v.observed[key].GetResource())
}

// ObservedKeys are the composition-resource names of all observed resources, sorted. Do not change them.
func (v *View) ObservedKeys() []string {
	if v.keys == nil {
		v.keys = slices.Sorted(maps.Keys(v.observed))
		v.keys = slices.DeleteFunc(v.keys, v.Earlier)
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

// ObservedAnnotation returns the value of an annotation that observed composed resources share. Objects in namespaces do not count:
// teams may edit them.
func (v *View) ObservedAnnotation(name string) string {
	first := ""
	for key := range v.observed {
		o := v.Observed(key)
		if a := o.Annotation(name); a != "" && o.Namespace() == "" && (first == "" || a < first) {
			first = a
		}
	}
	return first
}

// ofClaim says whether a claim decides the spec. The author of a claim cannot remove the signs of that. A composite resource that
// another one composes has the labels of the claim at the root, but its spec comes from that Composition.
func (v *View) ofClaim() bool {
	if v.XR.Value("spec", "claimRef") != nil {
		return true
	}
	labels := NewObject(v.XR.Value("metadata", "labels").GetStructValue())
	return (labels.Value(labelClaimName) != nil || labels.Value(labelClaimNamespace) != nil) && v.XR.Controller() == Owner{}
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

// Claim returns the claim that the composite resource was made for; empty if there is none.
func (v *View) Claim() (namespace, name string) {
	ref := []string{"spec", "claimRef"}
	if ns, n := v.XR.String(append(ref, "namespace")...), v.XR.String(append(ref, "name")...); n != "" {
		return ns, n
	}
	return v.XR.Label(labelClaimNamespace), v.XR.Label(labelClaimName)
}

// decodeSpec decodes the spec with the defaults of all layers: the last one's first, since a value that exists already wins.
func (v *View) decodeSpec(layers []layer) field.ErrorList {
	at, spec, k := field.NewPath("spec"), v.XR.Value("spec"), kindOf(v.XR)
	if _, ok := spec.GetKind().(*structpb.Value_StructValue); spec != nil && !ok {
		return field.ErrorList{field.TypeInvalid(at, spec.AsInterface(), "must be an object")}
	}
	m := spec.GetStructValue().AsMap()
	for _, l := range slices.Backward(layers) {
		k.applyDefaults(m, l.defaults)
	}
	if k == tenantKind {
		v.Tenant = &v1alpha1.PodIdentityTenantSpec{}
		errs := decode(at, m, v.Tenant, false)
		v.Spec = shared(v.Tenant)
		return errs
	}
	v.Spec = &v1alpha1.PodIdentityProviderSpec{}
	return decode(at, m, v.Spec, false)
}
