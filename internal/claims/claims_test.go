package claims

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

// leaves returns the paths of all fields of a type that hold a value. A Kubernetes type or a map counts as one value.
func leaves(t reflect.Type, path string) []string {
	switch {
	case t.Kind() == reflect.Pointer:
		return leaves(t.Elem(), path)
	case t.Kind() == reflect.Slice && isOurs(t.Elem()):
		return leaves(t.Elem(), path+list)
	case !isOurs(t):
		return []string{path}
	}
	var out []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out = append(out, leaves(f.Type, strings.TrimPrefix(path+"."+name, "."))...)
	}
	return out
}

// isOurs says whether a type is a struct of the API.
func isOurs(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == reflect.TypeFor[v1alpha1.PodIdentityProviderSpec]().PkgPath()
}

// at builds an object with a value at a path. Each list gets one element.
func at(path string, v any) map[string]any {
	parts := strings.Split(path, ".")
	for _, p := range slices.Backward(parts) {
		if name, isList := strings.CutSuffix(p, list); isList {
			v = map[string]any{name: []any{v}}
		} else {
			v = map[string]any{p: v}
		}
	}
	m, _ := v.(map[string]any)
	return m
}

func message(t *testing.T, m map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDecisions compares the decisions with the Go types, so that no field can be added without a decision.
func TestDecisions(t *testing.T) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range k.decisions {
				got = append(got, d.Fields...)
				if d.Gain == "" || d.Claims && d.Stop == "" {
					t.Errorf("%v: say what an adversary gains from it and, if claims may set it, what prevents that", d.Fields)
				}
			}
			want := leaves(k.spec, "")
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("decide once for every field in apis/v1alpha1/claims.go whether a claim may set it: -fields of the Go types, +decisions:\n%s", diff)
			}
		})
	}
}

// kinds lists the kinds that have claims.
var kinds = map[string]struct {
	policy    *Policy
	decisions []v1alpha1.Decision
	spec      reflect.Type
}{
	"PodIdentityProvider": {PodIdentityProvider, v1alpha1.DecisionsFor(v1alpha1.Kind), reflect.TypeFor[v1alpha1.PodIdentityProviderSpec]()},
	"PodIdentityTenant":   {PodIdentityTenant, v1alpha1.DecisionsFor(v1alpha1.TenantKind), reflect.TypeFor[v1alpha1.PodIdentityTenantSpec]()},
}

// TestEveryField sets each field alone: to a value, an empty value, null and values of other types.
func TestEveryField(t *testing.T) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) { testEveryField(t, k.policy, k.decisions, k.spec) })
	}
}

func testEveryField(t *testing.T, policy *Policy, decisions []v1alpha1.Decision, spec reflect.Type) {
	t.Helper()
	allowed := map[string]bool{}
	for _, d := range decisions {
		for _, f := range d.Fields {
			allowed[f] = d.Claims
		}
	}
	for _, path := range leaves(spec, "") {
		for kind, v := range map[string]any{"value": "x", "empty": "", "null": nil, "object": map[string]any{"x": "y"}, "list": []any{map[string]any{"x": "y"}}, "no list": []any{}, "no object": map[string]any{}} {
			t.Run(path+"/"+kind, func(t *testing.T) {
				spec := message(t, at(path, v))
				errs := policy.Check(field.NewPath("spec"), spec)
				if allowed[path] {
					if len(errs) > 0 {
						t.Errorf("a claim may set %s, got: %v", path, errs)
					}
					return
				}
				want := "spec." + strings.ReplaceAll(path, list, "[0]")
				if len(errs) != 1 || errs[0].Field != want || !strings.Contains(errs[0].Detail, path+" to claims.allowedFields") {
					t.Errorf("want one error at %s that says how to allow it, got: %v", want, errs)
				}
				if errs := policy.Check(field.NewPath("spec"), spec, []string{path}); len(errs) > 0 {
					t.Errorf("%s is allowed, got: %v", path, errs)
				}
			})
		}
	}
}

