package demo

import (
	"context"
	"unique"

	inttypes "github.com/hashicorp/terraform-provider-aws/internal/types"
	"github.com/hashicorp/terraform-provider-aws/names"
)

type servicePackage struct{}

func (p *servicePackage) FrameworkResources(ctx context.Context) []*inttypes.ServicePackageFrameworkResource {
	return []*inttypes.ServicePackageFrameworkResource{
		{Factory: newRuleResource, TypeName: "aws_demo_rule"},
		{Factory: newOtherRuleResource, TypeName: "aws_demo_other_rule"},
		{Factory: newThingResource, TypeName: "aws_demo_thing", Tags: unique.Make(inttypes.ServicePackageResourceTags{IdentifierAttribute: names.AttrARN, ResourceType: "Thing"})},
	}
}

func (p *servicePackage) SDKResources(ctx context.Context) []*inttypes.ServicePackageSDKResource {
	return []*inttypes.ServicePackageSDKResource{
		{Factory: resourceBox, TypeName: "aws_demo_box", Tags: unique.Make(inttypes.ServicePackageResourceTags{IdentifierAttribute: names.AttrID, ResourceType: "Box"})},
		{Factory: resourceChanging, TypeName: "aws_demo_changing"},
		{Factory: resourceAlias, TypeName: "aws_demo_alias"},
		{Factory: resourceHandled, TypeName: "aws_demo_handled"},
		{Factory: resourceOdd, TypeName: "aws_demo_odd"},
	}
}
