package catalogue

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-unknown"}

func allow(actions ...string) iam.Statement {
	return iam.Statement{Effect: iam.Allow, Action: actions, Resource: iam.StringSet{"*"}}
}

func bound(action, op, key string, values ...string) iam.Statement {
	s := allow(action)
	s.Condition = iam.Condition{op: {key: values}}
	return s
}

func TestFull(t *testing.T) {
	const linked, passed = "iam:AWSServiceName", "iam:PassedToService"
	grant := bound("kms:CreateGrant", "Bool", "kms:GrantIsForAWSResource", "true")
	cases := map[string]struct {
		reason, service, partition string
		want                       []iam.Statement
	}{
		"S3": {
			"Full access to s3 equals the policy of the manual procedure that this function replaces.",
			"s3", "aws",
			[]iam.Statement{allow("s3:*")},
		},
		"TwoPrefixes": {
			"A service that was renamed needs both prefixes.",
			"codestarconnections", "aws",
			[]iam.Statement{allow("codeconnections:*", "codestar-connections:*")},
		},
		"Extras": {
			"Actions without a condition share one statement.",
			"kinesis", "aws",
			[]iam.Statement{allow("kinesis:*", "kms:DescribeKey", "kms:ListAliases")},
		},
		"Conditions": {
			"Actions with a condition have a statement of their own, and a role is passed to no other service.",
			"firehose", "aws",
			[]iam.Statement{allow("firehose:*", "kms:DescribeKey"), grant, bound("iam:PassRole", "StringEquals", passed, "firehose.amazonaws.com")},
		},
		"Wildcard": {
			"A name with a wildcard is compared with StringLike.",
			"dms", "aws-us-gov",
			[]iam.Statement{
				allow(
					"dms:*", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeAvailabilityZones",
					"ec2:DescribeInternetGateways", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
					"ec2:ModifyNetworkInterfaceAttribute", "iam:GetRole", "kms:DescribeKey", "kms:ListAliases",
					"logs:DescribeLogGroups", "logs:DescribeLogStreams",
				),
				bound("iam:CreateServiceLinkedRole", "StringEquals", linked, "dms.amazonaws.com"),
				bound("iam:PassRole", "StringLike", passed, "dms.*.amazonaws.com", "dms.amazonaws.com"),
			},
		},
		"Partition": {
			"ARNs have the partition, and services in China have both their names.",
			"transcribe", "aws-cn",
			[]iam.Statement{
				allow("transcribe:*"),
				{Effect: iam.Allow, Action: iam.StringSet{"s3:GetObject"}, Resource: iam.StringSet{"arn:aws-cn:s3:::*transcribe*"}},
				bound("iam:PassRole", "StringEquals", passed, "transcribe.amazonaws.com"),
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := Lookup(tc.service)
			if diff := cmp.Diff(tc.want, s.Full(tc.partition)); diff != "" {
				t.Errorf("%s\nFull(%s) of %s: -want, +got:\n%s", tc.reason, tc.partition, tc.service, diff)
			}
		})
	}
}

// TestPrincipals pins the names of AWS services in each partition.
func TestPrincipals(t *testing.T) {
	cases := map[string]struct {
		service, partition, action string
		want                       iam.Condition
	}{
		"Commercial": {"emr", "aws", "iam:PassRole", iam.Condition{"StringEquals": {"iam:PassedToService": {
			"application-autoscaling.amazonaws.com", "ec2.amazonaws.com", "elasticmapreduce.amazonaws.com",
		}}}},
		"China": {"emr", "aws-cn", "iam:PassRole", iam.Condition{"StringEquals": {"iam:PassedToService": {
			"application-autoscaling.amazonaws.com", "application-autoscaling.amazonaws.com.cn", "ec2.amazonaws.com",
			"ec2.amazonaws.com.cn", "elasticmapreduce.amazonaws.com", "elasticmapreduce.amazonaws.com.cn",
		}}}},
		"ChinaServiceLinked": {"emr", "aws-cn", "iam:CreateServiceLinkedRole", iam.Condition{"StringEquals": {"iam:AWSServiceName": {
			"elasticmapreduce.amazonaws.com", "elasticmapreduce.amazonaws.com.cn",
		}}}},
		"ChinaMost":  {"lambda", "aws-cn", "iam:PassRole", iam.Condition{"StringEquals": {"iam:PassedToService": {"lambda.amazonaws.com"}}}},
		"ChinaPods":  {"eks", "aws-cn", "iam:PassRole", iam.Condition{"StringEquals": {"iam:PassedToService": {"ec2.amazonaws.com", "ec2.amazonaws.com.cn", "eks-fargate-pods.amazonaws.com", "eks.amazonaws.com", "pods.eks.amazonaws.com"}}}},
		"Isolated":   {"eks", "aws-iso", "iam:PassRole", iam.Condition{"StringEquals": {"iam:PassedToService": {"ec2.amazonaws.com", "ec2.c2s.ic.gov", "eks-fargate-pods.amazonaws.com", "eks.amazonaws.com", "pods.eks.amazonaws.com"}}}},
		"Government": {"cognitoidentity", "aws-us-gov", "iam:PassRole", iam.Condition{"StringEquals": {"iam:PassedToService": {"cognito-identity-us-gov.amazonaws.com", "cognito-identity.amazonaws.com"}}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := Lookup(tc.service)
			for _, st := range s.Full(tc.partition) {
				if slices.Contains(st.Action, tc.action) {
					if diff := cmp.Diff(tc.want, st.Condition); diff != "" {
						t.Errorf("%s of %s in %s: -want, +got:\n%s", tc.action, tc.service, tc.partition, diff)
					}
					return
				}
			}
			t.Errorf("%s does not allow %s", tc.service, tc.action)
		})
	}
}

