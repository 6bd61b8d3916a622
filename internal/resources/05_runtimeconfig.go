package resources

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	pkgv1beta1 "github.com/crossplane/crossplane/v2/apis/pkg/v1beta1"
	"google.golang.org/protobuf/types/known/structpb"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/runtimeconfig"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

const containerRuntime = runtimeconfig.Container

//nolint:gochecknoglobals // A constant in all but the keyword.
var runtimeConfigKind = pkgv1beta1.DeploymentRuntimeConfigGroupVersionKind

// RuntimeConfig makes a service's provider run as its ServiceAccount. Nil if another owner installs the provider.
func RuntimeConfig(c *Context, s *identity.Service) *Resource {
	if !s.Managed {
		return nil
	}
	key := runtimeConfigKey(s)
	return &Resource{
		Key:       key,
		Condition: v1alpha1.ConditionProvidersReady,
		Kind:      runtimeConfigKind,
		Name:      c.configName(s),
		Wait:      c.configurable(s),
		Build:     func() (*structpb.Struct, error) { return runtimeConfig(c, s) },
		Ready:     func(o view.Object) Readiness { return c.runtimeConfigReady(o, s) },
	}
}

// configurable waits until a service's DeploymentRuntimeConfig may be created. An adopted one belongs to a running provider: writing to
// it restarts that, so the association comes first.
func (c *Context) configurable(s *identity.Service) *Wait {
	key := runtimeConfigKey(s)
	if c.View.Observed(key).Exists() {
		return nil
	}
	a := c.adoption(s)
	users := func(o view.Object) bool { return o.Name() != a.config && runsAs(s.ServiceAccount)(o) }
	wait := first(a.wait, c.soleUser(key, runtimeConfigKind, s, users), flawed(s))
	if a.config != "" {
		return first(wait, c.settled(s))
	}
	return first(c.unowned(key, runtimeConfigKind, c.configName(s), "delete it, or set management: Observe for the service"), wait)
}

// runtimeConfigReady is ready when it exists, lets the provider run, and no restart of it is held back.
func (c *Context) runtimeConfigReady(o view.Object, s *identity.Service) Readiness {
	if r := exists(o); !r.Ready {
		return r
	}
	if n := o.Value("spec", "deploymentTemplate", "spec", "replicas"); n != nil && n.GetNumberValue() == 0 {
		return Readiness{ActionRequired: true, Message: "stops the provider, because runtime.replicas is 0. To do: set it to 1, or take it out"}
	}
	if w := c.soleUser(runtimeConfigKey(s), runtimeConfigKind, s, runsAs(s.ServiceAccount)); w != nil {
		return heldBack(w)
	}
	if w := c.held(s); w != nil {
		return Readiness{Message: "restarting the provider for its changed association, " + w.Message}
	}
	return Readiness{Ready: true}
}

// held says what the restart of a running provider waits for: pods that start before EKS knows the changed association
// everywhere would get no credentials, and there would be no reason to restart them again.
func (c *Context) held(s *identity.Service) *Wait {
	digest, old := c.digest(s), c.observedDigest(s)
	if digest == "" || old == "" || digest == old || !c.View.Observed(providerKey(s)).Exists() {
		return nil
	}
	return c.settled(s)
}

// observedDigest is the digest that a service's provider runs with.
func (c *Context) observedDigest(s *identity.Service) string {
	return c.podAnnotation(s, identity.AnnotationIdentity)
}

// podAnnotation is an annotation that the observed config gives to a service's pods.
func (c *Context) podAnnotation(s *identity.Service, name string) string {
	return c.View.Observed(runtimeConfigKey(s)).String("spec", "deploymentTemplate", "spec", "template", "metadata", "annotations", name)
}

func runtimeConfigKey(s *identity.Service) string { return identity.RuntimeConfigKey(s.Name) }

// account is the ServiceAccount that the provider runs as: it keeps its current one while another owner has the desired one.
func (c *Context) account(s *identity.Service) string {
	if has := c.runsAsNow(s); has != "" && c.soleUser(runtimeConfigKey(s), runtimeConfigKind, s, runsAs(s.ServiceAccount)) != nil {
		return has
	}
	return s.ServiceAccount
}

