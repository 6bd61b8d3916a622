package policy

import (
	"fmt"
	"slices"
	"strings"
)

// A Request of a caller for an action on a resource.
type Request struct {
	// Action, such as iam:CreateRole.
	Action string
	// Resource is the ARN of the resource.
	Resource string
	// Caller makes the request.
	Caller Caller
	// Keys of conditions beside those of the caller.
	Keys map[string][]string
}

// A Caller is a session of a role, a service of AWS, or known to an identity provider.
type Caller struct {
	// Service, such as pods.eks.amazonaws.com. Then the rest is empty.
	Service string
	// Federated is the ARN of an identity provider of the account, which vouches for the caller. Then the rest is empty, too.
	Federated string
	// Account, ARN of the session and ARN of its role.
	Account, ARN, Role string
	// Tags of the session, and of the role where the session has none.
	Tags map[string]string
}

// value of a condition key. The letter case of keys does not matter, and neither does that of tags: IAM treats tags that differ only in
// case as one.
func (r Request) value(key string) []string {
	for k, v := range r.Keys {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	known := map[string]string{
		"aws:principalarn": r.Caller.Role, "aws:principalaccount": r.Caller.Account, "aws:principalservicename": r.Caller.Service,
	}
	const tag = "aws:principaltag/"
	if v := known[strings.ToLower(key)]; v != "" {
		return []string{v}
	}
	if len(key) > len(tag) && strings.EqualFold(key[:len(tag)], tag) {
		for k, v := range r.Caller.Tags {
			if strings.EqualFold(k, key[len(tag):]) {
				return []string{v}
			}
		}
	}
	return nil
}

// expand policy variables, such as ${aws:PrincipalTag/team}. One that has no value matches nothing.
func (r Request) expand(text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "${")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		switch v := r.value(name); {
		case !ok:
			return b.String() + "${" + rest
		case name == "*" || name == "?" || name == "$":
			b.WriteString(name)
		case len(v) == 1:
			b.WriteString(v[0])
		default:
			b.WriteString("\x00")
		}
		text = after
	}
}

// An Effect of policies on a request.
type Effect int

// The effects that there are.
const (
	// Silent policies do not allow it.
	Silent Effect = iota
	Allow
	Deny
)

// String for messages.
func (e Effect) String() string { return [...]string{"nothing allows it", "allowed", "denied"}[e] }

// Identity evaluates the policies of an identity: one explicit deny is enough to refuse, one allow to let it through otherwise.
func Identity(documents []*Document, r Request) Effect {
	effect := Silent
	for _, d := range documents {
		for _, s := range d.Statements {
			if !s.about(r) || !s.resource(r) || !s.Condition.holds(r) {
				continue
			}
			if s.Effect == "Deny" {
				return Deny
			}
			effect = Allow
		}
	}
	return effect
}

// A Trust is how a role trusts a caller.
type Trust struct {
	Effect
	// Account says that only the caller's whole account is trusted: its own policies must allow it, too.
	Account bool
}

// Trusts evaluates the trust policy of a role of the account for a caller that asks to assume it.
func Trusts(d *Document, account string, r Request) Trust {
	t := Trust{Account: true}
	for _, s := range d.Statements {
		how := s.Principal.names(r.Caller)
		if how == nobody || !s.about(r) || !s.Condition.holds(r) {
			continue
		}
		if s.Effect == "Deny" {
			return Trust{Effect: Deny}
		}
		t.Effect = Allow
		// Across accounts both sides have to agree, no matter whether the caller itself or its account is named.
		t.Account = t.Account && (how == itsAccount || r.Caller.Service == "" && r.Caller.Account != account)
	}
	return t
}

// named says how a principal names a caller.
type named int

const (
	nobody named = iota
	itsAccount
	itself
)

func (p Principal) names(c Caller) named {
	how := nobody
	for _, v := range p["Service"] {
		if c.Service != "" && v == c.Service {
			return itself
		}
	}
	if c.Federated != "" && slices.Contains(p["Federated"], c.Federated) {
		return itself
	}
	if c.Service != "" || c.Federated != "" {
		return nobody
	}
	for _, v := range p["AWS"] {
		switch {
		case v == c.ARN || v == c.Role:
			return itself
		case v == "*" || v == c.Account || strings.HasPrefix(v, "arn:") && strings.HasSuffix(v, fmt.Sprintf(":iam::%s:root", c.Account)):
			how = itsAccount
		}
	}
	return how
}

// about says whether the statement is about the action.
func (s Statement) about(r Request) bool {
	matches := func(p string) bool { return like(strings.ToLower(p), strings.ToLower(r.Action)) }
	if len(s.NotAction) > 0 {
		return !slices.ContainsFunc(s.NotAction, matches)
	}
	return slices.ContainsFunc(s.Action, matches)
}

// resource says whether the statement is about the resource.
func (s Statement) resource(r Request) bool {
	matches := func(p string) bool { return like(r.expand(p), r.Resource) }
	if len(s.NotResource) > 0 {
		return !slices.ContainsFunc(s.NotResource, matches)
	}
	return slices.ContainsFunc(s.Resource, matches)
}
