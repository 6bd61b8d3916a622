// Command render runs the real Crossplane on scenarios of the example folder, and shows the result.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/engine"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

func main() {
	if err := run(); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "render: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	name := flag.String("scenario", "quickstart", "`name` of a folder below example/, or all")
	version := flag.String("engine", string(engine.V2), "Crossplane to render with: v1 or v2")
	full := flag.Bool("full", false, "show the whole YAML, too")
	flag.Parse()

	root, err := scenario.Root()
	if err != nil {
		return err
	}
	scenarios, err := scenario.Load(root, filepath.Join(root, "example"))
	if err != nil {
		return err
	}
	chosen, err := choose(scenarios, *name)
	if err != nil {
		return err
	}

	began := time.Now()
	e := engine.Engine(*version)
	r, err := engine.NewRunner(ctx, root, os.Stderr, e)
	if err != nil {
		return err
	}
	defer r.Close()
	ready := time.Since(began)

	steps, err := render(ctx, r, e, chosen, *full)
	if err != nil {
		return err
	}
	fmt.Printf("%d steps rendered with Crossplane %s in %s, after %s to build and start the function.\n",
		steps, e, seconds(time.Since(began)-ready), seconds(ready))
	return nil
}

// choose returns the scenarios to render.
func choose(scenarios []scenario.Scenario, name string) ([]scenario.Scenario, error) {
	if name == "all" {
		return scenarios, nil
	}
	names := make([]string, 0, len(scenarios))
	for _, s := range scenarios {
		if s.Name == name {
			return []scenario.Scenario{s}, nil
		}
		names = append(names, s.Name)
	}
	if len(names) == 0 {
		return nil, errors.New("there are no scenarios in example/")
	}
	return nil, fmt.Errorf("no scenario %q, there are: %s, and all", name, strings.Join(names, ", "))
}

// render renders steps, several at a time, prints them in order, and returns their number.
func render(ctx context.Context, r *engine.Runner, e engine.Engine, scenarios []scenario.Scenario, full bool) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	type result struct {
		out *engine.Output
		err error
	}
	var results []chan result
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, s := range scenarios {
		for i := range s.Steps {
			done := make(chan result, 1)
			results = append(results, done)
			go func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				out, err := r.Render(ctx, e, &s.Steps[i])
				done <- result{out, err}
			}()
		}
	}

	n := 0
	for _, s := range scenarios {
		fmt.Print(headline(s.Name, s.Title))
		for i := range s.Steps {
			res := <-results[n]
			n++
			if res.err != nil {
				return n, fmt.Errorf("%s: %w", s.Steps[i].Name, res.err)
			}
			if err := show(os.Stdout, &s.Steps[i], res.out, full); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
