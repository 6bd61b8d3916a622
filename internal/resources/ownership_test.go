package resources

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

func TestSamePackage(t *testing.T) {
	const ours = "xpkg.upbound.io/upbound/provider-aws-s3"
	cases := map[string]struct {
		reason, other string
		want          bool
	}{
		"Same":          {"The same repository installs the same provider.", ours, true},
		"Tag":           {"Any version is the same package,", ours + ":v1.0.0", true},
		"Digest":        {"also as a digest,", ours + "@sha256:abc", true},
		"TagAndDigest":  {"or with both,", ours + ":v1@sha256:abc", true},
		"Registry":      {"from any registry,", "localhost:5000/provider-aws-s3", true},
		"Default":       {"including the default one,", "provider-aws-s3:v1", true},
		"Organisation":  {"and of any organisation.", "xpkg.crossplane.io/crossplane-contrib/provider-aws-s3:v2.6.0", true},
		"Longer":        {"A longer name is another provider.", "xpkg.upbound.io/upbound/provider-aws-s3control:v1", false},
		"Shorter":       {"So is a shorter name,", "xpkg.upbound.io/upbound/provider-aws", false},
		"Suffix":        {"or one with the same ending.", "xpkg.upbound.io/upbound/my-provider-aws-s3", false},
		"PathNotName":   {"The name is the last part.", "xpkg.upbound.io/provider-aws-s3/other", false},
		"Empty":         {"An empty string is not a package.", "", false},
		"PortNoVersion": {"A port is not a version.", "provider-aws-s3:5000/other", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := samePackage(tc.other, ours); got != tc.want {
				t.Errorf("%s\nsamePackage(%q, %q): want %t, got %t", tc.reason, tc.other, ours, tc.want, got)
			}
			if got := samePackage(ours, tc.other); got != tc.want {
				t.Errorf("%s\nsamePackage(%q, %q): want %t, got %t", tc.reason, ours, tc.other, tc.want, got)
			}
		})
	}
}

func TestMine(t *testing.T) {
	const ours = `{metadata: {ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}}`
	cases := map[string]struct {
		reason, xr, object string
		want               bool
	}{
		"Ours":              {"An object that the composite resource controls is its own.", ``, ours, true},
		"NoController":      {"An object without a controller is not.", ``, `{metadata: {name: a}}`, false},
		"Others":            {"Neither is one that another object with the same name controls.", ``, `{metadata: {ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-2, controller: true}]}}`, false},
		"NoUID":             {"A composite resource that was never created controls nothing,", `metadata: {uid: null}`, `{metadata: {ownerReferences: [{kind: PodIdentityProvider, name: storage, controller: true}]}}`, false},
		"NoUIDNoController": {"least of all an object without a controller.", `metadata: {uid: null}`, `{metadata: {name: a}}`, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := (world{XR: tc.xr}).context(t).mine(observed(t, tc.object)); got != tc.want {
				t.Errorf("%s\nmine(...): want %t, got %t", tc.reason, tc.want, got)
			}
		})
	}
}

