package iam

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Trust says whom a role trusts: EKS Pod Identity, for the pods of one ServiceAccount.
type Trust struct {
	Region         string
	Cluster        string
	Namespace      string
	ServiceAccount string
	// AccountID of the cluster, optional.
	AccountID string
	// DisableSessionTags is the setting of the association. Without the tags, EKS's requests for one ServiceAccount do not differ from
	// those for another.
	DisableSessionTags bool
	// Conditions to add.
	Conditions Condition
}

// The actions that assume a role, without and with session tags.
const (
	assumeRole = "sts:AssumeRole"
	tagSession = "sts:TagSession"
)

// Document returns the trust policy. EKS sends session tags that name the pod's cluster, namespace and ServiceAccount, so
// the role cannot be used through an association of any other: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html.
// It fails if an added condition would replace a generated one.
func (t Trust) Document() (Document, error) {
	c := Condition{}
	if !t.DisableSessionTags {
		c["StringEquals"] = t.tags("aws:RequestTag/eks-cluster-name", t.Cluster)
		if t.AccountID == "" {
			// Clusters of other regions may have the same name. With an account, aws:SourceArn names the region.
			c["StringLike"] = map[string]StringSet{clusterARNTag: {t.clusterARN("*")}}
		}
	}
	if t.AccountID != "" {
		if c["StringEquals"] == nil {
			c["StringEquals"] = map[string]StringSet{}
		}
		c["StringEquals"]["aws:SourceAccount"] = StringSet{t.AccountID}
		c["ArnLike"] = map[string]StringSet{sourceARN: t.sourceARNs()}
	}
	for _, op := range sorted(t.Conditions) {
		if len(t.Conditions[op]) == 0 {
			continue
		}
		generated, merged := c[op], maps.Clone(t.Conditions[op])
		for _, key := range sorted(generated) {
			// AWS ignores the letter case of keys.
			for added := range merged {
				if strings.EqualFold(added, key) {
					return Document{}, fmt.Errorf("%s of %s is generated and cannot be set", op, key)
				}
			}
			merged[key] = generated[key]
		}
		c[op] = merged
	}
	return NewDocument(Statement{
		Effect:    Allow,
		Principal: map[string]StringSet{"Service": {"pods.eks.amazonaws.com"}},
		Action:    StringSet{assumeRole, tagSession},
		Condition: c,
	}), nil
}

// tags returns the tags that EKS sends. The cluster's is that of its name or of its ARN.
func (t Trust) tags(clusterTag, cluster string) map[string]StringSet {
	return map[string]StringSet{
		clusterTag:                                  {cluster},
		"aws:RequestTag/kubernetes-namespace":       {t.Namespace},
		"aws:RequestTag/kubernetes-service-account": {t.ServiceAccount},
	}
}

// sourceARNs are the ARNs that EKS may give as the source of a request: the cluster, or the association. AWS's documentation has both
// forms for requests of EKS, and does not say which one applies here.
func (t Trust) sourceARNs() StringSet {
	prefix := fmt.Sprintf("arn:%s:eks:%s:%s:", Partition(t.Region), t.Region, t.AccountID)
	return StringSet{t.clusterARN(t.AccountID), prefix + "podidentityassociation/" + t.Cluster + "/*"}
}

func (t Trust) clusterARN(account string) string {
	return fmt.Sprintf("arn:%s:eks:%s:%s:cluster/%s", Partition(t.Region), t.Region, account, t.Cluster)
}

const (
	// clusterARNTag is the session tag of EKS that has the cluster's ARN.
	clusterARNTag = "aws:RequestTag/eks-cluster-arn"
	// sourceARN is the key of the ARN that EKS gives as the source of a request.
	sourceARN = "aws:SourceArn"
)

