package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// soon is how long before the end of anonymous pulls the report mentions it.
const soon = 90 * 24 * time.Hour

// A finding is something to know, or to act on.
type finding struct {
	// problem findings make the exit code 1.
	problem bool
	// about names the object.
	about string
	// says what is wrong, and what to do.
	says string
}

// A report on a cluster.
type report struct {
	providers []providerReport
	findings  []finding
}

func (r *report) problemf(about, format string, args ...any) {
	r.findings = append(r.findings, finding{problem: true, about: about, says: fmt.Sprintf(format, args...)})
}

func (r *report) notef(about, format string, args ...any) {
	r.findings = append(r.findings, finding{about: about, says: fmt.Sprintf(format, args...)})
}

// problems counts the findings that are problems.
func (r *report) problems() int {
	return len(slices.DeleteFunc(slices.Clone(r.findings), func(f finding) bool { return !f.problem }))
}

// diagnose reports on a cluster.
func diagnose(c *cluster, now time.Time) *report {
	r := &report{}
	if !c.crossplane {
		r.problemf("Crossplane", "is not installed. To do: install it, then follow docs/bootstrap.md")
		return r
	}
	accounts := map[string][]string{}
	for _, p := range c.awsProviders() {
		d := c.describe(p)
		r.providers = append(r.providers, d)
		r.provider(c, p, d, now)
		if d.serviceAccount != "" {
			accounts[d.serviceAccount] = append(accounts[d.serviceAccount], d.name)
		}
	}
	if len(r.providers) == 0 {
		r.notef("Providers", "there is no AWS provider. kubectl pod-identity look says how to begin")
	}
	r.shared(accounts)
	r.duplicates(c)
	r.imageConfigs(c)
	r.identities(c)
	r.agent(c)
	for _, kind := range c.unread {
		r.notef(kind, "you may not list them, so they are not checked")
	}
	return r
}

// awaitingActivation is why a healthy provider has no pods on Crossplane v2.4 or later.
const awaitingActivation = "AwaitingActivation"

// provider reports what is wrong with a provider.
func (r *report) provider(c *cluster, p unstructured.Unstructured, d providerReport, now time.Time) {
	about := "Provider " + p.GetName()
	ref := parsePackage(d.source)
	for _, kind := range []string{"Installed", "Healthy"} {
		if status, message := condition(p, kind); status != "True" {
			r.problemf(about, "is not %s: %s", strings.ToLower(kind), cmp.Or(message, "Crossplane has not said why yet. To do: kubectl describe provider.pkg.crossplane.io "+p.GetName()))
			break
		}
	}
	switch {
	case reason(p, "Healthy") == awaitingActivation:
		r.problemf(about, "has no pods, because none of its kinds is active. To do: name those that you use in a ManagedResourceActivationPolicy, as manifests/activation-policy.yaml does")
	case ref.name != familyName:
		r.credentials(c, about, d, c.podsOf(p))
	}
	until, known := anonymousUntil(ref)
	switch {
	case !known || until.Sub(now) > soon:
	case until.After(now):
		r.notef(about, "anyone can pull %s from %s until %s at least, then only subscribers. To do: upgrade, or change to %s before", ref.version, upboundRegistry, until.Format(time.DateOnly), contribRegistry)
	default:
		r.problemf(about, "%s is older than the %d months for which %s serves everyone: a new node may not be able to pull it. To do: upgrade, or change to %s", ref.version, anonymousMonths, upboundRegistry, contribRegistry)
	}
}

// credentials checks that each pod of a provider has credentials, and those of its association if it has one.
func (r *report) credentials(c *cluster, about string, d providerReport, pods []corev1.Pod) {
	associated := d.association != ""
	for _, pod := range pods {
		from := originOf(pod)
		switch {
		case from == originNone && associated:
			r.problemf(about, "pod %s has no credentials, although association %s exists: the pod is older. To do: kubectl delete pod %s -n %s", pod.Name, d.association, pod.Name, c.namespace)
		case from == originNone && !c.ownCredentials():
			r.problemf(about, "pod %s has no credentials: it uses the role of its node, if that has one. To do: create an association for ServiceAccount %s, then kubectl delete pod %s -n %s", pod.Name, pod.Spec.ServiceAccountName, pod.Name, c.namespace)
		case from != originPodIdentity && from != originNone && associated:
			r.problemf(about, "pod %s uses %s, which the AWS SDK prefers to association %s. To do: remove them from the DeploymentRuntimeConfig and the ServiceAccount's annotations, then kubectl delete pod %s -n %s", pod.Name, from, d.association, pod.Name, c.namespace)
		}
	}
	if len(pods) == 0 {
		r.notef(about, "has no pod in namespace %s, so its credentials are unknown", c.namespace)
	}
}

// shared reports shared ServiceAccounts: an association is for all pods of a ServiceAccount.
func (r *report) shared(accounts map[string][]string) {
	for _, account := range sortedKeys(accounts) {
		if names := accounts[account]; len(names) > 1 {
			r.problemf("ServiceAccount "+account, "is shared by the Providers %s: they share one role, and Crossplane may delete the ServiceAccount of all with one of them. To do: give each its own in its DeploymentRuntimeConfig", strings.Join(names, ", "))
		}
	}
}

