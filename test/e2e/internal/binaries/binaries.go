// Package binaries builds what the suite runs, from source, in the versions that the modules below tools/ pin.
package binaries

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Tool is a program that is built from a module below tools/.
type Tool struct {
	// Name of the program.
	Name string
	// Module is its folder below tools/.
	Module string
	// Package is the import path of its main package.
	Package string
	// Stamp is the variable that holds its version, and Stamped the module in go.mod that tells the version.
	Stamp, Stamped string
	// Takes says how long the first build takes on two cores.
	Takes string
}

// What the suite runs.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	Etcd              = Tool{Name: "etcd", Module: "etcd", Package: "go.etcd.io/etcd/server/v3", Takes: "half a minute"}
	APIServer         = kubernetes("kube-apiserver", "4 to 9 minutes")
	ControllerManager = kubernetes("kube-controller-manager", "1 to 2 minutes")
	Kubectl           = kubernetes("kubectl", "half a minute")
	Webhook           = Tool{Name: "amazon-eks-pod-identity-webhook", Module: "pod-identity-webhook", Package: "github.com/aws/amazon-eks-pod-identity-webhook", Takes: "1 to 2 minutes"}
	CrossplaneV2      = Tool{
		Name: "crossplane-core-v2", Module: "crossplane-core-v2", Package: "github.com/crossplane/crossplane/v2/cmd/crossplane", Takes: "2 to 3 minutes",
		Stamp: "github.com/crossplane/crossplane-runtime/v2/pkg/version.version", Stamped: "github.com/crossplane/crossplane/v2",
	}
	CrossplaneV1 = Tool{
		Name: "crossplane-core-v1", Module: "crossplane-core-v1", Package: "github.com/crossplane/crossplane/cmd/crossplane", Takes: "2 to 3 minutes",
		Stamp: "github.com/crossplane/crossplane/internal/version.version", Stamped: "github.com/crossplane/crossplane",
	}
	CLI = Tool{Name: "crossplane-cli-v2", Module: "crossplane-cli-v2", Package: "github.com/crossplane/cli/v2/cmd/crossplane", Takes: "4 to 7 minutes"}
)

func kubernetes(name, takes string) Tool {
	return Tool{
		Name: name, Module: "kubernetes", Package: "k8s.io/kubernetes/cmd/" + name, Takes: takes,
		Stamp: "k8s.io/component-base/version.gitVersion", Stamped: "k8s.io/kubernetes",
	}
}

// A Builder builds tools and keeps them where hack/tool.sh does, under a name that contains a hash of everything that goes
// into them.
type Builder struct {
	// Root of the repository.
	Root string
	// Say tells people what takes long.
	Say func(format string, args ...any)
}

// environment that every build of this repository has, so that all share Go's build cache.
func environment() []string {
	env := []string{}
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if name != "GOOS" && name != "GOARCH" {
			env = append(env, e)
		}
	}
	return append(env, "CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false", "GOWORK=off")
}

// Command of Go in a folder of the repository.
func (b *Builder) Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(b.Root, dir)
	cmd.Env = environment()
	return cmd
}

// Build a tool, unless this machine has it, and return its path.
func (b *Builder) Build(ctx context.Context, t Tool) (string, error) {
	module := filepath.Join("tools", t.Module)
	ldflags := "-s -w"
	if t.Stamp != "" {
		v, err := required(filepath.Join(b.Root, module, "go.mod"), t.Stamped)
		if err != nil {
			return "", err
		}
		ldflags += " -X " + t.Stamp + "=" + v
	}
	hash, err := b.hash(ctx, module, t.Package+" "+ldflags)
	if err != nil {
		return "", err
	}
	dir, err := cache()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, t.Name+"-"+hash)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}

	b.Say("%s: building from source. This happens once and takes %s.", t.Name, t.Takes)
	began := time.Now()
	stop := b.tick(t.Name, began)
	defer stop()
	tmp, err := os.MkdirTemp(dir, "."+t.Name)
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	out := filepath.Join(tmp, t.Name)
	if msg, err := b.Command(ctx, module, "build", "-ldflags", ldflags, "-o", out, t.Package).CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build %s: %w\n%s", t.Name, err, msg)
	}
	b.Say("%s: built in %s", t.Name, time.Since(began).Round(time.Second))
	return path, os.Rename(out, path)
}

// tick says every half minute that a build is still at work.
func (b *Builder) tick(name string, began time.Time) func() {
	t := time.NewTicker(30 * time.Second)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-t.C:
				b.Say("%s: still building after %s", name, time.Since(began).Round(time.Second))
			case <-done:
				return
			}
		}
	}()
	return func() { t.Stop(); close(done) }
}

func (b *Builder) hash(ctx context.Context, module, flags string) (string, error) {
	h := sha256.New()
	for _, f := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(b.Root, module, f))
		if err != nil {
			return "", err
		}
		h.Write(content)
	}
	goenv, err := b.Command(ctx, module, "env", "GOVERSION", "GOOS", "GOARCH", "GOFLAGS", "CGO_ENABLED").Output()
	if err != nil {
		return "", err
	}
	h.Write(goenv)
	h.Write([]byte(flags))
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// cache is where hack/tool.sh keeps its tools.
func cache() (string, error) {
	if dir := os.Getenv("CACHE"); dir != "" {
		return filepath.Join(dir, "bin"), nil
	}
	dir := os.Getenv("XDG_CACHE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".cache")
	}
	return filepath.Join(dir, "function-pod-identity-provider", "bin"), nil
}

// required version of a module.
func required(gomod, module string) (string, error) {
	content, err := os.ReadFile(gomod)
	if err != nil {
		return "", err
	}
	s := bufio.NewScanner(bytes.NewReader(content))
	for s.Scan() {
		f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(s.Text()), "require "))
		if len(f) >= 2 && f[0] == module && strings.HasPrefix(f[1], "v") {
			return f[1], nil
		}
	}
	return "", fmt.Errorf("%s does not require %s", gomod, module)
}

// Dir of a module's source, downloaded if this machine does not have it. Version is empty where a go.mod of ours pins it.
func (b *Builder) Dir(ctx context.Context, dir, module, version string) (string, error) {
	args := []string{"mod", "download", "-json", module}
	if version != "" {
		args[3] += "@" + version
	}
	out, err := b.Command(ctx, dir, args...).Output()
	if err != nil {
		return "", fmt.Errorf("cannot download %s: %w\n%s", module, err, out)
	}
	for line := range strings.Lines(string(out)) {
		if d, ok := strings.CutPrefix(strings.TrimSpace(line), `"Dir": "`); ok {
			return strings.TrimSuffix(d, `",`), nil
		}
	}
	return "", fmt.Errorf("cannot find the source of %s", module)
}
