package iam

import (
	"slices"
	"strings"
)

// A Violation is a statement that grants, or may grant, a denied action.
type Violation struct {
	// Statement is its index.
	Statement int
	// Element that grants it: Action or NotAction.
	Element string
	// Value of the element: one pattern of an Action, all patterns of a NotAction.
	Value string
	// Denied is the pattern that the grant violates.
	Denied string
}

// Denied finds the statements that may grant an action that one of the denied patterns matches. It errs on the side of denying:
// conditions and resources do not make a grant harmless, nor do Deny statements elsewhere, and a NotAction has to exclude a denied
// pattern as a whole with one of its own. The order is that of the statements, their patterns and the denied ones. It stops early if it
// finds too many.
func Denied(statements []Statement, denied []string) []Violation {
	var out []Violation
	ds := folded(denied)
	for i, s := range statements {
		// Any other effect is not a Deny.
		if s.Effect == Deny {
			continue
		}
		for j, a := range folded(s.Action) {
			for k, d := range ds {
				if a.overlaps(d) {
					out = append(out, Violation{Statement: i, Element: "Action", Value: s.Action[j], Denied: denied[k]})
				}
			}
			if len(out) > maxProblems {
				return out
			}
		}
		if len(s.NotAction) == 0 {
			continue
		}
		left := folded(s.NotAction)
		for k, d := range ds {
			if !slices.ContainsFunc(left, func(l pattern) bool { return l.covers(d) }) {
				out = append(out, Violation{Statement: i, Element: "NotAction", Value: strings.Join(s.NotAction, ", "), Denied: denied[k]})
			}
			if len(out) > maxProblems {
				return out
			}
		}
	}
	return out
}
