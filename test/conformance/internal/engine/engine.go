// Package engine runs the real Crossplane on the scenarios of the example folder: the render command of its two major
// versions, with the function of this repository as a separate process.
package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

// An Engine is a version of Crossplane that renders.
type Engine string

// The engines. V2 is the reconciler of Crossplane v2 on an in-memory API server, called in its own protocol. CLI is the same
// behind the command line of v2, as users run it. V1 is the simpler one of v1, behind its part of the command line. V2 advertises
// its capabilities and answers requirements for schemas; V1 does neither.
const (
	V1  Engine = "v1"
	V2  Engine = "v2"
	CLI Engine = "v2-cli"
)

// All lists the engines that behave differently.
var All = []Engine{V1, V2} //nolint:gochecknoglobals // A constant, if Go had constant slices.

// tools of an engine, by their names in hack/tool.sh.
var tools = map[Engine][]string{ //nolint:gochecknoglobals // Likewise.
	V1:  {"crossplane-render-v1"},
	V2:  {"crossplane-render-v2"},
	CLI: {"crossplane-cli-v2", "crossplane-core-v2"},
}

// functionName is the end of this function's name in a Composition's pipeline.
const functionName = "function-pod-identity-provider"

// A Runner renders steps with the function of this repository.
type Runner struct {
	dir   string
	bin   string
	tools map[string]string

	mx sync.Mutex
	// functions are the running functions, by the file of their configuration; empty for none.
	functions map[string]*function
}

// NewRunner builds missing tools of the engines, and starts the function. It writes progress to the writer.
func NewRunner(ctx context.Context, root string, progress io.Writer, engines ...Engine) (*Runner, error) {
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		return nil, err
	}
	r := &Runner{dir: dir, bin: filepath.Join(dir, "function"), tools: map[string]string{}, functions: map[string]*function{}}

	needed, err := needs(engines)
	if err != nil {
		r.Close()
		return nil, err
	}
	left := len(needed) + 1 // The function, too.
	for i, name := range needed {
		if r.tools[name], err = tool(ctx, root, name, position(i, left), progress); err != nil {
			r.Close()
			return nil, err
		}
	}

	if err := build(ctx, root, r.bin, position(len(needed), left), progress); err != nil {
		r.Close()
		return nil, err
	}
	if _, err := r.function(ctx, ""); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// needs returns the tools of engines.
