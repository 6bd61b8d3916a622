package identity

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tenantXR is the smallest PodIdentityTenant of a claim.
const tenantXR = `
kind: PodIdentityTenant
metadata: {name: storage-x, uid: u-1, labels: {crossplane.io/claim-name: storage, crossplane.io/claim-namespace: team-a}}
`

// tenantSpec removes the fields from the smallest spec that a tenant does not have.
const tenantSpec = `region: null, clusterName: null, provider: null, claimRef: {namespace: team-a, name: storage}, providerRef: {name: platform}`

// platform returns a host with the given services.
func platform(services ...string) string {
	list := make([]string, 0, len(services))
	for _, s := range services {
		list = append(list, fmt.Sprintf("{name: %s, phase: Ready, roleArn: 'arn:aws:iam::111122223333:role/%s', serviceAccountName: provider-aws-%s}", s, s, s))
	}
	return `[{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: platform}, status: {region: eu-west-1, clusterName: prod, sharing: {rolePath: /crossplane/prod/, accounts: ["222233334444"], namespaces: ["team-*"]}, services: [` + strings.Join(list, ", ") + `]}}]`
}

// onHost returns the world of a tenant whose host is readable.
func onHost(spec string, services ...string) world {
	return world{XR: tenantXR, Spec: "{" + tenantSpec + ", " + spec + "}", Input: "claims: {allowedFields: ['*']}", Capabilities: true, Answers: map[string]string{
		"kind/podidentityproviders.aws.podidentity.dev": "[{}]", "PodIdentityProvider.aws.podidentity.dev/platform": platform(services...),
	}}
}

func TestTenant(t *testing.T) {
	id := onHost(`services: [{name: s3}, {name: sqs, permissions: {statements: [{actions: ["sqs:Get*"], resources: ["*"]}]}}]`, "s3", "sqs", "rds").mustResolve(t)
	role := id.Tenant.Role
	got := map[string]any{
		"cluster": id.Cluster, "region": id.Region, "config": id.ProviderConfig, "namespaced": id.Tenant.NamespacedConfig,
		"name": role.RoleName, "path": role.Path, "externalId": id.Tenant.ExternalID, "policies": role.Policies, "trust": role.TrustPolicy,
	}
	want := map[string]any{
		"cluster": "prod", "region": "eu-west-1", "config": "team-a-storage", "namespaced": "storage",
		"name": "crossplane-prod-eu-west-1-team-a-storage", "path": "/crossplane/prod/team-a/", "externalId": "podidentity/u-1",
		"policies": []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/kubernetes-service-account":"provider-aws-s3"}}},` +
			`{"Effect":"Allow","Action":"sqs:Get*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/kubernetes-service-account":"provider-aws-sqs"}}}]}`},
		"trust": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/s3","arn:aws:iam::111122223333:role/sqs"]},` +
			`"StringEquals":{"aws:PrincipalTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:111122223333:cluster/prod","aws:PrincipalTag/kubernetes-namespace":"crossplane-system","aws:PrincipalTag/kubernetes-service-account":["provider-aws-s3","provider-aws-sqs"],"sts:ExternalId":"podidentity/u-1"}}},` +
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:TagSession","Condition":{"ArnEquals":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/s3","arn:aws:iam::111122223333:role/sqs"]}}}]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Resolve(...) of a tenant: -want, +got:\n%s", diff)
	}
}

