package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// pageSize limits the pages of a list: a cluster may have thousands of objects of a kind.
const pageSize = 500

// A cluster holds the objects of a cluster that the plugin looks at.
type cluster struct {
	// namespace that Crossplane runs in.
	namespace string

	// crossplane says whether Crossplane's package manager is installed.
	crossplane bool

	providers, revisions, runtimeConfigs, imageConfigs []unstructured.Unstructured
	providerConfigs, clusterProviderConfigs            []unstructured.Unstructured
	associations, serviceAccounts, agentSet            []unstructured.Unstructured
	// identities are PodIdentityProviders, and tenants PodIdentityTenants.
	identities, tenants []unstructured.Unstructured
	pods                []corev1.Pod

	// unread are existing kinds that the user may not list.
	unread []string
}

// A source is a kind to list. A kind that does not exist has no objects.
type source struct {
	resource  schema.GroupVersionResource
	namespace string
	selector  string
	into      *[]unstructured.Unstructured
	// optional kinds only improve the report, which says that they could not be read.
	optional bool
}

// read reads a cluster. It fails if it cannot list a kind that every report needs.
func read(ctx context.Context, client dynamic.Interface, namespace string) (*cluster, error) {
	c := &cluster{namespace: namespace, crossplane: true}
	gvr := func(group, version, resource string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Group: group, Version: version, Resource: resource}
	}
	var pods []unstructured.Unstructured
	sources := []source{
		{resource: gvr("pkg.crossplane.io", "v1", "providers"), into: &c.providers},
		{resource: gvr("pkg.crossplane.io", "v1", "providerrevisions"), into: &c.revisions},
		{resource: gvr("pkg.crossplane.io", "v1beta1", "deploymentruntimeconfigs"), into: &c.runtimeConfigs},
		{resource: gvr("", "v1", "pods"), namespace: namespace, selector: labelRevision, into: &pods},
		{resource: gvr("pkg.crossplane.io", "v1beta1", "imageconfigs"), into: &c.imageConfigs, optional: true},
		{resource: gvr("aws.upbound.io", "v1beta1", "providerconfigs"), into: &c.providerConfigs, optional: true},
		{resource: gvr("aws.m.upbound.io", "v1beta1", "clusterproviderconfigs"), into: &c.clusterProviderConfigs, optional: true},
		{resource: gvr("eks.aws.upbound.io", "v1beta1", "podidentityassociations"), into: &c.associations, optional: true},
		{resource: gvr("aws.podidentity.dev", "v1alpha1", "podidentityproviders"), into: &c.identities, optional: true},
		{resource: gvr("aws.podidentity.dev", "v1alpha1", "podidentitytenants"), into: &c.tenants, optional: true},
		{resource: gvr("", "v1", "serviceaccounts"), namespace: namespace, into: &c.serviceAccounts, optional: true},
		{resource: gvr("apps", "v1", "daemonsets"), namespace: "kube-system", into: &c.agentSet, optional: true},
	}
	for _, s := range sources {
		items, err := list(ctx, client, s)
		switch {
		case apierrors.IsNotFound(err):
			c.crossplane = c.crossplane && s.resource.Resource != "providers"
		case s.optional && (apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)):
			c.unread = append(c.unread, s.resource.GroupResource().String())
		case err != nil:
			return nil, fmt.Errorf("%s: %w", s.resource.GroupResource(), err)
		default:
			*s.into = items
		}
	}
	c.agentSet = slices.DeleteFunc(c.agentSet, func(o unstructured.Unstructured) bool { return o.GetName() != agentName })
	if err := c.addPods(pods); err != nil {
		return nil, err
	}
	return c, nil
}

// list returns all objects of a kind, sorted by name.
func list(ctx context.Context, client dynamic.Interface, s source) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	options := metav1.ListOptions{Limit: pageSize, LabelSelector: s.selector}
	for {
		page, err := client.Resource(s.resource).Namespace(s.namespace).List(ctx, options)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if options.Continue = page.GetContinue(); options.Continue == "" {
			break
		}
	}
	slices.SortFunc(out, func(a, b unstructured.Unstructured) int {
		return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
	})
	return out, nil
}

// addPods adds the pods that run, and leaves out those that have ended or are being deleted.
func (c *cluster) addPods(objects []unstructured.Unstructured) error {
	var errs []error
	for _, o := range objects {
		pod := corev1.Pod{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &pod); err != nil {
			errs = append(errs, fmt.Errorf("pod %s: %w", o.GetName(), err))
			continue
		}
		if pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
			c.pods = append(c.pods, pod)
		}
	}
	return errors.Join(errs...)
}

// text returns a text field of an object; empty if there is none.
func text(o unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(o.Object, path...)
	return s
}

// maps returns the items of a field that is a list of objects.
func maps(o unstructured.Unstructured, path ...string) []unstructured.Unstructured {
	items, _, _ := unstructured.NestedSlice(o.Object, path...)
	out := make([]unstructured.Unstructured, 0, len(items))
	for _, i := range items {
		if m, ok := i.(map[string]any); ok {
			out = append(out, unstructured.Unstructured{Object: m})
		}
	}
	return out
}

// condition returns the status and the message of an object's condition.
func condition(o unstructured.Unstructured, kind string) (status, message string) {
	for _, c := range maps(o, "status", "conditions") {
		if text(c, "type") == kind {
			return text(c, "status"), text(c, "message")
		}
	}
	return "", ""
}

// reason returns the reason of a condition; empty if there is none.
func reason(o unstructured.Unstructured, kind string) string {
	for _, c := range maps(o, "status", "conditions") {
		if text(c, "type") == kind {
			return text(c, "reason")
		}
	}
	return ""
}

// named returns the object that has the name.
func named(objects []unstructured.Unstructured, name string) (unstructured.Unstructured, bool) {
	for _, o := range objects {
		if o.GetName() == name {
			return o, true
		}
	}
	return unstructured.Unstructured{}, false
}
