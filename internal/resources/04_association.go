package resources

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	eksv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/eks/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

//nolint:gochecknoglobals // A constant in all but the keyword.
var associationKind = view.Kind{GroupVersionKind: eksv1beta1.PodIdentityAssociation_GroupVersionKind, Plural: "podidentityassociations", Package: "provider-aws-eks"}

// Association gives pods of the service's ServiceAccount the credentials of its role. A composed role is referred to by
// name: the provider of the association waits for its ARN. A role that is not composed is given by value.
func Association(c *Context, s *identity.Service) *Resource {
	key := associationKey(s)
	return &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionIdentityReady,
		Kind:      associationKind.GroupVersionKind,
		Name:      c.observedName(key, s.ObjectName),
		Wait:      first(c.managed(key, associationKind, s.ObjectName), c.soleAssociation(key, s), c.supported(s)),
		Build:     c.object(func() any { return association(c, s) }),
		Ready:     func(o view.Object) Readiness { return c.supportedReady(o, s) },
	}
}

// soleAssociation waits indefinitely if another association is for the service's ServiceAccount. It asks once the kind is proven and
// the cluster known.
func (c *Context) soleAssociation(key string, s *identity.Service) *Wait {
	if first(c.kind(associationKind), c.cluster()) != nil {
		return nil
	}
	return c.soleUser(key, associationKind.GroupVersionKind, s, c.associates(s))
}

func associationKey(s *identity.Service) string { return identity.AssociationKey(s.Name) }

