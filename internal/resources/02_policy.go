package resources

import (
	"fmt"

	iamv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/iam/v1beta1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

// Policies grant a service's provider its permissions. None if the service brings its own role.
func Policies(c *Context, s *identity.Service) []*Resource {
	rs := make([]*Resource, 0, len(s.Policies))
	for i, document := range s.Policies {
		key, name := policyKey(s, i), policyName(s.ObjectName, i)
		rs = append(rs, &Resource{
			Key:       key,
			Condition: v1alpha1.ConditionIdentityReady,
			Kind:      policyKind.GroupVersionKind,
			Name:      c.observedName(key, name),
			Wait:      first(c.kind(policyKind), c.cluster()),
			Build:     c.object(func() any { return policy(c, s, i, document) }),
			Ready:     managedResource,
		})
	}
	return rs
}

func policyKey(s *identity.Service, i int) string { return policyName("policy/"+s.Name, i) }

// policyName of the first policy is the role's; the others are numbered.
func policyName(name string, i int) string {
	if i == 0 || name == "" {
		return name
	}
	return fmt.Sprintf("%s.%d", name, i+1)
}

func policy(c *Context, s *identity.Service, i int, document string) *iamv1beta1.Policy {
	p := &iamv1beta1.Policy{
		TypeMeta:   typeMeta(policyKind.GroupVersionKind),
		ObjectMeta: c.meta(policyName(s.ObjectName, i), iam.Cut(policyName(s.RoleName, i), iam.MaxPolicyName)),
		Spec: iamv1beta1.PolicySpec{
			ResourceSpec: c.serviceSpec(s),
			ForProvider:  iamv1beta1.PolicyParameters{Policy: &document, Tags: c.tags()},
		},
	}
	if spec := c.Identity.Spec.Role; spec != nil {
		p.Spec.ForProvider.Path = optional(spec.Path)
	}
	return p
}
