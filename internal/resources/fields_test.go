package resources

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	eksv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/eks/v1beta1"
	iamv1beta1 "github.com/upbound/provider-aws/v2/apis/cluster/iam/v1beta1"
	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/testutil"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A fieldCase is the life of a managed resource's field: it is set, changed and removed. A field that is never sent has none of these.
type fieldCase struct {
	// set and changed are specs, and setTo and changedTo the values that are sent for them, as YAML; null for nothing. never is the value
	// that is sent without either.
	set, changed, setTo, changedTo, never string
	// neutral is the value that is sent after the field was removed, as long as the managed resource has it; null for nothing.
	neutral string
	// lateInitialized is the value that a provider wrote into an unset field; lateNeutral is the value to send then.
	lateInitialized, lateNeutral string
}

// always returns the case of a field that is always set, from the spec or the service.
func always(value string) fieldCase {
	return fieldCase{never: value, setTo: value, changedTo: value, neutral: value}
}

const (
	boundary      = `arn:aws:iam::123456789012:policy/b`
	otherBoundary = `arn:aws:iam::123456789012:policy/c`
	target        = `arn:aws:iam::210987654321:role/t`
	otherTarget   = `arn:aws:iam::210987654321:role/u`
	trust         = `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/eks-cluster-name":"prod","aws:RequestTag/kubernetes-namespace":"crossplane-system","aws:RequestTag/kubernetes-service-account":"provider-aws-s3"},"StringLike":{"aws:RequestTag/eks-cluster-arn":"arn:aws:eks:eu-west-1:*:cluster/prod"}}}]}'`
	allOfS3       = `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'`
)

// tagged is the life of tags: the provider removes from AWS what is removed from the map.
var tagged = fieldCase{set: `tags: {a: b}`, setTo: `{a: b}`, changed: `tags: {c: d}`, changedTo: `{c: d}`} //nolint:gochecknoglobals // A constant in all but the keyword.

