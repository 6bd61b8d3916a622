package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// unneeded lists names of folders that are skipped everywhere.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var unneeded = []string{"docs", "examples", "examples-generated", "package", "test-fixtures", "testdata", "website"}

// walk visits the files of a folder, each by the parts of its path. It skips tests.
func walk(dir string, visit func(path []string) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(unneeded, d.Name()):
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return visit(strings.Split(filepath.ToSlash(rel), "/"))
	})
}

// copyTree copies the files for which want returns true.
func copyTree(from, to string, want func(path []string) bool) error {
	return walk(from, func(path []string) error {
		if !want(path) {
			return nil
		}
		rel := filepath.Join(path...)
		return copyFile(filepath.Join(from, rel), filepath.Join(to, rel))
	})
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return write(to, text)
}

// write writes a file. Files in the module cache are read-only, their copies are not.
func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// replace changes the text of a file.
func replace(path string, change func(text string) string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	after := change(string(before))
	if after == string(before) {
		return fmt.Errorf("%s: %w", path, errUnknown)
	}
	return write(path, []byte(after))
}

// edit changes Go code, and removes imports that are then unused. The change function returns how much it removed.
func edit(path string, change func(*ast.File) int) error {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	// Comments belong to positions, and would move.
	f.Comments = nil
	if change(f) == 0 {
		return fmt.Errorf("%s: %w", path, errUnknown)
	}
	dropImports(f)
	var b bytes.Buffer
	if err := format.Node(&b, set, f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return write(path, b.Bytes())
}
