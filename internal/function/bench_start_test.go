package function

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
)

// BenchmarkStart measures how long it takes from starting the function's binary until it answers a connection, how much memory it
// has then while nobody calls, and how large it is.
func BenchmarkStart(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "function")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, ".") //nolint:gosec // It is this function.
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("cannot build the function: %v\n%s", err, out)
	}
	info, err := os.Stat(bin)
	if err != nil {
		b.Fatal(err)
	}

	const mebi = 1 << 20
	resident := 0.0
	for b.Loop() {
		b.StopTimer()
		address := freeAddress(b)
		cmd := exec.CommandContext(b.Context(), bin, "--insecure", "--address="+address) //nolint:gosec // It was just built.
		b.StartTimer()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		for {
			conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", address)
			if err == nil {
				_ = conn.Close()
				break
			}
			time.Sleep(time.Millisecond / 2)
		}
		b.StopTimer()
		// What it does in the background when it starts is over by then.
		time.Sleep(time.Second / 2)
		m, ok := testutil.MemoryOf(b, cmd.Process.Pid)
		if !ok {
			b.Skip("nobody tells how much memory a process has")
		}
		resident += float64(m.Resident) * 1024 / mebi
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		b.StartTimer()
	}
	b.ReportMetric(resident/float64(b.N), "idle-MiB")
	b.ReportMetric(float64(info.Size())/mebi, "binary-MiB")
}

// freeAddress on this host. Its port is free again once it was found.
func freeAddress(t testing.TB) string {
	t.Helper()
	lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := lis.Close(); err != nil {
		t.Fatal(err)
	}
	return lis.Addr().String()
}
