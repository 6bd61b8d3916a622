package function

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/metrics"
)

func TestMetrics(t *testing.T) {
	quick := func(t *testing.T) *fnv1.RunFunctionRequest {
		t.Helper()
		return loadStep(t, "example/quickstart/04-ready").request()
	}
	cases := map[string]struct {
		reason  string
		request func(*testing.T) *fnv1.RunFunctionRequest
		panics  bool
		want    []string
	}{
		"Composed": {
			"Composed and waiting resources are counted, and so are conditions.", quick, false,
			[]string{`podidentity_calls_total{result="composed"} 1`, `podidentity_resources_composed_total{kind="Role.iam.aws.upbound.io"} 1`, `podidentity_conditions_total{reason="Ready",status="True",type="IdentityReady"} 1`, `podidentity_call_duration_seconds 1`},
		},
		"Waiting": {
			"A resource that waits has a reason.", func(t *testing.T) *fnv1.RunFunctionRequest {
				t.Helper()
				return loadStep(t, "example/quickstart/01-first-reconcile").request()
			}, false,
			[]string{`podidentity_resources_waiting_total{kind="Role.iam.aws.upbound.io",reason="Missing"} 1`},
		},
		"Invalid": {
			"Invalid requests are counted separately.", func(t *testing.T) *fnv1.RunFunctionRequest {
				t.Helper()
				return hostileSpec(t, map[string]any{"region": "mars"})
			}, false,
			[]string{`podidentity_calls_total{result="invalid"} 1`, `podidentity_conditions_total{reason="InvalidSpec",status="False",type="PrerequisitesReady"} 1`, `podidentity_conditions_total{reason="InvalidSpec",status="Unknown",type="IdentityReady"} 1`},
		},
		"Fatal": {
			"So are requests that fail for another reason.", func(t *testing.T) *fnv1.RunFunctionRequest {
				t.Helper()
				req := quick(t)
				req.Desired = &fnv1.State{Composite: &fnv1.Resource{Resource: mustStruct(t, map[string]any{"x": strings.Repeat("x", maxResponse)})}}
				return req
			}, false,
			[]string{`podidentity_calls_total{result="fatal"} 1`},
		},
		"Panic": {"So are panics of the function.", quick, true, []string{`podidentity_calls_total{result="panic"} 1`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			fn := newTestFunction()
			fn.metrics = metrics.New(registry)
			if tc.panics {
				fn.now = nil
			}
			if _, err := fn.RunFunction(t.Context(), tc.request(t)); err != nil {
				t.Fatal(err)
			}
			got := series(t, registry)
			for _, want := range tc.want {
				if !slices.Contains(got, want) {
					t.Errorf("%s\nwant %s, got:\n%s", tc.reason, want, strings.Join(got, "\n"))
				}
			}
		})
	}
}

// series returns the series of a registry that are not zero.
func series(t *testing.T, registry *prometheus.Registry) []string {
	t.Helper()
	var out []string
	for _, f := range must(registry.Gather()) {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			name := f.GetName()
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			if n := m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount()); n > 0 {
				out = append(out, fmt.Sprintf("%s %g", name, n))
			}
		}
	}
	return out
}

