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

// An Encoder encodes the objects of one call. Its zero value is ready to use, by one goroutine.
type Encoder struct {
	// Objects are made of hundreds of strings and structs, so memory is allocated for several at once. Values that are encoded together
	// are sent together, and become garbage together.
	strings []stringValue
	structs []structValue
}

// slab is the number of values for which memory is allocated at once.
const slab = 32

type stringValue struct {
	value structpb.Value
	kind  structpb.Value_StringValue
}

type structValue struct {
	value  structpb.Value
	kind   structpb.Value_StructValue
	object structpb.Struct
}

// Object encodes a typed object without its status.
func (e *Encoder) Object(o any) (*structpb.Struct, error) {
	v, err := e.value(reflect.ValueOf(o))
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
func (e *Encoder) Status(o any) (*structpb.Value, error) { return e.value(reflect.ValueOf(o)) }

func (e *Encoder) value(v reflect.Value) (*structpb.Value, error) {
	if !v.IsValid() {
		return structpb.NewNullValue(), nil
	}
	return e.encode(codecOf(v.Type()), v)
}

// encode encodes a value of the codec's type.
func (e *Encoder) encode(c *codec, v reflect.Value) (*structpb.Value, error) {
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
		return e.encode(c.elem, v.Elem())
	case reflect.Interface:
		if v.IsNil() {
			return structpb.NewNullValue(), nil
		}
		return e.value(v.Elem())
	case reflect.String:
		return e.newString(v.String()), nil
	case reflect.Bool:
		return structpb.NewBoolValue(v.Bool()), nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return structpb.NewNumberValue(float64(v.Int())), nil
	case reflect.Float32, reflect.Float64:
		return structpb.NewNumberValue(v.Float()), nil
	case reflect.Slice:
		return e.encodeSlice(c, v)
	case reflect.Map:
		return e.encodeMap(c, v)
	case reflect.Struct:
		out, s := e.newStruct(0)
		return out, e.encodeFields(s, c, v)
	}
	return nil, fmt.Errorf("unsupported type %s", v.Type())
}

func (e *Encoder) encodeSlice(c *codec, v reflect.Value) (*structpb.Value, error) {
	l := &structpb.ListValue{Values: make([]*structpb.Value, v.Len())}
	for i := range v.Len() {
		elem, err := e.encode(c.elem, v.Index(i))
		if err != nil {
			return nil, err
		}
		l.Values[i] = elem
	}
	return structpb.NewListValue(l), nil
}

func (e *Encoder) encodeMap(c *codec, v reflect.Value) (*structpb.Value, error) {
	out, s := e.newStruct(v.Len())
	if m, ok := reflect.TypeAssert[map[string]string](v); ok {
		// Most maps are of this type, and reflection copies every key and value.
		for k, elem := range m {
			s.Fields[k] = e.newString(elem)
		}
		return out, nil
	}
	for it := v.MapRange(); it.Next(); {
		elem, err := e.encode(c.elem, it.Value())
		if err != nil {
			return nil, err
		}
		s.Fields[it.Key().String()] = elem
	}
	return out, nil
}

func (e *Encoder) encodeFields(into *structpb.Struct, c *codec, v reflect.Value) error {
	for i := range c.fields {
		f := &c.fields[i]
		fv := v.Field(f.index)
		if f.inline {
			if err := e.encodeFields(into, f.codec, fv); err != nil {
				return err
			}
			continue
		}
		if f.omitEmpty && empty(fv) {
			continue
		}
		elem, err := e.encode(f.codec, fv)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		into.Fields[f.name] = elem
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

func (e *Encoder) newString(s string) *structpb.Value {
	if len(e.strings) == 0 {
		e.strings = make([]stringValue, slab)
	}
	n := &e.strings[0]
	e.strings = e.strings[1:]
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	n.kind.StringValue = s
	n.value.Kind = &n.kind
	return &n.value
}

// newStruct returns a value that is a struct with room for so many fields, and the struct.
func (e *Encoder) newStruct(size int) (*structpb.Value, *structpb.Struct) {
	if len(e.structs) == 0 {
		e.structs = make([]structValue, slab)
	}
	n := &e.structs[0]
	e.structs = e.structs[1:]
	n.object.Fields = make(map[string]*structpb.Value, size)
	n.kind.StructValue = &n.object
	n.value.Kind = &n.kind
	return &n.value, &n.object
}
