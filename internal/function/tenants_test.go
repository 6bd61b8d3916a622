package function

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
)

// hostStatus is the status of a host that shares S3 and SQS.
const hostStatus = `{region: eu-west-1, clusterName: prod,
  sharing: {rolePath: /crossplane/prod/, namePrefix: crossplane, crossplaneNamespace: crossplane-system, accounts: ["222233334444"]},
  services: [
    {name: s3, phase: Ready, roleArn: "arn:aws:iam::111122223333:role/host-s3", serviceAccountName: provider-aws-s3, providerName: provider-aws-s3, providerRevision: provider-aws-s3-1},
    {name: sqs, phase: Ready, roleArn: "arn:aws:iam::111122223333:role/host-sqs", serviceAccountName: provider-aws-sqs, providerName: provider-aws-sqs, providerRevision: provider-aws-sqs-1}]}`

// TestTenantProperties runs tenants through random worlds: the host disappears, or stops sharing or having roles, kinds appear and
// disappear, and resources become ready, unready and ready again, lose their status or are deleted. At all times:
//   - existing resources are composed on every call, with the same content, or nothing is composed if that content is no longer known,
//   - no kind is composed or required before it exists,
//   - a role is created only once each of its services has a role on the host, whose ARN it trusts,
//   - a ProviderConfig is created only once it leads to a role that is ready,
//   - the tenant is not ready while something is missing, or while the host's provider does not work,
//   - and once the world is quiet, it becomes ready.
func TestTenantProperties(t *testing.T) {
	for seed := range lives() {
		for generation, meta := range generations {
			t.Run(fmt.Sprintf("%d/%s", seed, generation), func(t *testing.T) {
				t.Parallel()
				s := randomTenant(t, seed)
				s.Meta = meta
				for range 25 {
					s.disturb(t)
					s.step(t)
				}
				for range 20 {
					s.calm(t)
					s.step(t)
				}
				rsp := s.step(t)
				if rsp.GetDesired().GetComposite().GetReady() == fnv1.Ready_READY_FALSE {
					t.Errorf("the world is quiet, but the tenant is not ready:\n%v", rsp.GetConditions())
				}
				for _, key := range []string{"providerconfig", "usage/host/by/providerconfig"} {
					if s.Observed[key] == nil {
						t.Errorf("the tenant is ready, but has no %s, only %v", key, sortedKeys(s.Observed))
					}
				}
			})
		}
	}
}

// A tenancy is a cluster with a tenant and its host in which events happen.
type tenancy struct{ *simulation }

func randomTenant(t testing.TB, seed uint64) tenancy {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	claim, meta := "claimRef: {namespace: team-a, name: storage}", "labels: {crossplane.io/claim-name: storage, crossplane.io/claim-namespace: team-a}"
	if r.IntN(4) == 0 {
		claim, meta = "teardown: Ordered", "annotations: {}"
	}
	own := []string{
		`services: [{name: s3}]`,
		`services: [{name: s3}, {name: sqs, permissions: {statements: [{actions: ["sqs:*"], resources: ["arn:aws:sqs:*:*:team-a-*"]}]}}]`,
		`role: {separateServices: false}, services: [{name: sqs, permissions: {accessLevel: ReadOnly, managedPolicyArns: ["arn:aws:iam::aws:policy/x"]}}]`,
		`roleArn: "arn:aws:iam::222233334444:role/crossplane/prod/team-a/theirs", externalId: agreed-upon, services: [{name: s3}, {name: sqs}]`,
		`services: [{name: s3, permissions: {kinds: Active}}, {name: sqs, permissions: {kinds: [Queue]}}]`,
	}[r.IntN(5)]
	w := &world{
		XR: fromYAML(t, fmt.Sprintf(`
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityTenant
metadata: {name: storage-x, uid: an-uid, %s}
spec: {%s, providerRef: {name: platform}, deletionPolicy: %s, %s}
`, meta, claim, []string{"Delete", "Orphan"}[r.IntN(2)], own)),
		Input:    fromYAML(t, `{apiVersion: podidentity.fn.crossplane.io/v1beta1, kind: Input, claims: {allowedFields: ["*"]}}`),
		Observed: map[string]*structpb.Struct{},
	}
	w.activate("bucketpolicies.s3.aws.m.upbound.io")
	if r.IntN(2) == 0 {
		// Crossplane v2 records the namespaces of composed resources.
		w.Cluster = append(w.Cluster, fromYAML(t, strings.NewReplacer("podidentityproviders", "podidentitytenants", "PodIdentityProvider", "PodIdentityTenant").Replace(xrDefinition)))
	}
	s := tenancy{&simulation{world: w, rand: r, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), last: map[string]*structpb.Struct{}}}
	s.setNamespace(true)
	s.install("aws.podidentity.dev", "v1alpha1", "PodIdentityProvider", "podidentityproviders")
	return s
}

