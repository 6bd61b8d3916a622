package resources

import (
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

func TestProvider(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Seed": {
			reason: "A Provider should be what the manual procedure makes, with the runtime config named in full.",
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
			reason: "Every option of packages should be passed on, zero values that were given included.",
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
			reason: "A digest should follow an @.",
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
			reason: "A runtime config that exists under another name should be referred to by it.",
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
			reason: "Without options of packages a Provider has none.",
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

// TestProviderReady makes sure that a Provider is measured by the package that is wanted of it.
func TestProviderReady(t *testing.T) {
	r := world{}.resource(t, "provider/s3")
	const doc = `status: {conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}], currentIdentifier: "xpkg.upbound.io/upbound/provider-aws-s3:`
	if got := r.Ready(observed(t, doc+`v2.5.0"}`)); got != (Readiness{Ready: true}) {
		t.Errorf("Ready(...) of the wanted package: got %+v", got)
	}
	if got := r.Ready(observed(t, doc+`v2.4.0"}`)); got.Ready {
		t.Errorf("Ready(...) of another: got %+v", got)
	}
}

func TestProviderWait(t *testing.T) {
	settled := map[string]string{"association/s3": associationOf("2025-01-01T00:00:00Z")}
	conflict := func(name, message string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonConflict, Subject: "Provider " + name, Message: message + ": set management: Observe for the service, or remove that Provider"}
	}
	// adoptable is one that can be taken over.
	adoptable := func(name, message string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonConflict, Subject: "Provider " + name, Message: message + ": set management: Observe for the service, or adoptExistingProvider: true to adopt it"}
	}
	with := func(providers string) world {
		return world{Observed: settled, Answers: map[string]string{"all/Provider.pkg.crossplane.io": providers}}
	}
	const byHand = "exists and no composite resource made it"
	testWait(t, map[string]waitCase{
		"Nothing": {"With the association settled and no other Provider nothing is to wait for.", with(`[]`), "provider/s3", nil},
		"Looking": {
			"Until it is known what Providers exist, there might be one.", with(unanswered), "provider/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other Providers of xpkg.upbound.io/upbound/provider-aws-s3"},
		},
		"Unrelated": {"Providers of other packages are no matter.", with(`[{metadata: {name: provider-aws-s3control}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3control:v2.5.0"}}, {metadata: {name: aws-s3}, spec: {package: "xpkg.upbound.io/upbound/aws-s3:v1"}}]`), "provider/s3", nil},
		"OtherTag": {
			"Another tag is the same package.", with(`[{metadata: {name: upbound-provider-aws-s3}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v1"}}]`), "provider/s3",
			adoptable("upbound-provider-aws-s3", "of package xpkg.upbound.io/upbound/provider-aws-s3:v1 "+byHand),
		},
		"Digest": {
			"So is a digest.", with(`[{metadata: {name: x}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3@sha256:abc"}}]`), "provider/s3",
			adoptable("x", "of package xpkg.upbound.io/upbound/provider-aws-s3@sha256:abc "+byHand),
		},
		"TagAndDigest": {
			"Or both.", with(`[{metadata: {name: x}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v1@sha256:abc"}}]`), "provider/s3",
			adoptable("x", "of package xpkg.upbound.io/upbound/provider-aws-s3:v1@sha256:abc "+byHand),
		},
		"OtherRegistry": {
			"Kinds from another registry clash just as well.", with(`[{metadata: {name: x}, spec: {package: "localhost:5000/mirror/provider-aws-s3"}}]`), "provider/s3",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "Provider x",
				Message: "of package localhost:5000/mirror/provider-aws-s3 " + byHand + ": set management: Observe for the service, or package: localhost:5000/mirror/provider-aws-s3 and adoptExistingProvider: true to adopt it",
			},
		},
		"NoRegistry": {
			"Also from the default one.", with(`[{metadata: {name: x}, spec: {package: "provider-aws-s3:v1"}}]`), "provider/s3",
			conflict("x", "of package provider-aws-s3:v1 "+byHand),
		},
		"OurName": {
			"A Provider under our name would be taken over, whatever it installs.", with(`[{metadata: {name: provider-aws-s3}, spec: {package: "example.org/x/y:v1"}}]`), "provider/s3",
			conflict("provider-aws-s3", "of package example.org/x/y:v1 "+byHand),
		},
		"OfClaim": {
			"Its owner should be named.",
			with(`[{metadata: {name: provider-aws-s3, labels: {crossplane.io/claim-namespace: b, crossplane.io/claim-name: c}, ownerReferences: [{kind: PodIdentityProvider, name: c-x, uid: u-2, controller: true}]}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}]`), "provider/s3",
			conflict("provider-aws-s3", "of package xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0 exists and belongs to PodIdentityProvider c-x of claim b/c"),
		},
		"Ours": {"Our own is no conflict, also before Crossplane shows it to us.", with(`[{metadata: {name: provider-aws-s3, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}]`), "provider/s3", nil},
		"OursNotController": {
			"One that we merely own is not ours.",
			with(`[{metadata: {name: provider-aws-s3, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1}]}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}]`), "provider/s3",
			adoptable("provider-aws-s3", "of package xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0 "+byHand),
		},
		"Several": {
			"Of several the first by name should be told, in whatever order they come.",
			with(`[{metadata: {name: c}, spec: {package: "a/provider-aws-s3:v1"}}, {metadata: {name: a}, spec: {package: "b/provider-aws-s3:v1"}}, {metadata: {name: b}, spec: {package: "c/provider-aws-s3:v1"}}]`), "provider/s3",
			conflict("a", "of package b/provider-aws-s3:v1 "+byHand),
		},
		"ConflictFirst": {
			"A conflict should be told at once, not when the association is ready.",
			world{Answers: map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: x}, spec: {package: "a/provider-aws-s3:v1"}}]`}},
			"provider/s3",
			conflict("x", "of package a/provider-aws-s3:v1 "+byHand),
		},
		"Observed": {
			"What was observed is ours, whatever else exists.",
			world{
				Observed: map[string]string{"association/s3": settled["association/s3"], "provider/s3": `{metadata: {name: provider-aws-s3}}`},
				Answers:  map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: x}, spec: {package: "a/provider-aws-s3:v1"}}]`},
			},
			"provider/s3", nil,
		},
		"Preview": {"A preview waits for nothing.", world{Input: `preview: true`, Answers: map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: x}, spec: {package: "a/provider-aws-s3:v1"}}]`}}, "provider/s3", nil},
		"FamilyNotInstalled": {
			"A composed family should come first: else the provider would bring a second one as its dependency.",
			world{Spec: `provider: {family: Manage}`, Observed: settled},
			"provider/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Message: "waiting for Provider upbound-provider-family-aws to be installed"},
		},
		"FamilyInstalling": {
			"It should be installed, not only created.",
			world{Spec: `provider: {family: Manage}`, Observed: map[string]string{"association/s3": settled["association/s3"], "family": `{metadata: {name: upbound-provider-family-aws}, status: {conditions: [{type: Installed, status: "False"}]}}`}},
			"provider/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Message: "waiting for Provider upbound-provider-family-aws to be installed"},
		},
		"FamilyInstalled": {
			"It need not be healthy.",
			world{Spec: `provider: {family: Manage}`, Observed: map[string]string{"association/s3": settled["association/s3"], "family": `{metadata: {name: upbound-provider-family-aws}, status: {conditions: [{type: Installed, status: "True"}]}}`}},
			"provider/s3", nil,
		},
		"FamilyPreview": {"A preview waits for nothing.", world{Spec: `provider: {family: Manage}`, Input: `preview: true`}, "provider/s3", nil},
	})
}
