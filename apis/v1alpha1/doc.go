// Package v1alpha1 holds the API of the composite resources PodIdentityProvider and PodIdentityTenant. It is the one source of the
// CompositeResourceDefinitions: configuration/apis/definition.yaml and tenant-definition.yaml are generated from it.
//
// No field has a schema default: the API server would fill it in before the function sees what the user wrote, and an
// Input of the Composition could no longer set a default of its own. The defaults that the field documentation names
// are applied by the function.
//
// +kubebuilder:object:generate=true
// +groupName=aws.podidentity.dev
// +versionName=v1alpha1
package v1alpha1

import "k8s.io/apimachinery/pkg/runtime/schema"

// Group, version and kind of the composite resources.
const (
	Group   = "aws.podidentity.dev"
	Version = "v1alpha1"
	Kind    = "PodIdentityProvider"

	// TenantKind is the kind of a role on shared providers, and TenantClaimKind the kind of its claim.
	TenantKind      = "PodIdentityTenant"
	TenantClaimKind = "PodIdentityTenantClaim"
)

// GroupVersionKind is that of the composite resource that installs providers.
var GroupVersionKind = schema.GroupVersionKind{Group: Group, Version: Version, Kind: Kind} //nolint:gochecknoglobals // A constant in all but the keyword.
