package resources

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// hostKey begins the keys of a host's objects.
const hostKey = "host"

// tenant is the full plan of a PodIdentityTenant, except for the Usages that order its deletion: a role with its policies, and the
// ProviderConfigs that lead there. The providers are the host's.
func (c *Context) tenant() []*Resource {
	t := c.Identity.Tenant
	rs := make([]*Resource, 0, len(c.Identity.Services)+8)
	for i := range t.Host.Services {
		rs = append(rs, c.hostService(&t.Host.Services[i]))
	}
	var unknown *Wait
	for _, s := range c.Identity.Services {
		rs, unknown = append(rs, Kinds(s)), first(unknown, unknownKinds(s))
	}
	rs = append(rs, c.reached())
	own := []*Resource{Role(c, t.Role)}
	own = append(own, Policies(c, t.Role)...)
	own = append(own, Attachments(c, t.Role)...)
	own = c.forService(t.Role, own)
	for _, r := range own {
		// It belongs to all services.
		r.Service = ""
		r.Wait = first(r.Wait, c.host())
	}
	rs = append(rs, holdBack(own, unknown)...)
	rs = append(rs, ProviderConfig(c))
	return append(rs, NamespacedProviderConfigs(c)...)
}

// host waits until the host is known, and shares every service that the tenant lists.
func (c *Context) host() *Wait {
	if c.View.Input.Preview {
		return nil
	}
	for i := range c.Identity.Tenant.Host.Services {
		if s := &c.Identity.Tenant.Host.Services[i]; s.Problem != "" {
			return &Wait{Reason: hostReason(s), Message: s.Problem}
		}
	}
	return nil
}

func hostReason(s *identity.HostService) v1alpha1.Reason {
	if s.Pending {
		return v1alpha1.ReasonWaiting
	}
	return v1alpha1.ReasonMissing
}

// hostService is a check: the host's provider must work.
func (c *Context) hostService(s *identity.HostService) *Resource {
	host := c.Identity.Tenant.Host
	r := &Resource{
		Key: hostKey + "/" + s.Name, Service: s.Name, Condition: v1alpha1.ConditionProvidersReady,
		Kind: identity.HostKind.GroupVersionKind, Name: host.Name, Seen: host.Object,
	}
	switch {
	case s.Problem != "":
		r.Wait = &Wait{Reason: hostReason(s), Message: s.Problem}
	case s.Phase != v1alpha1.PhaseReady:
		r.Wait = &Wait{Reason: phaseReason(s.Phase), Subject: "PodIdentityProvider " + host.Name, Message: fmt.Sprintf("%s is %s", s.Name, cmp.Or(s.Phase, v1alpha1.PhaseWaiting))}
		if s.Message != "" {
			r.Wait.Message += ": " + s.Message
		}
	}
	return r
}

// unreachable waits indefinitely if the host may not assume the existing role.
func (c *Context) unreachable() *Wait {
	host := c.Identity.Tenant.Host
	if problem := host.Unreachable(c.tenantARN()); problem != "" {
		return &Wait{Reason: v1alpha1.ReasonMissing, Subject: "PodIdentityProvider " + host.Name, Message: problem}
	}
	return nil
}

// reached is a check: the host may assume the role. Nil if it may.
func (c *Context) reached() *Resource {
	w := c.unreachable()
	if w == nil {
		return nil
	}
	host := c.Identity.Tenant.Host
	return &Resource{Key: hostKey, Condition: v1alpha1.ConditionProvidersReady, Kind: identity.HostKind.GroupVersionKind, Name: host.Name, Seen: host.Object, Wait: w}
}

// phaseReason is the reason why a service in a phase is not ready.
func phaseReason(p v1alpha1.Phase) v1alpha1.Reason {
	switch p {
	case v1alpha1.PhaseCreating:
		return v1alpha1.ReasonCreating
	case v1alpha1.PhaseFailed:
		return v1alpha1.ReasonFailed
	case v1alpha1.PhaseConflict:
		return v1alpha1.ReasonConflict
	case v1alpha1.PhaseWaiting, v1alpha1.PhaseReady:
	}
	return v1alpha1.ReasonWaiting
}

// chain returns the roles that the ProviderConfigs lead along: a tenant's own comes first. An existing one keeps its first role while
// the role does not report its ARN.
func (c *Context) chain() []v1alpha1.AssumeRole {
	var out []v1alpha1.AssumeRole
	if t := c.Identity.Tenant; t != nil {
		out = append(out, v1alpha1.AssumeRole{RoleARN: c.tenantARN(), ExternalID: t.ExternalID})
	}
	if pc := c.Identity.Spec.ProviderConfig; pc != nil {
		out = append(out, pc.AssumeRoleChain...)
	}
	return out
}

