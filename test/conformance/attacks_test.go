package conformance

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/crd"
)

// TestAttacksAtAdmission checks that an API server already refuses every spec that the function always refuses, as far as a schema can
// express the rule. Each other attack, and docs/claims.md, says why a schema cannot.
func TestAttacksAtAdmission(t *testing.T) {
	root := repository(t)
	var attacks []struct {
		ID, Stops, Kind, Admitted string
		Spec                      map[string]any
		Input                     map[string]any
		Observed                  map[string]any
	}
	b, err := os.ReadFile(filepath.Join(root, "testdata/attacks.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(b, &attacks); err != nil {
		t.Fatal(err)
	}
	xr, claim := readXRD(t)
	tenant, tenantClaim := readDefinition(t, tenantDefinition)
	c := checker(t, "our XRDs", xr, claim, tenant, tenantClaim)
	reasons := map[string]bool{}
	for _, a := range attacks {
		if !strings.HasPrefix(a.Stops, "everybody") {
			if a.Admitted != "" {
				t.Errorf("%s: only an attack that is always refused has a reason for its admission", a.ID)
			}
			continue
		}
		if a.Input != nil || a.Observed != nil {
			// The mistake is not in the spec.
			continue
		}
		t.Run(a.ID, func(t *testing.T) {
			spec := map[string]any{"region": "eu-west-1", "clusterName": "prod"}
			kind := "PodIdentityProvider"
			if a.Kind == "PodIdentityTenant" {
				spec, kind = map[string]any{"providerRef": map[string]any{"name": "platform"}}, a.Kind
			}
			maps.Copy(spec, map[string]any{"tags": map[string]any{"team": "a"}, "services": []any{map[string]any{"name": "s3"}}})
			maps.Copy(spec, a.Spec)
			// A null field is a missing field.
			maps.DeleteFunc(spec, func(_ string, v any) bool { return v == nil })
			meta := map[string]any{"name": "storage"}
			if a.Stops == "everybody" {
				kind += "Claim"
				meta["namespace"] = "team-a"
			}
			u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": kind, "metadata": meta, "spec": spec}}
			refused := crd.Sorted(c.Check(t.Context(), u))
			if a.Admitted != "" {
				reasons[a.Admitted] = true
			}
			if (refused == "") != (a.Admitted != "") {
				t.Errorf("kubectl apply refuses it with %q, but the attack says that it is admitted because of %q", refused, a.Admitted)
			}
		})
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/claims.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range slices.Sorted(maps.Keys(reasons)) {
		if !strings.Contains(string(page), "\n| "+r+" |") {
			t.Errorf("docs/claims.md does not say that kubectl apply cannot check %q", r)
		}
	}
}
