package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// changing matches output that differs between runs: how long something took.
var changing = regexp.MustCompile(`\b\d+(\.\d+)?(ms|m?s| s)\b`)

// TestNewcomer follows the pages in a fresh copy of the repository: it runs every block of commands that needs no cluster, and
// compares the output with the block below. Run it with `make commands`. `make newcomer` also follows the pages that need a cluster.
func TestNewcomer(t *testing.T) {
	if os.Getenv("NEWCOMER") == "" {
		t.Skip("run it with make commands: it builds the tools that a newcomer builds")
	}
	clone := freshClone(t)
	ran := 0
	for _, p := range pages(t) {
		for i, b := range p.blocks {
			if b.language != "bash" || whyNot(t, b) != "" {
				continue
			}
			ran++
			t.Run(b.String(), func(t *testing.T) {
				got := runBlock(t, clone, b)
				if i+1 < len(p.blocks) && p.blocks[i+1].language == "text" && p.blocks[i+1].follows && p.blocks[i+1].source == "" {
					comparePrinted(t, p.blocks[i+1], got)
				}
			})
		}
	}
	if ran == 0 {
		t.Error("no block can be run")
	}
}

// TestREADMEQuickStart checks that the README's quick start has no command that the page docs/quickstart.md lacks: make newcomer follows
// that page on a control plane.
func TestREADMEQuickStart(t *testing.T) {
	followed := commandLines(t, "docs/quickstart.md", "")
	lines := commandLines(t, "README.md", "kubectl")
	if len(lines) < 8 {
		t.Fatalf("the README has only the commands %q", lines)
	}
	for _, line := range lines {
		if !slices.Contains(followed, line) {
			t.Errorf("docs/quickstart.md does not have this command of the README, so nothing tests it: %s", line)
		}
	}
}

// commandLines of a page that begin with a text, without comments.
func commandLines(t *testing.T, path, prefix string) []string {
	t.Helper()
	out := []string{}
	for _, b := range shellBlocks(t) {
		if b.page != path {
			continue
		}
		for line := range strings.Lines(b.content) {
			if line = strings.TrimSpace(comment.ReplaceAllString(line, "")); strings.HasPrefix(line, prefix) {
				out = append(out, line)
			}
		}
	}
	return out
}

// freshClone copies the files that git tracks or would add into an empty directory, so that uncommitted changes count.
func freshClone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	script := `git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create | tar -C "$1" --extract && git -C "$1" init --quiet`
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script, "clone", dir)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot copy the repository: %v: %s", err, out)
	}
	return dir
}

// runBlock runs a block as if it was pasted into a shell. Progress on stderr is shown only if the block fails.
func runBlock(t *testing.T, dir string, b block) string {
	t.Helper()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", b.content)
	cmd.Dir = dir
	stderr := &strings.Builder{}
	cmd.Stderr = stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s\n%s", b, err, stderr, out)
	}
	return string(out)
}

// comparePrinted checks that the lines of the block were printed, in their order. A line of three dots stands for any lines;
// otherwise lines must follow each other.
func comparePrinted(t *testing.T, want block, got string) {
	t.Helper()
	printed := lines(got)
	at, anywhere := 0, true
	for _, w := range lines(want.content) {
		if strings.TrimSpace(w) == "..." {
			anywhere = true
			continue
		}
		i := at
		for i < len(printed) && printed[i] != w {
			i++
		}
		if i == len(printed) || !anywhere && i != at {
			t.Fatalf("%v: this was not printed (after line %d):\n%s\n\noutput:\n%s", want, at, w, got)
		}
		at, anywhere = i+1, false
	}
}

// lines returns the lines without empty ones, and without parts that change between runs.
func lines(s string) []string {
	out := []string{}
	for l := range strings.SplitSeq(s, "\n") {
		if l = strings.TrimRight(changing.ReplaceAllString(l, "TIME"), " \t"); l != "" {
			out = append(out, l)
		}
	}
	return out
}

func TestComparePrinted(t *testing.T) {
	comparePrinted(t, block{content: "b\n...\nd 1.5s\n"}, "a\nb\nc\nd 2s\n")
	if _, err := os.Stat(filepath.Join(root, "Makefile")); err != nil {
		t.Error(err)
	}
}
