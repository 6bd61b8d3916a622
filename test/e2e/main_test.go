package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
)

// update says to rewrite the files in testdata.
var update = flag.Bool("update", false, "rewrite testdata")

// A version of Crossplane, with the provider-aws that goes with it.
type version struct {
	crossplane string
	tool       binaries.Tool
	// Where Crossplane's and the providers' source is.
	module          string
	provider        string
	providerVersion string
	olderProvider   string
	// safeStart is what the packages of this version ask for.
	safeStart bool
}

var (
	v2 = version{
		crossplane: "v2.3.4", tool: binaries.CrossplaneV2, module: "github.com/crossplane/crossplane/v2",
		provider: "github.com/upbound/provider-aws/v2", providerVersion: "v2.5.0", olderProvider: "v2.4.0", safeStart: true,
	}
	v1 = version{
		crossplane: "v1.20.0", tool: binaries.CrossplaneV1, module: "github.com/crossplane/crossplane",
		provider: "github.com/upbound/provider-aws", providerVersion: "v1.23.0", olderProvider: "v1.22.0",
	}
)

// A scenario is a story about one world.
type scenario struct {
	name string
	tell func(*Story)
	// alone: it wants a control plane of its own.
	alone bool
	// core: it is told on every version of Crossplane, and not only if everything is.
	core bool
}

// scenarios in the order in which they are told. Those that share a control plane come before those that do not.
var scenarios = []scenario{
	{name: "Seed", tell: seed, core: true},
	{name: "Credentials", tell: credentials},
	{name: "Quiet", tell: quiet},
	{name: "OneFails", tell: oneFails},
	{name: "Edits", tell: edits},
	{name: "BadClaim", tell: badClaim},
	{name: "Chaos", tell: chaos},
	{name: "TwoClaims", tell: twoClaims},
	{name: "Foreign", tell: foreign},
	{name: "Teardown", tell: teardown, core: true},
	{name: "Removal", tell: removal},
	{name: "Unordered", tell: unordered},
	{name: "GitOps", tell: gitOps, alone: true, core: true},
	{name: "RBAC", tell: rbac, alone: true},
}

// built is what TestMain built.
var built struct {
	binaries.Builder
	paths map[string]string
	// dir is removed at the end.
	dir string
	// The function and the packages of this repository.
	function, functionPackage, configurationPackage string
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv("E2E") == "" {
		fmt.Println("E2E is not set: skipping. See docs/e2e.md.")
		return 0
	}
	log.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer func() { _ = os.RemoveAll(built.dir) }()
	err := build(ctx)
	// From here on an interrupt ends everything: what runs dies with this process.
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func sayf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// build everything from source that this machine does not have yet.
func build(ctx context.Context) error {
	began := time.Now()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	built.Builder = binaries.Builder{Root: root, Say: sayf}
	built.paths = map[string]string{}
	for _, t := range []binaries.Tool{
		binaries.CLI, binaries.Etcd, binaries.APIServer, binaries.ControllerManager, binaries.Kubectl, binaries.Webhook, binaries.CrossplaneV2, binaries.CrossplaneV1,
	} {
		if built.paths[t.Name], err = built.Build(ctx, t); err != nil {
			return err
		}
	}
	if built.dir, err = os.MkdirTemp("", "e2e"); err != nil {
		return err
	}
	out := filepath.Join(built.dir, "xpkg")
	sayf("function and packages: building")
	if msg, err := built.Command(ctx, "tools/xpkg", "run", ".", "--crossplane="+built.paths[binaries.CLI.Name], "--arch="+runtime.GOARCH, "--version=v0.1.0", "--output="+out).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build the packages: %w\n%s", err, msg)
	}
	built.function = filepath.Join(out, "runtime", "function-"+runtime.GOARCH)
	built.functionPackage = filepath.Join(out, "function-pod-identity-provider-"+runtime.GOARCH+".xpkg")
	built.configurationPackage = filepath.Join(out, "configuration-pod-identity-provider.xpkg")
	sayf("everything is built (%.0f s)", time.Since(began).Seconds())
	return nil
}

// TestE2E tells every scenario, on every version of Crossplane that it is for.
func TestE2E(t *testing.T) {
	for _, v := range []version{v2, v1} {
		t.Run(v.crossplane, func(t *testing.T) {
			all := v == v2 || os.Getenv("E2E") == "all"
			var shared *World
			for _, s := range scenarios {
				if s.alone || !s.core && !all {
					continue
				}
				t.Run(s.name, func(st *testing.T) {
					if shared == nil {
						shared = NewWorld(st, t, v)
					}
					shared.tell(st, s)
				})
			}
			if shared != nil {
				shared.Close()
			}
			for _, s := range scenarios {
				if !s.alone || !s.core && !all {
					continue
				}
				t.Run(s.name, func(st *testing.T) {
					w := NewWorld(st, st, v)
					defer w.Close()
					w.tell(st, s)
				})
			}
		})
	}
}
