package e2e

import (
	"fmt"
	"os"
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

// openConfiguration of the function. Stories edit claims as app team and as platform team: everything is open to them.
const openConfiguration = `
apiVersion: podidentity.fn.crossplane.io/v1beta1
kind: Input
claims: {allowedFields: ["*"]}
`

// config of a revision of the function: the file that its Deployment mounts, brought up to date as a kubelet does it. Where its
// Deployment mounts none, one that opens everything.
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
	open := filepath.Join(w.dir, "open.yaml")
	return open, os.WriteFile(open, []byte(openConfiguration), 0o600)
}

// mount the ConfigMap in which a file is, and say where the file is here.
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

// platformConfiguration of manifests/platform-configuration.yaml holds whatever a claim says of Compositions.
func platformConfiguration(s *Story) {
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
	// Each wants what its Composition would allow it, if that were what decides.
	s.short("named", "[{name: ssm}]", "compositionRef: {name: open}")
	s.short("selected", "[{name: lambda}]", "compositionSelector: {matchLabels: {tier: open}}")
	s.short("pinned", "[{name: firehose}]", "compositionRef: {name: open}, compositionUpdatePolicy: Manual, compositionRevisionRef: {name: "+pinned+"}")
	for claim, service := range map[string]string{"named": "ssm", "selected": "lambda", "pinned": "firehose"} {
		s.refused(claim, `guardrail allowedServices: "`+service+`"`)
	}
	for _, claim := range []string{"named", "selected", "pinned"} {
		if got := fakes.String(s.XR(claim), "spec", "compositionRef", "name"); got != "open" {
			s.Errorf("%s has Composition %q, and should have open", claim, got)
		}
	}
	if got := fakes.String(s.XR("pinned"), "spec", "compositionRevisionRef", "name"); got != pinned {
		s.Errorf("the pinned claim has revision %q, and should have %s", got, pinned)
	}
	s.Stepf("another Composition, a selector and an old revision are held by the same guardrails")

	s.short("theirs", "[{name: sqs, serviceAccountName: provider-aws-iam}]", "")
	message := s.refused("theirs", "spec.services[0].serviceAccountName: Forbidden", "claims.allowedFields")
	if got := s.run(binaries.Kubectl, "describe", "podidentityproviderclaim", "theirs", "--namespace", s.Namespace); !strings.Contains(got, "spec.services[0].serviceAccountName: Forbidden") {
		s.Errorf("kubectl describe does not say why:\n%s", got)
	}
	s.Stepf("the ServiceAccount of somebody else is refused: %s", message)
}

// openComposition is one whose Input opens every field to claims. The answer is its first revision, which is not its last.
func (s *Story) openComposition() string {
	s.Helper()
	text := strings.NewReplacer("name: podidentityproviders.aws.podidentity.dev", "name: open", "provider: aws", "tier: open", "      defaults:", "      claims: {allowedFields: [\"*\"]}\n      defaults:").
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

// short claim: the platform's defaults are the rest.
func (s *Story) short(claim, services, more string) {
	s.Helper()
	s.Apply("{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProviderClaim, metadata: {name: " + claim + ", namespace: $NS}, spec: {services: " + services + ", " + more + "}}")
}

// refused waits until a claim is, with a message that has all the parts, and nothing is composed for it.
func (s *Story) refused(claim string, parts ...string) string {
	s.Helper()
	message := ""
	s.Until(2*time.Minute, claim+" is refused", func() error {
		c, err := s.get("Claim", claim)
		if err != nil || c == nil {
			return fmt.Errorf("there is no claim: %w", err)
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
