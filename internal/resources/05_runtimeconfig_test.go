package resources

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

func TestRuntimeConfig(t *testing.T) {
	const head = `
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata: {name: provider-aws-s3}
`
	testBuild(t, map[string]buildCase{
		"Seed": {
			reason: "The config should name the ServiceAccount, and hold nothing beside but what the API server wants.",
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {}}}
`,
		},
		"Everything": {
			reason: "Every option of the runtime should be passed on, those of the container in that of the package.",
			world: world{Spec: `
services: [{name: s3, serviceAccountName: sa}]
runtime:
  replicas: 0
  args: [--debug]
  env: [{name: HTTPS_PROXY, value: "http://proxy:3128"}]
  nodeSelector: {kubernetes.io/os: linux}
  tolerations: [{key: dedicated, operator: Exists, effect: NoSchedule}]
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]}}}
  resources: {requests: {cpu: 100m}, limits: {memory: 1Gi}}
  podLabels: {team: a}
  podAnnotations: {prometheus.io/scrape: "true"}
  priorityClassName: system-cluster-critical
`},
			key: "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: sa}}
  deploymentTemplate:
    spec:
      replicas: 0
      selector: {}
      template:
        metadata: {labels: {team: a}, annotations: {prometheus.io/scrape: "true"}}
        spec:
          nodeSelector: {kubernetes.io/os: linux}
          tolerations: [{key: dedicated, operator: Exists, effect: NoSchedule}]
          affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]}}}
          priorityClassName: system-cluster-critical
          containers:
          - name: package-runtime
            args: [--debug]
            env: [{name: HTTPS_PROXY, value: "http://proxy:3128"}]
            resources: {requests: {cpu: 100m}, limits: {memory: 1Gi}}
`,
		},
		"Container": {
			reason: "One option of the container is enough for it, and brings no empty others.",
			world:  world{Spec: `runtime: {resources: {limits: {memory: 1Gi}}}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {spec: {containers: [{name: package-runtime, resources: {limits: {memory: 1Gi}}}]}}}}
`,
		},
		"NoContainer": {
			reason: "A pod without an option of the container should have the list of containers that the API server wants, and an empty one.",
			world:  world{Spec: `runtime: {priorityClassName: p}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {spec: {containers: [], priorityClassName: p}}}}
`,
		},
		"Service": {
			reason: "A service's own options should win, and maps merge.",
			world: world{Spec: `
runtime: {replicas: 1, args: [--debug], podLabels: {a: all, b: all}}
services: [{name: s3, runtime: {replicas: 2, podLabels: {b: s3}}}]`},
			key: "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {replicas: 2, selector: {}, template: {metadata: {labels: {a: all, b: s3}}, spec: {containers: [{name: package-runtime, args: [--debug], env: [{name: LEADER_ELECTION, value: "true"}]}]}}}}
`,
		},
		"OtherService": {
			reason: "Those of another service are none of this one's business.",
			world: world{Spec: `
runtime: {replicas: 1}
services: [{name: s3}, {name: ec2, runtime: {replicas: 2, podLabels: {b: ec2}}}]`},
			key: "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {replicas: 1, selector: {}, template: {}}}
`,
		},
		"Templates": {
			reason: "Raw templates should merge as kubectl apply would: maps by key, containers by name, and what is ours stays.",
			world: world{Spec: `
runtime:
  replicas: 1
  args: [--debug]
  podAnnotations: {a: ours}
  deploymentTemplate:
    metadata: {labels: {l: raw}}
    spec:
      replicas: 3
      strategy: {type: Recreate}
      template:
        metadata: {annotations: {b: raw}}
        spec:
          hostNetwork: true
          containers:
          - {name: sidecar, image: example.org/sidecar}
          - {name: package-runtime, securityContext: {runAsUser: 1000}, ports: [{containerPort: 8080, name: metrics}]}
  serviceAccountTemplate: {metadata: {annotations: {c: raw}, labels: {l: raw}}}
`},
			key: "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3, annotations: {c: raw}, labels: {l: raw}}}
  deploymentTemplate:
    metadata: {labels: {l: raw}}
    spec:
      replicas: 3
      selector: {}
      strategy: {type: Recreate}
      template:
        metadata: {annotations: {a: ours, b: raw}}
        spec:
          hostNetwork: true
          containers:
          - {name: sidecar, image: example.org/sidecar}
          - {name: package-runtime, args: [--debug], env: [{name: LEADER_ELECTION, value: "true"}], securityContext: {runAsUser: 1000}, ports: [{containerPort: 8080, name: metrics}]}
`,
		},
		"Leader": {
			reason: "Several pods should choose one that works, whatever else the container has.",
			world:  world{Spec: `runtime: {replicas: 2}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {replicas: 2, selector: {}, template: {spec: {containers: [{name: package-runtime, env: [{name: LEADER_ELECTION, value: "true"}]}]}}}}
`,
		},
		"LeaderBesideSidecar": {
			reason: "Also where a template has only other containers.",
			world:  world{Spec: `runtime: {deploymentTemplate: {spec: {replicas: 2, template: {spec: {containers: [{name: sidecar, image: a}]}}}}}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {replicas: 2, selector: {}, template: {spec: {containers: [{name: sidecar, image: a}, {name: package-runtime, env: [{name: LEADER_ELECTION, value: "true"}]}]}}}}
`,
		},
		"LeaderChosen": {
			reason: "A user who says something else about it should be listened to.",
			world:  world{Spec: `runtime: {replicas: 2, env: [{name: LEADER_ELECTION, value: "false"}]}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {replicas: 2, selector: {}, template: {spec: {containers: [{name: package-runtime, env: [{name: LEADER_ELECTION, value: "false"}]}]}}}}
