package main

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestRuntimeImage(t *testing.T) {
	cases := map[string]struct {
		reason string
		arch   string
	}{
		"AMD64": {reason: "The image should be one that Crossplane can run on amd64.", arch: "amd64"},
		"ARM64": {reason: "The image should be one that Crossplane can run on arm64.", arch: "arm64"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			img, err := RuntimeImage([]byte("binary"), tc.arch, "v1.2.3")
			if err != nil {
				t.Fatalf("\n%s\nRuntimeImage(...): %v", tc.reason, err)
			}

			got, err := img.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}

			want := v1.Config{
				User:         "2000:2000",
				Entrypoint:   []string{"/function"},
				WorkingDir:   "/",
				ExposedPorts: map[string]struct{}{"9443/tcp": {}},
				Labels: map[string]string{
					"org.opencontainers.image.title":    "function-pod-identity-provider",
					"org.opencontainers.image.version":  "v1.2.3",
					"org.opencontainers.image.source":   "https://github.com/crossplane-contrib/function-pod-identity-provider",
					"org.opencontainers.image.licenses": "Apache-2.0",
				},
			}
			if diff := cmp.Diff(want, got.Config); diff != "" {
				t.Errorf("\n%s\nRuntimeImage(...): -want config, +got config:\n%s", tc.reason, diff)
			}

			if diff := cmp.Diff("linux/"+tc.arch, got.Platform().String()); diff != "" {
				t.Errorf("\n%s\nRuntimeImage(...): -want platform, +got platform:\n%s", tc.reason, diff)
			}

			if !got.Created.IsZero() {
				t.Errorf("\n%s\nRuntimeImage(...): image has a creation time, so no two builds are equal: %s", tc.reason, got.Created)
			}
		})
	}
}

func TestRuntimeImageFiles(t *testing.T) {
	img, err := RuntimeImage([]byte("binary"), "amd64", "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}

	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}

	if len(layers) != 1 {
		t.Fatalf("want 1 layer, got %d", len(layers))
	}

	rc, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rc.Close() }()

	type file struct {
		Name, Content  string
		Mode, ModTime  int64
		UID, GID, Type int
	}

	var got []file

	for tr := tar.NewReader(rc); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}

		if err != nil {
			t.Fatal(err)
		}

		content, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}

		got = append(got, file{h.Name, string(content), h.Mode, h.ModTime.Unix(), h.Uid, h.Gid, int(h.Typeflag)})
	}

	want := []file{{Name: "function", Content: "binary", Mode: 0o755, Type: tar.TypeReg}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of the runtime image: -want, +got:\n%s", diff)
	}
}

func TestWriteTarball(t *testing.T) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "first.tar"), filepath.Join(dir, "second.tar")}

	contents := make([]string, 0, len(paths))

	for _, p := range paths {
		img, err := RuntimeImage([]byte("binary"), "amd64", "v1.2.3")
		if err != nil {
			t.Fatal(err)
		}

		if err := WriteTarball(p, "fn:v1.2.3", img); err != nil {
			t.Fatalf("WriteTarball(...): %v", err)
		}

		// This is how the Crossplane CLI reads it.
		read, err := tarball.ImageFromPath(p, nil)
		if err != nil {
			t.Fatalf("cannot read the tarball back: %v", err)
		}

		want, err := img.ConfigName()
		if err != nil {
			t.Fatal(err)
		}

		got, err := read.ConfigName()
		if err != nil {
			t.Fatal(err)
		}

		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("config of the image in the tarball: -want, +got:\n%s", diff)
		}

		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}

		contents = append(contents, string(b))
	}

	if contents[0] != contents[1] {
		t.Error("two tarballs of the same image differ")
	}
}
