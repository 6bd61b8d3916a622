package function

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/crossplane/function-sdk-go/resource"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/metrics"
)

const quickstart = `
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: storage, uid: an-uid}
spec:
  region: eu-west-1
  clusterName: prod
  provider: {version: v2.5.0}
  services: [{name: s3}]
`

func TestRunFunctionEdges(t *testing.T) {
	ready := func(t *testing.T) *world { t.Helper(); return loadStep(t, "example/quickstart/04-ready") }
	cases := map[string]struct {
		reason string
		world  func(*testing.T) *world
		req    func(*fnv1.RunFunctionRequest)
		check  func(*testing.T, *fnv1.RunFunctionRequest, *fnv1.RunFunctionResponse)
	}{
		"NoComposite": {
			reason: "A request without a composite resource gets a fatal result, not an error or a panic.",
			world:  ready,
			req:    func(req *fnv1.RunFunctionRequest) { req.Observed = nil },
			check: func(t *testing.T, _ *fnv1.RunFunctionRequest, rsp *fnv1.RunFunctionResponse) {
				t.Helper()
				if !isFatal(rsp) {
					t.Error("want a fatal result")
				}
			},
		},
		"EarlierDesiredPassesThrough": {
			reason: "The desired state of earlier functions in the pipeline is unchanged, including their status and the readiness of the composite resource.",
			world:  ready,
			req: func(req *fnv1.RunFunctionRequest) {
				req.Desired = &fnv1.State{
					Composite: &fnv1.Resource{Ready: fnv1.Ready_READY_TRUE, Resource: resource.MustStructJSON(`{"status":{"theirs":"kept","region":"overwritten"}}`)},
					Resources: map[string]*fnv1.Resource{"theirs": {Resource: resource.MustStructJSON(`{"kind":"Other"}`), Ready: fnv1.Ready_READY_TRUE}},
				}
			},
			check: func(t *testing.T, req *fnv1.RunFunctionRequest, rsp *fnv1.RunFunctionResponse) {
				t.Helper()
				if diff := cmp.Diff(req.GetDesired().GetResources()["theirs"], rsp.GetDesired().GetResources()["theirs"], protocmp.Transform()); diff != "" {
					t.Errorf("another function's resource changed: -want, +got:\n%s", diff)
				}
				status := at(rsp.GetDesired().GetComposite().GetResource(), "status").GetStructValue()
				if got := at(status, "theirs").GetStringValue(); got != "kept" {
					t.Errorf("status.theirs: want kept, got %q", got)
				}
				if got := at(status, "region").GetStringValue(); got != "eu-west-1" {
					t.Errorf("status.region: want eu-west-1, got %q", got)
				}
				if got := rsp.GetDesired().GetComposite().GetReady(); got != fnv1.Ready_READY_TRUE {
					t.Errorf("the readiness set by an earlier function was overwritten: %s", got)
				}
			},
		},
		"FatalKeepsDesired": {
			reason: "A fatal result passes on the earlier desired state, and none of this function's.",
			world:  ready,
			req: func(req *fnv1.RunFunctionRequest) {
				req.Desired = &fnv1.State{Resources: map[string]*fnv1.Resource{"theirs": {Resource: resource.MustStructJSON(`{"kind":"Other"}`)}}}
				at(req.GetObserved().GetComposite().GetResource(), "spec").GetStructValue().Fields["region"] = structpb.NewStringValue("mars")
			},
			check: func(t *testing.T, req *fnv1.RunFunctionRequest, rsp *fnv1.RunFunctionResponse) {
				t.Helper()
				if !isFatal(rsp) {
					t.Error("want a fatal result")
				}
				if diff := cmp.Diff(req.GetDesired(), rsp.GetDesired(), protocmp.Transform()); diff != "" {
					t.Errorf("-want, +got:\n%s", diff)
				}
			},
		},
		"ReadyIsLeftToCrossplane": {
			reason: "If all resources are ready, Crossplane decides the readiness of the composite resource, so that later functions count, too.",
			world:  ready,
			check: func(t *testing.T, _ *fnv1.RunFunctionRequest, rsp *fnv1.RunFunctionResponse) {
				t.Helper()
				if got := rsp.GetDesired().GetComposite().GetReady(); got != fnv1.Ready_READY_UNSPECIFIED {
					t.Errorf("want unspecified, got %s", got)
				}
				for key, r := range rsp.GetDesired().GetResources() {
					if r.GetReady() != fnv1.Ready_READY_TRUE {
						t.Errorf("%s is not ready", key)
					}
				}
			},
		},
		"PreviewOnACluster": {
			reason: "A preview on a live cluster is refused: it would create provider pods before their credentials.",
			world:  ready,
			req: func(req *fnv1.RunFunctionRequest) {
				req.Input.Fields["preview"] = structpb.NewBoolValue(true)
				at(req.GetObserved().GetComposite().GetResource(), "metadata").GetStructValue().Fields["finalizers"] = structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{structpb.NewStringValue("composite.apiextensions.crossplane.io")}})
			},
			check: func(t *testing.T, _ *fnv1.RunFunctionRequest, rsp *fnv1.RunFunctionResponse) {
				t.Helper()
				if !isFatal(rsp) || !strings.Contains(rsp.GetResults()[0].GetMessage(), "input.preview") {
					t.Errorf("want a fatal result about input.preview, got %v", rsp.GetResults())
				}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := tc.world(t).request()
			if tc.req != nil {
				tc.req(req)
			}
			before := proto.Clone(req).(*fnv1.RunFunctionRequest) //nolint:forcetypeassert // The clone has the same type.
			rsp, err := newTestFunction().RunFunction(context.Background(), req)
			if err != nil {
				t.Fatalf("%s\nRunFunction returned an error: %v", tc.reason, err)
			}
			tc.check(t, req, rsp)
			if diff := cmp.Diff(before, req, protocmp.Transform()); diff != "" {
				t.Errorf("%s\nthe request was changed: -before, +after:\n%s", tc.reason, diff)
			}
			if t.Failed() {
				t.Log(tc.reason)
			}
		})
	}
}

