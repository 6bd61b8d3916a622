package aws

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// podsService is the name of EKS Pod Identity in trust policies and in conditions of iam:PassRole.
const podsService = "pods.eks.amazonaws.com"

type association struct {
	id, arn, cluster, namespace, serviceAccount string

	role, target, externalID, token string
	noSessionTags                   bool
	created, modified               time.Time
	tags                            map[string]string
}

func (x *association) key() string { return associationKey(x.cluster, x.namespace, x.serviceAccount) }

func associationKey(cluster, namespace, serviceAccount string) string {
	return cluster + "/" + namespace + "/" + serviceAccount
}

func (x *association) json() map[string]any {
	m := map[string]any{
		"clusterName": x.cluster, "namespace": x.namespace, "serviceAccount": x.serviceAccount, "roleArn": x.role, "associationArn": x.arn, "associationId": x.id,
		"createdAt": x.created.Unix(), "modifiedAt": x.modified.Unix(), "tags": x.tags, "disableSessionTags": x.noSessionTags,
	}
	if x.target != "" {
		m["targetRoleArn"], m["externalId"] = x.target, x.externalID
	}
	return m
}

// An associationInput is the body of creations and updates.
type associationInput struct {
	ClientRequestToken string            `json:"clientRequestToken"`
	Namespace          string            `json:"namespace"`
	ServiceAccount     string            `json:"serviceAccount"`
	RoleARN            string            `json:"roleArn"`
	TargetRoleARN      string            `json:"targetRoleArn"`
	DisableSessionTags *bool             `json:"disableSessionTags"`
	Tags               map[string]string `json:"tags"`
}

// eksProtocol is REST with JSON.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var eksProtocol = protocol{
	read: func(s *Server, r *request) operation { return s.eks(r) },
	write: func(w http.ResponseWriter, _ *request, _ string, answer any, f *failure) {
		writeJSON(w, "application/json", answer, f)
	},
}

