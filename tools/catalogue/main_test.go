package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reachOf returns what a resource in testdata reaches, by phase, for a kind that has some fields only in its status.
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
	// The order does not matter: no resource changes the result of another one.
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
			reason: "Code for the change of a field counts if users can set the field.", resource: "aws_demo_changing",
			want: map[string]string{"observe": "demo.GetChanging", "create": "demo.CreateChanging", "update": "demo.PutBoth demo.PutColor demo.PutOther demo.PutPlanned demo.PutSize", "delete": "demo.DeleteChanging"},
		},
		"Shown": {
			reason: "A field that is only in the status never changes, unless code plans a change of it. One of several is enough for a change.", resource: "aws_demo_changing",
			shown: []string{"color", "size", "planned", "tags_all"},
			want:  map[string]string{"observe": "demo.GetChanging", "create": "demo.CreateChanging", "update": "demo.PutOther demo.PutPlanned", "delete": "demo.DeleteChanging"},
		},
		"ShownOne": {
			reason: "Code that needs both changes never runs if one cannot happen. Code that needs one of two runs for the other.", resource: "aws_demo_changing",
			shown: []string{"color"},
			want:  map[string]string{"observe": "demo.GetChanging", "create": "demo.CreateChanging", "update": "demo.PutBoth demo.PutOther demo.PutPlanned demo.PutSize", "delete": "demo.DeleteChanging"},
		},
		"SDK": {
			reason:   "Functions, function arguments, paginators, other services and tags count; importers and schemas do not.",
			resource: "aws_demo_box", want: tagged,
		},
		"Alias": {reason: "A factory may take its resource from another one. Tags are its own.", resource: "aws_demo_alias", want: box},
		"Handler": {
			reason: "Functions may be methods of the type that the factory makes.", resource: "aws_demo_handled",
			want: map[string]string{"observe": "demo.GetHandled", "create": "demo.PutHandled", "update": "demo.PutHandled", "delete": "demo.DeleteHandled"},
		},
		"Framework": {
			reason: "Methods belong to the type that the factory makes. A client may hide behind an interface. Tags change without an Update, and a type without a case has the default.", resource: "aws_demo_thing",
			want: map[string]string{"observe": "demo.ListThingTags demo.ListThings", "create": "demo.CreateThing demo.FinishThing", "update": "demo.TagThing", "delete": "demo.DeleteThing"},
		},
		"Base": {
			reason: "Methods that a base type calls on the type that embeds it count. Those of another type do not.", resource: "aws_demo_rule",
			want: map[string]string{"observe": "demo.GetRule", "create": "demo.CreateRule", "update": "", "delete": "demo.DeleteRule"},
		},
		"Odd": {
			reason: "Code that is not understood is noted.", resource: "aws_demo_odd",
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
		t.Errorf("a kind of two versions is one kind; its needs follow from the fields that users set; fields that the provider sets are not status-only; its plural is that of its definitions: -want, +got:\n%s", diff)
	}
}

func TestNeeds(t *testing.T) {
	cases := map[string]struct{ reason, field, comment, want string }{
		"Role":        {reason: "Most fields for roles have role in their name.", field: "executionRoleArn", want: "role"},
		"Profile":     {reason: "An instance profile has a role in it.", field: "iamInstanceProfile", want: "role"},
		"Credentials": {reason: "API Gateway calls a role credentials.", field: "credentialsArn", want: "role"},
		"SaysRole":    {reason: "A field for a role can have any name.", field: "secretIamArn", comment: "ARN of the IAM role that reads the secret.", want: "role"},
		"Roles":       {reason: "A principal that is granted permissions is not passed to a service.", field: "principal", comment: "Principals include IAM roles and users."},
		"Control":     {reason: "Four letters within another word do not make a role.", field: "accessControlExposeHeaders"},
		"Reference":   {reason: "A reference adds nothing to its field.", field: "principalArnFromRoleRef"},
		"Key":         {reason: "Most fields for keys name KMS or encryption.", field: "kmsMasterKeyId", want: "key"},
		"SaysKey":     {reason: "A field for a key can have any name.", field: "keyId", comment: "KMS key ID or ARN.", want: "key"},
		"OtherKey":    {reason: "Not every key is a KMS key.", field: "keyId", comment: "Identifier of the API key."},
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
		// No HTTP verb is known for this operation.
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
		t.Errorf("directory buckets have their own prefix: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"s3: nothing says which action apigateway.Frobnicate takes"}, unknown); diff != "" {
		t.Errorf("an operation without an action is noted: -want, +got:\n%s", diff)
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

// TestLessOfKinds makes sure that dependent actions are left out where AWS can never require them, and only there.
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
		"Own":   {"Dependent actions of the same service count. Tags do not.", "rds:DeleteDBCluster", "rds:DeleteDBCluster rds:CreateDBClusterSnapshot rds:DeleteDBInstance"},
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
		t.Errorf("an action that AWS does not publish is noted, got %q", unknown)
	}
	// Every action in the tables is published.
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
