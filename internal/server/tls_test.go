package server

import (
	"crypto/tls"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testcerts"
)

// These are the server's log messages about certificates.
const (
	keeping = "Keeping the previous certificates"
	renewed = "Read new certificates"
)

func TestClientCertificates(t *testing.T) {
	ca, other := testcerts.New(t, "ca"), testcerts.New(t, "other")
	dir := t.TempDir()
	testcerts.Write(t, dir, ca.ServerFiles())
	r := start(t, newFake(), Options{TLSCertsDir: dir})

	old := ca.Client(ca)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	tls12 := ca.Client(nil)
	tls12.MaxVersion = tls.VersionTLS12

	cases := map[string]struct {
		reason string
		cfg    *tls.Config
		want   codes.Code
	}{
		"Signed": {
			reason: "A client that the CA signed should be answered.",
			cfg:    ca.Client(ca),
			want:   codes.OK,
		},
		"NoCertificate": {
			reason: "A client that shows no certificate should be refused.",
			cfg:    ca.Client(nil),
			want:   codes.Unavailable,
		},
		"NoCertificateTLS12": {
			reason: "A client that shows no certificate should be refused by the older handshake too.",
			cfg:    tls12,
			want:   codes.Unavailable,
		},
		"OtherCA": {
			reason: "A client that another CA signed should be refused.",
			cfg:    ca.Client(other),
			want:   codes.Unavailable,
		},
		"OldTLS": {
			reason: "A client without TLS 1.2 should be refused.",
			cfg:    old,
			want:   codes.Unavailable,
		},
		"Plain": {
			reason: "A client without TLS should be refused.",
			want:   codes.Unavailable,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := call(t, r.dial(t, tc.cfg), "hi")
			checkCode(t, tc.reason, tc.want, err)
		})
	}
}