func TestOwnerOf(t *testing.T) {
	cases := map[string]struct {
		reason, in, want string
	}{
		"NoController": {"An object without a controller was created manually.", `{metadata: {name: a}}`, "no composite resource made it"},
		"ArgoCD":       {"Argo CD sets the name of its application.", `{metadata: {annotations: {"argocd.argoproj.io/tracking-id": "platform:pkg.crossplane.io/Provider:crossplane-system/provider-aws-s3"}}}`, "Argo CD application platform deploys it"},
		"Flux":         {"Flux sets the name of its Kustomization,", `{metadata: {labels: {kustomize.toolkit.fluxcd.io/name: providers}}}`, "Flux Kustomization providers deploys it"},
		"Helm":         {"and Helm that of its release.", `{metadata: {annotations: {meta.helm.sh/release-name: crossplane}}}`, "Helm release crossplane deploys it"},
		"Both":         {"A controller takes precedence.", `{metadata: {annotations: {"argocd.argoproj.io/tracking-id": "platform:a"}, ownerReferences: [{kind: Platform, name: p, uid: u, controller: true}]}}`, "belongs to Platform p"},
		"XR":           {"The controller is named,", `{metadata: {ownerReferences: [{kind: Platform, name: p, uid: u, controller: true}]}}`, "belongs to Platform p"},
		"Claim":        {"and so is its claim.", `{metadata: {labels: {crossplane.io/claim-namespace: a, crossplane.io/claim-name: b}, ownerReferences: [{kind: Platform, name: p, uid: u, controller: true}]}}`, "belongs to Platform p of claim a/b"},
		"Forged":       {"A label alone does not make an owner.", `{metadata: {labels: {crossplane.io/claim-namespace: a, crossplane.io/claim-name: b}}}`, "no composite resource made it"},
		"Package":      {"A package revision is a controller, too.", `{metadata: {ownerReferences: [{kind: ProviderRevision, name: r, uid: u, controller: true}]}}`, "belongs to ProviderRevision r"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := ownerOf(observed(t, tc.in)); got != tc.want {
				t.Errorf("%s\nownerOf(...): want %q, got %q", tc.reason, tc.want, got)
			}
		})
	}
}

// TestConflictHoldsBackService checks that a conflict with one resource blocks the whole service, and no other service.
func TestConflictHoldsBackService(t *testing.T) {
	ready := `{apiVersion: eks.aws.upbound.io/v1beta1, kind: PodIdentityAssociation, metadata: {name: a}, status: {conditions: [{type: Synced, status: "True"}, {type: Ready, status: "True"}], atProvider: {associationId: a-1}}}`
	w := world{
		Spec:     `services: [{name: s3}, {name: ec2}]`,
		Answers:  map[string]string{"DeploymentRuntimeConfig.pkg.crossplane.io/provider-aws-s3": `[{metadata: {name: provider-aws-s3}}]`},
		Observed: map[string]string{"association/ec2": ready},
	}
	want := &Wait{
		Reason: v1alpha1.ReasonConflict, Subject: "DeploymentRuntimeConfig provider-aws-s3",
		Message: "exists and no composite resource made it: delete it, or set management: Observe for the service",
	}
	n := 0
	for _, r := range w.all(t) {
		switch r.Service {
		case "": // Usages wait for both of their ends.
		case "s3":
			n++
			if diff := cmp.Diff(want, r.Wait, ignoreOwner); diff != "" {
				t.Errorf("Wait of %s: -want, +got:\n%s", r.Key, diff)
			}
		default:
			if r.Wait != nil {
				t.Errorf("%s should not wait because of another service: %+v", r.Key, r.Wait)
			}
		}
	}
	if n != 6 {
		t.Errorf("want 6 resources of s3, got %d", n)
	}
}

// TestConflictOfOthersLater checks that an existing resource has no conflict, because it existed first.
func TestConflictOfOthersLater(t *testing.T) {
	w := world{
		Answers:  map[string]string{"DeploymentRuntimeConfig.pkg.crossplane.io/provider-aws-s3": `[{metadata: {name: provider-aws-s3}}]`},
		Observed: map[string]string{"runtimeconfig/s3": `{metadata: {name: provider-aws-s3}}`},
	}
	for _, r := range w.all(t) {
		if r.Wait != nil && r.Wait.Reason == v1alpha1.ReasonConflict {
			t.Errorf("%s: want no conflict, got %+v", r.Key, r.Wait)
		}
	}
}

// TestProvidersListedOnce checks that all Providers, which may be hundreds, are required only once, and not at all if everything exists.
func TestProvidersListedOnce(t *testing.T) {
	w := world{Spec: `{provider: {family: Manage}, services: [{name: s3}, {name: ec2}]}`}
	c := w.context(t)
	All(c.View, c.Identity)
	n := 0
	for key := range c.View.Requirements.Proto().GetExtraResources() { //nolint:staticcheck // Crossplane before 2.2 knows no other field.
		if key == "all/Provider.pkg.crossplane.io" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("want Providers required once, got %d times", n)
	}

	w.Observed = map[string]string{"family": `{metadata: {name: a}}`, "provider/s3": `{metadata: {name: b}}`, "provider/ec2": `{metadata: {name: c}}`}
	c = w.context(t)
	All(c.View, c.Identity)
	if c.View.Requirements.Proto().GetExtraResources()["all/Provider.pkg.crossplane.io"] != nil { //nolint:staticcheck // See above.
		t.Error("want no requirement if every Provider is observed")
	}
}

