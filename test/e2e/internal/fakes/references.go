package fakes

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// errUnresolved: a referenced object is not ready.
var errUnresolved = errors.New("referenced field was empty (referenced resource may not yet be ready)")

// resolve references, as the real providers do: by a server-side apply of their own. False if something was written.
func (a *AWS) resolve(ctx context.Context, o *unstructured.Unstructured) (bool, error) {
	refs := map[string][]struct{ field, ref, kind, from, name string }{
		"RolePolicyAttachment": {
			{"policyArn", "policyArnRef", "Policy", "arn", "PolicyArn"},
			{"role", "roleRef", "Role", "", "Role"},
		},
		"PodIdentityAssociation": {{"roleArn", "roleArnRef", "Role", "arn", "RoleArn"}},
	}[o.GetKind()]
	values := map[string]any{}
	for _, r := range refs {
		if v := String(o, "spec", "forProvider", r.field); v != "" {
			continue
		}
		name := String(o, "spec", "forProvider", r.ref, "name")
		if name == "" {
			continue
		}
		to := &unstructured.Unstructured{}
		to.SetGroupVersionKind(schema.GroupVersionKind{Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: r.kind})
		if err := a.Client.Get(ctx, client.ObjectKey{Name: name}, to); err != nil {
			if apierrors.IsNotFound(err) {
				// The real ones look into a cache, which knows kinds only.
				err = fmt.Errorf("%s.%s %q not found", r.kind, to.GroupVersionKind().Group, name)
			}
			return false, fmt.Errorf("%s: cannot get referenced resource: %w", r.name, err)
		}
		v := to.GetAnnotations()[externalName]
		if r.from != "" {
			v = String(to, "status", "atProvider", r.from)
		}
		if v == "" {
			return false, fmt.Errorf("%s: %w", r.name, errUnresolved)
		}
		values[r.field] = v
	}
	if len(values) == 0 {
		return true, nil
	}
	apply := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"forProvider": values}}}
	apply.SetGroupVersionKind(o.GroupVersionKind())
	apply.SetName(o.GetName())
	// The API server is asked for the same outcome whether or not the object is valid without its other fields.
	return false, ignoreConflict(a.Client.Patch(ctx, apply, client.Apply, resolver, client.ForceOwnership)) //nolint:staticcheck // There are no typed apply configurations of these kinds.
}

func ignoreConflict(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
