package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// Managed resources that somebody uses: kinds that need no more than a region.
var (
	queue         = schema.GroupVersionKind{Group: "sqs.aws.upbound.io", Version: "v1beta1", Kind: "Queue"}
	scheduleGroup = schema.GroupVersionKind{Group: "scheduler.aws.upbound.io", Version: "v1beta1", Kind: "ScheduleGroup"}
	logGroup      = schema.GroupVersionKind{Group: "cloudwatchlogs.aws.upbound.io", Version: "v1beta1", Kind: "Group"}
)

// use creates a managed resource that uses a ProviderConfig, and waits until it is ready.
func (s *Story) use(gvk schema.GroupVersionKind, name, providerConfig string) {
	s.Helper()
	service, _, _ := strings.Cut(gvk.Group, ".")
	s.Fakes.Manage(service, gvk)
	s.Apply(fmt.Sprintf(`
apiVersion: %s
kind: %s
metadata: {name: %s}
spec:
  forProvider: {region: eu-west-1}
  providerConfigRef: {name: %s}
`, gvk.GroupVersion(), gvk.Kind, name, providerConfig))
	s.Until(2*time.Minute, gvk.Kind+" "+name+" is ready", func() error {
		o, err := s.used(gvk, name)
		if err != nil || o == nil {
			return fmt.Errorf("there is none: %w", err)
		}
		if fakes.Condition(o, "Ready")["status"] != "True" || fakes.Condition(o, "Synced")["status"] != "True" {
			return errors.New(conditions(o))
		}
		return nil
	})
}

func (s *Story) used(gvk schema.GroupVersionKind, name string) (*unstructured.Unstructured, error) {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(gvk)
	err := s.Client.Get(s.ctx, client.ObjectKey{Name: name}, o)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil,nilerr // That there is none is an answer.
	}
	return o, err
}

// unuse deletes a managed resource, and waits until it is gone.
func (s *Story) unuse(gvk schema.GroupVersionKind, name string) {
	s.Helper()
	o, err := s.used(gvk, name)
	if err != nil || o == nil {
		s.Fatalf("there is no %s %s: %v", gvk.Kind, name, err)
	}
	if err := s.Client.Delete(s.ctx, o); err != nil {
		s.Fatal(err)
	}
	// The real provider waits two minutes until AWS has said fifteen times that a queue does not exist.
	s.Until(4*time.Minute, gvk.Kind+" "+name+" is gone", func() error {
		o, err := s.used(gvk, name)
		if err == nil && o != nil {
			return fmt.Errorf("it is not:\n%s", conditions(o))
		}
		return err
	})
}

// untouched fails the story if any of the objects is being deleted or gone.
func (s *Story) untouched(objects map[string]string) {
	s.Helper()
	for kind, name := range objects {
		switch o := s.Get(kind, name); {
		case o == nil:
			s.Fatalf("%s %s is gone, and somebody needs it", kind, name)
		case o.GetDeletionTimestamp() != nil:
			s.Fatalf("%s %s is being deleted, and somebody needs it", kind, name)
		}
	}
}

// ofService are the objects that a managed resource of a service needs, but for its ProviderConfig.
func ofService(service string) map[string]string {
	object := "crossplane-prod-eu-west-1-" + service
	return map[string]string{
		"Role": object, "Policy": object, "Attachment": object, "Association": object,
		"RuntimeConfig": "provider-aws-" + service, "Provider": "provider-aws-" + service,
	}
}

// foreground and background are the two ways in which Crossplane deletes what a claim has.
func foreground(s *Story) { s.teardown("Foreground", queue, "queues.sqs.aws.upbound.io") }

func background(s *Story) {
	s.teardown("Background", scheduleGroup, "schedulegroups.scheduler.aws.upbound.io")
}

