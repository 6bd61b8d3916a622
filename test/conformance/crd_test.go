package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/crd"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/engine"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

// releases are the oldest and the newest supported releases. The tests check composed resources against their CRDs.
var releases = []struct {
	name, module, version, crds string
	newest                      bool

	// unknown are fields that this release does not have, and that the function sets only if a user sets them.
	unknown []string
}{
	{
		name: "provider-aws v1.23.0", module: "github.com/upbound/provider-aws", version: "v1.23.0", crds: "package/crds",
		unknown: []string{"spec.forProvider.disableSessionTags", "spec.forProvider.targetRoleArn"},
	},
	{name: "provider-aws v2.5.0", module: "github.com/upbound/provider-aws/v2", version: "v2.5.0", crds: "package/crds", newest: true},
	{name: "crossplane v1.20.11", module: "github.com/crossplane/crossplane", version: "v1.20.11", crds: "cluster/crds"},
	{name: "crossplane v2.4.2", module: "github.com/crossplane/crossplane/v2", version: "v2.4.2", crds: "cluster/crds", newest: true},
}

// TestAgainstRealCRDs checks every composed resource of every step against the CRDs of the real providers and of
// Crossplane, as strictly as an API server can.
func TestAgainstRealCRDs(t *testing.T) {
	_, scenarios := load(t)

	checked := map[*unstructured.Unstructured]bool{}
	var composed []*unstructured.Unstructured
	where := map[*unstructured.Unstructured]string{}
	for _, s := range scenarios {
		for _, step := range s.Steps {
			docs, err := step.Expected()
			if err != nil {
				t.Fatal(err)
			}
			out, err := engine.Parse(docs)
			if err != nil {
				t.Fatalf("%s: %v", step.ExpectedPath, err)
			}
			composed = append(composed, out.Resources...)
			for _, r := range out.Resources {
				where[r] = fmt.Sprintf("%s: %s", step.Name, r.GetAnnotations()[scenario.ResourceNameAnnotation])
			}
		}
	}

	for _, rel := range releases {
		t.Run(rel.name, func(t *testing.T) {
			c := crd.New(rel.name, filepath.Join(moduleDir(t, rel.module, rel.version), rel.crds))
			skipped := map[string]int{}
			n := 0
			for _, r := range composed {
				if group := r.GroupVersionKind().Group; !c.HasGroup(group) {
					skipped[group]++
					continue
				}
				checked[r] = true
				n++
				if err := c.Apply(r); err != nil && !aboutKnown(err, rel.unknown) {
					t.Errorf("%s (%s %s): cannot be applied: %v", where[r], r.GetKind(), r.GetAPIVersion(), err)
				}
				for _, e := range c.Check(t.Context(), r) {
					if !isKnown(e, rel.unknown) {
						t.Errorf("%s (%s %s): %v", where[r], r.GetKind(), r.GetAPIVersion(), e)
					}
				}
			}
			t.Logf("%d of %d composed resources checked, not in this release: %v", n, len(composed), skipped)
		})
	}

	for _, r := range composed {
		if !checked[r] {
			t.Errorf("%s: no release has %s %s", where[r], r.GetKind(), r.GetAPIVersion())
		}
	}
}

// TestFixtures checks that the cluster of every scenario is possible: the newest release could have stored every observed
// or required object, including its status.
func TestFixtures(t *testing.T) {
	_, scenarios := load(t)

	var checkers []*crd.Checker
	for _, rel := range releases {
		if rel.newest {
			checkers = append(checkers, crd.New(rel.name, filepath.Join(moduleDir(t, rel.module, rel.version), rel.crds)))
		}
	}

	unchecked := map[string]int{}
	for _, s := range scenarios {
		for _, step := range s.Steps {
			for _, o := range step.Cluster() {
				i := slices.IndexFunc(checkers, func(c *crd.Checker) bool { return c.HasGroup(o.GroupVersionKind().Group) })
				if i < 0 {
					unchecked[o.GetKind()]++
					continue
				}
				for _, e := range checkers[i].Check(t.Context(), o) {
					t.Errorf("%s: %s %q: %v", step.Name, o.GetKind(), o.GetName(), e)
				}
			}
		}
	}
	t.Logf("not checked, because they belong to Kubernetes: %v", unchecked)
}

// TestDefinitions checks that an API server accepts our own CRDs: the one of the function's input, and those that
// Crossplane derives from our XRDs. An API server is strict, above all about the cost of CEL rules.
func TestDefinitions(t *testing.T) {
	for _, d := range append(readInputs(t), readXRDs(t)...) {
		if errs := crd.CheckDefinition(t.Context(), d); len(errs) > 0 {
			t.Errorf("an API server would refuse the CRD of %s:\n%s", d.Spec.Names.Kind, crd.Sorted(errs))
		}
	}
}

