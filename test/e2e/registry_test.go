package e2e

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/packages"
)

// otherRegistry moves a cluster with a claim and a queue from one registry to the other, as docs/upgrade.md says.
func otherRegistry(s *Scenario) {
	s.Install()
	s.file("queues", "[{name: sqs}]")
	s.Is(4*time.Minute, "Claim", "queues", "Ready=True", "TeardownProtected=True")
	queue := sqsQueue("jobs")
	s.use(s.Namespace+"-queues", queue)
	s.Stepf("the claim is ready, and a queue uses it")
	s.settle("queues")
	stop := s.guard("queues")
	uids := s.UIDs("queues")
	jobs, err := s.used(queue)
	if err != nil {
		s.Fatal(err)
	}

	move := func(provider, service string) {
		s.Helper()
		s.patch("Provider", provider, `{"spec":{"package":"`+packages.Contrib+"/"+service+`:$VERSION"}}`)
	}
	move("upbound-provider-family-aws", "provider-family-aws")
	s.at("upbound-provider-family-aws", packages.Contrib)
	s.Stepf("the family has moved")
	for _, service := range []string{"provider-aws-iam", "provider-aws-eks"} {
		move("upbound-"+service, service)
		s.at("upbound-"+service, packages.Contrib)
	}
	s.Is(2*time.Minute, "Provider", "upbound-provider-family-aws", "Installed=True", "Healthy=True")
	s.Stepf("the providers of the bootstrap have moved")
	if got := fakes.String(s.Get("Provider", "provider-aws-sqs"), "spec", "package"); !strings.HasPrefix(got, packages.Upbound) {
		s.Errorf("the service moved before it was asked to: %s", got)
	}

	s.Edit("queues", `{"spec":{"provider":{"registry":"`+packages.Contrib+`"}}}`)
	s.at("provider-aws-sqs", packages.Contrib)
	s.Is(3*time.Minute, "Claim", "queues", "Ready=True", "Synced=True", "ProvidersReady=True", "TeardownProtected=True")
	if got := s.Service(s.Get("Claim", "queues"), "sqs")["package"]; !strings.HasPrefix(fmt.Sprint(got), packages.Contrib) {
		s.Errorf("the claim says that its package is %v", got)
	}
	s.settle("queues")
	stop()
	s.Same("UIDs", uids, s.UIDs("queues"))
	if now, err := s.used(queue); err != nil || now == nil || now.GetUID() != jobs.GetUID() {
		s.Errorf("the queue was deleted, and maybe created again: %v, %v", now, err)
	}
	if calls := s.AWS.Calls("Delete"); len(calls) > 0 {
		s.Errorf("AWS should have got no call to delete anything, got %v", calls)
	}
	all := s.list(kinds["Provider"])
	if len(all) != 4 {
		s.Errorf("there should be four Providers, got %d: %v", len(all), names(all))
	}
	s.HasCredentials(s.Pods("provider-aws-sqs")[0])
	s.Stepf("the service has moved, and everything is as it was: nothing was deleted or created again")
}

// at waits until a Provider runs a package of a registry.
func (s *Scenario) at(provider, registry string) {
	s.Helper()
	s.Until(3*time.Minute, provider+" runs a package of "+registry, func() error {
		o := s.Get("Provider", provider)
		if got := fakes.String(o, "status", "currentIdentifier"); !strings.HasPrefix(got, registry) {
			return fmt.Errorf("it runs %s:\n%s", got, conditions(o))
		}
		return nil
	})
	s.Is(3*time.Minute, "Provider", provider, "Installed=True", "Healthy=True")
}

func names(os []unstructured.Unstructured) []string {
	out := make([]string, 0, len(os))
	for i := range os {
		out = append(out, os[i].GetName())
	}
	return out
}

// dependency of a team's Configuration on the provider of a service. Crossplane finds the composed Provider by its package, not by its
// name. A Provider that Crossplane installs for the Configuration has another owner.
func dependency(s *Scenario) {
	s.file("shares", "[{name: ram}]")
	s.Is(4*time.Minute, "Claim", "shares", "Ready=True")
	before := s.settle("shares")
	s.depend("shares", "ram")
	s.Same("the claim", before, s.settle("shares"))
	if got := s.providersOf("ram"); len(got) != 1 || got[0] != "provider-aws-ram" {
		s.Errorf("the Providers of provider-aws-ram are %v", got)
	}
	s.Stepf("a Configuration that depends on a composed Provider finds it, and changes nothing")

	s.depend("flows", "swf")
	if got := s.providersOf("swf"); len(got) != 1 || got[0] != "upbound-provider-aws-swf" {
		s.Errorf("the Providers of provider-aws-swf are %v", got)
	}
	s.file("flows", "[{name: swf}]")
	s.phase("flows", "swf", "Conflict", "upbound-provider-aws-swf")
	s.Stepf("a Configuration that comes first installs its own Provider, and the claim says so: %v", s.Service(s.Get("Claim", "flows"), "swf")["message"])
	if got := s.providersOf("swf"); len(got) != 1 {
		s.Errorf("the Providers of provider-aws-swf are %v", got)
	}
}

// depend installs a team's Configuration that depends on the provider of a service.
func (s *Scenario) depend(name, service string) {
	s.Helper()
	pkg := packages.Contrib + "/configuration-" + name + ":v1.0.0"
	if err := s.registry.PushConfiguration(s.ctx, pkg, packages.Upbound+"/provider-aws-"+service, s.version.olderProvider); err != nil {
		s.Fatal(err)
	}
	s.Apply("{apiVersion: pkg.crossplane.io/v1, kind: Configuration, metadata: {name: team-" + name + "}, spec: {package: \"" + pkg + "\"}}")
	s.Is(3*time.Minute, "Configuration", "team-"+name, "Installed=True", "Healthy=True")
}

// providersOf are the names of the Providers of a service's package.
func (s *Scenario) providersOf(service string) []string {
	s.Helper()
	var out []string
	for _, o := range s.list(kinds["Provider"]) {
		if strings.Contains(fakes.String(&o, "spec", "package"), "/provider-aws-"+service+":") {
			out = append(out, o.GetName())
		}
	}
	return out
}
