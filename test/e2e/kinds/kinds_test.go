package kinds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
)

// patience with a provider on a busy machine.
const patience = 6 * time.Minute

// TestKinds runs the scenario of each kind twice: with the policy that is derived for it, which must suffice and allow nothing that is not
// needed, and without the action that creates, which must fail. So nothing here succeeds by accident.
func TestKinds(t *testing.T) {
	if os.Getenv("E2E") == "" {
		t.Skip("E2E is not set: see docs/e2e.md")
	}
	w := newWorld(t, scenarios)
	derived, err := policiesOf(t.Context(), scenarios)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios {
		t.Run(s.title(), func(t *testing.T) {
			t.Parallel()
			p := derived[s.kind]
			r, err := w.begin(t.Context(), s, "whole", p.Policy)
			if err == nil {
				err = r.execute(t.Context())
			}
			if err != nil {
				t.Fatalf("the derived policy is not enough: %v", err)
			}
			r.judge(t, p)
		})
		t.Run(s.title()+"/without", func(t *testing.T) {
			t.Parallel()
			without := s.steps[0].calls
			document, err := drop(derived[s.kind].Policy, without)
			if err != nil {
				t.Fatal(err)
			}
			r, err := w.begin(t.Context(), s, "without", document)
			if err != nil {
				t.Fatal(err)
			}
			var denied deniedError
			if err := r.create(t.Context()); !errors.As(err, &denied) || denied.action != without {
				t.Errorf("without %s the kind cannot be created: want it to be denied, got %v", without, err)
			}
		})
	}
}

// A policy that is derived for a kind, and the actions that the provider's source calls.
type policy struct {
	Policy  string   `json:"policy"`
	Actions []string `json:"actions"`
}

// policiesOf the scenarios' kinds, as the function writes them.
func policiesOf(ctx context.Context, scenarios []scenario) (map[string]policy, error) {
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		return nil, err
	}
	args := []string{"run", "./internal/catalogue/gen", "policies"}
	for _, s := range scenarios {
		args = append(args, s.kind)
	}
	b := binaries.Builder{Root: root}
	text, err := b.Command(ctx, ".", args...).Output()
	if err != nil {
		return nil, err
	}
	out := map[string]policy{}
	err = json.Unmarshal(text, &out)
	return out, err
}

// drop an action from a policy that has it.
func drop(document, action string) (string, error) {
	without := strings.Replace(strings.Replace(document, `"`+action+`",`, "", 1), `,"`+action+`"`, "", 1)
	if without == document {
		return "", fmt.Errorf("the policy has no %s to leave out: %s", action, document)
	}
	return without, nil
}

// A deniedError says that AWS denied an action.
type deniedError struct{ action, message string }

func (e deniedError) Error() string { return "AWS denied " + e.action + ": " + e.message }

// A run of a scenario: an object with an identity of its own.
type run struct {
	*world
	scenario

	// name of the object, of its role, and of the AWS resource that it is about.
	name string
	// caller is the name that AWS has for the identity.
	caller string
}

// begin a run with a policy: everything that the scenario needs exists then.
func (w *world) begin(ctx context.Context, s scenario, how, document string) (*run, error) {
	r := &run{world: w, scenario: s, name: strings.ToLower(strings.ReplaceAll(s.title(), "/", "-")) + "-" + how}
	role := "provider-" + r.name
	w.AWS.AddRole(role, `{"Statement":[]}`, document)
	r.caller = "assumed-role/" + role + "/"
	if s.before != nil {
		if err := s.before(ctx, w, r.name); err != nil {
			return nil, err
		}
	}
	return r, w.Login(ctx, r.name, role)
}

// object of the kind, without fields.
func (r *run) object() *unstructured.Unstructured {
	service, kind, _ := strings.Cut(r.kind, "/")
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(service + ".aws.upbound.io/" + version)
	o.SetKind(kind)
	o.SetName(r.name)
	return o
}

// execute the whole scenario.
func (r *run) execute(ctx context.Context) error {
	if err := r.create(ctx); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	for _, s := range r.steps[1:] {
		if err := r.change(ctx, s); err != nil {
			return fmt.Errorf("change %s: %w", s.fields, err)
		}
	}
	if r.after != nil {
		if err := r.after(ctx, r.world, r.name); err != nil {
			return err
		}
	}
	before := len(r.AWS.All())
	if err := r.Client.Delete(ctx, r.object()); err != nil {
		return err
	}
	return r.wait(ctx, func(ctx context.Context) error {
		o := r.object()
		if err := r.Client.Get(ctx, client.ObjectKeyFromObject(o), o); !apierrors.IsNotFound(err) && !r.ended(before) {
			return fmt.Errorf("delete: it still exists: %v", conditions(o))
		}
		return nil
	})
}

