package main

import (
	"embed"
	"strings"
)

// referenceFiles hold what AWS publishes about actions: facts, with their source and date in the files. AWS had no machine-readable list
// before 2025, and took dependent actions out of it in 2026.
//
//go:embed reference/*.txt
var referenceFiles embed.FS

// A reference is what AWS publishes about actions.
type reference struct {
	// published actions, of the prefixes that the catalogue has.
	published map[string]bool
	// dependent actions, which AWS requires besides an action.
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

// listed returns the words of a file by their head, the word before them that ends in a colon. A line that begins with a space continues
// the line before.
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

// with returns an action and its dependent actions of the same service. Those of other services are among the catalogue's extras. Actions
// on tags are not needed: kinds with tags call them themselves. Passing a role takes a condition, so it is never among these actions.
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
