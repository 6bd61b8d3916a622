package aws

import (
	"net/url"
	"strconv"
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
			if f != nil {
				return nil, f
			}
			return el("Credentials", text("AccessKeyId", x.key), text("SecretAccessKey", "secret"), text("SessionToken", x.key), text("Expiration", stamp(x.expires))) +
				el("AssumedRoleUser", text("AssumedRoleId", "AROAEXAMPLE:"+p.Get("RoleSessionName")), text("Arn", x.arn)), nil
		}
	}
	return nil
}
