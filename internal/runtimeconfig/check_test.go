package runtimeconfig

import (
	"cmp"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// A checkCase is a template with all its errors.
type checkCase struct {
	Name, Reason string
	// In is the kind of template; deploymentTemplate if empty.
	In       string
	Template map[string]any
	// Errors as they are reported.
	Errors []string
	// Unsure holds the errors for fields that the running Crossplane may not have.
	Unsure []string
}

func TestCheck(t *testing.T) {
	b, err := os.ReadFile("testdata/templates.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []checkCase
	if err := yaml.UnmarshalStrict(b, &cases); err != nil {
		t.Fatal(err)
	}
	for _, tc := range cases {
		t.Run(tc.Name, func(t *testing.T) {
			in := cmp.Or(tc.In, DeploymentTemplate)
			errs, fields := Check(field.NewPath(in), tc.Template, in)
			var got, unsure []string
			for _, e := range errs {
				got = append(got, e.Error())
			}
			for _, f := range fields {
				unsure = append(unsure, f.Err.Error())
			}
			if diff := gocmp.Diff(tc.Errors, got); diff != "" {
				t.Errorf("%s\nCheck(...): -want errors, +got:\n%s", tc.Reason, diff)
			}
			if diff := gocmp.Diff(tc.Unsure, unsure); diff != "" {
				t.Errorf("%s\nCheck(...): -want unsure fields, +got:\n%s", tc.Reason, diff)
			}
		})
	}
}

// TestPath checks that the path of a field is the one in Crossplane's schema.
func TestPath(t *testing.T) {
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(`{spec: {template: {spec: {containers: [{name: a, lifecycle: {stopSignal: SIGINT}}]}}}}`), &m); err != nil {
		t.Fatal(err)
	}
	_, fields := Check(nil, m, DeploymentTemplate)
	if len(fields) != 1 {
		t.Fatalf("Check(...): want one unsure field, got %v", fields)
	}
	want := "deploymentTemplate spec template spec containers [] lifecycle stopSignal"
	if got := strings.Join(fields[0].Path, " "); got != want || !fields[0].Known {
		t.Errorf("Check(...): want the known field %q, got %q, known %t", want, got, fields[0].Known)
	}
}

// TestManyErrors checks that the number of reported errors is limited.
func TestManyErrors(t *testing.T) {
	m := map[string]any{}
	for n := range 100 {
		m[strings.Repeat("x", n+1)] = true
	}
	errs, fields := Check(field.NewPath(DeploymentTemplate), m, DeploymentTemplate)
	if n := len(errs) + len(fields); n != maxErrors+1 {
		t.Errorf("Check(...): want %d errors, got %d", maxErrors+1, n)
	}
}
