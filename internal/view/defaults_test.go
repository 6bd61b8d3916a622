package view

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

func TestDefaults(t *testing.T) {
	cases := map[string]struct {
		reason               string
		spec, defaults, want string
	}{
		"None": {
			reason: "Without defaults, the spec stays as it is.",
			spec:   `{region: a, services: [{name: s3}]}`, defaults: `{}`,
			want: `{region: a, services: [{name: s3}]}`,
		},
		"Fill": {
			reason: "Fields that the spec does not set are filled in.",
			spec:   `{services: [{name: s3}]}`, defaults: `{region: a, role: {namePrefix: p}, accountId: "1"}`,
			want: `{region: a, role: {namePrefix: p}, accountId: "1", services: [{name: s3}]}`,
		},
		"SpecWins": {
			reason: "Fields that the spec sets take precedence, one by one,",
			spec:   `{region: a, provider: {version: v1.0.0}, services: [{name: s3}]}`, defaults: `{region: b, provider: {version: v2.0.0, registry: r/x}}`,
			want: `{region: a, provider: {version: v1.0.0, registry: r/x}, services: [{name: s3}]}`,
		},
		"ZeroWins": {
			reason:   "also with a zero value.",
			spec:     `{runtime: {replicas: 0, associationSettleSeconds: 0, verifyCredentials: false}, services: [{name: s3}]}`,
			defaults: `{runtime: {replicas: 3, associationSettleSeconds: 20, verifyCredentials: true}}`,
			want:     `{runtime: {replicas: 0, associationSettleSeconds: 0, verifyCredentials: false}, services: [{name: s3}]}`,
		},
		"NullDoesNot": {
			reason: "A null is not a value.",
			spec:   `{region: null, role: null, services: [{name: s3}]}`, defaults: `{region: b, role: {path: /x/}}`,
			want: `{region: b, role: {path: /x/}, services: [{name: s3}]}`,
		},
		"EmptyTextDoesNot": {
			reason:   "An empty string in a field is a template's output for no value.",
			spec:     `{region: "", role: {path: ""}, clusterName: "", services: [{name: s3, roleArn: "", version: ""}]}`,
			defaults: `{region: b, role: {path: /x/}, clusterNameRef: {name: c}, services: [{name: s3, version: v1.0.0, permissions: {accessLevel: ReadOnly}}]}`,
			want:     `{region: b, role: {path: /x/}, clusterName: "", clusterNameRef: {name: c}, services: [{name: s3, roleArn: "", version: v1.0.0, permissions: {accessLevel: ReadOnly}}]}`,
		},
		"EmptyTextInMap": {
			reason: "In a user's map, an empty string is a value.",
			spec:   `{tags: {a: ""}, runtime: {podLabels: {l: ""}}, services: [{name: s3}]}`, defaults: `{tags: {a: d}, runtime: {podLabels: {l: d}}}`,
			want: `{tags: {a: ""}, runtime: {podLabels: {l: ""}}, services: [{name: s3}]}`,
		},
		"MapsMerge": {
			reason: "Maps are merged, key by key.",
			spec:   `{tags: {a: mine, b: mine}, services: [{name: s3}]}`, defaults: `{tags: {b: default, c: default}, runtime: {podLabels: {l: d}}}`,
			want: `{tags: {a: mine, b: mine, c: default}, runtime: {podLabels: {l: d}}, services: [{name: s3}]}`,
		},
		"ListsWhole": {
			reason:   "Lists are not merged, so that an entry can be removed.",
			spec:     `{runtime: {args: [--mine]}, managementPolicies: [], services: [{name: s3}]}`,
			defaults: `{runtime: {args: [--a, --b], env: [{name: A}]}, managementPolicies: [Observe]}`,
			want:     `{runtime: {args: [--mine], env: [{name: A}]}, managementPolicies: [], services: [{name: s3}]}`,
		},
		"Kinds": {
			reason:   "Neither is the word that replaces a list.",
			spec:     `{services: [{name: s3, permissions: {kinds: Active}}, {name: sqs, permissions: {kinds: [Queue]}}, {name: sns}, {name: ec2, permissions: {kinds: ""}}]}`,
			defaults: `{services: [{name: s3, permissions: {kinds: [Bucket]}}, {name: sqs, permissions: {kinds: Active}}, {name: sns, permissions: {kinds: Active}}, {name: ec2, permissions: {kinds: [VPC]}}]}`,
			want:     `{services: [{name: s3, permissions: {kinds: Active}}, {name: sqs, permissions: {kinds: [Queue]}}, {name: sns, permissions: {kinds: Active}}, {name: ec2, permissions: {kinds: [VPC]}}]}`,
		},
		"ServicesByName": {
			reason:   "Defaults of a service apply to the service with that name, and add none.",
			spec:     `{services: [{name: s3}, {name: ec2, version: v1.0.0, runtime: {podLabels: {a: mine}}}]}`,
			defaults: `{services: [{name: ec2, version: v2.0.0, serviceAccountName: sa, runtime: {podLabels: {a: d, b: d}}}, {name: rds, version: v3.0.0}]}`,
			want:     `{services: [{name: s3}, {name: ec2, version: v1.0.0, serviceAccountName: sa, runtime: {podLabels: {a: mine, b: d}}}]}`,
		},
		"NoServices": {
			reason: "A spec without services gets none.",
			spec:   `{region: a}`, defaults: `{services: [{name: rds}]}`,
			want: `{region: a, services: null}`,
		},
		"OwnClusterName": {
			reason: "A cluster that the spec names excludes a reference in the defaults,",
			spec:   `{clusterName: mine, services: [{name: s3}]}`, defaults: `{clusterNameRef: {name: other}, clusterNameSelector: {matchLabels: {a: b}}, region: r}`,
			want: `{clusterName: mine, region: r, services: [{name: s3}]}`,
		},
		"OwnClusterRef": {
			reason: "and the other way round.",
			spec:   `{clusterNameRef: {name: mine}, services: [{name: s3}]}`, defaults: `{clusterName: other}`,
			want: `{clusterNameRef: {name: mine}, services: [{name: s3}]}`,
		},
		"OwnClusterSelector": {
			reason: "Labels of a selector are not merged with those of the defaults, because that would select another cluster.",
			spec:   `{clusterNameSelector: {matchLabels: {a: mine}}, services: [{name: s3}]}`, defaults: `{clusterNameSelector: {matchLabels: {b: default}}}`,
			want: `{clusterNameSelector: {matchLabels: {a: mine}}, services: [{name: s3}]}`,
		},
		"DefaultCluster": {
			reason: "A spec without a cluster gets that of the defaults.",
			spec:   `{services: [{name: s3}]}`, defaults: `{clusterNameRef: {name: other}}`,
			want: `{clusterNameRef: {name: other}, services: [{name: s3}]}`,
		},
		"OwnRoleARN": {
			reason: "A service with an existing role does not get settings of a composed role.",
			spec:   `{services: [{name: s3, roleArn: mine}]}`, defaults: `{services: [{name: s3, permissions: {accessLevel: None}, roleName: r, importRole: true, version: v1.0.0}]}`,
			want: `{services: [{name: s3, roleArn: mine, version: v1.0.0}]}`,
		},
		"OwnPermissions": {
			reason:   "A service with its own permissions does not get an existing role.",
			spec:     `{services: [{name: s3, permissions: {accessLevel: None}}, {name: ec2, roleName: r}, {name: rds}]}`,
			defaults: `{services: [{name: s3, roleArn: other, version: v1.0.0}, {name: ec2, roleArn: other}, {name: rds, roleArn: other}]}`,
			want:     `{services: [{name: s3, permissions: {accessLevel: None}, version: v1.0.0}, {name: ec2, roleName: r}, {name: rds, roleArn: other}]}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, "spec: "+tc.spec, "defaults: "+tc.defaults)
			before := proto.Clone(req)
			v := mustView(t, req)
			want := &v1alpha1.PodIdentityProviderSpec{}
			if err := yaml.UnmarshalStrict([]byte(tc.want), want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, v.Spec); diff != "" {
				t.Errorf("%s\nSpec: -want, +got:\n%s", tc.reason, diff)
			}
			if !proto.Equal(before, req) {
				t.Errorf("%s\nFrom(...) changed the request", tc.reason)
			}
		})
	}
}

// TestDefaultsKeepInput checks that merging defaults into one service changes neither those of the next service nor those of the next
// call.
func TestDefaultsKeepInput(t *testing.T) {
	platform := configuration(t, `defaults: {services: [{name: s3, runtime: {podLabels: {a: default, b: default}}}]}`)
	for range 2 {
		v, errs := From(newRequest(t, `spec: {services: [{name: s3, runtime: {podLabels: {a: one}}}, {name: s3}]}`, ""), platform, now())
		if len(errs) > 0 {
			t.Fatalf("From(...): %v", errs.ToAggregate())
		}
		got := []map[string]string{v.Spec.Services[0].Runtime.PodLabels, v.Spec.Services[1].Runtime.PodLabels}
		want := []map[string]string{{"a": "one", "b": "default"}, {"a": "default", "b": "default"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("labels of the first service and the second: -want, +got:\n%s", diff)
		}
	}
}
