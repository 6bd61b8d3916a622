package server

import (
	"time"

	function "github.com/crossplane/function-sdk-go"
	"github.com/crossplane/function-sdk-go/errors"
	"github.com/crossplane/function-sdk-go/logging"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// DefaultShutdownTimeout leaves some of the 30 seconds Kubernetes gives a pod
// to end by default.
const DefaultShutdownTimeout = 25 * time.Second

// DefaultDrain is how long clients may still be sent to a pod that ends:
// Kubernetes takes an unready pod out of its Service, and CoreDNS answers from
// its cache for 5 seconds. Clients look the address up when the server sends
// them away, and not again for 30 seconds.
const DefaultDrain = 5 * time.Second

// DefaultCallTimeout is the timeout of a whole reconcile in Crossplane:
// https://github.com/crossplane/crossplane/blob/v2.2.0/internal/controller/apiextensions/composite/reconciler.go.
const DefaultCallTimeout = 2 * time.Minute

// maxStreams is how many calls a connection may make at the same time; more
// wait at the client. Crossplane makes 10, unless --max-reconcile-rate says
// otherwise.
const maxStreams = 100

// Options say how a function is served. The zero value of a field is its
// default.
type Options struct {
	// Network to listen on; function-sdk-go's default if empty.
	Network string
	// Address to listen at; function-sdk-go's default if empty.
	Address string
	// TLSCertsDir holds the server's tls.crt and tls.key, and the ca.crt that
	// signs clients.
	TLSCertsDir string
	// Insecure serves without TLS. It wins over TLSCertsDir, which Crossplane
	// sets in every function's environment.
	Insecure bool
	// MaxRecvMessageSize in bytes; function-sdk-go's default if zero.
	MaxRecvMessageSize int
	// MetricsAddress to serve Prometheus metrics and health at, over HTTP;
	// nowhere if empty.
	MetricsAddress string
	// Registry of further metrics to serve; the server adds its own. An empty
	// one if nil, and never the default one: that is shared by all of a process,
	// and panics at the second server.
	Registry *prometheus.Registry
	// CallTimeout is how long a call may take from its first byte to its last;
	// DefaultCallTimeout if zero.
	CallTimeout time.Duration
	// Drain is how long calls are taken after the server receives SIGTERM, while
	// it reports that it is not ready; not at all if zero.
	Drain time.Duration
	// ShutdownTimeout bounds how long the drain and calls in flight may hold up
	// the end; DefaultShutdownTimeout if zero.
	ShutdownTimeout time.Duration
	// Log is where the server reports; nowhere if nil.
	Log logging.Logger
}

func (o *Options) setDefaults() {
	if o.Network == "" {
		o.Network = function.DefaultNetwork
	}
	if o.Address == "" {
		o.Address = function.DefaultAddress
	}
	if o.MaxRecvMessageSize == 0 {
		o.MaxRecvMessageSize = function.DefaultMaxRecvMsgSize
	}
	if o.ShutdownTimeout == 0 {
		o.ShutdownTimeout = DefaultShutdownTimeout
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = DefaultCallTimeout
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Log == nil {
		o.Log = logging.NewNopLogger()
	}
}

// credentials returns the credentials to serve with, and a function that says
// why no client will accept them; empty while clients do.
func (o *Options) credentials() (credentials.TransportCredentials, func() string, error) {
	if o.Insecure {
		return insecure.NewCredentials(), func() string { return "" }, nil
	}
	if o.TLSCertsDir == "" {
		return nil, nil, errors.New("cannot serve without credentials: give --tls-certs-dir (or TLS_SERVER_CERTS_DIR), or --insecure")
	}
	c, err := newCertificates(o.TLSCertsDir, o.Log)
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(c.config()), c.problem, nil
}
