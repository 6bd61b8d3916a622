package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

// inputs are the inputs of a step, with the fields that the cluster would have added.
type inputs struct {
	xr, composition, definition *unstructured.Unstructured

	// functions are the functions that the Composition calls, by name.
	functions []string

	// observed resources are controlled by the XR.
	observed []*unstructured.Unstructured

	// cluster has every object that a requirement can find.
	cluster []*unstructured.Unstructured

	// schemas are the documents in which the API server describes its kinds.
	schemas map[schema.GroupVersion]map[string]any
}

func newInputs(s *scenario.Step) (*inputs, error) {
	in := &inputs{xr: s.XR.DeepCopy(), composition: s.Composition}
	if in.xr.GetUID() == "" {
		// This is the UID that the v2 engine would generate.
		id := in.xr.GroupVersionKind().String() + "\x00" + in.xr.GetNamespace() + "\x00" + in.xr.GetName()
		in.xr.SetUID(types.UID(uuid.NewSHA1(uuid.Nil, []byte(id)).String()))
	}

	var err error
	if in.definition, err = scenario.ReadOne(s.DefinitionPath); err != nil {
		return nil, err
	}
	if in.functions, err = functions(s.Composition); err != nil {
		return nil, err
	}

	// Crossplane shows a function only the resources that the XR controls.
	owner := *metav1.NewControllerRef(in.xr, in.xr.GroupVersionKind())
	step := *s
	step.Observed = make([]*unstructured.Unstructured, len(s.Observed))
	for i, o := range s.Observed {
		step.Observed[i] = o.DeepCopy()
		if metav1.GetControllerOf(o) == nil {
			step.Observed[i].SetOwnerReferences(append(o.GetOwnerReferences(), owner))
		}
	}
	in.observed = step.Observed

	// A requirement finds every object of the cluster, including the XR's composed resources.
	in.cluster = step.Cluster()
	in.schemas, err = openAPI(in.cluster)
	return in, err
}

// files are the files that the render commands read. A path is empty if there is no content: neither command accepts an empty file.
type files struct {
	xr, functions, observed, cluster, schemas string
}

// write writes the files to a folder. The functions run at the target.
func (in *inputs) write(dir, target string) (files, error) {
	f := files{xr: filepath.Join(dir, "xr.yaml"), functions: filepath.Join(dir, "functions.yaml")}
	if err := write(f.xr, in.xr); err != nil {
		return f, err
	}
	if err := write(f.functions, development(in.functions, target)...); err != nil {
		return f, err
	}
	if len(in.observed) > 0 {
		f.observed = filepath.Join(dir, "observed.yaml")
		if err := write(f.observed, in.observed...); err != nil {
			return f, err
		}
	}
	if len(in.cluster) > 0 {
		f.cluster = filepath.Join(dir, "cluster.yaml")
		if err := write(f.cluster, in.cluster...); err != nil {
			return f, err
		}
	}
	if len(in.schemas) == 0 {
		return f, nil
	}
	f.schemas = filepath.Join(dir, "schemas")
	if err := os.Mkdir(f.schemas, 0o700); err != nil {
		return f, err
	}
	for gv, doc := range in.schemas {
		b, err := json.Marshal(doc)
		if err != nil {
			return f, err
		}
		name := strings.ReplaceAll(gv.String(), "/", "_") + ".json"
		if err := os.WriteFile(filepath.Join(f.schemas, name), b, 0o600); err != nil {
			return f, err
		}
	}
	return f, nil
}

// functions returns the names of the functions in a Composition's pipeline.
func functions(composition *unstructured.Unstructured) ([]string, error) {
	pipeline, _, err := unstructured.NestedSlice(composition.Object, "spec", "pipeline")
	if err != nil {
		return nil, err
	}

	var out []string
	for _, p := range pipeline {
		step, _ := p.(map[string]any)
		name, _, _ := unstructured.NestedString(step, "functionRef", "name")
		if !strings.HasSuffix(name, functionName) {
			return nil, fmt.Errorf("the Composition calls %q, only %s can run here", name, functionName)
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out, nil
}

// development returns Functions for the render commands. They already run at the target.
func development(names []string, target string) []*unstructured.Unstructured {
	out := make([]*unstructured.Unstructured, 0, len(names))
	for _, name := range names {
		out = append(out, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "pkg.crossplane.io/v1",
			"kind":       "Function",
			"metadata": map[string]any{
				"name": name,
				"annotations": map[string]any{
					"render.crossplane.io/runtime":                    "Development",
					"render.crossplane.io/runtime-development-target": target,
				},
			},
			"spec": map[string]any{"package": "example.org/" + name + ":v0.0.0"},
		}})
	}
	return out
}

// openAPI returns the documents in which an API server describes the kinds of its CustomResourceDefinitions. The v2
// engine answers requirements for schemas from them. For any other kind it answers like an API server without the kind.
func openAPI(cluster []*unstructured.Unstructured) (map[schema.GroupVersion]map[string]any, error) {
	schemas := map[schema.GroupVersion]map[string]any{}
	for _, o := range cluster {
		if o.GetKind() != "CustomResourceDefinition" || !established(o) {
			continue
		}
		group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
		versions, _, err := unstructured.NestedSlice(o.Object, "spec", "versions")
		if err != nil {
			return nil, fmt.Errorf("CustomResourceDefinition %q: %w", o.GetName(), err)
		}
		for _, v := range versions {
			version, _ := v.(map[string]any)
			name, _, _ := unstructured.NestedString(version, "name")
			if served, _, _ := unstructured.NestedBool(version, "served"); !served {
				continue
			}
			s, ok, _ := unstructured.NestedMap(version, "schema", "openAPIV3Schema")
			if !ok {
				s = map[string]any{"type": "object"}
			}
			s["x-kubernetes-group-version-kind"] = []any{map[string]any{"group": group, "version": name, "kind": kind}}

			gv := schema.GroupVersion{Group: group, Version: name}
			if schemas[gv] == nil {
				schemas[gv] = map[string]any{}
			}
			schemas[gv][group+"."+name+"."+kind] = s
		}
	}

	docs := map[schema.GroupVersion]map[string]any{}
	for gv, s := range schemas {
		docs[gv] = map[string]any{
			"openapi":    "3.0.0",
			"info":       map[string]any{"title": "Kubernetes CRD", "version": gv.Version},
			"paths":      map[string]any{},
			"components": map[string]any{"schemas": s},
		}
	}
	return docs, nil
}

// established reports whether the API server serves a CustomResourceDefinition.
func established(crd *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	for _, c := range conditions {
		m, _ := c.(map[string]any)
		if m["type"] == "Established" {
			return m["status"] == "True"
		}
	}
	return false
}

func write(path string, objects ...*unstructured.Unstructured) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // For errors before the one at the end.

	if err := scenario.Write(f, objects...); err != nil {
		return err
	}
	return f.Close()
}
