package conformance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	celtypes "github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregv1 "k8s.io/api/admissionregistration/v1"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	admissioncel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/yaml"
)

// An expression of a policy, by its name.
type expression struct {
	name, text string
	returns    *cel.Type
}

func (e expression) GetName() string          { return e.name }
func (e expression) GetExpression() string    { return e.text }
func (e expression) ReturnTypes() []*cel.Type { return []*cel.Type{e.returns} }

// TestAdmissionPolicy evaluates manifests/claims-admission-policy.yaml with the API server's own CEL.
func TestAdmissionPolicy(t *testing.T) {
	root, _ := load(t)
	b, err := os.ReadFile(filepath.Join(root, "manifests/claims-admission-policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	docs := separator.Split(string(b), -1)
	policy, binding := &admissionregv1.ValidatingAdmissionPolicy{}, &admissionregv1.ValidatingAdmissionPolicyBinding{}
	if err := yaml.UnmarshalStrict([]byte(docs[0]), policy); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict([]byte(docs[1]), binding); err != nil {
		t.Fatal(err)
	}
	if binding.Spec.PolicyName != policy.GetName() || !slices.Contains(binding.Spec.ValidationActions, admissionregv1.Deny) {
		t.Errorf("the binding does not enforce policy %s: %+v", policy.GetName(), binding.Spec)
	}
	xr, claim := readXRD(t)
	rule := policy.Spec.MatchConstraints.ResourceRules[0]
	for _, plural := range []string{xr.Spec.Names.Plural, claim.Spec.Names.Plural} {
		if !slices.Contains(rule.Resources, plural) || !slices.Contains(rule.APIGroups, xr.Spec.Group) {
			t.Errorf("the policy does not look at %s of %s", plural, xr.Spec.Group)
		}
	}

	cases := map[string]struct {
		reason string
		spec   string
		want   string // Empty: it is let through.
	}{
		"Plain":       {"Most claims say nothing of a Composition.", `{}`, ""},
		"AsWritten":   {"What Crossplane itself writes is let through.", `{compositionRef: {name: podidentityproviders.aws.podidentity.dev}, compositionRevisionRef: {name: x-1}, compositionUpdatePolicy: Automatic}`, ""},
		"Other":       {"Another Composition.", `{compositionRef: {name: open}}`, "spec.compositionRef.name must be podidentityproviders.aws.podidentity.dev"},
		"Nameless":    {"A reference without a name is refused, too.", `{compositionRef: {}}`, "no such key: name"},
		"Selector":    {"A selector.", `{compositionSelector: {matchLabels: {a: b}}}`, "spec.compositionSelector is not allowed"},
		"NoSelector":  {"However empty.", `{compositionSelector: {}}`, "spec.compositionSelector is not allowed"},
		"Manual":      {"An old revision.", `{compositionUpdatePolicy: Manual, compositionRevisionRef: {name: x-1}}`, "spec.compositionUpdatePolicy must be Automatic"},
		"OldRevision": {"An old revision by its labels.", `{compositionRevisionSelector: {matchLabels: {a: b}}}`, "spec.compositionRevisionSelector is not allowed"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(evaluate(t, policy, podIdentityProvider(t, tc.spec).Object), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("%s\nwant %q, got %q", tc.reason, tc.want, got)
			}
		})
	}
	t.Run("BeingDeleted", func(t *testing.T) {
		o := podIdentityProvider(t, `{compositionRef: {name: open}}`).Object
		o["metadata"].(map[string]any)["deletionTimestamp"] = "2026-01-01T00:00:00Z"
		if got := evaluate(t, policy, o); len(got) > 0 {
			t.Errorf("the finalizers of what is being deleted must come off, got %q", got)
		}
	})
}

// evaluate a policy for an object. Returned are the messages of the validations that fail; none if the policy does not match.
func evaluate(t *testing.T, policy *admissionregv1.ValidatingAdmissionPolicy, object map[string]any) []string {
	t.Helper()
	compiler, err := admissioncel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range policy.Spec.Variables {
		if r := compiler.CompileAndStoreVariable(expression{v.Name, v.Expression, cel.AnyType}, admissioncel.OptionalVariableDeclarations{}, environment.NewExpressions); r.Error != nil {
			t.Fatalf("variable %s: %v", v.Name, r.Error)
		}
	}
	run := func(returns *cel.Type, texts ...string) []admissioncel.EvaluationResult {
		t.Helper()
		var es []admissioncel.ExpressionAccessor
		for _, text := range texts {
			es = append(es, expression{"", text, returns})
		}
		condition := compiler.CompileCondition(es, admissioncel.OptionalVariableDeclarations{}, environment.NewExpressions)
		for _, err := range condition.CompilationErrors() {
			t.Fatal(err)
		}
		u := podIdentityProvider(t, "{}")
		u.Object = object
		attr := &admission.VersionedAttributes{
			Attributes:      admission.NewAttributesRecord(u, nil, u.GroupVersionKind(), "", u.GetName(), kschema.GroupVersionResource{}, "", admission.Create, nil, false, nil),
			VersionedObject: u, VersionedKind: u.GroupVersionKind(),
		}
		results, _, err := condition.ForInput(t.Context(), attr, &admissionv1.AdmissionRequest{}, admissioncel.OptionalVariableBindings{}, nil, celconfig.RuntimeCELCostBudget)
		if err != nil {
			t.Fatal(err)
		}
		return results
	}

	for _, m := range policy.Spec.MatchConditions {
		if r := run(cel.BoolType, m.Expression); r[0].Error != nil || r[0].EvalResult != celtypes.True {
			return nil
		}
	}
	var out []string
	for _, v := range policy.Spec.Validations {
		switch r := run(cel.BoolType, v.Expression)[0]; {
		case r.Error != nil:
			out = append(out, r.Error.Error()) // failurePolicy: Fail
		case r.EvalResult == celtypes.True:
		case v.MessageExpression != "":
			out = append(out, run(cel.StringType, v.MessageExpression)[0].EvalResult.Value().(string))
		default:
			out = append(out, v.Message)
		}
	}
	return out
}
