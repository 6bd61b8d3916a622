package demo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/demo"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-provider-aws/internal/framework"
)

func newRuleResource(context.Context) (resource.ResourceWithConfigure, error) {
	r := &ruleResource{}
	r.rule = r
	return r, nil
}

func newOtherRuleResource(context.Context) (resource.ResourceWithConfigure, error) {
	r := &otherRuleResource{}
	r.rule = r
	return r, nil
}

// A resource whose base calls what it does differently from others.
type ruleResource struct{ baseResource }

// Another one of the same base.
type otherRuleResource struct{ baseResource }

type rule interface{ create(context.Context) }

type baseResource struct {
	rule
	framework.ResourceWithModel[thingModel]
}

func (r *baseResource) Schema(ctx context.Context) {}

func (r *baseResource) Create(ctx context.Context) { r.create(ctx) }

func (r *baseResource) Read(ctx context.Context) {
	conn := r.Meta().DemoClient(ctx)
	conn.GetRule(ctx, &demo.GetRuleInput{})
}

func (r *baseResource) Delete(ctx context.Context) {
	conn := r.Meta().DemoClient(ctx)
	conn.DeleteRule(ctx, &demo.DeleteRuleInput{})
}

func (r *ruleResource) create(ctx context.Context) {
	conn := r.Meta().DemoClient(ctx)
	conn.CreateRule(ctx, &demo.CreateRuleInput{})
}

func (r *otherRuleResource) create(ctx context.Context) {
	conn := r.Meta().DemoClient(ctx)
	conn.CreateOtherRule(ctx, &demo.CreateOtherRuleInput{})
}
