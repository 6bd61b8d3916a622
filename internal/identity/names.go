package identity

import (
	"fmt"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// AnnotationExternalName is the name of a managed resource in AWS.
const AnnotationExternalName = "crossplane.io/external-name"

// AnnotationImported on an association remembers its id if it was imported or adopted, and not created by the provider.
const AnnotationImported = v1alpha1.Group + "/imported"

// ProviderConfigKey is the composition-resource name of the ProviderConfig.
const ProviderConfigKey = "providerconfig"

// MaxProviderConfigName is the maximum length of a ProviderConfig's name: a label with that name tracks its users.
// https://github.com/crossplane/crossplane-runtime/blob/v2.2.0/pkg/resource/providerconfig.go
const MaxProviderConfigName = 63

// AgentKey is the composition-resource name of the EKS add-on.
const AgentKey = "agent"

// FamilyKey is the composition-resource name of the provider family's Provider.
const FamilyKey = "family"

// RoleKey is the composition-resource name of a service's role.
func RoleKey(service string) string { return "role/" + service }

// PolicyKey is the composition-resource name of a service's first policy. Those of the others end in a dot and a number.
func PolicyKey(service string) string { return "policy/" + service }

// AssociationKey is the composition-resource name of a service's association.
func AssociationKey(service string) string { return "association/" + service }

// ProviderKey is the composition-resource name of a service's Provider.
func ProviderKey(service string) string { return "provider/" + service }

// RuntimeConfigKey is the composition-resource name of a service's DeploymentRuntimeConfig.
func RuntimeConfigKey(service string) string { return "runtimeconfig/" + service }

// AnnotationIdentity on a provider's pods is a digest of what their credentials depend on.
const AnnotationIdentity = v1alpha1.Group + "/identity"

// AnnotationRestart on a provider's pods is the digest for which they were restarted because they had no credentials.
const AnnotationRestart = v1alpha1.Group + "/restarted-for"

// bootstraps says whether the provider of a service creates identities: roles and policies, or associations.
func bootstraps(service string) bool { return service == "iam" || service == "eks" }

// maxObjectName is the longest name that is used for a Kubernetes object, so that it also fits a label.
const maxObjectName = 63

// ObjectName makes a Kubernetes name of an AWS name. If that changes it, a hash keeps different names different.
func ObjectName(awsName string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, awsName)
	name = strings.Trim(name, "-")
	if name != awsName {
		name = strings.TrimLeft(name+"-"+iam.Hash(awsName), "-")
	}
	return iam.Cut(name, maxObjectName)
}

// A Policy is composed for a role.
type Policy struct {
	// Suffix that distinguishes it from the role's other policies, in keys and names; empty for the first.
	Suffix string
	// Document of the policy.
	Document string
}

// Policy returns the i-th policy that holds a service's permissions. The first has the role's name, the others are numbered.
func (s *Service) Policy(i int) *Policy {
	return &Policy{Document: s.Policies[i], Suffix: suffixOf(i + 1)}
}

// suffixOf returns the suffix of the n-th policy that holds a role's permissions.
func suffixOf(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(".%d", n)
}

// policies returns those that are composed for a service's role.
func (s *Service) policies(shared bool) []*Policy {
	out := make([]*Policy, 0, len(s.Policies)+1)
	for i := range s.Policies {
		out = append(out, s.Policy(i))
	}
	if shared && s.RoleARN == "" {
		out = append(out, &Policy{Suffix: TenantsSuffix})
	}
	return out
}

// withSuffix returns a name with the suffix of a policy; empty while the name is not known.
func withSuffix(name, suffix string) string {
	if name == "" {
		return ""
	}
	return name + suffix
}

// Key is the composition-resource name of a service's policy.
func (p *Policy) Key(s *Service) string { return PolicyKey(s.Name) + p.Suffix }

// AttachmentKey is the composition-resource name of the attachment of a service's policy.
func (p *Policy) AttachmentKey(s *Service) string { return "attachment/" + s.Name + p.Suffix }

// ObjectName is the Kubernetes name of a service's policy, and of its attachment.
func (p *Policy) ObjectName(s *Service) string { return withSuffix(s.ObjectName, p.Suffix) }

// NameInAWS is the name of a service's policy in AWS; empty while the role's name is not known.
func (p *Policy) NameInAWS(s *Service) string {
	return iam.Cut(withSuffix(s.RoleName, p.Suffix), iam.MaxPolicyName)
}
