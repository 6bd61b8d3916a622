package resources

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// These are the keys of the requirements for the pods of a provider.
const (
	guardAsked     = "DeploymentRuntimeConfig.pkg.crossplane.io/pod-identity-provider-may-read-pods"
	podsAsked      = "Pod/pkg.crossplane.io/revision=provider-aws-s3-1"
	theirPodsAsked = "Pod/pkg.crossplane.io/revision=team-s3-1"
)

const (
	guard = `[{metadata: {name: pod-identity-provider-may-read-pods}}]`
	// known is the digest of associationOf.
	known = "ccc5fc40"
	// without lists what a pod without injected credentials is missing.
	without = "(no AWS_CONTAINER_CREDENTIALS_FULL_URI, no AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, no token for pods.eks.amazonaws.com)"
	// long is a time since which associationOf has been ready for long; young and old are pods created after and before it.
	long, young, old = "2025-12-31T12:00:00Z", "2025-12-31T13:00:00Z", "2025-12-31T11:00:00Z"
)

// A pod is a pod of a provider.
type pod struct {
	name, created      string
	digest, restarted  string
	env                []string
	token              bool
	account            string
	meta, spec, status string
}

// injectedPod returns a pod with everything that EKS injects.
func injectedPod(name, digest, restarted string) pod {
	return pod{name: name, created: young, digest: digest, restarted: restarted, env: []string{envCredentials, envToken}, token: true}
}

// barePod returns a pod without any of it.
func barePod(created, digest, restarted string) pod {
	return pod{name: "a", created: created, digest: digest, restarted: restarted}
}

func (p pod) with(f func(*pod)) pod {
	f(&p)
	return p
}

