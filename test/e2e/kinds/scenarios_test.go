package kinds

import (
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// A scenario for an object of a kind: it is created, changed, read all the time, and deleted.
type scenario struct {
	// kind with its service, and its plural in the name of the CRD.
	kind, plural string
	// before creates what the object needs, and after the last change creates what its deletion must deal with.
	before, after func(ctx context.Context, w *world, name string) error
	// steps, of which the first creates.
	steps []step
	// ends are the calls that end the scenario, in this order, if the provider keeps asking for minutes after AWS has deleted the object.
	ends []string
	// unused are actions of the policy that nothing here needs, by the reason why the policy has them.
	unused map[string]string
}

// A step sets fields, and AWS gets a call for it. NAME is the name of the object.
type step struct{ fields, calls string }

// Reasons.
const (
	drift = "It undoes a change of another owner in AWS."
	field = "A field that is not set here."
	tags  = "AWS returns the tags with this object. Where it does not, the provider asks for them."
)

// ofBucket is the scenario for a property of a bucket, with one step that sets it and one that changes it.
func ofBucket(kind, plural, put, create, change string) scenario {
	at := "{region: eu-west-1, bucket: NAME, "
	return scenario{
		kind: "s3/" + kind, plural: plural, before: bucket,
		steps: []step{{at + create + "}", "s3:" + put}, {"{" + change + "}", "s3:" + put}},
	}
}

// ofQueue is the scenario for a property of a queue.
func ofQueue(kind, plural, create, change string) scenario {
	const at = `{region: eu-west-1, queueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/NAME", `
	return scenario{
		kind: "sqs/" + kind, plural: plural, before: queue,
		steps: []step{{at + create + "}", "sqs:SetQueueAttributes"}, {"{" + change + "}", "sqs:SetQueueAttributes"}},
	}
}

func bucket(ctx context.Context, w *world, name string) error {
	_, err := w.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	return err
}

func queue(ctx context.Context, w *world, name string) error {
	for _, n := range []string{name, name + "-dead"} {
		if _, err := w.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: sdk.String(n)}); err != nil {
			return err
		}
	}
	return nil
}

// content of a bucket, which is deleted with it.
func content(ctx context.Context, w *world, name string) error {
	_, err := w.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: sdk.String("a"), Body: strings.NewReader("content")})
	return err
}

const (
	some     = `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'`
	mayRead  = `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::NAME/*"}]}'`
	mayWrite = `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::NAME/*"}]}'`
)

