package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTenantKinds checks that kinds narrow each service of a tenant separately, and that no service gets the actions of another's kinds.
func TestTenantKinds(t *testing.T) {
	id := onHost(`services: [{name: s3, permissions: {kinds: [BucketPolicy]}}, {name: sqs, permissions: {accessLevel: ReadOnly, kinds: [QueuePolicy]}}]`, "s3", "sqs").mustResolve(t)
	want := []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:DeleteBucketPolicy","s3:GetBucketPolicy","s3:PutBucketPolicy"],"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/kubernetes-service-account":"provider-aws-s3"}}},` +
		`{"Effect":"Allow","Action":"sqs:GetQueueAttributes","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/kubernetes-service-account":"provider-aws-sqs"}}}]}`}
	if diff := cmp.Diff(want, id.Tenant.Role.Policies); diff != "" {
		t.Errorf("policies of a tenant with kinds: -want, +got:\n%s", diff)
	}
}
