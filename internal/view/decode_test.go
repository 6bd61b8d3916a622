package view

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInputErrors(t *testing.T) {
	cases := map[string]struct {
		reason, input string
		want          []string
	}{
		"Good": {
			"All fields of an Input are accepted.",
			`{apiVersion: podidentity.fn.crossplane.io/v1beta1, kind: Input, metadata: {name: a, labels: {a: b}}, prerequisites: Assume, preview: true, ttl: 10m,
			 defaults: {region: eu-west-1, clusterNameRef: {name: c}, services: [{name: s3, runtime: {replicas: 2, env: [{name: A, value: b}]}}], tags: {any: key},
			 runtime: {deploymentTemplate: {spec: {any: thing}}, resources: {limits: {cpu: 100m, memory: 1.5}}}}}`,
			nil,
		},
		"Nulls":   {"null is treated as unset.", `{defaults: {region: null, services: [null], runtime: null, tags: {a: null}}, ttl: null}`, nil},
		"Unknown": {"An unknown field is a typo, and must not be ignored.", `{default: {}}`, []string{"input.default: FieldValueInvalid"}},
		"UnknownDeep": {
			"It is reported at any depth, with the exact path.",
			`{defaults: {regions: a, services: [{name: s3}, {name: ec2, permission: {}}], runtime: {env: [{name: A, valueFrom: {secretRef: {}}}], affinity: {nodeAffinity: {required: []}}}}}`,
			[]string{
				"input.defaults.regions: FieldValueInvalid", "input.defaults.runtime.affinity.nodeAffinity.required: FieldValueInvalid",
				"input.defaults.runtime.env[0].valueFrom.secretRef: FieldValueInvalid", "input.defaults.services[1].permission: FieldValueInvalid",
			},
		},
		"UnknownInMetadata": {"The metadata has a schema, too.", `{metadata: {lables: {}}}`, []string{"input.metadata.lables: FieldValueInvalid"}},
		"XRFields":          {"Crossplane's own fields of a composite resource cannot have defaults.", `{defaults: {compositionRef: {name: a}}}`, []string{"input.defaults.compositionRef: FieldValueInvalid"}},
		"Scalars": {
			"All values of the wrong type are reported at once, each with its path.",
			`{preview: 1, prerequisites: true, defaults: {region: 1, accountId: 123456789012, tags: {a: 1, b: x, c: []}, runtime: {replicas: "2", associationSettleSeconds: 1.5, verifyCredentials: "yes"}}}`,
			[]string{
				"input.defaults.accountId: FieldValueTypeInvalid", "input.defaults.region: FieldValueTypeInvalid",
				"input.defaults.runtime.associationSettleSeconds: FieldValueTypeInvalid", "input.defaults.runtime.replicas: FieldValueTypeInvalid",
				"input.defaults.runtime.verifyCredentials: FieldValueTypeInvalid",
				"input.defaults.tags[a]: FieldValueTypeInvalid", "input.defaults.tags[c]: FieldValueTypeInvalid",
				"input.prerequisites: FieldValueTypeInvalid", "input.preview: FieldValueTypeInvalid",
			},
		},
		"Containers": {
			"So are objects and lists of the wrong type.",
			`{defaults: {services: {name: s3}, runtime: [], tags: [], managementPolicies: "*", role: admin}}`,
			[]string{
				"input.defaults.managementPolicies: FieldValueTypeInvalid", "input.defaults.role: FieldValueTypeInvalid", "input.defaults.runtime: FieldValueTypeInvalid",
				"input.defaults.services: FieldValueTypeInvalid", "input.defaults.tags: FieldValueTypeInvalid",
			},
		},
		"DefaultsNoObject": {"The defaults are an object.", `{defaults: []}`, []string{"input.defaults: FieldValueTypeInvalid"}},
		"CustomForms": {
			"Types with their own form are checked by it.",
			`{ttl: soon, defaults: {runtime: {resources: {limits: {memory: lots}}, deploymentTemplate: "spec: {}", serviceAccountTemplate: [1], tolerations: [{key: a, tolerationSeconds: "5"}]}}}`,
			[]string{
				"input.defaults.runtime.deploymentTemplate: FieldValueTypeInvalid", "input.defaults.runtime.resources.limits[memory]: FieldValueInvalid",
				"input.defaults.runtime.serviceAccountTemplate: FieldValueTypeInvalid", "input.defaults.runtime.tolerations[0].tolerationSeconds: FieldValueTypeInvalid",
				"input.ttl: FieldValueInvalid",
			},
		},
		"Prerequisites": {"Only two values are known.", `{prerequisites: Ignore}`, []string{"input.prerequisites: FieldValueNotSupported"}},
		"ShortTTL":      {"An interval that is too short would cause useless load.", `{ttl: 59s}`, []string{"input.ttl: FieldValueInvalid"}},
		"LongTTL":       {"Drift should be noticed within an hour.", `{ttl: 1h0m1s}`, []string{"input.ttl: FieldValueInvalid"}},
		"NegativeTTL":   {"Time runs forward.", `{ttl: -5m}`, []string{"input.ttl: FieldValueInvalid"}},
		"Guardrails":    {"A guardrail that matches nothing would protect nothing.", `{guardrails: {deniedActions: [PassRole], allowedTargetAccounts: [x], allowedManagedPolicyArns: [x], requiredPermissionsBoundary: x}}`, []string{"input.guardrails.deniedActions[0]: FieldValueInvalid", "input.guardrails.allowedTargetAccounts[0]: FieldValueInvalid", "input.guardrails.allowedManagedPolicyArns[0]: FieldValueInvalid", "input.guardrails.requiredPermissionsBoundary: FieldValueInvalid"}},
		"APIVersion":    {"An Input of another version may mean something else.", `{apiVersion: podidentity.fn.crossplane.io/v1, kind: Input}`, []string{"input.apiVersion: FieldValueNotSupported"}},
		"Kind":          {"Another kind is not an Input, either.", `{apiVersion: podidentity.fn.crossplane.io/v1beta1, kind: Resources}`, []string{"input.kind: FieldValueNotSupported"}},
		"Several": {
			"All invalid values are reported at once.",
			`{prerequisites: Ignore, ttl: 1s, kind: X, apiVersion: v9, guardrails: {forbidCustomPermissions: true}}`,
			[]string{
				"input.prerequisites: FieldValueNotSupported", "input.ttl: FieldValueInvalid", "input.apiVersion: FieldValueNotSupported", "input.kind: FieldValueNotSupported",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, errs := From(newRequest(t, minimal, tc.input), nil, now())
			if diff := cmp.Diff(tc.want, paths(errs)); diff != "" {
				t.Errorf("%s\nFrom(...): -want errors, +got:\n%s\n%v", tc.reason, diff, errs.ToAggregate())
			}
		})
	}
}

