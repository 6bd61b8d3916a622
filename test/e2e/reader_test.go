package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
)

// A reader does what the pages say: in a shell in a checkout of the repository, with the tools that the pages ask for and an
// administrator's access to the cluster and to AWS.
type reader struct {
	*Scenario

	// checkout is the folder of the shell.
	checkout string
	// env is all of its environment.
	env []string
}

// reader of the pages. It begins without the bootstrap identity that a world has.
func (s *Scenario) reader() *reader {
	s.Helper()
	for _, sa := range bootstrapAccounts {
		s.Real.Disassociate(controlplane.Namespace, sa)
	}
	s.Real.RemoveRole(bootstrapRole)
	r := &reader{Scenario: s, checkout: filepath.Join(s.dir, "checkout")}
	if err := os.MkdirAll(r.checkout, 0o755); err != nil {
		s.Fatal(err)
	}
	// The files that git has or would add, and none that an earlier reader left.
	copying := exec.CommandContext(s.ctx, "bash", "-euo", "pipefail", "-c",
		`git ls-files -z --cached --others --exclude-standard -- docs example manifests | tar --null --files-from=- --create | tar -C "$1" --extract`, "copy", r.checkout)
	copying.Dir = built.Root
	if out, err := copying.CombinedOutput(); err != nil {
		s.Fatalf("cannot copy the repository: %v: %s", err, out)
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
		"HOME=" + os.Getenv("HOME"), "PATH=" + bin + ":" + os.Getenv("PATH"), "KUBECONFIG=" + s.Kubeconfig,
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

// giveUp is how long a script may take.
const giveUp = patience * 10 * time.Minute

// bash runs a script with the variables of those before, and returns what it prints. A script that takes too long is ended with all
// its programs.
func (r *reader) bash(script string) (string, error) {
	ctx, cancel := context.WithTimeout(r.ctx, giveUp)
	defer cancel()
	variables := filepath.Join(r.dir, "variables")
	cmd := exec.CommandContext(ctx, "bash", "-c", fmt.Sprintf("set -euo pipefail\n[ ! -e %[1]s ] || . %[1]s\nset -a\n%[2]s\nexport -p > %[1]s\n", variables, script))
	cmd.Dir, cmd.Env = r.checkout, r.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// do commands that a page describes without showing them.
func (r *reader) do(commands string) string {
	r.Helper()
	out, err := r.bash(commands)
	r.Logf("%s\n%s", commands, out)
	if err != nil {
		r.Fatalf("%s: %v\n%s", commands, err, out)
	}
	return out
}

// asks the plugin, and fails the scenario unless a line of the answer has each of the texts.
func (r *reader) asks(question string, texts ...string) {
	r.Helper()
	out := r.do("kubectl pod-identity " + question)
	for _, text := range texts {
		if !slices.ContainsFunc(strings.Split(out, "\n"), func(line string) bool { return strings.Contains(plain(line), text) }) {
			r.Errorf("%s does not say %q:\n%s", question, text, out)
		}
	}
}

// follow a page, or a part of one: run its commands in one shell, and compare what they print with the page. Commands that build
// something are left out: make commands runs them.
func (r *reader) follow(page string) {
	r.Helper()
	var script strings.Builder
	blocks := slices.DeleteFunc(shellBlocks(page), func(b shellBlock) bool { return strings.HasPrefix(b.commands, "make ") })
	for i, b := range blocks {
		// A reader stops to watch at some point.
		fmt.Fprintf(&script, "echo %s%d\n%s\n", blockMark, i, strings.ReplaceAll(b.commands, " -w ", " "))
	}
	out, err := r.bash(script.String())
	r.Logf("%s", out)
	if err != nil {
		for _, xr := range r.list(kinds["XR"]) {
			r.Logf("%s:\n%s", xr.GetName(), conditions(&xr))
		}
		r.Fatalf("the page's commands end with %v:\n%s", err, out)
	}
	printed := strings.Split(out, blockMark)[1:]
	if len(printed) != len(blocks) {
		r.Fatalf("%d of %d blocks ran", len(printed), len(blocks))
	}
	for i, b := range blocks {
		got := strings.Split(printed[i], "\n")
		for j := range got {
			got[j] = plain(got[j])
		}
		for _, want := range b.prints {
			if !slices.Contains(got, plain(want)) {
				r.Errorf("the page says that this prints %q:\n%s\nand it printed:\n%s", want, b.commands, printed[i])
			}
		}
	}
}

// edit a file of the checkout.
func (r *reader) edit(file string, oldnew ...string) {
	r.Helper()
	path := filepath.Join(r.checkout, file)
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
	if err := os.WriteFile(filepath.Join(r.checkout, file), []byte(text), 0o600); err != nil {
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
