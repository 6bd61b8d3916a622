package resources

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// healthyProvider is the Provider of s3 in a healthy state, followed by the keys of related requirements.
const (
	healthyProvider = `{metadata: {name: provider-aws-s3}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", runtimeConfigRef: {name: provider-aws-s3}},
		status: {currentRevision: provider-aws-s3-1, currentIdentifier: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}]}}`
	ownRevisionAsked = "ProviderRevision.pkg.crossplane.io/provider-aws-s3-1"
	nodesAsked       = "DeploymentRuntimeConfig.pkg.crossplane.io/aws-nodes"
)

// TestProviderRuns checks that the readiness of a composed Provider depends on the runtime configuration of its revision.
func TestProviderRuns(t *testing.T) {
	const overridden = `[{metadata: {name: provider-aws-s3-1}, status: {appliedImageConfigRefs: [{name: mirror, reason: RewriteImage}, {name: aws, reason: ConfigureRuntime}]}}]`
	const image = `[{metadata: {name: aws}, spec: {runtime: {configRef: {name: aws-nodes}}}}]`
	const again = `kubectl annotate providerrevision.pkg.crossplane.io provider-aws-s3-1 looked-at="$(date)" --overwrite`
	const message = "ImageConfig aws makes it run with DeploymentRuntimeConfig aws-nodes instead of provider-aws-s3, so not as ServiceAccount provider-aws-s3, which the association is for. " +
		"To do: take spec.runtime out of that ImageConfig; or create an ImageConfig that matches only xpkg.upbound.io/upbound/provider-aws-s3, with spec.runtime.configRef.name provider-aws-s3; then have Crossplane look at it again: " + again
	still := Readiness{ActionRequired: true, Message: "still runs with the settings of ImageConfig aws, which no longer applies to it: Crossplane has not looked at its revision since. To do: " + again}
	cases := map[string]struct {
		reason   string
		answers  map[string]string
		provider string
		want     Readiness
	}{
		"Ready":      {"Without an ImageConfig, the provider runs with its own config.", map[string]string{ownRevisionAsked: `[{metadata: {name: provider-aws-s3-1}}]`}, healthyProvider, Readiness{Ready: true}},
		"Unanswered": {"A missing answer does not count against it.", nil, healthyProvider, Readiness{Ready: true}},
		"Gone":       {"Neither does a deleted revision,", map[string]string{ownRevisionAsked: `[]`}, healthyProvider, Readiness{Ready: true}},
		"NoRevision": {
			"or a Provider without a revision.", nil,
			`{metadata: {name: provider-aws-s3}, status: {currentIdentifier: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}]}}`,
			Readiness{Ready: true},
		},
		"OtherConfig": {
			"With the config of an ImageConfig, the pods run as another ServiceAccount, and without credentials.",
			map[string]string{ownRevisionAsked: overridden, "ImageConfig.pkg.crossplane.io/aws": image, nodesAsked: `[{metadata: {name: aws-nodes}, spec: {deploymentTemplate: {spec: {replicas: 1}}}}]`},
			healthyProvider,
			Readiness{Failed: true, Message: message},
		},
		"OtherAccount": {
			"The same applies if that config names another ServiceAccount,",
			map[string]string{ownRevisionAsked: overridden, "ImageConfig.pkg.crossplane.io/aws": image, nodesAsked: `[{metadata: {name: aws-nodes}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws}}}}]`},
			healthyProvider,
			Readiness{Failed: true, Message: message},
		},
		"NoSuchConfig": {
			"or does not exist.",
			map[string]string{ownRevisionAsked: overridden, "ImageConfig.pkg.crossplane.io/aws": image, nodesAsked: `[]`},
			healthyProvider,
			Readiness{Failed: true, Message: message},
		},
		"SameAccount": {
			"A config with the right ServiceAccount is as good as the provider's own,",
			map[string]string{ownRevisionAsked: overridden, "ImageConfig.pkg.crossplane.io/aws": image, nodesAsked: `[{metadata: {name: aws-nodes}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws-s3}}}}]`},
			healthyProvider,
			Readiness{Ready: true},
		},
		"SameAccountOfPod": {
			"also if it names it only for the pods.",
			map[string]string{ownRevisionAsked: overridden, "ImageConfig.pkg.crossplane.io/aws": image, nodesAsked: `[{metadata: {name: aws-nodes}, spec: {deploymentTemplate: {spec: {template: {spec: {serviceAccountName: provider-aws-s3}}}}}}]`},
			healthyProvider,
			Readiness{Ready: true},
		},
		"ImageConfigGone": {
			"Crossplane does not notice that an ImageConfig is deleted: the pods still use its config.",
			map[string]string{ownRevisionAsked: overridden, "ImageConfig.pkg.crossplane.io/aws": `[]`},
			healthyProvider,
			still,
		},
		"ImageConfigChanged": {
			"Neither does it notice that the ImageConfig no longer sets the runtime.",
			map[string]string{ownRevisionAsked: overridden, "ImageConfig.pkg.crossplane.io/aws": `[{metadata: {name: aws}, spec: {rewriteImage: {prefix: x}}}]`},
			healthyProvider,
			still,
		},
		"ImageConfigUnanswered": {
			"Until it is known, the ImageConfig does not count against the provider.",
			map[string]string{ownRevisionAsked: overridden},
			healthyProvider,
			Readiness{Ready: true},
		},
		"RevisionPaused": {
			"The pods of a paused revision are not updated.",
			map[string]string{ownRevisionAsked: `[{metadata: {name: provider-aws-s3-1, annotations: {crossplane.io/paused: "true"}}}]`},
			healthyProvider,
			Readiness{ActionRequired: true, Message: "its revision provider-aws-s3-1 is paused, so Crossplane does not change it. To do: kubectl annotate providerrevision.pkg.crossplane.io provider-aws-s3-1 crossplane.io/paused-"},
		},
		"Failed": {
			"The Provider's own error is reported first.",
			map[string]string{ownRevisionAsked: overridden, "ImageConfig.pkg.crossplane.io/aws": image, nodesAsked: `[]`},
			`{metadata: {name: provider-aws-s3}, status: {currentRevision: provider-aws-s3-1, conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "False", message: boom}]}}`,
			Readiness{Failed: true, Message: "not healthy: boom"},
		},
	}
	for name, tc := range cases {
		for caller, capabilities := range map[string]bool{"v1.20": false, "v2.2": true} {
			t.Run(name+"/"+caller, func(t *testing.T) {
				all := map[string]string{providersAsked: `[]`}
				maps.Copy(all, tc.answers)
				w := world{Answers: all, Capabilities: capabilities}
				if diff := cmp.Diff(tc.want, w.resource(t, "provider/s3").Ready(observed(t, tc.provider))); diff != "" {
					t.Errorf("%s\nReady(...): -want, +got:\n%s", tc.reason, diff)
				}
			})
		}
	}
}

