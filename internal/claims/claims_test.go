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

// leaves of a type: the paths of all fields that hold a value. What is a type of Kubernetes or a map is one value.
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

// at a path a value is built: lists get one element.
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

// TestDecisions holds the decisions against the Go types: a field without one could not be added.
func TestDecisions(t *testing.T) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range k.decisions {
				got = append(got, d.Fields...)
				if d.Gain == "" || d.Claims && d.Stop == "" {
					t.Errorf("%v: say what an adversary gains by it and, where claims may set it, what stops that", d.Fields)
				}
			}
			want := leaves(k.spec, "")
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("decide in apis/v1alpha1/claims.go of every field, once, whether a claim may set it: -fields of the Go types, +decisions:\n%s", diff)
			}
		})
	}
}

// kinds that have claims.
var kinds = map[string]struct {
	policy    *Policy
	decisions []v1alpha1.Decision
	spec      reflect.Type
}{
	"PodIdentityProvider": {PodIdentityProvider, v1alpha1.DecisionsFor(v1alpha1.Kind), reflect.TypeFor[v1alpha1.PodIdentityProviderSpec]()},
	"PodIdentityTenant":   {PodIdentityTenant, v1alpha1.DecisionsFor(v1alpha1.TenantKind), reflect.TypeFor[v1alpha1.PodIdentityTenantSpec]()},
}

