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
		"AsRole":         {"It is no role, whatever its annotations say.", "role/s3", config, true},
		"AsTenant":       {"Nor that of a tenant.", "role/tenant", config, true},
		"AsOtherConfig":  {"Nor the ProviderConfig of the cluster, whose name it would decide.", "providerconfig", config, true},
		"ElsewhereToo":   {"Nor that of another namespace.", "providerconfig/team-b", config, true},
		"AsUsage":        {"Nor what holds a role back.", "usage/role/s3/by/providerconfig", config, true},
		"Longer":         {"Nor that of a namespace whose name begins like its own.", "providerconfig/team-a-2", config, true},
		"OfAnother":      {"What other functions compose is theirs.", "their-config", config, false},
		"Cluster":        {"What is in no namespace nobody in a namespace can edit.", "role/s3", `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r}}`, false},
		"NamespacedRole": {"A kind that is not composed in namespaces is that of another function.", "role/s3", `{apiVersion: iam.aws.m.upbound.io/v1beta1, kind: Role, metadata: {name: r, namespace: team-a}}`, false},
		"Usage":          {"A Usage in a namespace holds back what it says.", "usage/role/tenant/by/providerconfig", `{apiVersion: protection.crossplane.io/v1beta1, kind: Usage, metadata: {name: u, namespace: team-a}}`, false},
		"UsageAsRole":    {"It is no role.", "role/tenant", `{apiVersion: protection.crossplane.io/v1beta1, kind: Usage, metadata: {name: u, namespace: team-a}}`, true},
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
