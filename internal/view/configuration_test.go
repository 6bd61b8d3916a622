package view

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
)

// claimed is the spec of a composite resource that a claim in namespace team-a made.
func claimed(fields string) string {
	return `{metadata: {name: x}, spec: {claimRef: {namespace: team-a, name: c}, services: [{name: s3}]` + fields + `}}`
}

// TestClaimsAreClosed: who is taken for a claim, and what opens fields to it.
func TestClaimsAreClosed(t *testing.T) {
	const labels, teardown = `crossplane.io/claim-namespace: team-a, crossplane.io/claim-name: c`, `spec: {teardown: Unordered, services: [{name: s3}]}`
	refused := []string{"spec.teardown: FieldValueForbidden"}
	cases := map[string]struct {
		reason              string
		xr, platform, input string
		want                []string
	}{
		"XR":             {"Without a claim everything is taken.", `{metadata: {name: x}, ` + teardown + `}`, "", "", nil},
		"ClaimRef":       {"Crossplane refers to the claim.", claimed(", teardown: Unordered"), "", "", refused},
		"EmptyClaimRef":  {"However little of it is left.", `{metadata: {name: x}, spec: {claimRef: {}, teardown: Unordered, services: [{name: s3}]}}`, "", "", refused},
		"NullClaimRef":   {"However little of it is left.", `{metadata: {name: x}, spec: {claimRef: null, teardown: Unordered, services: [{name: s3}]}}`, "", "", refused},
		"Labels":         {"Or only labels it.", `{metadata: {name: x, labels: {` + labels + `}}, ` + teardown + `}`, "", "", refused},
		"OneLabel":       {"One of them is enough.", `{metadata: {name: x, labels: {crossplane.io/claim-namespace: team-a}}, ` + teardown + `}`, "", "", refused},
		"Composed":       {"What another composite resource composes is its Composition's, whatever claim is at the root.", `{metadata: {name: x, labels: {` + labels + `}, ownerReferences: [{kind: Platform, name: p, uid: u, controller: true}]}, ` + teardown + `}`, "", "", nil},
		"ForgedOwner":    {"An owner is no way out for a claim.", `{metadata: {name: x, ownerReferences: [{kind: Platform, name: p, uid: u, controller: true}]}, spec: {claimRef: {name: c, namespace: team-a}, teardown: Unordered, services: [{name: s3}]}}`, "", "", refused},
		"Defaults":       {"Defaults are not the claim's.", claimed(""), "defaults: {crossplaneNamespace: upbound-system}", "defaults: {teardown: Unordered}", nil},
		"Input":          {"Without a configuration of the function the Input opens fields.", claimed(", teardown: Unordered"), "", "claims: {allowedFields: [teardown]}", nil},
		"Platform":       {"The function's own configuration opens fields.", claimed(", teardown: Unordered"), "claims: {allowedFields: [teardown]}", "", nil},
		"PlatformSilent": {"An Input, which a claim may choose, opens nothing that the function's own configuration does not.", claimed(", teardown: Unordered"), "ttl: 5m", "claims: {allowedFields: ['*']}", refused},
		"PlatformOther":  {"An Input opens nothing that the function's own configuration does not.", claimed(", teardown: Unordered"), "claims: {allowedFields: [tags]}", "claims: {allowedFields: ['*']}", refused},
		"Narrowed":       {"An Input narrows what the function's own configuration opens.", claimed(", teardown: Unordered"), "claims: {allowedFields: ['*']}", "claims: {}", refused},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var platform *Configuration
			if tc.platform != "" {
				platform = configuration(t, tc.platform)
			}
			_, errs := From(newRequest(t, tc.xr, tc.input), platform, now())
			if diff := cmp.Diff(tc.want, paths(errs)); diff != "" {
				t.Errorf("%s\nFrom(...): -want errors, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestProviderVersion: whose version of providers counts. That of the Composition that comes with the API must not stand above defaults.
func TestProviderVersion(t *testing.T) {
	const xr, own = `{metadata: {name: x}, spec: {services: [{name: s3}]}}`, `{metadata: {name: x}, spec: {provider: {version: v1.0.0}, services: [{name: s3}]}}`
	cases := map[string]struct {
		reason              string
		xr, platform, input string
		want                string
	}{
		"Nobody":           {"Nobody guesses one.", xr, "", "", ""},
		"Composition":      {"The Composition has one.", xr, "", "providerVersion: v2.0.0", "v2.0.0"},
		"Platform":         {"So may the function's own configuration.", xr, "providerVersion: v3.0.0", "", "v3.0.0"},
		"Both":             {"The Composition's counts more, as everything of an Input does.", xr, "providerVersion: v3.0.0", "providerVersion: v2.0.0", "v2.0.0"},
		"PlatformDefaults": {"Defaults of the function's own configuration go over it.", xr, "defaults: {provider: {version: v3.0.0}}", "providerVersion: v2.0.0", "v3.0.0"},
		"InputDefaults":    {"So do those of the Input, which go over the former, too.", xr, "defaults: {provider: {version: v3.0.0}}", "{providerVersion: v2.0.0, defaults: {provider: {version: v4.0.0}}}", "v4.0.0"},
		"OtherDefaults":    {"Defaults that say nothing of it leave it.", xr, "defaults: {provider: {registry: r}}", "providerVersion: v2.0.0", "v2.0.0"},
		"Own":              {"The object decides.", own, "defaults: {provider: {version: v3.0.0}}", "providerVersion: v2.0.0", "v1.0.0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var platform *Configuration
			if tc.platform != "" {
				platform = configuration(t, tc.platform)
			}
			v, errs := From(newRequest(t, tc.xr, tc.input), platform, now())
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			got := ""
			if p := v.Spec.Provider; p != nil {
				got = p.Version
			}
			if got != tc.want {
				t.Errorf("%s\nFrom(...): want version %q, got %q", tc.reason, tc.want, got)
			}
		})
	}
}

// TestLayers: whose defaults win, and whose guardrails hold.
func TestLayers(t *testing.T) {
	const (
		platform = `{defaults: {region: general, accountId: general, tags: {a: general, b: general}, clusterName: general}, guardrails: {allowedRegions: [general]},
			namespaces: [
			  {match: [team-a, x], defaults: {accountId: first, tags: {b: first}}, guardrails: {allowedRegions: [first]}},
			  {match: ["team-?"], defaults: {accountId: second}},
			  {match: [team-b], defaults: {accountId: other}, guardrails: {allowedRegions: [other]}}]}`
		input = `{defaults: {clusterNameRef: {name: input}, tags: {c: input}}, guardrails: {allowedRegions: [input]}, namespaces: [{match: ["*"], guardrails: {allowedRegions: [all claims]}}]}`
	)
	type result struct {
		Region, AccountID, Cluster, Ref string
		Tags                            map[string]string
		AllowedRegions                  []string
	}
	cases := map[string]struct {
		reason, xr, platform, input string
		want                        result
	}{
		"None":          {"Nothing is set.", claimed(""), "", "", result{}},
		"Input":         {"Without a configuration of the function the Input holds.", claimed(""), "", input, result{Ref: "input", Tags: map[string]string{"c": "input"}, AllowedRegions: []string{"input", "all claims"}}},
		"Namespace":     {"Entries that match go over what is general, later ones over earlier ones; all guardrails hold.", claimed(""), platform, "", result{Region: "general", AccountID: "second", Cluster: "general", Tags: map[string]string{"a": "general", "b": "first"}, AllowedRegions: []string{"general", "first"}}},
		"Both":          {"The Input goes over the function's own configuration, and its guardrails hold too.", claimed(""), platform, input, result{Region: "general", AccountID: "second", Ref: "input", Tags: map[string]string{"a": "general", "b": "first", "c": "input"}, AllowedRegions: []string{"general", "first", "input", "all claims"}}},
		"Claim":         {"The claim goes over all.", claimed(", clusterName: mine, tags: {b: mine}"), platform, input, result{Region: "general", AccountID: "second", Cluster: "mine", Tags: map[string]string{"a": "general", "b": "mine", "c": "input"}, AllowedRegions: []string{"general", "first", "input", "all claims"}}},
		"XR":            {"No namespace matches what no claim made.", `{metadata: {name: x}, spec: {services: [{name: s3}]}}`, platform, input, result{Region: "general", AccountID: "general", Ref: "input", Tags: map[string]string{"a": "general", "b": "general", "c": "input"}, AllowedRegions: []string{"general", "input"}}},
		"NamespaceCase": {"A namespace is matched as a whole.", `{metadata: {name: x}, spec: {claimRef: {namespace: team-ab, name: c}, services: [{name: s3}]}}`, platform, "", result{Region: "general", AccountID: "general", Cluster: "general", Tags: map[string]string{"a": "general", "b": "general"}, AllowedRegions: []string{"general"}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var c *Configuration
			if tc.platform != "" {
				c = configuration(t, tc.platform)
			}
			v, errs := From(newRequest(t, tc.xr, tc.input), c, now())
			if len(errs) > 0 {
				t.Fatalf("From(...): %v", errs.ToAggregate())
			}
			got := result{Region: v.Spec.Region, AccountID: v.Spec.AccountID, Cluster: v.Spec.ClusterName, Tags: v.Spec.Tags}
			if v.Spec.ClusterNameRef != nil {
				got.Ref = v.Spec.ClusterNameRef.Name
			}
			for _, g := range v.Guardrails {
				got.AllowedRegions = append(got.AllowedRegions, g.AllowedRegions...)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestEffectiveInput: where the Input says nothing, the function's own configuration decides.
func TestEffectiveInput(t *testing.T) {
	platform := configuration(t, "{prerequisites: Assume, usageKind: ClusterUsage, ttl: 10m}")
	for input, want := range map[string]v1beta1.Input{
		"":                        {Prerequisites: "Assume", UsageKind: "ClusterUsage"},
		"{prerequisites: Verify}": {Prerequisites: "Verify", UsageKind: "ClusterUsage"},
		"{preview: true}":         {Prerequisites: "Assume", UsageKind: "ClusterUsage", Preview: true},
	} {
		v, errs := From(newRequest(t, minimal, input), platform, now())
		if len(errs) > 0 {
			t.Fatalf("From(...): %v", errs.ToAggregate())
		}
		if got := v.SteadyTTL(); got != 10*time.Minute {
			t.Errorf("SteadyTTL() with Input %q: want that of the configuration, got %v", input, got)
		}
		v.Input.TTL = nil
		if diff := cmp.Diff(&want, v.Input); diff != "" {
			t.Errorf("Input %q: -want, +got:\n%s", input, diff)
		}
	}
}

func TestConfigurationErrors(t *testing.T) {
	cases := map[string]struct {
		reason, doc string
		want        []string
	}{
		"Unknown":    {"A field that there is not, with the nearest.", "{guardrail: {}, claims: {allowedField: []}, namespaces: [{match: [a], guardrails: {alowedServices: []}}]}", []string{"claims.allowedField: Invalid value: unknown field; did you mean allowedFields?", "guardrail: Invalid value: unknown field; did you mean guardrails?", "namespaces[0].guardrails.alowedServices: Invalid value: unknown field; did you mean allowedServices?"}},
		"NoMatch":    {"An entry for nobody.", "namespaces: [{match: []}, {defaults: {}}]", []string{"namespaces[0].match: Required value: list the namespaces", "namespaces[1].match: Required value"}},
		"Match":      {"A pattern that no namespace matches.", "namespaces: [{match: [team-a, Team, '', 'a,b']}]", []string{"namespaces[0].match[1]: Invalid value: \"Team\": must be a namespace", "namespaces[0].match[2]", "namespaces[0].match[3]"}},
		"Fields":     {"A path that there is not.", "claims: {allowedFields: [runtime.envs]}", []string{"claims.allowedFields[0]: Invalid value: \"runtime.envs\": is not a field of the spec", "did you mean runtime.env"}},
		"Guardrails": {"Guardrails are checked wherever they stand.", "namespaces: [{match: [a], guardrails: {deniedActions: [nonsense]}}]", []string{"namespaces[0].guardrails.deniedActions[0]"}},
		"Accounts":   {"A pattern that no ServiceAccount matches.", "guardrails: {allowedServiceAccounts: ['A'], protectedServiceAccounts: ['a/b']}", []string{"guardrails.allowedServiceAccounts[0]: Invalid value: \"A\": must be a ServiceAccount", "guardrails.protectedServiceAccounts[0]"}},
		"Types":      {"Defaults have types.", "namespaces: [{match: [a], defaults: {region: 5}}]", []string{"namespaces[0].defaults.region: Invalid value: 5: must be a string"}},
		"Large":      {"There are limits.", "{namespaces: [{match: [" + strings.Repeat("x", 64<<10) + "], defaults: {tags: {a: " + strings.Repeat("x", 64<<10) + "}}}], claims: {allowedFields: [" + strings.Repeat("x", 64<<10) + "]}}", []string{"namespaces[0].defaults.tags: Too long", "namespaces[0].match: Too long", "claims: Too long"}},
		"Many":       {"There are limits.", "namespaces: [" + strings.Repeat("{match: [a]}, ", 201) + "]", []string{"namespaces: Too many: 201: must have at most 200 items"}},
		"NoList":     {"What is no list.", "namespaces: {match: [a]}", []string{"namespaces: Invalid value: {\"match\":[\"a\"]}: must be a list"}},
		"NoObject":   {"What is no object.", "namespaces: [a]", []string{"namespaces[0]: Invalid value: \"a\": must be an object"}},
		"Null":       {"What is nothing is no entry.", "namespaces: [null]", []string{"namespaces[0].match: Required value"}},
		"Preview":    {"On a cluster nothing would be composed any more.", "preview: true", []string{"preview: Forbidden: is for the Input of a Composition"}},
		"Kind":       {"Another kind.", "{apiVersion: v1, kind: ConfigMap}", []string{"apiVersion: Unsupported value", "kind: Unsupported value"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, errs := ParsePlatform(object(t, tc.doc))
			if len(errs) == 0 {
				t.Fatalf("%s\nParsePlatform(...): want errors", tc.reason)
			}
			got := errs.ToAggregate().Error()
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s\nParsePlatform(...): want %q in:\n%s", tc.reason, want, got)
				}
			}
		})
	}
}

// TestPlatformHash: the same content has the same hash, however it is written.
func TestPlatformHash(t *testing.T) {
	hash := func(doc string) string {
		t.Helper()
		c, errs := ParsePlatform(object(t, doc))
		if len(errs) > 0 {
			t.Fatal(errs.ToAggregate())
		}
		return c.Hash
	}
	a := hash("{ttl: 5m, defaults: {region: x}}")
	if b := hash("# A comment.\ndefaults: {\"region\": \"x\"}\nttl: 5m\n"); a != b {
		t.Errorf("want the same hash, got %s and %s", a, b)
	}
	if b := hash("{ttl: 6m, defaults: {region: x}}"); a == b {
		t.Errorf("want another hash for other content, got %s", a)
	}
	if len(a) != len("sha256:")+64 {
		t.Errorf("want a hash, got %q", a)
	}
	v, _ := From(newRequest(t, minimal, ""), &Configuration{Hash: a, input: &v1beta1.Input{}}, now())
	if v.Platform != a {
		t.Errorf("View.Platform: want the hash, got %q", v.Platform)
	}
}
