package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// An operation of AWS has the name that the SDK uses, such as s3.GetObject.
type operation string

// facts are what the code of a node says.
type facts struct {
	operations map[operation]bool
	// leads are the nodes that this one refers to.
	leads []*node
	// unresolved are calls that look like operations of an unknown client.
	unresolved []string
	// spelled are the operations whose input types the node names. Such a node calls the operation, or leads to a node that does.
	spelled map[operation]bool
	// selective facts hold for one kind only.
	selective bool
}

var (
	newsPaginator = regexp.MustCompile(`^New(\w+)Paginator$`)
	newsWaiter    = regexp.MustCompile(`^New(\w+)Waiter$`)
)

// waiters maps waiters of the SDK to the operations that they repeat.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var waiters = map[string]operation{"iam.RoleExists": "iam.GetRole"}

// features maps features of the SDK to the operations that they call.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var features = map[string][]operation{
	"s3/manager.NewUploader":     {"s3.PutObject", "s3.CreateMultipartUpload", "s3.UploadPart", "s3.CompleteMultipartUpload", "s3.AbortMultipartUpload"},
	"s3/manager.NewDownloader":   {"s3.GetObject"},
	"s3/manager.GetBucketRegion": {"s3.HeadBucket"},
}

// framework lists the methods that the Terraform framework calls. It calls them on one type at a time: a call by name does not lead to
// the methods of all other types.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var framework = []string{
	"Create", "Read", "Update", "Delete", "List", "Open", "Renew", "Close", "Invoke", "Metadata", "Schema", "Configure", "ModifyPlan",
	"ImportState", "UpgradeState", "MoveState", "ListTags", "UpdateTags", "ListResourceConfigSchema",
}

// A walk collects the operations that code reaches. It skips code that does not apply to its resource: a switch's cases for other types of
// tagged resources, code for changes of fields that are only in the kind's status, and, where a base type calls methods of the type that
// embeds it, the methods of other types.
type walk struct {
	source       *source
	resourceType string
	made         string
	shown        map[string]bool
	seen         map[*node]bool
	operations   map[operation]bool
	spelled      map[operation]bool
	unresolved   map[string]bool
}

func (s *source) walk(resourceType, made string, shown map[string]bool) *walk {
	return &walk{source: s, resourceType: resourceType, made: made, shown: shown, seen: map[*node]bool{}, operations: map[operation]bool{}, spelled: map[operation]bool{}, unresolved: map[string]bool{}}
}

// from walks from a node to everything that it leads to.
func (w *walk) from(n *node) error {
	if n == nil || n.factory || w.seen[n] {
		return nil
	}
	w.seen[n] = true
	if n.facts == nil {
		f, err := w.look(n)
		if err != nil {
			return err
		}
		// Facts that depend on the type of resource are collected again for the next one.
		if !f.selective {
			n.facts = f
		}
		return w.add(f)
	}
	return w.add(n.facts)
}

func (w *walk) add(f *facts) error {
	for op := range f.operations {
		w.operations[op] = true
	}
	for op := range f.spelled {
		w.spelled[op] = true
	}
	for _, u := range f.unresolved {
		w.unresolved[u] = true
	}
	for _, l := range f.leads {
		if err := w.from(l); err != nil {
			return err
		}
	}
	return nil
}

// A look collects the facts of one node.
type look struct {
	*node
	walk  *walk
	facts *facts
	// clients by the name of their variable, the names that the node declares, and those of them that hold a value of another package: calls
	// of its methods lead to no method of this package.
	clients  map[string]string
	locals   map[string]bool
	external map[string]bool
	calls    map[ast.Expr]bool
	err      error
}

func (w *walk) look(n *node) (*facts, error) {
	l := &look{
		node: n, walk: w, facts: &facts{operations: map[operation]bool{}, spelled: map[operation]bool{}},
		clients: map[string]string{}, locals: map[string]bool{}, external: map[string]bool{}, calls: map[ast.Expr]bool{},
	}
	for _, c := range n.code {
		ast.Inspect(c, l.declarations)
	}
	for _, c := range n.code {
		ast.Inspect(c, l.visit)
	}
	return l.facts, l.err
}