func (p pod) String() string {
	annotations := map[string]string{"aws.podidentity.dev/identity": p.digest, "aws.podidentity.dev/restarted-for": p.restarted}
	var as, env []string
	for k, v := range annotations {
		if v != "" {
			as = append(as, k+": "+v)
		}
	}
	for _, name := range p.env {
		env = append(env, "{name: "+name+", value: x}")
	}
	volume := ""
	if p.token {
		volume = `{name: eks-pod-identity-token, projected: {sources: [{serviceAccountToken: {audience: pods.eks.amazonaws.com, path: eks-pod-identity-token}}]}}`
	}
	account := p.account
	if account == "" {
		account = "provider-aws-s3"
	}
	return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {namespace: crossplane-system, name: %s, creationTimestamp: "%s", annotations: {%s}%s},
		spec: {serviceAccountName: %s, containers: [{name: sidecar}, {name: package-runtime, env: [%s]}], volumes: [%s]%s}, status: {phase: Running%s}}`,
		p.name, p.created, strings.Join(as, ", "), p.meta, account, strings.Join(env, ", "), volume, p.spec, p.status)
}

func podList(ps ...pod) string {
	var out []string
	for _, p := range ps {
		out = append(out, p.String())
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// verifying returns a world in which the credentials of s3 are verified, its association has been ready since the given time, and its
// config has the given annotations.
func verifying(since, digest, restarted string, answers map[string]string) world {
	all := map[string]string{guardAsked: guard, podsAsked: podList(injectedPod("a", digest, restarted))}
	maps.Copy(all, answers)
	return world{
		Spec: `runtime: {verifyCredentials: true}`,
		Observed: map[string]string{
			"association/s3":   associationOf(since),
			"runtimeconfig/s3": fmt.Sprintf(`{kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-s3}, spec: {deploymentTemplate: {spec: {template: {metadata: {annotations: {aws.podidentity.dev/identity: %q, aws.podidentity.dev/restarted-for: %q}}}}}}}`, digest, restarted),
			"provider/s3":      `{kind: Provider, metadata: {name: provider-aws-s3}, status: {currentRevision: provider-aws-s3-1}}`,
		},
		Answers: all,
	}
}

// meeting returns a verifying world whose provider has the given pods.
func meeting(restarted string, ps ...pod) world {
	return verifying(long, known, restarted, map[string]string{podsAsked: podList(ps...)})
}

func TestCredentials(t *testing.T) {
	const key, subject = "credentials/s3", "Provider provider-aws-s3"
	wait := func(reason v1alpha1.Reason, message string) *Wait {
		return &Wait{Reason: reason, Subject: subject, Message: message}
	}
	failed := func(message string) *Wait { return wait(v1alpha1.ReasonFailed, "its pods "+message) }
	creating := func(message string) *Wait { return wait(v1alpha1.ReasonCreating, "its pods "+message) }
	restarting := creating("are being restarted. If that lasts, see why: kubectl describe deployment provider-aws-s3-1 -n crossplane-system")
	installing := &Wait{Reason: v1alpha1.ReasonWaiting, Message: "the pods of the provider are looked at as soon as it is installed"}
	missing := &Wait{Reason: v1alpha1.ReasonMissing, Subject: "verifyCredentials", Message: "Crossplane may not read pods, apply manifests/verify-credentials.yaml, or set it to false"}
	const injectedNothing = "though they are younger than the association: EKS injected nothing"
	const younger = injectedNothing + ". To do: check that this is cluster prod, and that it has the agent: " +
		"aws eks describe-addon --cluster-name prod --region eu-west-1 --addon-name eks-pod-identity-agent; then kubectl rollout restart deployment provider-aws-s3-1 -n crossplane-system"
	bare := barePod(young, known, known)
	testWait(t, map[string]waitCase{
		"Injected": {"A pod with both variables and the token has credentials.", meeting("", injectedPod("a", known, "")), key, nil},
		"Replicas": {"The same applies to all of several pods.", meeting("", injectedPod("a", known, ""), injectedPod("b", known, "")), key, nil},

		// Not known yet.
		"Preview":      {"A preview does not check pods.", world{Spec: `runtime: {verifyCredentials: true}`, Input: `preview: true`}, key, &Wait{Reason: v1alpha1.ReasonWaiting, Message: "a preview does not look at pods"}},
		"GuardAsked":   {"It must be known whether Crossplane may read pods.", verifying(long, known, "", map[string]string{guardAsked: unanswered}), key, &Wait{Reason: v1alpha1.ReasonWaiting, Message: "checking whether Crossplane may read pods"}},
		"NoGuard":      {"If Crossplane may not read pods, the message says how to allow it.", verifying(long, known, "", map[string]string{guardAsked: `[]`, podsAsked: unanswered}), key, missing},
		"GuardGoing":   {"The permission is about to be revoked.", verifying(long, known, "", map[string]string{guardAsked: `[{metadata: {name: x, deletionTimestamp: "2025-12-31T12:00:00Z"}}]`}), key, missing},
		"NoProvider":   {"There are no pods before the provider exists,", with(verifying(long, known, "", nil), func(w *world) { delete(w.Observed, "provider/s3") }), key, installing},
		"NoRevision":   {"or before it is installed.", with(verifying(long, known, "", nil), func(w *world) { w.Observed["provider/s3"] = `{kind: Provider, metadata: {name: provider-aws-s3}}` }), key, installing},
		"PodsAsked":    {"Pods are required.", verifying(long, known, "", map[string]string{podsAsked: unanswered}), key, wait(v1alpha1.ReasonWaiting, "looking at its pods")},
		"NoPods":       {"Without pods, nothing is known.", meeting(""), key, wait(v1alpha1.ReasonWaiting, "has no pods yet")},
		"OtherPlace":   {"A pod in another namespace belongs to another owner.", meeting("", injectedPod("a", known, "").with(func(p *pod) { p.meta = ", namespace: default" })), key, wait(v1alpha1.ReasonWaiting, "has no pods yet")},
		"Over":         {"Completed and deleted pods do not count.", meeting("", bare.with(func(p *pod) { p.status = ", phase: Failed" }), bare.with(func(p *pod) { p.status = ", phase: Succeeded" }), bare.with(func(p *pod) { p.meta = ", deletionTimestamp: x" })), key, wait(v1alpha1.ReasonWaiting, "has no pods yet")},
		"RollingOut":   {"Pods with the previous configuration do not count, either,", meeting("", barePod(young, "before", ""), injectedPod("b", known, "")), key, nil},
		"NotRolledOut": {"once there are others.", meeting("", injectedPod("a", "before", "")), key, restarting},
		"Restarting":   {"The same applies during a restart.", meeting(known, barePod(young, known, "")), key, restarting},

		// Problems that a restart fixes.
		"Older": {"A pod that is older than the association is restarted.", meeting("", barePod(old, known, "")), key, creating("have no credentials " + without + ": they are older than the association. They are being restarted")},
		"Young": {
			"So is one that started too soon after it.", meeting("", barePod(young, known, "")), key,
			creating("have no credentials " + without + ", " + injectedNothing + ". They are being restarted"),
		},
		"RestartedForOther": {"A restart for another association does not count.", meeting("before", barePod(old, known, "before")), key, creating("have no credentials " + without + ": they are older than the association. They are being restarted")},
		"Settling": {
			"Nothing restarts before the association has settled in EKS.",
			verifying("2025-12-31T23:59:51Z", known, "", map[string]string{podsAsked: podList(barePod(old, known, ""))}), key,
			wait(v1alpha1.ReasonWaiting, "waiting until PodIdentityAssociation crossplane-prod-eu-west-1-s3 has been ready for 10s, so that EKS knows it everywhere"),
		},
		"OneOfTwo": {"A single pod without credentials counts.", meeting(known, injectedPod("b", known, known), bare), key, failed("have no credentials " + without + ", " + younger)},

		// Problems that a restart did not fix, or cannot fix.
		"Restarted":  {"A restart is tried once.", meeting(known, bare), key, failed("have no credentials " + without + ", " + younger)},
		"ReadyAgain": {"An association that becomes ready again does not make restarted pods older than it.", verifying("2025-12-31T23:59:59Z", known, known, map[string]string{podsAsked: podList(bare)}), key, failed("have no credentials " + without + ", " + younger)},
		"NoToken":    {"Variables without a token do not work.", meeting(known, injectedPod("a", known, known).with(func(p *pod) { p.token = false })), key, failed("have no credentials (no token for pods.eks.amazonaws.com), " + younger)},
		"OtherToken": {"A token for another audience does not count.", meeting(known, injectedPod("a", known, known).with(func(p *pod) {
			p.token, p.spec = false, `, volumes: [{projected: {sources: [{serviceAccountToken: {audience: sts.amazonaws.com}}]}}]`
		})), key, failed("have no credentials (no token for pods.eks.amazonaws.com), " + younger)},
		"OtherVariable": {"Both variables are needed.", meeting(known, injectedPod("a", known, known).with(func(p *pod) { p.env = []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI"} })), key, failed("have no credentials (no AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE), " + younger)},
		"OtherContainer": {
			"Variables of another container do not count.", meeting(known, bare.with(func(p *pod) {
				p.token, p.spec = true, `, containers: [{name: sidecar, env: [{name: AWS_CONTAINER_CREDENTIALS_FULL_URI}, {name: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE}]}]`
			})), key,
			failed("have no credentials (no AWS_CONTAINER_CREDENTIALS_FULL_URI, no AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE), " + younger),
		},
		"HostNetwork": {"The node's network is a likely cause.", meeting(known, bare.with(func(p *pod) { p.spec = ", hostNetwork: true" })), key, failed("have no credentials " + without + ": they use the network of their node (hostNetwork), and with it the node's role. To do: take hostNetwork out of the runtime's deploymentTemplate; where an overlay network needs it, let EKS's webhook and the agent reach the pod: docs/troubleshooting.md")},
		"Fargate":     {"A restart does not help on Fargate,", meeting("", barePod(old, known, "").with(func(p *pod) { p.meta = ", labels: {eks.amazonaws.com/fargate-profile: fp}" })), key, failed("have no credentials " + without + ": they run on Fargate, which EKS Pod Identity does not serve. To do: delete the Fargate profile for namespace crossplane-system, so that they run on EC2 nodes")},
		"FargateSoon": {"for a pod that is to be scheduled there,", meeting("", barePod(old, known, "").with(func(p *pod) { p.spec = ", schedulerName: fargate-scheduler" })), key, failed("have no credentials " + without + ": they run on Fargate, which EKS Pod Identity does not serve. To do: delete the Fargate profile for namespace crossplane-system, so that they run on EC2 nodes")},
		"FargateNode": {"or that runs there.", meeting("", barePod(old, known, "").with(func(p *pod) { p.spec = ", nodeName: fargate-ip-10-0-0-1" })), key, failed("have no credentials " + without + ": they run on Fargate, which EKS Pod Identity does not serve. To do: delete the Fargate profile for namespace crossplane-system, so that they run on EC2 nodes")},
		"Account":     {"Another ServiceAccount has another role, or none.", meeting("", injectedPod("a", "", "").with(func(p *pod) { p.account = "default" })), key, failed("run as ServiceAccount default, and the association is for provider-aws-s3. To do: name that in spec.serviceAccountTemplate.metadata.name of the DeploymentRuntimeConfig that the Provider, or an ImageConfig for its package, refers to")},
		"Keys":        {"Keys in the environment take precedence over injected credentials.", meeting("", injectedPod("a", known, "").with(func(p *pod) { p.env = append(p.env, "AWS_ACCESS_KEY_ID") })), key, failed("have credentials, but also AWS_ACCESS_KEY_ID, which comes first. To do: take it out of the runtime's env and deploymentTemplate, and annotation eks.amazonaws.com/role-arn out of its serviceAccountTemplate")},
		"IRSA":        {"So does an IRSA token.", meeting("", injectedPod("a", known, "").with(func(p *pod) { p.env = append(p.env, "AWS_WEB_IDENTITY_TOKEN_FILE") })), key, failed("have credentials, but also AWS_WEB_IDENTITY_TOKEN_FILE, which comes first. To do: take it out of the runtime's env and deploymentTemplate, and annotation eks.amazonaws.com/role-arn out of its serviceAccountTemplate")},
	})
}

// TestCredentialsOfOthers checks that the pods of a provider that another owner installs are checked, but not restarted.
func TestCredentialsOfOthers(t *testing.T) {
	const key = "credentials/s3"
	meeting := func(ps ...pod) world {
		w := observing(map[string]string{guardAsked: guard, theirPodsAsked: podList(ps...)})
		w.Spec = `services: [{name: s3, management: Observe, runtime: {verifyCredentials: true}}]`
		w.Observed = map[string]string{"association/s3": associationOf(long)}
		return w
	}
	testWait(t, map[string]waitCase{
		"Injected": {"The annotations of these pods do not matter.", meeting(injectedPod("a", "theirs", "")), key, nil},
		"None":     {"The provider is not installed.", world{Spec: `services: [{name: s3, management: Observe, runtime: {verifyCredentials: true}}]`, Answers: map[string]string{guardAsked: guard}}, key, &Wait{Reason: v1alpha1.ReasonWaiting, Message: "the pods of the provider are looked at as soon as it is installed"}},
		"TooEarly": {
			"Before the association has settled in EKS, no pod has its credentials.", with(meeting(barePod(old, "", "")), func(w *world) { w.Observed["association/s3"] = associationOf("2025-12-31T23:59:59Z") }), key,
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider team-s3", Message: "waiting until PodIdentityAssociation crossplane-prod-eu-west-1-s3 has been ready for 10s, so that EKS knows it everywhere"},
		},
		"Older": {
			"The owner of the provider must restart it.", meeting(barePod(old, "", "")), key,
			&Wait{Reason: v1alpha1.ReasonFailed, Subject: "Provider team-s3", Message: "its pods have no credentials " + without + ": they are older than the association. To do: kubectl rollout restart deployment team-s3-1 -n crossplane-system"},
		},
	})
}

// TestCredentialsAsked checks that pods are required only if they are verified and Crossplane may read them.
func TestCredentialsAsked(t *testing.T) {
	cases := map[string]struct {
		reason      string
		world       world
		guard, pods bool
	}{
		"Disabled": {"Without verifyCredentials, nothing is required.", with(meeting(""), func(w *world) { w.Spec = "" }), false, false},
		"NoGuard":  {"Pods that Crossplane may not list would block every reconcile.", verifying(long, known, "", map[string]string{guardAsked: `[]`}), true, false},
		"Asking":   {"They are not required while that is unknown, either.", verifying(long, known, "", map[string]string{guardAsked: unanswered}), true, false},
		"Guard":    {"If Crossplane may read pods, they are required.", meeting(""), true, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := tc.world.context(t)
			All(c.View, c.Identity)
			asked := c.View.Requirements.Proto().GetExtraResources() //nolint:staticcheck // Crossplane before 2.2 knows no other field.
			if _, ok := asked[guardAsked]; ok != tc.guard {
				t.Errorf("%s\nguard required: want %t, got %t", tc.reason, tc.guard, ok)
			}
			if _, ok := asked[podsAsked]; ok != tc.pods {
				t.Errorf("%s\npods required: want %t, got %t", tc.reason, tc.pods, ok)
			}
		})
	}
	testAbsent(t, map[string]absentCase{
		"False": {"There is no check if verification is disabled.", `runtime: {verifyCredentials: false}`, []string{"credentials/"}},
	})
}

func with(w world, f func(*world)) world {
	f(&w)
	return w
}

// TestRestart covers the annotation that restarts pods without credentials once for each state of the association, and is never removed.
func TestRestart(t *testing.T) {
	bare := barePod(young, known, "")
	const none = `{kind: PodIdentityAssociation, metadata: {name: a}}`
	cases := map[string]struct {
		reason string
		world  world
		want   map[string]any
	}{
		"Injected":    {"Pods with credentials are not restarted.", meeting("", injectedPod("a", known, "")), map[string]any{"aws.podidentity.dev/identity": known}},
		"Bare":        {"Other pods are restarted for this state of the association.", meeting("", bare), map[string]any{"aws.podidentity.dev/identity": known, "aws.podidentity.dev/restarted-for": known}},
		"Recorded":    {"The restart stays recorded if it helped,", meeting(known, injectedPod("a", known, known)), map[string]any{"aws.podidentity.dev/identity": known, "aws.podidentity.dev/restarted-for": known}},
		"Once":        {"if it did not,", meeting(known, barePod(young, known, known)), map[string]any{"aws.podidentity.dev/identity": known, "aws.podidentity.dev/restarted-for": known}},
		"Off":         {"if verification is disabled, because removing it would restart the pods again,", with(meeting(known), func(w *world) { w.Spec = "" }), map[string]any{"aws.podidentity.dev/identity": known, "aws.podidentity.dev/restarted-for": known}},
		"NoGuard":     {"if pods can no longer be read,", verifying(long, known, known, map[string]string{guardAsked: `[]`}), map[string]any{"aws.podidentity.dev/identity": known, "aws.podidentity.dev/restarted-for": known}},
		"Unreadable":  {"and if the association cannot be read.", with(meeting(known, bare), func(w *world) { w.Observed["association/s3"] = none }), map[string]any{"aws.podidentity.dev/identity": known, "aws.podidentity.dev/restarted-for": known}},
		"NoDigest":    {"There is no restart for an association without a digest,", with(meeting("", bare), func(w *world) { w.Observed["association/s3"] = none }), map[string]any{"aws.podidentity.dev/identity": known}},
		"Settling":    {"for one that has not settled in EKS,", verifying("2025-12-31T23:59:51Z", known, "", map[string]string{podsAsked: podList(bare)}), map[string]any{"aws.podidentity.dev/identity": known}},
		"RollingOut":  {"or for pods that are about to be replaced.", meeting("", barePod(young, "before", "")), map[string]any{"aws.podidentity.dev/identity": known}},
		"Changing":    {"A changed association restarts the pods in any case.", verifying(long, "before", "", map[string]string{podsAsked: podList(barePod(old, "before", ""))}), map[string]any{"aws.podidentity.dev/identity": known}},
		"Another":     {"Another state of the association allows another restart.", meeting("before", barePod(young, known, "before")), map[string]any{"aws.podidentity.dev/identity": known, "aws.podidentity.dev/restarted-for": known}},
		"Fargate":     {"There is no restart if it cannot help.", meeting("", bare.with(func(p *pod) { p.meta = ", labels: {eks.amazonaws.com/fargate-profile: fp}" })), map[string]any{"aws.podidentity.dev/identity": known}},
		"Annotations": {"The annotation is added to the others.", with(meeting("", bare), func(w *world) { w.Spec = `runtime: {verifyCredentials: true, podAnnotations: {a: b}}` }), map[string]any{"a": "b", "aws.podidentity.dev/identity": known, "aws.podidentity.dev/restarted-for": known}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range 3 {
				o, err := tc.world.resource(t, "runtimeconfig/s3").Build()
				if err != nil {
					t.Fatal(err)
				}
				got := view.NewObject(o).Value("spec", "deploymentTemplate", "spec", "template", "metadata", "annotations").AsInterface()
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s\nannotations of the pods: -want, +got:\n%s", tc.reason, diff)
				}
			}
		})
	}
}
