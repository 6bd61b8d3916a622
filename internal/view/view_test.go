package view

import (
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
)

const minimal = `
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: storage, uid: u-1}
spec:
  region: eu-west-1
  clusterName: prod
  services: [{name: s3}]
`

func TestFrom(t *testing.T) {
	v := mustView(t, newRequest(t, minimal, ""))
	want := &v1alpha1.PodIdentityProviderSpec{Region: "eu-west-1", ClusterName: "prod", Services: []v1alpha1.Service{{Name: "s3"}}}
	if diff := cmp.Diff(want, v.Spec); diff != "" {
		t.Errorf("From(...).Spec: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff(&v1beta1.Input{}, v.Input); diff != "" {
		t.Errorf("From(...).Input without one should be empty, not nil: -want, +got:\n%s", diff)
	}
	if v.XR.Name() != "storage" || !v.Now.Equal(now()) {
		t.Errorf("From(...): want the composite resource and the time of the call, got %q and %v", v.XR.Name(), v.Now)
	}
	if v.Requirements.Proto() != nil || v.Requirements.Unanswered() {
		t.Errorf("From(...): want no requirements at first, got %v", v.Requirements.Proto())
	}
}

func TestFromWithoutComposite(t *testing.T) {
	for name, req := range map[string]*fnv1.RunFunctionRequest{
		"Nil":      nil,
		"Empty":    {},
		"NoObject": {Observed: &fnv1.State{Composite: &fnv1.Resource{}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, errs := From(req, nil, now())
			if diff := cmp.Diff([]string{"observed.composite: FieldValueRequired"}, paths(errs)); diff != "" {
				t.Errorf("From(...): -want errors, +got:\n%s", diff)
			}
		})
	}
}

func TestFromTellsEverythingAtOnce(t *testing.T) {
	req := newRequest(t, `{kind: X, spec: {region: 1, services: [{name: []}]}}`, `{preview: "yes", ttl: 5, unknown: 1}`)
	_, errs := From(req, nil, now())
	want := []string{
		"input.preview: FieldValueTypeInvalid", "input.ttl: FieldValueInvalid", "input.unknown: FieldValueInvalid",
		"spec.region: FieldValueTypeInvalid", "spec.services[0].name: FieldValueTypeInvalid",
	}
	if diff := cmp.Diff(want, paths(errs)); diff != "" {
		t.Errorf("From(...) should report all errors of the Input and the composite resource at once: -want errors, +got:\n%s", diff)
	}
}

func TestObserved(t *testing.T) {
	req := newRequest(t, minimal, "")
	observe(t, req, "role/s3", `{kind: Role, metadata: {name: a}}`)
	observe(t, req, "empty", ``)
	v := mustView(t, req)
	if got := v.Observed("role/s3").Name(); got != "a" {
		t.Errorf("Observed(role/s3): want a, got %q", got)
	}
	for _, key := range []string{"empty", "role/ec2", ""} {
		if v.Observed(key).Exists() {
			t.Errorf("Observed(%q): want nothing", key)
		}
	}
}

func TestObservedAnnotation(t *testing.T) {
	cases := map[string]struct {
		reason   string
		observed []string
		want     string
	}{
		"None":   {"Without observed objects, nothing is known.", nil, ""},
		"Others": {"Objects without the annotation are skipped.", []string{`{metadata: {name: a}}`, `{metadata: {annotations: {c: prod}}}`}, "prod"},
		"Several": {
			"If values differ, the same one is returned on every call.",
			[]string{`{metadata: {annotations: {c: z}}}`, `{metadata: {annotations: {c: a}}}`, `{metadata: {annotations: {c: m}}}`},
			"a",
		},
		"InNamespace": {
			"A user of a namespace may edit objects in it, so they are ignored.",
			[]string{`{metadata: {annotations: {c: prod}}}`, `{metadata: {namespace: team-a, annotations: {c: a}}}`},
			"prod",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, minimal, "")
			for i, o := range tc.observed {
				observe(t, req, string(rune('a'+i)), o)
			}
			v := mustView(t, req)
			for range 20 {
				if got := v.ObservedAnnotation("c"); got != tc.want {
					t.Fatalf("%s\nObservedAnnotation(c): want %q, got %q", tc.reason, tc.want, got)
				}
			}
		})
	}
}

func TestLive(t *testing.T) {
	cases := map[string]struct {
		reason, xr string
		want       bool
	}{
		"Render":   {"A local render has no finalizers.", `{metadata: {name: a}}`, false},
		"Live":     {"Crossplane puts its finalizer on every composite resource.", `{metadata: {finalizers: [foregroundDeletion, composite.apiextensions.crossplane.io]}}`, true},
		"Other":    {"Any user may add other finalizers.", `{metadata: {finalizers: [foregroundDeletion]}}`, false},
		"NotAList": {"An invalid value is not a finalizer.", `{metadata: {finalizers: composite.apiextensions.crossplane.io}}`, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := mustView(t, newRequest(t, tc.xr, "")).Live(); got != tc.want {
				t.Errorf("%s\nLive(): want %t, got %t", tc.reason, tc.want, got)
			}
		})
	}
}

