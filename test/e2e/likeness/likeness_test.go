package likeness

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/providers"
)

const (
	// patience is how long both sides may take to be the same, and quiet is for how long they must stay so: longer than a poll.
	patience = 3 * time.Minute
	quiet    = poll + poll/2
	// look is how often they are compared.
	look = 100 * time.Millisecond
)

// TestLikeness does the steps of each case to the real providers and to the fake.
func TestLikeness(t *testing.T) {
	if os.Getenv("E2E") == "" {
		t.Skip("E2E is not set: see docs/e2e.md")
	}
	sides := startBoth(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			differed := map[string]bool{}
			for i, s := range c.steps {
				for _, side := range sides {
					if err := s.do(t.Context(), side, c.name); err != nil {
						t.Fatalf("step %d, %s: %v: %s", i+1, s.name, err, c.reason)
					}
				}
				began := time.Now()
				if problem := settle(t.Context(), sides, c, s, differed); problem != "" {
					t.Fatalf("step %d, %s: %s\n%s", i+1, s.name, c.reason, problem)
				}
				t.Logf("%4.1f s %s", time.Since(began).Seconds(), s.name)
			}
			for key, reason := range c.differs {
				if !differed[key] || reason == "" {
					t.Errorf("%s is listed to differ, %q, and does not", key, reason)
				}
			}
		})
	}
}

// settle waits until both sides are as a step expects them, and the same, for a while. It returns what is wrong.
func settle(ctx context.Context, sides [2]*side, c likeness, s step, differed map[string]bool) string {
	problem, since := "", time.Time{}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(look) {
		var states [2]state
		problem = ""
		for i, side := range sides {
			var err error
			if states[i], err = side.state(ctx, c.name); err != nil {
				return err.Error()
			}
		}
		seen := map[string]bool{}
		for i, name := range []string{"real", "fake"} {
			for _, want := range s.until {
				if !states[i].is(want) && (i == 0 || !c.excuses(want)) {
					problem += fmt.Sprintf("%s: want %s\n", name, want)
				}
			}
		}
		for prefix := range c.differs {
			if states[0].cut(prefix) != states[1].cut(prefix) {
				seen[prefix] = true
			}
		}
		if diff := cmp.Diff(states[0], states[1]); diff != "" {
			problem += "-real +fake:\n" + diff
		}
		switch {
		case problem != "":
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > quiet:
			maps.Copy(differed, seen)
			return ""
		}
	}
	return problem
}

// A state is everything visible of a case on one side: values by their path.
type state map[string]string

// is says whether a value contains some text, as in Role.Ready=True, or there is no value: !Role.
func (s state) is(want string) bool {
	if key, none := strings.CutPrefix(want, "!"); none {
		_, ok := s[key]
		return !ok
	}
	key, text, _ := strings.Cut(want, "=")
	return strings.Contains(s[key], text)
}

// cut out the values whose path begins with a prefix, and return them.
func (s state) cut(prefix string) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if strings.HasPrefix(key, prefix) {
			out = append(out, key+"="+s[key])
			delete(s, key)
		}
	}
	return strings.Join(out, "\n")
}

// kinds of a case. Each has at most one object, of the name of the case.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var kinds = map[string]string{
	"Role": "iam.aws.upbound.io/v1beta1", "Policy": "iam.aws.upbound.io/v1beta1", "RolePolicyAttachment": "iam.aws.upbound.io/v1beta1",
	"PodIdentityAssociation": "eks.aws.upbound.io/v1beta1", "ProviderConfig": "aws.upbound.io/v1beta1",
}

func object(kind, name string) *unstructured.Unstructured {
	return providers.Object(`{apiVersion: ` + kinds[kind] + `, kind: ` + kind + `, metadata: {name: ` + name + `}}`)
}

