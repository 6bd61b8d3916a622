package e2e

import (
	"fmt"
	"strings"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// badTemplate: the template of one of two services has an unknown field.
func badTemplate(s *Scenario) {
	s.file("two", "[{name: lambda}, {name: firehose, runtime: {deploymentTemplate: {spec: {selector: {}, template: {spec: {nodeselector: {a: b}}}}}}}]")
	const path = "spec.services[1].runtime.deploymentTemplate.spec.template.spec.nodeselector"
	s.phase("two", "lambda", "Ready")
	s.phase("two", "firehose", "Failed", path)
	claim := s.Is(time.Minute, "Claim", "two", "Synced=True", "Ready=False", "PrerequisitesReady=False/InvalidSpec")
	message := fmt.Sprint(fakes.Condition(claim, "PrerequisitesReady")["message"])
	if !strings.Contains(message, path) || !strings.Contains(message, "did you mean nodeSelector?") {
		s.Errorf("the claim does not say what is wrong: %s", message)
	}
	for kind, name := range map[string]string{"RuntimeConfig": "provider-aws-firehose", "Provider": "provider-aws-firehose"} {
		if s.Get(kind, name) != nil {
			s.Errorf("there is a %s %s", kind, name)
		}
	}
	s.Stepf("one service is ready, and the claim reports the other: %s", message)
	s.Edit("two", `{"spec":{"services":[{"name":"lambda"},{"name":"firehose","runtime":{"deploymentTemplate":{"spec":{"selector":{},"template":{"spec":{"nodeSelector":{"a":"b"}}}}}}}]}}`)
	s.Is(4*time.Minute, "Claim", "two", "Ready=True", "Synced=True")
	pods := s.Pods("provider-aws-firehose")
	if len(pods) != 1 || pods[0].Spec.NodeSelector["a"] != "b" {
		s.Errorf("the provider does not run with the template: %d pods", len(pods))
	}
	s.Stepf("the template is corrected, and both are ready")
}
