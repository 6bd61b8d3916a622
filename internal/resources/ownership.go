package resources

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Crossplane silently takes over an object of the wanted name that nobody controls, and deletes it with the composite
// resource; one that somebody else controls it silently leaves alone. So names are looked up before anything is created.

// unowned waits for ever where an object of that name exists and is not this composite resource's. The kind must be
// proven.
func (c *Context) unowned(key string, gvk schema.GroupVersionKind, name, wayOut string) *Wait {
	if c.View.Input.Preview || name == "" || c.View.Observed(key).Exists() {
		return nil
	}
	o, answer := c.View.Requirements.Get(gvk, name)
	return c.foreign(gvk.Kind+" "+name, o, answer, wayOut)
}

// foreign waits for ever where an object that was asked for is somebody else's.
func (c *Context) foreign(subject string, o view.Object, answer view.Answer, wayOut string) *Wait {
	switch answer {
	case view.Unanswered:
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: subject, Message: "looking whether it exists"}
	case view.No:
		return nil
	case view.Yes:
	}
	if c.mine(o) {
		return nil
	}
	return &Wait{Reason: v1alpha1.ReasonConflict, Subject: subject, Message: fmt.Sprintf("exists and %s: %s", ownerOf(o), wayOut)}
}

func (c *Context) mine(o view.Object) bool {
	uid := c.View.XR.String("metadata", "uid")
	return uid != "" && o.Controller().UID == uid
}

// ownerOf says in words who an object belongs to.
func ownerOf(o view.Object) string {
	owner := o.Controller()
	if owner.Name == "" {
		return "no composite resource made it"
	}
	if claim := o.Label("crossplane.io/claim-name"); claim != "" {
		return fmt.Sprintf("belongs to %s %s of claim %s/%s", owner.Kind, owner.Name, o.Label("crossplane.io/claim-namespace"), claim)
	}
	return fmt.Sprintf("belongs to %s %s", owner.Kind, owner.Name)
}

// providerList is what Providers exist, asked for once a call.
type providerList struct {
	items  []view.Object
	answer view.Answer
}

// providerItems are all Providers in the cluster.
func (c *Context) providerItems() ([]view.Object, view.Answer) {
	if c.providers == nil {
		items, answer := c.View.Requirements.List(providerKind, nil)
		c.providers = &providerList{items: items, answer: answer}
	}
	return c.providers.items, c.providers.answer
}

// noOther waits for ever where another Provider installs the same package: two of them break the package manager for every
// package in the cluster.
func (c *Context) noOther(key string, p identity.Package, wayOut string) *Wait {
	if c.View.Input.Preview || c.View.Observed(key).Exists() {
		return nil
	}
	items, answer := c.providerItems()
	if answer != view.Yes {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other Providers of " + p.Repository}
	}
	if o := c.other(items, p); o.Exists() {
		return &Wait{Reason: v1alpha1.ReasonConflict, Subject: "Provider " + o.Name(), Message: fmt.Sprintf("of package %s exists and %s: %s", o.String("spec", "package"), ownerOf(o), wayOut)}
	}
	return nil
}

// other Provider that installs the same package; the first by name.
func (c *Context) other(items []view.Object, p identity.Package) view.Object {
	return c.firstOther(items, func(o view.Object) bool { return installs(o, p) })
}

// firstOther is the first by name of the objects that match and are not this composite resource's. The zero Object if there is
// none.
func (c *Context) firstOther(items []view.Object, matches func(view.Object) bool) view.Object {
	var found view.Object
	for _, o := range items {
		if matches(o) && !c.mine(o) && (!found.Exists() || fullName(o) < fullName(found)) {
			found = o
		}
	}
	return found
}

// fullName of an object: with its namespace, if it is in one.
func fullName(o view.Object) string {
	if ns := o.Namespace(); ns != "" {
		return ns + "/" + o.Name()
	}
	return o.Name()
}

// providerReady is ready when the wanted package is. Where it is not, a second Provider of the package that came later may be
// the cause: ours stays, and the clash is told.
func (c *Context) providerReady(p identity.Package) func(view.Object) Readiness {
	ready := c.packageReady(p.Source)
	return func(o view.Object) Readiness {
		r := ready(o)
		if r.Ready || o.Deleted() || c.View.Input.Preview {
			return r
		}
		items, _ := c.providerItems()
		items = slices.DeleteFunc(slices.Clone(items), func(i view.Object) bool { return i.Name() == o.Name() })
		if other := c.other(items, p); other.Exists() {
			return Readiness{Conflict: true, Message: fmt.Sprintf("Provider %s of package %s exists, too, and %s: two of one package break the package manager: remove one; %s", other.Name(), other.String("spec", "package"), ownerOf(other), r.Message)}
		}
		return r
	}
}

// soleUser waits for ever where something else gives the service's ServiceAccount an identity: EKS knows one association for
// each, and Crossplane's runtimes would fight for the ServiceAccount.
func (c *Context) soleUser(key string, gvk schema.GroupVersionKind, s *identity.Service, uses func(view.Object) bool) *Wait {
	if c.View.Input.Preview || c.View.Observed(key).Exists() {
		return nil
	}
	items, answer := c.View.Requirements.List(gvk, nil)
	if answer != view.Yes {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other users of ServiceAccount " + s.ServiceAccount}
	}
	found := c.firstOther(items, uses)
	if !found.Exists() {
		return nil
	}
	return &Wait{
		Reason: v1alpha1.ReasonConflict, Subject: found.Kind() + " " + found.Name(),
		Message: fmt.Sprintf("uses ServiceAccount %s and %s: give the service another serviceAccountName", s.ServiceAccount, ownerOf(found)),
	}
}

// associates says whether an association is for the service's ServiceAccount.
func (c *Context) associates(s *identity.Service) func(view.Object) bool {
	return func(o view.Object) bool {
		at := func(f string) string { return o.String("spec", "forProvider", f) }
		return at("serviceAccount") == s.ServiceAccount && at("namespace") == c.Identity.Namespace && at("clusterName") == c.Identity.Cluster && at("region") == c.Identity.Region
	}
}

// runsAs says whether a DeploymentRuntimeConfig makes pods run as the ServiceAccount.
func runsAs(serviceAccount string) func(view.Object) bool {
	return func(o view.Object) bool {
		return o.String("spec", "serviceAccountTemplate", "metadata", "name") == serviceAccount ||
			o.String("spec", "deploymentTemplate", "spec", "template", "spec", "serviceAccountName") == serviceAccount
	}
}

// installs says whether a Provider installs a package, or has the name of the Provider that would.
func installs(o view.Object, p identity.Package) bool {
	return o.Name() == p.Name || samePackage(o.String("spec", "package"), p.Repository)
}

// samePackage says whether two packages install the same provider. The registry does not matter: the same kinds from
// another registry clash just as well.
func samePackage(a, b string) bool { return lastSegment(a) == lastSegment(b) }

func lastSegment(pkg string) string {
	pkg, _, _ = strings.Cut(pkg, "@")
	if i := strings.LastIndex(pkg, "/"); i >= 0 {
		pkg = pkg[i+1:]
	}
	pkg, _, _ = strings.Cut(pkg, ":")
	return pkg
}
