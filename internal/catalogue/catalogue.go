// Package catalogue knows the AWS services that provider-aws packages manage, and the IAM permissions that this takes. All it knows is
// in catalogue.yaml and kinds.tsv.
package catalogue

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/nearest"
)

// A Service is an AWS service that has a provider package. It is shared: do not change what it refers to.
type Service struct {
	// Name as in provider-aws-<name>.
	Name string `json:"-"`
	// Prefixes of the service's IAM actions. They often differ from the name: docdb uses rds.
	Prefixes Words `json:"prefixes"`
	// Versions of the family that have such a package.
	Versions Words `json:"versions"`
	// Source of the entry: the name of an AWS managed policy, an ACK controller, or AWS's documentation.
	Source string `json:"source"`
	// Note says what Full does not cover.
	Note string `json:"note"`
	// Extras are permissions for other services.
	Extras []Extra `json:"extras"`
}

// An Extra is a set of permissions for other services that managing a service takes.
type Extra struct {
	// Source, like that of the service.
	Source string `json:"source"`
	// Kinds that take it, where others of the service are known not to. Permissions without a list of kinds include it in any case.
	Kinds Words `json:"kinds"`
	// Reads are part of Full and of ReadOnly, Actions only of Full.
	Reads   Actions `json:"reads"`
	Actions Actions `json:"actions"`
	// Resources of both, * if there are none, and a Condition. They may contain {partition}.
	Resources Words                       `json:"resources"`
	Condition map[string]map[string]Words `json:"condition"`
	// ServiceLinkedRoles may have to be created for these services, and roles are passed to those of PassRole: both
	// without .amazonaws.com, and only for Full.
	ServiceLinkedRoles Words `json:"serviceLinkedRoles"`
	PassRole           Words `json:"passRole"`
}

// Reading holds the actions of a prefix that only read.
type Reading struct {
	// Why they differ from those of most prefixes.
	Why string `json:"why"`
	// Actions without the prefix.
	Actions Words `json:"actions"`
}

// Actions are IAM actions, sorted. The file has them by their prefix.
type Actions []string

// UnmarshalJSON reads actions by their prefix.
func (a *Actions) UnmarshalJSON(b []byte) error {
	var m map[string]Words
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	for _, prefix := range slices.Sorted(maps.Keys(m)) {
		for _, w := range m[prefix] {
			*a = append(*a, prefix+":"+w)
		}
	}
	return nil
}

// Words are written with spaces between them.
type Words []string

// UnmarshalText reads words.
func (w *Words) UnmarshalText(b []byte) error {
	*w = strings.Fields(string(b))
	return nil
}

// Lookup returns a service by the name of its provider package.
func Lookup(name string) (Service, bool) {
	s, ok := content().Services[name]
	return s, ok
}

// Names returns the names of all services, sorted.
func Names() []string { return slices.Sorted(maps.Keys(content().Services)) }

// Versions returns the versions of the family that the catalogue knows, in order.
func Versions() []string { return slices.Clone(content().Versions) }

// ReadingOf returns the actions of a prefix that ReadOnly allows.
func ReadingOf(prefix string) Reading { return content().reading(prefix) }

// Nearest returns the names of services that are closest to one that does not exist, at most three.
func Nearest(name string) []string { return nearest.To(name, Names()) }
