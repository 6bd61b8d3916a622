package iam

import (
	"fmt"
	"maps"
)

// A Trust says whom a role trusts: EKS Pod Identity, for the pods of one ServiceAccount.
type Trust struct {
	Region         string
	Cluster        string
	Namespace      string
	ServiceAccount string
	// AccountID of the cluster, optional.
	AccountID string
	// Conditions to add.
	Conditions Condition
}

// Document returns the trust policy. EKS sends session tags that name the pod's cluster, namespace and ServiceAccount, so
// the role cannot be used through an association of any other: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html.
// It fails if an added condition would take the place of a generated one.
func (t Trust) Document() (Document, error) {
	equals := map[string]StringSet{
		"aws:RequestTag/eks-cluster-name":           {t.Cluster},
		"aws:RequestTag/kubernetes-namespace":       {t.Namespace},
		"aws:RequestTag/kubernetes-service-account": {t.ServiceAccount},
	}
	c := Condition{"StringEquals": equals}
	if t.AccountID != "" {
		equals["aws:SourceAccount"] = StringSet{t.AccountID}
		c["ArnEquals"] = map[string]StringSet{"aws:SourceArn": {t.clusterARN()}}
	}
	for _, op := range sorted(t.Conditions) {
		c[op] = maps.Clone(c[op])
		if c[op] == nil {
			c[op] = map[string]StringSet{}
		}
		for _, key := range sorted(t.Conditions[op]) {
			if _, ok := c[op][key]; ok {
				return Document{}, fmt.Errorf("%s of %s is generated and cannot be set", op, key)
			}
			c[op][key] = t.Conditions[op][key]
		}
	}
	return NewDocument(Statement{
		Effect:    Allow,
		Principal: map[string]StringSet{"Service": {"pods.eks.amazonaws.com"}},
		Action:    StringSet{"sts:AssumeRole", "sts:TagSession"},
		Condition: c,
	}), nil
}

func (t Trust) clusterARN() string {
	return fmt.Sprintf("arn:%s:eks:%s:%s:cluster/%s", Partition(t.Region), t.Region, t.AccountID, t.Cluster)
}
