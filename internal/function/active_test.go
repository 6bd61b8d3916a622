package function

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// TestActiveKinds runs services that follow the active kinds through random worlds: policies that activate kinds appear, change, shrink
// and disappear, and sometimes cannot be read. At all times:
//   - a role allows the actions of all kinds that were ever active, and nothing else: it never loses an action,
//   - existing resources are composed on every call, even before Crossplane has answered,
//   - no resources of a service are created while none of its kinds was ever active,
//   - a service that lists its kinds is composed as if there were no other services,
//   - the same request has the same response,
//   - and once the world is quiet, the composite resource is ready.
func TestActiveKinds(t *testing.T) {
	for seed := range lives() {
		for generation, meta := range generations {
			t.Run(fmt.Sprintf("%d/%s", seed, generation), func(t *testing.T) {
				t.Parallel()
				f := newFollower(t, rand.New(rand.NewPCG(seed, 5)), meta)
				for range 12 {
					f.disturb()
					f.step(t)
				}
				f.deterministic(t, seed)
				f.readable, f.active = true, append(f.active, "buckets.s3.aws.upbound.io", "queues.sqs.aws.m.upbound.io")
				for range 4 {
					f.step(t)
				}
				if rsp := f.step(t); rsp.GetDesired().GetComposite().GetReady() == fnv1.Ready_READY_FALSE {
					t.Errorf("the world is quiet, but the composite resource is not ready:\n%v", rsp.GetConditions())
				}
			})
		}
	}
}

// A follower simulates a cluster in which kinds become active.
type follower struct {
	simulation

	// active holds the patterns that policies currently activate, and readable says whether the policies can be read.
	active   []string
	readable bool
	// seen holds, by service, the kinds that were active while the policies could be read.
	seen map[string]map[string]bool
}

