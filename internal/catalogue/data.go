package catalogue

import (
	"cmp"
	_ "embed"
	"fmt"
	"sync"

	"sigs.k8s.io/yaml"
)

//go:embed catalogue.yaml
var file []byte

// data is the content of catalogue.yaml, which explains it.
type data struct {
	Versions   Words                       `json:"versions"`
	Principals map[string]map[string]Words `json:"principals"`
	Reading    map[string]Reading          `json:"reading"`
	Services   map[string]Service          `json:"services"`
}

// content returns the content of the file, read once.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var content = sync.OnceValue(func() *data {
	d, err := parse(file)
	if err != nil {
		// The file is part of the program, and tests read it.
		panic(fmt.Errorf("cannot parse the catalogue: %w", err))
	}
	return d
})

func parse(b []byte) (*data, error) {
	d := &data{}
	if err := yaml.UnmarshalStrict(b, d); err != nil {
		return nil, err
	}
	for name, s := range d.Services {
		s.Name = name
		if len(s.Prefixes) == 0 {
			s.Prefixes = Words{name}
		}
		if len(s.Versions) == 0 {
			s.Versions = d.Versions
		}
		for i := range s.Extras {
			s.Extras[i].Source = cmp.Or(s.Extras[i].Source, s.Source)
		}
		d.Services[name] = s
	}
	return d, nil
}

// reading returns the actions of a prefix that only read.
func (d *data) reading(prefix string) Reading {
	if r, ok := d.Reading[prefix]; ok {
		return r
	}
	return Reading{Actions: Words{"BatchGet*", "Describe*", "Get*", "List*"}}
}

// principals returns those of AWS services, as conditions name them in a partition.
func (d *data) principals(partition string, services []string) []string {
	var out []string
	for _, s := range services {
		if names, ok := d.Principals[partition][s]; ok {
			out = append(out, names...)
			continue
		}
		out = append(out, s+".amazonaws.com")
	}
	return out
}
