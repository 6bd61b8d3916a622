package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestInstalledCLI checks that hack/tool.sh uses an installed Crossplane CLI if it has the pinned version.
func TestInstalledCLI(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root, "tools", "crossplane-cli-v2", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`crossplane/cli/v2 (v\S+)`).FindSubmatch(mod)
	if pinned == nil {
		t.Fatal("tools/crossplane-cli-v2/go.mod does not require the CLI")
	}
	cases := map[string]struct {
		reason, version string
		want            bool
	}{
		"Same":  {"A CLI of the pinned version needs no build.", string(pinned[1]), true},
		"Other": {"Another one may behave differently: the pinned one is built.", "v2.0.0", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for program, script := range map[string]string{
				"crossplane": "echo 'Client Version: " + tc.version + "'",
				"go":         "exit 1", // So that nothing is built.
			} {
				if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("bash", filepath.Join("hack", "tool.sh"), "crossplane-cli-v2")
			cmd.Dir = root
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "CACHE="+dir)
			out, err := cmd.Output()
			if got := strings.TrimSpace(string(out)) == filepath.Join(dir, "crossplane"); got != tc.want {
				t.Errorf("%s\nit prints %q (%v)", tc.reason, out, err)
			}
		})
	}
}
