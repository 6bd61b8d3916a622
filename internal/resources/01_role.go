package resources

import (
	"cmp"
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
		Wait:      first(c.managed(key, roleKind, s.ObjectName), c.soleRole(key, s)),
		Build:     c.object(func() any { return role(c, s) }),
		Ready:     func(o view.Object) Readiness { return c.roleReady(o, s) },
	}
}

func roleKey(s *identity.Service) string { return identity.RoleKey(s.Name) }

// managed waits for the prerequisites of every IAM and EKS managed resource of a service.
func (c *Context) managed(key string, k view.Kind, name string) *Wait {
	w := first(c.kind(k), c.cluster())
	if w != nil {
		return w
	}
	way := "only one composite resource can give the service an identity in a cluster"
	if c.Identity.Tenant != nil {
		way = "choose another name for the claim"
	}
	return c.unowned(key, k.GroupVersionKind, name, way)
}

// soleRole waits indefinitely if another managed resource is for a role of that name in AWS.
func (c *Context) soleRole(key string, s *identity.Service) *Wait {
	if first(c.kind(roleKind), c.cluster()) != nil {
		return nil
	}
	return c.soleNamed(key, roleKind, s.ObjectName, s.RoleName)
}

func role(c *Context, s *identity.Service) *iamv1beta1.Role {
	o, wanted := c.View.Observed(roleKey(s)), c.wantedRole()
	r := &iamv1beta1.Role{
		TypeMeta:   typeMeta(roleKind.GroupVersionKind),
		ObjectMeta: c.roleMeta(s),
		Spec: iamv1beta1.RoleSpec{
			ResourceSpec: claimed(c.serviceSpec(s), c.roleBelongs(s)),
			ForProvider: iamv1beta1.RoleParameters{
				AssumeRolePolicy: &s.TrustPolicy,
				// Deletion must not depend on the order in which attachments are deleted.
				ForceDetachPolicies: new(true),
				Description:         given(o, "description", wanted.Description, ""),
				MaxSessionDuration:  given(o, "maxSessionDuration", wanted.sessionDuration(), defaultSessionDuration),
				Path:                kept(o, "path", s.Path, defaultPath),
				PermissionsBoundary: given(o, "permissionsBoundary", wanted.PermissionsBoundary, ""),
				Tags:                c.tags(),
			},
		},
	}
	if c.foreignRole(s) {
		r.Spec.ResourceSpec = orphaned(r.Spec.ResourceSpec)
	}
	return r
}

// defaultPath is AWS's default for a role or policy.
const defaultPath = "/"

// defaultSessionDuration is AWS's default for a role, in seconds.
const defaultSessionDuration = 3600.0

// wantedRole has the spec's settings for all roles.
type wantedRole struct{ v1alpha1.Role }

func (c *Context) wantedRole() wantedRole {
	if c.Identity.Spec.Role == nil {
		return wantedRole{}
	}
	return wantedRole{*c.Identity.Spec.Role}
}

// sessionDuration is the desired session duration; 0 for AWS's default.
func (r wantedRole) sessionDuration() float64 {
	if r.MaxSessionDuration == nil {
		return 0
	}
	return float64(*r.MaxSessionDuration)
}

// A provider silently adopts an existing role of the desired name, changes it, and deletes it with the managed resource. So it may only
// observe and create at first. Then the role's creation date decides: a role that existed before is older than the managed resource.

// roleSlack is how much older a role may look than the managed resource that made it.
const roleSlack = 5 * time.Minute

// olderRole says whether an observed role existed before its managed resource. Known is false if a date is missing.
func olderRole(o view.Object) (older, known bool) {
	made, err := time.Parse(time.RFC3339, o.String("status", "atProvider", "createDate"))
	object, oerr := time.Parse(time.RFC3339, o.String("metadata", "creationTimestamp"))
	if err != nil || oerr != nil {
		return false, false
	}
	// A managed resource that was restored from a backup is younger than the role that was made for it.
	if created, err := time.Parse(time.RFC3339, o.Annotation(annotationCreated)); err == nil && created.Before(object) {
		object = created
	}
	return made.Add(roleSlack).Before(object), true
}

