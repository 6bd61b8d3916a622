package aws

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// queryProtocol is that of IAM and STS: a form goes in, and XML comes out.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var queryProtocol = protocol{
	read: func(s *Server, r *request) operation {
		p, err := url.ParseQuery(string(r.body))
		if err != nil {
			return nil
		}
		r.call.Parameters = p
		r.call.Action = p.Get("Action")
		if r.call.Service == "sts" || r.call.Action == withWebIdentity {
			return s.sts(r, p)
		}
		return s.iam(r, p)
	},
	write: func(w http.ResponseWriter, r *request, id string, answer any, f *failure) {
		ns := map[string]string{"iam": "https://iam.amazonaws.com/doc/2010-05-08/", "sts": "https://sts.amazonaws.com/doc/2011-06-15/", "": "https://sts.amazonaws.com/doc/2011-06-15/"}[r.call.Service]
		w.Header().Set("Content-Type", "text/xml")
		if f != nil {
			w.WriteHeader(f.status)
			_, _ = fmt.Fprintf(w, `<ErrorResponse xmlns=%q>%s%s</ErrorResponse>`, ns, el("Error", text("Type", "Sender"), text("Code", f.code), text("Message", f.message)), text("RequestId", id))
			return
		}
		_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns=%[2]q>%[3]s%[4]s</%[1]sResponse>`, r.call.Action, ns, el(r.call.Action+"Result", fmt.Sprint(answer)), el("ResponseMetadata", text("RequestId", id)))
	},
}

// el is an element of XML.
func el(name string, children ...string) string {
	return "<" + name + ">" + strings.Join(children, "") + "</" + name + ">"
}

// text is an element with text.
func text(name, value string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(value)) // A Builder does not fail.
	return el(name, b.String())
}

// optional is an element with text, if there is any.
func optional(name, value string) string {
	if value == "" {
		return ""
	}
	return text(name, value)
}

// list of elements, which is complete.
func list(name string, members []string) string {
	for i := range members {
		members[i] = el("member", members[i])
	}
	return el(name, members...) + text("IsTruncated", "false")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// quoted document, as IAM returns policies.
func quoted(document string) string { return strings.ReplaceAll(url.QueryEscape(document), "+", "%20") }

func tagList(tags map[string]string) string {
	var b strings.Builder
	for _, k := range sorted(tags) {
		b.WriteString(el("member", text("Key", k), text("Value", tags[k])))
	}
	return el("Tags", b.String())
}

// tagsOf a request.
func tagsOf(p url.Values) map[string]string {
	tags := map[string]string{}
	for i := 1; p.Has(fmt.Sprintf("Tags.member.%d.Key", i)); i++ {
		tags[p.Get(fmt.Sprintf("Tags.member.%d.Key", i))] = p.Get(fmt.Sprintf("Tags.member.%d.Value", i))
	}
	return tags
}

// membersOf a list in a request.
func membersOf(p url.Values, name string) []string {
	var out []string
	for i := 1; p.Has(fmt.Sprintf("%s.member.%d", name, i)); i++ {
		out = append(out, p.Get(fmt.Sprintf("%s.member.%d", name, i)))
	}
	return out
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
