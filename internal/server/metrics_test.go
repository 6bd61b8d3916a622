package server

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
)

// get requests a path over HTTP.
func (r *running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.metrics.lis.Addr().String()+path, nil)
	if err != nil {
		t.Fatalf("NewRequestWithContext(...): %v", err)
	}
	rsp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("Do(...): %v", err)
	}
	defer func() { _ = rsp.Body.Close() }()
	b, err := io.ReadAll(rsp.Body)
	if err != nil {
		t.Fatalf("ReadAll(...): %v", err)
	}
	return rsp.StatusCode, string(b)
}

// TestDrain checks that a stopping server is no longer ready, but still answers while it drains.
func TestDrain(t *testing.T) {
	fn := newFake()
	r := start(t, fn, Options{MetricsAddress: loopback, Drain: patience, ShutdownTimeout: 2 * patience})
	for _, path := range []string{"/livez", "/readyz"} {
		if code, body := r.get(t, path); code != http.StatusOK || body != "ok\n" {
			t.Errorf("A server should be healthy at first, got %s: %d %s", path, code, body)
		}
	}
	r.stop()
	deadline := time.Now().Add(patience)
	for code := http.StatusOK; code != http.StatusServiceUnavailable; code, _ = r.get(t, "/readyz") {
		if time.Now().After(deadline) {
			t.Fatal("A stopping server should not be ready")
		}
	}
	if code, _ := r.get(t, "/livez"); code != http.StatusOK {
		t.Errorf("A stopping server should be alive, got %d", code)
	}
	checkCode(t, "A new client should be answered while it drains.", codes.OK, call(t, r.dial(t, nil), "hi"))
	select {
	case err := <-r.err:
		t.Errorf("The server should not have stopped yet: %v", err)
	default:
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "own_total", Help: "Of another component."}))
	r := start(t, newFake(), Options{MetricsAddress: loopback, Registry: registry})
	conn := r.dial(t, nil)
	for _, tag := range []string{"hi", "hi", "panic"} {
		_ = call(t, conn, tag)
	}

	code, body := r.get(t, "/metrics")
	if diff := cmp.Diff(http.StatusOK, code); diff != "" {
		t.Errorf("GET /metrics: -want code, +got code:\n%s", diff)
	}
	labels := `grpc_method="RunFunction",grpc_service="` + fnv1.FunctionRunnerService_ServiceDesc.ServiceName + `",grpc_type="unary"`
	for reason, want := range map[string]string{
		"Calls should be counted.":                   `grpc_server_handled_total{grpc_code="OK",` + labels + "} 2\n",
		"A panic should count as an error.":          `grpc_server_handled_total{grpc_code="Internal",` + labels + "} 1\n",
		"Calls should be timed.":                     "grpc_server_handling_seconds_count{" + labels + "} 3\n",
		"The Go runtime should be measured.":         "go_goroutines ",
		"The process should be measured.":            "process_start_time_seconds ",
		"Other registered metrics should be served.": "own_total 0",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s Want %q, got:\n%s", reason, want, body)
		}
	}
	if code, _ := r.get(t, "/"); code != http.StatusNotFound {
		t.Errorf("Metrics should be served at their path only, got code %d for /", code)
	}

	r.stop()
	if err := r.wait(t); err != nil {
		t.Errorf("A graceful shutdown should be no error: %v", err)
	}
	// This also checks that a second server in the process does not conflict with the first one's registry.
	lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", r.metrics.lis.Addr().String())
	if err != nil {
		t.Fatalf("The address should be free once the server has stopped: %v", err)
	}
	_ = lis.Close()
}
