package server

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
)

func TestMetrics(t *testing.T) {
	r := start(t, newFake(), Options{MetricsAddress: loopback})
	conn := r.dial(t, nil)
	for _, tag := range []string{"hi", "hi", "panic"} {
		_ = call(t, conn, tag)
	}

	get := func(path string) (int, string) {
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

	code, body := get("/metrics")
	if diff := cmp.Diff(http.StatusOK, code); diff != "" {
		t.Errorf("GET /metrics: -want code, +got code:\n%s", diff)
	}
	labels := `grpc_method="RunFunction",grpc_service="` + fnv1.FunctionRunnerService_ServiceDesc.ServiceName + `",grpc_type="unary"`
	for reason, want := range map[string]string{
		"Calls should be counted.":                 `grpc_server_handled_total{grpc_code="OK",` + labels + "} 2\n",
		"A panic should count as the error it is.": `grpc_server_handled_total{grpc_code="Internal",` + labels + "} 1\n",
		"Calls should be timed.":                   "grpc_server_handling_seconds_count{" + labels + "} 3\n",
		"The Go runtime should be measured.":       "go_goroutines ",
		"The process should be measured.":          "process_start_time_seconds ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s Want %q, got:\n%s", reason, want, body)
		}
	}
	if code, _ := get("/"); code != http.StatusNotFound {
		t.Errorf("Metrics should be at their path only, got code %d for /", code)
	}

	r.stop()
	if err := r.wait(t); err != nil {
		t.Errorf("A graceful end should be no error: %v", err)
	}
	// Also holds a second server in one process against the first's registry.
	lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", r.metrics.lis.Addr().String())
	if err != nil {
		t.Fatalf("The address should be free once the server ended: %v", err)
	}
	_ = lis.Close()
}
