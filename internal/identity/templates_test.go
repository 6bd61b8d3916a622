package identity

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newest is the schema of DeploymentRuntimeConfig in a Crossplane that has a pod's resources and an invented field.
const newest = `[{metadata: {name: deploymentruntimeconfigs.pkg.crossplane.io}, spec: {versions: [{name: v1beta1, served: true, schema: {openAPIV3Schema: {type: object, properties: {
  spec: {type: object, properties: {deploymentTemplate: {type: object, properties: {spec: {type: object, properties: {template: {type: object, properties: {spec: {type: object, properties: {
    resources: {type: object}, invented: {type: object}}}}}}}}}}}}}}}]}}]`

// withFiles is a schema that has environment variables from files.
const withFiles = `[{metadata: {name: deploymentruntimeconfigs.pkg.crossplane.io}, spec: {versions: [{name: v1beta1, served: true, schema: {openAPIV3Schema: {type: object, properties: {
  spec: {type: object, properties: {deploymentTemplate: {type: object, properties: {spec: {type: object, properties: {template: {type: object, properties: {spec: {type: object, properties: {
    containers: {type: array, items: {type: object, properties: {env: {type: array, items: {type: object, properties: {valueFrom: {type: object, properties: {fileKeyRef: {type: object}}}}}}}}}}}}}}}}}}}}}}}]}}]`

// oldest is a schema that has neither.
var oldest = strings.Replace(newest, "resources: {type: object}, invented: {type: object}", "nodeSelector: {type: object}", 1)

const (
	questions = "kind/deploymentruntimeconfigs.pkg.crossplane.io"
	atPod     = ".deploymentTemplate.spec.template.spec."
	first     = "spec.services[0].runtime"
)

