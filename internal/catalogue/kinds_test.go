package catalogue

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// kindOf returns a kind of a service, or fails the test.
func kindOf(t *testing.T, service, name string) Kind {
	t.Helper()
	s, ok := Lookup(service)
	if !ok {
		t.Fatalf("there is no service %s", service)
	}
	k, ok := s.Kind(name)
	if !ok {
		t.Fatalf("%s has no kind %s", service, name)
	}
	return k
}

// TestKindsByHand compares kinds with the permissions that their operations need according to AWS's documentation.
func TestKindsByHand(t *testing.T) {
	cases := map[string]string{
		"s3/BucketPolicy":                            "s3: DeleteBucketPolicy GetBucketPolicy PutBucketPolicy",
		"s3/BucketVersioning":                        "s3: GetBucketVersioning PutBucketVersioning",
		"s3/BucketPublicAccessBlock":                 "s3: GetBucketPublicAccessBlock PutBucketPublicAccessBlock",
		"s3/BucketLifecycleConfiguration":            "s3: GetLifecycleConfiguration PutLifecycleConfiguration",
		"s3/BucketServerSideEncryptionConfiguration": "s3: GetEncryptionConfiguration PutEncryptionConfiguration",
		"sqs/Queue":                                  "sqs: CreateQueue DeleteQueue GetQueueAttributes ListQueueTags SetQueueAttributes TagQueue UntagQueue",
		"sqs/QueuePolicy":                            "sqs: GetQueueAttributes SetQueueAttributes",
		"sns/Topic":                                  "sns: CreateTopic DeleteTopic GetTopicAttributes ListTagsForResource SetTopicAttributes TagResource UntagResource",
		"iam/Role": `iam: AttachRolePolicy CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy GetRole GetRolePolicy
			ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies ListRoleTags PutRolePermissionsBoundary PutRolePolicy
			RemoveRoleFromInstanceProfile TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription`,
		"iam/Policy": `iam: CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion ListPolicyTags ListPolicyVersions
			SetDefaultPolicyVersion TagPolicy UntagPolicy`,
		"iam/RolePolicyAttachment": "iam: AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies",
		"eks/PodIdentityAssociation": `eks: CreatePodIdentityAssociation DeletePodIdentityAssociation DescribePodIdentityAssociation ListTagsForResource TagResource
			UntagResource UpdatePodIdentityAssociation`,
		"eks/Cluster": `eks: AssociateEncryptionConfig CreateCluster DeleteCluster DescribeCluster DescribeUpdate ListTagsForResource TagResource UntagResource
			UpdateClusterConfig UpdateClusterVersion`,
		"eks/Addon": `eks: CreateAddon CreatePodIdentityAssociation DeleteAddon DeletePodIdentityAssociation DescribeAddon DescribePodIdentityAssociation DescribeUpdate
			ListTagsForResource TagResource UntagResource UpdateAddon UpdatePodIdentityAssociation`,
		"ecr/Repository": `ecr: CreateRepository DeleteRepository DescribeRepositories ListTagsForResource PutImageScanningConfiguration PutImageTagMutability
			TagResource UntagResource`,
		"kms/Key": `kms: CreateKey DescribeKey DisableKey DisableKeyRotation EnableKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListResourceTags
			PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription`,
		// The policy of a secret is a kind of its own.
		"secretsmanager/Secret": `secretsmanager: CreateSecret DeleteSecret DescribeSecret GetResourcePolicy PutResourcePolicy
			RemoveRegionsFromReplication ReplicateSecretToRegions TagResource UntagResource UpdateSecret`,
		"dynamodb/Table": `dynamodb: BatchWriteItem CreateGlobalTableWitness CreateTable CreateTableReplica DeleteGlobalTableWitness DeleteItem DeleteTable
			DeleteTableReplica DescribeContinuousBackups DescribeImport DescribeTable DescribeTimeToLive GetItem ImportTable ListTagsOfResource PutItem Query RestoreTableToPointInTime Scan TagResource UntagResource
			UpdateContinuousBackups UpdateItem UpdateTable UpdateTimeToLive kms: DescribeKey`,
		"route53/Record":     "route53: ChangeResourceRecordSets GetChange GetHostedZone ListResourceRecordSets",
		"apigateway/RestAPI": "apigateway: DELETE GET PATCH POST PUT UpdateRestApiPolicy",
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			service, kind, _ := strings.Cut(name, "/")
			if diff := cmp.Diff(prefixed(want), kindOf(t, service, kind).All()); diff != "" {
				t.Errorf("actions that the kind needs according to AWS's documentation: -want, +got:\n%s", diff)
			}
		})
	}
}

