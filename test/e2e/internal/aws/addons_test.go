package aws

import (
	"testing"
	"time"

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
	for _, want := range []types.AddonStatus{types.AddonStatusCreating, types.AddonStatusActive} {
		s.Installing = map[types.AddonStatus]time.Duration{types.AddonStatusCreating: time.Hour}[want]
		if got, err := c.DescribeAddon(t.Context(), &eks.DescribeAddonInput{AddonName: name, ClusterName: of}); err != nil || got.Addon.Status != want {
			t.Errorf("after %s the add-on should be %s, got %+v, %v", s.Installing, want, got, err)
		}
	}
	s.AddRole("weak", anyPod, "")
	_, err = s.as(s.Login("weak")).eks.CreateAddon(t.Context(), &eks.CreateAddonInput{AddonName: name, ClusterName: of})
	wantCode(t, "CreateAddon without permission", "AccessDeniedException", err)
	if _, err = c.DeleteAddon(t.Context(), &eks.DeleteAddonInput{AddonName: name, ClusterName: of}); err != nil {
		t.Error(err)
	}
	_, err = c.DescribeAddon(t.Context(), &eks.DescribeAddonInput{AddonName: name, ClusterName: of})
	wantCode(t, "DescribeAddon after it is deleted", "ResourceNotFoundException", err)
}
