package aws

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	iampolicy "github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws/policy"
)

// A session of a role.
type session struct {
	key, arn, role string
	// Tags of the session, and which of them are passed on to the next role.
	tags       map[string]string
	transitive []string
	expires    time.Time
}

// caller of a session. The tags of its role count where the session has none.
func (s *Server) caller(x *session) iampolicy.Caller {
	c := iampolicy.Caller{Account: Account, ARN: x.arn, Role: "arn:aws:iam::" + Account + ":role/" + x.role, Tags: map[string]string{}}
	if r := s.roles[x.role]; r != nil {
		c.Role = r.arn
		maps.Copy(c.Tags, r.tags)
	}
	maps.Copy(c.Tags, x.tags)
	return c
}

// allow a request, or return the failure that AWS answers. Keys are condition keys with one value.
func (s *Server) allow(r *request, action, resource string, keys map[string]string) *failure {
	r.call.Needs = append(r.call.Needs, action)
	if r.session == nil {
		return nil
	}
	if effect, why := s.permitted(r.session, iampolicy.Request{Action: action, Resource: resource, Keys: conditionKeys(r, keys)}); effect != iampolicy.Allow {
		code := "AccessDenied"
		if r.call.Service == "eks" {
			code = "AccessDeniedException"
		}
		return failf(http.StatusForbidden, code, "User: %s is not authorized to perform: %s on resource: %s %s", r.session.arn, action, resource, why)
	}
	return nil
}

// permitted says whether a role's own policies, and its boundary, permit a request. If not, why.
func (s *Server) permitted(x *session, q iampolicy.Request) (effect iampolicy.Effect, why string) {
	q.Caller = s.caller(x)
	role := s.roles[x.role]
	if role == nil {
		return iampolicy.Silent, "because its role does not exist"
	}
	kind := "identity-based policy"
	effect = iampolicy.Identity(s.documents(role), q)
	if effect == iampolicy.Allow && role.boundary != "" {
		if effect = iampolicy.Identity(s.standard(role.boundary), q); effect != iampolicy.Allow {
			kind = "permissions boundary"
		}
	}
	if effect == iampolicy.Deny {
		return effect, "with an explicit deny in " + article(kind)
	}
	return effect, "because no " + kind + " allows the " + q.Action + " action"
}

func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "an " + noun
	}
	return "a " + noun
}

// conditionKeys of a request. Tags, by aws:RequestTag/, give aws:TagKeys.
func conditionKeys(r *request, keys map[string]string) map[string][]string {
	out := map[string][]string{"aws:RequestedRegion": {r.region}}
	for k, v := range keys {
		tag, isTag := strings.CutPrefix(k, "aws:RequestTag/")
		if isTag {
			out["aws:TagKeys"] = append(out["aws:TagKeys"], tag)
		}
		if v != "" || isTag {
			out[k] = []string{v}
		}
	}
	slices.Sort(out["aws:TagKeys"])
	return out
}

// withTags are condition keys with those of the tags that are sent.
func withTags(keys, tags map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, keys)
	for k, v := range tags {
		out["aws:RequestTag/"+k] = v
	}
	return out
}

// An assumption is an attempt to assume a role.
type assumption struct {
	role, session string
	// The caller: a session, a service of AWS, or an identity provider for the holder of its token.
	by                 *session
	service, federated string
	// Keys of conditions beside those of tags.
	keys       map[string]string
	externalID string
	tags       map[string]string
	transitive []string
	life       time.Duration
}

// assume a role: its trust policy and the policies of the caller must allow sts:AssumeRole, and sts:TagSession if there are tags.
func (s *Server) assume(a assumption) (*session, *failure) {
	name := a.role[strings.LastIndex(a.role, "/")+1:]
	role := s.roles[name]
	caller, who := iampolicy.Caller{Service: a.service, Federated: a.federated}, a.service+a.federated
	if a.by == nil && who == "" {
		who = "arn:aws:iam::" + Account + ":root"
		caller = iampolicy.Caller{Account: Account, ARN: who, Role: who}
	}
	tags, transitive := maps.Clone(a.tags), slices.Clone(a.transitive)
	if tags == nil {
		tags = map[string]string{}
	}
	if a.by != nil {
		caller, who = s.caller(a.by), a.by.arn
		for _, k := range a.by.transitive {
			if _, ok := tags[k]; ok {
				return nil, failf(http.StatusBadRequest, "InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
			}
			tags[k] = a.by.tags[k]
			transitive = append(transitive, k)
		}
	}
	actions := []string{"sts:AssumeRole"}
	if a.federated != "" {
		actions = []string{"sts:AssumeRoleWithWebIdentity"}
	}
	if len(tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	for _, action := range actions {
		keys := withTags(a.keys, tags)
		if action == "sts:AssumeRole" {
			keys["sts:ExternalId"] = a.externalID
		}
		q := iampolicy.Request{Action: action, Resource: a.role, Caller: caller, Keys: conditionKeys(&request{region: Region}, keys)}
		if role == nil || role.arn != a.role || !s.trusted(role, a.by, q) {
			return nil, failf(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", who, action, a.role)
		}
	}
	life := a.life
	if life == 0 || life > s.SessionLife {
		life = s.SessionLife
	}
	x := &session{key: s.id("ASIA", 16), arn: "arn:aws:sts::" + Account + ":assumed-role/" + name + "/" + a.session, role: name, tags: tags, transitive: transitive, expires: time.Now().Add(life)}
	s.sessions[x.key] = x
	return x, nil
}

// trusted says whether a role lets the caller of the request assume it.
func (s *Server) trusted(role *role, by *session, q iampolicy.Request) bool {
	d, err := iampolicy.Parse(role.trust)
	if err != nil {
		return false
	}
	t := iampolicy.Trusts(d, Account, q)
	if t.Effect != iampolicy.Allow {
		return false
	}
	if by == nil {
		return true
	}
	effect, _ := s.permitted(by, q)
	return effect == iampolicy.Allow || effect == iampolicy.Silent && !t.Account
}