func TestSpecErrors(t *testing.T) {
	cases := map[string]struct {
		reason, xr string
		want       []string
	}{
		"NoSpec":     {"Without a spec, no type is wrong; missing fields are reported elsewhere.", `{metadata: {name: a}}`, nil},
		"SpecList":   {"A spec is an object.", `{spec: [1]}`, []string{"spec: FieldValueTypeInvalid"}},
		"SpecString": {"It is not a string, either.", `{spec: x}`, []string{"spec: FieldValueTypeInvalid"}},
		"Unknown":    {"Unknown fields are ignored.", `{spec: {later: 1, services: [{name: s3, later: []}]}}`, nil},
		"Types": {
			"All values of the wrong type are reported, regardless of unknown fields next to them.",
			`{spec: {later: 1, region: [], services: [{name: s3}, {name: 5, runtime: {replicas: 1.5}}, s3], tags: {a: true}}}`,
			[]string{
				"spec.region: FieldValueTypeInvalid", "spec.services[1].name: FieldValueTypeInvalid", "spec.services[1].runtime.replicas: FieldValueTypeInvalid",
				"spec.services[2]: FieldValueTypeInvalid", "spec.tags[a]: FieldValueTypeInvalid",
			},
		},
		"Kinds": {
			"Kinds are a list or the word Active, and nothing else.",
			`{spec: {services: [{name: s3, permissions: {kinds: Active}}, {name: s3, permissions: {kinds: [Bucket]}}, {name: s3, permissions: {kinds: []}}, {name: s3, permissions: {kinds: null}},
			 {name: s3, permissions: {kinds: active}}, {name: s3, permissions: {kinds: ""}}, {name: s3, permissions: {kinds: Bucket}}, {name: s3, permissions: {kinds: 1}},
			 {name: s3, permissions: {kinds: true}}, {name: s3, permissions: {kinds: {Bucket: true}}}, {name: s3, permissions: {kinds: [1]}}, {name: s3, permissions: {kinds: [Active]}},
			 {name: s3, permissions: {kinds: [Bucket, Active]}}]}}`,
			[]string{
				"spec.services[4].permissions.kinds: FieldValueInvalid", "spec.services[5].permissions.kinds: FieldValueInvalid", "spec.services[6].permissions.kinds: FieldValueInvalid",
				"spec.services[7].permissions.kinds: FieldValueInvalid", "spec.services[8].permissions.kinds: FieldValueInvalid", "spec.services[9].permissions.kinds: FieldValueInvalid",
				"spec.services[10].permissions.kinds: FieldValueInvalid", "spec.services[11].permissions.kinds: FieldValueInvalid", "spec.services[12].permissions.kinds: FieldValueInvalid",
			},
		},
		"Custom": {"Types with their own form are reported, too.", `{spec: {runtime: {resources: {requests: {cpu: fast}}}}}`, []string{"spec.runtime.resources.requests[cpu]: FieldValueInvalid"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, errs := From(newRequest(t, tc.xr, ""), nil, now())
			if diff := cmp.Diff(tc.want, paths(errs)); diff != "" {
				t.Errorf("%s\nFrom(...): -want errors, +got:\n%s\n%v", tc.reason, diff, errs.ToAggregate())
			}
		})
	}
}
