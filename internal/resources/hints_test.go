package resources

import "testing"

func TestHint(t *testing.T) {
	const (
		allow       = "allow that action for the identity behind ProviderConfig boot (spec.providerConfigRef)"
		aws         = "operation error X: Y, https response error StatusCode: 400, RequestID: R, "
		assumes     = "cannot get aws config: operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: R, api error AccessDenied: User: arn:aws:sts::111122223333:assumed-role/iam/eks-prod-provider is not authorized to perform: "
		pull        = "cannot unpack package: failed to fetch package digest from remote: GET https://xpkg.upbound.io/v2/upbound/provider-aws-s3/manifests/v2.5.0: "
		mirror      = "cannot unpack package: failed to fetch package digest from remote: GET https://registry.example.org/v2/mirror/provider-aws-s3/manifests/v2.5.0: "
		pullUpbound = "choose a version that anyone can pull from xpkg.upbound.io (main releases of the last 12 months), or set provider.registry: xpkg.crossplane.io/crossplane-contrib, which keeps all versions, for the whole cluster; " +
			"or name a Secret of Crossplane's namespace that may pull it in provider.packagePullSecrets"
		pullSecret  = "name a Secret of Crossplane's namespace that may pull the package in provider.packagePullSecrets"
		throttled   = "wait: AWS limits the rate of requests, and the provider tries again"
		credentials = "check the credentials of ProviderConfig boot (spec.providerConfigRef)"
	)
	cases := map[string]struct {
		reason, message, want string
	}{
		"Denied":     {"The hint is to allow a missing action for the bootstrap identity,", accessDenied, allow},
		"ReadDenied": {"also for reading.", readDenied, allow},
		"EKSDenied": {
			"EKS has another message.",
			`creating EKS Pod Identity Association: operation error EKS: CreatePodIdentityAssociation, https response error StatusCode: 403, RequestID: R, api error AccessDeniedException: User: x`, allow,
		},
		"Exists":        {"An existing association can be imported by the ID in EKS's message.", exists409, "to adopt that association, set adoptExistingAssociation: true or associationId: a-f5l66irh2krd4aef7 for the service, or adoptExisting: true for everything of this object that AWS has; or delete it in EKS"},
		"NoCluster":     {"A missing cluster is a mistake in the spec.", noCluster, "check spec.clusterName and spec.region"},
		"Replacement":   {"A field that AWS cannot change must be changed back.", replacement, "set the changed field back: AWS cannot change it"},
		"NoConfig":      {"A missing ProviderConfig must be created.", noConfig, "create ProviderConfig boot with credentials for IAM and EKS, or name another in spec.providerConfigRef"},
		"NoSecret":      {"Credentials that cannot be loaded must be checked.", noSecret, credentials},
		"BadToken":      {"So must credentials that AWS refuses,", badToken, credentials},
		"NoAssociation": {"those from an association,", noAssociation, credentials},
		"TooEarly":      {"and those that a pod never got.", startedTooEarly, credentials},
		"Quota":         {"A quota can be raised.", `operation error IAM: CreateRole, https response error StatusCode: 409, RequestID: R, LimitExceeded: Cannot exceed quota for RolesPerAccount: 1000`, "raise the quota in AWS, or delete what is not needed"},
		"NoRole":        {"A missing role may still be created.", noRole, "wait if the role is being created; else name one of the cluster's account in roleArn"},
		"Trust":         {"A role may not trust pods.", aws + "InvalidParameterException: Trust policy of the role provided is invalid. Follow the official documentation to resolve the issue.", "let the role's trust policy allow sts:AssumeRole and sts:TagSession for pods.eks.amazonaws.com"},
		"Parameter":     {"AWS names any other value that it refuses.", aws + "InvalidParameterException: x is too long", "correct the value that AWS names"},
		"Deny": {
			"A denied action cannot be allowed.",
			aws + "api error AccessDenied: User: u is not authorized to perform: iam:CreateRole on resource: r with an explicit deny in a service control policy",
			"lift that deny for the identity behind ProviderConfig boot (spec.providerConfigRef): it is in one of its policies, its boundary or the organisation's",
		},
		"Throttled":  {"A quota of requests is not a quota of roles.", aws + "api error RequestLimitExceeded: Request limit exceeded.", throttled},
		"Throttled2": {"AWS has several messages for it.", aws + "api error Throttling: Rate exceeded", throttled},
		"Packed":     {"Session tags may be too long.", aws + "api error PackedPolicyTooLarge: x", "make the session smaller: set disableSessionTags: true for the association behind ProviderConfig boot (spec.providerConfigRef)"},
		"Existing":   {"Another name can be chosen.", aws + "EntityAlreadyExists: Role with name r already exists.", "choose another role.namePrefix, or roleName for the service; importRole: true adopts a role that exists"},
		"NoSuch":     {"The spec names an object that does not exist.", aws + "NoSuchEntity: Policy arn:aws:iam::aws:policy/x does not exist or is not attachable.", "check managedPolicyArns, roleName and role.permissionsBoundary: it does not exist in AWS"},
		"Malformed":  {"The spec defines the policy, too.", aws + `MalformedPolicyDocument: Invalid principal in policy: "AWS":"x"`, "correct what makes that policy: the service's permissions, or role.trustConditions"},
		"Attached":   {"Other attachments belong to other owners.", deleteConflict, "detach in IAM what others attached to it"},
		"Expired":    {"A session of an assumed role ends after 15 minutes.", aws + "api error ExpiredToken: The security token included in the request is expired", "wait: a session ended before the work did, and the next one continues it; if this persists, check the credentials of ProviderConfig boot (spec.providerConfigRef)"},
		"NoTrust": {
			"A role in another account, or of another team, may not trust the provider.", assumes + "sts:AssumeRole on resource: arn:aws:iam::222233334444:role/bootstrap",
			"let the role that ProviderConfig boot (spec.providerConfigRef) leads to trust the identity in this message, with the external ID that the ProviderConfig has, and allow that identity sts:AssumeRole on the role",
		},
		"NoTags": {
			"EKS's tags require another permission.", assumes + "sts:TagSession on resource: arn:aws:iam::222233334444:role/bootstrap",
			"allow sts:TagSession in the trust policy of the role that ProviderConfig boot (spec.providerConfigRef) leads to, in a statement without sts:ExternalId, and in the policies of the identity that assumes it",
		},
		"Network":      {"AWS may be unreachable.", "operation error IAM: GetRole, exceeded maximum number of attempts, 3, https response error StatusCode: 0, RequestID: , request send failed, Get \"x\": dial tcp: lookup iam.amazonaws.com on 10.96.0.10:53: no such host", "let the provider reach AWS (DNS, NAT or VPC endpoints, proxy)"},
		"Addon":        {"An add-on of another owner stays with that owner.", aws + "ResourceInUseException: Addon already exists.", "set podIdentityAgent.management: None, since the add-on is managed elsewhere"},
		"AddonHelm":    {"So does an agent without an add-on.", "unexpected state 'CREATE_FAILED', wanted target 'ACTIVE'. last error: : ConfigurationConflict: Conflicts found when trying to apply.", "remove the agent that was installed in another way, or set podIdentityAgent.management: None"},
		"AddonVersion": {"EKS lists the versions.", aws + "InvalidParameterException: Addon version specified is not supported", "choose a podIdentityAgent.version that exists: aws eks describe-addon-versions --addon-name eks-pod-identity-agent"},

		"PullDenied":    {"A registry may require credentials,", mirror + "UNAUTHORIZED: authentication required", pullSecret},
		"PullDenied2":   {"with a generic message.", mirror + "unexpected status code 403 Forbidden", pullSecret},
		"PullSecret":    {"The referenced Secret may not exist.", `cannot unpack package: cannot get image pull secret from config: secrets "registry" not found`, "create that Secret in Crossplane's namespace, or name another in provider.packagePullSecrets"},
		"PullUpbound":   {"Upbound's registry requires credentials for versions older than a year,", pull + "DENIED: subscription required", pullUpbound},
		"PullUpbound2":  {"or does not list them.", pull + "MANIFEST_UNKNOWN: manifest unknown", pullUpbound},
		"PullUnknown":   {"The version may not exist.", mirror + "MANIFEST_UNKNOWN: manifest unknown", "check registry, package and version: there is no such package"},
		"PullLimit":     {"A registry may limit requests.", pull + "TOOMANYREQUESTS: rate exceeded", "wait, or pull with credentials (provider.packagePullSecrets): the registry limits the rate of requests"},
		"PullNetwork":   {"A registry may be unreachable.", pull + "dial tcp: lookup xpkg.upbound.io: no such host", "let Crossplane reach the registry (DNS, proxy, certificates), or set provider.registry to one that it reaches"},
		"PullNever":     {"The pull policy may forbid any request.", "cannot unpack package: package not in cache and pull policy is Never", "set another provider.packagePullPolicy, or put the package into Crossplane's cache"},
		"Signature":     {"A signature may be required.", "cannot unpack package: signature verification failed: no signatures found", "sign the package, or correct the ImageConfig that asks for its signature: kubectl get imageconfigs.pkg.crossplane.io"},
		"Versions":      {"Versions may not fit together.", "cannot resolve package dependencies: incompatible dependencies: existing package xpkg.upbound.io/upbound/provider-family-aws@v1.0.0 is incompatible with constraint >= v2.0.0", "choose versions that fit together, in provider.version, the service's version, or where the named package is installed"},
		"Twice":         {"A package may be installed twice.", "cannot resolve package dependencies: cannot initialize dependency graph from the packages in the lock: node xpkg.upbound.io/upbound/provider-aws-s3 already exists", "delete one of the two Providers that install that package: kubectl get providers.pkg.crossplane.io"},
		"KindTwice":     {"So may a kind.", "cannot establish control of object: buckets.s3.aws.upbound.io is already controlled by ProviderRevision p (UID u)", "remove one of the two packages that install that kind: kubectl get providers.pkg.crossplane.io"},
		"OldCrossplane": {"A package may require a newer Crossplane.", "incompatible Crossplane version: package is not compatible with Crossplane version (v1.11.0)", "choose another version or upgrade Crossplane; provider.ignoreCrossplaneConstraints: true installs it anyway"},
		"Unknown":       {"There is no hint for an unknown message.", "boom", ""},
		"Empty":         {"Neither is there one for an empty message.", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Hint(tc.message, "boot"); got != tc.want {
				t.Errorf("%s\nHint(...):\nwant %q\ngot  %q", tc.reason, tc.want, got)
			}
			if got := Hint(Quote(tc.message), "boot"); got != tc.want {
				t.Errorf("%s\nHint(...) of the quoted message:\nwant %q\ngot  %q", tc.reason, tc.want, got)
			}
		})
	}
}
