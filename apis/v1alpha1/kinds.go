package v1alpha1

import (
	"encoding/json"
	"errors"
	"slices"
)

// Kinds of a provider package: the list of their names, or the word Active, which stands for those that are active. No kind has that name.
//
// An API server cannot check that a field has one of two types. This type does.
type Kinds []string

// KindsActive is the word for the kinds that are active.
const KindsActive = "Active"

// Active says whether the kinds are those that are active.
func (k Kinds) Active() bool { return len(k) == 1 && k[0] == KindsActive }

// MarshalJSON writes the word or the list.
func (k Kinds) MarshalJSON() ([]byte, error) {
	if k.Active() {
		return json.Marshal(KindsActive)
	}
	return json.Marshal([]string(k))
}

// UnmarshalJSON reads the word or a list.
func (k *Kinds) UnmarshalJSON(b []byte) error {
	var word string
	if json.Unmarshal(b, &word) == nil && word == KindsActive {
		*k = Kinds{word}
		return nil
	}
	var names []string
	if json.Unmarshal(b, &names) != nil {
		return errors.New("must be a list of kinds such as [Bucket], or the word Active")
	}
	if slices.Contains(names, KindsActive) {
		return errors.New("Active is no kind: write kinds: Active, without a list, for those that are active")
	}
	*k = names
	return nil
}
