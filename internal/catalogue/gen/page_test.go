package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
)

// TestPageIsUpToDate compares the page with the catalogue.
func TestPageIsUpToDate(t *testing.T) {
	got, err := os.ReadFile("../../../docs/catalogue.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page(), string(got)); diff != "" {
		t.Errorf("docs/catalogue.md is out of date; run make generate: -want, +got:\n%s", diff)
	}
}

// TestPageHasEverything checks that the page has every service, extra and reason.
func TestPageHasEverything(t *testing.T) {
	p := page()
	for _, name := range catalogue.Names() {
		s, _ := catalogue.Lookup(name)
		want := []string{"| `" + name + "` | `provider-aws-" + name + "` |", s.Source, s.Note}
		if len(s.Extras) > 0 || s.Note != "" {
			want = append(want, "\n### "+name+"\n")
		}
		for _, prefix := range s.Prefixes {
			want = append(want, "`"+prefix+"`", strings.ReplaceAll(catalogue.ReadingOf(prefix).Why, "*", `\*`))
		}
		for _, e := range s.Extras {
			want = append(want, e.Source)
			for _, list := range [][]string{e.Reads, e.Actions, e.Resources, e.ServiceLinkedRoles, e.PassRole} {
				for _, v := range list {
					want = append(want, "`"+v+"`")
				}
			}
		}
		for _, w := range want {
			if !strings.Contains(p, w) {
				t.Errorf("the page is missing %q of %s", w, name)
			}
		}
	}
}

func TestList(t *testing.T) {
	cases := map[string]struct {
		in   []string
		want string
	}{
		"None":  {nil, ""},
		"One":   {[]string{"a"}, "a"},
		"Two":   {[]string{"a", "b"}, "a and b"},
		"Three": {[]string{"a", "b", "c"}, "a, b and c"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := list(tc.in); got != tc.want {
				t.Errorf("list(%q): want %q, got %q", tc.in, tc.want, got)
			}
		})
	}
}

// TestKindsPages compares the pages with the data, and checks that no kind is missing.
func TestKindsPages(t *testing.T) {
	const docs = "../../../docs"
	got, want := map[string]string{}, map[string]string{"kinds.md": kindsPage("../../..")}
	for name, page := range servicePages() {
		want[filepath.Join("kinds", name+".md")] = page
	}
	files, err := filepath.Glob(filepath.Join(docs, "kinds", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, filepath.Join(docs, "kinds.md")) {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(docs, f)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/kinds is out of date; run make generate: -want, +got:\n%s", diff)
	}
	for _, name := range catalogue.Names() {
		s, _ := catalogue.Lookup(name)
		page := want[filepath.Join("kinds", name+".md")]
		for _, kind := range s.Kinds() {
			if !strings.Contains(page, "| `"+kind+"` |") {
				t.Errorf("the page is missing the kind %s of %s", kind, name)
			}
		}
		if link := "(kinds/" + name + ".md)"; len(s.Kinds()) > 0 && !strings.Contains(want["kinds.md"], link) {
			t.Errorf("docs/kinds.md has no link to %s", name)
		}
	}
}

func TestShort(t *testing.T) {
	if got, want := short([]string{"kms:DescribeKey", "s3:GetBucketAcl", "s3:ListBucket"}), "`kms:DescribeKey`, `s3:GetBucketAcl ListBucket`"; got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}
