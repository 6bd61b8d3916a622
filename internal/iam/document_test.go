package iam

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDocumentString(t *testing.T) {
	cases := map[string]struct {
		reason string
		same   []Document
		want   string
	}{
		"Minimal": {
			reason: "A set of one should be written as the string itself, and nothing should be escaped for HTML or indented.",
			same: []Document{
				NewDocument(Statement{Effect: Allow, Action: StringSet{"s3:*"}, Resource: StringSet{"arn:aws:s3:::<a>&b"}}),
			},
			want: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::<a>&b"}]}`,
		},
		"Permuted": {
			reason: "Sets and maps in another order should give the same bytes.",
			same: []Document{
				NewDocument(Statement{
					Sid: "A", Effect: Deny, NotAction: StringSet{"s3:Get*", "ec2:*", "s3:Get*"}, NotResource: StringSet{"b", "a"},
					Condition: Condition{"StringLike": {"k2": {"y", "x"}, "k1": {"z"}}, "Bool": {"b": {"true"}}},
				}),
				NewDocument(Statement{
					Sid: "A", Effect: Deny, NotAction: StringSet{"ec2:*", "s3:Get*"}, NotResource: StringSet{"a", "b"},
					Condition: Condition{"Bool": {"b": {"true"}}, "StringLike": {"k1": {"z"}, "k2": {"x", "y"}}},
				}),
			},
			want: `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Deny","NotAction":["ec2:*","s3:Get*"],"NotResource":["a","b"],` +
				`"Condition":{"Bool":{"b":"true"},"StringLike":{"k1":"z","k2":["x","y"]}}}]}`,
		},
		"OrderOfStatements": {
			reason: "Statements should stay in the order they were given in: people read them so.",
			same:   []Document{NewDocument(Statement{Sid: "B", Effect: Allow}, Statement{Sid: "A", Effect: Allow})},
			want:   `{"Version":"2012-10-17","Statement":[{"Sid":"B","Effect":"Allow"},{"Sid":"A","Effect":"Allow"}]}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for i, d := range tc.same {
				if diff := cmp.Diff(tc.want, d.String()); diff != "" {
					t.Errorf("%s\ndocument %d: String(): -want, +got:\n%s", tc.reason, i, diff)
				}
			}
		})
	}
}

// TestDocumentStringKeepsInput makes sure that writing a document does not sort the caller's slices.
func TestDocumentStringKeepsInput(t *testing.T) {
	actions := StringSet{"s3:Put*", "s3:Get*"}
	_ = NewDocument(Statement{Action: actions}).String()
	if diff := cmp.Diff(StringSet{"s3:Put*", "s3:Get*"}, actions); diff != "" {
		t.Errorf("String() changed the set that it was given: -want, +got:\n%s", diff)
	}
}

func TestParseDocument(t *testing.T) {
	cases := map[string]struct {
		reason string
		in     string
		want   Document
	}{
		"Strings": {
			reason: "A single statement, and single strings, should be read as lists of one.",
			in:     `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`,
			want:   NewDocument(Statement{Effect: Allow, Action: StringSet{"s3:*"}, Resource: StringSet{"*"}}),
		},
		"Lists": {
			reason: "Lists of statements and of strings should be read.",
			in: `{"Version": "2012-10-17", "Id": "mine", "Statement": [
				{"Sid": "One", "Effect": "Allow", "Action": ["s3:*", "ec2:*"], "Resource": ["*"]},
				{"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": "arn:aws:s3:::x"}]}`,
			want: NewDocument(
				Statement{Sid: "One", Effect: Allow, Action: StringSet{"s3:*", "ec2:*"}, Resource: StringSet{"*"}},
				Statement{Effect: Deny, NotAction: StringSet{"iam:*"}, NotResource: StringSet{"arn:aws:s3:::x"}},
			),
		},
		"ConditionValues": {
			reason: "Numbers and booleans should be read as the strings that they are written as.",
			in:     `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a": true}, "NumericLessThan": {"n": [10, 12345678901234567890]}}}}`,
			want: NewDocument(Statement{
				Effect: Allow, Action: StringSet{"*"}, Resource: StringSet{"*"},
				Condition: Condition{"Bool": {"a": {"true"}}, "NumericLessThan": {"n": {"10", "12345678901234567890"}}},
			}),
		},
		"Principal": {
			reason: "A principal should be read: whether it belongs there is another question.",
			in:     `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}}`,
			want:   NewDocument(Statement{Effect: Allow, Principal: map[string]StringSet{"Service": {"pods.eks.amazonaws.com"}}, Action: StringSet{"sts:AssumeRole"}}),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseDocument(tc.in)
			if err != nil {
				t.Fatalf("%s\nParseDocument(...): %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nParseDocument(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestParseDocumentErrors(t *testing.T) {
	cases := map[string]struct {
		reason, in string
	}{
		"Empty":            {"Nothing is no document.", ``},
		"NotJSON":          {"HCL is no JSON.", `statement { effect = "Allow" }`},
		"Cut":              {"Half a document is none.", `{"Version": "2012-10-17", "Statement": [`},
		"Null":             {"null has no version.", `null`},
		"List":             {"A list is no document.", `[]`},
		"Two":              {"Two documents are not one.", `{"Version": "2012-10-17", "Statement": []} {}`},
		"NoVersion":        {"The default version of AWS knows no policy variables, so the version is required.", `{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`},
		"OldVersion":       {"Nor may that version be asked for.", `{"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`},
		"NoStatement":      {"A document says something.", `{"Version": "2012-10-17"}`},
		"StatementString":  {"A statement is an object.", `{"Version": "2012-10-17", "Statement": "Allow"}`},
		"NestedStatements": {"A list of lists is no list of statements.", `{"Version": "2012-10-17", "Statement": [[{"Effect": "Allow", "Action": "*", "Resource": "*"}]]}`},
		"UnknownElement":   {"An element that is not known would be dropped, and change what the policy means.", `{"Version": "2012-10-17", "Statements": []}`},
		"UnknownInStatement": {
			"Likewise in a statement.",
			`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Actions": "*", "Resource": "*"}]}`,
		},
		"NotPrincipal":    {"An element for other kinds of policies should be refused, not dropped.", `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "NotPrincipal": {"AWS": "x"}, "Action": "*", "Resource": "*"}}`},
		"NullAction":      {"null is no action.", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": null, "Resource": "*"}}`},
		"NestedActions":   {"Nor is a list.", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": [["s3:*"]], "Resource": "*"}}`},
		"ObjectAction":    {"Nor is an object.", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": {"s3": "*"}, "Resource": "*"}}`},
		"EffectList":      {"There is one effect.", `{"Version": "2012-10-17", "Statement": {"Effect": ["Allow"], "Action": "*", "Resource": "*"}}`},
		"ConditionString": {"A condition needs a key.", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": "true"}}}`},
		"ConditionNull":   {"A condition needs a value.", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"k": null}}}}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseDocument(tc.in)
			if err == nil {
				t.Fatalf("%s\nParseDocument(%s) accepted it as %s", tc.reason, tc.in, got)
			}
			if diff := cmp.Diff(Document{}, got); diff != "" {
				t.Errorf("%s\nParseDocument(%s) returned a document beside its error: -want, +got:\n%s", tc.reason, tc.in, diff)
			}
		})
	}
}

// FuzzParseDocument makes sure that whatever people paste is either refused or has one canonical form.
func FuzzParseDocument(f *testing.F) {
	for _, s := range []string{
		``, `null`, `[]`, `{}`, `{"Version":"2012-10-17","Statement":[]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`,
		`{"Version":"2012-10-17","Statement":[{"Sid":"é\u2028<>","Effect":"Deny","NotAction":["b:*","a:*"],"NotResource":["*","arn:x"]}]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":[true,false]},"N":{"n":1e3},"E":null}}}`,
		`{"Version":"2012-10-17","Statement":{"Principal":{"Service":["a","b"],"AWS":"*"}}}`,
		"{\"Version\":\"2012-10-17\",\"Statement\":{\"Sid\":\"\xff\"}}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDocument(s)
		if err != nil {
			return
		}
		canonical := d.String()
		again, err := ParseDocument(canonical)
		if err != nil {
			t.Fatalf("ParseDocument refuses the canonical form %s of %s: %v", canonical, s, err)
		}
		if diff := cmp.Diff(canonical, again.String()); diff != "" {
			t.Errorf("the canonical form of %s is not stable: -first, +second:\n%s", s, diff)
		}
		for _, st := range d.Statement {
			_ = st.Problems()
		}
		if n := Size(canonical); n > len(canonical) {
			t.Errorf("Size(%s) = %d, more than its %d bytes", canonical, n, len(canonical))
		}
	})
}

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
		// want are words of the problems, in order.
		want []string
	}{
		"Good":          {"A good statement should have no problem.", ok, nil},
		"Negated":       {"What is left out may be named instead.", Statement{Sid: "Ab1", Effect: Deny, NotAction: StringSet{"iam:*"}, NotResource: StringSet{"arn:aws:s3:::x"}}, nil},
		"Star":          {"An action may be *.", with(func(s *Statement) { s.Action = StringSet{"*"} }), nil},
		"Variables":     {"An ARN may have wildcards and variables.", with(func(s *Statement) { s.Resource = StringSet{"arn:aws-cn:s3:::${aws:username}/*"} }), nil},
		"Nothing":       {"Everything that is missing should be named at once.", Statement{}, []string{"effect", "actions", "resources"}},
		"Effect":        {"Effects are case-sensitive.", with(func(s *Statement) { s.Effect = "allow" }), []string{`"allow"`}},
		"BothActions":   {"Only one of the two forms of actions can be used.", with(func(s *Statement) { s.NotAction = StringSet{"iam:*"} }), []string{"actions"}},
		"NoAction":      {"An empty set of actions is none.", with(func(s *Statement) { s.Action = StringSet{} }), []string{"actions"}},
		"BothResources": {"Only one of the two forms of resources can be used.", with(func(s *Statement) { s.NotResource = StringSet{"*"} }), []string{"resources"}},
		"Principal":     {"A permission has no principal.", with(func(s *Statement) { s.Principal = map[string]StringSet{"AWS": {"*"}} }), []string{"principal"}},
		"Sid":           {"A dash is no letter.", with(func(s *Statement) { s.Sid = "a-b" }), []string{`"a-b"`}},
		"SidUnicode":    {"Only letters of ASCII are letters to IAM.", with(func(s *Statement) { s.Sid = "é" }), []string{`"é"`}},
		"BareAction": {
			"An action names its service, and each bad one should be quoted.",
			with(func(s *Statement) { s.Action = StringSet{"GetObject", "s3:", ":Get", "s3: Get", "s3:Get"} }),
			[]string{`"GetObject"`, `"s3:"`, `":Get"`, `"s3: Get"`},
		},
		"BareNotAction": {"Likewise an action that is left out.", Statement{Effect: Deny, NotAction: StringSet{"x"}, Resource: StringSet{"*"}}, []string{`"x"`}},
		"Resource":      {"A bare name is no ARN.", with(func(s *Statement) { s.Resource = StringSet{"my-bucket", "*"} }), []string{`"my-bucket"`}},
		"NotResource":   {"Likewise a resource that is left out.", Statement{Effect: Deny, Action: StringSet{"*"}, NotResource: StringSet{"b"}}, []string{`"b"`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.in.Problems()
			contains := cmp.Comparer(func(a, b string) bool { return strings.Contains(a, b) || strings.Contains(b, a) })
			if diff := cmp.Diff(tc.want, got, contains, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s\nProblems(): -want words, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSize(t *testing.T) {
	cases := map[string]struct {
		reason, in string
		want       int
	}{
		"Compact":    {"A compact document counts as it is.", `{"a":"b"}`, 9},
		"WhiteSpace": {"White space does not count.", "{\n\t\"a\" :\r \"b\"\n}", 9},
		"Characters": {"Characters count, not bytes.", `"é"`, 3},
		"Empty":      {"Nothing counts nothing.", "", 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Size(tc.in); got != tc.want {
				t.Errorf("%s\nSize(%q): want %d, got %d", tc.reason, tc.in, tc.want, got)
			}
		})
	}
}
