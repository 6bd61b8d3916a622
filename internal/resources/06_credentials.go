package resources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/identity"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

const (
	// mayReadPods is the DeploymentRuntimeConfig whose existence says that Crossplane may read pods. Nothing uses it. It comes with the
	// ClusterRole that allows it: if Crossplane may not list pods and is asked for them, every reconcile fails after two minutes.
	mayReadPods = "pod-identity-provider-may-read-pods"

	// labelRevision is on the pods of every package, in Crossplane v1 and v2. Another one, pkg.crossplane.io/provider, has the
	// name of the package in v1 and that of the Provider in v2.
	labelRevision = "pkg.crossplane.io/revision"

	// Names that EKS injects into a pod, and the label of one that runs on Fargate.
	// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
	envCredentials = "AWS_CONTAINER_CREDENTIALS_FULL_URI"     //nolint:gosec // The name of a variable.
	envToken       = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" //nolint:gosec // The name of a variable.
	tokenAudience  = "pods.eks.amazonaws.com"                 //nolint:gosec // Not a token, but its audience.
	labelFargate   = "eks.amazonaws.com/fargate-profile"
)

var podKind = corev1.SchemeGroupVersion.WithKind("Pod") //nolint:gochecknoglobals // A constant in all but the keyword.

// Credentials checks that EKS injected credentials into the pods of a service's provider. Nil if the spec does not ask for it.
func Credentials(c *Context, s *identity.Service) *Resource {
	if !s.VerifyCredentials {
		return nil
	}
	return &Resource{
		Key:       "credentials/" + s.Name,
		Condition: v1alpha1.ConditionCredentialsInjected,
		Kind:      podKind,
		Wait:      c.injected(s).wait,
	}
}

// An injection is the state of the credentials of a provider's pods.
type injection struct {
	// wait says why not all of them are known to have credentials; nil if they are.
	wait *Wait
	// restart says that they are to be restarted.
	restart bool
}

// injected checks the pods of a service's provider.
func (c *Context) injected(s *identity.Service) injection {
	if !s.VerifyCredentials {
		return injection{}
	}
	if c.View.Input.Preview {
		return notYet(v1alpha1.ReasonWaiting, "", "a preview does not look at pods")
	}
	switch guard, answer := c.View.Requirements.Get(runtimeConfigKind, mayReadPods); {
	case answer == view.Unanswered:
		return notYet(v1alpha1.ReasonWaiting, "", "checking whether Crossplane may read pods")
	case answer == view.No || guard.Deleted():
		return notYet(v1alpha1.ReasonMissing, "verifyCredentials", "Crossplane may not read pods, apply manifests/verify-credentials.yaml, or set it to false")
	}
	provider := c.runningProvider(s)
	revision := provider.String("status", "currentRevision")
	if revision == "" {
		return notYet(v1alpha1.ReasonWaiting, "", "the pods of the provider are looked at as soon as it is installed")
	}
	subject := "Provider " + provider.Name()
	all, answer := c.View.Requirements.Labelled(podKind, labelRevision, revision)
	pods := slices.DeleteFunc(slices.Clone(all), func(p view.Object) bool { return p.Namespace() != c.Identity.Namespace || over(p) })
	switch {
	case answer == view.Unanswered:
		return notYet(v1alpha1.ReasonWaiting, subject, "looking at its pods")
	case len(pods) == 0:
		return notYet(v1alpha1.ReasonWaiting, subject, "has no pods yet")
	}
	// Pods of the configuration before are being replaced.
	pods = slices.DeleteFunc(pods, func(p view.Object) bool { return !c.current(p, s) })
	if len(pods) == 0 {
		return notYet(v1alpha1.ReasonCreating, subject, fmt.Sprintf("its pods are being restarted. If that lasts, see why: kubectl describe deployment %s -n %s", revision, c.Identity.Namespace))
	}
	slices.SortFunc(pods, func(a, b view.Object) int { return cmp.Compare(a.Name(), b.Name()) })
	for _, p := range pods {
		if d := c.diagnose(p, s, revision); d != nil {
			return c.treat(d, s, subject)
		}
	}
	return injection{}
}

func notYet(reason v1alpha1.Reason, subject, message string) injection {
	return injection{wait: &Wait{Reason: reason, Subject: subject, Message: message}}
}

// runningProvider is the provider of a service: the composed one, or one that was installed otherwise. It does not exist while there is
// none.
func (c *Context) runningProvider(s *identity.Service) view.Object {
	if s.Managed {
		return c.View.Observed(providerKey(s))
	}
	o, _ := c.theirProvider(s)
	return o
}

// over says whether a pod no longer runs, or is being deleted.
func over(pod view.Object) bool {
	phase := corev1.PodPhase(pod.String("status", "phase"))
	return pod.Deleted() || phase == corev1.PodSucceeded || phase == corev1.PodFailed
}

// current says whether a pod was started with the current runtime configuration. Pods of providers that are not composed count as such.
func (c *Context) current(pod view.Object, s *identity.Service) bool {
	if !s.Managed || pod.String("spec", "serviceAccountName") != s.ServiceAccount {
		return true
	}
	for _, name := range []string{identity.AnnotationIdentity, identity.AnnotationRestart} {
		if pod.Annotation(name) != c.podAnnotation(s, name) {
			return false
		}
	}
	return true
}

// A diagnosis says why a pod has no credentials, or the wrong ones.
type diagnosis struct {
	// problem with the pods, and what to do about it.
	problem, fix string
	// restartable says that a restart may be all that is needed.
	restartable bool
}

