package main

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Names that Crossplane and EKS use for a provider's pods.
const (
	labelRevision    = "pkg.crossplane.io/revision"
	containerRuntime = "package-runtime"
	agentName        = "eks-pod-identity-agent"
	annotationRole   = "eks.amazonaws.com/role-arn"
)

// An origin says where the credentials of a pod come from.
type origin string

// The origins, in the order in which the AWS SDK looks for them.
const (
	originStatic      origin = "static keys"
	originIRSA        origin = "IRSA"
	originPodIdentity origin = "Pod Identity"
	originNone        origin = "none"
	originNoPod       origin = "no pod"
)

// originOf returns the origin of the credentials that a pod was started with.
func originOf(pod corev1.Pod) origin {
	switch {
	case has(pod, "AWS_ACCESS_KEY_ID"):
		return originStatic
	case has(pod, "AWS_WEB_IDENTITY_TOKEN_FILE"):
		return originIRSA
	case has(pod, "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
		return originPodIdentity
	}
	return originNone
}

// has says whether the provider's container has a variable.
func has(pod corev1.Pod, name string) bool { return variable(pod, name) != nil }

// variable returns a variable of the provider's container; nil if there is none.
func variable(pod corev1.Pod, name string) *corev1.EnvVar {
	for _, c := range pod.Spec.Containers {
		if c.Name != containerRuntime && len(pod.Spec.Containers) > 1 {
			continue
		}
		if i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name }); i >= 0 {
			return &c.Env[i]
		}
	}
	return nil
}
