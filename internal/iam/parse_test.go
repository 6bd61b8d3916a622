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
			in:     `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:a": true}, "NumericLessThan": {"aws:n": [10, 12345678901234567890]}}}}`,
			want: NewDocument(Statement{
				Effect: Allow, Action: StringSet{"*"}, Resource: StringSet{"*"},
				Condition: Condition{"Bool": {"aws:a": {"true"}}, "NumericLessThan": {"aws:n": {"10", "12345678901234567890"}}},
			}),
		},
		"EmptyValue": {
			reason: "An empty string is a value: AWS's own examples list the top of a bucket with it.",
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
	// A statement with this element instead of its own.
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
		"Empty":            {"Nothing is no document.", ``, []string{"not a policy document"}},
		"NotJSON":          {"HCL is no JSON.", `statement { effect = "Allow" }`, []string{"not a policy document: line 1, column 1: "}},
		"Cut":              {"Half a document is none.", "{\"Version\": \"2012-10-17\",\n \"Statement\": [", []string{"not a policy document: line 2, column 15: "}},
		"Deep":             {"No depth should be too deep to say so.", strings.Repeat("[", 1_000_000), []string{"not a policy document"}},
		"Null":             {"null is no object.", `null`, []string{"a policy document must be an object, not null"}},
		"List":             {"A list is no document.", `[]`, []string{"a policy document must be an object, not a list"}},
		"Two":              {"Two documents are not one.", `{"Version": "2012-10-17", "Statement": []} {}`, []string{"not a policy document: line 1, column 44: "}},
		"NoVersion":        {"The default version of AWS knows no policy variables, so the version is required.", `{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`, []string{`Version: must be "2012-10-17"`}},
		"OldVersion":       {"Nor may that version be asked for.", `{"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`, []string{`Version: must be "2012-10-17"`}},
		"VersionList":      {"There is one version.", `{"Version": ["2012-10-17"], "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`, []string{`Version: must be "2012-10-17"`}},
		"IdNumber":         {"An identifier is a string.", `{"Version": "2012-10-17", "Id": 1, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`, []string{"Id: must be a string, not the number 1"}},
		"NoStatement":      {"A document says something.", `{"Version": "2012-10-17"}`, []string{"Statement: is required"}},
		"NoStatements":     {"No statement says nothing.", `{"Version": "2012-10-17", "Statement": []}`, []string{"Statement: must not be empty"}},
		"StatementString":  {"A statement is an object.", `{"Version": "2012-10-17", "Statement": "Allow"}`, []string{`Statement[0]: must be an object, not the string "Allow"`}},
		"NestedStatements": {"A list of lists is no list of statements.", `{"Version": "2012-10-17", "Statement": [[{"Effect": "Allow", "Action": "*", "Resource": "*"}]]}`, []string{"Statement[0]: must be an object, not a list"}},
		"UnknownElement":   {"An element that is not known would be dropped, and change what the policy means.", `{"Version": "2012-10-17", "Statements": []}`, []string{"Statements: unknown element, did you mean Statement?", "Statement: is required"}},
		"TwiceElement":     {"Nobody knows which of two values counts.", `{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`, []string{"Version: is there twice"}},
		"Twice":            {"Likewise in a statement.", with(`"Action": "s3:Get*", "Action": "s3:*"`), []string{"Statement[0].Action: is there twice"}},
		"TwiceOperator":    {"Likewise an operator.", with(`"Condition": {"Bool": {"aws:a": true}, "Bool": {"aws:b": true}}`), []string{"Statement[0].Condition[Bool]: is there twice"}},
		"TwiceKey":         {"Likewise a key.", with(`"Condition": {"Bool": {"aws:a": true, "aws:a": false}}`), []string{"Statement[0].Condition[Bool][aws:a]: is there twice"}},
		"UnknownInStatement": {
			"An unknown element should be named, and what was meant.",
			`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "actions": "*", "Resource": "*"}]}`,
			[]string{"Statement[0].actions: unknown element, did you mean Action?", "Statement[0].Action: exactly one of Action and NotAction is required"},
		},
		"UnknownOther":    {"An unknown element that looks like none should be told which there are.", with(`"Foo": 1`), []string{"Statement[0].Foo: unknown element, use Sid, Effect, "}},
		"Principal":       {"An element for trust policies should be refused, not dropped.", with(`"Principal": "*"`), []string{"Statement[0].Principal: a principal belongs in a trust policy"}},
		"NotPrincipal":    {"Likewise its opposite.", with(`"NotPrincipal": {"AWS": "x"}`), []string{"Statement[0].NotPrincipal: a principal belongs in a trust policy"}},
		"SidNumber":       {"A Sid is a string.", with(`"Sid": 1`), []string{"Statement[0].Sid: must be a string, not the number 1"}},
		"EffectList":      {"There is one effect.", with(`"Effect": ["Allow"]`), []string{"Statement[0].Effect: must be a string, not a list"}},
		"NullAction":      {"null is no action.", with(`"Action": null`), []string{"Statement[0].Action: must be a string or a list of strings, not null"}},
		"NumberAction":    {"Nor is a number.", with(`"Action": 1`), []string{"Statement[0].Action: must be a string or a list of strings, not the number 1"}},
		"NoActions":       {"Nor is an empty list.", with(`"Action": []`), []string{"Statement[0].Action: must not be empty"}},
		"NoNotActions":    {"An empty list of what is left out would be everything.", with(`"NotAction": []`), []string{"Statement[0].NotAction: must not be empty"}},
		"NestedActions":   {"Nor is a list in a list.", with(`"Action": ["s3:*", ["s3:*"], true]`), []string{"Statement[0].Action[1]: must be a string, not a list", "Statement[0].Action[2]: must be a string, not true"}},
		"ObjectAction":    {"Nor is an object.", with(`"Action": {"s3": "*"}`), []string{"Statement[0].Action: must be a string or a list of strings, not an object"}},
		"ObjectResource":  {"Likewise a resource.", with(`"Resource": {}`), []string{"Statement[0].Resource: must be a string or a list of strings, not an object"}},
		"NotResource":     {"Likewise a resource that is left out.", with(`"NotResource": 1`), []string{"Statement[0].NotResource: must be a string or a list of strings, not the number 1"}},
		"ConditionList":   {"A condition is an object.", with(`"Condition": []`), []string{"Statement[0].Condition: must be an object, not a list"}},
		"ConditionEmpty":  {"Who writes a condition wants one.", with(`"Condition": {}`), []string{"Statement[0].Condition: must not be empty"}},
		"ConditionString": {"A condition needs a key.", with(`"Condition": {"Bool": "true"}`), []string{`Statement[0].Condition[Bool]: must be an object, not the string "true"`}},
		"ConditionNoKey":  {"At least one.", with(`"Condition": {"Bool": {}}`), []string{"Statement[0].Condition[Bool]: must not be empty"}},
		"ConditionNull":   {"A condition needs a value.", with(`"Condition": {"Bool": {"aws:k": null}}`), []string{"Statement[0].Condition[Bool][aws:k]: must be a string or a list of strings, not null"}},
		"ConditionNone":   {"An empty list of values never holds.", with(`"Condition": {"Bool": {"aws:k": []}}`), []string{"Statement[0].Condition[Bool][aws:k]: must not be empty"}},
		"NotUTF8":         {"What is no text is none to AWS, either.", with(`"Resource": "arn:aws:s3:::` + "\xff" + `"`), []string{"Statement[0].Resource[0]: "}},
		"DuplicateSid": {
			"A Sid is unique.",
			`{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}]}`,
			[]string{`Statement[3].Sid: "A" is the Sid of Statement[0] already`},
		},
		"All": {
			"All problems should be named at once, those of types and those of values.",
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
				t.Errorf("%s\nParseDocument(%s) returned a document beside its error: -want, +got:\n%s", tc.reason, tc.in, diff)
			}
			problems := []string{err.Error()}
			if all := DocumentError(nil); errors.As(err, &all) {
				problems = nil
				for _, p := range all {
					problems = append(problems, p.String())
				}
				if diff := cmp.Diff(strings.Join(problems, "; "), err.Error()); diff != "" {
					t.Errorf("%s\nthe error should have all problems: -want, +got:\n%s", tc.reason, diff)
				}
			}
			begins := cmp.Comparer(func(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) })
			if diff := cmp.Diff(tc.want, problems, begins); diff != "" {
				t.Errorf("%s\nproblems of ParseDocument(%s): -want, +got:\n%s", tc.reason, tc.in, diff)
			}
		})
	}
}

// FuzzParseDocument makes sure that whatever people paste is either refused or has one canonical form.
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
				t.Errorf("statement %d of %s is accepted and has problems: %q", i, s, problems)
			}
		}
		if n := Size(canonical); n > len(canonical) {
			t.Errorf("Size(%s) = %d, more than its %d bytes", canonical, n, len(canonical))
		}
	})
}
