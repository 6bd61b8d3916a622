package iam

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDenied(t *testing.T) {
	allow := func(actions ...string) Statement {
		return Statement{Effect: Allow, Action: actions, Resource: StringSet{"*"}}
	}
	allBut := func(actions ...string) Statement {
		return Statement{Effect: Allow, NotAction: actions, Resource: StringSet{"*"}}
	}
	cases := map[string]struct {
		reason string
		in     []Statement
		denied []string
		want   []Violation
	}{
		"Nothing":      {"Where nothing is denied, anything goes.", []Statement{allow("*"), allBut("s3:*")}, nil, nil},
		"NoStatements": {"Where nothing is granted, nothing is violated.", nil, []string{"*"}, nil},
		"Harmless":     {"Other actions are no violation.", []Statement{allow("s3:*", "sqs:Get*")}, []string{"iam:*"}, nil},
		"Exact":        {"The action itself is.", []Statement{allow("iam:PassRole")}, []string{"iam:PassRole"}, []Violation{{0, "Action", "iam:PassRole", "iam:PassRole"}}},
		"Wider":        {"A pattern that contains it is.", []Statement{allow("*")}, []string{"iam:PassRole"}, []Violation{{0, "Action", "*", "iam:PassRole"}}},
		"Narrower":     {"One of many that are denied is.", []Statement{allow("iam:PassRole")}, []string{"iam:*"}, []Violation{{0, "Action", "iam:PassRole", "iam:*"}}},
		"Crossing":     {"Patterns that only have some action in common are.", []Statement{allow("iam:Create*")}, []string{"iam:*User"}, []Violation{{0, "Action", "iam:Create*", "iam:*User"}}},
		"Question":     {"A ? is a way to write an action, too.", []Statement{allow("iam:Pass?ole")}, []string{"iam:PassRole"}, []Violation{{0, "Action", "iam:Pass?ole", "iam:PassRole"}}},
		"Service":      {"So is a wildcard in place of the service.", []Statement{allow("*:PassRole")}, []string{"iam:*"}, []Violation{{0, "Action", "*:PassRole", "iam:*"}}},
		"LetterCase":   {"AWS ignores letter case.", []Statement{allow("IAM:passrole")}, []string{"iam:PassRole"}, []Violation{{0, "Action", "IAM:passrole", "iam:PassRole"}}},
		"Condition": {
			"A condition may hold.",
			[]Statement{{Effect: Allow, Action: StringSet{"iam:PassRole"}, Resource: StringSet{"arn:aws:iam::123456789012:role/x"}, Condition: Condition{"Bool": {"aws:SecureTransport": {"true"}}}}},
			[]string{"iam:*"},
			[]Violation{{0, "Action", "iam:PassRole", "iam:*"}},
		},
		"Deny":          {"A Deny grants nothing.", []Statement{{Effect: Deny, Action: StringSet{"iam:*"}, Resource: StringSet{"*"}}, {Effect: Deny, NotAction: StringSet{"s3:*"}, Resource: StringSet{"*"}}}, []string{"iam:*"}, nil},
		"UnknownEffect": {"Whatever is no Deny may be an Allow.", []Statement{{Effect: "allow", Action: StringSet{"iam:*"}}, {Action: StringSet{"iam:*"}}}, []string{"iam:*"}, []Violation{{0, "Action", "iam:*", "iam:*"}, {1, "Action", "iam:*", "iam:*"}}},
		"NotAction":     {"All but something else includes it.", []Statement{allBut("s3:*", "sqs:*")}, []string{"iam:PassRole"}, []Violation{{0, "NotAction", "s3:*, sqs:*", "iam:PassRole"}}},
		"NotActionSame": {"All but it does not.", []Statement{allBut("s3:*", "IAM:*")}, []string{"iam:*"}, nil},
		"NotActionWide": {"Nor all but more than it.", []Statement{allBut("iam:*")}, []string{"iam:Create*User"}, nil},
		"NotActionPart": {"All but a part of it includes the rest.", []Statement{allBut("iam:Create*")}, []string{"iam:*"}, []Violation{{0, "NotAction", "iam:Create*", "iam:*"}}},
		"NotActionTwoParts": {
			"Two parts may be the whole, but that is not relied on.",
			[]Statement{allBut("iam:?*", "iam:")},
			[]string{"iam:*"},
			[]Violation{{0, "NotAction", "iam:?*, iam:", "iam:*"}},
		},
		"Both": {
			"Action beside NotAction is no policy, but both are looked at.",
			[]Statement{{Effect: Allow, Action: StringSet{"iam:A"}, NotAction: StringSet{"s3:*"}}},
			[]string{"iam:*"},
			[]Violation{{0, "Action", "iam:A", "iam:*"}, {0, "NotAction", "s3:*", "iam:*"}},
		},
		"Order": {
			"The order is that of the statements, their actions and what is denied.",
			[]Statement{allow("sts:*"), allow("iam:B", "s3:*", "iam:A"), allBut("a:*")},
			[]string{"iam:*", "iam:?", "organizations:*"},
			[]Violation{
				{1, "Action", "iam:B", "iam:*"},
				{1, "Action", "iam:B", "iam:?"},
				{1, "Action", "iam:A", "iam:*"},
				{1, "Action", "iam:A", "iam:?"},
				{2, "NotAction", "a:*", "iam:*"},
				{2, "NotAction", "a:*", "iam:?"},
				{2, "NotAction", "a:*", "organizations:*"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Denied(tc.in, tc.denied)); diff != "" {
				t.Errorf("%s\nDenied(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
