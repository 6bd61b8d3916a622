// Package resources builds the composed resources: one kind, one builder, one file, numbered in the order of creation. A builder says
// what an object looks like, what its creation waits for, and when it is ready.
//
// A gate only delays creation. Once an object was observed it is composed again on every call, even if its gate is closed.
package resources

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/encode"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A Resource is one composed resource of a composite resource's full plan. One without Build is a check: something that must hold, and
// that is not composed. It is ready when it waits for nothing.
type Resource struct {
	// Key is the composition-resource name. It never changes once released: another key is another object. That of a check
	// is only a name for it.
	Key string
	// Service that the resource belongs to; empty if it belongs to all.
	Service string
	// Condition of the composite resource that the resource counts for.
	Condition v1alpha1.ConditionType
	// Kind of the object.
	Kind schema.GroupVersionKind
	// Name of the object; empty while it is not known.
	Name string
	// Seen is the object that a check is about; it does not exist while it is not known, and for other resources.
	Seen view.Object
	// Wait says why the object may not be created yet; nil if it may. For a check it says what is wrong.
	Wait *Wait
	// Covered says that the object's purpose is served already, without it: nothing waits for it.
	Covered bool
	// Build builds the object; nil for a check.
	Build func() (*structpb.Struct, error)
	// Ready judges the observed object; nil for a check.
	Ready func(view.Object) Readiness
}

// Check says whether the resource is one: something that must hold, and that is not composed.
func (r *Resource) Check() bool { return r.Build == nil }

// A Wait says why an object may not be created yet, or what a check found wrong.
type Wait struct {
	// Reason is Missing, Waiting, Removing, Conflict or InvalidSpec; for a check also Creating, ActionRequired or Failed.
	Reason v1alpha1.Reason
	// Subject is the object that is waited for; empty if it is part of the message.
	Subject string
	// Message for users: what is wrong with the subject and, if they must do something, what.
	Message string

	// owner of the object that is in the way, in a conflict.
	owner view.Owner
}

// A Readiness is the state of an observed object.
type Readiness struct {
	// Ready says whether it serves its purpose.
	Ready bool
	// Failed says whether it reports an error.
	Failed bool
	// Conflict says whether it conflicts with another owner.
	Conflict bool
	// ActionRequired says that a person has to act: it is paused, or waits to be activated.
	ActionRequired bool
	// Removing says that it is being removed: the spec no longer asks for it.
	Removing bool
	// Message says what is wrong, or quotes the error; empty if ready.
	Message string
}

// A Context holds what builders need to know.
type Context struct {
	View     *view.View
	Identity *identity.Identity

	encoder   encode.Encoder
	providers *providerList
}

// All returns all resources of the full plan, in the order of creation.
func All(v *view.View, id *identity.Identity) []*Resource {
	c := &Context{View: v, Identity: id}
	var rs []*Resource
	if id.Tenant != nil {
		rs = c.tenant()
	} else {
		rs = c.provided()
	}
	rs = c.untaken(wanted(rs))
	rs = append(rs, c.untaken(Usages(c, rs))...)
	c.holdForCluster(rs)
	return append(rs, Leaving(c, rs)...)
}

// provided is the full plan of a PodIdentityProvider, except for the Usages that order its deletion.
func (c *Context) provided() []*Resource {
	id := c.Identity
	rs := make([]*Resource, 0, 6*len(id.Services)+3)
	rs = append(rs, Agent(c))
	for _, s := range id.Services {
		own := []*Resource{Role(c, s)}
		own = append(own, Policies(c, s)...)
		own = append(own, Attachments(c, s)...)
		own = append(own, Tenants(c, s)...)
		own = append(own, Templates(s)...)
		own = append(own, Association(c, s), RuntimeConfig(c, s), Provider(c, s), ObservedProvider(c, s), Credentials(c, s), Kinds(s))
		rs = append(rs, holdBack(c.forService(s, own), unknownKinds(s))...)
	}
	rs = append(rs, Family(c), ProviderConfig(c), ClusterProviderConfig(c))
	return append(rs, NamespacedProviderConfigs(c)...)
}

