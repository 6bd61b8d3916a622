package function

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/crossplane/function-sdk-go/response"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/proto"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/metrics"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/server"
)

// BenchmarkGRPC compares a call as Crossplane makes it, over TCP to another process, with the floor: a function that only returns the
// same prepared response. The benchmark alternates between both, so that both run under the same conditions. It reports the median
// latency, the CPU time of the server per call, and both as multiples of the floor's.
func BenchmarkGRPC(b *testing.B) {
	for _, services := range benchmarkServices() {
		for _, r := range reconciles(b, services) {
			b.Run(fmt.Sprintf("%s/services=%d", r.name, services), func(b *testing.B) {
				fn, floor := startPeer(b, peerFunction, r.request), startPeer(b, peerFloor, r.request)
				if got, want := fn.call(b, r.request), floor.call(b, r.request); !proto.Equal(got, want) {
					b.Fatalf("the responses of the floor and the function differ:\n%v\n%v", want, got)
				}
				for range 50 {
					fn.call(b, r.request)
					floor.call(b, r.request)
				}
				fn.reset(b)
				floor.reset(b)
				for b.Loop() {
					fn.call(b, r.request)
					floor.call(b, r.request)
				}
				p50, cpu := fn.p50(), fn.cpuPerCall(b)
				b.ReportMetric(0, "ns/op") // The sum of both is meaningless.
				b.ReportMetric(p50, "p50-ns")
				b.ReportMetric(cpu, "cpu-ns")
				b.ReportMetric(p50/floor.p50(), "p50-x-floor")
				b.ReportMetric(cpu/floor.cpuPerCall(b), "cpu-x-floor")
				b.ReportMetric(cpu/float64(services), "cpu-ns/service")
			})
		}
	}
}

// These are the modes of a peer process, and the environment variables that configure it.
const (
	peerFunction = "function"
	peerFloor    = "floor"

	envPeer        = "BENCHMARK_PEER"
	envPeerAddress = "BENCHMARK_PEER_ADDRESS"
	envPeerRequest = "BENCHMARK_PEER_REQUEST"
	envPeerCerts   = "BENCHMARK_PEER_CERTS"
)

// A peer is another process that serves a function, with a connection to it.
type peer struct {
	fnv1.FunctionRunnerServiceClient

	address   string
	cmd       *exec.Cmd
	wait      func() error
	in        io.Writer
	out       *bufio.Reader
	cpu       time.Duration
	latencies []time.Duration
}

// startPeer runs this test binary as a peer until the benchmark ends.
func startPeer(b *testing.B, what string, req *fnv1.RunFunctionRequest) *peer {
	b.Helper()
	file := filepath.Join(b.TempDir(), "request")
	if err := os.WriteFile(file, must(proto.Marshal(req)), 0o600); err != nil {
		b.Fatal(err)
	}
	p := spawn(b, envPeer+"="+what, envPeerRequest+"="+file)
	conn, err := grpc.NewClient(p.address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Minute}), grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	p.FunctionRunnerServiceClient = fnv1.NewFunctionRunnerServiceClient(conn)
	return p
}

// spawn starts a peer, which exits when its input is closed at the latest.
func spawn(t testing.TB, env ...string) *peer {
	t.Helper()
	p := &peer{address: freeAddress(t)}
	// The test's own context ends before the cleanup.
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), must(os.Executable())) //nolint:gosec // The command runs this test binary.
	p.cmd.Env = append(append(os.Environ(), envPeerAddress+"="+p.address), env...)
	// The cost of logging is part of the measurement, but the log is only shown if the test fails.
	logs := must(os.Create(filepath.Join(t.TempDir(), "log")))
	p.cmd.Stderr = logs
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.in, p.out, p.wait = in, bufio.NewReader(out), sync.OnceValue(p.cmd.Wait)
	t.Cleanup(func() {
		_ = in.Close()
		if err := p.wait(); err != nil {
			t.Errorf("the peer failed: %v", err)
		}
		_ = logs.Close()
		if t.Failed() {
			t.Logf("the peer logged:\n%s", must(os.ReadFile(logs.Name())))
		}
	})
	return p
}

