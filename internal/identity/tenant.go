package identity

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// TenantName stands in keys for the one role of a tenant, where others have the name of a service.
const TenantName = "tenant"

// maxTenantServices is also the limit of the schema.
const maxTenantServices = 20

// A Tenant is a PodIdentityTenant in its resolved form: one role for all its services, on the providers of a host.
type Tenant struct {
	// Host is the PodIdentityProvider whose providers are used.
	Host *Host
	// Role of the tenant, with its policies.
	Role *Service
	// ExternalID that the role's trust policy requires.
	ExternalID string
	// TrustPolicy that the role needs, even if it is not composed; empty while the host is not known.
	TrustPolicy string
	// NamespacedConfig is the name of the ProviderConfig in the claim's namespace.
	NamespacedConfig string
	// ClaimNamespace is the namespace of the claim; empty if there is none.
	ClaimNamespace string
}

// resolveTenant resolves a PodIdentityTenant. It fails with everything that is wrong with it.
func resolveTenant(v *view.View) (*Identity, field.ErrorList) {
	at, exists := field.NewPath("spec"), &made{v: v}
	s, t := v.Spec, v.Tenant
	// Its objects have the keys of one service.
	role := *s
	role.Services = []v1alpha1.Service{{Name: TenantName}}
	id := &Identity{
		Spec:            s,
		BootstrapConfig: exists.bootstrapConfig(&role, at),
		ProviderConfig:  providerConfigName(v),
		Teardown:        cmp.Or(s.Teardown, v1alpha1.TeardownOrdered),
		Tenant:          newTenant(v, t, exists.host(at, t)),
		TenantSpec:      t,
	}
	exists.providerConfig(s, at)
	if ns := id.Tenant.ClaimNamespace; ns != "" {
		id.ConfigNamespaces = []string{ns}
	}

	errs := validateTenant(at, t, id.Tenant.Host.Name)
	if len(errs) == 0 {
		errs = id.resolveHost(v, at.Child("providerRef", "name"))
	}
	h := home{partition: id.Partition}
	errs = append(errs, validateCommon(at, s, h)...)
	errs = append(errs, validateProviderConfigName(at, v, id)...)
	errs = append(errs, h.role(at.Child("roleArn"), t.RoleARN)...)
	errs = append(errs, id.tenantServices(v, at.Child("services"))...)
	if len(errs) == 0 {
		errs = append(id.tenantRole(v, exists, at), exists.errs...)
	}
	id.Notes = slices.Concat(exists.notes, id.strangeKinds())
	return id, errs
}

func newTenant(v *view.View, spec *v1alpha1.PodIdentityTenantSpec, host string) *Tenant {
	ns, name := v.Claim()
	t := &Tenant{Host: &Host{Name: host}, ClaimNamespace: ns, NamespacedConfig: name, ExternalID: spec.ExternalID}
	if pc := spec.ProviderConfig; pc != nil && pc.Name != "" {
		t.NamespacedConfig = pc.Name
	}
	t.NamespacedConfig = iam.Cut(t.NamespacedConfig, MaxProviderConfigName)
	if spec.RoleARN == "" {
		// Each object has its own: an external ID of an earlier object lets no caller assume the role. Local renders have no uid.
		t.ExternalID = "podidentity/" + cmp.Or(v.XR.String("metadata", "uid"), v.XR.Name())
	}
	t.Role = &Service{Name: TenantName, RoleARN: spec.RoleARN, Settle: defaultAssociationSettle}
	return t
}

// tenantServices resolves the services of a tenant, with the statements that they are granted.
func (id *Identity) tenantServices(v *view.View, at *field.Path) field.ErrorList {
	errs := field.ErrorList{}
	h, active := home{partition: id.Partition}, &definitions{v: v}
	for i := range id.Spec.Services {
		if len(errs) > view.MaxErrors {
			break
		}
		s, at := &id.Spec.Services[i], at.Index(i)
		svc := &Service{Name: s.Name, RoleARN: s.RoleARN}
		id.Services = append(id.Services, svc)
		if s.RoleARN != "" {
			continue
		}
		if s.Permissions != nil {
			svc.ManagedPolicyARNs = s.Permissions.ManagedPolicyARNs
		}
		errs = append(errs, validateManaged(at, svc.ManagedPolicyARNs, h)...)
		svc.Activation = active.activation(s)
		errs = append(errs, svc.Activation.within(v, func() ([]iam.Statement, field.ErrorList) {
			gerrs := id.grant(at, svc, s)
			return svc.Statements, gerrs
		})...)
	}
	return errs
}

