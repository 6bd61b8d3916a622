package iam

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckARN(t *testing.T) {
	const form, wild, partition = "must be the ARN", "without wildcards", "partition aws-cn"
	long := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = 'a'
		}
		return string(b)
	}
	cases := map[string]struct {
		reason, in   string
		role, policy string // A word of the problem as the ARN of either.
	}{
		"Role":          {"A role has an ARN.", "arn:aws:iam::123456789012:role/a", "", form},
		"Path":          {"It may have a path.", "arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", "", form},
		"Characters":    {"Names have few special characters.", "arn:aws:iam::123456789012:role/a_B-9+=,.@", "", form},
		"Policy":        {"A policy has an ARN.", "arn:aws:iam::123456789012:policy/by/a", form, ""},
		"AWSPolicy":     {"Policies of AWS belong to no account.", "arn:aws:iam::aws:policy/job-function/Billing", form, ""},
		"Longest":       {"A role has 64 characters at most.", "arn:aws:iam::123456789012:role/" + long(64), "", form},
		"TooLong":       {"A longer name is refused.", "arn:aws:iam::123456789012:role/" + long(65), form, form},
		"LongestPolicy": {"A policy has 128.", "arn:aws:iam::123456789012:policy/" + long(128), form, ""},
		"LongPolicy":    {"A longer name is refused.", "arn:aws:iam::123456789012:policy/" + long(129), form, form},
		"VeryLong":      {"The whole ARN has at most 2,048 characters.", "arn:aws:iam::123456789012:role/" + long(2048) + "/a", form, form},
		"Star":          {"A wildcard would match all roles.", "arn:aws:iam::123456789012:role/*", wild, wild},
		"Question":      {"A ? is a wildcard, too.", "arn:aws:iam::123456789012:role/Admi?", wild, wild},
		"Variable":      {"The caller may control the value of a variable.", "arn:aws:iam::123456789012:role/${aws:username}", wild, wild},
		"AnyAccount":    {"The account may not be a wildcard,", "arn:aws:iam::*:role/a", wild, wild},
		"AnyPartition":  {"nor may the partition.", "arn:*:iam::123456789012:role/a", wild, wild},
		"Other":         {"Partitions are isolated from each other.", "arn:aws-cn:iam::123456789012:role/a", partition, form},
		"OtherPolicy":   {"Partitions are isolated from each other.", "arn:aws-cn:iam::aws:policy/a", form, partition},
		"Empty":         {"An empty string is not an ARN.", "", form, form},
		"Name":          {"Neither is a name.", "Admin", form, form},
		"User":          {"A user is neither a role nor a policy.", "arn:aws:iam::123456789012:user/a", form, form},
		"Root":          {"Neither is an account.", "arn:aws:iam::123456789012:root", form, form},
		"Session":       {"Neither is a session.", "arn:aws:sts::123456789012:assumed-role/a/b", form, form},
		"Region":        {"IAM has no regions.", "arn:aws:iam:eu-west-1:123456789012:role/a", form, form},
		"AWSRole":       {"AWS has no roles of its own.", "arn:aws:iam::aws:role/a", form, form},
		"ShortAccount":  {"An account has 12 digits.", "arn:aws:iam::1234:role/a", form, form},
		"WideDigits":    {"Only ASCII digits count.", "arn:aws:iam::１２３４５６７８９０１２:role/a", form, form},
		"Slash":         {"A name comes last.", "arn:aws:iam::123456789012:role/a/", form, form},
		"NoName":        {"A name comes last.", "arn:aws:iam::123456789012:role/", form, form},
		"Slashes":       {"No part of the path is empty.", "arn:aws:iam::123456789012:role//a", form, form},
		"Space":         {"There are no spaces.", "arn:aws:iam::123456789012:role/a ", form, form},
		"NewLine":       {"There are no newlines.", "arn:aws:iam::123456789012:role/a\n", form, form},
		"Colon":         {"There are no more colons.", "arn:aws:iam::123456789012:role/a:b", form, form},
		"Case":          {"AWS is case-sensitive here.", "ARN:aws:iam::123456789012:role/a", form, form},
		"Letter":        {"A letter that looks the same is a different letter.", "arn:aws:iam::123456789012:role/Аdmin", form, form},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			checkProblem(t, tc.reason, tc.in, tc.role, CheckRoleARN(tc.in, "aws"))
			checkProblem(t, tc.reason, tc.in, tc.policy, CheckPolicyARN(tc.in, "aws"))
		})
	}
}

// TestCheckARNs checks that an ARN of another partition is found anywhere in a policy, and that a pattern is accepted if it may match
// ARNs of this partition.
func TestCheckARNs(t *testing.T) {
	const other, near, far = "arn:aws:s3:::a", "arn:aws-cn:s3:::a", "arn:aws-us-gov:s3:::a"
	got := NewDocument(
		Statement{Effect: Allow, Action: StringSet{"s3:*"}, Resource: StringSet{"*", "arn:*:s3:::a", "arn:aws-*:s3:::a", "arn:${aws:x}:s3:::a", near, "arn:*", "not an ARN", other}},
		Statement{Effect: Deny, Action: StringSet{"s3:*"}, NotResource: StringSet{far, "arn:aws-us*:s3:::a"}, Condition: Condition{
			"ArnLike":         {"aws:SourceArn": {near, "*", other}},
			"StringNotEquals": {"aws:PrincipalArn": {far}},
		}},
	).CheckARNs("aws-cn")
	var at []string
	for _, p := range got {
		at = append(at, p.Element)
	}
	want := []string{
		"Statement[0].Resource[7]", "Statement[1].NotResource[0]", "Statement[1].NotResource[1]",
		"Statement[1].Condition[ArnLike][aws:SourceArn][2]", "Statement[1].Condition[StringNotEquals][aws:PrincipalArn][0]",
	}
	if diff := cmp.Diff(want, at); diff != "" {
		t.Errorf("CheckARNs(aws-cn): -want elements, +got:\n%s\n%v", diff, got)
	}
}
