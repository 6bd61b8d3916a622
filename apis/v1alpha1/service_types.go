package v1alpha1

// A Service is an AWS service whose provider gets an identity.
//
// +kubebuilder:validation:XValidation:rule="!has(self.roleArn) || self.roleArn == \"\" || !has(self.permissions) && !has(self.roleName) && !(has(self.importRole) && self.importRole)",message="roleArn brings its own permissions and name: it excludes permissions, roleName and importRole"
// +kubebuilder:validation:XValidation:rule="!has(self.associationId) || !has(self.adoptExistingAssociation) || !self.adoptExistingAssociation",message="associationId names the association already: it excludes adoptExistingAssociation"
// +kubebuilder:validation:XValidation:rule="!has(self.adoptExistingProvider) || !self.adoptExistingProvider || !has(self.management) || self.management != \"Observe\"",message="management: Observe leaves the Provider to its owner: it excludes adoptExistingProvider"
// +kubebuilder:validation:XValidation:rule="!has(self.serviceAccountName) || !(self.serviceAccountName in [\"crossplane\", \"rbac-manager\", \"default\", \"provider-aws-iam\", \"provider-aws-eks\"]) || self.serviceAccountName == \"provider-aws-\" + self.name",message="this ServiceAccount is the identity of something else in the cluster; use another one"
// +kubebuilder:validation:XValidation:rule="has(self.serviceAccountName) == has(oldSelf.serviceAccountName) && (!has(self.serviceAccountName) || self.serviceAccountName == oldSelf.serviceAccountName)",message="serviceAccountName is immutable"
// +kubebuilder:validation:XValidation:rule="has(self.roleName) == has(oldSelf.roleName) && (!has(self.roleName) || self.roleName == oldSelf.roleName)",message="roleName is immutable"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.associationId) || has(self.associationId) && self.associationId == oldSelf.associationId",message="associationId cannot be changed or removed"
type Service struct {
	// Name of the service as in the provider package provider-aws-<name>, for example s3. It must be in the catalogue unless
	// package and permissions are given.
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// Version of the provider package: a full version such as v2.5.0, a digest sha256:<64 hex digits>, or both, with an @
	// between them.
	// Default: spec.provider.version.
	// +optional
	// +kubebuilder:validation:Pattern=`^((v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(@sha256:[0-9a-f]{64})?|sha256:[0-9a-f]{64}))?$`
	Version string `json:"version,omitempty"`

	// Package is the full repository of the provider package, registry included and without a tag, for example
	// registry.example.org/mirror/provider-aws-s3. Default: <spec.provider.registry>/provider-aws-<name>.
	// +optional
	// +kubebuilder:validation:Pattern=`^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9-]+|:[0-9]+)(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+)?$`
	Package string `json:"package,omitempty"`

	// Management of the provider package: Managed installs it, Observe leaves that to you (no Provider and no
	// DeploymentRuntimeConfig are composed, only the identity; the service is ready when your Provider is healthy and runs as
	// the ServiceAccount). Changing it to Observe removes the Provider and, with it, the CRDs of the service. iam and eks,
	// which create the identities of all others, can only be observed. Default: Managed.
	// +optional
	Management ServiceManagement `json:"management,omitempty"`

	// ServiceAccountName is the ServiceAccount that the provider runs as, in Crossplane's namespace. Crossplane creates it. No
	// two services may share one. Default: provider-aws-<name>. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// Permissions are what the provider may do in AWS. Default: accessLevel Full, everything of the service.
	// +optional
	Permissions *Permissions `json:"permissions,omitempty"`

	// RoleName is the exact name of the IAM role: 1 to 64 of the characters A-Z a-z 0-9 and +=,.@_-
	// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). A role of that name that exists is
	// reported, unless importRole is set. Default: the generated name, see spec.role.namePrefix. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_+=,.@-]+$`
	RoleName string `json:"roleName,omitempty"`

	// ImportRole says that the role of that name exists already and is adopted on purpose: it is changed to
	// what this object says, and deleted with it. That includes fields that it does not set: a permissions boundary, a description, a
	// session duration or tags of the role are kept only if spec.role and spec.tags have them. Without it, a role that turns out
	// to be older than its managed resource is reported, not changed, and left in AWS when this object is deleted. Default: false.
	// +optional
	ImportRole *bool `json:"importRole,omitempty"`

	// RoleARN is an IAM role that exists and is managed elsewhere: no role, policy or attachment is composed. It must
	// be in the cluster's account and trust pods.eks.amazonaws.com with sts:AssumeRole and sts:TagSession. Excludes
	// permissions, roleName and importRole.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^(arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+)?$`
	RoleARN string `json:"roleArn,omitempty"`

	// AssociationID imports an existing Pod Identity association, for example a-0123456789abcdef0, instead of creating one. It
	// cannot be changed or removed later: the association would be forgotten, and creating it again refused. aws eks
	// list-pod-identity-associations lists the ids.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^a-[a-z0-9]+$`
	AssociationID string `json:"associationId,omitempty"`

	// AdoptExistingAssociation adopts the association that EKS has for the ServiceAccount, if there is one, instead of reporting
	// it. Default: false.
	// +optional
	AdoptExistingAssociation *bool `json:"adoptExistingAssociation,omitempty"`

	// AdoptExistingProvider adopts the Provider of this service's package, and the DeploymentRuntimeConfig that it runs with, under
	// their own names, instead of reporting a conflict. Only if they have no controller, the repository of the package is the desired
	// one, and no other Provider uses that DeploymentRuntimeConfig. The provider keeps running until its association is
	// ready, and then restarts once; its version changes afterwards. They are deleted with this object from then on.
	// Default: false.
	// +optional
	AdoptExistingProvider *bool `json:"adoptExistingProvider,omitempty"`

	// TargetRoleARN is a role, usually of another account, of the region's partition, that EKS assumes after the service's own role. Its AssumeRole and
	// TagSession permissions are added to the policy. Needs provider-aws-eks v2.
	// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^(arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+)?$`
	TargetRoleARN string `json:"targetRoleArn,omitempty"`

	// DisableSessionTags lets EKS leave out the session tags, which count against the packed size of a session's policies and
	// tags (PackedPolicyTooLarge). The trust policy cannot be limited by them then: accountId is required, which limits it to the
	// cluster. Needs provider-aws-eks v2. Default: false. https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
	// +optional
	DisableSessionTags *bool `json:"disableSessionTags,omitempty"`

	// Runtime overrides spec.runtime for this service, field by field.
	// +optional
	Runtime *Runtime `json:"runtime,omitempty"`
}