// teardown of a claim that somebody's managed resource still depends on: nothing that it needs goes before it, and everything
// after it.
func (s *Story) teardown(policy string, gvk schema.GroupVersionKind, crd string) {
	service, _, _ := strings.Cut(gvk.Group, ".")
	xr := s.file("used", "[{name: "+service+"}]")
	s.Edit("used", `{"spec":{"compositeDeletePolicy":"`+policy+`"}}`)
	s.Is(4*time.Minute, "Claim", "used", "Ready=True", "TeardownProtected=True")
	s.Stepf("the claim is ready, and what it has is protected")

	config := s.Namespace + "-used"
	s.use(gvk, "theirs", config)
	s.Stepf("a %s uses it", gvk.Kind)
	s.Delete("Claim", "used")
	for range 20 {
		time.Sleep(time.Second)
		s.untouched(ofService(service))
		s.untouched(map[string]string{"CRD": crd})
		if s.Get("ProviderConfig", config) == nil {
			s.Fatalf("the ProviderConfig is gone, and a %s uses it", gvk.Kind)
		}
	}
	if deleted := s.AWS.Calls("Delete", service); len(deleted) > 0 {
		s.Fatalf("AWS was called: %v", deleted)
	}
	if policy == "Foreground" && s.Get("Claim", "used") == nil {
		s.Error("the claim is gone, though its objects are not")
	}
	s.Stepf("20 seconds after the claim was deleted everything that the %s needs is there", gvk.Kind)

	s.unuse(gvk, "theirs")
	s.Stepf("the %s is deleted, in AWS, too", gvk.Kind)
	for kind, name := range ofService(service) {
		s.Gone(4*time.Minute, kind, name)
	}
	s.Gone(time.Minute, "ProviderConfig", config)
	s.Gone(time.Minute, "XR", xr)
	s.Gone(time.Minute, "Claim", "used")
	s.Gone(2*time.Minute, "CRD", crd)
	if left := s.AWS.Has(service); len(left) > 0 {
		s.Errorf("AWS still has %v", left)
	}
	s.inOrder(service)
	s.Stepf("everything is gone, in order")
}

// inOrder fails the story unless AWS was asked to delete a service's association before what it gives access to. Among role, policy and
// attachment AWS keeps the order.
func (s *Story) inOrder(service string) {
	s.Helper()
	var got []string
	for _, c := range s.AWS.Calls("Delete", service) {
		got = append(got, strings.Fields(c)[0])
	}
	want := []string{"DeletePodIdentityAssociation", "DeletePolicy", "DeleteRole"}
	slices.Sort(got[min(1, len(got)):])
	if !slices.Equal(want, got) {
		s.Errorf("AWS was asked to %v, and should have been to %v", got, want)
	}
	if len(s.AWS.Calls("Detach", service)) == 0 {
		s.Errorf("the policy of %s was not detached from its role", service)
	}
}

// removal takes one of two services out of the claim while a managed resource of it exists.
func removal(s *Story) {
	s.file("two", "[{name: cloudwatchlogs}, {name: route53}]")
	s.Is(4*time.Minute, "Claim", "two", "Ready=True", "TeardownProtected=True")
	s.use(logGroup, "audit", s.Namespace+"-two")
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
	s.Stepf("one is taken out, and stays while it is used: %v", fakes.Condition(s.Get("Claim", "two"), "ProvidersReady")["message"])

	s.unuse(logGroup, "audit")
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
	// It counts its users.
	s.Same("the other service", before, after, "ProviderConfig/")
	s.Stepf("its log group is deleted, and then it leaves in order; nothing of the other changed")
	s.delete("two")
	s.Gone(3*time.Minute, "Provider", "provider-aws-route53")
}

// unordered is what a claim gets that wants no order: everything goes at once, in AWS, too, or not.
func unordered(s *Story) {
	for service, policy := range map[string]string{"ses": "Orphan", "backup": "Delete"} {
		xr := s.file(service, "[{name: "+service+"}]")
		s.Edit(service, `{"spec":{"teardown":"Unordered","deletionPolicy":"`+policy+`"}}`)
		claim := s.Is(4*time.Minute, "Claim", service, "Ready=True")
		if c := fakes.Condition(claim, "TeardownProtected"); c["status"] == "True" {
			s.Errorf("the claim says that it is protected: %v", c)
		}
		s.noUsages(xr)
		s.Stepf("the claim is ready, and nothing is held")
		s.Delete("Claim", service)
		for kind, name := range ofService(service) {
			s.Gone(2*time.Minute, kind, name)
		}
		s.Gone(time.Minute, "Claim", service)
		deleted, left := s.AWS.Calls("Delete", service), s.AWS.Has(service)
		switch {
		case policy == "Orphan" && (len(deleted) > 0 || len(left) != 3):
			s.Errorf("AWS was asked to %v and has %v, and should have role, policy and association still", deleted, left)
		case policy == "Delete" && len(left) > 0:
			s.Errorf("AWS has %v still", left)
		}
		s.Stepf("everything is gone at once, and with deletionPolicy %s AWS has %v", policy, left)
	}
}

// noUsages of a composite resource any more.
func (s *Story) noUsages(xr string) {
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
