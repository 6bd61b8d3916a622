package resources

import (
	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// ObservedProvider checks the provider of a service that another owner installs: it exists, is healthy, and runs as the ServiceAccount
// that the association is for. Nil if the provider is composed.
func ObservedProvider(c *Context, s *identity.Service) *Resource {
	if s.Managed {
		return nil
	}
	o, wait := c.theirProvider(s)
	if o.Exists() {
		wait = first(c.configured(o, s), c.theirsReady(o))
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

// theirProvider is the Provider that another owner installed for a service. The status remembers its name, so that all Providers are
// listed only until one is found, and again once it is deleted.
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
			Message: "management is Observe, and none is installed: install it when the association is ready, with a DeploymentRuntimeConfig that sets spec.serviceAccountTemplate.metadata.name to " + s.ServiceAccount,
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

// theirs says whether a Provider installs the service's package, and not for this composite resource: its own one is deleted when a
// service becomes an observed one.
func (c *Context) theirs(o view.Object, s *identity.Service) bool {
	return installs(o, s.Provider) && !c.mine(o)
}

// better says whether a Provider fits the service better than another: the package counts more than the name of the Provider.
func better(a, b view.Object, s *identity.Service) bool {
	same := func(o view.Object) bool { return samePackage(o.String("spec", "package"), s.Provider.Repository) }
	if same(a) != same(b) {
		return same(a)
	}
	return a.Name() < b.Name()
}

// theirsReady waits until a Provider has installed its package and it is healthy.
func (c *Context) theirsReady(o view.Object) *Wait {
	return waitFor("Provider "+o.Name(), c.packageReady(o.String("spec", "package"))(o))
}
