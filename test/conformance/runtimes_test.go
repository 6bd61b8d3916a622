package conformance

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	fnv1 "github.com/crossplane/crossplane/v2/proto/fn/v1"
	"google.golang.org/protobuf/types/known/structpb"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/crd"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/engine"
)

const runtimeConfigs = "deploymentruntimeconfigs.pkg.crossplane.io"

// TestRuntimes calls the function with many runtimes, with and without mistakes, made of fields that DeploymentRuntimeConfigs of this
// release and of the newest may have. An API server with this release's CRD must accept every composed object, and convert it to a typed
// value: otherwise Crossplane would stop in the middle of a reconcile. The function must never refuse fields that the release has.
func TestRuntimes(t *testing.T) {
	r, err := engine.NewRunner(t.Context(), repository(t), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)

	definitions := map[string]*extv1.CustomResourceDefinition{}
	var newest *extv1.JSONSchemaProps
	for _, rel := range releases {
		if !strings.HasPrefix(rel.name, "crossplane ") {
			continue
		}
		d, err := crd.ReadCRD(filepath.Join(moduleDir(t, rel.module, rel.version), rel.crds, "pkg.crossplane.io_deploymentruntimeconfigs.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		definitions[rel.name] = d
		if rel.newest {
			newest = specOf(d)
		}
	}
	for _, rel := range releases {
		d := definitions[rel.name]
		if d == nil {
			continue
		}
		for _, schemas := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/schemas=%t", rel.name, schemas), func(t *testing.T) {
				c := checker(t, rel.name, d)
				counts := map[string]int{}
				for seed := range uint64(300) {
					m := maker{rand.New(rand.NewPCG(seed, 7))} //nolint:gosec // Nothing is secret here.
					// Only a runtime of this very release, without a mistake, must be accepted.
					has := specOf(d)
					var wanted map[string]any
					switch seed % 3 {
					case 0:
						wanted = m.runtime(has, has)
					case 1:
						wanted = m.runtime(newest, has)
					default:
						wanted = m.runtime(has, has)
						m.spoil(wanted)
					}
					outcome := tryRuntime(t, r, c, d, schemas, m.spec(wanted), seed%3 == 0)
					counts[outcome]++
					if t.Failed() {
						y, _ := yaml.Marshal(wanted) // It has only types that YAML has.
						t.Fatalf("seed %d:\n%s", seed, y)
					}
				}
				t.Log(counts)
				for _, outcome := range []string{composed, flawed} {
					if counts[outcome] < 20 {
						t.Errorf("only %d runtimes were %s: the test shows little", counts[outcome], outcome)
					}
				}
			})
		}
	}
}

// The outcomes of a runtime. The function refuses, for all services, fields that the identity depends on and values that no JSON decoder
// accepts.
const (
	composed = "composed"
	flawed   = "reported with the service"
	refused  = "refused"
)

// tryRuntime tries the runtime of a composite resource in a cluster that has only the DeploymentRuntimeConfigs of a release.
func tryRuntime(t *testing.T, r *engine.Runner, c *crd.Checker, d *extv1.CustomResourceDefinition, schemas bool, xr map[string]any, right bool) string {
	t.Helper()
	rsp := answered(t, r, d, schemas, xr)
	for _, res := range rsp.GetResults() {
		if res.GetSeverity() != fnv1.Severity_SEVERITY_FATAL {
			continue
		}
		if right {
			t.Errorf("a runtime of this release is refused: %s", res.GetMessage())
		}
		return refused
	}
	drc := rsp.GetDesired().GetResources()["runtimeconfig/s3"].GetResource()
	if drc == nil {
		status, _ := yaml.Marshal(rsp.GetDesired().GetComposite().GetResource().AsMap()["status"]) // It came as JSON.
		if right || !strings.Contains(string(status), "spec.") {
			t.Errorf("there should be a DeploymentRuntimeConfig, or a mistake with its path:\n%s", status)
		}
		return flawed
	}
	o := &unstructured.Unstructured{Object: drc.AsMap()}
	if err := c.Apply(o); err != nil {
		t.Errorf("cannot be applied: %v", err)
	}
	if errs := c.Check(t.Context(), o); len(errs) > 0 {
		t.Errorf("an API server refuses it: %s", crd.Sorted(errs))
	}
	return composed
}

