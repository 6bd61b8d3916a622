package aws

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

const (
	namespace = "crossplane-system"
	anyPod    = `{"Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`
	allowAll  = `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	aboutTags = `{"Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/eks-cluster-name":"prod","aws:RequestTag/kubernetes-namespace":"crossplane-system","aws:RequestTag/kubernetes-service-account":"provider-aws-s3"}}}]}`
)

// clients of everything, with one identity.
type clients struct {
	iam *iam.Client
	eks *eks.Client
	sts *sts.Client
	s3  *s3.Client
	sqs *sqs.Client
}

func start(t *testing.T) *Server {
	t.Helper()
	s, err := New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Latency, s.Settle = 0, 0
	t.Cleanup(s.Close)
	return s
}

// as a caller: RootKey, or the access key of a session.
func (s *Server) as(key string) clients {
	cfg := sdk.Config{Region: Region, BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider(key, "secret", key), RetryMaxAttempts: 1}
	return clients{iam.NewFromConfig(cfg), eks.NewFromConfig(cfg), sts.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), sqs.NewFromConfig(cfg)}
}

// tokenOf claims.
func tokenOf(claims string) string {
	return "header." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".signature"
}

// ask the agent for the credentials of a pod: the access key, or why it refuses.
func (s *Server) ask(t *testing.T, serviceAccount string) (key, refused string) {
	t.Helper()
	claims := fmt.Sprintf(`{"kubernetes.io":{"namespace":%q,"serviceaccount":{"name":%q},"pod":{"name":"pod-1","uid":"uid-1"}}}`, namespace, serviceAccount)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/credentials", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", tokenOf(claims))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		return "", strings.TrimSpace(string(b))
	}
	out := struct {
		Key string `json:"AccessKeyId"`
	}{}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out.Key, ""
}

// code of an error of AWS; empty if there is none.
func code(err error) string {
	var e smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.ErrorCode()
	}
	return err.Error()
}

func wantCode(t *testing.T, what, want string, err error) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("%s: want the error %q, got %q: %v", what, want, got, err)
	}
}

func TestIAM(t *testing.T) {
	s := start(t)
	c, ctx := s.as(RootKey).iam, t.Context()
	role, document := sdk.String("r"), sdk.String(allowAll)
	created, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: role, Path: sdk.String("/a/"), AssumeRolePolicyDocument: sdk.String(anyPod), Description: sdk.String("d"), Tags: []iamtypes.Tag{{Key: sdk.String("k"), Value: sdk.String("v & <w>")}}})
	wantCode(t, "a role is created", "", err)
	if got := created.Role; sdk.ToString(got.Arn) != "arn:aws:iam::"+Account+":role/a/r" || sdk.ToString(got.Tags[0].Value) != "v & <w>" || sdk.ToInt32(got.MaxSessionDuration) != 3600 {
		t.Errorf("the role is %+v", got)
	}
	_, err = c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: role, AssumeRolePolicyDocument: sdk.String(anyPod)})
	wantCode(t, "a role of that name exists", "EntityAlreadyExists", err)
	_, err = c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: sdk.String("other"), AssumeRolePolicyDocument: sdk.String("{")})
	wantCode(t, "a trust policy must be JSON", "MalformedPolicyDocument", err)
	_, err = c.GetRole(ctx, &iam.GetRoleInput{RoleName: sdk.String("none")})
	wantCode(t, "there is no such role", "NoSuchEntity", err)

	made, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: sdk.String("p"), PolicyDocument: document})
	wantCode(t, "a policy is created", "", err)
	arn := made.Policy.Arn
	_, err = c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: sdk.String("arn:aws:iam::aws:policy/Nonsense")})
	wantCode(t, "AWS has no such policy", "NoSuchEntity", err)
	_, err = c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: arn})
	wantCode(t, "it is attached", "", err)
	attached, err := c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: role})
	wantCode(t, "attachments are listed", "", err)
	if len(attached.AttachedPolicies) != 1 || sdk.ToString(attached.AttachedPolicies[0].PolicyName) != "p" {
		t.Errorf("attached is %+v", attached.AttachedPolicies)
	}
	_, err = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	wantCode(t, "a policy that is attached stays", "DeleteConflict", err)
	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role})
	wantCode(t, "a role with policies stays", "DeleteConflict", err)

	for i := 2; i <= maxVersions; i++ {
		_, err = c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: document, SetAsDefault: true})
		wantCode(t, "a version is created", "", err)
	}
	_, err = c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: document})
	wantCode(t, "five versions are enough", "LimitExceeded", err)
	_, err = c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: sdk.String("v5")})
	wantCode(t, "the default version stays", "DeleteConflict", err)
	for i := 1; i < maxVersions; i++ {
		_, err = c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: sdk.String(fmt.Sprintf("v%d", i))})
		wantCode(t, "another version is deleted", "", err)
	}
	_, err = c.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: role, PermissionsBoundary: arn})
	wantCode(t, "a boundary is set", "", err)
	_, err = c.UpdateRoleDescription(ctx, &iam.UpdateRoleDescriptionInput{RoleName: role, Description: sdk.String("")})
	wantCode(t, "the description is removed", "", err)
	want := &Role{ARN: "arn:aws:iam::" + Account + ":role/a/r", Boundary: *arn, MaxSession: "3600", Trust: anyPod, Tags: map[string]string{"k": "v & <w>"}, Attached: []string{*arn}}
	if diff := cmp.Diff(want, s.Role("r")); diff != "" {
		t.Errorf("the role as it is: -want, +got:\n%s", diff)
	}
	_, err = c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: arn})
	wantCode(t, "it is detached", "", err)
	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role})
	wantCode(t, "the role is deleted", "", err)
	_, err = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	wantCode(t, "the policy is deleted", "", err)
	if left := s.Has(""); len(left) > 0 {
		t.Errorf("AWS still has %v", left)
	}
}

// TestBootstrap compares the policy of docs/bootstrap.md with what the providers need, and with what they must not have.
func TestBootstrap(t *testing.T) {
	document, err := os.ReadFile("../../../../docs/bootstrap-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t)
	text := strings.NewReplacer("ACCOUNT_ID", Account, "REGION", Region, "CLUSTER_NAME", Cluster).Replace(string(document))
	s.Associate(namespace, "provider-aws-iam", s.AddRole("podidentity-bootstrap-prod", anyPod, text))
	key, refused := s.ask(t, "provider-aws-iam")
	if refused != "" {
		t.Fatal(refused)
	}
	c, ctx := s.as(key), t.Context()
	role, tags := sdk.String("crossplane-prod-s3"), []iamtypes.Tag{{Key: sdk.String("a"), Value: sdk.String("b")}}
	_, err = c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: role, AssumeRolePolicyDocument: sdk.String(anyPod), Tags: tags})
	wantCode(t, "a role of ours", "", err)
	_, err = c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: sdk.String("admin"), AssumeRolePolicyDocument: sdk.String(anyPod)})
	wantCode(t, "any other role", "AccessDenied", err)
	_, err = c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: sdk.String("x"), PolicyDocument: sdk.String(allowAll)})
	wantCode(t, "an inline policy", "AccessDenied", err)
	p, err := c.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: sdk.String("crossplane-prod-s3"), PolicyDocument: sdk.String(allowAll), Tags: tags})
	wantCode(t, "a policy of ours", "", err)
	_, err = c.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: p.Policy.Arn})
	wantCode(t, "it is attached", "", err)
	_, err = c.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: sdk.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	wantCode(t, "any other policy is not", "AccessDenied", err)
	bootstrapTenants(t, c, p.Policy.Arn)
	in := &eks.CreatePodIdentityAssociationInput{ClusterName: sdk.String(Cluster), Namespace: sdk.String(namespace), ServiceAccount: sdk.String("provider-aws-s3"), RoleArn: sdk.String("arn:aws:iam::" + Account + ":role/" + *role), Tags: map[string]string{"a": "b"}}
	x, err := c.eks.CreatePodIdentityAssociation(ctx, in)
	wantCode(t, "an association with a role of ours", "", err)
	_, err = c.eks.CreatePodIdentityAssociation(ctx, in)
	wantCode(t, "the same again, with the token that the client set", "", err)
	in.ClientRequestToken = nil
	_, err = c.eks.CreatePodIdentityAssociation(ctx, in)
	wantCode(t, "the same again, with another token", "ResourceInUseException", err)
	in.RoleArn, in.ServiceAccount, in.ClientRequestToken = sdk.String("arn:aws:iam::"+Account+":role/admin"), sdk.String("other"), nil
	_, err = c.eks.CreatePodIdentityAssociation(ctx, in)
	wantCode(t, "an association with any other role", "AccessDeniedException", err)
	in.ClusterName, in.ClientRequestToken = sdk.String("another"), nil
	_, err = c.eks.CreatePodIdentityAssociation(ctx, in)
	wantCode(t, "an association in another cluster", "AccessDeniedException", err)
	_, err = c.eks.UpdatePodIdentityAssociation(ctx, &eks.UpdatePodIdentityAssociationInput{ClusterName: sdk.String(Cluster), AssociationId: x.Association.AssociationId, DisableSessionTags: sdk.Bool(true)})
	wantCode(t, "it is changed", "", err)
	if got := s.Association(namespace, "provider-aws-s3"); !got.NoSessionTags || got.Role != "arn:aws:iam::"+Account+":role/"+*role {
		t.Errorf("the association is %+v", got)
	}
	_, err = c.s3.ListBuckets(ctx, nil)
	if err == nil {
		t.Error("the bootstrap identity may list buckets")
	}
	_, err = c.eks.DeletePodIdentityAssociation(ctx, &eks.DeletePodIdentityAssociationInput{ClusterName: sdk.String(Cluster), AssociationId: x.Association.AssociationId})
	wantCode(t, "it is deleted", "", err)
}

// bootstrapTenants creates the role of a tenant, changes and deletes it, and tries what is not allowed.
func bootstrapTenants(t *testing.T, c clients, policy *string) {
	t.Helper()
	ctx, role, path := t.Context(), sdk.String("crossplane-prod-eu-west-1-team-a-storage"), "/crossplane/"+Cluster+"/team-a/"
	create := func(name *string, path string) error {
		_, err := c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, Path: sdk.String(path), AssumeRolePolicyDocument: sdk.String(anyPod), Tags: []iamtypes.Tag{{Key: sdk.String("a"), Value: sdk.String("b")}}})
		return err
	}
	wantCode(t, "the role of a tenant", "", create(role, path))
	wantCode(t, "one of another cluster", "AccessDenied", create(sdk.String("crossplane-other"), "/crossplane/another/team-a/"))
	wantCode(t, "one of another path", "AccessDenied", create(sdk.String("crossplane-other"), "/admin/"))
	_, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: role})
	wantCode(t, "it is read", "", err)
	_, err = c.iam.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: role, PolicyDocument: sdk.String(anyPod)})
	wantCode(t, "its trust policy is changed", "", err)
	_, err = c.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: policy})
	wantCode(t, "a policy is attached", "", err)
	_, err = c.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: sdk.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	wantCode(t, "any other policy is not", "AccessDenied", err)
	_, err = c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: sdk.String("x"), PolicyDocument: sdk.String(allowAll)})
	wantCode(t, "an inline policy is not, either", "AccessDenied", err)
	_, err = c.eks.CreatePodIdentityAssociation(ctx, &eks.CreatePodIdentityAssociationInput{ClusterName: sdk.String(Cluster), Namespace: sdk.String(namespace), ServiceAccount: sdk.String("any"), RoleArn: sdk.String("arn:aws:iam::" + Account + ":role" + path + *role)})
	wantCode(t, "it cannot be passed to EKS", "AccessDeniedException", err)
	_, err = c.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: policy})
	wantCode(t, "the policy is detached", "", err)
	_, err = c.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role})
	wantCode(t, "it is deleted", "", err)
}

func TestAgent(t *testing.T) {
	s := start(t)
	s.Associate(namespace, "provider-aws-s3", s.AddRole("storage", aboutTags, allowAll))
	s.Associate(namespace, "provider-aws-sqs", "arn:aws:iam::"+Account+":role/storage")
	s.Associate(namespace, "gone", "arn:aws:iam::"+Account+":role/gone")

	key, refused := s.ask(t, "provider-aws-s3")
	if refused != "" {
		t.Fatal(refused)
	}
	id, err := s.as(key).sts.GetCallerIdentity(t.Context(), nil)
	wantCode(t, "credentials of the agent", "", err)
	if got, want := sdk.ToString(id.Arn), "arn:aws:sts::"+Account+":assumed-role/storage/eks-prod-pod-1"; got != want {
		t.Errorf("the caller is %s, and should be %s", got, want)
	}
	for serviceAccount, want := range map[string]string{
		"provider-aws-sqs": "Unauthorized Exception!",               // The role is another ServiceAccount's.
		"gone":             "Unauthorized Exception!",               // The role does not exist.
		"nobody":           "No pod identity association found for", // There is no association.
	} {
		if _, refused := s.ask(t, serviceAccount); !strings.Contains(refused, want) {
			t.Errorf("%s: the agent says %q, and should say %q", serviceAccount, refused, want)
		}
	}

	// Without session tags a role that requires them trusts no caller.
	_, err = s.as(RootKey).eks.UpdatePodIdentityAssociation(t.Context(), &eks.UpdatePodIdentityAssociationInput{ClusterName: sdk.String(Cluster), AssociationId: sdk.String(s.Association(namespace, "provider-aws-s3").ID), DisableSessionTags: sdk.Bool(true)})
	wantCode(t, "session tags are disabled", "", err)
	if _, refused := s.ask(t, "provider-aws-s3"); !strings.Contains(refused, "Unauthorized Exception!") {
		t.Errorf("without session tags the agent says %q", refused)
	}

	s.Expire("storage")
	_, err = s.as(key).sts.GetCallerIdentity(t.Context(), nil)
	wantCode(t, "a session that is over", "ExpiredToken", err)
	s.Settle = time.Hour
	_, err = s.as(RootKey).eks.CreatePodIdentityAssociation(t.Context(), &eks.CreatePodIdentityAssociationInput{ClusterName: sdk.String(Cluster), Namespace: sdk.String(namespace), ServiceAccount: sdk.String("new"), RoleArn: sdk.String("arn:aws:iam::" + Account + ":role/storage")})
	wantCode(t, "an association is created", "", err)
	if _, refused := s.ask(t, "new"); !strings.Contains(refused, "No pod identity association found for") {
		t.Errorf("for an association that EKS does not know everywhere the agent says %q", refused)
	}
}

// TestChain assumes one role after the other: session tags are passed on, and both sides must agree.
func TestChain(t *testing.T) {
	const toTarget = `{"Statement":[{"Effect":"Allow","Action":[%s],"Resource":"arn:aws:iam::123456789012:role/target"}]}`
	trusting := func(condition string) string {
		return `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"` + condition + `},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:TagSession"}]}`
	}
	both := fmt.Sprintf(toTarget, `"sts:AssumeRole","sts:TagSession"`)
	cases := map[string]struct {
		reason        string
		trust, inline string
		in            sts.AssumeRoleInput
		want          string
	}{
		"BothAgree":     {reason: "The trust policy and the caller's own allow it.", trust: trusting(""), inline: both},
		"NotItsOwn":     {reason: "A trusted account's role needs its own permission.", trust: trusting(""), inline: allowNothing, want: "AccessDenied"},
		"NoTagSession":  {reason: "Session tags are passed on, which needs TagSession.", trust: trusting(""), inline: fmt.Sprintf(toTarget, `"sts:AssumeRole"`), want: "AccessDenied"},
		"PrincipalTag":  {reason: "The tags of the caller's session count.", trust: trusting(`,"Condition":{"StringEquals":{"aws:PrincipalTag/kubernetes-service-account":"host"}}`), inline: both},
		"OtherTag":      {reason: "The tags of another session do not.", trust: trusting(`,"Condition":{"StringEquals":{"aws:PrincipalTag/kubernetes-service-account":"other"}}`), inline: both, want: "AccessDenied"},
		"PrincipalArn":  {reason: "aws:PrincipalArn is the role.", trust: trusting(`,"Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/host"}}`), inline: both},
		"ExternalID":    {reason: "The external ID is a key of AssumeRole.", trust: trusting(`,"Condition":{"StringEquals":{"sts:ExternalId":"secret"}}`), inline: both, in: sts.AssumeRoleInput{ExternalId: sdk.String("secret")}},
		"NoExternalID":  {reason: "Without it the role stays closed.", trust: trusting(`,"Condition":{"StringEquals":{"sts:ExternalId":"secret"}}`), inline: both, want: "AccessDenied"},
		"TrustsNobody":  {reason: "The role must trust the caller.", trust: anyPod, inline: both, want: "AccessDenied"},
		"ExplicitDeny":  {reason: "A deny of the caller's own wins.", trust: trusting(""), inline: `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}]}`, want: "AccessDenied"},
		"RoleIsTrusted": {reason: "A role of the account that is trusted itself needs no permission.", trust: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/host"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`, inline: allowNothing},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Associate(namespace, "host", s.AddRole("host", anyPod, tc.inline))
			tc.in.RoleArn, tc.in.RoleSessionName = sdk.String(s.AddRole("target", tc.trust, "")), sdk.String("s")
			key, refused := s.ask(t, "host")
			if refused != "" {
				t.Fatal(refused)
			}
			_, err := s.as(key).sts.AssumeRole(t.Context(), &tc.in)
			wantCode(t, tc.reason, tc.want, err)
		})
	}
}

