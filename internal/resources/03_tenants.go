package resources

import (
	"cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Tenants let a service's provider take on the roles of tenants: one more policy of its role, and its attachment. None if nothing is
// shared, or the service brings its own role: then the status has the policy, ready to paste.
func Tenants(c *Context, s *identity.Service) []*Resource {
	if s.RoleARN != "" {
		return nil
	}
	p := c.tenantsPolicy(s)
	if p == nil {
		return nil
	}
	policy, attachment := policyResource(c, s, p), policyAttachment(c, s, p)
	for _, r := range []*Resource{policy, attachment} {
		if r.Wait == nil && p.Document == "" {
			r.Wait = &Wait{
				Reason: v1alpha1.ReasonWaiting, Subject: r.Kind.Kind + " " + r.Name,
				Message: "waiting for Role " + c.observedName(roleKey(s), s.ObjectName) + ", whose account the roles of tenants are in",
			}
		}
	}
	return []*Resource{policy, attachment}
}

// tenantsPolicy of a service; nil if nothing is shared. One that exists stays as it is while the role does not tell its account.
func (c *Context) tenantsPolicy(s *identity.Service) *identity.Policy {
	p := c.Identity.TenantsPolicy(s, roleARN(c.View.Observed(roleKey(s))))
	if p != nil {
		p.Document = cmp.Or(p.Document, c.View.Observed(p.Key(s)).String("spec", "forProvider", "policy"))
	}
	return p
}

// roleARN that IAM gave an observed role; empty while it is not known.
func roleARN(role view.Object) string { return role.String("status", "atProvider", "arn") }