// TestSoleUser checks that a ServiceAccount gets an identity only once.
func TestSoleUser(t *testing.T) {
	const (
		associations = "all/PodIdentityAssociation.eks.aws.upbound.io"
		runtimes     = "all/DeploymentRuntimeConfig.pkg.crossplane.io"
		owner        = `ownerReferences: [{kind: PodIdentityProvider, name: other, uid: u-2, controller: true}]`
	)
	association := func(account, cluster, metadata string) string {
		if !strings.Contains(metadata, "name: crossplane-") {
			metadata = "name: a, " + metadata
		}
		return `{apiVersion: eks.aws.upbound.io/v1beta1, kind: PodIdentityAssociation, metadata: {` + metadata + `}, spec: {forProvider: {region: eu-west-1, clusterName: ` + cluster + `, namespace: crossplane-system, serviceAccount: ` + account + `}}}`
	}
	runtime := func(spec string) string {
		return `{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: r}, spec: ` + spec + `}`
	}
	conflict := func(kind, owner string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonConflict, Subject: kind, Message: "uses ServiceAccount provider-aws-s3 and " + owner + ": give the service another serviceAccountName"}
	}
	testWait(t, map[string]waitCase{
		"Association": {
			"Another composite resource's association with the ServiceAccount is a conflict, for any service.",
			world{Answers: map[string]string{associations: "[" + association("provider-aws-s3", "prod", owner) + "]"}},
			"association/s3",
			conflict("PodIdentityAssociation a", "belongs to PodIdentityProvider other"),
		},
		"OtherAccount": {"An association with another ServiceAccount is no conflict.", world{Answers: map[string]string{associations: "[" + association("provider-aws-sqs", "prod", owner) + "]"}}, "association/s3", nil},
		"OtherCluster": {"Neither is one in another cluster,", world{Answers: map[string]string{associations: "[" + association("provider-aws-s3", "test", owner) + "]"}}, "association/s3", nil},
		"Mine":         {"or the composite resource's own, which is not observed yet.", world{Answers: map[string]string{associations: "[" + association("provider-aws-s3", "prod", `name: crossplane-prod-eu-west-1-s3, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]`) + "]"}}, "association/s3", nil},
		"Renamed": {
			"The composite resource's own association of a removed service has the ServiceAccount until it is deleted.",
			world{Answers: map[string]string{associations: "[" + association("provider-aws-s3", "prod", `ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]`) + "]"}},
			"association/s3",
			&Wait{Reason: v1alpha1.ReasonRemoving, Subject: "PodIdentityAssociation a", Message: leaves},
		},
		"NotLooked": {"Nothing is created before Crossplane has answered.", world{Answers: map[string]string{associations: unanswered}}, "association/s3", &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other users of ServiceAccount provider-aws-s3"}},
		"Template": {
			"Crossplane would alternate between two DeploymentRuntimeConfigs with the same ServiceAccount,",
			world{Answers: map[string]string{runtimes: "[" + runtime(`{serviceAccountTemplate: {metadata: {name: provider-aws-s3}}}`) + "]"}},
			"runtimeconfig/s3",
			conflict("DeploymentRuntimeConfig r", "no composite resource made it"),
		},
		"Pod": {
			"in either of two fields.",
			world{Answers: map[string]string{runtimes: "[" + runtime(`{deploymentTemplate: {spec: {template: {spec: {serviceAccountName: provider-aws-s3}}}}}`) + "]"}},
			"runtimeconfig/s3",
			conflict("DeploymentRuntimeConfig r", "no composite resource made it"),
		},
	})
}

