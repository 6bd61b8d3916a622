package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
)

const (
	identityReady  = v1alpha1.ConditionIdentityReady
	providersReady = v1alpha1.ConditionProvidersReady
)

// TestIdentityReady checks how a condition summarizes its resources.
func TestIdentityReady(t *testing.T) {
	missing := waiting(v1alpha1.ReasonMissing, "roles.iam.aws.upbound.io", "missing, install provider-aws-iam")
	conflict := waiting(v1alpha1.ReasonConflict, "Role x", "exists and belongs to P p: go away")
	pending := waiting(v1alpha1.ReasonWaiting, "Role x", "checking whether it exists")
	many := func(n int, s func(i int) state) []*Outcome {
		var os []*Outcome
		for i := range n {
			os = append(os, outcomeOf(fmt.Sprintf("s%d", i+1), s(i)))
		}
		return os
	}
	cases := map[string]struct {
		reason string
		in     []*Outcome
		want   Condition
	}{
		"Ready": {
			"All resources are ready.",
			[]*Outcome{outcomeOf("s3", ready())},
			Condition{identityReady, true, v1alpha1.ReasonReady, "every role, policy and association is ready"},
		},
		"Nothing": {
			"Without resources, there is nothing to wait for.", nil,
			Condition{identityReady, true, v1alpha1.ReasonReady, "every role, policy and association is ready"},
		},
		"OthersUnready": {
			"Resources of another condition do not count.",
			[]*Outcome{outcomeOf("s3", failed("boom")).as("Provider", providersReady)},
			Condition{identityReady, true, v1alpha1.ReasonReady, "every role, policy and association is ready"},
		},
		"Creating": {
			"A resource that is not ready is named, with its service.",
			[]*Outcome{outcomeOf("s3", creating()), outcomeOf("ec2", ready())},
			Condition{identityReady, false, v1alpha1.ReasonCreating, "s3: Role r-s3: being created"},
		},
		"Failed": {
			"An error is quoted.",
			[]*Outcome{outcomeOf("s3", failed("boom"))},
			Condition{identityReady, false, v1alpha1.ReasonFailed, "s3: Role r-s3: boom"},
		},
		"Hint": {
			"If a user must act, the message says how.",
			[]*Outcome{outcomeOf("s3", failed("No cluster found for name: x"))},
			Condition{identityReady, false, v1alpha1.ReasonFailed, "s3: Role r-s3: No cluster found for name: x. To do: check spec.clusterName and spec.region"},
		},
		"NoHintUnlessFailed": {
			"There is no hint unless a resource has failed.",
			[]*Outcome{outcomeOf("s3", state{readiness: creating().readiness}), func() *Outcome {
				o := outcomeOf("ec2", creating())
				o.Readiness.Message = "not ready: No cluster found"
				return o
			}()},
			Condition{identityReady, false, v1alpha1.ReasonCreating, "s3: Role r-s3: being created; ec2: Role r-ec2: not ready: No cluster found"},
		},
		"Missing": {
			"A missing prerequisite is named instead of the resources that wait for it.",
			[]*Outcome{outcomeOf("s3", missing)},
			Condition{identityReady, false, v1alpha1.ReasonMissing, "s3: roles.iam.aws.upbound.io: missing, install provider-aws-iam"},
		},
		"NoSubject": {
			"A message may have no subject.",
			[]*Outcome{outcomeOf("s3", waiting(v1alpha1.ReasonMissing, "", "no Cluster matches"))},
			Condition{identityReady, false, v1alpha1.ReasonMissing, "s3: no Cluster matches"},
		},
		"Grouped": {
			"The same message is reported once, for all its resources.",
			[]*Outcome{outcomeOf("s3", missing), outcomeOf("s3", missing).as("Policy", identityReady), outcomeOf("ec2", missing), outcomeOf("s3", creating()).as("Policy", identityReady), outcomeOf("s3", creating())},
			Condition{identityReady, false, v1alpha1.ReasonMissing, "s3, ec2: roles.iam.aws.upbound.io: missing, install provider-aws-iam; s3: Policy r-s3, Role r-s3: being created"},
		},
		"Gravest": {
			"The most serious reason counts and comes first, followed by the order of the spec.",
			[]*Outcome{outcomeOf("a", pending), outcomeOf("b", creating()), outcomeOf("c", missing), outcomeOf("d", conflict), outcomeOf("e", failed("boom"))},
			Condition{
				identityReady, false, v1alpha1.ReasonFailed,
				"e: Role r-e: boom; d: Role x: exists and belongs to P p: go away; c: roles.iam.aws.upbound.io: missing, install provider-aws-iam; b: Role r-b: being created; a: Role x: checking whether it exists",
			},
		},
		"ConflictOverMissing": {"A conflict is more serious than a missing prerequisite.", []*Outcome{outcomeOf("a", missing), outcomeOf("b", conflict)}, Condition{identityReady, false, v1alpha1.ReasonConflict, "b: Role x: exists and belongs to P p: go away; a: roles.iam.aws.upbound.io: missing, install provider-aws-iam"}},
		"MissingOverCreating": {"A missing prerequisite is more serious than a resource that is being created.", []*Outcome{outcomeOf("a", creating()), outcomeOf("b", missing)}, Condition{identityReady, false, v1alpha1.ReasonMissing, "b: roles.iam.aws.upbound.io: missing, install provider-aws-iam; a: Role r-a: being created"}},
		"CreatingOverWaiting": {"A resource that waits comes last.", []*Outcome{outcomeOf("a", pending), outcomeOf("b", creating())}, Condition{identityReady, false, v1alpha1.ReasonCreating, "b: Role r-b: being created; a: Role x: checking whether it exists"}},
		"FiveMessages": {
			"Five different messages are reported.", many(5, func(i int) state { return failed(fmt.Sprintf("boom %d", i+1)) }),
			Condition{identityReady, false, v1alpha1.ReasonFailed, "s1: Role r-s1: boom 1; s2: Role r-s2: boom 2; s3: Role r-s3: boom 3; s4: Role r-s4: boom 4; s5: Role r-s5: boom 5"},
		},
		"ManyMessages": {
			"Further messages are counted.", many(7, func(i int) state { return failed(fmt.Sprintf("boom %d", i+1)) }),
			Condition{identityReady, false, v1alpha1.ReasonFailed, "s1: Role r-s1: boom 1; s2: Role r-s2: boom 2; s3: Role r-s3: boom 3; s4: Role r-s4: boom 4; s5: Role r-s5: boom 5; and 2 more"},
		},
		"ManySubjects": {
			"So are services and objects that share a message.", many(6, func(int) state { return creating() }),
			Condition{identityReady, false, v1alpha1.ReasonCreating, "s1, s2, s3, s4, s5, and 1 more: Role r-s1, Role r-s2, Role r-s3, Role r-s4, Role r-s5, and 1 more: being created"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := planOf(tc.in...)
			for range 5 {
				if diff := cmp.Diff(tc.want, find(t, p.conditions(), identityReady)); diff != "" {
					t.Fatalf("%s\nIdentityReady: -want, +got:\n%s", tc.reason, diff)
				}
			}
			if !slices.EqualFunc(tc.in, p.Outcomes, func(a, b *Outcome) bool { return a == b }) {
				t.Errorf("%s\nthe summary changed the order of the outcomes", tc.reason)
			}
		})
	}
}

