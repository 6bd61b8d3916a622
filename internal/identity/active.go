package identity

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// On Crossplane v2 a kind of managed resources exists once its ManagedResourceDefinition is active. Definitions hold whole schemas,
// which are too large to require. The objects that activate them are small: ManagedResourceActivationPolicies, with patterns of names,
// and the names that they have activated. An active definition stays active even if the policy changes or is deleted: its API refuses
// the way back. So the kinds of a service only ever grow, and the status remembers them.

// activationKind is the kind of the policies that activate kinds.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var activationKind = view.Kind{
	GroupVersionKind: schema.GroupVersionKind{Group: "apiextensions.crossplane.io", Version: "v1alpha1", Kind: "ManagedResourceActivationPolicy"},
	Plural:           "managedresourceactivationpolicies",
}

// An Activation says which kinds a service's permissions cover, if they follow the active kinds.
type Activation struct {
	// Kinds that are active now or were before, sorted.
	Kinds []string
	// Problem says why there are none: the policies of the service stay as they are. Empty if there are some.
	Problem string
	// Pending says that the only problem is that Crossplane has not answered yet.
	Pending bool
	// Refused are newly active kinds that are not granted, and Why says why.
	Refused []string
	Why     string
	// Strange are active definitions in the service's groups whose kind the catalogue does not know.
	Strange []string

	// added are the kinds that were not active before.
	added []string
}

// definitions holds the active definitions of managed resources in the cluster. They are required once a service follows them.
type definitions struct {
	v     *view.View
	asked bool
	// all says that all of them are active: this Crossplane has no inactive ones.
	all bool
	// patterns of the names that policies activate, and names that they have activated.
	patterns []string
	names    map[string]bool
	// pending says that Crossplane has not answered yet, and unreadable that it cannot.
	pending, unreadable bool
}

// activation returns the Activation of a service; nil unless its permissions follow the active kinds.
func (d *definitions) activation(s *v1alpha1.Service) *Activation {
	if s.Permissions == nil || !s.Permissions.Kinds.Active() {
		return nil
	}
	entry, known := catalogue.Lookup(s.Name)
	if !known {
		return nil
	}
	all := entry.Kinds()
	a := &Activation{Kinds: remembered(d.v, entry)}
	if len(a.Kinds) == len(all) {
		// Nothing can be added.
		return a
	}
	d.ask()
	var mine []string
	for _, name := range all {
		k, _ := entry.Kind(name)
		definitions := entry.Definitions(k)
		mine = append(mine, definitions...)
		if !slices.Contains(a.Kinds, name) && slices.ContainsFunc(definitions, d.active) {
			a.added = append(a.added, name)
		}
	}
	a.Kinds = slices.Sorted(slices.Values(slices.Concat(a.Kinds, a.added)))
	if len(a.Kinds) < len(all) {
		a.Strange = d.strange(entry, mine)
	}
	if len(a.Kinds) == 0 {
		a.Pending, a.Problem = d.problem()
	}
	return a
}