// roleBelongs says who owns the role that has the name of a service's.
func (c *Context) roleBelongs(s *identity.Service) belonging {
	if s.ImportRole || c.View.Input.Preview {
		return ours
	}
	o := c.View.Observed(roleKey(s))
	switch older, known := olderRole(o); {
	case older:
		return strangers
	case known:
		return ours
	}
	return belongs(o)
}

// foreignRole says whether the role existed before and is not to be adopted: it must not be deleted. While that is not known, the
// earlier decision stays.
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

func (c *Context) roleReady(o view.Object, s *identity.Service) Readiness {
	r := c.managedReady(o)
	if older, _ := olderRole(o); r.Ready && older && !s.ImportRole {
		return c.existed(o, "a role of this name", "since "+o.String("status", "atProvider", "createDate"), "importRole: true for the service, or adoptExisting: true")
	}
	wanted := c.wantedRole()
	return asWanted(o, r,
		differsDocument(o, "assumeRolePolicy", s.TrustPolicy),
		differs(o, "permissionsBoundary", wanted.PermissionsBoundary),
		differs(o, "maxSessionDuration", cmp.Or(wanted.sessionDuration(), defaultSessionDuration)),
		differsText(o, "description", wanted.Description),
	)
}

// existed reports something that AWS had before, and that is not to be adopted.
func (c *Context) existed(o view.Object, what, evidence, adoptBy string) Readiness {
	message := what + " existed before (" + evidence + "). It stays as it is, and is not deleted with this object."
	if leftBehind(o) {
		message += " Its tags say that it was made for an earlier " + o.Kind() + " " + o.Name() + ", as of a cluster that was rebuilt, or for one in another cluster."
	}
	if c.Identity.Tenant != nil {
		return Readiness{Conflict: true, Message: message + " To do: delete it in AWS, or file the claim under another name"}
	}
	return Readiness{Conflict: true, Message: message + " To do: to adopt it, set " + adoptBy + "; else use another roleName: remove the service, wait until status.services no longer has it, and add it again with that name"}
}

// roleMeta is the metadata of a role. That of a tenant remembers the facts about the host.
func (c *Context) roleMeta(s *identity.Service) metav1.ObjectMeta {
	m := c.meta(s.ObjectName, s.RoleName)
	if t := c.Identity.Tenant; t != nil && t.Host.Facts() != "" {
		metav1.SetMetaDataAnnotation(&m, identity.AnnotationHost, t.Host.Facts())
	}
	return m
}

// meta is the metadata of a managed resource, with its name in AWS if the function chooses that.
func (c *Context) meta(name, awsName string) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Name: name}
	if awsName != "" {
		metav1.SetMetaDataAnnotation(&m, identity.AnnotationExternalName, awsName)
	}
	if c.Identity.Spec.ClusterName == "" && c.Identity.Tenant == nil {
		// Existing resources must stay the same even if the referenced Cluster can no longer be read.
		metav1.SetMetaDataAnnotation(&m, identity.AnnotationCluster, c.Identity.Cluster)
	}
	return m
}

// resourceSpec has the fields that all managed resources have in common. Their ProviderConfig is always named: without a name they
// would use one that a user might compose with this very function.
func (c *Context) resourceSpec() xpv1.ResourceSpec {
	spec := xpv1.ResourceSpec{ProviderConfigReference: &xpv1.Reference{Name: c.Identity.BootstrapConfig}, ManagementPolicies: manage}
	if ps := c.Identity.Spec.ManagementPolicies; len(ps) > 0 {
		spec.ManagementPolicies = make(xpv1.ManagementPolicies, len(ps))
		for i, p := range ps {
			spec.ManagementPolicies[i] = xpv1.ManagementAction(p)
		}
	}
	spec.DeletionPolicy = xpv1.DeletionPolicy(c.Identity.Spec.DeletionPolicy)
	if spec.DeletionPolicy == xpv1.DeletionOrphan {
		// A provider deletes if Delete is among the policies, regardless of deletionPolicy.
		return orphaned(spec)
	}
	return spec
}

// serviceSpec has the fields that the managed resources of a service have in common. The identity of a provider that creates identities
// stays in AWS: the provider needs it to delete anything.
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
