// Command messages writes the string literals of Go files into text files for a linter of prose. Every literal keeps its line, and every
// file its path with .txt appended, so that the linter's findings lead to the source.
package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	root := flag.String("root", ".", "directory that the files are relative to")
	out := flag.String("out", "", "directory to write to; what was there before goes")
	flag.Parse()
	if err := run(*root, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "messages:", err)
		os.Exit(1)
	}
}

// run writes the messages of all files.
func run(root, out string, files []string) error {
	if out == "" || len(files) == 0 {
		return fmt.Errorf("want --out and the Go files to read")
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	for _, file := range files {
		source, err := os.ReadFile(filepath.Join(root, file)) //nolint:gosec // The caller names the files.
		if err != nil {
			return err
		}
		text, err := messages(file, source)
		if err != nil {
			return err
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		path := filepath.Join(out, file+".txt")
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// prose matches two words or more. Anything else is a name, a path or a format.
var prose = regexp.MustCompile(`[A-Za-z]{2,}[,:;]? +[A-Za-z]{2,}`)

// messages returns the literals of a file that are prose, each on the line where it begins. A literal of several lines becomes one.
func messages(name string, source []byte) (string, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, 0)
	if err != nil {
		return "", err
	}
	lines := make([][]string, strings.Count(string(source), "\n")+2)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			n.Tag = nil // No tag is a message.
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && prose.MatchString(text) {
				line := fset.Position(n.Pos()).Line
				lines[line] = append(lines[line], strings.Join(strings.Fields(text), " "))
			}
		}
		return true
	})
	var b strings.Builder
	for _, line := range lines[1:] {
		b.WriteString(strings.Join(line, " ... ") + "\n")
	}
	return b.String(), nil
}