// TestBucket checks the kind that calls the greatest variety of actions.
func TestBucket(t *testing.T) {
	k := kindOf(t, "s3", "Bucket")
	for _, a := range []string{"s3:CreateBucket", "s3:DeleteBucket", "s3:ListBucket", "s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketTagging", "s3:PutBucketTagging", "s3:GetEncryptionConfiguration", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListBucketVersions", "s3:TagResource", "s3:UntagResource", "s3:ListTagsForResource"} {
		if !slices.Contains(k.All(), a) {
			t.Errorf("a bucket needs %s", a)
		}
	}
	for _, a := range []string{"s3:GetObject", "s3:PutObject", "s3:ListAllMyBuckets", "s3:PutBucketNotification", "s3:PutInventoryConfiguration", "s3:PutBucketPublicAccessBlock", "s3:CreateAccessPoint", "s3:PutBucketAcl", "s3:PutEncryptionConfiguration", "s3:PutBucketPolicy"} {
		if slices.Contains(k.All(), a) {
			t.Errorf("a bucket does not need %s", a)
		}
	}
	if k.NamesKey || k.NamesRole {
		t.Errorf("the key and the replication role of a bucket are fields of other kinds, got %v and %v", k.NamesKey, k.NamesRole)
	}
	if r := kindOf(t, "s3", "BucketReplicationConfiguration"); !r.NamesKey || !r.NamesRole {
		t.Errorf("a replication configuration names keys and a role, got %v and %v", r.NamesKey, r.NamesRole)
	}
}

// outside lists the actions that kinds call but Full lacks. Full access to S3 is s3:* and nothing else, but directory buckets have a
// prefix of their own.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var outside = map[string]string{
	"s3": "s3express: CreateBucket CreateSession DeleteBucket ListAllMyDirectoryBuckets ListTagsForResource TagResource UntagResource iam: PassRole",
}

// TestKindsWithinFull checks that listing kinds narrows the access: only the actions in outside exceed Full.
func TestKindsWithinFull(t *testing.T) {
	got := map[string][]string{}
	for _, name := range Names() {
		s, _ := Lookup(name)
		for _, a := range actionsOf(s.FullOf("aws", s.Kinds())) {
			if !covered(s.Full("aws"), a) {
				got[name] = append(got[name], a)
			}
		}
	}
	want := map[string][]string{}
	for name, words := range outside {
		want[name] = sorted(prefixed(words))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions that kinds have and Full lacks: -want, +got:\n%s", diff)
	}
}

// TestKindsCoverage counts the known kinds, and checks that every service with a package in the version that was read has kinds.
func TestKindsCoverage(t *testing.T) {
	kinds, actions := 0, map[string]bool{}
	for service, of := range kindsContent().kinds {
		s, ok := Lookup(service)
		if !ok || !slices.Contains(s.Versions, "v2.5.0") {
			t.Errorf("%s has kinds, but the catalogue does not list it for v2.5.0", service)
		}
		kinds += len(of)
		for name, k := range of {
			if len(k.Create) == 0 || len(k.All()) == 0 {
				t.Errorf("%s/%s has no actions to create it", service, name)
			}
			for _, a := range k.All() {
				actions[a] = true
			}
		}
	}
	for _, name := range Names() {
		if s, _ := Lookup(name); slices.Contains(s.Versions, "v2.5.0") && len(s.Kinds()) == 0 {
			t.Errorf("%s has no kinds", name)
		}
	}
	t.Logf("%d kinds, %d actions, %d notes", kinds, len(actions), len(KindNotes()))
	if kinds != 1004 {
		t.Errorf("provider-aws v2.5.0 has 1004 kinds, got %d", kinds)
	}
}

