package function

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testcerts"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
)

// TestLoad calls the function as many Crossplane instances would, over gRPC with mTLS. The servers run in their own processes, and no
// call may fail. It is a short version of `make load`, whose results are in docs/performance.md.
func TestLoad(t *testing.T) {
	l := &load{calls: 300, connections: 10}
	if os.Getenv("LOAD") != "" {
		l = &load{calls: 10_000, connections: 50}
	} else {
		t.Parallel() // It waits for half of its time, and only the figures of make load must be undisturbed.
	}
	l.authority, l.certs = testcerts.New(t, "ca"), t.TempDir()
	testcerts.Write(t, l.certs, l.authority.ServerFiles())
	l.request = reconciles(t, 3)[1].request

	t.Run("Steady", l.steady)
	t.Run("Rotation", l.rotation)
	t.Run("SlowClients", l.slowClients)
	t.Run("Stop", l.stop)
}

// A load is a number of calls over a number of connections.
type load struct {
	calls, connections int

	request   *fnv1.RunFunctionRequest
	authority *testcerts.Authority
	certs     string
}

// steady runs the load and nothing else.
func (l *load) steady(t *testing.T) {
	p := l.serve(t)
	l.run(t, p, func(int) bool { return false }, func() *grpc.ClientConn { return l.dial(t, l.authority.Client(l.authority), p.address) })
}

// rotation rotates the server's certificate five times under load, while clients keep reconnecting.
func (l *load) rotation(t *testing.T) {
	p := l.serve(t)
	shown := &atomic.Value{}
	dial := func() *grpc.ClientConn {
		cfg := l.authority.Client(l.authority)
		cfg.VerifyConnection = func(s tls.ConnectionState) error {
			shown.Store(s.PeerCertificates[0].SerialNumber.String())
			return nil
		}
		return l.dial(t, cfg, p.address)
	}
	var rotate sync.Mutex
	l.run(t, p, func(n int) bool {
		if n%(l.calls/5) == 0 {
			rotate.Lock()
			defer rotate.Unlock()
			testcerts.Write(t, l.certs, l.authority.ServerFiles())
		}
		return n%20 == 0
	}, dial)

	before := shown.Load()
	testcerts.Write(t, l.certs, l.authority.ServerFiles())
	conn := dial()
	if _, err := fnv1.NewFunctionRunnerServiceClient(conn).RunFunction(t.Context(), l.request); err != nil {
		t.Errorf("the call after the last rotation failed: %v", err)
	}
	if shown.Load() == before {
		t.Error("a new connection should get the new certificate")
	}
}

// slowClients keeps connections open: half send nothing at all, and half never finish a request.
func (l *load) slowClients(t *testing.T) {
	p := l.serve(t)
	large := proto.Clone(l.request).(*fnv1.RunFunctionRequest)
	large.Context = &structpb.Struct{Fields: map[string]*structpb.Value{"x": structpb.NewStringValue(strings.Repeat("x", 1<<20))}}
	dialer := &net.Dialer{}
	for range l.connections {
		silent, err := dialer.DialContext(t.Context(), "tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = silent.Close() })
		conn := l.dial(t, l.authority.Client(l.authority), p.address, grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, "tcp", address)
			return &stalling{Conn: c, left: 100_000, until: t.Context().Done()}, err
		}))
		go func() { _, _ = fnv1.NewFunctionRunnerServiceClient(conn).RunFunction(t.Context(), large) }()
	}
	l.run(t, p, func(int) bool { return false }, func() *grpc.ClientConn { return l.dial(t, l.authority.Client(l.authority), p.address) })
}

// A stalling connection writes a limited number of bytes, then blocks until the test ends.
type stalling struct {
	net.Conn

	left  int
	until <-chan struct{}
}

func (s *stalling) Write(b []byte) (int, error) {
	if s.left -= len(b); s.left < 0 {
		<-s.until
		return 0, net.ErrClosed
	}
	return s.Conn.Write(b)
}

