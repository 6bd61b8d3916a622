// Command catalogue writes a table of the AWS actions that the kinds of provider-aws need.
//
//	go run . --out=FILE
//
// It reads provider-aws and the Terraform provider that it is made of from Go's module cache, in the versions that go.mod here
// and that of provider-aws pin, and compiles neither.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

const (
	providerModule  = "github.com/upbound/provider-aws/v2"
	terraformModule = "github.com/hashicorp/terraform-provider-aws"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("catalogue: ")
	out := flag.String("out", "", "the file to write")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), *out); err != nil {
		log.Fatal(err)
	}
}

// run writes the table of kinds.
func run(ctx context.Context, out string) error {
	provider, err := download(ctx, ".", providerModule)
	if err != nil {
		return err
	}
	// Its go.mod says which Terraform provider replaces the official one.
	terraform, err := download(ctx, provider.Dir, terraformModule)
	if err != nil {
		return err
	}
	kinds, err := kindsOf(provider.Dir)
	if err != nil {
		return err
	}
	if err := known(kinds); err != nil {
		return err
	}
	s, err := newSource(terraform.Dir)
	if err != nil {
		return err
	}
	rows, unresolved, err := s.rows(kinds)
	if err != nil {
		return err
	}
	log.Printf("%d kinds, %d of them analysed; %d notes", len(kinds), len(rows), len(unresolved))
	return os.WriteFile(out, []byte(table([]string{provider.name(), terraform.name()}, rows, unresolved)), 0o644)
}

// known checks that the tables in actions.go name existing kinds only.
func known(kinds []kind) error {
	for _, about := range []map[string]string{moreOfKinds, lessOfKinds, morePasses, untold} {
		for name := range about {
			if !slices.ContainsFunc(kinds, func(k kind) bool { return k.service+"/"+k.name == name }) {
				return fmt.Errorf("actions.go says something about %s, and there is no such kind", name)
			}
		}
	}
	return nil
}

// rows returns the rows of all kinds, and notes on everything that is unknown.
func (s *source) rows(kinds []kind) ([]row, []string, error) {
	resources, err := s.all()
	if err != nil {
		return nil, nil, err
	}
	ref, err := readReference()
	if err != nil {
		return nil, nil, err
	}
	var rows []row
	notes := map[string]bool{}
	for _, k := range kinds {
		r, ok := resources[k.resource]
		if !ok {
			notes[fmt.Sprintf("%s: there is no resource %s for %s", k.service, k.resource, k.name)] = true
			continue
		}
		got, err := s.reach(r, k.shown)
		if err != nil {
			return nil, nil, err
		}
		if why := untold[k.service+"/"+k.name]; why != "" {
			notes[fmt.Sprintf("%s: %s: %s", k.service, k.name, why)] = true
		}
		row, unknown := rowOf(k, got, ref)
		rows = append(rows, row)
		for _, u := range unknown {
			notes[u] = true
		}
		for u := range got.unresolved {
			notes[u] = true
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.name, b.name)) })
	return rows, slices.Sorted(maps.Keys(notes)), nil
}

// all returns the resources of the Terraform provider, by name.
func (s *source) all() (map[string]resource, error) {
	packages, err := filepath.Glob(filepath.Join(s.root, "internal", "service", "*", "service_package_gen.go"))
	if err != nil {
		return nil, err
	}
	out := map[string]resource{}
	for _, f := range packages {
		p, err := s.load(filepath.Base(filepath.Dir(f)))
		if err != nil {
			return nil, err
		}
		for _, r := range p.resources() {
			out[r.name] = r
		}
	}
	return out, nil
}

// A module is one in Go's module cache.
type module struct {
	Path    string `json:"Path"`
	Version string `json:"Version"`
	Dir     string `json:"Dir"`
	Error   string `json:"Error"`
}

func (m module) name() string { return m.Path + " " + m.Version }

// download downloads a module in the version that the go.mod in a folder pins, unless the module cache has it.
func download(ctx context.Context, dir, path string) (module, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", path)
	cmd.Dir = dir
	// The versions do not depend on the caller's workspace.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	got := module{}
	if e := json.Unmarshal(text, &got); err == nil && e != nil {
		err = e
	}
	if err != nil || got.Error != "" {
		return module{}, fmt.Errorf("cannot download %s: %w: %s%s", path, err, got.Error, stderr.String())
	}
	return got, nil
}
