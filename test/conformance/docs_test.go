package conformance

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/crd"
)

var (
	yamlBlock  = regexp.MustCompile("(?ms)^( *)```yaml[^\n]*\n(.*?)^ *```$")
	yamlOfBash = regexp.MustCompile(`(?ms)<<-?'?YAML'?\n(.*?)^\s*YAML$`)
	separator  = regexp.MustCompile(`(?m)^---\s*$`)

	// kubernetes are groups without CRDs in this test: those of Kubernetes itself and of programs that read our objects.
	// test/monitoring checks those of Prometheus.
	kubernetes = []string{
		"", "admissionregistration.k8s.io", "apps", "rbac.authorization.k8s.io",
		"argoproj.io", "kustomize.config.k8s.io", "kustomize.toolkit.fluxcd.io", "monitoring.coreos.com",
	}
)

// A snippet is YAML in the documentation, or in the manifests that users apply.
type snippet struct{ where, content string }

// snippets returns the snippets of all pages and manifests.
func snippets(t *testing.T, root string) []snippet {
	t.Helper()
	out := []snippet{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path) // Both have the same form.
		if d.IsDir() && rel != "." && strings.ContainsAny(d.Name()[:1], "._") {
			return filepath.SkipDir
		}
		manifest := filepath.Dir(rel) == "manifests"
		if d.IsDir() || filepath.Ext(path) != ".md" && !manifest {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if manifest {
			out = append(out, snippet{where: rel, content: string(b)})
			return nil
		}
		for _, m := range yamlBlock.FindAllSubmatchIndex(b, -1) {
			line := strings.Count(string(b[:m[0]]), "\n") + 1
			indent := string(b[m[2]:m[3]])
			content := strings.ReplaceAll("\n"+string(b[m[4]:m[5]]), "\n"+indent, "\n")
			out = append(out, snippet{where: fmt.Sprintf("%s:%d", rel, line), content: content})
		}
		for _, m := range yamlOfBash.FindAllStringSubmatch(string(b), -1) {
			out = append(out, snippet{where: rel + ": in a command", content: m[1]})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDocumentation validates all YAML in the documentation, and the manifests, against the schemas of our XRD, of the
// Input, of Crossplane and of provider-aws, as an API server would. It inserts pieces into the object that they belong to.
func TestDocumentation(t *testing.T) {
	root, _ := load(t)
	xr, _ := readXRD(t)
	ours := checker(t, "our XRDs", readXRDs(t)...)
	input := checker(t, "package/input", readInputs(t)...)
	checkers := []*crd.Checker{ours}
	for _, rel := range releases {
		if rel.newest {
			checkers = append(checkers, crd.New(rel.name, filepath.Join(moduleDir(t, rel.module, rel.version), rel.crds)))
		}
	}

	checked, kinds := 0, map[string]int{}
	for _, s := range snippets(t, root) {
		for _, doc := range separator.Split(s.content, -1) {
			o := map[string]any{}
			if err := yaml.UnmarshalStrict([]byte(doc), &o); err != nil {
				t.Errorf("%s: %v", s.where, err)
				continue
			}
			if len(o) == 0 {
				continue
			}
			u, err := whole(o, xr.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties)
			if err != nil {
				t.Errorf("%s: %v", s.where, err)
				continue
			}
			checked++
			kinds[u.GetKind()]++
			gvk := u.GroupVersionKind()
			switch {
			case slices.Contains(kubernetes, gvk.Group):
			case gvk.Group == "podidentity.fn.crossplane.io":
				for _, e := range input.CheckContent(t.Context(), u) {
					t.Errorf("%s: %v", s.where, e)
				}
			default:
				i := slices.IndexFunc(checkers, func(c *crd.Checker) bool { return c.HasGroup(gvk.Group) })
				if i < 0 {
					t.Errorf("%s: no schema for %v", s.where, gvk)
					continue
				}
				for _, e := range checkers[i].Check(t.Context(), u) {
					t.Errorf("%s: %s: %v", s.where, u.GetKind(), e)
				}
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d objects were found", checked)
	}
	t.Logf("%d objects: %v; those of %q have no CRD and were only parsed", checked, kinds, kubernetes)
}

// whole returns the object that a piece is a part of: the input of a Composition's step, or fields of a composite resource's spec.
func whole[T any](piece map[string]any, fields map[string]T) (*unstructured.Unstructured, error) {
	if in, ok := piece["input"].(map[string]any); ok && len(piece) == 1 {
		return &unstructured.Unstructured{Object: in}, nil
	}
	if piece["apiVersion"] != nil {
		return &unstructured.Unstructured{Object: piece}, nil
	}
	for name := range piece {
		if _, ok := fields[name]; !ok {
			return nil, fmt.Errorf("neither an object, nor an input, nor fields of a PodIdentityProvider's spec: %v", slices.Sorted(maps.Keys(piece)))
		}
	}
	spec := maps.Clone(piece)
	for name, v := range map[string]any{"region": "eu-west-1", "clusterName": "prod", "services": []any{map[string]any{"name": "s3"}}} {
		if spec[name] == nil {
			spec[name] = v
		}
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(kschema.GroupVersionKind{Group: "aws.podidentity.dev", Version: "v1alpha1", Kind: "PodIdentityProvider"})
	u.SetName("example")
	return u, nil
}

// TestReference checks that the reference pages have every field that Crossplane adds to a claim, and that the README
// shows the columns of kubectl get.
func TestReference(t *testing.T) {
	root, _ := load(t)
	xr, claim := readXRD(t)

	page, err := os.ReadFile(filepath.Join(root, "docs/reference/claim.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range claim.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties {
		if !regexp.MustCompile("`" + name + "[`.]").Match(page) {
			t.Errorf("docs/reference/claim.md does not have spec.%s", name)
		}
	}

	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	columns := []string{"NAME"}
	for _, c := range xr.Spec.Versions[0].AdditionalPrinterColumns {
		if c.Priority == 0 {
			columns = append(columns, strings.ToUpper(c.Name))
		}
	}
	header := regexp.MustCompile(`(?m)^` + strings.Join(columns, ` +`) + `$`)
	if !header.Match(readme) {
		t.Errorf("README.md does not show the columns of kubectl get: %s", strings.Join(columns, "  "))
	}
}

// TestDescriptions checks the output of kubectl explain: every field of ours has a description that is a sentence, and that
// says so if the field is immutable.
func TestDescriptions(t *testing.T) {
	xr, _ := readXRD(t)
	tenant, _ := readDefinition(t, tenantDefinition)
	for _, d := range append(readInputs(t), xr, tenant) {
		s := d.Spec.Versions[0].Schema.OpenAPIV3Schema
		for _, top := range []string{"spec", "status", "defaults", "guardrails"} {
			if p, ok := s.Properties[top]; ok {
				checkDescriptions(t, d.Spec.Names.Kind+"."+top, p)
			}
		}
	}
}

// crossplanes are the fields that Crossplane adds to a composite resource.
var crossplanes = []string{
	"claimConditionTypes", "claimRef", "compositionRef", "compositionRevisionRef", "compositionRevisionSelector", "compositionSelector",
	"compositionUpdatePolicy", "connectionDetails", "resourceRefs", "writeConnectionSecretToRef",
}

// foreign are objects with Kubernetes types.
var foreign = []string{"env", "affinity", "tolerations", "conditions"}

func checkDescriptions(t *testing.T, at string, s extv1.JSONSchemaProps) {
	t.Helper()
	for _, v := range s.XValidations {
		name, ok := strings.CutSuffix(v.Message, " is immutable")
		if !ok {
			continue
		}
		p := s
		for part := range strings.SplitSeq(name, ".") {
			p = p.Properties[part]
		}
		if !strings.Contains(p.Description, "Immutable.") {
			t.Errorf("%s.%s: the description should say Immutable.", at, name)
		}
	}
	for name, p := range s.Properties {
		at := at + "." + name
		if slices.Contains(crossplanes, name) {
			continue
		}
		if len(strings.Fields(p.Description)) < 3 || !strings.HasSuffix(p.Description, ".") && !strings.Contains(p.Description, "https://") {
			t.Errorf("%s: kubectl explain would show %q, which is not a sentence", at, p.Description)
		}
		if slices.Contains(foreign, name) || name == "resources" && p.Type == "object" {
			continue
		}
		checkDescriptions(t, at, p)
		if p.Items != nil && p.Items.Schema != nil {
			checkDescriptions(t, at+"[]", *p.Items.Schema)
		}
	}
}
