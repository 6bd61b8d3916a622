package catalogue

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// published reads a list that AWS publishes about actions. Each entry is a word with a colon and the words after it. A line that begins
// with a space continues the entry.
func published(t *testing.T, file string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../tools/catalogue/reference/" + file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	head := ""
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if line[0] != ' ' {
			head, words = strings.TrimSuffix(words[0], ":"), words[1:]
		}
		out[head] = append(out[head], words...)
	}
	return out
}

// exists says whether a pattern matches an action that AWS publishes.
func exists(actions map[string][]string, pattern string) bool {
	prefix, name, _ := strings.Cut(pattern, ":")
	return slices.ContainsFunc(actions[prefix], func(a string) bool { return iam.Match(name, a) })
}

// TestPublished compares every action in the catalogue with AWS's own list. Every action must be known, and every pattern must match one.
func TestPublished(t *testing.T) {
	actions := published(t, "actions.txt")
	for _, s := range services() {
		var all []string
		for _, p := range s.Prefixes {
			all = append(all, p+":*")
			if r, ok := content().Reading[p]; ok {
				for _, a := range r.Actions {
					all = append(all, p+":"+a)
				}
			}
		}
		for _, e := range s.Extras {
			all = slices.Concat(all, e.Reads, e.Actions)
		}
		for _, a := range all {
			_, name, _ := strings.Cut(a, ":")
			// Most services share one list of patterns that read, even if a service has no action for some of them.
			if !exists(actions, a) && !slices.Contains(content().reading("").Actions, name) {
				t.Errorf("%s: AWS publishes no action like %s", s.Name, a)
			}
		}
		for _, name := range s.Kinds() {
			k, _ := s.Kind(name)
			for _, a := range k.All() {
				if prefix, verb, _ := strings.Cut(a, ":"); !slices.Contains(actions[prefix], verb) {
					t.Errorf("%s: %s: AWS publishes no action %s", s.Name, name, a)
				}
			}
		}
	}
}

// TestExtrasNameKinds checks that every kind that an extra names exists.
func TestExtrasNameKinds(t *testing.T) {
	for _, s := range services() {
		for _, e := range s.Extras {
			for _, k := range e.Kinds {
				if _, ok := s.Kind(k); !ok {
					t.Errorf("%s: an extra is for %s, which is not a kind", s.Name, k)
				}
			}
		}
	}
}

// apart lists, by reason, the dependent actions that kinds do not get, as service=pattern.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var apart = map[string]string{
	"A service-linked role gets its policies from its service: iam:CreateServiceLinkedRole is enough.": `
		appintegrations=iam:* connect=iam:* kafka=iam:* kafkaconnect=iam:* budgets=iam:CreateServiceLinkedRole ssoadmin=iam:*`,
	"The service-linked role creates interfaces and endpoints: AWS's policy for full access has none of these.": `
		dax=ec2:* elasticache=ec2:* memorydb=ec2:*`,
	"It depends on a document or a location that a field names, and belongs in a statement with that resource.": `
		configservice=s3:* configservice=ssm:GetDocument configservice=iam:PassRole elasticache=s3:GetObject gamelift=s3:GetObject
		imagebuilder=ec2:* imagebuilder=ecr:* imagebuilder=inspector2:* imagebuilder=resource-groups:* imagebuilder=s3:*
		imagebuilder=sns:* imagebuilder=ssm:* memorydb=s3:* transcribe=s3:ListBucket ec2=ssm:GetParameters ec2=ecs:*`,
	"The kind has no field for a key. If the organization or the service encrypts with its own key, add a statement.": `
		identitystore=kms:* imagebuilder=kms:* ssoadmin=kms:* neptune=kms:*`,
	"The kind has no field for a role.": `
		docdb=iam:PassRole neptune=iam:PassRole rds=iam:PassRole sns=iam:PassRole ssm=iam:PassRole`,
	"The kind has no field that needs it: the action is shared by several engines, directories, or domains.": `
		connect=ds:CreateDirectory neptune=secretsmanager:*
		lightsail=route53:* lightsail=route53domains:*`,
	"An organization must trust a service before its resources are created.": `
		configservice=organizations:EnableAWSServiceAccess`,
	"It tags an object that is created along the way. Kinds with tags have these actions.": `
		docdb=rds:AddTagsToResource ec2=ec2:CreateTags neptune=rds:AddTagsToResource rds=rds:AddTagsToResource sagemaker=sagemaker:AddTags`,
	"Only Oracle has tenant databases, and an instance of a cluster is deleted without a final snapshot. tools/catalogue omits them.": `
		docdb=rds:CreateDBSnapshot docdb=rds:*TenantDatabase neptune=rds:CreateDBSnapshot neptune=rds:*TenantDatabase
		rds=rds:CreateDBSnapshot rds=rds:*TenantDatabase`,
	"AWS has discontinued Evidently.": "evidently=iam:*",
}

// TestDependent compares kinds with the actions that AWS also requires for the actions that they call. A policy has them, or apart says
// why not.
func TestDependent(t *testing.T) {
	dependent := published(t, "dependent.txt")
	reasons := map[string]bool{}
	for _, words := range apart {
		for w := range strings.FieldsSeq(words) {
			reasons[w] = false
		}
	}
	for _, s := range services() {
		for _, name := range s.Kinds() {
			k, _ := s.Kind(name)
			policy := s.FullOf("aws", []string{name})
			for _, a := range k.All() {
				for _, d := range dependent[a] {
					if covered(policy, d) || asked(dependent, k, a) {
						continue
					}
					if !excused(reasons, s.Name, d) {
						t.Errorf("%s: %s calls %s, for which AWS may also require %s", s.Name, name, a, d)
					}
				}
			}
		}
	}
	for w, used := range reasons {
		if !used {
			t.Errorf("%s is excused, but nothing requires it", w)
		}
	}
}

// asked says whether a kind has an action only because one of its other actions requires it, as far as the lists can show. AWS then
// handles the dependencies of that action.
func asked(dependent map[string][]string, k Kind, action string) bool {
	return slices.ContainsFunc(k.All(), func(a string) bool { return a != action && slices.Contains(dependent[a], action) })
}

// excused says whether there is a reason to omit an action, and marks the reason as used.
func excused(reasons map[string]bool, service, action string) bool {
	found := false
	for w := range reasons {
		if s, pattern, _ := strings.Cut(w, "="); s == service && iam.Match(pattern, action) {
			reasons[w], found = true, true
		}
	}
	return found
}