func TestTTL(t *testing.T) {
	cases := map[string]struct {
		reason string
		step   string
		input  string
		xr     string // conditions of the composite resource
		calls  int    // 0: until the requirements are stable
		want   time.Duration
	}{
		"Unanswered":    {"A response with unanswered requirements must not be cached.", "example/quickstart/01-first-reconcile", "", "", 1, 0},
		"Waiting":       {"Crossplane may not watch the resource that the function waits for.", "example/quickstart/01-first-reconcile", "", "", 0, 10 * time.Second},
		"WaitingPartly": {"One resource that is not ready is enough.", "example/quickstart/03-provider-healthy", "", "", 0, 10 * time.Second},
		"Steady":        {"A ready composite resource is rarely reconciled.", "example/quickstart/04-ready", "", "", 0, 5 * time.Minute},
		"SteadyByInput": {"The Input sets the interval.", "example/quickstart/04-ready", "{ttl: 30m, defaults: {provider: {version: v2.5.0}}}", "", 0, 30 * time.Minute},
		"JustReady":     {"Crossplane may have missed an event while the composite resource became ready.", "example/quickstart/04-ready", "", `[{type: Ready, status: "False"}]`, 0, 10 * time.Second},
		"Settled":       {"Once Crossplane reports the composite resource as ready, the interval is long.", "example/quickstart/04-ready", "", `[{type: Ready, status: "True"}, {type: Responsive, status: "True"}]`, 0, 5 * time.Minute},
		"Unresponsive":  {"While Crossplane's circuit breaker is open, changes of the spec wait for the next call.", "example/quickstart/04-ready", "", `[{type: Ready, status: "True"}, {type: Responsive, status: "False", lastTransitionTime: "2025-12-31T23:55:01Z"}]`, 0, 10 * time.Second},
		"ClosedAgain":   {"The circuit breaker closes after five minutes, but Crossplane reports that only with the next event.", "example/quickstart/04-ready", "", `[{type: Ready, status: "True"}, {type: Responsive, status: "False", lastTransitionTime: "2025-12-31T23:55:00Z"}]`, 0, 5 * time.Minute},
	}
	for name, tc := range cases {
		for generation, meta := range generations {
			t.Run(name+"/"+generation, func(t *testing.T) {
				w := loadStep(t, tc.step)
				w.Meta = meta
				if tc.input != "" {
					w.Input = fromYAML(t, tc.input)
				}
				if tc.xr != "" {
					w.XR.Fields["status"] = structpb.NewStructValue(fromYAML(t, "{conditions: "+tc.xr+"}"))
				}
				var rsp *fnv1.RunFunctionResponse
				if tc.calls == 1 {
					rsp, _ = newTestFunction().RunFunction(context.Background(), w.request())
				} else {
					rsp = w.reconcile(t, newTestFunction())
				}
				if got := rsp.GetMeta().GetTtl().AsDuration(); got != tc.want {
					t.Errorf("%s\nttl: want %s, got %s", tc.reason, tc.want, got)
				}
			})
		}
	}
}

