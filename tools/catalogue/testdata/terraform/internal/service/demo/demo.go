package demo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/demo"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-provider-aws/internal/conns"
	tfother "github.com/hashicorp/terraform-provider-aws/internal/service/other"
)

func resourceBox() *schema.Resource {
	return &schema.Resource{
		CreateWithoutTimeout: resourceBoxCreate,
		ReadWithoutTimeout:   resourceBoxRead,
		UpdateWithoutTimeout: resourceBoxUpdate,
		DeleteWithoutTimeout: resourceBoxDelete,
		Importer:             &schema.ResourceImporter{StateContext: importBox},
	}
}

// A second resource with the functions of the first.
func resourceAlias() *schema.Resource { return resourceBox() }

func resourceBoxCreate(ctx context.Context, d *schema.ResourceData, meta any) error {
	conn := meta.(*conns.AWSClient).DemoClient(ctx)
	input := demo.CreateBoxInput{Name: aws.String("x")}
	if _, err := conn.CreateBox(ctx, &input); err != nil {
		return err
	}
	return wait(ctx, statusBox(conn))
}

func resourceBoxRead(ctx context.Context, d *schema.ResourceData, meta any) error {
	// The schema of the resource is no call of it.
	_ = resourceBox().Schema
	_, err := findBox(ctx, meta.(*conns.AWSClient).DemoClient(ctx), &demo.DescribeBoxesInput{})
	return err
}

func resourceBoxUpdate(ctx context.Context, d *schema.ResourceData, meta any) error {
	return tfother.Attach(ctx, meta.(*conns.AWSClient).OtherClient(ctx))
}

func resourceBoxDelete(ctx context.Context, d *schema.ResourceData, meta any) error {
	_, err := meta.(*conns.AWSClient).DemoClient(ctx).DeleteBox(ctx, &demo.DeleteBoxInput{})
	return err
}

func importBox(ctx context.Context, meta any) error {
	_, err := meta.(*conns.AWSClient).DemoClient(ctx).ImportBox(ctx, &demo.ImportBoxInput{})
	return err
}

func findBox(ctx context.Context, conn *demo.Client, input *demo.DescribeBoxesInput) (any, error) {
	pages := demo.NewDescribeBoxesPaginator(conn, input)
	return pages.NextPage(ctx)
}

// A function that is handed on, and called elsewhere.
func statusBox(conn *demo.Client) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := conn.GetBoxStatus(ctx, nil)
		return err
	}
}

func wait(ctx context.Context, f func(context.Context) error) error { return f(ctx) }

type handler struct{}

func resourceHandled() *schema.Resource {
	h := &handler{}
	return &schema.Resource{CreateWithoutTimeout: h.Upsert, ReadWithoutTimeout: h.Read, UpdateWithoutTimeout: h.Upsert, DeleteWithoutTimeout: h.Delete}
}

func (h *handler) Upsert(ctx context.Context, d *schema.ResourceData, meta any) error {
	_, err := meta.(*conns.AWSClient).DemoClient(ctx).PutHandled(ctx, &demo.PutHandledInput{})
	return err
}

func (h *handler) Read(ctx context.Context, d *schema.ResourceData, meta any) error {
	_, err := meta.(*conns.AWSClient).DemoClient(ctx).GetHandled(ctx, &demo.GetHandledInput{})
	return err
}

func (h *handler) Delete(ctx context.Context, d *schema.ResourceData, meta any) error {
	_, err := meta.(*conns.AWSClient).DemoClient(ctx).DeleteHandled(ctx, &demo.DeleteHandledInput{})
	return err
}

// A resource that cannot be understood: it has no functions, an input that nobody calls, and a waiter that nobody knows.
func resourceOdd() *schema.Resource {
	return &schema.Resource{ReadWithoutTimeout: resourceOddRead}
}

func resourceOddRead(ctx context.Context, d *schema.ResourceData, meta any) error {
	conn := meta.(*conns.AWSClient).DemoClient(ctx)
	_ = demo.StrangeInput{}
	return demo.NewBoxReadyWaiter(conn).Wait(ctx)
}
