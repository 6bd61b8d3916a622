package identity

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// policies returns the statements that grant a service's permissions, and the documents that hold these.
func policies(at *field.Path, v *view.View, partition string, s *v1alpha1.Service, formerTarget string, a *Activation) ([]iam.Statement, []string, field.ErrorList) {
	p := s.Permissions
	if p == nil {
		p = &v1alpha1.Permissions{}
	}
	at = at.Child("permissions")
	statements, errs := granted(at, partition, s, p, a)
	statements = append(statements, generated(v.Spec, s, formerTarget)...)
	errs = append(errs, uniqueSIDs(at, p.Statements, statements)...)
	if len(errs) > 0 {
		return nil, nil, errs
	}
	if a.unknown() {
		found, documents := a.asTheyAre(v, s.Name)
		return append(statements, found...), documents, a.attachable(at, documents, p.ManagedPolicyARNs, attachments(v.Spec))
	}
	documents, errs := split(at, slices.Concat(statements, kept(v, s, p)), p.ManagedPolicyARNs, attachments(v.Spec))
	return statements, documents, errs
}

// granted returns the statements that a service's permissions name.
func granted(at *field.Path, partition string, s *v1alpha1.Service, p *v1alpha1.Permissions, a *Activation) ([]iam.Statement, field.ErrorList) {
	statements, errs := fromCatalogue(at, cmp.Or(partition, iam.DefaultPartition), s, p, a)
	for i, ps := range p.Statements {
		if len(errs) > view.MaxErrors {
			break
		}
		st := statement(ps)
		errs = append(errs, asErrors(at.Child("statements").Index(i), append(st.Check(statementNames), st.CheckARNs(statementNames, partition)...))...)
		statements = append(statements, st)
	}
	if p.PolicyDocument != "" {
		more, derrs := fromDocument(at.Child("policyDocument"), partition, p.PolicyDocument)
		statements, errs = append(statements, more...), append(errs, derrs...)
	}
	return statements, errs
}

// generated returns statements that let a provider assume the roles that the spec names.
func generated(spec *v1alpha1.PodIdentityProviderSpec, s *v1alpha1.Service, formerTarget string) []iam.Statement {
	var out []iam.Statement
	for _, target := range []string{s.TargetRoleARN, formerTarget} {
		if target != "" {
			out = append(out, iam.AssumeStatement(target, !isTrue(s.DisableSessionTags)))
		}
	}
	if pc := spec.ProviderConfig; pc != nil && len(pc.AssumeRoleChain) > 0 {
		// EKS's session tags are transitive: every role that is assumed needs to be allowed them.
		out = append(out, iam.AssumeStatement(pc.AssumeRoleChain[0].RoleARN, true))
	}
	return out
}

// kept returns the statement by which earlier versions neutralised what guardrails deny, if an existing policy has it and attached
// policies cannot be read: an upgrade leaves them as safe as they were. It is never added to a policy that lacks it, as AWS may refuse
// that policy, and attach the others anyway.
func kept(v *view.View, s *v1alpha1.Service, p *v1alpha1.Permissions) []iam.Statement {
	var denied []string
	for _, g := range v.Guardrails {
		for _, a := range g.DeniedActions {
			if !slices.Contains(denied, a) {
				denied = append(denied, a)
			}
		}
	}
	if len(denied) == 0 || len(p.ManagedPolicyARNs) == 0 {
		return nil
	}
	st := iam.Statement{Effect: iam.Deny, Action: denied, Resource: iam.StringSet{"*"}}
	for _, key := range v.ObservedWithPrefix(PolicyKey(s.Name)) {
		// The keys of a service with a longer name begin like this, too.
		if more := strings.TrimPrefix(key, PolicyKey(s.Name)); more != "" && more[0] != '.' {
			continue
		}
		if strings.Contains(v.Observed(key).String("spec", "forProvider", "policy"), st.String()) {
			return []iam.Statement{st}
		}
	}
	return nil
}

// attachments returns how many attachments a service's role can have for its permissions.
func attachments(spec *v1alpha1.PodIdentityProviderSpec) int {
	if spec.Sharing != nil {
		return iam.MaxAttachments - 1
	}
	return iam.MaxAttachments
}

// split divides statements into as many documents as AWS's limits allow: they are attached to one role with the existing policies.
func split(at *field.Path, statements []iam.Statement, managed []string, most int) ([]string, field.ErrorList) {
	if errs := attachable(at, min(1, len(statements)), managed, most); len(errs) > 0 {
		return nil, errs
	}
	if len(statements) == 0 {
		return nil, nil
	}
	ds, err := iam.Documents(statements, iam.MaxPolicySize, most-len(managed))
	if err != nil {
		return nil, field.ErrorList{field.Invalid(at, field.OmitValueType{}, err.Error())}
	}
	return ds, nil
}

// attachable checks that a role can have so many composed policies in addition to the existing ones.
func attachable(at *field.Path, composed int, managed []string, most int) field.ErrorList {
	n := len(managed)
	if n+composed <= most {
		return nil
	}
	err := field.TooMany(at.Child("managedPolicyArns"), n, max(0, most-composed))
	switch composed {
	case 0:
	case 1:
		err.Detail += fmt.Sprintf(", because the other permissions need at least one policy, and a role takes %d", most)
	default:
		err.Detail += fmt.Sprintf(", because the other permissions have %d policies, and a role takes %d", composed, most)
	}
	return field.ErrorList{err}
}

