package identity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The types of errors, and the path of the first service.
const (
	required     = ": FieldValueRequired"
	invalid      = ": FieldValueInvalid"
	forbidden    = ": FieldValueForbidden"
	unsupported  = ": FieldValueNotSupported"
	duplicate    = ": FieldValueDuplicate"
	tooLong      = ": FieldValueTooLong"
	tooMany      = ": FieldValueTooMany"
	firstService = "spec.services[0]"
)

// TestValidate changes one field of a valid spec at a time.
func TestValidate(t *testing.T) {
	service, permissions, statement := withService, withPermissions, withStatement
	runtime := func(fields string) string { return `runtime: {` + fields + `}` }
	namespaces := func(n int) string {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("team-%d", i)
		}
		return strings.Join(names, ", ")
	}
	cases := map[string]struct {
		reason, spec string
		want         []string
	}{
		"Good": {"The smallest spec is valid.", ``, nil},

		"RegionMissing":    {"A region is required.", `region: null`, []string{"spec.region" + required}},
		"RegionZone":       {"A zone is not a region.", `region: eu-west-1a`, []string{"spec.region" + invalid}},
		"RegionCapitals":   {"Regions are lower-case.", `region: EU-WEST-1`, []string{"spec.region" + invalid}},
		"RegionGov":        {"Regions of other partitions have more parts.", `region: us-gov-west-1`, nil},
		"RegionEuropean":   {"Some have a longer first part.", `region: eusc-de-east-1`, nil},
		"AccountShort":     {"An account has 12 digits.", `accountId: "12345"`, []string{"spec.accountId" + invalid}},
		"AccountLetters":   {"An account has only digits.", `accountId: "12345678901x"`, []string{"spec.accountId" + invalid}},
		"ServicesMissing":  {"At least one service is required.", `services: null`, []string{"spec.services" + required}},
		"ServicesEmpty":    {"An empty list has no service.", `services: []`, []string{"spec.services" + required}},
		"NamespaceInvalid": {"A namespace is a DNS label.", `crossplaneNamespace: a.b`, []string{"spec.crossplaneNamespace" + invalid}},
		"NamespaceLong":    {"A DNS label has at most 63 characters.", `crossplaneNamespace: ` + strings.Repeat("a", 64), []string{"spec.crossplaneNamespace" + invalid}},

		"ClusterMissing":         {"A cluster is required.", `clusterName: null`, []string{"spec.clusterName" + required}},
		"ClusterTwice":           {"The cluster is named in one way only,", `clusterNameRef: {name: a}`, []string{"spec.clusterName" + forbidden}},
		"ClusterThrice":          {"regardless of the number of ways.", `{clusterNameRef: {name: a}, clusterNameSelector: {matchLabels: {a: b}}}`, []string{"spec.clusterName" + forbidden}},
		"ClusterInvalid":         {"EKS allows letters, digits, dashes and underscores.", `clusterName: a.b`, []string{"spec.clusterName" + invalid}},
		"ClusterBegins":          {"A name begins with a letter or digit.", `clusterName: _a`, []string{"spec.clusterName" + invalid}},
		"ClusterOneLetter":       {"One letter is enough.", `clusterName: a`, nil},
		"ClusterLong":            {"A name has at most 100 characters.", `clusterName: ` + strings.Repeat("a", 101), []string{"spec.clusterName" + invalid}},
		"ClusterRefInvalid":      {"A reference names a Kubernetes object.", `{clusterName: null, clusterNameRef: {name: A_b}}`, []string{"spec.clusterNameRef.name" + invalid}},
		"ClusterRefEmpty":        {"A reference has a name.", `{clusterName: null, clusterNameRef: {}}`, []string{"spec.clusterNameRef.name" + invalid}},
		"ClusterSelectorEmpty":   {"A selector without conditions would match any Cluster.", `{clusterName: null, clusterNameSelector: {}}`, []string{"spec.clusterNameSelector.matchLabels" + required}},
		"ClusterSelectorFalse":   {"matchControllerRef: false is not a condition.", `{clusterName: null, clusterNameSelector: {matchControllerRef: false}}`, []string{"spec.clusterNameSelector.matchLabels" + required}},
		"ClusterSelectorInvalid": {"A label that cannot exist matches nothing.", `{clusterName: null, clusterNameSelector: {matchLabels: {"a b": c, d: "e f"}}}`, []string{"spec.clusterNameSelector.matchLabels" + invalid, "spec.clusterNameSelector.matchLabels" + invalid}},

		"TagEmptyKey":  {"A tag has a key.", `tags: {"": a}`, []string{"spec.tags[]" + invalid}},
		"TagLongKey":   {"A key has at most 128 characters.", `tags: {"` + strings.Repeat("é", 129) + `": a}`, []string{"spec.tags[" + strings.Repeat("é", 129) + "]" + invalid}},
		"TagKeyFits":   {"The limit is in characters, not bytes.", `tags: {"` + strings.Repeat("é", 128) + `": "` + strings.Repeat("é", 256) + `"}`, nil},
		"TagAWS":       {"The prefix aws: is reserved in any case.", `tags: {"AWS:a": b, "aws:b": c}`, []string{"spec.tags[AWS:a]" + invalid, "spec.tags[aws:b]" + invalid}},
		"TagKey":       {"AWS refuses other characters in keys,", `tags: {"a;b": c}`, []string{"spec.tags[a;b]" + invalid}},
		"TagValue":     {"and in values.", `tags: {a: "b#c"}`, []string{"spec.tags[a]" + invalid}},
		"TagLongValue": {"A value has at most 256 characters.", `tags: {a: "` + strings.Repeat("b", 257) + `"}`, []string{"spec.tags[a]" + tooLong}},
		"TagEmpty":     {"A value may be empty.", `tags: {"a b/c=d+e-f@g.h_i:j": ""}`, nil},
		"TagsMany":     {"AWS allows 50 tags, and the provider adds three.", `tags: {` + manyTags(48) + `}`, []string{"spec.tags" + tooMany}},
		"TagsFit":      {"47 tags are accepted.", `tags: {` + manyTags(47) + `}`, nil},

		"TagCase":      {"Keys are case-insensitive in AWS.", `tags: {Team: a, team: b}`, []string{"spec.tags[team]" + invalid}},
		"TagsProvider": {"The provider would overwrite its own tags again and again.", `tags: {crossplane-kind: a, Crossplane-Name: b, crossplane-providerconfig: c}`, []string{"spec.tags[Crossplane-Name]" + invalid, "spec.tags[crossplane-kind]" + invalid, "spec.tags[crossplane-providerconfig]" + invalid}},
		"TagsSession":  {"EKS's session tags identify a pod.", `tags: {eks-cluster-arn: a, eks-cluster-name: a, Kubernetes-Namespace: b, kubernetes-service-account: c, kubernetes-pod-name: d, kubernetes-pod-uid: e}`, []string{"spec.tags[Kubernetes-Namespace]" + invalid, "spec.tags[eks-cluster-arn]" + invalid, "spec.tags[eks-cluster-name]" + invalid, "spec.tags[kubernetes-pod-name]" + invalid, "spec.tags[kubernetes-pod-uid]" + invalid, "spec.tags[kubernetes-service-account]" + invalid}},

		"PrefixInvalid":      {"A role's name has few special characters.", `role: {namePrefix: "a/b"}`, []string{"spec.role.namePrefix" + invalid}},
		"PrefixLong":         {"A prefix leaves room for the rest of the name.", `role: {namePrefix: ` + strings.Repeat("a", 33) + `}`, []string{"spec.role.namePrefix" + tooLong}},
		"PathRelative":       {"A path begins with a slash.", `role: {path: "a/"}`, []string{"spec.role.path" + invalid}},
		"PathOpen":           {"A path ends with a slash.", `role: {path: "/a"}`, []string{"spec.role.path" + invalid}},
		"PathSpace":          {"Spaces are not allowed.", `role: {path: "/a b/"}`, []string{"spec.role.path" + invalid}},
		"PathLong":           {"A path has at most 512 characters.", `role: {path: "/` + strings.Repeat("a", 511) + `/"}`, []string{"spec.role.path" + tooLong}},
		"PathFits":           {"512 characters are accepted.", `role: {path: "/` + strings.Repeat("a", 510) + `/"}`, nil},
		"PathWildcard":       {"A wildcard in the path would become one in a policy with the role's ARN.", `role: {path: "/a*/"}`, []string{"spec.role.path" + invalid}},
		"DescriptionNoBreak": {"Neither are no-break spaces,", `role: {description: "a\u00a0b"}`, []string{"spec.role.description" + invalid}},
		"DescriptionC1":      {"or other control characters.", `role: {description: "a\u0085b"}`, []string{"spec.role.description" + invalid}},
		"BoundaryAccount":    {"A boundary is in the role's account.", `{accountId: "123456789012", role: {permissionsBoundary: "arn:aws:iam::210987654321:policy/a"}}`, []string{"spec.role.permissionsBoundary" + invalid}},
		"TrustCaller":        {"EKS calls as a service, which belongs to no organisation.", `role: {trustConditions: {StringEquals: {"aws:PrincipalOrgID": [o-1]}}}`, []string{"spec.role.trustConditions[StringEquals][aws:PrincipalOrgID]" + invalid}},
		"TrustSource":        {"The resource that EKS acts for does.", `role: {trustConditions: {StringEquals: {"aws:SourceOrgID": [o-1]}}}`, nil},
		"NoTagsNoAccount":    {"A trust policy without any condition is refused.", `services: [{name: s3, disableSessionTags: true}, {name: ec2, disableSessionTags: true}]`, []string{"spec.accountId" + required}},
		"NoTagsAccount":      {"An account is a condition.", `{accountId: "123456789012", services: [{name: s3, disableSessionTags: true}]}`, nil},
		"NoTagsOwnRole":      {"The trust policy of an existing role belongs to its owner.", `services: [{name: s3, disableSessionTags: true, roleArn: "arn:aws:iam::123456789012:role/a"}]`, nil},
		"NoTagsCondition":    {"Without session tags, a condition on them is never met.", `{accountId: "123456789012", role: {trustConditions: {StringLike: {"AWS:RequestTag/a": [b]}, "ForAllValues:StringEquals": {"aws:TagKeys": [c]}}}, services: [{name: s3, disableSessionTags: true}]}`, []string{"spec.role.trustConditions[ForAllValues:StringEquals][aws:TagKeys]" + forbidden, "spec.role.trustConditions[StringLike][AWS:RequestTag/a]" + forbidden}},
		"PathRoot":           {"So is the root path.", `role: {path: "/"}`, nil},
		"DescriptionLong":    {"A description has at most 1,000 characters.", `role: {description: "` + strings.Repeat("a", 1001) + `"}`, []string{"spec.role.description" + tooLong}},
		"DescriptionUnicode": {"Its characters are those of Latin-1.", `role: {description: "Ā"}`, []string{"spec.role.description" + invalid}},
		"DescriptionControl": {"Control characters are not allowed.", `role: {description: "a\u0007"}`, []string{"spec.role.description" + invalid}},
		"DescriptionLatin":   {"Line breaks are allowed.", `role: {description: "é\n\tb"}`, nil},
		"BoundaryInvalid":    {"A boundary is a policy's ARN.", `role: {permissionsBoundary: my-boundary}`, []string{"spec.role.permissionsBoundary" + invalid}},
		"BoundaryRole":       {"The ARN of a role is not accepted.", `role: {permissionsBoundary: "arn:aws:iam::123456789012:role/a"}`, []string{"spec.role.permissionsBoundary" + invalid}},
		"BoundaryPartition":  {"The ARN is in the region's partition.", `role: {permissionsBoundary: "arn:aws-cn:iam::123456789012:policy/a"}`, []string{"spec.role.permissionsBoundary" + invalid}},
		"BoundaryAWS":        {"It may be one of AWS's own policies.", `role: {permissionsBoundary: "arn:aws:iam::aws:policy/PowerUserAccess"}`, nil},
		"SessionShort":       {"A session lasts at least one hour.", `role: {maxSessionDuration: 3599}`, []string{"spec.role.maxSessionDuration" + invalid}},
		"SessionLong":        {"A session lasts at most twelve hours.", `role: {maxSessionDuration: 43201}`, []string{"spec.role.maxSessionDuration" + invalid}},
		"SessionFits":        {"Twelve hours are accepted.", `role: {maxSessionDuration: 43200}`, nil},
		"TrustGenerated": {
			"A generated condition cannot be set.", `role: {trustConditions: {StringEquals: {"aws:RequestTag/eks-cluster-name": [other]}}}`,
			[]string{"spec.role.trustConditions" + forbidden},
		},
		"TrustLong": {
			"A trust policy has at most 2,048 characters.", `role: {trustConditions: {StringEquals: {"aws:SourceOrgID": ["` + strings.Repeat("a", 2048) + `"]}}}`,
			[]string{"spec.role.trustConditions" + invalid},
		},

		"VersionMissing":   {"A managed provider has a version.", `provider: null`, []string{firstService + ".version" + required}},
		"VersionObserve":   {"A provider that another owner installs needs none.", `{provider: null, services: [{name: s3, management: Observe}]}`, nil},
		"VersionFloating":  {"A floating version would be resolved once, and never again.", `provider: {version: v2}`, []string{"spec.provider.version" + invalid}},
		"VersionLatest":    {"latest is a floating version.", `provider: {version: latest}`, []string{"spec.provider.version" + invalid}},
		"VersionDigest":    {"A digest has 64 digits.", `provider: {version: "sha256:abc"}`, []string{"spec.provider.version" + invalid}},
		"VersionRange":     {"A range is not a version.", `provider: {version: ">=v2.0.0"}`, []string{"spec.provider.version" + invalid}},
		"VersionPrefix":    {"A version may omit the v, and have a suffix after a dash.", `provider: {version: 2.5.0-rc.1}`, nil},
		"ServiceVersion":   {"The same applies to a service's version.", service(`version: v2.5`), []string{firstService + ".version" + invalid}},
		"RegistryTag":      {"A registry has no tag.", `provider: {registry: "xpkg.upbound.io/upbound:v1"}`, []string{"spec.provider.registry" + invalid}},
		"RegistryScheme":   {"A registry has no scheme.", `provider: {registry: "https://xpkg.upbound.io/upbound"}`, []string{"spec.provider.registry" + invalid}},
		"RegistryHost":     {"A registry has a path.", `provider: {registry: "xpkg.upbound.io"}`, []string{"spec.provider.registry" + invalid}},
		"RegistrySlash":    {"The path does not end with a slash.", `provider: {registry: "xpkg.upbound.io/upbound/"}`, []string{"spec.provider.registry" + invalid}},
		"RegistryPort":     {"It may have a port.", `provider: {registry: "localhost:5000/a/b"}`, nil},
		"PackageTag":       {"A package has no tag.", service(`package: "r.example.org/a/provider-aws-s3:v1.0.0"`), []string{firstService + ".package" + invalid}},
		"PackageDigest":    {"A package has no digest.", service(`package: "r.example.org/a/provider-aws-s3@sha256:abc"`), []string{firstService + ".package" + invalid}},
		"Family":           {"The family is observed or managed.", `provider: {family: Ignore}`, []string{"spec.provider.family" + unsupported}},
		"FamilyVersion":    {"A managed family has a version.", `{provider: {version: null, family: Manage}, services: [{name: s3, version: v2.5.0}]}`, []string{"spec.provider.version" + required}},
		"PullPolicy":       {"Pull policies are those of Kubernetes.", `provider: {packagePullPolicy: Sometimes}`, []string{"spec.provider.packagePullPolicy" + unsupported}},
		"ActivationPolicy": {"Activation is automatic or manual.", `provider: {revisionActivationPolicy: Never}`, []string{"spec.provider.revisionActivationPolicy" + unsupported}},
		"HistoryLimit":     {"The number of revisions cannot be negative.", `provider: {revisionHistoryLimit: -1}`, []string{"spec.provider.revisionHistoryLimit" + invalid}},
		"HistoryZero":      {"It can be zero.", `provider: {revisionHistoryLimit: 0}`, nil},
		"PullSecret":       {"A secret has a name.", `provider: {packagePullSecrets: [{name: ok}, {name: "A b"}, {}]}`, []string{"spec.provider.packagePullSecrets[1].name" + invalid, "spec.provider.packagePullSecrets[2].name" + invalid}},
		"CommonLabels":     {"Labels are those of Kubernetes.", `provider: {commonLabels: {a: "b c"}}`, []string{"spec.provider.commonLabels" + invalid}},

		"Replicas":            {"Replicas cannot be negative.", runtime(`replicas: -1`), []string{"spec.runtime.replicas" + invalid}},
		"ReplicasZero":        {"They can be zero.", runtime(`replicas: 0`), nil},
		"SettleNegative":      {"The time to wait cannot be negative.", runtime(`associationSettleSeconds: -1`), []string{"spec.runtime.associationSettleSeconds" + invalid}},
		"SettleLong":          {"It is limited.", runtime(`associationSettleSeconds: 301`), []string{"spec.runtime.associationSettleSeconds" + invalid}},
		"SettleFits":          {"Five minutes are accepted.", runtime(`associationSettleSeconds: 300`), nil},
		"Verify":              {"Credentials can be verified.", runtime(`verifyCredentials: true`), nil},
		"Restart":             {"A user may not trigger a restart.", runtime(`podAnnotations: {aws.podidentity.dev/restarted-for: x}`), []string{"spec.runtime.podAnnotations[aws.podidentity.dev/restarted-for]" + forbidden}},
		"PodLabels":           {"Labels are those of Kubernetes.", runtime(`podLabels: {"a b": c}`), []string{"spec.runtime.podLabels" + invalid}},
		"NodeSelector":        {"So are those of node selectors.", runtime(`nodeSelector: {a: "b c"}`), []string{"spec.runtime.nodeSelector" + invalid}},
		"PodAnnotations":      {"Annotations have the same keys, and any value.", runtime(`podAnnotations: {"a b": c, Ok.example.org/a: "{}"}`), []string{"spec.runtime.podAnnotations[a b]" + invalid}},
		"EnvName":             {"A variable has a name.", runtime(`env: [{value: a}]`), []string{"spec.runtime.env[0].name" + invalid}},
		"EnvEquals":           {"The name has no =.", runtime(`env: [{name: "A=B"}]`), []string{"spec.runtime.env[0].name" + invalid}},
		"EnvTwice":            {"Each name may be used once.", runtime(`env: [{name: A}, {name: B}, {name: A}]`), []string{"spec.runtime.env[2].name" + duplicate}},
		"TemplateName":        {"The package manager names the Deployment.", runtime(`deploymentTemplate: {metadata: {name: a}}`), []string{"spec.runtime.deploymentTemplate.metadata.name" + forbidden}},
		"TemplateAccount":     {"The association names the ServiceAccount.", runtime(`deploymentTemplate: {spec: {template: {spec: {serviceAccountName: a}}}}`), []string{"spec.runtime.deploymentTemplate.spec.template.spec.serviceAccountName" + forbidden}},
		"TemplateOldAccount":  {"The same applies to the deprecated field,", runtime(`deploymentTemplate: {spec: {template: {spec: {serviceAccount: a}}}}`), []string{"spec.runtime.deploymentTemplate.spec.template.spec.serviceAccount" + forbidden}},
		"TemplateAccountName": {"and to the name of the ServiceAccount itself.", runtime(`serviceAccountTemplate: {metadata: {name: a}}`), []string{"spec.runtime.serviceAccountTemplate.metadata.name" + forbidden}},
		"TemplateDirective":   {"A directive could remove the annotation,", runtime(`deploymentTemplate: {spec: {template: {"$patch": replace}}}`), []string{"spec.runtime.deploymentTemplate.spec.template.$patch" + forbidden}},
		"TemplateDirectiveInList": {
			"or a container.", runtime(`deploymentTemplate: {spec: {template: {spec: {containers: [{name: a}, {name: package-runtime, "$patch": delete}]}}}}`),
			[]string{"spec.runtime.deploymentTemplate.spec.template.spec.containers[1].$patch" + forbidden},
		},
		"TemplateRetain":   {"So could other directives.", runtime(`serviceAccountTemplate: {metadata: {"$retainKeys": [labels]}}`), []string{"spec.runtime.serviceAccountTemplate.metadata.$retainKeys" + forbidden}},
		"PodKeys":          {"Keys that affect a pod's identity may not be set,", runtime(`podAnnotations: {eks.amazonaws.com/skip-containers: a, iam.amazonaws.com/role: b}, podLabels: {pkg.crossplane.io/revision: c, app: crossplane}`), []string{"spec.runtime.podAnnotations[eks.amazonaws.com/skip-containers]" + forbidden, "spec.runtime.podAnnotations[iam.amazonaws.com/role]" + forbidden, "spec.runtime.podLabels[app]" + forbidden, "spec.runtime.podLabels[pkg.crossplane.io/revision]" + forbidden}},
		"PodKeysCase":      {"in any case that Kubernetes accepts,", runtime(`podAnnotations: {EKS.amazonaws.com/Skip-Containers: a, AWS.podidentity.dev/identity: b}`), []string{"spec.runtime.podAnnotations[AWS.podidentity.dev/identity]" + forbidden, "spec.runtime.podAnnotations[EKS.amazonaws.com/Skip-Containers]" + forbidden}},
		"PodKeysTemplate":  {"also in a template.", runtime(`deploymentTemplate: {spec: {template: {metadata: {annotations: {Eks.amazonaws.com/skip-containers: a}, labels: {app: crossplane, pkg.crossplane.io/provider: b}}}}}`), []string{"spec.runtime.deploymentTemplate.spec.template.metadata.annotations[Eks.amazonaws.com/skip-containers]" + forbidden, "spec.runtime.deploymentTemplate.spec.template.metadata.labels[app]" + forbidden, "spec.runtime.deploymentTemplate.spec.template.metadata.labels[pkg.crossplane.io/provider]" + forbidden}},
		"PodKeysGood":      {"All other keys may be set.", runtime(`podAnnotations: {prometheus.io/scrape: "true", eks: b}, podLabels: {app: mine}, serviceAccountTemplate: {metadata: {annotations: {eks.amazonaws.com/role-arn: a}}}`), nil},
		"TemplateGood":     {"Everything else may be set.", runtime(`deploymentTemplate: {metadata: {labels: {a: b}}, spec: {strategy: {type: Recreate}}}, serviceAccountTemplate: {metadata: {annotations: {a: b}}}`), nil},
		"ServiceRuntime":   {"The same applies to a service's own runtime,", service(`runtime: {replicas: -1, podLabels: {"a b": c}}`), []string{firstService + ".runtime.replicas" + invalid, firstService + ".runtime.podLabels" + invalid}},
		"ServiceTemplates": {"and to its templates.", service(`runtime: {deploymentTemplate: {metadata: {name: a}}}`), []string{firstService + ".runtime.deploymentTemplate.metadata.name" + forbidden}},

		"ConfigName":       {"A ProviderConfig has a Kubernetes name.", `providerConfig: {name: A_b}`, []string{"spec.providerConfig.name" + invalid}},
		"ConfigBootstrap":  {"It is not the name of the bootstrap ProviderConfig,", `providerConfig: {name: default}`, []string{"spec.providerConfig.name" + invalid}},
		"ConfigBootstrap2": {"even if that is renamed.", `providerConfigRef: {name: storage}`, []string{"spec.providerConfig.name" + invalid}},
		"ConfigLong":       {"Managed resources use the name as the value of a label,", `providerConfig: {name: ` + strings.Repeat("a", 64) + `}`, []string{"spec.providerConfig.name" + tooLong}},
		"ConfigFits":       {"which may have 63 characters.", `providerConfig: {name: ` + strings.Repeat("a", 63) + `}`, nil},
		"ConfigRefLong":    {"Roles have the name of the bootstrap ProviderConfig as a label.", `providerConfigRef: {name: ` + strings.Repeat("a", 64) + `}`, []string{"spec.providerConfigRef.name" + tooLong}},
		"ConfigNamespaces": {"Namespaces are unique DNS labels.", `providerConfig: {namespaces: [a, b.c, "", a]}`, []string{"spec.providerConfig.namespaces[1]" + invalid, "spec.providerConfig.namespaces[2]" + invalid, "spec.providerConfig.namespaces[3]" + duplicate}},
		"ManyNamespaces":   {"There may be at most a hundred.", `providerConfig: {namespaces: [` + namespaces(101) + `]}`, []string{"spec.providerConfig.namespaces" + tooMany}},
		"MostNamespaces":   {"A hundred are accepted.", `providerConfig: {namespaces: [` + namespaces(100) + `]}`, nil},
		"ChainRole":        {"A chain consists of roles.", `providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a"}, {roleARN: admin}]}`, []string{"spec.providerConfig.assumeRoleChain[1].roleARN" + invalid}},
		"ChainNoRole":      {"Each hop has a role.", `providerConfig: {assumeRoleChain: [{externalID: abc}]}`, []string{"spec.providerConfig.assumeRoleChain[0].roleARN" + invalid}},
		"ChainExternalID":  {"An external ID has at least two characters,", `providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", externalID: a}]}`, []string{"spec.providerConfig.assumeRoleChain[0].externalID" + invalid}},
		"ChainLongID":      {"and at most 1,224.", `providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", externalID: "` + strings.Repeat("a", 1225) + `"}]}`, []string{"spec.providerConfig.assumeRoleChain[0].externalID" + invalid}},
		"ChainIDForm":      {"It has restricted characters,", chain(`externalID: "a b"`), []string{"spec.providerConfig.assumeRoleChain[0].externalID" + invalid}},
		"ChainIDLatin":     {"all of them ASCII.", chain(`externalID: "abé"`), []string{"spec.providerConfig.assumeRoleChain[0].externalID" + invalid}},
		"ChainTags":        {"Session tags follow the rules of tags.", chain(`tags: [{key: "aws:x", value: a}, {key: a, value: "#"}, {key: "", value: b}, {key: "b", value: "` + strings.Repeat("a", 257) + `"}]`), []string{"spec.providerConfig.assumeRoleChain[0].tags[0].key" + invalid, "spec.providerConfig.assumeRoleChain[0].tags[1].value" + invalid, "spec.providerConfig.assumeRoleChain[0].tags[2].key" + invalid, "spec.providerConfig.assumeRoleChain[0].tags[3].value" + tooLong}},
		"ChainTagsTwice":   {"STS ignores letter case.", chain(`tags: [{key: a, value: b}, {key: A, value: c}]`), []string{"spec.providerConfig.assumeRoleChain[0].tags[1].key" + invalid}},
		"ChainTagsEKS":     {"Only EKS may set the tags that identify a pod.", chain(`tags: [{key: Kubernetes-Namespace, value: other}]`), []string{"spec.providerConfig.assumeRoleChain[0].tags[0].key" + invalid}},
		"ChainTransitive":  {"Only existing tags can be passed on, each once.", chain(`tags: [{key: a, value: b}], transitiveTagKeys: [a, A, c]`), []string{"spec.providerConfig.assumeRoleChain[0].transitiveTagKeys[1]" + duplicate, "spec.providerConfig.assumeRoleChain[0].transitiveTagKeys[2]" + invalid}},
		"ChainSession":     {"A valid chain is accepted.", chain(`externalID: "A:b/c=d+e,f.g@h-i_j", tags: [{key: team, value: "a b"}], transitiveTagKeys: [team]`), nil},

		"ManagementPolicies": {"Management policies are those of Crossplane.", `managementPolicies: [Observe, Destroy]`, []string{"spec.managementPolicies[1]" + unsupported}},
		"DeletionPolicy":     {"So are deletion policies.", `deletionPolicy: Keep`, []string{"spec.deletionPolicy" + unsupported}},
		"Teardown":           {"A teardown is ordered or unordered.", `teardown: Later`, []string{"spec.teardown" + unsupported}},
		"Agent":              {"The agent is managed or not.", `podIdentityAgent: {management: Maybe}`, []string{"spec.podIdentityAgent.management" + unsupported}},
		"AgentManaged":       {"A managed agent may have the version that EKS selects,", `podIdentityAgent: {management: Managed}`, nil},
		"AgentVersion":       {"or an explicit version,", `podIdentityAgent: {management: Managed, version: v1.3.4-eksbuild.1}`, nil},
		"AgentVersionForm":   {"which must be valid.", `podIdentityAgent: {management: Managed, version: latest}`, []string{"spec.podIdentityAgent.version" + invalid}},
		"AgentNone":          {"An agent that is not managed is valid.", `podIdentityAgent: {management: None}`, nil},

		"ServiceNoName":       {"A service has a name.", `services: [{}]`, []string{firstService + ".name" + invalid}},
		"ServiceCapitals":     {"The name is lower-case,", `services: [{name: S3}]`, []string{firstService + ".name" + invalid}},
		"ServiceLong":         {"has at most 40 characters,", `services: [{name: ` + strings.Repeat("a", 41) + `}]`, []string{firstService + ".name" + invalid}},
		"ServiceUnknown":      {"and is in the catalogue.", `services: [{name: dynamo}]`, []string{firstService + ".name" + invalid}},
		"UnknownNoPackage":    {"An unknown service needs a package and permissions: not only permissions,", `services: [{name: new, permissions: {policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}'}}]`, []string{firstService + ".name" + invalid}},
		"UnknownNoPermission": {"not only a package,", `services: [{name: new, package: r.example.org/a/new}]`, []string{firstService + ".name" + invalid}},
		"UnknownEmpty":        {"not empty permissions,", `services: [{name: new, package: r.example.org/a/new, permissions: {}}]`, []string{firstService + ".name" + invalid}},
		"UnknownAccessLevel":  {"and not an access level, which comes from the catalogue.", `services: [{name: new, package: r.example.org/a/new, permissions: {accessLevel: ReadOnly, managedPolicyArns: ["arn:aws:iam::aws:policy/a"]}}]`, []string{firstService + ".name" + invalid}},
		"UnknownManaged":      {"Managed policies are permissions.", `services: [{name: new, package: r.example.org/a/new, permissions: {accessLevel: None, managedPolicyArns: ["arn:aws:iam::aws:policy/a"]}}]`, nil},
		"UnknownRole":         {"A role has its own permissions.", `services: [{name: new, package: r.example.org/a/new, roleArn: "arn:aws:iam::123456789012:role/a"}]`, nil},
		"Management":          {"A package is managed or observed.", service(`management: Ignore`), []string{firstService + ".management" + unsupported}},
		"ServiceAccount":      {"A ServiceAccount has a Kubernetes name.", service(`serviceAccountName: A_b`), []string{firstService + ".serviceAccountName" + invalid}},
		"RoleName":            {"A role's name has few special characters.", service(`roleName: "a/b"`), []string{firstService + ".roleName" + invalid}},
		"RoleNameLong":        {"It has at most 64 characters.", service(`roleName: ` + strings.Repeat("a", 65)), []string{firstService + ".roleName" + invalid}},
		"Association":         {"An association's ID has a fixed format.", service(`associationId: assoc-1`), []string{firstService + ".associationId" + invalid}},
		"RoleARN":             {"So has a role's ARN.", service(`roleArn: admin`), []string{firstService + ".roleArn" + invalid}},
		"RoleARNUser":         {"A user is not a role.", service(`roleArn: "arn:aws:iam::123456789012:user/a"`), []string{firstService + ".roleArn" + invalid}},
		"RoleARNPartition":    {"A role is in the region's partition.", service(`roleArn: "arn:aws-us-gov:iam::123456789012:role/a"`), []string{firstService + ".roleArn" + invalid}},
		"RoleARNPermissions":  {"An existing role has its own permissions,", service(`roleArn: "arn:aws:iam::123456789012:role/a", permissions: {accessLevel: Full}`), []string{firstService + ".roleArn" + forbidden}},
		"RoleARNName":         {"and its own name.", service(`roleArn: "arn:aws:iam::123456789012:role/a", roleName: b`), []string{firstService + ".roleArn" + forbidden}},
		"RoleARNPath":         {"It may have a path.", service(`roleArn: "arn:aws:iam::123456789012:role/aws-service/a"`), nil},
		"TargetRole":          {"A target role is a role.", service(`targetRoleArn: "arn:aws:s3:::a"`), []string{firstService + ".targetRoleArn" + invalid}},
		"TargetRoleRight":     {"It may be in any account.", service(`targetRoleArn: "arn:aws:iam::210987654321:role/a"`), nil},
		"AdoptAndImport":      {"An association is named in one way.", service(`associationId: a-1, adoptExistingAssociation: true`), []string{firstService + ".adoptExistingAssociation" + forbidden}},

		"KindUnknown":       {"An unknown kind is reported with similar ones.", permissions(`kinds: [Bucket, Buckt]`), []string{firstService + ".permissions.kinds[1]" + invalid}},
		"KindTwice":         {"Each kind may be listed once.", permissions(`kinds: [Bucket, Object, Bucket]`), []string{firstService + ".permissions.kinds[2]" + duplicate}},
		"KindsMany":         {"No package has that many kinds.", permissions(`kinds: [` + strings.Repeat("Bucket, ", 200) + `Object]`), []string{firstService + ".permissions.kinds" + tooMany}},
		"KindNone":          {"An empty list would allow nothing, which is likely a mistake.", permissions(`kinds: []`), []string{firstService + ".permissions.kinds" + required}},
		"KindLevel":         {"Kinds need an access level other than None.", permissions(`accessLevel: None, kinds: [Bucket]`), []string{firstService + ".permissions.accessLevel" + invalid}},
		"AccessLevel":       {"There are three access levels.", permissions(`accessLevel: Admin`), []string{firstService + ".permissions.accessLevel" + unsupported}},
		"ManagedARN":        {"A managed policy is identified by its ARN.", permissions(`managedPolicyArns: ["AdministratorAccess", ""]`), []string{firstService + ".permissions.managedPolicyArns[0]" + invalid, firstService + ".permissions.managedPolicyArns[1]" + invalid}},
		"ManagedPartition":  {"It is in the region's partition.", permissions(`managedPolicyArns: ["arn:aws-cn:iam::aws:policy/a"]`), []string{firstService + ".permissions.managedPolicyArns[0]" + invalid}},
		"ManagedTwice":      {"It may be listed once.", permissions(`managedPolicyArns: ["arn:aws:iam::aws:policy/a", "arn:aws:iam::aws:policy/b", "arn:aws:iam::aws:policy/a"]`), []string{firstService + ".permissions.managedPolicyArns[2]" + duplicate}},
		"StatementEffect":   {"A statement allows or denies.", statement(`effect: Permit, actions: ["s3:*"], resources: ["*"]`), []string{firstService + ".permissions.statements[0].effect" + invalid}},
		"StatementAction":   {"An action names its service.", statement(`actions: [GetObject], resources: ["*"]`), []string{firstService + ".permissions.statements[0].actions[0]" + invalid}},
		"StatementEmpty":    {"All missing fields are reported.", statement(``), []string{firstService + ".permissions.statements[0].actions" + invalid, firstService + ".permissions.statements[0].resources" + invalid}},
		"StatementSID":      {"Two statements cannot have the same sid.", permissions(`statements: [{sid: A, actions: ["s3:*"], resources: ["*"]}, {sid: A, actions: ["s3:*"], resources: ["*"]}]`), []string{firstService + ".permissions.statements[1].sid" + duplicate}},
		"Document":          {"A document is JSON.", permissions(`policyDocument: "statement {}"`), []string{firstService + ".permissions.policyDocument" + invalid}},
		"DocumentVersion":   {"It has the current version.", permissions(`policyDocument: '{"Version":"2008-10-17","Statement":[]}'`), []string{firstService + ".permissions.policyDocument.Version" + invalid, firstService + ".permissions.policyDocument.Statement" + invalid}},
		"DocumentStatement": {"Its statements are checked, too.", permissions(`policyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}]}'`), []string{firstService + ".permissions.policyDocument.Statement[1].Principal" + invalid}},
		"DocumentSID":       {"Its sids must differ from those of the statements.", permissions(`statements: [{sid: A, actions: ["s3:*"], resources: ["*"]}], policyDocument: '{"Version":"2012-10-17","Statement":{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"}}'`), []string{firstService + ".permissions.statements[0].sid" + duplicate}},

		"TwiceName":        {"Services are identified by their names.", `services: [{name: s3}, {name: s3, serviceAccountName: other}]`, []string{"spec.services[1].name" + duplicate}},
		"TwiceAccount":     {"Two services cannot share a ServiceAccount,", `services: [{name: s3, serviceAccountName: a}, {name: ec2, serviceAccountName: a}]`, []string{"spec.services[1].serviceAccountName" + duplicate}},
		"TwiceDefault":     {"even if one has it by default.", `services: [{name: s3}, {name: ec2, serviceAccountName: provider-aws-s3}]`, []string{"spec.services[1].serviceAccountName" + duplicate}},
		"TwiceRole":        {"They cannot share a role, whose name is case-insensitive in AWS.", `services: [{name: s3, roleName: Same}, {name: ec2, roleName: same}]`, []string{"spec.services[1].roleName" + duplicate}},
		"TwicePolicy":      {"They cannot share a policy: the second policy of one role may have the name of another role.", `services: [{name: s3, roleName: x, permissions: {statements: [` + manyStatements() + `]}}, {name: ec2, roleName: X.2}]`, []string{"spec.services[1].roleName" + duplicate}},
		"Boundary":         {"A policy must not overwrite the boundary.", `{role: {permissionsBoundary: "arn:aws:iam::123456789012:policy/x/App"}, services: [{name: s3, roleName: app}]}`, []string{firstService + ".roleName" + invalid}},
		"Attached":         {"It must not overwrite an attached policy, either.", `services: [{name: s3, roleName: App, permissions: {accessLevel: Full, managedPolicyArns: ["arn:aws:iam::123456789012:policy/app"]}}]`, []string{firstService + ".roleName" + invalid}},
		"AttachedAWS":      {"Policies of AWS cannot be overwritten.", `services: [{name: s3, roleName: App, permissions: {accessLevel: Full, managedPolicyArns: ["arn:aws:iam::aws:policy/App"]}}]`, nil},
		"TwiceAssociation": {"Two services cannot share an association.", `services: [{name: s3, associationId: a-1}, {name: ec2, associationId: a-1}]`, []string{"spec.services[1].associationId" + duplicate}},
		"TwicePackage":     {"Two services cannot share a package.", `services: [{name: s3, package: r.example.org/a/b}, {name: ec2, package: r.example.org/a/b}]`, []string{"spec.services[1].package" + duplicate}},
		"SameRoleARN":      {"Two services may share an existing role.", `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/a"}, {name: ec2, roleArn: "arn:aws:iam::123456789012:role/a"}]`, nil},

		"AtOnce": {
			"All errors are reported at once, in the order of the spec.",
			`{region: null, clusterName: null, accountId: x, tags: {"aws:a": b}, provider: {registry: x}, services: [{name: s4, version: v1}, {name: ec2, roleArn: x}]}`,
			[]string{
				"spec.region" + required, "spec.clusterName" + required, "spec.accountId" + invalid, "spec.tags[aws:a]" + invalid, "spec.provider.registry" + invalid,
				firstService + ".name" + invalid, firstService + ".version" + invalid, "spec.services[1].roleArn" + invalid,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, errs := world{Spec: tc.spec}.resolve(t)
			if diff := cmp.Diff(tc.want, paths(errs)); diff != "" {
				t.Errorf("%s\nResolve(...): -want errors, +got:\n%s\n%v", tc.reason, diff, errs.ToAggregate())
			}
		})
	}
}

