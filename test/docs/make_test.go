// Package docs tests the documentation: links have a target, commands exist and print the output that the pages show, dependencies
// have a reason, workflows are pinned. The tests need no network, no cluster and no AWS.
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

// makeTargets returns the targets of the Makefile.
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
