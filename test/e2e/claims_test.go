package e2e

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

var errThere = errors.New("it still exists")

// aClaim for services, as flow style YAML.
const aClaim = `
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProviderClaim
metadata: {name: CLAIM, namespace: $NS}
spec:
  region: eu-west-1
  clusterName: prod
  services: SERVICES
  provider: {version: $VERSION}
`

// file a claim for services, given as YAML, and return the name of its composite resource.
func (s *Scenario) file(claim, services string) string {
	s.Helper()
	s.Apply(strings.NewReplacer("CLAIM", claim, "SERVICES", services).Replace(aClaim))
	return s.XR(claim).GetName()
}

// replicaSets of a provider's deployments.
func (s *Scenario) replicaSets(serviceAccount string) []string {
	s.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kinds["ReplicaSet"])
	if err := s.Client.List(s.ctx, list, client.InNamespace(controlplane.Namespace)); err != nil {
		s.Fatal(err)
	}
	var out []string
	for _, o := range list.Items {
		if fakes.String(&o, "spec", "template", "spec", "serviceAccountName") == serviceAccount {
			out = append(out, o.GetName())
		}
	}
	return out
}

// credentials of a provider: its first pod has them, and when its association is replaced, it gets a new pod.
func credentials(s *Scenario) {
	const object = "crossplane-prod-eu-west-1-sns"
	s.file("topics", "[{name: sns}]")
	s.Is(3*time.Minute, "Claim", "topics", "Ready=True")
	s.Stepf("the claim is ready")
	pods := s.Pods("provider-aws-sns")
	if len(pods) != 1 {
		s.Fatalf("provider-aws-sns has %d pods", len(pods))
	}
	s.HasCredentials(pods[0])
	if rs := s.replicaSets("provider-aws-sns"); len(rs) != 1 {
		s.Errorf("the provider was restarted before it was ever ready: %v", rs)
	}
	others := s.bootstrapPods()

	// A Usage keeps the association from being deleted in Kubernetes, so another user deletes it in AWS.
	if err := s.Client.Delete(s.ctx, s.Get("Association", object)); err == nil || !strings.Contains(err.Error(), "Usage") {
		s.Errorf("the association could be deleted while its provider depends on it: %v", err)
	}
	old := fakes.String(s.Get("Association", object), "status", "atProvider", "associationId")
	s.AWS.Disassociate(controlplane.Namespace, "provider-aws-sns")
	s.Until(2*time.Minute, "there is a new association", func() error {
		o, err := s.find("Association", object)
		if err != nil {
			return err
		}
		if id := fakes.String(o, "status", "atProvider", "associationId"); id == "" || id == old {
			return errors.New("still the old one")
		}
		return nil
	})
	s.Stepf("the association is deleted in AWS and created again")
	s.Until(2*time.Minute, "there is a new pod, and no other", func() error {
		now := s.Pods("provider-aws-sns")
		if len(now) != 1 || now[0].UID == pods[0].UID || now[0].Status.Phase != corev1.PodRunning {
			return errors.New("still the old one")
		}
		return nil
	})
	s.Stepf("the provider has a new pod")
	s.Is(2*time.Minute, "Claim", "topics", "Ready=True")
	time.Sleep(15 * time.Second)
	if rs := s.replicaSets("provider-aws-sns"); len(rs) != 2 {
		s.Errorf("the provider was not restarted once: %v", rs)
	}
	if missing := s.missingCredentials(s.Pods("provider-aws-sns")[0]); missing != "" {
		o := s.Get("Association", object)
		s.Errorf("the restarted provider's pod has no credentials: %s; the association: created at %s, Ready at %v", missing, o.GetAnnotations()["crossplane.io/external-create-succeeded"], fakes.Condition(o, "Ready")["lastTransitionTime"])
	}
	s.Same("pods of other providers", others, s.bootstrapPods())
	s.Stepf("the provider was restarted once, and no other was")
}

// bootstrapPods are those of the providers that no scenario may restart.
func (s *Scenario) bootstrapPods() map[string]string {
	s.Helper()
	out := s.podsOf("provider-aws-iam", "provider-aws-eks")
	if len(out) != 2 {
		s.Errorf("the bootstrap providers have %d pods: %v", len(out), out)
	}
	return out
}

