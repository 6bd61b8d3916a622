package resources

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	// maxQuote bounds a quoted message, in characters.
	maxQuote = 600
	// maxRead bounds how much of a message is searched for volatile parts. They are short, or long without a gap.
	maxRead = 4 << 10
	// maxSearch bounds how much of it is searched for the part that a hint depends on, in bytes.
	maxSearch = 16 << 10
)

// volatile parts of messages of providers, AWS, registries and Kubernetes: they differ from one attempt to the next, and a
// condition must not.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var volatile = []struct {
	pattern *regexp.Regexp
	by      string
}{
	// Ids of one request, in headers, texts and JSON.
	{regexp.MustCompile(`(?i),?\s*\b(?:extended )?(?:x-amzn?-)?(?:request|host|trace|ray|correlation)[ -]?id\s*[:=]\s*"?[0-9A-Za-z+/=_-]+"?`), ""},
	{regexp.MustCompile(`(?i)(^|[\s("'=,[])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), "$1<id>"},
	{regexp.MustCompile(`(?i)(encoded authorization failure message:)\s*\S+`), "$1 <id>"},
	{regexp.MustCompile(`\b0x[0-9a-f]{6,}\b`), "<id>"},
	{regexp.MustCompile(`(?i)\bresource ?version:? ?"?\d+"?`), "resourceVersion"},
	// The session of a role: EKS makes one for each pod, the SDK for each time it assumes the role.
	{regexp.MustCompile(`(:assumed-role/[^/\s]+)/[^\s,;)"']+`), "$1"},
	// Times.
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?( UTC)?( m=[+-][\d.]+)?`), "<time>"},
	{regexp.MustCompile(`\b\d{8}T\d{6}Z\b`), "<time>"},
	{regexp.MustCompile(`\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|UTC)\b`), "<time>"},
	// Durations, and the number of the attempt.
	{regexp.MustCompile(`(?i)\b(back-?off) (?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?m?s\b`), "$1"},
	{regexp.MustCompile(`(?i)\b(retry(?:ing)?|again|wait(?:ing)?) (after|in|for) \d+(?:\.\d+)?(?:[smh][0-9smh.]*| ?seconds?| ?minutes?)?\b`), "$1 $2 a while"},
	{regexp.MustCompile(`\b(?:\d+h)?(?:\d+m)?\d+\.\d+(?:s|ms|µs)\b|\b\d+(?:ms|µs|ns)\b`), "<duration>"},
	{regexp.MustCompile(`(?i)\b(attempt|retry|try)[ #:]+\d+(?:\s*(?:of|/)\s*\d+)?\b`), "$1"},
	{regexp.MustCompile(`(?i)\bafter \d+ (attempts?|tries|retries)\b`), "after several $1"},
	{regexp.MustCompile(`\b\d+ available, \d+ requested\b`), "too few available"},
	// The end of a connection, which is another one each time.
	{regexp.MustCompile(`(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]):\d+->`), ""},
	{regexp.MustCompile(`\s+`), " "},
}

// Quote returns a message without the parts that change on every attempt. If it is too long, the part that a hint depends on stays.
func Quote(message string) string {
	if len(message) > maxSearch {
		message = strings.ToValidUTF8(message[:maxSearch], "")
	}
	message = shorten(message, maxRead)
	for _, v := range volatile {
		message = v.pattern.ReplaceAllString(message, v.by)
	}
	return shorten(strings.TrimSpace(message), maxQuote)
}

// shorten cuts a message to about so many characters: its beginning, and the part that a hint depends on.
func shorten(message string, most int) string {
	if len(message) <= most {
		return message
	}
	r := []rune(message)
	if len(r) <= most {
		return message
	}
	end := utf8.RuneCountInString(message[:telling(message)])
	if end <= most {
		return string(r[:most]) + " ..."
	}
	head := most / 3
	to := min(end+most/6, len(r))
	short := string(r[:head]) + " ... " + string(r[max(head, to-(most-head)):to])
	if to < len(r) {
		short += " ..."
	}
	return short
}
