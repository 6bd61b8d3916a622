package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
)

// BenchmarkRunFunction measures a call in process: the first reconcile, in which everything is created, and the steady
// state, in which everything exists.
func BenchmarkRunFunction(b *testing.B) {
	for _, services := range []int{1, 3, 10, 100} {
		w := worldOf(b, services)
		fn := newTestFunction()
		b.Run(fmt.Sprintf("first/services=%d", services), func(b *testing.B) { call(b, fn, w) })
		for key, r := range w.reconcile(b, fn).GetDesired().GetResources() {
			w.Observed[key] = r.GetResource()
		}
		s := &simulation{world: w, now: fn.now().Add(-3600e9)}
		for key := range w.Observed {
			s.becomeReady(key)
		}
		for key, r := range w.reconcile(b, fn).GetDesired().GetResources() {
			if w.Observed[key] == nil {
				w.Observed[key] = r.GetResource()
				s.becomeReady(key)
			}
		}
		b.Run(fmt.Sprintf("steady/services=%d", services), func(b *testing.B) { call(b, fn, w) })
	}
}

func call(b *testing.B, fn *Function, w *world) {
	b.Helper()
	b.ReportAllocs()
	req := w.request()
	w.answer(b, req, w.reconcile(b, fn).GetRequirements())
	for b.Loop() {
		if _, err := fn.RunFunction(context.Background(), req); err != nil {
			b.Fatal(err)
		}
	}
}

// worldOf a cluster where every kind exists, and a composite resource of n services.
func worldOf(b *testing.B, n int) *world {
	b.Helper()
	w := loadStep(b, "example/quickstart/01-first-reconcile")
	names := catalogue.Names()[:n]
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
