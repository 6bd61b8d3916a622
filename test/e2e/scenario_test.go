package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// kinds by the names that scenarios use for them.
var kinds = map[string]schema.GroupVersionKind{
	"Claim":            {Group: "aws.podidentity.dev", Version: "v1alpha1", Kind: "PodIdentityProviderClaim"},
	"XR":               {Group: "aws.podidentity.dev", Version: "v1alpha1", Kind: "PodIdentityProvider"},
	"Tenant":           {Group: "aws.podidentity.dev", Version: "v1alpha1", Kind: "PodIdentityTenantClaim"},
	"TenantXR":         {Group: "aws.podidentity.dev", Version: "v1alpha1", Kind: "PodIdentityTenant"},
	"Role":             {Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "Role"},
	"Policy":           {Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "Policy"},
	"Attachment":       {Group: "iam.aws.upbound.io", Version: "v1beta1", Kind: "RolePolicyAttachment"},
	"Association":      {Group: "eks.aws.upbound.io", Version: "v1beta1", Kind: "PodIdentityAssociation"},
	"Provider":         {Group: "pkg.crossplane.io", Version: "v1", Kind: "Provider"},
	"Configuration":    {Group: "pkg.crossplane.io", Version: "v1", Kind: "Configuration"},
	"Function":         {Group: "pkg.crossplane.io", Version: "v1", Kind: "Function"},
	"ProviderRevision": {Group: "pkg.crossplane.io", Version: "v1", Kind: "ProviderRevision"},
	"RuntimeConfig":    {Group: "pkg.crossplane.io", Version: "v1beta1", Kind: "DeploymentRuntimeConfig"},
	"Namespace":        {Version: "v1", Kind: "Namespace"},
	"XRD":              {Group: "apiextensions.crossplane.io", Version: "v1", Kind: "CompositeResourceDefinition"},
	"CRD":              {Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"},
	"Deployment":       {Group: "apps", Version: "v1", Kind: "Deployment"},
	"ReplicaSet":       {Group: "apps", Version: "v1", Kind: "ReplicaSet"},
	"Composition":      {Group: "apiextensions.crossplane.io", Version: "v1", Kind: "Composition"},
	"Revision":         {Group: "apiextensions.crossplane.io", Version: "v1", Kind: "CompositionRevision"},
	"ImageConfig":      {Group: "pkg.crossplane.io", Version: "v1beta1", Kind: "ImageConfig"},
	"Usage":            {Group: "apiextensions.crossplane.io", Version: "v1beta1", Kind: "Usage"},
	"ActivationPolicy": {Group: "apiextensions.crossplane.io", Version: "v1alpha1", Kind: "ManagedResourceActivationPolicy"},

	"MutatingWebhookConfiguration": {Group: "admissionregistration.k8s.io", Version: "v1", Kind: "MutatingWebhookConfiguration"},
}

// gvkOf a kind that a scenario names. Those of provider-family-aws need no line above.
func gvkOf(kind string) schema.GroupVersionKind {
	if gvk, ok := kinds[kind]; ok {
		return gvk
	}
	return schema.GroupVersionKind{Group: "aws.upbound.io", Version: "v1beta1", Kind: kind}
}

// A Scenario is the context of one running scenario: its world, with a namespace of its own.
type Scenario struct {
	*testing.T
	*World

	// Namespace of the scenario's claims.
	Namespace string

	began, last time.Time
}

// runScenario in this world.
func (w *World) runScenario(t *testing.T, e entry) {
	t.Helper()
	now := time.Now()
	s := &Scenario{T: t, World: w, Namespace: "team-" + strings.ToLower(e.name), began: now, last: now}
	if err := w.apply("{apiVersion: v1, kind: Namespace, metadata: {name: " + s.Namespace + "}}"); err != nil {
		t.Fatal(err)
	}
	e.run(s)
	if !e.large && !strings.HasPrefix(w.Version, "v1.") {
		// Crossplane v1 has no circuit breaker.
		s.printTokens()
	}
	sayf("%s: %.0f s", t.Name(), time.Since(s.began).Seconds())
}

// Stepf logs what the scenario has reached, and when.
func (s *Scenario) Stepf(format string, args ...any) {
	s.Helper()
	now := time.Now()
	s.Logf("%6.1f s  +%5.1f s  %s", now.Sub(s.began).Seconds(), now.Sub(s.last).Seconds(), fmt.Sprintf(format, args...))
	s.last = now
}

// Apply YAML. $NS, $CROSSPLANE and $VERSION in it are the scenario's namespace, Crossplane's, and the version of provider-aws.
func (s *Scenario) Apply(stream string) {
	s.Helper()
	s.Until(10*time.Second, "applied", func() error { return s.apply(s.expand(stream)) })
}

func (s *Scenario) expand(stream string) string {
	return strings.NewReplacer("$NS", s.Namespace, "$CROSSPLANE", controlplane.Namespace, "$VERSION", s.version.providerVersion, "$OLDER", s.version.olderProvider).Replace(stream)
}

// File of the repository. The version of provider-aws in it becomes the one that goes with this Crossplane.
func (s *Scenario) File(path string) string {
	s.Helper()
	b, err := os.ReadFile(built.Root + "/" + path)
	if err != nil {
		s.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "v2.5.0", s.version.providerVersion)
}

// patience multiplies how long a scenario waits: four lanes, one of them with real providers, share two cores.
const patience = 2

// Until waits until something is so.
func (s *Scenario) Until(timeout time.Duration, what string, is func() error) {
	s.Helper()
	if err := controlplane.Poll(s.ctx, patience*timeout, func(context.Context) error { return is() }); err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// Get an object. Nil if it or its kind does not exist.
func (s *Scenario) Get(kind, name string) *unstructured.Unstructured {
	s.Helper()
	o, err := s.get(kind, name)
	if err != nil {
		s.Fatal(err)
	}
	return o
}

func (s *Scenario) get(kind, name string) (*unstructured.Unstructured, error) {
	key := client.ObjectKey{Name: name}
	switch kind {
	case "Claim", "Tenant":
		key.Namespace = s.Namespace
	case "Deployment":
		key.Namespace = controlplane.Namespace
	}
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(gvkOf(kind))
	err := s.Client.Get(s.ctx, key, o)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	return o, err
}

// find an object that must exist.
func (s *Scenario) find(kind, name string) (*unstructured.Unstructured, error) {
	o, err := s.get(kind, name)
	if err == nil && o == nil {
		err = fmt.Errorf("there is no %s %s", kind, name)
	}
	return o, err
}

// Exists waits until an object exists, and returns it.
func (s *Scenario) Exists(timeout time.Duration, kind, name string) *unstructured.Unstructured {
	s.Helper()
	var o *unstructured.Unstructured
	s.Until(timeout, kind+" "+name+" exists", func() (err error) {
		o, err = s.find(kind, name)
		return err
	})
	return o
}

// Gone waits until an object no longer exists.
func (s *Scenario) Gone(timeout time.Duration, kind, name string) {
	s.Helper()
	s.Until(timeout, kind+" "+name+" is gone", func() error {
		o, err := s.get(kind, name)
		if err == nil && o != nil {
			err = fmt.Errorf("it exists: %v", o.Object["status"])
		}
		return err
	})
}

// Is waits until an object has conditions, such as "Ready=True" or "IdentityReady=False/Failed", and returns it.
func (s *Scenario) Is(timeout time.Duration, kind, name string, want ...string) *unstructured.Unstructured {
	s.Helper()
	var o *unstructured.Unstructured
	s.Until(timeout, kind+" "+name+" is "+strings.Join(want, " "), func() (err error) {
		if o, err = s.find(kind, name); err != nil {
			return err
		}
		for _, w := range want {
			typ, status, _ := strings.Cut(w, "=")
			c := fakes.Condition(o, typ)
			if got := fmt.Sprintf("%v/%v", c["status"], c["reason"]); got != status && fmt.Sprint(c["status"]) != status {
				return fmt.Errorf("it is not %s:\n%s", w, conditions(o))
			}
		}
		return nil
	})
	return o
}

// conditions of an object, for people to read.
func conditions(o *unstructured.Unstructured) string {
	var b strings.Builder
	cs, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range cs {
		m := c.(map[string]any)
		fmt.Fprintf(&b, "    %v=%v %v: %v\n", m["type"], m["status"], m["reason"], m["message"])
	}
	return b.String()
}

// XR is the composite resource of a claim, once it exists.
func (s *Scenario) XR(claim string) *unstructured.Unstructured {
	s.Helper()
	name := ""
	s.Until(20*time.Second, "claim "+claim+" has a composite resource", func() error {
		c, err := s.find("Claim", claim)
		if err != nil {
			return err
		}
		if name = fakes.String(c, "spec", "resourceRef", "name"); name == "" {
			return fmt.Errorf("none yet")
		}
		return nil
	})
	return s.Exists(20*time.Second, "XR", name)
}

// Composed resources of a claim, by kind and name.
func (s *Scenario) Composed(claim string) map[string]*unstructured.Unstructured {
	s.Helper()
	out := map[string]*unstructured.Unstructured{}
	refs, _, _ := unstructured.NestedSlice(s.XR(claim).Object, "spec", "resourceRefs")
	for _, r := range refs {
		m := r.(map[string]any)
		o := &unstructured.Unstructured{}
		o.SetAPIVersion(m["apiVersion"].(string))
		o.SetKind(m["kind"].(string))
		name, _ := m["name"].(string)
		if err := s.Client.Get(s.ctx, client.ObjectKey{Name: name}, o); err == nil {
			out[o.GetKind()+"/"+name] = o
		} else if !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
			s.Fatal(err)
		}
	}
	return out
}

// UIDs of the composed resources. A UID changes if its resource is deleted and created again.
func (s *Scenario) UIDs(claim string) map[string]string {
	s.Helper()
	return each(s.Composed(claim), func(o *unstructured.Unstructured) string { return string(o.GetUID()) })
}

// Versions of the composed resources and of the Deployments of Providers. A version changes with every write, except those of providers.
func (s *Scenario) Versions(claim string) map[string]string {
	s.Helper()
	composed := s.Composed(claim)
	for _, o := range composed {
		if o.GetKind() != "Provider" {
			continue
		}
		d := &unstructured.Unstructured{}
		d.SetGroupVersionKind(kinds["Deployment"])
		if err := s.Client.Get(s.ctx, client.ObjectKey{Namespace: controlplane.Namespace, Name: fakes.String(o, "status", "currentRevision")}, d); err == nil {
			composed["Deployment/"+o.GetName()] = d
		}
	}
	return each(composed, func(o *unstructured.Unstructured) string {
		if strings.HasSuffix(o.GroupVersionKind().Group, ".aws.upbound.io") {
			// The provider writes what it sees in AWS at every poll.
			return fmt.Sprint(o.GetGeneration())
		}
		return o.GetResourceVersion()
	})
}

func each(os map[string]*unstructured.Unstructured, f func(*unstructured.Unstructured) string) map[string]string {
	out := map[string]string{}
	for k, o := range os {
		out[k] = f(o)
	}
	return out
}

// Same fails the scenario if there is a difference, except in keys that begin with what may change.
func (s *Scenario) Same(what string, before, after map[string]string, but ...string) {
	s.Helper()
	before, after = maps.Clone(before), maps.Clone(after)
	for _, m := range []map[string]string{before, after} {
		maps.DeleteFunc(m, func(k, _ string) bool {
			return slices.ContainsFunc(but, func(p string) bool { return strings.HasPrefix(k, p) })
		})
	}
	if diff := cmp.Diff(before, after); diff != "" {
		s.Errorf("%s: -before, +after:\n%s", what, diff)
	}
}

// Pods of a ServiceAccount in Crossplane's namespace that are not being deleted.
func (s *Scenario) Pods(serviceAccount string) []corev1.Pod {
	s.Helper()
	list := &corev1.PodList{}
	if err := s.Client.List(s.ctx, list, client.InNamespace(controlplane.Namespace)); err != nil {
		s.Fatal(err)
	}
	return slices.DeleteFunc(list.Items, func(p corev1.Pod) bool {
		return p.Spec.ServiceAccountName != serviceAccount || p.DeletionTimestamp != nil
	})
}

// podsOf ServiceAccounts in Crossplane's namespace: their UIDs by name.
func (s *Scenario) podsOf(serviceAccounts ...string) map[string]string {
	s.Helper()
	out := map[string]string{}
	for _, sa := range serviceAccounts {
		for _, p := range s.Pods(sa) {
			out[p.Name] = string(p.UID)
		}
	}
	return out
}

// HasCredentials fails the scenario unless the webhook gave the pod its credentials.
func (s *Scenario) HasCredentials(p corev1.Pod) {
	s.Helper()
	if missing := s.missingCredentials(p); missing != "" {
		s.Error(missing)
	}
}

// onlyPod waits until a ServiceAccount has one pod, and this one is as it should be.
func (s *Scenario) onlyPod(timeout time.Duration, serviceAccount, what string, is func(corev1.Pod) error) {
	s.Helper()
	s.Until(timeout, "the only pod of "+serviceAccount+" "+what, func() error {
		pods := s.Pods(serviceAccount)
		if len(pods) != 1 {
			return fmt.Errorf("there are %d pods", len(pods))
		}
		return is(pods[0])
	})
}

// withCredentials is an error unless the webhook gave the pod its credentials.
func (s *Scenario) withCredentials(p corev1.Pod) error {
	if missing := s.missingCredentials(p); missing != "" {
		return errors.New(missing)
	}
	return nil
}

// environment of a pod's container.
func environment(p corev1.Pod) map[string]string {
	out := map[string]string{}
	for _, e := range p.Spec.Containers[0].Env {
		out[e.Name] = e.Value
	}
	return out
}

func (s *Scenario) missingCredentials(p corev1.Pod) string {
	env := environment(p)
	for _, k := range []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"} {
		if env[k] == "" {
			return fmt.Sprintf("pod %s, created at %s, has no %s: %v", p.Name, p.CreationTimestamp.UTC().Format(time.RFC3339), k, env)
		}
	}
	for _, v := range p.Spec.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, src := range v.Projected.Sources {
			if src.ServiceAccountToken != nil && src.ServiceAccountToken.Audience == "pods.eks.amazonaws.com" {
				return ""
			}
		}
	}
	return fmt.Sprintf("pod %s has no token for EKS", p.Name)
}

