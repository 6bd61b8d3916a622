// Package pods runs the programs of pods as plain processes: what a kubelet and a container runtime would do. A process has the
// arguments and the environment of the pod's container as the API server has it, with all that webhooks put there, and the files of
// its volumes.
package pods

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
)

// A Runner runs the pods of Crossplane's namespace that it has a program for.
type Runner struct {
	*controlplane.ControlPlane

	// Dir for the files of pods.
	Dir string
	// Programs by the name of the image: provider-aws-iam.
	Programs map[string]string
	// Args and Env that every program gets beside its own.
	Args, Env []string
	// AWS is the URL at which AWS and the agent of EKS Pod Identity are.
	AWS string
	// Fail reports what goes wrong.
	Fail func(format string, args ...any)

	mu   sync.Mutex
	runs map[string]*run
}

// A run of a pod.
type run struct {
	process *controlplane.Process
	// Address of its probes.
	probes string
	began  time.Time
}

// pause before a program that ended is started again. A provider ends if its kinds come later than it.
const pause = 3 * time.Second

// Run until the context ends.
func (r *Runner) Run(ctx context.Context) {
	r.mu.Lock()
	r.runs = map[string]*run{}
	r.mu.Unlock()
	for ctx.Err() == nil {
		r.step(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.runs {
		x.process.Kill()
	}
}

// step starts pods that exist and do not run, and stops those that run and no longer exist.
func (r *Runner) step(ctx context.Context) {
	list := &corev1.PodList{}
	if err := r.Client.List(ctx, list, client.InNamespace(controlplane.Namespace)); err != nil {
		return // The API server restarts.
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	wanted := map[string]bool{}
	for i := range list.Items {
		p := &list.Items[i]
		program := r.Programs[image(p)]
		if program == "" || p.DeletionTimestamp != nil || p.Spec.NodeName == "" {
			continue
		}
		wanted[p.Name] = true
		if x := r.runs[p.Name]; x != nil && (x.process.Running() || time.Since(x.began) < pause) {
			continue
		}
		x, err := r.start(ctx, p, program)
		if err != nil {
			r.Fail("pod %s: %v", p.Name, err)
			continue
		}
		r.runs[p.Name] = x
	}
	for name, x := range r.runs {
		if !wanted[name] {
			delete(r.runs, name)
			go x.process.Stop()
		}
	}
}

// image of a pod, without registry and version.
func image(p *corev1.Pod) string {
	name := p.Spec.Containers[0].Image
	name = name[strings.LastIndex(name, "/")+1:]
	if i := strings.IndexAny(name, ":@"); i >= 0 {
		name = name[:i]
	}
	return name
}

// Ready says whether a pod is ready, as its readiness probe would. Pods without a program are.
func (r *Runner) Ready(ctx context.Context, p *corev1.Pod) bool {
	if r.Programs[image(p)] == "" {
		return true
	}
	r.mu.Lock()
	x := r.runs[p.Name]
	r.mu.Unlock()
	if x == nil || !x.process.Running() {
		return false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+x.probes+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := (&http.Client{Timeout: time.Second}).Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// PIDs of the pods' processes, by pod.
func (r *Runner) PIDs() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]int{}
	for name, x := range r.runs {
		if x.process.Running() {
			out[name] = x.process.PID()
		}
	}
	return out
}

// start a pod's program.
func (r *Runner) start(ctx context.Context, p *corev1.Pod, program string) (*run, error) {
	addresses := make([]string, 3)
	for i := range addresses {
		var err error
		if addresses[i], err = controlplane.FreeAddress(ctx); err != nil {
			return nil, err
		}
	}
	_, webhooks, err := net.SplitHostPort(addresses[0])
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(r.Dir, p.Name)
	kubeconfig, err := r.kubeconfig(ctx, p, dir)
	if err != nil {
		return nil, err
	}
	if err := r.volumes(ctx, p, dir); err != nil {
		return nil, err
	}
	c := &p.Spec.Containers[0]
	process := &controlplane.Process{
		Name: "pod-" + p.Name, Logs: r.Logs, Path: program, Args: append(append([]string{}, c.Args...), r.Args...),
		Env: append(append(r.environment(p, dir), r.Env...), "KUBECONFIG="+kubeconfig, "WEBHOOK_PORT="+webhooks, "METRICS_BIND_ADDRESS="+addresses[1], "HEALTH_PROBE_BIND_ADDRESS="+addresses[2]),
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	return &run{process, addresses[2], time.Now()}, r.route(ctx, p, addresses[0])
}

// kubeconfig of a pod, with the token of its ServiceAccount.
func (r *Runner) kubeconfig(ctx context.Context, p *corev1.Pod, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	token, err := r.Token(ctx, p.Spec.ServiceAccountName, p)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "kubeconfig")
	return path, r.WriteKubeconfig(path, token)
}

// mounted is the folder on this machine for a folder of the container.
func mounted(dir, path string) string { return filepath.Join(dir, "root", path) }

// volumes of a pod: Secrets, and tokens of its ServiceAccount for other audiences than the API server.
func (r *Runner) volumes(ctx context.Context, p *corev1.Pod, dir string) error {
	at := map[string]string{}
	for _, m := range p.Spec.Containers[0].VolumeMounts {
		at[m.Name] = mounted(dir, m.MountPath)
	}
	for _, v := range p.Spec.Volumes {
		switch {
		case at[v.Name] == "":
		case v.Secret != nil:
			if err := r.WriteSecret(ctx, v.Secret.SecretName, at[v.Name]); err != nil {
				return err
			}
		case v.Projected != nil:
			for _, s := range v.Projected.Sources {
				if s.ServiceAccountToken == nil || s.ServiceAccountToken.Audience == "" {
					continue
				}
				token, err := r.Token(ctx, p.Spec.ServiceAccountName, p, s.ServiceAccountToken.Audience)
				if err != nil {
					return err
				}
				file := filepath.Join(at[v.Name], s.ServiceAccountToken.Path)
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(token), 0o600)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// environment of a pod's container, with folders of this machine, and the agent at the URL of AWS.
func (r *Runner) environment(p *corev1.Pod, dir string) []string {
	c := &p.Spec.Containers[0]
	values := map[string]string{}
	var out []string
	for _, e := range c.Env {
		v := e.Value
		if e.ValueFrom != nil && e.ValueFrom.FieldRef != nil {
			v = field(p, e.ValueFrom.FieldRef.FieldPath)
		}
		for name, known := range values {
			v = strings.ReplaceAll(v, "$("+name+")", known)
		}
		values[e.Name] = v
		for _, m := range c.VolumeMounts {
			if v == m.MountPath || strings.HasPrefix(v, m.MountPath+"/") {
				v = mounted(dir, v)
				break
			}
		}
		if path, ok := strings.CutPrefix(v, "http://169.254.170.23"); ok {
			v = r.AWS + path
		}
		out = append(out, e.Name+"="+v)
	}
	return out
}

// field of a pod, as the downward API has it.
func field(p *corev1.Pod, path string) string {
	if key, ok := strings.CutPrefix(path, "metadata.labels['"); ok {
		return p.Labels[strings.TrimSuffix(key, "']")]
	}
	return map[string]string{
		"metadata.name": p.Name, "metadata.namespace": p.Namespace, "metadata.uid": string(p.UID), "spec.serviceAccountName": p.Spec.ServiceAccountName, "status.podIP": p.Status.PodIP,
	}[path]
}

// webhookPort that providers serve webhooks at.
const webhookPort = 9443

// route connections to a Service of the pod to its process.
func (r *Runner) route(ctx context.Context, p *corev1.Pod, webhooks string) error {
	list := &corev1.ServiceList{}
	if err := r.Client.List(ctx, list, client.InNamespace(controlplane.Namespace)); err != nil {
		return err
	}
	for _, s := range list.Items {
		if len(s.Spec.Selector) == 0 || !labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(p.Labels)) {
			continue
		}
		for _, port := range s.Spec.Ports {
			if port.TargetPort.IntValue() == webhookPort || port.Port == webhookPort {
				r.Proxy.Route(net.JoinHostPort(s.Spec.ClusterIP, fmt.Sprint(port.Port)), webhooks)
			}
		}
	}
	return nil
}
