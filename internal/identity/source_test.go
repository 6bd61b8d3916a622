package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSource(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	cases := map[string]struct {
		want         Source
		organisation string
		parent       string
	}{
		"xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0":     {Source{Registry: "xpkg.upbound.io", Path: "upbound/provider-aws-s3", Version: "v2.5.0"}, "xpkg.upbound.io/upbound", "upbound"},
		"xpkg.upbound.io/upbound/provider-aws-s3@" + digest:  {Source{Registry: "xpkg.upbound.io", Path: "upbound/provider-aws-s3", Digest: digest}, "xpkg.upbound.io/upbound", "upbound"},
		"xpkg.upbound.io/upbound/p:v2.5.0@" + digest:         {Source{Registry: "xpkg.upbound.io", Path: "upbound/p", Version: "v2.5.0", Digest: digest}, "xpkg.upbound.io/upbound", "upbound"},
		"localhost:5000/provider-aws-s3":                     {Source{Registry: "localhost:5000", Path: "provider-aws-s3"}, "localhost:5000", ""},
		"localhost/a/b/provider-aws-s3:v1":                   {Source{Registry: "localhost", Path: "a/b/provider-aws-s3", Version: "v1"}, "localhost/a/b", "b"},
		"upbound/provider-aws:v0.47.0":                       {Source{Path: "upbound/provider-aws", Version: "v0.47.0"}, "upbound", "upbound"},
		"provider-aws":                                       {Source{Path: "provider-aws"}, "", ""},
		"":                                                   {Source{}, "", ""},
		"1.dkr.ecr.eu-west-1.amazonaws.com/upbound/p:v2.5.0": {Source{Registry: "1.dkr.ecr.eu-west-1.amazonaws.com", Path: "upbound/p", Version: "v2.5.0"}, "1.dkr.ecr.eu-west-1.amazonaws.com/upbound", "upbound"},
	}
	for in, tc := range cases {
		got := ParseSource(in)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("ParseSource(%q): -want, +got:\n%s", in, diff)
		}
		if got.Organisation() != tc.organisation && tc.organisation != "" || got.Parent() != tc.parent {
			t.Errorf("%q: want organisation %q and parent %q, got %q and %q", in, tc.organisation, tc.parent, got.Organisation(), got.Parent())
		}
	}
}

func TestSourcePinned(t *testing.T) {
	cases := map[string]struct {
		reason string
		want   bool
	}{
		"xpkg.upbound.io/upbound/p:v2.4.0":               {"Upbound's packages require their own version of the family,", true},
		"xpkg.upbound.io/upbound/p:2.10.1":               {"also without a v,", true},
		"xpkg.upbound.io/upbound/p:v3.0.0":               {"and in later versions.", true},
		"xpkg.upbound.io/upbound/p:v1.23.0":              {"Old versions accept any family.", false},
		"xpkg.upbound.io/upbound/p:v2.3.9":               {"", false},
		"xpkg.upbound.io/upbound/p:v2":                   {"The version of a floating tag is unknown.", false},
		"xpkg.upbound.io/upbound/p@sha256:0":             {"So is that of a digest.", false},
		"xpkg.crossplane.io/crossplane-contrib/p:v2.5.0": {"The community's packages accept any family.", false},
		"registry.example.org/upbound/p:v2.5.0":          {"The dependencies of other packages are unknown.", false},
	}
	for in, tc := range cases {
		if got := ParseSource(in).Pinned(); got != tc.want {
			t.Errorf("%s\nPinned() of %q: want %t, got %t", tc.reason, in, tc.want, got)
		}
	}
}