// Calls of the function for a composite resource so far.
func (s *Scenario) Calls(xr string) int {
	s.Helper()
	f, err := os.Open(s.Function().Log())
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	n := 0
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if strings.Contains(sc.Text(), `"`+xr+`"`) && strings.Contains(sc.Text(), "Compose") {
			n++
		}
	}
	return n
}

// Reconciles of all composite resources so far, as Crossplane counts them. The count restarts with Crossplane.
func (s *Scenario) Reconciles() int {
	s.Helper()
	return int(s.metric(s.Metrics, "controller_runtime_reconcile_total", `controller="composite/podidentityproviders.aws.podidentity.dev"`))
}

// Breaker says whether Crossplane's circuit breaker of the composite resource is open. It opens when too many events come at once.
// While it is open, changes are carried out every 30 seconds only.
func (s *Scenario) Breaker(xr string) string {
	s.Helper()
	c := fakes.Condition(s.Get("XR", xr), "Responsive")
	if c["status"] == "False" {
		return fmt.Sprintf("NOTE: the circuit breaker of %s opened: %v", xr, c["message"])
	}
	return "the circuit breaker of " + xr + " is closed"
}

// Edit a claim with a JSON merge patch.
func (s *Scenario) Edit(claim, patch string) {
	s.Helper()
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kinds["Claim"])
	o.SetName(claim)
	o.SetNamespace(s.Namespace)
	s.merge(o, patch)
}

