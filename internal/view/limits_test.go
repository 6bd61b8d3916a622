package view

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLimits(t *testing.T) {
	services := func(n int, fields string) string {
		out := make([]string, 0, n)
		for i := range n {
			out = append(out, fmt.Sprintf("{name: s%d%s}", i, fields))
		}
		return "services: [" + strings.Join(out, ", ") + "]"
	}
	kib := func(n int) string { return strings.Repeat("x", n<<10) }
	cases := map[string]struct {
		reason    string
		xr, input string
		want      []string
	}{
		"Services":     {"The schema allows 200 services,", "spec: {" + services(200, "") + "}", "", nil},
		"ManyServices": {"but no more.", "spec: {" + services(201, "") + "}", "", []string{"spec.services: Too many: 201: must have at most 200 items"}},
		"Permissions":  {"The permissions of a service may be long,", "spec: {" + services(1, ", permissions: {policyDocument: "+kib(255)+"}") + "}", "", nil},
		"LargePermissions": {
			"but are limited.", "spec: {" + services(1, ", permissions: {policyDocument: "+kib(256)+"}") + "}", "",
			[]string{"spec.services[0].permissions: Too long: may not be more than 262144 bytes"},
		},
		"LargeParts": {
			"Other parts have a lower limit, and all parts that are too long are reported.",
			"spec: {tags: {a: " + kib(64) + "}, clusterName: " + kib(64) + ", " + services(1, ", runtime: {args: ["+kib(64)+"]}") + "}", "",
			[]string{"spec.clusterName: Too long: may not be more than 65536 bytes", "spec.tags: Too long: may not be more than 65536 bytes", "spec.services[0].runtime: Too long: may not be more than 65536 bytes"},
		},
		"OfCrossplane": {"Crossplane's own fields have no limit.", "spec: {resourceRefs: [{name: " + kib(500) + "}], " + services(1, "") + "}", "", nil},
		"Shared":       {"Common settings count for each service,", "spec: {runtime: {args: [" + kib(40) + "]}, " + services(100, "") + "}", "", nil},
		"LargeShared": {
			"and their total is limited,", "spec: {runtime: {args: [" + kib(42) + "]}, " + services(100, "") + "}", "",
			[]string{"spec.services: Forbidden: 100 services share 43038 bytes of settings, and 4194304 bytes are allowed for all of them together: shorten them, or divide the services among several objects"},
		},
		"LargeSharedDefaults": {
			"also if they come from defaults.", "spec: {" + services(100, "") + "}", "defaults: {runtime: {args: [" + kib(42) + "]}}",
			[]string{"spec.services: Forbidden: 100 services share 43038 bytes of settings, and 4194304 bytes are allowed for all of them together: shorten them, or divide the services among several objects"},
		},
		"LargeInput": {
			"The Input has the same limits.", "spec: {" + services(1, "") + "}", "{defaults: {tags: {a: " + kib(64) + "}, " + services(201, "") + "}, guardrails: {allowedServices: [" + kib(64) + "]}}",
			[]string{"input.defaults.tags: Too long: may not be more than 65536 bytes", "input.defaults.services: Too many: 201: must have at most 200 items", "input.guardrails: Too long: may not be more than 65536 bytes"},
		},
		"Names": {
			"No object can have such names.", "{metadata: {name: " + kib(1) + "}, spec: {claimRef: {namespace: " + kib(1) + ", name: " + kib(1) + "}}}", "",
			[]string{"metadata.name: Too long: may not be more than 253 bytes", "spec.claimRef.namespace: Too long: may not be more than 253 bytes", "spec.claimRef.name: Too long: may not be more than 253 bytes"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, errs := From(newRequest(t, tc.xr, tc.input), nil, now())
			var got []string
			for _, err := range errs {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nFrom(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestManyErrors checks that the search for errors stops at the number that is reported.
func TestManyErrors(t *testing.T) {
	list := "[" + strings.TrimSuffix(strings.Repeat("7, ", 1000), ", ") + "]"
	_, errs := From(newRequest(t, "spec: {runtime: {args: "+list+", env: "+list+"}, managementPolicies: "+list+"}", ""), nil, now())
	if len(errs) != MaxErrors+1 {
		t.Errorf("want %d errors, got %d", MaxErrors+1, len(errs))
	}
}