// TestPackagesFit checks that packages that do not fit together are found from the spec alone.
func TestPackagesFit(t *testing.T) {
	const a, b = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	const contrib = "registry: xpkg.crossplane.io/crossplane-contrib"
	cases := map[string]struct {
		reason, spec string
		want         []string
	}{
		"TagAndDigest":       {"A tag with a digest is a version.", `services: [{name: s3, version: "v2.5.0@` + a + `"}]`, nil},
		"Build":              {"A tag in a registry cannot contain a +.", `services: [{name: s3, version: v2.5.0+build}]`, []string{firstService + ".version" + invalid}},
		"BuildOfAll":         {"The same applies to the common version.", `provider: {version: v2.5.0-rc.1+build}`, []string{"spec.provider.version" + invalid}},
		"DigestOfOne":        {"A digest may be the version of a single package.", `provider: {version: "` + a + `"}`, nil},
		"DigestOfTwo":        {"It cannot be that of two packages,", `{provider: {version: "` + a + `"}, services: [{name: s3}, {name: sqs}]}`, []string{"spec.provider.version" + invalid}},
		"TagAndDigestOfTwo":  {"also with a tag before it,", `{provider: {version: "v2.5.0@` + a + `"}, services: [{name: s3}, {name: sqs}]}`, []string{"spec.provider.version" + invalid}},
		"DigestOfFamily":     {"or that of the family, which satisfies no dependency by digest.", `provider: {family: Manage, version: "` + a + `"}`, []string{"spec.provider.version" + invalid, "spec.provider.version" + invalid}},
		"DigestObserved":     {"It does not apply to an observed provider,", `{provider: {version: "` + a + `"}, services: [{name: s3}, {name: sqs, management: Observe}]}`, nil},
		"DigestOwn":          {"or to one with its own version.", `{provider: {version: "` + a + `"}, services: [{name: s3}, {name: sqs, version: "` + b + `"}]}`, nil},
		"DigestTwice":        {"Two services cannot have the same digest,", `services: [{name: s3, version: "` + a + `"}, {name: sqs, version: "` + a + `"}]`, []string{"spec.services[1].version" + invalid}},
		"DigestOfAllAndOne":  {"even if one inherits it.", `{provider: {version: "` + a + `"}, services: [{name: s3}, {name: sqs, version: "` + a + `"}]}`, []string{"spec.services[1].version" + invalid}},
		"Pinned":             {"Upbound's packages of two versions cannot share one family,", `services: [{name: s3}, {name: sqs, version: v2.4.0}]`, []string{"spec.services[1].version" + invalid}},
		"PinnedFamily":       {"or differ from a composed one.", `{provider: {family: Manage}, services: [{name: s3, version: v2.4.0}]}`, []string{firstService + ".version" + invalid}},
		"PinnedSame":         {"One version may be written in two ways.", `services: [{name: s3}, {name: sqs, version: 2.5.0}]`, nil},
		"PinnedOld":          {"Old versions accept any family.", `services: [{name: s3}, {name: sqs, version: v1.23.0}]`, nil},
		"PinnedObserved":     {"Providers that another owner installs are not checked.", `services: [{name: s3}, {name: sqs, version: v2.4.0, management: Observe}]`, nil},
		"PinnedSkip":         {"Without dependencies, there is no constraint.", `{provider: {skipDependencyResolution: true}, services: [{name: s3}, {name: sqs, version: v2.4.0}]}`, nil},
		"PinnedContrib":      {"The community's packages accept any family.", `{provider: {` + contrib + `, family: Manage}, services: [{name: s3}, {name: sqs, version: v2.4.0}]}`, nil},
		"FamilyOfMirror":     {"A copy depends on the family of its original registry,", `provider: {family: Manage, registry: registry.example.org/mirror}`, []string{"spec.provider.registry" + invalid}},
		"FamilyOfMirrorSkip": {"unless dependencies are skipped.", `provider: {family: Manage, registry: registry.example.org/mirror, skipDependencyResolution: true}`, nil},
		"PackageOfRegistry":  {"A registry is not a package.", `services: [{name: s3, package: xpkg.upbound.io/upbound}]`, []string{firstService + ".package" + invalid}},
		"PackageOfMonolith":  {"Neither is the monolithic provider the package of a service.", `services: [{name: s3, package: xpkg.upbound.io/upbound/provider-aws}]`, []string{firstService + ".package" + invalid}},
		"PackageAlone":       {"A registry may have providers at its top level.", `services: [{name: s3, package: "localhost:5000/provider-aws-s3"}]`, nil},
		"AdoptObserved":      {"An observed provider is not adopted.", `services: [{name: s3, management: Observe, adoptExistingProvider: true}]`, []string{firstService + ".adoptExistingProvider" + forbidden}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, errs := world{Spec: tc.spec}.resolve(t)
			if diff := cmp.Diff(tc.want, paths(errs)); diff != "" {
				t.Errorf("%s\nResolve(...): -want errors, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
