package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	crs "k8s.io/kube-state-metrics/v2/pkg/customresourcestate"
	"k8s.io/kube-state-metrics/v2/pkg/metric"
	"sigs.k8s.io/yaml"
)

const (
	root      = "../.."
	manifests = root + "/manifests/monitoring/"
)

// A series is a metric that exists, with the labels that it can have.
type series struct {
	labels []string
	// any label is possible: another program exposes the metric.
	any bool
}

// stateMetrics returns the configuration of kube-state-metrics, as its chart passes it on.
func stateMetrics(t *testing.T) crs.Metrics {
	t.Helper()
	values := struct {
		CustomResourceState struct {
			Config crs.Metrics `json:"config"`
		} `json:"customResourceState"`
	}{}
	strict(t, manifests+"kube-state-metrics-values.yaml", &values, yaml.Unmarshal)
	config := values.CustomResourceState.Config
	if len(config.Spec.Resources) == 0 {
		t.Fatal("there are no resources in customResourceState.config")
	}
	for i := range config.Spec.Resources {
		for j, m := range config.Spec.Resources[i].Metrics {
			// kube-state-metrics does this when it reads its configuration.
			config.Spec.Resources[i].Metrics[j].Each.Type = metric.Type(strings.ToLower(string(m.Each.Type)))
		}
	}
	return config
}

// strict reads a file, and fails on unknown fields.
func strict(t *testing.T, path string, into any, unmarshal func([]byte, any, ...yaml.JSONOpt) error) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// generate returns the metrics that kube-state-metrics would expose for an object.
func generate(t *testing.T, config crs.Metrics, o *unstructured.Unstructured) string {
	t.Helper()
	var out strings.Builder
	for _, r := range config.Spec.Resources {
		if r.GroupVersionKind.Kind != o.GetKind() {
			continue
		}
		factory, err := crs.NewCustomResourceMetrics(r)
		if err != nil {
			t.Fatalf("kube-state-metrics refuses the configuration: %v", err)
		}
		for _, g := range factory.MetricFamilyGenerators() {
			family := g.GenerateFunc(o)
			family.Name = g.Name
			out.Write(family.ByteSlice())
		}
	}
	return out.String()
}

// objects returns the final objects of the examples: the composite resource with its status, and a claim with the same content.
func objects(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob(root + "/example/*/*/expected.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	var out []*unstructured.Unstructured
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := bytes.Cut(bytes.TrimPrefix(b, []byte("---\n")), []byte("\n---"))
		xr := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(first, &xr.Object); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		xr.SetCreationTimestamp(metav1.Unix(1700000000, 0))
		claim := xr.DeepCopy()
		claim.SetKind(xr.GetKind() + "Claim")
		claim.SetNamespace("team-a")
		out = append(out, xr, claim)
	}
	return out
}

var exposed = regexp.MustCompile(`(?m)^([a-z_:]+)\{([^\n]*)\} (\S+)$`)

// known returns the known series, by name: those of the function, from its documentation, which another test compares with the function;
// those that kube-state-metrics generates for the examples; and those of every Go program.
func known(t *testing.T) map[string]series {
	t.Helper()
	out := map[string]series{
		"process_resident_memory_bytes": {any: true},
		"process_cpu_seconds_total":     {any: true},
	}
	page, err := os.ReadFile(root + "/docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `(podidentity_[a-z_]+)` \\| (\\w+) \\| ([^|]*)\\|")
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		var names []string
		for _, l := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(m[3], -1) {
			names = append(names, l[1])
		}
		if m[2] != "histogram" {
			out[m[1]] = series{labels: names}
			continue
		}
		out[m[1]+"_bucket"] = series{labels: append(names, "le")}
		out[m[1]+"_sum"], out[m[1]+"_count"] = series{labels: names}, series{labels: names}
	}
	if len(out) < 5 {
		t.Fatalf("docs/observability.md has no table of metrics: %v", out)
	}

	config := stateMetrics(t)
	label := regexp.MustCompile(`([a-z_]+)="`)
	for _, o := range objects(t) {
		for _, m := range exposed.FindAllStringSubmatch(generate(t, config, o), -1) {
			s := out[m[1]]
			for _, l := range label.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(s.labels, l[1]) {
					s.labels = append(s.labels, l[1])
				}
			}
			out[m[1]] = s
		}
	}
	return out
}

// TestStateMetrics checks the metrics that kube-state-metrics generates for objects.
func TestStateMetrics(t *testing.T) {
	config := stateMetrics(t)
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(`
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: storage}
spec: {claimRef: {namespace: team-a, name: storage}}
status:
  clusterName: prod
  conditions: [{type: Ready, status: "True", reason: Available}, {type: IdentityReady, status: "Unknown", reason: InvalidSpec}]
  services: [{name: s3, phase: Failed, providerName: provider-aws-s3}]
`), &o.Object); err != nil {
		t.Fatal(err)
	}
	got := generate(t, config, o)
	for reason, want := range map[string]string{
		"A composite resource has its claim.":   `kube_podidentityprovider_info{`,
		"The claim can be found by its labels.": `claim_name="storage"`,
		"A true condition has value 1.":         `reason="Available",type="Ready"} 1`,
		"Any other condition has value 0.":      `reason="InvalidSpec",type="IdentityReady"} 0`,
		"Every service has its phase.":          `phase="Failed",provider="provider-aws-s3",service="s3"} 1`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nwant %s in:\n%s", reason, want, got)
		}
	}
}