// fromCatalogue returns the statements that the access level stands for.
func fromCatalogue(at *field.Path, partition string, s *v1alpha1.Service, p *v1alpha1.Permissions, a *Activation) ([]iam.Statement, field.ErrorList) {
	entry, known := catalogue.Lookup(s.Name)
	if !known {
		// It brings its own permissions: validateService ensures that.
		return nil, nil
	}
	if p.Kinds != nil {
		return fromKinds(at, entry, partition, p, a)
	}
	switch accessLevel(p) {
	case v1alpha1.AccessFull:
		return entry.Full(partition), nil
	case v1alpha1.AccessReadOnly:
		return entry.ReadOnly(partition), nil
	case v1alpha1.AccessNone:
		return nil, nil
	}
	return nil, oneOf(at.Child("accessLevel"), p.AccessLevel, v1alpha1.AccessFull, v1alpha1.AccessReadOnly, v1alpha1.AccessNone)
}

// fromKinds returns the statements that the access level stands for, of some kinds of the service: those that are listed, or active.
func fromKinds(at *field.Path, entry catalogue.Service, partition string, p *v1alpha1.Permissions, a *Activation) ([]iam.Statement, field.ErrorList) {
	names, errs := []string(p.Kinds), validateKinds(at.Child("kinds"), entry, p.Kinds)
	if a != nil {
		names = a.Kinds
	}
	if len(errs) > 0 {
		return nil, errs
	}
	level := accessLevel(p)
	switch {
	case level != v1alpha1.AccessFull && level != v1alpha1.AccessReadOnly:
		return nil, field.ErrorList{field.Invalid(at.Child("accessLevel"), p.AccessLevel, "must be Full or ReadOnly where kinds narrow it: leave kinds out to grant nothing from the catalogue")}
	case a.unknown():
		return nil, nil
	case level == v1alpha1.AccessFull:
		return entry.FullOf(partition, names), nil
	default:
		return entry.ReadOnlyOf(partition, names), nil
	}
}

// accessLevel returns the desired access level. The default is Full, of the service or of its listed kinds. It is None for custom
// permissions without kinds: a narrow statement next to full access would narrow nothing.
func accessLevel(p *v1alpha1.Permissions) v1alpha1.AccessLevel {
	switch {
	case p.AccessLevel != "":
		return p.AccessLevel
	case ownPermissions(p) && p.Kinds == nil:
		return v1alpha1.AccessNone
	}
	return v1alpha1.AccessFull
}

// ServiceWide says whether permissions come from the catalogue, for the whole service.
func ServiceWide(p *v1alpha1.Permissions) bool {
	return p == nil || p.Kinds == nil && accessLevel(p) != v1alpha1.AccessNone
}

// ownPermissions says whether a service has custom permissions, in addition to those of the catalogue.
func ownPermissions(p *v1alpha1.Permissions) bool {
	return len(p.Statements) > 0 || p.PolicyDocument != "" || len(p.ManagedPolicyARNs) > 0
}

// statement converts a statement of the API to one of IAM.
func statement(s v1alpha1.Statement) iam.Statement {
	return iam.Statement{
		Sid:         s.SID,
		Effect:      cmp.Or(s.Effect, iam.Allow),
		Action:      s.Actions,
		NotAction:   s.NotActions,
		Resource:    s.Resources,
		NotResource: s.NotResources,
		Condition:   conditions(s.Conditions),
	}
}

func conditions(cs v1alpha1.Conditions) iam.Condition {
	if len(cs) == 0 {
		return nil
	}
	out := make(iam.Condition, len(cs))
	for op, keys := range cs {
		out[op] = make(map[string]iam.StringSet, len(keys))
		for key, values := range keys {
			out[op][key] = values
		}
	}
	return out
}

// statementNames are the names that the API gives to the elements of a statement.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var statementNames = iam.Names{
	Sid: "sid", Effect: "effect", Principal: "principal", Action: "actions", NotAction: "notActions",
	Resource: "resources", NotResource: "notResources", Condition: "conditions",
}

func fromDocument(at *field.Path, partition, s string) ([]iam.Statement, field.ErrorList) {
	d, err := iam.ParseDocument(s)
	if problems := (iam.DocumentError{}); errors.As(err, &problems) {
		return nil, asErrors(at, problems)
	}
	if err != nil {
		return nil, field.ErrorList{field.Invalid(at, field.OmitValueType{}, err.Error())}
	}
	return d.Statement, asErrors(at, d.CheckARNs(partition))
}

// asErrors returns the problems of a policy as errors, with the path of their field.
func asErrors(at *field.Path, problems []iam.Problem) field.ErrorList {
	errs := field.ErrorList{}
	for _, p := range problems {
		at := at
		if p.Element != "" {
			at = at.Child(p.Element)
		}
		errs = append(errs, field.Invalid(at, field.OmitValueType{}, p.Message))
	}
	return errs
}

// uniqueSIDs checks that no two statements of a policy have the same identifier. If the spec writes one of them out, the error names
// that one: the last, since the first is not to blame.
func uniqueSIDs(at *field.Path, own []v1alpha1.Statement, statements []iam.Statement) field.ErrorList {
	errs := field.ErrorList{}
	seen := map[string]bool{}
	for _, s := range statements {
		if s.Sid != "" && seen[s.Sid] {
			at := at.Child("statements")
			for i, mine := range slices.Backward(own) {
				if mine.SID == s.Sid {
					at = at.Index(i).Child("sid")
					break
				}
			}
			errs = append(errs, field.Duplicate(at, s.Sid))
		}
		seen[s.Sid] = true
	}
	return errs
}
