package view

import (
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/crossplane/function-sdk-go/request"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A Kind is a kind of object that another package brings, so that it may not exist yet.
type Kind struct {
	schema.GroupVersionKind
	// Plural is the plural name of the kind, as in its CustomResourceDefinition.
	Plural string
	// Package that brings the kind, for example provider-aws-iam.
	Package string
}

// CRD is the name of the kind's CustomResourceDefinition.
func (k Kind) CRD() string { return k.Plural + "." + k.Group }

// definitionKind is the kind that Crossplane v2 installs in place of a CustomResourceDefinition for a provider with SafeStart: a
// definition that must be activated. It has the name of the CustomResourceDefinition.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var definitionKind = Kind{
	GroupVersionKind: schema.GroupVersionKind{Group: "apiextensions.crossplane.io", Version: "v1alpha1", Kind: "ManagedResourceDefinition"},
	Plural:           "managedresourcedefinitions",
}

// An Answer says whether something that the function asked for exists.
type Answer int

// The answers.
const (
	// Unanswered: Crossplane was not asked yet. It is now, and calls again with the answer.
	Unanswered Answer = iota
	// No: it does not exist.
	No
	// Yes: it does.
	Yes
)

// Requirements are the function's questions to Crossplane, together with Crossplane's answers. Asking a question adds it to the
// requirements of the response. Crossplane repeats the call, with answers, until a response requires nothing new, so a question must be
// asked on every call for as long as its answer matters.
//
// Questions go out in the one form that the caller understands: required resources and schemas where it advertises
// capabilities (Crossplane 2.2 and later), extra resources where it does not.
type Requirements struct {
	req        *fnv1.RunFunctionRequest
	out        *fnv1.Requirements
	resources  bool
	schemas    bool
	unanswered bool
	proven     map[schema.GroupVersionKind]bool
}

func newRequirements(req *fnv1.RunFunctionRequest) *Requirements {
	return &Requirements{
		req:       req,
		resources: request.AdvertisesCapabilities(req),
		schemas:   request.HasCapability(req, fnv1.Capability_CAPABILITY_REQUIRED_SCHEMAS),
		proven:    map[schema.GroupVersionKind]bool{},
	}
}

// prove records the kind of an object that Crossplane sent.
func (r *Requirements) prove(o Object) {
	r.proven[schema.FromAPIVersionAndKind(o.APIVersion(), o.Kind())] = true
}

// Proto returns the requirements to send; nil if there are none.
func (r *Requirements) Proto() *fnv1.Requirements { return r.out }

// Unanswered says whether any question has no answer yet.
func (r *Requirements) Unanswered() bool { return r.unanswered }

// Schemas says whether the caller can prove kinds by their schemas, which costs it nothing.
func (r *Requirements) Schemas() bool { return r.schemas }

// Kind asks whether a kind exists. Crossplane can never recover from a resource whose kind does not, so nothing of a kind
// is composed or required before the answer is Yes. The cheap proof is the kind's schema; callers that cannot send schemas
// are asked for the CustomResourceDefinition. A kind that was observed needs no proof.
func (r *Requirements) Kind(k Kind) Answer {
	if r.proven[k.GroupVersionKind] {
		return Yes
	}
	if r.schemas {
		return r.schema(k)
	}
	crds, answer := r.crd(k)
	if answer != Yes {
		return answer
	}
	for _, crd := range crds {
		if crd.Name() == k.CRD() && !crd.Deleted() && crd.Condition("Established").True() && serves(crd, k.Version) {
			return Yes
		}
	}
	return No
}

// Absent says whether a kind of Crossplane's own is known not to exist, because Crossplane is older than the kind: a caller from before
// capabilities was asked for the definition, and it does not exist. If a newer caller finds no schema, that proves nothing: it may find
// one a moment later.
func (r *Requirements) Absent(k Kind) bool {
	if r.resources || r.Kind(k) != No {
		return false
	}
	_, answer := r.crd(k)
	return answer == No
}

// Missing says what is wrong with a kind that does not exist, and what to do. Only then does it ask for more: whether its package is
// installed, and the kind is only not active.
func (r *Requirements) Missing(k Kind) string {
	if r.Kind(k) == No && r.Kind(definitionKind) == Yes {
		switch d, _ := r.Get(definitionKind.GroupVersionKind, k.CRD()); d.String("spec", "state") {
		case "Inactive":
			return "not active, name it in a ManagedResourceActivationPolicy, as manifests/activation-policy.yaml does"
		case "Active":
			return "being activated"
		}
	}
	return "missing, install " + k.Package
}

// HasField asks whether the objects of a kind have a field, which only newer versions of its package may know. An object with a field
// that its kind does not have cannot be applied, and neither can anything else. [] in the path stands for the items of a list.
func (r *Requirements) HasField(k Kind, path ...string) Answer {
	s, answer := r.openAPISchema(k)
	if answer != Yes {
		return answer
	}
	for _, name := range path {
		if s.Value("x-kubernetes-preserve-unknown-fields").GetBoolValue() {
			return Yes
		}
		at := []string{"properties", name}
		if name == "[]" {
			at = []string{"items"}
		}
		if s = NewObject(s.Value(at...).GetStructValue()); !s.Exists() {
			return No
		}
	}
	return Yes
}

