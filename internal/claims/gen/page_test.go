package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

// TestPageIsUpToDate compares the page with the decisions.
func TestPageIsUpToDate(t *testing.T) {
	got, err := os.ReadFile("../../../docs/claims.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page(), string(got)); diff != "" {
		t.Errorf("docs/claims.md is out of date; run make generate: -want, +got:\n%s", diff)
	}
}

// TestPageHasEverything checks that the page has every field of every kind, with closed fields below open ones.
func TestPageHasEverything(t *testing.T) {
	for _, k := range kinds {
		_, chapter, found := strings.Cut(page(), k.title)
		chapter, _, _ = strings.Cut(chapter, "\n## ")
		open, closed, cut := strings.Cut(chapter, closedTop)
		if !found || !cut {
			t.Fatalf("the page has no chapter on %s", k.kind)
		}
		for _, d := range v1alpha1.DecisionsFor(k.kind) {
			in := closed
			if d.Claims {
				in = open
			}
			for _, f := range d.Fields {
				if !strings.Contains(in, "`"+f+"`") {
					t.Errorf("the chapter on %s does not list %s in the right place", k.kind, f)
				}
			}
		}
	}
}
