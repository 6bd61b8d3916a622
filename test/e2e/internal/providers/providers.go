// Package providers runs the real provider-aws of some services, with an API server and an AWS. It needs nothing of Crossplane.
package providers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
)

// Options of a world.
type Options struct {
	// Root of the repository, and Name of the world and of the folder of its logs.
	Root, Name string
	// Kinds to define, as provider-aws calls the files of their CRDs: s3.aws.upbound.io_buckets.
	Kinds []string
	// Programs are the providers that run, as package binaries calls them.
	Programs []string
	// Poll is how often the providers look at AWS.
	Poll time.Duration
	Say  func(format string, args ...any)
}

// A World is an API server with the kinds, AWS, and the real providers.
type World struct {
	*controlplane.ControlPlane

	AWS *aws.Server

	options   Options
	providers []*controlplane.Process
}

// Start a world. The caller must stop it even if there is an error.
func Start(ctx context.Context, o Options) (*World, error) {
	w := &World{ControlPlane: &controlplane.ControlPlane{}, options: o}
	b := binaries.Builder{Root: o.Root}
	paths := map[string]string{}
	for _, tool := range append([]string{binaries.Etcd, binaries.APIServer}, o.Programs...) {
		var err error
		if paths[tool], err = b.Build(ctx, tool); err != nil {
			return w, err
		}
	}
	source, err := b.Source(ctx, filepath.Join("tools", "provider-aws"), "github.com/upbound/provider-aws/v2", "")
	if err != nil {
		return w, err
	}
	dir, err := os.MkdirTemp("", o.Name)
	if err != nil {
		return w, err
	}
	w.Dir = dir
	logs := filepath.Join(o.Root, "_output", "e2e", "logs", o.Name)
	if err := errors.Join(os.RemoveAll(logs), os.MkdirAll(logs, 0o755)); err != nil {
		return w, err
	}
	w.ControlPlane, err = controlplane.StartAPI(ctx, controlplane.Options{Dir: dir, Logs: logs, Say: o.Say, Binaries: controlplane.Binaries{Etcd: paths[binaries.Etcd], APIServer: paths[binaries.APIServer]}})
	if err != nil {
		return w, err
	}
	for _, kind := range append([]string{"aws.upbound.io_providerconfigs", "aws.upbound.io_providerconfigusages"}, o.Kinds...) {
		if err := w.Define(ctx, filepath.Join(source, "package", "crds", kind+".yaml")); err != nil {
			return w, err
		}
	}
	if err := w.Apply(ctx, Object(`{apiVersion: v1, kind: Namespace, metadata: {name: `+controlplane.Namespace+`}}`)); err != nil {
		return w, err
	}
	if w.AWS, err = aws.New(ctx); err != nil {
		return w, err
	}
	w.AWS.Latency = 5 * time.Millisecond
	err = w.run(ctx, paths)
	return w, err
}

// Stop everything.
func (w *World) Stop() {
	for _, p := range w.providers {
		p.Kill()
	}
	if w.AWS != nil {
		w.AWS.Close()
	}
	_ = w.ControlPlane.Stop()
	_ = os.RemoveAll(w.Dir)
}

// Define a kind from the file of its CRD.
func (w *World) Define(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &o.Object); err != nil {
		return err
	}
	// Providers work with the version that is stored. Other versions would need their webhook.
	versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
	for _, v := range versions {
		if m, ok := v.(map[string]any); ok && m["storage"] == true {
			versions = []any{v}
		}
	}
	if err := unstructured.SetNestedSlice(o.Object, versions, "spec", "versions"); err != nil {
		return err
	}
	if err := w.Apply(ctx, o); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// Object of YAML that is known to be valid.
func Object(text string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		panic(fmt.Errorf("%w: %s", err, text))
	}
	return o
}

// Apply an object. A kind that was just defined is not served at once.
func (w *World) Apply(ctx context.Context, o *unstructured.Unstructured) error {
	return controlplane.Poll(ctx, 30*time.Second, func(ctx context.Context) error {
		return w.Client.Patch(ctx, o.DeepCopy(), client.Apply, client.FieldOwner("test"), client.ForceOwnership) //nolint:staticcheck // This is unstructured.
	})
}

// Login gives a ProviderConfig the credentials of a new session of an existing role.
func (w *World) Login(ctx context.Context, providerConfig, role string) error {
	key := w.AWS.Login(role)
	for _, o := range []string{
		`{apiVersion: v1, kind: Secret, metadata: {namespace: ` + controlplane.Namespace + `, name: ` + providerConfig + `}, stringData: {c: "[default]\naws_access_key_id = ` + key + `\naws_secret_access_key = secret\naws_session_token = ` + key + `\n"}}`,
		`{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: ` + providerConfig + `}, spec: {credentials: {source: Secret, secretRef: {namespace: ` + controlplane.Namespace + `, name: ` + providerConfig + `, key: c}}}}`,
	} {
		if err := w.Apply(ctx, Object(o)); err != nil {
			return err
		}
	}
	return nil
}

// run the providers, with the permissions of an administrator in Kubernetes, and none in AWS.
func (w *World) run(ctx context.Context, paths map[string]string) error {
	probes := map[*controlplane.Process]string{}
	for _, program := range w.options.Programs {
		addresses := make([]string, 2)
		for i := range addresses {
			var err error
			if addresses[i], err = controlplane.FreeAddress(ctx); err != nil {
				return err
			}
		}
		p := &controlplane.Process{
			Name: program, Logs: w.Logs, Path: paths[program],
			// No object is converted here, so there are no webhooks.
			Args: []string{"--poll=" + w.options.Poll.String(), "--certs-dir="},
			Env: []string{
				"KUBECONFIG=" + w.Kubeconfig, "METRICS_BIND_ADDRESS=" + addresses[0], "HEALTH_PROBE_BIND_ADDRESS=" + addresses[1],
				// AWS is all that providers reach. S3 Control has a host name for each account, and requests to it come through the proxy.
				"AWS_ENDPOINT_URL=" + w.AWS.URL, "HTTP_PROXY=" + w.AWS.URL, "AWS_EC2_METADATA_DISABLED=true",
			},
		}
		if err := p.Start(); err != nil {
			return err
		}
		w.providers = append(w.providers, p)
		probes[p] = "http://" + addresses[1] + "/readyz"
	}
	for p, url := range probes {
		if err := controlplane.Poll(ctx, 2*time.Minute, func(ctx context.Context) error {
			if !p.Running() {
				return errors.New("it ended: " + p.Tail())
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return err
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			return res.Body.Close()
		}); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}
