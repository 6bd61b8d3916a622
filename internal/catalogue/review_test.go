package catalogue

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// findings are the possible results of a review: right from the start, fixed since, in need of a statement for some of its fields, or
// left open by AWS's documentation.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var findings = []string{"right", "mended", "statement", "open"}

// fingerprint identifies what a kind may do with Full and with ReadOnly.
func fingerprint(s Service, kind string) string {
	sum := sha256.Sum256([]byte(iam.NewDocument(s.FullOf("aws", []string{kind})...).String() + iam.NewDocument(s.ReadOnlyOf("aws", []string{kind})...).String()))
	return hex.EncodeToString(sum[:4])
}

// TestReviewedOneByOne checks that the reviewed kinds still have the permissions that were compared with AWS's documentation. If the
// permissions of a kind have changed, read its page again, compare, and record the result with the new fingerprint.
func TestReviewedOneByOne(t *testing.T) {
	text, err := os.ReadFile("testdata/reviewed.tsv")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/kinds.md")
	if err != nil {
		t.Fatal(err)
	}
	_, statements, _ := strings.Cut(string(page), "\n| Kind | With | Actions |\n")
	statements, _, _ = strings.Cut(statements, "\n\n")
	var reviewed []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 5 {
			t.Fatalf("%q has %d fields, not 5", line, len(fields))
		}
		id, printed, found, from, note := fields[0], fields[1], strings.Fields(fields[2]), fields[3], fields[4]
		reviewed = append(reviewed, id)
		service, kind, _ := strings.Cut(id, "/")
		s, _ := Lookup(service)
		if _, ok := s.Kind(kind); !ok {
			t.Errorf("there is no kind %s", id)
			continue
		}
		if got := fingerprint(s, kind); got != printed {
			t.Errorf("the permissions of %s have changed since its review. Read https://docs.aws.amazon.com/%s, compare it with this policy, and record %s in testdata/reviewed.tsv:\n%s",
				id, from, got, iam.NewDocument(s.FullOf("aws", []string{kind})...))
		}
		for _, f := range found {
			if !slices.Contains(findings, f) {
				t.Errorf("%s: %q is not one of %q", id, f, findings)
			}
		}
		if right := slices.Equal(found, []string{"right"}); len(found) == 0 || slices.Contains(found, "right") != right || !right && note == "" {
			t.Errorf("%s: want right, or findings and a note, got %q and %q", id, found, note)
		}
		if !strings.HasSuffix(from, ".html") || strings.HasPrefix(from, "/") {
			t.Errorf("%s: want the path of a page, got %q", id, from)
		}
		named := slices.ContainsFunc(strings.Split(statements, "\n"), func(row string) bool {
			return strings.Contains(row, "`"+service+"`") && strings.Contains(row, "`"+kind+"`")
		})
		if named != slices.Contains(found, "statement") {
			t.Errorf("%s needs a statement: %v, and docs/kinds.md says so: %v", id, !named, named)
		}
	}
	if !slices.IsSorted(reviewed) || len(slices.Compact(slices.Clone(reviewed))) != len(reviewed) {
		t.Error("testdata/reviewed.tsv is not sorted, or has a duplicate kind")
	}
	if len(reviewed) < 100 {
		t.Errorf("want at least 100 kinds reviewed one by one, got %d", len(reviewed))
	}
}

