package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What follows is for scenarios: the state of the account, and what another user does to it.

// Calls that changed something, in order, whose text contains all of the parts.
func (s *Server) Calls(parts ...string) []string {
	var out []string
	for _, c := range s.All() {
		if c.Write && c.Code == "" && !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(c.String(), p) }) {
			out = append(out, c.String())
		}
	}
	return out
}

// All calls, in order.
func (s *Server) All() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Has lists what exists with the part in its name.
func (s *Server) Has(part string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for n := range s.roles {
		out = append(out, "role "+n)
	}
	for arn := range s.policies {
		if !strings.HasPrefix(arn, "arn:aws:iam::aws:") {
			out = append(out, "policy "+arn)
		}
	}
	for _, x := range s.associations {
		out = append(out, "association "+x.key())
	}
	for n := range s.buckets {
		out = append(out, "bucket "+n)
	}
	for n := range s.queues {
		out = append(out, "queue "+n)
	}
	out = slices.DeleteFunc(out, func(x string) bool { return !strings.Contains(x, part) })
	slices.Sort(out)
	return out
}

// A Role of the account.
type Role struct {
	ARN, Description, Boundary, MaxSession, Trust string
	Tags                                          map[string]string
	Attached                                      []string
}

// Role of a name. Nil if there is none.
func (s *Server) Role(name string) *Role {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.roles[name]
	if x == nil {
		return nil
	}
	return &Role{ARN: x.arn, Description: x.description, Boundary: x.boundary, MaxSession: x.maxSession, Trust: x.trust, Tags: cloned(x.tags), Attached: sorted(x.attached)}
}

// Policy is the document in force of the policy of that name. Empty if there is none.
func (s *Server) Policy(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.policies {
		for _, v := range x.versions {
			if x.name == name && v.standard {
				return v.document
			}
		}
	}
	return ""
}

// An Association of the account.
type Association struct {
	ID, Role, Target string
	NoSessionTags    bool
	Tags             map[string]string
}

// Association of a ServiceAccount of the cluster. Nil if there is none.
func (s *Server) Association(namespace, serviceAccount string) *Association {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.associations {
		if x.key() == associationKey(Cluster, namespace, serviceAccount) {
			return &Association{ID: x.id, Role: x.role, Target: x.target, NoSessionTags: x.noSessionTags, Tags: cloned(x.tags)}
		}
	}
	return nil
}

// Owner of a bucket or a queue: the ARN of the caller that created it.
func (s *Server) Owner(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[name]; b != nil {
		return b.owner
	}
	if q := s.queues[name]; q != nil {
		return q.owner
	}
	return ""
}

func cloned(m map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, m)
	return out
}

// An Identity is a ServiceAccount that has an association.
type Identity struct {
	Namespace      string `json:"namespace"`
	ServiceAccount string `json:"serviceAccount"`
}

// Identities of the cluster whose associations EKS knows everywhere by now.
func (s *Server) Identities() []Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Identity{}
	for _, id := range sorted(s.associations) {
		if x := s.associations[id]; x.cluster == Cluster && !time.Now().Before(x.created.Add(s.Settle)) {
			out = append(out, Identity{x.namespace, x.serviceAccount})
		}
	}
	return out
}

// dayOld is the age of what existed before.
const dayOld = 24 * time.Hour

// AddRole adds a role that was created a day ago, with a trust policy, an inline policy if there is one, and policies attached to it.
func (s *Server) AddRole(name, trust, inline string, policyARNs ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.newRole(name, "/", trust)
	x.created = time.Now().Add(-dayOld)
	if inline != "" {
		x.inline["inline"] = inline
	}
	for _, arn := range policyARNs {
		x.attached[arn] = true
	}
	return x.arn
}

// AddPolicy adds a policy that was created a day ago.
func (s *Server) AddPolicy(name, document string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Now().Add(-dayOld)
	x := &policy{
		name: name, path: "/", id: s.id("ANPA", 17), arn: "arn:aws:iam::" + Account + ":policy/" + name, created: at, tags: map[string]string{}, last: 1,
		versions: []*version{{id: "v1", document: document, standard: true, created: at}},
	}
	s.policies[x.arn] = x
	return x.arn
}

// AddOIDCProvider makes the account trust the tokens of an issuer, without https://, and returns the ARN for trust policies.
func (s *Server) AddOIDCProvider(host string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oidc = host
	return oidcProvider(host)
}

