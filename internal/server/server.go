// Package server serves a composition function over gRPC. It answers like
// function-sdk-go's Serve, and adds what a long-running pod needs: a graceful
// shutdown, certificates that rotate, and a handler whose panic costs one call
// only.
package server

import (
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	function "github.com/crossplane/function-sdk-go"
	"github.com/crossplane/function-sdk-go/errors"
	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	fnv1beta1 "github.com/crossplane/function-sdk-go/proto/v1beta1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
)

// Serve serves the supplied function until the context is cancelled, then
// finishes the calls in flight. It returns an error if it cannot start, or
// cannot stop in time.
func Serve(ctx context.Context, fn fnv1.FunctionRunnerServiceServer, o Options) error {
	s, err := newServer(ctx, fn, o)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

// A server is bound to its addresses, so that one in use is reported at once.
type server struct {
	log     logging.Logger
	drain   time.Duration
	timeout time.Duration
	health  *health
	grpc    *grpc.Server
	lis     net.Listener
	metrics *metrics // Nil if they are off.
}

func newServer(ctx context.Context, fn fnv1.FunctionRunnerServiceServer, o Options) (*server, error) {
	o.setDefaults()
	creds, problem, err := o.credentials()
	if err != nil {
		return nil, err
	}

	s := &server{log: o.Log, drain: o.Drain, timeout: o.ShutdownTimeout, health: newHealth(problem)}
	interceptors := []grpc.UnaryServerInterceptor{recovery(o.Log)}
	if o.MetricsAddress != "" {
		if s.metrics, err = newMetrics(ctx, o.MetricsAddress, o.Registry, s.health); err != nil {
			return nil, err
		}
		// Metrics wrap recovery, to count a panic as the error that it becomes.
		interceptors = append([]grpc.UnaryServerInterceptor{s.metrics.calls.UnaryServerInterceptor()}, interceptors...)
	}

	s.lis, err = (&net.ListenConfig{}).Listen(ctx, o.Network, o.Address)
	if err != nil {
		s.metrics.stop(ctx)
		return nil, errors.Wrapf(err, "cannot listen for gRPC connections at %s address %q", o.Network, o.Address)
	}

	s.grpc = grpc.NewServer(
		grpc.Creds(creds),
		grpc.MaxRecvMsgSize(o.MaxRecvMessageSize),
		grpc.ChainUnaryInterceptor(interceptors...),
		// Stopping waits for handshakes. The default of two minutes would let a
		// client that never sends anything use up the whole shutdown timeout.
		grpc.ConnectionTimeout(o.ShutdownTimeout/2),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.InTapHandle(bounded(o.CallTimeout)),
		// A client that vanished does not keep its connection for two hours.
		// Crossplane itself checks every five minutes that the server is alive.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute, PermitWithoutStream: true}),
	)
	fnv1.RegisterFunctionRunnerServiceServer(s.grpc, fn)
	fnv1beta1.RegisterFunctionRunnerServiceServer(s.grpc, function.ServeBeta(fn))
	grpc_health_v1.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, grpc_health_v1.HealthCheckResponse_SERVING)
	}
	if s.metrics != nil {
		s.metrics.calls.InitializeMetrics(s.grpc)
	}
	return s, nil
}

// run serves until the context is cancelled or serving fails.
func (s *server) run(ctx context.Context) error {
	failed := make(chan error, 2) // Of gRPC and of metrics; neither may block.
	go func() {
		if err := s.grpc.Serve(s.lis); err != nil {
			failed <- errors.Wrap(err, "cannot serve gRPC connections")
		}
	}()
	if s.metrics != nil {
		go func() {
			if err := s.metrics.http.Serve(s.metrics.lis); !errors.Is(err, http.ErrServerClosed) {
				failed <- errors.Wrap(err, "cannot serve metrics")
			}
		}()
	}

	select {
	case <-ctx.Done():
		return s.stop(ctx)
	case err := <-failed:
		// The error matters more than a clean stop, and no client can be
		// served.
		s.drain = 0
		_ = s.stop(ctx)
		return err
	}
}

// wait waits until no client is sent here any more, within the context.
func (s *server) wait(ctx context.Context) {
	t := time.NewTimer(s.drain)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// stop ends within the shutdown timeout, though the context may be cancelled.
// Metrics stop last, to count the last calls.
func (s *server) stop(ctx context.Context) error {
	s.log.Debug("Stopping", "timeout", s.timeout.String())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	defer s.metrics.stop(ctx)

	s.health.stop()
	s.wait(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		// Stop is not waited for. It shares a lock with GracefulStop, which may
		// hold it until the very handler that hangs returns.
		go s.grpc.Stop()
		return errors.Errorf("cannot finish the calls in flight within %s", s.timeout)
	}
}

// bounded ends calls in time, even if a client never finishes sending the
// request or reading the response: before and after the handler. Watching
// health is a call without an end.
func bounded(timeout time.Duration) tap.ServerInHandle {
	return func(ctx context.Context, info *tap.Info) (context.Context, error) {
		if info.FullMethodName == grpc_health_v1.Health_Watch_FullMethodName {
			return ctx, nil
		}
		// The context ends with the stream, whose context is its parent.
		ctx, cancel := context.WithTimeout(ctx, timeout)
		context.AfterFunc(ctx, cancel)
		return ctx, nil
	}
}

// recovery turns a panic of a handler into an error of its call. The text of
// the panic is logged but not sent: it may quote the call.
func recovery(log logging.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (_ any, err error) {
		defer func() {
			if r := recover(); r != nil {
				log.Info("Recovered from a panic", "method", info.FullMethod, "panic", r, "stack", string(debug.Stack()))
				err = status.Errorf(codes.Internal, "cannot handle %s: panic, see the log of the function", info.FullMethod)
			}
		}()
		return handler(ctx, req)
	}
}
