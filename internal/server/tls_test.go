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

// What the server logs about its certificates.
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
			reason: "A client that speaks no TLS 1.2 should be refused.",
			cfg:    old,
			want:   codes.Unavailable,
		},
		"Plain": {
			reason: "A client that speaks no TLS should be refused.",
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
		// Codes of a client of the CA before, and of one of the CA after.
		before, after codes.Code
		logs          []string
	}{
		"New": {
			reason: "New files should be used without a restart, and only they.",
			files:  good,
			before: codes.Unavailable,
			after:  codes.OK,
			logs:   []string{renewed},
		},
		"Broken": {
			reason: "A broken certificate should keep the old ones, and be logged once.",
			files:  with(fileCert, []byte("broken")),
			before: codes.OK,
			after:  codes.Unavailable,
			logs:   []string{keeping},
		},
		"OtherKey": {
			reason: "A key of another certificate should keep the old ones.",
			files:  with(fileKey, before.ServerFiles()[fileKey]),
			before: codes.OK,
			after:  codes.Unavailable,
			logs:   []string{keeping},
		},
		"BrokenCA": {
			reason: "A broken CA should keep the old certificates, the server's too.",
			files:  with(fileCA, []byte("broken")),
			before: codes.OK,
			after:  codes.Unavailable,
			logs:   []string{keeping},
		},
		"Missing": {
			reason: "Files that are gone should keep the old ones.",
			files:  map[string][]byte{},
			before: codes.OK,
			after:  codes.Unavailable,
			logs:   []string{keeping},
		},
		"Same": {
			reason: "Files written again as they were should change nothing.",
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

// TestInvalidCertificate: a pod that no client can connect to says so, and why, and is ready again with a new certificate.
func TestInvalidCertificate(t *testing.T) {
	ca := testcerts.New(t, "ca")
	now := time.Now()
	cases := map[string]struct {
		reason      string
		from, until time.Time
		want        string
	}{
		"Expired": {"A certificate that expired serves nobody.", now.Add(-2 * time.Hour), now.Add(-time.Hour), "the certificate expired at "},
		"Future":  {"Nor does one that is not valid yet.", now.Add(time.Hour), now.Add(2 * time.Hour), "the certificate is valid only from "},
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
				t.Errorf("A restart would not help: want it to be alive, got %d", code)
			}
			rsp, err := r.health.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
			if err != nil || rsp.GetStatus() != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
				t.Errorf("Check(...): want NOT_SERVING, got %s, %v", rsp.GetStatus(), err)
			}
			testcerts.Write(t, dir, ca.ServerFiles())
			if code, body := r.get(t, "/readyz"); code != http.StatusOK {
				t.Errorf("With a new certificate it should be ready, got %d %s", code, body)
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

	// The server's own certificate stays, so that only the server can refuse.
	files[fileCA] = after.PEM()
	testcerts.Write(t, dir, files)
	err = call(t, r.dial(t, old), "hi")
	checkCode(t, "A client of the CA before should be refused, even if it has a session to resume.", codes.Unavailable, err)
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
		{reason: "Good ones should be used once they are there.", files: after.ServerFiles(), ca: after},
		{reason: "Those are the ones to keep from then on.", files: broken, ca: after},
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
