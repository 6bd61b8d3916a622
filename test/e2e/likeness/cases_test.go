package likeness

import (
	"context"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
)

// trust and access policies.
const (
	trust  = `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}'`
	trust2 = `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'`
	read   = `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'`
	write  = `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}'`

	managed = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
)

// role with fields of its spec, beside its trust policy, and more of the object.
func role(fields, more string) string { return roleOf("assumeRolePolicy: "+trust+", "+fields, more) }

func roleOf(fields, more string) string {
	return `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: NAME}, spec: {forProvider: {` + fields + `}, ` + more + `}}`
}

func policy(fields, more string) string {
	return `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: NAME}, spec: {forProvider: {` + fields + `}, ` + more + `}}`
}

func attachment(fields string) string {
	return `{apiVersion: iam.aws.upbound.io/v1beta1, kind: RolePolicyAttachment, metadata: {name: NAME}, spec: {forProvider: {` + fields + `}}}`
}

func association(fields, more string) string {
	return `{apiVersion: eks.aws.upbound.io/v1beta1, kind: PodIdentityAssociation, metadata: {name: NAME}, spec: {forProvider: {region: eu-west-1, clusterName: prod, namespace: default, serviceAccount: NAME, ` + fields + `}, ` + more + `}}`
}

// References of the objects of a case to each other, and a role that always exists.
const (
	toBoth    = `policyArnRef: {name: NAME}, roleRef: {name: NAME}`
	toRole    = `roleArnRef: {name: NAME}`
	adminRole = `roleArn: "arn:aws:iam::123456789012:role/admin"`
)

// fault makes AWS answer an action on the resource of the case's name with an error, until faultless. The answer takes a second, so that it
// does not overtake the status that the same reconcile writes: otherwise the real provider loses it, and asks again half a minute later.
func fault(f aws.Fault, s step) step {
	apply := s.do
	s.name += ", " + f.Action + " " + f.Code
	s.do = func(ctx context.Context, side *side, name string) error {
		f.Resource, f.Latency = name, time.Second
		if strings.HasSuffix(f.Action, "Association") {
			f.Resource = "prod/default/" + name
		}
		stop := side.Inject(f)
		side.mu.Lock()
		side.heal[name] = append(side.heal[name], stop)
		side.mu.Unlock()
		return apply(ctx, side, name)
	}
	return s
}

// faultless ends the faults of the case, for an object that was created long ago.
func faultless(kind string, until ...string) step {
	return both("end the faults", step{do: func(_ context.Context, s *side, name string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, stop := range s.heal[name] {
			stop()
		}
		return nil
	}, until: until}, longAgo(kind))
}

// slow is an action that AWS answers late.
func slow(action string) aws.Fault { return aws.Fault{Action: action} }

func denied(action string) aws.Fault { return aws.Fault{Action: action, Code: "AccessDenied"} }

const (
	ready   = ".Ready=True"
	roleARN = "arn:aws:iam::123456789012:role/"
	// hasCredentials is why the fake does not fail.
	hasCredentials = "In the lanes of the fake the two providers that create identities have credentials. It checks those of other providers only."

	description = "Role.status.atProvider.description="
)

