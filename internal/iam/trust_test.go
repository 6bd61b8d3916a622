package iam

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTrustDocument(t *testing.T) {
	base := Trust{Region: "eu-west-1", Cluster: "prod", Namespace: "crossplane-system", ServiceAccount: "provider-aws-s3"}
	with := func(change func(*Trust)) Trust {
		tr := base
		change(&tr)
		return tr
	}
	const (
		begin = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{`
		tags  = `"aws:RequestTag/eks-cluster-name":"prod","aws:RequestTag/kubernetes-namespace":"crossplane-system","aws:RequestTag/kubernetes-service-account":"provider-aws-s3"`
		end   = `}}]}`
		// The account is unknown, so any matches, but only in this region.
		arn  = `"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:*:cluster/prod"`
		like = `,"StringLike":{` + arn + `}`
	)
	cases := map[string]struct {
		reason string
		in     Trust
		want   string
	}{
		"SessionTags": {
			reason: "The role trusts only the pods of one ServiceAccount in one cluster and region.",
			in:     base,
			want:   begin + `"StringEquals":{` + tags + `}` + like + end,
		},
		"Account": {
			reason: "If the account is known, EKS may use the role only for this cluster in this account.",
			in:     with(func(tr *Trust) { tr.AccountID = "123456789012" }),
			want: begin + `"ArnLike":{"aws:SourceArn":["arn:aws:eks:eu-west-1:123456789012:cluster/prod","arn:aws:eks:eu-west-1:123456789012:podidentityassociation/prod/*"]},"StringEquals":{` + tags +
				`,"aws:SourceAccount":"123456789012"}` + end,
		},
		"China": {
			reason: "The cluster's ARN has the partition of the region.",
			in:     with(func(tr *Trust) { tr.Region, tr.AccountID = "cn-north-1", "123456789012" }),
			want: begin + `"ArnLike":{"aws:SourceArn":["arn:aws-cn:eks:cn-north-1:123456789012:cluster/prod","arn:aws-cn:eks:cn-north-1:123456789012:podidentityassociation/prod/*"]},"StringEquals":{` + tags +
				`,"aws:SourceAccount":"123456789012"}` + end,
		},
		"Added": {
			reason: "Conditions with other operators or other keys are added, and sorted.",
			in: with(func(tr *Trust) {
				tr.Conditions = Condition{
					"StringLike":   {"aws:PrincipalOrgID": {"o-2", "o-1"}},
					"StringEquals": {"aws:RequestTag/kubernetes-pod-name": {"p"}},
				}
			}),
			want: begin + `"StringEquals":{"aws:RequestTag/eks-cluster-name":"prod","aws:RequestTag/kubernetes-namespace":"crossplane-system",` +
				`"aws:RequestTag/kubernetes-pod-name":"p","aws:RequestTag/kubernetes-service-account":"provider-aws-s3"},` +
				`"StringLike":{"aws:PrincipalOrgID":["o-1","o-2"],` + arn + `}` + end,
		},
		"SameKeyOtherOperator": {
			reason: "A generated key may be restricted further with another operator, because conditions only narrow.",
			in: with(func(tr *Trust) {
				tr.Conditions = Condition{"StringNotEquals": {"aws:RequestTag/eks-cluster-name": {"x"}}}
			}),
			want: begin + `"StringEquals":{` + tags + `}` + like + `,"StringNotEquals":{"aws:RequestTag/eks-cluster-name":"x"}` + end,
		},
		"NoTags": {
			reason: "Without session tags, a condition on them would never be met.",
			in:     with(func(tr *Trust) { tr.DisableSessionTags = true }),
			want:   strings.TrimSuffix(begin, `,"Condition":{`) + `}]}`,
		},
		"NoTagsAccount": {
			reason: "The account and the cluster restrict the role without session tags, too.",
			in:     with(func(tr *Trust) { tr.DisableSessionTags, tr.AccountID = true, "123456789012" }),
			want: begin + `"ArnLike":{"aws:SourceArn":["arn:aws:eks:eu-west-1:123456789012:cluster/prod","arn:aws:eks:eu-west-1:123456789012:podidentityassociation/prod/*"]},` +
				`"StringEquals":{"aws:SourceAccount":"123456789012"}` + end,
		},
		"NoTagsAdded": {
			reason: "Conditions may be added without session tags, too, even on the tags.",
			in: with(func(tr *Trust) {
				tr.DisableSessionTags = true
				tr.Conditions = Condition{"StringEquals": {"aws:RequestTag/eks-cluster-name": {"x"}}}
			}),
			want: begin + `"StringEquals":{"aws:RequestTag/eks-cluster-name":"x"}` + end,
		},
		"AddedEmpty": {
			reason: "An operator without keys adds nothing.",
			in:     with(func(tr *Trust) { tr.Conditions = Condition{"StringEquals": nil, "Bool": {}} }),
			want:   begin + `"StringEquals":{` + tags + `}` + like + end,
		},
		"SourceAccountAdded": {
			reason: "Without an account, the key is not generated, so it may be set.",
			in:     with(func(tr *Trust) { tr.Conditions = Condition{"StringEquals": {"aws:SourceAccount": {"123456789012"}}} }),
			want:   begin + `"StringEquals":{` + tags + `,"aws:SourceAccount":"123456789012"}` + like + end,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := tc.in.Document()
			if err != nil {
				t.Fatalf("%s\nDocument(): %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got.String()); diff != "" {
				t.Errorf("%s\nDocument(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestTrustDocumentConflict(t *testing.T) {
	cases := map[string]struct {
		reason  string
		account string
		op, key string
	}{
		"Cluster":        {"The cluster's tag cannot be replaced.", "", "StringEquals", "aws:RequestTag/eks-cluster-name"},
		"Namespace":      {"Neither can the namespace's.", "", "StringEquals", "aws:RequestTag/kubernetes-namespace"},
		"ServiceAccount": {"Neither can the ServiceAccount's.", "", "StringEquals", "aws:RequestTag/kubernetes-service-account"},
		"LetterCase":     {"Neither can a tag in another case, which is the same to AWS.", "", "StringEquals", "AWS:requesttag/EKS-cluster-name"},
		"Account":        {"Neither can the account, once it is set.", "123456789012", "StringEquals", "aws:SourceAccount"},
		"SourceARN":      {"Neither can the cluster's ARN.", "123456789012", "ArnLike", "aws:SourceArn"},
		"ClusterARN":     {"Neither can the condition that replaces it without an account.", "", "StringLike", "aws:RequestTag/eks-cluster-arn"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			added := Condition{tc.op: {tc.key: {"mine"}}}
			tr := Trust{Region: "eu-west-1", Cluster: "prod", Namespace: "n", ServiceAccount: "s", AccountID: tc.account, Conditions: added}
			got, err := tr.Document()
			if err == nil {
				t.Fatalf("%s\nDocument() accepted it: %s", tc.reason, got)
			}
			if !strings.Contains(err.Error(), tc.op) || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(tc.key)) {
				t.Errorf("%s\nDocument(): the error names neither operator nor key: %v", tc.reason, err)
			}
			if diff := cmp.Diff(Condition{tc.op: {tc.key: {"mine"}}}, added); diff != "" {
				t.Errorf("Document() changed the caller's conditions: -want, +got:\n%s", diff)
			}
		})
	}
}

func TestTargetTrust(t *testing.T) {
	const (
		source   = "arn:aws:iam::123456789012:role/source"
		external = "eu-west-1/123456789012/prod/crossplane-system/provider-aws-s3"
		begin    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":`
		only     = `,"Condition":{"ArnEquals":{"aws:PrincipalArn":"` + source + `"}`
		both     = `["sts:AssumeRole","sts:TagSession"]`
		pods     = `,"aws:RequestTag/kubernetes-namespace":"crossplane-system","aws:RequestTag/kubernetes-service-account":"provider-aws-s3"}}}]}`
	)
	tr := Trust{Region: "eu-west-1", Cluster: "prod", Namespace: "crossplane-system", ServiceAccount: "provider-aws-s3", Conditions: Condition{"Bool": {"aws:a": {"true"}}}}
	noTags, china, account := tr, tr, tr
	noTags.DisableSessionTags, china.Region, account.AccountID = true, "cn-north-1", "210987654321"
	cases := map[string]struct {
		reason           string
		trust            Trust
		source, external string
		want             string
	}{
		"Tags":           {"Session tags name the cluster and the pods. The account is that of the source role.", tr, source, "", begin + both + only + `,"StringEquals":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:123456789012:cluster/prod"` + pods},
		"TagsExternalID": {"With session tags, EKS sends no external ID, so a condition on it would never be met.", tr, source, external, begin + both + only + `,"StringEquals":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:123456789012:cluster/prod"` + pods},
		"Account":        {"A given account is the cluster's.", account, source, "", begin + both + only + `,"StringEquals":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:210987654321:cluster/prod"` + pods},
		"China":          {"The cluster's ARN has the partition of its region.", china, source, "", begin + both + only + `,"StringEquals":{"aws:RequestTag/eks-cluster-arn":"arn:aws-cn:eks:cn-north-1:123456789012:cluster/prod"` + pods},
		"ExternalID":     {"Without session tags, EKS sends the external ID, and needs no permission for tags.", noTags, source, external, begin + `"sts:AssumeRole"` + only + `,"StringEquals":{"sts:ExternalId":"` + external + `"}}}]}`},
		"NeitherKnown":   {"As long as the external ID is unknown, only the source role restricts the trust.", noTags, source, "", begin + `"sts:AssumeRole"` + only + `}}]}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, TargetTrust(tc.trust, tc.source, tc.external).String()); diff != "" {
				t.Errorf("%s\nTargetTrust(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestAssumeStatement(t *testing.T) {
	const role = "arn:aws:iam::210987654321:role/target"
	want := []Statement{
		{Effect: Allow, Action: StringSet{"sts:AssumeRole", "sts:TagSession"}, Resource: StringSet{role}},
		{Effect: Allow, Action: StringSet{"sts:AssumeRole"}, Resource: StringSet{role}},
	}
	got := []Statement{AssumeStatement(role, true), AssumeStatement(role, false)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("AssumeStatement(...) with and without tags: -want, +got:\n%s", diff)
	}
	for _, s := range got {
		if problems := s.Problems(); problems != nil {
			t.Errorf("AssumeStatement(...) has problems: %q", problems)
		}
	}
}

// TestCheckServiceConditions checks conditions on the caller's identity, which are never met when the caller is a service.
func TestCheckServiceConditions(t *testing.T) {
	cases := map[string]struct {
		reason, op, key, value string
		want                   string // A word of the problem.
	}{
		"Organisation": {"A service belongs to no organisation.", "StringEquals", "aws:PrincipalOrgID", "o-1", "aws:SourceOrgID"},
		"Paths":        {"It belongs to no path of one, either.", "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-1/*", "aws:SourceOrgID"},
		"ARN":          {"It has no ARN,", "ArnLike", "AWS:principalarn", "arn:aws:iam::123456789012:role/*", "aws:SourceArn"},
		"Account":      {"no account,", "StringEquals", "aws:PrincipalAccount", "123456789012", "aws:SourceAccount"},
		"Tag":          {"and no tags.", "StringEquals", "aws:PrincipalTag/team", "a", "never be used"},
		"Exists":       {"A condition that requires the key is never met.", "Null", "aws:PrincipalOrgID", "false", "never be used"},
		"ExistsNot":    {"A condition that requires its absence is met.", "Null", "aws:PrincipalOrgID", "true", ""},
		"IfExists":     {"This condition is met without the key.", "StringEqualsIfExists", "aws:PrincipalOrgID", "o-1", ""},
		"Not":          {"So is this one,", "StringNotEquals", "aws:PrincipalOrgID", "o-1", ""},
		"All":          {"and this one.", "ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-1", ""},
		"Service":      {"A service has these keys.", "Bool", "aws:PrincipalIsAWSService", "true", ""},
		"ServiceName":  {"A service has these keys.", "StringEquals", "aws:PrincipalServiceName", "pods.eks.amazonaws.com", ""},
		"SourceOrg":    {"The request has the organisation that EKS acts for.", "StringEquals", "aws:SourceOrgID", "o-1", ""},
		"RequestTag":   {"It also has the session's tags.", "StringEquals", "aws:RequestTag/kubernetes-pod-name", "a", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, p := range CheckServiceConditions("c", Condition{tc.op: {tc.key: {tc.value}}}) {
				got += p.String()
			}
			if tc.want != "" && !strings.HasPrefix(got, "c["+tc.op+"]["+tc.key+"]: ") {
				t.Errorf("%s\nCheckServiceConditions(...) does not report the path: %q", tc.reason, got)
			}
			checkProblem(t, tc.reason, tc.key, tc.want, got)
		})
	}
}

// TestReadTrust checks that the identity is read from a trust policy, and that nothing is read from a policy of another origin.
func TestReadTrust(t *testing.T) {
	document := func(tr Trust) string {
		t.Helper()
		d, err := tr.Document()
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	all := Trust{Region: "eu-west-1", Cluster: "prod", Namespace: "crossplane-system", ServiceAccount: "provider-aws-s3"}
	account, china, more, untagged := all, all, all, all
	account.AccountID = "123456789012"
	china.Region, china.AccountID = "cn-north-1", "123456789012"
	more.Conditions = Condition{"StringEquals": {"aws:RequestTag/kubernetes-pod-name": {"a", "b"}}, "ArnLike": {"aws:SourceVpcArn": {"arn:aws:ec2:us-east-1:123456789012:vpc/x"}}}
	untagged.AccountID, untagged.DisableSessionTags = "123456789012", true
	cases := map[string]struct {
		reason, in string
		want       Trust
	}{
		"Tags":        {"The session tags contain everything.", document(all), all},
		"Account":     {"With an account, the region comes from the source ARN,", document(account), all},
		"China":       {"in any partition.", document(china), Trust{Region: "cn-north-1", Cluster: all.Cluster, Namespace: all.Namespace, ServiceAccount: all.ServiceAccount}},
		"Conditions":  {"Added conditions are ignored.", document(more), all},
		"NoTags":      {"Without session tags, the ServiceAccount is unknown.", document(untagged), Trust{Region: all.Region, Cluster: all.Cluster}},
		"Empty":       {"Nothing is read from an empty policy,", "", Trust{}},
		"NoJSON":      {"from text that is not JSON,", "{", Trust{}},
		"OtherShapes": {"from another structure,", `{"Statement":[{"Condition":{"StringEquals":{"aws:RequestTag/kubernetes-namespace":1,"aws:SourceArn":["x",{}]}}}]}`, Trust{}},
		"Foreign":     {"or from the policy of another role.", `{"Statement":[{"Principal":{"Service":"ec2.amazonaws.com"},"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:ec2:eu-west-1:123456789012:vpc/x"}}}]}`, Trust{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ReadTrust(tc.in)); diff != "" {
				t.Errorf("%s\nReadTrust(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
