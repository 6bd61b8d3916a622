package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

// TestPageIsUpToDate compares the page with what is decided.
func TestPageIsUpToDate(t *testing.T) {
	got, err := os.ReadFile("../../../docs/claims.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page(), string(got)); diff != "" {
		t.Errorf("docs/claims.md is not what is decided; run make generate: -want, +got:\n%s", diff)
	}
}

// TestPageHasEverything makes sure that no field of any kind is left out, and that closed ones stand below open ones.
func TestPageHasEverything(t *testing.T) {
	for _, k := range kinds {
		_, chapter, found := strings.Cut(page(), k.title)
		chapter, _, _ = strings.Cut(chapter, "\n## ")
		open, closed, cut := strings.Cut(chapter, closedTop)
		if !found || !cut {
			t.Fatalf("the page has no chapter of %s", k.kind)
		}
		for _, d := range v1alpha1.DecisionsFor(k.kind) {
			in := closed
			if d.Claims {
				in = open
			}
			for _, f := range d.Fields {
				if !strings.Contains(in, "`"+f+"`") {
					t.Errorf("the chapter of %s does not have %s where it belongs", k.kind, f)
				}
			}
		}
	}
}
