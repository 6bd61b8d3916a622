package engine

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"

	renderv1alpha1 "github.com/crossplane/crossplane/v2/proto/render/v1alpha1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// call calls the engine of Crossplane v2 in the protocol that the command line uses: a RenderRequest on standard input, a
// RenderResponse on standard output. It returns the documents that the command line would print, and the output on standard
// error.
func (r *Runner) call(ctx context.Context, in *inputs, fn *function) ([]*unstructured.Unstructured, string, error) {
	req, err := in.request(fn.target())
	if err != nil {
		return nil, "", err
	}

	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, r.tools[tools[V2][0]])
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(req), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, stderr.String(), err
	}

	rsp := &renderv1alpha1.RenderResponse{}
	if err := proto.Unmarshal(stdout.Bytes(), rsp); err != nil {
		return nil, stderr.String(), fmt.Errorf("cannot read the engine's response: %w", err)
	}
	return documents(rsp.GetComposite()), stderr.String(), nil
}

// request returns the request for the engine. The functions run at the target.
func (in *inputs) request(target string) ([]byte, error) {
	c := &renderv1alpha1.CompositeInput{}
	for _, name := range in.functions {
		c.Functions = append(c.Functions, &renderv1alpha1.FunctionInput{Name: name, Address: target})
	}

	var err error
	if c.CompositeResource, err = structpb.NewStruct(in.xr.Object); err != nil {
		return nil, err
	}
	if c.Composition, err = structpb.NewStruct(in.composition.Object); err != nil {
		return nil, err
	}
	if c.CompositeResourceDefinition, err = structpb.NewStruct(in.definition.Object); err != nil {
		return nil, err
	}
	if c.ObservedResources, err = structs(in.observed); err != nil {
		return nil, err
	}
	if c.RequiredResources, err = structs(in.cluster); err != nil {
		return nil, err
	}
	for _, doc := range in.schemas {
		s, err := structpb.NewStruct(doc)
		if err != nil {
			return nil, err
		}
		c.RequiredSchemas = append(c.RequiredSchemas, s)
	}
	return proto.Marshal(&renderv1alpha1.RenderRequest{Input: &renderv1alpha1.RenderRequest_Composite{Composite: c}})
}

func structs(objects []*unstructured.Unstructured) ([]*structpb.Struct, error) {
	out := make([]*structpb.Struct, 0, len(objects))
	for _, o := range objects {
		s, err := structpb.NewStruct(o.Object)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", o.GetKind(), o.GetName(), err)
		}
		out = append(out, s)
	}
	return out, nil
}

// documents returns the documents that the command line of v2 would print for an output.
func documents(out *renderv1alpha1.CompositeOutput) []*unstructured.Unstructured {
	docs := []*unstructured.Unstructured{{Object: out.GetCompositeResource().AsMap()}}
	for _, s := range out.GetComposedResources() {
		docs = append(docs, &unstructured.Unstructured{Object: s.AsMap()})
	}
	for _, e := range out.GetEvents() {
		docs = append(docs, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": resultAPIVersion,
			"kind":       "Result",
			"severity":   e.GetType(),
			"message":    e.GetMessage(),
		}})
	}
	return docs
}
