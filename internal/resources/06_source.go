package resources

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A package is more than a version. It brings kinds that no other package may bring, and depends on a family: that of its own registry,
// and in Upbound's builds that of its own version. A package that would not fit is reported before anything is created or changed, and
// Providers are listed only then.

// move says why a composed Provider keeps its current package; nil if it has the desired one, or may change to it.
func (c *Context) move(key string, p identity.Package, waits ...func() *Wait) *Wait {
	o := c.View.Observed(key)
	has := o.String("spec", "package")
	if c.View.Input.Preview || has == "" || has == p.Source {
		return nil
	}
	for _, wait := range waits {
		if w := wait(); w != nil {
			kept := *w
			kept.Message = fmt.Sprintf("stays at %s, and does not change to %s yet: %s", has, p.Source, text(w))
			return &kept
		}
	}
	return nil
}

// text returns a Wait as one text.
func text(w *Wait) string {
	if w.Subject == "" {
		return w.Message
	}
	return w.Subject + " " + w.Message
}

// source is the package of a Provider: the desired one or, while it may not move, the current one.
func (c *Context) source(key string, p identity.Package, move *Wait) string {
	if move == nil {
		return p.Source
	}
	return c.View.Observed(key).String("spec", "package")
}

// moves is ready when the Provider has the desired package. The reason why it does not move is reported, unless it is being deleted,
// failed or paused.
func moves(move *Wait, ready func(view.Object) Readiness) func(view.Object) Readiness {
	return func(o view.Object) Readiness {
		r := ready(o)
		if move == nil || o.Deleted() || r.ActionRequired || r.Failed {
			return r
		}
		return readinessOf(move)
	}
}

// fits waits indefinitely if a package cannot be installed alongside the existing ones.
func (c *Context) fits(p identity.Package) *Wait {
	if c.View.Input.Preview {
		return nil
	}
	items, answer := c.providerItems()
	if answer != view.Yes {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for Providers that " + p.Repository + " must be compatible with"}
	}
	families := slices.DeleteFunc(slices.Clone(items), func(o view.Object) bool { return !isFamily(packageOf(o)) || c.ours(o) })
	slices.SortFunc(families, func(a, b view.Object) int { return strings.Compare(a.Name(), b.Name()) })
	var misfit *Wait
	for _, f := range families {
		w := c.fitsFamily(p, f)
		if w == nil {
			misfit = nil
			break
		}
		misfit = first(misfit, w)
	}
	return first(c.monolith(items, p), misfit)
}

// monolith waits indefinitely while the former provider exists that has the kinds of all services.
func (c *Context) monolith(items []view.Object, p identity.Package) *Wait {
	o := c.firstForeign(items, func(o view.Object) bool { return isMonolith(packageOf(o)) })
	if !o.Exists() {
		return nil
	}
	return &Wait{
		Reason: v1alpha1.ReasonConflict, Subject: "Provider " + o.Name(),
		Message: fmt.Sprintf("of package %s has the kinds of all AWS services, those of %s too, and no two packages may have the same kinds. To do: move from it to the provider family first (docs/troubleshooting.md)", packageOf(o), p.Repository),
	}
}

// firstForeign is the first by name of the objects that match and are not this composite resource's.
func (c *Context) firstForeign(items []view.Object, matches func(view.Object) bool) view.Object {
	var found view.Object
	for _, o := range items {
		if matches(o) && !c.ours(o) && (!found.Exists() || o.Name() < found.Name()) {
			found = o
		}
	}
	return found
}

// fitsFamily waits indefinitely if a package needs another family than the one that another owner installed.
func (c *Context) fitsFamily(p identity.Package, family view.Object) *Wait {
	conflict := func(format string, args ...any) *Wait {
		return &Wait{Reason: v1alpha1.ReasonConflict, Subject: "Provider " + family.Name(), Message: "of package " + packageOf(family) + " " + fmt.Sprintf(format, args...)}
	}
	theirs := identity.ParseSource(packageOf(family))
	ours := identity.ParseSource(p.Source)
	if !theirs.SameOrganisation(ours) {
		return conflict("is the family of another registry than %s: Crossplane would install a second family, and two have the same kinds. "+
			"To do: take the packages of %s (provider.registry, services[].package); or keep these names, and let an ImageConfig rewrite them to another registry (spec.rewriteImage); or move the whole cluster (docs/upgrade.md)",
			p.Repository, theirs.Organisation())
	}
	if skip := c.Identity.Spec.Provider; skip != nil && skip.SkipDependencyResolution != nil && *skip.SkipDependencyResolution {
		return nil
	}
	switch {
	case theirs.Digest != "":
		return conflict("is installed by a digest, which satisfies no dependency on a version, and %s has one. To do: name a version in that Provider, or set provider.skipDependencyResolution: true", p.Repository)
	case ours.Digest != "":
		return nil
	case theirs.Major() != "" && ours.Major() != "" && theirs.Major() != ours.Major():
		return conflict("is of another major version than %s. To do: choose a version v%s.x in provider.version, or move the family first, with provider-aws-iam and provider-aws-eks (docs/upgrade.md)", p.Source, theirs.Major())
	case ours.Pinned() && theirs.Full() && !theirs.SameVersion(ours):
		return conflict("has another version than %s, and packages of that registry ask for a family of exactly their own. To do: set provider.version to %s, or move the family first, with provider-aws-iam and provider-aws-eks (docs/upgrade.md)", p.Source, theirs.Version)
	}
	return nil
}

// fitsMembers waits indefinitely if Providers of another owner bring a family of another registry than the composed one.
func (c *Context) fitsMembers(f identity.Package) *Wait {
	if c.View.Input.Preview {
		return nil
	}
	items, answer := c.providerItems()
	if answer != view.Yes {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for Providers that " + f.Repository + " must be compatible with"}
	}
	ours := identity.ParseSource(f.Source)
	o := c.firstForeign(items, func(o view.Object) bool {
		theirs := identity.ParseSource(packageOf(o))
		return isMember(packageOf(o)) && theirs.Known() && !theirs.SameOrganisation(ours) && !o.Value("spec", "skipDependencyResolution").GetBoolValue()
	})
	if !o.Exists() {
		return c.monolith(items, f)
	}
	return &Wait{
		Reason: v1alpha1.ReasonConflict, Subject: "Provider " + o.Name(),
		Message: fmt.Sprintf("of package %s depends on the family of its own registry, and two families have the same kinds. To do: set provider.registry to %s, or provider.family: Observe; or move the whole cluster (docs/upgrade.md)",
			packageOf(o), identity.ParseSource(packageOf(o)).Organisation()),
	}
}

// ours says whether a Provider is one that this composite resource composes.
func (c *Context) ours(o view.Object) bool {
	return c.mine(o) || c.observedAs(providerKind, o.Name()) != ""
}

func packageOf(o view.Object) string { return o.String("spec", "package") }

func isFamily(pkg string) bool { return lastSegment(pkg) == "provider-family-aws" }

func isMember(pkg string) bool { return strings.HasPrefix(lastSegment(pkg), "provider-aws-") }

// isMonolith says whether a package is Upbound's provider for all services. crossplane-contrib has a classic provider of the same name,
// with other kinds.
func isMonolith(pkg string) bool {
	return lastSegment(pkg) == "provider-aws" && identity.ParseSource(pkg).Parent() == "upbound"
}
