package server

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpchealth "google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// health is gRPC's health server with a Watch that ends when the server does.
// GracefulStop waits for streams, and a watcher has no reason to end its own.
type health struct {
	*grpchealth.Server

	stopping chan struct{}
	// problem says why the server cannot serve clients though it runs; empty if
	// it can.
	problem func() string
}

func newHealth(problem func() string) *health {
	return &health{Server: grpchealth.NewServer(), stopping: make(chan struct{}), problem: problem}
}

// stop reports NOT_SERVING from now on, also to watchers. Call it once.
func (h *health) stop() {
	h.Shutdown()
	close(h.stopping)
}

// unready says why it reports NOT_SERVING; empty while it does not.
func (h *health) unready() string {
	select {
	case <-h.stopping:
		return "stopping"
	default:
		return h.problem()
	}
}

// Check returns the status of a service. It is not serving either if a problem
// outside the server keeps clients from being served.
func (h *health) Check(ctx context.Context, req *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	rsp, err := h.Server.Check(ctx, req)
	if err == nil && h.unready() != "" {
		rsp.Status = grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	return rsp, err
}

// Watch sends the status of a service now, and once more when the server
// stops; it does not change in between.
func (h *health) Watch(req *grpc_health_v1.HealthCheckRequest, stream grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse]) error {
	if err := h.send(req, stream); err != nil {
		return err
	}
	select {
	case <-stream.Context().Done():
		return status.FromContextError(stream.Context().Err()).Err()
	case <-h.stopping:
	}
	if err := h.send(req, stream); err != nil {
		return err
	}
	return status.Error(codes.Unavailable, "the server is stopping")
}

func (h *health) send(req *grpc_health_v1.HealthCheckRequest, stream grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse]) error {
	rsp, err := h.Check(stream.Context(), req)
	if err != nil {
		// The protocol has watchers of an unknown service wait for it.
		rsp = &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN}
	}
	return stream.Send(rsp)
}
