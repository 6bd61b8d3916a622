package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	conditionsTop = pageHeader + "# Conditions\n\n" +
		"This page lists what the function reports on a composite resource and on its claim. Every condition that applies is always there.\n" +
		"`Synced` and `Ready` come from Crossplane: `Ready` is True when all conditions below are. If the spec is invalid, the others are\n" +
		"Unknown, because they are not evaluated. [Troubleshooting](troubleshooting.md) starts from the symptom that you see.\n\n" +
		"```bash\nkubectl get podidentityproviderclaim NAME -n NAMESPACE \\\n" +
		"  -o jsonpath='{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{\"\\n\"}{end}'\n```\n\n" +
		"A message changes only when the state does. Errors of AWS and of providers are quoted, without request ids.\n\n"
	phasesTop = "`status.services[]` has one for each service. Services do not wait for each other.\n\n"

	// todo begins the paragraph of a constant's comment that says what a user can do.
	todo = "To do:"
)

// A constant is one of the API, with its documentation.
type constant struct {
	name, value, meaning, todo string
}

// conditionsPage documents the constants of some types in a folder of Go files.
func conditionsPage(dir string) (string, error) {
	byType, err := constants(dir)
	if err != nil {
		return "", err
	}
	b := &strings.Builder{}
	b.WriteString(conditionsTop)
	table(b, "Types", "", "Condition", byType["ConditionType"])
	table(b, "Reasons", "", "Reason", byType["Reason"])
	table(b, "Phases of a service", phasesTop, "Phase", byType["Phase"])
	for _, c := range byType["Reason"] {
		if c.todo == "" {
			err = errors.Join(err, fmt.Errorf("%s: say what to do, in a paragraph of its comment that begins with %q", c.name, todo))
		}
	}
	for _, c := range slices.Concat(byType["ConditionType"], byType["Reason"], byType["Phase"]) {
		if c.meaning == "" {
			err = errors.Join(err, fmt.Errorf("%s: say in its comment what it means", c.name))
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n", err
}

func table(b *strings.Builder, title, top, column string, cs []constant) {
	fmt.Fprintf(b, "## %s\n\n%s| %s | Meaning | What to do |\n|---|---|---|\n", title, top, column)
	for _, c := range cs {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", c.value, cell(text(c.meaning)), cell(text(c.todo)))
	}
	b.WriteString("\n")
}

// constants returns the constants of the documented types, by type, in the order of the source.
func constants(dir string) (map[string][]constant, error) {
	out := map[string][]constant{"ConditionType": nil, "Reason": nil, "Phase": nil}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			typ, _ := spec.Type.(*ast.Ident)
			if typ == nil || len(spec.Values) != 1 {
				return false
			}
			lit, isLiteral := spec.Values[0].(*ast.BasicLit)
			if _, documented := out[typ.Name]; isLiteral && documented {
				value, _ := strconv.Unquote(lit.Value) // It has been parsed.
				out[typ.Name] = append(out[typ.Name], describe(spec.Names[0].Name, value, spec.Doc.Text()))
			}
			return false
		})
	}
	return out, nil
}

// describe returns a constant with the documentation in its comment, which begins with the constant's name.
func describe(name, value, doc string) constant {
	meaning, what, _ := strings.Cut(doc, todo)
	meaning = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(meaning), name), ":"))
	return constant{name: name, value: value, meaning: capital(meaning), todo: capital(strings.TrimSpace(what))}
}

func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
