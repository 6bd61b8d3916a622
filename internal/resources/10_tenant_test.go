package resources

import (
	"strings"
	"testing"
)

// TestTenantAsksOnce: an old caller proves that Crossplane records namespaces by a whole definition. A tenant that was ready without a
// ProviderConfig in its namespace asks for it no more, and one that had one does, should it be gone.
func TestTenantAsksOnce(t *testing.T) {
	const tenant = `{kind: PodIdentityTenant, metadata: {name: storage-x, labels: {crossplane.io/claim-name: storage, crossplane.io/claim-namespace: team-a}}, status: {`
	const spec = `{region: null, clusterName: null, provider: null, claimRef: {namespace: team-a, name: storage}, providerRef: {name: platform}}`
	const ready = `conditions: [{type: ProviderConfigReady, status: "True"}], `
	const cluster, namespaced = `{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, name: team-a-storage}`, `{apiVersion: aws.m.upbound.io/v1beta1, kind: ProviderConfig, name: storage, namespace: team-a}`
	cases := map[string]struct {
		reason, status string
		capabilities   bool
		want           bool
	}{
		"New":          {"Nobody knows yet.", ``, false, true},
		"NotReady":     {"Nor before it was ready.", `conditions: [{type: ProviderConfigReady, status: "False"}], providerConfigRefs: [` + cluster + `]`, false, true},
		"Without":      {"It was found out.", ready + `providerConfigRefs: [` + cluster + `]`, false, false},
		"With":         {"One that is gone comes back.", ready + `providerConfigRefs: [` + cluster + `, ` + namespaced + `]`, false, true},
		"Capabilities": {"A schema costs nothing, and Crossplane may have been upgraded.", ready + `providerConfigRefs: [` + cluster + `]`, true, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := world{XR: tenant + tc.status + `}}`, Spec: spec, Capabilities: tc.capabilities}.context(t)
			All(c.View, c.Identity)
			asked := false
			p := c.View.Requirements.Proto()
			for key := range p.GetExtraResources() { //nolint:staticcheck // Callers before 2.2 know no other.
				asked = asked || strings.HasPrefix(key, "kind/podidentitytenants")
			}
			for key := range p.GetSchemas() {
				asked = asked || strings.HasPrefix(key, "kind/podidentitytenants")
			}
			if asked != tc.want {
				t.Errorf("%s\nasks for its definition: want %t, got %t", tc.reason, tc.want, asked)
			}
		})
	}
}
