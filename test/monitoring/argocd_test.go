package monitoring

import (
	"encoding/json"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"
)

// TestArgoCDHealth runs the health checks of manifests/gitops as Argo CD does: on the object, in Lua.
func TestArgoCDHealth(t *testing.T) {
	cm := struct {
		Data map[string]string `json:"data"`
	}{}
	strict(t, root+"/manifests/gitops/argocd-cm.yaml", &cm, yaml.Unmarshal)

	cases := map[string]struct {
		reason, status string
		// want is the health, and how its message begins.
		want, message string
	}{
		"New":       {"A new object has no status.", `{}`, "Progressing", "Waiting"},
		"Waiting":   {"The message says what the object waits for.", `{conditions: [{type: Synced, status: "True"}, {type: Ready, status: "False", reason: Creating}, {type: IdentityReady, status: "False", reason: Creating, message: "s3: being created"}]}`, "Progressing", "IdentityReady: s3: being created"},
		"Failed":    {"An error of AWS is degraded.", `{conditions: [{type: ProvidersReady, status: "False", reason: Waiting}, {type: IdentityReady, status: "False", reason: Failed, message: AccessDenied}]}`, "Degraded", "IdentityReady: AccessDenied"},
		"Conflict":  {"A conflict that a user must resolve is degraded, too.", `{conditions: [{type: ProvidersReady, status: "False", reason: Conflict, message: exists}]}`, "Degraded", "ProvidersReady: exists"},
		"NotSynced": {"Crossplane's own errors come first.", `{conditions: [{type: Synced, status: "False", message: forbidden}, {type: IdentityReady, status: "False", reason: Creating}]}`, "Degraded", "forbidden"},
		"Ready":     {"Ready is healthy.", `{conditions: [{type: Ready, status: "True"}, {type: IdentityReady, status: "True", reason: Ready}]}`, "Healthy", "Ready"},
	}
	for _, kind := range []string{"PodIdentityProviderClaim", "PodIdentityProvider", "PodIdentityTenantClaim", "PodIdentityTenant"} {
		script := cm.Data["resource.customizations.health.aws.podidentity.dev_"+kind]
		if script == "" {
			t.Fatalf("argocd-cm has no health check for %s", kind)
		}
		for name, tc := range cases {
			t.Run(kind+"/"+name, func(t *testing.T) {
				var status any
				if err := yaml.Unmarshal([]byte(tc.status), &status); err != nil {
					t.Fatal(err)
				}
				health, message := run(t, script, map[string]any{"kind": kind, "status": status})
				if health != tc.want || !strings.HasPrefix(message, tc.message) {
					t.Errorf("%s\nwant %s %q, got %s %q", tc.reason, tc.want, tc.message, health, message)
				}
			})
		}
	}
}

// TestArgoCDHealthOfExamples checks that an example is healthy only if it ends ready.
func TestArgoCDHealthOfExamples(t *testing.T) {
	cm := struct {
		Data map[string]string `json:"data"`
	}{}
	strict(t, root+"/manifests/gitops/argocd-cm.yaml", &cm, yaml.Unmarshal)
	script := cm.Data["resource.customizations.health.aws.podidentity.dev_PodIdentityProvider"]
	seen := map[string]int{}
	for _, o := range objects(t) {
		if o.GetKind() != "PodIdentityProvider" {
			continue
		}
		b, err := json.Marshal(o.Object["status"])
		if err != nil {
			t.Fatal(err)
		}
		health, _ := run(t, script, o.Object)
		seen[health]++
		broken := strings.Contains(string(b), `"reason":"Failed"`) || strings.Contains(string(b), `"reason":"Conflict"`) || strings.Contains(string(b), `"reason":"InvalidSpec"`)
		if broken && health == "Healthy" {
			t.Errorf("%s is healthy, but its status says: %s", o.GetName(), b)
		}
	}
	if seen["Degraded"] == 0 || seen["Progressing"] == 0 {
		t.Errorf("the examples should show all kinds of health, got %v", seen)
	}
}

// run runs a health check on an object.
func run(t *testing.T, script string, object map[string]any) (status, message string) {
	t.Helper()
	l := lua.NewState()
	defer l.Close()
	l.SetGlobal("obj", toLua(l, object))
	if err := l.DoString(script); err != nil {
		t.Fatalf("Lua: %v", err)
	}
	result, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the health check returned %v, want a table", l.Get(-1))
	}
	return result.RawGetString("status").String(), result.RawGetString("message").String()
}

// toLua converts a JSON value.
func toLua(l *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case map[string]any:
		out := l.NewTable()
		for k, e := range v {
			out.RawSetString(k, toLua(l, e))
		}
		return out
	case []any:
		out := l.NewTable()
		for _, e := range v {
			out.Append(toLua(l, e))
		}
		return out
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case float64:
		return lua.LNumber(v)
	case int64:
		return lua.LNumber(v)
	}
	return lua.LNil
}