// grant gives a service of a tenant the statements that its permissions name.
func (id *Identity) grant(at *field.Path, svc *Service, s *v1alpha1.Service) (errs field.ErrorList) {
	p := s.Permissions
	if p == nil {
		p = &v1alpha1.Permissions{}
	}
	svc.Statements, errs = granted(at.Child("permissions"), id.Partition, s, p, svc.Activation)
	return errs
}

// refuseKinds drops the newly active kinds of all services of a tenant: one role has the policies of all. False if there are none.
func (id *Identity) refuseKinds(at *field.Path, why string) bool {
	refused := false
	for i, svc := range id.Services {
		if svc.Activation.grows() {
			svc.Activation.refuse(why)
			refused = true
			// This cannot fail: it was possible with more kinds.
			_ = id.grant(at.Index(i), svc, &id.Spec.Services[i])
		}
	}
	return refused
}

// tenantRole completes the one role: its name, trust and policies.
func (id *Identity) tenantRole(v *view.View, exists *made, at *field.Path) field.ErrorList {
	t, facts := id.Tenant, id.Tenant.Host.facts
	if id.Cluster == "" {
		return nil
	}
	trust := iam.TenantTrust{Region: id.Region, Cluster: id.Cluster, Namespace: id.Namespace, ExternalID: t.ExternalID}
	for _, s := range facts.Services {
		trust.Callers = append(trust.Callers, iam.Caller{RoleARN: s.RoleARN, ServiceAccount: s.ServiceAccount, NoTags: s.NoTags})
	}
	if len(trust.Callers) > 0 {
		t.TrustPolicy = trust.Document().String()
	}
	if n := iam.Size(t.TrustPolicy); n > iam.MaxTrustPolicySize {
		return field.ErrorList{field.Invalid(at.Child("services"), field.OmitValueType{}, fmt.Sprintf("the role's trust policy would have %d characters, AWS allows %d: divide the services among two claims", n, iam.MaxTrustPolicySize))}
	}
	if t.Role.RoleARN != "" {
		return id.belowPath(at.Child("roleArn"))
	}
	s := t.Role
	s.TrustPolicy = t.TrustPolicy
	s.RoleName = cmp.Or(exists.knownRoleName(TenantName), iam.Name(iam.MaxRoleName, id.tenantNames(v)...))
	s.ObjectName = ObjectName(s.RoleName)
	s.Path = exists.keep(at.Child("providerRef"), false, facts.RolePath+cmp.Or(t.ClaimNamespace, "_")+"/", v.Observed(RoleKey(TenantName)).String("spec", "forProvider", "path"))
	errs := id.tenantPolicies(v, at, trust.Tagged())
	if len(errs) > 0 && id.refuseKinds(at.Child("services"), errs[0].Error()) {
		return id.tenantPolicies(v, at, trust.Tagged())
	}
	return errs
}

// tenantNames are the parts of the role's name.
func (id *Identity) tenantNames(v *view.View) []string {
	parts := []string{cmp.Or(id.Tenant.Host.facts.NamePrefix, defaultRolePrefix), id.Cluster, id.Region}
	if ns, name := v.Claim(); name != "" {
		return append(parts, ns, name)
	}
	return append(parts, v.XR.Name())
}

