package main

import (
	"fmt"
	"go/ast"
	"strings"
)

// A resource is one of the Terraform provider.
type resource struct {
	pkg          *pkg
	name         string
	factory      string
	tagged       bool
	resourceType string
}

// phases are the phases in which a kind calls AWS, in their order.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var phases = []string{"observe", "create", "update", "delete"}

// reached is what the code of a resource reaches.
type reached struct {
	operations map[string]map[operation]bool
	unresolved map[string]bool
}

// resources returns the resources that a package registers.
func (p *pkg) resources() []resource {
	var out []resource
	for _, name := range []string{"SDKResources", "FrameworkResources"} {
		for _, m := range p.methods[name] {
			for _, c := range m.code {
				ast.Inspect(c, func(n ast.Node) bool {
					if l, ok := n.(*ast.CompositeLit); ok {
						if r := registered(l); r.name != "" {
							r.pkg = p
							if f := p.objects[r.factory]; f != nil {
								f.factory = true
							}
							out = append(out, r)
						}
					}
					return true
				})
			}
		}
	}
	return out
}

// registered returns the resource that a literal registers.
func registered(l *ast.CompositeLit) resource {
	r := resource{}
	for _, e := range l.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		switch key := typeName(kv.Key); key {
		case "TypeName":
			r.name = text(kv.Value)
		case "Factory":
			r.factory = typeName(kv.Value)
		case "Tags":
			// Without an attribute that identifies the resource, the resource's own code sets its tags.
			ast.Inspect(kv.Value, func(n ast.Node) bool {
				if kv, ok := n.(*ast.KeyValueExpr); ok {
					switch typeName(kv.Key) {
					case "IdentifierAttribute":
						r.tagged = true
					case "ResourceType":
						r.resourceType = text(kv.Value)
					}
				}
				return true
			})
		}
	}
	if r.factory == "" {
		return resource{}
	}
	return r
}

func text(e ast.Expr) string {
	if b, ok := e.(*ast.BasicLit); ok {
		return strings.Trim(b.Value, `"`)
	}
	return ""
}

// functions maps functions of the plugin SDK's Resource to phases. An importer is not among them: Crossplane's providers observe instead.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var functions = map[string]string{
	"Create": "create", "CreateContext": "create", "CreateWithoutTimeout": "create",
	"Read": "observe", "ReadContext": "observe", "ReadWithoutTimeout": "observe", "CustomizeDiff": "observe",
	"Update": "update", "UpdateContext": "update", "UpdateWithoutTimeout": "update",
	"Delete": "delete", "DeleteContext": "delete", "DeleteWithoutTimeout": "delete",
}

// methods maps methods of the plugin framework's resources to phases.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var methods = map[string]string{"Create": "create", "Read": "observe", "ModifyPlan": "observe", "Update": "update", "Delete": "delete"}

// roots returns where a resource's code begins, by phase. There are none if the factory does not look as expected.
func (p *pkg) roots(r resource) map[string][]*node {
	factory := p.objects[r.factory]
	if factory == nil {
		return nil
	}
	if t := p.typeMade(r); t != "" {
		return p.methodRoots(t)
	}
	return p.functionRoots(factory, 2)
}

// typeMade returns the type that the factory of a framework resource makes: it has a schema. Empty if it is not a framework resource.
func (p *pkg) typeMade(r resource) string {
	if factory := p.objects[r.factory]; factory != nil {
		for _, t := range made(factory) {
			if p.method(t, "Schema") != nil {
				return t
			}
		}
	}
	return ""
}

// made returns the types of this package that a factory makes.
func made(factory *node) []string {
	var out []string
	for _, c := range factory.code {
		ast.Inspect(c, func(n ast.Node) bool {
			if l, ok := n.(*ast.CompositeLit); ok {
				if id, ok := l.Type.(*ast.Ident); ok {
					out = append(out, id.Name)
				}
			}
			return true
		})
	}
	return out
}

