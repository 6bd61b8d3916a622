// Package encode turns typed Kubernetes objects into the desired state of a composed resource.
//
// Desired state is server-side applied, so it must hold exactly the fields that the function means to own. JSON encoders
// do not write that: encoding/json writes empty structs in spite of omitempty (status: {}, initProvider: {},
// creationTimestamp: null), and the encoder of function-sdk-go writes false and 0. Object leaves out every field that is
// tagged omitempty and has its zero value, keeps what a pointer points to even if it is empty, and never writes a status.
package encode

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"google.golang.org/protobuf/types/known/structpb"
)

// Object encodes a typed object without its status.
func Object(o any) (*structpb.Struct, error) {
	v, err := value(reflect.ValueOf(o))
	if err != nil {
		return nil, fmt.Errorf("cannot encode %T: %w", o, err)
	}
	s := v.GetStructValue()
	if s == nil {
		return nil, fmt.Errorf("cannot encode %T: not an object", o)
	}
	delete(s.GetFields(), "status")
	return s, nil
}

// Status encodes the status of a composite resource.
func Status(o any) (*structpb.Value, error) { return value(reflect.ValueOf(o)) }

var marshaler = reflect.TypeFor[json.Marshaler]() //nolint:gochecknoglobals // A constant in all but the keyword.

func value(v reflect.Value) (*structpb.Value, error) {
	if !v.IsValid() {
		return structpb.NewNullValue(), nil
	}
	t := v.Type()
	if t.Kind() != reflect.Pointer && t.Implements(marshaler) {
		return custom(v.Interface())
	}
	if v.CanAddr() && reflect.PointerTo(t).Implements(marshaler) {
		return custom(v.Addr().Interface())
	}
	switch v.Kind() { //nolint:exhaustive // Kubernetes objects are made of these.
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return structpb.NewNullValue(), nil
		}
		return value(v.Elem())
	case reflect.String:
		return structpb.NewStringValue(strings.ToValidUTF8(v.String(), "\uFFFD")), nil
	case reflect.Bool:
		return structpb.NewBoolValue(v.Bool()), nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return structpb.NewNumberValue(float64(v.Int())), nil
	case reflect.Float32, reflect.Float64:
		return structpb.NewNumberValue(v.Float()), nil
	case reflect.Slice:
		l := &structpb.ListValue{Values: make([]*structpb.Value, v.Len())}
		for i := range v.Len() {
			e, err := value(v.Index(i))
			if err != nil {
				return nil, err
			}
			l.Values[i] = e
		}
		return structpb.NewListValue(l), nil
	case reflect.Map:
		s := &structpb.Struct{Fields: make(map[string]*structpb.Value, v.Len())}
		for it := v.MapRange(); it.Next(); {
			e, err := value(it.Value())
			if err != nil {
				return nil, err
			}
			s.Fields[it.Key().String()] = e
		}
		return structpb.NewStructValue(s), nil
	case reflect.Struct:
		s := &structpb.Struct{Fields: map[string]*structpb.Value{}}
		if err := structInto(s, v); err != nil {
			return nil, err
		}
		return structpb.NewStructValue(s), nil
	}
	return nil, fmt.Errorf("unsupported type %s", t)
}

func structInto(s *structpb.Struct, v reflect.Value) error {
	for _, f := range fieldsOf(v.Type()) {
		fv := v.Field(f.index)
		if f.inline {
			if err := structInto(s, fv); err != nil {
				return err
			}
			continue
		}
		if f.omitEmpty && empty(fv) {
			continue
		}
		e, err := value(fv)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		s.Fields[f.name] = e
	}
	return nil
}

func empty(v reflect.Value) bool {
	if k := v.Kind(); k == reflect.Slice || k == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}

// custom encodes a type that has its own JSON form, such as a resource quantity.
func custom(o any) (*structpb.Value, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	v := &structpb.Value{}
	if err := v.UnmarshalJSON(b); err != nil {
		return nil, err
	}
	return v, nil
}

type structField struct {
	name              string
	index             int
	omitEmpty, inline bool
}

var fields sync.Map //nolint:gochecknoglobals // A cache of what never changes: the fields of a type.

func fieldsOf(t reflect.Type) []structField {
	if fs, ok := fields.Load(t); ok {
		return fs.([]structField) //nolint:forcetypeassert // Nothing else is stored.
	}
	fs := make([]structField, 0, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		inline := name == "" && (f.Anonymous || strings.Contains(opts, "inline"))
		if name == "" && !inline {
			name = f.Name
		}
		fs = append(fs, structField{name: name, index: i, inline: inline, omitEmpty: strings.Contains(opts, "omitempty") || strings.Contains(opts, "omitzero")})
	}
	fields.Store(t, fs)
	return fs
}
