package identity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	eksv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/eks/v1beta1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/input/v1beta1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

var clusterKind = view.Kind{GroupVersionKind: eksv1beta1.Cluster_GroupVersionKind, Plural: "clusters", Package: "provider-aws-eks"} //nolint:gochecknoglobals // A constant in all but the keyword.

// AnnotationCluster on managed resources remembers the EKS cluster that a reference was resolved to.
const AnnotationCluster = v1alpha1.Group + "/cluster"

// resolveCluster finds the EKS cluster's name. Once known it is remembered in the composite resource's status, and on every
// managed resource that was made for it, so that a Cluster that vanishes later changes nothing.
func (id *Identity) resolveCluster(v *view.View) {
	if id.Cluster = id.Spec.ClusterName; id.Cluster != "" {
		return
	}
	for _, known := range []string{v.XR.String("status", "clusterName"), v.ObservedAnnotation(AnnotationCluster)} {
		if clusterPattern.MatchString(known) {
			id.Cluster = known
			return
		}
	}
	if v.Input.Prerequisites != v1beta1.PrerequisitesAssume && v.Requirements.Kind(clusterKind) != view.Yes {
		id.ClusterProblem = clusterKind.CRD() + ": " + v.Requirements.Missing(clusterKind)
		return
	}
	cs, _ := id.clusters(v)
	if ref := id.Spec.ClusterNameRef; ref != nil {
		if len(cs) == 0 {
			id.ClusterProblem = fmt.Sprintf("Cluster %s (spec.clusterNameRef) does not exist", ref.Name)
			return
		}
		id.setCluster(clusterName(cs[0]))
		return
	}
	id.selectCluster(cs)
}

// clusters returns the Clusters that the spec refers to, and whether Crossplane has answered. Their kind must be proven.
func (id *Identity) clusters(v *view.View) ([]view.Object, view.Answer) {
	if ref := id.Spec.ClusterNameRef; ref != nil {
		c, answer := v.Requirements.Get(clusterKind.GroupVersionKind, ref.Name)
		if answer != view.Yes {
			return nil, answer
		}
		return []view.Object{c}, view.Yes
	}
	sel := id.Spec.ClusterNameSelector
	cs, answer := v.Requirements.List(clusterKind.GroupVersionKind, sel.MatchLabels)
	if sel.MatchControllerRef != nil && *sel.MatchControllerRef {
		mine := v.XR.Controller()
		cs = slices.DeleteFunc(cs, func(c view.Object) bool { return mine.UID == "" || c.Controller().UID != mine.UID })
	}
	return cs, answer
}

// resolveAgent finds out whether the cluster has the agent already: one in Auto Mode has. It asks for as long as there is no add-on; an
// existing add-on stays. It cannot know for a cluster that is only named.
func (id *Identity) resolveAgent(v *view.View) {
	if !id.Agent || id.Spec.ClusterName != "" || v.Observed(AgentKey).Exists() {
		return
	}
	if v.Input.Prerequisites != v1beta1.PrerequisitesAssume {
		if answer := v.Requirements.Kind(clusterKind); answer != view.Yes {
			id.AgentUnknown = answer == view.Unanswered
			return
		}
	}
	cs, answer := id.clusters(v)
	id.AgentUnknown = answer == view.Unanswered
	for _, c := range cs {
		if clusterName(c) == id.Cluster && autoMode(c) {
			id.Agent, id.AutoMode = false, true
		}
	}
}

// autoMode says whether EKS runs the nodes of a cluster, and with them everything that pods need: the agent, too. The field is an
// object or a list of one, as the version of the kind has it.
// https://docs.aws.amazon.com/eks/latest/userguide/automode.html
func autoMode(c view.Object) bool {
	for _, path := range [][]string{{"spec", "forProvider", "computeConfig"}, {"status", "atProvider", "computeConfig"}} {
		if view.NewObject(c.Value(path...).GetStructValue()).Value("enabled").GetBoolValue() {
			return true
		}
		if slices.ContainsFunc(c.List(path...), func(o view.Object) bool { return o.Value("enabled").GetBoolValue() }) {
			return true
		}
	}
	return false
}

// setCluster sets the name that was found. It becomes part of other names, so it must be valid.
func (id *Identity) setCluster(name string) {
	if !clusterPattern.MatchString(name) {
		id.ClusterProblem = fmt.Sprintf("the Cluster that was found has the external name %q, which is not a name of an EKS cluster", name[:min(len(name), 100)])
		return
	}
	id.Cluster = name
}

func (id *Identity) selectCluster(cs []view.Object) {
	names := make([]string, 0, len(cs))
	for _, c := range cs {
		names = append(names, clusterName(c))
	}
	slices.Sort(names)
	switch len(names) {
	case 1:
		id.setCluster(names[0])
	case 0:
		id.ClusterProblem = "no Cluster matches spec.clusterNameSelector"
	default:
		id.ClusterProblem = fmt.Sprintf("%d Clusters match spec.clusterNameSelector (%s): it must select one", len(names), strings.Join(names[:min(len(names), 5)], ", "))
	}
}

// clusterName returns the name in AWS of a Cluster managed resource.
func clusterName(c view.Object) string {
	return cmp.Or(c.Annotation(AnnotationExternalName), c.Name())
}
