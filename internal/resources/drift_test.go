package resources

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestAsWanted covers what AWS has and what is wanted: as long as they differ, nothing is ready.
func TestAsWanted(t *testing.T) {
	const (
		settings    = `role: {description: x, maxSessionDuration: 7200, permissionsBoundary: "` + boundary + `"}`
		noTags      = `{accountId: "123456789012", services: [{name: s3, disableSessionTags: true}]}`
		withTarget  = `services: [{name: s3, targetRoleArn: "` + target + `"}]`
		own         = `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/x"}]`
		association = `associationId: a-1`
	)
	cases := map[string]struct {
		reason, key, spec, atProvider string
		// role is what AWS has of the role of an association.
		role string
		want string
	}{
		"Same": {
			"What AWS has is what is wanted.", "role/s3", settings,
			`{description: x, maxSessionDuration: 7200, permissionsBoundary: "` + boundary + `", assumeRolePolicy: ` + trust + `}`, ``, "",
		},
		"Nothing":      {"Where AWS has nothing, nothing is wanted.", "role/s3", ``, `{description: "", maxSessionDuration: 3600, assumeRolePolicy: ` + trust + `}`, ``, ""},
		"Silent":       {"A provider that does not tell is no reason to doubt.", "role/s3", settings, `{arn: "arn:aws:iam::123456789012:role/x"}`, ``, ""},
		"Null":         {"Null is not telling.", "role/s3", settings, `{description: null, permissionsBoundary: null, maxSessionDuration: null}`, ``, ""},
		"OtherType":    {"Nor is something else than expected.", "role/s3", settings, `{maxSessionDuration: "long", description: {a: b}}`, ``, ""},
		"Boundary":     {"A boundary that was taken out and is still there.", "role/s3", ``, `{permissionsBoundary: "` + boundary + `"}`, ``, "permissionsBoundary " + boundary + ", not none"},
		"NewBoundary":  {"One that is not there yet.", "role/s3", settings, `{permissionsBoundary: ""}`, ``, "permissionsBoundary none, not " + boundary},
		"Session":      {"A session that is too long.", "role/s3", ``, `{maxSessionDuration: 7200}`, ``, "maxSessionDuration 7200, not 3600"},
		"Description":  {"Another description need not be told.", "role/s3", settings, `{description: other}`, ``, "another description"},
		"Trust":        {"Nor who may assume the role.", "role/s3", ``, `{assumeRolePolicy: '{"Statement":[]}'}`, ``, "another assumeRolePolicy"},
		"Several":      {"All of it is told.", "role/s3", ``, `{maxSessionDuration: 7200, description: other}`, ``, "maxSessionDuration 7200, not 3600, and another description"},
		"MayNotChange": {"It does not count where the provider may not change it.", "role/s3", `managementPolicies: [Observe]`, `{maxSessionDuration: 7200, description: other}`, ``, ""},

		"Document":      {"Other permissions.", "policy/s3", ``, `{policy: '{"Statement":[]}'}`, ``, "another policy"},
		"DocumentWords": {"The same permissions in other words.", "policy/s3", ``, `{policy: '{"Statement":{"Action":["s3:*"],"Effect":"Allow","Resource":["*"]},"Version":"2012-10-17"}'}`, ``, ""},

		"NoTags":     {"Session tags that are still off leave a provider without credentials.", "association/s3", ``, `{` + association + `, disableSessionTags: true}`, ``, "disableSessionTags true, not false"},
		"Tags":       {"So do those that are still on.", "association/s3", noTags, `{` + association + `, disableSessionTags: false}`, ``, "disableSessionTags false, not true"},
		"Target":     {"Another target.", "association/s3", withTarget, `{` + association + `, targetRoleArn: "` + otherTarget + `"}`, ``, "targetRoleArn " + otherTarget + ", not " + target},
		"SameTarget": {"The same target.", "association/s3", withTarget, `{` + association + `, targetRoleArn: "` + target + `"}`, ``, ""},
		"Role":       {"Another role than the composed one.", "association/s3", ``, `{` + association + `, roleArn: "arn:aws:iam::123456789012:role/x"}`, `arn:aws:iam::123456789012:role/y`, "roleArn arn:aws:iam::123456789012:role/x, not arn:aws:iam::123456789012:role/y"},
		"SameRole":   {"The composed one.", "association/s3", ``, `{` + association + `, roleArn: "arn:aws:iam::123456789012:role/x"}`, `arn:aws:iam::123456789012:role/x`, ""},
		"RoleSilent": {"The composed one's ARN is not known.", "association/s3", ``, `{` + association + `, roleArn: "arn:aws:iam::123456789012:role/x"}`, ``, ""},
		"OwnRole":    {"Another role than the one of the spec.", "association/s3", own, `{` + association + `, roleArn: "arn:aws:iam::123456789012:role/y"}`, ``, "roleArn arn:aws:iam::123456789012:role/y, not arn:aws:iam::123456789012:role/x"},
		"Kept":       {"An association that does not say so has its role.", "association/s3", ``, `{` + association + `}`, `arn:aws:iam::123456789012:role/x`, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			policies := `{}`
			if tc.spec == `managementPolicies: [Observe]` {
				policies = onlyWatch
			}
			w := world{Spec: tc.spec, Input: `prerequisites: Assume`, Observed: map[string]string{tc.key: object(t, tc.key, policies, `{status: {atProvider: `+tc.atProvider+`}}`)}}
			if tc.role != "" {
				w.Observed["role/s3"] = object(t, "role/s3", `{status: {atProvider: {arn: "`+tc.role+`"}}}`)
			}
			want := Readiness{Ready: true}
			if tc.want != "" {
				want = Readiness{Message: "being changed: AWS has " + tc.want}
			}
			c := w.context(t)
			if diff := cmp.Diff(want, w.resource(t, tc.key).Ready(c.View.Observed(tc.key))); diff != "" {
				t.Errorf("%s\nReady(...) of %s: -want, +got:\n%s", tc.reason, tc.key, diff)
			}
		})
	}
}

