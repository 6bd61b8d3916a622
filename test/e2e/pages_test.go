package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
)

// A reader does what the pages say: in a shell in a checkout of the repository, with the tools that the pages ask for and an
// administrator's access to the cluster and to AWS.
type reader struct {
	*Scenario

	// dir is the checkout.
	dir string
	env []string
}

// reader of the pages. It begins without the bootstrap identity that a world has.
func (s *Scenario) reader() *reader {
	s.Helper()
	for _, sa := range []string{"provider-aws-iam", "provider-aws-eks"} {
		s.Real.Disassociate(controlplane.Namespace, sa)
	}
	s.Real.RemoveRole(bootstrapRole)
	r := &reader{Scenario: s, dir: filepath.Join(s.dir, "checkout")}
	for _, folder := range []string{"docs", "example", "manifests"} {
		if err := os.CopyFS(filepath.Join(r.dir, folder), os.DirFS(filepath.Join(built.Root, folder))); err != nil {
			s.Fatal(err)
		}
	}
	bin, mirror := filepath.Join(s.dir, "bin"), filepath.Join(s.dir, "mirror")
	links := map[string]string{}
	for _, tool := range []string{binaries.Kubectl, plugin, binaries.AWSCLI, binaries.Terraform} {
		links[filepath.Join(bin, tool)] = built.Paths[tool]
	}
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		dir := filepath.Join(mirror, registry, "hashicorp/aws", terraformProvider, runtime.GOOS+"_"+runtime.GOARCH)
		links[filepath.Join(dir, "terraform-provider-aws_v"+terraformProvider)] = built.Paths[binaries.TerraformProvider]
	}
	for link, target := range links {
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			s.Fatal(err)
		}
		if err := os.Symlink(target, link); err != nil {
			s.Fatal(err)
		}
	}
	config := filepath.Join(s.dir, "terraformrc")
	if err := os.WriteFile(config, []byte("provider_installation {\n  filesystem_mirror {\n    path = \""+mirror+"\"\n  }\n}\n"), 0o600); err != nil {
		s.Fatal(err)
	}
	r.env = []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "KUBECONFIG=" + s.Kubeconfig,
		"AWS_ENDPOINT_URL=" + s.Real.URL, "AWS_ACCESS_KEY_ID=" + aws.RootKey, "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
		// Version 1 of the AWS CLI needs a region where the endpoint is not AWS's own.
		"AWS_DEFAULT_REGION=" + aws.Region,
		// Terraform asks before it changes anything, and the reader says yes.
		"TF_CLI_CONFIG_FILE=" + config, "TF_CLI_ARGS=-no-color", "TF_CLI_ARGS_apply=-auto-approve", "TF_CLI_ARGS_destroy=-auto-approve", "CHECKPOINT_DISABLE=1",
	}
	return r
}

// terraformProvider is the version under which Terraform finds its AWS provider here.
const terraformProvider = "6.34.0"

// follow a page, or a part of one.
func (r *reader) follow(page string) {
	r.Helper()
	r.Scenario.follow(page, r.dir, r.env...)
}

// do commands that a page describes without showing them.
func (r *reader) do(commands string) string {
	r.Helper()
	cmd := exec.CommandContext(r.ctx, "bash", "-c", r.shell()+commands)
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), r.env...)
	out, err := cmd.CombinedOutput()
	r.Logf("%s\n%s", commands, out)
	if err != nil {
		r.Fatalf("%s: %v\n%s", commands, err, out)
	}
	return string(out)
}

// asks the plugin, and fails the scenario unless the answer has all of the lines, which may have more after that.
func (r *reader) asks(question string, lines ...string) {
	r.Helper()
	out := r.do("kubectl pod-identity " + question)
	for _, line := range lines {
		if !strings.Contains(plain(out), plain(line)) {
			r.Errorf("%s does not say %q:\n%s", question, line, out)
		}
	}
}

// edit a file of the checkout.
func (r *reader) edit(file string, oldnew ...string) {
	r.Helper()
	path := filepath.Join(r.dir, file)
	b, err := os.ReadFile(path)
	if err != nil {
		r.Fatal(err)
	}
	after := strings.NewReplacer(oldnew...).Replace(string(b))
	if after == string(b) {
		r.Fatalf("%s has none of %v", file, oldnew)
	}
	r.write(file, after)
}

// write a file of the checkout.
func (r *reader) write(file, text string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, file), []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

// section of a page, without its heading.
func (s *Scenario) section(file, heading string) string {
	s.Helper()
	_, text, ok := strings.Cut(s.File(file), "\n"+heading+"\n")
	if !ok {
		s.Fatalf("%s has no section %q", file, heading)
	}
	level, _, _ := strings.Cut(heading, " ")
	text, _, _ = strings.Cut(text, "\n"+level+" ")
	return text
}

