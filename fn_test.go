package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/crossplane/function-sdk-go/resource"
	"github.com/prometheus/client_golang/prometheus"
)

// TestWrongConfiguration checks that the function does not start when its configuration is invalid or missing.
func TestWrongConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	cli := &CLI{Insecure: true, Network: "tcp", Address: "127.0.0.1:0", MaxRecvMessageSize: 4, Config: path}
	if err := cli.Run(); !os.IsNotExist(err) {
		t.Errorf("Run() without the file: want a not-exist error, got %v", err)
	}
	if err := os.WriteFile(path, []byte("guardrails: {alowedServices: [s3]}\nclaim: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := cli.Run()
	for _, want := range []string{path, "guardrails.alowedServices", "claim: Invalid value: unknown field; did you mean claims?"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run() with an invalid file: want an error with %q, got %v", want, err)
		}
	}
}

// TestConfiguration checks that the function uses the configuration file if one is set, and has no configuration otherwise.
func TestConfiguration(t *testing.T) {
	none, err := (&CLI{}).platform(t.Context(), logging.NewNopLogger(), prometheus.NewRegistry())
	if err != nil || none() != nil {
		t.Errorf("platform() without a file: want no configuration, got %v, %v", none(), err)
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("guardrails: {allowedServices: [s3]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	some, err := (&CLI{Config: path}).platform(t.Context(), logging.NewNopLogger(), prometheus.NewRegistry())
	if err != nil || some() == nil || some().Hash == "" {
		t.Errorf("platform() with a file: want its configuration, got %v", err)
	}
}

// TestFunction checks that the function answers, and enforces the platform's configuration if there is one.
func TestFunction(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte("guardrails: {allowedServices: [sqs]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	req := &fnv1.RunFunctionRequest{Observed: &fnv1.State{Composite: &fnv1.Resource{Resource: resource.MustStructJSON(`{
		"apiVersion": "aws.podidentity.dev/v1alpha1", "kind": "PodIdentityProvider", "metadata": {"name": "storage", "uid": "an-uid"},
		"spec": {"region": "eu-west-1", "clusterName": "prod", "provider": {"version": "v2.5.0"}, "services": [{"name": "s3"}]}
	}`)}}}
	cases := map[string]struct {
		reason string
		cli    CLI
		fatal  string
	}{
		"Asks":    {reason: "The function requests the resources it needs before it composes anything.", cli: CLI{}},
		"Refuses": {reason: "A request that the platform's configuration does not allow is refused, and the message names the field.", cli: CLI{Config: config}, fatal: "spec.services[0].name"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			fn, err := tc.cli.function(t.Context(), logging.NewNopLogger(), prometheus.NewRegistry())
			if err != nil {
				t.Fatal(err)
			}
			rsp, err := fn.RunFunction(t.Context(), req)
			if err != nil {
				t.Fatalf("%s\nRunFunction(): %v", tc.reason, err)
			}
			var fatal string
			for _, r := range rsp.GetResults() {
				if r.GetSeverity() == fnv1.Severity_SEVERITY_FATAL {
					fatal = r.GetMessage()
				}
			}
			if (fatal == "") != (tc.fatal == "") || !strings.Contains(fatal, tc.fatal) {
				t.Errorf("%s\nwant a fatal result with %q, got %q", tc.reason, tc.fatal, fatal)
			}
			if asks := len(rsp.GetRequirements().GetResources())+len(rsp.GetRequirements().GetExtraResources()) > 0; tc.fatal == "" && !asks {
				t.Errorf("%s\nit requires no resources", tc.reason)
			}
		})
	}
}
