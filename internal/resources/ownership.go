package resources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Crossplane silently adopts an object of the desired name that has no controller, and deletes it with the composite resource; one that
// another owner controls it silently leaves alone. So names are looked up before anything is created.

// "Other" includes objects that this composite resource made under another composition-resource name, for example for a service that
// was renamed: to Crossplane and AWS they are other objects. They are deleted first.

// unowned waits indefinitely if an object of that name exists and is not this composite resource's. The kind must be proven.
func (c *Context) unowned(key string, gvk schema.GroupVersionKind, name, wayOut string) *Wait {
	if c.View.Input.Preview || name == "" || c.View.Observed(key).Exists() {
		return nil
	}
	o, answer := c.View.Requirements.Get(gvk, name)
	if answer == view.Yes && c.mine(o) && !c.own(o, key, gvk, name) {
		return leavesFirst(gvk.Kind + " " + name)
	}
	return c.foreign(gvk.Kind+" "+name, o, answer, wayOut)
}

// leavesFirst waits until an own object that is in the way is deleted.
func leavesFirst(subject string) *Wait {
	return &Wait{Reason: v1alpha1.ReasonRemoving, Subject: subject, Message: "was created for something that is no longer in the spec, and has to be deleted first"}
}

// foreign waits indefinitely if an object of that name is another owner's.
func (c *Context) foreign(subject string, o view.Object, answer view.Answer, wayOut string) *Wait {
	switch answer {
	case view.Unanswered:
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: subject, Message: "checking whether it exists"}
	case view.No:
		return nil
	case view.Yes:
	}
	if c.mine(o) {
		return nil
	}
	return &Wait{Reason: v1alpha1.ReasonConflict, Subject: subject, Message: fmt.Sprintf("exists and %s: %s", ownerOf(o), wayOut), owner: o.Controller()}
}

// own says whether an object is the one that this composite resource has, or is about to see, under a composition-resource name.
func (c *Context) own(o view.Object, key string, gvk schema.GroupVersionKind, name string) bool {
	if !c.mine(o) {
		return false
	}
	if ours := c.View.Observed(key); ours.Exists() {
		return ours.Name() == o.Name()
	}
	return o.Name() == name && !o.Deleted() && c.observedAs(gvk, name) == ""
}

// observedAs is the composition-resource name of an observed object; empty if it is not observed.
func (c *Context) observedAs(gvk schema.GroupVersionKind, name string) string {
	apiVersion, kind := gvk.ToAPIVersionAndKind()
	for _, key := range c.View.ObservedKeys() {
		if o := c.View.Observed(key); o.Name() == name && o.Kind() == kind && o.APIVersion() == apiVersion {
			return key
		}
	}
	return ""
}

func (c *Context) mine(o view.Object) bool {
	uid := c.View.XR.String("metadata", "uid")
	return uid != "" && o.Controller().UID == uid
}

// ownerOf names the owner of an object, in words.
func ownerOf(o view.Object) string {
	owner := o.Controller()
	if owner.Name == "" {
		return deployedBy(o)
	}
	if claim := o.Label("crossplane.io/claim-name"); claim != "" {
		return fmt.Sprintf("belongs to %s %s of claim %s/%s", owner.Kind, owner.Name, o.Label("crossplane.io/claim-namespace"), claim)
	}
	return fmt.Sprintf("belongs to %s %s", owner.Kind, owner.Name)
}

// deployedBy names the tool that deployed an object without an owner, in words, if it left a mark.
func deployedBy(o view.Object) string {
	// https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/
	if app, _, _ := strings.Cut(o.Annotation("argocd.argoproj.io/tracking-id"), ":"); app != "" {
		return "Argo CD application " + app + " deploys it"
	}
	for _, m := range []struct{ tool, name string }{
		{"Flux Kustomization", o.Label("kustomize.toolkit.fluxcd.io/name")},
		{"Flux HelmRelease", o.Label("helm.toolkit.fluxcd.io/name")},
		{"Helm release", o.Annotation("meta.helm.sh/release-name")},
	} {
		if m.name != "" {
			return m.tool + " " + m.name + " deploys it"
		}
	}
	return "no composite resource made it"
}

// providerList has the existing Providers, asked for once a call.
type providerList struct {
	items  []view.Object
	answer view.Answer
}

