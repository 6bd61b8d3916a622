// Package controlplane runs a Kubernetes control plane and Crossplane as plain processes: etcd and the API server through
// envtest, the controller manager, and Crossplane with its RBAC manager, each with the permissions that its Helm chart
// gives it. A CONNECT proxy stands in for a cluster's network.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Namespace that Crossplane runs in.
const Namespace = "crossplane-system"

// controllers of the controller manager that the suite needs. The pod garbage collector is not among them: there are no
// kubelets.
const controllers = "garbage-collector-controller,namespace-controller,serviceaccount-controller,clusterrole-aggregation-controller,deployment-controller,replicaset-controller"

// Binaries of a control plane, as paths.
type Binaries struct {
	Etcd, APIServer, ControllerManager, Crossplane string
}

// Options of a control plane.
type Options struct {
	// Dir for everything that it writes, and Logs for what people may want to read. Dir must have a short path: it holds a
	// unix socket.
	Dir, Logs string
	// Version of Crossplane.
	Version string
	// Source of Crossplane, for its chart and CRDs.
	Source string
	Binaries
	Say func(format string, args ...any)
}

// A ControlPlane is a running one.
type ControlPlane struct {
	Options

	// Config and Kubeconfig of its administrator.
	Config     *rest.Config
	Kubeconfig string
	Client     client.Client
	// Proxy is the cluster's network.
	Proxy *Proxy

	// The processes that a test may stop and start.
	ControllerManager, Core, RBAC *Process
	// Metrics of Crossplane: an address.
	Metrics string

	env   *envtest.Environment
	ready string
}

// Start a control plane with Crossplane.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	c := &ControlPlane{Options: o}
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"API server", c.startAPIServer},
		{"controller manager", c.startControllerManager},
		{"Crossplane's chart", c.applyChart},
		{"crossplane core init", c.initCrossplane},
		{"Crossplane", c.startCrossplane},
	}
	for _, s := range steps {
		began := time.Now()
		if err := s.do(ctx); err != nil {
			return c, fmt.Errorf("%s: %w", s.what, err)
		}
		o.Say("%-22s %5.1f s", s.what, time.Since(began).Seconds())
	}
	return c, nil
}

// StartAPI starts an API server, and nothing else: no controllers, no Crossplane.
func StartAPI(ctx context.Context, o Options) (*ControlPlane, error) {
	c := &ControlPlane{Options: o}
	err := c.startAPIServer(ctx)
	return c, err
}

// Stop everything.
func (c *ControlPlane) Stop() error {
	for _, p := range []*Process{c.Core, c.RBAC, c.ControllerManager} {
		if p != nil {
			p.Kill()
		}
	}
	var err error
	if c.env != nil {
		err = c.env.Stop()
	}
	if c.Proxy != nil {
		c.Proxy.Close()
	}
	return err
}

func (c *ControlPlane) startAPIServer(ctx context.Context) error {
	assets, certs := filepath.Join(c.Dir, "assets"), filepath.Join(c.Dir, "apiserver")
	for _, d := range []string{assets, certs, c.Logs} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	for name, path := range map[string]string{"etcd": c.Etcd, "kube-apiserver": c.APIServer} {
		if err := dieWithParent(ctx, filepath.Join(assets, name), path); err != nil {
			return err
		}
	}
	proxy, err := NewProxy(ctx, c.Dir)
	if err != nil {
		return err
	}
	c.Proxy = proxy
	egress := filepath.Join(c.Dir, "egress.yaml")
	if err := os.WriteFile(egress, []byte(`apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport:
      uds: {udsName: `+proxy.Socket+`}
`), 0o644); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(c.Logs, "kube-apiserver.log"))
	if err != nil {
		return err
	}
	// The API server would wait a minute for its watches to end. After five seconds it is killed.
	c.env = &envtest.Environment{BinaryAssetsDirectory: assets, ControlPlaneStartTimeout: 2 * time.Minute, ControlPlaneStopTimeout: 5 * time.Second}
	api := c.env.ControlPlane.GetAPIServer()
	// A folder of ours survives a restart.
	api.CertDir = certs
	api.Out, api.Err = log, log
	// envtest switches the ServiceAccount plugin off, which pods need.
	api.Configure().Set("disable-admission-plugins", "DefaultStorageClass").Set("egress-selector-config-file", egress).
		// The API server does not need a network.
		Set("advertise-address", "127.0.0.1").Set("endpoint-reconciler-type", "none")
	cfg, err := c.env.Start()
	if err != nil {
		return err
	}
	cfg.QPS = -1
	c.Config = cfg
	c.Kubeconfig = filepath.Join(c.Dir, "kubeconfig")
	if err := os.WriteFile(c.Kubeconfig, c.env.KubeConfig, 0o600); err != nil {
		return err
	}
	c.Client, err = client.New(cfg, client.Options{})
	return err
}

