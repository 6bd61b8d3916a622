package resources

import (
	pkgv1 "github.com/crossplane/crossplane/v2/apis/pkg/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

const familyKey = "family"

// Family installs provider-family-aws, which brings the ProviderConfig. Nil unless the spec asks for it: usually
// Crossplane installs it as a dependency.
func Family(c *Context) *Resource {
	f := c.Identity.Family
	if f == nil {
		return nil
	}
	return &Resource{
		Key:       familyKey,
		Condition: v1alpha1.ConditionProvidersReady,
		Kind:      providerKind,
		Name:      c.observedName(familyKey, f.Name),
		Wait:      c.noOther(familyKey, *f, "set provider.family: Observe"),
		Build: c.object(func() any {
			return &pkgv1.Provider{
				TypeMeta:   typeMeta(providerKind),
				ObjectMeta: metav1.ObjectMeta{Name: f.Name},
				Spec:       pkgv1.ProviderSpec{PackageSpec: packageSpec(f.Source, c.Identity.Spec.Provider)},
			}
		}),
		Ready: c.providerReady(familyKey, *f),
	}
}

// family waits until a composed family is installed. Else a service's provider would bring a second one as its dependency.
func (c *Context) family() *Wait {
	if c.Identity.Family == nil || c.View.Input.Preview || c.View.Observed(familyKey).Condition("Installed").True() {
		return nil
	}
	return &Wait{Reason: v1alpha1.ReasonWaiting, Message: "waiting for Provider " + c.Identity.Family.Name + " to be installed"}
}
