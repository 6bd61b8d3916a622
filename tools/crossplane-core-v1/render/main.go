// Command render is only `crossplane render` of Crossplane v1. The whole command line renders the same, but takes a third longer to
// build: packages, Git, clusters.
package main

import (
	"github.com/alecthomas/kong"
	"github.com/crossplane/crossplane-runtime/pkg/logging"
	"github.com/crossplane/crossplane/cmd/crank/render"
)

func main() {
	var cli struct {
		Render render.Cmd `cmd:"" help:"Render a composite resource (XR)."`
	}
	ctx := kong.Parse(&cli, kong.Name("crossplane"), kong.BindTo(logging.NewNopLogger(), (*logging.Logger)(nil)))
	ctx.FatalIfErrorf(ctx.Run())
}