// openAPISchema returns the schema of a kind's objects.
func (r *Requirements) openAPISchema(k Kind) (Object, Answer) {
	if r.schemas {
		answer := r.schema(k)
		s, _ := request.GetRequiredSchema(r.req, schemaKey(k))
		return NewObject(s), answer
	}
	crds, answer := r.crd(k)
	if answer != Yes {
		return Object{}, answer
	}
	for _, v := range crds[0].List("spec", "versions") {
		if v.String("name") == k.Version {
			return NewObject(v.Value("schema", "openAPIV3Schema").GetStructValue()), Yes
		}
	}
	return Object{}, No
}

func (r *Requirements) crd(k Kind) ([]Object, Answer) {
	return r.require("kind/"+k.CRD(), &fnv1.ResourceSelector{
		ApiVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition",
		Match: &fnv1.ResourceSelector_MatchName{MatchName: k.CRD()},
	})
}

func schemaKey(k Kind) string { return "kind/" + k.CRD() + "/" + k.Version }

func serves(crd Object, version string) bool {
	for _, v := range crd.List("spec", "versions") {
		if v.String("name") == version {
			return v.Value("served").GetBoolValue()
		}
	}
	return false
}

func (r *Requirements) schema(k Kind) Answer {
	key := schemaKey(k)
	r.add()
	if r.out.Schemas == nil {
		r.out.Schemas = map[string]*fnv1.SchemaSelector{}
	}
	r.out.Schemas[key] = &fnv1.SchemaSelector{ApiVersion: k.GroupVersion().String(), Kind: k.Kind}
	s, ok := request.GetRequiredSchema(r.req, key)
	switch {
	case !ok:
		r.unanswered = true
		return Unanswered
	case len(s.GetFields()) == 0:
		return No
	}
	return Yes
}

// Get asks for the object of that name. Its kind must be proven, and cluster-scoped.
func (r *Requirements) Get(gvk schema.GroupVersionKind, name string) (Object, Answer) {
	return r.get(gvk, nil, name)
}

// GetIn asks for the object of that name in a namespace. Its kind must be proven. Crossplane v1 cannot look into a
// namespace: it must not be asked.
func (r *Requirements) GetIn(gvk schema.GroupVersionKind, namespace, name string) (Object, Answer) {
	return r.get(gvk, &namespace, name)
}

func (r *Requirements) get(gvk schema.GroupVersionKind, namespace *string, name string) (Object, Answer) {
	key := gvk.GroupKind().String() + "/" + name
	if namespace != nil {
		key = gvk.GroupKind().String() + "/" + *namespace + "/" + name
	}
	os, answer := r.require(key, &fnv1.ResourceSelector{
		ApiVersion: gvk.GroupVersion().String(), Kind: gvk.Kind,
		Match: &fnv1.ResourceSelector_MatchName{MatchName: name}, Namespace: namespace,
	})
	if answer != Yes {
		return Object{}, answer
	}
	if namespace != nil && os[0].Namespace() != *namespace {
		// A caller that does not know namespaces sends an object of any namespace.
		return Object{}, No
	}
	return os[0], Yes
}

// List asks for all objects that have the labels; no labels match all. The kind must be proven. The answer is Yes even if there are
// none.
func (r *Requirements) List(gvk schema.GroupVersionKind, labels map[string]string) ([]Object, Answer) {
	return r.list("all/"+gvk.GroupKind().String(), gvk, labels)
}

// Labelled asks for the objects of any namespace that have a label of that value. The kind must be proven, and Crossplane allowed to
// list it. The answer is Yes even if there are none.
func (r *Requirements) Labelled(gvk schema.GroupVersionKind, label, value string) ([]Object, Answer) {
	return r.list(gvk.GroupKind().String()+"/"+label+"="+value, gvk, map[string]string{label: value})
}

func (r *Requirements) list(key string, gvk schema.GroupVersionKind, labels map[string]string) ([]Object, Answer) {
	os, answer := r.require(key, &fnv1.ResourceSelector{
		ApiVersion: gvk.GroupVersion().String(), Kind: gvk.Kind,
		Match: &fnv1.ResourceSelector_MatchLabels{MatchLabels: &fnv1.MatchLabels{Labels: labels}},
	})
	if answer == No {
		answer = Yes
	}
	return os, answer
}

// require requires resources, and returns those that the caller sent.
func (r *Requirements) require(key string, s *fnv1.ResourceSelector) ([]Object, Answer) {
	r.add()
	asked, answers := &r.out.ExtraResources, r.req.GetExtraResources() //nolint:staticcheck // Callers before 2.2 know no other.
	if r.resources {
		asked, answers = &r.out.Resources, r.req.GetRequiredResources()
	}
	if *asked == nil {
		*asked = map[string]*fnv1.ResourceSelector{}
	}
	(*asked)[key] = s

	rs, ok := answers[key]
	if !ok {
		r.unanswered = true
		return nil, Unanswered
	}
	os := make([]Object, 0, len(rs.GetItems()))
	for _, i := range rs.GetItems() {
		if o := NewObject(i.GetResource()); o.Exists() {
			os = append(os, o)
		}
	}
	if len(os) == 0 {
		return nil, No
	}
	return os, Yes
}

func (r *Requirements) add() {
	if r.out == nil {
		r.out = &fnv1.Requirements{}
	}
}
