package catalogue

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/nearest"
)

//go:embed kinds.tsv
var kindsFile string

// A Kind of a provider package, and the actions that managing it takes. It is shared: do not change what it refers to.
type Kind struct {
	Name string
	// Plural of the name, as definitions have it. The file lists those that are not the name and an s.
	Plural string
	// Observe are the actions to read it. Create, Update and Delete are the actions for these operations, reading included.
	Observe, Create, Update, Delete []string
	// NamesKey and NamesRole say whether one of its fields names an encryption key, or a role to pass.
	NamesKey, NamesRole bool
	// Passes lists the services that it always passes roles to.
	Passes []string
}

// kindsData is the content of kinds.tsv.
type kindsData struct {
	kinds    map[string]map[string]Kind
	versions []string
	notes    []string
}

// kindsContent returns the content of the file, read on first use: most calls do not need it.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var kindsContent = sync.OnceValue(func() *kindsData {
	d, err := parseKinds(kindsFile)
	if err != nil {
		// The file is part of the program, and tests read it.
		panic(fmt.Errorf("cannot parse the catalogue of kinds: %w", err))
	}
	return d
})

// parseKinds reads a line for every kind, after those with the versions and before those with notes.
func parseKinds(file string) (*kindsData, error) {
	d := &kindsData{kinds: map[string]map[string]Kind{}}
	for line := range strings.Lines(file) {
		line = strings.TrimSuffix(line, "\n")
		if version, ok := strings.CutPrefix(line, "# github.com/"); ok {
			d.versions = append(d.versions, "github.com/"+version)
		}
		if note, ok := strings.CutPrefix(line, "! "); ok {
			d.notes = append(d.notes, note)
		}
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != 7 {
			return nil, fmt.Errorf("%q has %d fields, not 7", line, len(fields))
		}
		k := Kind{Name: fields[1], Plural: strings.ToLower(fields[1]) + "s", Observe: prefixed(fields[3]), Create: prefixed(fields[4]), Update: prefixed(fields[5]), Delete: prefixed(fields[6])}
		for need := range strings.FieldsSeq(fields[2]) {
			service, passes := strings.CutPrefix(need, "pass:")
			other, irregular := strings.CutPrefix(need, "plural:")
			switch {
			case passes:
				k.Passes = append(k.Passes, service)
			case irregular:
				k.Plural = other
			case need == "key":
				k.NamesKey = true
			case need == "role":
				k.NamesRole = true
			}
		}
		if d.kinds[fields[0]] == nil {
			d.kinds[fields[0]] = map[string]Kind{}
		}
		d.kinds[fields[0]][k.Name] = k
	}
	return d, nil
}

// prefixed returns words, each with the prefix that stands before it.
func prefixed(words string) []string {
	var out []string
	prefix := ""
	for w := range strings.FieldsSeq(words) {
		if strings.HasSuffix(w, ":") {
			prefix = w
			continue
		}
		out = append(out, prefix+w)
	}
	return out
}

// All returns all actions that managing the kind takes, sorted.
func (k Kind) All() []string {
	return sorted(slices.Concat(k.Observe, k.Create, k.Update, k.Delete))
}

// Groups returns the API groups of the service's kinds: of the cluster-scoped ones, and of the namespaced ones.
func (s Service) Groups() []string {
	return []string{s.Name + ".aws.upbound.io", s.Name + ".aws.m.upbound.io"}
}

// Definitions returns the names of the ManagedResourceDefinitions of a kind of the service, one in each group. The
// CustomResourceDefinitions have the same names.
func (s Service) Definitions(k Kind) []string {
	groups := s.Groups()
	for i, g := range groups {
		groups[i] = k.Plural + "." + g
	}
	return groups
}

// Kind returns a kind of the service's package by its name.
func (s Service) Kind(name string) (Kind, bool) {
	k, ok := kindsContent().kinds[s.Name][name]
	return k, ok
}

// Kinds returns the kinds of the service's package, sorted.
func (s Service) Kinds() []string { return slices.Sorted(maps.Keys(kindsContent().kinds[s.Name])) }

// KindHint suggests the kinds that are the most like a name; empty if none is like it.
func (s Service) KindHint(name string) string { return nearest.Hint(name, s.Kinds()) }

// KindSources returns the modules, with their versions, from whose source the kinds' actions were read.
func KindSources() []string { return slices.Clone(kindsContent().versions) }

// KindNotes are notes on what that source does not show.
func KindNotes() []string { return slices.Clone(kindsContent().notes) }

// FullOf returns the statements to manage some kinds of the service in a partition: the actions that they call, and of the extras those
// that their fields can need. Names that are not kinds add nothing.
func (s Service) FullOf(partition string, names []string) []iam.Statement {
	var own, linked, passed []string
	key, role := false, false
	for _, name := range names {
		k, _ := s.Kind(name)
		own, passed = append(own, k.All()...), append(passed, k.Passes...)
		key, role = key || k.NamesKey, role || k.NamesRole
	}
	w := writer{partition: partition}
	w.allow(own, Extra{})
	for _, e := range s.Extras {
		named := slices.ContainsFunc(e.Kinds, func(k string) bool { return slices.Contains(names, k) })
		if len(e.Kinds) > 0 && !named {
			continue
		}
		for _, actions := range []Actions{e.Reads, e.Actions} {
			w.allow(slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return !key && !named && strings.HasPrefix(a, "kms:") }), e)
		}
		linked = append(linked, e.ServiceLinkedRoles...)
		if role || named {
			passed = append(passed, e.PassRole...)
		}
	}
	w.bind("iam:CreateServiceLinkedRole", "iam:AWSServiceName", linked)
	w.bind("iam:PassRole", "iam:PassedToService", passed)
	return w.done()
}

// ReadOnlyOf returns the statements to observe some kinds of the service in a partition, as far as that only reads: some repair what
// they observe.
func (s Service) ReadOnlyOf(partition string, names []string) []iam.Statement {
	var own []string
	for _, name := range names {
		k, _ := s.Kind(name)
		own = append(own, slices.DeleteFunc(slices.Clone(k.Observe), func(a string) bool { return !reads(a) })...)
	}
	w := writer{partition: partition}
	w.allow(own, Extra{})
	return w.done()
}

// reads says whether an action is one of those of its prefix that only read.
func reads(action string) bool {
	prefix, name, _ := strings.Cut(action, ":")
	return slices.ContainsFunc(content().reading(prefix).Actions, func(p string) bool { return iam.Match(p, name) })
}
