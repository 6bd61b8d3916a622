// Package function is the composition function: it answers a request in six steps, each with a package of its own.
//
//	request -> view -> identity -> guardrails -> plan -> response
package function

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"time"

	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/crossplane/function-sdk-go/response"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/encode"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/guardrails"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/metrics"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/plan"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// How long until Crossplane calls again.
const (
	// ttlUnanswered: a response with unanswered requirements must not be cached; Crossplane calls again at once.
	ttlUnanswered = 0
	// ttlWaiting: the function may wait for something that Crossplane does not watch.
	ttlWaiting = 10 * time.Second
	// breakerOpen is how long Crossplane's circuit breaker stays open once it opened (--circuit-breaker-cooldown).
	breakerOpen = 5 * time.Minute
)

// heapBallast is memory that is never touched, so never resident, but live to the garbage collector, which collects when the heap is
// twice the live memory. The function keeps 3 MB, and a call with ten services leaves 3 MB behind: collecting after every other call
// took a third of the CPU time. A higher GOGC would multiply the memory of a burst of large calls; this adds its own size to it, once.
const heapBallast = 16 << 20

// Function composes the resources of a PodIdentityProvider or a PodIdentityTenant.
type Function struct {
	fnv1.UnimplementedFunctionRunnerServiceServer

	log     logging.Logger
	metrics *metrics.Metrics
	now     func() time.Time
	// platform returns the current configuration; nil if there is none.
	platform func() *view.Configuration
	ballast  []byte
}

// New returns a Function that logs to the supplied logger, counts, and gets the platform's configuration in every call.
func New(log logging.Logger, m *metrics.Metrics, platform func() *view.Configuration) *Function {
	return &Function{log: log, metrics: m, now: time.Now, platform: platform, ballast: make([]byte, heapBallast)} //nolint:forbidigo // Tests have another clock. It only opens gates.
}

// NoPlatform is a Function's configuration where the platform has none.
func NoPlatform() *view.Configuration { return nil }

// RunFunction composes the desired resources, as far as they can exist yet. It reports failures only as fatal results, and a fatal
// result leaves everything as it is.
func (f *Function) RunFunction(_ context.Context, req *fnv1.RunFunctionRequest) (*fnv1.RunFunctionResponse, error) {
	defer f.metrics.Time()()
	a := f.answer(req)
	f.metrics.Answered(a.result, a.response, a.plan)
	if a.unguarded {
		f.metrics.Unguarded()
	}
	return a.response, nil
}

// An answer to a request.
type answer struct {
	response *fnv1.RunFunctionResponse
	// result as metrics count it.
	result string
	// plan that the response shows; nil if the response is fatal.
	plan *plan.Plan
	// unguarded says that there are guardrails, and that existing resources may violate them.
	unguarded bool
}

func (f *Function) answer(req *fnv1.RunFunctionRequest) (a answer) {
	log := logFor(f.log, req)
	defer func() {
		if r := recover(); r != nil {
			log.Info("Function panicked", "panic", cut(fmt.Sprint(r), maxError), "stack", string(debug.Stack()))
			a = answer{response: broken(req, nil, fmt.Errorf("internal error: %s", cut(fmt.Sprint(r), maxError))), result: metrics.Panic}
		}
	}()

	platform := f.platform()
	v, errs := view.From(req, platform, f.now())
	if len(errs) > 0 {
		return refused(req, log, nil, errs).notHeld(req, guarded(req, platform))
	}
	if v.Input.Preview && v.Live() {
		return refused(req, log, v, field.ErrorList{field.Forbidden(field.NewPath("input", "preview"), "is for local rendering only: on a cluster it would defeat the order that provider pods depend on")})
	}
	id, errs := identity.Resolve(v)
	if len(errs) > 0 {
		return refused(req, log, v, errs).notHeld(req, len(v.Guardrails) > 0)
	}
	if errs := guardrails.Check(v, id); len(errs) > 0 {
		return refused(req, log, v, errs).notHeld(req, len(v.Guardrails) > 0)
	}
	p, err := plan.New(v, id)
	if err != nil {
		return failed(req, log, v, "there is no plan", err)
	}
	rsp, err := respond(req, v, p)
	if err != nil {
		return failed(req, log, v, "the plan cannot be written", err)
	}
	if err := fits(rsp); err != nil {
		return failed(req, log, v, "the response is too large", err)
	}
	log.Debug("Composed", "resources", len(rsp.GetDesired().GetResources()), "planned", len(p.Outcomes), "ready", p.Ready(), "unanswered", v.Requirements.Unanswered())
	logPhases(log, v, p)
	return answer{response: rsp, result: metrics.Composed, plan: p}
}

