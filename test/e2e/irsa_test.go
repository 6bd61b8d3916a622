package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
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
	if !slices.ContainsFunc(s.Real.All(), func(c aws.Call) bool {
		return c.Action == "AssumeRoleWithWebIdentity" && c.Resource == arn && c.Code == ""
	}) {
		s.Error("the provider did not assume its role with a token of its ServiceAccount")
	}
	s.Stepf("a provider has its role by IRSA, and there is a bucket")

	s.install("provider-family-aws")
	s.Real.Retrust(role, trust(oidc, pods))
	before := s.Pods(sa)[0].UID
	file := func(path string) {
		s.Helper()
		s.Apply(strings.ReplaceAll(s.File(path), "arn:aws:iam::123456789012:role/irsa-s3", arn))
	}
	file("example/migrate-irsa/xr.yaml")
	s.Is(4*time.Minute, "XR", "storage", "Ready=True")
	s.restarts(sa, 0)
	if now := s.Pods(sa); len(now) != 1 || now[0].UID != before {
		s.Error("the provider was restarted")
	}
	s.use("irsa", theirs)
	s.Stepf("there is an association, nothing is restarted, and the bucket is as it was")

	time.Sleep(15 * time.Second) // Until then EKS may not know the association everywhere.
	s.restart(sa)
	s.Until(2*time.Minute, "a new pod has the credentials of EKS Pod Identity, and none of IRSA", func() error {
		for _, p := range s.Pods(sa) {
			if missing := s.missingCredentials(p); missing != "" {
				return errors.New(missing)
			}
			for _, e := range p.Spec.Containers[0].Env {
				if e.Name == "AWS_WEB_IDENTITY_TOKEN_FILE" {
					return fmt.Errorf("pod %s has %s", p.Name, e.Name)
				}
			}
		}
		return nil
	})
	s.refusal(theirs, "token file name cannot be empty")
	s.use("storage", theirs)
	s.Stepf("a pod that is lost now loses IRSA, and the bucket works again with the new ProviderConfig")

	s.patch("RuntimeConfig", "provider-aws-s3-irsa", `{"spec":{"serviceAccountTemplate":{"metadata":{"annotations":null}}}}`)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: controlplane.Namespace, Name: sa}}
	if err := s.Client.Patch(s.ctx, account, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"eks.amazonaws.com/role-arn":null}}}`))); err != nil {
		s.Fatal(err)
	}
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

	s.Real.Retrust(role, trust(pods))
	s.use("storage", theirs, s3Bucket("later"))
	s.Stepf("the role trusts EKS Pod Identity alone, and buckets are created")
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
