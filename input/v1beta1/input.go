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

// An Input is what the platform team decides for every PodIdentityProvider of a Composition: defaults, guardrails and how
// prerequisites are treated. All of it is optional.
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
	Defaults *v1alpha1.PodIdentityProviderSpec `json:"defaults,omitempty"`

	// Guardrails limit what a composite resource may ask for.
	// +optional
	Guardrails *Guardrails `json:"guardrails,omitempty"`

	// Prerequisites says how to treat kinds that other packages bring (provider-aws-iam, provider-aws-eks, the provider
	// family). Verify creates a managed resource only once its kind is proven to exist, so that a half-installed cluster
	// never wedges. Assume trusts that they exist: only for clusters where they always do. Default: Verify.
	// +optional
	Prerequisites Prerequisites `json:"prerequisites,omitempty"`

	// Preview shows the full eventual set of resources, whatever is not ready yet. For local rendering only: it is refused
	// on a live cluster, where it would defeat the order that provider pods depend on. Default: false.
	// +optional
	Preview bool `json:"preview,omitempty"`

	// TTL is how long Crossplane may take until it looks again when everything is ready and nothing happens, 1m to 1h.
	// Default: 5m.
	// +optional
	TTL *metav1.Duration `json:"ttl,omitempty"`
}

// Prerequisites says how to treat kinds that other packages bring.
//
// +kubebuilder:validation:Enum=Verify;Assume
type Prerequisites string

// How to treat kinds that other packages bring.
const (
	PrerequisitesVerify Prerequisites = "Verify"
	PrerequisitesAssume Prerequisites = "Assume"
)

// Guardrails limit what a composite resource may ask for.
type Guardrails struct {
	// AllowedServices are the names of the services that may be listed. Default: all.
	// +optional
	// +listType=set
	AllowedServices []string `json:"allowedServices,omitempty"`

	// AllowedRegions are the regions that may be used. Default: all.
	// +optional
	// +listType=set
	AllowedRegions []string `json:"allowedRegions,omitempty"`

	// AllowedClusters are the EKS clusters that may be used. Default: all.
	// +optional
	// +listType=set
	AllowedClusters []string `json:"allowedClusters,omitempty"`

	// AllowedRegistries are the registries, with or without a path, that provider packages may come from. Default: all.
	// +optional
	// +listType=set
	AllowedRegistries []string `json:"allowedRegistries,omitempty"`

	// AllowedManagedPolicyARNs are patterns of the policies that may be attached. Default: all.
	// +optional
	// +listType=set
	AllowedManagedPolicyARNs []string `json:"allowedManagedPolicyArns,omitempty"`

	// DeniedActions are patterns of IAM actions that no permissions may allow.
	// +optional
	// +listType=set
	DeniedActions []string `json:"deniedActions,omitempty"`

	// RequiredPermissionsBoundary is the ARN of the policy that must be every role's permissions boundary.
	// +optional
	RequiredPermissionsBoundary string `json:"requiredPermissionsBoundary,omitempty"`

	// RequiredTags are the keys of the tags that must be set.
	// +optional
	// +listType=set
	RequiredTags []string `json:"requiredTags,omitempty"`

	// ForbidCustomPermissions allows only permissions from the catalogue.
	// +optional
	ForbidCustomPermissions bool `json:"forbidCustomPermissions,omitempty"`

	// ForbidRuntimeTemplates forbids raw deployment and service account templates.
	// +optional
	ForbidRuntimeTemplates bool `json:"forbidRuntimeTemplates,omitempty"`

	// ForbidBringYourOwnRole forbids roleArn.
	// +optional
	ForbidBringYourOwnRole bool `json:"forbidBringYourOwnRole,omitempty"`

	// AllowedTargetAccounts are the accounts that targetRoleArn may be in. Default: all.
	// +optional
	// +listType=set
	AllowedTargetAccounts []string `json:"allowedTargetAccounts,omitempty"`
}
