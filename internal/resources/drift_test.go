package resources

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestAsWanted checks that a resource is not ready as long as its state in AWS differs from the desired state.
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
		// role is the ARN in AWS of an association's role.
		role string
		want string
	}{
		"Same": {
			"The state in AWS is the desired one.", "role/s3", settings,
			`{description: x, maxSessionDuration: 7200, permissionsBoundary: "` + boundary + `", assumeRolePolicy: ` + trust + `}`, ``, "",
		},
		"Nothing":      {"An unset field matches AWS's default.", "role/s3", ``, `{description: "", maxSessionDuration: 3600, assumeRolePolicy: ` + trust + `}`, ``, ""},
		"Silent":       {"A field that the provider does not report does not count.", "role/s3", settings, `{arn: "arn:aws:iam::123456789012:role/x"}`, ``, ""},
		"Null":         {"Neither does null,", "role/s3", settings, `{description: null, permissionsBoundary: null, maxSessionDuration: null}`, ``, ""},
		"OtherType":    {"or a value of an unexpected type.", "role/s3", settings, `{maxSessionDuration: "long", description: {a: b}}`, ``, ""},
		"Boundary":     {"A removed boundary still exists.", "role/s3", ``, `{permissionsBoundary: "` + boundary + `"}`, ``, "permissionsBoundary " + boundary + ", not none"},
		"NewBoundary":  {"A new boundary is still missing.", "role/s3", settings, `{permissionsBoundary: ""}`, ``, "permissionsBoundary none, not " + boundary},
		"Session":      {"The session duration is too long.", "role/s3", ``, `{maxSessionDuration: 7200}`, ``, "maxSessionDuration 7200, not 3600"},
		"Description":  {"A different description is reported without its text.", "role/s3", settings, `{description: other}`, ``, "another description"},
		"Trust":        {"So is a different trust policy.", "role/s3", ``, `{assumeRolePolicy: '{"Statement":[]}'}`, ``, "another assumeRolePolicy"},
		"Several":      {"All differences are reported.", "role/s3", ``, `{maxSessionDuration: 7200, description: other}`, ``, "maxSessionDuration 7200, not 3600, and another description"},
		"MayNotChange": {"A difference does not count if the provider may not change it.", "role/s3", `managementPolicies: [Observe]`, `{maxSessionDuration: 7200, description: other}`, ``, ""},

		"Document":      {"The permissions differ.", "policy/s3", ``, `{policy: '{"Statement":[]}'}`, ``, "another policy"},
		"DocumentWords": {"The same permissions may be written differently.", "policy/s3", ``, `{policy: '{"Statement":{"Action":["s3:*"],"Effect":"Allow","Resource":["*"]},"Version":"2012-10-17"}'}`, ``, ""},

		"NoTags":     {"If session tags are still disabled, the provider has no credentials.", "association/s3", ``, `{` + association + `, disableSessionTags: true}`, ``, "disableSessionTags true, not false"},
		"Tags":       {"The same applies if they are still enabled.", "association/s3", noTags, `{` + association + `, disableSessionTags: false}`, ``, "disableSessionTags false, not true"},
		"Target":     {"The target differs.", "association/s3", withTarget, `{` + association + `, targetRoleArn: "` + otherTarget + `"}`, ``, "targetRoleArn " + otherTarget + ", not " + target},
		"SameTarget": {"The target is the same.", "association/s3", withTarget, `{` + association + `, targetRoleArn: "` + target + `"}`, ``, ""},
		"Role":       {"The role differs from the composed one.", "association/s3", ``, `{` + association + `, roleArn: "arn:aws:iam::123456789012:role/x"}`, `arn:aws:iam::123456789012:role/y`, "roleArn arn:aws:iam::123456789012:role/x, not arn:aws:iam::123456789012:role/y"},
		"SameRole":   {"The role is the composed one.", "association/s3", ``, `{` + association + `, roleArn: "arn:aws:iam::123456789012:role/x"}`, `arn:aws:iam::123456789012:role/x`, ""},
		"RoleSilent": {"The ARN of the composed role is unknown.", "association/s3", ``, `{` + association + `, roleArn: "arn:aws:iam::123456789012:role/x"}`, ``, ""},
		"OwnRole":    {"The role differs from the one in the spec.", "association/s3", own, `{` + association + `, roleArn: "arn:aws:iam::123456789012:role/y"}`, ``, "roleArn arn:aws:iam::123456789012:role/y, not arn:aws:iam::123456789012:role/x"},
		"Kept":       {"An association without a role in its status has the desired one.", "association/s3", ``, `{` + association + `}`, `arn:aws:iam::123456789012:role/x`, ""},
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

// TestTargetStays covers a target role that is removed from the spec. EKS keeps it until the association is deleted. Until then, the role
// may assume it, so that pods have credentials, and the message says what to do.
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
		// may lists the roles that the service's own role may assume.
		may []string
	}{
		"Never":   {"Without a target, there is no role to assume.", ``, `{status: {atProvider: {associationId: a-1}}}`, Readiness{Ready: true}, nil},
		"Desired": {"A desired target may be assumed.", `services: [{name: s3, targetRoleArn: "` + target + `"}]`, inSpec + inAWS, Readiness{Ready: true}, []string{target}},
		"Removed": {"A target that AWS still has may be assumed, too.", ``, inAWS, Readiness{Failed: true, Message: stays + del}, []string{target}},
		"InSpec": {
			"If the managed resource still has the target, a new association would have it again.", ``, inSpec + inAWS,
			Readiness{Failed: true, Message: stays + patch + del},
			[]string{target},
		},
		"LateInitialize": {
			"A provider with LateInitialize would write it again.", `managementPolicies: ["*"]`, inSpec + inAWS,
			Readiness{Failed: true, Message: stays + "leave LateInitialize (and *) out of spec.managementPolicies, which would bring it back; then " + patch + del},
			[]string{target},
		},
		"Silent": {"A target that only the managed resource has is being removed.", ``, inSpec + `{status: {atProvider: {associationId: a-1}}}`, Readiness{Ready: true}, []string{target}},
		"Changed": {
			"Until AWS has the new target, both may be assumed.", `services: [{name: s3, targetRoleArn: "` + otherTarget + `"}]`, inSpec + inAWS,
			Readiness{Message: "being changed: AWS has targetRoleArn " + target + ", not " + otherTarget},
			[]string{otherTarget, target},
		},
		"Error":   {"An error takes precedence.", ``, inAWS + `{status: {conditions: [{type: Synced, status: "False", message: boom}]}}`, Readiness{Failed: true, Message: "boom"}, []string{target}},
		"Nothing": {"An invalid ARN is never assumed.", ``, `{status: {atProvider: {associationId: a-1, targetRoleArn: "*"}}}`, Readiness{Failed: true}, nil},
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

// assumable returns the roles that a policy allows to assume.
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

// TestNoFlap covers a managed resource that was ready but reports that it is being created: its provider overwrote the status with an
// older one, unless the resource is created again.
func TestNoFlap(t *testing.T) {
	const (
		whole    = `{status: {conditions: [{type: IdentityReady, status: "True", lastTransitionTime: "2026-01-01T00:00:10Z"}]}}`
		creating = `{metadata: {annotations: {crossplane.io/external-create-succeeded: "2026-01-01T00:00:05Z"}}, status: {conditions: [{type: Synced, status: "True"}, {type: Ready, status: "False", reason: Creating}]}}`
	)
	cases := map[string]struct {
		reason, xr, patch string
		want              Readiness
	}{
		"Flap":     {"Everything was ready after the creation.", whole, creating, Readiness{Ready: true}},
		"First":    {"Nothing was ready before.", ``, creating, Readiness{Message: "being created"}},
		"NotWhole": {"Not everything was ready.", `{status: {conditions: [{type: IdentityReady, status: "False", lastTransitionTime: "2026-01-01T00:00:10Z"}]}}`, creating, Readiness{Message: "being created"}},
		"Again":    {"The resource has been created again since.", whole, creating + `{metadata: {annotations: {crossplane.io/external-create-succeeded: "2026-01-01T00:00:11Z"}}}`, Readiness{Message: "being created"}},
		"NoTime":   {"The time of the creation is unknown.", whole, creating + `{metadata: {annotations: null}}`, Readiness{Message: "being created"}},
		"Other":    {"The reason is a different one.", whole, creating + `{status: {conditions: [{type: Synced, status: "True"}, {type: Ready, status: "False", reason: Unavailable}]}}`, Readiness{Message: "being created"}},
		"Failed":   {"The resource has failed.", whole, creating + `{status: {conditions: [{type: Synced, status: "False", message: boom}, {type: Ready, status: "False", reason: Creating}]}}`, Readiness{Failed: true, Message: "boom"}},
		"Deleted":  {"The resource is being deleted.", whole, creating + `{metadata: {deletionTimestamp: "2026-01-01T00:00:12Z"}}`, Readiness{Message: "being deleted"}},
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
