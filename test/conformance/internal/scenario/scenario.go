// Package scenario reads the scenarios of the example folder. A scenario is an example for users, a golden test of
// the function, and a test against the real Crossplane.
package scenario

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// ResourceNameAnnotation carries the key of a composed resource.
const ResourceNameAnnotation = "crossplane.io/composition-resource-name"

// Defaults for files that a scenario does not have itself, relative to the root of the repository.
const (
	defaultComposition = "configuration/apis/composition.yaml"
	defaultDefinition  = "configuration/apis/definition.yaml"

	// The defaults for tenants.
	tenantKind        = "PodIdentityTenant"
	tenantComposition = "configuration/apis/tenant-composition.yaml"
	tenantDefinition  = "configuration/apis/tenant-definition.yaml"
)

// stepName matches the name of a step's folder.
var stepName = regexp.MustCompile(`^\d+-`)

// A Scenario is a sequence of steps.
type Scenario struct {
	// Name of the scenario's folder.
	Name string

	// Title is the first line of the README.
	Title string

	Steps []Step
}

// A Step is one moment of a scenario: the state of the cluster, and the response of the function.
type Step struct {
	// Name of the step: scenario/folder.
	Name string

	// Title is the first line of the step's README, empty if there is none.
	Title string

	// XRPath, CompositionPath, DefinitionPath and ExpectedPath are files. The last one need not exist.
	XRPath, CompositionPath, DefinitionPath, ExpectedPath string

	// PlatformPath is the file of the function's own configuration, empty if there is none.
	PlatformPath string

	XR          *unstructured.Unstructured
	Composition *unstructured.Unstructured

	// Observed are the existing composed resources.
	Observed []*unstructured.Unstructured

	// Required are other objects of the cluster.
	Required []*unstructured.Unstructured
}

// Root returns the root of the repository that contains the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "hack", "tool.sh")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("cannot find the root of the repository above the working directory")
		}
		dir = parent
	}
}

// Load reads all scenarios below a folder. The root of the repository has the defaults for their files.
func Load(root, examples string) ([]Scenario, error) {
	dirs, err := os.ReadDir(examples)
	if err != nil {
		return nil, fmt.Errorf("cannot read scenarios: %w", err)
	}

	var out []Scenario
	for _, d := range dirs {
		if !d.IsDir() {
			continue
		}
		s, err := load(root, filepath.Join(examples, d.Name()))
		if err != nil {
			return nil, fmt.Errorf("scenario %q: %w", d.Name(), err)
		}
		if len(s.Steps) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

func load(root, dir string) (Scenario, error) {
	s := Scenario{Name: filepath.Base(dir), Title: title(dir)}

	dirs, err := os.ReadDir(dir)
	if err != nil {
		return s, err
	}
	for _, d := range dirs {
		if !d.IsDir() || !stepName.MatchString(d.Name()) {
			continue
		}
		step, err := loadStep(root, dir, d.Name())
		if err != nil {
			return s, fmt.Errorf("step %q: %w", d.Name(), err)
		}
		s.Steps = append(s.Steps, step)
	}
	return s, nil
}

func loadStep(root, scenario, name string) (Step, error) {
	dir := filepath.Join(scenario, name)
	s := Step{
		Name:         filepath.Base(scenario) + "/" + name,
		Title:        title(dir),
		XRPath:       firstFile(filepath.Join(dir, "xr.yaml"), filepath.Join(scenario, "xr.yaml")),
		ExpectedPath: filepath.Join(dir, "expected.yaml"),
		PlatformPath: firstFile(filepath.Join(dir, "platform.yaml"), filepath.Join(scenario, "platform.yaml"), ""),
	}

	var err error
	if s.XR, err = ReadOne(s.XRPath); err != nil {
		return s, err
	}
	composition, definition := defaultComposition, defaultDefinition
	if s.XR.GetKind() == tenantKind {
		composition, definition = tenantComposition, tenantDefinition
	}
	s.DefinitionPath = filepath.Join(root, definition)
	s.CompositionPath = firstFile(filepath.Join(dir, "composition.yaml"), filepath.Join(scenario, "composition.yaml"), filepath.Join(root, composition))
	if s.Composition, err = ReadOne(s.CompositionPath); err != nil {
		return s, err
	}
	if s.Observed, err = readIfExists(filepath.Join(dir, "observed.yaml")); err != nil {
		return s, err
	}
	for _, o := range s.Observed {
		if o.GetAnnotations()[ResourceNameAnnotation] == "" {
			return s, fmt.Errorf("observed.yaml: %s %q has no annotation %s", o.GetKind(), o.GetName(), ResourceNameAnnotation)
		}
	}
	if s.Required, err = readIfExists(filepath.Join(dir, "required.yaml")); err != nil {
		return s, err
	}
	// The kinds that every Crossplane has.
	crossplane, err := ReadFile(filepath.Join(root, "example", "crossplane.yaml"))
	s.Required = append(s.Required, crossplane...)
	return s, err
}

// Expected returns the documents of the step's expected.yaml.
func (s *Step) Expected() ([]*unstructured.Unstructured, error) {
	return ReadFile(s.ExpectedPath)
}

// Cluster returns every object of the step's cluster except the XR: composed resources and other objects. If both lists have
// an object, Cluster returns the composed one.
func (s *Step) Cluster() []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	seen := map[string]bool{}
	for _, o := range slices.Concat(s.Observed, s.Required) {
		id := strings.Join([]string{o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName()}, "\x00")
		if !seen[id] {
			out = append(out, o)
		}
		seen[id] = true
	}
	return out
}

// ReadFile reads all YAML documents of a file.
func ReadFile(path string) ([]*unstructured.Unstructured, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()

	out, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// Read reads all YAML documents. It skips empty ones.
func Read(r io.Reader) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	for docs := kyaml.NewYAMLReader(bufio.NewReader(r)); ; {
		b, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read YAML: %w", err)
		}
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(b, &u.Object); err != nil {
			return nil, fmt.Errorf("cannot parse document %d: %w", len(out)+1, err)
		}
		if len(u.Object) > 0 {
			out = append(out, u)
		}
	}
}

// Write writes objects as YAML documents.
func Write(w io.Writer, objects ...*unstructured.Unstructured) error {
	for _, o := range objects {
		b, err := yaml.Marshal(o.Object)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "---\n%s", b); err != nil {
			return err
		}
	}
	return nil
}

func readIfExists(path string) ([]*unstructured.Unstructured, error) {
	out, err := ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return out, err
}

// ReadOne reads a file that has exactly one YAML document.
func ReadOne(path string) (*unstructured.Unstructured, error) {
	docs, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 {
		return nil, fmt.Errorf("%s: want one document, found %d", path, len(docs))
	}
	return docs[0], nil
}

// firstFile returns the first path that exists, or the last one.
func firstFile(paths ...string) string {
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return paths[len(paths)-1]
}

// title returns the first line of a folder's README that is not empty.
func title(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		return ""
	}
	for line := range bytes.Lines(b) {
		if t := strings.TrimSpace(strings.TrimLeft(string(line), "# \t")); t != "" {
			return t
		}
	}
	return ""
}
