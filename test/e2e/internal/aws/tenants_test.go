package aws

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"sigs.k8s.io/yaml"
)

// A composedObject has the fields of composed resources that matter here.
type composedObject struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		ForProvider struct {
			Trust          string `json:"assumeRolePolicy"`
			Path           string `json:"path"`
			Policy         string `json:"policy"`
			Namespace      string `json:"namespace"`
			ServiceAccount string `json:"serviceAccount"`
			PolicyRef      named  `json:"policyArnRef"`
			RoleRef        named  `json:"roleRef"`
			RoleARNRef     named  `json:"roleArnRef"`
		} `json:"forProvider"`
		Chain []hop `json:"assumeRoleChain"`
	} `json:"spec"`
}

type named struct {
	Name string `json:"name"`
}

// A hop of a ProviderConfig's chain.
type hop struct {
	RoleARN    string `json:"roleARN"`
	ExternalID string `json:"externalID"`
}

// compose creates in AWS what the expected output of a step of an example says, and returns the role that its ProviderConfig assumes.
func (s *Server) compose(t *testing.T, step string) hop {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "example", step, "expected.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c, ctx, arns, to := s.as(RootKey), t.Context(), map[string]string{}, hop{}
	var objects []composedObject
	for doc := range strings.SplitSeq(strings.ReplaceAll(string(b), "111122223333", Account), "\n---\n") {
		o := composedObject{}
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
	}
	for _, o := range objects {
		name, p := sdk.String(o.Metadata.Annotations["crossplane.io/external-name"]), &o.Spec.ForProvider
		switch o.Kind {
		case "Role":
			path := p.Path
			if path == "" {
				path = "/"
			}
			out, err := c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, Path: &path, AssumeRolePolicyDocument: &p.Trust})
			wantCode(t, "role "+o.Metadata.Name, "", err)
			arns["role/"+o.Metadata.Name] = *out.Role.Arn
		case "Policy":
			out, err := c.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: name, PolicyDocument: &p.Policy})
			wantCode(t, "policy "+o.Metadata.Name, "", err)
			arns["policy/"+o.Metadata.Name] = *out.Policy.Arn
		case "ProviderConfig":
			if len(o.Spec.Chain) > 0 {
				to = o.Spec.Chain[0]
			}
		}
	}
	for _, o := range objects {
		switch p := &o.Spec.ForProvider; o.Kind {
		case "RolePolicyAttachment":
			role := arns["role/"+p.RoleRef.Name]
			_, err := c.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: sdk.String(role[strings.LastIndex(role, "/")+1:]), PolicyArn: sdk.String(arns["policy/"+p.PolicyRef.Name])})
			wantCode(t, "attachment "+o.Metadata.Name, "", err)
		case "PodIdentityAssociation":
			s.Associate(p.Namespace, p.ServiceAccount, arns["role/"+p.RoleARNRef.Name])
		}
	}
	return to
}

