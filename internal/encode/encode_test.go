package encode

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	pkgv1 "github.com/crossplane/crossplane/v2/apis/pkg/v1"
	pkgv1beta1 "github.com/crossplane/crossplane/v2/apis/pkg/v1beta1"
	"github.com/google/go-cmp/cmp"
	eksv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/eks/v1beta1"
	iamv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/iam/v1beta1"
	clusterv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/v1beta1"
	namespacedv1beta1 "github.com/upbound/provider-aws/v2/apis/namespaced/v1beta1"
	"google.golang.org/protobuf/proto"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

type inner struct {
	S string `json:"s,omitempty"`
}

// Embedded is exported because the fields of an unexported struct are not written.
type Embedded struct {
	FromEmbedded string `json:"fromEmbedded,omitempty"`
}

type word string

type outer struct {
	Embedded        `json:",inline"`
	metav1.TypeMeta `json:",inline"`

	Always     string            `json:"always"`
	AlwaysBool bool              `json:"alwaysBool"`
	AlwaysList []string          `json:"alwaysList"`
	AlwaysMap  map[string]string `json:"alwaysMap"`
	AlwaysObj  inner             `json:"alwaysObj"`
	AlwaysPtr  *inner            `json:"alwaysPtr"`

	Bool     bool             `json:"bool,omitempty"`
	Int      int64            `json:"int,omitempty"`
	Int32    int32            `json:"int32,omitempty"`
	Float    float64          `json:"float,omitempty"`
	Word     word             `json:"word,omitempty"`
	List     []inner          `json:"list,omitempty"`
	Map      map[word]int     `json:"map,omitempty"`
	Obj      inner            `json:"obj,omitempty"` //nolint:modernize // The test needs a tag that encoding/json ignores.
	ObjZero  inner            `json:"objZero,omitzero"`
	Ptr      *inner           `json:"ptr,omitempty"`
	BoolPtr  *bool            `json:"boolPtr,omitempty"`
	IntPtr   *int64           `json:"intPtr,omitempty"`
	ListPtrs []*inner         `json:"listPtrs,omitempty"`
	Any      any              `json:"any,omitempty"`
	Anys     map[string]any   `json:"anys,omitempty"`
	Ignored  string           `json:"-"`
	Untagged string           //nolint:tagliatelle // The test needs a field without a tag.
	hidden   string           //nolint:unused // The test needs a field that is not written.
	Time     metav1.Time      `json:"time,omitempty"` //nolint:modernize // The test needs a tag that encoding/json ignores.
	TimePtr  *metav1.Time     `json:"timePtr,omitempty"`
	Duration *metav1.Duration `json:"duration,omitempty"`

	Quantity  resource.Quantity            `json:"quantity,omitempty"` //nolint:modernize // The test needs a tag that encoding/json ignores.
	Resources map[string]resource.Quantity `json:"resources,omitempty"`
	Port      intstr.IntOrString           `json:"port,omitempty"` //nolint:modernize // The test needs a tag that encoding/json ignores.
	Raw       *runtime.RawExtension        `json:"raw,omitempty"`
	Status    string                       `json:"status,omitempty"`
	Spec      *struct{ Status string }     `json:"spec,omitempty"`
}

// base is the encoding of an outer whose fields all have their zero values.
const base = `{always: "", alwaysBool: false, alwaysList: [], alwaysMap: {}, alwaysObj: {}, alwaysPtr: null, Untagged: ""`

