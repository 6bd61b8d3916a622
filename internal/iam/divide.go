package iam

import (
	"fmt"
	"strconv"
)

// divide splits a statement into statements that fit into a document each, or says why it cannot. There are so many statements in all.
func divide(s Statement, limit, statements int, cut cutter) (pieces []Statement, problem string) {
	size, room := statementSize(s), limit-emptySize
	if size <= room {
		return []Statement{s}, ""
	}
	actions := newElement(s, func(s *Statement) *StringSet { return &s.Action })
	resources := newElement(s, func(s *Statement) *StringSet { return &s.Resource })
	if s.Sid != "" {
		// Room for the highest number: that of all possible pieces, and of all that other statements may have already.
		room -= len(strconv.Itoa(max(1, len(actions.values))*max(1, len(resources.values)) + statements))
	}
	// The least size of a piece.
	least := size - actions.saving() - resources.saving()
	switch {
	case least > room:
		return nil, tooLong(s, least+limit-room, limit)
	case size-actions.saving() <= room:
		return actions.divide(s, room, cut), ""
	case size-resources.saving() <= room:
		return resources.divide(s, room, cut), ""
	}
	// The resources leave no room for an action, nor the actions for a resource. Each gets half of the room.
	one := s
	one.Action = StringSet{actions.longest()}
	for _, p := range resources.divide(one, (least+room)/2, cut) {
		p.Action = s.Action
		pieces = append(pieces, actions.divide(p, room, cut)...)
	}
	return pieces, ""
}

func tooLong(s Statement, least, limit int) string {
	problem := fmt.Sprintf("has at least %d characters even when split, and a policy may have %d: write several statements", least, limit)
	switch {
	case len(s.NotAction) > 1:
		problem += "; a NotAction cannot be split, because that would change its meaning"
	case len(s.NotResource) > 1:
		problem += "; a NotResource cannot be split, because that would change its meaning"
	}
	return problem
}

// An element of a statement that can be divided: a statement with all values means the same as one statement for each.
type element struct {
	of     func(*Statement) *StringSet
	values StringSet
	hashes []uint64
	// before has the length of all values before each one, and of all of them, with commas.
	before []int
	// long is the index of the longest value.
	long int
}

func newElement(s Statement, of func(*Statement) *StringSet) element {
	e := element{of: of, values: of(&s).unique()}
	sizes := make([]int, 0, len(e.values))
	for i, v := range e.values {
		sizes = append(sizes, Size(string(appendString(nil, v)))+1)
		e.hashes = append(e.hashes, hash64(v))
		if sizes[i] > sizes[e.long] {
			e.long = i
		}
	}
	e.before = sums(sizes)
	return e
}

// longest returns the longest value.
func (e element) longest() string { return e.values[e.long] }

// size returns the size of some of the values, as they are written.
func (e element) size(from, to int) int {
	n := e.before[to] - e.before[from] - 1
	if to-from > 1 {
		n += len("[]")
	}
	return n
}

// saving returns how many characters are saved if only the longest value is left.
func (e element) saving() int {
	if len(e.values) == 0 {
		return 0
	}
	return e.size(0, len(e.values)) - e.size(e.long, e.long+1)
}

// divide splits the statement's element, whose longest value has to fit.
func (e element) divide(s Statement, room int, cut cutter) []Statement {
	rest := statementSize(s) - e.size(0, len(e.values))
	cuts := cut(e.hashes, func(from, to int) bool { return rest+e.size(from, to) <= room })
	pieces := make([]Statement, 0, len(cuts)-1)
	for i, from := range cuts[:len(cuts)-1] {
		p := s
		*e.of(&p) = e.values[from:cuts[i+1]:cuts[i+1]]
		pieces = append(pieces, p)
	}
	return pieces
}
