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

// Run the function, with what the flags say, until it is asked to stop. What it does with a request is in internal/function.
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

// function that the flags describe. It counts in the registry, and holds to the platform's configuration.
func (c *CLI) function(ctx context.Context, log logging.Logger, registry prometheus.Registerer) (*function.Function, error) {
	config, err := c.platform(ctx, log, registry)
	if err != nil {
		return nil, err
	}
	return function.New(log, metrics.New(registry), config), nil
}

// platform returns what asks for the configuration that holds at the moment, which follows its file until the context ends.
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

// options of the server.
func (c *CLI) options(log logging.Logger, registry *prometheus.Registry) server.Options {
	drain := server.DefaultDrain
	if c.Insecure {
		// Somebody who tries it out does not want to wait.
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
