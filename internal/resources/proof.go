package resources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	pkgv1 "github.com/crossplane/crossplane/v2/apis/pkg/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Before a deletion, something that cannot be proven or read never counts as missing. A kind that is not found may be unreadable for a
// moment, and taking it for unused would delete the CRDs of existing managed resources. So everything that allows a deletion asks here,
// and each answer is either a reliable list, or a reason to wait.

// wayOut of a wait that only users can end.
const wayOut = "look into that, or set teardown: Unordered if nothing needs it any more"

// usageKinds say which managed resources use a ProviderConfig.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var usageKinds = []usersOf{
	{
		Kind:    view.Kind{GroupVersionKind: schema.GroupVersionKind{Group: "aws.upbound.io", Version: "v1beta1", Kind: "ProviderConfigUsage"}, Plural: "providerconfigusages"},
		configs: []string{providerConfigKey}, config: ProviderConfigKind,
	},
	{
		Kind:    view.Kind{GroupVersionKind: schema.GroupVersionKind{Group: "aws.m.upbound.io", Version: "v1beta1", Kind: "ProviderConfigUsage"}, Plural: "providerconfigusages"},
		configs: []string{clusterProviderConfigKey, providerConfigKey + "/"}, config: clusterProviderConfigKind,
	},
}

// usersOf is a kind that says which managed resources use the ProviderConfigs of its API group.
type usersOf struct {
	view.Kind

	// configs are the keys of the composed ProviderConfigs of the group, or their prefixes.
	configs []string
	// config is a kind of ProviderConfig that is always installed together with this one.
	config view.Kind
}

// brings says whether managed resources of an API group use the ProviderConfigs.
func (k usersOf) brings(group string) bool { return strings.HasSuffix("."+group, "."+k.Group) }

// users returns the users of ProviderConfigs in the whole cluster, and why there may be more. sign looks for a sign that the kinds of
// managed resources of an API group are installed, in addition to the signs that all have in common.
func (c *Context) users(kinds []usersOf, sign func(usersOf) string) (found []view.Object, more *Wait) {
	for _, k := range kinds {
		looking := removing("looking for managed resources that need it")
		switch c.View.Requirements.Kind(k.Kind) {
		case view.Unanswered:
			more = first(more, looking)
			continue
		case view.No:
			if s := cmp.Or(c.installed(k), sign(k)); s != "" {
				more = first(more, removing("cannot tell what needs it: %s is not found, though %s. To do: %s", k.CRD(), s, wayOut))
			}
			continue
		case view.Yes:
		}
		items, answer := c.View.Requirements.List(k.GroupVersionKind, nil)
		if answer != view.Yes {
			more = first(more, looking)
		}
		found = append(found, items...)
	}
	return found, more
}

// installed is a sign that the ProviderConfigs of an API group are installed; empty if there is none at all.
func (c *Context) installed(k usersOf) string {
	for _, prefix := range k.configs {
		for _, key := range c.View.ObservedKeys() {
			if key == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(key, prefix) {
				return describe(c.View.Observed(key)) + " exists"
			}
		}
	}
	if c.View.Requirements.Kind(k.config) != view.No {
		return k.config.CRD() + " is"
	}
	return ""
}

// groupsOf returns the API groups of the managed resources that a Provider's package brings: those of the definitions that its revision
// owns, and that of the package's name. sure are those of the revision. None if neither names any.
func (c *Context) groupsOf(provider view.Object) (groups, sure []string, w *Wait) {
	if name := provider.String("status", "currentRevision"); name != "" {
		revision, answer := c.View.Requirements.Get(pkgv1.ProviderRevisionGroupVersionKind, name)
		if answer == view.Unanswered {
			return nil, nil, removing("looking for the kinds that its package installs")
		}
		sure = definedGroups(revision)
	}
	groups = slices.Clone(sure)
	if service, ok := strings.CutPrefix(lastSegment(provider.String("spec", "package")), "provider-aws-"); ok {
		groups = append(groups, service+".aws.upbound.io", service+".aws.m.upbound.io")
	}
	slices.Sort(groups)
	return slices.Compact(groups), sure, nil
}

