package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// An identity as AWS has it, and as its managed resources say that it should be.
type anIdentity struct {
	Role        *aws.Role
	Policy      string
	Association *aws.Association
	// Fields of forProvider, by kind.
	Fields map[string]any
}

// identityOf a claim for an identity.
func (s *Scenario) identityOf(claim string) anIdentity {
	s.Helper()
	out := anIdentity{Role: s.Real.Role(object(claim)), Policy: s.Real.Policy(object(claim)), Association: s.Real.Association(controlplane.Namespace, claim), Fields: map[string]any{}}
	for _, kind := range []string{"Role", "Policy", "Association"} {
		if o := s.Get(kind, object(claim)); o != nil {
			spec, _, _ := unstructured.NestedMap(o.Object, "spec", "forProvider")
			// A field with the default of AWS is the same as one that is not set.
			maps.DeleteFunc(spec, func(k string, v any) bool {
				return v == "" || v == false || k == "maxSessionDuration" && fmt.Sprint(v) == "3600"
			})
			out.Fields[kind] = spec
		}
	}
	return out
}

// fieldsOfClaim are those that AWS or the providers see. Each is set, changed and removed again.
var fieldsOfClaim = []struct {
	// round in which it is tested: fields that can be set together share one.
	round int
	field string
	// set and changed are patches of a claim for an identity, and reached says whether AWS has a value of them.
	set, changed string
	reached      func(x anIdentity, value string) bool
	// values that reached looks for, of set and of changed.
	values [2]string
}{
	{1, "tags", `"tags":{"team":"a","cost":"1"}`, `"tags":{"team":"b"}`, func(x anIdentity, v string) bool {
		return x.Role.Tags["team"] == v && x.Association.Tags["team"] == v
	}, [2]string{"a", "b"}},
	{1, "role.description", `"role":{"description":"first"}`, `"role":{"description":"second"}`, func(x anIdentity, v string) bool { return x.Role.Description == v }, [2]string{"first", "second"}},
	{1, "role.maxSessionDuration", `"role":{"maxSessionDuration":7200}`, `"role":{"maxSessionDuration":10800}`, func(x anIdentity, v string) bool { return x.Role.MaxSession == v }, [2]string{"7200", "10800"}},
	{
		1, "role.permissionsBoundary", `"role":{"permissionsBoundary":"` + shared("a") + `"}`, `"role":{"permissionsBoundary":"` + shared("b") + `"}`,
		func(x anIdentity, v string) bool { return x.Role.Boundary == v },
		[2]string{shared("a"), shared("b")},
	},
	{
		1, "role.trustConditions", `"role":{"trustConditions":{"StringEquals":{"aws:SourceOrgID":["o-aaaaaaaaaa"]}}}`, `"role":{"trustConditions":{"StringEquals":{"aws:SourceOrgID":["o-bbbbbbbbbb"]}}}`,
		func(x anIdentity, v string) bool { return strings.Contains(x.Role.Trust, v) },
		[2]string{"o-aaaaaaaaaa", "o-bbbbbbbbbb"},
	},
	{
		1, "services[].permissions.accessLevel", `"permissions":{"accessLevel":"ReadOnly"}`, `"permissions":{"accessLevel":"Full"}`,
		func(x anIdentity, v string) bool { return strings.Contains(x.Policy, v) },
		[2]string{"xray:BatchGet*", "xray:*"},
	},
	{
		2, "services[].permissions.statements", `"permissions":{"statements":[{"actions":["xray:GetGroups"],"resources":["*"]}]}`, `"permissions":{"statements":[{"actions":["xray:GetGroup"],"resources":["*"]}]}`,
		func(x anIdentity, v string) bool {
			return strings.Contains(x.Policy, v) && !strings.Contains(x.Policy, "xray:*")
		},
		[2]string{`"xray:GetGroups"`, `"xray:GetGroup"`},
	},
	{
		2, "services[].permissions.policyDocument", `"permissions":{"policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"xray:GetSamplingRules\",\"Resource\":\"*\"}]}"}`,
		`"permissions":{"policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"xray:GetTraceGraph\",\"Resource\":\"*\"}]}"}`,
		func(x anIdentity, v string) bool { return strings.Contains(x.Policy, v) },
		[2]string{"xray:GetSamplingRules", "xray:GetTraceGraph"},
	},
	{
		2, "services[].permissions.managedPolicyArns", `"permissions":{"managedPolicyArns":["` + shared("a") + `"]}`, `"permissions":{"managedPolicyArns":["` + shared("b") + `"]}`,
		func(x anIdentity, v string) bool {
			return len(x.Role.Attached) == 2 && strings.Contains(fmt.Sprint(x.Role.Attached), v)
		},
		[2]string{shared("a"), shared("b")},
	},
	{
		2, "services[].disableSessionTags", `"disableSessionTags":true`, `"disableSessionTags":true`,
		func(x anIdentity, _ string) bool {
			return x.Association.NoSessionTags && !strings.Contains(x.Role.Trust, "aws:RequestTag")
		},
		[2]string{},
	},
	{
		3, "services[].roleArn", `"roleArn":"arn:aws:iam::` + aws.Account + `:role/crossplane-theirs-a"`, `"roleArn":"arn:aws:iam::` + aws.Account + `:role/crossplane-theirs-b"`,
		func(x anIdentity, v string) bool {
			return x.Role == nil && x.Policy == "" && strings.HasSuffix(x.Association.Role, v)
		},
		[2]string{"theirs-a", "theirs-b"},
	},
}

