package resources

import (
	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	iamv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/iam/v1beta1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Attachments attach the composed policies, and those that exist already, to a service's role. None if the service brings
// its own role. They refer to role and policies by name, so that they need not wait for them.
func Attachments(c *Context, s *identity.Service) []*Resource {
	if s.RoleARN != "" {
		return nil
	}
	rs := make([]*Resource, 0, len(s.Policies)+len(s.ManagedPolicyARNs))
	for i := range s.Policies {
		rs = append(rs, policyAttachment(c, s, s.Policy(i)))
	}
	for _, arn := range s.ManagedPolicyARNs {
		// Named after the policy, so that removing one from the list changes no other.
		rs = append(rs, attachment(c, s, "attachment/"+s.Name+"/"+arn, identity.ObjectName(s.ObjectName+"-"+iam.Hash(arn)), nil, func(p *iamv1beta1.RolePolicyAttachmentParameters) {
			p.PolicyArn = &arn
		}))
	}
	return rs
}

// policyAttachment attaches a composed policy.
func policyAttachment(c *Context, s *identity.Service, p *identity.Policy) *Resource {
	return attachment(c, s, p.AttachmentKey(s), p.ObjectName(s), p, func(a *iamv1beta1.RolePolicyAttachmentParameters) {
		a.PolicyArnRef = &xpv1.Reference{Name: c.observedName(p.Key(s), p.ObjectName(s))}
	})
}

// attachment attaches a policy; p is nil if that is not composed.
func attachment(c *Context, s *identity.Service, key, name string, p *identity.Policy, policy func(*iamv1beta1.RolePolicyAttachmentParameters)) *Resource {
	return &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionIdentityReady,
		Kind:      attachmentKind.GroupVersionKind,
		Name:      c.observedName(key, name),
		Wait:      c.managed(key, attachmentKind, name),
		Build: c.object(func() any {
			a := &iamv1beta1.RolePolicyAttachment{
				TypeMeta:   typeMeta(attachmentKind.GroupVersionKind),
				ObjectMeta: c.meta(name, ""),
				Spec: iamv1beta1.RolePolicyAttachmentSpec{
					ResourceSpec: c.attached(key, s, p),
					ForProvider: iamv1beta1.RolePolicyAttachmentParameters{
						RoleRef: &xpv1.Reference{Name: c.observedName(roleKey(s), s.ObjectName)},
					},
				},
			}
			policy(&a.Spec.ForProvider)
			return a
		}),
		Ready: func(o view.Object) Readiness { return c.attachmentReady(o, s, p) },
	}
}

// attached is the spec of an attachment. That changes the role, so the provider only observes until role and policy are known to be
// ours.
func (c *Context) attached(key string, s *identity.Service, p *identity.Policy) xpv1.ResourceSpec {
	spec := c.serviceSpec(s)
	if beyond(c.View.Observed(key), watch) || c.roleBelongs(s) == ours && (p == nil || c.policyBelongs(s, p) == ours) {
		return spec
	}
	return limited(spec, watch)
}

// attachmentReady does not blame an attachment for its role and policy.
func (c *Context) attachmentReady(o view.Object, s *identity.Service, p *identity.Policy) Readiness {
	r := c.managedReady(o)
	if r.Ready {
		return r
	}
	r = r.follows("Role "+c.observedName(roleKey(s), s.ObjectName), c.roleReady(c.View.Observed(roleKey(s)), s))
	if p != nil {
		r = r.follows("Policy "+c.observedName(p.Key(s), p.ObjectName(s)), c.policyReady(c.View.Observed(p.Key(s)), s, p))
	}
	if consequence.MatchString(r.Message) && !beyond(o, watch) && allows(c.serviceSpec(s).ManagementPolicies, xpv1.ManagementActionCreate) {
		// It was only observed so far.
		return Readiness{Message: creating}
	}
	return r
}
