package e2e

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// A fault that a claim has to do with. Each claim is for an identity of its own: role.namePrefix is crossplane-CLAIM, and the
// ServiceAccount has the claim's name. Nobody installed the provider that it is for, which no fault needs.
type fault struct {
	// what happens, for people.
	what string
	// service is what the claim says of it beside that, as flow style YAML that begins with a comma.
	service string
	// happens before the claim is filed. The answer ends it.
	happens func(s *Story, object string) (over func())
	// phase of the service, and what the claim says.
	phase string
	says  []string
}

// identityService is the service of claims that are about nothing but an identity.
const identityService = "xray"

// object of a claim's service, in the cluster and in AWS.
func object(claim string) string { return "crossplane-" + claim + "-prod-eu-west-1-" + identityService }

// refuses an action with an error, on what is called as the object or, if a resource is given, as that.
func refuses(f aws.Fault) func(*Story, string) func() {
	return func(s *Story, object string) func() {
		if f.Resource == "" {
			f.Resource = object
		}
		return s.Real.Inject(f)
	}
}

// their role, which somebody else made for other things a day ago.
const (
	theirRole  = "legacy-app"
	theirTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`
)

var faultsOfAWS = map[string]fault{
	"norole": {
		what:    "the role may not be created",
		happens: refuses(aws.Fault{Action: "CreateRole", Code: "AccessDenied"}),
		phase:   "Failed", says: []string{"Role ", "AccessDenied", "iam:CreateRole", "To do: allow that action"},
	},
	"nopolicy": {
		what:    "the policy may not be created",
		happens: refuses(aws.Fault{Action: "CreatePolicy", Code: "AccessDenied"}),
		phase:   "Failed", says: []string{"Policy ", "AccessDenied", "iam:CreatePolicy", "To do: allow that action"},
	},
	"noattachment": {
		what:    "the policy may not be attached",
		happens: refuses(aws.Fault{Action: "AttachRolePolicy", Code: "AccessDenied"}),
		phase:   "Failed", says: []string{"RolePolicyAttachment ", "AccessDenied", "iam:AttachRolePolicy", "To do: allow that action"},
	},
	"noassociation": {
		what:    "the association may not be created",
		happens: refuses(aws.Fault{Action: "CreatePodIdentityAssociation", Resource: "prod/" + controlplane.Namespace + "/noassociation", Code: "AccessDeniedException"}),
		phase:   "Failed", says: []string{"PodIdentityAssociation ", "AccessDenied", "eks:CreatePodIdentityAssociation", "To do: allow that action"},
	},
	"nopass": {
		what:    "a role of somebody else may not be passed on",
		service: ", roleArn: \"arn:aws:iam::" + aws.Account + ":role/" + theirRole + "\"",
		happens: func(s *Story, _ string) func() {
			arn := s.Real.AddRole(theirRole, theirTrust, "")
			return func() {
				s.Real.Grant(bootstrapRole, "their-role", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:PassRole","iam:GetRole"],"Resource":"`+arn+`"}]}`)
			}
		},
		phase: "Failed", says: []string{"PodIdentityAssociation ", "AccessDenied", "iam:PassRole", theirRole, "To do: allow that action"},
	},
	"quota": {
		what:    "the account has as many roles as it may",
		happens: refuses(aws.Fault{Action: "CreateRole", Code: "LimitExceeded", Message: "Cannot exceed quota for RolesPerAccount: 1000"}),
		phase:   "Failed", says: []string{"Role ", "LimitExceeded", "RolesPerAccount", "To do: raise the quota"},
	},
	"throttled": {
		what:    "AWS is asked too often",
		happens: refuses(aws.Fault{Action: "CreateRole", Code: "Throttling"}),
		phase:   "Failed", says: []string{"Role ", "Rate exceeded", "To do: wait"},
	},
	"lost": {
		what:    "the answer to a creation is lost",
		happens: refuses(aws.Fault{Action: "CreateRole", Times: 1, Code: "ServiceFailure", LostReply: true}),
	},
	"older": {
		what: "somebody made a role of that name before",
		happens: func(s *Story, object string) func() {
			s.Real.AddRole(object, theirTrust, "")
			return func() { s.Edit("older", faultPatch("older", `,"importRole":true`)) }
		},
		phase: "Conflict", says: []string{"Role ", "existed before", "To do: to adopt it, set importRole: true"},
	},
	"taken": {
		what: "somebody made an association for that ServiceAccount before",
		happens: func(s *Story, _ string) func() {
			s.Real.Associate(controlplane.Namespace, "taken", s.Real.AddRole("taken-app", theirTrust, ""))
			return func() { s.Edit("taken", faultPatch("taken", `,"adoptExistingAssociation":true`)) }
		},
		phase: "Failed", says: []string{"PodIdentityAssociation ", "Association already exists: a-", "adoptExistingAssociation: true"},
	},
}

func faultPatch(claim, more string) string {
	return `{"spec":{"services":[{"name":"` + identityService + `","management":"Observe","serviceAccountName":"` + claim + `"` + more + `}]}}`
}

