package e2e

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// gitOps applies everything in the order of a repository, before what it depends on exists: the providers of IAM and EKS, and the
// permissions to use their kinds.
func gitOps(s *Scenario) {
	const object = "crossplane-prod-eu-west-1-sqs"
	// Dependency resolution would install the providers at once.
	s.Apply(`
apiVersion: pkg.crossplane.io/v1
kind: Function
metadata: {name: crossplane-contrib-function-pod-identity-provider}
spec: {package: "xpkg.crossplane.io/crossplane-contrib/function-pod-identity-provider:v0.1.0"}
---
apiVersion: pkg.crossplane.io/v1
kind: Configuration
metadata: {name: configuration-pod-identity-provider}
spec: {package: "xpkg.crossplane.io/crossplane-contrib/configuration-pod-identity-provider:v0.1.0", skipDependencyResolution: true}
`)
	s.Until(2*time.Minute, "the claim is accepted", func() error {
		return s.apply(s.expand(`
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProviderClaim
metadata: {name: queues, namespace: $NS}
spec:
  region: eu-west-1
  clusterName: prod
  services: [{name: sqs}]
  provider: {version: $VERSION}
`))
	})
	s.Stepf("the claim is accepted, as soon as its kind exists")
	s.offered()
	claim := s.Is(2*time.Minute, "Claim", "queues", "Synced=True", "Ready=False", "PrerequisitesReady=False/Missing")
	xr := s.XR("queues").GetName()
	s.Stepf("it says what is missing:\n%s", conditions(claim))
	s.Exists(time.Minute, "RuntimeConfig", "provider-aws-sqs")
	calls := s.Calls(xr)
	time.Sleep(2 * time.Minute)
	if n := s.Calls(xr) - calls; n < 8 {
		s.Errorf("the function was called %d times in two minutes while it waits", n)
	}
	s.Is(time.Second, "XR", xr, "Synced=True", "Ready=False")
	s.Stepf("two minutes later it still waits, and is not stuck")

	s.RBAC.Kill()
	providers := s.File("manifests/bootstrap-providers.yaml")
	var others []string
	for doc := range strings.SplitSeq(providers, "\n---") {
		switch {
		case !strings.Contains(doc, "kind: Provider\n"):
			s.Apply(doc)
		case strings.Contains(doc, "provider-aws-eks"):
			others = append(others, doc)
		case strings.Contains(doc, "provider-aws-iam"):
			s.Apply(doc)
		}
		// Crossplane installs the family on its own.
	}
	s.Exists(time.Minute, "CRD", "roles.iam.aws.upbound.io")
	s.Stepf("provider-aws-iam is installed, and Crossplane has no permission for its kinds")
	time.Sleep(15 * time.Second)
	s.Logf("15 seconds later:\n%s", conditions(s.Get("XR", xr)))
	if err := s.RBAC.Start(); err != nil {
		s.Fatal(err)
	}
	s.Exists(4*time.Minute, "Role", object)
	s.Stepf("the permission is granted, and the role exists")
	if s.Get("Association", object) != nil {
		s.Error("there is an association")
	}
	s.Until(time.Minute, "the claim says that only the kind of the association is missing", func() error {
		claim = s.Get("Claim", "queues")
		message := fmt.Sprint(fakes.Condition(claim, "PrerequisitesReady")["message"])
		if strings.Contains(message, "roles.iam") || !strings.Contains(message, "podidentityassociations.eks.aws.upbound.io: missing, install provider-aws-eks") {
			return errors.New(message)
		}
		return nil
	})
	s.Stepf("the claim says what is still missing: %v", fakes.Condition(claim, "PrerequisitesReady")["message"])
	for _, o := range others {
		s.Apply(o)
	}
	s.Exists(time.Minute, "CRD", "podidentityassociations.eks.aws.upbound.io")
	s.Stepf("provider-aws-eks is installed")
	s.Until(time.Minute, "the ProviderConfig is created", func() error { return s.apply(s.File("manifests/bootstrap-providerconfig.yaml")) })
	s.Is(5*time.Minute, "Claim", "queues", "Ready=True", "Synced=True")
	s.Stepf("the claim is ready")
	s.HasCredentials(s.Pods("provider-aws-sqs")[0])

	s.familyOfSomebodyElse("queues")

	s.Apply(s.File("manifests/clusterrole.yaml"))
	// Its Usage would protect the association, and with it the CRD.
	s.Edit("queues", `{"spec":{"teardown":"Unordered"}}`)
	s.noUsages(xr)
	before := s.UIDs("queues")
	crd := s.Get("CRD", "podidentityassociations.eks.aws.upbound.io")
	s.Delete("CRD", crd.GetName())
	s.Until(time.Minute, "the CRD is deleted", func() error {
		if o := s.Get("CRD", crd.GetName()); o == nil || o.GetUID() != crd.GetUID() {
			return nil
		}
		return errThere
	})
	s.Stepf("a CRD is deleted, and its association with it")
	if !s.restored(crd) {
		s.Stepf("Crossplane does not restore it within 20 s: an administrator does")
		unstructured.RemoveNestedField(crd.Object, "metadata", "resourceVersion")
		unstructured.RemoveNestedField(crd.Object, "metadata", "uid")
		unstructured.RemoveNestedField(crd.Object, "status")
		if err := s.Client.Create(s.ctx, crd); err != nil {
			s.Fatal(err)
		}
	}
	s.Is(3*time.Minute, "Association", object, "Ready=True")
	s.Is(3*time.Minute, "Claim", "queues", "Ready=True", "Synced=True")
	s.Stepf("the CRD is restored, and the claim is ready again")
	s.Same("UIDs", before, s.UIDs("queues"), "PodIdentityAssociation/")
}

// familyOfSomebodyElse is the family that Crossplane's dependency resolution installed. A claim cannot manage it, and says so.
func (s *Scenario) familyOfSomebodyElse(claim string) {
	s.Helper()
	const family = "upbound-provider-family-aws"
	before := s.Get("Provider", family)
	s.Edit(claim, `{"spec":{"provider":{"family":"Manage"}}}`)
	got := s.Is(time.Minute, "Claim", claim, "ProvidersReady=False/Conflict", "Synced=True")
	message := fmt.Sprint(fakes.Condition(got, "ProvidersReady")["message"])
	for _, want := range []string{"Provider " + family, "set provider.family: Observe"} {
		if !strings.Contains(message, want) {
			s.Errorf("ProvidersReady does not say %q: %s", want, message)
		}
	}
	s.Edit(claim, `{"spec":{"provider":{"family":null}}}`)
	s.Is(2*time.Minute, "Claim", claim, "Ready=True")
	if after := s.Get("Provider", family); after.GetUID() != before.GetUID() || after.GetGeneration() != before.GetGeneration() || len(after.GetOwnerReferences()) > 0 {
		s.Errorf("the family of another owner was written: generation %d, then %d, owned by %v", before.GetGeneration(), after.GetGeneration(), after.GetOwnerReferences())
	}
	s.Stepf("the family that Crossplane installed stays as it is: %s", message)
}

// restored says whether Crossplane creates a deleted CRD again.
func (s *Scenario) restored(crd *unstructured.Unstructured) bool {
	for range 20 {
		if o := s.Get("CRD", crd.GetName()); o != nil && o.GetUID() != crd.GetUID() {
			return true
		}
		time.Sleep(time.Second)
	}
	return false
}