// declarations notes the variables that a node declares, and which of them are clients.
func (l *look) declarations(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Field:
		for _, name := range n.Names {
			l.declare(name, clientType(n.Type, l.imports))
			l.external[name.Name] = l.isExternal(n.Type)
		}
	case *ast.ValueSpec:
		for i, name := range n.Names {
			sdk := ""
			if n.Type != nil {
				sdk = clientType(n.Type, l.imports)
			} else if len(n.Values) > i {
				sdk = l.client(n.Values[i])
			}
			l.declare(name, sdk)
		}
	case *ast.AssignStmt:
		for i, e := range n.Lhs {
			name, ok := e.(*ast.Ident)
			if !ok {
				continue
			}
			sdk := ""
			if len(n.Rhs) == len(n.Lhs) {
				sdk = l.client(n.Rhs[i])
				if c, ok := n.Rhs[i].(*ast.CallExpr); ok && !l.locals[name.Name] {
					l.external[name.Name] = l.isExternal(c.Fun)
				}
			}
			l.declare(name, sdk)
		}
	case *ast.CallExpr:
		l.calls[n.Fun] = true
	}
	return true
}

func (l *look) declare(name *ast.Ident, sdk string) {
	l.locals[name.Name] = true
	if sdk != "" {
		l.clients[name.Name] = sdk
	}
}

// isExternal reports whether a type or a function is of a package that leads nowhere on its own.
func (l *look) isExternal(e ast.Expr) bool {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	path, _ := selector(e, l.imports)
	return path != "" && !strings.HasPrefix(path, servicesPath)
}

// client returns the SDK's package whose client an expression is. Empty if it is not a client.
func (l *look) client(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return l.clients[e.Name]
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok {
			if path, name := selector(s, l.imports); name == "NewFromConfig" || name == "New" {
				return sdkOf(path)
			}
			return l.walk.source.clients[s.Sel.Name]
		}
	case *ast.SelectorExpr:
		return l.pkg.fields[e.Sel.Name]
	}
	return ""
}

// visit looks at a node of the syntax. Names of fields, of keys and of cases for other types lead nowhere.
func (l *look) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.SwitchStmt:
		if tag, ok := n.Tag.(*ast.Ident); ok && tag.Name == "resourceType" && l.walk.resourceType != "" {
			l.facts.selective = true
			for _, s := range caseOf(n, l.walk.resourceType) {
				ast.Inspect(s, l.visit)
			}
			return false
		}
	case *ast.IfStmt:
		return l.branch(n)
	case *ast.KeyValueExpr:
		if _, ok := n.Key.(*ast.Ident); !ok {
			ast.Inspect(n.Key, l.visit)
		}
		ast.Inspect(n.Value, l.visit)
		return false
	case *ast.CallExpr:
		l.call(n)
	case *ast.SelectorExpr:
		l.selected(n)
		ast.Inspect(n.X, l.visit)
		return false
	case *ast.Ident:
		if o := l.pkg.objects[n.Name]; o != nil && o != l.node && (!l.locals[n.Name] || l.calls[n]) {
			l.facts.leads = append(l.facts.leads, o)
		}
	}
	return true
}

// branch reports whether all of an if-statement counts. If not, branch visits only the else part.
func (l *look) branch(n *ast.IfStmt) bool {
	if !asks(n.Cond) {
		return true
	}
	l.facts.selective = true
	if !l.never(n.Cond) {
		return true
	}
	if n.Else != nil {
		ast.Inspect(n.Else, l.visit)
	}
	return false
}

// call notes the operation that a client's method call stands for.
func (l *look) call(c *ast.CallExpr) {
	s, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	if sdk := l.client(s.X); sdk != "" {
		if s.Sel.Name != "Options" {
			l.facts.operations[operation(sdk+"."+s.Sel.Name)] = true
		}
		return
	}
	path, name := selector(s, l.imports)
	if path != "" || len(c.Args) < 2 || l.pkg.methods[name] != nil {
		return
	}
	// The value is an interface of a client. The method's name and the inputs that the package names identify the client.
	switch sdks := l.pkg.operations[s.Sel.Name]; len(sdks) {
	case 0:
	case 1:
		l.facts.operations[operation(sdks[0]+"."+s.Sel.Name)] = true
	default:
		l.facts.unresolved = append(l.facts.unresolved, fmt.Sprintf("%s: %s calls %s of something", l.pkg.name, l.name, s.Sel.Name))
	}
}

// selected notes what a name of another package, of a client or of a value leads to.
func (l *look) selected(s *ast.SelectorExpr) {
	x, ok := s.X.(*ast.Ident)
	if !ok {
		l.named(s.Sel.Name)
		return
	}
	path := l.imports[x.Name]
	switch {
	case l.self != "" && x.Name == l.self:
		if m := l.pkg.method(l.receiver, s.Sel.Name); m != nil {
			l.facts.leads = append(l.facts.leads, m)
			return
		}
		// The method may be that of an embedded interface, or of the type that the factory makes if that embeds this type.
		l.facts.selective = true
		if m := l.pkg.method(l.walk.made, s.Sel.Name); m != nil && l.pkg.embeds(l.walk.made, l.receiver) {
			l.facts.leads = append(l.facts.leads, m)
			return
		}
		l.named(s.Sel.Name)
	case l.locals[x.Name]:
		if !l.external[x.Name] {
			l.named(s.Sel.Name)
		}
	case path == "":
		l.named(s.Sel.Name)
	case sdkOf(path) != "":
		l.ofSDK(sdkOf(path), s.Sel.Name)
	case strings.HasPrefix(path, featurePath):
		l.ofFeature(strings.TrimPrefix(path, featurePath) + "." + s.Sel.Name)
	case strings.HasPrefix(path, servicesPath):
		l.ofService(strings.TrimPrefix(path, servicesPath), s.Sel.Name)
	}
}

