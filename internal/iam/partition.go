package iam

import "strings"

// DefaultPartition is AWS's commercial partition.
const DefaultPartition = "aws"

// partitions lists the partitions by the prefixes of their regions' names.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var partitions = []struct{ prefix, partition string }{
	{"cn-", "aws-cn"},
	{"us-gov-", "aws-us-gov"},
	{"us-iso-", "aws-iso"},
	{"us-isob-", "aws-iso-b"},
	{"eu-isoe-", "aws-iso-e"},
	{"us-isof-", "aws-iso-f"},
	{"eusc-", "aws-eusc"},
}

// Partition returns the partition of a region: the second part of the ARNs of everything in it.
func Partition(region string) string {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.prefix) {
			return p.partition
		}
	}
	return DefaultPartition
}

// ARNPartition returns the partition of an ARN. Empty if it is not an ARN.
func ARNPartition(arn string) string { return arnPart(arn, 1) }

// ARNAccount returns the account of an ARN. Empty if it is not an ARN, or one without an account, such as a bucket's.
func ARNAccount(arn string) string { return arnPart(arn, 4) }

// arnPart returns one of arn:partition:service:region:account:resource.
func arnPart(arn string, i int) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[i]
}
