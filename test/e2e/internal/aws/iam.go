package aws

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	iampolicy "github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws/policy"
)

// Limits of IAM.
const (
	maxPolicies = 10
	maxVersions = 5
)

type role struct {
	name, path, id, arn, trust, description, boundary, maxSession string

	created  time.Time
	tags     map[string]string
	inline   map[string]string
	attached map[string]bool
}

type policy struct {
	name, path, id, arn, description string

	created  time.Time
	tags     map[string]string
	versions []*version
	last     int
}

type version struct {
	id, document string
	standard     bool
	created      time.Time
}

// managedPolicies of AWS, as far as scenarios use them.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var managedPolicies = map[string]string{
	"AdministratorAccess":    `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
	"AmazonS3ReadOnlyAccess": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:Describe*","s3-object-lambda:Get*","s3-object-lambda:List*"],"Resource":"*"}]}`,
	"AmazonSQSFullAccess":    `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`,
}

// documents that give a role its permissions.
func (s *Server) documents(r *role) []*iampolicy.Document {
	var out []*iampolicy.Document
	for arn := range r.attached {
		out = append(out, s.standard(arn)...)
	}
	for _, text := range r.inline {
		if d, err := iampolicy.Parse(text); err == nil {
			out = append(out, d)
		}
	}
	return out
}

// standard document of a policy: its default version.
func (s *Server) standard(arn string) []*iampolicy.Document {
	if p := s.policies[arn]; p != nil {
		for _, v := range p.versions {
			if d, err := iampolicy.Parse(v.document); v.standard && err == nil {
				return []*iampolicy.Document{d}
			}
		}
	}
	return nil
}

// iam operations. Each is about a role or a policy, and the caller must have the permission for it.
func (s *Server) iam(r *request, p url.Values) operation {
	action := p.Get("Action")
	switch {
	case action == "CreateRole":
		r.about(action, p.Get("RoleName"))
		return func() (any, *failure) { return s.createRole(r, p) }
	case action == "CreatePolicy":
		r.about(action, p.Get("PolicyName"))
		return func() (any, *failure) { return s.createPolicy(r, p) }
	case roleActions[action] != nil:
		r.about(action, p.Get("RoleName"))
		return func() (any, *failure) { return s.onRole(r, p) }
	case policyActions[action] != nil:
		arn := p.Get("PolicyArn")
		r.about(action, arn[strings.LastIndex(arn, "/")+1:])
		return func() (any, *failure) { return s.onPolicy(r, p) }
	}
	return nil
}

func (s *Server) onRole(r *request, p url.Values) (any, *failure) {
	x := s.roles[p.Get("RoleName")]
	// The path of a role that does not exist is unknown.
	arn := "arn:aws:iam::" + Account + ":role/" + p.Get("RoleName")
	keys := map[string]string{"iam:PolicyARN": p.Get("PolicyArn"), "iam:PermissionsBoundary": p.Get("PermissionsBoundary")}
	if x != nil {
		arn = x.arn
		if keys["iam:PermissionsBoundary"] == "" {
			keys["iam:PermissionsBoundary"] = x.boundary
		}
	}
	if f := s.allow(r, "iam:"+r.call.Action, arn, withTags(keys, tagsOf(p))); f != nil {
		return nil, f
	}
	if x == nil {
		return nil, failf(http.StatusNotFound, "NoSuchEntity", "The role with name %s cannot be found.", p.Get("RoleName"))
	}
	return answered(roleActions[r.call.Action](s, x, p))
}

func (s *Server) onPolicy(r *request, p url.Values) (any, *failure) {
	arn := p.Get("PolicyArn")
	if f := s.allow(r, "iam:"+r.call.Action, arn, withTags(nil, tagsOf(p))); f != nil {
		return nil, f
	}
	x := s.policies[arn]
	if x == nil {
		return nil, failf(http.StatusNotFound, "NoSuchEntity", "Policy %s was not found.", arn)
	}
	return answered(policyActions[r.call.Action](s, x, p))
}

func answered(text string, f *failure) (any, *failure) {
	if f != nil {
		return nil, f
	}
	return text, nil
}

// names of roles and policies.
var (
	roleName   = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	policyName = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
)

func malformed(document string) *failure {
	if _, err := iampolicy.Parse(document); err != nil {
		return failf(http.StatusBadRequest, "MalformedPolicyDocument", "This policy is malformed: %s", err)
	}
	return nil
}

