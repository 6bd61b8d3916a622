package v1alpha1

import (
	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A PodIdentityTenant gives one team an IAM role of its own on shared AWS providers: it composes the role with its
// policies, which only the providers of a PodIdentityProvider can assume, and the ProviderConfigs that lead there. The provider
// packages are the host's: the team needs no right to install any.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=podidentitytenants,shortName=pit,categories={crossplane,composite,aws}
// +kubebuilder:printcolumn:name="HOST",type="string",JSONPath=".status.host"
// +kubebuilder:printcolumn:name="SERVICES",type="string",JSONPath=".status.serviceNames"
// +kubebuilder:printcolumn:name="PROVIDERCONFIG",type="string",JSONPath=".status.providerConfigRefs[0].name"
// +kubebuilder:printcolumn:name="STATUS",type="string",JSONPath=".status.summary"
// +kubebuilder:printcolumn:name="CLUSTER",type="string",JSONPath=".status.clusterName",priority=1
// +kubebuilder:printcolumn:name="ROLE",type="string",JSONPath=".status.roleName",priority=1
type PodIdentityTenant struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the desired role.
	Spec PodIdentityTenantSpec `json:"spec"`

	// Status is the observed state.
	// +optional
	Status PodIdentityTenantStatus `json:"status,omitempty"`
}

