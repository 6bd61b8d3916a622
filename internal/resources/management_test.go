package resources

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// What a provider may do, in the words of managementPolicies.
const (
	managing = "Observe Create Update Delete"
	keeping  = "Observe Create Update"
	looking  = "Observe Create"
	watching = "Observe"
)

// Patches of observed objects.
const (
	narrow     = `{spec: {managementPolicies: [Observe, Create]}}`
	onlyWatch  = `{spec: {managementPolicies: [Observe]}}`
	notReady   = `{status: {conditions: [{type: Synced, status: "True"}, {type: Ready, status: "False", reason: Creating}]}}`
	isCreated  = `{metadata: {annotations: {crossplane.io/external-create-succeeded: "2026-01-01T00:00:05Z"}}}`
	isCreating = `{metadata: {annotations: {crossplane.io/external-create-pending: "2026-01-01T00:00:05Z"}}}`
	isOld      = `{metadata: {creationTimestamp: "2026-01-01T00:00:00Z"}, status: {atProvider: {createDate: "2025-12-31T00:00:00Z"}}}`
	isNew      = `{metadata: {creationTimestamp: "2026-01-01T00:00:00Z"}, status: {atProvider: {createDate: "2026-01-01T00:00:03Z"}}}`
	otherTags  = `{status: {atProvider: {tagsAll: {team: b}}}}`
	ownTags    = `{status: {atProvider: {tagsAll: {crossplane-kind: policy.iam.aws.upbound.io, crossplane-name: crossplane-prod-eu-west-1-s3, crossplane-providerconfig: default}}}}`
	roleTags   = `{status: {atProvider: {tagsAll: {crossplane-kind: role.iam.aws.upbound.io, crossplane-name: crossplane-prod-eu-west-1-s3, crossplane-providerconfig: default}}}}`
	usedTwice  = `{status: {atProvider: {attachmentCount: 1}}}`
)

