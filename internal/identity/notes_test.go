package identity

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNotes(t *testing.T) {
	env := func(e string) string { return `runtime: {env: [` + e + `]}` }
	template := func(e string) string {
		return `runtime: {deploymentTemplate: {spec: {template: {spec: {containers: [{name: package-runtime, env: [` + e + `]}]}}}}}`
	}
	const both, noProxy = "169.254.170.23,[fd00:ec2::23]", `{name: NO_PROXY, value: "10.0.0.0/8,169.254.170.23, [fd00:ec2::23]"}`
	cases := map[string]struct {
		reason string
		spec   string
		// want lists words of each note.
		want []string
	}{
		"None":           {reason: "Most runtimes have nothing to note.", spec: env(`{name: A, value: b}`)},
		"Keys":           {reason: "A user's keys take precedence.", spec: env(`{name: AWS_ACCESS_KEY_ID, valueFrom: {secretKeyRef: {name: a, key: b}}}`), want: []string{"AWS_ACCESS_KEY_ID"}},
		"IRSA":           {reason: "So do remains of the older mechanism in a template.", spec: template(`{name: AWS_WEB_IDENTITY_TOKEN_FILE, value: a}, {name: AWS_ROLE_ARN, value: b}`), want: []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"}},
		"Sidecar":        {reason: "Variables of other containers are ignored.", spec: `runtime: {deploymentTemplate: {spec: {template: {spec: {containers: [{name: sidecar, env: [{name: AWS_ROLE_ARN, value: b}]}]}}}}}`},
		"Annotation":     {reason: "The annotation of a ServiceAccount has the same effect.", spec: `runtime: {serviceAccountTemplate: {metadata: {annotations: {eks.amazonaws.com/role-arn: a}}}}`, want: []string{"eks.amazonaws.com/role-arn"}},
		"Proxy":          {reason: "A proxy hides the agent,", spec: env(`{name: HTTPS_PROXY, value: "http://proxy:3128"}`), want: []string{both}},
		"ProxyException": {reason: "unless the agent's addresses are excluded,", spec: env(`{name: HTTP_PROXY, value: "http://proxy:3128"}, ` + noProxy)},
		"ProxyOne":       {reason: "for both IPv4 and IPv6.", spec: env(`{name: http_proxy, value: "http://proxy:3128"}, {name: no_proxy, value: "169.254.0.0/16"}`), want: []string{"add [fd00:ec2::23] to"}},
		"ProxyAll":       {reason: "A * excludes all addresses.", spec: env(`{name: HTTP_PROXY, value: "http://proxy:3128"}, {name: NO_PROXY, value: "*"}`)},
		"ProxyUnknown":   {reason: "The contents of a ConfigMap are unknown here.", spec: env(`{name: HTTP_PROXY, value: "http://proxy:3128"}, {name: NO_PROXY, valueFrom: {configMapKeyRef: {name: a, key: b}}}`)},
		"ProxySplit":     {reason: "A template may exclude the addresses.", spec: `runtime: {env: [{name: HTTP_PROXY, value: "http://proxy:3128"}], deploymentTemplate: {spec: {template: {spec: {containers: [{name: package-runtime, env: [` + noProxy + `]}]}}}}}`},
		"ProxyNone":      {reason: "An empty variable is not a proxy.", spec: env(`{name: HTTP_PROXY, value: ""}`)},
		"Observe":        {reason: "The runtime of a provider that another owner installs is ignored.", spec: `{runtime: {env: [{name: AWS_ACCESS_KEY_ID, value: a}]}, services: [{name: s3, management: Observe}]}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := world{Spec: tc.spec}.mustResolve(t).Services[0].Notes
			if len(got) != len(tc.want) {
				t.Fatalf("%s\nwant %d notes, got %q", tc.reason, len(tc.want), got)
			}
			for i, want := range tc.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("%s\nwant a note with %q, got %q", tc.reason, want, got[i])
				}
			}
		})
	}
}

// TestNotesInherited checks that each service has its own notes.
func TestNotesInherited(t *testing.T) {
	id := world{Spec: `{runtime: {env: [{name: AWS_ACCESS_KEY_ID, value: a}]}, services: [{name: s3}, {name: sqs, runtime: {env: []}}]}`}.mustResolve(t)
	if diff := cmp.Diff([]int{1, 0}, []int{len(id.Services[0].Notes), len(id.Services[1].Notes)}); diff != "" {
		t.Errorf("a service that removes the variable has no note: -want, +got:\n%s", diff)
	}
}
