package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// untouched fails the scenario if any of the objects is gone or being deleted.
func (s *Scenario) untouched(objects map[string]string) {
	s.Helper()
	for kind, name := range objects {
		switch o := s.Get(kind, name); {
		case o == nil:
			s.Fatalf("%s %s is gone, though it is still needed", kind, name)
		case o.GetDeletionTimestamp() != nil:
			s.Fatalf("%s %s is being deleted, though it is still needed", kind, name)
		}
	}
}

// ofService are the objects that a managed resource of a service needs, except for its ProviderConfig.
func ofService(service string) map[string]string {
	object := "crossplane-prod-eu-west-1-" + service
	return map[string]string{
		"Role": object, "Policy": object, "Attachment": object, "Association": object,
		"RuntimeConfig": "provider-aws-" + service, "Provider": "provider-aws-" + service,
	}
}

// background is one of the two ways in which Crossplane deletes the resources of a claim. Bucket uses the other, which is the usual one.
func background(s *Scenario) {
	s.file("used", "[{name: scheduler}]")
	s.Edit("used", `{"spec":{"compositeDeletePolicy":"Background"}}`)
	s.Is(4*time.Minute, "Claim", "used", "Ready=True", "TeardownProtected=True")
	s.Stepf("the claim is ready, and its resources are protected")
	theirs := managed{GroupVersionKind: scheduleGroup, Name: "theirs"}
	s.use(s.Namespace+"-used", theirs)
	s.Stepf("a %s uses it", theirs.Kind)
	s.outlived("used", theirs)
}

// outlived deletes a claim that managed resources depend on: nothing that they need is deleted before them, and everything after them.
func (s *Scenario) outlived(claim string, theirs ...managed) {
	s.Helper()
	xr, config := s.XR(claim), s.Namespace+"-"+claim
	foreground := fakes.String(s.Get("Claim", claim), "spec", "compositeDeletePolicy") != "Background"
	needed := map[string]map[string]string{}
	for _, m := range theirs {
		needed[m.service()] = ofService(m.service())
	}
	s.Delete("Claim", claim)
	for range 20 {
		time.Sleep(time.Second)
		for service, objects := range needed {
			s.untouched(objects)
			if deleted := s.deletions(service); len(deleted) > 0 {
				s.Fatalf("AWS was called: %v", deleted)
			}
		}
		for _, m := range theirs {
			s.untouched(map[string]string{"CRD": m.crd()})
		}
		if s.Get("ProviderConfig", config) == nil {
			s.Fatal("the ProviderConfig is gone, though it is still used")
		}
	}
	if foreground && s.Get("Claim", claim) == nil {
		s.Error("the claim is gone, though its objects are not")
	}
	s.Stepf("20 seconds after the claim was deleted everything that its users need still exists")

	s.unuse(theirs...)
	s.Stepf("its users are deleted, also in AWS")
	for _, objects := range needed {
		for kind, name := range objects {
			s.Gone(4*time.Minute, kind, name)
		}
	}
	s.Gone(time.Minute, "ProviderConfig", config)
	s.Gone(time.Minute, "XR", xr.GetName())
	s.Gone(time.Minute, "Claim", claim)
	for _, m := range theirs {
		s.Gone(2*time.Minute, "CRD", m.crd())
	}
	for service := range needed {
		s.inOrder(service)
		if left := s.AWS.Has(service); len(left) > 0 {
			s.Errorf("AWS still has %v", left)
		}
	}
	s.Stepf("everything is deleted, in order")
}

// deletions of a service's identity that AWS was asked for, in order. Older versions of its policy, which come first, do not count.
func (s *Scenario) deletions(service string) []string {
	s.Helper()
	var out []string
	for _, c := range s.AWS.Calls("Delete", service) {
		if action := strings.Fields(c)[0]; action != "DeletePolicyVersion" {
			out = append(out, action)
		}
	}
	return out
}

// inOrder fails the scenario unless AWS was asked to delete a service's association before what it gives access to. Among role, policy
// and attachment AWS enforces the order.
func (s *Scenario) inOrder(service string) {
	s.Helper()
	got := s.deletions(service)
	want := []string{"DeletePodIdentityAssociation", "DeletePolicy", "DeleteRole"}
	slices.Sort(got[min(1, len(got)):])
	if !slices.Equal(want, got) {
		s.Errorf("AWS was asked for %v, and should have been for %v", got, want)
	}
	if len(s.AWS.Calls("Detach", service)) == 0 {
		s.Errorf("the policy of %s was not detached from its role", service)
	}
}