// state of a case.
func (s *side) state(ctx context.Context, name string) (state, error) {
	out := state{}
	for kind := range kinds {
		o := object(kind, name)
		if there, err := s.get(ctx, o); err != nil {
			return nil, err
		} else if !there {
			continue
		}
		out[kind] = "exists"
		out.add(kind+".finalizers", o.GetFinalizers())
		for k, v := range o.GetAnnotations() {
			if strings.HasPrefix(k, "crossplane.io/external-create-") {
				v = "TIME"
			}
			out[kind+"."+strings.TrimPrefix(k, "crossplane.io/")] = normal(v)
		}
		out.add(kind+".spec", o.Object["spec"])
		status, _ := o.Object["status"].(map[string]any)
		conditions, _ := status["conditions"].([]any)
		for _, c := range conditions {
			if c, ok := c.(map[string]any); ok {
				out[fmt.Sprint(kind, ".", c["type"])] = normal(strings.TrimSuffix(fmt.Sprintf("%v %v %v", c["status"], c["reason"], c["message"]), " <nil>"))
			}
		}
		delete(status, "conditions")
		out.add(kind+".status", status)
		u := providers.Object(`{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfigUsage, metadata: {name: "` + string(o.GetUID()) + `"}}`)
		if there, err := s.get(ctx, u); err != nil {
			return nil, err
		} else if there {
			out.add(kind+".usage.labels", u.GetLabels())
			out.add(kind+".usage.providerConfigRef", u.Object["providerConfigRef"])
			out.add(kind+".usage.resourceRef", u.Object["resourceRef"])
		}
	}
	of := func(list []string) string {
		return strings.Join(slices.DeleteFunc(list, func(x string) bool { return !strings.HasSuffix(x, "/"+name) && !strings.HasSuffix(x, " "+name) }), ", ")
	}
	out["AWS.has"], out["AWS.calls"] = of(s.Has(name)), of(s.Calls(name))
	return out, nil
}

// add a value, field by field.
func (s state) add(key string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for k, x := range v {
			s.add(key+"."+k, x)
		}
	case string:
		s[key] = normal(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte(err.Error())
		}
		s[key] = normal(string(text))
	}
}

// random are patterns of what differs from run to run, and the names that replace it.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var random = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`RequestID: [0-9a-f-]+`), "RequestID: REQUEST"},
	{regexp.MustCompile(`\ba-[0-9a-z]{17}\b`), "a-ID"},
	{regexp.MustCompile(`\b(AROA|ANPA)\w+`), "$1-ID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:]+Z`), "TIME"},
	{regexp.MustCompile(`User: \S+ is not`), "User: CALLER is not"},
}

func normal(text string) string {
	for _, r := range random {
		text = r.pattern.ReplaceAllString(text, r.name)
	}
	return text
}

// A likeness is a case.
type likeness struct {
	name, reason string
	steps        []step
	// differs are the beginnings of paths at which the fake differs, each with its reason. There it must differ.
	differs map[string]string
}

// excuses the fake from something that a step expects.
func (c likeness) excuses(want string) bool {
	for prefix := range c.differs {
		if strings.HasPrefix(strings.TrimPrefix(want, "!"), prefix) {
			return true
		}
	}
	return false
}

// A step does something to a side, and says what must be visible then.
type step struct {
	name  string
	do    func(ctx context.Context, s *side, name string) error
	until []string
}

// apply an object. NAME is the name of the case.
func apply(text string, until ...string) step {
	kind := providers.Object(text).GetKind()
	return step{"apply " + kind, func(ctx context.Context, s *side, name string) error {
		return s.Apply(ctx, providers.Object(strings.ReplaceAll(text, "NAME", name)))
	}, until}
}

// remove an object that was created long ago.
func remove(kind string, until ...string) step {
	return both("delete "+kind, longAgo(kind), step{do: func(ctx context.Context, s *side, name string) error {
		return s.Client.Delete(ctx, object(kind, name))
	}, until: until})
}

// both of two steps at once.
func both(name string, a, b step) step {
	return step{name, func(ctx context.Context, s *side, of string) error {
		if err := a.do(ctx, s, of); err != nil {
			return err
		}
		return b.do(ctx, s, of)
	}, append(a.until, b.until...)}
}

// patch metadata of an object.
func patch(kind, metadata string, until ...string) step {
	return step{"patch " + kind + " " + metadata, func(ctx context.Context, s *side, name string) error {
		return s.Client.Patch(ctx, object(kind, name), client.RawPatch("application/merge-patch+json", []byte(`{"metadata":`+metadata+`}`)))
	}, until}
}

// longAgo an object was created: for half a minute after a creation, providers ignore that AWS does not have it.
func longAgo(kind string) step {
	return patch(kind, `{"annotations":{"crossplane.io/external-create-pending":"2025-01-01T00:00:00Z","crossplane.io/external-create-succeeded":"2025-01-01T00:00:01Z"}}`)
}

// cloud is what another user does in AWS.
func cloud(what string, do func(a account, name string), until ...string) step {
	return step{what, func(_ context.Context, s *side, name string) error {
		do(s.account, name)
		return nil
	}, until}
}
