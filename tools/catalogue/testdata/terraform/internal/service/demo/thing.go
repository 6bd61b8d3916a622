package demo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/demo"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-provider-aws/internal/conns"
	"github.com/hashicorp/terraform-provider-aws/internal/framework"
)

func newThingResource(context.Context) (resource.ResourceWithConfigure, error) {
	r := thingResource{}
	return &r, nil
}

type thingResource struct {
	framework.ResourceWithModel[thingModel]
}

type thingModel struct{}

func (r *thingResource) Schema(ctx context.Context) {}

func (r *thingResource) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	conn := r.Meta().DemoClient(ctx)
	var input demo.CreateThingInput
	conn.CreateThing(ctx, &input)
	r.finish(ctx, conn)
}

func (r *thingResource) finish(ctx context.Context, conn *demo.Client) {
	conn.FinishThing(ctx, &demo.FinishThingInput{})
}

func (r *thingResource) Read(ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse) {
	findThing(ctx, r.Meta().DemoClient(ctx))
}

func (r *thingResource) Delete(ctx context.Context, request resource.DeleteRequest, response *resource.DeleteResponse) {
	r.Meta().DemoClient(ctx).DeleteThing(ctx, &demo.DeleteThingInput{})
}

// A finder has the client behind an interface.
func findThing(ctx context.Context, conn *demo.Client) {
	p := &paginator{client: conn}
	p.next(ctx)
}

type listThings interface {
	ListThings(context.Context, *demo.ListThingsInput) error
}

type paginator struct{ client listThings }

func (p *paginator) next(ctx context.Context) { p.client.ListThings(ctx, &demo.ListThingsInput{}) }

func (p *servicePackage) ListTags(ctx context.Context, meta any, identifier, resourceType string) {
	conn := meta.(*conns.AWSClient).DemoClient(ctx)
	switch resourceType {
	case "Box":
		conn.ListBoxTags(ctx, &demo.ListBoxTagsInput{})
	default:
		conn.ListThingTags(ctx, &demo.ListThingTagsInput{})
	}
}

func (p *servicePackage) UpdateTags(ctx context.Context, meta any, identifier, resourceType string) {
	updateTags(ctx, meta.(*conns.AWSClient).DemoClient(ctx), resourceType)
}

func updateTags(ctx context.Context, conn *demo.Client, resourceType string) {
	switch resourceType {
	case "Box":
		conn.TagBox(ctx, &demo.TagBoxInput{})
	case "Thing":
		conn.TagThing(ctx, &demo.TagThingInput{})
	}
}