// TestTargetStays covers a target role that is taken out of the spec: EKS keeps it until the association is deleted. Until then the
// role may assume it, or pods would have no credentials, and what to do is said.
func TestTargetStays(t *testing.T) {
	const (
		stays  = "EKS still gives its pods the credentials of target role " + target + ": an association keeps its target until it is deleted. To do: delete it in EKS, and it is created again without one: "
		patch  = `kubectl patch podidentityassociation.eks.aws.upbound.io crossplane-prod-eu-west-1-s3 --type json -p '[{"op":"remove","path":"/spec/forProvider/targetRoleArn"}]'; then `
		del    = "aws eks delete-pod-identity-association --region eu-west-1 --cluster-name prod --association-id a-1"
		inAWS  = `{status: {atProvider: {associationId: a-1, targetRoleArn: "` + target + `"}}}`
		inSpec = `{spec: {forProvider: {targetRoleArn: "` + target + `"}}}`
	)
	cases := map[string]struct {
		reason, spec, patch string
		want                Readiness
		// may says which roles the service's own may assume.
		may []string
	}{
		"Never":   {"Without a target there is none to assume.", ``, `{status: {atProvider: {associationId: a-1}}}`, Readiness{Ready: true}, nil},
		"Wanted":  {"A wanted one may be assumed.", `services: [{name: s3, targetRoleArn: "` + target + `"}]`, inSpec + inAWS, Readiness{Ready: true}, []string{target}},
		"Removed": {"One that AWS still has may, too.", ``, inAWS, Readiness{Failed: true, Message: stays + del}, []string{target}},
		"InSpec": {
			"A provider that wrote it into the managed resource would make the association again with it.", ``, inSpec + inAWS,
			Readiness{Failed: true, Message: stays + patch + del},
			[]string{target},
		},
		"LateInitialize": {
			"One that may would write it again.", `managementPolicies: ["*"]`, inSpec + inAWS,
			Readiness{Failed: true, Message: stays + "leave LateInitialize (and *) out of spec.managementPolicies, which would bring it back; then " + patch + del},
			[]string{target},
		},
		"Silent": {"What only the managed resource has is on its way out.", ``, inSpec + `{status: {atProvider: {associationId: a-1}}}`, Readiness{Ready: true}, []string{target}},
		"Changed": {
			"Until AWS has another, both may be assumed.", `services: [{name: s3, targetRoleArn: "` + otherTarget + `"}]`, inSpec + inAWS,
			Readiness{Message: "being changed: AWS has targetRoleArn " + target + ", not " + otherTarget},
			[]string{otherTarget, target},
		},
		"Error":   {"An error comes first.", ``, inAWS + `{status: {conditions: [{type: Synced, status: "False", message: boom}]}}`, Readiness{Failed: true, Message: "boom"}, []string{target}},
		"Nothing": {"What is no role is never assumed.", ``, `{status: {atProvider: {associationId: a-1, targetRoleArn: "*"}}}`, Readiness{Failed: true}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{Spec: tc.spec, Input: `prerequisites: Assume`, Observed: map[string]string{"association/s3": object(t, "association/s3", patches(tc.patch)...)}}
			c := w.context(t)
			got := w.resource(t, "association/s3").Ready(c.View.Observed("association/s3"))
			if tc.want.Message == "" {
				got.Message = ""
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nReady(...): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.may, assumable(t, built(t, w, "policy/s3").String("spec", "forProvider", "policy"))); diff != "" {
				t.Errorf("%s\nroles that the service's own may assume: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// assumable are the roles that a policy lets assume.
func assumable(t *testing.T, document string) []string {
	t.Helper()
	var out []string
	var d struct {
		Statement []struct {
			Action   any
			Resource any
		}
	}
	if err := yaml.Unmarshal([]byte(document), &d); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	for _, s := range d.Statement {
		if r, ok := s.Resource.(string); ok && r != "*" {
			out = append(out, r)
		}
	}
	return out
}

// TestNoFlap covers a managed resource that was ready and says that it is being created: its provider's status was overwritten by an
// older one, unless it is created again.
func TestNoFlap(t *testing.T) {
	const (
		whole    = `{status: {conditions: [{type: IdentityReady, status: "True", lastTransitionTime: "2026-01-01T00:00:10Z"}]}}`
		creating = `{metadata: {annotations: {crossplane.io/external-create-succeeded: "2026-01-01T00:00:05Z"}}, status: {conditions: [{type: Synced, status: "True"}, {type: Ready, status: "False", reason: Creating}]}}`
	)
	cases := map[string]struct {
		reason, xr, patch string
		want              Readiness
	}{
		"Flap":     {"All was ready after it was created.", whole, creating, Readiness{Ready: true}},
		"First":    {"Nothing was.", ``, creating, Readiness{Message: "being created"}},
		"NotWhole": {"Not all was.", `{status: {conditions: [{type: IdentityReady, status: "False", lastTransitionTime: "2026-01-01T00:00:10Z"}]}}`, creating, Readiness{Message: "being created"}},
		"Again":    {"It was created again since.", whole, creating + `{metadata: {annotations: {crossplane.io/external-create-succeeded: "2026-01-01T00:00:11Z"}}}`, Readiness{Message: "being created"}},
		"NoTime":   {"Nobody knows when it was created.", whole, creating + `{metadata: {annotations: null}}`, Readiness{Message: "being created"}},
		"Other":    {"It says something else.", whole, creating + `{status: {conditions: [{type: Synced, status: "True"}, {type: Ready, status: "False", reason: Unavailable}]}}`, Readiness{Message: "being created"}},
		"Failed":   {"It failed.", whole, creating + `{status: {conditions: [{type: Synced, status: "False", message: boom}, {type: Ready, status: "False", reason: Creating}]}}`, Readiness{Failed: true, Message: "boom"}},
		"Deleted":  {"It goes.", whole, creating + `{metadata: {deletionTimestamp: "2026-01-01T00:00:12Z"}}`, Readiness{Message: "being deleted"}},
	}
	for name, tc := range cases {
		for _, key := range []string{"role/s3", "policy/s3", "attachment/s3", "association/s3"} {
			t.Run(name+"/"+key, func(t *testing.T) {
				w := world{XR: tc.xr, Observed: map[string]string{key: object(t, key, patches(tc.patch)...)}}
				c := w.context(t)
				if diff := cmp.Diff(tc.want, w.resource(t, key).Ready(c.View.Observed(key))); diff != "" {
					t.Errorf("%s\nReady(...): -want, +got:\n%s", tc.reason, diff)
				}
			})
		}
	}
}