// TestXRs checks the XR of every step against the CRD that Crossplane derives from its XRD, before and after the function
// has written its status.
func TestXRs(t *testing.T) {
	_, scenarios := load(t)
	c := checker(t, "our XRDs", readXRDs(t)...)
	for _, s := range scenarios {
		for _, step := range s.Steps {
			for _, e := range c.Check(t.Context(), step.XR) {
				t.Errorf("%s: %v", step.XRPath, e)
			}
			docs, err := step.Expected()
			if err != nil {
				t.Fatal(err)
			}
			out, err := engine.Parse(docs)
			if err != nil {
				t.Fatal(err)
			}
			if out.XR == nil {
				continue
			}

			// The function's status must match the schema of the XR's status, or the API server drops it.
			after := step.XR.DeepCopy()
			status, _, _ := unstructured.NestedMap(out.XR.Object, "status")
			conditions, _, _ := unstructured.NestedSlice(status, "conditions")
			for _, cond := range conditions {
				cond.(map[string]any)["lastTransitionTime"] = "2024-01-01T00:00:00Z"
			}
			if len(conditions) > 0 {
				status["conditions"] = conditions
			}
			after.Object["status"] = status
			for _, e := range c.Check(t.Context(), after) {
				t.Errorf("%s: %v", step.ExpectedPath, e)
			}
		}
	}
}

// TestInputs checks the Compositions against the CRDs of Crossplane, and the inputs in them against ours.
func TestInputs(t *testing.T) {
	root, scenarios := load(t)
	input := checker(t, "package/input", readInputs(t)...)

	shipped, err := filepath.Glob(filepath.Join(root, "configuration/apis/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for _, p := range shipped {
		files[p] = true
	}
	for _, s := range scenarios {
		for _, step := range s.Steps {
			files[step.CompositionPath] = true
		}
	}

	for _, rel := range releases {
		if !strings.HasPrefix(rel.name, "crossplane ") {
			continue
		}
		c := crd.New(rel.name, filepath.Join(moduleDir(t, rel.module, rel.version), rel.crds))
		for path := range files {
			docs, err := scenario.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range docs {
				for _, e := range c.Check(t.Context(), d) {
					t.Errorf("%s against %s: %v", path, rel.name, e)
				}
				pipeline, _, _ := unstructured.NestedSlice(d.Object, "spec", "pipeline")
				for _, p := range pipeline {
					in, ok, _ := unstructured.NestedMap(p.(map[string]any), "input")
					if !ok {
						continue
					}
					for _, e := range input.CheckContent(t.Context(), &unstructured.Unstructured{Object: in}) {
						t.Errorf("%s: input: %v", path, e)
					}
				}
			}
		}
	}
}

// TestCheckerCanFail shows that the checks above find what an API server would refuse.
func TestCheckerCanFail(t *testing.T) {
	aws := crd.New("provider-aws", filepath.Join(moduleDir(t, "github.com/upbound/provider-aws/v2", "v2.5.0"), "package/crds"))
	xp := crd.New("crossplane", filepath.Join(moduleDir(t, "github.com/crossplane/crossplane/v2", "v2.4.2"), "cluster/crds"))

	cases := map[string]struct {
		reason  string
		checker *crd.Checker
		object  string
		want    string
	}{
		"Valid": {
			reason:  "A valid Role has no errors.",
			checker: aws,
			object:  `{"apiVersion":"iam.aws.upbound.io/v1beta1","kind":"Role","spec":{"forProvider":{"assumeRolePolicy":"{}"}}}`,
		},
		"UnknownField": {
			reason:  "An API server prunes unknown fields, or refuses them.",
			checker: aws,
			object:  `{"apiVersion":"iam.aws.upbound.io/v1beta1","kind":"Role","spec":{"forProvider":{"assumeRolePolicy":"{}","pfad":"/"}}}`,
			want:    "spec.forProvider.pfad: Forbidden: unknown field",
		},
		"WrongType": {
			reason:  "A number is not a boolean.",
			checker: aws,
			object:  `{"apiVersion":"iam.aws.upbound.io/v1beta1","kind":"Role","spec":{"forProvider":{"assumeRolePolicy":"{}","forceDetachPolicies":1}}}`,
			want:    "spec.forProvider.forceDetachPolicies: Invalid value",
		},
		"MissingField": {
			reason:  "The spec of a managed resource is required.",
			checker: aws,
			object:  `{"apiVersion":"iam.aws.upbound.io/v1beta1","kind":"Role"}`,
			want:    "spec: Required value",
		},
		"EnumViolated": {
			reason:  "A deletion policy has one of two values.",
			checker: aws,
			object:  `{"apiVersion":"iam.aws.upbound.io/v1beta1","kind":"Role","spec":{"deletionPolicy":"Forget","forProvider":{"assumeRolePolicy":"{}"}}}`,
			want:    "spec.deletionPolicy: Unsupported value",
		},
		"RuleViolated": {
			reason:  "A CEL rule of the Role requires a trust policy.",
			checker: aws,
			object:  `{"apiVersion":"iam.aws.upbound.io/v1beta1","kind":"Role","spec":{"forProvider":{}}}`,
			want:    "spec.forProvider.assumeRolePolicy is a required parameter",
		},
		"RuleOfCrossplane": {
			reason:  "A CEL rule of Crossplane v2 requires a fully qualified package.",
			checker: xp,
			object:  `{"apiVersion":"pkg.crossplane.io/v1","kind":"Provider","metadata":{"name":"p"},"spec":{"package":"provider-aws-s3"}}`,
			want:    "must be a fully qualified image name",
		},
		"BadName": {
			reason:  "Names are DNS subdomains.",
			checker: xp,
			object:  `{"apiVersion":"pkg.crossplane.io/v1beta1","kind":"DeploymentRuntimeConfig","metadata":{"name":"Not_A_Name"}}`,
			want:    "metadata.name: Invalid value",
		},
		"UnknownKind": {
			reason:  "A kind that the release does not have cannot be checked.",
			checker: aws,
			object:  `{"apiVersion":"iam.aws.upbound.io/v1beta1","kind":"Rolle"}`,
			want:    `has no kind "Rolle"`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			u := &unstructured.Unstructured{}
			if err := json.Unmarshal([]byte(tc.object), &u.Object); err != nil {
				t.Fatal(err)
			}
			errs := tc.checker.Check(t.Context(), u)
			if tc.want == "" && len(errs) > 0 || !strings.Contains(crd.Sorted(errs), tc.want) {
				t.Errorf("\n%s\nCheck(...): want an error with %q, got:\n%s", tc.reason, tc.want, crd.Sorted(errs))
			}
		})
	}
}