const allowNothing = `{"Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*"}]}`

// TestTarget is an association with a target role: EKS assumes it with the external ID.
func TestTarget(t *testing.T) {
	s := start(t)
	s.AddRole("host", anyPod, allowAll)
	s.AddRole("target", anyPod, allowAll)
	_, err := s.as(RootKey).eks.CreatePodIdentityAssociation(t.Context(), &eks.CreatePodIdentityAssociationInput{ClusterName: sdk.String(Cluster), Namespace: sdk.String(namespace), ServiceAccount: sdk.String("sa"), RoleArn: sdk.String("arn:aws:iam::" + Account + ":role/host"), TargetRoleArn: sdk.String("arn:aws:iam::" + Account + ":role/target")})
	wantCode(t, "an association with a target", "", err)
	if _, refused := s.ask(t, "sa"); refused == "" {
		t.Error("EKS assumes a target role that does not trust the first")
	}
	x := s.associated(namespace, "sa")
	s.AddRole("target", `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"`+x.externalID+`"}}},{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:TagSession","Condition":{"StringEquals":{"aws:RequestTag/kubernetes-service-account":"sa"}}}]}`, allowAll)
	key, refused := s.ask(t, "sa")
	if refused != "" {
		t.Fatal(refused)
	}
	id, err := s.as(key).sts.GetCallerIdentity(t.Context(), nil)
	wantCode(t, "the target's credentials", "", err)
	if !strings.Contains(sdk.ToString(id.Arn), ":assumed-role/target/") {
		t.Errorf("the caller is %s", sdk.ToString(id.Arn))
	}
}

