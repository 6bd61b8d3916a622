package resources

import (
	"strings"
	"testing"
)

// These are messages of the real providers, apart from request IDs.
const (
	accessDenied   = `create failed: async create failed: failed to create the resource: [{0 creating IAM Role (ad1): operation error IAM: CreateRole, https response error StatusCode: 403, RequestID: 9f1bb5c7-0ad4-4f43-8a0f-3a4ff0c7d6a1, api error AccessDenied: User: arn:aws:iam::123456789012:user/fake is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/ad1 because no identity-based policy allows the iam:CreateRole action  []}]`
	accessDenied2  = `create failed: async create failed: failed to create the resource: [{0 creating IAM Role (ad1): operation error IAM: CreateRole, https response error StatusCode: 403, RequestID: 00000000-1111-2222-3333-444444444444, api error AccessDenied: User: arn:aws:iam::123456789012:user/fake is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/ad1 because no identity-based policy allows the iam:CreateRole action  []}]`
	readDenied     = `observe failed: failed to observe the resource: [{0 reading IAM Role (rd1): operation error IAM: GetRole, https response error StatusCode: 403, RequestID: 9f1bb5c7, api error AccessDenied: User: arn:aws:iam::123456789012:user/fake is not authorized to perform: iam:GetRole  []}]`
	exists409      = `create failed: async create failed: resource creation call returned error diags: creating EKS Pod Identity Association: operation error EKS: CreatePodIdentityAssociation, https response error StatusCode: 409, RequestID: 9f1bb5c7, ResourceInUseException: Association already exists: a-f5l66irh2krd4aef7`
	noCluster      = `create failed: async create failed: resource creation call returned error diags: creating EKS Pod Identity Association: operation error EKS: CreatePodIdentityAssociation, https response error StatusCode: 404, RequestID: 9f1bb5c7, ResourceNotFoundException: No cluster found for name: nocluster.`
	noRole         = `async create failed: resource creation call returned error diags: creating EKS Pod Identity Association: operation error EKS: CreatePodIdentityAssociation, https response error StatusCode: 400, RequestID: 9f1bb5c7, InvalidParameterException: Role provided in the request does not exist.`
	deleteConflict = `delete failed: async delete failed: failed to delete the resource: [{0 deleting IAM Policy (arn:aws:iam::123456789012:policy/p1): operation error IAM: DeletePolicy, https response error StatusCode: 409, RequestID: 9f1bb5c7, DeleteConflict: Cannot delete a policy attached to entities.  []}]`
	replacement    = `update failed: async update failed: diff contains fields that require resource replacement: diff contains fields that require resource replacement: AttributeName("service_account"), `
	unresolved     = `cannot resolve references: mg.Spec.ForProvider.RoleArn: referenced field was empty (referenced resource may not yet be ready)`

	connect          = `connect failed: cannot initialize the Terraform plugin SDK async external client: cannot get terraform setup: `
	noConfig         = connect + `cannot get referenced ProviderConfig: ProviderConfig.aws.upbound.io "absent" not found`
	noSecret         = connect + `cannot get aws config: cannot get credentials: cannot get credentials secret: Secret "absent" not found`
	badToken         = connect + `cannot get account id: cannot get the caller identity: GetCallerIdentity query failed: GetCallerIdentity query failed: operation error STS: GetCallerIdentity, https response error StatusCode: 403, RequestID: 9f1bb5c7, api error InvalidClientTokenId: The security token included in the request is invalid.`
	noAssociation    = connect + `cache manager failure: cannot retrieve the AWS credentials: failed to refresh cached credentials, failed to load credentials, : No pod identity association found for crossplane-system/provider-aws-iam-bdde57f8e2c2`
	startedTooEarly  = connect + `cache manager failure: cannot retrieve the AWS credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, access disabled to EC2 IMDS via client option, or "AWS_EC2_METADATA_DISABLED" environment variable`
	quotedDenied     = `create failed: async create failed: failed to create the resource: [{0 creating IAM Role (ad1): operation error IAM: CreateRole, https response error StatusCode: 403, api error AccessDenied: User: arn:aws:iam::123456789012:user/fake is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/ad1 because no identity-based policy allows the iam:CreateRole action []}]`
	quotedNoRole     = `async create failed: resource creation call returned error diags: creating EKS Pod Identity Association: operation error EKS: CreatePodIdentityAssociation, https response error StatusCode: 400, InvalidParameterException: Role provided in the request does not exist.`
	quotedConflict   = `delete failed: async delete failed: failed to delete the resource: [{0 deleting IAM Policy (arn:aws:iam::123456789012:policy/p1): operation error IAM: DeletePolicy, https response error StatusCode: 409, DeleteConflict: Cannot delete a policy attached to entities. []}]`
	quotedNoConfig   = noConfig
	quotedDeniedRead = `observe failed: failed to observe the resource: [{0 reading IAM Role (rd1): operation error IAM: GetRole, https response error StatusCode: 403, api error AccessDenied: User: arn:aws:iam::123456789012:user/fake is not authorized to perform: iam:GetRole []}]`
)

