// Package v1beta1 contains the function's Input: what the platform team sets in the Composition.
//
// +kubebuilder:object:generate=true
// +groupName=podidentity.fn.crossplane.io
// +versionName=v1beta1
package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

// An Input is what the platform team decides: defaults, guardrails, what claims may set, and how prerequisites are treated. All of
// it is optional.
//
// The file that the function reads with --config, the function's configuration, has the same shape. It applies to every call,
// whichever Composition a claim gets. An Input of a Composition adds to it: its defaults override those of the file, and its
// guardrails and claims only narrow.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:resource:categories=crossplane
type Input struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Defaults have the shape of the composite resource's spec. What the composite resource sets wins, field by field; maps
	// merge; lists are taken whole. Entries of services apply to the service of that name where the composite resource lists
	// it, and add none.
	// +optional
	Defaults *Defaults `json:"defaults,omitempty"`

	// ProviderVersion is the version of the provider packages where nothing else sets one: neither the composite resource, nor any
	// defaults, those of the file included. The Composition that comes with the API has it, so that your defaults decide.
	// +optional
	ProviderVersion string `json:"providerVersion,omitempty"`

	// Guardrails limit what a composite resource may ask for.
	// +optional
	Guardrails *Guardrails `json:"guardrails,omitempty"`

	// Namespaces have defaults and guardrails for the claims of some namespaces. All entries that match apply, in addition to the general
	// defaults and guardrails.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=200
	Namespaces []Namespaces `json:"namespaces,omitempty"`

	// Claims say what claims may set in addition to the fields of a team's own identity. Everything else is refused in a claim.
	// +optional
	Claims *Claims `json:"claims,omitempty"`

	// Prerequisites says how to treat kinds that other packages install (provider-aws-iam, provider-aws-eks, the provider
	// family). Verify creates a managed resource only once its kind is proven to exist, so that a half-installed cluster
	// never wedges. Assume trusts that they exist: only for clusters where they always do. Default: Verify.
	// +optional
	Prerequisites Prerequisites `json:"prerequisites,omitempty"`

	// Preview shows the full eventual set of resources, even if some of them are not ready yet. For local rendering only: it is refused
	// on a live cluster, where it would defeat the order that provider pods depend on. Default: false.
	// +optional
	Preview bool `json:"preview,omitempty"`

	// UsageKind is the kind of the objects that order deletion (teardown: Ordered). Usage, of apiextensions.crossplane.io/v1beta1,
	// works with Crossplane v1.19 and later and with v2, which calls it deprecated. ClusterUsage, of protection.crossplane.io/v1beta1,
	// works with v2 only. Existing objects keep their kind. Default: Usage.
	// +optional
	UsageKind UsageKind `json:"usageKind,omitempty"`

	// TTL is how long Crossplane may take until it looks again when everything is ready and nothing happens: a duration such
	// as 90s or 10m, 1m to 1h. Default: 5m.
	// +optional
	TTL *metav1.Duration `json:"ttl,omitempty"`
}

// Defaults of composite resources.
type Defaults struct {
	v1alpha1.PodIdentityProviderSpec `json:",inline"`

	// ProviderRef is the host of a PodIdentityTenant that names none. Of the other defaults a tenant takes those that its spec has, too.
	// +optional
	ProviderRef *v1alpha1.ProviderReference `json:"providerRef,omitempty"`
}

// Namespaces are defaults and guardrails for the claims of some namespaces.
type Namespaces struct {
	// Match are patterns (* and ?) of namespaces of claims, for example team-a or team-*. A claim in a namespace that matches one
	// of them gets this entry. A composite resource without a claim gets none.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	Match []string `json:"match"`

	// Defaults override the general ones, and those of later entries override those of earlier entries.
	// +optional
	Defaults *Defaults `json:"defaults,omitempty"`

	// Guardrails limit claims further. The general ones, and those of other entries that match, hold too.
	// +optional
	Guardrails *Guardrails `json:"guardrails,omitempty"`
}

// Claims say what claims may set.
type Claims struct {
	// AllowedFields are fields of the spec that a claim may set, although it usually cannot: paths such as
	// services[].runtime.resources, or patterns (* and ?) such as runtime.*. A path opens everything below it, too. Defaults are
	// not the claim's: they may use every field. docs/claims.md says what each field is about. Default: none.
	// +optional
	// +listType=set
	AllowedFields []string `json:"allowedFields,omitempty"`
}

// Prerequisites says how to treat kinds that other packages install.
//
// +kubebuilder:validation:Enum=Verify;Assume
type Prerequisites string

// How to treat kinds that other packages install.
const (
	PrerequisitesVerify Prerequisites = "Verify"
	PrerequisitesAssume Prerequisites = "Assume"
)

// A UsageKind is a kind of the objects that order deletion.
//
// +kubebuilder:validation:Enum=Usage;ClusterUsage
type UsageKind string

// The kinds of the objects that order deletion.
const (
	UsageKindUsage        UsageKind = "Usage"
	UsageKindClusterUsage UsageKind = "ClusterUsage"
)

