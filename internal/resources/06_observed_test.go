package resources

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// theirs is a Provider that a platform team installed, with a runtime configuration of its own.
const theirs = `{metadata: {name: team-s3}, spec: {package: "registry.example.org/mirror/provider-aws-s3:v2.4.0", runtimeConfigRef: {name: team}},
  status: {currentRevision: team-s3-1, currentIdentifier: "registry.example.org/mirror/provider-aws-s3:v2.4.0", conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}]}}`

// The questions about a Provider that somebody else installed.
const (
	providersAsked = "all/Provider.pkg.crossplane.io"
	providerAsked  = "Provider.pkg.crossplane.io/team-s3"
	revisionAsked  = "ProviderRevision.pkg.crossplane.io/team-s3-1"
	imageAsked     = "ImageConfig.pkg.crossplane.io/aws"
	teamAsked      = "DeploymentRuntimeConfig.pkg.crossplane.io/team"
	defaultAsked   = "DeploymentRuntimeConfig.pkg.crossplane.io/default"
)

// observing is a world in which the provider of s3 is somebody else's and everything about it is right, but for the answers.
func observing(answers map[string]string) world {
	all := map[string]string{
		providersAsked: `[` + theirs + `]`,
		revisionAsked:  `[{metadata: {name: team-s3-1}}]`,
		teamAsked:      `[{metadata: {name: team}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws-s3}}}}]`,
	}
	maps.Copy(all, answers)
	return world{Spec: `services: [{name: s3, management: Observe}]`, Answers: all}
}