// A PodIdentityTenantSpec is the desired role. Region and cluster are the host's.
//
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.providerRef) || has(self.providerRef) && self.providerRef == oldSelf.providerRef",message="providerRef is immutable"
// +kubebuilder:validation:XValidation:rule="(has(self.roleArn) && self.roleArn != \"\") == (has(oldSelf.roleArn) && oldSelf.roleArn != \"\")",message="roleArn cannot be added or removed later"
// +kubebuilder:validation:XValidation:rule="!has(self.roleArn) || self.roleArn == \"\" || !has(self.role) && self.services.all(s, !has(s.permissions))",message="roleArn brings its own permissions and name: it excludes role and permissions"
// +kubebuilder:validation:XValidation:rule="!has(self.externalId) || self.externalId == \"\" || has(self.roleArn) && self.roleArn != \"\"",message="externalId is only for a roleArn: a composed role has its own"
type PodIdentityTenantSpec struct {
	// ProviderRef names the PodIdentityProvider whose providers are used: the host. Required here or in the platform team's
	// defaults. Immutable.
	// +optional
	ProviderRef *ProviderReference `json:"providerRef,omitempty"`

	// Services are the AWS services that the role is for, at most 20. The host must share each of them.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Services []TenantService `json:"services"`

	// Role configures the IAM role. Excludes roleArn.
	// +optional
	Role *TenantRole `json:"role,omitempty"`

	// RoleARN is an IAM role that exists and is managed elsewhere: no role, policy or attachment is composed. It must be below
	// the host's role path (status.sharing.rolePath of the host), for a claim below the claim's namespace there, in the cluster's
	// account or one of sharing.accounts, and trust the host's providers: status.trustPolicy is ready to paste. Excludes role and permissions. It can be changed,
	// but neither added nor removed later.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^(arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+)?$`
	RoleARN string `json:"roleArn,omitempty"`

	// ExternalID that the trust policy of roleArn asks for: 2 to 1,224 letters, digits and +=,.@:/_-. A composed
	// role has one of its own.
	// +optional
	// +kubebuilder:validation:MaxLength=1224
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9_+=,.@:/-]{2,})?$`
	ExternalID string `json:"externalId,omitempty"`

	// ProviderConfig configures the ProviderConfigs that managed resources of the team use.
	// +optional
	ProviderConfig *TenantProviderConfig `json:"providerConfig,omitempty"`

	// ProviderConfigRef names the aws.upbound.io ProviderConfig that the composed IAM managed resources themselves use: the
	// bootstrap identity of the account that the role is to be in. Default: default.
	// +optional
	ProviderConfigRef *ProviderConfigReference `json:"providerConfigRef,omitempty"`

	// Tags are put on the composed IAM role and policies. At most 47, as the provider adds three (crossplane-kind, crossplane-name,
	// crossplane-providerconfig); keys of 1 to 128 characters that do not begin with aws:, and are neither those three nor those of
	// EKS's session tags (eks-cluster-name, kubernetes-namespace and so on), in any letter case; values of at most 256; letters,
	// digits, spaces and _.:/=+-@.
	// +optional
	// +kubebuilder:validation:MaxProperties=47
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() >= 1 && k.size() <= 128 && self[k].size() <= 256 && !k.lowerAscii().startsWith('aws:'))",message="a tag has a key of 1 to 128 characters that does not begin with aws:, and a value of at most 256"
	// +kubebuilder:validation:XValidation:rule="!self.exists(k, k.lowerAscii() in ['eks-cluster-arn', 'eks-cluster-name', 'kubernetes-namespace', 'kubernetes-service-account', 'kubernetes-pod-name', 'kubernetes-pod-uid', 'crossplane-kind', 'crossplane-name', 'crossplane-providerconfig'])",message="keys of EKS's session tags and of the provider cannot be set"
	Tags map[string]string `json:"tags,omitempty"`

	// ManagementPolicies are what the provider may do with the composed IAM resources in AWS: [Observe] only watches existing resources.
	// Default: [Observe, Create, Update, Delete].
	// +optional
	// +listType=atomic
	ManagementPolicies []ManagementAction `json:"managementPolicies,omitempty"`

	// DeletionPolicy says what happens to the composed IAM resources when this object is deleted: Delete removes them from AWS, Orphan
	// leaves them there. Default: Delete.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// Teardown says how deletion is ordered: Ordered uses Usages to keep what managed resources still need, Unordered lets Kubernetes
	// delete everything at once. Default: Ordered.
	// +optional
	Teardown Teardown `json:"teardown,omitempty"`
}

// A ProviderReference names a PodIdentityProvider.
type ProviderReference struct {
	// Name of the PodIdentityProvider.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
}

// A TenantService is an AWS service that a tenant's role is for.
type TenantService struct {
	// Name of the service, for example s3. The host must have it.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// Permissions are what the role may do in AWS. Default: accessLevel Full, everything of the service.
	// +optional
	Permissions *Permissions `json:"permissions,omitempty"`
}

// A TenantRole configures a tenant's IAM role.
type TenantRole struct {
	// Description of the role in IAM, at most 1,000 printable Latin-1 characters without no-break spaces.
	// +optional
	// +kubebuilder:validation:MaxLength=1000
	// +kubebuilder:validation:Pattern=`^[\t\n\r -~¡-ÿ]*$`
	Description string `json:"description,omitempty"`

	// PermissionsBoundary is the ARN of a policy that limits what the role may do, whatever its policies say.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^(arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/[A-Za-z0-9_+=,.@/-]+)?$`
	PermissionsBoundary string `json:"permissionsBoundary,omitempty"`

	// MaxSessionDuration is how long a session of the role may last, in seconds, 3,600 to 43,200. Default: AWS's own, 3,600.
	// Providers ask for 15 minutes, whatever this says.
	// +optional
	// +kubebuilder:validation:Minimum=3600
	// +kubebuilder:validation:Maximum=43200
	MaxSessionDuration *int64 `json:"maxSessionDuration,omitempty"`

	// SeparateServices lets each provider use only the statements of its own service, though all assume the one role: every
	// statement that allows something gets a condition on the session tag of the provider's ServiceAccount. managedPolicyArns cannot
	// be separated. Without effect where the host disables session tags for a service of the tenant. Default: true.
	// +optional
	SeparateServices *bool `json:"separateServices,omitempty"`
}

// A TenantProviderConfig configures the ProviderConfigs of a tenant.
type TenantProviderConfig struct {
	// Name of the ProviderConfigs, at most 63 characters. Default: of the cluster-scoped one <namespace>-<name> of the claim, of that
	// in the claim's namespace the claim's name; without a claim the name of this object. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// AssumeRoleChain are further roles that are assumed after the tenant's, one after the other. Permission to assume the first is
	// added to the role.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	AssumeRoleChain []AssumeRole `json:"assumeRoleChain,omitempty"`
}

