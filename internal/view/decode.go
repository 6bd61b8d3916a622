package view

import (
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// decode an object into a typed one. An error lists every value of the wrong type. Fields that the type does not have are
// errors too if strict, and ignored if not: Crossplane keeps fields of its own beside those of a composite resource.
func decode(at *field.Path, from map[string]any, into any, strict bool) field.ErrorList {
	// The converter's errors do not say where they are, and it cuts integers that are too large.
	if errs := check(at, from, reflect.TypeOf(into), strict); len(errs) > 0 {
		return errs
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(from, into); err != nil {
		return field.ErrorList{field.Invalid(at, field.OmitValueType{}, err.Error())}
	}
	return nil
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]() //nolint:gochecknoglobals // A constant in all but the keyword.

// check that an object can be decoded into a type.
func check(at *field.Path, v any, t reflect.Type, strict bool) field.ErrorList {
	if v == nil {
		return nil
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return checkCustom(at, v, t)
	}
	switch t.Kind() { //nolint:exhaustive // API types are made of these.
	case reflect.String:
		return checkScalar[string](at, v, "a string")
	case reflect.Bool:
		return checkScalar[bool](at, v, "true or false")
	case reflect.Int, reflect.Int32, reflect.Int64:
		return checkInteger(at, v, t)
	case reflect.Slice:
		l, ok := v.([]any)
		if !ok {
			return field.ErrorList{field.TypeInvalid(at, v, "must be a list")}
		}
		errs := field.ErrorList{}
		for i, e := range l {
			errs = append(errs, check(at.Index(i), e, t.Elem(), strict)...)
		}
		return errs
	case reflect.Map, reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			return field.ErrorList{field.TypeInvalid(at, v, "must be an object")}
		}
		return checkObject(at, m, t, strict)
	}
	return nil
}

// maxSafeInteger is the largest integer up to which JSON numbers are exact.
const maxSafeInteger = 1<<53 - 1

func checkInteger(at *field.Path, v any, t reflect.Type) field.ErrorList {
	f, ok := v.(float64)
	if !ok || f != math.Trunc(f) {
		return field.ErrorList{field.TypeInvalid(at, v, "must be an integer")}
	}
	limit := float64(maxSafeInteger)
	if t.Kind() == reflect.Int32 {
		limit = math.MaxInt32
	}
	if math.Abs(f) > limit {
		return field.ErrorList{field.Invalid(at, v, "is too large")}
	}
	return nil
}

func checkObject(at *field.Path, m map[string]any, t reflect.Type, strict bool) field.ErrorList {
	errs := field.ErrorList{}
	fields := structFields(t)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		switch ft, ok := fields[k]; {
		case t.Kind() == reflect.Map:
			errs = append(errs, check(at.Key(k), m[k], t.Elem(), strict)...)
		case ok:
			errs = append(errs, check(at.Child(k), m[k], ft, strict)...)
		case strict:
			errs = append(errs, field.Invalid(at.Child(k), field.OmitValueType{}, "unknown field"))
		}
	}
	return errs
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

func checkScalar[T any](at *field.Path, v any, want string) field.ErrorList {
	if _, ok := v.(T); ok {
		return nil
	}
	return field.ErrorList{field.TypeInvalid(at, v, "must be "+want)}
}

// checkCustom checks a type that has its own JSON form, such as a resource quantity or a duration.
func checkCustom(at *field.Path, v any, t reflect.Type) field.ErrorList {
	if _, ok := v.(map[string]any); !ok && t == reflect.TypeFor[runtime.RawExtension]() {
		return field.ErrorList{field.TypeInvalid(at, v, "must be an object")}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return field.ErrorList{field.TypeInvalid(at, v, err.Error())}
	}
	if err := json.Unmarshal(b, reflect.New(t).Interface()); err != nil {
		return field.ErrorList{field.Invalid(at, v, err.Error())}
	}
	return nil
}

// merge src into dst, whose own values win: objects merge, anything else is taken whole.
func merge(dst, src map[string]any) {
	for k, v := range src {
		d, ok := dst[k]
		if !ok || d == nil {
			dst[k] = v
			continue
		}
		dm, dok := d.(map[string]any)
		sm, sok := v.(map[string]any)
		if dok && sok {
			merge(dm, sm)
		}
	}
}