// TestTenants creates in AWS what the function composes for a host and for two teams, and tries every lock between them with a pod that has
// the key to all others. The pods do what a provider does: they ask the agent, and then assume the role of a ProviderConfig.
func TestTenants(t *testing.T) {
	s := start(t)
	s.compose(t, "tenant-host/03-ready")
	teamA, teamB := s.compose(t, "tenant/04-ready"), s.compose(t, "two-tenants/02-ready")
	if teamA.RoleARN == "" || teamB.RoleARN == "" || teamA.ExternalID == teamB.ExternalID {
		t.Fatalf("the ProviderConfigs assume %v and %v", teamA, teamB)
	}
	// Another program of the cluster, which may do everything in the account.
	s.Associate(namespace, "admin", s.AddRole("admin", anyPod, allowAll))

	bucket := func(name string) func(c clients) error {
		return func(c clients) error {
			_, err := c.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
			return err
		}
	}
	head := func(c clients) error {
		_, err := c.s3.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: sdk.String("there-is-none")})
		return err
	}
	cors := func(name string) func(c clients) error {
		return func(c clients) error {
			_, err := c.s3.PutBucketCors(t.Context(), &s3.PutBucketCorsInput{Bucket: &name, CORSConfiguration: &s3types.CORSConfiguration{CORSRules: []s3types.CORSRule{{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"*"}}}}})
			return err
		}
	}
	queueURL := func(c clients) error {
		_, err := c.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: sdk.String("there-is-none")})
		return err
	}
	createQueue := func(c clients) error {
		_, err := c.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: sdk.String("q")})
		return err
	}
	const s3Pod, sqsPod = "provider-aws-s3", "provider-aws-sqs"
	cases := map[string]struct {
		reason string
		pod    string
		// chain that the ProviderConfig has; nil for none.
		chain *hop
		do    func(c clients) error
		// assume and want are the errors of assuming the role, and of what is done with it.
		assume, want string
	}{
		"Own":              {"A team creates its buckets.", s3Pod, &teamA, bucket("team-a-orders"), "", ""},
		"OtherName":        {"A team does not create buckets that its statement does not name.", s3Pod, &teamA, bucket("team-b-orders"), "", "AccessDenied"},
		"OtherTeam":        {"The other team lists kinds. Buckets are one.", s3Pod, &teamB, bucket("reports"), "", ""},
		"OtherTeamCORS":    {"An action that none of its kinds needs is denied.", s3Pod, &teamB, cors("reports"), "", "AccessDenied"},
		"OwnCORS":          {"Team A may do it, if the bucket exists.", s3Pod, &teamA, cors("team-a-none"), "", "NoSuchBucket"},
		"OwnQueues":        {"The provider of another service does what the team's statement for that service says.", sqsPod, &teamA, queueURL, "", "AWS.SimpleQueueService.NonExistentQueue"},
		"OwnQueuesCreates": {"That statement only allows reading.", sqsPod, &teamA, createQueue, "", "AccessDenied"},
		"OtherService":     {"With the provider of S3 a team has no permission for SQS.", s3Pod, &teamA, queueURL, "", "AccessDenied"},
		"OtherServiceBack": {"With the provider of SQS a team has no permission for S3.", sqsPod, &teamA, bucket("team-a-queues"), "", "AccessDenied"},
		"NotListed":        {"Team B lists no SQS: its provider is not trusted.", sqsPod, &teamB, nil, "AccessDenied", ""},
		"OtherExternalID":  {"The ARN of another team's role is not enough.", s3Pod, &hop{teamA.RoleARN, teamB.ExternalID}, nil, "AccessDenied", ""},
		"NoExternalID":     {"The ARN without an external ID is not enough.", s3Pod, &hop{RoleARN: teamA.RoleARN}, nil, "AccessDenied", ""},
		"NoChain":          {"The provider's own role can do nothing.", s3Pod, nil, bucket("team-a-more"), "", "AccessDenied"},
		"NoChainLooks":     {"The provider's own role cannot even read.", s3Pod, nil, head, "", "Forbidden"},
		"OtherRole":        {"The host may only assume roles below its path.", s3Pod, &hop{RoleARN: "arn:aws:iam::" + Account + ":role/admin"}, nil, "AccessDenied", ""},
		"OtherPod":         {"Another role of the account is not trusted, even if it may assume all and has the external ID.", "admin", &teamA, nil, "AccessDenied", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			key, refused := s.ask(t, tc.pod)
			if refused != "" {
				t.Fatal(refused)
			}
			if tc.chain != nil {
				in := &sts.AssumeRoleInput{RoleArn: &tc.chain.RoleARN, RoleSessionName: sdk.String("s")}
				if tc.chain.ExternalID != "" {
					in.ExternalId = &tc.chain.ExternalID
				}
				out, err := s.as(key).sts.AssumeRole(t.Context(), in)
				wantCode(t, tc.reason, tc.assume, err)
				if err != nil {
					return
				}
				key = *out.Credentials.AccessKeyId
			}
			wantCode(t, tc.reason, tc.want, tc.do(s.as(key)))
		})
	}
}

// TestTenantTrap: with the external ID in the statement for session tags too, as one would write it, a provider cannot assume the role.
func TestTenantTrap(t *testing.T) {
	s := start(t)
	s.compose(t, "tenant-host/03-ready")
	teamA := s.compose(t, "tenant/04-ready")
	name := sdk.String(teamA.RoleARN[strings.LastIndex(teamA.RoleARN, "/")+1:])
	c := s.as(RootKey)
	_, err := c.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: sdk.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + Account + `:root"},` +
		`"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":"` + teamA.ExternalID + `"}}}]}`)})
	wantCode(t, "another trust policy", "", err)
	key, _ := s.ask(t, "provider-aws-s3")
	_, err = s.as(key).sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &teamA.RoleARN, RoleSessionName: sdk.String("s"), ExternalId: &teamA.ExternalID})
	wantCode(t, "both actions in one statement", "AccessDenied", err)
	if err != nil && !strings.Contains(err.Error(), "sts:TagSession") {
		t.Errorf("it should be the tags that are refused: %v", err)
	}
}

// TestTenantMigration: a claim that owns a provider becomes the host of tenants. At every step there is a ProviderConfig with which a team's
// buckets can be read, and in the end only those of tenants give access.
func TestTenantMigration(t *testing.T) {
	head := func(t *testing.T, s *Server, chain *hop) error {
		t.Helper()
		key, refused := s.ask(t, "provider-aws-s3")
		if refused != "" {
			t.Fatal(refused)
		}
		if chain != nil {
			out, err := s.as(key).sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &chain.RoleARN, RoleSessionName: sdk.String("s"), ExternalId: &chain.ExternalID})
			if err != nil {
				return err
			}
			key = *out.Credentials.AccessKeyId
		}
		_, err := s.as(key).s3.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: sdk.String("there-is-none")})
		return err
	}
	const allowed = "NotFound" // It may look for a bucket, and there is none.
	cases := map[string]struct {
		reason, host string
		own          string
	}{
		"Shared":    {"While it shares, the owner's ProviderConfig and that of the tenant both work.", "tenant-migrate/01-shared", allowed},
		"Powerless": {"Then the owner's has no permissions any longer, and the tenant's still works.", "tenant-migrate/05-shared-only", "Forbidden"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.compose(t, tc.host)
			tenant := s.compose(t, "tenant-migrate/03-tenant")
			wantCode(t, tc.reason, tc.own, head(t, s, nil))
			wantCode(t, tc.reason, allowed, head(t, s, &tenant))
		})
	}
}
