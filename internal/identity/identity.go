// Package identity resolves a composite resource: it applies every default, works out every name, policy and package, and checks
// everything. It says what to compose; package resources says how, and package plan when.
package identity

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// The defaults. They are no defaults of the schema, so that an Input can set others.
const (
	defaultRegistry          = "xpkg.upbound.io/upbound"
	defaultNamespace         = "crossplane-system"
	defaultProviderConfig    = "default"
	defaultRolePrefix        = "crossplane"
	defaultAssociationSettle = 10 * time.Second
)

// An Identity is a composite resource in its resolved form.
type Identity struct {
	// Spec of the composite resource, for fields that are passed on as they are.
	Spec *v1alpha1.PodIdentityProviderSpec
	// Region of the EKS cluster and the partition it is in.
	Region, Partition string
	// Cluster is the EKS cluster's name; empty while it is not known.
	Cluster string
	// ClusterProblem says why the cluster is not known.
	ClusterProblem string
	// Namespace that Crossplane and the providers run in.
	Namespace string
	// BootstrapConfig is the ProviderConfig of the IAM and EKS managed resources themselves.
	BootstrapConfig string
	// ProviderConfig is the name of the composed ProviderConfig.
	ProviderConfig string
	// Agent says whether the EKS add-on that hands credentials to pods is composed.
	Agent bool
	// AgentUnknown says that it is not known yet whether the cluster has the agent already.
	AgentUnknown bool
	// AutoMode says that the cluster has the agent, and that the add-on is therefore not composed.
	AutoMode bool
	// ConfigNamespaces are the namespaces in which a ProviderConfig is composed too.
	ConfigNamespaces []string
	// Family is the provider family's package; nil unless it is to be composed.
	Family *Package
	// Teardown is how deletion is ordered.
	Teardown v1alpha1.Teardown
	// ClusterPending says that the cluster is only not known yet.
	ClusterPending bool
	// Tenant is a PodIdentityTenant in its resolved form, and TenantSpec its whole spec; nil for a PodIdentityProvider.
	Tenant     *Tenant
	TenantSpec *v1alpha1.PodIdentityTenantSpec
	// Sharing with tenants; nil for none.
	Sharing *Sharing
	// Services in the order of the spec.
	Services []*Service
	// Notes name values of existing resources that the defaults no longer have, and active kinds that the catalogue does not know.
	Notes []string
}

// A Package is a provider package and the Provider that installs it.
type Package struct {
	// Name of the Provider.
	Name string
	// Repository of the package, without a tag.
	Repository string
	// Source is the repository with a tag or digest.
	Source string
}

// A Service is one AWS service of the composite resource.
type Service struct {
	// Name of the service.
	Name string
	// Managed says whether the provider package is composed.
	Managed bool
	// Bootstrap says that the provider is one of those that create all identities, its own included.
	Bootstrap bool
	// Provider package.
	Provider Package
	// ServiceAccount that the provider runs as.
	ServiceAccount string
	// RoleARN is an existing role to use; empty if one is composed.
	RoleARN string
	// RoleName is the name of the composed role in AWS; empty while the cluster is not known.
	RoleName string
	// Path of the composed role and policies in AWS; empty for AWS's own.
	Path string
	// ObjectName is the Kubernetes name of the composed managed resources.
	ObjectName string
	// TrustPolicy of the composed role; empty while the cluster is not known.
	TrustPolicy string
	// Activation says which kinds the permissions are for; nil unless they follow the active kinds.
	Activation *Activation
	// Statements of the permissions to grant; none if the service brings its own role.
	Statements []iam.Statement
	// Policies to compose, which hold the statements. An empty one existed, and is not known.
	Policies []string
	// ManagedPolicyARNs to attach.
	ManagedPolicyARNs []string
	// ImportRole says that an existing role is adopted on purpose.
	ImportRole bool
	// AdoptPolicies says that existing policies are adopted on purpose.
	AdoptPolicies bool
	// AssociationID to import; empty to create one.
	AssociationID string
	// AdoptAssociation says that an existing association is to be adopted.
	AdoptAssociation bool
	// AdoptProvider says that a Provider without a controller is to be adopted, with its DeploymentRuntimeConfig.
	AdoptProvider bool
	// TargetRoleARN is the role that EKS assumes after the service's own; empty for none.
	TargetRoleARN string
	// FormerTargetRoleARN is an earlier target role, which the association still names; empty for none.
	FormerTargetRoleARN string
	// DisableSessionTags says that EKS is to leave out session tags.
	DisableSessionTags bool
	// Runtime of the provider.
	Runtime v1alpha1.Runtime
	// Flaws of the runtime. They affect this service alone.
	Flaws []Flaw
	// Notes on the runtime, for users: settings that may be intended, but are more often left over.
	Notes []string
	// VerifyCredentials says that the provider's pods are to be checked.
	VerifyCredentials bool
	// Settle is how long to wait after the association is ready before the Provider is created.
	Settle time.Duration
}

