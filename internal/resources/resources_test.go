package resources

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

// everything has all features of a composite resource.
const everything = `
accountId: "123456789012"
tags: {team: a}
managementPolicies: ["*"]
deletionPolicy: Orphan
role: {path: /a/, description: d, permissionsBoundary: "arn:aws:iam::123456789012:policy/b", maxSessionDuration: 3600}
provider: {family: Manage, packagePullPolicy: Always}
providerConfig: {clusterProviderConfig: true, assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a"}]}
runtime: {replicas: 1, args: [--debug], podLabels: {a: b}, deploymentTemplate: {metadata: {labels: {a: b}}}}
services:
- {name: s3, permissions: {accessLevel: Full, managedPolicyArns: ["arn:aws:iam::aws:policy/b", "arn:aws:iam::aws:policy/a"]}}
- {name: ec2, management: Observe}
- {name: rds, roleArn: "arn:aws:iam::123456789012:role/x"}
`

// TestKeys pins the composition resource names, and the order in which resources are created. With another key, Crossplane deletes an
// object and creates it again: never change a released key.
func TestKeys(t *testing.T) {
	type row struct {
		Key, Service string
		Condition    v1alpha1.ConditionType
		Kind         string
	}
	cases := map[string]struct {
		reason, spec string
		want         []row
	}{
		"Smallest": {
			reason: "One service has seven objects, and six Usages that order their deletion.",
			want: []row{
				{"role/s3", "s3", "IdentityReady", "Role"},
				{"policy/s3", "s3", "IdentityReady", "Policy"},
				{"attachment/s3", "s3", "IdentityReady", "RolePolicyAttachment"},
				{"association/s3", "s3", "IdentityReady", "PodIdentityAssociation"},
				{"runtimeconfig/s3", "s3", "ProvidersReady", "DeploymentRuntimeConfig"},
				{"provider/s3", "s3", "ProvidersReady", "Provider"},
				{"providerconfig", "", "ProviderConfigReady", "ProviderConfig"},
				{"usage/provider/s3/by/providerconfig", "", "TeardownProtected", "Usage"},
				{"usage/runtimeconfig/s3/by/provider/s3", "", "TeardownProtected", "Usage"},
				{"usage/association/s3/by/provider/s3", "", "TeardownProtected", "Usage"},
				{"usage/role/s3/by/association/s3", "", "TeardownProtected", "Usage"},
				{"usage/policy/s3/by/association/s3", "", "TeardownProtected", "Usage"},
				{"usage/attachment/s3/by/association/s3", "", "TeardownProtected", "Usage"},
			},
		},
		"Everything": {
			reason: "Services follow the order of the spec, and common resources come last.",
			spec:   everything,
			want: []row{
				{"role/s3", "s3", "IdentityReady", "Role"},
				{"policy/s3", "s3", "IdentityReady", "Policy"},
				{"attachment/s3", "s3", "IdentityReady", "RolePolicyAttachment"},
				{"attachment/s3/arn:aws:iam::aws:policy/b", "s3", "IdentityReady", "RolePolicyAttachment"},
				{"attachment/s3/arn:aws:iam::aws:policy/a", "s3", "IdentityReady", "RolePolicyAttachment"},
				{"association/s3", "s3", "IdentityReady", "PodIdentityAssociation"},
				{"runtimeconfig/s3", "s3", "ProvidersReady", "DeploymentRuntimeConfig"},
				{"provider/s3", "s3", "ProvidersReady", "Provider"},
				{"role/ec2", "ec2", "IdentityReady", "Role"},
				{"policy/ec2", "ec2", "IdentityReady", "Policy"},
				{"attachment/ec2", "ec2", "IdentityReady", "RolePolicyAttachment"},
				{"association/ec2", "ec2", "IdentityReady", "PodIdentityAssociation"},
				{"observed-provider/ec2", "ec2", "ProvidersReady", "Provider"},
				{"association/rds", "rds", "IdentityReady", "PodIdentityAssociation"},
				{"runtimeconfig/rds", "rds", "ProvidersReady", "DeploymentRuntimeConfig"},
				{"provider/rds", "rds", "ProvidersReady", "Provider"},
				{"family", "", "ProvidersReady", "Provider"},
				{"providerconfig", "", "ProviderConfigReady", "ProviderConfig"},
				{"clusterproviderconfig", "", "ProviderConfigReady", "ClusterProviderConfig"},
				{"usage/provider/s3/by/providerconfig", "", "TeardownProtected", "Usage"},
				{"usage/provider/s3/by/clusterproviderconfig", "", "TeardownProtected", "Usage"},
				{"usage/runtimeconfig/s3/by/provider/s3", "", "TeardownProtected", "Usage"},
				{"usage/association/s3/by/provider/s3", "", "TeardownProtected", "Usage"},
				{"usage/role/s3/by/association/s3", "", "TeardownProtected", "Usage"},
				{"usage/policy/s3/by/association/s3", "", "TeardownProtected", "Usage"},
				{"usage/attachment/s3/by/association/s3", "", "TeardownProtected", "Usage"},
				{"usage/attachment/s3/arn:aws:iam::aws:policy/b/by/association/s3", "", "TeardownProtected", "Usage"},
				{"usage/attachment/s3/arn:aws:iam::aws:policy/a/by/association/s3", "", "TeardownProtected", "Usage"},
				{"usage/association/ec2/by/providerconfig", "", "TeardownProtected", "Usage"},
				{"usage/association/ec2/by/clusterproviderconfig", "", "TeardownProtected", "Usage"},
				{"usage/role/ec2/by/association/ec2", "", "TeardownProtected", "Usage"},
				{"usage/policy/ec2/by/association/ec2", "", "TeardownProtected", "Usage"},
				{"usage/attachment/ec2/by/association/ec2", "", "TeardownProtected", "Usage"},
				{"usage/provider/rds/by/providerconfig", "", "TeardownProtected", "Usage"},
				{"usage/provider/rds/by/clusterproviderconfig", "", "TeardownProtected", "Usage"},
				{"usage/runtimeconfig/rds/by/provider/rds", "", "TeardownProtected", "Usage"},
				{"usage/association/rds/by/provider/rds", "", "TeardownProtected", "Usage"},
				{"usage/family/by/providerconfig", "", "TeardownProtected", "Usage"},
				{"usage/family/by/clusterproviderconfig", "", "TeardownProtected", "Usage"},
				{"usage/family/by/bootstrap", "", "TeardownProtected", "Usage"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []row
			for _, r := range (world{Spec: tc.spec}).all(t) {
				got = append(got, row{r.Key, r.Service, r.Condition, r.Kind.Kind})
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nAll(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNamesUnique checks that no two objects of a kind have the same name.
func TestNamesUnique(t *testing.T) {
	seen := map[string]string{}
	for _, r := range (world{Spec: everything}).all(t) {
		id := r.Kind.String() + " " + r.Name
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s are both named %s", other, r.Key, id)
		}
		seen[id] = r.Key
	}
}

// TestNoNoise checks that only fields that the function owns are sent: any other value would overwrite that of another owner.
func TestNoNoise(t *testing.T) {
	for spec, doc := range map[string]string{"the smallest": ``, "everything": everything} {
		for _, r := range (world{Spec: doc, Observed: map[string]string{"association/s3": associationOf("2025-01-01T00:00:00Z")}}).composed(t) {
			o, err := r.Build()
			if err != nil {
				t.Fatal(err)
			}
			noise(t, spec+": "+r.Key, o.AsMap(), nil)
		}
	}
}

// noise reports empty fields, and fields of other owners, in an object.
func noise(t *testing.T, what string, v any, path []string) {
	t.Helper()
	at := strings.Join(path, ".")
	// These are meaningful although they are empty.
	if at == "spec.deploymentTemplate.spec.selector" || at == "spec.deploymentTemplate.spec.template" || strings.HasSuffix(at, ".containers") {
		return
	}
	switch v := v.(type) {
	case nil:
		t.Errorf("%s: %s is null", what, at)
	case string:
		if v == "" {
			t.Errorf("%s: %s is empty", what, at)
		}
	case []any:
		if len(v) == 0 {
			t.Errorf("%s: %s is an empty list", what, at)
		}
		for _, e := range v {
			noise(t, what, e, append(slices.Clone(path), "[]"))
		}
	case map[string]any:
		if len(v) == 0 {
			t.Errorf("%s: %s is an empty object", what, at)
		}
		for k, e := range v {
			if slices.Contains([]string{"status", "creationTimestamp", "initProvider", "strategy", "namespace", "uid", "resourceVersion"}, k) && len(path) < 2 {
				t.Errorf("%s: %s has a %s", what, at, k)
			}
			noise(t, what, e, append(slices.Clone(path), k))
		}
	}
}

// TestDeterministic checks that the same request gives the same bytes.
func TestDeterministic(t *testing.T) {
	build := func() []byte {
		var out []byte
		for _, r := range (world{Spec: everything}).composed(t) {
			o, err := r.Build()
			if err != nil {
				t.Fatal(err)
			}
			b, err := proto.MarshalOptions{Deterministic: true}.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, b...)
		}
		return out
	}
	first := build()
	for range 10 {
		if !bytes.Equal(build(), first) {
			t.Fatal("two calls with the same request differ")
		}
	}
}

// TestIndependentServices checks that a service's objects do not depend on other services.
func TestIndependentServices(t *testing.T) {
	alone, among := world{Spec: `services: [{name: s3}]`}, world{Spec: `services: [{name: rds}, {name: s3}, {name: ec2, runtime: {replicas: 3}}]`}
	for _, r := range alone.composed(t) {
		want, err := r.Build()
		if err != nil {
			t.Fatal(err)
		}
		got, err := among.resource(t, r.Key).Build()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.AsMap(), got.AsMap()); diff != "" {
			t.Errorf("%s alone, and among others: -alone, +among:\n%s", r.Key, diff)
		}
	}
}

// TestBuildIgnoresGates checks that a gate never changes the built object: an existing object is built while its gate is closed.
func TestBuildIgnoresGates(t *testing.T) {
	shut := world{Spec: everything, Answers: map[string]string{}}
	for key := range answers() {
		shut.Answers[key] = unanswered
	}
	for _, r := range (world{Spec: everything}).composed(t) {
		want, err := r.Build()
		if err != nil {
			t.Fatal(err)
		}
		got, err := shut.resource(t, r.Key).Build()
		if err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(want, got) {
			t.Errorf("%s is built differently while its gate is closed: -open, +closed:\n%s", r.Key, cmp.Diff(want.AsMap(), got.AsMap()))
		}
	}
}

// TestReadyOfEveryKind checks that the readiness of each resource follows the status of its kind.
func TestReadyOfEveryKind(t *testing.T) {
	const ready = `
metadata: {name: a}
status:
  conditions: [{type: Synced, status: "True"}, {type: Ready, status: "True"}, {type: Installed, status: "True"}, {type: Healthy, status: "True"}]
  atProvider: {associationId: a-1}
  currentIdentifier: `
	for _, r := range (world{Spec: everything}).composed(t) {
		o, err := r.Build()
		if err != nil {
			t.Fatal(err)
		}
		source := "none"
		if s := o.GetFields()["spec"].GetStructValue().GetFields()["package"]; s != nil {
			source = s.GetStringValue()
		}
		if got := r.Ready(observed(t, ready+`"`+source+`"`)); !got.Ready {
			t.Errorf("%s: want ready, got %+v", r.Key, got)
		}
		got := r.Ready(observed(t, `{metadata: {name: a}}`))
		onlyExists := slices.Contains([]string{"DeploymentRuntimeConfig", "ProviderConfig", "ClusterProviderConfig"}, r.Kind.Kind)
		if got.Ready != onlyExists {
			t.Errorf("%s: want an object without status ready: %t, got %+v", r.Key, onlyExists, got)
		}
	}
}

// TestHoldForCluster checks that with allowedClusters, nothing is created before the cluster is known, and existing resources stay.
func TestHoldForCluster(t *testing.T) {
	const spec = `{clusterName: null, clusterNameRef: {name: main}, providerConfig: {clusterProviderConfig: true}}`
	held := func(input string) (n, of int) {
		for _, r := range (world{Spec: spec, Input: input}).all(t) {
			if r.Check() {
				continue
			}
			of++
			if r.Wait != nil {
				n++
			}
		}
		return n, of
	}
	if n, of := held(`{prerequisites: Assume, guardrails: {allowedClusters: [prod]}}`); n != of {
		t.Errorf("with allowedClusters, everything should wait for the cluster, got %d of %d", n, of)
	}
	if n, of := held(`{prerequisites: Assume, guardrails: {allowedRegions: [eu-west-1]}}`); n == of {
		t.Errorf("without allowedClusters, resources that do not depend on the cluster should not wait, got %d of %d", n, of)
	}
}
