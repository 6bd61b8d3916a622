// Package xpkg tests the packages that tools/xpkg builds as Crossplane gets
// them: the Crossplane CLI pushes them to a registry, and the tests pull them.
//
// The tests build the packages first, unless XPKG_DIR names a directory with
// them: for this machine's architecture or, if E2E is set, for all, because
// another one takes minutes the first time. CROSSPLANE_CLI is the path of the
// Crossplane CLI; hack/tool.sh builds one if it is not set.
package xpkg

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	functionName      = "function-pod-identity-provider"
	configurationName = "configuration-pod-identity-provider"

	// tag of the packages in the test's own registry.
	tag = "v0.0.1"
)

// arches returns the architectures of the function packages that are tested.
func arches() []string {
	if all() {
		return []string{"amd64", "arm64"}
	}

	return []string{runtime.GOARCH}
}

// all says whether the function packages of all architectures are tested.
func all() bool { return os.Getenv("E2E") != "" || os.Getenv("XPKG_DIR") != "" }

// A fixture holds what all tests share.
type fixture struct {
	// root of the repository.
	root string

	// cli is the path of the Crossplane CLI.
	cli string

	// packages is the directory with the packages.
	packages string

	// function is where the function package is in the registry.
	function name.Reference

	// images of the function package, pulled from the registry, by architecture.
	images map[string]v1.Image

	// configuration is the package pulled from the registry.
	configuration v1.Image
}

var shared fixture //nolint:gochecknoglobals // Building the packages takes too long to do it more than once.

func TestMain(m *testing.M) {
	flag.Parse()

	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)

		code = 1
	}

	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	ctx := context.Background()

	tmp, err := os.MkdirTemp("", "xpkg-test-")
	if err != nil {
		return 1, fmt.Errorf("cannot create temporary directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()

	reg := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer reg.Close()

	if err := shared.setup(ctx, tmp, strings.TrimPrefix(reg.URL, "http://")); err != nil {
		return 1, fmt.Errorf("cannot set up tests: %w", err)
	}

	return m.Run(), nil
}

// setup builds, pushes and pulls the packages.
func (f *fixture) setup(ctx context.Context, tmp, host string) error {
	var err error

	if f.root, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		return fmt.Errorf("cannot find the root of the repository: %w", err)
	}

	if f.cli, err = f.findCLI(ctx); err != nil {
		return err
	}

	f.packages = os.Getenv("XPKG_DIR")
	if f.packages == "" {
		f.packages = filepath.Join(tmp, "xpkg")
		if err := f.build(ctx, os.Stdout, f.packages, "--arch="+strings.Join(arches(), ",")); err != nil {
			return err
		}
	}

	if f.packages, err = filepath.Abs(f.packages); err != nil {
		return fmt.Errorf("cannot resolve XPKG_DIR: %w", err)
	}

	if err := f.setupFunction(ctx, host); err != nil {
		return err
	}

	return f.setupConfiguration(ctx, host)
}

// findCLI finds the Crossplane CLI, and builds it if necessary.
func (f *fixture) findCLI(ctx context.Context) (string, error) {
	if cli := os.Getenv("CROSSPLANE_CLI"); cli != "" {
		path, err := filepath.Abs(cli)
		if err != nil {
			return "", fmt.Errorf("cannot resolve CROSSPLANE_CLI: %w", err)
		}

		return path, nil
	}

	cmd := exec.CommandContext(ctx, filepath.Join(f.root, "hack", "tool.sh"), "crossplane-cli-v2")
	cmd.Stderr = os.Stderr

	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot build the Crossplane CLI with hack/tool.sh, and CROSSPLANE_CLI is not set: %w", err)
	}

	return strings.TrimSpace(string(out)), nil
}

// build builds the packages. It writes progress to w.
func (f *fixture) build(ctx context.Context, w io.Writer, output string, args ...string) error {
	args = append([]string{"run", ".", "--crossplane=" + f.cli, "--root=" + f.root, "--output=" + output}, args...)

	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(f.root, "tools", "xpkg")
	cmd.Stdout = w
	cmd.Stderr = w

	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot build packages with tools/xpkg: %w", err)
	}

	return nil
}

// functionFile returns the path of the function package for an architecture.
func (f *fixture) functionFile(arch string) string {
	return filepath.Join(f.packages, functionName+"-"+arch+".xpkg")
}

// push pushes package files with the Crossplane CLI. Several files become an index.
func (f *fixture) push(ctx context.Context, ref name.Reference, files ...string) error {
	cmd := exec.CommandContext(ctx, f.cli, "xpkg", "push", "--package-files="+strings.Join(files, ","), ref.Name())
	// Do not use the user's registry credentials: the registry is the test's own.
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+filepath.Dir(files[0]))

	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot run crossplane xpkg push: %w", errors.Join(err, errors.New(string(out))))
	}

	return nil
}

func (f *fixture) setupFunction(ctx context.Context, host string) error {
	var err error

	if f.function, err = name.NewTag(host + "/test/" + functionName + ":" + tag); err != nil {
		return fmt.Errorf("cannot parse reference: %w", err)
	}

	files := make([]string, 0, len(arches()))
	for _, arch := range arches() {
		files = append(files, f.functionFile(arch))
	}

	if err := f.push(ctx, f.function, files...); err != nil {
		return err
	}

	f.images = make(map[string]v1.Image, len(arches()))

	// The kubelet and Crossplane both request the image for their own platform.
	for _, arch := range arches() {
		p := v1.Platform{OS: "linux", Architecture: arch}
		if f.images[arch], err = remote.Image(f.function, remote.WithPlatform(p), remote.WithContext(ctx)); err != nil {
			return fmt.Errorf("cannot pull the function package for %s: %w", p, err)
		}
	}

	return nil
}

func (f *fixture) setupConfiguration(ctx context.Context, host string) error {
	ref, err := name.NewTag(host + "/test/" + configurationName + ":" + tag)
	if err != nil {
		return fmt.Errorf("cannot parse reference: %w", err)
	}

	if err := f.push(ctx, ref, filepath.Join(f.packages, configurationName+".xpkg")); err != nil {
		return err
	}

	if f.configuration, err = remote.Image(ref, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("cannot pull the configuration package: %w", err)
	}

	return nil
}
