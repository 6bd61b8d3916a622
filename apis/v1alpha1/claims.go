package v1alpha1

import "slices"

// A Decision says whether a claim may set some fields of a spec, and why. Every field that a claim or a composite resource can
// set needs one: a test compares them with the Go types. A field without a decision is refused in claims.
//
// +kubebuilder:object:generate=false
type Decision struct {
	// Fields are paths below spec. [] follows the name of a list of objects.
	Fields []string
	// Kind of composite resource that the decision is about; empty if it is the same for all that have the fields.
	Kind string
	// Claims may set the fields.
	Claims bool
	// Named says that claims.allowedFields opens the fields only by a path that names them, and not by a pattern such as *.
	Named bool
	// Gain is what an adversary who files claims would gain by the fields.
	Gain string
	// Stop is what stops that, besides the refusal of fields that claims may not set.
	Stop string
}

// Decisions lists the decisions for the specs of both kinds. docs/claims.md shows them.
//
// A claim may set fields that describe its team's own identity. Fields that concern existing objects, running code, or other owners
// belong to the platform team: it sets defaults, or opens fields with claims.allowedFields.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var Decisions = []Decision{
	{
		Fields: []string{"region", "clusterName", "clusterNameRef.name", "clusterNameSelector.matchLabels", "clusterNameSelector.matchControllerRef"},
		Kind:   Kind,
		Claims: true,
		Gain:   "An identity in a cluster or region that the team should not use.",
		Stop:   "`allowedRegions` and `allowedClusters`. Both are immutable.",
	},
	{
		Fields: []string{"accountId"},
		Kind:   Kind,
		Claims: true,
		Gain:   "Nothing: it only makes the trust policy narrower. With the account of another team the provider gets no credentials.",
		Stop:   "It only adds conditions to the trust policy.",
	},
	{
		Fields: []string{"providerRef.name"},
		Kind:   TenantKind,
		Claims: true,
		Gain:   "Providers of a host that the team should not use.",
		Stop:   "`allowedProviders`, and the host's `sharing.namespaces`. It is immutable.",
	},
	{
		Fields: []string{"services[].name"},
		Kind:   Kind,
		Claims: true,
		Gain:   "A provider, with its CRDs, that the team should not have, or one that another team needs: a service has one identity in a cluster.",
		Stop:   "`allowedServices`. A second claim gets phase Conflict, and changes nothing.",
	},
	{
		Fields: []string{"services[].name"},
		Kind:   TenantKind,
		Claims: true,
		Gain:   "A service that the team should not use.",
		Stop:   "`allowedServices`, and what the host shares.",
	},
	{
		Fields: []string{
			"services[].permissions.accessLevel", "services[].permissions.kinds", "services[].permissions.policyDocument",
			"services[].permissions.statements[].sid", "services[].permissions.statements[].effect",
			"services[].permissions.statements[].actions", "services[].permissions.statements[].notActions",
			"services[].permissions.statements[].resources", "services[].permissions.statements[].notResources",
			"services[].permissions.statements[].conditions",
		},
		Claims: true,
		Gain:   "A role that may do more in AWS than the team should; and, with a PodIdentityProvider, on behalf of everyone who uses the provider.",
		Stop:   "`deniedActions`, `requiredKinds`, `requiredPermissionsBoundary`, `forbidCustomPermissions`; in AWS the boundary.",
	},
	{
		Fields: []string{"services[].permissions.managedPolicyArns"},
		Claims: true,
		Gain:   "The permissions of any policy of the account, AdministratorAccess included.",
		Stop:   "`allowedManagedPolicyArns`, `requiredPermissionsBoundary`, `forbidCustomPermissions`; in AWS the boundary.",
	},
	{
		Fields: []string{"role.permissionsBoundary"},
		Claims: true,
		Gain:   "A wider boundary, or none.",
		Stop:   "`requiredPermissionsBoundary`.",
	},
	{
		Fields: []string{"role.description", "role.maxSessionDuration"},
		Claims: true,
		Gain:   "Sessions of up to 12 hours, which outlive a revocation.",
		Stop:   "Only the provider gets them: EKS renews its sessions as long as the association exists, and for a tenant's role providers ask for 15 minutes.",
	},
	{
		Fields: []string{"tags"},
		Claims: true,
		Gain:   "Tags that policies or bills of others look at.",
		Stop:   "`requiredTags`. Keys of AWS, of EKS's session tags and of the provider are always refused.",
	},
	{
		Fields: []string{"deletionPolicy"},
		Claims: true,
		Gain:   "A role and policies that outlive the claim.",
		Stop:   "They keep the boundary, and a trust policy that names one ServiceAccount or, of a tenant, an external ID that no provider sends any longer.",
	},

	{
		Fields: []string{"crossplaneNamespace", "services[].serviceAccountName"},
		Kind:   Kind,
		Gain:   "A role for the team's own pods, for the pods of another team, or for those of kube-system.",
		Stop:   "`allowedServiceAccounts`, `protectedServiceAccounts`. The ServiceAccounts of Crossplane, and of provider-aws-iam and provider-aws-eks, are always refused.",
	},
	{
		Fields: []string{"services[].associationId", "services[].adoptExistingAssociation"},
		Kind:   Kind,
		Gain:   "The association of another workload: it would get the team's role, and would be deleted with the claim.",
	},
	{
		Fields: []string{"services[].adoptExistingProvider"},
		Kind:   Kind,
		Gain:   "The provider that the platform team installed, for all users of the cluster: it would get the team's role, and would be deleted with the claim, with its kinds.",
	},
	{
		Fields: []string{"services[].roleArn", "services[].roleName", "services[].importRole"},
		Kind:   Kind,
		Gain:   "Control over an existing role, with all its permissions.",
		Stop:   "`forbidBringYourOwnRole`, `deniedActions`, `requiredPermissionsBoundary`.",
	},
	{
		Fields: []string{"roleArn", "externalId"},
		Kind:   TenantKind,
		Gain:   "A role of another team, if its external ID is known.",
		Stop:   "The role's path must have the claim's namespace; `forbidBringYourOwnRole`.",
	},
	{
		Fields: []string{"adoptExisting"},
		Kind:   Kind,
		Gain:   "Control over existing roles, policies and associations of the same names: those of another cluster of the same name, for example.",
	},
	{
		Fields: []string{"role.namePrefix", "role.path"},
		Kind:   Kind,
		Gain:   "The name of a role or policy that another owner will need, or that policies elsewhere trust. One that exists is reported, and not adopted.",
	},
	{
		Fields: []string{"role.trustConditions", "services[].disableSessionTags"},
		Kind:   Kind,
		Gain:   "A trust policy that no caller can meet, or that has fewer conditions.",
		Stop:   "Conditions are added to the generated ones, and replace none.",
	},
	{
		Fields: []string{"role.separateServices"},
		Kind:   TenantKind,
		Gain:   "A role with which every shared provider can use the rights that are meant for one.",
	},
	{
		Fields: []string{"services[].targetRoleArn"},
		Kind:   Kind,
		Gain:   "The permissions of another role that trusts the account.",
		Stop:   "`allowedTargetAccounts`, and `deniedActions` with sts:AssumeRole.",
	},
	{
		Fields: []string{
			"providerConfig.assumeRoleChain[].roleARN", "providerConfig.assumeRoleChain[].externalID",
			"providerConfig.assumeRoleChain[].tags[].key", "providerConfig.assumeRoleChain[].tags[].value", "providerConfig.assumeRoleChain[].transitiveTagKeys",
		},
		Gain: "The permissions of another role that trusts the account, and session tags of the adversary's choice there.",
		Stop: "`allowedTargetAccounts`, and `deniedActions` with sts:AssumeRole.",
	},
	{
		Fields: []string{"services[].package", "services[].version", "provider.registry", "provider.version"},
		Kind:   Kind,
		Gain:   "Code of the adversary's choice that runs with the role, or an old version of CRDs that everyone uses.",
		Stop:   "`allowedRegistries`, `allowedServices`.",
	},
	{
		Fields: []string{"services[].management", "provider.family"},
		Kind:   Kind,
		Gain:   "A provider of another owner that gets the team's role, or the removal of CRDs that others use.",
	},
	{
		Fields: []string{
			"provider.packagePullPolicy", "provider.packagePullSecrets[].name", "provider.revisionActivationPolicy", "provider.revisionHistoryLimit",
			"provider.skipDependencyResolution", "provider.ignoreCrossplaneConstraints", "provider.commonLabels",
		},
		Kind: Kind,
		Gain: "Pulls with secrets of Crossplane's namespace, packages that Crossplane itself would refuse, labels that admission policies look at.",
	},
	{
		Fields: ofRuntime("env", "args"),
		Kind:   Kind,
		Gain:   "Any Secret of Crossplane's namespace in the provider's environment, keys that take precedence over the role, a proxy that sees every request.",
	},
	{
		Fields: ofRuntime("podLabels", "podAnnotations"),
		Kind:   Kind,
		Gain:   "A pod that receives the requests of Crossplane's own Services, or that gets no credentials.",
	},
	{
		Fields: ofRuntime("replicas", "nodeSelector", "tolerations", "affinity", "resources", "priorityClassName"),
		Kind:   Kind,
		Gain:   "A provider that does not run, or that takes the place of others, for everyone who uses the service.",
	},
	{
		Fields: ofRuntime("deploymentTemplate", "serviceAccountTemplate"),
		Kind:   Kind,
		Gain:   "Any image, sidecar or mount, with the role and next to Crossplane; another role by annotation.",
		Stop:   "`forbidRuntimeTemplates`.",
	},
	{
		Fields: ofRuntime("verifyCredentials", "associationSettleSeconds"),
		Kind:   Kind,
		Gain:   "A provider that starts before its credentials do, and restarts of its pods.",
	},
	{
		Fields: []string{"providerConfig.name"},
		Gain:   "The name that everyone uses by default, or that another team's claim will need.",
	},
	{
		Fields: []string{"providerConfig.clusterProviderConfig", "providerConfig.namespaces"},
		Kind:   Kind,
		Gain:   "A ProviderConfig for every namespace, or in another team's namespace.",
	},
	{
		Fields: []string{"providerConfigRef.name"},
		Gain:   "A stronger identity for the IAM and EKS resources themselves, or another account.",
	},
	{
		Fields: []string{"managementPolicies"},
		Gain:   "Roles that never get the boundary or the policies that guardrails ask for.",
	},
	{
		Fields: []string{"teardown"},
		Kind:   Kind,
		Gain:   "CRDs, and all managed resources of a service, that are deleted with the claim while others use them.",
	},
	{
		Fields: []string{"teardown"},
		Kind:   TenantKind,
		Gain:   "A role that is deleted while managed resources of the team still need it.",
	},
	{
		Fields: []string{"sharing.rolePath", "sharing.accounts", "sharing.namespaces"},
		Kind:   Kind,
		Named:  true,
		Gain:   "Providers that may assume the roles of other teams: a tenant trusts its host.",
		Stop:   "The external ID of each tenant's role. A pattern such as `*` does not open it: `claims.allowedFields` must name it.",
	},
	{
		Fields: []string{"podIdentityAgent.management", "podIdentityAgent.version"},
		Kind:   Kind,
		Gain:   "The add-on that gives credentials to every pod of the cluster.",
	},
}

// DecisionsFor returns the decisions for the spec of one kind.
func DecisionsFor(kind string) []Decision {
	return slices.DeleteFunc(slices.Clone(Decisions), func(d Decision) bool { return d.Kind != "" && d.Kind != kind })
}

// ofRuntime returns the paths of runtime fields: those for all services, and those for one.
func ofRuntime(fields ...string) []string {
	var out []string
	for _, f := range fields {
		out = append(out, "runtime."+f, "services[].runtime."+f)
	}
	return out
}
