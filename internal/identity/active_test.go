package identity

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
)

// Keys of the requirements for activation policies.
const (
	askKind     = "kind/managedresourceactivationpolicies.apiextensions.crossplane.io"
	askPolicies = "all/ManagedResourceActivationPolicy.apiextensions.crossplane.io"
)

// established is the definition of ManagedResourceActivationPolicy in Crossplane v2.
const established = `[{metadata: {name: managedresourceactivationpolicies.apiextensions.crossplane.io}, spec: {versions: [{name: v1alpha1, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}]`

// activate returns a policy that activates definitions.
func activate(names ...string) string {
	return "{spec: {activate: ['" + strings.Join(names, "', '") + "']}}"
}

// follows returns the world of a service that follows the active kinds, with the given activation policies.
func follows(service string, policies ...string) world {
	return world{
		Spec:    "services: [{name: " + service + ", permissions: {kinds: Active}}]",
		Answers: map[string]string{askKind: established, askPolicies: "[" + strings.Join(policies, ", ") + "]"},
	}
}

// remembers adds kinds that were active before.
func (w world) remembers(service string, kinds ...string) world {
	w.XR = fmt.Sprintf("status: {services: [{name: %s, activeKinds: [%s]}]}", service, strings.Join(kinds, ", "))
	return w
}

// answers replaces the answer to a requirement.
func (w world) answers(question, answer string) world {
	w.Answers = maps.Clone(w.Answers)
	w.Answers[question] = answer
	return w
}

func kindsOf(t *testing.T, service string) []string {
	t.Helper()
	s, ok := catalogue.Lookup(service)
	if !ok {
		t.Fatalf("there is no service %s", service)
	}
	return s.Kinds()
}

