package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// A page is a Markdown file.
type page struct {
	// path from the root of the repository, with slashes.
	path string

	// blocks are the fenced blocks, in their order.
	blocks []block

	// text is the page without the blocks, whose lines are left empty.
	text string
}

// A block is fenced with three backquotes.
type block struct {
	// page and line where it begins.
	page string
	line int

	// language, and the file that the block is from, both on the first line.
	language, source string

	// follows the block before it in the same section.
	follows bool

	content string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// pages returns the pages of the repository: all its Markdown files.
func pages(t *testing.T) []page {
	t.Helper()
	out := []page{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path) // Both are relative to the working directory.
		name := d.Name()
		if d.IsDir() && rel != "." && (name == "_output" || name == "node_modules" || strings.HasPrefix(name, ".") && name != ".github") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".md" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		out = append(out, parse(filepath.ToSlash(rel), string(b)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 10 {
		t.Fatalf("only %d pages in %s", len(out), root)
	}
	return out
}

// parse parses a page.
func parse(path, content string) page {
	p := page{path: path}
	var open *block
	follows := false
	text := []string{}
	for i, line := range strings.Split(content, "\n") {
		trimmed := strings.TrimSpace(line)
		fence := strings.HasPrefix(trimmed, "```")
		switch {
		case open == nil && fence:
			language, source, _ := strings.Cut(strings.TrimPrefix(trimmed, "```"), " ")
			open = &block{page: path, line: i + 1, language: language, source: strings.TrimSpace(source), follows: follows}
			follows = true
		case open != nil && fence:
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.content += line + "\n"
		case headingLine.MatchString(line):
			follows = false
		}
		if open != nil || fence {
			line = ""
		}
		text = append(text, line)
	}
	p.text = strings.Join(text, "\n")
	return p
}

var (
	headingLine = regexp.MustCompile(`(?m)^#{1,6} +(.+?)\s*$`)
	inlineLink  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	idAttribute = regexp.MustCompile(`<a (?:name|id)="([^"]+)"`)
)

// anchors returns the anchors of a page, as GitHub derives them from headings.
func (p page) anchors() []string {
	seen := map[string]int{}
	out := []string{}
	for _, m := range headingLine.FindAllStringSubmatch(p.text, -1) {
		slug := slugOf(inlineLink.ReplaceAllString(m[1], "$1"))
		if n := seen[slug]; n > 0 {
			out = append(out, fmt.Sprintf("%s-%d", slug, n))
		} else {
			out = append(out, slug)
		}
		seen[slug]++
	}
	for _, m := range idAttribute.FindAllStringSubmatch(p.text, -1) {
		out = append(out, m[1])
	}
	return out
}

func slugOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, heading)
}

func TestParse(t *testing.T) {
	p := parse("x.md", "# One `two` [three](y.md)\n\n```text a/b.txt\n# no heading\n```\n\n## One\n## One\n")
	if want := []string{"one-two-three", "one", "one-1"}; !slices.Equal(want, p.anchors()) {
		t.Errorf("anchors: want %v, got %v", want, p.anchors())
	}
	want := block{page: "x.md", line: 3, language: "text", source: "a/b.txt", content: "# no heading\n"}
	if len(p.blocks) != 1 || p.blocks[0] != want {
		t.Errorf("blocks: want %+v, got %+v", want, p.blocks)
	}
}
