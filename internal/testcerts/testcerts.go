// Package testcerts makes the certificates that tests of servers need.
package testcerts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An Authority signs certificates for one test.
type Authority struct {
	t   testing.TB
	crt *x509.Certificate
	key *ecdsa.PrivateKey
}

// New returns an authority of that name.
func New(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{t: t}
	tmpl := template(name)
	tmpl.IsCA = true
	tmpl.BasicConstraintsValid = true
	tmpl.KeyUsage = x509.KeyUsageCertSign
	a.crt, a.key = a.sign(tmpl)
	return a
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
}

// sign signs the supplied template: with its own key if the authority has none.
func (a *Authority) sign(tmpl *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatalf("cannot generate key: %v", err)
	}
	parent, signer := a.crt, a.key
	if signer == nil {
		parent, signer = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatalf("cannot create certificate: %v", err)
	}
	crt, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatalf("cannot parse certificate: %v", err)
	}
	return crt, key
}

// PEM returns the certificate of the authority.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.crt.Raw})
}

// issue returns a certificate and its key, in PEM.
func (a *Authority) issue(tmpl *x509.Certificate, usage x509.ExtKeyUsage) ([]byte, []byte) {
	a.t.Helper()
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	tmpl.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	crt, key := a.sign(tmpl)
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatalf("cannot marshal key: %v", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: crt.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

// ServerFiles returns the files of a certificates directory.
func (a *Authority) ServerFiles() map[string][]byte {
	a.t.Helper()
	return a.serverFiles(template("leaf"))
}

// ServerFilesValid returns the same with a certificate for that time only.
func (a *Authority) ServerFilesValid(from, until time.Time) map[string][]byte {
	a.t.Helper()
	tmpl := template("leaf")
	tmpl.NotBefore, tmpl.NotAfter = from, until
	return a.serverFiles(tmpl)
}

func (a *Authority) serverFiles(tmpl *x509.Certificate) map[string][]byte {
	a.t.Helper()
	crt, key := a.issue(tmpl, x509.ExtKeyUsageServerAuth)
	return map[string][]byte{"ca.crt": a.PEM(), "tls.crt": crt, "tls.key": key}
}

// Client returns a config that trusts servers of this authority, and shows a
// certificate of the supplied one unless that is nil.
func (a *Authority) Client(of *Authority) *tls.Config {
	a.t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(a.crt)
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	if of == nil {
		return cfg
	}
	crt, err := tls.X509KeyPair(of.issue(template("leaf"), x509.ExtKeyUsageClientAuth))
	if err != nil {
		a.t.Fatalf("cannot load client certificate: %v", err)
	}
	// Not Certificates: a client would hold those back from a server that does
	// not name their authority, and the server would have nothing to refuse.
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &crt, nil }
	return cfg
}

// Write writes files as the kubelet mounts a Secret: they are links through a
// link to a folder, and an update swaps that link.
func Write(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("cannot write certificates: %v", err)
		}
	}
	data := filepath.Join(dir, ".."+rand.Text())
	must(os.Mkdir(data, 0o700))
	for name, b := range files {
		must(os.WriteFile(filepath.Join(data, name), b, 0o600))
		if link := filepath.Join(dir, name); !exists(link) {
			must(os.Symlink(filepath.Join("..data", name), link))
		}
	}
	must(os.Symlink(filepath.Base(data), filepath.Join(dir, "..tmp")))
	must(os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
