package aws

import (
	"net/http"
	"time"
)

// agentProtocol is that of the EKS Pod Identity Agent, which gives a pod the credentials of its ServiceAccount's association.
//
//nolint:gochecknoglobals // A constant in all but the keyword.
var agentProtocol = protocol{
	read: func(s *Server, r *request) operation {
		r.call.Service = "eks-auth"
		pod, err := podOf(r.Header.Get("Authorization"))
		r.about("AssumeRoleForPodIdentity", pod.Namespace+"/"+pod.ServiceAccount.Name)
		return func() (any, *failure) {
			if err != nil {
				return nil, failf(http.StatusBadRequest, "InvalidTokenException", "Service account token is malformed: %s", err)
			}
			return s.credentials(pod)
		}
	},
	write: func(w http.ResponseWriter, _ *request, _ string, answer any, f *failure) {
		if f != nil {
			// The agent answers in plain text.
			http.Error(w, f.Error(), f.status)
			return
		}
		writeJSON(w, "application/json", answer, nil)
	},
}

// A pod as its token describes it.
type pod struct {
	Namespace      string `json:"namespace"`
	ServiceAccount struct {
		Name string `json:"name"`
	} `json:"serviceaccount"`
	Pod struct {
		Name string `json:"name"`
		UID  string `json:"uid"`
	} `json:"pod"`
}

// podOf a token of a ServiceAccount.
func podOf(token string) (pod, error) {
	claims := struct {
		Kubernetes pod `json:"kubernetes.io"`
	}{}
	err := ClaimsOf(token, &claims)
	return claims.Kubernetes, err
}

// credentials of a pod: EKS assumes the association's role with session tags, and from there its target role.
func (s *Server) credentials(p pod) (any, *failure) {
	x := s.associated(p.Namespace, p.ServiceAccount.Name)
	if x == nil {
		return nil, failf(http.StatusNotFound, "ResourceNotFoundException", "No pod identity association found for %s/%s", p.Namespace, p.Pod.Name)
	}
	a := assumption{
		role: x.role, session: "eks-" + x.cluster + "-" + p.Pod.Name, service: podsService,
		keys: map[string]string{"aws:SourceAccount": Account, "aws:SourceArn": "arn:aws:eks:" + Region + ":" + Account + ":cluster/" + x.cluster},
	}
	if !x.noSessionTags {
		a.tags = map[string]string{
			"eks-cluster-arn": a.keys["aws:SourceArn"], "eks-cluster-name": x.cluster, "kubernetes-namespace": p.Namespace,
			"kubernetes-service-account": p.ServiceAccount.Name, "kubernetes-pod-name": p.Pod.Name, "kubernetes-pod-uid": p.Pod.UID,
		}
		a.transitive = sorted(a.tags)
	}
	session, f := s.assume(a)
	if f == nil && x.target != "" {
		session, f = s.assume(assumption{role: x.target, session: a.session, by: session, externalID: x.externalID})
	}
	if f != nil {
		return nil, failf(http.StatusForbidden, "AccessDeniedException", "Unauthorized Exception! EKS does not have permissions to assume the associated role. (%s)", f.message)
	}
	return map[string]string{
		"AccessKeyId": session.key, "SecretAccessKey": "secret", "Token": session.key, "AccountId": Account, "Expiration": stamp(session.expires),
	}, nil
}

// associated is the association of a ServiceAccount of this cluster, if EKS knows it everywhere by now.
func (s *Server) associated(namespace, serviceAccount string) *association {
	for _, x := range s.associations {
		if x.key() == associationKey(Cluster, namespace, serviceAccount) && !time.Now().Before(x.created.Add(s.Settle)) {
			return x
		}
	}
	return nil
}
