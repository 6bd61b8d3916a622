package iam

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// long names of this many characters, numbered.
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
		want   []string // The Sids of each document.
	}{
		"Nothing":   {"No statements need no policy.", nil, 1000, nil},
		"One":       {"What fits is one document.", []Statement{small, {Sid: "B", Effect: Deny, NotAction: StringSet{"s3:*", "a:*"}, NotResource: StringSet{"*"}}}, 1000, []string{"Small B"}},
		"JustFits":  {"So is what just fits.", []Statement{small}, Size(NewDocument(small).String()), []string{"Small"}},
		"Two":       {"What does not is cut between statements.", []Statement{small, {Sid: "B", Effect: Allow, Action: long("s3:A", 20, 30), Resource: StringSet{"*"}}}, 800, []string{"Small", "B"}},
		"Actions":   {"A statement that is too long is cut between its actions, and its pieces are numbered.", []Statement{{Sid: "B", Effect: Allow, Action: long("s3:A", 20, 100), Resource: StringSet{"*"}}, small}, 1600, []string{"B1", "B2 Small"}},
		"NoSid":     {"Without a Sid there is nothing to number.", []Statement{{Effect: Allow, Action: long("s3:A", 20, 100), Resource: StringSet{"*"}}}, 1600, []string{"", ""}},
		"SidTaken":  {"A Sid that another statement has is passed over.", []Statement{{Sid: "B", Effect: Allow, Action: long("s3:A", 20, 100), Resource: StringSet{"*"}}, {Sid: "B1", Effect: Deny, Action: StringSet{"a:*"}, Resource: StringSet{"*"}}}, 1600, []string{"B2", "B3 B1"}},
		"Resources": {"One whose actions cannot be cut is cut between its resources.", []Statement{{Sid: "B", Effect: Deny, NotAction: StringSet{"s3:*", "a:*"}, Resource: long("arn:aws:s3:::", 20, 100)}}, 1600, []string{"B1", "B2"}},
		"LongList":  {"One whose resources leave no room for its actions, too.", []Statement{{Sid: "B", Effect: Allow, Action: StringSet{"s3:*", "a:*"}, Resource: long("arn:aws:s3:::", 20, 100)}}, 1600, []string{"B1", "B2"}},
		"ActionsFirst": {
			"One that can be cut at either is cut between its actions.",
			[]Statement{{Sid: "B", Effect: Allow, Action: long("s3:A", 4, 100), Resource: long("arn:aws:s3:::", 12, 100)}},
			1600,
			[]string{"B1", "B2"},
		},
		"WithNumber": {"One that just fits gets no number, which would not fit.", []Statement{{Sid: "B", Effect: Allow, Action: long("s3:A", 2, 100), Resource: StringSet{"*"}}, small}, 299, []string{"B", "Small"}},
		"Both":       {"One whose resources leave no room for its actions, nor the other way round, is cut at both.", []Statement{{Sid: "B", Effect: Allow, Action: long("s3:A", 16, 100), Resource: long("arn:aws:s3:::", 16, 100)}}, 1600, []string{"B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8"}},
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
		t.Errorf("what fits should stay as it is: error %v, -want, +got:\n%s", err, diff)
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
			"All but a and all but b are together all: such a list cannot be split.",
			[]Statement{ok, {Effect: Allow, NotAction: long("s3:A", 20, 100), Resource: StringSet{"*"}}},
			1600, 10, 1,
			[]string{"Statement[1]", "2146", "1600", "NotAction"},
		},
		"NotResource": {
			"Likewise a list of what is left out of the resources.",
			[]Statement{{Effect: Deny, Action: StringSet{"s3:*"}, NotResource: long("arn:aws:s3:::", 20, 100)}},
			1600, 10, 0,
			[]string{"Statement[0]", "1600", "NotResource"},
		},
		"Action": {
			"One action that is too long can be split no further.",
			[]Statement{ok, ok, {Effect: Allow, Action: long("s3:A", 2, 1600), Resource: StringSet{"*"}}},
			1600, 10, 2,
			[]string{"Statement[2]", "1600"},
		},
		"Condition": {
			"Nor a condition.",
			[]Statement{{Effect: Allow, Action: long("s3:A", 2, 100), Resource: StringSet{"*"}, Condition: Condition{"StringEquals": {"aws:username": long("u", 20, 100)}}}},
			1600, 10, 0,
			[]string{"Statement[0]", "1600"},
		},
		"Most": {
			"No more documents than there may be, and the figures should say how far off it is.",
			[]Statement{{Effect: Allow, Action: long("s3:A", 40, 100), Resource: StringSet{"*"}}},
			1600, 2, -1,
			[]string{"4203", "need at least 3", "1600", "may be 2"},
		},
		"Brim": {
			"Where what there is might fit, it is tried, and what it would need is known.",
			[]Statement{{Effect: Allow, Action: long("s3:A", 14, 100), Resource: StringSet{"*"}}, {Effect: Allow, Action: long("s3:B", 14, 100), Resource: StringSet{"*"}}, {Effect: Deny, Action: long("s3:C", 1, 100), Resource: StringSet{"*"}}},
			1600, 2, -1,
			[]string{"need 3", "1600", "may be 2"},
		},
		"None": {
			"No documents at all may be allowed.",
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
					t.Errorf("%s\nSplit(...): the error should have %q: %v", tc.reason, w, err)
				}
			}
		})
	}
}

