package function

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

// fieldValues holds YAML values for every field of the specs, by kind and path. A field cannot be added without one: TestEveryField uses
// it to check what a claim may do with the field.
var fieldValues = map[string]map[string]string{
	v1alpha1.Kind: {
		"region": "eu-west-1", "clusterName": "prod", "accountId": "'123456789012'", "adoptExisting": "true", "crossplaneNamespace": "upbound-system",
		"clusterNameRef.name": "prod", "clusterNameSelector.matchLabels": "{env: prod}", "clusterNameSelector.matchControllerRef": "true",
		"deletionPolicy": "Orphan", "managementPolicies": "[Observe]", "teardown": "Unordered", "tags": "{a: b}",
		"podIdentityAgent.management": "Managed", "podIdentityAgent.version": "v1.3.4-eksbuild.1", "providerConfigRef.name": "bootstrap",
		"provider.commonLabels": "{a: b}", "provider.family": "Manage", "provider.ignoreCrossplaneConstraints": "true", "provider.packagePullPolicy": "Always",
		"provider.packagePullSecrets[].name": "pull", "provider.registry": "xpkg.crossplane.io/crossplane-contrib", "provider.revisionActivationPolicy": "Manual",
		"provider.revisionHistoryLimit": "2", "provider.skipDependencyResolution": "true", "provider.version": "v2.5.0",
		"providerConfig.name": "mine", "providerConfig.clusterProviderConfig": "true", "providerConfig.namespaces": "[team-a]",
		"role.description": "text", "role.maxSessionDuration": "7200", "role.namePrefix": "mine", "role.path": "/mine/",
		"role.permissionsBoundary": "arn:aws:iam::123456789012:policy/b", "role.trustConditions": "{StringEquals: {'aws:SourceOrgID': [o-a1b2c3d4e5]}}",
		"services[].name": "s3", "services[].adoptExistingAssociation": "true", "services[].adoptExistingProvider": "true", "services[].associationId": "a-0123456789abcdef0",
		"services[].disableSessionTags": "true", "services[].importRole": "true", "services[].management": "Observe", "services[].package": "xpkg.upbound.io/upbound/provider-aws-s3",
		"services[].roleArn": "arn:aws:iam::123456789012:role/r", "services[].roleName": "mine", "services[].serviceAccountName": "mine",
		"services[].targetRoleArn": "arn:aws:iam::123456789012:role/t", "services[].version": "v2.5.0",
		"sharing.rolePath": "/mine/", "sharing.accounts": "['123456789012']", "sharing.namespaces": "[team-a]",
	},
	v1alpha1.TenantKind: {
		"providerRef.name": "platform", "externalId": "podidentity/mine", "roleArn": "arn:aws:iam::111122223333:role/crossplane/prod/_/r",
		"deletionPolicy": "Orphan", "managementPolicies": "[Observe]", "teardown": "Unordered", "tags": "{a: b}", "providerConfigRef.name": "bootstrap",
		"providerConfig.name": "mine", "role.description": "text", "role.maxSessionDuration": "7200", "role.permissionsBoundary": "arn:aws:iam::123456789012:policy/b",
		"role.separateServices": "false", "services[].name": "s3",
	},
}

// permissionValues and chainValues belong to both kinds, runtimeValues to all services and to a single one.
var (
	permissionValues = map[string]string{
		"accessLevel": "ReadOnly", "kinds": "[Bucket]", "managedPolicyArns": "['arn:aws:iam::aws:policy/p']",
		"policyDocument":   `'{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}'`,
		"statements[].sid": "A", "statements[].effect": "Deny", "statements[].actions": "['s3:*']", "statements[].notActions": "['s3:*']",
		"statements[].resources": "['*']", "statements[].notResources": "['arn:aws:s3:::a']", "statements[].conditions": "{StringEquals: {'aws:RequestedRegion': [eu-west-1]}}",
	}
	chainValues = map[string]string{
		"roleARN": "arn:aws:iam::123456789012:role/c", "externalID": "mine", "tags[].key": "a", "tags[].value": "b", "transitiveTagKeys": "[a]",
	}
	runtimeValues = map[string]string{
		"affinity": "{nodeAffinity: {}}", "args": "[--debug]", "associationSettleSeconds": "5", "deploymentTemplate": "{spec: {template: {spec: {hostNetwork: true}}}}",
		"env": "[{name: A, value: b}]", "nodeSelector": "{a: b}", "podAnnotations": "{a: b}", "podLabels": "{a: b}", "priorityClassName": "high", "replicas": "2",
		"resources": "{limits: {memory: 1Gi}}", "serviceAccountTemplate": "{metadata: {labels: {a: b}}}", "tolerations": "[{operator: Exists}]", "verifyCredentials": "false",
	}
)

// fieldCompanions holds patches of the spec with the fields that a field requires or excludes; null removes a field.
var fieldCompanions = map[string]string{
	"clusterNameRef.name":                    "{clusterName: null}",
	"clusterNameSelector.matchLabels":        "{clusterName: null}",
	"clusterNameSelector.matchControllerRef": "{clusterName: null}",
	"services[].disableSessionTags":          "{accountId: '123456789012'}",
	"externalId":                             "{roleArn: 'arn:aws:iam::111122223333:role/crossplane/prod/_/r'}",
}