// chain returns a chain with one role and these fields.
func chain(fields string) string {
	return `providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", ` + fields + `}]}`
}

// TestARNs checks that an ARN of another partition is refused in every field, and that the error says how to write it.
func TestARNs(t *testing.T) {
	const role, policy, bucket = ":iam::123456789012:role/a", ":iam::123456789012:policy/a", ":s3:::a"
	places := map[string]struct {
		arn  string // The part after the partition.
		spec func(arn string) string
		path string
		wild bool // Whether the field accepts a pattern.
	}{
		"RoleARN":     {role, func(a string) string { return withService(`roleArn: "` + a + `"`) }, firstService + ".roleArn", false},
		"TargetRole":  {role, func(a string) string { return withService(`targetRoleArn: "` + a + `"`) }, firstService + ".targetRoleArn", false},
		"Chain":       {role, func(a string) string { return `providerConfig: {assumeRoleChain: [{roleARN: "` + a + `"}]}` }, "spec.providerConfig.assumeRoleChain[0].roleARN", false},
		"Boundary":    {policy, func(a string) string { return `role: {permissionsBoundary: "` + a + `"}` }, "spec.role.permissionsBoundary", false},
		"Managed":     {policy, func(a string) string { return withPermissions(`managedPolicyArns: ["` + a + `"]`) }, firstService + ".permissions.managedPolicyArns[0]", false},
		"Resource":    {bucket, func(a string) string { return withStatement(`actions: ["s3:*"], resources: ["` + a + `"]`) }, firstService + ".permissions.statements[0].resources[0]", true},
		"NotResource": {bucket, func(a string) string { return withStatement(`actions: ["s3:*"], notResources: ["` + a + `"]`) }, firstService + ".permissions.statements[0].notResources[0]", true},
		"Condition": {role, func(a string) string {
			return withStatement(`actions: ["s3:*"], resources: ["*"], conditions: {ArnLike: {"aws:PrincipalArn": ["` + a + `"]}}`)
		}, firstService + ".permissions.statements[0].conditions[ArnLike][aws:PrincipalArn][0]", true},
		"Document":    {bucket, func(a string) string { return document(`"Action":"s3:*","Resource":["` + a + `"]`) }, firstService + ".permissions.policyDocument.Statement[0].Resource[0]", true},
		"DocumentNot": {bucket, func(a string) string { return document(`"Action":"s3:*","NotResource":"` + a + `"`) }, firstService + ".permissions.policyDocument.Statement[0].NotResource[0]", true},
		"DocumentWhere": {role, func(a string) string {
			return document(`"Action":"s3:*","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"` + a + `"}}`)
		}, firstService + ".permissions.policyDocument.Statement[0].Condition[ArnEquals][aws:SourceArn][0]", true},
		"Trust": {role, func(a string) string { return `role: {trustConditions: {ArnEquals: {"aws:SourceArn": ["` + a + `"]}}}` }, "spec.role.trustConditions[ArnEquals][aws:SourceArn][0]", true},
		"TrustText": {role, func(a string) string {
			return `role: {trustConditions: {StringLike: {"aws:SourceArn": ["` + a + `"]}}}`
		}, "spec.role.trustConditions[StringLike][aws:SourceArn][0]", true},
	}
	for name, p := range places {
		for region, partition := range map[string]string{"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc", "us-iso-east-1": "aws-iso"} {
			for _, got := range []string{"aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "*"} {
				t.Run(name+"/"+region+"/"+got, func(t *testing.T) {
					_, _, errs := world{Spec: "{region: " + region + ", " + p.spec("arn:"+got+p.arn) + "}"}.resolve(t)
					if got == partition || got == "*" && p.wild {
						if len(errs) > 0 {
							t.Errorf("an ARN of the region's own partition should be accepted: %v", errs.ToAggregate())
						}
						return
					}
					if diff := cmp.Diff([]string{p.path + invalid}, paths(errs)); diff != "" {
						t.Fatalf("an ARN of partition %s in %s: -want errors, +got:\n%s", got, region, diff)
					}
					if want := "arn:" + partition + ":"; !strings.Contains(errs[0].Error(), want) {
						t.Errorf("the error should say that it begins with %s: %v", want, errs[0])
					}
				})
			}
		}
	}
}

