package iam

import (
	"bytes"
	"encoding/json"
)

// String returns the canonical form: compact, with sorted sets, a set of one as the string itself, as AWS does, and without empty
// elements. So equal policies are equal strings. A general encoder would be slower, and every call writes several for each service.
func (d Document) String() string {
	b := make([]byte, 0, 1024)
	b = append(b, `{"Version":`...)
	b = appendString(b, d.Version)
	b = append(b, `,"Statement":[`...)
	for i, s := range d.Statement {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.append(b)
	}
	return string(append(b, "]}"...))
}

// String returns the canonical form, as a document contains it.
func (s Statement) String() string { return string(s.append(nil)) }

func (s Statement) append(b []byte) []byte {
	b = append(b, '{')
	if s.Sid != "" {
		b = append(b, `"Sid":`...)
		b = append(appendString(b, s.Sid), ',')
	}
	b = append(b, `"Effect":`...)
	b = appendString(b, s.Effect)
	if len(s.Principal) > 0 {
		b = append(b, `,"Principal":`...)
		b = appendMap(b, s.Principal)
	}
	for _, e := range []struct {
		key string
		set StringSet
	}{
		{`,"Action":`, s.Action}, {`,"NotAction":`, s.NotAction}, {`,"Resource":`, s.Resource}, {`,"NotResource":`, s.NotResource},
	} {
		if len(e.set) > 0 {
			b = append(b, e.key...)
			b = e.set.append(b)
		}
	}
	if len(s.Condition) > 0 {
		b = append(b, `,"Condition":{`...)
		for i, op := range sorted(s.Condition) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, op), ':')
			b = appendMap(b, s.Condition[op])
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

func appendMap(b []byte, m map[string]StringSet) []byte {
	b = append(b, '{')
	for i, key := range sorted(m) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, key), ':')
		b = m[key].append(b)
	}
	return append(b, '}')
}

func (s StringSet) append(b []byte) []byte {
	u := s.unique()
	if len(u) == 1 {
		return appendString(b, u[0])
	}
	b = append(b, '[')
	for i, e := range u {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, e)
	}
	return append(b, ']')
}

// appendString appends a string in JSON. Nearly all strings are written as they are.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(b, escape(s)...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func escape(s string) []byte {
	b := &bytes.Buffer{}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) //nolint:errchkjson // A string can always be encoded.
	return bytes.TrimRight(b.Bytes(), "\n")
}
