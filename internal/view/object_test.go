package view

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
)

const bucket = `
apiVersion: s3.aws.upbound.io/v1beta1
kind: Bucket
metadata:
  name: b
  labels: {team: a}
  annotations: {crossplane.io/external-name: my-b}
spec:
  forProvider: {region: eu-west-1, size: 3, list: [{name: one}, two, null]}
`

func TestObjectAccessors(t *testing.T) {
	o := NewObject(object(t, bucket))
	for what, got := range map[string][2]string{
		"APIVersion":         {o.APIVersion(), "s3.aws.upbound.io/v1beta1"},
		"Kind":               {o.Kind(), "Bucket"},
		"Name":               {o.Name(), "b"},
		"Label":              {o.Label("team"), "a"},
		"Label missing":      {o.Label("none"), ""},
		"Annotation":         {o.Annotation("crossplane.io/external-name"), "my-b"},
		"Annotation missing": {o.Annotation("none"), ""},
		"String":             {o.String("spec", "forProvider", "region"), "eu-west-1"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: want %q, got %q", what, got[1], got[0])
		}
	}
	if !o.Exists() || o.Deleted() {
		t.Errorf("Exists(), Deleted(): want true, false, got %t, %t", o.Exists(), o.Deleted())
	}
	if got := o.Number("spec", "forProvider", "size"); got != 3 {
		t.Errorf("Number(...): want 3, got %v", got)
	}
	l := o.List("spec", "forProvider", "list")
	if len(l) != 3 || l[0].String("name") != "one" || l[1].Exists() || l[2].Exists() {
		t.Errorf("List(...): want an object and two that do not exist, got %v", l)
	}
	if diff := cmp.Diff(structpb.NewNumberValue(3), o.Value("spec", "forProvider", "size"), protocmp.Transform()); diff != "" {
		t.Errorf("Value(...): -want, +got:\n%s", diff)
	}
}

// TestObjectJunk checks that any object can be read, because users can apply nearly anything.
func TestObjectJunk(t *testing.T) {
	junk := map[string]*structpb.Struct{
		"Nil":        nil,
		"NoFields":   {},
		"NullFields": {Fields: map[string]*structpb.Value{"metadata": nil, "status": nil, "kind": nil}},
		"NoKind":     {Fields: map[string]*structpb.Value{"metadata": {}, "status": {}, "kind": {}}},
		"Scalars":    object(t, `{apiVersion: 1, kind: true, metadata: a, status: 2}`),
		"Lists":      object(t, `{apiVersion: [], kind: {}, metadata: [a], status: [b]}`),
		"Deep":       object(t, `{metadata: {name: 1, labels: [], annotations: 3, ownerReferences: {}, deletionTimestamp: 7}, status: {conditions: {}}}`),
		"Deeper":     object(t, `{metadata: {ownerReferences: [1, {controller: "true", name: x}]}, status: {conditions: [null, 1, {type: 3}, {status: "True"}]}}`),
	}
	for name, s := range junk {
		t.Run(name, func(t *testing.T) {
			o := NewObject(s)
			got := []string{o.APIVersion(), o.Kind(), o.Name(), o.Label("a"), o.Annotation("a"), o.String("metadata", "name", "deeper")}
			if diff := cmp.Diff(make([]string, len(got)), got); diff != "" {
				t.Errorf("junk was read as text: -want, +got:\n%s", diff)
			}
			if o.Deleted() {
				t.Error("Deleted(): want false for junk")
			}
			if got := o.Controller(); got != (Owner{}) {
				t.Errorf("Controller(): want none, got %v", got)
			}
			if got := o.Condition("Ready"); got != (Condition{}) {
				t.Errorf("Condition(Ready): want none, got %v", got)
			}
			if o.Value() != nil || o.Number("spec") != 0 || len(o.List("spec")) != 0 {
				t.Error("want nothing at a path that does not exist")
			}
		})
	}
	if NewObject(&structpb.Struct{}).Exists() || NewObject(nil).Exists() || (Object{}).Exists() {
		t.Error("Exists(): want false for nothing")
	}
}

func TestObjectDeleted(t *testing.T) {
	if !NewObject(object(t, `{metadata: {deletionTimestamp: "2026-01-01T00:00:00Z"}}`)).Deleted() {
		t.Error("Deleted(): want true for an object with a deletionTimestamp")
	}
}

func TestObjectController(t *testing.T) {
	cases := map[string]struct {
		reason, in string
		want       Owner
	}{
		"None":  {"Without an owner, there is no controller.", `{metadata: {name: a}}`, Owner{}},
		"Other": {"An owner may not be the controller.", `{metadata: {ownerReferences: [{kind: A, name: a, uid: u}, {kind: B, name: b, uid: v, controller: false}]}}`, Owner{}},
		"One":   {"The controller is the owner that says so.", `{metadata: {ownerReferences: [{kind: A, name: a, uid: u}, {kind: B, name: b, uid: v, controller: true}]}}`, Owner{Kind: "B", Name: "b", UID: "v"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, NewObject(object(t, tc.in)).Controller()); diff != "" {
				t.Errorf("%s\nController(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestObjectCondition(t *testing.T) {
	o := NewObject(object(t, `
status:
  conditions:
  - {type: Ready, status: "True", reason: Available, message: fine, lastTransitionTime: "2026-01-02T03:04:05Z"}
  - {type: Ready, status: "False", reason: Second}
  - {type: Synced, status: "False", reason: ReconcileError, message: "create failed", lastTransitionTime: yesterday}
  - {type: Healthy, status: "Unknown"}
`))
	cases := map[string]struct {
		reason      string
		want        Condition
		since       time.Time
		True, False bool
	}{
		"Ready":   {"The first condition of a type counts, and its time is read.", Condition{Status: "True", Reason: "Available", Message: "fine"}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), true, false},
		"Synced":  {"An invalid time is the zero time.", Condition{Status: "False", Reason: "ReconcileError", Message: "create failed"}, time.Time{}, false, true},
		"Healthy": {"Unknown is neither true nor false.", Condition{Status: "Unknown"}, time.Time{}, false, false},
		"None":    {"Neither is a missing condition.", Condition{}, time.Time{}, false, false},
	}
	for typ, tc := range cases {
		t.Run(typ, func(t *testing.T) {
			got := o.Condition(typ)
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreUnexported(Condition{})); diff != "" {
				t.Errorf("%s\nCondition(%s): -want, +got:\n%s", tc.reason, typ, diff)
			}
			if since := got.LastTransitionTime(); !since.Equal(tc.since) {
				t.Errorf("%s\nLastTransitionTime(): want %s, got %s", tc.reason, tc.since, since)
			}
			if got.True() != tc.True || got.False() != tc.False {
				t.Errorf("%s\nTrue(), False(): want %t, %t, got %t, %t", tc.reason, tc.True, tc.False, got.True(), got.False())
			}
		})
	}
}
