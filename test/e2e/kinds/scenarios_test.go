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
	// kind with its service, its plural in the name of the CRD, and the variant where a kind has several scenarios.
	kind, plural, variant string
	// before creates what the object needs, and after the last change creates what its deletion must deal with.
	before, after func(ctx context.Context, w *world, name string) error
	// steps, of which the first creates.
	steps []step
	// ends are the calls that end the scenario, in this order, if the provider keeps asking for minutes after AWS has deleted the object.
	ends []string
	// unused are actions of the policy that nothing here needs, by the reason why the policy has them.
	unused map[string]string
	// unset are fields that no step sets, by the reason. A field stands for those inside of it, too.
	unset map[string]string
}

// version of all kinds that the scenarios use.
const version = "v1beta1"

// title of the scenario: its kind, and its variant.
func (s scenario) title() string { return strings.TrimSuffix(s.kind+"/"+s.variant, "/") }

// crd is how provider-aws names the file of the kind's CRD.
func (s scenario) crd() string {
	service, _, _ := strings.Cut(s.kind, "/")
	return service + ".aws.upbound.io_" + s.plural
}

// A step sets fields, and AWS gets a call for it. NAME is the name of the object.
type step struct{ fields, calls string }

// Reasons.
const (
	drift = "It undoes a change of another owner in AWS."
	tags  = "AWS returns the tags with this object. Where it does not, the provider asks for them."
)

// ofBucket is the scenario for a property of a bucket: the fields that create it, and those of each change. All take the same call.
func ofBucket(kind, plural, put string, fields ...string) scenario {
	return of("s3/"+kind, plural, bucket, "s3:"+put, "region: eu-west-1, bucket: NAME", fields)
}

// ofQueue is the scenario for a property of a queue.
func ofQueue(kind, plural string, fields ...string) scenario {
	return of("sqs/"+kind, plural, queue, "sqs:SetQueueAttributes", `region: eu-west-1, queueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/NAME"`, fields)
}

// of is the scenario for a part of an object that exists before.
func of(kind, plural string, before func(context.Context, *world, string) error, call, at string, fields []string) scenario {
	s := scenario{kind: kind, plural: plural, before: before, steps: []step{{"{" + at + ", " + fields[0] + "}", call}}}
	for _, change := range fields[1:] {
		s.steps = append(s.steps, step{"{" + change + "}", call})
	}
	return s
}