// aboutKnown reports whether an API server cannot apply an object only because of fields that a release is known not to have.
func aboutKnown(err error, unknown []string) bool {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if strings.Contains(line, "not declared in schema") && !slices.ContainsFunc(unknown, func(f string) bool { return strings.Contains(line, "."+f+":") }) {
			return false
		}
	}
	return len(unknown) > 0
}

// isKnown reports whether an error is about a field that a release is known not to have.
func isKnown(e *field.Error, unknown []string) bool {
	for _, f := range unknown {
		if e.Type == field.ErrorTypeForbidden && e.Field == f {
			return true
		}
	}
	return false
}

// The files of our XRDs, for PodIdentityProvider and PodIdentityTenant.
const (
	definition       = "configuration/apis/definition.yaml"
	tenantDefinition = "configuration/apis/tenant-definition.yaml"
)

// readXRD returns the CRDs of a PodIdentityProvider and of its claim.
func readXRD(t *testing.T) (xr, claim *extv1.CustomResourceDefinition) {
	t.Helper()
	return readDefinition(t, definition)
}

// readXRDs returns the CRDs of all our XRs and of their claims.
func readXRDs(t *testing.T) []*extv1.CustomResourceDefinition {
	t.Helper()
	var out []*extv1.CustomResourceDefinition
	for _, file := range []string{definition, tenantDefinition} {
		xr, claim := readDefinition(t, file)
		out = append(out, xr, claim)
	}
	return out
}

func readDefinition(t *testing.T, file string) (xr, claim *extv1.CustomResourceDefinition) {
	t.Helper()
	xr, claim, err := crd.ReadXRD(filepath.Join(repository(t), file))
	if err != nil {
		t.Fatal(err)
	}
	return xr, claim
}

// readInputs returns the CRDs of the function's input.
func readInputs(t *testing.T) []*extv1.CustomResourceDefinition {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(repository(t), "package/input/*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no CRD of the function's input: %v", err)
	}
	out := make([]*extv1.CustomResourceDefinition, 0, len(paths))
	for _, p := range paths {
		d, err := crd.ReadCRD(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

// checker returns a checker of some definitions.
func checker(t *testing.T, name string, crds ...*extv1.CustomResourceDefinition) *crd.Checker {
	t.Helper()
	c := crd.New(name)
	for _, d := range crds {
		if err := c.Add(d); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// moduleDir returns the folder of a module's source. The Go command downloads it if it is missing.
func moduleDir(t *testing.T, module, version string) string {
	t.Helper()

	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module+"@"+version)
	cmd.Dir = t.TempDir() // Outside of any module: this one must have no influence.
	cmd.Stderr = os.Stderr
	note := time.AfterFunc(3*time.Second, func() {
		_, _ = fmt.Fprintf(os.Stderr, "downloading %s@%s for its CRDs, this happens once\n", module, version)
	})
	defer note.Stop()
	out, err := cmd.Output()

	var m struct {
		Dir   string `json:"Dir"`
		Error string `json:"Error"`
	}
	err = errors.Join(err, json.Unmarshal(out, &m))
	if err != nil || m.Error != "" {
		t.Fatalf("cannot download %s@%s: %v %s", module, version, err, m.Error)
	}
	return m.Dir
}
