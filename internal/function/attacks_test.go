package function

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/platform"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// An attack is an entry of testdata/attacks.yaml.
type attack struct {
	ID    string         `json:"id"`
	Stops string         `json:"stops"`
	Gains string         `json:"gains"`
	At    []string       `json:"at"`
	Spec  map[string]any `json:"spec"`
	// Kind is the kind of the composite resource, if it is not PodIdentityProvider.
	Kind string `json:"kind,omitempty"`
	// Claim is the claim's name, if it is not storage.
	Claim string `json:"claim,omitempty"`
	// Metadata and Status of the composite resource, where they differ from those that Crossplane derives from the claim.
	Metadata map[string]any `json:"metadata,omitempty"`
	Status   map[string]any `json:"status,omitempty"`
	// Input is the Input of the Composition that the claim selects. Rules come from the function's own configuration, if it has any.
	Input map[string]any `json:"input,omitempty"`
	// Observed holds observed composed resources by key.
	Observed map[string]map[string]any `json:"observed,omitempty"`
	// Admitted says why kubectl apply accepts an attack that the function refuses for every user. The conformance tests verify it.
	Admitted string `json:"admitted,omitempty"`
}

// TestAttacks checks that no claim gets anything beyond its own identity, without guardrails and with those of example/guardrails, and
// that no composite resource bypasses guardrails.
func TestAttacks(t *testing.T) {
	var attacks []attack
	if err := yaml.UnmarshalStrict(must(os.ReadFile("testdata/attacks.yaml")), &attacks); err != nil {
		t.Fatal(err)
	}
	if len(attacks) < 150 {
		t.Errorf("there are only %d attacks", len(attacks))
	}
	var open rules
	guarded := guardedRules(t)
	seen := map[string]bool{}
	for _, kind := range []string{v1alpha1.Kind, v1alpha1.TenantKind} {
		own := attack{ID: "own", Stops: "nothing", Kind: kind, Spec: map[string]any{}}
		for _, r := range []rules{open, guarded} {
			for _, claim := range []bool{true, false} {
				if rsp := own.file(t, r, claim); isFatal(rsp) || len(rsp.GetDesired().GetResources()) < 5 {
					t.Fatalf("a harmless request should be composed (%s, claim: %t): %v", kind, claim, rsp.GetResults())
				}
			}
		}
	}
	for _, a := range attacks {
		t.Run(a.ID, func(t *testing.T) {
			if (a.Stops == "nothing") != (len(a.At) == 0) || a.Gains == "" {
				t.Errorf("an attack should say its gain, and where it fails")
			}
			if seen[a.ID] {
				t.Errorf("another attack has the same name")
			}
			seen[a.ID] = true
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
				a.harmless(t, a.file(t, guarded, true), guarded.Guardrails)
				a.fails(t, guarded, false)
			case "nothing":
				rsp := a.file(t, open, true)
				if isFatal(rsp) {
					t.Errorf("it should be accepted: %v", rsp.GetResults())
				}
				a.harmless(t, rsp, nil)
				a.harmless(t, a.file(t, guarded, true), guarded.Guardrails)
			default:
				t.Errorf("unknown value of stops: %q", a.Stops)
			}
		})
	}
}

// plainInput returns the Input of the packaged Composition, with a preview of everything that would be composed.
func plainInput() map[string]any {
	return map[string]any{"preview": true, "defaults": map[string]any{"provider": map[string]any{"version": "v2.5.0"}}}
}

// rules are the rules for an attack, from the function's own configuration.
type rules struct {
	// Configuration is the function's configuration; nil if it has none.
	*view.Configuration
	// Guardrails are those of the configuration.
	*v1beta1.Guardrails
}

