package iam

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzName checks that a name fits, is stable, and differs for different parts. The exception is an input that equals the cut name of
// another, hash included.
func FuzzName(f *testing.F) {
	f.Add("crossplane", "prod-eu-west-1-s3", "prod-eu-west-1-sqs", uint8(0))
	f.Add(strings.Repeat("a", 64), "b", "c", uint8(1))
	f.Add(strings.Repeat("._-", 40), "", "-", uint8(2))
	f.Add("é", strings.Repeat("é", 63), strings.Repeat("é", 64), uint8(3))
	f.Add("crossplane-prod", "eu-west-1", "eu", uint8(0))
	limits := []int{MaxRoleName, MaxPolicyName, 63, 253}
	f.Fuzz(func(t *testing.T, prefix, a, b string, which uint8) {
		limit := limits[int(which)%len(limits)]
		whole, other := prefix+"-"+a, prefix+"-"+b
		got, gotOther := Name(limit, prefix, a), Name(limit, prefix, b)
		switch {
		case len(got) > limit:
			t.Fatalf("Name(%d, %q, %q) = %q has %d bytes", limit, prefix, a, got, len(got))
		case got != Name(limit, prefix, a):
			t.Fatalf("Name(%d, %q, %q) is not stable", limit, prefix, a)
		case len(whole) <= limit && got != whole:
			t.Fatalf("Name(%d, %q, %q) = %q changed a name that fits", limit, prefix, a, got)
		case utf8.ValidString(whole) && !utf8.ValidString(got):
			t.Fatalf("Name(%d, %q, %q) = %q is cut within a character", limit, prefix, a, got)
		case Cut(got, limit) != got:
			t.Fatalf("Cut(%q, %d) = %q changed a name that was cut before", got, limit, Cut(got, limit))
		}
		// A fuzzer cannot find a collision of 32-bit hashes by chance.
		if whole != other && got == gotOther && got != whole && gotOther != other {
			t.Fatalf("Name makes %q of both %q and %q", got, whole, other)
		}
		if strings.Trim(whole, nameCharacters) == "" && strings.Trim(got, nameCharacters) != "" {
			t.Fatalf("Name(%d, %q, %q) = %q has characters that IAM never accepts in a name", limit, prefix, a, got)
		}
	})
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-"

// FuzzSplit checks that no split document is too long, and that the permissions stay the same.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["a:b","c:d"],"Resource":["arn:aws:s3:::a","arn:aws:s3:::b"]}]}`,
		`{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["a:*","b:*","c:*"],"Resource":"*"},{"Sid":"A1","Effect":"Deny","NotAction":"a:b","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:*","Resource":"*","Condition":{"StringEquals":{"aws:a":["b","c"]}}}]}`,
	} {
		for _, limit := range []uint16{0, 100, 200} {
			f.Add(s, limit)
		}
	}
	f.Fuzz(func(t *testing.T, doc string, by uint16) {
		d, err := ParseDocument(doc)
		if err != nil {
			return
		}
		const most = 1000
		limit := emptySize + int(by)%1000
		if docs, err := Split(d.Statement, limit, most); err == nil {
			checkSplit(t, d.Statement, docs, limit, most)
		}
	})
}
