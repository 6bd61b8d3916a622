package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The names of the packages, as in their crossplane.yaml.
const (
	functionName      = "function-pod-identity-provider"
	configurationName = "configuration-pod-identity-provider"
)

// A Builder builds the packages.
type Builder struct {
	// Root of the repository.
	Root string

	// Output is the directory that the packages are written to.
	Output string

	// Crossplane is the path of the Crossplane CLI.
	Crossplane string

	// Version of the packages.
	Version string

	// Arches are the architectures to build the function for.
	Arches []string

	// Registry is the registry and organisation of the packages.
	Registry string

	// Out is where progress goes.
	Out io.Writer
}

// A step is a step of the build.
type step struct {
	what string
	run  func(ctx context.Context) error
}

// Build builds all packages.
func (b *Builder) Build(ctx context.Context) error {
	if err := b.checkSources(); err != nil {
		return err
	}

	if err := os.MkdirAll(b.runtimeDir(), 0o755); err != nil { //nolint:gosec // Build output is public.
		return fmt.Errorf("cannot create output directory: %w", err)
	}

	steps := b.steps()
	start := time.Now()

	for i, s := range steps {
		b.printf("[%d/%d] %s ...\n", i+1, len(steps), s.what)

		done := b.tick()
		err := s.run(ctx)

		done()

		if err != nil {
			return fmt.Errorf("cannot build %s: %w", s.what, err)
		}
	}

	b.printf("Built in %s.\n\n", time.Since(start).Round(100*time.Millisecond))

	return b.summarize()
}

// tick reports from time to time that a slow step is still running: a build
// without a cache compiles every dependency, which takes minutes. It stops when
// the caller calls the returned function.
func (b *Builder) tick() func() {
	start := time.Now()
	t := time.NewTicker(15 * time.Second)
	stop, stopped := make(chan struct{}), make(chan struct{})

	go func() {
		defer close(stopped)

		for {
			select {
			case <-t.C:
				b.printf("      still building after %s\n", time.Since(start).Round(time.Second))
			case <-stop:
				return
			}
		}
	}()

	return func() {
		t.Stop()
		close(stop)
		<-stopped
	}
}

// steps returns the steps that build all packages, the slow ones first.
func (b *Builder) steps() []step {
	binaries := make([]step, 0, len(b.Arches))
	packages := make([]step, 0, len(b.Arches))

	for _, arch := range b.Arches {
		binaries = append(binaries, step{
			what: "function binary linux/" + arch,
			run:  func(ctx context.Context) error { return b.buildBinary(ctx, arch) },
		})
		packages = append(packages, step{
			what: "function package linux/" + arch,
			run:  func(ctx context.Context) error { return b.buildFunction(ctx, arch) },
		})
	}

	return append(append(binaries, packages...), step{
		what: "configuration package",
		run:  b.buildConfiguration,
	})
}

// checkSources fails if generated files are missing. The CLI would build a
// package without them, which installs but does not work.
func (b *Builder) checkSources() error {
	for _, dir := range []string{"package/input", "configuration/apis"} {
		matches, err := filepath.Glob(filepath.Join(b.Root, dir, "*.yaml"))
		if err != nil {
			return fmt.Errorf("cannot list %s: %w", dir, err)
		}

		if len(matches) == 0 {
			return fmt.Errorf("no YAML files in %s: generate them first (make generate)", filepath.Join(b.Root, dir))
		}
	}

	return nil
}

// buildBinary builds the function's static binary.
func (b *Builder) buildBinary(ctx context.Context, arch string) error {
	cmd := exec.CommandContext(ctx, "go", "build", //nolint:gosec // The path is ours.
		// The binary must not depend on the build directory or the state of the
		// work tree: the same source gives the same bytes everywhere.
		"-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w",
		"-o", b.binaryPath(arch), ".")
	cmd.Dir = b.Root
	// Override the caller's settings that change the binary. A later variable
	// wins over an earlier one of the same name.
	cmd.Env = append(os.Environ(),
		"CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off")

	return runCommand(cmd)
}

// buildFunction puts the binary in a runtime image, and the image in a package.
func (b *Builder) buildFunction(ctx context.Context, arch string) error {
	binary, err := os.ReadFile(b.binaryPath(arch))
	if err != nil {
		return fmt.Errorf("cannot read binary: %w", err)
	}

	img, err := RuntimeImage(binary, arch, b.Version)
	if err != nil {
		return err
	}

	// Crossplane runs the package's image itself, so this tag never reaches a
	// registry. It is for users who load the tarball into a container engine.
	if err := WriteTarball(b.imagePath(arch), functionName+":"+b.Version, img); err != nil {
		return err
	}

	return b.xpkgBuild(ctx, "package", b.functionPath(arch), "--embed-runtime-image-tarball="+b.imagePath(arch))
}