// Resolve resolves the composite resource. It fails with everything that is wrong with it.
func Resolve(v *view.View) (*Identity, field.ErrorList) {
	if errs := misplaced(v); len(errs) > 0 {
		return nil, errs
	}
	if v.Tenant != nil {
		return resolveTenant(v)
	}
	at, exists := field.NewPath("spec"), &made{v: v}
	s := exists.spec(v.Spec, at)
	id := &Identity{
		Spec:            s,
		Region:          s.Region,
		Partition:       iam.Partition(s.Region),
		Namespace:       cmp.Or(s.CrossplaneNamespace, defaultNamespace),
		BootstrapConfig: exists.bootstrapConfig(s, at),
		ProviderConfig:  providerConfigName(v),
		Teardown:        cmp.Or(s.Teardown, v1alpha1.TeardownOrdered),
	}
	if s.ProviderConfig != nil {
		id.ConfigNamespaces = s.ProviderConfig.Namespaces
	}
	if s.PodIdentityAgent != nil {
		id.Agent = s.PodIdentityAgent.Management == agentManaged
	}
	exists.providerConfig(s, at)

	errs := validate(at, s)
	errs = append(errs, validateProviderConfigName(at, v, id)...)
	if len(errs) == 0 {
		// An invalid spec must require nothing.
		id.resolveCluster(v)
		id.Cluster = exists.cluster(s, at, id.Cluster)
		id.resolveAgent(v)
	}
	id.Sharing = id.sharing(exists, at)
	if s.Provider != nil && s.Provider.Family == v1alpha1.FamilyManage {
		id.Family = family(s.Provider)
	}
	active := &definitions{v: v}
	for i := range s.Services {
		if len(errs) > view.MaxErrors {
			break
		}
		svc, serrs := id.service(v, exists, active, at.Child("services").Index(i), &s.Services[i])
		id.Services = append(id.Services, svc)
		errs = append(errs, serrs...)
	}
	errs = append(errs, validateUnique(at.Child("services"), s.Services, id.Services, id.Sharing != nil)...)
	errs = append(errs, id.validatePackages(v, at)...)
	errs = append(errs, id.validatePolicyNames(v, at.Child("services"))...)
	if len(errs) == 0 {
		errs = exists.errs
	}
	id.Notes = slices.Concat(exists.notes, id.strangeKinds())
	if len(errs) == 0 {
		id.checkRuntimes(v, at)
	}
	return id, errs
}

// providerConfigName never changes once the ProviderConfig exists: managed resources refer to it.
func providerConfigName(v *view.View) string {
	if o := v.Observed(ProviderConfigKey); o.Exists() {
		return o.Name()
	}
	if pc := v.Spec.ProviderConfig; pc != nil && pc.Name != "" {
		return pc.Name
	}
	if ns, name := v.Claim(); name != "" {
		return iam.Name(MaxProviderConfigName, ns, name)
	}
	return iam.Cut(v.XR.Name(), MaxProviderConfigName)
}

func (id *Identity) service(v *view.View, exists *made, active *definitions, at *field.Path, s *v1alpha1.Service) (*Service, field.ErrorList) {
	svc := &Service{
		Name:           s.Name,
		Managed:        s.Management != v1alpha1.ServiceObserved,
		ServiceAccount: exists.serviceAccount(s, at),
		RoleARN:        s.RoleARN,
		ImportRole:     isTrue(s.ImportRole) || isTrue(id.Spec.AdoptExisting),
		AssociationID:  s.AssociationID,
		TargetRoleARN:  s.TargetRoleARN,
		Runtime:        overlay(id.Spec.Runtime, s.Runtime),

		AdoptPolicies:      isTrue(id.Spec.AdoptExisting),
		AdoptAssociation:   isTrue(s.AdoptExistingAssociation) || isTrue(id.Spec.AdoptExisting),
		AdoptProvider:      isTrue(s.AdoptExistingProvider),
		DisableSessionTags: isTrue(s.DisableSessionTags),
		Settle:             defaultAssociationSettle,
	}
	if !svc.AdoptAssociation {
		svc.AssociationID = exists.associationID(s, at)
	}
	svc.FormerTargetRoleARN = formerTarget(v, s)
	svc.VerifyCredentials = isTrue(svc.Runtime.VerifyCredentials)
	if n := svc.Runtime.AssociationSettleSeconds; n != nil {
		svc.Settle = time.Duration(*n) * time.Second
	}
	if s.Permissions != nil {
		svc.ManagedPolicyARNs = s.Permissions.ManagedPolicyARNs
	}

	errs := validateService(at, s, homeOf(id.Spec))
	pkg, perrs := servicePackage(at, id.Spec.Provider, s)
	svc.Provider = pkg
	svc.Bootstrap = bootstraps(s.Name) || bootstraps(strings.TrimPrefix(path.Base(pkg.Repository), "provider-aws-"))
	if svc.Bootstrap && svc.Managed {
		errs = append(errs, field.Forbidden(at.Child("management"), "this provider creates the IAM roles and associations of all services: if it were removed, nothing could carry out the removal. "+
			"Install it as docs/bootstrap.md says, with an identity from there. Observe composes only an identity for it"))
	}
	errs = append(errs, perrs...)
	if svc.RoleARN == "" {
		svc.Activation = active.activation(s)
		errs = append(errs, svc.Activation.within(v, func() (_ []iam.Statement, perrs field.ErrorList) {
			svc.Statements, svc.Policies, perrs = policies(at, v, id.Partition, s, svc.FormerTargetRoleARN, svc.Activation)
			return svc.Statements, perrs
		})...)
	}
	if id.Cluster == "" {
		return svc, errs
	}

	spec := field.NewPath("spec")
	svc.RoleName = exists.roleName(id, s, spec, at)
	svc.ObjectName = ObjectName(svc.RoleName)
	if svc.RoleARN == "" {
		svc.Path = exists.path(id.Spec, svc, spec)
		trust, terrs := id.trustPolicy(svc)
		svc.TrustPolicy = trust
		errs = append(errs, terrs...)
	}
	return svc, errs
}

