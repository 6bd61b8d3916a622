package aws

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// A Fault makes calls fail, or take longer.
type Fault struct {
	// Action, such as CreateRole, and Resource that it is about. Both are patterns of path.Match; empty: any.
	Action, Resource string
	// Times that it happens. 0: until it is removed.
	Times int
	// Latency of the answer.
	Latency time.Duration
	// Code of the error, such as LimitExceeded. Empty: none.
	Code string
	// Message of the error. Empty: what AWS says.
	Message string
	// LostReply: the action is carried out, but the answer is an error.
	LostReply bool
}

// Inject a fault, until remove is called.
func (s *Server) Inject(f Fault) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &f
	s.faults = append(s.faults, p)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.faults = slices.DeleteFunc(s.faults, func(q *Fault) bool { return q == p })
	}
}

// fault of a call. Nil if there is none.
func (s *Server) fault(c Call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if !f.Matches(c) {
			continue
		}
		if f.Times > 0 {
			f.Times--
			if f.Times == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		return f
	}
	return nil
}

// Matches says whether the fault is for a call.
func (f *Fault) Matches(c Call) bool {
	return matches(f.Action, c.Action) && matches(f.Resource, c.Resource)
}

func matches(pattern, text string) bool {
	ok, err := path.Match(pattern, text)
	return pattern == "" || err == nil && ok
}

// arn of what a call is about.
func (c Call) arn() string {
	switch {
	case strings.HasPrefix(c.Resource, "arn:"):
		return c.Resource
	case c.Service == "iam" && strings.Contains(c.Action, "Role"):
		return "arn:aws:iam::" + Account + ":role/" + c.Resource
	case c.Service == "iam":
		return "arn:aws:iam::" + Account + ":policy/" + c.Resource
	case c.Service == "eks":
		cluster, _, _ := strings.Cut(c.Resource, "/")
		return "arn:aws:eks:" + Region + ":" + Account + ":cluster/" + cluster
	}
	return "arn:aws:" + c.Service + ":::" + c.Resource
}

// Answer to a call: the status and the message of the error.
func (f *Fault) Answer(c Call) (status int, message string) {
	status, message = http.StatusBadRequest, f.Message
	say := func(format string, args ...any) {
		if message == "" {
			message = fmt.Sprintf(format, args...)
		}
	}
	switch f.Code {
	case "AccessDenied", "AccessDeniedException":
		status = http.StatusForbidden
		say("User: %s is not authorized to perform: %s:%s on resource: %s because no identity-based policy allows the %[2]s:%[3]s action", c.Caller, c.Service, c.Action, c.arn())
	case "Throttling", "ThrottlingException":
		say("Rate exceeded")
	case "EntityAlreadyExists", "DeleteConflict", "ResourceInUseException", "ConcurrentModification", "LimitExceeded":
		status = http.StatusConflict
	case "NoSuchEntity", "ResourceNotFoundException":
		status = http.StatusNotFound
	case "ServiceFailure", "InternalFailure":
		status = http.StatusInternalServerError
	case "ExpiredToken", "InvalidClientTokenId":
		status = http.StatusForbidden
	}
	say("%s", f.Code)
	return status, message
}
