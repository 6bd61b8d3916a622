package iam

import "testing"

func TestSame(t *testing.T) {
	const doc = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`
	cases := map[string]struct {
		reason, a, b string
		want         bool
	}{
		"Equal":        {"The same text says the same.", doc, doc, true},
		"Spaces":       {"White space says nothing.", doc, `{ "Version": "2012-10-17", "Statement": [ {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}} ] }`, true},
		"OrderOfKeys":  {"Nor does the order of keys.", doc, `{"Statement":[{"Action":["s3:Get*","s3:List*"],"Condition":{"Bool":{"aws:SecureTransport":"true"}},"Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}`, true},
		"OrderOfSet":   {"Nor does the order in a set.", doc, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:List*","s3:Get*"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`, true},
		"SetOfOne":     {"A set of one may be written as its element, and one statement too.", doc, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["*"],"Condition":{"Bool":{"aws:SecureTransport":["true"]}}}}`, true},
		"Boolean":      {"A boolean may be written as a string.", doc, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["*"],"Condition":{"Bool":{"aws:SecureTransport":true}}}}`, true},
		"Twice":        {"What stands twice in a set stands there once.", `{"Action":["a","a","b"]}`, `{"Action":["b","a"]}`, true},
		"TwiceOne":     {"Also where one is left.", `{"Action":["a","a"]}`, `{"Action":"a"}`, true},
		"Action":       {"Another action is another policy.", doc, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:*"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`, false},
		"LessActions":  {"So is one less.", `{"Action":["a","b"]}`, `{"Action":["a"]}`, false},
		"Condition":    {"So is one without a condition.", doc, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}]}`, false},
		"Statements":   {"So is one with more statements.", `{"Statement":[{"Effect":"Allow"},{"Effect":"Deny"}]}`, `{"Statement":[{"Effect":"Allow"}]}`, false},
		"Null":         {"Null is nothing else.", `{"Action":null}`, `{"Action":"null"}`, false},
		"NotJSON":      {"Of what cannot be read nothing is said.", doc, `boom`, true},
		"NotJSONFirst": {"On whatever side.", ``, doc, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Same(tc.a, tc.b); got != tc.want {
				t.Errorf("%s\nSame(%s, %s): want %t, got %t", tc.reason, tc.a, tc.b, tc.want, got)
			}
			if got := Same(tc.b, tc.a); got != tc.want {
				t.Errorf("%s\nSame(...) the other way round: want %t, got %t", tc.reason, tc.want, got)
			}
		})
	}
}
