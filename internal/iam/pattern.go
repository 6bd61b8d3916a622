package iam

import (
	"slices"
	"strings"
)

// Wildcards of IAM: * is any number of characters, none included, and ? is exactly one. Everything else is itself; a wildcard cannot be
// escaped, so the policy variables ${*} and ${?} are not understood here.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
//
// All functions take time proportional to the product of the two lengths at most, for any pattern.
const (
	anyString = '*'
	anyRune   = '?'
)

// Match says whether the pattern matches the string.
func Match(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	// The last * seen, and how much of the string it and all before it have taken. An earlier * need not be tried again: the later one
	// can take itself all that the earlier one could leave to it.
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
func Overlap(a, b string) bool { return read(a).overlaps(read(b)) }

// A pattern is parsed once, to be compared with many others.
type pattern struct {
	runes []rune
	// prefix and suffix are the text before the first and after the last wildcard; all of it if there is none.
	prefix, suffix []rune
	// star says whether there is a *, and least how long a string must be to match.
	star  bool
	least int
}

func read(s string) pattern {
	p := pattern{runes: []rune(s)}
	// Several * in a row are as good as one.
	p.runes = slices.CompactFunc(p.runes, func(a, b rune) bool { return a == anyString && b == anyString })
	for _, r := range p.runes {
		if r == anyString {
			p.star = true
		} else {
			p.least++
		}
	}
	wild := func(r rune) bool { return r == anyString || r == anyRune }
	begin, end := 0, len(p.runes)
	for begin < end && !wild(p.runes[begin]) {
		begin++
	}
	if begin == len(p.runes) {
		p.prefix, p.suffix = p.runes, p.runes
		return p
	}
	for !wild(p.runes[end-1]) {
		end--
	}
	p.prefix, p.suffix = p.runes[:begin], p.runes[end:]
	return p
}

// folded reads patterns regardless of letter case.
func folded(patterns []string) []pattern {
	out := make([]pattern, 0, len(patterns))
	for _, s := range patterns {
		out = append(out, read(strings.ToLower(s)))
	}
	return out
}

// apart says whether the lengths, the beginnings or the ends already show that no string matches both. Nearly all pairs of patterns are
// apart.
func (p pattern) apart(q pattern) bool {
	if !p.star && q.least > p.least || !q.star && p.least > q.least {
		return true
	}
	n, m := min(len(p.prefix), len(q.prefix)), min(len(p.suffix), len(q.suffix))
	return !slices.Equal(p.prefix[:n], q.prefix[:n]) || !slices.Equal(p.suffix[len(p.suffix)-m:], q.suffix[len(q.suffix)-m:])
}

// covers says whether every string that matches q matches p, too.
func (p pattern) covers(q pattern) bool { return !p.apart(q) && newCover(p.runes).all(q.runes) }

// overlaps says whether some string matches both.
func (p pattern) overlaps(q pattern) bool {
	if p.apart(q) {
		return false
	}
	// common[j] says whether p from i on and q from j on have a string in common, for one i after the other, last first.
	common, next := make([]bool, len(q.runes)+1), make([]bool, len(q.runes)+1)
	for i := len(p.runes); i >= 0; i-- {
		common, next = next, common
		for j := len(q.runes); j >= 0; j-- {
			starP, starQ := i < len(p.runes) && p.runes[i] == anyString, j < len(q.runes) && q.runes[j] == anyString
			switch {
			case starP && starQ:
				common[j] = next[j] || common[j+1]
			case starP:
				common[j] = next[j] || j < len(q.runes) && common[j+1]
			case starQ:
				common[j] = common[j+1] || i < len(p.runes) && next[j]
			case i < len(p.runes) && j < len(q.runes):
				common[j] = (p.runes[i] == q.runes[j] || p.runes[i] == anyRune || q.runes[j] == anyRune) && next[j+1]
			default:
				common[j] = i == len(p.runes) && j == len(q.runes)
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
