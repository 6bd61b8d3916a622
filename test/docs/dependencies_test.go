package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	requireLine = regexp.MustCompile(`(?m)^\t([a-z0-9.]+\.[a-z]+/\S+) v\S+( // indirect)?$`)
	reasonRow   = regexp.MustCompile("(?m)^\\| `([a-z0-9.]+\\.[a-z]+/[^`]+)` \\| ([^|]+) \\|$")
)

// TestDependencies checks that docs/dependencies.md has a reason for every module that go.mod requires directly, and for no
// other module.
func TestDependencies(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for _, m := range requireLine.FindAllStringSubmatch(string(mod), -1) {
		if m[2] == "" {
			want = append(want, m[1])
		}
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, m := range reasonRow.FindAllStringSubmatch(string(page), -1) {
		got = append(got, m[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modules with a reason in docs/dependencies.md: -go.mod, +page:\n%s", diff)
	}
}
