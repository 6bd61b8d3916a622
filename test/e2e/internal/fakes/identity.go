package fakes

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// hour is how long sessions of a role last, unless its spec says otherwise.
const hour = int64(3600)

// An external is the AWS resource of a managed resource, and the calls that change it.
type external struct {
	service string
	// at is the AWS resource, as the status has it. Nil if there is none.
	at map[string]any
	// ready is when its creation is over.
	ready time.Time
	// updates that make it what the spec says. immutable is the difference that no call can make.
	updates   []call
	immutable string
	creation  call
	deletion  []call
}

// look at the AWS resource of a managed resource.
func (a *AWS) look(o *unstructured.Unstructured) external {
	f := fields{o}
	switch o.GetKind() {
	case "Role":
		return a.lookAtRole(f, o.GetAnnotations()[externalName])
	case "Policy":
		return a.lookAtPolicy(f, o.GetAnnotations()[externalName])
	case "RolePolicyAttachment":
		return a.lookAtAttachment(f)
	case "PodIdentityAssociation":
		return a.lookAtAssociation(f)
	}
	return external{}
}

// fields of the spec of a managed resource.
type fields struct{ *unstructured.Unstructured }

func (f fields) text(name string) string { return String(f.Unstructured, "spec", "forProvider", name) }

// document in the form that Terraform gives it.
func (f fields) document(name string) string { return normalized(f.text(name)) }

func normalized(document string) string {
	var x any
	if json.Unmarshal([]byte(document), &x) != nil {
		return document
	}
	b, err := json.Marshal(x)
	if err != nil {
		return document
	}
	return string(b)
}

func (f fields) tags() map[string]any {
	tags, ok, _ := unstructured.NestedMap(f.Object, "spec", "forProvider", "tags")
	if !ok {
		return map[string]any{}
	}
	return tags
}

func (f fields) path() string { return cmp.Or(f.text("path"), "/") }

func roleARN(path, name string) string { return "arn:aws:iam::" + Account + ":role" + path + name }

// done is a call that AWS does not refuse.
func done(about, action, resource string, do func()) call {
	return call{about, action, resource, func() *refusal {
		do()
		return nil
	}}
}

// tagging are the calls that make tags what they should be.
func tagging(about, resource, tag, untag string, is, want map[string]any) []call {
	var out []call
	lost := func(k string, _ any) bool { return want[k] == nil }
	kept := maps.Clone(is)
	maps.DeleteFunc(kept, lost)
	if len(kept) < len(is) {
		out = append(out, done(about+": untagging resource ("+resource+")", untag, resource, func() { maps.DeleteFunc(is, lost) }))
	}
	if !maps.Equal(kept, want) {
		out = append(out, done(about+": tagging resource ("+resource+")", tag, resource, func() { maps.Copy(is, want) }))
	}
	return out
}

