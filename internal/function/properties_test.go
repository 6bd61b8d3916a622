package function

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
)

const (
	annotationIdentity = "aws.podidentity.dev/identity"
	annotationRestart  = "aws.podidentity.dev/restarted-for"
)

// TestProperties runs composite resources through random worlds: kinds appear and disappear, time passes, and resources become ready,
// unready and ready again, report errors, or lose their status. At all times:
//   - existing resources are composed on every call, with the same content. A Deployment's identity digest may change only with the
//     association. It is restarted once per digest for pods without credentials, and the restart is remembered. A provider may get more
//     management policies for a role once its owner is known, and never fewer,
//   - no kind is composed or required before it exists,
//   - a Provider is created only once its association is ready and settled,
//   - pods are not required before Crossplane may list them,
//   - the composite resource is not ready while something is missing, such as a provider that another owner installs, or credentials that
//     must be verified,
//   - and once the world is quiet, it becomes ready.
func TestProperties(t *testing.T) {
	for seed := range lives() {
		for generation, meta := range generations {
			t.Run(fmt.Sprintf("%d/%s", seed, generation), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(seed, 1))
				s := &simulation{world: randomWorld(t, r), rand: r, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), last: map[string]*structpb.Struct{}}
				s.Meta = meta
				for range 25 {
					s.disturb()
					s.step(t)
				}
				for range 12 {
					s.calm()
					s.step(t)
				}
				if rsp := s.step(t); rsp.GetDesired().GetComposite().GetReady() == fnv1.Ready_READY_FALSE {
					t.Errorf("the world is quiet, but the composite resource is not ready:\n%v", rsp.GetConditions())
				}
			})
		}
	}
}

// lives is the number of random worlds that test a property.
func lives() uint64 {
	if testing.Short() {
		return 6
	}
	return 40
}

// A simulation is a cluster in which events happen.
type simulation struct {
	*world
	rand *rand.Rand
	now  time.Time
	// last holds the last desired state of each resource.
	last map[string]*structpb.Struct
}

var simulatedKinds = []struct{ group, version, kind, plural string }{
	{"iam.aws.upbound.io", "v1beta1", "Role", "roles"},
	{"iam.aws.upbound.io", "v1beta1", "Policy", "policies"},
	{"iam.aws.upbound.io", "v1beta1", "RolePolicyAttachment", "rolepolicyattachments"},
	{"eks.aws.upbound.io", "v1beta1", "PodIdentityAssociation", "podidentityassociations"},
	{"eks.aws.upbound.io", "v1beta1", "Addon", "addons"},
	{"eks.aws.upbound.io", "v1beta1", "Cluster", "clusters"},
	{"aws.upbound.io", "v1beta1", "ProviderConfig", "providerconfigs"},
	{"aws.m.upbound.io", "v1beta1", "ClusterProviderConfig", "clusterproviderconfigs"},
	{"aws.m.upbound.io", "v1beta1", "ProviderConfig", "providerconfigs"},
	{"apiextensions.crossplane.io", "v1beta1", "Usage", "usages"},
	{"protection.crossplane.io", "v1beta1", "Usage", "usages"},
	{"apiextensions.crossplane.io", "v1alpha1", "ManagedResourceDefinition", "managedresourcedefinitions"},
}

