package resources

import (
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

const chain = `[
	{roleARN: "arn:aws:iam::123456789012:role/a", externalID: abc, tags: [{key: team, value: one}, {key: env, value: ""}], transitiveTagKeys: [team]},
	{roleARN: "arn:aws:iam::123456789012:role/b"}]`

func TestProviderConfig(t *testing.T) {
	testBuild(t, map[string]buildCase{
		"Seed": {
			reason: "A ProviderConfig should be what the manual procedure makes.",
			key:    "providerconfig",
			want: `
apiVersion: aws.upbound.io/v1beta1
kind: ProviderConfig
metadata: {name: storage}
spec: {credentials: {source: PodIdentity}}
`,
		},
		"Claim": {
			reason: "The name of a claim's should have the namespace in it.",
			world:  world{XR: `spec: {claimRef: {namespace: team-a, name: aws}}`},
			key:    "providerconfig",
			want: `
apiVersion: aws.upbound.io/v1beta1
kind: ProviderConfig
metadata: {name: team-a-aws}
spec: {credentials: {source: PodIdentity}}
`,
		},
		"Chain": {
			reason: "Roles of a chain should be passed on in order, with what belongs to each.",
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
			reason: "Outside of the commercial partition global services have other endpoints.",
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
			reason: "One that exists should keep its name.",
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
			reason: "The one for namespaced managed resources should have the same name.",
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
			reason: "And say the same.",
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
		"Default": {"Not everybody has namespaced managed resources.", ``, []string{"clusterproviderconfig"}},
		"Unset":   {"Nor everybody with a ProviderConfig of their own.", `providerConfig: {name: aws}`, []string{"clusterproviderconfig"}},
		"False":   {"Nor who says so.", `providerConfig: {clusterProviderConfig: false}`, []string{"clusterproviderconfig"}},
	})
}

func TestProviderConfigWait(t *testing.T) {
	const kind, clusterKind = "kind/providerconfigs.aws.upbound.io", "kind/clusterproviderconfigs.aws.m.upbound.io"
	missing := &Wait{Reason: v1alpha1.ReasonMissing, Subject: "providerconfigs.aws.upbound.io", Message: "missing, install provider-aws-iam, which brings provider-family-aws"}
	both := `providerConfig: {clusterProviderConfig: true}`
	testWait(t, map[string]waitCase{
		"Nothing":     {"Nothing in the way, nothing to wait for.", world{}, "providerconfig", nil},
		"KindUnknown": {"A kind that was not looked for yet may not exist.", world{Answers: map[string]string{kind: unanswered}}, "providerconfig", missing},
		"KindMissing": {"A kind that does not exist should be named, with what brings it.", world{Answers: map[string]string{kind: `[]`}}, "providerconfig", missing},
		"Family": {
			"Where the family is composed, its kind comes with it.",
			world{Spec: `provider: {family: Manage}`, Answers: map[string]string{kind: `[]`}},
			"providerconfig",
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: "providerconfigs.aws.upbound.io", Message: "waiting for Provider upbound-provider-family-aws, which brings it"},
		},
		"NoDependencies": {
			"Where no dependencies are installed, nothing brings it by itself.",
			world{Spec: `provider: {skipDependencyResolution: true}`, Answers: map[string]string{kind: `[]`}},
			"providerconfig",
			&Wait{
				Reason: v1alpha1.ReasonMissing, Subject: "providerconfigs.aws.upbound.io",
				Message: "missing, install provider-family-aws: with provider.skipDependencyResolution no other provider brings it. Or set provider.family: Manage",
			},
		},
		"Dependencies": {"Where they are, it is as by default.", world{Spec: `provider: {skipDependencyResolution: false}`, Answers: map[string]string{kind: `[]`}}, "providerconfig", missing},
		"ClusterKindMissing": {
			"The newer kind comes with the newer family.",
			world{Spec: both, Answers: map[string]string{clusterKind: `[]`}},
			"clusterproviderconfig",
			&Wait{Reason: v1alpha1.ReasonMissing, Subject: "clusterproviderconfigs.aws.m.upbound.io", Message: "missing, install provider-family-aws v2 or later"},
		},
		"OneWithoutOther": {"The lack of the newer kind does not hold back the older.", world{Spec: both, Answers: map[string]string{clusterKind: `[]`}}, "providerconfig", nil},
		"Assumed":         {"Kinds may be assumed to exist.", world{Input: `prerequisites: Assume`, Answers: map[string]string{kind: `[]`}}, "providerconfig", nil},
		"Preview":         {"A preview waits for nothing.", world{Input: `preview: true`, Answers: map[string]string{kind: `[]`, "ProviderConfig.aws.upbound.io/storage": `[{metadata: {name: storage}}]`}}, "providerconfig", nil},
		"NoCluster":       {"The EKS cluster is no matter.", world{Spec: byReference, Answers: map[string]string{"Cluster.eks.aws.upbound.io/main": `[]`}}, "providerconfig", nil},
		"Looking": {
			"Until it is known whether somebody else has one of the name, nothing should be taken over.",
			world{Answers: map[string]string{"ProviderConfig.aws.upbound.io/storage": unanswered}},
			"providerconfig",
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: "ProviderConfig storage", Message: "looking whether it exists"},
		},
		"Taken": {
			"One that somebody wrote by hand would be taken over silently.",
			world{Answers: map[string]string{"ProviderConfig.aws.upbound.io/storage": `[{metadata: {name: storage}}]`}},
			"providerconfig",
			&Wait{Reason: v1alpha1.ReasonConflict, Subject: "ProviderConfig storage", Message: "exists and no composite resource made it: choose another name with providerConfig.name"},
		},
		"ClusterTaken": {
			"Likewise one of the newer kind.",
			world{Spec: both, Answers: map[string]string{"ClusterProviderConfig.aws.m.upbound.io/storage": `[{metadata: {name: storage, ownerReferences: [{kind: Platform, name: p, uid: u-3, controller: true}]}}]`}},
			"clusterproviderconfig",
			&Wait{Reason: v1alpha1.ReasonConflict, Subject: "ClusterProviderConfig storage", Message: "exists and belongs to Platform p: choose another name with providerConfig.name"},
		},
		"Ours": {
			"Our own is no conflict, also before Crossplane shows it to us.",
			world{Answers: map[string]string{"ProviderConfig.aws.upbound.io/storage": `[{metadata: {name: storage, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}}]`}},
			"providerconfig", nil,
		},
	})
}
