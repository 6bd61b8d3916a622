package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A source is the Terraform provider's code. A package is read when other code leads to it.
type source struct {
	root     string
	fset     *token.FileSet
	packages map[string]*pkg
	// clients maps methods of AWSClient to the SDK's packages whose clients they return: S3Client to s3.
	clients map[string]string
	// names of fields, by their constants.
	names map[string]string
}

// A pkg is a service's package of the Terraform provider.
type pkg struct {
	name string
	// objects are functions and variables, by name.
	objects map[string]*node
	// methods by name, of every type that has such a method.
	methods map[string][]*node
	// embedded types of this package, by the type that embeds them.
	embedded map[string][]string
	// fields that hold a client, by name. The value is the SDK's package.
	fields map[string]string
	// operations whose input types the package names, by name: the SDK's packages that have such an operation.
	operations map[string][]string
	// plans are the fields that the package's code sets when it plans a change.
	plans map[string]bool
	files []*ast.File
}

// A node is a function, a method or a variable.
type node struct {
	pkg     *pkg
	imports map[string]string
	name    string
	// receiver of a method, and the name of its variable.
	receiver, self string
	code           []ast.Node
	// factory says that the node makes a resource. A factory names all functions of the resource, mostly for its schema, and calls none.
	factory bool
	// facts of the node, once they are collected.
	facts *facts
}

const (
	sdkPath      = "github.com/aws/aws-sdk-go-v2/service/"
	featurePath  = "github.com/aws/aws-sdk-go-v2/feature/"
	servicesPath = terraformModule + "/internal/service/"
)

// newSource returns the source of the Terraform provider in a folder.
func newSource(root string) (*source, error) {
	s := &source{root: root, fset: token.NewFileSet(), packages: map[string]*pkg{}, clients: map[string]string{}, names: map[string]string{}}
	files, err := s.parse(filepath.Join(root, "internal", "conns"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		imports := importsOf(f)
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Type.Results != nil {
				if sdk := clientType(fn.Type.Results.List[0].Type, imports); sdk != "" {
					s.clients[fn.Name.Name] = sdk
				}
			}
		}
	}
	err = s.readNames()
	return s, err
}

// readNames reads the constants for names of fields.
func (s *source) readNames() error {
	files, err := s.parse(filepath.Join(s.root, "names"))
	if err != nil {
		return err
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Names) == len(v.Values) {
				for i, name := range v.Names {
					s.names[name.Name] = text(v.Values[i])
				}
			}
			return true
		})
	}
	return nil
}

// parse parses the files of a folder, except tests.
func (s *source) parse(dir string) ([]*ast.File, error) {
	parsed, err := parser.ParseDir(s.fset, dir, func(i fs.FileInfo) bool { return !strings.HasSuffix(i.Name(), "_test.go") }, parser.SkipObjectResolution) //nolint:staticcheck // Build tags do not matter here.
	if err != nil {
		return nil, err
	}
	var out []*ast.File
	for _, p := range parsed {
		for _, name := range slices.Sorted(maps.Keys(p.Files)) {
			out = append(out, p.Files[name])
		}
	}
	return out, nil
}

// load reads the package of a service, once.
func (s *source) load(service string) (*pkg, error) {
	if p, ok := s.packages[service]; ok {
		return p, nil
	}
	files, err := s.parse(filepath.Join(s.root, "internal", "service", service))
	if err != nil {
		return nil, err
	}
	p := &pkg{
		name: service, files: files, objects: map[string]*node{}, methods: map[string][]*node{}, embedded: map[string][]string{},
		fields: map[string]string{}, operations: map[string][]string{},
		// The provider merges its own tags into those of a resource.
		plans: map[string]bool{"tags_all": true},
	}
	s.packages[service] = p
	for _, f := range files {
		imports := importsOf(f)
		for _, d := range f.Decls {
			p.declare(d, imports)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sdk, op := inputOf(n, imports); sdk != "" {
				if !slices.Contains(p.operations[op], sdk) {
					p.operations[op] = append(p.operations[op], sdk)
				}
			}
			if field := planned(n); field != nil {
				name := text(field)
				if _, constant := selector(field, imports); constant != "" {
					name = s.names[constant]
				}
				p.plans[name] = true
			}
			return true
		})
	}
	return p, nil
}

