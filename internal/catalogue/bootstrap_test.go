package catalogue

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// spared lists, by reason, the actions that kinds of the bootstrap identity call but that the identity does not need.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var spared = map[string][]string{
	"The roles that the function composes have no inline policies or instance profiles.": {"iam:PutRolePolicy", "iam:RemoveRoleFromInstanceProfile"},
	"AWS returns the tags with these objects, so nothing lists them.":                    {"eks:ListTagsForResource", "iam:ListPolicyTags", "iam:ListRoleTags"},
}

// TestBootstrapPolicy compares the documented policy for provider-aws-iam and provider-aws-eks with the kinds that the function composes.
// The policy allows the actions that they call, passing roles, and nothing else.
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
				t.Errorf("no kind calls %s, but it is excused: %s", a, why)
			}
			delete(want, a)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("docs/bootstrap-policy.json: -actions of the composed kinds, +actions it allows:\n%s", diff)
	}
}
