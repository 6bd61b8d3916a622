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

// sharedRuntimeConfig is the DeploymentRuntimeConfig of every package that names no other.
const sharedRuntimeConfig = "default"

// ObservedProvider checks the provider of a service that somebody else installs: it exists, is healthy, and runs as the
// ServiceAccount that the association is for. Nil if the provider is composed.
func ObservedProvider(c *Context, s *identity.Service) *Resource {
	if s.Managed {
		return nil
	}
	o, wait := c.theirProvider(s)
	if o.Exists() {
		wait = first(c.configured(o, s.ServiceAccount), c.theirsReady(o))
	}
	return &Resource{
		Key:       "observed-provider/" + s.Name,
		Condition: v1alpha1.ConditionProvidersReady,
		Kind:      providerKind,
		Name:      o.Name(),
		Seen:      o,
		Wait:      wait,
	}
}

// theirProvider is the Provider that somebody else installed for a service. The status remembers its name, so that all
// Providers are asked for only until one is found, and again when it is gone.
func (c *Context) theirProvider(s *identity.Service) (view.Object, *Wait) {
	if c.View.Input.Preview {
		return view.Object{}, nil
	}
	looking := &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for a Provider of " + s.Provider.Repository}
	if name := c.remembered(s); name != "" {
		o, answer := c.View.Requirements.Get(providerKind, name)
		switch {
		case answer == view.Unanswered:
			return view.Object{}, looking
		case answer == view.Yes && c.theirs(o, s):
			return o, nil
		}
	}
	all, answer := c.providerItems()
	if answer != view.Yes {
		return view.Object{}, looking
	}
	var found view.Object
	for _, o := range all {
		if c.theirs(o, s) && (!found.Exists() || better(o, found, s)) {
			found = o
		}
	}
	if !found.Exists() {
		return found, &Wait{
			Reason: v1alpha1.ReasonMissing, Subject: "Provider of " + s.Provider.Repository,
			Message: "management is Observe, and nobody installed one: install it when the association is ready, with a DeploymentRuntimeConfig that sets spec.serviceAccountTemplate.metadata.name to " + s.ServiceAccount,
		}
	}
	return found, nil
}

// remembered is the name of the Provider that the status says a service has.
func (c *Context) remembered(s *identity.Service) string {
	for _, o := range c.View.XR.List("status", "services") {
		if o.String("name") == s.Name {
			return o.String("providerName")
		}
	}
	return ""
}

// theirs says whether a Provider installs the service's package, and not for this composite resource: that one goes away when
// a service becomes an observed one.
func (c *Context) theirs(o view.Object, s *identity.Service) bool {
	return installs(o, s.Provider) && !c.mine(o)
}

// better says whether a Provider is the service's rather than another: the package counts more than the name of the Provider.
func better(a, b view.Object, s *identity.Service) bool {
	same := func(o view.Object) bool { return samePackage(o.String("spec", "package"), s.Provider.Repository) }
	if same(a) != same(b) {
		return same(a)
	}
	return a.Name() < b.Name()
}

// theirsReady waits until a Provider has installed its package and it is healthy.
func (c *Context) theirsReady(o view.Object) *Wait {
	r := c.packageReady(o.String("spec", "package"))(o)
	switch {
	case r.Ready:
		return nil
	case r.Failed:
		return &Wait{Reason: v1alpha1.ReasonFailed, Subject: "Provider " + o.Name(), Message: r.Message}
	}
	return &Wait{Reason: v1alpha1.ReasonCreating, Subject: "Provider " + o.Name(), Message: r.Message}
}

// configured waits until the runtime configuration of a Provider makes it run as a ServiceAccount.
func (c *Context) configured(provider view.Object, account string) *Wait {
	subject := "Provider " + provider.Name()
	looking := &Wait{Reason: v1alpha1.ReasonWaiting, Subject: subject, Message: "looking for its DeploymentRuntimeConfig"}
	name := cmp.Or(provider.String("spec", "runtimeConfigRef", "name"), sharedRuntimeConfig)
	override, answer := c.runtimeOverride(provider)
	if answer == view.Unanswered {
		return looking
	}
	how := "set the Provider's spec.runtimeConfigRef.name to it"
	if override.Exists() {
		name = override.String("spec", "runtime", "configRef", "name")
		how = fmt.Sprintf("set spec.runtime.configRef.name of ImageConfig %s to it", override.Name())
	}
	drc, answer := c.View.Requirements.Get(runtimeConfigKind, name)
	if answer == view.Unanswered {
		return looking
	}
	const templateField, podField = "spec.serviceAccountTemplate.metadata.name", "spec.deploymentTemplate.spec.template.spec.serviceAccountName"
	field, got := podField, drc.String("spec", "deploymentTemplate", "spec", "template", "spec", "serviceAccountName")
	if got == "" {
		// Crossplane gives the pods the ServiceAccount that it makes, unless they have another.
		field, got = templateField, drc.String("spec", "serviceAccountTemplate", "metadata", "name")
	}
	if got == account {
		return nil
	}
	create := fmt.Sprintf("create a DeploymentRuntimeConfig that sets %s to %s, and %s", templateField, account, how)
	var message string
	switch {
	case !drc.Exists():
		message = fmt.Sprintf("its DeploymentRuntimeConfig %s does not exist: %s", name, create)
	case name == sharedRuntimeConfig:
		message = fmt.Sprintf("does not run as ServiceAccount %s, which the association is for: its DeploymentRuntimeConfig %s is the one that packages share, so %s", account, name, create)
	default:
		message = fmt.Sprintf("does not run as ServiceAccount %s, which the association is for: set %s of DeploymentRuntimeConfig %s to it", account, field, name)
	}
	return &Wait{Reason: v1alpha1.ReasonFailed, Subject: subject, Message: message}
}

// runtimeOverride is the ImageConfig that gives a Provider's revision another runtime configuration than the Provider does, as
// that revision tells: Crossplane v2 has such. Only then is the kind of it asked for.
func (c *Context) runtimeOverride(provider view.Object) (view.Object, view.Answer) {
	name := provider.String("status", "currentRevision")
	if name == "" {
		return view.Object{}, view.No
	}
	revision, answer := c.View.Requirements.Get(pkgv1.ProviderRevisionGroupVersionKind, name)
	if answer != view.Yes {
		return view.Object{}, answer
	}
	for _, ref := range revision.List("status", "appliedImageConfigRefs") {
		if ref.String("reason") == string(pkgv1.ImageConfigReasonRuntime) {
			return c.View.Requirements.Get(pkgv1beta1.ImageConfigGroupVersionKind, ref.String("name"))
		}
	}
	return view.Object{}, view.No
}
