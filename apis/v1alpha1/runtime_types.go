package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Runtime configures how a provider runs in the cluster. It becomes a DeploymentRuntimeConfig:
// https://docs.crossplane.io/latest/packages/providers/#runtime-configuration
type Runtime struct {
	// Replicas is the number of the provider's pods. Several choose one that works (LEADER_ELECTION). 0 stops the provider, which is
	// then not ready. Default: Crossplane's own, 1.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`

	// Args are added to the arguments of the provider's container, for example --debug or --max-reconcile-rate=20.
	// +optional
	// +listType=atomic
	Args []string `json:"args,omitempty"`

	// Env are variables that are added to the environment of the provider's container, as in a pod. A variable that names
	// credentials, such as AWS_ACCESS_KEY_ID, would take precedence over the identity.
	// +optional
	// +listType=map
	// +listMapKey=name
	Env []corev1.EnvVar `json:"env,omitempty"`

	// NodeSelector has the labels that a node must have to run the provider's pods. It has to be a Linux EC2 node: EKS Pod
	// Identity does not serve Fargate and Windows.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// Tolerations are the taints of nodes that the provider's pods tolerate, as in a pod.
	// +optional
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// Affinity says which nodes the provider's pods prefer or need, as in a pod.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// Resources are the CPU and memory that the provider's container requests and may use, as in a pod.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// PodLabels are labels that are added to the provider's pods. Those of pkg.crossplane.io, eks.amazonaws.com and
	// iam.amazonaws.com cannot be set.
	// +optional
	PodLabels map[string]string `json:"podLabels,omitempty"`

	// PodAnnotations are annotations that are added to the provider's pods. Those that decide on a pod's identity cannot be set:
	// the function's own, and those of eks.amazonaws.com, iam.amazonaws.com and pkg.crossplane.io.
	// +optional
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`

	// PriorityClassName is the PriorityClass of the provider's pods.
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// DeploymentTemplate is merged last into the deploymentTemplate of the DeploymentRuntimeConfig, as kubectl apply would:
	// maps merge, containers merge by name (the provider's is package-runtime), and its args are added to runtime.args. It has
	// only fields that a DeploymentRuntimeConfig has in the Crossplane that runs: a mistake concerns the services that use the
	// template. Refused are what the identity depends on (the Deployment's name, the ServiceAccount, the annotations and labels
	// that cannot be set in podAnnotations and podLabels), nulls and merge directives.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	DeploymentTemplate *runtime.RawExtension `json:"deploymentTemplate,omitempty"`

	// ServiceAccountTemplate is merged into the serviceAccountTemplate of the DeploymentRuntimeConfig. It has metadata with labels
	// and annotations, and nothing else: imagePullSecrets belong to the pod. It may not set the name: that is services[].serviceAccountName.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	ServiceAccountTemplate *runtime.RawExtension `json:"serviceAccountTemplate,omitempty"`

	// VerifyCredentials checks on the provider's pods that EKS injected credentials: condition CredentialsInjected says so, or
	// why not. Pods without credentials are restarted, once for each state of the association. It needs
	// manifests/verify-credentials.yaml, which lets Crossplane read pods. Default: false.
	// +optional
	VerifyCredentials *bool `json:"verifyCredentials,omitempty"`

	// AssociationSettleSeconds is how long to wait, in seconds, after the association is ready before a new Provider is
	// created: EKS hands out a new association only after some seconds, and a pod that starts earlier never gets
	// credentials. 0 to 300. Default: 10.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=300
	AssociationSettleSeconds *int64 `json:"associationSettleSeconds,omitempty"`
}
