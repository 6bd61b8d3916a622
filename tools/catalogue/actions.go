package main

import (
	"slices"
	"strings"
)

// An IAM action has the prefix of its service and the name of its operation. This file lists the exceptions. The sources are the Service
// Authorization Reference, https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html,
// and the pages that are named beside an entry.

// prefixes maps packages of the SDK to the prefixes of their actions where the two differ.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var prefixes = map[string]string{
	"accessanalyzer": "access-analyzer", "acmpca": "acm-pca", "amp": "aps", "apigatewayv2": "apigateway",
	"applicationautoscaling": "application-autoscaling", "appintegrations": "app-integrations", "autoscalingplans": "autoscaling-plans",
	"bedrockagent": "bedrock", "bedrockagentcorecontrol": "bedrock-agentcore", "chimesdkvoice": "chime", "cloudcontrol": "cloudformation",
	"cloudwatchlogs": "logs", "codeguruprofiler": "codeguru-profiler", "codestarnotifications": "codestar-notifications",
	"cognitoidentity": "cognito-identity", "cognitoidentityprovider": "cognito-idp", "configservice": "config",
	"costandusagereportservice": "cur", "costexplorer": "ce", "databasemigrationservice": "dms", "directoryservice": "ds", "docdb": "rds",
	"ecrpublic": "ecr-public", "efs": "elasticfilesystem", "elasticloadbalancingv2": "elasticloadbalancing", "elasticsearchservice": "es",
	"emr": "elasticmapreduce", "emrcontainers": "emr-containers", "emrserverless": "emr-serverless", "eventbridge": "events",
	"keyspaces": "cassandra", "kinesisanalyticsv2": "kinesisanalytics", "lexmodelbuildingservice": "lex", "licensemanager": "license-manager",
	"location": "geo", "mwaa": "airflow", "neptune": "rds", "networkfirewall": "network-firewall", "opensearch": "es",
	"opensearchserverless": "aoss", "pinpoint": "mobiletargeting", "redshiftserverless": "redshift-serverless",
	"resourcegroups": "resource-groups", "route53recoverycontrolconfig": "route53-recovery-control-config",
	"route53recoveryreadiness": "route53-recovery-readiness", "s3control": "s3", "serverlessapplicationrepository": "serverlessrepo",
	"sesv2": "ses", "sfn": "states", "ssoadmin": "sso", "timestreamwrite": "timestream", "vpclattice": "vpc-lattice",
	"wafregional": "waf-regional",
}

