package resources

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	xpv1 "github.com/crossplane/crossplane-runtime/v2/apis/common/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// exists is ready as soon as the object exists: for kinds that report no readiness.
func exists(o view.Object) Readiness {
	if o.Deleted() {
		return Readiness{Message: "being deleted"}
	}
	return Readiness{Ready: true}
}

// managedResource is ready when it is Ready and Synced, its last asynchronous operation did not fail, and it is not paused.
func managedResource(o view.Object) Readiness {
	synced, async, ready := o.Condition("Synced"), o.Condition("LastAsyncOperation"), o.Condition("Ready")
	failed := synced.False() && !startingUp(synced.Message)
	switch {
	case o.Paused():
		return Readiness{ActionRequired: true, Message: resume(o, resourceOf(o))}
	case o.Deleted() && failed && synced.Message != "":
		return Readiness{Failed: true, Message: "being deleted: " + Quote(synced.Message)}
	case o.Deleted():
		return Readiness{Message: "being deleted"}
	case failed:
		return Readiness{Failed: true, Message: said(o, "Synced", synced)}
	case async.False():
		return Readiness{Failed: true, Message: said(o, "LastAsyncOperation", async)}
	case ready.True() && synced.True():
		return Readiness{Ready: true}
	case ready.False() && ready.Message != "":
		return Readiness{Message: "not ready: " + Quote(ready.Message)}
	}
	return Readiness{Message: creating}
}

// creating is the message of a managed resource that reports neither success nor an error yet.
const creating = "being created"

// follows is the readiness of a managed resource that AWS can have only once another one is ready. It is not blamed for that one: it
// waits for it if that is stuck, and is being created otherwise. The order in which the providers try does not show in the message.
func (r Readiness) follows(name string, before Readiness) Readiness {
	switch {
	case r.Ready || before.Ready || r.Message != creating && !consequence.MatchString(r.Message):
		return r
	case before.Failed || before.Conflict || before.ActionRequired:
		return Readiness{Message: "waiting for " + name}
	}
	return Readiness{Message: creating}
}

// managedReady is managedResource, except that one that was ready stays so if it only reports that it is being created. The status of a
// new resource is now and then overwritten by an older one, and ready again in the next second.
func (c *Context) managedReady(o view.Object) Readiness {
	if r := managedResource(o); r.Ready || !c.wasReady(o) {
		return r
	}
	return Readiness{Ready: true}
}

// wasReady says whether a managed resource that is being created, by its conditions, was ready after it was created.
func (c *Context) wasReady(o view.Object) bool {
	whole := c.View.XR.Condition(string(v1alpha1.ConditionIdentityReady))
	if !whole.True() || o.Deleted() || !o.Condition("Synced").True() || o.Condition("LastAsyncOperation").False() || o.Condition("Ready").Reason != string(xpv1.ReasonCreating) {
		return false
	}
	created, err := time.Parse(time.RFC3339, o.Annotation(annotationCreated))
	return err == nil && !created.After(whole.LastTransitionTime())
}

// resourceOf returns the resource name of an object, as kubectl takes it.
func resourceOf(o view.Object) string {
	kind := schema.FromAPIVersionAndKind(o.APIVersion(), o.Kind()).GroupKind()
	return strings.ToLower(kind.String())
}

// said quotes a condition. One without a message still has a reason, and the object may show more.
func said(o view.Object, typ string, c view.Condition) string {
	if c.Message != "" {
		return Quote(c.Message)
	}
	return fmt.Sprintf("%s is %s (%s), without a message. See why: kubectl describe %s %s", typ, c.Status, cmp.Or(c.Reason, "no reason"), resourceOf(o), o.Name())
}

// startingUp says whether an error is only that a reference cannot be resolved yet, as is normal at the beginning.
func startingUp(message string) bool {
	return strings.Contains(message, "referenced field was empty") || strings.Contains(message, "cannot resolve references")
}

