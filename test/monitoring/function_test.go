package monitoring

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// patience is how long the test waits for a process.
const patience = time.Minute

// A function is a process of this repository's function, started as in its pod.
type function struct {
	fnv1.FunctionRunnerServiceClient

	metrics, config string
}

// startFunction builds the function and runs it, with metrics and a configuration.
func startFunction(t *testing.T, configuration string) *function {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "function")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}

	address, metrics := freeAddress(t), freeAddress(t)
	f := &function{metrics: "http://" + metrics + "/metrics", config: filepath.Join(t.TempDir(), "configuration.yaml")}
	f.configure(t, configuration)

	log := &bytes.Buffer{}
	cmd := exec.CommandContext(t.Context(), bin, "--insecure", "--address="+address, "--metrics-address="+metrics, "--config="+f.config)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Wait(); err != nil && t.Failed() {
			t.Logf("the function: %v\n%s", err, log)
		}
	})

	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	f.FunctionRunnerServiceClient = fnv1.NewFunctionRunnerServiceClient(conn)
	f.until(t, "\npodidentity_configuration_last_read_successful 1")
	return f
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// configure writes the function's configuration, which the function reloads on its own.
func (f *function) configure(t *testing.T, configuration string) {
	t.Helper()
	if err := os.WriteFile(f.config, []byte("apiVersion: podidentity.fn.crossplane.io/v1beta1\nkind: Input\n"+configuration), 0o600); err != nil {
		t.Fatal(err)
	}
}

// exposition returns the function's metrics.
func (f *function) exposition(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.metrics, nil)
	if err != nil {
		return "", err
	}
	rsp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(rsp.Body)
	return string(b), errors.Join(err, rsp.Body.Close())
}

// until waits until a line is among the metrics.
func (f *function) until(t *testing.T, line string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		got, err := f.exposition(t.Context())
		if err == nil && strings.Contains(got, line) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s after %s: %v\n%s", line, patience, err, got)
		}
	}
}

// A step of a scenario below example/: the existing resources.
type step struct {
	xr, input *structpb.Struct
	observed  map[string]*fnv1.Resource
	cluster   []*structpb.Struct
}

// loadStep reads a step, such as quickstart/04-ready.
func loadStep(t *testing.T, name string) *step {
	t.Helper()
	folder := root + "/example/" + name
	s := &step{xr: load(t, nearest(folder, "xr.yaml"))[0], observed: map[string]*fnv1.Resource{}}
	composition := nearest(folder, "composition.yaml")
	if composition == "" {
		composition = root + "/configuration/apis/composition.yaml"
	}
	s.input = get(load(t, composition)[0], "spec", "pipeline").GetListValue().GetValues()[0].GetStructValue().GetFields()["input"].GetStructValue()
	for _, o := range load(t, existing(folder+"/observed.yaml")) {
		s.observed[get(o, "metadata", "annotations", "crossplane.io/composition-resource-name").GetStringValue()] = &fnv1.Resource{Resource: o}
		s.cluster = append(s.cluster, o)
	}
	s.cluster = append(s.cluster, append(load(t, existing(folder+"/required.yaml")), load(t, root+"/example/crossplane.yaml")...)...)
	return s
}

// nearest returns the step's own file with a name, or the scenario's. Empty if there is none.
func nearest(folder, name string) string {
	if f := existing(filepath.Join(folder, name)); f != "" {
		return f
	}
	return existing(filepath.Join(filepath.Dir(folder), name))
}

