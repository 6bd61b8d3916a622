package v1alpha1

// Sharing makes a PodIdentityProvider the host of tenants: PodIdentityTenants may use its providers, each with an IAM role of its own.
type Sharing struct {
	// RolePath is the IAM path below which the roles of all tenants are, beginning and ending with a slash: the providers may assume
	// the roles below it and no others. At most 448 characters, as the tenant's namespace goes behind it. Default:
	// /<role.namePrefix>/<clusterName>/. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=448
	// +kubebuilder:validation:Pattern=`^(/([A-Za-z0-9_+=,.@-]+/)+)?$`
	RolePath string `json:"rolePath,omitempty"`

	// Accounts are further AWS accounts that roles of tenants may be in: 12 digits each, in quotes. They may always be in the
	// cluster's own. Default: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:Pattern=`^[0-9]{12}$`
	Accounts []string `json:"accounts,omitempty"`

	// Namespaces are patterns (* and ?) of the namespaces whose claims may be tenants. A PodIdentityTenant without a claim is the
	// platform team's own, and always may. Default: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9*?]([-a-z0-9*?]*[a-z0-9*?])?$`
	Namespaces []string `json:"namespaces,omitempty"`
}

// A SharingStatus is what tenants need to know of their host.
type SharingStatus struct {
	// RolePath is the IAM path below which the roles of tenants are.
	// +optional
	RolePath string `json:"rolePath,omitempty"`

	// NamePrefix begins the names of the roles and policies of tenants.
	// +optional
	NamePrefix string `json:"namePrefix,omitempty"`

	// Accounts are the further AWS accounts that roles of tenants may be in.
	// +optional
	// +listType=atomic
	Accounts []string `json:"accounts,omitempty"`

	// Namespaces are patterns of the namespaces whose claims may be tenants. Empty means all.
	// +optional
	// +listType=atomic
	Namespaces []string `json:"namespaces,omitempty"`

	// CrossplaneNamespace is the namespace that the providers run in.
	// +optional
	CrossplaneNamespace string `json:"crossplaneNamespace,omitempty"`

	// Principals are the IAM roles of the providers, as far as they exist: the callers that the roles of tenants trust.
	// +optional
	// +listType=atomic
	Principals []string `json:"principals,omitempty"`
}
