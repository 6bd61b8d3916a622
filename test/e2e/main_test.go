package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/binaries"
)

// update rewrites the files in testdata.
var update = flag.Bool("update", false, "rewrite testdata")

// A version of Crossplane, with the provider-aws that goes with it.
type version struct {
	crossplane string
	// tool that hack/tool.sh builds.
	tool string
	// The Go modules with Crossplane's and the providers' source.
	module          string
	provider        string
	providerVersion string
	olderProvider   string
	// safeStart says that the packages of this version have the capability SafeStart.
	safeStart bool
}

var (
	v2 = version{
		crossplane: "v2.4.2", tool: binaries.CrossplaneV2, module: "github.com/crossplane/crossplane/v2",
		provider: "github.com/upbound/provider-aws/v2", providerVersion: "v2.5.0", olderProvider: "v2.3.0", safeStart: true,
	}
	v23 = version{
		crossplane: "v2.3.5", tool: binaries.CrossplaneV23, module: "github.com/crossplane/crossplane/v2",
		provider: "github.com/upbound/provider-aws/v2", providerVersion: "v2.5.0", olderProvider: "v2.3.0", safeStart: true,
	}
	v1 = version{
		crossplane: "v1.20.11", tool: binaries.CrossplaneV1, module: "github.com/crossplane/crossplane",
		provider: "github.com/upbound/provider-aws", providerVersion: "v1.23.0", olderProvider: "v1.22.0",
	}
	// versions that are tested. All scenarios run on the first.
	versions = []version{v2, v23, v1}
)

// An entry is a scenario and how to run it.
type entry struct {
	name string
	run  func(*Scenario)
	// apart: it would disturb others or be disturbed by them, and runs while no other does.
	apart bool
	// alone: it needs a control plane of its own.
	alone bool
	// fake: the fake provider-aws is enough for it, unless all scenarios run. The real one takes more of the machine.
	fake bool
	// long: it runs only if all scenarios do, or with the others that do what pages say.
	long bool
	// also lists older versions of Crossplane on which it always runs, and not only if all scenarios do.
	also []version
	// only is the one version of Crossplane on which it runs. Empty: any.
	only string
	// page: it does what pages say, and make newcomer runs it.
	page bool
	// large: it takes long. It runs on demand, and no other scenario does then.
	large bool
}

// scenarios in the order in which they run: first those that are alone, then those apart, then all others together.
var scenarios = []entry{
	{name: "GitOps", run: gitOps, alone: true, fake: true, also: []version{v1}},
	{name: "RBAC", run: rbac, alone: true, fake: true},
	{name: "Proof", run: proof, alone: true, fake: true},
	{name: "PlatformConfiguration", run: platformConfiguration, alone: true, fake: true, also: []version{v1}},
	{name: "AdoptSeed", run: adoptSeed, alone: true, only: v2.crossplane, page: true},
	{name: "FromIRSA", run: fromIRSA, alone: true, long: true, only: v2.crossplane, page: true},
	{name: "UpgradeFunction", run: upgradeFunction, alone: true, fake: true},
	{name: "SafeStart", run: safeStart, alone: true, only: v2.crossplane},
	{name: "Tenants", run: tenants, alone: true, long: true, only: v2.crossplane},
	{name: "ToTenants", run: toTenants, alone: true, long: true, only: v2.crossplane},
	{name: "OtherRegistry", run: otherRegistry, alone: true, fake: true},
	{name: "Scale", run: scale, alone: true, fake: true, large: true},
	{name: "ScaleTenants", run: scaleTenants, alone: true, fake: true, large: true, only: v2.crossplane},
	{name: "UpgradeCrossplane", run: upgradeCrossplane, alone: true, fake: true, also: []version{v1}, only: v1.crossplane},
	{name: "QuickStart", run: quickStart, alone: true, long: true, only: v2.crossplane, page: true},
	{name: "BootstrapContrib", run: bootstrapContrib, alone: true, long: true, only: v2.crossplane, page: true},
	{name: "BootstrapParts", run: bootstrapParts, alone: true, long: true, only: v2.crossplane, page: true},
	{name: "Playground", run: playground, alone: true, long: true, only: v2.crossplane, page: true},
	{name: "Seed", run: seed, apart: true, also: []version{v23, v1}},
	{name: "Chaos", run: chaos, apart: true, fake: true},
	{name: "Removal", run: removal, fake: true},
	{name: "Bucket", run: buckets, only: v2.crossplane},
	{name: "Faults", run: faults, only: v2.crossplane},
	{name: "Fields", run: fields, long: true, only: v2.crossplane},
	{name: "Background", run: background, fake: true},
	{name: "Edits", run: edits, fake: true},
	{name: "Credentials", run: credentials, fake: true},
	{name: "OneFails", run: oneFails},
	{name: "Quiet", run: quiet, fake: true},
	{name: "TwoClaims", run: twoClaims, fake: true},
	{name: "Foreign", run: foreign, fake: true},
	{name: "Unordered", run: unordered, fake: true},
	{name: "RebuiltCluster", run: rebuiltCluster},
	{name: "Dependency", run: dependency, fake: true},
	{name: "BadTemplate", run: badTemplate, fake: true},
	{name: "ImageConfigOverride", run: imageConfigOverride, fake: true, only: v2.crossplane},
	{name: "BadClaim", run: badClaim, fake: true},
}

