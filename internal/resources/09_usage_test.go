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
		"provider/s3":    `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-s3}, status: {conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "False"}]}}`,
		"providerconfig": `{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: aws}}`,
	}
	testBuild(t, map[string]buildCase{
		"Usage": {
			reason: "A Provider is protected as long as its ProviderConfig exists, and deleted right after.",
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
			reason: "If the platform team selects it, the kind of Crossplane v2 is used.",
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
			reason: "A namespaced ProviderConfig protects that of the cluster, and with it everything that this one protects. Crossplane finds it by the empty namespace.",
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
			reason: "An existing Usage keeps its kind: another kind with the same key would be another object.",
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
	later := &Wait{Reason: v1alpha1.ReasonWaiting, Message: "deletion protection is set up as soon as the providers are installed"}
	uninstalled := map[string]string{"provider/s3": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-s3}}`, "providerconfig": both["providerconfig"]}
	const key = "usage/provider/s3/by/providerconfig"
	testWait(t, map[string]waitCase{
		"Both":        {"Once both ends exist, there is nothing to wait for.", world{Observed: both}, key, nil},
		"Uninstalled": {"Until its provider is installed, no resource of a user depends on a service: a Usage may wait,", world{Observed: uninstalled}, key, later},
		"Deactivated": {
			"The kinds of a package that was deactivated stay, and so do the managed resources.",
			world{Observed: map[string]string{"provider/s3": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-s3}, status: {conditions: [{type: Installed, status: "False"}, {type: Healthy, status: "True"}]}}`, "providerconfig": both["providerconfig"]}},
			key, nil,
		},
		"Failing": {
			"but no longer, so that it is in force before the provider runs. Another failure, such as another service or a pod without credentials, does not leave the service unprotected.",
			world{Spec: `{services: [{name: s3}, {name: ec2}], runtime: {verifyCredentials: true}}`, Observed: both},
			key, nil,
		},
		"OtherService": {"An installed provider says nothing about another.", world{Spec: `services: [{name: s3}, {name: ec2}]`, Observed: both}, "usage/provider/ec2/by/providerconfig", later},
		"Protected":    {"A composite resource that was fully protected before is protected again at once.", world{Observed: uninstalled, XR: `status: {conditions: [{type: TeardownProtected, status: "True"}]}`}, key, nil},
		"Family": {
			"The family is there for all services as soon as it is installed.",
			world{Spec: `provider: {family: Manage}`, Observed: map[string]string{"providerconfig": both["providerconfig"], "family": both["provider/s3"]}},
			"usage/family/by/providerconfig", nil,
		},
		"OneEnd": {"A Usage must not reference an end that does not exist.", world{Observed: map[string]string{"providerconfig": both["providerconfig"]}}, key, later},
		"NoKind": {
			"If Crossplane has no Usages, the message says so, with the alternative.",
			world{Observed: both, Answers: map[string]string{"kind/usages.apiextensions.crossplane.io": `[]`}},
			key,
			&Wait{Reason: v1alpha1.ReasonMissing, Subject: "usages.apiextensions.crossplane.io", Message: "missing, install Crossplane v1.19 or later with Usages enabled, or set teardown: Unordered"},
		},
		"Namespaced": {"A namespaced Usage applies as soon as both ends exist.", world{Spec: inNamespaces, Observed: inTeam(both)}, inTeamA, nil},
		"NamespacedOneEnd": {
			"Without a namespaced ProviderConfig, nothing is required for its Usage.",
			world{Spec: inNamespaces, Observed: both, Answers: map[string]string{"kind/usages.protection.crossplane.io": unanswered}},
			inTeamA, later,
		},
		"NamespacedTaken": {
			"A user of the namespace may have created a Usage with that name: Crossplane could apply neither it nor anything else.",
			world{Spec: inNamespaces, Observed: inTeam(both), Answers: map[string]string{"Usage.protection.crossplane.io/team-a/storage-usage-providerconfig-by-providerconfig-team-a-493b0870": `[{metadata: {namespace: team-a, name: x}}]`}},
			inTeamA,
			&Wait{Reason: v1alpha1.ReasonConflict, Subject: "Usage team-a/storage-usage-providerconfig-by-providerconfig-team-a-493b0870", Message: "exists and no composite resource made it: delete it"},
		},
		"NoClusterUsage": {
			"A ClusterUsage is not composed without its kind, either.",
			world{Observed: both, Input: `usageKind: ClusterUsage`, Answers: map[string]string{"kind/clusterusages.protection.crossplane.io": `[]`}},
			key,
			&Wait{Reason: v1alpha1.ReasonMissing, Subject: "clusterusages.protection.crossplane.io", Message: "missing, install Crossplane v2 with Usages enabled, or take usageKind out of the Composition's Input"},
		},
	})
	if r := (world{Spec: inNamespaces, Observed: inTeam(both), Answers: map[string]string{"kind/usages.protection.crossplane.io": `[]`}}).resource(t, inTeamA); r != nil {
		t.Errorf("without namespaced Usages in Crossplane, nothing should wait for one, got %s", r.Name)
	}
	testAbsent(t, map[string]absentCase{
		"Unordered": {"An unordered teardown has no Usages.", `teardown: Unordered`, []string{"usage/"}},
	})
}

// inTeam adds a ProviderConfig in namespace team-a to the observed objects.
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
		"New":     {"A Usage does not count before it is in effect.", `{metadata: {name: u}}`, Readiness{Message: "not in force yet"}},
		"Ready":   {"It counts once it is in effect.", `{status: {conditions: [{type: Ready, status: "True"}]}}`, Readiness{Ready: true}},
		"Waiting": {"The reason to wait is reported.", `{status: {conditions: [{type: Ready, status: "False", message: "no"}]}}`, Readiness{Message: "not ready: no"}},
		"Deleted": {"A Usage that is being deleted no longer protects.", `{metadata: {deletionTimestamp: x}, status: {conditions: [{type: Ready, status: "True"}]}}`, Readiness{Message: "being deleted"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, usageReady(observed(t, tc.in))); diff != "" {
				t.Errorf("%s\nusageReady(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTeardown runs through every order in which Kubernetes may delete the objects of a composite resource, as far as the Usages allow,
// and checks at each step that no deleted object is still needed.
func TestTeardown(t *testing.T) {
	// needs lists the dependencies as AWS and Crossplane see them, independently of the Usages, by the prefixes of keys.
	needs := []struct {
		who   string
		needs []string
	}{
		{"user", []string{"providerconfig", "provider/", "runtimeconfig/", "association/", "attachment/", "role/", "policy/", "family"}},
		{"provider/", []string{"runtimeconfig/", "association/", "attachment/", "role/", "policy/"}},
		{"association/", []string{"role/", "attachment/", "policy/", "family"}},
		// AWS enforces the order among these.
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
			// The bootstrap ProviderConfig is deleted last, because the IAM and EKS resources use it.
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
									t.Fatalf("%s is deleted, but %s needs it; %s still exist", key, who, id)
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
					t.Fatalf("none of these can ever be deleted: %s", id)
				}
			}
			walk(exists)
			if len(seen) < len(all) {
				t.Errorf("checked only %d states of %d objects", len(seen), len(all))
			}
		})
	}
}
