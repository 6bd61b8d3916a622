package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
)

// now is the time of the tests: eight months after the release of v2.5.0.
var now = time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)

// kinds maps the resources that are read to their list kinds.
var kinds = map[schema.GroupVersionResource]string{
	{Group: "pkg.crossplane.io", Version: "v1", Resource: "providers"}:                     "ProviderList",
	{Group: "pkg.crossplane.io", Version: "v1", Resource: "providerrevisions"}:             "ProviderRevisionList",
	{Group: "pkg.crossplane.io", Version: "v1beta1", Resource: "deploymentruntimeconfigs"}: "DeploymentRuntimeConfigList",
	{Group: "pkg.crossplane.io", Version: "v1beta1", Resource: "imageconfigs"}:             "ImageConfigList",
	{Version: "v1", Resource: "pods"}:                                                      "PodList",
	{Version: "v1", Resource: "serviceaccounts"}:                                           "ServiceAccountList",
	{Group: "apps", Version: "v1", Resource: "daemonsets"}:                                 "DaemonSetList",
	{Group: "aws.upbound.io", Version: "v1beta1", Resource: "providerconfigs"}:             "ProviderConfigList",
	{Group: "aws.m.upbound.io", Version: "v1beta1", Resource: "clusterproviderconfigs"}:    "ClusterProviderConfigList",
	{Group: "eks.aws.upbound.io", Version: "v1beta1", Resource: "podidentityassociations"}: "PodIdentityAssociationList",
	{Group: "aws.podidentity.dev", Version: "v1alpha1", Resource: "podidentityproviders"}:  "PodIdentityProviderList",
	{Group: "aws.podidentity.dev", Version: "v1alpha1", Resource: "podidentitytenants"}:    "PodIdentityTenantList",
}

// agent is a healthy Pod Identity agent.
const agent = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: eks-pod-identity-agent, namespace: kube-system}
status: {desiredNumberScheduled: 2, numberReady: 2}
`

// provider returns a healthy Provider of a package, with its own DeploymentRuntimeConfig and revision. All share one name with its
// ServiceAccount.
func provider(name, source string) string {
	return fmt.Sprintf(`
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: %[1]s}
spec: {package: "%[2]s", runtimeConfigRef: {name: %[1]s}}
status: {currentRevision: %[1]s-1, conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}]}
---
apiVersion: pkg.crossplane.io/v1
kind: ProviderRevision
metadata: {name: %[1]s-1}
status: {conditions: [{type: Healthy, status: "True"}], objectRefs: [{kind: CustomResourceDefinition, name: x}]}
---
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata: {name: %[1]s}
spec: {serviceAccountTemplate: {metadata: {name: %[1]s}}}
---
`, name, source)
}

// pod returns a Pod of a provider with environment variables.
func pod(provider, account string, env ...string) string {
	variables := make([]string, 0, len(env))
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		variables = append(variables, fmt.Sprintf("{name: %s, value: %q}", name, value))
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %[1]s-1-abc, namespace: crossplane-system, labels: {pkg.crossplane.io/revision: %[1]s-1}}
spec: {serviceAccountName: %[2]s, containers: [{name: package-runtime, env: [%[3]s]}]}
status: {phase: Running}
---
`, provider, account, strings.Join(variables, ", "))
}

// association returns the PodIdentityAssociation of a ServiceAccount.
func association(account string) string {
	return fmt.Sprintf(`
apiVersion: eks.aws.upbound.io/v1beta1
kind: PodIdentityAssociation
metadata: {name: prod-%[1]s}
spec: {forProvider: {namespace: crossplane-system, serviceAccount: %[1]s, roleArn: "arn:aws:iam::123456789012:role/%[1]s"}}
status: {atProvider: {associationId: a-1}}
---
`, account)
}

const (
	injected = "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials"
	s3       = "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0"
	family   = "xpkg.upbound.io/upbound/provider-family-aws:v2.5.0"
)

