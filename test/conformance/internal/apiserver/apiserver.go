// Package apiserver runs a real API server, with only etcd: it admits the same objects as a cluster.
package apiserver

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// token of the administrator.
const token = "administrator"

// readyWithin is how long a busy machine may need.
const readyWithin = 2 * time.Minute

// A Server is a running API server.
type Server struct {
	url    string
	client *http.Client
	ended  chan error
}

// Start starts etcd and an API server, which stop with the context. Tools returns the path of a tool by its name in hack/tool.sh; both
// write into dir.
func Start(ctx context.Context, dir string, tools func(name string) (string, error)) (*Server, error) {
	s := &Server{ended: make(chan error, 2)}
	free, err := addresses(3)
	if err != nil {
		return nil, err
	}
	etcd, peer, server := free[0], free[1], free[2]
	key, tokens := filepath.Join(dir, "sa.key"), filepath.Join(dir, "tokens.csv")
	if err := errors.Join(writeKey(key), os.WriteFile(tokens, []byte(token+",administrator,administrator,system:masters\n"), 0o600)); err != nil {
		return nil, err
	}
	_, securePort, err := net.SplitHostPort(server)
	if err != nil {
		return nil, err
	}
	for _, p := range []struct {
		tool string
		args []string
	}{
		{"etcd", []string{
			"--data-dir", filepath.Join(dir, "etcd"), "--listen-client-urls", "http://" + etcd, "--advertise-client-urls", "http://" + etcd,
			"--listen-peer-urls", "http://" + peer, "--initial-advertise-peer-urls", "http://" + peer, "--initial-cluster", "default=http://" + peer, "--unsafe-no-fsync", "--log-level", "error",
		}},
		{"kube-apiserver", []string{
			"--etcd-servers", "http://" + etcd, "--cert-dir", filepath.Join(dir, "certs"), "--bind-address", "127.0.0.1", "--secure-port", securePort,
			"--advertise-address", "127.0.0.1", "--endpoint-reconciler-type", "none", "--authorization-mode", "RBAC", "--token-auth-file", tokens,
			"--service-account-issuer", "https://localhost", "--service-account-key-file", key, "--service-account-signing-key-file", key,
			"--service-cluster-ip-range", "10.0.0.0/24",
		}},
	} {
		path, err := tools(p.tool)
		if err != nil {
			return nil, err
		}
		if err := s.run(ctx, path, p.args...); err != nil {
			return nil, err
		}
	}
	s.url = "https://127.0.0.1:" + securePort
	if err := s.ready(ctx, filepath.Join(dir, "certs", "apiserver.crt")); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) run(ctx context.Context, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		b, _ := io.ReadAll(out)
		s.ended <- fmt.Errorf("%s ended: %w: %s", filepath.Base(path), cmd.Wait(), b[max(0, len(b)-2000):])
	}()
	return nil
}

// ready waits until the API server is ready.
func (s *Server) ready(ctx context.Context, cert string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		if b, err := os.ReadFile(cert); err == nil {
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM(b)
			s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
			if _, err := s.do(ctx, http.MethodGet, "/readyz", nil, As{}); err == nil {
				return nil
			}
		}
		select {
		case err := <-s.ended:
			return err
		case <-ctx.Done():
			return fmt.Errorf("the API server is not ready: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Wait waits until both processes have stopped, after the end of their context.
func (s *Server) Wait() {
	for range cap(s.ended) {
		if err := <-s.ended; err == nil {
			return
		}
	}
}

// As is the user of a request. The zero value is the administrator.
type As struct {
	User   string
	Groups []string
}

// ServiceAccount returns the user of a ServiceAccount, with its groups.
func ServiceAccount(namespace, name string) As {
	return As{User: "system:serviceaccount:" + namespace + ":" + name, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}}
}

// Create creates an object, in YAML, below a path such as /api/v1/namespaces.
func (s *Server) Create(ctx context.Context, path, object string, as As) error {
	_, err := s.do(ctx, http.MethodPost, path, []byte(object), as)
	return err
}

// Change changes an object by a merge patch, in YAML. Path ends with its name.
func (s *Server) Change(ctx context.Context, path, patch string, as As) error {
	_, err := s.do(ctx, http.MethodPatch, path, []byte(patch), as)
	return err
}

// Delete deletes an object. Path ends with its name.
func (s *Server) Delete(ctx context.Context, path string, as As) error {
	_, err := s.do(ctx, http.MethodDelete, path, nil, as)
	return err
}

// Get returns an object. Path ends with its name.
func (s *Server) Get(ctx context.Context, path string, as As) (map[string]any, error) {
	b, err := s.do(ctx, http.MethodGet, path, nil, as)
	if err != nil {
		return nil, err
	}
	o := map[string]any{}
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, err
	}
	return o, nil
}

// do sends a request. If the API server refuses it, the error has the message that kubectl would show.
func (s *Server) do(ctx context.Context, method, path string, body []byte, as As) ([]byte, error) {
	if len(body) > 0 {
		var err error
		if body, err = yaml.YAMLToJSON(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	if as.User != "" {
		req.Header.Set("Impersonate-User", as.User)
		req.Header["Impersonate-Group"] = as.Groups
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode < http.StatusBadRequest {
		return b, err
	}
	status := metav1.Status{}
	if json.Unmarshal(b, &status) != nil || status.Message == "" {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, b)
	}
	return nil, errors.New(status.Message)
}

// Plural returns the path of a kind's objects in the API, in a namespace or without one.
func Plural(apiVersion, namespace, plural string) string {
	base := "/apis/" + apiVersion
	if !strings.Contains(apiVersion, "/") {
		base = "/api/" + apiVersion
	}
	if namespace != "" {
		base += "/namespaces/" + namespace
	}
	return base + "/" + plural
}

// addresses returns unused addresses of this machine.
func addresses(n int) ([]string, error) {
	var out []string
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It is closed at once.
		if err != nil {
			return nil, err
		}
		listeners, out = append(listeners, l), append(out, l.Addr().String())
	}
	return out, nil
}

// writeKey writes a key that signs tokens of ServiceAccounts.
func writeKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}
