package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	fnv1beta1 "github.com/crossplane/function-sdk-go/proto/v1beta1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testcerts"
)

// loopback is a loopback address with a free port.
const loopback = "127.0.0.1:0"

// patience is how long a test waits before it fails; a passing test never waits that long.
const patience = 30 * time.Second

// fake is a function that does what the tag of its request says.
type fake struct {
	fnv1.UnimplementedFunctionRunnerServiceServer

	entered chan struct{} // A blocking call sends here once,
	release chan struct{} // then waits for this, regardless of its context.
}

func newFake() *fake {
	return &fake{entered: make(chan struct{}), release: make(chan struct{})}
}

func (f *fake) RunFunction(_ context.Context, req *fnv1.RunFunctionRequest) (*fnv1.RunFunctionResponse, error) {
	switch req.GetMeta().GetTag() {
	case "panic":
		panic("secret")
	case "block":
		f.entered <- struct{}{}
		<-f.release
	}
	return &fnv1.RunFunctionResponse{Meta: &fnv1.ResponseMeta{Tag: req.GetMeta().GetTag()}}, nil
}

// A running is a running server, with the function that stops it.
type running struct {
	*server

	stop context.CancelFunc
	err  chan error
}

// start starts a server on its own loopback port; insecure without a directory for certificates.
func start(t *testing.T, fn fnv1.FunctionRunnerServiceServer, o Options) *running {
	t.Helper()
	o.Address = loopback
	o.Insecure = o.TLSCertsDir == ""
	s, err := newServer(t.Context(), fn, o)
	if err != nil {
		t.Fatalf("newServer(...): %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{server: s, stop: cancel, err: make(chan error, 1)}
	go func() { r.err <- s.run(ctx) }()
	t.Cleanup(cancel)
	return r
}

// wait waits for the server to stop, and returns its error.
func (r *running) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.err:
		return err
	case <-time.After(patience):
		t.Fatal("the server did not stop")
		return nil
	}
}

