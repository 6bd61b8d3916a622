package iam

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStrings makes sure that strings are written as encoding/json does, but for what HTML wants.
func TestStrings(t *testing.T) {
	cases := map[string]struct{ reason, in string }{
		"Plain":     {"Nearly all strings are written as they are:", `arn:aws:s3:::${aws:PrincipalTag/a}/*?<&>~ !`},
		"Empty":     {"also those without characters.", ""},
		"Quotes":    {"What has a meaning in JSON should be escaped,", `say "\"`},
		"Control":   {"also where it cannot be seen,", "a\tb\nc\r\x00\x1f\x7f"},
		"Letters":   {"other letters should stay,", "Größe ÿ Ω 🙂"},
		"Lines":     {"but for those that JavaScript takes for ends of lines,", "\u2028\u2029"},
		"NoUnicode": {"and what is no text should become something that is.", "a\xff\xc3"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := &bytes.Buffer{}
			e := json.NewEncoder(want)
			e.SetEscapeHTML(false)
			if err := e.Encode(tc.in); err != nil {
				t.Fatal(err)
			}
			got := string(appendString([]byte("x"), tc.in))
			if diff := cmp.Diff("x"+strings.TrimSuffix(want.String(), "\n"), got); diff != "" {
				t.Errorf("%s\nappendString(x, %q): -want, +got:\n%s", tc.reason, tc.in, diff)
			}
		})
	}
}

// TestEverything makes sure that no element of a document is forgotten, and that what is written is JSON.
func TestEverything(t *testing.T) {
	set := StringSet{"b", "a"}
	d := NewDocument(
		Statement{Sid: "A", Effect: Allow, Principal: map[string]StringSet{"Service": {"s"}, "AWS": set}, Action: set, Resource: set, Condition: Condition{"Bool": {"k": set}, "ArnLike": {}}},
		Statement{Effect: Deny, NotAction: set, NotResource: set},
	)
	want := map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{
			map[string]any{
				"Sid": "A", "Effect": "Allow", "Principal": map[string]any{"Service": "s", "AWS": []any{"a", "b"}}, "Action": []any{"a", "b"}, "Resource": []any{"a", "b"},
				"Condition": map[string]any{"Bool": map[string]any{"k": []any{"a", "b"}}, "ArnLike": map[string]any{}},
			},
			map[string]any{"Effect": "Deny", "NotAction": []any{"a", "b"}, "NotResource": []any{"a", "b"}},
		},
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(d.String()), &got); err != nil {
		t.Fatalf("%s is no JSON: %v", d, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("String(): -want, +got:\n%s", diff)
	}
}

func BenchmarkDocument(b *testing.B) {
	t := Trust{Region: "eu-west-1", Cluster: "prod", Namespace: "crossplane-system", ServiceAccount: "provider-aws-s3", AccountID: "123456789012"}
	d, err := t.Document()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = d.String()
	}
}
