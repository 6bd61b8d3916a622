package guardrails

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
)

// Rules that limit values to those that the platform team allows.

func allowedServices(r *request) field.ErrorList {
	if r.AllowedServices == nil {
		return nil
	}
	errs := r.claimedTemplates("allowedServices")
	for i, s := range r.id.Services {
		at := r.service(i)
		if !slices.Contains(r.AllowedServices, s.Name) {
			errs = append(errs, notOneOf(at.Child("name"), "allowedServices", s.Name, r.AllowedServices))
		}
		// Another service's package under an allowed name would be another service.
		if want := "provider-aws-" + s.Name; r.id.Tenant == nil && !strings.HasSuffix(s.Provider.Repository, "/"+want) {
			errs = append(errs, violation(at.Child("package"), "allowedServices", s.Provider.Repository, "must end in /"+want))
		}
	}
	return errs
}

func allowedServiceAccounts(r *request) field.ErrorList {
	if r.AllowedServiceAccounts == nil || r.id.Tenant != nil {
		// A tenant uses the host's providers.
		return nil
	}
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		if !matchesAny(r.AllowedServiceAccounts, s.ServiceAccount) {
			errs = append(errs, notOneOf(r.service(i).Child("serviceAccountName"), "allowedServiceAccounts", s.ServiceAccount, r.AllowedServiceAccounts))
		}
	}
	return errs
}

// protectedServiceAccounts may not be used, but the service iam may use that of provider-aws-iam, and likewise eks.
func protectedServiceAccounts(r *request) field.ErrorList {
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		own := s.Bootstrap && s.ServiceAccount == "provider-aws-"+s.Name
		if !own && matchesAny(r.ProtectedServiceAccounts, s.ServiceAccount) {
			errs = append(errs, violation(r.service(i).Child("serviceAccountName"), "protectedServiceAccounts", s.ServiceAccount, "it is the identity of something else in the cluster; use another ServiceAccount"))
		}
	}
	return errs
}

func allowedProviders(r *request) field.ErrorList {
	if r.AllowedProviders == nil || r.id.Tenant == nil || matchesAny(r.AllowedProviders, r.id.Tenant.Host.Name) {
		return nil
	}
	return field.ErrorList{notOneOf(r.at.Child("providerRef", "name"), "allowedProviders", r.id.Tenant.Host.Name, r.AllowedProviders)}
}

func allowedRegions(r *request) field.ErrorList {
	if r.AllowedRegions == nil || slices.Contains(r.AllowedRegions, r.id.Region) {
		return nil
	}
	at := r.at.Child("region")
	if r.id.Tenant != nil {
		if r.id.Region == "" {
			// Nothing is created before the host is known.
			return nil
		}
		at = r.at.Child("providerRef")
	}
	return field.ErrorList{notOneOf(at, "allowedRegions", r.id.Region, r.AllowedRegions)}
}

// allowedClusters refuses nothing while the cluster is not known: package resources creates nothing then.
func allowedClusters(r *request) field.ErrorList {
	if r.AllowedClusters == nil || r.id.Cluster == "" || slices.Contains(r.AllowedClusters, r.id.Cluster) {
		return nil
	}
	at := r.at.Child("clusterName")
	switch {
	case r.id.Tenant != nil:
		at = r.at.Child("providerRef")
	case r.spec.ClusterNameRef != nil:
		at = r.at.Child("clusterNameRef")
	case r.spec.ClusterNameSelector != nil:
		at = r.at.Child("clusterNameSelector")
	}
	return field.ErrorList{notOneOf(at, "allowedClusters", r.id.Cluster, r.AllowedClusters)}
}

func allowedRegistries(r *request) field.ErrorList {
	if r.AllowedRegistries == nil {
		return nil
	}
	allowed := func(repository string) bool {
		return slices.ContainsFunc(r.AllowedRegistries, func(a string) bool { return strings.HasPrefix(repository, strings.TrimSuffix(a, "/")+"/") })
	}
	errs := r.claimedTemplates("allowedRegistries")
	for i, s := range r.id.Services {
		if !s.Managed || allowed(s.Provider.Repository) {
			continue
		}
		at := r.at.Child("provider", "registry")
		if r.spec.Services[i].Package != "" {
			at = r.service(i).Child("package")
		}
		errs = append(errs, notOneOf(at, "allowedRegistries", s.Provider.Repository, r.AllowedRegistries))
	}
	if f := r.id.Family; f != nil && !allowed(f.Repository) {
		errs = append(errs, notOneOf(r.at.Child("provider", "registry"), "allowedRegistries", f.Repository, r.AllowedRegistries))
	}
	return errs
}

func allowedManagedPolicyARNs(r *request) field.ErrorList {
	if r.AllowedManagedPolicyARNs == nil {
		return nil
	}
	errs := field.ErrorList{}
	for i, s := range r.id.Services {
		for j, arn := range s.ManagedPolicyARNs {
			if !matchesAny(r.AllowedManagedPolicyARNs, arn) {
				errs = append(errs, notOneOf(r.service(i).Child("permissions", "managedPolicyArns").Index(j), "allowedManagedPolicyArns", arn, r.AllowedManagedPolicyARNs))
			}
		}
	}
	return errs
}

func allowedTargetAccounts(r *request) field.ErrorList {
	if r.AllowedTargetAccounts == nil {
		return nil
	}
	errs := field.ErrorList{}
	if s := r.spec.Sharing; s != nil {
		for i, a := range s.Accounts {
			if !slices.Contains(r.AllowedTargetAccounts, a) {
				errs = append(errs, notOneOf(r.at.Child("sharing", "accounts").Index(i), "allowedTargetAccounts", a, r.AllowedTargetAccounts))
			}
		}
	}
	errs = append(errs, r.composedElsewhere()...)
	for _, f := range r.rolesOfOthers() {
		// EKS accepts only a roleArn of the cluster's own account; that of a tenant may be in another.
		if strings.HasSuffix(f.at.String(), ".roleArn") && (r.id.Tenant == nil || r.inHostAccount(f.arn)) {
			continue
		}
		if !slices.Contains(r.AllowedTargetAccounts, iam.ARNAccount(f.arn)) {
			errs = append(errs, notOneOf(f.at, "allowedTargetAccounts", f.arn, r.AllowedTargetAccounts))
		}
	}
	return errs
}

// composedElsewhere refuses a tenant's role that turns out to be in another account, by way of the bootstrap identity.
func (r *request) composedElsewhere() field.ErrorList {
	if r.id.Tenant == nil {
		return nil
	}
	arn := r.view.Observed(identity.RoleKey(identity.TenantName)).String("status", "atProvider", "arn")
	if account := iam.ARNAccount(arn); account == "" || r.inHostAccount(arn) || slices.Contains(r.AllowedTargetAccounts, account) {
		return nil
	}
	return field.ErrorList{notOneOf(r.at.Child("providerConfigRef"), "allowedTargetAccounts", arn, r.AllowedTargetAccounts)}
}

// inHostAccount says whether a tenant's role is in the account of the host's cluster. While that is being looked up, nothing is
// refused: Crossplane does not answer the requirements of a refusal, and resources that are composed before it answers are never
// applied.
func (r *request) inHostAccount(arn string) bool {
	account := r.id.Tenant.Host.Account()
	return account == "" && r.view.Requirements.Unanswered() || account != "" && iam.ARNAccount(arn) == account
}
