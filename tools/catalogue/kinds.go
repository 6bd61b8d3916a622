package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A kind of provider-aws.
type kind struct {
	service, name, resource string
	// needs are what fields of the kind name: a role that is passed, a key that encrypts.
	needs []string
}

var (
	saysResource = regexp.MustCompile(`func \(mg \*(\w+)\) GetTerraformResourceType\(\) string \{\s*return "(\w+)"`)
	saysField    = regexp.MustCompile("json:\"(\\w+)")
	namesRole    = regexp.MustCompile(`(?i)role|instanceprofile`)
	namesKey     = regexp.MustCompile(`(?i)kms|encrypt`)
)

// kindsOf provider-aws in a folder: those in clusters, which are the same as those in namespaces.
func kindsOf(root string) ([]kind, error) {
	files, err := filepath.Glob(filepath.Join(root, "apis", "cluster", "*", "*", "zz_*_terraformed.go"))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var out []kind
	for _, f := range files {
		code, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(filepath.Join(root, "apis", "cluster"), f)
		if err != nil {
			return nil, err
		}
		types, err := os.ReadFile(strings.TrimSuffix(f, "_terraformed.go") + "_types.go")
		if err != nil {
			return nil, err
		}
		for _, m := range saysResource.FindAllStringSubmatch(string(code), -1) {
			k := kind{service: strings.Split(filepath.ToSlash(rel), "/")[0], name: m[1], resource: m[2], needs: needs(string(types))}
			// A kind is in several versions of its API.
			if id := k.service + "/" + k.name; !seen[id] {
				seen[id] = true
				out = append(out, k)
			}
		}
	}
	return out, nil
}

// needs of a kind, by the names of its fields.
func needs(types string) []string {
	role, key := false, false
	for _, m := range saysField.FindAllStringSubmatch(types, -1) {
		role, key = role || namesRole.MatchString(m[1]), key || namesKey.MatchString(m[1])
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