// settle waits until nothing of a claim was written for eleven seconds: the function is called again within ten.
func (s *Scenario) settle(claim string) map[string]string {
	s.Helper()
	const composite = "PodIdentityProvider"
	versions := func() map[string]string {
		v := s.Versions(claim)
		v[composite] = s.XR(claim).GetResourceVersion()
		return v
	}
	before := versions()
	since := time.Now()
	for began := time.Now(); time.Since(began) < 3*time.Minute; time.Sleep(500 * time.Millisecond) {
		now := versions()
		if !maps.Equal(before, now) {
			before, since = now, time.Now()
		}
		if time.Since(since) > 11*time.Second {
			delete(now, composite)
			return now
		}
	}
	s.Fatalf("claim %s does not settle: %v", claim, before)
	return nil
}

// quiet: once everything is ready, nothing is written.
func quiet(s *Scenario) {
	xr := s.file("archive", "[{name: glacier}]")
	s.Is(3*time.Minute, "Claim", "archive", "Ready=True")
	s.Stepf("the claim is ready")
	before := s.settle("archive")
	claim, composite := s.Get("Claim", "archive").GetResourceVersion(), s.XR("archive")
	calls := s.Calls(xr)
	s.Stepf("nothing was written for 10 s")
	time.Sleep(time.Minute)
	s.Same("written in a minute", before, s.Versions("archive"))
	if got := s.Get("Claim", "archive").GetResourceVersion(); got != claim {
		s.Errorf("the claim was written")
	}
	if got := s.XR("archive"); got.GetResourceVersion() != composite.GetResourceVersion() {
		s.Errorf("the composite resource was written:\n%s", cmp.Diff(composite.Object, got.Object))
	}
	// There is a reconcile every ten seconds while the circuit breaker is open, and otherwise one a minute. Each makes two calls: the
	// second has the revision of the Provider, and only the revision says what the provider runs with.
	if n := s.Calls(xr) - calls; n > 2*7 {
		s.Errorf("the function was called %d times in a quiet minute", n)
	}
	s.Stepf("nothing was written for a minute, and the function was called %d times", s.Calls(xr)-calls)

	// A reconcile changes nothing either.
	s.merge(s.XR("archive"), `{"metadata":{"annotations":{"e2e/poke":"1"}}}`)
	s.Until(time.Minute, "the function is called", func() error {
		if s.Calls(xr) == calls {
			return errors.New("not yet")
		}
		return nil
	})
	time.Sleep(30 * time.Second)
	s.Same("written after a reconcile", before, s.Versions("archive"))
	s.Stepf("nothing was written after a reconcile")
}

// oneFails: one of three services fails until an administrator acts.
func oneFails(s *Scenario) {
	const role = "crossplane-prod-eu-west-1-dynamodb"
	allow := s.AWS.Deny("CreateRole", role)
	defer allow()
	s.file("three", "[{name: kms}, {name: dynamodb}, {name: ecr}]")
	s.Until(4*time.Minute, "two services are ready and one failed", func() error {
		c := s.Get("Claim", "three")
		for name, phase := range map[string]string{"kms": "Ready", "dynamodb": "Failed", "ecr": "Ready"} {
			if got := s.Service(c, name); got["phase"] != phase {
				return fmt.Errorf("%s is %v: %v\n%s", name, got["phase"], got["message"], conditions(c))
			}
		}
		return nil
	})
	s.Stepf("two are ready, one failed")
	claim := s.Is(time.Minute, "Claim", "three", "Ready=False", "IdentityReady=False/Failed", "Synced=True")
	message := fmt.Sprint(fakes.Condition(claim, "IdentityReady")["message"])
	s.Logf("IdentityReady: %s", message)
	for _, want := range []string{"dynamodb", "Role " + role, "AccessDenied", "iam:CreateRole", "To do: "} {
		if !strings.Contains(message, want) {
			s.Errorf("IdentityReady does not say %q: %s", want, message)
		}
	}
	if strings.Contains(message, "RequestID") {
		s.Errorf("IdentityReady has a request ID, which changes with every try: %s", message)
	}
	time.Sleep(10 * time.Second)
	if now := fakes.Condition(s.Get("Claim", "three"), "IdentityReady")["message"]; now != message {
		s.Errorf("IdentityReady changes: %v", now)
	}
	if s.Get("Provider", "provider-aws-dynamodb") != nil {
		s.Error("there is a provider without an identity")
	}
	s.shown("trace-failed.txt", s.trace("three"))
	s.Stepf("the claim says which one failed and why, and its message does not change")
	allow()
	s.Is(4*time.Minute, "Claim", "three", "Ready=True")
	s.Stepf("the action is allowed, and the claim is ready")
}

