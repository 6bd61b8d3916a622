package iam

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// long returns n numbered names of the given size.
func long(prefix string, n, size int) StringSet {
	set := make(StringSet, n)
	for i := range set {
		name := fmt.Sprintf("%s%03d", prefix, i)
		set[i] = name + strings.Repeat("x", size-len(name))
	}
	return set
}

func TestSplit(t *testing.T) {
	small := Statement{Sid: "Small", Effect: Allow, Action: StringSet{"sqs:*"}, Resource: StringSet{"*"}}
	cases := map[string]struct {
		reason string
		in     []Statement
		limit  int
		want   []string // the Sids of each document
	}{
		"Nothing":   {"No statements need no policy.", nil, 1000, nil},
		"One":       {"Statements that fit stay in one document.", []Statement{small, {Sid: "B", Effect: Deny, NotAction: StringSet{"s3:*", "a:*"}, NotResource: StringSet{"*"}}}, 1000, []string{"Small B"}},
		"JustFits":  {"So do statements that just fit.", []Statement{small}, Size(NewDocument(small).String()), []string{"Small"}},
		"Two":       {"Statements that do not fit are split between documents.", []Statement{small, {Sid: "B", Effect: Allow, Action: long("s3:A", 20, 30), Resource: StringSet{"*"}}}, 800, []string{"Small", "B"}},
		"Actions":   {"A statement that is too long is split by its actions, and its pieces are numbered.", []Statement{{Sid: "B", Effect: Allow, Action: long("s3:A", 20, 100), Resource: StringSet{"*"}}, small}, 1600, []string{"B1", "B2 Small"}},
		"NoSid":     {"Without a Sid, there is nothing to number.", []Statement{{Effect: Allow, Action: long("s3:A", 20, 100), Resource: StringSet{"*"}}}, 1600, []string{"", ""}},
		"SidTaken":  {"A Sid of another statement is skipped.", []Statement{{Sid: "B", Effect: Allow, Action: long("s3:A", 20, 100), Resource: StringSet{"*"}}, {Sid: "B1", Effect: Deny, Action: StringSet{"a:*"}, Resource: StringSet{"*"}}}, 1600, []string{"B2", "B3 B1"}},
		"Resources": {"A statement whose actions cannot be split is split by its resources.", []Statement{{Sid: "B", Effect: Deny, NotAction: StringSet{"s3:*", "a:*"}, Resource: long("arn:aws:s3:::", 20, 100)}}, 1600, []string{"B1", "B2"}},
		"LongList":  {"So is a statement whose resources leave no room for its actions.", []Statement{{Sid: "B", Effect: Allow, Action: StringSet{"s3:*", "a:*"}, Resource: long("arn:aws:s3:::", 20, 100)}}, 1600, []string{"B1", "B2"}},
		"ActionsFirst": {
			"A statement that can be split by either is split by its actions.",
			[]Statement{{Sid: "B", Effect: Allow, Action: long("s3:A", 4, 100), Resource: long("arn:aws:s3:::", 12, 100)}},
			1600,
			[]string{"B1", "B2"},
		},
		"WithNumber": {"A statement that just fits gets no number, which would not fit.", []Statement{{Sid: "B", Effect: Allow, Action: long("s3:A", 2, 100), Resource: StringSet{"*"}}, small}, 299, []string{"B", "Small"}},
		"Both":       {"A statement with too many actions and too many resources is split by both.", []Statement{{Sid: "B", Effect: Allow, Action: long("s3:A", 16, 100), Resource: long("arn:aws:s3:::", 16, 100)}}, 1600, []string{"B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			docs, err := Split(tc.in, tc.limit, 10)
			if err != nil {
				t.Fatalf("%s\nSplit(...): %v", tc.reason, err)
			}
			var got []string
			for _, d := range docs {
				var sids []string
				for _, s := range d.Statement {
					sids = append(sids, s.Sid)
				}
				got = append(got, strings.Join(sids, " "))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nSids of Split(...): -want, +got:\n%s", tc.reason, diff)
			}
			checkSplit(t, tc.in, docs, tc.limit, 10)
		})
	}
}