func (a *AWS) lookAtRole(f fields, name string) external {
	session, _, _ := unstructured.NestedInt64(f.Object, "spec", "forProvider", "maxSessionDuration")
	session = cmp.Or(session, hour)
	about := "updating IAM Role (" + name + ")"
	r := a.roles[name]
	if r == nil {
		return external{service: "iam", creation: done("creating IAM Role ("+name+")", "CreateRole", name, func() {
			now := time.Now()
			a.roles[name] = &role{
				id: a.newID("AROA"), path: f.path(), trust: f.document("assumeRolePolicy"), description: f.text("description"), boundary: f.text("permissionsBoundary"),
				maxSession: session, created: now.UTC(), ready: now.Add(a.Latency), tags: f.tags(), attached: map[string]bool{},
			}
		})}
	}
	x := external{service: "iam", ready: r.ready, at: map[string]any{
		"arn": roleARN(r.path, name), "id": name, "path": r.path, "assumeRolePolicy": r.trust, "description": r.description, "maxSessionDuration": r.maxSession,
		"permissionsBoundary": r.boundary, "createDate": r.created.Format(time.RFC3339), "uniqueId": r.id, "tags": r.tags, "tagsAll": r.tags,
	}}
	if !observed(f.Unstructured) {
		x.at["forceDetachPolicies"] = false
	}
	if len(r.attached) > 0 {
		x.at["managedPolicyArns"] = texts(slices.Sorted(maps.Keys(r.attached)))
	}
	x.updates = tagging("updating tags for IAM (Identity & Access Management) Role ("+name+")", name, "TagRole", "UntagRole", r.tags, f.tags())
	if v := f.document("assumeRolePolicy"); v != r.trust {
		x.updates = append(x.updates, done(about+" assume role policy", "UpdateAssumeRolePolicy", name, func() { r.trust = v }))
	}
	if v := f.text("description"); v != r.description {
		x.updates = append(x.updates, done(about+" description", "UpdateRoleDescription", name, func() { r.description = v }))
	}
	if session != r.maxSession {
		x.updates = append(x.updates, done(about+" MaxSessionDuration", "UpdateRole", name, func() { r.maxSession = session }))
	}
	if v := f.text("permissionsBoundary"); v != r.boundary {
		action := "PutRolePermissionsBoundary"
		if v == "" {
			action = "DeleteRolePermissionsBoundary"
		}
		x.updates = append(x.updates, done(about+" permissions boundary", action, name, func() { r.boundary = v }))
	}
	if f.path() != r.path {
		x.immutable = replaced("path", r.path, f.path())
	}
	// The provider detaches what is attached first.
	about = "deleting IAM Role (" + name + ")"
	for _, arn := range slices.Sorted(maps.Keys(r.attached)) {
		x.deletion = append(x.deletion, done(about, "DetachRolePolicy", name, func() { delete(r.attached, arn) }))
	}
	x.deletion = append(x.deletion, done(about, "DeleteRole", name, func() { delete(a.roles, name) }))
	return x
}