// named lists operations whose action has another name, or that need more than one action. Words without a prefix have that of the service.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var named = map[operation]string{
	// A flow uses the profiles of its connectors.
	"appflow.CreateFlow": "CreateFlow UseConnectorProfile",
	"appflow.UpdateFlow": "UpdateFlow UseConnectorProfile",

	// Budgets have two actions, and their actions have their own.
	"budgets.CreateBudget": "ModifyBudget", "budgets.UpdateBudget": "ModifyBudget", "budgets.DeleteBudget": "ModifyBudget",
	"budgets.CreateNotification": "ModifyBudget", "budgets.DeleteNotification": "ModifyBudget",
	"budgets.DescribeBudget": "ViewBudget", "budgets.DescribeNotificationsForBudget": "ViewBudget",
	"budgets.DescribeSubscribersForNotification": "ViewBudget",

	"cloudfront.CreateDistributionWithTags": "CreateDistribution TagResource",

	// https://docs.aws.amazon.com/aurora-dsql/latest/userguide/using-iam-condition-keys.html, and the reference of the API.
	"dsql.CreateCluster": "CreateCluster AddPeerCluster PutMultiRegionProperties PutWitnessRegion",
	"dsql.UpdateCluster": "UpdateCluster AddPeerCluster PutMultiRegionProperties PutWitnessRegion RemovePeerCluster",

	// A restored table is filled, and replicas are tables of their own.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_security.html
	"dynamodb.RestoreTableToPointInTime": "RestoreTableToPointInTime BatchWriteItem DeleteItem GetItem PutItem Query Scan UpdateItem",
	"dynamodb.UpdateTable":               "UpdateTable CreateTableReplica DeleteTableReplica",

	// Keyspaces has the verbs of CQL. https://docs.aws.amazon.com/keyspaces/latest/devguide/security_iam_service-with-iam.html
	"keyspaces.CreateKeyspace": "Create", "keyspaces.CreateTable": "Create", "keyspaces.DeleteKeyspace": "Drop", "keyspaces.DeleteTable": "Drop",
	"keyspaces.GetKeyspace": "Select", "keyspaces.GetTable": "Select", "keyspaces.ListTagsForResource": "Select",
	"keyspaces.UpdateKeyspace": "Alter", "keyspaces.UpdateTable": "Alter",

	// A replica is a key that is created in another region.
	"kms.ReplicateKey": "ReplicateKey CreateKey",

	"lambda.Invoke": "InvokeFunction",

	// The action has another spelling.
	"amplify.CreateWebhook": "CreateWebHook", "amplify.DeleteWebhook": "DeleteWebHook", "amplify.GetWebhook": "GetWebHook", "amplify.UpdateWebhook": "UpdateWebHook",
	"memorydb.CreateACL": "CreateAcl", "memorydb.DeleteACL": "DeleteAcl", "memorydb.DescribeACLs": "DescribeAcls", "memorydb.UpdateACL": "UpdateAcl",

	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
	"s3.AbortMultipartUpload":                         "AbortMultipartUpload",
	"s3.CompleteMultipartUpload":                      "PutObject",
	"s3.CopyObject":                                   "GetObject GetObjectTagging GetObjectVersion GetObjectVersionTagging " + writesObject,
	"s3.CreateBucket":                                 "CreateBucket PutBucketObjectLockConfiguration PutBucketVersioning TagResource",
	"s3.CreateMultipartUpload":                        writesObject,
	"s3.DeleteBucketAnalyticsConfiguration":           "PutAnalyticsConfiguration",
	"s3.DeleteBucketCors":                             "PutBucketCORS",
	"s3.DeleteBucketEncryption":                       "PutEncryptionConfiguration",
	"s3.DeleteBucketIntelligentTieringConfiguration":  "PutIntelligentTieringConfiguration",
	"s3.DeleteBucketInventoryConfiguration":           "PutInventoryConfiguration",
	"s3.DeleteBucketLifecycle":                        "PutLifecycleConfiguration",
	"s3.DeleteBucketMetricsConfiguration":             "PutMetricsConfiguration",
	"s3.DeleteBucketOwnershipControls":                "PutBucketOwnershipControls",
	"s3.DeleteBucketReplication":                      "PutReplicationConfiguration",
	"s3.DeleteBucketTagging":                          "PutBucketTagging",
	"s3.DeleteObject":                                 deletesObject,
	"s3.DeleteObjects":                                deletesObject,
	"s3.DeletePublicAccessBlock":                      "PutBucketPublicAccessBlock",
	"s3.GetBucketAccelerateConfiguration":             "GetAccelerateConfiguration",
	"s3.GetBucketAnalyticsConfiguration":              "GetAnalyticsConfiguration",
	"s3.GetBucketCors":                                "GetBucketCORS",
	"s3.GetBucketEncryption":                          "GetEncryptionConfiguration",
	"s3.GetBucketIntelligentTieringConfiguration":     "GetIntelligentTieringConfiguration",
	"s3.GetBucketInventoryConfiguration":              "GetInventoryConfiguration",
	"s3.GetBucketLifecycleConfiguration":              "GetLifecycleConfiguration",
	"s3.GetBucketMetricsConfiguration":                "GetMetricsConfiguration",
	"s3.GetBucketNotificationConfiguration":           "GetBucketNotification",
	"s3.GetBucketReplication":                         "GetReplicationConfiguration",
	"s3.GetObject":                                    readsObject,
	"s3.GetObjectLockConfiguration":                   "GetBucketObjectLockConfiguration",
	"s3.GetObjectTagging":                             "GetObjectTagging GetObjectVersionTagging",
	"s3.GetPublicAccessBlock":                         "GetBucketPublicAccessBlock",
	"s3.HeadBucket":                                   "ListBucket",
	"s3.HeadObject":                                   readsObject,
	"s3.ListObjectVersions":                           "ListBucketVersions",
	"s3.ListObjectsV2":                                "ListBucket",
	"s3.PutBucketAccelerateConfiguration":             "PutAccelerateConfiguration",
	"s3.PutBucketAnalyticsConfiguration":              "PutAnalyticsConfiguration",
	"s3.PutBucketCors":                                "PutBucketCORS",
	"s3.PutBucketEncryption":                          "PutEncryptionConfiguration",
	"s3.PutBucketIntelligentTieringConfiguration":     "PutIntelligentTieringConfiguration",
	"s3.PutBucketInventoryConfiguration":              "PutInventoryConfiguration",
	"s3.PutBucketLifecycleConfiguration":              "PutLifecycleConfiguration",
	"s3.PutBucketMetricsConfiguration":                "PutMetricsConfiguration",
	"s3.PutBucketNotificationConfiguration":           "PutBucketNotification",
	"s3.PutBucketReplication":                         "PutReplicationConfiguration",
	"s3.PutObject":                                    writesObject,
	"s3.PutObjectLockConfiguration":                   "PutBucketObjectLockConfiguration",
	"s3.PutPublicAccessBlock":                         "PutBucketPublicAccessBlock",
	"s3.UploadPart":                                   "PutObject",
	"s3control.DeletePublicAccessBlock":               "PutAccountPublicAccessBlock",
	"s3control.DeleteStorageLensConfigurationTagging": "DeleteStorageLensConfigurationTagging",
	"s3control.GetPublicAccessBlock":                  "GetAccountPublicAccessBlock",
	"s3control.PutPublicAccessBlock":                  "PutAccountPublicAccessBlock",
}

