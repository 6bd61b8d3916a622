package monitoring

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var update = flag.Bool("update", false, "draw docs/images/dashboard.svg anew")

const picture = root + "/docs/images/dashboard.svg"

// story is the scenario for the dashboard and the alerts: which objects exist from which minute on. A step of example/ is reconciled every
// interval. The function, its scrapes and the metrics of kube-state-metrics are real; only the clock runs faster.
var story = []struct {
	minute int
	name   string // of the object in the cluster
	step   string // below example/
}{
	{2, "storage", "quickstart/01-first-reconcile"},
	{3, "storage", "quickstart/02-association-ready"},
	{4, "storage", "quickstart/03-provider-healthy"},
	{5, "storage", "quickstart/04-ready"},
	{8, "platform", "three-services/01-first-reconcile"},
	{11, "platform", "three-services/02-ready"},
	{14, "team-a", "claim/01-first-reconcile"},
	{17, "team-a", "claim/02-ready"},
	{20, "reports", "one-fails/01-role-refused"},
	{24, "legacy", "import/03-association-exists"},
	{33, "legacy", "import/02-ready"},
	{36, "proven", "verify-credentials/05-in-vain"},
	{44, "later", "namespaces/01-first-reconcile"},
	{48, "later", "namespaces/02-ready"},
}

// configurations of the function, by the minute from which they apply.
var configurations = []struct {
	minute       int
	content, now string
}{
	{0, "guardrails: {allowedRegions: [eu-west-1, eu-central-1]}\n", ""},
	{30, "guardrails: {allowedRegion: [eu-west-1]}\n", "\npodidentity_configuration_last_read_successful 0"},
	{38, "guardrails: {allowedRegions: [eu-west-1, eu-central-1]}\nnamespaces: [{match: [team-a], guardrails: {allowedServices: [sqs]}}]\n", "\npodidentity_configuration_last_read_successful 1"},
}

// minutes is the length of the scenario.
const minutes = 60

var begin = time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)

// tell runs the scenario, and returns the data that Prometheus has at its end.
func tell(t *testing.T) *database {
	t.Helper()
	f := startFunction(t, configurations[0].content)
	config := stateMetrics(t)
	db := newDatabase()
	steps, objects := map[string]*step{}, map[string]map[string]any{}
	for at := begin; at.Before(begin.Add(minutes * time.Minute)); at = at.Add(interval) {
		for _, c := range configurations[1:] {
			if at.Equal(begin.Add(time.Duration(c.minute) * time.Minute)) {
				f.configure(t, c.content)
				f.until(t, c.now)
			}
		}
		for _, s := range story {
			if at.Equal(begin.Add(time.Duration(s.minute) * time.Minute)) {
				steps[s.name] = loadStep(t, s.step)
			}
		}
		var state strings.Builder
		for _, name := range slices.Sorted(maps.Keys(steps)) {
			objects[name] = after(t, objects[name], steps[name], f.reconcile(t, steps[name]))
			for _, o := range exposedAs(t, name, objects[name]) {
				state.WriteString(generate(t, config, o))
			}
		}
		metrics, err := f.exposition(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		db.scrape(t, strings.NewReader(metrics), map[string]string{"instance": "10.0.1.7:9090", "job": "crossplane-system/function-pod-identity-provider", "namespace": "crossplane-system", "pod": "function-pod-identity-provider-7d9f4", "container": "package-runtime"}, at)
		db.scrape(t, strings.NewReader(state.String()), map[string]string{"instance": "10.0.1.9:8080", "job": "kube-state-metrics", "namespace": "monitoring"}, at)
	}
	return db
}

// exposedAs returns the composite resource with a name and, if it has one, its claim.
func exposedAs(t *testing.T, name string, o map[string]any) []*unstructured.Unstructured {
	t.Helper()
	xr := &unstructured.Unstructured{Object: o}
	xr.SetName(name)
	if err := unstructured.SetNestedField(xr.Object, begin.Format(time.RFC3339), "metadata", "creationTimestamp"); err != nil {
		t.Fatal(err)
	}
	namespace, of, _ := unstructured.NestedString(o, "spec", "claimRef", "namespace")
	if !of {
		return []*unstructured.Unstructured{xr}
	}
	claim := xr.DeepCopy()
	claim.SetKind("PodIdentityProviderClaim")
	claim.SetNamespace(namespace)
	return []*unstructured.Unstructured{xr, claim}
}

// TestDashboard feeds the dashboard and the alerts a scenario of an hour. Every panel must show data, and exactly the expected alerts must
// fire.
func TestDashboard(t *testing.T) {
	db := tell(t)
	end := begin.Add(minutes*time.Minute - interval)

	b, err := os.ReadFile(manifests + "dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	d := dashboard{}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	drawn := map[int][]line{}
	for _, p := range d.Panels {
		drawn[p.ID] = lines(t, db, p, begin, end)
		if len(drawn[p.ID]) == 0 {
			t.Errorf("panel %q is empty", p.Title)
		}
	}
	svg := draw(d, drawn, begin, end) + fmt.Sprintf("<!-- dashboard.json %x -->\n", sha256.Sum256(b))
	if *update {
		if err := os.WriteFile(picture, []byte(svg), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	for title, want := range map[string]float64{"PodIdentityProviders": 7, "Not ready": 2, "Services failed or in conflict": 2, "Claims not ready": 0} {
		if got := last(t, d, drawn, title); got != want {
			t.Errorf("panel %q shows %v at the end, want %v", title, got, want)
		}
	}

	fired := map[string][]string{}
	for _, g := range rules(t) {
		for _, r := range g.Rules {
			hold, err := time.ParseDuration(string(*r.For))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range db.query(t, r.Expr.String(), begin, end) {
				if longest(s.Floats) >= hold {
					fired[r.Alert] = append(fired[r.Alert], s.Metric.Get("composite"))
				}
			}
		}
	}
	// The object whose role is refused, the one whose pods get no credentials, and two changes by the platform team: an invalid
	// configuration, then a guardrail that is newer than the claim.
	want := map[string][]string{
		"PodIdentityProviderNotReady":    {"proven", "reports"},
		"PodIdentityServiceFailed":       {"proven", "reports"},
		"PodIdentityCredentialsMissing":  {"proven"},
		"PodIdentityConfigurationWrong":  {""},
		"PodIdentityGuardrailNotInForce": {""},
	}
	if fmt.Sprint(fired) != fmt.Sprint(want) {
		t.Errorf("alerts that fired: %v, want %v", fired, want)
	}
}

// last returns the last value of a panel's first line.
func last(t *testing.T, d dashboard, drawn map[int][]line, title string) float64 {
	t.Helper()
	for _, p := range d.Panels {
		if p.Title == title && len(drawn[p.ID]) > 0 {
			points := drawn[p.ID][0].points
			return points[len(points)-1].F
		}
	}
	t.Fatalf("there is no panel %q with a line", title)
	return 0
}