func runtimeConfig(c *Context, s *identity.Service) (*structpb.Struct, error) {
	if o := c.View.Observed(runtimeConfigKey(s)); len(s.Flaws) > 0 && o.Value("spec").GetStructValue() != nil {
		return c.kept(s, o), nil
	}
	drc := &pkgv1beta1.DeploymentRuntimeConfig{
		TypeMeta:   typeMeta(runtimeConfigKind),
		ObjectMeta: metav1.ObjectMeta{Name: c.configName(s)},
		Spec: pkgv1beta1.DeploymentRuntimeConfigSpec{
			DeploymentTemplate:     &pkgv1beta1.DeploymentTemplate{Spec: deploymentSpec(c, s)},
			ServiceAccountTemplate: &pkgv1beta1.ServiceAccountTemplate{Metadata: &pkgv1beta1.ObjectMeta{Name: new(c.account(s))}},
		},
	}
	out, err := c.encoder.Object(drc)
	if err != nil {
		return nil, err
	}
	if len(s.Flaws) == 0 {
		if err := patchTemplates(out, s.Runtime); err != nil {
			return nil, err
		}
	}
	electLeader(out)
	return out, nil
}

// patchTemplates merges the raw templates in.
func patchTemplates(out *structpb.Struct, r v1alpha1.Runtime) error {
	if raw := r.DeploymentTemplate; raw != nil {
		// A deploymentTemplate is a part of a Deployment: metadata and spec.
		if err := patch(out, "deploymentTemplate", raw.Raw, appsv1.Deployment{}, keepArgs(r.Args)); err != nil {
			return err
		}
	}
	if raw := r.ServiceAccountTemplate; raw != nil {
		if err := patch(out, "serviceAccountTemplate", raw.Raw, corev1.ServiceAccount{}, func(map[string]any) {}); err != nil {
			return err
		}
	}
	return nil
}

func deploymentSpec(c *Context, s *identity.Service) *appsv1.DeploymentSpec {
	r := s.Runtime
	spec := &appsv1.DeploymentSpec{
		Replicas: r.Replicas,
		// Crossplane writes the selector; the API server requires one anyway.
		Selector: &metav1.LabelSelector{},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: r.PodLabels, Annotations: podAnnotations(c, s)},
			Spec: corev1.PodSpec{
				NodeSelector:      r.NodeSelector,
				Tolerations:       r.Tolerations,
				Affinity:          r.Affinity,
				PriorityClassName: r.PriorityClassName,
			},
		},
	}
	if len(r.Args) > 0 || len(r.Env) > 0 || r.Resources != nil {
		container := corev1.Container{Name: containerRuntime, Args: r.Args, Env: r.Env}
		if r.Resources != nil {
			container.Resources = *r.Resources
		}
		spec.Template.Spec.Containers = []corev1.Container{container}
	}
	return spec
}

// podAnnotations returns the user's, and our own.
func podAnnotations(c *Context, s *identity.Service) map[string]string {
	own := c.ownAnnotations(s)
	if len(s.Runtime.PodAnnotations) == 0 {
		return own
	}
	as := maps.Clone(s.Runtime.PodAnnotations)
	maps.Copy(as, own)
	return as
}

// ownAnnotations returns the digest, and that of the last restart of pods without credentials. While the association does not show the
// digest, or is not known everywhere yet, it stays the same: nothing restarts because something cannot be read, or too early. A restart
// stays recorded regardless of the spec: forgetting it would cause another one.
func (c *Context) ownAnnotations(s *identity.Service) map[string]string {
	digest, restart := c.digest(s), c.podAnnotation(s, identity.AnnotationRestart)
	if digest == "" || c.held(s) != nil {
		digest = c.observedDigest(s)
	}
	if c.injected(s).restart {
		restart = digest
	}
	var as map[string]string
	for name, v := range map[string]string{identity.AnnotationIdentity: digest, identity.AnnotationRestart: restart} {
		if v == "" {
			continue
		}
		if as == nil {
			as = map[string]string{}
		}
		as[name] = v
	}
	return as
}

// patch merges a raw template into a field of the spec, as kubectl apply would: maps merge, lists with a key merge by key. The template
// may be adjusted first.
func patch(drc *structpb.Struct, name string, raw []byte, schema any, adjust func(map[string]any)) error {
	spec := drc.GetFields()["spec"].GetStructValue()
	var theirs map[string]any
	if err := json.Unmarshal(raw, &theirs); err != nil {
		return fmt.Errorf("cannot read %s: %w", name, err)
	}
	adjust(theirs)
	merged, err := strategicpatch.StrategicMergeMapPatch(spec.GetFields()[name].GetStructValue().AsMap(), theirs, schema)
	if err != nil {
		return fmt.Errorf("cannot merge %s: %w", name, err)
	}
	completePod(merged)
	v, err := structpb.NewValue(map[string]any(merged))
	if err != nil {
		return fmt.Errorf("cannot merge %s: %w", name, err)
	}
	spec.Fields[name] = v
	return nil
}