// TestTenantRemembers checks that an unreadable host changes nothing, because the role records its values.
func TestTenantRemembers(t *testing.T) {
	w := onHost(`services: [{name: s3}]`, "s3")
	before := w.mustResolve(t)
	w.Observed = map[string]string{"role/tenant": fmt.Sprintf(`{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r, annotations: {crossplane.io/external-name: %s, aws.podidentity.dev/host: '%s'}}}`, before.Tenant.Role.RoleName, before.Tenant.Host.Facts())}
	for name, answers := range map[string]map[string]string{
		"NoAnswer":  {},
		"NoKind":    {"kind/podidentityproviders.aws.podidentity.dev": "[]"},
		"NoHost":    {"kind/podidentityproviders.aws.podidentity.dev": "[{}]", "PodIdentityProvider.aws.podidentity.dev/platform": "[]"},
		"NoService": {"kind/podidentityproviders.aws.podidentity.dev": "[{}]", "PodIdentityProvider.aws.podidentity.dev/platform": platform("sqs")},
	} {
		t.Run(name, func(t *testing.T) {
			w.Answers = answers
			after := w.mustResolve(t)
			if diff := cmp.Diff(before.Tenant.Role, after.Tenant.Role); diff != "" {
				t.Errorf("the role changed: -before, +after:\n%s", diff)
			}
			if after.Tenant.Host.Services[0].Problem == "" {
				t.Error("want a problem that says the host cannot be used")
			}
		})
	}
}

// TestTenantHost checks that existing resources keep their host. Another host is refused, and another default applies to new tenants
// only.
func TestTenantHost(t *testing.T) {
	const role, config = `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r}}`, `{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: team-a-storage}}`
	cases := map[string]struct {
		reason, spec, input string
		observed            map[string]string
		want                string
		errs                []string
	}{
		"New":      {"Before any resource exists, any host is accepted.", `providerRef: {name: platform}`, "", nil, "platform", nil},
		"Same":     {"The same host is no change.", `providerRef: {name: first}`, "", map[string]string{"role/tenant": role}, "first", nil},
		"Changed":  {"The role would trust other providers, and the Usages protect another host.", `providerRef: {name: platform}`, "", map[string]string{"role/tenant": role}, "platform", []string{"spec.providerRef.name: FieldValueInvalid"}},
		"Own role": {"So would a ProviderConfig that leads to another owner's role.", `providerRef: {name: platform}`, "", map[string]string{"providerconfig": config}, "platform", []string{"spec.providerRef.name: FieldValueInvalid"}},
		"Default":  {"A changed default is not an error.", `providerRef: null`, `defaults: {providerRef: {name: platform}}`, map[string]string{"role/tenant": role}, "first", nil},
		"Gone":     {"Neither is a removed default.", `providerRef: null`, `{}`, map[string]string{"role/tenant": role}, "first", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := onHost(`services: [{name: s3}]`, "s3")
			w.XR += "status: {host: first}\n"
			w.Spec = w.Spec[:len(w.Spec)-1] + ", " + tc.spec + "}"
			w.Spec = strings.Replace(w.Spec, "providerRef: {name: platform}, ", "", 1)
			w.Input, w.Observed = tc.input, tc.observed
			id, _, errs := w.resolve(t)
			if diff := cmp.Diff(tc.errs, paths(errs)); diff != "" {
				t.Errorf("%s\nResolve(...): -want errors, +got:\n%s\n%v", tc.reason, diff, errs.ToAggregate())
			}
			if got := id.Tenant.Host.Name; got != tc.want {
				t.Errorf("%s\nhost: want %q, got %q", tc.reason, tc.want, got)
			}
		})
	}
}

