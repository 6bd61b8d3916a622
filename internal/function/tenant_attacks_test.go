package function

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// A tenantAttack is an entry of testdata/attacks-tenants.yaml.
type tenantAttack struct {
	attack

	// Claim is the claim of the attack; nil for team-a/storage.
	Claim *struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"claim"`
	// Rules is false if the guardrails refuse the attack before the host can.
	Rules *bool `json:"rules"`
}

// TestTenantAttacks checks that no claim for a tenant gets anything beyond its own role and ProviderConfigs. Only the host's providers
// can use these, and no service can use the permissions of another.
func TestTenantAttacks(t *testing.T) {
	var attacks []tenantAttack
	if err := yaml.UnmarshalStrict(must(os.ReadFile("testdata/attacks-tenants.yaml")), &attacks); err != nil {
		t.Fatal(err)
	}
	if len(attacks) < 60 {
		t.Errorf("there are only %d attacks", len(attacks))
	}
	open, guarded := tenantInput(plainInput()), tenantInput(guardedInput(t))
	rules := guardedRules(t).Guardrails
	for _, input := range []map[string]any{open, guarded} {
		rsp := tenantAttack{attack: attack{Spec: map[string]any{}}}.file(t, input)
		if isFatal(rsp) || len(rsp.GetDesired().GetResources()) < 3 {
			t.Fatalf("a harmless request should be composed: %v", rsp.GetResults())
		}
	}
	for _, a := range attacks {
		t.Run(a.ID, func(t *testing.T) {
			if (a.Stops == "nothing") != (len(a.At) == 0) || a.Gains == "" {
				t.Errorf("an attack should say its gain, and where it fails")
			}
			switch a.Stops {
			case "claim", "everybody":
				a.refused(t, a.file(t, open))
				a.refused(t, a.file(t, guarded))
			case "guardrails":
				a.owns(t, a.file(t, open), nil)
				a.refused(t, a.file(t, guarded))
			case "host":
				a.waits(t, a.file(t, open))
				if a.Rules == nil {
					a.waits(t, a.file(t, guarded))
				}
			case "nothing":
				for _, input := range []map[string]any{open, guarded} {
					rsp := a.file(t, input)
					if isFatal(rsp) {
						t.Errorf("it should be accepted: %v", rsp.GetResults())
					}
				}
				a.owns(t, a.file(t, open), nil)
				a.owns(t, a.file(t, guarded), rules)
			default:
				t.Errorf("unknown value of stops: %q", a.Stops)
			}
		})
	}
}

// guardedInput returns the defaults and guardrails of example/guardrails as the Input of a Composition.
func guardedInput(t *testing.T) map[string]any {
	t.Helper()
	doc := map[string]any{}
	if err := yaml.Unmarshal(must(os.ReadFile("example/guardrails/platform.yaml")), &doc); err != nil {
		t.Fatal(err)
	}
	if doc["defaults"] == nil || doc["guardrails"] == nil {
		t.Fatal("example/guardrails has no guardrails")
	}
	return map[string]any{"defaults": doc["defaults"], "guardrails": doc["guardrails"]}
}

// tenantInput returns an Input without a preview, so that gates apply.
func tenantInput(input map[string]any) map[string]any {
	out := maps.Clone(input)
	delete(out, "preview")
	if g, ok := out["guardrails"].(map[string]any); ok {
		// A tenant has no region and cluster of its own: they are the host's.
		g = maps.Clone(g)
		delete(g, "allowedRegions")
		delete(g, "allowedClusters")
		out["guardrails"] = g
		out["defaults"] = map[string]any{"role": map[string]any{"permissionsBoundary": g["requiredPermissionsBoundary"]}, "tags": map[string]any{"team": "a"}}
	}
	return out
}

// names returns the namespace and the name of the claim.
func (a tenantAttack) names() (namespace, name string) {
	if a.Claim != nil {
		return a.Claim.Namespace, a.Claim.Name
	}
	return "team-a", "storage"
}

// file submits the claim. Its role becomes ready once it is composed, so that all dependent resources follow.
func (a tenantAttack) file(t *testing.T, input map[string]any) *fnv1.RunFunctionResponse {
	t.Helper()
	ns, name := a.names()
	spec := map[string]any{"providerRef": map[string]any{"name": "platform"}, "services": []any{map[string]any{"name": "s3"}}}
	maps.Copy(spec, a.Spec)
	spec["claimRef"] = map[string]any{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityTenantClaim", "namespace": ns, "name": name}
	s := randomTenant(t, 0)
	s.XR = mustStruct(t, map[string]any{
		"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityTenant", "spec": spec,
		"metadata": map[string]any{"name": "storage-x", "uid": "an-uid", "labels": map[string]any{"crossplane.io/claim-name": name, "crossplane.io/claim-namespace": ns}},
	})
	s.Input = mustStruct(t, input)
	s.Meta = generations["v2.2 and later"]
	s.calm(t)
	s.setHost(t, strings.Replace(hostStatus, "rolePath: ", `namespaces: ["team-*"], rolePath: `, 1))
	fn := newTestFunction()
	s.now = fn.now().Add(-time.Hour)
	for range 4 {
		rsp := s.reconcile(t, fn)
		for key, r := range rsp.GetDesired().GetResources() {
			if s.Observed[key] == nil {
				s.Observed[key] = r.GetResource()
				s.become(key, "True", "True")
			}
		}
	}
	return s.reconcile(t, fn)
}

// refused checks that the attack is refused with the expected message, and that nothing is composed.
func (a tenantAttack) refused(t *testing.T, rsp *fnv1.RunFunctionResponse) {
	t.Helper()
	if !isFatal(rsp) {
		t.Errorf("it should be refused, because it gains %q", a.Gains)
		return
	}
	if n := len(rsp.GetDesired().GetResources()); n > 0 {
		t.Errorf("it is refused, but %d resources are composed", n)
	}
	message := rsp.GetResults()[len(rsp.GetResults())-1].GetMessage()
	for _, at := range a.At {
		if !strings.Contains(message, at) {
			t.Errorf("the error does not say %q: %s", at, message)
		}
	}
	if strings.Contains(message, "internal error") {
		t.Errorf("it panicked: %s", message)
	}
}

// waits checks that the host does not admit the tenant: nothing is composed, and a condition says why.
func (a tenantAttack) waits(t *testing.T, rsp *fnv1.RunFunctionResponse) {
	t.Helper()
	if n := len(rsp.GetDesired().GetResources()); isFatal(rsp) || n > 0 {
		t.Errorf("it should wait, but %d resources are composed: %v", n, rsp.GetResults())
	}
	for _, at := range a.At {
		if !slices.ContainsFunc(rsp.GetConditions(), func(c *fnv1.Condition) bool { return strings.Contains(c.GetMessage(), at) }) {
			t.Errorf("no condition says %q: %v", at, rsp.GetConditions())
		}
	}
}

// owns checks that all composed resources are the team's own, within the guardrails.
func (a tenantAttack) owns(t *testing.T, rsp *fnv1.RunFunctionResponse, g *v1beta1.Guardrails) {
	t.Helper()
	for key, r := range rsp.GetDesired().GetResources() {
		for _, problem := range a.foreign(r.GetResource(), g) {
			t.Errorf("%s is not the team's own: %s", key, problem)
		}
	}
}

// foreign returns the parts of a composed resource that go beyond the identity of a tenant.
func (a tenantAttack) foreign(o *structpb.Struct, g *v1beta1.Guardrails) []string {
	var out []string
	text := func(path ...string) string { return at(o, path...).GetStringValue() }
	has := func(got, want string) {
		if !strings.Contains(got, want) {
			out = append(out, fmt.Sprintf("%q is not in %s", want, got))
		}
	}
	ns, name := a.names()
	external := text("metadata", "annotations", "crossplane.io/external-name")
	switch kind := text("kind"); kind {
	case "Role":
		has(external, "crossplane-prod-eu-west-1-"+ns)
		if got, want := text("spec", "forProvider", "path"), "/crossplane/prod/"+ns+"/"; got != want {
			out = append(out, fmt.Sprintf("its path is %s, not %s", got, want))
		}
		trust := text("spec", "forProvider", "assumeRolePolicy")
		for _, want := range []string{
			`"Principal":{"AWS":"arn:aws:iam::111122223333:root"}`, `"aws:PrincipalArn":"arn:aws:iam::111122223333:role/host-`, `"sts:ExternalId":"podidentity/an-uid"`,
			`"aws:PrincipalTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:111122223333:cluster/prod"`, `"aws:PrincipalTag/kubernetes-namespace":"crossplane-system"`,
		} {
			has(trust, want)
		}
		if strings.Count(trust, `"Effect"`) != 2 || strings.Count(trust, "aws:PrincipalArn") != 2 {
			out = append(out, "its trust policy has other statements: "+trust)
		}
		if g != nil && text("spec", "forProvider", "permissionsBoundary") != g.RequiredPermissionsBoundary {
			out = append(out, "it does not have the boundary")
		}
	case "Policy":
		has(external, "crossplane-prod-eu-west-1-"+ns)
		d, err := iam.ParseDocument(text("spec", "forProvider", "policy"))
		if err != nil {
			return append(out, err.Error())
		}
		for _, s := range d.Statement {
			if got := s.Condition["StringEquals"]["aws:PrincipalTag/kubernetes-service-account"]; len(got) != 1 || !strings.HasPrefix(got[0], "provider-aws-") {
				out = append(out, fmt.Sprintf("a statement is not for one service: %v", s))
			}
		}
		if g != nil {
			for _, v := range iam.Denied(d.Statement, g.DeniedActions) {
				out = append(out, "it allows "+v.Value)
			}
		}
	case "RolePolicyAttachment":
		has(text("spec", "forProvider", "roleRef", "name"), "crossplane-prod-eu-west-1-"+ns)
	case "ProviderConfig":
		hops := at(o, "spec", "assumeRoleChain").GetListValue().GetValues()
		if len(hops) != 1 || !strings.HasPrefix(at(hops[0].GetStructValue(), "roleARN").GetStringValue(), "arn:aws:iam::111122223333:role/crossplane/prod/"+ns+"/") ||
			at(hops[0].GetStructValue(), "externalID").GetStringValue() != "podidentity/an-uid" {
			out = append(out, fmt.Sprintf("it leads to %v", hops))
		}
		if in := text("metadata", "namespace"); in != "" && (in != ns || text("metadata", "name") != name) || in == "" && !strings.HasPrefix(text("metadata", "name"), ns) {
			out = append(out, "it is "+in+"/"+text("metadata", "name"))
		}
	case "Usage":
	default:
		out = append(out, "a claim should not compose a "+kind)
	}
	if ref := text("spec", "providerConfigRef", "name"); ref != "" && ref != "default" {
		out = append(out, "it uses ProviderConfig "+ref)
	}
	return out
}