// RestartAPIServer stops the API server, not always gracefully, and starts it again.
func (c *ControlPlane) RestartAPIServer() error {
	api := c.env.ControlPlane.GetAPIServer()
	_ = api.Stop()
	time.Sleep(time.Second)
	api.Args = nil //nolint:staticcheck // envtest fills them in, and takes them for templates when it starts again.
	return api.Start()
}

// dieWithParent writes a program that runs another, and dies with its parent, if this machine can do that: otherwise what envtest
// starts would outlive a test that is killed.
func dieWithParent(ctx context.Context, at, path string) error {
	script := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\"\n", path)
	if setpriv, err := exec.LookPath("setpriv"); err == nil && exec.CommandContext(ctx, setpriv, "--pdeathsig", "KILL", "true").Run() == nil {
		script = fmt.Sprintf("#!/bin/sh\nexec %s --pdeathsig KILL %s \"$@\"\n", setpriv, path)
	}
	return os.WriteFile(at, []byte(script), 0o755)
}

func (c *ControlPlane) startControllerManager(ctx context.Context) error {
	c.ControllerManager = &Process{
		Name: "kube-controller-manager", Logs: c.Logs, Path: c.Binaries.ControllerManager,
		Args: []string{
			"--kubeconfig", c.Kubeconfig, "--authentication-skip-lookup", "--bind-address", "127.0.0.1", "--secure-port", "0",
			"--leader-elect=false", "--use-service-account-credentials=false", "--cert-dir", filepath.Join(c.Dir, "kcm"),
			"--service-account-private-key-file", filepath.Join(c.env.ControlPlane.GetAPIServer().CertDir, "sa-signer.key"),
			"--controllers", controllers,
		},
	}
	if err := c.ControllerManager.Start(); err != nil {
		return err
	}
	return Poll(ctx, time.Minute, func(ctx context.Context) error {
		return c.Client.Get(ctx, client.ObjectKey{Namespace: "default", Name: "default"}, &corev1.ServiceAccount{})
	})
}

