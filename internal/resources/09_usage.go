package resources

import (
	"strings"

	usagev1beta1 "github.com/crossplane/crossplane/v2/apis/apiextensions/v1beta1"
	protectionv1beta1 "github.com/crossplane/crossplane/v2/apis/protection/v1beta1"
	"google.golang.org/protobuf/types/known/structpb"
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
	// namespacedUsageKind is for users in a namespace. The other kinds cannot name anything there.
	namespacedUsageKind = view.Kind{
		GroupVersionKind: protectionv1beta1.UsageGroupVersionKind, Plural: "usages",
		Package: "Crossplane v2",
	}
)

// Functions are not called for a composite resource that is being deleted: Kubernetes deletes everything at once. Usages
// turn that into an order. Each holds one object back for as long as another exists:
//
//	managed resources of users
//	  -> ProviderConfigs in namespaces, held by their own finalizer
//	  -> ProviderConfig              likewise, and by those in namespaces
//	     -> Provider
//	        -> DeploymentRuntimeConfig
//	        -> PodIdentityAssociation
//	           -> Role, Policy, RolePolicyAttachment
//
// AWS keeps the order among the last three. Each level costs half a minute: a Usage checks every 30 seconds whether the object that it
// waits for is deleted.
//
// And each Usage is written five times, which makes Crossplane reconcile the composite resource: a new one waits as long as no managed
// resource can depend on the object that it protects.

// Usages order the deletion of the other resources. None if the spec asks for no order.
func Usages(c *Context, rs []*Resource) []*Resource {
	if c.Identity.Teardown != v1alpha1.TeardownOrdered {
		return nil
	}
	byKey := make(map[string]*Resource, len(rs))
	var configs, inNamespaces []*Resource
	granted := map[string][]*Resource{}
	for _, r := range rs {
		byKey[r.Key] = r
		switch r.Kind {
		case ProviderConfigKind.GroupVersionKind, clusterProviderConfigKind.GroupVersionKind:
			configs = append(configs, r)
		case namespacedProviderConfigKind.GroupVersionKind:
			inNamespaces = append(inNamespaces, r)
		case roleKind.GroupVersionKind, policyKind.GroupVersionKind, attachmentKind.GroupVersionKind:
			granted[r.Service] = append(granted[r.Service], r)
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
	// ProviderConfigs in namespaces need what the ProviderConfig needs: it stays for as long as they do.
	for _, by := range inNamespaces {
		if of := byKey[providerConfigKey]; c.holdsFromNamespaces(of, by) {
			hold(of, by)
		}
	}
	if c.Identity.Tenant != nil {
		for _, r := range granted[""] {
			hold(r, configs...)
		}
		for _, r := range c.hostUsages(configs) {
			hold(r, configs...)
		}
		return c.covered(out)
	}
	for _, s := range c.Identity.Services {
		provider, association := byKey[providerKey(s)], byKey[associationKey(s)]
		hold(provider, configs...)
		hold(byKey[runtimeConfigKey(s)], provider)
		if provider != nil {
			hold(association, provider)
		} else {
			// The provider is not composed here.
			hold(association, configs...)
		}
		for _, r := range granted[s.Name] {
			hold(r, association)
		}
	}
	if family := byKey[familyKey]; family != nil {
		hold(family, configs...)
		// The kind of every ProviderConfig in the cluster is deleted with the family: it stays for as long as the IAM and EKS resources
		// have theirs.
		hold(family, &Resource{Key: bootstrapKey, Kind: ProviderConfigKind.GroupVersionKind, Name: c.Identity.BootstrapConfig})
	}
	return c.covered(out)
}

// holdsFromNamespaces says whether there can be a Usage in a namespace. If Crossplane has none, nothing waits for it: the condition
// says what that means. It asks only once there is something to hold for.
func (c *Context) holdsFromNamespaces(of, by *Resource) bool {
	return c.assumed() || !c.exists(by) || c.View.Observed(usageKey(of, by)).Exists() || c.View.Requirements.Kind(namespacedUsageKind) != view.No
}

// covered marks new Usages of objects that another Usage holds: one of an earlier version of the function, which still protects them.
func (c *Context) covered(usages []*Resource) []*Resource {
	holds := map[string][]*Resource{}
	for _, u := range usages {
		of, _, _ := usageEnds(u.Key)
		holds[of] = append(holds[of], u)
	}
	for of, us := range holds {
		// If several hold one object, each has its own reason.
		us[0].Covered = len(us) == 1 && !c.View.Observed(us[0].Key).Exists() && c.usageInForce(of)
	}
	return usages
}

// usageInForce says whether any observed Usage holds an object.
func (c *Context) usageInForce(of string) bool {
	for _, key := range c.View.ObservedWithPrefix("usage/" + of + "/by/") {
		if held, _, _ := usageEnds(key); held == of && usageReady(c.View.Observed(key)).Ready {
			return true
		}
	}
	return false
}

func usageKey(of, by *Resource) string { return "usage/" + of.Key + "/by/" + by.Key }

func (c *Context) usage(of, by *Resource) *Resource {
	key := usageKey(of, by)
	kind := c.usageKind(key, by)
	name := c.observedName(key, identity.ObjectName(c.View.XR.Name()+"-"+key))
	r := &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionTeardownProtected,
		Kind:      kind.GroupVersionKind,
		Name:      name,
		Wait:      c.protectable(key, kind, of, by),
		Build:     c.object(func() any { return usage(kind.GroupVersionKind, name, of, by) }),
		Ready:     usageReady,
	}
	if o := c.View.Observed(key); o.Exists() && (of.Name == "" || by.Name == "") {
		// Its object is deleted, and the name is no longer known.
		r.Build = func() (*structpb.Struct, error) { return asIs(o), nil }
		return r
	}
	if ns, config, ok := strings.Cut(by.Name, "/"); ok {
		r.Name = ns + "/" + name
		if r.Wait == nil {
			r.Wait = c.sole(key, kind, ns, name)
		}
		r.Build = c.object(func() any { return namespacedUsage(ns, name, of, by, config) })
	}
	return r
}

// sole waits indefinitely if another owner has a Usage of that name in a namespace: teams may write there.
func (c *Context) sole(key string, k view.Kind, namespace, name string) *Wait {
	if c.View.Input.Preview || c.View.Observed(key).Exists() {
		return nil
	}
	o, answer := c.View.Requirements.GetIn(k.GroupVersionKind, namespace, name)
	return c.foreign("Usage "+namespace+"/"+name, o, answer, "delete it")
}

// usageKind is the kind in the Input, unless the Usage exists already: another kind under the same key would be another object.
func (c *Context) usageKind(key string, by *Resource) view.Kind {
	if by.Kind == namespacedProviderConfigKind.GroupVersionKind {
		return namespacedUsageKind
	}
	asked := c.View.Input.UsageKind == v1beta1.UsageKindClusterUsage
	if o := c.View.Observed(key); o.Exists() {
		asked = o.Kind() == clusterUsageKind.Kind
	}
	if asked {
		return clusterUsageKind
	}
	return usageKind
}

// protectable waits until both ends of a Usage exist, as Crossplane can only refer to existing objects, and until it is worth its
// writes.
func (c *Context) protectable(key string, k view.Kind, of, by *Resource) *Wait {
	if c.View.Observed(key).Exists() {
		return nil
	}
	// The same for all, so that the condition does not change with each new object.
	later := &Wait{Reason: v1alpha1.ReasonWaiting, Message: "deletion protection is set up as soon as the providers are installed"}
	if k == namespacedUsageKind && !c.exists(by) && !c.View.Input.Preview {
		// On Crossplane v1 neither this object nor the kind ever exists.
		return later
	}
	if w := c.kind(k); w != nil || c.View.Input.Preview {
		return w
	}
	if c.exists(of) && c.exists(by) && c.depended(of) {
		return nil
	}
	return later
}

// depended says whether managed resources of users can soon depend on a resource: the package of the provider that they need is
// installed. Its kinds and its pod follow, so the Usage is in force before the pod manages anything. Other services, or checks, may fail
// meanwhile. If everything was protected before, new Usages are created at once.
func (c *Context) depended(of *Resource) bool {
	if c.View.XR.Condition(string(v1alpha1.ConditionTeardownProtected)).True() {
		return true
	}
	if c.Identity.Tenant != nil || of.Key == providerConfigKey {
		// They can as soon as the ProviderConfig exists, here or in a namespace.
		return true
	}
	if of.Key == familyKey {
		return installed(c.View.Observed(familyKey))
	}
	for _, s := range c.Identity.Services {
		switch {
		case s.Name != of.Service:
		case s.Managed:
			return installed(c.View.Observed(providerKey(s)))
		default:
			return c.View.Observed(associationKey(s)).Condition("Ready").True()
		}
	}
	return false
}

// installed says whether the kinds of a Provider's package exist, or soon will. A package that was deactivated is healthy, and its kinds
// stay.
func installed(o view.Object) bool {
	return o.Condition("Installed").True() || o.Condition("Healthy").True()
}

func (c *Context) exists(r *Resource) bool {
	if r.Seen.Exists() {
		return r.Name != ""
	}
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
			Of:             end(of),
			By:             new(end(by)),
			ReplayDeletion: replay(of),
		},
	}
}

