package resources

import (
	"testing"
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
