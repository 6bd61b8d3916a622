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
		before := o.DeepCopy()
		condition(o, "Synced", "False", "ReconcilePaused", "")
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
	failed := func(problem string) error {
		// Ready stays as it was.
		condition(o, "Synced", "False", "ReconcileError", problem)
		return a.status(ctx, before, o)
	}
	deleted := o.GetDeletionTimestamp() != nil
	switch {
	case deleted && !deletes(o):
		return a.release(ctx, o)
	case initialize(o):
		return a.update(ctx, o)
	}
	if !deleted {
		if done, err := a.resolve(ctx, o); err != nil {
			return failed("cannot resolve references: mg.Spec.ForProvider." + err.Error())
		} else if !done {
			return nil // Resolved and written: the next round goes on.
		}
	}
	if _, problem := a.connect(ctx, o); problem != "" {
		return failed(problem)
	}
	a.mu.Lock()
	x := a.look(o)
	a.mu.Unlock()
	switch {
	case deleted && x.at == nil:
		return a.release(ctx, o)
	case deleted:
		return a.delete(ctx, before, o, x)
	case x.at == nil && !allows(o, "Create"):
		return failed("observe failed: external resource does not exist")
	case !slices.Contains(o.GetFinalizers(), finalizer):
		o.SetFinalizers(append(o.GetFinalizers(), finalizer))
		return a.update(ctx, o)
	case x.at == nil:
		return a.create(ctx, before, o, x)
	}
	return a.observe(ctx, before, o, x)
}

// initialize an object with its name in AWS and the tags that the providers give to everything that has tags.
func initialize(o *unstructured.Unstructured) bool {
	changed := tags(o)
	if k := o.GetKind(); o.GetAnnotations()[externalName] == "" && (k == "Role" || k == "Policy") {
		annotate(o, externalName, o.GetName())
		changed = true
	}
	return changed
}

// Annotations that a provider writes before and after it creates something. When an earlier creation failed, the next says so.
const (
	creating = "crossplane.io/external-create-pending"
	created  = "crossplane.io/external-create-succeeded"
	wasError = "crossplane.io/external-create-failed"
)

// create an object in AWS. The call is asynchronous, so at first the object reports success.
func (a *AWS) create(ctx context.Context, before, o *unstructured.Unstructured, x external) error {
	again := Condition(o, "LastAsyncOperation")["reason"] == "AsyncCreateFailure"
	if o.GetAnnotations()[creating] == "" {
		annotate(o, creating, now())
		return a.update(ctx, o)
	}
	message := a.attempt("create", x.service, x.creation)
	if !again || message == "" {
		annotate(o, created, now())
		if again {
			annotate(o, wasError, now())
		}
		// The real ones do not give up on this write either, even if the object was written meanwhile.
		if err := a.Client.Patch(ctx, o, client.MergeFrom(before), client.FieldOwner("provider-aws")); err != nil {
			return err
		}
		before = o.DeepCopy()
	}
	condition(o, "Ready", "False", "Creating", "")
	if message != "" {
		refused(o, "create", "Create", message)
	}
	return a.status(ctx, before, o)
}

// refused reports a call that AWS refused.
func refused(o *unstructured.Unstructured, verb, reason, message string) {
	condition(o, "Synced", "False", "ReconcileError", verb+" failed: async "+verb+" failed: "+message)
	condition(o, "LastAsyncOperation", "False", "Async"+reason+"Failure", "async "+verb+" failed: "+message)
}

// observe the AWS resource, update it as far as the object's policies allow, and report its state.
func (a *AWS) observe(ctx context.Context, before, o *unstructured.Unstructured, x external) error {
	if time.Now().Before(x.ready) {
		condition(o, "Synced", "True", "ReconcileSuccess", "")
		condition(o, "Ready", "False", "Creating", "")
		return a.status(ctx, before, o)
	}
	annotate(o, externalName, externalNameOf(o, x))
	if allows(o, "LateInitialize") {
		lateInitialize(o)
	}
	if !equal(before.Object["spec"], o.Object["spec"]) || !maps.Equal(before.GetAnnotations(), o.GetAnnotations()) {
		return a.update(ctx, o)
	}
	for _, tags := range []string{"tags", "tagsAll"} {
		// Tags that were removed stay in the status.
		if were, ok, _ := unstructured.NestedMap(o.Object, "status", "atProvider", tags); ok {
			is, _ := x.at[tags].(map[string]any)
			maps.Copy(were, is)
			x.at[tags] = were
		}
	}
	_ = unstructured.SetNestedMap(o.Object, x.at, "status", "atProvider")
	condition(o, "Ready", "True", "Available", "")
	message := ""
	switch {
	case !allows(o, "Update"):
	case x.immutable != "":
		message = x.immutable
	case len(x.updates) > 0:
		message = a.attempt("update", x.service, x.updates...)
	}
	if message != "" {
		refused(o, "update", "Update", message)
		return a.status(ctx, before, o)
	}
	condition(o, "Synced", "True", "ReconcileSuccess", "")
	condition(o, "LastAsyncOperation", "True", "Success", "")
	return a.status(ctx, before, o)
}

func externalNameOf(o *unstructured.Unstructured, x external) string {
	if name := o.GetAnnotations()[externalName]; o.GetKind() == "Role" || o.GetKind() == "Policy" {
		return name
	}
	return fmt.Sprint(x.at["id"])
}

// now as annotations have it.
func now() string { return time.Now().UTC().Format(time.RFC3339) }

// delete an object in AWS, as far as AWS lets it.
func (a *AWS) delete(ctx context.Context, before, o *unstructured.Unstructured, x external) error {
	// Finalizers of others keep the object, but not its AWS resource.
	condition(o, "Ready", "False", "Deleting", "")
	condition(o, "Synced", "True", "ReconcileSuccess", "")
	if message := a.attempt("delete", x.service, x.deletion...); message != "" {
		refused(o, "delete", "Delete", message)
	}
	return a.status(ctx, before, o)
}

// release an object: its AWS resource is deleted, or stays.
func (a *AWS) release(ctx context.Context, o *unstructured.Unstructured) error {
	if !slices.Contains(o.GetFinalizers(), finalizer) {
		return nil
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

// tags that the providers give to everything that has tags, unless they may only look at it.
func tags(o *unstructured.Unstructured) bool {
	if o.GetKind() == "RolePolicyAttachment" || observed(o) {
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

// lateInitialize fields that are not set with the values that AWS gave them.
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
