package function

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
)

// benchmarkServices returns the numbers of services of the composite resources in the benchmarks.
func benchmarkServices() []int { return []int{1, 3, 10, 100} }

// BenchmarkRunFunction measures a call in process. On a busy machine, CPU time, including garbage collection, says more than elapsed
// time.
func BenchmarkRunFunction(b *testing.B) {
	for _, services := range benchmarkServices() {
		for _, r := range reconciles(b, services) {
			b.Run(fmt.Sprintf("%s/services=%d", r.name, services), func(b *testing.B) {
				fn := newTestFunction()
				b.ReportAllocs()
				start := must(cpuTime())
				for b.Loop() {
					if _, err := fn.RunFunction(context.Background(), r.request); err != nil {
						b.Fatal(err)
					}
				}
				cpu := float64(must(cpuTime())-start) / float64(b.N)
				b.ReportMetric(cpu, "cpu-ns")
				b.ReportMetric(cpu/float64(services), "cpu-ns/service")
			})
		}
	}
}

// A reconcile is the request that Crossplane sends at one time in a composite resource's life.
type reconcile struct {
	name    string
	request *fnv1.RunFunctionRequest
}

// reconciles returns the requests at both ends of a composite resource's life: the first, in which nothing exists and every requirement
// is answered, and the steady state, in which everything exists and is ready.
func reconciles(b testing.TB, services int) []reconcile {
	b.Helper()
	w, fn := worldOf(b, services), newTestFunction()
	first := w.answered(b, fn)

	s := &simulation{world: w, now: fn.now().Add(-time.Hour)}
	for ready := -1; ready < len(w.Observed); {
		ready = len(w.Observed)
		for key, r := range w.reconcile(b, fn).GetDesired().GetResources() {
			if w.Observed[key] == nil {
				w.Observed[key] = r.GetResource()
				s.becomeReady(key)
			}
		}
	}
	steady := w.answered(b, fn)
	rsp, err := fn.RunFunction(context.Background(), steady)
	if err != nil || rsp.GetDesired().GetComposite().GetReady() == fnv1.Ready_READY_FALSE {
		b.Fatalf("the steady state is not ready: %v, %v", err, rsp.GetConditions())
	}
	// Crossplane has written the status.
	steady.GetObserved().GetComposite().GetResource().GetFields()["status"] = at(rsp.GetDesired().GetComposite().GetResource(), "status")
	return []reconcile{{"first", first}, {"steady", steady}}
}

// answered returns the request of Crossplane's last call in a reconcile.
func (w *world) answered(b testing.TB, fn *Function) *fnv1.RunFunctionRequest {
	b.Helper()
	req := w.request()
	w.answer(b, req, w.reconcile(b, fn).GetRequirements())
	return req
}

// worldOf returns a cluster where every kind exists, and a composite resource with n services.
func worldOf(b testing.TB, n int) *world {
	b.Helper()
	w := loadStep(b, "example/quickstart/01-first-reconcile")
	names := slices.DeleteFunc(slices.Clone(catalogue.Names()), func(name string) bool { return name == "iam" || name == "eks" })[:n]
	services := make([]any, 0, n)
	for _, name := range names {
		services = append(services, map[string]any{"name": name})
	}
	at(w.XR, "spec").GetStructValue().Fields["services"] = mustValue(b, services)
	w.Meta = generations["v2.2 and later"]
	return w
}

func (s *simulation) becomeReady(key string) {
	o := s.Observed[key]
	cond := func(typ string) any {
		return map[string]any{"type": typ, "status": "True", "lastTransitionTime": "2025-01-01T00:00:00Z"}
	}
	status := map[string]any{"conditions": []any{cond("Synced"), cond("Ready"), cond("Installed"), cond("Healthy")}}
	if strings.HasPrefix(key, "association/") {
		status["atProvider"] = map[string]any{"associationId": "a-1", "roleArn": "arn:aws:iam::123456789012:role/x"}
	}
	status["currentIdentifier"] = at(o, "spec", "package").GetStringValue()
	o.Fields["status"] = must(structpb.NewValue(status))
}
