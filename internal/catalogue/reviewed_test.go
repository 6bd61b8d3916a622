package catalogue

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

const (
	// anotherKind and looked are reasons that the test can verify.
	anotherKind = "Another kind of the package does it."
	looked      = "AWS's code reads it. The provider does not."
)

// unneeded lists, by reason, the actions that AWS's own code needs for a resource but a kind does not. Each was reviewed by hand.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var unneeded = map[string]string{
	anotherKind: `
		autoscaling/AutoscalingGroup autoscaling: AttachLoadBalancerTargetGroups AttachLoadBalancers DeleteLifecycleHook
			DeleteNotificationConfiguration DetachLoadBalancerTargetGroups DetachLoadBalancers PutNotificationConfiguration
		backup/Vault backup: DeleteBackupVaultAccessPolicy DeleteBackupVaultLockConfiguration DeleteBackupVaultNotifications
			GetBackupVaultAccessPolicy GetBackupVaultNotifications PutBackupVaultAccessPolicy PutBackupVaultLockConfiguration
			PutBackupVaultNotifications
		cloudwatchevents/Bus events: PutPermission RemovePermission
		cloudwatchevents/Rule events: PutTargets RemoveTargets
		dynamodb/Table dynamodb: DeleteResourcePolicy DescribeContributorInsights DescribeKinesisStreamingDestination
			DisableKinesisStreamingDestination EnableKinesisStreamingDestination GetResourcePolicy PutResourcePolicy UpdateContributorInsights
		ec2/Instance ec2: AttachVolume DescribeKeyPairs DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets DetachVolume
		ec2/SecurityGroup ec2: UpdateSecurityGroupRuleDescriptionsEgress UpdateSecurityGroupRuleDescriptionsIngress
		ec2/SecurityGroupEgressRule ec2: UpdateSecurityGroupRuleDescriptionsEgress
		ec2/SecurityGroupIngressRule ec2: UpdateSecurityGroupRuleDescriptionsIngress
		ecr/Repository ecr: DeleteLifecyclePolicy DeleteRepositoryPolicy GetLifecyclePolicy GetRepositoryPolicy PutLifecyclePolicy
			SetRepositoryPolicy
		ecs/Cluster ecs: PutAccountSettingDefault PutClusterCapacityProviders
		efs/FileSystem elasticfilesystem: CreateReplicationConfiguration DeleteFileSystemPolicy DeleteReplicationConfiguration
			DescribeBackupPolicy DescribeFileSystemPolicy DescribeReplicationConfigurations PutBackupPolicy PutFileSystemPolicy
		eks/AccessEntry eks: AssociateAccessPolicy DisassociateAccessPolicy ListAssociatedAccessPolicies
		elbv2/LBTargetGroup elasticloadbalancing: DeregisterTargets RegisterTargets
		iam/Group iam: AttachGroupPolicy DetachGroupPolicy ListAttachedGroupPolicies
		iam/Policy iam: AttachGroupPolicy AttachRolePolicy AttachUserPolicy DetachGroupPolicy DetachRolePolicy DetachUserPolicy
		iam/User iam: AddUserToGroup AttachUserPolicy CreateLoginProfile GetLoginProfile
		lambda/Alias lambda: DeleteProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig PutProvisionedConcurrencyConfig
		lambda/Function lambda: GetCodeSigningConfig
		rds/Cluster rds: RemoveRoleFromDBCluster
		rds/Instance rds: AddRoleToDBInstance DescribeDBClusterSnapshots DescribeDBClusters DescribeDBInstanceAutomatedBackups
			DescribeDBParameterGroups DescribeDBSnapshots RemoveRoleFromDBInstance StartDBInstanceAutomatedBackupsReplication
			StopDBInstanceAutomatedBackupsReplication
		route53/Zone route53: CreateQueryLoggingConfig DeleteQueryLoggingConfig
		s3/Bucket iam: PassRole s3: DeleteBucketWebsite GetAnalyticsConfiguration GetBucketNotification GetBucketOwnershipControls
			GetBucketPublicAccessBlock GetIntelligentTieringConfiguration GetInventoryConfiguration GetMetricsConfiguration
			PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAcl PutBucketCORS PutBucketLogging PutBucketNotification
			PutBucketOwnershipControls PutBucketPublicAccessBlock PutBucketWebsite PutEncryptionConfiguration PutIntelligentTieringConfiguration
			PutInventoryConfiguration PutLifecycleConfiguration PutMetricsConfiguration PutObjectAcl PutReplicationConfiguration
		sns/Topic sns: ListSubscriptionsByTopic Subscribe Unsubscribe`,
	looked: `
		cloudfront/Distribution cloudfront: GetConnectionGroup GetDistributionConfig GetVpcOrigin
		cloudwatchevents/Rule events: ListTargetsByRule
		ec2/EBSVolume ec2: DescribeVolumeAttribute DescribeVolumesModifications
		ec2/EgressOnlyInternetGateway ec2: DescribeVpcs
		ec2/FlowLog autoscaling: DescribeTags
		ec2/Route ec2: DescribeNetworkInterfaces
		ec2/RouteTableAssociation ec2: DescribeSubnets
		ec2/SecurityGroup ec2: DescribeInstances
		ec2/SecurityGroupIngressRule ec2: DescribeSecurityGroups
		ec2/Subnet ec2: DescribeNetworkAcls
		ecs/TaskDefinition iam: GetRole
		efs/AccessPoint elasticfilesystem: ListTagsForResource
		eks/IdentityProviderConfig eks: DescribeUpdate
		eks/NodeGroup eks: ListUpdates
		elasticache/ParameterGroup elasticache: DescribeEngineDefaultParameters
		elbv2/LBTargetGroup elasticloadbalancing: DescribeTargetHealth
		firehose/DeliveryStream iam: GetRole
		iam/Policy iam: ListEntitiesForPolicy
		lambda/Function ec2: DescribeNetworkInterfaces
		opensearch/Domain es: DescribeDomainChangeProgress
		rds/Cluster rds: DescribeDBClusterAutomatedBackups DescribeDBClusterSnapshots DescribeDBSnapshots DescribeDBSubnetGroups DescribeEvents
		rds/ClusterParameterGroup rds: DescribeDBClusters DescribeEngineDefaultClusterParameters
		rds/Instance iam: GetRole ListRoles rds: DescribeDBEngineVersions DescribeEvents
		rds/ParameterGroup rds: DescribeEngineDefaultParameters
		route53/Zone route53: ListQueryLoggingConfigs
		sns/Topic iam: GetRole
		sns/TopicSubscription iam: GetRole
		sqs/Queue sqs: GetQueueUrl
		ssm/Association resource-groups: GetGroupQuery ListGroupResources ListGroups ssm: GetCalendarState`,
	"The provider has no field for it in v2.5.0.": `
		apigatewayv2/API s3: GetObject
		autoscaling/AutoscalingGroup managed-fleets: CreateAutoScalingGroup DeleteAutoScalingGroup DeregisterAutoScalingGroup
			RegisterAutoScalingGroup UpdateAutoScalingGroup
		cloudfront/Distribution cloudfront: UpdateDistributionWithStagingConfig
		cloudfront/Function cloudfront: ListTagsForResource TagResource UntagResource
		cloudwatch/Dashboard cloudwatch: ListTagsForResource TagResource UntagResource
		cloudwatchlogs/Group logs: DeleteDataProtectionPolicy GetDataProtectionPolicy PutDataProtectionPolicy
		dynamodb/Table dynamodb: AssociateTableReplica UpdateKinesisStreamingDestination
		ec2/EBSVolume ec2: CopyVolumes ModifyVolumeAttribute
		ec2/EIP ec2: AcceptAddressTransfer
		ec2/Instance ssm: CreateAssociation DeleteAssociation DescribeAssociation ListAssociations
		ec2/KeyPair ec2: CreateKeyPair ssm: DeleteParameter PutParameter
		ec2/NetworkInterface ec2: ModifyPublicIpDnsNameOptions
		ec2/VPC ec2: CreateVpcEncryptionControl DescribeVpcEncryptionControls
		ec2/VPCPeeringConnection sts: AssumeRole
		ecs/Cluster ecs: PutAccountSetting
		efs/FileSystem iam: PassRole
		eks/Cluster eks: ActivateCertificateAuthority
		iam/Group iam: DeleteGroupPolicy GetGroupPolicy ListGroupPolicies PutGroupPolicy
		iam/User iam: GetUserPolicy PutUserPolicy
		kinesis/Stream kinesis: UpdateStreamWarmThroughput
		lambda/Alias codedeploy: CreateDeployment GetDeployment GetDeploymentConfig GetDeploymentGroup StopDeployment
		lambda/Function lambda: GetFunctionRecursionConfig GetFunctionScalingConfig GetRuntimeManagementConfig PutFunctionRecursionConfig
			PutFunctionScalingConfig PutRuntimeManagementConfig s3files: ListMountTargets
		mq/Broker mq: DescribeSharedResources ram: AssociateResourceShare vpc-lattice: PutResourcePolicy
		redshift/Cluster redshift: DeleteResourcePolicy DescribeClusterDbRevisions DescribeLoggingStatus DisableLogging DisableSnapshotCopy
			EnableLogging EnableSnapshotCopy FailoverPrimaryCompute GetResourcePolicy ModifyClusterMaintenance ModifySnapshotCopyRetentionPeriod
			PauseCluster PutResourcePolicy ResizeCluster ResumeCluster RotateEncryptionKey
		s3/Bucket s3: CreateBucketMetadataTableConfiguration DeleteBucketMetadataTableConfiguration GetBucketMetadataTableConfiguration
			s3tables: CreateNamespace CreateTable GetTable GetTableMetadataLocation PutTablePolicy UpdateTableMetadataLocation
		s3/DirectoryBucket ec2: DescribeAvailabilityZones kms: Decrypt GenerateDataKey s3express: GetEncryptionConfiguration
			GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration PutEncryptionConfiguration PutInventoryConfiguration
			PutLifecycleConfiguration PutMetricsConfiguration
		secretsmanager/Secret secretsmanager: GetRandomPassword GetSecretValue
		secretsmanager/SecretRotation iam: PassRole
		sfn/StateMachine s3: GetObject
		sns/Topic sns: GetDataProtectionPolicy PutDataProtectionPolicy
		ssm/Association iam: PassRole
		ssm/Document iam: PassRole`,
	"The provider does it with another call.": `
		cloudwatchlogs/Group logs: CreateLogDelivery DescribeResourcePolicies PutResourcePolicy
		ec2/Instance ec2: ModifyInstancePlacement
		ecs/Cluster ecs: UpdateClusterSettings
		efs/FileSystem elasticfilesystem: DeleteTags ListTagsForResource
		elasticache/Cluster elasticache: RebootCacheCluster
		elasticache/ReplicationGroup elasticache: CreateCacheCluster DeleteCacheCluster
		elasticache/UserGroup elasticache: ModifyReplicationGroup
		iam/User iam: UpdateLoginProfile
		kinesis/Stream kinesis: ListTagsForResource TagResource UntagResource
		ssm/Parameter ssm: GetParameters`,
	"It depends on a location, a template or a zone that a field names, and belongs in a statement with that resource.": `
		acm/Certificate route53: ChangeResourceRecordSets
		apigateway/RestAPI s3: GetObject
		cloudwatchlogs/Group firehose: TagDeliveryStream
		dynamodb/Table s3: GetObject ListBucket
		ec2/FlowLog s3: GetBucketPolicy PutBucketPolicy
		eks/NodeGroup ec2: CreateTags DeleteTags RunInstances
		elasticache/Cluster s3: GetObject
		elasticache/ReplicationGroup s3: GetObject
		kafka/Cluster s3: PutBucketPolicy
		ssm/Document s3: GetObject`,
	"The service does it itself, with a role other than the caller's.": `
		autoscaling/AutoscalingGroup vpc-lattice: DeregisterTargets GetTargetGroup ListTargets RegisterTargets
		cognitoidp/UserPoolClient iam: DeleteRolePolicy PutRolePolicy
		dynamodb/Table kinesis: PutRecords
		ecr/PullThroughCacheRule secretsmanager: GetSecretValue
		eks/Cluster iam: AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile RemoveRoleFromInstanceProfile
			TagInstanceProfile
		elasticache/Cluster logs: CreateLogStream
		elasticache/ParameterGroup iam: PutRolePolicy
		elasticache/ReplicationGroup firehose: PutRecord PutRecordBatch logs: CreateLogStream PutLogEvents
		kafka/Cluster iam: AttachRolePolicy PutRolePolicy
		redshift/Cluster cloudwatch: PutMetricData ec2: AllocateAddress AssociateAddress CreateNetworkInterface CreateSecurityGroup
			CreateVpcEndpoint ModifyNetworkInterfaceAttribute ModifyVpcEndpoint`,
	"AWS lists it without saying why. docs/kinds.md names it.": `
		cloudwatchevents/Bus kms: Decrypt Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo
		cognitoidp/UserPool kms: Decrypt Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo
		eks/Cluster eks: CreateAccessEntry
		firehose/DeliveryStream kms: RevokeGrant
		redshift/Cluster kms: Encrypt`,
}

