package resources

import (
	"fmt"
	"slices"
	"strings"

	pkgv1 "github.com/crossplane/crossplane/v2/apis/pkg/v1"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// What the spec no longer wants leaves in the order of a deletion, one after the other, and nothing leaves that somebody still
// needs. Crossplane deletes whatever it observes and is not composed, all at once; and where a Usage stops it, it stops
// altogether. So what may not go yet is composed again as it is.

// ofUsers are the kinds that say which managed resources use a ProviderConfig.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var ofUsers = []view.Kind{
	{GroupVersionKind: schema.GroupVersionKind{Group: "aws.upbound.io", Version: "v1beta1", Kind: "ProviderConfigUsage"}, Plural: "providerconfigusages"},
	{GroupVersionKind: schema.GroupVersionKind{Group: "aws.m.upbound.io", Version: "v1beta1", Kind: "ProviderConfigUsage"}, Plural: "providerconfigusages"},
}

// inUse is the label that Crossplane puts on what a Usage protects.
const inUse = "crossplane.io/in-use"

// Leaving are the observed resources that are not wanted any more and may not go yet.
func Leaving(c *Context, wanted []*Resource) []*Resource {
	if c.Identity.Teardown != v1alpha1.TeardownOrdered {
		return nil
	}
	l := &leaving{Context: c, wanted: map[string]bool{}, going: map[string]*departure{}}
	for _, r := range wanted {
		l.wanted[r.Key] = true
	}
	for _, key := range c.View.ObservedKeys() {
		if l.wanted[key] {
			continue
		}
		if d := departureOf(key, c.View.Observed(key)); d != nil {
			l.going[key] = d
		}
	}
	var out []*Resource
	for _, key := range c.View.ObservedKeys() {
		if d := l.going[key]; d != nil {
			if w := l.held(d); w != nil {
				out = append(out, d.resource(w))
			}
		}
	}
	return out
}

// leaving is what is known of all that leaves.
type leaving struct {
	*Context

	wanted map[string]bool
	going  map[string]*departure
}

// A departure is one resource that leaves.
type departure struct {
	key, service string
	kind         schema.GroupVersionKind
	condition    v1alpha1.ConditionType
	o            view.Object
}

// departures are the resources of this function, by the first part of their keys, and the conditions that they count for.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var departures = map[string]struct {
	kinds     []string
	condition v1alpha1.ConditionType
}{
	"role":                   {[]string{roleKind.Kind}, v1alpha1.ConditionIdentityReady},
	"policy":                 {[]string{policyKind.Kind}, v1alpha1.ConditionIdentityReady},
	"attachment":             {[]string{attachmentKind.Kind}, v1alpha1.ConditionIdentityReady},
	"association":            {[]string{associationKind.Kind}, v1alpha1.ConditionIdentityReady},
	"runtimeconfig":          {[]string{runtimeConfigKind.Kind}, v1alpha1.ConditionProvidersReady},
	"provider":               {[]string{providerKind.Kind}, v1alpha1.ConditionProvidersReady},
	familyKey:                {[]string{providerKind.Kind}, v1alpha1.ConditionProvidersReady},
	clusterProviderConfigKey: {[]string{clusterProviderConfigKind.Kind}, v1alpha1.ConditionProviderConfigReady},
	providerConfigKey:        {[]string{namespacedProviderConfigKind.Kind}, v1alpha1.ConditionProviderConfigReady},
	"usage":                  {[]string{usageKind.Kind, clusterUsageKind.Kind}, v1alpha1.ConditionTeardownProtected},
}

// departureOf an observed resource; nil if this function did not compose it.
func departureOf(key string, o view.Object) *departure {
	first, rest, _ := strings.Cut(key, "/")
	known, ok := departures[first]
	if !ok || !slices.Contains(known.kinds, o.Kind()) {
		return nil
	}
	service := rest
	if first == "usage" || first == providerConfigKey {
		service = ""
	}
	// The keys of further policies and attachments have more behind the service.
	service, _, _ = strings.Cut(service, "/")
	service, _, _ = strings.Cut(service, ".")
	return &departure{key: key, service: service, kind: schema.FromAPIVersionAndKind(o.APIVersion(), o.Kind()), condition: known.condition, o: o}
}

// resource to compose again, as it is, while it may not go.
func (d *departure) resource(w *Wait) *Resource {
	return &Resource{
		Key: d.key, Service: d.service, Condition: d.condition, Kind: d.kind, Name: d.o.Name(), Wait: w,
		Build: func() (*structpb.Struct, error) { return asIs(d.o), nil },
		Ready: func(view.Object) Readiness { return Readiness{Removing: true, Message: w.Message} },
	}
}

// asIs is what an object is, without what others than the function's Crossplane write.
func asIs(o view.Object) *structpb.Struct {
	meta := map[string]*structpb.Value{"name": o.Value("metadata", "name")}
	if ns := o.Value("metadata", "namespace"); ns != nil {
		meta["namespace"] = ns
	}
	as := map[string]*structpb.Value{}
	for k, v := range o.Value("metadata", "annotations").GetStructValue().GetFields() {
		if k == identity.AnnotationExternalName || strings.HasPrefix(k, v1alpha1.Group+"/") {
			as[k] = v
		}
	}
	if len(as) > 0 {
		meta["annotations"] = structpb.NewStructValue(&structpb.Struct{Fields: as})
	}
	out := map[string]*structpb.Value{
		"apiVersion": o.Value("apiVersion"), "kind": o.Value("kind"), "metadata": structpb.NewStructValue(&structpb.Struct{Fields: meta}),
	}
	if spec := o.Value("spec"); spec != nil {
		out["spec"] = spec
	}
	return &structpb.Struct{Fields: out}
}

