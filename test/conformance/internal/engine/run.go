package engine

import (
	"context"
	"fmt"

	fnv1 "github.com/crossplane/crossplane/v2/proto/fn/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Run calls the function once, without Crossplane.
func (r *Runner) Run(ctx context.Context, req *fnv1.RunFunctionRequest) (*fnv1.RunFunctionResponse, error) {
	fn, err := r.function(ctx, "")
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(fn.target(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("cannot reach the function: %w", err)
	}
	defer func() { _ = conn.Close() }() // Nothing more is written to it.
	rsp, err := fnv1.NewFunctionRunnerServiceClient(conn).RunFunction(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("cannot run the function: %w\n%s", err, fn.tail())
	}
	return rsp, nil
}
