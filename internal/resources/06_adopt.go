package resources

import (
	"fmt"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A running Provider is adopted in an order that keeps it running: first the association, until EKS knows it everywhere; then its
// DeploymentRuntimeConfig, which restarts it once; then the Provider itself, with the package that it has. Until then nothing of it is
// written. Crossplane makes the composite resource the controller of an object that it applies and that has none.

// An adoption holds the objects that a service adopts.
type adoption struct {
	// provider is an existing one of the service's package; it does not exist if there is nothing to adopt.
	provider view.Object
	// config is the name of the DeploymentRuntimeConfig that this Provider alone runs with; empty if it has none of its own, and
	// gets one.
	config string
	// wait while that is not known.
	wait *Wait
}

// adoption returns the adoption of a service. Once both objects are observed there is nothing left to adopt.
func (c *Context) adoption(s *identity.Service) adoption {
	observed := c.View.Observed(providerKey(s))
	if !s.AdoptProvider || c.View.Input.Preview || observed.Exists() && c.View.Observed(runtimeConfigKey(s)).Exists() {
		return adoption{}
	}
	items, answer := c.providerItems()
	if answer != view.Yes {
		return adoption{wait: &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for a Provider of " + s.Provider.Repository + " to adopt"}}
	}
	a := adoption{provider: observed}
	if !observed.Exists() {
		a.provider = c.adoptable(items, s)
	}
	if a.provider.Exists() {
		a.config, a.wait = c.adoptableConfig(items, a.provider)
	}
	return a
}

// adoptable is the one Provider that installs the service's package from the desired repository and has no controller; never the
// family. It does not exist if there is none, or another one besides.
func (c *Context) adoptable(items []view.Object, s *identity.Service) view.Object {
	var found view.Object
	for _, o := range items {
		if !installs(o, s.Provider) || c.mine(o) {
			continue
		}
		if found.Exists() || !free(o) || o.Deleted() || isFamily(packageOf(o)) || identity.ParseSource(packageOf(o)).Repository() != s.Provider.Repository {
			return view.Object{}
		}
		found = o
	}
	return found
}

// adoptableConfig is the DeploymentRuntimeConfig that a Provider alone runs with, and that no other object controls.
func (c *Context) adoptableConfig(items []view.Object, provider view.Object) (string, *Wait) {
	name := provider.String("spec", "runtimeConfigRef", "name")
	if name == "" || name == sharedRuntimeConfig {
		return "", nil
	}
	for _, o := range items {
		if o.Name() != provider.Name() && o.String("spec", "runtimeConfigRef", "name") == name {
			return "", nil
		}
	}
	drc, answer := c.View.Requirements.Get(runtimeConfigKind, name)
	switch {
	case answer == view.Unanswered:
		return "", &Wait{Reason: v1alpha1.ReasonWaiting, Subject: runtimeConfigKind.Kind + " " + name, Message: "checking whether it can be adopted"}
	case answer == view.Yes && !drc.Deleted() && (free(drc) || c.mine(drc)):
		return name, nil
	}
	return "", nil
}

// free says whether an object has no controller.
func free(o view.Object) bool { return o.Controller().UID == "" && o.Controller().Name == "" }

// providerName is the name of a service's Provider: of the existing one, of the one to adopt, or the usual one.
func (c *Context) providerName(s *identity.Service) string {
	if a := c.adoption(s); a.provider.Exists() {
		return a.provider.Name()
	}
	return c.observedName(providerKey(s), s.Provider.Name)
}

// configName is likewise that of its DeploymentRuntimeConfig. If that is deleted, the Provider still names the one that it runs with:
// with another one it would run as another ServiceAccount.
func (c *Context) configName(s *identity.Service) string {
	if a := c.adoption(s); a.config != "" {
		return a.config
	}
	if named := c.View.Observed(providerKey(s)).String("spec", "runtimeConfigRef", "name"); named != "" && named != sharedRuntimeConfig {
		return c.observedName(runtimeConfigKey(s), named)
	}
	return c.observedName(runtimeConfigKey(s), s.Provider.Name)
}

// configFirst lets a running Provider be adopted only after its DeploymentRuntimeConfig. Nil also if there is none.
func (c *Context) configFirst(s *identity.Service, a adoption) *Wait {
	if a.wait != nil || !a.provider.Exists() || c.View.Observed(runtimeConfigKey(s)).Exists() {
		return a.wait
	}
	return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider " + a.provider.Name(), Message: fmt.Sprintf("adopted as soon as DeploymentRuntimeConfig %s is", c.configName(s))}
}

// waysOut says how to resolve a conflict with another Provider of a service's package.
func waysOut(s *identity.Service) func(view.Object) string {
	return func(o view.Object) string {
		switch has := identity.ParseSource(packageOf(o)); {
		case !free(o) || isFamily(packageOf(o)) || has.Registry == "" || !samePackage(packageOf(o), s.Provider.Repository):
			return "set management: Observe for the service, or remove that Provider"
		case has.Repository() != s.Provider.Repository:
			return fmt.Sprintf("set management: Observe for the service, or package: %s and adoptExistingProvider: true to adopt it", has.Repository())
		}
		return "set management: Observe for the service, or adoptExistingProvider: true to adopt it"
	}
}
