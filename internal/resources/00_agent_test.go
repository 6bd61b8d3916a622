package resources

import (
	"slices"
	"strings"
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

const agentManaged = `podIdentityAgent: {management: Managed}`

func TestAgent(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Default": {
			reason: "The add-on belongs to the cluster, has the version that EKS selects, and stays when its managed resource is deleted.",
			world:  world{Spec: agentManaged},
			key:    "agent",
			want: `
apiVersion: eks.aws.upbound.io/v1beta1
kind: Addon
metadata: {name: eks-pod-identity-agent-prod-eu-west-1}
spec:
  managementPolicies: [Observe, Create, Update]
  deletionPolicy: Orphan
  providerConfigRef: {name: default}
  forProvider: {region: eu-west-1, clusterName: prod, addonName: eks-pod-identity-agent}
`,
		},
		"Everything": {
			reason: "Version and tags are passed on. No setting deletes the add-on.",
			world:  world{Spec: `{podIdentityAgent: {management: Managed, version: v1.3.4-eksbuild.1}, tags: {team: a}, deletionPolicy: Delete, managementPolicies: [Observe, Create, Update, Delete], providerConfigRef: {name: boot}}`},
			key:    "agent",
			want: `
apiVersion: eks.aws.upbound.io/v1beta1
kind: Addon
metadata: {name: eks-pod-identity-agent-prod-eu-west-1}
spec:
  deletionPolicy: Orphan
  managementPolicies: [Observe, Create, Update]
  providerConfigRef: {name: boot}
  forProvider: {region: eu-west-1, clusterName: prod, addonName: eks-pod-identity-agent, addonVersion: v1.3.4-eksbuild.1, tags: {team: a}}
`,
		},
		"Names": {
			reason: "A name in EKS may not be valid in Kubernetes.",
			world:  world{Spec: `{clusterName: Prod_1, podIdentityAgent: {management: Managed}}`},
			key:    "agent",
			want: `
apiVersion: eks.aws.upbound.io/v1beta1
kind: Addon
metadata: {name: eks-pod-identity-agent-prod-1-eu-west-1-26921679}
spec:
  managementPolicies: [Observe, Create, Update]
  deletionPolicy: Orphan
  providerConfigRef: {name: default}
  forProvider: {region: eu-west-1, clusterName: Prod_1, addonName: eks-pod-identity-agent}
`,
		},
	})
	testAbsent(t, map[string]absentCase{
		"Default": {"By default, another owner installs the agent.", ``, []string{"agent"}},
		"None":    {"The spec may say so explicitly.", `podIdentityAgent: {management: None, version: v1.3.4-eksbuild.1}`, []string{"agent"}},
	})
}

