package resources

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

func TestUsage(t *testing.T) {
	both := map[string]string{
		"provider/s3":    `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-s3}, status: {conditions: [{type: Healthy, status: "True"}]}}`,
		"providerconfig": `{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: aws}}`,
	}
	testBuild(t, map[string]buildCase{
		"Usage": {
			reason: "A Provider should be held back for as long as its ProviderConfig exists, and go at once after that.",
			world:  world{Observed: both}, key: "usage/provider/s3/by/providerconfig",
			want: `
apiVersion: apiextensions.crossplane.io/v1beta1
kind: Usage
metadata: {name: storage-usage-provider-s3-by-providerconfig-e10f3476}
spec:
  of: {apiVersion: pkg.crossplane.io/v1, kind: Provider, resourceRef: {name: provider-aws-s3}}
  by: {apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, resourceRef: {name: aws}}
  replayDeletion: true
`,
		},
		"ClusterUsage": {
			reason: "Where the platform team asks for it, the kind should be that of Crossplane v2.",
			world:  world{Observed: both, Input: `usageKind: ClusterUsage`}, key: "usage/provider/s3/by/providerconfig",
			want: `
apiVersion: protection.crossplane.io/v1beta1
kind: ClusterUsage
metadata: {name: storage-usage-provider-s3-by-providerconfig-e10f3476}
spec:
  of: {apiVersion: pkg.crossplane.io/v1, kind: Provider, resourceRef: {name: provider-aws-s3}}
  by: {apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, resourceRef: {name: aws}}
  replayDeletion: true
`,
		},
		"Namespaced": {
			reason: "A ProviderConfig in a namespace should hold that of the cluster, and so everything that this one holds. The empty namespace is what makes Crossplane find it.",
			world:  world{Spec: inNamespaces, Observed: inTeam(both)},
			key:    "usage/providerconfig/by/providerconfig/team-a",
			want: `
apiVersion: protection.crossplane.io/v1beta1
kind: Usage
metadata: {namespace: team-a, name: storage-usage-providerconfig-by-providerconfig-team-a-493b0870}
spec:
  of: {apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, resourceRef: {name: aws, namespace: ""}}
  by: {apiVersion: aws.m.upbound.io/v1beta1, kind: ProviderConfig, resourceRef: {name: aws}}
  replayDeletion: true
`,
		},
		"Sticky": {
			reason: "A Usage that exists should keep its kind: another one under the same key would be another object.",
			world: world{
				Input:    `usageKind: ClusterUsage`,
				Observed: map[string]string{"usage/policy/s3/by/association/s3": `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: u}}`},
			},
			key: "usage/policy/s3/by/association/s3",
			want: `
apiVersion: apiextensions.crossplane.io/v1beta1
kind: Usage
metadata: {name: u}
spec:
  of: {apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, resourceRef: {name: crossplane-prod-eu-west-1-s3}}
  by: {apiVersion: eks.aws.upbound.io/v1beta1, kind: PodIdentityAssociation, resourceRef: {name: crossplane-prod-eu-west-1-s3}}
  replayDeletion: true
`,
		},
	})

	const inTeamA = "usage/providerconfig/by/providerconfig/team-a"
	later := &Wait{Reason: v1alpha1.ReasonWaiting, Message: "deletion protection is set up once everything else is ready"}
	unhealthy := map[string]string{"provider/s3": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-s3}}`, "providerconfig": both["providerconfig"]}
	const key = "usage/provider/s3/by/providerconfig"
	testWait(t, map[string]waitCase{
		"Both":      {"Once both ends exist, nothing should be waited for.", world{Observed: both}, key, nil},
		"Unhealthy": {"Until its provider works nothing of a user depends on a service: a Usage may wait until all is quiet,", world{Observed: unhealthy}, key, later},
		"Failing": {
			"but no longer: what else fails, another service or a pod without credentials, is no reason to leave it without protection.",
			world{Spec: `{services: [{name: s3}, {name: ec2}], runtime: {verifyCredentials: true}}`, Observed: both},
			key, nil,
		},
		"OtherService": {"What works of one service says nothing of another.", world{Spec: `services: [{name: s3}, {name: ec2}]`, Observed: both}, "usage/provider/ec2/by/providerconfig", later},
		"Protected":    {"What was protected as a whole before should be so again at once.", world{Observed: unhealthy, XR: `status: {conditions: [{type: TeardownProtected, status: "True"}]}`}, key, nil},
		"Family": {
			"The family works for everybody as soon as it is healthy.",
			world{Spec: `provider: {family: Manage}`, Observed: map[string]string{"providerconfig": both["providerconfig"], "family": both["provider/s3"]}},
			"usage/family/by/providerconfig", nil,
		},
		"OneEnd": {"Crossplane should be told of no end that does not exist.", world{Observed: map[string]string{"providerconfig": both["providerconfig"]}}, key, later},
		"NoKind": {
			"Where Crossplane has no Usages, that should be said, with the way out.",
			world{Observed: both, Answers: map[string]string{"kind/usages.apiextensions.crossplane.io": `[]`}},
			key,
			&Wait{Reason: v1alpha1.ReasonMissing, Subject: "usages.apiextensions.crossplane.io", Message: "missing, install Crossplane v1.19 or later with Usages enabled, or set teardown: Unordered"},
		},
		"Namespaced": {"From a namespace a Usage should hold as soon as both ends exist.", world{Spec: inNamespaces, Observed: inTeam(both)}, inTeamA, nil},
		"NamespacedOneEnd": {
			"Where there will never be a ProviderConfig in a namespace, nothing should be asked for it.",
			world{Spec: inNamespaces, Observed: both, Answers: map[string]string{"kind/usages.protection.crossplane.io": unanswered}},
			inTeamA, later,
		},
		"NamespacedTaken": {
			"Who may write in the namespace may have made one of that name: Crossplane could not apply it, nor anything else.",
			world{Spec: inNamespaces, Observed: inTeam(both), Answers: map[string]string{"Usage.protection.crossplane.io/team-a/storage-usage-providerconfig-by-providerconfig-team-a-493b0870": `[{metadata: {namespace: team-a, name: x}}]`}},
			inTeamA,
			&Wait{Reason: v1alpha1.ReasonConflict, Subject: "Usage team-a/storage-usage-providerconfig-by-providerconfig-team-a-493b0870", Message: "exists and no composite resource made it: delete it"},
		},
		"NoClusterUsage": {
			"Nor should a ClusterUsage be composed where there is no such kind.",
			world{Observed: both, Input: `usageKind: ClusterUsage`, Answers: map[string]string{"kind/clusterusages.protection.crossplane.io": `[]`}},
			key,
			&Wait{Reason: v1alpha1.ReasonMissing, Subject: "clusterusages.protection.crossplane.io", Message: "missing, install Crossplane v2 with Usages enabled, or take usageKind out of the Composition's Input"},
		},
	})
	if r := (world{Spec: inNamespaces, Observed: inTeam(both), Answers: map[string]string{"kind/usages.protection.crossplane.io": `[]`}}).resource(t, inTeamA); r != nil {
		t.Errorf("where Crossplane has no Usages in namespaces, none should be waited for, got %s", r.Name)
	}
	testAbsent(t, map[string]absentCase{
		"Unordered": {"Who wants no order should get no Usages.", `teardown: Unordered`, []string{"usage/"}},
	})
}

// inTeam adds a ProviderConfig in namespace team-a to what is observed.
func inTeam(observed map[string]string) map[string]string {
	out := maps.Clone(observed)
	out["providerconfig/team-a"] = `{metadata: {namespace: team-a, name: aws}}`
	return out
}

func TestUsageReady(t *testing.T) {
	cases := map[string]struct {
		reason, in string
		want       Readiness
	}{
		"New":     {"A Usage should not count before it is in force.", `{metadata: {name: u}}`, Readiness{Message: "not in force yet"}},
		"Ready":   {"It should once it is.", `{status: {conditions: [{type: Ready, status: "True"}]}}`, Readiness{Ready: true}},
		"Waiting": {"What it waits for should be told.", `{status: {conditions: [{type: Ready, status: "False", message: "no"}]}}`, Readiness{Message: "not ready: no"}},
		"Deleted": {"One that is being deleted protects no more.", `{metadata: {deletionTimestamp: x}, status: {conditions: [{type: Ready, status: "True"}]}}`, Readiness{Message: "being deleted"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, usageReady(observed(t, tc.in))); diff != "" {
				t.Errorf("%s\nusageReady(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTeardown walks through every order in which Kubernetes may delete the objects of a composite resource, as far as the
// Usages let it, and looks at each step that nothing is gone that something still there needs.
func TestTeardown(t *testing.T) {
	// What needs what, as AWS and Crossplane see it, and not as the Usages are written: the prefixes of keys.
	needs := []struct {
		who   string
		needs []string
	}{
		{"user", []string{"providerconfig", "provider/", "runtimeconfig/", "association/", "attachment/", "role/", "policy/", "family"}},
		{"provider/", []string{"runtimeconfig/", "association/", "attachment/", "role/", "policy/"}},
		{"association/", []string{"role/", "attachment/", "policy/", "family"}},
		// Among these AWS keeps the order.
		{"attachment/", []string{"family"}},
		{"role/", []string{"family"}},
		{"policy/", []string{"family"}},
	}
	for name, spec := range map[string]string{
		"One":      ``,
		"Observe":  `services: [{name: s3, management: Observe}]`,
		"OwnRole":  `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/x"}]`,
		"Policies": `services: [{name: s3, permissions: {accessLevel: None, managedPolicyArns: ["arn:aws:iam::aws:policy/a", "arn:aws:iam::aws:policy/b"]}}]`,
		"Family":   `provider: {version: v2.5.0, family: Manage}`,
		"Configs":  `providerConfig: {clusterProviderConfig: true}`,
	} {
		t.Run(name, func(t *testing.T) {
			exists, held := map[string]bool{"user": true, "bootstrap": true}, map[string][]string{"providerconfig": {"user"}, "clusterproviderconfig": {"user"}}
			for _, r := range (world{Spec: spec}).all(t) {
				if of, by, ok := usageEnds(r.Key); ok {
					held[of] = append(held[of], by)
				} else {
					exists[r.Key] = true
				}
			}
			// The bootstrap ProviderConfig goes last: the IAM and EKS resources use it.
			for key := range exists {
				if strings.HasPrefix(key, "role/") || strings.HasPrefix(key, "policy/") || strings.HasPrefix(key, "attachment/") || strings.HasPrefix(key, "association/") {
					held["bootstrap"] = append(held["bootstrap"], key)
				}
			}
			all := slices.Sorted(maps.Keys(exists))
			seen := map[string]bool{}
			var walk func(map[string]bool)
			walk = func(state map[string]bool) {
				id := strings.Join(slices.Sorted(maps.Keys(state)), " ")
				if seen[id] {
					return
				}
				seen[id] = true
				for _, n := range needs {
					for _, key := range all {
						if !state[key] && slices.ContainsFunc(n.needs, func(p string) bool { return strings.HasPrefix(key, p) }) {
							for who := range state {
								if strings.HasPrefix(who, n.who) && who != key {
									t.Fatalf("%s is gone, and %s needs it; there still are %s", key, who, id)
								}
							}
						}
					}
				}
				moved := false
				for key := range state {
					if slices.ContainsFunc(held[key], func(by string) bool { return state[by] }) {
						continue
					}
					moved = true
					next := maps.Clone(state)
					delete(next, key)
					walk(next)
				}
				if !moved && len(state) > 0 {
					t.Fatalf("nothing of this can ever be deleted: %s", id)
				}
			}
			walk(exists)
			if len(seen) < len(all) {
				t.Errorf("walked through %d states of %d objects", len(seen), len(all))
			}
		})
	}
}
