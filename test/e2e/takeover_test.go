package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// byHand is what people apply in the procedure that the function replaces, word for word except for the versions.
const byHand = `
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata:
  name: provider-family-aws
  namespace: crossplane-system
spec:
  package: xpkg.upbound.io/upbound/provider-family-aws:$VERSION
---
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata:
  name: provider-aws-pod-id-drc
  namespace: crossplane-system
spec:
  serviceAccountTemplate:
    metadata:
      name: provider-aws-s3
---
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata:
  name: provider-aws-s3
  namespace: crossplane-system
spec:
  package: xpkg.upbound.io/upbound/provider-aws-s3:$VERSION
  runtimeConfigRef:
    name: provider-aws-pod-id-drc
`

// byHandConfig is applied once its kind exists.
const byHandConfig = `
apiVersion: aws.upbound.io/v1beta1
kind: ProviderConfig
metadata:
    name: provider-aws-s3
spec:
    credentials:
        source: PodIdentity
`

// terraformTrust is the trust policy of that procedure, and terraformPolicy its permissions.
const (
	terraformTrust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`
	terraformPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*"}]}`
)

// adoptSeed adopts the result of that procedure with a claim, as docs/migration.md says: the provider is restarted once, when it is
// handed over, and not before.
func adoptSeed(s *Scenario) {
	const (
		sa   = "provider-aws-s3"
		drc  = "provider-aws-pod-id-drc"
		role = "crossplane-eu-west-1-s3-Role"
	)
	policy := s.Real.AddPolicy("crossplane-eu-west-1-s3-policy", terraformPolicy)
	id := s.Real.Associate(controlplane.Namespace, sa, s.Real.AddRole(role, terraformTrust, "", policy))
	s.Apply(byHand)
	s.Is(3*time.Minute, "Provider", "provider-family-aws", "Installed=True", "Healthy=True")
	s.Is(3*time.Minute, "Provider", sa, "Installed=True", "Healthy=True")
	s.Apply(byHandConfig)
	s.use(sa, s3Bucket("theirs"))
	pod := s.Pods(sa)[0]
	uids := map[string]string{"Provider": string(s.Get("Provider", sa).GetUID()), "RuntimeConfig": string(s.Get("RuntimeConfig", drc).GetUID())}
	s.Stepf("the procedure is done by hand, and there is a bucket")
	s.install("provider-family-aws")

	file := func(path string) {
		s.Helper()
		s.Apply(strings.NewReplacer("a-0123456789abcdef0", id, "kind: PodIdentityProvider", "kind: PodIdentityProviderClaim", "  name: storage", "  name: storage\n  namespace: $NS").Replace(s.File(path)))
	}
	file("example/migrate/xr.yaml")
	s.Is(4*time.Minute, "Claim", "storage", "Ready=True")
	s.restarts(sa, 0)
	if now := s.Pods(sa); len(now) != 1 || now[0].UID != pod.UID {
		s.Error("the provider was restarted")
	}
	s.Stepf("role and association are adopted, and nothing is restarted")

	xr := s.XR("storage").GetName()
	file("example/migrate/03-hand-over/xr.yaml")
	s.Until(3*time.Minute, "the claim has the Provider", func() error {
		for kind, name := range map[string]string{"Provider": sa, "RuntimeConfig": drc} {
			o, err := s.get(kind, name)
			if err != nil || o == nil {
				return fmt.Errorf("there is no %s: %w", kind, err)
			}
			if owners := o.GetOwnerReferences(); len(owners) == 0 || owners[0].Name != xr {
				return fmt.Errorf("%s belongs to %v", kind, owners)
			}
			if string(o.GetUID()) != uids[kind] {
				s.Fatalf("%s was created again", kind)
			}
		}
		return nil
	})
	claim := s.Is(4*time.Minute, "Claim", "storage", "Ready=True", "Synced=True", "TeardownProtected=True")
	if got := s.Service(claim, "s3"); got["phase"] != "Ready" || got["roleName"] != role || got["associationId"] != id || got["providerName"] != sa {
		s.Errorf("status of the service: %v", got)
	}
	s.restarts(sa, 1)
	// The old pod is deleted once the new one is ready.
	s.Until(time.Minute, "the provider has one pod, with credentials", func() error {
		now := s.Pods(sa)
		if len(now) != 1 || now[0].UID == pod.UID {
			return fmt.Errorf("it has %d pods", len(now))
		}
		if missing := s.missingCredentials(now[0]); missing != "" {
			return errors.New(missing)
		}
		return nil
	})
	if x := s.Real.Association(controlplane.Namespace, sa); x == nil || x.ID != id {
		s.Errorf("the association is %+v, and should be %s", x, id)
	}
	if r := s.Real.Role(role); r == nil || !slices.Contains(r.Attached, policy) {
		s.Errorf("the role is %+v, and should still have %s", r, policy)
	}
	s.Stepf("the Provider is handed over with one restart")
	config := s.Namespace + "-storage"
	s.use(config, s3Bucket("theirs"))
	s.Until(2*time.Minute, "the bucket uses ProviderConfig "+config, func() error {
		if users, _, _ := unstructured.NestedInt64(s.Get("ProviderConfig", config).Object, "status", "users"); users != 1 {
			return fmt.Errorf("it has %d users", users)
		}
		return nil
	})
	s.Stepf("the bucket uses the new ProviderConfig")
}

