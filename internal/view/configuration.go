package view

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// A Configuration has the platform team's settings, checked and ready to be applied: the function's own configuration, which applies in
// every call, or the Input of a Composition. Do not change it: calls share it.
type Configuration struct {
	// Hash of its content, however that is written.
	Hash string

	input *v1beta1.Input
	// layers in the order in which they count: later ones win.
	layers []layer
}

// A layer of a Configuration: settings for all, or for the claims of some namespaces.
type layer struct {
	// match are patterns of namespaces; nil for all, and for composite resources without a claim.
	match      []string
	guardrails *v1beta1.Guardrails
	// defaults as they are written: an empty field is not the same as a missing one.
	defaults map[string]any
	// shared is how many bytes of the defaults count for every service.
	shared int
}

// ParsePlatform checks the function's own configuration.
func ParsePlatform(s *structpb.Struct) (*Configuration, field.ErrorList) {
	c, errs := ParseConfiguration(nil, s)
	if len(errs) > 0 {
		return nil, errs
	}
	if c.input.Preview {
		return nil, field.ErrorList{field.Forbidden(field.NewPath("preview"), "is for the Input of a Composition that is rendered locally: on a cluster every call would be refused")}
	}
	// JSON sorts the fields of objects.
	b, err := json.Marshal(s.AsMap())
	if err != nil {
		return nil, field.ErrorList{field.InternalError(nil, err)}
	}
	sum := sha256.Sum256(b)
	c.Hash = "sha256:" + hex.EncodeToString(sum[:])
	return c, nil
}

// ParseConfiguration checks an Input. It fails with everything that is wrong with it.
func ParseConfiguration(at *field.Path, s *structpb.Struct) (*Configuration, field.ErrorList) {
	c := &Configuration{input: &v1beta1.Input{}}
	if s == nil {
		return c, nil
	}
	if errs := largeInput(at, s); len(errs) > 0 {
		return nil, errs
	}
	m := s.AsMap()
	if errs := decode(at, m, c.input, true); len(errs) > 0 {
		return nil, errs
	}
	c.add(nil, c.input.Guardrails, s)
	namespaces := s.GetFields()["namespaces"].GetListValue().GetValues()
	for i, n := range c.input.Namespaces {
		c.add(n.Match, n.Guardrails, namespaces[i].GetStructValue())
	}
	return c, validateInput(at, c.input)
}

// add adds a layer, with the defaults of the object that it is in.
func (c *Configuration) add(match []string, guardrails *v1beta1.Guardrails, in *structpb.Struct) {
	defaults := in.GetFields()["defaults"].GetStructValue()
	if defaults == nil && guardrails == nil {
		return
	}
	c.layers = append(c.layers, layer{match: match, guardrails: guardrails, defaults: defaults.AsMap(), shared: sharedSize(defaults)})
}

// largeInput finds parts of an Input that exceed the limits.
func largeInput(at *field.Path, s *structpb.Struct) field.ErrorList {
	errs := largeLayer(at, s)
	namespaces := s.GetFields()["namespaces"].GetListValue().GetValues()
	if n := len(namespaces); n > maxNamespaces {
		return append(errs, field.TooMany(at.Child("namespaces"), n, maxNamespaces))
	}
	for i, n := range namespaces {
		if len(errs) > MaxErrors {
			break
		}
		errs = append(errs, largeLayer(at.Child("namespaces").Index(i), n.GetStructValue())...)
	}
	return append(errs, atMost(at.Child("claims"), s.GetFields()["claims"], maxPart)...)
}

func largeLayer(at *field.Path, s *structpb.Struct) field.ErrorList {
	errs := tooLarge(at.Child("defaults"), s.GetFields()["defaults"].GetStructValue())
	errs = append(errs, atMost(at.Child("guardrails"), s.GetFields()["guardrails"], maxPart)...)
	return append(errs, atMost(at.Child("match"), s.GetFields()["match"], maxPart)...)
}

// configurations that apply together: the function's own, if there is one, and an Input over it.
type configurations []*Configuration

// input is the resulting Input: that of the Composition decides, and the function's own configuration where that sets nothing.
func (cs configurations) input() *v1beta1.Input {
	in := &v1beta1.Input{}
	for _, c := range slices.Backward(cs) {
		in.Prerequisites = cmp.Or(in.Prerequisites, c.input.Prerequisites)
		in.UsageKind = cmp.Or(in.UsageKind, c.input.UsageKind)
		in.TTL = cmp.Or(in.TTL, c.input.TTL)
		in.ProviderVersion = cmp.Or(in.ProviderVersion, c.input.ProviderVersion)
		in.Preview = in.Preview || c.input.Preview
	}
	return in
}

// layers returns the layers that apply to the claims of a namespace, the strongest last. The first one is for fields that no defaults
// set.
func (cs configurations) layers(namespace string) []layer {
	var out []layer
	if v := cs.input().ProviderVersion; v != "" {
		out = append(out, layer{defaults: map[string]any{"provider": map[string]any{"version": v}}})
	}
	for _, c := range cs {
		for _, l := range c.layers {
			if l.match == nil || namespace != "" && slices.ContainsFunc(l.match, func(p string) bool { return iam.Match(p, namespace) }) {
				out = append(out, l)
			}
		}
	}
	return out
}

// openFields returns the lists of fields that are open to claims: a field is open if all of them open it. The function's own
// configuration always has one, so that the Input of a Composition, which a claim may choose, cannot open more.
func (cs configurations) openFields() [][]string {
	var out [][]string
	for i, c := range cs {
		switch {
		case c.input.Claims != nil:
			out = append(out, c.input.Claims.AllowedFields)
		case i < len(cs)-1:
			out = append(out, nil)
		}
	}
	return out
}
