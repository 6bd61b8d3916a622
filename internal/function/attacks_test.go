package function

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

// An attack of testdata/attacks.yaml.
type attack struct {
	ID    string         `json:"id"`
	Stops string         `json:"stops"`
	Gains string         `json:"gains"`
	At    []string       `json:"at"`
	Spec  map[string]any `json:"spec"`
}

// TestAttacks: no claim gets anything beyond its own identity, with no guardrail at all and with those of example/guardrails, and no
// composite resource gets around guardrails.
func TestAttacks(t *testing.T) {
	var attacks []attack
	if err := yaml.UnmarshalStrict(must(os.ReadFile("testdata/attacks.yaml")), &attacks); err != nil {
		t.Fatal(err)
	}
	if len(attacks) < 150 {
		t.Errorf("there are only %d attacks", len(attacks))
	}
	open, guarded := plainInput(), guardedInput(t)
	own := attack{ID: "own", Stops: "nothing", Spec: map[string]any{}}
	for _, input := range []map[string]any{open, guarded} {
		for _, claim := range []bool{true, false} {
			if rsp := own.file(t, input, claim); isFatal(rsp) || len(rsp.GetDesired().GetResources()) < 6 {
				t.Fatalf("what nobody objects to should be composed (claim: %t): %v", claim, rsp.GetResults())
			}
		}
	}
	for _, a := range attacks {
		t.Run(a.ID, func(t *testing.T) {
			if (a.Stops == "nothing") != (len(a.At) == 0) || a.Gains == "" {
				t.Errorf("the attack should say what it gains, and where it fails")
			}
			rules := rulesOf(t, guarded)
			switch a.Stops {
			case "claim":
				a.fails(t, open, true)
				a.fails(t, guarded, true)
			case "everybody":
				a.fails(t, open, true)
				a.fails(t, guarded, true)
				a.fails(t, open, false)
			case "everybody-xr":
				a.fails(t, open, false)
				a.harmless(t, a.file(t, open, true), nil)
			case "guardrails":
				a.harmless(t, a.file(t, open, true), nil)
				a.fails(t, guarded, true)
				a.fails(t, guarded, false)
			case "guardrails-xr":
				a.harmless(t, a.file(t, open, true), nil)
				a.harmless(t, a.file(t, guarded, true), rules)
				a.fails(t, guarded, false)
			case "nothing":
				rsp := a.file(t, open, true)
				if isFatal(rsp) {
					t.Errorf("it should be taken: %v", rsp.GetResults())
				}
				a.harmless(t, rsp, nil)
				a.harmless(t, a.file(t, guarded, true), rules)
			default:
				t.Errorf("nobody knows what %q stops", a.Stops)
			}
		})
	}
}

// plainInput has what the Composition has that comes with the API, and shows everything that would ever be composed.
func plainInput() map[string]any {
	return map[string]any{"preview": true, "defaults": map[string]any{"provider": map[string]any{"version": "v2.5.0"}}}
}

// guardedInput has the defaults and guardrails of example/guardrails.
func guardedInput(t *testing.T) map[string]any {
	t.Helper()
	out := plainInput()
	found := false
	for _, file := range []string{"example/guardrails/platform.yaml"} {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		doc := map[string]any{}
		if err := yaml.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		if defaults, ok := doc["defaults"].(map[string]any); ok {
			maps.Copy(defaults, out["defaults"].(map[string]any)) //nolint:forcetypeassert // plainInput has some. What the Composition has goes over it.
			out["defaults"] = defaults
		}
		if doc["guardrails"] != nil {
			out["guardrails"], found = doc["guardrails"], true
		}
	}
	if !found {
		t.Fatal("example/guardrails has no guardrails")
	}
	return out
}

func rulesOf(t *testing.T, input map[string]any) *v1beta1.Guardrails {
	t.Helper()
	g := &v1beta1.Guardrails{}
	if err := yaml.Unmarshal(must(yaml.Marshal(input["guardrails"])), g); err != nil {
		t.Fatal(err)
	}
	return g
}

