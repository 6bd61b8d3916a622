package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/catalogue"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
)

// A kindPolicy is compared with reality by test/e2e/kinds.
type kindPolicy struct {
	// Policy that is derived for the kind, and those of its actions that the provider's source calls.
	Policy  string   `json:"policy"`
	Actions []string `json:"actions"`
}

// policies returns the policies of kinds, each written as service/Kind, as JSON.
func policies(names []string) (string, error) {
	out := map[string]kindPolicy{}
	for _, name := range names {
		service, kind, _ := strings.Cut(name, "/")
		s, _ := catalogue.Lookup(service)
		k, ok := s.Kind(kind)
		if !ok {
			return "", fmt.Errorf("there is no kind %s", name)
		}
		out[name] = kindPolicy{Policy: iam.NewDocument(s.FullOf("aws", []string{kind})...).String(), Actions: k.All()}
	}
	b, err := json.MarshalIndent(out, "", "  ")
	return string(b) + "\n", err
}