// step reconciles once, checks the invariants and applies the response.
func (s tenancy) step(t *testing.T) *fnv1.RunFunctionResponse {
	t.Helper()
	if s.lost() {
		// The existing resources could only be composed in part.
		rsp := s.reconcile(t, newTestFunction())
		if !isFatal(rsp) || !strings.Contains(rsp.GetResults()[0].GetMessage(), "stays as it is") {
			t.Fatalf("%v exist, their desired content is unknown, but something is composed: %v", sortedKeys(s.Observed), rsp.GetResults())
		}
		return rsp
	}
	before := map[string]bool{}
	for key := range s.Observed {
		before[key] = true
	}
	rsp := s.simulation.step(t)
	for key, d := range rsp.GetDesired().GetResources() {
		if !before[key] {
			s.checkTenantCreation(t, key, d.GetResource())
		}
	}
	if rsp.GetDesired().GetComposite().GetReady() != fnv1.Ready_READY_FALSE {
		for _, name := range s.listed() {
			if got := at(s.onHost(name), "phase").GetStringValue(); got != "Ready" {
				t.Fatalf("the tenant is ready, but its host's provider for %s is in phase %q", name, got)
			}
		}
	}
	return rsp
}

// lost says whether resources of a tenant exist whose desired content is no longer known: the role that recorded the host is deleted, and
// the host's status does not say.
func (s tenancy) lost() bool {
	if at(s.XR, "spec", "roleArn") != nil || s.Observed["role/tenant"] != nil {
		return false
	}
	made := slices.ContainsFunc(sortedKeys(s.Observed), func(key string) bool { return !strings.HasPrefix(key, "usage/") })
	i := slices.IndexFunc(s.Cluster, isHost)
	says := i >= 0 && at(s.Cluster[i], "status", "sharing") != nil
	for _, name := range s.listed() {
		says = says && at(s.onHost(name), "roleArn") != nil
	}
	return made && !says
}

func (s tenancy) checkTenantCreation(t *testing.T, key string, o *structpb.Struct) {
	t.Helper()
	switch {
	case key == "role/tenant":
		for _, name := range s.listed() {
			arn := at(s.onHost(name), "roleArn").GetStringValue()
			if trust := at(o, "spec", "forProvider", "assumeRolePolicy").GetStringValue(); arn == "" || !strings.Contains(trust, arn) {
				t.Fatalf("the role is created, but does not trust the host's role for %s, which is %q: %s", name, arn, trust)
			}
		}
	case strings.HasPrefix(key, "providerconfig"):
		hop := at(o, "spec", "assumeRoleChain").GetListValue().GetValues()[0].GetStructValue()
		if theirs := at(s.XR, "spec", "roleArn").GetStringValue(); theirs != "" {
			if got := at(hop, "roleARN").GetStringValue(); got != theirs {
				t.Fatalf("%s leads to %q, want %q", key, got, theirs)
			}
			return
		}
		role := s.Observed["role/tenant"]
		if got := at(hop, "roleARN").GetStringValue(); got == "" || got != at(role, "status", "atProvider", "arn").GetStringValue() || condition(role, "Ready") != "True" {
			t.Fatalf("%s is created, but leads to %q while the role is %v", key, got, role)
		}
		if got := at(hop, "externalID").GetStringValue(); got != "podidentity/an-uid" {
			t.Fatalf("%s is created with external ID %q", key, got)
		}
	}
}

// listed returns the services of the tenant.
func (s tenancy) listed() []string {
	var out []string
	for _, v := range at(s.XR, "spec", "services").GetListValue().GetValues() {
		out = append(out, at(v.GetStructValue(), "name").GetStringValue())
	}
	return out
}

// onHost returns the host's status of a service; nil if it has none.
func (s tenancy) onHost(name string) *structpb.Struct {
	for _, o := range s.Cluster {
		for _, v := range at(o, "status", "services").GetListValue().GetValues() {
			if isHost(o) && at(v.GetStructValue(), "name").GetStringValue() == name {
				return v.GetStructValue()
			}
		}
	}
	return nil
}

func isHost(o *structpb.Struct) bool { return at(o, "kind").GetStringValue() == "PodIdentityProvider" }

