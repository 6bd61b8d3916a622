package resources

import (
	"strings"
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// associationOf returns the association of s3, ready since the given time.
func associationOf(since string) string {
	return `
apiVersion: eks.aws.upbound.io/v1beta1
kind: PodIdentityAssociation
metadata: {name: crossplane-prod-eu-west-1-s3}
status:
  conditions: [{type: Synced, status: "True"}, {type: Ready, status: "True", lastTransitionTime: "` + since + `"}]
  atProvider:
    associationId: a-s30123456789abcde
    roleArn: arn:aws:iam::123456789012:role/crossplane-prod-eu-west-1-s3
`
}

func TestAssociation(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Seed": {
			reason: "An association ties the provider's ServiceAccount to its role, which may not exist yet.",
			key:    "association/s3",
			want: `
apiVersion: eks.aws.upbound.io/v1beta1
kind: PodIdentityAssociation
metadata: {name: crossplane-prod-eu-west-1-s3}
spec:
  managementPolicies: [Observe, Create, Update, Delete]
  forProvider:
    region: eu-west-1
    clusterName: prod
    namespace: crossplane-system
    serviceAccount: provider-aws-s3
    roleArnRef: {name: crossplane-prod-eu-west-1-s3}
  providerConfigRef: {name: default}
`,
		},
		"Everything": {
			reason: "All options of associations and managed resources are passed on; an existing association is imported by its ID.",
			world: world{Spec: `
region: eu-west-2
clusterName: null
clusterNameRef: {name: main}
crossplaneNamespace: upbound-system
tags: {team: a}
providerConfigRef: {name: bootstrap}
managementPolicies: [Observe]
deletionPolicy: Orphan
services: [{name: s3, serviceAccountName: sa, associationId: a-0123456789abcdef0}]`, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": clusterFound}},
			key: "association/s3",
			want: `
apiVersion: eks.aws.upbound.io/v1beta1
kind: PodIdentityAssociation
metadata:
  name: crossplane-prod-eu-west-2-s3
  annotations: {crossplane.io/external-name: a-0123456789abcdef0, aws.podidentity.dev/imported: a-0123456789abcdef0, aws.podidentity.dev/cluster: prod}
spec:
  deletionPolicy: Orphan
  managementPolicies: [Observe]
  forProvider:
    region: eu-west-2
    clusterName: prod
    namespace: upbound-system
    serviceAccount: sa
    roleArnRef: {name: crossplane-prod-eu-west-2-s3}
    tags: {team: a}
  providerConfigRef: {name: bootstrap}
`,
		},
		"OwnRole": {
			reason: "An existing role is set by value, because changing only a reference has no effect in AWS.",
			world:  world{Spec: `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/x"}]`},
			key:    "association/s3",
			want: `
apiVersion: eks.aws.upbound.io/v1beta1
kind: PodIdentityAssociation
metadata: {name: crossplane-prod-eu-west-1-s3}
spec:
  managementPolicies: [Observe, Create, Update, Delete]
  forProvider:
    region: eu-west-1
    clusterName: prod
    namespace: crossplane-system
    serviceAccount: provider-aws-s3
    roleArn: arn:aws:iam::123456789012:role/x
  providerConfigRef: {name: default}
`,
		},
		"ObservedRole": {
			reason: "An existing role with another name is referenced by that name, and nothing is copied from the observed association.",
			world:  world{Observed: map[string]string{"role/s3": `{kind: Role, metadata: {name: storage-role}}`, "association/s3": associationOf("2025-01-01T00:00:00Z")}},
			key:    "association/s3",
			want: `
apiVersion: eks.aws.upbound.io/v1beta1
kind: PodIdentityAssociation
metadata: {name: crossplane-prod-eu-west-1-s3}
spec:
  managementPolicies: [Observe, Create, Update, Delete]
  forProvider:
    region: eu-west-1
    clusterName: prod
    namespace: crossplane-system
    serviceAccount: provider-aws-s3
    roleArnRef: {name: storage-role}
  providerConfigRef: {name: default}
`,
		},
	})
}

