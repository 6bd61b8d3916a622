package identity

import (
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

func TestObjectName(t *testing.T) {
	cases := map[string]struct {
		reason, in, want string
	}{
		"Valid":      {"A name that Kubernetes allows is unchanged.", "crossplane-prod-eu-west-1-s3", "crossplane-prod-eu-west-1-s3"},
		"Capitals":   {"Letters become lower-case, and a hash distinguishes the name from one that already was.", "Prod", "prod-" + iam.Hash("Prod")},
		"Underscore": {"Other characters become dashes.", "a_b+c", "a-b-c-" + iam.Hash("a_b+c")},
		"Ends":       {"A Kubernetes name begins and ends with a letter or digit.", "_a_", "a-" + iam.Hash("_a_")},
		"Nothing":    {"A name without valid characters becomes its hash.", "_+_", iam.Hash("_+_")},
		"Empty":      {"An empty name stays empty.", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := ObjectName(tc.in); got != tc.want {
				t.Errorf("%s\nObjectName(%q): want %q, got %q", tc.reason, tc.in, tc.want, got)
			}
		})
	}
}

// TestObjectNameProperties checks with random role names that each gives a valid and unique Kubernetes name.
func TestObjectNameProperties(t *testing.T) {
	const letters = "aAbB1_+=,.@-aaaaaaaa"
	rnd := rand.New(rand.NewPCG(1, 2))
	seen := map[string]string{}
	for range 20000 {
		b := make([]byte, 1+rnd.IntN(iam.MaxRoleName))
		for i := range b {
			b[i] = letters[rnd.IntN(len(letters))]
		}
		name := string(b)
		got := ObjectName(name)
		if problems := validation.IsDNS1123Label(got); len(problems) > 0 {
			t.Fatalf("ObjectName(%q) = %q is not a Kubernetes name: %v", name, got, problems)
		}
		if other, ok := seen[got]; ok && other != name {
			t.Fatalf("ObjectName makes %q of both %q and %q", got, name, other)
		}
		seen[got] = name
	}
}

// TestRoleNames checks that generated names have at most 64 characters, and that the object names of clusters differ even if their names
// differ only in characters that Kubernetes does not allow.
func TestRoleNames(t *testing.T) {
	long := "a-cluster-whose-name-is-as-long-as-eks-allows-it-to-be-which-is-one-hundred-characters-0123456789-ab"
	if len(long) != 100 {
		t.Fatalf("the long name has %d characters", len(long))
	}
	cases := map[string]struct {
		reason, spec     string
		role, objectName string
	}{
		"Generated": {"A role is named after prefix, cluster, region and service.", ``, "crossplane-prod-eu-west-1-s3", "crossplane-prod-eu-west-1-s3"},
		"Prefix":    {"The prefix can be set.", `role: {namePrefix: Team_A}`, "Team_A-prod-eu-west-1-s3", "team-a-prod-eu-west-1-s3-" + iam.Hash("Team_A-prod-eu-west-1-s3")},
		"Exact":     {"So can the whole name.", `services: [{name: s3, roleName: "my.Role@x"}]`, "my.Role@x", "my-role-x-" + iam.Hash("my.Role@x")},
		"Capitals":  {"A cluster's name may have capitals and underscores.", `clusterName: Prod_1`, "crossplane-Prod_1-eu-west-1-s3", "crossplane-prod-1-eu-west-1-s3-" + iam.Hash("crossplane-Prod_1-eu-west-1-s3")},
		"Underscore": {
			"A name that only differs in case and separators gives another object.",
			`clusterName: prod_1`, "crossplane-prod_1-eu-west-1-s3", "crossplane-prod-1-eu-west-1-s3-" + iam.Hash("crossplane-prod_1-eu-west-1-s3"),
		},
		"Long": {
			"A name longer than AWS allows is cut and ends with a hash of the whole; the object's name is cut again for Kubernetes.",
			`clusterName: ` + long,
			"crossplane-" + long[:44] + "-" + iam.Hash("crossplane-"+long+"-eu-west-1-s3"),
			"",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := world{Spec: tc.spec}.mustResolve(t).Services[0]
			if s.RoleName != tc.role || len(s.RoleName) > 64 {
				t.Errorf("%s\nRoleName: want %q, got %q of %d characters", tc.reason, tc.role, s.RoleName, len(s.RoleName))
			}
			if tc.objectName == "" {
				tc.objectName = iam.Cut(tc.role, 63)
			}
			if s.ObjectName != tc.objectName {
				t.Errorf("%s\nObjectName: want %q, got %q", tc.reason, tc.objectName, s.ObjectName)
			}
			if problems := validation.IsDNS1123Label(s.ObjectName); len(problems) > 0 {
				t.Errorf("%s\nObjectName %q: %v", tc.reason, s.ObjectName, problems)
			}
		})
	}
}

// TestRoleNameOfObserved checks that an existing role keeps its name.
func TestRoleNameOfObserved(t *testing.T) {
	w := world{Observed: map[string]string{"role/s3": `{kind: Role, metadata: {name: crossplane-old, annotations: {crossplane.io/external-name: crossplane-prod-eu-west-1-s3}}}`}}
	if got := w.mustResolve(t).Services[0].RoleName; got != "crossplane-prod-eu-west-1-s3" {
		t.Errorf("RoleName: want that of the observed role, got %q", got)
	}
}

// FuzzObjectName checks that any name in AWS gives a valid and stable Kubernetes name, which differs for different names. The exception
// is an input that equals the Kubernetes name of another, hash included.
func FuzzObjectName(f *testing.F) {
	for _, s := range [][2]string{
		{"crossplane-prod-eu-west-1-s3", "crossplane-prod-eu-west-1-sqs"},
		{"crossplane-Prod_1", "crossplane-prod-1"},
		{"_+_", ""},
		{strings.Repeat("a", 64), strings.Repeat("a", 65)},
		{strings.Repeat("A-", 32), strings.Repeat("a-", 32)},
		{"é\xff", "e\x00"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		got, other := ObjectName(a), ObjectName(b)
		if problems := validation.IsDNS1123Label(got); a != "" && len(problems) > 0 {
			t.Fatalf("ObjectName(%q) = %q is not a Kubernetes name: %v", a, got, problems)
		}
		if again := ObjectName(a); got != again {
			t.Fatalf("ObjectName(%q) is %q, then %q", a, got, again)
		}
		if ObjectName(got) != got {
			t.Fatalf("ObjectName(%q) = %q changed a Kubernetes name", got, ObjectName(got))
		}
		// A fuzzer cannot find a collision of 32-bit hashes by chance.
		if a != b && got == other && got != a && other != b {
			t.Fatalf("ObjectName makes %q of both %q and %q", got, a, b)
		}
	})
}
