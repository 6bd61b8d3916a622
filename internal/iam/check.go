package iam

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Names of the elements of a statement in messages: those of the policy language, or those of an API with other names.
type Names struct {
	Sid, Effect, Principal, Action, NotAction, Resource, NotResource, Condition string
}

//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	elementNames = Names{"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
	plainNames   = Names{"sid", "effect", "principal", "actions", "notActions", "resources", "notResources", "conditions"}
)

// maxProblems is the number of problems after which a check stops.
const maxProblems = 100

// Messages about an element.
const (
	noPrincipal = "a principal belongs in a trust policy, not in a role's permissions"
	exactlyOne  = "exactly one of "
	twice       = "occurs twice"
)

// Problems says what is wrong with a statement of an identity policy.
func (s Statement) Problems() []string {
	var out []string
	for _, p := range s.Check(plainNames) {
		if p.Message == noPrincipal || strings.HasPrefix(p.Message, exactlyOne) {
			out = append(out, p.Message)
		} else {
			out = append(out, p.Element+" "+p.Message)
		}
	}
	return out
}

// Check says what is wrong with a statement of an identity policy, and with which element. If one of two elements is required, the
// problem is reported for the first.
func (s Statement) Check(n Names) []Problem {
	var out []Problem
	add := func(element, format string, args ...any) {
		out = append(out, Problem{Element: element, Message: fmt.Sprintf(format, args...)})
	}
	if strings.ContainsFunc(s.Sid, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		add(n.Sid, "%q may have only letters and digits", s.Sid)
	}
	if s.Effect != Allow && s.Effect != Deny {
		add(n.Effect, "must be Allow or Deny, not %q", s.Effect)
	}
	if len(s.Principal) > 0 {
		add(n.Principal, "%s", noPrincipal)
	}
	if (len(s.Action) == 0) == (len(s.NotAction) == 0) {
		add(n.Action, exactlyOne+"%s and %s is required", n.Action, n.NotAction)
	}
	if (len(s.Resource) == 0) == (len(s.NotResource) == 0) {
		add(n.Resource, exactlyOne+"%s and %s is required", n.Resource, n.NotResource)
	}
	for _, e := range []struct {
		name  string
		set   StringSet
		check func(string) string
	}{
		{n.Action, s.Action, CheckAction},
		{n.NotAction, s.NotAction, CheckAction},
		{n.Resource, s.Resource, CheckResource},
		{n.NotResource, s.NotResource, CheckResource},
	} {
		for i, v := range e.set {
			if problem := e.check(v); problem != "" {
				add(fmt.Sprintf("%s[%d]", e.name, i), "%q %s", v, problem)
			}
			if len(out) > maxProblems {
				return out
			}
		}
	}
	return append(out, s.Condition.Check(n.Condition)...)
}

// CheckAction says what is wrong with an action, or a pattern of actions; empty if nothing is.
func CheckAction(a string) string {
	if a == "*" || a == "*:*" {
		return ""
	}
	service, action, ok := strings.Cut(a, ":")
	switch wild := strings.ContainsAny(service, "*?"); {
	case !ok || !wild && !made(service, "-") || !made(action, "-_*?"):
		return "must have the form service:Action"
	case wild:
		return "must not have wildcards in the service, AWS requires it in full"
	default:
		return ""
	}
}

// made says whether a string is not empty, and has only ASCII letters, digits and these characters.
func made(s, more string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(more, r)
	})
}

