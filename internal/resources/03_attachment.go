package resources

import (
	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	iamv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/iam/v1beta1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

// Attachments attach the composed policies, and those that exist already, to a service's role. None if the service brings
// its own role. They refer to role and policies by name, so that they need not wait for them.
func Attachments(c *Context, s *identity.Service) []*Resource {
	if s.RoleARN != "" {
		return nil
	}
	rs := make([]*Resource, 0, len(s.Policies)+len(s.ManagedPolicyARNs))
	for i := range s.Policies {
		rs = append(rs, attachment(c, s, policyName("attachment/"+s.Name, i), policyName(s.ObjectName, i), func(p *iamv1beta1.RolePolicyAttachmentParameters) {
			p.PolicyArnRef = &xpv1.Reference{Name: c.observedName(policyKey(s, i), policyName(s.ObjectName, i))}
		}))
	}
	for _, arn := range s.ManagedPolicyARNs {
		// Named after the policy, so that taking one out of the list changes no other.
		rs = append(rs, attachment(c, s, "attachment/"+s.Name+"/"+arn, identity.ObjectName(s.ObjectName+"-"+iam.Hash(arn)), func(p *iamv1beta1.RolePolicyAttachmentParameters) {
			p.PolicyArn = &arn
		}))
	}
	return rs
}

func attachment(c *Context, s *identity.Service, key, name string, policy func(*iamv1beta1.RolePolicyAttachmentParameters)) *Resource {
	return &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionIdentityReady,
		Kind:      attachmentKind.GroupVersionKind,
		Name:      c.observedName(key, name),
		Wait:      first(c.kind(attachmentKind), c.cluster()),
		Build: c.object(func() any {
			a := &iamv1beta1.RolePolicyAttachment{
				TypeMeta:   typeMeta(attachmentKind.GroupVersionKind),
				ObjectMeta: c.meta(name, ""),
				Spec: iamv1beta1.RolePolicyAttachmentSpec{
					ResourceSpec: c.serviceSpec(s),
					ForProvider: iamv1beta1.RolePolicyAttachmentParameters{
						RoleRef: &xpv1.Reference{Name: c.observedName(roleKey(s), s.ObjectName)},
					},
				},
			}
			policy(&a.Spec.ForProvider)
			return a
		}),
		Ready: managedResource,
	}
}
