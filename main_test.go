package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossplane/function-sdk-go/logging"
	"github.com/prometheus/client_golang/prometheus"
)

// TestWrongConfiguration: a function whose rules are wrong, or not there, does not start.
func TestWrongConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	cli := &CLI{Insecure: true, Network: "tcp", Address: "127.0.0.1:0", MaxRecvMessageSize: 4, Config: path}
	if err := cli.Run(); !os.IsNotExist(err) {
		t.Errorf("Run() without the file: want an error that says so, got %v", err)
	}
	if err := os.WriteFile(path, []byte("guardrails: {alowedServices: [s3]}\nclaim: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := cli.Run()
	for _, want := range []string{path, "guardrails.alowedServices", "claim: Invalid value: unknown field; did you mean claims?"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run() with a wrong file: want an error with %q, got %v", want, err)
		}
	}
}

// TestConfiguration: without a file there is no configuration, with one it is used.
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
