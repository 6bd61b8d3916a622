package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWritten reads all of the providers' source again and compares. It notices, for every kind, an action that was removed from the table
// or added to it by hand, and one that the source no longer has.
func TestWritten(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a download of 300 MB, the first time")
	}
	file := filepath.Join(t.TempDir(), "kinds.tsv")
	if err := run(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", "internal", "catalogue", "kinds.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("internal/catalogue/kinds.tsv differs from the source; run make kinds: -want, +got:\n%s", diff)
	}
}
