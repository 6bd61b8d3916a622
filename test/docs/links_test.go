package docs

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	linkTarget = regexp.MustCompile(`!?\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)`)
	reference  = regexp.MustCompile(`(?m)^\[[^\]]+\]:\s+(\S+)`)
	codeSpan   = regexp.MustCompile("`[^`\n]*`")
)

// TestLinks follows every link within the repository, to its file and to its heading. It checks only the form of links to
// other sites: the repository does not control whether they respond.
func TestLinks(t *testing.T) {
	all := pages(t)
	anchors := map[string][]string{}
	for _, p := range all {
		anchors[p.path] = p.anchors()
	}
	internal, external := 0, 0
	for _, p := range all {
		text := codeSpan.ReplaceAllString(p.text, "")
		targets := []string{}
		for _, m := range slices.Concat(linkTarget.FindAllStringSubmatch(text, -1), reference.FindAllStringSubmatch(text, -1)) {
			targets = append(targets, m[1])
		}
		for _, target := range targets {
			u, err := url.Parse(target)
			if err != nil {
				t.Errorf("%s: %s is not a link: %v", p.path, target, err)
				continue
			}
			if u.Scheme != "" {
				external++
				if u.Scheme != "https" || u.Host == "" {
					t.Errorf("%s: %s should be an https link", p.path, target)
				}
				continue
			}
			internal++
			checkLink(t, anchors, p, u)
		}
	}
	t.Logf("%d links followed within the repository; %d links to other sites checked, not followed", internal, external)
}

func checkLink(t *testing.T, anchors map[string][]string, from page, u *url.URL) {
	t.Helper()
	to := from.path
	if u.Path != "" {
		to = path.Join(path.Dir(from.path), u.Path)
		if strings.HasPrefix(to, "..") {
			t.Errorf("%s: %s leads out of the repository", from.path, u)
			return
		}
		if _, err := os.Stat(filepath.Join(root, to)); err != nil {
			t.Errorf("%s: %s does not exist", from.path, u)
			return
		}
	}
	if u.Fragment == "" {
		return
	}
	if !slices.Contains(anchors[to], u.Fragment) {
		t.Errorf("%s: %s: there is no such heading in %s", from.path, u, to)
	}
}

// TestIndex checks that an index links to every page of docs/, and that the README links to the index.
func TestIndex(t *testing.T) {
	all := pages(t)
	linked := map[string]bool{}
	readme := false
	for _, p := range all {
		for _, m := range linkTarget.FindAllStringSubmatch(p.text, -1) {
			file, _, _ := strings.Cut(m[1], "#")
			to := path.Join(path.Dir(p.path), file)
			if slices.Contains([]string{"docs/README.md", "docs/adr/README.md", "docs/kinds.md"}, p.path) {
				linked[to] = true
			}
			readme = readme || p.path == "README.md" && (to == "docs" || to == "docs/README.md")
		}
	}
	for _, p := range all {
		if strings.HasPrefix(p.path, "docs/") && !strings.HasSuffix(p.path, "/README.md") && !linked[p.path] {
			t.Errorf("no index has a link to %s", p.path)
		}
	}
	if !readme {
		t.Error("README.md has no link to docs/README.md")
	}
}
