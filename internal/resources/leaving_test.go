package resources

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
)

// TestLeaving says what of a service that the spec no longer names is held, and why.
func TestLeaving(t *testing.T) {
	service := map[string]string{
		"role/sqs":          `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: x-sqs, annotations: {crossplane.io/external-name: x-sqs, other: "1"}}, spec: {forProvider: {path: /}}, status: {a: b}}`,
		"policy/sqs":        `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: x-sqs}}`,
		"attachment/sqs":    `{apiVersion: iam.aws.upbound.io/v1beta1, kind: RolePolicyAttachment, metadata: {name: x-sqs}}`,
		"association/sqs":   `{apiVersion: eks.aws.upbound.io/v1beta1, kind: PodIdentityAssociation, metadata: {name: x-sqs}}`,
		"runtimeconfig/sqs": `{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-sqs}}`,
		"provider/sqs":      `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-sqs}}`,
	}
	usages := map[string]string{
		"usage/provider/sqs/by/providerconfig":    `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: u1}}`,
		"usage/association/sqs/by/provider/sqs":   `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: u2}}`,
		"usage/attachment/sqs/by/association/sqs": `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: u3}}`,
	}
	with := func(ms ...map[string]string) map[string]string {
		out := map[string]string{}
		for _, m := range ms {
			maps.Copy(out, m)
		}
		return out
	}
	but := func(m map[string]string, keys ...string) map[string]string {
		m = maps.Clone(m)
		for _, k := range keys {
			delete(m, k)
		}
		return m
	}
	const (
		noUsers  = "all/ProviderConfigUsage.aws.upbound.io"
		noUsersM = "all/ProviderConfigUsage.aws.m.upbound.io"
		provider = "Provider.pkg.crossplane.io/provider-aws-sqs"
		assoc    = "PodIdentityAssociation.eks.aws.upbound.io/x-sqs"
		attached = "RolePolicyAttachment.iam.aws.upbound.io/x-sqs"
		mine     = `[{metadata: {name: x, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}}]`
		theirs   = `[{metadata: {name: x}}]`
		waitFor  = "to be removed: waiting for "
	)
	none := map[string]string{noUsers: `[]`, noUsersM: `[]`, provider: `[]`, assoc: `[]`, attached: `[]`}
	identity := map[string]string{
		"association/sqs": waitFor + "Provider provider-aws-sqs", "runtimeconfig/sqs": waitFor + "Provider provider-aws-sqs",
		"attachment/sqs": waitFor + "PodIdentityAssociation x-sqs", "role/sqs": waitFor + "PodIdentityAssociation x-sqs", "policy/sqs": waitFor + "RolePolicyAttachment x-sqs",
	}
	users := `[{resourceRef: {apiVersion: sqs.aws.upbound.io/v1beta1, kind: Queue, name: b}}, {resourceRef: {apiVersion: sqs.aws.upbound.io/v1beta1, kind: Queue, name: a}}, {resourceRef: {apiVersion: s3.aws.upbound.io/v1beta1, kind: Bucket, name: c}}]`
	held := "to be removed: managed resources would be deleted with it: Queue a, Queue b. To do: delete them, or put the service back"

	cases := map[string]struct {
		reason   string
		spec     string
		observed map[string]string
		answers  map[string]string
		want     map[string]string
	}{
		"Users": {
			reason:   "While there are managed resources of the service, all of it should stay, its Usages included. Those of other services do not matter.",
			observed: with(service, usages), answers: with(none, map[string]string{noUsers: users}),
			want: with(identity, map[string]string{
				"provider/sqs": held, "usage/provider/sqs/by/providerconfig": held,
				"usage/association/sqs/by/provider/sqs": identity["association/sqs"], "usage/attachment/sqs/by/association/sqs": identity["attachment/sqs"],
			}),
		},
		"NamespacedUsers": {
			reason:   "Namespaced managed resources count as well.",
			observed: service, answers: with(none, map[string]string{noUsersM: `[{resourceRef: {apiVersion: sqs.aws.m.upbound.io/v1beta1, kind: Queue, name: a}}]`}),
			want: with(identity, map[string]string{"provider/sqs": "to be removed: managed resources would be deleted with it: Queue a. To do: delete them, or put the service back"}),
		},
		"NotLookedYet": {
			reason:   "Nothing should go before the answer is there.",
			observed: service, answers: with(none, map[string]string{noUsers: unanswered}),
			want: with(identity, map[string]string{"provider/sqs": "to be removed: looking for managed resources that need it"}),
		},
		"UsageFirst": {
			reason:   "A Usage should go one reconcile before what it protects: Crossplane would stumble over it.",
			observed: with(service, usages), answers: none,
			want: with(identity, map[string]string{
				"provider/sqs":                            "to be removed: its Usage u1 is removed first",
				"usage/association/sqs/by/provider/sqs":   identity["association/sqs"],
				"usage/attachment/sqs/by/association/sqs": identity["attachment/sqs"],
			}),
		},
		"Provider": {
			reason:   "Then the Provider should go,",
			observed: with(service, but(usages, "usage/provider/sqs/by/providerconfig")), answers: none,
			want: with(identity, map[string]string{
				"usage/association/sqs/by/provider/sqs":   identity["association/sqs"],
				"usage/attachment/sqs/by/association/sqs": identity["attachment/sqs"],
			}),
		},
		"StillLabelled": {
			reason:   "unless somebody else's Usage holds it.",
			observed: with(service, map[string]string{"provider/sqs": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-sqs, labels: {crossplane.io/in-use: "true"}}}`}),
			answers:  none,
			want:     with(identity, map[string]string{"provider/sqs": "to be removed: held by a Usage that is not this object's: kubectl get usages,clusterusages shows it"}),
		},
		"ProviderGoing": {
			reason:   "What its pods need should stay until it is gone.",
			observed: but(service, "provider/sqs"), answers: with(none, map[string]string{provider: mine}),
			want: with(identity, map[string]string{
				"association/sqs": waitFor + "Provider provider-aws-sqs to be gone", "runtimeconfig/sqs": waitFor + "Provider provider-aws-sqs to be gone",
			}),
		},
		"Theirs": {
			reason:   "A Provider of somebody else is nothing to wait for.",
			observed: but(service, "provider/sqs"), answers: with(none, map[string]string{provider: theirs}),
			want: but(identity, "association/sqs", "runtimeconfig/sqs"),
		},
		"AssociationGoing": {
			reason:   "Then what the association hands out,",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs", "association/sqs"), answers: with(none, map[string]string{assoc: mine}),
			want: map[string]string{
				"attachment/sqs": waitFor + "PodIdentityAssociation x-sqs to be gone", "role/sqs": waitFor + "PodIdentityAssociation x-sqs to be gone",
				"policy/sqs": identity["policy/sqs"],
			},
		},
		"Attachment": {
			reason:   "the attachment first,",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs", "association/sqs"), answers: none,
			want: map[string]string{"role/sqs": waitFor + "RolePolicyAttachment x-sqs", "policy/sqs": identity["policy/sqs"]},
		},
		"AttachmentGoing": {
			reason:   "then the role, and the policy when it is attached no more.",
			observed: map[string]string{"role/sqs": service["role/sqs"], "policy/sqs": service["policy/sqs"]}, answers: with(none, map[string]string{attached: mine}),
			want: map[string]string{"policy/sqs": waitFor + "RolePolicyAttachment x-sqs to be gone"},
		},
		"Last":      {reason: "In the end nothing should be held.", observed: map[string]string{"policy/sqs": service["policy/sqs"]}, answers: none},
		"Unordered": {reason: "Who wants no order should get none.", spec: `teardown: Unordered`, observed: with(service, usages), answers: with(none, map[string]string{noUsers: users})},
		"NotOurs": {
			reason:   "What other functions compose is none of our business.",
			observed: map[string]string{"provider/x": `{apiVersion: x/v1, kind: Thing, metadata: {name: x}}`, "bucket": `{apiVersion: x/v1, kind: Bucket, metadata: {name: x}}`}, answers: none,
		},
		"Family": {
			reason:   "The family should stay for as long as any other Provider depends on it.",
			observed: map[string]string{"family": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: f}}`},
			answers:  with(none, map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: f}, spec: {package: "a/provider-family-aws:v1"}}, {metadata: {name: iam}, spec: {package: "a/provider-aws-iam:v1"}}]`}),
			want:     map[string]string{"family": "to be removed: Providers iam depend on it. To do: set provider.family: Manage again"},
		},
		"ClusterProviderConfig": {
			reason:   "A ProviderConfig should stay for as long as it has users.",
			observed: map[string]string{"clusterproviderconfig": `{apiVersion: aws.m.upbound.io/v1beta1, kind: ClusterProviderConfig, metadata: {name: c}, status: {users: 2}}`}, answers: none,
			want: map[string]string{"clusterproviderconfig": "to be removed: managed resources use it (2): delete them, or give them another one"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			for _, r := range (world{Spec: tc.spec, Observed: tc.observed, Answers: tc.answers}).all(t) {
				if r.Wait == nil || r.Wait.Reason != v1alpha1.ReasonRemoving {
					continue
				}
				got[r.Key] = r.Wait.Message
				if diff := cmp.Diff(Readiness{Removing: true, Message: r.Wait.Message}, r.Ready(observed(t, tc.observed[r.Key]))); diff != "" {
					t.Errorf("%s: readiness of %s: -want, +got:\n%s", tc.reason, r.Key, diff)
				}
			}
			want := tc.want
			if want == nil {
				want = map[string]string{}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\nheld: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestLeavingAsIs makes sure that what leaves keeps what it is, above all its name in AWS.
func TestLeavingAsIs(t *testing.T) {
	o := observed(t, `{apiVersion: a/v1, kind: Role, metadata: {name: x, uid: u, labels: {a: b}, annotations: {crossplane.io/external-name: e, aws.podidentity.dev/cluster: c, other: "1"}}, spec: {forProvider: {path: /}}, status: {a: b}}`)
	want := testutil.Parse(t, `{apiVersion: a/v1, kind: Role, metadata: {name: x, annotations: {crossplane.io/external-name: e, aws.podidentity.dev/cluster: c}}, spec: {forProvider: {path: /}}}`)
	if diff := cmp.Diff(want, asIs(o).AsMap()); diff != "" {
		t.Errorf("asIs(...): -want, +got:\n%s", diff)
	}
}
