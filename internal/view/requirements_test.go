package view

import (
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

// roles returns a kind that another package installs.
func roles() Kind {
	return Kind{GroupVersionKind: schema.GroupVersionKind{Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "Role"}, Plural: "roles", Package: "provider-aws-iam"}
}

const established = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: roles.iam.aws.upbound.io}
spec: {versions: [{name: v1alpha1, served: true}, {name: v1beta1, served: true}]}
status: {conditions: [{type: NamesAccepted, status: "True"}, {type: Established, status: "True"}]}
`

// callers returns the metadata of callers of different versions.
func callers() map[string]*fnv1.RequestMeta {
	return map[string]*fnv1.RequestMeta{
		"v1.20": nil,
		"v2.1":  {Tag: "x"},
		// A caller may support required resources without schemas.
		"NoSchemas": {Capabilities: []fnv1.Capability{fnv1.Capability_CAPABILITY_CAPABILITIES, fnv1.Capability_CAPABILITY_REQUIRED_RESOURCES}},
		"v2.2": {Capabilities: []fnv1.Capability{
			fnv1.Capability_CAPABILITY_CAPABILITIES, fnv1.Capability_CAPABILITY_REQUIRED_RESOURCES, fnv1.Capability_CAPABILITY_REQUIRED_SCHEMAS,
		}},
	}
}

func TestKindAsks(t *testing.T) {
	crd := map[string]*fnv1.ResourceSelector{"kind/roles.iam.aws.upbound.io": {
		ApiVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition",
		Match: &fnv1.ResourceSelector_MatchName{MatchName: "roles.iam.aws.upbound.io"},
	}}
	cases := map[string]struct {
		reason string
		want   *fnv1.Requirements
	}{
		"v1.20":     {"An old caller supports extra resources only.", &fnv1.Requirements{ExtraResources: crd}},
		"v2.1":      {"So does a caller that does not advertise its capabilities.", &fnv1.Requirements{ExtraResources: crd}},
		"NoSchemas": {"Without schemas, the CustomResourceDefinition proves the kind.", &fnv1.Requirements{Resources: crd}},
		"v2.2": {"With schemas, these prove the kind: they cost the caller nothing.", &fnv1.Requirements{Schemas: map[string]*fnv1.SchemaSelector{
			"kind/roles.iam.aws.upbound.io/v1beta1": {ApiVersion: "iam.aws.upbound.io/v1beta1", Kind: "Role"},
		}}},
	}
	for name, meta := range callers() {
		t.Run(name, func(t *testing.T) {
			tc, ok := cases[name]
			if !ok {
				t.Fatal("no such case")
			}
			req := newRequest(t, minimal, "")
			req.Meta = meta
			r := mustView(t, req).Requirements
			if got := r.Kind(roles()); got != Unanswered {
				t.Errorf("%s\nKind(...): want Unanswered, got %d", tc.reason, got)
			}
			if diff := cmp.Diff(tc.want, r.Proto(), protocmp.Transform()); diff != "" {
				t.Errorf("%s\nProto(): -want, +got:\n%s", tc.reason, diff)
			}
			if !r.Unanswered() {
				t.Error("Unanswered(): want true")
			}
			before := r.Proto().String()
			r.Kind(roles())
			if got := r.Proto().String(); got != before {
				t.Errorf("a requirement should be added only once: first %s, then %s", before, got)
			}
		})
	}
}

func TestKindBySchema(t *testing.T) {
	const key = "kind/roles.iam.aws.upbound.io/v1beta1"
	cases := map[string]struct {
		reason  string
		schemas map[string]*fnv1.Schema
		want    Answer
	}{
		"NotAsked": {"No schemas were sent.", nil, Unanswered},
		"OtherKey": {"An answer to another requirement does not count.", map[string]*fnv1.Schema{"kind/policies.iam.aws.upbound.io/v1beta1": {OpenapiV3: object(t, "type: object")}}, Unanswered},
		"NotFound": {"Crossplane answers with an empty schema if the kind does not exist,", map[string]*fnv1.Schema{key: {}}, No},
		"NoFields": {"or with a schema without content.", map[string]*fnv1.Schema{key: {OpenapiV3: &structpb.Struct{}}}, No},
		"Found":    {"A schema proves the kind.", map[string]*fnv1.Schema{key: {OpenapiV3: object(t, "type: object")}}, Yes},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, minimal, "")
			req.Meta, req.RequiredSchemas = callers()["v2.2"], tc.schemas
			r := mustView(t, req).Requirements
			if got := r.Kind(roles()); got != tc.want {
				t.Errorf("%s\nKind(...): want %d, got %d", tc.reason, tc.want, got)
			}
			if got := r.Unanswered(); got != (tc.want == Unanswered) {
				t.Errorf("%s\nUnanswered(): got %t", tc.reason, got)
			}
			if r.Proto().GetSchemas()[key] == nil {
				t.Errorf("%s\nthe schema must be required on every call as long as the answer matters", tc.reason)
			}
		})
	}
}

func TestKindByCRD(t *testing.T) {
	const key = "kind/roles.iam.aws.upbound.io"
	crd := func(doc string) *fnv1.Resources {
		return &fnv1.Resources{Items: []*fnv1.Resource{{Resource: object(t, doc)}}}
	}
	cases := map[string]struct {
		reason string
		answer map[string]*fnv1.Resources
		want   Answer
	}{
		"NotAsked":  {"There is no answer yet.", nil, Unanswered},
		"OtherKey":  {"An answer to another requirement does not count.", map[string]*fnv1.Resources{"x": crd(established)}, Unanswered},
		"NotFound":  {"An empty list means that the kind does not exist.", map[string]*fnv1.Resources{key: {}}, No},
		"NilAnswer": {"So does a nil answer.", map[string]*fnv1.Resources{key: nil}, No},
		"Junk":      {"An empty object does not exist.", map[string]*fnv1.Resources{key: {Items: []*fnv1.Resource{nil, {}}}}, No},
		"Found":     {"An established CustomResourceDefinition proves the kind.", map[string]*fnv1.Resources{key: crd(established)}, Yes},
		"NotEstablished": {
			"A definition that is not established is not served.",
			map[string]*fnv1.Resources{key: crd(`{metadata: {name: roles.iam.aws.upbound.io}, spec: {versions: [{name: v1beta1, served: true}]}, status: {conditions: [{type: Established, status: "False"}]}}`)},
			No,
		},
		"NoStatus": {
			"Neither is one without a status.",
			map[string]*fnv1.Resources{key: crd(`{metadata: {name: roles.iam.aws.upbound.io}, spec: {versions: [{name: v1beta1, served: true}]}}`)},
			No,
		},
		"Deleted": {
			"A definition that is being deleted deletes its objects, too.",
			map[string]*fnv1.Resources{key: crd(`{metadata: {name: roles.iam.aws.upbound.io, deletionTimestamp: "2026-01-01T00:00:00Z"}, spec: {versions: [{name: v1beta1, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}`)},
			No,
		},
		"OtherVersion": {
			"Another version is another kind.",
			map[string]*fnv1.Resources{key: crd(`{metadata: {name: roles.iam.aws.upbound.io}, spec: {versions: [{name: v1beta2, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}`)},
			No,
		},
		"NotServed": {
			"A version that is not served cannot be used.",
			map[string]*fnv1.Resources{key: crd(`{metadata: {name: roles.iam.aws.upbound.io}, spec: {versions: [{name: v1beta1, served: false}]}, status: {conditions: [{type: Established, status: "True"}]}}`)},
			No,
		},
		"OtherName": {
			"The definition of another kind proves nothing.",
			map[string]*fnv1.Resources{key: crd(`{metadata: {name: roles.example.org}, spec: {versions: [{name: v1beta1, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}`)},
			No,
		},
	}
	for name, tc := range cases {
		for _, caller := range []string{"v1.20", "NoSchemas"} {
			t.Run(name+"/"+caller, func(t *testing.T) {
				req := newRequest(t, minimal, "")
				req.Meta = callers()[caller]
				if caller == "v1.20" {
					req.ExtraResources = tc.answer //nolint:staticcheck // Crossplane before 2.2 knows no other field.
				} else {
					req.RequiredResources = tc.answer
				}
				r := mustView(t, req).Requirements
				if got := r.Kind(roles()); got != tc.want {
					t.Errorf("%s\nKind(...): want %d, got %d", tc.reason, tc.want, got)
				}
				if got := r.Unanswered(); got != (tc.want == Unanswered) {
					t.Errorf("%s\nUnanswered(): got %t", tc.reason, got)
				}
			})
		}
	}
}

func TestMissing(t *testing.T) {
	const (
		install  = "missing, install provider-aws-iam"
		kind     = "kind/roles.iam.aws.upbound.io"
		policies = "kind/managedresourcedefinitions.apiextensions.crossplane.io"
		role     = "ManagedResourceDefinition.apiextensions.crossplane.io/roles.iam.aws.upbound.io"
	)
	none := &fnv1.Resources{}
	some := func(doc string) *fnv1.Resources {
		return &fnv1.Resources{Items: []*fnv1.Resource{{Resource: object(t, doc)}}}
	}
	definitions := some(`{metadata: {name: managedresourcedefinitions.apiextensions.crossplane.io}, spec: {versions: [{name: v1alpha1, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}`)
	cases := map[string]struct {
		reason  string
		answers map[string]*fnv1.Resources
		want    string
		asked   []string
	}{
		"NotAsked": {"Before the kind is looked up, nothing else is required.", nil, install, []string{kind}},
		"V1":       {"Crossplane v1 has no definitions that could be inactive, so none is required.", map[string]*fnv1.Resources{kind: none, policies: none}, install, []string{kind, policies}},
		"V2":       {"A package that is not installed has no definition.", map[string]*fnv1.Resources{kind: none, policies: definitions, role: none}, install, []string{kind, policies, role}},
		"Inactive": {
			"The message for an inactive definition says how to activate it.",
			map[string]*fnv1.Resources{kind: none, policies: definitions, role: some(`{metadata: {name: roles.iam.aws.upbound.io}, spec: {state: Inactive}}`)},
			"not active, name it in a ManagedResourceActivationPolicy, as manifests/activation-policy.yaml does",
			[]string{kind, policies, role},
		},
		"Active": {
			"The kind of an active definition is about to exist.",
			map[string]*fnv1.Resources{kind: none, policies: definitions, role: some(`{metadata: {name: roles.iam.aws.upbound.io}, spec: {state: Active}}`)},
			"being activated",
			[]string{kind, policies, role},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, minimal, "")
			req.ExtraResources = tc.answers //nolint:staticcheck // Crossplane before 2.2 knows no other field.
			r := mustView(t, req).Requirements
			if got := r.Missing(roles()); got != tc.want {
				t.Errorf("%s\nMissing(...): want %q, got %q", tc.reason, tc.want, got)
			}
			asked := r.Proto().GetExtraResources() //nolint:staticcheck // See above.
			if len(asked) != len(tc.asked) {
				t.Errorf("%s\nrequired: want %v, got %v", tc.reason, tc.asked, asked)
			}
			for _, key := range tc.asked {
				if asked[key] == nil {
					t.Errorf("%s\nrequired: want %s, got %v", tc.reason, key, asked)
				}
			}
		})
	}
}

// TestKindOfOtherForm checks that answers in the form of the other protocol version are ignored.
func TestKindOfOtherForm(t *testing.T) {
	answer := map[string]*fnv1.Resources{"kind/roles.iam.aws.upbound.io": {Items: []*fnv1.Resource{{Resource: object(t, established)}}}}
	req := newRequest(t, minimal, "")
	req.RequiredResources = answer
	if got := mustView(t, req).Requirements.Kind(roles()); got != Unanswered {
		t.Errorf("Kind(...) of a caller without capabilities: want Unanswered, got %d", got)
	}
	req = newRequest(t, minimal, "")
	req.Meta, req.ExtraResources = callers()["NoSchemas"], answer //nolint:staticcheck // The test uses the wrong field on purpose.
	if got := mustView(t, req).Requirements.Kind(roles()); got != Unanswered {
		t.Errorf("Kind(...) of a caller with capabilities: want Unanswered, got %d", got)
	}
}

func TestKindObserved(t *testing.T) {
	cases := map[string]struct {
		reason, observed string
		want             Answer
	}{
		"Same":         {"An existing object proves its kind, so nothing is required.", `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role}`, Yes},
		"OtherVersion": {"It does not prove another version,", `{apiVersion: iam.aws.upbound.io/v1beta2, kind: Role}`, Unanswered},
		"OtherGroup":   {"another group,", `{apiVersion: iam.aws.m.upbound.io/v1beta1, kind: Role}`, Unanswered},
		"OtherKind":    {"or another kind.", `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy}`, Unanswered},
	}
	for name, tc := range cases {
		for caller, meta := range callers() {
			t.Run(name+"/"+caller, func(t *testing.T) {
				req := newRequest(t, minimal, "")
				req.Meta = meta
				observe(t, req, "role/s3", tc.observed)
				r := mustView(t, req).Requirements
				if got := r.Kind(roles()); got != tc.want {
					t.Errorf("%s\nKind(...): want %d, got %d", tc.reason, tc.want, got)
				}
				if asked := r.Proto() != nil; asked != (tc.want == Unanswered) {
					t.Errorf("%s\nrequired: %v", tc.reason, r.Proto())
				}
			})
		}
	}
}

// TestKindOfComposite checks that the composite resource itself proves its kind.
func TestKindOfComposite(t *testing.T) {
	for caller, meta := range callers() {
		req := newRequest(t, minimal, "")
		req.Meta = meta
		r := mustView(t, req).Requirements
		if got := r.Kind(Kind{GroupVersionKind: v1alpha1.GroupVersionKind, Plural: "podidentityproviders"}); got != Yes || r.Proto() != nil {
			t.Errorf("%s: Kind(...) of the composite resource: want it to exist without requirements, got %d and %v", caller, got, r.Proto())
		}
	}
}

func TestGet(t *testing.T) {
	const key = "Role.iam.aws.upbound.io/crossplane-s3"
	role := func(name string) *fnv1.Resources {
		return &fnv1.Resources{Items: []*fnv1.Resource{{Resource: object(t, "{kind: Role, metadata: {name: "+name+"}}")}}}
	}
	cases := map[string]struct {
		reason string
		answer map[string]*fnv1.Resources
		want   Answer
		name   string
	}{
		"NotAsked": {"There is no answer yet.", nil, Unanswered, ""},
		"NotFound": {"An empty list means that the object does not exist.", map[string]*fnv1.Resources{key: {}}, No, ""},
		"Found":    {"The object has the required name.", map[string]*fnv1.Resources{key: role("crossplane-s3")}, Yes, "crossplane-s3"},
		"OtherKey": {"An answer to another requirement does not count.", map[string]*fnv1.Resources{"Role.iam.aws.upbound.io/other": role("other")}, Unanswered, ""},
	}
	selector := &fnv1.ResourceSelector{ApiVersion: "iam.aws.upbound.io/v1beta1", Kind: "Role", Match: &fnv1.ResourceSelector_MatchName{MatchName: "crossplane-s3"}}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, minimal, "")
			req.Meta, req.RequiredResources = callers()["v2.2"], tc.answer
			r := mustView(t, req).Requirements
			o, got := r.Get(roles().GroupVersionKind, "crossplane-s3")
			if got != tc.want || o.Name() != tc.name {
				t.Errorf("%s\nGet(...): want %d and %q, got %d and %q", tc.reason, tc.want, tc.name, got, o.Name())
			}
			want := &fnv1.Requirements{Resources: map[string]*fnv1.ResourceSelector{key: selector}}
			if diff := cmp.Diff(want, r.Proto(), protocmp.Transform()); diff != "" {
				t.Errorf("%s\nProto(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestList(t *testing.T) {
	const key = "all/Role.iam.aws.upbound.io"
	cases := map[string]struct {
		reason string
		labels map[string]string
		answer map[string]*fnv1.Resources
		want   Answer
		names  []string
	}{
		"NotAsked": {"There is no answer yet.", nil, nil, Unanswered, nil},
		"None":     {"An empty list is an answer.", map[string]string{"a": "b"}, map[string]*fnv1.Resources{key: {}}, Yes, nil},
		"Some": {
			"All objects are returned except empty ones.", nil,
			map[string]*fnv1.Resources{key: {Items: []*fnv1.Resource{{Resource: object(t, "{metadata: {name: b}}")}, {}, {Resource: object(t, "{metadata: {name: a}}")}}}},
			Yes,
			[]string{"b", "a"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, minimal, "")
			req.ExtraResources = tc.answer //nolint:staticcheck // Crossplane before 2.2 knows no other field.
			r := mustView(t, req).Requirements
			os, got := r.List(roles().GroupVersionKind, tc.labels)
			var names []string
			for _, o := range os {
				names = append(names, o.Name())
			}
			if got != tc.want {
				t.Errorf("%s\nList(...): want %d, got %d", tc.reason, tc.want, got)
			}
			if diff := cmp.Diff(tc.names, names); diff != "" {
				t.Errorf("%s\nList(...): -want, +got:\n%s", tc.reason, diff)
			}
			want := &fnv1.Requirements{ExtraResources: map[string]*fnv1.ResourceSelector{key: {
				ApiVersion: "iam.aws.upbound.io/v1beta1", Kind: "Role",
				Match: &fnv1.ResourceSelector_MatchLabels{MatchLabels: &fnv1.MatchLabels{Labels: tc.labels}},
			}}}
			if diff := cmp.Diff(want, r.Proto(), protocmp.Transform()); diff != "" {
				t.Errorf("%s\nProto(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestQuestionsAddUp checks that one requirement does not replace another.
func TestQuestionsAddUp(t *testing.T) {
	req := newRequest(t, minimal, "")
	req.Meta = callers()["v2.2"]
	r := mustView(t, req).Requirements
	policies := Kind{GroupVersionKind: schema.GroupVersionKind{Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "Policy"}, Plural: "policies"}
	r.Kind(roles())
	r.Kind(policies)
	r.Get(roles().GroupVersionKind, "a")
	r.Get(roles().GroupVersionKind, "b")
	r.Get(policies.GroupVersionKind, "a")
	r.List(roles().GroupVersionKind, nil)
	if got := len(r.Proto().GetSchemas()); got != 2 {
		t.Errorf("want 2 required schemas, got %v", r.Proto().GetSchemas())
	}
	if got := len(r.Proto().GetResources()); got != 4 {
		t.Errorf("want 4 required resources, got %v", r.Proto().GetResources())
	}
}

func TestGetIn(t *testing.T) {
	const key = "Role.iam.aws.upbound.io/team-a/x"
	role := func(namespace string) *fnv1.Resources {
		return &fnv1.Resources{Items: []*fnv1.Resource{{Resource: object(t, "{metadata: {namespace: "+namespace+", name: x}}")}}}
	}
	cases := map[string]struct {
		reason string
		answer *fnv1.Resources
		want   Answer
	}{
		"NotAsked": {"There is no answer yet.", nil, Unanswered},
		"NotFound": {"An empty list means that the object does not exist.", &fnv1.Resources{}, No},
		"Found":    {"The object has the required name and namespace.", role("team-a"), Yes},
		"Other":    {"An object in another namespace is a different one.", role("team-b"), No},
		"Cluster":  {"So is a cluster-scoped one.", role(`""`), No},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, minimal, "")
			if tc.answer != nil {
				req.ExtraResources = map[string]*fnv1.Resources{key: tc.answer} //nolint:staticcheck // Crossplane before 2.2 knows no other field.
			}
			r := mustView(t, req).Requirements
			if _, got := r.GetIn(roles().GroupVersionKind, "team-a", "x"); got != tc.want {
				t.Errorf("%s\nGetIn(...): want %d, got %d", tc.reason, tc.want, got)
			}
			ns := "team-a"
			want := &fnv1.Requirements{ExtraResources: map[string]*fnv1.ResourceSelector{key: {
				ApiVersion: "iam.aws.upbound.io/v1beta1", Kind: "Role", Namespace: &ns, Match: &fnv1.ResourceSelector_MatchName{MatchName: "x"},
			}}}
			if diff := cmp.Diff(want, r.Proto(), protocmp.Transform()); diff != "" {
				t.Errorf("%s\nProto(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestHasFieldOfItems(t *testing.T) {
	crd := func(items string) map[string]*fnv1.Resources {
		return map[string]*fnv1.Resources{"kind/roles.iam.aws.upbound.io": {Items: []*fnv1.Resource{{Resource: object(t, `
metadata: {name: roles.iam.aws.upbound.io}
spec: {versions: [{name: v1beta1, served: true, schema: {openAPIV3Schema: {type: object, properties: {refs: {type: array, items: `+items+`}}}}}]}
status: {conditions: [{type: Established, status: "True"}]}`)}}}}
	}
	cases := map[string]struct {
		reason string
		answer map[string]*fnv1.Resources
		want   Answer
	}{
		"NotAsked": {"There is no answer yet.", nil, Unanswered},
		"Known":    {"Items may have the field.", crd(`{type: object, properties: {namespace: {type: string}}}`), Yes},
		"Unknown":  {"Items may not have the field.", crd(`{type: object, properties: {name: {type: string}}}`), No},
		"Any":      {"Items may have any field.", crd(`{type: object, x-kubernetes-preserve-unknown-fields: true}`), Yes},
		"NoItems":  {"There may be no schema for items.", crd(`null`), No},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, minimal, "")
			req.ExtraResources = tc.answer //nolint:staticcheck // Crossplane before 2.2 knows no other field.
			if got := mustView(t, req).Requirements.HasField(roles(), "refs", "[]", "namespace"); got != tc.want {
				t.Errorf("%s\nHasField(...): want %d, got %d", tc.reason, tc.want, got)
			}
		})
	}
}

// TestLabelled checks that two requirements for one kind are kept apart, in the form that each caller supports.
func TestLabelled(t *testing.T) {
	pods := schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	const label = "pkg.crossplane.io/revision"
	const one, two = "Pod/pkg.crossplane.io/revision=s3-1", "Pod/pkg.crossplane.io/revision=sqs-1"
	answer := map[string]*fnv1.Resources{one: {Items: []*fnv1.Resource{{Resource: object(t, "{metadata: {name: a}}")}}}, two: {}}
	selector := func(revision string) *fnv1.ResourceSelector {
		return &fnv1.ResourceSelector{ApiVersion: "v1", Kind: "Pod", Match: &fnv1.ResourceSelector_MatchLabels{MatchLabels: &fnv1.MatchLabels{Labels: map[string]string{label: revision}}}}
	}
	asked := map[string]*fnv1.ResourceSelector{one: selector("s3-1"), two: selector("sqs-1")}
	for caller, want := range map[string]*fnv1.Requirements{"v1.20": {ExtraResources: asked}, "v2.2": {Resources: asked}} {
		t.Run(caller, func(t *testing.T) {
			req := newRequest(t, minimal, "")
			req.Meta = callers()[caller]
			if caller == "v1.20" {
				req.ExtraResources = answer //nolint:staticcheck // Crossplane before 2.2 knows no other field.
			} else {
				req.RequiredResources = answer
			}
			r := mustView(t, req).Requirements
			if os, got := r.Labelled(pods, label, "s3-1"); got != Yes || len(os) != 1 || os[0].Name() != "a" {
				t.Errorf("Labelled(...): want the one pod, got %v and %d", os, got)
			}
			if os, got := r.Labelled(pods, label, "sqs-1"); got != Yes || len(os) != 0 {
				t.Errorf("Labelled(...): want an empty answer, got %v and %d", os, got)
			}
			if diff := cmp.Diff(want, r.Proto(), protocmp.Transform()); diff != "" {
				t.Errorf("Proto(): -want, +got:\n%s", diff)
			}
			if got := r.Unanswered(); got {
				t.Error("Unanswered(): everything was answered")
			}
			if _, got := r.Labelled(pods, label, "rds-1"); got != Unanswered || !r.Unanswered() {
				t.Errorf("Labelled(...): want no answer from another requirement, got %d", got)
			}
		})
	}
}
