package fakes

import (
	"context"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// node that every pod runs on. There is no Node object: nothing looks for it.
const node = "fake"

// Kubelet binds every pod to a node that does not exist and reports it running and ready, and removes it on request.
type Kubelet struct {
	Client client.Client
	// Ready says whether a pod is ready. Nil: every pod is.
	Ready func(context.Context, *corev1.Pod) bool

	mu     sync.Mutex
	broken string
}

// Break makes pods unready whose name begins with the prefix. An empty one ends it.
func (k *Kubelet) Break(prefix string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.broken = prefix
}

// Run until the context ends.
func (k *Kubelet) Run(ctx context.Context) {
	for ctx.Err() == nil {
		pods := &corev1.PodList{}
		if err := k.Client.List(ctx, pods); err == nil {
			for i := range pods.Items {
				k.run(ctx, &pods.Items[i])
			}
		}
		sleep(ctx, 200*time.Millisecond)
	}
}

func (k *Kubelet) run(ctx context.Context, p *corev1.Pod) {
	k.mu.Lock()
	ready := corev1.ConditionTrue
	if k.broken != "" && strings.HasPrefix(p.Name, k.broken) {
		ready = corev1.ConditionFalse
	}
	k.mu.Unlock()
	if k.Ready != nil && p.DeletionTimestamp == nil && p.Spec.NodeName != "" && !k.Ready(ctx, p) {
		ready = corev1.ConditionFalse
	}
	switch {
	case p.DeletionTimestamp != nil:
		_ = k.Client.Delete(ctx, p, client.GracePeriodSeconds(0))
	case p.Spec.NodeName == "":
		_ = k.Client.SubResource("binding").Create(ctx, p, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace}, Target: corev1.ObjectReference{Kind: "Node", Name: node}})
	case p.Status.Phase != corev1.PodRunning || readiness(p) != ready:
		report(p, ready)
		_ = k.Client.Status().Update(ctx, p)
	}
}

func readiness(p *corev1.Pod) corev1.ConditionStatus {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status
		}
	}
	return corev1.ConditionUnknown
}

// report what a kubelet would.
func report(p *corev1.Pod, ready corev1.ConditionStatus) {
	now := metav1.Now()
	p.Status.Phase = corev1.PodRunning
	p.Status.PodIP, p.Status.PodIPs = "10.99.0.1", []corev1.PodIP{{IP: "10.99.0.1"}}
	if p.Status.StartTime == nil {
		p.Status.StartTime = &now
	}
	p.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue, LastTransitionTime: now},
		{Type: corev1.ContainersReady, Status: ready, LastTransitionTime: now},
		{Type: corev1.PodReady, Status: ready, LastTransitionTime: now},
	}
	p.Status.ContainerStatuses = nil
	for _, c := range p.Spec.Containers {
		started := true
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, ImageID: c.Image, Ready: ready == corev1.ConditionTrue, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
}
