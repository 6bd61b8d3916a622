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
	// Owner is the ARN of who made it.
	owner   string
	created time.Time
	tags    map[string]string
}

const s3Namespace = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`

// A property of a bucket: the permission to read it, and what it says when nobody has set it. An answer that begins with an error code
// and a bar is an error.
type property struct{ permission, unset string }

// properties by the parameter of the query.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var properties = map[string]property{
	"acl":               {"s3:GetBucketAcl", "<AccessControlPolicy" + s3Namespace + `><Owner><ID>owner</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>owner</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`},
	"accelerate":        {"s3:GetAccelerateConfiguration", "<AccelerateConfiguration" + s3Namespace + "/>"},
	"cors":              {"s3:GetBucketCORS", "NoSuchCORSConfiguration|The CORS configuration does not exist"},
	"encryption":        {"s3:GetEncryptionConfiguration", "<ServerSideEncryptionConfiguration" + s3Namespace + "><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"},
	"lifecycle":         {"s3:GetLifecycleConfiguration", "NoSuchLifecycleConfiguration|The lifecycle configuration does not exist"},
	"logging":           {"s3:GetBucketLogging", "<BucketLoggingStatus" + s3Namespace + "/>"},
	"object-lock":       {"s3:GetBucketObjectLockConfiguration", "ObjectLockConfigurationNotFoundError|Object Lock configuration does not exist for this bucket"},
	"ownershipControls": {"s3:GetBucketOwnershipControls", "OwnershipControlsNotFoundError|The bucket ownership controls were not found"},
	"policy":            {"s3:GetBucketPolicy", "NoSuchBucketPolicy|The bucket policy does not exist"},
	"publicAccessBlock": {"s3:GetBucketPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration|The public access block configuration was not found"},
	"replication":       {"s3:GetReplicationConfiguration", "ReplicationConfigurationNotFoundError|The replication configuration was not found"},
	"requestPayment":    {"s3:GetBucketRequestPayment", "<RequestPaymentConfiguration" + s3Namespace + "><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"},
	"versioning":        {"s3:GetBucketVersioning", "<VersioningConfiguration" + s3Namespace + "/>"},
	"website":           {"s3:GetBucketWebsite", "NoSuchWebsiteConfiguration|The specified bucket does not have a website configuration"},
}

// s3Protocol is REST with XML, with the bucket in the path.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var s3Protocol = protocol{read: func(s *Server, r *request) operation { return s.s3(r) }, write: writeS3}

// writeS3 answers, with nothing more than a status where that is the answer.
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
	if status, ok := answer.(int); ok {
		w.WriteHeader(status)
		return
	}
	_, _ = fmt.Fprint(w, answer) //nolint:gosec // Nobody looks at it with a browser.
}

// s3 operations on a bucket.
func (s *Server) s3(r *request) operation {
	name := strings.Trim(r.URL.Path, "/")
	part := ""
	for k := range r.URL.Query() {
		if k != "x-id" && k != "list-type" && k != "max-keys" {
			part = k
		}
	}
	action := ""
	switch p, known := properties[part]; {
	case part == "" && r.Method == http.MethodPut:
		action = "s3:CreateBucket"
	case part == "" && r.Method == http.MethodDelete:
		action = "s3:DeleteBucket"
	case part == "":
		action = "s3:ListBucket"
	case part == "tagging" && r.Method == http.MethodGet:
		action = "s3:GetBucketTagging"
	case part == "tagging":
		action = "s3:PutBucketTagging"
	case part == "location":
		action = "s3:GetBucketLocation"
	case known && r.Method == http.MethodGet:
		action = p.permission
	default:
		return nil
	}
	r.about(strings.TrimPrefix(action, "s3:"), name)
	return func() (any, *failure) {
		if f := s.allow(r, action, "arn:aws:s3:::"+name, nil); f != nil {
			return nil, f
		}
		if action == "s3:CreateBucket" {
			return s.createBucket(r, name)
		}
		b := s.buckets[name]
		if b == nil {
			return nil, failf(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		}
		return s.onBucket(r, b, part)
	}
}

func (s *Server) createBucket(r *request, name string) (any, *failure) {
	if s.buckets[name] != nil {
		return nil, failf(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	}
	s.buckets[name] = &bucket{name: name, region: r.region, owner: r.call.Caller, created: time.Now(), tags: map[string]string{}}
	return http.StatusOK, nil
}

func (s *Server) onBucket(r *request, b *bucket, part string) (any, *failure) {
	switch {
	case part == "" && r.Method == http.MethodDelete:
		delete(s.buckets, b.name)
		return http.StatusNoContent, nil
	case part == "" && r.Method == http.MethodHead:
		return http.StatusOK, nil
	case part == "":
		return "<ListBucketResult" + s3Namespace + ">" + text("Name", b.name) + "<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>", nil
	case part == "location":
		return "<LocationConstraint" + s3Namespace + ">" + cmp.Or(b.region, Region) + "</LocationConstraint>", nil
	case part == "tagging" && r.Method == http.MethodPut:
		in := struct {
			Tags []tag `xml:"TagSet>Tag"`
		}{}
		if err := xml.Unmarshal(r.body, &in); err != nil {
			return nil, failf(http.StatusBadRequest, "MalformedXML", "%s", err)
		}
		b.tags = tagMap(in.Tags)
		return http.StatusNoContent, nil
	case part == "tagging" && r.Method == http.MethodDelete:
		b.tags = map[string]string{}
		return http.StatusNoContent, nil
	case part == "tagging" && len(b.tags) == 0:
		return nil, failf(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist")
	case part == "tagging":
		return "<Tagging" + s3Namespace + ">" + el("TagSet", tagElements(b.tags)) + "</Tagging>", nil
	}
	if code, message, ok := strings.Cut(properties[part].unset, "|"); ok {
		return nil, failf(http.StatusNotFound, code, "%s", message)
	}
	return properties[part].unset, nil
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

// s3ControlProtocol is that of S3 Control, whose tags are those of a bucket, too.
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
