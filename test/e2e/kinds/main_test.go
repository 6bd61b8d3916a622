package kinds

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/providers"
)

// together is how many scenarios run at once.
const together = "16"

func TestMain(m *testing.M) { providers.Main(m, together) }

// A world is an API server with the kinds, AWS, and the real providers.
type world struct {
	*providers.World

	// Clients of an administrator.
	s3  *s3.Client
	sqs *sqs.Client
}

// newWorld for the kinds of some scenarios.
func newWorld(t *testing.T, cases []scenario) *world {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	o := providers.Options{
		Root: root, Name: "kinds", Poll: 3 * time.Second, Say: t.Logf,
		Programs: []string{binaries.ProviderIAM, binaries.ProviderEKS, binaries.ProviderS3, binaries.ProviderSQS},
	}
	for _, c := range cases {
		if !slices.Contains(o.Kinds, c.crd()) {
			o.Kinds = append(o.Kinds, c.crd())
		}
	}
	w := &world{}
	w.World, err = providers.Start(t.Context(), o)
	t.Cleanup(w.Stop)
	if err != nil {
		t.Fatal(err)
	}
	cfg := sdk.Config{Region: aws.Region, BaseEndpoint: &w.AWS.URL, Credentials: credentials.NewStaticCredentialsProvider(aws.RootKey, "secret", "")}
	w.sqs = sqs.NewFromConfig(cfg)
	w.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	return w
}
