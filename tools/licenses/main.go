// Command licenses checks the licences of everything that is linked into the function, and writes the notices that must be
// distributed with it.
//
// It checks the modules of the packages that `go list -deps` names, for every architecture in a release: the licence files in
// the root of each module, and in the folders of the packages in use and above them. A licence that is not allowed or not
// recognised is an error.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// allowed are the allowed licences, by SPDX identifier. All of them permit distribution of the function under Apache-2.0, with their
// notices. MPL-2.0 covers only its own files, which are linked as they are published. Unicode-DFS-2016 is the licence of Unicode data.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "Unicode-DFS-2016"}

// minimum percentage of a file that must be the text of licences.
const minimum = 75

// licenceFile matches files with a licence, noticeFile those that Apache-2.0 requires to be distributed.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying)([-.].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^notice(\..*)?$`)
	sourceFile  = regexp.MustCompile(`(?i)\.(go|s|html|yaml)$`)
)

// A Module is a Go module, or the standard library, as go list shows it.
type Module struct {
	Path    string  `json:"Path"`
	Version string  `json:"Version"`
	Dir     string  `json:"Dir"`
	Main    bool    `json:"Main"`
	Replace *Module `json:"Replace"`
}

// A Package is a Go package, as go list shows it.
type Package struct {
	Dir      string  `json:"Dir"`
	Standard bool    `json:"Standard"`
	Module   *Module `json:"Module"`
}

// A Finding is the licences of one module.
type Finding struct {
	Module
	Licences []string
	Notices  []Notice
}

// A Notice is a file that must be distributed.
type Notice struct{ Path, Text string }

func main() {
	root := flag.String("root", ".", "`directory` of the module to check")
	notices := flag.String("notices", "", "`file` to write the notices of all modules to")
	list := flag.Bool("list", false, "print every module with its licences")
	flag.Parse()
	if err := run(*root, *notices, *list); err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}

func run(root, notices string, list bool) error {
	found, err := findings(root)
	if err != nil {
		return err
	}
	count := map[string]int{}
	for i := range found {
		f := &found[i]
		if list {
			fmt.Printf("%-55s %-40s %s\n", f.Path, f.Version, strings.Join(f.Licences, ", "))
		}
		for _, l := range f.Licences {
			count[l]++
		}
		if e := f.check(); e != nil {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return err
	}
	fmt.Printf("licenses: %d modules, all allowed:", len(found))
	for _, l := range slices.Sorted(maps.Keys(count)) {
		fmt.Printf(" %s %d", l, count[l])
	}
	fmt.Println()
	if notices == "" {
		return nil
	}
	return os.WriteFile(notices, []byte(text(found)), 0o644)
}

// check that a module has licences, and only allowed ones.
func (f *Finding) check() error {
	if len(f.Licences) == 0 {
		return fmt.Errorf("%s %s: no licence that is known, in %s", f.Path, f.Version, f.Dir)
	}
	for _, l := range f.Licences {
		if !slices.Contains(allowed, l) {
			return fmt.Errorf("%s %s: licence %s is not among those allowed: %s", f.Path, f.Version, l, strings.Join(allowed, ", "))
		}
	}
	return nil
}

// findings returns the findings for every module that is linked in.
func findings(root string) ([]Finding, error) {
	dirs := map[Module][]string{} // of the packages in use
	for _, arch := range []string{"amd64", "arm64"} {
		if err := packages(root, arch, dirs); err != nil {
			return nil, err
		}
	}
	out := make([]Finding, 0, len(dirs))
	for m, pkgs := range dirs {
		f := Finding{Module: m}
		for _, dir := range upwards(m.Dir, pkgs) {
			if err := f.look(dir); err != nil {
				return nil, err
			}
		}
		slices.Sort(f.Licences)
		f.Licences = slices.Compact(f.Licences)
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Finding) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// packages adds the folders of linked packages to their modules.
func packages(root, arch string, dirs map[Module][]string) error {
	cmd := exec.CommandContext(context.Background(), "go", "list", "-deps", "-json=Dir,Standard,Module", ".")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	stdout, stderr := &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot list packages: %w: %s", err, stderr)
	}
	std, err := standard()
	if err != nil {
		return err
	}
	for d := json.NewDecoder(stdout); d.More(); {
		p := Package{}
		if err := d.Decode(&p); err != nil {
			return err
		}
		switch m := p.Module; {
		case p.Standard:
			dirs[std] = []string{std.Dir}
		case m == nil || m.Main:
		default:
			if m.Replace != nil {
				m = m.Replace
			}
			key := Module{Path: m.Path, Version: m.Version, Dir: m.Dir}
			dirs[key] = append(dirs[key], p.Dir)
		}
	}
	return nil
}

// standard returns the standard library as a module.
func standard() (Module, error) {
	out, err := exec.CommandContext(context.Background(), "go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return Module{}, err
	}
	root, version, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return Module{Path: "std", Version: version, Dir: root}, nil
}

// upwards returns the folders and all folders above them, up to the root.
func upwards(root string, dirs []string) []string {
	seen := map[string]bool{root: true}
	for _, dir := range dirs {
		for ; strings.HasPrefix(dir, root) && !seen[dir]; dir = filepath.Dir(dir) {
			seen[dir] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// look collects the licences and notices in a folder.
func (f *Finding) look(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		isLicence := licenceFile.MatchString(e.Name())
		if e.IsDir() || sourceFile.MatchString(e.Name()) || !isLicence && !noticeFile.MatchString(e.Name()) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(f.Dir, filepath.Join(dir, e.Name())) // Both are absolute.
		f.Notices = append(f.Notices, Notice{Path: filepath.ToSlash(name), Text: string(b)})
		if isLicence {
			f.Licences = append(f.Licences, licences(b)...)
		}
	}
	return nil
}

// licences returns the licences in a file. Text that is not recognised is called unknown, which is not allowed.
func licences(b []byte) []string {
	cov := licensecheck.Scan(b)
	if cov.Percent < minimum {
		return []string{fmt.Sprintf("unknown (%.0f%% recognised)", cov.Percent)}
	}
	out := []string{}
	for _, m := range cov.Match {
		out = append(out, m.ID)
	}
	return out
}

// text returns the text of all notices: each one once, with all modules that have it.
func text(found []Finding) string {
	b := &strings.Builder{}
	b.WriteString("Notices of the software that is linked into function-pod-identity-provider.\n")
	modules := map[string][]string{}
	order := []string{}
	for _, f := range found {
		for _, n := range f.Notices {
			if modules[n.Text] == nil {
				order = append(order, n.Text)
			}
			modules[n.Text] = append(modules[n.Text], fmt.Sprintf("%s %s (%s)", f.Path, f.Version, n.Path))
		}
	}
	for _, t := range order {
		fmt.Fprintf(b, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(modules[t], "\n"), strings.TrimSpace(t))
	}
	return b.String()
}