// A ServiceManagement says who installs a provider package.
//
// +kubebuilder:validation:Enum=Managed;Observe
type ServiceManagement string

// Who installs a provider package.
const (
	ServiceManaged  ServiceManagement = "Managed"
	ServiceObserved ServiceManagement = "Observe"
)

// Permissions of a provider in AWS: the union of what accessLevel, statements, policyDocument and managedPolicyArns grant.
type Permissions struct {
	// AccessLevel chooses the catalogue's permissions for the service (docs/catalogue.md): Full lets the provider manage
	// everything of it, ReadOnly only observe, None grants nothing from the catalogue. Default: None where statements,
	// policyDocument or managedPolicyArns are given, so that they are all that is granted; Full where nothing is.
	// +optional
	AccessLevel AccessLevel `json:"accessLevel,omitempty"`

	// Kinds narrow accessLevel, Full or ReadOnly, to some kinds of the provider package: the role may call what these call, and no more
	// (docs/kinds.md). They are a list, for example [Bucket, BucketPolicy], or the word Active, which follows the
	// ManagedResourceActivationPolicies of Crossplane v2: kinds that become active are added, and none is taken away. On Crossplane v1
	// all kinds are active. Default: everything of the service. With kinds the default of accessLevel is Full.
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Kinds Kinds `json:"kinds,omitempty"`

	// Statements are IAM policy statements to add, at most 100. With the catalogue's they are split into as many policies of
	// 6,144 characters as it takes.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Statements []Statement `json:"statements,omitempty"`

	// PolicyDocument is a whole IAM policy document as JSON, whose statements are added, for example
	// {"Version": "2012-10-17", "Statement": [...]}.
	// +optional
	// +kubebuilder:validation:Pattern=`^\s*(\{[\s\S]*\}\s*)?$`
	PolicyDocument string `json:"policyDocument,omitempty"`

	// ManagedPolicyARNs are existing policies, attached as they are, for example arn:aws:iam::aws:policy/AmazonSQSFullAccess.
	// With the composed ones at most 10, AWS's default limit.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:Pattern=`^arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/[A-Za-z0-9_+=,.@/-]+$`
	ManagedPolicyARNs []string `json:"managedPolicyArns,omitempty"`
}

