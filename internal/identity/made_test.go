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

// TestChangedDefaults makes sure that a default that changes, or goes, is for new objects only: what exists keeps what it was made
// with, and a note says so.
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
			"Whatever default changes,",
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
			"or goes,",
			world{Observed: map[string]string{"association/s3": madeAssociation, "role/s3": madeRole}},
			old,
			[]string{
				`spec.services[0].associationId: existing resources keep "a-1", though it is no longer set`,
				`spec.role.path: existing resources keep "/a/"` + keeps + `"/"`,
			},
		},
		"OnlyRole": {
			"or there is no association yet, so that only the trust policy of the role tells,",
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
			"as a name that was given,",
			world{Observed: map[string]string{"role/s3": `{metadata: {name: a, annotations: {crossplane.io/external-name: given}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "given", "", ""},
			[]string{`spec.services[0].roleName: existing resources keep "given"` + keeps + `"crossplane-prod-eu-west-1-s3"`},
		},
		"OwnPrefix": {
			"also where the composite resource has a prefix of its own, which it did not change.",
			world{Spec: `role: {namePrefix: mine}`, Observed: map[string]string{"role/s3": `{metadata: {name: a, annotations: {crossplane.io/external-name: given}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "given", "", ""},
			[]string{`spec.services[0].roleName: existing resources keep "given"` + keeps + `"mine-prod-eu-west-1-s3"`},
		},
		"Policy": {
			"A name is told by any object of the service,",
			world{Input: `defaults: {role: {namePrefix: other}}`, Observed: map[string]string{"policy/s3": `{metadata: {name: a, annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "", ""},
			[]string{`spec.role.namePrefix: existing resources keep "crossplane-prod-eu-west-1-s3"` + keeps + `"other-prod-eu-west-1-s3"`},
		},
		"Status": {
			"and remembered by the status where those know only what the role is called in Kubernetes.",
			world{
				Input: `defaults: {role: {namePrefix: other}}`, XR: `status: {services: [{name: s3, roleName: crossplane-prod-eu-west-1-s3}]}`,
				Observed: map[string]string{"attachment/s3": `{metadata: {name: a}, spec: {forProvider: {roleRef: {name: crossplane-prod-eu-west-1-s3}}}}`},
			},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "", ""},
			[]string{`spec.role.namePrefix: existing resources keep "crossplane-prod-eu-west-1-s3"` + keeps + `"other-prod-eu-west-1-s3"`},
		},
		"StatusOfNothing": {
			"A status that is about another role, or about nothing, tells nothing.",
			world{XR: `status: {services: [{name: s3, roleName: theirs}]}`, Observed: map[string]string{"association/s3": `{metadata: {name: a}, spec: {forProvider: {roleArn: x}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "", ""},
			nil,
		},
		"Created": {
			"The id of an association that a provider created is that provider's to keep.",
			world{Observed: map[string]string{"association/s3": `{metadata: {name: a, annotations: {crossplane.io/external-name: a-1}}, status: {atProvider: {associationId: a-1}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "", ""},
			nil,
		},
		"Unborn": {
			"One that never lived may be brought to life by another id.",
			world{Spec: `services: [{name: s3, associationId: a-2}]`, Observed: map[string]string{"association/s3": `{metadata: {name: a, annotations: {crossplane.io/external-name: a-1}}}`}},
			values{"eu-west-1", "prod", "crossplane-system", "default", "storage", "provider-aws-s3", "crossplane-prod-eu-west-1-s3", "", "a-2"},
			nil,
		},
		"New": {
			"What does not exist gets the new defaults.",
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

// TestChangedWithoutAssociation makes sure that what cannot change is refused also while only the role tells what it was made for.
func TestChangedWithoutAssociation(t *testing.T) {
	for spec, want := range map[string]string{
		`region: eu-west-2`:                                 `spec.region: FieldValueInvalid`,
		`clusterName: other`:                                `spec.clusterName: FieldValueInvalid`,
		`crossplaneNamespace: other`:                        `spec.crossplaneNamespace: FieldValueInvalid`,
		`services: [{name: s3, serviceAccountName: other}]`: `spec.services[0].serviceAccountName: FieldValueInvalid`,
	} {
		_, _, errs := world{Spec: spec, Observed: map[string]string{"role/s3": trustedRole}}.resolve(t)
		if diff := cmp.Diff([]string{want}, testutil.Paths(errs)); diff != "" {
			t.Errorf("a role that trusts another identity than its name says is of no use: %s: -want errors, +got:\n%s\n%v", spec, diff, errs.ToAggregate())
		}
	}
}

// TestChangedByItself makes sure that what the composite resource itself changes is refused where it cannot change.
func TestChangedByItself(t *testing.T) {
	everything := map[string]string{"association/s3": madeAssociation, "role/s3": `{metadata: {name: a}, spec: {forProvider: {}}}`}
	cases := map[string]struct {
		reason, spec string
		want         []string
	}{
		"ProviderConfigRef": {"Another identity would look for everything in another account.", `providerConfigRef: {name: other}`, []string{"spec.providerConfigRef.name: FieldValueInvalid"}},
		"AssociationID":     {"Another id is another association.", `services: [{name: s3, associationId: a-2}]`, []string{"spec.services[0].associationId: FieldValueInvalid"}},
		"Path":              {"AWS has put a role without a path into its own.", `role: {path: /b/}`, []string{"spec.role.path: FieldValueInvalid"}},
		"OwnPath":           {"To say so is no change.", `role: {path: /}`, nil},
		"Same":              {"Nor is anything else that is as it was.", `{providerConfigRef: {name: default}, services: [{name: s3, associationId: a-1}]}`, nil},
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
