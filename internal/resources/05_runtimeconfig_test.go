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
			reason: "The config names the ServiceAccount, and otherwise has only what the API server requires.",
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {}}}
`,
		},
		"Everything": {
			reason: "All options of the runtime are passed on, those of the container in the package's container.",
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
			reason: "A single option of the container is enough, and adds no empty ones.",
			world:  world{Spec: `runtime: {resources: {limits: {memory: 1Gi}}}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {spec: {containers: [{name: package-runtime, resources: {limits: {memory: 1Gi}}}]}}}}
`,
		},
		"NoContainer": {
			reason: "A pod without options of the container has the list of containers that the API server requires, but empty.",
			world:  world{Spec: `runtime: {priorityClassName: p}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {spec: {containers: [], priorityClassName: p}}}}
`,
		},
		"Service": {
			reason: "A service's own options take precedence, and maps are merged.",
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
			reason: "The options of another service are ignored.",
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
			reason: "Raw templates are merged as with kubectl apply: maps by key, containers by name, and generated fields stay.",
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
			reason: "Several pods elect a leader, regardless of the container's other options,",
			world:  world{Spec: `runtime: {replicas: 2}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {replicas: 2, selector: {}, template: {spec: {containers: [{name: package-runtime, env: [{name: LEADER_ELECTION, value: "true"}]}]}}}}
`,
		},
		"LeaderBesideSidecar": {
			reason: "also if a template has only other containers.",
			world:  world{Spec: `runtime: {deploymentTemplate: {spec: {replicas: 2, template: {spec: {containers: [{name: sidecar, image: a}]}}}}}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {replicas: 2, selector: {}, template: {spec: {containers: [{name: sidecar, image: a}, {name: package-runtime, env: [{name: LEADER_ELECTION, value: "true"}]}]}}}}
`,
		},
		"LeaderChosen": {
			reason: "A user's own setting takes precedence.",
			world:  world{Spec: `runtime: {replicas: 2, env: [{name: LEADER_ELECTION, value: "false"}]}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {replicas: 2, selector: {}, template: {spec: {containers: [{name: package-runtime, env: [{name: LEADER_ELECTION, value: "false"}]}]}}}}
`,
		},
		"Args": {
			reason: "A template's arguments are added to the others, and replace those for the same flag, including their values.",
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
			reason: "Fields that only newer releases of Crossplane have are merged, too.",
			world:  world{Spec: `{runtime: {nodeSelector: {a: b}, deploymentTemplate: {spec: {template: {spec: {workloadRef: {name: a, podGroup: b}, hostnameOverride: b}}}}}}`, Input: `{prerequisites: Assume}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {spec: {containers: [], nodeSelector: {a: b}, workloadRef: {name: a, podGroup: b}, hostnameOverride: b}}}}
`,
		},
		"NothingToKeep": {
			reason: "An existing config without a spec gets the certain fields.",
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
			reason: "A config whose template became invalid stays as it is, except for the digest, regardless of other changes.",
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
			reason: "A raw pod without containers gets the list that the API server requires.",
			world:  world{Spec: `runtime: {deploymentTemplate: {spec: {template: {spec: {hostNetwork: true}}}}}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, template: {spec: {containers: [], hostNetwork: true}}}}
`,
		},
		"TemplateWithoutPod": {
			reason: "A raw template without a pod gets none.",
			world:  world{Spec: `runtime: {deploymentTemplate: {spec: {minReadySeconds: 5}}, serviceAccountTemplate: {}}`},
			key:    "runtimeconfig/s3",
			want: head + `
spec:
  serviceAccountTemplate: {metadata: {name: provider-aws-s3}}
  deploymentTemplate: {spec: {selector: {}, minReadySeconds: 5, template: {}}}
