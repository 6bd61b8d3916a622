//go:build schema

package bootstrap

// Never built. It keeps the version of eksctl in go.mod, from which the test takes the schema of its configuration: its Go types would
// compile most of the AWS SDK.
import _ "github.com/weaveworks/eksctl/pkg/apis/eksctl.io/v1alpha5"