func TestActiveKinds(t *testing.T) {
	const (
		bucket, bucketPolicy = "buckets.s3.aws.upbound.io", "bucketpolicies.s3.aws.m.upbound.io"
		none, unreadable     = "none of its kinds is active", "is not found, so it is unknown which of its kinds are active"
		asking               = "checking which of its kinds are active"
	)
	s3 := kindsOf(t, "s3")
	type want struct {
		kinds   []string
		problem string // a part of the problem
		pending bool
		strange []string
	}
	cases := map[string]struct {
		reason string
		world  world
		want   want
		// newer is the result for a caller with capabilities, which finds schemas instead of definitions; nil if it is the same.
		newer *want
	}{
		"Name":       {"A policy activates a kind by the name of its definition.", follows("s3", activate(bucket)), want{kinds: []string{"Bucket"}}, nil},
		"Namespaced": {"A namespaced kind calls the same actions.", follows("s3", activate(bucketPolicy)), want{kinds: []string{"BucketPolicy"}}, nil},
		"Both":       {"A kind in both groups counts once.", follows("s3", activate(bucket, "buckets.s3.aws.m.upbound.io")), want{kinds: []string{"Bucket"}}, nil},
		"Several":    {"Policies add up.", follows("s3", activate(bucketPolicy), activate("x", bucket)), want{kinds: []string{"Bucket", "BucketPolicy"}}, nil},
		"Group":      {"A pattern may match a group,", follows("s3", activate("*.s3.aws.m.upbound.io")), want{kinds: s3}, nil},
		"Everything": {"or everything, like Crossplane's own policy.", follows("s3", activate("*")), want{kinds: s3}, nil},
		"Part":       {"Wildcards may stand anywhere,", follows("s3", activate("bucket[pn]o*.s3.*")), want{kinds: []string{"BucketNotification", "BucketPolicy"}}, nil},
		"OneLetter":  {"also for a single letter.", follows("s3", activate("bucket?.s3.aws.upbound.io")), want{kinds: []string{"Bucket"}}, nil},
		"Broken":     {"A malformed pattern matches nothing.", follows("s3", activate("buckets[.s3.aws.upbound.io", bucketPolicy)), want{kinds: []string{"BucketPolicy"}}, nil},
		"Capitals":   {"Patterns are case-sensitive.", follows("s3", activate("Buckets.s3.aws.upbound.io")), want{problem: none}, nil},
		"Kind":       {"The name of a kind is not the name of its definition.", follows("s3", activate("Bucket")), want{problem: none}, nil},
		"Other":      {"Other services do not match, even if their names share a prefix.", follows("s3", activate("*.ec2.aws.upbound.io", "*.s3control.aws.upbound.io")), want{problem: none}, nil},
		"Plural":     {"Some plurals are irregular.", follows("gamelift", activate("fleet.gamelift.aws.upbound.io")), want{kinds: []string{"Fleet"}}, nil},
		"Activated":  {"A definition that a policy has activated stays active, even if the policy has changed.", follows("s3", "{spec: {activate: [x]}, status: {activated: ["+bucket+"]}}"), want{kinds: []string{"Bucket"}}, nil},
		"Deleted": {
			"A policy that is being deleted activates nothing more.",
			follows("s3", "{metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {activate: ['*']}, status: {activated: ["+bucket+"]}}"),
			want{kinds: []string{"Bucket"}},
			nil,
		},
		"Paused": {
			"Neither does a paused policy.",
			follows("s3", "{metadata: {annotations: {crossplane.io/paused: 'true'}}, spec: {activate: ['*']}, status: {activated: ["+bucketPolicy+"]}}"),
			want{kinds: []string{"BucketPolicy"}},
			nil,
		},
		"NoPolicy": {"Without a policy, nothing is active.", follows("s3"), want{problem: none}, nil},
		"Odd":      {"Policies with an unexpected structure are harmless.", follows("s3", "{spec: {activate: x}, status: {activated: {}}}", "{spec: [], status: 1}", "{spec: {activate: [1, {}]}}"), want{problem: none}, nil},
		"Strange": {
			"A kind that is newer than the catalogue is reported.",
			follows("s3", "{spec: {activate: [x]}, status: {activated: [news.s3.aws.upbound.io, "+bucket+", news.s3control.aws.upbound.io]}}"),
			want{kinds: []string{"Bucket"}, strange: []string{"news.s3.aws.upbound.io"}},
			nil,
		},

		"Shrunk":       {"A kind that was active stays active, even if no policy matches it anymore,", follows("s3", activate(bucket)).remembers("s3", "Object", "Bucket"), want{kinds: []string{"Bucket", "Object"}}, nil},
		"Gone":         {"if there is no policy,", follows("s3").remembers("s3", "Object"), want{kinds: []string{"Object"}}, nil},
		"GoneUnread":   {"if policies cannot be read,", follows("s3").remembers("s3", "Object").answers(askKind, strings.Replace(established, "True", "False", 1)), want{kinds: []string{"Object"}}, nil},
		"GoneUnasked":  {"if the kind of policies was not yet looked up,", follows("s3").remembers("s3", "Object").answers(askKind, testutil.Unanswered), want{kinds: []string{"Object"}}, nil},
		"GoneUnlisted": {"or if the policies are not yet listed.", follows("s3").remembers("s3", "Object").answers(askPolicies, testutil.Unanswered), want{kinds: []string{"Object"}}, nil},
		"Forged":       {"A remembered kind must belong to the service,", follows("s3").remembers("s3", "Object", "Queue", "'*'", "1"), want{kinds: []string{"Object"}}, nil},
		"ForgedOther":  {"and be remembered for that service.", follows("s3").remembers("sqs", "Object"), want{problem: none}, nil},
		"ForgedTwice":  {"A duplicate counts once.", follows("s3").remembers("s3", "Object", "Object"), want{kinds: []string{"Object"}}, nil},

		"Unasked":  {"Before Crossplane has answered, the kind is required,", follows("s3").answers(askKind, testutil.Unanswered), want{problem: asking, pending: true}, nil},
		"Unlisted": {"and then the policies.", follows("s3").answers(askPolicies, testutil.Unanswered), want{problem: asking, pending: true}, nil},
		"V1": {
			"Crossplane v1 has no such policies, and all kinds are active. A newer Crossplane has them, and only finds nothing at the moment.",
			follows("s3").answers(askKind, "[]"),
			want{kinds: s3},
			&want{problem: unreadable},
		},
		"Unestablished": {
			"A kind that is not served does not mean v1. A newer Crossplane reports whether it is served.",
			follows("s3", activate(bucket)).answers(askKind, strings.Replace(established, "True", "False", 1)),
			want{problem: unreadable},
			&want{kinds: []string{"Bucket"}},
		},
	}
	for name, tc := range cases {
		for _, capable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", name, capable), func(t *testing.T) {
				w, wanted := tc.world, tc.want
				w.Capabilities = capable
				if capable && tc.newer != nil {
					wanted = *tc.newer
				}
				a := w.mustResolve(t).Services[0].Activation
				got := want{kinds: a.Kinds, pending: a.Pending, strange: a.Strange}
				if wanted.problem != "" && strings.Contains(a.Problem, wanted.problem) {
					a.Problem = wanted.problem
				}
				got.problem = a.Problem
				if diff := cmp.Diff(wanted, got, cmp.AllowUnexported(want{})); diff != "" {
					t.Errorf("%s\nactive kinds: -want, +got:\n%s", tc.reason, diff)
				}
			})
		}
	}
}

