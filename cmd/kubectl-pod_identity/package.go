package main

import (
	"path"
	"strconv"
	"strings"
	"time"
)

// Names of packages and registries.
const (
	familyName      = "provider-family-aws"
	monolithName    = "provider-aws"
	servicePrefix   = "provider-aws-"
	upboundRegistry = "xpkg.upbound.io/upbound"
	contribRegistry = "xpkg.crossplane.io/crossplane-contrib"
)

// A reference to a package.
type reference struct {
	// registry is everything before the last slash, name the last part of the repository, version its tag or digest.
	registry, name, version string
}

// parsePackage splits the source of a package.
func parsePackage(source string) reference {
	repository, version := source, ""
	if before, digest, ok := strings.Cut(source, "@"); ok {
		repository, version = before, digest
	}
	// A colon before the last slash belongs to the registry's port.
	if colon := strings.LastIndex(repository, ":"); colon > strings.LastIndex(repository, "/") {
		if version == "" {
			version = repository[colon+1:]
		}
		repository = repository[:colon]
	}
	return reference{registry: path.Dir(repository), name: path.Base(repository), version: version}
}

// aws says whether a package is of the AWS family, or the former provider for all services.
func (r reference) aws() bool {
	return r.name == familyName || r.name == monolithName || strings.HasPrefix(r.name, servicePrefix)
}

// service returns the service of a package; empty for the family and others.
func (r reference) service() string {
	service, ok := strings.CutPrefix(r.name, servicePrefix)
	if !ok {
		return ""
	}
	return service
}

// A release of provider-aws.
type release struct {
	version string
	date    time.Time
}

// releases lists releases of provider-aws with their dates, from the Go module proxy. A version between two of them is as old as the
// first at most.
//
//nolint:gochecknoglobals // A constant, if Go had such tables.
var releases = []release{
	{"v1.20.0", day(2025, time.January, 30)},
	{"v1.23.0", day(2025, time.June, 13)},
	{"v2.4.0", day(2026, time.January, 20)},
	{"v2.5.0", day(2026, time.March, 15)},
	{"v2.7.0", day(2026, time.August, 10)},
}

// anonymousMonths is how many months anyone can pull a main release from Upbound. The newest stays available.
const anonymousMonths = 12

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// anonymousUntil is the earliest day from which only subscribers can pull a package from Upbound's registry. It is not known for the
// newest release, which stays available, for versions newer than this program, for digests, and for other registries.
func anonymousUntil(r reference) (time.Time, bool) {
	if r.registry != upboundRegistry || !r.aws() || !older(r.version, releases[len(releases)-1].version) {
		return time.Time{}, false
	}
	date := releases[0].date
	for _, known := range releases {
		if !older(r.version, known.version) {
			date = known.date
		}
	}
	return date.AddDate(0, anonymousMonths, 0), true
}

// older compares two versions vX.Y.Z. Any other text is not older than anything.
func older(a, b string) bool {
	x, okX := numbers(a)
	y, okY := numbers(b)
	if !okX || !okY {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}

// numbers splits a version vX.Y.Z, without any suffix after a dash.
func numbers(s string) ([3]int, bool) {
	var out [3]int
	s, ok := strings.CutPrefix(s, "v")
	s, _, _ = strings.Cut(s, "-")
	parts := strings.Split(s, ".")
	if !ok || len(parts) != len(out) {
		return out, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			return out, false
		}
		out[i] = n
	}
	return out, true
}