// Associate a ServiceAccount with a role, a day ago.
func (s *Server) Associate(namespace, serviceAccount, role string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Now().Add(-dayOld)
	x := &association{id: s.id("a-", 17), cluster: Cluster, namespace: namespace, serviceAccount: serviceAccount, role: role, created: at, modified: at, tags: map[string]string{}}
	x.arn = fmt.Sprintf("arn:aws:eks:%s:%s:podidentityassociation/%s/%s", Region, Account, Cluster, x.id)
	s.associations[x.id] = x
	return x.id
}

// Disassociate deletes an association, as another user would.
func (s *Server) Disassociate(namespace, serviceAccount string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, x := range s.associations {
		if x.key() == associationKey(Cluster, namespace, serviceAccount) {
			delete(s.associations, id)
		}
	}
}

// Deny an action on the resource of that name, until allow is called.
func (s *Server) Deny(action, name string) (allow func()) {
	return s.Inject(Fault{Action: action, Resource: name, Code: "AccessDenied"})
}

// Access says what keeps a pod of a ServiceAccount from credentials with some permission. Empty if it gets them.
func (s *Server) Access(namespace, serviceAccount string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := pod{Namespace: namespace}
	p.ServiceAccount.Name, p.Pod.Name = serviceAccount, serviceAccount
	if _, f := s.credentials(p); f != nil {
		return f.Error()
	}
	x := s.associated(namespace, serviceAccount)
	if r := s.roles[x.role[strings.LastIndex(x.role, "/")+1:]]; len(s.documents(r)) == 0 {
		return "AccessDenied: role " + r.name + " has no permissions"
	}
	return ""
}

// Age makes everything with that part in its name a day older, as a rebuilt cluster finds it.
func (s *Server) Age(part string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	older := func(name string, created *time.Time) {
		if strings.Contains(name, part) {
			*created = created.Add(-dayOld)
		}
	}
	for _, x := range s.roles {
		older(x.name, &x.created)
	}
	for _, x := range s.policies {
		older(x.name, &x.created)
	}
	for _, x := range s.associations {
		older(x.key(), &x.created)
	}
}

// Detach all policies from a role, as another user would.
func (s *Server) Detach(roleName string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.roles[roleName]; x != nil {
		x.attached = map[string]bool{}
	}
}

// Expire all sessions of a role.
func (s *Server) Expire(roleName string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if x.role == roleName {
			x.expires = time.Now()
		}
	}
}

// Login returns the access key of a new session of an existing role.
func (s *Server) Login(roleName string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &session{
		key: s.id("ASIA", 16), arn: "arn:aws:sts::" + Account + ":assumed-role/" + roleName + "/login", role: roleName,
		tags: map[string]string{}, expires: time.Now().Add(s.SessionLife),
	}
	s.sessions[x.key] = x
	return x.key
}

// Grant gives a role another inline policy.
func (s *Server) Grant(roleName, policyName, document string) {
	s.onRoleOf(roleName, func(x *role) { x.inline[policyName] = document })
}

// Retrust gives a role another trust policy, as another user would.
func (s *Server) Retrust(roleName, trust string) {
	s.onRoleOf(roleName, func(x *role) { x.trust = trust })
}

// RemoveRole with all its attachments, as another user would.
func (s *Server) RemoveRole(roleName string) {
	s.onRoleOf(roleName, func(x *role) { delete(s.roles, x.name) })
}

func (s *Server) onRoleOf(name string, do func(*role)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.roles[name]; x != nil {
		do(x)
	}
}

// Rewrite a policy, as another user would: a new version is in force.
func (s *Server) Rewrite(policyName, document string) {
	s.onPolicyOf(policyName, func(x *policy) {
		x.last++
		x.versions = append(x.versions, &version{id: fmt.Sprintf("v%d", x.last), document: document, created: time.Now()})
		x.makeStandard(len(x.versions) - 1)
	})
}

// RemovePolicy removes a policy as another user would, also from the roles that it is attached to.
func (s *Server) RemovePolicy(policyName string) {
	s.onPolicyOf(policyName, func(x *policy) {
		delete(s.policies, x.arn)
		for _, r := range s.roles {
			delete(r.attached, x.arn)
		}
	})
}

func (s *Server) onPolicyOf(name string, do func(*policy)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.policies {
		if x.name == name {
			do(x)
		}
	}
}
