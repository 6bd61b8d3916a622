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

// BenchmarkStart measures how long the function's binary takes from its start until it accepts a connection, how much memory it uses
// while idle, and how large it is.
func BenchmarkStart(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "function")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, ".") //nolint:gosec // The command builds this function.
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
		cmd := exec.CommandContext(b.Context(), bin, "--insecure", "--address="+address) //nolint:gosec // The binary was just built.
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
		// By then the background work of the start is done.
		time.Sleep(time.Second / 2)
		m, ok := testutil.MemoryOf(b, cmd.Process.Pid)
		if !ok {
			b.Skip("this system does not report the memory of a process")
		}
		resident += float64(m.Resident) * 1024 / mebi
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		b.StartTimer()
	}
	b.ReportMetric(resident/float64(b.N), "idle-MiB")
	b.ReportMetric(float64(info.Size())/mebi, "binary-MiB")
}

// freeAddress returns an address on this host whose port is free.
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
