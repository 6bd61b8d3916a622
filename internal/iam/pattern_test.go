package iam

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

func TestMatch(t *testing.T) {
	cases := map[string]struct {
		reason, pattern, s string
		want, fold         bool
	}{
		"Same":              {"A string without wildcards matches itself.", "s3:GetObject", "s3:GetObject", true, true},
		"Other":             {"And nothing else.", "s3:GetObject", "s3:PutObject", false, false},
		"Case":              {"Letter case matters, unless it is folded.", "S3:getobject", "s3:GetObject", false, true},
		"Prefix":            {"A * matches the rest.", "s3:Get*", "s3:GetObject", true, true},
		"StarNone":          {"A * matches nothing at all.", "s3:Get*", "s3:Get", true, true},
		"Inner":             {"A * may stand anywhere.", "iam:*User", "iam:CreateUser", true, true},
		"InnerTooLong":      {"What follows a * has to be the end.", "iam:*User", "iam:CreateUsers", false, false},
		"Backtrack":         {"The first place where it fits need not be the right one.", "*ab", "aab", true, true},
		"BacktrackTwice":    {"Nor the second.", "a*b*c", "aXbXbXc", true, true},
		"Question":          {"A ? matches one character.", "iam:Create?ser", "iam:CreateUser", true, true},
		"QuestionNone":      {"And not none.", "iam:CreateUser?", "iam:CreateUser", false, false},
		"QuestionStar":      {"A ? beside a * needs one character.", "a?*", "a", false, false},
		"QuestionCharacter": {"A character may have more than one byte.", "a?b", "aéb", true, true},
		"Empty":             {"The empty pattern matches the empty string.", "", "", true, true},
		"EmptyOnly":         {"And only that.", "", "a", false, false},
		"Stars":             {"Any number of * is as good as one.", "***", "", true, true},
		"LiteralStar":       {"A * in the string is a character like others.", "a", "*", false, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Match(tc.pattern, tc.s); got != tc.want {
				t.Errorf("%s\nMatch(%q, %q): want %t, got %t", tc.reason, tc.pattern, tc.s, tc.want, got)
			}
			if got := MatchFold(tc.pattern, tc.s); got != tc.fold {
				t.Errorf("%s\nMatchFold(%q, %q): want %t, got %t", tc.reason, tc.pattern, tc.s, tc.fold, got)
			}
		})
	}
}

func TestOverlapAndCovers(t *testing.T) {
	cases := map[string]struct {
		reason, a, b             string
		overlap, covers, covers2 bool // covers2: the other way round.
	}{
		"Same":           {"A pattern covers itself.", "iam:*", "iam:*", true, true, true},
		"Apart":          {"Other services have nothing in common.", "iam:*", "s3:*", false, false, false},
		"All":            {"* covers everything.", "*", "iam:PassRole", true, true, false},
		"Within":         {"The longer beginning is covered by the shorter.", "iam:*", "iam:Create*", true, true, false},
		"Crossing":       {"Two may overlap, and neither cover the other.", "iam:Create*", "iam:*User", true, false, false},
		"CrossingApart":  {"Beginnings that differ cannot overlap.", "iam:Create*User", "iam:Delete*User", false, false, false},
		"WildService":    {"A wildcard may stand for the service.", "*:PassRole", "iam:*", true, false, false},
		"Question":       {"A ? is covered by a *, not the other way round.", "iam:Create*", "iam:Create?", true, true, false},
		"QuestionLength": {"Each ? is one character.", "??", "???", false, false, false},
		"AtLeastOne":     {"?* and *? are the same.", "?*", "*?", true, true, true},
		"GapOrder":       {"At least two characters, the last of them x.", "?*x", "*yx", true, true, false},
		"StarNone":       {"A * may be empty.", "a*?b", "a*b", true, false, true},
		"PartialMatch":   {"A match that has begun before a * cannot go on behind it.", "*xw*", "x*w", true, false, false},
		"Repeat":         {"What repeats is found at its first place.", "*a*b", "aab*b", true, true, false},
		"End":            {"The end is found at the last place.", "*ab", "*abab", true, true, false},
		"Empty":          {"The empty pattern is covered by *.", "*", "", true, true, false},
		"EmptySame":      {"And by itself.", "", "", true, true, true},
		"NoStar":         {"Without a * there is one length.", "abc", "a*c", true, false, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, upper := range []bool{false, true} {
				overlap, covers, a := Overlap, Covers, tc.a
				if upper {
					overlap, covers, a = OverlapFold, CoversFold, strings.ToUpper(tc.a)
				}
				if got, again := overlap(a, tc.b), overlap(tc.b, a); got != tc.overlap || again != tc.overlap {
					t.Errorf("%s\nOverlap of %q and %q: want %t, got %t, and %t the other way round", tc.reason, a, tc.b, tc.overlap, got, again)
				}
				if got := covers(a, tc.b); got != tc.covers {
					t.Errorf("%s\nCovers(%q, %q): want %t, got %t", tc.reason, a, tc.b, tc.covers, got)
				}
				if got := covers(tc.b, a); got != tc.covers2 {
					t.Errorf("%s\nCovers(%q, %q): want %t, got %t", tc.reason, tc.b, a, tc.covers2, got)
				}
			}
		})
	}
}

