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

// patience with a provider on a machine that has other things to do.
const patience = 6 * time.Minute

// TestKinds tells the story of each kind twice: with the policy that is derived for it, which must do and hold nothing that is not
// needed, and without the action that creates, which must fail. So nothing here succeeds by accident.
func TestKinds(t *testing.T) {
	if os.Getenv("E2E") == "" {
		t.Skip("E2E is not set: see docs/e2e.md")
	}
	w := newWorld(t, stories)
	derived, err := policiesOf(t.Context(), stories)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stories {
		t.Run(s.kind, func(t *testing.T) {
			t.Parallel()
			p := derived[s.kind]
			told, err := w.begin(t.Context(), s, "whole", p.Policy)
			if err == nil {
				err = told.tell(t.Context())
			}
			if err != nil {
				t.Fatalf("the derived policy is not enough: %v", err)
			}
			told.judge(t, p)
		})
		t.Run(s.kind+"/without", func(t *testing.T) {
			t.Parallel()
			without := s.steps[0].calls
			document, err := drop(derived[s.kind].Policy, without)
			if err != nil {
				t.Fatal(err)
			}
			told, err := w.begin(t.Context(), s, "without", document)
			if err != nil {
				t.Fatal(err)
			}
			var denied deniedError
			if err := told.create(t.Context()); !errors.As(err, &denied) || denied.action != without {
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

// policiesOf the stories' kinds, as the function writes them.
func policiesOf(ctx context.Context, stories []story) (map[string]policy, error) {
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		return nil, err
	}
	args := []string{"run", "./internal/catalogue/gen", "policies"}
	for _, s := range stories {
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

// A deniedError is that AWS denied an action.
type deniedError struct{ action, message string }

func (e deniedError) Error() string { return "AWS denied " + e.action + ": " + e.message }

// A telling of a story: an object with an identity of its own.
type telling struct {
	*world
	story

	// name of the object, of its role, and of what it is about.
	name string
	// caller is how AWS calls the identity.
	caller string
}

// begin a story with a policy: what must be there is.
func (w *world) begin(ctx context.Context, s story, how, document string) (*telling, error) {
	tl := &telling{world: w, story: s, name: strings.ToLower(strings.ReplaceAll(s.kind, "/", "-")) + "-" + how}
	role := "provider-" + tl.name
	w.AWS.AddRole(role, `{"Statement":[]}`, document)
	tl.caller = "assumed-role/" + role + "/"
	if s.before != nil {
		if err := s.before(ctx, w, tl.name); err != nil {
			return nil, err
		}
	}
	return tl, w.Login(ctx, tl.name, role)
}

// object of the kind, without fields.
func (tl *telling) object() *unstructured.Unstructured {
	service, kind, _ := strings.Cut(tl.kind, "/")
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(service + ".aws.upbound.io/v1beta1")
	o.SetKind(kind)
	o.SetName(tl.name)
	return o
}

// tell the whole story.
func (tl *telling) tell(ctx context.Context) error {
	if err := tl.create(ctx); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	for _, s := range tl.steps[1:] {
		if err := tl.change(ctx, s); err != nil {
			return fmt.Errorf("change %s: %w", s.fields, err)
		}
	}
	if tl.after != nil {
		if err := tl.after(ctx, tl.world, tl.name); err != nil {
			return err
		}
	}
	before := len(tl.AWS.All())
	if err := tl.Client.Delete(ctx, tl.object()); err != nil {
		return err
	}
	return tl.wait(ctx, func(ctx context.Context) error {
		o := tl.object()
		if err := tl.Client.Get(ctx, client.ObjectKeyFromObject(o), o); !apierrors.IsNotFound(err) && !tl.ended(before) {
			return fmt.Errorf("delete: it is still there: %v", conditions(o))
		}
		return nil
	})
}

// ended tells whether the calls that end the story were made since a call.
func (tl *telling) ended(since int) bool {
	left := tl.ends
	for _, c := range tl.AWS.All()[since:] {
		if len(left) > 0 && tl.made(c) && slices.Contains(c.Needs, left[0]) {
			left = left[1:]
		}
	}
	return len(tl.ends) > 0 && len(left) == 0
}

// create the object, and wait until it is ready.
func (tl *telling) create(ctx context.Context) error {
	o := tl.object()
	fields, err := tl.fields(tl.steps[0])
	if err != nil {
		return err
	}
	o.Object["spec"] = map[string]any{"forProvider": fields, "providerConfigRef": map[string]any{"name": tl.name}}
	if err := tl.Client.Create(ctx, o); err != nil {
		return err
	}
	return tl.wait(ctx, func(ctx context.Context) error { return tl.done(ctx, 0, tl.steps[0].calls) })
}

// fields of a step.
func (tl *telling) fields(s step) (map[string]any, error) {
	out := map[string]any{}
	err := yaml.Unmarshal([]byte(strings.ReplaceAll(s.fields, "NAME", tl.name)), &out)
	return out, err
}

// change fields, and wait until AWS got the call that this takes.
func (tl *telling) change(ctx context.Context, s step) error {
	fields, err := tl.fields(s)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"forProvider": fields}})
	if err != nil {
		return err
	}
	before := len(tl.AWS.All())
	if err := tl.Client.Patch(ctx, tl.object(), client.RawPatch("application/merge-patch+json", patch)); err != nil {
		return err
	}
	return tl.wait(ctx, func(ctx context.Context) error { return tl.done(ctx, before, s.calls) })
}

// done says what is missing until the object is ready, and an action was done since a call.
func (tl *telling) done(ctx context.Context, since int, action string) error {
	if !slices.ContainsFunc(tl.AWS.All()[since:], func(c aws.Call) bool { return tl.made(c) && slices.Contains(c.Needs, action) }) {
		return fmt.Errorf("%s was not called: %s", action, tl.state(ctx))
	}
	o := tl.object()
	if err := tl.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		return err
	}
	for _, name := range []string{"Synced", "Ready"} {
		if !strings.Contains(conditions(o), name+"=True") {
			return fmt.Errorf("it is not %s: %s", name, conditions(o))
		}
	}
	return nil
}

func (tl *telling) made(c aws.Call) bool { return strings.Contains(c.Caller, tl.caller) }

// state of the object, for people.
func (tl *telling) state(ctx context.Context) string {
	o := tl.object()
	if err := tl.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		return err.Error()
	}
	return conditions(o)
}

// conditions of an object, for people.
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
func (tl *telling) wait(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := controlplane.Poll(ctx, patience, func(ctx context.Context) error {
		for _, c := range tl.AWS.All() {
			switch {
			case !tl.made(c):
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

// judge the policy by what was called: nothing is in it that was not, but what the story gives a reason for. A reason for what was called
// is no reason.
func (tl *telling) judge(t *testing.T, p policy) {
	t.Helper()
	called := map[string]bool{}
	for _, c := range tl.AWS.All() {
		if tl.made(c) {
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
	for why, actions := range tl.unused {
		if why == "" {
			t.Error("a reason is a sentence")
		}
		for a := range strings.FieldsSeq(actions) {
			explained[a] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(explained)), slices.Sorted(maps.Keys(unused))); diff != "" {
		t.Errorf("actions of the policy that the story did not need: -explained, +not called:\n%s", diff)
	}
	t.Logf("%d actions, %d of them called", len(p.Actions), len(p.Actions)-len(unused))
}