// replaced is the provider's message for a change that AWS cannot make.
func replaced(field, is, want string) string {
	return fmt.Sprintf("refuse to update the external resource because the following update requires replacing it: cannot change the value of the argument %q from %q to %q", field, is, want)
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func (a *AWS) lookAtPolicy(f fields, name string) external {
	arn := "arn:aws:iam::" + Account + ":policy" + f.path() + name
	p := a.policies[arn]
	if p == nil {
		return external{service: "iam", creation: done("creating IAM Policy ("+name+")", "CreatePolicy", name, func() {
			a.policies[arn] = &policy{
				id: a.newID("ANPA"), name: name, path: f.path(), document: f.document("policy"), description: f.text("description"), ready: time.Now().Add(a.Latency), tags: f.tags(),
			}
		})}
	}
	x := external{service: "iam", ready: p.ready, at: map[string]any{
		"arn": arn, "id": arn, "path": p.path, "policy": p.document, "description": p.description, "policyId": p.id, "tags": p.tags, "tagsAll": p.tags,
		"attachmentCount": a.attachments(arn),
	}}
	x.updates = tagging("updating tags for IAM (Identity & Access Management) Policy ("+arn+")", name, "TagPolicy", "UntagPolicy", p.tags, f.tags())
	if v := f.document("policy"); v != p.document {
		x.updates = append(x.updates, done("updating IAM Policy ("+arn+")", "CreatePolicyVersion", name, func() {
			p.document = v
			p.versions++
		}))
	}
	for range p.versions {
		x.deletion = append(x.deletion, done("deleting IAM Policy ("+arn+") version", "DeletePolicyVersion", name, func() { p.versions-- }))
	}
	x.deletion = append(x.deletion, call{"deleting IAM Policy (" + arn + ")", "DeletePolicy", name, func() *refusal {
		if a.attachments(arn) > 0 {
			return &refusal{http.StatusConflict, "DeleteConflict", "Cannot delete a policy attached to entities."}
		}
		delete(a.policies, arn)
		return nil
	}})
	return x
}

// attachments of a policy to roles.
func (a *AWS) attachments(arn string) int64 {
	n := int64(0)
	for _, r := range a.roles {
		if r.attached[arn] {
			n++
		}
	}
	return n
}

func (a *AWS) lookAtAttachment(f fields) external {
	name, arn := f.text("role"), f.text("policyArn")
	r := a.roles[name]
	if r == nil || !r.attached[arn] {
		return external{service: "iam", creation: call{"attaching IAM Policy (" + arn + ") to IAM Role (" + name + ")", "AttachRolePolicy", name, func() *refusal {
			if r == nil {
				return &refusal{http.StatusNotFound, "NoSuchEntity", "The role with name " + name + " cannot be found."}
			}
			r.attached[arn] = true
			return nil
		}}}
	}
	return external{
		service: "iam", at: map[string]any{"id": name + "/" + arn, "role": name, "policyArn": arn},
		deletion: []call{done("detaching IAM Policy ("+arn+") from IAM Role ("+name+")", "DetachRolePolicy", name, func() { delete(r.attached, arn) })},
	}
}

func (a *AWS) lookAtAssociation(f fields) external {
	key := associationKey(f.text("clusterName"), f.text("namespace"), f.text("serviceAccount"))
	noTags, _, _ := unstructured.NestedBool(f.Object, "spec", "forProvider", "disableSessionTags")
	x := a.associations[key]
	// It is looked for by its ID alone. The object that created it knows the ID, even if the write of it got lost.
	if x == nil || x.id != f.GetAnnotations()[externalName] && x.by != f.GetUID() {
		return external{service: "eks", creation: call{"creating EKS Pod Identity Association", "CreatePodIdentityAssociation", key, func() *refusal {
			if x != nil {
				return &refusal{http.StatusConflict, "ResourceInUseException", "Association already exists: " + x.id}
			}
			a.associations[key] = &association{id: a.newID("a-"), role: f.text("roleArn"), noSessionTags: noTags, ready: time.Now().Add(a.Latency), tags: f.tags(), by: f.GetUID()}
			return nil
		}}}
	}
	arn := fmt.Sprintf("arn:aws:eks:%s:%s:podidentityassociation/%s/%s", f.text("region"), Account, f.text("clusterName"), x.id)
	out := external{service: "eks", ready: x.ready, at: map[string]any{
		"associationId": x.id, "id": x.id, "associationArn": arn, "roleArn": x.role, "clusterName": f.text("clusterName"), "namespace": f.text("namespace"),
		"serviceAccount": f.text("serviceAccount"), "region": f.text("region"), "disableSessionTags": x.noSessionTags, "tags": x.tags, "tagsAll": x.tags,
	}}
	if v := f.text("roleArn"); v != x.role || noTags != x.noSessionTags {
		out.updates = append(out.updates, done("updating EKS Pod Identity Association ("+x.id+")", "UpdatePodIdentityAssociation", key, func() { x.role, x.noSessionTags = v, noTags }))
	}
	out.updates = append(out.updates, tagging("updating tags for EKS (Elastic Kubernetes) Pod Identity Association ("+arn+")", key, "TagResource", "UntagResource", x.tags, f.tags())...)
	out.deletion = []call{done("deleting EKS Pod Identity Association ("+x.id+")", "DeletePodIdentityAssociation", key, func() { delete(a.associations, key) })}
	return out
}

// attempt calls until AWS refuses one. It returns the provider's message for that, in the form of the Terraform SDK in which the kind is
// written.
func (a *AWS) attempt(verb, service string, calls ...call) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range calls {
		m := a.do(service, c)
		switch {
		case m == "":
		case service == "eks":
			return "resource " + strings.NewReplacer("create", "creation", "delete", "deletion").Replace(verb) + " call returned error diags: " + m
		default:
			return "failed to " + verb + " the resource: [{0 " + m + "  []}]"
		}
	}
	return ""
}