// longPatterns take forever where wildcards are tried one by one: 2 to the power of n.
func longPatterns(n int) (stars, as string) {
	return strings.Repeat("*a", n) + "b", strings.Repeat("a", 2*n)
}

// TestLongPatterns would not end were patterns tried one by one. BenchmarkPatterns shows how their time grows.
func TestLongPatterns(t *testing.T) {
	stars, as := longPatterns(1500)
	if Match(stars, as) || Overlap(stars, as) || Covers(stars, as) || Covers(as, stars) {
		t.Errorf("a pattern that ends with b should not match what has none")
	}
	if !Overlap(stars, strings.Repeat("a*", 1500)) || !Covers(stars, as+stars) {
		t.Errorf("a * should take what is needed")
	}
}

// BenchmarkPatterns: twice the length takes four times as long at most.
func BenchmarkPatterns(b *testing.B) {
	for _, n := range []int{250, 500, 1000} {
		stars, as := longPatterns(n)
		for name, f := range map[string]func(a, b string) bool{"Match": Match, "Overlap": Overlap, "Covers": Covers} {
			b.Run(fmt.Sprintf("%s/length=%d", name, 2*n), func(b *testing.B) {
				for b.Loop() {
					// The ends do not tell the two apart.
					f(stars+"*", as)
				}
			})
		}
	}
}

// short strings, all up to 8 characters, of all characters that the patterns may have and one that they have not.
var short = sync.OnceValue(func() []string {
	all := []string{""}
	for i := 0; len(all[i]) < 8; i++ {
		all = append(all, all[i]+"a", all[i]+"b", all[i]+"z")
	}
	return all
})

// FuzzPattern compares with what trying all short strings gives. A pattern of n characters tells all strings apart that differ within n
// characters or so, so that longer ones would add nothing.
func FuzzPattern(f *testing.F) {
	for _, s := range [][2]string{{"", ""}, {"*", "?"}, {"a*b", "*ab*"}, {"?*a", "*ba"}, {"*a?*b", "a*b"}, {"*ab*", "a*b"}, {"a?", "?b"}, {"*a?", "*a*?"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		checkPatterns(t, shortPattern(a), shortPattern(b))
	})
}

// TestPatternsBruteForce does the same for random patterns, in every test run.
func TestPatternsBruteForce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 11))
	for range 400 {
		checkPatterns(t, randomPattern(rnd), randomPattern(rnd))
	}
}

// shortPattern of four different characters, whatever the fuzzer makes.
func shortPattern(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] = "ab*?"[b[i]%4]
	}
	return string(b[:min(len(b), 5)])
}

func randomPattern(rnd *rand.Rand) string {
	b := make([]byte, rnd.IntN(6))
	for i := range b {
		b[i] = "ab**?"[rnd.IntN(5)]
	}
	return string(b)
}

func checkPatterns(t *testing.T, a, b string) {
	t.Helper()
	overlap, covers := false, true
	for _, s := range short() {
		inA, inB := slowMatch(a, s), slowMatch(b, s)
		if got := Match(a, s); got != inA {
			t.Fatalf("Match(%q, %q): want %t, got %t", a, s, inA, got)
		}
		overlap, covers = overlap || inA && inB, covers && (inA || !inB)
	}
	if got := Overlap(a, b); got != overlap {
		t.Fatalf("Overlap(%q, %q): want %t, got %t", a, b, overlap, got)
	}
	if got := Covers(a, b); got != covers {
		t.Fatalf("Covers(%q, %q): want %t, got %t", a, b, covers, got)
	}
}

// slowMatch is the definition of a match.
func slowMatch(p, s string) bool {
	switch {
	case p == "":
		return s == ""
	case p[0] == '*':
		return slowMatch(p[1:], s) || s != "" && slowMatch(p, s[1:])
	case s == "":
		return false
	default:
		return (p[0] == '?' || p[0] == s[0]) && slowMatch(p[1:], s[1:])
	}
}
