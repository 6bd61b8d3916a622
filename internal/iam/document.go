// Package iam writes what AWS Identity and Access Management reads: policy documents, trust policies, names and ARNs. It
// knows nothing of Kubernetes.
package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Limits of AWS, in characters unless said otherwise.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	MaxPolicySize      = 6144
	MaxTrustPolicySize = 2048
	MaxAttachments     = 10 // policies of one role
	MaxRoleName        = 64
	MaxPolicyName      = 128
	MaxPath            = 512
	MaxTags            = 50
	MaxTagKey          = 128
	MaxTagValue        = 256
)

// version of the policy language.
const version = "2012-10-17"

// The effects of a statement.
const (
	Allow = "Allow"
	Deny  = "Deny"
)

// A Document is an IAM policy document.
type Document struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// A Statement of a policy document.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html
type Statement struct {
	Sid         string               `json:"Sid,omitempty"`
	Effect      string               `json:"Effect"`
	Principal   map[string]StringSet `json:"Principal,omitempty"`
	Action      StringSet            `json:"Action,omitempty"`
	NotAction   StringSet            `json:"NotAction,omitempty"`
	Resource    StringSet            `json:"Resource,omitempty"`
	NotResource StringSet            `json:"NotResource,omitempty"`
	Condition   Condition            `json:"Condition,omitempty"`
}

// A Condition of a statement: operator, then key, then values.
type Condition map[string]map[string]StringSet

// A StringSet is an unordered set of strings. It is written sorted; a set of one as the string itself, as AWS does.
type StringSet []string

// MarshalJSON writes the canonical form.
func (s StringSet) MarshalJSON() ([]byte, error) {
	if len(s) == 1 {
		return encode(s[0])
	}
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	return encode([]string(slices.Compact(sorted)))
}

// UnmarshalJSON reads a string, or a list of strings. Condition values may also be written as numbers and booleans.
func (s *StringSet) UnmarshalJSON(b []byte) error {
	var v any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return err
	}
	l, ok := v.([]any)
	if !ok {
		l = []any{v}
	}
	*s = make(StringSet, 0, len(l))
	for _, e := range l {
		switch e := e.(type) {
		case string:
			*s = append(*s, e)
		case json.Number, bool:
			*s = append(*s, fmt.Sprint(e))
		default:
			return fmt.Errorf("want a string or a list of strings, got %s", b)
		}
	}
	return nil
}

// NewDocument returns a document of the statements.
func NewDocument(s ...Statement) Document { return Document{Version: version, Statement: s} }

// String returns the canonical form: compact, with sorted sets, so that equal policies are equal strings.
func (d Document) String() string {
	// Strings and maps of strings can always be encoded.
	b, _ := encode(d) //nolint:errchkjson // See above.
	return string(b)
}

// ParseDocument reads a policy document. Elements that IAM does not know are errors.
func ParseDocument(s string) (Document, error) {
	var raw struct {
		Version   string          `json:"Version"`
		ID        string          `json:"Id"`
		Statement json.RawMessage `json:"Statement"`
	}
	if err := strict([]byte(s), &raw); err != nil {
		return Document{}, fmt.Errorf("not a policy document: %w", err)
	}
	if raw.Version != version {
		return Document{}, fmt.Errorf("version must be %q, not %q", version, raw.Version)
	}
	if len(raw.Statement) == 0 {
		return Document{}, fmt.Errorf("a policy document needs a Statement")
	}
	d := Document{Version: raw.Version}
	if raw.Statement[0] != '[' {
		raw.Statement = slices.Concat([]byte("["), raw.Statement, []byte("]"))
	}
	if err := strict(raw.Statement, &d.Statement); err != nil {
		return Document{}, fmt.Errorf("not a policy statement: %w", err)
	}
	return d, nil
}

func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("more than one JSON value")
	}
	return nil
}

// Problems says what is wrong with a statement of an identity policy.
func (s Statement) Problems() []string {
	var out []string
	if s.Effect != Allow && s.Effect != Deny {
		out = append(out, fmt.Sprintf("effect must be Allow or Deny, not %q", s.Effect))
	}
	if (len(s.Action) == 0) == (len(s.NotAction) == 0) {
		out = append(out, "exactly one of actions and notActions is required")
	}
	if (len(s.Resource) == 0) == (len(s.NotResource) == 0) {
		out = append(out, "exactly one of resources and notResources is required")
	}
	if len(s.Principal) > 0 {
		out = append(out, "a principal belongs in a trust policy, not in a role's permissions")
	}
	if strings.ContainsFunc(s.Sid, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		out = append(out, fmt.Sprintf("sid %q may have only letters and digits", s.Sid))
	}
	for _, a := range slices.Concat(s.Action, s.NotAction) {
		if service, action, ok := strings.Cut(a, ":"); a != "*" && (!ok || service == "" || action == "" || strings.ContainsAny(a, " \t\n")) {
			out = append(out, fmt.Sprintf("action %q must have the form service:Action", a))
		}
	}
	for _, r := range slices.Concat(s.Resource, s.NotResource) {
		if r != "*" && !strings.HasPrefix(r, "arn:") {
			out = append(out, fmt.Sprintf("resource %q must be * or an ARN", r))
		}
	}
	return out
}

// Size of a policy document as AWS counts it: without white space.
func Size(doc string) int {
	n := 0
	for _, r := range doc {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func encode(v any) ([]byte, error) {
	b := &bytes.Buffer{}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
