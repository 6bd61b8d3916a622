package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

// TestPhase is the truth table for the phase of a service, given its resources.
func TestPhase(t *testing.T) {
	missing := waiting(v1alpha1.ReasonMissing, "x", "y")
	pending := waiting(v1alpha1.ReasonWaiting, "x", "y")
	conflict := waiting(v1alpha1.ReasonConflict, "x", "y")
	// in returns a service's role, association and provider in these states.
	in := func(role, association, provider state) []*Outcome {
		return []*Outcome{
			outcomeOf("s3", role), outcomeOf("s3", association).as("PodIdentityAssociation", identityReady), outcomeOf("s3", provider).as("Provider", providersReady),
		}
	}
	cases := map[string]struct {
		reason string
		in     []*Outcome
		want   v1alpha1.Phase
	}{
		"Ready":              {"A service is ready if all its resources are.", in(ready(), ready(), ready()), v1alpha1.PhaseReady},
		"NothingPossible":    {"With all kinds missing, it waits.", in(missing, missing, pending), v1alpha1.PhaseWaiting},
		"Looking":            {"It also waits before Crossplane has answered.", in(pending, pending, pending), v1alpha1.PhaseWaiting},
		"OnlyRuntimeConfig":  {"Resources other than managed resources do not end the wait.", append(in(missing, missing, pending), outcomeOf("s3", ready()).as("DeploymentRuntimeConfig", providersReady)), v1alpha1.PhaseWaiting},
		"OneMissing":         {"With one managed resource possible, it is being created.", in(creating(), missing, pending), v1alpha1.PhaseCreating},
		"Creating":           {"The same applies to all of them.", in(creating(), creating(), pending), v1alpha1.PhaseCreating},
		"Settling":           {"It is also being created while only the provider waits,", in(ready(), ready(), pending), v1alpha1.PhaseCreating},
		"Installing":         {"or is being installed.", in(ready(), ready(), creating()), v1alpha1.PhaseCreating},
		"Failed":             {"A single failure counts,", in(ready(), failed("boom"), ready()), v1alpha1.PhaseFailed},
		"FailedProvider":     {"also of the provider.", in(ready(), ready(), failed("boom")), v1alpha1.PhaseFailed},
		"FailedAndMissing":   {"A failure is more serious than a missing prerequisite,", in(failed("boom"), missing, pending), v1alpha1.PhaseFailed},
		"FailedAndConflict":  {"or a conflict.", in(failed("boom"), conflict, conflict), v1alpha1.PhaseFailed},
		"Conflict":           {"A resource of another owner is a conflict,", in(conflict, conflict, conflict), v1alpha1.PhaseConflict},
		"ConflictOnce":       {"even if it is the only one.", in(ready(), ready(), conflict), v1alpha1.PhaseConflict},
		"ConflictAndMissing": {"A conflict is more serious than a missing prerequisite.", in(missing, conflict, pending), v1alpha1.PhaseConflict},
		"CheckAlone":         {"A check is not a managed resource, either.", []*Outcome{outcomeOf("s3", missing), check("s3", "", "", "").as("Role", identityReady)}, v1alpha1.PhaseWaiting},
		"Nothing":            {"A service without resources is ready.", nil, v1alpha1.PhaseReady},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := phase(tc.in); got != tc.want {
				t.Errorf("%s\nphase(...): want %s, got %s", tc.reason, tc.want, got)
			}
		})
	}
}