func TestObservedProvider(t *testing.T) {
	const key = "observed-provider/s3"
	const none = "management is Observe, and none is installed: install it when the association is ready, with a DeploymentRuntimeConfig that sets spec.serviceAccountTemplate.metadata.name to provider-aws-s3"
	const create = "create a DeploymentRuntimeConfig that sets spec.serviceAccountTemplate.metadata.name to provider-aws-s3, and "
	const again = `kubectl annotate providerrevision.pkg.crossplane.io team-s3-1 looked-at="$(date)" --overwrite`
	const wrong = "does not run as ServiceAccount provider-aws-s3, which the association is for: "
	missing := &Wait{Reason: v1alpha1.ReasonMissing, Subject: "Provider of xpkg.upbound.io/upbound/provider-aws-s3", Message: none}
	failed := func(message string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonFailed, Subject: "Provider team-s3", Message: message}
	}
	looking := &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider team-s3", Message: "looking for its DeploymentRuntimeConfig"}
	provider := func(pkg, rest string) map[string]string {
		return map[string]string{providersAsked: `[{metadata: {name: team-s3}, spec: {package: "` + pkg + `", runtimeConfigRef: {name: team}}, ` + rest + `}]`}
	}
	with := func(w world, f func(*world)) world {
		f(&w)
		return w
	}
	const pkg = "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"
	const overridden = `[{metadata: {name: team-s3-1}, status: {appliedImageConfigRefs: [{name: pull, reason: SetImagePullSecret}, {name: aws, reason: ConfigureRuntime}]}}]`
	const image = `[{metadata: {name: aws}, spec: {runtime: {configRef: {name: from-image}}}}]`
	testWait(t, map[string]waitCase{
		"Ready":   {"A provider that is healthy and runs as the ServiceAccount should be all that is asked for, from whatever registry.", observing(nil), key, nil},
		"Preview": {"A preview should not look at a cluster.", world{Spec: `services: [{name: s3, management: Observe}]`, Input: `preview: true`}, key, nil},
		"Looking": {"Nothing should be said of Providers before they are known.", observing(map[string]string{providersAsked: unanswered}), key, &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for a Provider of xpkg.upbound.io/upbound/provider-aws-s3"}},
		"None":    {"Without a Provider it should be said that one is missing, and how to install it.", observing(map[string]string{providersAsked: `[]`}), key, missing},
		"Others":  {"One of another package is none.", observing(provider("xpkg.upbound.io/upbound/provider-aws-s3control:v2.5.0", "")), key, missing},
		"Ours":    {"Nor is our own, from when the service was not observed: it is on its way out.", observing(provider(pkg, `status: {}`)).owned(), key, missing},
		"ByName":  {"One of the usual name is, whatever its package is called.", observing(map[string]string{providersAsked: `[{metadata: {name: provider-aws-s3}, spec: {package: "mirror.example.org/s3:v1.0.0", runtimeConfigRef: {name: team}}}]`}), key, &Wait{Reason: v1alpha1.ReasonCreating, Subject: "Provider provider-aws-s3", Message: "being installed"}},

		"DefaultConfig": {
			"The runtime configuration that packages share must not be changed for one of them.",
			observing(map[string]string{
				providersAsked: `[{metadata: {name: team-s3}, spec: {package: "` + pkg + `"}}]`,
				defaultAsked:   `[{metadata: {name: default}, spec: {}}]`,
			}), key,
			failed(wrong + "its DeploymentRuntimeConfig default is the one that packages share, so " + create + "set the Provider's spec.runtimeConfigRef.name to it"),
		},
		"NoAccount":       {"A configuration of its own should be fixed where it is.", observing(map[string]string{teamAsked: `[{metadata: {name: team}, spec: {}}]`}), key, failed(wrong + "set spec.serviceAccountTemplate.metadata.name of DeploymentRuntimeConfig team to it")},
		"WrongAccount":    {"So should one with another name.", observing(map[string]string{teamAsked: `[{metadata: {name: team}, spec: {serviceAccountTemplate: {metadata: {name: other}}}}]`}), key, failed(wrong + "set spec.serviceAccountTemplate.metadata.name of DeploymentRuntimeConfig team to it")},
		"PodAccount":      {"The ServiceAccount of the pods themselves is as good.", observing(map[string]string{teamAsked: `[{metadata: {name: team}, spec: {deploymentTemplate: {spec: {template: {spec: {serviceAccountName: provider-aws-s3}}}}}}]`}), key, nil},
		"WrongPodAccount": {"It counts more than the one that Crossplane makes, and then is what to fix.", observing(map[string]string{teamAsked: `[{metadata: {name: team}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws-s3}}, deploymentTemplate: {spec: {template: {spec: {serviceAccountName: other}}}}}}]`}), key, failed(wrong + "set spec.deploymentTemplate.spec.template.spec.serviceAccountName of DeploymentRuntimeConfig team to it")},
		"NoConfig":        {"A configuration that does not exist should be told.", observing(map[string]string{teamAsked: `[]`}), key, failed("its DeploymentRuntimeConfig team does not exist: " + create + "set the Provider's spec.runtimeConfigRef.name to it")},
		"OwnAccount":      {"The service's ServiceAccount is what counts.", with(observing(nil), func(w *world) { w.Spec = `services: [{name: s3, management: Observe, serviceAccountName: sa}]` }), key, failed("does not run as ServiceAccount sa, which the association is for: set spec.serviceAccountTemplate.metadata.name of DeploymentRuntimeConfig team to it")},
		"LookingConfig":   {"Nothing should be said of a configuration before it is known.", observing(map[string]string{teamAsked: unanswered}), key, looking},

		"LookingRevision": {"Nor before it is known whether it is the one.", observing(map[string]string{revisionAsked: unanswered}), key, looking},
		"LookingImage":    {"Nor while what replaces it is not.", observing(map[string]string{revisionAsked: overridden, imageAsked: unanswered}), key, looking},
		"ImageConfig":     {"An ImageConfig may bring the configuration that counts, and that may be right,", observing(map[string]string{revisionAsked: overridden, imageAsked: image, teamAsked: `[]`, "DeploymentRuntimeConfig.pkg.crossplane.io/from-image": `[{metadata: {name: from-image}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws-s3}}}}]`}), key, nil},
		"WrongImage":      {"or not.", observing(map[string]string{revisionAsked: overridden, imageAsked: image, "DeploymentRuntimeConfig.pkg.crossplane.io/from-image": `[]`}), key, failed("its DeploymentRuntimeConfig from-image does not exist: " + create + "set spec.runtime.configRef.name of ImageConfig aws to it; then have Crossplane look at it again: " + again)},
		"ImageGone": {
			"Crossplane does not notice that one is gone.", observing(map[string]string{revisionAsked: overridden, imageAsked: `[]`}), key,
			&Wait{Reason: v1alpha1.ReasonActionRequired, Subject: "Provider team-s3", Message: "still runs with what ImageConfig aws gave it, although that decides nothing about it any more: Crossplane has not looked at its revision since. To do: " + again},
		},
		"RevisionPaused": {"A paused revision does not change its pods.", observing(map[string]string{revisionAsked: `[{metadata: {name: team-s3-1, annotations: {crossplane.io/paused: "true"}}}]`}), key, &Wait{Reason: v1alpha1.ReasonActionRequired, Subject: "Provider team-s3", Message: "its revision team-s3-1 is paused, so Crossplane does not change it. To do: kubectl annotate providerrevision.pkg.crossplane.io team-s3-1 crossplane.io/paused-"}},
		"RevisionGone":   {"Nor does a revision.", observing(map[string]string{revisionAsked: `[]`}), key, nil},

		"NotInstalled": {"A Provider that is not installed is not ready.", observing(provider(pkg, `status: {}`)), key, &Wait{Reason: v1alpha1.ReasonCreating, Subject: "Provider team-s3", Message: "being installed"}},
		"Unhealthy":    {"One that is not healthy has failed, and says why.", observing(provider(pkg, `status: {conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "False", message: boom}]}`)), key, failed("not healthy: boom")},
		"Upgrading":    {"One that is at another version than its package is not ready.", observing(provider(pkg, `status: {currentIdentifier: "a:v1", conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}]}`)), key, &Wait{Reason: v1alpha1.ReasonCreating, Subject: "Provider team-s3", Message: "at a:v1, changing to " + pkg}},
	})
}