// edits of a claim change what they are about, and nothing else.
func edits(s *Scenario) {
	s.file("flow", "[{name: sfn, version: $OLDER}]")
	s.Is(3*time.Minute, "Claim", "flow", "Ready=True")
	s.Stepf("the claim is ready")
	before := s.settle("flow")
	// edit, wait until everything in changed has changed, and check that nothing else has. Keys with a question mark may change.
	edit := func(what, patch string, ready bool, changed ...string) {
		s.Helper()
		s.Edit("flow", patch)
		s.Until(3*time.Minute, what, func() error {
			now := s.Versions("flow")
			for _, c := range changed {
				if !strings.HasPrefix(c, "?") && maps.Equal(only(before, c), only(now, c)) {
					return fmt.Errorf("%s is as it was", c)
				}
			}
			return nil
		})
		if ready {
			s.Is(3*time.Minute, "Claim", "flow", "Ready=True")
		}
		after := s.settle("flow")
		may := slices.Clone(changed)
		for i := range may {
			may[i] = strings.TrimPrefix(may[i], "?")
		}
		s.Same(what, before, after, may...)
		before = after
		s.Stepf("%s: %s", what, strings.Join(changed, " "))
	}
	edit("tags", `{"spec":{"tags":{"team":"a"}}}`, true, "Role/", "Policy/", "PodIdentityAssociation/")
	edit("permissions", `{"spec":{"services":[{"name":"sfn","version":"$OLDER","permissions":{"accessLevel":"ReadOnly"}}]}}`, true, "Policy/")
	if calls := s.AWS.Calls("CreatePolicyVersion crossplane-prod-eu-west-1-sfn"); len(calls) != 1 {
		s.Errorf("the policy should have one new version: %v", calls)
	}
	// The provider's pods restart, which the Provider's status may show.
	edit("runtime", `{"spec":{"runtime":{"args":["--debug"]}}}`, true, "DeploymentRuntimeConfig/", "Deployment/", "?Provider/")
	edit("version", `{"spec":{"services":[{"name":"sfn","version":"$VERSION","permissions":{"accessLevel":"ReadOnly"}}]}}`, true, "Provider/", "Deployment/")
	uids := s.UIDs("flow")
	s.Edit("flow", `{"spec":{"services":[{"name":"sfn","version":"$VERSION","permissions":{"accessLevel":"ReadOnly"}},{"name":"kinesis"}]}}`)
	s.Exists(3*time.Minute, "Provider", "provider-aws-kinesis")
	s.Is(3*time.Minute, "Claim", "flow", "Ready=True")
	after := s.settle("flow")
	maps.DeleteFunc(after, func(k, _ string) bool { return strings.Contains(k, "kinesis") })
	s.Same("a service added", before, after)
	s.Stepf("a service is added: nothing of the other one changed")
	s.Edit("flow", `{"spec":{"services":[{"name":"sfn","version":"$VERSION","permissions":{"accessLevel":"ReadOnly"}}]}}`)
	for kind, name := range map[string]string{"Provider": "provider-aws-kinesis", "Role": "crossplane-prod-eu-west-1-kinesis", "Policy": "crossplane-prod-eu-west-1-kinesis", "Association": "crossplane-prod-eu-west-1-kinesis"} {
		s.Gone(3*time.Minute, kind, name)
	}
	if left := s.AWS.Has("kinesis"); len(left) > 0 {
		s.Errorf("AWS still has %v", left)
	}
	s.Is(time.Minute, "Claim", "flow", "Ready=True")
	s.Same("a service removed", before, s.settle("flow"))
	s.Same("UIDs", uids, s.UIDs("flow"))
	s.Stepf("a service is removed: it is deleted in AWS, too, and nothing of the other one changed")
}

func only(m map[string]string, prefix string) map[string]string {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(k, _ string) bool { return !strings.HasPrefix(k, prefix) })
	return m
}

