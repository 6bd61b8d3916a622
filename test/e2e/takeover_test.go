package e2e

import (
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
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

// terraformBlocks are Terraform's part of that procedure, word for word except for the references to the cluster and the role.
const terraformBlocks = `
resource "aws_iam_policy" "crossplane_s3_policy" {
  name        = "crossplane-eu-west-1-s3-policy"
  description = "Policy for crossplane s3 controller to manage S3 buckets and objects"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "s3:*"
        ]
        Resource = "*" # no resource can be specified because we need to be able create new buckets
      }
    ]
  })
}

data "aws_iam_policy_document" "assume_role" {
  statement {
    effect = "Allow"

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    actions = [
      "sts:AssumeRole",
      "sts:TagSession"
    ]
  }
}

resource "aws_iam_role_policy_attachment" "additional_policies" {
  policy_arn = aws_iam_policy.crossplane_s3_policy.arn
  role       = aws_iam_role.iam_for_s3.name
}

resource "aws_iam_role" "iam_for_s3" {
  name               = "crossplane-eu-west-1-s3-Role"
  assume_role_policy = data.aws_iam_policy_document.assume_role.json
}

resource "aws_eks_pod_identity_association" "crossplane_s3" {
  cluster_name    = "prod"
  namespace       = "crossplane-system"
  service_account = "provider-aws-s3"
  role_arn        = aws_iam_role.iam_for_s3.arn
}
`

// terraformFile is what stays in the Terraform configuration.
const terraformFile = `
provider "aws" {
  region = "eu-west-1"
}
`

// adoptSeed adopts the result of that procedure, as docs/migration.md says, with Terraform: the provider is restarted once, when it is
// handed over, and not before. In the middle it goes back to Terraform, and then forward again.
func adoptSeed(s *Scenario) {
	const (
		sa   = "provider-aws-s3"
		drc  = "provider-aws-pod-id-drc"
		role = "crossplane-eu-west-1-s3-Role"
		arn  = "arn:aws:iam::" + aws.Account + ":role/" + role
		page = "docs/migration.md"
	)
	r := s.reader()
	r.write("main.tf", terraformFile+terraformBlocks)
	r.do("terraform init && terraform apply")
	before := s.Real.Association(controlplane.Namespace, sa)
	if before == nil {
		s.Fatal("Terraform did not create the association")
	}
	time.Sleep(15 * time.Second) // A pod that starts before EKS knows the association has no credentials.
	s.Apply(byHand)
	s.Is(3*time.Minute, "Provider", "provider-family-aws", "Installed=True", "Healthy=True")
	s.Is(3*time.Minute, "Provider", sa, "Installed=True", "Healthy=True")
	s.Apply(byHandConfig)
	s.use(sa, s3Bucket("theirs"))
	s.podHasPodIdentity(sa)
	pod := s.Pods(sa)[0]
	uids := map[string]string{"Provider": string(s.Get("Provider", sa).GetUID()), "RuntimeConfig": string(s.Get("RuntimeConfig", drc).GetUID())}
	unchanged := func(what string) {
		s.Helper()
		s.restarts(sa, 0)
		if now := s.Pods(sa); len(now) != 1 || now[0].UID != pod.UID {
			s.Error("the provider was restarted")
		}
		if x := s.Real.Association(controlplane.Namespace, sa); x == nil || x.ID != before.ID {
			s.Errorf("the association is %+v, and should be %s", x, before.ID)
		}
		s.ready(s3Bucket("theirs"))
		s.Stepf("%s, and nothing is restarted", what)
	}
	unchanged("the procedure is done by hand, and there is a bucket")

	r.asks("look", "Keep the family, Provider provider-family-aws.", "Give provider-aws-iam and provider-aws-eks an identity", "Providers of s3 exist already.")
	r.bootstrap(withAWSCLI)
	r.installs()
	r.edit("example/migrate/xr.yaml", "a-0123456789abcdef0", before.ID)

	r.follow(s.section(page, "## 1. Look"))
	adopt := func() {
		s.Helper()
		r.follow(s.section(page, "## 2. Take it out of Terraform"))
		r.write("main.tf", terraformFile)
		r.do("terraform plan -detailed-exitcode")
		r.follow(s.section(page, "## 3. Adopt it"))
		r.follow(s.section(page, "## 4. Check"))
		xr := s.Is(time.Minute, "XR", "storage", "Ready=True")
		if got := s.Service(xr, "s3"); got["phase"] != "Ready" || got["roleArn"] != arn || got["associationId"] != before.ID {
			s.Errorf("status of the service: %v", got)
		}
		r.follow(s.section(page, "## 5. Move the managed resources"))
		s.Gone(time.Second, "ProviderConfig", sa)
		unchanged("role and association are adopted, and the bucket uses ProviderConfig storage")
	}
	adopt()

	s.Apply(byHandConfig)
	move := shellBlocks(s.section(page, "## 5. Move the managed resources"))[0].commands
	r.do(strings.NewReplacer("provider-aws-s3", "storage", "storage", "provider-aws-s3").Replace(move))
	r.write("main.tf", terraformFile+terraformBlocks)
	imports, push, ok := strings.Cut(strings.ReplaceAll(s.section(page, "## Back to Terraform"), "a-0123456789abcdef0", before.ID), "If nothing else has changed")
	if !ok {
		s.Fatal("the page does not say how to push the old state")
	}
	r.follow(imports)
	s.Gone(time.Minute, "XR", "storage")
	r.do("terraform apply && terraform plan -detailed-exitcode")
	r.follow(push)
	r.do("terraform plan -detailed-exitcode")
	unchanged("everything is Terraform's again")
	adopt()

	r.follow(s.section(page, "## 6. Remove Terraform's policy"))
	if left := s.Real.Has("crossplane-eu-west-1-s3-policy"); len(left) > 0 {
		s.Errorf("AWS still has %v", left)
	}
	s.use("storage", s3Bucket("later"))
	unchanged("the policies from the catalogue are enough")

	r.follow(s.section(page, "## 7. Hand over the Provider"))
	s.Until(3*time.Minute, "the object has the Provider", func() error {
		for kind, name := range map[string]string{"Provider": sa, "RuntimeConfig": drc} {
			o, err := s.find(kind, name)
			if err != nil {
				return err
			}
			if owners := o.GetOwnerReferences(); len(owners) == 0 || owners[0].Name != "storage" {
				return fmt.Errorf("%s belongs to %v", kind, owners)
			}
			if string(o.GetUID()) != uids[kind] {
				s.Fatalf("%s was created again", kind)
			}
		}
		return nil
	})
	xr := s.Is(4*time.Minute, "XR", "storage", "Ready=True", "Synced=True", "TeardownProtected=True")
	if got := s.Service(xr, "s3"); got["phase"] != "Ready" || got["roleName"] != role || got["associationId"] != before.ID || got["providerName"] != sa {
		s.Errorf("status of the service: %v", got)
	}
	s.restarts(sa, 1)
	// The old pod is deleted once the new one is ready.
	s.onlyPod(time.Minute, sa, "is new, and has credentials", func(p corev1.Pod) error {
		if p.UID == pod.UID {
			return errors.New("it is the old one")
		}
		return s.withCredentials(p)
	})
	s.use("storage", s3Bucket("theirs"), s3Bucket("latest"))
	r.asks("doctor", sa, "No problems.")
	s.Stepf("the Provider is handed over with one restart")
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