// dial connects to the server; insecurely if the config is nil.
func (r *running) dial(t *testing.T, cfg *tls.Config) *grpc.ClientConn {
	t.Helper()
	creds := insecure.NewCredentials()
	if cfg != nil {
		creds = credentials.NewTLS(cfg)
	}
	conn, err := grpc.NewClient(r.lis.Addr().String(), grpc.WithTransportCredentials(creds), grpc.WithDisableRetry())
	if err != nil {
		t.Fatalf("grpc.NewClient(...): %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// call calls the function with the given tag.
func call(t *testing.T, conn *grpc.ClientConn, tag string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := fnv1.NewFunctionRunnerServiceClient(conn).RunFunction(ctx, &fnv1.RunFunctionRequest{Meta: &fnv1.RequestMeta{Tag: tag}})
	return err
}

func checkCode(t *testing.T, reason string, want codes.Code, err error) {
	t.Helper()
	if diff := cmp.Diff(want, status.Code(err)); diff != "" {
		t.Errorf("%s\nRunFunction(...): -want code, +got code:\n%s\n%v", reason, diff, err)
	}
}

func TestBeta(t *testing.T) {
	r := start(t, newFake(), Options{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	got, err := fnv1beta1.NewFunctionRunnerServiceClient(r.dial(t, nil)).
		RunFunction(ctx, &fnv1beta1.RunFunctionRequest{Meta: &fnv1beta1.RequestMeta{Tag: "hi"}})
	if err != nil {
		t.Fatalf("RunFunction(...): %v", err)
	}
	want := &fnv1beta1.RunFunctionResponse{Meta: &fnv1beta1.ResponseMeta{Tag: "hi"}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("A v1beta1 client should be answered by the v1 function.\nRunFunction(...): -want, +got:\n%s", diff)
	}
}

func TestGracefulStop(t *testing.T) {
	fn := newFake()
	r := start(t, fn, Options{})
	conn := r.dial(t, nil)

	inFlight := make(chan error, 1)
	go func() {
		inFlight <- call(t, conn, "block")
	}()
	<-fn.entered
	r.stop()

	// The server stops asynchronously: reconnect until it no longer listens.
	deadline := time.Now().Add(patience)
	for {
		err := call(t, r.dial(t, nil), "new")
		if status.Code(err) == codes.Unavailable {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("A new call should be refused, got: %v", err)
		}
	}
	select {
	case err := <-r.err:
		t.Fatalf("The server should wait for the call in flight, got: %v", err)
	default:
	}

	close(fn.release)
	checkCode(t, "The call in flight should finish.", codes.OK, <-inFlight)
	if err := r.wait(t); err != nil {
		t.Errorf("A graceful shutdown should be no error: %v", err)
	}
}

func TestShutdownTimeout(t *testing.T) {
	fn := newFake()
	t.Cleanup(func() { close(fn.release) })
	r := start(t, fn, Options{ShutdownTimeout: time.Second})
	conn := r.dial(t, nil)

	inFlight := make(chan error, 1)
	go func() {
		inFlight <- call(t, conn, "block")
	}()
	<-fn.entered
	r.stop()

	err := r.wait(t)
	if diff := cmp.Diff("cannot finish the calls in flight within 1s", fmt.Sprint(err)); diff != "" {
		t.Errorf("A hung call should not delay the shutdown beyond the timeout.\nrun(...): -want, +got:\n%s", diff)
	}
	checkCode(t, "A hung call should be cut off.", codes.Unavailable, <-inFlight)
}

func TestStopWithSilentClient(t *testing.T) {
	dir := t.TempDir()
	testcerts.Write(t, dir, testcerts.New(t, "ca").ServerFiles())
	r := start(t, newFake(), Options{TLSCertsDir: dir, ShutdownTimeout: 2 * time.Second})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.lis.Addr().String())
	if err != nil {
		t.Fatalf("DialContext(...): %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })

	r.stop()
	if err := r.wait(t); err != nil {
		t.Errorf("A client that never completes the handshake should not delay the shutdown: %v", err)
	}
}

func TestPanic(t *testing.T) {
	log := &recorder{}
	r := start(t, newFake(), Options{Log: log})
	conn := r.dial(t, nil)

	err := call(t, conn, "panic")
	checkCode(t, "A panic should return an error to its caller.", codes.Internal, err)
	if strings.Contains(fmt.Sprint(err), "secret") {
		t.Errorf("The message of a panic should not be sent, got: %v", err)
	}
	if diff := cmp.Diff([]string{"Recovered from a panic"}, log.infos()); diff != "" {
		t.Errorf("A panic should be logged.\n-want, +got:\n%s", diff)
	}
	err = call(t, conn, "hi")
	checkCode(t, "The next call should be answered.", codes.OK, err)
}

func TestMaxRecvMessageSize(t *testing.T) {
	cases := map[string]struct {
		reason string
		limit  int
		size   int
		want   codes.Code
	}{
		"Below":        {reason: "A message below the limit should be answered.", limit: 1000, size: 900, want: codes.OK},
		"Above":        {reason: "A message above the limit should be refused.", limit: 1000, size: 1001, want: codes.ResourceExhausted},
		"BelowDefault": {reason: "A message below the default should be answered.", size: 4*1024*1024 - 100, want: codes.OK},
		"AboveDefault": {reason: "A message above the default should be refused.", size: 4 * 1024 * 1024, want: codes.ResourceExhausted},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := start(t, small{}, Options{MaxRecvMessageSize: tc.limit})
			err := call(t, r.dial(t, nil), strings.Repeat("x", tc.size))
			checkCode(t, tc.reason, tc.want, err)
		})
	}
}

// small returns an empty response, because the client has its own limit.
type small struct {
	fnv1.UnimplementedFunctionRunnerServiceServer
}

func (small) RunFunction(context.Context, *fnv1.RunFunctionRequest) (*fnv1.RunFunctionResponse, error) {
	return &fnv1.RunFunctionResponse{}, nil
}

func TestServeErrors(t *testing.T) {
	ca := testcerts.New(t, "ca")
	lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", loopback)
	if err != nil {
		t.Fatalf("Listen(...): %v", err)
	}
	t.Cleanup(func() { _ = lis.Close() })
	taken := lis.Addr().String()
	certs := func(name string, b []byte) string {
		dir, files := t.TempDir(), ca.ServerFiles()
		files[name] = b
		testcerts.Write(t, dir, files)
		if b == nil {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatalf("Remove(...): %v", err)
			}
		}
		return dir
	}

	cases := map[string]struct {
		reason string
		o      Options
		want   []string
	}{
		"NoCredentials": {
			reason: "Without credentials, the error should name the flags that set them.",
			want:   []string{"--tls-certs-dir", "TLS_SERVER_CERTS_DIR", "--insecure"},
		},
		"NoDirectory": {
			reason: "A missing directory should be named.",
			o:      Options{TLSCertsDir: filepath.Join(t.TempDir(), "nowhere")},
			want:   []string{"cannot read certificates in", "nowhere: open ca.crt: no such file"},
		},
		"NoKey": {
			reason: "A missing file should be named.",
			o:      Options{TLSCertsDir: certs(fileKey, nil)},
			want:   []string{"cannot read certificates in", "open tls.key"},
		},
		"BrokenCertificate": {
			reason: "A broken certificate should be named.",
			o:      Options{TLSCertsDir: certs(fileCert, []byte("broken"))},
			want:   []string{"cannot use", "tls.crt with tls.key"},
		},
		"BrokenCA": {
			reason: "A broken CA should be named.",
			o:      Options{TLSCertsDir: certs(fileCA, []byte("broken"))},
			want:   []string{"cannot find a PEM certificate in", "ca.crt"},
		},
		"AddressInUse": {
			reason: "An address in use should be named, with its purpose.",
			o:      Options{Insecure: true, Address: taken, MetricsAddress: loopback},
			want:   []string{"cannot listen for gRPC connections", taken, "in use"},
		},
		"MetricsAddressInUse": {
			reason: "A metrics address in use should be an error, too.",
			o:      Options{Insecure: true, Address: loopback, MetricsAddress: taken},
			want:   []string{"cannot listen for metrics connections", taken, "in use"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			// Without an error, the server stops at once.
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := Serve(ctx, newFake(), tc.o)
			for _, want := range tc.want {
				if !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("%s\nServe(...): want %q, got: %v", tc.reason, want, err)
				}
			}
		})
	}
}

func TestServeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// The directory does not exist: insecure takes precedence.
	o := Options{Address: loopback, Insecure: true, TLSCertsDir: "nowhere", MetricsAddress: loopback}
	if err := Serve(ctx, newFake(), o); err != nil {
		t.Errorf("A context that is already cancelled should be no error: %v", err)
	}
}

func TestListenerFails(t *testing.T) {
	cases := map[string]struct {
		reason string
		fail   func(*server) error
		want   string
	}{
		"GRPC":    {reason: "A server that cannot accept calls should stop.", fail: func(s *server) error { return s.lis.Close() }, want: "cannot serve gRPC connections"},
		"Metrics": {reason: "So should a server that cannot accept scrapes.", fail: func(s *server) error { return s.metrics.lis.Close() }, want: "cannot serve metrics"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := start(t, newFake(), Options{MetricsAddress: loopback})
			if err := tc.fail(r.server); err != nil {
				t.Fatalf("Close(): %v", err)
			}
			if err := r.wait(t); !strings.Contains(fmt.Sprint(err), tc.want) {
				t.Errorf("%s\nrun(...): want %q, got: %v", tc.reason, tc.want, err)
			}
		})
	}
}

// A recorder keeps the messages logged at info level.
type recorder struct {
	logging.Logger

	mu   sync.Mutex
	msgs []string
}

func (r *recorder) Debug(string, ...any) {}

func (r *recorder) Info(msg string, _ ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.msgs = append(r.msgs, msg)
}

func (r *recorder) infos() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.msgs
}
