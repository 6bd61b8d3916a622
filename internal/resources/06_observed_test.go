package resources

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// theirs is a Provider that a platform team installed, with its own runtime configuration.
const theirs = `{metadata: {name: team-s3}, spec: {package: "registry.example.org/mirror/provider-aws-s3:v2.4.0", runtimeConfigRef: {name: team}},
  status: {currentRevision: team-s3-1, currentIdentifier: "registry.example.org/mirror/provider-aws-s3:v2.4.0", conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}]}}`

// These are the keys of the requirements for a Provider that another owner installed.
const (
	providersAsked = "all/Provider.pkg.crossplane.io"
	providerAsked  = "Provider.pkg.crossplane.io/team-s3"
	revisionAsked  = "ProviderRevision.pkg.crossplane.io/team-s3-1"
	imageAsked     = "ImageConfig.pkg.crossplane.io/aws"
	teamAsked      = "DeploymentRuntimeConfig.pkg.crossplane.io/team"
	defaultAsked   = "DeploymentRuntimeConfig.pkg.crossplane.io/default"
)

// observing returns a world in which another owner's provider of s3 is correctly configured, except for the given answers.
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
		"Ready":   {"A provider that is healthy and runs as the ServiceAccount is sufficient, from any registry.", observing(nil), key, nil},
		"Preview": {"A preview does not read the cluster.", world{Spec: `services: [{name: s3, management: Observe}]`, Input: `preview: true`}, key, nil},
		"Looking": {"Nothing is reported about Providers before they are known.", observing(map[string]string{providersAsked: unanswered}), key, &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for a Provider of xpkg.upbound.io/upbound/provider-aws-s3"}},
		"None":    {"A missing Provider is reported, with how to install it.", observing(map[string]string{providersAsked: `[]`}), key, missing},
		"Others":  {"A Provider with another package does not count.", observing(provider("xpkg.upbound.io/upbound/provider-aws-s3control:v2.5.0", "")), key, missing},
		"Ours":    {"Neither does the composite resource's own from before the service was observed: it is being removed.", observing(provider(pkg, `status: {}`)).owned(), key, missing},
		"ByName":  {"A Provider with the default name counts, regardless of its package.", observing(map[string]string{providersAsked: `[{metadata: {name: provider-aws-s3}, spec: {package: "mirror.example.org/s3:v1.0.0", runtimeConfigRef: {name: team}}}]`}), key, &Wait{Reason: v1alpha1.ReasonCreating, Subject: "Provider provider-aws-s3", Message: "being installed"}},

		"DefaultConfig": {
			"The runtime configuration that packages share must not be changed for one of them.",
			observing(map[string]string{
				providersAsked: `[{metadata: {name: team-s3}, spec: {package: "` + pkg + `"}}]`,
				defaultAsked:   `[{metadata: {name: default}, spec: {}}]`,
			}), key,
			failed(wrong + "its DeploymentRuntimeConfig default is the one that packages share, so " + create + "set the Provider's spec.runtimeConfigRef.name to it"),
		},
		"NoAccount":       {"The Provider's own configuration is to be fixed in place.", observing(map[string]string{teamAsked: `[{metadata: {name: team}, spec: {}}]`}), key, failed(wrong + "set spec.serviceAccountTemplate.metadata.name of DeploymentRuntimeConfig team to it")},
		"WrongAccount":    {"So is one with another name.", observing(map[string]string{teamAsked: `[{metadata: {name: team}, spec: {serviceAccountTemplate: {metadata: {name: other}}}}]`}), key, failed(wrong + "set spec.serviceAccountTemplate.metadata.name of DeploymentRuntimeConfig team to it")},
		"PodAccount":      {"The ServiceAccount may be set on the pods themselves.", observing(map[string]string{teamAsked: `[{metadata: {name: team}, spec: {deploymentTemplate: {spec: {template: {spec: {serviceAccountName: provider-aws-s3}}}}}}]`}), key, nil},
		"WrongPodAccount": {"It overrides the one that Crossplane creates, and then is the one to fix.", observing(map[string]string{teamAsked: `[{metadata: {name: team}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws-s3}}, deploymentTemplate: {spec: {template: {spec: {serviceAccountName: other}}}}}}]`}), key, failed(wrong + "set spec.deploymentTemplate.spec.template.spec.serviceAccountName of DeploymentRuntimeConfig team to it")},
		"NoConfig":        {"A missing configuration is reported.", observing(map[string]string{teamAsked: `[]`}), key, failed("its DeploymentRuntimeConfig team does not exist: " + create + "set the Provider's spec.runtimeConfigRef.name to it")},
		"OwnAccount":      {"The service's own ServiceAccount counts.", with(observing(nil), func(w *world) { w.Spec = `services: [{name: s3, management: Observe, serviceAccountName: sa}]` }), key, failed("does not run as ServiceAccount sa, which the association is for: set spec.serviceAccountTemplate.metadata.name of DeploymentRuntimeConfig team to it")},
		"LookingConfig":   {"Nothing is reported about a configuration before it is known,", observing(map[string]string{teamAsked: unanswered}), key, looking},

		"LookingRevision": {"before it is known which one is used,", observing(map[string]string{revisionAsked: unanswered}), key, looking},
		"LookingImage":    {"or before its replacement is known.", observing(map[string]string{revisionAsked: overridden, imageAsked: unanswered}), key, looking},
		"ImageConfig":     {"An ImageConfig may set the configuration in use, and that may be right,", observing(map[string]string{revisionAsked: overridden, imageAsked: image, teamAsked: `[]`, "DeploymentRuntimeConfig.pkg.crossplane.io/from-image": `[{metadata: {name: from-image}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws-s3}}}}]`}), key, nil},
		"WrongImage":      {"or not.", observing(map[string]string{revisionAsked: overridden, imageAsked: image, "DeploymentRuntimeConfig.pkg.crossplane.io/from-image": `[]`}), key, failed("its DeploymentRuntimeConfig from-image does not exist: " + create + "set spec.runtime.configRef.name of ImageConfig aws to it; then have Crossplane look at it again: " + again)},
		"ImageGone": {
			"Crossplane does not notice that an ImageConfig is deleted.", observing(map[string]string{revisionAsked: overridden, imageAsked: `[]`}), key,
			&Wait{Reason: v1alpha1.ReasonActionRequired, Subject: "Provider team-s3", Message: "still runs with the settings of ImageConfig aws, which no longer applies to it: Crossplane has not looked at its revision since. To do: " + again},
		},
		"RevisionPaused": {"A paused revision does not change its pods.", observing(map[string]string{revisionAsked: `[{metadata: {name: team-s3-1, annotations: {crossplane.io/paused: "true"}}}]`}), key, &Wait{Reason: v1alpha1.ReasonActionRequired, Subject: "Provider team-s3", Message: "its revision team-s3-1 is paused, so Crossplane does not change it. To do: kubectl annotate providerrevision.pkg.crossplane.io team-s3-1 crossplane.io/paused-"}},
		"RevisionGone":   {"A deleted revision does not count against the provider.", observing(map[string]string{revisionAsked: `[]`}), key, nil},

		"NotInstalled": {"A Provider that is not installed is not ready.", observing(provider(pkg, `status: {}`)), key, &Wait{Reason: v1alpha1.ReasonCreating, Subject: "Provider team-s3", Message: "being installed"}},
		"Unhealthy":    {"An unhealthy Provider has failed, and the reason is quoted.", observing(provider(pkg, `status: {conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "False", message: boom}]}`)), key, failed("not healthy: boom")},
		"Upgrading":    {"A Provider with another version than that of its package is not ready.", observing(provider(pkg, `status: {currentIdentifier: "a:v1", conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}]}`)), key, &Wait{Reason: v1alpha1.ReasonCreating, Subject: "Provider team-s3", Message: "at a:v1, changing to " + pkg}},
	})
}

