package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A kind is a kind of provider-aws.
type kind struct {
	service, name, resource string
	// plural of the name, as in the kind's CustomResourceDefinition.
	plural string
	// needs are the roles to pass and the keys for encryption that fields of the kind name.
	needs []string
	// shown are fields of the resource that are in the kind's status and that users cannot set.
	shown map[string]bool
}

// fields of a kind, of all its versions: the comments of the fields that users may set, by name, and the resource's fields that can be set
// and that it has.
type fields struct {
	named         map[string]string
	settable, has map[string]bool
}

var (
	saysResource = regexp.MustCompile(`func \(mg \*(\w+)\) GetTerraformResourceType\(\) string \{\s*return "(\w+)"`)
	saysField    = regexp.MustCompile("json:\"(\\w+)")
	saysArgument = regexp.MustCompile("tf:\"(\\w+)")
	namesRole    = regexp.MustCompile(`[Rr]ole|[Ii]nstanceProfile|[Cc]redentialsArn$`)
	namesKey     = regexp.MustCompile(`(?i)kms|encrypt`)
	saysRole     = regexp.MustCompile(`\b(an|the) IAM [Rr]ole\b`)
	saysKey      = regexp.MustCompile(`\bKMS\b`)
	// refers matches the reference fields that provider-aws adds to a field for the same value.
	refers = regexp.MustCompile(`(Refs?|Selector)$`)
)

// errUnknown is the error for code that does not look as expected.
var errUnknown = errors.New("this is not the code that was expected")

// kindsOf reads the kinds of provider-aws in a folder: the cluster-scoped ones, which are the same as the namespaced ones.
func kindsOf(root string) ([]kind, error) {
	files, err := filepath.Glob(filepath.Join(root, "apis", "cluster", "*", "*", "zz_*_terraformed.go"))
	if err != nil {
		return nil, err
	}
	kinds, of := map[string]kind{}, map[string]fields{}
	for _, f := range files {
		code, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		types, err := os.ReadFile(strings.TrimSuffix(f, "_terraformed.go") + "_types.go")
		if err != nil {
			return nil, err
		}
		service := filepath.Base(filepath.Dir(filepath.Dir(f)))
		for _, m := range saysResource.FindAllStringSubmatch(string(code), -1) {
			k := kind{service: service, name: m[1], resource: m[2]}
			id := service + "/" + k.name
			// A kind can have several API versions.
			if _, ok := kinds[id]; !ok {
				kinds[id], of[id] = k, fields{map[string]string{}, map[string]bool{}, map[string]bool{}}
			}
			if err := of[id].read(k.name, string(types)); err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
		}
	}
	plurals, err := pluralsOf(root)
	if err != nil {
		return nil, err
	}
	out := make([]kind, 0, len(kinds))
	for id, k := range kinds {
		if k.plural = plurals[id]; k.plural == "" {
			return nil, fmt.Errorf("%s has no definition: %w", id, errUnknown)
		}
		set, err := injected(filepath.Join(root, "config", "cluster", k.service, "config.go"), k.resource)
		if err != nil {
			return nil, err
		}
		k.needs, k.shown = of[id].needs(), of[id].shown()
		for _, name := range set {
			delete(k.shown, name)
		}
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b kind) int { return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.name, b.name)) })
	return out, nil
}

// groups are the suffixes of a service's API groups: for cluster-scoped kinds, and for namespaced kinds.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var groups = []string{".aws.upbound.io", ".aws.m.upbound.io"}

// pluralsOf reads the plurals of kinds from the CustomResourceDefinitions in a folder: the same in both groups of a service.
func pluralsOf(root string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(root, "package", "crds", "*.yaml"))
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, f := range files {
		group, plural, _ := strings.Cut(strings.TrimSuffix(filepath.Base(f), ".yaml"), "_")
		name, err := definedKind(f)
		if err != nil {
			return nil, err
		}
		found[group+"/"+name] = plural
	}
	out := map[string]string{}
	for id, plural := range found {
		group, name, _ := strings.Cut(id, "/")
		if service, ok := strings.CutSuffix(group, groups[0]); ok && service != "" && found[service+groups[1]+"/"+name] == plural {
			out[service+"/"+name] = plural
		}
	}
	return out, nil
}

