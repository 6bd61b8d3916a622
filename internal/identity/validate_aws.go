package identity

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A home is the place of a cluster and its roles in AWS. Every ARN of a spec is checked against it.
type home struct {
	partition string
	// account is empty if it is not known.
	account string
}

func homeOf(s *v1alpha1.PodIdentityProviderSpec) home {
	return home{partition: iam.Partition(s.Region), account: s.AccountID}
}

// role checks the ARN of a role in any account; an empty one is not checked.
func (h home) role(at *field.Path, arn string) field.ErrorList {
	if arn == "" {
		return nil
	}
	return wrong(at, arn, iam.CheckRoleARN(arn, h.partition))
}

// ownRole checks the ARN of a role that pods get directly: IAM lets no caller pass a role to a service of another account.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func (h home) ownRole(at *field.Path, arn string) field.ErrorList {
	if errs := h.role(at, arn); len(errs) > 0 || arn == "" {
		return errs
	}
	return wrong(at, arn, h.foreign(arn, "EKS accepts only a role of the cluster's account: for others use targetRoleArn"))
}

// policy checks the ARN of a policy to attach to a role, or to bound it with: IAM accepts those of the role's account and AWS's own.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
func (h home) policy(at *field.Path, arn string) field.ErrorList {
	if arn == "" {
		return nil
	}
	problem := iam.CheckPolicyARN(arn, h.partition)
	if problem == "" && iam.ARNAccount(arn) != "aws" {
		problem = h.foreign(arn, "IAM accepts only policies of the role's account, and AWS's own")
	}
	return wrong(at, arn, problem)
}

// foreign says that an ARN is of another account, if the cluster's is known.
func (h home) foreign(arn, why string) string {
	if account := iam.ARNAccount(arn); h.account != "" && account != h.account {
		return fmt.Sprintf("is in account %s, but spec.accountId is %s: %s", account, h.account, why)
	}
	return ""
}

func wrong(at *field.Path, v, problem string) field.ErrorList {
	if problem == "" {
		return nil
	}
	return field.ErrorList{field.Invalid(at, v, problem)}
}

// maxOwnTags leaves room for the tags that provider-aws adds to everything.
const maxOwnTags = iam.MaxTags - 3

// reservedTags are the keys that provider-aws and EKS write, as fold has them.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var reservedTags = func() map[string]string {
	out := map[string]string{}
	// https://github.com/crossplane/upjet/blob/main/pkg/config/resource.go, Tagger.
	for _, k := range []string{"crossplane-kind", "crossplane-name", "crossplane-providerconfig"} {
		out[k] = "is a key that provider-aws sets itself, on everything that it creates: use another one"
	}
	// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
	for _, k := range []string{"eks-cluster-arn", "eks-cluster-name", "kubernetes-namespace", "kubernetes-service-account", "kubernetes-pod-name", "kubernetes-pod-uid"} {
		out[k] = "is a key of EKS's session tags, which say who a pod is: use another one"
	}
	return out
}()

// fold returns the same text for keys that are the same to AWS, which ignores letter case. Some letters have one of ASCII's as their
// other case, such as the long s, so that only the way by the upper case finds them all. Spaces around a key do not make it look like
// another one.
func fold(key string) string { return strings.ToLower(strings.ToUpper(strings.TrimSpace(key))) }

// validateTags checks AWS's rules for tags: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html.
func validateTags(at *field.Path, tags map[string]string) field.ErrorList {
	if len(tags) > maxOwnTags {
		return field.ErrorList{field.TooMany(at, len(tags), maxOwnTags)}
	}
	errs := field.ErrorList{}
	first := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		errs = append(errs, validateTag(at.Key(k), at.Key(k), k, tags[k], first)...)
	}
	return errs
}

