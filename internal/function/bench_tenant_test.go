package function

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// TestTenantConvergence checks that a tenant needs as many reconciles as its chain of dependencies is deep, plus one, if all resources
// become ready at once. Neither the number of services nor that of tenants matters. After that, nothing is written.
func TestTenantConvergence(t *testing.T) {
	chain := [][]string{
		{"Policy", "Role", "RolePolicyAttachment"},
		// It leads to the role,
		{"ProviderConfig"},
		// and no resource of the team depends on the role before the ProviderConfig exists.
		{"Usage"},
	}
	for _, services := range []int{1, 3, 8} {
		t.Run(fmt.Sprintf("%d services", services), func(t *testing.T) {
			s := tenantOf(t, services)
			got := s.settle(t)
			if diff := cmp.Diff(chain, got); diff != "" {
				t.Errorf("kinds that each reconcile creates: -want, +got:\n%s", diff)
			}
			before := s.reconcile(t, newTestFunction())
			after := s.reconcile(t, newTestFunction())
			if !proto.Equal(before, after) || after.GetDesired().GetComposite().GetReady() == fnv1.Ready_READY_FALSE {
				t.Errorf("a quiet reconcile changes the response, or is not ready: %v", after.GetConditions())
			}
		})
	}
}

// BenchmarkTenant measures a call for a tenant with three services in its steady state, on hosts with three and with fifty services.
func BenchmarkTenant(b *testing.B) {
	for _, services := range []int{3, 50} {
		b.Run(fmt.Sprintf("host=%d", services), func(b *testing.B) {
			s, fn := tenantOf(b, services), newTestFunction()
			at(s.XR, "spec").GetStructValue().Fields["services"] = mustValue(b, at(s.XR, "spec", "services").GetListValue().AsSlice()[:3])
			s.settle(b)
			req := s.answered(b, fn)
			b.ReportAllocs()
			start := must(cpuTime())
			for b.Loop() {
				if _, err := fn.RunFunction(context.Background(), req); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(must(cpuTime())-start)/float64(b.N), "cpu-ns")
			b.ReportMetric(float64(proto.Size(req)), "request-bytes")
		})
	}
}

// tenantOf returns a tenant with all services of its host, in a cluster where every kind exists.
func tenantOf(tb testing.TB, services int) tenancy {
	tb.Helper()
	listed, shared := make([]string, 0, services), make([]string, 0, services)
	for i := range services {
		name := fmt.Sprintf("service-%d", i)
		listed = append(listed, "{name: "+name+`, permissions: {statements: [{actions: ["s3:*"], resources: ["*"]}]}}`)
		shared = append(shared, fmt.Sprintf(`{name: %s, phase: Ready, roleArn: "arn:aws:iam::111122223333:role/%s", serviceAccountName: provider-aws-%s, providerName: provider-aws-%s, providerRevision: provider-aws-%s-1}`, name, name, name, name, name))
	}
	s := randomTenant(tb, 0)
	s.XR = fromYAML(tb, `
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityTenant
metadata: {name: storage-x, uid: an-uid, labels: {crossplane.io/claim-name: storage, crossplane.io/claim-namespace: team-a}}
spec: {claimRef: {namespace: team-a, name: storage}, providerRef: {name: platform}, services: [`+strings.Join(listed, ", ")+`]}
`)
	s.Meta = generations["v2.2 and later"]
	s.calm(tb)
	before, _, _ := strings.Cut(hostStatus, "services:")
	s.setHost(tb, before+"services: ["+strings.Join(shared, ", ")+"]}")
	return s
}

// settle lets all composed resources exist and become ready at once, until no more are created. It returns the kinds that each reconcile
// created.
func (s tenancy) settle(tb testing.TB) [][]string {
	tb.Helper()
	fn := newTestFunction()
	s.now = fn.now().Add(-time.Hour)
	var out [][]string
	for {
		created := map[string]bool{}
		rsp := s.reconcile(tb, fn)
		for key, r := range rsp.GetDesired().GetResources() {
			if s.Observed[key] == nil {
				created[at(r.GetResource(), "kind").GetStringValue()] = true
				s.Observed[key] = proto.Clone(r.GetResource()).(*structpb.Struct) //nolint:forcetypeassert // The clone has the same type.
				s.become(key, "True", "True")
			}
		}
		s.XR.Fields["status"] = at(rsp.GetDesired().GetComposite().GetResource(), "status")
		if len(created) == 0 {
			return out
		}
		out = append(out, sortedKeys(created))
	}
}
