package resources

import (
	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	clusterv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/v1beta1"
	namespacedv1beta1 "github.com/upbound/provider-aws/v2/apis/namespaced/v1beta1"
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
		Plural:           "providerconfigs", Package: "provider-aws-iam, which brings provider-family-aws",
	}
	clusterProviderConfigKind = view.Kind{
		GroupVersionKind: schema.GroupVersionKind{Group: "aws.m.upbound.io", Version: "v1beta1", Kind: "ClusterProviderConfig"},
		Plural:           "clusterproviderconfigs", Package: "provider-family-aws v2 or later",
	}
)

// ProviderConfig is what managed resources refer to, whatever service they are of: each provider's pod has its own
// identity.
func ProviderConfig(c *Context) *Resource {
	return &Resource{
		Key:       providerConfigKey,
		Condition: v1alpha1.ConditionProviderConfigReady,
		Kind:      ProviderConfigKind.GroupVersionKind,
		Name:      c.Identity.ProviderConfig,
		Wait:      first(c.familyKind(), c.providerConfig(providerConfigKey, ProviderConfigKind)),
		Build: object(func() any {
			return &clusterv1beta1.ProviderConfig{
				TypeMeta:   typeMeta(ProviderConfigKind.GroupVersionKind),
				ObjectMeta: metav1.ObjectMeta{Name: c.Identity.ProviderConfig},
				Spec: clusterv1beta1.ProviderConfigSpec{
					Credentials:     clusterv1beta1.ProviderCredentials{Source: sourcePodIdentity},
					AssumeRoleChain: clusterChain(c.Identity.Spec.ProviderConfig),
					Endpoint:        clusterEndpoint(c.Identity.Partition),
				},
			}
		}),
		Ready: exists,
	}
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
		Build: object(func() any {
			return &namespacedv1beta1.ClusterProviderConfig{
				TypeMeta:   typeMeta(clusterProviderConfigKind.GroupVersionKind),
				ObjectMeta: metav1.ObjectMeta{Name: c.Identity.ProviderConfig},
				Spec:       namespacedSpec(c),
			}
		}),
		Ready: exists,
	}
}

// familyKind waits for the kind that every family has, and says what brings it here. Usually another provider's dependency
// did so long ago.
func (c *Context) familyKind() *Wait {
	w, k, p := c.kind(ProviderConfigKind), ProviderConfigKind, c.Identity.Spec.Provider
	switch {
	case w == nil:
		return nil
	case c.Identity.Family != nil:
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: w.Subject, Message: "waiting for Provider " + c.Identity.Family.Name + ", which brings it"}
	case p != nil && p.SkipDependencyResolution != nil && *p.SkipDependencyResolution:
		k.Package = "provider-family-aws: with provider.skipDependencyResolution no other provider brings it. Or set provider.family: Manage"
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
		AssumeRoleChain: namespacedChain(c.Identity.Spec.ProviderConfig),
		Endpoint:        namespacedEndpoint(c.Identity.Partition),
	}
}

// endpointAuto lets the provider find endpoints by itself, in the partition that is named with it. Without a partition it
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

func clusterChain(p *v1alpha1.ProviderConfig) []clusterv1beta1.AssumeRoleOptions {
	if p == nil {
		return nil
	}
	var out []clusterv1beta1.AssumeRoleOptions
	for _, r := range p.AssumeRoleChain {
		o := clusterv1beta1.AssumeRoleOptions{RoleARN: new(r.RoleARN), ExternalID: optional(r.ExternalID), TransitiveTagKeys: r.TransitiveTagKeys}
		for _, t := range r.Tags {
			o.Tags = append(o.Tags, clusterv1beta1.Tag{Key: new(t.Key), Value: new(t.Value)})
		}
		out = append(out, o)
	}
	return out
}

// namespacedChain is clusterChain in the types of the other API group.
func namespacedChain(p *v1alpha1.ProviderConfig) []namespacedv1beta1.AssumeRoleOptions {
	var out []namespacedv1beta1.AssumeRoleOptions
	for _, r := range clusterChain(p) {
		o := namespacedv1beta1.AssumeRoleOptions{RoleARN: r.RoleARN, ExternalID: r.ExternalID, TransitiveTagKeys: r.TransitiveTagKeys}
		for _, t := range r.Tags {
			o.Tags = append(o.Tags, namespacedv1beta1.Tag(t))
		}
		out = append(out, o)
	}
	return out
}
