package server

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
)

// TestSlowClients checks that clients that never finish a request delay neither other clients nor the shutdown.
func TestSlowClients(t *testing.T) {
	r := start(t, newFake(), Options{CallTimeout: 500 * time.Millisecond, ShutdownTimeout: patience})
	for range 20 {
		stalled := make(chan struct{})
		conn, err := grpc.NewClient(r.lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
				c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
				return &stalling{Conn: c, left: 40_000, stalled: stalled, until: t.Context().Done()}, err
			}))
		if err != nil {
			t.Fatalf("grpc.NewClient(...): %v", err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		go func() {
			_, _ = fnv1.NewFunctionRunnerServiceClient(conn).RunFunction(t.Context(), &fnv1.RunFunctionRequest{Meta: &fnv1.RequestMeta{Tag: strings.Repeat("x", 1_000_000)}})
		}()
		<-stalled
	}
	checkCode(t, "Another client should be answered.", codes.OK, call(t, r.dial(t, nil), "hi"))
	r.stop()
	if err := r.wait(t); err != nil {
		t.Errorf("Slow clients should not delay the shutdown: %v", err)
	}
}

// A stalling connection writes a limited number of bytes, then blocks until the test ends.
type stalling struct {
	net.Conn

	left    int
	stalled chan<- struct{}
	until   <-chan struct{}
}

func (s *stalling) Write(b []byte) (int, error) {
	if s.left -= len(b); s.left < 0 {
		close(s.stalled)
		<-s.until
		return 0, net.ErrClosed
	}
	return s.Conn.Write(b)
}