func TestClaim(t *testing.T) {
	cases := map[string]struct {
		reason, xr      string
		namespace, name string
	}{
		"None":   {"A composite resource need not have a claim.", `{metadata: {name: a}}`, "", ""},
		"Labels": {"Crossplane labels the composite resource with its claim.", `{metadata: {labels: {crossplane.io/claim-namespace: team-a, crossplane.io/claim-name: storage}}}`, "team-a", "storage"},
		"Ref":    {"Crossplane also references the claim.", `{spec: {claimRef: {namespace: team-a, name: storage}}}`, "team-a", "storage"},
		"Both": {
			"The reference takes precedence, because any user can set a label.",
			`{metadata: {labels: {crossplane.io/claim-namespace: x, crossplane.io/claim-name: y}}, spec: {claimRef: {namespace: team-a, name: storage}}}`,
			"team-a", "storage",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ns, n := mustView(t, newRequest(t, tc.xr, "")).Claim()
			if ns != tc.namespace || n != tc.name {
				t.Errorf("%s\nClaim(): want %s/%s, got %s/%s", tc.reason, tc.namespace, tc.name, ns, n)
			}
		})
	}
}

// TestSpecTolerates checks that fields of Crossplane and of later API versions in the spec are ignored.
func TestSpecTolerates(t *testing.T) {
	v := mustView(t, newRequest(t, `
spec:
  region: eu-west-1
  compositionRef: {name: x}
  compositionRevisionRef: {name: x-1}
  compositionUpdatePolicy: Automatic
  resourceRefs: [{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, name: r}]
  writeConnectionSecretToRef: {name: s, namespace: n}
  crossplane: {compositionRef: {name: x}}
  services:
  - {name: s3, fromTheFuture: {a: 1}}
  runtime:
    replicas: 2
    associationSettleSeconds: 0
    resources: {limits: {memory: 1Gi, cpu: 2}}
    env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
    deploymentTemplate: {spec: {strategy: {type: Recreate}}}
`, ""))
	if v.Spec.Region != "eu-west-1" || len(v.Spec.Services) != 1 || v.Spec.Services[0].Name != "s3" {
		t.Errorf("Spec: want the known fields, got %+v", v.Spec)
	}
	r := v.Spec.Runtime
	if diff := cmp.Diff(new(int32(2)), r.Replicas); diff != "" {
		t.Errorf("Spec.Runtime.Replicas: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff(new(int64(0)), r.AssociationSettleSeconds); diff != "" {
		t.Errorf("Spec.Runtime.AssociationSettleSeconds: 0 is a value: -want, +got:\n%s", diff)
	}
	if got := r.Resources.Limits.Memory().String() + " " + r.Resources.Limits.Cpu().String(); got != "1Gi 2" {
		t.Errorf("Spec.Runtime.Resources.Limits: want 1Gi 2, got %s", got)
	}
	if got := string(r.DeploymentTemplate.Raw); got != `{"spec":{"strategy":{"type":"Recreate"}}}` {
		t.Errorf("Spec.Runtime.DeploymentTemplate: got %s", got)
	}
	if got := r.Env[0].ValueFrom.FieldRef.FieldPath; got != "metadata.name" {
		t.Errorf("Spec.Runtime.Env[0]: got %s", got)
	}
}

func TestSteadyTTL(t *testing.T) {
	for input, want := range map[string]time.Duration{"": 5 * time.Minute, "{ttl: 1m}": time.Minute, "{ttl: 1h0m}": time.Hour, "{ttl: 90s}": 90 * time.Second} {
		if got := mustView(t, newRequest(t, minimal, input)).SteadyTTL(); got != want {
			t.Errorf("SteadyTTL() with Input %q: want %v, got %v", input, want, got)
		}
	}
}

func TestObservedWithPrefix(t *testing.T) {
	v := &View{observed: map[string]*fnv1.Resource{"usage/b": {}, "usage/a": {}, "role/s3": {}, "usager": {}, "zone": {}}}
	cases := map[string]struct {
		reason, prefix string
		want           []string
	}{
		"Some":  {"Keys with the prefix are returned, sorted.", "usage/", []string{"usage/a", "usage/b"}},
		"One":   {"A whole key is its own prefix.", "zone", []string{"zone"}},
		"None":  {"Nothing has an unknown prefix,", "policy/", []string{}},
		"After": {"even if it sorts after all keys.", "zz", []string{}},
		"All":   {"Every key has the empty prefix.", "", []string{"role/s3", "usage/a", "usage/b", "usager", "zone"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, v.ObservedWithPrefix(tc.prefix), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s\nObservedWithPrefix(%q): -want, +got:\n%s", tc.reason, tc.prefix, diff)
			}
		})
	}
}