func TestSplitOne(t *testing.T) {
	in := []Statement{{Sid: "A", Effect: Allow, Action: StringSet{"s3:*", "a:*"}, Resource: StringSet{"*"}}, {Effect: Deny, Action: StringSet{"b:*"}, Resource: StringSet{"*"}}}
	got, err := Split(in, MaxPolicySize, 1)
	if diff := cmp.Diff([]Document{NewDocument(in...)}, got); diff != "" || err != nil {
		t.Errorf("statements that fit should stay as they are: error %v, -want, +got:\n%s", err, diff)
	}
}

func TestSplitErrors(t *testing.T) {
	ok := Statement{Effect: Allow, Action: StringSet{"s3:*"}, Resource: StringSet{"*"}}
	cases := map[string]struct {
		reason      string
		in          []Statement
		limit, most int
		statement   int
		words       []string
	}{
		"NotAction": {
			"NotAction cannot be split: all but a, or all but b, together allow everything.",
			[]Statement{ok, {Effect: Allow, NotAction: long("s3:A", 20, 100), Resource: StringSet{"*"}}},
			1600, 10, 1,
			[]string{"Statement[1]", "2146", "1600", "NotAction"},
		},
		"NotResource": {
			"Neither can NotResource.",
			[]Statement{{Effect: Deny, Action: StringSet{"s3:*"}, NotResource: long("arn:aws:s3:::", 20, 100)}},
			1600, 10, 0,
			[]string{"Statement[0]", "1600", "NotResource"},
		},
		"Action": {
			"A single action that is too long cannot be split.",
			[]Statement{ok, ok, {Effect: Allow, Action: long("s3:A", 2, 1600), Resource: StringSet{"*"}}},
			1600, 10, 2,
			[]string{"Statement[2]", "1600"},
		},
		"Condition": {
			"Neither can a condition.",
			[]Statement{{Effect: Allow, Action: long("s3:A", 2, 100), Resource: StringSet{"*"}, Condition: Condition{"StringEquals": {"aws:username": long("u", 20, 100)}}}},
			1600, 10, 0,
			[]string{"Statement[0]", "1600"},
		},
		"Most": {
			"The error reports the limit of documents, and by how much it is exceeded.",
			[]Statement{{Effect: Allow, Action: long("s3:A", 40, 100), Resource: StringSet{"*"}}},
			1600, 2, -1,
			[]string{"4203", "need at least 3", "1600", "may be 2"},
		},
		"Brim": {
			"If the statements might just fit, the split is tried, and the required number is known.",
			[]Statement{{Effect: Allow, Action: long("s3:A", 14, 100), Resource: StringSet{"*"}}, {Effect: Allow, Action: long("s3:B", 14, 100), Resource: StringSet{"*"}}, {Effect: Deny, Action: long("s3:C", 1, 100), Resource: StringSet{"*"}}},
			1600, 2, -1,
			[]string{"need 3", "1600", "may be 2"},
		},
		"None": {
			"The limit may be zero.",
			[]Statement{ok},
			1600, 0, -1,
			[]string{"need at least 1", "may be 0"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			docs, err := Split(tc.in, tc.limit, tc.most)
			se := &SplitError{}
			if !errors.As(err, &se) || docs != nil {
				t.Fatalf("%s\nSplit(...): want no documents and a SplitError, got %d documents and %v", tc.reason, len(docs), err)
			}
			if se.Statement != tc.statement {
				t.Errorf("%s\nSplit(...): want a problem of statement %d, got %d", tc.reason, tc.statement, se.Statement)
			}
			for _, w := range tc.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%s\nSplit(...): the error should contain %q: %v", tc.reason, w, err)
				}
			}
		})
	}
}