// keepArgs keeps the args of a provider, which its template would replace: a merge does not know single arguments. A template's
// argument replaces one for the same flag, which may be given once only.
func keepArgs(args []string) func(deploymentTemplate map[string]any) {
	return func(deploymentTemplate map[string]any) {
		containers, _, _ := unstructured.NestedFieldNoCopy(deploymentTemplate, "spec", "template", "spec", "containers")
		list, _ := containers.([]any)
		for _, c := range list {
			container, _ := c.(map[string]any)
			theirs, ok := container["args"].([]any)
			if container["name"] != containerRuntime || !ok {
				continue
			}
			container["args"] = append(argsWithout(args, theirs), theirs...)
		}
	}
}

// argsWithout returns the args without the flags of others. An argument that does not begin with a dash is the value of the flag before
// it.
func argsWithout(args []string, others []any) []any {
	given := map[string]bool{}
	for _, o := range others {
		if text, _ := o.(string); strings.HasPrefix(text, "-") {
			given[flagOf(text)] = true
		}
	}
	out := make([]any, 0, len(args)+len(others))
	drop := false
	for _, a := range args {
		if strings.HasPrefix(a, "-") {
			drop = given[flagOf(a)]
		}
		if !drop {
			out = append(out, a)
		}
	}
	return out
}

// flagOf returns the flag of an argument: --no-debug is about the same as --debug.
func flagOf(arg string) string {
	name, _, _ := strings.Cut(arg, "=")
	return strings.TrimPrefix(strings.TrimLeft(name, "-"), "no-")
}

// envLeaderElection lets one of a provider's pods work at a time. A flag wins over it, --no-leader-election too.
const envLeaderElection = "LEADER_ELECTION"

// electLeader turns leader election on if a provider has several pods: without it, all of them would reconcile, and create everything
// more than once.
func electLeader(drc *structpb.Struct) {
	deployment := view.NewObject(drc).Value("spec", "deploymentTemplate", "spec").GetStructValue()
	if view.NewObject(deployment).Number("replicas") < 2 {
		return
	}
	pod := descend(deployment, "template", "spec")
	container := containerIn(pod)
	env := container.GetFields()["env"].GetListValue().GetValues()
	if slices.ContainsFunc(env, func(e *structpb.Value) bool {
		return view.NewObject(e.GetStructValue()).String("name") == envLeaderElection
	}) {
		return
	}
	env = append(slices.Clip(env), structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
		"name": structpb.NewStringValue(envLeaderElection), "value": structpb.NewStringValue("true"),
	}}))
	container.Fields["env"] = structpb.NewListValue(&structpb.ListValue{Values: env})
}

// containerIn returns the container of a pod that the package runs in; it is added if it is missing.
func containerIn(pod *structpb.Struct) *structpb.Struct {
	all := pod.GetFields()["containers"].GetListValue().GetValues()
	for _, c := range all {
		if view.NewObject(c.GetStructValue()).String("name") == containerRuntime {
			return c.GetStructValue()
		}
	}
	c := &structpb.Struct{Fields: map[string]*structpb.Value{"name": structpb.NewStringValue(containerRuntime)}}
	pod.Fields["containers"] = structpb.NewListValue(&structpb.ListValue{Values: append(slices.Clip(all), structpb.NewStructValue(c))})
	return c
}

// descend returns the object at a path. Missing objects are added on the way.
func descend(s *structpb.Struct, path ...string) *structpb.Struct {
	for _, name := range path {
		if s.Fields == nil {
			s.Fields = map[string]*structpb.Value{}
		}
		if s.GetFields()[name].GetStructValue() == nil {
			s.Fields[name] = structpb.NewStructValue(&structpb.Struct{})
		}
		s = s.GetFields()[name].GetStructValue()
	}
	if s.Fields == nil {
		s.Fields = map[string]*structpb.Value{}
	}
	return s
}

// completePod adds the list of containers that the API server requires of a pod, even where Crossplane adds the only one.
func completePod(deploymentTemplate map[string]any) {
	pod, ok, _ := unstructured.NestedMap(deploymentTemplate, "spec", "template", "spec")
	if ok && pod["containers"] == nil {
		_ = unstructured.SetNestedSlice(deploymentTemplate, []any{}, "spec", "template", "spec", "containers")
	}
}
