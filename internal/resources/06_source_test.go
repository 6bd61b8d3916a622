package resources

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// providers returns a list of Providers from pairs of name and package.
func providers(pairs ...string) string {
	out := "["
	for i := 0; i < len(pairs); i += 2 {
		out += `{kind: Provider, metadata: {name: ` + pairs[i] + `}, spec: {package: "` + pairs[i+1] + `"}}, `
	}
	return out + "]"
}

// TestProviderFits checks which packages prevent another from being installed or changed.
func TestProviderFits(t *testing.T) {
	const (
		contrib   = `provider: {registry: xpkg.crossplane.io/crossplane-contrib}`
		upbound   = "xpkg.upbound.io/upbound/provider-family-aws"
		upboundF  = "upbound-provider-family-aws"
		community = "xpkg.crossplane.io/crossplane-contrib/provider-family-aws"
	)
	cases := map[string]struct {
		reason, spec, providers string
		// subject is the subject of the conflict; empty if there is none.
		subject string
	}{
		"NoFamily":           {"Without a family, Crossplane installs the right one.", ``, providers(), ""},
		"Same":               {"A family from the same registry with the same version fits,", ``, providers(upboundF, upbound+":v2.5.0"), ""},
		"OtherName":          {"regardless of its name.", ``, providers("provider-family-aws", upbound+":v2.5.0"), ""},
		"OtherRegistry":      {"A family from another registry has the same kinds as the one that Crossplane would install.", contrib, providers(upboundF, upbound+":v2.5.0"), "Provider " + upboundF},
		"OtherWay":           {"This holds in both directions.", ``, providers("family", community+":v2.5.0"), "Provider family"},
		"OtherRegistrySkip":  {"Providers may be unable to read the ProviderConfig of another family.", `provider: {registry: xpkg.crossplane.io/crossplane-contrib, skipDependencyResolution: true}`, providers(upboundF, upbound+":v2.5.0"), "Provider " + upboundF},
		"OwnPackage":         {"A service's own package has a registry, too.", `services: [{name: s3, package: registry.example.org/mirror/provider-aws-s3}]`, providers(upboundF, upbound+":v2.5.0"), "Provider " + upboundF},
		"NoRegistry":         {"A family without a registry comes from Crossplane's default registry, which may be the same.", ``, providers("family", "upbound/provider-family-aws:v2.5.0"), ""},
		"OneOfTwo":           {"Of two families, one that fits is enough: the other may serve other providers.", ``, providers("a", community+":v2.5.0", "b", upbound+":v2.5.0"), ""},
		"OtherMajor":         {"All members of a family have the same major version,", ``, providers(upboundF, upbound+":v1.23.0"), "Provider " + upboundF},
		"OtherMajorFloating": {"also with a floating version.", ``, providers(upboundF, upbound+":v1"), "Provider " + upboundF},
		"Floating":           {"Nothing more is known of a floating version,", ``, providers(upboundF, upbound+":v2"), ""},
		"Latest":             {"and nothing at all of latest.", ``, providers(upboundF, upbound+":latest"), ""},
		"OtherVersion":       {"Upbound's packages require exactly their own version,", ``, providers(upboundF, upbound+":v2.6.0"), "Provider " + upboundF},
		"OtherVersionSkip":   {"unless dependencies are skipped.", `provider: {skipDependencyResolution: true}`, providers(upboundF, upbound+":v2.6.0"), ""},
		"ContribVersion":     {"The community's packages accept any version", contrib, providers("family", community+":v2.8.1"), ""},
		"ContribMajor":       {"with their major version.", contrib, providers("family", community+":v1.23.0"), "Provider family"},
		"FamilyDigest":       {"A digest satisfies no dependency on a version.", ``, providers(upboundF, upbound+"@sha256:abc"), "Provider " + upboundF},
		"FamilyBoth":         {"Neither does one with a tag before it, because Crossplane ignores the tag.", ``, providers(upboundF, upbound+":v2.5.0@sha256:abc"), "Provider " + upboundF},
		"Monolith":           {"Upbound's monolithic provider has the kinds of all services,", ``, providers("provider-aws", "xpkg.upbound.io/upbound/provider-aws:v0.47.0"), "Provider provider-aws"},
		"MonolithCopy":       {"from any registry.", ``, providers("aws", "registry.example.org/x/upbound/provider-aws:v0.47.0"), "Provider aws"},
		"Classic":            {"The community's classic provider has other kinds.", ``, providers("provider-aws", "xpkg.upbound.io/crossplane-contrib/provider-aws:v0.50.0"), ""},
	}
	association := associationOf("2025-01-01T00:00:00Z")
	for name, tc := range cases {
		for caller, capabilities := range map[string]bool{"v1.20": false, "v2.2": true} {
			t.Run(name+"/"+caller, func(t *testing.T) {
				w := world{Spec: tc.spec, Capabilities: capabilities, Observed: map[string]string{"association/s3": association}, Answers: map[string]string{providersAsked: tc.providers}}
				wait := w.resource(t, "provider/s3").Wait
				if got := conflictOf(wait); got != tc.subject {
					t.Errorf("%s\non creation: want a conflict with %q, got %+v", tc.reason, tc.subject, wait)
				}

				// The same applies to a running Provider that is to change.
				const has = "xpkg.upbound.io/upbound/provider-aws-s3:v2.0.0"
				w.Observed["provider/s3"] = `{metadata: {name: provider-aws-s3}, spec: {package: "` + has + `"}, status: {currentIdentifier: "` + has + `", conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}]}}`
				r := w.resource(t, "provider/s3")
				got, err := r.Build()
				if err != nil {
					t.Fatal(err)
				}
				pkg, ready := view.NewObject(got).String("spec", "package"), r.Ready(observed(t, w.Observed["provider/s3"]))
				if kept := pkg == has; kept != (tc.subject != "") {
					t.Errorf("%s\non change: got package %s", tc.reason, pkg)
				}
				if ready.Ready || ready.Conflict != (tc.subject != "") {
					t.Errorf("%s\non change: got %+v", tc.reason, ready)
				}
			})
		}
	}
}

