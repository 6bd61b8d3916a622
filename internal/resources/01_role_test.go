package resources

import (
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// These constants reference a cluster, and answer the requirement for it.
const (
	byReference  = `{clusterName: null, clusterNameRef: {name: main}}`
	clusterFound = `[{metadata: {name: main, annotations: {crossplane.io/external-name: prod}}}]`
)

func TestRole(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Seed": {
			reason: "The role equals that of the manual procedure, but trusts only the provider's pods.",
			key:    "role/s3",
			want: `
apiVersion: iam.aws.upbound.io/v1beta1
kind: Role
metadata:
  name: crossplane-prod-eu-west-1-s3
  annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}
spec:
  managementPolicies: [Observe, Create]
  forProvider:
    assumeRolePolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/eks-cluster-name":"prod","aws:RequestTag/kubernetes-namespace":"crossplane-system","aws:RequestTag/kubernetes-service-account":"provider-aws-s3"},"StringLike":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:*:cluster/prod"}}}]}'
    forceDetachPolicies: true
  providerConfigRef: {name: default}
`,
		},
		"Bootstrap": {
			reason: "The role of the IAM provider itself stays in AWS, because its deletion needs it.",
			world:  world{Spec: `{deletionPolicy: Delete, managementPolicies: [Observe, Create, Delete], services: [{name: iam, management: Observe}]}`},
			key:    "role/iam",
			want: `
apiVersion: iam.aws.upbound.io/v1beta1
kind: Role
metadata:
  name: crossplane-prod-eu-west-1-iam
  annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-iam}
spec:
  deletionPolicy: Orphan
  managementPolicies: [Observe, Create]
  forProvider:
    assumeRolePolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/eks-cluster-name":"prod","aws:RequestTag/kubernetes-namespace":"crossplane-system","aws:RequestTag/kubernetes-service-account":"provider-aws-iam"},"StringLike":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:*:cluster/prod"}}}]}'
    forceDetachPolicies: true
  providerConfigRef: {name: default}
`,
		},
		"Everything": {
			reason: "All options of roles and managed resources are passed on.",
			world: world{Spec: `
accountId: "123456789012"
tags: {team: a, env: prod}
providerConfigRef: {name: bootstrap}
managementPolicies: [Observe, Create]
deletionPolicy: Orphan
crossplaneNamespace: upbound-system
role: {path: /crossplane/, description: for providers, permissionsBoundary: "arn:aws:iam::123456789012:policy/b", maxSessionDuration: 7200, trustConditions: {StringLike: {"aws:SourceOrgID": ["o-*"]}}}
services: [{name: s3, roleName: My_Role, serviceAccountName: sa}]`},
			key: "role/s3",
			want: `
apiVersion: iam.aws.upbound.io/v1beta1
kind: Role
metadata:
  name: my-role-fc6b0a49
  annotations: {crossplane.io/external-name: My_Role}
spec:
  deletionPolicy: Orphan
  managementPolicies: [Observe, Create]
  forProvider:
    assumeRolePolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:eks:eu-west-1:123456789012:cluster/prod","arn:aws:eks:eu-west-1:123456789012:podidentityassociation/prod/*"]},"StringEquals":{"aws:RequestTag/eks-cluster-name":"prod","aws:RequestTag/kubernetes-namespace":"upbound-system","aws:RequestTag/kubernetes-service-account":"sa","aws:SourceAccount":"123456789012"},"StringLike":{"aws:SourceOrgID":"o-*"}}}]}'
    description: for providers
    forceDetachPolicies: true
    maxSessionDuration: 7200
    path: /crossplane/
    permissionsBoundary: arn:aws:iam::123456789012:policy/b
    tags: {team: a, env: prod}
  providerConfigRef: {name: bootstrap}
`,
		},
		"Cluster": {
			reason: "The role of a referenced cluster records its name.",
			world:  world{Spec: byReference, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": clusterFound}},
			key:    "role/s3",
			want: `
apiVersion: iam.aws.upbound.io/v1beta1
kind: Role
metadata:
  name: crossplane-prod-eu-west-1-s3
  annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3, aws.podidentity.dev/cluster: prod}
spec:
  managementPolicies: [Observe, Create]
  forProvider:
    assumeRolePolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/eks-cluster-name":"prod","aws:RequestTag/kubernetes-namespace":"crossplane-system","aws:RequestTag/kubernetes-service-account":"provider-aws-s3"},"StringLike":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:*:cluster/prod"}}}]}'
    forceDetachPolicies: true
  providerConfigRef: {name: default}
`,
		},
	})
}

