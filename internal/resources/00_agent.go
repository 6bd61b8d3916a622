package resources

import (
	"fmt"

	eksv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/eks/v1beta1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

const (
	agentKey = identity.AgentKey

	// agentAddon is the name of the add-on in EKS.
	agentAddon = "eks-pod-identity-agent"
)

//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	addonKind = view.Kind{GroupVersionKind: eksv1beta1.Addon_GroupVersionKind, Plural: "addons", Package: "provider-aws-eks"}
	// namespacedAddonKind is the same add-on as a managed resource in a namespace.
	namespacedAddonKind = view.Kind{GroupVersionKind: schema.GroupVersionKind{Group: "eks.aws.m.upbound.io", Version: "v1beta1", Kind: "Addon"}, Plural: "addons"}
)

// Agent is the EKS add-on that hands credentials to pods. Nil unless the spec asks for it.
//
// The add-on belongs to the whole cluster: without it, all pods lose their credentials. So it stays in EKS even if the composite
// resource is deleted. A provider silently adopts an existing add-on, as it should.
//
// Nothing waits for it: a pod gets its environment from EKS, and credentials as soon as there is an agent.
func Agent(c *Context) *Resource {
	if !c.Identity.Agent {
		return nil
	}
	name := identity.ObjectName(agentAddon + "-" + c.Identity.Cluster + "-" + c.Identity.Region)
	return &Resource{
		Key:       agentKey,
		Condition: v1alpha1.ConditionIdentityReady,
		Kind:      addonKind.GroupVersionKind,
		Name:      c.observedName(agentKey, name),
		Wait:      c.agent(name),
		Build: c.object(func() any {
			return &eksv1beta1.Addon{
				TypeMeta:   typeMeta(addonKind.GroupVersionKind),
				ObjectMeta: c.meta(name, ""),
				Spec: eksv1beta1.AddonSpec{
					ResourceSpec: orphaned(c.resourceSpec()),
					ForProvider: eksv1beta1.AddonParameters{
						Region:       &c.Identity.Region,
						ClusterName:  &c.Identity.Cluster,
						AddonName:    new(agentAddon),
						AddonVersion: optional(c.Identity.Spec.PodIdentityAgent.Version),
						Tags:         c.tags(),
					},
				},
			}
		}),
		Ready: c.managedReady,
	}
}

// agent waits for the prerequisites of the add-on, and indefinitely if another managed resource is for the same add-on.
func (c *Context) agent(name string) *Wait {
	if w := first(c.kind(addonKind), c.cluster()); w != nil || c.View.Input.Preview || c.View.Observed(agentKey).Exists() {
		return w
	}
	if c.Identity.AgentUnknown {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Message: "checking whether the cluster runs in Auto Mode, which includes the agent"}
	}
	looking := &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other managed resources of add-on " + agentAddon}
	kinds := []view.Kind{addonKind}
	switch c.View.Requirements.Kind(namespacedAddonKind) {
	case view.Unanswered:
		return looking
	case view.Yes:
		kinds = append(kinds, namespacedAddonKind)
	case view.No:
	}
	for _, k := range kinds {
		items, answer := c.View.Requirements.List(k.GroupVersionKind, nil)
		if answer != view.Yes {
			return looking
		}
		if other := c.firstOther(items, agentKey, addonKind.GroupVersionKind, name, c.isAgent); other.Exists() {
			return &Wait{
				Reason: v1alpha1.ReasonConflict, Subject: "Addon " + fullName(other),
				Message: fmt.Sprintf("is for add-on %s of this cluster and %s: set podIdentityAgent.management: None", agentAddon, ownerOf(other)),
			}
		}
	}
	return nil
}

// isAgent says whether a managed resource is for the add-on of the cluster.
func (c *Context) isAgent(o view.Object) bool {
	for field, want := range map[string]string{"addonName": agentAddon, "clusterName": c.Identity.Cluster, "region": c.Identity.Region} {
		if o.String("spec", "forProvider", field) != want {
			return false
		}
	}
	return true
}