// setHost replaces the host by one with the given status, or removes it if the status is empty.
func (s tenancy) setHost(t testing.TB, status string) {
	t.Helper()
	s.Cluster = slices.DeleteFunc(s.Cluster, isHost)
	if status != "" {
		s.Cluster = append(s.Cluster, fromYAML(t, "{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: platform}, spec: {sharing: {}}, status: "+status+"}"))
	}
}

var tenantKinds = []struct{ group, version, kind, plural string }{
	{"iam.aws.upbound.io", "v1beta1", "Role", "roles"},
	{"iam.aws.upbound.io", "v1beta1", "Policy", "policies"},
	{"iam.aws.upbound.io", "v1beta1", "RolePolicyAttachment", "rolepolicyattachments"},
	{"aws.upbound.io", "v1beta1", "ProviderConfig", "providerconfigs"},
	{"aws.m.upbound.io", "v1beta1", "ProviderConfig", "providerconfigs"},
	{"apiextensions.crossplane.io", "v1beta1", "Usage", "usages"},
	{"protection.crossplane.io", "v1beta1", "Usage", "usages"},
}

// disturb changes the world at random.
func (s tenancy) disturb(t testing.TB) {
	t.Helper()
	s.now = s.now.Add(time.Duration(s.rand.IntN(20)) * time.Second)
	s.hideActivation(s.rand.IntN(3) == 0)
	for _, k := range tenantKinds {
		switch s.rand.IntN(8) {
		case 0, 1:
			s.install(k.group, k.version, k.kind, k.plural)
		case 2:
			s.uninstall(k.plural + "." + k.group)
		}
	}
	switch s.rand.IntN(9) {
	case 0, 1:
		s.setHost(t, hostStatus)
	case 2:
		s.setHost(t, "")
	case 3:
		s.setHost(t, "{}")
	case 4:
		s.setHost(t, strings.Replace(hostStatus, "sharing:", "formerly:", 1))
	case 5:
		s.setHost(t, strings.Replace(hostStatus, "roleArn:", "formerly:", 1))
	case 6:
		s.setHost(t, strings.Replace(hostStatus, "name: sqs", "name: sns", 1))
	case 7:
		s.setHost(t, strings.Replace(hostStatus, "phase: Ready", "phase: Failed, message: something", 1))
	}
	if s.rand.IntN(10) == 0 {
		delete(s.XR.Fields, "status")
	}
	for _, key := range sortedKeys(s.Observed) {
		switch o := s.Observed[key]; s.rand.IntN(8) {
		case 0:
			delete(o.Fields, "status")
		case 1:
			s.become(key, "False", "False")
		case 2:
			s.become(key, "True", "False")
		case 3, 4, 5:
			s.become(key, "True", "True")
		case 6:
			// A user deletes it, not Crossplane.
			if s.rand.IntN(10) == 0 {
				delete(s.Observed, key)
				delete(s.last, key)
			}
		}
	}
}

// calm adds everything that is missing and makes everything ready.
func (s tenancy) calm(t testing.TB) {
	t.Helper()
	s.now = s.now.Add(time.Minute)
	s.hideActivation(false)
	for _, k := range tenantKinds {
		s.install(k.group, k.version, k.kind, k.plural)
	}
	s.uninstall("default")
	s.Cluster = append(s.Cluster, must(structpb.NewStruct(map[string]any{"apiVersion": "aws.upbound.io/v1beta1", "kind": "ProviderConfig", "metadata": map[string]any{"name": "default"}})))
	s.setNamespace(true)
	s.setHost(t, hostStatus)
	for _, key := range sortedKeys(s.Observed) {
		s.become(key, "True", "True")
	}
}

// become sets the status of a resource as its controller would.
func (s tenancy) become(key, synced, ready string) {
	s.setStatus(key, synced, ready)
	if o := s.Observed[key]; key == "role/tenant" && ready == "True" {
		at(o, "status").GetStructValue().Fields["atProvider"] = must(structpb.NewValue(map[string]any{
			"arn": "arn:aws:iam::111122223333:role" + at(o, "spec", "forProvider", "path").GetStringValue() + at(o, "metadata", "annotations", "crossplane.io/external-name").GetStringValue(),
		}))
	}
}

// TestTenantDeterministic checks that the same request gives the same bytes in any order of map iteration.
func TestTenantDeterministic(t *testing.T) {
	for seed := range lives() {
		s := randomTenant(t, seed)
		for range 8 {
			s.disturb(t)
			s.step(t)
		}
		s.deterministic(t, seed)
	}
}