// together is how many scenarios run at once.
const together = "4"

// newcomerVariable is the value of E2E that runs the scenarios that do what pages say.
const newcomerVariable = "newcomer"

// A release of this repository: the function and the packages.
type release struct {
	Function, FunctionPackage, ConfigurationPackage string
}

// The releases that are built. The function of the second one gives every role another description.
const (
	released = "v0.1.0"
	next     = "v0.2.0"
	// nextDescription is that description.
	nextDescription = "made by the next version"
)

// plugin for kubectl, of this repository.
const plugin = "kubectl-pod_identity"

// forReaders are tools that only scenarios need that do what pages say.
var forReaders = []string{binaries.AWSCLI, binaries.Terraform, binaries.TerraformProvider, plugin}

// needed says whether a run needs a tool. The playground is for the newest version of Crossplane.
func needed(e2e, tool string) bool {
	switch e2e {
	case playgroundVariable:
		return tool != v1.tool && tool != v23.tool && !slices.Contains(forReaders, tool)
	case "scale":
		return !slices.Contains(forReaders, tool)
	}
	return true
}

// built is what TestMain built.
var built struct {
	binaries.Builder
	// Paths of tools, and of the source of modules.
	Paths, Sources map[string]string
	Releases       map[string]release
	// Dir is removed at the end.
	Dir string
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv("E2E") == "" {
		return m.Run()
	}
	log.SetLogger(logr.Discard())
	if err := flag.Set("test.parallel", together); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if os.Getenv(laneVariable) != "" {
		if err := enterLane(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer func() { _ = os.RemoveAll(built.Dir) }()
	if os.Getenv("E2E") == playgroundVariable {
		if err := build(ctx, released); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if err := os.Setenv(laneVariable, realLane); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}
	if err := build(ctx, released, next); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ok, err := runLanes(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if !ok {
		return 1
	}
	return 0
}

func sayf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// build everything that this machine does not have yet from source, and releases of this repository.
func build(ctx context.Context, releases ...string) error {
	began := time.Now()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	built.Builder = binaries.Builder{Root: root}
	built.Paths = map[string]string{}
	for _, tool := range binaries.All() {
		if !needed(os.Getenv("E2E"), tool) {
			continue
		}
		if built.Paths[tool], err = built.Build(ctx, tool); err != nil {
			return err
		}
	}
	built.Sources = map[string]string{}
	for _, v := range versions {
		if built.Sources[v.crossplane], err = built.Source(ctx, filepath.Join("tools", v.tool), v.module, ""); err != nil {
			return err
		}
		if built.Sources[v.provider], err = built.Source(ctx, filepath.Join("tools", v.tool), v.provider, v.providerVersion); err != nil {
			return err
		}
	}
	if built.Dir, err = os.MkdirTemp("", "e2e"); err != nil {
		return err
	}
	if needed(os.Getenv("E2E"), plugin) {
		built.Paths[plugin] = filepath.Join(built.Dir, plugin)
		if msg, err := built.Command(ctx, filepath.Join("cmd", "kubectl-pod_identity"), "build", "-o", built.Paths[plugin], ".").CombinedOutput(); err != nil {
			return fmt.Errorf("cannot build the kubectl plugin: %w\n%s", err, msg)
		}
	}
	built.Releases = map[string]release{}
	for _, version := range releases {
		source := root
		if version == next {
			source = filepath.Join(built.Dir, "next")
			if err := nextSource(source); err != nil {
				return err
			}
		}
		sayf("function and packages %s: building", version)
		out := filepath.Join(built.Dir, version)
		cmd := built.Command(ctx, "tools/xpkg", "run", ".", "--crossplane="+built.Paths[binaries.CLI], "--arch="+runtime.GOARCH, "--version="+version, "--root="+source, "--output="+out)
		if msg, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("cannot build the packages: %w\n%s", err, msg)
		}
		built.Releases[version] = release{
			Function:             filepath.Join(out, "runtime", "function-"+runtime.GOARCH),
			FunctionPackage:      filepath.Join(out, "function-pod-identity-provider-"+runtime.GOARCH+".xpkg"),
			ConfigurationPackage: filepath.Join(out, "configuration-pod-identity-provider.xpkg"),
		}
	}
	sayf("everything is built (%.0f s)", time.Since(began).Seconds())
	return nil
}

// nextSource writes the source of a next version: this repository, with one change in what is composed.
func nextSource(dir string) error {
	entries, err := os.ReadDir(built.Root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch from, to := filepath.Join(built.Root, e.Name()), filepath.Join(dir, e.Name()); {
		case strings.HasPrefix(e.Name(), "."), e.Name() == "_output", e.Name() == "test":
			continue
		case e.IsDir():
			err = os.CopyFS(to, os.DirFS(from))
		default:
			err = copyFile(from, to)
		}
		if err != nil {
			return err
		}
	}
	file := filepath.Join(dir, "internal", "resources", "01_role.go")
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	// The desired role changes, and with it what is composed and what counts as ready.
	text := strings.Replace(string(source), "return wantedRole{}", "return wantedRole{v1alpha1.Role{Description: \""+nextDescription+"\"}}", 1)
	text = strings.Replace(text, "return wantedRole{*c.Identity.Spec.Role}", "r := *c.Identity.Spec.Role\n\tr.Description = \""+nextDescription+"\"\n\treturn wantedRole{r}", 1)
	if strings.Count(text, nextDescription) != 2 {
		return fmt.Errorf("%s is not what this suite knows: fix nextSource", file)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}

// TestE2E runs every scenario, on every version of Crossplane that it is for.
func TestE2E(t *testing.T) {
	if e2e := os.Getenv("E2E"); e2e == "" || e2e == playgroundVariable {
		t.Skip("E2E is not set. See docs/e2e.md.")
	}
	for _, v := range versions {
		t.Run(v.crossplane, func(t *testing.T) {
			e2e := os.Getenv("E2E")
			all := v == v2 || e2e == "all"
			shared := &sharedWorld{last: t, version: v}
			for _, e := range scenarios {
				if lane(v, e) != os.Getenv(laneVariable) || e.large != (e2e == "scale") || e.long && e2e != "all" && e2e != newcomerVariable || !e.page && e2e == newcomerVariable || !slices.Contains(e.also, v) && !all || e.only != "" && e.only != v.crossplane {
					continue
				}
				t.Run(e.name, func(st *testing.T) {
					if e.alone {
						w := NewWorld(st, st, v)
						defer w.Close()
						w.runScenario(st, e)
						return
					}
					if !e.apart {
						st.Parallel()
					}
					shared.get(st).runScenario(st, e)
				})
			}
		})
	}
}

// A sharedWorld exists from the first scenario that asks for it until the last has run.
type sharedWorld struct {
	last    *testing.T
	version version

	mu    sync.Mutex
	world *World
}

func (s *sharedWorld) get(t *testing.T) *World {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world == nil {
		w := NewWorld(t, s.last, s.version)
		(&Scenario{T: t, World: w, began: time.Now(), last: time.Now()}).Install()
		s.world = w
	}
	return s.world
}
