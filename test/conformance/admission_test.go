package conformance

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	celtypes "github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	admissioncel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/yaml"
)

// An expression is one of a policy, by name.
type expression struct {
	name, text string
	returns    *cel.Type
}

func (e expression) GetName() string          { return e.name }
func (e expression) GetExpression() string    { return e.text }
func (e expression) ReturnTypes() []*cel.Type { return []*cel.Type{e.returns} }

// admissionPolicies returns the policies in manifests/claims-admission-policy.yaml, by name. Each has a binding that enforces it.
func admissionPolicies(t *testing.T) map[string]*admissionregv1.ValidatingAdmissionPolicy {
	t.Helper()
	root, _ := load(t)
	b, err := os.ReadFile(filepath.Join(root, "manifests/claims-admission-policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	policies, enforced := map[string]*admissionregv1.ValidatingAdmissionPolicy{}, map[string]bool{}
	for _, doc := range separator.Split(string(b), -1) {
		kind := metav1.TypeMeta{}
		if err := yaml.Unmarshal([]byte(doc), &kind); err != nil {
			t.Fatal(err)
		}
		switch kind.Kind {
		case "ValidatingAdmissionPolicy":
			p := &admissionregv1.ValidatingAdmissionPolicy{}
			if err := yaml.UnmarshalStrict([]byte(doc), p); err != nil {
				t.Fatal(err)
			}
			policies[p.GetName()] = p
		case "ValidatingAdmissionPolicyBinding":
			p := &admissionregv1.ValidatingAdmissionPolicyBinding{}
			if err := yaml.UnmarshalStrict([]byte(doc), p); err != nil {
				t.Fatal(err)
			}
			enforced[p.Spec.PolicyName] = slices.Contains(p.Spec.ValidationActions, admissionregv1.Deny)
		default:
			t.Errorf("unexpected kind %q", kind.Kind)
		}
	}
	for name := range policies {
		if !enforced[name] {
			t.Errorf("no binding enforces policy %s", name)
		}
	}
	if len(enforced) != len(policies) {
		t.Errorf("there are bindings of policies that do not exist: %v", enforced)
	}
	return policies
}

// TestAdmissionPolicies evaluates manifests/claims-admission-policy.yaml with the API server's own CEL.
func TestAdmissionPolicies(t *testing.T) {
	const composition, binding, crossplane = "podidentityproviders-composition", "podidentityproviders-binding", "system:serviceaccount:crossplane-system:crossplane"
	cases := map[string]struct {
		reason string
		policy string
		kind   string // Default: PodIdentityProviderClaim.
		user   string // Default: a user of an app team.
		was    string // Empty: the object is created.
		spec   string
		want   string // Empty: the object is admitted.
	}{
		"Plain":       {reason: "Most claims name no Composition.", policy: composition, spec: `{}`},
		"AsWritten":   {reason: "Fields that Crossplane itself writes are admitted.", policy: composition, spec: `{compositionRef: {name: podidentityproviders.aws.podidentity.dev}, compositionRevisionRef: {name: x-1}, compositionUpdatePolicy: Automatic}`},
		"Other":       {reason: "Another Composition is refused.", policy: composition, spec: `{compositionRef: {name: open}}`, want: "spec.compositionRef.name must be podidentityproviders.aws.podidentity.dev"},
		"Nameless":    {reason: "A reference without a name is refused, too.", policy: composition, spec: `{compositionRef: {}}`, want: "no such key: name"},
		"Selector":    {reason: "A selector is refused.", policy: composition, spec: `{compositionSelector: {matchLabels: {a: b}}}`, want: "spec.compositionSelector is not allowed"},
		"NoSelector":  {reason: "An empty selector is refused, too.", policy: composition, spec: `{compositionSelector: {}}`, want: "spec.compositionSelector is not allowed"},
		"Manual":      {reason: "An old revision is refused.", policy: composition, spec: `{compositionUpdatePolicy: Manual, compositionRevisionRef: {name: x-1}}`, want: "spec.compositionUpdatePolicy must be Automatic"},
		"OldRevision": {reason: "An old revision that is selected by labels is refused, too.", policy: composition, spec: `{compositionRevisionSelector: {matchLabels: {a: b}}}`, want: "spec.compositionRevisionSelector is not allowed"},
		"Changed":     {reason: "A valid claim cannot be changed to another Composition.", policy: composition, was: `{}`, spec: `{compositionRef: {name: open}}`, want: "spec.compositionRef.name must be"},
		"Composite":   {reason: "A composite resource has the same fields.", policy: composition, kind: "PodIdentityProvider", spec: `{compositionRef: {name: open}}`, want: "spec.compositionRef.name must be podidentityproviders.aws.podidentity.dev"},
		"Tenant":      {reason: "A tenant has its own Composition.", policy: composition, kind: "PodIdentityTenantClaim", spec: `{compositionRef: {name: podidentitytenants.aws.podidentity.dev}}`},
		"TenantOther": {reason: "A tenant can use no other Composition.", policy: composition, kind: "PodIdentityTenantClaim", spec: `{compositionRef: {name: podidentityproviders.aws.podidentity.dev}}`, want: "spec.compositionRef.name must be podidentitytenants.aws.podidentity.dev"},
		"TenantXR":    {reason: "Neither can its composite resource.", policy: composition, kind: "PodIdentityTenant", spec: `{compositionRef: {name: open}}`, want: "spec.compositionRef.name must be podidentitytenants.aws.podidentity.dev"},
		"TenantPin":   {reason: "A tenant cannot use an old revision.", policy: composition, kind: "PodIdentityTenantClaim", spec: `{compositionUpdatePolicy: Manual}`, want: "spec.compositionUpdatePolicy must be Automatic"},

		"Unbound":      {reason: "A claim that names no composite resource gets one.", policy: binding, spec: `{}`},
		"Takes":        {reason: "A claim that names a composite resource adopts it, and deletes it with itself.", policy: binding, spec: `{resourceRef: {name: platform}}`, want: "spec.resourceRef is Crossplane's to set"},
		"TakesLater":   {reason: "A claim cannot name a composite resource later.", policy: binding, was: `{}`, spec: `{resourceRef: {name: platform}}`, want: "spec.resourceRef is Crossplane's to set"},
		"Exchanges":    {reason: "A claim cannot exchange its own composite resource for another one.", policy: binding, was: `{resourceRef: {name: own-x7k2p}}`, spec: `{resourceRef: {name: platform}}`, want: "spec.resourceRef is Crossplane's to set"},
		"Keeps":        {reason: "A claim with a composite resource can be changed otherwise.", policy: binding, was: `{resourceRef: {name: own-x7k2p}}`, spec: `{resourceRef: {name: own-x7k2p}, tags: {a: b}}`},
		"Binds":        {reason: "Crossplane may bind a claim.", policy: binding, user: crossplane, was: `{}`, spec: `{resourceRef: {name: own-x7k2p}}`},
		"OtherAccount": {reason: "Another ServiceAccount with that name is not Crossplane.", policy: binding, user: "system:serviceaccount:team-a:crossplane", spec: `{resourceRef: {name: platform}}`, want: "spec.resourceRef is Crossplane's to set"},
		"Lets":         {reason: "A claim may release its composite resource.", policy: binding, was: `{resourceRef: {name: own-x7k2p}}`, spec: `{}`},
		"TakesTenant":  {reason: "The same rule applies to a tenant's claim.", policy: binding, kind: "PodIdentityTenantClaim", spec: `{resourceRef: {name: team-b}}`, want: "spec.resourceRef is Crossplane's to set"},
	}
	policies := admissionPolicies(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := request{kind: cmp.Or(tc.kind, "PodIdentityProviderClaim"), user: cmp.Or(tc.user, "jane"), object: podIdentityProvider(t, tc.spec)}
			if tc.was != "" {
				r.old = podIdentityProvider(t, tc.was)
			}
			got := strings.Join(evaluate(t, policies[tc.policy], r), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("%s\nwant %q, got %q", tc.reason, tc.want, got)
			}
		})
	}
	t.Run("BeingDeleted", func(t *testing.T) {
		o := podIdentityProvider(t, `{compositionRef: {name: open}, resourceRef: {name: platform}}`)
		o.Object["metadata"].(map[string]any)["deletionTimestamp"] = "2026-01-01T00:00:00Z"
		for name, p := range policies {
			if got := evaluate(t, p, request{kind: "PodIdentityProviderClaim", user: "jane", object: o}); len(got) > 0 {
				t.Errorf("%s: the finalizers of a deleted object must be removable, got %q", name, got)
			}
		}
	})
}