// guardedRules returns the rules of example/guardrails for all namespaces.
func guardedRules(t *testing.T) rules {
	t.Helper()
	doc := map[string]any{}
	if err := yaml.Unmarshal(must(os.ReadFile("example/guardrails/platform.yaml")), &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "namespaces")
	out := rules{Configuration: must(platform.Parse(must(yaml.Marshal(doc)))), Guardrails: &v1beta1.Guardrails{}}
	if err := yaml.Unmarshal(must(yaml.Marshal(doc["guardrails"])), out.Guardrails); err != nil {
		t.Fatal(err)
	}
	if len(out.DeniedActions) == 0 {
		t.Fatal("example/guardrails has no guardrails")
	}
	return out
}

// claimNamespace is the namespace of every claim in these tests.
const claimNamespace = "team-a"

func (a attack) tenant() bool { return a.Kind == v1alpha1.TenantKind }

func (a attack) claim() string { return cmp.Or(a.Claim, "storage") }

// file submits a claim, or a composite resource without a claim.
func (a attack) file(t *testing.T, r rules, claim bool) *fnv1.RunFunctionResponse {
	t.Helper()
	kind := cmp.Or(a.Kind, v1alpha1.Kind)
	spec := map[string]any{"tags": map[string]any{"team": "a"}, "services": []any{map[string]any{"name": "s3"}}}
	if a.tenant() {
		spec["providerRef"] = map[string]any{"name": "platform"}
	} else {
		spec["region"], spec["clusterName"] = "eu-west-1", "prod"
	}
	maps.Copy(spec, a.Spec)
	meta := map[string]any{"name": "storage-x7k2p", "uid": "u-1"}
	if claim {
		meta["labels"] = map[string]any{"crossplane.io/claim-name": a.claim(), "crossplane.io/claim-namespace": claimNamespace}
		spec["claimRef"] = map[string]any{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": kind + "Claim", "namespace": claimNamespace, "name": a.claim()}
	}
	maps.Copy(meta, a.Metadata)
	xr := map[string]any{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": kind, "metadata": meta, "spec": spec}
	if a.Status != nil {
		xr["status"] = a.Status
	}
	input := plainInput()
	maps.Copy(input, a.Input)
	w := &world{XR: mustStruct(t, xr), Input: mustStruct(t, input), Observed: map[string]*structpb.Struct{}, Platform: r.Configuration}
	for key, o := range a.Observed {
		w.Observed[key] = mustStruct(t, o)
	}
	for _, k := range simulatedKinds {
		w.Cluster = append(w.Cluster, crd(k.group, k.version, k.kind, k.plural))
	}
	w.Cluster = append(w.Cluster, crd("aws.podidentity.dev", "v1alpha1", v1alpha1.Kind, "podidentityproviders"), fromYAML(t, tenantsHost), fromYAML(t, closedHost))
	return w.reconcile(t, newTestFunction())
}

// There are two hosts: one for all namespaces, and one that is closed to team-a.
const (
	tenantsHost = `
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: platform}
spec: {region: eu-west-1, clusterName: prod, services: [{name: s3}, {name: sqs}], sharing: {}}
status:
  clusterName: prod
  region: eu-west-1
  services:
  - {name: s3, phase: Ready, serviceAccountName: provider-aws-s3, providerName: provider-aws-s3, providerRevision: r, roleArn: "arn:aws:iam::111122223333:role/crossplane-prod-eu-west-1-s3"}
  - {name: sqs, phase: Ready, serviceAccountName: provider-aws-sqs, providerName: provider-aws-sqs, providerRevision: r, roleArn: "arn:aws:iam::111122223333:role/crossplane-prod-eu-west-1-sqs"}
  sharing: {rolePath: /crossplane/prod/, namePrefix: crossplane, crossplaneNamespace: crossplane-system}
`
	closedHost = `
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: others}
spec: {region: eu-west-1, clusterName: prod, services: [{name: s3}], sharing: {namespaces: [team-b]}}
status:
  clusterName: prod
  region: eu-west-1
  services: [{name: s3, phase: Ready, serviceAccountName: provider-aws-s3, roleArn: "arn:aws:iam::111122223333:role/crossplane-prod-eu-west-1-s3"}]
  sharing: {rolePath: /crossplane/prod/, namePrefix: crossplane, crossplaneNamespace: crossplane-system, namespaces: [team-b]}
`
)

// fails checks that the attack is refused with the expected message, and that nothing is composed.
func (a attack) fails(t *testing.T, r rules, claim bool) {
	t.Helper()
	rsp := a.file(t, r, claim)
	which := fmt.Sprintf("claim: %t, guardrails: %t", claim, r.Configuration != nil)
	if !isFatal(rsp) {
		t.Errorf("%s: it should be refused, because it gains %q", which, a.Gains)
		return
	}
	if n := len(rsp.GetDesired().GetResources()); n > 0 {
		t.Errorf("%s: it is refused, but %d resources are composed", which, n)
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

// harmless checks that all composed resources belong to the claim's own identity, within the guardrails.
func (a attack) harmless(t *testing.T, rsp *fnv1.RunFunctionResponse, g *v1beta1.Guardrails) {
	t.Helper()
	if isFatal(rsp) {
		if n := len(rsp.GetDesired().GetResources()); n > 0 {
			t.Errorf("it is refused, but %d resources are composed", n)
		}
		return
	}
	for key, r := range rsp.GetDesired().GetResources() {
		foreign := a.foreign
		if a.tenant() {
			foreign = a.foreignOfTenant
		}
		for _, problem := range foreign(key, r.GetResource(), g) {
			t.Errorf("%s is not the claim's own: %s", key, problem)
		}
	}
}

// text returns a field of the spec, or the value that it has without the attack.
func (a attack) text(name, otherwise string) string {
	if s, ok := a.Spec[name].(string); ok {
		return s
	}
	return otherwise
}

// foreign returns the parts of a composed resource that go beyond the identity of claim team-a/storage.
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
	role := iam.Name(iam.MaxRoleName, "crossplane", cluster, a.text("region", "eu-west-1"), service)
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
		if text("metadata", "namespace") == claimNamespace && a.Observed[key] != nil {
			// It exists, but is no longer desired.
			is("PodIdentity", "spec", "credentials", "source")
			break
		}
		is("aws.upbound.io/v1beta1", "apiVersion")
		is(iam.Name(identity.MaxProviderConfigName, claimNamespace, a.claim()), "metadata", "name")
		is("PodIdentity", "spec", "credentials", "source")
		none("spec", "assumeRoleChain")
		none("metadata", "namespace")
	case "Usage":
	default:
		out = append(out, "a claim should not compose a "+kind)
	}
	for k := range at(o, "spec", "forProvider", "tags").GetStructValue().GetFields() {
		if f := strings.ToLower(k); strings.HasPrefix(f, "eks-") || strings.HasPrefix(f, "kubernetes-") || strings.HasPrefix(f, "crossplane-") || strings.HasPrefix(f, "aws:") {
			out = append(out, "it has tag "+k)
		}
	}
	if ref := text("spec", "providerConfigRef", "name"); ref != "" && ref != "default" {
		out = append(out, "it uses ProviderConfig "+ref)
	}
	return out
}

// foreignOfTenant returns the parts of a composed resource that go beyond the role of claim team-a/storage on the shared providers.
func (a attack) foreignOfTenant(key string, o *structpb.Struct, g *v1beta1.Guardrails) []string {
	var out []string
	text := func(path ...string) string { return at(o, path...).GetStringValue() }
	problemf := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	is := func(want string, path ...string) {
		if got := text(path...); got != want {
			problemf("%s is %q, not %q", strings.Join(path, "."), got, want)
		}
	}
	name, path := iam.Name(iam.MaxRoleName, "crossplane", "prod", "eu-west-1", claimNamespace, a.claim()), "/crossplane/prod/"+claimNamespace+"/"
	switch kind := text("kind"); kind {
	case "Role":
		is(name, "metadata", "annotations", "crossplane.io/external-name")
		is(path, "spec", "forProvider", "path")
		out = append(out, foreignTrust(text("spec", "forProvider", "assumeRolePolicy"))...)
		if g != nil {
			is(g.RequiredPermissionsBoundary, "spec", "forProvider", "permissionsBoundary")
		}
	case "Policy":
		if got := text("metadata", "annotations", "crossplane.io/external-name"); got != name && !strings.HasPrefix(got, name+".") {
			problemf("its name is %s", got)
		}
		is("", "spec", "forProvider", "path")
		d := must(iam.ParseDocument(text("spec", "forProvider", "policy")))
		for _, s := range d.Statement {
			accounts := s.Condition["StringEquals"]["aws:PrincipalTag/kubernetes-service-account"]
			if s.Effect == iam.Allow && (len(accounts) != 1 || accounts[0] != "provider-aws-s3" && accounts[0] != "provider-aws-sqs") {
				problemf("every provider of the host could use %v", s)
			}
		}
		if g != nil {
			for _, v := range iam.Denied(d.Statement, g.DeniedActions) {
				problemf("it allows %s", v.Value)
			}
		}
	case "RolePolicyAttachment":
		is(identity.ObjectName(name), "spec", "forProvider", "roleRef", "name")
		if arn := text("spec", "forProvider", "policyArn"); arn != "" && g != nil && !slices.ContainsFunc(g.AllowedManagedPolicyARNs, func(p string) bool { return iam.Match(p, arn) }) {
			problemf("it attaches %s", arn)
		}
	case "ProviderConfig":
		if ns := text("metadata", "namespace"); ns == "" {
			is(iam.Name(identity.MaxProviderConfigName, claimNamespace, a.claim()), "metadata", "name")
		} else if ns != claimNamespace || text("metadata", "name") != a.claim() {
			problemf("it is %s/%s", ns, text("metadata", "name"))
		}
		chain := at(o, "spec", "assumeRoleChain").GetListValue().GetValues()
		if len(chain) != 1 {
			problemf("it has %d hops", len(chain))
			break
		}
		hop := chain[0].GetStructValue()
		if arn := at(hop, "roleARN").GetStringValue(); arn != "" && arn != "arn:aws:iam::111122223333:role"+path+name || at(hop, "externalID").GetStringValue() != "podidentity/u-1" {
			problemf("it leads to %v", hop)
		}
	case "Usage":
	default:
		problemf("a tenant should not compose a %s", kind)
	}
	if ref := text("spec", "providerConfigRef", "name"); ref != "" && ref != "default" {
		problemf("it uses ProviderConfig %s", ref)
	}
	return out
}

// foreignTrust returns the parts of a trust policy that a tenant's role should not have.
func foreignTrust(policy string) []string {
	var out []string
	for _, want := range []string{`"sts:ExternalId":"podidentity/u-1"`, `"aws:PrincipalTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:111122223333:cluster/prod"`, `"aws:PrincipalTag/kubernetes-namespace":"crossplane-system"`} {
		if !strings.Contains(policy, want) {
			out = append(out, "its trust policy does not have "+want+": "+policy)
		}
	}
	if strings.Count(policy, `"Principal"`) != strings.Count(policy, `"Principal":{"AWS":"arn:aws:iam::111122223333:root"}`) || strings.Count(policy, `"Principal"`) != strings.Count(policy, `"ArnEquals":{"aws:PrincipalArn":`) {
		out = append(out, "it trusts another principal: "+policy)
	}
	if rest := strings.NewReplacer("arn:aws:iam::111122223333:role/crossplane-prod-eu-west-1-s3", "", "arn:aws:iam::111122223333:role/crossplane-prod-eu-west-1-sqs", "").Replace(policy); strings.Contains(rest, ":role/") {
		out = append(out, "it trusts another role: "+policy)
	}
	return out
}