// answered returns the response after all required resources are supplied, as often as Crossplane would supply them.
func answered(t *testing.T, r *engine.Runner, d *extv1.CustomResourceDefinition, schemas bool, xr map[string]any) *fnv1.RunFunctionResponse {
	t.Helper()
	o, err := structpb.NewStruct(xr)
	if err != nil {
		t.Fatal(err)
	}
	req := &fnv1.RunFunctionRequest{
		Meta:           &fnv1.RequestMeta{},
		Observed:       &fnv1.State{Composite: &fnv1.Resource{Resource: o}},
		ExtraResources: map[string]*fnv1.Resources{}, RequiredResources: map[string]*fnv1.Resources{}, RequiredSchemas: map[string]*fnv1.Schema{},
	}
	if schemas {
		req.Meta.Capabilities = []fnv1.Capability{fnv1.Capability_CAPABILITY_CAPABILITIES, fnv1.Capability_CAPABILITY_REQUIRED_RESOURCES, fnv1.Capability_CAPABILITY_REQUIRED_SCHEMAS}
	}
	for range 5 {
		rsp, err := r.Run(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		asked := false
		for key, s := range rsp.GetRequirements().GetExtraResources() {
			asked = asked || req.GetExtraResources()[key] == nil
			req.ExtraResources[key] = found(t, d, s)
		}
		for key, s := range rsp.GetRequirements().GetResources() {
			asked = asked || req.GetRequiredResources()[key] == nil
			req.RequiredResources[key] = found(t, d, s)
		}
		for key, s := range rsp.GetRequirements().GetSchemas() {
			asked = asked || req.GetRequiredSchemas()[key] == nil
			req.RequiredSchemas[key] = &fnv1.Schema{}
			if s.GetKind() == d.Spec.Names.Kind {
				req.RequiredSchemas[key].OpenapiV3 = structOf(t, d.Spec.Versions[0].Schema.OpenAPIV3Schema)
			}
		}
		if !asked {
			return rsp
		}
	}
	t.Fatal("the function requires more resources in every call")
	return nil
}

// found returns the resources that a selector finds in a cluster with only that definition.
func found(t *testing.T, d *extv1.CustomResourceDefinition, s *fnv1.ResourceSelector) *fnv1.Resources {
	t.Helper()
	if s.GetKind() != "CustomResourceDefinition" || s.GetMatchName() != runtimeConfigs {
		return &fnv1.Resources{}
	}
	return &fnv1.Resources{Items: []*fnv1.Resource{{Resource: structOf(t, d)}}}
}

func structOf(t *testing.T, o any) *structpb.Struct {
	t.Helper()
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := structpb.NewStruct(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func specOf(d *extv1.CustomResourceDefinition) *extv1.JSONSchemaProps {
	s := d.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	return &s
}

// A maker makes values for schemas.
type maker struct{ *rand.Rand }

// runtime makes a runtime of fields that DeploymentRuntimeConfigs of one release may have. It often makes fields that the other release
// does not have.
func (m maker) runtime(spec, other *extv1.JSONSchemaProps) map[string]any {
	pod := func(s *extv1.JSONSchemaProps) *extv1.JSONSchemaProps {
		return at(s, "deploymentTemplate", "spec", "template", "spec")
	}
	container := func(s *extv1.JSONSchemaProps) *extv1.JSONSchemaProps {
		return pod(s).Properties["containers"].Items.Schema
	}
	whole := func(s *extv1.JSONSchemaProps) *extv1.JSONSchemaProps { return s }
	out := map[string]any{}
	for _, part := range []struct {
		of   func(*extv1.JSONSchemaProps) *extv1.JSONSchemaProps
		name string
	}{
		{container, "env"},
		{container, "resources"},
		{pod, "tolerations"},
		{pod, "affinity"},
		{whole, "deploymentTemplate"},
		{whole, "serviceAccountTemplate"},
	} {
		if m.IntN(2) == 0 {
			out[part.name] = m.value(at(part.of(spec), part.name), at(part.of(other), part.name), 0)
		}
	}
	// The identity depends on these fields, so the function refuses them.
	for _, path := range []string{
		"deploymentTemplate.metadata.name", "deploymentTemplate.spec.template.spec.serviceAccountName", "deploymentTemplate.spec.template.spec.serviceAccount",
		"serviceAccountTemplate.metadata.name",
	} {
		unstructured.RemoveNestedField(out, strings.Split(path, ".")...)
	}
	return out
}

func at(s *extv1.JSONSchemaProps, path ...string) *extv1.JSONSchemaProps {
	for _, name := range path {
		p := s.Properties[name]
		s = &p
	}
	return s
}

// value makes a value that a schema allows. The other schema may have fewer fields, or be nil.
func (m maker) value(s, other *extv1.JSONSchemaProps, depth int) any {
	switch {
	case s.XIntOrString && s.Pattern != "":
		return []any{"100m", "1Gi", int64(2)}[m.IntN(3)]
	case s.XIntOrString:
		return []any{"25%", int64(1)}[m.IntN(2)]
	case len(s.Enum) > 0:
		return strings.Trim(string(s.Enum[m.IntN(len(s.Enum))].Raw), `"`)
	}
	switch s.Type {
	case "object":
		return m.object(s, other, depth)
	case "array":
		return m.list(s, other, depth)
	case "integer":
		return m.Int64N(100) + 1
	case "boolean":
		return m.IntN(2) == 0
	}
	return []string{"a", "b", "package-runtime"}[m.IntN(3)]
}

func (m maker) list(s, other *extv1.JSONSchemaProps, depth int) []any {
	if other != nil {
		other = other.Items.Schema
	}
	out := []any{}
	for i := range m.IntN(3) {
		v := m.value(s.Items.Schema, other, depth+1)
		if o, ok := v.(map[string]any); ok {
			for _, key := range s.XListMapKeys {
				o[key] = m.key(s.Items.Schema.Properties[key], i)
			}
		} else if s.XListType != nil && *s.XListType == "set" {
			v = m.key(*s.Items.Schema, i)
		}
		out = append(out, v)
	}
	return out
}

// key makes a key that no other item of a list has.
func (m maker) key(s extv1.JSONSchemaProps, i int) any {
	switch {
	case s.Type == "integer":
		return int64(i + 1)
	case i == 0 && m.IntN(2) == 0:
		// The container that the function makes itself.
		return "package-runtime"
	}
	return fmt.Sprint("k", i)
}

func (m maker) object(s, other *extv1.JSONSchemaProps, depth int) map[string]any {
	out := map[string]any{}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		for i := range m.IntN(3) {
			out[fmt.Sprint("k", i)] = m.value(s.AdditionalProperties.Schema, nil, depth+1)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		var has *extv1.JSONSchemaProps
		if other != nil {
			if o, ok := other.Properties[name]; ok {
				has = &o
			}
		}
		// Make the parents of pods and variables often: otherwise the test would make few of either.
		often := other != nil && has == nil || slices.Contains([]string{"spec", "template", "containers", "env", "valueFrom"}, name)
		if slices.Contains(s.Required, name) || often && m.IntN(3) > 0 || m.IntN(3+depth) == 0 {
			out[name] = m.value(&p, has, depth+1)
		}
	}
	return out
}

// spoil puts one or two mistakes into a runtime: a misspelled name, a value of another type, a duplicate item, a missing field.
func (m maker) spoil(wanted map[string]any) {
	for range 1 + m.IntN(2) {
		var all, twice []func()
		m.places(wanted, true, &all, &twice)
		if len(twice) > 0 && m.IntN(4) == 0 {
			all = twice
		}
		if len(all) > 0 {
			all[m.IntN(len(all))]()
		}
	}
}

// places collects the places where a value can be spoiled, and those where an item can be duplicated.
func (m maker) places(v any, top bool, all, twice *[]func()) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			m.places(item, false, all, twice)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if l, ok := v[name].([]any); ok && len(l) > 0 {
				*twice = append(*twice, func() { v[name] = append(slices.Clip(l), l[m.IntN(len(l))]) })
			}
			if !top {
				*all = append(*all,
					func() { v[strings.ToUpper(name)] = v[name]; delete(v, name) },
					func() { v[name] = []any{int64(1), "a", true, []any{}, map[string]any{}, 1.5}[m.IntN(6)] },
					func() { delete(v, name) },
				)
			}
			m.places(v[name], false, all, twice)
		}
	}
}

// spec returns a composite resource with a runtime, for all its services or for its only one.
func (m maker) spec(wanted map[string]any) map[string]any {
	service := map[string]any{"name": "s3"}
	spec := map[string]any{
		"region": "eu-west-1", "clusterName": "prod", "provider": map[string]any{"version": "v2.5.0"}, "services": []any{service},
	}
	if m.IntN(2) == 0 {
		spec["runtime"] = wanted
	} else {
		service["runtime"] = wanted
	}
	return map[string]any{
		"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityProvider", "metadata": map[string]any{"name": "storage", "uid": "u-1"}, "spec": spec,
	}
}