// leaves is the message about the composite resource's own object that blocks another.
const leaves = "was created for something that is no longer in the spec, and has to be deleted first"

// TestRenamed covers a service with a new name: the resources with the old name are other objects, and are deleted first.
func TestRenamed(t *testing.T) {
	const (
		own       = `ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]`
		old       = `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-sqs, ` + own + `}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-sqs:v2.5.0"}}`
		oldRole   = `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: shared, annotations: {crossplane.io/external-name: shared}, ` + own + `}}`
		oldConfig = `{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: provider-aws-sqs, ` + own + `}, spec: {serviceAccountTemplate: {metadata: {name: team}}}}`
		renamed   = `services: [{name: mysqs, serviceAccountName: team, package: xpkg.upbound.io/upbound/provider-aws-sqs, roleName: shared, permissions: {accessLevel: None, statements: [{actions: ["sqs:*"], resources: ["*"]}]}}]`
	)
	w := func(key, object, question string) world {
		return world{Spec: renamed, Observed: map[string]string{key: object}, Answers: map[string]string{question: `[` + object + `]`}}
	}
	wait := func(subject string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonRemoving, Subject: subject, Message: leaves}
	}
	testWait(t, map[string]waitCase{
		"Provider": {"Two Providers with one package break the package manager of the whole cluster,", w("provider/sqs", old, "all/Provider.pkg.crossplane.io"), "provider/mysqs", wait("Provider provider-aws-sqs")},
		"Going":    {"also while the first is being deleted.", world{Spec: renamed, Answers: map[string]string{"all/Provider.pkg.crossplane.io": `[` + old + `]`}}, "provider/mysqs", wait("Provider provider-aws-sqs")},
		"Config":   {"Two runtime configs with one ServiceAccount conflict.", w("runtimeconfig/sqs", oldConfig, "all/DeploymentRuntimeConfig.pkg.crossplane.io"), "runtimeconfig/mysqs", wait("DeploymentRuntimeConfig provider-aws-sqs")},
		"Role":     {"Two composed resources with the same name are one object.", w("role/sqs", oldRole, "Role.iam.aws.upbound.io/shared"), "role/mysqs", wait("Role shared")},
		"Again": {
			"An object with the same name that is being deleted must be gone first, too.",
			world{Answers: map[string]string{"Role.iam.aws.upbound.io/crossplane-prod-eu-west-1-s3": `[{metadata: {name: crossplane-prod-eu-west-1-s3, deletionTimestamp: "2026-01-01T00:00:00Z", ` + own + `}}]`}},
			"role/s3", wait("Role crossplane-prod-eu-west-1-s3"),
		},
	})
}

