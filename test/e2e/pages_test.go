package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// The ways of docs/bootstrap.md, step 2.
const (
	withTerraform = "**With Terraform.**"
	withAWSCLI    = "**With the AWS CLI:**"
)

// identify makes the bootstrap identity in one of the ways of docs/bootstrap.md, step 2.
func (r *reader) identify(way string) {
	r.Helper()
	text := r.section("docs/bootstrap.md", "## 2. Agent, role and associations")
	name, _, _ := strings.Cut(text, "**With eksctl**")
	_, how, ok := strings.Cut(text, way)
	if !ok {
		r.Fatalf("the page has no %q", way)
	}
	how, _, _ = strings.Cut(how, "\n**With")
	r.follow(name + how)
	if way == withTerraform {
		time.Sleep(15 * time.Second) // As the page says. aws.sh waits itself.
	}
}

// bootstrap the cluster as docs/bootstrap.md says, from its step 2 on. The manifest of step 3 is edited.
func (r *reader) bootstrap(way string, edit ...string) {
	r.Helper()
	r.identify(way)
	r.follow(strings.NewReplacer(edit...).Replace(r.section("docs/bootstrap.md", "## 3. Providers")))
	r.follow(r.section("docs/bootstrap.md", "## 4. Check"))
	r.bootstrapHasPodIdentity()
	r.Stepf("provider-aws-iam and -eks are there, with credentials")
}

// bootstrapHasPodIdentity waits until the two providers of the bootstrap have the credentials of EKS Pod Identity.
func (r *reader) bootstrapHasPodIdentity() {
	r.Helper()
	for _, sa := range bootstrapAccounts {
		r.podHasPodIdentity(sa)
	}
}

// haveVersion waits until the providers of services run in a version. Crossplane installs the newest family that fits them.
func (r *reader) haveVersion(version string, services ...string) {
	r.Helper()
	for _, service := range services {
		name := "upbound-provider-aws-" + service
		r.Until(2*time.Minute, name+" is healthy at "+version, func() error {
			o, err := r.find("Provider", name)
			if err != nil {
				return err
			}
			if at := fakes.String(o, "status", "currentIdentifier"); !strings.HasSuffix(at, ":"+version) || fakes.Condition(o, "Healthy")["status"] != "True" {
				return fmt.Errorf("it is at %s:\n%s", at, conditions(o))
			}
			return nil
		})
	}
}

// installs what the quick start says in step 3.
func (r *reader) installs() {
	r.Helper()
	r.follow(r.section("docs/quickstart.md", "## 3. Install"))
	r.offered()
	r.Stepf("the API is installed")
}

// quickStart does what the quick start says, from its step 2 to the end, with the bootstrap that it links to.
func quickStart(s *Scenario) {
	r := s.reader()
	r.asks("look", "Crossplane, and no AWS provider.", "Give provider-aws-iam and provider-aws-eks an identity, then install them from xpkg.upbound.io/upbound: docs/bootstrap.md.")
	r.edit("manifests/bootstrap-providers.yaml", s.version.providerVersion, s.version.olderProvider)
	r.bootstrap(withAWSCLI)
	r.do("docs/bootstrap/aws.sh") // It can be run again.
	r.haveVersion(s.version.olderProvider, "iam", "eks")
	r.follow(s.section("docs/upgrade.md", "## The providers"))
	r.haveVersion(s.version.providerVersion, "iam", "eks")
	s.Stepf("the providers are upgraded from %s to %s", s.version.olderProvider, s.version.providerVersion)
	r.installs()
	for _, step := range []string{"## 4. An identity for s3", "## 5. Use it", "## 6. Hand it to app teams"} {
		r.follow(s.section("docs/quickstart.md", step))
	}
	if owner := s.Real.Owner("hello-123456789012"); !strings.Contains(owner, ":assumed-role/crossplane-prod-eu-west-1-s3/") {
		s.Errorf("the bucket was created by %q, and should have been with the role of s3", owner)
	}
	r.asks("doctor", "upbound-provider-aws-iam", "No problems.")
	s.Stepf("the page's commands work, and print what it says")

	// What the page shows, but cannot run on both versions of Crossplane or without names of the reader's own.
	bucket := s3Bucket("hello-namespaced-123456789012").in("default")
	s.Apply(block(s.File("docs/quickstart.md"), "yaml", "kind: ClusterProviderConfig"))
	s.ready(bucket)
	team := s3Bucket("team-a-files").in("team-a")
	s.use("uploads", team)
	other := s3Bucket("other-files").in("team-a")
	s.manage("uploads", other)
	s.Stepf("a bucket of the namespaced kind works, and one of the team; another name is refused: %s", s.refusal(other, "AccessDenied", "team-a-uploads"))

	s.unuse(team, other)
	r.follow(s.section("docs/quickstart.md", "## 7. Clean up"))
	s.Until(4*time.Minute, "AWS has nothing of it", func() error {
		if left := slices.Concat(s.Real.Has("crossplane-prod-eu-west-1-s3"), s.Real.Has("provider-aws-s3"), s.Real.Has("team-a"), s.Real.Has("hello")); len(left) > 0 {
			return fmt.Errorf("it has %v", left)
		}
		return nil
	})
	s.Stepf("everything is cleaned up")

	uninstall, ways, _ := strings.Cut(s.section("docs/upgrade.md", "## Uninstall"), "With Terraform,")
	_, cli, ok := strings.Cut(ways, "with the AWS CLI:")
	if !ok {
		s.Fatal("the page does not say how to remove the identity with the AWS CLI")
	}
	r.follow(uninstall + cli)
	s.Until(time.Minute, "nothing is left of the installation", func() error {
		left := slices.Concat(s.Real.Has("bootstrap"), s.Real.Has("provider-aws"))
		for _, kind := range []string{"Provider", "Function", "Configuration"} {
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(kinds[kind])
			if err := s.Client.List(s.ctx, list); err != nil {
				return err
			}
			for _, o := range list.Items {
				left = append(left, kind+" "+o.GetName())
			}
		}
		if len(left) > 0 {
			return fmt.Errorf("there are %v", left)
		}
		return nil
	})
	s.Stepf("everything is uninstalled")
}

