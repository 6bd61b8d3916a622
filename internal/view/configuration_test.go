package view

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
)

// claimed returns a composite resource that belongs to a claim in namespace team-a.
func claimed(fields string) string {
	return `{metadata: {name: x}, spec: {claimRef: {namespace: team-a, name: c}, services: [{name: s3}]` + fields + `}}`
}

// TestClaimsAreClosed checks which objects count as claims, and which lists allow fields to claims.
func TestClaimsAreClosed(t *testing.T) {
	const labels, teardown = `crossplane.io/claim-namespace: team-a, crossplane.io/claim-name: c`, `spec: {teardown: Unordered, services: [{name: s3}]}`
	refused := []string{"spec.teardown: FieldValueForbidden"}
	cases := map[string]struct {
		reason              string
		xr, platform, input string
		want                []string
	}{
		"XR":             {"Without a claim, every field is accepted.", `{metadata: {name: x}, ` + teardown + `}`, "", "", nil},
		"ClaimRef":       {"Crossplane references the claim.", claimed(", teardown: Unordered"), "", "", refused},
		"EmptyClaimRef":  {"An empty reference counts, too.", `{metadata: {name: x}, spec: {claimRef: {}, teardown: Unordered, services: [{name: s3}]}}`, "", "", refused},
		"NullClaimRef":   {"So does null.", `{metadata: {name: x}, spec: {claimRef: null, teardown: Unordered, services: [{name: s3}]}}`, "", "", refused},
		"Labels":         {"So do labels alone.", `{metadata: {name: x, labels: {` + labels + `}}, ` + teardown + `}`, "", "", refused},
		"OneLabel":       {"A single label is enough.", `{metadata: {name: x, labels: {crossplane.io/claim-namespace: team-a}}, ` + teardown + `}`, "", "", refused},
		"Composed":       {"A resource that another composite resource composes belongs to its Composition, regardless of the claim at the root.", `{metadata: {name: x, labels: {` + labels + `}, ownerReferences: [{kind: Platform, name: p, uid: u, controller: true}]}, ` + teardown + `}`, "", "", nil},
		"ForgedOwner":    {"A claim cannot bypass the check with an owner reference.", `{metadata: {name: x, ownerReferences: [{kind: Platform, name: p, uid: u, controller: true}]}, spec: {claimRef: {name: c, namespace: team-a}, teardown: Unordered, services: [{name: s3}]}}`, "", "", refused},
		"Defaults":       {"Defaults do not come from the claim.", claimed(""), "defaults: {crossplaneNamespace: upbound-system}", "defaults: {teardown: Unordered}", nil},
		"Input":          {"Without a configuration of the function, the Input allows fields.", claimed(", teardown: Unordered"), "", "claims: {allowedFields: [teardown]}", nil},
		"Platform":       {"The function's own configuration allows fields.", claimed(", teardown: Unordered"), "claims: {allowedFields: [teardown]}", "", nil},
		"PlatformSilent": {"An Input, which a claim may select, allows no fields beyond those of the function's own configuration.", claimed(", teardown: Unordered"), "ttl: 5m", "claims: {allowedFields: ['*']}", refused},
		"PlatformOther":  {"The same applies if that configuration allows other fields.", claimed(", teardown: Unordered"), "claims: {allowedFields: [tags]}", "claims: {allowedFields: ['*']}", refused},
		"Narrowed":       {"An Input narrows the fields that the function's own configuration allows.", claimed(", teardown: Unordered"), "claims: {allowedFields: ['*']}", "claims: {}", refused},
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

// TestProviderVersion checks which version of the providers counts. The version in the packaged Composition must not override defaults.
func TestProviderVersion(t *testing.T) {
	const xr, own = `{metadata: {name: x}, spec: {services: [{name: s3}]}}`, `{metadata: {name: x}, spec: {provider: {version: v1.0.0}, services: [{name: s3}]}}`
	cases := map[string]struct {
		reason              string
		xr, platform, input string
		want                string
	}{
		"None":             {"No version is guessed.", xr, "", "", ""},
		"Composition":      {"The Composition has a version.", xr, "", "providerVersion: v2.0.0", "v2.0.0"},
		"Platform":         {"So may the function's own configuration.", xr, "providerVersion: v3.0.0", "", "v3.0.0"},
		"Both":             {"The Composition's version takes precedence, like everything in an Input.", xr, "providerVersion: v3.0.0", "providerVersion: v2.0.0", "v2.0.0"},
		"PlatformDefaults": {"Defaults in the function's own configuration override it.", xr, "defaults: {provider: {version: v3.0.0}}", "providerVersion: v2.0.0", "v3.0.0"},
		"InputDefaults":    {"Defaults in the Input override both.", xr, "defaults: {provider: {version: v3.0.0}}", "{providerVersion: v2.0.0, defaults: {provider: {version: v4.0.0}}}", "v4.0.0"},
		"OtherDefaults":    {"Defaults without a version keep it.", xr, "defaults: {provider: {registry: r}}", "providerVersion: v2.0.0", "v2.0.0"},
		"Own":              {"The object's version takes precedence over all.", own, "defaults: {provider: {version: v3.0.0}}", "providerVersion: v2.0.0", "v1.0.0"},
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

// TestLayers checks which defaults take precedence, and which guardrails apply.
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
		"Input":         {"Without a configuration of the function, the Input applies.", claimed(""), "", input, result{Ref: "input", Tags: map[string]string{"c": "input"}, AllowedRegions: []string{"input", "all claims"}}},
		"Namespace":     {"Entries that match override the general defaults, and later ones override earlier ones; all guardrails apply.", claimed(""), platform, "", result{Region: "general", AccountID: "second", Cluster: "general", Tags: map[string]string{"a": "general", "b": "first"}, AllowedRegions: []string{"general", "first"}}},
		"Both":          {"The Input overrides the function's own configuration, and its guardrails apply, too.", claimed(""), platform, input, result{Region: "general", AccountID: "second", Ref: "input", Tags: map[string]string{"a": "general", "b": "first", "c": "input"}, AllowedRegions: []string{"general", "first", "input", "all claims"}}},
		"Claim":         {"The claim overrides all defaults.", claimed(", clusterName: mine, tags: {b: mine}"), platform, input, result{Region: "general", AccountID: "second", Cluster: "mine", Tags: map[string]string{"a": "general", "b": "mine", "c": "input"}, AllowedRegions: []string{"general", "first", "input", "all claims"}}},
		"XR":            {"No namespace matches a composite resource without a claim.", `{metadata: {name: x}, spec: {services: [{name: s3}]}}`, platform, input, result{Region: "general", AccountID: "general", Ref: "input", Tags: map[string]string{"a": "general", "b": "general", "c": "input"}, AllowedRegions: []string{"general", "input"}}},
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

// TestEffectiveInput checks that the function's own configuration applies to fields that the Input does not set.
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
		"Unknown":    {"An unknown field is reported with the nearest one.", "{guardrail: {}, claims: {allowedField: []}, namespaces: [{match: [a], guardrails: {alowedServices: []}}]}", []string{"claims.allowedField: Invalid value: unknown field; did you mean allowedFields?", "guardrail: Invalid value: unknown field; did you mean guardrails?", "namespaces[0].guardrails.alowedServices: Invalid value: unknown field; did you mean allowedServices?"}},
		"NoMatch":    {"An entry needs namespaces.", "namespaces: [{match: []}, {defaults: {}}]", []string{"namespaces[0].match: Required value: list the namespaces", "namespaces[1].match: Required value"}},
		"Match":      {"A pattern must be able to match a namespace.", "namespaces: [{match: [team-a, Team, '', 'a,b']}]", []string{"namespaces[0].match[1]: Invalid value: \"Team\": must be a namespace", "namespaces[0].match[2]", "namespaces[0].match[3]"}},
		"Fields":     {"An unknown path is reported.", "claims: {allowedFields: [runtime.envs]}", []string{"claims.allowedFields[0]: Invalid value: \"runtime.envs\": is not a field of the spec", "did you mean runtime.env"}},
		"Guardrails": {"Guardrails are checked in every place.", "namespaces: [{match: [a], guardrails: {deniedActions: [nonsense]}}]", []string{"namespaces[0].guardrails.deniedActions[0]"}},
		"Accounts":   {"A pattern must be able to match a ServiceAccount.", "guardrails: {allowedServiceAccounts: ['A'], protectedServiceAccounts: ['a/b']}", []string{"guardrails.allowedServiceAccounts[0]: Invalid value: \"A\": must be a ServiceAccount", "guardrails.protectedServiceAccounts[0]"}},
		"Types":      {"Defaults have types.", "namespaces: [{match: [a], defaults: {region: 5}}]", []string{"namespaces[0].defaults.region: Invalid value: 5: must be a string"}},
		"Large":      {"Sizes are limited.", "{namespaces: [{match: [" + strings.Repeat("x", 64<<10) + "], defaults: {tags: {a: " + strings.Repeat("x", 64<<10) + "}}}], claims: {allowedFields: [" + strings.Repeat("x", 64<<10) + "]}}", []string{"namespaces[0].defaults.tags: Too long", "namespaces[0].match: Too long", "claims: Too long"}},
		"Many":       {"The number of entries is limited.", "namespaces: [" + strings.Repeat("{match: [a]}, ", 201) + "]", []string{"namespaces: Too many: 201: must have at most 200 items"}},
		"NoList":     {"A list is required.", "namespaces: {match: [a]}", []string{"namespaces: Invalid value: {\"match\":[\"a\"]}: must be a list"}},
		"NoObject":   {"An object is required.", "namespaces: [a]", []string{"namespaces[0]: Invalid value: \"a\": must be an object"}},
		"Null":       {"An entry must not be null.", "namespaces: [null]", []string{"namespaces[0].match: Required value"}},
		"Preview":    {"On a cluster, nothing would be composed anymore.", "preview: true", []string{"preview: Forbidden: is for the Input of a Composition"}},
		"Kind":       {"Another kind is refused.", "{apiVersion: v1, kind: ConfigMap}", []string{"apiVersion: Unsupported value", "kind: Unsupported value"}},
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

// TestPlatformHash checks that the same content has the same hash in any notation.
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
		t.Errorf("want another hash for different content, got %s", a)
	}
	if len(a) != len("sha256:")+64 {
		t.Errorf("want a hash, got %q", a)
	}
	v, _ := From(newRequest(t, minimal, ""), &Configuration{Hash: a, input: &v1beta1.Input{}}, now())
	if v.Platform != a {
		t.Errorf("View.Platform: want the hash, got %q", v.Platform)
	}
}