// writeJSON answers as the protocols with JSON do.
func writeJSON(w http.ResponseWriter, contentType string, answer any, f *failure) {
	w.Header().Set("Content-Type", contentType)
	status := http.StatusOK
	if f != nil {
		w.Header().Set("X-Amzn-Errortype", f.code)
		status, answer = f.status, map[string]any{"message": f.message, "__type": f.code}
	}
	b, err := json.Marshal(answer)
	if err != nil {
		// Answers consist of types that JSON has.
		panic(err)
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// eks operations: /tags/ARN, /clusters/NAME, and a cluster's associations and add-ons.
func (s *Server) eks(r *request) operation {
	in := associationInput{}
	if len(r.body) > 0 && json.Unmarshal(r.body, &in) != nil {
		return nil
	}
	if arn, ok := strings.CutPrefix(r.URL.EscapedPath(), "/tags/"); ok {
		arn, _ = url.PathUnescape(arn)
		r.about(map[string]string{http.MethodGet: "ListTagsForResource", http.MethodPost: "TagResource", http.MethodDelete: "UntagResource"}[r.Method], arn)
		return func() (any, *failure) { return s.tagAssociation(r, arn, in.Tags) }
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if parts[0] == "clusters" && (len(parts) == 2 || len(parts) > 2 && parts[2] == "addons") {
		return s.eksCluster(r, parts[1], parts[2:])
	}
	switch {
	case len(parts) == 3 && parts[0] == "clusters" && parts[2] == "pod-identity-associations" && r.Method == http.MethodPost:
		r.about("CreatePodIdentityAssociation", associationKey(parts[1], in.Namespace, in.ServiceAccount))
		return func() (any, *failure) { return s.createAssociation(r, parts[1], in) }
	case len(parts) == 3 && parts[0] == "clusters" && parts[2] == "pod-identity-associations":
		r.about("ListPodIdentityAssociations", parts[1])
		return func() (any, *failure) { return s.listAssociations(r, parts[1]) }
	case len(parts) == 4 && parts[0] == "clusters" && parts[2] == "pod-identity-associations":
		action := map[string]string{http.MethodGet: "Describe", http.MethodPost: "Update", http.MethodDelete: "Delete"}[r.Method]
		r.about(action+"PodIdentityAssociation", s.called(parts[1], parts[3]))
		return func() (any, *failure) { return s.onAssociation(r, parts[1], parts[3], in) }
	}
	return nil
}

// called is the name by which people know an association: its cluster, namespace and ServiceAccount.
func (s *Server) called(cluster, id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.associations[id]; x != nil && x.cluster == cluster {
		return x.key()
	}
	return cluster + "/" + id
}

func (r *request) cluster(name string) string {
	return "arn:aws:eks:" + r.region + ":" + Account + ":cluster/" + name
}

func (r *request) association(cluster, id string) string {
	return "arn:aws:eks:" + r.region + ":" + Account + ":podidentityassociation/" + cluster + "/" + id
}

func (s *Server) createAssociation(r *request, cluster string, in associationInput) (any, *failure) {
	x := &association{
		id: s.id("a-", 17), cluster: cluster, namespace: in.Namespace, serviceAccount: in.ServiceAccount, role: in.RoleARN, target: in.TargetRoleARN, token: in.ClientRequestToken,
		noSessionTags: in.DisableSessionTags != nil && *in.DisableSessionTags, created: time.Now(), modified: time.Now(), tags: map[string]string{},
	}
	x.arn = r.association(cluster, x.id)
	maps.Copy(x.tags, in.Tags)
	if f := s.allow(r, "eks:CreatePodIdentityAssociation", r.cluster(cluster), withTags(nil, in.Tags)); f != nil {
		return nil, f
	}
	if f := s.mayTag(r, "eks:TagResource", x.arn, in.Tags); f != nil {
		return nil, f
	}
	for _, y := range s.associations {
		switch {
		case y.key() != x.key():
		case y.token == x.token && y.token != "":
			return map[string]any{"association": y.json()}, nil // The same request comes again.
		default:
			return nil, failf(http.StatusConflict, "ResourceInUseException", "Association already exists: %s", y.id)
		}
	}
	if f := s.mayPass(r, in.RoleARN); f != nil {
		return nil, f
	}
	if x.target != "" {
		x.externalID = s.id("external-", 17)
	}
	s.associations[x.id] = x
	return map[string]any{"association": x.json()}, nil
}

// mayPass is nil if the role exists, and the caller may pass it to EKS.
func (s *Server) mayPass(r *request, arn string) *failure {
	if f := s.allow(r, "iam:PassRole", arn, map[string]string{"iam:PassedToService": podsService}); f != nil {
		return f
	}
	if f := s.allow(r, "iam:GetRole", arn, nil); f != nil {
		return f
	}
	if x := s.roles[arn[strings.LastIndex(arn, "/")+1:]]; x == nil || x.arn != arn {
		return failf(http.StatusBadRequest, "InvalidParameterException", "Role provided in the request does not exist.")
	}
	return nil
}

func (s *Server) listAssociations(r *request, cluster string) (any, *failure) {
	if f := s.allow(r, "eks:ListPodIdentityAssociations", r.cluster(cluster), nil); f != nil {
		return nil, f
	}
	found := []any{}
	q := r.URL.Query()
	for _, id := range sorted(s.associations) {
		x := s.associations[id]
		if x.cluster == cluster && (q.Get("namespace") == "" || q.Get("namespace") == x.namespace) && (q.Get("serviceAccount") == "" || q.Get("serviceAccount") == x.serviceAccount) {
			found = append(found, map[string]any{"clusterName": cluster, "namespace": x.namespace, "serviceAccount": x.serviceAccount, "associationArn": x.arn, "associationId": x.id})
		}
	}
	return map[string]any{"associations": found}, nil
}

func (s *Server) onAssociation(r *request, cluster, id string, in associationInput) (any, *failure) {
	if f := s.allow(r, "eks:"+r.call.Action, r.association(cluster, id), nil); f != nil {
		return nil, f
	}
	x := s.associations[id]
	if x == nil || x.cluster != cluster {
		return nil, failf(http.StatusNotFound, "ResourceNotFoundException", "No association found for associationId: %s", id)
	}
	switch r.Method {
	case http.MethodPost:
		return s.updateAssociation(r, x, in)
	case http.MethodDelete:
		delete(s.associations, id)
	}
	return map[string]any{"association": x.json()}, nil
}

// updateAssociation. Fields that are not sent stay as they are.
func (s *Server) updateAssociation(r *request, x *association, in associationInput) (any, *failure) {
	if in.RoleARN != "" {
		if f := s.mayPass(r, in.RoleARN); f != nil {
			return nil, f
		}
		x.role = in.RoleARN
	}
	if in.TargetRoleARN != "" {
		x.target = in.TargetRoleARN
		if x.externalID == "" {
			x.externalID = s.id("external-", 17)
		}
	}
	if in.DisableSessionTags != nil {
		x.noSessionTags = *in.DisableSessionTags
	}
	x.modified = time.Now()
	return map[string]any{"association": x.json()}, nil
}

func (s *Server) tagAssociation(r *request, arn string, tags map[string]string) (any, *failure) {
	if f := s.allow(r, "eks:"+r.call.Action, arn, withTags(nil, tags)); f != nil {
		return nil, f
	}
	for _, x := range s.associations {
		if x.arn != arn {
			continue
		}
		r.call.Resource = x.key()
		switch r.Method {
		case http.MethodPost:
			maps.Copy(x.tags, tags)
		case http.MethodDelete:
			drop(x.tags, r.URL.Query()["tagKeys"])
		default:
			return map[string]any{"tags": x.tags}, nil
		}
		return map[string]any{}, nil
	}
	return nil, failf(http.StatusNotFound, "NotFoundException", "Resource not found: %s", arn)
}
