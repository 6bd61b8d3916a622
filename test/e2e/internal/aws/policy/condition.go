package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An op is an operator of a condition, taken apart.
type op struct {
	// set is ForAllValues or ForAnyValue, or nothing.
	set string
	// ifExists says that the condition holds for a missing key.
	ifExists bool
	// negated says that no value may match.
	negated bool
	// null asks whether the request has a key.
	null bool
	// match of the key's value with one of the policy.
	match func(got, want string) bool
}

// matchers by the name of the operator without Not.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var matchers = map[string]func(got, want string) bool{
	"StringEquals":             func(got, want string) bool { return got == want },
	"StringEqualsIgnoreCase":   strings.EqualFold,
	"StringLike":               func(got, want string) bool { return like(want, got) },
	"ArnEquals":                func(got, want string) bool { return likeARN(want, got) },
	"ArnLike":                  func(got, want string) bool { return likeARN(want, got) },
	"Bool":                     strings.EqualFold,
	"NumericEquals":            numeric(func(a, b float64) bool { return a == b }),
	"NumericLessThan":          numeric(func(a, b float64) bool { return a < b }),
	"NumericLessThanEquals":    numeric(func(a, b float64) bool { return a <= b }),
	"NumericGreaterThan":       numeric(func(a, b float64) bool { return a > b }),
	"NumericGreaterThanEquals": numeric(func(a, b float64) bool { return a >= b }),
}

func numeric(compare func(a, b float64) bool) func(got, want string) bool {
	return func(got, want string) bool {
		a, errA := strconv.ParseFloat(got, 64)
		b, errB := strconv.ParseFloat(want, 64)
		return errA == nil && errB == nil && compare(a, b)
	}
}

// operator by its name.
func operator(name string) (op, error) {
	o := op{}
	rest := name
	for _, set := range []string{"ForAllValues", "ForAnyValue"} {
		if after, ok := strings.CutPrefix(rest, set+":"); ok {
			o.set, rest = set, after
		}
	}
	rest, o.ifExists = strings.CutSuffix(rest, "IfExists")
	if rest == "Null" {
		o.null = true
		return o, nil
	}
	if plain := strings.Replace(rest, "Not", "", 1); plain != rest {
		o.negated, rest = true, plain
	}
	if o.match = matchers[rest]; o.match == nil {
		return o, fmt.Errorf("the condition operator %s is not known", name)
	}
	return o, nil
}

// holds says whether all of a condition is true for a request.
func (c Condition) holds(r Request) bool {
	for name, keys := range c {
		o, err := operator(name)
		if err != nil {
			return false
		}
		for key, want := range keys {
			if !o.holds(r.value(key), want, r) {
				return false
			}
		}
	}
	return true
}

// holds says whether the values of a key are as a policy requires. No values: the key is not in the request.
func (o op) holds(got, want []string, r Request) bool {
	if o.null {
		return slices.Contains(want, strconv.FormatBool(len(got) == 0))
	}
	if len(got) == 0 {
		// AWS: a negated operator holds for a missing key, as does ForAllValues.
		return o.ifExists || o.negated || o.set == "ForAllValues"
	}
	one := func(v string) bool {
		matches := slices.ContainsFunc(want, func(w string) bool { return o.match(v, r.expand(w)) })
		return matches != o.negated
	}
	if o.set == "ForAnyValue" {
		return slices.ContainsFunc(got, one)
	}
	// Without a set operator a key has one value.
	return !slices.ContainsFunc(got, func(v string) bool { return !one(v) })
}

// like says whether text matches a pattern with * and ?.
func like(pattern, text string) bool {
	star, mark := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// likeARN compares the six parts of ARNs, each with its wildcards.
func likeARN(pattern, text string) bool {
	const parts = 6
	p, t := strings.SplitN(pattern, ":", parts), strings.SplitN(text, ":", parts)
	if len(p) != len(t) {
		return false
	}
	for i := range p {
		if !like(p[i], t[i]) {
			return false
		}
	}
	return true
}
