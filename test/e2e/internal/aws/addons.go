package aws

import (
	"encoding/json"
	"net/http"
	"time"
)

// An addon of a cluster.
type addon struct {
	name, cluster, arn string
	created            time.Time
}

// json is what EKS answers about an add-on.
func (s *Server) json(x *addon) map[string]any {
	status := "ACTIVE"
	if time.Since(x.created) < s.Installing {
		status = "CREATING"
	}
	return map[string]any{"addon": map[string]any{
		"addonName": x.name, "clusterName": x.cluster, "addonArn": x.arn, "addonVersion": "v1.3.10-eksbuild.2", "status": status,
		"health": map[string]any{"issues": []any{}}, "createdAt": x.created.Unix(), "modifiedAt": x.created.Unix(), "tags": map[string]string{},
	}}
}

// eksCluster operations: on a cluster, which exists, and on its add-ons.
func (s *Server) eksCluster(r *request, cluster string, rest []string) operation {
	switch {
	case len(rest) == 0 && r.Method == http.MethodGet:
		r.about("DescribeCluster", cluster)
		return func() (any, *failure) {
			return map[string]any{"cluster": map[string]any{"name": cluster, "arn": r.cluster(cluster), "status": "ACTIVE", "version": "1.34", "createdAt": 1700000000}}, s.allow(r, "eks:DescribeCluster", r.cluster(cluster), nil)
		}
	case len(rest) == 1 && r.Method == http.MethodPost:
		in := struct {
			AddonName string `json:"addonName"`
		}{}
		if json.Unmarshal(r.body, &in) != nil {
			return nil
		}
		r.about("CreateAddon", cluster+"/"+in.AddonName)
		return func() (any, *failure) { return s.createAddon(r, cluster, in.AddonName) }
	case len(rest) == 2 && (r.Method == http.MethodGet || r.Method == http.MethodDelete):
		r.about(map[string]string{http.MethodGet: "DescribeAddon", http.MethodDelete: "DeleteAddon"}[r.Method], cluster+"/"+rest[1])
		return func() (any, *failure) { return s.onAddon(r, cluster, rest[1]) }
	}
	return nil
}

// createAddon on a cluster that does not have it.
func (s *Server) createAddon(r *request, cluster, name string) (any, *failure) {
	if f := s.allow(r, "eks:CreateAddon", r.cluster(cluster), nil); f != nil {
		return nil, f
	}
	key := cluster + "/" + name
	if s.addons[key] != nil {
		return nil, failf(http.StatusConflict, "ResourceInUseException", "Addon already exists.")
	}
	s.addons[key] = &addon{name: name, cluster: cluster, arn: r.addon(cluster, name), created: time.Now()}
	return s.json(s.addons[key]), nil
}

// onAddon describes or deletes an add-on.
func (s *Server) onAddon(r *request, cluster, name string) (any, *failure) {
	if f := s.allow(r, "eks:"+r.call.Action, r.addon(cluster, name), nil); f != nil {
		return nil, f
	}
	key := cluster + "/" + name
	x := s.addons[key]
	if x == nil {
		return nil, failf(http.StatusNotFound, "ResourceNotFoundException", "No addon: %s found in cluster: %s", name, cluster)
	}
	if r.Method == http.MethodDelete {
		delete(s.addons, key)
	}
	return s.json(x), nil
}

// addon is the ARN of an add-on.
func (r *request) addon(cluster, name string) string {
	return "arn:aws:eks:" + r.region + ":" + Account + ":addon/" + cluster + "/" + name + "/1"
}
