package resources

import (
	"maps"
	"slices"
	"strings"
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A world is the environment of a composite resource, in YAML. In the zero world, every kind exists and nothing conflicts; Answers hold
// the differences.
type world testutil.World

const unanswered = testutil.Unanswered

// answers returns the answers of the zero world.
func answers() map[string]string {
	out := map[string]string{
		"all/Provider.pkg.crossplane.io": `[]`, "all/DeploymentRuntimeConfig.pkg.crossplane.io": `[]`, "all/PodIdentityAssociation.eks.aws.upbound.io": `[]`,
		"kind/managedresourcedefinitions.apiextensions.crossplane.io": `[]`, "all/ManagedResourceActivationPolicy.apiextensions.crossplane.io": `[]`,
		"kind/managedresourceactivationpolicies.apiextensions.crossplane.io": `[{metadata: {name: managedresourceactivationpolicies.apiextensions.crossplane.io}, spec: {versions: [{name: v1alpha1, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}]`,
	}
	for _, crd := range []string{
		"roles.iam.aws.upbound.io", "policies.iam.aws.upbound.io", "rolepolicyattachments.iam.aws.upbound.io", "podidentityassociations.eks.aws.upbound.io",
		"clusters.eks.aws.upbound.io", "providerconfigs.aws.upbound.io", "clusterproviderconfigs.aws.m.upbound.io", "providerconfigs.aws.m.upbound.io",
		"addons.eks.aws.upbound.io",
		"usages.apiextensions.crossplane.io", "usages.protection.crossplane.io", "providerconfigusages.aws.upbound.io", "providerconfigusages.aws.m.upbound.io",
	} {
		out["kind/"+crd] = `[{metadata: {name: ` + crd + `}, spec: {versions: [{name: v1beta1, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}]`
	}
	out["kind/addons.eks.aws.m.upbound.io"], out["all/Addon.eks.aws.upbound.io"], out["all/Addon.eks.aws.m.upbound.io"] = `[]`, `[]`, `[]`
	for _, s := range []string{"s3", "ec2"} {
		out["Role.iam.aws.upbound.io/crossplane-prod-eu-west-1-"+s] = `[]`
		out["PodIdentityAssociation.eks.aws.upbound.io/crossplane-prod-eu-west-1-"+s] = `[]`
		out["DeploymentRuntimeConfig.pkg.crossplane.io/provider-aws-"+s] = `[]`
	}
	out["kind/podidentityproviders.aws.podidentity.dev"] = xrCRD(`{type: object, properties: {name: {type: string}, namespace: {type: string}}}`)
	for _, ns := range []string{"team-a", "team-b"} {
		out["ServiceAccount/"+ns+"/default"] = `[{metadata: {namespace: ` + ns + `, name: default}}]`
		out["ProviderConfig.aws.m.upbound.io/"+ns+"/storage"], out["ProviderConfig.aws.m.upbound.io/"+ns+"/aws"] = `[]`, `[]`
	}
	out["ProviderConfig.aws.upbound.io/storage"], out["ClusterProviderConfig.aws.m.upbound.io/storage"] = `[]`, `[]`
	return out
}

// xrCRD returns the definition of the composite resource's kind, with the given schema for a reference to a composed resource.
func xrCRD(reference string) string {
	return `[{metadata: {name: podidentityproviders.aws.podidentity.dev}, spec: {versions: [{name: v1alpha1, served: true, schema: {openAPIV3Schema: ` +
		`{type: object, properties: {spec: {type: object, properties: {resourceRefs: {type: array, items: ` + reference + `}}}}}}}]}, status: {conditions: [{type: Established, status: "True"}]}}]`
}

// context returns the context of a world, whose composite resource must be valid.
func (w world) context(t testing.TB) *Context {
	t.Helper()
	all := answers()
	maps.Copy(all, w.Answers)
	w.Answers = all
	req := testutil.World(w).Request(t)
	w.answerRest(req)
	v, errs := view.From(req, nil, testutil.Now())
	if len(errs) > 0 {
		t.Fatalf("view.From(...): %v", errs.ToAggregate())
	}
	id, errs := identity.Resolve(v)
	if len(errs) > 0 {
		t.Fatalf("identity.Resolve(...): %v", errs.ToAggregate())
	}
	return &Context{View: v, Identity: id}
}

// answerRest answers all other requirements, except those for kinds, with an empty list.
func (w world) answerRest(req *fnv1.RunFunctionRequest) {
	// An answer may lead to another requirement.
	for range 3 {
		v, errs := view.From(req, nil, testutil.Now())
		if len(errs) > 0 {
			return
		}
		id, errs := identity.Resolve(v)
		if len(errs) > 0 {
			return
		}
		All(v, id)
		asked, into := v.Requirements.Proto().GetExtraResources(), req.GetExtraResources() //nolint:staticcheck // Crossplane before 2.2 knows no other field.
		if w.Capabilities {
			asked, into = v.Requirements.Proto().GetResources(), req.GetRequiredResources()
		}
		for key := range asked {
			if into[key] == nil && w.Answers[key] != unanswered && !strings.HasPrefix(key, "kind/") {
				into[key] = &fnv1.Resources{}
			}
		}
	}
}

// all returns all resources of the world's full plan.
func (w world) all(t testing.TB) []*Resource {
	t.Helper()
	c := w.context(t)
	return All(c.View, c.Identity)
}

// composed returns the composed resources of the world's full plan.
func (w world) composed(t testing.TB) []*Resource {
	t.Helper()
	return slices.DeleteFunc(w.all(t), (*Resource).Check)
}

// resource returns the resource with a key; nil if there is none.
func (w world) resource(t testing.TB, key string) *Resource {
	t.Helper()
	for _, r := range w.all(t) {
		if r.Key == key {
			return r
		}
	}
	return nil
}

// A buildCase defines the object that a world should compose.
type buildCase struct {
	reason string
	world  world
	key    string
	// want is the whole object.
	want string
}

func testBuild(t *testing.T, cases map[string]buildCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := tc.world.resource(t, tc.key)
			if r == nil {
				t.Fatalf("%s\nno resource %s", tc.reason, tc.key)
			}
			got, err := r.Build()
			if err != nil {
				t.Fatalf("%s\nBuild() of %s: %v", tc.reason, tc.key, err)
			}
			if diff := cmp.Diff(testutil.Parse(t, tc.want), got.AsMap()); diff != "" {
				t.Errorf("%s\nBuild() of %s: -want, +got:\n%s", tc.reason, tc.key, diff)
			}
			if gvk := got.AsMap()["apiVersion"].(string) + " " + got.AsMap()["kind"].(string); gvk != r.Kind.GroupVersion().String()+" "+r.Kind.Kind {
				t.Errorf("%s\n%s has kind %s, but builds a %s", tc.reason, tc.key, r.Kind, gvk)
			}
		})
	}
}

