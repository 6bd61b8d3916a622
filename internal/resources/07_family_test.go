package resources

import (
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

func TestFamily(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Default": {
			reason: "The family has the name that the dependency resolver would give it, and no runtime config, because it needs no credentials.",
			world:  world{Spec: `provider: {family: Manage}`},
			key:    "family",
			want: `
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: upbound-provider-family-aws}
spec: {package: "xpkg.upbound.io/upbound/provider-family-aws:v2.5.0"}
`,
		},
		"Everything": {
			reason: "All options of packages are passed on.",
			world: world{Spec: `
provider:
  family: Manage
  registry: registry.example.org/mirror
  packagePullPolicy: Always
  packagePullSecrets: [{name: a}]
  revisionActivationPolicy: Automatic
  revisionHistoryLimit: 2
  skipDependencyResolution: true
  ignoreCrossplaneConstraints: false
  commonLabels: {team: a}
`},
			key: "family",
			want: `
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: mirror-provider-family-aws}
spec:
  package: registry.example.org/mirror/provider-family-aws:v2.5.0
  packagePullPolicy: Always
  packagePullSecrets: [{name: a}]
  revisionActivationPolicy: Automatic
  revisionHistoryLimit: 2
  skipDependencyResolution: true
  ignoreCrossplaneConstraints: false
  commonLabels: {team: a}
`,
		},
	})
}

func TestFamilyAbsent(t *testing.T) {
	testAbsent(t, map[string]absentCase{
		"Default": {"By default, Crossplane installs the family as a dependency.", ``, []string{"family"}},
		"Observe": {"The same applies if the family is observed.", `provider: {family: Observe}`, []string{"family"}},
	})
}

func TestFamilyWait(t *testing.T) {
	const spec = `provider: {family: Manage}`
	testWait(t, map[string]waitCase{
		"Nothing": {"The family does not wait for an association.", world{Spec: spec}, "family", nil},
		"Looking": {
			"Until the existing Providers are known, one may conflict.",
			world{Spec: spec, Answers: map[string]string{"all/Provider.pkg.crossplane.io": unanswered}},
			"family",
			&Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other Providers of xpkg.upbound.io/upbound/provider-family-aws"},
		},
		"Resolved": {
			"A family that the resolver installed is not changed.",
			world{Spec: spec, Answers: map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: upbound-provider-family-aws}, spec: {package: "xpkg.upbound.io/upbound/provider-family-aws:v2.5.0"}}]`}},
			"family",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "Provider upbound-provider-family-aws",
				Message: "of package xpkg.upbound.io/upbound/provider-family-aws:v2.5.0 exists and no composite resource made it: set provider.family: Observe",
			},
		},
		"OtherName": {
			"A second family with another name would break the package manager, too.",
			world{Spec: spec, Answers: map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: provider-family-aws}, spec: {package: "registry.example.org/mirror/provider-family-aws@sha256:0"}}]`}},
			"family",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "Provider provider-family-aws",
				Message: "of package registry.example.org/mirror/provider-family-aws@sha256:0 exists and no composite resource made it: set provider.family: Observe",
			},
		},
		"OtherXR": {
			"Only one composite resource can manage the family.",
			world{Spec: spec, Answers: map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: upbound-provider-family-aws, ownerReferences: [{kind: PodIdentityProvider, name: other, uid: u-2, controller: true}]}, spec: {package: "xpkg.upbound.io/upbound/provider-family-aws:v2.5.0"}}]`}},
			"family",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "Provider upbound-provider-family-aws",
				Message: "of package xpkg.upbound.io/upbound/provider-family-aws:v2.5.0 exists and belongs to PodIdentityProvider other: set provider.family: Observe",
			},
		},
		"Ours": {
			"The composite resource's own family is no conflict, even before Crossplane observes it.",
			world{Spec: spec, Answers: map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: upbound-provider-family-aws, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}, spec: {package: "xpkg.upbound.io/upbound/provider-family-aws:v2.5.0"}}]`}},
			"family", nil,
		},
		"Preview": {"A preview waits for nothing.", world{Spec: spec, Input: `preview: true`, Answers: map[string]string{"all/Provider.pkg.crossplane.io": unanswered}}, "family", nil},
	})
}

func TestFamilyReady(t *testing.T) {
	r := world{Spec: `provider: {family: Manage}`}.resource(t, "family")
	const doc = `status: {conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}], currentIdentifier: "xpkg.upbound.io/upbound/provider-family-aws:`
	if got := r.Ready(observed(t, doc+`v2.5.0"}`)); got != (Readiness{Ready: true}) {
		t.Errorf("Ready(...) for the desired package: got %+v", got)
	}
	if got := r.Ready(observed(t, doc+`v2.4.0"}`)); got.Ready {
		t.Errorf("Ready(...) for another package: got %+v", got)
	}
}
