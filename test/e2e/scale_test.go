package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// scale compares a hundred composite resources of three services with ten. It runs on demand (make scale), and the figures are in
// docs/performance.md.
//
// A Provider exists once in a cluster, so three hundred services cannot have three hundred Providers: each composite resource gives
// the same three providers identities in a cluster of its own (management: Observe). All else is composed.
func scale(s *Scenario) {
	s.Install()
	s.file("providers", "[{name: sqs}, {name: sns}, {name: kms}]")
	s.Is(5*time.Minute, "Claim", "providers", "Ready=True")
	s.Stepf("the three providers are ready")
	s.grow("claims", 1, func(i int) {
		s.Apply(scaleClaim(i))
	}, func(i int) {
		s.Is(40*time.Minute, "Claim", fmt.Sprintf("scale-%03d", i), "Ready=True", "TeardownProtected=True")
	})
}

// grow files ten and then a hundred more of something, numbered from all on, and waits each time until they are ready. After that nothing
// may be written.
func (s *Scenario) grow(what string, all int, file, ready func(i int)) {
	s.Helper()
	// There are hundreds of each kind, too many to look at five times a second.
	s.Fakes.SetPause(time.Second)
	for _, n := range []int{10, 100} {
		before := s.usage()
		for i := range n {
			file(all + i)
		}
		s.Stepf("%d %s are filed", n, what)
		for i := range n {
			ready(all + i)
		}
		all += n
		s.Stepf("all %d are ready", n)
		s.Logf("%3d %s, until they are ready: %s", n, what, s.usage().since(before, n))
	}

	// So many events open the circuit breakers of Crossplane, which stay open for five minutes.
	time.Sleep(5*time.Minute + 30*time.Second)
	versions, before := s.composedVersions(), s.usage()
	time.Sleep(3 * time.Minute)
	s.Logf("%3d %s, in three minutes of quiet: %s", all, what, s.usage().since(before, all))
	s.Same("written in quiet minutes", versions, s.composedVersions())
}

// scaleTenants compares a hundred tenants of one host with ten: each has a namespace, a role and ProviderConfigs of its own.
func scaleTenants(s *Scenario) {
	s.Install()
	s.Apply(`{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: platform}, spec: {region: eu-west-1, clusterName: prod, provider: {version: $VERSION},
  sharing: {}, services: [{name: sqs, permissions: {accessLevel: None}}, {name: sns, permissions: {accessLevel: None}}, {name: kms, permissions: {accessLevel: None}}]}}`)
	s.Is(5*time.Minute, "XR", "platform", "Ready=True")
	s.Stepf("a host shares three providers")
	s.grow("tenants", 0, func(i int) {
		s.Namespace = fmt.Sprintf("team-%03d", i)
		s.Apply(strings.NewReplacer("SERVICES", "[{name: sqs}, {name: sns}, {name: kms}]", "CLAIM", "aws-"+s.Namespace, "HOST", "platform").Replace(aTenant))
	}, func(i int) {
		s.Namespace = fmt.Sprintf("team-%03d", i)
		s.Is(40*time.Minute, "Tenant", "aws-"+s.Namespace, "Ready=True", "TeardownProtected=True")
	})
}

func scaleClaim(i int) string {
	services := make([]string, 0, 3)
	for _, service := range []string{"sqs", "sns", "kms"} {
		services = append(services, "{name: "+service+", management: Observe}")
	}
	name := fmt.Sprintf("scale-%03d", i)
	return strings.NewReplacer("CLAIM", name, "SERVICES", "["+strings.Join(services, ", ")+"]", "clusterName: prod", "clusterName: "+name).Replace(aClaim)
}

