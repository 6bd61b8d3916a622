// Package main runs the composition function.
package main

import (
	"github.com/alecthomas/kong"
	"github.com/crossplane/function-sdk-go/errors"
)

// CLI holds the flags of this function.
type CLI struct {
	Debug bool `help:"Emit debug logs in addition to info logs." short:"d"`

	Network            string `default:"tcp"   help:"Network on which to listen for gRPC connections."`
	Address            string `default:":9443" help:"Address at which to listen for gRPC connections."`
	TLSCertsDir        string `env:"TLS_SERVER_CERTS_DIR" help:"Directory containing server certs (tls.key, tls.crt) and the CA used to verify client certificates (ca.crt). They are read again when they change."`
	Insecure           bool   `help:"Run without mTLS credentials. If you supply this flag --tls-certs-dir will be ignored."`
	MaxRecvMessageSize int    `default:"32" help:"Maximum size of received messages in MB."`
	Config             string `help:"File with the platform team's configuration, in the shape of the function's Input: defaults, guardrails, namespaces, claims. It applies whichever Composition an object gets, and is read again when it changes." type:"path"`
	MetricsAddress     string `help:"Address at which to serve Prometheus metrics (/metrics) and health (/livez, /readyz) over HTTP, for example :9090. Off if empty."`
}

// Validate checks the flags.
func (c *CLI) Validate() error {
	if c.MaxRecvMessageSize < 1 {
		return errors.New("--max-recv-message-size must be at least 1")
	}
	return nil
}

func main() {
	ctx := kong.Parse(&CLI{}, kong.Description("A Crossplane composition function that gives AWS providers an identity through EKS Pod Identity."))
	ctx.FatalIfErrorf(ctx.Run())
}