// duplicates reports Providers of one package, from one registry or two: they bring the same kinds.
func (r *report) duplicates(c *cluster) {
	byName := map[string][]unstructured.Unstructured{}
	for _, p := range c.awsProviders() {
		ref := parsePackage(text(p, "spec", "package"))
		byName[ref.name] = append(byName[ref.name], p)
	}
	for _, name := range sortedKeys(byName) {
		if ps := byName[name]; len(ps) > 1 {
			r.problemf(name, "%s", c.duplicate(ps))
		}
	}
	if len(byName[monolithName]) > 0 && len(byName) > 1 {
		r.problemf(monolithName, "installs the kinds of all services, and so do the packages of the family. To do: keep one of the two; docs/migration.md")
	}
}

// duplicate says which of several Providers to keep: the one that owns the CRDs. Deleting that one deletes the CRDs, with all their
// objects.
func (c *cluster) duplicate(ps []unstructured.Unstructured) string {
	var owner string
	names := make([]string, 0, len(ps))
	for _, p := range ps {
		names = append(names, p.GetName())
		if c.ownsKinds(p) {
			owner = p.GetName()
		}
	}
	what := fmt.Sprintf("is installed %d times: Providers %s. Crossplane's package manager stops for all packages", len(ps), strings.Join(names, ", "))
	if owner == "" {
		return what + ". To do: keep the one whose revision is healthy and owns the CRDs, and delete the others: kubectl get providerrevisions.pkg.crossplane.io"
	}
	others := slices.DeleteFunc(names, func(n string) bool { return n == owner })
	return fmt.Sprintf("%s. To do: keep %s, which owns the CRDs and with them all objects, and run kubectl delete provider.pkg.crossplane.io %s", what, owner, strings.Join(others, " "))
}

// imageConfigs reports those that change a Provider's package or pods.
func (r *report) imageConfigs(c *cluster) {
	for _, image := range c.imageConfigs {
		about := "ImageConfig " + image.GetName()
		for _, p := range c.awsProviders() {
			if !matches(image, text(p, "spec", "package")) {
				continue
			}
			if prefix := text(image, "spec", "rewriteImage", "prefix"); prefix != "" {
				r.notef(about, "Provider %s is pulled from %s", p.GetName(), prefix)
			}
			r.runtime(c, about, image, p)
		}
	}
}

// runtime reports a runtime that an ImageConfig gives a Provider in place of its own.
func (r *report) runtime(c *cluster, about string, image, p unstructured.Unstructured) {
	name := text(image, "spec", "runtime", "configRef", "name")
	own := text(p, "spec", "runtimeConfigRef", "name")
	if name == "" || name == own {
		return
	}
	theirs, _ := named(c.runtimeConfigs, name)
	mine, ok := named(c.runtimeConfigs, own)
	account := func(o unstructured.Unstructured) string {
		return text(o, "spec", "serviceAccountTemplate", "metadata", "name")
	}
	if ok && account(mine) != account(theirs) {
		r.problemf(about, "Provider %s runs with DeploymentRuntimeConfig %s in place of its own %s, and so with another ServiceAccount. To do: narrow spec.matchImages", p.GetName(), name, own)
		return
	}
	r.notef(about, "Provider %s runs with DeploymentRuntimeConfig %s", p.GetName(), name)
}

// matches says whether an ImageConfig is for a package.
func matches(image unstructured.Unstructured, source string) bool {
	return slices.ContainsFunc(maps(image, "spec", "matchImages"), func(m unstructured.Unstructured) bool {
		return strings.HasPrefix(source, text(m, "prefix"))
	})
}

// identities reports PodIdentityProviders and tenants that are not ready, with their own reasons.
func (r *report) identities(c *cluster) {
	for _, o := range slices.Concat(c.identities, c.tenants) {
		if status, _ := condition(o, "Ready"); status == "True" {
			continue
		}
		about := o.GetKind() + " " + o.GetName()
		if claim := o.GetLabels()["crossplane.io/claim-name"]; claim != "" {
			about += ", of claim " + o.GetLabels()["crossplane.io/claim-namespace"] + "/" + claim
		}
		// Right after a change the summary can still be that of a moment ago.
		if s := text(o, "status", "summary"); s != "" && s != "Ready" {
			r.problemf(about, "is not ready: %s", s)
			continue
		}
		var waiting []string
		for _, s := range maps(o, "status", "services") {
			if phase := text(s, "phase"); phase != "Ready" {
				waiting = append(waiting, strings.TrimSuffix(fmt.Sprintf("%s is %s: %s", text(s, "name"), phase, text(s, "message")), ": "))
			}
		}
		r.problemf(about, "is not ready: %s", cmp.Or(strings.Join(waiting, "; "), "see its conditions: kubectl describe "+strings.ToLower(o.GetKind())+" "+o.GetName()))
	}
}

// agent checks the agent that hands credentials to the pods. EKS Auto Mode has it built in, without a DaemonSet.
func (r *report) agent(c *cluster) {
	for _, d := range c.agentSet {
		wanted, _, _ := unstructured.NestedInt64(d.Object, "status", "desiredNumberScheduled")
		ready, _, _ := unstructured.NestedInt64(d.Object, "status", "numberReady")
		if ready < wanted {
			r.problemf("DaemonSet kube-system/"+agentName, "%d of %d pods are ready: providers on the other nodes get no credentials. To do: kubectl describe pods -n kube-system -l app.kubernetes.io/name=%s", ready, wanted, agentName)
		}
	}
	if len(c.agentSet) == 0 && !slices.Contains(c.unread, "daemonsets.apps") {
		r.notef("DaemonSet kube-system/"+agentName, "does not exist. EKS Auto Mode does not need it. Elsewhere, install the add-on %s", agentName)
	}
}
