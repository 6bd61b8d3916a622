package identity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

func TestPolicies(t *testing.T) {
	const begin, end = `{"Version":"2012-10-17","Statement":[`, `]}`
	const full = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
	cases := map[string]struct {
		reason, spec string
		want         []string
	}{
		"Default": {"By default, a provider may do everything with its service.", ``, []string{begin + full + end}},
		"Full":    {"Full access says the same.", `services: [{name: s3, permissions: {accessLevel: Full}}]`, []string{begin + full + end}},
		"None":    {"Without permissions there is no policy, because a policy needs statements.", `services: [{name: s3, permissions: {accessLevel: None}}]`, nil},
		"Kinds": {
			"Kinds narrow the service to the actions that they call,",
			`services: [{name: s3, permissions: {kinds: [BucketPolicy]}}]`,
			[]string{begin + `{"Effect":"Allow","Action":["s3:DeleteBucketPolicy","s3:GetBucketPolicy","s3:PutBucketPolicy"],"Resource":"*"}` + end},
		},
		"KindsReadOnly": {
			"or to those that observe them.",
			`services: [{name: s3, permissions: {accessLevel: ReadOnly, kinds: [BucketPolicy]}}]`,
			[]string{begin + `{"Effect":"Allow","Action":"s3:GetBucketPolicy","Resource":"*"}` + end},
		},
		"KindsAndStatements": {
			"Kinds apply in addition to statements.",
			`services: [{name: sqs, permissions: {kinds: [QueuePolicy], statements: [{actions: ["kms:Decrypt"], resources: ["*"]}]}}]`,
			[]string{begin + `{"Effect":"Allow","Action":["sqs:GetQueueAttributes","sqs:SetQueueAttributes"],"Resource":"*"},{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}` + end},
		},
		"OwnStatements": {
			"A statement replaces the default access,",
			`services: [{name: s3, permissions: {statements: [{actions: ["s3:Get*"], resources: ["*"]}]}}]`,
			[]string{begin + `{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}` + end},
		},
		"OwnDocument": {
			"and so does a document,",
			`services: [{name: s3, permissions: {policyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}'}}]`,
			[]string{begin + `{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}` + end},
		},
		"OwnManaged": {"or an attached policy.", `services: [{name: s3, permissions: {managedPolicyArns: ["arn:aws:iam::aws:policy/a"]}}]`, nil},
		"NothingOwn": {"Empty fields do not replace the default access.", `services: [{name: s3, permissions: {statements: [], policyDocument: "", managedPolicyArns: [], accessLevel: ""}}]`, []string{begin + full + end}},
		"TargetOnly": {"Neither does a target role, which only says which role to assume.", `services: [{name: s3, targetRoleArn: "arn:aws:iam::123456789012:role/a"}]`, []string{begin + full + `,{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::123456789012:role/a"}` + end}},
		"Statements": {
			"With an access level, statements are added; a statement without an effect allows.",
			`services: [{name: s3, permissions: {accessLevel: Full, statements: [
				{sid: Keys, actions: ["kms:Decrypt"], resources: ["*"], conditions: {StringEquals: {"kms:ViaService": [s3.eu-west-1.amazonaws.com]}}},
				{effect: Deny, notActions: ["s3:*"], notResources: ["arn:aws:s3:::x"]}]}}]`,
			[]string{begin + full + `,{"Sid":"Keys","Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}}` +
				`,{"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:aws:s3:::x"}` + end},
		},
		"Document": {
			"So are those of a whole document, in canonical form.",
			`services: [{name: s3, permissions: {accessLevel: None, policyDocument: '{ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": [ "s3:Put*", "s3:Get*" ], "Resource": [ "*" ] } }'}}]`,
			[]string{begin + `{"Effect":"Allow","Action":["s3:Get*","s3:Put*"],"Resource":"*"}` + end},
		},
		"Everything": {
			"One policy combines the catalogue, statements, the document, and the first role of the chain.",
			`{providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a"}, {roleARN: "arn:aws:iam::123456789012:role/b"}]},
			 services: [{name: s3, permissions: {accessLevel: Full, statements: [{actions: ["a:b"], resources: ["*"]}],
			   policyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"c:d","Resource":"*"}]}'}}]}`,
			[]string{begin + full + `,{"Effect":"Allow","Action":"a:b","Resource":"*"},{"Effect":"Allow","Action":"c:d","Resource":"*"}` +
				`,{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::123456789012:role/a"}` + end},
		},
		"ChainOnly": {
			"A provider without other permissions may still assume its role.",
			`{providerConfig: {assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/a"}]}, services: [{name: s3, permissions: {accessLevel: None}}]}`,
			[]string{begin + `{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::123456789012:role/a"}` + end},
		},
		"UnknownWithNone": {
			"A service outside the catalogue may have no permissions if it says so: with a target role, it needs none.",
			`services: [{name: new, package: registry.example.org/x/provider-aws-new, targetRoleArn: "arn:aws:iam::123456789012:role/a", permissions: {accessLevel: None}}]`,
			[]string{begin + `{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::123456789012:role/a"}` + end},
		},
		"Unknown": {
			"A service outside the catalogue has only the permissions in the spec.",
			`services: [{name: new, package: registry.example.org/x/provider-aws-new, permissions: {statements: [{actions: ["new:*"], resources: ["*"]}]}}]`,
			[]string{begin + `{"Effect":"Allow","Action":"new:*","Resource":"*"}` + end},
		},
		"OwnRole": {"Another owner's role has its own permissions.", `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/x"}]`, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, world{Spec: tc.spec}.mustResolve(t).Services[0].Policies); diff != "" {
				t.Errorf("%s\nPolicies: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPolicyPermuted checks that actions and conditions in another order give the same bytes.
func TestPolicyPermuted(t *testing.T) {
	a := world{Spec: `services: [{name: s3, permissions: {statements: [{actions: ["a:b", "c:d"], resources: ["arn:aws:s3:::u", "arn:aws:s3:::v"], conditions: {StringLike: {"s3:prefix": [u, v], "s3:delimiter": [z]}, NumericEquals: {"s3:max-keys": ["1"]}}}]}}]`}
	b := world{Spec: `services: [{name: s3, permissions: {statements: [{conditions: {NumericEquals: {"s3:max-keys": ["1"]}, StringLike: {"s3:delimiter": [z], "s3:prefix": [v, u]}}, resources: ["arn:aws:s3:::v", "arn:aws:s3:::u"], actions: ["c:d", "a:b"]}]}}]`}
	if diff := cmp.Diff(a.mustResolve(t).Services[0].Policies, b.mustResolve(t).Services[0].Policies); diff != "" {
		t.Errorf("the same permissions in another order give another policy:\n%s", diff)
	}
}

// TestPolicySize checks both sides of AWS's limit.
func TestPolicySize(t *testing.T) {
	spec := func(n int) string {
		return `services: [{name: s3, permissions: {accessLevel: None, statements: [{actions: ["s3:` + strings.Repeat("a", n) + `"], resources: ["*"]}]}}]`
	}
	const rest = len(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:","Resource":"*"}]}`)
	got := world{Spec: spec(iam.MaxPolicySize - rest)}.mustResolve(t).Services[0].Policies
	if len(got) != 1 || iam.Size(got[0]) != iam.MaxPolicySize {
		t.Errorf("a policy of the maximum size should be accepted, got %d policies", len(got))
	}
	_, _, errs := world{Spec: spec(iam.MaxPolicySize - rest + 1)}.resolve(t)
	if diff := cmp.Diff([]string{"spec.services[0].permissions: FieldValueInvalid"}, paths(errs)); diff != "" {
		t.Errorf("a policy with one more character should be refused: -want errors, +got:\n%s", diff)
	}
}

// TestKept checks that the statement by which earlier versions neutralised denied actions stays in place, as long as a policy is attached
// whose permissions are unknown. It is never added anywhere else.
func TestKept(t *testing.T) {
	const deny = `{"Effect":"Deny","Action":["iam:*","sts:AssumeRole"],"Resource":"*"}`
	const attached = `services: [{name: s3, permissions: {managedPolicyArns: ["arn:aws:iam::aws:policy/x"]}}]`
	policy := func(statements string) string {
		return `{metadata: {name: a}, spec: {forProvider: {policy: '{"Version":"2012-10-17","Statement":[` + statements + `]}'}}}`
	}
	cases := map[string]struct {
		reason, spec, key, policy string
		want                      bool
	}{
		"Kept":     {"The statement of an earlier version stays,", attached, "policy/s3", policy(deny), true},
		"Second":   {"in any policy of the service.", attached, "policy/s3.2", policy(`{"Effect":"Allow","Action":"s3:*","Resource":"*"},` + deny), true},
		"New":      {"It is not added to a policy without it.", attached, "policy/s3", policy(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`), false},
		"Other":    {"A statement of another service does not count.", attached, "policy/s3control", policy(deny), false},
		"Detached": {"Without anything to neutralise, it is removed.", ``, "policy/s3", policy(deny), false},
		"Changed":  {"The statement belongs to the platform team: another list is another decision.", attached, "policy/s3", policy(`{"Effect":"Deny","Action":"iam:*","Resource":"*"}`), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			id := world{Spec: tc.spec, Input: `guardrails: {deniedActions: ["iam:*", "sts:AssumeRole"]}`, Observed: map[string]string{tc.key: tc.policy}}.mustResolve(t)
			if got := strings.Contains(strings.Join(id.Services[0].Policies, ""), deny); got != tc.want {
				t.Errorf("%s\nwant it in the policies: %t, got %q", tc.reason, tc.want, id.Services[0].Policies)
			}
		})
	}
}

// TestAttachmentLimit checks both sides of AWS's limit of 10 policies per role, one of which is composed.
func TestAttachmentLimit(t *testing.T) {
	spec := func(n int) string {
		arns := make([]string, n)
		for i := range arns {
			arns[i] = fmt.Sprintf(`"arn:aws:iam::aws:policy/p%d"`, i)
		}
		return `services: [{name: s3, permissions: {accessLevel: Full, managedPolicyArns: [` + strings.Join(arns, ", ") + `]}}]`
	}
	if got := len(world{Spec: spec(9)}.mustResolve(t).Services[0].ManagedPolicyARNs); got != 9 {
		t.Errorf("9 managed policies besides the composed one should be accepted, got %d", got)
	}
	_, _, errs := world{Spec: spec(10)}.resolve(t)
	if diff := cmp.Diff([]string{"spec.services[0].permissions.managedPolicyArns: FieldValueTooMany"}, paths(errs)); diff != "" {
		t.Errorf("10 managed policies besides the composed one should be refused: -want errors, +got:\n%s", diff)
	}
}

// TestReadOnly checks that the access level comes from the catalogue.
func TestReadOnly(t *testing.T) {
	entry, _ := catalogue.Lookup("s3")
	want := []string{iam.NewDocument(entry.ReadOnly("aws")...).String()}
	got := world{Spec: `services: [{name: s3, permissions: {accessLevel: ReadOnly}}]`}.mustResolve(t).Services[0].Policies
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policies: -want, +got:\n%s", diff)
	}
}
