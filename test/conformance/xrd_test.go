package conformance

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/crd"
)

// TestRules of our XRD: what an API server refuses before the function sees it.
func TestRules(t *testing.T) {
	xr, _ := readXRD(t)
	c := checker(t, "our XRD", xr)

	cases := map[string]struct {
		reason string
		was    string // Empty: the object is created.
		is     string
		want   string // Empty: the object is accepted.
	}{
		"Minimal": {
			reason: "A cluster, a region and a service are enough.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
		},
		"NoServices": {
			reason: "Without services there is nothing to do.",
			is:     `{region: eu-west-1, clusterName: prod, services: []}`,
			want:   "spec.services",
		},
		"ServiceTwice": {
			reason: "Services are keyed by name.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}, {name: s3}]}`,
			want:   "Duplicate value",
		},
		"TwoClusters": {
			reason: "There is one way only to name the cluster.",
			is:     `{region: eu-west-1, clusterName: prod, clusterNameRef: {name: prod}, services: [{name: s3}]}`,
			want:   "at most one of clusterName",
		},
		"RoleArnWithPermissions": {
			reason: "Somebody else's role has somebody else's permissions.",
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/r", permissions: {accessLevel: Full}}]}`,
			want:   "roleArn",
		},
		"UnknownField": {
			reason: "A field that is spelled wrong is reported.",
			is:     `{region: eu-west-1, cluster: prod, services: [{name: s3}]}`,
			want:   "spec.cluster: Forbidden: unknown field",
		},
		"ServiceAdded": {
			reason: "Services come and go.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: ec2}, {name: s3}]}`,
		},
		"RegionChanged": {
			reason: "Another region would be another identity.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-2, clusterName: prod, services: [{name: s3}]}`,
			want:   "region is immutable",
		},
		"ClusterChanged": {
			reason: "Another cluster would be another identity.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: test, services: [{name: s3}]}`,
			want:   "clusterName is immutable",
		},
		"ServiceAccountChanged": {
			reason: "The association belongs to the ServiceAccount.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3, serviceAccountName: a}]}`,
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, serviceAccountName: b}]}`,
			want:   "serviceAccountName is immutable",
		},
		"RoleNameAdded": {
			reason: "It would replace the name that was generated.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3, roleName: mine}]}`,
			want:   "roleName is immutable",
		},
		"PathChanged": {
			reason: "IAM cannot move a role.",
			was:    `{region: eu-west-1, clusterName: prod, role: {path: /a/}, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, role: {path: /b/}, services: [{name: s3}]}`,
			want:   "path is immutable",
		},
		"PrefixAddedWithRole": {
			reason: "It would rename all roles, though there was nothing before that it could be compared with.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, role: {namePrefix: mine}, services: [{name: s3}]}`,
			want:   "namePrefix is immutable",
		},
		"PathRemovedWithRole": {
			reason: "It would move all roles.",
			was:    `{region: eu-west-1, clusterName: prod, role: {path: /a/}, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			want:   "path is immutable",
		},
		"DescriptionAddedWithRole": {
			reason: "What can be changed can be added.",
			was:    `{region: eu-west-1, clusterName: prod, services: [{name: s3}]}`,
			is:     `{region: eu-west-1, clusterName: prod, role: {description: mine}, services: [{name: s3}]}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			is := podIdentityProvider(t, tc.is)
			errs := c.Check(t.Context(), is)
			if tc.was != "" {
				errs = append(errs, c.CheckUpdate(t.Context(), podIdentityProvider(t, tc.was), is)...)
			}
			got := crd.Sorted(errs)
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("\n%s\nwant an error with %q, got:\n%s", tc.reason, tc.want, got)
			}
		})
	}
}

// podIdentityProvider with a spec in YAML.
func podIdentityProvider(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "aws.podidentity.dev/v1alpha1",
		"kind":       "PodIdentityProvider",
		"metadata":   map[string]any{"name": "storage"},
	}}
	s := map[string]any{}
	if err := yaml.Unmarshal([]byte(spec), &s); err != nil {
		t.Fatal(err)
	}
	u.Object["spec"] = s
	return u
}
