package iam

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/nearest"
)

// A Problem of a policy document or of one of its statements.
type Problem struct {
	// Element that has it, such as Statement[1].Action[0]. Empty if it is the whole.
	Element string
	// Message says what is wrong with the element.
	Message string
}

// String returns the element and what is wrong with it.
func (p Problem) String() string {
	if p.Element == "" {
		return p.Message
	}
	return p.Element + ": " + p.Message
}

// A DocumentError has all problems of a policy document.
type DocumentError []Problem

func (e DocumentError) Error() string {
	s := make([]string, 0, len(e))
	for _, p := range e {
		s = append(s, p.String())
	}
	return strings.Join(s, "; ")
}

// ParseDocument reads an identity policy. Anything that IAM would refuse, read in another way or ignore is an error, a DocumentError if
// the document is JSON at all. A single statement has the index 0 there. The Id, which means nothing to IAM, is not kept.
func ParseDocument(s string) (Document, error) {
	v, err := readJSON(s)
	if err != nil {
		return Document{}, fmt.Errorf("not a policy document: %w", err)
	}
	p := &parser{}
	statements := p.document(v)
	if len(p.problems) > 0 {
		return Document{}, DocumentError(p.problems)
	}
	return NewDocument(statements...), nil
}

// A parser collects what is wrong with a policy document.
type parser struct {
	problems []Problem
}

func (p *parser) problemf(element, format string, args ...any) {
	p.problems = append(p.problems, Problem{Element: element, Message: fmt.Sprintf(format, args...)})
}

// full says whether there are too many problems already.
func (p *parser) full() bool { return len(p.problems) > maxProblems }

func (p *parser) document(v any) []Statement {
	d, ok := v.(*object)
	if !ok {
		p.problemf("", "a policy document must be an object, not %s", kind(v))
		return nil
	}
	p.elements(d, "", "Version", "Id", "Statement")
	if v, ok := d.values["Version"]; !ok || v != version {
		p.problemf("Version", "must be %q", version)
	}
	if v, ok := d.values["Id"]; ok {
		p.text("Id", v)
	}
	one, ok := d.values["Statement"]
	if !ok {
		p.problemf("Statement", "is required")
		return nil
	}
	list, ok := one.([]any)
	if !ok {
		list = []any{one}
	}
	if len(list) == 0 {
		p.problemf("Statement", "must not be empty")
	}
	statements := make([]Statement, 0, len(list))
	sids := map[string]int{}
	for i, v := range list {
		if p.full() {
			break
		}
		at := fmt.Sprintf("Statement[%d]", i)
		s := p.statement(at, v)
		if first, ok := sids[s.Sid]; ok && s.Sid != "" {
			p.problemf(at+".Sid", "%q is the Sid of Statement[%d] already", s.Sid, first)
		} else {
			sids[s.Sid] = i
		}
		statements = append(statements, s)
	}
	return statements
}

func (p *parser) statement(at string, v any) Statement {
	var s Statement
	o, ok := v.(*object)
	if !ok {
		p.problemf(at, "must be an object, not %s", kind(v))
		return s
	}
	p.elements(o, at+".", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
	// Elements that cannot be read are not reported as missing, too.
	unread := map[string]bool{}
	for _, key := range o.keys {
		before, v, at := len(p.problems), o.values[key], at+"."+key
		switch key {
		case "Sid":
			s.Sid = p.text(at, v)
		case "Effect":
			s.Effect = p.text(at, v)
		case "Principal", "NotPrincipal":
			p.problemf(at, "%s", noPrincipal)
		case "Action":
			s.Action = p.set(at, v, false)
		case "NotAction":
			s.NotAction = p.set(at, v, false)
		case "Resource":
			s.Resource = p.set(at, v, false)
		case "NotResource":
			s.NotResource = p.set(at, v, false)
		case "Condition":
			s.Condition = p.condition(at, v)
		}
		if len(p.problems) > before {
			unread[strings.TrimPrefix(key, "Not")] = true
		}
	}
	for _, problem := range s.Check(elementNames) {
		if !unread[problem.Element] {
			p.problemf(at+"."+problem.Element, "%s", problem.Message)
		}
	}
	return s
}

func (p *parser) condition(at string, v any) Condition {
	operators, ok := p.object(at, v)
	if !ok {
		return nil
	}
	if len(operators.keys) == 0 {
		p.problemf(at, "must not be empty")
	}
	c := make(Condition, len(operators.keys))
	for _, op := range operators.keys {
		at := in(at, op)
		keys, ok := p.object(at, operators.values[op])
		if !ok {
			continue
		}
		values := make(map[string]StringSet, len(keys.keys))
		for _, key := range keys.keys {
			if p.full() {
				return c
			}
			if set := p.set(in(at, key), keys.values[key], true); len(set) > 0 {
				values[key] = set
			}
		}
		if len(values) > 0 || len(keys.keys) == 0 {
			c[op] = values
		}
	}
	return c
}

// object returns an object of a condition. It may have any keys, but each only once.
func (p *parser) object(at string, v any) (*object, bool) {
	o, ok := v.(*object)
	if !ok {
		p.problemf(at, "must be an object, not %s", kind(v))
		return nil, false
	}
	for _, key := range o.twice {
		p.problemf(in(at, key), "%s", twice)
	}
	return o, true
}

// elements reports unknown elements, and those that occur twice.
func (p *parser) elements(o *object, at string, names ...string) {
	for _, key := range o.keys {
		if slices.Contains(names, key) {
			continue
		}
		if p.full() {
			return
		}
		if hint := nearest.Hint(key, names); hint != "" {
			p.problemf(at+key, "unknown element, %s", hint)
		} else {
			p.problemf(at+key, "unknown element, use %s", strings.Join(names, ", "))
		}
	}
	for _, key := range o.twice {
		p.problemf(at+key, "%s", twice)
	}
}

func (p *parser) text(at string, v any) string {
	s, ok := v.(string)
	if !ok {
		p.problemf(at, "must be a string, not %s", kind(v))
	}
	return s
}

// set reads a set of strings, written as one or as a list. The values of conditions may also be numbers and booleans.
func (p *parser) set(at string, v any, condition bool) StringSet {
	if s, ok := scalar(v, condition); ok {
		return StringSet{s}
	}
	list, ok := v.([]any)
	if !ok {
		p.problemf(at, "must be a string or a list of strings, not %s", kind(v))
		return nil
	}
	if len(list) == 0 {
		p.problemf(at, "must not be empty")
	}
	set := make(StringSet, 0, len(list))
	for i, v := range list {
		if p.full() {
			break
		}
		if s, ok := scalar(v, condition); ok {
			set = append(set, s)
		} else {
			p.problemf(fmt.Sprintf("%s[%d]", at, i), "must be a string, not %s", kind(v))
		}
	}
	return set
}

func scalar(v any, condition bool) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number, bool:
		return fmt.Sprint(v), condition
	default:
		return "", false
	}
}
