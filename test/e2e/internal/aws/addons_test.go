package aws

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
)

// TestAddons installs the agent, as docs/bootstrap.md says.
func TestAddons(t *testing.T) {
	s := start(t)
	c := s.as(RootKey).eks
	cluster, err := c.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: sdk.String(Cluster)})
	if want := "arn:aws:eks:" + Region + ":" + Account + ":cluster/" + Cluster; err != nil || *cluster.Cluster.Arn != want {
		t.Fatalf("DescribeCluster: want %s, got %+v, %v", want, cluster, err)
	}
	name, of := sdk.String("eks-pod-identity-agent"), sdk.String(Cluster)
	_, err = c.DescribeAddon(t.Context(), &eks.DescribeAddonInput{AddonName: name, ClusterName: of})
	wantCode(t, "DescribeAddon before it exists", "ResourceNotFoundException", err)
	if _, err = c.CreateAddon(t.Context(), &eks.CreateAddonInput{AddonName: name, ClusterName: of}); err != nil {
		t.Fatal(err)
	}
	_, err = c.CreateAddon(t.Context(), &eks.CreateAddonInput{AddonName: name, ClusterName: of})
	wantCode(t, "CreateAddon again", "ResourceInUseException", err)
	got, err := c.DescribeAddon(t.Context(), &eks.DescribeAddonInput{AddonName: name, ClusterName: of})
	if err != nil || got.Addon.Status != types.AddonStatusCreating {
		t.Errorf("EKS takes some seconds to install an add-on, got %+v, %v", got, err)
	}
	s.AddRole("weak", anyPod, "")
	_, err = s.as(s.Login("weak")).eks.CreateAddon(t.Context(), &eks.CreateAddonInput{AddonName: name, ClusterName: of})
	wantCode(t, "CreateAddon without permission", "AccessDeniedException", err)
	if _, err = c.DeleteAddon(t.Context(), &eks.DeleteAddonInput{AddonName: name, ClusterName: of}); err != nil {
		t.Error(err)
	}
}
