package main

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// advice before an installation lists existing objects, and the steps to take.
type advice struct {
	there, steps []string

	// blocked says that a problem has to be fixed before anything else.
	blocked bool
}

func (a *advice) problems() int {
	if a.blocked {
		return 1
	}
	return 0
}

func (a *advice) foundf(format string, args ...any) {
	a.there = append(a.there, fmt.Sprintf(format, args...))
}

func (a *advice) stepf(format string, args ...any) {
	a.steps = append(a.steps, fmt.Sprintf(format, args...))
}

// firstf gives a step that has to be done before the others are known.
func (a *advice) firstf(format string, args ...any) *advice {
	a.blocked = true
	a.steps = []string{fmt.Sprintf(format, args...), "Run kubectl pod-identity look again."}
	return a
}

// An inventory lists the AWS providers of a cluster by the name of their package.
type inventory map[string][]unstructured.Unstructured

func (c *cluster) inventory() inventory {
	out := inventory{}
	for _, p := range c.awsProviders() {
		name := parsePackage(text(p, "spec", "package")).name
		out[name] = append(out[name], p)
	}
	return out
}

// look gives advice on a cluster before an installation.
func look(c *cluster) *advice {
	a := &advice{}
	if !c.crossplane {
		a.foundf("No Crossplane.")
		return a.firstf("Install Crossplane v1.19 or later: docs/quickstart.md, step 1.")
	}
	inv := c.inventory()
	a.list(c)
	for _, name := range sortedKeys(inv) {
		if len(inv[name]) > 1 {
			return a.firstf("Resolve this first: %s %s.", name, c.duplicate(inv[name]))
		}
	}
	if len(inv[monolithName]) > 0 {
		return a.firstf("Move from %s to the packages of the family first, without deleting managed resources: both install the same kinds. Upbound and Crossplane describe how.", inv[monolithName][0].GetName())
	}

	registry, version := inv.origin()
	a.family(inv)
	a.bootstrap(c, inv, registry, version)
	if registry != upboundRegistry {
		a.stepf("Set spec.provider.registry: %s in every PodIdentityProvider, or in the defaults of the function's configuration (docs/guardrails.md).", registry)
	}
	a.services(inv)
	a.stepf("Install: docs/quickstart.md, step 3.")
	return a
}

// list adds the existing Providers and ProviderConfigs.
func (a *advice) list(c *cluster) {
	for _, p := range c.awsProviders() {
		d := c.describe(p)
		a.foundf("Provider %s: %s, ServiceAccount %s, credentials: %s", d.name, d.source, orNone(d.serviceAccount), d.credentials)
	}
	if len(a.there) == 0 {
		a.foundf("Crossplane, and no AWS provider.")
	}
	for _, p := range c.providerConfigs {
		a.foundf("ProviderConfig %s: credentials from %s", p.GetName(), text(p, "spec", "credentials", "source"))
	}
	for _, p := range c.clusterProviderConfigs {
		a.foundf("ClusterProviderConfig %s: credentials from %s", p.GetName(), text(p, "spec", "credentials", "source"))
	}
}

// origin returns the registry and version of the existing providers. All others have to come from there, in the same version.
func (i inventory) origin() (registry, version string) {
	for _, name := range append([]string{familyName}, sortedKeys(i)...) {
		for _, p := range i[name] {
			ref := parsePackage(text(p, "spec", "package"))
			return ref.registry, ref.version
		}
	}
	return upboundRegistry, ""
}

// family says to keep the family of the providers: there must never be a second one.
func (a *advice) family(i inventory) {
	for _, p := range i[familyName] {
		a.stepf("Keep the family, Provider %s. Never apply another of %s: two stop the package manager.", p.GetName(), familyName)
	}
}

// bootstrap gives the steps for provider-aws-iam and provider-aws-eks.
func (a *advice) bootstrap(c *cluster, i inventory, registry, version string) {
	var missing []string
	for _, service := range []string{"iam", "eks"} {
		ps := i[servicePrefix+service]
		if len(ps) == 0 {
			missing = append(missing, servicePrefix+service)
			continue
		}
		a.existing(c, ps[0])
	}
	if len(missing) == 0 {
		a.stepf("Check that a ProviderConfig exists for them: default, or the one that spec.providerConfigRef will name. Its role needs the permissions of docs/bootstrap-policy.json.")
		return
	}
	how := "from " + registry
	if version != "" {
		how += " in version " + version + ", as the others here"
	}
	a.stepf("Give %s an identity, then install them %s: docs/bootstrap.md.", strings.Join(missing, " and "), how)
	if p, ok := named(c.providerConfigs, "default"); ok && text(p, "spec", "credentials", "source") != "PodIdentity" {
		a.stepf("Keep ProviderConfig default as it is: managed resources may use its credentials. Create that of the bootstrap under another name, and name it in spec.providerConfigRef: docs/bootstrap.md, step 3.")
	}
}

// existing gives the step for an existing provider of the bootstrap.
func (a *advice) existing(c *cluster, p unstructured.Unstructured) {
	d := c.describe(p)
	switch origin(d.credentials) {
	case originPodIdentity:
		a.stepf("Keep Provider %s: it has credentials from Pod Identity.", d.name)
	case originIRSA:
		a.stepf("Keep Provider %s: it has the role %s from IRSA, which works. That role needs the permissions of docs/bootstrap-policy.json.", d.name, orNone(d.role))
	case originStatic:
		a.stepf("Keep Provider %s: it has static keys. They work, and Pod Identity is safer: docs/bootstrap.md, for ServiceAccount %s.", d.name, orNone(d.serviceAccount))
	case originNone, originNoPod:
		if c.ownCredentials() {
			a.stepf("Keep Provider %s: its credentials come from a ProviderConfig.", d.name)
			return
		}
		a.stepf("Give Provider %s an identity: docs/bootstrap.md, for ServiceAccount %s, then restart its pod.", d.name, orNone(d.serviceAccount))
	}
}

// services lists those whose providers exist: a PodIdentityProvider does not install them again.
func (a *advice) services(i inventory) {
	var there []string
	for _, name := range sortedKeys(i) {
		s := (reference{name: name}).service()
		if s != "" && !slices.Contains([]string{"iam", "eks"}, s) {
			there = append(there, s)
		}
	}
	if len(there) > 0 {
		a.stepf("Providers of %s exist already. Give their services management: Observe, or move them: docs/migration.md.", strings.Join(there, ", "))
	}
}

func orNone(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
