// Package fakes stands in for what cannot exist on a developer's machine: AWS with the two providers that talk to it, and
// kubelets.
package fakes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// Account and Partition of the fake AWS.
	Account = "123456789012"

	finalizer    = "finalizer.managedresource.crossplane.io"
	externalName = "crossplane.io/external-name"
	resolver     = client.FieldOwner("managed.crossplane.io/api-simple-reference-resolver")
)

// AWS is the IAM and EKS of one account, together with provider-aws-iam and provider-aws-eks. It does to Role, Policy,
// RolePolicyAttachment and PodIdentityAssociation objects what the real providers (v2.5.0) were seen to do: the finalizer,
// external names, resolved references, the fields that late initialization writes, conditions, status. It keeps AWS's rules
// about deletion order. It acts only while the Provider in question is Healthy and the ProviderConfig exists, as the real
// ones need their pod and credentials.
//
// It knows nothing of policies' meaning, of permissions, tags as AWS sees them, or the teardown of ProviderConfigs.
type AWS struct {
	Client client.Client
	// Latency of a creation in AWS.
	Latency time.Duration
	// Settle is how long EKS takes until pods of a new association get credentials.
	Settle     time.Duration
	identities string

	mu           sync.Mutex
	roles        map[string]*role
	policies     map[string]*policy
	associations map[string]*association
	errors       map[string]string
	requests     int
	calls        []string
}

type role struct {
	trust    string
	created  time.Time
	ready    time.Time
	attached map[string]bool
}

type policy struct {
	document string
	ready    time.Time
}

type association struct {
	id, role string
	ready    time.Time
}

// kinds that the fake handles, in the order in which it looks at them.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var kinds = []struct {
	gvk     schema.GroupVersionKind
	service string
}{
	{schema.GroupVersionKind{Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "Role"}, "iam"},
	{schema.GroupVersionKind{Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "Policy"}, "iam"},
	{schema.GroupVersionKind{Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "RolePolicyAttachment"}, "iam"},
	{schema.GroupVersionKind{Group: "eks.aws.upbound.io", Version: "v1beta1", Kind: "PodIdentityAssociation"}, "eks"},
}

// NewAWS returns an empty account. The file tells the pod identity webhook which ServiceAccounts have an association.
func NewAWS(c client.Client, identities string) *AWS {
	return &AWS{
		Client: c, Latency: 1500 * time.Millisecond, Settle: 8 * time.Second, identities: identities,
		roles: map[string]*role{}, policies: map[string]*policy{}, associations: map[string]*association{}, errors: map[string]string{},
	}
}

// Run until the context ends. Everything is looked at several times a second: CRDs come and go, and so would watches.
func (a *AWS) Run(ctx context.Context) {
	for ctx.Err() == nil {
		for _, k := range kinds {
			if !a.running(ctx, k.service) {
				continue
			}
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(k.gvk)
			if err := a.Client.List(ctx, list); err != nil {
				continue // Such as: the kind does not exist.
			}
			for i := range list.Items {
				// An error is a conflict with somebody else's write: the next round is soon enough.
				_ = a.reconcile(ctx, &list.Items[i])
			}
		}
		a.publish()
		sleep(ctx, 200*time.Millisecond)
	}
}

// Associate a ServiceAccount with a role, as `aws eks create-pod-identity-association` would.
func (a *AWS) Associate(namespace, serviceAccount string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	x := &association{id: a.newID(), ready: time.Now()}
	a.associations[namespace+"/"+serviceAccount] = x
	return x.id
}

// Disassociate deletes an association behind everybody's back.
func (a *AWS) Disassociate(namespace, serviceAccount string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.associations, namespace+"/"+serviceAccount)
}

// Fail makes creations fail of objects of that kind whose name contains the part, with that error of AWS. An empty message
// ends it.
func (a *AWS) Fail(kind, part, message string) {
	a.mu.Lock()
	defer a.mu.Unlock()
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

// Calls that changed something in AWS, in order, whose text contains the part.
func (a *AWS) Calls(part string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(a.calls), func(s string) bool { return !strings.Contains(s, part) })
}

func (a *AWS) callf(format string, args ...any) {
	a.calls = append(a.calls, fmt.Sprintf(format, args...))
}

func (a *AWS) newID() string {
	a.requests++
	return fmt.Sprintf("a-%017d", a.requests)
}