// TargetTrust returns the trust policy of a target role, which may be in another account. It lets EKS assume that role by way of the
// source role, for the pods that the source role is for. It follows
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html.
//
// It trusts the source role's account and, by condition, only the source role. If the role itself were the principal, AWS would keep
// its unique id in its place, and would no longer trust a role that is deleted and created again:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
//
// EKS sends session tags or, when they are disabled, the association's external ID. So the external ID limits the policy only then,
// and an empty one, not known yet, leaves the source role as the only limit.
func TargetTrust(t Trust, sourceRoleARN, externalID string) Document {
	// The role and the cluster are always in the same account: IAM lets no caller pass a role to the service of another.
	account := ARNAccount(sourceRoleARN)
	s := Statement{
		Effect:    Allow,
		Principal: map[string]StringSet{"AWS": {fmt.Sprintf("arn:%s:iam::%s:root", ARNPartition(sourceRoleARN), account)}},
		Action:    assumeActions(!t.DisableSessionTags),
		Condition: Condition{"ArnEquals": {"aws:PrincipalArn": {sourceRoleARN}}},
	}
	switch {
	case !t.DisableSessionTags:
		s.Condition["StringEquals"] = t.tags(clusterARNTag, t.clusterARN(cmp.Or(t.AccountID, account)))
	case externalID != "":
		s.Condition["StringEquals"] = map[string]StringSet{"sts:ExternalId": {externalID}}
	}
	return NewDocument(s)
}

// AssumeStatement returns what a role needs to assume a target role, with or without session tags. Tags are passed on from role to
// role, so a session with tags cannot assume another role without permission to pass them.
func AssumeStatement(targetRoleARN string, tags bool) Statement {
	return AssumeStatements(StringSet{targetRoleARN}, tags)
}

// AssumeStatements is AssumeStatement for several roles, or patterns of roles.
func AssumeStatements(roles StringSet, tags bool) Statement {
	return Statement{Effect: Allow, Action: assumeActions(tags), Resource: roles}
}

func assumeActions(tags bool) StringSet {
	if tags {
		return StringSet{assumeRole, tagSession}
	}
	return StringSet{assumeRole}
}

// ReadTrust returns the region, the cluster, the namespace and the ServiceAccount that a trust policy of Document trusts. Fields that
// the policy does not name are empty.
func ReadTrust(document string) Trust {
	var d struct {
		Statement []struct {
			Condition map[string]map[string]any `json:"Condition"`
		} `json:"Statement"`
	}
	t := Trust{}
	if document == "" || json.Unmarshal([]byte(document), &d) != nil {
		return t
	}
	for _, s := range d.Statement {
		for _, op := range sorted(s.Condition) {
			trusts(&t, s.Condition[op])
		}
	}
	return t
}

// trusts reads the keys of one operator.
func trusts(t *Trust, keys map[string]any) {
	for key, v := range keys {
		list, _ := v.([]any)
		for _, v := range append([]any{v}, list...) {
			s, ok := v.(string)
			if !ok {
				continue
			}
			switch key {
			case "aws:RequestTag/kubernetes-namespace":
				t.Namespace = s
			case "aws:RequestTag/kubernetes-service-account":
				t.ServiceAccount = s
			case clusterARNTag, sourceARN:
				if cluster, ok := strings.CutPrefix(arnPart(s, 5), "cluster/"); ok {
					t.Region, t.Cluster = arnPart(s, 3), cluster
				}
			}
		}
	}
}

// callerKeys are about the caller, and requests of a service such as EKS have them, too.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var callerKeys = []string{"aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist", "aws:principaltype"}

// CheckServiceConditions finds, in a condition of a trust policy for a service, keys that no request of a service has: with them the
// role could never be assumed.
func CheckServiceConditions(name string, c Condition) []Problem {
	var out []Problem
	for _, op := range sorted(c) {
		for _, key := range sorted(c[op]) {
			folded := strings.ToLower(key)
			if !strings.HasPrefix(folded, "aws:principal") || slices.Contains(callerKeys, folded) || holdsWithout(op, c[op][key]) {
				continue
			}
			problem := fmt.Sprintf("EKS calls as a service, which has no %s: the role could never be used. ", key)
			if strings.HasPrefix(folded, "aws:principalorg") {
				problem += "Your organisation is aws:SourceOrgID"
			} else {
				problem += "The account is aws:SourceAccount, the cluster aws:SourceArn"
			}
			if out = append(out, Problem{Element: in(in(name, op), key), Message: problem}); len(out) > maxProblems {
				return out
			}
		}
	}
	return out
}

// holdsWithout says whether a condition holds if the request does not have the key.
func holdsWithout(op string, values StringSet) bool {
	if op == "Null" {
		return !slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, "false") })
	}
	return strings.HasSuffix(op, "IfExists") || strings.HasPrefix(op, "ForAllValues:") || strings.Contains(op, "Not")
}