func (p *peer) call(b *testing.B, req *fnv1.RunFunctionRequest) *fnv1.RunFunctionResponse {
	b.Helper()
	start := time.Now()
	rsp, err := p.RunFunction(b.Context(), req)
	p.latencies = append(p.latencies, time.Since(start))
	if err != nil {
		b.Fatal(err)
	}
	return rsp
}

func (p *peer) reset(b *testing.B) {
	b.Helper()
	p.latencies, p.cpu = nil, p.cpuTime(b)
}

func (p *peer) p50() float64 {
	slices.Sort(p.latencies)
	return float64(p.latencies[len(p.latencies)/2])
}

func (p *peer) cpuPerCall(b *testing.B) float64 {
	b.Helper()
	return float64(p.cpuTime(b)-p.cpu) / float64(len(p.latencies))
}

// cpuTime returns the CPU time of the peer, which it reports for each line of its input.
func (p *peer) cpuTime(b testing.TB) time.Duration {
	b.Helper()
	if _, err := fmt.Fprintln(p.in); err != nil {
		b.Fatal(err)
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(ns)
}

// TestMain runs the tests at the root of the repository, where they find example/ and other files, and lets this binary act as a peer of
// the benchmarks.
func TestMain(m *testing.M) {
	// A child process of these tests, such as a fuzz worker, is at the root already.
	if _, err := os.Stat("go.mod"); err != nil {
		if err := os.Chdir(filepath.Join("..", "..")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	what := os.Getenv(envPeer)
	if what == "" {
		// Random worlds leave much garbage. It is collected less often, unless benchmarks measure.
		flag.Parse()
		if flag.Lookup("test.bench").Value.String() == "" {
			debug.SetGCPercent(400)
		}
		os.Exit(m.Run())
	}
	if err := servePeer(what); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

// servePeer serves like the function's binary until its input is closed.
func servePeer(what string) error {
	failed := make(chan error, 1)
	go func() { failed <- runPeer(what) }()
	lines := make(chan struct{})
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(os.Stdin); s.Scan(); {
			lines <- struct{}{}
		}
	}()
	for {
		select {
		case err := <-failed:
			return err
		case _, more := <-lines:
			if !more {
				return nil
			}
			cpu, err := cpuTime()
			if err != nil {
				return err
			}
			fmt.Println(cpu.Nanoseconds()) //nolint:forbidigo // The benchmark reads this output.
		}
	}
}

// cpuTime returns the CPU time that this process has used.
func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

func runPeer(what string) error {
	certs := os.Getenv(envPeerCerts)
	o := server.Options{Network: "tcp", Address: os.Getenv(envPeerAddress), TLSCertsDir: certs, Insecure: certs == "", MaxRecvMessageSize: 4 << 20}
	if what == peerFunction {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if !o.Insecure {
			o.Drain = server.DefaultDrain
		}
		return server.Serve(ctx, New(logging.NewNopLogger(), metrics.New(prometheus.NewRegistry()), NoPlatform), o)
	}
	b, err := os.ReadFile(os.Getenv(envPeerRequest))
	if err != nil {
		return err
	}
	req := &fnv1.RunFunctionRequest{}
	if err := proto.Unmarshal(b, req); err != nil {
		return err
	}
	rsp, err := newTestFunction().RunFunction(context.Background(), req)
	if err != nil {
		return err
	}
	return server.Serve(context.Background(), &floor{prebuilt: rsp}, o)
}

// A floor does the least that a function can do: it returns a prepared response.
type floor struct {
	fnv1.UnimplementedFunctionRunnerServiceServer

	prebuilt *fnv1.RunFunctionResponse
}

func (f *floor) RunFunction(_ context.Context, req *fnv1.RunFunctionRequest) (*fnv1.RunFunctionResponse, error) {
	rsp := response.To(req, f.prebuilt.GetMeta().GetTtl().AsDuration())
	rsp.Desired = f.prebuilt.GetDesired()
	rsp.Conditions = f.prebuilt.GetConditions()
	rsp.Results = f.prebuilt.GetResults()
	rsp.Requirements = f.prebuilt.GetRequirements()
	return rsp, nil
}
