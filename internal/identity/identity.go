// Package identity works out what a composite resource asks for: every default applied, every name, policy and package
// known, everything checked. It says what is wanted; package resources says how, and package plan when.
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

// An Identity is what a composite resource asks for.
type Identity struct {
	// Spec of the composite resource, for what is passed on as it is.
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
	// AgentUnknown says that nobody told yet whether the cluster has the agent already.
	AgentUnknown bool
	// AutoMode says that it has, and that the add-on that was asked for is not composed for that.
	AutoMode bool
	// ConfigNamespaces are the namespaces in which a ProviderConfig is composed too.
	ConfigNamespaces []string
	// Family is the provider family's package; nil unless it is to be composed.
	Family *Package
	// Teardown is how deletion is ordered.
	Teardown v1alpha1.Teardown
	// ClusterPending says that it is only not known yet.
	ClusterPending bool
	// Tenant is what a PodIdentityTenant asks for, and TenantSpec its whole spec; nil of a PodIdentityProvider.
	Tenant     *Tenant
	TenantSpec *v1alpha1.PodIdentityTenantSpec
	// Sharing with tenants; nil for none.
	Sharing *Sharing
	// Services in the order of the spec.
	Services []*Service
	// Notes say where what exists keeps what the defaults say otherwise today, and which active kinds the catalogue does not know.
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

// A Service is what the composite resource asks for one AWS service.
type Service struct {
	// Name of the service.
	Name string
	// Managed says whether the provider package is composed.
	Managed bool
	// Bootstrap says that the provider is one of those that create the identities of all, its own included.
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
	// Activation says which kinds the permissions are for; nil unless they follow what is active.
	Activation *Activation
	// Statements of the permissions to grant; none if the service brings its own role.
	Statements []iam.Statement
	// Policies to compose, which hold the statements. One that is empty was there, and is not known.
	Policies []string
	// ManagedPolicyARNs to attach.
	ManagedPolicyARNs []string
	// ImportRole says that an existing role is taken over on purpose.
	ImportRole bool
	// AdoptPolicies says that existing policies are taken over on purpose.
	AdoptPolicies bool
	// AssociationID to import; empty to create one.
	AssociationID string
	// AdoptAssociation says that an existing association is to be taken over.
	AdoptAssociation bool
	// AdoptProvider says that a Provider that nobody controls is to be taken over, with its DeploymentRuntimeConfig.
	AdoptProvider bool
	// TargetRoleARN is the role that EKS assumes after the service's own; empty for none.
	TargetRoleARN string
	// FormerTargetRoleARN is another one, which the association still has it assume; empty for none.
	FormerTargetRoleARN string
	// DisableSessionTags says that EKS is to leave out session tags.
	DisableSessionTags bool
	// Runtime of the provider.
	Runtime v1alpha1.Runtime
	// Flaws of the runtime. They concern this service alone.
	Flaws []Flaw
	// Notes on the runtime, for people: what may be meant, and more often is left over.
	Notes []string
	// VerifyCredentials says that the provider's pods are to be looked at.
	VerifyCredentials bool
	// Settle is how long to wait after the association is ready before the Provider is created.
	Settle time.Duration
}

// Resolve what the composite resource asks for. It fails with everything that is wrong with it.
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
		// A spec that is wrong must ask for nothing.
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

// namePrefix of roles and policies.
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

// TargetTrust is the trust policy that a service's target role needs, given what is known of the service's own role and
// association; empty without a target role, and while what limits the trust is not known.
func (id *Identity) TargetTrust(s *Service, roleARN, externalID string) string {
	if s.TargetRoleARN == "" || iam.ARNAccount(roleARN) == "" || s.DisableSessionTags && externalID == "" {
		return ""
	}
	return iam.TargetTrust(id.trust(s), roleARN, externalID).String()
}

// formerTarget is the role that a service's association has EKS assume, where the spec wants another or none. It stays until the
// provider has changed that, and for good if the association has to be deleted: without leave to assume it, pods get no credentials.
func formerTarget(v *view.View, s *v1alpha1.Service) string {
	o := v.Observed(AssociationKey(s.Name))
	arn := cmp.Or(o.String("status", "atProvider", "targetRoleArn"), o.String("spec", "forProvider", "targetRoleArn"))
	if arn == s.TargetRoleARN || iam.CheckRoleARN(arn, iam.ARNPartition(arn)) != "" {
		return ""
	}
	return arn
}

// overlay a service's runtime on that of all services, field by field; maps merge.
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
