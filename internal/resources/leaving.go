package resources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Resources that the spec no longer asks for are removed in the order of a deletion, one after the other, and none that is still
// needed. Crossplane deletes all observed resources that are not composed, at once; and if a Usage stops it, it stops altogether. So a
// resource that may not be deleted yet is composed again as it is.

// inUse is the label that Crossplane puts on objects that a Usage protects.
const inUse = "crossplane.io/in-use"

// Leaving returns the observed resources that are no longer desired and may not be deleted yet. Without an order these are only
// resources that a Usage still protects, from a time when there was one: Crossplane could not delete them, and would stop.
func Leaving(c *Context, wanted []*Resource) []*Resource {
	l := &leaving{Context: c, wanted: map[string]bool{}, providers: map[string]bool{}, going: map[string]*departure{}}
	for _, r := range wanted {
		l.wanted[r.Key] = true
		if r.Kind == providerKind {
			l.providers[r.Name] = true
		}
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

// leaving knows all resources that are to be removed.
type leaving struct {
	*Context

	wanted map[string]bool
	// providers are the names of the desired ones.
	providers map[string]bool
	going     map[string]*departure
}

// A departure is one resource that is to be removed.
type departure struct {
	key, service string
	kind         schema.GroupVersionKind
	condition    v1alpha1.ConditionType
	o            view.Object
	// replaced says that it is a Usage that stays in force until another one replaces it.
	replaced bool
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

// departureOf returns the departure of an observed resource; nil if this function did not compose it.
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
	// The keys of further policies and attachments have more after the service.
	service, _, _ = strings.Cut(service, "/")
	service, _, _ = strings.Cut(service, ".")
	return &departure{key: key, service: service, kind: schema.FromAPIVersionAndKind(o.APIVersion(), o.Kind()), condition: known.condition, o: o}
}

// resource returns the resource to compose again, as it is, while it may not be deleted.
func (d *departure) resource(w *Wait) *Resource {
	return &Resource{
		Key: d.key, Service: d.service, Condition: d.condition, Kind: d.kind, Name: d.o.Name(), Wait: w,
		Build: func() (*structpb.Struct, error) { return asIs(d.o), nil },
		Ready: func(o view.Object) Readiness {
			if d.replaced {
				return usageReady(o)
			}
			return Readiness{Removing: true, Message: w.Message}
		},
	}
}

// asIs returns an object as it is, without fields that others than the function's Crossplane write.
func asIs(o view.Object) *structpb.Struct {
	meta := map[string]*structpb.Value{"name": o.Value("metadata", "name")}
	if ns := o.Value("metadata", "namespace"); ns != nil {
		meta["namespace"] = ns
	}
	for _, marks := range []string{"labels", "annotations"} {
		ours := map[string]*structpb.Value{}
		for k, v := range o.Value("metadata", marks).GetStructValue().GetFields() {
			if k == identity.AnnotationExternalName || strings.HasPrefix(k, v1alpha1.Group+"/") {
				ours[k] = v
			}
		}
		if len(ours) > 0 {
			meta[marks] = structpb.NewStructValue(&structpb.Struct{Fields: ours})
		}
	}
	out := map[string]*structpb.Value{
		"apiVersion": o.Value("apiVersion"), "kind": o.Value("kind"), "metadata": structpb.NewStructValue(&structpb.Struct{Fields: meta}),
	}
	if spec := o.Value("spec"); spec != nil {
		out["spec"] = spec
	}
	return &structpb.Struct{Fields: out}
}

// held says why a resource may not be deleted yet; nil if it may.
func (l *leaving) held(d *departure) *Wait {
	of, by, usage := usageEnds(d.key)
	switch {
	case l.Identity.Tenant != nil && l.cluster() != nil:
		// While its host is not known, neither are a tenant's desired resources.
		return l.cluster()
	case l.Identity.Teardown != v1alpha1.TeardownOrdered && usage:
		return nil
	case l.Identity.Teardown != v1alpha1.TeardownOrdered:
		return l.protected(d)
	case usage:
		return l.usageHeld(d, of, by)
	}
	return first(l.needed(d), l.protected(d))
}

// protected says which Usage stops the deletion of a resource.
func (l *leaving) protected(d *departure) *Wait {
	for _, key := range l.View.ObservedWithPrefix("usage/" + d.key + "/by/") {
		if of, _, _ := usageEnds(key); of == d.key {
			return removing("its Usage %s is removed first", l.View.Observed(key).Name())
		}
	}
	if d.o.Label(inUse) == "true" {
		return removing("held by a Usage that is not this object's: kubectl get usages,clusterusages shows it")
	}
	return nil
}

// usageEnds returns the keys of the object that a Usage protects, and of its user. A policy's ARN, and so the key of its attachment,
// may have anything in its path; the key of a user has no such name.
func usageEnds(key string) (of, by string, ok bool) {
	rest, ok := strings.CutPrefix(key, "usage/")
	i := strings.LastIndex(rest, "/by/")
	if !ok || i < 0 {
		return "", "", false
	}
	return rest[:i], rest[i+len("/by/"):], true
}

// usageHeld says why a Usage stays. It is deleted one reconcile before the object that it protects, and stays while that stays for a
// reason of its own. One of an earlier version of the function stays until those that hold the same object today are in force.
func (l *leaving) usageHeld(u *departure, of, by string) *Wait {
	if d := l.going[of]; d != nil {
		return l.needed(d)
	}
	if l.going[by] != nil {
		return removing("waiting for what uses it to be removed")
	}
	for key := range l.wanted {
		if same, _, ok := usageEnds(key); ok && same == of && !usageReady(l.View.Observed(key)).Ready {
			u.replaced = true
			return removing("waiting for the Usage that replaces it")
		}
	}
	return nil
}

// needed says what still needs a resource: managed resources of users, or a resource that is removed before it.
func (l *leaving) needed(d *departure) *Wait {
	part, _, _ := strings.Cut(d.key, "/")
	switch part {
	case "provider":
		return first(l.used(d.o, "would be deleted with it", "put the service back"), l.shared(d.service))
	case familyKey:
		return l.dependents()
	case clusterProviderConfigKey, providerConfigKey:
		return l.configUsed(d.o)
	case "runtimeconfig":
		return l.provider(d)
	case "association":
		if w := l.provider(d); w != nil {
			return w
		}
		return l.theirUsers(d)
	case "role", "policy", "attachment":
		if strings.HasSuffix(d.key, identity.TenantsSuffix) && l.Identity.Sharing == nil {
			// Nothing is shared any longer. Otherwise the service is removed, or has another role.
			if w := l.neededBy(d.service, anyRole); w != nil {
				return w
			}
		}
		return l.association(d)
	}
	return nil
}

// shared says which tenants need the provider of a removed service, if it was ever shared.
func (l *leaving) shared(service string) *Wait {
	shares := l.Identity.Sharing != nil || l.View.XR.Value("status", "sharing") != nil
	if !shares && !l.View.Observed(identity.PolicyKey(service)+identity.TenantsSuffix).Exists() {
		return nil
	}
	return l.neededBy(service, anyRole)
}

// provider waits until the Provider is deleted, whose pods need the resource. One that is being deleted is no longer observed, and one
// that was adopted may have any name: it is known by the DeploymentRuntimeConfig that it runs with.
func (l *leaving) provider(d *departure) *Wait {
	key := identity.ProviderKey(d.service)
	if o := l.View.Observed(key); o.Exists() {
		if l.wanted[key] {
			return nil
		}
		return removing("waiting for %s", describe(o))
	}
	items, answer := l.providerItems()
	if answer != view.Yes {
		return removing("looking for Providers that need it")
	}
	config := l.View.Observed(identity.RuntimeConfigKey(d.service)).Name()
	for _, o := range items {
		if l.mine(o) && !l.providers[o.Name()] && (config != "" && o.String("spec", "runtimeConfigRef", "name") == config || installsService(o, d.service)) {
			return removing("waiting for Provider %s to be gone", o.Name())
		}
	}
	return nil
}

// installsService says whether a Provider has the usual name or package of a service.
func installsService(o view.Object, service string) bool {
	usual := "provider-aws-" + service
	return o.Name() == usual || lastSegment(packageOf(o)) == usual
}

// theirUsers says which managed resources need the identity that is to be removed, if another owner installs the service's provider:
// with its usual package, or as the ServiceAccount of the association.
func (l *leaving) theirUsers(d *departure) *Wait {
	items, answer := l.providerItems()
	if answer != view.Yes {
		return removing("looking for Providers that need it")
	}
	configs, answer := l.View.Requirements.List(runtimeConfigKind, nil)
	if answer != view.Yes {
		return removing("looking for Providers that need it")
	}
	runsWithIt := map[string]bool{}
	if account := d.o.String("spec", "forProvider", "serviceAccount"); account != "" {
		for _, o := range configs {
			runsWithIt[o.Name()] = runsAs(account)(o)
		}
	}
	var w *Wait
	for _, o := range items {
		if !l.mine(o) && (lastSegment(packageOf(o)) == "provider-aws-"+d.service || runsWithIt[cmp.Or(o.String("spec", "runtimeConfigRef", "name"), sharedRuntimeConfig)]) {
			w = first(w, l.used(o, "need its credentials, through Provider "+o.Name(), "put the service back"))
		}
	}
	return w
}

// association waits until that is deleted, or gives pods another role. AWS keeps the order among role, policies and attachments.
func (l *leaving) association(d *departure) *Wait {
	role := l.View.Observed(identity.RoleKey(d.service))
	if l.wanted[identity.RoleKey(d.service)] {
		// The role stays: only one of its permissions is removed.
		return nil
	}
	key := identity.AssociationKey(d.service)
	if o := l.View.Observed(key); l.wanted[key] && o.Exists() {
		return l.handsOut(d.service, o, role)
	}
	// Role, first policy, first attachment and association of a service have the same name.
	name := cmp.Or(role.Name(), l.View.Observed("policy/"+d.service).Name(), l.View.Observed("attachment/"+d.service).Name(), d.o.String("spec", "forProvider", "roleRef", "name"))
	if o := l.View.Observed(key); o.Exists() {
		return removing("waiting for %s", describe(o))
	}
	return l.lingers(associationKind.GroupVersionKind, &associationKind, name)
}

// handsOut waits until an association that stays is known to hand out another role than the one to remove, and the provider was
// restarted with that: the sessions of its pods are the old role's.
func (l *leaving) handsOut(service string, association, role view.Object) *Wait {
	now := association.String("status", "atProvider", "roleArn")
	switch {
	case now == "":
		return removing("%s does not say which role it has", describe(association))
	case role.Exists() && sameRole(now, role):
		return removing("waiting for %s to change to its new role", describe(association))
	}
	for _, s := range l.Identity.Services {
		digest, runs := l.digest(s), l.observedDigest(s)
		if s.Name == service && runs != "" && runs != digest {
			return removing("waiting for the provider to be restarted with its new role")
		}
	}
	return nil
}

// sameRole says whether an ARN is, or may be, that of a role. IAM ignores the letter case of names.
func sameRole(arn string, role view.Object) bool {
	if known := role.String("status", "atProvider", "arn"); known != "" {
		return strings.EqualFold(arn, known)
	}
	name := role.Annotation(identity.AnnotationExternalName)
	return name == "" || strings.EqualFold(arn[strings.LastIndex(arn, "/")+1:], name)
}

func describe(o view.Object) string { return o.Kind() + " " + o.Name() }

// dependents says which Providers need the family, which brings their ProviderConfigs.
func (l *leaving) dependents() *Wait {
	items, answer := l.providerItems()
	if answer != view.Yes {
		return removing("looking for Providers that need it")
	}
	var names []string
	var looking *Wait
	for _, o := range items {
		switch depends, w := l.dependsOnFamily(o); {
		case depends:
			names = append(names, o.Name())
		default:
			looking = first(looking, w)
		}
	}
	if len(names) == 0 {
		return looking
	}
	slices.Sort(names)
	return removing("Providers %s depend on it. To do: set provider.family: Manage again", enumerate(names))
}

// dependsOnFamily says whether a Provider's managed resources use the ProviderConfigs that the family brings, or why that is not known.
func (l *leaving) dependsOnFamily(o view.Object) (bool, *Wait) {
	if isFamily(packageOf(o)) || isMember(packageOf(o)) {
		return isMember(packageOf(o)), nil
	}
	_, sure, w := l.groupsOf(o)
	return slices.ContainsFunc(sure, func(group string) bool {
		return slices.ContainsFunc(usageKinds, func(k usersOf) bool { return k.brings(group) })
	}), w
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