// rebuiltCluster is one with new objects, while AWS still has everything from before.
func rebuiltCluster(s *Scenario) {
	const service = "ssm"
	s.file("before", "[{name: "+service+"}]")
	s.Edit("before", `{"spec":{"teardown":"Unordered","deletionPolicy":"Orphan"}}`)
	s.Is(4*time.Minute, "Claim", "before", "Ready=True")
	s.delete("before")
	for kind, name := range ofService(service) {
		s.Gone(2*time.Minute, kind, name)
	}
	s.AWS.Age(service)
	left, calls := s.AWS.Has(service), s.AWS.Calls(service)
	if len(left) != 3 {
		s.Fatalf("AWS has %v, and should have role, policy and association", left)
	}
	s.Stepf("a cluster is gone, and AWS still has %v", left)

	s.file("rebuilt", "[{name: "+service+"}]")
	// EKS refuses a second association, which is an error. Role and policy would be adopted silently.
	s.phase("rebuilt", service, "Failed", "a role of this name existed before", "a policy of this name existed before", "Association already exists", "To do: ", "adoptExisting: true")
	s.Is(time.Minute, "Claim", "rebuilt", "Ready=False", "IdentityReady=False/Failed", "Synced=True")
	time.Sleep(20 * time.Second)
	if o := s.Get("Provider", "provider-aws-"+service); o != nil {
		s.Error("there is a Provider, which would run with a role that may belong to another owner")
	}
	if now := s.AWS.Calls(service); len(now) != len(calls) {
		s.Errorf("AWS was asked to change what may belong to another owner: %v", now[len(calls):])
	}
	s.Stepf("the claim of the new cluster does not adopt them: %v", s.Service(s.Get("Claim", "rebuilt"), service)["message"])

	s.Edit("rebuilt", `{"spec":{"adoptExisting":true}}`)
	s.Is(4*time.Minute, "Claim", "rebuilt", "Ready=True", "Synced=True")
	for _, call := range s.AWS.Calls(service)[len(calls):] {
		if strings.HasPrefix(call, "CreateRole") || strings.HasPrefix(call, "CreatePolicy ") || strings.HasPrefix(call, "Delete") || strings.HasPrefix(call, "CreatePodIdentityAssociation") {
			s.Errorf("AWS was asked for %s", call)
		}
	}
	s.Stepf("with adoptExisting it is ready, and has adopted them")
}

// imageConfigOverride makes a provider run with another DeploymentRuntimeConfig than the Provider names, and so without credentials.
func imageConfigOverride(s *Scenario) {
	// Crossplane compares the prefix with the registry that it really pulls a package from.
	s.Apply(strings.ReplaceAll(`
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata: {name: nodes}
spec: {deploymentTemplate: {spec: {selector: {}, template: {}}}}
---
apiVersion: pkg.crossplane.io/v1beta1
kind: ImageConfig
metadata: {name: nodes}
spec:
  matchImages: [{type: Prefix, prefix: "REGISTRY/upbound/provider-aws-ssm"}]
  runtime: {configRef: {name: nodes}}
`, "REGISTRY", s.registry.Address))
	s.file("parameters", "[{name: ssm}]")
	s.phase("parameters", "ssm", "Failed", "ImageConfig nodes", "DeploymentRuntimeConfig nodes", "To do: ")
	s.Is(time.Minute, "Claim", "parameters", "Ready=False", "ProvidersReady=False/Failed")
	s.Stepf("the claim names the ImageConfig that decides: %v", s.Service(s.Get("Claim", "parameters"), "ssm")["message"])
	s.Delete("ImageConfig", "nodes")
	// Crossplane does not notice: the pods stay as they are.
	s.Is(time.Minute, "Claim", "parameters", "Ready=False", "ProvidersReady=False/ActionRequired")
	provider := s.Get("Provider", "provider-aws-ssm")
	revision := &unstructured.Unstructured{}
	revision.SetAPIVersion(provider.GetAPIVersion())
	revision.SetKind("ProviderRevision")
	revision.SetName(fakes.String(provider, "status", "currentRevision"))
	message := fmt.Sprint(s.Service(s.Get("Claim", "parameters"), "ssm")["message"])
	if !strings.Contains(message, "To do: kubectl annotate providerrevision.pkg.crossplane.io "+revision.GetName()+" looked-at=") {
		s.Errorf("the claim does not say what to do: %s", message)
	}
	s.Stepf("the ImageConfig is gone, and the claim says what to do: %s", message)
	s.merge(revision, `{"metadata":{"annotations":{"looked-at":"now"}}}`)
	s.Is(4*time.Minute, "Claim", "parameters", "Ready=True", "ProvidersReady=True")
	s.onlyPod(time.Minute, "provider-aws-ssm", "has its credentials", s.withCredentials)
	s.Stepf("Crossplane has reconciled the revision, and the provider has its credentials")
}
