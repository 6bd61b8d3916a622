package e2e

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Crossplane's circuit breaker of a composite resource is a bucket of tokens. It opens when none is left, and then most changes are
// carried out late. Every event of the composite resource, of what it composes and, from v2.4 on, of what its function requires
// takes from it:
// https://github.com/crossplane/crossplane/blob/v2.4.2/internal/circuit/token_bucket.go
const (
	capacity = 100.0
	refill   = 1.0 // A second.

	// An update is seen twice: as it was, and as it is.
	tokensOfUpdate = 2
	tokensOfOther  = 1
)

// watched are the kinds whose events are counted, by the names that scenarios use for them.
var watched = []string{"XR", "Role", "Policy", "Attachment", "Association", "RuntimeConfig", "Provider", "ProviderRevision", "ProviderConfig", "Usage"}

// Tokens counts what the events of composite resources take from their buckets.
type Tokens struct {
	mu sync.Mutex
	// spent by composite resource.
	spent map[string][]spending
	// owners are the composite resources of Providers, for their revisions.
	owners map[string]string
	// claims are the namespaces of the claims that composite resources were made for.
	claims map[string]string
	// seen are the composite resources as they were last, and log gets each change of them: these changes cost the most.
	seen map[string]map[string]any
	log  io.WriteCloser
}

type spending struct {
	at     time.Time
	kind   string
	tokens int
}

// countTokens until the world ends. A kind that does not exist yet is tried again.
func (w *World) countTokens() error {
	log, err := os.Create(filepath.Join(w.Logs, "composite-writes.log"))
	if err != nil {
		return err
	}
	w.tokens = &Tokens{spent: map[string][]spending{}, owners: map[string]string{}, claims: map[string]string{}, seen: map[string]map[string]any{}, log: log}
	c, err := client.NewWithWatch(w.Config, client.Options{})
	if err != nil {
		return err
	}
	for _, kind := range watched {
		go func() {
			for w.ctx.Err() == nil {
				list := &unstructured.UnstructuredList{}
				list.SetGroupVersionKind(gvkOf(kind))
				if events, err := c.Watch(w.ctx, list); err == nil {
					for e := range events.ResultChan() {
						w.tokens.count(kind, e)
					}
				}
				select {
				case <-w.ctx.Done():
				case <-time.After(time.Second):
				}
			}
		}()
	}
	return nil
}

// count an event. Those of an object that is being deleted cost nothing.
func (t *Tokens) count(kind string, e watch.Event) {
	o, ok := e.Object.(*unstructured.Unstructured)
	if !ok || o.GetDeletionTimestamp() != nil {
		return
	}
	n := tokensOfOther
	if e.Type == watch.Modified {
		n = tokensOfUpdate
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	xr := t.owner(kind, o)
	if xr == "" {
		return
	}
	if kind == "Provider" {
		t.owners[o.GetName()] = xr
	}
	t.spent[xr] = append(t.spent[xr], spending{at: time.Now(), kind: kind, tokens: n})
	if kind == "XR" {
		t.claims[xr] = o.GetLabels()["crossplane.io/claim-namespace"]
		t.logChange(o)
	}
}

// logChange of a composite resource.
func (t *Tokens) logChange(o *unstructured.Unstructured) {
	now := o.DeepCopy()
	now.SetManagedFields(nil)
	now.SetResourceVersion("")
	_, _ = fmt.Fprintf(t.log, "%s %s\n%s\n", time.Now().Format(time.StampMilli), o.GetName(), gocmp.Diff(t.seen[o.GetName()], now.Object))
	t.seen[o.GetName()] = now.Object
}

// owner is the composite resource whose bucket an object's event takes from; empty if there is none.
func (t *Tokens) owner(kind string, o *unstructured.Unstructured) string {
	switch kind {
	case "XR":
		return o.GetName()
	case "ProviderRevision":
		return t.owners[o.GetLabels()["pkg.crossplane.io/package"]]
	}
	for _, r := range o.GetOwnerReferences() {
		if r.Controller != nil && *r.Controller && r.Kind == kinds["XR"].Kind {
			return r.Name
		}
	}
	return ""
}

// account of a composite resource's tokens since a time.
func (t *Tokens) account(xr string, since time.Time) (byKind map[string]int, all int, lowest float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	byKind = map[string]int{}
	level, last := capacity, since
	lowest = level
	for _, s := range t.spent[xr] {
		if s.at.Before(since) {
			continue
		}
		level = min(capacity, level+refill*s.at.Sub(last).Seconds()) - float64(s.tokens)
		last = s.at
		lowest = min(lowest, level)
		byKind[s.kind] += s.tokens
		all += s.tokens
	}
	return byKind, all, lowest
}

// since is the time of the first event of each composite resource of a namespace's claims.
func (t *Tokens) since(namespace string) map[string]time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]time.Time{}
	for xr, in := range t.claims {
		if in == namespace {
			out[xr] = t.spent[xr][0].at
		}
	}
	return out
}

// printTokens of each claim of a scenario, and how often the function was called for it.
func (s *Scenario) printTokens() {
	s.Helper()
	since := s.tokens.since(s.Namespace)
	for _, xr := range slices.Sorted(maps.Keys(since)) {
		sayf("%s: %s; %d calls of the function", s.Name(), s.Tokens(xr, since[xr]), s.Calls(xr))
	}
}

// Tokens of a claim since a time, for people to read: those of each kind, and the lowest level of the bucket. If the circuit breaker
// opens, the level falls below zero here, while Crossplane stops counting.
func (s *Scenario) Tokens(xr string, since time.Time) string {
	s.Helper()
	byKind, all, lowest := s.tokens.account(xr, since)
	parts := make([]string, 0, len(byKind))
	for _, kind := range slices.SortedFunc(maps.Keys(byKind), func(a, b string) int { return cmp.Or(byKind[b]-byKind[a], strings.Compare(a, b)) }) {
		parts = append(parts, fmt.Sprintf("%s %d", kind, byKind[kind]))
	}
	return fmt.Sprintf("TOKENS %s: %d of %.0f in %.0f s, the lowest level was %.0f: %s", xr, all, capacity, time.Since(since).Seconds(), lowest, strings.Join(parts, ", "))
}