// An expression, and the place where it is used.
type expression struct{ where, query string }

// rules returns the rules of the PrometheusRule. Unknown fields are errors.
func rules(t *testing.T) []monitoringv1.RuleGroup {
	t.Helper()
	r := monitoringv1.PrometheusRule{}
	strict(t, manifests+"prometheusrule.yaml", &r, yaml.UnmarshalStrict)
	return r.Spec.Groups
}

// expressions returns the expressions of all rules and of the dashboard.
func expressions(t *testing.T) []expression {
	t.Helper()
	var out []expression
	for _, g := range rules(t) {
		for _, r := range g.Rules {
			out = append(out, expression{r.Alert, r.Expr.String()})
		}
	}
	d := struct {
		Panels []struct {
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}{}
	b, err := os.ReadFile(manifests + "dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			// Grafana replaces this variable with a duration.
			out = append(out, expression{"panel " + p.Title, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")})
		}
	}
	if len(out) < 15 {
		t.Fatalf("only %d expressions found", len(out))
	}
	return out
}

// TestExpressions parses every expression of the alerts and of the dashboard as Prometheus does, and checks that the metrics and
// labels it names exist.
func TestExpressions(t *testing.T) {
	metrics := known(t)
	used := map[string]bool{}
	for _, e := range expressions(t) {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(e.query)
		if err != nil {
			t.Errorf("%s: %v", e.where, err)
			continue
		}
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			if v, ok := n.(*parser.VectorSelector); ok {
				used[v.Name] = true
				checkSelector(t, e.where, v, metrics)
			}
			return nil
		})
	}
	for name := range metrics {
		if strings.HasPrefix(name, "podidentity_") && !strings.HasSuffix(name, "_sum") && !strings.HasSuffix(name, "_count") &&
			name != "podidentity_resources_composed_total" && !used[name] {
			t.Errorf("neither an alert nor a panel uses %s", name)
		}
	}
}

func checkSelector(t *testing.T, where string, v *parser.VectorSelector, metrics map[string]series) {
	t.Helper()
	s, ok := metrics[v.Name]
	if !ok {
		t.Errorf("%s: nothing exposes the metric %s", where, v.Name)
		return
	}
	for _, m := range v.LabelMatchers {
		if m.Name != model.MetricNameLabel && !s.any && !slices.Contains(s.labels, m.Name) {
			t.Errorf("%s: metric %s has no label %s, only %v", where, v.Name, m.Name, s.labels)
		}
	}
}

// TestAlerts checks that every alert has what an on-call engineer needs: a summary, and a page that says what to do.
func TestAlerts(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/day2-monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range rules(t) {
		for _, r := range g.Rules {
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Labels["severity"] == "" || r.For == nil {
				t.Errorf("%s: summary, description, severity or for is missing", r.Alert)
			}
			heading := "### " + r.Alert
			if !strings.Contains(string(page), "\n"+heading+"\n") {
				t.Errorf("%s: docs/day2-monitoring.md has no heading %q", r.Alert, heading)
			}
			if want := "docs/day2-monitoring.md#" + strings.ToLower(r.Alert); !strings.HasSuffix(r.Annotations["runbook_url"], want) {
				t.Errorf("%s: runbook_url should end with %s", r.Alert, want)
			}
		}
	}
}

// TestPodMonitor checks that the PodMonitor selects the pods of manifests/function-runtime.yaml.
func TestPodMonitor(t *testing.T) {
	m := monitoringv1.PodMonitor{}
	strict(t, manifests+"podmonitor.yaml", &m, yaml.UnmarshalStrict)
	config := &unstructured.Unstructured{}
	strict(t, root+"/manifests/function-runtime.yaml", &config.Object, yaml.Unmarshal)
	template := []string{"spec", "deploymentTemplate", "spec", "template"}
	have, _, _ := unstructured.NestedStringMap(config.Object, append(template, "metadata", "labels")...)
	for k, v := range m.Spec.Selector.MatchLabels {
		if have[k] != v {
			t.Errorf("the pods have no label %s=%s, only %v", k, v, have)
		}
	}
	if len(m.Spec.PodMetricsEndpoints) != 1 {
		t.Fatalf("want one endpoint, got %d", len(m.Spec.PodMetricsEndpoints))
	}
	containers, _, _ := unstructured.NestedSlice(config.Object, append(template, "spec", "containers")...)
	if port := *m.Spec.PodMetricsEndpoints[0].Port; !strings.Contains(fmt.Sprint(containers), "name:"+port) {
		t.Errorf("the container has no port %s: %v", port, containers)
	}
}
