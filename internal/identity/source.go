package identity

import (
	"path"
	"strconv"
	"strings"
)

// A Source is a package as a Provider names it, split into its parts.
type Source struct {
	// Registry is the host; empty if the source names none and Crossplane's default applies.
	Registry string
	// Path of the repository in the registry.
	Path string
	// Version is the tag; empty if there is none.
	Version string
	// Digest sha256:...; empty if there is none. If there is one, Crossplane ignores the tag.
	Digest string
}

// ParseSource splits a package into its parts. It does not check them, as Crossplane does that.
func ParseSource(pkg string) Source {
	s := Source{}
	pkg, s.Digest, _ = strings.Cut(pkg, "@")
	if i := strings.LastIndex(pkg, ":"); i > strings.LastIndex(pkg, "/") {
		pkg, s.Version = pkg[:i], pkg[i+1:]
	}
	s.Path = pkg
	if host, rest, ok := strings.Cut(pkg, "/"); ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		s.Registry, s.Path = host, rest
	}
	return s
}

// Organisation is registry and path without the package.
func (s Source) Organisation() string { return path.Join(s.Registry, path.Dir(s.Path)) }

// Parent is the last part of the path before the package; empty if there is none.
func (s Source) Parent() string {
	if dir := path.Dir(s.Path); dir != "." {
		return path.Base(dir)
	}
	return ""
}

// SameOrganisation says whether Crossplane takes two packages for members of one family: same registry, same first part of the
// path. Only then may a provider read the ProviderConfigs that the family brings.
// https://github.com/crossplane/crossplane/blob/v2.3.4/internal/controller/rbac/provider/roles/reconciler.go (OrgDiffer)
func (s Source) SameOrganisation(o Source) bool {
	if s.Registry != "" && o.Registry != "" && s.Registry != o.Registry {
		return false
	}
	a, _, _ := strings.Cut(s.Path, "/")
	b, _, _ := strings.Cut(o.Path, "/")
	return a == b
}

// Major returns the major version; empty if the tag does not begin with a number.
func (s Source) Major() string {
	major, _, _ := strings.Cut(s.plain(), ".")
	if _, err := strconv.ParseUint(major, 10, 32); err != nil {
		return ""
	}
	return major
}

// Full says whether the version is a full one. A partial one, such as v2, does not show which version it is today.
func (s Source) Full() bool { return versionPattern.MatchString(s.Version) }

// SameVersion says whether two sources have the same version, with or without a v.
func (s Source) SameVersion(o Source) bool { return s.plain() == o.plain() }

func (s Source) plain() string { return strings.TrimPrefix(s.Version, "v") }

const (
	// upboundRegistry is where Upbound's own builds come from.
	upboundRegistry = "xpkg.upbound.io"
	// contribRegistry and contribOrganisation are where the community's builds come from.
	contribRegistry     = "xpkg.crossplane.io"
	contribOrganisation = contribRegistry + "/crossplane-contrib"
	// pinnedMajor and pinnedMinor are the first version whose packages there are known to ask for exactly their own version of the
	// family. Those of crossplane-contrib's registry take any.
	pinnedMajor, pinnedMinor = 2, 4
)

// Known says whether the package comes from a registry whose packages depend on a family of the same registry.
func (s Source) Known() bool { return s.Registry == upboundRegistry || s.Registry == contribRegistry }

// Pinned says whether the package asks for exactly its own version of the family.
func (s Source) Pinned() bool {
	if s.Registry != upboundRegistry || s.Digest != "" || !s.Full() {
		return false
	}
	major, rest, _ := strings.Cut(s.plain(), ".")
	minor, _, _ := strings.Cut(rest, ".")
	return number(major) > pinnedMajor || number(major) == pinnedMajor && number(minor) >= pinnedMinor
}

// number parses digits; 0 if there are none.
func number(digits string) uint64 {
	n, _ := strconv.ParseUint(digits, 10, 32)
	return n
}

// Repository is registry and path.
func (s Source) Repository() string { return path.Join(s.Registry, s.Path) }