// An AccessLevel chooses permissions from the catalogue.
//
// +kubebuilder:validation:Enum=Full;ReadOnly;None
type AccessLevel string

// The access levels.
const (
	AccessFull     AccessLevel = "Full"
	AccessReadOnly AccessLevel = "ReadOnly"
	AccessNone     AccessLevel = "None"
)

// A Statement of an IAM policy. Exactly one of actions and notActions, and exactly one of resources and notResources.
//
// +kubebuilder:validation:XValidation:rule="(has(self.actions) && self.actions.size() > 0) != (has(self.notActions) && self.notActions.size() > 0)",message="exactly one of actions and notActions is required"
// +kubebuilder:validation:XValidation:rule="(has(self.resources) && self.resources.size() > 0) != (has(self.notResources) && self.notResources.size() > 0)",message="exactly one of resources and notResources is required"
type Statement struct {
	// Sid is an identifier, letters and digits only, unique within the service's statements.
	// +optional
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]+$`
	SID string `json:"sid,omitempty"`

	// Effect of the statement. Default: Allow.
	// +optional
	// +kubebuilder:validation:Enum=Allow;Deny
	Effect string `json:"effect,omitempty"`

	// Actions are what the statement covers, for example s3:GetObject or s3:*. Exactly one of actions and notActions.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:items:Pattern=`^(\*|\*:\*|[A-Za-z0-9-]+:[A-Za-z0-9_*?-]+)$`
	Actions []string `json:"actions,omitempty"`

	// NotActions are the actions that the statement leaves out; it covers all others.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:items:Pattern=`^(\*|\*:\*|[A-Za-z0-9-]+:[A-Za-z0-9_*?-]+)$`
	NotActions []string `json:"notActions,omitempty"`

	// Resources are what the statement covers, as ARNs with wildcards or "*". Exactly one of resources and notResources.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:items:Pattern=`^(\*|arn:[ -ÿ]+)$`
	Resources []string `json:"resources,omitempty"`

	// NotResources are the resources that the statement leaves out; it covers all others.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:items:Pattern=`^(\*|arn:[ -ÿ]+)$`
	NotResources []string `json:"notResources,omitempty"`

	// Conditions are those under which the statement holds: operator, then key, then values, for example
	// {StringEquals: {"aws:RequestedRegion": [eu-west-1]}}.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
	// +optional
	Conditions Conditions `json:"conditions,omitempty"`
}

// Conditions of an IAM policy statement: operator, then key, then values.
type Conditions map[string]map[string][]string

// Role configures composed IAM roles.
type Role struct {
	// NamePrefix begins the names of roles and policies: <namePrefix>-<cluster>-<region>-<service>, cut to 64 characters with
	// a hash where it is longer. Default: crossplane. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_+=,.@-]+$`
	NamePrefix string `json:"namePrefix,omitempty"`

	// Path of roles and policies, beginning and ending with a slash, for example /crossplane/. Default: AWS's own, /.
	// Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^/([!-)+->@-~]+/)?$`
	Path string `json:"path,omitempty"`

	// Description of the roles in IAM, at most 1,000 printable Latin-1 characters without no-break spaces.
	// +optional
	// +kubebuilder:validation:MaxLength=1000
	// +kubebuilder:validation:Pattern=`^[\t\n\r -~¡-ÿ]*$`
	Description string `json:"description,omitempty"`

	// PermissionsBoundary is the ARN of a policy that limits what the roles may do, whatever their policies say.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^(arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/[A-Za-z0-9_+=,.@/-]+)?$`
	PermissionsBoundary string `json:"permissionsBoundary,omitempty"`

	// MaxSessionDuration is how long a session of the roles may last, in seconds, 3,600 to 43,200. Default: AWS's own, 3,600.
	// +optional
	// +kubebuilder:validation:Minimum=3600
	// +kubebuilder:validation:Maximum=43200
	MaxSessionDuration *int64 `json:"maxSessionDuration,omitempty"`

	// TrustConditions are added to the generated trust policy: operator, then key, then values, for example
	// {StringEquals: {"aws:SourceOrgID": [o-a1b2c3d4e5]}}. The whole policy may have 2,048 characters, AWS's default limit.
	// +optional
	TrustConditions Conditions `json:"trustConditions,omitempty"`
}