func randomWorld(t testing.TB, r *rand.Rand) *world {
	t.Helper()
	services := []string{"{name: s3}", "{name: rds, management: Observe}", "{name: sqs, permissions: {accessLevel: Full, managedPolicyArns: ['arn:aws:iam::aws:policy/x', 'arn:aws:iam::aws:policy/y']}}", "{name: sns, roleArn: 'arn:aws:iam::123456789012:role/mine'}", "{name: ec2, runtime: {associationSettleSeconds: 0, args: [--debug]}}", "{name: dynamodb, permissions: {kinds: Active}}"}
	r.Shuffle(len(services), func(i, j int) { services[i], services[j] = services[j], services[i] })
	cluster := "clusterName: prod"
	switch r.IntN(3) {
	case 0:
		cluster = "clusterNameRef: {name: the-cluster}"
	case 1:
		cluster = "clusterNameSelector: {matchLabels: {env: prod}}"
	}
	family := []string{"Observe", "Manage"}[r.IntN(2)]
	w := &world{
		XR: fromYAML(t, fmt.Sprintf(`
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: storage, uid: an-uid}
spec:
  region: eu-west-1
  %s
  provider: {version: v2.5.0, family: %s}
  providerConfig: {clusterProviderConfig: %t}
  services: [%s]
`, cluster, family, r.IntN(2) == 0, strings.Join(services[:1+r.IntN(3)], ", "))),
		Observed: map[string]*structpb.Struct{},
	}
	w.activate("tables.dynamodb.aws.upbound.io", "bucketpolicies.s3.aws.m.upbound.io")
	if r.IntN(2) == 0 {
		at(w.XR, "spec").GetStructValue().Fields["podIdentityAgent"] = mustValue(t, map[string]any{"management": "Managed"})
	}
	if r.IntN(2) == 0 {
		at(w.XR, "spec").GetStructValue().Fields["runtime"] = mustValue(t, map[string]any{"verifyCredentials": true})
	}
	if r.IntN(2) == 0 {
		// Crossplane v2 records the namespaces of composed resources.
		w.Cluster = append(w.Cluster, fromYAML(t, xrDefinition))
		at(w.XR, "spec", "providerConfig").GetStructValue().Fields["namespaces"] = mustValue(t, []any{"team-a"})
	}
	return w
}

// xrDefinition is the relevant part of the composite resource's definition.
const xrDefinition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: podidentityproviders.aws.podidentity.dev}
spec:
  group: aws.podidentity.dev
  names: {kind: PodIdentityProvider}
  versions: [{name: v1alpha1, served: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {
    resourceRefs: {type: array, items: {type: object, properties: {namespace: {type: string}}}}}}}}}}]
