package function

import (
	"fmt"
	"slices"
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
	// maxResponse is Crossplane's limit, gRPC's default: https://pkg.go.dev/google.golang.org/grpc#MaxCallRecvMsgSize.
	maxResponse = 4 << 20
	// maxMessage bounds the message of a result: it holds as many errors as are reported at once.
	maxMessage = 64 << 10
	// maxError bounds the error of one field.
	maxError = 500
)

// refused answers a request whose composite resource or Input is invalid. The view is nil if that could not be read.
func refused(req *fnv1.RunFunctionRequest, log logging.Logger, v *view.View, errs field.ErrorList) answer {
	// Errors quote values, and those do not belong in a log.
	paths := make([]string, 0, min(len(errs), view.MaxErrors))
	for _, e := range errs[:min(len(errs), view.MaxErrors)] {
		paths = append(paths, cut(e.Field, maxError))
	}
	log.Debug("Cannot compose", "why", "the input is invalid", "fields", paths)
	return answer{response: invalid(req, v, errs), result: metrics.Invalid}
}

// notHeld reports that existing resources are not checked against the guardrails, because the request is refused as a whole. They stay
// as they are: removing them would take the credentials of running providers away.
func (a answer) notHeld(req *fnv1.RunFunctionRequest, guarded bool) answer {
	if !guarded || len(req.GetObserved().GetResources()) == 0 {
		return a
	}
	const consequence = "; until this is corrected, existing resources stay as they are, and guardrails that came later do not apply to them"
	for _, c := range a.response.GetConditions() {
		if c.GetType() == string(v1alpha1.ConditionPrerequisitesReady) {
			c.Message = new(c.GetMessage() + consequence)
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

// failed answers a request that fails for another reason. An error may quote values, too.
func failed(req *fnv1.RunFunctionRequest, log logging.Logger, v *view.View, why string, err error) answer {
	log.Debug("Cannot compose", "why", why)
	return answer{response: broken(req, v, err), result: metrics.Fatal}
}

// broken is a fatal response to a request that is not known to be invalid.
func broken(req *fnv1.RunFunctionRequest, v *view.View, err error) *fnv1.RunFunctionResponse {
	rsp := fatal(req, err)
	notLookedAt(req, v, rsp, v1alpha1.ReasonFailed, cut(err.Error(), maxMessage), "not evaluated, because there is no plan; existing resources are unchanged")
	return rsp
}

// invalid lists what is wrong with the composite resource or the Input. Existing resources are kept.
func invalid(req *fnv1.RunFunctionRequest, v *view.View, errs field.ErrorList) *fnv1.RunFunctionResponse {
	var lines []string
	seen := map[string]bool{}
	for i, e := range errs {
		if len(lines) == view.MaxErrors {
			// The check stopped here: there may be more.
			lines = append(lines, fmt.Sprintf("and at least %d more", len(errs)-i))
			break
		}
		if s := cut(e.Error(), maxError); !seen[s] {
			seen[s] = true
			lines = append(lines, s)
		}
	}
	rsp := fatal(req, fmt.Errorf("invalid: %s", strings.Join(lines, "; ")))
	notLookedAt(req, v, rsp, v1alpha1.ReasonInvalidSpec, strings.Join(lines, "; "), "not evaluated, because the input is invalid; existing resources are unchanged")
	return rsp
}

// notLookedAt sets the conditions of a fatal response: the first says why, and the others are Unknown. If they were not sent,
// Crossplane would report that the function did not come that far, and not why.
func notLookedAt(req *fnv1.RunFunctionRequest, v *view.View, rsp *fnv1.RunFunctionResponse, reason v1alpha1.Reason, why, message string) {
	response.ConditionFalse(rsp, string(v1alpha1.ConditionPrerequisitesReady), string(reason)).WithMessage(why).TargetCompositeAndClaim()
	for _, c := range conditionsOf(req, v) {
		response.ConditionUnknown(rsp, string(c), string(reason)).WithMessage(message).TargetCompositeAndClaim()
	}
}

// conditionsOf returns the conditions of a composite resource, besides PrerequisitesReady: those that all have, those that the spec
// asks for as far as it could be read, and those that exist from before.
func conditionsOf(req *fnv1.RunFunctionRequest, v *view.View) []v1alpha1.ConditionType {
	xr := view.NewObject(req.GetObserved().GetComposite().GetResource())
	teardown, verified := v1alpha1.Teardown(xr.String("spec", "teardown")), false
	if v != nil {
		teardown, verified = v.Spec.Teardown, verifies(v.Spec)
	}
	cs := []v1alpha1.ConditionType{v1alpha1.ConditionIdentityReady, v1alpha1.ConditionProvidersReady, v1alpha1.ConditionProviderConfigReady}
	if teardown != v1alpha1.TeardownUnordered || xr.Condition(string(v1alpha1.ConditionTeardownProtected)).Status != "" {
		cs = append(cs, v1alpha1.ConditionTeardownProtected)
	}
	if verified || xr.Condition(string(v1alpha1.ConditionCredentialsInjected)).Status != "" {
		cs = append(cs, v1alpha1.ConditionCredentialsInjected)
	}
	return cs
}

// verifies says whether a spec asks to verify the credentials of any provider's pods.
func verifies(s *v1alpha1.PodIdentityProviderSpec) bool {
	wanted := func(r *v1alpha1.Runtime) bool { return r != nil && r.VerifyCredentials != nil && *r.VerifyCredentials }
	return wanted(s.Runtime) || slices.ContainsFunc(s.Services, func(svc v1alpha1.Service) bool { return wanted(svc.Runtime) })
}

// fatal stops the reconcile: everything stays as it is.
func fatal(req *fnv1.RunFunctionRequest, err error) *fnv1.RunFunctionResponse {
	rsp := response.To(req, ttlWaiting)
	if proto.Size(rsp) > maxResponse/2 {
		// Crossplane ignores these in a fatal response, and the rest must still fit.
		rsp.Desired, rsp.Context = nil, nil
	}
	response.Fatal(rsp, errors.New(cut(err.Error(), maxMessage)))
	rsp.Results[len(rsp.GetResults())-1].Target = fnv1.Target_TARGET_COMPOSITE_AND_CLAIM.Enum()
	return rsp
}

// cut shortens a text that is longer than so many bytes.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + " ..."
}

// fits says why Crossplane would refuse the response; nil if it would not.
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
		return fmt.Errorf("the response would have %d bytes, Crossplane accepts %d: divide the services among several objects", n, maxResponse)
	}
	return nil
}

// A budget of bytes. An upper bound for the size of a message takes a fifth of the time of an exact count.
type budget int

// take subtracts so many bytes, and the most that can stand around them in a message: tags and lengths of the value, of its kind, and
// of its key in a map.
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