func TestAssociationWait(t *testing.T) {
	const kind, name = "kind/podidentityassociations.eks.aws.upbound.io", "PodIdentityAssociation.eks.aws.upbound.io/crossplane-prod-eu-west-1-s3"
	const target = `services: [{name: s3, targetRoleArn: "arn:aws:iam::210987654321:role/a"}]`
	missing := &Wait{Reason: v1alpha1.ReasonMissing, Subject: "podidentityassociations.eks.aws.upbound.io", Message: "missing, install provider-aws-eks"}
	schema := func(forProvider string) string {
		return `[{metadata: {name: podidentityassociations.eks.aws.upbound.io}, spec: {versions: [{name: v1beta1, served: true, schema: {openAPIV3Schema: {properties: {spec: {properties: {forProvider: ` + forProvider + `}}}}}}]}, status: {conditions: [{type: Established, status: "True"}]}}]`
	}
	testWait(t, map[string]waitCase{
		"Nothing":     {"An association does not wait for its role.", world{}, "association/s3", nil},
		"KindUnknown": {"A kind that has not been looked up yet may not exist.", world{Answers: map[string]string{kind: unanswered}}, "association/s3", missing},
		"KindMissing": {"A missing kind is named with its package.", world{Answers: map[string]string{kind: `[]`}}, "association/s3", missing},
		"IAMMissing":  {"An association does not wait for the kinds of IAM.", world{Answers: map[string]string{"kind/roles.iam.aws.upbound.io": `[]`}}, "association/s3", nil},
		"Assumed":     {"Kinds may be assumed to exist.", world{Input: `prerequisites: Assume`, Answers: map[string]string{kind: `[]`}}, "association/s3", nil},
		"Preview":     {"A preview waits for nothing.", world{Input: `preview: true`, Answers: map[string]string{kind: `[]`}}, "association/s3", nil},
		"Cluster":     {"Without a cluster, an association has no target.", world{Spec: byReference, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": `[]`}}, "association/s3", &Wait{Reason: v1alpha1.ReasonMissing, Message: "Cluster main (spec.clusterNameRef) does not exist"}},
		"OldProvider": {
			"If a schema has other fields but lacks this one, the object could not be applied.",
			world{Spec: target, Answers: map[string]string{kind: schema(`{properties: {clusterName: {type: string}}}`)}},
			"association/s3",
			&Wait{Reason: v1alpha1.ReasonMissing, Subject: "targetRoleArn", Message: "the installed provider-aws-eks does not know it, install v2 or later"},
		},
		"NewProvider":  {"A schema with the field is sufficient.", world{Spec: target, Answers: map[string]string{kind: schema(`{properties: {clusterName: {type: string}, targetRoleArn: {type: string}}}`)}}, "association/s3", nil},
		"SilentSchema": {"A schema without any fields does not rule it out.", world{Spec: target, Answers: map[string]string{kind: schema(`{type: object}`)}}, "association/s3", nil},
		"Looking": {
			"Until it is known whether an object with that name exists, nothing is adopted.",
			world{Answers: map[string]string{name: unanswered}},
			"association/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: "PodIdentityAssociation crossplane-prod-eu-west-1-s3", Message: "checking whether it exists"},
		},
		"Taken": {
			"An object without an owner would be adopted silently, and deleted with the composite resource.",
			world{Answers: map[string]string{name: `[{metadata: {name: crossplane-prod-eu-west-1-s3}}]`}},
			"association/s3",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "PodIdentityAssociation crossplane-prod-eu-west-1-s3",
				Message: "exists and no composite resource made it: only one composite resource can give the service an identity in a cluster",
			},
		},
	})
}

func TestAssociationReady(t *testing.T) {
	const conditions = `conditions: [{type: Synced, status: "True"}, {type: Ready, status: "True"}]`
	cases := map[string]struct {
		reason, in string
		want       Readiness
	}{
		"Ready":    {"An association that is ready and synced, and has an ID, is usable.", associationOf("2025-01-01T00:00:00Z"), Readiness{Ready: true}},
		"NoID":     {"Without an ID, it does not exist yet.", `status: {` + conditions + `}`, Readiness{Message: "no association id yet"}},
		"NotReady": {"Otherwise, it behaves like any managed resource.", `status: {conditions: [{type: Synced, status: "True"}, {type: Ready, status: "False"}], atProvider: {associationId: a-1}}`, Readiness{Message: "being created"}},
		"Failed": {
			"The same applies to errors.", `status: {conditions: [{type: Synced, status: "False", message: boom}, {type: Ready, status: "True"}], atProvider: {associationId: a-1}}`,
			Readiness{Failed: true, Message: "boom"},
		},
	}
	r := world{}.resource(t, "association/s3")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := r.Ready(observed(t, tc.in)); got != tc.want {
				t.Errorf("%s\nReady(...): want %+v, got %+v", tc.reason, tc.want, got)
			}
		})
	}
}

