package iam

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDocumentString(t *testing.T) {
	cases := map[string]struct {
		reason string
		same   []Document
		want   string
	}{
		"Minimal": {
			reason: "A set of one is written as a string, without HTML escapes or indentation.",
			same: []Document{
				NewDocument(Statement{Effect: Allow, Action: StringSet{"s3:*"}, Resource: StringSet{"arn:aws:s3:::<a>&b"}}),
			},
			want: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::<a>&b"}]}`,
		},
		"Permuted": {
			reason: "Sets and maps in another order give the same bytes.",
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
			reason: "Statements keep their order, in which users read them.",
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

// TestDocumentStringKeepsInput checks that writing a document does not sort the caller's slices.
func TestDocumentStringKeepsInput(t *testing.T) {
	actions := StringSet{"s3:Put*", "s3:Get*"}
	_ = NewDocument(Statement{Action: actions}).String()
	if diff := cmp.Diff(StringSet{"s3:Put*", "s3:Get*"}, actions); diff != "" {
		t.Errorf("String() changed the caller's set: -want, +got:\n%s", diff)
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
		"InString":   {"White space in a string counts.", `{"a" : "b c\t"}`, 13},
		"Escaped":    {"An escaped quotation mark does not end a string, and an escaped backslash escapes nothing.", `["\" ", "\\" , " "]`, 16},
		"Empty":      {"An empty string has no characters.", "", 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Size(tc.in); got != tc.want {
				t.Errorf("%s\nSize(%q): want %d, got %d", tc.reason, tc.in, tc.want, got)
			}
		})
	}
}
