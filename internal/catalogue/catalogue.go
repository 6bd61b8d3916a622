// Package catalogue knows the AWS services that a provider-aws package manages, and which IAM actions that takes.
package catalogue

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/agext/levenshtein"
)

//go:embed services.tsv
var data string

// A Service is an AWS service that has a provider package.
type Service struct {
	// Name as in provider-aws-<name>.
	Name string
	// Prefixes of the service's IAM actions. They often differ from the name: docdb uses rds.
	Prefixes []string
}

// Lookup a service by the name of its provider package.
func Lookup(name string) (Service, bool) {
	s, ok := services()[name]
	return s, ok
}

// Full is every action of the service.
func (s Service) Full() []string {
	return s.actions("*")
}

// ReadOnly are the actions that only read: what a provider needs to observe.
func (s Service) ReadOnly() []string {
	if slices.Contains(s.Prefixes, "apigateway") {
		// Its actions are the verbs of HTTP.
		return []string{"apigateway:GET"}
	}
	return s.actions("BatchGet*", "Describe*", "Get*", "List*")
}

func (s Service) actions(patterns ...string) []string {
	var out []string
	for _, prefix := range s.Prefixes {
		for _, p := range patterns {
			out = append(out, prefix+":"+p)
		}
	}
	return out
}

// Nearest names of services to one that does not exist, at most three.
func Nearest(name string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var cs []candidate
	for n := range services() {
		d := levenshtein.Distance(name, n, nil)
		if strings.Contains(n, name) || strings.Contains(name, n) {
			d = min(d, 2)
		}
		if d <= 1+len(name)/3 {
			cs = append(cs, candidate{n, d})
		}
	}
	slices.SortFunc(cs, func(a, b candidate) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var out []string
	for _, c := range cs[:min(len(cs), 3)] {
		out = append(out, c.name)
	}
	return out
}

// services by name, read once.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var services = sync.OnceValue(func() map[string]Service {
	m := map[string]Service{}
	for line := range strings.Lines(data) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(cells) < 2 || cells[0] == "service" {
			continue
		}
		m[cells[0]] = Service{Name: cells[0], Prefixes: strings.Split(cells[1], ",")}
	}
	return m
})

// Names of all services, sorted.
func Names() []string { return slices.Sorted(maps.Keys(services())) }
