package resources

import (
	"slices"
	"strings"

	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// What a provider may do with a managed resource in AWS.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	// manage is everything but LateInitialize, and the default. A provider that late-initializes writes what AWS has into every field
	// that is not set: a field that is removed from the spec would come back.
	manage = xpv1.ManagementPolicies{xpv1.ManagementActionObserve, xpv1.ManagementActionCreate, xpv1.ManagementActionUpdate, xpv1.ManagementActionDelete}
	// look creates a missing resource, and does not change an existing one: otherwise a provider silently adopts any of the desired
	// name.
	look = xpv1.ManagementPolicies{xpv1.ManagementActionObserve, xpv1.ManagementActionCreate}
	// watch only observes.
	watch = xpv1.ManagementPolicies{xpv1.ManagementActionObserve}
)

// allows says whether policies let a provider do something. Without policies, the default of the managed resource applies: all.
func allows(ps xpv1.ManagementPolicies, action xpv1.ManagementAction) bool {
	return len(ps) == 0 || slices.Contains(ps, action) || slices.Contains(ps, xpv1.ManagementActionAll)
}

// limited returns a spec with those of its management policies that are in limit.
func limited(spec xpv1.ResourceSpec, limit xpv1.ManagementPolicies) xpv1.ResourceSpec {
	var ps xpv1.ManagementPolicies
	for _, action := range limit {
		if allows(spec.ManagementPolicies, action) {
			ps = append(ps, action)
		}
	}
	spec.ManagementPolicies = orWatch(ps)
	return spec
}

// orWatch returns the policies to send if none are left: sending none would mean the default, which is everything.
func orWatch(ps xpv1.ManagementPolicies) xpv1.ManagementPolicies {
	if len(ps) == 0 {
		return watch
	}
	return ps
}

// orphaned leaves the AWS resource where it is when the managed resource is deleted. With Delete among the management policies, a
// provider would delete it anyway, regardless of the deletion policy.
func orphaned(spec xpv1.ResourceSpec) xpv1.ResourceSpec {
	spec.DeletionPolicy = xpv1.DeletionOrphan
	if !slices.Contains(spec.ManagementPolicies, xpv1.ManagementActionDelete) {
		return spec
	}
	spec.ManagementPolicies = orWatch(slices.DeleteFunc(slices.Clone(spec.ManagementPolicies), func(p xpv1.ManagementAction) bool {
		return p == xpv1.ManagementActionDelete
	}))
	return spec
}

// policiesOf returns the management policies of an observed managed resource.
func policiesOf(o view.Object) xpv1.ManagementPolicies {
	var ps xpv1.ManagementPolicies
	for _, v := range o.Value("spec", "managementPolicies").GetListValue().GetValues() {
		ps = append(ps, xpv1.ManagementAction(v.GetStringValue()))
	}
	return ps
}

// updates says whether the provider carries out changes of a managed resource in AWS.
func updates(o view.Object) bool { return allows(policiesOf(o), xpv1.ManagementActionUpdate) }

// beyond says whether the policies of an observed managed resource allow more than the limit does.
func beyond(o view.Object, limit xpv1.ManagementPolicies) bool {
	ps := policiesOf(o)
	return o.Exists() && slices.ContainsFunc(manage, func(action xpv1.ManagementAction) bool { return allows(ps, action) && !slices.Contains(limit, action) })
}

// Annotations that a provider writes before and after it creates something in AWS. The time is that of the last creation, if
// there were several.
const (
	annotationCreating = meta.AnnotationKeyExternalCreatePending
	annotationCreated  = meta.AnnotationKeyExternalCreateSucceeded
)

// created says whether the provider created the AWS resource of a managed resource, or is about to: nothing had its name.
func created(o view.Object) bool {
	return o.Annotation(annotationCreated) != "" || o.Annotation(annotationCreating) != ""
}

// A belonging says who owns something in AWS.
type belonging int

const (
	// unknown while it was not observed.
	unknown belonging = iota
	// ours: made for the managed resource, or adopted on purpose.
	ours
	// strangers: it existed before, and is not to be adopted.
	strangers
)

// belongs says who owns the AWS resource of an observed managed resource, if no sign shows that it is a stranger's. An earlier decision
// stays.
func belongs(o view.Object) belonging {
	if beyond(o, look) || created(o) || managedResource(o).Ready {
		return ours
	}
	return unknown
}

// claimed is the spec of a managed resource that AWS may have already: an existing one is only observed until it is known to be ours,
// and neither changed nor deleted if it is not.
func claimed(spec xpv1.ResourceSpec, b belonging) xpv1.ResourceSpec {
	switch b {
	case unknown:
		return limited(spec, look)
	case strangers:
		return orphaned(limited(spec, look))
	case ours:
	}
	return spec
}

// leftBehind says whether AWS has the tags that a provider would give to this very managed resource. A resource that has them without
// being ours was left by one of the same name, or belongs to one in another cluster.
func leftBehind(o view.Object) bool {
	kind := schema.FromAPIVersionAndKind(o.APIVersion(), o.Kind()).GroupKind()
	tag := func(name string) string { return o.String("status", "atProvider", "tagsAll", name) }
	return o.Name() != "" && tag(resource.ExternalResourceTagKeyName) == o.Name() && tag(resource.ExternalResourceTagKeyKind) == strings.ToLower(kind.String())
}