// TestTenantForgotten checks that the remaining resources stay as they are, and are not composed in part, if a tenant's role was deleted
// while its host is unreadable.
func TestTenantForgotten(t *testing.T) {
	const policy = `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: p}}`
	kind := map[string]string{"kind/podidentityproviders.aws.podidentity.dev": "[{}]"}
	host := func(answer string) map[string]string {
		out := maps.Clone(kind)
		out["PodIdentityProvider.aws.podidentity.dev/platform"] = answer
		return out
	}
	made := map[string]string{"policy/tenant": policy}
	cases := map[string]struct {
		reason   string
		answers  map[string]string
		observed map[string]string
		want     string
	}{
		"New":       {"Without existing resources, the tenant waits.", host("[]"), nil, ""},
		"Asked":     {"Crossplane has not answered yet.", map[string]string{}, made, ""},
		"Readable":  {"The host has all values: the role is composed again.", host(platform("s3")), made, ""},
		"NoHost":    {"The host is deleted, too.", host("[]"), made, "does not exist"},
		"NoKind":    {"So is its kind.", map[string]string{"kind/podidentityproviders.aws.podidentity.dev": "[]"}, made, "missing, install"},
		"NoService": {"The host no longer has the service, and the policy would lose its statements.", host(platform("sqs")), made, "does not share s3"},
		"Config":    {"A ProviderConfig would lead nowhere.", host("[]"), map[string]string{"providerconfig": `{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: c}}`}, "does not exist"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := onHost(`services: [{name: s3}]`, "s3")
			w.Answers, w.Observed = tc.answers, tc.observed
			_, _, errs := w.resolve(t)
			if tc.want == "" && len(errs) > 0 {
				t.Fatalf("%s\nResolve(...): unexpected errors: %v", tc.reason, errs.ToAggregate())
			}
			if tc.want == "" {
				return
			}
			if diff := cmp.Diff([]string{"spec.providerRef.name: FieldValueInvalid"}, paths(errs)); diff != "" {
				t.Fatalf("%s\nResolve(...): -want errors, +got:\n%s", tc.reason, diff)
			}
			if got := errs[0].Detail; !strings.Contains(got, tc.want) || !strings.Contains(got, "stays as it is") {
				t.Errorf("%s\nthe error should say %q, and that all else stays: %s", tc.reason, tc.want, got)
			}
		})
	}
}