const (
	// Without permission to list a bucket, AWS reports that an object is forbidden, even if it does not exist.
	// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
	readsObject = "GetObject GetObjectVersion ListBucket"
	// An object is written with its access control list, tags, retention and legal hold.
	writesObject = "PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging"
	// All versions of an object are deleted, in spite of a retention if the kind says so.
	deletesObject = "BypassGovernanceRetention DeleteObject DeleteObjectVersion"
)

// moreOfKinds lists actions that a kind needs and that do not follow from its operations: AWS evaluates the content of a call, or calls
// another service for the caller.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var moreOfKinds = map[string]string{
	// Queries create databases. https://docs.aws.amazon.com/athena/latest/ug/managed-policies.html
	"athena/Database": "glue:CreateDatabase glue:DeleteDatabase glue:GetDatabase glue:GetDatabases s3:GetBucketLocation s3:GetObject s3:ListBucket s3:PutObject",
	// An add-on includes its associations. https://docs.aws.amazon.com/eks/latest/userguide/add-ons-iam.html
	"eks/Addon": "eks:CreatePodIdentityAssociation eks:DeletePodIdentityAssociation eks:UpdatePodIdentityAssociation",
	// The creator of a replica fills it, and a table can have a witness. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_security.html
	"dynamodb/GlobalTable":  replicates,
	"dynamodb/Table":        "dynamodb:CreateGlobalTableWitness dynamodb:DeleteGlobalTableWitness",
	"dynamodb/TableReplica": replicates,
	// A federated database is created with its connection. https://docs.aws.amazon.com/glue/latest/webapi/API_CreateConnection.html
	"glue/CatalogDatabase": "glue:PassConnection",
	"glue/Connection":      "glue:PassConnection",
}

// lessOfKinds lists dependent actions of a kind's calls that AWS never requires for this kind.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var lessOfKinds = map[string]string{
	// Their source requests no final snapshot of a cluster's instance, and only Oracle, which has no clusters, has tenant databases.
	// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateTenantDatabase.html
	"docdb/ClusterInstance":   ofNoCluster,
	"neptune/ClusterInstance": ofNoCluster,
	"rds/ClusterInstance":     ofNoCluster,
}

