package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// withIRSA is a provider whose ServiceAccount has a role by its annotation.
const withIRSA = `
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: provider-family-aws}
spec: {package: "xpkg.upbound.io/upbound/provider-family-aws:$VERSION"}
---
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata: {name: provider-aws-s3-irsa}
spec: {serviceAccountTemplate: {metadata: {name: provider-aws-s3, annotations: {eks.amazonaws.com/role-arn: "ROLE"}}}}
---
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: provider-aws-s3}
spec: {package: "xpkg.upbound.io/upbound/provider-aws-s3:$VERSION", runtimeConfigRef: {name: provider-aws-s3-irsa}}
`

// fromIRSA moves a provider from IRSA to EKS Pod Identity, as docs/migration-irsa.md says. A pod that starts between the association and
// the move of the managed resources has no credentials of IRSA any more.
func fromIRSA(s *Scenario) {
	const (
		sa   = "provider-aws-s3"
		role = "crossplane-irsa-s3"
		pods = `{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}`
	)
	issuer := s.issuer()
	oidc := fmt.Sprintf(`{"Effect":"Allow","Principal":{"Federated":%q},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{%q:"system:serviceaccount:%s:%s"}}}`,
		s.Real.AddOIDCProvider(issuer), issuer+":sub", controlplane.Namespace, sa)
	trust := func(statements ...string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	}
	arn := s.Real.AddRole(role, trust(oidc), "", s.Real.AddPolicy("irsa-s3-policy", terraformPolicy))
	s.Apply(strings.ReplaceAll(withIRSA, "ROLE", arn))
	s.Is(3*time.Minute, "Provider", "provider-family-aws", "Installed=True", "Healthy=True")
	s.Is(3*time.Minute, "Provider", sa, "Installed=True", "Healthy=True")
	s.Apply(`{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: irsa}, spec: {credentials: {source: IRSA}}}`)
	theirs := s3Bucket("theirs")
	s.use("irsa", theirs)
	if !s.assumedByToken(arn, s.began) {
		s.Error("the provider did not assume its role with a token of its ServiceAccount")
	}
	s.Stepf("a provider has its role by IRSA, and there is a bucket")

	s.install("provider-family-aws")
	s.Real.Retrust(role, trust(oidc, pods))
	before := s.podsOf(sa)
	file := func(path string) {
		s.Helper()
		s.Apply(strings.ReplaceAll(s.File(path), "arn:aws:iam::123456789012:role/irsa-s3", arn))
	}
	file("example/migrate-irsa/xr.yaml")
	s.Is(4*time.Minute, "XR", "storage", "Ready=True")
	s.restarts(sa, 0)
	s.Same("the provider's pods", before, s.podsOf(sa))
	s.use("irsa", theirs)
	s.Stepf("there is an association, nothing is restarted, and the bucket is as it was")

	time.Sleep(15 * time.Second) // Until then EKS may not know the association everywhere.
	s.restart(sa)
	s.podHasPodIdentity(sa)
	s.refusal(theirs, "token file name cannot be empty")
	s.use("storage", theirs)
	s.Stepf("a pod that is lost now loses IRSA, and the bucket works again with the new ProviderConfig")

	s.patch("RuntimeConfig", "provider-aws-s3-irsa", `{"spec":{"serviceAccountTemplate":{"metadata":{"annotations":null}}}}`)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: controlplane.Namespace, Name: sa}}
	s.merge(account, `{"metadata":{"annotations":{"eks.amazonaws.com/role-arn":null}}}`)
	file("example/migrate-irsa/03-hand-over/xr.yaml")
	s.Until(3*time.Minute, "the Provider is handed over", func() error {
		if owners := s.Get("Provider", sa).GetOwnerReferences(); len(owners) == 0 || owners[0].Name != "storage" {
			return fmt.Errorf("it belongs to %v", owners)
		}
		return nil
	})
	s.Is(4*time.Minute, "XR", "storage", "Ready=True", "TeardownProtected=True")
	s.restarts(sa, 1)
	s.Stepf("the Provider is handed over with one restart")
	s.backToIRSA(sa, arn, theirs)

	s.Real.Retrust(role, trust(pods))
	s.use("storage", theirs, s3Bucket("later"))
	s.Stepf("the role trusts EKS Pod Identity alone, and buckets are created")
}

