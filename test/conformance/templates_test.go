package conformance

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/crd"
)

// A templateCase is a test case of internal/runtimeconfig.
type templateCase struct {
	Name, Reason   string
	In             string
	Template       map[string]any
	Errors, Unsure []string
}

// TestTemplates compares the function's checks of raw templates with an API server's checks of DeploymentRuntimeConfigs with these
// templates: both must accept and refuse the same.
func TestTemplates(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(repository(t), "internal/runtimeconfig/testdata/templates.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []templateCase
	if err := yaml.UnmarshalStrict(b, &cases); err != nil {
		t.Fatal(err)
	}
	for _, rel := range releases {
		if !strings.HasPrefix(rel.name, "crossplane ") {
			continue
		}
		c := crd.New(rel.name, filepath.Join(moduleDir(t, rel.module, rel.version), rel.crds))
		for _, tc := range cases {
			t.Run(rel.name+"/"+tc.Name, func(t *testing.T) {
				drc := withTemplate(cmp.Or(tc.In, "deploymentTemplate"), tc.Template)
				apply, check := c.Apply(drc), c.Check(t.Context(), drc)
				// The newest release has every field that the function knows from some release.
				wrong := len(tc.Errors) > 0
				for _, u := range tc.Unsure {
					wrong = wrong || !rel.newest || !strings.Contains(u, "a newer one does")
				}
				if wrong && apply == nil && len(check) == 0 {
					t.Errorf("%s\nthe function refuses a template that an API server accepts: %v %v", tc.Reason, tc.Errors, tc.Unsure)
				}
				if !wrong && (apply != nil || len(check) > 0) {
					t.Errorf("%s\nthe function accepts a template that an API server refuses: %v %s", tc.Reason, apply, crd.Sorted(check))
				}
			})
		}
	}
}

// TestApplyAborts shows that mistakes from practice stop Crossplane's reconcile: an API server cannot even convert the object to
// a typed value.
func TestApplyAborts(t *testing.T) {
	cases := map[string]struct {
		reason, in, template, want string
	}{
		"Typo":       {"The template has an unknown field.", "deploymentTemplate", `{spec: {template: {spec: {nodeselector: {a: b}}}}}`, ".spec.deploymentTemplate.spec.template.spec.nodeselector: field not declared in schema"},
		"PullSecret": {"The template has a ServiceAccount field that is not allowed here.", "serviceAccountTemplate", `{imagePullSecrets: [{name: ecr}]}`, ".spec.serviceAccountTemplate.imagePullSecrets: field not declared in schema"},
		"Pasted":     {"The template is a whole Deployment.", "deploymentTemplate", `{kind: Deployment}`, ".spec.deploymentTemplate.kind: field not declared in schema"},
		"Container":  {"A container has no name.", "deploymentTemplate", `{spec: {template: {spec: {containers: [{args: [--debug]}]}}}}`, `omits all key fields ["name"]`},
		"Volume":     {"A volume has no name.", "deploymentTemplate", `{spec: {template: {spec: {volumes: [{emptyDir: {}}]}}}}`, `omits all key fields ["name"]`},
	}
	for _, rel := range releases {
		if !strings.HasPrefix(rel.name, "crossplane ") {
			continue
		}
		c := crd.New(rel.name, filepath.Join(moduleDir(t, rel.module, rel.version), rel.crds))
		for name, tc := range cases {
			t.Run(rel.name+"/"+name, func(t *testing.T) {
				template := map[string]any{}
				if err := yaml.Unmarshal([]byte(tc.template), &template); err != nil {
					t.Fatal(err)
				}
				if err := c.Apply(withTemplate(tc.in, template)); err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%s\nApply(...): want an error with %q, got %v", tc.reason, tc.want, err)
				}
			})
		}
	}
}

// withTemplate returns a DeploymentRuntimeConfig with a template, as the function composes it.
func withTemplate(in string, template map[string]any) *unstructured.Unstructured {
	base := map[string]any{"deploymentTemplate": map[string]any{"spec": map[string]any{"selector": map[string]any{}, "template": map[string]any{}}}}
	spec := merged(base, map[string]any{in: template})
	if pod, ok, _ := unstructured.NestedMap(spec, "deploymentTemplate", "spec", "template", "spec"); ok && pod["containers"] == nil {
		_ = unstructured.SetNestedSlice(spec, []any{}, "deploymentTemplate", "spec", "template", "spec", "containers")
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "pkg.crossplane.io/v1beta1", "kind": "DeploymentRuntimeConfig", "metadata": map[string]any{"name": "provider-aws-s3"}, "spec": spec,
	}}
}

// merged returns two merged objects; the second one wins.
func merged(a, b map[string]any) map[string]any {
	for k, v := range b {
		am, aok := a[k].(map[string]any)
		bm, bok := v.(map[string]any)
		if aok && bok {
			v = merged(am, bm)
		}
		a[k] = v
	}
	return a
}