// client returns a client for a cluster that holds the given objects.
func client(t *testing.T, content string) *fake.FakeDynamicClient {
	t.Helper()
	var objects []runtime.Object
	d := yaml.NewYAMLOrJSONDecoder(strings.NewReader(content), 4096)
	for {
		raw := runtime.RawExtension{}
		err := d.Decode(&raw)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("cannot parse the cluster: %v", err)
		}
		if len(raw.Raw) == 0 || string(raw.Raw) == "null" {
			continue
		}
		// Decode as a client does, so that numbers are integers.
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(raw.Raw); err != nil {
			t.Fatalf("cannot parse the cluster: %v", err)
		}
		objects = append(objects, u)
	}
	return fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, objects...)
}

// refuse makes the client fail to list a resource.
func refuse(c *fake.FakeDynamicClient, resource string, err error) {
	c.PrependReactor("list", resource, func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, err })
}

func doctor(t *testing.T, content string) *report {
	t.Helper()
	c, err := read(t.Context(), client(t, content), "crossplane-system")
	if err != nil {
		t.Fatal(err)
	}
	return diagnose(c, now)
}

func TestProviders(t *testing.T) {
	cases := map[string]struct {
		reason  string
		cluster string
		want    providerReport
	}{
		"PodIdentity": {
			"The association that Crossplane manages gives the role.",
			provider("provider-aws-s3", s3) + pod("provider-aws-s3", "provider-aws-s3", injected) + association("provider-aws-s3"),
			providerReport{"provider-aws-s3", s3, "provider-aws-s3", "arn:aws:iam::123456789012:role/provider-aws-s3", "a-1", "Pod Identity"},
		},
		"Elsewhere": {
			"An association that is not managed in this cluster is unknown.",
			provider("provider-aws-s3", s3) + pod("provider-aws-s3", "provider-aws-s3", injected),
			providerReport{"provider-aws-s3", s3, "provider-aws-s3", "", "", "Pod Identity"},
		},
		"IRSA": {
			"The role comes from the pod,",
			provider("provider-aws-s3", s3) + pod("provider-aws-s3", "irsa", "AWS_WEB_IDENTITY_TOKEN_FILE=/token", "AWS_ROLE_ARN=arn:aws:iam::1:role/irsa"),
			providerReport{"provider-aws-s3", s3, "irsa", "arn:aws:iam::1:role/irsa", "", "IRSA"},
		},
		"IRSAOfAccount": {
			"or from its ServiceAccount.",
			provider("provider-aws-s3", s3) + pod("provider-aws-s3", "irsa", "AWS_WEB_IDENTITY_TOKEN_FILE=/token") +
				`{apiVersion: v1, kind: ServiceAccount, metadata: {name: irsa, namespace: crossplane-system, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/sa"}}}`,
			providerReport{"provider-aws-s3", s3, "irsa", "arn:aws:iam::1:role/sa", "", "IRSA"},
		},
		"Static": {
			"Keys in the environment take precedence over everything else.",
			provider("provider-aws-s3", s3) + pod("provider-aws-s3", "provider-aws-s3", injected, "AWS_ACCESS_KEY_ID=AKIA"),
			providerReport{"provider-aws-s3", s3, "provider-aws-s3", "", "", "static keys"},
		},
		"Node": {
			"The pod has no credentials of its own.",
			provider("provider-aws-s3", s3) + pod("provider-aws-s3", "provider-aws-s3"),
			providerReport{"provider-aws-s3", s3, "provider-aws-s3", "", "", "none"},
		},
		"NoPod": {
			"Without a pod, the runtime configuration names the ServiceAccount.",
			provider("provider-aws-s3", s3) + association("provider-aws-s3"),
			providerReport{"provider-aws-s3", s3, "provider-aws-s3", "arn:aws:iam::123456789012:role/provider-aws-s3", "a-1", "no pod"},
		},
		"ByImageConfig": {
			"The configuration from an ImageConfig takes precedence over the Provider's.",
			strings.Replace(provider("provider-aws-s3", s3), "objectRefs:", "appliedImageConfigRefs: [{name: all, reason: ConfigureRuntime}], objectRefs:", 1) + `
apiVersion: pkg.crossplane.io/v1beta1
kind: ImageConfig
metadata: {name: all}
spec: {matchImages: [{prefix: nothing}], runtime: {configRef: {name: shared}}}
---
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata: {name: shared}
spec: {serviceAccountTemplate: {metadata: {name: shared}}}
`,
			providerReport{"provider-aws-s3", s3, "shared", "", "", "no pod"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := doctor(t, agent+"---\n"+tc.cluster).providers
			if diff := cmp.Diff([]providerReport{tc.want}, got, cmp.AllowUnexported(providerReport{})); diff != "" {
				t.Errorf("%s\nproviders: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestFindings(t *testing.T) {
	well := provider("provider-aws-s3", s3) + pod("provider-aws-s3", "provider-aws-s3", injected) + association("provider-aws-s3")
	cases := map[string]struct {
		reason  string
		cluster string
		// want lists the beginning of every finding; ! marks a problem.
		want []string
	}{
		"Well": {"Nothing is reported for a healthy provider.", agent + "---\n" + well, nil},
		"OtherProviders": {
			"Providers other than those of AWS are ignored.",
			agent + "---\n" + well + provider("provider-kubernetes", "xpkg.crossplane.io/crossplane-contrib/provider-kubernetes:v1.0.0"), nil,
		},
		"Nothing": {"A cluster without AWS providers has no problem.", agent, []string{"Providers: there is no AWS provider"}},
		"OldPod": {
			"A pod that is older than its association has no credentials.",
			agent + "---\n" + strings.Replace(well, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "X", 1),
			[]string{"!Provider provider-aws-s3: pod provider-aws-s3-1-abc has no credentials, although association a-1 exists"},
		},
		"Node": {
			"Without an association, the provider uses the node's role.",
			agent + "---\n" + provider("provider-aws-s3", s3) + pod("provider-aws-s3", "provider-aws-s3"),
			[]string{"!Provider provider-aws-s3: pod provider-aws-s3-1-abc has no credentials: it uses the role of its node"},
		},
		"Secret": {
			"A pod needs no credentials if ProviderConfigs supply them.",
			agent + "---\n" + provider("provider-aws-s3", s3) + pod("provider-aws-s3", "provider-aws-s3") +
				"{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: default}, spec: {credentials: {source: Secret}}}", nil,
		},
		"IRSAFirst": {
			"The SDK prefers IRSA to Pod Identity.",
			agent + "---\n" + strings.Replace(well, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE", 1),
			[]string{"!Provider provider-aws-s3: pod provider-aws-s3-1-abc uses IRSA, which the AWS SDK prefers"},
		},
		"FamilyNeedsNone": {
			"The family provider calls no AWS API.",
			agent + "---\n" + provider("family", family) + pod("family", "family"), nil,
		},
		"Unhealthy": {
			"Crossplane's message is quoted.",
			agent + "---\n" + strings.Replace(well, `{type: Healthy, status: "True"}]}`, `{type: Healthy, status: "False", message: "cannot unpack"}]}`, 1),
			[]string{"!Provider provider-aws-s3: is not healthy: cannot unpack"},
		},
		"SharedAccount": {
			"An association belongs to one ServiceAccount.",
			agent + "---\n" + well + provider("provider-aws-sqs", "xpkg.upbound.io/upbound/provider-aws-sqs:v2.5.0") + pod("provider-aws-sqs", "provider-aws-s3", injected),
			[]string{"!ServiceAccount provider-aws-s3: is shared by the Providers provider-aws-s3, provider-aws-sqs"},
		},
		"TwoFamilies": {
			"The Provider that owns the CRDs is kept, regardless of its name.",
			agent + "---\n" + provider("provider-family-aws", family) +
				strings.Replace(provider("upbound-provider-family-aws", family), `status: {conditions: [{type: Healthy, status: "True"}], objectRefs`, `status: {conditions: [{type: Healthy, status: "False"}], objectRefs`, 1) +
				pod("provider-family-aws", "a") + pod("upbound-provider-family-aws", "b"),
			[]string{"!provider-family-aws: is installed 2 times: Providers provider-family-aws, upbound-provider-family-aws. Crossplane's package manager stops for all packages. To do: keep provider-family-aws, which owns the CRDs and with them all objects, and run kubectl delete provider.pkg.crossplane.io upbound-provider-family-aws"},
		},
		"TwoRegistries": {
			"The same package from another registry installs the same kinds.",
			agent + "---\n" + well + provider("contrib-s3", "xpkg.crossplane.io/crossplane-contrib/provider-aws-s3:v2.5.0") + pod("contrib-s3", "contrib-s3", injected),
			[]string{"!provider-aws-s3: is installed 2 times"},
		},
		"Monolith": {
			"So does the monolithic provider.",
			agent + "---\n" + well + provider("aws", "xpkg.upbound.io/upbound/provider-aws:v2.5.0") + pod("aws", "aws", injected),
			[]string{"!provider-aws: installs the kinds of all services"},
		},
		"NoActiveKind": {
			"Crossplane v2.4 runs no pod for a provider until one of its kinds is active, yet reports it healthy.",
			agent + "---\n" + well + strings.Replace(provider("provider-aws-sqs", "xpkg.upbound.io/upbound/provider-aws-sqs:v2.5.0"), `{type: Healthy, status: "True"}`, `{type: Healthy, status: "True", reason: AwaitingActivation}`, 1) + association("provider-aws-sqs"),
			[]string{"!Provider provider-aws-sqs: has no pods, because none of its kinds is active"},
		},
		"PastItsEnd": {
			"Upbound serves a main release for a year.",
			agent + "---\n" + strings.ReplaceAll(well, "v2.5.0", "v1.23.0"),
			[]string{"!Provider provider-aws-s3: v1.23.0 is older than the 12 months"},
		},
		"NearItsEnd": {
			"The end is reported some months in advance.",
			agent + "---\n" + strings.ReplaceAll(well, "v2.5.0", "v2.4.1"),
			[]string{"Provider provider-aws-s3: anyone can pull v2.4.1 from xpkg.upbound.io/upbound until 2027-01-20 at least"},
		},
		"Mirror": {
			"Packages from other registries have no known end.",
			agent + "---\n" + strings.ReplaceAll(well, "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", "mirror.example.org:5000/aws/provider-aws-s3:v1.20.0"), nil,
		},
		"Overridden": {
			"An ImageConfig gives the provider another ServiceAccount.",
			agent + "---\n" + well + `
apiVersion: pkg.crossplane.io/v1beta1
kind: ImageConfig
metadata: {name: all}
spec: {matchImages: [{type: Prefix, prefix: xpkg.upbound.io/}], runtime: {configRef: {name: shared}}}
---
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata: {name: shared}
`,
			[]string{"!ImageConfig all: Provider provider-aws-s3 runs with DeploymentRuntimeConfig shared in place of its own provider-aws-s3"},
		},
		"Rewritten": {
			"A mirror is reported.",
			agent + "---\n" + well + `
apiVersion: pkg.crossplane.io/v1beta1
kind: ImageConfig
metadata: {name: mirror}
spec: {matchImages: [{type: Prefix, prefix: xpkg.upbound.io/}], rewriteImage: {prefix: mirror.example.org/}}
`,
			[]string{"ImageConfig mirror: Provider provider-aws-s3 is pulled from mirror.example.org/"},
		},
		"NotReady": {
			"The status of a PodIdentityProvider says why it is not ready.",
			agent + "---\n" + well + "{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: storage}, status: {services: [{name: s3, phase: Failed, message: AccessDenied}]}}",
			[]string{"!PodIdentityProvider storage: is not ready: s3 is Failed: AccessDenied"},
		},
		"NotReadyForAMoment": {
			"The summary can still be that of a moment ago: it does not say why the object is not ready.",
			agent + "---\n" + well + "{apiVersion: aws.podidentity.dev/v1alpha1, kind: PodIdentityProvider, metadata: {name: storage}, status: {summary: Ready, conditions: [{type: Ready, status: \"False\"}]}}",
			[]string{"!PodIdentityProvider storage: is not ready: see its conditions"},
		},
		"TenantNotReady": {
			"A team files claims and does not see the composite resource: the claim is named.",
			agent + "---\n" + well + `
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityTenant
metadata: {name: uploads-x7k2p, labels: {crossplane.io/claim-name: uploads, crossplane.io/claim-namespace: team-a}}
status: {summary: "Waiting for the host storage"}
---
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityTenant
metadata: {name: ready}
status: {conditions: [{type: Ready, status: "True"}]}
`,
			[]string{"!PodIdentityTenant uploads-x7k2p, of claim team-a/uploads: is not ready: Waiting for the host storage"},
		},
		"Agent": {
			"Without the agent, a node provides no credentials.",
			strings.Replace(agent, "numberReady: 2", "numberReady: 1", 1) + "---\n" + well,
			[]string{"!DaemonSet kube-system/eks-pod-identity-agent: 1 of 2 pods are ready"},
		},
		"NoAgent": {
			"A missing agent is no problem, because EKS Auto Mode has it built in.",
			well,
			[]string{"DaemonSet kube-system/eks-pod-identity-agent: does not exist"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := doctor(t, tc.cluster)
			begins(t, tc.reason, tc.want, r.findings)
			if wantProblems := len(slices.DeleteFunc(slices.Clone(tc.want), func(s string) bool { return !strings.HasPrefix(s, "!") })); r.problems() != wantProblems {
				t.Errorf("%s\nwant %d problems, got %d", tc.reason, wantProblems, r.problems())
			}
		})
	}
}

// begins checks how every finding begins.
func begins(t *testing.T, reason string, want []string, findings []finding) {
	t.Helper()
	got := make([]string, 0, len(findings))
	for _, f := range findings {
		s := f.about + ": " + f.says
		if f.problem {
			s = "!" + s
		}
		got = append(got, s)
	}
	if len(got) != len(want) {
		t.Errorf("%s\nwant %d findings:\n%s\ngot %d:\n%s", reason, len(want), strings.Join(want, "\n"), len(got), strings.Join(got, "\n"))
		return
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%s\nfinding %d: want it to begin with\n%s\ngot\n%s", reason, i, want[i], got[i])
		}
	}
}

func TestLook(t *testing.T) {
	const contrib = "xpkg.crossplane.io/crossplane-contrib/"
	cases := map[string]struct {
		reason  string
		cluster string
		blocked bool
		// Each string in want must be in the step at the same position. No step may contain unwanted.
		want     []string
		unwanted string
	}{
		"Nothing": {
			reason: "Both providers are installed, in the default registry.", cluster: agent,
			want: []string{"Give provider-aws-iam and provider-aws-eks an identity, then install them from xpkg.upbound.io/upbound:", "Install:"}, unwanted: "family",
		},
		"HandNamedFamily": {
			reason: "An existing family is kept, and sets the version.", cluster: provider("provider-family-aws", "xpkg.upbound.io/upbound/provider-family-aws:v1.23.0"),
			want: []string{"Keep the family, Provider provider-family-aws", "install them from xpkg.upbound.io/upbound in version v1.23.0", "Install:"},
		},
		"Contrib": {
			reason: "All packages come from the family's registry.", cluster: provider("crossplane-contrib-provider-family-aws", contrib+"provider-family-aws:v2.5.0"),
			want: []string{"Keep the family", "install them from xpkg.crossplane.io/crossplane-contrib", "Set spec.provider.registry: xpkg.crossplane.io/crossplane-contrib", "Install:"},
		},
		"DefaultHasKeys": {
			reason: "Databases may be managed with the keys of ProviderConfig default: it must not be overwritten.",
			cluster: provider("provider-family-aws", family) +
				"{apiVersion: aws.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: default}, spec: {credentials: {source: Secret}}}",
			want: []string{"Keep the family", "Give provider-aws-iam and provider-aws-eks an identity", "Keep ProviderConfig default as it is", "Install:"},
		},
		"BothThere": {
			reason: "Providers that have credentials are kept,",
			cluster: provider("iam", "xpkg.upbound.io/upbound/provider-aws-iam:v2.5.0") + pod("iam", "iam", injected) +
				provider("eks", "xpkg.upbound.io/upbound/provider-aws-eks:v2.5.0") + pod("eks", "eks", injected),
			want: []string{"Keep Provider iam: it has credentials from Pod Identity", "Keep Provider eks", "Check that a ProviderConfig", "Install:"}, unwanted: "install them",
		},
		"IRSA": {
			reason: "from IRSA, too,",
			cluster: provider("iam", "xpkg.upbound.io/upbound/provider-aws-iam:v2.5.0") + pod("iam", "iam", "AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_ARN=arn:aws:iam::1:role/r") +
				provider("eks", "xpkg.upbound.io/upbound/provider-aws-eks:v2.5.0") + pod("eks", "eks"),
			want: []string{"Keep Provider iam: it has the role arn:aws:iam::1:role/r from IRSA", "Give Provider eks an identity", "Check that", "Install:"},
		},
		"Services": {
			reason: "Existing providers of services are not installed again.", cluster: provider("s3", s3) + provider("family", family),
			want: []string{"Keep the family", "Give provider-aws-iam and", "Providers of s3 exist already", "Install:"},
		},
		"Monolith": {
			reason: "The monolithic provider brings all kinds.", cluster: provider("aws", "xpkg.upbound.io/upbound/provider-aws:v1.23.0"), blocked: true,
			want: []string{"Move from aws to the packages of the family", "again"},
		},
		"TwoFamilies": {
			reason: "Nothing works until one family is removed.", cluster: provider("a", family) + provider("b", family), blocked: true,
			want: []string{"Resolve this first: provider-family-aws", "again"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := read(t.Context(), client(t, tc.cluster), "crossplane-system")
			if err != nil {
				t.Fatal(err)
			}
			a := look(c)
			if (a.problems() > 0) != tc.blocked {
				t.Errorf("%s\nblocked: want %v, got %v", tc.reason, tc.blocked, a.problems() > 0)
			}
			if len(a.steps) != len(tc.want) {
				t.Fatalf("%s\nwant %d steps, got:\n%s", tc.reason, len(tc.want), strings.Join(a.steps, "\n"))
			}
			for i, w := range tc.want {
				if !strings.Contains(a.steps[i], w) {
					t.Errorf("%s\nstep %d: want %q in it, got %q", tc.reason, i+1, w, a.steps[i])
				}
				if tc.unwanted != "" && strings.Contains(a.steps[i], tc.unwanted) {
					t.Errorf("%s\nstep %d should not mention %q: %q", tc.reason, i+1, tc.unwanted, a.steps[i])
				}
			}
		})
	}
}

func TestNoCrossplane(t *testing.T) {
	cl := client(t, agent)
	refuse(cl, "providers", apierrors.NewNotFound(schema.GroupResource{Resource: "providers"}, ""))
	c, err := read(t.Context(), cl, "crossplane-system")
	if err != nil {
		t.Fatal(err)
	}
	begins(t, "Without Crossplane there is nothing to diagnose.", []string{"!Crossplane: is not installed"}, diagnose(c, now).findings)
	if a := look(c); !a.blocked || !strings.Contains(a.steps[0], "Install Crossplane") {
		t.Errorf("look should say to install Crossplane first, got %v", a.steps)
	}
}

func TestExamine(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "", errors.New("no"))
	well := agent + "---\n" + provider("provider-aws-s3", s3) + pod("provider-aws-s3", "provider-aws-s3", injected) + association("provider-aws-s3")
	cases := map[string]struct {
		reason, command, cluster, refuse string
		code                             int
		// out and diagnostics must be in the output.
		out, diagnostics string
	}{
		"Fine":      {reason: "Nothing is wrong.", command: "doctor", cluster: well, code: exitFine, out: "PROVIDER          PACKAGE                                          SERVICEACCOUNT    ASSOCIATION   ROLE                                             CREDENTIALS\nprovider-aws-s3   xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0   provider-aws-s3   a-1           arn:aws:iam::123456789012:role/provider-aws-s3   Pod Identity\n\nNo problems.\n"},
		"Problems":  {reason: "A problem sets the exit code, so that CI fails.", command: "doctor", cluster: strings.Replace(well, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "X", 1), code: exitProblems, out: "PROBLEM  Provider provider-aws-s3: pod"},
		"Forbidden": {reason: "Without access to Providers, there is no diagnosis.", command: "doctor", cluster: well, refuse: "providers", code: exitFailed, diagnostics: "providers.pkg.crossplane.io"},
		"NoPods":    {reason: "Neither is there one without access to pods.", command: "doctor", cluster: well, refuse: "pods", code: exitFailed, diagnostics: "cannot read the cluster: pods"},
		"Partly":    {reason: "Optional resources may be forbidden, and the report says so.", command: "doctor", cluster: well, refuse: "imageconfigs", code: exitFine, out: "note     imageconfigs.pkg.crossplane.io: you may not list them"},
		"Look":      {reason: "look prints two lists.", command: "look", cluster: agent, code: exitFine, out: "Found\n  Crossplane, and no AWS provider.\n\nWhat to do\n  1. Give provider-aws-iam"},
		"Blocked":   {reason: "and fails if a problem must be resolved first.", command: "look", cluster: provider("a", family) + provider("b", family), code: exitProblems, out: "Resolve this first"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cl := client(t, tc.cluster)
			if tc.refuse != "" {
				refuse(cl, tc.refuse, forbidden)
			}
			var out, diagnostics strings.Builder
			code := examine(t.Context(), dynamic.Interface(cl), options{command: tc.command, namespace: "crossplane-system"}, now, &out, &diagnostics)
			if code != tc.code {
				t.Errorf("%s\nexit code: want %d, got %d; %s", tc.reason, tc.code, code, diagnostics.String())
			}
			if !strings.Contains(out.String(), tc.out) || !strings.Contains(diagnostics.String(), tc.diagnostics) {
				t.Errorf("%s\nwant %q and %q in the output, got\n%s\n%s", tc.reason, tc.out, tc.diagnostics, out.String(), diagnostics.String())
			}
		})
	}
}

func TestParse(t *testing.T) {
	cases := map[string]struct {
		reason  string
		args    []string
		command string
		wrong   string
	}{
		"Before":  {"Flags may come before the command,", []string{"--namespace", "x", "doctor"}, "doctor", ""},
		"After":   {"or after it.", []string{"look", "--namespace=x"}, "look", ""},
		"None":    {"A command is needed,", []string{"--namespace=x"}, "", "name a command"},
		"Unknown": {"one that exists,", []string{"cure", "--namespace=x"}, "", "unknown command"},
		"Two":     {"and one only.", []string{"look", "--namespace=x", "doctor"}, "", "unexpected argument"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o, err := parse(tc.args, io.Discard)
			if tc.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wrong) {
					t.Errorf("%s\nwant an error with %q, got %v", tc.reason, tc.wrong, err)
				}
				return
			}
			if err != nil || o.command != tc.command || o.namespace != "x" {
				t.Errorf("%s\nwant command %s in namespace x, got %+v, %v", tc.reason, tc.command, o, err)
			}
		})
	}
}

