package e2e

import (
	"fmt"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// upgradeFunction as docs/upgrade.md says, to a version that composes something differently: what is different is changed in place, and
// nothing is created again.
func upgradeFunction(s *Scenario) {
	const object = "crossplane-prod-eu-west-1-sqs"
	s.Install()
	s.file("queues", "[{name: sqs}]")
	s.Is(4*time.Minute, "Claim", "queues", "Ready=True", "TeardownProtected=True")
	s.Stepf("the claim is ready")
	stop := s.guard("queues")
	pods := s.Pods("provider-aws-sqs")
	s.settle("queues")
	uids, before := s.UIDs("queues"), s.Versions("queues")
	if got := fakes.String(s.Get("Role", object), "spec", "forProvider", "description"); got == nextDescription {
		s.Fatal("the next version already runs")
	}

	if err := s.release(next); err != nil {
		s.Fatal(err)
	}
	s.patch("Function", "crossplane-contrib-function-pod-identity-provider", `{"spec":{"package":"xpkg.crossplane.io/crossplane-contrib/function-pod-identity-provider:`+next+`"}}`)
	s.Until(2*time.Minute, "the role is that of the new version", func() error {
		if got := fakes.String(s.Get("Role", object), "spec", "forProvider", "description"); got != nextDescription {
			return fmt.Errorf("its description is %q", got)
		}
		return nil
	})
	s.Is(time.Minute, "Function", "crossplane-contrib-function-pod-identity-provider", "Installed=True", "Healthy=True")
	s.Stepf("the function is upgraded, and the role changed")
	s.patch("Configuration", "configuration-pod-identity-provider", `{"spec":{"package":"xpkg.crossplane.io/crossplane-contrib/configuration-pod-identity-provider:`+next+`"}}`)
	s.Is(2*time.Minute, "Configuration", "configuration-pod-identity-provider", "Installed=True", "Healthy=True")
	s.Is(2*time.Minute, "Claim", "queues", "Ready=True", "Synced=True", "TeardownProtected=True")
	after := s.settle("queues")
	stop()
	s.Same("UIDs", uids, s.UIDs("queues"))
	s.Same("what the new version composes as before", before, after, "Role/")
	if now := s.Pods("provider-aws-sqs"); len(now) != 1 || now[0].UID != pods[0].UID {
		s.Errorf("the provider was restarted: %d pods", len(now))
	}
	if calls := s.AWS.Calls("Delete"); len(calls) > 0 {
		s.Errorf("AWS should have got no call to delete anything, got %v", calls)
	}
	s.Stepf("the Configuration is upgraded, too: the claim is ready, and nothing else was written")
}

// upgradeCrossplane from v1 through v2.3 to the newest version while a claim exists, and then delete the claim.
func upgradeCrossplane(s *Scenario) {
	s.Install()
	xr := s.file("queues", "[{name: sqs}]")
	s.Is(4*time.Minute, "Claim", "queues", "Ready=True", "TeardownProtected=True")
	s.Stepf("with Crossplane %s the claim is ready", s.Version)
	for _, v := range []version{v23, v2} {
		s.upgradeTo(v, xr)
	}

	s.Edit("queues", `{"spec":{"tags":{"team":"a"}}}`)
	s.Until(2*time.Minute, "an edit is carried out", func() error {
		if got := fakes.String(s.Get("Role", "crossplane-prod-eu-west-1-sqs"), "spec", "forProvider", "tags", "team"); got != "a" {
			return fmt.Errorf("the role's tag is %q", got)
		}
		return nil
	})
	s.Delete("Claim", "queues")
	for kind, name := range ofService("sqs") {
		s.Gone(4*time.Minute, kind, name)
	}
	s.Gone(time.Minute, "XR", xr)
	s.inOrder("sqs")
	s.Stepf("an edit is carried out, and a deletion, in order")
}

// upgradeTo that version of Crossplane, and check that the claim `queues` keeps its resources.
func (s *Scenario) upgradeTo(v version, xr string) {
	s.Helper()
	s.settle("queues")
	stop := s.guard("queues")
	uids := s.UIDs("queues")
	pods := s.Pods("provider-aws-sqs")

	if err := s.Upgrade(s.ctx, v.crossplane, built.Sources[v.crossplane], built.Paths[v.tool]); err != nil {
		s.Fatal(err)
	}
	s.Stepf("Crossplane is upgraded to %s", s.Version)
	s.Is(3*time.Minute, "Function", "crossplane-contrib-function-pod-identity-provider", "Installed=True", "Healthy=True")
	s.Is(3*time.Minute, "Provider", "provider-aws-sqs", "Installed=True", "Healthy=True")
	calls := s.Calls(xr)
	s.Until(3*time.Minute, "the function is called", func() error {
		if s.Calls(xr) == calls {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	s.Is(3*time.Minute, "Claim", "queues", "Ready=True", "Synced=True", "TeardownProtected=True")
	s.settle("queues")
	stop()
	s.Same("UIDs", uids, s.UIDs("queues"))
	if calls := s.AWS.Calls("Delete"); len(calls) > 0 {
		s.Errorf("AWS should have got no call to delete anything, got %v", calls)
	}
	now := s.Pods("provider-aws-sqs")
	if len(now) != 1 {
		s.Fatalf("the provider has %d pods", len(now))
	}
	s.HasCredentials(now[0])
	s.Stepf("the claim is ready, and has kept its resources; the provider has another pod: %t", now[0].UID != pods[0].UID)
}

// patch an object of the cluster with a JSON merge patch.
func (s *Scenario) patch(kind, name, patch string) {
	s.Helper()
	s.merge(s.Get(kind, name), patch)
}
