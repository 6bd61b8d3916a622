package resources

import (
	"maps"
	"strings"
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
		"provider/sqs":      `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-sqs}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-sqs:v2.5.0"}}`,
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
		provider = "all/Provider.pkg.crossplane.io"
		assoc    = "PodIdentityAssociation.eks.aws.upbound.io/x-sqs"
		mine     = `[{metadata: {name: x, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}}]`
		owned    = `ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]`
		waitFor  = "to be removed: waiting for "

		unreadable            = "to be removed: cannot tell whether PodIdentityAssociation x-sqs exists: podidentityassociations.eks.aws.upbound.io is not found. To do: look into that, or set teardown: Unordered if nothing needs it any more"
		lookingForAssociation = "to be removed: checking whether PodIdentityAssociation x-sqs still exists"
	)
	none := map[string]string{noUsers: `[]`, noUsersM: `[]`, provider: `[]`, assoc: `[]`}
	identity := map[string]string{
		"association/sqs": waitFor + "Provider provider-aws-sqs", "runtimeconfig/sqs": waitFor + "Provider provider-aws-sqs",
		"attachment/sqs": waitFor + "PodIdentityAssociation x-sqs", "role/sqs": waitFor + "PodIdentityAssociation x-sqs", "policy/sqs": waitFor + "PodIdentityAssociation x-sqs",
	}
	const (
		tenants   = "ProviderConfig.aws.upbound.io/aws.podidentity.dev/host=storage"
		teamA     = `[{metadata: {name: team-a-x, labels: {crossplane.io/claim-namespace: team-a, crossplane.io/claim-name: x}, annotations: {aws.podidentity.dev/services: "s3,sqs"}}, spec: {assumeRoleChain: [{roleARN: "arn:aws:iam::111122223333:role/crossplane/prod/team-a/x"}]}}]`
		neededByA = "to be removed: tenants need it (claim team-a/x). To do: delete them, or set sharing back"
	)
	let := func(service string) map[string]string {
		return map[string]string{
			"policy/" + service + ".tenants":     `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: t}}`,
			"attachment/" + service + ".tenants": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: RolePolicyAttachment, metadata: {name: t}}`,
		}
	}
	users := `[{resourceRef: {apiVersion: sqs.aws.upbound.io/v1beta1, kind: Queue, name: b}}, {resourceRef: {apiVersion: sqs.aws.upbound.io/v1beta1, kind: Queue, name: a}}, {resourceRef: {apiVersion: s3.aws.upbound.io/v1beta1, kind: Bucket, name: c}}]`
	held := "to be removed: managed resources would be deleted with it: Queue a, Queue b. To do: delete them, or put the service back"

	const (
		revision = "ProviderRevision.pkg.crossplane.io/mine-1"
		lookInto = "look into that, or set teardown: Unordered if nothing needs it any more"
		ownRole  = `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/new"}]`
	)
	custom := map[string]string{"provider/mine": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: mine}, spec: {package: "r.example.org/x/mine:v1"}, status: {currentRevision: mine-1}}`}
	brings := func(kind, name string) string {
		return `[{metadata: {name: mine-1}, status: {objectRefs: [{kind: ValidatingWebhookConfiguration, name: "a.b.c"}, {kind: ` + kind + `, name: ` + name + `}]}}]`
	}
	noFamily := map[string]string{
		"kind/providerconfigusages.aws.upbound.io": `[]`, "kind/providerconfigusages.aws.m.upbound.io": `[]`,
		"kind/providerconfigs.aws.upbound.io": `[]`, "kind/clusterproviderconfigs.aws.m.upbound.io": `[]`,
	}
	replaced := func(now, old string) map[string]string {
		return map[string]string{
			"role/s3":        `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: x-s3, annotations: {crossplane.io/external-name: X-s3}}, status: {atProvider: {arn: "` + old + `"}}}`,
			"policy/s3":      `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: x-s3}}`,
			"association/s3": `{apiVersion: eks.aws.upbound.io/v1beta1, kind: PodIdentityAssociation, metadata: {name: a}, status: {atProvider: {associationId: a-1, roleArn: "` + now + `"}}}`,
		}
	}

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
		"OwnName": {
			reason:   "Users are those of the package, whatever the service is called.",
			observed: map[string]string{"provider/mysqs": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-mysqs}, spec: {package: "r.example.org/x/provider-aws-sqs@sha256:abc"}}`},
			answers:  map[string]string{noUsers: users}, want: map[string]string{"provider/mysqs": held},
		},
		"Revision": {
			reason:   "Or of what its revision brings, where the package has a name of its own: CustomResourceDefinitions,",
			observed: custom, answers: map[string]string{noUsers: users, revision: brings("CustomResourceDefinition", "queues.sqs.aws.upbound.io")},
			want: map[string]string{"provider/mine": held},
		},
		"Definitions": {
			reason:   "or definitions that somebody activated.",
			observed: custom, answers: map[string]string{noUsers: users, revision: brings("ManagedResourceDefinition", "queues.sqs.aws.upbound.io")},
			want: map[string]string{"provider/mine": held},
		},
		"RevisionUnused": {
			reason:   "What others use is no reason.",
			observed: custom, answers: map[string]string{noUsers: users, revision: brings("CustomResourceDefinition", "topics.sns.aws.upbound.io")},
		},
		"RevisionNotLookedYet": {
			reason:   "Before the revision is known nothing is.",
			observed: custom, answers: map[string]string{noUsers: users, revision: unanswered},
			want: map[string]string{"provider/mine": "to be removed: looking for the kinds that its package brings"},
		},
		"RevisionGone": {
			reason:   "Where nothing tells what a package brings, anybody may use it.",
			observed: custom, answers: map[string]string{noUsers: users, revision: `[]`},
			want: map[string]string{"provider/mine": "to be removed: cannot tell what needs it: neither its revision nor the name of package r.example.org/x/mine:v1 tells what kinds it brings. To do: " + lookInto},
		},
		"NobodyAtAll": {reason: "But nobody does where there are no users at all.", observed: custom, answers: map[string]string{revision: `[]`}},
		"StrangeKinds": {
			reason:   "Of kinds that do not say what they use nothing can be told.",
			observed: custom, answers: map[string]string{revision: brings("CustomResourceDefinition", "buckets.s3.example.org")},
			want: map[string]string{"provider/mine": "to be removed: cannot tell what needs it: its package brings kinds of s3.example.org, and nothing tells who uses those. To do: " + lookInto},
		},
		"UsersNotFound": {
			reason:   "A kind that is not found for a moment is not nobody: the ProviderConfig is there,",
			observed: map[string]string{"provider/sqs": service["provider/sqs"], "providerconfig": `{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: storage}}`},
			answers:  with(none, map[string]string{"kind/providerconfigusages.aws.upbound.io": `[]`}),
			want:     map[string]string{"provider/sqs": "to be removed: cannot tell what needs it: providerconfigusages.aws.upbound.io is not found, though ProviderConfig storage exists. To do: " + lookInto},
		},
		"UsersNotFoundKind": {
			reason:   "or its kind is,",
			observed: map[string]string{"provider/sqs": service["provider/sqs"]},
			answers:  with(none, map[string]string{"kind/providerconfigusages.aws.m.upbound.io": `[]`}),
			want:     map[string]string{"provider/sqs": "to be removed: cannot tell what needs it: providerconfigusages.aws.m.upbound.io is not found, though clusterproviderconfigs.aws.m.upbound.io is. To do: " + lookInto},
		},
		"UsersNotFoundBrought": {
			reason:   "or kinds that would use one are,",
			observed: custom,
			answers:  with(none, noFamily, map[string]string{revision: brings("CustomResourceDefinition", "queues.sqs.aws.m.upbound.io")}),
			want:     map[string]string{"provider/mine": "to be removed: cannot tell what needs it: providerconfigusages.aws.m.upbound.io is not found, though kinds of sqs.aws.m.upbound.io are installed. To do: " + lookInto},
		},
		"UsersNotFoundHealthy": {
			reason:   "or the Provider is healthy, which depends on it.",
			observed: map[string]string{"provider/sqs": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-sqs}, spec: {package: "a/b/provider-aws-sqs:v1"}, status: {conditions: [{type: Healthy, status: "True"}]}}`},
			answers:  with(none, noFamily),
			want:     map[string]string{"provider/sqs": "to be removed: cannot tell what needs it: providerconfigusages.aws.upbound.io is not found, though Provider provider-aws-sqs is healthy. To do: " + lookInto},
		},
		"NoFamily": {reason: "Where there is no sign of the family at all, nobody can use anything.", observed: map[string]string{"provider/sqs": service["provider/sqs"]}, answers: with(none, noFamily)},
		"TheirUsers": {
			reason:   "A Provider that somebody else installs may run with the identity: its users need it.",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs"),
			answers:  with(none, map[string]string{noUsers: users, "all/Provider.pkg.crossplane.io": `[{kind: Provider, metadata: {name: theirs}, spec: {package: "a/b/provider-aws-sqs:v1"}}]`}),
			want: with(but(identity, "runtimeconfig/sqs"), map[string]string{
				"association/sqs": "to be removed: managed resources need its credentials, through Provider theirs: Queue a, Queue b. To do: delete them, or put the service back",
			}),
		},
		"TheirUsersAccount": {
			reason: "Whatever its package is called: it runs as the ServiceAccount that the association is for.",
			observed: with(but(service, "provider/sqs", "runtimeconfig/sqs"), map[string]string{
				"association/sqs": `{apiVersion: eks.aws.upbound.io/v1beta1, kind: PodIdentityAssociation, metadata: {name: x-sqs}, spec: {forProvider: {serviceAccount: queues}}}`,
			}),
			answers: with(none, map[string]string{
				noUsers: users, provider: `[{kind: Provider, metadata: {name: other}, spec: {package: "a/b/other:v1"}}, {kind: Provider, metadata: {name: theirs}, spec: {package: "r.example.org/x/mine:v1", runtimeConfigRef: {name: queues-config}}, status: {currentRevision: mine-1}}]`,
				"all/DeploymentRuntimeConfig.pkg.crossplane.io": `[{metadata: {name: queues-config}, spec: {serviceAccountTemplate: {metadata: {name: queues}}}}]`,
				revision: brings("CustomResourceDefinition", "queues.sqs.aws.upbound.io"),
			}),
			want: with(but(identity, "runtimeconfig/sqs"), map[string]string{
				"association/sqs": "to be removed: managed resources need its credentials, through Provider theirs: Queue a, Queue b. To do: delete them, or put the service back",
			}),
		},
		"NotShared": {
			reason:   "What lets tenants in should stay while there is one.",
			observed: let("s3"), answers: map[string]string{tenants: teamA},
			want: map[string]string{"policy/s3.tenants": neededByA, "attachment/s3.tenants": neededByA},
		},
		"NotSharedUnread": {
			reason:   "So it should until the answer is there,",
			observed: let("s3"), answers: map[string]string{tenants: unanswered},
			want: map[string]string{"policy/s3.tenants": "to be removed: looking for tenants that need it", "attachment/s3.tenants": "to be removed: looking for tenants that need it"},
		},
		"NotSharedOthers": {
			reason:   "and not for tenants of other services.",
			observed: let("s3"), answers: map[string]string{tenants: strings.Replace(teamA, "s3,sqs", "sqs", 1)},
		},
		"NotSharedUnordered": {reason: "Who wants no order should get none.", spec: `teardown: Unordered`, observed: let("s3"), answers: map[string]string{tenants: teamA}},
		"NotSharedNobody":    {reason: "Without tenants it should go at once.", observed: let("s3"), answers: map[string]string{tenants: `[]`}},
		"SharedService": {
			reason:   "A service that tenants use should not leave.",
			spec:     `sharing: {}`,
			observed: with(service, let("sqs")), answers: with(none, map[string]string{tenants: teamA}),
			want: with(identity, map[string]string{
				"provider/sqs": neededByA, "policy/sqs.tenants": identity["policy/sqs"], "attachment/sqs.tenants": identity["policy/sqs"],
			}),
		},
		"SharedServiceUnused": {
			reason:   "One that none uses should.",
			spec:     `sharing: {}`,
			observed: with(service, let("sqs")), answers: with(none, map[string]string{tenants: strings.Replace(teamA, "s3,sqs", "s3", 1)}),
			want: with(identity, map[string]string{"policy/sqs.tenants": identity["policy/sqs"], "attachment/sqs.tenants": identity["policy/sqs"]}),
		},
		"SharedNewRole": {
			reason: "Where a shared service gets somebody else's role, what let tenants in goes with the composed one.",
			spec:   `{sharing: {}, services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/new"}]}`, observed: with(replaced("arn:aws:iam::123456789012:role/new", ""), let("s3")),
			answers: map[string]string{tenants: teamA},
		},
		"ReplacedUsage": {
			reason:   "A Usage of an earlier version should stay until the one that replaces it is in force.",
			observed: map[string]string{"usage/role/s3/by/attachment/s3": `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: u}}`},
			want:     map[string]string{"usage/role/s3/by/attachment/s3": "to be removed: waiting for the Usage that replaces it"},
		},
		"ReplacedUsageInForce": {
			reason: "Then it should go.",
			observed: map[string]string{
				"usage/role/s3/by/attachment/s3":  `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: u}}`,
				"usage/role/s3/by/association/s3": `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: v}, status: {conditions: [{type: Ready, status: "True"}]}}`,
			},
		},
		"UsageOfOddPolicy": {
			reason: "A policy's path may have anything in it, also what is between the two keys of a Usage.",
			observed: with(service, map[string]string{
				"attachment/sqs/arn:aws:iam::123456789012:policy/by/x":                          `{apiVersion: iam.aws.upbound.io/v1beta1, kind: RolePolicyAttachment, metadata: {name: odd}}`,
				"usage/attachment/sqs/arn:aws:iam::123456789012:policy/by/x/by/association/sqs": `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: u}}`,
			}), answers: with(none, map[string]string{noUsers: users}),
			want: with(identity, map[string]string{
				"provider/sqs": held,
				"attachment/sqs/arn:aws:iam::123456789012:policy/by/x":                          identity["attachment/sqs"],
				"usage/attachment/sqs/arn:aws:iam::123456789012:policy/by/x/by/association/sqs": identity["attachment/sqs"],
			}),
		},
		"NewRole": {
			reason: "A role that is replaced should stay while the association hands it out,",
			spec:   ownRole, observed: replaced("arn:aws:iam::123456789012:role/x-s3", ""),
			want: map[string]string{"role/s3": waitFor + "PodIdentityAssociation a to change to its new role", "policy/s3": waitFor + "PodIdentityAssociation a to change to its new role"},
		},
		"NewRoleUnread": {
			reason: "or does not say what it hands out,",
			spec:   ownRole, observed: replaced("", ""),
			want: map[string]string{"role/s3": "to be removed: PodIdentityAssociation a does not say which role it has", "policy/s3": "to be removed: PodIdentityAssociation a does not say which role it has"},
		},
		"NewRoleNotRestarted": {
			reason: "or the provider's pods have sessions of the old one.",
			spec:   ownRole, observed: with(replaced("arn:aws:iam::123456789012:role/new", ""), map[string]string{"runtimeconfig/s3": `{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-s3}, spec: {deploymentTemplate: {spec: {template: {metadata: {annotations: {aws.podidentity.dev/identity: old}}}}}}}`}),
			want: map[string]string{"role/s3": waitFor + "the provider to be restarted with its new role", "policy/s3": waitFor + "the provider to be restarted with its new role"},
		},
		"NewRoleThere":   {reason: "Then it should go.", spec: ownRole, observed: replaced("arn:aws:iam::123456789012:role/new", "")},
		"NewRoleAccount": {reason: "The same name in another account is another role.", spec: ownRole, observed: replaced("arn:aws:iam::210987654321:role/x-s3", "arn:aws:iam::123456789012:role/x-s3")},
		"LessPermission": {
			reason:   "A permission that is taken away should go at once.",
			observed: map[string]string{"attachment/s3/arn:aws:iam::aws:policy/a": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: RolePolicyAttachment, metadata: {name: a}}`, "policy/s3.2": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: a}}`},
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
			observed: with(service, map[string]string{"provider/sqs": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-sqs, labels: {crossplane.io/in-use: "true"}}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-sqs:v2.5.0"}}`}),
			answers:  none,
			want:     with(identity, map[string]string{"provider/sqs": "to be removed: held by a Usage that is not this object's: kubectl get usages,clusterusages shows it"}),
		},
		"ProviderGoing": {
			reason:   "What its pods need should stay until it is gone.",
			observed: but(service, "provider/sqs"), answers: with(none, map[string]string{provider: `[{metadata: {name: provider-aws-sqs, ` + owned + `}}]`}),
			want: with(identity, map[string]string{
				"association/sqs": waitFor + "Provider provider-aws-sqs to be gone", "runtimeconfig/sqs": waitFor + "Provider provider-aws-sqs to be gone",
			}),
		},
		"AdoptedProviderGoing": {
			reason:   "One that was taken over has a name of its own, and so may its package and its config have.",
			observed: with(but(service, "provider/sqs"), map[string]string{"runtimeconfig/sqs": `{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: pod-id-drc}}`}),
			answers:  with(none, map[string]string{provider: `[{metadata: {name: queues, ` + owned + `}, spec: {package: "r.example.org/x/mine:v1", runtimeConfigRef: {name: pod-id-drc}}}]`}),
			want: with(identity, map[string]string{
				"association/sqs": waitFor + "Provider queues to be gone", "runtimeconfig/sqs": waitFor + "Provider queues to be gone",
			}),
		},
		"AdoptedPackageGoing": {
			reason:   "Without its config it is known by its package.",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs"),
			answers:  with(none, map[string]string{provider: `[{metadata: {name: queues, ` + owned + `}, spec: {package: "r.example.org/x/provider-aws-sqs:v1"}}]`}),
			want:     with(but(identity, "runtimeconfig/sqs"), map[string]string{"association/sqs": waitFor + "Provider queues to be gone"}),
		},
		"RenamedService": {
			reason: "A Provider that is wanted is not on its way out, whatever its package: the service has another name now.",
			spec:   `services: [{name: queues, package: r.example.org/x/provider-aws-sqs, permissions: {statements: [{actions: ["sqs:*"], resources: ["*"]}]}}]`,
			observed: with(but(service, "provider/sqs"), map[string]string{
				"provider/queues": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-queues, ` + owned + `}, spec: {package: "r.example.org/x/provider-aws-sqs:v2.5.0"}}`,
			}),
			answers: with(none, map[string]string{provider: `[{metadata: {name: provider-aws-queues, ` + owned + `}, spec: {package: "r.example.org/x/provider-aws-sqs:v2.5.0"}}]`}),
			want:    but(identity, "association/sqs", "runtimeconfig/sqs"),
		},
		"OtherProviderGoing": {
			reason:   "That another service's is on its way out is no reason to wait.",
			observed: but(service, "provider/sqs"), answers: with(none, map[string]string{provider: `[{metadata: {name: provider-aws-sns, ` + owned + `}, spec: {package: "a/provider-aws-sns:v1", runtimeConfigRef: {name: provider-aws-sns}}}]`}),
			want: but(identity, "association/sqs", "runtimeconfig/sqs"),
		},
		"Theirs": {
			reason:   "A Provider of somebody else is nothing to wait for.",
			observed: but(service, "provider/sqs"), answers: with(none, map[string]string{provider: `[{metadata: {name: provider-aws-sqs}}]`}),
			want: but(identity, "association/sqs", "runtimeconfig/sqs"),
		},
		"ProvidersNotLookedYet": {
			reason:   "Until it is known what Providers there are, one may need it.",
			observed: but(service, "provider/sqs"), answers: with(none, map[string]string{provider: unanswered}),
			want: with(identity, map[string]string{
				"association/sqs": "to be removed: looking for Providers that need it", "runtimeconfig/sqs": "to be removed: looking for Providers that need it",
			}),
		},
		"AssociationGoing": {
			reason:   "Then what the association hands out,",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs", "association/sqs"), answers: with(none, map[string]string{assoc: mine}),
			want: map[string]string{
				"attachment/sqs": waitFor + "PodIdentityAssociation x-sqs to be gone", "role/sqs": waitFor + "PodIdentityAssociation x-sqs to be gone",
				"policy/sqs": waitFor + "PodIdentityAssociation x-sqs to be gone",
			},
		},
		"Identity": {
			reason:   "all at once: among role, policy and attachment AWS keeps the order.",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs", "association/sqs"), answers: none,
		},
		"AssociationUnreadable": {
			reason:   "An association whose kind is not found may still be there.",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs", "association/sqs"), answers: with(none, map[string]string{"kind/podidentityassociations.eks.aws.upbound.io": `[]`}),
			want: map[string]string{"attachment/sqs": unreadable, "role/sqs": unreadable, "policy/sqs": unreadable},
		},
		"AssociationNotLookedYet": {
			reason:   "So may one that was not looked for yet.",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs", "association/sqs", "role/sqs"), answers: with(none, map[string]string{assoc: unanswered}),
			want: map[string]string{"attachment/sqs": lookingForAssociation, "policy/sqs": lookingForAssociation},
		},
		"Last":      {reason: "In the end nothing should be held.", observed: map[string]string{"policy/sqs": service["policy/sqs"]}, answers: none},
		"Unordered": {reason: "Who wants no order should get none.", spec: `teardown: Unordered`, observed: service, answers: with(none, map[string]string{noUsers: users})},
		"UnorderedLate": {
			reason: "After a change of mind there are Usages still: they leave first, as Crossplane stops at what they protect.",
			spec:   `teardown: Unordered`, observed: with(service, usages), answers: with(none, map[string]string{noUsers: users}),
			want: map[string]string{
				"provider/sqs": "to be removed: its Usage u1 is removed first", "association/sqs": "to be removed: its Usage u2 is removed first", "attachment/sqs": "to be removed: its Usage u3 is removed first",
			},
		},
		"UnorderedInUse": {
			reason:   "It stops at somebody else's Usage, too.",
			spec:     `teardown: Unordered`,
			observed: map[string]string{"provider/sqs": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: p, labels: {crossplane.io/in-use: "true"}}}`}, answers: none,
			want: map[string]string{"provider/sqs": "to be removed: held by a Usage that is not this object's: kubectl get usages,clusterusages shows it"},
		},
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
		"FamilyOwnPackage": {
			reason:   "Whatever the package of that is called: it brings kinds of the family.",
			observed: map[string]string{"family": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: f}}`},
			answers: with(none, map[string]string{
				provider: `[{metadata: {name: f}, spec: {package: "a/provider-family-aws:v1"}}, {metadata: {name: mine}, spec: {package: "r.example.org/x/mine:v1"}, status: {currentRevision: mine-1}}]`,
				revision: brings("CustomResourceDefinition", "queues.sqs.aws.upbound.io"),
			}),
			want: map[string]string{"family": "to be removed: Providers mine depend on it. To do: set provider.family: Manage again"},
		},
		"FamilyNotLookedYet": {
			reason:   "Until that is known, it may.",
			observed: map[string]string{"family": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: f}}`},
			answers:  with(none, map[string]string{provider: `[{metadata: {name: mine}, spec: {package: "r.example.org/x/mine:v1"}, status: {currentRevision: mine-1}}]`, revision: unanswered}),
			want:     map[string]string{"family": "to be removed: looking for the kinds that its package brings"},
		},
		"FamilyOfOthers": {
			reason:   "Providers of other clouds do not.",
			observed: map[string]string{"family": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: f}}`},
			answers: with(none, map[string]string{
				provider: `[{metadata: {name: mine}, spec: {package: "r.example.org/x/mine:v1"}, status: {currentRevision: mine-1}}]`,
				revision: brings("CustomResourceDefinition", "objects.kubernetes.crossplane.io"),
			}),
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
				want := Readiness{Removing: true, Message: r.Wait.Message}
				if strings.HasSuffix(r.Wait.Message, "the Usage that replaces it") {
					// It does its work as ever.
					want = usageReady(observed(t, tc.observed[r.Key]))
				}
				if diff := cmp.Diff(want, r.Ready(observed(t, tc.observed[r.Key]))); diff != "" {
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