func (b *Builder) buildConfiguration(ctx context.Context) error {
	examples, err := b.collectExamples()
	if err != nil {
		return err
	}

	return b.xpkgBuild(ctx, "configuration", b.configurationPath(), "--examples-root="+examples)
}

// collectExamples copies the composite resources of the scenarios to a directory, each
// named after its scenario. The CLI shows every YAML file below an examples root on a
// package's page, and the scenarios also hold the other files that render needs:
// observed state, development functions, expected output.
func (b *Builder) collectExamples() (string, error) {
	dir := filepath.Join(b.runtimeDir(), "examples")
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("cannot remove old examples: %w", err)
	}

	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // Build output is public.
		return "", fmt.Errorf("cannot create directory for examples: %w", err)
	}

	files, err := filepath.Glob(filepath.Join(b.Root, "example", "*", "xr.yaml"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("there are no examples in %s: %w", b.Root, err)
	}

	for _, f := range files {
		content, err := os.ReadFile(f) //nolint:gosec // A file of this repository.
		if err != nil {
			return "", fmt.Errorf("cannot read example: %w", err)
		}

		name := filepath.Base(filepath.Dir(f)) + ".yaml"
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return "", fmt.Errorf("cannot copy example: %w", err)
		}
	}

	return dir, nil
}

// xpkgBuild builds the package in the supplied directory of the repository.
func (b *Builder) xpkgBuild(ctx context.Context, dir, file string, args ...string) error {
	args = append([]string{
		"xpkg", "build",
		"--package-root=" + filepath.Join(b.Root, dir),
		// The default is a directory below the working directory, so name one that
		// cannot exist. The CLI then leaves the layer out. A later flag wins.
		"--examples-root=" + filepath.Join(b.runtimeDir(), "no-examples"),
		"--package-file=" + file,
	}, args...)

	cmd := exec.CommandContext(ctx, b.Crossplane, args...) //nolint:gosec // The caller's own CLI.
	cmd.Dir = b.Root

	return runCommand(cmd)
}

// summarize prints the size of each package, and how to push it.
func (b *Builder) summarize() error {
	files := make([]string, 0, len(b.Arches)+1)
	for _, arch := range b.Arches {
		files = append(files, b.functionPath(arch))
	}

	push := "crossplane xpkg push -f %s %s/%s:%s\n"
	function := strings.Join(b.display(files...), ",")
	configuration := strings.Join(b.display(b.configurationPath()), ",")

	for _, f := range append(files, b.configurationPath()) {
		info, err := os.Stat(f)
		if err != nil {
			return fmt.Errorf("cannot find the package that was just built: %w", err)
		}

		b.printf("%10.1f KiB  %s\n", float64(info.Size())/1024, b.display(f)[0])
	}

	b.printf("\nPush them with:\n\n")
	b.printf(push, function, b.Registry, functionName, b.Version)
	b.printf(push, configuration, b.Registry, configurationName, b.Version)

	return nil
}

// display returns paths relative to the root of the repository if they are below
// it.
func (b *Builder) display(paths ...string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = p
		if rel, err := filepath.Rel(b.Root, p); err == nil && filepath.IsLocal(rel) {
			out[i] = rel
		}
	}

	return out
}

// printf prints progress. It ignores errors: the packages matter more than the
// messages.
func (b *Builder) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(b.Out, format, args...)
}

func (b *Builder) runtimeDir() string { return filepath.Join(b.Output, "runtime") }

func (b *Builder) binaryPath(arch string) string {
	return filepath.Join(b.runtimeDir(), "function-"+arch)
}

func (b *Builder) imagePath(arch string) string {
	return filepath.Join(b.runtimeDir(), "image-"+arch+".tar")
}

func (b *Builder) functionPath(arch string) string {
	return filepath.Join(b.Output, functionName+"-"+arch+".xpkg")
}

func (b *Builder) configurationPath() string {
	return filepath.Join(b.Output, configurationName+".xpkg")
}

// runCommand runs a command quietly. Its output becomes part of the error if it fails.
func runCommand(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}

	if msg := strings.TrimSpace(string(out)); msg != "" {
		return fmt.Errorf("cannot run %s: %w", strings.Join(cmd.Args, " "), errors.Join(err, errors.New(msg)))
	}

	return fmt.Errorf("cannot run %s: %w", strings.Join(cmd.Args, " "), err)
}
