package identity

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

const trustOfS3 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],` +
	`"Condition":{"StringEquals":{"aws:RequestTag/eks-cluster-name":"prod","aws:RequestTag/kubernetes-namespace":"crossplane-system","aws:RequestTag/kubernetes-service-account":"provider-aws-s3"},"StringLike":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:*:cluster/prod"}}}]}`

func TestResolveDefaults(t *testing.T) {
	want := &Identity{
		Region: "eu-west-1", Partition: "aws", Cluster: "prod", Namespace: "crossplane-system",
		BootstrapConfig: "default", ProviderConfig: "storage", Teardown: v1alpha1.TeardownOrdered,
		Services: []*Service{{
			Name: "s3", Managed: true,
			Provider:       Package{Name: "provider-aws-s3", Repository: "xpkg.upbound.io/upbound/provider-aws-s3", Source: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"},
			ServiceAccount: "provider-aws-s3",
			RoleName:       "crossplane-prod-eu-west-1-s3", ObjectName: "crossplane-prod-eu-west-1-s3",
			TrustPolicy: trustOfS3,
			Policies:    []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`},
			Settle:      10 * time.Second,
		}},
	}
	if diff := cmp.Diff(want, world{}.mustResolve(t), cmpopts.IgnoreFields(Identity{}, "Spec"), cmpopts.IgnoreFields(Service{}, "Statements")); diff != "" {
		t.Errorf("Resolve(...) of the smallest composite resource: -want, +got:\n%s", diff)
	}
}

func TestResolveEverything(t *testing.T) {
	got := world{Spec: `
region: cn-north-1
clusterName: live
accountId: "123456789012"
crossplaneNamespace: upbound-system
providerConfigRef: {name: bootstrap}
teardown: Unordered
providerConfig: {name: aws}
provider: {registry: registry.example.org/mirror, version: v2.4.0, family: Manage, skipDependencyResolution: true}
role: {namePrefix: xp}
runtime: {associationSettleSeconds: 0}
services:
- name: docdb
  serviceAccountName: docs
  version: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  permissions: {accessLevel: None, statements: [{actions: ["rds:Describe*"], resources: ["*"]}], managedPolicyArns: ["arn:aws-cn:iam::aws:policy/ReadOnlyAccess"]}
- name: s3
  management: Observe
  roleArn: arn:aws-cn:iam::123456789012:role/team/s3
  associationId: a-0123456789abcdef0
  runtime: {associationSettleSeconds: 30}
`}.mustResolve(t)
	want := &Identity{
		Region: "cn-north-1", Partition: "aws-cn", Cluster: "live", Namespace: "upbound-system",
		BootstrapConfig: "bootstrap", ProviderConfig: "aws", Teardown: v1alpha1.TeardownUnordered,
		Family: &Package{Name: "mirror-provider-family-aws", Repository: "registry.example.org/mirror/provider-family-aws", Source: "registry.example.org/mirror/provider-family-aws:v2.4.0"},
		Services: []*Service{
			{
				Name: "docdb", Managed: true,
				Provider: Package{
					Name: "provider-aws-docdb", Repository: "registry.example.org/mirror/provider-aws-docdb",
					Source: "registry.example.org/mirror/provider-aws-docdb@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
				},
				ServiceAccount: "docs", RoleName: "xp-live-cn-north-1-docdb", ObjectName: "xp-live-cn-north-1-docdb",
				TrustPolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],` +
					`"Condition":{"ArnLike":{"aws:SourceArn":["arn:aws-cn:eks:cn-north-1:123456789012:cluster/live","arn:aws-cn:eks:cn-north-1:123456789012:podidentityassociation/live/*"]},"StringEquals":{"aws:RequestTag/eks-cluster-name":"live",` +
					`"aws:RequestTag/kubernetes-namespace":"upbound-system","aws:RequestTag/kubernetes-service-account":"docs","aws:SourceAccount":"123456789012"}}}]}`,
				Policies:          []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rds:Describe*","Resource":"*"}]}`},
				ManagedPolicyARNs: []string{"arn:aws-cn:iam::aws:policy/ReadOnlyAccess"},
				Runtime:           v1alpha1.Runtime{AssociationSettleSeconds: new(int64(0))},
			},
			{
				Name: "s3", ServiceAccount: "provider-aws-s3",
				Provider: Package{Name: "provider-aws-s3", Repository: "registry.example.org/mirror/provider-aws-s3", Source: "registry.example.org/mirror/provider-aws-s3:v2.4.0"},
				RoleARN:  "arn:aws-cn:iam::123456789012:role/team/s3", RoleName: "xp-live-cn-north-1-s3", ObjectName: "xp-live-cn-north-1-s3",
				AssociationID: "a-0123456789abcdef0",
				Runtime:       v1alpha1.Runtime{AssociationSettleSeconds: new(int64(30))}, Settle: 30 * time.Second,
			},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Identity{}, "Spec"), cmpopts.IgnoreFields(Service{}, "Statements")); diff != "" {
		t.Errorf("Resolve(...): -want, +got:\n%s", diff)
	}
}

func TestProviderConfigName(t *testing.T) {
	long := strings.Repeat("a", 63)
	cases := map[string]struct {
		reason string
		world  world
		want   string
	}{
		"XR":       {"Without a claim, the name is that of the composite resource.", world{}, "storage"},
		"Claim":    {"A claim's name is unique only in its namespace.", world{Input: "claims: {allowedFields: ['*']}", XR: `spec: {claimRef: {namespace: team-a, name: storage}}`}, "team-a-storage"},
		"Given":    {"A given name is used as it is.", world{Input: "claims: {allowedFields: ['*']}", XR: `spec: {claimRef: {namespace: team-a, name: storage}}`, Spec: `providerConfig: {name: aws}`}, "aws"},
		"Observed": {"An existing ProviderConfig keeps its name, because managed resources refer to it.", world{Observed: map[string]string{"providerconfig": `{metadata: {name: old}}`}}, "old"},
		"LongXR":   {"A long name of a composite resource is cut, too.", world{XR: `metadata: {name: ` + strings.Repeat("b", 64) + `}`}, strings.Repeat("b", 54) + "-" + iam.Hash(strings.Repeat("b", 64))},
		"Long": {
			"A name that is too long is cut.",
			world{Input: "claims: {allowedFields: ['*']}", XR: `spec: {claimRef: {namespace: ` + long + `, name: ` + strings.Repeat("b", 200) + `}}`},
			strings.Repeat("a", 54) + "-" + iam.Hash(long+"-"+strings.Repeat("b", 200)),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.world.mustResolve(t).ProviderConfig
			if got != tc.want || len(got) > 63 {
				t.Errorf("%s\nProviderConfig: want %q, got %q of %d characters", tc.reason, tc.want, got, len(got))
			}
		})
	}
}

func TestImmutable(t *testing.T) {
	const association = `{metadata: {name: a}, spec: {forProvider: {region: eu-west-1, clusterName: prod, namespace: crossplane-system, serviceAccount: provider-aws-s3}}}`
	const role = `{metadata: {name: a, annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}}, spec: {forProvider: {path: /a/}}}`
	const custom = `{metadata: {name: a, annotations: {crossplane.io/external-name: custom}}}`
	cases := map[string]struct {
		reason string
		world  world
		want   []string
	}{
		"Same": {
			"Existing resources with the desired values are no error, and a path that the spec does not set is ignored.",
			world{Observed: map[string]string{"association/s3": association, "role/s3": role}},
			nil,
		},
		"SamePath": {"A path that is set to its existing value is no error.", world{Spec: `role: {path: /a/}`, Observed: map[string]string{"role/s3": role}}, nil},
		"SameName": {"Neither is a name that was set from the beginning.", world{Spec: `services: [{name: s3, roleName: custom}]`, Observed: map[string]string{"role/s3": custom}}, nil},
		"Unread":   {"An association without any values yet is no error.", world{Observed: map[string]string{"association/s3": `{metadata: {name: a}}`, "role/s3": `{metadata: {name: a}}`}}, nil},
		"Region":   {"An association cannot move to another region.", world{Spec: `region: eu-west-2`, Observed: map[string]string{"association/s3": association}}, []string{"spec.region: FieldValueInvalid"}},
		"Cluster":  {"It cannot move to another cluster.", world{Spec: `clusterName: other`, Observed: map[string]string{"association/s3": association}}, []string{"spec.clusterName: FieldValueInvalid"}},
		"Namespace": {
			"It cannot move to another namespace.",
			world{Spec: `crossplaneNamespace: other`, Observed: map[string]string{"association/s3": association}},
			[]string{"spec.crossplaneNamespace: FieldValueInvalid"},
		},
		"ServiceAccount": {
			"It cannot move to another ServiceAccount.",
			world{Spec: `services: [{name: s3, serviceAccountName: other}]`, Observed: map[string]string{"association/s3": association}},
			[]string{"spec.services[0].serviceAccountName: FieldValueInvalid"},
		},
		"Path":   {"A role cannot change its path.", world{Spec: `role: {path: /b/}`, Observed: map[string]string{"role/s3": role}}, []string{"spec.role.path: FieldValueInvalid"}},
		"Prefix": {"It cannot change the prefix of its name.", world{Spec: `role: {namePrefix: b}`, Observed: map[string]string{"role/s3": role}}, []string{"spec.role.namePrefix: FieldValueInvalid"}},
		"RoleName": {
			"It cannot change its name.",
			world{Spec: `services: [{name: s3, roleName: other}]`, Observed: map[string]string{"role/s3": role}},
			[]string{"spec.services[0].roleName: FieldValueInvalid"},
		},
		"ProviderConfig": {
			"A ProviderConfig that others refer to cannot be renamed.",
			world{Spec: `providerConfig: {name: other}`, Observed: map[string]string{"providerconfig": `{metadata: {name: storage}}`}},
			[]string{"spec.providerConfig.name: FieldValueInvalid"},
		},
		"LongProviderConfig": {"A ProviderConfig with a long name cannot be renamed, and keeps it.", world{Spec: `providerConfig: {name: ` + strings.Repeat("a", 64) + `}`, Observed: map[string]string{"providerconfig": `{metadata: {name: ` + strings.Repeat("a", 64) + `}}`}}, nil},
		"SameProviderConfig": {"A ProviderConfig with the specified name is no error.", world{Spec: `providerConfig: {name: storage}`, Observed: map[string]string{"providerconfig": `{metadata: {name: storage}}`}}, nil},
		"Once": {
			"An error that concerns several services is reported once, and all errors at once.",
			world{
				Spec: `{clusterName: other, crossplaneNamespace: other, services: [{name: s3}, {name: ec2}]}`,
				Observed: map[string]string{
					"association/s3": association, "association/ec2": `{metadata: {name: b}, spec: {forProvider: {clusterName: prod, namespace: crossplane-system, serviceAccount: provider-aws-ec2}}}`,
				},
			},
			[]string{"spec.crossplaneNamespace: FieldValueInvalid", "spec.clusterName: FieldValueInvalid"},
		},
		"OwnRole": {
			"A role that the spec leaves to another owner is no error.",
			world{Spec: `{role: {namePrefix: b, path: /b/}, services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/x"}]}`, Observed: map[string]string{"role/s3": role}},
			nil,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, errs := tc.world.resolve(t)
			if diff := cmp.Diff(tc.want, paths(errs)); diff != "" {
				t.Errorf("%s\nResolve(...): -want errors, +got:\n%s\n%v", tc.reason, diff, errs.ToAggregate())
			}
			for _, e := range errs {
				if !strings.Contains(e.Detail, "immutable") || !strings.Contains(e.Detail, "set it back") {
					t.Errorf("%s\nthe error should say that the field is immutable and what to do: %v", tc.reason, e)
				}
			}
		})
	}
}

