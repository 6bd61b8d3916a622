package function

import (
	"maps"
	"slices"
	"strings"
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
)

// TestRemoval removes a service from the spec, or changes its management, and acts as Crossplane until all deletions are complete. A
// Usage never blocks a deletion, resources are deleted in the order of a teardown, no resource is deleted while it is in use, and no
// other service changes.
func TestRemoval(t *testing.T) {
	const user = `{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfigUsage, metadata: {name: u}, resourceRef: {apiVersion: sqs.aws.upbound.io/v1beta1, kind: Queue, name: orders}}`
	cases := map[string]struct {
		reason string
		// edit changes a service of the spec, or returns nil to remove it.
		edit func(service map[string]any) map[string]any
		// gone lists the resources that must be deleted, in groups that are deleted one after the other.
		gone [][]string
	}{
		"Service": {
			reason: "All resources of a service are deleted once the spec no longer lists it.",
			edit:   func(map[string]any) map[string]any { return nil },
			gone:   [][]string{{"provider/sqs"}, {"association/sqs", "runtimeconfig/sqs"}, {"attachment/sqs", "role/sqs", "policy/sqs"}},
		},
		"Observe": {
			reason: "If another owner is to install the provider, the Provider and its DeploymentRuntimeConfig are deleted, and the identity remains.",
			edit:   func(s map[string]any) map[string]any { s["management"] = "Observe"; return s },
			gone:   [][]string{{"provider/sqs"}, {"runtimeconfig/sqs"}},
		},
	}
	for name, tc := range cases {
		for generation, meta := range generations {
			t.Run(name+"/"+generation, func(t *testing.T) {
				w := loadStep(t, "example/three-services/02-ready")
				w.Meta = meta
				w.Cluster = append(w.Cluster, crd("aws.upbound.io", "v1beta1", "ProviderConfigUsage", "providerconfigusages"), crd("aws.m.upbound.io", "v1beta1", "ProviderConfigUsage", "providerconfigusages"), fromYAML(t, user))
				at(w.XR, "metadata").GetStructValue().Fields["uid"] = structpb.NewStringValue("an-uid")
				before := w.reconcile(t, newTestFunction())

				spec := w.XR.AsMap()
				services := spec["spec"].(map[string]any)["services"].([]any) //nolint:forcetypeassert // A test may panic.
				var kept []any
				for _, s := range services {
					m := s.(map[string]any) //nolint:forcetypeassert // A test may panic.
					if m["name"] == "sqs" {
						m = tc.edit(m)
					}
					if m != nil {
						kept = append(kept, m)
					}
				}
				spec["spec"].(map[string]any)["services"] = kept //nolint:forcetypeassert // A test may panic.
				w.XR = mustStruct(t, spec)

				c := &collector{world: w}
				for range 3 {
					c.reconcile(t)
				}
				if len(c.gone) > 0 {
					t.Fatalf("%s\n%v were deleted, although a Queue exists", tc.reason, c.gone)
				}
				if got := conditionOf(c.reconcile(t), "ProvidersReady"); !strings.Contains(got, "Queue orders") {
					t.Errorf("ProvidersReady does not name the resource that blocks the removal: %s", got)
				}
				w.Cluster = slices.DeleteFunc(w.Cluster, func(o *structpb.Struct) bool { return at(o, "kind").GetStringValue() == "ProviderConfigUsage" })
				for range 20 {
					others(t, before, c.reconcile(t))
				}

				var all []string
				rank := map[string]int{}
				for i, group := range tc.gone {
					all = append(all, group...)
					for _, key := range group {
						rank[key] = i
					}
				}
				got := slices.DeleteFunc(slices.Clone(c.gone), func(k string) bool { return strings.HasPrefix(k, "usage/") })
				if diff := cmp.Diff(slices.Sorted(slices.Values(all)), slices.Sorted(slices.Values(got))); diff != "" {
					t.Errorf("%s\ndeleted: -want, +got:\n%s", tc.reason, diff)
				}
				if !slices.IsSortedFunc(got, func(a, b string) int { return rank[a] - rank[b] }) {
					t.Errorf("deleted in the wrong order: %v", got)
				}
			})
		}
	}
}

// A collector simulates Crossplane's garbage collection: it deletes observed resources that are not desired, which takes a while. A Usage
// blocks the deletion.
type collector struct {
	*world

	gone  []string
	going []*structpb.Struct
}

func (c *collector) reconcile(t *testing.T) *fnv1.RunFunctionResponse {
	t.Helper()
	rsp := c.world.reconcile(t, newTestFunction())
	if isFatal(rsp) {
		t.Fatalf("fatal: %v", rsp.GetResults())
	}
	// Resources that were deleted before this call no longer exist.
	c.Cluster = slices.DeleteFunc(c.Cluster, func(o *structpb.Struct) bool { return slices.Contains(c.going, o) })
	c.going = nil
	protected := map[string]string{}
	for key := range c.Observed {
		if of, _, ok := strings.Cut(strings.TrimPrefix(key, "usage/"), "/by/"); ok {
			protected[of] = key
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Observed)) {
		if rsp.GetDesired().GetResources()[key] != nil {
			continue
		}
		if by := protected[key]; by != "" {
			t.Fatalf("%s is deleted while %s exists: Crossplane would fail to reconcile", key, by)
		}
		o := c.Observed[key]
		at(o, "metadata").GetStructValue().Fields["ownerReferences"] = mustValue(t, []any{map[string]any{"kind": "PodIdentityProvider", "name": "x", "uid": "an-uid", "controller": true}})
		c.going = append(c.going, o)
		c.gone = append(c.gone, key)
		delete(c.Observed, key)
	}
	c.Cluster = append(c.Cluster, c.going...)
	for key, d := range rsp.GetDesired().GetResources() {
		if c.Observed[key] == nil {
			// A new Usage takes effect at once.
			o := mustStruct(t, d.GetResource().AsMap())
			o.Fields["status"] = mustValue(t, map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}})
			c.Observed[key] = o
		} else if diff := cmp.Diff(at(c.Observed[key], "spec", "package"), at(d.GetResource(), "spec", "package"), protocmp.Transform()); diff != "" {
			t.Errorf("%s changed: %s", key, diff)
		}
	}
	return rsp
}

func conditionOf(rsp *fnv1.RunFunctionResponse, typ string) string {
	for _, c := range rsp.GetConditions() {
		if c.GetType() == typ {
			return c.GetMessage()
		}
	}
	return ""
}
