package function

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/metrics"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/platform"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

var update = flag.Bool("update", false, "rewrite the expected output of the examples")

const (
	annotationKey      = "crossplane.io/composition-resource-name"
	defaultComposition = "configuration/apis/composition.yaml"
	tenantComposition  = "configuration/apis/tenant-composition.yaml"
)

// generations of the protocol differ in how a caller advertises its capabilities.
var generations = map[string]*fnv1.RequestMeta{
	"v1.20": nil,
	"v2.2 and later": {Capabilities: []fnv1.Capability{
		fnv1.Capability_CAPABILITY_CAPABILITIES, fnv1.Capability_CAPABILITY_REQUIRED_RESOURCES, fnv1.Capability_CAPABILITY_CONDITIONS,
		fnv1.Capability_CAPABILITY_REQUIRED_SCHEMAS,
	}},
}

// TestExamples runs every step of every scenario under example/ as Crossplane would, and compares the output with the step's
// expected.yaml. test/conformance renders the same folders with the real Crossplane.
func TestExamples(t *testing.T) {
	steps, err := filepath.Glob("example/*/[0-9][0-9]-*")
	if err != nil || len(steps) == 0 {
		t.Fatalf("no steps found under example/: %v", err)
	}
	for _, step := range steps {
		for generation, meta := range generations {
			t.Run(filepath.Join(step, generation), func(t *testing.T) {
				w := loadStep(t, step)
				w.Meta = meta
				rsp := w.reconcile(t, newTestFunction())
				got := renderYAML(t, w, rsp)

				file := filepath.Join(step, "expected.yaml")
				if *update {
					if err := os.WriteFile(file, got, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatalf("%v: make golden writes it", err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("%s differs from the function's output (make golden rewrites it): -want, +got:\n%s", file, diff)
				}
			})
		}
	}
}

// TestExamplesHaveReadme checks that every scenario has a README that explains all its steps.
func TestExamplesHaveReadme(t *testing.T) {
	xrs, _ := filepath.Glob("example/*/xr.yaml")
	for _, xr := range xrs {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(xr), "README.md"))
		if err != nil {
			t.Error(err)
			continue
		}
		steps, _ := filepath.Glob(filepath.Join(filepath.Dir(xr), "[0-9][0-9]-*"))
		for _, step := range steps {
			if !bytes.Contains(b, []byte(filepath.Base(step))) {
				t.Errorf("%s does not explain step %s", filepath.Join(filepath.Dir(xr), "README.md"), filepath.Base(step))
			}
		}
	}
}

func newTestFunction() *Function {
	return &Function{log: logging.NewNopLogger(), metrics: metrics.New(prometheus.NewRegistry()), now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }, platform: NoPlatform}
}

// A world is the state of a cluster when Crossplane reconciles a composite resource.
type world struct {
	Meta     *fnv1.RequestMeta
	XR       *structpb.Struct
	Input    *structpb.Struct
	Observed map[string]*structpb.Struct
	// Cluster holds all other objects, including the definitions of kinds.
	Cluster []*structpb.Struct
	// Hidden holds the groups and kinds that exist, but that Crossplane cannot find at the moment.
	Hidden map[string]bool
	// Platform is the function's own configuration; nil if it has none.
	Platform *view.Configuration
}

func loadStep(t testing.TB, step string) *world {
	t.Helper()
	scenario := filepath.Dir(step)
	w := &world{Observed: map[string]*structpb.Struct{}}
	w.XR = loadOne(t, existing(filepath.Join(step, "xr.yaml"), filepath.Join(scenario, "xr.yaml")))
	compositionOf := defaultComposition
	if at(w.XR, "kind").GetStringValue() == v1alpha1.TenantKind {
		compositionOf = tenantComposition
	}
	composition := loadOne(t, existing(filepath.Join(step, "composition.yaml"), filepath.Join(scenario, "composition.yaml"), compositionOf))
	w.Input = at(composition, "spec", "pipeline").GetListValue().GetValues()[0].GetStructValue().GetFields()["input"].GetStructValue()
	if file := existing(filepath.Join(step, "platform.yaml"), filepath.Join(scenario, "platform.yaml"), ""); file != "" {
		c, err := platform.Parse(must(os.ReadFile(file)))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		w.Platform = c
	}
	for _, o := range loadAll(t, filepath.Join(step, "observed.yaml")) {
		w.Observed[at(o, "metadata", "annotations", annotationKey).GetStringValue()] = o
	}
	w.Cluster = append(loadAll(t, filepath.Join(step, "required.yaml")), loadAll(t, "example/crossplane.yaml")...)
	return w
}

func (w *world) request() *fnv1.RunFunctionRequest {
	req := &fnv1.RunFunctionRequest{
		Meta:     w.Meta,
		Input:    w.Input,
		Observed: &fnv1.State{Composite: &fnv1.Resource{Resource: w.XR}, Resources: map[string]*fnv1.Resource{}},
	}
	for key, o := range w.Observed {
		req.Observed.Resources[key] = &fnv1.Resource{Resource: o}
	}
	return proto.Clone(req).(*fnv1.RunFunctionRequest)
}