// composedVersions are the resource versions of all composite resources, and of everything that they may be composed of.
func (s *Scenario) composedVersions() map[string]string {
	s.Helper()
	out := map[string]string{}
	for _, kind := range []string{"XR", "TenantXR", "Role", "Policy", "Attachment", "Association", "RuntimeConfig", "Provider", "Usage", "ProviderConfig"} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvkOf(kind))
		if err := s.Client.List(s.ctx, list); err != nil {
			s.Fatal(err)
		}
		for i := range list.Items {
			out[kind+"/"+list.Items[i].GetName()] = list.Items[i].GetResourceVersion()
		}
	}
	return out
}

// A usage is what function and Crossplane have used so far.
type usage struct {
	at                        time.Time
	reconciles, calls         float64
	requests, writes          float64
	function, core            time.Duration
	functionPeak, corePeak    int
	breakers, compositesTotal int
}

func (s *Scenario) usage() usage {
	s.Helper()
	u := usage{at: time.Now(), reconciles: s.metric(s.Metrics, "controller_runtime_reconcile_total", `controller="composite/podidentity`)}
	u.calls = s.metric(s.functionMetrics, "podidentity_calls_total")
	u.requests = s.metric(s.Metrics, "rest_client_requests_total")
	u.writes = u.requests - s.metric(s.Metrics, "rest_client_requests_total", `method="GET"`)
	u.function, u.functionPeak = s.process(s.Function().PID())
	u.core, u.corePeak = s.process(s.Core.PID())
	for _, xr := range append(s.list(kinds["XR"]), s.list(kinds["TenantXR"])...) {
		u.compositesTotal++
		if fakes.Condition(&xr, "Responsive")["status"] == "False" {
			u.breakers++
		}
	}
	return u
}

// since an earlier time, for each of n composite resources.
func (u usage) since(before usage, n int) string {
	each := func(now, before float64) float64 { return (now - before) / float64(n) }
	return fmt.Sprintf("%.0f s; of each: %.1f reconciles, %.1f calls of the function, %.0f requests of Crossplane to the API server (%.0f of them writes), CPU %.0f ms of the function, %.0f ms of Crossplane; "+
		"memory at most: %d MiB of the function, %d MiB of Crossplane; circuit breakers open: %d of %d",
		u.at.Sub(before.at).Seconds(), each(u.reconciles, before.reconciles), each(u.calls, before.calls), each(u.requests, before.requests), each(u.writes, before.writes),
		each(float64(u.function.Milliseconds()), float64(before.function.Milliseconds())), each(float64(u.core.Milliseconds()), float64(before.core.Milliseconds())),
		u.functionPeak>>20, u.corePeak>>20, u.breakers, u.compositesTotal)
}

// metric of a Prometheus endpoint: the sum of all series whose labels contain all of the parts.
func (s *Scenario) metric(address, name string, parts ...string) float64 {
	s.Helper()
	res, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	sum := 0.0
	sc := bufio.NewScanner(res.Body)
lines:
	for sc.Scan() {
		line, ok := strings.CutPrefix(sc.Text(), name)
		if !ok || !strings.HasPrefix(line, "{") && !strings.HasPrefix(line, " ") {
			continue
		}
		for _, p := range parts {
			if !strings.Contains(line, p) {
				continue lines
			}
		}
		v, err := strconv.ParseFloat(line[strings.LastIndex(line, " ")+1:], 64)
		if err != nil {
			s.Fatal(err)
		}
		sum += v
	}
	return sum
}

// process says how much CPU time a process has used, and how much memory it had at most, in bytes.
func (s *Scenario) process(pid int) (time.Duration, int) {
	s.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		s.Fatal(err)
	}
	// The second field is a name in parentheses. Of those after it, the 12th and the 13th are user and system time.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	ticks := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			s.Fatal(err)
		}
		ticks += n
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every architecture that matters here.

	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		s.Fatal(err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	peak, _, _ = strings.Cut(peak, "kB")
	kib, err := strconv.Atoi(strings.TrimSpace(peak))
	if err != nil {
		s.Fatal(err)
	}
	return time.Duration(ticks) * tick, kib << 10
}
