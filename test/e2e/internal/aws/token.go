package aws

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// ClaimsOf decodes the claims of a token of a ServiceAccount, a JSON Web Token. Its signature is not checked: tokens come from the API
// server.
func ClaimsOf(token string, claims any) error {
	parts := strings.Split(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(parts[min(1, len(parts)-1)])
	if err != nil {
		return err
	}
	return json.Unmarshal(text, claims)
}