// TestAdmissionPoliciesMatch checks that each policy matches every kind that it is for.
func TestAdmissionPoliciesMatch(t *testing.T) {
	policies := admissionPolicies(t)
	for _, crd := range readXRDs(t) {
		claim := strings.HasSuffix(crd.Spec.Names.Kind, "Claim")
		for name, p := range policies {
			rule := p.Spec.MatchConstraints.ResourceRules[0]
			// Only claims have a resourceRef.
			want := claim || name != "podidentityproviders-binding"
			if got := slices.Contains(rule.Resources, crd.Spec.Names.Plural) && slices.Contains(rule.APIGroups, crd.Spec.Group); got != want {
				t.Errorf("policy %s matches %s: want %t, got %t", name, crd.Spec.Names.Plural, want, got)
			}
		}
	}
}

// A request is one to the API server.
type request struct {
	kind, user  string
	object, old *unstructured.Unstructured
}

// evaluate evaluates a policy for a request. It returns the messages of the validations that fail; none if the policy does not match.
func evaluate(t *testing.T, policy *admissionregv1.ValidatingAdmissionPolicy, r request) []string {
	t.Helper()
	if policy == nil {
		t.Fatal("there is no such policy")
	}
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
		u := r.object
		u.SetKind(r.kind)
		attr := &admission.VersionedAttributes{VersionedObject: u, VersionedKind: u.GroupVersionKind()}
		operation := admission.Create
		// A typed nil is not CEL's null.
		var old runtime.Object
		if r.old != nil {
			operation, old = admission.Update, r.old
			attr.VersionedOldObject = r.old
		}
		attr.Attributes = admission.NewAttributesRecord(u, old, u.GroupVersionKind(), "", u.GetName(), kschema.GroupVersionResource{}, "", operation, nil, false, nil)
		asked := &admissionv1.AdmissionRequest{Operation: admissionv1.Operation(operation), UserInfo: authenticationv1.UserInfo{Username: r.user}}
		results, _, err := condition.ForInput(t.Context(), attr, asked, admissioncel.OptionalVariableBindings{}, nil, celconfig.RuntimeCELCostBudget)
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
