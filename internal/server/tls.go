package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/crossplane/function-sdk-go/errors"
	"github.com/crossplane/function-sdk-go/logging"
)

// Files of a certificates directory, named as in a Kubernetes TLS secret.
const (
	fileCA   = "ca.crt"
	fileCert = "tls.crt"
	fileKey  = "tls.key"
)

// certificates of a directory are read again when they change. Handshakes are
// few, as Crossplane keeps its connection, so each reads the files and compares
// them: that misses no change, however a mount changes names and times.
type certificates struct {
	dir string
	log logging.Logger

	mu      sync.Mutex
	files   map[string][]byte
	current *tls.Config
	failure string // The last one logged, to not repeat it at each handshake.
}

// newCertificates returns those of the supplied directory, if they are valid.
func newCertificates(dir string, log logging.Logger) (*certificates, error) {
	c := &certificates{dir: filepath.Clean(dir), log: log}
	if _, err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// config returns the configuration to serve with. It gets the latest
// certificates at each handshake.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return c.latest(), nil
		},
	}
}

// latest returns the latest valid certificates. A Secret may be replaced file
// by file, or wrongly: the last valid ones are better than none.
func (c *certificates) latest() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()

	changed, err := c.load()
	switch {
	case err != nil && err.Error() != c.failure:
		c.failure = err.Error()
		c.log.Info("Keeping the previous certificates", "error", err)
	case err == nil:
		c.failure = ""
	}
	if changed {
		c.log.Info("Read new certificates", "dir", c.dir)
	}
	return c.current
}

// problem says that the certificate in use is not valid at this time: then no
// client can connect, and the pod must not look ready. Crossplane renews the
// Secret, which is read again.
func (c *certificates) problem() string {
	leaf := c.latest().Certificates[0].Leaf
	switch now := time.Now(); { //nolint:forbidigo // A certificate is valid for a time.
	case now.After(leaf.NotAfter):
		return "the certificate expired at " + leaf.NotAfter.UTC().Format(time.RFC3339)
	case now.Before(leaf.NotBefore):
		return "the certificate is valid only from " + leaf.NotBefore.UTC().Format(time.RFC3339)
	}
	return ""
}

// load reads the files if they changed. It uses them only if all are valid.
func (c *certificates) load() (bool, error) {
	files := map[string][]byte{}
	changed := false
	for _, name := range []string{fileCA, fileCert, fileKey} {
		b, err := fs.ReadFile(os.DirFS(c.dir), name)
		if err != nil {
			return false, errors.Wrapf(err, "cannot read certificates in %s", c.dir)
		}
		files[name] = b
		changed = changed || !bytes.Equal(b, c.files[name])
	}
	if !changed {
		return false, nil
	}

	crt, err := tls.X509KeyPair(files[fileCert], files[fileKey])
	if err != nil {
		return false, errors.Wrapf(err, "cannot use %s with %s", filepath.Join(c.dir, fileCert), fileKey)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(files[fileCA]) {
		return false, errors.Errorf("cannot find a PEM certificate in %s", filepath.Join(c.dir, fileCA))
	}
	c.files = files
	c.current = &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{crt},
		ClientCAs:    pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		// Without sessions to resume, each connection is verified by this CA.
		SessionTicketsDisabled: true,
	}
	return true, nil
}