// TestHostPolicy checks that the owner of a role that a host uses finds the policy for it in the status.
func TestHostPolicy(t *testing.T) {
	cases := map[string]struct {
		reason, step string
		sharing      bool
		want         string
	}{
		"Shared": {
			"The function does not write another owner's role.", "example/byo-role/02-ready", true,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::123456789012:role/crossplane/prod/*"}]}`,
		},
		"NotShared": {"Without tenants the role needs nothing.", "example/byo-role/02-ready", false, ""},
		"OwnRole":   {"A composed role has the policy.", "example/quickstart/04-ready", true, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := loadStep(t, tc.step)
			if tc.sharing {
				at(w.XR, "spec").GetStructValue().Fields["sharing"] = structpb.NewStructValue(&structpb.Struct{})
			}
			services := at(w.reconcile(t, newTestFunction()).GetDesired().GetComposite().GetResource(), "status", "services").GetListValue().GetValues()
			if len(services) != 1 {
				t.Fatalf("%s\nthe status has %d services, want 1", tc.reason, len(services))
			}
			if diff := cmp.Diff(tc.want, at(services[0].GetStructValue(), "hostPolicy").GetStringValue()); diff != "" {
				t.Errorf("%s\nhostPolicy: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTenantIndependent checks that neither other tenants nor host services that a tenant does not use change the tenant's composed
// resources, requirements or status.
func TestTenantIndependent(t *testing.T) {
	const step = "example/tenant/04-ready"
	cases := map[string]struct {
		reason string
		change func(t *testing.T, w *world)
	}{
		"Others": {"The host has a hundred other tenants with their own objects.", func(t *testing.T, w *world) {
			t.Helper()
			for i := range 100 {
				name := fmt.Sprintf("team-%d-storage", i)
				for _, o := range []string{
					"{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityTenant, metadata: {name: " + name + "}, spec: {providerRef: {name: platform}}}",
					"{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: crossplane-prod-eu-west-1-" + name + "}}",
					"{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: " + name + "}}",
				} {
					w.Cluster = append(w.Cluster, fromYAML(t, o))
				}
			}
		}},
		"SameName": {"A claim of the same name in another namespace has created an object there.", func(t *testing.T, w *world) {
			t.Helper()
			w.Cluster = append(w.Cluster, fromYAML(t, "{apiVersion: aws.m.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: storage, namespace: team-b}}"))
		}},
		"OtherServices": {"The host has more services, which fail.", func(t *testing.T, w *world) {
			t.Helper()
			for _, o := range w.Cluster {
				if isHost(o) {
					list := at(o, "status", "services").GetListValue()
					list.Values = append([]*structpb.Value{structpb.NewStructValue(fromYAML(t, "{name: rds, phase: Failed, message: AccessDenied}")), structpb.NewStructValue(fromYAML(t, `{name: ec2, phase: Ready, roleArn: "arn:aws:iam::111122223333:role/ec2", serviceAccountName: provider-aws-ec2}`))}, list.Values...)
				}
			}
		}},
		"HostMessages": {"The host has conditions that do not concern its services.", func(t *testing.T, w *world) {
			t.Helper()
			for _, o := range w.Cluster {
				if isHost(o) {
					at(o, "status").GetStructValue().Fields["conditions"] = mustValue(t, []any{map[string]any{"type": "Ready", "status": "False", "reason": "Creating"}})
				}
			}
		}},
	}
	for name, tc := range cases {
		for generation, meta := range generations {
			t.Run(name+"/"+generation, func(t *testing.T) {
				w := loadStep(t, step)
				w.Meta = meta
				want := w.reconcile(t, newTestFunction())
				w = loadStep(t, step)
				w.Meta = meta
				tc.change(t, w)
				if diff := cmp.Diff(want, w.reconcile(t, newTestFunction()), protocmp.Transform()); diff != "" {
					t.Errorf("%s\nthe response changed: -want, +got:\n%s", tc.reason, diff)
				}
			})
		}
	}
}

// TestTenantAsksForLittle checks that a tenant only requires one host in each reconcile, regardless of the number of tenants, and that
// even a host with fifty services is small.
func TestTenantAsksForLittle(t *testing.T) {
	const limit = 64 << 10
	for generation, meta := range generations {
		w := loadStep(t, "example/tenant/04-ready")
		w.Meta = meta
		for _, o := range w.Cluster {
			if !isHost(o) {
				continue
			}
			list := at(o, "status", "services").GetListValue()
			for i := range 48 {
				list.Values = append(list.Values, structpb.NewStructValue(fromYAML(t, fmt.Sprintf(`{name: a-service-%d, phase: Ready, roleName: crossplane-prod-eu-west-1-a-service-%[1]d, roleArn: "arn:aws:iam::111122223333:role/crossplane-prod-eu-west-1-a-service-%[1]d",
  serviceAccountName: provider-aws-a-service-%[1]d, providerName: provider-aws-a-service-%[1]d, providerRevision: provider-aws-a-service-%[1]d-8a1c52cb60ad, package: "xpkg.upbound.io/upbound/provider-aws-a-service-%[1]d:v2.5.0",
  associationId: a-0123456789abcdef0, associationArn: "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/prod/a-0123456789abcdef0", policyArns: ["arn:aws:iam::111122223333:policy/crossplane-prod-eu-west-1-a-service-%[1]d"]}`, i))))
			}
		}
		rsp := w.reconcile(t, newTestFunction())
		// The tenant was ready before, and Crossplane keeps its status.
		w.XR.Fields["status"] = at(rsp.GetDesired().GetComposite().GetResource(), "status")
		at(w.XR, "status").GetStructValue().Fields["conditions"] = mustValue(t, []any{map[string]any{"type": "ProviderConfigReady", "status": "True"}})
		rsp = w.reconcile(t, newTestFunction())
		req := w.request()
		w.answer(t, req, rsp.GetRequirements())
		beside := proto.Clone(req).(*fnv1.RunFunctionRequest)
		beside.Observed.Resources = nil
		if n := proto.Size(beside); n > limit {
			t.Errorf("%s: a request has %d bytes besides the observed resources, want %d at most", generation, n, limit)
		}
		asked := rsp.GetRequirements().GetResources()
		if meta == nil {
			asked = rsp.GetRequirements().GetExtraResources() //nolint:staticcheck // Crossplane before 2.2 knows no other field.
		}
		for key, s := range asked {
			if s.GetKind() != "PodIdentityProvider" || s.GetMatchName() != "platform" {
				t.Errorf("%s: everything is known, but %s is required", generation, key)
			}
		}
	}
}

// FuzzTenant checks that no tenant, host or role of a tenant makes the function panic or fail, and that no change to a host's status or
// to the host recorded on a role makes a role trust a whole account.
func FuzzTenant(f *testing.F) {
	for _, step := range []string{"tenant/02-role", "tenant/04-ready", "tenant/06-host-elsewhere", "tenant-other-account/02-role-arn", "tenant-namespaced/02-ready"} {
		w := loadStep(f, "example/"+step)
		role := w.Observed["role/tenant"]
		if role == nil {
			role = &structpb.Struct{}
		}
		i := slices.IndexFunc(w.Cluster, isHost)
		f.Add(must(at(w.XR, "spec").MarshalJSON()), must(w.Cluster[i].MarshalJSON()), must(role.MarshalJSON()))
	}
	f.Add([]byte(`{"providerRef":{"name":"platform"},"services":[{"name":"s3","permissions":{"policyDocument":"{}"}}]}`), []byte(`{"status":{"sharing":[],"services":{"name":"s3"}}}`), []byte(`{"metadata":{"annotations":{"aws.podidentity.dev/host":"{\"region\":\"eu-west-1\",\"services\":[{}]}"}}}`))
	f.Add([]byte(`{"claimRef":7,"providerRef":[],"services":[null,{"name":"s3"},7],"role":{"separateServices":"no"}}`), []byte(`{}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, spec, host, role []byte) {
		for _, meta := range generations {
			w := loadStep(t, "example/tenant/04-ready")
			i := slices.IndexFunc(w.Cluster, isHost)
			h := &structpb.Struct{}
			if w.XR.Fields["spec"].UnmarshalJSON(spec) != nil || h.UnmarshalJSON(host) != nil || w.Observed["role/tenant"].UnmarshalJSON(role) != nil {
				t.Skip("not JSON")
			}
			if h.Fields == nil {
				h.Fields = map[string]*structpb.Value{}
			}
			// The function finds the host by these fields.
			for _, key := range []string{"apiVersion", "kind", "metadata"} {
				h.Fields[key] = w.Cluster[i].GetFields()[key]
			}
			w.Cluster[i], w.Meta = h, meta
			rsp := w.reconcile(t, newTestFunction())
			for _, r := range rsp.GetResults() {
				if strings.Contains(r.GetMessage(), "internal error") {
					t.Fatalf("it panicked: %s", r.GetMessage())
				}
			}
			o := rsp.GetDesired().GetResources()["role/tenant"].GetResource()
			if trust := at(o, "spec", "forProvider", "assumeRolePolicy").GetStringValue(); trust != "" && (!strings.Contains(trust, `"aws:PrincipalArn"`) || !strings.Contains(trust, `"sts:ExternalId"`)) {
				t.Fatalf("the role trusts a whole account: %s", trust)
			}
		}
	})
}