// owned makes the composite resource the owner of the world's Providers.
func (w world) owned() world {
	w.Answers[providersAsked] = `[{metadata: {name: team-s3, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}]`
	return w
}

// TestObservedProviderQuestions checks that all Providers are required only until one is found, and that the same one is found again.
func TestObservedProviderQuestions(t *testing.T) {
	const status = `status: {services: [{name: ec2, providerName: other}, {name: s3, providerName: team-s3}]}`
	const another = `{metadata: {name: a}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}`
	cases := map[string]struct {
		reason, xr string
		answers    map[string]string
		want       string
		asked      map[string]bool
	}{
		"First":      {"At first, all Providers are required,", ``, nil, "team-s3", map[string]bool{providersAsked: true}},
		"Remembered": {"then only the known one,", status, map[string]string{providerAsked: `[` + theirs + `]`, providersAsked: unanswered}, "team-s3", map[string]bool{providerAsked: true}},
		"Sticky":     {"even if there are others.", status, map[string]string{providerAsked: `[` + theirs + `]`, providersAsked: `[` + another + `]`}, "team-s3", map[string]bool{providerAsked: true}},
		"Asking":     {"While there is no answer, there is no Provider.", status, map[string]string{providerAsked: unanswered}, "", map[string]bool{providerAsked: true}},
		"Gone":       {"A deleted Provider is looked up again.", status, map[string]string{providerAsked: `[]`, providersAsked: `[` + another + `]`}, "a", map[string]bool{providerAsked: true, providersAsked: true}},
		"Changed":    {"So is one whose package has changed.", status, map[string]string{providerAsked: `[{metadata: {name: team-s3}, spec: {package: other}}]`, providersAsked: `[]`}, "", map[string]bool{providerAsked: true, providersAsked: true}},
		"Forgotten":  {"The Provider of another service does not count.", `status: {services: [{name: ec2, providerName: team-s3}]}`, nil, "team-s3", map[string]bool{providersAsked: true}},
		"First ABC":  {"Of several, the first by name counts, in any order of the answer.", ``, map[string]string{providersAsked: `[` + theirs + `, ` + another + `]`}, "a", map[string]bool{providersAsked: true}},
		"Package":    {"A Provider with the package takes precedence over one with the name.", ``, map[string]string{providersAsked: `[{metadata: {name: provider-aws-s3}, spec: {package: "x/s3:v1"}}, ` + theirs + `]`}, "team-s3", map[string]bool{providersAsked: true}},
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
			for key := range c.View.Requirements.Proto().GetExtraResources() { //nolint:staticcheck // Crossplane before 2.2 knows no other field.
				if key == providersAsked || key == providerAsked {
					got[key] = true
				}
			}
			if diff := cmp.Diff(tc.asked, got); diff != "" {
				t.Errorf("%s\nrequired Providers: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestObservedProviderAbsent(t *testing.T) {
	testAbsent(t, map[string]absentCase{
		"Managed": {"A composed provider is not looked up.", `services: [{name: s3}]`, []string{"observed-provider/"}},
	})
}

// TestObservedProviderHoldsBackNothing checks that the rest of a service does not wait for another owner's provider.
func TestObservedProviderHoldsBackNothing(t *testing.T) {
	for _, answers := range []map[string]string{{providersAsked: `[]`}, {teamAsked: `[]`}, {providersAsked: unanswered}} {
		for _, r := range observing(answers).composed(t) {
			if r.Condition == v1alpha1.ConditionIdentityReady && r.Wait != nil {
				t.Errorf("%v: %s should not wait for another owner's provider: %+v", answers, r.Key, r.Wait)
			}
		}
	}
	if o := observing(nil).resource(t, "observed-provider/s3"); !o.Check() || o.Seen == (view.Object{}) {
		t.Errorf("want a check of the observed object, got %+v", o)
	}
}