// TestLookFirst covers what providers may do with a role, its policy and its attachment: they look first, and change nothing that was
// there before.
func TestLookFirst(t *testing.T) {
	cases := map[string]struct {
		reason, spec string
		observed     map[string]string
		// want is what may be done with role, policy and attachment.
		want [3]string
		// orphans are what stays in AWS when the object goes.
		orphans string
	}{
		"First": {
			"What exists is looked at, and what does not is created. Nothing is attached to a role that may be a stranger's.", ``, nil,
			[3]string{looking, looking, watching},
			"",
		},
		"Observe":   {"Who may only observe does not create.", `managementPolicies: [Observe]`, nil, [3]string{watching, watching, watching}, ""},
		"NoCreate":  {"Nor does one that may do anything but that.", `managementPolicies: [Observe, Update]`, nil, [3]string{watching, watching, watching}, ""},
		"All":       {"Who may do all still looks first.", `managementPolicies: ["*"]`, nil, [3]string{looking, looking, watching}, ""},
		"Import":    {"A role that is imported is meant. A policy is not.", `services: [{name: s3, importRole: true}]`, nil, [3]string{managing, looking, watching}, ""},
		"Adopt":     {"With adoptExisting all that belongs to the object is.", `adoptExisting: true`, nil, [3]string{managing, managing, managing}, ""},
		"AdoptRead": {"Within what providers may do at all.", `{adoptExisting: true, managementPolicies: [Observe, Create]}`, nil, [3]string{looking, looking, looking}, ""},
		"Pending": {
			"While nobody knows, nothing more is done.", ``,
			map[string]string{"role/s3": narrow + notReady, "policy/s3": narrow + notReady, "attachment/s3": onlyWatch + notReady},
			[3]string{looking, looking, watching},
			"",
		},
		"Created": {
			"What the provider created is ours.", ``,
			map[string]string{"role/s3": narrow + notReady + isCreated, "policy/s3": narrow + notReady + isCreated, "attachment/s3": onlyWatch + notReady},
			[3]string{managing, managing, managing},
			"",
		},
		"Creating": {
			"So is what it is about to create: nothing had the name.", ``,
			map[string]string{"role/s3": narrow + notReady + isCreating, "policy/s3": narrow + notReady + isCreating, "attachment/s3": onlyWatch + notReady},
			[3]string{managing, managing, managing},
			"",
		},
		"Ready": {
			"What is ready, and nothing speaks against it, is.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow, "attachment/s3": onlyWatch},
			[3]string{managing, managing, managing},
			"",
		},
		"New": {
			"Even less does where something speaks for it.", ``,
			map[string]string{"role/s3": narrow + isNew, "policy/s3": narrow + ownTags, "attachment/s3": onlyWatch},
			[3]string{managing, managing, managing},
			"",
		},
		"PolicyPending": {
			"A policy is attached once it is known, too.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + notReady, "attachment/s3": onlyWatch},
			[3]string{managing, looking, watching},
			"",
		},
		"Decided": {
			"What was decided before stays, whatever became of it.", ``,
			map[string]string{"role/s3": wide + notReady, "policy/s3": wide + notReady + otherTags, "attachment/s3": wide + notReady},
			[3]string{managing, managing, managing},
			"",
		},
		"DecidedNoUpdate": {
			"Also where providers may not change anything.", `managementPolicies: [Observe, Create, Delete]`,
			map[string]string{"role/s3": `{spec: {managementPolicies: [Observe, Create, Delete]}}` + notReady, "policy/s3": narrow + notReady},
			[3]string{"Observe Create Delete", looking, watching},
			"",
		},
		"Before": {
			"An object from before there was any looking is wide already.", ``,
			map[string]string{"role/s3": `{spec: {managementPolicies: ["*"]}}`, "policy/s3": `{spec: {managementPolicies: ["*"]}}`, "attachment/s3": `{spec: {managementPolicies: ["*"]}}`},
			[3]string{managing, managing, managing},
			"",
		},
		"OldRole": {
			"A role that is older than its managed resource is a stranger's.", ``,
			map[string]string{"role/s3": narrow + isOld, "policy/s3": narrow, "attachment/s3": onlyWatch},
			[3]string{looking, managing, watching},
			"role/s3",
		},
		"OldRoleTaken": {
			"Also one that an earlier version took over.", ``,
			map[string]string{"role/s3": wide + isOld, "policy/s3": wide, "attachment/s3": wide},
			[3]string{looking, managing, managing},
			"role/s3",
		},
		"OldRoleImported": {
			"Unless somebody meant that.", `services: [{name: s3, importRole: true}]`,
			map[string]string{"role/s3": narrow + isOld, "policy/s3": narrow, "attachment/s3": onlyWatch},
			[3]string{managing, managing, managing},
			"",
		},
		"Restored": {
			"A managed resource that came from a backup is younger than the role that was made for it.", ``,
			map[string]string{"role/s3": narrow + isOld + `{metadata: {annotations: {crossplane.io/external-create-succeeded: "2025-12-31T00:00:02Z"}}}`, "policy/s3": narrow + isCreated},
			[3]string{managing, managing, managing},
			"",
		},
		"OtherDocument": {
			"A policy with other permissions than were asked for was there before.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + `{status: {atProvider: {policy: '{"Statement":[]}'}}}`, "attachment/s3": onlyWatch},
			[3]string{managing, looking, watching},
			"policy/s3",
		},
		"OtherWords": {
			"AWS may say the same in other words.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + `{status: {atProvider: {policy: '{"Statement":{"Action":["s3:*"],"Effect":"Allow","Resource":["*"]},"Version":"2012-10-17"}'}}}`, "attachment/s3": onlyWatch},
			[3]string{managing, managing, managing},
			"",
		},
		"OtherTags": {
			"One without the provider's tags was.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + otherTags, "attachment/s3": onlyWatch},
			[3]string{managing, looking, watching},
			"policy/s3",
		},
		"Attached": {
			"So was one that is attached before anything of ours is.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + usedTwice, "attachment/s3": onlyWatch + notReady},
			[3]string{managing, looking, watching},
			"policy/s3",
		},
		"AttachedByUs": {
			"Ours may have been attached meanwhile.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + usedTwice, "attachment/s3": onlyWatch},
			[3]string{managing, managing, managing},
			"",
		},
		"CreatedAll": {
			"All that counts for nothing where the provider created it.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + usedTwice + otherTags + isCreated, "attachment/s3": onlyWatch + notReady},
			[3]string{managing, managing, managing},
			"",
		},
		"AdoptedPolicy": {
			"Nor where it is meant.", `adoptExisting: true`,
			map[string]string{"role/s3": narrow + isOld, "policy/s3": narrow + usedTwice + otherTags, "attachment/s3": onlyWatch + notReady},
			[3]string{managing, managing, managing},
			"",
		},
		"Bootstrap": {
			"What the providers of IAM and EKS run as is never deleted.", `services: [{name: iam, management: Observe}]`, nil,
			[3]string{looking, looking, watching},
			"role/iam policy/iam attachment/iam",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{Spec: tc.spec, Observed: map[string]string{}}
			for key, patch := range tc.observed {
				// The document that was asked for.
				w.Observed[key] = object(t, key, append([]string{`{spec: {forProvider: {policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'}}}`}, patches(patch)...)...)
			}
			service := "s3"
			if strings.Contains(tc.spec, "iam") {
				service = "iam"
			}
			var orphans []string
			for i, key := range []string{"role/" + service, "policy/" + service, "attachment/" + service} {
				o := built(t, w, key)
				if got := strings.Join(words(policiesOf(o)), " "); got != tc.want[i] {
					t.Errorf("%s\n%s: want managementPolicies %s, got %s", tc.reason, key, tc.want[i], got)
				}
				if o.String("spec", "deletionPolicy") == string(v1alpha1.DeletionOrphan) {
					orphans = append(orphans, key)
				}
			}
			if got := strings.Join(orphans, " "); got != tc.orphans {
				t.Errorf("%s\nwant %q to stay in AWS, got %q", tc.reason, tc.orphans, got)
			}
		})
	}
}

