// Command provider-aws writes a copy of provider-aws, and of the Terraform provider that it is made of, in which only some
// services are registered. That is a third of the code, which a small machine builds in minutes instead of an hour.
//
//	go run . --out=FOLDER --services=iam,eks
//
// Both modules come from Go's module cache, in the versions that go.mod here and that of provider-aws pin. The code of a service
// is not changed: only lists of services become shorter, and files of other services are left out. The command fails if a list
// does not look as expected.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	providerModule  = "github.com/upbound/provider-aws/v2"
	terraformModule = "github.com/hashicorp/terraform-provider-aws"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("provider-aws: ")
	out := flag.String("out", "", "the folder to write to")
	services := flag.String("services", "", "the services to keep, as provider-aws calls them, with commas in between")
	flag.Parse()
	if *out == "" || *services == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), *out, strings.Split(*services, ",")); err != nil {
		log.Fatal(err)
	}
}

// run writes OUT/provider-aws, the module to build, and OUT/terraform-provider-aws, which it uses.
func run(ctx context.Context, out string, services []string) error {
	provider, err := download(ctx, ".", providerModule)
	if err != nil {
		return err
	}
	to := filepath.Join(out, "provider-aws")
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := copyFile(filepath.Join(provider, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	// Its go.mod names the Terraform provider that replaces the official one, and its go.sum has the hash.
	terraform, err := download(ctx, to, terraformModule)
	if err != nil {
		return err
	}
	if err := trimTerraform(terraform, filepath.Join(out, "terraform-provider-aws"), services); err != nil {
		return fmt.Errorf("%s: %w", terraformModule, err)
	}
	if err := trimProvider(provider, to, services); err != nil {
		return fmt.Errorf("%s: %w", providerModule, err)
	}
	return nil
}

// download downloads a module in the version that the go.mod in a folder pins, unless the module cache has it. It returns its folder.
func download(ctx context.Context, dir, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = dir
	// The versions of a build do not depend on the caller's workspace.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	got := struct {
		Dir   string `json:"Dir"`
		Error string `json:"Error"`
	}{}
	if e := json.Unmarshal(text, &got); err == nil && e != nil {
		err = e
	}
	if err != nil || got.Error != "" {
		return "", fmt.Errorf("cannot download %s: %w: %s%s", module, err, got.Error, stderr.String())
	}
	return got.Dir, nil
}