// removal of one of two services from the claim while a managed resource of it exists.
func removal(s *Scenario) {
	s.file("two", "[{name: cloudwatchlogs}, {name: route53}]")
	s.Is(4*time.Minute, "Claim", "two", "Ready=True", "TeardownProtected=True")
	audit := managed{GroupVersionKind: logGroup, Name: "audit"}
	s.use(s.Namespace+"-two", audit)
	s.Stepf("two services are ready, and a log group uses one of them")
	before := s.settle("two")

	s.Edit("two", `{"spec":{"services":[{"name":"route53"}]}}`)
	s.Until(2*time.Minute, "the claim says what holds the service", func() error {
		m := fmt.Sprint(fakes.Condition(s.Get("Claim", "two"), "ProvidersReady")["message"])
		if !strings.Contains(m, "cloudwatchlogs") || !strings.Contains(m, "Group audit") {
			return errors.New(m)
		}
		return nil
	})
	s.Is(time.Minute, "Claim", "two", "ProvidersReady=False/Removing", "Synced=True")
	for range 15 {
		time.Sleep(time.Second)
		s.untouched(ofService("cloudwatchlogs"))
	}
	s.Stepf("one service is removed from the claim, and its resources stay while they are used: %v", fakes.Condition(s.Get("Claim", "two"), "ProvidersReady")["message"])

	s.unuse(audit)
	for kind, name := range ofService("cloudwatchlogs") {
		s.Gone(4*time.Minute, kind, name)
		if s.Get("XR", s.XR("two").GetName()) == nil {
			s.Fatal("the composite resource is gone")
		}
	}
	s.Is(2*time.Minute, "Claim", "two", "Ready=True", "Synced=True", "TeardownProtected=True")
	s.inOrder("cloudwatchlogs")
	after := s.settle("two")
	for k := range before {
		if strings.Contains(k, "cloudwatchlogs") {
			delete(before, k)
		}
	}
	// The ProviderConfig counts its users.
	s.Same("the other service", before, after, "ProviderConfig/")
	s.Stepf("the log group is deleted, and then the service, in order; nothing of the other service changed")
	s.delete("two")
	s.Gone(3*time.Minute, "Provider", "provider-aws-route53")
}

// unordered deletion: everything is deleted at once. The deletion policy decides whether AWS keeps its part.
func unordered(s *Scenario) {
	for service, policy := range map[string]string{"ses": "Orphan", "backup": "Delete"} {
		xr := s.file(service, "[{name: "+service+"}]")
		s.Edit(service, `{"spec":{"teardown":"Unordered","deletionPolicy":"`+policy+`"}}`)
		claim := s.Is(4*time.Minute, "Claim", service, "Ready=True")
		if c := fakes.Condition(claim, "TeardownProtected"); c["status"] == "True" {
			s.Errorf("the claim says that it is protected: %v", c)
		}
		s.noUsages(xr)
		s.Stepf("the claim is ready, and nothing is protected")
		s.Delete("Claim", service)
		for kind, name := range ofService(service) {
			s.Gone(2*time.Minute, kind, name)
		}
		s.Gone(time.Minute, "Claim", service)
		deleted, left := s.AWS.Calls("Delete", service), s.AWS.Has(service)
		switch {
		case policy == "Orphan" && (len(deleted) > 0 || len(left) != 3):
			s.Errorf("AWS was asked for %v and has %v, and should still have role, policy and association", deleted, left)
		case policy == "Delete" && len(left) > 0:
			s.Errorf("AWS still has %v", left)
		}
		s.Stepf("everything is deleted at once, and with deletionPolicy %s AWS has %v", policy, left)
	}
}

// noUsages waits until a composite resource has no Usages.
func (s *Scenario) noUsages(xr string) {
	s.Helper()
	s.Until(2*time.Minute, "there are no Usages", func() error {
		var names []string
		for _, u := range s.list(kinds["Usage"]) {
			if strings.HasPrefix(u.GetName(), xr+"-usage-") {
				names = append(names, u.GetName())
			}
		}
		refs, _, _ := unstructured.NestedSlice(s.Get("XR", xr).Object, "spec", "resourceRefs")
		for _, r := range refs {
			if m, ok := r.(map[string]any); ok && m["kind"] == "Usage" {
				names = append(names, fmt.Sprint(m["name"]))
			}
		}
		if len(names) > 0 {
			return fmt.Errorf("there are %v", names)
		}
		return nil
	})
}