// TestFields covers every field of every composed managed resource: a field that is removed from the spec is removed in AWS, too. A field
// that provider-aws adds, or that a builder sends, needs a case here.
func TestFields(t *testing.T) {
	kinds := map[string]struct {
		parameters any
		base       string
		fields     map[string]fieldCase
	}{
		"role/s3": {iamv1beta1.RoleParameters{}, ``, map[string]fieldCase{
			"assumeRolePolicy":    always(trust),
			"forceDetachPolicies": always(`true`),
			"description": {
				set: `role: {description: x}`, setTo: `x`, changed: `role: {description: z}`, changedTo: `z`, neutral: `""`,
				lateInitialized: `by hand`, lateNeutral: `""`,
			},
			"maxSessionDuration": {
				set: `role: {maxSessionDuration: 7200}`, setTo: `7200`, changed: `role: {maxSessionDuration: 10800}`, changedTo: `10800`, neutral: `3600`,
				// A value that is AWS's default needs no owner.
				lateInitialized: `3600`,
			},
			"permissionsBoundary": {
				set: `role: {permissionsBoundary: "` + boundary + `"}`, setTo: boundary, changed: `role: {permissionsBoundary: "` + otherBoundary + `"}`, changedTo: otherBoundary, neutral: `""`,
				lateInitialized: boundary, lateNeutral: `""`,
			},
			// The path of a role cannot change, so it stays.
			"path":                      {set: `role: {path: /x/}`, setTo: `/x/`, neutral: `/x/`, lateInitialized: `/`},
			"tags":                      tagged,
			"inlinePolicy":              {},
			"managedPolicyArns":         {lateInitialized: `[` + boundary + `]`},
			"managedPolicyArnsRefs":     {},
			"managedPolicyArnsSelector": {},
		}},
		"policy/s3": {iamv1beta1.PolicyParameters{}, ``, map[string]fieldCase{
			"policy": always(allOfS3),
			"path":   {set: `role: {path: /x/}`, setTo: `/x/`, neutral: `/x/`, lateInitialized: `/`},
			"tags":   tagged,
			// The description of a policy cannot change, either, and only an adopted policy has one.
			"description":                  {lateInitialized: `by hand`, lateNeutral: `by hand`},
			"delayAfterPolicyCreationInMs": {},
		}},
		"attachment/s3": {iamv1beta1.RolePolicyAttachmentParameters{}, ``, map[string]fieldCase{
			"policyArnRef":      always(`{name: crossplane-prod-eu-west-1-s3}`),
			"roleRef":           always(`{name: crossplane-prod-eu-west-1-s3}`),
			"policyArn":         {lateInitialized: boundary},
			"role":              {lateInitialized: crossplaneRole},
			"policyArnSelector": {},
			"roleSelector":      {},
		}},
		"association/s3": {eksv1beta1.PodIdentityAssociationParameters_2{}, ``, map[string]fieldCase{
			"clusterName":    always(`prod`),
			"namespace":      always(`crossplane-system`),
			"region":         always(`eu-west-1`),
			"serviceAccount": always(`provider-aws-s3`),
			"roleArnRef": {
				never: `{name: crossplane-prod-eu-west-1-s3}`, neutral: `{name: crossplane-prod-eu-west-1-s3}`,
				set: `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/x"}]`, changed: `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/y"}]`,
			},
			"roleArn": {
				set: `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/x"}]`, setTo: `arn:aws:iam::123456789012:role/x`,
				changed: `services: [{name: s3, roleArn: "arn:aws:iam::123456789012:role/y"}]`, changedTo: `arn:aws:iam::123456789012:role/y`,
				// The provider resolves the reference.
				lateInitialized: `arn:aws:iam::123456789012:role/x`,
			},
			"disableSessionTags": {
				set: `{accountId: "123456789012", services: [{name: s3, disableSessionTags: true}]}`, setTo: `true`, neutral: `false`,
				lateInitialized: `true`, lateNeutral: `false`,
			},
			"targetRoleArn": {
				set: `services: [{name: s3, targetRoleArn: "` + target + `"}]`, setTo: target, changed: `services: [{name: s3, targetRoleArn: "` + otherTarget + `"}]`, changedTo: otherTarget,
				// Nothing removes the target; see TestTargetStays.
				lateInitialized: target,
			},
			"tags":                  tagged,
			"clusterNameRef":        {},
			"clusterNameSelector":   {},
			"roleArnSelector":       {},
			"targetRoleArnRef":      {},
			"targetRoleArnSelector": {},
		}},
		"agent": {eksv1beta1.AddonParameters{}, `podIdentityAgent: {management: Managed}`, map[string]fieldCase{
			"addonName":   always(`eks-pod-identity-agent`),
			"clusterName": always(`prod`),
			"region":      always(`eu-west-1`),
			// AWS has no default version: without a version in the spec, an add-on keeps its own.
			"addonVersion": {
				set: `podIdentityAgent: {version: v1.3.4-eksbuild.1}`, setTo: `v1.3.4-eksbuild.1`, changed: `podIdentityAgent: {version: v1.3.5-eksbuild.1}`, changedTo: `v1.3.5-eksbuild.1`,
				lateInitialized: `v1.3.4-eksbuild.1`,
			},
			"tags":                          tagged,
			"clusterNameRef":                {},
			"clusterNameSelector":           {},
			"configurationValues":           {},
			"podIdentityAssociation":        {},
			"preserve":                      {},
			"resolveConflictsOnCreate":      {},
			"resolveConflictsOnUpdate":      {},
			"serviceAccountRoleArn":         {},
			"serviceAccountRoleArnRef":      {},
			"serviceAccountRoleArnSelector": {},
		}},
	}
	for key, kind := range kinds {
		names := fieldNames(kind.parameters)
		for name := range kind.fields {
			if !names[name] {
				t.Errorf("%s: provider-aws has no field %s", key, name)
			}
		}
		for name := range names {
			tc, ok := kind.fields[name]
			if !ok {
				t.Errorf("%s: field %s has no case: what happens when it is removed from the spec?", key, name)
				continue
			}
			t.Run(key+"/"+name, func(t *testing.T) {
				life := fieldLife{key: key, name: name, base: kind.base}
				life.want(t, "never set", tc.never, ``, ``, ``)
				if tc.set != "" {
					life.want(t, "set", tc.setTo, tc.set, tc.never, ``)
					life.want(t, "set, and already in AWS", tc.setTo, tc.set, tc.setTo, tc.setTo)
					life.want(t, "removed", tc.neutral, ``, tc.setTo, tc.setTo)
					// The provider has not removed it from AWS yet.
					life.want(t, "removed just now", tc.neutral, ``, tc.neutral, tc.setTo)
				}
				if tc.changed != "" {
					life.want(t, "changed", tc.changedTo, tc.changed, tc.setTo, tc.setTo)
				}
				if tc.lateInitialized != "" {
					life.want(t, "late-initialized by an earlier version", tc.lateNeutral, ``, tc.lateInitialized, tc.lateInitialized)
				}
			})
		}
	}
}

