package xpkg

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	inputCRD  = "apiextensions.k8s.io/v1 CustomResourceDefinition inputs.podidentity.fn.crossplane.io"
	xrd       = "apiextensions.crossplane.io/v1 CompositeResourceDefinition podidentityproviders.aws.podidentity.dev"
	tenantXRD = "apiextensions.crossplane.io/v1 CompositeResourceDefinition podidentitytenants.aws.podidentity.dev"
)

func TestFunctionPlatforms(t *testing.T) {
	if !all() {
		t.Skip("E2E is not set: make e2e builds the packages of all architectures")
	}

	index, err := remote.Index(shared.function, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatalf("cannot pull the function package as an index: %v", err)
	}

	m, err := index.IndexManifest()
	if err != nil {
		t.Fatalf("cannot read index: %v", err)
	}

	got := make([]string, 0, len(m.Manifests))
	for _, d := range m.Manifests {
		got = append(got, d.Platform.String())
	}

	slices.Sort(got)

	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, got); diff != "" {
		t.Errorf("platforms of the function package: -want, +got:\n%s", diff)
	}
}

func TestFunctionPackage(t *testing.T) {
	for _, arch := range arches() {
		t.Run(arch, func(t *testing.T) {
			objs := packageObjects(t, shared.images[arch])

			want := []string{"meta.pkg.crossplane.io/v1 Function " + functionName, inputCRD}
			if diff := cmp.Diff(want, ids(objs)); diff != "" {
				t.Fatalf("objects of the function package: -want, +got:\n%s", diff)
			}

			checkAnnotations(t, objs[0])

			wantSpec := object{
				"capabilities": []any{"composition"},
				"crossplane":   object{"version": ">=v1.19.0-0"},
			}
			if diff := cmp.Diff(wantSpec, objs[0]["spec"]); diff != "" {
				t.Errorf("spec of the Function: -want, +got:\n%s", diff)
			}

			checkInputCRD(t, objs[1])
		})
	}
}

// checkInputCRD checks that the CRD documents the fields that the function's
// users may set. The CRD is never installed: only people and tools read it.
func checkInputCRD(t *testing.T, crd object) {
	t.Helper()

	versions, _ := field(crd, "spec", "versions").([]any)
	if len(versions) != 1 {
		t.Fatalf("want one version in the Input's CRD, got %d", len(versions))
	}

	if diff := cmp.Diff("v1beta1", field(versions[0], "name")); diff != "" {
		t.Errorf("version of the Input: -want, +got:\n%s", diff)
	}

	for _, f := range []string{"defaults", "guardrails", "prerequisites", "preview", "ttl"} {
		if field(versions[0], "schema", "openAPIV3Schema", "properties", f) == nil {
			t.Errorf("the schema of the Input has no field %q", f)
		}
	}
}