// TestMetricsTable checks that the documentation lists all metrics with their labels.
func TestMetricsTable(t *testing.T) {
	registry := prometheus.NewRegistry()
	fn := newTestFunction()
	fn.metrics = metrics.New(registry)
	metrics.NewConfiguration(registry).Read("sha256:0")
	for _, step := range must(filepath.Glob("example/quickstart/*-*")) {
		loadStep(t, step).reconcile(t, fn)
	}
	var want []string
	for _, f := range must(registry.Gather()) {
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		want = append(want, fmt.Sprintf("| %#q | %s | %s | %s |", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp()))
	}
	var got []string
	for line := range strings.Lines(string(must(os.ReadFile("docs/observability.md")))) {
		if strings.HasPrefix(line, "| `"+metrics.Prefix+"_") {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/observability.md: -want, +got:\n%s", diff)
	}
}

// everyField sets every field of a spec that holds text from a user.
const everyField = `
region: eu-west-1
clusterName: prod
accountId: "123456789012"
services:
- name: s3
  version: v2.5.0
  package: registry.example.org/x/provider-aws-s3
  serviceAccountName: account
  roleName: role
  associationId: a-0123456789abcdef0
  targetRoleArn: arn:aws:iam::123456789012:role/target
  permissions:
    accessLevel: None
    statements: [{sid: a, effect: Allow, actions: ["s3:*"], resources: ["*"], conditions: {StringEquals: {"aws:x": [y]}}}]
    policyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::bucket"}]}'
    managedPolicyArns: ["arn:aws:iam::aws:policy/x"]
  runtime: {args: [arg], env: [{name: NAME, value: value}], priorityClassName: class}
role: {namePrefix: prefix, path: /path/, description: text, permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary", trustConditions: {StringEquals: {"aws:SourceOrgID": [org]}}}
tags: {key: value}
provider: {registry: registry.example.org/x, version: v2.5.0, packagePullSecrets: [{name: secret}], commonLabels: {label: value}}
runtime:
  args: [arg]
  env: [{name: NAME, value: value}]
  podLabels: {label: value}
  podAnnotations: {annotation: value}
  nodeSelector: {label: value}
  deploymentTemplate: {spec: {template: {spec: {hostname: host}}}}
  serviceAccountTemplate: {metadata: {annotations: {a: value}}}
providerConfig: {name: config, namespaces: [namespace], assumeRoleChain: [{roleARN: "arn:aws:iam::123456789012:role/chain", externalID: external, tags: [{key: k, value: v}], transitiveTagKeys: [k]}]}
providerConfigRef: {name: bootstrap}
crossplaneNamespace: crossplane-system
`

// TestLogsKeepValues checks that the log contains no value from the spec, at any level and for any result. A mark in each field in turn,
// and in all of them, would reveal a leak.
func TestLogsKeepValues(t *testing.T) {
	const mark = "zz9mark"
	steps := must(filepath.Glob("example/*/[0-9][0-9]-*"))
	requests := []*fnv1.RunFunctionRequest{hostileSpec(t, fromYAML(t, everyField).AsMap())}
	for _, step := range steps {
		w := loadStep(t, step)
		w.Meta = generations["v2.2 and later"]
		req := w.request()
		w.answer(t, req, w.reconcile(t, newTestFunction()).GetRequirements())
		requests = append(requests, req)
	}
	for _, req := range requests {
		marked := func(which int) (*fnv1.RunFunctionRequest, int) {
			r := proto.Clone(req).(*fnv1.RunFunctionRequest)
			n := 0
			eachString(at(r.GetObserved().GetComposite().GetResource(), "spec"), "", func(path string, s *structpb.Value_StringValue) {
				// The log names services, and Crossplane identifies the claim.
				if path == ".services.name" || strings.HasPrefix(path, ".claimRef.") {
					return
				}
				if n == which || which < 0 {
					s.StringValue += mark
				}
				n++
			})
			return r, n
		}
		_, fields := marked(-1)
		for i := -1; i < fields; i++ {
			r, _ := marked(i)
			log := &lines{}
			fn := newTestFunction()
			fn.log = log
			rsp := must(fn.RunFunction(t.Context(), r))
			if log.written.Len() == 0 {
				t.Fatal("nothing was logged")
			}
			if strings.Contains(log.written.String(), mark) {
				t.Errorf("the log of %v has a value of the spec:\n%s", rsp.GetResults(), log.written.String())
			}
		}
	}
}

// eachString calls f for each string in a value, with the path of field names that lead to it.
func eachString(v *structpb.Value, path string, f func(string, *structpb.Value_StringValue)) {
	switch k := v.GetKind().(type) {
	case *structpb.Value_StringValue:
		f(path, k)
	case *structpb.Value_ListValue:
		for _, e := range k.ListValue.GetValues() {
			eachString(e, path, f)
		}
	case *structpb.Value_StructValue:
		for _, key := range sortedKeys(k.StructValue.GetFields()) {
			eachString(k.StructValue.GetFields()[key], path+"."+key, f)
		}
	}
}

// lines collects the lines of a log at every level.
type lines struct {
	written bytes.Buffer
	values  []any
}

func (l *lines) Debug(msg string, kv ...any) { fmt.Fprintln(&l.written, "debug", msg, l.values, kv) }
func (l *lines) Info(msg string, kv ...any)  { fmt.Fprintln(&l.written, "info", msg, l.values, kv) }

func (l *lines) WithValues(kv ...any) logging.Logger {
	l.values = append(l.values, kv...)
	return l
}

func TestLogs(t *testing.T) {
	ready := func(t *testing.T) *world { t.Helper(); return loadStep(t, "example/claim/02-ready") }
	cases := map[string]struct {
		reason string
		world  func(*testing.T) *world
		want   []string
		not    []string
	}{
		"First": {
			"A service's first phase is logged, with the object and the claim.",
			func(t *testing.T) *world {
				t.Helper()
				w := ready(t)
				delete(w.XR.GetFields(), "status")
				return w
			},
			[]string{"info Phase changed [xr ", " claim ", "services [s3] from  to "},
			nil,
		},
		"Invalid": {
			"The log names the fields that are invalid.",
			func(t *testing.T) *world {
				t.Helper()
				w := ready(t)
				at(w.XR, "spec").GetStructValue().Fields["region"] = structpb.NewStringValue("mars")
				return w
			},
			[]string{"debug Cannot compose [xr ", "fields [spec.region]"},
			[]string{"mars", "info"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			log := &lines{}
			fn := newTestFunction()
			fn.log = log
			tc.world(t).reconcile(t, fn)
			for _, want := range tc.want {
				if !strings.Contains(log.written.String(), want) {
					t.Errorf("%s\nwant %q in the log:\n%s", tc.reason, want, log.written.String())
				}
			}
			for _, not := range tc.not {
				if strings.Contains(log.written.String(), not) {
					t.Errorf("%s\n%q is in the log:\n%s", tc.reason, not, log.written.String())
				}
			}
		})
	}
}