// declare notes the functions, variables and types that a declaration declares.
func (p *pkg) declare(d ast.Decl, imports map[string]string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		n := &node{pkg: p, imports: imports, name: d.Name.Name, code: []ast.Node{d.Type}}
		if d.Body != nil {
			n.code = append(n.code, d.Body)
		}
		if d.Recv == nil {
			p.objects[n.name] = n
			return
		}
		r := d.Recv.List[0]
		n.receiver = typeName(r.Type)
		if len(r.Names) > 0 {
			n.self = r.Names[0].Name
		}
		p.methods[n.name] = append(p.methods[n.name], n)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					n := &node{pkg: p, imports: imports, name: name.Name}
					for _, v := range spec.Values {
						n.code = append(n.code, v)
					}
					if d.Tok == token.VAR {
						p.objects[name.Name] = n
					}
				}
			case *ast.TypeSpec:
				p.declareType(spec, imports)
			}
		}
	}
}

// declareType notes the types that a struct embeds, and which of its fields are clients.
func (p *pkg) declareType(t *ast.TypeSpec, imports map[string]string) {
	st, ok := t.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range st.Fields.List {
		if len(f.Names) == 0 {
			p.embedded[t.Name.Name] = append(p.embedded[t.Name.Name], typeName(f.Type))
		}
		if sdk := clientType(f.Type, imports); sdk != "" {
			for _, n := range f.Names {
				p.fields[n.Name] = sdk
			}
		}
	}
}

// method returns a method of a type: its own, or that of a type that it embeds.
func (p *pkg) method(receiver, name string) *node {
	for _, m := range p.methods[name] {
		if m.receiver == receiver {
			return m
		}
	}
	for _, e := range p.embedded[receiver] {
		if e == receiver {
			continue
		}
		if m := p.method(e, name); m != nil {
			return m
		}
	}
	return nil
}

// embeds reports whether a type embeds another one, directly or not.
func (p *pkg) embeds(t, base string) bool {
	return slices.ContainsFunc(p.embedded[t], func(e string) bool { return e == base || e != t && p.embeds(e, base) })
}

// importsOf returns the paths that a file imports, by the name that it uses.
func importsOf(f *ast.File) map[string]string {
	out := map[string]string{}
	for _, i := range f.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		out[name] = path
	}
	return out
}

// sdkOf returns the name of the SDK's service package with an import path. Empty if it is the path of another package.
func sdkOf(path string) string {
	name, ok := strings.CutPrefix(path, sdkPath)
	if !ok || strings.Contains(name, "/") {
		return ""
	}
	return name
}

// selector returns the path and the name of an imported object.
func selector(n ast.Node, imports map[string]string) (string, string) {
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	return imports[x.Name], s.Sel.Name
}

// inputOf returns the operation of the SDK whose input type a node names, if it does.
func inputOf(n ast.Node, imports map[string]string) (string, string) {
	path, name := selector(n, imports)
	sdk := sdkOf(path)
	op, ok := strings.CutSuffix(name, "Input")
	if sdk == "" || !ok || op == "" {
		return "", ""
	}
	return sdk, op
}

// planned returns the field that a call plans to change, if it is such a call.
func planned(n ast.Node) ast.Expr {
	c, ok := n.(*ast.CallExpr)
	if !ok || len(c.Args) == 0 {
		return nil
	}
	if s, ok := c.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "SetNew" || s.Sel.Name == "SetNewComputed") {
		return c.Args[0]
	}
	return nil
}

// clientType returns the SDK's package whose client a type is. Empty if it is not a client.
func clientType(t ast.Expr, imports map[string]string) string {
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	path, name := selector(t, imports)
	if name != "Client" {
		return ""
	}
	return sdkOf(path)
}

// typeName returns the name of a type without pointer, parameters and package.
func typeName(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return typeName(t.X)
	case *ast.IndexExpr:
		return typeName(t.X)
	case *ast.IndexListExpr:
		return typeName(t.X)
	case *ast.SelectorExpr:
		return t.Sel.Name
	case *ast.Ident:
		return t.Name
	}
	return ""
}
