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
	queue    = schema.GroupVersionKind{Group: "sqs.aws.upbound.io", Version: "v1beta1", Kind: "Queue"}
	logGroup = schema.GroupVersionKind{Group: "cloudwatchlogs.aws.upbound.io", Version: "v1beta1", Kind: "Group"}
)

// use creates a managed resource that uses a ProviderConfig, and waits until it is ready.
func (s *Story) use(gvk schema.GroupVersionKind, name, providerConfig string) {
	s.Helper()
	service, _, _ := strings.Cut(gvk.Group, ".")
	s.AWS.Manage(service, gvk)
	s.Apply(fmt.Sprintf(`
apiVersion: %s
kind: %s
metadata: {name: %s}
spec:
  forProvider: {region: eu-west-1}
  providerConfigRef: {name: %s}
`, gvk.GroupVersion(), gvk.Kind, name, providerConfig))
	s.Until(time.Minute, gvk.Kind+" "+name+" is ready", func() error {
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
	s.Until(2*time.Minute, gvk.Kind+" "+name+" is gone", func() error {
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

// teardown of a claim that somebody's Queue still depends on: nothing that it needs goes before it, and everything after it.
func teardown(s *Story) {
	for _, policy := range []string{"Foreground", "Background"} {
		claim := "queues-" + strings.ToLower(policy)
		xr := s.file(claim, "[{name: sqs}]")
		s.Edit(claim, `{"spec":{"compositeDeletePolicy":"`+policy+`"}}`)
		s.Is(4*time.Minute, "Claim", claim, "Ready=True", "TeardownProtected=True")
		s.Stepf("%s: the claim is ready, and what it has is protected", policy)

		config := s.Namespace + "-" + claim
		s.use(queue, "orders", config)
		s.Stepf("a Queue uses it")
		calls := len(s.AWS.Calls("Delete"))
		s.Delete("Claim", claim)
		for range 20 {
			time.Sleep(time.Second)
			s.untouched(ofService("sqs"))
			s.untouched(map[string]string{"CRD": "queues.sqs.aws.upbound.io"})
			if s.Get("ProviderConfig", config) == nil {
				s.Fatal("the ProviderConfig is gone, and a Queue uses it")
			}
		}
		if deleted := s.AWS.Calls("Delete")[calls:]; len(deleted) > 0 {
			s.Fatalf("AWS was called: %v", deleted)
		}
		if policy == "Foreground" && s.Get("Claim", claim) == nil {
			s.Error("the claim is gone, though its objects are not")
		}
		s.Stepf("20 seconds after the claim was deleted everything that the Queue needs is there")

		s.unuse(queue, "orders")
		s.Stepf("the Queue is deleted, in AWS, too")
		for kind, name := range ofService("sqs") {
			s.Gone(3*time.Minute, kind, name)
		}
		s.Gone(time.Minute, "ProviderConfig", config)
		s.Gone(time.Minute, "XR", xr)
		s.Gone(time.Minute, "Claim", claim)
		s.Gone(2*time.Minute, "CRD", "queues.sqs.aws.upbound.io")
		if left := s.AWS.Has("sqs"); len(left) > 0 {
			s.Errorf("AWS still has %v", left)
		}
		s.inOrder(s.AWS.Calls("Delete")[calls:], s.AWS.Calls("Detach"), "sqs")
		s.Stepf("everything is gone, in order")
	}
}

// inOrder fails the story unless AWS was asked to delete a service's identity from the outside in.
func (s *Story) inOrder(deleted, detached []string, service string) {
	s.Helper()
	var got []string
	for _, c := range deleted {
		if strings.Contains(c, service) {
			got = append(got, strings.Fields(c)[0])
		}
	}
	want := []string{"DeletePodIdentityAssociation", "DeleteRole", "DeletePolicy"}
	if !slices.Equal(want, got) {
		s.Errorf("AWS was asked to %v, and should have been to %v", got, want)
	}
	if !slices.ContainsFunc(detached, func(c string) bool { return strings.Contains(c, service) }) {
		s.Errorf("the policy of %s was not detached before its role was deleted: %v", service, detached)
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

	calls := len(s.AWS.Calls("Delete"))
	s.unuse(logGroup, "audit")
	for kind, name := range ofService("cloudwatchlogs") {
		s.Gone(4*time.Minute, kind, name)
		if s.Get("XR", s.XR("two").GetName()) == nil {
			s.Fatal("the composite resource is gone")
		}
	}
	s.Is(2*time.Minute, "Claim", "two", "Ready=True", "Synced=True", "TeardownProtected=True")
	deleted := slices.DeleteFunc(s.AWS.Calls("Delete")[calls:], func(c string) bool { return strings.Contains(c, "audit") })
	s.inOrder(deleted, s.AWS.Calls("Detach"), "cloudwatchlogs")
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

// unordered is what a claim gets that wants no order, and nothing deleted in AWS.
func unordered(s *Story) {
	xr := s.file("loose", "[{name: ses}]")
	s.Edit("loose", `{"spec":{"teardown":"Unordered","deletionPolicy":"Orphan"}}`)
	claim := s.Is(4*time.Minute, "Claim", "loose", "Ready=True")
	if c := fakes.Condition(claim, "TeardownProtected"); c["status"] == "True" {
		s.Errorf("the claim says that it is protected: %v", c)
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.crossplane.io", Version: "v1beta1", Kind: "Usage"})
	s.Until(time.Minute, "there are no Usages", func() error {
		if err := s.Client.List(s.ctx, list, client.MatchingLabels{"crossplane.io/composite": xr}); err != nil {
			return err
		}
		if n := len(list.Items); n > 0 {
			return fmt.Errorf("there are %d", n)
		}
		return nil
	})
	s.Stepf("the claim is ready, and nothing is held")
	calls := len(s.AWS.Calls("Delete"))
	s.Delete("Claim", "loose")
	for kind, name := range ofService("ses") {
		s.Gone(2*time.Minute, kind, name)
	}
	s.Gone(time.Minute, "Claim", "loose")
	if deleted := s.AWS.Calls("Delete")[calls:]; len(deleted) > 0 {
		s.Errorf("AWS was asked to %v, though the policy is Orphan", deleted)
	}
	if left := s.AWS.Has("ses"); len(left) != 3 {
		s.Errorf("AWS has %v, and should have role, policy and association still", left)
	}
	s.Stepf("everything is gone at once, and AWS has it still")
}
