package aws

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// sts operations.
func (s *Server) sts(r *request, p url.Values) operation {
	switch p.Get("Action") {
	case "GetCallerIdentity":
		r.about("GetCallerIdentity", "")
		return func() (any, *failure) {
			arn := "arn:aws:iam::" + Account + ":root"
			if r.session != nil {
				arn = r.session.arn
			}
			return text("Arn", arn) + text("UserId", "AROAEXAMPLE:session") + text("Account", Account), nil
		}
	case "AssumeRole":
		r.about("AssumeRole", p.Get("RoleArn"))
		return func() (any, *failure) {
			seconds, _ := strconv.Atoi(p.Get("DurationSeconds"))
			x, f := s.assume(assumption{
				role: p.Get("RoleArn"), session: p.Get("RoleSessionName"), by: r.session, externalID: p.Get("ExternalId"),
				tags: tagsOf(p), transitive: membersOf(p, "TransitiveTagKeys"), life: time.Duration(seconds) * time.Second,
			})
			return x.credentials(p.Get("RoleSessionName")), f
		}
	case withWebIdentity:
		r.about(withWebIdentity, p.Get("RoleArn"))
		return func() (any, *failure) {
			provider, keys, f := s.vouched(p.Get("WebIdentityToken"))
			if f != nil {
				return nil, f
			}
			x, f := s.assume(assumption{role: p.Get("RoleArn"), session: p.Get("RoleSessionName"), federated: provider, keys: keys})
			return x.credentials(p.Get("RoleSessionName")), f
		}
	}
	return nil
}

// credentials of a session, which is nil if there was a failure.
func (x *session) credentials(name string) any {
	if x == nil {
		return nil
	}
	return el("Credentials", text("AccessKeyId", x.key), text("SecretAccessKey", "secret"), text("SessionToken", x.key), text("Expiration", stamp(x.expires))) +
		el("AssumedRoleUser", text("AssumedRoleId", "AROAEXAMPLE:"+name), text("Arn", x.arn))
}

// withWebIdentity is the action of IRSA. Its requests have no signature.
const withWebIdentity = "AssumeRoleWithWebIdentity"

// vouched says which identity provider of the account issued a token, and what a trust policy can ask about it.
func (s *Server) vouched(token string) (provider string, keys map[string]string, f *failure) {
	claims := struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience []string `json:"aud"`
	}{}
	err := ClaimsOf(token, &claims)
	host := strings.TrimPrefix(claims.Issuer, "https://")
	if err != nil || host == "" || host != s.oidc || len(claims.Audience) == 0 {
		return "", nil, failf(http.StatusBadRequest, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for %s", claims.Issuer)
	}
	return oidcProvider(host), map[string]string{host + ":sub": claims.Subject, host + ":aud": claims.Audience[0]}, nil
}

func oidcProvider(host string) string { return "arn:aws:iam::" + Account + ":oidc-provider/" + host }