func TestReadOnly(t *testing.T) {
	cases := map[string]struct {
		reason, service string
		want            []iam.Statement
	}{
		"Most": {"Most services read with these actions.", "sqs", []iam.Statement{allow("sqs:BatchGet*", "sqs:Describe*", "sqs:Get*", "sqs:List*")}},
		"HTTP": {"The actions of API Gateway are HTTP methods.", "apigateway", []iam.Statement{allow(
			"acm:DescribeCertificate", "acm:ListCertificates", "apigateway:GET", "ec2:DescribeVpcEndpointServiceConfigurations",
			"elasticloadbalancing:DescribeLoadBalancers",
		)}},
		"Extras": {"ReadOnly includes the reads of other services from Full, and nothing else.", "firehose", []iam.Statement{allow("firehose:BatchGet*", "firehose:Describe*", "firehose:Get*", "firehose:List*", "kms:DescribeKey")}},
		"Secrets": {
			"ReadOnly does not include the secrets themselves.", "secretsmanager",
			[]iam.Statement{allow(
				"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "kms:DescribeKey", "kms:ListAliases", "kms:ListKeys",
				"lambda:ListFunctions", "secretsmanager:Describe*", "secretsmanager:GetResourcePolicy", "secretsmanager:List*",
			)},
		},
		"S3": {
			"No wildcard matches an action that hands out credentials, such as s3:GetDataAccess.", "s3",
			[]iam.Statement{allow(
				"s3:Describe*", "s3:GetA*", "s3:GetB*", "s3:GetEncryptionConfiguration", "s3:GetI*", "s3:GetJobTagging", "s3:GetLifecycleConfiguration",
				"s3:GetM*", "s3:GetO*", "s3:GetReplicationConfiguration", "s3:GetS*", "s3:List*",
			)},
		},
		"TwoPrefixes": {
			"ReadOnly covers both prefixes.", "codestarconnections",
			[]iam.Statement{allow(
				"codeconnections:Describe*", "codeconnections:GetConnection", "codeconnections:GetHost", "codeconnections:GetR*", "codeconnections:GetS*", "codeconnections:List*",
				"codestar-connections:Describe*", "codestar-connections:GetConnection", "codestar-connections:GetHost", "codestar-connections:GetR*", "codestar-connections:GetS*", "codestar-connections:List*",
			)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := Lookup(tc.service)
			if diff := cmp.Diff(tc.want, s.ReadOnly("aws")); diff != "" {
				t.Errorf("%s\nReadOnly() of %s: -want, +got:\n%s", tc.reason, tc.service, diff)
			}
		})
	}
}

// TestReadOnlyOnlyReads checks for every action of every service that its verb only reads, and that it matches no action known to do
// more.
func TestReadOnlyOnlyReads(t *testing.T) {
	for _, s := range services() {
		for _, st := range s.ReadOnly("aws") {
			for _, a := range st.Action {
				prefix, verb, _ := strings.Cut(a, ":")
				if !verbs.MatchString(verb) && !slices.Contains(otherVerbs[prefix], verb) {
					t.Errorf("ReadOnly() of %s allows %s, which may do more than read", s.Name, a)
				}
				for _, d := range dangerous {
					if matches(a, d) {
						t.Errorf("ReadOnly() of %s allows %s, which matches %s", s.Name, a, d)
					}
				}
				for _, f := range foreign {
					if !slices.Contains(s.Prefixes, prefix) && matches(a, f) {
						t.Errorf("ReadOnly() of %s allows %s, which matches %s of another service", s.Name, a, f)
					}
				}
			}
		}
		for _, p := range s.Prefixes {
			if !slices.ContainsFunc(s.ReadOnly("aws"), func(st iam.Statement) bool {
				return slices.ContainsFunc(st.Action, func(a string) bool { return strings.HasPrefix(a, p+":") })
			}) {
				t.Errorf("ReadOnly() of %s has no action of prefix %s", s.Name, p)
			}
		}
	}
}