// belowPath checks that the host may assume a role that is not composed: below its path, and for a claim below the claim's namespace
// there.
func (id *Identity) belowPath(at *field.Path) field.ErrorList {
	t, facts := id.Tenant, id.Tenant.Host.facts
	want := facts.RolePath
	if t.ClaimNamespace != "" {
		want += t.ClaimNamespace + "/"
	}
	arn := t.Role.RoleARN
	if !strings.Contains(arn, ":role"+want) {
		return field.ErrorList{field.Invalid(at, arn, fmt.Sprintf("PodIdentityProvider %s may only assume roles below %s: give the role that path", t.Host.Name, want))}
	}
	if account := iam.ARNAccount(arn); account != facts.account() && !slices.Contains(facts.Accounts, account) {
		return field.ErrorList{field.Invalid(at, arn, fmt.Sprintf("is in account %s: ask for it in sharing.accounts of PodIdentityProvider %s", account, t.Host.Name))}
	}
	return nil
}

// tenantPolicies sets the policies of the role: the statements of all services, each limited to its own provider.
func (id *Identity) tenantPolicies(v *view.View, at *field.Path, tagged bool) field.ErrorList {
	separate := tagged && (id.TenantSpec.Role == nil || id.TenantSpec.Role.SeparateServices == nil || *id.TenantSpec.Role.SeparateServices)
	errs := field.ErrorList{}
	var statements []iam.Statement
	role := id.Tenant.Role
	for i, s := range id.Services {
		account := id.Tenant.Host.facts.serviceAccount(s.Name)
		if account == "" {
			// Without its ServiceAccount, the statements cannot be limited.
			continue
		}
		for _, st := range s.Statements {
			if separate {
				limited, taken := st.ForServiceAccount(account)
				if taken {
					errs = append(errs, field.Forbidden(at.Child("services").Index(i).Child("permissions"), "a condition on aws:PrincipalTag/kubernetes-service-account is generated and cannot be set: see role.separateServices"))
				}
				st = limited
			}
			statements = append(statements, st)
		}
		for _, arn := range s.ManagedPolicyARNs {
			if !slices.Contains(role.ManagedPolicyARNs, arn) {
				role.ManagedPolicyARNs = append(role.ManagedPolicyARNs, arn)
			}
		}
	}
	if pc := id.Spec.ProviderConfig; pc != nil && len(pc.AssumeRoleChain) > 0 {
		statements = append(statements, iam.AssumeStatement(pc.AssumeRoleChain[0].RoleARN, true))
	}
	if errs = append(errs, uniqueSIDs(at.Child("services"), nil, statements)...); len(errs) > 0 {
		return errs
	}
	role.Statements = statements
	for _, s := range id.Services {
		if a := s.Activation; a.unknown() {
			// All services share the policies of one role.
			found, documents := a.asTheyAre(v, TenantName)
			s.Statements, role.Policies = append(s.Statements, found...), documents
			return a.attachable(at.Child("services"), documents, role.ManagedPolicyARNs, iam.MaxAttachments)
		}
	}
	role.Policies, errs = split(at.Child("services"), statements, role.ManagedPolicyARNs, iam.MaxAttachments)
	return errs
}

// validateTenant checks the fields that only a tenant has.
func validateTenant(at *field.Path, t *v1alpha1.PodIdentityTenantSpec, host string) field.ErrorList {
	errs := field.ErrorList{}
	if host == "" {
		errs = append(errs, field.Required(at.Child("providerRef", "name"), "name the PodIdentityProvider that shares its providers, here or in the platform team's defaults"))
	} else {
		errs = append(errs, problems(at.Child("providerRef", "name"), host, validation.IsDNS1123Subdomain)...)
	}
	switch n := len(t.Services); {
	case n == 0:
		errs = append(errs, field.Required(at.Child("services"), "name at least one service"))
	case n > maxTenantServices:
		return append(errs, field.TooMany(at.Child("services"), n, maxTenantServices))
	}
	seen := map[string]bool{}
	for i := range t.Services {
		errs = append(errs, validateTenantService(at.Child("services").Index(i), &t.Services[i], t.RoleARN != "", seen)...)
	}
	if t.RoleARN != "" && t.Role != nil {
		errs = append(errs, field.Forbidden(at.Child("roleArn"), "brings its own permissions and name: it excludes role and permissions"))
	}
	if t.ExternalID != "" {
		if t.RoleARN == "" {
			errs = append(errs, field.Forbidden(at.Child("externalId"), "is only for a roleArn: a composed role has its own"))
		}
		if len(t.ExternalID) < 2 || len(t.ExternalID) > 1224 || !externalIDPattern.MatchString(t.ExternalID) {
			errs = append(errs, field.Invalid(at.Child("externalId"), t.ExternalID, "must have 2 to 1224 letters, digits and +=,.@:/_-"))
		}
	}
	return errs
}

