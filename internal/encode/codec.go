package encode

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// A codec holds what is known of a type before one of its values is encoded. Working that out takes longer than encoding most values.
type codec struct {
	// custom says that the type has its own JSON form, customPointer that pointers to it have one.
	custom, customPointer bool
	// elem is the codec of the elements of a pointer, slice or map.
	elem *codec
	// fields of a struct.
	fields []structField
}

type structField struct {
	name              string
	index             int
	omitEmpty, inline bool
	codec             *codec
}

//nolint:gochecknoglobals // A constant, and a cache of what never changes.
var (
	marshaler = reflect.TypeFor[json.Marshaler]()
	codecs    sync.Map
)

func codecOf(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec) //nolint:forcetypeassert // Nothing else is stored.
	}
	// Types may hold themselves. Other calls see a codec only once everything that it refers to is complete.
	made := map[reflect.Type]*codec{}
	c := newCodec(t, made)
	for t, c := range made {
		codecs.LoadOrStore(t, c)
	}
	return c
}

func newCodec(t reflect.Type, made map[reflect.Type]*codec) *codec {
	if c := made[t]; c != nil {
		return c
	}
	c := &codec{
		custom:        t.Kind() != reflect.Pointer && t.Implements(marshaler),
		customPointer: reflect.PointerTo(t).Implements(marshaler),
	}
	made[t] = c
	switch t.Kind() { //nolint:exhaustive // The others hold nothing.
	case reflect.Pointer, reflect.Slice, reflect.Map:
		c.elem = newCodec(t.Elem(), made)
	case reflect.Struct:
		c.fields = fieldsOf(t, made)
	}
	return c
}

func fieldsOf(t reflect.Type, made map[reflect.Type]*codec) []structField {
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
		fs = append(fs, structField{
			name: name, index: i, inline: inline, codec: newCodec(f.Type, made),
			omitEmpty: strings.Contains(opts, "omitempty") || strings.Contains(opts, "omitzero"),
		})
	}
	return fs
}
