package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Runtime configures how a provider runs in the cluster. It becomes a DeploymentRuntimeConfig:
// https://docs.crossplane.io/latest/packages/providers/#runtime-configuration
type Runtime struct {
	// Replicas of the provider's Deployment. Default: Crossplane's own, 1.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`

	// Args are added to the arguments of the provider's container, for example --debug.
	// +optional
	// +listType=atomic
	Args []string `json:"args,omitempty"`

	// Env are added to the environment of the provider's container.
	// +optional
	// +listType=map
	// +listMapKey=name
	Env []corev1.EnvVar `json:"env,omitempty"`

	// NodeSelector of the provider's pods.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// Tolerations of the provider's pods.
	// +optional
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// Affinity of the provider's pods.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// Resources of the provider's container.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// PodLabels are added to the provider's pods.
	// +optional
	PodLabels map[string]string `json:"podLabels,omitempty"`

	// PodAnnotations are added to the provider's pods.
	// +optional
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`

	// PriorityClassName of the provider's pods.
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// DeploymentTemplate is merged last into the deploymentTemplate of the DeploymentRuntimeConfig, as kubectl apply would:
	// maps merge, containers merge by name (the provider's is package-runtime). It may set neither the Deployment's name nor
	// the ServiceAccount, on which the identity depends.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	DeploymentTemplate *runtime.RawExtension `json:"deploymentTemplate,omitempty"`

	// ServiceAccountTemplate is merged into the serviceAccountTemplate of the DeploymentRuntimeConfig. It may not set the
	// name: that is services[].serviceAccountName.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	ServiceAccountTemplate *runtime.RawExtension `json:"serviceAccountTemplate,omitempty"`

	// VerifyCredentials checks on the provider's pods that credentials were injected. It needs a ClusterRole that lets
	// Crossplane read pods. Default: false.
	// +optional
	VerifyCredentials *bool `json:"verifyCredentials,omitempty"`

	// AssociationSettleSeconds is how long to wait after the association is ready before a new Provider is created: EKS hands
	// out a new association only after some seconds. 0 to 300. Default: 10.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=300
	AssociationSettleSeconds *int64 `json:"associationSettleSeconds,omitempty"`
}