// validateTag checks one tag, whose key and value are at these paths. First has the first of the keys that are the same to AWS.
func validateTag(keyAt, valueAt *field.Path, key, value string, first map[string]string) field.ErrorList {
	errs := field.ErrorList{}
	folded := fold(key)
	switch {
	case key == "" || len([]rune(key)) > iam.MaxTagKey:
		errs = append(errs, field.Invalid(keyAt, key, fmt.Sprintf("a tag's key must have 1 to %d characters", iam.MaxTagKey)))
	case strings.HasPrefix(folded, "aws:"):
		errs = append(errs, field.Invalid(keyAt, key, "keys that begin with aws: are AWS's own"))
	case reservedTags[folded] != "":
		errs = append(errs, field.Invalid(keyAt, key, reservedTags[folded]))
	case !tagPattern.MatchString(key):
		errs = append(errs, field.Invalid(keyAt, key, "a tag may have letters, digits, spaces and _.:/=+-@"))
	}
	if !tagPattern.MatchString(value) {
		errs = append(errs, field.Invalid(valueAt, value, "a tag may have letters, digits, spaces and _.:/=+-@"))
	}
	if len([]rune(value)) > iam.MaxTagValue {
		errs = append(errs, field.TooLong(valueAt, value, iam.MaxTagValue))
	}
	if other, ok := first[folded]; ok && key != "" {
		errs = append(errs, field.Invalid(keyAt, key, fmt.Sprintf("is the same key as %s: AWS ignores letter case", other)))
	}
	first[folded] = cmp.Or(first[folded], key)
	return errs
}

// maxSessionTags bounds those of one session: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html.
const maxSessionTags = 50

// validateSession checks the parameters that are sent when a role of a chain is assumed:
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html.
func validateSession(at *field.Path, r v1alpha1.AssumeRole) field.ErrorList {
	errs := field.ErrorList{}
	if id := r.ExternalID; id != "" && (len(id) < 2 || len(id) > 1224 || !externalIDPattern.MatchString(id)) {
		errs = append(errs, field.Invalid(at.Child("externalID"), id, "must have 2 to 1224 letters, digits and +=,.@:/_-"))
	}
	for _, list := range []struct {
		name string
		n    int
	}{{"tags", len(r.Tags)}, {"transitiveTagKeys", len(r.TransitiveTagKeys)}} {
		if list.n > maxSessionTags {
			return append(errs, field.TooMany(at.Child(list.name), list.n, maxSessionTags))
		}
	}
	first, passed := map[string]string{}, map[string]bool{}
	for i, t := range r.Tags {
		at := at.Child("tags").Index(i)
		errs = append(errs, validateTag(at.Child("key"), at.Child("value"), t.Key, t.Value, first)...)
	}
	for i, k := range r.TransitiveTagKeys {
		at, folded := at.Child("transitiveTagKeys").Index(i), fold(k)
		switch {
		case passed[folded]:
			errs = append(errs, field.Duplicate(at, k))
		case first[folded] == "":
			errs = append(errs, field.Invalid(at, k, "must be the key of one of the tags beside it: only those can be passed on"))
		}
		passed[folded] = true
	}
	return errs
}

// validateTrust checks conditions that are added to trust policies.
func validateTrust(at *field.Path, c iam.Condition, h home) field.ErrorList {
	const name = "trustConditions"
	problems := append(c.Check(name), c.CheckARNs(name, h.partition)...)
	return asErrors(at, append(problems, iam.CheckServiceConditions(name, c)...))
}

// validateSessionTags checks settings that depend on session tags that a service disables.
func validateSessionTags(at *field.Path, s *v1alpha1.PodIdentityProviderSpec) field.ErrorList {
	errs := field.ErrorList{}
	for i, svc := range s.Services {
		// The trust policy of a role that is not composed belongs to its owner.
		if !isTrue(svc.DisableSessionTags) || svc.RoleARN != "" {
			continue
		}
		if s.AccountID == "" && len(errs) == 0 {
			errs = append(errs, field.Required(at.Child("accountId"), fmt.Sprintf("with %s nothing else limits who may use the role", at.Child("services").Index(i).Child("disableSessionTags"))))
		}
		if s.Role == nil {
			continue
		}
		for _, op := range slices.Sorted(maps.Keys(s.Role.TrustConditions)) {
			for _, key := range slices.Sorted(maps.Keys(s.Role.TrustConditions[op])) {
				if folded := strings.ToLower(key); strings.HasPrefix(folded, "aws:requesttag/") || folded == "aws:tagkeys" {
					errs = append(errs, field.Forbidden(at.Child("role", "trustConditions").Key(op).Key(key), fmt.Sprintf("looks at session tags, which %s leaves out", at.Child("services").Index(i).Child("disableSessionTags"))))
				}
			}
		}
		if len(errs) > view.MaxErrors {
			break
		}
	}
	return errs
}
