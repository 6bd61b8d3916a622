package v1alpha1

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKinds checks that Kinds marshals to the JSON it was read from, and that an error says what to write.
func TestKinds(t *testing.T) {
	const either = "must be a list of kinds such as [Bucket], or the word Active"
	cases := map[string]struct {
		reason, json string
		want         Kinds
		active       bool
		err          string
	}{
		"Word":     {"The word Active stands for the active kinds.", `"Active"`, Kinds{"Active"}, true, ""},
		"List":     {"A list holds the names of kinds.", `["Bucket","BucketPolicy"]`, Kinds{"Bucket", "BucketPolicy"}, false, ""},
		"One":      {"A list may have a single kind.", `["Bucket"]`, Kinds{"Bucket"}, false, ""},
		"Empty":    {"An empty list stays an empty list; validation elsewhere rejects it.", `[]`, Kinds{}, false, ""},
		"Null":     {"Null is no value.", `null`, nil, false, ""},
		"Other":    {"Active is the only word.", `"All"`, nil, false, either},
		"Capitals": {"Active is case-sensitive.", `"active"`, nil, false, either},
		"Blank":    {"An empty string is not Active: it would grant everything.", `""`, nil, false, either},
		"Number":   {"A number is not a kind.", `1`, nil, false, either},
		"Object":   {"Neither is an object.", `{"Active":true}`, nil, false, either},
		"Numbers":  {"Kinds have names, not numbers.", `["Bucket",1]`, nil, false, either},
		"InList":   {"Active stands alone, not in a list.", `["Active"]`, nil, false, "write kinds: Active, without a list"},
		"Beside":   {"Active cannot be listed next to other kinds.", `["Bucket","Active"]`, nil, false, "write kinds: Active, without a list"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got Kinds
			err := json.Unmarshal([]byte(tc.json), &got)
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("%s\nwant error %q, got %v", tc.reason, tc.err, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || got.Active() != tc.active {
				t.Errorf("%s\nread, active %t: -want, +got:\n%s", tc.reason, got.Active(), diff)
			}
			if err != nil {
				return
			}
			written, err := json.Marshal(got)
			if err != nil || string(written) != tc.json {
				t.Errorf("%s\nwant %s after the round trip, got %s: %v", tc.reason, tc.json, written, err)
			}
		})
	}
}
