package identity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The kinds of errors, short.
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

// TestValidate changes one thing of a good spec at a time.
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
		"Good": {"The smallest spec should be valid.", ``, nil},

		"RegionMissing":    {"A region is required.", `region: null`, []string{"spec.region" + required}},
		"RegionZone":       {"A zone is no region.", `region: eu-west-1a`, []string{"spec.region" + invalid}},
		"RegionCapitals":   {"Regions are written small.", `region: EU-WEST-1`, []string{"spec.region" + invalid}},
		"RegionGov":        {"Regions of other partitions have more parts.", `region: us-gov-west-1`, nil},
		"RegionEuropean":   {"Or a longer beginning.", `region: eusc-de-east-1`, nil},
		"AccountShort":     {"An account has 12 digits.", `accountId: "12345"`, []string{"spec.accountId" + invalid}},
		"AccountLetters":   {"And nothing else.", `accountId: "12345678901x"`, []string{"spec.accountId" + invalid}},
		"ServicesMissing":  {"An identity is for at least one service.", `services: null`, []string{"spec.services" + required}},
		"ServicesEmpty":    {"An empty list has none.", `services: []`, []string{"spec.services" + required}},
		"NamespaceInvalid": {"A namespace is a DNS label.", `crossplaneNamespace: a.b`, []string{"spec.crossplaneNamespace" + invalid}},
		"NamespaceLong":    {"Of at most 63 characters.", `crossplaneNamespace: ` + strings.Repeat("a", 64), []string{"spec.crossplaneNamespace" + invalid}},

		"ClusterMissing":         {"A cluster is required.", `clusterName: null`, []string{"spec.clusterName" + required}},
		"ClusterTwice":           {"By one way only.", `clusterNameRef: {name: a}`, []string{"spec.clusterName" + forbidden}},
		"ClusterThrice":          {"However many ways there are.", `{clusterNameRef: {name: a}, clusterNameSelector: {matchLabels: {a: b}}}`, []string{"spec.clusterName" + forbidden}},
		"ClusterInvalid":         {"EKS allows letters, digits, dashes and underscores.", `clusterName: a.b`, []string{"spec.clusterName" + invalid}},
		"ClusterBegins":          {"A name begins with a letter or digit.", `clusterName: _a`, []string{"spec.clusterName" + invalid}},
		"ClusterOneLetter":       {"One letter is enough.", `clusterName: a`, nil},
		"ClusterLong":            {"100 characters are too many by one if there are 101.", `clusterName: ` + strings.Repeat("a", 101), []string{"spec.clusterName" + invalid}},
		"ClusterRefInvalid":      {"A reference is to a Kubernetes object.", `{clusterName: null, clusterNameRef: {name: A_b}}`, []string{"spec.clusterNameRef.name" + invalid}},
		"ClusterRefEmpty":        {"Which has a name.", `{clusterName: null, clusterNameRef: {}}`, []string{"spec.clusterNameRef.name" + invalid}},
		"ClusterSelectorEmpty":   {"A selector without conditions would select any.", `{clusterName: null, clusterNameSelector: {}}`, []string{"spec.clusterNameSelector.matchLabels" + required}},
		"ClusterSelectorFalse":   {"matchControllerRef: false is no condition.", `{clusterName: null, clusterNameSelector: {matchControllerRef: false}}`, []string{"spec.clusterNameSelector.matchLabels" + required}},
		"ClusterSelectorInvalid": {"A label that cannot exist selects nothing.", `{clusterName: null, clusterNameSelector: {matchLabels: {"a b": c, d: "e f"}}}`, []string{"spec.clusterNameSelector.matchLabels" + invalid, "spec.clusterNameSelector.matchLabels" + invalid}},

		"TagEmptyKey":  {"A tag has a key.", `tags: {"": a}`, []string{"spec.tags[]" + invalid}},
		"TagLongKey":   {"Of at most 128 characters.", `tags: {"` + strings.Repeat("é", 129) + `": a}`, []string{"spec.tags[" + strings.Repeat("é", 129) + "]" + invalid}},
		"TagKeyFits":   {"Characters, not bytes.", `tags: {"` + strings.Repeat("é", 128) + `": "` + strings.Repeat("é", 256) + `"}`, nil},
		"TagAWS":       {"aws: is AWS's, however it is written.", `tags: {"AWS:a": b, "aws:b": c}`, []string{"spec.tags[AWS:a]" + invalid, "spec.tags[aws:b]" + invalid}},
		"TagKey":       {"Other characters than AWS's are refused there.", `tags: {"a;b": c}`, []string{"spec.tags[a;b]" + invalid}},
		"TagValue":     {"In values too.", `tags: {a: "b#c"}`, []string{"spec.tags[a]" + invalid}},
		"TagLongValue": {"A value has at most 256 characters.", `tags: {a: "` + strings.Repeat("b", 257) + `"}`, []string{"spec.tags[a]" + tooLong}},
		"TagEmpty":     {"It may be empty.", `tags: {"a b/c=d+e-f@g.h_i:j": ""}`, nil},
		"TagsMany":     {"AWS allows 50, of which the provider takes three.", `tags: {` + manyTags(48) + `}`, []string{"spec.tags" + tooMany}},
		"TagsFit":      {"47 are not too many.", `tags: {` + manyTags(47) + `}`, nil},

		"TagCase":      {"AWS does not tell keys by letter case.", `tags: {Team: a, team: b}`, []string{"spec.tags[team]" + invalid}},
		"TagsProvider": {"The provider's own would be fought over.", `tags: {crossplane-kind: a, Crossplane-Name: b, crossplane-providerconfig: c}`, []string{"spec.tags[Crossplane-Name]" + invalid, "spec.tags[crossplane-kind]" + invalid, "spec.tags[crossplane-providerconfig]" + invalid}},
		"TagsSession":  {"EKS's session tags say who a pod is.", `tags: {eks-cluster-arn: a, eks-cluster-name: a, Kubernetes-Namespace: b, kubernetes-service-account: c, kubernetes-pod-name: d, kubernetes-pod-uid: e}`, []string{"spec.tags[Kubernetes-Namespace]" + invalid, "spec.tags[eks-cluster-arn]" + invalid, "spec.tags[eks-cluster-name]" + invalid, "spec.tags[kubernetes-pod-name]" + invalid, "spec.tags[kubernetes-pod-uid]" + invalid, "spec.tags[kubernetes-service-account]" + invalid}},

		"PrefixInvalid":      {"A role's name has few special characters.", `role: {namePrefix: "a/b"}`, []string{"spec.role.namePrefix" + invalid}},
		"PrefixLong":         {"A prefix leaves room for the rest.", `role: {namePrefix: ` + strings.Repeat("a", 33) + `}`, []string{"spec.role.namePrefix" + tooLong}},
		"PathRelative":       {"A path begins with a slash.", `role: {path: "a/"}`, []string{"spec.role.path" + invalid}},
		"PathOpen":           {"And ends with one.", `role: {path: "/a"}`, []string{"spec.role.path" + invalid}},
		"PathSpace":          {"Spaces are not allowed.", `role: {path: "/a b/"}`, []string{"spec.role.path" + invalid}},
		"PathLong":           {"Nor more than 512 characters.", `role: {path: "/` + strings.Repeat("a", 511) + `/"}`, []string{"spec.role.path" + tooLong}},
		"PathFits":           {"512 are allowed.", `role: {path: "/` + strings.Repeat("a", 510) + `/"}`, nil},
		"PathWildcard":       {"A wildcard would be one where the role's ARN becomes part of a policy.", `role: {path: "/a*/"}`, []string{"spec.role.path" + invalid}},
		"DescriptionNoBreak": {"And without no-break spaces.", `role: {description: "a\u00a0b"}`, []string{"spec.role.description" + invalid}},
		"DescriptionC1":      {"Or other control characters.", `role: {description: "a\u0085b"}`, []string{"spec.role.description" + invalid}},
		"BoundaryAccount":    {"A boundary is of the role's account.", `{accountId: "123456789012", role: {permissionsBoundary: "arn:aws:iam::210987654321:policy/a"}}`, []string{"spec.role.permissionsBoundary" + invalid}},
		"TrustCaller":        {"EKS calls as a service, which is in no organisation.", `role: {trustConditions: {StringEquals: {"aws:PrincipalOrgID": [o-1]}}}`, []string{"spec.role.trustConditions[StringEquals][aws:PrincipalOrgID]" + invalid}},
		"TrustSource":        {"What it acts for is.", `role: {trustConditions: {StringEquals: {"aws:SourceOrgID": [o-1]}}}`, nil},
		"NoTagsNoAccount":    {"A trust policy without any condition is never written.", `services: [{name: s3, disableSessionTags: true}, {name: ec2, disableSessionTags: true}]`, []string{"spec.accountId" + required}},
		"NoTagsAccount":      {"The account is one.", `{accountId: "123456789012", services: [{name: s3, disableSessionTags: true}]}`, nil},
		"NoTagsOwnRole":      {"That of somebody else's role is theirs.", `services: [{name: s3, disableSessionTags: true, roleArn: "arn:aws:iam::123456789012:role/a"}]`, nil},
		"NoTagsCondition":    {"Without the tags a condition on them never holds.", `{accountId: "123456789012", role: {trustConditions: {StringLike: {"AWS:RequestTag/a": [b]}, "ForAllValues:StringEquals": {"aws:TagKeys": [c]}}}, services: [{name: s3, disableSessionTags: true}]}`, []string{"spec.role.trustConditions[ForAllValues:StringEquals][aws:TagKeys]" + forbidden, "spec.role.trustConditions[StringLike][AWS:RequestTag/a]" + forbidden}},
		"PathRoot":           {"So is the root.", `role: {path: "/"}`, nil},
		"DescriptionLong":    {"A description has at most 1,000 characters.", `role: {description: "` + strings.Repeat("a", 1001) + `"}`, []string{"spec.role.description" + tooLong}},
		"DescriptionUnicode": {"Of Latin-1.", `role: {description: "Ā"}`, []string{"spec.role.description" + invalid}},
		"DescriptionControl": {"That can be seen.", `role: {description: "a\u0007"}`, []string{"spec.role.description" + invalid}},
		"DescriptionLatin":   {"With line breaks.", `role: {description: "é\n\tb"}`, nil},
		"BoundaryInvalid":    {"A boundary is a policy's ARN.", `role: {permissionsBoundary: my-boundary}`, []string{"spec.role.permissionsBoundary" + invalid}},
		"BoundaryRole":       {"Not a role's.", `role: {permissionsBoundary: "arn:aws:iam::123456789012:role/a"}`, []string{"spec.role.permissionsBoundary" + invalid}},
		"BoundaryPartition":  {"And in the region's partition.", `role: {permissionsBoundary: "arn:aws-cn:iam::123456789012:policy/a"}`, []string{"spec.role.permissionsBoundary" + invalid}},
		"BoundaryAWS":        {"It may be one of AWS's own.", `role: {permissionsBoundary: "arn:aws:iam::aws:policy/PowerUserAccess"}`, nil},
		"SessionShort":       {"A session takes at least an hour.", `role: {maxSessionDuration: 3599}`, []string{"spec.role.maxSessionDuration" + invalid}},
		"SessionLong":        {"And at most twelve.", `role: {maxSessionDuration: 43201}`, []string{"spec.role.maxSessionDuration" + invalid}},
		"SessionFits":        {"Twelve are allowed.", `role: {maxSessionDuration: 43200}`, nil},
		"TrustGenerated": {
			"A generated condition cannot be set.", `role: {trustConditions: {StringEquals: {"aws:RequestTag/eks-cluster-name": [other]}}}`,
			[]string{"spec.role.trustConditions" + forbidden},
		},
		"TrustLong": {
			"A trust policy has at most 2,048 characters.", `role: {trustConditions: {StringEquals: {"aws:SourceOrgID": ["` + strings.Repeat("a", 2048) + `"]}}}`,
			[]string{"spec.role.trustConditions" + invalid},
		},

		"VersionMissing":   {"A managed provider has a version.", `provider: null`, []string{firstService + ".version" + required}},
		"VersionObserve":   {"One that somebody else installs needs none.", `{provider: null, services: [{name: s3, management: Observe}]}`, nil},
		"VersionFloating":  {"A version that moves would be resolved once, and never again.", `provider: {version: v2}`, []string{"spec.provider.version" + invalid}},
		"VersionLatest":    {"latest is such a one.", `provider: {version: latest}`, []string{"spec.provider.version" + invalid}},
		"VersionDigest":    {"A digest has 64 digits.", `provider: {version: "sha256:abc"}`, []string{"spec.provider.version" + invalid}},
		"VersionRange":     {"A range is no version.", `provider: {version: ">=v2.0.0"}`, []string{"spec.provider.version" + invalid}},
		"VersionPrefix":    {"A version may have no v, and something after a dash.", `provider: {version: 2.5.0-rc.1}`, nil},
		"ServiceVersion":   {"The same holds for a service's.", service(`version: v2.5`), []string{firstService + ".version" + invalid}},
		"RegistryTag":      {"A registry has no tag.", `provider: {registry: "xpkg.upbound.io/upbound:v1"}`, []string{"spec.provider.registry" + invalid}},
		"RegistryScheme":   {"Nor a scheme.", `provider: {registry: "https://xpkg.upbound.io/upbound"}`, []string{"spec.provider.registry" + invalid}},
		"RegistryHost":     {"But a path.", `provider: {registry: "xpkg.upbound.io"}`, []string{"spec.provider.registry" + invalid}},
		"RegistrySlash":    {"That does not end with a slash.", `provider: {registry: "xpkg.upbound.io/upbound/"}`, []string{"spec.provider.registry" + invalid}},
		"RegistryPort":     {"It may have a port.", `provider: {registry: "localhost:5000/a/b"}`, nil},
		"PackageTag":       {"A package has no tag.", service(`package: "r.example.org/a/provider-aws-s3:v1.0.0"`), []string{firstService + ".package" + invalid}},
		"PackageDigest":    {"Nor a digest.", service(`package: "r.example.org/a/provider-aws-s3@sha256:abc"`), []string{firstService + ".package" + invalid}},
		"Family":           {"A family is observed or managed.", `provider: {family: Ignore}`, []string{"spec.provider.family" + unsupported}},
		"FamilyVersion":    {"A managed one has a version.", `{provider: {version: null, family: Manage}, services: [{name: s3, version: v2.5.0}]}`, []string{"spec.provider.version" + required}},
		"PullPolicy":       {"Pull policies are those of Kubernetes.", `provider: {packagePullPolicy: Sometimes}`, []string{"spec.provider.packagePullPolicy" + unsupported}},
		"ActivationPolicy": {"Activation is automatic or manual.", `provider: {revisionActivationPolicy: Never}`, []string{"spec.provider.revisionActivationPolicy" + unsupported}},
		"HistoryLimit":     {"Less than no revisions cannot be kept.", `provider: {revisionHistoryLimit: -1}`, []string{"spec.provider.revisionHistoryLimit" + invalid}},
		"HistoryZero":      {"None can.", `provider: {revisionHistoryLimit: 0}`, nil},
		"PullSecret":       {"A secret has a name.", `provider: {packagePullSecrets: [{name: ok}, {name: "A b"}, {}]}`, []string{"spec.provider.packagePullSecrets[1].name" + invalid, "spec.provider.packagePullSecrets[2].name" + invalid}},
		"CommonLabels":     {"Labels are those of Kubernetes.", `provider: {commonLabels: {a: "b c"}}`, []string{"spec.provider.commonLabels" + invalid}},

		"Replicas":            {"Replicas cannot be negative.", runtime(`replicas: -1`), []string{"spec.runtime.replicas" + invalid}},
		"ReplicasZero":        {"They can be none.", runtime(`replicas: 0`), nil},
		"SettleNegative":      {"Nor can a time to wait.", runtime(`associationSettleSeconds: -1`), []string{"spec.runtime.associationSettleSeconds" + invalid}},
		"SettleLong":          {"Which is bounded.", runtime(`associationSettleSeconds: 301`), []string{"spec.runtime.associationSettleSeconds" + invalid}},
		"SettleFits":          {"At five minutes.", runtime(`associationSettleSeconds: 300`), nil},
		"Verify":              {"Credentials can be verified.", runtime(`verifyCredentials: true`), nil},
		"Restart":             {"Nor may a restart be made up.", runtime(`podAnnotations: {aws.podidentity.dev/restarted-for: x}`), []string{"spec.runtime.podAnnotations[aws.podidentity.dev/restarted-for]" + forbidden}},
		"PodLabels":           {"Labels are those of Kubernetes.", runtime(`podLabels: {"a b": c}`), []string{"spec.runtime.podLabels" + invalid}},
		"NodeSelector":        {"So are those of nodes.", runtime(`nodeSelector: {a: "b c"}`), []string{"spec.runtime.nodeSelector" + invalid}},
		"PodAnnotations":      {"Annotations have the same keys, and any value.", runtime(`podAnnotations: {"a b": c, Ok.example.org/a: "{}"}`), []string{"spec.runtime.podAnnotations[a b]" + invalid}},
		"EnvName":             {"A variable has a name.", runtime(`env: [{value: a}]`), []string{"spec.runtime.env[0].name" + invalid}},
		"EnvEquals":           {"Without =.", runtime(`env: [{name: "A=B"}]`), []string{"spec.runtime.env[0].name" + invalid}},
		"EnvTwice":            {"And once only.", runtime(`env: [{name: A}, {name: B}, {name: A}]`), []string{"spec.runtime.env[2].name" + duplicate}},
		"TemplateName":        {"The Deployment's name is the package manager's.", runtime(`deploymentTemplate: {metadata: {name: a}}`), []string{"spec.runtime.deploymentTemplate.metadata.name" + forbidden}},
		"TemplateAccount":     {"The association names the ServiceAccount.", runtime(`deploymentTemplate: {spec: {template: {spec: {serviceAccountName: a}}}}`), []string{"spec.runtime.deploymentTemplate.spec.template.spec.serviceAccountName" + forbidden}},
		"TemplateOldAccount":  {"Also by its old field.", runtime(`deploymentTemplate: {spec: {template: {spec: {serviceAccount: a}}}}`), []string{"spec.runtime.deploymentTemplate.spec.template.spec.serviceAccount" + forbidden}},
		"TemplateAccountName": {"And in the ServiceAccount itself.", runtime(`serviceAccountTemplate: {metadata: {name: a}}`), []string{"spec.runtime.serviceAccountTemplate.metadata.name" + forbidden}},
		"TemplateDirective":   {"A directive could take the annotation out.", runtime(`deploymentTemplate: {spec: {template: {"$patch": replace}}}`), []string{"spec.runtime.deploymentTemplate.spec.template.$patch" + forbidden}},
		"TemplateDirectiveInList": {
			"Or a container.", runtime(`deploymentTemplate: {spec: {template: {spec: {containers: [{name: a}, {name: package-runtime, "$patch": delete}]}}}}`),
			[]string{"spec.runtime.deploymentTemplate.spec.template.spec.containers[1].$patch" + forbidden},
		},
		"TemplateRetain":   {"Or other keys.", runtime(`serviceAccountTemplate: {metadata: {"$retainKeys": [labels]}}`), []string{"spec.runtime.serviceAccountTemplate.metadata.$retainKeys" + forbidden}},
		"PodKeys":          {"What decides on a pod's identity may not be set,", runtime(`podAnnotations: {eks.amazonaws.com/skip-containers: a, iam.amazonaws.com/role: b}, podLabels: {pkg.crossplane.io/revision: c, app: crossplane}`), []string{"spec.runtime.podAnnotations[eks.amazonaws.com/skip-containers]" + forbidden, "spec.runtime.podAnnotations[iam.amazonaws.com/role]" + forbidden, "spec.runtime.podLabels[app]" + forbidden, "spec.runtime.podLabels[pkg.crossplane.io/revision]" + forbidden}},
		"PodKeysCase":      {"in any letter case that Kubernetes takes,", runtime(`podAnnotations: {EKS.amazonaws.com/Skip-Containers: a, AWS.podidentity.dev/identity: b}`), []string{"spec.runtime.podAnnotations[AWS.podidentity.dev/identity]" + forbidden, "spec.runtime.podAnnotations[EKS.amazonaws.com/Skip-Containers]" + forbidden}},
		"PodKeysTemplate":  {"in a template neither,", runtime(`deploymentTemplate: {spec: {template: {metadata: {annotations: {Eks.amazonaws.com/skip-containers: a}, labels: {app: crossplane, pkg.crossplane.io/provider: b}}}}}`), []string{"spec.runtime.deploymentTemplate.spec.template.metadata.annotations[Eks.amazonaws.com/skip-containers]" + forbidden, "spec.runtime.deploymentTemplate.spec.template.metadata.labels[app]" + forbidden, "spec.runtime.deploymentTemplate.spec.template.metadata.labels[pkg.crossplane.io/provider]" + forbidden}},
		"PodKeysGood":      {"all others may.", runtime(`podAnnotations: {prometheus.io/scrape: "true", eks: b}, podLabels: {app: mine}, serviceAccountTemplate: {metadata: {annotations: {eks.amazonaws.com/role-arn: a}}}`), nil},
		"TemplateGood":     {"Everything else may be set.", runtime(`deploymentTemplate: {metadata: {labels: {a: b}}, spec: {strategy: {type: Recreate}}}, serviceAccountTemplate: {metadata: {annotations: {a: b}}}`), nil},
		"ServiceRuntime":   {"The same holds for a service's own.", service(`runtime: {replicas: -1, podLabels: {"a b": c}}`), []string{firstService + ".runtime.replicas" + invalid, firstService + ".runtime.podLabels" + invalid}},
		"ServiceTemplates": {"Likewise templates.", service(`runtime: {deploymentTemplate: {metadata: {name: a}}}`), []string{firstService + ".runtime.deploymentTemplate.metadata.name" + forbidden}},

		"ConfigName":       {"A ProviderConfig has a Kubernetes name.", `providerConfig: {name: A_b}`, []string{"spec.providerConfig.name" + invalid}},
		"ConfigBootstrap":  {"That is not that of the identity it depends on.", `providerConfig: {name: default}`, []string{"spec.providerConfig.name" + invalid}},
		"ConfigBootstrap2": {"Whatever that is called.", `providerConfigRef: {name: storage}`, []string{"spec.providerConfig.name" + invalid}},
		"ConfigLong":       {"That what uses it can have as a label's value.", `providerConfig: {name: ` + strings.Repeat("a", 64) + `}`, []string{"spec.providerConfig.name" + tooLong}},
		"ConfigFits":       {"Which may have 63 characters.", `providerConfig: {name: ` + strings.Repeat("a", 63) + `}`, nil},
		"ConfigRefLong":    {"Roles are labelled with that of the bootstrap identity.", `providerConfigRef: {name: ` + strings.Repeat("a", 64) + `}`, []string{"spec.providerConfigRef.name" + tooLong}},
		"ConfigNamespaces": {"Namespaces are DNS labels, each once.", `providerConfig: {namespaces: [a, b.c, "", a]}`, []string{"spec.providerConfig.namespaces[1]" + invalid, "spec.providerConfig.namespaces[2]" + invalid, "spec.providerConfig.namespaces[3]" + duplicate}},
		"ManyNamespaces":   {"There may be a hundred.", `providerConfig: {namespaces: [` + namespaces(101) + `]}`, []string{"spec.providerConfig.namespaces" + tooMany}},
		"MostNamespaces":   {"And no more.", `providerConfig: {namespaces: [` + namespaces(100) + `]}`, nil},
		"ChainRole":        {"A chain is of roles.", `providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a"}, {roleARN: admin}]}`, []string{"spec.providerConfig.assumeRoleChain[1].roleARN" + invalid}},
		"ChainNoRole":      {"Each of which is named.", `providerConfig: {assumeRoleChain: [{externalID: abc}]}`, []string{"spec.providerConfig.assumeRoleChain[0].roleARN" + invalid}},
		"ChainExternalID":  {"An external id has at least two characters.", `providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", externalID: a}]}`, []string{"spec.providerConfig.assumeRoleChain[0].externalID" + invalid}},
		"ChainLongID":      {"And at most 1,224.", `providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", externalID: "` + strings.Repeat("a", 1225) + `"}]}`, []string{"spec.providerConfig.assumeRoleChain[0].externalID" + invalid}},
		"ChainIDForm":      {"Of few characters.", chain(`externalID: "a b"`), []string{"spec.providerConfig.assumeRoleChain[0].externalID" + invalid}},
		"ChainIDLatin":     {"ASCII ones.", chain(`externalID: "abé"`), []string{"spec.providerConfig.assumeRoleChain[0].externalID" + invalid}},
		"ChainTags":        {"Session tags follow the rules of tags.", chain(`tags: [{key: "aws:x", value: a}, {key: a, value: "#"}, {key: "", value: b}, {key: "b", value: "` + strings.Repeat("a", 257) + `"}]`), []string{"spec.providerConfig.assumeRoleChain[0].tags[0].key" + invalid, "spec.providerConfig.assumeRoleChain[0].tags[1].value" + invalid, "spec.providerConfig.assumeRoleChain[0].tags[2].key" + invalid, "spec.providerConfig.assumeRoleChain[0].tags[3].value" + tooLong}},
		"ChainTagsTwice":   {"STS does not tell letter case.", chain(`tags: [{key: a, value: b}, {key: A, value: c}]`), []string{"spec.providerConfig.assumeRoleChain[0].tags[1].key" + invalid}},
		"ChainTagsEKS":     {"Who a pod is only EKS says.", chain(`tags: [{key: Kubernetes-Namespace, value: other}]`), []string{"spec.providerConfig.assumeRoleChain[0].tags[0].key" + invalid}},
		"ChainTransitive":  {"Only tags can be passed on, each once.", chain(`tags: [{key: a, value: b}], transitiveTagKeys: [a, A, c]`), []string{"spec.providerConfig.assumeRoleChain[0].transitiveTagKeys[1]" + duplicate, "spec.providerConfig.assumeRoleChain[0].transitiveTagKeys[2]" + invalid}},
		"ChainSession":     {"All of it may be right.", chain(`externalID: "A:b/c=d+e,f.g@h-i_j", tags: [{key: team, value: "a b"}], transitiveTagKeys: [team]`), nil},

		"ManagementPolicies": {"Management policies are Crossplane's.", `managementPolicies: [Observe, Destroy]`, []string{"spec.managementPolicies[1]" + unsupported}},
		"DeletionPolicy":     {"So are deletion policies.", `deletionPolicy: Keep`, []string{"spec.deletionPolicy" + unsupported}},
		"Teardown":           {"A teardown is ordered or not.", `teardown: Later`, []string{"spec.teardown" + unsupported}},
		"Agent":              {"The agent is managed or not.", `podIdentityAgent: {management: Maybe}`, []string{"spec.podIdentityAgent.management" + unsupported}},
		"AgentManaged":       {"It may be, in the version that EKS chooses,", `podIdentityAgent: {management: Managed}`, nil},
		"AgentVersion":       {"or in one of its own,", `podIdentityAgent: {management: Managed, version: v1.3.4-eksbuild.1}`, nil},
		"AgentVersionForm":   {"which looks like one.", `podIdentityAgent: {management: Managed, version: latest}`, []string{"spec.podIdentityAgent.version" + invalid}},
		"AgentNone":          {"Not to do it is no matter.", `podIdentityAgent: {management: None}`, nil},

		"ServiceNoName":       {"A service has a name.", `services: [{}]`, []string{firstService + ".name" + invalid}},
		"ServiceCapitals":     {"A small one.", `services: [{name: S3}]`, []string{firstService + ".name" + invalid}},
		"ServiceLong":         {"Of at most 40 characters.", `services: [{name: ` + strings.Repeat("a", 41) + `}]`, []string{firstService + ".name" + invalid}},
		"ServiceUnknown":      {"That is in the catalogue.", `services: [{name: dynamo}]`, []string{firstService + ".name" + invalid}},
		"UnknownNoPackage":    {"Unless it brings both package and permissions: not only permissions,", `services: [{name: new, permissions: {policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}'}}]`, []string{firstService + ".name" + invalid}},
		"UnknownNoPermission": {"nor only a package,", `services: [{name: new, package: r.example.org/a/new}]`, []string{firstService + ".name" + invalid}},
		"UnknownEmpty":        {"nor empty permissions,", `services: [{name: new, package: r.example.org/a/new, permissions: {}}]`, []string{firstService + ".name" + invalid}},
		"UnknownAccessLevel":  {"nor an access level, which is the catalogue's.", `services: [{name: new, package: r.example.org/a/new, permissions: {accessLevel: ReadOnly, managedPolicyArns: ["arn:aws:iam::aws:policy/a"]}}]`, []string{firstService + ".name" + invalid}},
		"UnknownManaged":      {"Managed policies are permissions.", `services: [{name: new, package: r.example.org/a/new, permissions: {accessLevel: None, managedPolicyArns: ["arn:aws:iam::aws:policy/a"]}}]`, nil},
		"UnknownRole":         {"A role has its own.", `services: [{name: new, package: r.example.org/a/new, roleArn: "arn:aws:iam::123456789012:role/a"}]`, nil},
		"Management":          {"A package is managed or observed.", service(`management: Ignore`), []string{firstService + ".management" + unsupported}},
		"ServiceAccount":      {"A ServiceAccount has a Kubernetes name.", service(`serviceAccountName: A_b`), []string{firstService + ".serviceAccountName" + invalid}},
		"RoleName":            {"A role's name has few special characters.", service(`roleName: "a/b"`), []string{firstService + ".roleName" + invalid}},
		"RoleNameLong":        {"And at most 64.", service(`roleName: ` + strings.Repeat("a", 65)), []string{firstService + ".roleName" + invalid}},
		"Association":         {"An association's id has the form of one.", service(`associationId: assoc-1`), []string{firstService + ".associationId" + invalid}},
		"RoleARN":             {"A role's ARN too.", service(`roleArn: admin`), []string{firstService + ".roleArn" + invalid}},
		"RoleARNUser":         {"A user is no role.", service(`roleArn: "arn:aws:iam::123456789012:user/a"`), []string{firstService + ".roleArn" + invalid}},
		"RoleARNPartition":    {"A role is in the region's partition.", service(`roleArn: "arn:aws-us-gov:iam::123456789012:role/a"`), []string{firstService + ".roleArn" + invalid}},
		"RoleARNPermissions":  {"And brings its permissions.", service(`roleArn: "arn:aws:iam::123456789012:role/a", permissions: {accessLevel: Full}`), []string{firstService + ".roleArn" + forbidden}},
		"RoleARNName":         {"And its name.", service(`roleArn: "arn:aws:iam::123456789012:role/a", roleName: b`), []string{firstService + ".roleArn" + forbidden}},
		"RoleARNPath":         {"It may have a path.", service(`roleArn: "arn:aws:iam::123456789012:role/aws-service/a"`), nil},
		"TargetRole":          {"A target role is a role.", service(`targetRoleArn: "arn:aws:s3:::a"`), []string{firstService + ".targetRoleArn" + invalid}},
		"TargetRoleRight":     {"In whatever account.", service(`targetRoleArn: "arn:aws:iam::210987654321:role/a"`), nil},
		"AdoptAndImport":      {"An association is named in one way.", service(`associationId: a-1, adoptExistingAssociation: true`), []string{firstService + ".adoptExistingAssociation" + forbidden}},

		"KindUnknown":       {"A kind that is not known is named, with those that are like it.", permissions(`kinds: [Bucket, Buckt]`), []string{firstService + ".permissions.kinds[1]" + invalid}},
		"KindTwice":         {"A kind is listed once.", permissions(`kinds: [Bucket, Object, Bucket]`), []string{firstService + ".permissions.kinds[2]" + duplicate}},
		"KindsMany":         {"No package has that many.", permissions(`kinds: [` + strings.Repeat("Bucket, ", 200) + `Object]`), []string{firstService + ".permissions.kinds" + tooMany}},
		"KindNone":          {"An empty list narrows to nothing, which nobody means.", permissions(`kinds: []`), []string{firstService + ".permissions.kinds" + required}},
		"KindLevel":         {"Kinds of nothing are nothing.", permissions(`accessLevel: None, kinds: [Bucket]`), []string{firstService + ".permissions.accessLevel" + invalid}},
		"AccessLevel":       {"There are three access levels.", permissions(`accessLevel: Admin`), []string{firstService + ".permissions.accessLevel" + unsupported}},
		"ManagedARN":        {"A managed policy is an ARN.", permissions(`managedPolicyArns: ["AdministratorAccess", ""]`), []string{firstService + ".permissions.managedPolicyArns[0]" + invalid, firstService + ".permissions.managedPolicyArns[1]" + invalid}},
		"ManagedPartition":  {"In the region's partition.", permissions(`managedPolicyArns: ["arn:aws-cn:iam::aws:policy/a"]`), []string{firstService + ".permissions.managedPolicyArns[0]" + invalid}},
		"ManagedTwice":      {"Once.", permissions(`managedPolicyArns: ["arn:aws:iam::aws:policy/a", "arn:aws:iam::aws:policy/b", "arn:aws:iam::aws:policy/a"]`), []string{firstService + ".permissions.managedPolicyArns[2]" + duplicate}},
		"StatementEffect":   {"A statement allows or denies.", statement(`effect: Permit, actions: ["s3:*"], resources: ["*"]`), []string{firstService + ".permissions.statements[0].effect" + invalid}},
		"StatementAction":   {"An action names its service.", statement(`actions: [GetObject], resources: ["*"]`), []string{firstService + ".permissions.statements[0].actions[0]" + invalid}},
		"StatementEmpty":    {"Everything that it lacks should be told.", statement(``), []string{firstService + ".permissions.statements[0].actions" + invalid, firstService + ".permissions.statements[0].resources" + invalid}},
		"StatementSID":      {"Two cannot have the same name.", permissions(`statements: [{sid: A, actions: ["s3:*"], resources: ["*"]}, {sid: A, actions: ["s3:*"], resources: ["*"]}]`), []string{firstService + ".permissions.statements[1].sid" + duplicate}},
		"Document":          {"A document is JSON.", permissions(`policyDocument: "statement {}"`), []string{firstService + ".permissions.policyDocument" + invalid}},
		"DocumentVersion":   {"Of the current version.", permissions(`policyDocument: '{"Version":"2008-10-17","Statement":[]}'`), []string{firstService + ".permissions.policyDocument.Version" + invalid, firstService + ".permissions.policyDocument.Statement" + invalid}},
		"DocumentStatement": {"Its statements should be checked as well.", permissions(`policyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}]}'`), []string{firstService + ".permissions.policyDocument.Statement[1].Principal" + invalid}},
		"DocumentSID":       {"Also against the statements.", permissions(`statements: [{sid: A, actions: ["s3:*"], resources: ["*"]}], policyDocument: '{"Version":"2012-10-17","Statement":{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"}}'`), []string{firstService + ".permissions.statements[0].sid" + duplicate}},

		"TwiceName":        {"Services are told apart by their names.", `services: [{name: s3}, {name: s3, serviceAccountName: other}]`, []string{"spec.services[1].name" + duplicate}},
		"TwiceAccount":     {"No two share a ServiceAccount.", `services: [{name: s3, serviceAccountName: a}, {name: ec2, serviceAccountName: a}]`, []string{"spec.services[1].serviceAccountName" + duplicate}},
		"TwiceDefault":     {"Also if one has it by default.", `services: [{name: s3}, {name: ec2, serviceAccountName: provider-aws-s3}]`, []string{"spec.services[1].serviceAccountName" + duplicate}},
		"TwiceRole":        {"Nor a role, whose name AWS compares in small letters.", `services: [{name: s3, roleName: Same}, {name: ec2, roleName: same}]`, []string{"spec.services[1].roleName" + duplicate}},
		"TwicePolicy":      {"Nor a policy: the second of one role may be called as another role is.", `services: [{name: s3, roleName: x, permissions: {statements: [` + manyStatements() + `]}}, {name: ec2, roleName: X.2}]`, []string{"spec.services[1].roleName" + duplicate}},
		"Boundary":         {"A policy must not overwrite the boundary.", `{role: {permissionsBoundary: "arn:aws:iam::123456789012:policy/x/App"}, services: [{name: s3, roleName: app}]}`, []string{firstService + ".roleName" + invalid}},
		"Attached":         {"Nor a policy that is attached.", `services: [{name: s3, roleName: App, permissions: {accessLevel: Full, managedPolicyArns: ["arn:aws:iam::123456789012:policy/app"]}}]`, []string{firstService + ".roleName" + invalid}},
		"AttachedAWS":      {"Those of AWS are nobody's to overwrite.", `services: [{name: s3, roleName: App, permissions: {accessLevel: Full, managedPolicyArns: ["arn:aws:iam::aws:policy/App"]}}]`, nil},
		"TwiceAssociation": {"Nor an association.", `services: [{name: s3, associationId: a-1}, {name: ec2, associationId: a-1}]`, []string{"spec.services[1].associationId" + duplicate}},
		"TwicePackage":     {"Nor a package.", `services: [{name: s3, package: r.example.org/a/b}, {name: ec2, package: r.example.org/a/b}]`, []string{"spec.services[1].package" + duplicate}},
		"SameRoleARN":      {"A role of somebody else may serve two.", `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/a"}, {name: ec2, roleArn: "arn:aws:iam::123456789012:role/a"}]`, nil},

		"AtOnce": {
			"Everything that is wrong should be told at once, in the order of the spec.",
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

// chain of one role with these fields.
func chain(fields string) string {
	return `providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", ` + fields + `}]}`
}

// TestARNs: wherever an ARN may stand, one of another partition is refused, and told how to write it.
func TestARNs(t *testing.T) {
	const role, policy, bucket = ":iam::123456789012:role/a", ":iam::123456789012:policy/a", ":s3:::a"
	places := map[string]struct {
		arn  string // From behind the partition on.
		spec func(arn string) string
		path string
		wild bool // Whether a pattern may stand there.
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
							t.Errorf("an ARN of the region's own partition should be taken: %v", errs.ToAggregate())
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

// A spec of one service with these fields, with these permissions, with this statement.
func withService(fields string) string { return `services: [{name: s3, ` + fields + `}]` }

func withPermissions(fields string) string { return withService(`permissions: {` + fields + `}`) }

func withStatement(fields string) string { return withPermissions(`statements: [{` + fields + `}]`) }

func document(elements string) string {
	return withPermissions(`policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow",` + elements + `}}'`)
}

// TestAccounts: what IAM ties to the cluster's account is of that, if it is known. A role that is assumed may be of any.
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
				t.Errorf("while no account is known, any should be taken: %v", errs.ToAggregate())
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

// TestUnknownServiceHint makes sure that a typo is answered with what was probably meant.
func TestUnknownServiceHint(t *testing.T) {
	_, _, errs := world{Spec: `services: [{name: dynamo}]`}.resolve(t)
	if len(errs) != 1 || !strings.Contains(errs[0].Detail, "did you mean dynamodb?") || !strings.Contains(errs[0].Detail, "package") {
		t.Errorf("want a hint at dynamodb and at the way out, got %v", errs)
	}
	_, _, errs = world{Spec: `services: [{name: zzzzzzqqqqqq}]`}.resolve(t)
	if len(errs) != 1 || strings.Contains(errs[0].Detail, "did you mean") {
		t.Errorf("want no guess at what is like nothing, got %v", errs)
	}
}

// TestBootstrapIsNotComposed covers the names that nobody chose.
func TestBootstrapIsNotComposed(t *testing.T) {
	cases := map[string]struct {
		reason string
		world  world
		fails  bool
	}{
		"XR":       {"A composite resource called default would compose the identity that it uses.", world{XR: `metadata: {name: default}`}, true},
		"Renamed":  {"Not if it uses another.", world{XR: `metadata: {name: default}`, Spec: `providerConfigRef: {name: bootstrap}`}, false},
		"EmptyRef": {"An empty reference is the default.", world{XR: `metadata: {name: default}`, Spec: `providerConfigRef: {name: ""}`}, true},
		"Claim":    {"A claim's name has its namespace in it.", world{Input: "claims: {allowedFields: ['*']}", XR: `{metadata: {name: default}, spec: {claimRef: {namespace: a, name: default}}}`}, false},
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

// TestDefaultsAreValidated makes sure that defaults of the Input do not get round the rules.
func TestDefaultsAreValidated(t *testing.T) {
	_, _, errs := world{Spec: `region: null`, Input: `defaults: {region: nowhere, services: [{name: s3, roleName: "a/b"}]}`}.resolve(t)
	if diff := cmp.Diff([]string{"spec.region" + invalid, firstService + ".roleName" + invalid}, paths(errs)); diff != "" {
		t.Errorf("Resolve(...): -want errors, +got:\n%s", diff)
	}
}

// manyStatements need more than one policy.
func manyStatements() string {
	out := make([]string, 0, 60)
	for i := range 60 {
		out = append(out, fmt.Sprintf(`{actions: ["s3:GetObject"], resources: ["arn:aws:s3:::%s-%d/*"]}`, strings.Repeat("b", 40), i))
	}
	return strings.Join(out, ", ")
}