func (s *Server) createRole(r *request, p url.Values) (any, *failure) {
	name, path := p.Get("RoleName"), orSlash(p.Get("Path"))
	arn := "arn:aws:iam::" + Account + ":role" + path + name
	if f := s.allow(r, "iam:CreateRole", arn, withTags(map[string]string{"iam:PermissionsBoundary": p.Get("PermissionsBoundary")}, tagsOf(p))); f != nil {
		return nil, f
	}
	if f := s.mayTag(r, "iam:TagRole", arn, tagsOf(p)); f != nil {
		return nil, f
	}
	if !roleName.MatchString(name) {
		return nil, failf(http.StatusBadRequest, "ValidationError", "The specified value for roleName is invalid.")
	}
	if f := malformed(p.Get("AssumeRolePolicyDocument")); f != nil {
		return nil, f
	}
	if s.roles[name] != nil {
		return nil, failf(http.StatusConflict, "EntityAlreadyExists", "Role with name %s already exists.", name)
	}
	x := s.newRole(name, path, p.Get("AssumeRolePolicyDocument"))
	x.description, x.boundary, x.tags = p.Get("Description"), p.Get("PermissionsBoundary"), tagsOf(p)
	if p.Has("MaxSessionDuration") {
		x.maxSession = p.Get("MaxSessionDuration")
	}
	return x.xml(), nil
}

func (s *Server) newRole(name, path, trust string) *role {
	x := &role{
		name: name, path: path, id: s.id("AROA", 17), arn: "arn:aws:iam::" + Account + ":role" + path + name, trust: trust, maxSession: "3600",
		created: time.Now(), tags: map[string]string{}, inline: map[string]string{}, attached: map[string]bool{},
	}
	s.roles[name] = x
	return x
}

// mayTag is nil if the caller may tag what it creates.
func (s *Server) mayTag(r *request, action, arn string, tags map[string]string) *failure {
	if len(tags) == 0 {
		return nil
	}
	return s.allow(r, action, arn, withTags(nil, tags))
}