func TestAgentWait(t *testing.T) {
	const (
		kind, all   = "kind/addons.eks.aws.upbound.io", "all/Addon.eks.aws.upbound.io"
		mkind, mall = "kind/addons.eks.aws.m.upbound.io", "all/Addon.eks.aws.m.upbound.io"
		crd         = `[{metadata: {name: addons.eks.aws.m.upbound.io}, spec: {versions: [{name: v1beta1, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}]`
	)
	addon := func(metadata, forProvider string) string {
		return `{metadata: {` + metadata + `}, spec: {forProvider: {` + forProvider + `}}}`
	}
	const same = `addonName: eks-pod-identity-agent, clusterName: prod, region: eu-west-1`
	const owned = `ownerReferences: [{kind: Platform, name: p, uid: u-2, controller: true}]`
	looking := &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other managed resources of add-on eks-pod-identity-agent"}
	conflict := func(subject, owner string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonConflict, Subject: subject, Message: "is for add-on eks-pod-identity-agent of this cluster and " + owner + ": set podIdentityAgent.management: None"}
	}
	in := func(answers map[string]string) world { return world{Spec: agentManaged, Answers: answers} }
	testWait(t, map[string]waitCase{
		"Nothing":     {"Nothing conflicts, and nothing is missing.", in(nil), "agent", nil},
		"KindMissing": {"The kind comes with provider-aws-eks.", in(map[string]string{kind: `[]`}), "agent", &Wait{Reason: v1alpha1.ReasonMissing, Subject: "addons.eks.aws.upbound.io", Message: "missing, install provider-aws-eks"}},
		"NoCluster": {
			"An add-on belongs to a cluster.",
			world{Spec: `{clusterName: null, clusterNameRef: {name: main}, podIdentityAgent: {management: Managed}}`, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": `[]`}},
			"agent",
			&Wait{Reason: v1alpha1.ReasonMissing, Message: "Cluster main (spec.clusterNameRef) does not exist"},
		},
		"Looking":          {"Until the existing add-ons are known, one may conflict,", in(map[string]string{all: unanswered}), "agent", looking},
		"LookingForKind":   {"also in namespaces,", in(map[string]string{mkind: unanswered}), "agent", looking},
		"LookingInAll":     {"in any of them.", in(map[string]string{mkind: crd, mall: unanswered}), "agent", looking},
		"OtherAddon":       {"Another add-on is ignored,", in(map[string]string{all: `[` + addon("name: x", `addonName: vpc-cni, clusterName: prod, region: eu-west-1`) + `]`}), "agent", nil},
		"OtherCluster":     {"and so is that of another cluster,", in(map[string]string{all: `[` + addon("name: x", `addonName: eks-pod-identity-agent, clusterName: test, region: eu-west-1`) + `]`}), "agent", nil},
		"OtherRegion":      {"or region.", in(map[string]string{all: `[` + addon("name: x", `addonName: eks-pod-identity-agent, clusterName: prod, region: eu-central-1`) + `]`}), "agent", nil},
		"ByHand":           {"Two managed resources for one add-on overwrite each other.", in(map[string]string{all: `[` + addon("name: z", same) + `, ` + addon("name: x", same) + `]`}), "agent", conflict("Addon x", "no composite resource made it")},
		"Composed":         {"The owner is named,", in(map[string]string{all: `[` + addon("name: x, "+owned, same) + `]`}), "agent", conflict("Addon x", "belongs to Platform p")},
		"Namespaced":       {"and so is the namespace.", in(map[string]string{mkind: crd, mall: `[` + addon("namespace: infra, name: x", same) + `]`}), "agent", conflict("Addon infra/x", "no composite resource made it")},
		"NamespacedAbsent": {"A kind that is not installed has no objects.", in(map[string]string{mkind: `[]`, mall: unanswered}), "agent", nil},
		"Ours": {
			"The composite resource's own add-on is no conflict, even before Crossplane observes it.",
			in(map[string]string{all: `[` + addon("name: eks-pod-identity-agent-prod-eu-west-1, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]", same) + `]`}), "agent", nil,
		},
		"Exists": {
			"An existing add-on waits for nothing, and nothing is required.",
			world{Spec: agentManaged, Observed: map[string]string{"agent": `{apiVersion: eks.aws.upbound.io/v1beta1, kind: Addon, metadata: {name: x}}`}, Answers: map[string]string{all: unanswered, mkind: unanswered}},
			"agent", nil,
		},
		"Preview":       {"A preview waits for nothing.", world{Spec: agentManaged, Input: `preview: true`, Answers: map[string]string{all: unanswered}}, "agent", nil},
		"NothingWaits":  {"A provider's pods get credentials as soon as an agent exists, so nothing waits for it,", in(map[string]string{kind: `[]`}), "association/s3", nil},
		"NothingWaits2": {"not even for a conflict.", in(map[string]string{all: `[` + addon("name: x", same) + `]`}), "role/s3", nil},
	})
}

func TestAgentReady(t *testing.T) {
	r := world{Spec: agentManaged}.resource(t, "agent")
	if got := r.Ready(observed(t, `status: {conditions: [{type: Synced, status: "True"}, {type: Ready, status: "True"}]}`)); got != (Readiness{Ready: true}) {
		t.Errorf("Ready(...) for a ready add-on: got %+v", got)
	}
	const inUse = "create failed: async create failed: failed to create the resource: [{0 creating EKS Add-On (prod:eks-pod-identity-agent): operation error EKS: CreateAddon, https response error StatusCode: 409, ResourceInUseException: Addon already exists. []}]"
	got := r.Ready(observed(t, `status: {conditions: [{type: Synced, status: "False", message: "`+inUse+`"}]}`))
	if !got.Failed || got.Message != inUse || Hint(got.Message, "boot") == "" {
		t.Errorf("Ready(...) for an existing add-on: want the error with a hint, got %+v", got)
	}
	if r.Condition != v1alpha1.ConditionIdentityReady || r.Service != "" {
		t.Errorf("want it to belong to IdentityReady, and to no service, got %s and %q", r.Condition, r.Service)
	}
}

// TestAgentAutoMode checks that no add-on is composed or required for a cluster in Auto Mode, which has the agent built in.
func TestAgentAutoMode(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, config string
		want           bool
	}{
		"Auto":   {"Auto Mode has the agent built in,", `[{enabled: true, nodePools: [system]}]`, false},
		"Object": {"in either version of the stored kind.", `{enabled: true}`, false},
		"Off":    {"A cluster that had Auto Mode before does not.", `[{enabled: false}]`, true},
		"None":   {"Neither does any other cluster.", `[]`, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := world{
				Spec:    `{clusterName: null, clusterNameRef: {name: main}, podIdentityAgent: {management: Managed}}`,
				Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": `[{metadata: {name: prod}, spec: {forProvider: {computeConfig: ` + tc.config + `}}}]`},
			}.context(t)
			got := slices.ContainsFunc(All(c.View, c.Identity), func(r *Resource) bool { return r.Key == "agent" })
			if got != tc.want {
				t.Errorf("%s\nAll(...): want an add-on: %t, got %t", tc.reason, tc.want, got)
			}
			for key := range c.View.Requirements.Proto().GetExtraResources() { //nolint:staticcheck // Crossplane before 2.2 knows no other field.
				if strings.Contains(strings.ToLower(key), "addon") && !tc.want {
					t.Errorf("%s\nAll(...): requires %s", tc.reason, key)
				}
			}
		})
	}
}
