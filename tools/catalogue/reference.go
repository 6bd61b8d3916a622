package main

import (
	"embed"
	"strings"
)

// What AWS publishes about actions: facts, with their source and date in the files. AWS has no list that programs could rely on before
// 2025, and took dependent actions out of it in 2026.
//
//go:embed reference/*.txt
var referenceFiles embed.FS

// A reference of AWS about actions.
type reference struct {
	// published actions, of the prefixes that the catalogue has.
	published map[string]bool
	// dependent actions, which AWS asks for besides an action.
	dependent map[string][]string
}

func readReference() (reference, error) {
	r := reference{published: map[string]bool{}}
	names, err := listed("reference/actions.txt")
	if err != nil {
		return r, err
	}
	for prefix, actions := range names {
		for _, a := range actions {
			r.published[prefix+":"+a] = true
		}
	}
	r.dependent = map[string][]string{}
	for _, file := range []string{"reference/dependent.txt", "reference/besides.txt"} {
		words, err := listed(file)
		if err != nil {
			return r, err
		}
		for action, others := range words {
			r.dependent[action] = append(r.dependent[action], others...)
		}
	}
	return r, nil
}

// listed are the words of a file, by the word with a colon at the end that stands before them. A line that begins with a space goes on.
func listed(file string) (map[string][]string, error) {
	text, err := referenceFiles.ReadFile(file)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	head := ""
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if line[0] != ' ' {
			head, words = strings.TrimSuffix(words[0], ":"), words[1:]
		}
		out[head] = append(out[head], words...)
	}
	return out, nil
}

// with are an action, and those of the same service that AWS asks for besides. Other services are the business of the catalogue's extras,
// and tags that of kinds that have them: these call for tags themselves. A role is passed under a condition, and never here.
func (r reference) with(action string) []string {
	out := []string{action}
	prefix, _, _ := strings.Cut(action, ":")
	for _, d := range r.dependent[action] {
		if strings.HasPrefix(d, prefix+":") && !strings.Contains(d, "Tag") && d != "iam:PassRole" {
			out = append(out, d)
		}
	}
	return out
}