func newFollower(t *testing.T, r *rand.Rand, meta *fnv1.RequestMeta) *follower {
	t.Helper()
	w := loadStep(t, "example/kinds-active/01-none-active")
	w.Meta = meta
	w.Cluster = slices.DeleteFunc(w.Cluster, isActivation)
	at(w.XR, "spec").GetStructValue().Fields["services"] = mustValue(t, []any{
		map[string]any{"name": "s3", "permissions": map[string]any{"kinds": "Active"}},
		map[string]any{"name": "sqs", "permissions": map[string]any{"kinds": "Active"}},
		map[string]any{"name": "sns", "permissions": map[string]any{"kinds": []any{"Topic"}}},
	})
	return &follower{
		simulation: simulation{world: w, rand: r, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		readable:   true, seen: map[string]map[string]bool{"s3": {}, "sqs": {}},
	}
}

func isActivation(o *structpb.Struct) bool {
	return at(o, "kind").GetStringValue() == "ManagedResourceActivationPolicy"
}

// disturb changes the active patterns.
func (f *follower) disturb() {
	some := []string{"buckets.s3.aws.upbound.io", "bucketpol*.s3.*", "*.s3.aws.m.upbound.io", "queues.sqs.aws.m.upbound.io", "queue[pr]*.sqs.aws.upbound.io", "*.sqs.*", "*.ec2.aws.upbound.io", "[", "*"}
	f.active = nil
	for range f.rand.IntN(3) {
		// The wide patterns are rare: after them no kind can be added.
		f.active = append(f.active, some[min(f.rand.IntN(len(some)), f.rand.IntN(len(some)))])
	}
	// Crossplane v1.20 always finds the definition of a kind that is part of Crossplane.
	f.readable = f.Meta == nil || f.rand.IntN(3) > 0
}

// step reconciles once, checks the response and applies it.
func (f *follower) step(t *testing.T) *fnv1.RunFunctionResponse {
	t.Helper()
	f.now = f.now.Add(time.Minute)
	f.Hidden = map[string]bool{"ManagedResourceActivationPolicy.apiextensions.crossplane.io": !f.readable}
	f.Cluster = slices.DeleteFunc(f.Cluster, isActivation)
	for i, pattern := range f.active {
		f.Cluster = append(f.Cluster, must(structpb.NewStruct(map[string]any{
			"apiVersion": "apiextensions.crossplane.io/v1alpha1", "kind": "ManagedResourceActivationPolicy",
			"metadata": map[string]any{"name": fmt.Sprint("p", i)}, "spec": map[string]any{"activate": []any{pattern}},
		})))
	}
	if f.readable {
		f.look()
	}
	fn := newTestFunction()
	fn.now = func() time.Time { return f.now }

	first, err := fn.RunFunction(t.Context(), f.request())
	if err != nil || isFatal(first) {
		t.Fatalf("the first call fails: %v, %v", err, first.GetResults())
	}
	f.check(t, first, "before Crossplane has answered", false)
	rsp := f.reconcile(t, fn)
	if isFatal(rsp) {
		t.Fatalf("fatal: %v", rsp.GetResults())
	}
	f.check(t, rsp, "with all answers", true)
	for key, d := range rsp.GetDesired().GetResources() {
		f.Observed[key] = proto.Clone(d.GetResource()).(*structpb.Struct) //nolint:forcetypeassert // The clone has the same type.
		f.becomeReady(key)
	}
	f.XR.Fields["status"] = at(rsp.GetDesired().GetComposite().GetResource(), "status")
	return rsp
}

// look records the active kinds, matching names as Crossplane does.
func (f *follower) look() {
	for service, seen := range f.seen {
		entry, _ := catalogue.Lookup(service)
		for _, name := range entry.Kinds() {
			k, _ := entry.Kind(name)
			for _, d := range entry.Definitions(k) {
				if slices.ContainsFunc(f.active, func(p string) bool { return activates(p, d) }) {
					seen[name] = true
				}
			}
		}
	}
}

// activates says whether a pattern matches a definition, as in Crossplane: a malformed pattern matches nothing.
func activates(pattern, definition string) bool {
	match, err := path.Match(pattern, definition)
	return err == nil && match
}

// check checks a response. Until all requirements are answered, only existing resources are certain.
func (f *follower) check(t *testing.T, rsp *fnv1.RunFunctionResponse, when string, all bool) {
	t.Helper()
	desired := rsp.GetDesired().GetResources()
	for key := range f.Observed {
		if desired[key] == nil {
			t.Fatalf("%s: %s exists and is desired, but is not composed: Crossplane would delete it", when, key)
		}
	}
	for service, seen := range f.seen {
		entry, _ := catalogue.Lookup(service)
		want := actionsIn(iam.NewDocument(entry.FullOf("aws", sortedKeys(seen))...).String())
		got, exists := f.granted(desired, service), f.Observed["role/"+service] != nil
		if before := f.granted(nil, service); exists && !subset(before, got) {
			t.Fatalf("%s: the role of %s loses actions: it allows %v, and no longer %v", when, service, got, before)
		}
		if !all {
			continue
		}
		if len(seen) == 0 {
			for key := range desired {
				if kind, of, _ := strings.Cut(key, "/"); of == service && kind != "usage" {
					t.Fatalf("%s is created, but no kind of the service was ever active", key)
				}
			}
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" && desired["policy/"+service] != nil {
			t.Fatalf("%s: actions of %s: -actions of the kinds that were active, +got:\n%s", when, service, diff)
		}
	}
	if before, now := f.Observed["policy/sns"], desired["policy/sns"].GetResource(); before != nil {
		if diff := cmp.Diff(at(before, "spec", "forProvider"), at(now, "spec", "forProvider"), protocmp.Transform()); diff != "" {
			t.Fatalf("%s: a service that lists its kinds changed: -before, +after:\n%s", when, diff)
		}
	}
}

// granted returns the actions of a service's desired policies, or of its observed policies if desired is nil.
func (f *follower) granted(desired map[string]*fnv1.Resource, service string) []string {
	var out []string
	for n := range 10 {
		key := "policy/" + service
		if n > 0 {
			key += fmt.Sprintf(".%d", n+1)
		}
		o := f.Observed[key]
		if desired != nil {
			o = desired[key].GetResource()
		}
		out = append(out, actionsIn(at(o, "spec", "forProvider", "policy").GetStringValue())...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func actionsIn(document string) []string {
	d, err := iam.ParseDocument(document)
	if err != nil {
		return nil
	}
	var out []string
	for _, s := range d.Statement {
		out = append(out, s.Action...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(e string) bool { return !slices.Contains(b, e) })
}
