package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/internal/nearest"
)

// decode converts an object into a typed one. An error lists every value of the wrong type, until there are too many. Fields that the
// type does not have are errors too if strict, and ignored if not: Crossplane keeps fields of its own next to those of a composite
// resource.
func decode(at *field.Path, from map[string]any, into any, strict bool) field.ErrorList {
	// The converter's errors do not name the field, and it cuts integers that are too large.
	c := &checker{strict: strict}
	c.check(at, from, reflect.TypeOf(into))
	if len(c.errs) > 0 {
		return c.errs
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(from, into); err != nil {
		return field.ErrorList{field.Invalid(at, field.OmitValueType{}, err.Error())}
	}
	return nil
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]() //nolint:gochecknoglobals // A constant in all but the keyword.

// A checker collects why an object cannot be decoded.
type checker struct {
	strict bool
	errs   field.ErrorList
}

func (c *checker) add(err *field.Error) { c.errs = append(c.errs, err) }

// full says whether there are too many errors already.
func (c *checker) full() bool { return len(c.errs) > MaxErrors }

// check checks that an object can be decoded into a type.
func (c *checker) check(at *field.Path, v any, t reflect.Type) {
	if v == nil || c.full() {
		return
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		c.custom(at, v, t)
		return
	}
	switch t.Kind() { //nolint:exhaustive // API types are made of these.
	case reflect.String:
		checkScalar[string](c, at, v, "a string")
	case reflect.Bool:
		checkScalar[bool](c, at, v, "true or false")
	case reflect.Int, reflect.Int32, reflect.Int64:
		c.integer(at, v, t)
	case reflect.Slice:
		l, ok := v.([]any)
		if !ok {
			c.add(field.TypeInvalid(at, v, "must be a list"))
			return
		}
		for i, e := range l {
			c.check(at.Index(i), e, t.Elem())
		}
	case reflect.Map, reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			c.add(field.TypeInvalid(at, v, "must be an object"))
			return
		}
		c.object(at, m, t)
	}
}

// maxSafeInteger is the largest integer up to which JSON numbers are exact.
const maxSafeInteger = 1<<53 - 1

func (c *checker) integer(at *field.Path, v any, t reflect.Type) {
	f, ok := v.(float64)
	if !ok || f != math.Trunc(f) {
		c.add(field.TypeInvalid(at, v, "must be an integer"))
		return
	}
	limit := float64(maxSafeInteger)
	if t.Kind() == reflect.Int32 {
		limit = math.MaxInt32
	}
	if math.Abs(f) > limit {
		if math.Abs(f) < math.MaxInt64 {
			v = int64(f) // Written without an exponent.
		}
		c.add(field.Invalid(at, v, fmt.Sprintf("must be from %.0f to %.0f", -limit, limit)))
	}
}

func (c *checker) object(at *field.Path, m map[string]any, t reflect.Type) {
	fields := structFields(t)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		switch ft, ok := fields[k]; {
		case c.full():
			return
		case t.Kind() == reflect.Map:
			c.check(at.Key(k), m[k], t.Elem())
		case ok:
			c.check(at.Child(k), m[k], ft)
		case c.strict:
			c.unknown(at.Child(k), k, slices.Sorted(maps.Keys(fields)))
		}
	}
}

func (c *checker) unknown(at *field.Path, name string, fields []string) {
	msg := "unknown field"
	if hint := nearest.Hint(name, fields); hint != "" {
		msg += "; " + hint
	}
	c.add(field.Invalid(at, field.OmitValueType{}, msg))
}

var structs sync.Map //nolint:gochecknoglobals // A cache of what never changes: the fields of a type.

// structFields are a struct's fields by their JSON names, those of inlined structs included. Other types have none.
func structFields(t reflect.Type) map[string]reflect.Type {
	if t.Kind() != reflect.Struct {
		return nil
	}
	if fs, ok := structs.Load(t); ok {
		return fs.(map[string]reflect.Type) //nolint:forcetypeassert // Nothing else is stored.
	}
	fs := map[string]reflect.Type{}
	collectFields(t, fs)
	structs.Store(t, fs)
	return fs
}

func collectFields(t reflect.Type, into map[string]reflect.Type) {
	for f := range t.Fields() {
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name == "" && (f.Anonymous || strings.Contains(opts, "inline")):
			collectFields(f.Type, into)
		case name != "":
			into[name] = f.Type
		}
	}
}

func checkScalar[T any](c *checker, at *field.Path, v any, want string) {
	if _, ok := v.(T); !ok {
		c.add(field.TypeInvalid(at, v, "must be "+want))
	}
}

// custom checks a type that has its own JSON form, such as a resource quantity or a duration.
func (c *checker) custom(at *field.Path, v any, t reflect.Type) {
	if _, ok := v.(map[string]any); !ok && t == reflect.TypeFor[runtime.RawExtension]() {
		c.add(field.TypeInvalid(at, v, "must be an object"))
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		c.add(field.TypeInvalid(at, v, err.Error()))
		return
	}
	if err := json.Unmarshal(b, reflect.New(t).Interface()); err != nil {
		c.add(field.Invalid(at, v, err.Error()))
	}
}

// merge merges src into dst, whose own values win: objects merge, anything else is taken whole. Null is not a value, nor is an empty
// text in a field, which a template writes for a missing value. In a map of the user's own, such as tags, it is one.
func merge(dst, src map[string]any, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	fields := structFields(t)
	for k, v := range src {
		d := dst[k]
		ft, isField := fields[k]
		if d == nil || isField && d == "" {
			dst[k] = v
			continue
		}
		dm, dok := d.(map[string]any)
		sm, sok := v.(map[string]any)
		if dok && sok {
			if !isField {
				ft = reflect.TypeFor[map[string]any]()
			}
			merge(dm, sm, ft)
		}
	}
}

// isSet says whether a field has a value: neither null nor an empty text.
func isSet(v any) bool { return v != nil && v != "" }
