package aws

import (
	"fmt"
	"net/http"
	"strings"
)

// consoleHelp says what the console understands.
const consoleHelp = `What another user does in this account:
  cloud list [PART]                  list what has PART in its name
  cloud calls [PART]                 list the calls that changed something
  cloud deny ACTION [NAME]           refuse an action, for example CreateRole, to all callers
  cloud allow                        refuse no action any longer
  cloud disassociate SERVICEACCOUNT  delete the association of a ServiceAccount of crossplane-system
  cloud detach ROLE                  detach all policies from a role
`

// Console lets people do what scenarios do to the account: a request's path is the command, and its values of "with" are the arguments.
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
			say("no action is refused any longer")
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
