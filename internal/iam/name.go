package iam

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"
)

// hashLength is the number of hexadecimal digits that keep different names different once they are cut.
const hashLength = 8

// Name joins the parts with dashes. A name that is longer than limit is cut and ends in a hash of the whole.
func Name(limit int, parts ...string) string {
	return Cut(strings.Join(parts, "-"), limit)
}

// Cut shortens a name to the limit, in bytes. A longer name ends in a hash of the whole, so that different names stay different.
func Cut(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	end := limit - hashLength - 1
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return strings.TrimRight(name[:end], "-_.") + "-" + Hash(name)
}

// Hash returns a hash of a string in 8 hexadecimal digits.
func Hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:hashLength/2])
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