// TestSplitDense checks that documents are filled to the brim, and not beyond, if stable cuts would need too many.
func TestSplitDense(t *testing.T) {
	var in []Statement
	for i := range 90 {
		in = append(in, Statement{Effect: Allow, Action: long(fmt.Sprintf("s3:A%d", i), 1, 100), Resource: StringSet{"*"}})
	}
	brim := Size(NewDocument(in[:10]...).String())
	stable, err := Split(in, brim, 90)
	if err != nil {
		t.Fatal(err)
	}
	dense, err := Split(in, brim, 9)
	if err != nil {
		t.Fatalf("9 documents should be enough, stable cuts need %d: %v", len(stable), err)
	}
	checkSplit(t, in, dense, brim, 9)
	if len(stable) <= len(dense) {
		t.Errorf("want more documents with stable cuts than the %d dense ones, got %d", len(dense), len(stable))
	}
	for i, d := range dense {
		if len(d.Statement) != 10 {
			t.Errorf("want 10 statements in each document, got %d in document %d", len(d.Statement), i)
		}
	}
	for _, tc := range []struct{ limit, most int }{{brim, 8}, {brim - 1, 9}} {
		if docs, err := Split(in, tc.limit, tc.most); err == nil {
			t.Errorf("%d documents of %d characters cannot be enough, got %d", tc.most, tc.limit, len(docs))
		}
	}
}

// TestSplitDenseStatement does the same for the pieces of one statement.
func TestSplitDenseStatement(t *testing.T) {
	s := Statement{Sid: "A", Effect: Allow, Action: long("s3:A", 30, 50), Resource: StringSet{"*"}}
	five := s
	// The number has two digits, because there may be up to 30 pieces.
	five.Sid, five.Action = "A10", s.Action[:5]
	brim := Size(NewDocument(five).String())
	docs, err := Split([]Statement{s}, brim, 6)
	if err != nil {
		t.Fatal(err)
	}
	checkSplit(t, []Statement{s}, docs, brim, 6)
	if _, err := Split([]Statement{s}, brim-1, 6); err == nil {
		t.Errorf("6 documents cannot be enough if they are one character shorter")
	}
}

// TestSplitLongest checks both sides of the limit for the parts that cannot be split.
func TestSplitLongest(t *testing.T) {
	const limit = 1000
	cases := map[string]struct {
		reason    string
		in, least func(long string) Statement
	}{
		"Action": {
			reason: "An action may be as long as fits with the longest resource.",
			in: func(long string) Statement {
				return Statement{Effect: Allow, Action: StringSet{"s3:A", "s3:" + long}, Resource: StringSet{"*", "arn:aws:s3:::b"}}
			},
			least: func(long string) Statement {
				return Statement{Effect: Allow, Action: StringSet{"s3:" + long}, Resource: StringSet{"arn:aws:s3:::b"}}
			},
		},
		"Resource": {
			reason: "A resource may be as long as fits with the parts that cannot be split, and a number.",
			in: func(long string) Statement {
				return Statement{Sid: "A", Effect: Allow, NotAction: StringSet{"s3:A", "s3:B"}, Resource: StringSet{"*", "arn:aws:s3:::" + long}}
			},
			least: func(long string) Statement {
				return Statement{Sid: "A1", Effect: Allow, NotAction: StringSet{"s3:A", "s3:B"}, Resource: StringSet{"arn:aws:s3:::" + long}}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			fits := strings.Repeat("x", limit-Size(NewDocument(tc.least("")).String()))
			docs, err := Split([]Statement{tc.in(fits)}, limit, 10)
			if err != nil {
				t.Fatalf("%s\nSplit(...): %v", tc.reason, err)
			}
			checkSplit(t, []Statement{tc.in(fits)}, docs, limit, 10)
			if _, err := Split([]Statement{tc.in(fits + "x")}, limit, 10); err == nil {
				t.Errorf("%s One more character should be refused.", tc.reason)
			}
		})
	}
}

// TestSplitBoth checks that a statement that is split by its actions and its resources does not fall into tiny pieces: 40 documents have
// room for 40 times 40 pairs, if each has about as many actions as resources.
func TestSplitBoth(t *testing.T) {
	in := []Statement{{Effect: Allow, Action: long("s3:A", 40, 100), Resource: long("arn:aws:s3:::", 40, 100)}}
	docs, err := Split(in, 1600, 40)
	if err != nil {
		t.Fatal(err)
	}
	checkSplit(t, in, docs, 1600, 40)
}