// without a field that cannot be set here, and why.
func (s scenario) without(field, reason string) scenario {
	s.unset = map[string]string{field: reason}
	return s
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
	ofBucket("BucketACL", "bucketacls", "PutBucketAcl",
		"expectedBucketOwner: '123456789012', acl: private",
		"acl: public-read",
		`acl: null, accessControlPolicy: [{owner: [{id: owner, displayName: owner}], grant: [{permission: READ, grantee: [{type: CanonicalUser, id: owner}]}, `+
			`{permission: WRITE, grantee: [{type: Group, uri: 'http://acs.amazonaws.com/groups/s3/LogDelivery'}]}, {permission: READ, grantee: [{type: AmazonCustomerByEmail, emailAddress: a@example.org}]}]}]`,
	),
	ofBucket("BucketAccelerateConfiguration", "bucketaccelerateconfigurations", "PutAccelerateConfiguration",
		"expectedBucketOwner: '123456789012', status: Enabled",
		"status: Suspended",
	),
	ofBucket("BucketAnalyticsConfiguration", "bucketanalyticsconfigurations", "PutAnalyticsConfiguration",
		"name: all",
		"filter: [{prefix: a/}]",
		"filter: [{prefix: a/, tags: {a: b}}]",
		"storageClassAnalysis: [{dataExport: [{outputSchemaVersion: V_1, destination: [{s3BucketDestination: [{bucketArn: 'arn:aws:s3:::NAME', bucketAccountId: '123456789012', format: CSV, prefix: a/}]}]}]}]",
	),
	ofBucket("BucketCorsConfiguration", "bucketcorsconfigurations", "PutBucketCORS",
		"expectedBucketOwner: '123456789012', corsRule: [{allowedMethods: [GET], allowedOrigins: ['*']}]",
		"corsRule: [{id: a, allowedMethods: [PUT], allowedOrigins: ['*'], allowedHeaders: ['*'], exposeHeaders: [ETag], maxAgeSeconds: 60}]",
	),
	ofBucket("BucketIntelligentTieringConfiguration", "bucketintelligenttieringconfigurations", "PutIntelligentTieringConfiguration",
		"name: all, status: Enabled, tiering: [{accessTier: ARCHIVE_ACCESS, days: 125}]",
		"tiering: [{accessTier: ARCHIVE_ACCESS, days: 180}]",
		"status: Disabled, filter: [{prefix: a/, tags: {a: b}}]",
	),
	ofBucket("BucketInventory", "bucketinventories", "PutInventoryConfiguration",
		"name: all, includedObjectVersions: Current, schedule: [{frequency: Daily}], destination: [{bucket: [{format: CSV, bucketArn: 'arn:aws:s3:::NAME'}]}]",
		"schedule: [{frequency: Weekly}], enabled: false, filter: [{prefix: a/}], optionalFields: [Size]",
		"destination: [{bucket: [{format: CSV, bucketArn: 'arn:aws:s3:::NAME', accountId: '123456789012', prefix: a/, encryption: [{sseS3: [{}]}]}]}]",
		"destination: [{bucket: [{format: CSV, bucketArn: 'arn:aws:s3:::NAME', encryption: [{sseKms: [{keyId: 'arn:aws:kms:eu-west-1:123456789012:key/a'}]}]}]}]",
	),
	ofBucket("BucketLogging", "bucketloggings", "PutBucketLogging",
		"expectedBucketOwner: '123456789012', targetBucket: NAME, targetPrefix: a/",
		"targetPrefix: b/",
		`targetGrant: [{permission: READ, grantee: [{type: CanonicalUser, id: owner}]}, {permission: WRITE, grantee: [{type: Group, uri: 'http://acs.amazonaws.com/groups/s3/LogDelivery'}]}, `+
			`{permission: FULL_CONTROL, grantee: [{type: AmazonCustomerByEmail, emailAddress: a@example.org}]}]`,
		"targetObjectKeyFormat: [{partitionedPrefix: [{partitionDateSource: EventTime}]}]",
		"targetObjectKeyFormat: [{simplePrefix: [{}]}]",
	),
	ofBucket("BucketMetric", "bucketmetrics", "PutMetricsConfiguration", "name: all").
		without("filter", "Where there is a filter, the provider looks for the kind AccessPoint of s3control, which the suite has no provider for."),
	ofBucket("BucketNotification", "bucketnotifications", "PutBucketNotification",
		"eventbridge: true",
		"queue: [{id: a, events: ['s3:ObjectCreated:*'], filterPrefix: a/, filterSuffix: .txt, queueArn: 'arn:aws:sqs:eu-west-1:123456789012:q'}]",
		"lambdaFunction: [{id: b, events: ['s3:ObjectRemoved:*'], filterPrefix: a/, filterSuffix: .txt, lambdaFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:f'}]",
	).without("topic", "Where there is a topic, the provider looks for the kind Topic of sns, which the suite has no provider for."),
	ofBucket("BucketObjectLockConfiguration", "bucketobjectlockconfigurations", "PutBucketObjectLockConfiguration",
		"expectedBucketOwner: '123456789012', objectLockEnabled: Enabled, rule: [{defaultRetention: [{mode: GOVERNANCE, days: 1}]}]",
		"rule: [{defaultRetention: [{mode: GOVERNANCE, days: 2}]}]",
		"rule: [{defaultRetention: [{mode: COMPLIANCE, years: 1}]}]",
	),
	ofBucket("BucketOwnershipControls", "bucketownershipcontrols", "PutBucketOwnershipControls", "rule: [{objectOwnership: BucketOwnerPreferred}]", "rule: [{objectOwnership: BucketOwnerEnforced}]"),
	ofBucket("BucketPolicy", "bucketpolicies", "PutBucketPolicy", "policy: "+mayRead, "policy: "+mayWrite),
	ofBucket("BucketPublicAccessBlock", "bucketpublicaccessblocks", "PutBucketPublicAccessBlock",
		"blockPublicAcls: true, skipDestroy: false",
		"blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true",
	),
	ofBucket("BucketRequestPaymentConfiguration", "bucketrequestpaymentconfigurations", "PutBucketRequestPayment",
		"expectedBucketOwner: '123456789012', payer: Requester",
		"payer: BucketOwner",
	),
	ofBucket("BucketVersioning", "bucketversionings", "PutBucketVersioning",
		"expectedBucketOwner: '123456789012', mfa: 'arn:aws:iam::123456789012:mfa/root 123456', versioningConfiguration: [{status: Enabled}]",
		"versioningConfiguration: [{status: Suspended, mfaDelete: Disabled}]",
	),
	ofBucket("BucketWebsiteConfiguration", "bucketwebsiteconfigurations", "PutBucketWebsite",
		"expectedBucketOwner: '123456789012', indexDocument: [{suffix: index.html}]",
		`indexDocument: [{suffix: home.html}], errorDocument: [{key: error.html}], routingRule: [{condition: [{keyPrefixEquals: a/, httpErrorCodeReturnedEquals: '404'}], `+
			`redirect: [{hostName: example.org, httpRedirectCode: '302', protocol: https, replaceKeyPrefixWith: b/}]}]`,
		"routingRule: [{condition: [{keyPrefixEquals: a/}], redirect: [{replaceKeyWith: b}]}]",
		`routingRule: null, routingRules: '[{"Condition":{"KeyPrefixEquals":"c/"},"Redirect":{"ReplaceKeyPrefixWith":"d/"}}]'`,
		"indexDocument: null, errorDocument: null, routingRules: null, redirectAllRequestsTo: [{hostName: example.org, protocol: https}]",
	),
	{
		kind: "sqs/Queue", plural: "queues",
		steps: []step{
			{"{region: eu-west-1, name: NAME, tags: {a: b}}", "sqs:CreateQueue"},
			{"{delaySeconds: 5, maxMessageSize: 2048, messageRetentionSeconds: 3600, receiveWaitTimeSeconds: 5, visibilityTimeoutSeconds: 60}", "sqs:SetQueueAttributes"},
			{"{policy: " + mayRead + "}", "sqs:SetQueueAttributes"},
			{`{redrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:NAME-dead","maxReceiveCount":4}', redriveAllowPolicy: '{"redrivePermission":"denyAll"}'}`, "sqs:SetQueueAttributes"},
			{"{sqsManagedSseEnabled: false}", "sqs:SetQueueAttributes"},
			{"{sqsManagedSseEnabled: null, kmsMasterKeyId: alias/aws/sqs, kmsDataKeyReusePeriodSeconds: 600}", "sqs:SetQueueAttributes"},
			{"{tags: {a: null, c: d}}", "sqs:UntagQueue"},
		},
		ends: []string{"sqs:DeleteQueue", "sqs:GetQueueAttributes"},
	},
	{
		kind: "sqs/Queue", variant: "fifo", plural: "queues",
		steps: []step{
			{"{region: eu-west-1, name: NAME.fifo, fifoQueue: true, deduplicationScope: messageGroup, fifoThroughputLimit: perMessageGroupId}", "sqs:CreateQueue"},
			{"{contentBasedDeduplication: true, fifoThroughputLimit: perQueue}", "sqs:SetQueueAttributes"},
		},
		ends:   []string{"sqs:DeleteQueue", "sqs:GetQueueAttributes"},
		unused: map[string]string{"The other scenario has tags.": "sqs:TagQueue sqs:UntagQueue"},
	},
	ofQueue("QueuePolicy", "queuepolicies", "policy: "+mayRead, "policy: "+mayWrite),
	ofQueue("QueueRedriveAllowPolicy", "queueredriveallowpolicies", `redriveAllowPolicy: '{"redrivePermission":"allowAll"}'`, `redriveAllowPolicy: '{"redrivePermission":"denyAll"}'`),
	ofQueue("QueueRedrivePolicy", "queueredrivepolicies", `redrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:NAME-dead","maxReceiveCount":4}'`, `redrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:NAME-dead","maxReceiveCount":5}'`),
	{
		kind: "iam/Role", plural: "roles",
		steps: []step{
			{`{assumeRolePolicy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}', description: one, path: /a/, forceDetachPolicies: true, tags: {a: b}}`, "iam:CreateRole"},
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
			{`{policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}', description: one, path: /a/, tags: {a: b}}`, "iam:CreatePolicy"},
			{`{policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}'}`, "iam:CreatePolicyVersion"},
			{"{delayAfterPolicyCreationInMs: 100, policy: " + some + "}", "iam:SetDefaultPolicyVersion"},
			{"{tags: {a: null, c: d}}", "iam:UntagPolicy"},
		},
		unused: map[string]string{tags: "iam:ListPolicyTags"},
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
			{"{targetRoleArn: 'arn:aws:iam::123456789012:role/NAME-target'}", "eks:UpdatePodIdentityAssociation"},
			{"{tags: {a: null, c: d}}", "eks:UntagResource"},
		},
		unused: map[string]string{tags: "eks:ListTagsForResource"},
	},
}

func role(_ context.Context, w *world, name string) error {
	w.AWS.AddRole(name, `{"Statement":[]}`, "")
	return nil
}
