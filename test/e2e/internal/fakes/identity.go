package fakes

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// missing says whether AWS does not have what a managed resource stands for.
func (a *AWS) missing(o *unstructured.Unstructured) bool {
	name := o.GetAnnotations()[externalName]
	p := func(f string) string { return String(o, "spec", "forProvider", f) }
	switch o.GetKind() {
	case "Role":
		return a.roles[name] == nil
	case "Policy":
		return a.policies[policyARN(o)] == nil
	case "RolePolicyAttachment":
		r := a.roles[p("role")]
		return r == nil || !r.attached[p("policyArn")]
	case "PodIdentityAssociation":
		// It is looked for by its id alone.
		x := a.associations[associationKey(p("clusterName"), p("namespace"), p("serviceAccount"))]
		return x == nil || x.id != name
	}
	return false
}

func policyARN(o *unstructured.Unstructured) string {
	return "arn:aws:iam::" + Account + ":policy" + pathOf(o) + o.GetAnnotations()[externalName]
}

func pathOf(o *unstructured.Unstructured) string {
	return cmp.Or(String(o, "spec", "forProvider", "path"), "/")
}

func tagsOf(o *unstructured.Unstructured) map[string]any {
	tags, _, _ := unstructured.NestedMap(o.Object, "spec", "forProvider", "tags")
	return tags
}

// sync an object with AWS. The answer is what AWS has, or its error.
//
//nolint:funlen,gocognit // Four kinds, one after the other.
func (a *AWS) sync(o *unstructured.Unstructured) (at map[string]any, ready bool, message string) {
	now, updates := time.Now(), allows(o, "Update")
	name, path := o.GetAnnotations()[externalName], pathOf(o)
	p := func(f ...string) string { return String(o, append([]string{"spec", "forProvider"}, f...)...) }
	switch o.GetKind() {
	case "Role":
		r := a.roles[name]
		if r == nil {
			if m := a.error(o); m != "" {
				return nil, false, m
			}
			r = &role{trust: p("assumeRolePolicy"), created: now.UTC(), ready: now.Add(a.Latency), tags: tagsOf(o), attached: map[string]bool{}}
			a.roles[name] = r
			a.callf("CreateRole %s", name)
		}
		if updates && r.trust != p("assumeRolePolicy") {
			r.trust = p("assumeRolePolicy")
			a.callf("UpdateAssumeRolePolicy %s", name)
		}
		if updates {
			r.tags = tagsOf(o)
		}
		return map[string]any{
			"arn": "arn:aws:iam::" + Account + ":role" + path + name, "id": name, "path": path, "assumeRolePolicy": r.trust, "tagsAll": r.tags,
			"createDate": r.created.Format(time.RFC3339), "uniqueId": "AROA" + strings.ToUpper(fmt.Sprintf("%x", name))[:12],
		}, now.After(r.ready), ""
	case "Policy":
		arn := policyARN(o)
		x := a.policies[arn]
		if x == nil {
			if m := a.error(o); m != "" {
				return nil, false, m
			}
			x = &policy{document: p("policy"), ready: now.Add(a.Latency), tags: tagsOf(o)}
			a.policies[arn] = x
			a.callf("CreatePolicy %s", name)
		}
		if updates && x.document != p("policy") {
			x.document = p("policy")
			a.callf("CreatePolicyVersion %s", name)
		}
		if updates {
			x.tags = tagsOf(o)
		}
		return map[string]any{"arn": arn, "id": arn, "path": path, "policy": x.document, "tagsAll": x.tags, "attachmentCount": a.attachments(arn)}, now.After(x.ready), ""
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
		key := associationKey(p("clusterName"), p("namespace"), p("serviceAccount"))
		x := a.associations[key]
		switch {
		case x == nil:
			if m := a.error(o); m != "" {
				return nil, false, m
			}
			x = &association{id: a.newID(), role: p("roleArn"), ready: now.Add(a.Latency), by: o.GetUID()}
			a.associations[key] = x
			a.callf("CreatePodIdentityAssociation %s", key)
		case x.id != name && x.by != o.GetUID():
			return nil, false, fmt.Sprintf("resource creation call returned error diags: creating EKS Pod Identity Association: operation error EKS: CreatePodIdentityAssociation, https response error StatusCode: 409, RequestID: %s, ResourceInUseException: Association already exists: %s", a.requestID(), x.id)
		}
		// Also where the write of that got lost.
		annotate(o, externalName, x.id)
		if updates && x.role != p("roleArn") {
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

func (a *AWS) remove(o *unstructured.Unstructured) string {
	name := o.GetAnnotations()[externalName]
	p := func(f string) string { return String(o, "spec", "forProvider", f) }
	switch o.GetKind() {
	case "Role":
		// The real provider detaches what is attached first.
		if r := a.roles[name]; r != nil {
			for range r.attached {
				a.callf("DetachRolePolicy %s", name)
			}
			delete(a.roles, name)
			a.callf("DeleteRole %s", name)
		}
	case "Policy":
		arn := String(o, "status", "atProvider", "arn")
		if a.attachments(arn) > 0 {
			return fmt.Sprintf("failed to delete the resource: [{0 deleting IAM Policy (%s): operation error IAM: DeletePolicy, https response error StatusCode: 409, RequestID: %s, DeleteConflict: Cannot delete a policy attached to entities.  []}]", arn, a.requestID())
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
		key := associationKey(p("clusterName"), p("namespace"), p("serviceAccount"))
		if x := a.associations[key]; x != nil && x.id == name {
			delete(a.associations, key)
			a.callf("DeletePodIdentityAssociation %s", key)
		}
	}
	return ""
}