// stop stops one of two servers under load, as an upgrade does. The server exits without an error, and either server answers every call.
func (l *load) stop(t *testing.T) {
	if testing.Short() {
		t.Skip("the test takes as long as a pod needs to drain")
	}
	old, other := l.serve(t), l.serve(t)
	dial := func() *grpc.ClientConn {
		cfg := l.authority.Client(l.authority)
		cfg.ServerName = "127.0.0.1"
		r := manual.NewBuilderWithScheme("load")
		r.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: old.address}, {Addr: other.address}}})
		// Crossplane uses the same: https://github.com/crossplane/crossplane/blob/v2.2.0/internal/xfn/function_runner.go.
		return l.dial(t, cfg, r.Scheme()+":///function", grpc.WithResolvers(r), grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))
	}
	var once sync.Once
	ended := make(chan error, 1)
	l.runUntil(t, other, ended, func(n int) bool {
		if n > l.calls/4 {
			once.Do(func() {
				if err := old.cmd.Process.Signal(syscall.SIGTERM); err != nil {
					t.Error(err)
				}
				go func() { ended <- old.wait() }()
			})
		}
		return false
	}, dial)
}

// serve starts a server in its own process.
func (l *load) serve(t *testing.T) *peer {
	t.Helper()
	p := spawn(t, envPeer+"="+peerFunction, envPeerCerts+"="+l.certs)
	conn := l.dial(t, l.authority.Client(l.authority), p.address)
	if _, err := fnv1.NewFunctionRunnerServiceClient(conn).RunFunction(t.Context(), l.request, grpc.WaitForReady(true)); err != nil {
		t.Fatalf("the server does not answer: %v", err)
	}
	return p
}

func (l *load) dial(t *testing.T, cfg *tls.Config, target string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(target, append(opts, grpc.WithTransportCredentials(credentials.NewTLS(cfg)))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// run makes all calls. After each call, after returns whether to reconnect.
func (l *load) run(t *testing.T, p *peer, after func(n int) (anew bool), dial func() *grpc.ClientConn) {
	t.Helper()
	done := make(chan error, 1)
	done <- nil
	l.runUntil(t, p, done, after, dial)
}

// runUntil runs until all calls are made and ended has received the result of the server, which must not be an error.
func (l *load) runUntil(t *testing.T, p *peer, ended <-chan error, after func(n int) (anew bool), dial func() *grpc.ClientConn) {
	t.Helper()
	var (
		count, failures atomic.Int64
		over            atomic.Bool
		mu              sync.Mutex
		all             []time.Duration
		wg              sync.WaitGroup
	)
	cpu, began := p.cpuTime(t), time.Now()
	for range l.connections {
		wg.Go(func() {
			var latencies []time.Duration
			conn := dial()
			for {
				n := int(count.Add(1))
				if n > l.calls && over.Load() {
					break
				}
				start := time.Now()
				rsp, err := fnv1.NewFunctionRunnerServiceClient(conn).RunFunction(t.Context(), l.request)
				latencies = append(latencies, time.Since(start))
				if err != nil || len(rsp.GetDesired().GetResources()) == 0 {
					failures.Add(1)
					t.Errorf("call %d failed: %v", n, err)
					break
				}
				if after(n) {
					_ = conn.Close()
					conn = dial()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, latencies...)
		})
	}
	if err := <-ended; err != nil {
		t.Errorf("the stopped server failed: %v", err)
	}
	over.Store(true)
	wg.Wait()
	took := time.Since(began)
	slices.Sort(all)
	at := func(part float64) string {
		return all[int(part*float64(len(all)-1))].Round(100 * time.Microsecond).String()
	}
	t.Logf("%d calls over %d connections, %d failed: %.0f calls/s, half within %s, 99 %% within %s, all within %s; server: %s CPU per call, at most %s of memory",
		len(all), l.connections, failures.Load(), float64(len(all))/took.Seconds(), at(.5), at(.99), at(1),
		((p.cpuTime(t) - cpu) / time.Duration(len(all))).Round(10*time.Microsecond), p.peakMemory(t))
}

// peakMemory returns the peak resident memory of the process.
func (p *peer) peakMemory(t *testing.T) string {
	t.Helper()
	m, ok := testutil.MemoryOf(t, p.cmd.Process.Pid)
	if !ok {
		return "?"
	}
	return fmt.Sprint(m.Peak, " kB")
}
