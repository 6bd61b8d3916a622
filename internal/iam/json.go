package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// An object of JSON, with its keys in their original order.
type object struct {
	keys   []string
	values map[string]any
	// twice has the keys that occur more than once. Parsers differ in which value they take.
	twice []string
}

// readJSON returns a string, a json.Number, a bool, nil, a []any or an *object.
func readJSON(s string) (any, error) {
	var all json.RawMessage
	if err := json.Unmarshal([]byte(s), &all); err != nil {
		syntax := &json.SyntaxError{}
		if !errors.As(err, &syntax) {
			return nil, err
		}
		before := s[:min(max(0, int(syntax.Offset)-1), len(s))]
		line, column := 1+strings.Count(before, "\n"), len(before)-strings.LastIndex(before, "\n")
		return nil, fmt.Errorf("line %d, column %d: %w", line, column, err)
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	return readValue(d)
}

// readValue reads the next value. The JSON is valid, so that an error cannot happen, and its depth has a limit.
func readValue(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		return readObject(d)
	case json.Delim('['):
		return readList(d)
	default:
		return t, nil
	}
}

func readList(d *json.Decoder) (any, error) {
	list := []any{}
	for d.More() {
		v, err := readValue(d)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func readObject(d *json.Decoder) (any, error) {
	o := &object{values: map[string]any{}}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := readValue(d)
		if err != nil {
			return nil, err
		}
		key := fmt.Sprint(t)
		if _, ok := o.values[key]; ok {
			o.twice = append(o.twice, key)
			continue
		}
		o.keys = append(o.keys, key)
		o.values[key] = v
	}
	_, err := d.Token()
	return o, err
}

// kind describes a value for users.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("the string %q", v)
	case json.Number:
		return "the number " + v.String()
	case bool:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