// reconcile calls the function as Crossplane does: with answers to its requirements, until it requires nothing new. Like Crossplane, it
// gives up after five more calls, and fails if the kind of a required resource does not exist.
func (w *world) reconcile(t testing.TB, fn *Function) *fnv1.RunFunctionResponse {
	t.Helper()
	configured := *fn
	configured.platform = func() *view.Configuration { return w.Platform }
	req := w.request()
	var last *fnv1.Requirements
	for range 6 {
		rsp, err := configured.RunFunction(context.Background(), req)
		if err != nil {
			t.Fatalf("RunFunction returned an error, not a fatal result: %v", err)
		}
		if isFatal(rsp) || proto.Equal(rsp.GetRequirements(), last) {
			return rsp
		}
		last = rsp.GetRequirements()
		w.answer(t, req, last)
	}
	t.Fatalf("requirements did not become stable in 5 calls; the last were %v", last)
	return nil
}

func (w *world) answer(t testing.TB, req *fnv1.RunFunctionRequest, r *fnv1.Requirements) {
	t.Helper()
	if w.Meta == nil && (len(r.GetResources()) > 0 || len(r.GetSchemas()) > 0) {
		t.Fatalf("required resources or schemas from a caller without capabilities: %v", r)
	}
	if w.Meta != nil && len(r.GetExtraResources()) > 0 { //nolint:staticcheck // The test is about the deprecated field.
		t.Fatalf("required extra resources from a caller with capabilities: %v", r)
	}
	req.ExtraResources = w.fetch(t, r.GetExtraResources()) //nolint:staticcheck // Crossplane before 2.2 uses this field.
	req.RequiredResources = w.fetch(t, r.GetResources())
	req.RequiredSchemas = map[string]*fnv1.Schema{}
	for key, s := range r.GetSchemas() {
		req.RequiredSchemas[key] = &fnv1.Schema{}
		if w.hasKind(s.GetApiVersion(), s.GetKind()) {
			req.RequiredSchemas[key].OpenapiV3 = w.schema(s.GetApiVersion(), s.GetKind())
		}
	}
}

func (w *world) fetch(t testing.TB, selectors map[string]*fnv1.ResourceSelector) map[string]*fnv1.Resources {
	t.Helper()
	out := map[string]*fnv1.Resources{}
	for key, s := range selectors {
		if !w.hasKind(s.GetApiVersion(), s.GetKind()) {
			t.Fatalf("required %s %s, a kind that does not exist: Crossplane could never reconcile again", s.GetApiVersion(), s.GetKind())
		}
		if s.GetKind() == "Pod" && !slices.ContainsFunc(w.Cluster, isPodGuard) {
			t.Fatalf("required pods, which Crossplane may not list: every reconcile would fail after two minutes")
		}
		out[key] = &fnv1.Resources{}
		for _, o := range w.all() {
			if selects(s, o) && !w.hides(o) {
				out[key].Items = append(out[key].Items, &fnv1.Resource{Resource: o})
			}
		}
	}
	return out
}

// isPodGuard says whether an object signals that Crossplane may read pods.
func isPodGuard(o *structpb.Struct) bool {
	return at(o, "kind").GetStringValue() == "DeploymentRuntimeConfig" && at(o, "metadata", "name").GetStringValue() == "pod-identity-provider-may-read-pods"
}

// hides says whether an object is the definition of a hidden kind.
func (w *world) hides(o *structpb.Struct) bool {
	return at(o, "kind").GetStringValue() == "CustomResourceDefinition" && w.Hidden[at(o, "spec", "names", "kind").GetStringValue()+"."+at(o, "spec", "group").GetStringValue()]
}

// all returns all objects of the cluster, including composed resources.
func (w *world) all() []*structpb.Struct {
	out := slices.Clone(w.Cluster)
	for _, key := range sortedKeys(w.Observed) {
		out = append(out, w.Observed[key])
	}
	return out
}

// hasKind says whether a kind exists: it is built into Crossplane or Kubernetes, or has a CustomResourceDefinition.
func (w *world) hasKind(apiVersion, kind string) bool {
	group, version, _ := strings.Cut(apiVersion, "/")
	if w.Hidden[kind+"."+group] {
		return false
	}
	if group == "pkg.crossplane.io" || group == "apiextensions.k8s.io" || apiVersion == "v1" && (kind == "ServiceAccount" || kind == "Pod") {
		return true
	}
	for _, o := range w.all() {
		switch {
		case at(o, "apiVersion").GetStringValue() == apiVersion && at(o, "kind").GetStringValue() == kind:
			return true
		case at(o, "kind").GetStringValue() == "CustomResourceDefinition" && at(o, "spec", "group").GetStringValue() == group && at(o, "spec", "names", "kind").GetStringValue() == kind:
			for _, v := range at(o, "spec", "versions").GetListValue().GetValues() {
				if v.GetStructValue().GetFields()["name"].GetStringValue() == version {
					return true
				}
			}
		}
	}
	return false
}

