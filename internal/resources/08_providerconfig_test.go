package resources

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
)

const chain = `[
	{roleARN: "arn:aws:iam::123456789012:role/a", externalID: abc, tags: [{key: team, value: one}, {key: env, value: ""}], transitiveTagKeys: [team]},
	{roleARN: "arn:aws:iam::123456789012:role/b"}]`

func TestProviderConfig(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Seed": {
			reason: "The ProviderConfig equals that of the manual procedure.",
			key:    "providerconfig",
			want: `
apiVersion: aws.upbound.io/v1beta1
kind: ProviderConfig
metadata: {name: storage}
spec: {credentials: {source: PodIdentity}}
`,
		},
		"Claim": {
			reason: "The name for a claim contains the namespace.",
			world:  world{Input: "claims: {allowedFields: ['*']}", XR: `spec: {claimRef: {namespace: team-a, name: aws}}`},
			key:    "providerconfig",
			want: `
apiVersion: aws.upbound.io/v1beta1
kind: ProviderConfig
metadata: {name: team-a-aws}
spec: {credentials: {source: PodIdentity}}
`,
		},
		"Chain": {
			reason: "The roles of a chain are passed on in order, with their settings.",
			world:  world{Spec: `providerConfig: {name: aws, assumeRoleChain: ` + chain + `}`},
			key:    "providerconfig",
			want: `
apiVersion: aws.upbound.io/v1beta1
kind: ProviderConfig
metadata: {name: aws}
spec:
  credentials: {source: PodIdentity}
  assumeRoleChain:
  - {roleARN: "arn:aws:iam::123456789012:role/a", externalID: abc, tags: [{key: team, value: one}, {key: env, value: ""}], transitiveTagKeys: [team]}
  - {roleARN: "arn:aws:iam::123456789012:role/b"}
`,
		},
		"Partition": {
			reason: "Outside the commercial partition, global services have other endpoints.",
			world:  world{Spec: `region: us-gov-west-1`},
			key:    "providerconfig",
			want: `
apiVersion: aws.upbound.io/v1beta1
kind: ProviderConfig
metadata: {name: storage}
spec:
  credentials: {source: PodIdentity}
  endpoint: {url: {type: Auto}, partitionId: aws-us-gov}
`,
		},
		"Observed": {
			reason: "An existing ProviderConfig keeps its name.",
			world:  world{Observed: map[string]string{"providerconfig": `{metadata: {name: old}}`}},
			key:    "providerconfig",
			want: `
apiVersion: aws.upbound.io/v1beta1
kind: ProviderConfig
metadata: {name: old}
spec: {credentials: {source: PodIdentity}}
`,
		},
	})
}

func TestClusterProviderConfig(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Default": {
			reason: "The ClusterProviderConfig for namespaced managed resources has the same name,",
			world:  world{Spec: `providerConfig: {clusterProviderConfig: true}`},
			key:    "clusterproviderconfig",
			want: `
apiVersion: aws.m.upbound.io/v1beta1
kind: ClusterProviderConfig
metadata: {name: storage}
spec: {credentials: {source: PodIdentity}}
`,
		},
		"Everything": {
			reason: "and the same content.",
			world:  world{Spec: `{region: cn-north-1, providerConfig: {name: aws, clusterProviderConfig: true, assumeRoleChain: [{roleARN: "arn:aws-cn:iam::123456789012:role/a", externalID: abc, tags: [{key: team, value: one}], transitiveTagKeys: [team]}]}}`},
			key:    "clusterproviderconfig",
			want: `
apiVersion: aws.m.upbound.io/v1beta1
kind: ClusterProviderConfig
metadata: {name: aws}
spec:
  credentials: {source: PodIdentity}
  assumeRoleChain: [{roleARN: "arn:aws-cn:iam::123456789012:role/a", externalID: abc, tags: [{key: team, value: one}], transitiveTagKeys: [team]}]
  endpoint: {url: {type: Auto}, partitionId: aws-cn}
`,
		},
	})
	testAbsent(t, map[string]absentCase{
		"Default": {"By default, there are no namespaced managed resources.", ``, []string{"clusterproviderconfig"}},
		"Unset":   {"A custom name alone does not change that.", `providerConfig: {name: aws}`, []string{"clusterproviderconfig"}},
		"False":   {"Neither does an explicit false.", `providerConfig: {clusterProviderConfig: false}`, []string{"clusterproviderconfig"}},
	})
}

