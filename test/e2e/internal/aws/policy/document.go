// Package policy evaluates IAM policies as AWS does: documents, principals, wildcards, conditions and policy variables.
package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// A Document is an IAM policy.
type Document struct {
	Version    string     `json:"Version"`
	Statements Statements `json:"Statement"`
}

// Statements are a list, or one.
type Statements []Statement

// UnmarshalJSON takes both.
func (s *Statements) UnmarshalJSON(b []byte) error { return oneOrMany(b, (*[]Statement)(s)) }

// A Statement of a policy.
type Statement struct {
	Sid          string    `json:"Sid"`
	Effect       string    `json:"Effect"`
	Principal    Principal `json:"Principal"`
	Action       Strings   `json:"Action"`
	NotAction    Strings   `json:"NotAction"`
	Resource     Strings   `json:"Resource"`
	NotResource  Strings   `json:"NotResource"`
	Condition    Condition `json:"Condition"`
	NotPrincipal Principal `json:"NotPrincipal"`
}

// A Principal by its type: AWS, Service, Federated. A bare "*" is any caller in AWS.
type Principal map[string]Strings

// UnmarshalJSON takes a map or "*".
func (p *Principal) UnmarshalJSON(b []byte) error {
	if string(b) == `"*"` {
		*p = Principal{"AWS": {"*"}}
		return nil
	}
	return json.Unmarshal(b, (*map[string]Strings)(p))
}

// A Condition has values for keys, by operator.
type Condition map[string]map[string]Strings

// Strings are a list, or one. Numbers and booleans become strings.
type Strings []string

// UnmarshalJSON takes both.
func (s *Strings) UnmarshalJSON(b []byte) error {
	var values []any
	if err := oneOrMany(b, &values); err != nil {
		return err
	}
	*s = nil
	for _, v := range values {
		switch v.(type) {
		case string, bool, float64:
			*s = append(*s, fmt.Sprint(v))
		default:
			return fmt.Errorf("%v is not a value of a policy", v)
		}
	}
	return nil
}

func oneOrMany[T any](b []byte, into *[]T) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, into)
	}
	var one T
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*into = []T{one}
	return nil
}

// Parse a policy. One that AWS would refuse as malformed is an error, and so is one that this package does not support.
func Parse(text string) (*Document, error) {
	d := &Document{}
	if err := json.Unmarshal([]byte(text), d); err != nil {
		return nil, fmt.Errorf("invalid JSON: %w", err)
	}
	if len(d.Statements) == 0 {
		return nil, errors.New("there is no statement")
	}
	for _, s := range d.Statements {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("statement %q: %w", s.Sid, err)
		}
	}
	return d, nil
}

func (s Statement) check() error {
	switch {
	case !slices.Contains([]string{"Allow", "Deny"}, s.Effect):
		return fmt.Errorf("there is no effect %q", s.Effect)
	case (len(s.Action) == 0) == (len(s.NotAction) == 0):
		return errors.New("it needs either Action or NotAction")
	case len(s.Resource) > 0 && len(s.NotResource) > 0:
		return errors.New("it has both Resource and NotResource")
	case len(s.NotPrincipal) > 0:
		return errors.New("NotPrincipal is not known here")
	}
	for op := range s.Condition {
		if _, err := operator(op); err != nil {
			return err
		}
	}
	return nil
}