func TestCheck(t *testing.T) {
	cases := map[string]struct {
		reason string
		spec   string
		open   [][]string
		want   []string
	}{
		"Own": {
			reason: "Fields that describe the team's own identity are accepted.",
			spec:   `{region: r, clusterName: c, accountId: a, services: [{name: s3, permissions: {accessLevel: Full, statements: [{actions: [a]}]}}], role: {description: d}, tags: {a: b}, deletionPolicy: Orphan}`,
		},
		"Crossplane": {
			reason: "The policy ignores Crossplane's own fields.",
			spec:   `{claimRef: {name: c}, compositionRef: {name: c}, compositionUpdatePolicy: Manual, resourceRefs: [{name: x}], crossplane: {anything: x}, writeConnectionSecretToRef: {name: s}}`,
		},
		"All": {
			reason: "All refused fields are reported at once.",
			spec:   `{crossplaneNamespace: n, services: [{name: s3}, {name: sqs, roleArn: "", runtime: {env: [{name: A}], replicas: 0}}]}`,
			want:   []string{"spec.crossplaneNamespace", "spec.services[1].roleArn", "spec.services[1].runtime.env", "spec.services[1].runtime.replicas"},
		},
		"Unknown":          {reason: "An unknown field is refused.", spec: `{new: 1, services: [{new: {a: b}, permissions: {new: 1}}]}`, want: []string{"spec.new", "spec.services[0].new", "spec.services[0].permissions.new"}},
		"LetterCase":       {reason: "Names are case-sensitive.", spec: `{Tags: {a: b}, ClaimRef: {a: b}}`, want: []string{"spec.ClaimRef", "spec.Tags"}},
		"Dots":             {reason: "A name with dots is not a path.", spec: `{"role.description": x, "services[].name": x}`, want: []string{`spec."role.description"`, `spec."services[].name"`}},
		"EmptyParents":     {reason: "An empty object is accepted if a claim may set a part of it, and refused otherwise.", spec: `{role: {}, services: [{permissions: {}, runtime: {}}], runtime: {}}`, want: []string{"spec.runtime", "spec.services[0].runtime"}},
		"NullParents":      {reason: "So is null, which API servers turn an empty object into.", spec: `{role: null, services: [{permissions: null, runtime: null}], runtime: null}`, want: []string{"spec.runtime", "spec.services[0].runtime"}},
		"EmptyParentOpen":  {reason: "An empty object is accepted if a part of it is allowed.", spec: `{runtime: {}}`, open: [][]string{{"runtime.env"}}},
		"WrongTypes":       {reason: "A wrong type is reported elsewhere, unless a claim may not set the field at all.", spec: `{services: x, role: 5, providerConfig: x, runtime: [a]}`, want: []string{"spec.providerConfig", "spec.runtime[0]"}},
		"NestedLists":      {reason: "A nested list hides nothing.", spec: `{services: [[{roleArn: x}]]}`, want: []string{"spec.services[0][0]"}},
		"Path":             {reason: "A path allows only that field,", spec: `{services: [{runtime: {resources: {a: b}, env: []}}], runtime: {resources: {a: b}}}`, open: [][]string{{"services[].runtime.resources"}}, want: []string{"spec.runtime.resources", "spec.services[0].runtime.env"}},
		"Below":            {reason: "and everything below it.", spec: `{providerConfig: {name: a, assumeRoleChain: [{roleARN: x}]}}`, open: [][]string{{"providerConfig"}}},
		"Pattern":          {reason: "A pattern allows every field that it matches.", spec: `{runtime: {env: [], args: []}, services: [{runtime: {args: []}}]}`, open: [][]string{{"runtime.*"}}, want: []string{"spec.services[0].runtime.args"}},
		"Everything":       {reason: "* allows every field.", spec: `{runtime: {env: []}, teardown: Unordered}`, open: [][]string{{"*"}}},
		"Named":            {reason: "A field that concerns all tenants is allowed by its name only,", spec: `{sharing: {rolePath: /a/}}`, open: [][]string{{"sharing"}}},
		"NamedBelow":       {reason: "or by a pattern that contains its name.", spec: `{sharing: {rolePath: /a/}}`, open: [][]string{{"spec.sharing.*"}}},
		"NotNamed":         {reason: "* does not allow it,", spec: `{sharing: {rolePath: /a/, accounts: []}, teardown: Unordered}`, open: [][]string{{"*", "s*", "?haring.rolePath"}}, want: []string{"spec.sharing.accounts", "spec.sharing.rolePath"}},
		"NotNamedEmpty":    {reason: "not even if it is empty, because an empty object shares, too.", spec: `{sharing: {}}`, open: [][]string{{"*"}}, want: []string{"spec.sharing"}},
		"OtherSpelling":    {reason: "A path may begin with spec, and have * as an index.", spec: `{services: [{roleName: x}]}`, open: [][]string{{"spec.services[*].roleName"}}},
		"Both":             {reason: "A field must be allowed by every list.", spec: `{teardown: Unordered, managementPolicies: []}`, open: [][]string{{"teardown", "managementPolicies"}, {"teardown"}}, want: []string{"spec.managementPolicies"}},
		"EmptyList":        {reason: "An empty list allows nothing.", spec: `{teardown: Unordered}`, open: [][]string{nil}, want: []string{"spec.teardown"}},
		"NothingSet":       {reason: "Nothing is set.", spec: `{}`},
		"WildcardInAField": {reason: "The name of a field is not a pattern.", spec: `{"*": x}`, want: []string{"spec.*"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := map[string]any{}
			if err := yaml.Unmarshal([]byte(tc.spec), &m); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, err := range PodIdentityProvider.Check(field.NewPath("spec"), message(t, m), tc.open...) {
				got = append(got, err.Field)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nCheck(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestCheckStops checks that the number of errors is limited. No reader needs thousands, and they use memory.
func TestCheckStops(t *testing.T) {
	m := map[string]any{}
	for i := range 10_000 {
		m[fmt.Sprintf("f%d", i)] = true
	}
	if got := len(PodIdentityProvider.Check(field.NewPath("spec"), message(t, m))); got != maxErrors+1 {
		t.Errorf("Check(...): want one error more than are reported, %d, got %d", maxErrors+1, got)
	}
}

func TestValidate(t *testing.T) {
	cases := map[string]struct {
		reason  string
		pattern string
		want    string
	}{
		"Path":     {"A field.", "services[].runtime.resources", ""},
		"Parent":   {"An object of fields.", "providerConfig", ""},
		"Pattern":  {"A pattern.", "runtime.*", ""},
		"Spec":     {"A path from the top.", "spec.services[*].roleName", ""},
		"Typo":     {"An unknown field, with the field that is meant.", "runtime.resorces", "did you mean runtime.resources"},
		"NoList":   {"A list without its brackets.", "services.roleName", "did you mean services[].roleName"},
		"Empty":    {"Nothing.", "", "is not a field of the spec"},
		"Status":   {"A field of something else.", "status.phase", "is not a field of the spec"},
		"Deeper":   {"The fields below a Kubernetes value are not distinguished.", "runtime.resources.limits", "did you mean runtime.resources"},
		"Index":    {"One element of a list.", "services[0].roleName", "did you mean services[].roleName"},
		"Nonsense": {"A pattern that no field matches.", "nothing*", "is not a field of the spec"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			errs := Validate(field.NewPath("allowedFields"), []string{"runtime.env", tc.pattern}, PodIdentityProvider, PodIdentityTenant)
			if tc.want == "" {
				if len(errs) > 0 {
					t.Errorf("%s\nValidate(%q): want no error, got %v", tc.reason, tc.pattern, errs)
				}
				return
			}
			if len(errs) != 1 || errs[0].Field != "allowedFields[1]" || !strings.Contains(errs[0].Detail, tc.want) {
				t.Errorf("%s\nValidate(%q): want one error at allowedFields[1] with %q, got %v", tc.reason, tc.pattern, tc.want, errs)
			}
		})
	}
}