// running says whether the provider of a service is.
func (a *AWS) running(ctx context.Context, service string) bool {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "pkg.crossplane.io", Version: "v1", Kind: "Provider"})
	if err := a.Client.List(ctx, list); err != nil {
		return false
	}
	for _, p := range list.Items {
		if strings.Contains(String(&p, "spec", "package"), "/provider-aws-"+service+":") && Condition(&p, "Healthy")["status"] == "True" {
			return true
		}
	}
	return false
}

// publish which ServiceAccounts have an association that EKS knows everywhere.
func (a *AWS) publish() {
	type identity struct {
		Namespace      string `json:"namespace"`
		ServiceAccount string `json:"serviceAccount"`
	}
	a.mu.Lock()
	out := struct {
		Identities []identity `json:"identities"`
	}{[]identity{}}
	for _, k := range slices.Sorted(maps.Keys(a.associations)) {
		if x := a.associations[k]; !time.Now().Before(x.ready.Add(a.Settle)) {
			ns, sa, _ := strings.Cut(k, "/")
			out.Identities = append(out.Identities, identity{ns, sa})
		}
	}
	a.mu.Unlock()
	b, err := json.Marshal(out)
	if err != nil {
		return
	}
	if old, _ := os.ReadFile(a.identities); bytes.Equal(old, b) {
		return
	}
	tmp := filepath.Join(filepath.Dir(a.identities), ".identities")
	if os.WriteFile(tmp, b, 0o644) == nil {
		_ = os.Rename(tmp, a.identities)
	}
}

// errUnresolved: a referenced object is not ready.
var errUnresolved = errors.New("referenced field was empty (referenced resource may not yet be ready)")

// reconcile one managed resource, one step at a time.
func (a *AWS) reconcile(ctx context.Context, o *unstructured.Unstructured) error {
	if o.GetAnnotations()["crossplane.io/paused"] == "true" {
		return nil
	}
	before := o.DeepCopy()
	if pc := String(o, "spec", "providerConfigRef", "name"); !a.providerConfig(ctx, pc) {
		condition(o, "Synced", "False", "ReconcileError", fmt.Sprintf("connect failed: cannot initialize the Terraform plugin SDK async external client: cannot get terraform setup: cannot get referenced ProviderConfig: ProviderConfig.aws.upbound.io %q not found", pc))
		return a.status(ctx, before, o)
	}
	if o.GetDeletionTimestamp() != nil {
		return a.delete(ctx, before, o)
	}
	if !slices.Contains(o.GetFinalizers(), finalizer) {
		o.SetFinalizers(append(o.GetFinalizers(), finalizer))
		return a.update(ctx, o)
	}
	if o.GetAnnotations()[externalName] == "" && o.GetKind() != "PodIdentityAssociation" && o.GetKind() != "RolePolicyAttachment" {
		annotate(o, externalName, o.GetName())
		return a.update(ctx, o)
	}
	if tags(o) {
		return a.update(ctx, o)
	}
	if done, err := a.resolve(ctx, o); err != nil {
		condition(o, "Synced", "False", "ReconcileError", "cannot resolve references: mg.Spec.ForProvider."+err.Error())
		return a.status(ctx, before, o)
	} else if !done {
		return nil // Resolved and written: the next round goes on.
	}
	if o.GetAnnotations()["crossplane.io/external-create-succeeded"] == "" && o.GetAnnotations()["crossplane.io/external-create-pending"] == "" {
		annotate(o, "crossplane.io/external-create-pending", time.Now().UTC().Format(time.RFC3339))
		return a.update(ctx, o)
	}
	return a.observe(ctx, before, o)
}

// observe an object in AWS, create or update it there, and tell how it is.
func (a *AWS) observe(ctx context.Context, before, o *unstructured.Unstructured) error {
	a.mu.Lock()
	at, ready, message := a.sync(o)
	a.mu.Unlock()
	switch {
	case message != "":
		condition(o, "Synced", "False", "ReconcileError", "create failed: async create failed: "+message)
		condition(o, "LastAsyncOperation", "False", "AsyncCreateFailure", "async create failed: "+message)
		condition(o, "Ready", "False", "Creating", "")
		return a.status(ctx, before, o)
	case !ready:
		condition(o, "Synced", "True", "ReconcileSuccess", "")
		condition(o, "Ready", "False", "Creating", "")
		return a.status(ctx, before, o)
	}
	name := o.GetAnnotations()[externalName]
	if id := at["id"]; name == "" || o.GetKind() == "PodIdentityAssociation" && name != at["associationId"] {
		annotate(o, externalName, fmt.Sprint(id))
	}
	if o.GetAnnotations()["crossplane.io/external-create-succeeded"] == "" {
		annotate(o, "crossplane.io/external-create-succeeded", time.Now().UTC().Format(time.RFC3339))
	}
	lateInitialize(o)
	if !equal(before.Object["spec"], o.Object["spec"]) || !maps.Equal(before.GetAnnotations(), o.GetAnnotations()) {
		return a.update(ctx, o)
	}
	_ = unstructured.SetNestedMap(o.Object, at, "status", "atProvider")
	condition(o, "Synced", "True", "ReconcileSuccess", "")
	condition(o, "LastAsyncOperation", "True", "Success", "")
	condition(o, "Ready", "True", "Available", "")
	return a.status(ctx, before, o)
}

