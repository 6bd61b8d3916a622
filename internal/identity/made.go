package identity

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// Some inputs cannot change once resources were made with them. If the composite resource itself changes one, it is refused. A changed
// default is not the user's mistake: existing resources keep the old value, a note says so, and the new default is for new objects.

// made compares the spec with existing resources.
type made struct {
	v        *view.View
	errs     field.ErrorList
	notes    []string
	reported map[string]bool
}

// keep decides on an input that cannot change. Want is its value with the defaults, own says whether the composite resource itself sets
// it, and got is the value that existing resources were made with; empty if none shows it.
func (m *made) keep(at *field.Path, own bool, want, got string) string {
	switch {
	case got == "" || want == got:
		return want
	case own && want == "":
		return got
	case m.reported[at.String()]:
	case own:
		m.errs = append(m.errs, immutable(at, want, got))
	case want == "":
		m.notes = append(m.notes, fmt.Sprintf("%s: existing resources keep %q, though it is no longer set", at, got))
	default:
		m.notes = append(m.notes, fmt.Sprintf("%s: existing resources keep %q; new ones get %q", at, got, want))
	}
	if m.reported == nil {
		m.reported = map[string]bool{}
	}
	m.reported[at.String()] = true
	if own {
		return want
	}
	return got
}

// own says whether the composite resource itself sets a field.
func (m *made) own(path ...string) bool {
	return m.v.XR.String(append([]string{"spec"}, path...)...) != ""
}

// ownService returns the entry of a service that the composite resource itself has.
func (m *made) ownService(name string) view.Object {
	for _, s := range m.v.XR.List("spec", "services") {
		if s.String("name") == name {
			return s
		}
	}
	return view.Object{}
}

// first returns the first value that the observed objects of any service have. Keys are those of one service's objects.
func (m *made) first(services []v1alpha1.Service, keys []func(string) string, path ...string) string {
	for i := range services {
		for _, key := range keys {
			if s := m.v.Observed(key(services[i].Name)).String(path...); s != "" {
				return s
			}
		}
	}
	return ""
}

// madeFor returns the identity that a service's objects give: that of the association or, without one, of the role's trust policy.
func (m *made) madeFor(service string) iam.Trust {
	if o := m.v.Observed(AssociationKey(service)); o.Exists() {
		at := func(name string) string { return o.String("spec", "forProvider", name) }
		return iam.Trust{Region: at("region"), Cluster: at("clusterName"), Namespace: at("namespace"), ServiceAccount: at("serviceAccount")}
	}
	return iam.ReadTrust(m.v.Observed(RoleKey(service)).String("spec", "forProvider", "assumeRolePolicy"))
}

// common returns a part of the identity that the objects of all services have in common: the first one found counts.
func (m *made) common(services []v1alpha1.Service, part func(iam.Trust) string) string {
	for i := range services {
		if s := part(m.madeFor(services[i].Name)); s != "" {
			return s
		}
	}
	return ""
}

// spec returns the spec with the values that existing resources were made with, for inputs that are the same for all services.
func (m *made) spec(s *v1alpha1.PodIdentityProviderSpec, at *field.Path) *v1alpha1.PodIdentityProviderSpec {
	out := *s
	out.Region = m.keep(at.Child("region"), m.own("region"), s.Region, m.common(s.Services, func(t iam.Trust) string { return t.Region }))
	if ns := m.common(s.Services, func(t iam.Trust) string { return t.Namespace }); ns != "" {
		out.CrossplaneNamespace = m.keep(at.Child("crossplaneNamespace"), m.own("crossplaneNamespace"), cmp.Or(s.CrossplaneNamespace, defaultNamespace), ns)
	}
	return &out
}

// bootstrapConfig is the ProviderConfig that the managed resources use: with another one they would be managed in another account, and
// those in this one be forgotten.
func (m *made) bootstrapConfig(s *v1alpha1.PodIdentityProviderSpec, at *field.Path) string {
	want := defaultProviderConfig
	if s.ProviderConfigRef != nil {
		want = cmp.Or(s.ProviderConfigRef.Name, want)
	}
	keys := []func(string) string{AssociationKey, RoleKey, policyKey}
	return m.keep(at.Child("providerConfigRef", "name"), m.own("providerConfigRef", "name"), want, m.first(s.Services, keys, "spec", "providerConfigRef", "name"))
}

// cluster is the cluster that the identities are for.
func (m *made) cluster(s *v1alpha1.PodIdentityProviderSpec, at *field.Path, want string) string {
	spec := m.v.XR.Value("spec").GetStructValue().GetFields()
	own := spec["clusterName"] != nil || spec["clusterNameRef"] != nil || spec["clusterNameSelector"] != nil
	return m.keep(at.Child("clusterName"), own, want, m.common(s.Services, func(t iam.Trust) string { return t.Cluster }))
}

