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
	"unicode/utf8"

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

func value(v reflect.Value) (*structpb.Value, error) {
	if !v.IsValid() {
		return structpb.NewNullValue(), nil
	}
	return codecOf(v.Type()).encode(v)
}

// encode a value of the codec's type.
func (c *codec) encode(v reflect.Value) (*structpb.Value, error) {
	switch {
	case c.custom:
		return custom(v.Interface())
	case c.customPointer && v.CanAddr():
		return custom(v.Addr().Interface())
	}
	switch v.Kind() { //nolint:exhaustive // Kubernetes objects are made of these.
	case reflect.Pointer:
		if v.IsNil() {
			return structpb.NewNullValue(), nil
		}
		return c.elem().encode(v.Elem())
	case reflect.Interface:
		if v.IsNil() {
			return structpb.NewNullValue(), nil
		}
		return value(v.Elem())
	case reflect.String:
		return newString(v.String()), nil
	case reflect.Bool:
		return structpb.NewBoolValue(v.Bool()), nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return structpb.NewNumberValue(float64(v.Int())), nil
	case reflect.Float32, reflect.Float64:
		return structpb.NewNumberValue(v.Float()), nil
	case reflect.Slice:
		return c.encodeSlice(v)
	case reflect.Map:
		return c.encodeMap(v)
	case reflect.Struct:
		out, s := newStruct(0)
		return out, c.encodeFields(s, v)
	}
	return nil, fmt.Errorf("unsupported type %s", v.Type())
}

func (c *codec) encodeSlice(v reflect.Value) (*structpb.Value, error) {
	l := &structpb.ListValue{Values: make([]*structpb.Value, v.Len())}
	for i := range v.Len() {
		e, err := c.elem().encode(v.Index(i))
		if err != nil {
			return nil, err
		}
		l.Values[i] = e
	}
	return structpb.NewListValue(l), nil
}

func (c *codec) encodeMap(v reflect.Value) (*structpb.Value, error) {
	out, s := newStruct(v.Len())
	if m, ok := reflect.TypeAssert[map[string]string](v); ok {
		// Most are of this type, and reflection copies every key and value.
		for k, e := range m {
			s.Fields[k] = newString(e)
		}
		return out, nil
	}
	for it := v.MapRange(); it.Next(); {
		e, err := c.elem().encode(it.Value())
		if err != nil {
			return nil, err
		}
		s.Fields[it.Key().String()] = e
	}
	return out, nil
}

func (c *codec) encodeFields(into *structpb.Struct, v reflect.Value) error {
	for i := range c.fields {
		f := &c.fields[i]
		fv := v.Field(f.index)
		if f.inline {
			if err := f.codec().encodeFields(into, fv); err != nil {
				return err
			}
			continue
		}
		if f.omitEmpty && empty(fv) {
			continue
		}
		e, err := f.codec().encode(fv)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		into.Fields[f.name] = e
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

// newString allocates a value together with what it holds: objects are made of hundreds of them.
func newString(s string) *structpb.Value {
	n := &struct {
		value structpb.Value
		kind  structpb.Value_StringValue
	}{}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	n.kind.StringValue = s
	n.value.Kind = &n.kind
	return &n.value
}

// newStruct allocates a value together with the object that it holds, which has room for so many fields.
func newStruct(size int) (*structpb.Value, *structpb.Struct) {
	n := &struct {
		value  structpb.Value
		kind   structpb.Value_StructValue
		object structpb.Struct
	}{}
	n.object.Fields = make(map[string]*structpb.Value, size)
	n.kind.StructValue = &n.object
	n.value.Kind = &n.kind
	return &n.value, &n.object
}
