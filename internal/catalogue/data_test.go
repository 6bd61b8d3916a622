package catalogue

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// services returns all services, sorted by name.
func services() []Service {
	var out []Service
	for _, n := range Names() {
		s, _ := Lookup(n)
		out = append(out, s)
	}
	return out
}

// TestData checks the form of every entry.
func TestData(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+$`)
	prefix := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	action := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*:([A-Za-z0-9]*[A-Za-z0-9]\*?|\*)$`)
	service := regexp.MustCompile(`^[a-z0-9]+([-.][a-z0-9]+)*(\.\*)?$`)
	for _, s := range services() {
		if !name.MatchString(s.Name) {
			t.Errorf("%s: not a valid name of a provider package", s.Name)
		}
		if s.Source == "" {
			t.Errorf("%s: has no source", s.Name)
		}
		for _, p := range s.Prefixes {
			if !prefix.MatchString(p) {
				t.Errorf("%s: %q is not a prefix of IAM actions", s.Name, p)
			}
		}
		for _, v := range s.Versions {
			if !slices.Contains(Versions(), v) {
				t.Errorf("%s: there is no version %s", s.Name, v)
			}
		}
		for _, e := range s.Extras {
			if e.Source == "" {
				t.Errorf("%s: an extra has no source", s.Name)
			}
			if len(e.Reads)+len(e.Actions)+len(e.ServiceLinkedRoles)+len(e.PassRole) == 0 {
				t.Errorf("%s: an extra is empty", s.Name)
			}
			if len(e.Reads)+len(e.Actions) == 0 && len(e.Resources)+len(e.Condition) > 0 {
				t.Errorf("%s: an extra has resources or a condition, but no actions", s.Name)
			}
			for _, a := range slices.Concat(e.Reads, e.Actions) {
				p, _, _ := strings.Cut(a, ":")
				if !action.MatchString(a) {
					t.Errorf("%s: %q is not an action", s.Name, a)
				}
				if slices.Contains(s.Prefixes, p) {
					t.Errorf("%s: %s is not an extra, but one of its own actions", s.Name, a)
				}
			}
			for _, v := range slices.Concat(e.ServiceLinkedRoles, e.PassRole) {
				if !service.MatchString(v) || strings.HasSuffix(v, ".amazonaws.com") {
					t.Errorf("%s: %q is not the name of a service", s.Name, v)
				}
			}
			for _, list := range []Words{Words(e.Reads), Words(e.Actions), e.Resources, e.ServiceLinkedRoles, e.PassRole} {
				if c := slices.Clone(list); len(slices.Compact(sorted(c))) != len(list) {
					t.Errorf("%s: duplicate entry: %v", s.Name, list)
				}
			}
		}
	}
}

// TestReadingIsUsed checks that every reading belongs to a prefix that a service has.
func TestReadingIsUsed(t *testing.T) {
	used := map[string]bool{}
	for _, s := range services() {
		for _, p := range s.Prefixes {
			used[p] = true
		}
	}
	for p, r := range content().Reading {
		if !used[p] {
			t.Errorf("no service has the prefix %s", p)
		}
		if r.Why == "" || len(r.Actions) == 0 {
			t.Errorf("the reading of %s needs actions and a reason", p)
		}
	}
}

func TestParse(t *testing.T) {
	cases := map[string]struct{ reason, in string }{
		"NoYAML":       {"Invalid YAML is refused.", "services: ["},
		"List":         {"So are actions without their prefix.", "services: {s3: {extras: [{reads: [DescribeKey]}]}}"},
		"UnknownField": {"So is a misspelt field, which would mean a missing permission.", "services: {s3: {extra: []}}"},
		"Duplicate":    {"A duplicate field is a mistake.", "services: {s3: {source: a, source: b}}"},
		"SameService":  {"So is a duplicate service.", "services: {s3: {}, s3: {}}"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := parse([]byte(tc.in)); err == nil {
				t.Errorf("%s\nparse(%s): want an error", tc.reason, tc.in)
			}
		})
	}
}

// verbs matches the names of actions that only read.
var verbs = regexp.MustCompile(`^(BatchGet|Describe|Get|List)([A-Z][A-Za-z0-9]*)?\*?$`)

// otherVerbs lists, by service, the other actions that only read.
var otherVerbs = map[string][]string{
	"apigateway":        {"GET"},
	"budgets":           {"ViewBudget"},
	"cassandra":         {"Select", "SelectMultiRegionResource"},
	"cognito-idp":       {"AdminGet*", "AdminList*"},
	"ec2":               {"SearchLocalGatewayRoutes", "SearchTransitGateway*"},
	"elastictranscoder": {"Read*"},
	"sdb":               {"DomainMetadata"},
}

