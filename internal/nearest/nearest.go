// Package nearest finds names that a user may have meant.
package nearest

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// To returns the names that are the most like one that does not exist: at most three. Of those that are equally near, the first come
// first.
func To(name string, others []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var cs []candidate
	for _, o := range others {
		d := levenshtein.Distance(name, o, nil)
		if name != "" && (strings.Contains(o, name) || strings.Contains(name, o)) {
			d = min(d, 2)
		}
		if d <= 1+len(name)/3 {
			cs = append(cs, candidate{o, d})
		}
	}
	slices.SortStableFunc(cs, func(a, b candidate) int { return a.distance - b.distance })
	var out []string
	for _, c := range cs[:min(len(cs), 3)] {
		out = append(out, c.name)
	}
	return out
}

// Hint suggests the names that are the most like one that does not exist; empty if none is like it.
func Hint(name string, others []string) string {
	near := To(name, others)
	if len(near) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(near, ", ") + "?"
}
