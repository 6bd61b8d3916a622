package resources

import (
	"strings"
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
)

// TestTenantsStay: what lets tenants in is composed again as it is while the role does not tell its account.
func TestTenantsStay(t *testing.T) {
	const role = `
apiVersion: iam.aws.upbound.io/v1beta1
kind: Role
metadata: {name: crossplane-prod-eu-west-1-s3, annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}}
`
	const policy = `
apiVersion: iam.aws.upbound.io/v1beta1
kind: Policy
metadata: {name: crossplane-prod-eu-west-1-s3.tenants, annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3.tenants}}
spec: {forProvider: {policy: as-it-was}}
`
	cases := map[string]struct {
		reason   string
		observed map[string]string
		want     string
		waits    bool
	}{
		"Waits": {"Without an account there is nothing to create.", map[string]string{"role/s3": role}, "", true},
		"Known": {
			"The role tells its account.",
			map[string]string{"role/s3": role + "status: {atProvider: {arn: 'arn:aws:iam::111122223333:role/crossplane-prod-eu-west-1-s3'}}"},
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::111122223333:role/crossplane/prod/*"}]}`, false,
		},
		"Stays": {"What exists stays as it is.", map[string]string{"role/s3": role, "policy/s3.tenants": policy}, "as-it-was", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := world{Spec: `sharing: {}`, Observed: tc.observed, Input: "prerequisites: Assume", Answers: map[string]string{}}.context(t)
			rs := Tenants(c, c.Identity.Services[0])
			if len(rs) != 2 || rs[0].Key != "policy/s3.tenants" || rs[1].Key != "attachment/s3.tenants" {
				t.Fatalf("%s\nTenants(...): want a policy and an attachment, got %v", tc.reason, rs)
			}
			if p := c.tenantsPolicy(c.Identity.Services[0]); p.Document != tc.want {
				t.Errorf("%s\nwant document %q, got %q", tc.reason, tc.want, p.Document)
			}
			if tc.waits && rs[0].Wait == nil {
				t.Errorf("%s\nit does not wait", tc.reason)
			}
		})
	}
}

// TestConflictShared: where the owner of what is in the way shares it, a tenant's claim is the way.
func TestConflictShared(t *testing.T) {
	const theirs = `[{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: crossplane-prod-eu-west-1-s3, ownerReferences: [{controller: true, kind: PodIdentityProvider, name: platform, uid: u-9}]}}]`
	const want = "PodIdentityProvider platform shares s3: file a PodIdentityTenantClaim"
	for name, tc := range map[string]struct {
		reason, host string
		want         bool
	}{
		"Shared":  {"The owner shares.", `[{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: platform}, status: {sharing: {rolePath: /a/}}}]`, true},
		"Alone":   {"The owner does not.", `[{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: platform}}]`, false},
		"Unknown": {"Nobody told yet.", testutil.Unanswered, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{Capabilities: true, Input: "prerequisites: Assume", Answers: map[string]string{
				"Role.iam.aws.upbound.io/crossplane-prod-eu-west-1-s3": theirs, "PodIdentityProvider.aws.podidentity.dev/platform": tc.host,
				"kind/podidentityproviders.aws.podidentity.dev": "[{}]",
			}}
			c := w.context(t)
			for _, r := range All(c.View, c.Identity) {
				if r.Key != "provider/s3" {
					continue
				}
				if r.Wait == nil || strings.Contains(r.Wait.Message, want) != tc.want {
					t.Errorf("%s\nwant it to say %q: %t, got %+v", tc.reason, want, tc.want, r.Wait)
				}
			}
		})
	}
}