// Guardrails limit what a composite resource may ask for. Rules that limit a value look at what results, defaults included.
// Rules that forbid a field look at what the composite resource itself sets: defaults may use it. A list of allowed values that is set
// but empty allows nothing.
type Guardrails struct {
	// AllowedServices are the names of the services that may be listed. Their packages must be named after them:
	// .../provider-aws-<name>. Default: all.
	// +optional
	// +listType=set
	AllowedServices []string `json:"allowedServices,omitempty"`

	// AllowedRegions are the regions that may be used. Default: all.
	// +optional
	// +listType=set
	AllowedRegions []string `json:"allowedRegions,omitempty"`

	// AllowedClusters are the EKS clusters that may be used, however they are referred to. Nothing is created before the cluster is known.
	// Default: all.
	// +optional
	// +listType=set
	AllowedClusters []string `json:"allowedClusters,omitempty"`

	// AllowedRegistries are the registries, with or without a path, that provider packages may come from, for example
	// xpkg.upbound.io/upbound. Default: all.
	// +optional
	// +listType=set
	AllowedRegistries []string `json:"allowedRegistries,omitempty"`

	// AllowedManagedPolicyARNs are patterns (* and ?) of the existing policies that may be attached, for example
	// arn:aws:iam::aws:policy/*. You vouch for what you list here: deniedActions and requiredPermissionsBoundary accept it, although the
	// function cannot read it. For them it may list roles, too, for example arn:aws:iam::123456789012:role/dns. Default: all.
	// +optional
	// +listType=set
	AllowedManagedPolicyARNs []string `json:"allowedManagedPolicyArns,omitempty"`

	// DeniedActions are patterns (* and ?) of IAM actions, for example iam:*User*, that nothing may allow, in any letter
	// case: not statements, documents or the catalogue, not through wider patterns, and not through NotAction. What cannot be read
	// is refused, unless allowedManagedPolicyArns lists it: managedPolicyArns, roleArn, importRole, targetRoleArn, assumeRoleChain. So are
	// managementPolicies without Create and Update, and raw templates of a claim. Default: none.
	// +optional
	// +listType=set
	DeniedActions []string `json:"deniedActions,omitempty"`

	// RequiredPermissionsBoundary is the ARN of the policy that must be every role's permissions boundary. Set it in the
	// defaults, too, so that claims need not. What cannot be read is refused, unless allowedManagedPolicyArns lists it:
	// managedPolicyArns, roleArn, targetRoleArn, assumeRoleChain. So are managementPolicies without Create and Update, and raw templates of
	// a claim.
	// +optional
	RequiredPermissionsBoundary string `json:"requiredPermissionsBoundary,omitempty"`

	// RequiredKinds forbids access to a whole service: each service must list its kinds, or have an accessLevel of None. The word
	// Active is not such a list, because anyone who may activate kinds would decide what it means. Statements
	// and documents may not allow all actions of a service, nor use NotAction. What cannot be read is refused, unless
	// allowedManagedPolicyArns lists it: managedPolicyArns, roleArn, importRole, targetRoleArn, assumeRoleChain. So are managementPolicies
	// without Create and Update, and raw templates of a claim. Default: false.
	// +optional
	RequiredKinds bool `json:"requiredKinds,omitempty"`

	// RequiredTags are the keys of the tags that must be set, to values that are not blank.
	// +optional
	// +listType=set
	RequiredTags []string `json:"requiredTags,omitempty"`

	// ForbidCustomPermissions allows only permissions from the catalogue: no statements, policyDocument, managedPolicyArns,
	// roleArn, targetRoleArn or assumeRoleChain. Default: false.
	// +optional
	ForbidCustomPermissions bool `json:"forbidCustomPermissions,omitempty"`

	// ForbidRuntimeTemplates forbids raw deployment and service account templates. Default: false.
	// +optional
	ForbidRuntimeTemplates bool `json:"forbidRuntimeTemplates,omitempty"`

	// ForbidBringYourOwnRole forbids everything that may hand over an existing role: roleArn, targetRoleArn, assumeRoleChain, importRole,
	// adoptExisting, and what chooses a role's name or ARN, since a role that has it may exist: roleName, role.namePrefix, role.path.
	// Default: false.
	// +optional
	ForbidBringYourOwnRole bool `json:"forbidBringYourOwnRole,omitempty"`

	// AllowedServiceAccounts are patterns (* and ?) of the ServiceAccounts that providers may run as, for example provider-aws-*.
	// Default: all except those that are protected.
	// +optional
	// +listType=set
	AllowedServiceAccounts []string `json:"allowedServiceAccounts,omitempty"`

	// ProtectedServiceAccounts are patterns (* and ?) of ServiceAccounts that no service may use, in addition to those that are always
	// protected: crossplane, rbac-manager, default and, except for their own services, provider-aws-iam and provider-aws-eks.
	// +optional
	// +listType=set
	ProtectedServiceAccounts []string `json:"protectedServiceAccounts,omitempty"`

	// AllowedProviders are patterns (* and ?) of the PodIdentityProviders that a PodIdentityTenant may name in providerRef, for example
	// platform. Default: all that share their providers.
	// +optional
	// +listType=set
	AllowedProviders []string `json:"allowedProviders,omitempty"`

	// AllowedTargetAccounts are the AWS accounts, 12 digits in quotes, that targetRoleArn, the roles of assumeRoleChain and a tenant's
	// role may be in; a composed role always may be in the cluster's own. Default: all.
	// +optional
	// +listType=set
	AllowedTargetAccounts []string `json:"allowedTargetAccounts,omitempty"`
}
