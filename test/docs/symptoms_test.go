package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSymptoms: people look for what they see. Each message below is one that somebody was stuck with. It must be in the page that they
// look into, and it must be what the product says today, or a provider in a test.
func TestSymptoms(t *testing.T) {
	page := read(t, "docs/troubleshooting.md")
	cases := map[string]struct {
		reason string
		// symptom as the page has it, and where it comes from.
		symptom, source string
	}{
		"UnknownField":       {"A template has a field that nothing has.", "unknown field (did you mean", "internal/runtimeconfig/testdata/templates.yaml"},
		"FieldElsewhere":     {"A template has it in the wrong place.", "unknown field here: it belongs to", "internal/runtimeconfig/testdata/templates.yaml"},
		"PastedDeployment":   {"A template is a whole Deployment.", "a template is a part of", "internal/runtimeconfig/check.go"},
		"ContainerName":      {"A container of a template has no name.", "containers[0].name: Required value", "internal/runtimeconfig/testdata/templates.yaml"},
		"NewerField":         {"A runtime has a field that this Crossplane lacks.", "the Crossplane that runs does not have this field", "internal/runtimeconfig/check.go"},
		"ReservedAnnotation": {"A template decides on the pod's identity.", "EKS decides by it", "internal/identity/validate_runtime.go"},
		"ImageConfig":        {"An ImageConfig decides what runs.", "makes it run with DeploymentRuntimeConfig", "internal/resources/06_running.go"},
		"ImageConfigGone":    {"An ImageConfig decides nothing any more, and Crossplane did not notice.", "still runs with what ImageConfig", "internal/resources/06_running.go"},
		"Paused":             {"Something is paused.", "is paused", "internal/resources/06_running.go"},
		"NotActive":          {"A package revision waits for somebody.", "is not active", "internal/resources/readiness.go"},
		"NoReplicas":         {"A provider does not run at all.", "stops the provider, because runtime.replicas is 0", "internal/resources/05_runtimeconfig.go"},
		"LongName":           {"A ProviderConfig's name is no label.", "no managed resource can use it", "internal/plan/conditions.go"},
		"OtherRegistry":      {"The family is of another registry.", "is the family of another registry", "internal/resources/06_source.go"},
		"OtherVersion":       {"The family is of another version.", "has another version than", "internal/resources/06_source.go"},
		"OtherMajor":         {"The family is of another major version.", "is of another major version", "internal/resources/06_source.go"},
		"FamilyDigest":       {"The family is installed by a digest.", "is installed by a digest", "internal/resources/06_source.go"},
		"Monolith":           {"One package has all kinds.", "has the kinds of all AWS services", "internal/resources/06_source.go"},
		"StaysAtVersion":     {"A provider does not move, because something does not fit.", "and does not change to", "internal/resources/06_source.go"},
		"StaysAtPackage":     {"A provider does not change its package, because there are users.", "stays at package", "internal/resources/ownership.go"},
		"OneDigest":          {"A digest is for several packages.", "a digest is one package", "internal/identity/packages.go"},
		"Partition":          {"An ARN is of another partition.", "but the region is in", "internal/iam/arn.go"},
		"TrustOfService":     {"A trust condition is one that no request has.", "EKS calls as a service, which has no", "internal/iam/trust.go"},
		"ProviderTag":        {"A tag is one that the provider writes.", "is a key that provider-aws sets itself", "internal/identity/validate_aws.go"},
		"SessionTag":         {"A tag is one of EKS's.", "is a key of EKS's session tags", "internal/identity/validate_aws.go"},
		"TransitiveTag":      {"A key that is passed on is no tag.", "must be the key of one of the tags beside it", "internal/identity/validate_aws.go"},
		"SharedAccount":      {"All services have one ServiceAccount.", "EKS gives a ServiceAccount one association, and so one role", "internal/identity/validate_service.go"},
		"OtherCredentials":   {"Credentials of another kind come first.", "comes before the credentials of EKS Pod Identity", "internal/identity/notes.go"},
		"AutoMode":           {"A cluster has the agent already.", "the cluster runs in EKS Auto Mode", "internal/plan/conditions.go"},
		"Drift":              {"AWS has something else than the spec.", "being changed: AWS has", "internal/resources/drift.go"},
		"TargetStays":        {"A target role does not leave.", "an association keeps its target", "internal/resources/04_association.go"},
		"RoleExisted":        {"A role of somebody else has the name.", "a role of this name existed before", "example/import/04-role-existed/expected.yaml"},
		"PolicyExisted":      {"A policy of somebody else has the name.", "a policy of this name", "internal/resources/02_policy.go"},
		"RoleTwice":          {"Two managed resources are for one role.", "in AWS, too", "internal/resources/ownership.go"},
		"AssociationExists":  {"The ServiceAccount has an association.", "Association already exists", "internal/resources/hints.go"},
		"ArgoCD":             {"A GitOps tool has what is in the way.", "Argo CD application", "internal/resources/ownership.go"},
		"KeptDefault":        {"A default of something that cannot change was changed.", "what exists was made with", "internal/identity/made.go"},
		"NoCredentials":      {"Pods have no credentials.", "its pods have no credentials", "example/verify-credentials/05-in-vain/expected.yaml"},
		"Unreadable":         {"A guardrail cannot tell what is in a policy.", "the function cannot read what", "internal/guardrails/guardrails.go"},
		"ClosedField":        {"A claim sets what it may not.", "a claim cannot set this field", "internal/claims/claims.go"},
		"GuardrailLater":     {"A guardrail came after what it is about.", "guardrails that came later do not apply to them", "internal/function/response.go"},
		"RealRegistry":       {"A registry has no such version for everybody.", "UNAUTHORIZED", "internal/resources/hints.go"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, at := range []struct{ what, text string }{{"the page", page}, {tc.source, read(t, tc.source)}} {
				if !strings.Contains(at.text, tc.symptom) {
					t.Errorf("%s\n%s does not have %q", tc.reason, at.what, tc.symptom)
				}
			}
		})
	}
}

// read a file of the repository, in one line.
func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(b)), " ")
}
