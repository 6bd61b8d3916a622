package aws

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
)

type queue struct {
	name, region, owner string
	attributes, tags    map[string]string
}

func (q *queue) arn() string { return "arn:aws:sqs:" + q.region + ":" + Account + ":" + q.name }
func (q *queue) url() string {
	return "https://sqs." + q.region + ".amazonaws.com/" + Account + "/" + q.name
}

// defaultAttributes of a queue.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var defaultAttributes = map[string]string{
	"DelaySeconds": "0", "MaximumMessageSize": "262144", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0", "VisibilityTimeout": "30", "SqsManagedSseEnabled": "true",
}

// sqsProtocol is JSON with the operation in a header.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var sqsProtocol = protocol{
	read: func(s *Server, r *request) operation { return s.sqs(r) },
	write: func(w http.ResponseWriter, _ *request, _ string, answer any, f *failure) {
		if f != nil {
			// Clients know the error by the name that it had in the query protocol.
			w.Header().Set("X-Amzn-Query-Error", f.code+";Sender")
			if f.code == noQueue {
				f = failf(f.status, "com.amazonaws.sqs#QueueDoesNotExist", "%s", f.message)
			}
		}
		writeJSON(w, "application/x-amz-json-1.0", answer, f)
	},
}

// noQueue is the code of the error for a queue that does not exist.
const noQueue = "AWS.SimpleQueueService.NonExistentQueue"

// A queueInput is the body of operations on a queue.
type queueInput struct {
	QueueName  string            `json:"QueueName"`
	QueueURL   string            `json:"QueueUrl"`
	Attributes map[string]string `json:"Attributes"`
	Tags       map[string]string `json:"Tags"`
	TagKeys    []string          `json:"TagKeys"`
}

// sqs operations.
func (s *Server) sqs(r *request) operation {
	in := queueInput{}
	if err := json.Unmarshal(r.body, &in); err != nil {
		return nil
	}
	action := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	name := in.QueueName
	if name == "" {
		name = in.QueueURL[strings.LastIndex(in.QueueURL, "/")+1:]
	}
	r.about(action, name)
	run := queueActions[action]
	if run == nil && action != "CreateQueue" {
		return nil
	}
	return func() (any, *failure) {
		if f := s.allow(r, "sqs:"+action, (&queue{name: name, region: r.region}).arn(), withTags(nil, in.Tags)); f != nil {
			return nil, f
		}
		q := s.queues[name]
		if run == nil {
			return s.createQueue(r, name, in)
		}
		if q == nil {
			return nil, failf(http.StatusBadRequest, noQueue, "The specified queue does not exist.")
		}
		return run(s, q, in), nil
	}
}

func (s *Server) createQueue(r *request, name string, in queueInput) (any, *failure) {
	q := s.queues[name]
	if q == nil {
		q = &queue{name: name, region: r.region, owner: r.call.Caller, attributes: maps.Clone(defaultAttributes), tags: map[string]string{}}
		maps.Copy(q.attributes, in.Attributes)
		maps.Copy(q.tags, in.Tags)
		s.queues[name] = q
	}
	return map[string]string{"QueueUrl": q.url()}, nil
}

// queueActions by name. Each gets the queue, which exists.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var queueActions = map[string]func(*Server, *queue, queueInput) any{
	"GetQueueUrl": func(_ *Server, q *queue, _ queueInput) any { return map[string]string{"QueueUrl": q.url()} },
	"GetQueueAttributes": func(_ *Server, q *queue, _ queueInput) any {
		attributes := maps.Clone(q.attributes)
		attributes["QueueArn"] = q.arn()
		return map[string]any{"Attributes": attributes}
	},
	"SetQueueAttributes": func(_ *Server, q *queue, in queueInput) any {
		maps.Copy(q.attributes, in.Attributes)
		if in.Attributes["KmsMasterKeyId"] != "" {
			q.attributes["SqsManagedSseEnabled"] = "false" // A queue has one kind of encryption.
		}
		// An empty value removes an attribute.
		maps.DeleteFunc(q.attributes, func(_, v string) bool { return v == "" })
		return map[string]any{}
	},
	"ListQueueTags": func(_ *Server, q *queue, _ queueInput) any { return map[string]any{"Tags": q.tags} },
	"TagQueue": func(_ *Server, q *queue, in queueInput) any {
		maps.Copy(q.tags, in.Tags)
		return map[string]any{}
	},
	"UntagQueue": func(_ *Server, q *queue, in queueInput) any {
		drop(q.tags, in.TagKeys)
		return map[string]any{}
	},
	"DeleteQueue": func(s *Server, q *queue, _ queueInput) any {
		delete(s.queues, q.name)
		return map[string]any{}
	},
}