// Provider configures composed provider packages. Fields that are not described further mean what they mean in a
// pkg.crossplane.io Provider: https://docs.crossplane.io/latest/packages/providers/
type Provider struct {
	// Registry and organisation of the provider packages, without a tag. All services and the family must share one, or the
	// providers may not read the ProviderConfig. Default: xpkg.upbound.io/upbound.
	// +optional
	// +kubebuilder:validation:Pattern=`^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9-]+|:[0-9]+)(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+)?$`
	Registry string `json:"registry,omitempty"`

	// Version of the provider packages: a full version such as v2.5.0, so that nothing changes on its own, or a digest
	// sha256:<64 hex digits>, if only one package takes it. With family: Manage the family changes first, and the services
	// follow when it is healthy. Packages of xpkg.upbound.io ask for a family of exactly their own version. Required here, in every service, in defaults, or as
	// providerVersion of the Input, as in the Composition that comes with the API.
	// +optional
	// +kubebuilder:validation:Pattern=`^((v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(@sha256:[0-9a-f]{64})?|sha256:[0-9a-f]{64}))?$`
	Version string `json:"version,omitempty"`

	// Family says who installs provider-family-aws: Observe leaves it to Crossplane's dependency resolution, Manage composes
	// it under the resolver's own name. Default: Observe.
	// +optional
	Family FamilyManagement `json:"family,omitempty"`

	// PackagePullPolicy is when the packages are pulled. Default: Crossplane's own, IfNotPresent.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	PackagePullPolicy string `json:"packagePullPolicy,omitempty"`

	// PackagePullSecrets are Secrets in Crossplane's namespace to pull the packages and their images with.
	// +optional
	// +listType=atomic
	PackagePullSecrets []LocalObjectReference `json:"packagePullSecrets,omitempty"`

	// RevisionActivationPolicy is how a new revision of a package becomes active. With Manual it waits until you
	// activate it, and condition ProvidersReady says so. Default: Crossplane's own, Automatic.
	// +optional
	// +kubebuilder:validation:Enum=Automatic;Manual
	RevisionActivationPolicy string `json:"revisionActivationPolicy,omitempty"`

	// RevisionHistoryLimit is the number of old package revisions to keep. 0 keeps all. Default: Crossplane's own, 1.
	// +optional
	// +kubebuilder:validation:Minimum=0
	RevisionHistoryLimit *int64 `json:"revisionHistoryLimit,omitempty"`

	// SkipDependencyResolution installs the packages without their dependencies: provider-family-aws must be installed already.
	// Default: Crossplane's own, false.
	// +optional
	SkipDependencyResolution *bool `json:"skipDependencyResolution,omitempty"`

	// IgnoreCrossplaneConstraints installs the packages even if they ask for another version of Crossplane.
	// Default: Crossplane's own, false.
	// +optional
	IgnoreCrossplaneConstraints *bool `json:"ignoreCrossplaneConstraints,omitempty"`

	// CommonLabels are labels that are put on every object that the packages install.
	// +optional
	CommonLabels map[string]string `json:"commonLabels,omitempty"`
}