// excuses returns the reasons by kind and action.
func excuses() map[string]string {
	out := map[string]string{}
	for why, text := range unneeded {
		of := map[string][]string{}
		kind := ""
		for w := range strings.FieldsSeq(text) {
			if strings.Contains(w, "/") {
				kind = w
				continue
			}
			of[kind] = append(of[kind], w)
		}
		for kind, words := range of {
			for _, a := range prefixed(strings.Join(words, " ")) {
				out[kind+" "+a] = why
			}
		}
	}
	return out
}

// TestReviewed compares the most used kinds with the actions that AWS's own code for CloudFormation needs for the same resources. A
// policy has them, or unneeded says why not. The test fails if a policy loses an action that it needs.
func TestReviewed(t *testing.T) {
	reasons, reviewed := excuses(), 0
	for head, words := range published(t, "cloudformation.txt") {
		service, name, _ := strings.Cut(head, "/")
		s, _ := Lookup(service)
		if _, ok := s.Kind(name); !ok {
			t.Errorf("there is no kind %s", head)
			continue
		}
		reviewed++
		policy := s.FullOf("aws", []string{name})
		for _, a := range prefixed(strings.Join(words[1:], " ")) {
			why, excused := reasons[head+" "+a]
			delete(reasons, head+" "+a)
			switch {
			case covered(policy, a) == !excused:
			case excused:
				t.Errorf("%s has %s, although it is excused: %s", head, a, why)
			default:
				t.Errorf("%s lacks %s, which AWS needs for %s", head, a, words[0])
			}
			if why == anotherKind && !slices.ContainsFunc(s.Kinds(), func(k string) bool { return k != name && covered(s.FullOf("aws", []string{k}), a) }) {
				t.Errorf("%s: no other kind of %s has %s", head, service, a)
			}
			if why == looked && !reads(a) {
				t.Errorf("%s: %s does more than read", head, a)
			}
		}
	}
	for _, left := range slices.Sorted(maps.Keys(reasons)) {
		t.Errorf("AWS does not need %s, but it is excused: %s", left, reasons[left])
	}
	if reviewed < 100 {
		t.Errorf("want at least 100 kinds reviewed, got %d", reviewed)
	}
	t.Logf("%d kinds reviewed", reviewed)
}
