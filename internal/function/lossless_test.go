package function

import (
	"context"
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

// TestNothingIsLost edits a composite resource with users at random, in a world where answers come and go: services are removed,
// restored, renamed, or get another package, a role of their own, or a provider that another owner installs. At all times:
//   - no Provider is deleted, or changes its package, while managed resources of the package's kinds exist,
//   - no two Providers with the same package exist, not even while one of them is being deleted,
//   - no association is deleted while the Provider whose pods use it exists, and no role that an association may provide,
//   - resources that earlier functions in the pipeline compose are unchanged,
//   - a Usage never blocks a deletion (the collector checks that).
func TestNothingIsLost(t *testing.T) {
	for seed := range lives() {
		for generation, meta := range generations {
			t.Run(fmt.Sprintf("%d/%s", seed, generation), func(t *testing.T) {
				t.Parallel()
				k := newKeeper(t, rand.New(rand.NewPCG(seed, 3)))
				k.Meta = meta
				for range 40 {
					k.edit(t)
					k.disturb()
					k.step(t)
				}
				if len(k.gone) == 0 && seed == 0 {
					t.Error("nothing was ever deleted: the test is meaningless")
				}
			})
		}
	}
}

// A keeper simulates a cluster with users.
type keeper struct {
	collector

	rand  *rand.Rand
	clock time.Time
}

const earlierKey = "role/other"

func newKeeper(t *testing.T, r *rand.Rand) *keeper {
	t.Helper()
	w := loadStep(t, "example/three-services/02-ready")
	at(w.XR, "metadata").GetStructValue().Fields["uid"] = structpb.NewStringValue("an-uid")
	k := &keeper{collector: collector{world: w}, rand: r, clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, o := range w.Observed {
		k.own(t, o)
	}
	for _, kind := range lostKinds {
		k.Cluster = append(k.Cluster, crd(kind.group, "v1beta1", kind.kind, kind.plural))
	}
	return k
}

// lostKinds are the kinds that may be unreadable for a moment.
var lostKinds = []struct{ group, kind, plural string }{
	{"aws.upbound.io", "ProviderConfigUsage", "providerconfigusages"},
	{"aws.m.upbound.io", "ProviderConfigUsage", "providerconfigusages"},
	{"eks.aws.upbound.io", "PodIdentityAssociation", "podidentityassociations"},
}

func (k *keeper) own(t *testing.T, o *structpb.Struct) {
	t.Helper()
	at(o, "metadata").GetStructValue().Fields["ownerReferences"] = mustValue(t, []any{map[string]any{"kind": "PodIdentityProvider", "name": "x", "uid": "an-uid", "controller": true}})
}

// edit changes the spec.
func (k *keeper) edit(t *testing.T) {
	t.Helper()
	if k.rand.IntN(3) > 0 {
		return
	}
	spec := k.XR.AsMap()
	inner := spec["spec"].(map[string]any) //nolint:forcetypeassert // A test may panic.
	pkg := "xpkg.upbound.io/upbound/provider-aws-"
	statements := map[string]any{"accessLevel": "None", "statements": []any{map[string]any{"actions": []any{"sqs:*"}, "resources": []any{"*"}}}}
	forms := []map[string]any{
		nil,
		{"name": "sqs"},
		{"name": "sqs", "management": "Observe"},
		{"name": "sqs", "roleArn": "arn:aws:iam::123456789012:role/mine"},
		{"name": "sqs", "package": pkg + "sns"},
		{"name": "mysqs", "package": pkg + "sqs", "permissions": statements},
		{"name": "mysqs", "package": pkg + "sns", "permissions": statements},
		{"name": "mysqs", "package": pkg + "sqs", "roleName": "shared", "permissions": statements},
	}
	services := []any{map[string]any{"name": "s3"}}
	if form := forms[k.rand.IntN(len(forms))]; form != nil {
		services = append(services, form)
	}
	inner["services"] = services
	k.XR = mustStruct(t, spec)
}

// disturb changes which kinds can be read, and which packages are in use.
func (k *keeper) disturb() {
	k.clock = k.clock.Add(time.Minute)
	k.Hidden = map[string]bool{}
	for _, kind := range lostKinds {
		// An observed kind is always found, because Crossplane reads it before the call.
		observed := slices.ContainsFunc(sortedKeys(k.Observed), func(key string) bool { return at(k.Observed[key], "kind").GetStringValue() == kind.kind })
		k.Hidden[kind.kind+"."+kind.group] = !observed && k.rand.IntN(3) == 0
	}
	for key, o := range k.Observed {
		if strings.HasPrefix(key, "association/") && k.rand.IntN(4) == 0 {
			delete(o.Fields, "status")
		}
	}
	// Users create managed resources of the installed kinds, and delete them.
	for _, service := range []string{"s3", "sqs", "sns", "rds"} {
		group := service + []string{".aws.upbound.io", ".aws.m.upbound.io"}[k.rand.IntN(2)]
		switch k.rand.IntN(4) {
		case 0:
			if k.installed("provider-aws-" + service) {
				k.use(group)
			}
		case 1, 2:
			k.Cluster = slices.DeleteFunc(k.Cluster, func(o *structpb.Struct) bool { return isUsage(o) && strings.HasPrefix(usedGroup(o), service+".") })
		}
	}
}

func isUsage(o *structpb.Struct) bool { return at(o, "kind").GetStringValue() == "ProviderConfigUsage" }

func usedGroup(o *structpb.Struct) string {
	group, _, _ := strings.Cut(at(o, "resourceRef", "apiVersion").GetStringValue(), "/")
	return group
}

func (k *keeper) use(group string) {
	_, family, _ := strings.Cut(group, ".")
	k.Cluster = append(k.Cluster, must(structpb.NewStruct(map[string]any{
		"apiVersion": family + "/v1beta1", "kind": "ProviderConfigUsage", "metadata": map[string]any{"name": fmt.Sprint("u", len(k.Cluster))},
		"resourceRef": map[string]any{"apiVersion": group + "/v1beta1", "kind": "Thing", "name": "mine"}, "providerConfigRef": map[string]any{"name": "aws"},
	})))
}

// installed says whether a Provider with the package exists and is not being deleted.
func (k *keeper) installed(pkg string) bool {
	for _, o := range k.Observed {
		if packageOf(o) == pkg {
			return true
		}
	}
	return false
}

// packageOf returns a Provider's package without registry and version, or an empty string for other kinds.
func packageOf(o *structpb.Struct) string {
	if at(o, "kind").GetStringValue() != "Provider" {
		return ""
	}
	repository, _, _ := strings.Cut(at(o, "spec", "package").GetStringValue(), ":")
	return repository[strings.LastIndex(repository, "/")+1:]
}

// used says whether managed resources of a package's kinds exist.
func (k *keeper) used(pkg string) bool {
	return slices.ContainsFunc(k.Cluster, func(o *structpb.Struct) bool {
		return isUsage(o) && strings.HasPrefix(usedGroup(o), strings.TrimPrefix(pkg, "provider-aws-")+".")
	})
}

// step checks the desired state with all answers and without any, and then acts as Crossplane would.
func (k *keeper) step(t *testing.T) {
	t.Helper()
	earlier := mustStruct(t, map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "theirs"}})
	req := k.request()
	req.Desired = &fnv1.State{Resources: map[string]*fnv1.Resource{earlierKey: {Resource: earlier}}}
	req.Observed.Resources[earlierKey] = &fnv1.Resource{Resource: mustStruct(t, map[string]any{"apiVersion": "iam.aws.upbound.io/v1beta1", "kind": "Role", "metadata": map[string]any{"name": "theirs"}})}
	fn := newTestFunction()
	fn.now = func() time.Time { return k.clock }
	rsp, err := fn.RunFunction(context.Background(), proto.Clone(req).(*fnv1.RunFunctionRequest)) //nolint:forcetypeassert // The clone has the same type.
	if err != nil {
		t.Fatal(err)
	}
	if !isFatal(rsp) {
		k.check(t, rsp)
		if diff := cmp.Diff(earlier, rsp.GetDesired().GetResources()[earlierKey].GetResource(), protocmp.Transform()); diff != "" {
			t.Fatalf("the resource of an earlier function changed: -want, +got:\n%s", diff)
		}
	}
	going := slices.Clone(k.going)
	rsp = k.world.reconcile(t, fn)
	if isFatal(rsp) {
		return
	}
	k.check(t, rsp)
	k.collect(t, rsp, going)
}

