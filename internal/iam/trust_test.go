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
	)
	cases := map[string]struct {
		reason string
		in     Trust
		want   string
	}{
		"SessionTags": {
			reason: "The role should trust only the pods of one ServiceAccount of one cluster.",
			in:     base,
			want:   begin + `"StringEquals":{` + tags + `}` + end,
		},
		"Account": {
			reason: "With the account known, EKS may use the role only for this cluster of this account.",
			in:     with(func(tr *Trust) { tr.AccountID = "123456789012" }),
			want: begin + `"ArnEquals":{"aws:SourceArn":"arn:aws:eks:eu-west-1:123456789012:cluster/prod"},"StringEquals":{` + tags +
				`,"aws:SourceAccount":"123456789012"}` + end,
		},
		"China": {
			reason: "The cluster's ARN should be one of the region's partition.",
			in:     with(func(tr *Trust) { tr.Region, tr.AccountID = "cn-north-1", "123456789012" }),
			want: begin + `"ArnEquals":{"aws:SourceArn":"arn:aws-cn:eks:cn-north-1:123456789012:cluster/prod"},"StringEquals":{` + tags +
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
				`"StringLike":{"aws:PrincipalOrgID":["o-1","o-2"]}` + end,
		},
		"SameKeyOtherOperator": {
			reason: "A generated key may be limited further with another operator: conditions only ever narrow.",
			in: with(func(tr *Trust) {
				tr.Conditions = Condition{"StringNotEquals": {"aws:RequestTag/eks-cluster-name": {"x"}}}
			}),
			want: begin + `"StringEquals":{` + tags + `},"StringNotEquals":{"aws:RequestTag/eks-cluster-name":"x"}` + end,
		},
		"SourceAccountAdded": {
			reason: "Without an account the key is not generated, so it may be set.",
			in:     with(func(tr *Trust) { tr.Conditions = Condition{"StringEquals": {"aws:SourceAccount": {"123456789012"}}} }),
			want:   begin + `"StringEquals":{` + tags + `,"aws:SourceAccount":"123456789012"}` + end,
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
		"Account":        {"Nor the account, once it is given.", "123456789012", "StringEquals", "aws:SourceAccount"},
		"SourceARN":      {"Nor the cluster's ARN.", "123456789012", "ArnEquals", "aws:SourceArn"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			added := Condition{tc.op: {tc.key: {"mine"}}}
			tr := Trust{Region: "eu-west-1", Cluster: "prod", Namespace: "n", ServiceAccount: "s", AccountID: tc.account, Conditions: added}
			got, err := tr.Document()
			if err == nil {
				t.Fatalf("%s\nDocument() accepted it: %s", tc.reason, got)
			}
			if !strings.Contains(err.Error(), tc.op) || !strings.Contains(err.Error(), tc.key) {
				t.Errorf("%s\nDocument(): the error names neither operator nor key: %v", tc.reason, err)
			}
			if diff := cmp.Diff(Condition{tc.op: {tc.key: {"mine"}}}, added); diff != "" {
				t.Errorf("Document() changed the conditions that it was given: -want, +got:\n%s", diff)
			}
		})
	}
}