func TestFlaws(t *testing.T) {
	const (
		two  = `services: [{name: s3, runtime: {deploymentTemplate: {spec: {template: {spec: {nodeselector: {a: b}}}}}}}, {name: sqs}]`
		pod  = `services: [{name: s3, runtime: {deploymentTemplate: {spec: {template: {spec: {resources: {limits: {cpu: 1}}}}}}}}]`
		none = `services: [{name: s3, runtime: {deploymentTemplate: {spec: {template: {spec: {invented: {}}}}}}}]`
	)
	const (
		file      = `env: [{name: A, valueFrom: {configMapKeyRef: {name: a, key: b}}}, {name: B, valueFrom: {fileKeyRef: {volumeName: a, path: b, key: c}}}]`
		fromFile  = `services: [{name: s3, runtime: {` + file + `}}, {name: sqs}]`
		fileField = ".env[1].valueFrom.fileKeyRef"
	)
	cases := map[string]struct {
		reason string
		world  world
		// want lists the invalid fields by service.
		want map[string][]string
		// asked says whether the schema is required.
		asked bool
	}{
		"None":      {reason: "A valid template has no flaw, and nothing is required.", world: world{Spec: `services: [{name: s3, runtime: {deploymentTemplate: {spec: {template: {spec: {nodeSelector: {a: b}}}}}}}]`}},
		"One":       {reason: "A mistake concerns only its own service.", world: world{Spec: two}, want: map[string][]string{"s3": {first + atPod + "nodeselector"}}, asked: true},
		"Inherited": {reason: "A mistake in the common runtime concerns the services without their own template.", world: world{Spec: `{runtime: {deploymentTemplate: {sepc: {}}}, services: [{name: s3}, {name: ec2}, {name: sqs, runtime: {deploymentTemplate: {}}}]}`}, want: map[string][]string{"s3": {"spec.runtime.deploymentTemplate.sepc"}, "ec2": {"spec.runtime.deploymentTemplate.sepc"}}, asked: true},
		"Both":      {reason: "Each template reports its own mistakes.", world: world{Spec: `{runtime: {serviceAccountTemplate: {secrets: []}}, services: [{name: s3, runtime: {deploymentTemplate: {spec: {replicas: two}}}}]}`}, want: map[string][]string{"s3": {first + ".deploymentTemplate.spec.replicas", "spec.runtime.serviceAccountTemplate.secrets"}}, asked: true},
		"Observed":  {reason: "The templates of a provider that another owner installs are ignored.", world: world{Spec: `services: [{name: s3, management: Observe, runtime: {deploymentTemplate: {sepc: {}}}}]`}},
		"Unknown":   {reason: "Whether this Crossplane has a newer field is unknown until it answers.", world: world{Spec: pod}, want: map[string][]string{"s3": nil}, asked: true},
		"Yes":       {reason: "A Crossplane that has the field accepts it.", world: world{Spec: pod, Answers: map[string]string{questions: newest}}, asked: true},
		"No":        {reason: "A Crossplane that does not have it refuses it.", world: world{Spec: pod, Answers: map[string]string{questions: oldest}}, want: map[string][]string{"s3": {first + atPod + "resources"}}, asked: true},
		"Stored":    {reason: "A field that this Crossplane has stored is known, and nothing is required.", world: world{Spec: pod, Observed: map[string]string{"runtimeconfig/s3": `{spec: {deploymentTemplate: {spec: {template: {spec: {resources: {}}}}}}}`}}},
		"Assumed":   {reason: "Assumed prerequisites include the field.", world: world{Spec: pod, Input: `{prerequisites: Assume}`}},
		"Preview":   {reason: "So does a preview.", world: world{Spec: pod, Input: `{preview: true}`}},
		"Later":     {reason: "A field that the function does not know is accepted if Crossplane has it,", world: world{Spec: none, Answers: map[string]string{questions: newest}}, asked: true},
		"Never":     {reason: "and is a mistake until then,", world: world{Spec: none}, want: map[string][]string{"s3": {first + atPod + "invented"}}, asked: true},
		"Env":       {reason: "This Crossplane may not have the source of a variable. Only the service with the variable is affected.", world: world{Spec: fromFile, Answers: map[string]string{questions: oldest}}, want: map[string][]string{"s3": {first + fileField}}, asked: true},
		"EnvAsked":  {reason: "Until that is known, the service waits.", world: world{Spec: fromFile}, want: map[string][]string{"s3": nil}, asked: true},
		"EnvKnown":  {reason: "A Crossplane that has the source accepts it.", world: world{Spec: fromFile, Answers: map[string]string{questions: withFiles}}, asked: true},
		"EnvOfAll":  {reason: "A variable in the common runtime concerns the services without their own.", world: world{Spec: `{runtime: {` + file + `}, services: [{name: s3}, {name: ec2, runtime: {env: [{name: A, value: b}]}}]}`, Answers: map[string]string{questions: oldest}}, want: map[string][]string{"s3": {"spec.runtime" + fileField}}, asked: true},
		"EnvStored": {reason: "A source that this Crossplane has stored is known.", world: world{Spec: fromFile, Observed: map[string]string{"runtimeconfig/s3": `{spec: {deploymentTemplate: {spec: {template: {spec: {containers: [{env: [{valueFrom: {fileKeyRef: {}}}]}]}}}}}}`}}},
		"AsInAPod": {
			reason: "All other fields are passed through as in a pod, and nothing is required.",
			world: world{Spec: `runtime: {replicas: 2, args: [--debug], env: [{name: A, value: ""}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}], nodeSelector: {a: b}, priorityClassName: a,
				tolerations: [{key: a, operator: Exists, tolerationSeconds: 30}], resources: {requests: {cpu: 100m, memory: 1Gi}, limits: {cpu: 1.5}, claims: [{name: a, request: b}]},
				affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]}},
				podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: a, matchLabelKeys: [b], labelSelector: {matchLabels: {a: b}}}}]}}}`},
		},
		"Incomplete": {
			reason: "Defaults in an Input have no schema that would find missing fields: the API server would get null.",
			world:  world{Input: `defaults: {runtime: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}}}}`},
			want:   map[string][]string{"s3": {"spec.runtime.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"}},
		},
		"NotNow": {reason: "or if Crossplane does not have it.", world: world{Spec: none, Answers: map[string]string{questions: oldest}}, want: map[string][]string{"s3": {first + atPod + "invented"}}, asked: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			id, v, errs := tc.world.resolve(t)
			if len(errs) > 0 {
				t.Fatalf("%s\nResolve(...): want no error for all, got %v", tc.reason, errs.ToAggregate())
			}
			var got map[string][]string
			for _, s := range id.Services {
				for _, f := range s.Flaws {
					if got == nil {
						got = map[string][]string{}
					}
					if _, ok := got[s.Name]; !ok {
						got[s.Name] = nil
					}
					for _, e := range f.Errors {
						got[s.Name] = append(got[s.Name], e.Field)
					}
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nResolve(...): -want flaws, +got:\n%s", tc.reason, diff)
			}
			if _, asked := v.Requirements.Proto().GetExtraResources()[questions]; asked != tc.asked { //nolint:staticcheck // Crossplane before 2.2 knows no other field.
				t.Errorf("%s\nResolve(...): schema required: want %t, got %t", tc.reason, tc.asked, asked)
			}
		})
	}
}
