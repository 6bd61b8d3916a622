// Package fakes stands in for what cannot exist on a developer's machine: AWS with the providers that talk to it, and
// kubelets.
package fakes

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
)

const (
	// Account of the fake AWS.
	Account = aws.Account
	// Cluster of EKS that the control plane is. Other clusters have no pods.
	Cluster = aws.Cluster

	finalizer    = "finalizer.managedresource.crossplane.io"
	externalName = "crossplane.io/external-name"
	resolver     = client.FieldOwner("managed.crossplane.io/api-simple-reference-resolver")
)

// AWS is one account with IAM, EKS and resources of other services, together with the providers of the provider-aws family.
// It does to objects what the real providers (v2.5.0) were seen to do, and acts only for as long as they could: while the
// Provider in question is Healthy, its pod has credentials, and the ProviderConfig exists.
//
//   - Role, Policy, RolePolicyAttachment and PodIdentityAssociation: the finalizer, external names, resolved references, the
//     fields that late initialization writes, conditions, status, AWS's rules about deletion order (provider.go, identity.go).
//   - Any other kind that a scenario asks for, such as Bucket: Ready, and deleted when it may be (user.go).
//   - ProviderConfigs: their finalizer, users and Terminating, as provider-family-aws does it (providerconfig.go).
//
// It does not evaluate policies, and does not have tags as AWS sees them.
type AWS struct {
	Client client.Client
	// Latency of a creation in AWS.
	Latency time.Duration
	// Settle is how long EKS takes until pods of a new association get credentials.
	Settle time.Duration
	// Real are the services whose real providers run. Nothing is done for them here.
	Real []string
	// Access says what keeps a pod from the credentials of its ServiceAccount, if the account is not this one.
	Access func(serviceAccount string) string

	mu           sync.Mutex
	roles        map[string]*role
	policies     map[string]*policy
	associations map[string]*association // By associationKey.
	faults       []*aws.Fault
	users        []managed
	requests     int
	pause        time.Duration
	rested       map[types.UID]rest
	// changes that scenarios made in AWS.
	changes int
	calls   []string
}

// A managed kind, and the service whose provider is its controller.
type managed struct {
	gvk     schema.GroupVersionKind
	service string
}

// kinds of identities, in the order in which the fake looks at them.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var kinds = []managed{
	{schema.GroupVersionKind{Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "Role"}, "iam"},
	{schema.GroupVersionKind{Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "Policy"}, "iam"},
	{schema.GroupVersionKind{Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "RolePolicyAttachment"}, "iam"},
	{schema.GroupVersionKind{Group: "eks.aws.upbound.io", Version: "v1beta1", Kind: "PodIdentityAssociation"}, "eks"},
}

// NewAWS returns an empty account.
func NewAWS(c client.Client) *AWS {
	return &AWS{
		Client: c, Latency: 1500 * time.Millisecond, Settle: 8 * time.Second,
		roles: map[string]*role{}, policies: map[string]*policy{}, associations: map[string]*association{}, rested: map[types.UID]rest{},
	}
}

// Manage objects of a kind, too, as the provider of its service would: s3 and s3.aws.upbound.io/v1beta1 Bucket.
func (a *AWS) Manage(service string, gvk schema.GroupVersionKind) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := (managed{gvk, service}); !slices.Contains(a.users, m) {
		a.users = append(a.users, m)
	}
}

// pause after which everything is looked at again, unless a scenario sets another.
const pause = 200 * time.Millisecond

// SetPause after which everything is looked at again. It is a fifth of a second.
func (a *AWS) SetPause(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pause = d
}

// Run until the context ends. Everything is looked at several times a second: CRDs come and go, and so would watches.
func (a *AWS) Run(ctx context.Context) {
	for ctx.Err() == nil {
		healthy := a.healthy(ctx)
		for _, k := range kinds {
			if healthy[k.service] == "" {
				continue
			}
			var g errgroup.Group
			g.SetLimit(workers)
			for _, o := range a.list(ctx, k.gvk) {
				if a.resting(o) {
					continue
				}
				g.Go(func() error {
					version := o.GetResourceVersion()
					// An error is a conflict with another write: the next round is soon enough.
					if err := a.reconcile(ctx, o); err == nil && o.GetResourceVersion() == version {
						a.rest(o)
					}
					return nil
				})
			}
			_ = g.Wait()
		}
		a.mu.Lock()
		users, pause := slices.Clone(a.users), cmp.Or(a.pause, pause)
		a.mu.Unlock()
		for _, k := range users {
			if healthy[k.service] == "" {
				continue
			}
			for _, o := range a.list(ctx, k.gvk) {
				_ = a.use(ctx, o, k.service, healthy[k.service])
			}
		}
		if healthy["family"] != "" {
			a.count(ctx)
		}
		sleep(ctx, pause)
	}
}

// workers look at objects of a kind side by side.
const workers = 8

// A rest of an object that is ready and needed no write. It is looked at again when it changes, when a scenario changes something in
// AWS, and after a while: its ProviderConfig may have been deleted.
type rest struct {
	version string
	changes int
	until   time.Time
}

// rests are how many pauses a rest takes.
const rests = 15

func (a *AWS) rest(o *unstructured.Unstructured) {
	if Condition(o, "Ready")["status"] != "True" || Condition(o, "Synced")["status"] != "True" || o.GetDeletionTimestamp() != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rested[o.GetUID()] = rest{o.GetResourceVersion(), a.changes, time.Now().Add(rests * cmp.Or(a.pause, pause))}
}

func (a *AWS) resting(o *unstructured.Unstructured) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.rested[o.GetUID()]
	return ok && r.version == o.GetResourceVersion() && r.changes == a.changes && time.Now().Before(r.until)
}

// list all objects of a kind. None if it does not exist.
func (a *AWS) list(ctx context.Context, gvk schema.GroupVersionKind) []*unstructured.Unstructured {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk)
	if err := a.Client.List(ctx, list); err != nil {
		return nil
	}
	out := make([]*unstructured.Unstructured, len(list.Items))
	for i := range list.Items {
		out[i] = &list.Items[i]
	}
	return out
}

// healthy providers' revisions, by service: s3, or family.
func (a *AWS) healthy(ctx context.Context) map[string]string {
	out := map[string]string{}
	for _, p := range a.list(ctx, schema.GroupVersionKind{Group: "pkg.crossplane.io", Version: "v1", Kind: "Provider"}) {
		if Condition(p, "Healthy")["status"] != "True" {
			continue
		}
		source := String(p, "spec", "package")
		name := source[strings.LastIndex(source, "/")+1:]
		if i := strings.IndexAny(name, ":@"); i > 0 {
			name = name[:i]
		}
		if name == "provider-family-aws" {
			out["family"] = String(p, "status", "currentRevision")
		} else if service, ok := strings.CutPrefix(name, "provider-aws-"); ok {
			out[service] = String(p, "status", "currentRevision")
		}
	}
	for _, service := range a.Real {
		delete(out, service)
	}
	return out
}
