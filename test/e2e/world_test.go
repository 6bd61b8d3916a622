package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/packages"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/pods"
)

// published are the services that have a provider package in the registry.
var published = []string{"family", "iam", "eks", "s3", "sqs", "sns", "kms", "dynamodb", "ecr", "kinesis", "sfn", "glacier", "athena", "efs", "cloudwatchlogs", "route53", "ses", "xray", "mq", "dax", "scheduler", "backup", "lambda", "firehose", "ssm", "cloudwatch", "ram", "swf"}

// registries that packages are published in.
var registries = []string{packages.Upbound, packages.Contrib}

// moved are those that have one in the second registry, too: a cluster that moves there needs them.
var moved = []string{"family", "iam", "eks", "sqs"}

// whole are those whose package has every CRD of the real one. The others have only some, because a machine has two cores.
var whole = []string{"family", "iam", "eks", "s3"}

// An Account of AWS.
type Account interface {
	// Calls that changed something, in order, whose text contains all of the parts.
	Calls(parts ...string) []string
	// Has lists what exists with the part in its name.
	Has(part string) []string
	// Deny an action on the resource of that name, until allow is called.
	Deny(action, name string) (allow func())
	// Disassociate deletes an association in AWS, as another user would.
	Disassociate(namespace, serviceAccount string)
	// Age makes everything with that part in its name a day older, as a rebuilt cluster finds it.
	Age(part string)
	// Identities are the ServiceAccounts of the cluster whose associations EKS knows everywhere.
	Identities() []aws.Identity
}

// A World is a control plane with Crossplane, packages to install, AWS and kubelets.
type World struct {
	*controlplane.ControlPlane

	version version
	AWS     Account
	// Fakes stand in for providers: for all, or for those that no scenario needs for real.
	Fakes   *fakes.AWS
	Kubelet *fakes.Kubelet
	// Real is AWS where real providers run, and Pods runs them. Both are nil elsewhere.
	Real     *aws.Server
	Pods     *pods.Runner
	registry *packages.Registry
	webhook  *controlplane.Process
	// webhookCA signed the webhook's certificate. In base64.
	webhookCA string
	// tokens that composite resources take from Crossplane's circuit breaker.
	tokens *Tokens
	ctx    context.Context
	cancel context.CancelFunc

	mu sync.Mutex
	// Function runs as soon as it is installed. Its metrics have an address of their own.
	function        *controlplane.Process
	functionMetrics string

	dir string
}

