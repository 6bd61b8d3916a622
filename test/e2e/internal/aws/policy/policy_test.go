package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) *Document {
	t.Helper()
	d, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestIdentity(t *testing.T) {
	const all = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	caller := Caller{Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/r/s", Role: "arn:aws:iam::111122223333:role/r", Tags: map[string]string{"team": "a"}}
	cases := map[string]struct {
		reason    string
		documents []string
		action    string
		resource  string
		keys      map[string][]string
		want      Effect
	}{
		"NoPolicy":         {reason: "A caller without a policy may do nothing.", action: "s3:GetObject", resource: "arn:aws:s3:::b/k", want: Silent},
		"ActionWildcard":   {reason: "Actions have wildcards, and no letter case.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":["s3:get*"],"Resource":"*"}]}`}, action: "s3:GetObject", resource: "arn:aws:s3:::b/k", want: Allow},
		"OtherAction":      {reason: "An action that no statement is about is not allowed.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":["s3:get*"],"Resource":"*"}]}`}, action: "s3:PutObject", resource: "arn:aws:s3:::b/k", want: Silent},
		"DenyWins":         {reason: "An explicit deny wins in any order.", documents: []string{all, `{"Statement":[{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}]}`}, action: "s3:PutObject", resource: "arn:aws:s3:::b/k", want: Deny},
		"NotAction":        {reason: "NotAction allows all others.", documents: []string{`{"Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}`}, action: "iam:CreateRole", resource: "*", want: Silent},
		"NotResource":      {reason: "NotResource allows all others.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::secret*"}]}`}, action: "s3:GetObject", resource: "arn:aws:s3:::secrets/k", want: Silent},
		"ResourcePrefix":   {reason: "A resource's wildcard stands for any characters.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::team-*"}]}`}, action: "s3:CreateBucket", resource: "arn:aws:s3:::team-a", want: Allow},
		"OtherResource":    {reason: "A resource that does not match is not allowed.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::team-*"}]}`}, action: "s3:CreateBucket", resource: "arn:aws:s3:::other", want: Silent},
		"Variable":         {reason: "A policy variable is the caller's tag.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/team}-*"}]}`}, action: "s3:CreateBucket", resource: "arn:aws:s3:::a-1", want: Allow},
		"VariableUnset":    {reason: "A variable without a value matches nothing.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/stage}*"}]}`}, action: "s3:CreateBucket", resource: "arn:aws:s3:::a-1", want: Silent},
		"ArnLike":          {reason: "ArnLike compares part by part.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::*:policy/crossplane-*"}}}]}`}, action: "iam:AttachRolePolicy", resource: "r", keys: map[string][]string{"iam:PolicyARN": {"arn:aws:iam::1:policy/crossplane-x"}}, want: Allow},
		"ArnLikeAdmin":     {reason: "A wildcard of one part does not reach into the next.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::*"}}}]}`}, action: "iam:AttachRolePolicy", resource: "r", keys: map[string][]string{"iam:PolicyARN": {"arn:aws:iam::aws:policy/AdministratorAccess"}}, want: Silent},
		"KeyAbsent":        {reason: "A key that is not in the request fulfils no positive condition.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/a":"b"}}}]}`}, action: "a:b", resource: "r", want: Silent},
		"KeyAbsentNot":     {reason: "A missing key fulfils a negated condition.", documents: []string{`{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestTag/a":"b"}}}]}`}, action: "a:b", resource: "r", want: Deny},
		"IfExists":         {reason: "IfExists does not require the key.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:RequestTag/a":"b"}}}]}`}, action: "a:b", resource: "r", want: Allow},
		"Null":             {reason: "Null asks whether the request has the key.", documents: []string{`{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"iam:PermissionsBoundary":"true"}}}]}`}, action: "iam:CreateRole", resource: "r", want: Deny},
		"ForAllValues":     {reason: "ForAllValues requires every value to match.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}}]}`}, action: "a:b", resource: "r", keys: map[string][]string{"aws:TagKeys": {"a", "c"}}, want: Silent},
		"ForAnyValue":      {reason: "ForAnyValue requires one value to match.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}}]}`}, action: "a:b", resource: "r", keys: map[string][]string{"aws:TagKeys": {"a", "c"}}, want: Allow},
		"PrincipalArn":     {reason: "aws:PrincipalArn of a session is its role.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/r"}}}]}`}, action: "a:b", resource: "r", want: Allow},
		"Numeric":          {reason: "Numbers are compared as such.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericLessThanEquals":{"s3:max-keys":10}}}]}`}, action: "a:b", resource: "r", keys: map[string][]string{"s3:max-keys": {"9"}}, want: Allow},
		"AllKeysMustHold":  {reason: "All keys of a condition must hold.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"a","aws:PrincipalTag/stage":"x"}}}]}`}, action: "a:b", resource: "r", want: Silent},
		"QuestionMark":     {reason: "A question mark is one character.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"s3:?etObject","Resource":"*"}]}`}, action: "s3:GetObject", resource: "r", want: Allow},
		"StringLikeAnyOne": {reason: "One of the values is enough.", documents: []string{`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:PrincipalTag/team":["x*","a*"]}}}]}`}, action: "a:b", resource: "r", want: Allow},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			docs := make([]*Document, len(tc.documents))
			for i, d := range tc.documents {
				docs[i] = parse(t, d)
			}
			got := Identity(docs, Request{Action: tc.action, Resource: tc.resource, Caller: caller, Keys: tc.keys})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestTrusts(t *testing.T) {
	const account = "111122223333"
	role := Caller{Account: account, ARN: "arn:aws:sts::111122223333:assumed-role/host/s", Role: "arn:aws:iam::111122223333:role/host", Tags: map[string]string{"kubernetes-namespace": "team-a"}}
	stranger := Caller{Account: "444455556666", ARN: "arn:aws:sts::444455556666:assumed-role/host/s", Role: "arn:aws:iam::444455556666:role/host"}
	eks := Caller{Service: "pods.eks.amazonaws.com"}
	cases := map[string]struct {
		reason   string
		document string
		action   string
		caller   Caller
		keys     map[string][]string
		want     Trust
	}{
		"Service": {
			reason:   "A service is trusted by its name.",
			document: `{"Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/kubernetes-namespace":"n"}}}]}`,
			action:   "sts:TagSession", caller: eks, keys: map[string][]string{"aws:RequestTag/kubernetes-namespace": {"n"}},
			want: Trust{Effect: Allow},
		},
		"ServiceWithoutTags": {
			reason:   "A condition on a tag that is not sent does not hold.",
			document: `{"Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:RequestTag/kubernetes-namespace":"n"}}}]}`,
			action:   "sts:AssumeRole", caller: eks,
			want: Trust{Account: true},
		},
		"Root": {
			reason:   "A trusted account leaves it to its own policies.",
			document: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`,
			action:   "sts:AssumeRole", caller: role,
			want: Trust{Effect: Allow, Account: true},
		},
		"Role": {
			reason:   "A role of the same account that is named itself needs no more.",
			document: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/host"},"Action":"sts:AssumeRole"}]}`,
			action:   "sts:AssumeRole", caller: role,
			want: Trust{Effect: Allow},
		},
		"RoleOfAnotherAccount": {
			reason:   "A role of another account needs its own policies, too.",
			document: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/host"},"Action":"sts:AssumeRole"}]}`,
			action:   "sts:AssumeRole", caller: stranger,
			want: Trust{Effect: Allow, Account: true},
		},
		"PrincipalTag": {
			reason:   "Tags of the caller's session count.",
			document: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalTag/kubernetes-namespace":"team-b"}}}]}`,
			action:   "sts:AssumeRole", caller: role,
			want: Trust{Account: true},
		},
		"ExternalIDOfTagSession": {
			reason:   "sts:ExternalId is not a key of TagSession.",
			document: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":"x"}}}]}`,
			action:   "sts:TagSession", caller: role,
			want: Trust{Account: true},
		},
		"Deny": {
			reason:   "An explicit deny wins.",
			document: `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":"*","Action":"sts:*"}]}`,
			action:   "sts:AssumeRole", caller: role,
			want: Trust{Effect: Deny},
		},
		"Stranger": {
			reason:   "No other account is trusted.",
			document: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`,
			action:   "sts:AssumeRole", caller: stranger,
			want: Trust{Account: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Trusts(parse(t, tc.document), account, Request{Action: tc.action, Caller: tc.caller, Keys: tc.keys})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestParse(t *testing.T) {
	for name, text := range map[string]string{
		"NoJSON":          `{`,
		"NoStatement":     `{"Version":"2012-10-17"}`,
		"NoEffect":        `{"Statement":[{"Action":"*","Resource":"*"}]}`,
		"NoAction":        `{"Statement":[{"Effect":"Allow","Resource":"*"}]}`,
		"BothResources":   `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"}]}`,
		"UnknownOperator": `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringMaybe":{"a":"b"}}}]}`,
		"NoString":        `{"Statement":[{"Effect":"Allow","Action":[{}],"Resource":"*"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if d, err := Parse(text); err == nil {
				t.Errorf("the policy should be refused, got %v", d)
			}
		})
	}
}