`,
		},
		"Args": {
			reason: "A template's arguments should be added to the others, and take the place of those for the same flag, values included.",
			world: world{Spec: `
runtime:
  args: [--debug, --poll, 5m, --max-reconcile-rate=10]
  deploymentTemplate: {spec: {template: {spec: {containers: [{name: sidecar, args: [a]}, {name: package-runtime, args: [--no-debug, --poll=1m, --enable-changelogs]}]}}}}
`},
			key: "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {spec: {containers: [{name: sidecar, args: [a]}, {name: package-runtime, args: [--max-reconcile-rate=10, --no-debug, --poll=1m, --enable-changelogs]}]}}}}
`,
		},
		"NewerFields": {
			reason: "What only newer releases of Crossplane have should be merged, too.",
			world:  world{Spec: `{runtime: {nodeSelector: {a: b}, deploymentTemplate: {spec: {template: {spec: {workloadRef: {name: a, podGroup: b}, hostnameOverride: b}}}}}}`, Input: `{prerequisites: Assume}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {spec: {containers: [], nodeSelector: {a: b}, workloadRef: {name: a, podGroup: b}, hostnameOverride: b}}}}
`,
		},
		"NothingToKeep": {
			reason: "A config that says nothing should get what is certain.",
			world: world{
				Spec:     `runtime: {replicas: 1, deploymentTemplate: {sepc: {}}}`,
				Observed: map[string]string{"runtimeconfig/s3": `{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-s3}}`},
			},
			key: "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {replicas: 1, selector: {}, template: {}}}
`,
		},
		"Kept": {
			reason: "A config whose template became wrong should stay as it exists, whatever else changed, but for the digest.",
			world: world{
				Spec: `runtime: {replicas: 3, deploymentTemplate: {sepc: {}}}`,
				Observed: map[string]string{
					"association/s3":   `{apiVersion: eks.aws.upbound.io/v1beta1, kind: PodIdentityAssociation, metadata: {name: a}, spec: {forProvider: {clusterName: prod}}, status: {atProvider: {associationId: a-1, roleArn: r}}}`,
					"runtimeconfig/s3": `{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-s3, uid: u}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws-s3}}, deploymentTemplate: {spec: {replicas: 1, selector: {}, template: {spec: {containers: [], hostNetwork: true}}}}}, status: {}}`,
				},
			},
			key: "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {replicas: 1, selector: {}, template: {metadata: {annotations: {aws.podidentity.dev/identity: 30f8b395}}, spec: {containers: [], hostNetwork: true}}}}
`,
		},
		"TemplateWithoutContainers": {
			reason: "A raw pod without containers should get the list that the API server wants.",
			world:  world{Spec: `runtime: {deploymentTemplate: {spec: {template: {spec: {hostNetwork: true}}}}}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {spec: {containers: [], hostNetwork: true}}}}
`,
		},
		"TemplateWithoutPod": {
			reason: "A raw template without a pod should get none.",
			world:  world{Spec: `runtime: {deploymentTemplate: {spec: {minReadySeconds: 5}}, serviceAccountTemplate: {}}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, minReadySeconds: 5, template: {}}}
`,
		},
		"ServiceTemplate": {
			reason: "A service's template should take the place of that of all.",
			world: world{Spec: `
runtime: {deploymentTemplate: {metadata: {labels: {a: all}}}}
services: [{name: s3, runtime: {deploymentTemplate: {metadata: {labels: {b: s3}}}}}]`},
			key: "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {metadata: {labels: {b: s3}}, spec: {selector: {}, template: {}}}
`,
		},
	})
}

// TestFlawedTemplates makes sure that a template that is wrong is found before it is merged, and delays only what it is for.
func TestFlawedTemplates(t *testing.T) {
	const missing = "spec.services[0].runtime.deploymentTemplate.spec.template.spec.containers[0].name: Required value: must be set"
	w := world{Spec: `services: [{name: s3, runtime: {args: [--debug], deploymentTemplate: {spec: {template: {spec: {containers: [{image: a}]}}}}}}, {name: ec2}]`}
	want := &Wait{Reason: v1alpha1.ReasonInvalidSpec, Message: missing}
	for key, wait := range map[string]*Wait{
		"template/s3/deploymentTemplate": want, "runtimeconfig/s3": want, "provider/s3": want,
		"role/s3": nil, "association/s3": nil, "runtimeconfig/ec2": nil,
	} {
		r := w.resource(t, key)
		if r == nil {
			t.Errorf("there should be %s", key)
			continue
		}
		if diff := cmp.Diff(wait, r.Wait, ignoreOwner); diff != "" {
			t.Errorf("a wrong template should hold back what is made of it, and nothing else: %s: -want wait, +got:\n%s", key, diff)
		}
	}
	if r := w.resource(t, "template/ec2/deploymentTemplate"); r != nil {
		t.Errorf("a service whose templates are right should have no check of them, got %v", r.Key)
	}
}

// TestReplicas judges a config by what runs with it.
func TestReplicas(t *testing.T) {
	stopped := Readiness{ActionRequired: true, Message: "stops the provider, because runtime.replicas is 0. To do: set it to 1, or take it out"}
	for observed, want := range map[string]Readiness{
		`{}`: {Ready: true},
		`{spec: {deploymentTemplate: {spec: {replicas: 1}}}}`: {Ready: true},
		`{spec: {deploymentTemplate: {spec: {replicas: 0}}}}`: stopped,
	} {
		o := testutil.Parse(t, observed)
		o["metadata"] = map[string]any{"name": "provider-aws-s3"}
		if diff := cmp.Diff(want, world{}.resource(t, "runtimeconfig/s3").Ready(view.NewObject(testutil.Struct(t, o)))); diff != "" {
			t.Errorf("a provider without pods is not ready: %s: -want, +got:\n%s", observed, diff)
		}
	}
}

// TestDigest covers the annotation that makes a provider's pods restart when their credentials change.
func TestDigest(t *testing.T) {
	const head, tail = `{metadata: {name: a}, status: {atProvider: {`, `}}}`
	const complete = `associationId: a-s30123456789abcde, roleArn: "arn:aws:iam::123456789012:role/crossplane-prod-eu-west-1-s3"`
	// digest in the annotations that a config with the given association and observed config has.
	digest := func(t *testing.T, association, config string) string {
		t.Helper()
		w := world{Observed: map[string]string{}}
		if association != "" {
			w.Observed["association/s3"] = association
		}
		if config != "" {
			w.Observed["runtimeconfig/s3"] = config
		}
		o, err := w.resource(t, "runtimeconfig/s3").Build()
		if err != nil {
			t.Fatal(err)
		}
		return view.NewObject(o).String("spec", "deploymentTemplate", "spec", "template", "metadata", "annotations", "aws.podidentity.dev/identity")
	}
	const known = "ccc5fc40"
	const config = `{spec: {deploymentTemplate: {spec: {template: {metadata: {annotations: {aws.podidentity.dev/identity: before}}}}}}}`
	cases := map[string]struct {
		reason, association, config, want string
	}{
		"NoAssociation": {"Without an association there is nothing to digest.", "", "", ""},
		"NoID":          {"Nor without an id.", head + `roleArn: "arn:x"` + tail, "", ""},
		"OnlyID":        {"An id is enough, with what is wanted.", head + `associationId: a-1` + tail, "", "a-1-599ccb48"},
		"AnotherID":     {"Another id restarts, also where a provider tells no more.", head + `associationId: a-2` + tail, strings.Replace(config, "before", "a-1-599ccb48", 1), "a-2-599ccb48"},
		"AllOverOnlyID": {"What tells all is worth more than what tells the id.", head + complete + tail, strings.Replace(config, "before", "a-1-599ccb48", 1), known},
		"Known":         {"Another release must have the same digest, or every provider in the world restarts.", head + complete + tail, "", known},
		"Unready":       {"Readiness is no part of it.", `{metadata: {name: b}, status: {conditions: [{type: Ready, status: "False"}], atProvider: {` + complete + `, associationArn: x, externalId: z}}}`, "", known},
		"NewOverOld":    {"A digest that is known should replace the old one.", head + complete + tail, config, known},
		"Unreadable":    {"One that is not known should stay what it was: nothing restarts because something cannot be read.", head + `associationId: a-1` + tail, config, "before"},
		"Gone":          {"Also if the association is gone.", "", config, "before"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := digest(t, tc.association, tc.config); got != tc.want {
				t.Errorf("%s\ndigest: want %q, got %q", tc.reason, tc.want, got)
			}
		})
	}

	seen := map[string]string{known: "the complete one"}
	for what, fields := range map[string]string{
		"another id":              `associationId: a-2, roleArn: "arn:aws:iam::123456789012:role/crossplane-prod-eu-west-1-s3"`,
		"another role":            `associationId: a-s30123456789abcde, roleArn: "arn:aws:iam::123456789012:role/other"`,
		"a target role":           complete + `, targetRoleArn: "arn:aws:iam::210987654321:role/t"`,
		"another target role":     complete + `, targetRoleArn: "arn:aws:iam::210987654321:role/u"`,
		"no session tags":         complete + `, disableSessionTags: true`,
		"no tags and target role": complete + `, disableSessionTags: true, targetRoleArn: "arn:aws:iam::210987654321:role/t"`,
	} {
		d := digest(t, head+fields+tail, config)
		if other, ok := seen[d]; ok || d == "" || d == "before" {
			t.Errorf("an association with %s should have a digest of its own, got %q, as has %s", what, d, other)
		}
		seen[d] = what
	}
	if got := digest(t, head+complete+`, disableSessionTags: false, targetRoleArn: ""`+tail, ""); got != known {
		t.Errorf("session tags that are not disabled are as good as none of the field, got %q", got)
	}
}

// TestDigestBesideAnnotations makes sure that the digest neither replaces annotations of the user nor shows up in them.
func TestDigestBesideAnnotations(t *testing.T) {
	w := world{
		Spec:     `{runtime: {podAnnotations: {a: b}}, services: [{name: s3}, {name: ec2}]}`,
		Observed: map[string]string{"association/s3": associationOf("2025-01-01T00:00:00Z")},
	}
	annotations := func(key string) any {
		o, err := w.resource(t, key).Build()
		if err != nil {
			t.Fatal(err)
		}
		return view.NewObject(o).Value("spec", "deploymentTemplate", "spec", "template", "metadata", "annotations").AsInterface()
	}
	if diff := cmp.Diff(map[string]any{"a": "b", "aws.podidentity.dev/identity": "ccc5fc40"}, annotations("runtimeconfig/s3")); diff != "" {
		t.Errorf("annotations of s3: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"a": "b"}, annotations("runtimeconfig/ec2")); diff != "" {
		t.Errorf("annotations of ec2, whose association is not known: -want, +got:\n%s", diff)
	}
}

func TestRuntimeConfigAbsent(t *testing.T) {
	testAbsent(t, map[string]absentCase{
		"Observe": {"A provider that somebody else installs is configured by them.", `services: [{name: s3, management: Observe}]`, []string{"runtimeconfig/", "provider/"}},
	})
}

func TestRuntimeConfigWait(t *testing.T) {
	const name = "DeploymentRuntimeConfig.pkg.crossplane.io/provider-aws-s3"
	testWait(t, map[string]waitCase{
		"Nothing":  {"A config needs nobody.", world{}, "runtimeconfig/s3", nil},
		"NoKinds":  {"Not even the kinds of providers.", world{Answers: map[string]string{"kind/roles.iam.aws.upbound.io": `[]`, "kind/podidentityassociations.eks.aws.upbound.io": unanswered}}, "runtimeconfig/s3", nil},
		"Preview":  {"A preview waits for nothing.", world{Input: `preview: true`, Answers: map[string]string{name: `[{metadata: {name: provider-aws-s3}}]`}}, "runtimeconfig/s3", nil},
		"Observed": {"What was observed is ours.", world{Observed: map[string]string{"runtimeconfig/s3": `{metadata: {name: provider-aws-s3}}`}, Answers: map[string]string{name: unanswered}}, "runtimeconfig/s3", nil},
		"Looking": {
			"Until it is known whether somebody else has one of the name, nothing should be taken over.",
			world{Answers: map[string]string{name: unanswered}},
			"runtimeconfig/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: "DeploymentRuntimeConfig provider-aws-s3", Message: "checking whether it exists"},
		},
		"Taken": {
			"One that somebody wrote by hand would be taken over silently.",
			world{Answers: map[string]string{name: `[{metadata: {name: provider-aws-s3}}]`}},
			"runtimeconfig/s3",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "DeploymentRuntimeConfig provider-aws-s3",
				Message: "exists and no composite resource made it: delete it, or set management: Observe for the service",
			},
		},
	})
}

// TestRestartIsHeld makes sure that a running provider is restarted for a changed association only when EKS knows that
// everywhere, and that the resource is not ready until then, so that Crossplane looks again soon.
func TestRestartIsHeld(t *testing.T) {
	const old = `{kind: DeploymentRuntimeConfig, spec: {deploymentTemplate: {spec: {template: {metadata: {annotations: {aws.podidentity.dev/identity: old}}}}}}}`
	const running = `{kind: Provider, metadata: {name: provider-aws-s3}}`
	cases := map[string]struct {
		reason   string
		observed map[string]string
		want     string
		ready    bool
	}{
		"Settling":   {"A new association is not known everywhere: the pods keep running.", map[string]string{"runtimeconfig/s3": old, "provider/s3": running, "association/s3": associationOf("2025-12-31T23:59:51Z")}, "old", false},
		"Settled":    {"Now it is.", map[string]string{"runtimeconfig/s3": old, "provider/s3": running, "association/s3": associationOf("2025-12-31T23:59:50Z")}, "ccc5fc40", true},
		"NoProvider": {"Without a provider there is nothing to restart.", map[string]string{"runtimeconfig/s3": old, "association/s3": associationOf("2025-12-31T23:59:51Z")}, "ccc5fc40", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := world{Observed: tc.observed}.resource(t, "runtimeconfig/s3")
			o, err := r.Build()
			if err != nil {
				t.Fatal(err)
			}
			if got := view.NewObject(o).String("spec", "deploymentTemplate", "spec", "template", "metadata", "annotations", "aws.podidentity.dev/identity"); got != tc.want {
				t.Errorf("%s\ndigest: want %q, got %q", tc.reason, tc.want, got)
			}
			if got := r.Ready(view.NewObject(o)); got.Ready != tc.ready {
				t.Errorf("%s\nready: want %t, got %v", tc.reason, tc.ready, got)
			}
		})
	}
}
