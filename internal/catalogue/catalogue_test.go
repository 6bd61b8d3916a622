package catalogue

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPrefixes pins the prefixes that differ from the service's name. A wrong prefix gives a provider no permissions at all.
func TestPrefixes(t *testing.T) {
	cases := map[string]Words{
		"s3":                  {"s3"},
		"s3control":           {"s3"},
		"docdb":               {"rds"},
		"neptune":             {"rds"},
		"opensearch":          {"es"},
		"elasticsearch":       {"es"},
		"sfn":                 {"states"},
		"vpc":                 {"ec2"},
		"elb":                 {"elasticloadbalancing"},
		"elbv2":               {"elasticloadbalancing"},
		"cognitoidp":          {"cognito-idp"},
		"cognitoidentity":     {"cognito-identity"},
		"efs":                 {"elasticfilesystem"},
		"emr":                 {"elasticmapreduce"},
		"mwaa":                {"airflow"},
		"keyspaces":           {"cassandra"},
		"cloudwatchevents":    {"events"},
		"cloudwatchlogs":      {"logs"},
		"apigatewayv2":        {"apigateway"},
		"acmpca":              {"acm-pca"},
		"amp":                 {"aps"},
		"deploy":              {"codedeploy"},
		"location":            {"geo"},
		"pinpoint":            {"mobiletargeting"},
		"sesv2":               {"ses"},
		"simpledb":            {"sdb"},
		"ssoadmin":            {"sso"},
		"timestreamwrite":     {"timestream"},
		"codestarconnections": {"codestar-connections", "codeconnections"},
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			s, ok := Lookup(name)
			if !ok {
				t.Fatalf("Lookup(%q): not in the catalogue", name)
			}
			if diff := cmp.Diff(want, s.Prefixes); diff != "" {
				t.Errorf("Lookup(%q): Prefixes: -want, +got:\n%s", name, diff)
			}
		})
	}
}

// TestVersions counts the packages in each version of the family, and pins those that were added or removed.
func TestVersions(t *testing.T) {
	got := map[string]int{}
	for _, name := range Names() {
		s, _ := Lookup(name)
		for _, v := range s.Versions {
			got[v]++
		}
	}
	if diff := cmp.Diff(map[string]int{"v1.23.0": 168, "v2.5.0": 173, "v2.6": 176}, got); diff != "" {
		t.Errorf("packages of each version: -want, +got:\n%s", diff)
	}
	cases := map[string]Words{
		"s3":                 {"v1.23.0", "v2.5.0", "v2.6"},
		"opsworks":           {"v1.23.0"},
		"simpledb":           {"v1.23.0"},
		"bedrockagentcore":   {"v2.5.0", "v2.6"},
		"codebuild":          {"v2.5.0", "v2.6"},
		"dsql":               {"v2.5.0", "v2.6"},
		"emrcontainers":      {"v2.5.0", "v2.6"},
		"oam":                {"v2.5.0", "v2.6"},
		"route53profiles":    {"v2.5.0", "v2.6"},
		"verifiedaccess":     {"v2.5.0", "v2.6"},
		"networkmonitor":     {"v2.6"},
		"s3vectors":          {"v2.6"},
		"timestreaminfluxdb": {"v2.6"},
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := Lookup(name)
			if diff := cmp.Diff(want, s.Versions); diff != "" {
				t.Errorf("Versions: -want, +got:\n%s", diff)
			}
		})
	}
}

func TestLookupUnknown(t *testing.T) {
	for _, name := range []string{"", "S3", "services", "#", "dynamo", "provider-aws-s3"} {
		if s, ok := Lookup(name); ok {
			t.Errorf("Lookup(%q): want nothing, got %v", name, s)
		}
	}
}

func TestNames(t *testing.T) {
	names := Names()
	if len(names) != 178 || !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("want 178 services, sorted and unique, got %d: %v", len(names), names)
	}
}

func TestNearest(t *testing.T) {
	cases := map[string]struct {
		reason, name string
		want         []string
	}{
		"Typo":    {"A name with a missing letter finds the service.", "dynamdb", []string{"dynamodb"}},
		"Part":    {"Part of a name finds the whole name.", "dynamo", []string{"dynamodb"}},
		"TooMuch": {"So does a name with extra letters.", "lambdafunctions", []string{"lambda"}},
		"Nearest": {"The nearest name comes first.", "s3controls", []string{"s3control", "s3"}},
		"Many":    {"At most three names are returned, equally near ones in alphabetical order.", "elastic", []string{"elasticache", "elasticbeanstalk", "elasticsearch"}},
		"Nothing": {"Nonsense finds nothing.", "zzzzzzqqqqqq", nil},
		"Empty":   {"An empty name finds nothing.", "", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Nearest(tc.name)); diff != "" {
				t.Errorf("%s\nNearest(%q): -want, +got:\n%s", tc.reason, tc.name, diff)
			}
		})
	}
}
