package resources

import (
	usagev1beta1 "github.com/crossplane/crossplane/v2/apis/apiextensions/v1beta1"
	protectionv1beta1 "github.com/crossplane/crossplane/v2/apis/protection/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// bootstrapKey stands for the ProviderConfig that is not composed: the one that the IAM and EKS resources themselves use.
const bootstrapKey = "bootstrap"

//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	// usageKind is served by Crossplane v1 and v2.
	usageKind = view.Kind{
		GroupVersionKind: usagev1beta1.UsageGroupVersionKind, Plural: "usages",
		Package: "Crossplane v1.19 or later with Usages enabled, or set teardown: Unordered",
	}
	clusterUsageKind = view.Kind{
		GroupVersionKind: protectionv1beta1.ClusterUsageGroupVersionKind, Plural: "clusterusages",
		Package: "Crossplane v2 with Usages enabled, or take usageKind out of the Composition's Input",
	}
)

// Functions are not called for a composite resource that is being deleted: Kubernetes deletes everything at once. Usages
// turn that into an order. Each holds one object back for as long as another exists:
//
//	managed resources of users
//	  -> ProviderConfig              held by its own finalizer
//	     -> Provider
//	        -> DeploymentRuntimeConfig
//	        -> PodIdentityAssociation
//	           -> RolePolicyAttachment
//	              -> Role
//	                 -> Policy

// Usages order the deletion of the other resources. None if the spec wants no order.
func Usages(c *Context, rs []*Resource) []*Resource {
	if c.Identity.Teardown != v1alpha1.TeardownOrdered {
		return nil
	}
	byKey := make(map[string]*Resource, len(rs))
	var configs []*Resource
	attachments := map[string][]*Resource{}
	policies := map[string][]*Resource{}
	for _, r := range rs {
		byKey[r.Key] = r
		switch r.Kind {
		case ProviderConfigKind.GroupVersionKind, clusterProviderConfigKind.GroupVersionKind:
			configs = append(configs, r)
		case attachmentKind.GroupVersionKind:
			attachments[r.Service] = append(attachments[r.Service], r)
		case policyKind.GroupVersionKind:
			policies[r.Service] = append(policies[r.Service], r)
		}
	}
	var out []*Resource
	hold := func(of *Resource, by ...*Resource) {
		for _, b := range by {
			if of != nil && b != nil {
				out = append(out, c.usage(of, b))
			}
		}
	}
	for _, s := range c.Identity.Services {
		provider, association, role := byKey[providerKey(s)], byKey[associationKey(s)], byKey[roleKey(s)]
		hold(provider, configs...)
		hold(byKey[runtimeConfigKey(s)], provider)
		if provider != nil {
			hold(association, provider)
		} else {
			// The provider is somebody else's.
			hold(association, configs...)
		}
		for _, a := range attachments[s.Name] {
			hold(a, association)
			hold(role, a)
		}
		if len(attachments[s.Name]) == 0 {
			hold(role, association)
		}
		for _, p := range policies[s.Name] {
			hold(p, role)
		}
	}
	if family := byKey[familyKey]; family != nil {
		hold(family, configs...)
		// The kind of every ProviderConfig in the cluster goes with the family: it stays for as long as the IAM and EKS
		// resources have theirs.
		hold(family, &Resource{Key: bootstrapKey, Kind: ProviderConfigKind.GroupVersionKind, Name: c.Identity.BootstrapConfig})
	}
	return out
}

func usageKey(of, by *Resource) string { return "usage/" + of.Key + "/by/" + by.Key }

func (c *Context) usage(of, by *Resource) *Resource {
	key := usageKey(of, by)
	kind := c.usageKind(key)
	name := c.View.Observed(key).Name()
	if name == "" {
		name = identity.ObjectName(c.View.XR.Name() + "-" + key)
	}
	return &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionTeardownProtected,
		Kind:      kind.GroupVersionKind,
		Name:      name,
		Wait:      c.protectable(key, kind, of, by),
		Build:     c.object(func() any { return usage(kind.GroupVersionKind, name, of, by) }),
		Ready:     usageReady,
	}
}

// usageKind that the Input asks for, unless the Usage exists already: another kind under the same key would be another object.
func (c *Context) usageKind(key string) view.Kind {
	asked := c.View.Input.UsageKind == v1beta1.UsageKindClusterUsage
	if o := c.View.Observed(key); o.Exists() {
		asked = o.Kind() == clusterUsageKind.Kind
	}
	if asked {
		return clusterUsageKind
	}
	return usageKind
}

// protectable waits until both ends of a Usage exist: Crossplane can only refer to what is there.
func (c *Context) protectable(key string, k view.Kind, of, by *Resource) *Wait {
	if c.View.Observed(key).Exists() {
		return nil
	}
	if w := c.kind(k); w != nil || c.View.Input.Preview {
		return w
	}
	if c.exists(of) && c.exists(by) {
		return nil
	}
	// The same for all, so that the condition does not change with each that comes to exist.
	return &Wait{Reason: v1alpha1.ReasonWaiting, Message: "objects are held back from deletion as soon as they and what needs them exist"}
}

func (c *Context) exists(r *Resource) bool {
	if r.Key != bootstrapKey {
		return c.View.Observed(r.Key).Exists()
	}
	if c.kind(ProviderConfigKind) != nil {
		return false
	}
	_, answer := c.View.Requirements.Get(r.Kind, r.Name)
	return answer == view.Yes
}

func usage(gvk schema.GroupVersionKind, name string, of, by *Resource) *protectionv1beta1.ClusterUsage {
	// A Usage has the same fields.
	return &protectionv1beta1.ClusterUsage{
		TypeMeta:   typeMeta(gvk),
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: protectionv1beta1.ClusterUsageSpec{
			Of: end(of),
			By: new(end(by)),
			// Kubernetes tries again after a quarter of an hour at the latest, Crossplane at once.
			ReplayDeletion: new(true),
		},
	}
}

func end(r *Resource) protectionv1beta1.Resource {
	apiVersion, kind := r.Kind.ToAPIVersionAndKind()
	return protectionv1beta1.Resource{APIVersion: apiVersion, Kind: kind, ResourceRef: &protectionv1beta1.ResourceRef{Name: r.Name}}
}

func usageReady(o view.Object) Readiness {
	switch ready := o.Condition("Ready"); {
	case o.Deleted():
		return Readiness{Message: "being deleted"}
	case ready.True():
		return Readiness{Ready: true}
	case ready.False() && ready.Message != "":
		return Readiness{Message: "not ready: " + Quote(ready.Message)}
	}
	return Readiness{Message: "not in force yet"}
}
