package conformance

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/apiserver"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/conformance/internal/crd"
)

const (
	// crossplaneEdit has the API groups of a provider, as the RBAC manager adds them to crossplane-edit, including its ProviderConfigs:
	// https://github.com/crossplane/crossplane/blob/v2.4.2/internal/controller/rbac/provider/roles/roles.go#L139
	crossplaneEdit = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: crossplane-edit}
rules:
- {apiGroups: [aws.m.upbound.io, s3.aws.m.upbound.io, aws.upbound.io, s3.aws.upbound.io], resources: ["*"], verbs: ["*"]}
- {apiGroups: [""], resources: [secrets], verbs: ["*"]}
`
	ownRole = "arn:aws:iam::111122223333:role/crossplane/prod/team-a/crossplane-prod-eu-west-1-team-a-storage"
)

// alice is a user of team-a, and has crossplane-edit in its namespace.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var alice = apiserver.As{User: "alice", Groups: []string{"system:authenticated"}}

// bob is a user of team-a, and has the Role of docs/tenants-teams.md.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var bob = apiserver.As{User: "bob", Groups: []string{"system:authenticated"}}

// TestTenantIsolation applies manifests/tenant-isolation.yaml to a real API server. A team then tries the actions that crossplane-edit
// allows.
func TestTenantIsolation(t *testing.T) {
	s := isolated(t)
	configs, buckets := apiserver.Plural("aws.m.upbound.io/v1beta1", "team-a", "providerconfigs"), apiserver.Plural("s3.aws.m.upbound.io/v1beta1", "team-a", "buckets")
	crossplane, provider, others := apiserver.ServiceAccount("crossplane-system", "crossplane"), apiserver.ServiceAccount("crossplane-system", "provider-aws-s3"), apiserver.ServiceAccount("crossplane-system", "provider-kubernetes")

	const (
		beginWith = "must begin with a role of this namespace, whose ARN has role/crossplane/prod/team-a/"
		mustBe    = "must be PodIdentity or Secret"
		ownConfig = "must have kind: ProviderConfig"
	)
	config := func(spec string) string {
		return "{apiVersion: aws.m.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: x, namespace: team-a}, spec: {" + spec + "}}"
	}
	chain := func(arns ...string) string {
		hops := make([]string, 0, len(arns))
		for _, a := range arns {
			hops = append(hops, fmt.Sprintf("{roleARN: %q}", a))
		}
		return config("credentials: {source: PodIdentity}, assumeRoleChain: [" + strings.Join(hops, ", ") + "]")
	}
	bucket := func(ref string) string {
		return "{apiVersion: s3.aws.m.upbound.io/v1beta1, kind: Bucket, metadata: {name: x, namespace: team-a}, spec: {forProvider: {region: eu-west-1}" + ref + "}}"
	}
	const secret = "credentials: {source: Secret, secretRef: {name: aws, namespace: team-a, key: credentials}}"

	for name, tc := range map[string]struct {
		reason       string
		path, object string
		as           apiserver.As
		want         string // Empty: the object is admitted.
	}{
		"OwnRole":         {"A ProviderConfig as a tenant's claim creates it is admitted.", configs, chain(ownRole), alice, ""},
		"OwnRoleAndMore":  {"The permissions of the team's role decide which roles may follow.", configs, chain(ownRole, "arn:aws:iam::444455556666:role/theirs"), alice, ""},
		"OwnRoleChina":    {"Other partitions have the same paths.", configs, chain(strings.Replace(ownRole, "arn:aws:", "arn:aws-cn:", 1)), alice, ""},
		"OwnSecret":       {"A Secret is the team's own identity.", configs, config(secret), alice, ""},
		"NoIdentity":      {"A ProviderConfig without any identity is harmless.", configs, config("credentials: {source: None}"), alice, ""},
		"NoChain":         {"A team cannot use the provider's own role.", configs, config("credentials: {source: PodIdentity}"), alice, beginWith},
		"EmptyChain":      {"An empty chain is the provider's own role, too.", configs, config("credentials: {source: PodIdentity}, assumeRoleChain: []"), alice, beginWith},
		"NoARN":           {"A hop without a role ARN is refused.", configs, config("credentials: {source: PodIdentity}, assumeRoleChain: [{externalID: xx}]"), alice, beginWith},
		"OtherTeam":       {"A team cannot use another team's role.", configs, chain(strings.Replace(ownRole, "team-a", "team-b", 1)), alice, beginWith},
		"OtherTeamFirst":  {"A team cannot reach its role through another team's role.", configs, chain(strings.Replace(ownRole, "team-a", "team-b", 1), ownRole), alice, beginWith},
		"LongerNamespace": {"The name of another namespace may begin with the team's.", configs, chain(strings.Replace(ownRole, "/team-a/", "/team-a-b/", 1)), alice, beginWith},
		"PathInName":      {"A name is not a path.", configs, chain("arn:aws:iam::111122223333:role/crossplane-prod-team-a-x"), alice, beginWith},
		"PathFurtherIn":   {"The path must come first.", configs, chain("arn:aws:iam::111122223333:role/x/crossplane/prod/team-a/x"), alice, beginWith},
		"PathAfterColon":  {"An ARN has six parts.", configs, chain("arn:aws:iam::111122223333:role/x:role/crossplane/prod/team-a/x"), alice, beginWith},
		"OtherService":    {"The ARN must be one of IAM.", configs, chain(strings.Replace(ownRole, ":iam:", ":sts:", 1)), alice, beginWith},
		"LetterCase":      {"Paths are case-sensitive.", configs, chain(strings.Replace(ownRole, "team-a", "Team-A", 1)), alice, beginWith},
		"IRSA":            {"IRSA is another identity of the provider.", configs, config("credentials: {source: IRSA}, assumeRoleChain: [{roleARN: '" + ownRole + "'}]"), alice, mustBe},
		"WebIdentity":     {"A web identity can be any role that trusts the provider's ServiceAccount.", configs, config("credentials: {source: WebIdentity, webIdentity: {roleARN: 'arn:aws:iam::111122223333:role/x'}}"), alice, mustBe},
		"Upbound":         {"The same applies to Upbound's web identity.", configs, config("credentials: {source: Upbound, upbound: {webIdentity: {roleARN: 'arn:aws:iam::111122223333:role/x'}}}"), alice, mustBe},
		"Crossplane":      {"Resources that Compositions compose are admitted.", configs, config("credentials: {source: PodIdentity}"), crossplane, ""},
		"OtherController": {"Other controllers in Crossplane's namespace may act for teams, so they are checked.", configs, config("credentials: {source: PodIdentity}"), others, beginWith},
		"OtherNamespace":  {"The team has no rights elsewhere.", apiserver.Plural("aws.m.upbound.io/v1beta1", "team-b", "providerconfigs"), strings.Replace(chain(ownRole), "namespace: team-a", "namespace: team-b", 1), alice, "forbidden"},
		"ClusterConfig":   {"The team has no rights on cluster-scoped objects.", apiserver.Plural("aws.m.upbound.io/v1beta1", "", "clusterproviderconfigs"), "{apiVersion: aws.m.upbound.io/v1beta1, kind: ClusterProviderConfig, metadata: {name: x}, spec: {" + secret + "}}", alice, "forbidden"},

		"Bucket":                {"A managed resource may use the team's ProviderConfig.", buckets, bucket(", providerConfigRef: {kind: ProviderConfig, name: storage}"), alice, ""},
		"BucketDefault":         {"Without a reference, a managed resource uses the ClusterProviderConfig default.", buckets, bucket(""), alice, ownConfig},
		"BucketCluster":         {"A managed resource cannot use a ClusterProviderConfig.", buckets, bucket(", providerConfigRef: {kind: ClusterProviderConfig, name: platform}"), alice, ownConfig},
		"BucketOfComposition":   {"Resources that Compositions compose are admitted.", buckets, bucket(", providerConfigRef: {kind: ClusterProviderConfig, name: platform}"), crossplane, ""},
		"BucketOfController":    {"Other controllers in Crossplane's namespace may act for teams, so they are checked.", buckets, bucket(", providerConfigRef: {kind: ClusterProviderConfig, name: platform}"), others, ownConfig},
		"BucketElsewhere":       {"Namespaces without the label are not checked.", strings.Replace(buckets, "team-a", "default", 1), strings.Replace(bucket(""), "namespace: team-a", "namespace: default", 1), apiserver.As{}, ""},
		"SomethingElse":         {"Kinds of other groups are not checked.", apiserver.Plural("v1", "team-a", "secrets"), "{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: team-a}}", alice, ""},
		"BucketOfAdministrator": {"The rule also applies to administrators.", buckets, bucket(""), apiserver.As{}, ownConfig},
	} {
		t.Run("Create/"+name, func(t *testing.T) {
			check(t, tc.reason, tc.want, s.Create(t.Context(), tc.path+"?dryRun=All", tc.object, tc.as))
		})
	}

	// Existing objects, as Crossplane created them.
	for path, object := range map[string]string{
		configs: strings.Replace(config("credentials: {source: PodIdentity}"), "name: x", "name: theirs", 1),
		buckets: strings.Replace(bucket(", providerConfigRef: {kind: ClusterProviderConfig, name: platform}"), "name: x", "name: theirs", 1),
	} {
		if err := s.Create(t.Context(), path, object, crossplane); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Create(t.Context(), configs, strings.Replace(chain(ownRole), "name: x", "name: storage", 1), crossplane); err != nil {
		t.Fatal(err)
	}
	const finalizer = `{metadata: {finalizers: [in-use.example.org]}}`
	for name, tc := range map[string]struct {
		reason      string
		path, patch string
		as          apiserver.As
		want        string
	}{
		"Finalizer":          {"A provider may add its finalizer to a ProviderConfig in use.", configs + "/theirs", finalizer, provider, ""},
		"Leave":              {"A team cannot remove the chain from its ProviderConfig.", configs + "/storage", `{spec: {assumeRoleChain: null}}`, alice, beginWith},
		"Elsewhere":          {"A team cannot change the chain to another team's role.", configs + "/storage", `{spec: {assumeRoleChain: [{roleARN: "arn:aws:iam::111122223333:role/crossplane/prod/team-b/x"}]}}`, alice, beginWith},
		"Stay":               {"A team may change the external ID of its own role.", configs + "/storage", `{spec: {assumeRoleChain: [{roleARN: "` + ownRole + `", externalID: other}]}}`, alice, ""},
		"BucketFinalizer":    {"A provider may update an existing managed resource.", buckets + "/theirs", `{metadata: {finalizers: [finalizer.managedresource.crossplane.io], annotations: {crossplane.io/external-name: x}}, spec: {forProvider: {region: eu-west-2}}}`, provider, ""},
		"BucketRedirected":   {"A provider cannot change its identity.", buckets + "/theirs", `{spec: {providerConfigRef: {name: other}}}`, others, ownConfig},
		"BucketTaken":        {"A team cannot change a managed resource that a Composition created with another identity.", buckets + "/theirs", `{metadata: {annotations: {crossplane.io/external-name: of-somebody-else}}}`, alice, ownConfig},
		"BucketOwnConfig":    {"A team may change it to its own ProviderConfig.", buckets + "/theirs", `{spec: {providerConfigRef: {kind: ProviderConfig, name: storage}}}`, alice, ""},
		"BucketOfComposer":   {"Crossplane may apply its composed resources.", buckets + "/theirs", `{spec: {forProvider: {region: eu-west-3}}}`, crossplane, ""},
		"BucketGarbage":      {"Kubernetes may change finalizers.", buckets + "/theirs", finalizer, apiserver.ServiceAccount("kube-system", "generic-garbage-collector"), ""},
		"BucketGarbageTaken": {"Kubernetes may change nothing else.", buckets + "/theirs", `{spec: {providerConfigRef: {name: other}}}`, apiserver.ServiceAccount("kube-system", "generic-garbage-collector"), ownConfig},
	} {
		t.Run("Change/"+name, func(t *testing.T) {
			check(t, tc.reason, tc.want, s.Change(t.Context(), tc.path+"?dryRun=All", tc.patch, tc.as))
		})
	}

	const (
		namespaces = "/api/v1/namespaces/"
		unlabel    = `{metadata: {labels: {aws.podidentity.dev/tenant: null}}}`
	)
	if err := s.Change(t.Context(), namespaces+"team-b", unlabel, apiserver.As{}); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		reason    string
		namespace string
		as        apiserver.As
		want      string
	}{
		"Labelled":     {"The namespace of a team is not deleted, and the message says what to do.", "team-a", apiserver.As{}, "kubectl label namespace team-a aws.podidentity.dev/tenant-"},
		"OfController": {"A controller, such as one for GitOps, cannot delete it either.", "team-a", others, "wait until they are gone"},
		"LabelRemoved": {"Without the label a namespace can be deleted.", "team-b", apiserver.As{}, ""},
		"Unlabelled":   {"Other namespaces are not protected.", "crossplane-system", apiserver.As{}, ""},
	} {
		t.Run("DeleteNamespace/"+name, func(t *testing.T) {
			check(t, tc.reason, tc.want, s.Delete(t.Context(), namespaces+tc.namespace+"?dryRun=All", tc.as))
		})
	}
	check(t, "A team cannot remove the label.", "forbidden", s.Change(t.Context(), namespaces+"team-a?dryRun=All", unlabel, alice))

	// The Role in docs/tenants-teams.md is enough to use a ProviderConfig, and not enough to write one.
	check(t, "A team with the page's Role may create a bucket.", "", s.Create(t.Context(), buckets+"?dryRun=All", bucket(", providerConfigRef: {kind: ProviderConfig, name: storage}"), bob))
	_, err := s.Get(t.Context(), configs+"/storage", bob)
	check(t, "It may read its ProviderConfig.", "", err)
	check(t, "It may not write one.", "forbidden", s.Create(t.Context(), configs+"?dryRun=All", chain(ownRole), bob))
}

func check(t *testing.T, reason, want string, err error) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s\nwant it to be admitted, got: %v", reason, err)
	case want != "" && err == nil:
		t.Errorf("%s\nit was admitted, want an error: %s", reason, want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("%s\nwant %q, got: %v", reason, want, err)
	}
}

// isolated starts an API server that enforces manifests/tenant-isolation.yaml, with the kinds of provider-aws and two teams.
func isolated(t *testing.T) *apiserver.Server {
	t.Helper()
	root, _ := load(t)
	s := server(t)
	crds := filepath.Join(moduleDir(t, "github.com/upbound/provider-aws/v2", "v2.5.0"), "package/crds")
	for _, name := range []string{"aws.m.upbound.io_providerconfigs", "aws.m.upbound.io_clusterproviderconfigs", "s3.aws.m.upbound.io_buckets"} {
		installCRD(t, s, filepath.Join(crds, name+".yaml"))
	}
	must := func(path, object string) {
		t.Helper()
		if err := s.Create(t.Context(), path, object, apiserver.As{}); err != nil {
			t.Fatal(err)
		}
	}
	must("/apis/rbac.authorization.k8s.io/v1/clusterroles", crossplaneEdit)
	for _, ns := range []string{"crossplane-system", "team-a", "team-b"} {
		label := ""
		if strings.HasPrefix(ns, "team-") {
			label = "labels: {aws.podidentity.dev/tenant: 'true'}"
		}
		must("/api/v1/namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: "+ns+", "+label+"}}")
	}
	must("/apis/rbac.authorization.k8s.io/v1/namespaces/team-a/rolebindings", `
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: alice, namespace: team-a}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: crossplane-edit}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}]}`)
	must("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", `
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: controllers}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:serviceaccounts"}]}`)
	page, err := os.ReadFile(filepath.Join(root, "docs/tenants-teams.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, role, ok := strings.Cut(string(page), "```yaml\napiVersion: rbac.authorization.k8s.io/v1\n")
	if !ok {
		t.Fatal("docs/tenants-teams.md has no Role")
	}
	role, _, _ = strings.Cut(role, "```")
	must("/apis/rbac.authorization.k8s.io/v1/namespaces/team-a/roles", "apiVersion: rbac.authorization.k8s.io/v1\n"+role)
	must("/apis/rbac.authorization.k8s.io/v1/namespaces/team-a/rolebindings", `
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bob, namespace: team-a}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: uses-aws}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: bob}]}`)
	b, err := os.ReadFile(filepath.Join(root, "manifests/tenant-isolation.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range separator.Split(string(b), -1) {
		kind := struct {
			Kind string `json:"kind"`
		}{}
		if err := yaml.Unmarshal([]byte(doc), &kind); err != nil {
			t.Fatal(err)
		}
		plural := map[string]string{"ValidatingAdmissionPolicy": "validatingadmissionpolicies", "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings"}[kind.Kind]
		must("/apis/admissionregistration.k8s.io/v1/"+plural, doc)
	}
	inForce(t, s)
	return s
}

// inForce waits until the API server enforces all policies: it compiles new ones in the background.
func inForce(t *testing.T, s *apiserver.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for path, object := range map[string]string{
		apiserver.Plural("aws.m.upbound.io/v1beta1", "team-a", "providerconfigs"): "{apiVersion: aws.m.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: x}, spec: {credentials: {source: PodIdentity}}}",
		apiserver.Plural("s3.aws.m.upbound.io/v1beta1", "team-a", "buckets"):      "{apiVersion: s3.aws.m.upbound.io/v1beta1, kind: Bucket, metadata: {name: x}, spec: {forProvider: {region: eu-west-1}}}",
	} {
		for s.Create(ctx, path+"?dryRun=All", object, apiserver.As{}) == nil {
			time.Sleep(100 * time.Millisecond)
		}
	}
	for s.Delete(ctx, "/api/v1/namespaces/team-a?dryRun=All", apiserver.As{}) == nil {
		time.Sleep(100 * time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Fatal("the API server does not enforce the policies")
	}
}

// server starts an API server that ends with the test. Its first build takes minutes, so make e2e runs the tests that need it.
func server(t *testing.T) *apiserver.Server {
	t.Helper()
	if os.Getenv("E2E") == "" {
		t.Skip("E2E is not set: make e2e runs this on a real API server")
	}
	root := repository(t)
	s, err := apiserver.Start(t.Context(), t.TempDir(), func(name string) (string, error) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(root, "hack", "tool.sh"), name)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	})
	if err != nil {
		t.Fatal(err)
	}
	// The context of a test ends before its cleanup.
	t.Cleanup(s.Wait)
	return s
}

// installCRD installs the CRD in a file, and waits until it is served.
func installCRD(t *testing.T, s *apiserver.Server, file string) {
	t.Helper()
	d, err := crd.ReadCRD(file)
	if err != nil {
		t.Fatal(err)
	}
	// There is no conversion webhook.
	d.Spec.Conversion = &extv1.CustomResourceConversion{Strategy: extv1.NoneConverter}
	serve(t, s, d)
}

// serve creates a CRD, and waits until its kind is served.
func serve(t *testing.T, s *apiserver.Server, d *extv1.CustomResourceDefinition) {
	t.Helper()
	b, err := yaml.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", string(b), apiserver.As{}); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		if _, err = s.Get(t.Context(), apiserver.Plural(d.Spec.Group+"/"+d.Spec.Versions[0].Name, "", d.Spec.Names.Plural), apiserver.As{}); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s is not served: %v", d.GetName(), err)
}
