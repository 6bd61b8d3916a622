// Package binaries builds what the suite runs, from source, in the versions that the modules below tools/ pin.
package binaries

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// What the suite runs, by the names that hack/tool.sh has for them.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Kubectl           = "kubectl"
	Webhook           = "pod-identity-webhook"
	CrossplaneV2      = "crossplane-core-v2"
	CrossplaneV23     = "crossplane-core-v2.3"
	CrossplaneV1      = "crossplane-core-v1"
	CLI               = "crossplane-cli-v2"

	// ProviderFamily and the others are the real providers: of the family, and of the services that scenarios use.
	ProviderFamily = "provider-aws-config"
	ProviderIAM    = "provider-aws-iam"
	ProviderEKS    = "provider-aws-eks"
	ProviderS3     = "provider-aws-s3"
	ProviderSQS    = "provider-aws-sqs"

	// AWSCLI, Terraform and its AWS provider are what readers of the pages use.
	AWSCLI            = "aws"
	Terraform         = "terraform"
	TerraformProvider = "terraform-provider-aws"
)

// All of them, in the order in which they are built.
func All() []string {
	return []string{
		AWSCLI, // It cannot be built: without it, a run ends before it builds anything.
		CLI, CrossplaneV2, CrossplaneV23, CrossplaneV1, Etcd, APIServer, ControllerManager, Kubectl, Webhook,
		ProviderIAM, ProviderFamily, ProviderEKS, ProviderS3, ProviderSQS, TerraformProvider, Terraform,
	}
}

// A Builder builds tools and runs Go in the modules of the repository.
type Builder struct {
	// Root of the repository.
	Root string
}

// Build a tool, unless this machine has it, and return its path. Its progress is printed to stderr.
func (b *Builder) Build(ctx context.Context, tool string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(b.Root, "hack", "tool.sh"), tool)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot build %s: %w", tool, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Command of Go in a folder of the repository, with the environment that every build of this repository has, so that all
// share Go's build cache.
func (b *Builder) Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(b.Root, dir)
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); name != "GOOS" && name != "GOARCH" {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false", "GOWORK=off")
	return cmd
}

// Source is the folder of a module's source, downloaded if this machine does not have it. Version is empty if a go.mod of ours pins it.
func (b *Builder) Source(ctx context.Context, dir, module, version string) (string, error) {
	if version != "" {
		module += "@" + version
	}
	out, err := b.Command(ctx, dir, "mod", "download", "-json", module).Output()
	if err != nil {
		return "", fmt.Errorf("cannot download %s: %w\n%s", module, err, out)
	}
	got := struct {
		Dir string `json:"Dir"`
	}{}
	if err := json.Unmarshal(out, &got); err != nil {
		return "", fmt.Errorf("cannot find the source of %s: %w", module, err)
	}
	return got.Dir, nil
}
