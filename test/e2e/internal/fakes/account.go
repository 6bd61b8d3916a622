package fakes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
)

type role struct {
	id, path, trust, description, boundary string
	maxSession                             int64
	created, ready                         time.Time
	tags                                   map[string]any
	attached                               map[string]bool
}

type policy struct {
	id, name, path, document, description string
	// versions is how many there are beside the one in force.
	versions int
	ready    time.Time
	tags     map[string]any
}

type association struct {
	id, role      string
	noSessionTags bool
	ready         time.Time
	tags          map[string]any
	// by is the object that it was created for.
	by types.UID
}

func associationKey(cluster, namespace, serviceAccount string) string {
	return cluster + "/" + namespace + "/" + serviceAccount
}

// Associate a ServiceAccount with a role, as `aws eks create-pod-identity-association` would.
func (a *AWS) Associate(namespace, serviceAccount, role string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	x := &association{id: a.newID("a-"), role: role, ready: time.Now(), tags: map[string]any{}}
	a.associations[associationKey(Cluster, namespace, serviceAccount)] = x
	return x.id
}

// AddRole adds a role that another owner created a day ago, with policies attached to it. Permissions mean nothing here, so it has no
// inline policy.
func (a *AWS) AddRole(name, trust, _ string, policyARNs ...string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	r := &role{id: a.newID("AROA"), path: "/", trust: normalized(trust), maxSession: hour, created: time.Now().Add(-24 * time.Hour).UTC(), tags: map[string]any{}, attached: map[string]bool{}}
	for _, arn := range policyARNs {
		r.attached[arn] = true
	}
	a.roles[name] = r
	return roleARN("/", name)
}

// RemoveRole with all its attachments, as another user would.
func (a *AWS) RemoveRole(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	delete(a.roles, name)
}

// RemovePolicy removes a policy as another user would, also from the roles that it is attached to.
func (a *AWS) RemovePolicy(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	for arn, x := range a.policies {
		if x.name != name {
			continue
		}
		delete(a.policies, arn)
		for _, r := range a.roles {
			delete(r.attached, arn)
		}
	}
}

// Age makes the roles with that part in their name a day older, as a rebuilt cluster finds them. AWS reports no other creation times.
func (a *AWS) Age(part string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	for name, r := range a.roles {
		if strings.Contains(name, part) {
			r.created = r.created.Add(-24 * time.Hour)
		}
	}
}

// Detach all policies from a role, as another user would.
func (a *AWS) Detach(roleName string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	if r := a.roles[roleName]; r != nil {
		r.attached = map[string]bool{}
	}
}

// Disassociate deletes an association, as another user would.
func (a *AWS) Disassociate(namespace, serviceAccount string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	delete(a.associations, associationKey(Cluster, namespace, serviceAccount))
}

// Inject a fault, until remove is called.
func (a *AWS) Inject(f aws.Fault) (remove func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	p := &f
	a.faults = append(a.faults, p)
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.changes++
		a.faults = slices.DeleteFunc(a.faults, func(q *aws.Fault) bool { return q == p })
	}
}

// Deny an action on the resource of that name, until allow is called.
func (a *AWS) Deny(action, name string) (allow func()) {
	return a.Inject(aws.Fault{Action: action, Resource: name, Code: "AccessDenied"})
}

// Has lists what AWS has with the part in its name.
func (a *AWS) Has(part string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for n := range a.roles {
		out = append(out, "role "+n)
	}
	for n := range a.policies {
		out = append(out, "policy "+n)
	}
	for n := range a.associations {
		out = append(out, "association "+n)
	}
	out = slices.DeleteFunc(out, func(s string) bool { return !strings.Contains(s, part) })
	slices.Sort(out)
	return out
}

// Calls that changed something in AWS, in order, whose text contains all of the parts.
func (a *AWS) Calls(parts ...string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(a.calls), func(call string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(call, p) })
	})
}

func (a *AWS) callf(format string, args ...any) {
	a.calls = append(a.calls, fmt.Sprintf(format, args...))
}

func (a *AWS) newID(prefix string) string {
	a.requests++
	return fmt.Sprintf("%s%017d", prefix, a.requests)
}

// Identities are the ServiceAccounts of the cluster that have an association that EKS knows everywhere.
func (a *AWS) Identities() []aws.Identity {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []aws.Identity{}
	for _, k := range slices.Sorted(maps.Keys(a.associations)) {
		parts := strings.Split(k, "/")
		if x := a.associations[k]; parts[0] == Cluster && !time.Now().Before(x.ready.Add(a.Settle)) {
			out = append(out, aws.Identity{Namespace: parts[1], ServiceAccount: parts[2]})
		}
	}
	return out
}

// A call of AWS that changes something there.
type call struct {
	// about is the provider's description of the call.
	about, action, resource string
	// do makes the call, and returns AWS's error.
	do func() *refusal
}

// A refusal is an error of AWS.
type refusal struct {
	status        int
	code, message string
}

// do makes a call of a service, and returns the provider's message if AWS refuses it.
func (a *AWS) do(service string, c call) string {
	made := aws.Call{Service: service, Action: c.action, Resource: c.resource, Caller: "arn:aws:iam::" + Account + ":user/fake"}
	var r *refusal
	if i := slices.IndexFunc(a.faults, func(f *aws.Fault) bool { return f.Code != "" && f.Matches(made) }); i >= 0 {
		r = &refusal{code: a.faults[i].Code}
		r.status, r.message = a.faults[i].Answer(made)
	} else {
		r = c.do()
	}
	if r == nil {
		a.callf("%s", made)
		return ""
	}
	// The SDK has types for the errors that an operation is documented to answer.
	code := r.code
	if strings.HasPrefix(code, "AccessDenied") || strings.HasPrefix(code, "Throttling") {
		code = "api error " + code
	}
	return fmt.Sprintf("%s: operation error %s: %s, https response error StatusCode: %d, RequestID: %s, %s: %s", c.about, strings.ToUpper(service), c.action, r.status, a.requestID(), code, r.message)
}

// requestID changes with every request, as AWS's do. Errors are tried again once a second.
func (a *AWS) requestID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-000000000000", time.Now().Unix())
}
