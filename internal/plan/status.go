package plan

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/resources"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

func (p *Plan) status() v1alpha1.PodIdentityProviderStatus {
	apiVersion, kind := resources.ProviderConfigKind.ToAPIVersionAndKind()
	s := v1alpha1.PodIdentityProviderStatus{
		ClusterName:       p.identity.Cluster,
		Region:            p.identity.Region,
		ProviderConfigRef: &v1alpha1.TypedReference{APIVersion: apiVersion, Kind: kind, Name: p.identity.ProviderConfig},
	}
	byService := map[string][]*Outcome{}
	for _, o := range p.Outcomes {
		byService[o.Service] = append(byService[o.Service], o)
	}
	names := make([]string, 0, len(p.identity.Services))
	for _, svc := range p.identity.Services {
		names = append(names, svc.Name)
		os := byService[svc.Name]
		if p.identity.Tenant != nil {
			// All services share the role.
			os = append(slices.Clone(os), byService[""]...)
			os = slices.DeleteFunc(os, func(o *Outcome) bool { return o.Condition == v1alpha1.ConditionTeardownProtected })
		}
		s.Services = append(s.Services, p.service(svc, os))
	}
	s.ServiceNames = strings.Join(names, ",")
	s.Sharing = p.sharing(s.Services)
	s.Summary = p.summary()
	return s
}

// CompositeStatus returns the status to write to the composite resource.
func (p *Plan) CompositeStatus() any {
	if p.identity.Tenant == nil {
		return p.Status
	}
	return p.tenantStatus()
}

// tenantStatus is the status of a PodIdentityTenant.
func (p *Plan) tenantStatus() v1alpha1.PodIdentityTenantStatus {
	t := p.identity.Tenant
	s := v1alpha1.PodIdentityTenantStatus{
		Summary: p.Status.Summary, Phase: phase(p.Outcomes), Host: t.Host.Name, Region: p.Status.Region, ClusterName: p.Status.ClusterName,
		ServiceNames: p.Status.ServiceNames, PlatformConfiguration: p.Status.PlatformConfiguration,
		RoleName: t.Role.RoleName, RoleARN: t.Role.RoleARN, ExternalID: t.ExternalID, TrustPolicy: t.TrustPolicy,
	}
	if t.Role.RoleARN != "" {
		s.RoleName = path.Base(t.Role.RoleARN)
	}
	role := v1alpha1.ServiceStatus{}
	observe(&role, p.Outcomes)
	for _, o := range p.Outcomes {
		if o.Condition == v1alpha1.ConditionProviderConfigReady && o.Desired != nil {
			ref := view.NewObject(o.Desired)
			s.ProviderConfigRefs = append(s.ProviderConfigRefs, v1alpha1.NamespacedReference{APIVersion: ref.APIVersion(), Kind: ref.Kind(), Name: ref.Name(), Namespace: ref.Namespace()})
		}
	}
	s.RoleARN, s.PolicyARNs = cmp.Or(s.RoleARN, role.RoleARN), role.PolicyARNs
	for i, svc := range p.Status.Services {
		s.Services = append(s.Services, v1alpha1.TenantServiceStatus{
			Name: svc.Name, Phase: svc.Phase, Message: svc.Message, ActiveKinds: svc.ActiveKinds,
			ProviderName: t.Host.Services[i].ProviderName, ProviderRevision: t.Host.Services[i].ProviderRevision,
		})
	}
	return s
}

// sharing returns the settings that tenants need; nil if nothing is shared, or while the path of their roles is not known.
func (p *Plan) sharing(services []v1alpha1.ServiceStatus) *v1alpha1.SharingStatus {
	sharing := p.identity.Sharing
	if sharing == nil || sharing.RolePath == "" {
		return nil
	}
	s := &v1alpha1.SharingStatus{
		RolePath: sharing.RolePath, NamePrefix: sharing.NamePrefix, Accounts: sharing.Accounts, Namespaces: sharing.Namespaces,
		CrossplaneNamespace: p.identity.Namespace,
	}
	for _, svc := range services {
		if svc.RoleARN != "" {
			s.Principals = append(s.Principals, svc.RoleARN)
		}
	}
	return s
}

// maxSummary bounds a line of kubectl get, in characters.
const maxSummary = 200

// summary is one line: that everything is ready, or the gravest problem, the first if several are.
func (p *Plan) summary() string {
	var gravest *Outcome
	for _, o := range p.Outcomes {
		if !o.Readiness.Ready && (gravest == nil || graver(o.reason(), gravest.reason())) {
			gravest = o
		}
	}
	if gravest == nil {
		return string(v1alpha1.ReasonReady)
	}
	return oneLine(p.describe([]*Outcome{gravest}, true))
}

const (
	// cutMark ends a text that was cut.
	cutMark = " ..."
	// minCause is how much stays of the problem, in characters, if the advice is long.
	minCause = 80
)

