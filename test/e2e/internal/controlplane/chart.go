package controlplane

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// chart renders Crossplane's Helm chart with its default values. It has only those of Helm's own functions that the chart uses.
func chart(dir, namespace string) ([]*unstructured.Unstructured, error) {
	about, values := map[string]any{}, map[string]any{}
	for file, into := range map[string]*map[string]any{"Chart.yaml": &about, "values.yaml": &values} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(b, into); err != nil {
			return nil, err
		}
	}
	t := template.New("chart").Option("missingkey=zero")
	funcs := sprig.TxtFuncMap()
	funcs["toYaml"] = func(v any) (string, error) {
		b, err := yaml.Marshal(v)
		return strings.TrimSuffix(string(b), "\n"), err
	}
	funcs["include"] = func(name string, data any) (string, error) {
		var b bytes.Buffer
		err := t.ExecuteTemplate(&b, name, data)
		return b.String(), err
	}
	funcs["tpl"] = func(text string, data any) (string, error) {
		x, err := template.New("tpl").Funcs(funcs).Parse(text)
		if err != nil {
			return "", err
		}
		var b bytes.Buffer
		err = x.Execute(&b, data)
		return b.String(), err
	}
	t.Funcs(funcs)
	files, err := filepath.Glob(filepath.Join(dir, "templates", "*"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		if _, err := t.New(filepath.Base(f)).Parse(string(b)); err != nil {
			return nil, err
		}
	}
	data := map[string]any{
		"Values":       values,
		"Chart":        map[string]any{"Name": about["name"], "Version": about["version"], "AppVersion": about["appVersion"]},
		"Release":      map[string]any{"Name": "crossplane", "Namespace": namespace, "Service": "Helm"},
		"Capabilities": map[string]any{},
	}
	var out []*unstructured.Unstructured
	for _, f := range files {
		if !strings.HasSuffix(f, ".yaml") {
			continue
		}
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, filepath.Base(f), data); err != nil {
			return nil, err
		}
		objects, err := Objects(strings.ReplaceAll(b.String(), "<no value>", ""))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		out = append(out, objects...)
	}
	return out, nil
}

// Objects of a YAML stream.
func Objects(stream string) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	for doc := range strings.SplitSeq("\n"+stream, "\n---") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &o.Object); err != nil {
			return nil, fmt.Errorf("%w in:\n%s", err, doc)
		}
		if len(o.Object) > 0 {
			out = append(out, o)
		}
	}
	return out, nil
}
