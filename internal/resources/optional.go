package resources

import (
	"cmp"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/view"
)

// given is the value to send for an optional field of a managed resource. A field that is not desired is not sent, and so not owned.
// But if the managed resource has the field anyway, because it was desired before or because a provider late-initialized it, then
// leaving it out does not remove it from AWS: its neutral value does, which is AWS's default.
func given[T string | bool | float64](o view.Object, field string, want, neutral T) *T {
	var zero T
	if want != zero {
		return &want
	}
	has, known := at[T](o, "spec", "forProvider", field)
	if !known {
		return nil
	}
	// A provider that late-initializes writes a neutral value on its own, unless that is the zero value.
	if has == neutral && neutral != zero {
		if inAWS, known := at[T](o, "status", "atProvider", field); !known || inAWS == neutral {
			return nil
		}
	}
	return &neutral
}

// at is the value at a path of an object. Known is false if there is none, or if it is of another type.
func at[T string | bool | float64](o view.Object, path ...string) (value T, known bool) {
	v := o.Value(path...)
	if v == nil {
		return value, false
	}
	value, known = v.AsInterface().(T)
	return value, known
}

// kept is the value to send for a field that AWS cannot change: the desired one, or else the one in AWS. Leaving it out would ask for a
// replacement, which providers refuse. The neutral value need not be sent.
func kept(o view.Object, field, want, neutral string) *string {
	has := cmp.Or(o.String("status", "atProvider", field), o.String("spec", "forProvider", field))
	if want == "" && has != neutral {
		want = has
	}
	return optional(want)
}