// held says why a resource may not go yet; nil if it may.
func (l *leaving) held(d *departure) *Wait {
	if of, by, ok := usageEnds(d.key); ok {
		return l.usageHeld(of, by)
	}
	if w := l.needed(d); w != nil {
		return w
	}
	if usages := l.View.ObservedWithPrefix("usage/" + d.key + "/by/"); len(usages) > 0 {
		return removing("its Usage %s is removed first", l.View.Observed(usages[0]).Name())
	}
	if d.o.Label(inUse) == "true" {
		return removing("held by a Usage that is not this object's: kubectl get usages,clusterusages shows it")
	}
	return nil
}

// usageEnds are the keys of what a Usage protects, and from what.
func usageEnds(key string) (of, by string, ok bool) {
	rest, ok := strings.CutPrefix(key, "usage/")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/by/")
}

// usageHeld: a Usage goes one reconcile before what it protects, and stays while that stays for a reason of its own.
func (l *leaving) usageHeld(of, by string) *Wait {
	if d := l.going[of]; d != nil {
		return l.needed(d)
	}
	if l.going[by] != nil {
		return removing("waiting for what uses it to be removed")
	}
	return nil
}

func removing(format string, args ...any) *Wait {
	return &Wait{Reason: v1alpha1.ReasonRemoving, Message: "to be removed: " + fmt.Sprintf(format, args...)}
}

// needed says what still needs a resource: managed resources of users, or what leaves before it.
func (l *leaving) needed(d *departure) *Wait {
	first, _, _ := strings.Cut(d.key, "/")
	switch first {
	case "provider":
		return l.used(d)
	case familyKey:
		return l.dependents()
	case clusterProviderConfigKey, identity.ProviderConfigKey:
		if n := d.o.Number("status", "users"); n > 0 {
			return removing("managed resources use it (%d): delete them, or give them another one", int(n))
		}
	case "runtimeconfig", "association":
		return l.before(identity.ProviderKey(d.service), pkgv1.ProviderGroupVersionKind, "provider-aws-"+d.service)
	case "attachment":
		return l.association(d)
	case "role":
		if w := l.association(d); w != nil {
			return w
		}
		for _, key := range l.View.ObservedWithPrefix("attachment/" + d.service) {
			if l.going[key] != nil && l.going[key].service == d.service {
				return removing("waiting for %s", describe(l.View.Observed(key)))
			}
		}
	case "policy":
		return l.before("attachment"+strings.TrimPrefix(d.key, "policy"), attachmentKind.GroupVersionKind, d.o.Name())
	}
	return nil
}

// association must be gone before what it hands out, or hand out something else.
func (l *leaving) association(d *departure) *Wait {
	key, observedRole := identity.AssociationKey(d.service), l.View.Observed(identity.RoleKey(d.service))
	if !l.wanted[key] {
		// Role and association of a service have the same name.
		return l.before(key, associationKind.GroupVersionKind, observedRole.Name())
	}
	// It is wanted, with another role: it must have that one first.
	o, role := l.View.Observed(key), observedRole.String("status", "atProvider", "arn")
	if l.wanted[identity.RoleKey(d.service)] || role == "" || o.String("status", "atProvider", "roleArn") != role {
		return nil
	}
	return removing("waiting for %s to change to its new role", describe(o))
}

// before says that something that leaves first exists still. It is observed no more as soon as it is being deleted.
func (l *leaving) before(key string, gvk schema.GroupVersionKind, name string) *Wait {
	if o := l.View.Observed(key); o.Exists() {
		if l.wanted[key] {
			return nil
		}
		return removing("waiting for %s", describe(o))
	}
	if name == "" {
		return nil
	}
	o, answer := l.View.Requirements.Get(gvk, name)
	switch {
	case answer == view.Unanswered:
		return removing("looking whether %s %s exists still", gvk.Kind, name)
	case answer == view.Yes && l.mine(o):
		return removing("waiting for %s %s to be gone", gvk.Kind, name)
	}
	return nil
}

func describe(o view.Object) string { return o.Kind() + " " + o.Name() }

// used says which managed resources there are of the kinds that a service's Provider brings. They would go with it.
func (l *leaving) used(d *departure) *Wait {
	var users []string
	for _, k := range ofUsers {
		switch l.View.Requirements.Kind(k) {
		case view.Unanswered:
			return removing("looking for managed resources that need it")
		case view.No:
			continue
		case view.Yes:
		}
		items, answer := l.View.Requirements.List(k.GroupVersionKind, nil)
		if answer == view.Unanswered {
			return removing("looking for managed resources that need it")
		}
		for _, o := range items {
			ref := func(f string) string { return o.String("resourceRef", f) }
			if strings.HasPrefix(ref("apiVersion"), d.service+".aws.") {
				users = append(users, ref("kind")+" "+ref("name"))
			}
		}
	}
	if len(users) == 0 {
		return nil
	}
	slices.Sort(users)
	users = slices.Compact(users)
	return removing("managed resources would be deleted with it: %s. To do: delete them, or put the service back", enumerate(users))
}

// dependents says which Providers need the family's, which brings their ProviderConfigs.
func (l *leaving) dependents() *Wait {
	var names []string
	items, answer := l.providerItems()
	if answer == view.Unanswered {
		return removing("looking for Providers that need it")
	}
	for _, o := range items {
		if strings.HasPrefix(lastSegment(o.String("spec", "package")), "provider-aws-") {
			names = append(names, o.Name())
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return removing("Providers %s depend on it. To do: set provider.family: Manage again", enumerate(names))
}

// maxUsers bounds how many objects a message names.
const maxUsers = 5

func enumerate(names []string) string {
	list := strings.Join(names[:min(len(names), maxUsers)], ", ")
	if more := len(names) - maxUsers; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}
