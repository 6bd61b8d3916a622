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

// A templateCase is one of internal/runtimeconfig.
type templateCase struct {
	Name, Reason   string
	In             string
	Template       map[string]any
	Errors, Unsure []string
}

// TestTemplates holds what the function says of raw templates against what an API server says of the DeploymentRuntimeConfigs
// with them: it takes what the function takes, and refuses what the function refuses.
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
				// The newest has every field that the function knows of some.
				wrong := len(tc.Errors) > 0
				for _, u := range tc.Unsure {
					wrong = wrong || !rel.newest || !strings.Contains(u, "a newer one does")
				}
				if wrong && apply == nil && len(check) == 0 {
					t.Errorf("%s\nthe function refuses a template that an API server takes: %v %v", tc.Reason, tc.Errors, tc.Unsure)
				}
				if !wrong && (apply != nil || len(check) > 0) {
					t.Errorf("%s\nthe function takes a template that an API server refuses: %v %s", tc.Reason, apply, crd.Sorted(check))
				}
			})
		}
	}
}

// TestApplyAborts shows that the mistakes that were seen in practice are of the kind that Crossplane does not survive: an API
// server cannot even make a typed value of them.
func TestApplyAborts(t *testing.T) {
	cases := map[string]struct {
		reason, in, template, want string
	}{
		"Typo":       {"An unknown field.", "deploymentTemplate", `{spec: {template: {spec: {nodeselector: {a: b}}}}}`, ".spec.deploymentTemplate.spec.template.spec.nodeselector: field not declared in schema"},
		"PullSecret": {"A field of a ServiceAccount.", "serviceAccountTemplate", `{imagePullSecrets: [{name: ecr}]}`, ".spec.serviceAccountTemplate.imagePullSecrets: field not declared in schema"},
		"Pasted":     {"A whole Deployment.", "deploymentTemplate", `{kind: Deployment}`, ".spec.deploymentTemplate.kind: field not declared in schema"},
		"Container":  {"A container without its name.", "deploymentTemplate", `{spec: {template: {spec: {containers: [{args: [--debug]}]}}}}`, `omits all key fields ["name"]`},
		"Volume":     {"A volume without its name.", "deploymentTemplate", `{spec: {template: {spec: {volumes: [{emptyDir: {}}]}}}}`, `omits all key fields ["name"]`},
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

// withTemplate is a DeploymentRuntimeConfig as the function composes it with a template.
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

// merged objects; the second wins.
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
