package identity

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// policies that grant a service's permissions.
func policies(at *field.Path, spec *v1alpha1.PodIdentityProviderSpec, s *v1alpha1.Service) ([]string, field.ErrorList) {
	p := s.Permissions
	if p == nil {
		p = &v1alpha1.Permissions{}
	}
	at = at.Child("permissions")
	statements, errs := fromCatalogue(at, s, p)
	for i, ps := range p.Statements {
		st := statement(ps)
		for _, problem := range st.Problems() {
			errs = append(errs, field.Invalid(at.Child("statements").Index(i), field.OmitValueType{}, problem))
		}
		statements = append(statements, st)
	}
	if p.PolicyDocument != "" {
		more, derrs := fromDocument(at.Child("policyDocument"), p.PolicyDocument)
		statements, errs = append(statements, more...), append(errs, derrs...)
	}
	if pc := spec.ProviderConfig; pc != nil && len(pc.AssumeRoleChain) > 0 {
		statements = append(statements, iam.Statement{
			Effect: iam.Allow, Action: iam.StringSet{"sts:AssumeRole", "sts:TagSession"}, Resource: iam.StringSet{pc.AssumeRoleChain[0].RoleARN},
		})
	}
	errs = append(errs, uniqueSIDs(at, statements)...)
	if len(errs) > 0 || len(statements) == 0 {
		return nil, errs
	}
	doc := iam.NewDocument(statements...).String()
	if n := iam.Size(doc); n > iam.MaxPolicySize {
		return nil, field.ErrorList{field.Invalid(at, field.OmitValueType{}, fmt.Sprintf("the policy has %d characters, AWS allows %d: use wildcards, or attach an existing policy with managedPolicyArns", n, iam.MaxPolicySize))}
	}
	if n := 1 + len(p.ManagedPolicyARNs); n > iam.MaxAttachments {
		return nil, field.ErrorList{field.TooMany(at.Child("managedPolicyArns"), len(p.ManagedPolicyARNs), iam.MaxAttachments-1)}
	}
	return []string{doc}, nil
}

// fromCatalogue returns the statements that the access level stands for.
func fromCatalogue(at *field.Path, s *v1alpha1.Service, p *v1alpha1.Permissions) ([]iam.Statement, field.ErrorList) {
	entry, known := catalogue.Lookup(s.Name)
	if !known {
		// It brings its own permissions: validateService sees to that.
		return nil, nil
	}
	var actions []string
	switch or(p.AccessLevel, v1alpha1.AccessFull) {
	case v1alpha1.AccessFull:
		actions = entry.Full()
	case v1alpha1.AccessReadOnly:
		actions = entry.ReadOnly()
	case v1alpha1.AccessNone:
		return nil, nil
	default:
		return nil, oneOf(at.Child("accessLevel"), p.AccessLevel, v1alpha1.AccessFull, v1alpha1.AccessReadOnly, v1alpha1.AccessNone)
	}
	return []iam.Statement{{Effect: iam.Allow, Action: actions, Resource: iam.StringSet{"*"}}}, nil
}

// statement of the API as one of IAM.
func statement(s v1alpha1.Statement) iam.Statement {
	return iam.Statement{
		Sid:         s.SID,
		Effect:      or(s.Effect, iam.Allow),
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

func fromDocument(at *field.Path, s string) ([]iam.Statement, field.ErrorList) {
	d, err := iam.ParseDocument(s)
	if err != nil {
		return nil, field.ErrorList{field.Invalid(at, field.OmitValueType{}, err.Error())}
	}
	errs := field.ErrorList{}
	for i, st := range d.Statement {
		for _, problem := range st.Problems() {
			errs = append(errs, field.Invalid(at.Child("Statement").Index(i), field.OmitValueType{}, problem))
		}
	}
	return d.Statement, errs
}

// uniqueSIDs checks that no two statements of a policy have the same identifier.
func uniqueSIDs(at *field.Path, statements []iam.Statement) field.ErrorList {
	errs := field.ErrorList{}
	seen := map[string]bool{}
	for _, s := range statements {
		if s.Sid != "" && seen[s.Sid] {
			errs = append(errs, field.Duplicate(at.Child("statements"), s.Sid))
		}
		seen[s.Sid] = true
	}
	return errs
}