// conflictOf returns the subject of a Wait that is a conflict.
func conflictOf(w *Wait) string {
	if w == nil || w.Reason != v1alpha1.ReasonConflict {
		return ""
	}
	return w.Subject
}

// TestProviderFitsMessages pins messages word for word, because users search for them.
func TestProviderFitsMessages(t *testing.T) {
	const moved = "(docs/upgrade.md)"
	testWait(t, map[string]waitCase{
		"Looking": {
			"Until the existing Providers are known, one may conflict.",
			world{Spec: `services: [{name: s3, version: v2.5.0}]`, Answers: map[string]string{providersAsked: unanswered}},
			"provider/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other Providers of xpkg.upbound.io/upbound/provider-aws-s3"},
		},
		"Registry": {
			"The message lists the alternatives.",
			world{Spec: `provider: {registry: xpkg.crossplane.io/crossplane-contrib}`, Answers: map[string]string{providersAsked: providers("f", "xpkg.upbound.io/upbound/provider-family-aws:v2.5.0")}},
			"provider/s3",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "Provider f",
				Message: "of package xpkg.upbound.io/upbound/provider-family-aws:v2.5.0 is the family of another registry than xpkg.crossplane.io/crossplane-contrib/provider-aws-s3: Crossplane would install a second family, and two have the same kinds. " +
					"To do: take the packages of xpkg.upbound.io/upbound (provider.registry, services[].package); or keep these names, and let an ImageConfig rewrite them to another registry (spec.rewriteImage); or move the whole cluster " + moved,
			},
		},
		"Version": {
			"The same applies to versions.",
			world{Answers: map[string]string{providersAsked: providers("f", "xpkg.upbound.io/upbound/provider-family-aws:v2.6.0")}},
			"provider/s3",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "Provider f",
				Message: "of package xpkg.upbound.io/upbound/provider-family-aws:v2.6.0 has another version than xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0, and packages of that registry ask for a family of exactly their own. " +
					"To do: set provider.version to v2.6.0, or move the family first, with provider-aws-iam and provider-aws-eks " + moved,
			},
		},
	})
}

// TestFamilyFits checks which packages prevent a composed family from being installed.
func TestFamilyFits(t *testing.T) {
	const iam = "xpkg.upbound.io/upbound/provider-aws-iam:v2.5.0"
	cases := map[string]struct {
		reason, spec, providers, subject string
	}{
		"Members":     {"Members from the same registry need the family.", `provider: {family: Manage}`, providers("iam", iam), ""},
		"OtherMember": {"Members from another registry install their own,", `provider: {family: Manage, registry: xpkg.crossplane.io/crossplane-contrib}`, providers("iam", iam), "Provider iam"},
		"Skips":       {"unless dependencies are skipped.", `provider: {family: Manage, registry: xpkg.crossplane.io/crossplane-contrib}`, `[{metadata: {name: iam}, spec: {package: "` + iam + `", skipDependencyResolution: true}}]`, ""},
		"Unknown":     {"The dependencies of a package from an unknown registry are unknown.", `provider: {family: Manage}`, providers("iam", "registry.example.org/x/provider-aws-iam:v2.5.0"), ""},
		"Monolith":    {"The monolithic provider has the ProviderConfig, too.", `provider: {family: Manage}`, providers("all", "xpkg.upbound.io/upbound/provider-aws:v1.0.0"), "Provider all"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{Spec: tc.spec, Answers: map[string]string{providersAsked: tc.providers}}
			if wait := w.resource(t, "family").Wait; conflictOf(wait) != tc.subject {
				t.Errorf("%s\nwant a conflict with %q, got %+v", tc.reason, tc.subject, wait)
			}
		})
	}
}

