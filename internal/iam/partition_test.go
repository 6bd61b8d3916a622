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
