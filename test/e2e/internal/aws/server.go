// Package aws is one account of AWS, as far as this repository needs it: IAM, STS, EKS Pod Identity with its agent, and buckets and
// queues for those who use an identity. It speaks AWS's protocols, so that the real providers and SDKs work with it, and evaluates
// policies: it denies what they do not allow. It does not check signatures, but identifies callers by their access keys.
package aws

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// Account is its ID.
	Account = "123456789012"
	// Cluster of EKS that the control plane is. There are others of any name.
	Cluster = "prod"
	// Region of that cluster.
	Region = "eu-west-1"
	// RootKey is the access key of an administrator.
	RootKey = "AKIAROOT"
)

// A Server is the account.
type Server struct {
	// URL that it is served at.
	URL string
	// Latency of each request. Real requests take a while, and providers rely on it: a result that takes less than a few milliseconds
	// overtakes the code that waits for it.
	Latency time.Duration
	// Settle is how long EKS takes until the pods of a new association get credentials.
	Settle time.Duration
	// Installing is how long EKS takes to install an add-on.
	Installing time.Duration
	// SessionLife is how long a session lasts.
	SessionLife time.Duration

	http *http.Server

	mu  sync.Mutex
	ids int
	// oidc is the issuer that the account trusts, without https://.
	oidc         string
	roles        map[string]*role   // By name.
	policies     map[string]*policy // By ARN.
	associations map[string]*association
	addons       map[string]*addon   // By cluster and name.
	sessions     map[string]*session // By access key.
	buckets      map[string]*bucket
	queues       map[string]*queue
	faults       []*Fault
	calls        []Call
}

// New serves an empty account.
func New(ctx context.Context) (*Server, error) {
	s := &Server{
		Latency: 100 * time.Millisecond, Settle: 8 * time.Second, Installing: 3 * time.Second, SessionLife: 6 * time.Hour,
		roles: map[string]*role{}, policies: map[string]*policy{}, associations: map[string]*association{}, addons: map[string]*addon{}, sessions: map[string]*session{},
		buckets: map[string]*bucket{}, queues: map[string]*queue{},
	}
	for name, document := range managedPolicies {
		arn := "arn:aws:iam::aws:policy/" + name
		s.policies[arn] = &policy{name: name, arn: arn, path: "/", created: time.Now(), tags: map[string]string{}, versions: []*version{{id: "v1", document: document, standard: true}}}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.URL = "http://" + l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.http.Serve(l) }()
	return s, nil
}

// Close the account.
func (s *Server) Close() { _ = s.http.Close() }

// A Call that the account got.
type Call struct {
	At time.Time
	// Service and Action, such as iam and CreateRole.
	Service, Action string
	// Resource that it was about, by the name that people use: that of a role.
	Resource string
	// Caller is the ARN of the caller.
	Caller string
	// Parameters, if they go with the query protocol.
	Parameters url.Values
	// Write says that it would change something.
	Write bool
	// Needs are the actions that the caller had to be allowed to do, as policies call them: s3:ListBucket for HeadBucket.
	Needs []string
	// Code of the error that was answered.
	Code string
}

// String is the action and what it was about.
func (c Call) String() string { return c.Action + " " + c.Resource }

// A failure is an error that AWS answers.
type failure struct {
	status        int
	code, message string
}

func (f *failure) Error() string { return f.code + ": " + f.message }

func failf(status int, code, format string, args ...any) *failure {
	return &failure{status, code, fmt.Sprintf(format, args...)}
}

// A request on its way.
type request struct {
	*http.Request

	call   Call
	body   []byte
	region string
	// The session that makes it. Nil is an administrator.
	session *session
}

// An operation is what a request asks for. It runs under the lock.
type operation func() (any, *failure)

// A protocol of AWS: it understands requests, and writes answers and errors.
type protocol struct {
	read  func(*Server, *request) operation
	write func(w http.ResponseWriter, r *request, id string, answer any, f *failure)
}

// signature of a request: access key, region and service.
var signature = regexp.MustCompile(`Credential=([^/,]+)/[^/]+/([^/]*)/([^/]+)/aws4_request`)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, h *http.Request) {
	body, err := io.ReadAll(io.LimitReader(h.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r := &request{Request: h, body: body, region: Region, call: Call{At: time.Now()}}
	key := ""
	if m := signature.FindStringSubmatch(h.Header.Get("Authorization")); m != nil {
		key, r.region, r.call.Service = m[1], cmp.Or(m[2], Region), m[3]
	}
	p := protocolOf(r)
	answer, f := s.answer(p, r, key)
	if f != nil {
		r.call.Code = f.code
	}
	s.mu.Lock()
	s.calls = append(s.calls, r.call)
	id := fmt.Sprintf("%08d-0000-4000-8000-000000000000", len(s.calls))
	s.mu.Unlock()
	w.Header().Set("X-Amzn-Requestid", id)
	p.write(w, r, id, answer, f)
}

// protocolOf a request.
func protocolOf(r *request) protocol {
	switch {
	case r.URL.Path == "/v1/credentials":
		return agentProtocol
	case strings.HasPrefix(r.URL.Path, "/v20180820/"):
		return s3ControlProtocol
	case r.call.Service == "s3":
		return s3Protocol
	case r.call.Service == "sqs":
		return sqsProtocol
	case r.call.Service == "eks":
		return eksProtocol
	}
	return queryProtocol
}

// answer a request, or with a fault that was injected.
func (s *Server) answer(p protocol, r *request, key string) (any, *failure) {
	time.Sleep(s.Latency)
	run := p.read(s, r)
	fault := s.fault(r.call)
	if fault != nil {
		time.Sleep(fault.Latency)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.session, run = s.authenticate(key, run); r.session != nil {
		r.call.Caller = r.session.arn
	}
	switch {
	case run == nil:
		return nil, failf(http.StatusBadRequest, "InvalidAction", "Could not find operation %s %s %s: this account does not know it", r.call.Service, r.call.Action, r.Method+" "+r.URL.String())
	case fault == nil || fault.Code == "":
		return run()
	case fault.LostReply:
		if _, f := run(); f != nil {
			return nil, f
		}
	}
	status, message := fault.Answer(r.call)
	return nil, &failure{status, fault.Code, message}
}

// authenticate the caller of a request by its access key.
func (s *Server) authenticate(key string, run operation) (*session, operation) {
	if key == "" || key == RootKey {
		return nil, run
	}
	x := s.sessions[key]
	switch {
	case x == nil:
		return nil, func() (any, *failure) {
			return nil, failf(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
		}
	case time.Now().After(x.expires):
		return x, func() (any, *failure) {
			return nil, failf(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
		}
	}
	return x, run
}

// id that is new, and the same in every run that does the same.
func (s *Server) id(prefix string, digits int) string {
	s.ids++
	return fmt.Sprintf("%s%0*d", prefix, digits, s.ids)
}

// about says what a request is about, and whether it changes something.
func (r *request) about(action, resource string) {
	r.call.Action, r.call.Resource = action, resource
	r.call.Write = !slices.ContainsFunc([]string{"Get", "List", "Describe", "Head", "Assume"}, func(p string) bool { return strings.HasPrefix(action, p) })
}
