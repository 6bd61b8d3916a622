// Package iam writes and checks what AWS Identity and Access Management reads: policy documents, trust policies, names and ARNs. It
// knows nothing of Kubernetes.
//
// The package reads the policy grammar itself. No library was found that refuses what it does not understand: github.com/liamg/iamgo
// (last release 2022) and github.com/micahhausler/aws-iam-policy read both forms of each element, but validate nothing;
// github.com/hashicorp/awspolicyequivalence only compares documents; and the policies of github.com/minio/pkg are those of MinIO, under
// the AGPL, with a wildcard match that takes exponential time.
package iam

import (
	"slices"
	"unicode"
)

// Limits of AWS, in characters unless noted otherwise.
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
	Version   string
	Statement []Statement
}

// A Statement of a policy document.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html
type Statement struct {
	Sid         string
	Effect      string
	Principal   map[string]StringSet
	Action      StringSet
	NotAction   StringSet
	Resource    StringSet
	NotResource StringSet
	Condition   Condition
}

// A Condition of a statement: operator, then key, then values.
type Condition map[string]map[string]StringSet

// A StringSet is an unordered set of strings. It is written sorted, and a set of one as the string itself, as AWS does.
type StringSet []string

// unique returns the elements without duplicates, sorted.
func (s StringSet) unique() StringSet {
	if s.sorted() {
		return s
	}
	u := slices.Clone(s)
	slices.Sort(u)
	return slices.Compact(u)
}

// sorted says whether the elements are sorted and unique.
func (s StringSet) sorted() bool {
	for i := 1; i < len(s); i++ {
		if s[i-1] >= s[i] {
			return false
		}
	}
	return true
}

// NewDocument returns a document of the statements.
func NewDocument(s ...Statement) Document { return Document{Version: version, Statement: s} }

// Size returns the size of a policy document as AWS counts it: without white space. White space within strings is counted, as AWS does
// not document it.
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
