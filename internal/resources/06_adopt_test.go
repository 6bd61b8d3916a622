package resources

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// These objects are those of the manual procedure: a Provider with a floating version, and a DeploymentRuntimeConfig with another name.
const (
	byHandProvider = `{kind: Provider, metadata: {name: provider-aws-s3}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2", runtimeConfigRef: {name: provider-aws-pod-id-drc}}}`
	byHandConfig   = `{kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-pod-id-drc}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws-s3}}}}`
	byHandAsked    = "DeploymentRuntimeConfig.pkg.crossplane.io/provider-aws-pod-id-drc"
	configsAsked   = "all/DeploymentRuntimeConfig.pkg.crossplane.io"
	ofSomebody     = `ownerReferences: [{kind: PodIdentityProvider, name: other, uid: u-2, controller: true}]`
)

// adopting returns a world in which s3 adopts manually created objects, and its association has been ready for long.
func adopting(observed, answers map[string]string) world {
	w := world{
		Spec:     `services: [{name: s3, adoptExistingProvider: true}]`,
		Observed: map[string]string{"association/s3": associationOf("2025-01-01T00:00:00Z")},
		Answers:  map[string]string{providersAsked: `[` + byHandProvider + `]`, configsAsked: `[` + byHandConfig + `]`, byHandAsked: `[` + byHandConfig + `]`},
	}
	for k, v := range observed {
		w.Observed[k] = v
		if v == "" {
			delete(w.Observed, k)
		}
	}
	maps.Copy(w.Answers, answers)
	return w
}

// TestAdoptInOrder follows the adoption of a Provider: association, config, Provider, version.
func TestAdoptInOrder(t *testing.T) {
	const adoptedConfig = `{kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-pod-id-drc}, spec: {}}`
	const adoptedProvider = `{kind: Provider, metadata: {name: provider-aws-s3}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2", runtimeConfigRef: {name: provider-aws-pod-id-drc}}}`
	cases := map[string]struct {
		reason           string
		world            world
		config, provider bool
		pkg              string
	}{
		"NoAssociation":  {"Without an association, no existing object is written.", adopting(map[string]string{"association/s3": ""}, nil), false, false, ""},
		"NotSettled":     {"Neither is one before the association has settled in EKS.", adopting(map[string]string{"association/s3": associationOf("2025-12-31T23:59:55Z")}, nil), false, false, ""},
		"Looking":        {"Neither is one before the existing objects are known.", adopting(nil, map[string]string{providersAsked: unanswered}), false, false, ""},
		"LookingConfig":  {"", adopting(nil, map[string]string{byHandAsked: unanswered}), false, false, ""},
		"Config":         {"Then the config is adopted, which restarts the provider,", adopting(nil, nil), true, false, ""},
		"Provider":       {"then the Provider, with its existing package,", adopting(map[string]string{"runtimeconfig/s3": adoptedConfig}, nil), true, true, "xpkg.upbound.io/upbound/provider-aws-s3:v2"},
		"Version":        {"and then its version,", adopting(map[string]string{"runtimeconfig/s3": adoptedConfig, "provider/s3": adoptedProvider}, nil), true, true, "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"},
		"VersionNoFit":   {"if that fits.", adopting(map[string]string{"runtimeconfig/s3": adoptedConfig, "provider/s3": adoptedProvider}, map[string]string{providersAsked: providers("provider-family-aws", "xpkg.upbound.io/upbound/provider-family-aws:v1")}), true, true, "xpkg.upbound.io/upbound/provider-aws-s3:v2"},
		"OtherNameTwice": {"A Provider with another name works, too.", adopting(map[string]string{"runtimeconfig/s3": adoptedConfig}, map[string]string{providersAsked: `[{metadata: {name: aws-s3}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", runtimeConfigRef: {name: provider-aws-pod-id-drc}}}]`}), true, true, "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"},
	}
	for name, tc := range cases {
		for caller, capabilities := range map[string]bool{"v1.20": false, "v2.2": true} {
			t.Run(name+"/"+caller, func(t *testing.T) {
				tc.world.Capabilities = capabilities
				config, provider := tc.world.resource(t, "runtimeconfig/s3"), tc.world.resource(t, "provider/s3")
				if (config.Wait == nil) != tc.config || (provider.Wait == nil) != tc.provider {
					t.Fatalf("%s\nwant the config written: %t, and the Provider: %t; they wait for %+v and %+v", tc.reason, tc.config, tc.provider, config.Wait, provider.Wait)
				}
				for _, r := range []*Resource{config, provider} {
					if r.Wait != nil && r.Wait.Reason == v1alpha1.ReasonConflict {
						t.Errorf("%s\nwant no conflict for an adopted object, got %+v", tc.reason, r.Wait)
					}
				}
				if !tc.provider {
					return
				}
				o := build(t, provider)
				if got := o.String("spec", "package"); got != tc.pkg {
					t.Errorf("%s\nwant package %s, got %s", tc.reason, tc.pkg, got)
				}
				if o.Name() != provider.Name || o.String("spec", "runtimeConfigRef", "name") != "provider-aws-pod-id-drc" {
					t.Errorf("%s\nwant names to stay, got Provider %s with config %s", tc.reason, o.Name(), o.String("spec", "runtimeConfigRef", "name"))
				}
				c := build(t, config)
				if c.Name() != "provider-aws-pod-id-drc" || c.String("spec", "deploymentTemplate", "spec", "template", "metadata", "annotations", "aws.podidentity.dev/identity") == "" {
					t.Errorf("%s\nwant the existing config with the digest, got %v", tc.reason, c)
				}
			})
		}
	}
}

