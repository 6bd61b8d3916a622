package resources

import (
	"fmt"

	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	eksv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/eks/v1beta1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

//nolint:gochecknoglobals // A constant in all but the keyword.
var associationKind = view.Kind{GroupVersionKind: eksv1beta1.PodIdentityAssociation_GroupVersionKind, Plural: "podidentityassociations", Package: "provider-aws-eks"}

// Association gives pods of the service's ServiceAccount the credentials of its role. A composed role is referred to by
// name: the provider of the association waits for its ARN. A role of somebody else is given by value.
func Association(c *Context, s *identity.Service) *Resource {
	key := associationKey(s)
	return &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionIdentityReady,
		Kind:      associationKind.GroupVersionKind,
		Name:      c.observedName(key, s.ObjectName),
		Wait:      c.managed(key, associationKind, s),
		Build:     object(func() any { return association(c, s) }),
		Ready:     associationReady,
	}
}

func associationKey(s *identity.Service) string { return "association/" + s.Name }

func association(c *Context, s *identity.Service) *eksv1beta1.PodIdentityAssociation {
	a := &eksv1beta1.PodIdentityAssociation{
		TypeMeta:   typeMeta(associationKind.GroupVersionKind),
		ObjectMeta: c.meta(s.ObjectName, s.AssociationID),
		Spec: eksv1beta1.PodIdentityAssociationSpec{
			ResourceSpec: c.resourceSpec(),
			ForProvider: eksv1beta1.PodIdentityAssociationParameters_2{
				Region:         &c.Identity.Region,
				ClusterName:    &c.Identity.Cluster,
				Namespace:      &c.Identity.Namespace,
				ServiceAccount: &s.ServiceAccount,
				Tags:           c.tags(),
			},
		},
	}
	if s.RoleARN == "" {
		a.Spec.ForProvider.RoleArnRef = &xpv1.Reference{Name: c.observedName(roleKey(s), s.ObjectName)}
	} else {
		a.Spec.ForProvider.RoleArn = &s.RoleARN
	}
	return a
}

func associationReady(o view.Object) Readiness {
	r := managedResource(o)
	if r.Ready && associationID(o) == "" {
		return Readiness{Message: "no association id yet"}
	}
	return r
}

func associationID(o view.Object) string { return o.String("status", "atProvider", "associationId") }

// settled waits until the service's association is ready, and has been for a while: EKS hands out credentials for a new
// one only after some seconds, and a pod that starts earlier never gets any.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html
func (c *Context) settled(s *identity.Service) *Wait {
	if c.View.Input.Preview {
		return nil
	}
	o := c.View.Observed(associationKey(s))
	switch {
	case !o.Exists():
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider " + s.Provider.Name, Message: "waiting for the PodIdentityAssociation to be created"}
	case !associationReady(o).Ready:
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider " + s.Provider.Name, Message: fmt.Sprintf("waiting for PodIdentityAssociation %s to be ready", o.Name())}
	case c.View.Now.Sub(o.Condition("Ready").LastTransitionTime) < s.Settle:
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider " + s.Provider.Name, Message: fmt.Sprintf("waiting until PodIdentityAssociation %s has been ready for %s, so that EKS knows it everywhere", o.Name(), s.Settle)}
	}
	return nil
}

// digest of what the credentials of a service's pods depend on. Pods get and keep them from when they start, so a change
// must start new ones. All of it is taken from the one observed association. Empty while that does not know all.
func (c *Context) digest(s *identity.Service) string {
	o := c.View.Observed(associationKey(s))
	id, role := associationID(o), o.String("status", "atProvider", "roleArn")
	if id == "" || role == "" {
		return ""
	}
	target := o.String("status", "atProvider", "targetRoleArn")
	noTags := o.Value("status", "atProvider", "disableSessionTags").GetBoolValue()
	return iam.Hash(fmt.Sprintf("%s %s %s %t", id, role, target, noTags))
}
