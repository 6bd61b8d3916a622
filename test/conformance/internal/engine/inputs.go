package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/scenario"
)

// inputs are the files that the render commands read. A path is empty where there is nothing to read: neither command
// accepts an empty file.
type inputs struct {
	xr, functions, observed, cluster, schemas string
}

// writeInputs of a step to a folder, with what the cluster would have added.
func writeInputs(dir, target string, s *scenario.Step) (inputs, error) {
	in := inputs{xr: filepath.Join(dir, "xr.yaml"), functions: filepath.Join(dir, "functions.yaml")}

	xr := s.XR.DeepCopy()
	if xr.GetUID() == "" {
		// The one that the v2 engine would make up.
		id := xr.GroupVersionKind().String() + "\x00" + xr.GetNamespace() + "\x00" + xr.GetName()
		xr.SetUID(types.UID(uuid.NewSHA1(uuid.Nil, []byte(id)).String()))
	}
	if err := write(in.xr, xr); err != nil {
		return in, err
	}

	fns, err := functions(s.Composition, target)
	if err != nil {
		return in, err
	}
	if err := write(in.functions, fns...); err != nil {
		return in, err
	}

	// Core shows a function only what the XR controls.
	owner := *metav1.NewControllerRef(xr, xr.GroupVersionKind())
	step := *s
	step.Observed = make([]*unstructured.Unstructured, len(s.Observed))
	for i, o := range s.Observed {
		step.Observed[i] = o.DeepCopy()
		if metav1.GetControllerOf(o) == nil {
			step.Observed[i].SetOwnerReferences(append(o.GetOwnerReferences(), owner))
		}
	}
	if len(step.Observed) > 0 {
		in.observed = filepath.Join(dir, "observed.yaml")
		if err := write(in.observed, step.Observed...); err != nil {
			return in, err
		}
	}

	// A requirement finds every object of the cluster, those included that the XR composed.
	cluster := step.Cluster()
	if len(cluster) > 0 {
		in.cluster = filepath.Join(dir, "cluster.yaml")
		if err := write(in.cluster, cluster...); err != nil {
			return in, err
		}
	}

	docs, err := openAPI(cluster)
	if err != nil || len(docs) == 0 {
		return in, err
	}
	in.schemas = filepath.Join(dir, "schemas")
	if err := os.Mkdir(in.schemas, 0o700); err != nil {
		return in, err
	}
	for gv, doc := range docs {
		b, err := json.Marshal(doc)
		if err != nil {
			return in, err
		}
		name := strings.ReplaceAll(gv.String(), "/", "_") + ".json"
		if err := os.WriteFile(filepath.Join(in.schemas, name), b, 0o600); err != nil {
			return in, err
		}
	}
	return in, nil
}

// functions returns the functions of a Composition's pipeline, to be called at the target.
func functions(composition *unstructured.Unstructured, target string) ([]*unstructured.Unstructured, error) {
	pipeline, _, err := unstructured.NestedSlice(composition.Object, "spec", "pipeline")
	if err != nil {
		return nil, err
	}

	var out []*unstructured.Unstructured
	seen := map[string]bool{}
	for _, p := range pipeline {
		step, _ := p.(map[string]any)
		name, _, _ := unstructured.NestedString(step, "functionRef", "name")
		if !strings.HasSuffix(name, functionName) {
			return nil, fmt.Errorf("the Composition calls %q, only %s can run here", name, functionName)
		}
		if seen[name] {
			continue
		}
		seen[name] = true
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
	return out, nil
}

// openAPI returns the documents in which an API server describes the kinds of its CustomResourceDefinitions. The v2
// engine answers requirements for schemas from them, and as an API server that does not have the kind where there is
// none.
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