// NewWorld starts one. Its start is logged by the first test, and it lasts as long as the second.
func NewWorld(t *testing.T, last testing.TB, v version) *World { //nolint:thelper // There are two.
	t.Helper()
	began := time.Now()
	dir, err := os.MkdirTemp("", "e2e") //nolint:usetesting // A unix socket needs a short path.
	if err != nil {
		t.Fatal(err)
	}
	logs := filepath.Join(built.Root, "_output", "e2e", "logs", os.Getenv(logsVariable), os.Getenv(laneVariable), strings.ReplaceAll(last.Name(), "/", "-"))
	if err := os.RemoveAll(logs); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	w := &World{version: v, dir: dir}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	last.Cleanup(w.Close)

	w.ControlPlane, err = controlplane.Start(w.ctx, controlplane.Options{
		Dir: dir, Logs: logs, Version: v.crossplane, Source: built.Sources[v.crossplane], Say: t.Logf,
		Binaries: controlplane.Binaries{
			Etcd: built.Paths[binaries.Etcd], APIServer: built.Paths[binaries.APIServer],
			ControllerManager: built.Paths[binaries.ControllerManager], Crossplane: built.Paths[v.tool],
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.publish(filepath.Join(built.Sources[v.provider], "package", "crds")); err != nil {
		t.Fatal(err)
	}
	w.Fakes, w.Kubelet = fakes.NewAWS(w.Client), &fakes.Kubelet{Client: w.Client}
	if err := w.startAWS(v == v2 && (os.Getenv(laneVariable) == realLane || os.Getenv("E2E") == "all")); err != nil {
		t.Fatal(err)
	}
	identities := filepath.Join(dir, "identities.json")
	if err := w.writeIdentities(identities); err != nil {
		t.Fatal(err)
	}
	if err := w.startWebhook(identities); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.openConfig(), []byte(openConfiguration), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.countTokens(); err != nil {
		t.Fatal(err)
	}
	go w.keepIdentities(identities)
	go w.Fakes.Run(w.ctx)
	go w.Kubelet.Run(w.ctx)
	go w.serve()
	t.Logf("%-22s %5.1f s", "total", time.Since(began).Seconds())
	return w
}

// Close the world.
func (w *World) Close() {
	if w.ctx.Err() != nil {
		return
	}
	w.cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range []*controlplane.Process{w.function, w.webhook} {
		if p != nil {
			p.Kill()
		}
	}
	if w.ControlPlane != nil {
		_ = w.Stop()
	}
	if w.registry != nil {
		w.registry.Close()
	}
	if w.Real != nil {
		w.Real.Close()
		_ = w.logCalls()
	}
	_ = os.RemoveAll(w.dir)
}

// publish all packages, and make Crossplane look for them here.
func (w *World) publish(crds string) error {
	var err error
	if w.registry, err = packages.NewRegistry(w.ctx); err != nil {
		return err
	}
	for registry, services := range map[string][]string{packages.Upbound: published, packages.Contrib: moved} {
		for _, s := range services {
			p := packages.Provider{Service: s, Registry: registry, CRDs: crds, Few: !slices.Contains(whole, s), SafeStart: w.version.safeStart, Versions: []string{w.version.olderProvider, w.version.providerVersion}}
			if err := w.registry.Push(w.ctx, p); err != nil {
				return err
			}
		}
	}
	if err := w.release(released); err != nil {
		return err
	}
	for _, registry := range registries {
		_, organisation, _ := strings.Cut(registry, "/")
		if err := w.apply(fmt.Sprintf(`
apiVersion: pkg.crossplane.io/v1beta1
kind: ImageConfig
metadata: {name: %s}
spec:
  matchImages: [{type: Prefix, prefix: %s}]
  rewriteImage: {prefix: "%s"}
`, organisation, registry, w.registry.Address+"/"+organisation)); err != nil {
			return err
		}
	}
	return nil
}

// release a version of this repository. Crossplane installs the newest one as a dependency.
func (w *World) release(version string) error {
	r := built.Releases[version]
	for file, repository := range map[string]string{r.FunctionPackage: "function-pod-identity-provider", r.ConfigurationPackage: "configuration-pod-identity-provider"} {
		if err := w.registry.PushFile(w.ctx, built.Paths[binaries.CLI], file, "crossplane-contrib/"+repository+":"+version); err != nil {
			return err
		}
	}
	return nil
}

// apply YAML on the server's side, as `kubectl apply --server-side` does.
func (w *World) apply(stream string) error {
	objects, err := controlplane.Objects(stream)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := w.Client.Patch(w.ctx, o, client.Apply, client.FieldOwner("kubectl"), client.ForceOwnership); err != nil { //nolint:staticcheck // These are unstructured.
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

// startWebhook starts the real amazon-eks-pod-identity-webhook behind its Service.
func (w *World) startWebhook(identities string) error {
	dir := filepath.Join(w.dir, "webhook")
	ca, err := selfSigned(dir, "pod-identity-webhook.kube-system.svc")
	if err != nil {
		return err
	}
	address, err := controlplane.FreeAddress(w.ctx)
	if err != nil {
		return err
	}
	metrics, err := controlplane.FreeAddress(w.ctx)
	if err != nil {
		return err
	}
	port := func(a string) string { return a[strings.LastIndex(a, ":")+1:] }
	w.webhook = &controlplane.Process{
		Name: "pod-identity-webhook", Logs: w.Logs, Path: built.Paths[binaries.Webhook],
		Args: []string{
			"--in-cluster=false", "--kubeconfig", w.Kubeconfig, "--port", port(address), "--metrics-port", port(metrics),
			"--tls-key", filepath.Join(dir, "tls.key"), "--tls-cert", filepath.Join(dir, "tls.crt"),
			"--watch-container-credentials-config", identities, "--aws-default-region", "eu-west-1",
		},
	}
	if err := w.webhook.Start(); err != nil {
		return err
	}
	w.webhookCA = base64.StdEncoding.EncodeToString(ca)
	if err := w.apply("{apiVersion: v1, kind: Service, metadata: {name: pod-identity-webhook, namespace: kube-system}, spec: {ports: [{port: 443, protocol: TCP}]}}"); err != nil {
		return err
	}
	if err := w.registerWebhook(); err != nil {
		return err
	}
	svc := &corev1.Service{}
	if err := w.Client.Get(w.ctx, client.ObjectKey{Namespace: "kube-system", Name: "pod-identity-webhook"}, svc); err != nil {
		return err
	}
	w.Proxy.Route(net.JoinHostPort(svc.Spec.ClusterIP, "443"), address)
	return nil
}

// registerWebhook makes the API server send every new pod to the webhook.
func (w *World) registerWebhook() error {
	// EKS ignores failures of its webhook. Here that would only hide that the suite is broken.
	return w.apply(`
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: pod-identity-webhook}
webhooks:
- name: pod-identity-webhook.amazonaws.com
  failurePolicy: Fail
  clientConfig: {service: {name: pod-identity-webhook, namespace: kube-system, path: /mutate}, caBundle: ` + w.webhookCA + `}
  rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]
  sideEffects: None
  admissionReviewVersions: [v1beta1]
`)
}

// selfSigned certificate for a host, in a folder.
func selfSigned(dir, host string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var crt, k bytes.Buffer
	_ = pem.Encode(&crt, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	_ = pem.Encode(&k, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "tls.key"), k.Bytes(), 0o600); err != nil {
		return nil, err
	}
	return crt.Bytes(), os.WriteFile(filepath.Join(dir, "tls.crt"), crt.Bytes(), 0o644)
}

// serve the function as soon as Crossplane has installed it, as its Deployment's pod would. Its certificates are those that
// Crossplane made, and its address is that of its Service. Another version is served as soon as it is the active one, and another
// configuration as soon as the Deployment mounts it.
func (w *World) serve() {
	serving := ""
	for w.ctx.Err() == nil {
		for _, r := range w.list(schema.GroupVersionKind{Group: "pkg.crossplane.io", Version: "v1", Kind: "FunctionRevision"}) {
			image := fakes.String(&r, "spec", "image")
			version := image[strings.LastIndex(image, ":")+1:]
			config, err := w.config(r.GetName())
			if err != nil {
				sayf("cannot give the function its configuration: %v", err)
				continue
			}
			pod := version + " " + config
			endpoint := strings.TrimPrefix(fakes.String(&r, "status", "endpoint"), "dns:///")
			secret := fakes.String(&r, "spec", "tlsServerSecretName")
			if pod == serving || endpoint == "" || secret == "" || fakes.String(&r, "spec", "desiredState") != "Active" {
				continue
			}
			if err := w.startFunction(version, config, endpoint, secret); err != nil {
				sayf("cannot start the function: %v", err)
				continue
			}
			serving = pod
		}
		select {
		case <-w.ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// list objects. The list is empty if the kind does not exist, or the API server does not answer.
func (w *World) list(gvk schema.GroupVersionKind) []unstructured.Unstructured {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk)
	if err := w.Client.List(w.ctx, list); err != nil {
		return nil
	}
	return list.Items
}

// startFunction starts a version with a configuration, and then stops the previous process, as a Deployment would.
func (w *World) startFunction(version, config, endpoint, secret string) error {
	certs := filepath.Join(w.dir, "function")
	if err := w.WriteSecret(w.ctx, secret, certs); err != nil {
		return err
	}
	address, err := controlplane.FreeAddress(w.ctx)
	if err != nil {
		return err
	}
	metrics, err := controlplane.FreeAddress(w.ctx)
	if err != nil {
		return err
	}
	after, before := &controlplane.Process{
		Name: "function", Logs: w.Logs, Path: built.Releases[version].Function,
		Args: []string{"--debug", "--address", address, "--tls-certs-dir", certs, "--metrics-address", metrics, "--config", config},
	}, w.Function()
	if err := after.Start(); err != nil {
		return err
	}
	if before != nil {
		// Its readiness probe.
		if err := controlplane.Poll(w.ctx, 10*time.Second, func(ctx context.Context) error {
			c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
			if err != nil {
				return err
			}
			return c.Close()
		}); err != nil {
			after.Kill()
			return err
		}
	}
	w.Proxy.Route(endpoint, address)
	if before != nil {
		before.Stop()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.function, w.functionMetrics = after, metrics
	return nil
}

// Function is the process of the function.
func (w *World) Function() *controlplane.Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.function
}
