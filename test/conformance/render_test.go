package conformance

import (
	"os"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/engine"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

// TestRender runs every step of every scenario through the real Crossplanes. They have to end up with what the
// function's own golden test expects, whatever they add to a request and however they answer requirements.
func TestRender(t *testing.T) {
	t.Parallel()

	root, scenarios := load(t)

	r, err := engine.NewRunner(t.Context(), root, os.Stderr, engine.All...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)

	// Every render starts one or two processes more.
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
						t.Errorf("Crossplane %s, step %s: render is not what expected.yaml says. -expected.yaml, +render:\n%s", e, step.Name, diff)
					}
				})
			}
		}
	}
}

// repository returns its root.
func repository(t *testing.T) string {
	t.Helper()
	root, err := scenario.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// load all scenarios of the example folder.
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