// TestBoundary checks that a boundary limits what policies allow.
func TestBoundary(t *testing.T) {
	s := start(t)
	p, err := s.as(RootKey).iam.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: sdk.String("boundary"), PolicyDocument: sdk.String(`{"Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`)})
	wantCode(t, "a boundary", "", err)
	s.Associate(namespace, "sa", s.AddRole("limited", anyPod, allowAll))
	_, err = s.as(RootKey).iam.PutRolePermissionsBoundary(t.Context(), &iam.PutRolePermissionsBoundaryInput{RoleName: sdk.String("limited"), PermissionsBoundary: p.Policy.Arn})
	wantCode(t, "it is set", "", err)
	key, _ := s.ask(t, "sa")
	_, err = s.as(key).sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: sdk.String("q")})
	wantCode(t, "what both allow", "", err)
	_, err = s.as(key).s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: sdk.String("b")})
	wantCode(t, "what the boundary does not", "AccessDenied", err)
}

func TestBucketsAndQueues(t *testing.T) {
	s := start(t)
	s.Associate(namespace, "provider-aws-s3", s.AddRole("storage", anyPod, `{"Statement":[{"Effect":"Allow","Action":["s3:*","sqs:*"],"Resource":["arn:aws:s3:::team-*","arn:aws:sqs:*:*:team-*"]}]}`))
	key, _ := s.ask(t, "provider-aws-s3")
	c, ctx := s.as(key), t.Context()

	_, err := c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: sdk.String("team-a")})
	wantCode(t, "a bucket of the team", "", err)
	_, err = c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: sdk.String("other")})
	wantCode(t, "any other bucket", "AccessDenied", err)
	_, err = c.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: sdk.String("team-b")})
	wantCode(t, "a bucket that does not exist", "NotFound", err)
	_, err = c.s3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: sdk.String("team-a"), Tagging: &s3types.Tagging{TagSet: []s3types.Tag{{Key: sdk.String("k"), Value: sdk.String("v")}}}})
	wantCode(t, "its tags are set", "", err)
	tags, err := c.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: sdk.String("team-a")})
	wantCode(t, "and read", "", err)
	if len(tags.TagSet) != 1 || sdk.ToString(tags.TagSet[0].Value) != "v" {
		t.Errorf("the tags are %v", tags.TagSet)
	}
	_, err = c.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: sdk.String("team-a")})
	wantCode(t, "it has no policy", "NoSuchBucketPolicy", err)
	if got := s.Owner("team-a"); !strings.Contains(got, ":assumed-role/storage/") {
		t.Errorf("the owner of the bucket is %s", got)
	}
	_, err = c.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: sdk.String("team-a")})
	wantCode(t, "the bucket is deleted", "", err)

	q, err := c.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: sdk.String("team-q"), Tags: map[string]string{"k": "v"}})
	wantCode(t, "a queue of the team", "", err)
	attributes, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: q.QueueUrl})
	wantCode(t, "its attributes", "", err)
	if got, want := attributes.Attributes["QueueArn"], "arn:aws:sqs:"+Region+":"+Account+":team-q"; got != want {
		t.Errorf("its ARN is %s, and should be %s", got, want)
	}
	_, err = c.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: sdk.String("team-none")})
	wantCode(t, "a queue that does not exist", "AWS.SimpleQueueService.NonExistentQueue", err)
	_, err = c.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: q.QueueUrl})
	wantCode(t, "the queue is deleted", "", err)
	if left := s.Has("team-"); len(left) > 0 {
		t.Errorf("AWS still has %v", left)
	}
}