// diagnose says what is wrong with a pod; nil if nothing is. The likeliest cause comes first.
func (c *Context) diagnose(pod view.Object, s *identity.Service, revision string) *diagnosis {
	lacks := lacking(pod)
	account := pod.String("spec", "serviceAccountName")
	restart := fmt.Sprintf("kubectl rollout restart deployment %s -n %s", revision, c.Identity.Namespace)
	none := "have no credentials (no " + strings.Join(lacks, ", no ") + ")"
	switch first := credentialsFirst(pod); {
	case account != s.ServiceAccount:
		return &diagnosis{
			problem: fmt.Sprintf("run as ServiceAccount %s, and the association is for %s", account, s.ServiceAccount),
			fix:     "name that in spec.serviceAccountTemplate.metadata.name of the DeploymentRuntimeConfig that the Provider, or an ImageConfig for its package, refers to",
		}
	case len(lacks) == 0 && first == "":
		return nil
	case len(lacks) == 0:
		return &diagnosis{
			problem: "have credentials, but also " + first + ", which comes first",
			fix:     "take it out of the runtime's env and deploymentTemplate, and annotation eks.amazonaws.com/role-arn out of its serviceAccountTemplate",
		}
	case onFargate(pod):
		return &diagnosis{
			problem: none + ": they run on Fargate, which EKS Pod Identity does not serve",
			fix:     "delete the Fargate profile for namespace " + c.Identity.Namespace + ", so that they run on EC2 nodes",
		}
	case c.olderThanAssociation(pod, s):
		return &diagnosis{problem: none + ": they are older than the association", fix: restart, restartable: true}
	case pod.Value("spec", "hostNetwork").GetBoolValue():
		return &diagnosis{
			problem:     none + ": they use the network of their node (hostNetwork), and with it the node's role",
			fix:         "take hostNetwork out of the runtime's deploymentTemplate; where an overlay network needs it, let EKS's webhook and the agent reach the pod: docs/troubleshooting.md",
			restartable: true,
		}
	}
	return &diagnosis{
		problem: none + ", though they are younger than the association: EKS injected nothing",
		fix: fmt.Sprintf("check that this is cluster %s, and that it has the agent: aws eks describe-addon --cluster-name %[1]s --region %s --addon-name eks-pod-identity-agent; then %s",
			c.Identity.Cluster, c.Identity.Region, restart),
		restartable: true,
	}
}

// treat decides what to do about a service's pods: restart them, once for each state of the association, or say what to do.
func (c *Context) treat(d *diagnosis, s *identity.Service, subject string) injection {
	digest := c.digest(s)
	switch failed := notYet(v1alpha1.ReasonFailed, subject, "its pods "+d.problem+". To do: "+d.fix); {
	case c.settled(s) != nil && d.restartable && !triedFor(digest, c.podAnnotation(s, identity.AnnotationRestart)):
		// No pod gets credentials of an association that EKS does not know yet.
		return notYet(v1alpha1.ReasonWaiting, subject, c.settled(s).Message)
	case !s.Managed || !d.restartable || digest == "" || triedFor(digest, c.podAnnotation(s, identity.AnnotationRestart)):
		return failed
	}
	in := notYet(v1alpha1.ReasonCreating, subject, "its pods "+d.problem+". They are being restarted")
	// A changed association restarts them anyway.
	in.restart = digest == c.observedDigest(s)
	return in
}

// triedFor says whether pods were restarted for a state of the association.
func triedFor(digest, restarted string) bool { return digest != "" && restarted == digest }

// lacking lists the parts that EKS should have injected into a pod.
func lacking(pod view.Object) []string {
	var out []string
	for _, name := range []string{envCredentials, envToken} {
		if !hasEnv(pod, name) {
			out = append(out, name)
		}
	}
	if !hasToken(pod) {
		out = append(out, "token for "+tokenAudience)
	}
	return out
}

// credentialsFirst is a variable that gives the provider other credentials than EKS; empty if there is none.
func credentialsFirst(pod view.Object) string {
	for _, name := range identity.CredentialsBefore {
		if hasEnv(pod, name) {
			return name
		}
	}
	return ""
}

// hasEnv says whether the provider's container has a variable.
func hasEnv(pod view.Object, name string) bool {
	for _, c := range pod.List("spec", "containers") {
		if c.String("name") == containerRuntime {
			return slices.ContainsFunc(c.List("env"), func(e view.Object) bool { return e.String("name") == name })
		}
	}
	return false
}

// hasToken says whether a pod has a volume with a token for EKS Pod Identity.
func hasToken(pod view.Object) bool {
	for _, v := range pod.List("spec", "volumes") {
		if slices.ContainsFunc(v.List("projected", "sources"), func(s view.Object) bool { return s.String("serviceAccountToken", "audience") == tokenAudience }) {
			return true
		}
	}
	return false
}

// onFargate says whether a pod runs on Fargate, or is about to.
func onFargate(pod view.Object) bool {
	return pod.Label(labelFargate) != "" || pod.String("spec", "schedulerName") == "fargate-scheduler" || strings.HasPrefix(pod.String("spec", "nodeName"), "fargate-")
}

// olderThanAssociation says whether a pod existed before the association was ready. A pod that was restarted for that is not older,
// however often the association becomes unready.
func (c *Context) olderThanAssociation(pod view.Object, s *identity.Service) bool {
	digest := c.digest(s)
	if digest != "" && pod.Annotation(identity.AnnotationRestart) == digest {
		return false
	}
	created, err := time.Parse(time.RFC3339, pod.String("metadata", "creationTimestamp"))
	return err == nil && created.Before(readySince(c.View.Observed(associationKey(s))))
}
