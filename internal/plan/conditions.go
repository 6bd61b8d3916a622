package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

// A Condition of the composite resource and its claim.
type Condition struct {
	Type    v1alpha1.ConditionType
	Status  bool
	Reason  v1alpha1.Reason
	Message string
}

// maxParts bounds how much a condition lists, so that it stays readable with many services.
const maxParts = 5

// stages are the conditions that sum up the resources that count for them.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var stages = []struct {
	condition v1alpha1.ConditionType
	ready     string
}{
	{v1alpha1.ConditionIdentityReady, "every role, policy and association is ready"},
	{v1alpha1.ConditionProvidersReady, "every provider is installed and healthy"},
	{v1alpha1.ConditionProviderConfigReady, "the ProviderConfig exists"},
	{v1alpha1.ConditionTeardownProtected, "nothing that is still needed can be deleted"},
	{v1alpha1.ConditionCredentialsInjected, "EKS injected credentials into the pods of every provider that is verified"},
}

// former are conditions that no longer apply, and were set before.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var former = map[v1alpha1.ConditionType]Condition{
	v1alpha1.ConditionTeardownProtected: {
		Type: v1alpha1.ConditionTeardownProtected, Reason: v1alpha1.ReasonUnordered,
		Message: "nothing blocks a deletion any longer, because teardown is Unordered",
	},
	v1alpha1.ConditionCredentialsInjected: {
		Type: v1alpha1.ConditionCredentialsInjected, Reason: v1alpha1.ReasonUnverified,
		Message: "the pods are no longer checked, because verifyCredentials is off",
	},
}

// Unknown says whether the condition is Unknown, regardless of Status.
func (c Condition) Unknown() bool { return c.Reason == v1alpha1.ReasonUnverified }

// gravity orders the reasons: a condition that covers several resources has the gravest of theirs.
var gravity = []v1alpha1.Reason{ //nolint:gochecknoglobals // A constant in all but the keyword.
	v1alpha1.ReasonFailed, v1alpha1.ReasonInvalidSpec, v1alpha1.ReasonConflict, v1alpha1.ReasonActionRequired, v1alpha1.ReasonMissing, v1alpha1.ReasonRemoving, v1alpha1.ReasonCreating, v1alpha1.ReasonWaiting, v1alpha1.ReasonReady,
}

func (p *Plan) conditions() []Condition {
	cs := []Condition{p.prerequisites()}
	for _, s := range stages {
		if !p.applies(s.condition) {
			if p.before[s.condition] {
				// Crossplane keeps a condition that is not sent.
				cs = append(cs, former[s.condition])
			}
			continue
		}
		c := p.sum(func(o *Outcome) bool { return o.Condition == s.condition })
		c.Type = s.condition
		if c.Status {
			c.Message = p.readyMessage(s.condition, s.ready)
		}
		if c.Status && c.Type == v1alpha1.ConditionTeardownProtected && p.unheld() {
			c.Message += ", except for managed resources that use the ProviderConfigs in namespaces: this Crossplane has no Usages in namespaces"
		}
		c.Message += p.notes(c.Type)
		if c.Status && c.Type == v1alpha1.ConditionProviderConfigReady && len(p.identity.ProviderConfig) > identity.MaxProviderConfigName {
			c.Message += fmt.Sprintf(", but its name has more than %d characters: no managed resource can use it. Move to a PodIdentityProvider with a shorter name", identity.MaxProviderConfigName)
		}
		cs = append(cs, c)
	}
	return cs
}

// unheld says whether there is a ProviderConfig in a namespace for which no Usage holds anything.
func (p *Plan) unheld() bool {
	return slices.ContainsFunc(p.Outcomes, func(o *Outcome) bool {
		return o.Condition == v1alpha1.ConditionProviderConfigReady && strings.Contains(o.Key, "/") && !slices.ContainsFunc(p.Outcomes, func(u *Outcome) bool {
			return u.Condition == v1alpha1.ConditionTeardownProtected && strings.HasSuffix(u.Key, "/by/"+o.Key)
		})
	})
}

// readyMessage is the message of a condition that is True.
func (p *Plan) readyMessage(c v1alpha1.ConditionType, message string) string {
	t := p.identity.Tenant
	switch {
	case t == nil:
	case c == v1alpha1.ConditionIdentityReady && t.Role.RoleARN != "":
		return "the role is not composed (roleArn), so its permissions and trust policy were not checked"
	case c == v1alpha1.ConditionIdentityReady:
		return "the role and its policies are ready"
	case c == v1alpha1.ConditionProvidersReady:
		return "the providers of PodIdentityProvider " + t.Host.Name + " are ready"
	}
	return message
}

