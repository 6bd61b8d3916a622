package function

import (
	"fmt"
	"strings"
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestFits(t *testing.T) {
	// sized returns a response with exactly the given number of bytes.
	sized := func(size int) *fnv1.RunFunctionResponse {
		r := &fnv1.Resource{Resource: mustStruct(t, map[string]any{"a": "", "b": []any{1.5, true, nil}})}
		rsp := &fnv1.RunFunctionResponse{Desired: &fnv1.State{Composite: r, Resources: map[string]*fnv1.Resource{"key": r}}}
		rsp.Context = &structpb.Struct{Fields: map[string]*structpb.Value{"c": structpb.NewStringValue(strings.Repeat("x", size/2))}}
		for proto.Size(rsp) < size {
			r.Resource.Fields["a"] = structpb.NewStringValue(r.GetResource().GetFields()["a"].GetStringValue() + strings.Repeat("x", max(1, (size-proto.Size(rsp))/2-20)))
			if proto.Size(rsp) == size-1 {
				rsp.Meta = &fnv1.ResponseMeta{}
				break
			}
		}
		return rsp
	}
	cases := map[string]struct {
		reason string
		rsp    *fnv1.RunFunctionResponse
		want   bool
	}{
		"Empty":    {"An empty response fits.", &fnv1.RunFunctionResponse{}, true},
		"Half":     {"A response far below the limit is not measured exactly.", sized(maxResponse / 2), true},
		"Below":    {"A response that may exceed the limit is measured exactly.", sized(maxResponse - 100), true},
		"Above":    {"A response above the limit does not fit.", sized(maxResponse + 10), false},
		"Messages": {"Messages count, too.", &fnv1.RunFunctionResponse{Results: []*fnv1.Result{{Message: strings.Repeat("x", maxResponse)}}}, false},
		"Secrets": {
			"So do connection details.",
			&fnv1.RunFunctionResponse{Desired: &fnv1.State{Resources: map[string]*fnv1.Resource{"a": {ConnectionDetails: map[string][]byte{"x": make([]byte, maxResponse)}}}}}, false,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := fits(tc.rsp); (err == nil) != tc.want {
				t.Errorf("%s\nfits(...) of %d bytes: %v", tc.reason, proto.Size(tc.rsp), err)
			}
		})
	}
}

// TestBudget checks that the quick estimate is never less than the size of a message.
func TestBudget(t *testing.T) {
	const all = 1 << 40
	values := map[string]any{
		"Null": nil, "Bool": true, "Number": 1.5, "String": "s", "LongString": strings.Repeat("x", 1<<20), "Empty": map[string]any{},
		"List": []any{}, "Nested": map[string]any{"a": []any{map[string]any{"b": nil}, strings.Repeat("y", 1<<15)}, strings.Repeat("k", 1<<15): "v"},
	}
	for name, v := range values {
		t.Run(name, func(t *testing.T) {
			s := mustStruct(t, map[string]any{"field": v})
			b := budget(all)
			b.value(structpb.NewStructValue(s))
			if got, least := all-int(b), proto.Size(s); got < least {
				t.Errorf("counted %d bytes, want at least %d", got, least)
			}
		})
	}
}

func TestInvalidMessage(t *testing.T) {
	at := field.NewPath("spec", "x")
	many := func(n int) field.ErrorList {
		errs := field.ErrorList{}
		for i := range n {
			errs = append(errs, field.Required(at.Index(i), ""))
		}
		return errs
	}
	first := strings.Split(strings.TrimPrefix(messageOf(many(100)), "invalid: "), "; ")
	cases := map[string]struct {
		reason string
		errs   field.ErrorList
		want   string
	}{
		"One":    {"An error is reported.", many(1), "invalid: spec.x[0]: Required value"},
		"Same":   {"Each error is reported once.", append(many(1), many(1)...), "invalid: spec.x[0]: Required value"},
		"All":    {"A hundred errors are reported.", many(100), "invalid: " + strings.Join(first, "; ")},
		"More":   {"The number of further errors is reported.", many(250), "invalid: " + strings.Join(first, "; ") + "; and at least 150 more"},
		"Long":   {"A long message is cut,", field.ErrorList{field.Invalid(at, strings.Repeat("x", 1000), "")}, `invalid: spec.x: Invalid value: "` + strings.Repeat("x", 476) + " ..."},
		"Letter": {"but not within a letter.", field.ErrorList{field.Required(at, strings.Repeat("é", 1000))}, "invalid: spec.x: Required value: " + strings.Repeat("é", 238) + " ..."},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, messageOf(tc.errs)); diff != "" {
				t.Errorf("%s\ninvalid(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func messageOf(errs field.ErrorList) string {
	return invalid(&fnv1.RunFunctionRequest{}, nil, errs).GetResults()[0].GetMessage()
}

// TestFatalFits checks that the desired state of earlier functions is passed on, unless it would make the response too large for
// Crossplane.
func TestFatalFits(t *testing.T) {
	cases := map[string]struct {
		reason string
		size   int
		want   bool
	}{
		"Small": {"It passes through.", 1000, true},
		"Large": {"It is dropped, because Crossplane ignores it.", maxResponse - 100, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := &fnv1.RunFunctionRequest{Desired: &fnv1.State{Composite: &fnv1.Resource{Resource: mustStruct(t, map[string]any{"x": strings.Repeat("x", tc.size)})}}}
			rsp := fatal(req, fmt.Errorf("%s", strings.Repeat("m", 2*maxMessage)))
			if got := rsp.GetDesired() != nil; got != tc.want {
				t.Errorf("%s\nfatal(...): the desired state passes through: %t", tc.reason, got)
			}
			if n := proto.Size(rsp); n > maxResponse {
				t.Errorf("%s\nfatal(...): the response has %d bytes", tc.reason, n)
			}
		})
	}
}