func TestProviderConfigWait(t *testing.T) {
	const kind, clusterKind = "kind/providerconfigs.aws.upbound.io", "kind/clusterproviderconfigs.aws.m.upbound.io"
	missing := &Wait{Reason: v1alpha1.ReasonMissing, Subject: "providerconfigs.aws.upbound.io", Message: "missing, install provider-aws-iam, which installs provider-family-aws"}
	both := `providerConfig: {clusterProviderConfig: true}`
	testWait(t, map[string]waitCase{
		"Nothing":     {"Nothing conflicts, and nothing is missing.", world{}, "providerconfig", nil},
		"KindUnknown": {"A kind that has not been looked up yet may not exist.", world{Answers: map[string]string{kind: unanswered}}, "providerconfig", missing},
		"KindMissing": {"A missing kind is named with its package.", world{Answers: map[string]string{kind: `[]`}}, "providerconfig", missing},
		"Family": {
			"If the family is composed, the kind comes with it.",
			world{Spec: `provider: {family: Manage}`, Answers: map[string]string{kind: `[]`}},
			"providerconfig",
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: "providerconfigs.aws.upbound.io", Message: "waiting for Provider upbound-provider-family-aws, which installs it"},
		},
		"NoDependencies": {
			"Without dependency resolution, no other package installs the kind.",
			world{Spec: `provider: {skipDependencyResolution: true}`, Answers: map[string]string{kind: `[]`}},
			"providerconfig",
			&Wait{
				Reason: v1alpha1.ReasonMissing, Subject: "providerconfigs.aws.upbound.io",
				Message: "missing, install provider-family-aws: with provider.skipDependencyResolution no other provider installs it. Or set provider.family: Manage",
			},
		},
		"Dependencies": {"With dependency resolution, the default message applies.", world{Spec: `provider: {skipDependencyResolution: false}`, Answers: map[string]string{kind: `[]`}}, "providerconfig", missing},
		"ClusterKindMissing": {
			"The newer kind comes with a newer family.",
			world{Spec: both, Answers: map[string]string{clusterKind: `[]`}},
			"clusterproviderconfig",
			&Wait{Reason: v1alpha1.ReasonMissing, Subject: "clusterproviderconfigs.aws.m.upbound.io", Message: "missing, install provider-family-aws v2 or later"},
		},
		"OneWithoutOther": {"A missing newer kind does not block the older one.", world{Spec: both, Answers: map[string]string{clusterKind: `[]`}}, "providerconfig", nil},
		"Assumed":         {"Kinds may be assumed to exist.", world{Input: `prerequisites: Assume`, Answers: map[string]string{kind: `[]`}}, "providerconfig", nil},
		"Preview":         {"A preview waits for nothing.", world{Input: `preview: true`, Answers: map[string]string{kind: `[]`, "ProviderConfig.aws.upbound.io/storage": `[{metadata: {name: storage}}]`}}, "providerconfig", nil},
		"NoCluster":       {"The EKS cluster does not matter.", world{Spec: byReference, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": `[]`}}, "providerconfig", nil},
		"Looking": {
			"Until it is known whether an object with that name exists, nothing is adopted.",
			world{Answers: map[string]string{"ProviderConfig.aws.upbound.io/storage": unanswered}},
			"providerconfig",
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: "ProviderConfig storage", Message: "checking whether it exists"},
		},
		"Taken": {
			"An object that was created manually would be adopted silently.",
			world{Answers: map[string]string{"ProviderConfig.aws.upbound.io/storage": `[{metadata: {name: storage}}]`}},
			"providerconfig",
			&Wait{Reason: v1alpha1.ReasonConflict, Subject: "ProviderConfig storage", Message: "exists and no composite resource made it: choose another name with providerConfig.name"},
		},
		"ClusterTaken": {
			"The same applies to the newer kind.",
			world{Spec: both, Answers: map[string]string{"ClusterProviderConfig.aws.m.upbound.io/storage": `[{metadata: {name: storage, ownerReferences: [{kind: Platform, name: p, uid: u-3, controller: true}]}}]`}},
			"clusterproviderconfig",
			&Wait{Reason: v1alpha1.ReasonConflict, Subject: "ClusterProviderConfig storage", Message: "exists and belongs to Platform p: choose another name with providerConfig.name"},
		},
		"Ours": {
			"The composite resource's own ProviderConfig is no conflict, even before Crossplane observes it.",
			world{Answers: map[string]string{"ProviderConfig.aws.upbound.io/storage": `[{metadata: {name: storage, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}}]`}},
			"providerconfig", nil,
		},
	})
}

const (
	xrKind        = "kind/podidentityproviders.aws.podidentity.dev"
	namespacedCRD = "kind/providerconfigs.aws.m.upbound.io"
	teamA         = "ServiceAccount/team-a/default"
	teamConfig    = "ProviderConfig.aws.m.upbound.io/team-a/storage"
	inNamespaces  = `providerConfig: {namespaces: [team-a]}`
)