func TestFaults(t *testing.T) {
	create := func(s *Server, name string) error {
		_, err := s.as(RootKey).iam.CreateRole(context.Background(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: sdk.String(anyPod)})
		return err
	}
	cases := map[string]struct {
		reason string
		fault  Fault
		// want are the errors of creating role ours-1 twice, and then other-1.
		want []string
	}{
		"Denied":    {reason: "A fault is for the names that its pattern matches.", fault: Fault{Action: "CreateRole", Resource: "ours-*", Code: "AccessDenied"}, want: []string{"AccessDenied", "AccessDenied", ""}},
		"Once":      {reason: "A fault may end after a number of calls.", fault: Fault{Resource: "ours-*", Code: "Throttling", Times: 1}, want: []string{"Throttling", "", ""}},
		"LostReply": {reason: "The action may be carried out despite the error.", fault: Fault{Resource: "ours-*", Code: "ServiceFailure", LostReply: true, Times: 1}, want: []string{"ServiceFailure", "EntityAlreadyExists", ""}},
		"Other":     {reason: "A fault is for its action only.", fault: Fault{Action: "Delete*", Code: "AccessDenied"}, want: []string{"", "EntityAlreadyExists", ""}},
		"Slow":      {reason: "A fault may only delay the answer.", fault: Fault{Latency: time.Millisecond}, want: []string{"", "EntityAlreadyExists", ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			remove := s.Inject(tc.fault)
			got := []string{code(create(s, "ours-1")), code(create(s, "ours-1")), code(create(s, "other-1"))}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			remove()
			if err := create(s, "ours-2"); err != nil {
				t.Errorf("after it was removed: %v", err)
			}
		})
	}
}

