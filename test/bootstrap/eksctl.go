//go:build schema

package bootstrap

// This file is never built. It keeps eksctl's version in go.mod. The test takes the schema of eksctl's configuration from that module:
// its Go types would compile most of the AWS SDK.
import _ "github.com/weaveworks/eksctl/pkg/apis/eksctl.io/v1alpha5"
