package view

import (
	"maps"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
)

// An Object is a read-only view of a Kubernetes object as Crossplane sent it. Its methods read the message in place, so that only
// values in use are decoded. The zero Object is one that does not exist.
type Object struct {
	s *structpb.Struct
}

// NewObject returns a view of the supplied object.
func NewObject(s *structpb.Struct) Object { return Object{s: s} }

// Exists says whether there is such an object.
func (o Object) Exists() bool { return len(o.s.GetFields()) > 0 }

// Value returns the value at the path of field names; nil if there is none.
func (o Object) Value(path ...string) *structpb.Value {
	s := o.s
	for i, name := range path {
		v, ok := s.GetFields()[name]
		if !ok {
			return nil
		}
		if i == len(path)-1 {
			return v
		}
		s = v.GetStructValue()
	}
	return nil
}

// String returns the text at the path of field names; empty if there is none.
func (o Object) String(path ...string) string { return o.Value(path...).GetStringValue() }

// Number returns the number at the path of field names; 0 if there is none.
func (o Object) Number(path ...string) float64 { return o.Value(path...).GetNumberValue() }

// List returns the objects in the list at the path of field names.
func (o Object) List(path ...string) []Object {
	vs := o.Value(path...).GetListValue().GetValues()
	os := make([]Object, 0, len(vs))
	for _, v := range vs {
		os = append(os, Object{s: v.GetStructValue()})
	}
	return os
}

// APIVersion returns the API version of the object.
func (o Object) APIVersion() string { return o.String("apiVersion") }

// Kind returns the kind of the object.
func (o Object) Kind() string { return o.String("kind") }

// Name returns the name of the object.
func (o Object) Name() string { return o.String("metadata", "name") }

// Namespace returns the namespace of the object; empty if it is cluster-scoped.
func (o Object) Namespace() string { return o.String("metadata", "namespace") }

// Label returns a label of the object; empty if there is none.
func (o Object) Label(name string) string { return o.String("metadata", "labels", name) }

// Annotation returns an annotation of the object; empty if there is none.
func (o Object) Annotation(name string) string { return o.String("metadata", "annotations", name) }

// Deleted says whether the object is being deleted.
func (o Object) Deleted() bool { return o.String("metadata", "deletionTimestamp") != "" }

// AnnotationPaused and ReasonPaused stop all reconciling of an object, and report it:
// https://pkg.go.dev/github.com/crossplane/crossplane-runtime/v2/pkg/meta#AnnotationKeyReconciliationPaused.
const (
	AnnotationPaused = "crossplane.io/paused"
	ReasonPaused     = "ReconcilePaused"
)

// Paused says whether reconciling of the object is stopped on purpose.
func (o Object) Paused() bool {
	return o.Annotation(AnnotationPaused) == "true" || o.Condition("Synced").Reason == ReasonPaused
}

// Applied returns the fields that a client may have applied: all but the status and those that Kubernetes adds.
func (o Object) Applied() *structpb.Struct {
	out := &structpb.Struct{Fields: maps.Clone(o.s.GetFields())}
	delete(out.GetFields(), "status")
	meta := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	for _, name := range []string{"name", "namespace", "labels", "annotations"} {
		if v := o.Value("metadata", name); v != nil {
			meta.Fields[name] = v
		}
	}
	out.Fields["metadata"] = structpb.NewStructValue(meta)
	return out
}

// An Owner is an object that owns another.
type Owner struct {
	Kind, Name, UID string
}

// Controller returns the controller of the object; the zero Owner if it has none.
func (o Object) Controller() Owner {
	for _, r := range o.List("metadata", "ownerReferences") {
		if r.Value("controller").GetBoolValue() {
			return Owner{Kind: r.Kind(), Name: r.String("name"), UID: r.String("uid")}
		}
	}
	return Owner{}
}

// A Condition of an object's status.
type Condition struct {
	// Status is True, False or Unknown; empty if the object has no such condition.
	Status string
	// Reason for the status, a CamelCase word.
	Reason string
	// Message for users.
	Message string

	lastTransitionTime string
}

// LastTransitionTime is when Status changed; zero if that is not known.
func (c Condition) LastTransitionTime() time.Time {
	// A time that cannot be parsed is not known: the zero time.
	t, _ := time.Parse(time.RFC3339, c.lastTransitionTime)
	return t
}

// True says whether the condition holds.
func (c Condition) True() bool { return c.Status == "True" }

// False says whether the condition is known not to hold.
func (c Condition) False() bool { return c.Status == "False" }

// Condition returns the condition of the given type.
func (o Object) Condition(typ string) Condition {
	for _, v := range o.Value("status", "conditions").GetListValue().GetValues() {
		c := Object{s: v.GetStructValue()}
		if c.String("type") != typ {
			continue
		}
		return Condition{Status: c.String("status"), Reason: c.String("reason"), Message: c.String("message"), lastTransitionTime: c.String("lastTransitionTime")}
	}
	return Condition{}
}
