package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServicePackage(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	cases := map[string]struct {
		reason, spec string
		want         Package
	}{
		"Default": {
			"The registry is Upbound's, and the version is that of all providers.", ``,
			Package{Name: "provider-aws-s3", Repository: "xpkg.upbound.io/upbound/provider-aws-s3", Source: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"},
		},
		"Registry": {
			"Another registry applies to all providers.", `provider: {registry: "localhost:5000/aws"}`,
			Package{Name: "provider-aws-s3", Repository: "localhost:5000/aws/provider-aws-s3", Source: "localhost:5000/aws/provider-aws-s3:v2.5.0"},
		},
		"Version": {
			"A service may have its own version.", `services: [{name: s3, version: v1.23.0}]`,
			Package{Name: "provider-aws-s3", Repository: "xpkg.upbound.io/upbound/provider-aws-s3", Source: "xpkg.upbound.io/upbound/provider-aws-s3:v1.23.0"},
		},
		"Digest": {
			"A digest follows an @.", `provider: {version: "` + digest + `"}`,
			Package{Name: "provider-aws-s3", Repository: "xpkg.upbound.io/upbound/provider-aws-s3", Source: "xpkg.upbound.io/upbound/provider-aws-s3@" + digest},
		},
		"Package": {
			"A service may have its own package; the Provider keeps its name.", `services: [{name: s3, package: registry.example.org/mirror/s3, version: v1.0.0}]`,
			Package{Name: "provider-aws-s3", Repository: "registry.example.org/mirror/s3", Source: "registry.example.org/mirror/s3:v1.0.0"},
		},
		"OnlyOwnVersion": {
			"A service with its own version does not need a common one.", `{provider: null, services: [{name: s3, version: v1.23.0}]}`,
			Package{Name: "provider-aws-s3", Repository: "xpkg.upbound.io/upbound/provider-aws-s3", Source: "xpkg.upbound.io/upbound/provider-aws-s3:v1.23.0"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, world{Spec: tc.spec}.mustResolve(t).Services[0].Provider); diff != "" {
				t.Errorf("%s\nProvider: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestFamily(t *testing.T) {
	cases := map[string]struct {
		reason, spec string
		want         *Package
	}{
		"Default": {"Crossplane's dependency resolution installs it.", ``, nil},
		"Observe": {"The same applies if the family is observed.", `provider: {family: Observe}`, nil},
		"Manage": {
			"A managed family has the name that the resolver would give it, so that there is only one.", `provider: {family: Manage}`,
			&Package{Name: "upbound-provider-family-aws", Repository: "xpkg.upbound.io/upbound/provider-family-aws", Source: "xpkg.upbound.io/upbound/provider-family-aws:v2.5.0"},
		},
		"Mirror": {
			"The resolver replaces invalid characters with dashes, and omits the registry.", `provider: {family: Manage, registry: "localhost:5000/a/b_c", skipDependencyResolution: true}`,
			&Package{Name: "a-b-c-provider-family-aws", Repository: "localhost:5000/a/b_c/provider-family-aws", Source: "localhost:5000/a/b_c/provider-family-aws:v2.5.0"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, world{Spec: tc.spec}.mustResolve(t).Family); diff != "" {
				t.Errorf("%s\nFamily: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestResolverName(t *testing.T) {
	cases := map[string]string{
		"xpkg.upbound.io/upbound/provider-family-aws":                                                   "upbound-provider-family-aws",
		"xpkg.crossplane.io/crossplane-contrib/provider-family-aws":                                     "crossplane-contrib-provider-family-aws",
		"r.example.org/Team/x.y/provider-family-aws":                                                    "team-x-y-provider-family-aws",
		"r.example.org/a23456789/b23456789/c23456789/d23456789/e23456789/f23456789/provider-family-aws": "a23456789-b23456789-c23456789-d23456789-e23456789-f23456789-pro",
	}
	for in, want := range cases {
		if got := resolverName(in); got != want {
			t.Errorf("resolverName(%q): want %q, got %q", in, want, got)
		}
	}
}
