package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// scopes are the scopes of provider-aws's kinds. Each has its own lists.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var scopes = []string{"cluster", "namespaced"}

var (
	// importsService matches imports of the Terraform provider's services.
	importsService = regexp.MustCompile(`"` + regexp.QuoteMeta(terraformModule) + `/internal/service/(\w+)["/]`)
	// callsClient matches calls that return clients of AWS services.
	callsClient = regexp.MustCompile(`\.(\w+Client)\(`)
	// replacesTerraform matches the line of provider-aws's go.mod that names its Terraform provider.
	replacesTerraform = regexp.MustCompile(`(?m)^replace ` + regexp.QuoteMeta(terraformModule) + ` => .*$`)
	// listsResources matches the functions that list the Terraform provider's resources to include, as regular expressions.
	listsResources = regexp.MustCompile(`(?m)^func (TerraformPlugin(?:SDK|Framework)ResourceList)\(\) \[\]string \{$`)
)

// trimTerraform writes a copy of the Terraform provider with the services, and the services that these use.
func trimTerraform(from, to string, services []string) error {
	// The provider itself uses sts to find out its identity.
	kept := map[string]bool{}
	for _, s := range append([]string{"sts"}, services...) {
		if err := keepService(from, s, kept); err != nil {
			return err
		}
	}
	if err := copyTree(from, to, func(path []string) bool {
		switch {
		case len(path) == 1:
			return path[0] == "go.mod" || path[0] == "go.sum" || path[0] == "main.go"
		case path[0] == "internal" && path[1] == "acctest":
			return false
		case path[0] == "internal" && path[1] == "service" && len(path) > 3:
			// An embed pattern needs a smarterr.hcl for every service.
			return kept[path[2]] || path[len(path)-1] == "smarterr.hcl"
		}
		return slices.Contains([]string{"internal", "names", "version", "xpprovider"}, path[0])
	}); err != nil {
		return err
	}
	if err := edit(filepath.Join(to, "internal/provider/sdkv2/service_packages_gen.go"), func(f *ast.File) int {
		return dropElements(f, func(e ast.Expr) bool { return !kept[root(e)] })
	}); err != nil {
		return err
	}
	used, err := usedClients(to)
	if err != nil {
		return err
	}
	return edit(filepath.Join(to, "internal/conns/awsclient_gen.go"), func(f *ast.File) int {
		before := len(f.Decls)
		f.Decls = slices.DeleteFunc(f.Decls, func(d ast.Decl) bool {
			fn, ok := d.(*ast.FuncDecl)
			return ok && fn.Recv != nil && !used[fn.Name.Name]
		})
		return before - len(f.Decls)
	})
}

// keepService adds a service of the Terraform provider, and the services that it imports, to those that are kept.
func keepService(source, service string, kept map[string]bool) error {
	if kept[service] {
		return nil
	}
	kept[service] = true
	files, err := filepath.Glob(filepath.Join(source, "internal/service", service, "*.go"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("there is no service %s", service)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		for _, m := range importsService.FindAllSubmatch(text, -1) {
			if err := keepService(source, string(m[1]), kept); err != nil {
				return err
			}
		}
	}
	return nil
}

// usedClients returns the AWS clients that code uses, by the name of the method that returns one.
func usedClients(dir string) (map[string]bool, error) {
	used := map[string]bool{}
	return used, walk(dir, func(path []string) error {
		if !strings.HasSuffix(path[len(path)-1], ".go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(append([]string{dir}, path...)...))
		if err != nil {
			return err
		}
		for _, m := range callsClient.FindAllSubmatch(text, -1) {
			used[string(m[1])] = true
		}
		return nil
	})
}

// trimProvider writes a copy of provider-aws with the services, built from the trimmed Terraform provider beside it.
func trimProvider(from, to string, services []string) error {
	groups := append([]string{"v1alpha1", "v1beta1", "providerconfig"}, services...)
	binaries := append([]string{"config"}, services...)
	if err := copyTree(from, to, func(path []string) bool {
		name := path[len(path)-1]
		switch {
		case len(path) == 1:
			return name == "go.mod" || name == "go.sum"
		case path[0] == "cmd":
			return len(path) == 4 && path[1] == "provider" && slices.Contains(binaries, path[2])
		case path[0] == "apis" && len(path) > 3:
			return slices.Contains(groups, path[2])
		case path[0] == "internal" && path[1] == "controller" && len(path) > 4:
			return slices.Contains(groups, path[3])
		case path[0] == "internal" && path[1] == "controller" && strings.HasSuffix(name, "_setup.go"):
			return slices.Contains(binaries, strings.TrimSuffix(strings.TrimPrefix(name, "zz_"), "_setup.go"))
		}
		return slices.Contains([]string{"apis", "config", "hack", "internal"}, path[0])
	}); err != nil {
		return err
	}
	for _, scope := range scopes {
		if err := edit(filepath.Join(to, "apis", scope, "zz_register.go"), func(f *ast.File) int { return dropGroups(f, scope, groups) }); err != nil {
			return err
		}
		if err := edit(filepath.Join(to, "config", scope, "provider.go"), func(f *ast.File) int { return dropConfigs(f, services) }); err != nil {
			return err
		}
	}
	if err := replace(filepath.Join(to, "go.mod"), func(text string) string {
		return replacesTerraform.ReplaceAllString(text, "replace "+terraformModule+" => ../terraform-provider-aws")
	}); err != nil {
		return err
	}
	return replace(filepath.Join(to, "config/registry_common.go"), func(text string) string { return shortenLists(text, services) })
}

// dropGroups removes other groups from the scheme.
func dropGroups(f *ast.File, scope string, groups []string) int {
	other := map[string]bool{}
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		if _, group, ok := strings.Cut(path, "/apis/"+scope+"/"); ok && i.Name != nil {
			group, _, _ = strings.Cut(group, "/")
			other[i.Name.Name] = !slices.Contains(groups, group)
		}
	}
	dropped := 0
	ast.Inspect(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			before := len(c.Args)
			c.Args = slices.DeleteFunc(c.Args, func(e ast.Expr) bool { return other[root(e)] })
			dropped += before - len(c.Args)
		}
		return true
	})
	return dropped
}

