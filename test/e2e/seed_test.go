package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// seed replaces the procedure by hand: one claim, and a provider that has its credentials from the start.
func seed(s *Scenario) {
	reconciles := s.Reconciles()
	const object = "crossplane-prod-eu-west-1-s3"
	s.Namespace = "team-a"
	s.Apply("{apiVersion: v1, kind: Namespace, metadata: {name: team-a}}")
	s.Apply(s.File("example/claim/claim.yaml"))
	s.Edit("storage", `{"spec":{"provider":{"version":"$VERSION"}}}`)
	s.Stepf("the claim is filed")

	xr := s.XR("storage").GetName()
	s.Stepf("it became %s", xr)
	s.Exists(30*time.Second, "RuntimeConfig", "provider-aws-s3")
	s.Exists(30*time.Second, "Role", object)
	s.Stepf("its resources are composed")
	if p := s.Get("Provider", "provider-aws-s3"); p != nil {
		s.Error("the Provider exists before the association is ready")
	}
	// Right after its installation, a real provider may not list its kinds yet: its next try can be a minute later.
	s.Is(3*time.Minute, "Role", object, "Ready=True", "Synced=True")
	s.Stepf("the role is ready")
	s.Is(time.Minute, "Policy", object, "Ready=True", "Synced=True")
	s.Is(time.Minute, "Attachment", object, "Ready=True", "Synced=True")
	s.Stepf("the policy is attached")
	association := s.Is(time.Minute, "Association", object, "Ready=True", "Synced=True")
	s.Stepf("the association is ready")
	s.Is(time.Minute, "Claim", "storage", "IdentityReady=True", "ProvidersReady=False", "Ready=False")
	s.Stepf("the claim says that the identity is ready, and the provider is not yet")
	provider := s.Exists(time.Minute, "Provider", "provider-aws-s3")
	s.Stepf("the provider is created")
	since := provider.GetCreationTimestamp().Sub(transition(s.T, association, "Ready"))
	if since < 10*time.Second || since > time.Minute {
		s.Errorf("the provider was created %s after the association was ready, and should have been 10 to 60 s after it", since)
	}
	provider = s.Is(time.Minute, "Provider", "provider-aws-s3", "Installed=True", "Healthy=True")
	s.Stepf("the provider is healthy")
	claim := s.Is(time.Minute, "Claim", "storage", "Ready=True", "Synced=True", "PrerequisitesReady=True", "IdentityReady=True", "ProvidersReady=True", "ProviderConfigReady=True")
	s.Stepf("the claim is ready, after %d calls of the function and %d reconciles", s.Calls(xr), s.Reconciles()-reconciles)

	s.Logf("%s", s.Breaker(xr))
	s.Logf("%s", s.Tokens(xr, s.began))

	if got := fakes.String(claim, "status", "providerConfigRef", "name"); got != "team-a-storage" || s.Get("ProviderConfig", got) == nil {
		s.Errorf("the claim's ProviderConfig is %q, and should be team-a-storage", got)
	}
	service := s.Service(claim, "s3")
	for field, want := range map[string]any{
		"phase": "Ready", "roleName": object, "roleArn": "arn:aws:iam::" + fakes.Account + ":role/" + object,
		"associationId": fakes.String(association, "status", "atProvider", "associationId"), "serviceAccountName": "provider-aws-s3", "providerName": "provider-aws-s3",
		"package": "xpkg.upbound.io/upbound/provider-aws-s3:" + s.version.providerVersion,
	} {
		if service[field] != want {
			s.Errorf("status of the service: %s is %v, and should be %v", field, service[field], want)
		}
	}
	if service["providerRevision"] == nil || service["policyArns"] == nil {
		s.Errorf("status of the service is not filled: %v", service)
	}
	pods := s.Pods("provider-aws-s3")
	if len(pods) != 1 {
		s.Fatalf("provider-aws-s3 has %d pods", len(pods))
	}
	s.HasCredentials(pods[0])
	s.Stepf("the provider's first pod has its credentials")
	s.Is(time.Minute, "Claim", "storage", "TeardownProtected=True")
	s.Stepf("its deletion is protected")
	if s.Real != nil {
		// A fake provider is healthy as soon as it is installed.
		for key, o := range s.Composed("storage") {
			if strings.HasPrefix(key, "Usage/") && transition(s.T, o, "Ready").After(transition(s.T, provider, "Healthy")) {
				s.Errorf("%s was in force only after the provider was healthy: until then a managed resource could depend on what it protects", key)
			}
		}
		s.Edit("storage", `{"spec":{"tags":{"edited":"at-once"}}}`)
		s.Until(time.Minute, "AWS has the new tag", func() error {
			if tags := s.Real.Role(object).Tags; tags["edited"] == "" {
				return fmt.Errorf("the role has %v", tags)
			}
			return nil
		})
		s.Stepf("an edit of the claim has reached AWS")
	}
	s.Logf("%s", s.Breaker(xr))
	s.Logf("%s", s.Tokens(xr, s.began))
	s.shown("trace.txt", s.trace("storage"))
}

// transition is when a condition last changed.
func transition(t *testing.T, o *unstructured.Unstructured, typ string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, fakes.Condition(o, typ)["lastTransitionTime"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return at
}