func TestObject(t *testing.T) {
	now := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	cases := map[string]struct {
		reason string
		in     any
		want   string
	}{
		"Zero": {
			reason: "A zero value is written only if its field is not tagged omitempty, and a list or map never as null.",
			in:     outer{},
			want:   base + `}`,
		},
		"Pointer": {
			reason: "A pointer to an object is written as the object.",
			in:     &outer{},
			want:   base + `}`,
		},
		"EmptyNotNil": {
			reason: "An empty list or map is omitted if its field is tagged omitempty.",
			in:     outer{List: []inner{}, Map: map[word]int{}, Anys: map[string]any{}},
			want:   base + `}`,
		},
		"PointersToZero": {
			reason: "A pointer is set on purpose, so its value is written even if it is empty.",
			in:     outer{Ptr: &inner{}, BoolPtr: new(false), IntPtr: new(int64(0)), ListPtrs: []*inner{{}, nil}},
			want:   base + `, ptr: {}, boolPtr: false, intPtr: 0, listPtrs: [{}, null]}`,
		},
		"Scalars": {
			reason: "Scalars are written by their kind, named types included.",
			in: outer{
				Embedded: Embedded{FromEmbedded: "e"}, TypeMeta: metav1.TypeMeta{Kind: "K"},
				Always: "a", AlwaysBool: true, Bool: true, Int: 1 << 40, Int32: -3, Float: 0.5, Word: "w",
			},
			want: `{fromEmbedded: e, kind: K, always: a, alwaysBool: true, alwaysList: [], alwaysMap: {}, alwaysObj: {}, alwaysPtr: null, Untagged: "",` +
				`bool: true, int: 1099511627776, int32: -3, float: 0.5, word: w}`,
		},
		"Containers": {
			reason: "Lists, maps and the values of interfaces are written with all their elements, zero values included.",
			in: outer{
				List: []inner{{}, {S: "x"}}, Map: map[word]int{"k": 0}, Obj: inner{S: "o"}, ObjZero: inner{S: "z"},
				Any: map[string]any{"a": []any{nil, 1, "b", true, inner{}}}, Anys: map[string]any{"none": nil},
			},
			want: base + `, list: [{}, {s: x}], map: {k: 0}, obj: {s: o}, objZero: {s: z}, any: {a: [null, 1, b, true, {}]}, anys: {none: null}}`,
		},
		"Unwritten": {
			reason: "The status is not written, nor are unexported fields and those tagged -.",
			in:     outer{Ignored: "x", hidden: "y", Status: "z"},
			want:   base + `}`,
		},
		"NestedStatus": {
			reason: "Only the object's own status is omitted.",
			in:     outer{Spec: &struct{ Status string }{Status: "s"}},
			want:   base + `, spec: {Status: s}}`,
		},
		"CustomForms": {
			reason: "Types with their own JSON form are written in it, also as values of maps, which are not addressable.",
			in: outer{
				Time: now, TimePtr: &now, Duration: &metav1.Duration{Duration: 90 * time.Second},
				Quantity: resource.MustParse("1500m"), Resources: map[string]resource.Quantity{"memory": resource.MustParse("128Mi"), "cpu": {}},
				Port: intstr.FromString("http"), Raw: &runtime.RawExtension{Raw: []byte(`{"a":[1,null]}`)},
			},
			want: base + `, time: "2026-01-02T03:04:05Z", timePtr: "2026-01-02T03:04:05Z", duration: 1m30s, quantity: 1500m,` +
				`resources: {memory: 128Mi, cpu: "0"}, port: http, raw: {a: [1, null]}}`,
		},
		"IntPort": {
			reason: "A numeric IntOrString is written as a number.",
			in:     outer{Port: intstr.FromInt32(80)},
			want:   base + `, port: 80}`,
		},
		"InvalidUTF8": {
			reason: "Invalid UTF-8 would make the whole response impossible to send, so it is replaced.",
			in:     outer{Always: "a\xffb"},
			want:   strings.Replace(base, `always: ""`, "always: \"a\uFFFDb\"", 1) + `}`,
		},
		"Deployment": {
			reason: "A real object has no status, creationTimestamp, strategy or resources, but does have the list of containers that the API server requires.",
			in:     appsv1.Deployment{Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{}, Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{PriorityClassName: "p"}}}},
			want:   `{spec: {selector: {}, template: {spec: {containers: [], priorityClassName: p}}}}`,
		},
		"EmptyDeployment": {
			reason: "An object without any fields is still an object.",
			in:     &appsv1.Deployment{},
			want:   `{}`,
		},
		"ManagedResource": {
			reason: "A managed resource has no initProvider and no status.",
			in:     &iamv1beta1.Role{Status: iamv1beta1.RoleStatus{AtProvider: iamv1beta1.RoleObservation{Arn: new("x")}}},
			want:   `{spec: {forProvider: {}}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := new(Encoder).Object(tc.in)
			if err != nil {
				t.Fatalf("%s\nObject(...): %v", tc.reason, err)
			}
			want := map[string]any{}
			if err := yaml.Unmarshal([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.AsMap()); diff != "" {
				t.Errorf("%s\nObject(...): -want, +got:\n%s", tc.reason, diff)
			}
			if _, err := proto.Marshal(got); err != nil {
				t.Errorf("%s\nObject(...) cannot be sent: %v", tc.reason, err)
			}
		})
	}
}

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errTest }

var errTest = &json.UnsupportedValueError{Str: "on purpose"}

type broken struct{}

// MarshalJSON writes a value that protobuf cannot hold.
func (broken) MarshalJSON() ([]byte, error) { return []byte(`1e999`), nil }

func TestObjectErrors(t *testing.T) {
	cases := map[string]struct {
		reason string
		in     any
		// want is a part of the error.
		want string
	}{
		"Nil":         {"Nil is not an object.", nil, "not an object"},
		"NilPointer":  {"Neither is a nil pointer.", (*outer)(nil), "not an object"},
		"String":      {"Neither is a string.", "x", "not an object"},
		"List":        {"Neither is a list.", []string{"x"}, "not an object"},
		"Unsupported": {"A type that cannot be written fails, with the path to it,", struct{ A, B any }{A: "", B: []any{make(chan int)}}, "B: unsupported type chan int"},
		"InMap":       {"also in a map,", struct{ A map[string]any }{A: map[string]any{"k": make(chan int)}}, "A: unsupported type chan int"},
		"Inlined":     {"and in an inlined struct.", struct{ Inlined }{}, "C: unsupported type chan int"},
		"Custom":      {"A JSON form that fails returns its error.", struct{ F failing }{}, "on purpose"},
		"Broken":      {"A JSON form that is not a valid value fails.", struct{ F broken }{}, "F: "},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := new(Encoder).Object(tc.in)
			if err == nil {
				t.Fatalf("%s\nObject(...): want an error, got %v", tc.reason, got)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s\nObject(...): want %q in the error, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

// Inlined is exported because the fields of an unexported struct are not written.
type Inlined struct {
	C chan int
}

func TestStatus(t *testing.T) {
	got, err := new(Encoder).Status(v1alpha1.PodIdentityProviderStatus{ClusterName: "prod", Services: []v1alpha1.ServiceStatus{{Name: "s3", Phase: v1alpha1.PhaseReady}}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"clusterName": "prod", "services": []any{map[string]any{"name": "s3", "phase": "Ready"}}}
	if diff := cmp.Diff(want, got.AsInterface()); diff != "" {
		t.Errorf("Status(...): -want, +got:\n%s", diff)
	}
}

// TestEquivalence fills every field of the types that the function composes, and compares the result with that of encoding/json. The two
// differ only in empty values.
func TestEquivalence(t *testing.T) {
	for _, o := range []any{
		&iamv1beta1.Role{}, &iamv1beta1.Policy{}, &iamv1beta1.RolePolicyAttachment{}, &eksv1beta1.PodIdentityAssociation{},
		&pkgv1beta1.DeploymentRuntimeConfig{}, &pkgv1.Provider{}, &clusterv1beta1.ProviderConfig{}, &namespacedv1beta1.ClusterProviderConfig{},
		&appsv1.Deployment{}, &corev1.ServiceAccount{}, &v1alpha1.PodIdentityProvider{},
	} {
		t.Run(reflect.TypeOf(o).String(), func(t *testing.T) {
			fill(reflect.ValueOf(o).Elem(), 14)
			b, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]any{}
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			delete(want, "status")
			got, err := new(Encoder).Object(o)
			if err != nil {
				t.Fatalf("Object(...): %v", err)
			}
			if diff := cmp.Diff(prune(want), prune(got.AsMap())); diff != "" {
				t.Errorf("Object(...) and encoding/json differ: -json, +Object:\n%s", diff)
			}
			if len(b) < 200 {
				t.Errorf("too few fields were filled: %s", b)
			}
		})
	}
}

// fill sets every settable field to a value other than zero.
func fill(v reflect.Value, depth int) {
	if depth == 0 || !v.CanSet() {
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *resource.Quantity:
		*p = resource.MustParse("1Gi")
		return
	case *metav1.Time:
		*p = metav1.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		return
	case *intstr.IntOrString:
		*p = intstr.FromString("25%")
		return
	case *runtime.RawExtension:
		p.Raw = []byte(`{"raw":{"a":1}}`)
		return
	case *metav1.FieldsV1:
		p.Raw = []byte(`{"f:a":{}}`)
		return
	}
	switch v.Kind() { //nolint:exhaustive // Kubernetes objects are made of these.
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(math.MaxInt32)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth-1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), depth-1)
		fill(v.Index(1), depth-1)
	case reflect.Map:
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(k, depth-1)
		fill(e, depth-1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(k, e)
	case reflect.Struct:
		for _, f := range v.Fields() {
			fill(f, depth-1)
		}
	}
}

// prune removes empty values.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if e = prune(e); e != nil {
				out[k] = e
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		if len(v) == 0 {
			return nil
		}
		out := make([]any, 0, len(v))
		for _, e := range v {
			out = append(out, prune(e))
		}
		return out
	}
	return v
}
