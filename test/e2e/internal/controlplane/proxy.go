package controlplane

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// A Proxy stands in for the cluster's network: an HTTP CONNECT proxy that knows which loopback address is behind the name or
// the cluster IP of a Service. The API server reaches admission webhooks through its unix socket (egress selector),
// Crossplane reaches functions through its TCP address (HTTPS_PROXY).
type Proxy struct {
	// Address and Socket that the proxy listens at.
	Address, Socket string

	mu     sync.Mutex
	routes map[string]string
	server *http.Server
}

// NewProxy starts a proxy with its socket in a folder.
func NewProxy(ctx context.Context, dir string) (*Proxy, error) {
	p := &Proxy{Socket: filepath.Join(dir, "egress.sock"), routes: map[string]string{}}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second}
	lc := net.ListenConfig{}
	tcp, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	unix, err := lc.Listen(ctx, "unix", p.Socket)
	if err != nil {
		return nil, err
	}
	p.Address = tcp.Addr().String()
	go func() { _ = p.server.Serve(tcp) }()
	go func() { _ = p.server.Serve(unix) }()
	return p, nil
}

// Route a host and port of the cluster to an address of this machine.
func (p *Proxy) Route(from, to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.routes[from] = to
}

// Close the proxy.
func (p *Proxy) Close() { _ = p.server.Close() }

// ServeHTTP connects.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	to, ok := p.routes[r.Host]
	p.mu.Unlock()
	if !ok || r.Method != http.MethodConnect {
		http.Error(w, "no route to "+r.Host, http.StatusBadGateway)
		return
	}
	d := net.Dialer{Timeout: 3 * time.Second}
	up, err := d.DialContext(r.Context(), "tcp", to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	h, ok := w.(http.Hijacker)
	if !ok {
		_ = up.Close()
		return
	}
	down, _, err := h.Hijack()
	if err != nil {
		_ = up.Close()
		return
	}
	_, _ = io.WriteString(down, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(up, down); _ = up.Close() }()
	go func() { _, _ = io.Copy(down, up); _ = down.Close() }()
}

// Ports that FreeAddress gives. Those above are for outgoing connections: one could take a port before the program listens at it.
const (
	firstPort = 20000
	ports     = 12000
)

// given is how many ports were given.
//
//nolint:gochecknoglobals // No two callers may get the same port.
var given atomic.Int64

// FreeAddress of this machine, which no other caller gets.
func FreeAddress(ctx context.Context) (string, error) {
	lc := net.ListenConfig{}
	var err error
	for range ports {
		var l net.Listener
		if l, err = lc.Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+given.Add(1)%ports)); err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", err
}