func TestOverlay(t *testing.T) {
	const base = `
replicas: 1
args: [--base]
env: [{name: BASE}]
nodeSelector: {a: base, b: base}
tolerations: [{key: base}]
affinity: {podAffinity: {}}
resources: {limits: {cpu: 1}}
podLabels: {a: base, b: base}
podAnnotations: {a: base, b: base}
priorityClassName: base
deploymentTemplate: {base: 1}
serviceAccountTemplate: {base: 1}
verifyCredentials: false
associationSettleSeconds: 10
`
	const over = `
replicas: 0
args: [--over]
env: [{name: OVER}]
nodeSelector: {a: over}
tolerations: [{key: over}]
affinity: {nodeAffinity: {}}
resources: {requests: {memory: 1Gi}}
podLabels: {a: over}
podAnnotations: {a: over}
priorityClassName: over
deploymentTemplate: {over: 1}
serviceAccountTemplate: {over: 1}
verifyCredentials: true
associationSettleSeconds: 0
`
	cases := map[string]struct {
		reason           string
		base, over, want string
	}{
		"Neither":    {"Two empty runtimes are empty.", "null", "null", "{}"},
		"Base":       {"A service without a runtime gets the common one.", base, "null", base},
		"Over":       {"A service's own runtime does not need a common one.", "null", over, over},
		"EmptyOver":  {"An empty runtime overrides nothing.", base, "{}", base},
		"EmptyBase":  {"An empty common runtime adds nothing.", "{}", over, over},
		"Every":      {"Each field of the service takes precedence, including zero values; maps are merged.", base, over, strings.ReplaceAll(over, "{a: over}", "{a: over, b: base}")},
		"EmptyLists": {"An empty list removes the common values.", base, "{args: [], env: [], tolerations: []}", strings.NewReplacer("[--base]", "[]", "[{name: BASE}]", "[]", "[{key: base}]", "[]").Replace(base)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := overlay(runtimeOf(t, tc.base), runtimeOf(t, tc.over))
			want := runtimeOf(t, tc.want)
			if diff := cmp.Diff(*want, got); diff != "" {
				t.Errorf("%s\noverlay(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestOverlayKeepsBase checks that one service's labels do not appear on the next.
func TestOverlayKeepsBase(t *testing.T) {
	base := runtimeOf(t, `{podLabels: {a: base}}`)
	overlay(base, runtimeOf(t, `{podLabels: {a: over, b: over}}`))
	if diff := cmp.Diff(map[string]string{"a": "base"}, base.PodLabels); diff != "" {
		t.Errorf("overlay(...) changed the runtime of all services: -want, +got:\n%s", diff)
	}
}

func runtimeOf(t *testing.T, doc string) *v1alpha1.Runtime {
	t.Helper()
	var r *v1alpha1.Runtime
	if err := yaml.Unmarshal([]byte(doc), &r); err != nil {
		t.Fatalf("%v in:\n%s", err, doc)
	}
	return r
}
