package e2e

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// forProviders is what the RBAC manager would give the providers. Whoever runs without it has to do that, too.
const forProviders = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: providers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
- {kind: ServiceAccount, name: provider-aws-iam, namespace: $CROSSPLANE}
- {kind: ServiceAccount, name: provider-aws-eks, namespace: $CROSSPLANE}
- {kind: ServiceAccount, name: provider-aws-efs, namespace: $CROSSPLANE}
`

// rbac: Crossplane has no permission for the kinds of IAM and EKS, because manifests/clusterrole.yaml is missing, and the RBAC manager
// does not run (the chart's rbacManager.deploy: false).
func rbac(s *Scenario) {
	s.Apply(`
apiVersion: pkg.crossplane.io/v1
kind: Function
metadata: {name: crossplane-contrib-function-pod-identity-provider}
spec: {package: "xpkg.crossplane.io/crossplane-contrib/function-pod-identity-provider:v0.1.0"}
---
apiVersion: pkg.crossplane.io/v1
kind: Configuration
metadata: {name: configuration-pod-identity-provider}
spec: {package: "xpkg.crossplane.io/crossplane-contrib/configuration-pod-identity-provider:v0.1.0", skipDependencyResolution: true}
`)
	s.Until(2*time.Minute, "the claim is accepted", func() error {
		return s.apply(s.expand(strings.NewReplacer("CLAIM", "denied", "SERVICES", "[{name: efs}]").Replace(aClaim)))
	})
	s.offered()
	// Crossplane must be allowed to use the API of this repository itself.
	s.Is(2*time.Minute, "Claim", "denied", "Synced=True", "PrerequisitesReady=False/Missing")
	s.RBAC.Kill()
	s.Apply(forProviders)
	s.Apply(s.File("manifests/bootstrap-providers.yaml"))
	s.Exists(2*time.Minute, "CRD", "podidentityassociations.eks.aws.upbound.io")
	s.Until(time.Minute, "the ProviderConfig is created", func() error { return s.apply(s.File("manifests/bootstrap-providerconfig.yaml")) })
	s.Stepf("the providers are installed, and Crossplane has no permission for their kinds")
	xr := s.XR("denied").GetName()
	message := ""
	s.Until(4*time.Minute, "the composite resource says what is wrong", func() error {
		c := fakes.Condition(s.Get("XR", xr), "Synced")
		if message = fmt.Sprint(c["message"]); c["status"] != "True" {
			return nil
		}
		// Crossplane v1.20 has no time left to set the condition, and sends an event only.
		if message = s.warnings(xr); strings.Contains(message, "cannot compose resources") {
			return nil
		}
		return errors.New("it says that it is synced")
	})
	s.Stepf("the composite resource says: %s", message)
	s.Logf("the claim says:\n%s", conditions(s.Get("Claim", "denied")))
	if !strings.Contains(message, "forbidden") && !strings.Contains(message, "Timeout") && !strings.Contains(message, "deadline") {
		s.Errorf("it does not say what is wrong: %s", message)
	}
	s.Apply(s.File("manifests/clusterrole.yaml"))
	s.Is(5*time.Minute, "Claim", "denied", "Ready=True", "Synced=True")
	s.Stepf("with the ClusterRole the claim becomes ready")
}
