package e2e

import (
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// Kinds of managed resources that need no more than a region.
var (
	bucketKind    = schema.GroupVersionKind{Group: "s3.aws.upbound.io", Version: "v1beta1", Kind: "Bucket"}
	queueKind     = schema.GroupVersionKind{Group: "sqs.aws.upbound.io", Version: "v1beta1", Kind: "Queue"}
	scheduleGroup = schema.GroupVersionKind{Group: "scheduler.aws.upbound.io", Version: "v1beta1", Kind: "ScheduleGroup"}
	logGroup      = schema.GroupVersionKind{Group: "cloudwatchlogs.aws.upbound.io", Version: "v1beta1", Kind: "Group"}
)

// A managed resource of a user.
type managed struct {
	schema.GroupVersionKind

	// Namespace is empty for a cluster-scoped one.
	Namespace, Name string
	// Fields of forProvider beside the region, as flow style YAML that begins with a comma.
	Fields string
}

// s3Bucket of a name.
func s3Bucket(name string) managed { return managed{GroupVersionKind: bucketKind, Name: name} }

// sqsQueue of a name. Without it in forProvider the provider makes one up.
func sqsQueue(name string) managed {
	return managed{GroupVersionKind: queueKind, Name: name, Fields: ", name: " + name}
}

// in a namespace, where the kind has another group.
func (m managed) in(namespace string) managed {
	m.Group, m.Namespace = strings.Replace(m.Group, ".aws.", ".aws.m.", 1), namespace
	return m
}

// service of its kind, as providers call it.
func (m managed) service() string {
	service, _, _ := strings.Cut(m.Group, ".")
	return service
}

// crd of its kind.
func (m managed) crd() string { return strings.ToLower(m.Kind) + "s." + m.Group }

func (m managed) String() string {
	if m.Namespace != "" {
		return m.Kind + " " + m.Namespace + "/" + m.Name
	}
	return m.Kind + " " + m.Name
}

// manage creates managed resources that use a ProviderConfig: that of the cluster, or of their namespace.
func (s *Scenario) manage(config string, resources ...managed) {
	s.Helper()
	for _, m := range resources {
		s.Fakes.Manage(m.service(), m.GroupVersionKind)
		in, ref := "", "name: "+config
		if m.Namespace != "" {
			in, ref = ", namespace: "+m.Namespace, "kind: ProviderConfig, name: "+config
		}
		s.Apply(fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s%s}, spec: {forProvider: {region: eu-west-1%s}, providerConfigRef: {%s}}}",
			m.GroupVersion(), m.Kind, m.Name, in, m.Fields, ref))
	}
}

// change a managed resource with a JSON merge patch.
func (s *Scenario) change(m managed, patch string) {
	s.Helper()
	s.merge(s.existing(m), patch)
}

// existing managed resource, as it is now.
func (s *Scenario) existing(m managed) *unstructured.Unstructured {
	s.Helper()
	o, err := s.found(m)
	if err != nil {
		s.Fatal(err)
	}
	return o
}

// found is a managed resource that must exist.
func (s *Scenario) found(m managed) (*unstructured.Unstructured, error) {
	o, err := s.used(m)
	if err == nil && o == nil {
		err = fmt.Errorf("there is no %s", m)
	}
	return o, err
}

// use creates managed resources that use a ProviderConfig, and waits until they are ready.
func (s *Scenario) use(config string, resources ...managed) {
	s.Helper()
	s.manage(config, resources...)
	s.ready(resources...)
}

// ready waits until managed resources are ready.
func (s *Scenario) ready(resources ...managed) {
	s.Helper()
	for _, m := range resources {
		s.Until(2*time.Minute, m.String()+" is ready", func() error { return s.notReady(m) })
	}
}

// notReady says why a managed resource is not ready. Nil if it is.
func (s *Scenario) notReady(m managed) error {
	o, err := s.found(m)
	if err != nil {
		return err
	}
	if fakes.Condition(o, "Ready")["status"] != "True" || fakes.Condition(o, "Synced")["status"] != "True" {
		return errors.New(conditions(o))
	}
	return nil
}

// refusal waits until a managed resource reports a refusal by AWS whose message has all of the parts, and returns the message.
func (s *Scenario) refusal(m managed, parts ...string) string {
	s.Helper()
	said := ""
	s.Until(2*time.Minute, m.String()+" is refused", func() error {
		o, err := s.found(m)
		if err != nil {
			return err
		}
		if said = complaint(o, parts...); said == "" {
			return errors.New(conditions(o))
		}
		return nil
	})
	return said
}

// complaint is the message of a condition that is False and has all of the parts; empty if there is none.
func complaint(o *unstructured.Unstructured, parts ...string) string {
	cs, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range cs {
		if m, ok := c.(map[string]any); ok && m["status"] == "False" && contains(fmt.Sprint(m["message"]), parts...) {
			return fmt.Sprint(m["message"])
		}
	}
	return ""
}

func contains(text string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// used is a managed resource. Nil if it or its kind does not exist.
func (s *Scenario) used(m managed) (*unstructured.Unstructured, error) {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(m.GroupVersionKind)
	err := s.Client.Get(s.ctx, client.ObjectKey{Namespace: m.Namespace, Name: m.Name}, o)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil //nolint:nilnil,nilerr // An object that does not exist is not an error.
	}
	return o, err
}

// unuse deletes managed resources, and waits until they are gone.
func (s *Scenario) unuse(resources ...managed) {
	s.Helper()
	for _, m := range resources {
		if err := s.Client.Delete(s.ctx, s.existing(m)); err != nil {
			s.Fatal(err)
		}
	}
	for _, m := range resources {
		// The real provider waits two minutes until AWS has said fifteen times that a queue does not exist.
		s.Until(4*time.Minute, m.String()+" is gone", func() error {
			o, err := s.used(m)
			if err == nil && o != nil {
				return fmt.Errorf("it is not:\n%s", conditions(o))
			}
			return err
		})
	}
}
