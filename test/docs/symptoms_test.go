package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSymptoms: users search for the message that they see. Each message below is one that stopped a user. It must be on the page that
// users search, and it must be the current message of the function, or of a provider in a test.
func TestSymptoms(t *testing.T) {
	page := read(t, "docs/troubleshooting.md")
	cases := map[string]struct {
		reason string
		// symptom as on the page, and the file that it comes from.
		symptom, source string
	}{
		"UnknownField":       {"A template has an unknown field.", "unknown field (did you mean", "internal/runtimeconfig/testdata/templates.yaml"},
		"FieldElsewhere":     {"A template has a field in the wrong place.", "unknown field here: it belongs to", "internal/runtimeconfig/testdata/templates.yaml"},
		"PastedDeployment":   {"A template is a whole Deployment.", "a template is a part of", "internal/runtimeconfig/check.go"},
		"ContainerName":      {"A container of a template has no name.", "containers[0].name: Required value", "internal/runtimeconfig/testdata/templates.yaml"},
		"NewerField":         {"A runtime has a field that this Crossplane lacks.", "the Crossplane that runs does not have this field", "internal/runtimeconfig/check.go"},
		"ReservedAnnotation": {"A template sets the pod's identity.", "EKS uses it to decide", "internal/identity/validate_runtime.go"},
		"ImageConfig":        {"An ImageConfig sets the DeploymentRuntimeConfig.", "makes it run with DeploymentRuntimeConfig", "internal/resources/06_running.go"},
		"ImageConfigGone":    {"An ImageConfig no longer applies, but Crossplane did not notice.", "still runs with the settings of ImageConfig", "internal/resources/06_running.go"},
		"Paused":             {"Something is paused.", "is paused", "internal/resources/06_running.go"},
		"NotActive":          {"A package revision waits for its activation.", "is not active", "internal/resources/readiness.go"},
		"NoReplicas":         {"A provider does not run at all.", "stops the provider, because runtime.replicas is 0", "internal/resources/05_runtimeconfig.go"},
		"LongName":           {"A ProviderConfig's name is not a valid label.", "no managed resource can use it", "internal/plan/conditions.go"},
		"OtherRegistry":      {"The family is from another registry.", "is the family of another registry", "internal/resources/06_source.go"},
		"OtherVersion":       {"The family has another version.", "has another version than", "internal/resources/06_source.go"},
		"OtherMajor":         {"The family has another major version.", "is of another major version", "internal/resources/06_source.go"},
		"FamilyDigest":       {"The family is installed by digest.", "is installed by a digest", "internal/resources/06_source.go"},
		"Monolith":           {"One package has all kinds.", "has the kinds of all AWS services", "internal/resources/06_source.go"},
		"StaysAtVersion":     {"A provider keeps its version, because the new one does not match the other packages.", "and does not change to", "internal/resources/06_source.go"},
		"StaysAtPackage":     {"A provider does not change its package while it is in use.", "stays at package", "internal/resources/ownership.go"},
		"OneDigest":          {"A digest is set for several packages.", "a digest is one package", "internal/identity/packages.go"},
		"Partition":          {"An ARN is of another partition.", "but the region is in", "internal/iam/arn.go"},
		"TrustOfService":     {"A trust condition has a key that no request has.", "EKS calls as a service, which has no", "internal/iam/trust.go"},
		"ProviderTag":        {"A tag has a key that the provider sets.", "is a key that provider-aws sets itself", "internal/identity/validate_aws.go"},
		"SessionTag":         {"A tag has a key of EKS's session tags.", "is a key of EKS's session tags", "internal/identity/validate_aws.go"},
		"TransitiveTag":      {"A transitive key is not the key of a tag.", "must be the key of one of the tags beside it", "internal/identity/validate_aws.go"},
		"SharedAccount":      {"All services share one ServiceAccount.", "EKS gives a ServiceAccount one association, and so one role", "internal/identity/validate_service.go"},
		"OtherCredentials":   {"Other credentials take precedence.", "comes before the credentials of EKS Pod Identity", "internal/identity/notes.go"},
		"AutoMode":           {"A cluster has the agent already.", "the cluster runs in EKS Auto Mode", "internal/plan/conditions.go"},
		"Drift":              {"AWS differs from the spec.", "being changed: AWS has", "internal/resources/drift.go"},
		"TargetStays":        {"A target role is not removed.", "an association keeps its target", "internal/resources/04_association.go"},
		"RoleExisted":        {"Another owner's role has the name.", "a role of this name existed before", "example/import/04-role-existed/expected.yaml"},
		"PolicyExisted":      {"Another owner's policy has the name.", "a policy of this name", "internal/resources/02_policy.go"},
		"RoleTwice":          {"Two managed resources are for one role.", "in AWS, too", "internal/resources/ownership.go"},
		"AssociationExists":  {"The ServiceAccount already has an association.", "Association already exists", "internal/resources/hints.go"},
		"ArgoCD":             {"A GitOps tool owns the conflicting object.", "Argo CD application", "internal/resources/ownership.go"},
		"KeptDefault":        {"The default of an immutable field was changed.", "existing resources keep", "internal/identity/made.go"},
		"NoCredentials":      {"Pods have no credentials.", "its pods have no credentials", "example/verify-credentials/05-in-vain/expected.yaml"},
		"Unreadable":         {"A guardrail cannot read a policy.", "the function cannot read what", "internal/guardrails/permissions.go"},
		"ClosedField":        {"A claim sets a closed field.", "a claim cannot set this field", "internal/claims/claims.go"},
		"GuardrailLater":     {"A guardrail is newer than the object that breaks it.", "guardrails that came later do not apply to them", "internal/function/response.go"},
		"RealRegistry":       {"A registry does not serve this version to anonymous users.", "UNAUTHORIZED", "internal/resources/hints.go"},
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

// read returns a file of the repository as one line.
func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(b)), " ")
}
