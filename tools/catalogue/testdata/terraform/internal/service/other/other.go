package other

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/other"
)

func Attach(ctx context.Context, conn *other.Client) error {
	_, err := conn.Attach(ctx, &other.AttachInput{})
	return err
}
