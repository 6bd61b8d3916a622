package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// A workflow is the part of a GitHub workflow that the test checks.
type workflow struct {
	Permissions any            `json:"permissions"`
	Jobs        map[string]job `json:"jobs"`
}

type job struct {
	Uses           string            `json:"uses"`
	Permissions    map[string]string `json:"permissions"`
	TimeoutMinutes int               `json:"timeout-minutes"`
	Steps          []struct {
		Uses string         `json:"uses"`
		Run  string         `json:"run"`
		With map[string]any `json:"with"`
	} `json:"steps"`
}

var (
	pinned   = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	usesLine = regexp.MustCompile(`(?m)^\s*(?:- )?uses:\s*(\S+)(.*)$`)
	makeCall = regexp.MustCompile(`\bmake ([a-z0-9-]+)`)
	untaint  = regexp.MustCompile(`\$\{\{[^}]*github\.(event|head_ref|ref_name)[^}]*\}\}`)
)

// TestWorkflows checks the security of workflows: actions are pinned, and jobs have no more permissions than they need.
// `make lint` runs actionlint, which checks everything else.
func TestWorkflows(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, ".github/workflows/*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("want the workflows ci, e2e, release and scan, got %v (%v)", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			checkUses(t, string(b))
			w := workflow{}
			if err := yaml.Unmarshal(b, &w); err != nil {
				t.Fatal(err)
			}
			if p, ok := w.Permissions.(map[string]any); !ok || len(p) != 0 {
				t.Errorf("permissions of the workflow should be {}: every job asks for its own; got %v", w.Permissions)
			}
			for name, j := range w.Jobs {
				checkJob(t, name, j)
			}
		})
	}
}

func checkUses(t *testing.T, content string) {
	t.Helper()
	for _, m := range usesLine.FindAllStringSubmatch(content, -1) {
		if !pinned.MatchString(m[1]) {
			t.Errorf("%s is not pinned to a commit", m[1])
		}
		if !regexp.MustCompile(`# v\d+\.\d+\.\d+`).MatchString(m[2]) {
			t.Errorf("%s does not say its version in a comment", m[1])
		}
	}
}

func checkJob(t *testing.T, name string, j job) {
	t.Helper()
	if len(j.Permissions) == 0 {
		t.Errorf("job %s has no permissions of its own", name)
	}
	if j.TimeoutMinutes == 0 {
		t.Errorf("job %s has no timeout-minutes", name)
	}
	for _, s := range j.Steps {
		if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
			t.Errorf("job %s keeps the token in the checkout: set persist-credentials: false", name)
		}
		if untaint.MatchString(s.Run) {
			t.Errorf("job %s puts an expression into a script; pass it in env: %s", name, s.Run)
		}
		for _, m := range makeCall.FindAllStringSubmatch(s.Run, -1) {
			if !isTarget(t, m[1]) {
				t.Errorf("job %s calls make %s, which is not a target", name, m[1])
			}
		}
	}
}

// TestRenovate checks that the configuration parses, and that each of its patterns matches a file.
func TestRenovate(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "renovate.json"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := struct {
		CustomManagers []struct {
			ManagerFilePatterns []string `json:"managerFilePatterns"`
			MatchStrings        []string `json:"matchStrings"`
		} `json:"customManagers"`
	}{}
	if err := yaml.Unmarshal(b, &cfg); err != nil {
		t.Fatal(err)
	}
	for _, m := range cfg.CustomManagers {
		for _, s := range m.MatchStrings {
			if !found(t, m.ManagerFilePatterns, regexp.MustCompile(s)) {
				t.Errorf("no file that matches %v has anything that matches %s", m.ManagerFilePatterns, s)
			}
		}
	}
}

// found reports whether a file of the repository matches.
func found(t *testing.T, patterns []string, content *regexp.Regexp) bool {
	t.Helper()
	for _, glob := range []string{"manifests/*.yaml", "configuration/apis/*.yaml"} {
		files, _ := filepath.Glob(filepath.Join(root, glob)) // The pattern is well formed.
		for _, f := range files {
			rel, _ := filepath.Rel(root, f) // Likewise.
			for _, p := range patterns {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				if regexp.MustCompile(strings.Trim(p, "/")).MatchString(filepath.ToSlash(rel)) && content.Match(b) {
					return true
				}
			}
		}
	}
	return false
}