// shared is the ARN of a policy that the account has.
func shared(name string) string {
	return "arn:aws:iam::" + aws.Account + ":policy/crossplane-shared-" + name
}

// fields of a claim: one that is set or changed reaches AWS, and one that is removed leaves nothing behind, in AWS or in Kubernetes.
func fields(s *Scenario) {
	const claim = "fields"
	for _, name := range []string{"a", "b"} {
		s.Real.AddPolicy("crossplane-shared-"+name, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
		s.Real.AddRole("crossplane-theirs-"+name, theirTrust, "")
	}
	s.fileIdentity(claim, "")
	s.patchClaim(claim, `"accountId":"`+aws.Account+`"`)
	s.Is(4*time.Minute, "Claim", claim, "IdentityReady=True")
	s.Until(time.Minute, "the trust policy names the account", func() error {
		if x := s.identityOf(claim); !strings.Contains(x.Role.Trust, "aws:SourceAccount") {
			return errors.New(x.Role.Trust)
		}
		return nil
	})
	s.stays(claim)
	plain := s.identityOf(claim)
	s.Stepf("the claim has its identity, without optional fields")

	for round := 1; ; round++ {
		var names, set, changed []string
		for _, f := range fieldsOfClaim {
			if f.round == round {
				names, set, changed = append(names, f.field), append(set, f.set), append(changed, f.changed)
			}
		}
		if len(names) == 0 {
			break
		}
		began := time.Now()
		for i, patch := range [][]string{set, changed} {
			s.patchClaim(claim, patch...)
			s.reaches(claim, strings.Join(names, ", "), func(x anIdentity) error {
				for _, f := range fieldsOfClaim {
					if f.round == round && !f.reached(x, f.values[i]) {
						return fmt.Errorf("%s %q does not reach AWS", f.field, f.values[i])
					}
				}
				return nil
			})
		}
		s.patchClaim(claim)
		s.Until(2*time.Minute, strings.Join(names, ", ")+": removed", func() error { return differ(plain, s.identityOf(claim)) })
		s.Is(2*time.Minute, "Claim", claim, "IdentityReady=True", "Synced=True")
		s.Stepf("set, changed and removed in AWS in %.0f s: %s", time.Since(began).Seconds(), strings.Join(names, ", "))
	}
	s.stays(claim)
	if err := differ(plain, s.identityOf(claim)); err != nil {
		s.Errorf("something came back: %v", err)
	}
	s.Stepf("nothing came back")
	s.targetRole(claim)
	// If Crossplane is still composing when the claim is deleted, it may create a ProviderConfig again.
	s.stays(claim)
	s.delete(claim)
	if left := append(s.AWS.Has("crossplane-"+claim+"-"), s.AWS.Has("/"+claim)...); len(left) > 0 {
		s.Errorf("AWS still has %v", left)
	}
	s.Stepf("the claim is deleted, and AWS has nothing of it")
}

// targetRole of an association, which EKS keeps until the association is deleted: the claim says so, and its way out works.
func (s *Scenario) targetRole(claim string) {
	s.Helper()
	plain := s.identityOf(claim)
	const target = "arn:aws:iam::" + aws.Account + ":role/crossplane-theirs-a"
	s.patchClaim(claim, `"targetRoleArn":"`+target+`"`)
	s.reaches(claim, "targetRoleArn", func(x anIdentity) error {
		if x.Association.Target != target || !strings.Contains(x.Policy, target) {
			return fmt.Errorf("it has target %q, and policy %s", x.Association.Target, x.Policy)
		}
		return nil
	})
	s.patchClaim(claim)
	said := s.Is(2*time.Minute, "Claim", claim, "IdentityReady=False/Failed")
	m := fmt.Sprint(fakes.Condition(said, "IdentityReady")["message"])
	if !contains(m, target, "keeps its target until it is deleted", "aws eks delete-pod-identity-association", plain.Association.ID) {
		s.Errorf("IdentityReady does not say that the target stays, and what to do: %s", m)
	}
	s.Stepf("a target role that is removed from the claim stays in EKS: %s", m)
	old := plain.Association.ID
	s.Real.Disassociate(controlplane.Namespace, claim)
	s.Is(3*time.Minute, "Claim", claim, "IdentityReady=True")
	s.Until(2*time.Minute, "nothing is left of the target role", func() error {
		now := s.identityOf(claim)
		if now.Association == nil || now.Association.ID == old {
			return errors.New("there is no new association")
		}
		plain.Association.ID = now.Association.ID
		return differ(plain, now)
	})
	s.Stepf("the association is deleted in EKS, and there is a new one without the target role")
}

// patchClaim sets fields of a claim for an identity, and removes those that it had: fields of the spec, or of its service.
func (s *Scenario) patchClaim(claim string, fields ...string) {
	s.Helper()
	role, service := map[string]any{"namePrefix": "crossplane-" + claim}, map[string]any{"name": identityService, "management": "Observe", "serviceAccountName": claim}
	spec := map[string]any{"accountId": aws.Account, "tags": nil}
	for _, field := range fields {
		s.mergeField(field, spec, role, service)
	}
	// A merge patch removes fields that are null.
	for _, k := range []string{"description", "maxSessionDuration", "permissionsBoundary", "trustConditions"} {
		if _, ok := role[k]; !ok {
			role[k] = nil
		}
	}
	spec["role"], spec["services"] = role, []any{service}
	if tags, ok := spec["tags"].(map[string]any); ok {
		// A tag that is not listed any more is removed, too.
		for _, k := range []string{"team", "cost"} {
			if _, ok := tags[k]; !ok {
				tags[k] = nil
			}
		}
	}
	b, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		s.Fatal(err)
	}
	s.Edit(claim, string(b))
}

