package fakes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// use is one step for an object of any other kind: it becomes ready, and is removed when it is deleted, as long as its
// provider runs and has access to AWS.
func (a *AWS) use(ctx context.Context, o *unstructured.Unstructured, service, revision string) error {
	if o.GetAnnotations()["crossplane.io/paused"] == "true" {
		return nil
	}
	before := o.DeepCopy()
	pod := a.pod(ctx, revision)
	if pod == nil {
		return nil // There is no provider to reconcile it.
	}
	if o.GetAnnotations()[externalName] == "" {
		annotate(o, externalName, o.GetName())
		return a.update(ctx, o)
	}
	pc, problem := a.connect(ctx, o)
	if problem == "" && String(pc, "spec", "credentials", "source") == "PodIdentity" {
		problem = a.access(o, service, pod)
	}
	if problem != "" {
		// Ready stays as it was.
		condition(o, "Synced", "False", "ReconcileError", problem)
		return a.status(ctx, before, o)
	}
	id := "arn:aws:" + service + ":::" + o.GetAnnotations()[externalName]
	switch {
	case o.GetDeletionTimestamp() != nil:
		if !slices.Contains(o.GetFinalizers(), finalizer) {
			return nil
		}
		a.mu.Lock()
		a.callf("Delete%s %s", o.GetKind(), o.GetName())
		a.mu.Unlock()
		return a.release(ctx, o)
	case !slices.Contains(o.GetFinalizers(), finalizer):
		o.SetFinalizers(append(o.GetFinalizers(), finalizer))
		return a.update(ctx, o)
	}
	if Condition(o, "Ready")["status"] != "True" {
		a.mu.Lock()
		a.callf("Create%s %s", o.GetKind(), o.GetName())
		a.mu.Unlock()
	}
	_ = unstructured.SetNestedMap(o.Object, map[string]any{"arn": id, "id": o.GetAnnotations()[externalName]}, "status", "atProvider")
	condition(o, "Synced", "True", "ReconcileSuccess", "")
	condition(o, "Ready", "True", "Available", "")
	return a.status(ctx, before, o)
}

// pod of a provider's revision that runs and is ready.
func (a *AWS) pod(ctx context.Context, revision string) *corev1.Pod {
	pods := &corev1.PodList{}
	if err := a.Client.List(ctx, pods, client.MatchingLabels{"pkg.crossplane.io/revision": revision}); err != nil {
		return nil
	}
	for i, p := range pods.Items {
		if p.DeletionTimestamp == nil && readiness(&p) == corev1.ConditionTrue {
			return &pods.Items[i]
		}
	}
	return nil
}

// access of a provider's pod to AWS: what prevents it, in the words of the real provider.
func (a *AWS) access(o *unstructured.Unstructured, service string, pod *corev1.Pod) string {
	const prefix = "connect failed: cannot initialize the Terraform plugin SDK async external client: cannot get terraform setup: cache manager failure: cannot retrieve the AWS credentials: failed to refresh cached credentials, "
	if !injected(pod) {
		return prefix + `no EC2 IMDS role found, operation error ec2imds: GetMetadata, access disabled to EC2 IMDS via client option, or "AWS_EC2_METADATA_DISABLED" environment variable`
	}
	if a.Access != nil {
		if problem := a.Access(pod.Spec.ServiceAccountName); problem != "" {
			return prefix + "failed to load credentials, : " + problem
		}
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.associations[associationKey(Cluster, pod.Namespace, pod.Spec.ServiceAccountName)]
	if x == nil {
		return prefix + "failed to load credentials, : No pod identity association found for " + pod.Namespace + "/" + pod.Name
	}
	if x.role == "" {
		return "" // Another owner gave it all that it needs.
	}
	name := x.role[strings.LastIndex(x.role, "/")+1:]
	r := a.roles[name]
	if r == nil {
		// Not seen: what EKS says of a role that was deleted.
		return prefix + "failed to load credentials, : Unable to assume role " + x.role
	}
	for arn := range r.attached {
		if a.policies[arn] != nil || strings.HasPrefix(arn, "arn:aws:iam::aws:policy/") {
			return ""
		}
	}
	return fmt.Sprintf("observe failed: failed to observe the resource: [{0 reading %[1]s %[2]s (%[3]s): operation error %[1]s: Head%[2]s, https response error StatusCode: 403, RequestID: %[4]s, HostID: %[4]s, api error Forbidden: Forbidden  []}]",
		strings.ToUpper(service), o.GetKind(), o.GetName(), a.requestID())
}

// injected says whether the webhook gave the pod credentials.
func injected(p *corev1.Pod) bool {
	for _, c := range p.Spec.Containers {
		if slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == "AWS_CONTAINER_CREDENTIALS_FULL_URI" }) {
			return true
		}
	}
	return false
}
