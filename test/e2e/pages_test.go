package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
)

// quickStart does what the quick start says, from the installation to the end. Before that, a cluster, Crossplane and the bootstrap
// identity are made in other ways here.
func quickStart(s *Scenario) {
	s.Install()
	_, page, ok := strings.Cut(s.File("docs/quickstart.md"), "\n## 3. Install\n")
	if !ok {
		s.Fatal("the page has no step 3")
	}
	use, cleanUp, ok := strings.Cut(page, "\n## 7. Clean up\n")
	if !ok {
		s.Fatal("the page has no step 7")
	}
	// The page writes a file, so its folder is not the repository itself.
	dir, bin := filepath.Join(s.dir, "quickstart"), filepath.Join(s.dir, "bin")
	for _, d := range []string{dir, bin} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			s.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		filepath.Join(dir, "manifests"): filepath.Join(built.Root, "manifests"),
		filepath.Join(dir, "example"):   filepath.Join(built.Root, "example"),
		filepath.Join(bin, "kubectl"):   built.Paths[binaries.Kubectl],
	} {
		if err := os.Symlink(target, name); err != nil {
			s.Fatal(err)
		}
	}
	here := "```bash\nexport KUBECONFIG=" + s.Kubeconfig + " PATH=" + bin + ":$PATH\n```\n"
	s.follow(here+use, dir)
	if owner := s.Real.Owner("hello-123456789012"); !strings.Contains(owner, ":assumed-role/crossplane-prod-eu-west-1-s3/") {
		s.Errorf("the bucket was created by %q, and should have been with the role of s3", owner)
	}
	s.Stepf("the page's commands work, and print what it says")

	// What the page shows, but cannot run on both versions of Crossplane or without names of the reader's own.
	bucket := s3Bucket("hello-namespaced").in("default")
	s.Apply(strings.ReplaceAll(block(use, "yaml", "kind: ClusterProviderConfig"), "hello-123456789012", bucket.Name))
	s.ready(bucket)
	team := s3Bucket("team-a-files").in("team-a")
	s.use("uploads", team)
	other := s3Bucket("other-files").in("team-a")
	s.manage("uploads", other)
	s.Stepf("a bucket of the namespaced kind works, and one of the team; another name is refused: %s", s.refusal(other, "AccessDenied", "team-a-uploads"))

	s.unuse(bucket, team, other)
	s.follow(here+cleanUp, dir)
	s.Until(4*time.Minute, "AWS has nothing of it", func() error {
		if left := append(s.Real.Has("crossplane-prod-eu-west-1-s3"), s.Real.Has("team-a")...); len(left) > 0 {
			return fmt.Errorf("it has %v", left)
		}
		return nil
	})
	s.Stepf("everything is cleaned up")
}

// follow a page: run its commands in one shell, as a reader does, and compare what they print with the page.
func (s *Scenario) follow(page, dir string) {
	s.Helper()
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	blocks := shellBlocks(page)
	for i, b := range blocks {
		fmt.Fprintf(&script, "echo %s%d\n%s\n", blockMark, i, b.commands)
	}
	cmd := exec.CommandContext(s.ctx, "bash", "-c", script.String())
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	s.Logf("%s", out)
	if err != nil {
		s.Fatalf("the page's commands end with %v", err)
	}
	printed := strings.Split(string(out), blockMark)[1:]
	if len(printed) != len(blocks) {
		s.Fatalf("%d of %d blocks ran", len(printed), len(blocks))
	}
	for i, b := range blocks {
		got := strings.Split(printed[i], "\n")
		for j := range got {
			got[j] = plain(got[j])
		}
		for _, want := range b.prints {
			if !slices.Contains(got, plain(want)) {
				s.Errorf("the page says that this prints %q:\n%s\nand it printed:\n%s", want, b.commands, printed[i])
			}
		}
	}
}

// age at the end of a line of kubectl get.
var age = regexp.MustCompile(` (\d+[smhd])+$`)

// plain is a line without what differs from run to run: the width of columns, and the age of objects.
func plain(line string) string {
	return age.ReplaceAllString(strings.Join(strings.Fields(line), " "), " AGE")
}

const blockMark = "=== block "

// A shellBlock of a page: commands, and lines that they print.
type shellBlock struct {
	commands string
	prints   []string
}

// shellBlocks of a page. Their output is in a block of text below them.
func shellBlocks(page string) []shellBlock {
	var out []shellBlock
	for _, b := range codeBlocks(page) {
		switch {
		case b.language == "bash":
			out = append(out, shellBlock{commands: b.content})
		case b.language == "text" && len(out) > 0 && b.follows:
			for line := range strings.Lines(b.content) {
				if line = strings.TrimSpace(line); line != "" && line != "..." {
					out[len(out)-1].prints = append(out[len(out)-1].prints, line)
				}
			}
		}
	}
	return out
}

// block of a page in a language, with some text. Empty if there is none.
func block(page, language, text string) string {
	for _, b := range codeBlocks(page) {
		if b.language == language && strings.Contains(b.content, text) {
			return b.content
		}
	}
	return ""
}

// A codeBlock of a page. It follows if there is no text between it and the one before.
type codeBlock struct {
	language, content string
	follows           bool
}

func codeBlocks(page string) []codeBlock {
	var out []codeBlock
	parts := strings.Split(page, "```")
	for i := 1; i < len(parts); i += 2 {
		language, content, _ := strings.Cut(parts[i], "\n")
		out = append(out, codeBlock{language, content, strings.TrimSpace(parts[i-1]) == ""})
	}
	return out
}
