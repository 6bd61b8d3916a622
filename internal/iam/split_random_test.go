package iam

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSplitRandom checks the invariants of Split with random statements, short and long.
func TestSplitRandom(t *testing.T) {
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		in := randomStatements(rnd, 1+rnd.IntN(30), 1+rnd.IntN(30))
		limit, most := 500+rnd.IntN(2000), 1+rnd.IntN(60)
		before := fmt.Sprint(in)
		docs, err := Split(in, limit, most)
		if se := (*SplitError)(nil); err != nil && !errors.As(err, &se) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err == nil {
			checkSplit(t, in, docs, limit, most)
		}
		again, err2 := Split(slices.Clone(in), limit, most)
		if diff := cmp.Diff(docs, again); diff != "" || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("seed %d: the same input gives different documents, errors %v and %v:\n%s", seed, err, err2, diff)
		}
		if fmt.Sprint(in) != before {
			t.Fatalf("seed %d: Split changed its input", seed)
		}
	}
}

// TestSplitStable checks that an edit changes only a few of about twenty documents, regardless of its position. With dense cuts, it would
// change seven.
func TestSplitStable(t *testing.T) {
	edits := map[string]func(rnd *rand.Rand, s []Statement, i int) []Statement{
		"Edit": func(rnd *rand.Rand, s []Statement, i int) []Statement {
			s[i] = randomStatements(rnd, 1, 6)[0]
			return s
		},
		"Append": func(rnd *rand.Rand, s []Statement, i int) []Statement {
			s[i].Action = append(slices.Clone(s[i].Action), fmt.Sprintf("new:Action%d", rnd.Uint32()))
			return s
		},
		"Add": func(rnd *rand.Rand, s []Statement, i int) []Statement {
			return slices.Insert(s, i, randomStatements(rnd, 1, 6)[0])
		},
		"Remove": func(_ *rand.Rand, s []Statement, i int) []Statement { return slices.Delete(s, i, i+1) },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			const seeds = 100
			several, sum := 0, 0
			for seed := range uint64(seeds) {
				rnd := rand.New(rand.NewPCG(seed, 5))
				in := randomStatements(rnd, 150, 6)
				before, err := Split(in, 2500, 100)
				if err != nil {
					t.Fatal(err)
				}
				after, err := Split(edit(rnd, slices.Clone(in), rnd.IntN(len(in))), 2500, 100)
				if err != nil {
					t.Fatal(err)
				}
				n := max(difference(before, after), difference(after, before))
				sum += n
				if n > 3 {
					several++
				}
				if n > 5 || len(before) < 15 {
					t.Errorf("seed %d: %d of %d documents change", seed, n, len(before))
				}
			}
			if several > seeds/50 || sum > 2*seeds {
				t.Errorf("%d documents change in %d edits, more than 3 of them in %d: want at most 2 on average, and more than 3 in at most one edit of 50", sum, seeds, several)
			}
		})
	}
}

// difference returns the number of documents in a that are not in b.
func difference(a, b []Document) int {
	has := map[string]bool{}
	for _, d := range b {
		has[d.String()] = true
	}
	n := 0
	for _, d := range a {
		if !has[d.String()] {
			n++
		}
	}
	return n
}

// checkSplit checks that documents fit, keep the order and the exact meaning of the statements, and have unique Sids.
func checkSplit(t *testing.T, in []Statement, docs []Document, limit, most int) {
	t.Helper()
	if len(docs) > most {
		t.Errorf("want at most %d documents, got %d", most, len(docs))
	}
	var out []Statement
	sids := map[string]bool{}
	for i, d := range docs {
		if n := Size(d.String()); n > limit {
			t.Errorf("document %d has %d characters, more than %d", i, n, limit)
		}
		if d.Version != version || len(d.Statement) == 0 {
			t.Errorf("document %d is empty: %s", i, d)
		}
		for _, s := range d.Statement {
			if s.Sid != "" && sids[s.Sid] {
				t.Errorf("duplicate Sid %s", s.Sid)
			}
			sids[s.Sid] = true
			out = append(out, s)
		}
	}
	if diff := cmp.Diff(grants(in), grants(out)); diff != "" {
		t.Errorf("permissions changed: -want, +got:\n%s", diff)
	}
	// In order, each piece belongs to the same statement as the previous piece, or to a later one.
	last := 0
	for _, s := range out {
		part := grants([]Statement{s})
		i := slices.IndexFunc(in[last:], func(o Statement) bool {
			whole := grants([]Statement{o})
			for g := range part {
				if !whole[g] {
					return false
				}
			}
			return true
		})
		if i < 0 {
			t.Fatalf("the order changes at %s", NewDocument(s))
		}
		last += i
	}
}

// grants returns all pairs of an action and a resource, with the effect and the condition. A list of exceptions only has a meaning as a
// whole.
func grants(statements []Statement) map[string]bool {
	out := map[string]bool{}
	for _, s := range statements {
		actions, resources := s.Action, s.Resource
		if len(s.NotAction) > 0 {
			actions = StringSet{fmt.Sprint("not ", s.NotAction.unique())}
		}
		if len(s.NotResource) > 0 {
			resources = StringSet{fmt.Sprint("not ", s.NotResource.unique())}
		}
		for _, a := range actions {
			for _, r := range resources {
				out[NewDocument(Statement{Effect: s.Effect, Action: StringSet{a}, Resource: StringSet{r}, Condition: s.Condition}).String()] = true
			}
		}
	}
	return out
}

// randomStatements returns n statements, each with up to the given number of actions or resources.
func randomStatements(rnd *rand.Rand, n, values int) []Statement {
	set := func(format string) StringSet {
		s := make(StringSet, 1+rnd.IntN(values))
		for i := range s {
			s[i] = fmt.Sprintf(format, strings.Repeat("x", rnd.IntN(20)), rnd.IntN(1000))
		}
		return s
	}
	out := make([]Statement, n)
	for i := range out {
		s := Statement{Effect: []string{Allow, Allow, Deny}[rnd.IntN(3)]}
		if rnd.IntN(2) == 0 {
			s.Sid = fmt.Sprintf("S%d", rnd.Uint64())
		}
		if rnd.IntN(10) == 0 {
			s.NotAction = set("s3:Not%s%d")[:1]
		} else {
			s.Action = set("s3:Get%s%d")
		}
		if rnd.IntN(10) == 0 {
			s.NotResource = set("arn:aws:s3:::not%s%d")[:1]
		} else {
			s.Resource = set("arn:aws:s3:::%s/%d é")
		}
		if rnd.IntN(4) == 0 {
			s.Condition = Condition{"StringLike": {"aws:username": set("%s%d")[:1]}}
		}
		out[i] = s
	}
	return out
}