func association(c *Context, s *identity.Service) *eksv1beta1.PodIdentityAssociation {
	a := &eksv1beta1.PodIdentityAssociation{
		TypeMeta:   typeMeta(associationKind.GroupVersionKind),
		ObjectMeta: c.associationMeta(s),
		Spec: eksv1beta1.PodIdentityAssociationSpec{
			ResourceSpec: c.serviceSpec(s),
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
	if c.supported(s) == nil {
		// A target role cannot be removed from an association; see targetStays.
		a.Spec.ForProvider.TargetRoleArn = optional(s.TargetRoleARN)
		a.Spec.ForProvider.DisableSessionTags = given(c.View.Observed(associationKey(s)), "disableSessionTags", s.DisableSessionTags, false)
	}
	return a
}

// associationMeta remembers that an association was imported: removing the id from the spec does not make it another association.
func (c *Context) associationMeta(s *identity.Service) metav1.ObjectMeta {
	name := c.associationName(s)
	m := c.meta(s.ObjectName, name)
	if name != "" {
		metav1.SetMetaDataAnnotation(&m, identity.AnnotationImported, name)
	}
	return m
}

// associationName is the id of an existing association: the one to import or, if it is to be adopted, the one that EKS has for the
// ServiceAccount, as the provider's own error names it. Once adopted it stays.
func (c *Context) associationName(s *identity.Service) string {
	if !s.AdoptAssociation {
		return s.AssociationID
	}
	o := c.View.Observed(associationKey(s))
	return cmp.Or(existingAssociation(o), o.Annotation(identity.AnnotationExternalName))
}

// existingAssociation is the id that EKS names when the ServiceAccount has an association already; empty if it does not say so.
func existingAssociation(o view.Object) string {
	for _, typ := range []string{"Synced", "LastAsyncOperation"} {
		if c := o.Condition(typ); c.False() {
			if m := associationExists.FindStringSubmatch(c.Message); m != nil {
				return m[1]
			}
		}
	}
	return ""
}

// supported waits indefinitely if the installed provider does not know fields that the service needs: provider-aws-eks before v2. An
// object with them could not be applied.
func (c *Context) supported(s *identity.Service) *Wait {
	if c.assumed() || c.Identity.Cluster == "" {
		return nil
	}
	for _, field := range newFields(s) {
		// An association that has the field proves that its kind does.
		if c.View.Observed(associationKey(s)).Value("spec", "forProvider", field) != nil {
			continue
		}
		if c.kind(associationKind) != nil {
			return c.kind(associationKind)
		}
		if c.View.Requirements.HasField(associationKind, "spec", "forProvider", field) != view.Yes && c.describes(associationKind, "clusterName") {
			return &Wait{Reason: v1alpha1.ReasonMissing, Subject: field, Message: "the installed provider-aws-eks does not know it, install v2 or later"}
		}
	}
	return nil
}

// describes says whether the schema of a kind has fields at all, by one that every version has. A schema without fields says nothing
// about others.
func (c *Context) describes(k view.Kind, field string) bool {
	return c.View.Requirements.HasField(k, "spec", "forProvider", field) != view.No
}

// newFields returns the fields that the service needs and provider-aws-eks has had since v2.
func newFields(s *identity.Service) []string {
	var out []string
	if s.TargetRoleARN != "" {
		out = append(out, "targetRoleArn")
	}
	if s.DisableSessionTags {
		out = append(out, "disableSessionTags")
	}
	return out
}

func (c *Context) supportedReady(o view.Object, s *identity.Service) Readiness {
	if w := c.supported(s); w != nil {
		return Readiness{Failed: true, Message: w.Subject + ": " + w.Message}
	}
	switch id := existingAssociation(o); {
	case id == "":
	case s.AdoptAssociation:
		return Readiness{Message: "adopting association " + id + ", which EKS has already"}
	case s.Bootstrap:
		return Readiness{Conflict: true, Message: fmt.Sprintf("the provider has its identity from association %s already, which was made elsewhere, as docs/bootstrap.md does: "+
			"take the service out, or set adoptExistingAssociation: true for it to have that association managed here", id)}
	}
	r := c.associationReady(o, s)
	if r.Ready || s.RoleARN != "" {
		return r
	}
	return r.follows("Role "+c.observedName(roleKey(s), s.ObjectName), c.roleReady(c.View.Observed(roleKey(s)), s))
}

// associationReady is ready when AWS has the association in its desired state.
func (c *Context) associationReady(o view.Object, s *identity.Service) Readiness {
	r := c.managedReady(o)
	switch {
	case r.Failed || r.ActionRequired:
		return r
	case s.TargetRoleARN == "" && targetInAWS(o) != "":
		return c.targetStays(o)
	case r.Ready && associationID(o) == "" && !c.wasReady(o):
		return Readiness{Message: "no association id yet"}
	}
	ds := []difference{differs(o, "disableSessionTags", s.DisableSessionTags)}
	if s.TargetRoleARN != "" {
		ds = append(ds, differs(o, "targetRoleArn", s.TargetRoleARN))
	}
	if role := cmp.Or(s.RoleARN, c.View.Observed(roleKey(s)).String("status", "atProvider", "arn")); role != "" {
		ds = append(ds, differs(o, "roleArn", role))
	}
	return asWanted(o, r, ds...)
}

// targetInAWS is the role that EKS assumes after the association's own; empty if there is none, or while it is not known.
func targetInAWS(o view.Object) string { return o.String("status", "atProvider", "targetRoleArn") }

// targetStays says how to remove a target role. To EKS, an update without one does not change it, and a provider cannot send an empty
// one.
func (c *Context) targetStays(o view.Object) Readiness {
	var first string
	if allows(c.resourceSpec().ManagementPolicies, xpv1.ManagementActionLateInitialize) {
		first = "leave LateInitialize (and *) out of spec.managementPolicies, which would bring it back; then "
	}
	if o.String("spec", "forProvider", "targetRoleArn") != "" {
		first += fmt.Sprintf(`kubectl patch %s %s --type json -p '[{"op":"remove","path":"/spec/forProvider/targetRoleArn"}]'; then `, resourceOf(o), o.Name())
	}
	return Readiness{Failed: true, Message: fmt.Sprintf("EKS still gives its pods the credentials of target role %s: an association keeps its target until it is deleted. "+
		"To do: delete it in EKS, and it is created again without one: %saws eks delete-pod-identity-association --region %s --cluster-name %s --association-id %s",
		targetInAWS(o), first, c.Identity.Region, c.Identity.Cluster, cmp.Or(associationID(o), "ID"))}
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
	switch other := c.othersIdentity(s); {
	case other != "":
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider " + s.Provider.Name, Message: "waiting for " + other + ", which is not known to be this object's own"}
	case !o.Exists():
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider " + s.Provider.Name, Message: "waiting for the PodIdentityAssociation to be created"}
	case !c.associationReady(o, s).Ready || associationID(o) == "":
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider " + s.Provider.Name, Message: fmt.Sprintf("waiting for PodIdentityAssociation %s to be ready", o.Name())}
	case c.View.Now.Sub(readySince(o)) < s.Settle:
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider " + s.Provider.Name, Message: fmt.Sprintf("waiting until PodIdentityAssociation %s has been ready for %s, so that EKS knows it everywhere", o.Name(), s.Settle)}
	}
	return nil
}

// othersIdentity names the role or policy of a service that AWS had before and that is not to be adopted: a provider must not run as
// it. Empty if there is none.
func (c *Context) othersIdentity(s *identity.Service) string {
	if s.RoleARN == "" && c.roleBelongs(s) == strangers {
		return "Role " + c.observedName(roleKey(s), s.ObjectName)
	}
	for i := range s.Policies {
		if p := s.Policy(i); c.policyBelongs(s, p) == strangers {
			return "Policy " + c.observedName(p.Key(s), p.ObjectName(s))
		}
	}
	return ""
}

// readySince is when an association became ready. If it was created again in AWS, Ready is False meanwhile, unless the provider's write
// of that got lost to a conflict: then the time of the creation counts.
func readySince(o view.Object) time.Time {
	since := o.Condition("Ready").LastTransitionTime()
	if created, err := time.Parse(time.RFC3339, o.Annotation(annotationCreated)); err == nil && created.After(since) {
		return created
	}
	return since
}

// digest identifies the settings that the credentials of a service's pods depend on. Pods keep the credentials that they start with, so
// a change must start new ones. All of it is taken from the one observed association. Empty while that does not report it, so that
// nothing restarts because something cannot be read.
func (c *Context) digest(s *identity.Service) string {
	o := c.View.Observed(associationKey(s))
	id, role := associationID(o), o.String("status", "atProvider", "roleArn")
	switch {
	case id == "":
		return ""
	case role == "":
		return c.digestOfID(id, s)
	}
	return iam.Hash(fmt.Sprintf("%s %s %s %t", id, role, targetInAWS(o), o.Value("status", "atProvider", "disableSessionTags").GetBoolValue()))
}

// digestOfID is the digest if a provider reports no more of an association than its id: then the desired settings count. It begins with
// the id, by which it is known. A digest of the settings in AWS is worth more, and stays.
func (c *Context) digestOfID(id string, s *identity.Service) string {
	if old := c.observedDigest(s); old != "" && !strings.Contains(old, "-") {
		return ""
	}
	return id + "-" + iam.Hash(fmt.Sprintf("%s %s %t", cmp.Or(s.RoleARN, s.RoleName), s.TargetRoleARN, s.DisableSessionTags))
}
