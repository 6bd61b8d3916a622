package aws

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// An object in a bucket. Buckets have no versions here.
type object struct {
	body     []byte
	modified time.Time
	tags     map[string]string
}

func (o *object) etag() string {
	return fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(o.body))[:32])
}

// write the object, or only its headers.
func (o *object) write(w http.ResponseWriter, r *request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", o.etag())
	w.Header().Set("Last-Modified", o.modified.UTC().Format(http.TimeFormat))
	w.Header().Set("X-Amz-Server-Side-Encryption", "AES256")
	if r.Method == http.MethodGet {
		_, _ = w.Write(o.body) //nolint:gosec // No browser shows it.
	}
}

// s3Object are operations on an object. The query and the headers of a request decide which permissions it takes.
func (s *Server) s3Object(r *request, name, key string) operation {
	action := map[string]string{http.MethodGet: "GetObject", http.MethodHead: "HeadObject", http.MethodPut: "PutObject", http.MethodDelete: "DeleteObject"}[r.Method]
	tagging := r.URL.Query().Has("tagging")
	if tagging {
		action += "Tagging"
	}
	if action == "" {
		return nil
	}
	r.about(action, name+"/"+key)
	return func() (any, *failure) {
		b := s.buckets[name]
		if b == nil {
			return nil, failf(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		}
		if f := s.mayTouch(r, b, key, action); f != nil {
			return nil, f
		}
		o := b.objects[key]
		switch {
		case tagging && o != nil:
			return o.tagging(r)
		case r.Method == http.MethodDelete:
			delete(b.objects, key)
			return http.StatusNoContent, nil
		case r.Method == http.MethodPut && !tagging:
			return b.put(r, key)
		case o == nil:
			return nil, failf(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		}
		return o, nil
	}
}

// mayTouch says whether the caller may do that to an object. Only a caller that may list the bucket learns whether the object exists.
func (s *Server) mayTouch(r *request, b *bucket, key, action string) *failure {
	arn := "arn:aws:s3:::" + b.name
	needs := map[string]bool{"s3:" + strings.Replace(action, "HeadObject", "GetObject", 1): true}
	for header, permission := range map[string]string{"X-Amz-Tagging": "s3:PutObjectTagging", "X-Amz-Acl": "s3:PutObjectAcl"} {
		if r.Method == http.MethodPut && r.Header.Get(header) != "" {
			needs[permission] = true
		}
	}
	for _, permission := range sorted(needs) {
		if f := s.allow(r, permission, arn+"/"+key, nil); f != nil {
			return f
		}
	}
	if b.objects[key] == nil && (action == "GetObject" || action == "HeadObject") {
		return s.allow(r, "s3:ListBucket", arn, nil)
	}
	return nil
}

func (b *bucket) put(r *request, key string) (any, *failure) {
	tags, err := url.ParseQuery(r.Header.Get("X-Amz-Tagging"))
	if err != nil {
		return nil, failf(http.StatusBadRequest, "InvalidArgument", "%s", err)
	}
	o := &object{body: r.body, modified: time.Now(), tags: map[string]string{}}
	for k := range tags {
		o.tags[k] = tags.Get(k)
	}
	b.objects[key] = o
	return o, nil
}

func (o *object) tagging(r *request) (any, *failure) {
	switch r.Method {
	case http.MethodPut:
		tags, f := taggingOf(r.body)
		if f == nil {
			o.tags = tags
		}
		return http.StatusOK, f
	case http.MethodDelete:
		o.tags = map[string]string{}
		return http.StatusNoContent, nil
	}
	return taggingXML(o.tags), nil
}

// deleteObjects at once. Those with a version take a permission of their own.
func (s *Server) deleteObjects(r *request, b *bucket) (any, *failure) {
	in := struct {
		Objects []struct {
			Key     string `xml:"Key"`
			Version string `xml:"VersionId"`
		} `xml:"Object"`
	}{}
	if err := xml.Unmarshal(r.body, &in); err != nil {
		return nil, failf(http.StatusBadRequest, "MalformedXML", "%s", err)
	}
	for _, o := range in.Objects {
		if o.Version != "" {
			if f := s.allow(r, "s3:DeleteObjectVersion", "arn:aws:s3:::"+b.name+"/"+o.Key, nil); f != nil {
				return nil, f
			}
		}
		delete(b.objects, o.Key)
	}
	return "<DeleteResult" + s3Namespace + "/>", nil
}

// versions of the objects whose keys have the prefix.
func (b *bucket) versions(prefix string) string {
	var out strings.Builder
	for _, key := range sorted(b.objects) {
		if strings.HasPrefix(key, prefix) {
			out.WriteString(el("Version", text("Key", key), text("VersionId", "null"), text("IsLatest", "true")))
		}
	}
	return "<ListVersionsResult" + s3Namespace + ">" + text("Name", b.name) + "<IsTruncated>false</IsTruncated>" + out.String() + "</ListVersionsResult>"
}