// TestFound pins the results of reviews against AWS's documentation: actions that a kind lacked, and actions that it cannot use.
func TestFound(t *testing.T) {
	cases := map[string]struct{ reason, has, lacks string }{
		"acm/CertificateValidation":    {reason: "It only waits.", lacks: "acm-pca:IssueCertificate"},
		"apigateway/Authorizer":        {reason: "Its credentials are a role.", has: "iam:PassRole"},
		"apigateway/DomainName":        {reason: "An edge-optimized name belongs to a distribution.", has: "cloudfront:UpdateDistribution"},
		"apigateway/Integration":       {reason: "Its credentials are a role.", has: "iam:PassRole"},
		"apigateway/RestAPI":           {reason: "Its document names roles.", has: "iam:PassRole", lacks: "cloudfront:UpdateDistribution"},
		"apigateway/VPCLink":           {reason: "AWS creates the endpoint service on behalf of the caller.", has: "ec2:CreateVpcEndpointServiceConfiguration elasticloadbalancing:DescribeLoadBalancers"},
		"apigatewayv2/Integration":     {reason: "Its credentials are a role.", has: "iam:PassRole", lacks: "logs:CreateLogDelivery"},
		"apigatewayv2/Stage":           {reason: "Logs of an HTTP API are delivered on behalf of the caller.", has: "logs:CreateLogDelivery logs:PutResourcePolicy"},
		"athena/Workgroup":             {reason: "It runs no query.", lacks: "glue:CreateDatabase s3:PutObject"},
		"autoscaling/Attachment":       {reason: "Only a group runs instances.", lacks: "ec2:RunInstances"},
		"backup/Plan":                  {reason: "Only a vault has storage.", lacks: "backup-storage:MountCapsule"},
		"cloudfront/Distribution":      {reason: "Replicas of functions come and go.", has: "lambda:EnableReplication lambda:DisableReplication"},
		"cloudfront/CachePolicy":       {reason: "Only a distribution has functions.", lacks: "lambda:EnableReplication"},
		"cognitoidp/UserPool":          {reason: "Only a domain has a distribution.", has: "iam:PassRole", lacks: "cloudfront:UpdateDistribution"},
		"docdb/ClusterInstance":        {reason: "Only Oracle has tenant databases.", lacks: "rds:CreateDBSnapshot rds:CreateTenantDatabase rds:DeleteTenantDatabase"},
		"dynamodb/Table":               {reason: "A table of several regions can have a witness.", has: "dynamodb:CreateGlobalTableWitness dynamodb:DeleteGlobalTableWitness"},
		"ec2/FlowLog":                  {reason: "A delivery stream that receives logs is tagged.", has: "firehose:TagDeliveryStream logs:CreateLogDelivery"},
		"ec2/InstanceState":            {reason: "A principal that starts an instance lets it use the keys of its volumes.", has: "kms:CreateGrant"},
		"ec2/SecurityGroupEgressRule":  {reason: "It has one direction.", has: "ec2:AuthorizeSecurityGroupEgress", lacks: "ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupIngress"},
		"ec2/SecurityGroupIngressRule": {reason: "It has one direction.", has: "ec2:AuthorizeSecurityGroupIngress", lacks: "ec2:AuthorizeSecurityGroupEgress ec2:RevokeSecurityGroupEgress"},
		"ec2/VPC":                      {reason: "Only flow logs are delivered.", lacks: "logs:CreateLogDelivery"},
		"ec2/VolumeAttachment":         {reason: "A principal that attaches a volume lets the instance use its key.", has: "kms:CreateGrant"},
		"ecs/TaskDefinition":           {reason: "Only a capacity provider changes groups of instances.", lacks: "autoscaling:UpdateAutoScalingGroup"},
		"efs/AccessPoint":              {reason: "Only a mount target has a network interface.", lacks: "ec2:CreateNetworkInterface"},
		"eks/AccessEntry":              {reason: "A principal that is granted access is not passed to a service.", lacks: "iam:PassRole"},
		"elasticache/SubnetGroup":      {reason: "Only a serverless cache has an endpoint.", lacks: "ec2:CreateVpcEndpoint"},
		"glue/CatalogDatabase":         {reason: "A federated database has a connection.", has: "glue:PassConnection"},
		"kafka/Configuration":          {reason: "It is only text.", lacks: "ec2:CreateVpcEndpoint logs:CreateLogDelivery"},
		"lambda/Permission":            {reason: "Only functions and layers are read from buckets.", lacks: "s3:GetObject ecr:BatchGetImage"},
		"opensearch/Domain":            {reason: "AWS lets the domain use the key with a grant.", has: "kms:CreateGrant"},
		"ram/ResourceShare":            {reason: "AWS requires both.", has: "ram:AssociateResourceShare ram:CreateResourceShare"},
		"rds/SubnetGroup":              {reason: "Only databases have passwords and metrics.", lacks: "secretsmanager:CreateSecret pi:GetResourceMetrics"},
		"scheduler/Schedule":           {reason: "A principal that creates it uses its key.", has: "kms:Decrypt kms:DescribeKey kms:GenerateDataKey"},
		"secretsmanager/Secret":        {reason: "It is encrypted again when its key changes.", has: "kms:Decrypt kms:Encrypt kms:GenerateDataKey", lacks: "lambda:InvokeFunction"},
		"secretsmanager/SecretVersion": {reason: "It uses the key of the secret.", has: "kms:Decrypt kms:GenerateDataKey"},
		"sfn/StateMachine":             {reason: "A principal that creates it uses its key.", has: "kms:Decrypt kms:DescribeKey kms:GenerateDataKey"},
		"ssm/Parameter":                {reason: "Its value can be a secret, or the ID of an image.", has: "ec2:DescribeImages kms:Decrypt kms:Encrypt kms:GenerateDataKey"},
		"wafv2/IPSet":                  {reason: "Only an association changes the resource that it protects.", lacks: "elasticloadbalancing:SetWebAcl logs:CreateLogDelivery"},
		"xray/EncryptionConfig":        {reason: "A principal that sets a key lets X-Ray use it.", has: "kms:CreateGrant kms:DescribeKey"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			service, kind, _ := strings.Cut(name, "/")
			kindOf(t, service, kind)
			s, _ := Lookup(service)
			policy := s.FullOf("aws", []string{kind})
			for a := range strings.FieldsSeq(tc.has) {
				if !covered(policy, a) {
					t.Errorf("%s It lacks %s", tc.reason, a)
				}
			}
			for a := range strings.FieldsSeq(tc.lacks) {
				if covered(policy, a) {
					t.Errorf("%s It has %s", tc.reason, a)
				}
			}
		})
	}
	linked := map[string]struct{ reason, service string }{
		"cloudwatch/MetricAlarm": {"An alarm can open an OpsItem in Systems Manager.", "ssm.alarms.cloudwatch.amazonaws.com"},
		"ec2/FlowLog":            {"Logs are delivered to Firehose with a service-linked role.", "delivery.logs.amazonaws.com"},
		"ec2/VPCIpam":            {"IPAM has a service-linked role, too.", "ipam.amazonaws.com"},
	}
	for name, tc := range linked {
		service, kind, _ := strings.Cut(name, "/")
		s, _ := Lookup(service)
		if text := iam.NewDocument(s.FullOf("aws", []string{kind})...).String(); !strings.Contains(text, `"`+tc.service+`"`) {
			t.Errorf("%s: %s It lacks %s", name, tc.reason, tc.service)
		}
	}
}
