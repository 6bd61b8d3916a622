package resources

import (
	"cmp"
	"strings"

	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	clusterv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/v1beta1"
	namespacedv1beta1 "github.com/upbound/provider-aws/v2/apis/namespaced/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

const (
	providerConfigKey        = identity.ProviderConfigKey
	clusterProviderConfigKey = "clusterproviderconfig"

	// sourcePodIdentity makes a provider use the credentials that EKS gives its pod.
	sourcePodIdentity = xpv1.CredentialsSource("PodIdentity")

	providerConfigWayOut = "choose another name with providerConfig.name"
)

//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	// ProviderConfigKind is the kind of the ProviderConfig that is always composed.
	ProviderConfigKind = view.Kind{
		GroupVersionKind: schema.GroupVersionKind{Group: "aws.upbound.io", Version: "v1beta1", Kind: "ProviderConfig"},
		Plural:           "providerconfigs", Package: "provider-aws-iam, which installs provider-family-aws",
	}
	clusterProviderConfigKind = view.Kind{
		GroupVersionKind: schema.GroupVersionKind{Group: "aws.m.upbound.io", Version: "v1beta1", Kind: "ClusterProviderConfig"},
		Plural:           "clusterproviderconfigs", Package: "provider-family-aws v2 or later",
	}
	namespacedProviderConfigKind = view.Kind{
		GroupVersionKind: schema.GroupVersionKind{Group: "aws.m.upbound.io", Version: "v1beta1", Kind: "ProviderConfig"},
		Plural:           "providerconfigs", Package: "provider-family-aws v2 or later",
	}
)

// ProviderConfig is the one that managed resources of all services refer to: each provider's pod has its own identity.
func ProviderConfig(c *Context) *Resource {
	return &Resource{
		Key:       providerConfigKey,
		Condition: v1alpha1.ConditionProviderConfigReady,
		Kind:      ProviderConfigKind.GroupVersionKind,
		Name:      c.Identity.ProviderConfig,
		Wait:      first(c.familyKind(), c.providerConfig(providerConfigKey, ProviderConfigKind), c.leads()),
		Build: c.object(func() any {
			return &clusterv1beta1.ProviderConfig{
				TypeMeta:   typeMeta(ProviderConfigKind.GroupVersionKind),
				ObjectMeta: c.configMeta(),
				Spec: clusterv1beta1.ProviderConfigSpec{
					Credentials:     clusterv1beta1.ProviderCredentials{Source: sourcePodIdentity},
					AssumeRoleChain: clusterChain(c.chain()),
					Endpoint:        clusterEndpoint(c.partition()),
				},
			}
		}),
		Ready: exists,
	}
}

// configMeta is the metadata of the ProviderConfig. That of a tenant lets the host find it.
func (c *Context) configMeta() metav1.ObjectMeta {
	m := metav1.ObjectMeta{Name: c.Identity.ProviderConfig}
	if t := c.Identity.Tenant; t != nil {
		services := make([]string, 0, len(c.Identity.Services))
		for _, s := range c.Identity.Services {
			services = append(services, s.Name)
		}
		m.Labels = map[string]string{LabelHost: hostLabel(t.Host.Name)}
		m.Annotations = map[string]string{AnnotationServices: strings.Join(services, ",")}
	}
	return m
}

// ClusterProviderConfig is the same for namespaced managed resources. Nil unless the spec asks for it.
func ClusterProviderConfig(c *Context) *Resource {
	spec := c.Identity.Spec.ProviderConfig
	if spec == nil || spec.ClusterProviderConfig == nil || !*spec.ClusterProviderConfig {
		return nil
	}
	return &Resource{
		Key:       clusterProviderConfigKey,
		Condition: v1alpha1.ConditionProviderConfigReady,
		Kind:      clusterProviderConfigKind.GroupVersionKind,
		Name:      c.observedName(clusterProviderConfigKey, c.Identity.ProviderConfig),
		Wait:      c.providerConfig(clusterProviderConfigKey, clusterProviderConfigKind),
		Build: c.object(func() any {
			return &namespacedv1beta1.ClusterProviderConfig{
				TypeMeta:   typeMeta(clusterProviderConfigKind.GroupVersionKind),
				ObjectMeta: metav1.ObjectMeta{Name: c.Identity.ProviderConfig},
				Spec:       namespacedSpec(c),
			}
		}),
		Ready: exists,
	}
}