// condition returns a condition of a status, in YAML.
func condition(typ, status, reason, message string) string {
	return `{type: ` + typ + `, status: "` + status + `", reason: ` + reason + `, message: '` + strings.ReplaceAll(message, "'", "''") + `'}`
}

func TestManagedResource(t *testing.T) {
	synced, available := condition("Synced", "True", "ReconcileSuccess", ""), condition("Ready", "True", "Available", "")
	creating := condition("Ready", "False", "Creating", "")
	denied := condition("Synced", "False", "ReconcileError", accessDenied)
	asyncDone := condition("LastAsyncOperation", "True", "Success", "")
	cases := map[string]struct {
		reason     string
		metadata   string
		conditions []string
		want       Readiness
	}{
		"New":       {"An object without conditions is being created.", ``, nil, Readiness{Message: "being created"}},
		"Ready":     {"An object that is Ready and Synced is ready,", ``, []string{synced, available}, Readiness{Ready: true}},
		"Async":     {"also after an asynchronous operation.", ``, []string{synced, available, asyncDone}, Readiness{Ready: true}},
		"Creating":  {"An object that is only Synced is not.", ``, []string{synced, creating}, Readiness{Message: "being created"}},
		"OnlyReady": {"Neither is one that is only Ready: the condition may be outdated.", ``, []string{available}, Readiness{Message: "being created"}},
		"Unknown":   {"Unknown does not count as ready.", ``, []string{synced, condition("Ready", "Unknown", "X", "")}, Readiness{Message: "being created"}},
		"NotReady":  {"The reason for not being ready is reported.", ``, []string{synced, condition("Ready", "False", "Unavailable", "still pending")}, Readiness{Message: "not ready: still pending"}},
		"Denied":    {"An error is quoted without its request ID.", ``, []string{creating, denied}, Readiness{Failed: true, Message: quotedDenied}},
		"Denied2":   {"Another attempt is quoted in the same way.", ``, []string{creating, condition("Synced", "False", "ReconcileError", accessDenied2)}, Readiness{Failed: true, Message: quotedDenied}},
		"ReadyButDenied": {
			"A resource that was ready before, but cannot be synced, has failed.", ``,
			[]string{available, denied},
			Readiness{Failed: true, Message: quotedDenied},
		},
		"ReadDenied": {
			"An error on reading sets no other conditions.", ``,
			[]string{condition("Synced", "False", "ReconcileError", readDenied)},
			Readiness{Failed: true, Message: quotedDeniedRead},
		},
		"NoConfig": {
			"Neither does an error with the credentials.", ``,
			[]string{available, condition("Synced", "False", "ReconcileError", noConfig)},
			Readiness{Failed: true, Message: quotedNoConfig},
		},
		"AsyncFailed": {
			"An asynchronous operation may fail while Synced stays True.", ``,
			[]string{synced, creating, condition("LastAsyncOperation", "False", "AsyncCreateFailure", noRole)},
			Readiness{Failed: true, Message: quotedNoRole},
		},
		"BothFailed": {
			"Of two errors, that of Synced is reported, because it is newer.", ``,
			[]string{condition("LastAsyncOperation", "False", "AsyncCreateFailure", noRole), denied, creating},
			Readiness{Failed: true, Message: quotedDenied},
		},
		"NoMessage": {"An error without a message counts, and has a reason.", ``, []string{condition("Synced", "False", "ReconcileError", "")}, Readiness{Failed: true, Message: "Synced is False (ReconcileError), without a message. See why: kubectl describe role.iam.aws.upbound.io a"}},
		"AsyncNoMessage": {
			"So does a failed operation without a message.", ``,
			[]string{synced, condition("LastAsyncOperation", "False", "AsyncCreateFailure", "")},
			Readiness{Failed: true, Message: "LastAsyncOperation is False (AsyncCreateFailure), without a message. See why: kubectl describe role.iam.aws.upbound.io a"},
		},
		"NoReason": {
			"Without a reason, the message refers to the object.", ``,
			[]string{condition("Synced", "False", `""`, "")},
			Readiness{Failed: true, Message: "Synced is False (no reason), without a message. See why: kubectl describe role.iam.aws.upbound.io a"},
		},
		"Paused": {
			"A paused resource has not failed, but a user must act.", `annotations: {crossplane.io/paused: "true"}`,
			[]string{condition("Synced", "False", "ReconcilePaused", ""), available},
			Readiness{ActionRequired: true, Message: "is paused, so Crossplane does not change it. To do: kubectl annotate role.iam.aws.upbound.io a crossplane.io/paused-"},
		},
		"JustPaused": {
			"The annotation counts before the provider has noticed it.", `annotations: {crossplane.io/paused: "true"}`,
			[]string{synced, available},
			Readiness{ActionRequired: true, Message: "is paused, so Crossplane does not change it. To do: kubectl annotate role.iam.aws.upbound.io a crossplane.io/paused-"},
		},
		"NotPaused": {"Another value does not pause anything.", `annotations: {crossplane.io/paused: "false"}`, []string{synced, available}, Readiness{Ready: true}},
		"StillPaused": {
			"The provider's condition counts until it changes.", ``,
			[]string{condition("Synced", "False", "ReconcilePaused", ""), available},
			Readiness{ActionRequired: true, Message: "is paused, so Crossplane does not change it. To do: kubectl annotate role.iam.aws.upbound.io a crossplane.io/paused-"},
		},
		"Unresolved": {
			"A reference that cannot be resolved yet is normal at first.", ``,
			[]string{condition("Synced", "False", "ReconcileError", unresolved)},
			Readiness{Message: "being created"},
		},
		"UnresolvedAndFailed": {
			"It must not hide a failed operation.", ``,
			[]string{condition("Synced", "False", "ReconcileError", unresolved), condition("LastAsyncOperation", "False", "AsyncCreateFailure", noRole)},
			Readiness{Failed: true, Message: quotedNoRole},
		},
		"Deleted": {"A resource that is being deleted is not ready, and nothing else matters.", `deletionTimestamp: "2026-01-01T00:00:00Z"`, []string{synced, available}, Readiness{Message: "being deleted"}},
		"DeletedAndFailed": {
			"An error that blocks the deletion is quoted.", `deletionTimestamp: "2026-01-01T00:00:00Z"`,
			[]string{condition("Synced", "False", "ReconcileError", deleteConflict)},
			Readiness{Failed: true, Message: "being deleted: " + quotedConflict},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := observed(t, `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: a, `+tc.metadata+`}, status: {conditions: [`+strings.Join(tc.conditions, ", ")+`]}}`)
			if got := managedResource(o); got != tc.want {
				t.Errorf("%s\nmanagedResource(...):\nwant %+v\ngot  %+v", tc.reason, tc.want, got)
			}
		})
	}
}