func TestConfigurationPackage(t *testing.T) {
	objs := packageObjects(t, shared.configuration)

	// Crossplane v1's linter refuses a Configuration with any other kind.
	kinds := make([]string, len(objs))
	for i, o := range objs {
		kinds[i] = fmt.Sprintf("%v %v", o["apiVersion"], o["kind"])
	}

	slices.Sort(kinds[1:])

	want := []string{
		"meta.pkg.crossplane.io/v1 Configuration",
		"apiextensions.crossplane.io/v1 CompositeResourceDefinition",
		"apiextensions.crossplane.io/v1 CompositeResourceDefinition",
		"apiextensions.crossplane.io/v1 Composition",
		"apiextensions.crossplane.io/v1 Composition",
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Fatalf("kinds in the configuration package: -want, +got:\n%s", diff)
	}

	if diff := cmp.Diff(configurationName, field(objs[0], "metadata", "name")); diff != "" {
		t.Errorf("name of the Configuration: -want, +got:\n%s", diff)
	}

	checkAnnotations(t, objs[0])

	for _, want := range []string{xrd, tenantXRD} {
		if !slices.Contains(ids(objs), want) {
			t.Errorf("want %s among the objects of the package, got %v", want, ids(objs))
		}
	}

	var composed []any
	for _, o := range objs {
		if o["kind"] == "Composition" {
			checkComposition(t, o)
			composed = append(composed, field(o, "spec", "compositeTypeRef"))
		}
	}
	if diff := cmp.Diff([]any{
		object{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityProvider"},
		object{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityTenant"},
	}, composed); diff != "" {
		t.Errorf("compositeTypeRefs of the Compositions: -want, +got:\n%s", diff)
	}
}

// checkComposition checks that a Composition calls only the function that the
// Configuration depends on.
func checkComposition(t *testing.T, c object) {
	t.Helper()

	if diff := cmp.Diff("Pipeline", field(c, "spec", "mode")); diff != "" {
		t.Errorf("mode of the Composition, which Crossplane v1 needs: -want, +got:\n%s", diff)
	}

	steps, _ := field(c, "spec", "pipeline").([]any)

	got := make([]any, len(steps))
	for i, s := range steps {
		got[i] = field(s, "functionRef", "name")
	}

	// Crossplane installs a dependency under this name: the package's repository,
	// with dashes. A reference to any other name finds no function.
	if diff := cmp.Diff([]any{"crossplane-contrib-" + functionName}, got); diff != "" {
		t.Errorf("functions that the Composition calls: -want, +got:\n%s", diff)
	}
}

func TestConfigurationDependencies(t *testing.T) {
	meta := packageObjects(t, shared.configuration)[0]

	// No provider is a dependency: it would start before its association, and come from one registry only.
	want := object{
		"crossplane": object{"version": ">=v1.19.0-0"},
		"dependsOn": []any{
			object{"function": "xpkg.crossplane.io/crossplane-contrib/" + functionName, "version": ">=v0.1.0"},
		},
	}
	if diff := cmp.Diff(want, meta["spec"]); diff != "" {
		t.Errorf("spec of the Configuration: -want, +got:\n%s", diff)
	}
}

// checkAnnotations checks for the annotations that package registries show.
func checkAnnotations(t *testing.T, meta object) {
	t.Helper()

	for _, a := range []string{"maintainer", "source", "license", "description", "readme"} {
		if v, _ := field(meta, "metadata", "annotations", "meta.crossplane.io/"+a).(string); v == "" {
			t.Errorf("%s has no annotation meta.crossplane.io/%s", id(meta), a)
		}
	}

	svg, err := os.ReadFile(filepath.Join(shared.root, "package", "icon.svg"))
	if err != nil {
		t.Fatal(err)
	}

	want := "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg)
	if diff := cmp.Diff(want, field(meta, "metadata", "annotations", "meta.crossplane.io/iconURI")); diff != "" {
		t.Errorf("icon of %s is not package/icon.svg: -want, +got:\n%s", id(meta), diff)
	}
}

// TestExamples checks that the Configuration contains the composite resources of
// the scenarios, in the layer that registries show, and nothing else.
func TestExamples(t *testing.T) {
	var got []string

	for _, o := range layerObjects(t, shared.configuration, "upbound", ".up/examples.yaml") {
		kind, _ := field(o, "kind").(string)
		if !slices.Contains([]string{"PodIdentityProvider", "PodIdentityTenant"}, kind) {
			t.Errorf("%s is not an example for users", id(o))
		}

		got = append(got, kind)
	}

	files, err := filepath.Glob(filepath.Join(shared.root, "example", "*", "xr.yaml"))
	if err != nil {
		t.Fatal(err)
	}

	if len(files) == 0 || len(got) != len(files) {
		t.Errorf("want the %d examples of the repository in the package, got %d", len(files), len(got))
	}
}

// TestNothingIsLost checks that the packages contain every field of their source
// files. The Crossplane CLI decodes the objects into its own types, and silently
// drops fields that those do not have.
func TestNothingIsLost(t *testing.T) {
	cases := map[string]struct {
		reason string
		img    v1.Image
		glob   string
	}{
		"FunctionMeta": {
			reason: "The function package should contain its whole crossplane.yaml.",
			img:    shared.images[arches()[0]],
			glob:   "package/crossplane.yaml",
		},
		"Input": {
			reason: "The function package should contain the Input's whole schema.",
			img:    shared.images[arches()[0]],
			glob:   "package/input/*.yaml",
		},
		"ConfigurationMeta": {
			reason: "The configuration package should contain its whole crossplane.yaml.",
			img:    shared.configuration,
			glob:   "configuration/crossplane.yaml",
		},
		"APIs": {
			reason: "The configuration package should contain the whole XRD and Composition.",
			img:    shared.configuration,
			glob:   "configuration/apis/*.yaml",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			packaged := map[string]object{}
			for _, o := range packageObjects(t, tc.img) {
				packaged[id(o)] = o
			}

			sources := sourceObjects(t, tc.glob)
			if len(sources) == 0 {
				t.Fatalf("\n%s\nno objects in %s", tc.reason, tc.glob)
			}

			for _, want := range sources {
				got, ok := packaged[id(want)]
				if !ok {
					t.Errorf("\n%s\n%s is not in the package", tc.reason, id(want))
					continue
				}

				if diff := cmp.Diff(want, common(want, got)); diff != "" {
					t.Errorf("\n%s\n%s: -source, +package:\n%s", tc.reason, id(want), diff)
				}
			}
		})
	}
}

// sourceObjects returns the objects in the repository's files that match.
func sourceObjects(t *testing.T, glob string) []object {
	t.Helper()

	files, err := filepath.Glob(filepath.Join(shared.root, glob))
	if err != nil {
		t.Fatalf("cannot list files: %v", err)
	}

	var objs []object

	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatalf("cannot read file: %v", err)
		}

		o, err := parseObjects(b)
		if err != nil {
			t.Fatalf("cannot parse %s: %v", f, err)
		}

		objs = append(objs, o...)
	}

	return objs
}

// common returns got without the fields that want does not have: the CLI's types
// always write some of them, such as an empty status.
func common(want, got any) any {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return got
		}

		out := map[string]any{}

		for k, v := range g {
			if wv, ok := w[k]; ok {
				out[k] = common(wv, v)
			}
		}

		return out
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return got
		}

		out := make([]any, len(g))
		for i := range g {
			out[i] = common(w[i], g[i])
		}

		return out
	default:
		return got
	}
}
