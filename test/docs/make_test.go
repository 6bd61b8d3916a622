// Package docs tests what people read: that links lead somewhere, that commands exist and print what is printed beside
// them, that dependencies have a reason, that workflows are pinned. Nothing here needs a network, a cluster or AWS.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
)

// root of the repository.
const root = "../.."

// makeTargets of the Makefile.
var makeTargets = sync.OnceValue(func() []string {
	b, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return nil
	}
	out := []string{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9-]+):`).FindAllStringSubmatch(string(b), -1) {
		out = append(out, m[1])
	}
	return out
})

func isTarget(t *testing.T, name string) bool {
	t.Helper()
	if len(makeTargets()) == 0 {
		t.Fatal("Makefile has no targets")
	}
	return slices.Contains(makeTargets(), name)
}