// CheckResource says what is wrong with a resource, or a pattern of resources; empty if nothing is.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func CheckResource(r string) string {
	if r == "*" {
		return ""
	}
	if problem := checkText(r); problem != "" {
		return problem
	}
	if !strings.HasPrefix(r, "arn:") {
		return "must be * or an ARN"
	}
	plain, ok := withoutVariables(r)
	if !ok {
		return "has a variable without a name or without its closing brace"
	}
	const form = "must have the form arn:partition:service:region:account:resource"
	parts := strings.SplitN(plain, ":", 6)
	if len(parts) < 6 {
		// A * at the end of a part may stand for all parts that follow.
		if len(parts) < 4 || !strings.HasSuffix(r, "*") {
			return form
		}
		parts = append(parts, "*", "*")[:6]
	}
	account := parts[4]
	switch {
	case !made(parts[1], "-*?$"), !made(parts[2], "-*?"), parts[3] != "" && !made(parts[3], "-*?$"), account != "" && !made(account, "-*?$"), parts[5] == "":
		return form
	case strings.ContainsAny(parts[2], "*?"):
		return "must not have wildcards in the service, AWS requires it in full"
	case strings.Trim(account, "0123456789") == "" && account != "" && len(account) != 12:
		return "must have an account of 12 digits"
	default:
		return checkPlace(parts[2], parts[3], account, parts[5])
	}
}

// withoutVariables returns a text with a $ in place of each ${variable}, whose name may have colons of its own.
func withoutVariables(s string) (string, bool) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		out.WriteString(before)
		if !found {
			return out.String(), true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || strings.TrimSpace(name) == "" {
			return "", false
		}
		out.WriteByte('$')
		s = after
	}
}

// checkText says whether a text has characters that IAM accepts in no policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
func checkText(s string) string {
	for _, r := range s {
		if r < ' ' || r > 'ÿ' {
			return fmt.Sprintf("has the character %+q, AWS accepts those from U+0020 to U+00FF", r)
		}
	}
	return ""
}

// operators are the operators of conditions, without ForAllValues:, ForAnyValue: and IfExists.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var operators = []string{
	"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
	"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
	"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
	"Bool", "BinaryEquals", "IpAddress", "NotIpAddress",
	"ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike",
}

// Check says what is wrong with a condition that has this name in messages. Any value is accepted: which are valid depends on the key,
// and each service has its own.
func (c Condition) Check(name string) []Problem {
	var out []Problem
	add := func(element, format string, args ...any) {
		out = append(out, Problem{Element: element, Message: fmt.Sprintf(format, args...)})
	}
	for _, op := range sorted(c) {
		at := in(name, op)
		if problem := checkOperator(op); problem != "" {
			add(at, "%s", problem)
		}
		if len(c[op]) == 0 {
			add(at, "must not be empty")
		}
		folded := map[string]string{}
		for _, key := range sorted(c[op]) {
			at := in(at, key)
			service, rest, _ := strings.Cut(key, ":")
			switch first, ok := folded[strings.ToLower(key)]; {
			case ok:
				add(at, "is the same key as %s, AWS ignores letter case", first)
			case service == "" || rest == "" || checkText(key) != "":
				add(at, "a key must have the form service:name")
			}
			folded[strings.ToLower(key)] = key
			if len(c[op][key]) == 0 {
				add(at, "must not be empty")
			}
			for i, v := range c[op][key] {
				if problem := checkText(v); problem != "" {
					add(fmt.Sprintf("%s[%d]", at, i), "%q %s", v, problem)
				}
				if len(out) > maxProblems {
					return out
				}
			}
			if len(out) > maxProblems {
				return out
			}
		}
	}
	return out
}

// in returns the place of a key in an object. The key is cut, as it may be of any length and be part of many places.
func in(at, key string) string {
	const most = 200
	if len(key) > most {
		key = strings.ToValidUTF8(key[:most], "") + "..."
	}
	return at + "[" + key + "]"
}

func checkOperator(op string) string {
	name := op
	for _, set := range []string{"ForAllValues:", "ForAnyValue:"} {
		if rest, ok := strings.CutPrefix(name, set); ok {
			name = rest
			break
		}
	}
	if name == "Null" {
		return ""
	}
	name = strings.TrimSuffix(name, "IfExists")
	if slices.Contains(operators, name) {
		return ""
	}
	if i := slices.IndexFunc(operators, func(o string) bool { return strings.EqualFold(o, name) }); i >= 0 {
		return "unknown condition operator, did you mean " + operators[i] + "?"
	}
	return "unknown condition operator"
}