// file a claim, or make a composite resource.
func (a attack) file(t *testing.T, input map[string]any, claim bool) *fnv1.RunFunctionResponse {
	t.Helper()
	spec := map[string]any{"region": "eu-west-1", "clusterName": "prod", "tags": map[string]any{"team": "a"}, "services": []any{map[string]any{"name": "s3"}}}
	maps.Copy(spec, a.Spec)
	meta := map[string]any{"name": "storage-x7k2p"}
	if claim {
		meta["labels"] = map[string]any{"crossplane.io/claim-name": "storage", "crossplane.io/claim-namespace": "team-a"}
		spec["claimRef"] = map[string]any{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityProviderClaim", "namespace": "team-a", "name": "storage"}
	}
	w := &world{
		XR:    mustStruct(t, map[string]any{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityProvider", "metadata": meta, "spec": spec}),
		Input: mustStruct(t, input), Observed: map[string]*structpb.Struct{},
	}
	for _, k := range simulatedKinds {
		w.Cluster = append(w.Cluster, crd(k.group, k.version, k.kind, k.plural))
	}
	return w.reconcile(t, newTestFunction())
}

// fails says that the attack should be refused where it says, and nothing be composed.
func (a attack) fails(t *testing.T, input map[string]any, claim bool) {
	t.Helper()
	rsp := a.file(t, input, claim)
	which := fmt.Sprintf("claim: %t, guardrails: %t", claim, input["guardrails"] != nil)
	if !isFatal(rsp) {
		t.Errorf("%s: it should be refused, as it gains %q", which, a.Gains)
		return
	}
	if n := len(rsp.GetDesired().GetResources()); n > 0 {
		t.Errorf("%s: it is refused, and %d resources are composed all the same", which, n)
	}
	message := rsp.GetResults()[len(rsp.GetResults())-1].GetMessage()
	for _, at := range a.At {
		if !strings.Contains(message, at) {
			t.Errorf("%s: the error does not say %q: %s", which, at, message)
		}
	}
	if strings.Contains(message, "internal error") {
		t.Errorf("%s: it panicked: %s", which, message)
	}
}

// harmless says that whatever is composed is the claim's own identity, within the guardrails.
func (a attack) harmless(t *testing.T, rsp *fnv1.RunFunctionResponse, g *v1beta1.Guardrails) {
	t.Helper()
	if isFatal(rsp) {
		if n := len(rsp.GetDesired().GetResources()); n > 0 {
			t.Errorf("it is refused, and %d resources are composed all the same", n)
		}
		return
	}
	for key, r := range rsp.GetDesired().GetResources() {
		for _, problem := range a.foreign(key, r.GetResource(), g) {
			t.Errorf("%s is not the claim's own: %s", key, problem)
		}
	}
}

// text of a field of the spec, or what it is without the attack.
func (a attack) text(name, otherwise string) string {
	if s, ok := a.Spec[name].(string); ok {
		return s
	}
	return otherwise
}

// foreign finds what is beyond the identity of claim team-a/storage in a composed resource.
func (a attack) foreign(key string, o *structpb.Struct, g *v1beta1.Guardrails) []string {
	var out []string
	_, service, _ := strings.Cut(key, "/")
	service, _, _ = strings.Cut(service, "/")
	service, _, _ = strings.Cut(service, ".")
	text := func(path ...string) string { return at(o, path...).GetStringValue() }
	is := func(want string, path ...string) {
		if got := text(path...); got != want {
			out = append(out, fmt.Sprintf("%s is %q, not %q", strings.Join(path, "."), got, want))
		}
	}
	none := func(path ...string) {
		if v := at(o, path...); v != nil {
			out = append(out, fmt.Sprintf("%s is %v", strings.Join(path, "."), v.AsInterface()))
		}
	}
	account := "provider-aws-" + service
	cluster := a.text("clusterName", "prod")
	role := "crossplane-" + cluster + "-" + a.text("region", "eu-west-1") + "-" + service
	switch kind := o.GetFields()["kind"].GetStringValue(); kind {
	case "Role":
		is(role, "metadata", "annotations", "crossplane.io/external-name")
		none("spec", "forProvider", "path")
		none("spec", "forProvider", "inlinePolicy")
		none("spec", "forProvider", "managedPolicyArns")
		trust := text("spec", "forProvider", "assumeRolePolicy")
		for _, want := range []string{`"Principal":{"Service":"pods.eks.amazonaws.com"}`, `"aws:RequestTag/kubernetes-namespace":"crossplane-system"`, `"aws:RequestTag/kubernetes-service-account":"` + account + `"`, `"aws:RequestTag/eks-cluster-name":"` + cluster + `"`} {
			if !strings.Contains(trust, want) {
				out = append(out, "its trust policy does not have "+want+": "+trust)
			}
		}
		if strings.Count(trust, "Principal") != 1 || strings.Count(trust, `"Effect"`) != 1 {
			out = append(out, "its trust policy has more than one statement: "+trust)
		}
		if g != nil {
			is(g.RequiredPermissionsBoundary, "spec", "forProvider", "permissionsBoundary")
			for _, k := range g.RequiredTags {
				if strings.TrimSpace(text("spec", "forProvider", "tags", k)) == "" {
					out = append(out, "it has no tag "+k)
				}
			}
		}
	case "Policy":
		if name := text("metadata", "annotations", "crossplane.io/external-name"); name != "" && name != role && !strings.HasPrefix(name, role+".") {
			out = append(out, "its name is "+name)
		}
		d, err := iam.ParseDocument(text("spec", "forProvider", "policy"))
		if err != nil {
			out = append(out, err.Error())
		}
		if g != nil {
			for _, v := range iam.Denied(d.Statement, g.DeniedActions) {
				out = append(out, "it allows "+v.Value)
			}
		}
	case "RolePolicyAttachment":
		is(identity.ObjectName(role), "spec", "forProvider", "roleRef", "name")
		if arn := text("spec", "forProvider", "policyArn"); arn != "" && g != nil && !slices.ContainsFunc(g.AllowedManagedPolicyARNs, func(p string) bool { return iam.Match(p, arn) }) {
			out = append(out, "it attaches "+arn)
		}
	case "PodIdentityAssociation":
		is(account, "spec", "forProvider", "serviceAccount")
		is("crossplane-system", "spec", "forProvider", "namespace")
		is(cluster, "spec", "forProvider", "clusterName")
		is(identity.ObjectName(role), "spec", "forProvider", "roleArnRef", "name")
		none("spec", "forProvider", "roleArn")
		none("spec", "forProvider", "targetRoleArn")
		none("metadata", "annotations", "crossplane.io/external-name")
	case "DeploymentRuntimeConfig":
		is(account, "spec", "serviceAccountTemplate", "metadata", "name")
		none("spec", "serviceAccountTemplate", "metadata", "annotations")
		pod := []string{"spec", "deploymentTemplate", "spec", "template", "spec"}
		for _, f := range []string{"volumes", "hostNetwork", "initContainers", "serviceAccountName", "tolerations", "priorityClassName", "nodeSelector", "affinity"} {
			none(append(pod, f)...)
		}
		for _, c := range at(o, append(pod, "containers")...).GetListValue().GetValues() {
			for f := range c.GetStructValue().GetFields() {
				if f != "name" && f != "resources" {
					out = append(out, "its container has "+f)
				}
			}
		}
		for k := range at(o, "spec", "deploymentTemplate", "spec", "template", "metadata", "annotations").GetStructValue().GetFields() {
			if !strings.HasPrefix(k, "aws.podidentity.dev/") {
				out = append(out, "its pods have annotation "+k)
			}
		}
	case "Provider":
		is("xpkg.upbound.io/upbound/provider-aws-"+service+":v2.5.0", "spec", "package")
		is(account, "metadata", "name")
		is(account, "spec", "runtimeConfigRef", "name")
		for _, f := range []string{"packagePullSecrets", "packagePullPolicy", "skipDependencyResolution", "ignoreCrossplaneConstraints", "commonLabels", "revisionActivationPolicy"} {
			none("spec", f)
		}
	case "ProviderConfig":
		is("aws.upbound.io/v1beta1", "apiVersion")
		is("team-a-storage", "metadata", "name")
		is("PodIdentity", "spec", "credentials", "source")
		none("spec", "assumeRoleChain")
		none("metadata", "namespace")
	case "Usage":
	default:
		out = append(out, "no claim composes a "+kind)
	}
	for k := range at(o, "spec", "forProvider", "tags").GetStructValue().GetFields() {
		if f := strings.ToLower(k); strings.HasPrefix(f, "eks-") || strings.HasPrefix(f, "kubernetes-") || strings.HasPrefix(f, "crossplane-") || strings.HasPrefix(f, "aws:") {
			out = append(out, "it has tag "+k)
		}
	}
	if ref := text("spec", "providerConfigRef", "name"); ref != "" && ref != "default" {
		out = append(out, "it is made with ProviderConfig "+ref)
	}
	return out
}