// merge a JSON merge patch into an object.
func (s *Scenario) merge(o client.Object, patch string) {
	s.Helper()
	if err := s.Client.Patch(s.ctx, o, client.RawPatch(types.MergePatchType, []byte(s.expand(patch)))); err != nil {
		s.Fatal(err)
	}
}

// Delete an object, without waiting.
func (s *Scenario) Delete(kind, name string) {
	s.Helper()
	o := s.Get(kind, name)
	if o == nil {
		s.Fatalf("there is no %s %s", kind, name)
	}
	if err := s.Client.Delete(s.ctx, o, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		s.Fatal(err)
	}
}

// Service of a claim's status.
func (s *Scenario) Service(claim *unstructured.Unstructured, name string) map[string]any {
	s.Helper()
	services, _, _ := unstructured.NestedSlice(claim.Object, "status", "services")
	for _, x := range services {
		if m := x.(map[string]any); m["name"] == name {
			return m
		}
	}
	return map[string]any{}
}

// Install what docs/bootstrap.md and the README say. Crossplane installs the family as a dependency.
func (s *Scenario) Install() {
	s.Helper()
	s.Apply(s.File("manifests/clusterrole.yaml"))
	s.Apply(s.File("manifests/bootstrap-providers.yaml"))
	s.Apply(s.File("manifests/configuration.yaml"))
	for _, p := range []string{"upbound-provider-family-aws", "upbound-provider-aws-iam", "upbound-provider-aws-eks"} {
		s.Is(2*time.Minute, "Provider", p, "Installed=True", "Healthy=True")
		s.Stepf("%s is healthy", p)
	}
	s.Is(2*time.Minute, "Function", "crossplane-contrib-function-pod-identity-provider", "Installed=True", "Healthy=True")
	s.Stepf("the function is healthy")
	s.Is(2*time.Minute, "Configuration", "configuration-pod-identity-provider", "Installed=True", "Healthy=True")
	s.Stepf("the configuration is healthy")
	s.Apply(s.File("manifests/bootstrap-providerconfig.yaml"))
	s.Until(time.Minute, "claims are served", func() error {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kinds["Claim"])
		return s.Client.List(s.ctx, list)
	})
	s.offered()
	s.Stepf("claims can be filed")
}

// offered waits until Crossplane reconciles claims and their composite resources.
//
// Crossplane v1.20 starts its controller of claims before that controller's watches. If the composite resource's kind is not
// served yet, the watches fail to start and are never tried again (controller/apiextensions/offered): claims report indefinitely that they wait.
// docs/troubleshooting.md describes it. A restart of Crossplane fixes it.
func (s *Scenario) offered() {
	s.Helper()
	s.Is(time.Minute, "XRD", "podidentityproviders.aws.podidentity.dev", "Established=True", "Offered=True")
	if !strings.HasPrefix(s.Version, "v1.") {
		return
	}
	s.Core.Stop()
	if err := s.StartCore(s.ctx); err != nil {
		s.Fatal(err)
	}
}