// NamespacedProviderConfigs are the same for managed resources of one namespace each. None unless the spec asks for them.
func NamespacedProviderConfigs(c *Context) []*Resource {
	rs := make([]*Resource, 0, len(c.Identity.ConfigNamespaces))
	for _, ns := range c.Identity.ConfigNamespaces {
		key := providerConfigKey + "/" + ns
		if !c.inNamespace(key) {
			continue
		}
		name := c.observedName(key, c.namespacedConfig())
		rs = append(rs, &Resource{
			Key:       key,
			Condition: v1alpha1.ConditionProviderConfigReady,
			Kind:      namespacedProviderConfigKind.GroupVersionKind,
			Name:      ns + "/" + name,
			Wait:      first(c.namespaced(key, ns, name), c.leads()),
			Build: c.object(func() any {
				return &namespacedv1beta1.ProviderConfig{
					TypeMeta:   typeMeta(namespacedProviderConfigKind.GroupVersionKind),
					ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
					Spec:       namespacedSpec(c),
				}
			}),
			Ready: exists,
		})
	}
	return rs
}

// namespacedConfig is the name of ProviderConfigs in namespaces.
func (c *Context) namespacedConfig() string {
	if t := c.Identity.Tenant; t != nil {
		return t.NamespacedConfig
	}
	return c.Identity.ProviderConfig
}

// partition is the partition of the roles that the ProviderConfigs lead to.
func (c *Context) partition() string {
	if c.Identity.Tenant == nil || c.Identity.Partition != "" {
		return c.Identity.Partition
	}
	return cmp.Or(iam.ARNPartition(c.tenantARN()), iam.DefaultPartition)
}

// namespaced waits for everything that an object in a namespace needs. If anything is missing, Crossplane could not apply anything else
// either.
func (c *Context) namespaced(key, namespace, name string) *Wait {
	if c.View.Observed(key).Exists() || c.View.Input.Preview {
		return nil
	}
	for _, wait := range []func() *Wait{
		c.namespacesRecorded,
		func() *Wait { return c.kind(namespacedProviderConfigKind) },
		func() *Wait {
			if c.Identity.Tenant != nil {
				// The claim proves that it exists.
				return nil
			}
			return c.namespaceExists(namespace)
		},
	} {
		if w := wait(); w != nil {
			return w
		}
	}
	o, answer := c.View.Requirements.GetIn(namespacedProviderConfigKind.GroupVersionKind, namespace, name)
	return c.foreign("ProviderConfig "+namespace+"/"+name, o, answer, providerConfigWayOut)
}

// namespacesRecorded waits indefinitely if Crossplane does not record the namespaces of composed resources. Crossplane v1 does not: it
// would not find them again, and never again reconcile the composite resource.
func (c *Context) namespacesRecorded() *Wait {
	xr := c.View.XR
	kind := view.Kind{GroupVersionKind: schema.FromAPIVersionAndKind(xr.APIVersion(), xr.Kind()), Plural: strings.ToLower(xr.Kind()) + "s"}
	switch c.View.Requirements.HasField(kind, "spec", "resourceRefs", "[]", "namespace") {
	case view.Yes:
		return nil
	case view.Unanswered:
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: kind.CRD(), Message: "checking whether Crossplane can compose objects in namespaces"}
	case view.No:
	}
	return &Wait{
		Reason: v1alpha1.ReasonMissing, Subject: "providerConfig.namespaces",
		Message: "Crossplane v1 cannot compose objects in namespaces: take the field out, or upgrade to v2",
	}
}

// serviceAccount is one that every namespace has: it proves that a namespace exists. Crossplane may read ServiceAccounts in every
// namespace, but not namespaces.
const serviceAccount = "default"

