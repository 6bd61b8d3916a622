package bootstrap

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

const (
	root = "../.."
	dir  = root + "/docs/bootstrap/"

	account, region, cluster = "123456789012", "eu-west-1", "prod"
	namespace                = "crossplane-system"
)

// filled returns a file with the placeholders replaced, as the page says.
func filled(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("ACCOUNT_ID", account, "REGION", region, "CLUSTER_NAME", cluster).Replace(string(b))
}

// wantPolicy returns the permissions of the two providers.
func wantPolicy(t *testing.T) any {
	t.Helper()
	return document(t, filled(t, root+"/docs/bootstrap-policy.json"))
}

// document parses JSON.
func document(t *testing.T, s string) any {
	t.Helper()
	var out any
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		t.Fatalf("%v: %s", err, s)
	}
	return out
}

// wantTrust returns the role's trust policy, where it can be limited.
func wantTrust(t *testing.T) any {
	t.Helper()
	return document(t, `{
		"Version": "2012-10-17",
		"Statement": [{
			"Effect": "Allow",
			"Principal": {"Service": "pods.eks.amazonaws.com"},
			"Action": ["sts:AssumeRole", "sts:TagSession"],
			"Condition": {"StringEquals": {
				"aws:RequestTag/eks-cluster-name": "prod",
				"aws:RequestTag/kubernetes-namespace": "crossplane-system",
				"aws:RequestTag/kubernetes-service-account": ["provider-aws-eks", "provider-aws-iam"]
			}}
		}]
	}`)
}

// serviceAccounts returns the ServiceAccounts of the providers that a manifest installs.
func serviceAccounts(t *testing.T, manifest string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "manifests", manifest))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for doc := range strings.SplitSeq(string(b), "\n---\n") {
		config := struct {
			Kind string `json:"kind"`
			Spec struct {
				ServiceAccountTemplate struct {
					Metadata struct {
						Name string `json:"name"`
					} `json:"metadata"`
				} `json:"serviceAccountTemplate"`
			} `json:"spec"`
		}{}
		if err := yaml.Unmarshal([]byte(doc), &config); err != nil {
			t.Fatal(err)
		}
		if config.Kind == "DeploymentRuntimeConfig" {
			out = append(out, config.Spec.ServiceAccountTemplate.Metadata.Name)
		}
	}
	slices.Sort(out)
	return out
}

// TestManifests checks that both manifests run the providers as the ServiceAccounts that get associations.
func TestManifests(t *testing.T) {
	want := []string{"provider-aws-eks", "provider-aws-iam"}
	for _, m := range []string{"bootstrap-providers.yaml", "bootstrap-providers-contrib.yaml"} {
		if diff := cmp.Diff(want, serviceAccounts(t, m)); diff != "" {
			t.Errorf("%s: ServiceAccounts that have associations: -want, +got:\n%s", m, diff)
		}
	}
}

// A clusterConfig is the part of eksctl's ClusterConfig that the test checks.
type clusterConfig struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name   string `json:"name"`
		Region string `json:"region"`
	} `json:"metadata"`
	Addons []struct {
		Name string `json:"name"`
	} `json:"addons"`
	IAM struct {
		PodIdentityAssociations []struct {
			Namespace          string `json:"namespace"`
			ServiceAccountName string `json:"serviceAccountName"`
			RoleName           string `json:"roleName"`
			PermissionPolicy   any    `json:"permissionPolicy"`
		} `json:"podIdentityAssociations"`
	} `json:"iam"`
}

// eksctlSchema returns the schema of a ClusterConfig that eksctl publishes. It refuses fields that eksctl does not know.
func eksctlSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", "github.com/weaveworks/eksctl").Output()
	if err != nil {
		t.Fatalf("cannot find eksctl's module: %v", err)
	}
	module := struct {
		Dir string `json:"Dir"`
	}{}
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(module.Dir, "pkg/apis/eksctl.io/v1alpha5/assets/schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestEksctl checks the ClusterConfig against eksctl's own schema, and the permissions and associations that it gives the providers.
func TestEksctl(t *testing.T) {
	content, err := yaml.YAMLToJSONStrict([]byte(filled(t, dir+"eksctl.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	schema := eksctlSchema(t)
	if err := schema.Validate(document(t, string(content))); err != nil {
		t.Errorf("eksctl does not know this: %v", err)
	}
	if err := schema.Validate(document(t, strings.Replace(string(content), "roleName", "role", 1))); err == nil {
		t.Error("the schema should refuse a field that eksctl does not know")
	}
	config := clusterConfig{}
	if err := json.Unmarshal(content, &config); err != nil {
		t.Fatal(err)
	}
	if config.Metadata.Name != cluster || config.Metadata.Region != region || len(config.Addons) != 1 || config.Addons[0].Name != "eks-pod-identity-agent" {
		t.Errorf("want %s in %s with the agent, got %+v with %+v", cluster, region, config.Metadata, config.Addons)
	}
	accounts, roles := []string{}, []string{}
	for _, a := range config.IAM.PodIdentityAssociations {
		accounts, roles = append(accounts, a.ServiceAccountName), append(roles, a.RoleName)
		if a.Namespace != namespace {
			t.Errorf("%s: want namespace %s, got %q", a.ServiceAccountName, namespace, a.Namespace)
		}
		if diff := cmp.Diff(wantPolicy(t), a.PermissionPolicy); diff != "" {
			t.Errorf("%s: permissions: -docs/bootstrap-policy.json, +eksctl.yaml:\n%s", a.ServiceAccountName, diff)
		}
	}
	slices.Sort(accounts)
	if diff := cmp.Diff(serviceAccounts(t, "bootstrap-providers.yaml"), accounts); diff != "" {
		t.Errorf("associations: -ServiceAccounts of the manifest, +eksctl.yaml:\n%s", diff)
	}
	checkRoles(t, roles)
}

// checkRoles refuses names that two associations share, because eksctl creates a role for each, and names that the policy covers.
func checkRoles(t *testing.T, roles []string) {
	t.Helper()
	if len(slices.Compact(slices.Sorted(slices.Values(roles)))) != len(roles) {
		t.Errorf("each association needs a role of its own, got %v", roles)
	}
	for _, r := range roles {
		if r == "" || strings.HasPrefix(r, "crossplane-") {
			t.Errorf("role %q: a name that begins with crossplane- lets the role change itself", r)
		}
	}
}