// morePasses lists services to which a kind passes a role, and that the catalogue's extras do not name.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var morePasses = map[string]string{
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
	"iam/InstanceProfile": "ec2",
	// The document of an API names roles as the credentials of integrations.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html
	"apigateway/RestAPI": "apigateway",
	// The option for backups of SQL Server names a role. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/SQLServer.Procedural.Importing.html
	"rds/OptionGroup": "rds",
	// A replication rule names a role. https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
	"s3/BucketReplicationConfiguration": "s3",
	// A parameter of the document names a role. https://docs.aws.amazon.com/config/latest/developerguide/remediation.html
	"configservice/RemediationConfiguration": "ssm",
}

// untold lists kinds whose calls make AWS call other services in the caller's name. Their content decides which services.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var untold = map[string]string{
	"cloudcontrol/Resource":              "its type decides which other actions AWS needs",
	"cloudformation/Stack":               "its template decides which other actions AWS needs, unless it has a role",
	"serverlessrepo/CloudFormationStack": "its template decides which other actions AWS needs",
}

const ofNoCluster = "rds:CreateDBSnapshot rds:CreateTenantDatabase rds:DeleteTenantDatabase"

const replicates = "dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:Scan dynamodb:UpdateItem"

// verbs are the HTTP verbs that are the actions of API Gateway. Policies and certificates of a domain have further actions of their own.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var verbs = []struct{ prefix, verb string }{
	{"Get", "GET"},
	{"Create", "POST"},
	{"Generate", "POST"},
	{"Import", "POST"},
	{"Delete", "DELETE"},
	{"Flush", "DELETE"},
	{"Untag", "DELETE"},
	{"Put", "PUT"},
	{"Reimport", "PUT"},
	{"Update", "PATCH"},
}

// actions returns the IAM actions that an operation needs, each with its prefix. An unknown operation has none.
func (op operation) actions() []string {
	sdk, name, _ := strings.Cut(string(op), ".")
	switch sdk {
	case "apigateway", "apigatewayv2":
		return viaHTTP(sdk, name)
	case "codestarconnections":
		// The service was renamed, and an ARN may have either name.
		return []string{"codeconnections:" + name, "codestar-connections:" + name}
	}
	prefix := sdk
	if p, ok := prefixes[sdk]; ok {
		prefix = p
	}
	words := name
	if w, ok := named[op]; ok {
		words = w
	}
	var out []string
	for w := range strings.FieldsSeq(words) {
		out = append(out, prefix+":"+w)
	}
	if sdk == "timestreamwrite" {
		// Every call looks up its endpoint first.
		out = append(out, "timestream:DescribeEndpoints")
	}
	return out
}

func viaHTTP(sdk, name string) []string {
	var out []string
	for _, v := range verbs {
		if strings.HasPrefix(name, v.prefix) {
			out = append(out, "apigateway:"+v.verb)
		}
	}
	switch {
	case strings.HasPrefix(name, "Tag"):
		out = append(out, "apigateway:"+map[string]string{"apigateway": "PUT", "apigatewayv2": "POST"}[sdk])
	case slices.Contains([]string{"CreateRestApi", "PutRestApi", "UpdateRestApi"}, name):
		out = append(out, "apigateway:UpdateRestApiPolicy")
	case slices.Contains([]string{"CreateDomainName", "UpdateDomainName"}, name):
		out = append(out, "apigateway:AddCertificateToDomain", "apigateway:RemoveCertificateFromDomain")
	case name == "DeleteDomainName":
		out = append(out, "apigateway:RemoveCertificateFromDomain")
	}
	return out
}

// express returns the action of directory buckets: the same operation, with a prefix of its own.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-security-iam.html
func express(action string) string {
	name, ok := strings.CutPrefix(action, "s3:")
	switch {
	case !ok:
		return action
	case name == "CreateBucket" || name == "DeleteBucket" || strings.HasPrefix(name, "Tag") || strings.HasPrefix(name, "Untag") || name == "ListTagsForResource":
		return "s3express:" + name
	case name == "ListBucket":
		return "s3express:ListAllMyDirectoryBuckets"
	}
	return "s3express:CreateSession"
}
