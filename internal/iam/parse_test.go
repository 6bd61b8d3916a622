package iam

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDocument(t *testing.T) {
	cases := map[string]struct {
		reason string
		in     string
		want   Document
	}{
		"Strings": {
			reason: "A single statement or string is read as a list of one.",
			in:     `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`,
			want:   NewDocument(Statement{Effect: Allow, Action: StringSet{"s3:*"}, Resource: StringSet{"*"}}),
		},
		"Lists": {
			reason: "Lists of statements and of strings are read.",
			in: `{"Version": "2012-10-17", "Id": "mine", "Statement": [
				{"Sid": "One", "Effect": "Allow", "Action": ["s3:*", "ec2:*"], "Resource": ["*"]},
				{"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": "arn:aws:s3:::x"}]}`,
			want: NewDocument(
				Statement{Sid: "One", Effect: Allow, Action: StringSet{"s3:*", "ec2:*"}, Resource: StringSet{"*"}},
				Statement{Effect: Deny, NotAction: StringSet{"iam:*"}, NotResource: StringSet{"arn:aws:s3:::x"}},
			),
		},
		"ConditionValues": {
			reason: "Numbers and booleans are read as strings, as they are written.",
			in:     `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:a": true}, "NumericLessThan": {"aws:n": [10, 12345678901234567890]}}}}`,
			want: NewDocument(Statement{
				Effect: Allow, Action: StringSet{"*"}, Resource: StringSet{"*"},
				Condition: Condition{"Bool": {"aws:a": {"true"}}, "NumericLessThan": {"aws:n": {"10", "12345678901234567890"}}},
			}),
		},
		"EmptyValue": {
			reason: "An empty string is a value: AWS's own examples list the top level of a bucket with it.",
			in:     `{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": ["", "home/"]}}}}`,
			want: NewDocument(Statement{
				Effect: Allow, Action: StringSet{"s3:ListBucket"}, Resource: StringSet{"*"},
				Condition: Condition{"StringLike": {"s3:prefix": {"", "home/"}}},
			}),
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
	// with returns a document whose statement has this element in place of its own.
	with := func(element string) string {
		elements := map[string]string{"Effect": `"Allow"`, "Action": `"s3:*"`, "Resource": `"*"`}
		for name := range elements {
			if strings.HasPrefix(element, `"`+name+`"`) || strings.HasPrefix(element, `"Not`+name+`"`) {
				delete(elements, name)
			}
		}
		s := element
		for _, name := range sorted(elements) {
			s += `, "` + name + `": ` + elements[name]
		}
		return `{"Version": "2012-10-17", "Statement": [{` + s + `}]}`
	}
	cases := map[string]struct {
		reason, in string
		want       []string // Beginnings of the problems.
	}{
		"Empty":            {"An empty string is not a document.", ``, []string{"not a policy document"}},
		"NotJSON":          {"HCL is not JSON.", `statement { effect = "Allow" }`, []string{"not a policy document: line 1, column 1: "}},
		"Cut":              {"A truncated document is refused.", "{\"Version\": \"2012-10-17\",\n \"Statement\": [", []string{"not a policy document: line 2, column 15: "}},
		"Deep":             {"Even the deepest nesting returns an error.", strings.Repeat("[", 1_000_000), []string{"not a policy document"}},
		"Null":             {"null is not an object.", `null`, []string{"a policy document must be an object, not null"}},
		"List":             {"A list is not a document.", `[]`, []string{"a policy document must be an object, not a list"}},
		"Two":              {"Two documents are not a single document.", `{"Version": "2012-10-17", "Statement": []} {}`, []string{"not a policy document: line 1, column 44: "}},
		"NoVersion":        {"AWS's default version does not support policy variables, so the version is required.", `{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`, []string{`Version: must be "2012-10-17"`}},
		"OldVersion":       {"The default version cannot be set explicitly, either.", `{"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`, []string{`Version: must be "2012-10-17"`}},
		"VersionList":      {"There is one version.", `{"Version": ["2012-10-17"], "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`, []string{`Version: must be "2012-10-17"`}},
		"IdNumber":         {"An identifier is a string.", `{"Version": "2012-10-17", "Id": 1, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`, []string{"Id: must be a string, not the number 1"}},
		"NoStatement":      {"A document needs statements.", `{"Version": "2012-10-17"}`, []string{"Statement: is required"}},
		"NoStatements":     {"A document needs at least one statement.", `{"Version": "2012-10-17", "Statement": []}`, []string{"Statement: must not be empty"}},
		"StatementString":  {"A statement is an object.", `{"Version": "2012-10-17", "Statement": "Allow"}`, []string{`Statement[0]: must be an object, not the string "Allow"`}},
		"NestedStatements": {"A list of lists is not a list of statements.", `{"Version": "2012-10-17", "Statement": [[{"Effect": "Allow", "Action": "*", "Resource": "*"}]]}`, []string{"Statement[0]: must be an object, not a list"}},
		"UnknownElement":   {"Dropping an unknown element would change the meaning of the policy.", `{"Version": "2012-10-17", "Statements": []}`, []string{"Statements: unknown element, did you mean Statement?", "Statement: is required"}},
		"TwiceElement":     {"It is ambiguous which of two values applies.", `{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`, []string{"Version: occurs twice"}},
		"Twice":            {"The same applies in a statement,", with(`"Action": "s3:Get*", "Action": "s3:*"`), []string{"Statement[0].Action: occurs twice"}},
		"TwiceOperator":    {"to an operator,", with(`"Condition": {"Bool": {"aws:a": true}, "Bool": {"aws:b": true}}`), []string{"Statement[0].Condition[Bool]: occurs twice"}},
		"TwiceKey":         {"and to a key.", with(`"Condition": {"Bool": {"aws:a": true, "aws:a": false}}`), []string{"Statement[0].Condition[Bool][aws:a]: occurs twice"}},
		"UnknownInStatement": {
			"An unknown element is reported with the likely one.",
			`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "actions": "*", "Resource": "*"}]}`,
			[]string{"Statement[0].actions: unknown element, did you mean Action?", "Statement[0].Action: exactly one of Action and NotAction is required"},
		},
		"UnknownOther":    {"If no element is similar, all are listed.", with(`"Foo": 1`), []string{"Statement[0].Foo: unknown element, use Sid, Effect, "}},
		"Principal":       {"An element for trust policies is refused, not dropped.", with(`"Principal": "*"`), []string{"Statement[0].Principal: a principal belongs in a trust policy"}},
		"NotPrincipal":    {"So is its opposite.", with(`"NotPrincipal": {"AWS": "x"}`), []string{"Statement[0].NotPrincipal: a principal belongs in a trust policy"}},
		"SidNumber":       {"A Sid is a string.", with(`"Sid": 1`), []string{"Statement[0].Sid: must be a string, not the number 1"}},
		"EffectList":      {"There is one effect.", with(`"Effect": ["Allow"]`), []string{"Statement[0].Effect: must be a string, not a list"}},
		"NullAction":      {"null is not an action.", with(`"Action": null`), []string{"Statement[0].Action: must be a string or a list of strings, not null"}},
		"NumberAction":    {"Neither is a number.", with(`"Action": 1`), []string{"Statement[0].Action: must be a string or a list of strings, not the number 1"}},
		"NoActions":       {"Neither is an empty list.", with(`"Action": []`), []string{"Statement[0].Action: must not be empty"}},
		"NoNotActions":    {"An empty list of exceptions would allow everything.", with(`"NotAction": []`), []string{"Statement[0].NotAction: must not be empty"}},
		"NestedActions":   {"A nested list is not an action.", with(`"Action": ["s3:*", ["s3:*"], true]`), []string{"Statement[0].Action[1]: must be a string, not a list", "Statement[0].Action[2]: must be a string, not true"}},
		"ObjectAction":    {"Neither is an object.", with(`"Action": {"s3": "*"}`), []string{"Statement[0].Action: must be a string or a list of strings, not an object"}},
		"ObjectResource":  {"The same applies to a resource,", with(`"Resource": {}`), []string{"Statement[0].Resource: must be a string or a list of strings, not an object"}},
		"NotResource":     {"and to an excluded resource.", with(`"NotResource": 1`), []string{"Statement[0].NotResource: must be a string or a list of strings, not the number 1"}},
		"ConditionList":   {"A condition is an object.", with(`"Condition": []`), []string{"Statement[0].Condition: must be an object, not a list"}},
		"ConditionEmpty":  {"An empty condition is likely a mistake.", with(`"Condition": {}`), []string{"Statement[0].Condition: must not be empty"}},
		"ConditionString": {"A condition needs a key.", with(`"Condition": {"Bool": "true"}`), []string{`Statement[0].Condition[Bool]: must be an object, not the string "true"`}},
		"ConditionNoKey":  {"At least one key is required.", with(`"Condition": {"Bool": {}}`), []string{"Statement[0].Condition[Bool]: must not be empty"}},
		"ConditionNull":   {"A condition needs a value.", with(`"Condition": {"Bool": {"aws:k": null}}`), []string{"Statement[0].Condition[Bool][aws:k]: must be a string or a list of strings, not null"}},
		"ConditionNone":   {"An empty list of values never holds.", with(`"Condition": {"Bool": {"aws:k": []}}`), []string{"Statement[0].Condition[Bool][aws:k]: must not be empty"}},
		"NotUTF8":         {"AWS does not accept invalid UTF-8, either.", with(`"Resource": "arn:aws:s3:::` + "\xff" + `"`), []string{"Statement[0].Resource[0]: "}},
		"DuplicateSid": {
			"A Sid is unique.",
			`{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}]}`,
			[]string{`Statement[3].Sid: "A" is the Sid of Statement[0] already`},
		},
		"All": {
			"All problems of types and values are reported at once.",
			`{"Version": 1, "Name": "x", "Statement": [{"Effect": "allow", "Action": ["s3", "a:b"], "NotResource": "b"}, {"Effect": "Deny", "Action": 1, "Condition": {"Foo": {"aws:a": 1}, "Bool": {"aws:a": {}}}}]}`,
			[]string{
				"Name: unknown element, use Version, Id, Statement",
				`Version: must be "2012-10-17"`,
				`Statement[0].Effect: must be Allow or Deny, not "allow"`,
				`Statement[0].Action[0]: "s3" must have the form service:Action`,
				`Statement[0].NotResource[0]: "b" must be * or an ARN`,
				"Statement[1].Action: must be a string or a list of strings, not the number 1",
				"Statement[1].Condition[Bool][aws:a]: must be a string or a list of strings, not an object",
				"Statement[1].Resource: exactly one of Resource and NotResource is required",
				"Statement[1].Condition[Foo]: unknown condition operator",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseDocument(tc.in)
			if err == nil {
				t.Fatalf("%s\nParseDocument(%s) accepted it as %s", tc.reason, tc.in, got)
			}
			if diff := cmp.Diff(Document{}, got); diff != "" {
				t.Errorf("%s\nParseDocument(%s) returned a document with its error: -want, +got:\n%s", tc.reason, tc.in, diff)
			}
			problems := []string{err.Error()}
			if all := DocumentError(nil); errors.As(err, &all) {
				problems = nil
				for _, p := range all {
					problems = append(problems, p.String())
				}
				if diff := cmp.Diff(strings.Join(problems, "; "), err.Error()); diff != "" {
					t.Errorf("%s\nthe error should list all problems: -want, +got:\n%s", tc.reason, diff)
				}
			}
			begins := cmp.Comparer(func(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) })
			if diff := cmp.Diff(tc.want, problems, begins); diff != "" {
				t.Errorf("%s\nproblems of ParseDocument(%s): -want, +got:\n%s", tc.reason, tc.in, diff)
			}
		})
	}
}

// FuzzParseDocument checks that any input is either refused or has one canonical form.
func FuzzParseDocument(f *testing.F) {
	for _, s := range []string{
		``, `null`, `[]`, `{}`, `{"Version":"2012-10-17","Statement":[]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`,
		`{"Version":"2012-10-17","Statement":[{"Sid":"é\u2028<>","Effect":"Deny","NotAction":["b:*","a:*"],"NotResource":["*","arn:aws:s3:::x"]}]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:a":[true,false]},"NumericEquals":{"aws:n":1e3}}}}`,
		`{"Version":"2012-10-17","Version":1,"Statement":{"Condition":{"Foo":{"k":[]},"Foo":null},"Action":["a:*",1]}}`,
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
		for i, st := range d.Statement {
			if problems := st.Problems(); problems != nil {
				t.Errorf("statement %d of %s is accepted but has problems: %q", i, s, problems)
			}
		}
		if n := Size(canonical); n > len(canonical) {
			t.Errorf("Size(%s) = %d, more than its %d bytes", canonical, n, len(canonical))
		}
	})
}
