package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// elsewhere are commands that need something that a test does not have. The tests parse blocks with one of them and check
// that their files exist, but do not run them.
var elsewhere = map[string]string{
	"aws":        "needs AWS; make newcomer has one to try it on",
	"cosign":     "needs a registry",
	"crossplane": "needs the reader's Crossplane CLI",
	"crane":      "needs a registry",
	"docker":     "needs Docker",
	"eksctl":     "needs AWS",
	"exec":       "starts a server; test/conformance follows the page",
	"gh":         "needs GitHub",
	"git":        "needs the network or changes the repository",
	"\"$cli\"":   "needs a registry",
	"cloud":      "needs the playground",
	"helm":       "needs a cluster",
	"kubectl":    "needs a cluster; make newcomer follows the pages on one",
	"terraform":  "needs AWS; make newcomer has one to try it on",

	"docs/bootstrap/aws.sh": "needs AWS; test/bootstrap runs it with a fake one",
	"hack/release-notes.sh": "needs a prepared version",
}

// tooLong are make targets that a test does not run.
var tooLong = map[string]string{
	"ci":           "it runs this test",
	"test":         "it runs this test",
	"unit":         "it runs this test",
	"e2e":          "it takes twenty minutes",
	"e2e-all":      "it takes forty minutes",
	"newcomer":     "it runs this test",
	"commands":     "it runs this test",
	"playground":   "it runs until it is stopped",
	"scale":        "it takes half an hour",
	"fuzz":         "it takes minutes",
	"bench":        "it takes minutes",
	"benchcmp":     "it takes minutes, and another commit",
	"load":         "it takes minutes",
	"reproducible": "it takes ten minutes",
	"vuln":         "needs vuln.go.dev",
	"release":      "it is for maintainers",
}

// here are commands that are safe everywhere.
var here = []string{"make", "cat", "ls", "head", "echo", "export", "cd", "mkdir", "sed"}

var (
	heredoc    = regexp.MustCompile(`(?s)<<-?'?(\w+)'?\n.*?\n\s*(\w+)\n`)
	comment    = regexp.MustCompile(`(?m)(^|\s)#.*$`)
	quoted     = regexp.MustCompile(`'[^']*'`)
	separators = regexp.MustCompile(`\|\|?|&&|;|\$\(|\n|\bdo\b|\bthen\b`)
	assignment = regexp.MustCompile(`^\w+=(\S*|\$\(.*)$`)
	localFile  = regexp.MustCompile(`(?:^|[\s=@"'])((?:docs|example|manifests|hack|tools|test|configuration|package|\.ci)/[\w./-]*)`)
)

// commands returns the commands of a script: the first word of each, and its arguments.
func commands(script string) [][]string {
	script = strings.ReplaceAll(script, "\\\n", " ")
	script = heredoc.ReplaceAllString(script+"\n", "\n")
	script = comment.ReplaceAllString(quoted.ReplaceAllString(script, "''"), "")
	out := [][]string{}
	for _, part := range separators.Split(script, -1) {
		words := strings.Fields(strings.Trim(part, " )"))
		for len(words) > 0 && (assignment.MatchString(words[0]) || slices.Contains([]string{"export", "(", "{", "}", ")", "done", "fi"}, words[0])) {
			words = words[1:]
		}
		if len(words) > 0 && words[0] != "for" && words[0] != "if" {
			out = append(out, words)
		}
	}
	return out
}

// whyNot returns why a test cannot run a script; empty if it can.
func whyNot(t *testing.T, b block) string {
	t.Helper()
	reasons := []string{}
	for _, c := range commands(b.content) {
		switch {
		case elsewhere[c[0]] != "":
			reasons = append(reasons, c[0]+" "+elsewhere[c[0]])
		case c[0] == "go" || c[0] == "make" && len(c) > 1 && tooLong[c[1]] != "":
			reason := "it starts a server or the whole tests"
			if c[0] == "make" {
				reason = tooLong[c[1]]
			}
			reasons = append(reasons, strings.Join(c[:2], " ")+": "+reason)
		}
	}
	slices.Sort(reasons)
	return strings.Join(slices.Compact(reasons), ", ")
}

// shellBlocks returns the blocks of the pages that are commands.
func shellBlocks(t *testing.T) []block {
	t.Helper()
	out := []block{}
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language == "bash" {
				out = append(out, b)
			}
		}
	}
	return out
}