// sync an object with AWS. The answer is what AWS has, or its error.
//
//nolint:funlen,gocognit // Four kinds, one after the other.
func (a *AWS) sync(o *unstructured.Unstructured) (at map[string]any, ready bool, message string) {
	now := time.Now()
	name := o.GetAnnotations()[externalName]
	p := func(f ...string) string { return String(o, append([]string{"spec", "forProvider"}, f...)...) }
	path := p("path")
	if path == "" {
		path = "/"
	}
	switch o.GetKind() {
	case "Role":
		r := a.roles[name]
		if r == nil {
			if m := a.error(o); m != "" {
				return nil, false, m
			}
			r = &role{trust: p("assumeRolePolicy"), created: now.UTC(), ready: now.Add(a.Latency), attached: map[string]bool{}}
			a.roles[name] = r
			a.callf("CreateRole %s", name)
		}
		if r.trust != p("assumeRolePolicy") {
			r.trust = p("assumeRolePolicy")
			a.callf("UpdateAssumeRolePolicy %s", name)
		}
		return map[string]any{
			"arn": "arn:aws:iam::" + Account + ":role" + path + name, "id": name, "path": path, "assumeRolePolicy": r.trust,
			"createDate": r.created.Format(time.RFC3339), "uniqueId": "AROA" + strings.ToUpper(fmt.Sprintf("%x", name))[:12],
		}, now.After(r.ready), ""
	case "Policy":
		arn := "arn:aws:iam::" + Account + ":policy" + path + name
		x := a.policies[arn]
		if x == nil {
			if m := a.error(o); m != "" {
				return nil, false, m
			}
			x = &policy{document: p("policy"), ready: now.Add(a.Latency)}
			a.policies[arn] = x
			a.callf("CreatePolicy %s", name)
		}
		if x.document != p("policy") {
			x.document = p("policy")
			a.callf("CreatePolicyVersion %s", name)
		}
		return map[string]any{"arn": arn, "id": arn, "path": path, "policy": x.document}, now.After(x.ready), ""
	case "RolePolicyAttachment":
		r := a.roles[p("role")]
		if r == nil {
			return nil, false, fmt.Sprintf("failed to create the resource: [{0 attaching IAM Policy (%s) to IAM Role (%s): operation error IAM: AttachRolePolicy, https response error StatusCode: 404, RequestID: %s, NoSuchEntity: The role with name %s cannot be found.  []}]", p("policyArn"), p("role"), a.requestID(), p("role"))
		}
		if !r.attached[p("policyArn")] {
			if m := a.error(o); m != "" {
				return nil, false, m
			}
			r.attached[p("policyArn")] = true
			a.callf("AttachRolePolicy %s", p("role"))
		}
		return map[string]any{"id": p("role") + "/" + p("policyArn"), "role": p("role"), "policyArn": p("policyArn")}, true, ""
	case "PodIdentityAssociation":
		key := p("namespace") + "/" + p("serviceAccount")
		x := a.associations[key]
		switch {
		case x == nil:
			if m := a.error(o); m != "" {
				return nil, false, m
			}
			x = &association{id: a.newID(), role: p("roleArn"), ready: now.Add(a.Latency)}
			a.associations[key] = x
			a.callf("CreatePodIdentityAssociation %s", key)
			annotate(o, externalName, x.id)
		case x.id != name && name != "" || name == "" && x.role != p("roleArn"):
			return nil, false, fmt.Sprintf("resource creation call returned error diags: creating EKS Pod Identity Association: operation error EKS: CreatePodIdentityAssociation, https response error StatusCode: 409, RequestID: %s, ResourceInUseException: Association already exists: %s", a.requestID(), x.id)
		}
		if x.role != p("roleArn") {
			x.role = p("roleArn")
			a.callf("UpdatePodIdentityAssociation %s", key)
		}
		return map[string]any{
			"associationId": x.id, "id": x.id, "roleArn": x.role, "clusterName": p("clusterName"), "namespace": p("namespace"), "serviceAccount": p("serviceAccount"),
			"associationArn": fmt.Sprintf("arn:aws:eks:%s:%s:podidentityassociation/%s/%s", p("region"), Account, p("clusterName"), x.id), "region": p("region"),
		}, now.After(x.ready), ""
	}
	return nil, false, "unknown kind"
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

// AccessDenied is what the provider says when it may not create a role.
func AccessDenied(roleName string) string {
	return fmt.Sprintf("failed to create the resource: [{0 creating IAM Role (%s): operation error IAM: CreateRole, https response error StatusCode: 403, RequestID: REQUEST, api error AccessDenied: User: arn:aws:iam::%s:user/fake is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::%s:role/%s because no identity-based policy allows the iam:CreateRole action  []}]", roleName, Account, Account, roleName)
}

// delete an object in AWS, as far as AWS lets it.
func (a *AWS) delete(ctx context.Context, before, o *unstructured.Unstructured) error {
	if !slices.Contains(o.GetFinalizers(), finalizer) {
		return nil
	}
	if String(o, "spec", "deletionPolicy") != "Orphan" {
		a.mu.Lock()
		message := a.remove(o)
		a.mu.Unlock()
		if message != "" {
			condition(o, "Synced", "False", "ReconcileError", "delete failed: async delete failed: "+message)
			condition(o, "Ready", "False", "Deleting", "")
			return a.status(ctx, before, o)
		}
	}
	o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(f string) bool { return f == finalizer }))
	return a.update(ctx, o)
}

