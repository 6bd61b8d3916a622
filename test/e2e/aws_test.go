package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/controlplane"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/pods"
)

// programs of the images for which a real provider is built, and the services that they are for.
var programs = map[string]struct{ tool, service string }{
	"provider-family-aws": {binaries.ProviderFamily, "family"},
	"provider-aws-iam":    {binaries.ProviderIAM, "iam"},
	"provider-aws-eks":    {binaries.ProviderEKS, "eks"},
	"provider-aws-s3":     {binaries.ProviderS3, "s3"},
	"provider-aws-sqs":    {binaries.ProviderSQS, "sqs"},
}

// The bootstrap of docs/bootstrap.md: the two providers that create all other identities get theirs by hand.
const (
	bootstrapRole  = "podidentity-bootstrap-" + aws.Cluster
	bootstrapTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],
"Condition":{"StringEquals":{"aws:RequestTag/eks-cluster-name":"` + aws.Cluster + `","aws:RequestTag/kubernetes-namespace":"` + controlplane.Namespace + `","aws:RequestTag/kubernetes-service-account":["provider-aws-iam","provider-aws-eks"]}}}]}`
)

// bootstrapAccounts are their ServiceAccounts.
var bootstrapAccounts = []string{"provider-aws-iam", "provider-aws-eks"}

// poll of the real providers. The default is ten minutes, which is too long for a scenario that changes something in AWS.
const poll = "--poll=30s"

// startAWS starts AWS with the real providers or the fake ones. Either way it does the bootstrap.
func (w *World) startAWS(realProviders bool) error {
	if !realProviders {
		w.AWS = w.Fakes
		for _, sa := range bootstrapAccounts {
			w.Fakes.Associate(controlplane.Namespace, sa, "")
		}
		return nil
	}
	server, err := aws.New(w.ctx)
	if err != nil {
		return err
	}
	w.AWS, w.Real = server, server
	policy, err := bootstrapPolicy()
	if err != nil {
		return err
	}
	role := server.AddRole(bootstrapRole, bootstrapTrust, policy)
	for _, sa := range bootstrapAccounts {
		server.Associate(controlplane.Namespace, sa, role)
	}

	w.Fakes.Access = func(serviceAccount string) string { return server.Access(controlplane.Namespace, serviceAccount) }
	w.Pods = &pods.Runner{
		ControlPlane: w.ControlPlane, Dir: filepath.Join(w.dir, "pods"), Programs: map[string]string{}, AWS: server.URL, Fail: sayf,
		Args: []string{poll},
		// AWS is all that providers reach. S3 Control has a host name for each account, and requests to it come through the proxy.
		Env: []string{"AWS_ENDPOINT_URL=" + server.URL, "AWS_ENDPOINT_URL_STS=" + server.URL, "HTTP_PROXY=" + server.URL, "AWS_EC2_METADATA_DISABLED=true"},
	}
	for image, p := range programs {
		w.Pods.Programs[image] = built.Paths[p.tool]
		w.Fakes.Real = append(w.Fakes.Real, p.service)
	}
	w.Kubelet.Ready = w.Pods.Ready
	go w.Pods.Run(w.ctx)
	return nil
}

// bootstrapPolicy is the policy of the bootstrap identity, for this account and cluster.
func bootstrapPolicy() (string, error) {
	policy, err := os.ReadFile(filepath.Join(built.Root, "docs", "bootstrap-policy.json"))
	return strings.NewReplacer("ACCOUNT_ID", aws.Account, "REGION", aws.Region, "CLUSTER_NAME", aws.Cluster).Replace(string(policy)), err
}

// keepIdentities in the file in which the pod identity webhook looks for ServiceAccounts that have an association.
func (w *World) keepIdentities(file string) {
	for w.ctx.Err() == nil {
		if err := w.writeIdentities(file); err != nil {
			sayf("cannot write the identities: %v", err)
		}
		select {
		case <-w.ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (w *World) writeIdentities(file string) error {
	b, err := json.Marshal(map[string]any{"identities": w.AWS.Identities()})
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, b) {
		return nil
	}
	// The webhook reads it at any time.
	if err := os.WriteFile(file+".new", b, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// logCalls of AWS, for people to read.
func (w *World) logCalls() error {
	f, err := os.Create(filepath.Join(w.Logs, "aws.log"))
	if err != nil {
		return err
	}
	for _, c := range w.Real.All() {
		if _, err := fmt.Fprintln(f, c.At.UTC().Format("15:04:05.000"), c.Service, c, c.Code, c.Caller); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}