// remembered returns the kinds of a service that were active before.
func remembered(v *view.View, entry catalogue.Service) []string {
	var out []string
	for _, s := range v.XR.List("status", "services") {
		if s.String("name") != entry.Name {
			continue
		}
		for _, k := range s.Value("activeKinds").GetListValue().GetValues() {
			// A later version of the function may have known more.
			if _, ok := entry.Kind(k.GetStringValue()); ok {
				out = append(out, k.GetStringValue())
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ask requires the policies, once.
func (d *definitions) ask() {
	if d.asked {
		return
	}
	d.asked, d.names = true, map[string]bool{}
	switch d.v.Requirements.Kind(activationKind) {
	case view.Unanswered:
		d.pending = true
		return
	case view.No:
		d.all = d.v.Requirements.Absent(activationKind)
		d.unreadable = !d.all
		return
	case view.Yes:
	}
	policies, answer := d.v.Requirements.List(activationKind.GroupVersionKind, nil)
	d.pending = answer == view.Unanswered
	for _, p := range policies {
		for _, name := range p.Value("status", "activated").GetListValue().GetValues() {
			d.names[name.GetStringValue()] = true
		}
		if p.Deleted() || p.Paused() {
			// Crossplane activates nothing more for it.
			continue
		}
		for _, pattern := range p.Value("spec", "activate").GetListValue().GetValues() {
			d.patterns = append(d.patterns, pattern.GetStringValue())
		}
	}
}

// active says whether a definition is active, or will be once it exists. The patterns are Crossplane's.
// https://github.com/crossplane/crossplane/blob/v2.4.2/apis/apiextensions/v1alpha1/mrd_policy_types.go
func (d *definitions) active(name string) bool {
	return d.all || d.names[name] || slices.ContainsFunc(d.patterns, func(p string) bool {
		match, err := path.Match(p, name)
		return err == nil && match
	})
}

// strange returns the active definitions of a service's groups that are not among those of its kinds, sorted.
func (d *definitions) strange(entry catalogue.Service, known []string) []string {
	var out []string
	for name := range d.names {
		if _, group, _ := strings.Cut(name, "."); slices.Contains(entry.Groups(), group) && !slices.Contains(known, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// problem says why no kind of a service is known to be active.
func (d *definitions) problem() (pending bool, message string) {
	switch {
	case d.pending:
		return true, "checking which of its kinds are active"
	case d.unreadable:
		return false, activationKind.CRD() + " is not found, so it is unknown which of its kinds are active. To do: look into that, or list kinds in place of Active"
	}
	return false, "none of its kinds is active. To do: name those that you use in a ManagedResourceActivationPolicy, as manifests/activation-policy.yaml does, or list kinds in place of Active"
}

// grows says whether kinds are newly active, in addition to others. If a first grant is not possible, the whole object is refused.
func (a *Activation) grows() bool {
	return a != nil && len(a.added) > 0 && len(a.added) < len(a.Kinds)
}

// refuse drops the newly active kinds.
func (a *Activation) refuse(why string) {
	a.Refused, a.Why, a.added = a.added, why, nil
	a.Kinds = slices.DeleteFunc(a.Kinds, func(k string) bool { return slices.Contains(a.Refused, k) })
}

// within calls grant, and again without the newly active kinds if these cannot be granted: the service keeps the kinds that it has. It
// calls grant again only for services that grow.
func (a *Activation) within(v *view.View, grant func() ([]iam.Statement, field.ErrorList)) field.ErrorList {
	statements, errs := grant()
	if !a.grows() {
		return errs
	}
	if why := ungrantable(v, statements, errs); why != "" {
		a.refuse(why)
		_, errs = grant()
	}
	return errs
}

// unknown says whether the active kinds are not known.
func (a *Activation) unknown() bool { return a != nil && a.Problem != "" }

// asTheyAre returns the statements and documents of the existing policies of a role, while the active kinds are not known. Before
// Crossplane has answered there are no statements: a refusal would be final then.
func (a *Activation) asTheyAre(v *view.View, name string) ([]iam.Statement, []string) {
	var statements []iam.Statement
	documents := observedPolicies(v, name)
	for _, doc := range documents {
		if d, err := iam.ParseDocument(doc); err == nil && !a.Pending {
			statements = append(statements, d.Statement...)
		}
	}
	return statements, documents
}

// attachable checks that a role can have its existing policies in addition to the managed ones. Not before Crossplane has answered:
// there may be fewer of them then.
func (a *Activation) attachable(at *field.Path, documents, managed []string, most int) field.ErrorList {
	if a.Pending {
		return nil
	}
	return attachable(at, len(documents), managed, most)
}

// observedPolicies returns the documents of the policies that hold the permissions of a role. A missing one is empty, if another
// follows it, or its attachment exists.
func observedPolicies(v *view.View, name string) []string {
	var out []string
	for n := 1; n <= iam.MaxAttachments; n++ {
		p := &Policy{Suffix: suffixOf(n)}
		s := &Service{Name: name}
		o := v.Observed(p.Key(s))
		if !o.Exists() && !v.Observed(p.AttachmentKey(s)).Exists() {
			continue
		}
		for len(out) < n {
			out = append(out, "")
		}
		out[n-1] = o.String("spec", "forProvider", "policy")
	}
	return out
}

// ungrantable says why statements cannot be granted: AWS's limits, or guardrails; empty if they can.
func ungrantable(v *view.View, statements []iam.Statement, errs field.ErrorList) string {
	if len(errs) > 0 {
		return errs[0].Error()
	}
	for _, g := range v.Guardrails {
		for _, d := range iam.Denied(statements, g.DeniedActions) {
			return fmt.Sprintf("guardrail deniedActions: %q: %s allows what %s denies", d.Value, d.Element, d.Denied)
		}
	}
	return ""
}

// strangeKinds returns notes on active definitions that the catalogue does not know.
func (id *Identity) strangeKinds() []string {
	var out []string
	for _, s := range id.Services {
		if s.Activation != nil && len(s.Activation.Strange) > 0 {
			names := s.Activation.Strange
			more := ""
			if n := len(names) - maxStrange; n > 0 {
				names, more = names[:maxStrange], fmt.Sprintf(" and %d more", n)
			}
			out = append(out, fmt.Sprintf("%s: active, but not a kind that the function knows, so nothing is granted for it: %s%s. Use statements", s.Name, strings.Join(names, ", "), more))
		}
	}
	return out
}

// maxStrange bounds how many definitions a note names.
const maxStrange = 3
