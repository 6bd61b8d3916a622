package resources

import (
	"fmt"
	"strings"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/iam"
	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// A difference is an undesired value in AWS; empty if there is none.
type difference string

// differs compares a field in AWS with its desired value. If the provider does not report it, nothing differs.
func differs[T string | bool | float64](o view.Object, field string, want T) difference {
	has, known := at[T](o, "status", "atProvider", field)
	if !known || has == want {
		return ""
	}
	return difference(fmt.Sprintf("%s %s, not %s", field, shown(has), shown(want)))
}

// shown formats a value for users.
func shown(v any) string {
	if s := fmt.Sprint(v); s != "" {
		return s
	}
	return "none"
}

// differsText is differs for a text that is too long for a message.
func differsText(o view.Object, field, want string) difference {
	if differs(o, field, want) == "" {
		return ""
	}
	return difference("another " + field)
}

// differsDocument is differs for a policy document, which AWS may write in other words.
func differsDocument(o view.Object, field, want string) difference {
	has, known := at[string](o, "status", "atProvider", field)
	if !known || iam.Same(has, want) {
		return ""
	}
	return difference("another " + field)
}

// asWanted keeps a managed resource from being ready while AWS has another value than the desired one. It does not count if the
// provider may not change it.
func asWanted(o view.Object, r Readiness, ds ...difference) Readiness {
	if !r.Ready || !updates(o) {
		return r
	}
	var all []string
	for _, d := range ds {
		if d != "" {
			all = append(all, string(d))
		}
	}
	if len(all) == 0 {
		return r
	}
	return Readiness{Message: "being changed: AWS has " + strings.Join(all, ", and ")}
}