// TestSoleNamed checks that no two managed resources manage one resource in AWS.
func TestSoleNamed(t *testing.T) {
	const roles, policies = "all/Role.iam.aws.upbound.io", "all/Policy.iam.aws.upbound.io"
	named := func(kind, object, name, more string) string {
		return `[{apiVersion: iam.aws.upbound.io/v1beta1, kind: ` + kind + `, metadata: {name: ` + object + `, annotations: {crossplane.io/external-name: ` + name + `}}` + more + `}]`
	}
	conflict := func(kind, name string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonConflict, Subject: kind + " theirs", Message: "is for " + strings.ToLower(kind) + " " + name + " in AWS, too, and no composite resource made it: choose another roleName or role.namePrefix"}
	}
	const name = "crossplane-prod-eu-west-1-s3"
	testWait(t, map[string]waitCase{
		"Role":      {"A second managed resource for the role would overwrite it.", world{Answers: map[string]string{roles: named("Role", "theirs", name, "")}}, "role/s3", conflict("Role", name)},
		"Folded":    {"Names in IAM are case-insensitive.", world{Answers: map[string]string{roles: named("Role", "theirs", "Crossplane-PROD-eu-west-1-S3", "")}}, "role/s3", conflict("Role", name)},
		"Default":   {"Without an external name, the object's own name counts.", world{Spec: `services: [{name: s3, roleName: Theirs}]`, Answers: map[string]string{roles: `[{kind: Role, metadata: {name: theirs}}]`}}, "role/s3", conflict("Role", "Theirs")},
		"Other":     {"Another role is ignored.", world{Answers: map[string]string{roles: named("Role", "theirs", "other", "")}}, "role/s3", nil},
		"Observes":  {"A managed resource that only observes changes nothing.", world{Answers: map[string]string{roles: named("Role", "theirs", name, ", spec: {managementPolicies: [Observe]}")}}, "role/s3", nil},
		"Policy":    {"The same applies to policies.", world{Answers: map[string]string{policies: named("Policy", "theirs", name, "")}}, "policy/s3", conflict("Policy", name)},
		"NotLooked": {"Nothing is created before Crossplane has answered.", world{Answers: map[string]string{roles: unanswered}}, "role/s3", &Wait{Reason: v1alpha1.ReasonWaiting, Message: "looking for other managed resources of role " + name + " in AWS"}},
		"Exists":    {"An existing resource needs no answer.", world{Observed: map[string]string{"role/s3": `{metadata: {name: a}}`}, Answers: map[string]string{roles: unanswered}}, "role/s3", nil},
	})
	taken := func(kind string) *Wait {
		return &Wait{Reason: v1alpha1.ReasonConflict, Subject: kind + " " + name, Message: "exists and no composite resource made it: only one composite resource can give the service an identity in a cluster"}
	}
	testWait(t, map[string]waitCase{
		"TakenPolicy":     {"A policy with that name that was created manually would be adopted silently.", world{Answers: map[string]string{"Policy.iam.aws.upbound.io/" + name: `[{metadata: {name: ` + name + `}}]`}}, "policy/s3", taken("Policy")},
		"TakenAttachment": {"So would an attachment.", world{Answers: map[string]string{"RolePolicyAttachment.iam.aws.upbound.io/" + name: `[{metadata: {name: ` + name + `}}]`}}, "attachment/s3", taken("RolePolicyAttachment")},
	})
}

