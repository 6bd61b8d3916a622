package conformance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/engine"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

var bashBlock = regexp.MustCompile("(?ms)^ *```bash\n(.*?)^ *```$")

// TestLocalRender follows docs/local-render.md with the command lines of both major versions of Crossplane, as a user with one of them
// does. Crossplane v2 runs as a binary instead of in a container.
func TestLocalRender(t *testing.T) {
	root, _ := load(t)
	r, err := engine.NewRunner(t.Context(), root, os.Stderr, engine.V1, engine.CLI)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)

	page, err := os.ReadFile(filepath.Join(root, "docs/local-render.md"))
	if err != nil {
		t.Fatal(err)
	}
	var preparation string
	commands := map[engine.Engine]string{}
	for _, m := range bashBlock.FindAllSubmatch(page, -1) {
		switch script := string(m[1]); {
		case strings.Contains(script, "crossplane composition render"):
			commands[engine.CLI] = script
		case strings.Contains(script, "crossplane render"):
			commands[engine.V1] = script
		case strings.Contains(script, "_output/preview.yaml"):
			preparation = script
		}
	}
	if preparation == "" || len(commands) != 2 {
		t.Fatalf("the page should prepare a preview and render it with both command lines, found %q and %v", preparation, commands)
	}

	for e, command := range commands {
		t.Run(string(e), func(t *testing.T) {
			dir := checkout(t, root, r.Target())
			path := install(t, r.CommandLine(e))
			shell(t, dir, path, preparation)
			docs, err := scenario.Read(strings.NewReader(shell(t, dir, path, command)))
			if err != nil {
				t.Fatal(err)
			}
			kinds := make([]string, 0, len(docs))
			for _, d := range docs {
				kinds = append(kinds, d.GetKind())
			}
			for _, want := range []string{"PodIdentityProvider", "Role", "Policy", "PodIdentityAssociation", "DeploymentRuntimeConfig", "Provider", "ProviderConfig", "Usage"} {
				if !slices.Contains(kinds, want) {
					t.Errorf("a preview should show a %s, got %v", want, kinds)
				}
			}
		})
	}
}

// checkout copies the files that the page uses, with another address for the function.
func checkout(t *testing.T, root, target string) string {
	t.Helper()
	dir := t.TempDir()
	script := fmt.Sprintf(`cp -r %s/configuration %s/example . && sed -i 's|dns:///localhost:9443|%s|' example/functions.yaml && grep -q '%s' example/functions.yaml`, root, root, target, target)
	shell(t, dir, os.Getenv("PATH"), script)
	return dir
}

// install installs a command line as crossplane, and returns the PATH that finds it.
func install(t *testing.T, command []string) string {
	t.Helper()
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\" %s\n", command[0], strings.Join(command[1:], " "))
	if err := os.WriteFile(filepath.Join(bin, "crossplane"), []byte(script), 0o700); err != nil { //nolint:gosec // It must be executable.
		t.Fatal(err)
	}
	return bin + string(os.PathListSeparator) + os.Getenv("PATH")
}

// shell runs a script as if it was pasted into a shell, and returns its output.
func shell(t *testing.T, dir, path, script string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+path)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s\n%v: %s", script, err, stderr.String())
	}
	return stdout.String()
}
