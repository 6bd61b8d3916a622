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
		// In any account, as none is known, but only in this region.
		arn  = `"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:*:cluster/prod"`
		like = `,"StringLike":{` + arn + `}`
	)
	cases := map[string]struct {
		reason string
		in     Trust
		want   string
	}{
		"SessionTags": {
			reason: "The role should trust only the pods of one ServiceAccount of one cluster of one region.",
			in:     base,
			want:   begin + `"StringEquals":{` + tags + `}` + like + end,
		},
		"Account": {
			reason: "With the account known, EKS may use the role only for this cluster of this account.",
			in:     with(func(tr *Trust) { tr.AccountID = "123456789012" }),
			want: begin + `"ArnLike":{"aws:SourceArn":["arn:aws:eks:eu-west-1:123456789012:cluster/prod","arn:aws:eks:eu-west-1:123456789012:podidentityassociation/prod/*"]},"StringEquals":{` + tags +
				`,"aws:SourceAccount":"123456789012"}` + end,
		},
		"China": {
			reason: "The cluster's ARN should be one of the region's partition.",
			in:     with(func(tr *Trust) { tr.Region, tr.AccountID = "cn-north-1", "123456789012" }),
			want: begin + `"ArnLike":{"aws:SourceArn":["arn:aws-cn:eks:cn-north-1:123456789012:cluster/prod","arn:aws-cn:eks:cn-north-1:123456789012:podidentityassociation/prod/*"]},"StringEquals":{` + tags +
				`,"aws:SourceAccount":"123456789012"}` + end,
		},
		"Added": {
			reason: "Conditions of another operator, and other keys of the same operator, should be added, and sorted.",
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
			reason: "A generated key may be limited further with another operator: conditions only ever narrow.",
			in: with(func(tr *Trust) {
				tr.Conditions = Condition{"StringNotEquals": {"aws:RequestTag/eks-cluster-name": {"x"}}}
			}),
			want: begin + `"StringEquals":{` + tags + `}` + like + `,"StringNotEquals":{"aws:RequestTag/eks-cluster-name":"x"}` + end,
		},
		"NoTags": {
			reason: "Without session tags a condition on them would never hold.",
			in:     with(func(tr *Trust) { tr.DisableSessionTags = true }),
			want:   strings.TrimSuffix(begin, `,"Condition":{`) + `}]}`,
		},
		"NoTagsAccount": {
			reason: "The account and the cluster limit the role without session tags, too.",
			in:     with(func(tr *Trust) { tr.DisableSessionTags, tr.AccountID = true, "123456789012" }),
			want: begin + `"ArnLike":{"aws:SourceArn":["arn:aws:eks:eu-west-1:123456789012:cluster/prod","arn:aws:eks:eu-west-1:123456789012:podidentityassociation/prod/*"]},` +
				`"StringEquals":{"aws:SourceAccount":"123456789012"}` + end,
		},
		"NoTagsAdded": {
			reason: "Conditions may be added without session tags, too, also on the tags.",
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
			reason: "Without an account the key is not generated, so it may be set.",
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
		"Cluster":        {"The cluster's tag should not be replaced.", "", "StringEquals", "aws:RequestTag/eks-cluster-name"},
		"Namespace":      {"Nor the namespace's.", "", "StringEquals", "aws:RequestTag/kubernetes-namespace"},
		"ServiceAccount": {"Nor the ServiceAccount's.", "", "StringEquals", "aws:RequestTag/kubernetes-service-account"},
		"LetterCase":     {"Nor in other letters, which are the same to AWS.", "", "StringEquals", "AWS:requesttag/EKS-cluster-name"},
		"Account":        {"Nor the account, once it is given.", "123456789012", "StringEquals", "aws:SourceAccount"},
		"SourceARN":      {"Nor the cluster's ARN.", "123456789012", "ArnLike", "aws:SourceArn"},
		"ClusterARN":     {"Nor what stands for it without an account.", "", "StringLike", "aws:RequestTag/eks-cluster-arn"},
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
				t.Errorf("Document() changed the conditions that it was given: -want, +got:\n%s", diff)
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
		"Tags":           {"With session tags they name the cluster and the pods. The account is the source role's.", tr, source, "", begin + both + only + `,"StringEquals":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:123456789012:cluster/prod"` + pods},
		"TagsExternalID": {"With session tags EKS sends no external ID, so a condition on it would never hold.", tr, source, external, begin + both + only + `,"StringEquals":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:123456789012:cluster/prod"` + pods},
		"Account":        {"An account that is given is the cluster's.", account, source, "", begin + both + only + `,"StringEquals":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:210987654321:cluster/prod"` + pods},
		"China":          {"The cluster's ARN is one of its region's partition.", china, source, "", begin + both + only + `,"StringEquals":{"aws:RequestTag/eks-cluster-arn":"arn:aws-cn:eks:cn-north-1:123456789012:cluster/prod"` + pods},
		"ExternalID":     {"Without session tags EKS sends the external ID, and needs no permission for tags.", noTags, source, external, begin + `"sts:AssumeRole"` + only + `,"StringEquals":{"sts:ExternalId":"` + external + `"}}}]}`},
		"NeitherKnown":   {"As long as the external ID is not known the source role is the limit.", noTags, source, "", begin + `"sts:AssumeRole"` + only + `}}]}`},
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

// TestCheckServiceConditions: conditions on who calls never hold where a service does.
func TestCheckServiceConditions(t *testing.T) {
	cases := map[string]struct {
		reason, op, key, value string
		want                   string // A word of the problem.
	}{
		"Organisation": {"A service belongs to no organisation.", "StringEquals", "aws:PrincipalOrgID", "o-1", "aws:SourceOrgID"},
		"Paths":        {"Nor to a path of one.", "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-1/*", "aws:SourceOrgID"},
		"ARN":          {"It has no ARN,", "ArnLike", "AWS:principalarn", "arn:aws:iam::123456789012:role/*", "aws:SourceArn"},
		"Account":      {"no account,", "StringEquals", "aws:PrincipalAccount", "123456789012", "aws:SourceAccount"},
		"Tag":          {"and no tags.", "StringEquals", "aws:PrincipalTag/team", "a", "never be used"},
		"Exists":       {"To ask for the key is the same.", "Null", "aws:PrincipalOrgID", "false", "never be used"},
		"ExistsNot":    {"To ask for its absence is not.", "Null", "aws:PrincipalOrgID", "true", ""},
		"IfExists":     {"Without the key this holds.", "StringEqualsIfExists", "aws:PrincipalOrgID", "o-1", ""},
		"Not":          {"As does this,", "StringNotEquals", "aws:PrincipalOrgID", "o-1", ""},
		"All":          {"and this.", "ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-1", ""},
		"Service":      {"These keys a service has.", "Bool", "aws:PrincipalIsAWSService", "true", ""},
		"ServiceName":  {"These keys a service has.", "StringEquals", "aws:PrincipalServiceName", "pods.eks.amazonaws.com", ""},
		"SourceOrg":    {"What EKS acts for is told.", "StringEquals", "aws:SourceOrgID", "o-1", ""},
		"RequestTag":   {"As are the session's tags.", "StringEquals", "aws:RequestTag/kubernetes-pod-name", "a", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, p := range CheckServiceConditions("c", Condition{tc.op: {tc.key: {tc.value}}}) {
				got += p.String()
			}
			if tc.want != "" && !strings.HasPrefix(got, "c["+tc.op+"]["+tc.key+"]: ") {
				t.Errorf("%s\nCheckServiceConditions(...) does not say where: %q", tc.reason, got)
			}
			checkProblem(t, tc.reason, tc.key, tc.want, got)
		})
	}
}

// TestReadTrust: a trust policy tells whom it was written for, and what nobody wrote tells nothing.
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
		"Tags":        {"The session tags tell all.", document(all), all},
		"Account":     {"With the account, the region is that of the source.", document(account), all},
		"China":       {"Whatever the partition.", document(china), Trust{Region: "cn-north-1", Cluster: all.Cluster, Namespace: all.Namespace, ServiceAccount: all.ServiceAccount}},
		"Conditions":  {"Conditions that were added tell nothing.", document(more), all},
		"NoTags":      {"Without session tags the ServiceAccount is not known.", document(untagged), Trust{Region: all.Region, Cluster: all.Cluster}},
		"Empty":       {"Nothing tells nothing,", "", Trust{}},
		"NoJSON":      {"nor does what is no JSON,", "{", Trust{}},
		"OtherShapes": {"nor what has another shape,", `{"Statement":[{"Condition":{"StringEquals":{"aws:RequestTag/kubernetes-namespace":1,"aws:SourceArn":["x",{}]}}}]}`, Trust{}},
		"Foreign":     {"nor the policy of another role.", `{"Statement":[{"Principal":{"Service":"ec2.amazonaws.com"},"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:ec2:eu-west-1:123456789012:vpc/x"}}}]}`, Trust{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ReadTrust(tc.in)); diff != "" {
				t.Errorf("%s\nReadTrust(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