const crossplaneRole = `crossplane-prod-eu-west-1-s3`

// A fieldLife is the life of one field.
type fieldLife struct{ key, name, base string }

// want checks the value that is sent for a spec, given the values of the managed resource and in AWS.
func (l fieldLife) want(t *testing.T, when, want, spec, has, inAWS string) {
	t.Helper()
	merged := testutil.Parse(t, l.base)
	testutil.MergePatch(merged, testutil.Parse(t, spec))
	y, err := yaml.Marshal(merged)
	if err != nil {
		t.Fatal(err)
	}
	w := world{Spec: string(y), Input: `prerequisites: Assume`, Observed: map[string]string{}}
	if has != "" {
		w.Observed[l.key] = object(t, l.key, `{spec: {forProvider: {`+l.name+`: `+has+`}}}`, `{status: {atProvider: {`+l.name+`: `+orNull(inAWS)+`}}}`)
	}
	r := w.resource(t, l.key)
	if r == nil {
		t.Fatalf("%s of %s, %s: no resource %s", l.name, l.key, when, l.key)
	}
	got, err := r.Build()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(testutil.Parse(t, "value: "+orNull(want))["value"], view.NewObject(got).Value("spec", "forProvider", l.name).AsInterface()); diff != "" {
		t.Errorf("%s of %s, %s: -want, +got:\n%s", l.name, l.key, when, diff)
	}
}

func orNull(y string) string {
	if y == "" {
		return "null"
	}
	return y
}

// object returns a ready object of the kind that belongs to a key, with patches.
func object(t *testing.T, key string, patches ...string) string {
	t.Helper()
	kinds := map[string]string{
		"role": "iam.aws.upbound.io/v1beta1 Role", "policy": "iam.aws.upbound.io/v1beta1 Policy", "attachment": "iam.aws.upbound.io/v1beta1 RolePolicyAttachment",
		"association": "eks.aws.upbound.io/v1beta1 PodIdentityAssociation", "agent": "eks.aws.upbound.io/v1beta1 Addon",
	}
	prefix, _, _ := strings.Cut(key, "/")
	apiVersion, kind, _ := strings.Cut(kinds[prefix], " ")
	o := testutil.Parse(t, `
apiVersion: `+apiVersion+`
kind: `+kind+`
metadata: {name: crossplane-prod-eu-west-1-s3}
status: {conditions: [{type: Synced, status: "True", reason: ReconcileSuccess}, {type: Ready, status: "True", reason: Available}]}`)
	for _, p := range patches {
		testutil.MergePatch(o, testutil.Parse(t, p))
	}
	y, err := yaml.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(y)
}

// fieldNames returns the names of a struct's fields in JSON.
func fieldNames(o any) map[string]bool {
	names := map[string]bool{}
	for f := range reflect.TypeOf(o).Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}
