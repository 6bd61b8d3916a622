package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// openConfiguration of the function. Scenarios edit claims as app team and as platform team: every field is open to them.
const openConfiguration = `
apiVersion: podidentity.fn.crossplane.io/v1beta1
kind: Input
claims: {allowedFields: ["*"]}
`

// openConfig is the file of that configuration. It is written before the function starts.
func (w *World) openConfig() string { return filepath.Join(w.dir, "open.yaml") }

// config of a revision of the function: the file that its Deployment mounts, kept up to date as a kubelet does it. If its Deployment
// mounts none, it is the one that opens everything.
func (w *World) config(revision string) (string, error) {
	d := &appsv1.Deployment{}
	if err := client.IgnoreNotFound(w.Client.Get(w.ctx, client.ObjectKey{Namespace: controlplane.Namespace, Name: revision}, d)); err != nil {
		return "", err
	}
	for _, c := range d.Spec.Template.Spec.Containers {
		for _, arg := range c.Args {
			if file, ok := strings.CutPrefix(arg, "--config="); ok {
				return w.mount(d.Spec.Template.Spec.Volumes, c.VolumeMounts, file)
			}
		}
	}
	return w.openConfig(), nil
}

// mount the ConfigMap that has a file, and return the path of the file on this machine.
func (w *World) mount(volumes []corev1.Volume, mounts []corev1.VolumeMount, file string) (string, error) {
	for _, m := range mounts {
		name, ok := strings.CutPrefix(file, m.MountPath+"/")
		i := slices.IndexFunc(volumes, func(v corev1.Volume) bool { return v.Name == m.Name && v.ConfigMap != nil })
		if !ok || i < 0 {
			continue
		}
		cm := &corev1.ConfigMap{}
		if err := w.Client.Get(w.ctx, client.ObjectKey{Namespace: controlplane.Namespace, Name: volumes[i].ConfigMap.Name}, cm); err != nil {
			return "", err
		}
		dir := filepath.Join(w.dir, cm.Name)
		return filepath.Join(dir, name), project(dir, cm)
	}
	return "", fmt.Errorf("no ConfigMap is mounted for %s", file)
}

// project a ConfigMap into a folder: its files are links to a version of it, and another version comes by a rename.
func project(dir string, cm *corev1.ConfigMap) error {
	version, data := ".."+cm.ResourceVersion, filepath.Join(dir, "..data")
	if now, err := os.Readlink(data); err == nil && now == version {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(dir, version), 0o755); err != nil {
		return err
	}
	for name, content := range cm.Data {
		if err := os.WriteFile(filepath.Join(dir, version, name), []byte(content), 0o600); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			return err
		}
	}
	if err := os.Symlink(version, data+"_tmp"); err != nil {
		return err
	}
	return os.Rename(data+"_tmp", data)
}

// platformConfiguration of manifests/platform-configuration.yaml holds for any Composition that a claim selects, follows its ConfigMap,
// and is different for two teams. A wrong edit changes nothing. No step waits for providers: the composed role shows which configuration
// holds.
func platformConfiguration(s *Scenario) {
	s.Install()
	s.Apply("{apiVersion: v1, kind: Namespace, metadata: {name: team-a}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: team-b}}")
	pinned := s.openComposition()
	s.Apply(s.File("manifests/platform-configuration.yaml"))
	s.Until(2*time.Minute, "the function runs with the ConfigMap", func() error {
		if f := s.Function(); !strings.Contains(f.Args[len(f.Args)-1], "pod-identity-platform") {
			return fmt.Errorf("it runs with %v", f.Args)
		}
		return nil
	})
	s.Stepf("the function runs with the ConfigMap")

	s.Namespace = "team-a"
	// Each asks for a service that its Composition would allow, if the Composition decided.
	s.short("named", "[{name: glacier, permissions: {accessLevel: ReadOnly}}]", "compositionRef: {name: open}")
	s.short("selected", "[{name: lambda}]", "compositionSelector: {matchLabels: {tier: open}}")
	s.short("pinned", "[{name: firehose}]", "compositionRef: {name: open}, compositionUpdatePolicy: Manual, compositionRevisionRef: {name: "+pinned+"}")
	for claim, service := range map[string]string{"named": "glacier", "selected": "lambda", "pinned": "firehose"} {
		s.refused(claim, `guardrail allowedServices: "`+service+`"`)
		if got := fakes.String(s.XR(claim), "spec", "compositionRef", "name"); got != "open" {
			s.Errorf("%s has Composition %q, and should have open", claim, got)
		}
	}
	if got := fakes.String(s.XR("pinned"), "spec", "compositionRevisionRef", "name"); got != pinned {
		s.Errorf("the pinned claim has revision %q, and should have %s", got, pinned)
	}
	s.Stepf("the same guardrails hold with another Composition, with a selector and with an old revision")

	s.short("theirs", "[{name: sqs, serviceAccountName: payments}]", "")
	message := s.refused("theirs", "spec.services[0].serviceAccountName: Forbidden", "claims.allowedFields")
	if got := s.run(binaries.Kubectl, "describe", "podidentityproviderclaim", "theirs", "--namespace", s.Namespace); !strings.Contains(got, "spec.services[0].serviceAccountName: Forbidden") {
		s.Errorf("kubectl describe does not say why:\n%s", got)
	}
	s.Stepf("the ServiceAccount of another team is refused: %s", message)

	s.teams()
	s.configurationEdited()
	s.bindingRefused()
}

