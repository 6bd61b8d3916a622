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

// Provider installs a service's provider package, once its pods will find credentials. Nil if somebody else installs it.
func Provider(c *Context, s *identity.Service) *Resource {
	if !s.Managed {
		return nil
	}
	key := providerKey(s)
	const wayOut = "set management: Observe for the service, or remove that Provider"
	stays := c.stays(key, s.Provider, wayOut)
	return &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionProvidersReady,
		Kind:      providerKind,
		Name:      c.observedName(key, s.Provider.Name),
		// A conflict is told at once, not when the association is ready.
		Wait: first(c.noOther(key, s.Provider, wayOut), flawed(s), c.family(), c.settled(s)),
		Build: c.object(func() any {
			p := provider(c, s)
			if stays != nil {
				p.Spec.Package = c.View.Observed(key).String("spec", "package")
			}
			return p
		}),
		Ready: func(o view.Object) Readiness {
			if stays != nil {
				return heldBack(stays)
			}
			return c.runs(key, s)(o)
		},
	}
}

func providerKey(s *identity.Service) string { return identity.ProviderKey(s.Name) }

func provider(c *Context, s *identity.Service) *pkgv1.Provider {
	apiVersion, kind := runtimeConfigKind.ToAPIVersionAndKind()
	return &pkgv1.Provider{
		TypeMeta:   typeMeta(providerKind),
		ObjectMeta: metav1.ObjectMeta{Name: s.Provider.Name},
		Spec: pkgv1.ProviderSpec{
			PackageSpec: packageSpec(s.Provider.Source, c.Identity.Spec.Provider),
			PackageRuntimeSpec: pkgv1.PackageRuntimeSpec{RuntimeConfigReference: &pkgv1.RuntimeConfigReference{
				APIVersion: &apiVersion, Kind: &kind, Name: c.observedName(runtimeConfigKey(s), s.Provider.Name),
			}},
		},
	}
}

// packageSpec passes on what the spec says of packages.
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
