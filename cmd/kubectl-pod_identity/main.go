// Command kubectl-pod_identity is a kubectl plugin. It reads a cluster, and changes nothing.
//
//	kubectl pod-identity doctor    what every AWS provider runs with, and what is wrong
//	kubectl pod-identity look      which providers exist before you install, and what to do
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

// Exit codes, for CI.
const (
	exitFine     = 0
	exitProblems = 1
	exitFailed   = 2
)

const usage = `Usage: kubectl pod-identity COMMAND [flags]

Reads the cluster with your kubeconfig, and changes nothing. It does not call AWS.

Commands
  doctor   Say for every AWS provider which ServiceAccount, association and role it has, where its pods have their
           credentials from, and what is wrong with it.
  look     Say what exists before you install function-pod-identity-provider, and what to do.

Exit code: 0 all is well, 1 there are problems, 2 the cluster cannot be read.

Flags
`

// options are those of the command line.
type options struct {
	command    string
	kubeconfig string
	context    string
	namespace  string
	timeout    time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs the command, and returns the exit code.
func run(ctx context.Context, args []string, out, diagnostics io.Writer) int {
	o, err := parse(args, diagnostics)
	if errors.Is(err, flag.ErrHelp) {
		return exitFine
	}
	if err != nil {
		_, _ = fmt.Fprintf(diagnostics, "kubectl pod-identity: %v\n", err)
		return exitFailed
	}
	client, err := connect(o)
	if err != nil {
		_, _ = fmt.Fprintf(diagnostics, "kubectl pod-identity: cannot use your kubeconfig: %v\n", err)
		return exitFailed
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	return examine(ctx, client, o, time.Now(), out, diagnostics)
}

// parse reads the command line: a command, and its flags before or after it.
func parse(args []string, diagnostics io.Writer) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("kubectl pod-identity", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.Usage = func() {
		_, _ = io.WriteString(diagnostics, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "`path` of the kubeconfig (default $KUBECONFIG or ~/.kube/config)")
	flags.StringVar(&o.context, "context", "", "`name` of the kubeconfig's context to use")
	flags.StringVar(&o.namespace, "namespace", "crossplane-system", "`namespace` that Crossplane runs in")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "how long reading may take")

	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.command = flags.Arg(0)
	if flags.NArg() > 1 {
		// Flags may follow the command, as everywhere with kubectl.
		if err := flags.Parse(flags.Args()[1:]); err != nil {
			return o, err
		}
		if flags.NArg() > 0 {
			return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
		}
	}
	switch o.command {
	case "doctor", "look":
		return o, nil
	case "":
		flags.Usage()
		return o, errors.New("name a command: doctor or look")
	}
	return o, fmt.Errorf("unknown command %q: use doctor or look", o.command)
}

// connect returns a client for the cluster of the kubeconfig.
func connect(o options) (dynamic.Interface, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: o.context}
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if err != nil {
		return nil, err
	}
	// A dozen lists in a row: the default of five a second would make users wait.
	cfg.QPS, cfg.Burst = 50, 100
	return dynamic.NewForConfig(cfg)
}

// examine reads a cluster, prints the findings, and returns the exit code.
func examine(ctx context.Context, client dynamic.Interface, o options, now time.Time, out, diagnostics io.Writer) int {
	c, err := read(ctx, client, o.namespace)
	if err != nil {
		_, _ = fmt.Fprintf(diagnostics, "kubectl pod-identity: cannot read the cluster: %v\n", err)
		return exitFailed
	}
	var problems int
	if o.command == "look" {
		advice := look(c)
		problems, err = advice.problems(), advice.print(out)
	} else {
		report := diagnose(c, now)
		problems, err = report.problems(), report.print(out)
	}
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(diagnostics, "kubectl pod-identity: cannot print: %v\n", err)
		return exitFailed
	case problems > 0:
		return exitProblems
	}
	return exitFine
}