// tenantARN is the ARN of the tenant's role; empty while it is not known. The team may edit the ProviderConfig in its namespace: the
// ARN there counts only if it is that of the tenant's own role in the host's account.
func (c *Context) tenantARN() string {
	s := c.Identity.Tenant.Role
	if arn := cmp.Or(s.RoleARN, roleARN(c.View.Observed(roleKey(s)))); arn != "" {
		return arn
	}
	own := fmt.Sprintf("arn:%s:iam::%s:role%s%s", c.Identity.Partition, c.Identity.Tenant.Host.Account(), s.Path, s.RoleName)
	for _, key := range c.View.ObservedWithPrefix(providerConfigKey) {
		o := c.View.Observed(key)
		chain := o.List("spec", "assumeRoleChain")
		if len(chain) == 0 {
			continue
		}
		if arn := chain[0].String("roleARN"); o.Namespace() == "" || s.RoleName != "" && arn == own {
			return arn
		}
	}
	return ""
}

// leads waits until the role to which a ProviderConfig leads is in its desired state, and IAM knows it everywhere.
func (c *Context) leads() *Wait {
	t := c.Identity.Tenant
	if t == nil || c.View.Input.Preview {
		return nil
	}
	waiting := func(what string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "ProviderConfig " + c.Identity.ProviderConfig, Message: "waiting for " + what}
	}
	if w := first(c.cluster(), c.host(), c.unreachable()); w != nil {
		return w
	}
	s := t.Role
	if s.RoleARN != "" {
		return nil
	}
	name := "Role " + c.observedName(roleKey(s), s.ObjectName)
	role := c.View.Observed(roleKey(s))
	if roleARN(role) == "" || !c.roleReady(role, s).Ready {
		return waiting(name + " to be ready")
	}
	since := readySince(role)
	for _, a := range Attachments(c, s) {
		o := c.View.Observed(a.Key)
		if !o.Exists() || !a.Ready(o).Ready {
			return waiting("RolePolicyAttachment " + a.Name + " to be ready")
		}
		if at := readySince(o); at.After(since) {
			since = at
		}
	}
	if c.View.Now.Sub(since) < s.Settle {
		return waiting(fmt.Sprintf("%s to have been ready for %s, so that IAM knows it everywhere", name, s.Settle.Round(time.Second)))
	}
	return nil
}

// hostUsages are the objects of the host that a tenant needs: the host itself, and its Providers. They stay for as long as the
// ProviderConfigs exist.
func (c *Context) hostUsages(configs []*Resource) (of []*Resource) {
	host := c.Identity.Tenant.Host
	of = append(of, &Resource{Key: hostKey, Kind: identity.HostKind.GroupVersionKind, Name: host.Name, Seen: host.Object})
	for i := range host.Services {
		s := &host.Services[i]
		r := &Resource{Key: hostKey + "/" + s.Name, Kind: providerKind, Seen: host.Object}
		held := c.View.Observed(usageKey(r, configs[0])).String("spec", "of", "resourceRef", "name")
		if s.ProviderRevision != "" {
			// It is installed.
			r.Name = s.ProviderName
		}
		if r.Name = cmp.Or(held, r.Name); r.Name != "" {
			of = append(of, r)
		}
	}
	return of
}

// inNamespace says whether a ProviderConfig in the claim's namespace can be composed at all: Crossplane v2 and its kind exist. Without
// them a tenant has the cluster-scoped one.
func (c *Context) inNamespace(key string) bool {
	if c.Identity.Tenant == nil || c.View.Observed(key).Exists() {
		return true
	}
	if c.View.Input.Preview {
		return true
	}
	if !c.View.Requirements.Schemas() && c.doneWithout() {
		// An old caller is not asked for a whole definition again and again.
		return false
	}
	return c.namespacesRecorded() == nil && (c.assumed() || c.View.Requirements.Kind(namespacedProviderConfigKind) != view.No)
}

// doneWithout says that all ProviderConfigs of a tenant were ready before, and none of them was in a namespace.
func (c *Context) doneWithout() bool {
	xr := c.View.XR
	return xr.Condition(string(v1alpha1.ConditionProviderConfigReady)).True() &&
		!slices.ContainsFunc(xr.List("status", "providerConfigRefs"), func(ref view.Object) bool { return ref.String("namespace") != "" })
}
