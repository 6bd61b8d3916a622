package function

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// documented returns the files that users copy from.
func documented(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	// Fill in the placeholders that users replace.
	filled := strings.NewReplacer("ACCOUNT_ID", "123456789012", "CLUSTER_NAME", "prod", "arn:aws:eks:REGION:", "arn:aws:eks:eu-west-1:")
	for _, root := range []string{"README.md", "docs", "example", "manifests", "configuration"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if ext := filepath.Ext(path); ext == ".md" || ext == ".yaml" || ext == ".json" {
				out[path] = filled.Replace(string(must(os.ReadFile(path))))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

var (
	arnPattern    = regexp.MustCompile("arn:[a-z*-]+:[a-z0-9-]+:[^\\s\"'`,;)\\]}|<\\\\]*")
	policyPattern = regexp.MustCompile(`\{"Version":"2012-10-17","Statement":.*\}\]\}`)
	fencePattern  = regexp.MustCompile("(?ms)^ *```(yaml|json)[^\n]*\n(.*?)^ *```")
)

// TestDocumentedARNs checks that AWS accepts every ARN that a user may copy.
func TestDocumentedARNs(t *testing.T) {
	n := 0
	for path, text := range documented(t) {
		// Examples that are refused may have invalid ARNs.
		if strings.Contains(path, "refused") {
			continue
		}
		for _, arn := range arnPattern.FindAllString(text, -1) {
			arn = strings.TrimRight(arn, ".:")
			if strings.ContainsAny(arn, "$%") || strings.HasSuffix(arn, "arn:partition") || len(strings.SplitN(arn, ":", 6)) < 6 {
				continue
			}
			n++
			problem, partition := iam.CheckResource(arn), iam.ARNPartition(arn)
			switch {
			case strings.ContainsAny(arn, "*?"):
			case strings.Contains(arn, ":iam:") && strings.Contains(arn, ":role/"):
				problem = iam.CheckRoleARN(arn, partition)
			case strings.Contains(arn, ":iam:") && strings.Contains(arn, ":policy/"):
				problem = iam.CheckPolicyARN(arn, partition)
			}
			if problem != "" {
				t.Errorf("%s: %s %s", path, arn, problem)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d ARNs were found", n)
	}
}

// TestDocumentedPolicies checks that IAM accepts every policy document that a user may copy, and that every trust policy can be
// fulfilled.
func TestDocumentedPolicies(t *testing.T) {
	n := 0
	for path, text := range documented(t) {
		docs := policyPattern.FindAllString(text, -1)
		for _, m := range fencePattern.FindAllStringSubmatch(text, -1) {
			if m[1] == "json" && strings.Contains(m[2], `"Statement"`) {
				docs = append(docs, m[2])
			}
		}
		if filepath.Ext(path) == ".json" && strings.Contains(text, `"Statement"`) {
			docs = append(docs, text)
		}
		for _, doc := range docs {
			n++
			checkPolicy(t, path, strings.ReplaceAll(doc, "''", "'"))
		}
	}
	if n < 100 {
		t.Errorf("only %d policy documents were found", n)
	}
}

// checkPolicy checks a permissions policy or a trust policy.
func checkPolicy(t *testing.T, path, doc string) {
	t.Helper()
	var d struct {
		Statement []struct {
			Principal any                       `json:"Principal"`
			Condition map[string]map[string]any `json:"Condition"`
		} `json:"Statement"`
	}
	if err := json.Unmarshal([]byte(doc), &d); err != nil || len(d.Statement) == 0 || d.Statement[0].Principal == nil {
		if _, err := iam.ParseDocument(doc); err != nil {
			t.Errorf("%s: %v: %s", path, err, doc)
		}
		return
	}
	for _, s := range d.Statement {
		p, _ := s.Principal.(map[string]any)
		if p["Service"] != "pods.eks.amazonaws.com" {
			continue
		}
		c := iam.Condition{}
		for op, keys := range s.Condition {
			c[op] = map[string]iam.StringSet{}
			for k := range keys {
				c[op][k] = iam.StringSet{"x"}
			}
		}
		if problems := iam.CheckServiceConditions("Condition", c); len(c) == 0 || len(problems) > 0 {
			t.Errorf("%s: the trust policy is too wide, or cannot be fulfilled: %v: %s", path, problems, doc)
		}
	}
}

// TestDocumentedObjects checks that the function accepts every PodIdentityProvider and claim in a page.
func TestDocumentedObjects(t *testing.T) {
	n := 0
	for path, text := range documented(t) {
		if filepath.Ext(path) != ".md" {
			continue
		}
		for _, m := range fencePattern.FindAllStringSubmatch(text, -1) {
			if m[1] != "yaml" {
				continue
			}
			for doc := range strings.SplitSeq(m[2], "\n---\n") {
				o := map[string]any{}
				if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
					continue
				}
				kind, _ := o["kind"].(string)
				if !strings.HasPrefix(kind, "PodIdentityProvider") {
					continue
				}
				n++
				o["kind"] = "PodIdentityProvider"
				if spec, _ := o["spec"].(map[string]any); kind != o["kind"] {
					meta, _ := o["metadata"].(map[string]any)
					spec["claimRef"] = map[string]any{"namespace": meta["namespace"], "name": meta["name"]}
				}
				w := &world{XR: mustStruct(t, o), Observed: map[string]*structpb.Struct{}}
				w.Input = at(loadOne(t, defaultComposition), "spec", "pipeline").GetListValue().GetValues()[0].GetStructValue().GetFields()["input"].GetStructValue()
				if rsp := w.reconcile(t, newTestFunction()); isFatal(rsp) {
					t.Errorf("%s: %s is refused: %v", path, kind, rsp.GetResults())
				}
			}
		}
	}
	if n < 3 {
		t.Errorf("only %d objects were found", n)
	}
}