// backToIRSA goes back while the role trusts both, as the page says, and then forward again.
func (s *Scenario) backToIRSA(sa, arn string, bucket managed) {
	s.Helper()
	kubectl := func(command string) { s.run(binaries.Kubectl, strings.Fields(s.expand(command))...) }
	association := s.list(kinds["Association"])[0].GetName()
	kubectl("annotate podidentityassociation.eks.aws.upbound.io " + association + " crossplane.io/paused=true")
	s.Real.Disassociate(controlplane.Namespace, sa)
	kubectl("annotate serviceaccount " + sa + " -n $CROSSPLANE eks.amazonaws.com/role-arn=" + arn)
	since := time.Now()
	kubectl("rollout restart deployment -n $CROSSPLANE " + fakes.String(s.Get("Provider", sa), "status", "currentRevision"))
	s.podHasIRSA(sa)
	s.Until(2*time.Minute, "the bucket is managed with IRSA", func() error {
		if !s.assumedByToken(arn, since) {
			return errors.New("the role was not assumed with a token of the ServiceAccount")
		}
		return s.notReady(bucket)
	})
	s.Stepf("the way back: without the association the provider has IRSA again")

	kubectl("annotate serviceaccount " + sa + " -n $CROSSPLANE eks.amazonaws.com/role-arn-")
	kubectl("annotate podidentityassociation.eks.aws.upbound.io " + association + " crossplane.io/paused-")
	s.podHasPodIdentity(sa)
	s.Is(4*time.Minute, "XR", "storage", "Ready=True", "TeardownProtected=True")
	s.use("storage", bucket)
	s.Stepf("the association is created again, and the provider is restarted with it")
}

// podHasPodIdentity waits until a provider's pod has the credentials of EKS Pod Identity, and none of IRSA.
func (s *Scenario) podHasPodIdentity(sa string) {
	s.Helper()
	s.onlyPod(2*time.Minute, sa, "has the credentials of EKS Pod Identity, and none of IRSA", func(p corev1.Pod) error {
		if err := s.withCredentials(p); err != nil {
			return err
		}
		if env := environment(p); env["AWS_WEB_IDENTITY_TOKEN_FILE"] != "" {
			return fmt.Errorf("pod %s has %v", p.Name, env)
		}
		return nil
	})
}

// podHasIRSA waits until a provider's pod has the credentials of IRSA, and none of EKS Pod Identity.
func (s *Scenario) podHasIRSA(sa string) {
	s.Helper()
	s.onlyPod(2*time.Minute, sa, "has the credentials of IRSA, and none of EKS Pod Identity", func(p corev1.Pod) error {
		if env := environment(p); env["AWS_WEB_IDENTITY_TOKEN_FILE"] == "" || env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] != "" {
			return fmt.Errorf("pod %s has %v", p.Name, env)
		}
		return nil
	})
}

// assumedByToken says whether a role was assumed with a token of a ServiceAccount since then.
func (s *Scenario) assumedByToken(arn string, since time.Time) bool {
	return slices.ContainsFunc(s.Real.All(), func(c aws.Call) bool {
		return c.At.After(since) && c.Action == "AssumeRoleWithWebIdentity" && c.Resource == arn && c.Code == ""
	})
}

// issuer of the tokens of ServiceAccounts, without https://.
func (s *Scenario) issuer() string {
	s.Helper()
	token, err := s.Token(s.ctx, "default", nil)
	if err != nil {
		s.Fatal(err)
	}
	claims := struct {
		Issuer string `json:"iss"`
	}{}
	if err := aws.ClaimsOf(token, &claims); err != nil {
		s.Fatal(err)
	}
	return strings.TrimPrefix(claims.Issuer, "https://")
}
