package resources

import (
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	iamv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/iam/v1beta1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Policies grant a service's provider its permissions. None if the service brings its own role.
func Policies(c *Context, s *identity.Service) []*Resource {
	rs := make([]*Resource, 0, len(s.Policies))
	for i := range s.Policies {
		rs = append(rs, policyResource(c, s, s.Policy(i)))
	}
	return rs
}

func policyResource(c *Context, s *identity.Service, p *identity.Policy) *Resource {
	key, name := p.Key(s), p.ObjectName(s)
	return &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionIdentityReady,
		Kind:      policyKind.GroupVersionKind,
		Name:      c.observedName(key, name),
		Wait:      first(c.managed(key, policyKind, name), c.solePolicy(key, name, p.NameInAWS(s))),
		Build:     c.object(func() any { return policy(c, s, p) }),
		Ready:     func(o view.Object) Readiness { return c.policyReady(o, s, p) },
	}
}

// solePolicy waits indefinitely if another managed resource is for a policy of that name in AWS.
func (c *Context) solePolicy(key, name, awsName string) *Wait {
	if first(c.kind(policyKind), c.cluster()) != nil {
		return nil
	}
	return c.soleNamed(key, policyKind, name, awsName)
}

func policy(c *Context, s *identity.Service, p *identity.Policy) *iamv1beta1.Policy {
	o := c.View.Observed(p.Key(s))
	return &iamv1beta1.Policy{
		TypeMeta:   typeMeta(policyKind.GroupVersionKind),
		ObjectMeta: c.meta(p.ObjectName(s), p.NameInAWS(s)),
		Spec: iamv1beta1.PolicySpec{
			ResourceSpec: claimed(c.serviceSpec(s), c.policyBelongs(s, p)),
			ForProvider: iamv1beta1.PolicyParameters{
				Policy:      &p.Document,
				Description: kept(o, "description", "", ""),
				Path:        kept(o, "path", c.policyPath(s), defaultPath),
				Tags:        c.tags(),
			},
		},
	}
}

// policyPath is the path of the role. A tenant's policies have none: only the path of its role is looked at.
func (c *Context) policyPath(s *identity.Service) string {
	if c.Identity.Tenant != nil {
		return ""
	}
	return s.Path
}

// A provider adopts an existing policy of the desired name, as it does with a role: so it may only observe and create at first. A
// provider does not report the date of a policy.

// policyBelongs says who owns the policy that has the name of a service's.
func (c *Context) policyBelongs(s *identity.Service, p *identity.Policy) belonging {
	o := c.View.Observed(p.Key(s))
	switch {
	case s.AdoptPolicies || c.View.Input.Preview || beyond(o, look) || created(o):
		return ours
	case c.strange(o, s, p) != "":
		return strangers
	}
	return belongs(o)
}

// strange is a sign that a policy was not made for its managed resource; empty if there is none.
func (c *Context) strange(o view.Object, s *identity.Service, p *identity.Policy) string {
	attachment := c.View.Observed(p.AttachmentKey(s))
	switch tags := o.Value("status", "atProvider", "tagsAll").GetStructValue(); {
	case differsDocument(o, "policy", o.String("spec", "forProvider", "policy")) != "":
		return "with other permissions"
	case tags != nil && tags.GetFields()[resource.ExternalResourceTagKeyName].GetStringValue() != o.Name():
		return "without the tags of this object"
	case o.Number("status", "atProvider", "attachmentCount") > 0 && !beyond(attachment, watch) && !managedResource(attachment).Ready:
		return "attached to a role already"
	}
	return ""
}

func (c *Context) policyReady(o view.Object, s *identity.Service, p *identity.Policy) Readiness {
	r := c.managedReady(o)
	if r.Ready && c.policyBelongs(s, p) == strangers {
		return c.existed(o, "a policy of this name", c.strange(o, s, p), "adoptExisting: true")
	}
	return asWanted(o, r, differsDocument(o, "policy", p.Document))
}