// check checks that nothing is lost.
func (k *keeper) check(t *testing.T, rsp *fnv1.RunFunctionResponse) {
	t.Helper()
	desired := rsp.GetDesired().GetResources()
	packages := map[string]string{}
	for _, o := range k.going {
		if pkg := packageOf(o); pkg != "" {
			packages[pkg] = "a Provider that is being deleted"
		}
	}
	for key, o := range k.Observed {
		pkg := packageOf(o)
		switch {
		case pkg == "":
		case desired[key] == nil && k.used(pkg):
			t.Fatalf("%s is removed, but managed resources of %s exist", key, pkg)
		case desired[key] != nil && packageOf(desired[key].GetResource()) != pkg && k.used(pkg):
			t.Fatalf("%s changes to %s, but managed resources of %s exist", key, packageOf(desired[key].GetResource()), pkg)
		}
	}
	for key, d := range desired {
		if pkg := packageOf(d.GetResource()); pkg != "" {
			if other := packages[pkg]; other != "" {
				t.Fatalf("%s installs %s, but so does %s", key, pkg, other)
			}
			packages[pkg] = key
		}
	}
	for key, o := range k.Observed {
		kind, service, _ := strings.Cut(key, "/")
		switch {
		case desired[key] != nil:
		case kind == "association" && (k.there("provider/"+service) || k.goes("Provider", "provider-aws-"+service)):
			t.Fatalf("%s is removed, but the Provider whose pods use it exists", key)
		case kind == "role" && k.handsOut(service, o):
			t.Fatalf("%s is removed, but its association may provide it", key)
		}
	}
}