// TestForeignRoleStays checks that no setting deletes a role that existed before and was not imported.
func TestForeignRoleStays(t *testing.T) {
	w := world{
		Spec: `{deletionPolicy: Delete, managementPolicies: [Observe, Create, Update, Delete]}`,
		Observed: map[string]string{"role/s3": `
apiVersion: iam.aws.upbound.io/v1beta1
kind: Role
metadata: {name: r, creationTimestamp: "2026-01-01T00:00:00Z", annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}}
status: {atProvider: {createDate: "2020-01-01T00:00:00Z"}}`},
	}
	got, err := w.resource(t, "role/s3").Build()
	if err != nil {
		t.Fatal(err)
	}
	role := view.NewObject(got)
	if role.String("spec", "deletionPolicy") != "Orphan" {
		t.Errorf("want deletionPolicy Orphan, got %v", got)
	}
	for _, p := range role.Value("spec", "managementPolicies").GetListValue().GetValues() {
		if p.GetStringValue() == "Delete" {
			t.Error("want no management policy Delete: it overrides deletionPolicy")
		}
	}
}

func TestRoleAbsent(t *testing.T) {
	testAbsent(t, map[string]absentCase{
		"OwnRole": {"A service with an existing role needs none, nor anything that belongs to a composed role.", `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/x"}]`, []string{"role/", "policy/", "attachment/"}},
	})
}

func TestRoleWait(t *testing.T) {
	const name = "Role.iam.aws.upbound.io/crossplane-prod-eu-west-1-s3"
	const taken = `[{kind: Role, metadata: {name: crossplane-prod-eu-west-1-s3, labels: {crossplane.io/claim-namespace: team-b, crossplane.io/claim-name: other}, ownerReferences: [{kind: PodIdentityProvider, name: other-x, uid: u-2, controller: true}]}}]`
	missing := &Wait{Reason: v1alpha1.ReasonMissing, Subject: "roles.iam.aws.upbound.io", Message: "missing, install provider-aws-iam"}
	testWait(t, map[string]waitCase{
		"Nothing":       {"Nothing conflicts, and nothing is missing.", world{}, "role/s3", nil},
		"KindUnknown":   {"A kind that has not been looked up yet may not exist.", world{Answers: map[string]string{"kind/roles.iam.aws.upbound.io": unanswered}}, "role/s3", missing},
		"KindMissing":   {"A missing kind is named with its package.", world{Answers: map[string]string{"kind/roles.iam.aws.upbound.io": `[]`}}, "role/s3", missing},
		"Assumed":       {"Kinds may be assumed to exist.", world{Input: `prerequisites: Assume`, Answers: map[string]string{"kind/roles.iam.aws.upbound.io": `[]`}}, "role/s3", nil},
		"Preview":       {"A preview waits for nothing.", world{Input: `preview: true`, Answers: map[string]string{"kind/roles.iam.aws.upbound.io": `[]`, name: taken}}, "role/s3", nil},
		"KindObserved":  {"A kind exists if one of its objects does.", world{Observed: map[string]string{"role/ec2": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role}`}, Answers: map[string]string{"kind/roles.iam.aws.upbound.io": unanswered}}, "role/s3", nil},
		"ClusterAsked":  {"Without a cluster, a role has no name.", world{Spec: byReference, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": unanswered}}, "role/s3", &Wait{Reason: v1alpha1.ReasonMissing, Message: "Cluster main (spec.clusterNameRef) does not exist"}},
		"ClusterAbsent": {"A missing cluster is named.", world{Spec: byReference, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": `[]`}}, "role/s3", &Wait{Reason: v1alpha1.ReasonMissing, Message: "Cluster main (spec.clusterNameRef) does not exist"}},
		"KindFirst":     {"If both the kind and the cluster are missing, the kind is reported.", world{Spec: byReference, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": `[]`, "kind/roles.iam.aws.upbound.io": `[]`}}, "role/s3", missing},
		"Looking": {
			"Until it is known whether an object with that name exists, nothing is adopted.",
			world{Answers: map[string]string{name: unanswered}},
			"role/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Role crossplane-prod-eu-west-1-s3", Message: "checking whether it exists"},
		},
		"Taken": {
			"An object of another composite resource is unchanged, and its claim is named.",
			world{Answers: map[string]string{name: taken}},
			"role/s3",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "Role crossplane-prod-eu-west-1-s3",
				Message: "exists and belongs to PodIdentityProvider other-x of claim team-b/other: only one composite resource can give the service an identity in a cluster",
			},
		},
		"TakenObserved": {"An observed object belongs to the composite resource, regardless of other answers.", world{Answers: map[string]string{name: taken}, Observed: map[string]string{"role/s3": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: crossplane-prod-eu-west-1-s3}}`}}, "role/s3", nil},
	})
}

// TestRoleName checks that messages use the name of the observed object.
func TestRoleName(t *testing.T) {
	if got := (world{}).resource(t, "role/s3").Name; got != "crossplane-prod-eu-west-1-s3" {
		t.Errorf("Name before the role exists: got %q", got)
	}
	w := world{Observed: map[string]string{"role/s3": `{metadata: {name: storage-abcde}}`}}
	if got := w.resource(t, "role/s3").Name; got != "storage-abcde" {
		t.Errorf("Name of the observed role: got %q", got)
	}
}
