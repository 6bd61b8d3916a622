package resources

import (
	"fmt"
	"regexp"
	"strings"
)

// associationExists finds the id that EKS names when a ServiceAccount has an association already.
var associationExists = regexp.MustCompile(`Association already exists: (a-[a-z0-9]+)`) //nolint:gochecknoglobals // A constant in all but the keyword.

// ToDo begins the advice in a message, after the problem.
const ToDo = "To do: "

// bootstrap stands for the name of the ProviderConfig that the failing resource uses.
const bootstrap = "BOOTSTRAP"

// registries says which versions anyone can pull.
const registries = "anyone can pull from xpkg.upbound.io (main releases of the last 12 months), or set provider.registry: xpkg.crossplane.io/crossplane-contrib, which keeps all versions, for the whole cluster"

// hints for errors, the more special before the more general. The texts are those of the real providers, of AWS, of
// registries, and of Crossplane's package managers.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var hints = []struct {
	pattern *regexp.Regexp
	do      string
}{
	// Packages.
	{regexp.MustCompile(`signature verification failed`), "sign the package, or correct the ImageConfig that asks for its signature: kubectl get imageconfigs.pkg.crossplane.io"},
	{regexp.MustCompile(`pull policy (is )?Never`), "set another provider.packagePullPolicy, or put the package into Crossplane's cache"},
	{regexp.MustCompile(`cannot unpack package.*(pull secret|secrets "[^"]*" not found)`), "create that Secret in Crossplane's namespace, or name another in provider.packagePullSecrets"},
	{regexp.MustCompile(`cannot unpack package.*xpkg\.upbound\.io.*(UNAUTHORIZED|DENIED|_UNKNOWN|40[134]\b|authentication required)`), "choose a version that " + registries + "; or name a Secret of Crossplane's namespace that may pull it in provider.packagePullSecrets"},
	{regexp.MustCompile(`cannot unpack package.*(UNAUTHORIZED|DENIED|40[13]\b|authentication required)`), "name a Secret of Crossplane's namespace that may pull the package in provider.packagePullSecrets"},
	{regexp.MustCompile(`cannot unpack package.*(_UNKNOWN|404\b|not found)`), "check registry, package and version: there is no such package"},
	{regexp.MustCompile(`cannot unpack package.*(TOOMANYREQUESTS|429\b)`), "wait, or pull with credentials (provider.packagePullSecrets): the registry limits the rate of requests"},
	{regexp.MustCompile(`cannot unpack package.*(no such host|timeout|refused|reset|deadline exceeded|x509)`), "let Crossplane reach the registry (DNS, proxy, certificates), or set provider.registry to one that it reaches"},
	{regexp.MustCompile(`incompatible dependencies`), "choose versions that fit together, in provider.version, the service's version, or where the named package is installed"},
	{regexp.MustCompile(`cannot initialize dependency graph.*already exists`), "delete one of the two Providers that install that package: kubectl get providers.pkg.crossplane.io"},
	{regexp.MustCompile(`cannot establish control of object`), "remove one of the two packages that install that kind: kubectl get providers.pkg.crossplane.io"},
	{regexp.MustCompile(`incompatible Crossplane version`), "choose another version or upgrade Crossplane; provider.ignoreCrossplaneConstraints: true installs it anyway"},
	// The EKS add-on.
	{regexp.MustCompile(`Addon already exists`), "set podIdentityAgent.management: None, since the add-on is managed elsewhere"},
	{regexp.MustCompile(`ConfigurationConflict`), "remove the agent that was installed in another way, or set podIdentityAgent.management: None"},
	{regexp.MustCompile(`Addon version specified is not supported`), "choose a podIdentityAgent.version that exists: aws eks describe-addon-versions --addon-name eks-pod-identity-agent"},
	// Identity.
	{regexp.MustCompile(`PackedPolicyTooLarge`), "make the session smaller: set disableSessionTags: true for the association behind ProviderConfig " + bootstrap + " (spec.providerConfigRef)"},
	{regexp.MustCompile(`explicit deny`), "lift that deny for the identity behind ProviderConfig " + bootstrap + " (spec.providerConfigRef): it is in one of its policies, its boundary or the organisation's"},
	{regexp.MustCompile(`not authorized to perform: sts:TagSession`), "allow sts:TagSession in the trust policy of the role that ProviderConfig " + bootstrap + " (spec.providerConfigRef) leads to, in a statement without sts:ExternalId, and in the policies of the identity that assumes it"},
	{regexp.MustCompile(`not authorized to perform: sts:AssumeRole`), "let the role that ProviderConfig " + bootstrap + " (spec.providerConfigRef) leads to trust the identity in this message, with the external ID that the ProviderConfig has, and allow that identity sts:AssumeRole on the role"},
	{regexp.MustCompile(`AccessDenied|not authorized to perform|UnauthorizedOperation`), "allow that action for the identity behind ProviderConfig " + bootstrap + " (spec.providerConfigRef)"},
	{regexp.MustCompile(`cannot get referenced ProviderConfig`), "create ProviderConfig " + bootstrap + " with credentials for IAM and EKS, or name another in spec.providerConfigRef"},
	{
		regexp.MustCompile(`cannot get aws config|cannot retrieve the AWS credentials|cannot get account id|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|Signature expired`),
		"check the credentials of ProviderConfig " + bootstrap + " (spec.providerConfigRef)",
	},
	{regexp.MustCompile(`ExpiredToken`), "wait: a session ended before the work did, and the next one continues it; if this persists, check the credentials of ProviderConfig " + bootstrap + " (spec.providerConfigRef)"},
	// AWS.
	{regexp.MustCompile(`Throttl|Rate exceeded|RequestLimitExceeded|TooManyRequests|SlowDown|retry quota exceeded`), "wait: AWS limits the rate of requests, and the provider tries again"},
	{regexp.MustCompile(`LimitExceeded|QuotaExceeded`), "raise the quota in AWS, or delete what is not needed"},
	{regexp.MustCompile(`No cluster found`), "check spec.clusterName and spec.region"},
	{regexp.MustCompile(`EntityAlreadyExists`), "choose another role.namePrefix, or roleName for the service; importRole: true adopts a role that exists"},
	{regexp.MustCompile(`DeleteConflict`), "detach in IAM what others attached to it"},
	{regexp.MustCompile(`MalformedPolicyDocument`), "correct what makes that policy: the service's permissions, or role.trustConditions"},
	{regexp.MustCompile(`Role provided in the request does not exist`), "wait if the role is being created; else name one of the cluster's account in roleArn"},
	{regexp.MustCompile(`Trust policy of the role provided is invalid|(cannot|could not) be assumed`), "let the role's trust policy allow sts:AssumeRole and sts:TagSession for pods.eks.amazonaws.com"},
	{regexp.MustCompile(`NoSuchEntity`), "check managedPolicyArns, roleName and role.permissionsBoundary: it does not exist in AWS"},
	{regexp.MustCompile(`require resource replacement`), "set the changed field back: AWS cannot change it"},
	{regexp.MustCompile(`InvalidParameter|InvalidInput|ValidationError|ValidationException`), "correct the value that AWS names"},
	{regexp.MustCompile(`no such host|i/o timeout|connection refused|connection reset|TLS handshake timeout`), "let the provider reach AWS (DNS, NAT or VPC endpoints, proxy)"},
}

// Hint says what to do about an error; empty if that is not known. It takes the name of the ProviderConfig that the failing resource
// uses.
func Hint(message, providerConfig string) string {
	if m := associationExists.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("to adopt that association, set adoptExistingAssociation: true or associationId: %s for the service, or adoptExisting: true for everything of this object that AWS has; or delete it in EKS", m[1])
	}
	for _, h := range hints {
		if h.pattern.MatchString(message) {
			return strings.ReplaceAll(h.do, bootstrap, providerConfig)
		}
	}
	return ""
}

// telling is where the part of an error ends that the hint depends on; 0 if there is no hint.
func telling(message string) int {
	if m := associationExists.FindStringIndex(message); m != nil {
		return m[1]
	}
	for _, h := range hints {
		if m := h.pattern.FindStringIndex(message); m != nil {
			return m[1]
		}
	}
	return 0
}