// replay says whether Crossplane repeats a refused deletion as soon as it can: Kubernetes would only after a quarter of an hour. Not
// for objects that are not composed here: a user whose deletion was refused has to ask again, and loses nothing weeks later.
func replay(of *Resource) *bool {
	if of.Check() {
		return nil
	}
	return new(true)
}

func end(r *Resource) protectionv1beta1.Resource {
	apiVersion, kind := r.Kind.ToAPIVersionAndKind()
	return protectionv1beta1.Resource{APIVersion: apiVersion, Kind: kind, ResourceRef: &protectionv1beta1.ResourceRef{Name: r.Name}}
}

// namespacedUsage lets an object in a namespace hold a cluster-scoped one. Without an explicit namespace, however empty, Crossplane
// would look for the latter in the Usage's own, and hold nothing.
// https://github.com/crossplane/crossplane/blob/v2.4.2/internal/protection/usage/finder.go#L81
func namespacedUsage(namespace, name string, of, by *Resource, config string) *protectionv1beta1.Usage {
	ofVersion, ofKind := of.Kind.ToAPIVersionAndKind()
	byVersion, byKind := by.Kind.ToAPIVersionAndKind()
	return &protectionv1beta1.Usage{
		TypeMeta:   typeMeta(namespacedUsageKind.GroupVersionKind),
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: protectionv1beta1.UsageSpec{
			Of:             protectionv1beta1.NamespacedResource{APIVersion: ofVersion, Kind: ofKind, ResourceRef: &protectionv1beta1.NamespacedResourceRef{Name: of.Name, Namespace: new("")}},
			By:             &protectionv1beta1.Resource{APIVersion: byVersion, Kind: byKind, ResourceRef: &protectionv1beta1.ResourceRef{Name: config}},
			ReplayDeletion: replay(of),
		},
	}
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