// dangerous lists actions with the name of a read that change something, or hand out credentials or other access.
var dangerous = []string{
	"acm:GetAcmeExternalAccountBindingCredentials",
	"athena:GetSessionEndpoint",
	"bedrock-agentcore:GetResourceApiKey",
	"bedrock-agentcore:GetResourceOauth2Token",
	"bedrock-agentcore:GetResourcePaymentToken",
	"bedrock-agentcore:GetWorkloadAccessToken",
	"bedrock-agentcore:GetWorkloadAccessTokenForJWT",
	"bedrock-agentcore:GetWorkloadAccessTokenForUserId",
	"bedrock:GetDataSourceAuthorizationUrl",
	"chime:GetAttendee",
	"chime:ListApiKeys",
	"chime:ListAttendees",
	"cloudwatch:GetSpaceCredentials",
	"cloudwatch:GetSpaceCredentialsForOrganization",
	"codeartifact:GetAuthorizationToken",
	"codeconnections:GetConnectionToken",
	"codeconnections:GetIndividualAccessToken",
	"codeconnections:GetInstallationUrl",
	"codepipeline:GetJobDetails",
	"codepipeline:GetThirdPartyJobDetails",
	"codestar-connections:GetConnectionToken",
	"codestar-connections:GetIndividualAccessToken",
	"codestar-connections:GetInstallationUrl",
	"cognito-identity:GetCredentialsForIdentity",
	"cognito-identity:GetId",
	"cognito-identity:GetOpenIdToken",
	"cognito-identity:GetOpenIdTokenForDeveloperIdentity",
	"cognito-idp:GetTokensFromRefreshToken",
	"cognito-idp:GetUserAttributeVerificationCode",
	"cognito-idp:ListUserPoolClientSecrets",
	"connect:GetFederationToken",
	"ec2:GetPasswordData",
	"ecr-public:GetAuthorizationToken",
	"ecr:GetAuthorizationToken",
	"elasticmapreduce:GetClusterSessionCredentials",
	"elasticmapreduce:GetOnClusterAppUIPresignedURL",
	"elasticmapreduce:GetPersistentAppUIPresignedURL",
	"elasticmapreduce:GetSessionEndpoint",
	"emr-containers:GetManagedEndpointSessionCredentials",
	"emr-serverless:GetDashboardForJobRun",
	"emr-serverless:GetResourceDashboard",
	"emr-serverless:GetSessionEndpoint",
	"gamelift:GetComputeAccess",
	"gamelift:GetComputeAuthToken",
	"gamelift:GetGameSessionLogUrl",
	"gamelift:GetInstanceAccess",
	"glue:GetDashboardUrl",
	"glue:GetSessionEndpoint",
	"iot:GetConnection",
	"iot:ListSubscriptions",
	"ivs:BatchGetStreamKey",
	"ivs:GetStreamKey",
	"kinesisvideo:GetDASHStreamingSessionURL",
	"kinesisvideo:GetHLSStreamingSessionURL",
	"kinesisvideo:GetIceServerConfig",
	"lakeformation:GetDataAccess",
	"lakeformation:GetTemporaryDataLocationCredentials",
	"lakeformation:GetTemporaryGluePartitionCredentials",
	"lakeformation:GetTemporaryGlueTableCredentials",
	"license-manager:GetAccessToken",
	"lightsail:DownloadDefaultKeyPair",
	"lightsail:GetInstanceAccessDetails",
	"lightsail:GetRelationalDatabaseMasterUserPassword",
	"macie2:GetSensitiveDataOccurrences",
	"quicksight:GetAnonymousUserEmbedUrl",
	"quicksight:GetAuthCode",
	"quicksight:GetDashboardEmbedUrl",
	"quicksight:GetIdentityContext",
	"quicksight:GetSessionEmbedUrl",
	"redshift-serverless:GetCredentials",
	"redshift-serverless:GetIdentityCenterAuthToken",
	"redshift:GetClusterCredentials",
	"redshift:GetClusterCredentialsWithIAM",
	"redshift:GetIdentityCenterAuthToken",
	"s3:GetDataAccess",
	"secretsmanager:BatchGetSecretValue",
	"secretsmanager:GetSecretValue",
	"ssm:GetAccessToken",
	"states:GetActivityTask",
	"sts:GetFederationToken",
	"sts:GetServiceBearerToken",
	"sts:GetSessionToken",
}

// foreign lists actions that read their own service but that no other service should have.
var foreign = []string{
	"cognito-idp:DescribeUserPoolClient",
	"glue:GetConnection",
	"glue:GetConnections",
	"lambda:GetFunction",
	"s3:GetObject",
	"s3:GetObjectVersion",
	"ssm:GetParameter",
	"ssm:GetParameters",
	"ssm:GetParametersByPath",
}

// matches says whether a pattern matches an action, regardless of case, as in IAM.
func matches(pattern, action string) bool {
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action))
	return err == nil && ok
}

func TestMatches(t *testing.T) {
	cases := map[string]struct {
		pattern, action string
		want            bool
	}{
		"Same":   {"s3:GetObject", "s3:GetObject", true},
		"Case":   {"S3:getobject", "s3:GetObject", true},
		"Begin":  {"s3:Get*", "s3:GetObject", true},
		"All":    {"s3:*", "s3:GetObject", true},
		"Longer": {"s3:Get", "s3:GetObject", false},
		"Other":  {"s3:GetB*", "s3:GetObject", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := matches(tc.pattern, tc.action); got != tc.want {
				t.Errorf("matches(%q, %q): want %t, got %t", tc.pattern, tc.action, tc.want, got)
			}
		})
	}
}
