package resources

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
)

// TestLeaving checks which resources of a service that the spec no longer names are kept, and why.
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
			reason:   "While managed resources of the service exist, all its resources stay, including its Usages. Those of other services do not matter.",
			observed: with(service, usages), answers: with(none, map[string]string{noUsers: users}),
			want: with(identity, map[string]string{
				"provider/sqs": held, "usage/provider/sqs/by/providerconfig": held,
				"usage/association/sqs/by/provider/sqs": identity["association/sqs"], "usage/attachment/sqs/by/association/sqs": identity["attachment/sqs"],
			}),
		},
		"NamespacedUsers": {
			reason:   "Namespaced managed resources count, too.",
			observed: service, answers: with(none, map[string]string{noUsersM: `[{resourceRef: {apiVersion: sqs.aws.m.upbound.io/v1beta1, kind: Queue, name: a}}]`}),
			want: with(identity, map[string]string{"provider/sqs": "to be removed: managed resources would be deleted with it: Queue a. To do: delete them, or put the service back"}),
		},
		"OwnName": {
			reason:   "Users are found by the package, regardless of the service's name,",
			observed: map[string]string{"provider/mysqs": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-mysqs}, spec: {package: "r.example.org/x/provider-aws-sqs@sha256:abc"}}`},
			answers:  map[string]string{noUsers: users}, want: map[string]string{"provider/mysqs": held},
		},
		"Revision": {
			reason:   "or by the kinds of its revision, if the package has another name: CustomResourceDefinitions,",
			observed: custom, answers: map[string]string{noUsers: users, revision: brings("CustomResourceDefinition", "queues.sqs.aws.upbound.io")},
			want: map[string]string{"provider/mine": held},
		},
		"Definitions": {
			reason:   "or activated definitions.",
			observed: custom, answers: map[string]string{noUsers: users, revision: brings("ManagedResourceDefinition", "queues.sqs.aws.upbound.io")},
			want: map[string]string{"provider/mine": held},
		},
		"RevisionUnused": {
			reason:   "Users of other kinds do not count.",
			observed: custom, answers: map[string]string{noUsers: users, revision: brings("CustomResourceDefinition", "topics.sns.aws.upbound.io")},
		},
		"RevisionNotLookedYet": {
			reason:   "Nothing is known before the revision is.",
			observed: custom, answers: map[string]string{noUsers: users, revision: unanswered},
			want: map[string]string{"provider/mine": "to be removed: looking for the kinds that its package installs"},
		},
		"RevisionGone": {
			reason:   "If the kinds of a package are unknown, any managed resource may use it.",
			observed: custom, answers: map[string]string{noUsers: users, revision: `[]`},
			want: map[string]string{"provider/mine": "to be removed: cannot tell what needs it: neither its revision nor the name of package r.example.org/x/mine:v1 says which kinds it installs. To do: " + lookInto},
		},
		"NoUsers": {reason: "Without any users, the package is unused.", observed: custom, answers: map[string]string{revision: `[]`}},
		"StrangeKinds": {
			reason:   "Users of kinds that do not record their ProviderConfig are unknown.",
			observed: custom, answers: map[string]string{revision: brings("CustomResourceDefinition", "buckets.s3.example.org")},
			want: map[string]string{"provider/mine": "to be removed: cannot tell what needs it: its package installs kinds of s3.example.org, and nothing shows what uses them. To do: " + lookInto},
		},
		"UsersNotFound": {
			reason:   "A kind that is missing at the moment does not mean that there are no users: the ProviderConfig exists,",
			observed: map[string]string{"provider/sqs": service["provider/sqs"], "providerconfig": `{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: storage}}`},
			answers:  with(none, map[string]string{"kind/providerconfigusages.aws.upbound.io": `[]`}),
			want:     map[string]string{"provider/sqs": "to be removed: cannot tell what needs it: providerconfigusages.aws.upbound.io is not found, though ProviderConfig storage exists. To do: " + lookInto},
		},
		"UsersNotFoundKind": {
			reason:   "or its kind does,",
			observed: map[string]string{"provider/sqs": service["provider/sqs"]},
			answers:  with(none, map[string]string{"kind/providerconfigusages.aws.m.upbound.io": `[]`}),
			want:     map[string]string{"provider/sqs": "to be removed: cannot tell what needs it: providerconfigusages.aws.m.upbound.io is not found, though clusterproviderconfigs.aws.m.upbound.io is. To do: " + lookInto},
		},
		"UsersNotFoundBrought": {
			reason:   "or kinds that would use it do,",
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
		"NoFamily": {reason: "Without any sign of the family, there can be no users.", observed: map[string]string{"provider/sqs": service["provider/sqs"]}, answers: with(none, noFamily)},
		"TheirUsers": {
			reason:   "A Provider that another owner installs may run with the identity, which its users need.",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs"),
			answers:  with(none, map[string]string{noUsers: users, "all/Provider.pkg.crossplane.io": `[{kind: Provider, metadata: {name: theirs}, spec: {package: "a/b/provider-aws-sqs:v1"}}]`}),
			want: with(but(identity, "runtimeconfig/sqs"), map[string]string{
				"association/sqs": "to be removed: managed resources need its credentials, through Provider theirs: Queue a, Queue b. To do: delete them, or put the service back",
			}),
		},
		"TheirUsersAccount": {
			reason: "The name of its package does not matter: it runs as the association's ServiceAccount.",
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
			reason:   "The policy for tenants stays while there is a tenant,",
			observed: let("s3"), answers: map[string]string{tenants: teamA},
			want: map[string]string{"policy/s3.tenants": neededByA, "attachment/s3.tenants": neededByA},
		},
		"NotSharedUnread": {
			reason:   "and until Crossplane has answered,",
			observed: let("s3"), answers: map[string]string{tenants: unanswered},
			want: map[string]string{"policy/s3.tenants": "to be removed: looking for tenants that need it", "attachment/s3.tenants": "to be removed: looking for tenants that need it"},
		},
		"NotSharedOthers": {
			reason:   "but not for tenants of other services.",
			observed: let("s3"), answers: map[string]string{tenants: strings.Replace(teamA, "s3,sqs", "sqs", 1)},
		},
		"NotSharedUnordered": {reason: "With an unordered teardown, nothing is kept.", spec: `teardown: Unordered`, observed: let("s3"), answers: map[string]string{tenants: teamA}},
		"NotSharedNoTenants": {reason: "Without tenants, it is deleted at once.", observed: let("s3"), answers: map[string]string{tenants: `[]`}},
		"SharedService": {
			reason:   "A service that tenants use stays.",
			spec:     `sharing: {}`,
			observed: with(service, let("sqs")), answers: with(none, map[string]string{tenants: teamA}),
			want: with(identity, map[string]string{
				"provider/sqs": neededByA, "policy/sqs.tenants": identity["policy/sqs"], "attachment/sqs.tenants": identity["policy/sqs"],
			}),
		},
		"SharedServiceUnused": {
			reason:   "A service that no tenant uses is deleted.",
			spec:     `sharing: {}`,
			observed: with(service, let("sqs")), answers: with(none, map[string]string{tenants: strings.Replace(teamA, "s3,sqs", "s3", 1)}),
			want: with(identity, map[string]string{"policy/sqs.tenants": identity["policy/sqs"], "attachment/sqs.tenants": identity["policy/sqs"]}),
		},
		"SharedNewRole": {
			reason: "If a shared service gets an existing role, the policy for tenants is deleted with the composed one.",
			spec:   `{sharing: {}, services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/new"}]}`, observed: with(replaced("arn:aws:iam::123456789012:role/new", ""), let("s3")),
			answers: map[string]string{tenants: teamA},
		},
		"ReplacedUsage": {
			reason:   "A Usage of an earlier version stays until its replacement is in effect.",
			observed: map[string]string{"usage/role/s3/by/attachment/s3": `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: u}}`},
			want:     map[string]string{"usage/role/s3/by/attachment/s3": "to be removed: waiting for the Usage that replaces it"},
		},
		"ReplacedUsageInForce": {
			reason: "Then it is deleted.",
			observed: map[string]string{
				"usage/role/s3/by/attachment/s3":  `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: u}}`,
				"usage/role/s3/by/association/s3": `{apiVersion: apiextensions.crossplane.io/v1beta1, kind: Usage, metadata: {name: v}, status: {conditions: [{type: Ready, status: "True"}]}}`,
			},
		},
		"UsageOfOddPolicy": {
			reason: "A policy's path may contain anything, even the separator between the two keys of a Usage.",
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
			reason: "A replaced role stays while the association provides it,",
			spec:   ownRole, observed: replaced("arn:aws:iam::123456789012:role/x-s3", ""),
			want: map[string]string{"role/s3": waitFor + "PodIdentityAssociation a to change to its new role", "policy/s3": waitFor + "PodIdentityAssociation a to change to its new role"},
		},
		"NewRoleUnread": {
			reason: "or does not say which role it provides,",
			spec:   ownRole, observed: replaced("", ""),
			want: map[string]string{"role/s3": "to be removed: PodIdentityAssociation a does not say which role it has", "policy/s3": "to be removed: PodIdentityAssociation a does not say which role it has"},
		},
		"NewRoleNotRestarted": {
			reason: "or the provider's pods have sessions of the old role.",
			spec:   ownRole, observed: with(replaced("arn:aws:iam::123456789012:role/new", ""), map[string]string{"runtimeconfig/s3": `{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-s3}, spec: {deploymentTemplate: {spec: {template: {metadata: {annotations: {aws.podidentity.dev/identity: old}}}}}}}`}),
			want: map[string]string{"role/s3": waitFor + "the provider to be restarted with its new role", "policy/s3": waitFor + "the provider to be restarted with its new role"},
		},
		"NewRoleThere":   {reason: "Then it is deleted.", spec: ownRole, observed: replaced("arn:aws:iam::123456789012:role/new", "")},
		"NewRoleAccount": {reason: "The same name in another account is another role.", spec: ownRole, observed: replaced("arn:aws:iam::210987654321:role/x-s3", "arn:aws:iam::123456789012:role/x-s3")},
		"LessPermission": {
			reason:   "A removed permission is revoked at once.",
			observed: map[string]string{"attachment/s3/arn:aws:iam::aws:policy/a": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: RolePolicyAttachment, metadata: {name: a}}`, "policy/s3.2": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: a}}`},
		},
		"NotLookedYet": {
			reason:   "Nothing is deleted before Crossplane has answered.",
			observed: service, answers: with(none, map[string]string{noUsers: unanswered}),
			want: with(identity, map[string]string{"provider/sqs": "to be removed: looking for managed resources that need it"}),
		},
		"UsageFirst": {
			reason:   "A Usage is deleted one reconcile before the resource that it protects, or Crossplane would fail.",
			observed: with(service, usages), answers: none,
			want: with(identity, map[string]string{
				"provider/sqs":                            "to be removed: its Usage u1 is removed first",
				"usage/association/sqs/by/provider/sqs":   identity["association/sqs"],
				"usage/attachment/sqs/by/association/sqs": identity["attachment/sqs"],
			}),
		},
		"Provider": {
			reason:   "Then the Provider is deleted,",
			observed: with(service, but(usages, "usage/provider/sqs/by/providerconfig")), answers: none,
			want: with(identity, map[string]string{
				"usage/association/sqs/by/provider/sqs":   identity["association/sqs"],
				"usage/attachment/sqs/by/association/sqs": identity["attachment/sqs"],
			}),
		},
		"StillLabelled": {
			reason:   "unless another owner's Usage protects it.",
			observed: with(service, map[string]string{"provider/sqs": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-sqs, labels: {crossplane.io/in-use: "true"}}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-sqs:v2.5.0"}}`}),
			answers:  none,
			want:     with(identity, map[string]string{"provider/sqs": "to be removed: held by a Usage that is not this object's: kubectl get usages,clusterusages shows it"}),
		},
		"ProviderGoing": {
			reason:   "Resources that its pods need stay until it no longer exists.",
			observed: but(service, "provider/sqs"), answers: with(none, map[string]string{provider: `[{metadata: {name: provider-aws-sqs, ` + owned + `}}]`}),
			want: with(identity, map[string]string{
				"association/sqs": waitFor + "Provider provider-aws-sqs to be gone", "runtimeconfig/sqs": waitFor + "Provider provider-aws-sqs to be gone",
			}),
		},
		"AdoptedProviderGoing": {
			reason:   "An adopted Provider has its own name, and so may its package and config.",
			observed: with(but(service, "provider/sqs"), map[string]string{"runtimeconfig/sqs": `{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: pod-id-drc}}`}),
			answers:  with(none, map[string]string{provider: `[{metadata: {name: queues, ` + owned + `}, spec: {package: "r.example.org/x/mine:v1", runtimeConfigRef: {name: pod-id-drc}}}]`}),
			want: with(identity, map[string]string{
				"association/sqs": waitFor + "Provider queues to be gone", "runtimeconfig/sqs": waitFor + "Provider queues to be gone",
			}),
		},
		"AdoptedPackageGoing": {
			reason:   "Without its config, it is identified by its package.",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs"),
			answers:  with(none, map[string]string{provider: `[{metadata: {name: queues, ` + owned + `}, spec: {package: "r.example.org/x/provider-aws-sqs:v1"}}]`}),
			want:     with(but(identity, "runtimeconfig/sqs"), map[string]string{"association/sqs": waitFor + "Provider queues to be gone"}),
		},
		"RenamedService": {
			reason: "A desired Provider is not being deleted, regardless of its package: the service has a new name.",
			spec:   `services: [{name: queues, package: r.example.org/x/provider-aws-sqs, permissions: {statements: [{actions: ["sqs:*"], resources: ["*"]}]}}]`,
			observed: with(but(service, "provider/sqs"), map[string]string{
				"provider/queues": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-queues, ` + owned + `}, spec: {package: "r.example.org/x/provider-aws-sqs:v2.5.0"}}`,
			}),
			answers: with(none, map[string]string{provider: `[{metadata: {name: provider-aws-queues, ` + owned + `}, spec: {package: "r.example.org/x/provider-aws-sqs:v2.5.0"}}]`}),
			want:    but(identity, "association/sqs", "runtimeconfig/sqs"),
		},
		"OtherProviderGoing": {
			reason:   "The deletion of another service's Provider is no reason to wait.",
			observed: but(service, "provider/sqs"), answers: with(none, map[string]string{provider: `[{metadata: {name: provider-aws-sns, ` + owned + `}, spec: {package: "a/provider-aws-sns:v1", runtimeConfigRef: {name: provider-aws-sns}}}]`}),
			want: but(identity, "association/sqs", "runtimeconfig/sqs"),
		},
		"Theirs": {
			reason:   "Another owner's Provider is no reason to wait.",
			observed: but(service, "provider/sqs"), answers: with(none, map[string]string{provider: `[{metadata: {name: provider-aws-sqs}}]`}),
			want: but(identity, "association/sqs", "runtimeconfig/sqs"),
		},
		"ProvidersNotLookedYet": {
			reason:   "Until the existing Providers are known, one may need the resources.",
			observed: but(service, "provider/sqs"), answers: with(none, map[string]string{provider: unanswered}),
			want: with(identity, map[string]string{
				"association/sqs": "to be removed: looking for Providers that need it", "runtimeconfig/sqs": "to be removed: looking for Providers that need it",
			}),
		},
		"AssociationGoing": {
			reason:   "Then the resources that the association provides wait for it,",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs", "association/sqs"), answers: with(none, map[string]string{assoc: mine}),
			want: map[string]string{
				"attachment/sqs": waitFor + "PodIdentityAssociation x-sqs to be gone", "role/sqs": waitFor + "PodIdentityAssociation x-sqs to be gone",
				"policy/sqs": waitFor + "PodIdentityAssociation x-sqs to be gone",
			},
		},
		"Identity": {
			reason:   "and are deleted at once: AWS enforces the order among role, policy and attachment.",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs", "association/sqs"), answers: none,
		},
		"AssociationUnreadable": {
			reason:   "An association whose kind is not found may still exist.",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs", "association/sqs"), answers: with(none, map[string]string{"kind/podidentityassociations.eks.aws.upbound.io": `[]`}),
			want: map[string]string{"attachment/sqs": unreadable, "role/sqs": unreadable, "policy/sqs": unreadable},
		},
		"AssociationNotLookedYet": {
			reason:   "So may one that has not been looked up yet.",
			observed: but(service, "provider/sqs", "runtimeconfig/sqs", "association/sqs", "role/sqs"), answers: with(none, map[string]string{assoc: unanswered}),
			want: map[string]string{"attachment/sqs": lookingForAssociation, "policy/sqs": lookingForAssociation},
		},
		"Last":      {reason: "In the end, nothing is kept.", observed: map[string]string{"policy/sqs": service["policy/sqs"]}, answers: none},
		"Unordered": {reason: "With an unordered teardown, nothing is kept.", spec: `teardown: Unordered`, observed: service, answers: with(none, map[string]string{noUsers: users})},
		"UnorderedLate": {
			reason: "If the teardown was ordered before, Usages still exist: they are deleted first, because Crossplane stops at the resources that they protect.",
			spec:   `teardown: Unordered`, observed: with(service, usages), answers: with(none, map[string]string{noUsers: users}),
			want: map[string]string{
				"provider/sqs": "to be removed: its Usage u1 is removed first", "association/sqs": "to be removed: its Usage u2 is removed first", "attachment/sqs": "to be removed: its Usage u3 is removed first",
			},
		},
		"UnorderedInUse": {
			reason:   "Crossplane stops at another owner's Usage, too.",
			spec:     `teardown: Unordered`,
			observed: map[string]string{"provider/sqs": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: p, labels: {crossplane.io/in-use: "true"}}}`}, answers: none,
			want: map[string]string{"provider/sqs": "to be removed: held by a Usage that is not this object's: kubectl get usages,clusterusages shows it"},
		},
		"NotOurs": {
			reason:   "Resources of other functions are ignored.",
			observed: map[string]string{"provider/x": `{apiVersion: x/v1, kind: Thing, metadata: {name: x}}`, "bucket": `{apiVersion: x/v1, kind: Bucket, metadata: {name: x}}`}, answers: none,
		},
		"Family": {
			reason:   "The family stays as long as another Provider depends on it.",
			observed: map[string]string{"family": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: f}}`},
			answers:  with(none, map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: f}, spec: {package: "a/provider-family-aws:v1"}}, {metadata: {name: iam}, spec: {package: "a/provider-aws-iam:v1"}}]`}),
			want:     map[string]string{"family": "to be removed: Providers iam depend on it. To do: set provider.family: Manage again"},
		},
		"FamilyOwnPackage": {
			reason:   "The name of that Provider's package does not matter: it has kinds of the family.",
			observed: map[string]string{"family": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: f}}`},
			answers: with(none, map[string]string{
				provider: `[{metadata: {name: f}, spec: {package: "a/provider-family-aws:v1"}}, {metadata: {name: mine}, spec: {package: "r.example.org/x/mine:v1"}, status: {currentRevision: mine-1}}]`,
				revision: brings("CustomResourceDefinition", "queues.sqs.aws.upbound.io"),
			}),
			want: map[string]string{"family": "to be removed: Providers mine depend on it. To do: set provider.family: Manage again"},
		},
		"FamilyNotLookedYet": {
			reason:   "Until that is known, it may depend on it.",
			observed: map[string]string{"family": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: f}}`},
			answers:  with(none, map[string]string{provider: `[{metadata: {name: mine}, spec: {package: "r.example.org/x/mine:v1"}, status: {currentRevision: mine-1}}]`, revision: unanswered}),
			want:     map[string]string{"family": "to be removed: looking for the kinds that its package installs"},
		},
		"FamilyOfOthers": {
			reason:   "Providers of other clouds do not depend on it.",
			observed: map[string]string{"family": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: f}}`},
			answers: with(none, map[string]string{
				provider: `[{metadata: {name: mine}, spec: {package: "r.example.org/x/mine:v1"}, status: {currentRevision: mine-1}}]`,
				revision: brings("CustomResourceDefinition", "objects.kubernetes.crossplane.io"),
			}),
		},
		"ClusterProviderConfig": {
			reason:   "A ProviderConfig stays as long as it has users.",
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
					// Until then, the Usage keeps working.
					want = usageReady(observed(t, tc.observed[r.Key]))
				}
				if diff := cmp.Diff(want, r.Ready(observed(t, tc.observed[r.Key]))); diff != "" {
					t.Errorf("%s\nreadiness of %s: -want, +got:\n%s", tc.reason, r.Key, diff)
				}
			}
			want := tc.want
			if want == nil {
				want = map[string]string{}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\nkept: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestLeavingAsIs checks that a resource that is being removed stays as it is, including its name in AWS.
func TestLeavingAsIs(t *testing.T) {
	o := observed(t, `{apiVersion: a/v1, kind: Role, metadata: {name: x, uid: u, labels: {a: b}, annotations: {crossplane.io/external-name: e, aws.podidentity.dev/cluster: c, other: "1"}}, spec: {forProvider: {path: /}}, status: {a: b}}`)
	want := testutil.Parse(t, `{apiVersion: a/v1, kind: Role, metadata: {name: x, annotations: {crossplane.io/external-name: e, aws.podidentity.dev/cluster: c}}, spec: {forProvider: {path: /}}}`)
	if diff := cmp.Diff(want, asIs(o).AsMap()); diff != "" {
		t.Errorf("asIs(...): -want, +got:\n%s", diff)
	}
}