// TestCalls checks the calls that scenarios look for.
func TestCalls(t *testing.T) {
	s := start(t)
	c := s.as(RootKey).iam
	_, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: sdk.String("r"), AssumeRolePolicyDocument: sdk.String(anyPod)})
	wantCode(t, "a role", "", err)
	_, err = c.GetRole(t.Context(), &iam.GetRoleInput{RoleName: sdk.String("r")})
	wantCode(t, "it is read", "", err)
	_, err = c.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: sdk.String("none")})
	wantCode(t, "another is deleted", "NoSuchEntity", err)
	if diff := cmp.Diff([]string{"CreateRole r"}, s.Calls()); diff != "" {
		t.Errorf("calls that changed something: -want, +got:\n%s", diff)
	}
	if got := len(s.All()); got != 3 {
		t.Errorf("there were 3 calls, and it counts %d", got)
	}
}

// TestAge makes some things older, and leaves others as they are, because scenarios share the account.
func TestAge(t *testing.T) {
	s := start(t)
	for _, name := range []string{"ours", "theirs"} {
		s.Associate(namespace, name, s.AddRole(name, anyPod, "", s.AddPolicy(name, allowAll)))
	}
	ages := func() map[string]time.Duration {
		out := map[string]time.Duration{}
		for name, x := range s.roles {
			out["role "+name] = time.Since(x.created).Round(time.Hour)
		}
		for arn, x := range s.policies {
			if !strings.HasPrefix(arn, "arn:aws:iam::aws:") {
				out["policy "+x.name] = time.Since(x.created).Round(time.Hour)
			}
		}
		for _, x := range s.associations {
			out["association "+x.serviceAccount] = time.Since(x.created).Round(time.Hour)
		}
		return out
	}
	s.Age("ours")
	want := map[string]time.Duration{
		"role ours": 2 * dayOld, "policy ours": 2 * dayOld, "association ours": 2 * dayOld,
		"role theirs": dayOld, "policy theirs": dayOld, "association theirs": dayOld,
	}
	if diff := cmp.Diff(want, ages()); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

// TestBehind does what scenarios do to the account as another user.
func TestBehind(t *testing.T) {
	s := start(t)
	s.AddPolicy("p", allowNothing)
	s.AddRole("r", anyPod, "", "arn:aws:iam::"+Account+":policy/p")
	s.Associate(namespace, "sa", "arn:aws:iam::"+Account+":role/r")
	key, refused := s.ask(t, "sa")
	if refused != "" {
		t.Fatal(refused)
	}
	create := func(name string) error {
		_, err := s.as(key).sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: sdk.String(name)})
		return err
	}
	wantCode(t, "a policy that allows nothing", "AccessDenied", create("a"))
	s.Rewrite("p", allowAll)
	wantCode(t, "the policy is another", "", create("b"))
	s.RemovePolicy("p")
	wantCode(t, "there is no policy", "AccessDenied", create("c"))
	if r := s.Role("r"); len(r.Attached) > 0 {
		t.Errorf("the policy is gone, and still attached: %v", r.Attached)
	}
	s.Grant("r", "more", allowAll)
	wantCode(t, "the role has an inline policy", "", create("d"))
	s.Retrust("r", `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`)
	if _, refused := s.ask(t, "sa"); !strings.Contains(refused, "Unauthorized Exception!") {
		t.Errorf("the role does not trust EKS any more, and the agent says %q", refused)
	}
	s.RemoveRole("r")
	wantCode(t, "the session's role is gone", "AccessDenied", create("e"))
	if s.Role("r") != nil {
		t.Error("the role still exists")
	}
}
