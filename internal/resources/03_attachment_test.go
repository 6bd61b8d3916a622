package resources

import (
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

func TestAttachment(t *testing.T) {
	const arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	testBuild(t, map[string]buildCase{
		"Seed": {
			reason: "An attachment references role and policy by name, and has no name in AWS.",
			key:    "attachment/s3",
			want: `
apiVersion: iam.aws.upbound.io/v1beta1
kind: RolePolicyAttachment
metadata: {name: crossplane-prod-eu-west-1-s3}
spec:
  managementPolicies: [Observe]
  forProvider:
    policyArnRef: {name: crossplane-prod-eu-west-1-s3}
    roleRef: {name: crossplane-prod-eu-west-1-s3}
  providerConfigRef: {name: default}
`,
		},
		"Observed": {
			reason: "Existing objects with other names are referenced by these.",
			world: world{Observed: map[string]string{
				"role/s3": `{kind: Role, metadata: {name: storage-role}}`, "policy/s3": `{kind: Policy, metadata: {name: storage-policy}}`,
			}},
			key: "attachment/s3",
			want: `
apiVersion: iam.aws.upbound.io/v1beta1
kind: RolePolicyAttachment
metadata: {name: crossplane-prod-eu-west-1-s3}
spec:
  managementPolicies: [Observe, Create, Update, Delete]
  forProvider:
    policyArnRef: {name: storage-policy}
    roleRef: {name: storage-role}
  providerConfigRef: {name: default}
`,
		},
		"Options": {
			reason: "The options of managed resources are passed on; attachments have no tags and no path.",
			world: world{Spec: `
clusterName: null
clusterNameRef: {name: main}
tags: {team: a}
providerConfigRef: {name: bootstrap}
managementPolicies: [Observe]
deletionPolicy: Orphan
role: {path: /crossplane/}`, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": clusterFound}},
			key: "attachment/s3",
			want: `
apiVersion: iam.aws.upbound.io/v1beta1
kind: RolePolicyAttachment
metadata:
  name: crossplane-prod-eu-west-1-s3
  annotations: {aws.podidentity.dev/cluster: prod}
spec:
  deletionPolicy: Orphan
  managementPolicies: [Observe]
  forProvider:
    policyArnRef: {name: crossplane-prod-eu-west-1-s3}
    roleRef: {name: crossplane-prod-eu-west-1-s3}
  providerConfigRef: {name: bootstrap}
`,
		},
		"Managed": {
			reason: "An existing policy is attached by its ARN, under its own key.",
			world:  world{Spec: `services: [{name: s3, permissions: {accessLevel: None, managedPolicyArns: ["` + arn + `"]}}]`},
			key:    "attachment/s3/" + arn,
			want: `
apiVersion: iam.aws.upbound.io/v1beta1
kind: RolePolicyAttachment
metadata: {name: crossplane-prod-eu-west-1-s3-` + iam.Hash(arn) + `}
spec:
  managementPolicies: [Observe]
  forProvider:
    policyArn: ` + arn + `
    roleRef: {name: crossplane-prod-eu-west-1-s3}
  providerConfigRef: {name: default}
`,
		},
	})
}

// TestAttachmentsIndependent checks that removing or moving a policy in the list changes no other attachment.
func TestAttachmentsIndependent(t *testing.T) {
	attached := func(arns string) map[string]string {
		out := map[string]string{}
		for _, r := range (world{Spec: `services: [{name: s3, permissions: {accessLevel: Full, managedPolicyArns: [` + arns + `]}}]`}).all(t) {
			if r.Kind == attachmentKind.GroupVersionKind {
				out[r.Key] = r.Name
			}
		}
		return out
	}
	const a, b, c = `"arn:aws:iam::aws:policy/a"`, `"arn:aws:iam::aws:policy/b"`, `"arn:aws:iam::aws:policy/c"`
	before, after := attached(a+","+b+","+c), attached(c+","+a)
	if len(before) != 4 || len(after) != 3 {
		t.Fatalf("want an attachment for the composed policy and for each ARN, got %v and %v", before, after)
	}
	names := map[string]bool{}
	for key, name := range after {
		if before[key] != name {
			t.Errorf("%s was named %q, but is now %q", key, before[key], name)
		}
		if names[name] {
			t.Errorf("two attachments are named %q", name)
		}
		names[name] = true
	}
}

func TestAttachmentWait(t *testing.T) {
	missing := &Wait{Reason: v1alpha1.ReasonMissing, Subject: "rolepolicyattachments.iam.aws.upbound.io", Message: "missing, install provider-aws-iam"}
	const kind = "kind/rolepolicyattachments.iam.aws.upbound.io"
	managed := `services: [{name: s3, permissions: {accessLevel: Full, managedPolicyArns: ["arn:aws:iam::aws:policy/a"]}}]`
	testWait(t, map[string]waitCase{
		"Nothing":     {"An attachment does not wait for its role and policy.", world{}, "attachment/s3", nil},
		"Managed":     {"Neither does that of an existing policy.", world{Spec: managed}, "attachment/s3/arn:aws:iam::aws:policy/a", nil},
		"KindUnknown": {"A kind that has not been looked up yet may not exist.", world{Answers: map[string]string{kind: unanswered}}, "attachment/s3", missing},
		"KindMissing": {"A missing kind is named with its package.", world{Answers: map[string]string{kind: `[]`}}, "attachment/s3", missing},
		"ManagedKind": {"The same applies to an existing policy.", world{Spec: managed, Answers: map[string]string{kind: `[]`}}, "attachment/s3/arn:aws:iam::aws:policy/a", missing},
		"Assumed":     {"Kinds may be assumed to exist.", world{Input: `prerequisites: Assume`, Answers: map[string]string{kind: `[]`}}, "attachment/s3", nil},
		"Preview":     {"A preview waits for nothing.", world{Input: `preview: true`, Answers: map[string]string{kind: `[]`}}, "attachment/s3", nil},
		"Cluster":     {"Without a cluster, an attachment has no name.", world{Spec: byReference, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": `[]`}}, "attachment/s3", &Wait{Reason: v1alpha1.ReasonMissing, Message: "Cluster main (spec.clusterNameRef) does not exist"}},
	})
}
