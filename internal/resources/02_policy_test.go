package resources

import (
	"strings"
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

func TestPolicy(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Seed": {
			reason: "The policy equals that of the manual procedure.",
			key:    "policy/s3",
			want: `
apiVersion: iam.aws.upbound.io/v1beta1
kind: Policy
metadata:
  name: crossplane-prod-eu-west-1-s3
  annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}
spec:
  managementPolicies: [Observe, Create]
  forProvider:
    policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
  providerConfigRef: {name: default}
`,
		},
		"Everything": {
			reason: "Path, tags and the options of managed resources are passed on.",
			world: world{Spec: `
clusterName: null
clusterNameRef: {name: main}
tags: {team: a}
providerConfigRef: {name: bootstrap}
managementPolicies: ["*"]
deletionPolicy: Delete
role: {path: /crossplane/, description: for the role only}
services: [{name: s3, permissions: {accessLevel: None, statements: [{sid: Look, actions: ["s3:List*", "s3:Get*"], resources: ["arn:aws:s3:::a"]}]}}]`, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": clusterFound}},
			key: "policy/s3",
			want: `
apiVersion: iam.aws.upbound.io/v1beta1
kind: Policy
metadata:
  name: crossplane-prod-eu-west-1-s3
  annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3, aws.podidentity.dev/cluster: prod}
spec:
  deletionPolicy: Delete
  managementPolicies: [Observe, Create]
  forProvider:
    path: /crossplane/
    policy: '{"Version":"2012-10-17","Statement":[{"Sid":"Look","Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"arn:aws:s3:::a"}]}'
    tags: {team: a}
  providerConfigRef: {name: bootstrap}
`,
		},
	})
}

// TestPoliciesSeveral checks that the keys and names of the first policy stay the same if there are more.
func TestPoliciesSeveral(t *testing.T) {
	c := world{}.context(t)
	s := &identity.Service{Name: "s3", ObjectName: "obj", RoleName: strings.Repeat("r", 127), Policies: []string{"one", "two", "three"}}
	want := [][2]string{{"policy/s3", "obj"}, {"policy/s3.2", "obj.2"}, {"policy/s3.3", "obj.3"}}
	rs := Policies(c, s)
	if len(rs) != len(want) {
		t.Fatalf("Policies(...): want %d, got %d", len(want), len(rs))
	}
	seen := map[string]bool{}
	for i, r := range rs {
		if r.Key != want[i][0] || r.Name != want[i][1] {
			t.Errorf("policy %d: want key and name %v, got %s and %s", i, want[i], r.Key, r.Name)
		}
		o, err := r.Build()
		if err != nil {
			t.Fatal(err)
		}
		p := o.AsMap()
		external := p["metadata"].(map[string]any)["annotations"].(map[string]any)["crossplane.io/external-name"].(string)
		if len(external) > 128 || seen[external] {
			t.Errorf("policy %d: name %q in AWS is too long, or not unique", i, external)
		}
		seen[external] = true
		if got := p["spec"].(map[string]any)["forProvider"].(map[string]any)["policy"]; got != s.Policies[i] {
			t.Errorf("policy %d: want document %q, got %q", i, s.Policies[i], got)
		}
	}
}

func TestPolicyAbsent(t *testing.T) {
	testAbsent(t, map[string]absentCase{
		"NoStatements": {"Without statements, there is no policy, and nothing to attach.", `services: [{name: s3, permissions: {accessLevel: None}}]`, []string{"policy/", "attachment/"}},
		"OnlyManaged":  {"The same applies if only existing policies are attached.", `services: [{name: s3, permissions: {accessLevel: None, managedPolicyArns: ["arn:aws:iam::aws:policy/a"]}}]`, []string{"policy/", "attachment/s3"}},
	})
}

func TestPolicyWait(t *testing.T) {
	missing := &Wait{Reason: v1alpha1.ReasonMissing, Subject: "policies.iam.aws.upbound.io", Message: "missing, install provider-aws-iam"}
	testWait(t, map[string]waitCase{
		"Nothing":     {"Nothing conflicts, and nothing is missing.", world{}, "policy/s3", nil},
		"KindUnknown": {"A kind that has not been looked up yet may not exist.", world{Answers: map[string]string{"kind/policies.iam.aws.upbound.io": unanswered}}, "policy/s3", missing},
		"KindMissing": {"A missing kind is named with its package.", world{Answers: map[string]string{"kind/policies.iam.aws.upbound.io": `[]`}}, "policy/s3", missing},
		"OtherKind":   {"A policy does not wait for other kinds.", world{Answers: map[string]string{"kind/roles.iam.aws.upbound.io": `[]`}}, "policy/s3", nil},
		"Assumed":     {"Kinds may be assumed to exist.", world{Input: `prerequisites: Assume`, Answers: map[string]string{"kind/policies.iam.aws.upbound.io": `[]`}}, "policy/s3", nil},
		"Preview":     {"A preview waits for nothing.", world{Input: `preview: true`, Answers: map[string]string{"kind/policies.iam.aws.upbound.io": `[]`}}, "policy/s3", nil},
		"Cluster":     {"Without a cluster, a policy has no name.", world{Spec: byReference, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": `[]`}}, "policy/s3", &Wait{Reason: v1alpha1.ReasonMissing, Message: "Cluster main (spec.clusterNameRef) does not exist"}},
	})
}
