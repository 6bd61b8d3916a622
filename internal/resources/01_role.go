package resources

import (
	"fmt"
	"time"

	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	iamv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/iam/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	roleKind       = view.Kind{GroupVersionKind: iamv1beta1.Role_GroupVersionKind, Plural: "roles", Package: "provider-aws-iam"}
	policyKind     = view.Kind{GroupVersionKind: iamv1beta1.Policy_GroupVersionKind, Plural: "policies", Package: "provider-aws-iam"}
	attachmentKind = view.Kind{GroupVersionKind: iamv1beta1.RolePolicyAttachment_GroupVersionKind, Plural: "rolepolicyattachments", Package: "provider-aws-iam"}
)

// Role is the IAM role of a service's provider. Nil if the service brings its own.
func Role(c *Context, s *identity.Service) *Resource {
	if s.RoleARN != "" {
		return nil
	}
	key := roleKey(s)
	return &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionIdentityReady,
		Kind:      roleKind.GroupVersionKind,
		Name:      c.observedName(key, s.ObjectName),
		Wait:      c.managed(key, roleKind, s),
		Build:     c.object(func() any { return role(c, s) }),
		Ready:     func(o view.Object) Readiness { return roleReady(o, s) },
	}
}

func roleKey(s *identity.Service) string { return identity.RoleKey(s.Name) }

// managed waits for what every IAM and EKS managed resource of a service does.
func (c *Context) managed(key string, k view.Kind, s *identity.Service) *Wait {
	w := first(c.kind(k), c.cluster())
	if w != nil {
		return w
	}
	return c.unowned(key, k.GroupVersionKind, s.ObjectName, "only one composite resource can give the service an identity in a cluster")
}

func role(c *Context, s *identity.Service) *iamv1beta1.Role {
	r := &iamv1beta1.Role{
		TypeMeta:   typeMeta(roleKind.GroupVersionKind),
		ObjectMeta: c.meta(s.ObjectName, s.RoleName),
		Spec: iamv1beta1.RoleSpec{
			ResourceSpec: c.serviceSpec(s),
			ForProvider: iamv1beta1.RoleParameters{
				AssumeRolePolicy: &s.TrustPolicy,
				// Deletion must not depend on the order in which attachments go.
				ForceDetachPolicies: new(true),
				Tags:                c.tags(),
			},
		},
	}
	if spec := c.Identity.Spec.Role; spec != nil {
		p := &r.Spec.ForProvider
		p.Description = optional(spec.Description)
		p.Path = optional(spec.Path)
		p.PermissionsBoundary = optional(spec.PermissionsBoundary)
		if spec.MaxSessionDuration != nil {
			p.MaxSessionDuration = new(float64(*spec.MaxSessionDuration))
		}
	}
	if c.foreignRole(s) {
		r.Spec.ResourceSpec = orphaned(r.Spec.ResourceSpec)
	}
	return r
}

// A provider takes over a role that has the wanted name already, without a word, and deletes it with the managed resource.
// Only its date tells: such a role is older than the managed resource.

// roleSlack is how much older a role may look than the managed resource that made it.
const roleSlack = 5 * time.Minute

// olderRole says whether an observed role existed before its managed resource. Known is false if nothing tells.
func olderRole(o view.Object) (older, known bool) {
	made, err := time.Parse(time.RFC3339, o.String("status", "atProvider", "createDate"))
	object, oerr := time.Parse(time.RFC3339, o.String("metadata", "creationTimestamp"))
	if err != nil || oerr != nil {
		return false, false
	}
	return made.Add(roleSlack).Before(object), true
}

// foreignRole says whether the role existed before and nobody said to take it over: it must not be deleted. While nothing
// tells, what was decided before stays.
func (c *Context) foreignRole(s *identity.Service) bool {
	if s.ImportRole {
		return false
	}
	o := c.View.Observed(roleKey(s))
	if older, known := olderRole(o); known {
		return older
	}
	return o.String("spec", "deletionPolicy") == string(xpv1.DeletionOrphan)
}

func roleReady(o view.Object, s *identity.Service) Readiness {
	r := managedResource(o)
	if older, _ := olderRole(o); r.Ready && older && !s.ImportRole {
		return Readiness{Conflict: true, Message: fmt.Sprintf("a role of this name existed before (since %s) and was taken over; it will not be deleted with this object. "+
			"To do: if that is right, set importRole: true for the service; else delete this object, and create it with another roleName", o.String("status", "atProvider", "createDate"))}
	}
	return r
}

// meta of a managed resource, with its name in AWS if the function chooses that.
func (c *Context) meta(name, awsName string) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Name: name}
	if awsName != "" {
		metav1.SetMetaDataAnnotation(&m, identity.AnnotationExternalName, awsName)
	}
	if c.Identity.Spec.ClusterName == "" {
		// What exists must stay the same even if the referenced Cluster can no longer be read.
		metav1.SetMetaDataAnnotation(&m, identity.AnnotationCluster, c.Identity.Cluster)
	}
	return m
}

// resourceSpec is what all managed resources have in common. The identity that they use is always named: without a name
// they would use one that a user might compose with this very function.
func (c *Context) resourceSpec() xpv1.ResourceSpec {
	spec := xpv1.ResourceSpec{ProviderConfigReference: &xpv1.Reference{Name: c.Identity.BootstrapConfig}}
	for _, p := range c.Identity.Spec.ManagementPolicies {
		spec.ManagementPolicies = append(spec.ManagementPolicies, xpv1.ManagementAction(p))
	}
	spec.DeletionPolicy = xpv1.DeletionPolicy(c.Identity.Spec.DeletionPolicy)
	return spec
}

// serviceSpec is what the managed resources of a service have in common. The identity of a provider that creates identities stays
// in AWS: what would delete it needs it.
func (c *Context) serviceSpec(s *identity.Service) xpv1.ResourceSpec {
	if s.Bootstrap {
		return orphaned(c.resourceSpec())
	}
	return c.resourceSpec()
}

func (c *Context) tags() map[string]*string {
	if len(c.Identity.Spec.Tags) == 0 {
		return nil
	}
	tags := make(map[string]*string, len(c.Identity.Spec.Tags))
	for k, v := range c.Identity.Spec.Tags {
		tags[k] = &v
	}
	return tags
}
