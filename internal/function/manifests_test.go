package function

import (
	"os"
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
)

// TestRecommendedStart checks that the recommended configuration accepts a claim that names only a service that it allows for the claim's
// namespace.
func TestRecommendedStart(t *testing.T) {
	const file = "example/guardrails/platform.yaml"
	in := &v1beta1.Input{}
	if err := yaml.UnmarshalStrict(must(os.ReadFile(file)), in); err != nil {
		t.Fatal(err)
	}
	if len(in.Namespaces) == 0 {
		t.Fatalf("%s has no rules for namespaces", file)
	}
	for _, entry := range in.Namespaces {
		for _, service := range entry.Guardrails.AllowedServices {
			w := loadStep(t, "example/guardrails/01-allowed")
			w.Observed = nil
			claim := map[string]any{"namespace": entry.Match[0], "name": "x"}
			w.XR.Fields["spec"] = must(structpb.NewValue(map[string]any{"claimRef": claim, "services": []any{map[string]any{"name": service}}}))
			for _, r := range w.reconcile(t, newTestFunction()).GetResults() {
				if r.GetSeverity() == fnv1.Severity_SEVERITY_FATAL {
					t.Errorf("service %s of namespace %s: %s", service, entry.Match[0], r.GetMessage())
				}
			}
		}
	}
}