func (c *ControlPlane) applyChart(ctx context.Context) error {
	if err := client.IgnoreAlreadyExists(c.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}})); err != nil {
		return err
	}
	objects, err := chart(filepath.Join(c.Source, "cluster", "charts", "crossplane"), Namespace)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if o.GetKind() == "Deployment" {
			continue // Crossplane runs as processes of ours.
		}
		switch o.GetKind() {
		case "ServiceAccount", "Service", "Secret":
			o.SetNamespace(Namespace)
		}
		if err := c.Client.Patch(ctx, o, client.Apply, client.FieldOwner("helm"), client.ForceOwnership); err != nil { //nolint:staticcheck // These are unstructured.
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

// Upgrade Crossplane to another version, as `helm upgrade` would. Everything else stays as it is.
func (c *ControlPlane) Upgrade(ctx context.Context, version, source, crossplane string) error {
	c.Core.Stop()
	c.RBAC.Stop()
	c.Version, c.Source, c.Crossplane = version, source, crossplane
	for _, do := range []func(context.Context) error{c.applyChart, c.initCrossplane, c.startCrossplane} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// environment that the chart gives all of Crossplane.
func environment() []string {
	return []string{
		"POD_NAMESPACE=" + Namespace, "POD_SERVICE_ACCOUNT=crossplane", "ENABLE_WEBHOOKS=true", "WEBHOOK_ENABLED=true",
		"WEBHOOK_SERVICE_NAME=crossplane-webhooks", "WEBHOOK_SERVICE_NAMESPACE=" + Namespace, "WEBHOOK_SERVICE_PORT=9443",
		"TLS_CA_SECRET_NAME=crossplane-root-ca", "TLS_SERVER_SECRET_NAME=crossplane-tls-server", "TLS_CLIENT_SECRET_NAME=crossplane-tls-client",
	}
}

// initCrossplane is the chart's init container. It makes the certificates and installs the CRDs.
func (c *ControlPlane) initCrossplane(ctx context.Context) error {
	root := filepath.Join(c.Dir, "image-"+c.Version)
	for from, to := range map[string]string{"crds": "crds", "webhookconfigurations": "webhookconfigurations"} {
		if err := copyYAML(filepath.Join(c.Source, "cluster", from), filepath.Join(root, to)); err != nil {
			return err
		}
	}
	p := &Process{Name: "crossplane-init", Logs: c.Logs, Path: c.Crossplane, Args: []string{"core", "init"}, Env: environment()}
	if strings.HasPrefix(c.Version, "v1.") {
		// It reads fixed folders of its image: give it one.
		for from, to := range map[string]string{c.Crossplane: "crossplane", c.Kubeconfig: "kubeconfig"} {
			if err := copyFile(from, filepath.Join(root, to)); err != nil {
				return err
			}
		}
		p.Chroot, p.Path = root, "/crossplane"
		p.Env = append(p.Env, "KUBECONFIG=/kubeconfig")
	} else {
		p.Args = append(p.Args, "--activation", "*")
		p.Env = append(p.Env, "KUBECONFIG="+c.Kubeconfig, "CRDS_PATH="+filepath.Join(root, "crds"), "WEBHOOK_CONFIGS_PATH="+filepath.Join(root, "webhookconfigurations"))
	}
	// The first try may come before the API server serves what it just created. A kubelet would start it again, too.
	return Poll(ctx, time.Minute, func(context.Context) error {
		if err := p.Start(); err != nil {
			return err
		}
		if err := p.Wait(); err != nil {
			return fmt.Errorf("%w: %s", err, p.Tail())
		}
		return nil
	})
}

func (c *ControlPlane) startCrossplane(ctx context.Context) error {
	addresses := make([]string, 3)
	ports := make([]string, 3)
	for i := range addresses {
		a, err := FreeAddress(ctx)
		if err != nil {
			return err
		}
		_, port, err := net.SplitHostPort(a)
		if err != nil {
			return err
		}
		addresses[i], ports[i] = a, port
	}
	c.Metrics, c.ready = addresses[0], addresses[1]
	svc := &corev1.Service{}
	if err := c.Client.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: "crossplane-webhooks"}, svc); err != nil {
		return err
	}
	c.Proxy.Route(net.JoinHostPort(svc.Spec.ClusterIP, "9443"), addresses[2])

	client, server := filepath.Join(c.Dir, "tls-client"), filepath.Join(c.Dir, "tls-server")
	for secret, dir := range map[string]string{"crossplane-tls-client": client, "crossplane-tls-server": server} {
		if err := c.WriteSecret(ctx, secret, dir); err != nil {
			return err
		}
	}
	core, err := c.serviceAccount(ctx, "crossplane")
	if err != nil {
		return err
	}
	rbac, err := c.serviceAccount(ctx, "rbac-manager")
	if err != nil {
		return err
	}
	c.Core = &Process{
		Name: "crossplane", Logs: c.Logs, Path: c.Crossplane,
		Args: []string{"core", "start", "--debug", "--xpkg-cache-dir", filepath.Join(c.Dir, "xpkg"), "--metrics-port", ports[0], "--health-probe-port", ports[1], "--webhook-port", ports[2]},
		Env: append(environment(), "KUBECONFIG="+core, "TLS_SERVER_CERTS_DIR="+server, "TLS_CLIENT_CERTS_DIR="+client,
			"HTTPS_PROXY=http://"+c.Proxy.Address, "NO_PROXY=127.0.0.1,localhost"),
	}
	c.RBAC = &Process{
		Name: "rbac-manager", Logs: c.Logs, Path: c.Crossplane,
		Args: []string{"rbac", "start", "--debug", "--provider-clusterrole", "crossplane:allowed-provider-permissions"},
		Env:  append(environment(), "KUBECONFIG="+rbac),
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, "xpkg"), 0o755); err != nil {
		return err
	}
	if err := c.RBAC.Start(); err != nil {
		return err
	}
	return c.StartCore(ctx)
}