func TestCertificateRotation(t *testing.T) {
	before, after := testcerts.New(t, "before"), testcerts.New(t, "after")
	good := after.ServerFiles()
	with := func(name string, b []byte) map[string][]byte {
		files := maps.Clone(good)
		files[name] = b
		return files
	}

	cases := map[string]struct {
		reason string
		files  map[string][]byte
		// before and after are the codes for a client of the old CA and of the new one.
		before, after codes.Code
		logs          []string
	}{
		"New": {
			reason: "New files should be used without a restart, and replace the old ones.",
			files:  good,
			before: codes.Unavailable,
			after:  codes.OK,
			logs:   []string{renewed},
		},
		"Broken": {
			reason: "With a broken certificate, the old ones should be kept, and the error logged once.",
			files:  with(fileCert, []byte("broken")),
			before: codes.OK,
			after:  codes.Unavailable,
			logs:   []string{keeping},
		},
		"OtherKey": {
			reason: "With the key of another certificate, the old ones should be kept.",
			files:  with(fileKey, before.ServerFiles()[fileKey]),
			before: codes.OK,
			after:  codes.Unavailable,
			logs:   []string{keeping},
		},
		"BrokenCA": {
			reason: "With a broken CA, the old certificates should be kept, including the server's.",
			files:  with(fileCA, []byte("broken")),
			before: codes.OK,
			after:  codes.Unavailable,
			logs:   []string{keeping},
		},
		"Missing": {
			reason: "With missing files, the old ones should be kept.",
			files:  map[string][]byte{},
			before: codes.OK,
			after:  codes.Unavailable,
			logs:   []string{keeping},
		},
		"Same": {
			reason: "Unchanged files that are written again should change nothing.",
			before: codes.OK,
			after:  codes.Unavailable,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir, log := t.TempDir(), &recorder{}
			files := before.ServerFiles()
			testcerts.Write(t, dir, files)
			r := start(t, newFake(), Options{TLSCertsDir: dir, Log: log})
			err := call(t, r.dial(t, before.Client(before)), "hi")
			checkCode(t, "The first client should be answered.", codes.OK, err)

			if tc.files == nil {
				tc.files = files
			}
			testcerts.Write(t, dir, tc.files)
			err = call(t, r.dial(t, before.Client(before)), "hi")
			checkCode(t, tc.reason, tc.before, err)
			err = call(t, r.dial(t, after.Client(after)), "hi")
			checkCode(t, tc.reason, tc.after, err)
			if diff := cmp.Diff(tc.logs, log.infos()); diff != "" {
				t.Errorf("%s\nlogs: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestInvalidCertificate checks that a pod that no client can connect to is not ready, reports the reason, and becomes ready with a new
// certificate.
func TestInvalidCertificate(t *testing.T) {
	ca := testcerts.New(t, "ca")
	now := time.Now()
	cases := map[string]struct {
		reason      string
		from, until time.Time
		want        string
	}{
		"Expired": {"An expired certificate cannot be used.", now.Add(-2 * time.Hour), now.Add(-time.Hour), "the certificate expired at "},
		"Future":  {"Neither can one that is not valid yet.", now.Add(time.Hour), now.Add(2 * time.Hour), "the certificate is valid only from "},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			testcerts.Write(t, dir, ca.ServerFilesValid(tc.from, tc.until))
			r := start(t, newFake(), Options{TLSCertsDir: dir, MetricsAddress: loopback})
			if code, body := r.get(t, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, tc.want) {
				t.Errorf("%s\nGET /readyz: want 503 and %q, got %d %s", tc.reason, tc.want, code, body)
			}
			if code, _ := r.get(t, "/livez"); code != http.StatusOK {
				t.Errorf("A restart would not help: the pod should be alive, got %d", code)
			}
			rsp, err := r.health.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
			if err != nil || rsp.GetStatus() != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
				t.Errorf("Check(...): want NOT_SERVING, got %s, %v", rsp.GetStatus(), err)
			}
			testcerts.Write(t, dir, ca.ServerFiles())
			if code, body := r.get(t, "/readyz"); code != http.StatusOK {
				t.Errorf("With a new certificate, the pod should be ready, got %d %s", code, body)
			}
		})
	}
}

func TestCARotation(t *testing.T) {
	before, after := testcerts.New(t, "before"), testcerts.New(t, "after")
	dir := t.TempDir()
	files := before.ServerFiles()
	testcerts.Write(t, dir, files)
	r := start(t, newFake(), Options{TLSCertsDir: dir})
	old := before.Client(before)
	old.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	err := call(t, r.dial(t, old), "hi")
	checkCode(t, "A client of the CA should be answered.", codes.OK, err)

	// The server's own certificate is unchanged, so that only the server can refuse.
	files[fileCA] = after.PEM()
	testcerts.Write(t, dir, files)
	err = call(t, r.dial(t, old), "hi")
	checkCode(t, "A client of the old CA should be refused, even if it has a session to resume.", codes.Unavailable, err)
	err = call(t, r.dial(t, before.Client(after)), "hi")
	checkCode(t, "A client of the new CA should be answered.", codes.OK, err)
}

func TestBrokenRotationAgain(t *testing.T) {
	before, after := testcerts.New(t, "before"), testcerts.New(t, "after")
	dir, log := t.TempDir(), &recorder{}
	testcerts.Write(t, dir, before.ServerFiles())
	r := start(t, newFake(), Options{TLSCertsDir: dir, Log: log})
	broken := map[string][]byte{fileCert: []byte("broken")}

	for _, step := range []struct {
		reason string
		files  map[string][]byte
		ca     *testcerts.Authority
	}{
		{reason: "The old certificates should be kept.", files: broken, ca: before},
		{reason: "Valid certificates should be used once they exist.", files: after.ServerFiles(), ca: after},
		{reason: "From then on, those should be kept.", files: broken, ca: after},
	} {
		testcerts.Write(t, dir, step.files)
		err := call(t, r.dial(t, step.ca.Client(step.ca)), "hi")
		checkCode(t, step.reason, codes.OK, err)
	}
	want := []string{keeping, renewed, keeping}
	if diff := cmp.Diff(want, log.infos()); diff != "" {
		t.Errorf("The same failure should be logged again after a success.\nlogs: -want, +got:\n%s", diff)
	}
}