func needs(engines []Engine) ([]string, error) {
	var out []string
	for _, e := range engines {
		if len(tools[e]) == 0 {
			return nil, fmt.Errorf("unknown engine %q, want one of %q", e, slices.Sorted(maps.Keys(tools)))
		}
		for _, name := range tools[e] {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out, nil
}

// position returns the position of a build among all builds.
func position(i, n int) string { return fmt.Sprintf("%d of %d", i+1, n) }

// function returns a function with its own configuration; an empty path for none. It starts the function at the first use.
func (r *Runner) function(ctx context.Context, config string) (*function, error) {
	r.mx.Lock()
	defer r.mx.Unlock()
	if f, ok := r.functions[config]; ok {
		return f, nil
	}
	f, err := start(ctx, r.bin, flag(nil, "--config", config)...)
	if err == nil {
		r.functions[config] = f
	}
	return f, err
}

// Close stops the function and removes temporary files.
func (r *Runner) Close() {
	for _, f := range r.functions {
		f.stop()
	}
	_ = os.RemoveAll(r.dir) // The folder is temporary anyway.
}

// Target returns the address of the function without its own configuration, in the form that Crossplane needs.
func (r *Runner) Target() string { return r.functions[""].target() }

// CommandLine returns the command line of an engine that has one: its path, and the flags that it needs without a container engine.
func (r *Runner) CommandLine(e Engine) []string {
	out := []string{r.tools[tools[e][0]]}
	if e == CLI {
		out = append(out, "--crossplane-binary="+r.tools[tools[e][1]])
	}
	return out
}

// Render renders a step.
func (r *Runner) Render(ctx context.Context, e Engine, s *scenario.Step) (*Output, error) {
	fn, err := r.function(ctx, s.PlatformPath)
	if err != nil {
		return nil, err
	}
	docs, stderr, err := r.render(ctx, e, s, fn)
	if f, ok := fatal(stderr); err != nil && ok {
		return &Output{Results: []Result{f}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot render: %w\n%s%s", err, stderr, fn.tail())
	}
	if e != V1 {
		docs = functionEvents(docs)
	}
	return Parse(docs)
}

// render renders a step. It returns the XR, the composed resources and the results, and the engine's messages on standard error.
func (r *Runner) render(ctx context.Context, e Engine, s *scenario.Step, fn *function) ([]*unstructured.Unstructured, string, error) {
	in, err := newInputs(s)
	if err != nil {
		return nil, "", err
	}
	if e == V2 {
		return r.call(ctx, in, fn)
	}

	dir, err := os.MkdirTemp(r.dir, string(e)+"-")
	if err != nil {
		return nil, "", err
	}
	f, err := in.write(dir, fn.target())
	if err != nil {
		return nil, "", err
	}

	var args []string
	switch e {
	case V1:
		args = []string{"render", f.xr, s.CompositionPath, f.functions, "--include-function-results"}
		args = flag(args, "--observed-resources", f.observed)
		args = flag(args, "--extra-resources", f.cluster)
	case CLI:
		args = []string{"composition", "render", f.xr, s.CompositionPath, f.functions, "--include-function-results"}
		args = flag(args, "--crossplane-binary", r.tools[tools[e][1]])
		args = flag(args, "--xrd", s.DefinitionPath)
		args = flag(args, "--observed-resources", f.observed)
		args = flag(args, "--required-resources", f.cluster)
		args = flag(args, "--required-schemas", f.schemas)
	case V2:
	}

	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, r.tools[tools[e][0]], args...)
	cmd.Dir = dir // Neither engine must find a project file or the like.
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, stderr.String(), err
	}
	docs, err := scenario.Read(&stdout)
	return docs, stderr.String(), err
}

// flag appends a flag unless its value is empty.
func flag(args []string, name, value string) []string {
	if value == "" {
		return args
	}
	return append(args, name+"="+value)
}

// fatal returns the fatal result that stopped an engine. Both engines report it at the end of an error message.
func fatal(stderr string) (Result, bool) {
	_, msg, ok := strings.Cut(stderr, "returned a fatal result: ")
	// The command lines indent every line of a message.
	lines := strings.Split(strings.TrimSpace(msg), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return Result{Severity: "Fatal", Message: strings.Join(lines, "\n")}, ok
}

// functionEvents drops results that are events of the XR reconciler itself, and the text that it adds to those of functions.
func functionEvents(docs []*unstructured.Unstructured) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, d := range docs {
		if isResult(d) {
			msg, _, _ := unstructured.NestedString(d.Object, "message")
			if !strings.HasPrefix(msg, "Pipeline step ") {
				continue
			}
			_, msg, _ = strings.Cut(msg, ": ")
			d.Object["message"] = msg
		}
		out = append(out, d)
	}
	return out
}

// tool returns the path of a tool and builds it if it is missing.
func tool(ctx context.Context, root, name, position string, progress io.Writer) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(root, "hack", "tool.sh"), name)
	cmd.Env = append(os.Environ(), "POSITION="+position)
	cmd.Stderr = progress
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot build %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// build builds the function from the working tree, with the same flags as every build in this repository.
func build(ctx context.Context, root, bin, position string, progress io.Writer) error {
	cmd := exec.CommandContext(ctx, filepath.Join(root, "hack", "progress.sh"),
		position+": function: building, two to four minutes the first time", "go", "build", "-o", bin, ".")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false")
	cmd.Stdout, cmd.Stderr = progress, progress

	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot build the function: %w", err)
	}
	return nil
}
