// Package iam writes and checks what AWS Identity and Access Management reads: policy documents, trust policies, names and ARNs. It
// knows nothing of Kubernetes.
//
// The policy grammar is read here, and not by a library, because none that was found refuses what it does not understand:
// github.com/liamg/iamgo (last release 2022) and github.com/micahhausler/aws-iam-policy read both forms of each element, but
// validate nothing; github.com/hashicorp/awspolicyequivalence only compares documents; and the policies of
// github.com/minio/pkg are those of MinIO, under the AGPL, with a wildcard match that takes exponential time.
package iam

import (
	"bytes"
	"encoding/json"
	"slices"
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
	u := s.unique()
	if len(u) == 1 {
		return encode(u[0])
	}
	return encode([]string(u))
}

// unique elements, sorted.
func (s StringSet) unique() StringSet {
	u := slices.Clone(s)
	slices.Sort(u)
	return slices.Compact(u)
}

// NewDocument returns a document of the statements.
func NewDocument(s ...Statement) Document { return Document{Version: version, Statement: s} }

// String returns the canonical form: compact, with sorted sets, so that equal policies are equal strings.
func (d Document) String() string {
	// Strings and maps of strings can always be encoded.
	b, _ := encode(d) //nolint:errchkjson // See above.
	return string(b)
}

// Size of a policy document as AWS counts it: without white space. Whether that includes white space within strings is not
// documented, so that is counted.
func Size(doc string) int {
	n := 0
	quoted, escaped := false, false
	for _, r := range doc {
		if quoted || !unicode.IsSpace(r) {
			n++
		}
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = quoted
		case r == '"':
			quoted = !quoted
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
