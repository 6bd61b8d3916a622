package runtimeconfig

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/nearest"
)

// The templates of a DeploymentRuntimeConfig that users may write.
const (
	DeploymentTemplate     = "deploymentTemplate"
	ServiceAccountTemplate = "serviceAccountTemplate"
)

// Container is the container of a provider's pods that Crossplane runs the package in.
const Container = "package-runtime"

// maxErrors is the number of errors after which a check stops.
const maxErrors = 25

// A Field that not every Crossplane has. The one that runs has to be asked.
type Field struct {
	// Path below the spec of a DeploymentRuntimeConfig; [] stands for the items of a list.
	Path []string
	// Known says that some release of Crossplane has it.
	Known bool
	// Err is the error to report if the Crossplane that runs does not.
	Err *field.Error
}

// Check checks a part of every DeploymentRuntimeConfig, at that path below its spec; [] stands for the items of a list. It returns the
// errors, and fields that may be errors.
func Check(at *field.Path, v any, path ...string) (field.ErrorList, []Field) {
	c, n := &checker{}, root()
	for _, name := range path {
		n = n.child(name)
	}
	c.check(at, path, v, n)
	return c.errs, c.fields
}

type checker struct {
	errs   field.ErrorList
	fields []Field
}

func (c *checker) full() bool { return len(c.errs)+len(c.fields) > maxErrors }

func (c *checker) invalidf(at *field.Path, format string, args ...any) {
	c.errs = append(c.errs, field.Invalid(at, field.OmitValueType{}, fmt.Sprintf(format, args...)))
}

func (c *checker) check(at *field.Path, p place, v any, n *node) {
	if c.full() {
		return
	}
	if want := mismatch(v, n.Type); want != "" {
		c.invalidf(at, "must be %s, and is %s", want, kindOf(v))
		return
	}
	switch v := v.(type) {
	case map[string]any:
		c.object(at, p, v, n)
	case []any:
		c.list(at, p, v, n)
	}
}

func (c *checker) object(at *field.Path, p place, m map[string]any, n *node) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		child := n.child(name)
		switch {
		case c.full():
			return
		case n.Values != 0:
			c.check(at.Key(name), p, m[name], get(n.Values))
		case child == nil:
			c.fields = append(c.fields, Field{Path: p.with(name), Err: field.Invalid(at.Child(name), field.OmitValueType{}, unknown(p, name, n))})
		case slices.Contains(n.Newer, name):
			const why = "the Crossplane that runs does not have this field in a DeploymentRuntimeConfig, a newer one does: take it out, or upgrade Crossplane"
			c.fields = append(c.fields, Field{Path: p.with(name), Known: true, Err: field.Invalid(at.Child(name), field.OmitValueType{}, why)})
			fallthrough
		default:
			c.check(at.Child(name), p.with(name), m[name], child)
		}
	}
	for _, name := range n.Required {
		if _, ok := m[name]; !ok && !given(p, name) {
			c.errs = append(c.errs, field.Required(at.Child(name), "must be set"))
		}
	}
}

// given says whether a field need not be in a template, because the template becomes a part of something that has it.
func given(p place, name string) bool {
	return !slices.Contains(p, items) && slices.Contains([]string{"selector", "template", "containers"}, name)
}

func (c *checker) list(at *field.Path, p place, l []any, n *node) {
	inner, seen := get(n.Items), map[string]bool{}
	for i, v := range l {
		at := at.Index(i)
		before := len(c.errs)
		c.check(at, p.with(items), v, inner)
		if c.full() {
			return
		}
		// An invalid item may lack its keys, which are required unless they have a default.
		if !n.Set && len(n.Keys) == 0 || len(c.errs) > before {
			continue
		}
		id := key(v, n)
		if seen[id] {
			c.errs = append(c.errs, field.Duplicate(at, id))
		}
		seen[id] = true
	}
}

// key returns the key that identifies an item of a list, as text.
func key(v any, n *node) string {
	if n.Set {
		return fmt.Sprint(v)
	}
	m, _ := v.(map[string]any)
	parts := make([]string, 0, len(n.Keys))
	for _, k := range n.Keys {
		part, ok := m[k]
		if !ok {
			part = n.Defaults[k]
		}
		parts = append(parts, fmt.Sprint(part))
	}
	return strings.Join(parts, " ")
}

// with adds one more name.
func (p place) with(name string) place { return append(slices.Clip(p), name) }

// unknown says what a user may have meant by a field that does not exist.
func unknown(p place, name string, n *node) string {
	const what = "unknown field"
	siblings := slices.Sorted(maps.Keys(n.Properties))
	for _, s := range siblings {
		if strings.EqualFold(s, name) {
			return what + " (did you mean " + s + "?)"
		}
	}
	if why := pasted(p, name); why != "" {
		return what + ": " + why
	}
	if there, ok := places()[name]; ok && len(there) <= deepest {
		return what + " here: it belongs to " + there.String()
	}
	if near := nearest.To(name, siblings); len(near) > 0 {
		return what + " (did you mean " + strings.Join(near, ", ") + "?)"
	}
	if len(p) == 2 && p[1] == "metadata" {
		return what + ": a template's metadata has labels and annotations only, take it out"
	}
	return what
}

// deepest is how deep the fields of a container are. Deeper names mean something only where they are.
const deepest = 7

// pasted says why a field of a whole Deployment or ServiceAccount has no place in a template.
func pasted(p place, name string) string {
	whole := "a Deployment"
	if p[0] == ServiceAccountTemplate {
		whole = "a ServiceAccount"
	}
	switch {
	case len(p) == 1 && (name == "apiVersion" || name == "kind"):
		return "a template is a part of " + whole + ", take it out"
	case len(p) == 1 && name == "status":
		return "Kubernetes writes the status, take it out"
	case len(p) == 2 && p[1] == "metadata" && name == "namespace":
		return "Crossplane puts " + whole + " into its own namespace, take it out"
	}
	return ""
}

// maxSafe is the largest integer up to which JSON numbers are exact.
const maxSafe = 1<<53 - 1

// mismatch says what a value must be to be of a type; empty if it is.
func mismatch(v any, typ string) string {
	switch typ {
	case "object":
		return unless[map[string]any](v, "an object")
	case "array":
		return unless[[]any](v, "a list")
	case "string":
		return unless[string](v, "a string")
	case "boolean":
		return unless[bool](v, "true or false")
	case "int32":
		return unlessInteger(v, math.MaxInt32)
	case "int64":
		return unlessInteger(v, maxSafe)
	case "int-or-string":
		if _, ok := v.(string); ok || unlessInteger(v, math.MaxInt32) == "" {
			return ""
		}
		return "an integer or a string"
	case "quantity":
		// A number with a fraction is not accepted: 1.5 is 1500m, or text.
		if unlessInteger(v, maxSafe) == "" {
			return ""
		}
		s, ok := v.(string)
		if _, err := resource.ParseQuantity(s); !ok || err != nil {
			return "an integer, or the text of a quantity such as 100m or 1Gi"
		}
	}
	return ""
}

func unless[T any](v any, want string) string {
	if _, ok := v.(T); ok {
		return ""
	}
	return want
}

func unlessInteger(v any, limit float64) string {
	if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) <= limit {
		return ""
	}
	return "an integer up to " + strconv.FormatFloat(limit, 'f', -1, 64)
}

// kindOf describes a value in words; a scalar by the value itself.
func kindOf(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return strconv.Quote(v[:min(len(v), 100)])
	case nil:
		return "null"
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
