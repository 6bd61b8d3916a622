package demo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/demo"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-provider-aws/internal/conns"
	"github.com/hashicorp/terraform-provider-aws/names"
)

// A resource that calls something else for every field that changes.
func resourceChanging() *schema.Resource {
	return &schema.Resource{
		CreateWithoutTimeout: resourceChangingCreate,
		ReadWithoutTimeout:   resourceChangingRead,
		UpdateWithoutTimeout: resourceChangingUpdate,
		DeleteWithoutTimeout: resourceChangingDelete,
		CustomizeDiff:        func(_ context.Context, d *schema.ResourceDiff, _ any) error { return d.SetNewComputed("planned") },
	}
}

func resourceChangingCreate(ctx context.Context, d *schema.ResourceData, meta any) error {
	_, err := meta.(*conns.AWSClient).DemoClient(ctx).CreateChanging(ctx, &demo.CreateChangingInput{})
	return err
}

func resourceChangingRead(ctx context.Context, d *schema.ResourceData, meta any) error {
	_, err := meta.(*conns.AWSClient).DemoClient(ctx).GetChanging(ctx, &demo.GetChangingInput{})
	return err
}

func resourceChangingUpdate(ctx context.Context, d *schema.ResourceData, meta any) error {
	conn := meta.(*conns.AWSClient).DemoClient(ctx)
	if d.HasChange("color") && !d.IsNewResource() {
		conn.PutColor(ctx, &demo.PutColorInput{})
	}
	if d.HasChange(names.AttrSize) {
		conn.PutSize(ctx, &demo.PutSizeInput{})
	} else {
		conn.PutOther(ctx, &demo.PutOtherInput{})
	}
	if d.HasChange("planned") {
		conn.PutPlanned(ctx, &demo.PutPlannedInput{})
	}
	if d.HasChanges("color", names.AttrSize) || d.HasChange("color") {
		conn.PutBoth(ctx, &demo.PutBothInput{})
	}
	return nil
}

func resourceChangingDelete(ctx context.Context, d *schema.ResourceData, meta any) error {
	_, err := meta.(*conns.AWSClient).DemoClient(ctx).DeleteChanging(ctx, &demo.DeleteChangingInput{})
	return err
}
