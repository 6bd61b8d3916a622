package xpkg

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"sigs.k8s.io/yaml"
)

// object is an object of a package, as Crossplane would decode it.
type object = map[string]any

// readFile returns a file of a tar stream.
func readFile(r io.Reader, path string) ([]byte, error) {
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("cannot find %s: %w", path, fs.ErrNotExist)
		}

		if err != nil {
			return nil, fmt.Errorf("cannot read tar: %w", err)
		}

		if h.Name != path {
			continue
		}

		b, err := io.ReadAll(tr)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", path, err)
		}

		return b, nil
	}
}

// imageFile returns a file of an image's flattened file system.
func imageFile(t *testing.T, img v1.Image, path string) []byte {
	t.Helper()

	rc := mutate.Extract(img)
	defer func() { _ = rc.Close() }()

	b, err := readFile(rc, path)
	if err != nil {
		t.Fatalf("cannot read file of image: %v", err)
	}

	return b
}

// packageObjects returns the objects in the package.yaml of a package. The
// annotation io.crossplane.xpkg: base marks its layer, see
// https://github.com/crossplane/crossplane/blob/main/contributing/specifications/xpkg.md.
func packageObjects(t *testing.T, img v1.Image) []object {
	t.Helper()

	return layerObjects(t, img, "base", "package.yaml")
}

// layerObjects returns the objects in a file of the layer that an annotation
// io.crossplane.xpkg marks. Exactly one layer must have that annotation.
func layerObjects(t *testing.T, img v1.Image, mark, file string) []object {
	t.Helper()

	m, err := img.Manifest()
	if err != nil {
		t.Fatalf("cannot read image manifest: %v", err)
	}

	var marked []v1.Hash

	for _, l := range m.Layers {
		if l.Annotations["io.crossplane.xpkg"] == mark {
			marked = append(marked, l.Digest)
		}
	}

	if len(marked) != 1 {
		t.Fatalf("want one layer with the annotation io.crossplane.xpkg: %s, got %d of %d layers", mark, len(marked), len(m.Layers))
	}

	layer, err := img.LayerByDigest(marked[0])
	if err != nil {
		t.Fatalf("cannot get layer %s: %v", mark, err)
	}

	rc, err := layer.Uncompressed()
	if err != nil {
		t.Fatalf("cannot read layer %s: %v", mark, err)
	}
	defer func() { _ = rc.Close() }()

	b, err := readFile(rc, file)
	if err != nil {
		t.Fatalf("cannot read layer %s: %v", mark, err)
	}

	objs, err := parseObjects(b)
	if err != nil {
		t.Fatalf("cannot parse %s: %v", file, err)
	}

	return objs
}

// parseObjects parses a YAML stream, leaving out empty documents.
func parseObjects(b []byte) ([]object, error) {
	var objs []object

	for i, doc := range bytes.Split(append([]byte("\n"), b...), []byte("\n---\n")) {
		o := object{}
		if err := yaml.Unmarshal(doc, &o); err != nil {
			return nil, fmt.Errorf("cannot parse document %d: %w", i, err)
		}

		if len(o) > 0 {
			objs = append(objs, o)
		}
	}

	return objs, nil
}

// field returns the value at a path of an object's fields, or nil.
func field(o any, path ...string) any {
	for _, p := range path {
		m, ok := o.(map[string]any)
		if !ok {
			return nil
		}

		o = m[p]
	}

	return o
}

// id identifies an object in messages.
func id(o object) string {
	return fmt.Sprintf("%v %v %v", o["apiVersion"], o["kind"], field(o, "metadata", "name"))
}

// ids returns the ids of objects, in their order.
func ids(objs []object) []string {
	out := make([]string, len(objs))
	for i := range objs {
		out[i] = id(objs[i])
	}

	return out
}
