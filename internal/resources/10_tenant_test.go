package resources

import (
	"strings"
	"testing"
)

// TestTenantAsksOnce checks when the definition of the composite resource is required. An old caller needs the whole definition to show
// that Crossplane records namespaces. Once a tenant was ready without a namespaced ProviderConfig, the definition is no longer required;
// a tenant that had one still requires it, in case the ProviderConfig was deleted.
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
		"New":          {"Nothing is known yet.", ``, false, true},
		"NotReady":     {"Nothing is known before the tenant was ready.", `conditions: [{type: ProviderConfigReady, status: "False"}], providerConfigRefs: [` + cluster + `]`, false, true},
		"Without":      {"The result is known.", ready + `providerConfigRefs: [` + cluster + `]`, false, false},
		"With":         {"A deleted ProviderConfig is created again.", ready + `providerConfigRefs: [` + cluster + `, ` + namespaced + `]`, false, true},
		"Capabilities": {"A schema costs nothing, and Crossplane may have been upgraded.", ready + `providerConfigRefs: [` + cluster + `]`, true, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := world{XR: tenant + tc.status + `}}`, Spec: spec, Capabilities: tc.capabilities}.context(t)
			All(c.View, c.Identity)
			asked := false
			p := c.View.Requirements.Proto()
			for key := range p.GetExtraResources() { //nolint:staticcheck // Crossplane before 2.2 knows no other field.
				asked = asked || strings.HasPrefix(key, "kind/podidentitytenants")
			}
			for key := range p.GetSchemas() {
				asked = asked || strings.HasPrefix(key, "kind/podidentitytenants")
			}
			if asked != tc.want {
				t.Errorf("%s\ndefinition required: want %t, got %t", tc.reason, tc.want, asked)
			}
		})
	}
}