// definedGroups are the API groups of the definitions that a package revision owns. Crossplane v2 has one of its own kind for each,
// which may exist without a CustomResourceDefinition.
func definedGroups(revision view.Object) []string {
	var out []string
	for _, ref := range revision.List("status", "objectRefs") {
		if k := ref.Kind(); k != "CustomResourceDefinition" && k != definitionKind {
			continue
		}
		if _, group, ok := strings.Cut(ref.String("name"), "."); ok {
			out = append(out, group)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// definitionKind is the kind of the definition that Crossplane v2 installs for each kind of managed resources.
const definitionKind = "ManagedResourceDefinition"

// used says which managed resources exist of the kinds that a Provider's package brings, or why that is not known. Verb says what
// happens to them without it.
func (c *Context) used(provider view.Object, verb, do string) *Wait {
	groups, sure, w := c.groupsOf(provider)
	if w != nil {
		return w
	}
	if i := slices.IndexFunc(sure, func(g string) bool {
		return !slices.ContainsFunc(usageKinds, func(k usersOf) bool { return k.brings(g) })
	}); i >= 0 {
		return removing("cannot tell what needs it: its package installs kinds of %s, and nothing shows what uses them. To do: %s", sure[i], wayOut)
	}
	all, more := c.users(usageKinds, func(k usersOf) string {
		switch i := slices.IndexFunc(sure, k.brings); {
		case i >= 0:
			return "kinds of " + sure[i] + " are installed"
		case k.Group == ProviderConfigKind.Group && provider.Condition("Healthy").True():
			// Its dependencies exist, the family among them.
			return describe(provider) + " is healthy"
		}
		return ""
	})
	if len(all) > 0 && len(groups) == 0 {
		return removing("cannot tell what needs it: neither its revision nor the name of package %s says which kinds it installs. To do: %s", provider.String("spec", "package"), wayOut)
	}
	var users []string
	for _, o := range all {
		group, _, _ := strings.Cut(o.String("resourceRef", "apiVersion"), "/")
		if slices.Contains(groups, group) {
			users = append(users, o.String("resourceRef", "kind")+" "+o.String("resourceRef", "name"))
		}
	}
	if len(users) == 0 {
		return more
	}
	slices.Sort(users)
	return removing("managed resources %s: %s. To do: delete them, or %s", verb, enumerate(slices.Compact(users)), do)
}

// configUsed reports the users of a ProviderConfig, by its own status and by ProviderConfigUsages.
func (c *Context) configUsed(config view.Object) *Wait {
	n := int(config.Number("status", "users"))
	if n == 0 {
		group, _, _ := strings.Cut(config.APIVersion(), "/")
		kinds := slices.DeleteFunc(slices.Clone(usageKinds), func(k usersOf) bool { return k.Group != group })
		all, more := c.users(kinds, func(usersOf) string { return "" })
		for _, o := range all {
			if refersTo(o, config) {
				n++
			}
		}
		if n == 0 {
			return more
		}
	}
	return removing("managed resources use it (%d): delete them, or give them another one", n)
}

// refersTo says whether a ProviderConfigUsage is for that ProviderConfig.
func refersTo(usage, config view.Object) bool {
	ref := func(f string) string { return usage.String("providerConfigRef", f) }
	return ref("name") == config.Name() && (ref("kind") == "" || ref("kind") == config.Kind()) &&
		(config.Namespace() == "" || usage.Namespace() == config.Namespace())
}

// lingers says that an object of that name still exists, or that this is not known. It was composed, is no longer desired, and is no
// longer observed as soon as it is being deleted. The kind is Crossplane's own, or k proves it.
func (c *Context) lingers(gvk schema.GroupVersionKind, k *view.Kind, name string) *Wait {
	if name == "" {
		return nil
	}
	looking := removing("checking whether %s %s still exists", gvk.Kind, name)
	if k != nil && !c.assumed() {
		switch c.View.Requirements.Kind(*k) {
		case view.Unanswered:
			return looking
		case view.No:
			return removing("cannot tell whether %s %s exists: %s is not found. To do: %s", gvk.Kind, name, k.CRD(), wayOut)
		case view.Yes:
		}
	}
	o, answer := c.View.Requirements.Get(gvk, name)
	switch {
	case answer == view.Unanswered:
		return looking
	case answer == view.Yes && c.mine(o):
		return removing("waiting for %s %s to be gone", gvk.Kind, name)
	}
	return nil
}

// toBeRemoved begins the messages about resources that are to be removed.
const toBeRemoved = "to be removed: "

func removing(format string, args ...any) *Wait {
	return &Wait{Reason: v1alpha1.ReasonRemoving, Message: toBeRemoved + fmt.Sprintf(format, args...)}
}