// providerItems returns all Providers in the cluster.
func (c *Context) providerItems() ([]view.Object, view.Answer) {
	if c.providers == nil {
		items, answer := c.View.Requirements.List(providerKind, nil)
		c.providers = &providerList{items: items, answer: answer}
	}
	return c.providers.items, c.providers.answer
}

// noOther waits indefinitely if another Provider installs the same package: two of them break the package manager for every package in
// the cluster. A Provider that has the package already needs no answer.
func (c *Context) noOther(key string, p identity.Package, wayOut func(view.Object) string) *Wait {
	if has := c.View.Observed(key); c.View.Input.Preview || has.Exists() && installsOnly(has, p) {
		return nil
	}
	items, answer := c.providerItems()
	if answer != view.Yes {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other Providers of " + p.Repository}
	}
	o := c.other(items, key, p)
	switch {
	case !o.Exists():
		return nil
	case c.mine(o):
		return leavesFirst("Provider " + o.Name())
	}
	return &Wait{Reason: v1alpha1.ReasonConflict, Subject: "Provider " + o.Name(), Message: fmt.Sprintf("of package %s exists and %s: %s", o.String("spec", "package"), ownerOf(o), wayOut(o)), owner: o.Controller()}
}

// stays says why an observed Provider keeps its package, though the spec names another one: with a package, its kinds are deleted, and
// all managed resources of them. Nil if it may change, and if it has the package already.
func (c *Context) stays(key string, p identity.Package, wayOut func(view.Object) string) *Wait {
	o := c.View.Observed(key)
	if !o.Exists() || c.View.Input.Preview || installsOnly(o, p) {
		return nil
	}
	w := c.noOther(key, p, wayOut)
	if w == nil && c.Identity.Teardown == v1alpha1.TeardownOrdered {
		w = c.used(o, "would be deleted with it", "set the package back")
	}
	if w == nil {
		return nil
	}
	kept := *w
	kept.Message = fmt.Sprintf("stays at package %s, though the spec asks for %s: %s", o.String("spec", "package"), p.Source, strings.TrimPrefix(w.Message, toBeRemoved))
	if w.Subject != "" {
		kept.Message = fmt.Sprintf("stays at package %s, though the spec asks for %s: %s %s", o.String("spec", "package"), p.Source, w.Subject, w.Message)
	}
	return &kept
}

// heldBack is the readiness of an existing object that stays as it is, for the reason that a Wait gives.
func heldBack(w *Wait) Readiness {
	return Readiness{Conflict: w.Reason == v1alpha1.ReasonConflict, Removing: w.Reason == v1alpha1.ReasonRemoving, Message: w.Message}
}

// installsOnly says whether a Provider has a package already. A Provider without a package does not change.
func installsOnly(o view.Object, p identity.Package) bool {
	has := o.String("spec", "package")
	return has == "" || samePackage(has, p.Repository)
}

// other is another Provider that installs the same package; the first by name.
func (c *Context) other(items []view.Object, key string, p identity.Package) view.Object {
	return c.firstOther(items, key, providerKind, p.Name, func(o view.Object) bool { return installs(o, p) })
}

// firstOther is the first by name of the objects that match and are not the own one of that composition-resource name. The zero Object
// if there is none. Those of other owners come first: they stay until a user acts.
func (c *Context) firstOther(items []view.Object, key string, gvk schema.GroupVersionKind, name string, matches func(view.Object) bool) view.Object {
	var found view.Object
	for _, o := range items {
		if !matches(o) || c.own(o, key, gvk, name) {
			continue
		}
		if !found.Exists() || c.mine(found) && !c.mine(o) || c.mine(found) == c.mine(o) && fullName(o) < fullName(found) {
			found = o
		}
	}
	return found
}

// fullName is the name of an object, with its namespace if it is in one.
func fullName(o view.Object) string {
	if ns := o.Namespace(); ns != "" {
		return ns + "/" + o.Name()
	}
	return o.Name()
}

// providerReady is ready when the desired package is. If it is not, a second Provider of the package that came later may be the cause:
// ours stays, and the conflict is reported.
func (c *Context) providerReady(key string, p identity.Package) func(view.Object) Readiness {
	ready := c.packageReady(p.Source)
	return func(o view.Object) Readiness {
		r := ready(o)
		if r.Ready || o.Deleted() || c.View.Input.Preview {
			return r
		}
		items, _ := c.providerItems()
		items = slices.DeleteFunc(slices.Clone(items), func(i view.Object) bool { return i.Name() == o.Name() })
		if other := c.other(items, key, p); other.Exists() {
			return Readiness{Conflict: true, Message: fmt.Sprintf("Provider %s of package %s exists, too, and %s: two of one package break the package manager: remove one; %s", other.Name(), other.String("spec", "package"), ownerOf(other), r.Message)}
		}
		return r
	}
}

