package function

import (
	"os"
	"strings"
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// TestInvalid checks that every invalid composite resource and Input is refused before any resource is created, with all errors at once,
// the path of each field and the allowed values.
func TestInvalid(t *testing.T) {
	// spec is valid except for the line that a case replaces.
	const spec = "region: eu-west-1\nclusterName: prod\nprovider: {version: v2.5.0}\nservices: [{name: s3}]\n"
	service := func(fields string) string {
		return "region: eu-west-1\nclusterName: prod\nprovider: {version: v2.5.0}\nservices: [{name: s3, " + fields + "}]\n"
	}
	long := strings.Repeat("x", 300)
	cases := map[string]struct {
		reason string
		spec   string
		input  string
		want   []string
	}{
		"Nothing":              {"All missing required fields are reported at once.", "{}", "", []string{"spec.region: Required", "spec.clusterName: Required", "spec.services: Required"}},
		"SpecIsNoObject":       {"A spec must be an object.", "7", "", []string{"spec: Invalid", "must be an object"}},
		"RegionType":           {"Types are checked, and errors have the path.", strings.Replace(spec, "eu-west-1", "7", 1), "", []string{"spec.region", "must be a string"}},
		"SeveralTypes":         {"Every value of the wrong type is reported.", "region: 7\nclusterName: [prod]\nservices: {name: s3}\n", "", []string{"spec.region", "spec.clusterName", "spec.services", "must be a list"}},
		"Region":               {"A region has a fixed format.", strings.Replace(spec, "eu-west-1", "europe", 1), "", []string{"spec.region: Invalid", "eu-west-1"}},
		"TwoClusters":          {"The cluster is named in one way.", spec + "clusterNameRef: {name: prod}", "", []string{"spec.clusterName: Forbidden", "exactly one"}},
		"ClusterName":          {"A cluster name follows the rules of EKS.", strings.Replace(spec, "prod", "-prod-", 1), "", []string{"spec.clusterName: Invalid", "letters, digits"}},
		"EmptyClusterSelector": {"An empty selector would select any cluster.", strings.Replace(spec, "clusterName: prod", "clusterNameSelector: {}", 1), "", []string{"spec.clusterNameSelector.matchLabels: Required"}},
		"Account":              {"An account ID has 12 digits.", spec + `accountId: "123"`, "", []string{"spec.accountId: Invalid", "12 digits"}},
		"UnknownService":       {"An unknown service is reported with the nearest names.", strings.Replace(spec, "s3", "dynamo", 1), "", []string{"spec.services[0].name: Invalid", "did you mean dynamodb"}},
		"UnknownServiceHalf":   {"A package is not enough, because the permissions are unknown.", strings.Replace(spec, "{name: s3}", "{name: mine, package: registry.example.org/me/provider-aws-mine}", 1), "", []string{"spec.services[0].name: Invalid", "package and its own permissions"}},
		"ServiceName":          {"The name is part of object names.", strings.Replace(spec, "s3", "S3/x", 1), "", []string{"spec.services[0].name: Invalid", "lower-case"}},
		"DuplicateService":     {"Each service has one identity.", strings.Replace(spec, "[{name: s3}]", "[{name: s3}, {name: s3}]", 1), "", []string{"spec.services[1].name: Duplicate"}},
		"SharedServiceAccount": {"A ServiceAccount has one identity, and Crossplane lets one provider own it.", strings.Replace(spec, "[{name: s3}]", "[{name: s3, serviceAccountName: aws}, {name: sqs, serviceAccountName: aws}]", 1), "", []string{"spec.services[1].serviceAccountName: Duplicate", "EKS gives a ServiceAccount one association"}},
		"SharedRole":           {"IAM names are unique regardless of case.", strings.Replace(spec, "[{name: s3}]", "[{name: s3, roleName: Aws}, {name: sqs, roleName: aws}]", 1), "", []string{"spec.services[1].roleName: Duplicate"}},
		"ServiceAccountName":   {"A name must be valid in Kubernetes.", service("serviceAccountName: Provider_S3"), "", []string{"spec.services[0].serviceAccountName: Invalid", "RFC 1123"}},
		"NoVersion":            {"A version is never guessed.", "region: eu-west-1\nclusterName: prod\nservices: [{name: s3}]", "", []string{"spec.services[0].version: Required", "spec.provider.version"}},
		"FloatingVersion":      {"A floating tag is resolved once and never again.", service("version: v2"), "", []string{"spec.services[0].version: Invalid", "full version"}},
		"PackageWithTag":       {"The tag comes from the version.", service("package: 'xpkg.upbound.io/upbound/provider-aws-s3:v1'"), "", []string{"spec.services[0].package: Invalid", "no tag"}},
		"PackageWithoutHost":   {"Crossplane v2 requires the registry.", service("package: upbound/provider-aws-s3"), "", []string{"spec.services[0].package: Invalid", "registry"}},
		"Registry":             {"A registry has a path.", strings.Replace(spec, "{version: v2.5.0}", "{version: v2.5.0, registry: xpkg}", 1), "", []string{"spec.provider.registry: Invalid"}},
		"Management":           {"An enumeration lists the allowed values.", service("management: Sometimes"), "", []string{"spec.services[0].management: Unsupported", `"Managed", "Observe"`}},
		"AccessLevel":          {"An enumeration lists the allowed values.", service("permissions: {accessLevel: All}"), "", []string{"spec.services[0].permissions.accessLevel: Unsupported", `"Full"`}},
		"Statement":            {"A statement needs actions and resources.", service("permissions: {statements: [{sid: a-b, effect: Maybe}]}"), "", []string{"spec.services[0].permissions.statements[0].effect: Invalid", "must be Allow or Deny", "exactly one of actions", "exactly one of resources", "spec.services[0].permissions.statements[0].sid: Invalid", "letters and digits"}},
		"Action":               {"An action names its service.", service("permissions: {statements: [{actions: [GetObject], resources: ['*']}]}"), "", []string{"service:Action"}},
		"Resource":             {"A resource is an ARN.", service("permissions: {statements: [{actions: ['s3:*'], resources: [bucket]}]}"), "", []string{"must be * or an ARN"}},
		"PolicyDocument":       {"A document is parsed strictly.", service(`permissions: {policyDocument: '{"Version":"2012-10-17","Statment":[]}'}`), "", []string{"spec.services[0].permissions.policyDocument.Statment: Invalid", "spec.services[0].permissions.policyDocument.Statement: Invalid"}},
		"PolicyPrincipal":      {"A principal belongs in a trust policy.", service(`permissions: {policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}}'}`), "", []string{"policyDocument.Statement[0].Principal: Invalid", "trust policy"}},
		"DuplicateSid":         {"AWS requires unique identifiers.", service("permissions: {statements: [{sid: a, actions: ['s3:*'], resources: ['*']}, {sid: a, actions: ['s3:*'], resources: ['*']}]}"), "", []string{"permissions.statements[1].sid: Duplicate"}},
		"ManagedPolicy":        {"The ARN must be that of a policy.", service("permissions: {managedPolicyArns: ['arn:aws:iam::123456789012:role/x']}"), "", []string{"managedPolicyArns[0]: Invalid", "policy"}},
		"ManagedPolicyPartition": {
			"IAM cannot access other partitions.", service("permissions: {managedPolicyArns: ['arn:aws-cn:iam::aws:policy/x']}"), "",
			[]string{"managedPolicyArns[0]: Invalid", "partition aws-cn"},
		},
		"RoleARN":             {"The ARN must be that of a role.", service("roleArn: my-role"), "", []string{"spec.services[0].roleArn: Invalid", "arn:aws:iam::123456789012:role/name"}},
		"RoleARNAndMore":      {"An existing role has its own permissions.", service("roleArn: 'arn:aws:iam::123456789012:role/x', roleName: mine, permissions: {}"), "", []string{"spec.services[0].roleArn: Forbidden"}},
		"RoleName":            {"A role name has the characters that IAM allows.", service("roleName: 'a b'"), "", []string{"spec.services[0].roleName: Invalid"}},
		"AssociationID":       {"The ID must be that of an association.", service("associationId: '42'"), "", []string{"spec.services[0].associationId: Invalid", "a-0123456789abcdef0"}},
		"Role":                {"All of a role's limits apply.", spec + "role: {path: crossplane, maxSessionDuration: 60, permissionsBoundary: boundary, description: \"\\u0001\", namePrefix: 'a b'}", "", []string{"spec.role.path: Invalid", "spec.role.maxSessionDuration: Invalid", "spec.role.permissionsBoundary: Invalid", "spec.role.description: Invalid", "spec.role.namePrefix: Invalid"}},
		"TrustConflict":       {"Conditions that restrict the trust cannot be replaced.", spec + "role: {trustConditions: {StringEquals: {'aws:RequestTag/kubernetes-namespace': ['*']}}}", "", []string{"spec.role.trustConditions: Forbidden", "kubernetes-namespace"}},
		"RolePathTooLong":     {"AWS limits the length.", spec + "role: {path: /" + strings.Repeat("p", iam.MaxPath-1) + "/}", "", []string{"spec.role.path: Too long"}},
		"TrustTooLong":        {"AWS limits the length.", spec + "role: {trustConditions: {StringLike: {'aws:SourceOrgID': ['" + strings.Repeat("a", 2048) + "']}}}", "", []string{"spec.role.trustConditions", "characters, AWS allows 2048"}},
		"Tags":                {"AWS's rules for tags apply.", spec + "tags: {'aws:x': a, ok: '" + long + "', 'a#b': c}", "", []string{"spec.tags[aws:x]: Invalid", "spec.tags[ok]: Too long", "spec.tags[a#b]: Invalid"}},
		"ManyTags":            {"AWS accepts 50 tags.", spec + "tags: {" + manyTags() + "}", "", []string{"spec.tags: Too many: 51"}},
		"Provider":            {"Fields that are passed through are checked.", strings.Replace(spec, "{version: v2.5.0}", "{version: latest, family: Mine, packagePullPolicy: Often, revisionActivationPolicy: Never, revisionHistoryLimit: -1, packagePullSecrets: [{name: A_B}]}", 1), "", []string{"spec.provider.version: Invalid", "spec.provider.family: Unsupported", "spec.provider.packagePullPolicy: Unsupported", "spec.provider.revisionActivationPolicy: Unsupported", "spec.provider.revisionHistoryLimit: Invalid", "spec.provider.packagePullSecrets[0].name: Invalid"}},
		"Runtime":             {"Values must be valid in a Deployment.", spec + "runtime: {replicas: -1, associationSettleSeconds: 1000, env: [{name: A}, {name: A}], podLabels: {'a b': c}}", "", []string{"spec.runtime.replicas: Invalid", "spec.runtime.associationSettleSeconds: Invalid", "spec.runtime.env[1].name: Duplicate", "spec.runtime.podLabels"}},
		"RuntimeQuantity":     {"A quantity has a fixed format.", spec + "runtime: {resources: {requests: {memory: lots}}}", "", []string{"spec.runtime.resources.requests[memory]: Invalid"}},
		"TemplateName":        {"Crossplane deletes a Deployment that is renamed.", spec + "runtime: {deploymentTemplate: {metadata: {name: x}}}", "", []string{"spec.runtime.deploymentTemplate.metadata.name: Forbidden"}},
		"TemplateAccount":     {"The identity depends on the ServiceAccount.", service("runtime: {deploymentTemplate: {spec: {template: {spec: {serviceAccountName: x}}}}, serviceAccountTemplate: {metadata: {name: x}}}"), "", []string{"spec.services[0].runtime.deploymentTemplate.spec.template.spec.serviceAccountName: Forbidden", "spec.services[0].runtime.serviceAccountTemplate.metadata.name: Forbidden"}},
		"TemplateType":        {"A template is an object, with values of the right types.", spec + "runtime: {deploymentTemplate: [], serviceAccountTemplate: 7}", "", []string{"spec.runtime.deploymentTemplate: Invalid", "spec.runtime.serviceAccountTemplate: Invalid"}},
		"TemplateNull":        {"Null would remove fields that the identity depends on.", spec + "runtime: {deploymentTemplate: {spec: null}, serviceAccountTemplate: {metadata: {name: null}}}", "", []string{"spec.runtime.deploymentTemplate.spec: Forbidden", "spec.runtime.serviceAccountTemplate.metadata.name: Forbidden"}},
		"Digest":              {"A user-supplied digest would never trigger a restart.", spec + "runtime: {podAnnotations: {aws.podidentity.dev/identity: x}, deploymentTemplate: {spec: {template: {metadata: {annotations: {aws.podidentity.dev/identity: x}}}}}}", "", []string{"spec.runtime.podAnnotations[aws.podidentity.dev/identity]: Forbidden", "spec.runtime.deploymentTemplate.spec.template.metadata.annotations[aws.podidentity.dev/identity]: Forbidden"}},
		"Restart":             {"A user may not trigger a restart, either.", spec + "runtime: {podAnnotations: {aws.podidentity.dev/restarted-for: x}, deploymentTemplate: {spec: {template: {metadata: {annotations: {aws.podidentity.dev/restarted-for: x}}}}}}", "", []string{"spec.runtime.podAnnotations[aws.podidentity.dev/restarted-for]: Forbidden", "spec.runtime.deploymentTemplate.spec.template.metadata.annotations[aws.podidentity.dev/restarted-for]: Forbidden"}},
		"BootstrapIAM":        {"Removing the provider that creates identities would remove the credentials to do so.", strings.Replace(spec, "[{name: s3}]", "[{name: s3}, {name: iam}]", 1), "", []string{"spec.services[1].management: Forbidden", "docs/bootstrap.md"}},
		"BootstrapEKS":        {"The same applies under another name.", strings.Replace(spec, "[{name: s3}]", "[{name: associations, package: registry.example.org/x/provider-aws-eks, roleArn: 'arn:aws:iam::123456789012:role/x'}]", 1), "", []string{"spec.services[0].management: Forbidden", "docs/bootstrap.md"}},
		"SharedRoleGenerated": {"A user-supplied name may clash with a generated one.", strings.Replace(spec, "[{name: s3}]", "[{name: s3}, {name: sqs, roleName: crossplane-PROD-eu-west-1-s3}]", 1), "", []string{"spec.services[1].roleName: Duplicate"}},
		"SharedPackage":       {"Two Providers with one package break the package manager, regardless of the registry.", strings.Replace(spec, "[{name: s3}]", "[{name: s3}, {name: sqs, package: registry.example.org/x/provider-aws-s3}]", 1), "", []string{"spec.services[1].package: Duplicate"}},
		"LargeIntegers":       {"An integer is not truncated.", spec + "runtime: {replicas: 4294967298, associationSettleSeconds: 1.0e+300}", "", []string{"spec.runtime.replicas: Invalid", "spec.runtime.associationSettleSeconds: Invalid", "from -2147483647 to 2147483647"}},
		"TrustConditions":     {"A condition has keys and values.", spec + "role: {trustConditions: {StringEquals: {'aws:x': []}, StringLike: {}, Sometimes: {'aws:x': [yes-please]}}}", "", []string{"spec.role.trustConditions[StringEquals][aws:x]: Invalid", "spec.role.trustConditions[StringLike]: Invalid", "spec.role.trustConditions[Sometimes]: Invalid"}},
		"TemplateDirective":   {"A directive could remove what the identity depends on.", spec + "runtime: {deploymentTemplate: {spec: {template: {metadata: {$patch: replace}}}}}", "", []string{"$patch: Forbidden"}},
		"ProviderConfigName":  {"A name must be valid in Kubernetes.", spec + "providerConfig: {name: My_Config}", "", []string{"spec.providerConfig.name: Invalid"}},
		"ProviderConfigLoop":  {"The identity cannot depend on what it creates.", spec + "providerConfigRef: {name: aws}\nproviderConfig: {name: aws}", "", []string{"spec.providerConfig.name: Invalid", "spec.providerConfigRef"}},
		"AssumeRoleChain":     {"A chain consists of roles.", spec + "providerConfig: {assumeRoleChain: [{roleARN: x, externalID: '1'}]}", "", []string{"spec.providerConfig.assumeRoleChain[0].roleARN: Invalid", "spec.providerConfig.assumeRoleChain[0].externalID: Invalid"}},
		"Policies":            {"Enumerations list the allowed values.", spec + "managementPolicies: [Look]\ndeletionPolicy: Keep\nteardown: Quick\npodIdentityAgent: {management: Maybe}\ncrossplaneNamespace: A", "", []string{"spec.managementPolicies[0]: Unsupported", "spec.deletionPolicy: Unsupported", "spec.teardown: Unsupported", "spec.podIdentityAgent.management: Unsupported", "spec.crossplaneNamespace: Invalid"}},
		"AgentVersion":        {"A version of the add-on has a fixed format.", spec + "podIdentityAgent: {management: Managed, version: latest}", "", []string{"spec.podIdentityAgent.version: Invalid"}},
		"Namespaces":          {"Namespaces must be valid and unique.", spec + "providerConfig: {namespaces: [team-a, Team/B, team-a]}", "", []string{"spec.providerConfig.namespaces[1]: Invalid", "spec.providerConfig.namespaces[2]: Duplicate"}},
		"TargetRole":          {"The ARN must be that of a role.", service("targetRoleArn: buckets"), "", []string{"spec.services[0].targetRoleArn: Invalid", "ARN of an IAM role"}},
		"AdoptAndImport":      {"The association is named in one way.", service("associationId: a-1, adoptExistingAssociation: true"), "", []string{"spec.services[0].adoptExistingAssociation: Forbidden"}},
		"KindsWord":           {"Kinds are a list, or the word Active.", service("permissions: {kinds: active}"), "", []string{"spec.services[0].permissions.kinds: Invalid", "\"active\"", "the word Active"}},
		"KindsListed":         {"The word Active is not a kind.", service("permissions: {kinds: [Active]}"), "", []string{"spec.services[0].permissions.kinds: Invalid", "kinds: Active"}},
		"KindsUnknown":        {"An unknown kind is reported with similar ones.", service("permissions: {kinds: [Buckt, Object, Object]}"), "", []string{"spec.services[0].permissions.kinds[0]: Invalid", "did you mean Bucket", "spec.services[0].permissions.kinds[2]: Duplicate"}},
		"StatementTooLong":    {"The statement does not fit in any policy.", service("permissions: {statements: [{actions: ['s3:*'], resources: ['*'], conditions: {StringEquals: {'aws:x': [" + manyValues(long) + "]}}}]}"), "", []string{"spec.services[0].permissions: Invalid", "6144"}},
		"TooManyPolicies":     {"AWS limits the number of attached policies.", service("permissions: {accessLevel: Full, managedPolicyArns: [" + manyPolicies(10) + "]}"), "", []string{"spec.services[0].permissions.managedPolicyArns: Too many"}},
		"InputUnknownField":   {"The Input is decoded strictly, so that a typo cannot disable a default.", spec, "{default: {}, defaults: {provider: {verison: v2.5.0}, services: [{name: s3, x: 1}]}}", []string{"input.default: Invalid", "input.defaults.provider.verison: Invalid", "input.defaults.services[0].x: Invalid", "unknown field"}},
		"InputType":           {"Values in the Input must have the right types.", spec, "{preview: maybe, ttl: soon, defaults: []}", []string{"input.preview", "true or false", "input.ttl", "input.defaults", "must be an object"}},
		"Claim":               {"A claim may set its team's own identity only.", spec + "claimRef: {namespace: team-a, name: storage}\ncrossplaneNamespace: team-a\n", "", []string{"spec.crossplaneNamespace: Forbidden", "spec.provider.version: Forbidden", "claims.allowedFields"}},
		"InputValues":         {"Values in the Input are checked.", spec, "{prerequisites: Hope, ttl: 1s, kind: Output, apiVersion: v1}", []string{"input.prerequisites: Unsupported", "input.ttl: Invalid", "1m to 1h", "input.kind: Unsupported", "input.apiVersion: Unsupported"}},
		"InputGuardrails":     {"A guardrail that matches nothing would protect nothing.", spec, "{guardrails: {deniedActions: [PassRole], allowedTargetAccounts: ['12'], allowedManagedPolicyArns: [AdministratorAccess], requiredPermissionsBoundary: boundary, allowedService: [s3]}}", []string{"input.guardrails.allowedService: Invalid"}},
		"InputGuardrailForms": {"A guardrail that matches nothing would protect nothing.", spec, "{guardrails: {deniedActions: [PassRole], allowedTargetAccounts: ['12'], allowedManagedPolicyArns: [AdministratorAccess], requiredPermissionsBoundary: boundary}}", []string{"input.guardrails.deniedActions[0]: Invalid", "input.guardrails.allowedTargetAccounts[0]: Invalid", "input.guardrails.allowedManagedPolicyArns[0]: Invalid", "input.guardrails.requiredPermissionsBoundary: Invalid"}},
		"Guardrail":           {"A violation names the rule, the field and the value.", spec, "{guardrails: {allowedRegions: [eu-central-1], requiredTags: [team]}}", []string{"spec.region: Forbidden: guardrail allowedRegions: \"eu-west-1\"", "spec.tags[team]: Required value: guardrail requiredTags"}},
		"InputAndSpec":        {"Errors of both are reported at once.", "region: 7", "{preview: 7}", []string{"input.preview", "spec.region"}},
		"DefaultsAreChecked":  {"A default is checked like the field itself.", "services: [{name: s3}]", "{defaults: {region: mars, clusterName: prod, provider: {version: v2.5.0}}}", []string{"spec.region: Invalid"}},
	}
	messages := map[string]string{}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			message := refuse(t, tc.reason, tc.spec, tc.input)
			for _, want := range tc.want {
				if !strings.Contains(message, want) {
					t.Errorf("%s\nthe error does not say %q: %s", tc.reason, want, message)
				}
			}
			messages[name] = message
		})
	}
	compareMessages(t, "testdata/invalid.yaml", messages)
}

