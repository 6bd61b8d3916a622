// Package nearest finds what somebody may have meant.
package nearest

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// To a name that does not exist, those of others that are the most like it: at most three. Of those that are equally near, the
// first come first.
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

// Hint asks whether one of those that are the most like a name was meant; empty if none is like it.
func Hint(name string, others []string) string {
	near := To(name, others)
	if len(near) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(near, ", ") + "?"
}
