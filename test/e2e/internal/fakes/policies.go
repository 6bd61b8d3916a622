package fakes

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The policies of a managed resource, as crossplane-runtime reads them (pkg/reconciler/managed/policies.go). The API server adds the
// defaults.

const all = "*"

func policies(o *unstructured.Unstructured) []string {
	ps, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "managementPolicies")
	return ps
}

// paused says whether there is nothing that a provider may do.
func paused(o *unstructured.Unstructured) bool { return len(policies(o)) == 0 }

// allows says whether a provider may do something.
func allows(o *unstructured.Unstructured, action string) bool {
	ps := policies(o)
	return slices.Contains(ps, action) || slices.Contains(ps, all)
}

// deletes says whether the AWS resource is deleted with its managed resource. Management policies that name the deletion win over the
// deletion policy.
func deletes(o *unstructured.Unstructured) bool {
	return slices.Contains(policies(o), "Delete") || String(o, "spec", "deletionPolicy") == "Delete" && allows(o, "Delete")
}

// observed says whether a provider may only observe.
func observed(o *unstructured.Unstructured) bool {
	return slices.Equal(policies(o), []string{"Observe"})
}
