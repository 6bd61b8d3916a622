package e2e

import (
	"fmt"
	"strings"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// safeStart is a cluster in which a kind of a provider exists only once a policy names it (provider.defaultActivations of the chart).
// From v2.4 on Crossplane runs no pod of a provider until one of its kinds does, and calls it healthy.
func safeStart(s *Story) {
	s.Delete("ActivationPolicy", "default")
	s.Apply(s.File("manifests/activation-policy.yaml"))
	s.Install()
	xr := s.file("storage", "[{name: s3}]")
	s.Is(3*time.Minute, "Provider", "provider-aws-s3", "Installed=True", "Healthy=True/AwaitingActivation")
	claim := s.Is(time.Minute, "Claim", "storage", "Ready=False", "IdentityReady=True", "ProvidersReady=False/ActionRequired")
	message := fmt.Sprint(fakes.Condition(claim, "ProvidersReady")["message"])
	if want := "has no pods, because none of its kinds is active"; !strings.Contains(message, want) {
		s.Errorf("the claim does not say that the provider %s: %s", want, message)
	}
	if pods := s.Pods("provider-aws-s3"); len(pods) > 0 {
		s.Errorf("provider-aws-s3 has %d pods before any kind of it is active", len(pods))
	}
	// It is not only a moment on the way.
	calls := s.Calls(xr)
	time.Sleep(30 * time.Second)
	s.Is(time.Second, "Claim", "storage", "Synced=True", "Ready=False", "ProvidersReady=False/ActionRequired")
	s.Stepf("no kind of S3 is active, and after %d more calls the claim still says: %s", s.Calls(xr)-calls, message)

	s.Apply(`
apiVersion: apiextensions.crossplane.io/v1alpha1
kind: ManagedResourceActivationPolicy
metadata: {name: storage}
spec:
  activate: [buckets.s3.aws.upbound.io]
`)
	s.Is(2*time.Minute, "Claim", "storage", "Ready=True", "ProvidersReady=True", "TeardownProtected=True")
	pods := s.Pods("provider-aws-s3")
	if len(pods) != 1 {
		s.Fatalf("provider-aws-s3 has %d pods", len(pods))
	}
	s.HasCredentials(pods[0])
	s.Stepf("one kind is active: the provider runs, with its credentials, and the claim is ready")
}
