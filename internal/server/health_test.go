package server

import (
	"context"
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
)

func TestHealth(t *testing.T) {
	r := start(t, newFake(), Options{})
	client := grpc_health_v1.NewHealthClient(r.dial(t, nil))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	cases := map[string]struct {
		reason  string
		service string
		want    []grpc_health_v1.HealthCheckResponse_ServingStatus
		code    codes.Code
	}{
		"Server": {
			reason: "The server as a whole serves until it stops.",
			want:   []grpc_health_v1.HealthCheckResponse_ServingStatus{grpc_health_v1.HealthCheckResponse_SERVING, grpc_health_v1.HealthCheckResponse_NOT_SERVING},
		},
		"Service": {
			reason:  "The service has the status of the server.",
			service: fnv1.FunctionRunnerService_ServiceDesc.ServiceName,
			want:    []grpc_health_v1.HealthCheckResponse_ServingStatus{grpc_health_v1.HealthCheckResponse_SERVING, grpc_health_v1.HealthCheckResponse_NOT_SERVING},
		},
		"Unknown": {
			reason:  "An unknown service has an unknown status, and does not delay the shutdown.",
			service: "unknown",
			want:    []grpc_health_v1.HealthCheckResponse_ServingStatus{grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN, grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN},
			code:    codes.NotFound,
		},
	}
	// Each watch receives its first status before the server stops, and the second one after.
	watches := map[string]grpc.ServerStreamingClient[grpc_health_v1.HealthCheckResponse]{}
	got := map[string][]grpc_health_v1.HealthCheckResponse_ServingStatus{}
	recv := func(name string) {
		t.Helper()
		rsp, err := watches[name].Recv()
		if err != nil {
			t.Fatalf("%s: Recv(): %v", name, err)
		}
		got[name] = append(got[name], rsp.GetStatus())
	}
	for name, tc := range cases {
		req := &grpc_health_v1.HealthCheckRequest{Service: tc.service}
		_, err := client.Check(ctx, req)
		checkCode(t, tc.reason, tc.code, err)
		if watches[name], err = client.Watch(ctx, req); err != nil {
			t.Fatalf("Watch(...): %v", err)
		}
		recv(name)
	}
	r.stop()
	for name, tc := range cases {
		recv(name)
		if diff := cmp.Diff(tc.want, got[name]); diff != "" {
			t.Errorf("%s\nWatch(...): -want, +got:\n%s", tc.reason, diff)
		}
		_, err := watches[name].Recv()
		checkCode(t, "A watch ends with the server.", codes.Unavailable, err)
	}
	if err := r.wait(t); err != nil {
		t.Errorf("Watchers should not delay the shutdown: %v", err)
	}
}
