package engine

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

// generatedSuffix is the end of the names that V2 generates.
var generatedSuffix = regexp.MustCompile(`^[0-9a-f]{12}$`)

// The API group and version of a result of the render commands.
const (
	resultGroup      = "render.crossplane.io/"
	resultAPIVersion = resultGroup + "v1beta1"
)

// An Output is the result of a pipeline. After a fatal result it has only that result.
type Output struct {
	XR        *unstructured.Unstructured
	Resources []*unstructured.Unstructured
	Results   []Result
}

// A Result is a result of a function.
type Result struct {
	// Severity is Normal, Warning or Fatal.
	Severity string
	Message  string
}

// Fatal returns the message of a fatal result.
func (o *Output) Fatal() (string, bool) {
	for _, r := range o.Results {
		if r.Severity == "Fatal" {
			return r.Message, true
		}
	}
	return "", false
}

// Parse parses the documents that the render commands print: the XR, the composed resources, the results.
func Parse(docs []*unstructured.Unstructured) (*Output, error) {
	o := &Output{}
	for _, d := range docs {
		switch {
		case isResult(d):
			severity, _, _ := unstructured.NestedString(d.Object, "severity")
			message, _, _ := unstructured.NestedString(d.Object, "message")
			o.Results = append(o.Results, Result{Severity: capitalise(strings.TrimPrefix(severity, "SEVERITY_")), Message: message})
		case d.GetAnnotations()[scenario.ResourceNameAnnotation] != "":
			o.Resources = append(o.Resources, d)
		case o.XR == nil:
			o.XR = d
		default:
			return nil, fmt.Errorf("%s %q is neither the XR, nor a composed resource, nor a result", d.GetKind(), d.GetName())
		}
	}
	if _, fatal := o.Fatal(); o.XR == nil && !fatal {
		return nil, errors.New("no XR found")
	}
	return o, nil
}

// Normal is an Output for comparison, without the differences between the engines.
type Normal struct {
	XR        map[string]any
	Resources map[string]map[string]any
	Results   []Result
}

// Normal returns the normal form of a step's output.
func (o *Output) Normal(s *scenario.Step) Normal {
	if _, fatal := o.Fatal(); fatal {
		// Crossplane stops here, as do both engines: nothing else in the response counts.
		return Normal{Results: slices.DeleteFunc(slices.Clone(o.Results), func(r Result) bool { return r.Severity != "Fatal" })}
	}

	observed := map[string]bool{}
	for _, u := range s.Observed {
		observed[u.GetAnnotations()[scenario.ResourceNameAnnotation]] = true
	}

	n := Normal{XR: normalXR(o.XR), Resources: map[string]map[string]any{}, Results: o.Results}
	for _, r := range o.Resources {
		key := r.GetAnnotations()[scenario.ResourceNameAnnotation]
		n.Resources[key] = normalResource(r, observed[key])
	}
	return n
}

// normalXR keeps the name, and the status that the function sets.
func normalXR(xr *unstructured.Unstructured) map[string]any {
	status, _, _ := unstructured.NestedMap(xr.Object, "status")
	delete(status, "claimConditionTypes") // The claim's controller reads it.
	delete(status, "connectionDetails")

	conditions, _, _ := unstructured.NestedSlice(status, "conditions")
	conditions = slices.DeleteFunc(conditions, func(c any) bool {
		m, _ := c.(map[string]any)
		return slices.Contains([]any{"Synced", "Ready", "Healthy", "Responsive", "UpToDate"}, m["type"])
	})
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok {
			delete(m, "lastTransitionTime")
			delete(m, "observedGeneration")
		}
	}
	slices.SortFunc(conditions, func(a, b any) int { return strings.Compare(conditionType(a), conditionType(b)) })
	delete(status, "conditions")
	if len(conditions) > 0 {
		status["conditions"] = conditions
	}

	out := map[string]any{
		"apiVersion": xr.GetAPIVersion(),
		"kind":       xr.GetKind(),
		"metadata":   map[string]any{"name": xr.GetName()},
	}
	if len(status) > 0 {
		out["status"] = status
	}
	return out
}

// normalResource drops the metadata that comes from Crossplane.
func normalResource(r *unstructured.Unstructured, observed bool) map[string]any {
	u := r.DeepCopy()
	// An existing resource always keeps its name. V2 generates a name if the function sets none.
	suffix, prefixed := strings.CutPrefix(u.GetName(), u.GetGenerateName())
	if observed || u.GetGenerateName() != "" && prefixed && generatedSuffix.MatchString(suffix) {
		unstructured.RemoveNestedField(u.Object, "metadata", "name")
	}
	if observed {
		unstructured.RemoveNestedField(u.Object, "metadata", "namespace")
	}
	unstructured.RemoveNestedField(u.Object, "metadata", "generateName")
	unstructured.RemoveNestedField(u.Object, "metadata", "ownerReferences")

	labels := u.GetLabels()
	for k := range labels {
		if strings.HasPrefix(k, "crossplane.io/") {
			delete(labels, k)
		}
	}
	if len(labels) == 0 {
		unstructured.RemoveNestedField(u.Object, "metadata", "labels")
	} else {
		u.SetLabels(labels)
	}
	return u.Object
}

func conditionType(c any) string {
	m, _ := c.(map[string]any)
	t, _ := m["type"].(string)
	return t
}

func isResult(u *unstructured.Unstructured) bool {
	return u.GetKind() == "Result" && strings.HasPrefix(u.GetAPIVersion(), resultGroup)
}

// capitalise turns WARNING into Warning.
func capitalise(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.ToLower(s[1:])
}