// badClaim is how a wrong claim looks to its owner: testdata/bad-claim.txt, which docs/e2e.md shows.
func badClaim(s *Scenario) {
	s.Namespace = "team-b"
	s.Apply("{apiVersion: v1, kind: Namespace, metadata: {name: team-b}}")
	wrong := func(arn string) string {
		return strings.NewReplacer("CLAIM", "mistake", "SERVICES", "[{name: s4}, {name: efs, permissions: {managedPolicyArns: [\""+arn+"\"]}}]").Replace(aClaim)
	}
	if err := s.apply(s.expand(wrong("arn:aws:iam:policy"))); err == nil || !strings.Contains(err.Error(), "spec.services[1].permissions.managedPolicyArns[0]") {
		s.Errorf("kubectl apply should refuse what is not an ARN, got: %v", err)
	}
	s.Apply(wrong("arn:aws-cn:iam::aws:policy/ReadOnlyAccess"))
	xr := s.XR("mistake").GetName()
	s.Is(time.Minute, "Claim", "mistake", "PrerequisitesReady=False/InvalidSpec")
	s.Until(time.Minute, "there is an event", func() error {
		if s.warnings(xr) == "" {
			return errors.New("none yet")
		}
		return nil
	})
	// How often an event came, and which events Crossplane sent itself, depends on timing.
	got, _, _ := strings.Cut(s.run(binaries.Kubectl, "describe", "podidentityproviderclaim", "mistake", "--namespace", "team-b"), "Events:\n")
	for _, want := range []string{"spec.services[0].name: Invalid value: \"s4\"", "spec.services[1].permissions.managedPolicyArns[0]: Invalid value"} {
		if !strings.Contains(got, want) {
			s.Errorf("kubectl describe does not say %q:\n%s", want, got)
		}
	}
	s.shown("bad-claim.txt", got)
	s.shown("bad-claim-events.txt", s.warnings(xr))
	s.delete("mistake")
	s.Stepf("kubectl describe says what is wrong")
}

// warnings are the messages of the function's own events for a composite resource.
func (s *Scenario) warnings(xr string) string {
	s.Helper()
	list := &corev1.EventList{}
	if err := s.Client.List(s.ctx, list); err != nil {
		s.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range list.Items {
		if e.InvolvedObject.Name == xr && e.Type == corev1.EventTypeWarning && strings.Contains(e.Message, "pod-identity") {
			seen[fmt.Sprintf("%s %s: %s\n", e.Type, e.Reason, e.Message)] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), "")
}

// run a tool as the cluster's administrator, and return its output.
func (s *Scenario) run(tool string, args ...string) string {
	s.Helper()
	cmd := exec.CommandContext(s.ctx, built.Paths[tool], args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.Fatalf("%s %v: %v: %s", tool, args, err, out)
	}
	return string(out)
}

// trace of a claim: what the CLI shows to its owner.
func (s *Scenario) trace(claim string) string {
	s.Helper()
	out := s.run(binaries.CLI, "resource", "trace", "podidentityproviderclaim/"+claim, "--namespace", s.Namespace)
	s.Logf("crossplane resource trace:\n%s", out)
	return out
}

// shown fails the scenario if a text is not that of the file of testdata, which the documentation shows. What differs from run to run
// does not count. The texts are those of Crossplane v2.
func (s *Scenario) shown(file, text string) {
	s.Helper()
	if s.Version != v2.crossplane {
		return
	}
	path := filepath.Join("testdata", file)
	text = stable(text)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			s.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		s.Errorf("the output is not that of %s (rewrite it with -update): -want, +got:\n%s", path, diff)
	}
}

// delete a claim, and wait until it is gone.
func (s *Scenario) delete(claim string) {
	s.Helper()
	s.Delete("Claim", claim)
	s.Gone(4*time.Minute, "Claim", claim)
}

// volatile is what differs from one run to the next.
var volatile = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "<time>"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "<uid>"},
	{regexp.MustCompile(`Resource Version:\s+\d+`), "Resource Version: <version>"},
	{regexp.MustCompile(`podidentityproviders.aws.podidentity.dev-[0-9a-f]+`), "podidentityproviders.aws.podidentity.dev-xxxxxxx"},
	{regexp.MustCompile(`(Generation: +)\d+`), "${1}1"},
	{regexp.MustCompile(`\b(mistake|storage|three)-[bcdfghjklmnpqrstvwxz2-9]{5}\b`), "$1-xxxxx"},
	{regexp.MustCompile(`(-usage-[a-z0-9-]+)-[0-9a-f]{8}\b`), "$1-xxxxxxxx"},
	{regexp.MustCompile(`\b(provider-aws-[a-z0-9]+)-[0-9a-f]{12}\b`), "$1-xxxxxxxxxxxx"},
	{regexp.MustCompile(`(?m)^(  (?:Warning|Normal)\s+\S+)\s+(?:\S+|\S+ \(x\d+ over \S+\))\s+(\S+/\S+)`), "$1  <age>  $2"},
}

func stable(text string) string {
	for _, v := range volatile {
		text = v.re.ReplaceAllString(text, v.to)
	}
	return text
}

