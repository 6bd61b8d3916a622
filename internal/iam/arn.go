package iam

import (
	"cmp"
	"fmt"
	"strings"
)

// maxARN is the maximum length of an IAM ARN: https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html.
const maxARN = 2048

// CheckRoleARN says what is wrong with the ARN of a role that is to be used from this partition; empty if nothing is.
//
// The ARN may have only the characters that IAM has for names: a wildcard, which a path could have, would make one role all roles
// wherever the ARN becomes part of a policy.
func CheckRoleARN(arn, partition string) string { return checkARN(arn, partition, "role", MaxRoleName) }

// CheckPolicyARN says what is wrong with the ARN of a managed policy that is to be used from this partition.
func CheckPolicyARN(arn, partition string) string {
	return checkARN(arn, partition, "policy", MaxPolicyName)
}

func checkARN(arn, partition, kind string, maxNameLength int) string {
	problem := fmt.Sprintf("must be the ARN of an IAM %s, such as arn:%s:iam::123456789012:%s/name", kind, cmp.Or(partition, "aws"), kind)
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || len(arn) > maxARN {
		return problem
	}
	account, path := parts[4], strings.Split(parts[5], "/")
	name := path[len(path)-1]
	switch {
	case strings.ContainsAny(arn, "*?$"):
		return problem + ", without wildcards and variables"
	case parts[0] != "arn", !made(parts[1], "-"), parts[2] != "iam", parts[3] != "",
		!isAccount(account) && (kind != "policy" || account != "aws"),
		len(path) < 2, path[0] != kind, len(name) > maxNameLength:
		return problem
	}
	for _, p := range path[1:] {
		if !made(p, "_+=,.@-") {
			return problem
		}
	}
	return checkPartition(arn, partition)
}

// RoleARN returns the ARN of a role without a path.
func RoleARN(partition, account, name string) string {
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, account, name)
}

func isAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// checkPartition says why an ARN, or a pattern of ARNs, cannot be one of the partition; empty if it can, or is not an ARN. Partitions
// are isolated: IAM refuses a policy with an ARN of another one, and no role of another one can be assumed.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
func checkPartition(arn, partition string) string {
	rest, ok := strings.CutPrefix(arn, "arn:")
	got, _, _ := strings.Cut(rest, ":")
	if !ok || partition == "" || strings.Contains(got, "$") || Match(got, partition) {
		return ""
	}
	return fmt.Sprintf("is in partition %s, but the region is in %s: begin it with arn:%s:", got, partition, partition)
}

// CheckARNs finds ARNs of another partition in a document that ParseDocument returned.
func (d Document) CheckARNs(partition string) []Problem {
	var out []Problem
	for i, s := range d.Statement {
		for _, p := range s.CheckARNs(elementNames, partition) {
			p.Element = fmt.Sprintf("Statement[%d].%s", i, p.Element)
			if out = append(out, p); len(out) > maxProblems {
				return out
			}
		}
	}
	return out
}

// CheckARNs finds ARNs of another partition in a statement.
func (s Statement) CheckARNs(n Names, partition string) []Problem {
	var out []Problem
	for _, e := range []struct {
		name string
		set  StringSet
	}{{n.Resource, s.Resource}, {n.NotResource, s.NotResource}} {
		for i, r := range e.set {
			if problem := checkPartition(r, partition); problem != "" {
				out = append(out, Problem{Element: fmt.Sprintf("%s[%d]", e.name, i), Message: fmt.Sprintf("%q %s", r, problem)})
			}
			if len(out) > maxProblems {
				return out
			}
		}
	}
	return append(out, s.Condition.CheckARNs(n.Condition, partition)...)
}

// CheckARNs finds ARNs of another partition in a condition with any operator.
func (c Condition) CheckARNs(name, partition string) []Problem {
	var out []Problem
	for _, op := range sorted(c) {
		for _, key := range sorted(c[op]) {
			for i, v := range c[op][key] {
				if problem := checkPartition(v, partition); problem != "" {
					out = append(out, Problem{Element: fmt.Sprintf("%s[%d]", in(in(name, op), key), i), Message: fmt.Sprintf("%q %s", v, problem)})
				}
				if len(out) > maxProblems {
					return out
				}
			}
		}
	}
	return out
}

// s3InRegion are the kinds of S3 resources that have a region and an account. Buckets and objects have neither, and no IAM resource has
// a region: IAM refuses a policy that says otherwise, or accepts it, and it matches nothing.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_identityandaccessmanagement.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var s3InRegion = []string{"accesspoint", "job", "storage-lens", "access-grants", "async-request", "multi-region-access-point"}

// checkPlace says whether a resource has a region or an account that its kind does not have. A pattern that may match none is accepted.
func checkPlace(service, region, account, resource string) string {
	some := func(part string) bool { return part != "" && !strings.ContainsAny(part, "*$") }
	switch {
	case service == "iam" && some(region):
		return "must have no region: IAM has none"
	case service != "s3" || !some(region) && !some(account):
		return ""
	}
	for _, kind := range s3InRegion {
		before, _, wild := strings.Cut(strings.ReplaceAll(strings.ReplaceAll(resource, "?", "*"), "$", "*"), "*")
		if strings.HasPrefix(resource, kind) || wild && strings.HasPrefix(kind, before) {
			return ""
		}
	}
	return "must have neither region nor account: buckets and objects have none"
}
