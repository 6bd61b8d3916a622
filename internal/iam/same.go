package iam

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// Same says whether two policy documents have the same meaning, however they are written: AWS writes sets in an order of its own, and a
// set of one as the element itself. A text that is not JSON cannot be compared, and does not count as different.
func Same(a, b string) bool {
	if a == b {
		return true
	}
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return true
	}
	return reflect.DeepEqual(canonical(x), canonical(y))
}

// canonical returns the canonical form of a value in a policy document: sets sorted, and a list of one as its element.
func canonical(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = canonical(v[k])
		}
		return v
	case []any:
		return canonicalList(v)
	case nil:
		return nil
	}
	// The values of a condition may be written as what they are, or as strings.
	return fmt.Sprint(v)
}

func canonicalList(list []any) any {
	set := make([]string, 0, len(list))
	for i := range list {
		list[i] = canonical(list[i])
		if s, ok := list[i].(string); ok {
			set = append(set, s)
		}
	}
	switch {
	case len(list) == 1:
		return list[0]
	case len(set) == len(list):
		slices.Sort(set)
		if set = slices.Compact(set); len(set) == 1 {
			return set[0]
		}
		return set
	}
	return list
}