// ended says whether the calls that end the scenario were made since a call.
func (r *run) ended(since int) bool {
	left := r.ends
	for _, c := range r.AWS.All()[since:] {
		if len(left) > 0 && r.made(c) && slices.Contains(c.Needs, left[0]) {
			left = left[1:]
		}
	}
	return len(r.ends) > 0 && len(left) == 0
}

// create the object, and wait until it is ready.
func (r *run) create(ctx context.Context) error {
	o := r.object()
	fields, err := r.fields(r.steps[0])
	if err != nil {
		return err
	}
	o.Object["spec"] = map[string]any{"forProvider": fields, "providerConfigRef": map[string]any{"name": r.name}}
	if err := r.Client.Create(ctx, o); err != nil {
		return err
	}
	return r.wait(ctx, func(ctx context.Context) error { return r.done(ctx, 0, r.steps[0].calls) })
}

// fields of a step.
func (r *run) fields(s step) (map[string]any, error) {
	out := map[string]any{}
	err := yaml.Unmarshal([]byte(strings.ReplaceAll(s.fields, "NAME", r.name)), &out)
	return out, err
}

// change fields, and wait until AWS got the call that the change takes.
func (r *run) change(ctx context.Context, s step) error {
	fields, err := r.fields(s)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"forProvider": fields}})
	if err != nil {
		return err
	}
	before := len(r.AWS.All())
	if err := r.Client.Patch(ctx, r.object(), client.RawPatch("application/merge-patch+json", patch)); err != nil {
		return err
	}
	return r.wait(ctx, func(ctx context.Context) error { return r.done(ctx, before, s.calls) })
}

// done says what is missing until the object is ready, and an action was done since a call.
func (r *run) done(ctx context.Context, since int, action string) error {
	if !slices.ContainsFunc(r.AWS.All()[since:], func(c aws.Call) bool { return r.made(c) && slices.Contains(c.Needs, action) }) {
		return fmt.Errorf("%s was not called: %s", action, r.state(ctx))
	}
	o := r.object()
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		return err
	}
	for _, name := range []string{"Synced", "Ready"} {
		if !strings.Contains(conditions(o), name+"=True") {
			return fmt.Errorf("it is not %s: %s", name, conditions(o))
		}
	}
	return nil
}

func (r *run) made(c aws.Call) bool { return strings.Contains(c.Caller, r.caller) }

// state of the object, for people to read.
func (r *run) state(ctx context.Context) string {
	o := r.object()
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		return err.Error()
	}
	return conditions(o)
}

// conditions of an object, for people to read.
func conditions(o *unstructured.Unstructured) string {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	var out []string
	for _, c := range list {
		if c, ok := c.(map[string]any); ok {
			out = append(out, fmt.Sprintf("%v=%v %v", c["type"], c["status"], c["message"]))
		}
	}
	return strings.Join(out, "; ")
}

// wait until there is no error, or AWS denied something.
func (r *run) wait(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := controlplane.Poll(ctx, patience, func(ctx context.Context) error {
		for _, c := range r.AWS.All() {
			switch {
			case !r.made(c):
			case strings.HasPrefix(c.Code, "AccessDenied"):
				cancel(deniedError{c.Needs[len(c.Needs)-1], c.String()})
			case c.Code == "InvalidAction":
				cancel(errors.New("this AWS does not know what the provider calls: " + c.Service + " " + c.String()))
			}
		}
		return try(ctx)
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// judge the policy by the calls: it allows no action that was not called, unless the scenario gives a reason. An action with a reason must
// not be called.
func (r *run) judge(t *testing.T, p policy) {
	t.Helper()
	called := map[string]bool{}
	for _, c := range r.AWS.All() {
		if r.made(c) {
			for _, a := range c.Needs {
				called[a] = true
			}
		}
	}
	unused := map[string]bool{}
	for _, a := range p.Actions {
		if !called[a] {
			unused[a] = true
		}
	}
	explained := map[string]bool{}
	for why, actions := range r.unused {
		if why == "" {
			t.Error("a reason is a sentence")
		}
		for a := range strings.FieldsSeq(actions) {
			explained[a] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(explained)), slices.Sorted(maps.Keys(unused))); diff != "" {
		t.Errorf("actions of the policy that the scenario did not need: -explained, +not called:\n%s", diff)
	}
	t.Logf("%d actions, %d of them called", len(p.Actions), len(p.Actions)-len(unused))
}