// TestFamilyMovesFirst checks that services follow a composed family, and that nothing changes back in the meantime.
func TestFamilyMovesFirst(t *testing.T) {
	provider := func(name, pkg, at, healthy string) string {
		return `{metadata: {name: ` + name + `}, spec: {package: "` + pkg + `"}, status: {currentIdentifier: "` + at + `", conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "` + healthy + `"}]}}`
	}
	const family, s3 = "xpkg.upbound.io/upbound/provider-family-aws:", "xpkg.upbound.io/upbound/provider-aws-s3:"
	waiting := Readiness{Message: "stays at " + s3 + "v2.5.0, and does not change to " + s3 + "v2.6.0 yet: waiting for Provider upbound-provider-family-aws to be healthy with " + family + "v2.6.0"}
	cases := map[string]struct {
		reason, family string
		want           string
		ready          Readiness
	}{
		"Before":    {"The family still has the old version.", provider("upbound-provider-family-aws", family+"v2.5.0", family+"v2.5.0", "True"), s3 + "v2.5.0", waiting},
		"Moving":    {"The family has the new version in its spec, and is healthy with the old one.", provider("upbound-provider-family-aws", family+"v2.6.0", family+"v2.5.0", "True"), s3 + "v2.5.0", waiting},
		"Unhealthy": {"The family is not healthy with the new version.", provider("upbound-provider-family-aws", family+"v2.6.0", family+"v2.6.0", "False"), s3 + "v2.5.0", waiting},
		"Moved":     {"The family is healthy with the new version.", provider("upbound-provider-family-aws", family+"v2.6.0", family+"v2.6.0", "True"), s3 + "v2.6.0", Readiness{Message: "at " + s3 + "v2.5.0, changing to " + s3 + "v2.6.0"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s3Provider := provider("provider-aws-s3", s3+"v2.5.0", s3+"v2.5.0", "True")
			w := world{Spec: `provider: {family: Manage, version: v2.6.0}`, Observed: map[string]string{"family": tc.family, "provider/s3": s3Provider}}
			r := w.resource(t, "provider/s3")
			got, err := r.Build()
			if err != nil {
				t.Fatal(err)
			}
			if pkg := view.NewObject(got).String("spec", "package"); pkg != tc.want {
				t.Errorf("%s\nwant the service at %s, got %s", tc.reason, tc.want, pkg)
			}
			if diff := cmp.Diff(tc.ready, r.Ready(observed(t, s3Provider))); diff != "" {
				t.Errorf("%s\nReady(...): -want, +got:\n%s", tc.reason, diff)
			}
			f, err := w.resource(t, "family").Build()
			if err != nil {
				t.Fatal(err)
			}
			if pkg := view.NewObject(f).String("spec", "package"); pkg != family+"v2.6.0" {
				t.Errorf("%s\nwant the family at v2.6.0, got %s", tc.reason, pkg)
			}
		})
	}
}

// TestObservedFamilyIsOurs checks that a composed family does not conflict with itself, even without an owner reference.
func TestObservedFamilyIsOurs(t *testing.T) {
	const has, family = "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", "xpkg.upbound.io/upbound/provider-family-aws:v2.5.0"
	w := world{
		Spec:     `provider: {family: Manage, version: v2.6.0}`,
		Observed: map[string]string{"family": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: f}, spec: {package: "` + family + `"}}`, "provider/s3": `{metadata: {name: provider-aws-s3}, spec: {package: "` + has + `"}}`},
		Answers:  map[string]string{providersAsked: providers("f", family)},
	}
	if r := w.resource(t, "provider/s3").Ready(observed(t, w.Observed["provider/s3"])); r.Conflict {
		t.Errorf("the composed family is taken for another owner's: %+v", r)
	}
}

// TestProviderAsksNothing checks that a Provider in the desired state is not compared with others.
func TestProviderAsksNothing(t *testing.T) {
	c := world{Observed: map[string]string{"provider/s3": healthyProvider, "runtimeconfig/s3": `{metadata: {name: provider-aws-s3}}`}}.context(t)
	r := Provider(c, c.Identity.Services[0])
	if _, err := r.Build(); err != nil {
		t.Fatal(err)
	}
	r.Ready(c.View.Observed("provider/s3"))
	if _, asked := c.View.Requirements.Proto().GetExtraResources()[providersAsked]; asked { //nolint:staticcheck // Crossplane before 2.2 knows no other field.
		t.Error("all Providers are required, although nothing changes")
	}
}
