package identity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// AnnotationHost on the role of a tenant remembers the facts about its host.
const AnnotationHost = v1alpha1.Group + "/host"

// HostKind is the kind of a host.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var HostKind = view.Kind{GroupVersionKind: v1alpha1.GroupVersionKind, Plural: "podidentityproviders", Package: "the Configuration that installs PodIdentityProvider"}

// A Host is the PodIdentityProvider whose providers a tenant uses.
type Host struct {
	// Name of the PodIdentityProvider.
	Name string
	// Object as Crossplane sent it; it does not exist before that.
	Object view.Object
	// Pending says that the problem is only that the host is not ready yet.
	Pending bool
	// Problem says why none of its providers can be used; empty if they can.
	Problem string
	// Services in the order of the tenant's.
	Services []HostService

	facts *facts
	// asked says that Crossplane has not answered yet whether the host exists.
	asked bool
}

// A HostService is a service of a host that a tenant lists.
type HostService struct {
	// Name of the service.
	Name string
	// Pending says that the problem is only that the service is not ready yet.
	Pending bool
	// Problem says why it cannot be used; empty if it can.
	Problem string
	// Phase and Message of the host's status.
	Phase   v1alpha1.Phase
	Message string
	// ProviderName and ProviderRevision of the host's status.
	ProviderName, ProviderRevision string
}

// Facts returns the facts about the host, as a tenant remembers them; empty while none are known.
func (h *Host) Facts() string {
	if h.facts == nil {
		return ""
	}
	return h.facts.String()
}

// Account returns the account of the host's cluster; empty while it is not known.
func (h *Host) Account() string {
	if h.facts == nil {
		return ""
	}
	return h.facts.account()
}

// Unreachable says why the host may not assume an existing role: it was created when the host had other settings. Empty if the host
// may, and while it does not report them.
func (h *Host) Unreachable(roleARN string) string {
	if h.facts == nil || h.Problem != "" {
		return ""
	}
	account := iam.ARNAccount(roleARN)
	switch {
	case account == "":
		return ""
	case !strings.Contains(roleARN, ":role"+h.facts.RolePath):
		return fmt.Sprintf("may only assume roles below %s, and role %s was made elsewhere: ask your platform team to set sharing.rolePath back, or file another claim in place of this one", h.facts.RolePath, roleARN)
	case account != h.facts.account() && !slices.Contains(h.facts.Accounts, account):
		return fmt.Sprintf("may not assume roles in account %s: ask your platform team to list it in sharing.accounts there", account)
	}
	return ""
}

// resolveHost works out the facts about the host: what it reports now or, where it does not report, what the tenant remembers. It fails
// if neither has what the existing objects need: they could only be composed in part.
func (id *Identity) resolveHost(v *view.View, at *field.Path) field.ErrorList {
	h := id.Tenant.Host
	remembered := parseFacts(v.Observed(RoleKey(TenantName)).Annotation(AnnotationHost))
	id.lookAtHost(v, remembered != nil)
	known := h.now()
	if known == nil {
		known = remembered
	}
	for i := range id.Spec.Services {
		name := id.Spec.Services[i].Name
		s := h.service(name)
		h.Services = append(h.Services, s)
		if known == nil {
			continue
		}
		if known.service(name) == nil && remembered != nil {
			if p := remembered.service(name); p != nil {
				known.Services = append(known.Services, *p)
			}
		}
	}
	if problem := id.forgotten(v, known); problem != "" && remembered == nil {
		return field.ErrorList{field.Invalid(at, h.Name, problem+". The role that recorded the host was deleted: everything else stays as it is until the host can be read again")}
	}
	if known == nil {
		id.ClusterProblem, id.ClusterPending = cmp.Or(h.Problem, fmt.Sprintf("PodIdentityProvider %s does not say yet what tenants need to know", h.Name)), h.Pending || h.Problem == ""
		return nil
	}
	// Only those that the tenant lists, in its order.
	var services []provider
	for i := range id.Spec.Services {
		if p := known.service(id.Spec.Services[i].Name); p != nil {
			services = append(services, *p)
		}
	}
	known.Services = services
	h.facts = known
	id.Region, id.Partition, id.Cluster, id.Namespace = known.Region, iam.Partition(known.Region), known.Cluster, known.Namespace
	return nil
}

// forgotten says why the existing objects of a tenant's own role cannot be composed with the known facts about the host; empty if they
// can, and while Crossplane has not answered.
func (id *Identity) forgotten(v *view.View, known *facts) string {
	h := id.Tenant.Host
	if h.asked || id.Tenant.Role.RoleARN != "" {
		return ""
	}
	made := slices.ContainsFunc([]string{PolicyKey(TenantName), "attachment/" + TenantName, "providerconfig"}, func(prefix string) bool {
		return len(v.ObservedWithPrefix(prefix)) > 0
	})
	if !made {
		return ""
	}
	if known == nil {
		return cmp.Or(h.Problem, "PodIdentityProvider "+h.Name+" does not say what tenants need to know")
	}
	for _, s := range h.Services {
		if known.service(s.Name) == nil {
			return cmp.Or(s.Problem, "PodIdentityProvider "+h.Name+" does not say which role its provider for "+s.Name+" has")
		}
	}
	return ""
}