// TestStages checks that each condition summarizes its own resources.
func TestStages(t *testing.T) {
	p := planOf(
		outcomeOf("s3", ready()),
		outcomeOf("s3", failed("boom")).as("Provider", providersReady),
		outcomeOf("", creating()).as("ProviderConfig", v1alpha1.ConditionProviderConfigReady),
	)
	want := []Condition{
		{v1alpha1.ConditionPrerequisitesReady, true, v1alpha1.ReasonReady, "all prerequisites exist"},
		{identityReady, true, v1alpha1.ReasonReady, "every role, policy and association is ready"},
		{providersReady, false, v1alpha1.ReasonFailed, "s3: Provider r-s3: boom"},
		{v1alpha1.ConditionProviderConfigReady, false, v1alpha1.ReasonCreating, "ProviderConfig r-: being created"},
	}
	if diff := cmp.Diff(want, p.conditions()); diff != "" {
		t.Errorf("conditions in the order in which they become true: -want, +got:\n%s", diff)
	}
	ready := planOf(outcomeOf("s3", ready()), outcomeOf("s3", ready()).as("Provider", providersReady), outcomeOf("", ready()).as("ProviderConfig", v1alpha1.ConditionProviderConfigReady))
	for _, c := range ready.conditions() {
		if !c.Status || c.Reason != v1alpha1.ReasonReady || c.Message == "" {
			t.Errorf("with everything ready: want %s True with a message, got %+v", c.Type, c)
		}
	}
}

