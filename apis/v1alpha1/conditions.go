package v1alpha1

// A ConditionType is a type of condition that the function sets on the composite resource and on its claim. Every one that
// applies is set on every reconcile.
type ConditionType string

// The conditions, in the order in which they become true.
const (
	// ConditionPrerequisitesReady says whether everything that must exist beforehand does: valid input, the kinds of
	// provider-aws-iam and provider-aws-eks, the EKS cluster that the spec refers to.
	ConditionPrerequisitesReady ConditionType = "PrerequisitesReady"

	// ConditionIdentityReady says whether the IAM roles, policies and attachments and the Pod Identity associations are ready.
	ConditionIdentityReady ConditionType = "IdentityReady"

	// ConditionProvidersReady says whether the provider packages are installed and healthy in the wanted version.
	ConditionProvidersReady ConditionType = "ProvidersReady"

	// ConditionProviderConfigReady says whether the ProviderConfig exists.
	ConditionProviderConfigReady ConditionType = "ProviderConfigReady"

	// ConditionTeardownProtected says whether Usages hold back what users still need when the composite resource is deleted.
	// Only with teardown: Ordered.
	ConditionTeardownProtected ConditionType = "TeardownProtected"
)

// A Reason says why a condition has its status.
type Reason string

// The reasons.
const (
	// ReasonReady: everything that the condition covers is ready.
	ReasonReady Reason = "Ready"

	// ReasonAssumed: prerequisites are assumed to exist (Input prerequisites: Assume), not proven.
	ReasonAssumed Reason = "Assumed"

	// ReasonPreview: nothing is waited for, because the Input asks for a preview.
	ReasonPreview Reason = "Preview"

	// ReasonInvalidSpec: the composite resource or the Input is not valid; the message lists everything that is wrong.
	ReasonInvalidSpec Reason = "InvalidSpec"

	// ReasonMissing: something that must exist beforehand does not; the message says what and what brings it.
	ReasonMissing Reason = "Missing"

	// ReasonWaiting: nothing is wrong, but something that comes earlier is not ready yet.
	ReasonWaiting Reason = "Waiting"

	// ReasonCreating: the objects exist, but are not all ready yet.
	ReasonCreating Reason = "Creating"

	// ReasonFailed: an object reports an error, which the message quotes.
	ReasonFailed Reason = "Failed"

	// ReasonConflict: somebody else owns an object that is needed; the message names it and the ways out.
	ReasonConflict Reason = "Conflict"

	// ReasonUnprotected: no Usages are composed; deleting the composite resource deletes everything at once.
	ReasonUnprotected Reason = "Unprotected"
)