// The ways of docs/bootstrap.md, step 2.
const (
	withTerraform = "**With Terraform.**"
	withAWSCLI    = "**With the AWS CLI:**"
)

// identify makes the bootstrap identity in one of the ways of docs/bootstrap.md, step 2.
func (r *reader) identify(way string) {
	r.Helper()
	text := r.section("docs/bootstrap.md", "## 2. Agent, role and associations")
	name, _, _ := strings.Cut(text, "**With eksctl**")
	_, how, ok := strings.Cut(text, way)
	if !ok {
		r.Fatalf("the page has no %q", way)
	}
	how, _, _ = strings.Cut(how, "\n**With")
	r.follow(name + how)
	time.Sleep(15 * time.Second) // As the page says.
}

// bootstrap the cluster as docs/bootstrap.md says, from its step 2 on. The manifest of step 3 is edited.
func (r *reader) bootstrap(way string, edit ...string) {
	r.Helper()
	r.identify(way)
	r.follow(strings.NewReplacer(edit...).Replace(r.section("docs/bootstrap.md", "## 3. Providers")))
	r.follow(r.section("docs/bootstrap.md", "## 4. Check"))
	for _, sa := range []string{"provider-aws-iam", "provider-aws-eks"} {
		r.podHasPodIdentity(sa)
	}
	r.Stepf("provider-aws-iam and -eks are there, with credentials")
}

// installs what the quick start says in step 3.
func (r *reader) installs() {
	r.Helper()
	r.follow(r.section("docs/quickstart.md", "## 3. Install"))
	r.offered()
	r.Stepf("the API is installed")
}

// quickStart does what the quick start says, from its step 2 to the end, with the bootstrap that it links to.
func quickStart(s *Scenario) {
	r := s.reader()
	r.asks("look", "Crossplane, and no AWS provider.", "Give provider-aws-iam and provider-aws-eks an identity, then install them from xpkg.upbound.io/upbound: docs/bootstrap.md.")
	r.bootstrap(withAWSCLI)
	r.do("docs/bootstrap/aws.sh") // It can be run again.
	r.installs()
	for _, step := range []string{"## 4. An identity for s3", "## 5. Use it", "## 6. Hand it to app teams"} {
		r.follow(s.section("docs/quickstart.md", step))
	}
	if owner := s.Real.Owner("hello-123456789012"); !strings.Contains(owner, ":assumed-role/crossplane-prod-eu-west-1-s3/") {
		s.Errorf("the bucket was created by %q, and should have been with the role of s3", owner)
	}
	r.asks("doctor", "upbound-provider-aws-iam", "No problems.")
	s.Stepf("the page's commands work, and print what it says")

	// What the page shows, but cannot run on both versions of Crossplane or without names of the reader's own.
	bucket := s3Bucket("hello-namespaced-123456789012").in("default")
	s.Apply(block(s.File("docs/quickstart.md"), "yaml", "kind: ClusterProviderConfig"))
	s.ready(bucket)
	team := s3Bucket("team-a-files").in("team-a")
	s.use("uploads", team)
	other := s3Bucket("other-files").in("team-a")
	s.manage("uploads", other)
	s.Stepf("a bucket of the namespaced kind works, and one of the team; another name is refused: %s", s.refusal(other, "AccessDenied", "team-a-uploads"))

	s.unuse(team, other)
	r.follow(s.section("docs/quickstart.md", "## 7. Clean up"))
	s.Until(4*time.Minute, "AWS has nothing of it", func() error {
		if left := slices.Concat(s.Real.Has("crossplane-prod-eu-west-1-s3"), s.Real.Has("team-a"), s.Real.Has("hello")); len(left) > 0 {
			return fmt.Errorf("it has %v", left)
		}
		return nil
	})
	s.Stepf("everything is cleaned up")

	r.follow(s.section("docs/upgrade.md", "## The providers"))
	uninstall, ways, _ := strings.Cut(s.section("docs/upgrade.md", "## Uninstall"), "With Terraform,")
	_, cli, ok := strings.Cut(ways, "with the AWS CLI:")
	if !ok {
		s.Fatal("the page does not say how to remove the identity with the AWS CLI")
	}
	r.follow(uninstall + cli)
	s.Until(time.Minute, "nothing is left of the installation", func() error {
		left := s.Real.Has("bootstrap")
		for _, kind := range []string{"Provider", "Function", "Configuration"} {
			for _, o := range s.list(kinds[kind]) {
				left = append(left, kind+" "+o.GetName())
			}
		}
		if len(left) > 0 {
			return fmt.Errorf("there are %v", left)
		}
		return nil
	})
	s.Stepf("everything is uninstalled")
}

