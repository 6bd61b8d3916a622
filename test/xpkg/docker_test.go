package xpkg

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDockerfile checks that the Dockerfile, the other way to build the runtime
// image, gives the image the same config.
func TestDockerfile(t *testing.T) {
	// The first two words of instructions are enough for all of these.
	got := map[string]string{}

	for line := range strings.Lines(string(read(t, filepath.Join(shared.root, "Dockerfile")))) {
		if instruction, args, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			got[instruction] = args // The last one belongs to the final stage.
		}
	}

	cfg, err := shared.images[arches()[0]].ConfigFile()
	if err != nil {
		t.Fatalf("cannot read image config: %v", err)
	}

	entrypoint, err := json.Marshal(cfg.Config.Entrypoint)
	if err != nil {
		t.Fatal(err)
	}

	var port string
	for p := range cfg.Config.ExposedPorts {
		port = strings.TrimSuffix(p, "/tcp")
	}

	for instruction, want := range map[string]string{
		"FROM":       "scratch AS image",
		"USER":       cfg.Config.User,
		"ENTRYPOINT": string(entrypoint),
		"EXPOSE":     port,
	} {
		if diff := cmp.Diff(want, got[instruction]); diff != "" {
			t.Errorf("%s of the Dockerfile: -want as in the package's image, +got:\n%s", instruction, diff)
		}
	}
}

// TestDockerContext checks that .dockerignore allows all source files of the
// function. It is a list of allowed paths, so a new directory would be missing.
func TestDockerContext(t *testing.T) {
	var allowed []string

	for line := range strings.Lines(string(read(t, filepath.Join(shared.root, ".dockerignore")))) {
		if a, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			allowed = append(allowed, a)
		}
	}

	// Every file of this module that is compiled into the binary, one per line.
	format := `{{if .Module}}{{if .Module.Main}}{{$d := .Dir}}` +
		`{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, ".")
	cmd.Dir = shared.root

	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cannot list the files that the function is built from: %v", err)
	}

	files := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	if len(files) == 0 {
		t.Fatal("go list found no files that the function is built from")
	}

	for _, f := range files {
		path, err := filepath.Rel(shared.root, f)
		if err != nil {
			t.Fatal(err)
		}

		if !inContext(allowed, path) {
			t.Errorf("the function is built from %s, which .dockerignore excludes from the build context", path)
		}
	}
}

// inContext reports whether any pattern allows the file itself, or its top-level
// directory in the repository.
func inContext(allowed []string, path string) bool {
	top, _, _ := strings.Cut(filepath.ToSlash(path), "/")

	// These are excluded again.
	if strings.Contains(path, "testdata") {
		return false
	}

	return slices.ContainsFunc(allowed, func(pattern string) bool {
		ok, err := filepath.Match(pattern, top)
		return err == nil && ok
	})
}