// bootstrapContrib is the bootstrap with Terraform and the packages of crossplane-contrib.
func bootstrapContrib(s *Scenario) {
	r := s.reader()
	r.bootstrap(withTerraform, "bootstrap-providers.yaml", "bootstrap-providers-contrib.yaml", "upbound-provider-aws-", "crossplane-contrib-provider-aws-")
	r.do("terraform -chdir=docs/bootstrap plan -detailed-exitcode -var cluster_name=prod")
	s.Stepf("Terraform has nothing more to do")
	r.installs()
	r.asks("look", "Set spec.provider.registry: xpkg.crossplane.io/crossplane-contrib in every PodIdentityProvider", "Keep Provider crossplane-contrib-provider-aws-iam: it has credentials from Pod Identity.")
	s.Apply(`
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: queues}
spec: {region: eu-west-1, clusterName: prod, provider: {registry: xpkg.crossplane.io/crossplane-contrib}, services: [{name: sqs}]}
`)
	s.Is(4*time.Minute, "XR", "queues", "Ready=True")
	s.use("queues", sqsQueue("contrib"))
	r.asks("doctor", "xpkg.crossplane.io/crossplane-contrib/provider-aws-sqs", "No problems.")
	s.Stepf("a provider of that registry works with its identity")

	_, uninstall, _ := strings.Cut(s.section("docs/upgrade.md", "## Uninstall"), "With Terraform,")
	uninstall, _, ok := strings.Cut(uninstall, "With eksctl")
	if !ok {
		s.Fatal("the page does not say how to remove the identity with Terraform")
	}
	r.follow(uninstall)
	if left := slices.Concat(s.Real.Has("bootstrap"), s.Real.Has("provider-aws-iam"), s.Real.Has("provider-aws-eks")); len(left) > 0 {
		s.Errorf("AWS still has %v", left)
	}
	s.Stepf("Terraform removes the bootstrap identity")
}

// bootstrapParts is the bootstrap where one of the two providers is there, without credentials and with no ServiceAccount of its own.
func bootstrapParts(s *Scenario) {
	r := s.reader()
	s.Apply(`{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: my-iam}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-iam:$VERSION"}}`)
	s.Is(3*time.Minute, "Provider", "my-iam", "Installed=True", "Healthy=True")
	r.asks("look", "Provider my-iam: xpkg.upbound.io/upbound/provider-aws-iam:"+s.version.providerVersion, "Give Provider my-iam an identity", "Give provider-aws-eks an identity, then install them from xpkg.upbound.io/upbound in version "+s.version.providerVersion)
	s.Stepf("provider-aws-iam is there, without credentials")

	r.identify(withAWSCLI)
	missing := slices.DeleteFunc(strings.Split(s.File("manifests/bootstrap-providers.yaml"), "---\n"), func(o string) bool { return strings.Contains(o, "provider-aws-iam") })
	if len(missing) != 2 {
		s.Fatalf("the manifest has not two objects for eks, but %q", missing)
	}
	r.write("manifests/bootstrap-providers.yaml", strings.Join(missing, "---\n"))
	// The one that is there gets the ServiceAccount of the association.
	s.Apply(`{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: my-iam}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws-iam}}}}`)
	r.do(`kubectl patch provider.pkg.crossplane.io my-iam --type merge -p '{"spec":{"runtimeConfigRef":{"name":"my-iam"}}}'`)
	r.follow(strings.ReplaceAll(s.section("docs/bootstrap.md", "## 3. Providers"), "upbound-provider-aws-iam", "my-iam"))
	r.bootstrapHasPodIdentity()
	r.installs()
	r.follow(s.section("docs/quickstart.md", "## 4. An identity for s3"))
	r.asks("doctor", "my-iam", "No problems.")
	s.Stepf("both have credentials, and there is an identity for s3")

	// What guides for other packages say to apply.
	s.Apply(`{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: second-family}, spec: {package: "xpkg.upbound.io/upbound/provider-family-aws:$VERSION"}}`)
	remedy := "kubectl delete provider.pkg.crossplane.io second-family"
	s.Until(time.Minute, "the doctor says which family to delete", func() error {
		out := r.do("kubectl pod-identity doctor || true")
		if !strings.Contains(out, "keep upbound-provider-family-aws, which owns the CRDs and with them all objects, and run "+remedy+"\n") || strings.Contains(out, "No problems.") {
			return errors.New(out)
		}
		return nil
	})
	r.do(remedy)
	s.Until(2*time.Minute, "the package manager works again", func() error {
		if out := r.do("kubectl pod-identity doctor || true"); !strings.Contains(out, "No problems.") {
			return errors.New(out)
		}
		return nil
	})
	s.Is(time.Minute, "XR", "storage", "Ready=True")
	s.Stepf("the doctor says which of two families to delete, and then it finds no problems")
}
