package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// allOfS3 are the permissions of the role for s3.
const allOfS3 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*"}]}`

// irsaFamily is the family of the providers with IRSA.
const irsaFamily = `
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: provider-family-aws}
spec: {package: "xpkg.upbound.io/upbound/provider-family-aws:$VERSION"}
`

// irsaProvider is a provider whose ServiceAccount has a role by its annotation.
const irsaProvider = `
---
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata: {name: PROVIDER-irsa}
spec: {serviceAccountTemplate: {metadata: {name: PROVIDER, annotations: {eks.amazonaws.com/role-arn: "ROLE"}}}}
---
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: PROVIDER}
spec: {package: "xpkg.upbound.io/upbound/PROVIDER:$VERSION", runtimeConfigRef: {name: PROVIDER-irsa}}
`

// fromIRSA moves a provider from IRSA to EKS Pod Identity, as docs/migration-irsa.md says, and then the two of the bootstrap. A pod that
// starts between the association and the move of the managed resources has no credentials of IRSA any more.
func fromIRSA(s *Scenario) {
	const (
		sa   = "provider-aws-s3"
		role = "irsa-s3"
		page = "docs/migration-irsa.md"
	)
	r := s.reader()
	issuer := s.issuer()
	oidc := func(account string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":%q},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{%q:"system:serviceaccount:%s:%s"}}}]}`,
			s.Real.AddOIDCProvider(issuer), issuer+":sub", controlplane.Namespace, account)
	}
	arn := s.Real.AddRole(role, oidc(sa), "", s.Real.AddPolicy("irsa-s3-policy", allOfS3))
	permissions := s.withOwnRole(arn)
	bootstrap := s.Real.AddRole("irsa-bootstrap", oidc("provider-aws-*"), permissions)
	s.Apply(irsaFamily)
	for provider, role := range map[string]string{sa: arn, "provider-aws-iam": bootstrap, "provider-aws-eks": bootstrap} {
		s.Apply(strings.NewReplacer("PROVIDER", provider, "ROLE", role).Replace(irsaProvider))
		s.Is(3*time.Minute, "Provider", provider, "Installed=True", "Healthy=True")
	}
	s.Is(3*time.Minute, "Provider", "provider-family-aws", "Installed=True", "Healthy=True")
	for _, config := range []string{"irsa", "default"} {
		s.Apply("{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: " + config + "}, spec: {credentials: {source: IRSA}}}")
	}
	theirs := s3Bucket("theirs")
	s.use("irsa", theirs)
	if !s.assumedByToken(arn, s.began) {
		s.Error("the provider did not assume its role with a token of its ServiceAccount")
	}
	r.asks("look", "Keep Provider provider-aws-iam: it has the role "+bootstrap+" from IRSA, which works.")
	s.Stepf("providers have their roles by IRSA, and there is a bucket")

	r.installs()
	r.follow(s.section(page, "## 1. Look"))
	r.asks("doctor", arn+" IRSA", "No problems.")
	both := s.section(page, "## 2. Let the role trust both")
	r.write("both.json", strings.Replace(oidc(sa), "[", "["+block(both, "json", "pods.eks.amazonaws.com")+",", 1))
	const edit = "# Edit trust.json: both statements."
	if !strings.Contains(both, edit) {
		s.Fatal("the page does not say when to edit trust.json")
	}
	r.follow(strings.ReplaceAll(both, edit, "cp both.json trust.json"))
	before := s.podsOf(sa)
	r.follow(s.section(page, "## 3. Create the association"))
	s.restarts(sa, 0)
	s.Same("the provider's pods", before, s.podsOf(sa))
	s.ready(theirs)
	s.Stepf("there is an association, nothing is restarted, and the bucket is as it was")

	time.Sleep(15 * time.Second) // Until then EKS may not know the association everywhere.
	s.restart(sa)
	s.podHasPodIdentity(sa)
	s.refusal(theirs, "token file name cannot be empty")
	r.follow(s.section(page, "## 4. Move the managed resources"))
	s.ready(theirs)
	s.Stepf("a pod that is lost now loses IRSA, and the bucket works again with the new ProviderConfig")

	restart, back, ok := strings.Cut(s.section(page, "## 5. Restart with Pod Identity"), "**To go back**")
	if !ok {
		s.Fatal("the page does not say how to go back")
	}
	r.follow(restart)
	s.Is(4*time.Minute, "XR", "storage", "Ready=True", "TeardownProtected=True")
	s.restarts(sa, 1)
	s.podHasPodIdentity(sa)
	s.Stepf("the Provider is handed over with one restart")
	r.backToIRSA(back, sa, arn, theirs)

	drop := s.section(page, "## 6. Drop the trust in the OIDC provider")
	r.write("trust.json", `{"Version":"2012-10-17","Statement":[`+block(both, "json", "pods.eks.amazonaws.com")+`]}`)
	r.follow(drop)
	s.use("storage", theirs, s3Bucket("later"))
	s.Stepf("the role trusts EKS Pod Identity alone, and buckets are created")

	config, associations, ok := strings.Cut(s.section(page, "## The bootstrap providers"), "Create their role and associations")
	if !ok {
		s.Fatal("the page does not say when to create the associations of iam and eks")
	}
	r.follow(config)
	r.write("docs/bootstrap-policy.json", permissions)
	r.identify(withAWSCLI)
	r.follow(associations)
	r.bootstrapHasPodIdentity()
	since := time.Now()
	s.patch("XR", "storage", `{"spec":{"tags":{"moved":"yes"}}}`)
	s.Until(3*time.Minute, "the association is tagged with the new identity", func() error {
		for _, c := range s.Real.All() {
			if c.At.After(since) && c.Action == "TagResource" && c.Code == "" && strings.Contains(c.Caller, ":assumed-role/"+bootstrapRole+"/") {
				return nil
			}
		}
		return errors.New("not yet")
	})
	r.asks("doctor", "provider-aws-iam", "No problems.")
	s.Stepf("the bootstrap providers have moved, too")
}

