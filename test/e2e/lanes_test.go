package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// The scenarios run in lanes, side by side, because most of a scenario is waiting. Each lane is a process with a network of its own,
// because Crossplane's RBAC manager insists on port 8080.
var lanes = []string{realLane, "v2", "v2-alone", "older"}

// realLane is the lane in which the real provider-aws always runs.
const realLane = "v2-real"

// lane in which a scenario runs.
func lane(v version, e entry) string {
	switch {
	case v != v2:
		return "older"
	case !e.fake:
		return realLane
	case e.alone:
		return "v2-alone"
	}
	return "v2"
}

const (
	laneVariable  = "E2E_LANE"
	builtVariable = "E2E_BUILT"
	// logsVariable is the folder for logs, if it is not the usual one.
	logsVariable = "E2E_LOGS"
)

// runLanes starts a process for each lane, and reports whether all scenarios passed. On a machine on which it may not create
// networks, it starts one after the other.
//
// With E2E_AGAIN=1 a scenario that failed is run once more, while no other runs, and the retry decides: on a busy machine a scenario
// can miss its deadline. The output names those that were run again.
func runLanes(ctx context.Context) (bool, error) {
	built, err := json.Marshal(built)
	if err != nil {
		return false, err
	}
	to := &syncWriter{w: os.Stdout}
	var wg sync.WaitGroup
	all := make([]*lines, 0, len(lanes))
	for _, l := range lanes {
		out := &lines{lane: l, to: to}
		all = append(all, out)
		wait, err := startLane(ctx, out, string(built), wg.Wait)
		if err != nil {
			return false, err
		}
		wg.Go(func() { out.err = wait() })
	}
	wg.Wait()
	ok := true
	for _, l := range all {
		if l.err == nil {
			continue
		}
		sayf("FAILED: lane %s: %v: %v", l.lane, l.err, l.failed)
		// After a panic, the scenarios that come later did not run.
		if os.Getenv("E2E_AGAIN") == "" || len(l.failed) == 0 || l.panicked {
			ok = false
			continue
		}
		for _, name := range l.failed {
			sayf("AGAIN: %s", name)
			parts := strings.Split(name, "/")
			for i := range parts {
				parts[i] = "^" + regexp.QuoteMeta(parts[i]) + "$"
			}
			// The logs of the first run are kept.
			if err := os.Setenv(logsVariable, "again"); err != nil {
				return false, err
			}
			wait, err := startLane(ctx, &lines{lane: l.lane, to: to}, string(built), wg.Wait, "-test.run="+strings.Join(parts, "/"))
			if err != nil {
				return false, err
			}
			if err := wait(); err != nil {
				sayf("FAILED AGAIN: %s", name)
				ok = false
			}
		}
	}
	return ok, nil
}

// startLane starts the process of a lane. The function that it returns waits for the end of the process.
func startLane(ctx context.Context, out *lines, built string, others func(), args ...string) (func() error, error) {
	for _, flags := range []uintptr{syscall.CLONE_NEWNET, 0} {
		cmd := exec.CommandContext(ctx, os.Args[0], append(slices.Clone(os.Args[1:]), args...)...)
		cmd.Env = append(os.Environ(), laneVariable+"="+out.lane, builtVariable+"="+built)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Cloneflags: flags}
		// One writer for both: exec writes to it from one goroutine.
		cmd.Stdout, cmd.Stderr = out, out
		switch err := cmd.Start(); {
		case err == nil:
			return cmd.Wait, nil
		case !errors.Is(err, syscall.EPERM):
			return nil, fmt.Errorf("cannot start lane %s: %w", out.lane, err)
		}
		sayf("this machine does not allow new networks: the lanes run one after the other")
		others()
	}
	return nil, fmt.Errorf("cannot start lane %s", out.lane)
}

// enterLane makes this process a lane: it reads what was built, and brings its network up.
func enterLane() error {
	if err := json.Unmarshal([]byte(os.Getenv(builtVariable)), &built); err != nil { //nolint:musttag // Both ends are this program.
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, lo); err != nil {
		return err
	}
	if lo.Uint16()&unix.IFF_UP != 0 {
		return nil
	}
	lo.SetUint16(lo.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// lines are the output of one lane. Each is written as a whole, with the lane's name.
type lines struct {
	lane string
	to   *syncWriter
	rest []byte
	// The scenarios that failed, and how the lane ended.
	failed   []string
	panicked bool
	err      error
}

// failure of a scenario, as go test prints it.
var failure = regexp.MustCompile(`^\s*--- FAIL: (TestE2E/[^/]+/[^/ ]+) `)

type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// Write all lines that are complete.
func (l *lines) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		l.rest = rest
		if m := failure.FindSubmatch(line); m != nil {
			l.failed = append(l.failed, string(m[1]))
		}
		l.panicked = l.panicked || bytes.HasPrefix(line, []byte("panic: "))
		l.to.mu.Lock()
		_, err := fmt.Fprintf(l.to.w, "%-8s | %s\n", l.lane, line)
		l.to.mu.Unlock()
		if err != nil {
			return len(b), err
		}
	}
}
