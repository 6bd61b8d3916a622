package resources

import (
	pkgv1 "github.com/crossplane/crossplane/v2/apis/pkg/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

//nolint:gochecknoglobals // A constant in all but the keyword.
var providerKind = pkgv1.ProviderGroupVersionKind

// Provider installs a service's provider package, once its pods will find credentials. Nil if another owner installs it.
func Provider(c *Context, s *identity.Service) *Resource {
	if !s.Managed {
		return nil
	}
	key := providerKey(s)
	stays := c.stays(key, s.Provider, waysOut(s))
	move := first(stays, c.move(key, s.Provider, func() *Wait { return c.fits(s.Provider) }, c.familyThere))
	return &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionProvidersReady,
		Kind:      providerKind,
		Name:      c.providerName(s),
		Wait:      c.installable(s),
		Build:     c.object(func() any { return provider(c, s, move) }),
		Ready: func(o view.Object) Readiness {
			if stays != nil {
				return heldBack(stays)
			}
			return moves(move, c.runs(key, s))(o)
		},
	}
}

// installable waits until a service's Provider may be created or adopted. A conflict is reported at once, not when the association is
// ready.
func (c *Context) installable(s *identity.Service) *Wait {
	key := providerKey(s)
	if c.View.Observed(key).Exists() {
		return nil
	}
	a := c.adoption(s)
	if a.wait == nil && !a.provider.Exists() {
		a.wait = first(c.noOther(key, s.Provider, waysOut(s)), c.fits(s.Provider))
	}
	return first(a.wait, flawed(s), c.family(), c.settled(s), c.configFirst(s, a))
}

func providerKey(s *identity.Service) string { return identity.ProviderKey(s.Name) }

func provider(c *Context, s *identity.Service, move *Wait) *pkgv1.Provider {
	apiVersion, kind := runtimeConfigKind.ToAPIVersionAndKind()
	source := c.source(providerKey(s), s.Provider, move)
	if a := c.adoption(s); a.provider.Exists() && !c.View.Observed(providerKey(s)).Exists() {
		// It changes to the desired version once the composite resource controls it.
		source = packageOf(a.provider)
	}
	return &pkgv1.Provider{
		TypeMeta:   typeMeta(providerKind),
		ObjectMeta: metav1.ObjectMeta{Name: c.providerName(s)},
		Spec: pkgv1.ProviderSpec{
			PackageSpec: packageSpec(source, c.Identity.Spec.Provider),
			PackageRuntimeSpec: pkgv1.PackageRuntimeSpec{RuntimeConfigReference: &pkgv1.RuntimeConfigReference{
				APIVersion: &apiVersion, Kind: &kind, Name: c.configName(s),
			}},
		},
	}
}

// packageSpec passes on the spec's settings for packages.
func packageSpec(source string, p *v1alpha1.Provider) pkgv1.PackageSpec {
	spec := pkgv1.PackageSpec{Package: source}
	if p == nil {
		return spec
	}
	for _, s := range p.PackagePullSecrets {
		spec.PackagePullSecrets = append(spec.PackagePullSecrets, corev1.LocalObjectReference{Name: s.Name})
	}
	spec.PackagePullPolicy = optional(corev1.PullPolicy(p.PackagePullPolicy))
	spec.RevisionActivationPolicy = optional(pkgv1.RevisionActivationPolicy(p.RevisionActivationPolicy))
	spec.RevisionHistoryLimit = p.RevisionHistoryLimit
	spec.SkipDependencyResolution = p.SkipDependencyResolution
	spec.IgnoreCrossplaneConstraints = p.IgnoreCrossplaneConstraints
	spec.CommonLabels = p.CommonLabels
	return spec
}
