package identity

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSharing(t *testing.T) {
	const own = "arn:aws:iam::111122223333:role/crossplane-prod-eu-west-1-s3"
	cases := map[string]struct {
		reason  string
		spec    string
		roleARN string
		want    string
	}{
		"NotShared": {"Nothing is shared by default.", ``, own, ""},
		"Default": {
			"Even an empty object shares; the path consists of prefix and cluster.", `sharing: {}`, own,
			`{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::111122223333:role/crossplane/prod/*"}`,
		},
		"Prefix": {
			"Another prefix gives another path.", `{sharing: {}, role: {namePrefix: xp}}`, own,
			`{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::111122223333:role/xp/prod/*"}`,
		},
		"Accounts": {
			"Further accounts are listed, without wildcards.", `sharing: {rolePath: /teams/, accounts: ["222233334444"]}`, own,
			`{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":["arn:aws:iam::111122223333:role/teams/*","arn:aws:iam::222233334444:role/teams/*"]}`,
		},
		"NoTags": {
			"Without session tags, there are none to pass on.", `{accountId: "111122223333", sharing: {}, services: [{name: s3, disableSessionTags: true}]}`, own,
			`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::111122223333:role/crossplane/prod/*"}`,
		},
		"AccountGiven": {
			"A given account needs no waiting.", `{accountId: "111122223333", sharing: {}}`, "",
			`{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::111122223333:role/crossplane/prod/*"}`,
		},
		"AccountUnknown": {"An unknown account is not guessed.", `sharing: {}`, "", ""},
		"ForeignRole": {
			"With another owner's role, the document is for its owner to attach.", `{sharing: {}, services: [{name: s3, roleArn: "arn:aws:iam::111122223333:role/mine"}]}`, "",
			`{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::111122223333:role/crossplane/prod/*"}`,
		},
		"China": {
			"The ARN has the region's partition.", `{region: cn-north-1, sharing: {}}`, "arn:aws-cn:iam::111122223333:role/crossplane-prod-cn-north-1-s3",
			`{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws-cn:iam::111122223333:role/crossplane/prod/*"}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			id := world{Spec: tc.spec}.mustResolve(t)
			got := ""
			if p := id.TenantsPolicy(id.Services[0], tc.roleARN); p != nil {
				got = p.Document
			}
			want := ""
			if tc.want != "" {
				want = `{"Version":"2012-10-17","Statement":[` + tc.want + `]}`
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\nTenantsPolicy(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSharingErrors(t *testing.T) {
	const invalid, forbidden = ": FieldValueInvalid", ": FieldValueForbidden"
	cases := map[string]struct {
		reason string
		spec   string
		xr     string
		want   []string
	}{
		"Root":         {"Not all roles of the account are for tenants.", `sharing: {rolePath: /}`, "", []string{"spec.sharing.rolePath" + invalid}},
		"NoSlash":      {"A path ends with a slash, or it would match its neighbours.", `sharing: {rolePath: /teams}`, "", []string{"spec.sharing.rolePath" + invalid}},
		"Relative":     {"A path begins with a slash, too.", `sharing: {rolePath: teams/}`, "", []string{"spec.sharing.rolePath" + invalid}},
		"Wildcard":     {"A wildcard would match other paths.", `sharing: {rolePath: /t*/}`, "", []string{"spec.sharing.rolePath" + invalid}},
		"DoubleSlash":  {"A part of a path is not empty.", `sharing: {rolePath: /a//}`, "", []string{"spec.sharing.rolePath" + invalid}},
		"Long":         {"A namespace must fit after the path.", `sharing: {rolePath: /` + strings.Repeat("a", 448) + `/}`, "", []string{"spec.sharing.rolePath: FieldValueTooLong"}},
		"Account":      {"Accounts have 12 digits.", `sharing: {accounts: ["1"]}`, "", []string{"spec.sharing.accounts[0]" + invalid}},
		"AccountEmpty": {"An empty string is not an account.", `sharing: {accounts: [""]}`, "", []string{"spec.sharing.accounts[0]" + invalid}},
		"AccountAll":   {"Neither is a wildcard.", `sharing: {accounts: ["*"]}`, "", []string{"spec.sharing.accounts[0]" + invalid}},
		"AccountTwice": {"Each account may be listed once.", `sharing: {accounts: ["111122223333", "111122223333"]}`, "", []string{"spec.sharing.accounts[1]: FieldValueDuplicate"}},
		"Accounts":     {"The number of accounts is limited.", `sharing: {accounts: [` + strings.Repeat(`"111122223333",`, 21) + `]}`, "", []string{"spec.sharing.accounts: FieldValueTooMany"}},
		"Namespace":    {"Namespaces have lower-case letters.", `sharing: {namespaces: [Team]}`, "", []string{"spec.sharing.namespaces[0]" + invalid}},
		"NamespaceNo":  {"An empty pattern matches nothing.", `sharing: {namespaces: [""]}`, "", []string{"spec.sharing.namespaces[0]" + invalid}},
		"TargetRole":   {"With a target role, that role would be the caller.", `{sharing: {}, services: [{name: s3, targetRoleArn: "arn:aws:iam::222233334444:role/a"}]}`, "", []string{"spec.services[0].targetRoleArn" + forbidden}},
		"Moved":        {"Existing roles of tenants are below the path in the status.", `sharing: {rolePath: /b/}`, `status: {sharing: {rolePath: /a/}}`, []string{"spec.sharing.rolePath" + invalid}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, errs := world{Spec: tc.spec, XR: tc.xr}.resolve(t)
			if diff := cmp.Diff(tc.want, paths(errs)); diff != "" {
				t.Errorf("%s\nResolve(...): -want errors, +got:\n%s\n%v", tc.reason, diff, errs.ToAggregate())
			}
		})
	}
}
