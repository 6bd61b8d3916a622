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

// TestPageHasEverything makes sure that no field is left out, and that closed ones stand below open ones.
func TestPageHasEverything(t *testing.T) {
	open, closed, _ := strings.Cut(page(), closedTop)
	for _, d := range v1alpha1.Decisions {
		in := closed
		if d.Claims {
			in = open
		}
		for _, f := range d.Fields {
			if !strings.Contains(in, "`"+f+"`") {
				t.Errorf("the page does not have %s where it belongs", f)
			}
		}
	}
}