// lookAtHost reads the host, which is one object, by its name. Its kind comes with the tenant's own. For an old caller, proving the
// kind takes a whole definition, which is worth it only until something was made on a host that it read.
func (id *Identity) lookAtHost(v *view.View, proven bool) {
	h := id.Tenant.Host
	subject := "PodIdentityProvider " + h.Name
	if !proven || v.Requirements.Schemas() {
		switch v.Requirements.Kind(HostKind) {
		case view.Unanswered:
			h.asked, h.Pending, h.Problem = true, true, subject+": checking whether it exists"
			return
		case view.No:
			h.Problem = HostKind.CRD() + ": missing, install " + HostKind.Package
			return
		case view.Yes:
		}
	}
	o, answer := v.Requirements.Get(HostKind.GroupVersionKind, h.Name)
	switch {
	case answer == view.Unanswered:
		h.asked, h.Pending, h.Problem = true, true, subject+": checking whether it exists"
	case answer == view.No:
		h.Problem = subject + " does not exist: name one that shares its providers in providerRef, or ask your platform team"
	case o.Value("status", "sharing") == nil && o.Value("spec", "sharing") != nil:
		h.Object, h.Pending, h.Problem = o, true, subject+" does not share its providers yet: wait until it does"
	case o.Value("status", "sharing") == nil:
		h.Object, h.Problem = o, subject+" does not share its providers: ask your platform team to set sharing there"
	case !admits(o, id.Tenant.ClaimNamespace):
		h.Object, h.Problem = o, fmt.Sprintf("%s does not share its providers with claims of namespace %s: ask your platform team to add it to sharing.namespaces there", subject, id.Tenant.ClaimNamespace)
	default:
		h.Object = o
	}
}

// admits says whether claims of a namespace may be tenants of a host. Tenants without a claim always may.
func admits(host view.Object, namespace string) bool {
	patterns := host.Value("status", "sharing", "namespaces").GetListValue().GetValues()
	if namespace == "" || len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		if iam.Match(p.GetStringValue(), namespace) {
			return true
		}
	}
	return false
}

// now returns the facts that the host reports; nil while it does not report enough.
func (h *Host) now() *facts {
	if h.Problem != "" {
		return nil
	}
	o := h.Object
	f := &facts{
		Region: o.String("status", "region"), Cluster: o.String("status", "clusterName"),
		Namespace:  cmp.Or(o.String("status", "sharing", "crossplaneNamespace"), o.String("spec", "crossplaneNamespace"), defaultNamespace),
		RolePath:   o.String("status", "sharing", "rolePath"),
		NamePrefix: cmp.Or(o.String("status", "sharing", "namePrefix"), o.String("spec", "role", "namePrefix"), defaultRolePrefix),
	}
	for _, a := range o.Value("status", "sharing", "accounts").GetListValue().GetValues() {
		f.Accounts = append(f.Accounts, a.GetStringValue())
	}
	for _, s := range o.List("status", "services") {
		p := provider{
			Name: s.String("name"), RoleARN: s.String("roleArn"), ServiceAccount: cmp.Or(s.String("serviceAccountName"), "provider-aws-"+s.String("name")),
			NoTags: s.Value("disableSessionTags").GetBoolValue() || specOf(o, s.String("name")).Value("disableSessionTags").GetBoolValue(),
		}
		if p.complete(iam.Partition(f.Region)) {
			f.Services = append(f.Services, p)
		}
	}
	if !f.complete() {
		return nil
	}
	return f
}

// specOf returns the entry of a service in a host's spec.
func specOf(host view.Object, name string) view.Object {
	for _, s := range host.List("spec", "services") {
		if s.String("name") == name {
			return s
		}
	}
	return view.Object{}
}

// service returns a service of the host, and why it cannot be used if so.
func (h *Host) service(name string) HostService {
	s := HostService{Name: name, Problem: h.Problem, Pending: h.Pending}
	if h.Problem != "" {
		return s
	}
	subject := "PodIdentityProvider " + h.Name
	for _, o := range h.Object.List("status", "services") {
		if o.String("name") != name {
			continue
		}
		s.Phase, s.Message = v1alpha1.Phase(o.String("phase")), o.String("message")
		s.ProviderName, s.ProviderRevision = o.String("providerName"), o.String("providerRevision")
		if o.String("roleArn") == "" {
			s.Pending, s.Problem = true, subject+": its provider for "+name+" has no role yet"
		}
		return s
	}
	s.Problem = fmt.Sprintf("%s does not share %s: ask your platform team to add it there", subject, name)
	if shared := h.shared(); len(shared) > 0 {
		s.Problem = fmt.Sprintf("%s does not share %s, only %s: ask your platform team to add it there", subject, name, strings.Join(shared, ", "))
	}
	return s
}

// shared returns the names of the host's services, but not too many.
func (h *Host) shared() []string {
	var out []string
	for _, o := range h.Object.List("status", "services") {
		out = append(out, o.String("name"))
	}
	slices.Sort(out)
	if len(out) > 10 {
		out = append(out[:10], "and others")
	}
	return out
}