func TestNamespacedProviderConfigs(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Default": {
			reason: "The ProviderConfig in a namespace has the same name,",
			world:  world{Spec: inNamespaces},
			key:    "providerconfig/team-a",
			want: `
apiVersion: aws.m.upbound.io/v1beta1
kind: ProviderConfig
metadata: {namespace: team-a, name: storage}
spec: {credentials: {source: PodIdentity}}
`,
		},
		"Everything": {
			reason: "and the same content.",
			world:  world{Spec: `{region: cn-north-1, providerConfig: {name: aws, namespaces: [team-b, team-a], assumeRoleChain: [{roleARN: "arn:aws-cn:iam::123456789012:role/a", externalID: abc}]}}`},
			key:    "providerconfig/team-a",
			want: `
apiVersion: aws.m.upbound.io/v1beta1
kind: ProviderConfig
metadata: {namespace: team-a, name: aws}
spec:
  credentials: {source: PodIdentity}
  assumeRoleChain: [{roleARN: "arn:aws-cn:iam::123456789012:role/a", externalID: abc}]
  endpoint: {url: {type: Auto}, partitionId: aws-cn}
`,
		},
		"Observed": {
			reason: "An existing ProviderConfig keeps its name.",
			world:  world{Spec: inNamespaces, Observed: map[string]string{"providerconfig/team-a": `{metadata: {namespace: team-a, name: old}}`}},
			key:    "providerconfig/team-a",
			want: `
apiVersion: aws.m.upbound.io/v1beta1
kind: ProviderConfig
metadata: {namespace: team-a, name: old}
spec: {credentials: {source: PodIdentity}}
`,
		},
	})
	testAbsent(t, map[string]absentCase{
		"Default": {"By default, there are no namespaced managed resources.", ``, []string{"providerconfig/"}},
		"None":    {"An empty list does not change that.", `providerConfig: {name: aws, namespaces: []}`, []string{"providerconfig/"}},
		"Other":   {"Another namespace gets no ProviderConfig.", inNamespaces, []string{"providerconfig/team-b"}},
	})
}

