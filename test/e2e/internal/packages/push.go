package packages

import (
	"context"
	"fmt"
	"os/exec"
)

// PushFile pushes a package that was built already, as `crossplane xpkg push` does, to a repository of the registry.
func (r *Registry) PushFile(ctx context.Context, cli, file, repository string) error {
	out, err := exec.CommandContext(ctx, cli, "xpkg", "push", "-f", file, r.Address+"/"+repository).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot push %s: %w\n%s", file, err, out)
	}
	return nil
}
