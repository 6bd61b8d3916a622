package e2e

import (
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// proof that pods have credentials, which verifyCredentials asks for: without permission to read pods, with credentials, without
// the agent, and for a provider of another owner whose pods are older than its association.
func proof(s *Scenario) {
	const sa = "provider-aws-sqs"
	s.Install()
	s.file("queues", "[{name: sqs}]")
	s.Edit("queues", `{"spec":{"runtime":{"verifyCredentials":true}}}`)
	claim := s.Is(4*time.Minute, "Claim", "queues", "Synced=True", "Ready=False", "ProvidersReady=True", "ProviderConfigReady=True", "CredentialsInjected=False/Missing")
	if m := injected(claim); !strings.Contains(m, "manifests/verify-credentials.yaml") {
		s.Errorf("the claim does not say what to apply: %s", m)
	}
	xr := s.XR("queues").GetName()
	calls := s.Calls(xr)
	time.Sleep(30 * time.Second)
	if n := s.Calls(xr) - calls; n < 2 {
		s.Errorf("the function was called %d times in 30 s", n)
	}
	s.Is(time.Second, "XR", xr, "Synced=True")
	s.Stepf("Crossplane may not read pods, which stalls nothing: %s", injected(claim))

	s.Apply(s.File("manifests/verify-credentials.yaml"))
	s.Is(2*time.Minute, "Claim", "queues", "Ready=True", "CredentialsInjected=True")
	s.restarts(sa, 0)
	s.Stepf("Crossplane may read pods, and they have credentials")

	s.agent(false)
	s.restart(sa)
	claim = s.Is(3*time.Minute, "Claim", "queues", "Ready=False", "CredentialsInjected=False/Failed")
	if m := injected(claim); !strings.Contains(m, "AWS_CONTAINER_CREDENTIALS_FULL_URI") || !strings.Contains(m, "eks-pod-identity-agent") {
		s.Errorf("the claim does not say what is missing: %s", m)
	}
	s.restarts(sa, 1)
	uid := s.Pods(sa)[0].UID
	time.Sleep(45 * time.Second)
	s.restarts(sa, 1)
	if now := s.Pods(sa)[0].UID; now != uid {
		s.Error("the provider was restarted again, though that did not help")
	}
	s.Stepf("the cluster has no agent: the provider was restarted once, in vain: %s", injected(claim))

	s.agent(true)
	s.restart(sa)
	s.Is(3*time.Minute, "Claim", "queues", "Ready=True", "CredentialsInjected=True")
	s.restarts(sa, 1)
	s.Stepf("the cluster has an agent again, and an administrator restarted the provider as the claim said")

	// The procedure that the function replaces warned of this.
	s.theirProvider("sns", "$VERSION")
	s.file("topics", "[{name: sns, management: Observe}]")
	s.Edit("topics", `{"spec":{"runtime":{"verifyCredentials":true}}}`)
	claim = s.Is(3*time.Minute, "Claim", "topics", "Ready=False", "CredentialsInjected=False/Failed")
	if m := injected(claim); !strings.Contains(m, "older than the association") || !strings.Contains(m, "kubectl rollout restart deployment their-sns-") {
		s.Errorf("the claim does not say that the pods are too old: %s", m)
	}
	s.restarts("provider-aws-sns", 0)
	s.Stepf("the pods of another owner's provider are older than its association: %s", injected(claim))
	s.restart("provider-aws-sns")
	s.Is(3*time.Minute, "Claim", "topics", "Ready=True", "CredentialsInjected=True")
	s.Stepf("the owner restarts the provider, and it has credentials")
}

// injected is the claim's message about its providers' credentials.
func injected(claim *unstructured.Unstructured) string {
	return fmt.Sprint(fakes.Condition(claim, "CredentialsInjected")["message"])
}

// restarts of a provider by the function so far: every change of its Deployment's template makes another ReplicaSet.
func (s *Scenario) restarts(serviceAccount string, want int) {
	s.Helper()
	if rs := s.replicaSets(serviceAccount); len(rs) != want+1 {
		s.Errorf("%s was restarted %d times, and should have been %d times", serviceAccount, len(rs)-1, want)
	}
}

// restart a provider's pods as the loss of a node would: its Deployment stays as it is.
func (s *Scenario) restart(serviceAccount string) {
	s.Helper()
	old := s.Pods(serviceAccount)
	for i := range old {
		if err := s.Client.Delete(s.ctx, &old[i]); err != nil {
			s.Fatal(err)
		}
	}
	s.Until(time.Minute, serviceAccount+" has new pods", func() error {
		now := s.Pods(serviceAccount)
		if len(now) != len(old) || now[0].UID == old[0].UID {
			return errors.New("not yet")
		}
		return nil
	})
}

// agent exists or not. Without it no webhook changes pods.
func (s *Scenario) agent(there bool) {
	s.Helper()
	if there {
		s.Until(10*time.Second, "the webhook is registered", s.registerWebhook)
		return
	}
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(kinds["MutatingWebhookConfiguration"])
	o.SetName("pod-identity-webhook")
	if err := s.Client.Delete(s.ctx, o); err != nil {
		s.Fatal(err)
	}
	// The API server takes a moment to notice.
	time.Sleep(5 * time.Second)
}