func (k *keeper) there(key string) bool { return k.Observed[key] != nil }

func (k *keeper) goes(kind, name string) bool {
	return slices.ContainsFunc(k.going, func(o *structpb.Struct) bool {
		return at(o, "kind").GetStringValue() == kind && at(o, "metadata", "name").GetStringValue() == name
	})
}

// handsOut says whether the association of a service may provide a role: its status has the role, or no role at all, or it is being
// deleted.
func (k *keeper) handsOut(service string, role *structpb.Struct) bool {
	a := k.Observed["association/"+service]
	if a == nil {
		return k.goes("PodIdentityAssociation", at(role, "metadata", "name").GetStringValue())
	}
	now := at(a, "status", "atProvider", "roleArn").GetStringValue()
	return now == "" || strings.HasSuffix(now, "/"+at(role, "metadata", "annotations", "crossplane.io/external-name").GetStringValue())
}

// collect deletes the resources that are no longer desired, completes earlier deletions, and applies the rest.
func (k *keeper) collect(t *testing.T, rsp *fnv1.RunFunctionResponse, before []*structpb.Struct) {
	t.Helper()
	for _, o := range before {
		// A deletion takes a while, and some take longer than others.
		if k.rand.IntN(2) == 0 {
			k.Cluster = slices.DeleteFunc(k.Cluster, func(c *structpb.Struct) bool { return c == o })
			k.going = slices.DeleteFunc(k.going, func(c *structpb.Struct) bool { return c == o })
		}
	}
	protected := map[string]string{}
	for key := range k.Observed {
		if i := strings.LastIndex(key, "/by/"); strings.HasPrefix(key, "usage/") && i > 0 {
			protected[key[len("usage/"):i]] = key
		}
	}
	desired := rsp.GetDesired().GetResources()
	for _, key := range sortedKeys(k.Observed) {
		if desired[key] != nil {
			continue
		}
		if by := protected[key]; by != "" {
			t.Fatalf("%s is deleted while %s exists: Crossplane would fail to reconcile", key, by)
		}
		o := k.Observed[key]
		at(o, "metadata").GetStructValue().Fields["deletionTimestamp"] = structpb.NewStringValue("2026-01-01T00:00:00Z")
		k.going, k.Cluster, k.gone = append(k.going, o), append(k.Cluster, o), append(k.gone, key)
		delete(k.Observed, key)
	}
	for key, d := range desired {
		o := proto.Clone(d.GetResource()).(*structpb.Struct) //nolint:forcetypeassert // The clone has the same type.
		k.own(t, o)
		k.Observed[key] = o
		(&simulation{world: k.world}).becomeReady(key)
		if strings.HasPrefix(key, "association/") {
			at(o, "status").GetStructValue().Fields["atProvider"] = mustValue(t, map[string]any{"associationId": "a-1", "roleArn": k.roleOf(o)})
		}
	}
	k.XR.Fields["status"] = at(rsp.GetDesired().GetComposite().GetResource(), "status")
}

// roleOf returns the ARN of the role that an association specifies.
func (k *keeper) roleOf(association *structpb.Struct) string {
	if arn := at(association, "spec", "forProvider", "roleArn").GetStringValue(); arn != "" {
		return arn
	}
	return "arn:aws:iam::123456789012:role/" + at(association, "spec", "forProvider", "roleArnRef", "name").GetStringValue()
}
