package docs

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDiagrams checks that every picture was drawn from the current version of its source.
func TestDiagrams(t *testing.T) {
	pictures, err := filepath.Glob(filepath.Join(root, "docs/images/*.svg"))
	if err != nil || len(pictures) == 0 {
		t.Fatalf("no pictures: %v", err)
	}
	for _, picture := range pictures {
		source, how := strings.TrimSuffix(picture, ".svg")+".dot", "make diagrams"
		if filepath.Base(picture) == "dashboard.svg" {
			source, how = filepath.Join(root, "manifests/monitoring/dashboard.json"), "make dashboard"
		}
		dot, err := os.ReadFile(source)
		if err != nil {
			t.Errorf("%s has no source: %v", picture, err)
			continue
		}
		svg, err := os.ReadFile(picture)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("<!-- %s %x -->", filepath.Base(source), sha256.Sum256(dot)); !strings.Contains(string(svg), want) {
			t.Errorf("%s is not up to date with %s: run %s", picture, source, how)
		}
	}
}
