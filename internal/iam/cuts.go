package iam

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// A cutter cuts a list of items, each with a hash, into pieces that fit. It returns the indices at which pieces begin, and the length
// of the list. Each item has to fit alone, and so does every part of a piece that fits.
type cutter func(hashes []uint64, fits func(from, to int) bool) []int

// stableCuts depend only on the items around them, so that a change keeps all pieces the same but those near it.
//
// An item's hash says how well a piece begins with it. At first each item begins one. Then, from the worst to the best, a cut is
// dropped if the pieces on both sides of it fit together. So whether a cut is dropped depends on nothing beyond the nearest better
// cuts, which still exist: a change has no distant effect. Filling one piece after the other to the brim takes about a fifth fewer
// pieces, but then a change in one shifts the beginning of all that follow.
func stableCuts(hashes []uint64, fits func(from, to int) bool) []int {
	var worst []int
	before, after := []int{-1}, []int{1}
	for i := 1; i <= len(hashes); i++ {
		worst, before, after = append(worst, i), append(before, i-1), append(after, i+1)
	}
	worst = worst[:len(hashes)-1]
	slices.SortStableFunc(worst, func(a, b int) int { return cmp.Compare(hashes[b], hashes[a]) })
	for _, i := range worst {
		if b, a := before[i], after[i]; fits(b, a) {
			after[b], before[a] = a, b
		}
	}
	cuts := []int{0}
	for i := after[0]; i <= len(hashes); i = after[i] {
		cuts = append(cuts, i)
	}
	return cuts
}

// denseCuts make as few pieces as possible without a change of order.
func denseCuts(hashes []uint64, fits func(from, to int) bool) []int {
	cuts := []int{0}
	for i := 1; i < len(hashes); i++ {
		if !fits(cuts[len(cuts)-1], i+1) {
			cuts = append(cuts, i)
		}
	}
	return append(cuts, len(hashes))
}

func hash64(s string) uint64 {
	h := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint64(h[:])
}

// sums returns the sums of the first numbers: of none, of one, and so on.
func sums(numbers []int) []int {
	out := make([]int, 1, len(numbers)+1)
	for i, n := range numbers {
		out = append(out, out[i]+n)
	}
	return out
}
