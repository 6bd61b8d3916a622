package fakes

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	inUse             = "in-use.crossplane.io"
	labelProvider     = "crossplane.io/provider-config"
	labelProviderKind = "crossplane.io/provider-config-kind"
)

//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	providerConfigs = []schema.GroupVersionKind{
		{Group: "aws.upbound.io", Version: "v1beta1", Kind: "ProviderConfig"},
		{Group: "aws.m.upbound.io", Version: "v1beta1", Kind: "ProviderConfig"},
		{Group: "aws.m.upbound.io", Version: "v1beta1", Kind: "ClusterProviderConfig"},
	}
	usages = map[string]schema.GroupVersionKind{
		"aws.upbound.io":   {Group: "aws.upbound.io", Version: "v1beta1", Kind: "ProviderConfigUsage"},
		"aws.m.upbound.io": {Group: "aws.m.upbound.io", Version: "v1beta1", Kind: "ProviderConfigUsage"},
	}
)

// count the users of each ProviderConfig, which is not removed while it has any (crossplane-runtime, reconciler/providerconfig).
func (a *AWS) count(ctx context.Context) {
	used := map[string][]*unstructured.Unstructured{}
	for group, gvk := range usages {
		used[group] = a.list(ctx, gvk)
	}
	for _, gvk := range providerConfigs {
		for _, pc := range a.list(ctx, gvk) {
			users := int64(0)
			for _, u := range used[gvk.Group] {
				l := u.GetLabels()
				if l[labelProvider] == pc.GetName() && (l[labelProviderKind] == "" || l[labelProviderKind] == gvk.Kind) && (pc.GetNamespace() == "" || pc.GetNamespace() == u.GetNamespace()) {
					users++
				}
			}
			_ = a.account(ctx, pc, users)
		}
	}
}

// account for the users of a ProviderConfig.
func (a *AWS) account(ctx context.Context, pc *unstructured.Unstructured, users int64) error {
	before := pc.DeepCopy()
	held := slices.Contains(pc.GetFinalizers(), inUse)
	switch {
	case pc.GetDeletionTimestamp() != nil && users == 0:
		if !held {
			return nil
		}
		pc.SetFinalizers(slices.DeleteFunc(pc.GetFinalizers(), func(f string) bool { return f == inUse }))
		return a.update(ctx, pc)
	case pc.GetDeletionTimestamp() != nil:
		condition(pc, "Terminating", "True", "InUse", "Blocking deletion while usages still exist")
	case !held:
		pc.SetFinalizers(append(pc.GetFinalizers(), inUse))
		return a.update(ctx, pc)
	}
	if _, ok, _ := unstructured.NestedInt64(pc.Object, "status", "users"); ok || users > 0 {
		_ = unstructured.SetNestedField(pc.Object, users, "status", "users")
	}
	return a.status(ctx, before, pc)
}

// A configRef is a managed resource's reference to its ProviderConfig.
type configRef struct {
	gvk             schema.GroupVersionKind
	namespace, name string
}

func providerConfigOf(o *unstructured.Unstructured) configRef {
	r := configRef{gvk: providerConfigs[0], name: String(o, "spec", "providerConfigRef", "name")}
	if strings.Contains(o.GroupVersionKind().Group, ".m.upbound.io") {
		r.gvk = schema.GroupVersionKind{Group: "aws.m.upbound.io", Version: "v1beta1", Kind: String(o, "spec", "providerConfigRef", "kind")}
		if r.gvk.Kind == "ProviderConfig" {
			r.namespace = o.GetNamespace()
		}
	}
	return r
}

// connect is what every provider does first: get the ProviderConfig of an object, and note that it is used.
func (a *AWS) connect(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, string) {
	const problem = "connect failed: cannot initialize the Terraform plugin SDK async external client: cannot get terraform setup: "
	ref := providerConfigOf(o)
	pc := &unstructured.Unstructured{}
	pc.SetGroupVersionKind(ref.gvk)
	if err := a.Client.Get(ctx, client.ObjectKey{Namespace: ref.namespace, Name: ref.name}, pc); err != nil {
		return nil, problem + "cannot get referenced ProviderConfig: " + ref.gvk.Kind + "." + ref.gvk.Group + " \"" + ref.name + "\" not found"
	}
	if err := a.track(ctx, o, ref); err != nil {
		return nil, problem + "cannot track ProviderConfig usage: " + err.Error()
	}
	return pc, ""
}

// track the use of a ProviderConfig (crossplane-runtime, resource.ProviderConfigUsageTracker). Garbage collection removes
// the usage with its owner.
func (a *AWS) track(ctx context.Context, o *unstructured.Unstructured, ref configRef) error {
	gvk := usages[ref.gvk.Group]
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	if err := a.Client.Get(ctx, client.ObjectKey{Namespace: o.GetNamespace(), Name: string(o.GetUID())}, u); client.IgnoreNotFound(err) != nil {
		return err
	} else if err == nil && String(u, "providerConfigRef", "name") == ref.name {
		return nil
	} else if err == nil {
		return a.Client.Delete(ctx, u)
	}
	u = &unstructured.Unstructured{Object: map[string]any{
		"providerConfigRef": map[string]any{"name": ref.name},
		"resourceRef":       map[string]any{"apiVersion": o.GetAPIVersion(), "kind": o.GetKind(), "name": o.GetName()},
	}}
	u.SetGroupVersionKind(gvk)
	u.SetName(string(o.GetUID()))
	u.SetNamespace(o.GetNamespace())
	u.SetLabels(map[string]string{labelProvider: ref.name})
	if ref.gvk.Group == "aws.m.upbound.io" {
		_ = unstructured.SetNestedField(u.Object, ref.gvk.Kind, "providerConfigRef", "kind")
		u.SetLabels(map[string]string{labelProvider: ref.name, labelProviderKind: ref.gvk.Kind})
	}
	u.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(o, o.GroupVersionKind())})
	return a.Client.Create(ctx, u)
}
