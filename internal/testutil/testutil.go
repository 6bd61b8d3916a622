// Package testutil builds objects and Crossplane requests from YAML for the tests of several packages. It does not depend on the packages
// under test.
package testutil

import (
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// Unanswered is the answer to a requirement that Crossplane has not received yet.
const Unanswered = "unanswered"

// smallest is the smallest valid composite resource.
const smallest = `
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: storage, uid: u-1}
spec:
  region: eu-west-1
  clusterName: prod
  provider: {version: v2.5.0}
  services: [{name: s3}]
`

// A World is the environment of a composite resource, in YAML.
type World struct {
	// Spec is merged into the spec of the smallest composite resource; null removes a field.
	Spec string
	// XR is merged into the composite resource.
	XR string
	// Input is the input of the function.
	Input string
	// Earlier lists the keys of the resources that earlier functions in the pipeline compose.
	Earlier []string
	// Observed holds the observed composed resources by key.
	Observed map[string]string
	// Answers holds Crossplane's answers by the key of the requirement. Each is a list of objects, or Unanswered.
	Answers map[string]string
	// Capabilities says whether the caller advertises any capabilities, as Crossplane 2.2 and later do.
	Capabilities bool
}

// Now returns the time that every test uses.
func Now() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// Request returns the request that Crossplane sends in this world.
func (w World) Request(t testing.TB) *fnv1.RunFunctionRequest {
	t.Helper()
	xr := Parse(t, smallest)
	MergePatch(xr, Parse(t, w.XR))
	MergePatch(xr, map[string]any{"spec": Parse(t, w.Spec)})
	req := &fnv1.RunFunctionRequest{
		Observed:       &fnv1.State{Composite: &fnv1.Resource{Resource: Struct(t, xr)}, Resources: map[string]*fnv1.Resource{}},
		ExtraResources: map[string]*fnv1.Resources{}, RequiredResources: map[string]*fnv1.Resources{}, RequiredSchemas: map[string]*fnv1.Schema{},
	}
	if w.Input != "" {
		req.Input = Struct(t, Parse(t, w.Input))
	}
	for _, key := range w.Earlier {
		if req.GetDesired() == nil {
			req.Desired = &fnv1.State{Resources: map[string]*fnv1.Resource{}}
		}
		req.Desired.Resources[key] = &fnv1.Resource{Resource: &structpb.Struct{}}
	}
	for key, doc := range w.Observed {
		req.Observed.Resources[key] = &fnv1.Resource{Resource: Struct(t, Parse(t, doc))}
	}
	if w.Capabilities {
		req.Meta = &fnv1.RequestMeta{Capabilities: []fnv1.Capability{
			fnv1.Capability_CAPABILITY_CAPABILITIES, fnv1.Capability_CAPABILITY_REQUIRED_RESOURCES, fnv1.Capability_CAPABILITY_REQUIRED_SCHEMAS,
		}}
	}
	for key, doc := range w.Answers {
		if doc != Unanswered {
			w.answer(t, req, key, doc)
		}
	}
	return req
}

// answer adds an answer in the form that the caller uses. The answer to whether a kind exists is its schema or its
// CustomResourceDefinition.
func (w World) answer(t testing.TB, req *fnv1.RunFunctionRequest, key, doc string) {
	t.Helper()
	items := objects(t, doc)
	if w.Capabilities && strings.HasPrefix(key, "kind/") {
		s, version := &fnv1.Schema{}, "v1beta1"
		if len(items) > 0 {
			s.OpenapiV3 = schemaOf(t, items[0])
		}
		if strings.HasSuffix(key, ".apiextensions.crossplane.io") && !strings.Contains(key, "usages") || strings.HasSuffix(key, ".podidentity.dev") {
			version = "v1alpha1"
		}
		req.RequiredSchemas[key+"/"+version] = s
		return
	}
	into := req.GetExtraResources() //nolint:staticcheck // Crossplane before 2.2 knows no other field.
	if w.Capabilities {
		into = req.GetRequiredResources()
	}
	into[key] = &fnv1.Resources{}
	for _, i := range items {
		into[key].Items = append(into[key].Items, &fnv1.Resource{Resource: Struct(t, i)})
	}
}

// objects parses a list of objects from YAML.
func objects(t testing.TB, doc string) []map[string]any {
	t.Helper()
	items, _ := Parse(t, "items: "+doc)["items"].([]any)
	out := make([]map[string]any, 0, len(items))
	for _, i := range items {
		m, ok := i.(map[string]any)
		if !ok {
			t.Fatalf("not a list of objects:\n%s", doc)
		}
		out = append(out, m)
	}
	return out
}

// schemaOf returns the schema of a CustomResourceDefinition's only version, or a schema that allows any object if it has none.
func schemaOf(t testing.TB, crd map[string]any) *structpb.Struct {
	t.Helper()
	spec, _ := crd["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	if len(versions) > 0 {
		version, _ := versions[0].(map[string]any)
		schema, _ := version["schema"].(map[string]any)
		if s, ok := schema["openAPIV3Schema"].(map[string]any); ok {
			return Struct(t, s)
		}
	}
	return Struct(t, map[string]any{"type": "object"})
}

// Parse parses an object from YAML. An empty document is an empty object.
func Parse(t testing.TB, doc string) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(doc), &m); err != nil {
		t.Fatalf("%v in:\n%s", err, doc)
	}
	return m
}

// Struct converts an object into the form in which Crossplane sends it.
func Struct(t testing.TB, m map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// MergePatch merges a patch into an object, as RFC 7386 defines.
func MergePatch(dst, patch map[string]any) {
	for k, v := range patch {
		dm, dok := dst[k].(map[string]any)
		pm, pok := v.(map[string]any)
		switch {
		case v == nil:
			delete(dst, k)
		case dok && pok:
			MergePatch(dm, pm)
		default:
			dst[k] = v
		}
	}
}

// Paths returns the paths and types of errors, which is what tests compare.
func Paths(errs field.ErrorList) []string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Field+": "+string(e.Type))
	}
	return out
}
