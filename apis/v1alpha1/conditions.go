package v1alpha1

// A ConditionType is a type of condition that the function sets on the composite resource and on its claim. Every one that
// applies is set on every reconcile. The comments below are docs/conditions.md: a paragraph that begins with "To do:" says
// what to do.
type ConditionType string

// The conditions, in the order in which they become true.
const (
	// ConditionPrerequisitesReady says whether all prerequisites exist: valid input, the kinds of
	// provider-aws-iam and provider-aws-eks, and the EKS cluster that the spec refers to.
	//
	// To do: see the reason. New resources wait for it. Existing ones stay as they are.
	ConditionPrerequisitesReady ConditionType = "PrerequisitesReady"

	// ConditionIdentityReady says whether the IAM roles, policies and attachments and the Pod Identity associations are ready.
	//
	// To do: see the reason. An error of AWS is about the identity of provider-aws-iam and provider-aws-eks, which is the one
	// behind spec.providerConfigRef.
	ConditionIdentityReady ConditionType = "IdentityReady"

	// ConditionProvidersReady says whether the provider packages are installed and healthy in the desired version, and whether those
	// with management: Observe run as the associated ServiceAccounts.
	//
	// To do: see the reason, and kubectl describe of the Provider and its ProviderRevision.
	ConditionProvidersReady ConditionType = "ProvidersReady"

	// ConditionProviderConfigReady says whether the ProviderConfig exists, and its namespaced kinds if you ask for them.
	//
	// To do: see the reason.
	ConditionProviderConfigReady ConditionType = "ProviderConfigReady"

	// ConditionTeardownProtected says whether Usages block the deletion of resources that managed resources still need. Those of a
	// service are created as soon as its provider's package is installed, before the provider manages anything. Only with teardown:
	// Ordered.
	//
	// To do: wait, and do not delete anything until this is True. If it stays False, see the reason.
	ConditionTeardownProtected ConditionType = "TeardownProtected"

	// ConditionCredentialsInjected says whether EKS injected credentials into the pods of every provider that is verified. Only
	// with runtime.verifyCredentials.
	//
	// To do: see the reason. It is about the pods, not about the permissions of the role.
	ConditionCredentialsInjected ConditionType = "CredentialsInjected"
)

// A Reason says why a condition has its status.
type Reason string

// The reasons.
const (
	// ReasonReady: everything that the condition covers is ready.
	//
	// To do: nothing.
	ReasonReady Reason = "Ready"

	// ReasonAssumed: prerequisites are assumed to exist (Input prerequisites: Assume), not proven.
	//
	// To do: nothing, as long as provider-aws-iam and provider-aws-eks are always installed.
	ReasonAssumed Reason = "Assumed"

	// ReasonPreview: nothing is waited for, because the Input asks for a preview.
	//
	// To do: nothing. It is only seen in a local render.
	ReasonPreview Reason = "Preview"

	// ReasonInvalidSpec: the composite resource or the Input is not valid, or breaks a guardrail. The message lists every error, by
	// field. No changes are made until you fix it, and existing resources keep working. An error in a raw template of a runtime
	// affects only the services that use it.
	//
	// To do: fix every field in the message. For a guardrail, ask the platform team.
	ReasonInvalidSpec Reason = "InvalidSpec"

	// ReasonMissing: something that must exist first is missing. The message says what, and how to get it.
	//
	// To do: install or create what the message names. The function notices it without another change.
	ReasonMissing Reason = "Missing"

	// ReasonWaiting: nothing is wrong, but something earlier in the order is not ready yet.
	//
	// To do: wait. If it takes minutes, look at the conditions that come earlier: PrerequisitesReady, IdentityReady, ProvidersReady.
	ReasonWaiting Reason = "Waiting"

	// ReasonCreating: the objects are created, but not all of them are ready yet.
	//
	// To do: wait, for seconds (AWS) or a minute or two (a package). If it takes longer, kubectl describe what the message names.
	ReasonCreating Reason = "Creating"

	// ReasonFailed: an object reports an error, which the message quotes, or is not in the required state.
	//
	// To do: do what the end of the message says. Providers try again without another change.
	ReasonFailed Reason = "Failed"

	// ReasonConflict: an object that is needed belongs to another owner, and is left alone. The message names it, and your options.
	//
	// To do: choose one of the options, mostly management: Observe or another name.
	ReasonConflict Reason = "Conflict"

	// ReasonActionRequired: nothing is wrong, but a person has to act: something is paused, or a package revision waits for its
	// activation. The message names the object and the command.
	//
	// To do: do what the end of the message says.
	ReasonActionRequired Reason = "ActionRequired"

	// ReasonRemoving: a service was removed from the spec, or got another name. Its resources are deleted in order, after everything
	// that needs them. The message says what they wait for. What cannot be looked up counts as needed.
	//
	// To do: delete the managed resources that the message names, or put the service back. Otherwise wait.
	ReasonRemoving Reason = "Removing"

	// ReasonUnordered: teardown is Unordered, so nothing blocks a deletion. The condition is only set if it was set before.
	//
	// To do: nothing, if you want that. Otherwise set teardown: Ordered.
	ReasonUnordered Reason = "Unordered"

	// ReasonUnverified: the pods are not checked, because runtime.verifyCredentials is off. The condition is only set if it was set before.
	//
	// To do: nothing, if you want that. Otherwise set runtime.verifyCredentials: true.
	ReasonUnverified Reason = "Unverified"
)
