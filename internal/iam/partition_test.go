package iam

import "testing"

func TestPartition(t *testing.T) {
	cases := map[string]string{
		"eu-west-1":      "aws",
		"us-east-1":      "aws",
		"us-gov-west-1":  "aws-us-gov",
		"us-gov-east-1":  "aws-us-gov",
		"cn-north-1":     "aws-cn",
		"cn-northwest-1": "aws-cn",
		"us-iso-east-1":  "aws-iso",
		"us-isob-east-1": "aws-iso-b",
		"eu-isoe-west-1": "aws-iso-e",
		"us-isof-east-1": "aws-iso-f",
		"eusc-de-east-1": "aws-eusc",
		"":               "aws",
		"mx-central-1":   "aws",
		"eu-south-2":     "aws",
		"us-isotope-1":   "aws",
		"xx-unknown-7":   "aws",
	}
	for region, want := range cases {
		t.Run(region, func(t *testing.T) {
			if got := Partition(region); got != want {
				t.Errorf("Partition(%q): want %s, got %s", region, want, got)
			}
		})
	}
}

func TestARNParts(t *testing.T) {
	cases := map[string]struct {
		reason, in, partition, account string
	}{
		"Role":      {"The parts of an ARN are found.", "arn:aws:iam::123456789012:role/a/b", "aws", "123456789012"},
		"Colons":    {"Colons in the resource do not matter.", "arn:aws-cn:rds:cn-north-1:123456789012:db:x", "aws-cn", "123456789012"},
		"NoAccount": {"Not every ARN has an account.", "arn:aws-us-gov:s3:::bucket", "aws-us-gov", ""},
		"Short":     {"An incomplete ARN is not an ARN.", "arn:aws:iam::123456789012", "", ""},
		"Name":      {"Neither is a name.", "role", "", ""},
		"Other":     {"Neither is another string with colons.", "urn:aws:iam::123456789012:role/a", "", ""},
		"Empty":     {"Neither is an empty string.", "", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := ARNPartition(tc.in); got != tc.partition {
				t.Errorf("%s\nARNPartition(%q): want %q, got %q", tc.reason, tc.in, tc.partition, got)
			}
			if got := ARNAccount(tc.in); got != tc.account {
				t.Errorf("%s\nARNAccount(%q): want %q, got %q", tc.reason, tc.in, tc.account, got)
			}
		})
	}
}
