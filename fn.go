package main

import (
	"context"
	"os/signal"
	"syscall"

	sdk "github.com/crossplane/function-sdk-go"
	"github.com/crossplane/function-sdk-go/logging"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/function"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/metrics"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/platform"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/server"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Run serves the function, as the flags configure it, until a signal stops it. Package internal/function handles the requests.
func (c *CLI) Run() error {
	log, err := sdk.NewLogger(c.Debug)
	if err != nil {
		return err
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process without waiting for calls in flight.
	context.AfterFunc(ctx, stop)

	registry := prometheus.NewRegistry()
	fn, err := c.function(ctx, log, registry)
	if err != nil {
		return err
	}
	return server.Serve(ctx, fn, c.options(log, registry))
}

// function returns the function that the flags describe. It counts in the registry, and applies the platform's configuration.
func (c *CLI) function(ctx context.Context, log logging.Logger, registry prometheus.Registerer) (*function.Function, error) {
	config, err := c.platform(ctx, log, registry)
	if err != nil {
		return nil, err
	}
	return function.New(log, metrics.New(registry), config), nil
}

// platform returns a getter for the current platform configuration, which follows its file until the context ends.
func (c *CLI) platform(ctx context.Context, log logging.Logger, registry prometheus.Registerer) (func() *view.Configuration, error) {
	if c.Config == "" {
		return function.NoPlatform, nil
	}
	file, err := platform.Open(c.Config, log, metrics.NewConfiguration(registry))
	if err != nil {
		return nil, err
	}
	go file.Watch(ctx, platform.Interval)
	return file.Current, nil
}

// options returns the options of the server.
func (c *CLI) options(log logging.Logger, registry *prometheus.Registry) server.Options {
	drain := server.DefaultDrain
	if c.Insecure {
		// A local run should stop at once.
		drain = 0
	}
	return server.Options{
		Network:            c.Network,
		Address:            c.Address,
		TLSCertsDir:        c.TLSCertsDir,
		Insecure:           c.Insecure,
		MaxRecvMessageSize: c.MaxRecvMessageSize * 1024 * 1024,
		MetricsAddress:     c.MetricsAddress,
		Registry:           registry,
		Drain:              drain,
		Log:                log,
	}
}
