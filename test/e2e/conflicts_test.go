package e2e

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// phase waits until a service of a claim is in a phase, with a message that contains all the parts.
func (s *Scenario) phase(claim, service, phase string, parts ...string) {
	s.Helper()
	s.Until(3*time.Minute, claim+": "+service+" is "+phase, func() error {
		c, err := s.find("Claim", claim)
		if err != nil {
			return err
		}
		got := s.Service(c, service)
		if got["phase"] != phase {
			return fmt.Errorf("it is %v: %v\n%s", got["phase"], got["message"], conditions(c))
		}
		for _, p := range parts {
			if !strings.Contains(fmt.Sprint(got["message"]), p) {
				return fmt.Errorf("its message does not say %q: %v", p, got["message"])
			}
		}
		return nil
	})
}

// twoClaims list the same service: the second says which claim has it, and does not affect the first.
func twoClaims(s *Scenario) {
	s.file("first", "[{name: xray}]")
	s.Is(4*time.Minute, "Claim", "first", "Ready=True")
	s.Stepf("the first claim is ready")
	first, before := s.Namespace, s.settle("first")

	s.Namespace = "team-second"
	s.Apply("{apiVersion: v1, kind: Namespace, metadata: {name: team-second}}")
	s.file("second", "[{name: xray}]")
	s.phase("second", "xray", "Conflict", "of claim "+first+"/first")
	s.Is(time.Minute, "Claim", "second", "Ready=False", "Synced=True")
	for key := range s.Composed("second") {
		if !strings.HasPrefix(key, "ProviderConfig/") {
			s.Errorf("the second claim has %s", key)
		}
	}
	s.Stepf("the second says which claim has the service: %v", s.Service(s.Get("Claim", "second"), "xray")["message"])
	s.delete("second")
	s.Namespace = first
	s.Same("the first claim", before, s.settle("first"))
	s.Stepf("the second is deleted, and nothing of the first has changed")
}

// theirProvider is one that another owner installed for a service, with the ServiceAccount that a claim would give it.
func (s *Scenario) theirProvider(service, version string) {
	s.Helper()
	s.Apply(strings.NewReplacer("SERVICE", service, "TAG", version).Replace(`
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata: {name: their-SERVICE}
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-SERVICE}}
  deploymentTemplate: {spec: {selector: {}, template: {}}}
---
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: their-SERVICE}
spec:
  package: xpkg.upbound.io/upbound/provider-aws-SERVICE:TAG
  runtimeConfigRef: {name: their-SERVICE}
`))
	s.Is(3*time.Minute, "Provider", "their-"+service, "Healthy=True")
}

// foreign Provider, DeploymentRuntimeConfig and ProviderConfig: the claim names each, changes none, and each way out works.
func foreign(s *Scenario) {
	s.theirProvider("mq", "$OLDER")
	theirs := map[string]string{"Provider": s.Get("Provider", "their-mq").GetResourceVersion(), "DRC": s.Get("RuntimeConfig", "their-mq").GetResourceVersion()}
	s.Stepf("another owner installed provider-aws-mq")

	s.file("broker", "[{name: mq}]")
	s.phase("broker", "mq", "Conflict", "their-mq")
	s.Stepf("the claim says so: %v", s.Service(s.Get("Claim", "broker"), "mq")["message"])
	s.Edit("broker", `{"spec":{"services":[{"name":"mq","management":"Observe"}]}}`)
	s.Is(3*time.Minute, "Claim", "broker", "Ready=True")
	if p := s.Get("Provider", "provider-aws-mq"); p != nil {
		s.Error("there is a second Provider")
	}
	after := map[string]string{"Provider": s.Get("Provider", "their-mq").GetResourceVersion(), "DRC": s.Get("RuntimeConfig", "their-mq").GetResourceVersion()}
	if !maps.Equal(theirs, after) {
		s.Errorf("the Provider of another owner was written: %v, then %v", theirs, after)
	}
	s.Stepf("with management: Observe it gets its identity, and the claim is ready")

	s.Apply(`
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata: {name: provider-aws-dax}
spec: {deploymentTemplate: {spec: {selector: {}, template: {}}}}
---
apiVersion: aws.upbound.io/v1beta1
kind: ProviderConfig
metadata: {name: $NS-cache}
spec: {credentials: {source: None}}
`)
	s.file("cache", "[{name: dax}]")
	s.phase("cache", "dax", "Conflict", "DeploymentRuntimeConfig provider-aws-dax")
	s.Is(time.Minute, "Claim", "cache", "ProviderConfigReady=False/Conflict")
	s.Stepf("a DeploymentRuntimeConfig and a ProviderConfig of that name are named, too")
	s.Delete("RuntimeConfig", "provider-aws-dax")
	s.Edit("cache", `{"spec":{"providerConfig":{"name":"cache-of-ours"}}}`)
	s.Is(4*time.Minute, "Claim", "cache", "Ready=True", "ProviderConfigReady=True")
	if got := fakes.String(s.Get("ProviderConfig", s.Namespace+"-cache"), "spec", "credentials", "source"); got != "None" {
		s.Errorf("the ProviderConfig of another owner was written: %s", got)
	}
	if s.Get("ProviderConfig", "cache-of-ours") == nil {
		s.Error("there is no ProviderConfig cache-of-ours")
	}
	s.Stepf("each way out works")
}
