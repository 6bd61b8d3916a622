package nearest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTo(t *testing.T) {
	others := []string{"labels", "annotations", "name", "nodeSelector", "nodeName", "cat", "hat", "mat", "rat"}
	cases := map[string]struct {
		reason string
		name   string
		want   []string
	}{
		"Typo":    {reason: "A name with transposed letters is near.", name: "lables", want: []string{"labels"}},
		"Part":    {reason: "So is a part of a name, but the nearest comes first.", name: "nodeSelecto", want: []string{"nodeSelector"}},
		"Several": {reason: "Several names may be near.", name: "node", want: []string{"name", "nodeSelector", "nodeName"}},
		"Far":     {reason: "Nothing is near to nonsense,", name: "zzzzzz"},
		"Empty":   {reason: "nor to an empty name.", name: ""},
		"Itself":  {reason: "A name is the nearest to itself.", name: "name", want: []string{"name"}},
		"Three":   {reason: "At most three names are returned, the first of those that are equally near.", name: "at", want: []string{"cat", "hat", "mat"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, To(tc.name, others)); diff != "" {
				t.Errorf("%s\nTo(%q): -want, +got:\n%s", tc.reason, tc.name, diff)
			}
		})
	}
}