func TestNamespacedProviderConfigWait(t *testing.T) {
	const key = "providerconfig/team-a"
	missing := &Wait{Reason: v1alpha1.ReasonMissing, Subject: "Namespace team-a", Message: "missing, create it, or take it out of providerConfig.namespaces"}
	testWait(t, map[string]waitCase{
		"Nothing": {"Nothing conflicts, and nothing is missing.", world{Spec: inNamespaces}, key, nil},
		"V1": {
			"Crossplane v1 would not find the object again,",
			world{Spec: inNamespaces, Answers: map[string]string{xrKind: xrCRD(`{type: object, properties: {name: {type: string}}}`)}},
			key,
			&Wait{Reason: v1alpha1.ReasonMissing, Subject: "providerConfig.namespaces", Message: "Crossplane v1 cannot compose objects in namespaces: take the field out, or upgrade to v2"},
		},
		"V1Assumed": {
			"even if prerequisites are assumed.",
			world{Spec: inNamespaces, Input: `prerequisites: Assume`, Answers: map[string]string{xrKind: xrCRD(`{type: object, properties: {name: {type: string}}}`)}},
			key,
			&Wait{Reason: v1alpha1.ReasonMissing, Subject: "providerConfig.namespaces", Message: "Crossplane v1 cannot compose objects in namespaces: take the field out, or upgrade to v2"},
		},
		"VersionUnknown": {
			"The version of Crossplane must be known first.",
			world{Spec: inNamespaces, Answers: map[string]string{xrKind: unanswered}},
			key,
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: "podidentityproviders.aws.podidentity.dev", Message: "checking whether Crossplane can compose objects in namespaces"},
		},
		"KindMissing": {
			"The kind comes with a newer family.",
			world{Spec: inNamespaces, Answers: map[string]string{namespacedCRD: `[]`}},
			key,
			&Wait{Reason: v1alpha1.ReasonMissing, Subject: "providerconfigs.aws.m.upbound.io", Message: "missing, install provider-family-aws v2 or later"},
		},
		"NoNamespace":      {"An object in a missing namespace fails, and all others with it.", world{Spec: inNamespaces, Answers: map[string]string{teamA: `[]`}}, key, missing},
		"NamespaceOf":      {"A ServiceAccount in another namespace does not prove the namespace.", world{Spec: inNamespaces, Answers: map[string]string{teamA: `[{metadata: {namespace: team-b, name: default}}]`}}, key, missing},
		"NamespaceDeleted": {"Neither does one that is being deleted,", world{Spec: inNamespaces, Answers: map[string]string{teamA: `[{metadata: {namespace: team-a, name: default, deletionTimestamp: "2026-01-01T00:00:00Z"}}]`}}, key, missing},
		"NamespaceUnknown": {"or a missing answer.", world{Spec: inNamespaces, Answers: map[string]string{teamA: unanswered}}, key, &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Namespace team-a", Message: "checking whether it exists"}},
		"NamespacesAreOwn": {"A problem with one namespace does not affect another,", world{Spec: `providerConfig: {namespaces: [team-b, team-a]}`}, key, nil},
		"OneWithoutOther":  {"or the cluster-scoped ProviderConfig.", world{Spec: inNamespaces, Answers: map[string]string{teamA: `[]`}}, "providerconfig", nil},
		"Preview":          {"A preview waits for nothing.", world{Spec: inNamespaces, Input: `preview: true`, Answers: map[string]string{xrKind: `[]`, teamA: `[]`}}, key, nil},
		"ExistsAlready":    {"An existing object waits for nothing, and nothing is required.", world{Spec: inNamespaces, Observed: map[string]string{key: `{metadata: {namespace: team-a, name: storage}}`}, Answers: map[string]string{xrKind: unanswered, teamA: unanswered}}, key, nil},
		"Looking":          {"Until it is known whether an object with that name exists, nothing is adopted.", world{Spec: inNamespaces, Answers: map[string]string{teamConfig: unanswered}}, key, &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "ProviderConfig team-a/storage", Message: "checking whether it exists"}},
		"Taken": {
			"An object that was created manually would be adopted.",
			world{Spec: inNamespaces, Answers: map[string]string{teamConfig: `[{metadata: {namespace: team-a, name: storage}}]`}},
			key,
			&Wait{Reason: v1alpha1.ReasonConflict, Subject: "ProviderConfig team-a/storage", Message: "exists and no composite resource made it: choose another name with providerConfig.name"},
		},
		"Ours": {
			"The composite resource's own ProviderConfig is no conflict, even before Crossplane observes it.",
			world{Spec: inNamespaces, Answers: map[string]string{teamConfig: `[{metadata: {namespace: team-a, name: storage, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}}]`}},
			key, nil,
		},
	})
}

// TestNamespacesNotAsked checks that namespaced resources are not required from Crossplane v1, which does not support them.
func TestNamespacesNotAsked(t *testing.T) {
	c := world{Spec: inNamespaces, Answers: map[string]string{xrKind: xrCRD(`{type: object}`)}}.context(t)
	All(c.View, c.Identity)
	for key, s := range c.View.Requirements.Proto().GetExtraResources() { //nolint:staticcheck // Crossplane before 2.2 knows no other field.
		if s.Namespace != nil {
			t.Errorf("want no namespaced requirement, got %s", key)
		}
	}
}

// TestNamespaceLeaves covers a namespace that is removed from the list: its ProviderConfig stays while it is in use.
func TestNamespaceLeaves(t *testing.T) {
	w := world{Observed: map[string]string{"providerconfig/team-a": `{apiVersion: aws.m.upbound.io/v1beta1, kind: ProviderConfig, metadata: {namespace: team-a, name: storage}, spec: {credentials: {source: PodIdentity}}, status: {users: 2}}`}}
	r := w.resource(t, "providerconfig/team-a")
	if r == nil {
		t.Fatal("want a ProviderConfig that is in use to be composed")
	}
	got, err := r.Build()
	if err != nil {
		t.Fatal(err)
	}
	want := `{apiVersion: aws.m.upbound.io/v1beta1, kind: ProviderConfig, metadata: {namespace: team-a, name: storage}, spec: {credentials: {source: PodIdentity}}}`
	if diff := cmp.Diff(testutil.Parse(t, want), got.AsMap()); diff != "" {
		t.Errorf("Build(): -want, +got:\n%s", diff)
	}
	if r.Service != "" || r.Condition != v1alpha1.ConditionProviderConfigReady {
		t.Errorf("want it to belong to no service, and to ProviderConfigReady, got %q and %s", r.Service, r.Condition)
	}
	w.Observed["providerconfig/team-a"] = `{apiVersion: aws.m.upbound.io/v1beta1, kind: ProviderConfig, metadata: {namespace: team-a, name: storage}}`
	if w.resource(t, "providerconfig/team-a") != nil {
		t.Error("want an unused ProviderConfig to be removed")
	}
}
