package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/resources"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// TestOutcome is the truth table for the outcome of a desired resource: its gate, whether it exists, and its readiness.
func TestOutcome(t *testing.T) {
	built := testutil.Struct(t, map[string]any{"kind": "Role"})
	gate := &resources.Wait{Reason: v1alpha1.ReasonWaiting, Subject: "x", Message: "y"}
	missing := &resources.Wait{Reason: v1alpha1.ReasonMissing, Subject: "x", Message: "y"}
	conflict := &resources.Wait{Reason: v1alpha1.ReasonConflict, Subject: "x", Message: "y"}
	ok, broken, slow := resources.Readiness{Ready: true}, resources.Readiness{Failed: true, Message: "boom"}, resources.Readiness{Message: "not yet"}
	type result struct {
		Desired   *structpb.Struct
		Readiness resources.Readiness
		Reason    v1alpha1.Reason
	}
	cases := map[string]struct {
		reason   string
		gate     *resources.Wait
		observed bool
		reports  resources.Readiness
		want     result
	}{
		"ShutAndAbsent":    {"A closed gate blocks a resource that does not exist,", gate, false, resources.Readiness{}, result{Reason: v1alpha1.ReasonWaiting}},
		"MissingAndAbsent": {"for any reason,", missing, false, resources.Readiness{}, result{Reason: v1alpha1.ReasonMissing}},
		"Conflict":         {"including a conflict with another owner.", conflict, false, resources.Readiness{}, result{Reason: v1alpha1.ReasonConflict}},
		"ShutAndReady":     {"It does not remove an existing resource.", gate, true, ok, result{built, ok, v1alpha1.ReasonReady}},
		"ShutAndFailed":    {"It does not hide the resource's error,", missing, true, broken, result{built, broken, v1alpha1.ReasonFailed}},
		"ShutAndSlow":      {"or make the resource appear to wait.", conflict, true, slow, result{built, slow, v1alpha1.ReasonCreating}},
		"OpenAndAbsent":    {"An open gate lets the resource be created.", nil, false, resources.Readiness{}, result{built, resources.Readiness{Message: "being created"}, v1alpha1.ReasonCreating}},
		"OpenAndReady":     {"An existing resource has the readiness that it reports: ready,", nil, true, ok, result{built, ok, v1alpha1.ReasonReady}},
		"OpenAndFailed":    {"failed,", nil, true, broken, result{built, broken, v1alpha1.ReasonFailed}},
		"OpenAndSlow":      {"or neither.", nil, true, slow, result{built, slow, v1alpha1.ReasonCreating}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{Observed: map[string]string{}}
			if tc.observed {
				w.Observed["role/x"] = `{kind: Role, metadata: {name: x}}`
			}
			v, id := w.resolve(t)
			got, err := outcome(v, id, &resources.Resource{
				Key: "role/x", Condition: v1alpha1.ConditionIdentityReady, Kind: schema.GroupVersionKind{Kind: "Role"}, Wait: tc.gate,
				Build: func() (*structpb.Struct, error) { return built, nil },
				Ready: func(o view.Object) resources.Readiness {
					if o.Name() != "x" {
						t.Errorf("%s\nreadiness based on %q, not on the observed object", tc.reason, o.Name())
					}
					return tc.reports
				},
			})
			if err != nil {
				t.Fatalf("%s\noutcome(...): %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, result{got.Desired, got.Readiness, got.reason()}, protocmp.Transform()); diff != "" {
				t.Errorf("%s\noutcome(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestOutcomeOfCheck is the truth table for checks, which are not composed.
func TestOutcomeOfCheck(t *testing.T) {
	cases := map[string]struct {
		reason   string
		wait     *resources.Wait
		observed bool
		ready    bool
		want     v1alpha1.Reason
	}{
		"Fulfilled": {"A check that waits for nothing is ready.", nil, false, true, v1alpha1.ReasonReady},
		"Waiting":   {"A check that waits is not ready,", &resources.Wait{Reason: v1alpha1.ReasonWaiting}, false, false, v1alpha1.ReasonWaiting},
		"Missing":   {"for the reason that it gives:", &resources.Wait{Reason: v1alpha1.ReasonMissing}, false, false, v1alpha1.ReasonMissing},
		"Creating":  {"being created,", &resources.Wait{Reason: v1alpha1.ReasonCreating}, false, false, v1alpha1.ReasonCreating},
		"Failed":    {"an error,", &resources.Wait{Reason: v1alpha1.ReasonFailed}, false, false, v1alpha1.ReasonFailed},
		"Conflict":  {"or a conflict with another owner.", &resources.Wait{Reason: v1alpha1.ReasonConflict}, false, false, v1alpha1.ReasonConflict},
		"Observed":  {"An observed object with the key of a check neither satisfies it nor is composed,", &resources.Wait{Reason: v1alpha1.ReasonFailed}, true, false, v1alpha1.ReasonFailed},
		"Both":      {"nor does it make the check fail.", nil, true, true, v1alpha1.ReasonReady},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{Observed: map[string]string{}}
			if tc.observed {
				w.Observed["check/x"] = `{kind: Role, metadata: {name: x}}`
			}
			v, id := w.resolve(t)
			o, err := outcome(v, id, &resources.Resource{Key: "check/x", Condition: v1alpha1.ConditionIdentityReady, Wait: tc.wait})
			if err != nil {
				t.Fatalf("%s\noutcome(...): %v", tc.reason, err)
			}
			if o.Desired != nil || o.Readiness.Ready != tc.ready || o.reason() != tc.want {
				t.Errorf("%s\noutcome(...): want no composed object, ready %t, reason %s; got object %v, ready %t, reason %s", tc.reason, tc.ready, tc.want, o.Desired, o.Readiness.Ready, o.reason())
			}
			if got := planOf(o).Ready(); got != tc.ready {
				t.Errorf("%s\nReady() of a plan with only this check: want %t, got %t", tc.reason, tc.ready, got)
			}
		})
	}
}

func TestOutcomeError(t *testing.T) {
	v, id := world{}.resolve(t)
	r := &resources.Resource{Name: "r", Kind: schema.GroupVersionKind{Kind: "Role"}, Build: func() (*structpb.Struct, error) { return nil, errors.New("boom") }}
	_, err := outcome(v, id, r)
	if err == nil || !strings.Contains(err.Error(), "Role r") || !strings.Contains(err.Error(), "boom") {
		t.Errorf("want an error that names the object that cannot be built, got %v", err)
	}
	r.Wait = &resources.Wait{}
	if _, err := outcome(v, id, r); err != nil {
		t.Errorf("an object that waits need not be built, got %v", err)
	}
}

// TestFlawedTemplate checks that an invalid template blocks nothing else, and is reported in the condition and the status.
func TestFlawedTemplate(t *testing.T) {
	const wrong = "spec.services[1].runtime.deploymentTemplate.spec.template.spec.containers[0].name: Required value: must be set"
	p, err := New(world{
		Spec:     `services: [{name: s3}, {name: sqs, runtime: {args: [--debug], deploymentTemplate: {spec: {template: {spec: {containers: [{image: a}]}}}}}}]`,
		Observed: map[string]string{"runtimeconfig/sqs": `{kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-sqs}, spec: {deploymentTemplate: {spec: {selector: {}}}}}`},
	}.resolve(t))
	if err != nil {
		t.Fatalf("an invalid template should be found before it is merged, got %v", err)
	}
	composed := map[string]bool{}
	for _, o := range p.Outcomes {
		composed[o.Key] = o.Desired != nil
	}
	want := map[string]bool{"runtimeconfig/sqs": true, "provider/sqs": false, "template/sqs/deploymentTemplate": false}
	for key, w := range want {
		if got, ok := composed[key]; !ok || got != w {
			t.Errorf("existing resources should stay, and new ones with the template should wait: %s composed: want %t, got %t", key, w, got)
		}
	}
	if c := p.Conditions[0]; c.Type != v1alpha1.ConditionPrerequisitesReady || c.Status || c.Reason != v1alpha1.ReasonInvalidSpec || !strings.HasPrefix(c.Message, "sqs: "+wrong) {
		t.Errorf("want PrerequisitesReady to report the error, got %+v", c)
	}
	if s := p.Status.Services[1]; s.Phase != v1alpha1.PhaseFailed || !strings.Contains(s.Message, wrong) {
		t.Errorf("want the service to report the error, got phase %s, %q", s.Phase, s.Message)
	}
	if s := p.Status.Services[0]; s.Phase == v1alpha1.PhaseFailed || strings.Contains(s.Message, "deploymentTemplate") {
		t.Errorf("want the other service to be unaffected, got phase %s, %q", s.Phase, s.Message)
	}
	if p.Ready() {
		t.Error("a composite resource with an invalid template should not be ready")
	}
}

// TestNotes checks that notes appear once in the condition of the providers, and change nothing else.
func TestNotes(t *testing.T) {
	p, err := New(world{Spec: `{runtime: {env: [{name: AWS_ACCESS_KEY_ID, value: a}]}, services: [{name: s3}, {name: ec2}]}`}.resolve(t))
	if err != nil {
		t.Fatal(err)
	}
	const want = ". Note: s3, ec2: variable AWS_ACCESS_KEY_ID comes before the credentials of EKS Pod Identity: take it out of the runtime's env and deploymentTemplate"
	for _, c := range p.Conditions {
		if got := strings.Contains(c.Message, "Note:"); got != (c.Type == v1alpha1.ConditionProvidersReady) {
			t.Errorf("want a note in ProvidersReady only, got %s: %s", c.Type, c.Message)
		}
		if c.Type == v1alpha1.ConditionProvidersReady && !strings.HasSuffix(c.Message, want) {
			t.Errorf("want ProvidersReady to end with %q, got %q", want, c.Message)
		}
	}
	if len(p.Warnings) > 0 {
		t.Errorf("want no event for a note, got %q", p.Warnings)
	}
}

// TestLostCluster covers existing managed resources of a cluster whose name is no longer known, because a guess would change them.
func TestLostCluster(t *testing.T) {
	w := world{Spec: `{clusterName: null, clusterNameRef: {name: main}}`}
	p := w.plan(t)
	for _, o := range p.Outcomes {
		if o.Condition == v1alpha1.ConditionIdentityReady && o.Desired != nil {
			t.Errorf("%s: want nothing for an unknown cluster", o.Key)
		}
	}

	const role = `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r, labels: {a: b}}, spec: {forProvider: {path: /}}}`
	w.Observed, w.Answers = map[string]string{"role/s3": role}, map[string]string{}
	for range 5 {
		v, id := w.resolve(t)
		p, err := New(v, id)
		if !v.Requirements.Unanswered() {
			if err == nil || !strings.Contains(err.Error(), "Role r") || !strings.Contains(err.Error(), "provider-aws-eks") {
				t.Errorf("want an error that names the role and what is missing, got %v", err)
			}
			break
		}
		// Crossplane does not answer the requirements of a response with an error.
		if err != nil {
			t.Fatalf("want no error while requirements are unanswered, got %v", err)
		}
		for _, o := range p.Outcomes {
			if o.Key == "role/s3" {
				if diff := cmp.Diff(testutil.Parse(t, role), o.Desired.AsMap()); diff != "" || o.Readiness.Ready {
					t.Errorf("want the role as it is, and not ready: -want, +got:\n%s", diff)
				}
			}
		}
		for key := range v.Requirements.Proto().GetExtraResources() { //nolint:staticcheck // Crossplane before 2.2 knows no other field.
			w.Answers[key] = `[]`
		}
	}
	if len(w.Answers) == 0 {
		t.Fatal("nothing was required")
	}

	w.Observed["role/s3"] = `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r, annotations: {aws.podidentity.dev/cluster: prod}}}`
	for _, o := range w.plan(t).Outcomes {
		if o.Key == "role/s3" && o.Desired == nil {
			t.Error("want the role composed again: it remembers its cluster")
		}
	}
}

// TestUnwanted checks that a resource that is no longer desired is not composed, whether it exists or not, if its teardown is unordered.
func TestUnwanted(t *testing.T) {
	p := world{Spec: `teardown: Unordered`, Observed: map[string]string{
		"role/ec2": `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r}}`, "family": `{apiVersion: pkg.crossplane.io/v1, kind: Provider}`,
	}}.plan(t)
	for _, o := range p.Outcomes {
		if o.Key == "role/ec2" || o.Key == "family" {
			t.Errorf("%s is in the plan, but not in the spec", o.Key)
		}
	}
}

func TestPreview(t *testing.T) {
	p := world{Input: `preview: true`}.plan(t)
	for _, o := range p.Outcomes {
		if o.Desired == nil {
			t.Errorf("%s: want everything in a preview", o.Key)
		}
	}
	if len(p.Outcomes) != 13 || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "preview") {
		t.Errorf("want 13 resources and a warning that this is a preview, got %d and %q", len(p.Outcomes), p.Warnings)
	}
	if p.Ready() {
		t.Error("want a preview not to be ready")
	}
	if got := (world{}).plan(t).Warnings; len(got) != 0 {
		t.Errorf("want no warnings without a preview, got %q", got)
	}
}

func TestReady(t *testing.T) {
	cases := map[string]struct {
		reason string
		in     []*Outcome
		want   bool
	}{
		"Nothing":  {"A plan without resources is ready.", nil, true},
		"Ready":    {"A plan is ready if all its resources are.", []*Outcome{outcomeOf("a", ready()), outcomeOf("b", ready())}, true},
		"Waiting":  {"A resource that is not composed yet is not ready, although Crossplane cannot know.", []*Outcome{outcomeOf("a", ready()), outcomeOf("b", waiting(v1alpha1.ReasonWaiting, "", "x"))}, false},
		"Creating": {"Neither is a resource that is being created.", []*Outcome{outcomeOf("a", creating()), outcomeOf("b", ready())}, false},
		"Failed":   {"Neither is a resource that has failed.", []*Outcome{outcomeOf("a", failed("x"))}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := planOf(tc.in...).Ready(); got != tc.want {
				t.Errorf("%s\nReady(): want %t, got %t", tc.reason, tc.want, got)
			}
		})
	}
}