//nolint:gochecknoglobals // A constant in all but the keyword.
var cases = []likeness{
	{
		name: "role-lives", reason: "Every field of a role that the function sets is created, changed and removed.",
		steps: []step{
			apply(role("description: one, tags: {a: b}", ""), "Role"+ready, description+"one"),
			apply(role("description: two, tags: {a: b}", ""), description+"two"),
			apply(role("description: two, tags: {a: c, d: e}", ""), "Role.status.atProvider.tags.d=e"),
			apply(role("description: two, tags: {a: c}", ""), "AWS.calls=UntagRole"),
			apply(role("description: two, tags: {a: c}, maxSessionDuration: 7200", ""), "Role.status.atProvider.maxSessionDuration=7200"),
			apply(role("description: two, tags: {a: c}, maxSessionDuration: 7200, permissionsBoundary: '"+managed+"'", ""), "Role.status.atProvider.permissionsBoundary="+managed),
			apply(roleOf("assumeRolePolicy: "+trust2+", description: two, tags: {a: c}, maxSessionDuration: 7200, permissionsBoundary: ''", ""), "Role.status.atProvider.assumeRolePolicy=ec2"),
			remove("Role", "!Role"),
		},
	},
	{
		name: "role-at-path", reason: "A path cannot be changed: the provider refuses to replace the role.",
		steps: []step{
			apply(role("path: /team/", ""), "Role"+ready, "Role.status.atProvider.arn="+roleARN+"team/"),
			apply(role("path: /other/", ""), "Role.Synced=False"),
			apply(role("path: /team/", ""), "Role.Synced=True"),
			remove("Role", "!Role"),
		},
	},
	{
		name: "policy-lives", reason: "Every field of a policy that the function sets is created, changed and removed.",
		steps: []step{
			apply(policy("policy: "+read+", tags: {a: b}, description: one", ""), "Policy"+ready),
			apply(policy("policy: "+write+", tags: {a: b}, description: one", ""), "Policy.status.atProvider.policy=s3:PutObject"),
			apply(policy("policy: "+write+", tags: {c: d}, description: one", ""), "Policy.status.atProvider.tags.c=d"),
			remove("Policy", "!Policy"),
		},
	},
	{
		name: "identity-lives", reason: "All four kinds as the function composes them, in its order, with references.",
		steps: []step{
			apply(role("description: one", ""), "Role"+ready),
			apply(policy("policy: "+read, ""), "Policy"+ready),
			apply(attachment(toBoth), "RolePolicyAttachment"+ready, "Policy.status.atProvider.attachmentCount=1"),
			apply(association(toRole+", tags: {a: b}", ""), "PodIdentityAssociation"+ready),
			apply(association(toRole+", tags: {c: d}", ""), "PodIdentityAssociation.status.atProvider.tags.c=d"),
			apply(association(toRole+", tags: {c: d}, disableSessionTags: true", ""), "PodIdentityAssociation.status.atProvider.disableSessionTags=true"),
			apply(association(adminRole+", tags: {c: d}, disableSessionTags: true", ""), "PodIdentityAssociation.status.atProvider.roleArn=role/admin"),
			remove("PodIdentityAssociation", "!PodIdentityAssociation"),
			remove("RolePolicyAttachment", "!RolePolicyAttachment", "Policy.status.atProvider.attachmentCount=0"),
			remove("Policy", "!Policy"),
			remove("Role", "!Role"),
		},
	},
	{
		name: "references-first", reason: "An object that refers to a missing one says so, and continues when that exists.",
		steps: []step{
			apply(attachment(toBoth), "RolePolicyAttachment.Synced=False"),
			apply(association(toRole, ""), "PodIdentityAssociation.Synced=False"),
			apply(policy("policy: "+read, ""), "Policy"+ready, "RolePolicyAttachment.Synced=False ReconcileError cannot resolve references: mg.Spec.ForProvider.Role"),
			apply(role("description: one", ""), "Role"+ready, "RolePolicyAttachment"+ready, "PodIdentityAssociation"+ready),
		},
	},
	{
		name: "association-exists", reason: "The ServiceAccount already has an association: EKS answers 409, with its ID.",
		steps: []step{
			cloud("associate", func(a account, name string) { a.Associate("default", name, roleARN+"admin") }),
			fault(slow("CreatePodIdentityAssociation"), apply(association(adminRole, ""), "PodIdentityAssociation.Synced=False", "PodIdentityAssociation.LastAsyncOperation=Association already exists: a-")),
			both("disassociate", longAgo("PodIdentityAssociation"), cloud("", func(a account, name string) { a.Disassociate("default", name) }, "PodIdentityAssociation"+ready)),
		},
	},
	{
		name: "role-exists", reason: "An existing role is adopted, because its name is known.",
		steps: []step{
			cloud("add role", func(a account, name string) { a.AddRole(name, strings.Trim(trust2, "'"), "") }),
			apply(role("description: one, tags: {a: b}", ""), "Role"+ready, description+"one", "Role.status.atProvider.assumeRolePolicy=pods.eks"),
		},
	},
	{
		name: "role-denied", reason: "AWS denies the creation of the role, and then allows it.",
		steps: []step{
			fault(denied("CreateRole"), apply(role("description: one", ""), "Role.Synced=AccessDenied")),
			faultless("Role", "Role"+ready),
		},
	},
	{
		name: "policy-denied", reason: "AWS denies the creation of the policy, and then allows it.",
		steps: []step{
			fault(denied("CreatePolicy"), apply(policy("policy: "+read, ""), "Policy.Synced=AccessDenied")),
			faultless("Policy", "Policy"+ready),
		},
	},
	{
		name: "attachment-denied", reason: "AWS denies the attachment of the policy, and then allows it.",
		steps: []step{
			fault(denied("AttachRolePolicy"), apply(role("description: one", ""), "Role"+ready)),
			apply(attachment("policyArn: '"+managed+"', roleRef: {name: NAME}"), "RolePolicyAttachment.Synced=AccessDenied"),
			faultless("RolePolicyAttachment", "RolePolicyAttachment"+ready),
		},
	},
	{
		name: "association-denied", reason: "AWS denies the creation of the association, and then allows it.",
		steps: []step{
			fault(denied("CreatePodIdentityAssociation"), apply(association(adminRole, ""), "PodIdentityAssociation.Synced=AccessDenied")),
			faultless("PodIdentityAssociation", "PodIdentityAssociation"+ready),
		},
	},
	{
		name: "update-denied", reason: "AWS denies changes of role and policy, and then allows them.",
		steps: []step{
			apply(role("description: one", ""), "Role"+ready),
			fault(denied("UpdateRoleDescription"), apply(role("description: two", ""), "Role.Synced=AccessDenied")),
			faultless("Role", "Role"+ready, "Role.Synced=True", description+"two"),
			apply(policy("policy: "+read, ""), "Policy"+ready),
			fault(denied("CreatePolicyVersion"), apply(policy("policy: "+write, ""), "Policy.Synced=AccessDenied")),
			faultless("Policy", "Policy"+ready, "Policy.Synced=True", "Policy.status.atProvider.policy=s3:PutObject"),
		},
	},
	{
		name: "association-update-denied", reason: "AWS denies a change of the association, and then allows it.",
		steps: []step{
			apply(association(adminRole, ""), "PodIdentityAssociation"+ready),
			fault(denied("UpdatePodIdentityAssociation"), apply(association(adminRole+", disableSessionTags: true", ""), "PodIdentityAssociation.Synced=AccessDenied")),
			faultless("PodIdentityAssociation", "PodIdentityAssociation.Synced=True", "PodIdentityAssociation.status.atProvider.disableSessionTags=true"),
		},
	},
	{
		name: "delete-denied", reason: "AWS denies the deletion of the role, and then allows it.",
		steps: []step{
			apply(role("description: one", ""), "Role"+ready),
			fault(denied("DeleteRole"), remove("Role", "Role.Synced=AccessDenied")),
			faultless("Role", "!Role"),
		},
	},
	{
		name: "role-quota", reason: "The account has reached its quota of roles, and then the quota is raised.",
		steps: []step{
			fault(aws.Fault{Action: "CreateRole", Code: "LimitExceeded", Message: "Cannot exceed quota for RolesPerAccount: 1000"}, apply(role("description: one", ""), "Role.Synced=RolesPerAccount")),
			faultless("Role", "Role"+ready),
		},
	},
	{
		name: "orphan", reason: "An orphaned resource stays in AWS.",
		steps: []step{
			apply(role("description: one", "deletionPolicy: Orphan"), "Role"+ready),
			apply(policy("policy: "+read, "deletionPolicy: Orphan"), "Policy"+ready),
			remove("Role", "!Role", "AWS.has=role orphan"),
			remove("Policy", "!Policy", "AWS.has=policy"),
		},
	},
	{
		name: "without-delete", reason: "Without Delete in its management policies a role stays in AWS.",
		steps: []step{
			apply(role("description: one", "managementPolicies: [Observe, Create, Update, LateInitialize]"), "Role"+ready),
			remove("Role", "!Role", "AWS.has=role without-delete"),
		},
	},
	{
		name: "without-update", reason: "Without Update in its management policies a role is not changed in AWS.",
		steps: []step{
			apply(role("description: one", "managementPolicies: [Observe, Create, Delete]"), "Role"+ready),
			apply(role("description: two", "managementPolicies: [Observe, Create, Delete]"), "Role"+ready),
			apply(role("description: two", "managementPolicies: ['*']"), description+"two"),
			remove("Role", "!Role"),
		},
	},
	{
		name: "observed", reason: "A role that is only observed is found or not, and never changed.",
		steps: []step{
			apply(role("description: one", "managementPolicies: [Observe]"), "Role.Synced=does not exist"),
			cloud("add role", func(a account, name string) { a.AddRole(name, strings.Trim(trust2, "'"), "") }, "Role"+ready),
			remove("Role", "!Role", "AWS.has=role observed"),
		},
	},
	{
		name: "paused", reason: "A paused object is left alone until it is resumed.",
		steps: []step{
			apply(role("description: one", "managementPolicies: []"), "Role.Synced=ReconcilePaused"),
			apply(role("description: one", "managementPolicies: ['*']"), "Role"+ready),
			patch("Role", `{"annotations":{"crossplane.io/paused":"true"}}`, "Role.Synced=ReconcilePaused"),
			apply(role("description: two", "managementPolicies: ['*']"), "Role.Synced=ReconcilePaused"),
			patch("Role", `{"annotations":{"crossplane.io/paused":null}}`, description+"two", "Role.Synced=True"),
		},
	},
	{
		name: "role-before-attachment", reason: "The provider detaches what is attached to a role before it deletes it.",
		steps: []step{
			apply(role("description: one", ""), "Role"+ready),
			apply(attachment("policyArn: '"+managed+"', roleRef: {name: NAME}"), "RolePolicyAttachment"+ready),
			fault(slow("AttachRolePolicy"), both("delete Role", longAgo("RolePolicyAttachment"), remove("Role", "!Role", "RolePolicyAttachment.Synced=NoSuchEntity"))),
			remove("RolePolicyAttachment", "!RolePolicyAttachment"),
		},
	},
	{
		name: "policy-before-attachment", reason: "AWS does not delete a policy that is attached.",
		steps: []step{
			apply(role("description: one", ""), "Role"+ready),
			apply(policy("policy: "+read, ""), "Policy"+ready),
			apply(attachment(toBoth), "RolePolicyAttachment"+ready, "Policy.status.atProvider.attachmentCount=1"),
			remove("Policy", "Policy.Synced=DeleteConflict"),
			remove("RolePolicyAttachment", "!RolePolicyAttachment", "!Policy"),
		},
	},
	{
		name: "other-finalizer", reason: "Another owner's finalizer keeps the object, but not the role in AWS.",
		steps: []step{
			apply(role("description: one", ""), "Role"+ready),
			patch("Role", `{"finalizers":["finalizer.managedresource.crossplane.io","example.org/hold"]}`, "Role.finalizers=hold"),
			fault(slow("DeleteRole"), remove("Role", `Role.finalizers=["example.org/hold"]`, "Role.Ready=False Deleting")),
			patch("Role", `{"finalizers":null}`, "!Role"),
		},
	},
	{
		name: "no-provider-config", reason: "Without its ProviderConfig an object waits, and continues when that exists.",
		steps: []step{
			apply(role("description: one", "providerConfigRef: {name: NAME}"), "Role.Synced=cannot get referenced ProviderConfig"),
			{"log in", func(ctx context.Context, s *side, name string) error { return s.Login(ctx, name, "admin") }, []string{"Role" + ready, "ProviderConfig.status.users=1"}},
			remove("ProviderConfig", "ProviderConfig.Terminating=True"),
			remove("Role", "!Role"),
		},
	},
	{
		name: "no-credentials", reason: "A provider that gets no credentials says so on the object.",
		steps: []step{
			{"a ProviderConfig without credentials", func(ctx context.Context, s *side, name string) error {
				return s.Apply(ctx, &unstructured.Unstructured{Object: map[string]any{
					"apiVersion": "aws.upbound.io/v1beta1", "kind": "ProviderConfig", "metadata": map[string]any{"name": name},
					"spec": map[string]any{"credentials": map[string]any{"source": "PodIdentity"}},
				}})
			}, nil},
			apply(role("description: one", "providerConfigRef: {name: NAME}"), "Role.Synced=cannot retrieve the AWS credentials"),
		},
		differs: map[string]string{
			"Role": hasCredentials, "AWS": hasCredentials,
		},
	},
	{
		name: "lost", reason: "A resource that another user deletes in AWS is created again.",
		steps: []step{
			apply(role("description: one", ""), "Role"+ready),
			apply(policy("policy: "+read, ""), "Policy"+ready),
			apply(attachment(toBoth), "RolePolicyAttachment"+ready, "Policy.status.atProvider.attachmentCount=1"),
			apply(association(toRole, ""), "PodIdentityAssociation"+ready),
			both("detach", longAgo("RolePolicyAttachment"), cloud("", func(a account, name string) { a.Detach(name) }, "RolePolicyAttachment"+ready, "AWS.calls=AttachRolePolicy lost, CreatePodIdentityAssociation prod/default/lost, AttachRolePolicy")),
			both("disassociate", longAgo("PodIdentityAssociation"), cloud("", func(a account, name string) { a.Disassociate("default", name) }, "PodIdentityAssociation"+ready, "AWS.has=association")),
		},
	},
	{
		name: "alone-lost", reason: "A role and a policy without an attachment are created again, too.",
		steps: []step{
			apply(role("description: one", ""), "Role"+ready),
			apply(policy("policy: "+read, ""), "Policy"+ready),
			both("remove", longAgo("Role"), cloud("", func(a account, name string) { a.RemoveRole(name) }, "AWS.calls=CreatePolicy alone-lost, CreateRole", "Role"+ready)),
			both("remove", longAgo("Policy"), cloud("", func(a account, name string) { a.RemovePolicy(name) }, "AWS.calls=CreateRole alone-lost, CreatePolicy", "Policy"+ready)),
		},
	},
}