func (s *Server) createPolicy(r *request, p url.Values) (any, *failure) {
	name, path := p.Get("PolicyName"), orSlash(p.Get("Path"))
	arn := "arn:aws:iam::" + Account + ":policy" + path + name
	if f := s.allow(r, "iam:CreatePolicy", arn, withTags(nil, tagsOf(p))); f != nil {
		return nil, f
	}
	if f := s.mayTag(r, "iam:TagPolicy", arn, tagsOf(p)); f != nil {
		return nil, f
	}
	if !policyName.MatchString(name) {
		return nil, failf(http.StatusBadRequest, "ValidationError", "The specified value for policyName is invalid.")
	}
	if f := malformed(p.Get("PolicyDocument")); f != nil {
		return nil, f
	}
	for _, x := range s.policies {
		if x.name == name && !strings.HasPrefix(x.arn, "arn:aws:iam::aws:") {
			return nil, failf(http.StatusConflict, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", name)
		}
	}
	x := &policy{
		name: name, path: path, id: s.id("ANPA", 17), arn: arn, description: p.Get("Description"), created: time.Now(), tags: tagsOf(p), last: 1,
		versions: []*version{{id: "v1", document: p.Get("PolicyDocument"), standard: true, created: time.Now()}},
	}
	s.policies[arn] = x
	return s.policyXML(x), nil
}

func orSlash(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

func (x *role) xml() string {
	boundary := ""
	if x.boundary != "" {
		boundary = el("PermissionsBoundary", text("PermissionsBoundaryType", "Policy"), text("PermissionsBoundaryArn", x.boundary))
	}
	return el("Role", text("Path", x.path), text("RoleName", x.name), text("RoleId", x.id), text("Arn", x.arn), text("CreateDate", stamp(x.created)),
		text("AssumeRolePolicyDocument", quoted(x.trust)), optional("Description", x.description), text("MaxSessionDuration", x.maxSession), boundary, tagList(x.tags), el("RoleLastUsed"))
}

func (s *Server) policyXML(x *policy) string {
	standard := ""
	for _, v := range x.versions {
		if v.standard {
			standard = v.id
		}
	}
	return el("Policy", text("PolicyName", x.name), text("PolicyId", x.id), text("Arn", x.arn), text("Path", x.path), text("DefaultVersionId", standard),
		text("AttachmentCount", strconv.Itoa(s.attachments(x.arn))), text("PermissionsBoundaryUsageCount", "0"), text("IsAttachable", "true"),
		optional("Description", x.description), text("CreateDate", stamp(x.created)), text("UpdateDate", stamp(x.created)), tagList(x.tags))
}

// attachments of a policy to roles.
func (s *Server) attachments(arn string) int {
	n := 0
	for _, r := range s.roles {
		if r.attached[arn] {
			n++
		}
	}
	return n
}

func (v *version) xml(document bool) string {
	d := ""
	if document {
		d = text("Document", quoted(v.document))
	}
	return d + text("VersionId", v.id) + text("IsDefaultVersion", strconv.FormatBool(v.standard)) + text("CreateDate", stamp(v.created))
}

func drop(tags map[string]string, keys []string) {
	for _, k := range keys {
		delete(tags, k)
	}
}

// roleActions by name. Each gets the role, which exists.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var roleActions = map[string]func(*Server, *role, url.Values) (string, *failure){
	"GetRole": func(_ *Server, x *role, _ url.Values) (string, *failure) { return x.xml(), nil },
	"DeleteRole": func(s *Server, x *role, _ url.Values) (string, *failure) {
		switch {
		case len(x.attached) > 0:
			return "", failf(http.StatusConflict, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
		case len(x.inline) > 0:
			return "", failf(http.StatusConflict, "DeleteConflict", "Cannot delete entity, must delete policies first.")
		}
		delete(s.roles, x.name)
		return "", nil
	},
	"UpdateRole": func(_ *Server, x *role, p url.Values) (string, *failure) {
		if p.Has("Description") {
			x.description = p.Get("Description")
		}
		if p.Has("MaxSessionDuration") {
			x.maxSession = p.Get("MaxSessionDuration")
		}
		return "", nil
	},
	"UpdateRoleDescription": func(_ *Server, x *role, p url.Values) (string, *failure) {
		x.description = p.Get("Description")
		return x.xml(), nil
	},
	"UpdateAssumeRolePolicy": func(_ *Server, x *role, p url.Values) (string, *failure) {
		f := malformed(p.Get("PolicyDocument"))
		if f == nil {
			x.trust = p.Get("PolicyDocument")
		}
		return "", f
	},
	"PutRolePermissionsBoundary": func(_ *Server, x *role, p url.Values) (string, *failure) {
		x.boundary = p.Get("PermissionsBoundary")
		return "", nil
	},
	"DeleteRolePermissionsBoundary": func(_ *Server, x *role, _ url.Values) (string, *failure) {
		x.boundary = ""
		return "", nil
	},
	"ListRolePolicies": func(_ *Server, x *role, _ url.Values) (string, *failure) {
		return list("PolicyNames", sorted(x.inline)), nil
	},
	"PutRolePolicy": func(_ *Server, x *role, p url.Values) (string, *failure) {
		f := malformed(p.Get("PolicyDocument"))
		if f == nil {
			x.inline[p.Get("PolicyName")] = p.Get("PolicyDocument")
		}
		return "", f
	},
	"GetRolePolicy": func(_ *Server, x *role, p url.Values) (string, *failure) {
		document, ok := x.inline[p.Get("PolicyName")]
		if !ok {
			return "", failf(http.StatusNotFound, "NoSuchEntity", "The role policy with name %s cannot be found.", p.Get("PolicyName"))
		}
		return text("RoleName", x.name) + text("PolicyName", p.Get("PolicyName")) + text("PolicyDocument", quoted(document)), nil
	},
	"DeleteRolePolicy": func(_ *Server, x *role, p url.Values) (string, *failure) {
		delete(x.inline, p.Get("PolicyName"))
		return "", nil
	},
	"ListAttachedRolePolicies": func(_ *Server, x *role, _ url.Values) (string, *failure) {
		var members []string
		for _, arn := range sorted(x.attached) {
			members = append(members, text("PolicyName", arn[strings.LastIndex(arn, "/")+1:])+text("PolicyArn", arn))
		}
		return list("AttachedPolicies", members), nil
	},
	"AttachRolePolicy": func(s *Server, x *role, p url.Values) (string, *failure) {
		arn := p.Get("PolicyArn")
		switch {
		case s.policies[arn] == nil:
			return "", failf(http.StatusNotFound, "NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
		case len(x.attached) >= maxPolicies && !x.attached[arn]:
			return "", failf(http.StatusConflict, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", maxPolicies)
		}
		x.attached[arn] = true
		return "", nil
	},
	"DetachRolePolicy": func(_ *Server, x *role, p url.Values) (string, *failure) {
		arn := p.Get("PolicyArn")
		if !x.attached[arn] {
			return "", failf(http.StatusNotFound, "NoSuchEntity", "Policy %s was not found.", arn)
		}
		delete(x.attached, arn)
		return "", nil
	},
	"ListInstanceProfilesForRole": func(*Server, *role, url.Values) (string, *failure) { return list("InstanceProfiles", nil), nil },
	"ListRoleTags": func(_ *Server, x *role, _ url.Values) (string, *failure) {
		return tagList(x.tags) + text("IsTruncated", "false"), nil
	},
	"TagRole": func(_ *Server, x *role, p url.Values) (string, *failure) {
		maps.Copy(x.tags, tagsOf(p))
		return "", nil
	},
	"UntagRole": func(_ *Server, x *role, p url.Values) (string, *failure) {
		drop(x.tags, membersOf(p, "TagKeys"))
		return "", nil
	},
}

// policyActions by name. Each gets the policy, which exists.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var policyActions = map[string]func(*Server, *policy, url.Values) (string, *failure){
	"GetPolicy": func(s *Server, x *policy, _ url.Values) (string, *failure) { return s.policyXML(x), nil },
	"DeletePolicy": func(s *Server, x *policy, _ url.Values) (string, *failure) {
		switch {
		case s.attachments(x.arn) > 0:
			return "", failf(http.StatusConflict, "DeleteConflict", "Cannot delete a policy attached to entities.")
		case len(x.versions) > 1:
			return "", failf(http.StatusConflict, "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		delete(s.policies, x.arn)
		return "", nil
	},
	"ListPolicyVersions": func(_ *Server, x *policy, _ url.Values) (string, *failure) {
		var members []string
		for _, v := range x.versions {
			members = append(members, v.xml(false))
		}
		return list("Versions", members), nil
	},
	"GetPolicyVersion": func(_ *Server, x *policy, p url.Values) (string, *failure) {
		i, f := x.version(p)
		if f != nil {
			return "", f
		}
		return el("PolicyVersion", x.versions[i].xml(true)), nil
	},
	"CreatePolicyVersion": func(_ *Server, x *policy, p url.Values) (string, *failure) {
		if f := malformed(p.Get("PolicyDocument")); f != nil {
			return "", f
		}
		if len(x.versions) >= maxVersions {
			return "", failf(http.StatusConflict, "LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		x.last++
		v := &version{id: fmt.Sprintf("v%d", x.last), document: p.Get("PolicyDocument"), created: time.Now()}
		x.versions = append(x.versions, v)
		if p.Get("SetAsDefault") == "true" {
			x.makeStandard(len(x.versions) - 1)
		}
		return el("PolicyVersion", v.xml(false)), nil
	},
	"SetDefaultPolicyVersion": func(_ *Server, x *policy, p url.Values) (string, *failure) {
		i, f := x.version(p)
		if f == nil {
			x.makeStandard(i)
		}
		return "", f
	},
	"DeletePolicyVersion": func(_ *Server, x *policy, p url.Values) (string, *failure) {
		i, f := x.version(p)
		switch {
		case f != nil:
			return "", f
		case x.versions[i].standard:
			return "", failf(http.StatusConflict, "DeleteConflict", "Cannot delete the default version of a policy.")
		}
		x.versions = append(x.versions[:i:i], x.versions[i+1:]...)
		return "", nil
	},
	"ListPolicyTags": func(_ *Server, x *policy, _ url.Values) (string, *failure) {
		return tagList(x.tags) + text("IsTruncated", "false"), nil
	},
	"TagPolicy": func(_ *Server, x *policy, p url.Values) (string, *failure) {
		maps.Copy(x.tags, tagsOf(p))
		return "", nil
	},
	"UntagPolicy": func(_ *Server, x *policy, p url.Values) (string, *failure) {
		drop(x.tags, membersOf(p, "TagKeys"))
		return "", nil
	},
}

func (x *policy) makeStandard(i int) {
	for j, v := range x.versions {
		v.standard = i == j
	}
}

// version that a request names.
func (x *policy) version(p url.Values) (int, *failure) {
	for i, v := range x.versions {
		if v.id == p.Get("VersionId") {
			return i, nil
		}
	}
	return 0, failf(http.StatusNotFound, "NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", x.arn, p.Get("VersionId"))
}