func existing(file string) string {
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

func load(t *testing.T, file string) []*structpb.Struct {
	t.Helper()
	if file == "" {
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []*structpb.Struct
	for d := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(b), 4096); ; {
		o := map[string]any{}
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(o) == 0 {
			continue
		}
		s, err := structpb.NewStruct(o)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out = append(out, s)
	}
}

func get(o *structpb.Struct, path ...string) *structpb.Value {
	v := structpb.NewStructValue(o)
	for _, p := range path {
		v = v.GetStructValue().GetFields()[p]
	}
	return v
}

// reconcile calls the function for a step as Crossplane does: with the required resources, until it requires no more of them.
func (f *function) reconcile(t *testing.T, s *step) *fnv1.RunFunctionResponse {
	t.Helper()
	req := &fnv1.RunFunctionRequest{
		Meta:     &fnv1.RequestMeta{Capabilities: []fnv1.Capability{fnv1.Capability_CAPABILITY_CAPABILITIES, fnv1.Capability_CAPABILITY_REQUIRED_RESOURCES, fnv1.Capability_CAPABILITY_CONDITIONS}},
		Input:    s.input,
		Observed: &fnv1.State{Composite: &fnv1.Resource{Resource: s.xr}, Resources: s.observed},
	}
	for range 6 {
		rsp, err := f.RunFunction(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		required := map[string]*fnv1.Resources{}
		for key, selector := range rsp.GetRequirements().GetResources() {
			required[key] = s.find(selector)
		}
		if same(req.GetRequiredResources(), required) {
			return rsp
		}
		req.RequiredResources = required
	}
	t.Fatal("the function requires something new in every call")
	return nil
}

func same(a, b map[string]*fnv1.Resources) bool {
	return proto.Equal(&fnv1.RunFunctionRequest{RequiredResources: a}, &fnv1.RunFunctionRequest{RequiredResources: b})
}

func (s *step) find(by *fnv1.ResourceSelector) *fnv1.Resources {
	out := &fnv1.Resources{}
	for _, o := range s.cluster {
		is := get(o, "apiVersion").GetStringValue() == by.GetApiVersion() && get(o, "kind").GetStringValue() == by.GetKind() &&
			(by.GetMatchName() == "" || get(o, "metadata", "name").GetStringValue() == by.GetMatchName()) &&
			(by.GetNamespace() == "" || get(o, "metadata", "namespace").GetStringValue() == by.GetNamespace())
		for k, v := range by.GetMatchLabels().GetLabels() {
			is = is && get(o, "metadata", "labels", k).GetStringValue() == v
		}
		if is {
			out.Items = append(out.Items, &fnv1.Resource{Resource: o})
		}
	}
	return out
}

// after returns the composite resource after a response, as Crossplane writes it: with its status and conditions. After a fatal one it
// keeps its previous status, except for the conditions that the function sets.
func after(t *testing.T, before map[string]any, s *step, rsp *fnv1.RunFunctionResponse) map[string]any {
	t.Helper()
	fatal := false
	for _, r := range rsp.GetResults() {
		fatal = fatal || r.GetSeverity() == fnv1.Severity_SEVERITY_FATAL
	}
	o := s.xr.AsMap()
	status, _, _ := unstructured.NestedMap(rsp.GetDesired().GetComposite().GetResource().AsMap(), "status")
	ready := map[string]any{"type": "Ready", "status": "True", "reason": "Available"}
	if fatal || rsp.GetDesired().GetComposite().GetReady() == fnv1.Ready_READY_FALSE {
		ready = map[string]any{"type": "Ready", "status": "False", "reason": "Creating"}
	}
	if had, ok, _ := unstructured.NestedMap(before, "status"); fatal && ok {
		status = had
		conditions, _, _ := unstructured.NestedSlice(before, "status", "conditions")
		for _, c := range conditions {
			if m, ok := c.(map[string]any); ok && m["type"] == "Ready" {
				ready = m
			}
		}
	}
	if status == nil {
		status = map[string]any{}
	}
	conditions := []any{ready}
	for _, c := range rsp.GetConditions() {
		st := map[fnv1.Status]string{fnv1.Status_STATUS_CONDITION_TRUE: "True", fnv1.Status_STATUS_CONDITION_FALSE: "False"}[c.GetStatus()]
		if st == "" {
			st = "Unknown"
		}
		conditions = append(conditions, map[string]any{"type": c.GetType(), "status": st, "reason": c.GetReason(), "message": c.GetMessage()})
	}
	status["conditions"] = conditions
	o["status"] = status
	return o
}
