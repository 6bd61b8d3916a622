package function

import (
	"fmt"
	"strings"

	"github.com/crossplane/function-sdk-go/errors"
	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/crossplane/function-sdk-go/response"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/metrics"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// How long a response and its parts may be, in bytes.
const (
	// maxResponse is what Crossplane takes, gRPC's default: https://pkg.go.dev/google.golang.org/grpc#MaxCallRecvMsgSize.
	maxResponse = 4 << 20
	// maxMessage of a result: that of as many errors as are reported at once.
	maxMessage = 64 << 10
	// maxError of one field.
	maxError = 500
)

// refused because of what is wrong with the composite resource or the Input.
func refused(req *fnv1.RunFunctionRequest, log logging.Logger, errs field.ErrorList) answer {
	// Errors quote values, and those do not belong in a log.
	paths := make([]string, 0, min(len(errs), view.MaxErrors))
	for _, e := range errs[:min(len(errs), view.MaxErrors)] {
		paths = append(paths, cut(e.Field, maxError))
	}
	log.Debug("Cannot compose", "why", "the input is invalid", "fields", paths)
	return answer{response: invalid(req, errs), result: metrics.Invalid}
}

// notHeld tells that what exists is not held to the guardrails that there are, because what is asked for is refused as a whole. It stays
// as it is: to take it away would take away the credentials of what runs.
func (a answer) notHeld(req *fnv1.RunFunctionRequest, guarded bool) answer {
	if !guarded || len(req.GetObserved().GetResources()) == 0 {
		return a
	}
	const told = "; until this is corrected, existing resources stay as they are, and guardrails that came later do not apply to them"
	for _, c := range a.response.GetConditions() {
		if c.GetType() == string(v1alpha1.ConditionPrerequisitesReady) {
			c.Message = new(c.GetMessage() + told)
		}
	}
	a.unguarded = true
	return a
}

// guarded says whether there may be guardrails, where the request could not be understood as a whole.
func guarded(req *fnv1.RunFunctionRequest, platform *view.Configuration) bool {
	in := req.GetInput().GetFields()
	return platform != nil || in["guardrails"] != nil || in["namespaces"] != nil
}

// failed for another reason. An error may quote values too.
func failed(req *fnv1.RunFunctionRequest, log logging.Logger, why string, err error) answer {
	log.Debug("Cannot compose", "why", why)
	return answer{response: fatal(req, err), result: metrics.Fatal}
}

// invalid lists what is wrong with the composite resource or the Input. What exists is kept.
func invalid(req *fnv1.RunFunctionRequest, errs field.ErrorList) *fnv1.RunFunctionResponse {
	var lines []string
	seen := map[string]bool{}
	for i, e := range errs {
		if len(lines) == view.MaxErrors {
			// Nobody looked for all of them.
			lines = append(lines, fmt.Sprintf("and at least %d more", len(errs)-i))
			break
		}
		if s := cut(e.Error(), maxError); !seen[s] {
			seen[s] = true
			lines = append(lines, s)
		}
	}
	rsp := fatal(req, fmt.Errorf("invalid: %s", strings.Join(lines, "; ")))
	response.ConditionFalse(rsp, string(v1alpha1.ConditionPrerequisitesReady), string(v1alpha1.ReasonInvalidSpec)).
		WithMessage(strings.Join(lines, "; ")).TargetCompositeAndClaim()
	for _, c := range []v1alpha1.ConditionType{v1alpha1.ConditionIdentityReady, v1alpha1.ConditionProvidersReady, v1alpha1.ConditionProviderConfigReady} {
		response.ConditionUnknown(rsp, string(c), string(v1alpha1.ReasonInvalidSpec)).
			WithMessage("not evaluated, because the input is invalid; existing resources are unchanged").TargetCompositeAndClaim()
	}
	return rsp
}

// fatal stops the reconcile: everything stays as it is.
func fatal(req *fnv1.RunFunctionRequest, err error) *fnv1.RunFunctionResponse {
	rsp := response.To(req, ttlWaiting)
	if proto.Size(rsp) > maxResponse/2 {
		// Crossplane does not look at it, and the rest must still fit.
		rsp.Desired, rsp.Context = nil, nil
	}
	response.Fatal(rsp, errors.New(cut(err.Error(), maxMessage)))
	rsp.Results[len(rsp.GetResults())-1].Target = fnv1.Target_TARGET_COMPOSITE_AND_CLAIM.Enum()
	return rsp
}

// cut a text that is longer than so many bytes.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + " ..."
}

// fits says why Crossplane would not take the response.
func fits(rsp *fnv1.RunFunctionResponse) error {
	b := budget(maxResponse)
	b.value(structpb.NewStructValue(rsp.GetDesired().GetComposite().GetResource()))
	for key, r := range rsp.GetDesired().GetResources() {
		b.value(structpb.NewStructValue(r.GetResource()))
		b.take(len(key))
		if len(r.GetConnectionDetails()) > 0 {
			b.take(proto.Size(r))
		}
	}
	b.take(proto.Size(&fnv1.RunFunctionResponse{Meta: rsp.GetMeta(), Context: rsp.GetContext(), Results: rsp.GetResults(), Conditions: rsp.GetConditions(), Requirements: rsp.GetRequirements()}))
	if b >= 0 {
		return nil
	}
	if n := proto.Size(rsp); n > maxResponse {
		return fmt.Errorf("the response would have %d bytes, Crossplane takes %d: divide the services among several objects", n, maxResponse)
	}
	return nil
}

// A budget of bytes. Counting what a message has at most takes a fifth of the time that it takes to count exactly.
type budget int

// take so many bytes, and what can stand around them in a message: tags and lengths of the value, of what it is, and of the key that
// it has in a map.
func (b *budget) take(bytes int) { *b -= budget(bytes + 32) }

func (b *budget) value(v *structpb.Value) {
	switch v := v.GetKind().(type) {
	case *structpb.Value_StringValue:
		b.take(len(v.StringValue))
	case *structpb.Value_StructValue:
		b.take(0)
		for key, v := range v.StructValue.GetFields() {
			*b -= budget(len(key))
			b.value(v)
		}
	case *structpb.Value_ListValue:
		b.take(0)
		for _, v := range v.ListValue.GetValues() {
			b.value(v)
		}
	default:
		b.take(8)
	}
}