// withService returns a spec with one service and these fields.
func withService(fields string) string { return `services: [{name: s3, ` + fields + `}]` }

func withPermissions(fields string) string { return withService(`permissions: {` + fields + `}`) }

func withStatement(fields string) string { return withPermissions(`statements: [{` + fields + `}]`) }

func document(elements string) string {
	return withPermissions(`policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow",` + elements + `}}'`)
}

// TestAccounts checks that roles, policies and boundaries are in the cluster's account, if it is known. A role that is assumed may be in
// any account.
func TestAccounts(t *testing.T) {
	const role, policy = "arn:aws:iam::210987654321:role/a", "arn:aws:iam::210987654321:policy/a"
	for name, tc := range map[string]struct{ spec, want string }{
		"RoleARN":    {`services: [{name: s3, roleArn: "` + role + `"}]`, firstService + ".roleArn" + invalid},
		"Managed":    {`services: [{name: s3, permissions: {managedPolicyArns: ["` + policy + `"]}}]`, firstService + ".permissions.managedPolicyArns[0]" + invalid},
		"Boundary":   {`role: {permissionsBoundary: "` + policy + `"}`, "spec.role.permissionsBoundary" + invalid},
		"AWS":        {`role: {permissionsBoundary: "arn:aws:iam::aws:policy/a"}`, ""},
		"TargetRole": {`services: [{name: s3, targetRoleArn: "` + role + `"}]`, ""},
		"Chain":      {`providerConfig: {assumeRoleChain: [{roleARN: "` + role + `"}]}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, errs := world{Spec: tc.spec}.resolve(t)
			if len(errs) > 0 {
				t.Errorf("while the account is unknown, any should be accepted: %v", errs.ToAggregate())
			}
			_, _, errs = world{Spec: `{accountId: "123456789012", ` + tc.spec + `}`}.resolve(t)
			if got := strings.Join(paths(errs), " "); got != tc.want {
				t.Errorf("with another account known: want %q, got %v", tc.want, errs.ToAggregate())
			}
		})
	}
}

func manyTags(n int) string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf("k%d: v", i)
	}
	return strings.Join(tags, ", ")
}

// TestUnknownServiceHint checks that the error for a typo suggests the likely service.
func TestUnknownServiceHint(t *testing.T) {
	_, _, errs := world{Spec: `services: [{name: dynamo}]`}.resolve(t)
	if len(errs) != 1 || !strings.Contains(errs[0].Detail, "did you mean dynamodb?") || !strings.Contains(errs[0].Detail, "package") {
		t.Errorf("want a hint at dynamodb and at the alternative, got %v", errs)
	}
	_, _, errs = world{Spec: `services: [{name: zzzzzzqqqqqq}]`}.resolve(t)
	if len(errs) != 1 || strings.Contains(errs[0].Detail, "did you mean") {
		t.Errorf("want no suggestion for nonsense, got %v", errs)
	}
}

// TestBootstrapIsNotComposed checks default names.
func TestBootstrapIsNotComposed(t *testing.T) {
	cases := map[string]struct {
		reason string
		world  world
		fails  bool
	}{
		"XR":       {"A composite resource named default would compose the ProviderConfig that it uses,", world{XR: `metadata: {name: default}`}, true},
		"Renamed":  {"unless it uses another.", world{XR: `metadata: {name: default}`, Spec: `providerConfigRef: {name: bootstrap}`}, false},
		"EmptyRef": {"An empty reference is the default.", world{XR: `metadata: {name: default}`, Spec: `providerConfigRef: {name: ""}`}, true},
		"Claim":    {"A name derived from a claim contains its namespace.", world{Input: "claims: {allowedFields: ['*']}", XR: `{metadata: {name: default}, spec: {claimRef: {namespace: a, name: default}}}`}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, errs := tc.world.resolve(t)
			if (len(errs) > 0) != tc.fails {
				t.Errorf("%s\nResolve(...): want an error: %t, got %v", tc.reason, tc.fails, errs)
			}
		})
	}
}

// TestDefaultsAreValidated checks that defaults in the Input cannot bypass validation.
func TestDefaultsAreValidated(t *testing.T) {
	_, _, errs := world{Spec: `region: null`, Input: `defaults: {region: nowhere, services: [{name: s3, roleName: "a/b"}]}`}.resolve(t)
	if diff := cmp.Diff([]string{"spec.region" + invalid, firstService + ".roleName" + invalid}, paths(errs)); diff != "" {
		t.Errorf("Resolve(...): -want errors, +got:\n%s", diff)
	}
}

// manyStatements returns statements that need more than one policy.
func manyStatements() string {
	out := make([]string, 0, 60)
	for i := range 60 {
		out = append(out, fmt.Sprintf(`{actions: ["s3:GetObject"], resources: ["arn:aws:s3:::%s-%d/*"]}`, strings.Repeat("b", 40), i))
	}
	return strings.Join(out, ", ")
}