// A LocalObjectReference names an object in Crossplane's namespace.
type LocalObjectReference struct {
	// Name of the object.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
}

// A FamilyManagement says who installs provider-family-aws.
//
// +kubebuilder:validation:Enum=Observe;Manage
type FamilyManagement string

// Who installs provider-family-aws.
const (
	FamilyObserve FamilyManagement = "Observe"
	FamilyManage  FamilyManagement = "Manage"
)

// ProviderConfig configures the composed ProviderConfig.
type ProviderConfig struct {
	// Name of the ProviderConfig. It must not be that of spec.providerConfigRef, nor one that exists and has another
	// owner. At most 63 characters, since the name becomes a label of the objects that use it. Default: the name of the composite
	// resource or, where a claim made it, <claim namespace>-<claim name>, cut to 63 characters with a hash where it is longer. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name,omitempty"`

	// AssumeRoleChain are roles that the providers assume one after the other, beginning with their own. The permission to
	// assume the first is added to every service's policy.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	AssumeRoleChain []AssumeRole `json:"assumeRoleChain,omitempty"`

	// ClusterProviderConfig composes an aws.m.upbound.io ClusterProviderConfig of the same name too, for namespaced managed
	// resources (provider-aws v2). Default: false.
	// +optional
	ClusterProviderConfig *bool `json:"clusterProviderConfig,omitempty"`

	// Namespaces in which an aws.m.upbound.io ProviderConfig of the same name is composed too, for their managed resources
	// (provider-aws v2, Crossplane v2). Usages cannot refer to these: delete what uses them before you delete this object. At
	// most 100.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespaces []string `json:"namespaces,omitempty"`
}

// An AssumeRole is a role of an assume-role chain.
//
// +kubebuilder:validation:XValidation:rule="!has(self.transitiveTagKeys) || self.transitiveTagKeys.all(k, has(self.tags) && self.tags.exists(t, t.key.lowerAscii() == k.lowerAscii()))",message="transitiveTagKeys must be keys of tags beside them: only those can be passed on"
type AssumeRole struct {
	// RoleARN is the ARN of the role to assume, of any account in the region's partition, without wildcards.
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$`
	RoleARN string `json:"roleARN"`

	// ExternalID that the role's trust policy asks for: 2 to 1,224 letters, digits and +=,.@:/_-.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=1224
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_+=,.@:/-]+$`
	ExternalID string `json:"externalID,omitempty"`

	// Tags are session tags that are passed on, at most 50. EKS's own (eks-cluster-name, kubernetes-namespace and so on) cannot be set.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	Tags []Tag `json:"tags,omitempty"`

	// TransitiveTagKeys are the keys of the tags that the next role in the chain gets, too.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=128
	TransitiveTagKeys []string `json:"transitiveTagKeys,omitempty"`
}

