package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
)

// The playground is the world of the scenarios, left running for people: docs/playground.md.

// playgroundDir is where the page finds kubectl, its kubeconfig and the command cloud.
const playgroundDir = "_output/playground"

// playgroundVariable is the value of E2E that opens the playground.
const playgroundVariable = "playground"

// TestPlayground opens the playground, and leaves it open until it is interrupted.
func TestPlayground(t *testing.T) {
	if os.Getenv("E2E") != playgroundVariable {
		t.Skip("run it with make playground")
	}
	// An interrupt from the terminal must not end this process before it has stopped the others.
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	w := NewWorld(t, t, v2)
	defer w.Close()
	(&Scenario{T: t, World: w, began: time.Now(), last: time.Now()}).Install()
	dir := filepath.Join(built.Root, playgroundDir)
	if err := w.open(dir); err != nil {
		t.Fatal(err)
	}
	sayf("\nThe playground is open. In another terminal:\n\n  . %s/env\n\nThen try what docs/playground.md says. Ctrl-C ends it.", playgroundDir)
	<-interrupted
	sayf("\nThe playground is closed.")
}

// open a playground: write what people need to use this world into a folder.
func (w *World) open(dir string) error {
	bin := filepath.Join(dir, "bin")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(w.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	console := &http.Server{Handler: w.Real.Console(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = console.Serve(l) }()
	go func() { <-w.ctx.Done(); _ = console.Close() }()

	if err := os.Symlink(built.Paths[binaries.Kubectl], filepath.Join(bin, "kubectl")); err != nil {
		return err
	}
	for _, f := range []struct {
		name, text string
		mode       os.FileMode
	}{
		{"bin/cloud", `#!/bin/sh
# What another user does in the playground's AWS.
verb=${1:-help}
[ $# = 0 ] || shift
for arg; do
  set -- "$@" --data-urlencode "with=$arg"
  shift
done
exec curl --silent --show-error --request POST "$@" http://` + l.Addr().String() + `/"$verb"
`, 0o755},
		{"env", "export KUBECONFIG=" + w.Kubeconfig + "\nexport PATH=" + bin + ":$PATH\n", 0o644},
	} {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	return nil
}

// playground runs the commands of the page, in order.
func playground(s *Scenario) {
	s.Install()
	dir := filepath.Join(s.dir, "playground")
	if err := s.open(dir); err != nil {
		s.Fatal(err)
	}
	s.Stepf("the playground is open")
	page, err := os.ReadFile(filepath.Join(built.Root, "docs", "playground.md"))
	if err != nil {
		s.Fatal(err)
	}
	// One shell for all of it, as a reader has.
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	blocks := shellBlocks(string(page))
	for i, b := range blocks {
		fmt.Fprintf(&script, "echo %s%d\n%s\n", blockMark, i, strings.ReplaceAll(b.commands, playgroundDir, dir))
	}
	cmd := exec.CommandContext(s.ctx, "bash", "-c", script.String())
	cmd.Dir = built.Root
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
		for _, want := range b.prints {
			if !strings.Contains(printed[i], want) {
				s.Errorf("the page says that this prints %q:\n%s\nand it printed:\n%s", want, b.commands, printed[i])
			}
		}
	}
	if left := s.Real.Has("s3"); len(left) > 0 {
		s.Errorf("AWS still has %v", left)
	}
	s.Stepf("everything on the page works")
}

const blockMark = "=== block "

// A shellBlock of a page: commands, and lines that they print.
type shellBlock struct {
	commands string
	prints   []string
}

// shellBlocks of a page that are for the open playground. Their output is in a block of text below them.
func shellBlocks(page string) []shellBlock {
	var out []shellBlock
	parts := strings.Split(page, "```")
	for i := 1; i < len(parts); i += 2 {
		language, content, _ := strings.Cut(parts[i], "\n")
		switch {
		case language == "bash" && !strings.Contains(content, "make playground"):
			out = append(out, shellBlock{commands: content})
		case language == "text" && len(out) > 0 && strings.TrimSpace(parts[i-1]) == "":
			for line := range strings.Lines(content) {
				if line = strings.TrimSpace(line); line != "" && line != "..." {
					out[len(out)-1].prints = append(out[len(out)-1].prints, line)
				}
			}
		}
	}
	return out
}
