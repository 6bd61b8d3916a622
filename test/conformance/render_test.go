package conformance

import (
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/engine"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

// TestRender runs every step of every scenario through both engines of Crossplane. Their results must match the function's
// own golden test, regardless of what they add to a request and how they answer requirements.
func TestRender(t *testing.T) {
	t.Parallel()

	root, scenarios := load(t)

	r, err := engine.NewRunner(t.Context(), root, os.Stderr, engine.All...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)

	// Every render starts one or two more processes.
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))

	for _, e := range engine.All {
		for _, s := range scenarios {
			for i := range s.Steps {
				step := &s.Steps[i]
				t.Run(string(e)+"/"+step.Name, func(t *testing.T) {
					t.Parallel()
					slots <- struct{}{}
					defer func() { <-slots }()

					docs, err := step.Expected()
					if err != nil {
						t.Fatal(err)
					}
					want, err := engine.Parse(docs)
					if err != nil {
						t.Fatalf("%s: %v", step.ExpectedPath, err)
					}
					got, err := r.Render(t.Context(), e, step)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want.Normal(step), got.Normal(step)); diff != "" {
						t.Errorf("Crossplane %s, step %s: render differs from expected.yaml. -expected.yaml, +render:\n%s", e, step.Name, diff)
					}
				})
			}
		}
	}
}

// TestCommandLine renders a scenario as users do, with the command line of Crossplane v2 and all of its core. The result must match
// `make render`, which has neither.
func TestCommandLine(t *testing.T) {
	t.Parallel()

	root, scenarios := load(t)
	r, err := engine.NewRunner(t.Context(), root, os.Stderr, engine.V2, engine.CLI)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)

	i := slices.IndexFunc(scenarios, func(s scenario.Scenario) bool { return s.Name == "quickstart" })
	if i < 0 {
		t.Fatal("there is no scenario quickstart, the first one that users see")
	}
	for _, s := range scenarios[i].Steps {
		t.Run(s.Name, func(t *testing.T) {
			want, err := r.Render(t.Context(), engine.CLI, &s)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Render(t.Context(), engine.V2, &s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Normal(&s), got.Normal(&s)); diff != "" {
				t.Errorf("step %s: the engine alone renders a different result than the command line. -command line, +engine:\n%s", s.Name, diff)
			}
		})
	}
}

// repository returns the root of the repository.
func repository(t *testing.T) string {
	t.Helper()
	root, err := scenario.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// load returns the root of the repository, and all scenarios of the example folder.
func load(t *testing.T) (string, []scenario.Scenario) {
	t.Helper()
	root := repository(t)
	scenarios, err := scenario.Load(root, root+"/example")
	if err != nil {
		t.Fatal(err)
	}
	if len(scenarios) == 0 {
		t.Fatal("there are no scenarios in example/")
	}
	return root, scenarios
}
