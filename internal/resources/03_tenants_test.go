package resources

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// TestTenantsStay checks that the policy for tenants is composed unchanged while the role's account is unknown.
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
		"Waits": {"Without an account, nothing can be created.", map[string]string{"role/s3": role}, "", true},
		"Known": {
			"The role's ARN contains the account.",
			map[string]string{"role/s3": role + "status: {atProvider: {arn: 'arn:aws:iam::111122223333:role/crossplane-prod-eu-west-1-s3'}}"},
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::111122223333:role/crossplane/prod/*"}]}`, false,
		},
		"Stays": {"An existing policy stays as it is.", map[string]string{"role/s3": role, "policy/s3.tenants": policy}, "as-it-was", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := world{Spec: `sharing: {}`, Observed: tc.observed, Input: "prerequisites: Assume", Answers: map[string]string{}}.context(t)
			rs := Tenants(c, c.Identity.Services[0])
			if len(rs) != 2 || rs[0].Key != "policy/s3.tenants" || rs[1].Key != "attachment/s3.tenants" {
				t.Fatalf("%s\nTenants(...): want a policy and an attachment, got %v", tc.reason, rs)
			}
			if p, _ := c.tenantsPolicy(c.Identity.Services[0]); p.Document != tc.want {
				t.Errorf("%s\nwant document %q, got %q", tc.reason, tc.want, p.Document)
			}
			if tc.waits && rs[0].Wait == nil {
				t.Errorf("%s\nthe policy does not wait", tc.reason)
			}
		})
	}
}

// TestTenantsKeep checks that a host that removes accounts keeps those in which tenants have roles.
func TestTenantsKeep(t *testing.T) {
	const (
		role    = `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: crossplane-prod-eu-west-1-s3, annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}}, status: {atProvider: {arn: "arn:aws:iam::111122223333:role/crossplane-prod-eu-west-1-s3"}}}`
		own     = `"arn:aws:iam::111122223333:role/crossplane/prod/*"`
		second  = `"arn:aws:iam::222233334444:role/crossplane/prod/*"`
		third   = `"arn:aws:iam::333344445555:role/crossplane/prod/*"`
		tenants = "ProviderConfig.aws.upbound.io/aws.podidentity.dev/host=storage"
	)
	document := func(resources string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":` + resources + `}]}`
	}
	tenant := func(account string) string {
		return `[{metadata: {name: data, annotations: {aws.podidentity.dev/services: s3}, ownerReferences: [{controller: true, kind: PodIdentityTenant, name: data, uid: u-7}]}, spec: {assumeRoleChain: [{roleARN: "arn:aws:iam::` + account + `:role/crossplane/prod/_/data"}]}}]`
	}
	for name, tc := range map[string]struct {
		reason, spec, was, tenants string
		want                       string
		removing                   string
	}{
		"Same":      {"Without a change, tenants are not looked up.", `sharing: {accounts: ["222233334444"]}`, "[" + own + "," + second + "]", unanswered, "[" + own + "," + second + "]", ""},
		"More":      {"The same applies if accounts are added.", `sharing: {accounts: ["222233334444"]}`, own, unanswered, "[" + own + "," + second + "]", ""},
		"Needed":    {"An account with a tenant's role stays.", `sharing: {}`, "[" + own + "," + second + "]", tenant("222233334444"), "[" + own + "," + second + "]", "tenants need it (PodIdentityTenant data). To do: delete them, or set sharing back"},
		"Unread":    {"It stays until Crossplane has answered.", `sharing: {}`, "[" + own + "," + second + "]", unanswered, "[" + own + "," + second + "]", "looking for tenants"},
		"Unneeded":  {"An account without a tenant's role is removed.", `sharing: {}`, "[" + own + "," + second + "," + third + "]", tenant("333344445555"), "[" + own + "," + third + "]", "tenants need it"},
		"NoTenants": {"Without tenants, all accounts are removed.", `sharing: {}`, "[" + own + "," + second + "]", `[]`, own, ""},
		"Unordered": {"With an unordered teardown, nothing is kept.", `{teardown: Unordered, sharing: {}}`, "[" + own + "," + second + "]", tenant("222233334444"), own, ""},
		"Path":      {"Tenants use the path in the policy, regardless of the status.", `{sharing: {}, role: {namePrefix: crossplane}}`, `"arn:aws:iam::111122223333:role/teams/*"`, unanswered, `"arn:aws:iam::111122223333:role/teams/*"`, ""},
		"Foreign":   {"A policy with another structure is ignored.", `sharing: {}`, `"*"`, unanswered, own, ""},
	} {
		t.Run(name, func(t *testing.T) {
			policy := `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: p}, spec: {forProvider: {policy: '` + document(tc.was) + `'}}, status: {conditions: [{type: Ready, status: "True"}, {type: Synced, status: "True"}]}}`
			w := world{Spec: tc.spec, Observed: map[string]string{"role/s3": role, "policy/s3.tenants": policy}, Answers: map[string]string{tenants: tc.tenants}}
			r := w.resource(t, "policy/s3.tenants")
			got, err := r.Build()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(document(tc.want), view.NewObject(got).String("spec", "forProvider", "policy")); diff != "" {
				t.Errorf("%s\nroles that providers may assume: -want, +got:\n%s", tc.reason, diff)
			}
			ready := r.Ready(observed(t, policy))
			if ready.Removing != (tc.removing != "") || !strings.Contains(ready.Message, tc.removing) {
				t.Errorf("%s\nwant the message %q, got %+v", tc.reason, tc.removing, ready)
			}
		})
	}
}

// TestConflictShared checks that a conflict suggests a claim for a tenant if the owner of the conflicting object shares it.
func TestConflictShared(t *testing.T) {
	const theirs = `[{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: crossplane-prod-eu-west-1-s3, ownerReferences: [{controller: true, kind: PodIdentityProvider, name: platform, uid: u-9}]}}]`
	const want = "PodIdentityProvider platform shares s3: file a PodIdentityTenantClaim"
	for name, tc := range map[string]struct {
		reason, host string
		want         bool
	}{
		"Shared":  {"The owner shares.", `[{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: platform}, status: {sharing: {rolePath: /a/}}}]`, true},
		"Alone":   {"The owner does not.", `[{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: platform}}]`, false},
		"Unknown": {"The owner is not known yet.", testutil.Unanswered, false},
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
					t.Errorf("%s\nwant the message %q: %t, got %+v", tc.reason, want, tc.want, r.Wait)
				}
			}
		})
	}
}
