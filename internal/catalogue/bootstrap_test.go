package catalogue

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// spared are actions that kinds of the bootstrap identity call, and that it does not need, by the reason.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var spared = map[string][]string{
	"The function composes roles without inline policies and instance profiles.": {"iam:PutRolePolicy", "iam:RemoveRoleFromInstanceProfile"},
	"AWS answers tags with these objects, so they are not asked for.":            {"eks:ListTagsForResource", "iam:ListPolicyTags", "iam:ListRoleTags"},
}

// TestBootstrapPolicy holds the policy that the documentation has for provider-aws-iam and provider-aws-eks against the kinds that the
// function composes: it has what they call, and passes roles, and nothing else.
func TestBootstrapPolicy(t *testing.T) {
	text, err := os.ReadFile("../../docs/bootstrap-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	policy := struct {
		Statement []struct {
			Action any `json:"Action"`
		} `json:"Statement"`
	}{}
	if err := json.Unmarshal(text, &policy); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, s := range policy.Statement {
		switch a := s.Action.(type) {
		case string:
			got[a] = true
		case []any:
			for _, a := range a {
				got[a.(string)] = true
			}
		}
	}
	want := map[string]bool{"iam:PassRole": true}
	for service, kinds := range map[string][]string{"iam": {"Policy", "Role", "RolePolicyAttachment"}, "eks": {"PodIdentityAssociation"}} {
		for _, k := range kinds {
			for _, a := range kindOf(t, service, k).All() {
				want[a] = true
			}
		}
	}
	for why, actions := range spared {
		for _, a := range actions {
			if !want[a] {
				t.Errorf("no kind calls %s, and there is a reason: %s", a, why)
			}
			delete(want, a)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("docs/bootstrap-policy.json: -what the composed kinds call, +what it allows:\n%s", diff)
	}
}
