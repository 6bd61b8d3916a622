package platform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/metrics"
)

const (
	right   = "apiVersion: podidentity.fn.crossplane.io/v1beta1\nkind: Input\nguardrails: {allowedServices: [s3]}\n"
	another = "guardrails: {allowedServices: [sqs]}\n"
	wrong   = "guardrails: {alowedServices: [s3]}\n"
)

// lines collects the lines of a log.
type lines struct{ written []string }

func (l *lines) Debug(string, ...any)               {}
func (l *lines) Info(msg string, kv ...any)         { l.written = append(l.written, fmt.Sprint(msg, kv)) }
func (l *lines) WithValues(_ ...any) logging.Logger { return l }

// mount mounts a file as the kubelet mounts a ConfigMap: through two symbolic links, one of which it replaces.
func mount(t *testing.T, dir, content string) {
	t.Helper()
	version, link := t.TempDir(), filepath.Join(dir, "..data_tmp")
	if err := errors.Join(
		os.WriteFile(filepath.Join(version, "config.yaml"), []byte(content), 0o600),
		os.Symlink(version, link),
		os.Rename(link, filepath.Join(dir, "..data")),
	); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..data/config.yaml", filepath.Join(dir, "config.yaml")); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
}

// gather returns the values of metrics by name and label.
func gather(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			label := ""
			for _, l := range m.GetLabel() {
				label = l.GetValue()
			}
			out[f.GetName()+" "+label] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return out
}

// TestRefresh checks every change that a mounted ConfigMap may undergo.
func TestRefresh(t *testing.T) {
	dir, log, registry := t.TempDir(), &lines{}, prometheus.NewRegistry()
	mount(t, dir, right)
	f, err := Open(filepath.Join(dir, "config.yaml"), log, metrics.NewConfiguration(registry))
	if err != nil {
		t.Fatalf("Open(...): %v", err)
	}
	first := f.Current().Hash

	// state checks the state after a step: the active configuration, the number of log lines, and the metrics.
	state := func(holds string, logged int, successful, failures float64) {
		t.Helper()
		if got := f.Current().Hash; got != holds {
			t.Errorf("want configuration %s to be active, got %s", holds, got)
		}
		if len(log.written) != logged {
			t.Errorf("want %d lines in the log, got:\n%s", logged, strings.Join(log.written, "\n"))
		}
		want := map[string]float64{
			"podidentity_configuration_info " + holds:         1,
			"podidentity_configuration_last_read_successful ": successful,
			"podidentity_configuration_read_failures_total ":  failures,
		}
		if diff := cmp.Diff(want, gather(t, registry)); diff != "" {
			t.Errorf("metrics: -want, +got:\n%s", diff)
		}
	}
	state(first, 1, 1, 0)

	f.refresh()
	state(first, 1, 1, 0)

	mount(t, dir, wrong)
	f.refresh()
	state(first, 2, 0, 1)
	if last := log.written[1]; !strings.Contains(last, "Keeping the previous configuration") || !strings.Contains(last, "did you mean allowedServices") || !strings.Contains(last, first) {
		t.Errorf("want a line with the error and the active configuration, got %s", last)
	}
	f.refresh()
	state(first, 2, 0, 1) // The same mistake is logged once.

	mount(t, dir, another)
	f.refresh()
	second := f.Current().Hash
	if second == first {
		t.Error("want the new configuration to be active")
	}
	state(second, 3, 1, 1)

	if err := os.Remove(filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	f.refresh()
	state(second, 4, 0, 2)

	// The file returns unchanged and is valid again.
	mount(t, dir, another)
	f.refresh()
	state(second, 5, 1, 2)
}

// TestWatch checks that a changed file is read automatically, and that Watch ends with its context.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	mount(t, dir, right)
	f, err := Open(filepath.Join(dir, "config.yaml"), logging.NewNopLogger(), metrics.NewConfiguration(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	before := f.Current().Hash
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { f.Watch(ctx, time.Millisecond); close(ended) }()
	mount(t, dir, another)
	for deadline := time.After(10 * time.Second); f.Current().Hash == before; {
		select {
		case <-deadline:
			t.Fatal("the changed file was not read")
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("Watch does not end with its context")
	}
}

func TestOpenFails(t *testing.T) {
	cases := map[string]struct {
		reason, content string
		want            []string
	}{
		"Wrong":       {"All errors are reported by field.", wrong + "defaults: {region: 5}\nclaims: {allowedFields: [runtime.envs]}\n", []string{"guardrails.alowedServices: Invalid value: unknown field; did you mean allowedServices?", "config.yaml is not a configuration:\ndefaults.region: Invalid value: 5: must be a string\n"}},
		"Values":      {"Values are checked, too.", "claims: {allowedFields: [runtime.envs]}\nttl: 1s\n", []string{"ttl: Invalid value", "\nclaims.allowedFields[0]: Invalid value: \"runtime.envs\": is not a field of the spec"}},
		"Duplicate":   {"A duplicate key is refused, because the first one would have no effect.", right + another, []string{`key "guardrails" already set`}},
		"Documents":   {"A second document would have no effect.", right + "---\n" + another, []string{"more than one document"}},
		"Empty":       {"An empty file is more likely a mistake than intended.", "# Nothing.\n---\n", []string{"it is empty"}},
		"NoYAML":      {"The file must be YAML.", "{", []string{"config.yaml is not a configuration"}},
		"NoObject":    {"The file must contain an object.", "[a]", []string{"config.yaml is not a configuration"}},
		"AnotherKind": {"A file mounted by mistake is refused.", "apiVersion: v1\nkind: ConfigMap\ndata: {}\n", []string{"data: Invalid value: unknown field"}},
		"Large":       {"The file must fit in a ConfigMap.", strings.Repeat("#", maxSize+1), []string{"more than 1048576 bytes"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.yaml")
			if err := os.WriteFile(path, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path, logging.NewNopLogger(), metrics.NewConfiguration(prometheus.NewRegistry()))
			if err == nil {
				t.Fatalf("%s\nOpen(...): want an error", tc.reason)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s\nOpen(...): want %q in:\n%v", tc.reason, want, err)
				}
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none.yaml"), logging.NewNopLogger(), metrics.NewConfiguration(prometheus.NewRegistry())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open(...) of a missing file: want a not-exist error, got %v", err)
	}
	if c, err := Parse([]byte("{}")); err != nil || cmp.Equal(c.Hash, "") {
		t.Errorf("Parse(...) of a configuration without rules: want one, got %v, %v", c, err)
	}
}
