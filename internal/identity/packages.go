package identity

import (
	"cmp"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	// versionPattern is a full semantic version or a digest. A floating tag such as v1 would be resolved once, and never again.
	versionPattern = regexp.MustCompile(`^(v?[0-9]+\.[0-9]+\.[0-9]+([-+.][0-9A-Za-z.+-]+)?|sha256:[0-9a-f]{64})$`)
	// repositoryPattern is a registry's host and at least one path segment, without a tag.
	repositoryPattern = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9-]+|:[0-9]+)(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$`)
)

const (
	versionHint    = "must be a full version such as v2.5.0, or a digest sha256:..."
	repositoryHint = "must be a registry with a path and no tag, such as xpkg.upbound.io/upbound"
)

// servicePackage is the provider package of a service.
func servicePackage(at *field.Path, p *v1alpha1.Provider, s *v1alpha1.Service) (Package, field.ErrorList) {
	registry, version := defaultRegistry, s.Version
	if p != nil {
		registry, version = cmp.Or(p.Registry, registry), cmp.Or(version, p.Version)
	}
	pkg := Package{Name: "provider-aws-" + s.Name, Repository: cmp.Or(s.Package, registry+"/provider-aws-"+s.Name)}
	pkg.Source = source(pkg.Repository, version)

	errs := field.ErrorList{}
	if s.Package != "" && !repositoryPattern.MatchString(s.Package) {
		errs = append(errs, field.Invalid(at.Child("package"), s.Package, repositoryHint))
	}
	if s.Version != "" && !versionPattern.MatchString(s.Version) {
		errs = append(errs, field.Invalid(at.Child("version"), s.Version, versionHint))
	}
	if version == "" && s.Management != v1alpha1.ServiceObserved {
		errs = append(errs, field.Required(at.Child("version"), "set it here, in spec.provider.version or in the defaults of the Composition's Input; it "+versionHint))
	}
	return pkg, errs
}

// family is the package of the provider family, under the name that Crossplane's dependency resolver gives it, so that
// there is never a second one: https://github.com/crossplane/crossplane/issues/7454.
func family(p *v1alpha1.Provider) *Package {
	repository := cmp.Or(p.Registry, defaultRegistry) + "/provider-family-aws"
	return &Package{Name: resolverName(repository), Repository: repository, Source: source(repository, p.Version)}
}

// resolverName is the repository without its registry as a DNS label.
func resolverName(repository string) string {
	_, path, _ := strings.Cut(repository, "/")
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, path)
	return strings.Trim(name[:min(len(name), 63)], "-")
}

func source(repository, version string) string {
	if strings.HasPrefix(version, "sha256:") {
		return repository + "@" + version
	}
	return repository + ":" + version
}