// owned makes everything that the world's Providers are the composite resource's own.
func (w world) owned() world {
	w.Answers[providersAsked] = `[{metadata: {name: team-s3, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}]`
	return w
}

// TestObservedProviderQuestions makes sure that all Providers are asked for only until one is found, and that the same one is
// found again.
func TestObservedProviderQuestions(t *testing.T) {
	const status = `status: {services: [{name: ec2, providerName: other}, {name: s3, providerName: team-s3}]}`
	const another = `{metadata: {name: a}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}`
	cases := map[string]struct {
		reason, xr string
		answers    map[string]string
		want       string
		asked      map[string]bool
	}{
		"First":      {"At first all Providers should be asked for.", ``, nil, "team-s3", map[string]bool{providersAsked: true}},
		"Remembered": {"Then only the one.", status, map[string]string{providerAsked: `[` + theirs + `]`, providersAsked: unanswered}, "team-s3", map[string]bool{providerAsked: true}},
		"Sticky":     {"Whatever others there are.", status, map[string]string{providerAsked: `[` + theirs + `]`, providersAsked: `[` + another + `]`}, "team-s3", map[string]bool{providerAsked: true}},
		"Asking":     {"While there is no answer there is none.", status, map[string]string{providerAsked: unanswered}, "", map[string]bool{providerAsked: true}},
		"Gone":       {"One that is gone should be looked for again.", status, map[string]string{providerAsked: `[]`, providersAsked: `[` + another + `]`}, "a", map[string]bool{providerAsked: true, providersAsked: true}},
		"Changed":    {"So should one that installs something else now.", status, map[string]string{providerAsked: `[{metadata: {name: team-s3}, spec: {package: other}}]`, providersAsked: `[]`}, "", map[string]bool{providerAsked: true, providersAsked: true}},
		"Forgotten":  {"Another service's Provider is none of this one's.", `status: {services: [{name: ec2, providerName: team-s3}]}`, nil, "team-s3", map[string]bool{providersAsked: true}},
		"First ABC":  {"Of several the first by name is as good as any, in whatever order they come.", ``, map[string]string{providersAsked: `[` + theirs + `, ` + another + `]`}, "a", map[string]bool{providersAsked: true}},
		"Package":    {"But one of the package is better than one of the name.", ``, map[string]string{providersAsked: `[{metadata: {name: provider-aws-s3}, spec: {package: "x/s3:v1"}}, ` + theirs + `]`}, "team-s3", map[string]bool{providersAsked: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := observing(tc.answers)
			w.XR = tc.xr
			c := w.context(t)
			r := ObservedProvider(c, c.Identity.Services[0])
			if r.Name != tc.want || r.Seen.Name() != tc.want {
				t.Errorf("%s\nObservedProvider(...): want Provider %q, got %q and %q", tc.reason, tc.want, r.Name, r.Seen.Name())
			}
			got := map[string]bool{}
			for key := range c.View.Requirements.Proto().GetExtraResources() { //nolint:staticcheck // Callers before 2.2 know no other.
				if key == providersAsked || key == providerAsked {
					got[key] = true
				}
			}
			if diff := cmp.Diff(tc.asked, got); diff != "" {
				t.Errorf("%s\nquestions about Providers: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestObservedProviderAbsent(t *testing.T) {
	testAbsent(t, map[string]absentCase{
		"Managed": {"A provider that is composed is not looked for.", `services: [{name: s3}]`, []string{"observed-provider/"}},
	})
}

// TestObservedProviderHoldsBackNothing makes sure that the rest of a service does not wait for somebody else's provider.
func TestObservedProviderHoldsBackNothing(t *testing.T) {
	for _, answers := range []map[string]string{{providersAsked: `[]`}, {teamAsked: `[]`}, {providersAsked: unanswered}} {
		for _, r := range observing(answers).composed(t) {
			if r.Condition == v1alpha1.ConditionIdentityReady && r.Wait != nil {
				t.Errorf("%v: %s should not wait for somebody else's provider: %+v", answers, r.Key, r.Wait)
			}
		}
	}
	if o := observing(nil).resource(t, "observed-provider/s3"); !o.Check() || o.Seen == (view.Object{}) {
		t.Errorf("want a check of what was seen, got %+v", o)
	}
}
