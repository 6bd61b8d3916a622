package kinds

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
)

// programs of the services that have kinds here.
var programs = map[string]string{"iam": binaries.ProviderIAM, "eks": binaries.ProviderEKS, "s3": binaries.ProviderS3, "sqs": binaries.ProviderSQS}

// together is how many stories are told at once: most of a story is waiting.
const together = "16"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", together); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	log.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// A world is an API server with the kinds, AWS, and the real providers.
type world struct {
	*controlplane.ControlPlane

	aws *aws.Server
	// Clients of somebody who may do everything.
	iam *iam.Client
	eks *eks.Client
	s3  *s3.Client
	sqs *sqs.Client
}

// newWorld for the kinds of some cases.
func newWorld(t *testing.T, cases []story) *world {
	t.Helper()
	ctx := t.Context()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	b := binaries.Builder{Root: root}
	paths := map[string]string{}
	for _, tool := range []string{binaries.Etcd, binaries.APIServer, binaries.ProviderIAM, binaries.ProviderEKS, binaries.ProviderS3, binaries.ProviderSQS} {
		if paths[tool], err = b.Build(ctx, tool); err != nil {
			t.Fatal(err)
		}
	}
	source, err := b.Source(ctx, filepath.Join("tools", "provider-aws"), "github.com/upbound/provider-aws/v2", "")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "kinds") //nolint:usetesting // A unix socket needs a short path.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	logs := filepath.Join(root, "_output", "e2e", "logs", "kinds")
	if err := errors.Join(os.RemoveAll(logs), os.MkdirAll(logs, 0o755)); err != nil {
		t.Fatal(err)
	}
	w := &world{}
	w.ControlPlane, err = controlplane.StartAPI(ctx, controlplane.Options{Dir: dir, Logs: logs, Say: t.Logf, Binaries: controlplane.Binaries{Etcd: paths[binaries.Etcd], APIServer: paths[binaries.APIServer]}})
	t.Cleanup(func() { _ = w.Stop() })
	if err != nil {
		t.Fatal(err)
	}
	if err := w.define(ctx, filepath.Join(source, "package", "crds"), cases); err != nil {
		t.Fatal(err)
	}
	if err := w.startAWS(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.aws.Close)
	for service, tool := range programs {
		p, err := w.startProvider(ctx, service, paths[tool])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
	}
	return w
}

// define the kinds of the cases, and what configures providers.
func (w *world) define(ctx context.Context, crds string, cases []story) error {
	files := []string{"aws.upbound.io_providerconfigs.yaml", "aws.upbound.io_providerconfigusages.yaml"}
	for _, c := range cases {
		service, _, _ := strings.Cut(c.kind, "/")
		files = append(files, service+".aws.upbound.io_"+c.plural+".yaml")
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(crds, f))
		if err != nil {
			return err
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(text, &o.Object); err != nil {
			return err
		}
		// The version that is stored is the one that providers work with. Others would take their webhook.
		versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
		for _, v := range versions {
			if v.(map[string]any)["storage"] == true {
				versions = []any{v}
			}
		}
		if err := unstructured.SetNestedSlice(o.Object, versions, "spec", "versions"); err != nil {
			return err
		}
		if err := w.apply(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	return w.apply(ctx, object(`{apiVersion: v1, kind: Namespace, metadata: {name: `+controlplane.Namespace+`}}`))
}

// object of YAML that is known to be right.
func object(text string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		panic(fmt.Errorf("%w: %s", err, text))
	}
	return o
}

// apply an object. A kind that was just defined is not served at once.
func (w *world) apply(ctx context.Context, o *unstructured.Unstructured) error {
	return controlplane.Poll(ctx, 30*time.Second, func(ctx context.Context) error {
		return w.Client.Patch(ctx, o.DeepCopy(), client.Apply, client.FieldOwner("kinds"), client.ForceOwnership) //nolint:staticcheck // This is unstructured.
	})
}

func (w *world) startAWS(ctx context.Context) error {
	var err error
	if w.aws, err = aws.New(ctx); err != nil {
		return err
	}
	w.aws.Latency = 5 * time.Millisecond
	cfg := sdk.Config{Region: aws.Region, BaseEndpoint: &w.aws.URL, Credentials: credentials.NewStaticCredentialsProvider(aws.RootKey, "secret", "")}
	w.iam, w.eks, w.sqs = iam.NewFromConfig(cfg), eks.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	w.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	return nil
}

// startProvider of a service, with the permissions of an administrator in Kubernetes, and none in AWS.
func (w *world) startProvider(ctx context.Context, service, program string) (*controlplane.Process, error) {
	addresses := make([]string, 2)
	for i := range addresses {
		var err error
		if addresses[i], err = controlplane.FreeAddress(ctx); err != nil {
			return nil, err
		}
	}
	p := &controlplane.Process{
		Name: "provider-aws-" + service, Logs: w.Logs, Path: program,
		// Nobody converts anything here, so there are no webhooks.
		Args: []string{"--poll=3s", "--certs-dir="},
		Env: []string{
			"KUBECONFIG=" + w.Kubeconfig, "METRICS_BIND_ADDRESS=" + addresses[0], "HEALTH_PROBE_BIND_ADDRESS=" + addresses[1],
			// What is left of the network is AWS. S3 Control has a host name for each account, which a proxy finds.
			"AWS_ENDPOINT_URL=" + w.aws.URL, "HTTP_PROXY=" + w.aws.URL, "AWS_EC2_METADATA_DISABLED=true",
		},
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	return p, controlplane.Poll(ctx, 2*time.Minute, func(ctx context.Context) error {
		if !p.Running() {
			return errors.New("it ended: " + p.Tail())
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addresses[1]+"/readyz", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		return res.Body.Close()
	})
}
