package iam

import (
	"fmt"
	"strconv"
)

// A SplitError says why statements cannot be split into policy documents.
type SplitError struct {
	// Statement that does not fit. -1 if each fits, but together they take too many documents.
	Statement int
	// Message says why, with figures.
	Message string
}

func (e *SplitError) Error() string {
	if e.Statement < 0 {
		return e.Message
	}
	return fmt.Sprintf("Statement[%d]: %s", e.Statement, e.Message)
}

// Documents returns what Split makes, in the canonical form.
func Documents(statements []Statement, limit, most int) ([]string, error) {
	if whole := NewDocument(statements...).String(); len(statements) > 0 && most > 0 && Size(whole) <= limit {
		return []string{whole}, nil
	}
	ds, err := Split(statements, limit, most)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(ds))
	for _, d := range ds {
		out = append(out, d.String())
	}
	return out, nil
}

// Split divides statements into at most so many documents of at most limit characters, as AWS counts them. The permissions stay exactly
// the same.
//
// Statements that fit into one document become one. Otherwise they are cut between statements, and a statement that is too long alone
// at its actions or resources, into several with the same Sid and a number. The order stays. The cuts are stable, see stableCuts: every
// document is a policy that is replaced when it changes, and a permission that moves from one policy to another may be missing for a
// moment. Documents are filled to the brim only if there would be too many otherwise.
func Split(statements []Statement, limit, most int) ([]Document, error) {
	if len(statements) == 0 {
		return nil, nil
	}
	whole := Size(NewDocument(statements...).String())
	if whole <= limit && most > 0 {
		return []Document{NewDocument(statements...)}, nil
	}
	// Splitting repeats a part, so that the total never becomes less, except for the commas between the documents.
	if room := max(1, limit-emptySize) + 1; whole-emptySize+1 > most*room {
		least := (whole - emptySize + room) / room
		return nil, tooManyPolicies(whole, fmt.Sprintf("at least %d", least), limit, most)
	}
	needed := 0
	for _, cut := range []cutter{stableCuts, denseCuts} {
		docs, err := split(statements, limit, cut)
		if err != nil {
			return nil, err
		}
		if len(docs) <= most {
			return docs, nil
		}
		needed = len(docs)
	}
	return nil, tooManyPolicies(whole, strconv.Itoa(needed), limit, most)
}

func tooManyPolicies(whole int, needed string, limit, most int) error {
	return &SplitError{Statement: -1, Message: fmt.Sprintf("the statements have %d characters and need %s policies of at most %d characters, and there may be %d", whole, needed, limit, most)}
}

// split divides statements with one kind of cuts.
func split(statements []Statement, limit int, cut cutter) ([]Document, error) {
	sids := map[string]bool{}
	for _, s := range statements {
		sids[s.Sid] = true
	}
	var (
		parts  []Statement
		hashes []uint64
		sizes  []int
	)
	for i, s := range statements {
		pieces, problem := divide(s, limit, len(statements), cut)
		if problem != "" {
			return nil, &SplitError{Statement: i, Message: problem}
		}
		number := 0
		for _, p := range pieces {
			hashes = append(hashes, hash64(NewDocument(p).String()))
			if len(pieces) > 1 && s.Sid != "" {
				p.Sid, number = numbered(s.Sid, number, sids)
			}
			parts = append(parts, p)
			// One more for the comma.
			sizes = append(sizes, statementSize(p)+1)
		}
	}
	before := sums(sizes)
	cuts := cut(hashes, func(from, to int) bool { return emptySize+before[to]-before[from]-1 <= limit })
	docs := make([]Document, 0, len(cuts)-1)
	for i, from := range cuts[:len(cuts)-1] {
		docs = append(docs, NewDocument(parts[from:cuts[i+1]]...))
	}
	return docs, nil
}

// numbered returns a Sid with a number: the first after the last one that makes a Sid that is not taken.
func numbered(sid string, last int, taken map[string]bool) (string, int) {
	for {
		last++
		if s := sid + strconv.Itoa(last); !taken[s] {
			taken[s] = true
			return s, last
		}
	}
}

// emptySize is the size of a document without statements.
const emptySize = len(`{"Version":"` + version + `","Statement":[]}`)

func statementSize(s Statement) int { return Size(NewDocument(s).String()) - emptySize }