// dropConfigs removes the calls that configure resources of other services.
func dropConfigs(f *ast.File, services []string) int {
	dropped := 0
	ast.Inspect(f, func(n ast.Node) bool {
		b, ok := n.(*ast.BlockStmt)
		if !ok {
			return true
		}
		before := len(b.List)
		b.List = slices.DeleteFunc(b.List, func(s ast.Stmt) bool {
			e, ok := s.(*ast.ExprStmt)
			if !ok {
				return false
			}
			c, ok := e.X.(*ast.CallExpr)
			if !ok || len(c.Args) != 1 {
				return false
			}
			fn, ok := c.Fun.(*ast.SelectorExpr)
			return ok && fn.Sel.Name == "AddConfig" && !slices.Contains(services, root(c.Args[0]))
		})
		dropped += before - len(b.List)
		return true
	})
	return dropped
}

// shortenLists shortens the lists of resources to those of the services: upjet panics if the Terraform provider does not have a resource.
func shortenLists(text string, services []string) string {
	if len(listsResources.FindAllString(text, -1)) != 2 {
		return text
	}
	text = listsResources.ReplaceAllString(text, "func $1() []string { return kept(all$1()) }\n\nfunc all$1() []string {")
	prefixes := make([]string, len(services))
	for i, s := range services {
		prefixes[i] = strconv.Quote("aws_" + s + "_")
	}
	return text + `
func kept(all []string) []string {
	var kept []string
	for _, name := range all {
		for _, prefix := range []string{` + strings.Join(prefixes, ", ") + `} {
			if len(name) > len(prefix) && name[:len(prefix)] == prefix {
				kept = append(kept, name)
			}
		}
	}
	return kept
}
`
}

// dropElements removes elements of composite literals.
func dropElements(f *ast.File, drop func(ast.Expr) bool) int {
	dropped := 0
	ast.Inspect(f, func(n ast.Node) bool {
		if l, ok := n.(*ast.CompositeLit); ok {
			before := len(l.Elts)
			l.Elts = slices.DeleteFunc(l.Elts, drop)
			dropped += before - len(l.Elts)
		}
		return true
	})
	return dropped
}

// root returns the first identifier of an expression such as a.B.C(d).
func root(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.CallExpr:
			e = x.Fun
		case *ast.SelectorExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// dropImports removes imports that are no longer used.
func dropImports(f *ast.File) {
	needed := map[string]bool{"_": true}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			needed[root(s)] = true
		}
		return true
	})
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		g.Specs = slices.DeleteFunc(g.Specs, func(s ast.Spec) bool {
			i, ok := s.(*ast.ImportSpec)
			if !ok {
				return false
			}
			path, _ := strconv.Unquote(i.Path.Value)
			name := path[strings.LastIndex(path, "/")+1:]
			if i.Name != nil {
				name = i.Name.Name
			}
			return !needed[name]
		})
	}
}

// errUnknown is the error for a file that this program does not know.
var errUnknown = errors.New("there is nothing to take out: this program does not know this version")
