package likeness

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/providers"
)

// together is how many cases run at once.
const together = "64"

func TestMain(m *testing.M) { providers.Main(m, together) }

// An account is what a case does in AWS, and what it reads there.
type account interface {
	Has(part string) []string
	Calls(parts ...string) []string
	Inject(f aws.Fault) (remove func())
	AddRole(name, trust, inline string, policyARNs ...string) string
	RemoveRole(name string)
	RemovePolicy(name string)
	Associate(namespace, serviceAccount, role string) string
	Disassociate(namespace, serviceAccount string)
	Detach(roleName string)
}

// A side is one of the two: an API server whose objects are reconciled, and the account in which that is done.
type side struct {
	*providers.World
	account

	// seen caches the objects of the API server.
	seen cache.Cache

	mu sync.Mutex
	// heal removes the faults of a case.
	heal map[string][]func()
}

// poll of both sides.
const poll = time.Second

// start a side with the real providers.
func start(ctx context.Context, t *testing.T, name string, programs ...string) (*side, error) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		return nil, err
	}
	w, err := providers.Start(ctx, providers.Options{
		Root: root, Name: name, Poll: poll, Say: t.Logf, Programs: programs,
		Kinds: []string{"iam.aws.upbound.io_roles", "iam.aws.upbound.io_policies", "iam.aws.upbound.io_rolepolicyattachments", "eks.aws.upbound.io_podidentityassociations"},
	})
	t.Cleanup(w.Stop)
	if err != nil {
		return nil, err
	}
	s := &side{World: w, account: w.AWS, heal: map[string][]func(){}}
	if s.seen, err = cache.New(w.Config, cache.Options{}); err != nil {
		return nil, err
	}
	go func() { _ = s.seen.Start(ctx) }()
	w.AWS.AddRole("admin", `{"Statement":[]}`, "", "arn:aws:iam::aws:policy/AdministratorAccess")
	return s, w.Login(ctx, "default", "admin")
}

// startFake is the side of fakes.AWS. It acts for Providers that are Healthy.
func startFake(ctx context.Context, t *testing.T) (*side, error) {
	t.Helper()
	s, err := start(ctx, t, "fake")
	if err != nil {
		return nil, err
	}
	b := binaries.Builder{Root: filepath.Join("..", "..", "..")}
	source, err := b.Source(ctx, filepath.Join("tools", "crossplane-core-v2"), "github.com/crossplane/crossplane/v2", "")
	if err != nil {
		return nil, err
	}
	if err := s.Define(ctx, filepath.Join(source, "cluster", "crds", "pkg.crossplane.io_providers.yaml")); err != nil {
		return nil, err
	}
	for _, name := range []string{"provider-family-aws", "provider-aws-iam", "provider-aws-eks"} {
		p := providers.Object(`{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: ` + name + `}, spec: {package: example.org/` + name + `:v1}}`)
		if err := s.Apply(ctx, p); err != nil {
			return nil, err
		}
		healthy := `{"status":{"currentRevision":"1","conditions":[{"type":"Healthy","status":"True","reason":"HealthyPackageRevision","lastTransitionTime":"2025-01-01T00:00:00Z"}]}}`
		if err := s.Client.Status().Patch(ctx, p, client.RawPatch("application/merge-patch+json", []byte(healthy))); err != nil {
			return nil, err
		}
	}
	fake := fakes.NewAWS(s.Client)
	s.account = fake
	go fake.Run(ctx)
	return s, nil
}

// get an object as it was last seen, and whether it exists.
func (s *side) get(ctx context.Context, o *unstructured.Unstructured) (bool, error) {
	err := s.seen.Get(ctx, client.ObjectKeyFromObject(o), o)
	return err == nil, client.IgnoreNotFound(err)
}

// startBoth sides at the same time.
func startBoth(t *testing.T) [2]*side {
	t.Helper()
	var sides [2]*side
	var errs [2]error
	done := make(chan struct{})
	go func() {
		defer close(done)
		sides[1], errs[1] = startFake(t.Context(), t)
	}()
	sides[0], errs[0] = start(t.Context(), t, "real", binaries.ProviderFamily, binaries.ProviderIAM, binaries.ProviderEKS)
	<-done
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return sides
}