// TestSteadyStateAsksForLittle checks the requirements in the steady state, because Crossplane reads required resources on every
// reconcile. Only the revision of each composed Provider is required, as nothing else shows which runtime configuration the provider uses
// and whether it is paused.
func TestSteadyStateAsksForLittle(t *testing.T) {
	for _, step := range []string{"example/quickstart/04-ready", "example/three-services/02-ready", "example/family-manage/03-ready", "example/claim/02-ready"} {
		for generation, meta := range generations {
			w := loadStep(t, step)
			w.Meta = meta
			r := w.reconcile(t, newTestFunction()).GetRequirements()
			if n := len(r.GetSchemas()); n > 0 {
				t.Errorf("%s, %s: every kind is known, but %d schemas are required", step, generation, n)
			}
			asked := r.GetResources()
			if meta == nil {
				asked = r.GetExtraResources() //nolint:staticcheck // Crossplane before 2.2 knows no other field.
			}
			for key, s := range asked {
				if s.GetKind() != "ProviderRevision" || s.GetMatchName() == "" {
					t.Errorf("%s, %s: everything is known, but %s is required", step, generation, key)
				}
			}
		}
	}
}

// TestFirstReconcileWithoutKinds checks that on a cluster without any provider only Crossplane's own kinds are composed, and no other
// kind is required.
func TestFirstReconcileWithoutKinds(t *testing.T) {
	for generation, meta := range generations {
		w := &world{Meta: meta, XR: fromYAML(t, quickstart)}
		rsp := w.reconcile(t, newTestFunction())
		if isFatal(rsp) {
			t.Fatalf("%s: %v", generation, rsp.GetResults())
		}
		for key, r := range rsp.GetDesired().GetResources() {
			if v := at(r.GetResource(), "apiVersion").GetStringValue(); !strings.HasPrefix(v, "pkg.crossplane.io/") {
				t.Errorf("%s: %s (%s) is composed before its kind exists", generation, key, v)
			}
		}
	}
}

// TestNoEventsWithoutProblems checks that there are no results without a problem, because results become events on every reconcile.
func TestNoEventsWithoutProblems(t *testing.T) {
	for _, step := range []string{"example/quickstart/01-first-reconcile", "example/quickstart/04-ready", "example/missing-kinds/01-nothing-installed"} {
		if rs := loadStep(t, step).reconcile(t, newTestFunction()).GetResults(); len(rs) > 0 {
			t.Errorf("%s: want no events, got %v", step, rs)
		}
	}
}