// StartCore starts Crossplane's core and waits until it is ready.
func (c *ControlPlane) StartCore(ctx context.Context) error {
	if err := c.Core.Start(); err != nil {
		return err
	}
	return Poll(ctx, 2*time.Minute, func(ctx context.Context) error {
		if !c.Core.Running() || !c.RBAC.Running() {
			return errors.New("it ended: " + c.Core.Tail() + c.RBAC.Tail())
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.ready+"/readyz", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("not ready: %s", res.Status)
		}
		return nil
	})
}

// serviceAccount writes a kubeconfig for a ServiceAccount of Crossplane.
func (c *ControlPlane) serviceAccount(ctx context.Context, name string) (string, error) {
	token, err := c.Token(ctx, name, nil)
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.Dir, name+".kubeconfig")
	return path, c.WriteKubeconfig(path, token)
}

// Token of a ServiceAccount in Crossplane's namespace, bound to a pod if there is one, for the API server or for other audiences.
func (c *ControlPlane) Token(ctx context.Context, serviceAccount string, pod *corev1.Pod, audiences ...string) (string, error) {
	hours := int64(24 * 60 * 60)
	tr := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &hours, Audiences: audiences}}
	if pod != nil {
		tr.Spec.BoundObjectRef = &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}
	}
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: serviceAccount}}
	err := c.Client.SubResource("token").Create(ctx, sa, tr)
	return tr.Status.Token, err
}

// WriteKubeconfig writes one for the owner of a token.
func (c *ControlPlane) WriteKubeconfig(path, token string) error {
	const name = "e2e"
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: c.Config.Host, CertificateAuthorityData: c.Config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {Token: token}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}, path)
}

// WriteSecret writes a TLS secret of Crossplane's namespace into a folder, once it holds a certificate.
func (c *ControlPlane) WriteSecret(ctx context.Context, name, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return Poll(ctx, time.Minute, func(ctx context.Context) error {
		s := &corev1.Secret{}
		if err := c.Client.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: name}, s); err != nil {
			return err
		}
		for _, k := range []string{"tls.crt", "tls.key", "ca.crt"} {
			if len(s.Data[k]) == 0 {
				return fmt.Errorf("secret %s has no %s yet", name, k)
			}
			if err := os.WriteFile(filepath.Join(dir, k), s.Data[k], 0o600); err != nil {
				return err
			}
		}
		return nil
	})
}

// Poll until there is no error.
func Poll(ctx context.Context, timeout time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not after %s: %w", timeout, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func copyYAML(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(from, "*.yaml"))
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := copyFile(f, filepath.Join(to, filepath.Base(f))); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o755)
}
