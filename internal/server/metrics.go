package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/crossplane/function-sdk-go/errors"
	grpcprometheus "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics serves the metrics of the calls, of the process and of the registry
// at /metrics, and health for clients without a certificate at /livez and
// /readyz.
type metrics struct {
	calls *grpcprometheus.ServerMetrics
	http  *http.Server
	lis   net.Listener
}

// newMetrics binds the supplied address.
func newMetrics(ctx context.Context, address string, registry *prometheus.Registry, h *health) (*metrics, error) {
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, errors.Wrapf(err, "cannot listen for metrics connections at address %q", address)
	}

	calls := grpcprometheus.NewServerMetrics(grpcprometheus.WithServerHandlingTimeHistogram())
	registry.MustRegister(
		calls,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := h.unready(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
	return &metrics{
		calls: calls,
		http:  &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute},
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