// TestProviderRunsAsks checks that only the revision is required while nothing overrides its configuration.
func TestProviderRunsAsks(t *testing.T) {
	c := world{Observed: map[string]string{"provider/s3": healthyProvider, "runtimeconfig/s3": `{metadata: {name: provider-aws-s3}}`}, Answers: map[string]string{ownRevisionAsked: `[{metadata: {name: provider-aws-s3-1}}]`}}.context(t)
	Provider(c, c.Identity.Services[0]).Ready(c.View.Observed("provider/s3"))
	got := map[string]bool{}
	for key := range c.View.Requirements.Proto().GetExtraResources() { //nolint:staticcheck // Crossplane before 2.2 knows no other field.
		got[key] = true
	}
	if want := map[string]bool{ownRevisionAsked: true}; !cmp.Equal(want, onlyPackages(got)) {
		t.Errorf("want required packages %v, got %v", want, got)
	}

	installing := strings.Replace(healthyProvider, `{type: Healthy, status: "True"}`, `{type: Healthy, status: "False"}`, 1)
	c = world{Observed: map[string]string{"provider/s3": installing, "runtimeconfig/s3": `{metadata: {name: provider-aws-s3}}`}, Answers: map[string]string{providersAsked: `[]`}}.context(t)
	Provider(c, c.Identity.Services[0]).Ready(c.View.Observed("provider/s3"))
	if c.View.Requirements.Proto().GetExtraResources()[ownRevisionAsked] != nil { //nolint:staticcheck // See above.
		t.Error("the revision of a Provider that is being installed should not be required: Crossplane v2.4 then calls the function for each of its many writes")
	}
}

func onlyPackages(asked map[string]bool) map[string]bool {
	out := maps.Clone(asked)
	maps.DeleteFunc(out, func(key string, _ bool) bool {
		return key != ownRevisionAsked && key != providersAsked && key != nodesAsked
	})
	return out
}
