package resources

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

const (
	// followed has a service that follows the active kinds.
	followed = `services: [{name: s3, permissions: {kinds: Active}}, {name: ec2}]`
	// These are the keys of the requirements for activation policies.
	activationKindAsked = "kind/managedresourceactivationpolicies.apiextensions.crossplane.io"
	activationAsked     = "all/ManagedResourceActivationPolicy.apiextensions.crossplane.io"
)

// following returns a world with a service that follows the active kinds, and the answer to one requirement.
func following(question, answer string) world {
	return world{Spec: followed, Answers: map[string]string{question: answer}}
}

func TestKindsWait(t *testing.T) {
	none := &Wait{Reason: v1alpha1.ReasonMissing, Message: "none of its kinds is active. To do: name those that you use in a ManagedResourceActivationPolicy, as manifests/activation-policy.yaml does, or list kinds in place of Active"}
	asking := &Wait{Reason: v1alpha1.ReasonWaiting, Message: "checking which of its kinds are active"}
	bucket := following(activationAsked, `[{spec: {activate: [buckets.s3.aws.upbound.io]}}]`)
	cases := map[string]waitCase{
		"None":          {"The service is not ready while none of its kinds is active.", world{Spec: followed}, "kinds/s3", none},
		"Role":          {"No resource is created,", world{Spec: followed}, "role/s3", none},
		"Association":   {"from the first", world{Spec: followed}, "association/s3", none},
		"RuntimeConfig": {"to the last.", world{Spec: followed}, "runtimeconfig/s3", none},
		"Unasked":       {"Before Crossplane has answered, nothing is missing yet.", following(activationKindAsked, unanswered), "kinds/s3", asking},
		"Unlisted":      {"Neither is it after the first of two answers.", following(activationAsked, unanswered), "role/s3", asking},
		"Other":         {"Other services are created.", world{Spec: followed}, "role/ec2", nil},
		"Active":        {"With an active kind, so is this one.", bucket, "role/s3", nil},
		"Earlier":       {"Other reasons to wait are reported first.", world{Spec: followed, Answers: map[string]string{"kind/roles.iam.aws.upbound.io": unanswered}}, "role/s3", &Wait{Reason: v1alpha1.ReasonMissing, Subject: "roles.iam.aws.upbound.io", Message: "missing, install provider-aws-iam"}},
	}
	testWait(t, cases)
	if r := bucket.resource(t, "kinds/s3"); r != nil {
		t.Errorf("the service waits despite an active kind: %s", r.Wait.Message)
	}
}

// TestKindsKept checks that existing resources stay, and none is deleted, while no active kind is known.
func TestKindsKept(t *testing.T) {
	const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	policy := `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: crossplane-prod-eu-west-1-s3}, spec: {forProvider: {policy: '` + document + `'}}}`
	for name, w := range map[string]world{"None": {Spec: followed}, "Unasked": following(activationKindAsked, unanswered), "Unlisted": following(activationAsked, unanswered)} {
		t.Run(name, func(t *testing.T) {
			w.Observed = map[string]string{"policy/s3": policy, "policy/s3.2": policy}
			for _, key := range []string{"policy/s3", "policy/s3.2"} {
				r := w.resource(t, key)
				if r == nil {
					t.Fatalf("%s exists, but is not composed", key)
				}
				o, err := r.Build()
				if err != nil {
					t.Fatal(err)
				}
				if got := o.GetFields()["spec"].GetStructValue().GetFields()["forProvider"].GetStructValue().GetFields()["policy"].GetStringValue(); got != document {
					t.Errorf("%s has the document %s", key, got)
				}
			}
		})
	}
}

// TestKindsRefused checks that newly active kinds that cannot be granted make the service fail, but change nothing.
func TestKindsRefused(t *testing.T) {
	w := following(activationAsked, `[{spec: {activate: [bucketpolicies.s3.aws.upbound.io, buckets.s3.aws.upbound.io]}}]`)
	w.XR, w.Input = `{status: {services: [{name: s3, activeKinds: [BucketVersioning]}]}}`, `{guardrails: {deniedActions: ['s3:PutBucketPolicy']}}`
	w.Spec = `services: [{name: s3, permissions: {kinds: Active}}, {name: ec2, permissions: {kinds: [VPC]}}]`
	r := w.resource(t, "kinds/s3")
	if r == nil {
		t.Fatal("want a wait for kinds that are not granted")
	}
	want := &Wait{
		Reason:  v1alpha1.ReasonInvalidSpec,
		Message: `newly active kinds are not granted (Bucket, BucketPolicy): guardrail deniedActions: "s3:PutBucketPolicy": Action allows what s3:PutBucketPolicy denies. To do: allow that, or list kinds in place of Active`,
	}
	if diff := cmp.Diff(want, r.Wait, ignoreOwner); diff != "" {
		t.Errorf("Wait: -want, +got:\n%s", diff)
	}
	for _, key := range []string{"role/s3", "policy/s3", "role/ec2"} {
		if r := w.resource(t, key); r == nil || r.Wait != nil {
			t.Errorf("%s should be composed, because it needs no refused kind; got %v", key, r)
		}
	}
}