func TestExists(t *testing.T) {
	if got := exists(observed(t, `{metadata: {name: a}}`)); got != (Readiness{Ready: true}) {
		t.Errorf("exists(...) of an object: got %+v", got)
	}
	if got := exists(observed(t, `{metadata: {name: a, deletionTimestamp: "2026-01-01T00:00:00Z"}}`)); got != (Readiness{Message: "being deleted"}) {
		t.Errorf("exists(...) of an object that is being deleted: got %+v", got)
	}
}

func TestPackageReady(t *testing.T) {
	const source = "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"
	installed, healthy := condition("Installed", "True", "ActivePackageRevision", ""), condition("Healthy", "True", "HealthyPackageRevision", "")
	const current = `currentIdentifier: "` + source + `"`
	cases := map[string]struct {
		reason     string
		metadata   string
		conditions []string
		status     string
		want       Readiness
	}{
		"New":   {"A Provider without conditions is being installed.", ``, nil, ``, Readiness{Message: "being installed"}},
		"Ready": {"A Provider that is installed and healthy with the desired version is ready.", ``, []string{installed, healthy}, current, Readiness{Ready: true}},
		"NoPods": {
			"As of v2.4, Crossplane runs no pod for a provider without active kinds, and reports it healthy.", ``,
			[]string{installed, condition("Healthy", "True", "AwaitingActivation", "Package runtime is scaled to zero; awaiting the first ManagedResourceDefinition to be activated")},
			current,
			Readiness{ActionRequired: true, Message: "has no pods, because none of its kinds is active. To do: name those that you use in a ManagedResourceActivationPolicy, as manifests/activation-policy.yaml does"},
		},
		"OldVersion": {"The conditions may still belong to the previous version.", ``, []string{installed, healthy}, `currentIdentifier: "xpkg.upbound.io/upbound/provider-aws-s3:v2.4.0"`, Readiness{Message: "at xpkg.upbound.io/upbound/provider-aws-s3:v2.4.0, changing to " + source}},
		"Unpacking":  {"Installed: False without a message means that the installation is in progress.", ``, []string{condition("Installed", "False", "UnpackingPackage", "")}, ``, Readiness{Message: "being installed"}},
		"Unknown":    {"So is Unknown.", ``, []string{condition("Installed", "Unknown", "X", "later"), healthy}, current, Readiness{Message: "being installed"}},
		"CannotUnpack": {
			"An error is quoted without the parts that change on every attempt.", ``,
			[]string{condition("Installed", "False", "UnpackingPackage", "cannot unpack package: failed to fetch package digest from remote: GET https://xpkg.upbound.io/v2/upbound/provider-aws-s3/manifests/v2.5.0: MANIFEST_UNKNOWN at 2026-01-02T03:04:05.678Z")},
			``,
			Readiness{Failed: true, Message: "not installed: cannot unpack package: failed to fetch package digest from remote: GET https://xpkg.upbound.io/v2/upbound/provider-aws-s3/manifests/v2.5.0: MANIFEST_UNKNOWN at <time>"},
		},
		"Inactive": {
			"For a revision that waits for a user, the message says what to do.", ``,
			[]string{condition("Installed", "False", "InactivePackageRevision", "Package is inactive"), healthy},
			`currentRevision: provider-aws-s3-8a1c52cb60ad`,
			Readiness{ActionRequired: true, Message: `revision provider-aws-s3-8a1c52cb60ad is not active (revisionActivationPolicy: Manual), and no other runs. To do: kubectl patch providerrevision.pkg.crossplane.io provider-aws-s3-8a1c52cb60ad --type merge -p '{"spec":{"desiredState":"Active"}}'`},
		},
		"Paused": {
			"A paused package makes no progress, even if it was healthy before: a user must act.", `annotations: {crossplane.io/paused: "true"}`,
			[]string{installed, healthy},
			current,
			Readiness{ActionRequired: true, Message: "is paused, so Crossplane does not change it. To do: kubectl annotate provider.pkg.crossplane.io a crossplane.io/paused-"},
		},
		"PausedCondition": {
			"Its condition says so, too.", ``,
			[]string{installed, healthy, condition("Synced", "False", "ReconcilePaused", "")},
			current,
			Readiness{ActionRequired: true, Message: "is paused, so Crossplane does not change it. To do: kubectl annotate provider.pkg.crossplane.io a crossplane.io/paused-"},
		},
		"NotPaused": {"Any other value of the annotation does not pause.", `annotations: {crossplane.io/paused: "false"}`, []string{installed, healthy}, current, Readiness{Ready: true}},
		"Starting":  {"Healthy: False without a message means that the start is in progress.", ``, []string{installed, condition("Healthy", "False", "UnhealthyPackageRevision", "")}, current, Readiness{Message: "not healthy yet"}},
		"NoHealth":  {"So does a missing condition.", ``, []string{installed}, current, Readiness{Message: "not healthy yet"}},
		"Unhealthy": {
			"An error is quoted.", ``,
			[]string{installed, condition("Healthy", "False", "UnhealthyPackageRevision", `Package revision health is "False" with message: incompatible Crossplane version: package is not compatible with Crossplane version (v1.11.0)`)},
			current,
			Readiness{Failed: true, Message: `not healthy: Package revision health is "False" with message: incompatible Crossplane version: package is not compatible with Crossplane version (v1.11.0)`},
		},
		"UnhealthyV1": {
			"In Crossplane v1, the health may be unknown because of an error.", ``,
			[]string{installed, condition("Healthy", "Unknown", "UnknownPackageRevisionHealth", "cannot resolve package dependencies: cannot initialize dependency graph from the packages in the lock: node xpkg.upbound.io/upbound/provider-aws-s3 already exists")},
			current,
			Readiness{Failed: true, Message: "not healthy: cannot resolve package dependencies: cannot initialize dependency graph from the packages in the lock: node xpkg.upbound.io/upbound/provider-aws-s3 already exists"},
		},
		"Pods": {
			"Pods that are not ready are normal at first. No other message says why they stay that way.", ``,
			[]string{installed, condition("Healthy", "False", "UnhealthyPackageRevision", `Package runtime health is "False" with message: post establish runtime hook failed for package: provider package deployment is unavailable with message: Deployment does not have minimum availability.`)},
			current + `, currentRevision: provider-aws-s3-8a1c52cb60ad`,
			Readiness{Message: "its pods are not ready. If that lasts, see why: kubectl describe pods -n crossplane-system -l pkg.crossplane.io/revision=provider-aws-s3-8a1c52cb60ad"},
		},
		"NoCertificate": {
			"Crossplane creates the certificate a moment later: this is no conflict of two packages, although the message begins like one.", ``,
			[]string{installed, condition("Healthy", "False", "UnhealthyPackageRevision", `Package revision health is "False" with message: cannot establish control of object: cannot get webhook tls secret: secrets "provider-aws-s3-tls-server" not found`)},
			current,
			Readiness{Message: `not healthy yet: Package revision health is "False" with message: cannot establish control of object: cannot get webhook tls secret: secrets "provider-aws-s3-tls-server" not found`},
		},
		"Dependencies": {
			"Dependencies that are not installed yet are normal at first, too.", ``,
			[]string{installed, condition("Healthy", "Unknown", "UnknownPackageRevisionHealth", `cannot resolve package dependencies: missing dependencies: "xpkg.upbound.io/upbound/provider-family-aws" (>= 0.0.0)`)},
			current,
			Readiness{Message: `not healthy yet: cannot resolve package dependencies: missing dependencies: "xpkg.upbound.io/upbound/provider-family-aws" (>= 0.0.0). If that lasts, see why: kubectl describe lock.pkg.crossplane.io lock`},
		},
		"V1Unpacking":  {"Messages of the package manager about normal progress are no errors.", ``, []string{condition("Installed", "False", "UnpackingPackage", "Waiting for unpack to complete")}, ``, Readiness{Message: "not installed yet"}},
		"V1Deployment": {"", ``, []string{installed, condition("Healthy", "False", "UnhealthyPackageRevision", `post establish runtime hook failed for package: provider package deployment has no condition of type "Available" yet`)}, current, Readiness{Message: "not healthy yet"}},
		"V2Revision":   {"", ``, []string{installed, condition("Healthy", "False", "UnhealthyPackageRevision", `Package revision health is ""`)}, current, Readiness{Message: "not healthy yet"}},
		"V2Runtime":    {"", ``, []string{installed, condition("Healthy", "False", "UnhealthyPackageRevision", `Package runtime health is "False" with message: Package revision is not healthy yet`)}, current, Readiness{Message: "not healthy yet"}},
		"Deleted":      {"A Provider that is being deleted is not ready.", `deletionTimestamp: "2026-01-01T00:00:00Z"`, []string{installed, healthy}, current, Readiness{Message: "being deleted"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := observed(t, `{metadata: {name: a, `+tc.metadata+`}, status: {conditions: [`+strings.Join(tc.conditions, ", ")+`], `+tc.status+`}}`)
			if got := (world{}).context(t).packageReady(source)(o); got != tc.want {
				t.Errorf("%s\npackageReady(...):\nwant %+v\ngot  %+v", tc.reason, tc.want, got)
			}
		})
	}
}
