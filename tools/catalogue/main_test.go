package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reachOf a resource in testdata, by phase, for a kind that only shows some fields.
func reachOf(t *testing.T, name string, shown ...string) (map[string]string, []string) {
	t.Helper()
	s, err := newSource("testdata/terraform")
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.all()
	if err != nil {
		t.Fatal(err)
	}
	// In any order: what one resource leaves behind is nothing to another.
	for _, other := range slices.Sorted(maps.Keys(all)) {
		if _, err := s.reach(all[other], nil); err != nil {
			t.Fatal(err)
		}
	}
	fields := map[string]bool{}
	for _, f := range shown {
		fields[f] = true
	}
	got, err := s.reach(all[name], fields)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for phase, ops := range got.operations {
		var words []string
		for _, op := range slices.Sorted(maps.Keys(ops)) {
			words = append(words, string(op))
		}
		out[phase] = strings.Join(words, " ")
	}
	return out, slices.Sorted(maps.Keys(got.unresolved))
}

func TestReach(t *testing.T) {
	box := map[string]string{
		"observe": "demo.DescribeBoxes", "create": "demo.CreateBox demo.GetBoxStatus", "update": "other.Attach", "delete": "demo.DeleteBox",
	}
	tagged := maps.Clone(box)
	tagged["observe"], tagged["update"] = "demo.DescribeBoxes demo.ListBoxTags", "demo.TagBox other.Attach"
	cases := map[string]struct {
		reason   string
		resource string
		shown    []string
		want     map[string]string
		notes    []string
	}{
		"Settable": {
			reason: "What happens when a field changes counts where the field can be set.", resource: "aws_demo_changing",
			want: map[string]string{"observe": "demo.GetChanging", "create": "demo.CreateChanging", "update": "demo.PutBoth demo.PutColor demo.PutOther demo.PutPlanned demo.PutSize", "delete": "demo.DeleteChanging"},
		},
		"Shown": {
			reason: "A field that is only shown never changes, unless code plans a change of it. One of several is enough for a change.", resource: "aws_demo_changing",
			shown: []string{"color", "size", "planned", "tags_all"},
			want:  map[string]string{"observe": "demo.GetChanging", "create": "demo.CreateChanging", "update": "demo.PutOther demo.PutPlanned", "delete": "demo.DeleteChanging"},
		},
		"ShownOne": {
			reason: "What takes two changes takes none where one never happens, and what takes one of two takes the other.", resource: "aws_demo_changing",
			shown: []string{"color"},
			want:  map[string]string{"observe": "demo.GetChanging", "create": "demo.CreateChanging", "update": "demo.PutBoth demo.PutOther demo.PutPlanned demo.PutSize", "delete": "demo.DeleteChanging"},
		},
		"SDK": {
			reason:   "Functions, what they hand on, paginators, other services and tags count; importers and schemas do not.",
			resource: "aws_demo_box", want: tagged,
		},
		"Alias": {reason: "A factory may take its resource from another one. Tags are its own.", resource: "aws_demo_alias", want: box},
		"Handler": {
			reason: "Functions may be methods of what the factory makes.", resource: "aws_demo_handled",
			want: map[string]string{"observe": "demo.GetHandled", "create": "demo.PutHandled", "update": "demo.PutHandled", "delete": "demo.DeleteHandled"},
		},
		"Framework": {
			reason: "Methods are of the type that the factory makes. A client may hide behind an interface. Tags change without an Update, and a type without a case has the default.", resource: "aws_demo_thing",
			want: map[string]string{"observe": "demo.ListThingTags demo.ListThings", "create": "demo.CreateThing demo.FinishThing", "update": "demo.TagThing", "delete": "demo.DeleteThing"},
		},
		"Base": {
			reason: "What a base calls of the type that embeds it counts. The same of another type does not.", resource: "aws_demo_rule",
			want: map[string]string{"observe": "demo.GetRule", "create": "demo.CreateRule", "update": "", "delete": "demo.DeleteRule"},
		},
		"Odd": {
			reason: "What is not understood is said.", resource: "aws_demo_odd",
			want: map[string]string{"observe": "", "create": "", "update": "", "delete": ""},
			notes: []string{
				"demo: aws_demo_odd has an input of demo.Strange, and does not call it to observe",
				"demo: aws_demo_odd has no function to create", "demo: aws_demo_odd has no function to delete",
				"demo: resourceOddRead uses the waiter demo.NewBoxReadyWaiter",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, notes := reachOf(t, tc.resource, tc.shown...)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\noperations: -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.notes, notes); diff != "" {
				t.Errorf("%s\nnotes: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestKindsOf(t *testing.T) {
	got, err := kindsOf("testdata/provider")
	if err != nil {
		t.Fatal(err)
	}
	want := []kind{{service: "demo", name: "Box", resource: "aws_demo_box", plural: "boxes", needs: []string{"key", "role"}, shown: map[string]bool{"old_role_arn": true}}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(kind{})); diff != "" {
		t.Errorf("a kind of two versions is one, and the fields that people set say what it names; what the provider sets is not only shown; its plural is what its definitions say: -want, +got:\n%s", diff)
	}
}

func TestNeeds(t *testing.T) {
	cases := map[string]struct{ reason, field, comment, want string }{
		"Role":        {reason: "Most roles are called one.", field: "executionRoleArn", want: "role"},
		"Profile":     {reason: "An instance profile has a role in it.", field: "iamInstanceProfile", want: "role"},
		"Credentials": {reason: "API Gateway calls a role credentials.", field: "credentialsArn", want: "role"},
		"SaysRole":    {reason: "A role can have any name.", field: "secretIamArn", comment: "ARN of the IAM role that reads the secret.", want: "role"},
		"Roles":       {reason: "Whom permissions are granted is passed to no service.", field: "principal", comment: "Principals include IAM roles and users."},
		"Control":     {reason: "Four letters are no word.", field: "accessControlExposeHeaders"},
		"Reference":   {reason: "A reference says nothing that its field does not.", field: "principalArnFromRoleRef"},
		"Key":         {reason: "Most keys are of KMS, or encrypt.", field: "kmsMasterKeyId", want: "key"},
		"SaysKey":     {reason: "A key can have any name.", field: "keyId", comment: "KMS key ID or ARN.", want: "key"},
		"OtherKey":    {reason: "Not every key is one of KMS.", field: "keyId", comment: "Identifier of the API key."},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(fields{named: map[string]string{tc.field: tc.comment}}.needs(), " "); got != tc.want {
				t.Errorf("%s\n%s: want %q, got %q", tc.reason, tc.field, tc.want, got)
			}
		})
	}
}

func TestActions(t *testing.T) {
	cases := map[operation]string{
		"sqs.CreateQueue":                       "sqs:CreateQueue",
		"efs.CreateFileSystem":                  "elasticfilesystem:CreateFileSystem",
		"s3.HeadBucket":                         "s3:ListBucket",
		"s3.GetBucketLifecycleConfiguration":    "s3:GetLifecycleConfiguration",
		"s3.HeadObject":                         "s3:GetObject s3:GetObjectVersion s3:ListBucket",
		"lambda.Invoke":                         "lambda:InvokeFunction",
		"budgets.DescribeBudget":                "budgets:ViewBudget",
		"keyspaces.GetTable":                    "cassandra:Select",
		"apigateway.GetRestApi":                 "apigateway:GET",
		"apigateway.UpdateRestApi":              "apigateway:PATCH apigateway:UpdateRestApiPolicy",
		"apigateway.TagResource":                "apigateway:PUT",
		"apigatewayv2.TagResource":              "apigateway:POST",
		"codestarconnections.GetConnection":     "codeconnections:GetConnection codestar-connections:GetConnection",
		"timestreamwrite.DescribeTable":         "timestream:DescribeTable timestream:DescribeEndpoints",
		"cloudfront.CreateDistributionWithTags": "cloudfront:CreateDistribution cloudfront:TagResource",
		// Nobody knows which verb of HTTP this would be.
		"apigateway.Frobnicate": "",
	}
	for op, want := range cases {
		if got := strings.Join(op.actions(), " "); got != want {
			t.Errorf("%s: want %q, got %q", op, want, got)
		}
	}
}

func TestRowOf(t *testing.T) {
	r := reached{operations: map[string]map[operation]bool{
		"observe": {"s3.HeadBucket": true, "s3control.ListTagsForResource": true}, "create": {"s3.CreateBucket": true, "apigateway.Frobnicate": true},
	}}
	ref, err := readReference()
	if err != nil {
		t.Fatal(err)
	}
	got, unknown := rowOf(kind{service: "s3", name: "DirectoryBucket", plural: "directorybuckets"}, r, ref)
	if diff := cmp.Diff([]string{"s3express:ListAllMyDirectoryBuckets", "s3express:ListTagsForResource"}, got.actions["observe"]); diff != "" {
		t.Errorf("directory buckets have a prefix of their own: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"s3: nothing says which action apigateway.Frobnicate takes"}, unknown); diff != "" {
		t.Errorf("an operation without an action is said: -want, +got:\n%s", diff)
	}
	other := row{kind: kind{service: "kms", name: "Alias", plural: "aliases", needs: []string{"key"}}}
	if text := table(nil, []row{other}, nil); !strings.Contains(text, "kms\tAlias\tkey plural:aliases\t\t\t\t\n") {
		t.Errorf("the table lacks the plural that is not the name and an s:\n%s", text)
	}
	line := "s3\tDirectoryBucket\t\ts3express: ListAllMyDirectoryBuckets ListTagsForResource\ts3express: CreateBucket CreateSession TagResource\t\t\n"
	if text := table(nil, []row{got}, unknown); !strings.Contains(text, line) || !strings.HasSuffix(text, "! "+unknown[0]+"\n") {
		t.Errorf("the table lacks the line %q, or does not end in a note:\n%s", line, text)
	}
}

// TestLessOfKinds makes sure that what AWS asks for besides is left out where it never can, and only there.
func TestLessOfKinds(t *testing.T) {
	ref, err := readReference()
	if err != nil {
		t.Fatal(err)
	}
	r := reached{operations: map[string]map[operation]bool{"delete": {"rds.DeleteDBInstance": true}}}
	for name, want := range map[string]string{
		"ClusterInstance": "rds:DeleteDBInstance",
		"Instance":        "rds:CreateDBSnapshot rds:DeleteDBInstance rds:DeleteTenantDatabase",
	} {
		got, _ := rowOf(kind{service: "rds", name: name}, r, ref)
		if diff := cmp.Diff(want, strings.Join(got.actions["delete"], " ")); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", name, diff)
		}
	}
}

func TestReference(t *testing.T) {
	ref, err := readReference()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ reason, action, want string }{
		"Alone": {"Most actions need no other.", "sqs:CreateQueue", "sqs:CreateQueue"},
		"Own":   {"What AWS asks for besides, of the same service, counts. Tags do not.", "rds:DeleteDBCluster", "rds:DeleteDBCluster rds:CreateDBClusterSnapshot rds:DeleteDBInstance"},
		"Role":  {"A role is never passed without a condition.", "iam:AddRoleToInstanceProfile", "iam:AddRoleToInstanceProfile"},
		"Other": {"Other services are extras.", "eks:CreatePodIdentityAssociation", "eks:CreatePodIdentityAssociation"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(ref.with(tc.action), " "); got != tc.want {
				t.Errorf("%s\n%s: want %q, got %q", tc.reason, tc.action, tc.want, got)
			}
		})
	}
	k := kind{service: "sqs", name: "Queue"}
	if _, unknown := rowOf(k, reached{operations: map[string]map[operation]bool{"create": {"sqs.CreateQeue": true}}}, ref); len(unknown) != 1 {
		t.Errorf("an action that AWS does not publish is said, got %q", unknown)
	}
	// Every action of the tables here is one.
	for op := range named {
		for _, a := range op.actions() {
			if !ref.published[a] {
				t.Errorf("%s: AWS publishes no action %s", op, a)
			}
		}
	}
	for _, about := range []map[string]string{moreOfKinds, lessOfKinds} {
		for k, words := range about {
			for a := range strings.FieldsSeq(words) {
				if !ref.published[a] {
					t.Errorf("%s: AWS publishes no action %s", k, a)
				}
			}
		}
	}
}
