package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const (
	// entrypoint is the path of the function's binary in the image.
	entrypoint = "/function"

	// port that Crossplane calls functions on. Core fixes it, see
	// internal/controller/pkg/runtime in crossplane/crossplane.
	port = "9443/tcp"

	// user and group that the image runs as. Crossplane sets runAsUser: 2000,
	// runAsGroup: 2000 and runAsNonRoot: true on the pods of packages, unless a
	// DeploymentRuntimeConfig overrides them. The image sets the same for that case:
	// to satisfy runAsNonRoot on its own, the user must be a number, because the
	// kubelet does not know whether a named user is root.
	user = "2000:2000"

	source = "https://github.com/crossplane-contrib/function-pod-identity-provider"
)

// RuntimeImage returns an image that holds nothing but the supplied binary. The
// same binary always gives the same image, byte for byte: no time goes into it.
//
// It has no CA certificates, because the function makes no calls.
func RuntimeImage(binary []byte, arch, version string) (v1.Image, error) {
	layer, err := binaryLayer(binary)
	if err != nil {
		return nil, err
	}

	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, fmt.Errorf("cannot add layer to runtime image: %w", err)
	}

	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("cannot get config of runtime image: %w", err)
	}

	// The image's config is shared, and must not be changed in place.
	cfg = cfg.DeepCopy()
	cfg.OS = "linux"
	cfg.Architecture = arch
	cfg.Config.Entrypoint = []string{entrypoint}
	cfg.Config.User = user
	cfg.Config.WorkingDir = "/"
	cfg.Config.ExposedPorts = map[string]struct{}{port: {}}
	cfg.Config.Labels = map[string]string{
		"org.opencontainers.image.title":    functionName,
		"org.opencontainers.image.version":  version,
		"org.opencontainers.image.source":   source,
		"org.opencontainers.image.licenses": "Apache-2.0",
	}

	img, err = mutate.ConfigFile(img, cfg)
	if err != nil {
		return nil, fmt.Errorf("cannot set config of runtime image: %w", err)
	}

	return img, nil
}

// WriteTarball writes an image in the format of docker save, which crossplane
// xpkg build embeds and docker load loads.
func WriteTarball(path, tag string, img v1.Image) error {
	ref, err := name.NewTag(tag)
	if err != nil {
		return fmt.Errorf("cannot parse image tag %q: %w", tag, err)
	}

	if err := tarball.WriteToFile(path, ref, img); err != nil {
		return fmt.Errorf("cannot write image tarball %q: %w", path, err)
	}

	return nil
}

// binaryLayer returns a layer with the binary as its only file, owned by root and
// executable by all users.
func binaryLayer(binary []byte) (v1.Layer, error) {
	buf := &bytes.Buffer{}
	tw := tar.NewWriter(buf)

	// The zero ModTime is written as the Unix epoch.
	h := &tar.Header{Name: entrypoint[1:], Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(binary))}
	if err := tw.WriteHeader(h); err != nil {
		return nil, fmt.Errorf("cannot write layer header: %w", err)
	}

	if _, err := tw.Write(binary); err != nil {
		return nil, fmt.Errorf("cannot write binary to layer: %w", err)
	}

	if err := tw.Close(); err != nil {
		return nil, fmt.Errorf("cannot finish layer: %w", err)
	}

	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	}, tarball.WithCompressedCaching)
	if err != nil {
		return nil, fmt.Errorf("cannot compress layer: %w", err)
	}

	return layer, nil
}
