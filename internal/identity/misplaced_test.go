package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMisplaced(t *testing.T) {
	const config = `{apiVersion: aws.m.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: storage, namespace: team-a}}`
	cases := map[string]struct {
		reason, key, object string
		want                bool
	}{
		"AtHome":         {"A ProviderConfig is composed for its namespace.", "providerconfig/team-a", config, false},
		"AsRole":         {"It is not a role, regardless of its annotations.", "role/s3", config, true},
		"AsTenant":       {"It is not a tenant's role.", "role/tenant", config, true},
		"AsOtherConfig":  {"It is not the ProviderConfig of the cluster, whose name it would determine.", "providerconfig", config, true},
		"ElsewhereToo":   {"It is not that of another namespace.", "providerconfig/team-b", config, true},
		"AsUsage":        {"It is not a Usage of a role.", "usage/role/s3/by/providerconfig", config, true},
		"Longer":         {"It is not that of a namespace with the same prefix.", "providerconfig/team-a-2", config, true},
		"OfAnother":      {"Resources of other functions belong to them.", "their-config", config, false},
		"Cluster":        {"A user of a namespace cannot edit a cluster-scoped object.", "role/s3", `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r}}`, false},
		"NamespacedRole": {"A kind that is not composed in namespaces belongs to another function.", "role/s3", `{apiVersion: iam.aws.m.upbound.io/v1beta1, kind: Role, metadata: {name: r, namespace: team-a}}`, false},
		"Usage":          {"A Usage in a namespace protects the resource that it names.", "usage/role/tenant/by/providerconfig", `{apiVersion: protection.crossplane.io/v1beta1, kind: Usage, metadata: {name: u, namespace: team-a}}`, false},
		"UsageAsRole":    {"It is not a role.", "role/tenant", `{apiVersion: protection.crossplane.io/v1beta1, kind: Usage, metadata: {name: u, namespace: team-a}}`, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var want []string
			if tc.want {
				want = []string{"observed.resources[" + tc.key + "]: FieldValueForbidden"}
			}
			_, _, errs := world{Observed: map[string]string{tc.key: tc.object}}.resolve(t)
			if diff := cmp.Diff(want, paths(errs)); diff != "" {
				t.Errorf("%s\nResolve(...): -want errors, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