// openComposition is one whose Input opens every field to claims. It returns the first of its two revisions.
func (s *Scenario) openComposition() string {
	s.Helper()
	text := strings.NewReplacer("name: podidentityproviders.aws.podidentity.dev", "name: open", "provider: aws", "tier: open", "      kind: Input", "      kind: Input\n      claims: {allowedFields: [\"*\"]}").
		Replace(s.File("configuration/apis/composition.yaml"))
	s.Apply(text)
	revisions := func(n int) []unstructured.Unstructured {
		var found []unstructured.Unstructured
		s.Until(30*time.Second, fmt.Sprintf("Composition open has %d revisions", n), func() error {
			found = slices.DeleteFunc(s.list(kinds["Revision"]), func(o unstructured.Unstructured) bool {
				return o.GetLabels()["crossplane.io/composition-name"] != "open"
			})
			if len(found) != n {
				return fmt.Errorf("it has %d", len(found))
			}
			return nil
		})
		return found
	}
	first := revisions(1)[0].GetName()
	s.patch("Composition", "open", `{"metadata":{"labels":{"edited":"true"}},"spec":{"writeConnectionSecretsToNamespace":"$CROSSPLANE"}}`)
	revisions(2)
	return first
}

// short claim: the platform's defaults fill in the rest.
func (s *Scenario) short(claim, services, more string) {
	s.Helper()
	s.Apply("{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProviderClaim, metadata: {name: " + claim + ", namespace: $NS}, spec: {services: " + services + ", " + more + "}}")
}

// refused waits until a claim is refused with a message that has all the parts, and checks that nothing is composed for it.
func (s *Scenario) refused(claim string, parts ...string) string {
	s.Helper()
	message := ""
	s.Until(2*time.Minute, claim+" is refused", func() error {
		c, err := s.find("Claim", claim)
		if err != nil {
			return err
		}
		condition := fakes.Condition(c, "PrerequisitesReady")
		message = fmt.Sprint(condition["message"])
		for _, p := range parts {
			if condition["reason"] != "InvalidSpec" || !strings.Contains(message, p) {
				return fmt.Errorf("it does not say %q:\n%s", p, conditions(c))
			}
		}
		return nil
	})
	if composed := s.Composed(claim); len(composed) > 0 {
		s.Errorf("%s is refused and has %d composed resources", claim, len(composed))
	}
	return message
}

// teams have defaults and guardrails of their own.
func (s *Scenario) teams() {
	s.Helper()
	s.short("a", "[{name: sqs}]", "")
	s.short("kinesis", "[{name: kinesis}]", "")
	s.refused("kinesis", `"kinesis": allowed: s3, sqs`)
	s.Namespace = "team-b"
	s.short("b", "[{name: kinesis}]", "")
	s.short("sqs", "[{name: sqs}]", "")
	s.refused("sqs", `"sqs": allowed: kinesis`)
	for service, team := range map[string]string{"sqs": "a", "kinesis": "b"} {
		role := s.Exists(time.Minute, "Role", "crossplane-prod-eu-west-1-"+service)
		if got := fakes.String(role, "spec", "forProvider", "tags", "team"); got != team {
			s.Errorf("the role of %s has tag team %q, and should have %q", service, got, team)
		}
		if got := fakes.String(role, "spec", "forProvider", "permissionsBoundary"); got != "arn:aws:iam::"+fakes.Account+":policy/app-boundary" {
			s.Errorf("the role of %s has boundary %q", service, got)
		}
	}
	s.Stepf("each of two teams has its own services and tags, and the platform's boundary")
	s.Namespace = "team-a"
}

// editConfiguration in its ConfigMap: every from becomes to.
func (s *Scenario) editConfiguration(from, to string) {
	s.Helper()
	cm := &corev1.ConfigMap{}
	if err := s.Client.Get(s.ctx, client.ObjectKey{Namespace: controlplane.Namespace, Name: "pod-identity-platform"}, cm); err != nil {
		s.Fatal(err)
	}
	before := cm.Data["config.yaml"]
	if cm.Data["config.yaml"] = strings.ReplaceAll(before, from, to); cm.Data["config.yaml"] == before {
		s.Fatalf("the configuration has no %q", from)
	}
	if err := s.Client.Update(s.ctx, cm); err != nil {
		s.Fatal(err)
	}
}