// soleUser waits indefinitely if something else gives the service's ServiceAccount an identity: EKS has one association for each, and
// Crossplane's runtimes would fight for the ServiceAccount. An object that has that ServiceAccount already needs no answer.
func (c *Context) soleUser(key string, gvk schema.GroupVersionKind, s *identity.Service, uses func(view.Object) bool) *Wait {
	if c.View.Input.Preview || c.View.Observed(key).Exists() && (gvk != runtimeConfigKind || c.runsAsNow(s) == "" || c.runsAsNow(s) == s.ServiceAccount) {
		return nil
	}
	items, answer := c.View.Requirements.List(gvk, nil)
	if answer != view.Yes {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other users of ServiceAccount " + s.ServiceAccount}
	}
	name := s.ObjectName
	if gvk == runtimeConfigKind {
		name = c.configName(s)
	}
	found := c.firstOther(items, key, gvk, name, uses)
	switch {
	case !found.Exists():
		return nil
	case c.mine(found):
		return leavesFirst(gvk.Kind + " " + found.Name())
	}
	return &Wait{
		Reason: v1alpha1.ReasonConflict, Subject: found.Kind() + " " + found.Name(),
		Message: fmt.Sprintf("uses ServiceAccount %s and %s: give the service another serviceAccountName", s.ServiceAccount, ownerOf(found)),
	}
}

// runsAsNow is the ServiceAccount that the observed config of a service gives its provider; empty if there is none.
func (c *Context) runsAsNow(s *identity.Service) string {
	return c.View.Observed(runtimeConfigKey(s)).String("spec", "serviceAccountTemplate", "metadata", "name")
}

// soleNamed waits indefinitely if another managed resource is for the same thing in AWS: the two would fight over it, and deleting
// either would delete it. IAM ignores the letter case of names.
func (c *Context) soleNamed(key string, k view.Kind, name, awsName string) *Wait {
	if c.View.Input.Preview || awsName == "" || c.View.Observed(key).Exists() {
		return nil
	}
	items, answer := c.View.Requirements.List(k.GroupVersionKind, nil)
	if answer != view.Yes {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: fmt.Sprintf("looking for other managed resources of %s %s in AWS", strings.ToLower(k.Kind), awsName)}
	}
	found := c.firstOther(items, key, k.GroupVersionKind, name, func(o view.Object) bool {
		return strings.EqualFold(cmp.Or(o.Annotation(identity.AnnotationExternalName), o.Name()), awsName) && !observesOnly(o)
	})
	switch {
	case !found.Exists():
		return nil
	case c.mine(found):
		return leavesFirst(k.Kind + " " + found.Name())
	}
	return &Wait{
		Reason: v1alpha1.ReasonConflict, Subject: k.Kind + " " + found.Name(),
		Message: fmt.Sprintf("is for %s %s in AWS, too, and %s: %s", strings.ToLower(k.Kind), awsName, ownerOf(found), c.otherName()),
	}
}

// otherName says how to choose another name of a role.
func (c *Context) otherName() string {
	if c.Identity.Tenant != nil {
		return "choose another name for the claim"
	}
	return "choose another roleName or role.namePrefix"
}

// observesOnly says whether a managed resource changes nothing in AWS.
func observesOnly(o view.Object) bool {
	ps := o.Value("spec", "managementPolicies").GetListValue().GetValues()
	return len(ps) == 1 && ps[0].GetStringValue() == "Observe"
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

// samePackage says whether two packages install the same provider. The registry does not matter: the same kinds from another registry
// are a conflict, too.
func samePackage(a, b string) bool { return lastSegment(a) == lastSegment(b) }

func lastSegment(pkg string) string {
	pkg, _, _ = strings.Cut(pkg, "@")
	if i := strings.LastIndex(pkg, "/"); i >= 0 {
		pkg = pkg[i+1:]
	}
	pkg, _, _ = strings.Cut(pkg, ":")
	return pkg
}
