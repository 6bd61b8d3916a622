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

// A fault that a claim meets. Each claim is for an identity of its own: role.namePrefix is crossplane-CLAIM, and the ServiceAccount
// has the claim's name. The provider that the identity is for is not installed, because no fault needs it.
type fault struct {
	// what happens, for people to read.
	what string
	// service has further fields of the claim's service, as flow style YAML that begins with a comma.
	service string
	// happens before the claim is filed. The returned function ends it.
	happens func(s *Scenario, object string) (over func())
	// phase of the service, and parts of the claim's message.
	phase string
	says  []string
}

// identityService is the service of claims that are about nothing but an identity.
const identityService = "xray"

// object of a claim's service, in the cluster and in AWS.
func object(claim string) string { return "crossplane-" + claim + "-prod-eu-west-1-" + identityService }

// refuses an action on the resource of the fault, or else on the one with the object's name.
func refuses(f aws.Fault) func(*Scenario, string) func() {
	return func(s *Scenario, object string) func() {
		if f.Resource == "" {
			f.Resource = object
		}
		return s.Real.Inject(f)
	}
}

// A role that another owner created a day ago for another purpose.
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
		what:    "a role of another owner may not be passed to EKS",
		service: ", roleArn: \"arn:aws:iam::" + aws.Account + ":role/" + theirRole + "\"",
		happens: func(s *Scenario, _ string) func() {
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
		what:    "AWS throttles requests",
		happens: refuses(aws.Fault{Action: "CreateRole", Code: "Throttling"}),
		phase:   "Failed", says: []string{"Role ", "Rate exceeded", "To do: wait"},
	},
	"lost": {
		what:    "the answer to a creation is lost",
		happens: refuses(aws.Fault{Action: "CreateRole", Times: 1, Code: "ServiceFailure", LostReply: true}),
	},
	"older": {
		what: "a role of that name existed before",
		happens: func(s *Scenario, object string) func() {
			s.Real.AddRole(object, theirTrust, "")
			return func() { s.Edit("older", faultPatch("older", `,"importRole":true`)) }
		},
		phase: "Conflict", says: []string{"Role ", "existed before", "To do: to adopt it, set importRole: true"},
	},
	"taken": {
		what: "an association for that ServiceAccount existed before",
		happens: func(s *Scenario, _ string) func() {
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
func (s *Scenario) fileIdentity(claim, more string) {
	s.Helper()
	s.file(claim, "[{name: "+identityService+", management: Observe, serviceAccountName: "+claim+more+"}]\n  role: {namePrefix: crossplane-"+claim+"}")
}

// faults of AWS: each is reported on the claim that it affects, with what to do. When that is done, the claim becomes ready on its own.
func faults(s *Scenario) {
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
		s.Errorf("the role that existed before was written: %v", w)
	}

	for _, end := range over {
		end()
	}
	s.Stepf("every fault is over, or what its claim says is done")
	for claim := range faultsOfAWS {
		s.Is(4*time.Minute, "Claim", claim, "IdentityReady=True", "Synced=True")
	}
	s.Stepf("every claim has its identity")
	if x := s.Real.Association(controlplane.Namespace, "taken"); x == nil || x.Role != "arn:aws:iam::"+aws.Account+":role/"+object("taken") {
		s.Errorf("the association that was adopted is %+v", x)
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
		s.Error("the role of another owner is gone")
	}
	s.Stepf("the claims are deleted, and AWS has nothing of them. What belongs to another owner is left")
}

// behindItsBack another user changes and deletes resources in AWS: all of them are restored.
func (s *Scenario) behindItsBack() {
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
	s.Stepf("another user deleted a role, a policy and an association, detached a policy, and edited another policy and the trust policy of a role")

	s.Until(3*time.Minute, "all of it is restored", func() error {
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
			return errors.New("the policy still has the other user's edit")
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
	s.Stepf("all of it is restored, and the claims are ready")
}
