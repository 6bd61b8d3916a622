package iam

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStrings checks that strings are written as encoding/json does, without its HTML escapes.
func TestStrings(t *testing.T) {
	cases := map[string]struct{ reason, in string }{
		"Plain":     {"Nearly all strings are written verbatim:", `arn:aws:s3:::${aws:PrincipalTag/a}/*?<&>~ !`},
		"Empty":     {"also empty ones.", ""},
		"Quotes":    {"Characters with a meaning in JSON are escaped,", `say "\"`},
		"Control":   {"also invisible ones.", "a\tb\nc\r\x00\x1f\x7f"},
		"Letters":   {"Other letters are written verbatim,", "Größe ÿ Ω 🙂"},
		"Lines":     {"except those that JavaScript treats as line ends.", "\u2028\u2029"},
		"NoUnicode": {"Invalid UTF-8 is replaced.", "a\xff\xc3"},
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

// TestEverything checks that all elements of a document are written, and that the result is JSON.
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
		t.Fatalf("%s is not JSON: %v", d, err)
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