// withOwnRole is the policy of the bootstrap identity that may also pass a role of the reader's own, as docs/bootstrap.md says.
func (s *Scenario) withOwnRole(arn string) string {
	s.Helper()
	policy, err := bootstrapPolicy()
	if err != nil {
		s.Fatal(err)
	}
	passed := `"Resource": "arn:aws:iam::` + aws.Account + `:role/crossplane-*"`
	i := strings.Index(policy, `"PassRoles"`)
	more := block(s.section("docs/bootstrap.md", "## Settings that need more permissions"), "json", "ReadOwnRole")
	if i < 0 || !strings.Contains(policy[i:], passed) || more == "" {
		s.Fatal("the policy or its page are not what this suite knows")
	}
	policy = policy[:i] + strings.Replace(policy[i:], passed, strings.Replace(passed, ": ", ": [", 1)+`, "`+arn+`"]`, 1)
	return strings.Replace(policy, `"Statement": [`, `"Statement": [`+strings.ReplaceAll(more, "ROLE_ARN", arn)+",", 1)
}

// backToIRSA goes back while the role trusts both, as the page says, and then forward again.
func (r *reader) backToIRSA(page, sa, arn string, bucket managed) {
	r.Helper()
	associations := r.list(kinds["Association"])
	if len(associations) != 1 {
		r.Fatalf("there are %d associations", len(associations))
	}
	association := associations[0]
	page = strings.NewReplacer(
		"podidentityassociation.eks.aws.upbound.io NAME", "podidentityassociation.eks.aws.upbound.io "+association.GetName(),
		"--association-id ID", "--association-id "+fakes.String(&association, "status", "atProvider", "associationId"),
		"-n crossplane-system NAME", "-n crossplane-system "+fakes.String(r.Get("Provider", sa), "status", "currentRevision"),
	).Replace(page)
	back, forward, ok := strings.Cut(page, "To move on again")
	if !ok {
		r.Fatal("the page does not say how to move on again")
	}
	since := time.Now()
	r.follow(back)
	r.podHasIRSA(sa)
	r.Until(2*time.Minute, "the bucket is managed with IRSA", func() error {
		if !r.assumedByToken(arn, since) {
			return errors.New("the role was not assumed with a token of the ServiceAccount")
		}
		return r.notReady(bucket)
	})
	r.Stepf("the way back: without the association the provider has IRSA again")

	r.follow(forward)
	r.podHasPodIdentity(sa)
	r.Is(4*time.Minute, "XR", "storage", "Ready=True", "TeardownProtected=True")
	r.use("storage", bucket)
	r.Stepf("the association is created again, and the provider is restarted with it")
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
