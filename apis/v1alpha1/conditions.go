package v1alpha1

// A ConditionType is a type of condition that the function sets on the composite resource and on its claim. Every one that
// applies is set on every reconcile. The comments below are docs/conditions.md: a paragraph that begins with "To do:" says
// what to do.
type ConditionType string

// The conditions, in the order in which they become true.
const (
	// ConditionPrerequisitesReady says whether everything that must exist beforehand does: valid input, the kinds of
	// provider-aws-iam and provider-aws-eks, the EKS cluster that the spec refers to.
	//
	// To do: see the reason. All else waits for it, and what exists already stays as it is.
	ConditionPrerequisitesReady ConditionType = "PrerequisitesReady"

	// ConditionIdentityReady says whether the IAM roles, policies and attachments and the Pod Identity associations are ready.
	//
	// To do: see the reason. An error of AWS here is about the identity of provider-aws-iam and provider-aws-eks, the one
	// behind spec.providerConfigRef.
	ConditionIdentityReady ConditionType = "IdentityReady"

	// ConditionProvidersReady says whether the provider packages are installed and healthy in the wanted version, and those that
	// somebody else installs run as the associated ServiceAccounts.
	//
	// To do: see the reason, and kubectl describe of the Provider and its ProviderRevision.
	ConditionProvidersReady ConditionType = "ProvidersReady"

	// ConditionProviderConfigReady says whether the ProviderConfig exists, and its namespaced kinds where they are asked for.
	//
	// To do: see the reason.
	ConditionProviderConfigReady ConditionType = "ProviderConfigReady"

	// ConditionTeardownProtected says whether Usages hold back what users still need when the composite resource is deleted.
	// Usages come once everything else is ready: nothing of a user depends on a service before its provider works. Only with
	// teardown: Ordered.
	//
	// To do: wait; before it is True, delete nothing. If it stays False, see the reason.
	ConditionTeardownProtected ConditionType = "TeardownProtected"

	// ConditionCredentialsInjected says whether EKS injected credentials into the pods of every provider that is verified. Only
	// with runtime.verifyCredentials.
	//
	// To do: see the reason. What it says is missing is missing in the pods; what the role may do is another matter.
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
	// To do: nothing, as long as provider-aws-iam and provider-aws-eks are always there.
	ReasonAssumed Reason = "Assumed"

	// ReasonPreview: nothing is waited for, because the Input asks for a preview.
	//
	// To do: nothing. It is only seen in a local render.
	ReasonPreview Reason = "Preview"

	// ReasonInvalidSpec: the composite resource or the Input is not valid, or breaks a guardrail; the message lists
	// everything that is wrong, by field. Nothing changes until you correct it: what exists stays. A raw template of a runtime
	// concerns only the services that use it: the others go on.
	//
	// To do: correct every field in the message. For a guardrail, ask the platform team.
	ReasonInvalidSpec Reason = "InvalidSpec"

	// ReasonMissing: something that must exist beforehand does not; the message says what and what brings it.
	//
	// To do: install or create what the message names. It is noticed by itself.
	ReasonMissing Reason = "Missing"

	// ReasonWaiting: nothing is wrong, but something that comes earlier is not ready yet.
	//
	// To do: wait. If it lasts for minutes, see the condition of what comes earlier.
	ReasonWaiting Reason = "Waiting"

	// ReasonCreating: the objects exist, but are not all ready yet.
	//
	// To do: wait; seconds for AWS, a minute or two for a package. If it lasts, kubectl describe what the message names.
	ReasonCreating Reason = "Creating"

	// ReasonFailed: an object reports an error, which the message quotes, or is not as it must be.
	//
	// To do: what the message says at its end. It is tried again by itself.
	ReasonFailed Reason = "Failed"

	// ReasonConflict: somebody else owns an object that is needed; the message names it and the ways out. It is left alone.
	//
	// To do: one of the ways out: mostly management: Observe, or another name.
	ReasonConflict Reason = "Conflict"

	// ReasonActionRequired: nothing is wrong, and nothing goes on until a person acts: something is paused, or a package revision
	// waits to be activated. The message names the object and the command.
	//
	// To do: what the message says at its end.
	ReasonActionRequired Reason = "ActionRequired"

	// ReasonRemoving: the spec wants something no more. It leaves after what needs it; the message says what holds it. What was made
	// under another name waits for it. What cannot be looked up counts as needed.
	//
	// To do: delete the managed resources that the message names, or put the service back; else wait.
	ReasonRemoving Reason = "Removing"

	// ReasonUnordered: teardown is Unordered, so nothing is held back from deletion any more. Only where the condition was there
	// before.
	//
	// To do: nothing, if that is meant. If not, set teardown: Ordered.
	ReasonUnordered Reason = "Unordered"
)