func TestTenantErrors(t *testing.T) {
	const invalid, forbidden, required = ": FieldValueInvalid", ": FieldValueForbidden", ": FieldValueRequired"
	const arn = "arn:aws:iam::111122223333:role/crossplane/prod/team-a/r"
	many := make([]string, 0, 21)
	for i := range 21 {
		many = append(many, fmt.Sprintf("{name: s%d}", i))
	}
	cases := map[string]struct {
		reason string
		spec   string
		want   []string
	}{
		"NoHost":            {"A host is required.", `providerRef: null, services: [{name: s3}]`, []string{"spec.providerRef.name" + required}},
		"HostName":          {"The host's name must be valid for an object.", `providerRef: {name: A/B}, services: [{name: s3}]`, []string{"spec.providerRef.name" + invalid}},
		"NoServices":        {"At least one service is required.", `services: []`, []string{"spec.services" + required}},
		"Services":          {"The number of services is limited.", `services: [` + strings.Join(many, ", ") + `]`, []string{"spec.services: FieldValueTooMany"}},
		"ServiceName":       {"Services have lower-case names.", `services: [{name: S3}]`, []string{"spec.services[0].name" + invalid}},
		"ServiceTwice":      {"Each service may be listed once.", `services: [{name: s3}, {name: s3}]`, []string{"spec.services[1].name: FieldValueDuplicate"}},
		"ServiceUnknown":    {"An unknown service needs its own permissions.", `services: [{name: nothing}]`, []string{"spec.services[0].name" + invalid}},
		"AccessLevel":       {"There are three access levels.", `services: [{name: s3, permissions: {accessLevel: Some}}]`, []string{"spec.services[0].permissions.accessLevel: FieldValueNotSupported"}},
		"Kind":              {"The kinds must be those of the service.", `services: [{name: s3, permissions: {kinds: [Bucket, Queue]}}]`, []string{"spec.services[0].permissions.kinds[1]" + invalid}},
		"KindOfNothing":     {"Kinds need an access level other than None.", `services: [{name: s3, permissions: {accessLevel: None, kinds: [Bucket]}}]`, []string{"spec.services[0].permissions.accessLevel" + invalid}},
		"Action":            {"Actions have a service.", `services: [{name: s3, permissions: {statements: [{actions: ["Get"], resources: ["*"]}]}}]`, []string{"spec.services[0].permissions.statements[0].actions[0]" + invalid}},
		"Document":          {"A document is JSON.", `services: [{name: s3, permissions: {policyDocument: "x"}}]`, []string{"spec.services[0].permissions.policyDocument" + invalid}},
		"Partition":         {"ARNs must be in the host's partition.", `services: [{name: s3, permissions: {statements: [{actions: ["s3:*"], resources: ["arn:aws-cn:s3:::a"]}]}}]`, []string{"spec.services[0].permissions.statements[0].resources[0]" + invalid}},
		"Managed":           {"Policies have ARNs.", `services: [{name: s3, permissions: {managedPolicyArns: [a]}}]`, []string{"spec.services[0].permissions.managedPolicyArns[0]" + invalid}},
		"ManagedTwice":      {"Each policy may be listed once.", `services: [{name: s3, permissions: {managedPolicyArns: ["arn:aws:iam::aws:policy/a", "arn:aws:iam::aws:policy/a"]}}]`, []string{"spec.services[0].permissions.managedPolicyArns[1]: FieldValueDuplicate"}},
		"TooManyPolicies":   {"A role can have ten policies.", `services: [{name: s3, permissions: {managedPolicyArns: [` + arns(11) + `]}}]`, []string{"spec.services.managedPolicyArns: FieldValueTooMany"}},
		"SIDs":              {"The statements of all services belong to one role.", `services: [{name: s3, permissions: {statements: [{sid: a, actions: ["s3:*"], resources: ["*"]}]}}, {name: sqs, permissions: {statements: [{sid: a, actions: ["sqs:*"], resources: ["*"]}]}}]`, []string{"spec.services.statements: FieldValueDuplicate"}},
		"GeneratedTag":      {"The condition that separates services cannot be set.", `services: [{name: s3, permissions: {statements: [{actions: ["s3:*"], resources: ["*"], conditions: {StringLike: {"aws:principaltag/Kubernetes-Service-Account": ["*"]}}}]}}]`, []string{"spec.services[0].permissions" + forbidden}},
		"Tag":               {"Tags of AWS are reserved.", `tags: {"aws:x": z}, services: [{name: s3}]`, []string{"spec.tags[aws:x]" + invalid}},
		"SessionTag":        {"Session tags of EKS are reserved.", `tags: {Kubernetes-Namespace: z}, services: [{name: s3}]`, []string{"spec.tags[Kubernetes-Namespace]" + invalid}},
		"Boundary":          {"A boundary must be a policy.", `role: {permissionsBoundary: "arn:aws:iam::111122223333:role/a"}, services: [{name: s3}]`, []string{"spec.role.permissionsBoundary" + invalid}},
		"Session":           {"A session has at least one hour.", `role: {maxSessionDuration: 60}, services: [{name: s3}]`, []string{"spec.role.maxSessionDuration" + invalid}},
		"Description":       {"IAM does not accept the character.", `role: {description: "\u0001"}, services: [{name: s3}]`, []string{"spec.role.description" + invalid}},
		"Management":        {"Management policies are those of Crossplane.", `managementPolicies: [Look], services: [{name: s3}]`, []string{"spec.managementPolicies[0]: FieldValueNotSupported"}},
		"Deletion":          {"There are two deletion policies.", `deletionPolicy: Keep, services: [{name: s3}]`, []string{"spec.deletionPolicy: FieldValueNotSupported"}},
		"Teardown":          {"There are two kinds of teardown.", `teardown: Quick, services: [{name: s3}]`, []string{"spec.teardown: FieldValueNotSupported"}},
		"ConfigName":        {"The name must be valid for an object.", `providerConfig: {name: A}, services: [{name: s3}]`, []string{"spec.providerConfig.name" + invalid}},
		"ConfigLong":        {"The name must fit in a label.", `providerConfig: {name: ` + strings.Repeat("a", 64) + `}, services: [{name: s3}]`, []string{"spec.providerConfig.name: FieldValueTooLong"}},
		"ConfigBootstrap":   {"The name belongs to the bootstrap ProviderConfig.", `providerConfig: {name: default}, services: [{name: s3}]`, []string{"spec.providerConfig.name" + invalid}},
		"BootstrapLong":     {"The name must fit in a label.", `providerConfigRef: {name: ` + strings.Repeat("a", 64) + `}, services: [{name: s3}]`, []string{"spec.providerConfigRef.name: FieldValueTooLong"}},
		"Chain":             {"A chain consists of roles.", `providerConfig: {assumeRoleChain: [{roleARN: x}]}, services: [{name: s3}]`, []string{"spec.providerConfig.assumeRoleChain[0].roleARN" + invalid}},
		"ChainID":           {"An external ID has restricted characters.", `providerConfig: {assumeRoleChain: [{roleARN: "` + arn + `", externalID: "a b"}]}, services: [{name: s3}]`, []string{"spec.providerConfig.assumeRoleChain[0].externalID" + invalid}},
		"ChainTag":          {"Session tags of EKS are reserved.", `providerConfig: {assumeRoleChain: [{roleARN: "` + arn + `", tags: [{key: eks-cluster-arn, value: a}]}]}, services: [{name: s3}]`, []string{"spec.providerConfig.assumeRoleChain[0].tags[0].key" + invalid}},
		"RoleForm":          {"A role is identified by its ARN.", `roleArn: r, services: [{name: s3}]`, []string{"spec.roleArn" + invalid}},
		"RoleAndRole":       {"An existing role has its own settings,", `roleArn: "` + arn + `", role: {description: a}, services: [{name: s3}]`, []string{"spec.roleArn" + forbidden}},
		"RoleAndPermission": {"and its own permissions.", `roleArn: "` + arn + `", services: [{name: s3, permissions: {accessLevel: None}}]`, []string{"spec.services[0].permissions" + forbidden}},
		"RolePath":          {"The host could not assume the role.", `roleArn: "arn:aws:iam::111122223333:role/r", services: [{name: s3}]`, []string{"spec.roleArn" + invalid}},
		"RoleOfOthers":      {"The role belongs to another team.", `roleArn: "arn:aws:iam::111122223333:role/crossplane/prod/team-b/r", services: [{name: s3}]`, []string{"spec.roleArn" + invalid}},
		"RoleAccount":       {"The host does not share the account.", `roleArn: "arn:aws:iam::999999999999:role/crossplane/prod/team-a/r", services: [{name: s3}]`, []string{"spec.roleArn" + invalid}},
		"RolePartition":     {"The role is in another partition.", `roleArn: "arn:aws-cn:iam::111122223333:role/crossplane/prod/team-a/r", services: [{name: s3}]`, []string{"spec.roleArn" + invalid}},
		"ExternalAlone":     {"A composed role has its own external ID.", `externalId: abc, services: [{name: s3}]`, []string{"spec.externalId" + forbidden}},
		"ExternalForm":      {"An external ID has restricted characters,", `roleArn: "` + arn + `", externalId: "a b", services: [{name: s3}]`, []string{"spec.externalId" + invalid}},
		"ExternalShort":     {"and at least two of them.", `roleArn: "` + arn + `", externalId: "a", services: [{name: s3}]`, []string{"spec.externalId" + invalid}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, errs := onHost(tc.spec, "s3", "sqs").resolve(t)
			if diff := cmp.Diff(tc.want, paths(errs)); diff != "" {
				t.Errorf("%s\nResolve(...): -want errors, +got:\n%s\n%v", tc.reason, diff, errs.ToAggregate())
			}
		})
	}
}

// arns returns the ARNs of n policies.
func arns(n int) string {
	out := make([]string, 0, n)
	for i := range n {
		out = append(out, fmt.Sprintf("'arn:aws:iam::aws:policy/p%d'", i))
	}
	return strings.Join(out, ", ")
}