// TestChecks checks that an outcome without a composed resource counts like any other: for its condition, its service and the whole plan.
func TestChecks(t *testing.T) {
	cases := map[string]struct {
		reason string
		check  *Outcome
		want   Condition
		// prerequisites says whether all prerequisites exist.
		prerequisites bool
		phase         v1alpha1.Phase
		message       string
	}{
		"Ready":    {"A check that passes is not reported.", check("s3", "", "", ""), Condition{providersReady, true, v1alpha1.ReasonReady, "every provider is installed and healthy"}, true, v1alpha1.PhaseReady, ""},
		"Waiting":  {"A check that waits is reported,", check("s3", v1alpha1.ReasonWaiting, "X", "y"), Condition{providersReady, false, v1alpha1.ReasonWaiting, "s3: X: y"}, true, v1alpha1.PhaseCreating, "X: y"},
		"Missing":  {"also as a missing prerequisite,", check("s3", v1alpha1.ReasonMissing, "X", "y"), Condition{providersReady, false, v1alpha1.ReasonMissing, "s3: X: y"}, false, v1alpha1.PhaseCreating, "X: y"},
		"Conflict": {"as a conflict with another owner,", check("s3", v1alpha1.ReasonConflict, "X", "y"), Condition{providersReady, false, v1alpha1.ReasonConflict, "s3: X: y"}, true, v1alpha1.PhaseConflict, "X: y"},
		"Failed":   {"as a failure,", check("s3", v1alpha1.ReasonFailed, "X", "boom"), Condition{providersReady, false, v1alpha1.ReasonFailed, "s3: X: boom"}, true, v1alpha1.PhaseFailed, "X: boom"},
		"Hint":     {"with a hint.", check("s3", v1alpha1.ReasonFailed, "X", "No cluster found for name: x"), Condition{providersReady, false, v1alpha1.ReasonFailed, "s3: X: No cluster found for name: x. To do: check spec.clusterName and spec.region"}, true, v1alpha1.PhaseFailed, "X: No cluster found for name: x. To do: check spec.clusterName and spec.region"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := planOf(outcomeOf("s3", ready()), tc.check)
			cs := p.conditions()
			if diff := cmp.Diff(tc.want, find(t, cs, providersReady)); diff != "" {
				t.Errorf("%s\nProvidersReady: -want, +got:\n%s", tc.reason, diff)
			}
			if got := find(t, cs, v1alpha1.ConditionPrerequisitesReady); got.Status != tc.prerequisites {
				t.Errorf("%s\nPrerequisitesReady: want %t, got %+v", tc.reason, tc.prerequisites, got)
			}
			got := p.service(&identity.Service{Name: "s3"}, p.Outcomes)
			if got.Phase != tc.phase || got.Message != tc.message {
				t.Errorf("%s\nstatus: want phase %s with message %q, got %s with %q", tc.reason, tc.phase, tc.message, got.Phase, got.Message)
			}
		})
	}
}