status: {conditions: [{type: Established, status: "True"}]}
`

// step reconciles once, checks the invariants and applies the response.
func (s *simulation) step(t *testing.T) *fnv1.RunFunctionResponse {
	t.Helper()
	fn := newTestFunction()
	fn.now = func() time.Time { return s.now }
	rsp := s.reconcile(t, fn)
	if isFatal(rsp) {
		t.Fatalf("fatal: %v", rsp.GetResults())
	}
	desired := rsp.GetDesired().GetResources()
	for key := range s.Observed {
		if desired[key] == nil {
			t.Fatalf("%s exists and is desired, but is not composed: Crossplane would delete it", key)
		}
	}
	for _, key := range sortedKeys(desired) {
		d := desired[key].GetResource()
		if !s.hasKind(at(d, "apiVersion").GetStringValue(), at(d, "kind").GetStringValue()) {
			t.Fatalf("%s is composed, but its kind %s does not exist", key, at(d, "kind").GetStringValue())
		}
		if s.Observed[key] == nil {
			s.checkCreation(t, key)
		} else if last := s.last[key]; last != nil {
			s.checkSame(t, key, last, d)
		}
	}
	if rsp.GetDesired().GetComposite().GetReady() != fnv1.Ready_READY_FALSE {
		for key, d := range desired {
			if d.GetReady() != fnv1.Ready_READY_TRUE {
				t.Fatalf("the composite resource is ready, but %s is not", key)
			}
		}
		s.checkTheirs(t)
		s.checkCredentials(t)
	}
	s.apply(t, rsp)
	return rsp
}

func (s *simulation) checkCreation(t *testing.T, key string) {
	t.Helper()
	if strings.HasPrefix(key, "providerconfig/") && !slices.ContainsFunc(s.Cluster, isNamespace) {
		t.Fatalf("%s is created, but its namespace does not exist: nothing could be applied", key)
	}
	service, ok := strings.CutPrefix(key, "provider/")
	if !ok {
		return
	}
	a := s.Observed["association/"+service]
	if condition(a, "Ready") != "True" || at(a, "status", "atProvider", "associationId").GetStringValue() == "" {
		t.Fatalf("%s is created before its association is ready: its pods would never get credentials", key)
	}
}

// checkTheirs checks that a provider of another owner is as required.
func (s *simulation) checkTheirs(t *testing.T) {
	t.Helper()
	for _, v := range at(s.XR, "spec", "services").GetListValue().GetValues() {
		if at(v.GetStructValue(), "management").GetStringValue() != "Observe" {
			continue
		}
		healthy := slices.ContainsFunc(s.Cluster, func(o *structpb.Struct) bool {
			return at(o, "metadata", "name").GetStringValue() == "their-rds" && condition(o, "Healthy") == "True"
		})
		account := slices.ContainsFunc(s.Cluster, func(o *structpb.Struct) bool {
			return at(o, "metadata", "name").GetStringValue() == "their-config" && at(o, "spec", "serviceAccountTemplate", "metadata", "name").GetStringValue() == "provider-aws-rds"
		})
		if !healthy || !account {
			t.Fatalf("the composite resource is ready, but the observed provider is healthy: %t, has the right ServiceAccount: %t", healthy, account)
		}
	}
}

// checkCredentials checks that the pods of every provider have credentials, if they must be verified.
func (s *simulation) checkCredentials(t *testing.T) {
	t.Helper()
	if !at(s.XR, "spec", "runtime", "verifyCredentials").GetBoolValue() {
		return
	}
	for _, o := range s.Cluster {
		service := strings.TrimPrefix(at(o, "spec", "serviceAccountName").GetStringValue(), "provider-aws-")
		if isPod(o) && lacksCredentials(o) && s.wants(service) {
			t.Fatalf("the composite resource is ready, but the pod of %s has no credentials", service)
		}
	}
}

// wants says whether the composite resource lists a service.
func (s *simulation) wants(service string) bool {
	return slices.ContainsFunc(at(s.XR, "spec", "services").GetListValue().GetValues(), func(v *structpb.Value) bool {
		return at(v.GetStructValue(), "name").GetStringValue() == service
	})
}

func (s *simulation) checkSame(t *testing.T, key string, last, now *structpb.Struct) {
	t.Helper()
	if proto.Equal(last, now) {
		return // Much faster than cmp.Diff, which says what the difference is.
	}
	if diff := cmp.Diff(withoutDigest(last), withoutDigest(now), protocmp.Transform()); diff != "" {
		t.Fatalf("%s changed, although the spec did not: -before, +after:\n%s", key, diff)
	}
	for _, action := range at(last, "spec", "managementPolicies").GetListValue().GetValues() {
		if !slices.ContainsFunc(at(now, "spec", "managementPolicies").GetListValue().GetValues(), func(v *structpb.Value) bool { return proto.Equal(v, action) }) {
			t.Fatalf("%s: its provider may no longer %s", key, action.GetStringValue())
		}
	}
	service, ok := strings.CutPrefix(key, "runtimeconfig/")
	if !ok {
		return
	}
	if before, after := restartOf(last), restartOf(now); before != after && (after != digestOf(last) || after != digestOf(now) || !s.bare(service)) {
		t.Fatalf("%s restarts its provider for %q, after %q, with digest %q", key, after, before, digestOf(now))
	}
	before, after := digestOf(last), digestOf(now)
	id := at(s.Observed["association/"+service], "status", "atProvider", "associationId").GetStringValue()
	if before != "" && id == "" && before != after {
		t.Fatalf("%s restarts its provider (digest %q, now %q), although the state of the association is unknown", key, before, after)
	}
}

func digestOf(s *structpb.Struct) string {
	return at(s, "spec", "deploymentTemplate", "spec", "template", "metadata", "annotations", annotationIdentity).GetStringValue()
}

func restartOf(s *structpb.Struct) string {
	return at(s, "spec", "deploymentTemplate", "spec", "template", "metadata", "annotations", annotationRestart).GetStringValue()
}

func withoutDigest(s *structpb.Struct) *structpb.Struct {
	s = proto.Clone(s).(*structpb.Struct) //nolint:forcetypeassert // The clone has the same type.
	template := at(s, "spec", "deploymentTemplate", "spec", "template").GetStructValue()
	delete(at(template, "metadata", "annotations").GetStructValue().GetFields(), annotationIdentity)
	delete(at(template, "metadata", "annotations").GetStructValue().GetFields(), annotationRestart)
	if len(at(template, "metadata", "annotations").GetStructValue().GetFields()) == 0 {
		delete(template.GetFields(), "metadata")
	}
	// The provider may do more once the owner of a role, policy or attachment is known.
	delete(at(s, "spec").GetStructValue().GetFields(), "managementPolicies")
	return s
}

// apply applies the desired state as Crossplane does: spec and metadata change, the status remains.
func (s *simulation) apply(t *testing.T, rsp *fnv1.RunFunctionResponse) {
	t.Helper()
	for key, d := range rsp.GetDesired().GetResources() {
		// Sometimes an apply fails, or the cache does not show its result yet.
		if s.Observed[key] == nil && s.rand.IntN(5) == 0 {
			continue
		}
		o := proto.Clone(d.GetResource()).(*structpb.Struct) //nolint:forcetypeassert // The clone has the same type.
		if old := s.Observed[key]; old != nil {
			if status := at(old, "status"); status != nil {
				o.Fields["status"] = status
			}
		}
		m := at(o, "metadata").GetStructValue()
		m.Fields["ownerReferences"] = mustValue(t, []any{map[string]any{"kind": "PodIdentityProvider", "name": "storage", "uid": "an-uid", "controller": true}})
		s.Observed[key] = o
		s.last[key] = d.GetResource()
	}
	if status := at(rsp.GetDesired().GetComposite().GetResource(), "status"); status != nil && s.rand.IntN(4) > 0 {
		s.XR.Fields["status"] = status
	}
}

// activate adds a policy that activates definitions.
func (w *world) activate(names ...any) {
	w.Cluster = append(w.Cluster, crd("apiextensions.crossplane.io", "v1alpha1", "ManagedResourceActivationPolicy", "managedresourceactivationpolicies"), must(structpb.NewStruct(map[string]any{
		"apiVersion": "apiextensions.crossplane.io/v1alpha1", "kind": "ManagedResourceActivationPolicy", "metadata": map[string]any{"name": "active"}, "spec": map[string]any{"activate": names},
	})))
}

// hideActivation sets whether activation policies can be read. Crossplane v1.20 always finds its own kinds.
func (s *simulation) hideActivation(hidden bool) {
	s.Hidden = map[string]bool{"ManagedResourceActivationPolicy.apiextensions.crossplane.io": hidden && s.Meta != nil}
}

// disturb changes the world at random.
func (s *simulation) disturb() {
	s.now = s.now.Add(time.Duration(s.rand.IntN(20)) * time.Second)
	s.hideActivation(s.rand.IntN(3) == 0)
	for _, k := range simulatedKinds {
		switch s.rand.IntN(8) {
		case 0, 1:
			s.install(k.group, k.version, k.kind, k.plural)
		case 2:
			s.uninstall(k.plural + "." + k.group)
		}
	}
	switch s.rand.IntN(6) {
	case 0, 1:
		s.addCluster()
	case 2:
		s.uninstall("the-cluster")
	}
	switch s.rand.IntN(6) {
	case 0:
		s.addTheirs("True", "provider-aws-rds")
	case 1:
		s.addTheirs("False", "provider-aws-rds")
	case 2:
		s.addTheirs("True", "default")
	case 3:
		s.uninstall("their-rds")
	}
	if s.rand.IntN(3) == 0 {
		s.setNamespace(s.rand.IntN(2) == 0)
	}
	if s.rand.IntN(3) == 0 {
		s.setGuard(s.rand.IntN(3) > 0)
	}
	if s.rand.IntN(2) == 0 {
		s.setPods(func() bool { return s.rand.IntN(2) == 0 })
	}
	if s.rand.IntN(10) == 0 {
		delete(s.XR.Fields, "status")
	}
	for _, key := range sortedKeys(s.Observed) {
		switch o := s.Observed[key]; s.rand.IntN(8) {
		case 0:
			delete(o.Fields, "status")
		case 1:
			s.setStatus(key, "False", "False")
		case 2:
			s.setStatus(key, "True", "False")
		case 3, 4, 5:
			s.setStatus(key, "True", "True")
		case 6:
			// A user deletes it, not Crossplane.
			if s.rand.IntN(10) == 0 {
				delete(s.Observed, key)
				delete(s.last, key)
			}
		}
	}
}

// calm adds everything that is missing and makes everything ready.
func (s *simulation) calm() {
	s.now = s.now.Add(time.Minute)
	s.hideActivation(false)
	for _, k := range simulatedKinds {
		s.install(k.group, k.version, k.kind, k.plural)
	}
	s.addCluster()
	s.uninstall("default")
	s.Cluster = append(s.Cluster, must(structpb.NewStruct(map[string]any{"apiVersion": "aws.upbound.io/v1beta1", "kind": "ProviderConfig", "metadata": map[string]any{"name": "default"}})))
	s.addTheirs("True", "provider-aws-rds")
	s.setNamespace(true)
	s.setGuard(true)
	for _, key := range sortedKeys(s.Observed) {
		s.setStatus(key, "True", "True")
	}
	s.setPods(func() bool { return true })
}

// addTheirs simulates another owner that installs provider-aws-rds, which the composite resource may observe.
func (s *simulation) addTheirs(healthy, account string) {
	s.uninstall("their-rds")
	s.uninstall("their-config")
	s.Cluster = append(s.Cluster, must(structpb.NewStruct(map[string]any{
		"apiVersion": "pkg.crossplane.io/v1", "kind": "Provider", "metadata": map[string]any{"name": "their-rds"},
		"spec": map[string]any{"package": "example.org/provider-aws-rds:v1.0.0", "runtimeConfigRef": map[string]any{"name": "their-config"}},
		"status": map[string]any{
			"currentRevision": "their-rds-1", "currentIdentifier": "example.org/provider-aws-rds:v1.0.0",
			"conditions": []any{map[string]any{"type": "Installed", "status": "True"}, map[string]any{"type": "Healthy", "status": healthy}},
		},
	})), must(structpb.NewStruct(map[string]any{
		"apiVersion": "pkg.crossplane.io/v1beta1", "kind": "DeploymentRuntimeConfig", "metadata": map[string]any{"name": "their-config"},
		"spec": map[string]any{"serviceAccountTemplate": map[string]any{"metadata": map[string]any{"name": account}}},
	})))
}

// setNamespace creates the namespace, or deletes it with all its objects.
func (s *simulation) setNamespace(exists bool) {
	s.Cluster = slices.DeleteFunc(s.Cluster, isNamespace)
	if exists {
		s.Cluster = append(s.Cluster, must(structpb.NewStruct(map[string]any{
			"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"namespace": "team-a", "name": "default"},
		})))
		return
	}
	delete(s.Observed, "providerconfig/team-a")
	delete(s.last, "providerconfig/team-a")
}

// setGuard adds or removes the sign that Crossplane may read pods.
func (s *simulation) setGuard(exists bool) {
	s.Cluster = slices.DeleteFunc(s.Cluster, isPodGuard)
	if exists {
		s.Cluster = append(s.Cluster, must(structpb.NewStruct(map[string]any{
			"apiVersion": "pkg.crossplane.io/v1beta1", "kind": "DeploymentRuntimeConfig", "metadata": map[string]any{"name": "pod-identity-provider-may-read-pods"},
		})))
	}
}

// setPods starts new pods for every provider, with or without credentials.
func (s *simulation) setPods(injected func() bool) {
	s.Cluster = slices.DeleteFunc(s.Cluster, isPod)
	for _, service := range []string{"s3", "rds", "sqs", "sns", "ec2", "dynamodb"} {
		annotations := map[string]any{}
		for k, v := range at(s.Observed["runtimeconfig/"+service], "spec", "deploymentTemplate", "spec", "template", "metadata", "annotations").GetStructValue().GetFields() {
			annotations[k] = v.GetStringValue()
		}
		revision := "provider-aws-" + service + "-1"
		if service == "rds" {
			revision = "their-rds-1"
		}
		pod := map[string]any{"serviceAccountName": "provider-aws-" + service}
		if injected() {
			pod["containers"] = []any{map[string]any{"name": "package-runtime", "env": []any{map[string]any{"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI"}, map[string]any{"name": "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}}}}
			pod["volumes"] = []any{map[string]any{"projected": map[string]any{"sources": []any{map[string]any{"serviceAccountToken": map[string]any{"audience": "pods.eks.amazonaws.com"}}}}}}
		}
		s.Cluster = append(s.Cluster, must(structpb.NewStruct(map[string]any{
			"apiVersion": "v1", "kind": "Pod", "spec": pod,
			"metadata": map[string]any{
				"namespace": "crossplane-system", "name": revision + "-pod", "creationTimestamp": s.now.Format(time.RFC3339),
				"labels": map[string]any{"pkg.crossplane.io/revision": revision}, "annotations": annotations,
			},
		})))
	}
}

func isPod(o *structpb.Struct) bool { return at(o, "kind").GetStringValue() == "Pod" }

// lacksCredentials says whether a pod was started without credentials.
func lacksCredentials(pod *structpb.Struct) bool { return at(pod, "spec", "volumes") == nil }

// bare says whether a service has a pod without credentials.
func (s *simulation) bare(service string) bool {
	return slices.ContainsFunc(s.Cluster, func(o *structpb.Struct) bool {
		return isPod(o) && lacksCredentials(o) && at(o, "spec", "serviceAccountName").GetStringValue() == "provider-aws-"+service
	})
}

func isNamespace(o *structpb.Struct) bool { return at(o, "kind").GetStringValue() == "ServiceAccount" }

func (s *simulation) addCluster() {
	s.uninstall("the-cluster")
	if s.hasKind("eks.aws.upbound.io/v1beta1", "Cluster") {
		s.Cluster = append(s.Cluster, must(structpb.NewStruct(map[string]any{
			"apiVersion": "eks.aws.upbound.io/v1beta1", "kind": "Cluster",
			"metadata": map[string]any{"name": "the-cluster", "labels": map[string]any{"env": "prod"}, "annotations": map[string]any{"crossplane.io/external-name": "prod"}},
		})))
	}
}

func (s *simulation) install(group, version, kind, plural string) {
	s.uninstall(plural + "." + group)
	s.Cluster = append(s.Cluster, crd(group, version, kind, plural))
}

// crd returns the CustomResourceDefinition of a kind that is served.
func crd(group, version, kind, plural string) *structpb.Struct {
	return must(structpb.NewStruct(map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": plural + "." + group},
		"spec":   map[string]any{"group": group, "names": map[string]any{"kind": kind}, "versions": []any{map[string]any{"name": version, "served": true}}},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "Established", "status": "True"}}},
	}))
}

func (s *simulation) uninstall(name string) {
	kept := s.Cluster[:0]
	for _, o := range s.Cluster {
		if at(o, "metadata", "name").GetStringValue() != name {
			kept = append(kept, o)
		}
	}
	s.Cluster = kept
}

// setStatus sets the status of a resource as its controller would.
func (s *simulation) setStatus(key, synced, ready string) {
	o := s.Observed[key]
	since := s.now.Add(-time.Duration(s.rand.IntN(30)) * time.Second).Format(time.RFC3339)
	cond := func(typ, status string) any {
		// Like a controller, it keeps the time as long as the status does not change.
		since := since
		if c := conditionFields(o, typ); c["status"].GetStringValue() == status {
			since = c["lastTransitionTime"].GetStringValue()
		}
		return map[string]any{"type": typ, "status": status, "reason": "Because", "message": "a reason", "lastTransitionTime": since}
	}
	status := map[string]any{"conditions": []any{cond("Synced", synced), cond("Ready", ready)}}
	switch at(o, "kind").GetStringValue() {
	case "PodIdentityAssociation":
		if ready == "True" {
			role := at(o, "spec", "forProvider", "roleArn").GetStringValue()
			if role == "" {
				role = "arn:aws:iam::123456789012:role/x"
			}
			status["atProvider"] = map[string]any{"associationId": "a-1", "roleArn": role}
		}
	case "Provider":
		status = map[string]any{"conditions": []any{cond("Installed", synced), cond("Healthy", ready)}, "currentIdentifier": at(o, "spec", "package").GetStringValue(), "currentRevision": at(o, "metadata", "name").GetStringValue() + "-1"}
	case "DeploymentRuntimeConfig", "ProviderConfig", "ClusterProviderConfig":
		return
	}
	o.Fields["status"] = must(structpb.NewValue(status))
}

func condition(o *structpb.Struct, typ string) string {
	return conditionFields(o, typ)["status"].GetStringValue()
}

// conditionFields returns a condition of an object; nil if it has none of the type.
func conditionFields(o *structpb.Struct, typ string) map[string]*structpb.Value {
	for _, c := range at(o, "status", "conditions").GetListValue().GetValues() {
		if fields := c.GetStructValue().GetFields(); fields["type"].GetStringValue() == typ {
			return fields
		}
	}
	return nil
}

// TestDeterministic checks that the same request gives the same bytes in any order of map iteration.
func TestDeterministic(t *testing.T) {
	for seed := range lives() {
		r := rand.New(rand.NewPCG(seed, 2))
		s := &simulation{world: randomWorld(t, r), rand: r, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), last: map[string]*structpb.Struct{}}
		for range 8 {
			s.disturb()
			s.step(t)
		}
		s.deterministic(t, seed)
	}
}

// deterministic fails the test if the same request gives another response.
func (s *simulation) deterministic(t *testing.T, seed uint64) {
	t.Helper()
	var first []byte
	for i := range 5 {
		rsp, err := newTestFunction().RunFunction(context.Background(), s.request())
		if err != nil {
			t.Fatal(err)
		}
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(rsp)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = b
		} else if !bytes.Equal(b, first) {
			t.Fatalf("seed %d: the same request gave another response", seed)
		}
	}
}

// TestIndependent checks that the state of one service does not change the resources composed for another.
func TestIndependent(t *testing.T) {
	w := loadStep(t, "example/three-services/02-ready")
	want := w.reconcile(t, newTestFunction())
	fates := map[string]func(o *structpb.Struct){
		"Failed": func(o *structpb.Struct) {
			o.Fields["status"] = mustValue(t, map[string]any{"conditions": []any{map[string]any{"type": "Synced", "status": "False", "message": "AccessDenied"}}})
		},
		"Unreadable": func(o *structpb.Struct) { delete(o.Fields, "status") },
		"Deleted": func(o *structpb.Struct) {
			at(o, "metadata").GetStructValue().Fields["deletionTimestamp"] = structpb.NewStringValue("2026-01-01T00:00:00Z")
		},
	}
	for name, fate := range fates {
		for key := range w.Observed {
			if !strings.Contains(key, "/sqs") {
				continue
			}
			t.Run(name+"/"+key, func(t *testing.T) {
				w := loadStep(t, "example/three-services/02-ready")
				fate(w.Observed[key])
				others(t, want, w.reconcile(t, newTestFunction()))
			})
		}
	}
	t.Run("Conflict", func(t *testing.T) {
		w := loadStep(t, "example/three-services/02-ready")
		for key := range w.Observed {
			if strings.Contains(key, "/sqs") {
				delete(w.Observed, key)
			}
		}
		w.Cluster = append(w.Cluster, mustStruct(t, map[string]any{"apiVersion": "pkg.crossplane.io/v1", "kind": "Provider", "metadata": map[string]any{"name": "theirs"}, "spec": map[string]any{"package": "xpkg.upbound.io/upbound/provider-aws-sqs:v1.23.0"}}))
		rsp := w.reconcile(t, newTestFunction())
		others(t, want, rsp)
		for key := range rsp.GetDesired().GetResources() {
			if strings.Contains(key, "/sqs") {
				t.Errorf("%s is created, although another owner's Provider with the package exists", key)
			}
		}
		status := at(rsp.GetDesired().GetComposite().GetResource(), "status", "services").GetListValue().GetValues()[2].GetStructValue()
		if got := at(status, "phase").GetStringValue(); got != "Conflict" || !strings.Contains(at(status, "message").GetStringValue(), "Provider theirs") {
			t.Errorf("want phase Conflict and a message that names Provider theirs, got %v", status)
		}
	})
}

// others compares the composed resources of all services except sqs.
func others(t *testing.T, want, got *fnv1.RunFunctionResponse) {
	t.Helper()
	for key, w := range want.GetDesired().GetResources() {
		if strings.Contains(key, "/sqs") {
			continue
		}
		if diff := cmp.Diff(w, got.GetDesired().GetResources()[key], protocmp.Transform()); diff != "" {
			t.Errorf("%s changed with another service: -want, +got:\n%s", key, diff)
		}
	}
}

// FuzzRunFunction checks that no request makes the function panic or fail.
func FuzzRunFunction(f *testing.F) {
	steps, err := filepath.Glob("example/*/[0-9]*-*")
	if err != nil || len(steps) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, step := range steps {
		for _, meta := range generations {
			w := loadStep(f, step)
			w.Meta = meta
			req := w.request()
			for range 3 {
				b, err := proto.Marshal(req)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(b)
				rsp, _ := newTestFunction().RunFunction(context.Background(), req)
				w.answer(f, req, rsp.GetRequirements())
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		req := &fnv1.RunFunctionRequest{}
		if err := proto.Unmarshal(b, req); err != nil {
			t.Skip("not a request")
		}
		rsp, err := newTestFunction().RunFunction(context.Background(), req)
		if err != nil {
			t.Fatalf("RunFunction returned an error, not a fatal result: %v", err)
		}
		for _, r := range rsp.GetResults() {
			if strings.Contains(r.GetMessage(), "internal error") {
				t.Fatalf("it panicked: %s", r.GetMessage())
			}
		}
		if _, err := proto.Marshal(rsp); err != nil {
			t.Fatalf("the response cannot be sent: %v", err)
		}
	})
}

// FuzzSpec checks that no composite resource, Input or status of a composed resource makes the function panic or fail. JSON gets further
// into the function than the bytes of a request.
func FuzzSpec(f *testing.F) {
	for _, step := range []string{"quickstart/04-ready", "three-services/02-ready", "family-manage/02-family-installed", "verify-credentials/02-no-credentials"} {
		w := loadStep(f, "example/"+step)
		f.Add(must(at(w.XR, "spec").MarshalJSON()), must(w.Input.MarshalJSON()), must(w.Observed["association/s3"].MarshalJSON()))
	}
	f.Add([]byte(`{"region":"eu-west-1","clusterName":"prod","services":[{"name":"s3","permissions":{"kinds":"Active"}},{"name":"sqs","permissions":{"kinds":["Active",1]}}]}`), []byte(`{"defaults":{"services":[{"name":"s3","permissions":{"kinds":["Bucket"]}}]}}`), []byte(`{"metadata":{"name":"x"}}`))
	f.Add([]byte(`{"clusterNameSelector":{"matchControllerRef":true},"services":[{"name":"s3","permissions":{"policyDocument":"{}"}}]}`), []byte(`{"defaults":{"services":[{"name":"s3"}]}}`), []byte(`{"metadata":[]}`))
	f.Fuzz(func(t *testing.T, spec, input, observed []byte) {
		w := loadStep(t, "example/quickstart/04-ready")
		if w.XR.Fields["spec"].UnmarshalJSON(spec) != nil || w.Input.UnmarshalJSON(input) != nil || w.Observed["association/s3"].UnmarshalJSON(observed) != nil {
			t.Skip("not JSON")
		}
		for _, meta := range generations {
			w.Meta = meta
			for _, r := range w.reconcile(t, newTestFunction()).GetResults() {
				if strings.Contains(r.GetMessage(), "internal error") {
					t.Fatalf("it panicked: %s", r.GetMessage())
				}
			}
		}
	})
}

func mustValue(t testing.TB, v any) *structpb.Value {
	t.Helper()
	out, err := structpb.NewValue(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// FuzzPod checks that no pod of a provider makes the function panic or fail, or restart the provider twice.
func FuzzPod(f *testing.F) {
	for _, step := range []string{"02-no-credentials", "04-injected", "05-in-vain", "06-fargate"} {
		w := loadStep(f, "example/verify-credentials/"+step)
		f.Add(must(w.Cluster[slices.IndexFunc(w.Cluster, isPod)].MarshalJSON()))
	}
	f.Add([]byte(`{"metadata":{"labels":[],"annotations":{"aws.podidentity.dev/identity":7}},"spec":{"containers":[{"name":"package-runtime","env":{}}],"volumes":[null,{"projected":{"sources":[1]}}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		pod := &structpb.Struct{}
		if pod.UnmarshalJSON(b) != nil {
			t.Skip("not JSON")
		}
		for _, step := range []string{"02-no-credentials", "05-in-vain"} {
			w := loadStep(t, "example/verify-credentials/"+step)
			w.Cluster[slices.IndexFunc(w.Cluster, isPod)] = pod
			rsp := w.reconcile(t, newTestFunction())
			if isFatal(rsp) {
				t.Fatalf("%s: fatal: %v", step, rsp.GetResults())
			}
			config := rsp.GetDesired().GetResources()["runtimeconfig/s3"].GetResource()
			if got := restartOf(config); got != "" && got != digestOf(config) || step == "05-in-vain" && got == "" {
				t.Fatalf("%s: restarted for %q, with digest %q", step, got, digestOf(config))
			}
		}
	})
}
