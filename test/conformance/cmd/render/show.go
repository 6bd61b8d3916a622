package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/engine"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

// width of wrapped text.
const width = 100

// headline returns the headline of a scenario.
func headline(name, title string) string {
	line := name
	if title != "" && title != name {
		line += ": " + title
	}
	return line + "\n" + strings.Repeat("=", min(len(line), width)) + "\n\n"
}

// show prints a step for users.
func show(w io.Writer, s *scenario.Step, out *engine.Output, full bool) error {
	head := filepath.Base(s.Name)
	if s.Title != "" {
		head += ": " + s.Title
	}
	p := &printer{w: w}
	p.linef("%s", head)
	p.linef("%s", strings.Repeat("-", min(len(head), width)))

	if msg, fatal := out.Fatal(); fatal {
		p.linef("The function gave up, nothing is changed:")
		p.wrapped("  ", msg)
		p.linef("")
		return p.err
	}

	p.resources(s, out)
	p.services(out.XR)
	p.conditions(out.XR)
	p.results(out.Results)
	p.linef("")

	if full && p.err == nil {
		if err := scenario.Write(w, append([]*unstructured.Unstructured{out.XR}, out.Resources...)...); err != nil {
			return err
		}
		p.linef("")
	}
	return p.err
}

// A printer prints until the first error, and keeps that error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) linef(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// table prints a table of cells, with headings if there is any row.
func (p *printer) table(rows [][]string, headings ...string) {
	if len(rows) == 0 || p.err != nil {
		return
	}
	var buf strings.Builder
	tw := tabwriter.NewWriter(&buf, 0, 0, 3, ' ', 0)
	for _, row := range append([][]string{headings}, rows...) {
		_, _ = fmt.Fprintf(tw, "  %s\n", strings.Join(row, "\t")) // Flush reports errors.
	}
	p.err = tw.Flush()
	for line := range strings.Lines(buf.String()) {
		p.linef("%s", strings.TrimRight(line, " \n"))
	}
}

// wrapped prints wrapped text, with every line indented. Line breaks in the text stay.
func (p *printer) wrapped(indent, text string) {
	for paragraph := range strings.Lines(text) {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			if line != "" && len(indent)+len(line)+1+len(word) > width {
				p.linef("%s%s", indent, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		if line != "" {
			p.linef("%s%s", indent, line)
		}
	}
}

// list prints statements that are separated by semicolons, one per line if they do not fit into one line.
func (p *printer) list(indent, text string) {
	if len(indent)+len(text) > width {
		text = strings.ReplaceAll(text, "; ", ";\n")
	}
	p.wrapped(indent, text)
}

// resources prints the resources that Crossplane would apply, and those that it would delete.
func (p *printer) resources(s *scenario.Step, out *engine.Output) {
	gone := map[string]*unstructured.Unstructured{}
	for _, o := range s.Observed {
		gone[o.GetAnnotations()[scenario.ResourceNameAnnotation]] = o
	}

	var rows [][]string
	for _, r := range out.Resources {
		key := r.GetAnnotations()[scenario.ResourceNameAnnotation]
		what := "create"
		if _, exists := gone[key]; exists {
			what = "keep"
			delete(gone, key)
		}
		rows = append(rows, []string{key, r.GetKind(), r.GetName(), what})
	}
	for key, o := range gone {
		rows = append(rows, []string{key, o.GetKind(), o.GetName(), "DELETE"})
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })

	if len(rows) == 0 {
		p.linef("  No resources.")
	}
	p.table(rows, "KEY", "KIND", "NAME", "ACTION")
}

// services prints the services in the XR's status.
func (p *printer) services(xr *unstructured.Unstructured) {
	services, _, _ := unstructured.NestedSlice(xr.Object, "status", "services")
	rows := make([][]string, 0, len(services))
	for _, s := range services {
		rows = append(rows, []string{text(s, "name"), text(s, "phase"), text(s, "providerName"), text(s, "roleName")})
	}
	if len(rows) > 0 {
		p.linef("")
	}
	p.table(rows, "SERVICE", "PHASE", "PROVIDER", "ROLE")
	for _, s := range services {
		if msg := text(s, "message"); msg != "" {
			p.list("    ", text(s, "name")+": "+msg)
		}
	}
}

// conditions prints the conditions of the XR. Messages have their own lines: they are sentences.
func (p *printer) conditions(xr *unstructured.Unstructured) {
	conditions, _, _ := unstructured.NestedSlice(xr.Object, "status", "conditions")
	if len(conditions) == 0 {
		return
	}
	slices.SortStableFunc(conditions, func(a, b any) int { return strings.Compare(text(a, "type"), text(b, "type")) })

	longest := 0
	for _, c := range conditions {
		longest = max(longest, len(text(c, "type")))
	}
	p.linef("")
	p.linef("  %-*s   %-7s   %s", longest, "CONDITION", "STATUS", "REASON")
	for _, c := range conditions {
		p.linef("  %-*s   %-7s   %s", longest, text(c, "type"), text(c, "status"), text(c, "reason"))
		p.list("    ", text(c, "message"))
	}
}

// results prints the results that become events.
func (p *printer) results(results []engine.Result) {
	if len(results) > 0 {
		p.linef("")
	}
	for _, r := range results {
		p.wrapped("  ", r.Severity+": "+r.Message)
	}
}

// text returns the text of a map's field, empty if there is none.
func text(v any, field string) string {
	m, _ := v.(map[string]any)
	s, _ := m[field].(string)
	return s
}