func (id *Identity) generatedRoleName(service string) string {
	return iam.Name(iam.MaxRoleName, id.namePrefix(), id.Cluster, id.Region, service)
}

// namePrefix returns the prefix of roles and policies.
func (id *Identity) namePrefix() string {
	if id.Spec.Role == nil {
		return defaultRolePrefix
	}
	return cmp.Or(id.Spec.Role.NamePrefix, defaultRolePrefix)
}

func (id *Identity) trustPolicy(s *Service) (string, field.ErrorList) {
	t := id.trust(s)
	if id.Spec.Role != nil {
		t.Conditions = conditions(id.Spec.Role.TrustConditions)
	}
	at := field.NewPath("spec", "role", "trustConditions")
	d, err := t.Document()
	if err != nil {
		return "", field.ErrorList{field.Forbidden(at, err.Error())}
	}
	doc := d.String()
	if n := iam.Size(doc); n > iam.MaxTrustPolicySize {
		return "", field.ErrorList{field.Invalid(at, field.OmitValueType{}, fmt.Sprintf("the trust policy has %d characters, AWS allows %d", n, iam.MaxTrustPolicySize))}
	}
	return doc, nil
}

func (id *Identity) trust(s *Service) iam.Trust {
	return iam.Trust{
		Region: id.Region, Cluster: id.Cluster, Namespace: id.Namespace, ServiceAccount: s.ServiceAccount,
		AccountID: id.Spec.AccountID, DisableSessionTags: s.DisableSessionTags,
	}
}

// TargetTrust is the trust policy that a service's target role needs, given the ARN of the service's own role and the external ID of
// its association; empty without a target role, and while the limits of the trust are not known.
func (id *Identity) TargetTrust(s *Service, roleARN, externalID string) string {
	if s.TargetRoleARN == "" || iam.ARNAccount(roleARN) == "" || s.DisableSessionTags && externalID == "" {
		return ""
	}
	return iam.TargetTrust(id.trust(s), roleARN, externalID).String()
}

// formerTarget is the target role that a service's association still has, if the spec has another one or none. Its permission stays
// until the provider has changed the association, and for good if that has to be deleted: without it, pods get no credentials.
func formerTarget(v *view.View, s *v1alpha1.Service) string {
	o := v.Observed(AssociationKey(s.Name))
	arn := cmp.Or(o.String("status", "atProvider", "targetRoleArn"), o.String("spec", "forProvider", "targetRoleArn"))
	if arn == s.TargetRoleARN || iam.CheckRoleARN(arn, iam.ARNPartition(arn)) != "" {
		return ""
	}
	return arn
}

// overlay puts a service's runtime over that of all services, field by field; maps merge.
func overlay(base, over *v1alpha1.Runtime) v1alpha1.Runtime {
	switch {
	case base == nil && over == nil:
		return v1alpha1.Runtime{}
	case base == nil:
		return *over
	case over == nil:
		return *base
	}
	r := *over
	fill(&r.Replicas, base.Replicas)
	fill(&r.Affinity, base.Affinity)
	fill(&r.Resources, base.Resources)
	fill(&r.DeploymentTemplate, base.DeploymentTemplate)
	fill(&r.ServiceAccountTemplate, base.ServiceAccountTemplate)
	fill(&r.VerifyCredentials, base.VerifyCredentials)
	fill(&r.AssociationSettleSeconds, base.AssociationSettleSeconds)
	r.PriorityClassName = cmp.Or(r.PriorityClassName, base.PriorityClassName)
	if r.Args == nil {
		r.Args = base.Args
	}
	if r.Env == nil {
		r.Env = base.Env
	}
	if r.Tolerations == nil {
		r.Tolerations = base.Tolerations
	}
	r.NodeSelector = union(base.NodeSelector, r.NodeSelector)
	r.PodLabels = union(base.PodLabels, r.PodLabels)
	r.PodAnnotations = union(base.PodAnnotations, r.PodAnnotations)
	return r
}

func fill[T any](p **T, base *T) {
	if *p == nil {
		*p = base
	}
}

func union(base, over map[string]string) map[string]string {
	if len(base) == 0 {
		return over
	}
	m := make(map[string]string, len(base)+len(over))
	maps.Copy(m, base)
	maps.Copy(m, over)
	return m
}