// TestPackageStays covers a service whose package changes while its Provider exists.
func TestPackageStays(t *testing.T) {
	const (
		all    = "all/Provider.pkg.crossplane.io"
		custom = `services: [{name: foo, package: xpkg.upbound.io/upbound/%s, permissions: {accessLevel: None, statements: [{actions: ["ec2:*"], resources: ["*"]}]}}]`
		has    = "xpkg.upbound.io/upbound/provider-aws-foo:v2.5.0"
		ours   = `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-foo, ownerReferences: [{kind: PodIdentityProvider, name: storage, uid: u-1, controller: true}]}, spec: {package: "` + has + `"}, status: {currentRevision: foo-1, currentIdentifier: "` + has + `", conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}]}}`
		users  = "all/ProviderConfigUsage.aws.upbound.io"
		foo    = `[{resourceRef: {apiVersion: foo.aws.upbound.io/v1beta1, kind: Foo, name: a}}]`
	)
	theirs := func(pkg string) string {
		return `[{kind: Provider, metadata: {name: theirs}, spec: {package: "xpkg.upbound.io/upbound/` + pkg + `:v2.5.0"}}, ` + ours + `]`
	}
	stays := func(pkg, why string) string {
		return "stays at package " + has + ", though the spec asks for xpkg.upbound.io/upbound/" + pkg + ":v2.5.0: " + why
	}
	cases := map[string]struct {
		reason, pkg string
		spec        string
		answers     map[string]string
		want        Readiness
		source      string
	}{
		"Same": {"The Provider has the desired package.", "provider-aws-foo", ``, map[string]string{all: unanswered}, Readiness{Ready: true}, has},
		"Taken": {
			"A package that another owner's Provider installs is a conflict, and nothing changes.", "provider-aws-ec2", ``,
			map[string]string{all: theirs("provider-aws-ec2")},
			Readiness{Conflict: true, Message: stays("provider-aws-ec2", "Provider theirs of package xpkg.upbound.io/upbound/provider-aws-ec2:v2.5.0 exists and no composite resource made it: set management: Observe for the service, or adoptExistingProvider: true to adopt it")},
			has,
		},
		"Family": {
			"So is the family.", "provider-family-aws", ``,
			map[string]string{all: theirs("provider-family-aws")},
			Readiness{Conflict: true, Message: stays("provider-family-aws", "Provider theirs of package xpkg.upbound.io/upbound/provider-family-aws:v2.5.0 exists and no composite resource made it: set management: Observe for the service, or remove that Provider")},
			has,
		},
		"Looking": {"Nothing changes before Crossplane has answered.", "provider-aws-ec2", ``, map[string]string{all: unanswered}, Readiness{Message: stays("provider-aws-ec2", "looking for other Providers of xpkg.upbound.io/upbound/provider-aws-ec2")}, has},
		"Used": {
			"The kinds of the old package would be deleted with it, and all their managed resources.", "provider-aws-ec2", ``,
			map[string]string{users: foo},
			Readiness{Removing: true, Message: stays("provider-aws-ec2", "managed resources would be deleted with it: Foo a. To do: delete them, or set the package back")},
			has,
		},
		"Free":      {"An unused package may change.", "provider-aws-ec2", ``, nil, Readiness{Message: "at " + has + ", changing to xpkg.upbound.io/upbound/provider-aws-ec2:v2.5.0"}, "xpkg.upbound.io/upbound/provider-aws-ec2:v2.5.0"},
		"Unordered": {"With an unordered teardown, the package changes at once.", "provider-aws-ec2", `teardown: Unordered`, map[string]string{users: foo}, Readiness{Message: "at " + has + ", changing to xpkg.upbound.io/upbound/provider-aws-ec2:v2.5.0"}, "xpkg.upbound.io/upbound/provider-aws-ec2:v2.5.0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := strings.Replace(custom, "%s", tc.pkg, 1)
			if tc.spec != "" {
				spec = "{" + tc.spec + ", " + spec + "}"
			}
			r := world{Spec: spec, Observed: map[string]string{"provider/foo": ours}, Answers: tc.answers}.resource(t, "provider/foo")
			if diff := cmp.Diff(tc.want, r.Ready(observed(t, ours))); diff != "" {
				t.Errorf("%s\nReady(...): -want, +got:\n%s", tc.reason, diff)
			}
			o, err := r.Build()
			if err != nil {
				t.Fatal(err)
			}
			if got := view.NewObject(o).String("spec", "package"); got != tc.source {
				t.Errorf("%s\npackage: want %s, got %s", tc.reason, tc.source, got)
			}
		})
	}
}

// TestEarlier checks that resources of an earlier function in the pipeline are unchanged.
func TestEarlier(t *testing.T) {
	w := world{Earlier: []string{"role/s3", "provider/other"}, Observed: map[string]string{
		"role/s3":        `{apiVersion: iam.aws.upbound.io/v1beta1, kind: Role, metadata: {name: theirs}}`,
		"provider/other": `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: theirs}, spec: {package: "a/provider-aws-other:v1"}}`,
	}}
	if r := w.resource(t, "provider/other"); r != nil {
		t.Errorf("want nothing composed that an earlier function composes, got %+v", r)
	}
	want := &Wait{
		Reason: v1alpha1.ReasonConflict, Subject: "Role crossplane-prod-eu-west-1-s3",
		Message: `an earlier function of the Composition composes a resource called "role/s3", and keeps it: give that one another name`,
	}
	for _, key := range []string{"role/s3", "association/s3"} {
		if diff := cmp.Diff(want, w.resource(t, key).Wait, ignoreOwner); diff != "" {
			t.Errorf("Wait of %s: -want, +got:\n%s", key, diff)
		}
	}
}