// TestShellBlocks parses every command on the pages, and checks that its files and make targets exist. It lists the
// commands that are only parsed, and why; TestNewcomer runs the others.
func TestShellBlocks(t *testing.T) {
	run := 0
	for _, b := range shellBlocks(t) {
		cmd := exec.Command("bash", "-n")
		cmd.Stdin = strings.NewReader(b.content)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: bash cannot parse this: %s", b, out)
		}
		for _, m := range localFile.FindAllStringSubmatch(b.content, -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%v: %s does not exist", b, m[1])
			}
		}
		why := whyNot(t, b)
		for _, c := range commands(b.content) {
			if c[0] == "make" {
				checkMake(t, b, c)
			} else if why == "" && !slices.Contains(here, c[0]) && !strings.HasPrefix(c[0], "hack/") {
				t.Errorf("%v: it is not known whether a test may run %q: add it to here or to elsewhere", b, c[0])
			}
		}
		if why == "" {
			run++
		} else {
			t.Logf("%v: only parsed: %s", b, why)
		}
	}
	if run == 0 {
		t.Error("no block of commands can be run by a test")
	}
	t.Logf("%d blocks are run by TestNewcomer (make commands)", run)
}

func checkMake(t *testing.T, b block, c []string) {
	t.Helper()
	for _, word := range c[1:] {
		if !strings.HasPrefix(word, "-") && !strings.Contains(word, "=") && !isTarget(t, word) {
			t.Errorf("%v: make has no target %s", b, word)
		}
	}
}

// TestMentionedTargets checks the make targets that the text mentions.
func TestMentionedTargets(t *testing.T) {
	mention := regexp.MustCompile("`make ([a-z0-9-]+)")
	for _, p := range pages(t) {
		for _, m := range mention.FindAllStringSubmatch(p.text, -1) {
			if !isTarget(t, m[1]) {
				t.Errorf("%s: make has no target %s", p.path, m[1])
			}
		}
	}
}

// TestQuotedBlocks checks blocks that name the file that they quote. The lines of `text example/x/expected.yaml` must all be in that
// file. `json example/x/expected.yaml` must be a part of it, except for spaces. `yaml example/x/xr.yaml` must be the whole file, except for
// comments.
func TestQuotedBlocks(t *testing.T) {
	quotes := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.source == "" {
				continue
			}
			quotes++
			file, err := os.ReadFile(filepath.Join(root, b.source))
			if err != nil {
				t.Errorf("%v: %v", b, err)
				continue
			}
			checkQuote(t, b, string(file))
		}
	}
	t.Logf("%d blocks are quoted from files", quotes)
}

func checkQuote(t *testing.T, b block, file string) {
	t.Helper()
	if b.language == "json" {
		compact := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if !strings.Contains(compact(file), compact(b.content)) {
			t.Errorf("%v: is not in %s", b, b.source)
		}
		return
	}
	if b.language == "yaml" {
		whole := func(s string) string {
			lines := slices.DeleteFunc(strings.Split(s, "\n"), func(l string) bool {
				l = strings.TrimSpace(l)
				return l == "" || l == "---" || strings.HasPrefix(l, "#")
			})
			return strings.Join(lines, "\n")
		}
		if whole(b.content) != whole(file) {
			t.Errorf("%v: differs from %s", b, b.source)
		}
		return
	}
	spaces := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	have := spaces(file)
	for line := range strings.SplitSeq(b.content, "\n") {
		if line = spaces(line); line != "" && line != "..." && !strings.Contains(have, line) {
			t.Errorf("%v: %s does not have %q", b, b.source, line)
		}
	}
}

// TestLanguages checks that every block has a known language, so that a test checks it. test/conformance checks YAML: it has the
// real schemas.
func TestLanguages(t *testing.T) {
	for _, p := range pages(t) {
		for i, b := range p.blocks {
			switch b.language {
			case "bash", "yaml":
			case "json":
				if !json.Valid([]byte(b.content)) {
					t.Errorf("%v: is not JSON", b)
				}
			case "text":
				if b.source == "" && (!b.follows || p.blocks[i-1].language != "bash") {
					t.Errorf("%v: name the source: put the block after its command, or name its file: ```text path", b)
				}
			default:
				t.Errorf("%v: no test checks blocks in language %q", b, b.language)
			}
		}
	}
}
