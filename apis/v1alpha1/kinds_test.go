package v1alpha1

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKinds: what is read is written again as it was, and an error says what to write.
func TestKinds(t *testing.T) {
	const either = "must be a list of kinds such as [Bucket], or the word Active"
	cases := map[string]struct {
		reason, json string
		want         Kinds
		active       bool
		err          string
	}{
		"Word":     {"The word stands for kinds.", `"Active"`, Kinds{"Active"}, true, ""},
		"List":     {"A list has their names.", `["Bucket","BucketPolicy"]`, Kinds{"Bucket", "BucketPolicy"}, false, ""},
		"One":      {"One is a list, too.", `["Bucket"]`, Kinds{"Bucket"}, false, ""},
		"Empty":    {"An empty list is one, which is an error elsewhere.", `[]`, Kinds{}, false, ""},
		"Null":     {"Null is no value.", `null`, nil, false, ""},
		"Other":    {"There is one word.", `"All"`, nil, false, either},
		"Capitals": {"It has a capital.", `"active"`, nil, false, either},
		"Blank":    {"No text is no word: it would grant everything.", `""`, nil, false, either},
		"Number":   {"A number is none.", `1`, nil, false, either},
		"Object":   {"Nor is an object.", `{"Active":true}`, nil, false, either},
		"Numbers":  {"Kinds have names.", `["Bucket",1]`, nil, false, either},
		"InList":   {"The word stands alone.", `["Active"]`, nil, false, "write kinds: Active, without a list"},
		"Beside":   {"Also where others are listed.", `["Bucket","Active"]`, nil, false, "write kinds: Active, without a list"},
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
				t.Errorf("%s\nwant %s again, got %s: %v", tc.reason, tc.json, written, err)
			}
		})
	}
}
