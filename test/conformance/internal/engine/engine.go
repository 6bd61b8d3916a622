// Package engine runs the real Crossplane on the scenarios of the example folder: the render command of its two major
// versions, and the function of this repository as a process of its own.
package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

// An Engine is a Crossplane that renders.
type Engine string

// The engines. V2 is the reconciler of Crossplane v2 on an in-memory API server, behind the command line of v2. V1 is
// the simpler one that the command line of v1 brings itself. V2 advertises its capabilities and answers requirements
// for schemas, V1 does not know either.
const (
	V1 Engine = "v1"
	V2 Engine = "v2"
)

// All engines.
var All = []Engine{V1, V2} //nolint:gochecknoglobals // A constant, if Go had constant slices.

// tools that an engine consists of, as hack/tool.sh calls them.
var tools = map[Engine][]string{ //nolint:gochecknoglobals // Likewise.
	V1: {"crossplane-cli-v1"},
	V2: {"crossplane-cli-v2", "crossplane-core-v2"},
}

// functionName is how the names of this function end in a Composition's pipeline.
const functionName = "function-pod-identity-provider"

// A Runner renders steps with the function of this repository.
type Runner struct {
	dir      string
	tools    map[string]string
	function *function
}

// NewRunner builds what the engines need, as far as it is missing, and starts the function. Progress goes to the
// writer.
func NewRunner(ctx context.Context, root string, progress io.Writer, engines ...Engine) (*Runner, error) {
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		return nil, err
	}
	r := &Runner{dir: dir, tools: map[string]string{}}

	for _, e := range engines {
		if len(tools[e]) == 0 {
			r.Close()
			return nil, fmt.Errorf("unknown engine %q, want one of %q", e, All)
		}
		for _, name := range tools[e] {
			if r.tools[name], err = tool(ctx, root, name, progress); err != nil {
				r.Close()
				return nil, err
			}
		}
	}

	bin := filepath.Join(dir, "function")
	if err := build(ctx, root, bin, progress); err != nil {
		r.Close()
		return nil, err
	}
	if r.function, err = start(ctx, bin); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close stops the function and removes temporary files.
func (r *Runner) Close() {
	if r.function != nil {
		r.function.stop()
	}
	_ = os.RemoveAll(r.dir) // It is in the system's temporary folder.
}

// Render a step.
func (r *Runner) Render(ctx context.Context, e Engine, s *scenario.Step) (*Output, error) {
	dir, err := os.MkdirTemp(r.dir, string(e)+"-")
	if err != nil {
		return nil, err
	}
	in, err := writeInputs(dir, r.function.target(), s)
	if err != nil {
		return nil, err
	}

	var args []string
	cli := r.tools[tools[e][0]]
	switch e {
	case V1:
		args = []string{"render", in.xr, s.CompositionPath, in.functions, "--include-function-results"}
		args = flag(args, "--observed-resources", in.observed)
		args = flag(args, "--extra-resources", in.cluster)
	case V2:
		args = []string{"composition", "render", in.xr, s.CompositionPath, in.functions, "--include-function-results"}
		args = flag(args, "--crossplane-binary", r.tools[tools[e][1]])
		args = flag(args, "--xrd", s.DefinitionPath)
		args = flag(args, "--observed-resources", in.observed)
		args = flag(args, "--required-resources", in.cluster)
		args = flag(args, "--required-schemas", in.schemas)
	}

	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, cli, args...)
	cmd.Dir = dir // Neither engine must find a project file or the like.
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()

	if f, ok := fatal(stderr.String()); err != nil && ok {
		return &Output{Results: []Result{f}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot render: %w\n%s%s", err, stderr.String(), r.function.tail())
	}

	docs, err := scenario.Read(bytes.NewReader(stdout.Bytes()))
	if err != nil {
		return nil, err
	}
	if e == V2 {
		docs = functionEvents(docs)
	}
	return Parse(docs)
}

// flag appends a flag unless its value is empty.
func flag(args []string, name, value string) []string {
	if value == "" {
		return args
	}
	return append(args, name+"="+value)
}

// fatal returns the fatal result that made an engine give up. Both report it as the end of an error message.
func fatal(stderr string) (Result, bool) {
	_, msg, ok := strings.Cut(stderr, "returned a fatal result: ")
	// The command lines indent every line of a message.
	lines := strings.Split(strings.TrimSpace(msg), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return Result{Severity: "Fatal", Message: strings.Join(lines, "\n")}, ok
}

// functionEvents drops the results that are events of the XR reconciler itself, and what it adds to those of functions.
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
func tool(ctx context.Context, root, name string, progress io.Writer) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(root, "hack", "tool.sh"), name)
	cmd.Stderr = progress
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot build %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// build the function from the working tree.
func build(ctx context.Context, root, bin string, progress io.Writer) error {
	cmd := exec.CommandContext(ctx, filepath.Join(root, "hack", "progress.sh"),
		"function: building, a minute or two the first time", "go", "build", "-o", bin, ".")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stdout, cmd.Stderr = progress, progress

	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot build the function: %w", err)
	}
	return nil
}