const wide = `{spec: {managementPolicies: [Observe, Create, Update, Delete]}}`

// patches that were put together.
func patches(s string) []string { return strings.SplitAfter(strings.ReplaceAll(s, "}{", "}\n{"), "\n") }

// built object of a world.
func built(t *testing.T, w world, key string) view.Object {
	t.Helper()
	r := w.resource(t, key)
	if r == nil {
		t.Fatalf("no resource %s", key)
	}
	o, err := r.Build()
	if err != nil {
		t.Fatal(err)
	}
	return view.NewObject(o)
}

func words[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i := range in {
		out[i] = string(in[i])
	}
	return out
}

// TestPreviewIsWide makes sure that a preview shows what providers may do in the end.
func TestPreviewIsWide(t *testing.T) {
	for _, key := range []string{"role/s3", "policy/s3", "attachment/s3"} {
		if got := strings.Join(words(policiesOf(built(t, world{Input: `preview: true`}, key))), " "); got != managing {
			t.Errorf("%s: want managementPolicies %s, got %s", key, managing, got)
		}
	}
}

// TestStrangers covers what is said of what AWS had before, and of what waits for it.
func TestStrangers(t *testing.T) {
	const role = "a role of this name existed before (since 2025-12-31T00:00:00Z). It stays as it is, and is not deleted with this object."
	const roleDo = " To do: to adopt it, set importRole: true for the service, or adoptExisting: true; else use another roleName: remove the service, wait until status.services no longer has it, and add it again with that name"
	const policyDo = " To do: to adopt it, set adoptExisting: true; else use another roleName: remove the service, wait until status.services no longer has it, and add it again with that name"
	const noSuchRole = `{status: {conditions: [{type: Synced, status: "False", reason: ReconcileError, message: "create failed: NoSuchEntity: The role with name crossplane-prod-eu-west-1-s3 cannot be found."}]}}`
	const notThere = `{status: {conditions: [{type: Synced, status: "False", reason: ReconcileError, message: "observe failed: external resource does not exist"}]}}`
	const refused = `{status: {conditions: [{type: Synced, status: "False", reason: ReconcileError, message: "AccessDenied: iam:AttachRolePolicy"}]}}`
	const noRole = `{status: {conditions: [{type: Synced, status: "True"}, {type: LastAsyncOperation, status: "False", message: "InvalidParameterException: Role provided in the request does not exist."}]}}`
	waitRole, waitPolicy := Readiness{Message: "waiting for Role crossplane-prod-eu-west-1-s3"}, Readiness{Message: "waiting for Policy crossplane-prod-eu-west-1-s3"}
	cases := map[string]struct {
		reason, spec string
		observed     map[string]string
		key          string
		want         Readiness
	}{
		"Role": {"A role that was there before is a conflict.", ``, map[string]string{"role/s3": narrow + isOld}, "role/s3", Readiness{Conflict: true, Message: role + roleDo}},
		"RoleLeft": {
			"One of an object of this name is told apart.", ``,
			map[string]string{"role/s3": narrow + isOld + roleTags},
			"role/s3",
			Readiness{Conflict: true, Message: role + " Its tags say that it was made for an earlier Role crossplane-prod-eu-west-1-s3, as of a cluster that was rebuilt, or for one in another cluster." + roleDo},
		},
		"RoleImported": {"Not if it is imported.", `services: [{name: s3, importRole: true}]`, map[string]string{"role/s3": narrow + isOld}, "role/s3", Readiness{Ready: true}},
		"RoleAdopted":  {"Nor if all is.", `adoptExisting: true`, map[string]string{"role/s3": narrow + isOld}, "role/s3", Readiness{Ready: true}},
		"Policy": {
			"Of a policy it is told how it is known.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + otherTags},
			"policy/s3",
			Readiness{Conflict: true, Message: "a policy of this name existed before (without the tags of this object). It stays as it is, and is not deleted with this object." + policyDo},
		},
		"PolicyLeft": {
			"Likewise.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + ownTags + usedTwice},
			"policy/s3",
			Readiness{Conflict: true, Message: "a policy of this name existed before (attached to a role already). It stays as it is, and is not deleted with this object." +
				" Its tags say that it was made for an earlier Policy crossplane-prod-eu-west-1-s3, as of a cluster that was rebuilt, or for one in another cluster." + policyDo},
		},
		"PolicyAdopted": {"Not if it is adopted.", `adoptExisting: true`, map[string]string{"policy/s3": narrow + otherTags}, "policy/s3", Readiness{Ready: true}},

		"NoRole":      {"An attachment is not to blame for its role.", ``, map[string]string{"role/s3": wide + notReady, "policy/s3": wide, "attachment/s3": wide + noSuchRole}, "attachment/s3", waitRole},
		"NoPolicy":    {"Nor for its policy.", ``, map[string]string{"role/s3": wide, "policy/s3": wide + notReady, "attachment/s3": wide + noSuchRole}, "attachment/s3", waitPolicy},
		"Conflict":    {"Nor for a stranger's.", ``, map[string]string{"role/s3": narrow + isOld, "policy/s3": narrow, "attachment/s3": onlyWatch + notThere}, "attachment/s3", waitRole},
		"NotThereYet": {"While it only looks, it is no news that there is nothing yet.", ``, map[string]string{"role/s3": wide, "policy/s3": wide, "attachment/s3": onlyWatch + notThere}, "attachment/s3", Readiness{Message: "being created"}},
		"NotThere": {
			"It is where it may do no more.", `managementPolicies: [Observe]`,
			map[string]string{"role/s3": onlyWatch, "policy/s3": onlyWatch, "attachment/s3": onlyWatch + notThere},
			"attachment/s3",
			Readiness{Failed: true, Message: "observe failed: external resource does not exist"},
		},
		"NoSuchEntity": {
			"With role and policy there, an error is one.", ``,
			map[string]string{"role/s3": wide, "policy/s3": wide, "attachment/s3": wide + noSuchRole},
			"attachment/s3",
			Readiness{Failed: true, Message: "create failed: NoSuchEntity: The role with name crossplane-prod-eu-west-1-s3 cannot be found."},
		},
		"Refused": {"An error of its own is told in any case.", ``, map[string]string{"role/s3": wide + notReady, "attachment/s3": wide + refused}, "attachment/s3", Readiness{Failed: true, Message: "AccessDenied: iam:AttachRolePolicy"}},

		"Association": {"An association is not to blame for its role either.", ``, map[string]string{"role/s3": wide + notReady, "association/s3": wide + noRole}, "association/s3", waitRole},
		"AssociationRole": {
			"With the role there, it is an error.", ``,
			map[string]string{"role/s3": wide, "association/s3": wide + noRole},
			"association/s3",
			Readiness{Failed: true, Message: "InvalidParameterException: Role provided in the request does not exist."},
		},
		"AssociationOwnRole": {
			"So it is with a role of somebody else.", `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/x"}]`,
			map[string]string{"association/s3": wide + noRole},
			"association/s3",
			Readiness{Failed: true, Message: "InvalidParameterException: Role provided in the request does not exist."},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{Spec: tc.spec, Observed: map[string]string{}}
			for key, patch := range tc.observed {
				w.Observed[key] = object(t, key, patches(patch)...)
			}
			c := w.context(t)
			got := w.resource(t, tc.key).Ready(c.View.Observed(tc.key))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nReady(...) of %s: -want, +got:\n%s", tc.reason, tc.key, diff)
			}
		})
	}
}