// TestSettled checks that the creation of a Provider waits for its association.
func TestSettled(t *testing.T) {
	const subject = "Provider provider-aws-s3"
	with := func(association, spec string) world {
		return world{Spec: spec, Observed: map[string]string{"association/s3": association}}
	}
	settling := &Wait{
		Reason: v1alpha1.ReasonWaiting, Subject: subject,
		Message: "waiting until PodIdentityAssociation crossplane-prod-eu-west-1-s3 has been ready for 10s, so that EKS knows it everywhere",
	}
	notReady := &Wait{Reason: v1alpha1.ReasonWaiting, Subject: subject, Message: "waiting for PodIdentityAssociation crossplane-prod-eu-west-1-s3 to be ready"}
	testWait(t, map[string]waitCase{
		"None": {
			"A provider whose pod starts before the association exists never gets credentials.",
			world{},
			"provider/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: subject, Message: "waiting for the PodIdentityAssociation to be created"},
		},
		"NotReady": {"The association is named while it is not ready.", with(`{metadata: {name: crossplane-prod-eu-west-1-s3}}`, ``), "provider/s3", notReady},
		"NoID":     {"Without an ID, it is not ready.", with(`{metadata: {name: crossplane-prod-eu-west-1-s3}, status: {conditions: [{type: Synced, status: "True"}, {type: Ready, status: "True"}]}}`, ``), "provider/s3", notReady},
		"Settling": {"From then on, EKS needs some seconds,", with(associationOf("2025-12-31T23:59:51Z"), ``), "provider/s3", settling},
		"Settled":  {"ten by default.", with(associationOf("2025-12-31T23:59:50Z"), ``), "provider/s3", nil},
		"Again": {
			"An association that was created again in AWS is new, even if it was never observed as unready.",
			with(strings.Replace(associationOf("2025-01-01T00:00:00Z"), "metadata: {", "metadata: {annotations: {crossplane.io/external-create-succeeded: '2025-12-31T23:59:51Z'}, ", 1), ``), "provider/s3", settling,
		},
		"Before": {
			"An association is created before it becomes ready.",
			with(strings.Replace(associationOf("2025-12-31T23:59:51Z"), "metadata: {", "metadata: {annotations: {crossplane.io/external-create-succeeded: '2025-12-31T23:59:49Z'}, ", 1), ``), "provider/s3", settling,
		},
		"Shorter": {"Another time may be set,", with(associationOf("2025-12-31T23:59:51Z"), `runtime: {associationSettleSeconds: 9}`), "provider/s3", nil},
		"Longer": {
			"also for a single service,", with(associationOf("2025-12-31T23:58:01Z"), `services: [{name: s3, runtime: {associationSettleSeconds: 120}}]`), "provider/s3",
			&Wait{
				Reason: v1alpha1.ReasonWaiting, Subject: subject,
				Message: "waiting until PodIdentityAssociation crossplane-prod-eu-west-1-s3 has been ready for 2m0s, so that EKS knows it everywhere",
			},
		},
		"Zero":     {"or none at all.", with(associationOf("2026-01-01T00:00:00Z"), `runtime: {associationSettleSeconds: 0}`), "provider/s3", nil},
		"NoTime":   {"An association without a transition time has been ready for long.", with(associationOf("unknown"), ``), "provider/s3", nil},
		"Preview":  {"A preview waits for nothing.", world{Input: `preview: true`}, "provider/s3", nil},
		"Assumed":  {"Only kinds are assumed: a provider still waits.", world{Input: `prerequisites: Assume`, Observed: map[string]string{"association/s3": associationOf("2025-12-31T23:59:51Z")}}, "provider/s3", settling},
		"OfOthers": {"The association of another service does not count.", world{Observed: map[string]string{"association/ec2": associationOf("2025-01-01T00:00:00Z")}}, "provider/s3", &Wait{Reason: v1alpha1.ReasonWaiting, Subject: subject, Message: "waiting for the PodIdentityAssociation to be created"}},
	})
}

// TestBootstrapAssociation covers the providers that create identities, and have their own from another source.
func TestBootstrapAssociation(t *testing.T) {
	const exists = `status: {conditions: [{type: Synced, status: "False", message: "ResourceInUseException: Association already exists: a-f5l66irh2krd4aef7"}]}`
	const elsewhere = "the provider has its identity from association a-f5l66irh2krd4aef7 already, which was made elsewhere, as docs/bootstrap.md does: " +
		"take the service out, or set adoptExistingAssociation: true for it to have that association managed here"
	cases := map[string]struct {
		reason, service, in string
		want                Readiness
	}{
		"Elsewhere": {"An association from another source is explained, because it is no mistake.", `{name: eks, management: Observe}`, exists, Readiness{Conflict: true, Message: elsewhere}},
		"Package":   {"The package counts, not the name.", `{name: eks, management: Observe, package: registry.example.org/x/provider-aws-iam}`, exists, Readiness{Conflict: true, Message: elsewhere}},
		"Adopted":   {"The association may be managed here.", `{name: eks, management: Observe, adoptExistingAssociation: true}`, exists, Readiness{Message: "adopting association a-f5l66irh2krd4aef7, which EKS has already"}},
		"Ready":     {"A composed association works like any other.", `{name: eks, management: Observe}`, associationOf("2025-01-01T00:00:00Z"), Readiness{Ready: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{Spec: `services: [` + tc.service + `]`}
			if got := w.resource(t, "association/eks").Ready(observed(t, tc.in)); got != tc.want {
				t.Errorf("%s\nReady(...): want %+v, got %+v", tc.reason, tc.want, got)
			}
			for _, key := range []string{"role/eks", "policy/eks", "attachment/eks", "association/eks"} {
				o, err := w.resource(t, key).Build()
				if err != nil {
					t.Fatal(err)
				}
				if got := view.NewObject(o).String("spec", "deletionPolicy"); got != "Orphan" {
					t.Errorf("%s\n%s: want it to stay in AWS, because the provider that deletes it needs it; got deletionPolicy %q", tc.reason, key, got)
				}
			}
		})
	}
}
