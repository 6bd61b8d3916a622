package iam

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStatementProblems(t *testing.T) {
	ok := Statement{Effect: Allow, Action: StringSet{"s3:*"}, Resource: StringSet{"*"}}
	with := func(change func(*Statement)) Statement {
		s := ok
		change(&s)
		return s
	}
	cases := map[string]struct {
		reason string
		in     Statement
		want   []string
	}{
		"Good":          {"A valid statement has no problem.", ok, nil},
		"Negated":       {"A statement may list exceptions instead.", Statement{Sid: "Ab1", Effect: Deny, NotAction: StringSet{"iam:*"}, NotResource: StringSet{"arn:aws:s3:::x"}}, nil},
		"Star":          {"An action may be *.", with(func(s *Statement) { s.Action = StringSet{"*"} }), nil},
		"Variables":     {"An ARN may have wildcards and variables.", with(func(s *Statement) { s.Resource = StringSet{"arn:aws-cn:s3:::${aws:username}/*"} }), nil},
		"Nothing":       {"Everything that is missing is reported at once.", Statement{}, []string{`effect must be Allow or Deny, not ""`, "exactly one of actions and notActions is required", "exactly one of resources and notResources is required"}},
		"Effect":        {"Effects are case-sensitive.", with(func(s *Statement) { s.Effect = "allow" }), []string{`effect must be Allow or Deny, not "allow"`}},
		"BothActions":   {"Only one of the two forms of actions can be used.", with(func(s *Statement) { s.NotAction = StringSet{"iam:*"} }), []string{"exactly one of actions and notActions is required"}},
		"NoAction":      {"An empty set of actions is missing.", with(func(s *Statement) { s.Action = StringSet{} }), []string{"exactly one of actions and notActions is required"}},
		"BothResources": {"Only one of the two forms of resources can be used.", with(func(s *Statement) { s.NotResource = StringSet{"*"} }), []string{"exactly one of resources and notResources is required"}},
		"Principal":     {"A permission has no principal.", with(func(s *Statement) { s.Principal = map[string]StringSet{"AWS": {"*"}} }), []string{"a principal belongs in a trust policy, not in a role's permissions"}},
		"Sid":           {"A dash is not a letter.", with(func(s *Statement) { s.Sid = "a-b" }), []string{`sid "a-b" may have only letters and digits`}},
		"SidUnicode":    {"IAM accepts only ASCII letters.", with(func(s *Statement) { s.Sid = "é" }), []string{`sid "é" may have only letters and digits`}},
		"Actions": {
			"Each invalid action is quoted, with its index.",
			with(func(s *Statement) { s.Action = StringSet{"GetObject", "s3:Get", "s3:"} }),
			[]string{`actions[0] "GetObject" must have the form service:Action`, `actions[2] "s3:" must have the form service:Action`},
		},
		"NotActions":   {"So is an invalid excluded action.", Statement{Effect: Deny, NotAction: StringSet{"x"}, Resource: StringSet{"*"}}, []string{`notActions[0] "x" must have the form service:Action`}},
		"Resources":    {"A bare name is not an ARN.", with(func(s *Statement) { s.Resource = StringSet{"*", "my-bucket"} }), []string{`resources[1] "my-bucket" must be * or an ARN`}},
		"NotResources": {"Neither is an excluded bare name.", Statement{Effect: Deny, Action: StringSet{"*"}, NotResource: StringSet{"b"}}, []string{`notResources[0] "b" must be * or an ARN`}},
		"Condition":    {"A condition is checked, too.", with(func(s *Statement) { s.Condition = Condition{"Foo": {"aws:a": {"b"}}} }), []string{"conditions[Foo] unknown condition operator"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.in.Problems()); diff != "" {
				t.Errorf("%s\nProblems(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestStatementCheck(t *testing.T) {
	got := Statement{Effect: "x", Principal: map[string]StringSet{"AWS": {"*"}}, Action: StringSet{"a"}, Resource: StringSet{"*"}, Condition: Condition{"Foo": {}}}.Check(Names{Effect: "e", Principal: "p", Action: "a", Condition: "c"})
	want := []Problem{
		{"e", `must be Allow or Deny, not "x"`},
		{"p", "a principal belongs in a trust policy, not in a role's permissions"},
		{"a[0]", `"a" must have the form service:Action`},
		{"c[Foo]", "unknown condition operator"},
		{"c[Foo]", "must not be empty"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Check should use the given names: -want, +got:\n%s", diff)
	}
}

func TestCheckAction(t *testing.T) {
	const form, wild = "service:Action", "wildcards in the service"
	cases := map[string]struct {
		reason, in string
		want       string // A word of the problem.
	}{
		"Star":            {"The pattern matches every action.", "*", ""},
		"StarStar":        {"This is another spelling of *.", "*:*", ""},
		"Service":         {"The pattern matches every action of a service.", "s3:*", ""},
		"Action":          {"The action is named in full.", "s3:GetObject", ""},
		"Wildcards":       {"Wildcards may stand anywhere in the action.", "iam:*Access?ey*", ""},
		"Dash":            {"The names of services have dashes and digits.", "s3-object-lambda:GetObject", ""},
		"Case":            {"AWS ignores letter case.", "S3:getobject", ""},
		"Empty":           {"An empty string is not an action.", "", form},
		"NoService":       {"An action names its service.", "GetObject", form},
		"EmptyService":    {"The service is not empty.", ":GetObject", form},
		"EmptyAction":     {"The name of the action is not empty.", "s3:", form},
		"Space":           {"A space is a typo,", "s3: GetObject", form},
		"SpaceBefore":     {"in any position.", " s3:GetObject", form},
		"TwoColons":       {"AWS accepts only one colon.", "s3:Get:Object", form},
		"Variable":        {"AWS accepts no variables in actions.", "s3:${aws:username}", form},
		"Unicode":         {"AWS accepts only ASCII letters.", "s3:Gét", form},
		"WildService":     {"AWS: action vendors must not contain wildcards.", "s3*:GetObject", wild},
		"AnyService":      {"Not even a lone * is accepted for the service.", "*:PassRole", wild},
		"QuestionService": {"A ? is a wildcard, too.", "s?:GetObject", wild},
		"StarOnly":        {"Only a lone * may replace the whole action.", "*Object", form},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) { checkProblem(t, tc.reason, tc.in, tc.want, CheckAction(tc.in)) })
	}
}

func TestCheckResource(t *testing.T) {
	const form, arn, wild, account, variable, character = "form arn:", "* or an ARN", "wildcards in the service", "12 digits", "variable", "character"
	cases := map[string]struct {
		reason, in string
		want       string // A word of the problem.
	}{
		"Star":             {"The pattern matches every resource.", "*", ""},
		"Bucket":           {"A bucket's ARN has neither region nor account.", "arn:aws:s3:::bucket", ""},
		"Colons":           {"The resource may have colons.", "arn:aws:rds:eu-west-1:123456789012:db:name", ""},
		"Partition":        {"There are other partitions.", "arn:aws-us-gov:iam::123456789012:role/path/name", ""},
		"AWSAccount":       {"AWS's own policies have the account aws.", "arn:aws:iam::aws:policy/AdministratorAccess", ""},
		"Wildcards":        {"Wildcards may stand in any part except the service.", "arn:*:sqs:eu-*-?:1234*:*", ""},
		"Beyond":           {"A * at the end of a part also matches the parts after it.", "arn:aws:codebuild:*", ""},
		"BeyondAccount":    {"The same applies after the region.", "arn:aws:codebuild:eu-west-1:*", ""},
		"Variable":         {"Variables contain colons.", "arn:aws:s3:::${aws:username}/*", ""},
		"VariableDefault":  {"Variables may have defaults.", "arn:aws:s3:::${aws:PrincipalTag/team, 'none'}", ""},
		"VariableAccount":  {"Variables may stand in other parts, too.", "arn:aws:sqs:${aws:RequestedRegion}:${aws:PrincipalAccount}:x", ""},
		"Latin":            {"Letters up to U+00FF are accepted.", "arn:aws:s3:::bucket/Größe ÿ", ""},
		"AccessPoint":      {"Access points of S3 have a region.", "arn:aws:s3:eu-west-1:123456789012:accesspoint/x", ""},
		"AnyOfS3":          {"A pattern may match access points.", "arn:aws:s3:eu-west-1:123456789012:*", ""},
		"BucketAnywhere":   {"A * also matches an empty region.", "arn:aws:s3:*:*:bucket", ""},
		"IAMAnywhere":      {"The same applies to IAM.", "arn:aws:iam:*:123456789012:role/a", ""},
		"BucketRegion":     {"A bucket's ARN has no region.", "arn:aws:s3:eu-west-1::bucket/*", "neither region"},
		"BucketAccount":    {"A bucket's ARN has no account.", "arn:aws:s3::123456789012:bucket", "neither region"},
		"IAMRegion":        {"IAM's ARNs have no region.", "arn:aws:iam:eu-west-1:123456789012:role/a", "no region"},
		"Empty":            {"An empty string is not a resource.", "", arn},
		"Name":             {"A bare name is not an ARN.", "bucket", arn},
		"StarMore":         {"Neither is a * followed by a name.", "*bucket", arn},
		"Short":            {"All parts are required.", "arn:aws:s3:bucket", form},
		"ShortStar":        {"The parts before the service are always required.", "arn:aws:*", form},
		"NoPartition":      {"The partition is never empty.", "arn::s3:::bucket", form},
		"NoService":        {"The service is never empty.", "arn:aws::::bucket", form},
		"NoResource":       {"The resource is never empty.", "arn:aws:s3:::", form},
		"Space":            {"A space in the region is a typo.", "arn:aws:sqs: eu-west-1:123456789012:x", form},
		"AccountForm":      {"So is one in the account.", "arn:aws:sqs:eu-west-1:1234 56789012:x", form},
		"WildService":      {"AWS: no wildcard in the service segment.", "arn:aws:s*:::bucket", wild},
		"VariableService":  {"A variable is not accepted as the service, either.", "arn:aws:${aws:username}:::bucket", form},
		"ShortAccount":     {"An account has 12 digits.", "arn:aws:sqs:eu-west-1:12345678901:x", account},
		"LongAccount":      {"An account has no more than 12 digits.", "arn:aws:sqs:eu-west-1:1234567890123:x", account},
		"OpenVariable":     {"A variable needs a closing brace.", "arn:aws:s3:::${aws:username", variable},
		"NamelessVariable": {"A variable needs a name.", "arn:aws:s3:::${ }/x", variable},
		"Character":        {"AWS accepts no characters beyond U+00FF.", "arn:aws:s3:::Ā", character},
		"Control":          {"AWS accepts no control characters.", "arn:aws:s3:::a\n", character},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) { checkProblem(t, tc.reason, tc.in, tc.want, CheckResource(tc.in)) })
	}
}

func checkProblem(t *testing.T, reason, in, want, got string) {
	t.Helper()
	if (want == "") != (got == "") || !strings.Contains(got, want) {
		t.Errorf("%s\n%q: want the problem %q, got %q", reason, in, want, got)
	}
}

func TestConditionCheck(t *testing.T) {
	cases := map[string]struct {
		reason string
		in     Condition
		want   []Problem
	}{
		"None": {"No condition is no problem.", nil, nil},
		"Good": {
			"Any value is accepted, and keys of identity providers contain addresses.",
			Condition{"StringLike": {"s3:prefix": {"", "a/"}, "oidc.eks.eu-west-1.amazonaws.com/id/X:sub": {"é"}}, "Bool": {"aws:SecureTransport": {"false"}}},
			nil,
		},
		"Operator":     {"AWS would refuse an unknown operator only after everything else is created.", Condition{"StringEqual": {"aws:a": {"b"}}}, []Problem{{"c[StringEqual]", "unknown condition operator"}}},
		"OperatorCase": {"The error suggests the right spelling.", Condition{"IPAddress": {"aws:SourceIp": {"10.0.0.0/8"}}}, []Problem{{"c[IPAddress]", "unknown condition operator, did you mean IpAddress?"}}},
		"NullIfExists": {"Null cannot be combined with IfExists.", Condition{"NullIfExists": {"aws:a": {"true"}}}, []Problem{{"c[NullIfExists]", "unknown condition operator"}}},
		"TwoSets":      {"Only one set operator can be used.", Condition{"ForAllValues:ForAnyValue:StringEquals": {"aws:a": {"b"}}}, []Problem{{"c[ForAllValues:ForAnyValue:StringEquals]", "unknown condition operator"}}},
		"SetOnly":      {"A set operator alone compares nothing.", Condition{"ForAllValues:": {"aws:a": {"b"}}}, []Problem{{"c[ForAllValues:]", "unknown condition operator"}}},
		"NoKeys":       {"An operator needs keys.", Condition{"Bool": {}}, []Problem{{"c[Bool]", "must not be empty"}}},
		"NoValues":     {"A key needs values.", Condition{"Bool": {"aws:a": {}}}, []Problem{{"c[Bool][aws:a]", "must not be empty"}}},
		"Keys": {
			"A key names its service.",
			Condition{"StringEquals": {"": {"a"}, "a": {"a"}, "aws:": {"a"}, ":a": {"a"}, "aws:Ā": {"a"}}},
			[]Problem{
				{"c[StringEquals][]", "a key must have the form service:name"},
				{"c[StringEquals][:a]", "a key must have the form service:name"},
				{"c[StringEquals][a]", "a key must have the form service:name"},
				{"c[StringEquals][aws:]", "a key must have the form service:name"},
				{"c[StringEquals][aws:Ā]", "a key must have the form service:name"},
			},
		},
		"KeyCase": {
			"AWS refuses keys that differ only in case, but accepts them under different operators.",
			Condition{"Bool": {"AWS:a": {"true"}, "aws:A": {"true"}}, "StringEquals": {"aws:a": {"true"}}},
			[]Problem{{"c[Bool][aws:A]", "is the same key as AWS:a, AWS ignores letter case"}},
		},
		"Value": {"AWS accepts no characters beyond U+00FF.", Condition{"StringEquals": {"aws:a": {"b", "Ā"}}}, []Problem{{"c[StringEquals][aws:a][1]", `"Ā" has the character '\u0100', AWS accepts those from U+0020 to U+00FF`}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.in.Check("c")); diff != "" {
				t.Errorf("%s\nCheck(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestConditionOperators checks that all operators of AWS are known in all their forms.
func TestConditionOperators(t *testing.T) {
	for op := range strings.FieldsSeq(`StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike
		NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals
		DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals
		Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnLike ArnNotEquals ArnNotLike Null`) {
		forms := []string{op, "ForAllValues:" + op, "ForAnyValue:" + op}
		if op != "Null" {
			for _, f := range forms {
				forms = append(forms, f+"IfExists")
			}
		}
		for _, f := range forms {
			if got := (Condition{f: {"aws:a": {"b"}}}).Check("c"); got != nil {
				t.Errorf("%s is an operator, got %v", f, got)
			}
		}
	}
}
