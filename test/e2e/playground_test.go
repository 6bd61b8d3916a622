package e2e

import (
	"net"
	"net/http"
	"os"
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

// playground runs the commands of its page.
func playground(s *Scenario) {
	s.Install()
	dir := filepath.Join(s.dir, "playground")
	if err := s.open(dir); err != nil {
		s.Fatal(err)
	}
	s.Stepf("the playground is open")
	page := strings.ReplaceAll(s.File("docs/playground.md"), playgroundDir, dir)
	r := &reader{Scenario: s, checkout: built.Root, env: []string{"HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}}
	r.follow(page)
	if left := s.Real.Has("s3"); len(left) > 0 {
		s.Errorf("AWS still has %v", left)
	}
	s.Stepf("everything on the page works")
}
