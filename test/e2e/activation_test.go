package e2e

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// safeStart runs in a cluster in which a kind of a provider exists only once a policy names it (provider.defaultActivations of the chart).
// From v2.4 on Crossplane runs no pod of a provider until one of its kinds exists, and calls it healthy. Permissions can follow the kinds.
func safeStart(s *Scenario) {
	s.Delete("ActivationPolicy", "default")
	s.Apply(s.File("manifests/activation-policy.yaml"))
	s.Install()
	xr := s.file("queues", "[{name: sqs}]")
	s.Is(3*time.Minute, "Provider", "provider-aws-sqs", "Installed=True", "Healthy=True/AwaitingActivation")
	claim := s.Is(time.Minute, "Claim", "queues", "Ready=False", "IdentityReady=True", "ProvidersReady=False/ActionRequired")
	message := fmt.Sprint(fakes.Condition(claim, "ProvidersReady")["message"])
	if want := "has no pods, because none of its kinds is active"; !strings.Contains(message, want) {
		s.Errorf("the claim does not say that the provider %s: %s", want, message)
	}
	if pods := s.Pods("provider-aws-sqs"); len(pods) > 0 {
		s.Errorf("provider-aws-sqs has %d pods before any kind of it is active", len(pods))
	}
	// The claim must not only pass through this state.
	calls := s.Calls(xr)
	time.Sleep(30 * time.Second)
	s.Is(time.Second, "Claim", "queues", "Synced=True", "Ready=False", "ProvidersReady=False/ActionRequired")
	s.Stepf("no kind of SQS is active, and after %d more calls the claim still says: %s", s.Calls(xr)-calls, message)

	s.activate("queues", "queues.sqs.aws.upbound.io")
	s.Is(2*time.Minute, "Claim", "queues", "Ready=True", "ProvidersReady=True", "TeardownProtected=True")
	pods := s.Pods("provider-aws-sqs")
	if len(pods) != 1 {
		s.Fatalf("provider-aws-sqs has %d pods", len(pods))
	}
	s.HasCredentials(pods[0])
	s.Stepf("one kind is active: the provider runs, with its credentials, and the claim is ready")
	s.followsKinds()
}

// followsKinds checks permissions for the active kinds of a service: there are none at first, and each kind adds some.
func (s *Scenario) followsKinds() {
	s.Helper()
	const role = "crossplane-prod-eu-west-1-s3"
	s.file("storage", "[{name: s3, permissions: {kinds: Active}}]")
	claim := s.Is(time.Minute, "Claim", "storage", "Ready=False", "IdentityReady=False")
	message := fmt.Sprint(fakes.Condition(claim, "IdentityReady")["message"])
	if want := "none of its kinds is active"; !strings.Contains(message, want) {
		s.Errorf("the claim does not say that %s: %s", want, message)
	}
	if s.Real.Role(role) != nil {
		s.Errorf("there is a role before any kind is active")
	}
	s.Stepf("permissions that follow the active kinds wait for one: %s", message)

	s.activate("buckets", "buckets.s3.aws.upbound.io")
	s.Is(3*time.Minute, "Claim", "storage", "Ready=True", "TeardownProtected=True")
	config := s.Namespace + "-storage"
	s.use(config, s3Bucket("orders"))
	if p := s.Real.Policy(role); !strings.Contains(p, "s3:CreateBucket") || strings.Contains(p, "s3:PutBucketPolicy") || strings.Contains(p, "s3:*") {
		s.Errorf("the policy is not that of a Bucket: %s", p)
	}
	s.Stepf("Bucket is active: the provider makes one with the permissions of this kind")

	before := s.Pods("provider-aws-s3")[0].UID
	s.activate("policies-of-buckets", "bucketpolicies.s3.aws.upbound.io")
	s.Until(time.Minute, "AWS has a policy for BucketPolicy", func() error {
		if p := s.Real.Policy(role); !strings.Contains(p, "s3:PutBucketPolicy") {
			return errors.New(p)
		}
		return nil
	})
	s.use(config, managed{
		GroupVersionKind: schema.GroupVersionKind{Group: bucketKind.Group, Version: bucketKind.Version, Kind: "BucketPolicy"}, Name: "orders",
		Fields: `, bucket: orders, policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::orders/*"}]}'`,
	})
	if pods := s.Pods("provider-aws-s3"); len(pods) != 1 || pods[0].UID != before {
		s.Errorf("provider-aws-s3 was restarted: %v", pods)
	}
	s.Stepf("BucketPolicy is active, too: its permissions came without a restart")
}

// activate a kind, by the name of its definition.
func (s *Scenario) activate(name, definition string) {
	s.Helper()
	s.Apply(fmt.Sprintf("{apiVersion: apiextensions.crossplane.io/v1alpha1, kind: ManagedResourceActivationPolicy, metadata: {name: %s}, spec: {activate: [%s]}}", name, definition))
}