// schema returns the schema of an existing kind from its CustomResourceDefinition, if it has one.
func (w *world) schema(apiVersion, kind string) *structpb.Struct {
	group, version, _ := strings.Cut(apiVersion, "/")
	for _, o := range w.Cluster {
		if at(o, "spec", "group").GetStringValue() != group || at(o, "spec", "names", "kind").GetStringValue() != kind {
			continue
		}
		for _, v := range at(o, "spec", "versions").GetListValue().GetValues() {
			if s := at(v.GetStructValue(), "schema", "openAPIV3Schema").GetStructValue(); s != nil && at(v.GetStructValue(), "name").GetStringValue() == version {
				return s
			}
		}
	}
	return &structpb.Struct{Fields: map[string]*structpb.Value{"type": structpb.NewStringValue("object")}}
}

func selects(s *fnv1.ResourceSelector, o *structpb.Struct) bool {
	if at(o, "apiVersion").GetStringValue() != s.GetApiVersion() || at(o, "kind").GetStringValue() != s.GetKind() {
		return false
	}
	if ns := s.GetNamespace(); ns != at(o, "metadata", "namespace").GetStringValue() && (ns != "" || s.GetMatchName() != "") {
		return false
	}
	if name := s.GetMatchName(); name != "" {
		return at(o, "metadata", "name").GetStringValue() == name
	}
	for k, v := range s.GetMatchLabels().GetLabels() {
		if at(o, "metadata", "labels", k).GetStringValue() != v {
			return false
		}
	}
	return true
}

// renderYAML writes the same output as `crossplane render`: the composite resource with its status, the composed resources, and the
// results.
func renderYAML(t testing.TB, w *world, rsp *fnv1.RunFunctionResponse) []byte {
	t.Helper()
	status, _ := rsp.GetDesired().GetComposite().GetResource().AsMap()["status"].(map[string]any)
	if status == nil {
		status = map[string]any{}
	}
	conditions := []any{}
	for _, c := range rsp.GetConditions() {
		if c.GetTarget() != fnv1.Target_TARGET_COMPOSITE_AND_CLAIM {
			t.Errorf("condition %s is not set on the claim", c.GetType())
		}
		st := map[fnv1.Status]string{fnv1.Status_STATUS_CONDITION_TRUE: "True", fnv1.Status_STATUS_CONDITION_FALSE: "False", fnv1.Status_STATUS_CONDITION_UNKNOWN: "Unknown"}[c.GetStatus()]
		conditions = append(conditions, map[string]any{"type": c.GetType(), "status": st, "reason": c.GetReason(), "message": c.GetMessage()})
	}
	status["conditions"] = conditions
	docs := []any{map[string]any{
		"apiVersion": at(w.XR, "apiVersion").GetStringValue(), "kind": at(w.XR, "kind").GetStringValue(),
		"metadata": map[string]any{"name": at(w.XR, "metadata", "name").GetStringValue()}, "status": status,
	}}
	resources := rsp.GetDesired().GetResources()
	for _, key := range sortedKeys(resources) {
		m := resources[key].GetResource().AsMap()
		meta := m["metadata"].(map[string]any) //nolint:forcetypeassert // A test may panic.
		as, _ := meta["annotations"].(map[string]any)
		if as == nil {
			as = map[string]any{}
			meta["annotations"] = as
		}
		as[annotationKey] = key
		docs = append(docs, m)
	}
	for _, r := range rsp.GetResults() {
		docs = append(docs, map[string]any{"apiVersion": "render.crossplane.io/v1beta1", "kind": "Result", "severity": r.GetSeverity().String(), "message": r.GetMessage()})
	}
	out := &bytes.Buffer{}
	for i, d := range docs {
		b, err := yaml.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(b)
	}
	return out.Bytes()
}

func isFatal(rsp *fnv1.RunFunctionResponse) bool {
	return slices.ContainsFunc(rsp.GetResults(), func(r *fnv1.Result) bool { return r.GetSeverity() == fnv1.Severity_SEVERITY_FATAL })
}

func existing(files ...string) string {
	for _, f := range files {
		if _, err := os.Stat(f); err == nil {
			return f
		}
	}
	return files[len(files)-1]
}

func loadOne(t testing.TB, file string) *structpb.Struct {
	t.Helper()
	all := loadAll(t, file)
	if len(all) != 1 {
		t.Fatalf("%s: want one object, got %d", file, len(all))
	}
	return all[0]
}

// loadAll loads all objects of a file; none if the file does not exist.
func loadAll(t testing.TB, file string) []*structpb.Struct {
	t.Helper()
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // The file is only read.
	var out []*structpb.Struct
	d := utilyaml.NewYAMLOrJSONDecoder(f, 4096)
	for {
		m := map[string]any{}
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(m) > 0 {
			out = append(out, mustStruct(t, m))
		}
	}
}

func mustStruct(t testing.TB, m map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at returns the value at a path of a message, or nil.
func at(s *structpb.Struct, path ...string) *structpb.Value {
	for i, name := range path {
		v := s.GetFields()[name]
		if i == len(path)-1 {
			return v
		}
		s = v.GetStructValue()
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	ks := make([]string, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}
