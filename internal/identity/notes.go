package identity

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/runtimeconfig"
)

// CredentialsBefore are variables that the AWS SDK takes credentials from before it looks at what EKS injects.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
var CredentialsBefore = []string{"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"} //nolint:gochecknoglobals // A constant in all but the keyword.

// otherIdentity are variables that give a pod another identity than EKS's, or none.
var otherIdentity = append(slices.Clip(CredentialsBefore), "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI") //nolint:gochecknoglobals // A constant in all but the keyword.

// annotationIRSA on a ServiceAccount makes EKS inject credentials of IRSA, the mechanism before Pod Identity, which come first.
const annotationIRSA = "eks.amazonaws.com/role-arn"

// agents are the addresses of the agent that hands credentials to pods.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
var agents = []string{"169.254.170.23", "fd00:ec2::23"} //nolint:gochecknoglobals // A constant in all but the keyword.

// notes returns notes on settings of a runtime that may be intended, but are more often left over: the identity could be used, but
// something else comes before it. Notes are not errors.
func notes(env []corev1.EnvVar, deploymentTemplate, serviceAccountTemplate map[string]any) []string {
	var out []string
	vars := variables(env, deploymentTemplate)
	for _, name := range otherIdentity {
		if _, ok := vars[name]; ok {
			out = append(out, "variable "+name+" comes before the credentials of EKS Pod Identity: take it out of the runtime's env and deploymentTemplate")
		}
	}
	if _, ok := texts(serviceAccountTemplate, "metadata", "annotations")[annotationIRSA]; ok {
		out = append(out, "annotation "+annotationIRSA+" gives credentials that come before those of EKS Pod Identity: take it out of the runtime's serviceAccountTemplate")
	}
	if missing := behindProxy(vars); len(missing) > 0 {
		out = append(out, "its proxy may get the requests for credentials: add "+strings.Join(missing, ",")+" to the runtime's variable NO_PROXY")
	}
	return out
}

// A variable of the provider's container. Its value is not known if it comes from a reference.
type variable struct {
	value string
	known bool
}

// variables returns those of the provider's container. Those of the template win.
func variables(env []corev1.EnvVar, deploymentTemplate map[string]any) map[string]variable {
	vars := make(map[string]variable, len(env))
	for _, e := range env {
		vars[e.Name] = variable{value: e.Value, known: e.ValueFrom == nil}
	}
	for _, c := range objects(inner(deploymentTemplate, "spec", "template", "spec")["containers"]) {
		if c["name"] != runtimeconfig.Container {
			continue
		}
		for _, e := range objects(c["env"]) {
			name, _ := e["name"].(string)
			value, _ := e["value"].(string)
			vars[name] = variable{value: value, known: e["valueFrom"] == nil}
		}
	}
	return vars
}

// objects returns the objects in a list. Any other item is a flaw of the template.
func objects(v any) []map[string]any {
	list, _ := v.([]any)
	out := make([]map[string]any, 0, len(list))
	for _, i := range list {
		if o, ok := i.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// behindProxy returns the addresses of the agent whose requests a proxy would get; none without a proxy.
func behindProxy(vars map[string]variable) []string {
	if !slices.ContainsFunc([]string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"}, func(name string) bool {
		v, ok := vars[name]
		return ok && (v.value != "" || !v.known)
	}) {
		return nil
	}
	var except []string
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		v, ok := vars[name]
		if ok && !v.known {
			return nil
		}
		except = append(except, strings.Split(v.value, ",")...)
	}
	var out []string
	for _, a := range agents {
		ip := netip.MustParseAddr(a)
		if slices.ContainsFunc(except, func(e string) bool { return excepts(strings.TrimSpace(e), ip) }) {
			continue
		}
		if ip.Is6() {
			a = "[" + a + "]"
		}
		out = append(out, a)
	}
	return out
}

// excepts says whether an entry of NO_PROXY covers an address.
func excepts(entry string, ip netip.Addr) bool {
	if entry == "*" {
		return true
	}
	if p, err := netip.ParsePrefix(entry); err == nil {
		return p.Contains(ip)
	}
	a, err := netip.ParseAddr(strings.Trim(entry, "[]"))
	return err == nil && a == ip
}