// A PodIdentityTenantStatus is the observed state of a tenant's role.
type PodIdentityTenantStatus struct {
	// ConditionedStatus holds the conditions of the composite resource. Besides Crossplane's own (Ready, Synced) the function sets
	// those that conditions.go describes.
	xpv1.ConditionedStatus `json:",inline"`

	// Summary is one line for people: Ready, or the gravest problem, or the first thing that is waited for.
	// +optional
	Summary string `json:"summary,omitempty"`

	// Phase sums up how far everything is.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// Host is the name of the PodIdentityProvider whose providers are used.
	// +optional
	Host string `json:"host,omitempty"`

	// Region is the AWS region of the host's cluster.
	// +optional
	Region string `json:"region,omitempty"`

	// ClusterName is the host's EKS cluster.
	// +optional
	ClusterName string `json:"clusterName,omitempty"`

	// RoleName is the name of the IAM role.
	// +optional
	RoleName string `json:"roleName,omitempty"`

	// RoleARN is the ARN of the IAM role.
	// +optional
	RoleARN string `json:"roleArn,omitempty"`

	// ExternalID is what the role's trust policy asks for, and the ProviderConfigs send.
	// +optional
	ExternalID string `json:"externalId,omitempty"`

	// TrustPolicy of the role; for a roleArn the one that it needs, ready to paste.
	// +optional
	TrustPolicy string `json:"trustPolicy,omitempty"`

	// PolicyARNs are the policies attached to the role.
	// +optional
	// +listType=atomic
	PolicyARNs []string `json:"policyArns,omitempty"`

	// ProviderConfigRefs are the ProviderConfigs that managed resources refer to in their spec.providerConfigRef: cluster-scoped
	// ones to the first, those in the claim's namespace to the one there.
	// +optional
	// +listType=atomic
	ProviderConfigRefs []NamespacedReference `json:"providerConfigRefs,omitempty"`

	// ServiceNames are the names of the services, separated by commas. For kubectl get.
	// +optional
	ServiceNames string `json:"serviceNames,omitempty"`

	// PlatformConfiguration is the hash of the configuration that the function reads with --config: the rules that hold for this
	// object. Empty without a configuration.
	// +optional
	PlatformConfiguration string `json:"platformConfiguration,omitempty"`

	// Services has one entry for every service of the spec.
	// +optional
	// +listType=map
	// +listMapKey=name
	Services []TenantServiceStatus `json:"services,omitempty"`
}

// A NamespacedReference refers to an object of some kind, which may be in a namespace.
type NamespacedReference struct {
	// APIVersion of the object.
	APIVersion string `json:"apiVersion"`
	// Kind of the object.
	Kind string `json:"kind"`
	// Name of the object.
	Name string `json:"name"`
	// Namespace of the object; empty if it is cluster-scoped.
	// +optional
	Namespace string `json:"namespace,omitempty"`
}

// A TenantServiceStatus is how far one service of a tenant is.
type TenantServiceStatus struct {
	// Name of the service.
	Name string `json:"name"`

	// Phase: Waiting (a prerequisite is missing), Creating (not all ready yet), Failed (a resource reports an error, which message
	// quotes), Conflict (another owner has what is needed), Ready.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// Message says what is waited for or what failed, and what to do. Empty when the service is ready.
	// +optional
	Message string `json:"message,omitempty"`

	// ProviderName is the name of the host's Provider.
	// +optional
	ProviderName string `json:"providerName,omitempty"`

	// ProviderRevision is the name of its active ProviderRevision.
	// +optional
	ProviderRevision string `json:"providerRevision,omitempty"`

	// ActiveKinds are the kinds that the permissions for the service are for, sorted. Only with permissions.kinds: Active. They are
	// recorded here, because Crossplane never deactivates a kind: activation policies that can no longer be read change nothing.
	// +optional
	// +listType=atomic
	ActiveKinds []string `json:"activeKinds,omitempty"`
}