func TestPrerequisitesReady(t *testing.T) {
	missing := waiting(v1alpha1.ReasonMissing, "roles.iam.aws.upbound.io", "missing, install provider-aws-iam")
	observed := outcomeOf("s3", missing)
	observed.Desired = testutil.Struct(t, map[string]any{"kind": "Role"})
	cases := map[string]struct {
		reason string
		input  v1beta1.Input
		in     []*Outcome
		want   Condition
	}{
		"Ready":   {"All prerequisites exist.", v1beta1.Input{}, []*Outcome{outcomeOf("s3", creating())}, Condition{"", true, v1alpha1.ReasonReady, "all prerequisites exist"}},
		"Missing": {"A missing prerequisite is reported with its package.", v1beta1.Input{}, []*Outcome{outcomeOf("s3", missing)}, Condition{"", false, v1alpha1.ReasonMissing, "s3: roles.iam.aws.upbound.io: missing, install provider-aws-iam"}},
		"OfAll":   {"A prerequisite that belongs to no single service is reported without one.", v1beta1.Input{}, []*Outcome{outcomeOf("", missing)}, Condition{"", false, v1alpha1.ReasonMissing, "roles.iam.aws.upbound.io: missing, install provider-aws-iam"}},
		"Others": {
			"No other reason counts: resources that wait, conflict or fail have their prerequisites.",
			v1beta1.Input{},
			[]*Outcome{outcomeOf("a", waiting(v1alpha1.ReasonWaiting, "x", "y")), outcomeOf("b", waiting(v1alpha1.ReasonConflict, "x", "y")), outcomeOf("c", failed("boom"))},
			Condition{"", true, v1alpha1.ReasonReady, "all prerequisites exist"},
		},
		"Observed":        {"Neither does a gate of an existing resource.", v1beta1.Input{}, []*Outcome{observed}, Condition{"", true, v1alpha1.ReasonReady, "all prerequisites exist"}},
		"Assumed":         {"Assumed prerequisites are reported as such.", v1beta1.Input{Prerequisites: v1beta1.PrerequisitesAssume}, nil, Condition{"", true, v1alpha1.ReasonAssumed, "prerequisites are assumed to exist (Input prerequisites: Assume)"}},
		"Verified":        {"Verified prerequisites are reported as existing.", v1beta1.Input{Prerequisites: v1beta1.PrerequisitesVerify}, nil, Condition{"", true, v1alpha1.ReasonReady, "all prerequisites exist"}},
		"Preview":         {"A preview does not claim that anything exists.", v1beta1.Input{Preview: true, Prerequisites: v1beta1.PrerequisitesAssume}, nil, Condition{"", true, v1alpha1.ReasonPreview, "a preview does not check prerequisites"}},
		"AssumedButLacks": {"An EKS cluster cannot be assumed.", v1beta1.Input{Prerequisites: v1beta1.PrerequisitesAssume}, []*Outcome{outcomeOf("s3", waiting(v1alpha1.ReasonMissing, "", "no Cluster matches"))}, Condition{"", false, v1alpha1.ReasonMissing, "s3: no Cluster matches"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := planOf(tc.in...)
			p.input = &tc.input
			tc.want.Type = v1alpha1.ConditionPrerequisitesReady
			if diff := cmp.Diff(tc.want, find(t, p.conditions(), v1alpha1.ConditionPrerequisitesReady)); diff != "" {
				t.Errorf("%s\nPrerequisitesReady: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTeardownProtected checks that a protection that does not exist is not reported.
func TestTeardownProtected(t *testing.T) {
	p := planOf(outcomeOf("", waiting(v1alpha1.ReasonWaiting, "", "not yet")).as("Usage", v1alpha1.ConditionTeardownProtected))
	p.identity.Teardown = v1alpha1.TeardownOrdered
	want := Condition{Type: v1alpha1.ConditionTeardownProtected, Reason: v1alpha1.ReasonWaiting, Message: "not yet"}
	if diff := cmp.Diff(want, find(t, p.conditions(), v1alpha1.ConditionTeardownProtected)); diff != "" {
		t.Errorf("TeardownProtected without Usages: -want, +got:\n%s", diff)
	}
	p.Outcomes[0].Readiness.Ready = true
	if got := find(t, p.conditions(), v1alpha1.ConditionTeardownProtected); !got.Status {
		t.Errorf("TeardownProtected with Usages: want True, got %+v", got)
	}
	p.identity.Teardown = v1alpha1.TeardownUnordered
	for _, c := range p.conditions() {
		if c.Type == v1alpha1.ConditionTeardownProtected {
			t.Errorf("TeardownProtected of an unordered teardown: want none, got %+v", c)
		}
	}
}

// TestTeardownProtectedInNamespaces checks that the message says so if a namespaced ProviderConfig is not protected by a Usage.
func TestTeardownProtectedInNamespaces(t *testing.T) {
	config, usage := outcomeOf("", ready()).as("ProviderConfig", v1alpha1.ConditionProviderConfigReady), outcomeOf("", ready()).as("Usage", v1alpha1.ConditionTeardownProtected)
	config.Key, usage.Key = "providerconfig/team-a", "usage/providerconfig/by/providerconfig/team-b"
	p := planOf(config, usage)
	p.identity.Teardown = v1alpha1.TeardownOrdered
	message := func() string { return find(t, p.conditions(), v1alpha1.ConditionTeardownProtected).Message }
	if got := message(); !strings.Contains(got, "except for managed resources that use the ProviderConfigs in namespaces") {
		t.Errorf("TeardownProtected does not say that the ProviderConfig of team-a protects nothing: %s", got)
	}
	usage.Key = "usage/providerconfig/by/providerconfig/team-a"
	if got := message(); strings.Contains(got, "but for") {
		t.Errorf("TeardownProtected says that something is unprotected, but all is protected: %s", got)
	}
}

// TestFormerConditions checks that a condition is updated once its feature is disabled, because Crossplane keeps a condition that the
// function does not return.
func TestFormerConditions(t *testing.T) {
	cases := map[string]struct {
		reason    string
		condition v1alpha1.ConditionType
		spec      string
		want      Condition
	}{
		"Unordered":  {"Without an order, nothing is protected.", v1alpha1.ConditionTeardownProtected, `teardown: Unordered`, Condition{Reason: v1alpha1.ReasonUnordered, Message: "nothing blocks a deletion any longer, because teardown is Unordered"}},
		"Unverified": {"Without verification, the state of the pods is unknown.", v1alpha1.ConditionCredentialsInjected, `runtime: {verifyCredentials: false}`, Condition{Reason: v1alpha1.ReasonUnverified, Message: "the pods are no longer checked, because verifyCredentials is off"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.want.Type = tc.condition
			for _, before := range []string{"True", "False", "Unknown"} {
				p := world{Spec: tc.spec, XR: `status: {conditions: [{type: ` + string(tc.condition) + `, status: "` + before + `"}]}`}.plan(t)
				if diff := cmp.Diff(tc.want, find(t, p.Conditions, tc.condition)); diff != "" {
					t.Errorf("%s\nprevious status %s: -want, +got:\n%s", tc.reason, before, diff)
				}
			}
			for _, c := range (world{Spec: tc.spec}).plan(t).Conditions {
				if c.Type == tc.condition {
					t.Errorf("%s\nno previous status: want no condition, got %+v", tc.reason, c)
				}
			}
		})
	}
}

// TestConditionsAlwaysPresent runs through the stages of a composite resource, and checks that no condition goes missing.
func TestConditionsAlwaysPresent(t *testing.T) {
	want := []v1alpha1.ConditionType{"PrerequisitesReady", "IdentityReady", "ProvidersReady", "ProviderConfigReady", "TeardownProtected"}
	for name, w := range map[string]world{
		"First": {}, "Preview": {Input: `preview: true`}, "Assume": {Input: `prerequisites: Assume`},
		"Role":    {Observed: map[string]string{"role/s3": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r}}`}},
		"OwnRole": {Spec: `services: [{name: s3, management: Observe, roleArn: "arn:aws:iam::123456789012:role/x"}]`},
	} {
		var got []v1alpha1.ConditionType
		for _, c := range w.plan(t).Conditions {
			got = append(got, c.Type)
			if c.Reason == "" || c.Message == "" {
				t.Errorf("%s: %s has no reason, or no message", name, c.Type)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: conditions: -want, +got:\n%s", name, diff)
		}
	}
}

func find(t *testing.T, cs []Condition, typ v1alpha1.ConditionType) Condition {
	t.Helper()
	for _, c := range cs {
		if c.Type == typ {
			return c
		}
	}
	t.Fatalf("no condition %s in %v", typ, cs)
	return Condition{}
}

// TestCredentialsInjected checks that the condition exists if and only if the credentials are verified.
func TestCredentialsInjected(t *testing.T) {
	const injected = v1alpha1.ConditionCredentialsInjected
	unverified := planOf(outcomeOf("s3", ready()))
	unverified.identity.Services = []*identity.Service{{Name: "s3"}}
	if slices.ContainsFunc(unverified.conditions(), func(c Condition) bool { return c.Type == injected }) {
		t.Error("CredentialsInjected: want no condition without verification")
	}
	cases := map[string]struct {
		reason string
		check  *Outcome
		want   Condition
	}{
		"Injected": {"All pods have credentials.", check("s3", "", "", ""), Condition{injected, true, v1alpha1.ReasonReady, "EKS injected credentials into the pods of every provider that is verified"}},
		"Missing":  {"A missing prerequisite is reported.", check("s3", v1alpha1.ReasonMissing, "verifyCredentials", "apply it"), Condition{injected, false, v1alpha1.ReasonMissing, "s3: verifyCredentials: apply it"}},
		"Failed":   {"So is a problem with pods.", check("s3", v1alpha1.ReasonFailed, "Provider x", "its pods have none"), Condition{injected, false, v1alpha1.ReasonFailed, "s3: Provider x: its pods have none"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := planOf(outcomeOf("s3", ready()), tc.check.as("Pod", injected))
			p.identity.Services = []*identity.Service{{Name: "s3", VerifyCredentials: true}, {Name: "sqs"}}
			if diff := cmp.Diff(tc.want, find(t, p.conditions(), injected)); diff != "" {
				t.Errorf("%s\nCredentialsInjected: -want, +got:\n%s", tc.reason, diff)
			}
			if p.Ready() != tc.want.Status {
				t.Errorf("%s\nReady(): got %t", tc.reason, p.Ready())
			}
		})
	}
}