// configurationEdited in the ConfigMap, first correctly and then wrongly.
func (s *Scenario) configurationEdited() {
	s.Helper()
	// configuration that a claim's composite resource names, as soon as it is another one than before.
	configuration := func(claim, before string) (hash string) {
		s.Until(2*time.Minute, claim+" names the configuration that holds", func() error {
			if hash = fakes.String(s.XR(claim), "status", "platformConfiguration"); hash == before || hash == "" {
				return fmt.Errorf("it is %q, and was %q", hash, before)
			}
			return nil
		})
		return hash
	}
	first := configuration("a", "")
	s.editConfiguration("[s3, sqs", "[glacier, s3, sqs")
	s.Exists(4*time.Minute, "Role", "crossplane-prod-eu-west-1-glacier")
	s.refused("selected", `"lambda": allowed: glacier, s3`)
	second := configuration("named", first)
	s.Stepf("glacier is allowed now, and the next reconcile of the claim for it composes it")

	failures := func() float64 { return s.metric(s.functionMetrics, "podidentity_configuration_read_failures_total") }
	before := failures()
	s.editConfiguration("allowedServices", "alowedServices")
	s.Until(time.Minute, "the wrong configuration is seen", func() error {
		if failures() == before {
			return errors.New("no failure is counted")
		}
		return nil
	})
	if got := s.metric(s.functionMetrics, "podidentity_configuration_last_read_successful"); got != 0 {
		s.Errorf("the metric says that the last configuration was read: %v", got)
	}
	if log := s.Function().Tail(); !strings.Contains(log, "Keeping the previous configuration") || !strings.Contains(log, "alowedServices") {
		s.Errorf("the log does not report the wrong configuration:\n%s", log)
	}
	s.newPodFails("alowedServices")
	s.short("later", "[{name: firehose}]", "")
	s.refused("later", `guardrail allowedServices: "firehose"`)
	s.Is(time.Minute, "Claim", "named", "PrerequisitesReady=True", "Synced=True")
	if got := configuration("named", ""); got != second {
		s.Errorf("configuration %s holds, and should still be %s", got, second)
	}
	s.Stepf("a wrong edit changes nothing: log and metrics report it, and a new pod would not start")

	s.editConfiguration("alowedServices", "allowedServices")
	s.Until(time.Minute, "the configuration is valid again", func() error {
		if s.metric(s.functionMetrics, "podidentity_configuration_last_read_successful") != 1 {
			return errors.New("the metric says that it is not")
		}
		return nil
	})
	s.Stepf("the configuration is corrected, and read again")
}

// newPodFails to start with the mounted configuration, and says why: it never becomes ready, so the old pod stays.
func (s *Scenario) newPodFails(why string) {
	s.Helper()
	address, err := controlplane.FreeAddress(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	f := s.Function()
	ctx, cancel := context.WithTimeout(s.ctx, patience*10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, f.Path, "--insecure", "--address", address, "--config", f.Args[len(f.Args)-1]).CombinedOutput()
	if err == nil || ctx.Err() != nil || !strings.Contains(string(out), why) {
		s.Errorf("a new pod should end with an error that has %q, got %v: %s", why, err, out)
	}
}

// bindingRefused: manifests/claims-admission-policy.yaml keeps claims from binding a composite resource that no claim created.
func (s *Scenario) bindingRefused() {
	s.Helper()
	s.Apply(s.File("manifests/claims-admission-policy.yaml"))
	s.Apply("{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: platform}, spec: {services: [{name: s3}], tags: {team: platform}}}")
	thief := s.expand("{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProviderClaim, metadata: {name: thief, namespace: $NS}, spec: {services: [{name: s3}], resourceRef: {apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, name: platform}}}")
	s.Until(time.Minute, "a claim that names the platform's composite resource is refused", func() error {
		objects, err := controlplane.Objects(thief)
		if err != nil {
			return err
		}
		// A dry run: a policy takes a moment to be enforced, and a claim that is accepted before would bind the object.
		switch err = s.Client.Create(s.ctx, objects[0], client.DryRunAll); {
		case err == nil:
			return errors.New("it is accepted")
		case !strings.Contains(err.Error(), "spec.resourceRef is Crossplane's to set"):
			return err
		}
		return nil
	})
	s.short("honest", "[{name: lambda}]", "")
	s.refused("honest", `guardrail allowedServices: "lambda"`)
	if got := s.XR("honest").GetName(); !strings.HasPrefix(got, "honest-") {
		s.Errorf("Crossplane should still bind a claim, got composite resource %q", got)
	}
	s.Stepf("no claim binds a composite resource of the platform team, and Crossplane still binds claims")
}
