package conns

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/demo"
	"github.com/aws/aws-sdk-go-v2/service/other"
)

type AWSClient struct{}

func (c *AWSClient) DemoClient(ctx context.Context) *demo.Client   { return nil }
func (c *AWSClient) OtherClient(ctx context.Context) *other.Client { return nil }
