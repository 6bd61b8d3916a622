// Command render is only `crossplane internal render` of Crossplane v2: the real reconciler of composite resources, with an
// in-memory API server. It reads a RenderRequest from standard input and writes a RenderResponse to standard output.
//
// All of Crossplane renders the same, but takes several times as long to build: package manager, signatures, clouds.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/crossplane/crossplane/v2/cmd/crossplane/render"
)

// timeout of a render.
const timeout = 2 * time.Minute

func main() {
	if err := run(); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "render: %v\n", err)
		os.Exit(exitCode(err))
	}
}

func run() error {
	c := &render.Command{Timeout: timeout}
	if err := c.AfterApply(); err != nil {
		return err
	}
	return c.Run(logging.NewNopLogger())
}

// exitCode returns the exit code for an error. Crossplane has a separate one for a function that returns a fatal result.
func exitCode(err error) int {
	var coder interface{ ExitCode() int }
	if errors.As(err, &coder) {
		return coder.ExitCode()
	}
	return 1
}
