package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWritten reads the providers' source again, all of it, and compares. An action that somebody takes out of the table or puts there is
// noticed, for every kind, and so is one that reading does not find any more.
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
		t.Errorf("internal/catalogue/kinds.tsv is not what the source says; run make kinds: -want, +got:\n%s", diff)
	}
}
