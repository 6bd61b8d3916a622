package guardrails

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// good is a spec that violates no rule.
const good = `
region: eu-west-1
clusterName: prod
provider: {version: v2.5.0}
services: [{name: s3}]
`

// tenantBegins is the start of a tenant's spec: its host.
const tenantBegins = `
providerRef: {name: platform}
`

// tenant is a tenant that violates no rule.
const tenant = tenantBegins + `
services: [{name: s3}]
`

// narrowTenant is a tenant that lists kinds.
const narrowTenant = tenantBegins + `
services: [{name: s3, permissions: {kinds: [Bucket]}}]
`

// TestRules checks that a violation is refused with the rule, the field and the value. Each case also runs without its rule, to show that
// the violation depends on that rule.
func TestRules(t *testing.T) {
	service := func(fields string) string { return strings.Replace(good, "{name: s3}", "{name: s3, "+fields+"}", 1) }
	const (
		target   = "arn:aws:iam::123456789012:role/x"
		boundary = "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'"
		bounded  = "role: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/b'}"
		claim    = "claimRef: {namespace: team-a, name: storage}\n"
	)
	const byo = "roleArn: 'arn:aws:iam::123456789012:role/mine'"
	cases := map[string]struct {
		reason     string
		guardrails string
		defaults   string
		spec       string
		rule       string   // empty: no violation
		want       []string // in the violations of the rule
	}{
		"Services":               {"A service that is not listed is refused.", "allowedServices: [sqs]", "", good, "allowedServices", []string{"spec.services[0].name: Forbidden", `"s3"`, "allowed: sqs"}},
		"ServicesListed":         {"A service that is listed is allowed.", "allowedServices: [sqs, s3]", "", good, "", nil},
		"ServicesPackage":        {"Another package cannot use an allowed name.", "allowedServices: [s3]", "", service("package: xpkg.upbound.io/upbound/provider-aws-organizations"), "allowedServices", []string{"spec.services[0].package", "provider-aws-organizations"}},
		"ServicesMirror":         {"A mirror may serve the same package.", "allowedServices: [s3]", "", service("package: registry.example.org/mirror/provider-aws-s3"), "", nil},
		"ServiceAccounts":        {"A ServiceAccount that no pattern matches is refused.", "allowedServiceAccounts: ['provider-aws-*']", "", service("serviceAccountName: aws-node"), "allowedServiceAccounts", []string{"spec.services[0].serviceAccountName: Forbidden", `"aws-node"`, "allowed: provider-aws-*"}},
		"ServiceAccountsMatch":   {"The default name is checked, too.", "allowedServiceAccounts: ['provider-aws-*']", "", good, "", nil},
		"ServiceAccountsNone":    {"An empty list allows none.", "allowedServiceAccounts: []", "", good, "allowedServiceAccounts", []string{"spec.services[0].serviceAccountName: Forbidden"}},
		"ServiceAccountsDefault": {"A default is checked like the field itself.", "allowedServiceAccounts: ['provider-aws-*']", "services: [{name: s3, serviceAccountName: aws-node}]", good, "allowedServiceAccounts", []string{`"aws-node"`}},
		"Protected":              {"A ServiceAccount that the platform team protects is refused.", "protectedServiceAccounts: ['aws-*']", "", service("serviceAccountName: aws-node"), "protectedServiceAccounts", []string{"spec.services[0].serviceAccountName: Forbidden", `"aws-node"`, "use another"}},
		"ProtectedOther":         {"Another ServiceAccount is allowed.", "protectedServiceAccounts: ['aws-*']", "", good, "", nil},
		"ProtectedAlways":        {"The bootstrap ServiceAccounts are always protected.", "", "", service("serviceAccountName: provider-aws-iam"), "protectedServiceAccounts", []string{`"provider-aws-iam"`}},
		"ProtectedObserved":      {"They are protected regardless of who installs the provider.", "", "", service("management: Observe, serviceAccountName: provider-aws-eks"), "protectedServiceAccounts", []string{`"provider-aws-eks"`}},
		"ProtectedDefault":       {"A default cannot bypass the rule.", "", "services: [{name: s3, serviceAccountName: crossplane}]", good, "protectedServiceAccounts", []string{`"crossplane"`}},
		"ProtectedOwn":           {"The services iam and eks use their own ServiceAccounts,", "protectedServiceAccounts: ['provider-aws-*']", "", strings.Replace(good, "[{name: s3}]", "[{name: iam, management: Observe}, {name: eks, management: Observe}]", 1), "", nil},
		"Providers":              {"A host that no pattern matches is refused.", "allowedProviders: ['shared-*']", "", tenant, "allowedProviders", []string{"spec.providerRef.name: Forbidden", `"platform"`, "allowed: shared-*"}},
		"ProvidersMatch":         {"A host that a pattern matches is allowed.", "allowedProviders: ['plat*']", "", tenant, "", nil},
		"TenantService":          {"A tenant's services are checked.", "allowedServices: [sqs]", "", tenant, "allowedServices", []string{"spec.services[0].name: Forbidden"}},
		"TenantServiceListed":    {"A tenant's services have no package of their own.", "allowedServices: [s3]\nallowedServiceAccounts: [x]\nallowedRegions: [x]\nallowedClusters: [x]", "", tenant, "", nil},
		"TenantDenied":           {"A tenant's permissions are checked.", "deniedActions: ['s3:DeleteBucket']", "", tenant, "deniedActions", []string{"spec.services[0].permissions: Forbidden"}},
		"TenantBoundary":         {"A tenant's role must have the boundary.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "", tenant, "requiredPermissionsBoundary", []string{"spec.role.permissionsBoundary: Forbidden"}},
		"TenantTags":             {"A tenant's role must have the tags.", "requiredTags: [team]", "", tenant, "requiredTags", []string{"spec.tags[team]: Required value"}},
		"SharingDenied":          {"Shared providers assume other roles.", "deniedActions: ['sts:*']", "", good + "sharing: {}", "deniedActions", []string{"spec.sharing: Forbidden", "sts:AssumeRole"}},
		"SharingAccounts":        {"They may do so in allowed accounts only.", "allowedTargetAccounts: ['111122223333']", "", good + "sharing: {accounts: ['222233334444']}", "allowedTargetAccounts", []string{"spec.sharing.accounts[0]: Forbidden", "222233334444"}},
		"ProtectedSwapped":       {"but not each other's.", "", "", strings.Replace(good, "[{name: s3}]", "[{name: iam, management: Observe, serviceAccountName: provider-aws-eks}]", 1), "protectedServiceAccounts", []string{`"provider-aws-eks"`}},
		"Regions":                {"A region that is not listed is refused.", "allowedRegions: [eu-central-1]", "", good, "allowedRegions", []string{"spec.region: Forbidden", `"eu-west-1"`}},
		"RegionsListed":          {"A region that is listed is allowed.", "allowedRegions: [eu-west-1]", "", good, "", nil},
		"RegionsDefault":         {"A default is checked like the field itself.", "allowedRegions: [eu-central-1]", "region: eu-west-1", strings.Replace(good, "region: eu-west-1", "", 1), "allowedRegions", []string{"spec.region"}},
		"Clusters":               {"A cluster that is not listed is refused.", "allowedClusters: [test]", "", good, "allowedClusters", []string{"spec.clusterName: Forbidden", `"prod"`}},
		"ClustersListed":         {"A cluster that is listed is allowed.", "allowedClusters: [prod]", "", good, "", nil},
		"ClustersUnknown":        {"A cluster that is not yet known violates no rule, because nothing is created for it.", "allowedClusters: [test]", "", strings.Replace(good, "clusterName: prod", "clusterNameRef: {name: x}", 1), "", nil},
		"Registries":             {"Another registry is refused.", "allowedRegistries: [registry.example.org]", "", good, "allowedRegistries", []string{"spec.provider.registry: Forbidden", "xpkg.upbound.io/upbound/provider-aws-s3"}},
		"RegistriesHost":         {"A registry without a path allows all of it.", "allowedRegistries: [xpkg.upbound.io]", "", good, "", nil},
		"RegistriesPath":         {"A path must match as a whole.", "allowedRegistries: [xpkg.upbound.io/up]", "", good, "allowedRegistries", []string{"spec.provider.registry"}},
		"RegistriesPackage":      {"A service's own package cannot bypass the rule.", "allowedRegistries: [xpkg.upbound.io/upbound]", "", service("package: registry.example.org/evil/provider-aws-s3"), "allowedRegistries", []string{"spec.services[0].package: Forbidden", "registry.example.org/evil"}},
		"RegistriesFamily":       {"The family is a package, too.", "allowedRegistries: [registry.example.org]", "", strings.Replace(service("package: registry.example.org/up/provider-aws-s3"), "{version: v2.5.0}", "{version: v2.5.0, family: Manage}", 1), "allowedRegistries", []string{"spec.provider.registry", "provider-family-aws"}},
		"RegistriesObserved":     {"A provider that another owner installs is not checked.", "allowedRegistries: [registry.example.org]", "", service("management: Observe"), "", nil},
		"ManagedPolicies":        {"A policy that no pattern matches is refused.", "allowedManagedPolicyArns: ['arn:aws:iam::aws:policy/*ReadOnlyAccess']", "", service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess']}"), "allowedManagedPolicyArns", []string{"spec.services[0].permissions.managedPolicyArns[0]: Forbidden", "AdministratorAccess"}},
		"ManagedPoliciesMatch":   {"A policy that a pattern matches is allowed.", "allowedManagedPolicyArns: ['arn:aws:iam::aws:policy/*ReadOnlyAccess']", "", service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess']}"), "", nil},
		"TargetAccounts":         {"A role in another account is refused.", "allowedTargetAccounts: ['111111111111']", "", service("targetRoleArn: 'arn:aws:iam::222222222222:role/x'"), "allowedTargetAccounts", []string{"spec.services[0].targetRoleArn: Forbidden", "222222222222"}},
		"TargetAccountsListed":   {"A role in a listed account is allowed.", "allowedTargetAccounts: ['222222222222']", "", service("targetRoleArn: 'arn:aws:iam::222222222222:role/x'"), "", nil},
		"TargetAccountsChain":    {"A role chain leads to other accounts, too.", "allowedTargetAccounts: ['111111111111']", "", good + "providerConfig: {assumeRoleChain: [{roleARN: 'arn:aws:iam::222222222222:role/x'}]}", "allowedTargetAccounts", []string{"spec.providerConfig.assumeRoleChain[0].roleARN: Forbidden"}},

		"DeniedStatement":  {"A denied action is refused.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{actions: ['iam:PassRole'], resources: ['*']}]}"), "deniedActions", []string{"spec.services[0].permissions: Forbidden", `"iam:PassRole"`}},
		"DeniedStar":       {"A wider pattern allows it.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{actions: ['*'], resources: ['*']}]}"), "deniedActions", []string{`"*"`}},
		"DeniedService":    {"A wider pattern allows it.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{actions: ['iam:*'], resources: ['*']}]}"), "deniedActions", []string{`"iam:*"`}},
		"DeniedWildcard":   {"A pattern that only overlaps allows it, too.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{actions: ['iam:Pass?ole'], resources: ['*']}]}"), "deniedActions", []string{`"iam:Pass?ole"`}},
		"DeniedCase":       {"IAM ignores letter case.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{actions: ['IAM:passrole'], resources: ['*']}]}"), "deniedActions", []string{`"IAM:passrole"`}},
		"DeniedNarrower":   {"A part of the denied actions is refused.", "deniedActions: ['iam:*']", "", service("permissions: {accessLevel: None, statements: [{actions: ['iam:GetRole'], resources: ['*']}]}"), "deniedActions", []string{`"iam:GetRole"`}},
		"DeniedNotAction":  {"NotAction allows all actions except those it lists.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{notActions: ['s3:*'], resources: ['*']}]}"), "deniedActions", []string{"deniedActions"}},
		"DeniedNotCovered": {"NotAction may list the denied actions.", "deniedActions: ['iam:PassRole']", "", service("permissions: {accessLevel: None, statements: [{notActions: ['iam:*'], resources: ['*']}]}"), "", nil},
		"DeniedDocument":   {"A document cannot bypass the rule.", "deniedActions: ['iam:PassRole']", "", service(`permissions: {accessLevel: None, policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}}'}`), "deniedActions", []string{"spec.services[0].permissions"}},
		"DeniedCatalogue":  {"The catalogue cannot bypass the rule.", "deniedActions: ['s3:DeleteBucket']", "", good, "deniedActions", []string{`"s3:*"`}},
		"DeniedChain":      {"Assuming a role is an action.", "deniedActions: ['sts:AssumeRole']", "", good + "providerConfig: {assumeRoleChain: [{roleARN: 'arn:aws:iam::222222222222:role/x'}]}", "deniedActions", []string{"sts:AssumeRole"}},
		"DeniedTarget":     {"Assuming a role is an action.", "deniedActions: ['sts:AssumeRole']", "", service("targetRoleArn: 'arn:aws:iam::222222222222:role/x'"), "deniedActions", []string{"sts:AssumeRole"}},
		"DeniedImportRole": {"The permissions of an existing role are unknown,", "deniedActions: ['iam:PassRole']", "", service("roleName: mine, importRole: true"), "deniedActions", []string{"spec.services[0].importRole: Forbidden"}},
		"DeniedImportOf":   {"unless the platform team names the role.", "deniedActions: ['iam:PassRole']\nallowedManagedPolicyArns: ['arn:aws:iam::*:role/mine']", "", service("roleName: mine, importRole: true"), "", nil},
		"DeniedImportRef":  {"Whether the role is named is only known with its cluster, and nothing is created before.", "deniedActions: ['iam:PassRole']\nallowedManagedPolicyArns: ['arn:aws:iam::*:role/mine']", "", strings.Replace(service("roleName: mine, importRole: true"), "clusterName: prod", "clusterNameRef: {name: prod}", 1), "", nil},
		"DeniedOwnRole":    {"The permissions of another owner's role are unknown.", "deniedActions: ['iam:PassRole']", "", service(byo), "deniedActions", []string{"spec.services[0].roleArn: Forbidden"}},
		"DeniedDeny":       {"A statement with effect Deny allows nothing.", "deniedActions: ['iam:PassRole']", "", service("permissions: {statements: [{effect: Deny, actions: ['*'], resources: ['*']}]}"), "", nil},
		"DeniedOther":      {"Other actions are allowed.", "deniedActions: ['iam:PassRole']", "", good, "", nil},

		"Boundary":         {"Another boundary is refused.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "", good + "role: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/c'}", "requiredPermissionsBoundary", []string{"spec.role.permissionsBoundary: Forbidden", "policy/c", "policy/b"}},
		"BoundaryNone":     {"A boundary is required.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "", good, "requiredPermissionsBoundary", []string{"spec.role.permissionsBoundary: Forbidden"}},
		"BoundaryRight":    {"The required boundary is accepted.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "", good + "role: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/b'}", "", nil},
		"BoundaryDefault":  {"A default may set the boundary.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "role: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/b'}", good, "", nil},
		"BoundaryOwnRole":  {"The boundary of another owner's role is unknown.", "requiredPermissionsBoundary: 'arn:aws:iam::123456789012:policy/b'", "", service(byo), "requiredPermissionsBoundary", []string{"spec.services[0].roleArn: Forbidden"}},
		"Kinds":            {"Access to all of a service is refused,", "requiredKinds: true", "", good, "requiredKinds", []string{"spec.services[0].permissions.kinds: Forbidden"}},
		"KindsLevel":       {"also with an access level.", "requiredKinds: true", "", service("permissions: {accessLevel: ReadOnly}"), "requiredKinds", []string{"spec.services[0].permissions.kinds: Forbidden"}},
		"KindsTenant":      {"The rule applies to a tenant's role, too.", "requiredKinds: true", "", tenant, "requiredKinds", []string{"spec.services[0].permissions.kinds: Forbidden"}},
		"KindsTenantList":  {"A tenant may list kinds.", "requiredKinds: true", "", narrowTenant, "", nil},
		"KindsListed":      {"A list of kinds is accepted.", "requiredKinds: true", "", service("permissions: {kinds: [Bucket]}"), "", nil},
		"KindsActive":      {"With Active, any user who may activate kinds would decide.", "requiredKinds: true", "", service("permissions: {kinds: Active}"), "requiredKinds", []string{"spec.services[0].permissions.kinds: Forbidden", `"Active"`}},
		"KindsActiveOf":    {"The same applies to a tenant,", "requiredKinds: true", "", strings.Replace(narrowTenant, "[Bucket]", "Active", 1), "requiredKinds", []string{"spec.services[0].permissions.kinds: Forbidden", `"Active"`}},
		"KindsActiveBy":    {"and to a default.", "requiredKinds: true", "services: [{name: s3, permissions: {kinds: Active}}]", good, "requiredKinds", []string{"spec.services[0].permissions.kinds: Forbidden", `"Active"`}},
		"KindsDefault":     {"A default may list kinds.", "requiredKinds: true", "services: [{name: s3, permissions: {kinds: [Bucket]}}]", good, "", nil},
		"KindsStatement":   {"Custom statements may name actions.", "requiredKinds: true", "", service("permissions: {statements: [{actions: ['s3:GetObject'], resources: ['*']}]}"), "", nil},
		"KindsAll":         {"A statement may not allow all actions.", "requiredKinds: true", "", service("permissions: {statements: [{actions: ['s3:?*'], resources: ['*']}]}"), "requiredKinds", []string{"spec.services[0].permissions.statements[0]: Forbidden"}},
		"KindsNot":         {"A statement may not allow all actions with exceptions.", "requiredKinds: true", "", service("permissions: {statements: [{notActions: ['s3:GetObject'], resources: ['*']}]}"), "requiredKinds", []string{"spec.services[0].permissions.statements[0]: Forbidden"}},
		"KindsDenied":      {"A denial allows nothing.", "requiredKinds: true", "", service("permissions: {kinds: [Bucket], statements: [{effect: Deny, actions: ['*'], resources: ['*']}]}"), "", nil},
		"KindsDocument":    {"A document may not allow all actions.", "requiredKinds: true", "", service(`permissions: {policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}'}`), "requiredKinds", []string{"spec.services[0].permissions.policyDocument: Forbidden"}},
		"KindsManaged":     {"The permissions of an existing policy are unknown.", "requiredKinds: true", "", service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/x']}"), "requiredKinds", []string{"spec.services[0].permissions.managedPolicyArns[0]: Forbidden"}},
		"KindsOwnRole":     {"So are those of another owner's role.", "requiredKinds: true", "", service(byo), "requiredKinds", []string{"spec.services[0].roleArn: Forbidden"}},
		"Tags":             {"A missing tag is refused.", "requiredTags: [team, cost]", "", good + "tags: {team: a}", "requiredTags", []string{"spec.tags[cost]: Required value"}},
		"TagsEmpty":        {"An empty tag is refused.", "requiredTags: [team]", "", good + "tags: {team: ''}", "requiredTags", []string{"spec.tags[team]: Required value"}},
		"TagsSet":          {"All required tags are set.", "requiredTags: [team]", "", good + "tags: {team: a}", "", nil},
		"CustomStatements": {"Custom statements are refused.", "forbidCustomPermissions: true", "", service("permissions: {statements: [{actions: ['s3:*'], resources: ['*']}]}"), "forbidCustomPermissions", []string{"spec.services[0].permissions.statements: Forbidden"}},
		"CustomDocument":   {"A custom document is refused.", "forbidCustomPermissions: true", "", service(`permissions: {policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}'}`), "forbidCustomPermissions", []string{"spec.services[0].permissions.policyDocument: Forbidden", "a document"}},
		"CustomManaged":    {"Existing policies are refused.", "forbidCustomPermissions: true", "", service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/x']}"), "forbidCustomPermissions", []string{"spec.services[0].permissions.managedPolicyArns: Forbidden"}},
		"CustomRole":       {"An existing role is refused.", "forbidCustomPermissions: true", "", service(byo), "forbidCustomPermissions", []string{"spec.services[0].roleArn: Forbidden"}},
		"CustomCatalogue":  {"The catalogue's permissions are allowed.", "forbidCustomPermissions: true", "", service("permissions: {accessLevel: ReadOnly}"), "", nil},
		"CustomDefault":    {"Defaults of the platform team may use custom permissions.", "forbidCustomPermissions: true", "services: [{name: s3, permissions: {statements: [{actions: ['s3:*'], resources: ['*']}]}}]", good, "", nil},
		"Templates":        {"A raw template for all services is refused.", "forbidRuntimeTemplates: true", "", good + "runtime: {deploymentTemplate: {spec: {}}, serviceAccountTemplate: {}}", "forbidRuntimeTemplates", []string{"spec.runtime.deploymentTemplate: Forbidden", "spec.runtime.serviceAccountTemplate: Forbidden"}},
		"TemplatesService": {"A raw template for one service is refused.", "forbidRuntimeTemplates: true", "", service("runtime: {deploymentTemplate: {}, serviceAccountTemplate: {}}"), "forbidRuntimeTemplates", []string{"spec.services[0].runtime.deploymentTemplate: Forbidden", "spec.services[0].runtime.serviceAccountTemplate: Forbidden"}},
		"TemplatesDefault": {"Defaults of the platform team may use templates.", "forbidRuntimeTemplates: true", "runtime: {deploymentTemplate: {spec: {}}}", good, "", nil},
		"TemplatesOther":   {"Fields of the runtime are not templates.", "forbidRuntimeTemplates: true", "", good + "runtime: {replicas: 2}", "", nil},
		"OwnRole":          {"Another owner's role is refused.", "forbidBringYourOwnRole: true", "", service(byo), "forbidBringYourOwnRole", []string{"spec.services[0].roleArn: Forbidden"}},
		"OwnRoleName":      {"An existing role with that name would be adopted.", "forbidBringYourOwnRole: true", "", service("roleName: Administrator"), "forbidBringYourOwnRole", []string{"spec.services[0].roleName: Forbidden", "Administrator"}},
		"OwnRoleImport":    {"A role may not be adopted explicitly.", "forbidBringYourOwnRole: true", "", service("importRole: true"), "forbidBringYourOwnRole", []string{"spec.services[0].importRole: Forbidden"}},
		"OwnRoleNone":      {"A role with the generated name is allowed.", "forbidBringYourOwnRole: true", "", good, "", nil},

		"ServicesNone":   {"An empty list allows nothing.", "allowedServices: []", "", good, "allowedServices", []string{"spec.services[0].name", "none is allowed"}},
		"RegionsNone":    {"An empty list allows nothing.", "allowedRegions: []", "", good, "allowedRegions", []string{"none is allowed"}},
		"ClustersNone":   {"An empty list allows nothing.", "allowedClusters: []", "", good, "allowedClusters", []string{"none is allowed"}},
		"RegistriesNone": {"An empty list allows nothing.", "allowedRegistries: []", "", good, "allowedRegistries", []string{"none is allowed"}},
		"PoliciesNone":   {"An empty list allows nothing.", "allowedManagedPolicyArns: []", "", service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/x']}"), "allowedManagedPolicyArns", []string{"none is allowed"}},
		"AccountsNone":   {"An empty list allows nothing.", "allowedTargetAccounts: []", "", service("targetRoleArn: 'arn:aws:iam::222222222222:role/x'"), "allowedTargetAccounts", []string{"none is allowed"}},
		"NoneAsked":      {"An empty list does not matter if the spec requests nothing.", "allowedManagedPolicyArns: []\nallowedTargetAccounts: []", "", good, "", nil},
		"ListNull":       {"Null is not a list.", "allowedServices: null\nallowedRegions: null", "", good, "", nil},

		"DeniedManaged":      {"The permissions of an attached policy are unknown.", "deniedActions: ['iam:*']", "", service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess']}"), "deniedActions", []string{"spec.services[0].permissions.managedPolicyArns[0]: Forbidden", "allowedManagedPolicyArns"}},
		"DeniedManagedNamed": {"The platform team may name the policy.", "deniedActions: ['iam:*']\nallowedManagedPolicyArns: ['arn:aws:iam::aws:policy/Read*']", "", service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess']}"), "", nil},
		"DeniedTargetRole":   {"The permissions of the target role are unknown.", "deniedActions: ['iam:*']", "", service("targetRoleArn: '" + target + "'"), "deniedActions", []string{"spec.services[0].targetRoleArn: Forbidden"}},
		"DeniedTargetNamed":  {"The platform team may name the role,", "deniedActions: ['iam:*']\nallowedManagedPolicyArns: ['" + target + "']", "", service("targetRoleArn: '" + target + "'"), "", nil},
		"DeniedTargetStar":   {"but the pattern must be for roles.", "deniedActions: ['iam:*']\nallowedManagedPolicyArns: ['*', 'arn:aws:iam::*']", "", service("targetRoleArn: '" + target + "'"), "deniedActions", []string{"spec.services[0].targetRoleArn"}},
		"DeniedChainRole":    {"So are those of the roles in a chain.", "deniedActions: ['iam:*']", "", good + "providerConfig: {assumeRoleChain: [{roleARN: 'arn:aws:iam::222222222222:role/x'}, {roleARN: 'arn:aws:iam::222222222222:role/y'}]}", "deniedActions", []string{"spec.providerConfig.assumeRoleChain[0].roleARN", "spec.providerConfig.assumeRoleChain[1].roleARN"}},
		"DeniedImport":       {"So are those of an imported role.", "deniedActions: ['iam:*']", "", service("roleName: mine, importRole: true"), "deniedActions", []string{"spec.services[0].importRole: Forbidden"}},
		"DeniedAdopt":        {"So are those of the existing roles of a cluster.", "deniedActions: ['iam:*']", "", good + "adoptExisting: true", "deniedActions", []string{"spec.adoptExisting: Forbidden"}},
		"DeniedAdoptNamed":   {"The platform team may name the roles.", "deniedActions: ['iam:*']\nallowedManagedPolicyArns: ['arn:aws:iam::123456789012:role/crossplane-prod-*']", "", good + "adoptExisting: true\naccountId: '123456789012'", "", nil},
		"OwnRoleAdopt":       {"Existing roles are refused.", "forbidBringYourOwnRole: true", "", good + "adoptExisting: true", "forbidBringYourOwnRole", []string{"spec.adoptExisting: Forbidden"}},
		"DeniedImportNamed":  {"The platform team may name the role.", "deniedActions: ['iam:*']\nallowedManagedPolicyArns: ['arn:aws:iam::123456789012:role/mine']", "", "accountId: '123456789012'" + service("roleName: mine, importRole: true"), "", nil},
		"DeniedTemplates":    {"A claim's template can provide other credentials.", "deniedActions: ['iam:*']", "", good + claim + "runtime: {deploymentTemplate: {spec: {}}}", "deniedActions", []string{"spec.runtime.deploymentTemplate"}},
		"DeniedUnwritten":    {"A policy that is never written denies nothing.", "deniedActions: ['iam:*']", "", good + "managementPolicies: [Observe, Create, Delete]", "deniedActions", []string{"spec.managementPolicies"}},
		"DeniedWritten":      {"A policy that is written may remain.", "deniedActions: ['iam:*']", "", good + "managementPolicies: [Observe, Create, Update]", "", nil},

		"BoundaryTarget":    {"The boundary of another owner's role is unknown.", boundary, "", bounded + service("targetRoleArn: '"+target+"'"), "requiredPermissionsBoundary", []string{"spec.services[0].targetRoleArn"}},
		"BoundaryChain":     {"So is the boundary of a role in a chain.", boundary, "", bounded + good + "providerConfig: {assumeRoleChain: [{roleARN: 'arn:aws:iam::222222222222:role/x'}]}", "requiredPermissionsBoundary", []string{"spec.providerConfig.assumeRoleChain[0].roleARN"}},
		"BoundaryManaged":   {"The permissions of an attached policy are unknown.", boundary, "", bounded + service("permissions: {managedPolicyArns: ['arn:aws:iam::aws:policy/x']}"), "requiredPermissionsBoundary", []string{"managedPolicyArns[0]"}},
		"BoundaryUnwritten": {"A boundary that is never written has no effect.", boundary, "", bounded + good + "managementPolicies: [Observe]", "requiredPermissionsBoundary", []string{"spec.managementPolicies"}},
		"BoundaryTemplates": {"A claim's template can provide other credentials.", boundary, "", bounded + service("runtime: {serviceAccountTemplate: {metadata: {labels: {a: b}}}}") + claim, "requiredPermissionsBoundary", []string{"spec.services[0].runtime.serviceAccountTemplate"}},
		"TagsBlank":         {"A blank tag is empty.", "requiredTags: [team]", "", good + "tags: {team: ' \u00a0 '}", "requiredTags", []string{"spec.tags[team]"}},
		"TagsUnwritten":     {"Tags that are never written are missing.", "requiredTags: [team]", "", good + "tags: {team: a}\nmanagementPolicies: [Create]", "requiredTags", []string{"spec.managementPolicies"}},
		"CustomTarget":      {"The target role's permissions are custom permissions.", "forbidCustomPermissions: true", "", service("targetRoleArn: '" + target + "'"), "forbidCustomPermissions", []string{"spec.services[0].targetRoleArn"}},
		"CustomChain":       {"So are those of the last role in a chain.", "forbidCustomPermissions: true", "", good + "providerConfig: {assumeRoleChain: [{roleARN: '" + target + "'}]}", "forbidCustomPermissions", []string{"spec.providerConfig.assumeRoleChain"}},
		"OwnRoleTarget":     {"The target role belongs to another owner.", "forbidBringYourOwnRole: true", "", service("targetRoleArn: '" + target + "'"), "forbidBringYourOwnRole", []string{"spec.services[0].targetRoleArn"}},
		"OwnRoleChain":      {"The roles of a chain belong to other owners.", "forbidBringYourOwnRole: true", "", good + "providerConfig: {assumeRoleChain: [{roleARN: '" + target + "'}]}", "forbidBringYourOwnRole", []string{"spec.providerConfig.assumeRoleChain"}},
		"OwnRolePrefix":     {"A prefix determines a role's name.", "forbidBringYourOwnRole: true", "", good + "role: {namePrefix: crossplane-team}", "forbidBringYourOwnRole", []string{"spec.role.namePrefix"}},
		"OwnRolePath":       {"Policies may trust roles by their path.", "forbidBringYourOwnRole: true", "", good + "role: {path: /breakglass/}", "forbidBringYourOwnRole", []string{"spec.role.path"}},
		"OwnRoleDefaults":   {"Defaults of the platform team may set these fields.", "forbidBringYourOwnRole: true", "{role: {namePrefix: p, path: /p/}, services: [{name: s3, targetRoleArn: '" + target + "'}]}", good, "", nil},
		"OwnRoleEmpty":      {"An empty string is not a role.", "forbidBringYourOwnRole: true", "", service("roleArn: '', roleName: null"), "", nil},
		"TemplatesRegistry": {"A claim's template can use an image from any registry.", "allowedRegistries: [xpkg.upbound.io]", "", good + claim + "runtime: {deploymentTemplate: {spec: {}}}", "allowedRegistries", []string{"spec.runtime.deploymentTemplate"}},
		"TemplatesServices": {"A claim's template can run another service.", "allowedServices: [s3]", "", good + claim + "runtime: {deploymentTemplate: {spec: {}}}", "allowedServices", []string{"spec.runtime.deploymentTemplate"}},
		"TemplatesXR":       {"A composite resource without a claim may use templates.", "allowedServices: [s3]\nallowedRegistries: [xpkg.upbound.io]\ndeniedActions: ['iam:*']", "", good + "runtime: {deploymentTemplate: {spec: {}}}", "", nil},

		"NoGuardrails": {"Without guardrails, everything is allowed.", "", "", service(byo), "", nil},
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
					t.Errorf("%s\nviolation of another rule: %v", tc.reason, e)
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
				t.Errorf("%s\nthe case is refused even without the rule: %v", tc.reason, errs)
			}
		})
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		if !broken[rule] {
			t.Errorf("no case violates rule %s", rule)
		}
	}
}

// TestTenantAccounts checks that a tenant's role may be in the allowed accounts and in the account of the host's cluster, which
// Crossplane provides with the second call.
func TestTenantAccounts(t *testing.T) {
	const (
		host = `[{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: platform}, status: {region: eu-west-1, clusterName: prod, ` +
			`sharing: {rolePath: /shared/, accounts: ["222222222222", "333333333333"]}, services: [{name: s3, roleArn: "arn:aws:iam::111111111111:role/s3", serviceAccountName: provider-aws-s3}]}}]`
		kind    = "kind/podidentityproviders.aws.podidentity.dev"
		defined = `[{metadata: {name: podidentityproviders.aws.podidentity.dev}, spec: {versions: [{name: v1alpha1, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}]`
		named   = "PodIdentityProvider.aws.podidentity.dev/platform"
	)
	brings := func(account string) testutil.World {
		return testutil.World{Spec: `{services: [{name: s3}], roleArn: "arn:aws:iam::` + account + `:role/shared/mine"}`}
	}
	has := func(account string) testutil.World {
		return testutil.World{Spec: `services: [{name: s3}]`, Observed: map[string]string{
			"role/tenant": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: mine}, status: {atProvider: {arn: "arn:aws:iam::` + account + `:role/shared/mine"}}}`,
		}}
	}
	cases := map[string]struct {
		reason  string
		world   testutil.World
		answers map[string]string
		want    []string
	}{
		"AskedFor":       {"Nothing is refused until the host is known,", brings("111111111111"), nil, nil},
		"AskedForName":   {"by its kind and by its name.", brings("111111111111"), map[string]string{kind: defined}, nil},
		"Own":            {"The account of the cluster is always allowed.", brings("111111111111"), map[string]string{kind: defined, named: host}, nil},
		"Allowed":        {"A listed account is allowed.", brings("222222222222"), map[string]string{kind: defined, named: host}, nil},
		"Other":          {"Any other account is refused.", brings("333333333333"), map[string]string{kind: defined, named: host}, []string{"spec.roleArn: FieldValueForbidden"}},
		"Gone":           {"Without a host, the cluster's account is unknown.", brings("111111111111"), map[string]string{kind: defined, named: `[]`}, []string{"spec.roleArn: FieldValueForbidden"}},
		"ComposedAsked":  {"The same applies to a composed role:", has("111111111111"), nil, nil},
		"ComposedOwn":    {"in the cluster's account,", has("111111111111"), map[string]string{kind: defined, named: host}, nil},
		"ComposedOther":  {"in another one,", has("333333333333"), map[string]string{kind: defined, named: host}, []string{"spec.providerConfigRef: FieldValueForbidden"}},
		"ComposedNoHost": {"and without a host.", has("111111111111"), map[string]string{kind: defined, named: `[]`}, []string{"spec.providerConfigRef: FieldValueForbidden"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := tc.world
			w.XR, w.Input, w.Answers = `kind: PodIdentityTenant`, `guardrails: {allowedTargetAccounts: ["222222222222"]}`, tc.answers
			w.Spec = "{region: null, clusterName: null, provider: null, providerRef: {name: platform}, " + strings.TrimPrefix(strings.TrimSuffix(w.Spec, "}"), "{") + "}"
			checkViolations(t, w, tc.reason, tc.want)
		})
	}
}

// checkViolations checks the violations in a world whose spec is valid.
func checkViolations(t *testing.T, w testutil.World, reason string, want []string) {
	t.Helper()
	v, errs := view.From(w.Request(t), nil, testutil.Now())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	id, errs := identity.Resolve(v)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if diff := cmp.Diff(want, testutil.Paths(Check(v, id)), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s\nviolations: -want, +got:\n%s", reason, diff)
	}
}

// TestActiveKinds checks that guardrails apply to permissions of active kinds, and to existing permissions while the active kinds are
// unknown. Before Crossplane has answered, they only check what is certain.
func TestActiveKinds(t *testing.T) {
	const (
		kind    = "kind/managedresourceactivationpolicies.apiextensions.crossplane.io"
		defined = `[{metadata: {name: managedresourceactivationpolicies.apiextensions.crossplane.io}, spec: {versions: [{name: v1alpha1, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}]`
		all     = "all/ManagedResourceActivationPolicy.apiextensions.crossplane.io"
		bucket  = `[{spec: {activate: [buckets.s3.aws.upbound.io]}}]`
	)
	violated := []string{"spec.services[0].permissions: FieldValueForbidden"}
	exists := map[string]string{"policy/s3": `{spec: {forProvider: {policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'}}}`}
	cases := map[string]struct {
		reason, xr string
		observed   map[string]string
		answers    map[string]string
		want       []string
	}{
		"Active":     {"An active kind calls a denied action.", "", nil, map[string]string{kind: defined, all: bucket}, violated},
		"Other":      {"Another kind does not.", "", exists, map[string]string{kind: defined, all: `[{spec: {activate: [bucketpolicies.s3.aws.upbound.io]}}]`}, nil},
		"V1":         {"If all kinds are active, one of them does.", "", nil, map[string]string{kind: `[]`}, violated},
		"Remembered": {"So does a kind that was active before, even without an answer.", "status: {services: [{name: s3, activeKinds: [Bucket]}]}", nil, nil, violated},
		"Kept":       {"A policy that stays the same cannot bypass the rule.", "", exists, map[string]string{kind: defined, all: `[]`}, violated},
		"KeptAsked":  {"Before the answer, the policy may still change.", "", exists, map[string]string{kind: defined}, nil},
		"Nothing":    {"Without a policy, there is nothing to deny.", "", nil, map[string]string{kind: defined, all: `[]`}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := testutil.World{
				Spec: `services: [{name: s3, permissions: {kinds: Active}}]`, Input: `guardrails: {deniedActions: ['s3:DeleteBucket']}`,
				XR: tc.xr, Observed: tc.observed, Answers: tc.answers,
			}
			checkViolations(t, w, tc.reason, tc.want)
		})
	}
}

// TestAllAtOnce checks that all violations are reported at once.
func TestAllAtOnce(t *testing.T) {
	v, id := resolve(t, "allowedServices: [sqs]\nallowedRegions: [eu-central-1]\nrequiredTags: [team]", "", good)
	if errs := Check(v, id); len(errs) != 3 {
		t.Errorf("want 3 violations, got %v", errs)
	}
}

// TestSets checks that every set of guardrails applies on its own, regardless of what another set allows.
func TestSets(t *testing.T) {
	v, id := resolve(t, "allowedServices: [s3]", "", good)
	if errs := Check(v, id); len(errs) > 0 {
		t.Errorf("want no violations of one set, got %v", errs)
	}
	v.Guardrails = append(v.Guardrails, &v1beta1.Guardrails{AllowedServices: []string{"sqs"}}, &v1beta1.Guardrails{RequiredTags: []string{"team"}})
	var got []string
	for _, e := range Check(v, id) {
		got = append(got, e.Field)
	}
	if diff := cmp.Diff([]string{"spec.services[0].name", "spec.tags[team]"}, got); diff != "" {
		t.Errorf("violations of three sets: -want, +got:\n%s", diff)
	}
}

func resolve(t *testing.T, guardrails, defaults, spec string) (*view.View, *identity.Identity) {
	t.Helper()
	// This test is not about the fields that a claim may set.
	input := map[string]any{"claims": map[string]any{"allowedFields": []any{"*"}}}
	if guardrails != "" {
		input["guardrails"] = testutil.Parse(t, guardrails)
	}
	if defaults != "" {
		input["defaults"] = testutil.Parse(t, defaults)
	}
	xr := map[string]any{"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityProvider", "metadata": map[string]any{"name": "storage"}, "spec": testutil.Parse(t, spec)}
	if strings.HasPrefix(spec, tenantBegins) {
		xr["kind"] = "PodIdentityTenant"
	}
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
