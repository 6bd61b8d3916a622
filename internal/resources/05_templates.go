package resources

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Templates checks the parts of a service's runtime: one check for each that a DeploymentRuntimeConfig cannot have. None for a service
// whose runtime is valid.
func Templates(s *identity.Service) []*Resource {
	rs := make([]*Resource, 0, len(s.Flaws))
	for _, f := range s.Flaws {
		rs = append(rs, &Resource{
			Key:       "template/" + s.Name + "/" + f.Part,
			Condition: v1alpha1.ConditionPrerequisitesReady,
			Kind:      runtimeConfigKind,
			Wait:      flaw(f),
		})
	}
	return rs
}

// flawed waits until a service's runtime is valid.
func flawed(s *identity.Service) *Wait {
	if len(s.Flaws) == 0 {
		return nil
	}
	return flaw(s.Flaws[0])
}

func flaw(f identity.Flaw) *Wait {
	if len(f.Errors) == 0 {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: fmt.Sprintf("checking whether this Crossplane's DeploymentRuntimeConfig has all fields of runtime.%s", f.Part)}
	}
	return &Wait{Reason: v1alpha1.ReasonInvalidSpec, Message: list(f.Errors)}
}

// maxFlaw bounds how long an error of a runtime is, in bytes: it may quote what the user wrote.
const maxFlaw = 500

// list joins errors on one line.
func list(errs field.ErrorList) string {
	out := make([]string, 0, len(errs))
	for _, e := range errs {
		m := e.Error()
		if len(m) > maxFlaw {
			m = strings.ToValidUTF8(m[:maxFlaw], "") + " ..."
		}
		out = append(out, m)
	}
	return strings.Join(out, "; ")
}

// kept is the DeploymentRuntimeConfig of an invalid runtime: as it exists, but for the annotations that restart the provider when its
// credentials change.
func (c *Context) kept(s *identity.Service, observed view.Object) *structpb.Struct {
	spec := proto.CloneOf(observed.Value("spec").GetStructValue())
	at := descend(spec, "deploymentTemplate", "spec", "template", "metadata", "annotations")
	for name, v := range c.ownAnnotations(s) {
		at.Fields[name] = structpb.NewStringValue(v)
	}
	apiVersion, kind := runtimeConfigKind.ToAPIVersionAndKind()
	return &structpb.Struct{Fields: map[string]*structpb.Value{
		"apiVersion": structpb.NewStringValue(apiVersion),
		"kind":       structpb.NewStringValue(kind),
		"metadata":   structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{"name": structpb.NewStringValue(observed.Name())}}),
		"spec":       structpb.NewStructValue(spec),
	}}
}