// definedKind returns the kind that a file defines. Its name comes before anything long.
func definedKind(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "    kind: "); ok {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s names no kind: %w", file, errUnknown)
}

// injected returns the fields of a resource that the configuration of its service sets. Fields that are set outside any resource's
// configuration may be set for all resources.
func injected(config, resource string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), config, nil, parser.SkipObjectResolution)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			s, ok := n.Fun.(*ast.SelectorExpr)
			if ok && s.Sel.Name == "AddResourceConfigurator" && text(n.Args[0]) != "" && text(n.Args[0]) != resource {
				return false
			}
		case *ast.IndexExpr:
			if typeName(n.X) == "params" {
				out = append(out, text(n.Index))
			}
		}
		return true
	})
	return out, nil
}

// read reads the types of a kind: users set the fields of spec.forProvider, and see those of status.atProvider.
func (f fields) read(kind, code string) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", code, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return err
	}
	types := map[string]*ast.StructType{}
	ast.Inspect(file, func(n ast.Node) bool {
		if t, ok := n.(*ast.TypeSpec); ok {
			if st, ok := t.Type.(*ast.StructType); ok {
				types[t.Name.Name] = st
			}
		}
		return true
	})
	set, shown := typeOf(types[kind+"Spec"], "ForProvider"), typeOf(types[kind+"Status"], "AtProvider")
	if types[set] == nil || types[shown] == nil {
		return fmt.Errorf("%s has no spec.forProvider or status.atProvider: %w", kind, errUnknown)
	}
	maps.Copy(f.settable, tags(types[set], saysArgument))
	maps.Copy(f.has, tags(types[shown], saysArgument))
	f.name(types, set)
	return nil
}

// name adds the names of the fields of a type, and of all types that it is made of.
func (f fields) name(types map[string]*ast.StructType, name string) {
	st := types[name]
	if st == nil {
		return
	}
	for _, field := range st.Fields.List {
		if name := tag(field, saysField); name != "" {
			f.named[name] += field.Doc.Text()
		}
		t := field.Type
		if list, ok := t.(*ast.ArrayType); ok {
			t = list.Elt
		}
		f.name(types, typeName(t))
	}
}

// typeOf returns the type of a struct's field. Empty if there is no such field.
func typeOf(st *ast.StructType, field string) string {
	if st == nil {
		return ""
	}
	for _, f := range st.Fields.List {
		if len(f.Names) == 1 && f.Names[0].Name == field {
			return typeName(f.Type)
		}
	}
	return ""
}

// tags returns the names that the tags of a struct's fields give, as far as they match.
func tags(st *ast.StructType, says *regexp.Regexp) map[string]bool {
	out := map[string]bool{}
	for _, f := range st.Fields.List {
		if name := tag(f, says); name != "" {
			out[name] = true
		}
	}
	return out
}

// tag returns the name that the tag of a field gives. Empty if it does not match.
func tag(f *ast.Field, says *regexp.Regexp) string {
	if f.Tag == nil {
		return ""
	}
	if m := says.FindStringSubmatch(f.Tag.Value); m != nil {
		return m[1]
	}
	return ""
}

// needs derives the needs of a kind from the names and comments of the fields that users set: the name of a key need not say so.
func (f fields) needs() []string {
	role, key := false, false
	for name, comment := range f.named {
		if refers.MatchString(name) {
			continue
		}
		role = role || namesRole.MatchString(name) || saysRole.MatchString(comment)
		key = key || namesKey.MatchString(name) || saysKey.MatchString(comment)
	}
	var out []string
	if key {
		out = append(out, "key")
	}
	if role {
		out = append(out, "role")
	}
	return out
}

func (f fields) shown() map[string]bool {
	out := maps.Clone(f.has)
	for name := range f.settable {
		delete(out, name)
	}
	return out
}