// chaos around a claim: components are killed and break, and no composed resource is ever deleted or created again.
func chaos(s *Scenario) {
	const object = "crossplane-prod-eu-west-1-athena"
	s.file("chaos", "[{name: athena}]")
	stop := s.guard("chaos")
	s.Exists(time.Minute, "Role", object)
	s.Function().Kill()
	time.Sleep(5 * time.Second)
	if err := s.Function().Start(); err != nil {
		s.Fatal(err)
	}
	s.Stepf("the function was killed while it composed resources, and restarted")
	s.Exists(3*time.Minute, "Provider", "provider-aws-athena")
	s.Core.Kill()
	if err := s.StartCore(s.ctx); err != nil {
		s.Fatal(err)
	}
	s.Stepf("Crossplane was killed while it installed the provider, and restarted")
	s.Is(4*time.Minute, "Claim", "chaos", "Ready=True")
	s.Stepf("the claim is ready")
	if err := s.RestartAPIServer(); err != nil {
		s.Fatal(err)
	}
	s.Until(time.Minute, "the API server answers", func() error { _, err := s.get("Claim", "chaos"); return err })
	s.Stepf("the API server was restarted")
	s.Kubelet.Break("provider-aws-athena")
	s.Is(2*time.Minute, "Provider", "provider-aws-athena", "Healthy=False")
	claim := s.Is(2*time.Minute, "Claim", "chaos", "Ready=False", "ProvidersReady=False", "IdentityReady=True")
	s.Stepf("the provider is unhealthy, and the claim says so:\n%s", conditions(claim))
	time.Sleep(15 * time.Second)
	s.Kubelet.Break("")
	s.Is(2*time.Minute, "Provider", "provider-aws-athena", "Healthy=True")
	s.Is(3*time.Minute, "Claim", "chaos", "Ready=True")
	s.Stepf("it is healthy again")
	for range 10 {
		for _, kind := range []string{"Role", "Association"} {
			o := s.Get(kind, object)
			cs, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
			for _, c := range cs {
				c.(map[string]any)["status"] = "False"
			}
			_ = unstructured.SetNestedSlice(o.Object, cs, "status", "conditions")
			_ = s.Client.Status().Update(s.ctx, o)
		}
		time.Sleep(time.Second)
	}
	s.Is(3*time.Minute, "Claim", "chaos", "Ready=True", "Synced=True")
	s.Stepf("conditions flapped, and the claim is ready")
	stop()
	for _, call := range []string{"CreateRole ", "CreatePolicy ", "CreatePodIdentityAssociation "} {
		if calls := s.AWS.Calls(call, "athena"); len(calls) != 1 {
			s.Errorf("AWS should have got one call, got %v", calls)
		}
	}
	if calls := s.AWS.Calls("Delete", "athena"); len(calls) > 0 {
		s.Errorf("AWS should have got no call to delete anything, got %v", calls)
	}
}

// guard the composed resources of a claim, until the returned function is called: none may be deleted or created again.
func (s *Scenario) guard(claim string) func() {
	s.Helper()
	xr := s.XR(claim).GetName()
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		seen := map[string]string{}
		for {
			select {
			case <-done:
				s.Logf("guarded %d composed resources", len(seen))
				return
			case <-time.After(200 * time.Millisecond):
			}
			x, err := s.get("XR", xr)
			if err != nil || x == nil {
				continue // The API server restarts.
			}
			refs, _, _ := unstructured.NestedSlice(x.Object, "spec", "resourceRefs")
			for _, r := range refs {
				m := r.(map[string]any)
				o := &unstructured.Unstructured{}
				o.SetAPIVersion(m["apiVersion"].(string))
				o.SetKind(m["kind"].(string))
				name, _ := m["name"].(string)
				key := o.GetKind() + "/" + name
				err := s.Client.Get(s.ctx, client.ObjectKey{Name: name}, o)
				switch {
				case client.IgnoreNotFound(err) != nil:
				case err != nil && seen[key] != "":
					s.Errorf("%s was deleted", key)
					seen[key] = ""
				case err == nil && o.GetDeletionTimestamp() != nil:
					s.Errorf("%s is being deleted", key)
				case err == nil && seen[key] != "" && seen[key] != string(o.GetUID()):
					s.Errorf("%s was created again", key)
					seen[key] = string(o.GetUID())
				case err == nil:
					seen[key] = string(o.GetUID())
				}
			}
		}
	})
	return func() { close(done); wg.Wait() }
}
