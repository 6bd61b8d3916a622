package function

import (
	"fmt"
	"slices"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// TestConvergence checks that each reconcile composes the resources that the previous one made possible, if all resources become ready at
// once, and that the last reconcile finds all of them ready. Regardless of the number of services, there are as many reconciles as the
// chain of dependencies is deep, plus one. After that, nothing is written.
func TestConvergence(t *testing.T) {
	chain := [][]string{
		// The providers for IAM and EKS resolve the references between these.
		{"DeploymentRuntimeConfig", "PodIdentityAssociation", "Policy", "ProviderConfig", "Role", "RolePolicyAttachment"},
		// A provider's first pod needs its credentials,
		{"Provider"},
		// and no resource of a user depends on the provider before it works.
		{"Usage"},
	}
	for _, services := range []int{1, 3, 20} {
		t.Run(fmt.Sprintf("%d services", services), func(t *testing.T) {
			w, fn := worldOf(t, services), newTestFunction()
			s := &simulation{world: w, now: fn.now().Add(-time.Hour)}

			var got [][]string
			var rsp *fnv1.RunFunctionResponse
			for reconcile := 1; reconcile <= len(chain)+5; reconcile++ {
				rsp = w.reconcile(t, fn)
				created := map[string]bool{}
				for key, r := range rsp.GetDesired().GetResources() {
					if w.Observed[key] == nil {
						created[at(r.GetResource(), "kind").GetStringValue()] = true
						w.Observed[key] = r.GetResource()
						s.becomeReady(key)
					}
				}
				w.XR.Fields["status"] = at(rsp.GetDesired().GetComposite().GetResource(), "status")
				if len(created) == 0 {
					break
				}
				got = append(got, sortedKeys(created))
			}
			if diff := cmp.Diff(chain, got); diff != "" {
				t.Errorf("kinds that each reconcile creates: -want, +got:\n%s", diff)
			}
			if rsp.GetDesired().GetComposite().GetReady() == fnv1.Ready_READY_FALSE {
				t.Errorf("the reconcile after the last creation does not report everything as ready: %v", rsp.GetConditions())
			}

			again := w.reconcile(t, fn)
			if diff := cmp.Diff(rsp.GetDesired(), again.GetDesired(), protocmp.Transform()); diff != "" {
				t.Errorf("desired state of a quiet reconcile: -before, +now:\n%s", diff)
			}
			if !slices.EqualFunc(rsp.GetConditions(), again.GetConditions(), func(a, b *fnv1.Condition) bool { return proto.Equal(a, b) }) {
				t.Errorf("conditions of a quiet reconcile: got %v, want %v", again.GetConditions(), rsp.GetConditions())
			}
		})
	}
}
