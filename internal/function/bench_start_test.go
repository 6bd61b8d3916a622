package function

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
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
		resident += residentKiB(b, cmd.Process.Pid) * 1024 / mebi
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		b.StartTimer()
	}
	b.ReportMetric(resident/float64(b.N), "idle-MiB")
	b.ReportMetric(float64(info.Size())/mebi, "binary-MiB")
}

// residentKiB is the resident memory of a process.
func residentKiB(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("no /proc here: %v", err)
	}
	_, line, _ := strings.Cut(string(status), "VmRSS:")
	line, _, _ = strings.Cut(line, "kB")
	kib, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib
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
