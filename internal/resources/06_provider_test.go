package resources

import (
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

func TestProvider(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Seed": {
			reason: "The Provider equals that of the manual procedure, with the full reference to the runtime config.",
			key:    "provider/s3",
			want: `
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: provider-aws-s3}
spec:
  package: xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0
  runtimeConfigRef: {apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, name: provider-aws-s3}
`,
		},
		"Everything": {
			reason: "All options of packages are passed on, including explicit zero values.",
			world: world{Spec: `
provider:
  registry: registry.example.org/mirror
  version: v2.4.0
  packagePullPolicy: IfNotPresent
  packagePullSecrets: [{name: a}, {name: b}]
  revisionActivationPolicy: Manual
  revisionHistoryLimit: 0
  skipDependencyResolution: false
  ignoreCrossplaneConstraints: true
  commonLabels: {team: a}
`},
			key: "provider/s3",
			want: `
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: provider-aws-s3}
spec:
  package: registry.example.org/mirror/provider-aws-s3:v2.4.0
  packagePullPolicy: IfNotPresent
  packagePullSecrets: [{name: a}, {name: b}]
  revisionActivationPolicy: Manual
  revisionHistoryLimit: 0
  skipDependencyResolution: false
  ignoreCrossplaneConstraints: true
  commonLabels: {team: a}
  runtimeConfigRef: {apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, name: provider-aws-s3}
`,
		},
		"Digest": {
			reason: "A digest follows an @.",
			world:  world{Spec: `services: [{name: s3, version: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]`},
			key:    "provider/s3",
			want: `
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: provider-aws-s3}
spec:
  package: xpkg.upbound.io/upbound/provider-aws-s3@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  runtimeConfigRef: {apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, name: provider-aws-s3}
`,
		},
		"Observed": {
			reason: "An existing runtime config with another name is referenced by that name.",
			world:  world{Observed: map[string]string{"runtimeconfig/s3": `{metadata: {name: old}}`}},
			key:    "provider/s3",
			want: `
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: provider-aws-s3}
spec:
  package: xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0
  runtimeConfigRef: {apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, name: old}
`,
		},
		"NoOptions": {
			reason: "Without options of packages, a Provider has none.",
			world:  world{Spec: `{provider: null, services: [{name: s3, version: v1.23.0}]}`},
			key:    "provider/s3",
			want: `
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: provider-aws-s3}
spec:
  package: xpkg.upbound.io/upbound/provider-aws-s3:v1.23.0
  runtimeConfigRef: {apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, name: provider-aws-s3}
`,
		},
	})
}

// TestProviderReady checks that a Provider is ready only with the desired package.
func TestProviderReady(t *testing.T) {
	r := world{}.resource(t, "provider/s3")
	const doc = `status: {conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}], currentIdentifier: "xpkg.upbound.io/upbound/provider-aws-s3:`
	if got := r.Ready(observed(t, doc+`v2.5.0"}`)); got != (Readiness{Ready: true}) {
		t.Errorf("Ready(...) for the desired package: got %+v", got)
	}
	if got := r.Ready(observed(t, doc+`v2.4.0"}`)); got.Ready {
		t.Errorf("Ready(...) for another package: got %+v", got)
	}
}