// valueOf returns the value of a field; false if there is none.
func valueOf(kind, path string) (string, bool) {
	for prefix, values := range map[string]map[string]string{
		"": fieldValues[kind], "services[].permissions.": permissionValues, "providerConfig.assumeRoleChain[].": chainValues,
		"runtime.": runtimeValues, "services[].runtime.": runtimeValues,
	} {
		if name, ok := strings.CutPrefix(path, prefix); ok {
			if v, ok := values[name]; ok {
				return v, true
			}
		}
	}
	return "", false
}

// TestEveryField sets every field of the specs alone, with a valid value. A claim that may not set the field is refused at its path and
// nowhere else. A composite resource without a claim may set it, and so may a claim for which the platform allows it.
func TestEveryField(t *testing.T) {
	for kind := range fieldValues {
		n := 0
		for _, d := range v1alpha1.DecisionsFor(kind) {
			for _, path := range d.Fields {
				n++
				t.Run(kind+"/"+path, func(t *testing.T) {
					value, ok := valueOf(kind, path)
					if !ok {
						t.Fatal("give the field a value in this file, to test it in a claim")
					}
					testField(t, attack{Kind: kind, Spec: specWith(t, path, value)}, path, d.Claims)
				})
			}
		}
		if n < 20 {
			t.Errorf("%s has only %d fields", kind, n)
		}
	}
}

func testField(t *testing.T, a attack, path string, claims bool) {
	t.Helper()
	refusal := "spec." + strings.ReplaceAll(path, "[]", "[0]") + ": Forbidden: a claim cannot set this field"
	for _, tc := range []struct {
		what    string
		open    []any
		claim   bool
		refused bool
	}{
		{"a claim", nil, true, !claims},
		{"a claim for which the field is allowed", []any{path}, true, false},
		{"a composite resource without a claim", nil, false, false},
	} {
		if tc.open != nil {
			a.Input = map[string]any{"claims": map[string]any{"allowedFields": append(tc.open, companions(path)...)}}
		}
		rsp := a.file(t, rules{}, tc.claim)
		message := ""
		if isFatal(rsp) {
			message = rsp.GetResults()[0].GetMessage()
		}
		if got := strings.Contains(message, refusal); got != tc.refused {
			t.Errorf("%s: refused: want %t, got %t: %s", tc.what, tc.refused, got, message)
		}
		if !tc.refused && message != "" && !outOfPath(path, message) {
			t.Errorf("%s should be accepted: %s", tc.what, message)
		}
	}
}

// companions returns the other fields that a claim must be allowed to set along with a field.
func companions(path string) []any {
	switch {
	case path == "externalId":
		return []any{"roleArn"}
	case strings.HasPrefix(path, "providerConfig.assumeRoleChain[]"):
		return []any{"providerConfig.assumeRoleChain"}
	}
	return nil
}

// outOfPath says whether a tenant's claim is only refused because the role's path is outside its namespace, which does not concern the
// right to set the field.
func outOfPath(path, message string) bool {
	return (path == "roleArn" || path == "externalId") && strings.Contains(message, "give the role that path")
}

// specWith returns the smallest valid spec with a field and its companions.
func specWith(t *testing.T, path, value string) map[string]any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(value), &v); err != nil {
		t.Fatal(err)
	}
	spec := nest(strings.Split(path, "."), v)
	for name, with := range map[string]map[string]any{
		"services": {"name": "s3"}, "statements": {"actions": []any{"s3:GetObject"}, "resources": []any{"*"}},
		"assumeRoleChain": {"roleARN": "arn:aws:iam::123456789012:role/c"}, "tags": {"key": "a", "value": "b"},
	} {
		complete(spec, name, with)
	}
	if strings.HasSuffix(path, "transitiveTagKeys") {
		complete(spec, "assumeRoleChain", map[string]any{"tags": []any{map[string]any{"key": "a", "value": "b"}}})
	}
	more := map[string]any{}
	if err := yaml.Unmarshal([]byte(fieldCompanions[path]), &more); err != nil {
		t.Fatal(err)
	}
	maps.Copy(spec, more)
	return spec
}

// nest wraps a value in objects, and in lists of one element.
func nest(path []string, v any) map[string]any {
	for _, p := range slices.Backward(path) {
		if name, isList := strings.CutSuffix(p, "[]"); isList {
			v = map[string]any{name: []any{v}}
		} else {
			v = map[string]any{p: v}
		}
	}
	m, _ := v.(map[string]any)
	return m
}

// complete adds missing fields to the elements of all lists with a name. It does not add a field to an element that has its opposite.
func complete(v any, name string, with map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		if list, ok := v[name].([]any); ok {
			for _, e := range list {
				if m, ok := e.(map[string]any); ok {
					for k, w := range with {
						if _, has := m[k]; !has && m["not"+strings.ToUpper(k[:1])+k[1:]] == nil {
							m[k] = w
						}
					}
				}
			}
		}
		for _, f := range v {
			complete(f, name, with)
		}
	case []any:
		for _, e := range v {
			complete(e, name, with)
		}
	}
}