// TestEveryField sets every field alone, with a value, with an empty one, with null and with a value of another type.
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
					t.Errorf("want one error at %s that says how to open it, got: %v", want, errs)
				}
				if errs := policy.Check(field.NewPath("spec"), spec, []string{path}); len(errs) > 0 {
					t.Errorf("%s is opened, got: %v", path, errs)
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
			reason: "What describes the team's own identity is taken.",
			spec:   `{region: r, clusterName: c, accountId: a, services: [{name: s3, permissions: {accessLevel: Full, statements: [{actions: [a]}]}}], role: {description: d}, tags: {a: b}, deletionPolicy: Orphan}`,
		},
		"Crossplane": {
			reason: "Crossplane's own fields are not ours.",
			spec:   `{claimRef: {name: c}, compositionRef: {name: c}, compositionUpdatePolicy: Manual, resourceRefs: [{name: x}], crossplane: {anything: x}, writeConnectionSecretToRef: {name: s}}`,
		},
		"All": {
			reason: "Everything that is refused is told at once.",
			spec:   `{crossplaneNamespace: n, services: [{name: s3}, {name: sqs, roleArn: "", runtime: {env: [{name: A}], replicas: 0}}]}`,
			want:   []string{"spec.crossplaneNamespace", "spec.services[1].roleArn", "spec.services[1].runtime.env", "spec.services[1].runtime.replicas"},
		},
		"Unknown":          {reason: "A field that there is not is refused.", spec: `{new: 1, services: [{new: {a: b}, permissions: {new: 1}}]}`, want: []string{"spec.new", "spec.services[0].new", "spec.services[0].permissions.new"}},
		"LetterCase":       {reason: "Names have a letter case.", spec: `{Tags: {a: b}, ClaimRef: {a: b}}`, want: []string{"spec.ClaimRef", "spec.Tags"}},
		"Dots":             {reason: "A name with dots is no path.", spec: `{"role.description": x, "services[].name": x}`, want: []string{`spec."role.description"`, `spec."services[].name"`}},
		"EmptyParents":     {reason: "An object with nothing in it is taken where a claim may set a part of it, and refused where not.", spec: `{role: {}, services: [{permissions: {}, runtime: {}}], runtime: {}}`, want: []string{"spec.runtime", "spec.services[0].runtime"}},
		"NullParents":      {reason: "So is null, which API servers make of one.", spec: `{role: null, services: [{permissions: null, runtime: null}], runtime: null}`, want: []string{"spec.runtime", "spec.services[0].runtime"}},
		"EmptyParentOpen":  {reason: "An object with nothing in it is taken where a part of it is open.", spec: `{runtime: {}}`, open: [][]string{{"runtime.env"}}},
		"WrongTypes":       {reason: "A value of the wrong type is told elsewhere, unless a claim has no business there.", spec: `{services: x, role: 5, providerConfig: x, runtime: [a]}`, want: []string{"spec.providerConfig", "spec.runtime[0]"}},
		"NestedLists":      {reason: "A list in a list hides nothing.", spec: `{services: [[{roleArn: x}]]}`, want: []string{"spec.services[0][0]"}},
		"Path":             {reason: "A path opens that field only.", spec: `{services: [{runtime: {resources: {a: b}, env: []}}], runtime: {resources: {a: b}}}`, open: [][]string{{"services[].runtime.resources"}}, want: []string{"spec.runtime.resources", "spec.services[0].runtime.env"}},
		"Below":            {reason: "And everything below it.", spec: `{providerConfig: {name: a, assumeRoleChain: [{roleARN: x}]}}`, open: [][]string{{"providerConfig"}}},
		"Pattern":          {reason: "A pattern opens what it matches.", spec: `{runtime: {env: [], args: []}, services: [{runtime: {args: []}}]}`, open: [][]string{{"runtime.*"}}, want: []string{"spec.services[0].runtime.args"}},
		"Everything":       {reason: "* is every field.", spec: `{runtime: {env: []}, teardown: Unordered}`, open: [][]string{{"*"}}},
		"Named":            {reason: "What concerns all tenants is opened by its name only.", spec: `{sharing: {rolePath: /a/}}`, open: [][]string{{"sharing"}}},
		"NamedBelow":       {reason: "Or by a pattern that has it.", spec: `{sharing: {rolePath: /a/}}`, open: [][]string{{"spec.sharing.*"}}},
		"NotNamed":         {reason: "* does not mean it.", spec: `{sharing: {rolePath: /a/, accounts: []}, teardown: Unordered}`, open: [][]string{{"*", "s*", "?haring.rolePath"}}, want: []string{"spec.sharing.accounts", "spec.sharing.rolePath"}},
		"NotNamedEmpty":    {reason: "Nor if there is nothing in it, which shares, too.", spec: `{sharing: {}}`, open: [][]string{{"*"}}, want: []string{"spec.sharing"}},
		"OtherSpelling":    {reason: "A path may begin with spec, and have a * as the index.", spec: `{services: [{roleName: x}]}`, open: [][]string{{"spec.services[*].roleName"}}},
		"Both":             {reason: "What one list opens and another does not stays closed.", spec: `{teardown: Unordered, managementPolicies: []}`, open: [][]string{{"teardown", "managementPolicies"}, {"teardown"}}, want: []string{"spec.managementPolicies"}},
		"EmptyList":        {reason: "An empty list opens nothing.", spec: `{teardown: Unordered}`, open: [][]string{nil}, want: []string{"spec.teardown"}},
		"NothingSet":       {reason: "Nothing is set.", spec: `{}`},
		"WildcardInAField": {reason: "A field's name is no pattern.", spec: `{"*": x}`, want: []string{"spec.*"}},
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

// TestCheckStops: nobody reads thousands of errors, and making them takes memory.
func TestCheckStops(t *testing.T) {
	m := map[string]any{}
	for i := range 10_000 {
		m[fmt.Sprintf("f%d", i)] = true
	}
	if got := len(PodIdentityProvider.Check(field.NewPath("spec"), message(t, m))); got != maxErrors+1 {
		t.Errorf("Check(...): want one error more than are told, %d, got %d", maxErrors+1, got)
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
		"Typo":     {"A field that there is not, with the one that is meant.", "runtime.resorces", "did you mean runtime.resources"},
		"NoList":   {"A list without its brackets.", "services.roleName", "did you mean services[].roleName"},
		"Empty":    {"Nothing.", "", "is not a field of the spec"},
		"Status":   {"A field of something else.", "status.phase", "is not a field of the spec"},
		"Deeper":   {"Below a value of Kubernetes nothing is told apart.", "runtime.resources.limits", "did you mean runtime.resources"},
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
