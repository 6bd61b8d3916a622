package aws

import (
	"fmt"
	"net/http"
	"strings"
)

// consoleHelp says what the console understands.
const consoleHelp = `What somebody else does in this account:
  cloud list [PART]                  what there is whose name contains PART
  cloud calls [PART]                 the calls that changed something
  cloud deny ACTION [NAME]           refuse an action, for example CreateRole, to everybody
  cloud allow                        refuse nothing any more
  cloud disassociate SERVICEACCOUNT  delete the association of a ServiceAccount of crossplane-system
  cloud detach ROLE                  detach all policies from a role
`

// Console lets people do to the account what stories do to it: a request's path is what to do, and its values of "with" are to what.
func (s *Server) Console() http.Handler {
	var faults []func()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		with := func(i int) string {
			if i < len(r.Form["with"]) {
				return r.Form["with"][i]
			}
			return ""
		}
		say := func(lines ...string) {
			for _, l := range lines {
				_, _ = fmt.Fprintln(w, l)
			}
		}
		switch verb := strings.Trim(r.URL.Path, "/"); {
		case verb == "list":
			say(s.Has(with(0))...)
		case verb == "calls":
			say(s.Calls(with(0))...)
		case verb == "deny" && with(0) != "":
			faults = append(faults, s.Deny(with(0), with(1)))
			say(with(0) + " is refused")
		case verb == "allow":
			for _, remove := range faults {
				remove()
			}
			faults = nil
			say("nothing is refused any more")
		case verb == "disassociate" && with(0) != "":
			s.Disassociate("crossplane-system", with(0))
			say("ServiceAccount " + with(0) + " has no association")
		case verb == "detach" && with(0) != "":
			s.Detach(with(0))
			say("role " + with(0) + " has no policies")
		default:
			w.WriteHeader(http.StatusBadRequest)
			say(consoleHelp)
		}
	})
}
