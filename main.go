// Package main runs the composition function.
package main

import (
	"context"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/alecthomas/kong"
	function "github.com/crossplane/function-sdk-go"
	"github.com/crossplane/function-sdk-go/errors"
	"github.com/crossplane/function-sdk-go/logging"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/metrics"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/platform"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/server"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// heapBallast is memory that is never touched, so never resident, but live to the garbage collector, which collects when the heap is
// twice what is live. The function keeps 3 MB, and a call of ten services leaves 3 MB behind: with every other call collected, that
// took a third of the CPU time. A higher GOGC would multiply what a burst of large calls takes; this adds its own size to it, once.
const heapBallast = 16 << 20

// CLI of this Function.
type CLI struct {
	Debug bool `help:"Emit debug logs in addition to info logs." short:"d"`

	Network            string `default:"tcp"   help:"Network on which to listen for gRPC connections."`
	Address            string `default:":9443" help:"Address at which to listen for gRPC connections."`
	TLSCertsDir        string `env:"TLS_SERVER_CERTS_DIR" help:"Directory containing server certs (tls.key, tls.crt) and the CA used to verify client certificates (ca.crt). They are read again when they change."`
	Insecure           bool   `help:"Run without mTLS credentials. If you supply this flag --tls-certs-dir will be ignored."`
	MaxRecvMessageSize int    `default:"32" help:"Maximum size of received messages in MB."`
	Config             string `help:"File with the platform team's configuration, in the shape of the function's Input: defaults, guardrails, namespaces, claims. It holds whatever Composition an object gets, and is read again when it changes." type:"path"`
	MetricsAddress     string `help:"Address at which to serve Prometheus metrics (/metrics) and health (/livez, /readyz) over HTTP, for example :9090. Off if empty."`
}

// Validate the flags.
func (c *CLI) Validate() error {
	if c.MaxRecvMessageSize < 1 {
		return errors.New("--max-recv-message-size must be at least 1")
	}
	return nil
}

// Run this Function until it is told to stop.
func (c *CLI) Run() error {
	log, err := function.NewLogger(c.Debug)
	if err != nil {
		return err
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process without waiting for calls in flight.
	context.AfterFunc(ctx, stop)

	ballast := make([]byte, heapBallast)
	defer runtime.KeepAlive(ballast)

	registry := prometheus.NewRegistry()
	config, err := c.platform(ctx, log, registry)
	if err != nil {
		return err
	}
	drain := server.DefaultDrain
	if c.Insecure {
		// Somebody who tries it out does not want to wait.
		drain = 0
	}
	return server.Serve(ctx, NewFunction(log, metrics.New(registry), config), server.Options{
		Network:            c.Network,
		Address:            c.Address,
		TLSCertsDir:        c.TLSCertsDir,
		Insecure:           c.Insecure,
		MaxRecvMessageSize: c.MaxRecvMessageSize * 1024 * 1024,
		MetricsAddress:     c.MetricsAddress,
		Registry:           registry,
		Drain:              drain,
		Log:                log,
	})
}

// platform returns what asks for the configuration that holds at the moment, which follows its file until the context ends.
func (c *CLI) platform(ctx context.Context, log logging.Logger, registry prometheus.Registerer) (func() *view.Configuration, error) {
	if c.Config == "" {
		return NoPlatform, nil
	}
	file, err := platform.Open(c.Config, log, metrics.NewConfiguration(registry))
	if err != nil {
		return nil, err
	}
	go file.Watch(ctx, platform.Interval)
	return file.Current, nil
}

func main() {
	ctx := kong.Parse(&CLI{}, kong.Description("A Crossplane composition function that gives AWS providers an identity through EKS Pod Identity."))
	ctx.FatalIfErrorf(ctx.Run())
}
