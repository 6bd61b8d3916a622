package xpkg

import (
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
)

func TestRuntimeConfig(t *testing.T) {
	for _, arch := range arches() {
		t.Run(arch, func(t *testing.T) {
			cfg, err := shared.images[arch].ConfigFile()
			if err != nil {
				t.Fatalf("cannot read image config: %v", err)
			}

			if diff := cmp.Diff("linux/"+arch, cfg.Platform().String()); diff != "" {
				t.Errorf("platform of the image: -want, +got:\n%s", diff)
			}

			// The kubelet can enforce runAsNonRoot, which Crossplane sets, only for a numeric user.
			user, _, _ := strings.Cut(cfg.Config.User, ":")
			if uid, err := strconv.Atoi(user); err != nil || uid == 0 {
				t.Errorf("want a numeric user that is not root, got %q", cfg.Config.User)
			}

			type config struct {
				Entrypoint, Cmd, Env []string
				Ports                map[string]struct{}
			}

			want := config{Entrypoint: []string{"/function"}, Ports: map[string]struct{}{"9443/tcp": {}}}
			got := config{cfg.Config.Entrypoint, cfg.Config.Cmd, cfg.Config.Env, cfg.Config.ExposedPorts}

			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("config of the image: -want, +got:\n%s", diff)
			}
		})
	}
}

func TestRuntimeBinary(t *testing.T) {
	cases := map[string]struct {
		reason string
		want   elf.Machine
	}{
		"amd64": {reason: "The amd64 image should contain an amd64 binary.", want: elf.EM_X86_64},
		"arm64": {reason: "The arm64 image should contain an arm64 binary.", want: elf.EM_AARCH64},
	}

	for _, arch := range arches() {
		tc := cases[arch]

		t.Run(arch, func(t *testing.T) {
			f, err := elf.NewFile(bytes.NewReader(imageFile(t, shared.images[arch], "function")))
			if err != nil {
				t.Fatalf("\n%s\n/function is not an ELF file: %v", tc.reason, err)
			}

			if diff := cmp.Diff(tc.want.String(), f.Machine.String()); diff != "" {
				t.Errorf("\n%s\nmachine of /function: -want, +got:\n%s", tc.reason, diff)
			}

			// The image has neither a dynamic loader nor libraries.
			for _, p := range f.Progs {
				if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
					t.Errorf("/function is not static: it has a program header %s", p.Type)
				}
			}
		})
	}
}

// TestReproducible builds a package a second time, from the same source into
// another directory. Both must be the same, byte for byte.
func TestReproducible(t *testing.T) {
	arch := runtime.GOARCH
	img := shared.images[arch]

	if img == nil {
		t.Skipf("there is no package for this machine's architecture %s", arch)
	}

	cfg, err := img.ConfigFile()
	if err != nil {
		t.Fatalf("cannot read image config: %v", err)
	}

	again := t.TempDir()
	// The packages in XPKG_DIR may be of any version.
	version := cfg.Config.Labels["org.opencontainers.image.version"]
	output := &bytes.Buffer{}
	if err := shared.build(t.Context(), output, again, "--arch="+arch, "--version="+version); err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}

	for _, file := range []string{filepath.Base(shared.functionFile(arch)), configurationName + ".xpkg"} {
		t.Run(file, func(t *testing.T) {
			first, second := filepath.Join(shared.packages, file), filepath.Join(again, file)

			// Compare the layers first, to show what differs: they are the binary and the
			// package.yaml.
			if diff := cmp.Diff(layers(t, first), layers(t, second)); diff != "" {
				t.Errorf("layers of two builds of the package differ: -first, +second:\n%s", diff)
			}

			if !bytes.Equal(read(t, first), read(t, second)) {
				t.Errorf("two builds of the package differ: unless the source changed after the first (XPKG_DIR: %q), the build is not reproducible", os.Getenv("XPKG_DIR"))
			}
		})
	}
}

// layers returns the digests of the layers of a package file.
func layers(t *testing.T, path string) []v1.Hash {
	t.Helper()

	img, err := tarball.ImageFromPath(path, nil)
	if err != nil {
		t.Fatalf("cannot read package file: %v", err)
	}

	m, err := img.Manifest()
	if err != nil {
		t.Fatalf("cannot read manifest of %s: %v", path, err)
	}

	out := make([]v1.Hash, len(m.Layers))
	for i := range m.Layers {
		out[i] = m.Layers[i].Digest
	}

	return out
}

func read(t *testing.T, path string) []byte {
	t.Helper()

	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("cannot read file: %v", err)
	}

	return b
}

// TestRuntimeServes runs the binary pulled from the registry, and calls it as
// Crossplane does.
func TestRuntimeServes(t *testing.T) {
	img := shared.images[runtime.GOARCH]
	if runtime.GOOS != "linux" || img == nil {
		t.Skipf("cannot run a Linux binary for %v on %s/%s", arches(), runtime.GOOS, runtime.GOARCH)
	}

	conn := serve(t, imageFile(t, img, "function"))

	t.Run("Health", func(t *testing.T) {
		rsp, err := healthgrpc.NewHealthClient(conn).Check(t.Context(), &healthgrpc.HealthCheckRequest{})
		if err != nil {
			t.Fatalf("cannot check health: %v", err)
		}

		if diff := cmp.Diff(healthgrpc.HealthCheckResponse_SERVING.String(), rsp.GetStatus().String()); diff != "" {
			t.Errorf("health: -want, +got:\n%s", diff)
		}
	})

	t.Run("EmptyRequest", func(t *testing.T) {
		rsp, err := fnv1.NewFunctionRunnerServiceClient(conn).RunFunction(t.Context(), &fnv1.RunFunctionRequest{})
		if err != nil {
			t.Fatalf("want a response with a fatal result, got an error: %v", err)
		}

		for _, r := range rsp.GetResults() {
			if r.GetSeverity() == fnv1.Severity_SEVERITY_FATAL {
				return
			}
		}

		t.Errorf("want a fatal result, got %v", rsp.GetResults())
	})
}

// serve runs a function binary until the test ends, and returns a connection to
// it once it listens.
func serve(t *testing.T, binary []byte) *grpc.ClientConn {
	t.Helper()

	path := filepath.Join(t.TempDir(), "function")
	if err := os.WriteFile(path, binary, 0o700); err != nil {
		t.Fatalf("cannot write binary: %v", err)
	}

	address, err := freeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	output := &bytes.Buffer{}

	// The cleanup below stops it.
	cmd := exec.Command(path, "--insecure", "--address="+address)
	cmd.Stdout, cmd.Stderr = output, output
	// An environment as empty as the image's.
	cmd.Env = []string{}

	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start /function: %v", err)
	}

	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()

		if t.Failed() {
			t.Logf("output of /function:\n%s", output)
		}
	})

	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatalf("cannot create client: %v", err)
	}

	t.Cleanup(func() { _ = conn.Close() })

	// Wait until it listens: then it answers any call, if only with an error.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()

	dialer := &net.Dialer{}
	for {
		c, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			_ = c.Close()
			return conn
		}

		select {
		case <-ctx.Done():
			t.Fatalf("/function does not listen on %s: %v", address, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// freeAddress returns a local address that nothing listens on.
func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("cannot listen: %w", err)
	}
	defer func() { _ = l.Close() }()

	return l.Addr().String(), nil
}
