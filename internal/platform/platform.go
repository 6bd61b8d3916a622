// Package platform reads the platform team's configuration of the function: a file in the shape of the Input, which applies with every
// Composition. If it comes from a ConfigMap, Kubernetes changes it, so it is read again.
package platform

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/crossplane/function-sdk-go/errors"
	"github.com/crossplane/function-sdk-go/logging"
	"google.golang.org/protobuf/types/known/structpb"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/metrics"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Interval at which the file is read. The kubelet itself takes up to a minute to update a changed ConfigMap.
const Interval = 5 * time.Second

// maxSize of the file. A ConfigMap cannot hold more.
const maxSize = 1 << 20

// A File is the configuration in a file, or its last valid version.
type File struct {
	path    string
	log     logging.Logger
	metrics *metrics.Configuration

	current atomic.Pointer[view.Configuration]
	// seen is the content that was last read, valid or not. Only Watch reads again.
	seen []byte
	// problem that was last reported.
	problem string
}

// Open opens a file. It fails with everything that is wrong with it: a function must not start without the rules that it should
// enforce.
func Open(path string, log logging.Logger, m *metrics.Configuration) (*File, error) {
	f := &File{path: path, log: log, metrics: m}
	b, err := read(path)
	if err != nil {
		return nil, err
	}
	c, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s is not a configuration:\n%w", path, err)
	}
	f.seen = b
	f.use(c)
	return f, nil
}

// Current returns the current configuration.
func (f *File) Current() *view.Configuration { return f.current.Load() }

// Watch follows the file until the context ends. If the configuration is invalid or missing, the last valid one stays.
func (f *File) Watch(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			f.refresh()
		}
	}
}

// refresh reads the file, and uses it if it has changed.
func (f *File) refresh() {
	b, err := read(f.path)
	if err != nil {
		f.keep(err)
		return
	}
	if bytes.Equal(b, f.seen) && f.problem == "" {
		return
	}
	f.seen = b
	c, err := Parse(b)
	if err != nil {
		f.keep(err)
		return
	}
	f.use(c)
}

func (f *File) use(c *view.Configuration) {
	f.current.Store(c)
	f.problem = ""
	f.metrics.Read(c.Hash)
	f.log.Info("Read the configuration", "file", f.path, "hash", c.Hash)
}

// keep keeps the last configuration. The same problem is reported once.
func (f *File) keep(err error) {
	if f.problem == err.Error() {
		return
	}
	f.problem = err.Error()
	f.metrics.Refused()
	f.log.Info("Keeping the previous configuration", "file", f.path, "hash", f.Current().Hash, "error", err.Error())
}

// read reads a file of a reasonable size.
func read(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // The path is that of a flag.
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // Only read.
	b, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSize {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxSize)
	}
	return b, nil
}

// Parse reads a configuration in YAML or JSON. It fails with everything that is wrong, a line each.
func Parse(b []byte) (*view.Configuration, error) {
	doc, err := onlyDocument(b)
	if err != nil {
		return nil, err
	}
	m := map[string]any{}
	if err := yaml.UnmarshalStrict(doc, &m); err != nil {
		return nil, err
	}
	s, err := structpb.NewStruct(m)
	if err != nil {
		return nil, err
	}
	c, errs := view.ParsePlatform(s)
	if len(errs) > 0 {
		lines := make([]string, 0, len(errs))
		for _, e := range errs {
			lines = append(lines, e.Error())
		}
		return nil, errors.New(strings.Join(lines, "\n"))
	}
	return c, nil
}

// onlyDocument returns the only document of a file. Rules in a second one would silently not apply.
func onlyDocument(b []byte) ([]byte, error) {
	var found []byte
	for docs := kyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(b))); ; {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		var v any
		if err := yaml.Unmarshal(doc, &v); err != nil {
			return nil, err
		}
		switch {
		case v == nil:
		case found != nil:
			return nil, errors.New("there is more than one document: write all into one")
		default:
			found = doc
		}
	}
	if found == nil {
		return nil, errors.New("it is empty: write {} if there are no rules")
	}
	return found, nil
}