func (p *pkg) methodRoots(t string) map[string][]*node {
	out := map[string][]*node{}
	for name, phase := range methods {
		if m := p.method(t, name); m != nil {
			out[phase] = append(out[phase], m)
		}
	}
	return out
}

// functionRoots returns the roots of a schema.Resource that a function makes, or takes from another function.
func (p *pkg) functionRoots(factory *node, depth int) map[string][]*node {
	out := map[string][]*node{}
	for _, f := range fieldsSet(factory) {
		phase := functions[f.name]
		if phase == "" {
			continue
		}
		out[phase] = append(out[phase], &node{pkg: p, imports: factory.imports, name: factory.name, code: []ast.Node{f.value}})
		if s, ok := f.value.(*ast.SelectorExpr); ok {
			for _, t := range made(factory) {
				out[phase] = append(out[phase], p.method(t, s.Sel.Name))
			}
		}
	}
	for _, other := range p.called(factory) {
		if depth == 0 {
			break
		}
		for phase, nodes := range p.functionRoots(other, depth-1) {
			if len(out[phase]) == 0 {
				out[phase] = nodes
			}
		}
	}
	return out
}

// A fieldSet is a field of a schema.Resource, and its value.
type fieldSet struct {
	name  string
	value ast.Expr
}

// fieldsSet returns the fields that a factory sets, in a literal or later.
func fieldsSet(factory *node) []fieldSet {
	var out []fieldSet
	visit := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			out = append(out, literalFields(n, factory.imports)...)
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if s, ok := l.(*ast.SelectorExpr); ok && len(n.Rhs) == len(n.Lhs) {
					out = append(out, fieldSet{s.Sel.Name, n.Rhs[i]})
				}
			}
		}
		return true
	}
	for _, c := range factory.code {
		ast.Inspect(c, visit)
	}
	return out
}

// literalFields returns the fields of a schema.Resource literal. Other literals have none.
func literalFields(l *ast.CompositeLit, imports map[string]string) []fieldSet {
	if path, name := selector(l.Type, imports); name != "Resource" || !strings.HasSuffix(path, "helper/schema") {
		return nil
	}
	var out []fieldSet
	for _, e := range l.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			out = append(out, fieldSet{typeName(kv.Key), kv.Value})
		}
	}
	return out
}

// called returns the functions of this package that a node calls.
func (p *pkg) called(by *node) []*node {
	var out []*node
	for _, c := range by.code {
		ast.Inspect(c, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if o := p.objects[typeName(call.Fun)]; o != nil {
					out = append(out, o)
				}
			}
			return true
		})
	}
	return out
}

// reach returns everything that a resource calls for a kind that has some fields only in its status. The provider's calls for the tags of
// every resource count, too.
func (s *source) reach(r resource, shown map[string]bool) (reached, error) {
	p, receiver := r.pkg, r.pkg.typeMade(r)
	out := reached{operations: map[string]map[operation]bool{}, unresolved: map[string]bool{}}
	roots := p.roots(r)
	for _, what := range []string{"create", "observe", "delete"} {
		if len(roots[what]) == 0 {
			out.unresolved[p.name+": "+r.name+" has no function to "+what] = true
		}
	}
	if r.tagged {
		roots["observe"] = append(roots["observe"], p.method("servicePackage", "ListTags"))
		roots["update"] = append(roots["update"], p.method("servicePackage", "UpdateTags"))
	}
	for _, phase := range phases {
		w := s.walk(r.resourceType, receiver, shown)
		for _, n := range roots[phase] {
			if err := w.from(n); err != nil {
				return reached{}, err
			}
		}
		out.operations[phase] = w.operations
		for op := range w.spelled {
			if !w.operations[op] {
				out.unresolved[fmt.Sprintf("%s: %s has an input of %s, and does not call it to %s", p.name, r.name, op, phase)] = true
			}
		}
		for u := range w.unresolved {
			out.unresolved[u] = true
		}
	}
	return out, nil
}
