package identity

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	// versionPattern is a full semantic version, a digest, or both. A floating tag such as v1 would be resolved once, and never again.
	// Registries do not allow tags with the + of a semantic version's build.
	versionPattern = regexp.MustCompile(`^(v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(@sha256:[0-9a-f]{64})?|sha256:[0-9a-f]{64})$`)
	// repositoryPattern is a registry's host and at least one path segment, without a tag.
	repositoryPattern = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9-]+|:[0-9]+)(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$`)
)

const (
	versionHint    = "must be a full version such as v2.5.0 without a +, a digest sha256:..., or both, such as v2.5.0@sha256:..."
	repositoryHint = "must be a registry with a path and no tag, such as xpkg.upbound.io/upbound or xpkg.crossplane.io/crossplane-contrib"
	packageHint    = "must be the repository of a provider with its registry and no tag, such as xpkg.upbound.io/upbound/provider-aws-s3"
)

// servicePackage returns the provider package of a service.
func servicePackage(at *field.Path, p *v1alpha1.Provider, s *v1alpha1.Service) (Package, field.ErrorList) {
	registry, version := defaultRegistry, s.Version
	if p != nil {
		registry, version = cmp.Or(p.Registry, registry), cmp.Or(version, p.Version)
	}
	pkg := Package{Name: "provider-aws-" + s.Name, Repository: cmp.Or(s.Package, registry+"/provider-aws-"+s.Name)}
	pkg.Source = source(pkg.Repository, version)

	errs := field.ErrorList{}
	if s.Package != "" && !isPackage(s.Package) {
		errs = append(errs, field.Invalid(at.Child("package"), s.Package, packageHint))
	}
	if s.Version != "" && !versionPattern.MatchString(s.Version) {
		errs = append(errs, field.Invalid(at.Child("version"), s.Version, versionHint))
	}
	if version == "" && s.Management != v1alpha1.ServiceObserved {
		errs = append(errs, field.Required(at.Child("version"), "set it here, in spec.provider.version or in the platform team's defaults; it "+versionHint))
	}
	return pkg, errs
}

// isPackage says whether a repository can be that of one provider: not a whole registry, nor the one for all services.
func isPackage(repository string) bool {
	if !repositoryPattern.MatchString(repository) {
		return false
	}
	last := path.Base(repository)
	alone := ParseSource(repository).Parent() == "" && !strings.HasPrefix(last, "provider-")
	return !alone && last != "provider-aws"
}

// validatePackages checks that packages fit together, as far as the spec alone shows.
func (id *Identity) validatePackages(v *view.View, at *field.Path) field.ErrorList {
	if id.skipsDependencies() {
		return id.validateDigests(at)
	}
	return append(append(id.validateDigests(at), id.validateFamily(v, at)...), id.validatePinned(at)...)
}

func (id *Identity) skipsDependencies() bool {
	return id.Spec.Provider != nil && isTrue(id.Spec.Provider.SkipDependencyResolution)
}

// validateDigests checks that no digest is that of several packages.
func (id *Identity) validateDigests(at *field.Path) field.ErrorList {
	errs := field.ErrorList{}
	var takers []string
	if id.Family != nil {
		takers = append(takers, "provider-family-aws")
	}
	seen := map[string]bool{}
	for i, s := range id.Services {
		digest := ParseSource(s.Provider.Source).Digest
		switch {
		case !s.Managed || digest == "":
		case id.Spec.Services[i].Version == "":
			takers = append(takers, s.Name)
			seen[digest] = true
		case seen[digest]:
			errs = append(errs, field.Invalid(at.Child("services").Index(i).Child("version"), id.Spec.Services[i].Version, "another service has this digest, and a digest is one package: give each service its own"))
		default:
			seen[digest] = true
		}
	}
	if p := id.Spec.Provider; p != nil && digestOf(p.Version) != "" && len(takers) > 1 {
		errs = append(errs, field.Invalid(at.Child("provider", "version"), p.Version, fmt.Sprintf("a digest is one package, and %s take it: set a version here, and a digest for each in services[].version", strings.Join(takers, ", "))))
	}
	return errs
}

// digestOf returns the digest of a version; empty if there is none.
func digestOf(version string) string {
	if _, digest, ok := strings.Cut(version, "@"); ok {
		return digest
	}
	if strings.HasPrefix(version, "sha256:") {
		return version
	}
	return ""
}

// validateFamily checks that packages that depend on a composed family can find it. An existing family stays as it is.
func (id *Identity) validateFamily(v *view.View, at *field.Path) field.ErrorList {
	if id.Family == nil || v.Observed(FamilyKey).Exists() {
		return nil
	}
	if digestOf(id.Spec.Provider.Version) != "" {
		return field.ErrorList{field.Invalid(at.Child("provider", "version"), id.Spec.Provider.Version, "a family that is installed by a digest satisfies no dependency on a version: set a version, or skipDependencyResolution: true")}
	}
	if !ParseSource(id.Family.Source).Known() {
		return field.ErrorList{field.Invalid(at.Child("provider", "registry"), id.Spec.Provider.Registry,
			"with family: Manage, copies of packages still depend on the family of the registry that they come from, and Crossplane would install that one, too: set provider.skipDependencyResolution: true; "+
				"or keep the first registry here, and let an ImageConfig rewrite it (spec.rewriteImage)")}
	}
	return nil
}

// validatePinned checks that packages that ask for exactly their own version of the family have one version.
func (id *Identity) validatePinned(at *field.Path) field.ErrorList {
	errs := field.ErrorList{}
	var one Source
	if id.Family != nil {
		one = pinned(id.Family.Source)
	}
	for i, s := range id.Services {
		p := pinned(s.Provider.Source)
		switch {
		case !s.Managed || p.Version == "":
		case one.Version == "":
			one = p
		case !one.SameVersion(p):
			errs = append(errs, field.Invalid(at.Child("services").Index(i).Child("version"), p.Version, fmt.Sprintf(
				"another package has %s, and packages of %s ask for a family of exactly their own version: set one version for all, or provider.registry: %s, whose packages take any", one.Version, upboundRegistry, contribOrganisation)))
		}
	}
	return errs
}

// pinned is a source that asks for exactly its own version of the family; the zero Source if it does not.
func pinned(source string) Source {
	if s := ParseSource(source); s.Pinned() {
		return s
	}
	return Source{}
}

// family is the package of the provider family, under the name that Crossplane's dependency resolver gives it, so that
// there is never a second one: https://github.com/crossplane/crossplane/issues/7454.
func family(p *v1alpha1.Provider) *Package {
	repository := cmp.Or(p.Registry, defaultRegistry) + "/provider-family-aws"
	return &Package{Name: resolverName(repository), Repository: repository, Source: source(repository, p.Version)}
}

// resolverName is the repository without its registry as a DNS label.
func resolverName(repository string) string {
	_, rest, _ := strings.Cut(repository, "/")
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, rest)
	return strings.Trim(name[:min(len(name), 63)], "-")
}

func source(repository, version string) string {
	if strings.HasPrefix(version, "sha256:") {
		return repository + "@" + version
	}
	return repository + ":" + version
}
