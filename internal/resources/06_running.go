package resources

import (
	"cmp"
	"fmt"

	pkgv1 "github.com/crossplane/crossplane/v2/apis/pkg/v1"
	pkgv1beta1 "github.com/crossplane/crossplane/v2/apis/pkg/v1beta1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A Provider has the desired state, its revision the one that runs. These are the same checks for a composed Provider and for one that
// another owner installs.

const (
	// sharedRuntimeConfig is the DeploymentRuntimeConfig of every package that names no other.
	sharedRuntimeConfig = "default"

	// Resource names of a Provider and a ProviderRevision for kubectl.
	providerResource         = "provider.pkg.crossplane.io"
	providerRevisionResource = "providerrevision.pkg.crossplane.io"
)

// resume says how to resume a paused object.
func resume(o view.Object, resource string) string {
	return fmt.Sprintf("is paused, so Crossplane does not change it. To do: kubectl annotate %s %s %s-", resource, o.Name(), view.AnnotationPaused)
}

// runs is ready when the desired package is, and runs as the service's ServiceAccount. A missing answer does not count against it: the
// call is repeated with the answer. Its runtime is looked up only when nothing else is missing: until then its revision is written many
// times, and each time Crossplane v2.4, which watches required resources, would take two tokens from the circuit breaker of the
// composite resource.
func (c *Context) runs(key string, s *identity.Service) func(view.Object) Readiness {
	ready := c.providerReady(key, s.Provider)
	return func(o view.Object) Readiness {
		r := ready(o)
		if !r.Ready || o.Deleted() || c.View.Input.Preview {
			return r
		}
		if w := c.configured(o, s); w != nil && w.Reason != v1alpha1.ReasonWaiting {
			return readinessOf(w)
		}
		return r
	}
}

// configured waits until a Provider runs as the service's ServiceAccount, as far as its runtime is known: its own
// DeploymentRuntimeConfig, or that of an ImageConfig, which comes first.
func (c *Context) configured(provider view.Object, s *identity.Service) *Wait {
	subject := "Provider " + provider.Name()
	looking := &Wait{Reason: v1alpha1.ReasonWaiting, Subject: subject, Message: "looking for its DeploymentRuntimeConfig"}
	revision, answer := c.revision(provider)
	if answer == view.Unanswered {
		return looking
	}
	if revision.Paused() {
		return &Wait{Reason: v1alpha1.ReasonActionRequired, Subject: subject, Message: "its revision " + revision.Name() + " " + resume(revision, providerRevisionResource)}
	}
	name := cmp.Or(provider.String("spec", "runtimeConfigRef", "name"), sharedRuntimeConfig)
	ref := runtimeOverride(revision)
	var override view.Object
	if ref != "" {
		override, answer = c.View.Requirements.Get(pkgv1beta1.ImageConfigGroupVersionKind, ref)
	}
	other := override.String("spec", "runtime", "configRef", "name")
	switch {
	case ref != "" && answer == view.Unanswered:
		return looking
	case other != "":
		name = other
	case ref != "":
		return &Wait{Reason: v1alpha1.ReasonActionRequired, Subject: subject, Message: fmt.Sprintf(
			"still runs with the settings of ImageConfig %s, which no longer applies to it: Crossplane has not looked at its revision since. To do: %s", ref, lookAgain(revision))}
	case s.Managed:
		// It runs with the config that is composed for it.
		return nil
	}
	drc, answer := c.View.Requirements.Get(runtimeConfigKind, name)
	if answer == view.Unanswered {
		return looking
	}
	field, got := serviceAccountOf(drc)
	if got == s.ServiceAccount {
		return nil
	}
	message := misconfigured(drc, name, field, s, override)
	if s.Managed {
		message = c.overridden(s, name, override)
	}
	if override.Exists() {
		message += "; then have Crossplane look at it again: " + lookAgain(revision)
	}
	return &Wait{Reason: v1alpha1.ReasonFailed, Subject: subject, Message: message}
}

// revision returns the revision that a Provider runs. It does not exist while none is known.
func (c *Context) revision(provider view.Object) (view.Object, view.Answer) {
	name := provider.String("status", "currentRevision")
	if name == "" {
		return view.Object{}, view.No
	}
	return c.View.Requirements.Get(pkgv1.ProviderRevisionGroupVersionKind, name)
}

// runtimeOverride names the ImageConfig that gives a Provider's revision another runtime configuration than the Provider does, as that
// revision reports: Crossplane v2 has such. Only then is its kind required. Empty if there is none.
func runtimeOverride(revision view.Object) string {
	for _, ref := range revision.List("status", "appliedImageConfigRefs") {
		if ref.String("reason") == string(pkgv1.ImageConfigReasonRuntime) {
			return ref.String("name")
		}
	}
	return ""
}

// lookAgain is a command that makes Crossplane reconcile a revision. Crossplane does not do so on its own when an ImageConfig that only
// has spec.runtime is created, changed or deleted, nor when the DeploymentRuntimeConfig that it names is (seen in v2.4.2: its watches
// look for others).
func lookAgain(revision view.Object) string {
	return fmt.Sprintf("kubectl annotate %s %s looked-at=\"$(date)\" --overwrite", providerRevisionResource, revision.Name())
}

const (
	templateField = "spec.serviceAccountTemplate.metadata.name"
	podField      = "spec.deploymentTemplate.spec.template.spec.serviceAccountName"
)

// serviceAccountOf returns that of pods that run with a DeploymentRuntimeConfig, and the field that sets it.
func serviceAccountOf(drc view.Object) (field, name string) {
	if name := drc.String("spec", "deploymentTemplate", "spec", "template", "spec", "serviceAccountName"); name != "" {
		return podField, name
	}
	// Crossplane gives the pods the ServiceAccount that it makes, unless they have another.
	return templateField, drc.String("spec", "serviceAccountTemplate", "metadata", "name")
}

// misconfigured says what to change where a Provider that is not composed runs as another ServiceAccount.
func misconfigured(drc view.Object, name, field string, s *identity.Service, override view.Object) string {
	how := "set the Provider's spec.runtimeConfigRef.name to it"
	if override.Exists() {
		how = fmt.Sprintf("set spec.runtime.configRef.name of ImageConfig %s to it", override.Name())
	}
	create := fmt.Sprintf("create a DeploymentRuntimeConfig that sets %s to %s, and %s", templateField, s.ServiceAccount, how)
	switch {
	case !drc.Exists():
		return fmt.Sprintf("its DeploymentRuntimeConfig %s does not exist: %s", name, create)
	case name == sharedRuntimeConfig:
		return fmt.Sprintf("does not run as ServiceAccount %s, which the association is for: its DeploymentRuntimeConfig %s is the one that packages share, so %s", s.ServiceAccount, name, create)
	}
	return fmt.Sprintf("does not run as ServiceAccount %s, which the association is for: set %s of DeploymentRuntimeConfig %s to it", s.ServiceAccount, field, name)
}

// overridden says what to change if an ImageConfig keeps a composed Provider from its own DeploymentRuntimeConfig. Of several
// ImageConfigs that match a package Crossplane takes the one that matches more of its name.
func (c *Context) overridden(s *identity.Service, name string, override view.Object) string {
	return fmt.Sprintf("ImageConfig %s makes it run with DeploymentRuntimeConfig %s instead of %s, so not as ServiceAccount %s, which the association is for. "+
		"To do: take spec.runtime out of that ImageConfig; or create an ImageConfig that matches only %s, with spec.runtime.configRef.name %s",
		override.Name(), name, c.configName(s), s.ServiceAccount, s.Provider.Repository, c.configName(s))
}

// readinessOf turns the result of a check into the readiness of an object.
func readinessOf(w *Wait) Readiness {
	r := Readiness{Message: w.Message}
	switch w.Reason { //nolint:exhaustive // The others are in progress.
	case v1alpha1.ReasonFailed:
		r.Failed = true
	case v1alpha1.ReasonConflict:
		r.Conflict = true
	case v1alpha1.ReasonActionRequired:
		r.ActionRequired = true
	}
	return r
}

// waitFor turns a readiness into a Wait; nil if ready. The reverse of readinessOf.
func waitFor(subject string, r Readiness) *Wait {
	w := &Wait{Reason: v1alpha1.ReasonCreating, Subject: subject, Message: r.Message}
	switch {
	case r.Ready:
		return nil
	case r.Failed:
		w.Reason = v1alpha1.ReasonFailed
	case r.Conflict:
		w.Reason = v1alpha1.ReasonConflict
	case r.ActionRequired:
		w.Reason = v1alpha1.ReasonActionRequired
	}
	return w
}
