package main

import (
	"os"
	"path"
	"testing"

	"github.com/alecthomas/kong"
	pkgv1 "github.com/crossplane/crossplane/v2/apis/pkg/v1"
	pkgv1beta1 "github.com/crossplane/crossplane/v2/apis/pkg/v1beta1"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/structpb"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/platform"
)

// TestPlatformConfiguration: in the manifest everything leads to the ConfigMap, and that holds what example/guardrails shows.
func TestPlatformConfiguration(t *testing.T) {
	const manifest = "manifests/platform-configuration.yaml"
	objects := loadAll(t, manifest)
	if len(objects) != 3 {
		t.Fatalf("%s: want a ConfigMap, a DeploymentRuntimeConfig and a Function, got %d objects", manifest, len(objects))
	}
	cm, drc, fn := &corev1.ConfigMap{}, &pkgv1beta1.DeploymentRuntimeConfig{}, &pkgv1.Function{}
	for i, into := range []any{cm, drc, fn} {
		if err := yaml.UnmarshalStrict(must(objects[i].MarshalJSON()), into); err != nil {
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
	if _, err := must(kong.New(cli)).Parse(container.Args); err != nil {
		t.Errorf("the function does not take its flags: %v", err)
	}
	if got := path.Dir(cli.Config); got != container.VolumeMounts[0].MountPath {
		t.Errorf("the flag leads to %s, the ConfigMap is mounted at %s", got, container.VolumeMounts[0].MountPath)
	}
	got, err := platform.Parse([]byte(cm.Data[path.Base(cli.Config)]))
	if err != nil {
		t.Fatalf("the function would not start: %v", err)
	}
	want, err := platform.Parse(must(os.ReadFile("example/guardrails/platform.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Hash, got.Hash); diff != "" {
		t.Errorf("%s has another configuration than example/guardrails/platform.yaml: -want, +got:\n%s", manifest, diff)
	}
}

// TestRecommendedStart: a claim that only names a service that the recommended configuration lists for its namespace is not refused by that
// same configuration.
func TestRecommendedStart(t *testing.T) {
	const file = "example/guardrails/platform.yaml"
	in := &v1beta1.Input{}
	if err := yaml.UnmarshalStrict(must(os.ReadFile(file)), in); err != nil {
		t.Fatal(err)
	}
	if len(in.Namespaces) == 0 {
		t.Fatalf("%s has nothing for any namespace", file)
	}
	for _, entry := range in.Namespaces {
		for _, service := range entry.Guardrails.AllowedServices {
			w := loadStep(t, "example/guardrails/01-allowed")
			w.Observed = nil
			claim := map[string]any{"namespace": entry.Match[0], "name": "x"}
			w.XR.Fields["spec"] = must(structpb.NewValue(map[string]any{"claimRef": claim, "services": []any{map[string]any{"name": service}}}))
			for _, r := range w.reconcile(t, newTestFunction()).GetResults() {
				if r.GetSeverity() == fnv1.Severity_SEVERITY_FATAL {
					t.Errorf("service %s of namespace %s: %s", service, entry.Match[0], r.GetMessage())
				}
			}
		}
	}
}
