package fakes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
)

type role struct {
	trust    string
	created  time.Time
	ready    time.Time
	tags     map[string]any
	attached map[string]bool
}

type policy struct {
	document string
	ready    time.Time
	tags     map[string]any
}

type association struct {
	id, role string
	ready    time.Time
	// by is who created it.
	by types.UID
}

func associationKey(cluster, namespace, serviceAccount string) string {
	return cluster + "/" + namespace + "/" + serviceAccount
}

// Associate a ServiceAccount with a role, as `aws eks create-pod-identity-association` would.
func (a *AWS) Associate(namespace, serviceAccount string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	x := &association{id: a.newID(), ready: time.Now()}
	a.associations[associationKey(Cluster, namespace, serviceAccount)] = x
	return x.id
}

// AddRole is a role that somebody else made, a day ago, with policies attached to it.
func (a *AWS) AddRole(name string, policyARNs ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	r := &role{created: time.Now().Add(-24 * time.Hour).UTC(), tags: map[string]any{}, attached: map[string]bool{}}
	for _, arn := range policyARNs {
		r.attached[arn] = true
	}
	a.roles[name] = r
}

// Age makes the roles that have that part in their name a day older, as a rebuilt cluster finds them. Of nothing else AWS tells when it was
// made.
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

// Detach all policies from a role behind everybody's back.
func (a *AWS) Detach(roleName string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	if r := a.roles[roleName]; r != nil {
		r.attached = map[string]bool{}
	}
}

// Disassociate deletes an association behind everybody's back.
func (a *AWS) Disassociate(namespace, serviceAccount string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	delete(a.associations, associationKey(Cluster, namespace, serviceAccount))
}

// Fail makes creations fail of objects of that kind whose name contains the part, with that error of AWS. An empty message
// ends it.
func (a *AWS) Fail(kind, part, message string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	if message == "" {
		delete(a.errors, kind+"/"+part)
		return
	}
	a.errors[kind+"/"+part] = message
}

// Has says what AWS still has whose name contains the part.
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

func (a *AWS) newID() string {
	a.requests++
	return fmt.Sprintf("a-%017d", a.requests)
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

func (a *AWS) error(o *unstructured.Unstructured) string {
	for k, m := range a.errors {
		kind, part, _ := strings.Cut(k, "/")
		if kind == o.GetKind() && strings.Contains(o.GetName(), part) {
			return strings.ReplaceAll(m, "REQUEST", a.requestID())
		}
	}
	return ""
}

// requestID changes with every request, as AWS's do. Errors are tried again once a second.
func (a *AWS) requestID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-000000000000", time.Now().Unix())
}

// Deny an action on what has that name, until the answer is called.
func (a *AWS) Deny(action, name string) (allow func()) {
	kind, _ := strings.CutPrefix(action, "Create")
	a.Fail(kind, name, accessDenied(name))
	return func() { a.Fail(kind, name, "") }
}

// accessDenied is what the provider says when it may not create a role.
func accessDenied(roleName string) string {
	return fmt.Sprintf("failed to create the resource: [{0 creating IAM Role (%s): operation error IAM: CreateRole, https response error StatusCode: 403, RequestID: REQUEST, api error AccessDenied: User: arn:aws:iam::%s:user/fake is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::%s:role/%s because no identity-based policy allows the iam:CreateRole action  []}]", roleName, Account, Account, roleName)
}