// named leads to every method of this package that has the name.
func (l *look) named(name string) {
	if !slices.Contains(framework, name) {
		l.facts.leads = append(l.facts.leads, l.pkg.methods[name]...)
	}
}

// ofSDK notes what a name of an SDK's package is: the input of an operation, a paginator, or a waiter.
func (l *look) ofSDK(sdk, name string) {
	if op, ok := strings.CutSuffix(name, "Input"); ok && op != "" {
		l.facts.spelled[operation(sdk+"."+op)] = true
	}
	if m := newsPaginator.FindStringSubmatch(name); m != nil {
		l.facts.operations[operation(sdk+"."+m[1])] = true
	}
	if m := newsWaiter.FindStringSubmatch(name); m != nil {
		if op, ok := waiters[sdk+"."+m[1]]; ok {
			l.facts.operations[op] = true
		} else {
			l.facts.unresolved = append(l.facts.unresolved, fmt.Sprintf("%s: %s uses the waiter %s.%s", l.pkg.name, l.name, sdk, name))
		}
	}
}

func (l *look) ofFeature(name string) {
	if ops, ok := features[name]; ok {
		for _, op := range ops {
			l.facts.operations[op] = true
		}
		return
	}
	if strings.Contains(name, ".New") || strings.Contains(name, ".Get") {
		l.facts.unresolved = append(l.facts.unresolved, fmt.Sprintf("%s: %s uses %s", l.pkg.name, l.name, name))
	}
}

// ofService leads to a function or variable of another service's package.
func (l *look) ofService(service, name string) {
	p, err := l.walk.source.load(service)
	if err != nil {
		l.err = err
		return
	}
	if o := p.objects[name]; o != nil {
		l.facts.leads = append(l.facts.leads, o)
	}
}

// asks reports whether a condition asks for changes of fields.
func asks(cond ast.Expr) bool {
	found := false
	ast.Inspect(cond, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		found = found || ok && (s.Sel.Name == "HasChange" || s.Sel.Name == "HasChanges")
		return !found
	})
	return found
}

// never reports whether a condition is always false for a kind: all fields whose change it asks for are only in the kind's status. No user
// sets them, so the planned value is the existing one.
func (l *look) never(cond ast.Expr) bool {
	switch c := cond.(type) {
	case *ast.ParenExpr:
		return l.never(c.X)
	case *ast.BinaryExpr:
		x, y := l.never(c.X), l.never(c.Y)
		return c.Op == token.LAND && (x || y) || c.Op == token.LOR && x && y
	case *ast.CallExpr:
		s, ok := c.Fun.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != "HasChange" && s.Sel.Name != "HasChanges" || len(c.Args) == 0 || c.Ellipsis != token.NoPos {
			return false
		}
		return !slices.ContainsFunc(c.Args, func(a ast.Expr) bool { return !l.shown(a) })
	}
	return false
}

// shown reports whether a field, by its name or the constant for it, is only in the kind's status.
func (l *look) shown(field ast.Expr) bool {
	name := text(field)
	if path, constant := selector(field, l.imports); path == terraformModule+"/names" {
		name = l.walk.source.names[constant]
	}
	// Code may plan a change although no user sets the field.
	return l.walk.shown[name] && !l.pkg.plans[name]
}

// caseOf returns the statements of a switch for a type of resource.
func caseOf(n *ast.SwitchStmt, resourceType string) []ast.Stmt {
	var out []ast.Stmt
	for _, c := range n.Body.List {
		switch c, ok := c.(*ast.CaseClause); {
		case !ok:
		case c.List == nil:
			out = c.Body
		case isCase(c, resourceType):
			return c.Body
		}
	}
	return out
}

// isCase reports whether a case is that of a type of resource.
func isCase(c *ast.CaseClause, resourceType string) bool {
	return slices.ContainsFunc(c.List, func(e ast.Expr) bool {
		b, ok := e.(*ast.BasicLit)
		return ok && strings.Trim(b.Value, `"`) == resourceType
	})
}