func (c *Context) namespaceExists(name string) *Wait {
	w := &Wait{Reason: v1alpha1.ReasonMissing, Subject: "Namespace " + name, Message: "missing, create it, or take it out of providerConfig.namespaces"}
	o, answer := c.View.Requirements.GetIn(corev1.SchemeGroupVersion.WithKind("ServiceAccount"), name, serviceAccount)
	switch {
	case answer == view.Unanswered:
		w.Reason, w.Message = v1alpha1.ReasonWaiting, "checking whether it exists"
	case answer == view.Yes && !o.Deleted():
		return nil
	}
	return w
}

// familyKind waits for the kind that every family has, and says which package brings it. Usually another provider's dependency did so
// long ago.
func (c *Context) familyKind() *Wait {
	w, k, p := c.kind(ProviderConfigKind), ProviderConfigKind, c.Identity.Spec.Provider
	switch {
	case w == nil:
		return nil
	case c.Identity.Family != nil:
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: w.Subject, Message: "waiting for Provider " + c.Identity.Family.Name + ", which installs it"}
	case p != nil && p.SkipDependencyResolution != nil && *p.SkipDependencyResolution:
		k.Package = "provider-family-aws: with provider.skipDependencyResolution no other provider installs it. Or set provider.family: Manage"
		return c.kind(k)
	}
	return w
}

func (c *Context) providerConfig(key string, k view.Kind) *Wait {
	if w := c.kind(k); w != nil {
		return w
	}
	return c.unowned(key, k.GroupVersionKind, c.Identity.ProviderConfig, providerConfigWayOut)
}

func namespacedSpec(c *Context) namespacedv1beta1.ProviderConfigSpec {
	return namespacedv1beta1.ProviderConfigSpec{
		Credentials:     namespacedv1beta1.ProviderCredentials{Source: sourcePodIdentity},
		AssumeRoleChain: namespacedChain(c.chain()),
		Endpoint:        namespacedEndpoint(c.partition()),
	}
}

// endpointAuto lets the provider find endpoints on its own, in the partition that is named with it. Without a partition it
// would look for global services such as IAM in the commercial one.
const endpointAuto = "Auto"

func clusterEndpoint(partition string) *clusterv1beta1.EndpointConfig {
	if partition == iam.DefaultPartition {
		return nil
	}
	return &clusterv1beta1.EndpointConfig{URL: clusterv1beta1.URLConfig{Type: endpointAuto}, PartitionID: &partition}
}

func namespacedEndpoint(partition string) *namespacedv1beta1.EndpointConfig {
	if partition == iam.DefaultPartition {
		return nil
	}
	return &namespacedv1beta1.EndpointConfig{URL: namespacedv1beta1.URLConfig{Type: endpointAuto}, PartitionID: &partition}
}

func clusterChain(chain []v1alpha1.AssumeRole) []clusterv1beta1.AssumeRoleOptions {
	var out []clusterv1beta1.AssumeRoleOptions
	for _, r := range chain {
		o := clusterv1beta1.AssumeRoleOptions{RoleARN: new(r.RoleARN), ExternalID: optional(r.ExternalID), TransitiveTagKeys: r.TransitiveTagKeys}
		for _, t := range r.Tags {
			o.Tags = append(o.Tags, clusterv1beta1.Tag{Key: new(t.Key), Value: new(t.Value)})
		}
		out = append(out, o)
	}
	return out
}

// namespacedChain is clusterChain in the types of the other API group.
func namespacedChain(chain []v1alpha1.AssumeRole) []namespacedv1beta1.AssumeRoleOptions {
	var out []namespacedv1beta1.AssumeRoleOptions
	for _, r := range clusterChain(chain) {
		o := namespacedv1beta1.AssumeRoleOptions{RoleARN: r.RoleARN, ExternalID: r.ExternalID, TransitiveTagKeys: r.TransitiveTagKeys}
		for _, t := range r.Tags {
			o.Tags = append(o.Tags, namespacedv1beta1.Tag(t))
		}
		out = append(out, o)
	}
	return out
}
