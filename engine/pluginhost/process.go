package pluginhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
)

// outputDelay bounds the wait for output after a plugin has exited: programs
// that it started may hold its stderr open.
const outputDelay = time.Second

// process is go-plugin's runner.Runner for one plugin. go-plugin's own gives
// the child the host's stdin and environment and leaves it behind when the
// host is killed.
type process struct {
	cmd    *exec.Cmd
	dir    string // private; working directory and socket
	output *output
	stdout *firstLine

	// alive is the host's end of the death pipe. The kernel closes it when
	// the host ends, however it ends.
	alive  io.Closer
	exited chan struct{} // closed when the process is reaped and its output read

	mu     sync.Mutex
	killed bool // also before it was started
	// problem says what is wrong with the first line or with the start.
	problem error
}

func newProcess(path, dir string, handshake []string, out *output) *process {
	p := &process{
		cmd:    exec.Command(path),
		dir:    dir,
		output: out,
		stdout: &firstLine{rest: &lineWriter{add: out.add}, ready: make(chan struct{})},
		exited: make(chan struct{}),
	}
	p.cmd.Dir = dir
	p.cmd.Env = environment(handshake...)
	p.cmd.Stdout = p.stdout
	p.cmd.WaitDelay = outputDelay
	return p
}

// Start implements runner.Runner. Stdin stays nil, which is the null device.
func (p *process) Start(context.Context) error {
	stderr := &lineWriter{add: p.output.add}
	p.cmd.Stderr = stderr
	// Under the lock, since a caller that gives up may call Kill meanwhile.
	p.mu.Lock()
	err := context.Canceled
	if !p.killed {
		err = p.launch()
	}
	p.mu.Unlock()
	if err != nil {
		p.fail(startProblem(p.cmd.Path, err))
		return err
	}
	go func() {
		// The state says how it ended; the error would say the same.
		_ = p.cmd.Wait()
		p.alive.Close()
		p.stdout.rest.flush()
		stderr.flush()
		close(p.exited)
		// After exited: who waits for a first line in vain then finds why.
		p.stdout.end()
	}()
	return nil
}

// startProblem says in one sentence why a file could not be run.
func startProblem(path string, err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%s may not be executed; check its permissions and those of its folder: %w", path, err)
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("%s is not a program for this system: %w", path, err)
	}
	return err
}

func (p *process) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.problem == nil {
		p.problem = err
	}
}

// failure is what fail was told first.
func (p *process) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.problem
}

// gone says how the process ended, once exited is closed.
func (p *process) gone() error {
	state := p.cmd.ProcessState
	if state == nil {
		return errors.New("it is gone")
	}
	if code := state.ExitCode(); code >= 0 {
		return fmt.Errorf("it exited with code %d", code)
	}
	return fmt.Errorf("it was ended by %s", state)
}

// killedByHost says that the process, once exited is closed, ended because of
// Kill, which makes its end no reason of anything.
func (p *process) killedByHost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed && p.cmd.ProcessState != nil && !p.cmd.ProcessState.Exited()
}

// Wait implements runner.Runner.
func (p *process) Wait(ctx context.Context) error {
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Kill implements runner.Runner: the process and whatever it started.
func (p *process) Kill(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = true
	if p.cmd.Process == nil {
		return nil
	}
	return killGroup(p.cmd.Process)
}

// Stdout implements runner.Runner: the handshake line if it is sound, else
// nothing. go-plugin's own words for a bad one are many lines of guesses.
func (p *process) Stdout() io.ReadCloser { return io.NopCloser(&handshakeReader{process: p}) }

// handshakeReader blocks until the first line is there, then yields it.
type handshakeReader struct {
	process *process
	line    *bytes.Reader
}

func (r *handshakeReader) Read(b []byte) (int, error) {
	if r.line == nil {
		<-r.process.stdout.ready
		line := r.process.stdout.line
		// Without a line the process has ended, which says more.
		if err := checkHandshake(string(line)); err != nil && len(line) > 0 {
			r.process.fail(err)
			line = nil
		}
		r.line = bytes.NewReader(line)
	}
	return r.line.Read(b)
}

// Stderr implements runner.Runner. The process's stderr is read in Start.
func (p *process) Stderr() io.ReadCloser { return io.NopCloser(bytes.NewReader(nil)) }

// Name implements runner.Runner.
func (p *process) Name() string { return p.cmd.Path }

// ID implements runner.Runner.
func (p *process) ID() string {
	if p.cmd.Process == nil {
		return ""
	}
	return strconv.Itoa(p.cmd.Process.Pid)
}

// Diagnose implements runner.Runner.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost implements runner.Runner: both live on one machine.
func (p *process) PluginToHost(network, addr string) (string, string, error) {
	return network, addr, nil
}

// HostToPlugin implements runner.Runner.
func (p *process) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}

// deathFD is the number of the first of exec's extra files in the child.
const deathFD = rpc.DeathFD + "=3"
