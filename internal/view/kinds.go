package view

import (
	"reflect"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/claims"
)

// A kind of composite resource. It decides here, and nowhere else, how a spec is read: all later steps see one shape.
type kind struct {
	// policy says what claims may set.
	policy *claims.Policy
	// spec is the type of the spec.
	spec reflect.Type
	// without are the defaults that the kind does not take.
	without []string
}

//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	providerKind = &kind{policy: claims.PodIdentityProvider, spec: reflect.TypeFor[v1alpha1.PodIdentityProviderSpec]()}
	// A default name or chain would be the same for all tenants, and fit none.
	tenantKind = &kind{policy: claims.PodIdentityTenant, spec: reflect.TypeFor[v1alpha1.PodIdentityTenantSpec](), without: []string{"providerConfig"}}
)

func kindOf(xr Object) *kind {
	if xr.Kind() == v1alpha1.TenantKind {
		return tenantKind
	}
	return providerKind
}

// shared returns the part of a tenant's spec that a PodIdentityProvider has, too.
func shared(t *v1alpha1.PodIdentityTenantSpec) *v1alpha1.PodIdentityProviderSpec {
	s := &v1alpha1.PodIdentityProviderSpec{
		ProviderConfigRef: t.ProviderConfigRef, Tags: t.Tags, ManagementPolicies: t.ManagementPolicies, DeletionPolicy: t.DeletionPolicy, Teardown: t.Teardown,
	}
	if r := t.Role; r != nil {
		s.Role = &v1alpha1.Role{Description: r.Description, PermissionsBoundary: r.PermissionsBoundary, MaxSessionDuration: r.MaxSessionDuration}
	}
	if pc := t.ProviderConfig; pc != nil {
		s.ProviderConfig = &v1alpha1.ProviderConfig{Name: pc.Name, AssumeRoleChain: pc.AssumeRoleChain}
	}
	for _, svc := range t.Services {
		s.Services = append(s.Services, v1alpha1.Service{Name: svc.Name, Permissions: svc.Permissions, Management: v1alpha1.ServiceObserved, RoleARN: t.RoleARN})
	}
	return s
}