// untaken holds back resources whose keys another function of the pipeline uses. An earlier function comes first. The resource of a
// later one is observed: it stays as it is, since an object of our kind in its place would let Crossplane forget it.
func (c *Context) untaken(rs []*Resource) []*Resource {
	for _, r := range rs {
		o := c.View.Observed(r.Key)
		switch {
		case r.Check():
		case c.View.Earlier(r.Key):
			r.Wait = &Wait{
				Reason: v1alpha1.ReasonConflict, Subject: r.Kind.Kind + " " + r.Name,
				Message: fmt.Sprintf("an earlier function of the Composition composes a resource called %q, and keeps it: give that one another name", r.Key),
			}
		case ofOtherKind(o, r.Kind):
			message := fmt.Sprintf("the Composition has %s of %s called %q already, and keeps it: give that one another name", describe(o), o.APIVersion(), r.Key)
			r.Build = func() (*structpb.Struct, error) { return o.Applied(), nil }
			r.Ready = func(view.Object) Readiness { return Readiness{Conflict: true, Message: message} }
		}
	}
	return rs
}

// ofOtherKind says whether an observed object is not of a kind, in any version.
func ofOtherKind(o view.Object, gvk schema.GroupVersionKind) bool {
	has := schema.FromAPIVersionAndKind(o.APIVersion(), o.Kind())
	return o.APIVersion() != "" && has.GroupKind() != gvk.GroupKind()
}

// holdForCluster holds back every missing resource while the cluster is not known, if only some clusters are allowed: it may be another
// one.
func (c *Context) holdForCluster(rs []*Resource) {
	w := c.cluster()
	if w == nil || !slices.ContainsFunc(c.View.Guardrails, func(g *v1beta1.Guardrails) bool { return g.AllowedClusters != nil }) {
		return
	}
	for _, r := range rs {
		if !r.Check() && r.Wait == nil {
			r.Wait = w
		}
	}
}

// forService marks the resources as the service's. A conflict with another owner about any of them holds back all that do not exist. A
// check in Conflict counts, too; the results of other checks stay the same.
func (c *Context) forService(s *identity.Service, rs []*Resource) []*Resource {
	rs = c.untaken(wanted(rs))
	var conflict *Wait
	for _, r := range rs {
		r.Service = s.Name
		if conflict == nil && r.Wait != nil && r.Wait.Reason == v1alpha1.ReasonConflict && !c.View.Observed(r.Key).Exists() {
			conflict = c.orShared(r.Wait, s)
		}
	}
	for _, r := range rs {
		if conflict != nil && !r.Check() {
			r.Wait = conflict
		}
	}
	return rs
}

// orShared adds to a conflict that its owner shares the service's provider: then the user can have a role on that.
func (c *Context) orShared(w *Wait, s *identity.Service) *Wait {
	if w.owner.Kind != v1alpha1.Kind || c.Identity.Tenant != nil || c.View.Requirements.Kind(identity.HostKind) != view.Yes {
		return w
	}
	host, _ := c.View.Requirements.Get(identity.HostKind.GroupVersionKind, w.owner.Name)
	if host.Value("status", "sharing") == nil {
		return w
	}
	shared := *w
	shared.Message += fmt.Sprintf(". PodIdentityProvider %s shares %s: file a %s", w.owner.Name, s.Name, v1alpha1.TenantClaimKind)
	return &shared
}

// wanted returns the desired resources: a builder returns nil for one that the spec does not ask for.
func wanted(rs []*Resource) []*Resource {
	out := rs[:0]
	for _, r := range rs {
		if r != nil {
			out = append(out, r)
		}
	}
	return out
}

// object encodes the typed object of a builder.
func (c *Context) object(build func() any) func() (*structpb.Struct, error) {
	return func() (*structpb.Struct, error) { return c.encoder.Object(build()) }
}

// first returns the first Wait that is not nil.
func first(ws ...*Wait) *Wait {
	for _, w := range ws {
		if w != nil {
			return w
		}
	}
	return nil
}

// assumed says whether kinds are assumed to exist.
func (c *Context) assumed() bool {
	return c.View.Input.Prerequisites == v1beta1.PrerequisitesAssume || c.View.Input.Preview
}

// kind waits until a kind is proven to exist.
func (c *Context) kind(k view.Kind) *Wait {
	if c.assumed() || c.View.Requirements.Kind(k) == view.Yes {
		return nil
	}
	return &Wait{Reason: v1alpha1.ReasonMissing, Subject: k.CRD(), Message: c.View.Requirements.Missing(k)}
}

// cluster waits until the EKS cluster's name is known.
func (c *Context) cluster() *Wait {
	if c.Identity.Cluster != "" {
		return nil
	}
	reason := v1alpha1.ReasonMissing
	if c.Identity.ClusterPending {
		reason = v1alpha1.ReasonWaiting
	}
	return &Wait{Reason: reason, Message: c.Identity.ClusterProblem}
}

// observedName is the name that an object has, or the one to give it.
func (c *Context) observedName(key, name string) string {
	if n := c.View.Observed(key).Name(); n != "" {
		return n
	}
	return name
}