// TestLater checks that a resource that a later function in the pipeline composes in place of ours stays as it is.
func TestLater(t *testing.T) {
	const conflict = true
	cases := map[string]struct {
		reason, key, observed string
		conflict              bool
		message               string
	}{
		"Other":   {"A resource with another kind stays, and is reported,", "providerconfig", `{apiVersion: kubernetes.crossplane.io/v1alpha1, kind: ProviderConfig, metadata: {name: theirs}, spec: {credentials: {source: None}}}`, conflict, "ProviderConfig theirs of kubernetes.crossplane.io/v1alpha1"},
		"Managed": {"also if our kind may be missing.", "role/s3", `{apiVersion: iam.aws.m.upbound.io/v1beta1, kind: Role, metadata: {name: theirs, namespace: a}, spec: {forProvider: {path: /}}}`, conflict, "Role theirs of iam.aws.m.upbound.io/v1beta1"},
		"Usage":   {"A Usage can have two kinds, and no third.", "usage/provider/s3/by/providerconfig", `{apiVersion: v1, kind: ConfigMap, metadata: {name: theirs}, data: {a: b}}`, conflict, "ConfigMap theirs of v1"},
		"Version": {"Another version is the same kind.", "provider/s3", `{apiVersion: pkg.crossplane.io/v2, kind: Provider, metadata: {name: provider-aws-s3}}`, false, ""},
		"Usages":  {"So is the kind that the Input selected before.", "usage/provider/s3/by/providerconfig", `{apiVersion: protection.crossplane.io/v1beta1, kind: ClusterUsage, metadata: {name: a}}`, false, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := world{Observed: map[string]string{tc.key: tc.observed}}.resource(t, tc.key)
			o := observed(t, tc.observed)
			ready := r.Ready(o)
			if ready.Conflict != tc.conflict {
				t.Fatalf("%s\nReady(...): want a conflict: %t, got %+v", tc.reason, tc.conflict, ready)
			}
			if !tc.conflict {
				return
			}
			if want := fmt.Sprintf("the Composition has %s called %q already, and keeps it: give that one another name", tc.message, tc.key); ready.Message != want {
				t.Errorf("%s\nmessage: want %q, got %q", tc.reason, want, ready.Message)
			}
			got, err := r.Build()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(testutil.Parse(t, tc.observed), got.AsMap()); diff != "" {
				t.Errorf("%s\nwant it unchanged: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestClashLater checks that a second Provider with the package that is installed later is reported, and that ours stays.
func TestClashLater(t *testing.T) {
	const ours = `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-s3}, status: {conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "False", message: "node already exists"}]}}`
	const healthy = `{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: provider-aws-s3}, status: {currentIdentifier: "xpkg.upbound.io/upbound/provider-aws-s3:v2.5.0", conditions: [{type: Installed, status: "True"}, {type: Healthy, status: "True"}]}}`
	theirs := map[string]string{"all/Provider.pkg.crossplane.io": `[{metadata: {name: theirs}, spec: {package: "other.example.org/x/provider-aws-s3@sha256:abc"}}]`}
	cases := map[string]struct {
		reason, ours string
		answers      map[string]string
		want         Readiness
	}{
		"Clash":   {"If ours is unhealthy, a second Provider with the package is named.", ours, theirs, Readiness{Conflict: true, Message: "Provider theirs of package other.example.org/x/provider-aws-s3@sha256:abc exists, too, and no composite resource made it: two of one package break the package manager: remove one; not healthy: node already exists"}},
		"Alone":   {"If there is no other, the error is quoted.", ours, nil, Readiness{Failed: true, Message: "not healthy: node already exists"}},
		"Healthy": {"If ours is healthy, no other is looked up.", healthy, theirs, Readiness{Ready: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := world{Observed: map[string]string{"provider/s3": tc.ours}, Answers: tc.answers}.resource(t, "provider/s3")
			if diff := cmp.Diff(tc.want, r.Ready(observed(t, tc.ours))); diff != "" {
				t.Errorf("%s\nReady(...): -want, +got:\n%s", tc.reason, diff)
			}
			if o, err := r.Build(); err != nil || o == nil {
				t.Errorf("%s\nours should stay: %v, %v", tc.reason, o, err)
			}
		})
	}
}
