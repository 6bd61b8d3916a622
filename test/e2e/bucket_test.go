package e2e

import (
	"errors"
	"strings"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// buckets and queues are created by the composed providers, with the composed permissions, and AWS refuses what those do not allow. The
// claim is that of Seed. At the end it is deleted.
func buckets(s *Scenario) {
	const s3, sqs, config = "crossplane-prod-eu-west-1-s3", "crossplane-prod-eu-west-1-sqs", "team-a-storage"
	s.Namespace = "team-a"
	s.Apply("{apiVersion: v1, kind: Namespace, metadata: {name: team-a}}")
	s.Apply(s.File("example/claim/claim.yaml"))
	s.Edit("storage", `{"spec":{"provider":{"version":"$VERSION"},"services":[{"name":"s3"},{"name":"sqs"}]}}`)
	s.Until(4*time.Minute, "the claim is ready for both services", func() error {
		c := s.Get("Claim", "storage")
		if s.Service(c, "sqs")["phase"] != "Ready" || fakes.Condition(c, "Ready")["status"] != "True" || !strings.Contains(s.Real.Policy(s3), `"s3:*"`) {
			return errors.New(conditions(c))
		}
		return nil
	})
	s.Stepf("the claim is ready, with full access to S3 and SQS")

	s.use(config, s3Bucket("orders"), sqsQueue("events"))
	for name, role := range map[string]string{"orders": s3, "events": sqs} {
		if owner := s.Real.Owner(name); !strings.Contains(owner, ":assumed-role/"+role+"/eks-prod-") {
			s.Errorf("%s was created by %q, and should have been with the role %s, by way of EKS", name, owner, role)
		}
	}
	s.Stepf("a bucket and a queue are created, each with the role of its provider")

	s.Edit("storage", `{"spec":{"services":[{"name":"s3","permissions":{"accessLevel":"ReadOnly"}},
		{"name":"sqs","permissions":{"statements":[{"actions":["sqs:*"],"resources":["arn:aws:sqs:*:*:team-*"]}]}}]}}`)
	s.Until(2*time.Minute, "AWS has the narrower policies", func() error {
		if p := s.Real.Policy(s3) + s.Real.Policy(sqs); strings.Contains(p, `"s3:*"`) || !strings.Contains(p, "team-*") {
			return errors.New(p)
		}
		return nil
	})
	s.manage(config, s3Bucket("invoices"), sqsQueue("jobs"))
	s.use(config, sqsQueue("team-jobs"))
	s.Stepf("a statement for team-* allows a queue of that name")
	s.Stepf("a queue of another name is refused: %s", s.refusal(sqsQueue("jobs"), "AccessDenied", "sqs:"))
	s.Stepf("with ReadOnly a bucket is refused: %s", s.refusal(s3Bucket("invoices"), "AccessDenied", "s3:CreateBucket"))
	if made := append(s.AWS.Has("bucket invoices"), s.AWS.Has("queue jobs")...); len(made) > 0 {
		s.Errorf("AWS has %v, though it refused to create it", made)
	}
	if err := s.notReady(s3Bucket("orders")); err != nil {
		s.Errorf("the existing bucket is no longer ready: %v", err)
	}

	s.Edit("storage", `{"spec":{"services":[{"name":"s3"},{"name":"sqs"}]}}`)
	s.ready(s3Bucket("invoices"), sqsQueue("jobs"))
	for _, sa := range []string{"provider-aws-s3", "provider-aws-sqs"} {
		if rs := s.replicaSets(sa); len(rs) != 1 {
			s.Errorf("%s was restarted: %v", sa, rs)
		}
	}
	s.Stepf("with full access both are created, and no provider was restarted")
	s.Is(3*time.Minute, "Claim", "storage", "Ready=True", "TeardownProtected=True")
	s.outlived("storage", s3Bucket("orders"), s3Bucket("invoices"), sqsQueue("events"), sqsQueue("jobs"), sqsQueue("team-jobs"))
}