`,
		},
		"ServiceTemplate": {
			reason: "A service's template replaces the common one.",
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

// TestFlawedTemplates checks that an invalid template is found before it is merged, and delays only its own resources.
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
			t.Errorf("%s should exist", key)
			continue
		}
		if diff := cmp.Diff(wait, r.Wait, ignoreOwner); diff != "" {
			t.Errorf("an invalid template should block its own resources, and nothing else: %s: -want wait, +got:\n%s", key, diff)
		}
	}
	if r := w.resource(t, "template/ec2/deploymentTemplate"); r != nil {
		t.Errorf("a service with valid templates should have no check of them, got %v", r.Key)
	}
}

// TestReplicas checks that a config's readiness depends on its replicas.
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
			t.Errorf("a provider without pods should not be ready: %s: -want, +got:\n%s", observed, diff)
		}
	}
}

// TestDigest covers the annotation that restarts a provider's pods when their credentials change.
func TestDigest(t *testing.T) {
	const head, tail = `{metadata: {name: a}, status: {atProvider: {`, `}}}`
	const complete = `associationId: a-s30123456789abcde, roleArn: "arn:aws:iam::123456789012:role/crossplane-prod-eu-west-1-s3"`
	// digest returns the digest in the annotations of a config, for a given association and observed config.
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
		"NoAssociation": {"Without an association, there is no digest.", "", "", ""},
		"NoID":          {"Neither is there one without an ID.", head + `roleArn: "arn:x"` + tail, "", ""},
		"OnlyID":        {"An ID is enough, along with the desired fields.", head + `associationId: a-1` + tail, "", "a-1-599ccb48"},
		"AnotherID":     {"Another ID restarts the pods, even if the status has no more fields.", head + `associationId: a-2` + tail, strings.Replace(config, "before", "a-1-599ccb48", 1), "a-2-599ccb48"},
		"AllOverOnlyID": {"A complete status takes precedence over one with only the ID.", head + complete + tail, strings.Replace(config, "before", "a-1-599ccb48", 1), known},
		"Known":         {"Another release must have the same digest, or every existing provider would restart.", head + complete + tail, "", known},
		"Unready":       {"Readiness does not affect the digest.", `{metadata: {name: b}, status: {conditions: [{type: Ready, status: "False"}], atProvider: {` + complete + `, associationArn: x, externalId: z}}}`, "", known},
		"NewOverOld":    {"A known digest replaces the old one.", head + complete + tail, config, known},
		"Unreadable":    {"An unknown digest stays as it was: nothing restarts because the association cannot be read,", head + `associationId: a-1` + tail, config, "before"},
		"Gone":          {"or because it is deleted.", "", config, "before"},
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
			t.Errorf("an association with %s should have its own digest, got %q, the same as %s", what, d, other)
		}
		seen[d] = what
	}
	if got := digest(t, head+complete+`, disableSessionTags: false, targetRoleArn: ""`+tail, ""); got != known {
		t.Errorf("session tags that are not disabled should equal an unset field, got %q", got)
	}
}

// TestDigestBesideAnnotations checks that the digest neither replaces a user's annotations nor changes them.
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
		t.Errorf("annotations of ec2, whose association is unknown: -want, +got:\n%s", diff)
	}
}

func TestRuntimeConfigAbsent(t *testing.T) {
	testAbsent(t, map[string]absentCase{
		"Observe": {"A provider that another owner installs has its own configuration.", `services: [{name: s3, management: Observe}]`, []string{"runtimeconfig/", "provider/"}},
	})
}

func TestRuntimeConfigWait(t *testing.T) {
	const name = "DeploymentRuntimeConfig.pkg.crossplane.io/provider-aws-s3"
	testWait(t, map[string]waitCase{
		"Nothing":  {"A config waits for nothing,", world{}, "runtimeconfig/s3", nil},
		"NoKinds":  {"not even for the kinds of providers.", world{Answers: map[string]string{"kind/roles.iam.aws.upbound.io": `[]`, "kind/podidentityassociations.eks.aws.upbound.io": unanswered}}, "runtimeconfig/s3", nil},
		"Preview":  {"A preview waits for nothing.", world{Input: `preview: true`, Answers: map[string]string{name: `[{metadata: {name: provider-aws-s3}}]`}}, "runtimeconfig/s3", nil},
		"Observed": {"An observed config belongs to the composite resource.", world{Observed: map[string]string{"runtimeconfig/s3": `{metadata: {name: provider-aws-s3}}`}, Answers: map[string]string{name: unanswered}}, "runtimeconfig/s3", nil},
		"Looking": {
			"Until it is known whether a config with that name exists, nothing is adopted.",
			world{Answers: map[string]string{name: unanswered}},
			"runtimeconfig/s3",
			&Wait{Reason: v1alpha1.ReasonWaiting, Subject: "DeploymentRuntimeConfig provider-aws-s3", Message: "checking whether it exists"},
		},
		"Taken": {
			"A config that was created manually would be adopted silently.",
			world{Answers: map[string]string{name: `[{metadata: {name: provider-aws-s3}}]`}},
			"runtimeconfig/s3",
			&Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "DeploymentRuntimeConfig provider-aws-s3",
				Message: "exists and no composite resource made it: delete it, or set management: Observe for the service",
			},
		},
	})
}

// TestRestartIsHeld checks that a changed association restarts a running provider only once it has settled in EKS, and that the resource
// is not ready until then, so that Crossplane reconciles again soon.
func TestRestartIsHeld(t *testing.T) {
	const old = `{kind: DeploymentRuntimeConfig, spec: {deploymentTemplate: {spec: {template: {metadata: {annotations: {aws.podidentity.dev/identity: old}}}}}}}`
	const running = `{kind: Provider, metadata: {name: provider-aws-s3}}`
	cases := map[string]struct {
		reason   string
		observed map[string]string
		want     string
		ready    bool
	}{
		"Settling":   {"A new association has not settled in EKS: the pods keep running.", map[string]string{"runtimeconfig/s3": old, "provider/s3": running, "association/s3": associationOf("2025-12-31T23:59:51Z")}, "old", false},
		"Settled":    {"Now it has settled.", map[string]string{"runtimeconfig/s3": old, "provider/s3": running, "association/s3": associationOf("2025-12-31T23:59:50Z")}, "ccc5fc40", true},
		"NoProvider": {"Without a provider, there is nothing to restart.", map[string]string{"runtimeconfig/s3": old, "association/s3": associationOf("2025-12-31T23:59:51Z")}, "ccc5fc40", true},
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