func TestStatusFirst(t *testing.T) {
	got := world{Spec: `services: [{name: s3}, {name: ec2, management: Observe}, {name: rds, roleArn: "arn:aws:iam::123456789012:role/team/x"}]`, Answers: map[string]string{
		"all/DeploymentRuntimeConfig.pkg.crossplane.io": `[]`,
		"kind/roles.iam.aws.upbound.io":                 `[]`, "kind/policies.iam.aws.upbound.io": `[]`, "kind/rolepolicyattachments.iam.aws.upbound.io": `[]`,
		"kind/podidentityassociations.eks.aws.upbound.io": `[]`, "all/Provider.pkg.crossplane.io": `[]`, "DeploymentRuntimeConfig.pkg.crossplane.io/provider-aws-s3": `[]`, "DeploymentRuntimeConfig.pkg.crossplane.io/provider-aws-rds": `[]`,
	}}.plan(t).Status
	const missing = "roles.iam.aws.upbound.io, policies.iam.aws.upbound.io, rolepolicyattachments.iam.aws.upbound.io: missing, install provider-aws-iam; " +
		"podidentityassociations.eks.aws.upbound.io: missing, install provider-aws-eks"
	want := v1alpha1.PodIdentityProviderStatus{
		ClusterName: "prod", Region: "eu-west-1", ServiceNames: "s3,ec2,rds",
		Summary:           "s3: roles.iam.aws.upbound.io: missing, install provider-aws-iam",
		ProviderConfigRef: &v1alpha1.TypedReference{APIVersion: "aws.upbound.io/v1beta1", Kind: "ProviderConfig", Name: "storage"},
		Services: []v1alpha1.ServiceStatus{
			{
				Name: "s3", Phase: v1alpha1.PhaseWaiting, RoleName: "crossplane-prod-eu-west-1-s3", ServiceAccountName: "provider-aws-s3",
				ProviderName: "provider-aws-s3", Package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0",
				Message: missing + "; DeploymentRuntimeConfig provider-aws-s3: being created; Provider provider-aws-s3: waiting for the PodIdentityAssociation to be created",
			},
			{
				Name: "ec2", Phase: v1alpha1.PhaseWaiting, RoleName: "crossplane-prod-eu-west-1-ec2", ServiceAccountName: "provider-aws-ec2",
				Message: missing + "; Provider of xpkg.upbound.io/upbound/provider-aws-ec2: management is Observe, and none is installed: " +
					"install it when the association is ready, with a DeploymentRuntimeConfig that sets spec.serviceAccountTemplate.metadata.name to provider-aws-ec2",
			},
			{
				Name: "rds", Phase: v1alpha1.PhaseWaiting, RoleName: "x", RoleARN: "arn:aws:iam::123456789012:role/team/x", ServiceAccountName: "provider-aws-rds",
				ProviderName: "provider-aws-rds", Package: "xpkg.upbound.io/upbound/provider-aws-rds:v2.5.0",
				Message: "podidentityassociations.eks.aws.upbound.io: missing, install provider-aws-eks; DeploymentRuntimeConfig provider-aws-rds: being created; " +
					"Provider provider-aws-rds: waiting for the PodIdentityAssociation to be created",
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the status should have every service from the first call on: -want, +got:\n%s", diff)
	}
}

func TestStatusReady(t *testing.T) {
	const conditions = `conditions: [{type: Synced, status: "True"}, {type: Ready, status: "True"}]`
	const managed = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	got := world{
		Spec: `{teardown: Unordered, services: [{name: s3, permissions: {accessLevel: Full, managedPolicyArns: ["` + managed + `"]}}]}`,
		Observed: map[string]string{
			"role/s3":                  `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r}, status: {` + conditions + `, atProvider: {arn: "arn:aws:iam::123456789012:role/r"}}}`,
			"policy/s3":                `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: p}, status: {` + conditions + `, atProvider: {arn: "arn:aws:iam::123456789012:policy/p"}}}`,
			"attachment/s3":            `{apiVersion: iam.aws.upbound.io/v1beta1, kind: RolePolicyAttachment, metadata: {name: a}, status: {` + conditions + `, atProvider: {policyArn: "arn:aws:iam::123456789012:policy/p"}}}`,
			"attachment/s3/" + managed: `{apiVersion: iam.aws.upbound.io/v1beta1, kind: RolePolicyAttachment, metadata: {name: b}, status: {` + conditions + `, atProvider: {policyArn: "` + managed + `"}}}`,
			"association/s3":           `{apiVersion: eks.aws.upbound.io/v1beta1, kind: PodIdentityAssociation, metadata: {name: a}, status: {` + conditions + `, atProvider: {associationId: a-1, associationArn: "arn:aws:eks:x", externalId: e-1}}}`,
			"runtimeconfig/s3":         `{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-s3}}`,
			"provider/s3":              `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-s3}, status: {conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}], currentRevision: provider-aws-s3-8a1c52cb60ad, currentIdentifier: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"}}`,
			"providerconfig":           `{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: aws}}`,
		},
	}.plan(t)
	want := v1alpha1.PodIdentityProviderStatus{
		ClusterName: "prod", Region: "eu-west-1", ServiceNames: "s3", Summary: "Ready",
		ProviderConfigRef: &v1alpha1.TypedReference{APIVersion: "aws.upbound.io/v1beta1", Kind: "ProviderConfig", Name: "aws"},
		Services: []v1alpha1.ServiceStatus{{
			Name: "s3", Phase: v1alpha1.PhaseReady, RoleName: "crossplane-prod-eu-west-1-s3", RoleARN: "arn:aws:iam::123456789012:role/r",
			PolicyARNs:    []string{"arn:aws:iam::123456789012:policy/p", managed},
			AssociationID: "a-1", AssociationARN: "arn:aws:eks:x", ExternalID: "e-1", ServiceAccountName: "provider-aws-s3",
			ProviderName: "provider-aws-s3", Package: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", ProviderRevision: "provider-aws-s3-8a1c52cb60ad",
		}},
	}
	if diff := cmp.Diff(want, got.Status); diff != "" {
		t.Errorf("the status should have the values of the objects: -want, +got:\n%s", diff)
	}
	if !got.Ready() {
		t.Errorf("want everything ready, got %+v", got.Conditions)
	}
}

// TestStatusObserved checks that the status names a provider that another owner installed, and that the provider is found again by that
// name.
func TestStatusObserved(t *testing.T) {
	w := world{
		Spec: `services: [{name: s3, management: Observe}]`,
		Answers: map[string]string{
			"all/Provider.pkg.crossplane.io":               `[{metadata: {name: team-s3}, spec: {package: "a/provider-aws-s3:v1.0.0"}, status: {currentRevision: team-s3-1}}]`,
			"ProviderRevision.pkg.crossplane.io/team-s3-1": `[]`,
		},
	}
	s := w.plan(t).Status.Services[0]
	if s.ProviderName != "team-s3" || s.Package != "a/provider-aws-s3:v1.0.0" || s.ProviderRevision != "team-s3-1" {
		t.Errorf("want name, package and revision of the observed Provider, got %+v", s)
	}
	if s := (world{Spec: w.Spec}).plan(t).Status.Services[0]; s.ProviderName != "" || s.Package != "" {
		t.Errorf("want no name without an observed Provider, got %+v", s)
	}
}

// TestPolicyARNs checks that an attached policy is reported, even if the attachment's status is incomplete.
func TestPolicyARNs(t *testing.T) {
	const ready, policy = `conditions: [{type: Synced, status: "True"}, {type: Ready, status: "True"}]`, "arn:aws:iam::123456789012:policy/p"
	attachment := func(spec, status string) map[string]string {
		return map[string]string{
			"policy/s3":     `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: p}, status: {` + ready + `, atProvider: {arn: "` + policy + `"}}}`,
			"attachment/s3": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: RolePolicyAttachment, metadata: {name: a}, spec: {forProvider: {` + spec + `}}, status: {` + status + `}}`,
		}
	}
	cases := map[string]struct {
		reason   string
		observed map[string]string
		want     []string
	}{
		"Reported":  {"The attachment's status has the ARN.", attachment(`policyArn: x`, `atProvider: {policyArn: "`+policy+`"}`), []string{policy}},
		"Resolved":  {"If the attachment is ready, the ARN in its spec counts.", attachment(`policyArn: "`+policy+`"`, ready), []string{policy}},
		"Reference": {"The ARN may have to be resolved by the policy's name.", attachment(`policyArnRef: {name: p}`, ready), []string{policy}},
		"NotReady":  {"Before the attachment is ready, nothing is attached.", attachment(`policyArn: "`+policy+`", policyArnRef: {name: p}`, `conditions: []`), nil},
		"Unknown":   {"An unknown policy is not reported.", attachment(`policyArnRef: {name: q}`, ready), nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := world{Observed: tc.observed}.plan(t).Status.Services[0].PolicyARNs
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\npolicyArns: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestSummary checks that a single line has the most important message.
func TestSummary(t *testing.T) {
	long := strings.Repeat("ä ", 300)
	cases := map[string]struct {
		reason string
		in     []*Outcome
		want   string
	}{
		"Ready":   {"If all resources are ready, the summary says only that.", []*Outcome{outcomeOf("s3", ready()), outcomeOf("", ready())}, "Ready"},
		"Nothing": {"A plan without resources is ready.", nil, "Ready"},
		"First":   {"Of equally serious messages, the first counts.", []*Outcome{outcomeOf("s3", waiting(v1alpha1.ReasonWaiting, "x", "first")), outcomeOf("ec2", waiting(v1alpha1.ReasonWaiting, "y", "second"))}, "s3: x: first"},
		"Gravest": {"An error comes before a resource that waits.", []*Outcome{outcomeOf("s3", waiting(v1alpha1.ReasonWaiting, "x", "wait")), outcomeOf("ec2", failed("boom"))}, "ec2: Role r-ec2: boom"},
		"OfAll":   {"A resource of all services names none.", []*Outcome{outcomeOf("", waiting(v1alpha1.ReasonMissing, "x", "missing"))}, "x: missing"},
		"OneLine": {"The summary fits on a line of a table.", []*Outcome{outcomeOf("s3", failed("a\n\tb"))}, "s3: Role r-s3: a b"},
		"Long":    {"A long message is cut, by characters.", []*Outcome{outcomeOf("", waiting(v1alpha1.ReasonMissing, "", long))}, strings.Repeat("ä ", 97) + "ä ..."},
		"ToDo": {
			"The hint remains, and the problem is cut.",
			[]*Outcome{outcomeOf("s3", failed(strings.Repeat("x", 300)+". To do: delete it"))},
			"s3: Role r-s3: " + strings.Repeat("x", 164) + " ... To do: delete it",
		},
		"Words": {
			"A message is cut after a word.", []*Outcome{outcomeOf("", waiting(v1alpha1.ReasonMissing, "", strings.Repeat("seven77 ", 40)))}, strings.TrimSpace(strings.Repeat("seven77 ", 24)) + " ...",
		},
		"ToDoLong": {
			"If the hint is long, part of the problem remains.",
			[]*Outcome{outcomeOf("s3", failed(strings.Repeat("x", 300)+". To do: "+strings.Repeat("y", 300)))},
			"s3: Role r-s3: " + strings.Repeat("x", 61) + " ... To do: " + strings.Repeat("y", 108) + " ...",
		},
		"ToDoOnly": {
			"If the problem is short, the hint gets the remaining space.",
			[]*Outcome{outcomeOf("s3", failed("boom. To do: "+strings.Repeat("y", 300)))},
			"s3: Role r-s3: boom. To do: " + strings.Repeat("y", 168) + " ...",
		},
		"LongFits": {"A message that fits is not cut.", []*Outcome{outcomeOf("", waiting(v1alpha1.ReasonMissing, "", strings.Repeat("x", 200)))}, strings.Repeat("x", 200)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := (&Plan{identity: &identity.Identity{}, Outcomes: tc.in}).summary()
			if got != tc.want {
				t.Errorf("%s\nsummary(): want %q, got %q", tc.reason, tc.want, got)
			}
			if n := len([]rune(got)); n > maxSummary {
				t.Errorf("%s\nsummary(): want at most %d characters, got %d", tc.reason, maxSummary, n)
			}
		})
	}
}

// TestStatusMessage checks that a service's message concerns only the service itself, and quotes its error first.
func TestStatusMessage(t *testing.T) {
	p := world{
		Spec:  `services: [{name: s3}, {name: ec2}]`,
		Input: `prerequisites: Assume`,
		Observed: map[string]string{
			"role/s3": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r}, status: {conditions: [{type: Synced, status: "False", message: "api error AccessDenied: no, RequestID: 123"}]}}`,
		},
		Answers: map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: x}, spec: {package: "a/provider-aws-ec2:v1"}}]`},
	}.plan(t)
	s3, ec2 := p.Status.Services[0], p.Status.Services[1]
	if want := "Role r: api error AccessDenied: no. To do: allow that action for the identity behind ProviderConfig default (spec.providerConfigRef); "; s3.Phase != v1alpha1.PhaseFailed || len(s3.Message) < len(want) || s3.Message[:len(want)] != want {
		t.Errorf("s3: want it Failed with %q first, got %s with %q", want, s3.Phase, s3.Message)
	}
	if want := "Provider x: of package a/provider-aws-ec2:v1 exists and no composite resource made it: set management: Observe for the service, or remove that Provider"; ec2.Phase != v1alpha1.PhaseConflict || ec2.Message != want {
		t.Errorf("ec2: want it in Conflict with %q, got %s with %q", want, ec2.Phase, ec2.Message)
	}
}