func (a *AWS) remove(o *unstructured.Unstructured) string {
	name := o.GetAnnotations()[externalName]
	p := func(f string) string { return String(o, "spec", "forProvider", f) }
	switch o.GetKind() {
	case "Role":
		// The real provider detaches what is attached first.
		if a.roles[name] != nil {
			delete(a.roles, name)
			a.callf("DeleteRole %s", name)
		}
	case "Policy":
		arn := String(o, "status", "atProvider", "arn")
		for _, r := range a.roles {
			if r.attached[arn] {
				return fmt.Sprintf("failed to delete the resource: [{0 deleting IAM Policy (%s): operation error IAM: DeletePolicy, https response error StatusCode: 409, RequestID: %s, DeleteConflict: Cannot delete a policy attached to entities.  []}]", arn, a.requestID())
			}
		}
		if a.policies[arn] != nil {
			delete(a.policies, arn)
			a.callf("DeletePolicy %s", name)
		}
	case "RolePolicyAttachment":
		if r := a.roles[p("role")]; r != nil && r.attached[p("policyArn")] {
			delete(r.attached, p("policyArn"))
			a.callf("DetachRolePolicy %s", p("role"))
		}
	case "PodIdentityAssociation":
		key := p("namespace") + "/" + p("serviceAccount")
		if x := a.associations[key]; x != nil && x.id == name {
			delete(a.associations, key)
			a.callf("DeletePodIdentityAssociation %s", key)
		}
	}
	return ""
}

// resolve references, as the real providers do: by a server-side apply of their own. False if something was written.
func (a *AWS) resolve(ctx context.Context, o *unstructured.Unstructured) (bool, error) {
	refs := map[string][]struct{ field, ref, kind, from, name string }{
		"RolePolicyAttachment": {
			{"policyArn", "policyArnRef", "Policy", "arn", "PolicyArn"},
			{"role", "roleRef", "Role", "", "Role"},
		},
		"PodIdentityAssociation": {{"roleArn", "roleArnRef", "Role", "arn", "RoleArn"}},
	}[o.GetKind()]
	values := map[string]any{}
	missing := false
	for _, r := range refs {
		if v := String(o, "spec", "forProvider", r.field); v != "" {
			continue
		}
		name := String(o, "spec", "forProvider", r.ref, "name")
		if name == "" {
			continue
		}
		to := &unstructured.Unstructured{}
		to.SetGroupVersionKind(schema.GroupVersionKind{Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: r.kind})
		if err := a.Client.Get(ctx, client.ObjectKey{Name: name}, to); err != nil {
			return false, fmt.Errorf("%s: cannot get referenced resource: %w", r.name, err)
		}
		v := to.GetAnnotations()[externalName]
		if r.from != "" {
			v = String(to, "status", "atProvider", r.from)
		}
		if v == "" {
			return false, fmt.Errorf("%s: %w", r.name, errUnresolved)
		}
		missing = true
		values[r.field] = v
	}
	if !missing {
		return true, nil
	}
	for _, r := range refs {
		values[r.ref] = map[string]any{"name": String(o, "spec", "forProvider", r.ref, "name")}
		if v := String(o, "spec", "forProvider", r.field); v != "" {
			values[r.field] = v
		}
	}
	apply := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"forProvider": values}}}
	apply.SetGroupVersionKind(o.GroupVersionKind())
	apply.SetName(o.GetName())
	// The API server is asked for the same outcome whether or not the object is valid without its other fields.
	return false, ignoreConflict(a.Client.Patch(ctx, apply, client.Apply, resolver, client.ForceOwnership)) //nolint:staticcheck // There are no typed apply configurations of these kinds.
}

