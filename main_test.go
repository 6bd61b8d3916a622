package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"testing"

	"github.com/alecthomas/kong"
	pkgv1 "github.com/crossplane/crossplane/v2/apis/pkg/v1"
	pkgv1beta1 "github.com/crossplane/crossplane/v2/apis/pkg/v1beta1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/platform"
)

// TestPlatformConfiguration checks that the manifest's references lead to its ConfigMap, and that the ConfigMap holds the configuration
// of example/guardrails.
func TestPlatformConfiguration(t *testing.T) {
	const manifest = "manifests/platform-configuration.yaml"
	documents := bytes.Split(read(t, manifest), []byte("\n---\n"))
	if len(documents) != 3 {
		t.Fatalf("%s: want a ConfigMap, a DeploymentRuntimeConfig and a Function, got %d objects", manifest, len(documents))
	}
	cm, drc, fn := &corev1.ConfigMap{}, &pkgv1beta1.DeploymentRuntimeConfig{}, &pkgv1.Function{}
	for i, into := range []any{cm, drc, fn} {
		if err := yaml.UnmarshalStrict(documents[i], into); err != nil {
			t.Fatalf("%s: %v", manifest, err)
		}
	}
	if got := fn.Spec.RuntimeConfigReference.Name; got != drc.GetName() {
		t.Errorf("the Function refers to runtime configuration %s, want %s", got, drc.GetName())
	}
	pod := drc.Spec.DeploymentTemplate.Spec.Template.Spec
	volume, container := pod.Volumes[0], pod.Containers[0]
	if volume.ConfigMap.Name != cm.GetName() || container.VolumeMounts[0].Name != volume.Name {
		t.Errorf("the container mounts %s of ConfigMap %s, want %s", container.VolumeMounts[0].Name, volume.ConfigMap.Name, cm.GetName())
	}
	cli := &CLI{}
	parse(t, cli, container.Args)
	if got := path.Dir(cli.Config); got != container.VolumeMounts[0].MountPath {
		t.Errorf("the flag leads to %s, the ConfigMap is mounted at %s", got, container.VolumeMounts[0].MountPath)
	}
	got, err := platform.Parse([]byte(cm.Data[path.Base(cli.Config)]))
	if err != nil {
		t.Fatalf("the function would not start: %v", err)
	}
	want, err := platform.Parse(read(t, "example/guardrails/platform.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Hash, got.Hash); diff != "" {
		t.Errorf("%s differs from example/guardrails/platform.yaml: -want, +got:\n%s", manifest, diff)
	}
}

// TestFunctionRuntime checks that Crossplane accepts the manifest, that the function has the flags it sets, and that its probes use the
// address from those flags.
func TestFunctionRuntime(t *testing.T) {
	drc := &pkgv1beta1.DeploymentRuntimeConfig{}
	if err := yaml.UnmarshalStrict(read(t, "manifests/function-runtime.yaml"), drc); err != nil {
		t.Fatal(err)
	}
	container := drc.Spec.DeploymentTemplate.Spec.Template.Spec.Containers[0]
	if diff := cmp.Diff("package-runtime", container.Name); diff != "" {
		t.Errorf("Crossplane's name of the container: -want, +got:\n%s", diff)
	}
	cli := &CLI{}
	parse(t, cli, container.Args)
	port := container.Ports[0]
	if diff := cmp.Diff(cli.MetricsAddress, fmt.Sprintf(":%d", port.ContainerPort)); diff != "" {
		t.Errorf("the port differs from the one in the flags: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff(fmt.Sprint(port.ContainerPort), drc.Spec.DeploymentTemplate.Spec.Template.Annotations["prometheus.io/port"]); diff != "" {
		t.Errorf("Prometheus does not scrape the port: -want, +got:\n%s", diff)
	}
	var got []string
	for _, p := range []*corev1.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
		got = append(got, p.HTTPGet.Port.String()+p.HTTPGet.Path)
	}
	if diff := cmp.Diff([]string{"metrics/livez", "metrics/livez", "metrics/readyz"}, got); diff != "" {
		t.Errorf("probes: -want, +got:\n%s", diff)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file) //nolint:gosec // The file is part of this repository.
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t *testing.T, cli *CLI, args []string) {
	t.Helper()
	parser, err := kong.New(cli)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("the function does not accept its flags: %v", err)
	}
}
