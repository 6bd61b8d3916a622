package iam

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	cases := map[string]struct {
		reason string
		limit  int
		parts  []string
		want   string
	}{
		"Short": {
			reason: "Parts are joined with dashes.",
			limit:  64, parts: []string{"crossplane", "prod", "eu-west-1", "s3"},
			want: "crossplane-prod-eu-west-1-s3",
		},
		"ExactlyLimit": {
			reason: "A name that just fits is not cut.",
			limit:  20, parts: []string{"aaaaaaaaa", "bbbbbbbbbb"},
			want: "aaaaaaaaa-bbbbbbbbbb",
		},
		"OneOver": {
			reason: "A name with one more character is cut, and ends with the first 8 digits of the SHA-256 of the whole.",
			limit:  20, parts: []string{"aaaaaaaaaa", "bbbbbbbbbb"},
			want: "aaaaaaaaaa-ba83bf7b",
		},
		"NoDoubleSeparator": {
			reason: "The cut name has no separators before the dash of the hash.",
			limit:  20, parts: []string{"aaaaaaa._-_bbbbbbbbbbbbbbbbb"},
			want: "aaaaaaa-" + Hash("aaaaaaa._-_bbbbbbbbbbbbbbbbb"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Name(tc.limit, tc.parts...); got != tc.want {
				t.Errorf("%s\nName(%d, %q): want %s, got %s", tc.reason, tc.limit, tc.parts, tc.want, got)
			}
		})
	}
}

func TestHash(t *testing.T) {
	// Existing names contain the hash, so the algorithm must never change.
	if got, want := Hash("crossplane"), "de727ce2"; got != want {
		t.Errorf("Hash(crossplane): want %s, as always, got %s", want, got)
	}
}

// TestCutProperties checks with random names that a cut name fits, keeps its beginning, and is unique.
func TestCutProperties(t *testing.T) {
	const limit = 64
	rnd := rand.New(rand.NewPCG(1, 2))
	cut := map[string]string{}
	valid := regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	for range 20000 {
		name := randomName(rnd, 1+rnd.IntN(120))
		got := Cut(name, limit)
		switch {
		case len(name) <= limit && got != name:
			t.Fatalf("Cut(%q, %d) = %q changed a name that fits", name, limit, got)
		case len(got) > limit:
			t.Fatalf("Cut(%q, %d) = %q has %d characters", name, limit, got, len(got))
		case !valid.MatchString(got):
			t.Fatalf("Cut(%q, %d) = %q is not a valid IAM name", name, limit, got)
		case len(name) > limit && !strings.HasSuffix(got, "-"+Hash(name)):
			t.Fatalf("Cut(%q, %d) = %q does not end in the hash of the whole", name, limit, got)
		case len(name) > limit && !strings.HasPrefix(name, strings.TrimSuffix(got, "-"+Hash(name))):
			t.Fatalf("Cut(%q, %d) = %q does not begin like the name", name, limit, got)
		}
		if other, ok := cut[got]; ok && other != name {
			t.Fatalf("Cut makes %q of both %q and %q", got, name, other)
		}
		cut[got] = name
	}
}

// randomName returns a name of few distinct letters, so that many names share a long prefix.
func randomName(rnd *rand.Rand, n int) string {
	const letters = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab-_."
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[rnd.IntN(len(letters))]
	}
	return string(b)
}