// TestSplitDense makes sure that documents are filled to the brim, and not beyond, where stable cuts would take too many.
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
		t.Fatalf("9 documents should do, stable cuts take %d: %v", len(stable), err)
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
			t.Errorf("%d documents of %d characters cannot do, got %d", tc.most, tc.limit, len(docs))
		}
	}
}

// TestSplitDenseStatement does the same for the pieces of one statement.
func TestSplitDenseStatement(t *testing.T) {
	s := Statement{Sid: "A", Effect: Allow, Action: long("s3:A", 30, 50), Resource: StringSet{"*"}}
	five := s
	// Two digits: there may be up to 30 pieces.
	five.Sid, five.Action = "A10", s.Action[:5]
	brim := Size(NewDocument(five).String())
	docs, err := Split([]Statement{s}, brim, 6)
	if err != nil {
		t.Fatal(err)
	}
	checkSplit(t, []Statement{s}, docs, brim, 6)
	if _, err := Split([]Statement{s}, brim-1, 6); err == nil {
		t.Errorf("6 documents that are one character shorter cannot do")
	}
}

// TestSplitLongest checks both sides of the limit of what can be split no further.
func TestSplitLongest(t *testing.T) {
	const limit = 1000
	cases := map[string]struct {
		reason    string
		in, least func(long string) Statement
	}{
		"Action": {
			reason: "An action may be so long that it fits with the longest resource.",
			in: func(long string) Statement {
				return Statement{Effect: Allow, Action: StringSet{"s3:A", "s3:" + long}, Resource: StringSet{"*", "arn:aws:s3:::b"}}
			},
			least: func(long string) Statement {
				return Statement{Effect: Allow, Action: StringSet{"s3:" + long}, Resource: StringSet{"arn:aws:s3:::b"}}
			},
		},
		"Resource": {
			reason: "A resource may be so long that it fits with what cannot be split, and a number.",
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

// TestSplitBoth makes sure that a statement that is cut at its actions and its resources does not fall into crumbs: 40 documents have room
// for 40 times 40 pairs, if each has about as many actions as resources.
func TestSplitBoth(t *testing.T) {
	in := []Statement{{Effect: Allow, Action: long("s3:A", 40, 100), Resource: long("arn:aws:s3:::", 40, 100)}}
	docs, err := Split(in, 1600, 40)
	if err != nil {
		t.Fatal(err)
	}
	checkSplit(t, in, docs, 1600, 40)
}
