package v1alpha1

import (
	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A PodIdentityProvider gives Crossplane's AWS providers an identity on EKS: for every service that it lists it composes
// an IAM role with its policies, an EKS Pod Identity association, the provider package with a matching ServiceAccount,
// and one ProviderConfig for all of them, in the order that lets every provider pod start with credentials.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=podidentityproviders,shortName=pip,categories={crossplane,composite,aws}
// +kubebuilder:printcolumn:name="SERVICES",type="string",JSONPath=".status.serviceNames"
// +kubebuilder:printcolumn:name="PROVIDERCONFIG",type="string",JSONPath=".status.providerConfigRef.name"
// +kubebuilder:printcolumn:name="STATUS",type="string",JSONPath=".status.summary"
// +kubebuilder:printcolumn:name="CLUSTER",type="string",JSONPath=".status.clusterName",priority=1
// +kubebuilder:printcolumn:name="REGION",type="string",JSONPath=".status.region",priority=1
type PodIdentityProvider struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the desired identity.
	Spec PodIdentityProviderSpec `json:"spec"`

	// Status is the observed state.
	// +optional
	Status PodIdentityProviderStatus `json:"status,omitempty"`
}

// A PodIdentityProviderSpec is the desired identity.
//
// +kubebuilder:validation:XValidation:rule="[has(self.clusterName), has(self.clusterNameRef), has(self.clusterNameSelector)].filter(x, x).size() <= 1",message="at most one of clusterName, clusterNameRef and clusterNameSelector may be set"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.region) || has(self.region) && self.region == oldSelf.region",message="region is immutable"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.clusterName) || has(self.clusterName) && self.clusterName == oldSelf.clusterName",message="clusterName is immutable"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.clusterNameRef) || has(self.clusterNameRef) && self.clusterNameRef == oldSelf.clusterNameRef",message="clusterNameRef is immutable"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.clusterNameSelector) || has(self.clusterNameSelector) && self.clusterNameSelector == oldSelf.clusterNameSelector",message="clusterNameSelector is immutable"
// +kubebuilder:validation:XValidation:rule="(has(self.role) && has(self.role.namePrefix) ? self.role.namePrefix : \"\") == (has(oldSelf.role) && has(oldSelf.role.namePrefix) ? oldSelf.role.namePrefix : \"\")",message="role.namePrefix is immutable"
// +kubebuilder:validation:XValidation:rule="(has(self.role) && has(self.role.path) ? self.role.path : \"\") == (has(oldSelf.role) && has(oldSelf.role.path) ? oldSelf.role.path : \"\")",message="role.path is immutable"
// +kubebuilder:validation:XValidation:rule="!has(self.sharing) || !has(oldSelf.sharing) || (has(self.sharing.rolePath) ? self.sharing.rolePath : \"\") == (has(oldSelf.sharing.rolePath) ? oldSelf.sharing.rolePath : \"\")",message="sharing.rolePath is immutable"
// +kubebuilder:validation:XValidation:rule="!has(self.sharing) || !has(self.services) || self.services.all(s, !has(s.targetRoleArn) || s.targetRoleArn == \"\")",message="targetRoleArn cannot be used together with sharing: the provider would run as that role, and tenants trust the service's own"
type PodIdentityProviderSpec struct {
	// Region is the AWS region of the EKS cluster, for example eu-west-1. Its partition (aws, aws-cn, aws-us-gov ...) decides
	// how ARNs are written. Required here or in the platform team's defaults. Immutable.
	// +optional
	// +kubebuilder:validation:Pattern=`^[a-z]{2,4}(-[a-z]+)+-[0-9]+$`
	Region string `json:"region,omitempty"`

	// ClusterName is the name of the EKS cluster that runs the providers. Exactly one of clusterName, clusterNameRef and
	// clusterNameSelector is required, here or in the Input's defaults. Immutable. 1 to 100 characters, as EKS allows:
	// https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
	// +optional
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z][A-Za-z0-9_-]*$`
	ClusterName string `json:"clusterName,omitempty"`

	// ClusterNameRef names a Cluster of eks.aws.upbound.io whose EKS cluster runs the providers, for example one that is
	// composed next to this object. The identity waits until it exists and has a name in EKS. Immutable.
	// +optional
	ClusterNameRef *ClusterReference `json:"clusterNameRef,omitempty"`

	// ClusterNameSelector selects the one Cluster of eks.aws.upbound.io whose EKS cluster runs the providers. No match, or
	// more than one, leaves the identity waiting (condition PrerequisitesReady, reason Missing). Immutable.
	// +optional
	ClusterNameSelector *ClusterSelector `json:"clusterNameSelector,omitempty"`

	// AccountID is the AWS account of the cluster: 12 digits, in quotes. Optional: it limits the roles' trust policies to
	// requests that EKS makes for this account and cluster (aws:SourceAccount, aws:SourceArn).
	// +optional
	// +kubebuilder:validation:Pattern=`^[0-9]{12}$`
	AccountID string `json:"accountId,omitempty"`

	// Services are the AWS services whose providers get an identity, each with its own role and ServiceAccount. A service
	// can have one identity in a cluster: another object that lists it too gets condition reason Conflict.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=200
	Services []Service `json:"services"`

	// Role configures every composed IAM role. It has no effect on services with a roleArn.
	// +optional
	Role *Role `json:"role,omitempty"`

	// Tags are put on every composed IAM role, policy, association and add-on. At most 47, as the provider adds three (crossplane-kind,
	// crossplane-name, crossplane-providerconfig); keys of 1 to 128 characters that do not begin with aws:, and are neither those three
	// nor those of EKS's session tags (eks-cluster-name, kubernetes-namespace and so on), in any letter case; values of at most 256;
	// letters, digits, spaces and _.:/=+-@.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
	// +optional
	// +kubebuilder:validation:MaxProperties=47
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() >= 1 && k.size() <= 128 && self[k].size() <= 256 && !k.lowerAscii().startsWith('aws:'))",message="a tag has a key of 1 to 128 characters that does not begin with aws:, and a value of at most 256"
	// +kubebuilder:validation:XValidation:rule="!self.exists(k, k.lowerAscii() in ['eks-cluster-arn', 'eks-cluster-name', 'kubernetes-namespace', 'kubernetes-service-account', 'kubernetes-pod-name', 'kubernetes-pod-uid', 'crossplane-kind', 'crossplane-name', 'crossplane-providerconfig'])",message="keys of EKS's session tags and of the provider cannot be set"
	Tags map[string]string `json:"tags,omitempty"`

	// Provider configures every composed provider package: from where, in which version, and how it is installed.
	// +optional
	Provider *Provider `json:"provider,omitempty"`

	// Runtime configures how the providers run in the cluster (their DeploymentRuntimeConfig).
	// +optional
	Runtime *Runtime `json:"runtime,omitempty"`

	// ProviderConfig configures the ProviderConfig that managed resources of all the services use.
	// +optional
	ProviderConfig *ProviderConfig `json:"providerConfig,omitempty"`

	// ProviderConfigRef names the aws.upbound.io ProviderConfig that the composed IAM and EKS managed resources themselves
	// use: the bootstrap identity, which must not be one that a PodIdentityProvider composes. Default: default.
	// +optional
	ProviderConfigRef *ProviderConfigReference `json:"providerConfigRef,omitempty"`

	// ManagementPolicies are what the providers may do with the composed IAM and EKS resources in AWS: [Observe] only watches existing
	// resources. Default: [Observe, Create, Update, Delete], so that what you remove from this object is deleted in AWS, too.
	// With LateInitialize, and with "*", which includes it, a provider fills in the values from AWS for fields that you leave out.
	// https://docs.crossplane.io/latest/managed-resources/managed-resources/#managementpolicies
	// +optional
	// +listType=atomic
	ManagementPolicies []ManagementAction `json:"managementPolicies,omitempty"`

	// AdoptExisting adopts all resources of this object that exist in AWS already: the roles, policies and associations of its services,
	// by their names and ServiceAccounts, as importRole and adoptExistingAssociation do for one service. It is meant for a cluster that
	// was rebuilt over the same AWS account. They are changed to what this object says, and deleted with it. Nothing else is adopted.
	// Without it, existing resources are reported and left alone. Default: false.
	// +optional
	AdoptExisting *bool `json:"adoptExisting,omitempty"`

	// DeletionPolicy says what happens to the composed IAM and EKS resources when this object is deleted: Delete removes them
	// from AWS, Orphan leaves them there. It does not concern Providers and their CRDs. Default: Delete.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// Teardown says how deletion is ordered: Ordered uses Usages to keep what managed resources still need, Unordered lets
	// Kubernetes delete everything at once. Default: Ordered.
	// +optional
	Teardown Teardown `json:"teardown,omitempty"`

	// PodIdentityAgent configures the EKS add-on that hands credentials to pods.
	// +optional
	PodIdentityAgent *PodIdentityAgent `json:"podIdentityAgent,omitempty"`

	// CrossplaneNamespace is the namespace that Crossplane and its providers run in: associations are made for
	// ServiceAccounts there. The function cannot find it out. Default: crossplane-system. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	CrossplaneNamespace string `json:"crossplaneNamespace,omitempty"`

	// Sharing lets PodIdentityTenants use the providers of this object, each with an IAM role of its own: every service gets one more
	// policy, which allows its provider to assume the roles of tenants. Even an empty object shares. If you give the services accessLevel
	// None, a provider can do nothing without a role of a tenant. Excludes services[].targetRoleArn. Default: not shared.
	// +optional
	Sharing *Sharing `json:"sharing,omitempty"`
}

// A ClusterReference names a Cluster managed resource.
type ClusterReference struct {
	// Name of the Cluster of eks.aws.upbound.io.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
}

// A ClusterSelector selects a Cluster managed resource.
//
// +kubebuilder:validation:XValidation:rule="has(self.matchLabels) && self.matchLabels.size() > 0 || has(self.matchControllerRef) && self.matchControllerRef",message="matchLabels or matchControllerRef is required"
type ClusterSelector struct {
	// MatchLabels are the labels that the Cluster must have, all of them.
	// +optional
	// +kubebuilder:validation:MaxProperties=20
	MatchLabels map[string]string `json:"matchLabels,omitempty"`

	// MatchControllerRef selects only a Cluster with the same controller as this composite resource: one composed by the
	// same parent. Default: false.
	// +optional
	MatchControllerRef *bool `json:"matchControllerRef,omitempty"`
}

// A ProviderConfigReference names a ProviderConfig.
type ProviderConfigReference struct {
	// Name of the ProviderConfig, at most 63 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// A ManagementAction is something that a provider may do with an AWS resource.
// https://docs.crossplane.io/latest/managed-resources/managed-resources/#managementpolicies
//
// +kubebuilder:validation:Enum=Observe;Create;Update;Delete;LateInitialize;*
type ManagementAction string

// A DeletionPolicy says what happens in AWS when a managed resource is deleted.
//
// +kubebuilder:validation:Enum=Delete;Orphan
type DeletionPolicy string

// The deletion policies.
const (
	DeletionDelete DeletionPolicy = "Delete"
	DeletionOrphan DeletionPolicy = "Orphan"
)

// A Teardown is how deletion is ordered.
//
// +kubebuilder:validation:Enum=Ordered;Unordered
type Teardown string

// The ways to order a deletion.
const (
	TeardownOrdered   Teardown = "Ordered"
	TeardownUnordered Teardown = "Unordered"
)

// A PodIdentityAgent configures the EKS add-on eks-pod-identity-agent. EKS Auto Mode has the agent built in and needs none.
type PodIdentityAgent struct {
	// Management of the add-on: Managed composes it, None leaves it to you. Managed adopts an add-on that exists already: its
	// version and tags follow this object. The add-on is never deleted, since all pods of the cluster depend on it: if you delete
	// this object or set None, only its managed resource is deleted. One object for each cluster can manage it. Default: None.
	// +optional
	// +kubebuilder:validation:Enum=Managed;None
	Management string `json:"management,omitempty"`

	// Version of the add-on, for example v1.3.4-eksbuild.1. aws eks describe-addon-versions lists them. Default: the one that
	// EKS chooses.
	// +optional
	// +kubebuilder:validation:Pattern=`^(v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?)?$`
	Version string `json:"version,omitempty"`
}

// A PodIdentityProviderStatus is the observed state of the identity.
type PodIdentityProviderStatus struct {
	// ConditionedStatus holds the conditions of the composite resource. Besides Crossplane's own (Ready, Synced) the
	// function sets those that conditions.go describes.
	xpv1.ConditionedStatus `json:",inline"`

	// Summary is one line for people: Ready, or the gravest problem, or the first thing that is waited for. The conditions and
	// services[].message say all of it, and what to do.
	// +optional
	Summary string `json:"summary,omitempty"`

	// ClusterName is the EKS cluster, as given or as resolved from the reference or selector.
	// +optional
	ClusterName string `json:"clusterName,omitempty"`

	// Region is the AWS region in use.
	// +optional
	Region string `json:"region,omitempty"`

	// ServiceNames are the names of the services, separated by commas. For kubectl get.
	// +optional
	ServiceNames string `json:"serviceNames,omitempty"`

	// ProviderConfigRef is the ProviderConfig that managed resources refer to in their spec.providerConfigRef.
	// +optional
	ProviderConfigRef *TypedReference `json:"providerConfigRef,omitempty"`

	// PlatformConfiguration is the hash of the configuration that the function reads with --config: the rules that hold for this
	// object. The function's log and its metric podidentity_configuration_info have the same hash. Empty without a configuration.
	// +optional
	PlatformConfiguration string `json:"platformConfiguration,omitempty"`

	// Sharing is what tenants need to know. Only with spec.sharing.
	// +optional
	Sharing *SharingStatus `json:"sharing,omitempty"`

	// Services has one entry for every service of the spec.
	// +optional
	// +listType=map
	// +listMapKey=name
	Services []ServiceStatus `json:"services,omitempty"`
}

// A TypedReference refers to an object of some kind.
type TypedReference struct {
	// APIVersion of the object.
	APIVersion string `json:"apiVersion"`
	// Kind of the object.
	Kind string `json:"kind"`
	// Name of the object.
	Name string `json:"name"`
}
