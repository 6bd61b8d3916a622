package catalogue

import (
	"maps"
	"slices"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// Full returns the statements to manage the service in a partition: every action of its own, and the extras.
func (s Service) Full(partition string) []iam.Statement {
	own := make([]string, 0, len(s.Prefixes))
	for _, p := range s.Prefixes {
		own = append(own, p+":*")
	}
	w := writer{partition: partition}
	w.allow(own, Extra{})
	var linked, passed []string
	for _, e := range s.Extras {
		w.allow(e.Reads, e)
		w.allow(e.Actions, e)
		linked, passed = append(linked, e.ServiceLinkedRoles...), append(passed, e.PassRole...)
	}
	w.bind("iam:CreateServiceLinkedRole", "iam:AWSServiceName", linked)
	w.bind("iam:PassRole", "iam:PassedToService", passed)
	return w.done()
}

// ReadOnly returns the statements to observe the service in a partition: the actions that only read.
func (s Service) ReadOnly(partition string) []iam.Statement {
	var own []string
	for _, p := range s.Prefixes {
		for _, a := range content().reading(p).Actions {
			own = append(own, p+":"+a)
		}
	}
	w := writer{partition: partition}
	w.allow(own, Extra{})
	for _, e := range s.Extras {
		w.allow(e.Reads, e)
	}
	return w.done()
}

// A writer collects the statements for one partition. Actions with the same resources and condition are one statement.
type writer struct {
	partition  string
	statements []iam.Statement
}

// allow adds actions on the resources and under the condition of an extra.
func (w *writer) allow(actions []string, e Extra) {
	if len(actions) == 0 {
		return
	}
	resources := w.place(e.Resources)
	if len(resources) == 0 {
		resources = iam.StringSet{"*"}
	}
	var condition iam.Condition
	for op, keys := range e.Condition {
		for key, values := range keys {
			if condition == nil {
				condition = iam.Condition{}
			}
			if condition[op] == nil {
				condition[op] = map[string]iam.StringSet{}
			}
			condition[op][key] = w.place(values)
		}
	}
	for i := range w.statements {
		if s := &w.statements[i]; slices.Equal(s.Resource, resources) && equal(s.Condition, condition) {
			s.Action = append(s.Action, actions...)
			return
		}
	}
	w.statements = append(w.statements, iam.Statement{Effect: iam.Allow, Action: slices.Clone(actions), Resource: resources, Condition: condition})
}

// bind limits an action to services that a condition key names.
func (w *writer) bind(action, key string, services []string) {
	if len(services) == 0 {
		return
	}
	values := sorted(content().principals(w.partition, services))
	op := "StringEquals"
	if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "*") }) {
		op = "StringLike"
	}
	w.statements = append(w.statements, iam.Statement{
		Effect: iam.Allow, Action: iam.StringSet{action}, Resource: iam.StringSet{"*"},
		Condition: iam.Condition{op: {key: values}},
	})
}

// done returns the statements in their canonical form.
func (w *writer) done() []iam.Statement {
	for i := range w.statements {
		w.statements[i].Action = sorted(w.statements[i].Action)
	}
	return w.statements
}

// place puts strings into the partition.
func (w *writer) place(in []string) iam.StringSet {
	out := make(iam.StringSet, 0, len(in))
	for _, s := range in {
		out = append(out, strings.ReplaceAll(s, "{partition}", w.partition))
	}
	return sorted(out)
}

func sorted(in []string) iam.StringSet {
	slices.Sort(in)
	return slices.Compact(in)
}

func equal(a, b iam.Condition) bool {
	return maps.EqualFunc(a, b, func(a, b map[string]iam.StringSet) bool {
		return maps.EqualFunc(a, b, slices.Equal[iam.StringSet])
	})
}
