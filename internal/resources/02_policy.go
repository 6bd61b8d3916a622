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
	for i, document := range s.Policies {
		key, name := policyKey(s, i), policyName(s.ObjectName, i)
		rs = append(rs, &Resource{
			Key:       key,
			Condition: v1alpha1.ConditionIdentityReady,
			Kind:      policyKind.GroupVersionKind,
			Name:      c.observedName(key, name),
			Wait:      first(c.managed(key, policyKind, name), c.solePolicy(key, name, s.PolicyName(i))),
			Build:     c.object(func() any { return policy(c, s, i, document) }),
			Ready:     func(o view.Object) Readiness { return c.policyReady(o, s, i, document) },
		})
	}
	return rs
}

func policyKey(s *identity.Service, i int) string { return policyName(identity.PolicyKey(s.Name), i) }

// policyName of the first policy is the role's; the others are numbered.
func policyName(name string, i int) string { return identity.Numbered(name, i) }

// solePolicy of that name in AWS.
func (c *Context) solePolicy(key, name, awsName string) *Wait {
	if first(c.kind(policyKind), c.cluster()) != nil {
		return nil
	}
	return c.soleNamed(key, policyKind, name, awsName)
}

func policy(c *Context, s *identity.Service, i int, document string) *iamv1beta1.Policy {
	o := c.View.Observed(policyKey(s, i))
	return &iamv1beta1.Policy{
		TypeMeta:   typeMeta(policyKind.GroupVersionKind),
		ObjectMeta: c.meta(policyName(s.ObjectName, i), s.PolicyName(i)),
		Spec: iamv1beta1.PolicySpec{
			ResourceSpec: claimed(c.serviceSpec(s), c.policyBelongs(s, i)),
			ForProvider: iamv1beta1.PolicyParameters{
				Policy:      &document,
				Description: kept(o, "description", "", ""),
				Path:        kept(o, "path", s.Path, defaultPath),
				Tags:        c.tags(),
			},
		},
	}
}

// A provider takes over a policy that has the wanted name already, as it does with a role: so it may only look at first. AWS tells
// no date of it that a provider passes on.

// policyBelongs says whose policy has the name of a service's.
func (c *Context) policyBelongs(s *identity.Service, i int) belonging {
	o := c.View.Observed(policyKey(s, i))
	switch {
	case s.AdoptPolicies || c.View.Input.Preview || beyond(o, look) || created(o):
		return ours
	case c.strange(o, s, i) != "":
		return strangers
	}
	return belongs(o)
}

// strange is what speaks against a policy's having been made for its managed resource; empty if nothing does.
func (c *Context) strange(o view.Object, s *identity.Service, i int) string {
	attachment := c.View.Observed(attachmentKey(s, i))
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

func (c *Context) policyReady(o view.Object, s *identity.Service, i int, document string) Readiness {
	r := c.managedReady(o)
	if r.Ready && c.policyBelongs(s, i) == strangers {
		return existed(o, "a policy of this name", c.strange(o, s, i), "adoptExisting: true")
	}
	return asWanted(o, r, differsDocument(o, "policy", document))
}
