// Package packages builds provider packages of real CRDs and serves them, with any others, from a registry in this process.
package packages

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Upbound and Contrib are where provider-aws is published. Packages keep these names: an ImageConfig makes Crossplane fetch them
// from the registry of this process.
const (
	Upbound = "xpkg.upbound.io/upbound"
	Contrib = "xpkg.crossplane.io/crossplane-contrib"
)

// A Registry is an OCI registry in this process.
type Registry struct {
	Address string
	server  *http.Server
}

// NewRegistry starts one.
func NewRegistry(ctx context.Context) (*Registry, error) {
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Registry{Address: l.Addr().String()}
	r.server = &http.Server{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0))), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(l) }()
	return r, nil
}

// Close the registry.
func (r *Registry) Close() { _ = r.server.Close() }

// A Provider package of the provider-aws family.
type Provider struct {
	// Service that it is for: s3, or family.
	Service string
	// Registry that it is published in: Upbound or Contrib.
	Registry string
	// Versions to publish. Their content is the same.
	Versions []string
	// CRDs is the folder of the real CRDs.
	CRDs string
	// Few: only the first of its CRDs, by name, of each group. An API server takes a second for ten.
	Few bool
	// SafeStart says that the package lets Crossplane choose which kinds to activate.
	SafeStart bool
}

// Name of the package.
func (p Provider) Name() string {
	if p.Service == "family" {
		return "provider-family-aws"
	}
	return "provider-aws-" + p.Service
}

// few CRDs of a group.
const few = 6

// Push the provider.
func (r *Registry) Push(ctx context.Context, p Provider) error {
	content, err := p.content()
	if err != nil {
		return fmt.Errorf("%s: %w", p.Name(), err)
	}
	img, err := image(content)
	if err != nil {
		return err
	}
	for _, v := range p.Versions {
		if err := r.write(ctx, p.Registry+"/"+p.Name()+":"+v, img); err != nil {
			return err
		}
	}
	return nil
}

// PushConfiguration publishes a Configuration that holds nothing, and depends on a Provider package in that version or a later one.
func (r *Registry) PushConfiguration(ctx context.Context, pkg, provider, version string) error {
	repository, _, _ := strings.Cut(pkg[strings.LastIndex(pkg, "/")+1:], ":")
	img, err := image([]byte("apiVersion: meta.pkg.crossplane.io/v1\nkind: Configuration\nmetadata:\n  name: " + repository +
		"\nspec:\n  dependsOn:\n  - provider: " + provider + "\n    version: \">= " + version + "\"\n"))
	if err != nil {
		return err
	}
	return r.write(ctx, pkg, img)
}

// write an image under the name that it has upstream.
func (r *Registry) write(ctx context.Context, upstream string, img v1.Image) error {
	_, repository, _ := strings.Cut(upstream, "/")
	ref, err := name.ParseReference(r.Address + "/" + repository)
	if err != nil {
		return err
	}
	return remote.Write(ref, img, remote.WithContext(ctx))
}

// content of package.yaml: what `crossplane xpkg build` would write.
func (p Provider) content() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("apiVersion: meta.pkg.crossplane.io/v1\nkind: Provider\nmetadata:\n  name: " + p.Name() + "\n  labels:\n    pkg.crossplane.io/provider-family: provider-family-aws\nspec:\n")
	if p.SafeStart {
		b.WriteString("  capabilities:\n  - SafeStart\n")
	}
	groups := []string{"aws.upbound.io_*", "aws.m.upbound.io_*"}
	if p.Service != "family" {
		b.WriteString("  dependsOn:\n  - provider: " + p.Registry + "/provider-family-aws\n    version: \">= 0.0.0\"\n")
		groups = []string{p.Service + ".aws.upbound.io_*", p.Service + ".aws.m.upbound.io_*"}
	}
	found := 0
	for _, g := range groups {
		files, err := filepath.Glob(filepath.Join(p.CRDs, g))
		if err != nil {
			return nil, err
		}
		if p.Few {
			files = files[:min(few, len(files))]
		}
		for _, f := range files {
			crd, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			b.WriteString("---\n" + strings.TrimPrefix(string(crd), "---\n"))
			found++
		}
	}
	if found == 0 {
		return nil, errors.New("no CRDs in " + p.CRDs)
	}
	return b.Bytes(), nil
}

// image of a package: one layer that holds package.yaml.
func image(content []byte) (v1.Image, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "package.yaml", Mode: 0o644, Size: int64(len(content))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	return mutate.Append(empty.Image, mutate.Addendum{Layer: layer, Annotations: map[string]string{"io.crossplane.xpkg": "base"}})
}