func validateTenantService(at *field.Path, s *v1alpha1.TenantService, foreign bool, seen map[string]bool) field.ErrorList {
	if s.Name == "" {
		return field.ErrorList{field.Required(at.Child("name"), "name a service that the host shares")}
	}
	errs := matches(at.Child("name"), s.Name, servicePattern, "must have 1 to 40 lower-case letters, digits and -")
	if seen[s.Name] {
		errs = append(errs, field.Duplicate(at.Child("name"), s.Name))
	}
	seen[s.Name] = true
	if foreign {
		if s.Permissions != nil {
			errs = append(errs, field.Forbidden(at.Child("permissions"), "the role of roleArn has its own: take them out"))
		}
		return errs
	}
	if _, known := catalogue.Lookup(s.Name); len(errs) == 0 && !known && !withoutCatalogue(s.Permissions) {
		errs = append(errs, field.Invalid(at.Child("name"), s.Name, unknown(s.Name)+": give it permissions of its own, without an accessLevel"))
	}
	return errs
}

// facts are the known settings of a host. A tenant remembers them: existing resources stay as they are while the host cannot be read.
type facts struct {
	Region     string     `json:"region"`
	Cluster    string     `json:"cluster"`
	Namespace  string     `json:"namespace"`
	RolePath   string     `json:"rolePath"`
	NamePrefix string     `json:"namePrefix,omitempty"`
	Accounts   []string   `json:"accounts,omitempty"`
	Services   []provider `json:"services"`
}

// A provider holds the known settings of a host's provider.
type provider struct {
	Name           string `json:"name"`
	RoleARN        string `json:"roleArn"`
	ServiceAccount string `json:"serviceAccount"`
	NoTags         bool   `json:"noTags,omitempty"`
}

func (f *facts) service(name string) *provider {
	if i := slices.IndexFunc(f.Services, func(p provider) bool { return p.Name == name }); i >= 0 {
		return &f.Services[i]
	}
	return nil
}

func (f *facts) serviceAccount(name string) string {
	if p := f.service(name); p != nil {
		return p.ServiceAccount
	}
	return ""
}

// account returns the account of the host's cluster.
func (f *facts) account() string {
	for _, p := range f.Services {
		return iam.ARNAccount(p.RoleARN)
	}
	return ""
}

// String returns the form in which a tenant remembers the facts.
func (f *facts) String() string {
	b, err := json.Marshal(f)
	if err != nil {
		// Texts, lists and booleans can always be written.
		return ""
	}
	return string(b)
}

// parseFacts reads the facts that a tenant remembers; nil if they are not valid.
func parseFacts(s string) *facts {
	f := &facts{}
	if s == "" || json.Unmarshal([]byte(s), f) != nil || !f.complete() {
		return nil
	}
	return f
}

// complete says whether all facts are valid: other users can write what is read here.
func (f *facts) complete() bool {
	return regionPattern.MatchString(f.Region) && clusterPattern.MatchString(f.Cluster) && rolePathPattern.MatchString(f.RolePath) &&
		len(validation.IsDNS1123Label(f.Namespace)) == 0 && (f.NamePrefix == "" || iamNamePattern.MatchString(f.NamePrefix)) &&
		!slices.ContainsFunc(f.Services, func(p provider) bool { return !p.complete(iam.Partition(f.Region)) })
}

func (p *provider) complete(partition string) bool {
	return iam.CheckRoleARN(p.RoleARN, partition) == "" && len(validation.IsDNS1123Subdomain(p.ServiceAccount)) == 0
}
