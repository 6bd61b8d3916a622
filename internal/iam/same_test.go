package iam

import "testing"

func TestSame(t *testing.T) {
	const doc = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`
	cases := map[string]struct {
		reason, a, b string
		want         bool
	}{
		"Equal":        {"The same text has the same meaning.", doc, doc, true},
		"Spaces":       {"White space does not matter.", doc, `{ "Version": "2012-10-17", "Statement": [ {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}} ] }`, true},
		"OrderOfKeys":  {"The order of keys does not matter.", doc, `{"Statement":[{"Action":["s3:Get*","s3:List*"],"Condition":{"Bool":{"aws:SecureTransport":"true"}},"Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}`, true},
		"OrderOfSet":   {"The order in a set does not matter.", doc, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:List*","s3:Get*"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`, true},
		"SetOfOne":     {"A set of one may be written as its element, and so may a single statement.", doc, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["*"],"Condition":{"Bool":{"aws:SecureTransport":["true"]}}}}`, true},
		"Boolean":      {"A boolean may be written as a string.", doc, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["*"],"Condition":{"Bool":{"aws:SecureTransport":true}}}}`, true},
		"Twice":        {"A duplicate in a set does not matter,", `{"Action":["a","a","b"]}`, `{"Action":["b","a"]}`, true},
		"TwiceOne":     {"even if a single element remains.", `{"Action":["a","a"]}`, `{"Action":"a"}`, true},
		"Action":       {"Another action is another policy.", doc, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:*"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`, false},
		"LessActions":  {"So is one action less.", `{"Action":["a","b"]}`, `{"Action":["a"]}`, false},
		"Condition":    {"So is a missing condition.", doc, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}]}`, false},
		"Statements":   {"So is an additional statement.", `{"Statement":[{"Effect":"Allow"},{"Effect":"Deny"}]}`, `{"Statement":[{"Effect":"Allow"}]}`, false},
		"Null":         {"Null is not a string.", `{"Action":null}`, `{"Action":"null"}`, false},
		"NotJSON":      {"Input that is not JSON is treated as the same,", doc, `boom`, true},
		"NotJSONFirst": {"on either side.", ``, doc, true},
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
