package resources

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// These are the actions of a provider, in terms of managementPolicies.
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

// TestLookFirst covers the actions of providers on a role, its policy and its attachment: they observe first, and change nothing that
// existed before.
func TestLookFirst(t *testing.T) {
	cases := map[string]struct {
		reason, spec string
		observed     map[string]string
		// want lists the actions on role, policy and attachment.
		want [3]string
		// orphans lists the resources that stay in AWS when the object is deleted.
		orphans string
	}{
		"First": {
			"Existing resources are observed, and missing ones created. Nothing is attached to a role that may belong to another owner.", ``, nil,
			[3]string{looking, looking, watching},
			"",
		},
		"Observe":   {"A provider that may only observe does not create.", `managementPolicies: [Observe]`, nil, [3]string{watching, watching, watching}, ""},
		"NoCreate":  {"Neither does one that may do anything else.", `managementPolicies: [Observe, Update]`, nil, [3]string{watching, watching, watching}, ""},
		"All":       {"A provider that may do everything still observes first.", `managementPolicies: ["*"]`, nil, [3]string{looking, looking, watching}, ""},
		"Import":    {"An imported role is adopted on purpose. A policy is not.", `services: [{name: s3, importRole: true}]`, nil, [3]string{managing, looking, watching}, ""},
		"Adopt":     {"With adoptExisting, all resources of the object are adopted,", `adoptExisting: true`, nil, [3]string{managing, managing, managing}, ""},
		"AdoptRead": {"within the actions that providers may take.", `{adoptExisting: true, managementPolicies: [Observe, Create]}`, nil, [3]string{looking, looking, looking}, ""},
		"Pending": {
			"While the owner is unknown, nothing more is allowed.", ``,
			map[string]string{"role/s3": narrow + notReady, "policy/s3": narrow + notReady, "attachment/s3": onlyWatch + notReady},
			[3]string{looking, looking, watching},
			"",
		},
		"Created": {
			"A resource that the provider created is the object's own.", ``,
			map[string]string{"role/s3": narrow + notReady + isCreated, "policy/s3": narrow + notReady + isCreated, "attachment/s3": onlyWatch + notReady},
			[3]string{managing, managing, managing},
			"",
		},
		"Creating": {
			"So is one that it is about to create: no resource had the name.", ``,
			map[string]string{"role/s3": narrow + notReady + isCreating, "policy/s3": narrow + notReady + isCreating, "attachment/s3": onlyWatch + notReady},
			[3]string{managing, managing, managing},
			"",
		},
		"Ready": {
			"So is one that is ready, if nothing indicates another owner.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow, "attachment/s3": onlyWatch},
			[3]string{managing, managing, managing},
			"",
		},
		"New": {
			"The same applies with evidence for it.", ``,
			map[string]string{"role/s3": narrow + isNew, "policy/s3": narrow + ownTags, "attachment/s3": onlyWatch},
			[3]string{managing, managing, managing},
			"",
		},
		"PolicyPending": {
			"A policy is attached only once it is known, too.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + notReady, "attachment/s3": onlyWatch},
			[3]string{managing, looking, watching},
			"",
		},
		"Decided": {
			"An earlier decision stands, regardless of the current state,", ``,
			map[string]string{"role/s3": wide + notReady, "policy/s3": wide + notReady + otherTags, "attachment/s3": wide + notReady},
			[3]string{managing, managing, managing},
			"",
		},
		"DecidedNoUpdate": {
			"also if providers may not change anything.", `managementPolicies: [Observe, Create, Delete]`,
			map[string]string{"role/s3": `{spec: {managementPolicies: [Observe, Create, Delete]}}` + notReady, "policy/s3": narrow + notReady},
			[3]string{"Observe Create Delete", looking, watching},
			"",
		},
		"Before": {
			"An object from before this mechanism has all actions already.", ``,
			map[string]string{"role/s3": `{spec: {managementPolicies: ["*"]}}`, "policy/s3": `{spec: {managementPolicies: ["*"]}}`, "attachment/s3": `{spec: {managementPolicies: ["*"]}}`},
			[3]string{managing, managing, managing},
			"",
		},
		"OldRole": {
			"A role that is older than its managed resource belongs to another owner,", ``,
			map[string]string{"role/s3": narrow + isOld, "policy/s3": narrow, "attachment/s3": onlyWatch},
			[3]string{looking, managing, watching},
			"role/s3",
		},
		"OldRoleTaken": {
			"also if an earlier version adopted it,", ``,
			map[string]string{"role/s3": wide + isOld, "policy/s3": wide, "attachment/s3": wide},
			[3]string{looking, managing, managing},
			"role/s3",
		},
		"OldRoleImported": {
			"unless it is imported on purpose.", `services: [{name: s3, importRole: true}]`,
			map[string]string{"role/s3": narrow + isOld, "policy/s3": narrow, "attachment/s3": onlyWatch},
			[3]string{managing, managing, managing},
			"",
		},
		"Restored": {
			"A managed resource from a backup is younger than the role that was created for it.", ``,
			map[string]string{"role/s3": narrow + isOld + `{metadata: {annotations: {crossplane.io/external-create-succeeded: "2025-12-31T00:00:02Z"}}}`, "policy/s3": narrow + isCreated},
			[3]string{managing, managing, managing},
			"",
		},
		"OtherDocument": {
			"A policy with permissions other than the desired ones existed before.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + `{status: {atProvider: {policy: '{"Statement":[]}'}}}`, "attachment/s3": onlyWatch},
			[3]string{managing, looking, watching},
			"policy/s3",
		},
		"OtherWords": {
			"AWS may return the same permissions in another form.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + `{status: {atProvider: {policy: '{"Statement":{"Action":["s3:*"],"Effect":"Allow","Resource":["*"]},"Version":"2012-10-17"}'}}}`, "attachment/s3": onlyWatch},
			[3]string{managing, managing, managing},
			"",
		},
		"OtherTags": {
			"A policy without the provider's tags existed before.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + otherTags, "attachment/s3": onlyWatch},
			[3]string{managing, looking, watching},
			"policy/s3",
		},
		"Attached": {
			"So did one that is attached before the composed attachment exists.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + usedTwice, "attachment/s3": onlyWatch + notReady},
			[3]string{managing, looking, watching},
			"policy/s3",
		},
		"AttachedByUs": {
			"The composed attachment may exist by now.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + usedTwice, "attachment/s3": onlyWatch},
			[3]string{managing, managing, managing},
			"",
		},
		"CreatedAll": {
			"None of this matters if the provider created the resource,", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + usedTwice + otherTags + isCreated, "attachment/s3": onlyWatch + notReady},
			[3]string{managing, managing, managing},
			"",
		},
		"AdoptedPolicy": {
			"or if it is adopted on purpose.", `adoptExisting: true`,
			map[string]string{"role/s3": narrow + isOld, "policy/s3": narrow + usedTwice + otherTags, "attachment/s3": onlyWatch + notReady},
			[3]string{managing, managing, managing},
			"",
		},
		"Bootstrap": {
			"The identities of the IAM and EKS providers are never deleted.", `services: [{name: iam, management: Observe}]`, nil,
			[3]string{looking, looking, watching},
			"role/iam policy/iam attachment/iam",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{Spec: tc.spec, Observed: map[string]string{}}
			for key, patch := range tc.observed {
				// This is the desired document.
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

// patches splits patches that are joined in one string.
func patches(s string) []string { return strings.SplitAfter(strings.ReplaceAll(s, "}{", "}\n{"), "\n") }

// built returns a built object of a world.
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

// TestPreviewIsWide checks that a preview shows the final actions of providers.
func TestPreviewIsWide(t *testing.T) {
	for _, key := range []string{"role/s3", "policy/s3", "attachment/s3"} {
		if got := strings.Join(words(policiesOf(built(t, world{Input: `preview: true`}, key))), " "); got != managing {
			t.Errorf("%s: want managementPolicies %s, got %s", key, managing, got)
		}
	}
}

// TestStrangers covers the messages for resources that existed in AWS before, and for resources that wait for them.
func TestStrangers(t *testing.T) {
	const role = "a role of this name existed before (since 2025-12-31T00:00:00Z). It stays as it is, and is not deleted with this object."
	const roleDo = " To do: to adopt it, set importRole: true for the service, or adoptExisting: true; else use another roleName: remove the service, wait until status.services no longer has it, and add it again with that name"
	const policyDo = " To do: to adopt it, set adoptExisting: true; else use another roleName: remove the service, wait until status.services no longer has it, and add it again with that name"
	const noSuchRole = `{status: {conditions: [{type: Synced, status: "False", reason: ReconcileError, message: "create failed: NoSuchEntity: The role with name crossplane-prod-eu-west-1-s3 cannot be found."}]}}`
	const notThere = `{status: {conditions: [{type: Synced, status: "False", reason: ReconcileError, message: "observe failed: external resource does not exist"}]}}`
	const refused = `{status: {conditions: [{type: Synced, status: "False", reason: ReconcileError, message: "AccessDenied: iam:AttachRolePolicy"}]}}`
	const noRole = `{status: {conditions: [{type: Synced, status: "True"}, {type: LastAsyncOperation, status: "False", message: "InvalidParameterException: Role provided in the request does not exist."}]}}`
	waitRole, waitPolicy := Readiness{Message: "waiting for Role crossplane-prod-eu-west-1-s3"}, Readiness{Message: "waiting for Policy crossplane-prod-eu-west-1-s3"}
	inCreation := Readiness{Message: "being created"}
	cases := map[string]struct {
		reason, spec string
		observed     map[string]string
		key          string
		want         Readiness
	}{
		"Role": {"A role that existed before is a conflict.", ``, map[string]string{"role/s3": narrow + isOld}, "role/s3", Readiness{Conflict: true, Message: role + roleDo}},
		"RoleLeft": {
			"A role with this name that was created for another object is reported as such.", ``,
			map[string]string{"role/s3": narrow + isOld + roleTags},
			"role/s3",
			Readiness{Conflict: true, Message: role + " Its tags say that it was made for an earlier Role crossplane-prod-eu-west-1-s3, as of a cluster that was rebuilt, or for one in another cluster." + roleDo},
		},
		"RoleImported": {"An imported role is no conflict.", `services: [{name: s3, importRole: true}]`, map[string]string{"role/s3": narrow + isOld}, "role/s3", Readiness{Ready: true}},
		"RoleAdopted":  {"Neither is an adopted one.", `adoptExisting: true`, map[string]string{"role/s3": narrow + isOld}, "role/s3", Readiness{Ready: true}},
		"Policy": {
			"The message for a policy says how it was recognized.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + otherTags},
			"policy/s3",
			Readiness{Conflict: true, Message: "a policy of this name existed before (without the tags of this object). It stays as it is, and is not deleted with this object." + policyDo},
		},
		"PolicyLeft": {
			"The same applies to another kind of evidence.", ``,
			map[string]string{"role/s3": narrow, "policy/s3": narrow + ownTags + usedTwice},
			"policy/s3",
			Readiness{Conflict: true, Message: "a policy of this name existed before (attached to a role already). It stays as it is, and is not deleted with this object." +
				" Its tags say that it was made for an earlier Policy crossplane-prod-eu-west-1-s3, as of a cluster that was rebuilt, or for one in another cluster." + policyDo},
		},
		"PolicyAdopted": {"An adopted policy is no conflict.", `adoptExisting: true`, map[string]string{"policy/s3": narrow + otherTags}, "policy/s3", Readiness{Ready: true}},

		"NoRole":       {"An attachment is not blamed for a role that is being created,", ``, map[string]string{"role/s3": wide + notReady, "policy/s3": wide, "attachment/s3": wide + noSuchRole}, "attachment/s3", inCreation},
		"NoPolicy":     {"nor for such a policy.", ``, map[string]string{"role/s3": wide, "policy/s3": wide + notReady, "attachment/s3": wide + noSuchRole}, "attachment/s3", inCreation},
		"RoleFailed":   {"It waits for a role that failed,", ``, map[string]string{"role/s3": wide + refused, "policy/s3": wide, "attachment/s3": wide + noSuchRole}, "attachment/s3", waitRole},
		"RoleUntried":  {"also before the provider tried to attach the policy,", ``, map[string]string{"role/s3": wide + refused, "policy/s3": wide, "attachment/s3": wide + notReady}, "attachment/s3", waitRole},
		"PolicyFailed": {"for a policy that failed,", ``, map[string]string{"role/s3": wide, "policy/s3": wide + refused, "attachment/s3": wide + noSuchRole}, "attachment/s3", waitPolicy},
		"Conflict":     {"or for a role of another owner.", ``, map[string]string{"role/s3": narrow + isOld, "policy/s3": narrow, "attachment/s3": onlyWatch + notThere}, "attachment/s3", waitRole},
		"NotThereYet":  {"While it only observes, a missing attachment is normal.", ``, map[string]string{"role/s3": wide, "policy/s3": wide, "attachment/s3": onlyWatch + notThere}, "attachment/s3", inCreation},
		"NotThere": {
			"It is an error if the provider may do no more.", `managementPolicies: [Observe]`,
			map[string]string{"role/s3": onlyWatch, "policy/s3": onlyWatch, "attachment/s3": onlyWatch + notThere},
			"attachment/s3",
			Readiness{Failed: true, Message: "observe failed: external resource does not exist"},
		},
		"NoSuchEntity": {
			"If role and policy exist, the error counts.", ``,
			map[string]string{"role/s3": wide, "policy/s3": wide, "attachment/s3": wide + noSuchRole},
			"attachment/s3",
			Readiness{Failed: true, Message: "create failed: NoSuchEntity: The role with name crossplane-prod-eu-west-1-s3 cannot be found."},
		},
		"Refused": {"The attachment's own error is always reported.", ``, map[string]string{"role/s3": wide + notReady, "attachment/s3": wide + refused}, "attachment/s3", Readiness{Failed: true, Message: "AccessDenied: iam:AttachRolePolicy"}},

		"Association":           {"An association is not blamed for its role, either.", ``, map[string]string{"role/s3": wide + notReady, "association/s3": wide + noRole}, "association/s3", inCreation},
		"AssociationRoleFailed": {"It waits for a role that failed.", ``, map[string]string{"role/s3": wide + refused, "association/s3": wide + noRole}, "association/s3", waitRole},
		"AssociationRole": {
			"If the role exists, the error counts.", ``,
			map[string]string{"role/s3": wide, "association/s3": wide + noRole},
			"association/s3",
			Readiness{Failed: true, Message: "InvalidParameterException: Role provided in the request does not exist."},
		},
		"AssociationOwnRole": {
			"It also counts with an existing role.", `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/x"}]`,
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

// TestStrangersKeepProviderBack checks that no provider runs with a role of another owner.
func TestStrangersKeepProviderBack(t *testing.T) {
	ready := associationOf("2025-01-01T00:00:00Z")
	wait := func(what string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonWaiting, Subject: "Provider provider-aws-s3", Message: "waiting for " + what + " crossplane-prod-eu-west-1-s3, which is not known to be this object's own"}
	}
	testWait(t, map[string]waitCase{
		"Role":    {"The role existed before.", world{Observed: map[string]string{"association/s3": ready, "role/s3": object(t, "role/s3", patches(narrow+isOld)...)}}, "provider/s3", wait("Role")},
		"Policy":  {"The policy existed before.", world{Observed: map[string]string{"association/s3": ready, "role/s3": object(t, "role/s3"), "policy/s3": object(t, "policy/s3", patches(narrow+otherTags)...)}}, "provider/s3", wait("Policy")},
		"Neither": {"Neither existed before.", world{Observed: map[string]string{"association/s3": ready, "role/s3": object(t, "role/s3", patches(narrow+isNew)...), "policy/s3": object(t, "policy/s3", narrow)}}, "provider/s3", nil},
		"Adopted": {"Both are adopted on purpose.", world{Spec: `adoptExisting: true`, Observed: map[string]string{
			"association/s3": ready, "role/s3": object(t, "role/s3", patches(narrow+isOld)...), "policy/s3": object(t, "policy/s3", patches(narrow+otherTags)...),
		}}, "provider/s3", nil},
	})
}
