package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/crd"
)

// TestRules checks the rules of our XRD: an API server refuses violations before the function sees them.
func TestRules(t *testing.T) {
	xr, _ := readXRD(t)
	c := checker(t, "our XRD", xr)

	cases := map[string]struct {
		reason string
		was    string // Empty: the object is created.
		is     string
		want   string // Empty: the object is accepted.
	}{
		"Minimal": {
			reason: "A cluster, a region and a service are enough.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
		},
		"NoServices": {
			reason: "Without services there is nothing to do.",
			is:     `{region: eu-west-1, clusterName: prod, services: []}`,
			want:   "spec.services",
		},
		"ServiceTwice": {
			reason: "Services are keyed by name.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}, {name: s3}]}`,
			want:   "Duplicate value",
		},
		"TwoClusters": {
			reason: "A spec names the cluster in one way only.",
			is:     `{region: eu-west-1, clusterName: prod, clusterNameRef: {name: prod}, services: [{name: s3}]}`,
			want:   "at most one of clusterName",
		},
		"RoleArnWithPermissions": {
			reason: "An existing role keeps its own permissions.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/r", permissions: {accessLevel: Full}}]}`,
			want:   "roleArn",
		},
		"RoleArnForm": {
			reason: "A role is named by its ARN.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, roleArn: "arn:aws:iam::123456789012:user/a"}]}`,
			want:   "spec.services[0].roleArn",
		},
		"RoleArnEmpty": {
			reason: "An empty string means no role, so permissions may be set beside it.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, roleArn: "", permissions: {accessLevel: ReadOnly}}]}`,
		},
		"TargetRoleWildcard": {
			reason: "A wildcard would match all roles.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, targetRoleArn: "arn:aws:iam::123456789012:role/*"}]}`,
			want:   "spec.services[0].targetRoleArn",
		},
		"TargetRoleOther": {
			reason: "A target role may be in another account and partition.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, targetRoleArn: "arn:aws-cn:iam::210987654321:role/path/a"}]}`,
		},
		"ManagedPolicyForm": {
			reason: "A policy is named by its ARN.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {managedPolicyArns: [AdministratorAccess]}}]}`,
			want:   "managedPolicyArns[0]",
		},
		"ManagedPolicy": {
			reason: "The ARNs of AWS managed policies have no account.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {managedPolicyArns: ["arn:aws:iam::aws:policy/job-function/Billing"]}}]}`,
		},
		"Kinds": {
			reason: "Kinds may be a list.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {kinds: [Bucket]}}]}`,
		},
		"KindsActive": {
			reason: "Kinds may be the word Active.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {kinds: Active}}]}`,
		},
		"KindsWord": {
			reason: "No other word is valid.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {kinds: active}}]}`,
			want:   "spec.services[0].permissions.kinds",
		},
		"KindsBlank": {
			reason: "An empty string is not valid, either.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {kinds: ""}}]}`,
			want:   "spec.services[0].permissions.kinds",
		},
		"KindsNone": {
			reason: "An empty list would permit nothing.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {kinds: []}}]}`,
			want:   "spec.services[0].permissions.kinds",
		},
		"KindsNumber": {
			reason: "Kinds have names.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {kinds: [1]}}]}`,
			want:   "spec.services[0].permissions.kinds[0]",
		},
		"KindsLong": {
			reason: "The names of kinds are not that long.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {kinds: [` + strings.Repeat("a", 64) + `]}}]}`,
			want:   "spec.services[0].permissions.kinds[0]",
		},
		"PackageTag": {
			reason: "A tag belongs in the version.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, package: "registry.example.org/mirror/provider-aws-s3:v2.5.0"}]}`,
			want:   "spec.services[0].package",
		},
		"PackagePort": {
			reason: "A registry may have a port.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, package: "registry.example.org:5000/mirror/provider-aws-s3"}]}`,
		},
		"ActionsTwice": {
			reason: "A statement has either actions or notActions.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {statements: [{actions: [a:b], notActions: [c:d], resources: ['*']}]}}]}`,
			want:   "exactly one of actions and notActions",
		},
		"ActionsNone": {
			reason: "A statement needs one of them.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {statements: [{actions: [], resources: ['*']}]}}]}`,
			want:   "exactly one of actions and notActions",
		},
		"ResourcesTwice": {
			reason: "The same rule applies to resources.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {statements: [{actions: [a:b], resources: ['*'], notResources: ['*']}]}}]}`,
			want:   "exactly one of resources and notResources",
		},
		"Statement": {
			reason: "An empty list counts as missing.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {statements: [{actions: [a:b], notActions: [], resources: ['*']}]}}]}`,
		},
		"Boundary": {
			reason: "A boundary is a policy.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], role: {permissionsBoundary: "arn:aws:iam::123456789012:role/a"}}`,
			want:   "permissionsBoundary",
		},
		"ChainRole": {
			reason: "A chain consists of roles.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/${x}"}]}}`,
			want:   "assumeRoleChain[0].roleARN",
		},
		"ChainExternalID": {
			reason: "An external id allows only few characters.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", externalID: "a b"}]}}`,
			want:   "externalID",
		},
		"ChainTag": {
			reason: "A session tag needs a key.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", tags: [{key: "", value: a}]}]}}`,
			want:   "tags[0].key",
		},
		"TagKey": {
			reason: "The prefix aws: is reserved for AWS.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], tags: {"aws:a": b}}`,
			want:   "does not begin with aws:",
		},
		"TagKeyCase": {
			reason: "The prefix is reserved in any letter case.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], tags: {"AWS:a": b}}`,
			want:   "does not begin with aws:",
		},
		"TagSession": {
			reason: "The keys of EKS's session tags are reserved: they identify a pod.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], tags: {Kubernetes-Namespace: b}}`,
			want:   "session tags",
		},
		"TagProvider": {
			reason: "The keys of the provider's own tags are reserved.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], tags: {crossplane-name: b}}`,
			want:   "session tags and of the provider",
		},
		"TagLike": {
			reason: "A longer key that only begins with a reserved one is valid.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], tags: {kubernetes-namespaces: b, my-eks-cluster-name: b, awsome: b}}`,
		},
		"ChainTagSession": {
			reason: "A chain cannot use reserved keys, either.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", tags: [{key: EKS-cluster-arn, value: a}]}]}}`,
			want:   "session tags",
		},
		"ChainTransitive": {
			reason: "A transitive key must be the key of an existing tag.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", tags: [{key: Team, value: a}], transitiveTagKeys: [team, other]}]}}`,
			want:   "must be keys of tags beside them",
		},
		"ChainTags": {
			reason: "Keys may have any letters.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a", externalID: ab, tags: [{key: "Tëam a", value: ""}], transitiveTagKeys: ["tëam a"]}]}}`,
		},
		"ServiceAccountProtected": {
			reason: "No service can use Crossplane's own ServiceAccount.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, serviceAccountName: crossplane}]}`,
			want:   "identity of something else",
		},
		"ServiceAccountBootstrap": {
			reason: "No other service can use the ServiceAccount of provider-aws-iam.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, serviceAccountName: provider-aws-iam}]}`,
			want:   "identity of something else",
		},
		"ServiceAccountOwn": {
			reason: "The service iam may use the ServiceAccount of provider-aws-iam.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: iam, management: Observe, serviceAccountName: provider-aws-iam}, {name: s3, serviceAccountName: a.b-c}]}`,
		},
		"RoleArnImported": {
			reason: "A role that you manage yourself is not adopted.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/r", importRole: true}]}`,
			want:   "importRole",
		},
		"AssociationTwice": {
			reason: "With an association id, there is no need to look for an association.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, associationId: a-0123456789abcdef0, adoptExistingAssociation: true}]}`,
			want:   "associationId names the association already",
		},
		"AdoptObserved": {
			reason: "A Provider that is only observed is not adopted.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, management: Observe, adoptExistingProvider: true}]}`,
			want:   "adoptExistingProvider",
		},
		"SharingTarget": {
			reason: "Tenants trust the service's own role.",
			is:     `{region: eu-west-1, clusterName: prod, sharing: {}, services: [{name: s3}, {name: sqs, targetRoleArn: "arn:aws:iam::123456789012:role/t"}]}`,
			want:   "cannot be used together with sharing",
		},
		"Sharing": {
			reason: "An empty string means no role.",
			is:     `{region: eu-west-1, clusterName: prod, sharing: {namespaces: ["team-*", "a?"]}, services: [{name: sqs, targetRoleArn: ""}]}`,
		},
		"VersionFloating": {
			reason: "A floating version is resolved only once.",
			is:     `{region: eu-west-1, clusterName: prod, provider: {version: v2}, services: [{name: s3}]}`,
			want:   "spec.provider.version",
		},
		"Versions": {
			reason: "A version is a full version, a digest, or both. It may be empty, as a template may leave it.",
			is: `{region: eu-west-1, clusterName: prod, provider: {version: "", registry: "registry.example.org:5000/mirror"}, services: [
				{name: s3, version: v2.5.0-rc.1}, {name: sqs, version: "2.5.0"},
				{name: sns, version: "v2.5.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
				{name: kms, version: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}`,
		},
		"RegistryTag": {
			reason: "A registry has no tag.",
			is:     `{region: eu-west-1, clusterName: prod, provider: {registry: "xpkg.upbound.io/upbound:v1"}, services: [{name: s3}]}`,
			want:   "spec.provider.registry",
		},
		"ActionForm": {
			reason: "Each entry is one action.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {statements: [{actions: ["s3:GetObject,s3:PutObject"], resources: ['*']}]}}]}`,
			want:   "actions[0]",
		},
		"Statements": {
			reason: "Everything that IAM accepts is valid.",
			is: `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {policyDocument: "\n {\"Version\": \"2012-10-17\"}\n", statements: [
				{actions: ["*"], resources: ["arn:aws:s3:::a/\u00fc ${aws:username}"]}, {notActions: ["s3:Get*", "*:*", "execute-api:In?oke"], notResources: ["*"]}]}}]}`,
		},
		"PolicyDocument": {
			reason: "A policy document is a JSON object.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {policyDocument: "[]"}}]}`,
			want:   "policyDocument",
		},
		"Description": {
			reason: "A description has one line or several, in Latin-1.",
			is:     `{region: eu-west-1, clusterName: prod, role: {description: "Grün\n\tund mehr"}, services: [{name: s3}]}`,
		},
		"DescriptionCharacter": {
			reason: "AWS accepts no other characters.",
			is:     `{region: eu-west-1, clusterName: prod, role: {description: "a – b"}, services: [{name: s3}]}`,
			want:   "spec.role.description",
		},
		"TagLong": {
			reason: "A tag's key has 128 characters at most.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], tags: {aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: b}}`,
			want:   "at most 256",
		},
		"TagValueLong": {
			reason: "A tag's value has 256 characters at most.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], tags: {a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb}}`,
			want:   "at most 256",
		},
		"Tags": {
			reason: "Any other tags are valid.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}], tags: {a: "", bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc}}`,
		},
		"UnknownField": {
			reason: "A misspelled field is reported.",
			is:     `{region: eu-west-1, cluster: prod, services: [{name: s3}]}`,
			want:   "spec.cluster: Forbidden: unknown field",
		},
		"ServiceAdded": {
			reason: "Services can be added and removed.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: ec2}, {name: s3}]}`,
		},
		"RegionChanged": {
			reason: "Another region would be another identity.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-2, clusterName: prod, services: [{name: s3}]}`,
			want:   "region is immutable",
		},
		"ClusterChanged": {
			reason: "Another cluster would be another identity.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: test, services: [{name: s3}]}`,
			want:   "clusterName is immutable",
		},
		"ServiceAccountChanged": {
			reason: "The association belongs to the ServiceAccount.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3, serviceAccountName: a}]}`,
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, serviceAccountName: b}]}`,
			want:   "serviceAccountName is immutable",
		},
		"RoleNameAdded": {
			reason: "The new name would replace the generated one.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, roleName: mine}]}`,
			want:   "roleName is immutable",
		},
		"PathChanged": {
			reason: "IAM cannot move a role.",
			was:    `{region: eu-west-1, clusterName: prod, role: {path: /a/}, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, role: {path: /b/}, services: [{name: s3}]}`,
			want:   "path is immutable",
		},
		"PrefixAddedWithRole": {
			reason: "The prefix would rename all roles, even if there was no role field before to compare it with.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, role: {namePrefix: mine}, services: [{name: s3}]}`,
			want:   "namePrefix is immutable",
		},
		"PathRemovedWithRole": {
			reason: "A removed path would move all roles.",
			was:    `{region: eu-west-1, clusterName: prod, role: {path: /a/}, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			want:   "path is immutable",
		},
		"RoleNull": {
			reason: "API servers set an object to null if its last field was removed from a claim.",
			was:    `{region: eu-west-1, clusterName: prod, role: {description: mine}, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, role: null, services: [{name: s3}]}`,
		},
		"RoleNoLongerNull": {
			reason: "A null object can be set again.",
			was:    `{region: eu-west-1, clusterName: prod, role: null, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, role: {description: mine}, services: [{name: s3}]}`,
		},
		"EverythingNull": {
			reason: "Every object that may be empty may be null.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is: `{region: eu-west-1, clusterName: prod, role: null, tags: null, provider: null, runtime: null, providerConfig: null, podIdentityAgent: null,
				services: [{name: s3, permissions: null, runtime: null}, {name: ec2, runtime: {nodeSelector: null, podLabels: null, podAnnotations: null, resources: null, affinity: null}}]}`,
		},
		"SelectorNull": {
			reason: "A null selector counts as missing.",
			is:     `{region: eu-west-1, clusterName: prod, clusterNameSelector: null, services: [{name: s3}]}`,
		},
		"OwnRolePermissionsNull": {
			reason: "Null permissions count as missing.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/r", permissions: null}]}`,
		},
		"PathNull": {
			reason: "Null cannot bypass a rule.",
			was:    `{region: eu-west-1, clusterName: prod, role: {path: /a/}, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, role: null, services: [{name: s3}]}`,
			want:   "path is immutable",
		},
		"DescriptionAddedWithRole": {
			reason: "A field that can be changed can also be added.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, role: {description: mine}, services: [{name: s3}]}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			is := podIdentityProvider(t, tc.is)
			errs := c.Check(t.Context(), is)
			if tc.was != "" {
				errs = append(errs, c.CheckUpdate(t.Context(), podIdentityProvider(t, tc.was), is)...)
			}
			got := crd.Sorted(errs)
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("\n%s\nwant an error with %q, got:\n%s", tc.reason, tc.want, got)
			}
		})
	}
}

// TestColumns checks the columns of kubectl get, and its short names.
func TestColumns(t *testing.T) {
	cases := map[string]struct {
		reason, file string
		short        [2]string
		// columns, and those that -o wide adds.
		want, wide []string
	}{
		"PodIdentityProvider": {"The columns show services, ProviderConfig and progress.", definition, [2]string{"pip", "pipc"}, []string{"SERVICES", "PROVIDERCONFIG", "STATUS"}, []string{"CLUSTER", "REGION"}},
		"PodIdentityTenant":   {"The host comes first.", tenantDefinition, [2]string{"pit", "pitc"}, []string{"HOST", "SERVICES", "PROVIDERCONFIG", "STATUS"}, []string{"CLUSTER", "ROLE"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			xr, claim := readDefinition(t, tc.file)
			for i, d := range []*extv1.CustomResourceDefinition{xr, claim} {
				if diff := cmp.Diff([]string{tc.short[i]}, d.Spec.Names.ShortNames); diff != "" {
					t.Errorf("%s\nshort names of %s: -want, +got:\n%s", tc.reason, d.Spec.Names.Kind, diff)
				}
				var got, wide []string
				for _, c := range d.Spec.Versions[0].AdditionalPrinterColumns {
					switch {
					case !strings.HasPrefix(c.JSONPath, ".status.") || strings.Contains(c.JSONPath, "conditions"):
						// This is one of Crossplane's own columns.
					case c.Priority == 0:
						got = append(got, c.Name)
					default:
						wide = append(wide, c.Name)
					}
				}
				if diff := cmp.Diff([][]string{tc.want, tc.wide}, [][]string{got, wide}); diff != "" {
					t.Errorf("%s\ncolumns of %s: -want, +got:\n%s", tc.reason, d.Spec.Names.Kind, diff)
				}
			}
		})
	}
}

// TestEmptiedObjects checks that an object that may be empty may also be null: if the last field of a claim's object is removed, the object
// is empty, and Crossplane's sync makes it null in the composite resource. An object that must have a field is refused in the claim.
func TestEmptiedObjects(t *testing.T) {
	n := 0
	var walk func(at string, s extv1.JSONSchemaProps, required bool)
	walk = func(at string, s extv1.JSONSchemaProps, required bool) {
		if s.Type == "object" && !required {
			n++
			if !s.Nullable && len(s.Required) == 0 {
				t.Errorf("%s may be empty, but may not be null", at)
			}
		}
		for name, p := range s.Properties {
			walk(at+"."+name, p, slices.Contains(s.Required, name))
		}
		if s.Items != nil {
			walk(at+"[]", *s.Items.Schema, true)
		}
	}
	for _, file := range []string{definition, tenantDefinition} {
		xr, _ := readDefinition(t, file)
		spec := xr.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
		for name, p := range spec.Properties {
			// Crossplane adds its own fields, and fills them itself.
			if p.Description != "" {
				walk("spec."+name, p, slices.Contains(spec.Required, name))
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d objects were found", n)
	}
}

// podIdentityProvider returns a PodIdentityProvider with a spec in YAML.
func podIdentityProvider(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "aws.podidentity.dev/v1alpha1",
		"kind":       "PodIdentityProvider",
		"metadata":   map[string]any{"name": "storage"},
	}}
	s := map[string]any{}
	if err := yaml.Unmarshal([]byte(spec), &s); err != nil {
		t.Fatal(err)
	}
	u.Object["spec"] = s
	return u
}