// respond adds the plan to the resources that earlier functions of the pipeline desire.
func respond(req *fnv1.RunFunctionRequest, v *view.View, p *plan.Plan) (*fnv1.RunFunctionResponse, error) {
	rsp := response.To(req, ttl(v, p))
	rsp.Requirements = v.Requirements.Proto()

	rsp.Desired = &fnv1.State{Resources: make(map[string]*fnv1.Resource, len(req.GetDesired().GetResources())+len(p.Outcomes))}
	maps.Copy(rsp.GetDesired().GetResources(), req.GetDesired().GetResources())
	for _, o := range p.Outcomes {
		if o.Desired == nil {
			continue
		}
		ready := fnv1.Ready_READY_FALSE
		if o.Readiness.Ready {
			ready = fnv1.Ready_READY_TRUE
		}
		rsp.Desired.Resources[o.Key] = &fnv1.Resource{Resource: o.Desired, Ready: ready}
	}

	composite, err := composite(req, v, p)
	if err != nil {
		return nil, err
	}
	rsp.Desired.Composite = composite
	for _, c := range p.Conditions {
		set := response.ConditionFalse
		switch {
		case c.Unknown():
			set = response.ConditionUnknown
		case c.Status:
			set = response.ConditionTrue
		}
		set(rsp, string(c.Type), string(c.Reason)).WithMessage(c.Message).TargetCompositeAndClaim()
	}
	for _, w := range p.Warnings {
		response.Warning(rsp, fmt.Errorf("%s", w))
	}
	return rsp, nil
}

// composite returns the desired composite resource: only its status, in addition to the fields that earlier functions set. It is not
// ready while anything of the full plan is missing, which Crossplane cannot know.
func composite(req *fnv1.RunFunctionRequest, v *view.View, p *plan.Plan) (*fnv1.Resource, error) {
	earlier := req.GetDesired().GetComposite()
	out := &fnv1.Resource{
		Resource:          &structpb.Struct{Fields: map[string]*structpb.Value{}},
		ConnectionDetails: earlier.GetConnectionDetails(),
		Ready:             earlier.GetReady(),
	}
	maps.Copy(out.GetResource().GetFields(), earlier.GetResource().GetFields())
	out.Resource.Fields["apiVersion"] = structpb.NewStringValue(v.XR.APIVersion())
	out.Resource.Fields["kind"] = structpb.NewStringValue(v.XR.Kind())

	status, err := new(encode.Encoder).Status(p.CompositeStatus())
	if err != nil {
		return nil, err
	}
	for k, f := range earlier.GetResource().GetFields()["status"].GetStructValue().GetFields() {
		if _, ok := status.GetStructValue().GetFields()[k]; !ok {
			status.GetStructValue().Fields[k] = f
		}
	}
	out.Resource.Fields["status"] = status
	if !p.Ready() {
		out.Ready = fnv1.Ready_READY_FALSE
	}
	return out, nil
}

func ttl(v *view.View, p *plan.Plan) time.Duration {
	switch {
	case v.Requirements.Unanswered():
		return ttlUnanswered
	case !p.Ready(), missesEvents(v):
		return ttlWaiting
	}
	return v.SteadyTTL()
}

// missesEvents says whether Crossplane v2 may not call the function for the next event. While it is being created, a composite resource
// causes more events than its circuit breaker lets through, and then a change of the spec would wait until the TTL is over.
func missesEvents(v *view.View) bool {
	ready, responsive := v.XR.Condition("Ready"), v.XR.Condition("Responsive")
	// Crossplane resets Responsive only with the next event, and there may be none.
	return ready.Status != "" && !ready.True() || responsive.False() && v.Now.Sub(responsive.LastTransitionTime()) < breakerOpen
}