// consequence matches the errors of a provider while another resource, which must come first, is not ready.
var consequence = regexp.MustCompile(`NoSuchEntity|referenced field was empty|cannot resolve references|external resource does not exist|Role provided in the request does not exist`) //nolint:gochecknoglobals // A constant in all but the keyword.

// packageReady is ready when the desired package is installed and healthy. Healthy alone may still be about the version before.
func (c *Context) packageReady(source string) func(view.Object) Readiness {
	return func(o view.Object) Readiness {
		installed, healthy := o.Condition("Installed"), o.Condition("Healthy")
		current := o.String("status", "currentIdentifier")
		switch {
		case o.Deleted():
			return Readiness{Message: "being deleted"}
		case o.Paused():
			return Readiness{ActionRequired: true, Message: resume(o, providerResource)}
		case installed.False() && installed.Reason == "InactivePackageRevision":
			return Readiness{ActionRequired: true, Message: inactive(o.String("status", "currentRevision"))}
		case installed.False() && installed.Message != "":
			return c.packageError("not installed", installed.Message, o)
		case !installed.True():
			return Readiness{Message: "being installed"}
		case !healthy.True() && healthy.Message != "":
			return c.packageError("not healthy", healthy.Message, o)
		case !healthy.True():
			return Readiness{Message: "not healthy yet"}
		case current == "":
			return Readiness{Message: "being installed"}
		case current != source:
			return Readiness{Message: fmt.Sprintf("at %s, changing to %s", current, source)}
		case healthy.Reason == reasonAwaitingActivation:
			return Readiness{ActionRequired: true, Message: "has no pods, because none of its kinds is active. To do: name those that you use in a ManagedResourceActivationPolicy, as manifests/activation-policy.yaml does"}
		}
		return Readiness{Ready: true}
	}
}

// reasonAwaitingActivation is the reason of a healthy package without pods: from v2.4 on Crossplane starts a provider that knows which
// of its kinds are active (SafeStart) with the first of them:
// https://github.com/crossplane/crossplane/blob/v2.4.2/internal/controller/pkg/runtime/runtime.go (BuilderWithMRDs).
const reasonAwaitingActivation = "AwaitingActivation"

// inactive says what to do about a revision that waits to be activated. Crossplane has stopped the previous one.
func inactive(revision string) string {
	return fmt.Sprintf("revision %s is not active (revisionActivationPolicy: Manual), and no other runs. "+
		"To do: kubectl patch providerrevision.pkg.crossplane.io %s --type merge -p '{\"spec\":{\"desiredState\":\"Active\"}}'", revision, revision)
}

// packageError quotes the package manager, whose message is not an error while a package is being installed.
func (c *Context) packageError(what, message string, o view.Object) Readiness {
	quoted := Quote(message)
	switch {
	case strings.Contains(message, "does not have minimum availability"):
		return Readiness{Message: fmt.Sprintf("its pods are not ready. If that lasts, see why: kubectl describe pods -n %s -l pkg.crossplane.io/revision=%s", c.Identity.Namespace, o.String("status", "currentRevision"))}
	case strings.Contains(message, "missing dependencies"):
		return Readiness{Message: what + " yet: " + quoted + ". If that lasts, see why: kubectl describe lock.pkg.crossplane.io lock"}
	case strings.Contains(message, "cannot get webhook tls secret"):
		// Crossplane creates it while it installs the package.
		return Readiness{Message: what + " yet: " + quoted}
	case onItsWay.MatchString(message):
		return Readiness{Message: what + " yet"}
	}
	return Readiness{Failed: true, Message: what + ": " + quoted}
}

// onItsWay matches messages of the package managers of Crossplane v1 and v2 about a package that has no problem.
var onItsWay = regexp.MustCompile(`^Waiting for unpack|has no condition of type "Available" yet|Package revision is not healthy yet|^Package (revision|runtime) health is "[A-Za-z]*"$|waiting for package runtime`) //nolint:gochecknoglobals // A constant in all but the keyword.