// TestActiveStrange checks that active definitions missing from the catalogue are reported, but not all of them.
func TestActiveStrange(t *testing.T) {
	var names []string
	for i := range 5 {
		names = append(names, fmt.Sprintf("new%d.s3.aws.m.upbound.io", i))
	}
	policy := func(activated ...string) string {
		return "{status: {activated: [" + strings.Join(activated, ", ") + "]}}"
	}
	cases := map[string]struct {
		reason string
		world  world
		want   []string
	}{
		"One":  {"A kind is newer than the function.", follows("s3", policy(names[0])), []string{"s3: active, but not a kind that the function knows, so nothing is granted for it: new0.s3.aws.m.upbound.io. Use statements"}},
		"Many": {"Many kinds are newer than the function.", follows("s3", policy(names...)), []string{"s3: active, but not a kind that the function knows, so nothing is granted for it: new0.s3.aws.m.upbound.io, new1.s3.aws.m.upbound.io, new2.s3.aws.m.upbound.io and 2 more. Use statements"}},
		"None": {"No kind is newer than the function.", follows("s3", policy("buckets.s3.aws.upbound.io")), nil},
		"All":  {"If everything is active, no kind is meant in particular.", follows("s3", activate("*"), policy(names[0])), nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.world.mustResolve(t).Notes); diff != "" {
				t.Errorf("%s\nnotes: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestActiveAsks checks that nothing is required that could not add a kind.
func TestActiveAsks(t *testing.T) {
	cases := map[string]struct {
		reason string
		world  world
		want   bool
	}{
		"Follows":   {"More kinds may have become active.", follows("s3").remembers("s3", "Bucket"), true},
		"All":       {"If all kinds are active, none can be added.", follows("s3").remembers("s3", kindsOf(t, "s3")...), false},
		"List":      {"A list is complete.", world{Spec: `services: [{name: s3, permissions: {kinds: [Bucket]}}]`}, false},
		"Service":   {"So does a whole service.", world{}, false},
		"Role":      {"A role that is managed elsewhere has its own permissions.", world{Spec: `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/a"}]`}, false},
		"ManyTimes": {"Several services share one requirement.", world{Spec: `services: [{name: s3, permissions: {kinds: Active}}, {name: sqs, permissions: {kinds: Active}}]`, Answers: map[string]string{askKind: established}}, true},
	}
	for name, tc := range cases {
		for _, capable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", name, capable), func(t *testing.T) {
				tc.world.Capabilities = capable
				_, v, _ := tc.world.resolve(t)
				r := v.Requirements.Proto()
				n := len(r.GetResources()) + len(r.GetExtraResources()) + len(r.GetSchemas()) //nolint:staticcheck // Crossplane before 2.2 knows no other field.
				if got := n > 0; got != tc.want {
					t.Errorf("%s\nrequired: want %t, got %v", tc.reason, tc.want, r)
				}
				if tc.want && n != 2 {
					t.Errorf("%s\nwant the kind and its objects to be required, got %v", tc.reason, r)
				}
			})
		}
	}
}

const (
	begin, end         = `{"Version":"2012-10-17","Statement":[`, `]}`
	ofBucketPolicy     = `{"Effect":"Allow","Action":["s3:DeleteBucketPolicy","s3:GetBucketPolicy","s3:PutBucketPolicy"],"Resource":"*"}`
	ofBucketVersioning = `{"Effect":"Allow","Action":["s3:GetBucketVersioning","s3:PutBucketVersioning"],"Resource":"*"}`
)

// observedPolicy returns a policy with a document.
func observedPolicy(document string) string {
	return fmt.Sprintf(`{apiVersion: iam.aws.upbound.io/v1beta1, kind: Policy, metadata: {name: p}, spec: {forProvider: {policy: '%s'}}}`, document)
}

func TestActivePolicies(t *testing.T) {
	versioning := activate("bucketversionings.s3.aws.upbound.io")
	old := map[string]string{
		"policy/s3": observedPolicy(begin + ofBucketPolicy + end), "policy/s3.3": observedPolicy(begin + ofBucketVersioning + end),
		// These belong to other services or functions.
		"policy/s3control": observedPolicy("x"), "policy/s3.tenants": observedPolicy("x"), "policy/s3.03": observedPolicy("x"), "policy/s3.99": observedPolicy("x"), "policy/s3.1": observedPolicy("x"),
	}
	kept := []string{begin + ofBucketPolicy + end, "", begin + ofBucketVersioning + end}
	cases := map[string]struct {
		reason   string
		world    world
		service  string // fields besides the name, instead of kinds: Active
		observed map[string]string
		want     []string
		allowed  []string // actions of the statements that guardrails check
	}{
		"Full":       {"The role allows the actions that active kinds call,", follows("s3", versioning), "", nil, []string{begin + ofBucketVersioning + end}, []string{"s3:GetBucketVersioning", "s3:PutBucketVersioning"}},
		"ReadOnly":   {"or those that observe them,", follows("s3", versioning), "permissions: {accessLevel: ReadOnly, kinds: Active}", nil, []string{begin + `{"Effect":"Allow","Action":"s3:GetBucketVersioning","Resource":"*"}` + end}, []string{"s3:GetBucketVersioning"}},
		"Remembered": {"and those of kinds that were active.", follows("s3", versioning).remembers("s3", "BucketPolicy"), "", old, []string{begin + `{"Effect":"Allow","Action":["s3:DeleteBucketPolicy","s3:GetBucketPolicy","s3:GetBucketVersioning","s3:PutBucketPolicy","s3:PutBucketVersioning"],"Resource":"*"}` + end}, []string{"s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:GetBucketVersioning", "s3:PutBucketPolicy", "s3:PutBucketVersioning"}},
		"Statements": {"Statements are added.", follows("s3", versioning), `permissions: {kinds: Active, statements: [{actions: ["kms:Decrypt"], resources: ["*"]}]}`, nil, []string{begin + ofBucketVersioning + `,{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}` + end}, []string{"kms:Decrypt", "s3:GetBucketVersioning", "s3:PutBucketVersioning"}},
		"Nothing":    {"If nothing is active, there is no policy.", follows("s3"), "", nil, nil, nil},
		"Kept":       {"An existing policy stays as it is, even if one before it is missing, and guardrails check it.", follows("s3"), "", old, kept, []string{"s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:GetBucketVersioning", "s3:PutBucketPolicy", "s3:PutBucketVersioning"}},
		"KeptUnread": {"It also stays while activation policies cannot be read.", follows("s3").answers(askKind, strings.Replace(established, "True", "False", 1)), "", old, kept, []string{"s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:GetBucketVersioning", "s3:PutBucketPolicy", "s3:PutBucketVersioning"}},
		"KeptAsking": {"Before Crossplane has answered, nothing can be refused, because Crossplane would stop answering.", follows("s3").answers(askKind, testutil.Unanswered), "", old, kept, nil},
		"KeptAttached": {
			"A policy whose attachment exists is only missing.", follows("s3"), "",
			map[string]string{"attachment/s3.2": `{kind: RolePolicyAttachment}`, "attachment/s3/arn:aws:iam::aws:policy/x": `{kind: RolePolicyAttachment}`},
			[]string{"", ""},
			nil,
		},
		"KeptOwn": {"Statements wait for the kinds, too, and guardrails check them.", follows("s3").answers(askKind, testutil.Unanswered), `permissions: {kinds: Active, statements: [{actions: ["kms:Decrypt"], resources: ["*"]}]}`, old, kept, []string{"kms:Decrypt"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := tc.world
			if tc.service != "" {
				w.Spec = "services: [{name: s3, " + tc.service + "}]"
			}
			w.Observed = tc.observed
			s := w.mustResolve(t).Services[0]
			if diff := cmp.Diff(tc.want, s.Policies); diff != "" {
				t.Errorf("%s\npolicies: -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.allowed, actionsOf(s.Statements)); diff != "" {
				t.Errorf("%s\nactions for guardrails to check: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// actionsOf returns the actions of statements, sorted.
func actionsOf(statements []iam.Statement) []string {
	var out []string
	for _, s := range statements {
		out = append(out, s.Action...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestActiveErrors checks that a spec is refused if it is invalid regardless of the active kinds.
func TestActiveErrors(t *testing.T) {
	arns := func(n int) string {
		out := make([]string, 0, n)
		for i := range n {
			out = append(out, fmt.Sprintf("'arn:aws:iam::aws:policy/p%d'", i))
		}
		return strings.Join(out, ", ")
	}
	old := map[string]string{"policy/s3": observedPolicy(begin + ofBucketPolicy + end), "policy/s3.2": observedPolicy(begin + ofBucketVersioning + end)}
	cases := map[string]struct {
		reason, permissions string
		answer              string
		observed            map[string]string
		want                []string
	}{
		"Level":     {"Kinds need an access level other than None.", "accessLevel: None, kinds: Active", established, nil, []string{"spec.services[0].permissions.accessLevel: FieldValueInvalid"}},
		"LevelName": {"There are three access levels.", "accessLevel: All, kinds: Active", testutil.Unanswered, nil, []string{"spec.services[0].permissions.accessLevel: FieldValueInvalid"}},
		"Kept":      {"A role can have ten policies, including those that stay as they are.", "kinds: Active, managedPolicyArns: [" + arns(9) + "]", established, old, []string{"spec.services[0].permissions.managedPolicyArns: FieldValueTooMany"}},
		"KeptFits":  {"Two policies fit with eight others.", "kinds: Active, managedPolicyArns: [" + arns(8) + "]", established, old, nil},
		"KeptAsked": {"There may be fewer policies once Crossplane has answered.", "kinds: Active, managedPolicyArns: [" + arns(9) + "]", testutil.Unanswered, old, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{Spec: "services: [{name: s3, permissions: {" + tc.permissions + "}}]", Answers: map[string]string{askKind: tc.answer, askPolicies: "[]"}, Observed: tc.observed}
			_, _, errs := w.resolve(t)
			if diff := cmp.Diff(tc.want, paths(errs)); diff != "" {
				t.Errorf("%s\nerrors: -want, +got:\n%s\n%v", tc.reason, diff, errs.ToAggregate())
			}
		})
	}
}

// TestActiveRefused checks that a working service loses nothing when a kind becomes active that cannot be granted.
func TestActiveRefused(t *testing.T) {
	const deny = "guardrails: {deniedActions: ['s3:PutBucketPolicy']}"
	var managed []string
	for i := range 9 {
		managed = append(managed, fmt.Sprintf("'arn:aws:iam::aws:policy/p%d'", i))
	}
	bucketPolicy := activate("bucketpolicies.s3.aws.upbound.io")
	ec2 := follows("ec2", activate("*"))
	ec2.Spec = "services: [{name: ec2, permissions: {kinds: Active, managedPolicyArns: [" + strings.Join(managed, ", ") + "]}}]"
	cases := map[string]struct {
		reason, input string
		world         world
		kinds         []string
		refused       []string
		why           string
		errs          []string
	}{
		"Denied": {"A guardrail denies the kind.", deny, follows("s3", bucketPolicy).remembers("s3", "BucketVersioning"), []string{"BucketVersioning"}, []string{"BucketPolicy"}, `guardrail deniedActions: "s3:PutBucketPolicy": Action allows what s3:PutBucketPolicy denies`, nil},
		"DeniedTogether": {
			"Other new kinds wait with it.", deny, follows("s3", bucketPolicy, activate("buckets.s3.aws.upbound.io")).remembers("s3", "BucketVersioning"),
			[]string{"BucketVersioning"},
			[]string{"Bucket", "BucketPolicy"},
			"guardrail deniedActions", nil,
		},
		"DeniedOther":  {"Another kind is granted.", deny, follows("s3", activate("buckets.s3.aws.upbound.io")).remembers("s3", "BucketVersioning"), []string{"Bucket", "BucketVersioning"}, nil, "", nil},
		"DeniedFirst":  {"If nothing has been granted yet, guardrails refuse the whole object.", deny, follows("s3", bucketPolicy), []string{"BucketPolicy"}, nil, "", nil},
		"DeniedBefore": {"The same applies if a guardrail was added later.", deny, follows("s3").remembers("s3", "BucketPolicy"), []string{"BucketPolicy"}, nil, "", nil},
		"TooMuch":      {"AWS has limits.", "", ec2.remembers("ec2", "VPC"), []string{"VPC"}, slices.DeleteFunc(kindsOf(t, "ec2"), func(k string) bool { return k == "VPC" }), "spec.services[0].permissions", nil},
		"TooMuchFirst": {"If nothing has been granted yet, exceeding a limit is an error.", "", ec2, kindsOf(t, "ec2"), nil, "", []string{"spec.services[0].permissions: FieldValueInvalid"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.world.Input = tc.input
			id, _, errs := tc.world.resolve(t)
			if diff := cmp.Diff(tc.errs, paths(errs)); diff != "" {
				t.Fatalf("%s\nerrors: -want, +got:\n%s\n%v", tc.reason, diff, errs.ToAggregate())
			}
			a := id.Services[0].Activation
			if diff := cmp.Diff([][]string{tc.kinds, tc.refused}, [][]string{a.Kinds, a.Refused}); diff != "" {
				t.Errorf("%s\ngranted and refused kinds: -want, +got:\n%s", tc.reason, diff)
			}
			if !strings.Contains(a.Why, tc.why) || (a.Why == "") != (tc.why == "") {
				t.Errorf("%s\nwhy: want %q, got %q", tc.reason, tc.why, a.Why)
			}
		})
	}
}

// TestActiveTenant checks that each service of a tenant follows the active kinds on its own, in the policies of one role.
func TestActiveTenant(t *testing.T) {
	limited := func(statement, service string) string {
		return strings.TrimSuffix(statement, "}") + `,"Condition":{"StringEquals":{"aws:PrincipalTag/kubernetes-service-account":"provider-aws-` + service + `"}}}`
	}
	const ofQueuePolicy = `{"Effect":"Allow","Action":["sqs:GetQueueAttributes","sqs:SetQueueAttributes"],"Resource":"*"}`
	both := []string{begin + limited(ofBucketPolicy, "s3") + "," + limited(ofQueuePolicy, "sqs") + end}
	old := map[string]string{
		"policy/tenant": observedPolicy(begin + ofBucketVersioning + end),
		"role/tenant":   `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: r}}`,
	}
	cases := map[string]struct {
		reason, policies, input string
		remembered              string
		observed                map[string]string
		want                    []string
		refused                 []string // of s3
	}{
		"Active":     {"Both kinds are active.", "[" + activate("bucketpolicies.s3.aws.upbound.io", "queuepolicies.sqs.aws.m.upbound.io") + "]", "", "", old, both, nil},
		"Remembered": {"Both kinds were active.", testutil.Unanswered, "", "{name: s3, activeKinds: [BucketPolicy]}, {name: sqs, activeKinds: [QueuePolicy]}", old, both, nil},
		"NotAll":     {"While nothing of one service is active, the policies of the role stay as they are.", "[" + activate("bucketpolicies.s3.aws.upbound.io") + "]", "", "", old, []string{begin + ofBucketVersioning + end}, nil},
		"None":       {"Without existing policies, there are none.", "[]", "", "", nil, nil, nil},
		"Refused": {
			"A newly active kind that is denied for one service takes nothing away from the other.", "[" + activate("bucketpolicies.s3.aws.upbound.io", "buckets.s3.aws.upbound.io") + "]",
			", guardrails: {deniedActions: ['s3:CreateBucket']}", "{name: s3, activeKinds: [BucketPolicy]}, {name: sqs, activeKinds: [QueuePolicy]}", old, both,
			[]string{"Bucket"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := onHost(`services: [{name: s3, permissions: {kinds: Active}}, {name: sqs, permissions: {kinds: Active}}]`, "s3", "sqs")
			w.Answers[askKind], w.Answers[askPolicies] = "[{}]", tc.policies
			w.Input = "{" + w.Input + tc.input + "}"
			w.XR += "status: {host: platform, services: [" + tc.remembered + "]}\n"
			w.Observed = tc.observed
			id := w.mustResolve(t)
			if diff := cmp.Diff(tc.want, id.Tenant.Role.Policies); diff != "" {
				t.Errorf("%s\npolicies of the role: -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.refused, id.Services[0].Activation.Refused); diff != "" {
				t.Errorf("%s\nrefused kinds of s3: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
