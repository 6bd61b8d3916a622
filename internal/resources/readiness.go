package resources

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// exists is ready as soon as it does: for kinds that report no readiness.
func exists(o view.Object) Readiness {
	if o.Deleted() {
		return Readiness{Message: "being deleted"}
	}
	return Readiness{Ready: true}
}

// managedResource is ready when it is Ready and Synced and its last asynchronous operation did not fail.
func managedResource(o view.Object) Readiness {
	synced, async, ready := o.Condition("Synced"), o.Condition("LastAsyncOperation"), o.Condition("Ready")
	switch {
	case o.Deleted():
		return Readiness{Message: "being deleted"}
	case synced.False() && !startingUp(synced.Message):
		return Readiness{Failed: true, Message: Quote(synced.Message)}
	case async.False():
		return Readiness{Failed: true, Message: Quote(async.Message)}
	case ready.True() && synced.True():
		return Readiness{Ready: true}
	case ready.False() && ready.Message != "":
		return Readiness{Message: "not ready: " + Quote(ready.Message)}
	}
	return Readiness{Message: "being created"}
}

// startingUp says whether an error is only that a reference cannot be resolved yet, as is normal at the beginning.
func startingUp(message string) bool {
	return strings.Contains(message, "referenced field was empty") || strings.Contains(message, "cannot resolve references")
}

// volatile parts of provider messages: they differ from one attempt to the next, and a condition must not.
//
//nolint:gochecknoglobals // Constants in all but the keyword.
var (
	requestID = regexp.MustCompile(`(?i),?\s*\b(?:x-amz-)?(?:request|host)[ -]?id\s*[:=]\s*"?[0-9A-Za-z+/=_-]+"?`)
	timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?( m=[+-][\d.]+)?`)
	spaces    = regexp.MustCompile(`\s+`)
)

// maxQuote bounds a quoted message, in characters.
const maxQuote = 600

// Quote a provider's message without what changes on every attempt.
func Quote(message string) string {
	if message == "" {
		return "no message"
	}
	message = requestID.ReplaceAllString(message, "")
	message = timestamp.ReplaceAllString(message, "<time>")
	message = strings.TrimSpace(spaces.ReplaceAllString(message, " "))
	if r := []rune(message); len(r) > maxQuote {
		return string(r[:maxQuote]) + " ..."
	}
	return message
}

// packageReady is ready when the wanted package is installed and healthy. Healthy alone may still speak of the version before.
func packageReady(source string) func(view.Object) Readiness {
	return func(o view.Object) Readiness {
		installed, healthy := o.Condition("Installed"), o.Condition("Healthy")
		switch {
		case o.Deleted():
			return Readiness{Message: "being deleted"}
		case installed.False() && installed.Reason == "InactivePackageRevision":
			return Readiness{Message: fmt.Sprintf("revision %s is not active: activate it (revisionActivationPolicy is Manual)", o.String("status", "currentRevision"))}
		case installed.False() && installed.Message != "":
			return Readiness{Failed: true, Message: "not installed: " + Quote(installed.Message)}
		case !installed.True():
			return Readiness{Message: "being installed"}
		case healthy.False() && healthy.Message != "":
			return Readiness{Failed: true, Message: "not healthy: " + Quote(healthy.Message)}
		case !healthy.True():
			return Readiness{Message: "not healthy yet"}
		case o.String("status", "currentIdentifier") == "":
			return Readiness{Message: "being installed"}
		case o.String("status", "currentIdentifier") != source:
			return Readiness{Message: fmt.Sprintf("at %s, changing to %s", o.String("status", "currentIdentifier"), source)}
		}
		return Readiness{Ready: true}
	}
}