// serviceAccount is the ServiceAccount of a service.
func (m *made) serviceAccount(s *v1alpha1.Service, at *field.Path) string {
	own := m.ownService(s.Name).String("serviceAccountName") != ""
	return m.keep(at.Child("serviceAccountName"), own, cmp.Or(s.ServiceAccountName, "provider-aws-"+s.Name), m.madeFor(s.Name).ServiceAccount)
}

// associationID is the id to import. Empty if a provider created the association: then that provider sets its external name.
func (m *made) associationID(s *v1alpha1.Service, at *field.Path) string {
	o := m.v.Observed(AssociationKey(s.Name))
	known := o.String("status", "atProvider", "associationId")
	if known == "" && !o.Condition("Ready").True() {
		// It was never ready: another id may make it so.
		return s.AssociationID
	}
	imported := o.Annotation(AnnotationImported)
	if s.AssociationID == "" && imported == "" {
		return ""
	}
	own := m.ownService(s.Name).String("associationId") != ""
	id := m.keep(at.Child("associationId"), own, s.AssociationID, cmp.Or(imported, known))
	if id != s.AssociationID {
		return imported
	}
	return id
}

// path returns the path of a service's role and policies. An adopted one has its own.
func (m *made) path(spec *v1alpha1.PodIdentityProviderSpec, s *Service, at *field.Path) string {
	want := ""
	if spec.Role != nil {
		want = spec.Role.Path
	}
	own := m.own("role", "path")
	var got string
	for _, key := range []string{RoleKey(s.Name), policyKey(s.Name)} {
		if o := m.v.Observed(key); got == "" && o.Exists() && o.Value("spec", "forProvider") != nil {
			got = cmp.Or(o.String("spec", "forProvider", "path"), "/")
		}
	}
	if s.ImportRole && !own {
		return want
	}
	if kept := m.keep(at.Child("role", "path"), own, cmp.Or(want, "/"), got); kept != cmp.Or(want, "/") {
		return kept
	}
	return want
}

// roleName is the name of a service's role, even if another one would be generated today.
func (m *made) roleName(id *Identity, s *v1alpha1.Service, at, service *field.Path) string {
	generated := id.generatedRoleName(s.Name)
	got := m.knownRoleName(s.Name)
	if s.RoleARN != "" {
		return cmp.Or(s.RoleName, got, generated)
	}
	if s.RoleName != "" || m.givenName(id, s.Name, got) {
		return m.keep(service.Child("roleName"), m.ownService(s.Name).String("roleName") != "", cmp.Or(s.RoleName, generated), got)
	}
	return m.keep(at.Child("role", "namePrefix"), m.own("role", "namePrefix"), generated, got)
}

// givenName says whether a name was not generated, as far as that is known.
func (m *made) givenName(id *Identity, service, name string) bool {
	return name != "" && len(name) < iam.MaxRoleName && !strings.HasSuffix(name, "-"+iam.Name(iam.MaxRoleName, id.Cluster, id.Region, service))
}

// knownRoleName is the name of a service's composed role, as any observed object shows it; empty if none does.
func (m *made) knownRoleName(service string) string {
	for _, key := range []string{RoleKey(service), policyKey(service)} {
		if name := m.v.Observed(key).Annotation(AnnotationExternalName); name != "" {
			return name
		}
	}
	// The objects refer to the role by its name in Kubernetes. The status remembers the one in AWS.
	for _, key := range []string{AssociationKey(service), "attachment/" + service} {
		forProvider := m.v.Observed(key)
		ref := cmp.Or(forProvider.String("spec", "forProvider", "roleArnRef", "name"), forProvider.String("spec", "forProvider", "roleRef", "name"))
		for _, s := range m.v.XR.List("status", "services") {
			if name := s.String("roleName"); ref != "" && s.String("name") == service && ObjectName(name) == ref {
				return name
			}
		}
	}
	return ""
}

// providerConfig checks that the ProviderConfig has the name that the spec gives it.
func (m *made) providerConfig(s *v1alpha1.PodIdentityProviderSpec, at *field.Path) {
	if s.ProviderConfig != nil && s.ProviderConfig.Name != "" {
		m.keep(at.Child("providerConfig", "name"), m.own("providerConfig", "name"), s.ProviderConfig.Name, m.v.Observed(ProviderConfigKey).Name())
	}
}

// host is the host of a tenant. Existing resources trust its providers.
func (m *made) host(at *field.Path, spec *v1alpha1.PodIdentityTenantSpec) string {
	want, got := "", ""
	if spec.ProviderRef != nil {
		want = spec.ProviderRef.Name
	}
	if m.v.Observed(RoleKey(TenantName)).Exists() || m.v.Observed(ProviderConfigKey).Exists() {
		got = m.v.XR.String("status", "host")
	}
	return m.keep(at.Child("providerRef", "name"), m.own("providerRef", "name"), want, got)
}

func policyKey(service string) string { return "policy/" + service }