// compareMessages compares messages with a golden file, word for word, because users search for them.
func compareMessages(t *testing.T, file string, got map[string]string) {
	t.Helper()
	b, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: make golden writes it", err)
	}
	if diff := cmp.Diff(string(want), string(b)); diff != "" {
		t.Errorf("%s differs from the messages (make golden rewrites it): -want, +got:\n%s", file, diff)
	}
}

// refuse checks that a composite resource is refused, that nothing is composed and that the claim reports it. It returns the message.
func refuse(t *testing.T, reason, spec, input string) string {
	t.Helper()
	xr := fromYAML(t, "{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: bad}}")
	xr.Fields["spec"] = fromYAML(t, "spec:\n  "+strings.ReplaceAll(spec, "\n", "\n  ")).GetFields()["spec"]
	w := &world{XR: xr}
	if input != "" {
		w.Input = fromYAML(t, input)
	}
	return refusal(t, reason, w.reconcile(t, newTestFunction()))
}

// refusal returns the message of a refusal, and checks that nothing is composed and that the claim reports it.
func refusal(t *testing.T, reason string, rsp *fnv1.RunFunctionResponse) string {
	t.Helper()
	if !isFatal(rsp) {
		t.Fatalf("%s\nwant a fatal result, got %v", reason, rsp.GetResults())
	}
	message := rsp.GetResults()[0].GetMessage()
	if strings.Contains(message, "internal error") {
		t.Errorf("it panicked: %s", message)
	}
	if n := len(rsp.GetDesired().GetResources()); n > 0 || rsp.GetDesired().GetComposite() != nil {
		t.Errorf("%s\n%d resources were composed", reason, n)
	}
	if c := rsp.GetConditions()[0]; c.GetStatus() != fnv1.Status_STATUS_CONDITION_FALSE || c.GetReason() != "InvalidSpec" || c.GetTarget() != fnv1.Target_TARGET_COMPOSITE_AND_CLAIM {
		t.Errorf("%s\nthe claim does not report it: %v", reason, c)
	}
	return message
}

func manyTags() string {
	tags := make([]string, 0, 51)
	for i := range 51 {
		tags = append(tags, "t"+string(rune('a'+i/26))+string(rune('a'+i%26))+": x")
	}
	return strings.Join(tags, ", ")
}

// manyValues returns values that together are too long for one policy.
func manyValues(long string) string {
	out := make([]string, 0, 25)
	for i := range 25 {
		out = append(out, "'"+string(rune('a'+i))+long+"'")
	}
	return strings.Join(out, ", ")
}

func manyPolicies(n int) string {
	out := make([]string, 0, n)
	for i := range n {
		out = append(out, "'arn:aws:iam::aws:policy/"+string(rune('a'+i))+"'")
	}
	return strings.Join(out, ", ")
}