// TestReadOnlyIsPartOfFull checks that Full allows everything that ReadOnly allows.
func TestReadOnlyIsPartOfFull(t *testing.T) {
	for _, s := range services() {
		full := s.Full("aws")
		for _, st := range s.ReadOnly("aws") {
			for _, a := range st.Action {
				if !slices.ContainsFunc(full, func(f iam.Statement) bool {
					return slices.Equal(f.Resource, st.Resource) && equal(f.Condition, st.Condition) &&
						slices.ContainsFunc(f.Action, func(p string) bool { return matches(p, a) })
				}) {
					t.Errorf("%s: ReadOnly allows %s, but Full does not", s.Name, a)
				}
			}
		}
	}
}

// TestStatements checks the statements of all services in all partitions.
func TestStatements(t *testing.T) {
	for _, partition := range partitions {
		for _, s := range services() {
			for level, statements := range map[string][]iam.Statement{"Full": s.Full(partition), "ReadOnly": s.ReadOnly(partition)} {
				for _, st := range statements {
					for _, problem := range st.Problems() {
						t.Errorf("%s of %s in %s: %s", level, s.Name, partition, problem)
					}
					check(t, level+" of "+s.Name+" in "+partition, partition, st)
				}
				doc := iam.NewDocument(statements...).String()
				if n := iam.Size(doc); n > iam.MaxPolicySize {
					t.Errorf("%s of %s in %s has %d characters, AWS allows %d", level, s.Name, partition, n, iam.MaxPolicySize)
				}
				parsed, err := iam.ParseDocument(doc)
				if err != nil {
					t.Errorf("%s of %s in %s: %v", level, s.Name, partition, err)
				}
				if diff := cmp.Diff(doc, parsed.String()); diff != "" {
					t.Errorf("%s of %s in %s is not canonical: -got, +canonical:\n%s", level, s.Name, partition, diff)
				}
			}
		}
	}
}

// arn matches an ARN with all its parts.
var arn = regexp.MustCompile(`^arn:aws[a-z-]*:[a-z0-9-]+:[^:]*:[^:]*:.+$`)

func check(t *testing.T, where, partition string, st iam.Statement) {
	t.Helper()
	if st.Sid != "" || !slices.IsSorted(st.Action) || len(slices.Compact(slices.Clone(st.Action))) != len(st.Action) {
		t.Errorf("%s: want no Sid, and actions sorted and unique: %v", where, st)
	}
	for action, key := range map[string]string{"iam:PassRole": "iam:PassedToService", "iam:CreateServiceLinkedRole": "iam:AWSServiceName"} {
		for _, a := range st.Action {
			if strings.HasPrefix(where, "Full of iam in ") || !matches(a, action) {
				continue
			}
			values := slices.Concat(st.Condition["StringEquals"][key], st.Condition["StringLike"][key])
			if len(values) == 0 || slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(v, "*") || !strings.Contains(v, ".") }) {
				t.Errorf("%s: %s is not bound by %s: %v", where, action, key, st.Condition)
			}
			if len(st.Action) > 1 {
				t.Errorf("%s: %s should be a statement of its own", where, action)
			}
		}
	}
	if slices.ContainsFunc(st.Action, func(a string) bool { return matches(a, "kms:CreateGrant") }) &&
		!slices.Contains(st.Action, "kms:*") && st.Condition["Bool"]["kms:GrantIsForAWSResource"] == nil {
		t.Errorf("%s: kms:CreateGrant is not bound to AWS services: %v", where, st)
	}
	for _, r := range st.Resource {
		if r != "*" && (!arn.MatchString(r) || !strings.HasPrefix(r, "arn:"+partition+":")) {
			t.Errorf("%s: %s is not an ARN of the partition", where, r)
		}
	}
	if strings.Contains(iam.NewDocument(st).String(), "{partition}") {
		t.Errorf("%s: the partition is not filled in: %v", where, st)
	}
}

// TestStatementsAreOwn checks that a caller that changes a statement does not change the catalogue.
func TestStatementsAreOwn(t *testing.T) {
	for _, s := range services() {
		before := s.Full("aws")
		for _, st := range s.Full("aws") {
			st.Action[0], st.Resource[0] = "x", "x"
			for _, keys := range st.Condition {
				for _, values := range keys {
					values[0] = "x"
				}
			}
		}
		if diff := cmp.Diff(before, s.Full("aws")); diff != "" {
			t.Fatalf("changing the statements of %s changed the catalogue:\n%s", s.Name, diff)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(file); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFull(b *testing.B) {
	for _, name := range []string{"s3", "rds", "elasticbeanstalk"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, _ := Lookup(name)
				if len(s.Full("aws")) == 0 {
					b.Fatal("want statements")
				}
			}
		})
	}
}