// mergeField into the spec of a claim, its role or its service.
func (s *Scenario) mergeField(field string, spec, role, service map[string]any) {
	s.Helper()
	more := map[string]any{}
	if err := json.Unmarshal([]byte("{"+field+"}"), &more); err != nil {
		s.Fatalf("%s: %v", field, err)
	}
	for k, v := range more {
		into, fields := service, map[string]any{k: v}
		switch {
		case k == "role":
			into, fields = role, v.(map[string]any)
		case k == "tags" || k == "accountId":
			into = spec
		case k == "permissions" && service[k] != nil:
			into, fields = service[k].(map[string]any), v.(map[string]any)
		}
		maps.Copy(into, fields)
	}
}

// reaches waits until AWS has what a claim says, and the claim's identity is ready.
func (s *Scenario) reaches(claim, what string, missing func(anIdentity) error) {
	s.Helper()
	s.Until(2*time.Minute, what, func() error {
		x := s.identityOf(claim)
		if x.Association == nil {
			return errors.New("there is no association")
		}
		if err := missing(x); err != nil {
			return fmt.Errorf("%w: AWS has role %+v, policy %s, association %+v", err, x.Role, x.Policy, x.Association)
		}
		return nil
	})
	s.Is(2*time.Minute, "Claim", claim, "IdentityReady=True", "Synced=True")
}

// stays waits until nothing about a claim's identity has changed for eleven seconds.
func (s *Scenario) stays(claim string) {
	s.Helper()
	last, since := s.identityOf(claim), time.Now()
	s.Until(2*time.Minute, "nothing changes any more", func() error {
		now := s.identityOf(claim)
		if err := differ(last, now); err != nil {
			last, since = now, time.Now()
			return err
		}
		if time.Since(since) < 11*time.Second {
			return errors.New("not for long enough")
		}
		return nil
	})
}

func differ(want, got anIdentity) error {
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("-before, +after:\n%s", diff)
	}
	return nil
}
