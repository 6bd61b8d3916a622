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
	// DisableSessionTags is what the association says. Without the tags nothing tells EKS's requests for one ServiceAccount
	// from those for another.
	DisableSessionTags bool
	// Conditions to add.
	Conditions Condition
}

// The actions that take on a role, without and with session tags.
const (
	assumeRole = "sts:AssumeRole"
	tagSession = "sts:TagSession"
)

// Document returns the trust policy. EKS sends session tags that name the pod's cluster, namespace and ServiceAccount, so
// the role cannot be used through an association of any other: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html.
// It fails if an added condition would take the place of a generated one.
func (t Trust) Document() (Document, error) {
	c := Condition{}
	if !t.DisableSessionTags {
		c["StringEquals"] = t.tags("aws:RequestTag/eks-cluster-name", t.Cluster)
		if t.AccountID == "" {
			// Clusters of other regions may have the same name. Otherwise aws:SourceArn says which region it is.
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
			// AWS does not tell the letter case of keys.
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

// tags that EKS sends. The cluster's is that of its name or of its ARN.
func (t Trust) tags(clusterTag, cluster string) map[string]StringSet {
	return map[string]StringSet{
		clusterTag:                                  {cluster},
		"aws:RequestTag/kubernetes-namespace":       {t.Namespace},
		"aws:RequestTag/kubernetes-service-account": {t.ServiceAccount},
	}
}

// sourceARNs are what EKS may say a request is for: the cluster, or the association. AWS's documentation has both forms for
// requests of EKS, and does not tell which one it is here.
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
	// sourceARN is what EKS says a request is for.
	sourceARN = "aws:SourceArn"
)

// TargetTrust returns the trust policy of a target role, which may be in another account: the one with which it lets EKS take it on by
// way of the source role, for the pods that the source role is for. It follows
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html.
//
// It trusts the source role's account, and of that the source role. Were the role itself the principal, AWS would keep its unique id in its
// place, and a role that is deleted and made again would not be trusted any more:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
//
// EKS sends session tags or, when they are disabled, the association's external ID. So the external ID limits the policy only then,
// and an empty one, not known yet, leaves the source role as the only limit.
func TargetTrust(t Trust, sourceRoleARN, externalID string) Document {
	// The role and the cluster are always in the same account: IAM lets nobody pass a role to the service of another.
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

// AssumeStatement returns what a role needs to take on a target role, with or without session tags. Tags are passed on from role to
// role, so one that has them cannot take on another without the permission to.
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

// ReadTrust tells whom a trust policy that Document returned trusts: the region, the cluster, the namespace and the ServiceAccount. What the
// policy does not say is empty.
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

// callerKeys are about who calls, and are there where a service does, as EKS does.
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