func TestParsePackage(t *testing.T) {
	cases := map[string]reference{
		"xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0":                {"xpkg.upbound.io/upbound", "provider-aws-s3", "v2.5.0"},
		"localhost:5000/provider-aws-s3":                                {"localhost:5000", "provider-aws-s3", ""},
		"localhost:5000/a/provider-family-aws@sha256:abc":               {"localhost:5000/a", "provider-family-aws", "sha256:abc"},
		"xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0@sha256:0123456": {"xpkg.upbound.io/upbound", "provider-aws-s3", "sha256:0123456"},
	}
	for source, want := range cases {
		if diff := cmp.Diff(want, parsePackage(source), cmp.AllowUnexported(reference{})); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", source, diff)
		}
	}
}

func TestAnonymousUntil(t *testing.T) {
	cases := map[string]struct {
		reason, source, want string
	}{
		"Known":    {"The end is twelve months after the release.", "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", "2027-03-15"},
		"Between":  {"It is the earliest possible date if only the previous release is known.", "xpkg.upbound.io/upbound/provider-aws-s3:v2.6.1", "2027-03-15"},
		"Ancient":  {"An old version ended before every known release.", "xpkg.upbound.io/upbound/provider-aws-s3:v1.5.0", "2026-01-30"},
		"Newest":   {"The newest release has no end yet.", "xpkg.upbound.io/upbound/provider-aws-s3:v2.7.0", ""},
		"Digest":   {"A digest does not reveal the version.", "xpkg.upbound.io/upbound/provider-aws-s3@sha256:abc", ""},
		"Contrib":  {"Packages from other registries have no end.", "xpkg.crossplane.io/crossplane-contrib/provider-aws-s3:v2.5.0", ""},
		"Floating": {"v1 may be any version.", "xpkg.upbound.io/upbound/provider-aws-s3:v1", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			if until, ok := anonymousUntil(parsePackage(tc.source)); ok {
				got = until.Format(time.DateOnly)
			}
			if got != tc.want {
				t.Errorf("%s\nwant %q, got %q", tc.reason, tc.want, got)
			}
		})
	}
}