// scenarios for the kinds that the providers of the suite support. The suite has no key of KMS and no access point to refer to, but
// objects, encryption and some filters look for one even if they name none. And provider-aws v2.5.0 cannot observe the lifecycle of a
// bucket that has none.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var scenarios = []scenario{
	{
		kind: "s3/Bucket", plural: "buckets",
		steps: []step{
			{"{region: eu-west-1, forceDestroy: true, objectLockEnabled: true, tags: {a: b}}", "s3:CreateBucket"},
			{"{tags: {a: null, c: d}}", "s3:TagResource"},
		},
		after: content,
		unused: map[string]string{
			"An object may be locked or held, and is deleted anyway.": "s3:BypassGovernanceRetention s3:PutObjectLegalHold",
			"The older way to tag, where the newer one is refused.":   "s3:GetBucketTagging s3:PutBucketTagging",
		},
	},
	ofBucket("BucketACL", "bucketacls", "PutBucketAcl", "acl: private", "acl: public-read"),
	ofBucket("BucketAccelerateConfiguration", "bucketaccelerateconfigurations", "PutAccelerateConfiguration", "status: Enabled", "status: Suspended"),
	ofBucket("BucketAnalyticsConfiguration", "bucketanalyticsconfigurations", "PutAnalyticsConfiguration", "name: all", "filter: [{prefix: a/}]"),
	ofBucket("BucketCorsConfiguration", "bucketcorsconfigurations", "PutBucketCORS", "corsRule: [{allowedMethods: [GET], allowedOrigins: ['*']}]", "corsRule: [{allowedMethods: [PUT], allowedOrigins: ['*']}]"),
	ofBucket("BucketIntelligentTieringConfiguration", "bucketintelligenttieringconfigurations", "PutIntelligentTieringConfiguration", "name: all, tiering: [{accessTier: ARCHIVE_ACCESS, days: 125}]", "tiering: [{accessTier: ARCHIVE_ACCESS, days: 180}]"),
	ofBucket("BucketInventory", "bucketinventories", "PutInventoryConfiguration", "name: all, includedObjectVersions: Current, schedule: [{frequency: Daily}], destination: [{bucket: [{format: CSV, bucketArn: 'arn:aws:s3:::NAME'}]}]", "schedule: [{frequency: Weekly}]"),
	ofBucket("BucketLogging", "bucketloggings", "PutBucketLogging", "targetBucket: NAME, targetPrefix: a/", "targetPrefix: b/"),
	{
		kind: "s3/BucketMetric", plural: "bucketmetrics", before: bucket,
		steps: []step{{"{region: eu-west-1, bucket: NAME, name: all}", "s3:PutMetricsConfiguration"}},
	},
	ofBucket("BucketNotification", "bucketnotifications", "PutBucketNotification", "eventbridge: true", "queue: [{events: ['s3:ObjectCreated:*'], queueArn: 'arn:aws:sqs:eu-west-1:123456789012:q'}]"),
	ofBucket("BucketObjectLockConfiguration", "bucketobjectlockconfigurations", "PutBucketObjectLockConfiguration", "rule: [{defaultRetention: [{mode: GOVERNANCE, days: 1}]}]", "rule: [{defaultRetention: [{mode: GOVERNANCE, days: 2}]}]"),
	ofBucket("BucketOwnershipControls", "bucketownershipcontrols", "PutBucketOwnershipControls", "rule: [{objectOwnership: BucketOwnerPreferred}]", "rule: [{objectOwnership: BucketOwnerEnforced}]"),
	ofBucket("BucketPolicy", "bucketpolicies", "PutBucketPolicy", "policy: "+mayRead, "policy: "+mayWrite),
	ofBucket("BucketPublicAccessBlock", "bucketpublicaccessblocks", "PutBucketPublicAccessBlock", "blockPublicAcls: true", "blockPublicPolicy: true"),
	ofBucket("BucketRequestPaymentConfiguration", "bucketrequestpaymentconfigurations", "PutBucketRequestPayment", "payer: Requester", "payer: BucketOwner"),
	ofBucket("BucketVersioning", "bucketversionings", "PutBucketVersioning", "versioningConfiguration: [{status: Enabled}]", "versioningConfiguration: [{status: Suspended}]"),
	ofBucket("BucketWebsiteConfiguration", "bucketwebsiteconfigurations", "PutBucketWebsite", "indexDocument: [{suffix: index.html}]", "indexDocument: [{suffix: home.html}]"),
	{
		kind: "sqs/Queue", plural: "queues",
		steps: []step{
			{"{region: eu-west-1, name: NAME, tags: {a: b}}", "sqs:CreateQueue"},
			{"{delaySeconds: 5}", "sqs:SetQueueAttributes"},
			{"{tags: {a: null, c: d}}", "sqs:UntagQueue"},
		},
		ends: []string{"sqs:DeleteQueue", "sqs:GetQueueAttributes"},
	},
	ofQueue("QueuePolicy", "queuepolicies", "policy: "+mayRead, "policy: "+mayWrite),
	ofQueue("QueueRedriveAllowPolicy", "queueredriveallowpolicies", `redriveAllowPolicy: '{"redrivePermission":"allowAll"}'`, `redriveAllowPolicy: '{"redrivePermission":"denyAll"}'`),
	ofQueue("QueueRedrivePolicy", "queueredrivepolicies", `redrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:NAME-dead","maxReceiveCount":4}'`, `redrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:NAME-dead","maxReceiveCount":5}'`),
	{
		kind: "iam/Role", plural: "roles",
		steps: []step{
			{`{assumeRolePolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}', description: one, tags: {a: b}}`, "iam:CreateRole"},
			{"{description: two}", "iam:UpdateRoleDescription"},
			{"{maxSessionDuration: 7200}", "iam:UpdateRole"},
			{`{assumeRolePolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'}`, "iam:UpdateAssumeRolePolicy"},
			{"{permissionsBoundary: 'arn:aws:iam::aws:policy/AdministratorAccess'}", "iam:PutRolePermissionsBoundary"},
			{"{permissionsBoundary: ''}", "iam:DeleteRolePermissionsBoundary"},
			{"{managedPolicyArns: ['arn:aws:iam::aws:policy/AmazonSQSFullAccess']}", "iam:AttachRolePolicy"},
			{"{managedPolicyArns: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']}", "iam:DetachRolePolicy"},
			{"{inlinePolicy: [{name: a, policy: " + some + "}]}", "iam:PutRolePolicy"},
			{"{inlinePolicy: [{name: b, policy: " + some + "}]}", "iam:DeleteRolePolicy"},
			{"{tags: {a: null, c: d}}", "iam:UntagRole"},
		},
		unused: map[string]string{drift: "iam:RemoveRoleFromInstanceProfile", tags: "iam:ListRoleTags"},
	},
	{
		kind: "iam/Policy", plural: "policies",
		steps: []step{
			{`{policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}', tags: {a: b}}`, "iam:CreatePolicy"},
			{`{policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}'}`, "iam:CreatePolicyVersion"},
			{"{tags: {a: null, c: d}}", "iam:UntagPolicy"},
		},
		unused: map[string]string{field: "iam:SetDefaultPolicyVersion", tags: "iam:ListPolicyTags"},
	},
	{
		kind: "iam/RolePolicyAttachment", plural: "rolepolicyattachments", before: role,
		steps: []step{{"{role: NAME, policyArn: 'arn:aws:iam::aws:policy/AmazonSQSFullAccess'}", "iam:AttachRolePolicy"}},
	},
	{
		kind: "iam/RolePolicy", plural: "rolepolicies", before: role,
		steps: []step{
			{`{role: NAME, policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'}`, "iam:PutRolePolicy"},
			{`{policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}'}`, "iam:PutRolePolicy"},
		},
	},
	{
		kind: "eks/PodIdentityAssociation", plural: "podidentityassociations", before: role,
		steps: []step{
			{"{region: eu-west-1, clusterName: prod, namespace: default, serviceAccount: NAME, roleArn: 'arn:aws:iam::123456789012:role/NAME', tags: {a: b}}", "eks:CreatePodIdentityAssociation"},
			{"{disableSessionTags: true}", "eks:UpdatePodIdentityAssociation"},
			{"{tags: {a: null, c: d}}", "eks:UntagResource"},
		},
		unused: map[string]string{tags: "eks:ListTagsForResource"},
	},
}

func role(_ context.Context, w *world, name string) error {
	w.AWS.AddRole(name, `{"Statement":[]}`, "")
	return nil
}
