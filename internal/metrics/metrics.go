// Package metrics counts the function's answers, for Prometheus. docs/observability.md has a table of the metrics, which a test
// compares.
//
// The function knows a composite resource only while it is called. So these are counters of answers, and not gauges of composite
// resources: their conditions show that (kube-state-metrics).
package metrics

import (
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/plan"
)

// Prefix of the names of all metrics.
const Prefix = "podidentity"

// The results of a call.
const (
	// Composed: the answer has everything that is desired now.
	Composed = "composed"
	// Invalid: the composite resource or the Input is wrong, which is a fatal result.
	Invalid = "invalid"
	// Fatal: any other fatal result.
	Fatal = "fatal"
	// Panic: an error of the function itself, which is a fatal result too.
	Panic = "panic"
)

// Metrics of a function.
type Metrics struct {
	calls      *prometheus.CounterVec
	duration   prometheus.Histogram
	conditions *prometheus.CounterVec
	composed   *prometheus.CounterVec
	waiting    *prometheus.CounterVec
	unguarded  prometheus.Counter
}

// New returns registered metrics. It panics if there are some already.
func New(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: Prefix, Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	m := &Metrics{
		calls:      counter("calls_total", "Calls that were answered, by result: "+Composed+", "+Invalid+", "+Fatal+" or "+Panic+".", "result"),
		conditions: counter("conditions_total", "Conditions that the function set on composite resources, by type, status and reason.", "type", "status", "reason"),
		composed:   counter("resources_composed_total", "Resources that the function composed, by kind. Divided by the calls, this is the number for each composite resource.", "kind"),
		waiting:    counter("resources_waiting_total", "Resources that the function held back because their gate was closed, by kind and reason.", "kind", "reason"),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: Prefix, Name: "call_duration_seconds", Help: "How long calls took, without the transport.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
	}
	m.unguarded = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: Prefix, Name: "guardrails_not_held_total",
		Help: "Calls that were refused while there are guardrails and resources: existing resources stay as they are, and guardrails that came later do not apply to them.",
	})
	r.MustRegister(m.duration, m.unguarded)
	for _, result := range []string{Composed, Invalid, Fatal, Panic} {
		// Each result exists from the beginning, so that a first one is an increase.
		m.calls.WithLabelValues(result)
	}
	return m
}

// Time measures a call until the returned function is called.
func (m *Metrics) Time() (stop func()) {
	t := prometheus.NewTimer(m.duration)
	return func() { t.ObserveDuration() }
}

// Answered counts a response. The plan is nil where there was none.
func (m *Metrics) Answered(result string, rsp *fnv1.RunFunctionResponse, p *plan.Plan) {
	m.calls.WithLabelValues(result).Inc()
	for _, c := range rsp.GetConditions() {
		m.conditions.WithLabelValues(c.GetType(), status(c.GetStatus()), c.GetReason()).Inc()
	}
	if p == nil {
		return
	}
	type gate struct {
		kind   schema.GroupKind
		reason v1alpha1.Reason
	}
	composed, waiting := map[schema.GroupKind]int{}, map[gate]int{}
	for _, o := range p.Outcomes {
		switch {
		case o.Desired != nil:
			composed[o.Kind.GroupKind()]++
		case o.Wait != nil:
			waiting[gate{o.Kind.GroupKind(), o.Wait.Reason}]++
		}
	}
	for kind, n := range composed {
		m.composed.WithLabelValues(kind.String()).Add(float64(n))
	}
	for g, n := range waiting {
		m.waiting.WithLabelValues(g.kind.String(), string(g.reason)).Add(float64(n))
	}
}

// Unguarded counts a refused call that leaves resources as they are, which may violate the guardrails.
func (m *Metrics) Unguarded() { m.unguarded.Inc() }

func status(s fnv1.Status) string {
	switch s { //nolint:exhaustive // Every other status is unknown.
	case fnv1.Status_STATUS_CONDITION_TRUE:
		return "True"
	case fnv1.Status_STATUS_CONDITION_FALSE:
		return "False"
	}
	return "Unknown"
}
