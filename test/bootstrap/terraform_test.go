package bootstrap

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// A module is a Terraform module with what main.tf uses: expressions over variables, locals and answers of the AWS provider.
type module struct {
	blocks []*hclsyntax.Block
	scope  *hcl.EvalContext
}

// terraform reads main.tf, and adds the AWS provider's answers for a cluster in a partition.
func terraform(t *testing.T, partition string) *module {
	t.Helper()
	file, diags := hclparse.NewParser().ParseHCLFile(dir + "main.tf")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		t.Fatalf("want native syntax, got %T", file.Body)
	}
	m := &module{blocks: body.Blocks, scope: &hcl.EvalContext{
		Functions: map[string]function.Function{
			"replace": stdlib.ReplaceFunc, "split": stdlib.SplitFunc, "sort": stdlib.SortFunc, "jsonencode": stdlib.JSONEncodeFunc,
			"file": readFile,
		},
		Variables: map[string]cty.Value{
			"path": cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal(dir)}),
			"data": object(map[string]string{"arn": "arn:" + partition + ":eks:" + region + ":" + account + ":cluster/" + cluster}, "aws_eks_cluster", "this"),
		},
	}}
	m.variables(t)
	m.locals(t)
	return m
}

// readFile is Terraform's file function.
var readFile = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "path", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		b, err := os.ReadFile(args[0].AsString())
		return cty.StringVal(string(b)), err
	},
})

// object nests attributes below names.
func object(attributes map[string]string, names ...string) cty.Value {
	values := map[string]cty.Value{}
	for k, v := range attributes {
		values[k] = cty.StringVal(v)
	}
	out := cty.ObjectVal(values)
	for _, n := range slices.Backward(names) {
		out = cty.ObjectVal(map[string]cty.Value{n: out})
	}
	return out
}

// variables sets variables to their defaults, and to the one value that the page sets.
func (m *module) variables(t *testing.T) {
	t.Helper()
	values := map[string]cty.Value{}
	for _, b := range m.blocks {
		if b.Type != "variable" {
			continue
		}
		name := b.Labels[0]
		if _, ok := b.Body.Attributes["description"]; !ok {
			t.Errorf("variable %s has no description", name)
		}
		d, ok := b.Body.Attributes["default"]
		if !ok {
			if name != "cluster_name" {
				t.Errorf("variable %s has no default, and docs/bootstrap.md does not set it", name)
			}
			values[name] = cty.StringVal(cluster)
			continue
		}
		value := m.value(t, d.Expr)
		if value.Type().IsTupleType() {
			set, err := convert.Convert(value, cty.List(cty.String))
			if err != nil {
				t.Fatal(err)
			}
			value = set
		}
		values[name] = value
	}
	m.scope.Variables["var"] = cty.ObjectVal(values)
}

// locals evaluates locals, which may refer to earlier ones in the file.
func (m *module) locals(t *testing.T) {
	t.Helper()
	values := map[string]cty.Value{}
	for _, b := range m.blocks {
		if b.Type != "locals" {
			continue
		}
		attributes := []*hclsyntax.Attribute{}
		for _, a := range b.Body.Attributes {
			attributes = append(attributes, a)
		}
		slices.SortFunc(attributes, func(x, y *hclsyntax.Attribute) int { return x.SrcRange.Start.Line - y.SrcRange.Start.Line })
		for _, a := range attributes {
			values[a.Name] = m.value(t, a.Expr)
			m.scope.Variables["local"] = cty.ObjectVal(values)
		}
	}
}

func (m *module) value(t *testing.T, e hclsyntax.Expression) cty.Value {
	t.Helper()
	v, diags := e.Value(m.scope)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return v
}

// attribute returns the evaluated attribute of a resource.
func (m *module) attribute(t *testing.T, kind, name string) cty.Value {
	t.Helper()
	for _, b := range m.blocks {
		if b.Type != "resource" || b.Labels[0] != kind {
			continue
		}
		if a, ok := b.Body.Attributes[name]; ok {
			return m.value(t, a.Expr)
		}
	}
	t.Fatalf("main.tf has no %s with %s", kind, name)
	return cty.NilVal
}

// TestTerraform evaluates main.tf: the documents and names that Terraform would send to AWS.
func TestTerraform(t *testing.T) {
	m := terraform(t, "aws")
	if diff := cmp.Diff(wantPolicy(t), document(t, m.attribute(t, "aws_iam_role_policy", "policy").AsString())); diff != "" {
		t.Errorf("permissions: -docs/bootstrap-policy.json, +main.tf:\n%s", diff)
	}
	if diff := cmp.Diff(wantTrust(t), document(t, m.attribute(t, "aws_iam_role", "assume_role_policy").AsString())); diff != "" {
		t.Errorf("trust policy: -want, +main.tf:\n%s", diff)
	}
	checkRoles(t, []string{m.attribute(t, "aws_iam_role", "name").AsString()})
	if got := m.attribute(t, "aws_eks_pod_identity_association", "namespace").AsString(); got != namespace {
		t.Errorf("namespace of the associations: want %s, got %s", namespace, got)
	}
	accounts := []string{}
	for _, v := range m.attribute(t, "aws_eks_pod_identity_association", "for_each").AsValueSlice() {
		accounts = append(accounts, v.AsString())
	}
	slices.Sort(accounts)
	if diff := cmp.Diff(serviceAccounts(t, "bootstrap-providers.yaml"), accounts); diff != "" {
		t.Errorf("associations: -ServiceAccounts of the manifest, +main.tf:\n%s", diff)
	}
	if got := m.attribute(t, "aws_eks_addon", "addon_name").AsString(); got != "eks-pod-identity-agent" {
		t.Errorf("add-on: got %s", got)
	}
}

// TestPartition checks that no ARN keeps another partition in China.
func TestPartition(t *testing.T) {
	policy := terraform(t, "aws-cn").attribute(t, "aws_iam_role_policy", "policy").AsString()
	checkPartition(t, policy)
}
