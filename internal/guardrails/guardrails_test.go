package guardrails

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A spec that breaks no rule.
const good = `
region: eu-west-1
clusterName: prod
provider: {version: v2.5.0}
services: [{name: s3}]
`

// TestRules: what breaks a rule is refused with the rule, the field and the value. Each case is looked at once more without
// the rule that it is about: were the rule not there, nobody would notice.
func TestRules(t *testing.T) {
	service := func(fields string) string { return strings.Replace(good, "{name: s3}", "{name: s3, "+fields+"}", 1) }
	const byo = "roleArn: 'arn:aws:iam::123456789012:role/mine'"
	cases := map[string]struct {
		reason     string
		guardrails string
		defaults   string
		spec       string
		rule       string   // empty: nothing is broken
		want       []string // in the violations of the rule
	}{
		"Services":             {"A service that is not listed.", "allowedServices: [sqs]", "", good, "allowedServices", []string{"spec.services[0].name: Forbidden", `"s3"`, "allowed: sqs"}},
		"ServicesListed":       {"A service that is listed.", "allowedServices: [sqs, s3]", "", good, "", nil},
		"ServicesPackage":      {"Another package under an allowed name.", "allowedServices: [s3]", "", service("package: xpkg.upbound.io/upbound/provider-aws-organizations"), "allowedServices", []string{"spec.services[0].package", "provider-aws-organizations"}},
		"ServicesMirror":       {"The same package in a mirror.", "allowedServices: [s3]", "", service("package: registry.example.org/mirror/provider-aws-s3"), "", nil},
		"Regions":              {"A region that is not listed.", "allowedRegions: [eu-central-1]", "", good, "allowedRegions", []string{"spec.region: Forbidden", `"eu-west-1"`}},
		"RegionsListed":        {"A region that is listed.", "allowedRegions: [eu-west-1]", "", good, "", nil},
		"RegionsDefault":       {"A default is looked at like the field itself.", "allowedRegions: [eu-central-1]", "region: eu-west-1", strings.Replace(good, "region: eu-west-1", "", 1), "allowedRegions", []string{"spec.region"}},
		"Clusters":             {"A cluster that is not listed.", "allowedClusters: [test]", "", good, "allowedClusters", []string{"spec.clusterName: Forbidden", `"prod"`}},
		"ClustersListed":       {"A cluster that is listed.", "allowedClusters: [prod]", "", good, "", nil},
		"ClustersUnknown":      {"A cluster that is not known yet breaks no rule: nothing is created for it.", "allowedClusters: [test]", "", strings.Replace(good, "clusterName: prod", "clusterNameRef: {name: x}", 1), "", nil},
		"Registries":           {"Another registry.", "allowedRegistries: [registry.example.org]", "", good, "allowedRegistries", []string{"spec.provider.registry: Forbidden", "xpkg.upbound.io/upbound/provider-aws-s3"}},
		"RegistriesHost":       {"A registry without a path allows all of it.", "allowedRegistries: [xpkg.upbound.io]", "", good, "", nil},
		"RegistriesPath":       {"A path must be whole.", "allowedRegistries: [xpkg.upbound.io/up]", "", good, "allowedRegistries", []string{"spec.provider.registry"}},
		"RegistriesPackage":    {"A package of its own is no way around.", "allowedRegistries: [xpkg.upbound.io/upbound]", "", service("package: registry.example.org/evil/provider-aws-s3"), "allowedRegistries", []string{"spec.services[0].package: Forbidden", "registry.example.org/evil"}},
		"RegistriesFamily":     {"The family is a package too.", "allowedRegistries: [registry.example.org]", "", strings.Replace(service("package: registry.example.org/up/provider-aws-s3"), "{version: v2.5.0}", "{version: v2.5.0, family: Manage}", 1), "allowedRegistries", []string{"spec.provider.registry", "provider-family-aws"}},
		"RegistriesObserved":   {"A provider that somebody else installs is no business of ours.", "allowedRegistries: [registry.example.org]", "", service("management: Observe"), "", nil},
		"ManagedPolicies":      {"A policy that no pattern matches.", "allowedManagedPolicyArns: ['arn:aws:iam::aws:policy/*ReadOnlyAccess']", "", service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess']}"), "allowedManagedPolicyArns", []string{"spec.services[0].permissions.managedPolicyArns[0]: Forbidden", "AdministratorAccess"}},
		"ManagedPoliciesMatch": {"A policy that a pattern matches.", "allowedManagedPolicyArns: ['arn:aws:iam::aws:policy/*ReadOnlyAccess']", "", service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess']}"), "", nil},
		"TargetAccounts":       {"A role of another account.", "allowedTargetAccounts: ['111111111111']", "", service("targetRoleArn: 'arn:aws:iam::222222222222:role/x'"), "allowedTargetAccounts", []string{"spec.services[0].targetRoleArn: Forbidden", "222222222222"}},
		"TargetAccountsListed": {"A role of a listed account.", "allowedTargetAccounts: ['222222222222']", "", service("targetRoleArn: 'arn:aws:iam::222222222222:role/x'"), "", nil},
		"TargetAccountsChain":  {"A chain leads to other accounts as well.", "allowedTargetAccounts: ['111111111111']", "", good + "providerConfig: {assumeRoleChain: [{roleARN: 'arn:aws:iam::222222222222:role/x'}]}", "allowedTargetAccounts", []string{"spec.providerConfig.assumeRoleChain[0].roleARN: Forbidden"}},

		"DeniedStatement":  {"An action that is denied.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{actions: ['iam:PassRole'], resources: ['*']}]}"), "deniedActions", []string{"spec.services[0].permissions: Forbidden", `"iam:PassRole"`}},
		"DeniedStar":       {"A wider pattern allows it.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{actions: ['*'], resources: ['*']}]}"), "deniedActions", []string{`"*"`}},
		"DeniedService":    {"A wider pattern allows it.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{actions: ['iam:*'], resources: ['*']}]}"), "deniedActions", []string{`"iam:*"`}},
		"DeniedWildcard":   {"A pattern that is neither wider nor narrower allows it.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{actions: ['iam:Pass?ole'], resources: ['*']}]}"), "deniedActions", []string{`"iam:Pass?ole"`}},
		"DeniedCase":       {"IAM does not look at letter case.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{actions: ['IAM:passrole'], resources: ['*']}]}"), "deniedActions", []string{`"IAM:passrole"`}},
		"DeniedNarrower":   {"A part of what is denied.", "deniedActions: ['iam:*']", "", service("permissions: {accessLevel: None, statements: [{actions: ['iam:GetRole'], resources: ['*']}]}"), "deniedActions", []string{`"iam:GetRole"`}},
		"DeniedNotAction":  {"NotAction allows all but what it lists.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{notActions: ['s3:*'], resources: ['*']}]}"), "deniedActions", []string{"deniedActions"}},
		"DeniedNotCovered": {"NotAction that lists what is denied.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{notActions: ['iam:*'], resources: ['*']}]}"), "", nil},
		"DeniedDocument":   {"A document is no way around.", "deniedActions: ['iam:PassRole']", "", service(`permissions: {accessLevel: None, policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}}'}`), "deniedActions", []string{"spec.services[0].permissions"}},
		"DeniedCatalogue":  {"The catalogue is no way around.", "deniedActions: ['s3:DeleteBucket']", "", good, "deniedActions", []string{`"s3:*"`}},
		"DeniedChain":      {"Assuming a role is an action.", "deniedActions: ['sts:AssumeRole']", "", good + "providerConfig: {assumeRoleChain: [{roleARN: 'arn:aws:iam::222222222222:role/x'}]}", "deniedActions", []string{"sts:AssumeRole"}},
		"DeniedTarget":     {"Assuming a role is an action.", "deniedActions: ['sts:AssumeRole']", "", service("targetRoleArn: 'arn:aws:iam::222222222222:role/x'"), "deniedActions", []string{"sts:AssumeRole"}},
		"DeniedOwnRole":    {"Nobody can look into somebody else's role.", "deniedActions: ['iam:PassRole']", "", service(byo), "deniedActions", []string{"spec.services[0].roleArn: Forbidden"}},
		"DeniedDeny":       {"A statement that denies allows nothing.", "deniedActions: ['iam:PassRole']", "", service("permissions: {statements: [{effect: Deny, actions: ['*'], resources: ['*']}]}"), "", nil},
		"DeniedOther":      {"Other actions.", "deniedActions: ['iam:PassRole']", "", good, "", nil},

		"Boundary":         {"Another boundary.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "", good + "role: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/c'}", "requiredPermissionsBoundary", []string{"spec.role.permissionsBoundary: Forbidden", "policy/c", "policy/b"}},
		"BoundaryNone":     {"No boundary.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "", good, "requiredPermissionsBoundary", []string{"spec.role.permissionsBoundary: Forbidden"}},
		"BoundaryRight":    {"The boundary.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "", good + "role: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/b'}", "", nil},
		"BoundaryDefault":  {"The boundary, by default.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "role: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/b'}", good, "", nil},
		"BoundaryOwnRole":  {"Nobody can tell what boundary somebody else's role has.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "", service(byo), "requiredPermissionsBoundary", []string{"spec.services[0].roleArn: Forbidden"}},
		"Tags":             {"A tag that is missing.", "requiredTags: [team, cost]", "", good + "tags: {team: a}", "requiredTags", []string{"spec.tags[cost]: Forbidden"}},
		"TagsEmpty":        {"A tag that says nothing.", "requiredTags: [team]", "", good + "tags: {team: ''}", "requiredTags", []string{"spec.tags[team]: Forbidden"}},
		"TagsSet":          {"The tags.", "requiredTags: [team]", "", good + "tags: {team: a}", "", nil},
		"CustomStatements": {"Statements of one's own.", "forbidCustomPermissions: true", "", service("permissions: {statements: [{actions: ['s3:*'], resources: ['*']}]}"), "forbidCustomPermissions", []string{"spec.services[0].permissions.statements: Forbidden"}},
		"CustomDocument":   {"A document of one's own.", "forbidCustomPermissions: true", "", service(`permissions: {policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}'}`), "forbidCustomPermissions", []string{"spec.services[0].permissions.policyDocument: Forbidden", "a document"}},
		"CustomManaged":    {"Policies that exist.", "forbidCustomPermissions: true", "", service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/x']}"), "forbidCustomPermissions", []string{"spec.services[0].permissions.managedPolicyArns: Forbidden"}},
		"CustomRole":       {"A role of one's own.", "forbidCustomPermissions: true", "", service(byo), "forbidCustomPermissions", []string{"spec.services[0].roleArn: Forbidden"}},
		"CustomCatalogue":  {"The catalogue.", "forbidCustomPermissions: true", "", service("permissions: {accessLevel: ReadOnly}"), "", nil},
		"CustomDefault":    {"The platform team may use what it forbids.", "forbidCustomPermissions: true", "services: [{name: s3, permissions: {statements: [{actions: ['s3:*'], resources: ['*']}]}}]", good, "", nil},
		"Templates":        {"A raw template for all services.", "forbidRuntimeTemplates: true", "", good + "runtime: {deploymentTemplate: {spec: {}}, serviceAccountTemplate: {}}", "forbidRuntimeTemplates", []string{"spec.runtime.deploymentTemplate: Forbidden", "spec.runtime.serviceAccountTemplate: Forbidden"}},
		"TemplatesService": {"A raw template for one service.", "forbidRuntimeTemplates: true", "", service("runtime: {deploymentTemplate: {}, serviceAccountTemplate: {}}"), "forbidRuntimeTemplates", []string{"spec.services[0].runtime.deploymentTemplate: Forbidden", "spec.services[0].runtime.serviceAccountTemplate: Forbidden"}},
		"TemplatesDefault": {"The platform team may use what it forbids.", "forbidRuntimeTemplates: true", "runtime: {deploymentTemplate: {spec: {}}}", good, "", nil},
		"TemplatesOther":   {"Fields are not templates.", "forbidRuntimeTemplates: true", "", good + "runtime: {replicas: 2}", "", nil},
		"OwnRole":          {"Somebody else's role.", "forbidBringYourOwnRole: true", "", service(byo), "forbidBringYourOwnRole", []string{"spec.services[0].roleArn: Forbidden"}},
		"OwnRoleName":      {"A role of that name would be taken over.", "forbidBringYourOwnRole: true", "", service("roleName: Administrator"), "forbidBringYourOwnRole", []string{"spec.services[0].roleName: Forbidden", "Administrator"}},
		"OwnRoleImport":    {"A role that is taken over on purpose.", "forbidBringYourOwnRole: true", "", service("importRole: true"), "forbidBringYourOwnRole", []string{"spec.services[0].importRole: Forbidden"}},
		"OwnRoleNone":      {"A role of the generated name.", "forbidBringYourOwnRole: true", "", good, "", nil},
		"NoGuardrails":     {"Without guardrails everything goes.", "", "", service(byo), "", nil},
	}
	broken := map[string]bool{}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v, id := resolve(t, tc.guardrails, tc.defaults, tc.spec)
			errs := Check(v, id)
			if tc.rule == "" {
				if len(errs) > 0 {
					t.Errorf("%s\nwant no violation, got %v", tc.reason, errs)
				}
				return
			}
			broken[tc.rule] = true
			all := ""
			for _, e := range errs {
				if !strings.Contains(e.Error(), "guardrail "+tc.rule+":") {
					t.Errorf("%s\na violation of another rule: %v", tc.reason, e)
				}
				all += e.Error() + "\n"
			}
			for _, want := range tc.want {
				if !strings.Contains(all, want) {
					t.Errorf("%s\nthe violation does not say %q: %q", tc.reason, want, all)
				}
			}
			others := maps.Clone(rules)
			delete(others, tc.rule)
			if errs := check(others, v, id); len(errs) > 0 {
				t.Errorf("%s\nrefused without the rule, too, so that the case says nothing of it: %v", tc.reason, errs)
			}
		})
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		if !broken[rule] {
			t.Errorf("no case breaks rule %s", rule)
		}
	}
}

// TestAllAtOnce: one request hears of all its violations.
func TestAllAtOnce(t *testing.T) {
	v, id := resolve(t, "allowedServices: [sqs]\nallowedRegions: [eu-central-1]\nrequiredTags: [team]", "", good)
	if errs := Check(v, id); len(errs) != 3 {
		t.Errorf("want 3 violations, got %v", errs)
	}
}

// TestNeutralised: what cannot be looked into is denied, so that no policy that is attached by ARN, or was attached to a
// role before, can allow it.
func TestNeutralised(t *testing.T) {
	_, id := resolve(t, "deniedActions: ['iam:*', 'sts:AssumeRole']", "", strings.Replace(good, "{name: s3}", "{name: s3, permissions: {accessLevel: None, managedPolicyArns: ['arn:aws:iam::aws:policy/x']}}", 1))
	const want = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["iam:*","sts:AssumeRole"],"Resource":"*"}]}`
	if got := strings.Join(id.Services[0].Policies, "\n"); got != want {
		t.Errorf("policies: want %s, got %s", want, got)
	}
}

func resolve(t *testing.T, guardrails, defaults, spec string) (*view.View, *identity.Identity) {
	t.Helper()
	input := map[string]any{}
	if guardrails != "" {
		input["guardrails"] = testutil.Parse(t, guardrails)
	}
	if defaults != "" {
		input["defaults"] = testutil.Parse(t, defaults)
	}
	xr := map[string]any{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityProvider", "metadata": map[string]any{"name": "storage"}, "spec": testutil.Parse(t, spec)}
	v, errs := view.From(&fnv1.RunFunctionRequest{Input: testutil.Struct(t, input), Observed: &fnv1.State{Composite: &fnv1.Resource{Resource: testutil.Struct(t, xr)}}}, nil, time.Time{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	id, errs := identity.Resolve(v)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return v, id
}
