package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// print writes the report: a table, then the problems, then the notes.
func (r *report) print(w io.Writer) error {
	var b strings.Builder
	if len(r.providers) > 0 {
		tw := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(tw, "PROVIDER\tPACKAGE\tSERVICEACCOUNT\tASSOCIATION\tROLE\tCREDENTIALS") // Flush reports errors.
		for _, p := range r.providers {
			_, _ = fmt.Fprintln(tw, strings.Join([]string{p.name, p.source, dash(p.serviceAccount), dash(p.association), dash(p.role), p.credentials}, "\t"))
		}
		if err := tw.Flush(); err != nil {
			return err
		}
		b.WriteString("\n")
	}
	problems := r.problems()
	for _, problem := range []bool{true, false} {
		for _, f := range r.findings {
			if f.problem == problem {
				fmt.Fprintf(&b, "%s  %s: %s\n", map[bool]string{true: "PROBLEM", false: "note   "}[problem], f.about, f.says)
			}
		}
	}
	switch problems {
	case 0:
		b.WriteString("No problems.\n")
	case 1:
		b.WriteString("1 problem.\n")
	default:
		fmt.Fprintf(&b, "%d problems.\n", problems)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// print writes the advice.
func (a *advice) print(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Found\n")
	for _, s := range a.there {
		b.WriteString("  " + s + "\n")
	}
	b.WriteString("\nWhat to do\n")
	for i, s := range a.steps {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func dash(s string) string { return cmp.Or(s, "-") }

// sortedKeys returns the keys of a map, sorted.
func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