// A waitCase defines what the creation of a resource waits for.
type waitCase struct {
	reason string
	world  world
	key    string
	want   *Wait
}

// testWait runs the cases with callers of both versions.
func testWait(t *testing.T, cases map[string]waitCase) {
	t.Helper()
	for name, tc := range cases {
		for caller, capabilities := range map[string]bool{"v1.20": false, "v2.2": true} {
			t.Run(name+"/"+caller, func(t *testing.T) {
				tc.world.Capabilities = capabilities
				r := tc.world.resource(t, tc.key)
				if r == nil {
					t.Fatalf("%s\nno resource %s", tc.reason, tc.key)
				}
				if diff := cmp.Diff(tc.want, r.Wait, ignoreOwner); diff != "" {
					t.Errorf("%s\nWait of %s: -want, +got:\n%s", tc.reason, tc.key, diff)
				}
			})
		}
	}
}

// An absentCase lists the resources that a spec should not compose.
type absentCase struct {
	reason, spec string
	keys         []string
}

func testAbsent(t *testing.T, cases map[string]absentCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, r := range (world{Spec: tc.spec}).all(t) {
				for _, key := range tc.keys {
					if r.Key == key || strings.HasSuffix(key, "/") && strings.HasPrefix(r.Key, key) {
						t.Errorf("%s\nwant no %s, got %s", tc.reason, key, r.Key)
					}
				}
			}
		})
	}
}

// observed returns the view of an object in YAML.
func observed(t testing.TB, doc string) view.Object {
	t.Helper()
	return view.NewObject(testutil.Struct(t, testutil.Parse(t, doc)))
}

// ignoreOwner ignores the owner of a conflicting object, because the message of a Wait names it.
var ignoreOwner = cmpopts.IgnoreUnexported(Wait{})
