// Package main builds the function's and the Configuration's Crossplane packages
// without a container engine: it needs Go and the Crossplane CLI.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// options of the package builder, from the command line.
type options struct {
	crossplane, version, arches, root, output, registry string
}

// register the options as flags.
func (o *options) register(f *flag.FlagSet) {
	f.StringVar(&o.crossplane, "crossplane", os.Getenv("CROSSPLANE_CLI"), "`path` of the Crossplane CLI v2, by default $CROSSPLANE_CLI")
	f.StringVar(&o.version, "version", "v0.1.0-dev", "`version` of the packages: stamped into the runtime images, and the tag to push to")
	f.StringVar(&o.arches, "arch", "amd64,arm64", "`architectures` to build the function for")
	f.StringVar(&o.root, "root", "", "root `directory` of the repository, by default the nearest parent with a package/crossplane.yaml")
	f.StringVar(&o.output, "output", "", "`directory` to write the packages to, by default _output/xpkg in the root")
	f.StringVar(&o.registry, "registry", "xpkg.crossplane.io/crossplane-contrib", "`registry` and organisation that the push command lines name")
}

// builder returns a builder with these options. It makes every path absolute,
// because the builder's commands run in the root of the repository.
func (o *options) builder(out io.Writer) (*Builder, error) {
	if o.crossplane == "" {
		return nil, errors.New("no Crossplane CLI: use -crossplane or $CROSSPLANE_CLI (hack/tool.sh crossplane-cli-v2 builds one)")
	}

	cli, err := filepath.Abs(o.crossplane)
	if err != nil {
		return nil, fmt.Errorf("cannot resolve path of the Crossplane CLI: %w", err)
	}

	if _, err := os.Stat(cli); err != nil {
		return nil, fmt.Errorf("cannot find the Crossplane CLI: %w", err)
	}

	arches, err := parseArches(o.arches)
	if err != nil {
		return nil, err
	}

	root := o.root
	if root == "" {
		if root, err = findRoot(); err != nil {
			return nil, err
		}
	}

	if root, err = filepath.Abs(root); err != nil {
		return nil, fmt.Errorf("cannot resolve root directory: %w", err)
	}

	output := o.output
	if output == "" {
		output = filepath.Join(root, "_output", "xpkg")
	}

	if output, err = filepath.Abs(output); err != nil {
		return nil, fmt.Errorf("cannot resolve output directory: %w", err)
	}

	return &Builder{
		Root:       root,
		Output:     output,
		Crossplane: cli,
		Version:    o.version,
		Arches:     arches,
		Registry:   o.registry,
		Out:        out,
	}, nil
}

// parseArches parses a comma-separated list of architectures.
func parseArches(list string) ([]string, error) {
	supported := []string{"amd64", "arm64"}
	arches := strings.Split(list, ",")

	for _, a := range arches {
		if !slices.Contains(supported, a) {
			return nil, fmt.Errorf("unsupported architecture %q: use %s", a, strings.Join(supported, " or "))
		}
	}

	return arches, nil
}

// findRoot finds the root of the repository above the working directory.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("cannot get the working directory: %w", err)
	}

	for {
		if _, err := os.Stat(filepath.Join(dir, "package", "crossplane.yaml")); err == nil {
			return dir, nil
		}

		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("cannot find package/crossplane.yaml in any parent directory: use -root")
		}

		dir = parent
	}
}

func main() {
	o := &options{}
	o.register(flag.CommandLine)
	flag.Parse()

	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "xpkg:", err)
		os.Exit(1)
	}
}

// run builds the packages until it is interrupted.
func run(o *options) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected arguments: %s", strings.Join(flag.Args(), " "))
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	b, err := o.builder(os.Stdout)
	if err != nil {
		return err
	}

	return b.Build(ctx)
}
