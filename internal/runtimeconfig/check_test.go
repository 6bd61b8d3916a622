package runtimeconfig

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// A checkCase is a template, and all that is wrong with it.
type checkCase struct {
	reason   string
	template string
	yaml     string
	// errors as they are told, below the template.
	errors []string
	// unsure fields, as the Crossplane that runs is asked for them.
	unsure []string
}

func TestCheck(t *testing.T) {
	pod := func(spec string) string { return "{spec: {template: {spec: {" + spec + "}}}}" }
	const inPod = "deploymentTemplate.spec.template.spec."
	cases := map[string]checkCase{
		"Empty":     {reason: "A template may be empty.", yaml: `{}`},
		"Selector":  {reason: "What the function gives anyway need not be repeated.", yaml: `{spec: {template: {spec: {containers: [{name: package-runtime}]}}}}`},
		"Quantity":  {reason: "Quantities are text or numbers.", yaml: pod(`containers: [{name: a, resources: {limits: {cpu: 1.5, memory: 1Gi}}}]`)},
		"Port":      {reason: "Ports are told apart by protocol, too.", yaml: pod(`containers: [{name: a, ports: [{containerPort: 53}, {containerPort: 53, protocol: UDP}]}]`)},
		"IntString": {reason: "Some integers may be text.", yaml: `{spec: {strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 1}}}}`},

		"Typo":       {reason: "The nearest name is told.", yaml: pod(`nodSelector: {a: b}`), unsure: []string{inPod + `nodSelector: Invalid value: unknown field (did you mean nodeSelector?)`}},
		"Case":       {reason: "Names have one spelling: JSON decoders of Go know many.", yaml: pod(`ServiceAccountName: a, nodeselector: {a: b}`), unsure: []string{inPod + `ServiceAccountName: Invalid value: unknown field (did you mean serviceAccountName?)`, inPod + `nodeselector: Invalid value: unknown field (did you mean nodeSelector?)`}},
		"Elsewhere":  {reason: "A field that belongs elsewhere is told where.", yaml: `{spec: {nodeSelector: {a: b}, template: {spec: {args: [a]}}}}`, unsure: []string{`deploymentTemplate.spec.nodeSelector: Invalid value: unknown field here: it belongs to deploymentTemplate.spec.template.spec.nodeSelector`, inPod + `args: Invalid value: unknown field here: it belongs to deploymentTemplate.spec.template.spec.containers[].args`}},
		"Pasted":     {reason: "A pasted Deployment is not a template.", yaml: `{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: a, uid: b, lables: {}}, status: {}}`, unsure: []string{`deploymentTemplate.apiVersion: Invalid value: unknown field: a template is a part of a Deployment, take it out`, `deploymentTemplate.kind: Invalid value: unknown field: a template is a part of a Deployment, take it out`, `deploymentTemplate.metadata.lables: Invalid value: unknown field (did you mean labels?)`, `deploymentTemplate.metadata.namespace: Invalid value: unknown field: Crossplane puts a Deployment into its own namespace, take it out`, `deploymentTemplate.metadata.uid: Invalid value: unknown field: a template's metadata has labels and annotations only, take it out`, `deploymentTemplate.status: Invalid value: unknown field: Kubernetes writes the status, take it out`}},
		"PullSecret": {reason: "A ServiceAccount's template has metadata only.", template: ServiceAccountTemplate, yaml: `{imagePullSecrets: [{name: ecr}], automountServiceAccountToken: false}`, unsure: []string{`serviceAccountTemplate.automountServiceAccountToken: Invalid value: unknown field here: it belongs to deploymentTemplate.spec.template.spec.automountServiceAccountToken`, `serviceAccountTemplate.imagePullSecrets: Invalid value: unknown field here: it belongs to deploymentTemplate.spec.template.spec.imagePullSecrets`}},
		"Newer":      {reason: "What only newer releases have is asked for.", yaml: pod(`resources: {limits: {cpu: 1}}`), unsure: []string{inPod + `resources: Invalid value: the Crossplane that runs does not have this field in a DeploymentRuntimeConfig, a newer one does: take it out, or upgrade Crossplane`}},
		"NewerWrong": {reason: "And what is in it is checked all the same.", yaml: pod(`resources: 1`), errors: []string{inPod + `resources: Invalid value: must be an object, and is 1`}, unsure: []string{inPod + `resources: Invalid value: the Crossplane that runs does not have this field in a DeploymentRuntimeConfig, a newer one does: take it out, or upgrade Crossplane`}},

		"NoName":     {reason: "A list cannot be applied whose items have no key.", yaml: pod(`containers: [{args: [--debug]}]`), errors: []string{inPod + `containers[0].name: Required value: must be set`}},
		"NoVolume":   {reason: "Nor a volume.", yaml: pod(`volumes: [{emptyDir: {}}]`), errors: []string{inPod + `volumes[0].name: Required value: must be set`}},
		"NoSecret":   {reason: "A name is required, though the schema has a default.", yaml: pod(`imagePullSecrets: [{}]`), errors: []string{inPod + `imagePullSecrets[0].name: Required value: must be set`}},
		"NoPort":     {reason: "Nor a port, nor a spread.", yaml: pod(`containers: [{name: a, ports: [{}]}], topologySpreadConstraints: [{maxSkew: 1}]`), errors: []string{inPod + `containers[0].ports[0].containerPort: Required value: must be set`, inPod + `topologySpreadConstraints[0].topologyKey: Required value: must be set`, inPod + `topologySpreadConstraints[0].whenUnsatisfiable: Required value: must be set`}},
		"Twice":      {reason: "Nor one whose items have the same key.", yaml: pod(`volumes: [{name: a}, {name: b}, {name: a}], containers: [{name: a, ports: [{containerPort: 1}, {containerPort: 1, protocol: TCP}], resources: {claims: [{name: x}, {name: x}]}}]`), errors: []string{inPod + "containers[0].ports[1]: Duplicate value: \"1 TCP\"", inPod + `containers[0].resources.claims[1]: Duplicate value: "x"`, inPod + `volumes[2]: Duplicate value: "a"`}},
		"Types":      {reason: "Values have types.", yaml: `{spec: {replicas: two, paused: 1, minReadySeconds: 1.5, revisionHistoryLimit: 4294967296, template: {spec: {containers: {}, nodeSelector: [], hostname: {}, tolerations: [{effect: true}]}}}}`, errors: []string{`deploymentTemplate.spec.minReadySeconds: Invalid value: must be an integer up to 2147483647, and is 1.5`, `deploymentTemplate.spec.paused: Invalid value: must be true or false, and is 1`, `deploymentTemplate.spec.replicas: Invalid value: must be an integer up to 2147483647, and is "two"`, `deploymentTemplate.spec.revisionHistoryLimit: Invalid value: must be an integer up to 2147483647, and is 4.294967296e+09`, inPod + `containers: Invalid value: must be a list, and is an object`, inPod + `hostname: Invalid value: must be a string, and is an object`, inPod + `nodeSelector: Invalid value: must be an object, and is a list`, inPod + `tolerations[0].effect: Invalid value: must be a string, and is true`}},
		"Quantities": {reason: "A quantity has a form.", yaml: pod(`containers: [{name: a, resources: {limits: {cpu: lots, memory: true}}}]`), errors: []string{inPod + `containers[0].resources.limits[cpu]: Invalid value: must be a quantity such as 100m or 1Gi, and is "lots"`, inPod + `containers[0].resources.limits[memory]: Invalid value: must be a quantity such as 100m or 1Gi, and is true`}},
		"Metadata":   {reason: "Metadata is text.", template: ServiceAccountTemplate, yaml: `{metadata: {labels: {a: 1}, annotations: text}}`, errors: []string{`serviceAccountTemplate.metadata.annotations: Invalid value: must be an object, and is "text"`, `serviceAccountTemplate.metadata.labels[a]: Invalid value: must be a string, and is 1`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.template == "" {
				tc.template = DeploymentTemplate
			}
			m := map[string]any{}
			if err := yaml.Unmarshal([]byte(tc.yaml), &m); err != nil {
				t.Fatal(err)
			}
			errs, fields := Check(field.NewPath(tc.template), tc.template, m)
			var got, unsure []string
			for _, e := range errs {
				got = append(got, e.Error())
			}
			for _, f := range fields {
				unsure = append(unsure, f.Err.Error())
			}
			if diff := cmp.Diff(tc.errors, got); diff != "" {
				t.Errorf("%s\nCheck(...): -want errors, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.unsure, unsure); diff != "" {
				t.Errorf("%s\nCheck(...): -want unsure fields, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPath of a field is the one that Crossplane's schema has.
func TestPath(t *testing.T) {
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(`{spec: {template: {spec: {containers: [{name: a, lifecycle: {stopSignal: SIGINT}}]}}}}`), &m); err != nil {
		t.Fatal(err)
	}
	_, fields := Check(nil, DeploymentTemplate, m)
	if len(fields) != 1 {
		t.Fatalf("Check(...): want one unsure field, got %v", fields)
	}
	want := "deploymentTemplate spec template spec containers [] lifecycle stopSignal"
	if got := strings.Join(fields[0].Path, " "); got != want || !fields[0].Known {
		t.Errorf("Check(...): want the known field %q, got %q, known %t", want, got, fields[0].Known)
	}
}

// TestManyErrors bounds what is told.
func TestManyErrors(t *testing.T) {
	m := map[string]any{}
	for _, c := range strings.Split(strings.Repeat("x", 100), "") {
		m[strings.Repeat(c, len(m)+1)] = true
	}
	errs, fields := Check(field.NewPath(DeploymentTemplate), DeploymentTemplate, m)
	if n := len(errs) + len(fields); n != maxErrors+1 {
		t.Errorf("Check(...): want %d errors, got %d", maxErrors+1, n)
	}
}
