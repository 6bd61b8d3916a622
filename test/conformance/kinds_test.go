package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/apiserver"
)

// TestKinds makes sure that a real API server accepts a list and a word in permissions.kinds, although no schema has a field of two types.
// The API server keeps both unchanged, refuses values that the rest of the schema excludes, and explains the field.
func TestKinds(t *testing.T) {
	t.Parallel()

	s := server(t)
	xr, _ := readXRD(t)
	// The owner is Crossplane's definition, which does not exist here.
	xr.OwnerReferences = nil
	serve(t, s, xr)
	at := apiserver.Plural(xr.Spec.Group+"/"+xr.Spec.Versions[0].Name, "", xr.Spec.Names.Plural)
	cases := map[string]struct {
		reason, kinds string
		want          any
		err           string
	}{
		"Word":   {"The word stands for kinds.", "Active", "Active", ""},
		"List":   {"A list names them.", "[BucketPolicy, Bucket]", []any{"BucketPolicy", "Bucket"}, ""},
		"Other":  {"No other word is valid.", "All", nil, "spec.services[0].permissions.kinds"},
		"Empty":  {"An empty list would permit nothing.", "[]", nil, "spec.services[0].permissions.kinds"},
		"Number": {"Kinds have names.", "[1]", nil, "spec.services[0].permissions.kinds[0]"},
		"Object": {"A value that no schema can exclude is kept, and the function refuses it.", "{a: b}", map[string]any{"a": "b"}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			name := strings.ToLower(name)
			err := s.Create(t.Context(), at, fmt.Sprintf(`
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: %s}
spec: {region: eu-west-1, clusterName: prod, services: [{name: s3, permissions: {kinds: %s}}]}
`, name, tc.kinds), apiserver.As{})
			check(t, tc.reason, tc.err, err)
			if tc.err != "" || err != nil {
				return
			}
			o, err := s.Get(t.Context(), at+"/"+name, apiserver.As{})
			if err != nil {
				t.Fatal(err)
			}
			services, _, _ := unstructured.NestedSlice(o, "spec", "services")
			got, _, _ := unstructured.NestedFieldNoCopy(services[0].(map[string]any), "permissions", "kinds") //nolint:forcetypeassert // A test may panic.
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nstored kinds: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
	published, err := s.Get(t.Context(), "/openapi/v3/apis/"+xr.Spec.Group+"/"+xr.Spec.Versions[0].Name, apiserver.As{})
	if err != nil {
		t.Fatal(err)
	}
	if doc := fmt.Sprint(published); !strings.Contains(doc, "or the word Active") {
		t.Error("kubectl explain does not mention the word that stands for kinds")
	}
}
