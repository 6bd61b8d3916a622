package resources

import (
	"cmp"
	"slices"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Tenants lets a service's provider assume the roles of tenants: one more policy of its role, and its attachment. None if nothing is
// shared, or the service brings its own role: then the status has the policy, ready to paste.
func Tenants(c *Context, s *identity.Service) []*Resource {
	if s.RoleARN != "" {
		return nil
	}
	p, needed := c.tenantsPolicy(s)
	if p == nil {
		return nil
	}
	policy, attachment := policyResource(c, s, p), policyAttachment(c, s, p)
	if needed != nil {
		policy.Ready = func(view.Object) Readiness { return heldBack(needed) }
	}
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

// tenantsPolicy returns the policy for tenants of a service; nil if nothing is shared. An existing policy stays as it is while the role
// does not report its account, and keeps permissions that a tenant still needs. Then the Wait names the tenants.
func (c *Context) tenantsPolicy(s *identity.Service) (*identity.Policy, *Wait) {
	arn := roleARN(c.View.Observed(roleKey(s)))
	p := c.Identity.TenantsPolicy(s, arn)
	if p == nil {
		return nil, nil
	}
	was := c.View.Observed(p.Key(s)).String("spec", "forProvider", "policy")
	if p.Document == "" {
		p.Document = was
	}
	granted := iam.TenantRoles(was)
	if len(granted) == 0 || was == p.Document || c.Identity.Teardown != v1alpha1.TeardownOrdered {
		return p, nil
	}
	kept, w := c.stillNeeded(granted, iam.TenantRoles(p.Document), s.Name)
	if len(kept) > 0 {
		p = c.Identity.TenantsPolicy(s, arn, kept...)
	}
	return p, w
}

// stillNeeded returns patterns of roles that a policy grants and is to lose, and below which tenants have their roles.
func (c *Context) stillNeeded(granted, wanted []string, service string) (kept []string, w *Wait) {
	for _, pattern := range granted {
		if slices.Contains(wanted, pattern) {
			continue
		}
		needed := c.neededBy(service, func(role string) bool { return iam.Match(pattern, role) })
		if needed == nil {
			continue
		}
		kept, w = append(kept, pattern), first(w, needed)
	}
	return kept, w
}

// LabelHost on the ProviderConfig of a tenant names its host, which looks for it before it removes a permission.
const LabelHost = v1alpha1.Group + "/host"

// AnnotationServices on the ProviderConfig of a tenant names the services of its host that it uses.
const AnnotationServices = v1alpha1.Group + "/services"

// hostLabel returns the value of the label for a host.
func hostLabel(name string) string { return iam.Cut(name, maxLabel) }

// maxLabel is the maximum length of a label's value.
const maxLabel = 63

// neededBy says which tenants of this host use a service with a role that matches, or that this is not known. It looks for tenants only
// if something is to be removed that they may need.
func (c *Context) neededBy(service string, matches func(role string) bool) *Wait {
	looking := removing("looking for tenants that need it")
	if !c.assumed() {
		switch c.View.Requirements.Kind(ProviderConfigKind) {
		case view.Unanswered:
			return looking
		case view.No:
			return removing("cannot tell which tenants need it: %s is not found. To do: %s", ProviderConfigKind.CRD(), wayOut)
		case view.Yes:
		}
	}
	configs, answer := c.View.Requirements.Labelled(ProviderConfigKind.GroupVersionKind, LabelHost, hostLabel(c.View.XR.Name()))
	if answer != view.Yes {
		return looking
	}
	var tenants []string
	for _, o := range configs {
		if services := strings.Split(o.Annotation(AnnotationServices), ","); !slices.Contains(services, service) {
			continue
		}
		if hops := o.List("spec", "assumeRoleChain"); len(hops) > 0 && matches(hops[0].String("roleARN")) {
			tenants = append(tenants, tenantOf(o))
		}
	}
	if len(tenants) == 0 {
		return nil
	}
	slices.Sort(tenants)
	return removing("tenants need it (%s). To do: delete them, or set sharing back", enumerate(slices.Compact(tenants)))
}

// tenantOf names the owner of a ProviderConfig.
func tenantOf(config view.Object) string {
	if name := config.Label("crossplane.io/claim-name"); name != "" {
		return "claim " + config.Label("crossplane.io/claim-namespace") + "/" + name
	}
	return cmp.Or(config.Controller().Kind, "ProviderConfig") + " " + cmp.Or(config.Controller().Name, config.Name())
}

// anyRole matches every role, for tenants that need a service at all.
func anyRole(string) bool { return true }

// roleARN is the ARN that IAM gave an observed role; empty while it is not known.
func roleARN(role view.Object) string { return role.String("status", "atProvider", "arn") }
