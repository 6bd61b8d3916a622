package server

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/crossplane/function-sdk-go/errors"
	grpcprometheus "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics of the calls and of the process, at /metrics.
type metrics struct {
	calls *grpcprometheus.ServerMetrics
	http  *http.Server
	lis   net.Listener
}

// newMetrics binds the supplied address. The registry is its own: the default
// one is shared by all of a process, and panics at the second server.
func newMetrics(ctx context.Context, address string) (*metrics, error) {
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, errors.Wrapf(err, "cannot listen for metrics connections at address %q", address)
	}

	calls := grpcprometheus.NewServerMetrics(grpcprometheus.WithServerHandlingTimeHistogram())
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		calls,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return &metrics{
		calls: calls,
		http:  &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second},
		lis:   lis,
	}, nil
}

// stop lets scrapes finish while the context lasts. Metrics that are off have
// nothing to stop.
func (m *metrics) stop(ctx context.Context) {
	if m == nil {
		return
	}
	if err := m.http.Shutdown(ctx); err != nil {
		_ = m.http.Close()
	}
	// Serve closes it too, if it ever ran.
	_ = m.lis.Close()
}