// notes returns notes on settings that may surprise although the spec asks for them, or on resources that are not composed. They are
// reported whether a condition is True or not: they may be the reason.
func (p *Plan) notes(c v1alpha1.ConditionType) string {
	switch c { //nolint:exhaustive // The others have none.
	case v1alpha1.ConditionIdentityReady:
		notes := p.identity.Notes
		if p.identity.AutoMode {
			notes = append(slices.Clone(notes), "the cluster runs in EKS Auto Mode, which includes the agent that hands out credentials: no add-on is composed")
		}
		if len(notes) > 0 {
			return ". Note: " + enumerate(notes, "; ")
		}
	case v1alpha1.ConditionProvidersReady:
		return p.runtimeNotes()
	}
	return ""
}

// runtimeNotes returns those on the runtimes of services, each once.
func (p *Plan) runtimeNotes() string {
	var messages []string
	services := map[string][]string{}
	for _, s := range p.identity.Services {
		for _, m := range s.Notes {
			if services[m] == nil {
				messages = append(messages, m)
			}
			services[m] = append(services[m], s.Name)
		}
	}
	if len(messages) == 0 {
		return ""
	}
	for i, m := range messages {
		messages[i] = enumerate(services[m], ", ") + ": " + m
	}
	return ". Note: " + enumerate(messages, "; ")
}

// applies says whether a condition is about anything that the spec asks for.
func (p *Plan) applies(c v1alpha1.ConditionType) bool {
	switch c { //nolint:exhaustive // The others always apply.
	case v1alpha1.ConditionTeardownProtected:
		return p.identity.Teardown == v1alpha1.TeardownOrdered
	case v1alpha1.ConditionCredentialsInjected:
		return slices.ContainsFunc(p.identity.Services, func(s *identity.Service) bool { return s.VerifyCredentials })
	}
	return true
}

// prerequisites sums up what must exist before anything of its kind can be created, and what must be valid.
func (p *Plan) prerequisites() Condition {
	c := p.sum(func(o *Outcome) bool {
		return o.Condition == v1alpha1.ConditionPrerequisitesReady || o.waiting() && o.reason() == v1alpha1.ReasonMissing
	})
	c.Type = v1alpha1.ConditionPrerequisitesReady
	switch {
	case !c.Status:
	case p.input.Preview:
		c.Reason, c.Message = v1alpha1.ReasonPreview, "a preview does not check prerequisites"
	case p.input.Prerequisites == v1beta1.PrerequisitesAssume:
		c.Reason, c.Message = v1alpha1.ReasonAssumed, "prerequisites are assumed to exist (Input prerequisites: Assume)"
	default:
		c.Message = "all prerequisites exist"
	}
	return c
}

// sum sums up some of the resources.
func (p *Plan) sum(covers func(*Outcome) bool) Condition {
	c := Condition{Status: true, Reason: v1alpha1.ReasonReady}
	var os []*Outcome
	for _, o := range p.Outcomes {
		if covers(o) && !o.Readiness.Ready {
			os = append(os, o)
		}
	}
	if len(os) == 0 {
		return c
	}
	c.Status = false
	for _, o := range os {
		if graver(o.reason(), c.Reason) {
			c.Reason = o.reason()
		}
	}
	c.Message = p.describe(os, true)
	return c
}

func graver(a, b v1alpha1.Reason) bool { return rank(a) < rank(b) }

func rank(r v1alpha1.Reason) int { return slices.Index(gravity, r) }

// describe says why resources are not ready: the gravest first, each message once, with the subjects and services that it is about.
// Resources of all services are kept apart.
func (p *Plan) describe(os []*Outcome, withServices bool) string {
	os = slices.Clone(os)
	ranks := make(map[*Outcome]int, len(os))
	for _, o := range os {
		ranks[o] = rank(o.reason())
	}
	slices.SortStableFunc(os, func(a, b *Outcome) int { return ranks[a] - ranks[b] })

	type part struct {
		message            string
		subjects, services set
	}
	var parts []*part
	byMessage := map[string]*part{}
	for _, o := range os {
		subject, message := p.why(o)
		x := byMessage[message]
		if x == nil {
			x = &part{message: message}
			parts, byMessage[message] = append(parts, x), x
		}
		x.subjects.add(subject)
		x.services.add(o.Service)
	}
	out := make([]string, 0, len(parts))
	for _, x := range parts {
		m := x.message
		if x.subjects.list != nil {
			m = enumerate(x.subjects.list, ", ") + ": " + m
		}
		if withServices && x.services.list != nil {
			m = enumerate(x.services.list, ", ") + ": " + m
		}
		out = append(out, m)
	}
	return enumerate(out, "; ")
}

// A set of strings that are not empty, in the order in which they were added.
type set struct {
	list []string
	has  map[string]bool
}

func (s *set) add(e string) {
	if e == "" || s.has[e] {
		return
	}
	if s.has == nil {
		s.has = map[string]bool{}
	}
	s.list, s.has[e] = append(s.list, e), true
}

// enumerate joins at most maxParts.
func enumerate(parts []string, separator string) string {
	if more := len(parts) - maxParts; more > 0 {
		parts = append(slices.Clone(parts[:maxParts]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, separator)
}
