package iam

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A Caller is a provider that assumes the role of a tenant.
type Caller struct {
	// RoleARN that the provider runs with.
	RoleARN string
	// ServiceAccount that it runs as.
	ServiceAccount string
	// NoTags says that EKS leaves out its session tags.
	NoTags bool
}

// A TenantTrust says whom the role of a tenant trusts: the providers that it shares with others.
type TenantTrust struct {
	Region    string
	Cluster   string
	Namespace string
	Callers   []Caller
	// ExternalID that the callers must send; empty for none.
	ExternalID string
}

// The session tags of EKS, as those of the caller's session. Here the provider assumes the role, not EKS.
const (
	principalCluster        = "aws:PrincipalTag/eks-cluster-arn"
	principalNamespace      = "aws:PrincipalTag/kubernetes-namespace"
	principalServiceAccount = "aws:PrincipalTag/kubernetes-service-account"
)

// maxListedTwice is up to how many callers are listed in both statements of a trust policy: it may have 2,048 characters.
const maxListedTwice = 8

// Document returns the trust policy. It trusts the account of the callers and, by condition, only the callers: if their roles were the
// principals, AWS would keep their unique ids, and would no longer trust a role that is created again.
//
// An external ID is not part of a request to tag a session: a statement with both actions and the external ID would let no caller pass
// on tags.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
func (t TenantTrust) Document() Document {
	first := t.Callers[0].RoleARN
	account, partition := ARNAccount(first), ARNPartition(first)
	root := map[string]StringSet{"AWS": {fmt.Sprintf("arn:%s:iam::%s:root", partition, account)}}
	var roles, accounts StringSet
	for _, c := range t.Callers {
		roles, accounts = append(roles, c.RoleARN), append(accounts, c.ServiceAccount)
	}
	assume := Condition{"ArnEquals": {"aws:PrincipalArn": roles}}
	equals := map[string]StringSet{}
	if t.Tagged() {
		equals[principalCluster] = StringSet{fmt.Sprintf("arn:%s:eks:%s:%s:cluster/%s", partition, t.Region, account, t.Cluster)}
		equals[principalNamespace] = StringSet{t.Namespace}
		equals[principalServiceAccount] = accounts
	}
	if t.ExternalID != "" {
		equals["sts:ExternalId"] = StringSet{t.ExternalID}
	}
	if len(equals) > 0 {
		assume["StringEquals"] = equals
	}
	statements := []Statement{{Effect: Allow, Principal: root, Action: StringSet{assumeRole}, Condition: assume}}
	if slices.ContainsFunc(t.Callers, func(c Caller) bool { return !c.NoTags }) {
		tag := Condition{"ArnEquals": {"aws:PrincipalArn": roles}}
		if len(roles) > maxListedTwice {
			// Tagging a session alone grants nothing.
			tag = Condition{"StringEquals": {"aws:PrincipalAccount": {account}}}
		}
		statements = append(statements, Statement{Effect: Allow, Principal: root, Action: StringSet{tagSession}, Condition: tag})
	}
	return NewDocument(statements...)
}

// TenantRoles returns the roles, as patterns, that a policy of AssumeStatements lets a provider assume. None for any other policy.
func TenantRoles(policy string) []string {
	if policy == "" {
		return nil
	}
	d, err := ParseDocument(policy)
	if err != nil {
		return nil
	}
	var out []string
	for _, s := range d.Statement {
		for _, r := range s.Resource {
			if tenantRoles.MatchString(r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// tenantRoles matches patterns of roles below a path.
var tenantRoles = regexp.MustCompile(`^arn:aws[a-z0-9-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+/\*$`) //nolint:gochecknoglobals // A constant in all but the keyword.

// Tagged says whether every caller's session has EKS's tags, so that conditions can look at them.
func (t TenantTrust) Tagged() bool {
	return !slices.ContainsFunc(t.Callers, func(c Caller) bool { return c.NoTags })
}

// ForServiceAccount limits a statement to the pods of one ServiceAccount. EKS's session tags are transitive: the sessions of the roles
// that a provider assumes have them, too. A Deny stays as wide as it is. Taken says that the statement has a condition on that tag
// already.
func (s Statement) ForServiceAccount(name string) (limited Statement, taken bool) {
	if s.Effect == Deny {
		return s, false
	}
	const equals = "StringEquals"
	op, out := equals, Condition{}
	for o, keys := range s.Condition {
		if strings.EqualFold(o, equals) {
			op = o
		}
		out[o] = keys
		for k := range keys {
			if strings.EqualFold(k, principalServiceAccount) {
				return s, true
			}
		}
	}
	keys := map[string]StringSet{principalServiceAccount: {name}}
	maps.Copy(keys, s.Condition[op])
	out[op] = keys
	s.Condition = out
	return s, false
}
