package e2e

import (
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// toTenants turns the claim that owns a provider into the host of tenants, as docs/tenants.md says, and then goes back. The steps are those
// of example/tenant-migrate. All the time the bucket of the owner's team is managed, with permissions, and no provider is restarted.
func toTenants(s *Scenario) {
	const (
		config, sa = "team-a-storage", "provider-aws-s3"
		object     = "crossplane-prod-eu-west-1-s3"
		toOthers   = "file a PodIdentityTenantClaim"
	)
	s.Install()
	s.Apply("{apiVersion: v1, kind: Namespace, metadata: {name: team-a}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: team-b}}")
	claim := strings.ReplaceAll(s.File("example/claim/claim.yaml"), "ReadOnly", "Full")
	s.Namespace = "team-a"
	s.Apply(claim)
	s.Is(4*time.Minute, "Claim", "storage", "Ready=True", "TeardownProtected=True")
	host := s.XR("storage").GetName()
	bucket := s3Bucket("history")
	s.use(config, bucket)
	began, composed, pods, created := time.Now(), s.UIDs("storage"), s.podsOf(sa), s.existing(bucket).GetUID()
	s.Namespace = "team-b"
	s.Apply(strings.ReplaceAll(claim, "team-a", "team-b"))
	s.phase("storage", "s3", "Conflict", "of claim team-a/storage")
	if message := fmt.Sprint(s.Service(s.Get("Claim", "storage"), "s3")["message"]); strings.Contains(message, toOthers) {
		s.Errorf("the provider is not shared yet, and the claim of another team says: %s", message)
	}
	s.Stepf("a team has a provider and a bucket, and the claim of another team is in conflict")

	s.configure(s.File("example/tenant-migrate/platform.yaml"))
	s.phase("storage", "s3", "Conflict", host+" shares s3", toOthers)
	s.Namespace = "team-a"
	s.Is(3*time.Minute, "XR", host, "Ready=True", "TeardownProtected=True")
	s.edited(bucket, "shared", object)
	s.Stepf("the provider is shared, and the other claim says so")

	s.Namespace = "team-b"
	s.delete("storage")
	theirs := s.tenant("team-b", "orders", host, "[{name: s3, permissions: {statements: [{actions: [\"s3:*\"], resources: [\"arn:aws:s3:::team-b-*\"]}]}}]")
	s.use(theirs.config, s3Bucket("team-b-orders"))
	ours := s.tenant("team-a", "reports", host, "[{name: s3}]")
	s.Stepf("each team has a role of its own, and the other one has a bucket")

	s.edited(bucket, "owned", object)
	s.change(bucket, `{"spec":{"providerConfigRef":{"name":"`+ours.config+`"}}}`)
	s.edited(bucket, "tenants", ours.role)
	s.Until(time.Minute, "only the tenant's ProviderConfig is used", func() error {
		used := map[string]string{}
		for _, u := range s.list(gvkOf("ProviderConfigUsage")) {
			used[fakes.String(&u, "providerConfigRef", "name")] += " " + fakes.String(&u, "resourceRef", "name")
		}
		if used[config] != "" || used[ours.config] != " "+bucket.Name {
			return fmt.Errorf("the ProviderConfigs and their users: %v", used)
		}
		return nil
	})
	s.Stepf("the bucket is managed with the role of its team's tenant")

	s.Edit("storage", `{"spec":{"services":[{"name":"s3","permissions":{"accessLevel":"None"}}]}}`)
	s.Until(3*time.Minute, "the provider has no permissions of its own", func() error {
		if p := s.Real.Policy(object); p != "" {
			return errors.New(p)
		}
		return nil
	})
	s.Is(3*time.Minute, "Claim", "storage", "Ready=True", "TeardownProtected=True")
	powerless := s3Bucket("powerless")
	s.manage(config, powerless)
	s.Stepf("without the role of a tenant the provider has no permissions: %s", s.refusal(powerless, "AccessDenied", "s3:CreateBucket"))
	s.unuse(powerless)
	s.edited(bucket, "powerless", ours.role)
	s.edited(s3Bucket("team-b-orders"), "powerless", theirs.role)
	s.untroubled(began, bucket)

	s.Edit("storage", `{"spec":{"services":[{"name":"s3","permissions":{"accessLevel":"Full"}}]}}`)
	s.Until(3*time.Minute, "the provider has permissions of its own", func() error {
		if s.Real.Policy(object) == "" || len(s.Real.Role(object).Attached) != 2 {
			return errors.New("it has none")
		}
		return nil
	})
	s.change(bucket, `{"spec":{"providerConfigRef":{"name":"`+config+`"}}}`)
	s.edited(bucket, "back", object)
	s.Delete("Tenant", ours.claim)
	s.tenantIsGone(ours)
	s.unuse(s3Bucket("team-b-orders"))
	s.Namespace = theirs.namespace
	s.Delete("Tenant", theirs.claim)
	s.tenantIsGone(theirs)
	s.configure("{apiVersion: podidentity.fn.crossplane.io/v1beta1, kind: Input}")
	s.Until(3*time.Minute, "the provider is no longer shared", func() error {
		if attached := s.Real.Role(object).Attached; len(attached) != 1 {
			return fmt.Errorf("its role has %v", attached)
		}
		return nil
	})
	s.Namespace = "team-a"
	s.Is(3*time.Minute, "Claim", "storage", "Ready=True", "TeardownProtected=True")
	s.edited(bucket, "alone", object)
	s.untroubled(began, bucket)
	s.Stepf("the tenants are deleted, and the team has the provider for itself again")

	s.Same("the composed resources", composed, s.UIDs("storage"), "Policy/", "RolePolicyAttachment/", "Usage/", "ClusterUsage/")
	s.Same("the provider's pods", pods, s.podsOf(sa))
	s.restarts(sa, 0)
	if now := s.existing(bucket).GetUID(); now != created {
		s.Errorf("the bucket was created again: its UID was %s, and is %s", created, now)
	}
	s.Stepf("there and back no provider was restarted, and the bucket was managed all the time")
}

// configure the function, as manifests/platform-configuration.yaml does it.
func (s *Scenario) configure(input string) {
	s.Helper()
	_, runtime, _ := strings.Cut(s.File("manifests/platform-configuration.yaml"), "\n---\n")
	cm := &unstructured.Unstructured{}
	cm.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	cm.SetName("pod-identity-platform")
	cm.SetNamespace(controlplane.Namespace)
	if err := unstructured.SetNestedField(cm.Object, input, "data", "config.yaml"); err != nil {
		s.Fatal(err)
	}
	text, err := cm.MarshalJSON()
	if err != nil {
		s.Fatal(err)
	}
	s.Apply(string(text) + "\n---\n" + runtime)
}

// edited gives a bucket a tag, and waits until AWS has it, from that role.
func (s *Scenario) edited(bucket managed, tag, role string) {
	s.Helper()
	since := time.Now()
	s.change(bucket, `{"spec":{"forProvider":{"tags":{"step":"`+tag+`"}}}}`)
	s.Until(2*time.Minute, bucket.String()+" is tagged by "+role, func() error {
		for _, c := range s.Real.All() {
			if c.At.After(since) && c.Action == "TagResource" && c.Resource == bucket.Name && c.Code == "" && strings.Contains(c.Caller, ":assumed-role/"+role+"/") {
				return s.notReady(bucket)
			}
		}
		return errors.New("not yet")
	})
}

// untroubled checks that AWS refused nothing for a managed resource since then.
func (s *Scenario) untroubled(since time.Time, m managed) {
	s.Helper()
	calls := 0
	for _, c := range s.Real.All() {
		if c.At.Before(since) || c.Resource != m.Name {
			continue
		}
		calls++
		if strings.HasPrefix(c.Code, "AccessDenied") || strings.HasPrefix(c.Code, "Expired") {
			s.Errorf("%s of %s was refused to %s: %s", c.Action, m, c.Caller, c.Code)
		}
	}
	s.Stepf("AWS refused none of %d calls for %s", calls, m)
}
