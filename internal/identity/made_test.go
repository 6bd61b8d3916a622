package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
)

const (
	madeAssociation = `{metadata: {name: a, annotations: {crossplane.io/external-name: a-1, aws.podidentity.dev/imported: a-1}}, spec: {providerConfigRef: {name: default}, forProvider: {region: eu-west-1, clusterName: prod, namespace: crossplane-system, serviceAccount: provider-aws-s3, roleArnRef: {name: crossplane-prod-eu-west-1-s3}}}, status: {conditions: [{type: Ready, status: "True"}], atProvider: {associationId: a-1}}}`
	madeRole        = `{metadata: {name: crossplane-prod-eu-west-1-s3, annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}}, spec: {providerConfigRef: {name: default}, forProvider: {path: /a/}}}`
	trustedRole     = `{metadata: {name: crossplane-prod-eu-west-1-s3, annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}}, spec: {providerConfigRef: {name: default}, forProvider: {path: /a/, assumeRolePolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/eks-cluster-name":"prod","aws:RequestTag/kubernetes-namespace":"crossplane-system","aws:RequestTag/kubernetes-service-account":"provider-aws-s3"},"StringLike":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:*:cluster/prod"}}}]}'}}}`
)

// TestChangedDefaults checks that a changed or removed default only applies to new objects: existing ones keep their values, and a note
// says so.
func TestChangedDefaults(t *testing.T) {
	type values struct {
		Region, Cluster, Namespace, Bootstrap, ProviderConfig, ServiceAccount, RoleName, Path, AssociationID string
	}
	old := values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "/a/", "a-1"}
	everything := map[string]string{"association/s3": madeAssociation, "role/s3": madeRole, "providerconfig": `{metadata: {name: storage}}`}
	const keeps = "; new ones get "
	cases := map[string]struct {
		reason string
		world  world
		want   values
		notes  []string
	}{
		"All": {
			"Existing resources keep their values if any default changes,",
			world{
				Spec:     `{region: null, clusterName: null}`,
				Input:    `defaults: {region: eu-west-2, clusterName: other, crossplaneNamespace: other, providerConfigRef: {name: other}, providerConfig: {name: other}, role: {namePrefix: other, path: /other/}, services: [{name: s3, serviceAccountName: other, associationId: a-2}]}`,
				Observed: everything,
			},
			old,
			[]string{
				`spec.region: existing resources keep "eu-west-1"` + keeps + `"eu-west-2"`,
				`spec.crossplaneNamespace: existing resources keep "crossplane-system"` + keeps + `"other"`,
				`spec.providerConfigRef.name: existing resources keep "default"` + keeps + `"other"`,
				`spec.providerConfig.name: existing resources keep "storage"` + keeps + `"other"`,
				`spec.clusterName: existing resources keep "prod"` + keeps + `"other"`,
				`spec.services[0].serviceAccountName: existing resources keep "provider-aws-s3"` + keeps + `"other"`,
				`spec.services[0].associationId: existing resources keep "a-1"` + keeps + `"a-2"`,
				`spec.role.namePrefix: existing resources keep "crossplane-prod-eu-west-1-s3"` + keeps + `"other-prod-eu-west-1-s3"`,
				`spec.role.path: existing resources keep "/a/"` + keeps + `"/other/"`,
			},
		},
		"Removed": {
			"is removed,",
			world{Observed: map[string]string{"association/s3": madeAssociation, "role/s3": madeRole}},
			old,
			[]string{
				`spec.services[0].associationId: existing resources keep "a-1", though it is no longer set`,
				`spec.role.path: existing resources keep "/a/"` + keeps + `"/"`,
			},
		},
		"OnlyRole": {
			"or changes while there is no association, so that only the trust policy of the role has the values.",
			world{
				Spec:     `{region: null, clusterName: null}`,
				Input:    `defaults: {region: eu-west-2, clusterName: other, crossplaneNamespace: other, services: [{name: s3, serviceAccountName: other}]}`,
				Observed: map[string]string{"role/s3": trustedRole},
			},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "/a/", ""},
			[]string{
				`spec.region: existing resources keep "eu-west-1"` + keeps + `"eu-west-2"`,
				`spec.crossplaneNamespace: existing resources keep "crossplane-system"` + keeps + `"other"`,
				`spec.clusterName: existing resources keep "prod"` + keeps + `"other"`,
				`spec.services[0].serviceAccountName: existing resources keep "provider-aws-s3"` + keeps + `"other"`,
				`spec.role.path: existing resources keep "/a/"` + keeps + `"/"`,
			},
		},
		"RoleName": {
			"A given name is kept,",
			world{Observed: map[string]string{"role/s3": `{metadata: {name: a, annotations: {crossplane.io/external-name: given}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "given", "", ""},
			[]string{`spec.services[0].roleName: existing resources keep "given"` + keeps + `"crossplane-prod-eu-west-1-s3"`},
		},
		"OwnPrefix": {
			"also if the composite resource has its own prefix, which has not changed.",
			world{Spec: `role: {namePrefix: mine}`, Observed: map[string]string{"role/s3": `{metadata: {name: a, annotations: {crossplane.io/external-name: given}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "given", "", ""},
			[]string{`spec.services[0].roleName: existing resources keep "given"` + keeps + `"mine-prod-eu-west-1-s3"`},
		},
		"Policy": {
			"The name of the role comes from any object of the service,",
			world{Input: `defaults: {role: {namePrefix: other}}`, Observed: map[string]string{"policy/s3": `{metadata: {name: a, annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "", ""},
			[]string{`spec.role.namePrefix: existing resources keep "crossplane-prod-eu-west-1-s3"` + keeps + `"other-prod-eu-west-1-s3"`},
		},
		"Status": {
			"or from the status, if those objects only know the role's name in Kubernetes.",
			world{
				Input: `defaults: {role: {namePrefix: other}}`, XR: `status: {services: [{name: s3, roleName: crossplane-prod-eu-west-1-s3}]}`,
				Observed: map[string]string{"attachment/s3": `{metadata: {name: a}, spec: {forProvider: {roleRef: {name: crossplane-prod-eu-west-1-s3}}}}`},
			},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "", ""},
			[]string{`spec.role.namePrefix: existing resources keep "crossplane-prod-eu-west-1-s3"` + keeps + `"other-prod-eu-west-1-s3"`},
		},
		"StatusOfNothing": {
			"The status of another role, or of nothing, is ignored.",
			world{XR: `status: {services: [{name: s3, roleName: theirs}]}`, Observed: map[string]string{"association/s3": `{metadata: {name: a}, spec: {forProvider: {roleArn: x}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "", ""},
			nil,
		},
		"Created": {
			"The provider that created an association manages its ID.",
			world{Observed: map[string]string{"association/s3": `{metadata: {name: a, annotations: {crossplane.io/external-name: a-1}}, status: {atProvider: {associationId: a-1}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "", ""},
			nil,
		},
		"Unborn": {
			"An association that was never created may get another ID.",
			world{Spec: `services: [{name: s3, associationId: a-2}]`, Observed: map[string]string{"association/s3": `{metadata: {name: a, annotations: {crossplane.io/external-name: a-1}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "", "a-2"},
			nil,
		},
		"New": {
			"New objects get the new defaults.",
			world{Input: `defaults: {role: {namePrefix: other, path: /other/}, providerConfigRef: {name: other}, services: [{name: s3, serviceAccountName: other}]}`},
			values{"eu-west-1", "prod", "crossplane-system", "other", "storage", "other", "other-prod-eu-west-1-s3", "/other/", ""},
			nil,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			id := tc.world.mustResolve(t)
			s := id.Services[0]
			got := values{id.Region, id.Cluster, id.Namespace, id.BootstrapConfig, id.ProviderConfig, s.ServiceAccount, s.RoleName, s.Path, s.AssociationID}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nResolve(...): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.notes, id.Notes); diff != "" {
				t.Errorf("%s\nnotes: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestChangedWithoutAssociation checks that an immutable field is refused even if only the role records its value.
func TestChangedWithoutAssociation(t *testing.T) {
	for spec, want := range map[string]string{
		`region: eu-west-2`:                                 `spec.region: FieldValueInvalid`,
		`clusterName: other`:                                `spec.clusterName: FieldValueInvalid`,
		`crossplaneNamespace: other`:                        `spec.crossplaneNamespace: FieldValueInvalid`,
		`services: [{name: s3, serviceAccountName: other}]`: `spec.services[0].serviceAccountName: FieldValueInvalid`,
	} {
		_, _, errs := world{Spec: spec, Observed: map[string]string{"role/s3": trustedRole}}.resolve(t)
		if diff := cmp.Diff([]string{want}, testutil.Paths(errs)); diff != "" {
			t.Errorf("the name and the trust policy of a role must agree: %s: -want errors, +got:\n%s\n%v", spec, diff, errs.ToAggregate())
		}
	}
}

// TestChangedByItself checks that a change of an immutable field in the composite resource itself is refused.
func TestChangedByItself(t *testing.T) {
	everything := map[string]string{"association/s3": madeAssociation, "role/s3": `{metadata: {name: a}, spec: {forProvider: {}}}`}
	cases := map[string]struct {
		reason, spec string
		want         []string
	}{
		"ProviderConfigRef": {"Another identity would look for all resources in another account.", `providerConfigRef: {name: other}`, []string{"spec.providerConfigRef.name: FieldValueInvalid"}},
		"AssociationID":     {"Another ID means another association.", `services: [{name: s3, associationId: a-2}]`, []string{"spec.services[0].associationId: FieldValueInvalid"}},
		"Path":              {"Without a path, AWS has created the role at the root.", `role: {path: /b/}`, []string{"spec.role.path: FieldValueInvalid"}},
		"OwnPath":           {"Setting the root explicitly is no change.", `role: {path: /}`, nil},
		"Same":              {"Neither is any other unchanged value.", `{providerConfigRef: {name: default}, services: [{name: s3, associationId: a-1}]}`, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, errs := world{Spec: tc.spec, Observed: everything}.resolve(t)
			if diff := cmp.Diff(tc.want, testutil.Paths(errs)); diff != "" {
				t.Errorf("%s\nResolve(...): -want errors, +got:\n%s\n%v", tc.reason, diff, errs.ToAggregate())
			}
		})
	}
}
