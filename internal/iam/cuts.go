package iam

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// A cutter cuts a list of things, of which each has a hash, into pieces that fit. It returns the indices at which pieces begin, and the
// length of the list. Each thing has to fit alone, and of what fits every part has to.
type cutter func(hashes []uint64, fits func(from, to int) bool) []int

// stableCuts depend on what is around them only, so that the pieces stay the same but near to a thing that changes.
//
// A thing's hash says how gladly a piece begins with it. The best begins one, then the second best, and so on, unless the
// piece that would be cut fits already. Then, from the worst to the best, a cut is dropped if the pieces on both sides fit
// together. When a thing changes, all better cuts stay in the first round, whatever lies between; and so do all worse ones but
// those in the piece around it, because they see nothing of what lies beyond the nearest better ones. Cuts that are dropped
// depend on worse neighbours only, so that chains of them are short. Filling each piece to the brim would take fewer pieces, but
// a change in one would shift the beginning of all that follow.
func stableCuts(hashes []uint64, fits func(from, to int) bool) []int {
	byHash := make([]int, 0, len(hashes))
	for i := 1; i < len(hashes); i++ {
		byHash = append(byHash, i)
	}
	slices.SortStableFunc(byHash, func(a, b int) int { return cmp.Compare(hashes[a], hashes[b]) })
	cuts := []int{0, len(hashes)}
	for _, i := range byHash {
		if at, _ := slices.BinarySearch(cuts, i); !fits(cuts[at-1], cuts[at]) {
			cuts = slices.Insert(cuts, at, i)
		}
	}
	for _, i := range slices.Backward(byHash) {
		if at, ok := slices.BinarySearch(cuts, i); ok && fits(cuts[at-1], cuts[at+1]) {
			cuts = slices.Delete(cuts, at, at+1)
		}
	}
	return cuts
}

// denseCuts make as few pieces as there can be without a change of order.
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

// sums of the first so many numbers.
func sums(numbers []int) []int {
	out := make([]int, 1, len(numbers)+1)
	for i, n := range numbers {
		out = append(out, out[i]+n)
	}
	return out
}
