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
		"Nothing":      {"If nothing is denied, everything is allowed.", []Statement{allow("*"), allBut("s3:*")}, nil, nil},
		"NoStatements": {"If nothing is granted, nothing is violated.", nil, []string{"*"}, nil},
		"Harmless":     {"Other actions violate nothing.", []Statement{allow("s3:*", "sqs:Get*")}, []string{"iam:*"}, nil},
		"Exact":        {"The denied action itself is a violation.", []Statement{allow("iam:PassRole")}, []string{"iam:PassRole"}, []Violation{{0, "Action", "iam:PassRole", "iam:PassRole"}}},
		"Wider":        {"So is a pattern that contains it.", []Statement{allow("*")}, []string{"iam:PassRole"}, []Violation{{0, "Action", "*", "iam:PassRole"}}},
		"Narrower":     {"So is one of several denied actions.", []Statement{allow("iam:PassRole")}, []string{"iam:*"}, []Violation{{0, "Action", "iam:PassRole", "iam:*"}}},
		"Crossing":     {"So are patterns that overlap.", []Statement{allow("iam:Create*")}, []string{"iam:*User"}, []Violation{{0, "Action", "iam:Create*", "iam:*User"}}},
		"Question":     {"A ? can stand for a letter of an action, too.", []Statement{allow("iam:Pass?ole")}, []string{"iam:PassRole"}, []Violation{{0, "Action", "iam:Pass?ole", "iam:PassRole"}}},
		"Service":      {"A wildcard can stand for the service.", []Statement{allow("*:PassRole")}, []string{"iam:*"}, []Violation{{0, "Action", "*:PassRole", "iam:*"}}},
		"LetterCase":   {"AWS ignores letter case.", []Statement{allow("IAM:passrole")}, []string{"iam:PassRole"}, []Violation{{0, "Action", "IAM:passrole", "iam:PassRole"}}},
		"Condition": {
			"The condition may be met.",
			[]Statement{{Effect: Allow, Action: StringSet{"iam:PassRole"}, Resource: StringSet{"arn:aws:iam::123456789012:role/x"}, Condition: Condition{"Bool": {"aws:SecureTransport": {"true"}}}}},
			[]string{"iam:*"},
			[]Violation{{0, "Action", "iam:PassRole", "iam:*"}},
		},
		"Deny":          {"A Deny grants nothing.", []Statement{{Effect: Deny, Action: StringSet{"iam:*"}, Resource: StringSet{"*"}}, {Effect: Deny, NotAction: StringSet{"s3:*"}, Resource: StringSet{"*"}}}, []string{"iam:*"}, nil},
		"UnknownEffect": {"Any effect other than Deny is treated as Allow.", []Statement{{Effect: "allow", Action: StringSet{"iam:*"}}, {Action: StringSet{"iam:*"}}}, []string{"iam:*"}, []Violation{{0, "Action", "iam:*", "iam:*"}, {1, "Action", "iam:*", "iam:*"}}},
		"NotAction":     {"NotAction with other actions includes the denied one.", []Statement{allBut("s3:*", "sqs:*")}, []string{"iam:PassRole"}, []Violation{{0, "NotAction", "s3:*, sqs:*", "iam:PassRole"}}},
		"NotActionSame": {"NotAction with the denied actions excludes them,", []Statement{allBut("s3:*", "IAM:*")}, []string{"iam:*"}, nil},
		"NotActionWide": {"and so does one with a wider pattern.", []Statement{allBut("iam:*")}, []string{"iam:Create*User"}, nil},
		"NotActionPart": {"NotAction with a part of the denied actions includes the rest.", []Statement{allBut("iam:Create*")}, []string{"iam:*"}, []Violation{{0, "NotAction", "iam:Create*", "iam:*"}}},
		"NotActionTwoParts": {
			"Two patterns may cover all denied actions, but the check does not rely on it.",
			[]Statement{allBut("iam:?*", "iam:")},
			[]string{"iam:*"},
			[]Violation{{0, "NotAction", "iam:?*, iam:", "iam:*"}},
		},
		"Both": {
			"A statement with Action and NotAction is invalid, but both are checked.",
			[]Statement{{Effect: Allow, Action: StringSet{"iam:A"}, NotAction: StringSet{"s3:*"}}},
			[]string{"iam:*"},
			[]Violation{{0, "Action", "iam:A", "iam:*"}, {0, "NotAction", "s3:*", "iam:*"}},
		},
		"Order": {
			"Violations follow the order of the statements, their actions and the denied actions.",
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
