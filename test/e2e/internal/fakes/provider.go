package fakes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// steps that a new managed resource takes at once at most: each write makes a controller look again.
const steps = 8

// reconcile one managed resource, until there is nothing to write or something to wait for.
func (a *AWS) reconcile(ctx context.Context, o *unstructured.Unstructured) error {
	if o.GetAnnotations()["crossplane.io/paused"] == "true" || paused(o) {
		return nil
	}
	if _, problem := a.connect(ctx, o); problem != "" {
		before := o.DeepCopy()
		condition(o, "Synced", "False", "ReconcileError", problem)
		return a.status(ctx, before, o)
	}
	for range steps {
		version := o.GetResourceVersion()
		if err := a.step(ctx, o); err != nil || o.GetResourceVersion() == version {
			return err
		}
	}
	return nil
}

// step of a managed resource: at most one write.
func (a *AWS) step(ctx context.Context, o *unstructured.Unstructured) error {
	before := o.DeepCopy()
	if o.GetDeletionTimestamp() != nil {
		return a.delete(ctx, before, o)
	}
	if !slices.Contains(o.GetFinalizers(), finalizer) {
		o.SetFinalizers(append(o.GetFinalizers(), finalizer))
		return a.update(ctx, o)
	}
	if o.GetAnnotations()[externalName] == "" && o.GetKind() != "PodIdentityAssociation" && o.GetKind() != "RolePolicyAttachment" {
		annotate(o, externalName, o.GetName())
		return a.update(ctx, o)
	}
	if tags(o) {
		return a.update(ctx, o)
	}
	if done, err := a.resolve(ctx, o); err != nil {
		condition(o, "Synced", "False", "ReconcileError", "cannot resolve references: mg.Spec.ForProvider."+err.Error())
		return a.status(ctx, before, o)
	} else if !done {
		return nil // Resolved and written: the next round goes on.
	}
	return a.observe(ctx, before, o)
}

// Annotations that a provider writes before and after it creates something.
const (
	creating = "crossplane.io/external-create-pending"
	created  = "crossplane.io/external-create-succeeded"
)

// observe an object in AWS, create or update it there as far as its policies allow, and tell how it is.
func (a *AWS) observe(ctx context.Context, before, o *unstructured.Unstructured) error {
	a.mu.Lock()
	missing := a.missing(o)
	a.mu.Unlock()
	switch {
	case missing && !allows(o, "Create"):
		condition(o, "Synced", "False", "ReconcileError", "observe failed: external resource does not exist")
		return a.status(ctx, before, o)
	case missing && o.GetAnnotations()[creating] == "":
		annotate(o, creating, now())
		return a.update(ctx, o)
	}
	a.mu.Lock()
	at, ready, message := a.sync(o)
	a.mu.Unlock()
	switch {
	case message != "":
		condition(o, "Synced", "False", "ReconcileError", "create failed: async create failed: "+message)
		condition(o, "LastAsyncOperation", "False", "AsyncCreateFailure", "async create failed: "+message)
		condition(o, "Ready", "False", "Creating", "")
		return a.status(ctx, before, o)
	case missing:
		// What was created, perhaps again, has its name at once, and is not ready.
		annotate(o, created, now())
		if err := a.update(ctx, o); err != nil {
			return err
		}
		before = o.DeepCopy()
		condition(o, "Ready", "False", "Creating", "")
		return a.status(ctx, before, o)
	case !ready:
		condition(o, "Synced", "True", "ReconcileSuccess", "")
		condition(o, "Ready", "False", "Creating", "")
		return a.status(ctx, before, o)
	}
	if o.GetAnnotations()[externalName] == "" {
		annotate(o, externalName, fmt.Sprint(at["id"]))
	}
	if allows(o, "LateInitialize") {
		lateInitialize(o)
	}
	if !equal(before.Object["spec"], o.Object["spec"]) || !maps.Equal(before.GetAnnotations(), o.GetAnnotations()) {
		return a.update(ctx, o)
	}
	_ = unstructured.SetNestedMap(o.Object, at, "status", "atProvider")
	condition(o, "Synced", "True", "ReconcileSuccess", "")
	condition(o, "LastAsyncOperation", "True", "Success", "")
	condition(o, "Ready", "True", "Available", "")
	return a.status(ctx, before, o)
}

// now as annotations have it.
func now() string { return time.Now().UTC().Format(time.RFC3339) }

// delete an object in AWS, as far as AWS lets it.
func (a *AWS) delete(ctx context.Context, before, o *unstructured.Unstructured) error {
	if !slices.Contains(o.GetFinalizers(), finalizer) || len(o.GetFinalizers()) > 1 {
		return nil // The real ones wait until theirs is the last, too.
	}
	if deletes(o) {
		a.mu.Lock()
		message := a.remove(o)
		a.mu.Unlock()
		if message != "" {
			condition(o, "Synced", "False", "ReconcileError", "delete failed: async delete failed: "+message)
			condition(o, "Ready", "False", "Deleting", "")
			return a.status(ctx, before, o)
		}
	}
	o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(f string) bool { return f == finalizer }))
	return a.update(ctx, o)
}

func (a *AWS) update(ctx context.Context, o *unstructured.Unstructured) error {
	return a.Client.Update(ctx, o, client.FieldOwner("provider-aws"))
}

// status is written only if it changed.
func (a *AWS) status(ctx context.Context, before, o *unstructured.Unstructured) error {
	if equal(before.Object["status"], o.Object["status"]) {
		return nil
	}
	return a.Client.Status().Update(ctx, o, client.FieldOwner("provider-aws"))
}

// tags that the providers give to everything that has tags.
func tags(o *unstructured.Unstructured) bool {
	if o.GetKind() == "RolePolicyAttachment" {
		return false
	}
	changed := false
	for k, v := range map[string]string{
		"crossplane-kind":           strings.ToLower(o.GetKind()) + "." + o.GroupVersionKind().Group,
		"crossplane-name":           o.GetName(),
		"crossplane-providerconfig": String(o, "spec", "providerConfigRef", "name"),
	} {
		if String(o, "spec", "forProvider", "tags", k) == "" {
			_ = unstructured.SetNestedField(o.Object, v, "spec", "forProvider", "tags", k)
			changed = true
		}
	}
	return changed
}

// lateInitialize what is unset with what AWS made of it.
func lateInitialize(o *unstructured.Unstructured) {
	set := func(field string, v any) {
		if _, ok, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "forProvider", field); !ok {
			_ = unstructured.SetNestedField(o.Object, v, "spec", "forProvider", field)
		}
	}
	switch o.GetKind() {
	case "Role":
		set("maxSessionDuration", int64(3600))
		set("path", "/")
	case "Policy":
		set("path", "/")
	}
}
