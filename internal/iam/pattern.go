package iam

import "strings"

// Wildcards of IAM: * is any number of characters, none included, and ? is exactly one. Everything else is itself; there
// is no way to escape a wildcard, so the policy variables ${*} and ${?} are not understood here.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
//
// All functions take time proportional to the product of the two lengths at most, whatever the patterns look like.
const (
	anyString = '*'
	anyRune   = '?'
)

// Match says whether the pattern matches the string.
func Match(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	// The last * seen, and how much of the string it and all before it have taken. An earlier * need not be tried again:
	// whatever it could leave to the later one, the later one can take itself.
	star, taken := -1, 0
	i := 0
	for j := 0; j < len(t); {
		switch {
		case i < len(p) && p[i] == anyString:
			star, taken = i, j
			i++
		case i < len(p) && (p[i] == anyRune || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			taken++
			i, j = star+1, taken
		default:
			return false
		}
	}
	for i < len(p) && p[i] == anyString {
		i++
	}
	return i == len(p)
}

// Overlap says whether some string matches both patterns.
func Overlap(a, b string) bool {
	p, q := []rune(a), []rune(b)
	// common[j] says whether p from i on and q from j on have a string in common, for one i after the other, last first.
	common, next := make([]bool, len(q)+1), make([]bool, len(q)+1)
	for i := len(p); i >= 0; i-- {
		common, next = next, common
		for j := len(q); j >= 0; j-- {
			starP, starQ := i < len(p) && p[i] == anyString, j < len(q) && q[j] == anyString
			switch {
			case starP && starQ:
				common[j] = next[j] || common[j+1]
			case starP:
				common[j] = next[j] || j < len(q) && common[j+1]
			case starQ:
				common[j] = common[j+1] || i < len(p) && next[j]
			case i < len(p) && j < len(q):
				common[j] = (p[i] == q[j] || p[i] == anyRune || q[j] == anyRune) && next[j+1]
			default:
				common[j] = i == len(p) && j == len(q)
			}
		}
	}
	return common[0]
}

// MatchFold is Match regardless of letter case, as AWS compares actions.
func MatchFold(pattern, s string) bool { return Match(strings.ToLower(pattern), strings.ToLower(s)) }

// OverlapFold is Overlap regardless of letter case.
func OverlapFold(a, b string) bool { return Overlap(strings.ToLower(a), strings.ToLower(b)) }

// CoversFold is Covers regardless of letter case.
func CoversFold(a, b string) bool { return Covers(strings.ToLower(a), strings.ToLower(b)) }