// bootstrapContrib is the bootstrap with Terraform and the packages of crossplane-contrib.
func bootstrapContrib(s *Scenario) {
	r := s.reader()
	r.bootstrap(withTerraform, "bootstrap-providers.yaml", "bootstrap-providers-contrib.yaml", "upbound-provider-aws-", "crossplane-contrib-provider-aws-")
	r.do("AWS_REGION=eu-west-1 terraform -chdir=docs/bootstrap plan -detailed-exitcode -var cluster_name=prod")
	s.Stepf("Terraform has nothing more to do")
	r.installs()
	r.asks("look", "Set spec.provider.registry: xpkg.crossplane.io/crossplane-contrib in every PodIdentityProvider", "Keep Provider crossplane-contrib-provider-aws-iam: it has credentials from Pod Identity.")
	s.Apply(`
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityProvider
metadata: {name: queues}
spec: {region: eu-west-1, clusterName: prod, provider: {registry: xpkg.crossplane.io/crossplane-contrib}, services: [{name: sqs}]}
`)
	s.Is(4*time.Minute, "XR", "queues", "Ready=True")
	s.use("queues", sqsQueue("contrib"))
	r.asks("doctor", "xpkg.crossplane.io/crossplane-contrib/provider-aws-sqs", "No problems.")
	s.Stepf("a provider of that registry works with its identity")

	_, uninstall, _ := strings.Cut(s.section("docs/upgrade.md", "## Uninstall"), "With Terraform,")
	uninstall, _, ok := strings.Cut(uninstall, "With eksctl")
	if !ok {
		s.Fatal("the page does not say how to remove the identity with Terraform")
	}
	r.follow(uninstall)
	if left := s.Real.Has("bootstrap"); len(left) > 0 {
		s.Errorf("AWS still has %v", left)
	}
	s.Stepf("Terraform removes the bootstrap identity")
}

// bootstrapParts is the bootstrap where one of the two providers is there, without credentials and with no ServiceAccount of its own.
func bootstrapParts(s *Scenario) {
	r := s.reader()
	s.Apply(`{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: my-iam}, spec: {package: "xpkg.upbound.io/upbound/provider-aws-iam:$VERSION"}}`)
	s.Is(3*time.Minute, "Provider", "my-iam", "Installed=True", "Healthy=True")
	r.asks("look", "Provider my-iam: xpkg.upbound.io/upbound/provider-aws-iam:"+s.version.providerVersion, "Give Provider my-iam an identity", "Give provider-aws-eks an identity, then install them from xpkg.upbound.io/upbound in version "+s.version.providerVersion)
	s.Stepf("provider-aws-iam is there, without credentials")

	r.identify(withAWSCLI)
	// The manifest without what is there.
	_, parts, _ := strings.Cut(s.File("manifests/bootstrap-providers.yaml"), "---\n")
	parts, _, _ = strings.Cut(parts, "---\napiVersion: pkg.crossplane.io/v1\nkind: Provider\nmetadata:\n  name: upbound-provider-aws-iam")
	_, eks, ok := strings.Cut(s.File("manifests/bootstrap-providers.yaml"), "---\napiVersion: pkg.crossplane.io/v1\nkind: Provider\nmetadata:\n  name: upbound-provider-aws-eks")
	if !ok {
		s.Fatal("the manifest has no Provider upbound-provider-aws-eks")
	}
	r.write("manifests/bootstrap-providers.yaml", parts+"---\napiVersion: pkg.crossplane.io/v1\nkind: Provider\nmetadata:\n  name: upbound-provider-aws-eks"+eks)
	// The one that is there gets the ServiceAccount of the association.
	s.Apply(`{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, metadata: {name: my-iam}, spec: {serviceAccountTemplate: {metadata: {name: provider-aws-iam}}}}`)
	r.do(`kubectl patch provider.pkg.crossplane.io my-iam --type merge -p '{"spec":{"runtimeConfigRef":{"name":"my-iam"}}}'`)
	r.follow(strings.ReplaceAll(s.section("docs/bootstrap.md", "## 3. Providers"), "upbound-provider-aws-iam", "my-iam"))
	for _, sa := range []string{"provider-aws-iam", "provider-aws-eks"} {
		s.podHasPodIdentity(sa)
	}
	r.installs()
	r.follow(s.section("docs/quickstart.md", "## 4. An identity for s3"))
	r.asks("doctor", "my-iam", "No problems.")
	s.Stepf("both have credentials, and there is an identity for s3")

	// What guides for other packages say to apply.
	s.Apply(`{apiVersion: pkg.crossplane.io/v1, kind: Provider, metadata: {name: second-family}, spec: {package: "xpkg.upbound.io/upbound/provider-family-aws:$VERSION"}}`)
	remedy := "kubectl delete provider.pkg.crossplane.io second-family"
	s.Until(time.Minute, "the doctor says which family to delete", func() error {
		out := r.do("kubectl pod-identity doctor || true")
		if !strings.Contains(out, "keep upbound-provider-family-aws, which owns the CRDs and with them all objects, and run "+remedy+"\n") || strings.Contains(out, "No problems.") {
			return errors.New(out)
		}
		return nil
	})
	r.do(remedy)
	s.Until(2*time.Minute, "the package manager works again", func() error {
		if out := r.do("kubectl pod-identity doctor || true"); !strings.Contains(out, "No problems.") {
			return errors.New(out)
		}
		return nil
	})
	s.Is(time.Minute, "XR", "storage", "Ready=True")
	s.Stepf("the doctor says which of two families to delete, and then it finds no problems")
}

