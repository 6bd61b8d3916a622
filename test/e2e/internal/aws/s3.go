package aws

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type bucket struct {
	name, region string
	// owner is the ARN of the caller that created it.
	owner   string
	created time.Time
	tags    map[string]string
	// properties that are set, as they were sent, by their parameter and ID.
	properties map[string]string
	objects    map[string]*object
}

const s3Namespace = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`

// A property of a bucket: the permissions to read, set and remove it, and the answer while it is not set. An answer that begins with an
// error code and a bar is an error.
type property struct{ get, put, remove, unset string }

// properties by the parameter of the query. Permissions are as
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html has them.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var properties = map[string]property{
	"acl":                 {"GetBucketAcl", "PutBucketAcl", "", "<AccessControlPolicy" + s3Namespace + `><Owner><ID>owner</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>owner</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`},
	"accelerate":          {"GetAccelerateConfiguration", "PutAccelerateConfiguration", "", "<AccelerateConfiguration" + s3Namespace + "/>"},
	"analytics":           {"GetAnalyticsConfiguration", "PutAnalyticsConfiguration", "PutAnalyticsConfiguration", noConfiguration},
	"cors":                {"GetBucketCORS", "PutBucketCORS", "PutBucketCORS", "NoSuchCORSConfiguration|The CORS configuration does not exist"},
	"encryption":          {"GetEncryptionConfiguration", "PutEncryptionConfiguration", "PutEncryptionConfiguration", "<ServerSideEncryptionConfiguration" + s3Namespace + "><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"},
	"intelligent-tiering": {"GetIntelligentTieringConfiguration", "PutIntelligentTieringConfiguration", "PutIntelligentTieringConfiguration", noConfiguration},
	"inventory":           {"GetInventoryConfiguration", "PutInventoryConfiguration", "PutInventoryConfiguration", noConfiguration},
	"lifecycle":           {"GetLifecycleConfiguration", "PutLifecycleConfiguration", "PutLifecycleConfiguration", "NoSuchLifecycleConfiguration|The lifecycle configuration does not exist"},
	"logging":             {"GetBucketLogging", "PutBucketLogging", "", "<BucketLoggingStatus" + s3Namespace + "/>"},
	"metrics":             {"GetMetricsConfiguration", "PutMetricsConfiguration", "PutMetricsConfiguration", noConfiguration},
	"notification":        {"GetBucketNotification", "PutBucketNotification", "", "<NotificationConfiguration" + s3Namespace + "/>"},
	"object-lock":         {"GetBucketObjectLockConfiguration", "PutBucketObjectLockConfiguration", "", "ObjectLockConfigurationNotFoundError|Object Lock configuration does not exist for this bucket"},
	"ownershipControls":   {"GetBucketOwnershipControls", "PutBucketOwnershipControls", "PutBucketOwnershipControls", "OwnershipControlsNotFoundError|The bucket ownership controls were not found"},
	"policy":              {"GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy", "NoSuchBucketPolicy|The bucket policy does not exist"},
	"publicAccessBlock":   {"GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock", "PutBucketPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration|The public access block configuration was not found"},
	"replication":         {"GetReplicationConfiguration", "PutReplicationConfiguration", "PutReplicationConfiguration", "ReplicationConfigurationNotFoundError|The replication configuration was not found"},
	"requestPayment":      {"GetBucketRequestPayment", "PutBucketRequestPayment", "", "<RequestPaymentConfiguration" + s3Namespace + "><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"},
	"tagging":             {"GetBucketTagging", "PutBucketTagging", "PutBucketTagging", ""},
	"versioning":          {"GetBucketVersioning", "PutBucketVersioning", "", "<VersioningConfiguration" + s3Namespace + "/>"},
	"website":             {"GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite", "NoSuchWebsiteConfiguration|The specified bucket does not have a website configuration"},
}

// noConfiguration is the error of properties of which a bucket may have several.
const noConfiguration = "NoSuchConfiguration|The specified configuration does not exist."

// s3Protocol is REST with XML, with the bucket in the path.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var s3Protocol = protocol{read: func(s *Server, r *request) operation { return s.s3(r) }, write: writeS3}

// writeS3 answers, with a status only if the answer is a number.
func writeS3(w http.ResponseWriter, r *request, id string, answer any, f *failure) {
	w.Header().Set("X-Amz-Request-Id", id)
	w.Header().Set("X-Amz-Bucket-Region", r.region)
	w.Header().Set("Content-Type", "application/xml")
	if f != nil {
		w.WriteHeader(f.status)
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, xml.Header+el("Error", text("Code", f.code), text("Message", f.message), text("RequestId", id)))
		}
		return
	}
	switch answer := answer.(type) {
	case int:
		w.WriteHeader(answer)
	case *object:
		answer.write(w, r)
	default:
		if r.URL.Query().Has("lifecycle") {
			w.Header().Set(transitionSize, "all_storage_classes_128K")
		}
		_, _ = fmt.Fprint(w, answer) //nolint:gosec // No browser shows it.
	}
}

// transitionSize is the header that is a part of a lifecycle.
const transitionSize = "X-Amz-Transition-Default-Minimum-Object-Size"

// s3 operations on a bucket, or on an object in it.
func (s *Server) s3(r *request) operation {
	name, key, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	if key != "" {
		return s.s3Object(r, name, key)
	}
	action, part := bucketAction(r)
	if action == "" {
		return nil
	}
	r.about(action, name)
	return func() (any, *failure) {
		if f := s.allow(r, "s3:"+action, "arn:aws:s3:::"+name, nil); f != nil {
			return nil, f
		}
		b := s.buckets[name]
		if action == "CreateBucket" {
			return s.createBucket(r, name)
		}
		if b == nil {
			return nil, failf(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		}
		return s.onBucket(r, b, part)
	}
}

// bucketAction is the permission that an operation on a bucket takes, and the property or listing that it is about. An unknown operation
// has no permission.
func bucketAction(r *request) (action, part string) {
	q := r.URL.Query()
	for k, p := range properties {
		if q.Has(k) {
			return map[string]string{http.MethodGet: p.get, http.MethodPut: p.put, http.MethodDelete: p.remove}[r.Method], k
		}
	}
	switch {
	case q.Has("location"):
		return "GetBucketLocation", "location"
	case q.Has("versions"):
		return "ListBucketVersions", "versions"
	case q.Has("delete"):
		return "DeleteObject", "delete"
	}
	return map[string]string{http.MethodGet: "ListBucket", http.MethodHead: "ListBucket", http.MethodPut: "CreateBucket", http.MethodDelete: "DeleteBucket"}[r.Method], ""
}

func (s *Server) createBucket(r *request, name string) (any, *failure) {
	if s.buckets[name] != nil {
		return nil, failf(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	}
	in := struct {
		Tags []tag `xml:"Tags>Tag"`
	}{}
	if err := xml.Unmarshal(r.body, &in); len(r.body) > 0 && err != nil {
		return nil, failf(http.StatusBadRequest, "MalformedXML", "%s", err)
	}
	if f := s.mayTag(r, "s3:TagResource", "arn:aws:s3:::"+name, tagMap(in.Tags)); f != nil {
		return nil, f
	}
	s.buckets[name] = &bucket{name: name, region: r.region, owner: r.call.Caller, created: time.Now(), tags: tagMap(in.Tags), properties: map[string]string{}, objects: map[string]*object{}}
	if r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled") == "true" {
		return s.lockObjects(r, s.buckets[name])
	}
	return http.StatusOK, nil
}

// lockObjects of a new bucket, which takes versions.
func (s *Server) lockObjects(r *request, b *bucket) (any, *failure) {
	for _, action := range []string{"s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"} {
		if f := s.allow(r, action, "arn:aws:s3:::"+b.name, nil); f != nil {
			delete(s.buckets, b.name)
			return nil, f
		}
	}
	b.properties["object-lock/"] = "<ObjectLockConfiguration" + s3Namespace + "><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
	b.properties["versioning/"] = "<VersioningConfiguration" + s3Namespace + "><Status>Enabled</Status></VersioningConfiguration>"
	return http.StatusOK, nil
}

func (s *Server) onBucket(r *request, b *bucket, part string) (any, *failure) {
	switch part {
	case "":
		return s.wholeBucket(r, b)
	case "location":
		return "<LocationConstraint" + s3Namespace + ">" + cmp.Or(b.region, Region) + "</LocationConstraint>", nil
	case "versions":
		return b.versions(r.URL.Query().Get("prefix")), nil
	case "delete":
		return s.deleteObjects(r, b)
	case "tagging":
		return b.tagging(r)
	}
	at := part + "/" + r.URL.Query().Get("id")
	switch r.Method {
	case http.MethodPut:
		b.properties[at] = string(r.body)
		return "", nil
	case http.MethodDelete:
		delete(b.properties, at)
		return http.StatusNoContent, nil
	}
	// A property that was sent in a header alone left no text, and reads as if it was not set.
	if set := b.properties[at]; set != "" {
		return set, nil
	}
	if code, message, ok := strings.Cut(properties[part].unset, "|"); ok {
		return nil, failf(http.StatusNotFound, code, "%s", message)
	}
	return properties[part].unset, nil
}

// wholeBucket is looked at, listed, or deleted.
func (s *Server) wholeBucket(r *request, b *bucket) (any, *failure) {
	switch r.Method {
	case http.MethodDelete:
		if len(b.objects) > 0 {
			return nil, failf(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
		}
		delete(s.buckets, b.name)
		return http.StatusNoContent, nil
	case http.MethodHead:
		return http.StatusOK, nil
	}
	return "<ListBucketResult" + s3Namespace + ">" + text("Name", b.name) + "<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>", nil
}

func (b *bucket) tagging(r *request) (any, *failure) {
	switch r.Method {
	case http.MethodPut:
		tags, f := taggingOf(r.body)
		if f == nil {
			b.tags = tags
		}
		return http.StatusNoContent, f
	case http.MethodDelete:
		b.tags = map[string]string{}
		return http.StatusNoContent, nil
	}
	if len(b.tags) == 0 {
		return nil, failf(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist")
	}
	return taggingXML(b.tags), nil
}

func taggingOf(body []byte) (map[string]string, *failure) {
	in := struct {
		Tags []tag `xml:"TagSet>Tag"`
	}{}
	if err := xml.Unmarshal(body, &in); err != nil {
		return nil, failf(http.StatusBadRequest, "MalformedXML", "%s", err)
	}
	return tagMap(in.Tags), nil
}

func taggingXML(tags map[string]string) string {
	return "<Tagging" + s3Namespace + ">" + el("TagSet", tagElements(tags)) + "</Tagging>"
}

type tag struct {
	Key   string `xml:"Key"`
	Value string `xml:"Value"`
}

func tagMap(tags []tag) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[t.Key] = t.Value
	}
	return out
}

func tagElements(tags map[string]string) string {
	var b strings.Builder
	for _, k := range sorted(tags) {
		b.WriteString(el("Tag", text("Key", k), text("Value", tags[k])))
	}
	return b.String()
}

// s3ControlProtocol is that of S3 Control, which reads and writes tags of buckets, too.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var s3ControlProtocol = protocol{
	read: func(s *Server, r *request) operation {
		arn := strings.TrimPrefix(r.URL.Path, "/v20180820/tags/")
		action := map[string]string{http.MethodGet: "ListTagsForResource", http.MethodPost: "TagResource", http.MethodDelete: "UntagResource"}[r.Method]
		name := arn[strings.LastIndex(arn, ":")+1:]
		r.about(action, name)
		return func() (any, *failure) {
			if f := s.allow(r, "s3:"+action, arn, nil); f != nil {
				return nil, f
			}
			b := s.buckets[name]
			if b == nil {
				return nil, failf(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
			}
			return s.tagBucket(r, b)
		}
	},
	write: writeS3,
}

func (s *Server) tagBucket(r *request, b *bucket) (any, *failure) {
	switch r.Method {
	case http.MethodPost:
		in := struct {
			Tags []tag `xml:"Tags>Tag"`
		}{}
		if err := xml.Unmarshal(r.body, &in); err != nil {
			return nil, failf(http.StatusBadRequest, "MalformedXML", "%s", err)
		}
		for _, t := range in.Tags {
			b.tags[t.Key] = t.Value
		}
		return http.StatusNoContent, nil
	case http.MethodDelete:
		drop(b.tags, r.URL.Query()["tagKeys"])
		return http.StatusNoContent, nil
	}
	return `<ListTagsForResourceResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">` + el("Tags", tagElements(b.tags)) + "</ListTagsForResourceResult>", nil
}
