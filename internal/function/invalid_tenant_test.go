package function

import (
	"fmt"
	"strings"
	"testing"
)

// TestInvalidTenant checks that every invalid tenant is refused before any resource is created, with all errors at once, the path of each
// field and the allowed values. It covers values that are invalid in themselves, fields that a team may not set, and rules of the
// platform.
func TestInvalidTenant(t *testing.T) {
	const (
		ref      = "providerRef: {name: platform}\n"
		services = "services: [{name: s3}, {name: sqs}]\n"
		open     = "{claims: {allowedFields: ['*']}}"
		theirs   = "roleArn: 'arn:aws:iam::111122223333:role/crossplane/prod/team-a/r'\n"
	)
	permissions := func(p string) string { return ref + "services: [{name: s3, permissions: " + p + "}]\n" }
	rule := func(r string) string { return "{guardrails: {" + r + "}}" }
	many := func(n int, item string) string {
		out := make([]string, 0, n)
		for i := range n {
			out = append(out, fmt.Sprintf(item, i))
		}
		return strings.Join(out, ", ")
	}
	cases := map[string]struct {
		reason string
		spec   string
		input  string
		want   []string
	}{
		// Values that are invalid in themselves.
		"Nothing":          {"All missing required fields are reported at once.", "{}", "", []string{"spec.providerRef.name: Required", "spec.services: Required"}},
		"SpecIsNoObject":   {"A spec must be an object.", "7", "", []string{"spec: Invalid", "must be an object"}},
		"Types":            {"Every value of the wrong type is reported.", "providerRef: platform\nservices: [s3]\ntags: [a]\n", "", []string{"spec.providerRef", "spec.services[0]", "spec.tags", "must be an object"}},
		"NullService":      {"A service must be an object.", ref + "services: [null]", "", []string{"spec.services[0].name: Required"}},
		"Host":             {"A host's name must be valid for an object.", "providerRef: {name: Platform_1}\n" + services, "", []string{"spec.providerRef.name: Invalid", "RFC 1123"}},
		"HostEmpty":        {"An empty name is missing.", "providerRef: {name: ''}\n" + services, "", []string{"spec.providerRef.name: Required"}},
		"HostByKind":       {"Every host has the same kind.", "providerRef: {name: platform, kind: Provider}\n" + services, "", []string{"spec.providerRef.kind"}},
		"ServiceName":      {"A service name has restricted characters.", ref + "services: [{name: S3/x}]", "", []string{"spec.services[0].name: Invalid", "lower-case"}},
		"ServiceTwice":     {"Each service may be listed once.", ref + "services: [{name: s3}, {name: s3}]", "", []string{"spec.services[1].name: Duplicate"}},
		"ServiceUnknown":   {"The permissions of an unknown service are unknown.", ref + "services: [{name: dynamo}]", "", []string{"spec.services[0].name: Invalid", "did you mean dynamodb", "permissions of its own"}},
		"Services":         {"The number of services is limited.", ref + "services: [" + many(21, "{name: s%d}") + "]", "", []string{"spec.services: Too many: 21"}},
		"AccessLevel":      {"An enumeration lists the allowed values.", permissions("{accessLevel: Root}"), "", []string{"spec.services[0].permissions.accessLevel: Unsupported", `"Full"`}},
		"Statement":        {"A statement needs an effect, actions and resources.", permissions("{statements: [{sid: a-b, effect: Maybe}]}"), "", []string{"statements[0].effect: Invalid", "exactly one of actions", "exactly one of resources", "statements[0].sid: Invalid"}},
		"Action":           {"An action names its service.", permissions("{statements: [{actions: [GetObject], resources: ['*']}]}"), "", []string{"statements[0].actions[0]: Invalid", "service:Action"}},
		"Resource":         {"A resource is an ARN.", permissions("{statements: [{actions: ['s3:*'], resources: [bucket]}]}"), "", []string{"must be * or an ARN"}},
		"Document":         {"A document is parsed strictly.", permissions(`{policyDocument: '{"Version":"2012-10-17","Statment":[]}'}`), "", []string{"policyDocument.Statment: Invalid"}},
		"DocumentNoJSON":   {"A document is JSON.", permissions("{policyDocument: 'Allow all'}"), "", []string{"spec.services[0].permissions.policyDocument: Invalid"}},
		"Principal":        {"A principal belongs in a trust policy.", permissions(`{policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}}'}`), "", []string{"policyDocument.Statement[0].Principal: Invalid"}},
		"Managed":          {"The ARN must be that of a policy.", permissions("{managedPolicyArns: ['arn:aws:iam::111122223333:role/x']}"), "", []string{"managedPolicyArns[0]: Invalid"}},
		"ManagedMany":      {"A role can have ten policies.", permissions("{accessLevel: Full, managedPolicyArns: [" + many(10, "'arn:aws:iam::aws:policy/p%d'") + "]}"), "", []string{"managedPolicyArns: Too many"}},
		"Long":             {"The policies of a role have at most 60 KiB.", permissions("{statements: [" + many(12, "{actions: ['s3:*'], resources: ['arn:aws:s3:::%d"+strings.Repeat("x", 5900)+"']}") + "]}"), "", []string{"spec.services"}},
		"ServiceSeparated": {"A team may not weaken the separation of services.", permissions("{statements: [{actions: ['s3:*'], resources: ['*'], conditions: {StringLike: {'aws:principaltag/Kubernetes-Service-Account': ['*']}}}]}"), "", []string{"spec.services[0].permissions: Forbidden", "separateServices"}},
		"SIDs":             {"All statements belong to one role.", ref + "services: [{name: s3, permissions: {statements: [{sid: a, actions: ['s3:*'], resources: ['*']}]}}, {name: sqs, permissions: {statements: [{sid: a, actions: ['sqs:*'], resources: ['*']}]}}]", "", []string{"spec.services.statements: Duplicate"}},
		"Partition":        {"ARNs must be in the host's partition.", permissions("{statements: [{actions: ['s3:*'], resources: ['arn:aws-cn:s3:::a']}]}"), "", []string{"statements[0].resources[0]: Invalid", "aws-cn"}},
		"Role":             {"All of a role's limits apply.", ref + services + "role: {maxSessionDuration: 60, permissionsBoundary: boundary, description: \"\\u0001\"}", "", []string{"spec.role.maxSessionDuration: Invalid", "spec.role.permissionsBoundary: Invalid", "spec.role.description: Invalid"}},
		"Tags":             {"AWS's rules apply, and EKS's session tags are reserved in any case.", ref + services + "tags: {'aws:x': a, Kubernetes-Namespace: team-b, EKS-Cluster-Arn: x, crossplane-name: team-b, 'a#b': c}", "", []string{"spec.tags[aws:x]: Invalid", "spec.tags[Kubernetes-Namespace]: Invalid", "spec.tags[EKS-Cluster-Arn]: Invalid", "spec.tags[crossplane-name]: Invalid", "spec.tags[a#b]: Invalid"}},
		"ManyTags":         {"AWS accepts 50 tags, and the provider adds three.", ref + services + "tags: {" + manyTags() + "}", "", []string{"spec.tags: Too many"}},
		"Deletion":         {"There are two deletion policies.", ref + services + "deletionPolicy: Keep", "", []string{"spec.deletionPolicy: Unsupported"}},
		"Several":          {"All errors are reported at once.", "providerRef: {name: A}\nservices: [{name: S}]\ntags: {'aws:x': a}\ndeletionPolicy: Keep\n", "", []string{"spec.providerRef.name", "spec.services[0].name", "spec.tags[aws:x]", "spec.deletionPolicy"}},
		// Fields that a team may not set, regardless of the value.
		"ClaimRoleARN":    {"A claim may not use the role of another owner.", ref + services + "roleArn: 'arn:aws:iam::111122223333:role/crossplane/prod/team-b/storage'", "", []string{"spec.roleArn: Forbidden", "claims.allowedFields"}},
		"ClaimExternalID": {"The external ID would give access to another team's role.", ref + services + "externalId: podidentity/0f0c2a4e", "", []string{"spec.externalId: Forbidden"}},
		"ClaimConfig":     {"A claim may not use another name for its ProviderConfig, such as another team's.", ref + services + "providerConfig: {name: team-b-storage}", "", []string{"spec.providerConfig", "Forbidden"}},
		"ClaimChain":      {"A chain would lead on from the role.", ref + services + "providerConfig: {assumeRoleChain: [{roleARN: 'arn:aws:iam::111122223333:role/Admin'}]}", "", []string{"spec.providerConfig.assumeRoleChain", "Forbidden"}},
		"ClaimBootstrap":  {"A claim may not choose another identity to create roles.", ref + services + "providerConfigRef: {name: admin}", "", []string{"spec.providerConfigRef", "Forbidden"}},
		"ClaimPolicies":   {"A claim may not create objects that are never deleted.", ref + services + "managementPolicies: [Observe]", "", []string{"spec.managementPolicies: Forbidden"}},
		"ClaimTeardown":   {"A claim may not choose its own teardown order.", ref + services + "teardown: Unordered", "", []string{"spec.teardown: Forbidden"}},
		"ClaimSeparate":   {"Every provider could use all permissions of the role.", ref + services + "role: {separateServices: false}", "", []string{"spec.role.separateServices: Forbidden"}},
		"ClaimUnknown":    {"A field of another kind or version is unknown.", ref + services + "targetRoleArn: 'arn:aws:iam::111122223333:role/x'\n", "", []string{"spec.targetRoleArn"}},
		// Fields that the platform allows, but whose values are invalid.
		"RoleForm":        {"A role is identified by its ARN.", ref + services + "roleArn: my-role", open, []string{"spec.roleArn: Invalid", "arn:aws:iam::123456789012:role/name"}},
		"RoleAndMore":     {"An existing role has its own permissions.", ref + theirs + "role: {description: a}\nservices: [{name: s3, permissions: {accessLevel: None}}]", open, []string{"spec.roleArn: Forbidden", "spec.services[0].permissions: Forbidden"}},
		"RoleOfOthers":    {"The role belongs to another team.", ref + services + "roleArn: 'arn:aws:iam::111122223333:role/crossplane/prod/team-b/storage'", open, []string{"spec.roleArn: Invalid", "/crossplane/prod/team-a/"}},
		"RolePathBegin":   {"The path only shares a prefix with the team's.", ref + services + "roleArn: 'arn:aws:iam::111122223333:role/crossplane/prod/team-a-b/storage'", open, []string{"spec.roleArn: Invalid", "/crossplane/prod/team-a/"}},
		"RoleAccount":     {"The host may not reach the role's account.", ref + services + "roleArn: 'arn:aws:iam::999999999999:role/crossplane/prod/team-a/r'", open, []string{"spec.roleArn: Invalid", "sharing.accounts"}},
		"ExternalAlone":   {"A composed role has its own external ID.", ref + services + "externalId: abc", open, []string{"spec.externalId: Forbidden"}},
		"ExternalForm":    {"An external ID has restricted characters.", ref + services + theirs + "externalId: 'a b'", open, []string{"spec.externalId: Invalid"}},
		"ConfigName":      {"A ProviderConfig's name must be valid for an object.", ref + services + "providerConfig: {name: A_B}", open, []string{"spec.providerConfig.name: Invalid"}},
		"ConfigBootstrap": {"The name belongs to the bootstrap ProviderConfig.", ref + services + "providerConfig: {name: default}", open, []string{"spec.providerConfig.name: Invalid"}},
		"Chain":           {"A chain consists of roles.", ref + services + "providerConfig: {assumeRoleChain: [{roleARN: x, externalID: '1'}]}", open, []string{"assumeRoleChain[0].roleARN: Invalid", "assumeRoleChain[0].externalID: Invalid"}},
		"ChainTag":        {"Session tags of EKS are reserved.", ref + services + "providerConfig: {assumeRoleChain: [{roleARN: 'arn:aws:iam::111122223333:role/x', tags: [{key: EKS-cluster-arn, value: a}]}]}", open, []string{"assumeRoleChain[0].tags[0].key: Invalid"}},
		"Management":      {"Management policies are those of Crossplane.", ref + services + "managementPolicies: [Look]", open, []string{"spec.managementPolicies[0]: Unsupported"}},
		// Rules of the platform.
		"RuleProviders":  {"The host is not for this team.", ref + services, rule("allowedProviders: ['team-hosts-*']"), []string{"spec.providerRef.name: Forbidden", "allowedProviders"}},
		"RuleServices":   {"The service is not for teams.", ref + services, rule("allowedServices: [s3]"), []string{"spec.services[1].name: Forbidden", "allowedServices"}},
		"RuleDenied":     {"The action is denied to every team.", permissions("{statements: [{actions: ['s3:Delete*'], resources: ['*']}]}"), rule("deniedActions: ['s3:DeleteBucket']"), []string{"spec.services[0].permissions", "deniedActions"}},
		"RuleDeniedNot":  {"notActions cannot bypass a denied action.", permissions("{statements: [{notActions: ['ec2:*'], resources: ['*']}]}"), rule("deniedActions: ['iam:*']"), []string{"spec.services[0].permissions", "deniedActions"}},
		"RuleBoundary":   {"A role needs a permissions boundary.", ref + services, rule("requiredPermissionsBoundary: 'arn:aws:iam::111122223333:policy/boundary'"), []string{"spec.role.permissionsBoundary: Forbidden", "requiredPermissionsBoundary"}},
		"RuleTags":       {"A role needs tags that identify its owner.", ref + services, rule("requiredTags: [team]"), []string{"spec.tags[team]: Required value", "requiredTags"}},
		"RuleManaged":    {"The managed policy is not approved.", permissions("{managedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess']}"), rule("allowedManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnly*']"), []string{"managedPolicyArns[0]: Forbidden", "allowedManagedPolicyArns"}},
		"RuleCustom":     {"Custom permissions are forbidden.", permissions("{statements: [{actions: ['s3:*'], resources: ['*']}]}"), rule("forbidCustomPermissions: true"), []string{"spec.services[0].permissions.statements: Forbidden", "forbidCustomPermissions"}},
		"RuleAccounts":   {"The role is in another account.", ref + services + "roleArn: 'arn:aws:iam::222233334444:role/crossplane/prod/team-a/r'", "{claims: {allowedFields: ['*']}, guardrails: {allowedTargetAccounts: ['111122223333']}}", []string{"spec.roleArn: Forbidden", "allowedTargetAccounts"}},
		"RuleOwnRole":    {"The role is not managed here.", ref + services + theirs, "{claims: {allowedFields: ['*']}, guardrails: {forbidBringYourOwnRole: true}}", []string{"spec.roleArn: Forbidden", "forbidBringYourOwnRole"}},
		"RuleOfTeam":     {"The rule applies to its namespace only.", ref + services, "{namespaces: [{match: ['team-*'], guardrails: {allowedServices: [s3]}}]}", []string{"spec.services[1].name: Forbidden"}},
		"RuleUnreadable": {"The permissions of an existing role cannot be checked.", ref + services + theirs, "{claims: {allowedFields: ['*']}, guardrails: {deniedActions: ['iam:*']}}", []string{"spec.roleArn: Forbidden", "deniedActions"}},
	}
	messages := map[string]string{}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			message := refuseTenant(t, tc.reason, tc.spec, tc.input)
			for _, want := range tc.want {
				if !strings.Contains(message, want) {
					t.Errorf("%s\nthe error does not say %q: %s", tc.reason, want, message)
				}
			}
			messages[name] = message
		})
	}
	compareMessages(t, "testdata/invalid-tenants.yaml", messages)
}

// refuseTenant checks that a tenant of team-a is refused on a host that shares S3 and SQS, that nothing is composed and that the claim
// reports it. It returns the message.
func refuseTenant(t *testing.T, reason, spec, input string) string {
	t.Helper()
	xr := fromYAML(t, "{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityTenant, metadata: {name: storage-x, labels: {crossplane.io/claim-name: storage, crossplane.io/claim-namespace: team-a}}}")
	xr.Fields["spec"] = fromYAML(t, "spec:\n  "+strings.ReplaceAll(spec, "\n", "\n  ")).GetFields()["spec"]
	if s := at(xr, "spec").GetStructValue(); s != nil {
		s.Fields["claimRef"] = mustValue(t, map[string]any{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityTenantClaim", "namespace": "team-a", "name": "storage"})
	}
	s := tenancy{&simulation{world: &world{XR: xr, Meta: generations["v2.2 and later"]}}}
	s.install("aws.podidentity.dev", "v1alpha1", "PodIdentityProvider", "podidentityproviders")
	s.setHost(t, hostStatus)
	if input != "" {
		s.Input = fromYAML(t, input)
	}
	return refusal(t, reason, s.reconcile(t, newTestFunction()))
}