func ignoreConflict(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (a *AWS) providerConfig(ctx context.Context, name string) bool {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: "aws.upbound.io", Version: "v1beta1", Kind: "ProviderConfig"})
	return a.Client.Get(ctx, client.ObjectKey{Name: name}, o) == nil
}

func (a *AWS) update(ctx context.Context, o *unstructured.Unstructured) error {
	return a.Client.Update(ctx, o, client.FieldOwner("provider-aws"))
}

// status is written only if it changed.
func (a *AWS) status(ctx context.Context, before, o *unstructured.Unstructured) error {
	if equal(before.Object["status"], o.Object["status"]) {
		return nil
	}
	return a.Client.Status().Update(ctx, o, client.FieldOwner("provider-aws"))
}

// tags that the providers give to everything that has tags.
func tags(o *unstructured.Unstructured) bool {
	if o.GetKind() == "RolePolicyAttachment" {
		return false
	}
	changed := false
	for k, v := range map[string]string{
		"crossplane-kind":           strings.ToLower(o.GetKind()) + "." + o.GroupVersionKind().Group,
		"crossplane-name":           o.GetName(),
		"crossplane-providerconfig": String(o, "spec", "providerConfigRef", "name"),
	} {
		if String(o, "spec", "forProvider", "tags", k) == "" {
			_ = unstructured.SetNestedField(o.Object, v, "spec", "forProvider", "tags", k)
			changed = true
		}
	}
	return changed
}

// lateInitialize what is unset with what AWS made of it.
func lateInitialize(o *unstructured.Unstructured) {
	set := func(field string, v any) {
		if _, ok, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "forProvider", field); !ok {
			_ = unstructured.SetNestedField(o.Object, v, "spec", "forProvider", field)
		}
	}
	switch o.GetKind() {
	case "Role":
		set("maxSessionDuration", int64(3600))
		set("path", "/")
	case "Policy":
		set("path", "/")
	}
}

func annotate(o *unstructured.Unstructured, k, v string) {
	as := o.GetAnnotations()
	if as == nil {
		as = map[string]string{}
	}
	as[k] = v
	o.SetAnnotations(as)
}

// String in an object; empty if it is not there.
func String(o *unstructured.Unstructured, fields ...string) string {
	s, _, _ := unstructured.NestedString(o.Object, fields...)
	return s
}

// Condition of an object.
func Condition(o *unstructured.Unstructured, typ string) map[string]any {
	cs, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range cs {
		if m, ok := c.(map[string]any); ok && m["type"] == typ {
			return m
		}
	}
	return map[string]any{}
}

// condition is set, with a new time if it changed.
func condition(o *unstructured.Unstructured, typ, status, reason, message string) {
	c := map[string]any{"type": typ, "status": status, "reason": reason, "lastTransitionTime": time.Now().UTC().Format(time.RFC3339)}
	if message != "" {
		c["message"] = message
	}
	cs, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for i, x := range cs {
		m, ok := x.(map[string]any)
		if !ok || m["type"] != typ {
			continue
		}
		if m["status"] == status {
			c["lastTransitionTime"] = m["lastTransitionTime"]
		}
		cs[i] = c
		_ = unstructured.SetNestedSlice(o.Object, cs, "status", "conditions")
		return
	}
	_ = unstructured.SetNestedSlice(o.Object, append(cs, c), "status", "conditions")
}

func equal(a, b any) bool {
	// What was set here and what the API server sent differ in the types of numbers.
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