// TestAdoptOwnConfig covers Providers whose config cannot be adopted: they get their own.
func TestAdoptOwnConfig(t *testing.T) {
	with := func(ref string) string {
		return `{metadata: {name: aws-s3}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"` + ref + `}}`
	}
	none := map[string]string{configsAsked: `[]`}
	cases := map[string]struct {
		reason  string
		answers map[string]string
	}{
		"None":    {"A Provider without a reference uses the config that packages share.", map[string]string{providersAsked: `[` + with("") + `]`}},
		"Default": {"It may also reference that config,", map[string]string{providersAsked: `[` + with(`, runtimeConfigRef: {name: default}`) + `]`}},
		"Gone":    {"or one that does not exist,", map[string]string{providersAsked: `[` + with(`, runtimeConfigRef: {name: x}`) + `]`, "DeploymentRuntimeConfig.pkg.crossplane.io/x": `[]`}},
		"Shared":  {"or one that another Provider references, too,", map[string]string{providersAsked: `[` + with(`, runtimeConfigRef: {name: x}`) + `, {metadata: {name: b}, spec: {package: "a/b:v1", runtimeConfigRef: {name: x}}}]`}},
		"Theirs":  {"or one that another owner controls.", map[string]string{providersAsked: `[` + with(`, runtimeConfigRef: {name: x}`) + `]`, "DeploymentRuntimeConfig.pkg.crossplane.io/x": `[{metadata: {name: x, ` + ofSomebody + `}}]`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			answers := maps.Clone(none)
			maps.Copy(answers, tc.answers)
			w := adopting(nil, answers)
			config := w.resource(t, "runtimeconfig/s3")
			if config.Wait != nil || config.Name != "provider-aws-s3" {
				t.Errorf("%s\nwant a config with the default name at once, got %s waiting for %+v", tc.reason, config.Name, config.Wait)
			}
			want := &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider aws-s3", Message: "adopted as soon as DeploymentRuntimeConfig provider-aws-s3 is"}
			if diff := cmp.Diff(want, w.resource(t, "provider/s3").Wait, ignoreOwner); diff != "" {
				t.Errorf("%s\nWait of the Provider: -want, +got:\n%s", tc.reason, diff)
			}
			w.Observed["runtimeconfig/s3"] = `{metadata: {name: provider-aws-s3}}`
			if got := build(t, w.resource(t, "provider/s3")).String("spec", "runtimeConfigRef", "name"); got != "provider-aws-s3" {
				t.Errorf("%s\nwant the Provider to name its own config, got %s", tc.reason, got)
			}
		})
	}
}

