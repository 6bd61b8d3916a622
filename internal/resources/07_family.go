package resources

import (
	"fmt"

	pkgv1 "github.com/crossplane/crossplane/v2/apis/pkg/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

const familyKey = identity.FamilyKey

// Family installs provider-family-aws, which brings the ProviderConfig. Nil unless the spec asks for it: usually
// Crossplane installs it as a dependency.
func Family(c *Context) *Resource {
	f := c.Identity.Family
	if f == nil {
		return nil
	}
	fits := func() *Wait { return c.fitsMembers(*f) }
	move := c.move(familyKey, *f, fits)
	wait := c.noOther(familyKey, *f, func(view.Object) string { return "set provider.family: Observe" })
	if wait == nil && !c.View.Observed(familyKey).Exists() {
		wait = fits()
	}
	return &Resource{
		Key:       familyKey,
		Condition: v1alpha1.ConditionProvidersReady,
		Kind:      providerKind,
		Name:      c.observedName(familyKey, f.Name),
		Wait:      wait,
		Build: c.object(func() any {
			return &pkgv1.Provider{
				TypeMeta:   typeMeta(providerKind),
				ObjectMeta: metav1.ObjectMeta{Name: c.observedName(familyKey, f.Name)},
				Spec:       pkgv1.ProviderSpec{PackageSpec: packageSpec(c.source(familyKey, *f, move), c.Identity.Spec.Provider)},
			}
		}),
		Ready: moves(move, c.providerReady(familyKey, *f)),
	}
}

// family waits until a composed family is installed, in the desired version as far as it reports one. Otherwise a service's provider
// would bring a second one as its dependency.
func (c *Context) family() *Wait {
	f := c.Identity.Family
	if f == nil || c.View.Input.Preview {
		return nil
	}
	o := c.View.Observed(familyKey)
	if !o.Condition("Installed").True() {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: "waiting for Provider " + c.observedName(familyKey, f.Name) + " to be installed"}
	}
	if at := o.String("status", "currentIdentifier"); at != "" && at != f.Source {
		return c.familyMoves(*f)
	}
	return nil
}

// familyThere waits until a composed family is healthy in the desired version: it moves first, and the services follow, so that no
// service runs with a family that is older than itself.
func (c *Context) familyThere() *Wait {
	f := c.Identity.Family
	if f == nil || c.packageReady(f.Source)(c.View.Observed(familyKey)).Ready {
		return nil
	}
	return c.familyMoves(*f)
}

func (c *Context) familyMoves(f identity.Package) *Wait {
	return &Wait{Reason: v1alpha1.ReasonWaiting, Message: fmt.Sprintf("waiting for Provider %s to be healthy with %s", c.observedName(familyKey, f.Name), f.Source)}
}