// fileIdentity files a claim for an identity and nothing else.
func (s *Story) fileIdentity(claim, more string) {
	s.Helper()
	s.file(claim, "[{name: "+identityService+", management: Observe, serviceAccountName: "+claim+more+"}]\n  role: {namePrefix: crossplane-"+claim+"}")
}

// faults of AWS: each says the truth on the claim that it is about, and what to do. When that is done, the claim goes on by itself.
func faults(s *Story) {
	over := map[string]func(){}
	for claim, f := range faultsOfAWS {
		over[claim] = f.happens(s, object(claim))
		s.fileIdentity(claim, f.service)
	}
	s.Stepf("%d claims are filed, and something is wrong with each", len(faultsOfAWS))
	for claim, f := range faultsOfAWS {
		if f.phase == "" {
			continue
		}
		s.phase(claim, identityService, f.phase, f.says...)
		m := fmt.Sprint(fakes.Condition(s.Is(time.Minute, "Claim", claim, "IdentityReady=False/"+f.phase), "IdentityReady")["message"])
		if !contains(m, f.says...) || strings.Contains(m, "RequestID") {
			s.Errorf("%s: IdentityReady says %q, and should say %q and nothing that changes with every try", f.what, m, f.says)
		}
		s.Stepf("%s: %s", f.what, m)
	}
	if w := s.AWS.Calls("Role", object("older")); len(w) > 0 {
		s.Errorf("the role that somebody made before was written: %v", w)
	}

	for _, end := range over {
		end()
	}
	s.Stepf("all of that is over, or what the claims say is done")
	for claim := range faultsOfAWS {
		s.Is(4*time.Minute, "Claim", claim, "IdentityReady=True", "Synced=True")
	}
	s.Stepf("every claim has its identity")
	if x := s.Real.Association(controlplane.Namespace, "taken"); x == nil || x.Role != "arn:aws:iam::"+aws.Account+":role/"+object("taken") {
		s.Errorf("the association that was taken over is %+v", x)
	}

	s.behindItsBack()

	for claim := range faultsOfAWS {
		s.Delete("Claim", claim)
	}
	for claim := range faultsOfAWS {
		s.Gone(4*time.Minute, "Claim", claim)
		for kind, name := range map[string]string{"Role": object(claim), "Policy": object(claim), "Attachment": object(claim), "Association": object(claim)} {
			s.Gone(4*time.Minute, kind, name)
		}
		if left := append(s.AWS.Has("crossplane-"+claim+"-"), s.AWS.Has("/"+claim)...); len(left) > 0 {
			s.Errorf("AWS still has %v", left)
		}
	}
	if s.Real.Role(theirRole) == nil {
		s.Error("the role of somebody else is gone")
	}
	s.Stepf("the claims are deleted, and AWS has nothing of them but what was somebody else's")
}

// behindItsBack is what somebody does in AWS to what there is: it is set right.
func (s *Story) behindItsBack() {
	s.Helper()
	const anything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	sa := func(claim string) *aws.Association { return s.Real.Association(controlplane.Namespace, claim) }
	before := map[string]*aws.Role{}
	policy := s.Real.Policy(object("nopolicy"))
	for claim := range faultsOfAWS {
		before[claim] = s.Real.Role(object(claim))
	}
	id := sa("noassociation").ID

	s.Real.RemoveRole(object("norole"))
	s.Real.Rewrite(object("nopolicy"), anything)
	s.Real.Detach(object("noattachment"))
	s.Real.Disassociate(controlplane.Namespace, "noassociation")
	s.Real.RemovePolicy(object("quota"))
	s.Real.Retrust(object("throttled"), theirTrust)
	s.Stepf("somebody deleted a role, a policy and an association, detached a policy, and edited another and the trust of a role")

	s.Until(3*time.Minute, "all of it is set right", func() error {
		for _, claim := range []string{"norole", "noattachment", "quota", "throttled"} {
			got, want := s.Real.Role(object(claim)), before[claim]
			switch {
			case got == nil:
				return fmt.Errorf("%s: there is no role", claim)
			case len(got.Attached) != len(want.Attached) || got.Trust != want.Trust:
				return fmt.Errorf("%s: the role is %+v, and was %+v", claim, got, want)
			}
		}
		switch x := sa("noassociation"); {
		case x == nil || x.ID == id:
			return errors.New("there is no new association")
		case s.Real.Policy(object("nopolicy")) != policy:
			return errors.New("the policy is as somebody edited it")
		case s.Real.Policy(object("quota")) == "":
			return errors.New("there is no new policy")
		}
		return nil
	})
	for claim := range faultsOfAWS {
		s.Is(2*time.Minute, "Claim", claim, "IdentityReady=True")
	}
	s.Until(time.Minute, "the claim knows the new association", func() error {
		if got := s.Service(s.Get("Claim", "noassociation"), identityService)["associationId"]; got != sa("noassociation").ID {
			return fmt.Errorf("it says %v", got)
		}
		return nil
	})
	s.Stepf("all of it is set right, and the claims are as they were")
}
