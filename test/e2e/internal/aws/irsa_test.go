package aws

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestWebIdentity assumes a role with a token of a ServiceAccount, as IRSA does.
func TestWebIdentity(t *testing.T) {
	const subject = "system:serviceaccount:crossplane-system:provider-aws-s3"
	token := func(issuer, subject string) string {
		return tokenOf(fmt.Sprintf(`{"iss":"https://%s","sub":%q,"aud":["sts.amazonaws.com"]}`, issuer, subject))
	}
	s := start(t)
	trust := fmt.Sprintf(`{"Statement":[{"Effect":"Allow","Principal":{"Federated":%q},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.example.org/x:sub":%q,"oidc.example.org/x:aud":"sts.amazonaws.com"}}}]}`,
		s.AddOIDCProvider("oidc.example.org/x"), subject)
	web, pods := s.AddRole("web", trust, allowAll), s.AddRole("pods", anyPod, allowAll)
	cases := map[string]struct{ reason, role, token, want string }{
		"Trusted":      {"The role trusts the issuer for this ServiceAccount.", web, token("oidc.example.org/x", subject), ""},
		"OtherSubject": {"It does not trust another ServiceAccount.", web, token("oidc.example.org/x", subject+"-2"), "AccessDenied"},
		"OtherIssuer":  {"The account does not know another issuer.", web, token("oidc.example.org/y", subject), "InvalidIdentityToken"},
		"NoToken":      {"A token is a JSON Web Token.", web, "token", "InvalidIdentityToken"},
		"PodIdentity":  {"A role that trusts only EKS Pod Identity refuses a token.", pods, token("oidc.example.org/x", subject), "AccessDenied"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			out, err := s.as("").sts.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{RoleArn: &tc.role, RoleSessionName: sdk.String("x"), WebIdentityToken: &tc.token})
			wantCode(t, tc.reason, tc.want, err)
			if err != nil {
				return
			}
			id, err := s.as(*out.Credentials.AccessKeyId).sts.GetCallerIdentity(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if want := "arn:aws:sts::" + Account + ":assumed-role/web/x"; *id.Arn != want {
				t.Errorf("%s: want the session %s, got %s", tc.reason, want, *id.Arn)
			}
		})
	}
}