// TestConfigGone covers a Provider whose config a user deleted: the config is created again with the name that the Provider references.
func TestConfigGone(t *testing.T) {
	const provider = `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-s3}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", runtimeConfigRef: {name: %s}}}`
	theirs := func(name string) map[string]string {
		drc := `[{kind: DeploymentRuntimeConfig, metadata: {name: ` + name + `}, spec: {serviceAccountTemplate: {metadata: {name: theirs}}}}]`
		return map[string]string{configsAsked: drc, "DeploymentRuntimeConfig.pkg.crossplane.io/" + name: drc}
	}
	cases := map[string]struct {
		reason, spec, has string
		answers           map[string]string
		want              string
		wait              v1alpha1.Reason
	}{
		"Usual":    {"The default name is the one that it had.", "", "provider-aws-s3", nil, "provider-aws-s3", ""},
		"Adopted":  {"An adopted config keeps its name,", "", "provider-aws-pod-id-drc", nil, "provider-aws-pod-id-drc", ""},
		"UsualIs":  {"even if another owner has one with the default name.", "", "provider-aws-pod-id-drc", theirs("provider-aws-s3"), "provider-aws-pod-id-drc", ""},
		"Theirs":   {"If another owner creates it again, that config stays, and the Provider keeps its reference,", "", "provider-aws-pod-id-drc", theirs("provider-aws-pod-id-drc"), "provider-aws-pod-id-drc", v1alpha1.ReasonConflict},
		"Adopting": {"unless the config is to be adopted.", `services: [{name: s3, adoptExistingProvider: true}]`, "provider-aws-pod-id-drc", theirs("provider-aws-pod-id-drc"), "provider-aws-pod-id-drc", ""},
		"Shared":   {"The config that packages share is never created.", "", "default", nil, "provider-aws-s3", ""},
		"None":     {"Neither is one without a name.", "", "''", nil, "provider-aws-s3", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{Spec: tc.spec, Answers: tc.answers, Observed: map[string]string{
				"association/s3": associationOf("2025-01-01T00:00:00Z"), "provider/s3": fmt.Sprintf(provider, tc.has),
			}}
			config := w.resource(t, "runtimeconfig/s3")
			var got v1alpha1.Reason
			if config.Wait != nil {
				got = config.Wait.Reason
			}
			if config.Name != tc.want || got != tc.wait {
				t.Errorf("%s\nwant config %s waiting for %q, got %s waiting for %+v", tc.reason, tc.want, tc.wait, config.Name, config.Wait)
			}
			if got := build(t, w.resource(t, "provider/s3")).String("spec", "runtimeConfigRef", "name"); got != tc.want {
				t.Errorf("%s\nwant the Provider to name %s, got %s", tc.reason, tc.want, got)
			}
		})
	}
}

// TestAdoptNothing covers Providers that are not adopted.
func TestAdoptNothing(t *testing.T) {
	cases := map[string]struct {
		reason, providers, message string
	}{
		"Controlled": {
			"A Provider with a controller is never adopted.", `[{metadata: {name: aws-s3, ` + ofSomebody + `}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}]`,
			"of package xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0 exists and belongs to PodIdentityProvider other: set management: Observe for the service, or remove that Provider",
		},
		"OtherRepository": {
			"Neither is one from another registry, whose package would change.", providers("aws-s3", "registry.example.org/x/provider-aws-s3:v2.5.0"),
			"of package registry.example.org/x/provider-aws-s3:v2.5.0 exists and no composite resource made it: set management: Observe for the service, or package: registry.example.org/x/provider-aws-s3 and adoptExistingProvider: true to adopt it",
		},
		"OtherPackage": {
			"Neither is one that only has the same name.", providers("provider-aws-s3", "registry.example.org/x/y:v2.5.0"),
			"of package registry.example.org/x/y:v2.5.0 exists and no composite resource made it: set management: Observe for the service, or remove that Provider",
		},
		"Two": {
			"Neither is one of two.", providers("a", "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", "b", "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"),
			"of package xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0 exists and no composite resource made it: set management: Observe for the service, or adoptExistingProvider: true to adopt it",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := adopting(nil, map[string]string{providersAsked: tc.providers, configsAsked: `[]`}).resource(t, "provider/s3").Wait
			if w == nil || w.Reason != v1alpha1.ReasonConflict || w.Message != tc.message {
				t.Errorf("%s\nwant a conflict that says %q, got %+v", tc.reason, tc.message, w)
			}
		})
	}
	t.Run("None", func(t *testing.T) {
		w := adopting(nil, map[string]string{providersAsked: `[]`, configsAsked: `[]`})
		if p := w.resource(t, "provider/s3"); p.Wait != nil || build(t, p).String("spec", "package") != "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0" {
			t.Errorf("a Provider should be created if there is none to adopt, got %+v", p.Wait)
		}
	})
}

// build builds a resource that may be written.
func build(t *testing.T, r *Resource) view.Object {
	t.Helper()
	s, err := r.Build()
	if err != nil {
		t.Fatal(err)
	}
	return view.NewObject(s)
}
