package catalogue

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestData reads the embedded file as strictly as the code reads it leniently.
func TestData(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+$`)
	prefix := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	var names []string
	for i, line := range strings.Split(strings.TrimSuffix(data, "\n"), "\n") {
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "service\t") {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) != 5 {
			t.Errorf("line %d: want 5 cells, got %d: %q", i+1, len(cells), line)
			continue
		}
		names = append(names, cells[0])
		if !name.MatchString(cells[0]) {
			t.Errorf("line %d: %q is no name of a provider package", i+1, cells[0])
		}
		for p := range strings.SplitSeq(cells[1], ",") {
			if !prefix.MatchString(p) {
				t.Errorf("line %d: %q is no prefix of IAM actions", i+1, p)
			}
		}
		for _, shipped := range cells[2:] {
			if shipped != "y" && shipped != "n" {
				t.Errorf("line %d: want y or n, got %q", i+1, shipped)
			}
		}
		if _, ok := Lookup(cells[0]); !ok {
			t.Errorf("line %d: Lookup(%q) does not find it", i+1, cells[0])
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("services are not sorted, or not unique: %v", names)
	}
	if got := len(services()); got != len(names) {
		t.Errorf("the file has %d services, the catalogue %d", len(names), got)
	}
	if len(names) < 176 {
		t.Errorf("want all 176 services of provider-aws or more, got %d", len(names))
	}
}

// TestPrefixes pins what does not follow from the service's name. A wrong one gives a provider no permission at all.
func TestPrefixes(t *testing.T) {
	cases := map[string][]string{
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
		"sesv2":               {"ses"},
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
			if diff := cmp.Diff(Service{Name: name, Prefixes: want}, s); diff != "" {
				t.Errorf("Lookup(%q): -want, +got:\n%s", name, diff)
			}
		})
	}
}

func TestLookupUnknown(t *testing.T) {
	for _, name := range []string{"", "S3", "service", "#", "dynamo", "provider-aws-s3"} {
		if s, ok := Lookup(name); ok {
			t.Errorf("Lookup(%q): want nothing, got %v", name, s)
		}
	}
}

func TestFull(t *testing.T) {
	cases := map[string]struct {
		reason, service string
		want            []string
	}{
		"S3":          {"Full access to s3 is exactly what the procedure that this replaces gives.", "s3", []string{"s3:*"}},
		"OtherPrefix": {"Actions have the prefix of IAM, not the name of the package.", "docdb", []string{"rds:*"}},
		"TwoPrefixes": {"A service that was renamed needs both prefixes.", "codestarconnections", []string{"codestar-connections:*", "codeconnections:*"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := Lookup(tc.service)
			if diff := cmp.Diff(tc.want, s.Full()); diff != "" {
				t.Errorf("%s\nFull(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestReadOnly(t *testing.T) {
	s, _ := Lookup("s3")
	if diff := cmp.Diff([]string{"s3:BatchGet*", "s3:Describe*", "s3:Get*", "s3:List*"}, s.ReadOnly()); diff != "" {
		t.Errorf("ReadOnly() of s3: -want, +got:\n%s", diff)
	}
	reads := regexp.MustCompile(`^[a-z0-9-]+:(BatchGet|Describe|Get|List)[A-Za-z]*\*?$`)
	for name, s := range services() {
		for _, a := range s.ReadOnly() {
			if a == "apigateway:GET" && slices.Contains(s.Prefixes, "apigateway") {
				continue
			}
			if !reads.MatchString(a) {
				t.Errorf("ReadOnly() of %s allows %s, which does more than read", name, a)
			}
		}
		for _, p := range s.Prefixes {
			if !slices.ContainsFunc(s.ReadOnly(), func(a string) bool { return strings.HasPrefix(a, p+":") }) {
				t.Errorf("ReadOnly() of %s has no action of prefix %s", name, p)
			}
		}
	}
}

func TestReadOnlyHTTPVerbs(t *testing.T) {
	for _, name := range []string{"apigateway", "apigatewayv2"} {
		s, _ := Lookup(name)
		if diff := cmp.Diff([]string{"apigateway:GET"}, s.ReadOnly()); diff != "" {
			t.Errorf("ReadOnly() of %s, whose actions are HTTP verbs: -want, +got:\n%s", name, diff)
		}
	}
}

func TestNearest(t *testing.T) {
	cases := map[string]struct {
		reason, name string
		want         []string
	}{
		"Typo":    {"A letter too few should be found.", "dynamdb", []string{"dynamodb"}},
		"Part":    {"A part of a name should find the whole.", "dynamo", []string{"dynamodb"}},
		"TooMuch": {"So should a name with something more.", "lambdafunctions", []string{"lambda"}},
		"Nearest": {"The nearest should come first.", "s3controls", []string{"s3control", "s3"}},
		"Many":    {"No more than three should be named; equally near ones by name.", "elastic", []string{"elasticache", "elasticbeanstalk", "elasticsearch"}},
		"Nothing": {"What is like nothing should find nothing.", "zzzzzzqqqqqq", nil},
		"Empty":   {"No name is like none.", "", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Nearest(tc.name)); diff != "" {
				t.Errorf("%s\nNearest(%q): -want, +got:\n%s", tc.reason, tc.name, diff)
			}
		})
	}
}