// oneLine puts a message on one line. If it is too long, the advice stays, and the problem is cut first.
func oneLine(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if len([]rune(message)) <= maxSummary {
		return message
	}
	i := strings.Index(message, resources.ToDo)
	if i < 0 {
		return cut(message, maxSummary)
	}
	cause, todo := message[:i], message[i:]
	cause = cut(cause, max(minCause, maxSummary-len([]rune(todo))-1))
	return cause + " " + cut(todo, maxSummary-len([]rune(cause))-1)
}

// cut shortens a text to so many characters: after a word, unless that is a very long one.
func cut(text string, most int) string {
	r := []rune(strings.TrimSpace(text))
	if len(r) <= most {
		return string(r)
	}
	end := most - len(cutMark)
	kept := string(r[:end])
	if space := strings.LastIndexByte(kept, ' '); r[end] != ' ' && space > len(kept)/2 {
		kept = kept[:space]
	}
	return strings.TrimRight(kept, " ,;:.") + cutMark
}

func (p *Plan) service(svc *identity.Service, os []*Outcome) v1alpha1.ServiceStatus {
	s := v1alpha1.ServiceStatus{
		Name:               svc.Name,
		RoleName:           svc.RoleName,
		RoleARN:            svc.RoleARN,
		ServiceAccountName: svc.ServiceAccount,
	}
	if svc.Activation != nil {
		s.ActiveKinds = svc.Activation.Kinds
	}
	if svc.RoleARN != "" {
		s.RoleName = path.Base(svc.RoleARN)
	}
	if svc.Managed {
		s.ProviderName, s.Package = svc.Provider.Name, svc.Provider.Source
	}
	var unready []*Outcome
	observe(&s, os)
	for _, o := range os {
		if !o.Readiness.Ready {
			unready = append(unready, o)
		}
	}
	s.TargetTrustPolicy = p.identity.TargetTrust(svc, s.RoleARN, s.ExternalID)
	if p.identity.Sharing != nil {
		s.DisableSessionTags = svc.DisableSessionTags
		if svc.RoleARN != "" {
			s.HostPolicy = p.identity.TenantsPolicy(svc, "").Document
		}
	}
	s.Phase = phase(os)
	s.Message = p.describe(unready, false)
	return s
}

// observe copies values from observed objects into the status.
func observe(s *v1alpha1.ServiceStatus, os []*Outcome) {
	policies := map[string]string{}
	for _, o := range os {
		at := func(name string) string { return o.Observed.String("status", "atProvider", name) }
		switch o.Kind.Kind {
		case "Role":
			s.RoleARN = at("arn")
		case "Policy":
			policies[o.Observed.Name()] = at("arn")
		case "RolePolicyAttachment":
			if arn := attached(o, policies); arn != "" {
				s.PolicyARNs = append(s.PolicyARNs, arn)
			}
		case "PodIdentityAssociation":
			s.AssociationID, s.AssociationARN, s.ExternalID = at("associationId"), at("associationArn"), at("externalId")
		case "Provider":
			s.ProviderName, s.Package = cmp.Or(o.Name, s.ProviderName), cmp.Or(packageOf(o), s.Package)
			s.ProviderRevision = o.Observed.String("status", "currentRevision")
		}
	}
}

// attached is the ARN of the policy that an attachment attaches; empty while it does not. Policies has the ARNs of policies, by object
// name.
func attached(o *Outcome, policies map[string]string) string {
	if arn := o.Observed.String("status", "atProvider", "policyArn"); arn != "" || !o.Readiness.Ready {
		return arn
	}
	wants := func(path ...string) string {
		return o.Observed.String(append([]string{"spec", "forProvider"}, path...)...)
	}
	return cmp.Or(wants("policyArn"), policies[wants("policyArnRef", "name")])
}

// packageOf returns the package of a Provider as it is composed, or as another owner installed it.
func packageOf(o *Outcome) string {
	if o.Desired != nil {
		return view.NewObject(o.Desired).String("spec", "package")
	}
	return o.Observed.String("spec", "package")
}

// phase sums up a service's resources.
func phase(os []*Outcome) v1alpha1.Phase {
	reason := v1alpha1.ReasonReady
	created := false
	for _, o := range os {
		if graver(o.reason(), reason) {
			reason = o.reason()
		}
		created = created || o.Condition == v1alpha1.ConditionIdentityReady && !o.waiting()
	}
	switch reason { //nolint:exhaustive // The others are all in progress.
	case v1alpha1.ReasonReady:
		return v1alpha1.PhaseReady
	case v1alpha1.ReasonFailed, v1alpha1.ReasonInvalidSpec:
		return v1alpha1.PhaseFailed
	case v1alpha1.ReasonConflict:
		return v1alpha1.PhaseConflict
	}
	if !created {
		return v1alpha1.PhaseWaiting
	}
	return v1alpha1.PhaseCreating
}
