package engine

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

// The time that the function may take to listen, and to stop.
const (
	startTimeout = 20 * time.Second
	stopTimeout  = 2 * time.Second
)

// A function is a running process of this repository's function.
type function struct {
	address string
	cmd     *exec.Cmd
	log     *log
	exited  chan struct{}
}

// start starts the function on a free port of the loopback interface, with further flags.
func start(ctx context.Context, bin string, flags ...string) (*function, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}

	f := &function{address: address, log: &log{}, exited: make(chan struct{})}
	f.cmd = exec.Command(bin, append(flags, "--insecure", "--network=tcp", "--address="+address)...) //nolint:noctx // stop ends it, and lets calls finish.
	f.cmd.Stdout, f.cmd.Stderr = f.log, f.log
	if err := f.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the function: %w", err)
	}
	go func() {
		_ = f.cmd.Wait() // The reason is in its log.
		close(f.exited)
	}()

	for deadline := time.Now().Add(startTimeout); ; {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close() // This only tested that the function listens.
			return f, nil
		}
		if time.Now().After(deadline) {
			f.stop()
			return nil, fmt.Errorf("the function does not listen at %s after %s\n%s", address, startTimeout, f.tail())
		}
		select {
		case <-f.exited:
			return nil, fmt.Errorf("the function ended unexpectedly\n%s", f.tail())
		case <-ctx.Done():
			f.stop()
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// target returns the function's address in the form that Crossplane needs.
func (f *function) target() string { return "dns:///" + f.address }

// stop stops the function.
func (f *function) stop() {
	_ = f.cmd.Process.Signal(os.Interrupt) // Fails only if the function has already stopped.
	select {
	case <-f.exited:
	case <-time.After(stopTimeout):
		_ = f.cmd.Process.Kill()
		<-f.exited
	}
}

// tail returns the end of the function's log.
func (f *function) tail() string {
	b := f.log.bytes()
	b = b[max(0, len(b)-4096):]
	if len(b) == 0 {
		return ""
	}
	return "The function logged:\n" + string(b)
}

// freeAddress returns an unused address of the loopback interface.
func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("cannot find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// A log keeps the output of a process.
type log struct {
	mx  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mx.Lock()
	defer l.mx.Unlock()
	return l.buf.Write(p)
}

func (l *log) bytes() []byte {
	l.mx.Lock()
	defer l.mx.Unlock()
	return bytes.Clone(l.buf.Bytes())
}
