package main

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A providerReport says how an AWS provider runs.
type providerReport struct {
	name, source   string
	serviceAccount string
	role           string
	association    string
	credentials    string
}

// awsProviders are the Providers of the AWS family.
func (c *cluster) awsProviders() []unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(c.providers), func(p unstructured.Unstructured) bool {
		return !parsePackage(text(p, "spec", "package")).aws()
	})
}

// describe says how a provider runs.
func (c *cluster) describe(p unstructured.Unstructured) providerReport {
	d := providerReport{name: p.GetName(), source: text(p, "spec", "package"), serviceAccount: c.configuredAccount(p)}
	pods := c.podsOf(p)
	from := originNoPod
	if len(pods) > 0 {
		d.serviceAccount = pods[0].Spec.ServiceAccountName
		from = originOf(pods[0])
	}
	d.credentials = string(from)

	association, ok := c.association(d.serviceAccount)
	if ok {
		d.association = cmp.Or(text(association, "status", "atProvider", "associationId"), association.GetName())
		d.role = cmp.Or(text(association, "status", "atProvider", "roleArn"), text(association, "spec", "forProvider", "roleArn"))
	}
	if from == originIRSA {
		d.role = c.irsaRole(pods[0])
	}
	return d
}

// podsOf returns the pods of the provider's current revision.
func (c *cluster) podsOf(p unstructured.Unstructured) []corev1.Pod {
	var out []corev1.Pod
	revision := text(p, "status", "currentRevision")
	for _, pod := range c.pods {
		if revision != "" && pod.Labels[labelRevision] == revision {
			out = append(out, pod)
		}
	}
	return out
}

// runtimeConfig returns the name of a provider's DeploymentRuntimeConfig, and the object that names it: an ImageConfig comes first.
func (c *cluster) runtimeConfig(p unstructured.Unstructured) (name, namedBy string) {
	revision, _ := named(c.revisions, text(p, "status", "currentRevision"))
	for _, ref := range maps(revision, "status", "appliedImageConfigRefs") {
		if text(ref, "reason") != "ConfigureRuntime" {
			continue
		}
		if image, ok := named(c.imageConfigs, text(ref, "name")); ok {
			return text(image, "spec", "runtime", "configRef", "name"), "ImageConfig " + image.GetName()
		}
	}
	return cmp.Or(text(p, "spec", "runtimeConfigRef", "name"), "default"), "Provider " + p.GetName()
}

// configuredAccount is the ServiceAccount in a provider's configuration. By default it has the name of the revision.
func (c *cluster) configuredAccount(p unstructured.Unstructured) string {
	name, _ := c.runtimeConfig(p)
	config, _ := named(c.runtimeConfigs, name)
	return cmp.Or(text(config, "spec", "serviceAccountTemplate", "metadata", "name"), text(p, "status", "currentRevision"))
}

// association returns the association of a ServiceAccount, if Crossplane manages it.
func (c *cluster) association(serviceAccount string) (unstructured.Unstructured, bool) {
	for _, a := range c.associations {
		if text(a, "spec", "forProvider", "namespace") == c.namespace && text(a, "spec", "forProvider", "serviceAccount") == serviceAccount {
			return a, true
		}
	}
	return unstructured.Unstructured{}, false
}

// irsaRole returns the IRSA role of a pod.
func (c *cluster) irsaRole(pod corev1.Pod) string {
	if v := variable(pod, "AWS_ROLE_ARN"); v != nil && v.Value != "" {
		return v.Value
	}
	account, _ := named(c.serviceAccounts, pod.Spec.ServiceAccountName)
	return account.GetAnnotations()[annotationRole]
}

// ownCredentials says whether a ProviderConfig brings credentials that do not come from the pod, such as keys in a Secret.
func (c *cluster) ownCredentials() bool {
	for _, p := range slices.Concat(c.providerConfigs, c.clusterProviderConfigs) {
		switch text(p, "spec", "credentials", "source") {
		case "Secret", "Upbound", "Filesystem", "Environment":
			return true
		}
	}
	return false
}

// ownsKinds says whether a Provider's current revision is healthy and controls CRDs.
func (c *cluster) ownsKinds(p unstructured.Unstructured) bool {
	revision, ok := named(c.revisions, text(p, "status", "currentRevision"))
	if !ok {
		return false
	}
	healthy, _ := condition(revision, "Healthy")
	// Crossplane v2 says RevisionHealthy.
	v2, _ := condition(revision, "RevisionHealthy")
	return (healthy == "True" || v2 == "True") && len(maps(revision, "status", "objectRefs")) > 0
}