// A Tag of a session.
//
// +kubebuilder:validation:XValidation:rule="!self.key.lowerAscii().startsWith(\"aws:\") && !(self.key.lowerAscii() in [\"eks-cluster-arn\", \"eks-cluster-name\", \"kubernetes-namespace\", \"kubernetes-service-account\", \"kubernetes-pod-name\", \"kubernetes-pod-uid\", \"crossplane-kind\", \"crossplane-name\", \"crossplane-providerconfig\"])",message="keys that begin with aws:, those of EKS's session tags and those of the provider cannot be set"
type Tag struct {
	// Key of the tag, 1 to 128 characters.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`
	Key string `json:"key"`
	// Value of the tag, at most 256 characters.
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`
	Value string `json:"value"`
}

// A ServiceStatus is the observed state of one service's identity.
type ServiceStatus struct {
	// Name of the service.
	Name string `json:"name"`

	// Phase: Waiting (a prerequisite is missing, none of its managed resources may be created yet), Creating (not all ready
	// yet), Failed (a resource reports an error, which message quotes), Conflict (another owner has what is needed), Ready.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// Message says what is waited for or what failed, and what to do. Empty when the service is ready.
	// +optional
	Message string `json:"message,omitempty"`

	// RoleName is the name of the IAM role.
	// +optional
	RoleName string `json:"roleName,omitempty"`

	// RoleARN is the ARN of the IAM role.
	// +optional
	RoleARN string `json:"roleArn,omitempty"`

	// PolicyARNs are the policies attached to the role.
	// +optional
	// +listType=atomic
	PolicyARNs []string `json:"policyArns,omitempty"`

	// AssociationID is the id of the Pod Identity association.
	// +optional
	AssociationID string `json:"associationId,omitempty"`

	// AssociationARN is the ARN of the Pod Identity association.
	// +optional
	AssociationARN string `json:"associationArn,omitempty"`

	// ExternalID is what EKS sends when it assumes the target role: the target role's trust policy can ask for it.
	// +optional
	ExternalID string `json:"externalId,omitempty"`

	// TargetTrustPolicy is a trust policy for the target role, ready to paste.
	// +optional
	TargetTrustPolicy string `json:"targetTrustPolicy,omitempty"`

	// HostPolicy is a policy for roleArn, ready to paste: with it the provider may assume the roles of tenants. Only with
	// spec.sharing and a roleArn; a composed role has it.
	// +optional
	HostPolicy string `json:"hostPolicy,omitempty"`

	// DisableSessionTags says that EKS leaves out the session tags of the provider's pods. Only with spec.sharing.
	// +optional
	DisableSessionTags bool `json:"disableSessionTags,omitempty"`

	// ServiceAccountName is the ServiceAccount that the provider runs as.
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// ProviderName is the name of the Provider.
	// +optional
	ProviderName string `json:"providerName,omitempty"`

	// Package is the provider package with its version.
	// +optional
	Package string `json:"package,omitempty"`

	// ProviderRevision is the name of the active ProviderRevision.
	// +optional
	ProviderRevision string `json:"providerRevision,omitempty"`

	// ActiveKinds are the kinds that the role's permissions are for, sorted. Only with permissions.kinds: Active. They are recorded here,
	// because Crossplane never deactivates a kind: activation policies that can no longer be read change nothing.
	// +optional
	// +listType=atomic
	ActiveKinds []string `json:"activeKinds,omitempty"`
}

// A Phase sums up how far a service is.
//
// +kubebuilder:validation:Enum=Waiting;Creating;Failed;Conflict;Ready
type Phase string

// The phases.
const (
	// PhaseWaiting: a prerequisite is missing; none of the service's managed resources may be created yet.
	//
	// To do: see condition PrerequisitesReady.
	PhaseWaiting Phase = "Waiting"

	// PhaseCreating: not everything exists or is ready yet.
	//
	// To do: wait.
	PhaseCreating Phase = "Creating"

	// PhaseFailed: a resource reports an error, which the message quotes.
	//
	// To do: do what the end of the message says.
	PhaseFailed Phase = "Failed"

	// PhaseConflict: another owner has what is needed. It is left alone.
	//
	// To do: choose one of the options that the message names.
	PhaseConflict Phase = "Conflict"

	// PhaseReady: the provider runs with its identity.
	PhaseReady Phase = "Ready"
)
