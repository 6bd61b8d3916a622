package resources

import (
	"fmt"
	"regexp"
	"strings"
)

// associationExists finds the id that EKS names when a ServiceAccount has an association already.
var associationExists = regexp.MustCompile(`Association already exists: (a-[a-z0-9]+)`) //nolint:gochecknoglobals // A constant in all but the keyword.

// Hint says what to do about a provider's error; empty if nobody knows. Bootstrap is the ProviderConfig that the failing
// resource uses. The texts are those of the real providers and of AWS.
func Hint(message, bootstrap string) string {
	switch {
	case associationExists.MatchString(message):
		return fmt.Sprintf("to take that association over, set adoptExistingAssociation: true or associationId: %s for the service; or delete it in EKS", associationExists.FindStringSubmatch(message)[1])
	case strings.Contains(message, "AccessDenied"), strings.Contains(message, "not authorized to perform"):
		return fmt.Sprintf("allow that action to the identity behind ProviderConfig %s (spec.providerConfigRef)", bootstrap)
	case strings.Contains(message, "cannot get referenced ProviderConfig"):
		return fmt.Sprintf("create ProviderConfig %s with credentials for IAM and EKS, or name another in spec.providerConfigRef", bootstrap)
	case strings.Contains(message, "cannot get aws config"), strings.Contains(message, "cannot retrieve the AWS credentials"), strings.Contains(message, "cannot get account id"):
		return fmt.Sprintf("check the credentials of ProviderConfig %s (spec.providerConfigRef)", bootstrap)
	case strings.Contains(message, "No cluster found"):
		return "check spec.clusterName and spec.region"
	case strings.Contains(message, "LimitExceeded"):
		return "raise the quota in AWS, or delete what is not needed"
	case strings.Contains(message, "require resource replacement"):
		return "set the changed field back: AWS cannot change it"
	}
	return ""
}