// TestStrangersKeepProviderBack makes sure that no provider runs as a role that is somebody else's.
func TestStrangersKeepProviderBack(t *testing.T) {
	ready := associationOf("2025-01-01T00:00:00Z")
	wait := func(what string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider provider-aws-s3", Message: "waiting for " + what + " crossplane-prod-eu-west-1-s3, which is not known to be this object's own"}
	}
	testWait(t, map[string]waitCase{
		"Role":    {"The role was there before.", world{Observed: map[string]string{"association/s3": ready, "role/s3": object(t, "role/s3", patches(narrow+isOld)...)}}, "provider/s3", wait("Role")},
		"Policy":  {"The policy was.", world{Observed: map[string]string{"association/s3": ready, "role/s3": object(t, "role/s3"), "policy/s3": object(t, "policy/s3", patches(narrow+otherTags)...)}}, "provider/s3", wait("Policy")},
		"Neither": {"Neither was.", world{Observed: map[string]string{"association/s3": ready, "role/s3": object(t, "role/s3", patches(narrow+isNew)...), "policy/s3": object(t, "policy/s3", narrow)}}, "provider/s3", nil},
		"Adopted": {"Both are taken over on purpose.", world{Spec: `adoptExisting: true`, Observed: map[string]string{
			"association/s3": ready, "role/s3": object(t, "role/s3", patches(narrow+isOld)...), "policy/s3": object(t, "policy/s3", patches(narrow+otherTags)...),
		}}, "provider/s3", nil},
	})
}