// TestReadOnlyOfReads checks that the actions of ReadOnly only read.
func TestReadOnlyOfReads(t *testing.T) {
	for _, name := range Names() {
		s, _ := Lookup(name)
		for _, a := range actionsOf(s.ReadOnlyOf("aws", s.Kinds())) {
			prefix, verb, _ := strings.Cut(a, ":")
			if !slices.ContainsFunc(ReadingOf(prefix).Actions, func(p string) bool { return iam.Match(p, verb) }) {
				t.Errorf("%s: ReadOnly for kinds has %s, but ReadOnly does not", name, a)
			}
		}
	}
}

func TestFullOf(t *testing.T) {
	cases := map[string]struct {
		reason    string
		service   string
		partition string
		kinds     []string
		want      string
	}{
		"Plain": {
			reason:  "Kinds without keys and roles have only their own actions, sorted and unique.",
			service: "s3", kinds: []string{"BucketVersioning", "BucketPolicy"},
			want: `{"Effect":"Allow","Action":["s3:DeleteBucketPolicy","s3:GetBucketPolicy","s3:GetBucketVersioning","s3:PutBucketPolicy","s3:PutBucketVersioning"],"Resource":"*"}`,
		},
		"Passes": {
			reason:  "The role of an instance profile is passed to EC2, under its name in the partition.",
			service: "iam", partition: "aws-cn", kinds: []string{"InstanceProfile"},
			want: `{"Effect":"Allow","Action":["iam:AddRoleToInstanceProfile","iam:CreateInstanceProfile","iam:DeleteInstanceProfile","iam:GetInstanceProfile",` +
				`"iam:GetRole","iam:ListInstanceProfileTags","iam:RemoveRoleFromInstanceProfile","iam:TagInstanceProfile","iam:UntagInstanceProfile"],"Resource":"*"}` +
				`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":["ec2.amazonaws.com","ec2.amazonaws.com.cn"]}}}`,
		},
		"Unknown": {reason: "A name that is not a kind adds nothing.", service: "sqs", kinds: []string{"Quueue"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := Lookup(tc.service)
			text := ""
			for _, st := range s.FullOf(tc.partition, tc.kinds) {
				text += st.String()
			}
			if diff := cmp.Diff(tc.want, text); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestExtrasOfKinds checks that actions for keys and roles come only with the kinds that name keys and roles.
func TestExtrasOfKinds(t *testing.T) {
	lambda, _ := Lookup("lambda")
	cases := map[string]struct {
		kind      string
		key, pass bool
	}{
		"Function": {kind: "Function", key: true, pass: true},
		"Alias":    {kind: "Alias"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := actionsOf(lambda.FullOf("aws", []string{tc.kind}))
			if has := slices.Contains(got, "kms:DescribeKey"); has != tc.key {
				t.Errorf("kms:DescribeKey: want %v, got %v", tc.key, has)
			}
			if has := slices.Contains(got, "iam:PassRole"); has != tc.pass {
				t.Errorf("iam:PassRole: want %v, got %v", tc.pass, has)
			}
			if !slices.Contains(got, "iam:CreateServiceLinkedRole") {
				t.Error("a service may need its linked role for any kind")
			}
		})
	}
}

func TestKindHint(t *testing.T) {
	s, _ := Lookup("s3")
	if got, want := s.KindHint("Buckt"), "did you mean Bucket?"; !strings.HasPrefix(got, strings.TrimSuffix(want, "?")) {
		t.Errorf("want %q, got %q", want, got)
	}
	if got := s.KindHint("Zzzzzzzz"); got != "" {
		t.Errorf("want no hint for nonsense, got %q", got)
	}
}

// TestDefinitions checks names against those in Crossplane. TestWritten in tools/catalogue compares the names of all kinds with those of
// the providers.
func TestDefinitions(t *testing.T) {
	cases := map[string][]string{
		"s3/Bucket":                  {"buckets.s3.aws.upbound.io", "buckets.s3.aws.m.upbound.io"},
		"s3/BucketPolicy":            {"bucketpolicies.s3.aws.upbound.io", "bucketpolicies.s3.aws.m.upbound.io"},
		"s3/BucketOwnershipControls": {"bucketownershipcontrols.s3.aws.upbound.io", "bucketownershipcontrols.s3.aws.m.upbound.io"},
		"kms/Alias":                  {"aliases.kms.aws.upbound.io", "aliases.kms.aws.m.upbound.io"},
		"gamelift/Fleet":             {"fleet.gamelift.aws.upbound.io", "fleet.gamelift.aws.m.upbound.io"},
		"kendra/Index":               {"indices.kendra.aws.upbound.io", "indices.kendra.aws.m.upbound.io"},
	}
	for name, want := range cases {
		service, kind, _ := strings.Cut(name, "/")
		s, _ := Lookup(service)
		if diff := cmp.Diff(want, s.Definitions(kindOf(t, service, kind))); diff != "" {
			t.Errorf("definitions of %s: -want, +got:\n%s", name, diff)
		}
	}
	for _, name := range Names() {
		s, _ := Lookup(name)
		seen := map[string]string{}
		for _, kind := range s.Kinds() {
			k, _ := s.Kind(kind)
			if other := seen[k.Plural]; other != "" || strings.Trim(k.Plural, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
				t.Errorf("%s: %s is not a valid and unique plural of %s (%s)", name, k.Plural, kind, other)
			}
			if seen[k.Plural] = kind; kind == "Active" {
				t.Errorf("%s has a kind named Active, the word for all active kinds", name)
			}
		}
	}
}

func TestParseKinds(t *testing.T) {
	got, err := parseKinds("# x\n# github.com/a v1\ns\tK\tkey role pass:ec2\ts: Get\ts: New k: Use\t\ts: Drop\ns\tMany\tplural:many\t\t\t\t\n! a note\n")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]Kind{"s": {"K": {
		Name: "K", Plural: "ks", Observe: []string{"s:Get"}, Create: []string{"s:New", "k:Use"}, Delete: []string{"s:Drop"}, NamesKey: true, NamesRole: true, Passes: []string{"ec2"},
	}, "Many": {Name: "Many", Plural: "many"}}}
	if diff := cmp.Diff(want, got.kinds); diff != "" {
		t.Errorf("kinds: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{"github.com/a v1"}, {"a note"}}, [][]string{got.versions, got.notes}); diff != "" {
		t.Errorf("versions and notes: -want, +got:\n%s", diff)
	}
	if _, err := parseKinds("s\tK\n"); err == nil {
		t.Error("want an error for a line with missing fields")
	}
}

// actionsOf returns the actions of statements, sorted.
func actionsOf(statements []iam.Statement) []string {
	set := map[string]bool{}
	for _, s := range statements {
		for _, a := range s.Action {
			set[a] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// covered says whether statements allow an action.
func covered(statements []iam.Statement, action string) bool {
	return slices.ContainsFunc(statements, func(s iam.Statement) bool {
		return slices.ContainsFunc(s.Action, func(p string) bool { return iam.Match(p, action) })
	})
}

// BenchmarkKinds parses the data, which happens once, when a request lists kinds for the first time.
func BenchmarkKinds(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseKinds(kindsFile); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFullOf makes the statements for three kinds, which happens in every call.
func BenchmarkFullOf(b *testing.B) {
	s, _ := Lookup("s3")
	b.ReportAllocs()
	for b.Loop() {
		s.FullOf("aws", []string{"Bucket", "BucketPolicy", "BucketVersioning"})
	}
}