func TestProviderWait(t *testing.T) {
	settled := map[string]string{"association/s3": associationOf("2025-01-01T00:00:00Z")}
	conflict := func(name, message string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonConflict, Subject: "Provider " + name, Message: message + ": set management: Observe for the service, or remove that Provider"}
	}
	// adoptable returns a conflict with a Provider that can be adopted.
	adoptable := func(name, message string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonConflict, Subject: "Provider " + name, Message: message + ": set management: Observe for the service, or adoptExistingProvider: true to adopt it"}
	}
	with := func(providers string) world {
		return world{Observed: settled, Answers: map[string]string{"all/Provider.pkg.crossplane.io": providers}}
	}
	const byHand = "exists and no composite resource made it"
	testWait(t, map[string]waitCase{
		"Nothing": {"With a settled association and no other Provider, there is nothing to wait for.", with(`[]`), "provider/s3", nil},
		"Looking": {
			"Until the existing Providers are known, one may conflict.", with(unanswered), "provider/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other Providers of xpkg.upbound.io/upbound/provider-aws-s3"},
		},
		"Unrelated": {"Providers with other packages do not conflict.", with(`[{metadata: {name: provider-aws-s3control}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3control:v2.5.0"}}, {metadata: {name: aws-s3}, spec: {package: "xpkg.upbound.io/upbound/aws-s3:v1"}}]`), "provider/s3", nil},
		"OtherTag": {
			"Another tag is the same package.", with(`[{metadata: {name: upbound-provider-aws-s3}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v1"}}]`), "provider/s3",
			adoptable("upbound-provider-aws-s3", "of package xpkg.upbound.io/upbound/provider-aws-s3:v1 "+byHand),
		},
		"Digest": {
			"So is a digest,", with(`[{metadata: {name: x}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3@sha256:abc"}}]`), "provider/s3",
			adoptable("x", "of package xpkg.upbound.io/upbound/provider-aws-s3@sha256:abc "+byHand),
		},
		"TagAndDigest": {
			"or both.", with(`[{metadata: {name: x}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v1@sha256:abc"}}]`), "provider/s3",
			adoptable("x", "of package xpkg.upbound.io/upbound/provider-aws-s3:v1@sha256:abc "+byHand),
		},
		"OtherRegistry": {
			"Kinds from another registry conflict, too,", with(`[{metadata: {name: x}, spec: {package: "localhost:5000/mirror/provider-aws-s3"}}]`), "provider/s3",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "Provider x",
				Message: "of package localhost:5000/mirror/provider-aws-s3 " + byHand + ": set management: Observe for the service, or package: localhost:5000/mirror/provider-aws-s3 and adoptExistingProvider: true to adopt it",
			},
		},
		"NoRegistry": {
			"and so do those from the default registry.", with(`[{metadata: {name: x}, spec: {package: "provider-aws-s3:v1"}}]`), "provider/s3",
			conflict("x", "of package provider-aws-s3:v1 "+byHand),
		},
		"OurName": {
			"A Provider with the composed one's name would be adopted, regardless of its package.", with(`[{metadata: {name: provider-aws-s3}, spec: {package: "example.org/x/y:v1"}}]`), "provider/s3",
			conflict("provider-aws-s3", "of package example.org/x/y:v1 "+byHand),
		},
		"OfClaim": {
			"The owner is named.",
			with(`[{metadata: {name: provider-aws-s3, labels: {crossplane.io/claim-namespace: b, crossplane.io/claim-name: c}, ownerReferences: [{kind: PodIdentityProvider, name: c-x, uid: u-2, controller: true}]}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}]`), "provider/s3",
			conflict("provider-aws-s3", "of package xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0 exists and belongs to PodIdentityProvider c-x of claim b/c"),
		},
		"Ours": {"The composite resource's own Provider is no conflict, even before Crossplane observes it.", with(`[{metadata: {name: provider-aws-s3, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}]`), "provider/s3", nil},
		"OursNotController": {
			"A Provider that the composite resource owns but does not control is a conflict.",
			with(`[{metadata: {name: provider-aws-s3, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1}]}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}]`), "provider/s3",
			adoptable("provider-aws-s3", "of package xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0 "+byHand),
		},
		"Several": {
			"Of several, the first by name is reported, in any order of the answer.",
			with(`[{metadata: {name: c}, spec: {package: "a/provider-aws-s3:v1"}}, {metadata: {name: a}, spec: {package: "b/provider-aws-s3:v1"}}, {metadata: {name: b}, spec: {package: "c/provider-aws-s3:v1"}}]`), "provider/s3",
			conflict("a", "of package b/provider-aws-s3:v1 "+byHand),
		},
		"ConflictFirst": {
			"A conflict is reported at once, not when the association is ready.",
			world{Answers: map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: x}, spec: {package: "a/provider-aws-s3:v1"}}]`}},
			"provider/s3",
			conflict("x", "of package a/provider-aws-s3:v1 "+byHand),
		},
		"Observed": {
			"An observed Provider belongs to the composite resource, regardless of others.",
			world{
				Observed: map[string]string{"association/s3": settled["association/s3"], "provider/s3": `{metadata: {name: provider-aws-s3}}`},
				Answers:  map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: x}, spec: {package: "a/provider-aws-s3:v1"}}]`},
			},
			"provider/s3", nil,
		},
		"Preview": {"A preview waits for nothing.", world{Input: `preview: true`, Answers: map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: x}, spec: {package: "a/provider-aws-s3:v1"}}]`}}, "provider/s3", nil},
		"FamilyNotInstalled": {
			"A composed family is installed first, or the provider would install a second one as its dependency.",
			world{Spec: `provider: {family: Manage}`, Observed: settled},
			"provider/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Message: "waiting for Provider upbound-provider-family-aws to be installed"},
		},
		"FamilyInstalling": {
			"The family must be installed, not only created.",
			world{Spec: `provider: {family: Manage}`, Observed: map[string]string{"association/s3": settled["association/s3"], "family": `{metadata: {name: upbound-provider-family-aws}, status: {conditions: [{type: Installed, status: "False"}]}}`}},
			"provider/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Message: "waiting for Provider upbound-provider-family-aws to be installed"},
		},
		"FamilyInstalled": {
			"It may be unhealthy.",
			world{Spec: `provider: {family: Manage}`, Observed: map[string]string{"association/s3": settled["association/s3"], "family": `{metadata: {name: upbound-provider-family-aws}, status: {conditions: [{type: Installed, status: "True"}]}}`}},
			"provider/s3", nil,
		},
		"FamilyPreview": {"A preview waits for nothing.", world{Spec: `provider: {family: Manage}`, Input: `preview: true`}, "provider/s3", nil},
	})
}
