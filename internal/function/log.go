package function

import (
	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/plan"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// maxName bounds a logged name. No object has a longer one.
const maxName = 253

// logFor returns the logger for a request: it names the composite resource, and the claim if one made it.
func logFor(log logging.Logger, req *fnv1.RunFunctionRequest) logging.Logger {
	v := &view.View{XR: view.NewObject(req.GetObserved().GetComposite().GetResource())}
	log = log.WithValues("xr", cut(v.XR.Name(), maxName))
	if namespace, name := v.Claim(); name != "" {
		log = log.WithValues("claim", cut(namespace, maxName)+"/"+cut(name, maxName))
	}
	return log
}

// logPhases logs the phases of services that differ from those in the composite resource's status. Crossplane writes the new ones there
// after the last call of a reconcile, which has all answers.
func logPhases(log logging.Logger, v *view.View, p *plan.Plan) {
	if v.Requirements.Unanswered() {
		return
	}
	before := map[string]string{}
	for _, s := range v.XR.List("status", "services") {
		before[s.String("name")] = s.String("phase")
	}
	type change struct{ from, to string }
	var changes []change
	services := map[change][]string{}
	for _, s := range p.Status.Services {
		c := change{cut(before[s.Name], maxName), string(s.Phase)}
		if c.from == c.to {
			continue
		}
		if services[c] == nil {
			changes = append(changes, c)
		}
		services[c] = append(services[c], s.Name)
	}
	for _, c := range changes {
		log.Info("Phase changed", "services", services[c], "from", c.from, "to", c.to)
	}
}