// follow a page: run its commands in one shell, as a reader does, and compare what they print with the page. The shell has the
// variables of the pages before. Commands that build something are left out: make newcomer runs them elsewhere.
func (s *Scenario) follow(page, dir string, env ...string) {
	s.Helper()
	var script strings.Builder
	script.WriteString(s.shell() + "set -a\n")
	blocks := slices.DeleteFunc(shellBlocks(page), func(b shellBlock) bool { return strings.HasPrefix(b.commands, "make ") })
	for i, b := range blocks {
		// A reader stops to watch at some point.
		fmt.Fprintf(&script, "echo %s%d\n%s\n", blockMark, i, strings.ReplaceAll(b.commands, " -w ", " "))
	}
	fmt.Fprintf(&script, "export -p > %s\n", s.variables())
	cmd := exec.CommandContext(s.ctx, "bash", "-c", script.String())
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	s.Logf("%s", out)
	if err != nil {
		for _, xr := range s.list(kinds["XR"]) {
			s.Logf("%s:\n%s", xr.GetName(), conditions(&xr))
		}
		s.Fatalf("the page's commands end with %v:\n%s", err, out)
	}
	printed := strings.Split(string(out), blockMark)[1:]
	if len(printed) != len(blocks) {
		s.Fatalf("%d of %d blocks ran", len(printed), len(blocks))
	}
	for i, b := range blocks {
		got := strings.Split(printed[i], "\n")
		for j := range got {
			got[j] = plain(got[j])
		}
		for _, want := range b.prints {
			if !slices.Contains(got, plain(want)) {
				s.Errorf("the page says that this prints %q:\n%s\nand it printed:\n%s", want, b.commands, printed[i])
			}
		}
	}
}

// shell begins a script that has the variables of the pages before.
func (s *Scenario) shell() string {
	return fmt.Sprintf("set -euo pipefail\n[ ! -e %[1]s ] || . %[1]s\n", s.variables())
}

// variables is the file that keeps them.
func (s *Scenario) variables() string { return filepath.Join(s.dir, "variables") }

// age at the end of a line of kubectl get.
var age = regexp.MustCompile(` (\d+[smhd])+$`)

// plain is a line without what differs from run to run: the width of columns, and the age of objects.
func plain(line string) string {
	return age.ReplaceAllString(strings.Join(strings.Fields(line), " "), " AGE")
}

const blockMark = "=== block "

// A shellBlock of a page: commands, and lines that they print.
type shellBlock struct {
	commands string
	prints   []string
}

// shellBlocks of a page. Their output is in a block of text below them.
func shellBlocks(page string) []shellBlock {
	var out []shellBlock
	for _, b := range codeBlocks(page) {
		switch {
		case b.language == "bash":
			out = append(out, shellBlock{commands: b.content})
		case b.language == "text" && len(out) > 0 && b.follows:
			for line := range strings.Lines(b.content) {
				if line = strings.TrimSpace(line); line != "" && line != "..." {
					out[len(out)-1].prints = append(out[len(out)-1].prints, line)
				}
			}
		}
	}
	return out
}

// block of a page in a language, with some text. Empty if there is none.
func block(page, language, text string) string {
	for _, b := range codeBlocks(page) {
		if b.language == language && strings.Contains(b.content, text) {
			return b.content
		}
	}
	return ""
}

// A codeBlock of a page. It follows if there is no text between it and the one before.
type codeBlock struct {
	language, content string
	follows           bool
}

func codeBlocks(page string) []codeBlock {
	var out []codeBlock
	parts := strings.Split(page, "```")
	for i := 1; i < len(parts); i += 2 {
		language, content, _ := strings.Cut(parts[i], "\n")
		out = append(out, codeBlock{language, content, strings.TrimSpace(parts[i-1]) == ""})
	}
	return out
}
