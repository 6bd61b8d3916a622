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
		"Other":             {"It matches nothing else.", "s3:GetObject", "s3:PutObject", false, false},
		"Case":              {"Case matters unless it is folded.", "S3:getobject", "s3:GetObject", false, true},
		"Prefix":            {"A * matches the rest.", "s3:Get*", "s3:GetObject", true, true},
		"StarNone":          {"A * matches the empty string.", "s3:Get*", "s3:Get", true, true},
		"Inner":             {"A * may stand anywhere.", "iam:*User", "iam:CreateUser", true, true},
		"InnerTooLong":      {"The part after a * must match the end.", "iam:*User", "iam:CreateUsers", false, false},
		"Backtrack":         {"The first match may not be the right one.", "*ab", "aab", true, true},
		"BacktrackTwice":    {"Neither may the second.", "a*b*c", "aXbXbXc", true, true},
		"Question":          {"A ? matches one character.", "iam:Create?ser", "iam:CreateUser", true, true},
		"QuestionNone":      {"A ? does not match the empty string.", "iam:CreateUser?", "iam:CreateUser", false, false},
		"QuestionStar":      {"A ? next to a * still needs one character.", "a?*", "a", false, false},
		"QuestionCharacter": {"A character may have more than one byte.", "a?b", "aéb", true, true},
		"Empty":             {"The empty pattern matches the empty string.", "", "", true, true},
		"EmptyOnly":         {"It matches nothing else.", "", "a", false, false},
		"Stars":             {"Several * are the same as one.", "***", "", true, true},
		"LiteralStar":       {"A * in the string is an ordinary character.", "a", "*", false, false},
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
		overlap, covers, covers2 bool // covers2: with a and b swapped.
	}{
		"Same":           {"A pattern covers itself.", "iam:*", "iam:*", true, true, true},
		"Apart":          {"Different services have nothing in common.", "iam:*", "s3:*", false, false, false},
		"All":            {"* covers everything.", "*", "iam:PassRole", true, true, false},
		"Within":         {"The shorter prefix covers the longer one.", "iam:*", "iam:Create*", true, true, false},
		"Crossing":       {"Two patterns may overlap although neither covers the other.", "iam:Create*", "iam:*User", true, false, false},
		"CrossingApart":  {"Patterns with different prefixes cannot overlap.", "iam:Create*User", "iam:Delete*User", false, false, false},
		"WildService":    {"A wildcard may stand for the service.", "*:PassRole", "iam:*", true, false, false},
		"Question":       {"A * covers a ?, but not the other way round.", "iam:Create*", "iam:Create?", true, true, false},
		"QuestionLength": {"Each ? is one character.", "??", "???", false, false, false},
		"AtLeastOne":     {"?* and *? are the same.", "?*", "*?", true, true, true},
		"GapOrder":       {"Both need at least two characters, the last of them x.", "?*x", "*yx", true, true, false},
		"StarNone":       {"A * may be empty.", "a*?b", "a*b", true, false, true},
		"PartialMatch":   {"A match that begins before a * cannot continue after it.", "*xw*", "x*w", true, false, false},
		"Repeat":         {"A repeated part matches at its first position.", "*a*b", "aab*b", true, true, false},
		"End":            {"The end matches at the last position.", "*ab", "*abab", true, true, false},
		"Empty":          {"The empty pattern is covered by *.", "*", "", true, true, false},
		"EmptySame":      {"It covers itself.", "", "", true, true, true},
		"NoStar":         {"A pattern without a * has a fixed length.", "abc", "a*c", true, false, true},
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

// longPatterns take exponential time (2 to the power of n) if wildcards are tried one by one.
func longPatterns(n int) (stars, as string) {
	return strings.Repeat("*a", n) + "b", strings.Repeat("a", 2*n)
}

// TestLongPatterns would not finish if wildcards were tried one by one. BenchmarkPatterns shows how the time grows.
func TestLongPatterns(t *testing.T) {
	stars, as := longPatterns(1500)
	if Match(stars, as) || Overlap(stars, as) || Covers(stars, as) || Covers(as, stars) {
		t.Errorf("a pattern that ends with b should not match a string without b")
	}
	if !Overlap(stars, strings.Repeat("a*", 1500)) || !Covers(stars, as+stars) {
		t.Errorf("a * should match as much as needed")
	}
}

// BenchmarkPatterns shows that twice the length takes at most four times as long.
func BenchmarkPatterns(b *testing.B) {
	for _, n := range []int{250, 500, 1000} {
		stars, as := longPatterns(n)
		for name, f := range map[string]func(a, b string) bool{"Match": Match, "Overlap": Overlap, "Covers": Covers} {
			b.Run(fmt.Sprintf("%s/length=%d", name, 2*n), func(b *testing.B) {
				for b.Loop() {
					// The difference is not at the end.
					f(stars+"*", as)
				}
			})
		}
	}
}

// short returns all strings of up to 8 characters, made of the characters in the patterns and one that they do not have.
var short = sync.OnceValue(func() []string {
	all := []string{""}
	for i := 0; len(all[i]) < 8; i++ {
		all = append(all, all[i]+"a", all[i]+"b", all[i]+"z")
	}
	return all
})

// FuzzPattern compares the result with that of trying all short strings. A pattern of n characters distinguishes strings that differ
// within about n characters, so longer strings would add nothing.
func FuzzPattern(f *testing.F) {
	for _, s := range [][2]string{{"", ""}, {"*", "?"}, {"a*b", "*ab*"}, {"?*a", "*ba"}, {"*a?*b", "a*b"}, {"*ab*", "a*b"}, {"a?", "?b"}, {"*a?", "*a*?"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		checkPatterns(t, shortPattern(a), shortPattern(b))
	})
}

// TestPatternsBruteForce does the same for random patterns in every test run.
func TestPatternsBruteForce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 11))
	for range 400 {
		checkPatterns(t, randomPattern(rnd), randomPattern(rnd))
	}
}

// shortPattern turns any fuzzer input into a short pattern of four different characters.
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

// slowMatch implements the definition of a match.
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