// TestEveryConditionAlwaysSet checks that every condition is always set, because Crossplane drops a condition that the function does not
// return.
func TestEveryConditionAlwaysSet(t *testing.T) {
	want := []string{
		string(v1alpha1.ConditionPrerequisitesReady), string(v1alpha1.ConditionIdentityReady), string(v1alpha1.ConditionProvidersReady),
		string(v1alpha1.ConditionProviderConfigReady), string(v1alpha1.ConditionTeardownProtected),
	}
	for _, step := range []string{"example/quickstart/01-first-reconcile", "example/quickstart/04-ready", "example/one-fails/01-role-refused", "example/missing-kinds/01-nothing-installed"} {
		var got []string
		for _, c := range loadStep(t, step).reconcile(t, newTestFunction()).GetConditions() {
			got = append(got, c.GetType())
			if c.GetReason() == "" || c.GetMessage() == "" {
				t.Errorf("%s: condition %s needs a reason and a message", step, c.GetType())
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: conditions: -want, +got:\n%s", step, diff)
		}
	}
	unordered := strings.Replace(quickstart, "spec:", "spec:\n  teardown: Unordered", 1)
	for _, c := range (&world{XR: fromYAML(t, unordered)}).reconcile(t, newTestFunction()).GetConditions() {
		if c.GetType() == string(v1alpha1.ConditionTeardownProtected) {
			t.Errorf("%s is for teardown: Ordered only", c.GetType())
		}
	}
}

// TestUnverified checks that a condition about pods becomes Unknown once the pods are no longer read.
func TestUnverified(t *testing.T) {
	w := loadStep(t, "example/quickstart/04-ready")
	w.XR.Fields["status"] = structpb.NewStructValue(fromYAML(t, `conditions: [{type: CredentialsInjected, status: "False", reason: Missing}]`))
	rsp := w.reconcile(t, newTestFunction())
	i := slices.IndexFunc(rsp.GetConditions(), func(c *fnv1.Condition) bool { return c.GetType() == string(v1alpha1.ConditionCredentialsInjected) })
	if i < 0 || rsp.GetConditions()[i].GetStatus() != fnv1.Status_STATUS_CONDITION_UNKNOWN || rsp.GetConditions()[i].GetReason() != string(v1alpha1.ReasonUnverified) {
		t.Errorf("want %s Unknown, got %v", v1alpha1.ConditionCredentialsInjected, rsp.GetConditions())
	}
	if rsp.GetDesired().GetComposite().GetReady() == fnv1.Ready_READY_FALSE {
		t.Error("want the composite resource to be ready")
	}
}

// TestEveryConditionOfAFatal checks that a fatal response sets all conditions. For a missing one, Crossplane would report that the
// function did not get that far.
func TestEveryConditionOfAFatal(t *testing.T) {
	all := []string{"PrerequisitesReady", "IdentityReady", "ProvidersReady", "ProviderConfigReady", "TeardownProtected", "CredentialsInjected"}
	base, ordered := all[:4], all[:5]
	const mars, unordered = "{region: mars}", "{region: mars, teardown: Unordered}"
	cases := map[string]struct {
		reason, spec  string
		input, status string
		want          []string
	}{
		"Invalid":   {reason: "An invalid spec is reported with the conditions that every composite resource has,", spec: mars, want: ordered},
		"Unordered": {reason: "without the one for an ordered teardown,", spec: unordered, want: base},
		"Default":   {reason: "also if a default disables it,", spec: mars, input: "defaults: {teardown: Unordered}", want: base},
		"Before": {
			reason: "unless the condition is already set,", spec: unordered, want: all,
			status: "conditions: [{type: TeardownProtected, status: 'True'}, {type: CredentialsInjected, status: 'True'}]",
		},
		"Verified": {reason: "and with the condition of the pods, if they are verified,", spec: "{region: mars, runtime: {verifyCredentials: true}}", want: all},
		"OfOne":    {reason: "even for a single service.", spec: "{region: mars, services: [{name: s3, runtime: {verifyCredentials: true}}]}", want: all},
		"NotRead":  {reason: "If the types are wrong, nothing more is known.", spec: "{region: 1, teardown: Unordered}", want: base},
		"NoPlan":   {reason: "The same holds if there is no plan.", spec: "{clusterName: null, clusterNameRef: {name: gone}}", want: ordered},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := &world{XR: fromYAML(t, quickstart), Input: fromYAML(t, tc.input), Observed: map[string]*structpb.Struct{
				"role/s3": fromYAML(t, "{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: a}}"),
			}}
			spec := at(w.XR, "spec").GetStructValue()
			maps.Copy(spec.Fields, fromYAML(t, tc.spec).GetFields())
			if tc.status != "" {
				w.XR.Fields["status"] = structpb.NewStructValue(fromYAML(t, tc.status))
			}
			rsp := w.reconcile(t, newTestFunction())
			if !isFatal(rsp) {
				t.Fatalf("%s\nwant a fatal result, got %v", tc.reason, rsp.GetResults())
			}
			var got []string
			for i, c := range rsp.GetConditions() {
				got = append(got, c.GetType())
				want := fnv1.Status_STATUS_CONDITION_UNKNOWN
				if i == 0 {
					want = fnv1.Status_STATUS_CONDITION_FALSE
				}
				if c.GetStatus() != want || c.GetReason() == "" || c.GetMessage() == "" || c.GetTarget() != fnv1.Target_TARGET_COMPOSITE_AND_CLAIM {
					t.Errorf("%s\n%s: want status %s, a reason and a message, for the claim too, got %v", tc.reason, c.GetType(), want, c)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nconditions: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPanicIsFatal checks that a panic becomes a fatal result, with which Crossplane keeps everything.
func TestPanicIsFatal(t *testing.T) {
	f := newTestFunction()
	f.now = func() time.Time { panic("clock") }
	rsp, err := f.RunFunction(context.Background(), loadStep(t, "example/quickstart/04-ready").request())
	if err != nil || !isFatal(rsp) {
		t.Errorf("want a fatal result, got %v, %v", rsp, err)
	}
}

func fromYAML(t testing.TB, s string) *structpb.Struct {
	t.Helper()
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(s), &m); err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	return mustStruct(t, m)
}

// TestDeletedByHand checks that a composed resource that a user deletes is composed again, even one that other resources are derived
// from.
func TestDeletedByHand(t *testing.T) {
	steps := []string{"example/quickstart/04-ready", "example/tenant/04-ready"}
	if !testing.Short() {
		steps = append(steps, "example/three-services/02-ready", "example/claim/02-ready", "example/tenant-host/03-ready", "example/tenant-namespaced/02-ready")
	}
	for _, step := range steps {
		for generation, meta := range generations {
			all := loadStep(t, step)
			for _, key := range sortedKeys(all.Observed) {
				w := loadStep(t, step)
				w.Meta = meta
				w.Cluster = append(w.Cluster, definitionOf(all.Observed[key]))
				delete(w.Observed, key)
				rsp := w.reconcile(t, newTestFunction())
				if isFatal(rsp) {
					t.Errorf("%s, %s, without %s: %v", step, generation, key, rsp.GetResults())
					continue
				}
				for other := range w.Observed {
					if rsp.GetDesired().GetResources()[other] == nil {
						t.Errorf("%s, %s: without %s, %s is not composed", step, generation, key, other)
					}
				}
				if rsp.GetDesired().GetResources()[key] == nil {
					t.Errorf("%s, %s: %s is not composed again: %v", step, generation, key, rsp.GetConditions())
				}
			}
		}
	}
}

// TestHostGone checks that no resource of a tenant is deleted or changed if its host is deleted, along with the tenant's role that
// records the host.
func TestHostGone(t *testing.T) {
	for _, step := range []string{"example/tenant/04-ready", "example/tenant-namespaced/02-ready"} {
		for generation, meta := range generations {
			all := loadStep(t, step)
			all.Meta = meta
			before := all.reconcile(t, newTestFunction()).GetDesired().GetResources()
			delete(all.Observed, "role/tenant")
			left := [][]string{sortedKeys(all.Observed)}
			for key := range all.Observed {
				left = append(left, []string{key}, slices.DeleteFunc(sortedKeys(all.Observed), func(k string) bool { return k == key }))
			}
			for _, keys := range left {
				w := loadStep(t, step)
				w.Meta = meta
				w.Cluster = slices.DeleteFunc(w.Cluster, func(o *structpb.Struct) bool { return at(o, "kind").GetStringValue() == v1alpha1.Kind })
				for key, o := range w.Observed {
					if !slices.Contains(keys, key) {
						w.Cluster = append(w.Cluster, definitionOf(o))
						delete(w.Observed, key)
					}
				}
				rsp := w.reconcile(t, newTestFunction())
				if isFatal(rsp) {
					continue
				}
				for _, key := range keys {
					if diff := cmp.Diff(before[key].GetResource(), rsp.GetDesired().GetResources()[key].GetResource(), protocmp.Transform()); diff != "" {
						t.Errorf("%s, %s: with %v, %s: -before, +now:\n%s", step, generation, keys, key, diff)
					}
				}
			}
		}
	}
}

// definitionOf returns the CustomResourceDefinition of an object's kind.
func definitionOf(o *structpb.Struct) *structpb.Struct {
	group, version, _ := strings.Cut(at(o, "apiVersion").GetStringValue(), "/")
	kind := at(o, "kind").GetStringValue()
	plural := strings.ToLower(kind) + "s"
	if kind == "Policy" {
		plural = "policies"
	}
	return crd(group, version, kind, plural)
}

// TestNotHeld checks that a guardrail that is added later does not apply to existing resources while the composite resource is refused,
// and that this is reported and counted.
func TestNotHeld(t *testing.T) {
	const consequence = "guardrails that came later do not apply to them"
	cases := map[string]struct {
		reason string
		spec   string
		input  string
		exists bool
		want   bool
	}{
		"Broken":       {"Existing resources violate a rule that was added later.", "{name: s3}", "{guardrails: {allowedServices: []}}", true, true},
		"Invalid":      {"An invalid spec is not checked against guardrails.", "{name: s3, roleName: 'a b'}", "{guardrails: {allowedServices: [s3]}}", true, true},
		"NotRead":      {"Neither is a spec that cannot be decoded.", "{name: s3, version: [1]}", "{guardrails: {allowedServices: [s3]}}", true, true},
		"New":          {"Without existing resources, there is nothing to violate a rule.", "{name: s3}", "{guardrails: {allowedServices: []}}", false, false},
		"NoGuardrails": {"Without guardrails, none is skipped.", "{name: s3, roleName: 'a b'}", "{}", true, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			fn := newTestFunction()
			fn.metrics = metrics.New(registry)
			w := &world{XR: fromYAML(t, strings.Replace(quickstart, "{name: s3}", tc.spec, 1)), Input: fromYAML(t, tc.input), Observed: map[string]*structpb.Struct{}}
			if tc.exists {
				w.Observed["role/s3"] = fromYAML(t, "{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: a}}")
			}
			rsp := w.reconcile(t, fn)
			if !isFatal(rsp) {
				t.Fatalf("%s\nwant a fatal result, got %v", tc.reason, rsp.GetResults())
			}
			if got := strings.Contains(rsp.GetConditions()[0].GetMessage(), consequence); got != tc.want {
				t.Errorf("%s\nwant it reported: %t, got %q", tc.reason, tc.want, rsp.GetConditions()[0].GetMessage())
			}
			counted := slices.Contains(series(t, registry), "podidentity_guardrails_not_held_total 1")
			if counted != tc.want {
				t.Errorf("%s\nwant it counted: %t, got %v", tc.reason, tc.want, counted)
			}
		})
	}
}

// TestConditionsDoNotFlap checks that repeated attempts that fail for the same reason have the same message. Every change of a condition
// causes a write, an event and another reconcile.
func TestConditionsDoNotFlap(t *testing.T) {
	w := loadStep(t, "example/one-fails/01-role-refused")
	first := w.reconcile(t, newTestFunction())
	ids := []string{"0a1b2c3d-1111-2222-3333-444455556666", "9f1bb5c7-0ad4-4f43-8a0f-3a4ff0c7d6a1"}
	n := 0
	for _, o := range w.Observed {
		for _, c := range at(o, "status", "conditions").GetListValue().GetValues() {
			m := c.GetStructValue().GetFields()["message"]
			if again := strings.ReplaceAll(m.GetStringValue(), ids[0], ids[1]); again != m.GetStringValue() {
				c.GetStructValue().Fields["message"] = structpb.NewStringValue(again)
				n++
			}
		}
	}
	if n == 0 {
		t.Fatal("no message with a request id")
	}
	if diff := cmp.Diff(first, w.reconcile(t, newTestFunction()), protocmp.Transform()); diff != "" {
		t.Errorf("another attempt with the same error changes the response: -first, +second:\n%s", diff)
	}
}
